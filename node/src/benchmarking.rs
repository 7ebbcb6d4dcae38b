// SPDX-License-Identifier: Apache-2.0

//! The `benchmark` subcommand.

use crate::{cli::Cli, service};
use frame_benchmarking_cli::{BenchmarkCmd, SUBSTRATE_REFERENCE_HARDWARE};
use sc_cli::SubstrateCli;
use sp_runtime::traits::HashingFor;
use tensornet_runtime::opaque::Block;

/// Measures what `command` asks for.
///
/// # Errors
///
/// When a measurement fails, or for `extrinsic`, whose figures `pallet` gives for every call.
pub fn run(cli: &Cli, command: &BenchmarkCmd) -> sc_cli::Result<()> {
	let runner = cli.create_runner(command)?;
	runner.sync_run(|config| match command {
		BenchmarkCmd::Pallet(cmd) => {
			cmd.run_with_spec::<HashingFor<Block>, ()>(Some(config.chain_spec))
		}
		BenchmarkCmd::Block(cmd) => cmd.run(service::new_partial(&config)?.client),
		BenchmarkCmd::Storage(cmd) => {
			let parts = service::new_partial(&config)?;
			let (db, storage) = (parts.backend.expose_db(), parts.backend.expose_storage());
			let cache = parts.backend.expose_shared_trie_cache();
			cmd.run(config, parts.client, db, storage, cache)
		}
		BenchmarkCmd::Overhead(cmd) => {
			cmd.run_with_default_builder_and_spec::<Block, ()>(Some(config.chain_spec))
		}
		BenchmarkCmd::Machine(cmd) => cmd.run(&config, SUBSTRATE_REFERENCE_HARDWARE.clone()),
		BenchmarkCmd::Extrinsic(_) => {
			Err("`benchmark extrinsic` is not supported: use `benchmark pallet`".into())
		}
	})
}
