// SPDX-License-Identifier: Apache-2.0

//! The command line of the worker.

use clap::{Args, Parser, Subcommand, ValueEnum};
use std::{net::SocketAddr, path::PathBuf};
use tensornet_client::execution::Tamper;

/// The agent of a TensorNet GPU node: pulls assigned jobs, computes them, commits to the results and
/// answers audits.
#[derive(Parser)]
#[command(name = "tensornet-worker", version)]
pub struct Cli {
	/// Write logs as JSON, one object a line.
	#[arg(long, global = true)]
	pub log_json: bool,
	/// What to do.
	#[command(subcommand)]
	pub command: Command,
}

/// What to do.
#[derive(Subcommand)]
pub enum Command {
	/// Work for a registered node until stopped.
	///
	/// Register the node first: `tensornet node register`. Stop with Ctrl-C or SIGTERM: steps under
	/// way are finished, and everything else resumes at the next start. Set RUST_LOG to change what
	/// is logged, for example RUST_LOG=debug.
	Run(Box<Run>),
	/// List the devices of this machine with their measured int8 rate.
	Devices {
		/// Print JSON.
		#[arg(long)]
		json: bool,
	},
	/// Time int8 products of many sizes on every GPU of this machine and on the CPU.
	///
	/// Finds the fastest kernel for each size, and keeps it among the worker's data for `run`. Every
	/// result is compared with the CPU's.
	Bench {
		/// Folder of the worker's data.
		#[arg(long, env = "TENSORNET_DATA", default_value = "tensornet-worker")]
		data: PathBuf,
		/// Print JSON.
		#[arg(long)]
		json: bool,
	},
}

/// Options of `run`.
#[derive(Args)]
pub struct Run {
	/// JSON-RPC of a node of the chain.
	#[arg(long, env = "TENSORNET_CHAIN", default_value = "ws://127.0.0.1:9944")]
	pub chain: String,
	/// The operator's key: a file that only you may read, or a secret URI.
	#[arg(long, env = "TENSORNET_OPERATOR", hide_env_values = true)]
	pub operator: String,
	/// Folder of the journal and of blobs. One worker at a time may use it.
	#[arg(long, env = "TENSORNET_DATA", default_value = "tensornet-worker")]
	pub data: PathBuf,
	/// Address on which outputs, traces and metrics are served. It has to be reachable under the
	/// endpoint that the node registered.
	#[arg(long, default_value = "127.0.0.1:9980")]
	pub listen: SocketAddr,
	/// Where programs run.
	#[arg(long, value_enum, default_value_t = DeviceChoice::Auto)]
	pub device: DeviceChoice,
	/// Let `auto` and `gpu` use software Vulkan. It is slower than the CPU path and meant for tests.
	#[arg(long)]
	pub allow_software_gpu: bool,
	/// Recompute what other nodes reveal and prove their frauds, for the reporter's share of the
	/// slash.
	#[arg(long)]
	pub challenge: bool,
	/// Development chains only: change one element of one checkpoint of every result, to be caught.
	#[arg(long, hide = true, value_parser = parse_tamper, value_name = "ITERATION:CHECKPOINT:INDEX")]
	pub development_tamper: Option<Tamper>,
}

/// Where programs run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum DeviceChoice {
	/// The first GPU, or the CPU if there is none.
	Auto,
	/// The native CPU path.
	Cpu,
	/// The first GPU; an error if there is none.
	Gpu,
}

fn parse_tamper(text: &str) -> Result<Tamper, String> {
	let parts: Vec<_> = text.split(':').collect();
	let [iteration, checkpoint, index] = parts[..] else {
		return Err("expected ITERATION:CHECKPOINT:INDEX".into());
	};
	let bad = |error: std::num::ParseIntError| error.to_string();
	Ok(Tamper {
		iteration: iteration.parse().map_err(bad)?,
		checkpoint: checkpoint.parse().map_err(bad)?,
		index: index.parse().map_err(bad)?,
	})
}
