// SPDX-License-Identifier: Apache-2.0

//! Says what kind of file each file is.
//!
//! `cargo run -p tensornet-cli --example file_type -- [--local] [--json] FILES…`
//!
//! With `--local` the program runs on this machine, without a chain. Otherwise each file is a job on
//! the network: posted, computed by a node, fetched and checked against the chain; several are under
//! way at once. Only the first and last kilobyte of a file are looked at. With `--json`, one object a
//! line, in the order of the files: `path`, `label`, `score`.

use anyhow::{ensure, Context, Result};
use clap::Parser;
use futures::{stream, StreamExt};
use serde::Serialize;
use std::{
	path::{Path, PathBuf},
	pin::pin,
	process::ExitCode,
};
use tensornet_cli::{
	commands::job::view::describe,
	connect,
	network::{least_price, market_prices, JobStatus, Requester},
	output::{address, root, tna},
};
use tensornet_client::{calls, funds, BlobStore, Signer, Tna};
use tensornet_compiler::{
	file_type::{model_directory, package, Config, Features},
	Package,
};

/// How many jobs are under way at once.
const AT_ONCE: usize = 8;

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
	/// Register the program first if the chain does not know it: then its royalty is yours.
	#[arg(long, conflicts_with = "local")]
	register: bool,
	/// The files.
	#[arg(required = true, value_name = "FILES")]
	files: Vec<PathBuf>,
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
	tensornet_cli::start_log();
	let done = tokio::select! {
		done = run(Arguments::parse()) => done,
		Ok(()) = tokio::signal::ctrl_c() => {
			eprintln!("interrupted: jobs that were posted go on; tensornet job list shows them");
			return ExitCode::from(130);
		}
	};
	match done {
		Ok(true) => ExitCode::SUCCESS,
		Ok(false) => ExitCode::FAILURE,
		Err(error) => {
			eprintln!("error: {error:#}");
			ExitCode::FAILURE
		}
	}
}

/// What a file takes.
enum Work {
	/// Nothing: it is too short for the model.
	Known(&'static str),
	/// A run of the program on this input.
	Run(Vec<u8>),
}

/// Answers for every file that can be, in order, and tells whether that was all of them.
async fn run(arguments: Arguments) -> Result<bool> {
	let key = arguments.key.as_deref().map(Signer::from_argument).transpose()?;
	let signer = key.filter(|_| !arguments.local);
	ensure!(
		arguments.local || signer.is_some(),
		"no key to pay with: give --key, or --local to compute here"
	);
	let folder = model_directory();
	let config = Config::load(folder.join("config.min.json"))
		.with_context(|| format!("no file-type model in {}: run make setup", folder.display()))?;
	let package = package(&folder)?;
	let mut all = true;
	match signer {
		None => {
			let mut executor = package.executor()?;
			for file in &arguments.files {
				let answer = work(file, &config, &package).and_then(|work| match work {
					Work::Known(label) => Ok((label.to_owned(), 1.0)),
					Work::Run(input) => read(&package, &package.run(&mut executor, &input)?),
				});
				all &= show(file, answer, arguments.json)?;
			}
		}
		Some(signer) => {
			let (requester, max_price) = requester(&arguments, signer, &package).await?;
			let (arguments, config, package) = (&arguments, &config, &package);
			let requester = &requester;
			let answers = stream::iter(&arguments.files).map(|file| async move {
				let answer = match work(file, config, package) {
					Ok(Work::Known(label)) => Ok((label.to_owned(), 1.0)),
					Ok(Work::Run(input)) => {
						let tell = |status: &JobStatus| {
							if !arguments.json {
								eprintln!("{}: job {}", file.display(), describe(status));
							}
						};
						let id = package.program.id();
						let result = requester.run(id, vec![input], max_price, tell).await;
						result.and_then(|result| {
							read(package, result.outputs.first().context("the job has no output")?)
						})
					}
					Err(error) => Err(error),
				};
				(file, answer)
			});
			let mut answers = pin!(answers.buffered(AT_ONCE));
			while let Some((file, answer)) = answers.next().await {
				all &= show(file, answer, arguments.json)?;
			}
		}
	}
	Ok(all)
}

fn work(file: &Path, config: &Config, package: &Package) -> Result<Work> {
	Ok(match config.features_of(file)? {
		Features::Rule(label) => Work::Known(label),
		Features::Tokens(tokens) => {
			let sample: Vec<f32> = tokens.iter().map(|token| *token as f32).collect();
			Work::Run(package.card.encode_input(&sample)?)
		}
	})
}

/// Label and score of an output.
fn read(package: &Package, output: &[u8]) -> Result<(String, f64)> {
	let prediction = package.card.predict(output)?;
	Ok((prediction.label, prediction.score))
}

/// Prints an answer, or on stderr why there is none. Returns whether there is one.
fn show(file: &Path, answer: Result<(String, f64)>, json: bool) -> Result<bool> {
	let path = file.display().to_string();
	match answer {
		Ok((label, score)) if json => {
			println!("{}", serde_json::to_string(&Answer { path, label, score })?);
		}
		Ok((label, score)) => println!("{path}: {label} ({:.1} %)", score * 100.0),
		Err(error) => {
			eprintln!("error: {path}: {error:#}");
			return Ok(false);
		}
	}
	Ok(true)
}

/// Who pays, and the most that one file may cost.
async fn requester(
	arguments: &Arguments,
	signer: Signer,
	package: &Package,
) -> Result<(Requester, u128)> {
	let chain = connect(&arguments.chain).await?;
	let store = BlobStore::open(&arguments.blobs)?;
	let id = package.program.id();
	let mut at = chain.best().await?;
	if arguments.register && least_price(&at, &id, 1).await?.is_none() {
		for (_, bytes) in &package.constants {
			store.put(bytes)?;
		}
		let call = calls::register_program(package.program.encode(), &store.base_url());
		chain.call(&call, &signer).await.context("the program was not registered")?;
		at = chain.best().await?;
	}
	let least = least_price(&at, &id, 1)
		.await?
		.with_context(|| format!("the chain has no program {}: add --register", root(&id)))?;
	let max_price = match arguments.max_price {
		Some(price) => price.0,
		None => {
			let market = market_prices(&at, package.program.macs().into()).await?;
			let (_, all) = market.context("no node is online: try again, or give --max-price")?;
			least.max(all)
		}
	};
	let funds = funds::balance(&at, &signer.account()).await?.free;
	ensure!(
		funds > max_price,
		"{} has {} TNA free, and a file may cost {} TNA: use another key, or lower --max-price",
		address(&signer.account()),
		tna(funds),
		tna(max_price)
	);
	Ok((Requester::new(chain, signer, store), max_price))
}
