// SPDX-License-Identifier: Apache-2.0

//! # The TensorNet command line
//!
//! Everything that `tensornet` does, as a library:
//!
//! - [`Cli`]: the arguments, and running them.
//! - [`commands`]: one file for each group of commands.
//! - [`network`]: running a job on the network: post, follow, fetch, verify.
//! - [`output`]: results for people and for programs.
//! - [`signing`]: transactions with their fee and effect.

#![forbid(unsafe_code)]

mod app;
pub mod commands;
pub mod network;
pub mod output;
pub mod signing;

pub use app::{connect, start_log, Cli, Context};
