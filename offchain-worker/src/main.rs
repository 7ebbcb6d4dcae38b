// SPDX-License-Identifier: Apache-2.0

//! `tensornet-worker`: the agent of a GPU host.

use clap::Parser;
use std::process::ExitCode;
use tensornet_worker::{
	bench,
	config::{Cli, Command},
	devices, run,
};
use tracing_subscriber::EnvFilter;

fn main() -> ExitCode {
	let cli = Cli::parse();
	let filter = EnvFilter::try_from_default_env()
		.unwrap_or_else(|_| EnvFilter::new("warn,tensornet_worker=info,tensornet_client=info"));
	let logs = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
	if cli.log_json {
		logs.json().init();
	} else {
		logs.init();
	}
	let result = match cli.command {
		Command::Run(options) => tokio::runtime::Builder::new_multi_thread()
			.enable_all()
			.build()
			.map_err(Into::into)
			.and_then(|runtime| runtime.block_on(run::run(*options))),
		Command::Devices { json } => devices::print(json),
		Command::Bench { data, json } => bench::print(&data, json),
	};
	match result {
		Ok(()) => ExitCode::SUCCESS,
		Err(error) => {
			eprintln!("error: {error:#}");
			ExitCode::FAILURE
		}
	}
}
