// SPDX-License-Identifier: Apache-2.0

//! The tensor engine against an outside oracle.
//!
//! Runs the tests that `tosa_verif_build_tests` wrote, each with the outputs of the reference model
//! beside it, on the native CPU path, on the arbiter's evaluation of single elements and on the GPU path,
//! and compares bits. `scripts/conformance.sh` fetches the tools, generates the tests and calls this.
//!
//! Ends with 0 if every test agrees on all three, with 1 if one does not, is not understood or is missing.

mod case;
mod check;
mod npy;
mod table;

use anyhow::{ensure, Context, Result};
use case::Case;
use check::{check, Outcome};
use clap::Parser;
use serde::{Deserialize, Serialize};
use std::{
	collections::HashMap,
	fs::File,
	io::{BufRead, BufReader, Write},
	path::{Path, PathBuf},
	process::ExitCode,
	sync::Arc,
	time::Instant,
};
use tensornet_worker::gpu::GpuDevice;

/// Tests that have no meaning as a program, and why. All others must pass.
const LEFT_OUT: &[(&str, &str)] = &[(
	"const_shape_0_s",
	"its result is a shape of no axes: a tensor of no elements, which no program has",
)];

/// Compares the evaluators with the reference model.
#[derive(Parser)]
#[command(about, version, args_override_self = true)]
struct Arguments {
	/// Where the tests are: one folder for each operator, in it one for each test.
	directory: PathBuf,
	/// Take only tests whose operator or name begins so.
	#[arg(long, default_value = "")]
	only: String,
	/// How many elements of each result are recomputed alone.
	#[arg(long, default_value_t = 64)]
	sample: u64,
	/// How many tests must be there.
	#[arg(long, default_value_t = 1)]
	at_least: usize,
	/// Write the results to this file, as JSON.
	#[arg(long)]
	json: Option<PathBuf>,
	/// Keep what is done in this file, and go on from there after an interruption. What another build
	/// of this program left there is not used.
	#[arg(long)]
	progress: Option<PathBuf>,
}

/// What became of a test.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Fate {
	/// It ran on all evaluators.
	Ran(Outcome),
	/// It is named in [`LEFT_OUT`].
	LeftOut(String),
	/// It is not imported, and should be.
	NotUnderstood(String),
}

/// A test that is done.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Done {
	test: String,
	operator: String,
	fate: Fate,
}

impl Done {
	fn is_good(&self) -> bool {
		match &self.fate {
			Fate::Ran(outcome) => outcome.is_passed(),
			Fate::LeftOut(_) => true,
			Fate::NotUnderstood(_) => false,
		}
	}
}

fn main() -> Result<ExitCode> {
	let arguments = Arguments::parse();
	let cases = case::find(&arguments.directory)?;
	let chosen = |case: &Case| {
		let only = &arguments.only;
		case.operator.to_lowercase().starts_with(only) || case.name.starts_with(only)
	};
	let cases: Vec<Case> = cases.into_iter().filter(chosen).collect();
	ensure!(
		cases.len() >= arguments.at_least,
		"{} tests in {}, not {}: generate them with scripts/conformance.sh",
		cases.len(),
		arguments.directory.display(),
		arguments.at_least
	);
	let gpu = GpuDevice::open(true).context("install mesa-vulkan-drivers for software Vulkan")?;
	let gpu = Arc::new(gpu);
	let mut progress = Progress::open(arguments.progress.as_deref())?;

	let started = Instant::now();
	let mut done = Vec::with_capacity(cases.len());
	for (number, case) in cases.iter().enumerate() {
		let result = match progress.known(&case.name) {
			Some(known) => known,
			None => {
				let result = run(case, &gpu, arguments.sample)?;
				progress.record(&result)?;
				result
			}
		};
		if !result.is_good() {
			eprintln!("{}: {}", case.name, table::trouble(&result));
		}
		done.push(result);
		if (number + 1) % 200 == 0 {
			let seconds = started.elapsed().as_secs();
			eprintln!("{} of {} tests, {seconds} s", number + 1, cases.len());
		}
	}
	print!("{}", table::text(&done, gpu.name()));
	if let Some(path) = &arguments.json {
		let json = serde_json::to_vec_pretty(&table::json(&done, gpu.name()))?;
		std::fs::write(path, json).with_context(|| path.display().to_string())?;
	}
	Ok(if done.iter().all(Done::is_good) { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn run(case: &Case, gpu: &Arc<GpuDevice>, sample: u64) -> Result<Done> {
	let fate = match case.load().with_context(|| case.name.clone())? {
		Ok(loaded) => {
			let hash = blake3::hash(case.name.as_bytes());
			let seed = hash.as_bytes().first_chunk().map_or(0, |bytes| u64::from_le_bytes(*bytes));
			Fate::Ran(check(&loaded, gpu, sample, seed))
		}
		Err(error) => match LEFT_OUT.iter().find(|(name, _)| *name == case.name) {
			Some((_, reason)) => Fate::LeftOut((*reason).into()),
			None => Fate::NotUnderstood(error.to_string()),
		},
	};
	Ok(Done { test: case.name.clone(), operator: case.operator.clone(), fate })
}

/// Results that are kept from one start to the next, one JSON object in each line.
struct Progress {
	file: Option<File>,
	known: HashMap<String, Done>,
}

impl Progress {
	/// Reads what this build of the program left in the file, or begins it anew.
	fn open(path: Option<&Path>) -> Result<Self> {
		let Some(path) = path else { return Ok(Self { file: None, known: HashMap::new() }) };
		let program = std::fs::read(std::env::current_exe()?)?;
		let build = blake3::hash(&program).to_hex().to_string();
		let mut known = HashMap::new();
		if let Ok(file) = File::open(path) {
			let mut lines = BufReader::new(file).lines();
			if lines.next().transpose()?.is_some_and(|first| first == build) {
				for line in lines {
					// The last line may be cut.
					let Ok(done) = serde_json::from_str::<Done>(&line?) else { continue };
					// What failed is tried again.
					if done.is_good() {
						known.insert(done.test.clone(), done);
					}
				}
			}
		}
		let mut file = File::create(path).with_context(|| path.display().to_string())?;
		writeln!(file, "{build}")?;
		let mut progress = Self { file: Some(file), known: HashMap::new() };
		for done in known.values() {
			progress.record(done)?;
		}
		progress.known = known;
		Ok(progress)
	}

	fn known(&self, test: &str) -> Option<Done> {
		self.known.get(test).cloned()
	}

	fn record(&mut self, done: &Done) -> Result<()> {
		if let Some(file) = &mut self.file {
			writeln!(file, "{}", serde_json::to_string(done)?)?;
		}
		Ok(())
	}
}
