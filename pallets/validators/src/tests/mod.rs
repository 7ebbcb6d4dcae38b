// SPDX-License-Identifier: Apache-2.0

mod bonding;
mod candidacy;
mod election;
mod eras;
mod offences;
mod property;
mod rewards;
mod silence;
mod slashing;
mod try_state;
