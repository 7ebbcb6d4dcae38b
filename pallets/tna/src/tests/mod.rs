// SPDX-License-Identifier: Apache-2.0

mod burn;
mod dust;
mod emission;
mod fees;
mod policy;
mod schedule;
mod try_state;
mod views;
mod wash;
