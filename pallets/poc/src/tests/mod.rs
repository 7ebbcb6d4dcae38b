// SPDX-License-Identifier: Apache-2.0

//! Tests by topic. Every one ends with a check of all invariants.

mod agenda;
mod audits;
mod beacon;
mod commitments;
mod compute;
mod fraud;
mod programs;
mod stories;
mod try_state;
