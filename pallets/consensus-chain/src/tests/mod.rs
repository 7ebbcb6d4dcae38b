// SPDX-License-Identifier: Apache-2.0

//! Tests by subject. Each runs every invariant check at its end.

mod contributions;
mod members;
mod pot;
mod property;
mod sharing;
mod simulation;
mod try_state;
mod views;
