// SPDX-License-Identifier: Apache-2.0

//! The commands, one file for each group.

pub mod attest;
pub mod balance;
pub mod compile;
pub mod gov;
pub mod job;
pub mod keys;
pub mod lineage;
pub mod node;
pub mod program;
pub mod rewards;
pub mod stake;
pub mod validator;
