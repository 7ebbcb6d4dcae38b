// SPDX-License-Identifier: Apache-2.0

mod burn;
mod dust;
mod emit;
mod fees;
mod policy;
mod try_state;
