// SPDX-License-Identifier: Apache-2.0

//! Writes a chain specification of TensorNet as JSON.

use clap::{Parser, ValueEnum};
use std::{
	fs,
	io::{self, Write},
	path::PathBuf,
	process::ExitCode,
};
use tensornet_chain_spec::{development, local_testnet};

/// Write a chain specification of TensorNet as JSON.
///
/// The plain form names the genesis by its settings and can be edited; the raw form holds the storage
/// that they produce, which is what nodes of one network must share.
#[derive(Parser)]
#[command(
	version,
	after_help = "Examples:\n  \
		tensornet-chain-spec --chain development\n  \
		tensornet-chain-spec --chain local_testnet --raw --out local.json"
)]
struct Arguments {
	/// Which chain to describe.
	#[arg(long, value_enum)]
	chain: Chain,

	/// Write the genesis storage instead of the genesis settings.
	#[arg(long)]
	raw: bool,

	/// Where to write; standard output when left out.
	#[arg(long, value_name = "FILE")]
	out: Option<PathBuf>,
}

#[derive(Clone, Copy, ValueEnum)]
#[value(rename_all = "snake_case")]
enum Chain {
	/// One validator, Alice.
	Development,
	/// Three validators on one machine: Alice, Bob and Charlie.
	LocalTestnet,
}

fn main() -> ExitCode {
	match run(&Arguments::parse()) {
		Ok(()) => ExitCode::SUCCESS,
		Err(message) => {
			eprintln!("error: {message}");
			ExitCode::FAILURE
		}
	}
}

fn run(arguments: &Arguments) -> Result<(), String> {
	let spec = match arguments.chain {
		Chain::Development => development()?,
		Chain::LocalTestnet => local_testnet()?,
	};
	let json = spec.as_json(arguments.raw)?;
	match &arguments.out {
		Some(path) => fs::write(path, json)
			.map_err(|e| format!("cannot write {}: {e}; choose another --out", path.display())),
		None => io::stdout()
			.write_all(json.as_bytes())
			.map_err(|e| format!("cannot write to standard output: {e}")),
	}
}
