// SPDX-License-Identifier: Apache-2.0

//! Says what kind of file each file is.
//!
//! `cargo run -p tensornet-cli --example file_type -- [--local] [--json] FILES…`
//!
//! With `--local` the program runs on this machine, without a chain. Otherwise each file is a job on
//! the network: posted, computed by a node, fetched and checked against the chain. Only the first and
//! last kilobyte of a file are looked at. With `--json`, one object a line: `path`, `label`, `score`.

use anyhow::{bail, Context, Result};
use clap::Parser;
use serde::Serialize;
use std::{path::PathBuf, process::ExitCode};
use tensornet_cli::network::{least_price, market_price, run_job};
use tensornet_client::{BlobStore, Chain, Signer, Tna};
use tensornet_compiler::{
	file_type::{model_directory, package, Config, Features},
	Package, Prediction,
};
use tensornet_tensor::CpuExecutor;

/// Says what kind of file each file is.
#[derive(Parser)]
struct Arguments {
	/// Compute on this machine instead of the network.
	#[arg(long)]
	local: bool,
	/// One JSON object a line: path, label, score.
	#[arg(long)]
	json: bool,
	/// JSON-RPC of a node of the chain.
	#[arg(
		long,
		env = "TENSORNET_CHAIN",
		default_value = "ws://127.0.0.1:9944",
		value_name = "URL"
	)]
	chain: String,
	/// Who pays: a key file, a mnemonic phrase, a 0x seed, or a development path such as //Alice.
	#[arg(long, env = "TENSORNET_KEY", value_name = "FILE|SECRET", hide_env_values = true)]
	key: Option<String>,
	/// The most one file may cost, in TNA; what the dearest node asks if not given.
	#[arg(long, value_name = "TNA")]
	max_price: Option<Tna>,
	/// Folder for inputs and outputs. Nodes must be able to read it.
	#[arg(long, default_value = "tensornet-blobs", value_name = "DIR")]
	blobs: PathBuf,
	/// The files.
	#[arg(required = true, value_name = "FILES")]
	files: Vec<PathBuf>,
}

/// Where programs run.
enum Machine {
	Local(Box<CpuExecutor>),
	Network(Box<Requester>),
}

/// Whoever pays for jobs.
struct Requester {
	chain: Chain,
	signer: Signer,
	store: BlobStore,
	max_price: u128,
}

/// A line of the answer.
#[derive(Serialize)]
struct Answer {
	path: String,
	label: String,
	score: f64,
}

#[tokio::main]
async fn main() -> ExitCode {
	match run(Arguments::parse()).await {
		Ok(true) => ExitCode::SUCCESS,
		Ok(false) => ExitCode::FAILURE,
		Err(error) => {
			eprintln!("file_type: {error:#}");
			ExitCode::FAILURE
		}
	}
}

/// Answers for every file that can be read, and tells whether that was all of them.
async fn run(arguments: Arguments) -> Result<bool> {
	let folder = model_directory();
	let config = Config::load(folder.join("config.min.json"))
		.with_context(|| format!("no file-type model in {}: run make setup", folder.display()))?;
	let package = package(&folder)?;
	let mut machine = if arguments.local {
		Machine::Local(Box::new(package.executor()?))
	} else {
		Machine::Network(Box::new(requester(&arguments, &package).await?))
	};
	let mut all = true;
	for file in &arguments.files {
		let features = match config.features_of(file) {
			Ok(features) => features,
			Err(error) => {
				eprintln!("file_type: {}: {error}", file.display());
				all = false;
				continue;
			}
		};
		let (label, score) = match features {
			Features::Rule(label) => (label.to_string(), 1.0),
			Features::Tokens(tokens) => {
				let prediction = classify(&package, &mut machine, &tokens).await?;
				(prediction.label, prediction.score)
			}
		};
		let answer = Answer { path: file.display().to_string(), label, score };
		if arguments.json {
			println!("{}", serde_json::to_string(&answer)?);
		} else {
			println!("{}: {} ({:.1} %)", answer.path, answer.label, answer.score * 100.0);
		}
	}
	Ok(all)
}

async fn requester(arguments: &Arguments, package: &Package) -> Result<Requester> {
	let Some(key) = &arguments.key else {
		bail!("no key to pay with: give --key, or --local to compute here");
	};
	let signer = Signer::from_argument(key)?;
	let chain = Chain::connect(&arguments.chain).await?;
	let max_price = match arguments.max_price {
		Some(price) => price.0,
		None => {
			let at = chain.best().await?;
			let least = least_price(&at, &package.program.id(), 1).await?;
			let least = least.context("the chain does not know the program: register it first")?;
			let market = market_price(&at, package.program.macs().into()).await?;
			least.max(market.context("no node is online: try again later, or give --max-price")?)
		}
	};
	let store = BlobStore::open(&arguments.blobs)?;
	Ok(Requester { chain, signer, store, max_price })
}

async fn classify(package: &Package, machine: &mut Machine, tokens: &[i32]) -> Result<Prediction> {
	let sample: Vec<f32> = tokens.iter().map(|token| *token as f32).collect();
	let input = package.card.encode_input(&sample)?;
	let output = match machine {
		Machine::Local(executor) => package.run(executor.as_mut(), &input)?,
		Machine::Network(requester) => {
			let Requester { chain, signer, store, max_price } = requester.as_ref();
			let program = package.program.id();
			let result = run_job(chain, signer, program, vec![input], *max_price, store).await?;
			result.outputs.into_iter().next().context("the job has no output")?
		}
	};
	Ok(package.card.predict(&output)?)
}
