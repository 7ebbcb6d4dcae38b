// SPDX-License-Identifier: Apache-2.0

//! Writes a chain specification of TensorNet as JSON.

use clap::{Parser, ValueEnum};
use std::{
	fs,
	io::{self, Write},
	path::PathBuf,
	process::ExitCode,
};
use tensornet_chain_spec::{
	development, from_table, local_testnet,
	tokenomics::{Purpose, Tokenomics, TABLE},
};

/// Write a chain specification of TensorNet as JSON.
///
/// The plain form names the genesis by its settings and can be edited; the raw form holds the storage
/// that they produce, which is what nodes of one network must share.
#[derive(Parser)]
#[command(
	version,
	after_help = "Examples:\n  \
		tensornet-chain-spec --chain development\n  \
		tensornet-chain-spec --chain local_testnet --raw --out local.json\n  \
		tensornet-chain-spec --chain mainnet --tokenomics main.toml --raw --out main.json"
)]
struct Arguments {
	/// Which chain to describe.
	#[arg(long, value_enum)]
	chain: Chain,

	/// The table of the first holders and validators, for `staging` and `mainnet`. Staging has one of
	/// its own, chain-spec/tokenomics.toml.
	#[arg(long, value_name = "FILE")]
	tokenomics: Option<PathBuf>,

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
	/// The table's holders and validators; any account will do.
	Staging,
	/// The table's holders and validators; refuses accounts whose keys are public knowledge.
	Mainnet,
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

/// The table that was named, or else the default one, if the chain has one.
fn table(arguments: &Arguments, default: Option<&str>) -> Result<Tokenomics, String> {
	match (&arguments.tokenomics, default) {
		(Some(path), _) => {
			let text = fs::read_to_string(path)
				.map_err(|e| format!("cannot read {}: {e}; name another file", path.display()))?;
			Tokenomics::read(&text).map_err(|e| format!("{}: {e}", path.display()))
		}
		(None, Some(text)) => Tokenomics::read(text),
		(None, None) => Err("a main network needs a table of its own: copy \
			chain-spec/tokenomics.toml, put in real accounts, and name it with --tokenomics"
			.into()),
	}
}

fn run(arguments: &Arguments) -> Result<(), String> {
	let spec = match arguments.chain {
		Chain::Development => development()?,
		Chain::LocalTestnet => local_testnet()?,
		Chain::Staging => from_table(&table(arguments, Some(TABLE))?, Purpose::Staging)?,
		Chain::Mainnet => from_table(&table(arguments, None)?, Purpose::Main)?,
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
