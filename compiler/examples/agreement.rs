// SPDX-License-Identifier: Apache-2.0

//! Compares the integer program of any model with the float model on samples that it was not calibrated with:
//!
//! `cargo run -p tensornet-compiler --example agreement -- MODEL CALIBRATION TEST [--shape 1,3,48,192]
//! [--eight-bits-above DB] [--weights-above DB] [--method mse|min-max|percentile] [--sequence] [--at-least SHARE] [--limit N]`
//!
//! Both directories hold one file for each sample (see `tensornet_compiler::samples`). A sample agrees if the
//! largest element of its output is the same; with `--sequence` if the largest elements of all rows, with
//! repetitions and zeros left out, are (connectionist temporal classification: the same text). Exits with 1
//! if the share that agrees is below `--at-least`.

use std::{process::ExitCode, time::Instant};
use tensornet_compiler::{compile, samples, CompileError, Method, OnnxModel, Options};

struct Arguments {
	paths: Vec<String>,
	shape: Vec<usize>,
	options: Options,
	sequence: bool,
	least: f64,
	limit: usize,
}

fn main() -> ExitCode {
	match run() {
		Ok(true) => ExitCode::SUCCESS,
		Ok(false) => ExitCode::FAILURE,
		Err(error) => {
			eprintln!("agreement: {error}");
			ExitCode::from(2)
		}
	}
}

fn bad(what: &str) -> CompileError {
	CompileError::Package(what.into())
}

fn arguments() -> Result<Arguments, CompileError> {
	let mut arguments = Arguments {
		paths: Vec::new(),
		shape: Vec::new(),
		options: Options { measured: 4, ..Options::default() },
		sequence: false,
		least: 0.0,
		limit: usize::MAX,
	};
	let mut words = std::env::args().skip(1);
	while let Some(word) = words.next() {
		let mut next = || words.next().ok_or_else(|| bad(&format!("{word} needs a value")));
		let number = |word: String| word.parse::<f64>().map_err(|_| bad("not a number"));
		match word.as_str() {
			"--shape" => {
				let extents = next()?;
				let extents = extents.split(',').map(str::parse).collect::<Result<_, _>>();
				arguments.shape = extents.map_err(|_| bad("--shape 1,3,48,192"))?;
			}
			"--eight-bits-above" => {
				arguments.options.targets.operands = Some(number(next()?)?);
			}
			"--weights-above" => {
				arguments.options.targets.weights = Some(number(next()?)?);
			}
			"--method" => {
				arguments.options.method = match next()?.as_str() {
					"mse" => Method::Mse,
					"min-max" => Method::MinMax,
					"percentile" => Method::Percentile(100),
					_ => return Err(bad("--method mse, min-max or percentile")),
				}
			}
			"--sequence" => arguments.sequence = true,
			"--at-least" => arguments.least = number(next()?)?,
			"--limit" => arguments.limit = number(next()?)? as usize,
			_ => arguments.paths.push(word),
		}
	}
	Ok(arguments)
}

/// What the output says: one place, or a sequence of places.
fn reading(output: &[f64], width: usize, sequence: bool) -> Vec<usize> {
	let rows = output.chunks(width).map(|row| {
		let start = (0, f64::NEG_INFINITY);
		let largest = row.iter().enumerate();
		largest.fold(start, |best, (i, x)| if *x > best.1 { (i, *x) } else { best }).0
	});
	let mut places: Vec<usize> = rows.collect();
	if sequence {
		places.dedup();
		places.retain(|place| *place != 0);
	}
	places
}

fn run() -> Result<bool, CompileError> {
	let arguments = arguments()?;
	let [model, calibration, test] = arguments.paths.as_slice() else {
		return Err(bad("name a model, a directory to calibrate with and one to test on"));
	};
	let model = OnnxModel::load_for(model, &arguments.shape)?;
	let count = model.input_shape().iter().product();
	let calibration = samples::load_all(calibration, count)?;
	let start = Instant::now();
	let compiled = compile(&model, &calibration, &arguments.options)?;
	println!("compiled in {:.1} s", start.elapsed().as_secs_f64());
	println!("{}", compiled.report);
	println!("program {}", compiled.package.card.program_id);
	let width = compiled.package.card.output.shape.last().copied().unwrap_or(1) as usize;
	let mut executor = compiled.package.executor()?;
	let (mut same, mut all) = (0, 0);
	let (mut float_seconds, mut seconds) = (0.0, 0.0);
	for path in samples::files(test)?.iter().take(arguments.limit) {
		let sample = samples::load(path, count)?;
		let start = Instant::now();
		let float: Vec<f64> = model.run(&sample)?.into_iter().map(f64::from).collect();
		float_seconds += start.elapsed().as_secs_f64();
		let input = compiled.package.card.encode_input(&sample)?;
		let start = Instant::now();
		let output = compiled.package.run(&mut executor, &input)?;
		seconds += start.elapsed().as_secs_f64();
		let output = compiled.package.card.decode_output(&output)?;
		let read = |output: &[f64]| reading(output, width, arguments.sequence);
		all += 1;
		if read(&output) == read(&float) {
			same += 1;
		} else {
			println!("{}: differs", path.display());
		}
	}
	let share = same as f64 / f64::max(all as f64, 1.0);
	let each = |seconds: f64| 1e3 * seconds / f64::max(all as f64, 1.0);
	println!("{same} of {all} agree: {:.2} %", share * 100.0);
	println!("{:.1} ms each, float model {:.1} ms", each(seconds), each(float_seconds));
	Ok(all > 0 && share >= arguments.least)
}
