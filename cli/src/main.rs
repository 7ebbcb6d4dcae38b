// SPDX-License-Identifier: Apache-2.0

//! `tensornet`: the command line of requesters, node owners and explorers.

use clap::Parser;
use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
	tensornet_cli::start_log();
	tensornet_cli::Cli::parse().run().await
}
