// SPDX-License-Identifier: Apache-2.0

//! Compares the integer program of the voice-activity model with the float model on recordings that it was not
//! calibrated with:
//!
//! `cargo run -p tensornet-compiler --example voice -- CALIBRATION TEST [--model FILE] [--float DIR]
//! [--eight-bits-above DB] [--weights-above DB]`
//!
//! Both directories hold recordings as `scripts/voices.py` makes them: numbers from -1 to 1 at 16 kHz. Each is one
//! job with an iteration for each frame. Weights get two planes where the error of one would leave the
//! probabilities less than 50 decibels above it.
//!
//! Prints on how many frames both models decide the same (speech from a probability of a half on) and how far their
//! probabilities are apart; with `--float` also how far this float model is from another run of it, of which the
//! directory holds the probabilities. Exits with 1 below 99 %.

use rayon::prelude::*;
use std::{path::PathBuf, process::ExitCode, time::Instant};
use tensornet_compiler::{
	compile, samples, voice, Agreement, CompileError, Difference, OnnxModel, Options, Package,
	Targets,
};

fn main() -> ExitCode {
	match run() {
		Ok(true) => ExitCode::SUCCESS,
		Ok(false) => ExitCode::FAILURE,
		Err(error) => {
			eprintln!("voice: {error}");
			ExitCode::from(2)
		}
	}
}

fn bad(what: &str) -> CompileError {
	CompileError::Package(what.into())
}

struct Arguments {
	paths: Vec<PathBuf>,
	model: PathBuf,
	float: Option<PathBuf>,
	targets: Targets,
}

fn arguments() -> Result<Arguments, CompileError> {
	let mut arguments = Arguments {
		paths: Vec::new(),
		model: voice::model_path(),
		float: None,
		targets: Targets { weights: Some(50.0), operands: None },
	};
	let mut words = std::env::args().skip(1);
	while let Some(word) = words.next() {
		let mut next = || words.next().ok_or_else(|| bad(&format!("{word} needs a value")));
		let number = |word: String| word.parse::<f64>().map_err(|_| bad("not a number"));
		match word.as_str() {
			"--model" => arguments.model = next()?.into(),
			"--float" => arguments.float = Some(next()?.into()),
			"--eight-bits-above" => arguments.targets.operands = Some(number(next()?)?),
			"--weights-above" => arguments.targets.weights = Some(number(next()?)?),
			_ => arguments.paths.push(word.into()),
		}
	}
	Ok(arguments)
}

/// What one recording showed.
struct Found {
	agreement: Agreement,
	difference: Difference,
	/// Frames with speech, as the float model says.
	speech: usize,
	/// Distance of the float model from the other run of it.
	reference: Option<f64>,
	seconds: f64,
}

fn compare(
	model: &OnnxModel,
	package: &Package,
	recording: &[f32],
	other: Option<Vec<f32>>,
) -> Result<Found, CompileError> {
	let frames = voice::frames(recording);
	let float = model.run(&frames)?;
	let mut executor = package.executor()?;
	let start = Instant::now();
	let integer = package.run_all(&mut executor, &frames)?;
	let mut found = Found {
		agreement: Agreement::default(),
		difference: Difference::default(),
		speech: float.iter().filter(|probability| **probability >= 0.5).count(),
		reference: None,
		seconds: start.elapsed().as_secs_f64(),
	};
	for (float, integer) in float.iter().zip(integer.iter().flatten()) {
		found.agreement.count_decision(*float as f64, *integer);
		found.difference.count(*integer, *float as f64);
	}
	if let Some(other) = other {
		if other.len() != float.len() {
			return Err(bad("the other float run has another number of frames"));
		}
		let distances = float.iter().zip(&other).map(|(a, b)| (*a as f64 - *b as f64).abs());
		found.reference = Some(distances.fold(0.0, f64::max));
	}
	Ok(found)
}

fn run() -> Result<bool, CompileError> {
	let Arguments { paths, model, float, targets } = arguments()?;
	let [calibration, test] = paths.as_slice() else {
		return Err(bad("name a directory of recordings to calibrate with and one to test on"));
	};
	let model = OnnxModel::load_with(model, &voice::ports())?;
	let recordings = samples::load_sequences(calibration, 1)?;
	let calibration: Vec<Vec<f32>> = recordings.iter().map(|all| voice::frames(all)).collect();
	let start = Instant::now();
	let options = Options { name: voice::NAME.into(), measured: 2, targets, ..Options::default() };
	let compiled = compile(&model, &calibration, &options)?;
	println!("compiled in {:.1} s", start.elapsed().as_secs_f64());
	println!("{}", compiled.report);
	println!("program {}", compiled.package.card.program_id);

	let files = samples::files(test)?;
	let each: Vec<Found> = files
		.par_iter()
		.map(|path| {
			let recording = samples::load_sequence(path, 1)?;
			let other = float.as_ref().map(|folder| {
				samples::load_sequence(folder.join(path.file_name().unwrap_or_default()), 1)
			});
			compare(&model, &compiled.package, &recording, other.transpose()?)
		})
		.collect::<Result<_, CompileError>>()?;
	let (mut all, mut same, mut speech, mut least) = (0, 0, 0, 1.0);
	let (mut sum, mut largest, mut seconds) = (0.0, 0f64, 0.0);
	for (path, found) in files.iter().zip(&each) {
		let Found { agreement, difference, .. } = found;
		println!(
			"{}: {} of {} frames, speech in {}; probabilities differ by {:.5} on average, {:.4} at most{}",
			path.file_name().unwrap_or_default().to_string_lossy(),
			agreement.same,
			agreement.all,
			found.speech,
			difference.mean,
			difference.largest,
			found.reference.map_or(String::new(), |far| format!("; other float run {far:.1e}")),
		);
		all += agreement.all;
		same += agreement.same;
		speech += found.speech;
		least = agreement.share().min(least);
		sum += difference.mean * difference.count as f64;
		largest = largest.max(difference.largest);
		seconds += found.seconds;
	}
	let share = same as f64 / f64::max(all as f64, 1.0);
	let frames = f64::max(all as f64, 1.0);
	println!(
		"{same} of {all} frames of {} recordings decided as in float: {:.3} %, at least {:.2} % of each; \
		 speech in {:.1} %",
		files.len(),
		share * 100.0,
		least * 100.0,
		speech as f64 * 100.0 / frames
	);
	println!(
		"probabilities differ by {:.6} on average, {largest:.4} at most; {:.2} ms a frame",
		sum / frames,
		seconds * 1e3 / frames
	);
	Ok(all > 0 && share >= 0.99)
}
