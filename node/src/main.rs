// SPDX-License-Identifier: Apache-2.0

//! # The TensorNet node
//!
//! Makes blocks with BABE, finalizes them with GRANDPA, keeps them in ParityDB and answers JSON-RPC.
//! `tensornet-node --dev` is a whole chain with one validator.

// The SDK's error types are large, and errors end the program.
#![allow(clippy::result_large_err)]

#[cfg(feature = "runtime-benchmarks")]
mod benchmarking;
mod cli;
mod command;
mod rpc;
mod service;

use std::process::ExitCode;

fn main() -> ExitCode {
	match command::run() {
		Ok(()) => ExitCode::SUCCESS,
		Err(error) => {
			eprintln!("error: {error}");
			ExitCode::FAILURE
		}
	}
}
