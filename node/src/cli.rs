// SPDX-License-Identifier: Apache-2.0

//! The command line.

use sc_cli::RunCmd;

/// Runs a node when no subcommand is given.
#[derive(Debug, clap::Parser)]
pub struct Cli {
	/// What to do instead of running a node.
	#[command(subcommand)]
	pub subcommand: Option<Subcommand>,

	/// How to run the node.
	#[command(flatten)]
	pub run: RunCmd,
}

/// What the binary does beside running a node.
#[derive(Debug, clap::Subcommand)]
// Parsed once at start: the size of a variant costs nothing.
#[allow(clippy::large_enum_variant)]
pub enum Subcommand {
	/// Generate, inspect and insert keys.
	#[command(subcommand)]
	Key(sc_cli::KeySubcommand),

	/// Write a chain specification, with this machine as boot node.
	BuildSpec(sc_cli::BuildSpecCmd),

	/// Write a chain specification as it is.
	ExportChainSpec(sc_cli::ExportChainSpecCmd),

	/// Check that blocks are valid.
	CheckBlock(sc_cli::CheckBlockCmd),

	/// Write blocks to a file.
	ExportBlocks(sc_cli::ExportBlocksCmd),

	/// Write the state of a block as a chain specification.
	ExportState(sc_cli::ExportStateCmd),

	/// Read blocks from a file.
	ImportBlocks(sc_cli::ImportBlocksCmd),

	/// Remove the database of a chain.
	PurgeChain(sc_cli::PurgeChainCmd),

	/// Go back by a number of blocks that are not finalized.
	Revert(sc_cli::RevertCmd),

	/// Show the best, finalized and oldest block in the database.
	ChainInfo(sc_cli::ChainInfoCmd),

	/// Measure the runtime and this machine.
	#[cfg(feature = "runtime-benchmarks")]
	#[command(subcommand)]
	Benchmark(frame_benchmarking_cli::BenchmarkCmd),
}
