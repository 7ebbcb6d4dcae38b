// SPDX-License-Identifier: Apache-2.0

//! # The TensorNet node
//!
//! Makes blocks with BABE, finalizes them with GRANDPA, keeps them in ParityDB and answers JSON-RPC.
//! `tensornet-node --dev` is a whole chain with one validator.

#[cfg(feature = "runtime-benchmarks")]
mod benchmarking;
mod cli;
mod command;
mod rpc;
mod service;

fn main() -> sc_cli::Result<()> {
	command::run()
}
