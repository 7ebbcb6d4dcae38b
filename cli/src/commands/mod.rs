// SPDX-License-Identifier: Apache-2.0

//! The commands, one file for each group.

pub mod balance;
pub mod compile;
pub mod job;
pub mod keys;
pub mod node;
pub mod program;
