// SPDX-License-Identifier: Apache-2.0

//! `tensornet compile`: a model in ONNX to an exact integer program.

use anyhow::{ensure, Context as _, Result};
use clap::{Args, ValueEnum};
use serde::Serialize;
use std::{
	fmt, fs,
	path::{Path, PathBuf},
};
use tensornet_compiler::{
	compile, samples, Agreement, Compiled, Method, OnnxModel, Options, Package, Ports, Report,
	Targets, ITERATIONS,
};

use crate::{
	output::{bytes, count, Facts},
	Context,
};

/// Compile a model.
#[derive(Args)]
#[command(
	after_help = "Examples:\n  tensornet compile cls.onnx --shape 1,3,48,192 --calibration lines --out cls.tnp --report\n  tensornet compile silero_vad.onnx --shape 1,576 --fix sr=16000 --calibration frames --out vad.tnp\n  tensornet program register cls.tnp --constants cls.constants --key ~/.tensornet-key"
)]
pub struct CompileArgs {
	/// The model, in ONNX. One input is the data and one output the result; what else there is is fixed
	/// (--fix) or carried from one iteration to the next (--state).
	#[arg(value_name = "MODEL")]
	model: PathBuf,
	/// Folder with samples of the input, one file each: arrays as NumPy saves them (.npy), or bare f32. Of a
	/// model with states each file holds a sequence: the inputs of any number of iterations.
	///
	/// They decide the scales: the same model and samples give the same program on every machine.
	#[arg(long, value_name = "DIR")]
	calibration: PathBuf,
	/// The program to write. Its constants, its card and its first states are written beside it: for x.tnp
	/// the folders x.constants and x.states and the file x.json.
	#[arg(long, value_name = "FILE")]
	out: PathBuf,
	/// Print what happened to each layer.
	#[arg(long)]
	report: bool,
	/// Extents of the input that the model leaves open, such as 1,3,48,192.
	#[arg(long, value_delimiter = ',', value_name = "EXTENTS")]
	shape: Vec<usize>,
	/// An input that is always the same, such as sr=16000; several numbers are separated by commas.
	#[arg(long, value_name = "INPUT=NUMBERS", value_parser = fixed)]
	fix: Vec<(String, Vec<f64>)>,
	/// An input that is an output of the iteration before, such as h_in=h_out. It is 0 at first. Those of
	/// like names, such as state and stateN, are found without this.
	#[arg(long, value_name = "INPUT=OUTPUT", value_parser = pair)]
	state: Vec<(String, String)>,
	/// The output that is the result, if there are several.
	#[arg(long, value_name = "OUTPUT")]
	output: Option<String>,
	/// The most iterations of one job of a model with states. The program's output has a row for each.
	#[arg(long, value_name = "N", default_value_t = ITERATIONS)]
	iterations: u32,
	/// File with the name of each element of the output, one a line.
	#[arg(long, value_name = "FILE")]
	labels: Option<PathBuf>,
	/// How the ranges of eight-bit operands are chosen.
	#[arg(long, value_enum, default_value = "mse")]
	method: Range,
	/// Give operands of products eight bits where together that leaves the output so many decibels above the
	/// error. Without it all have sixteen: slower, and closer to the model.
	#[arg(long, value_name = "DB")]
	eight_bits_above: Option<f64>,
	/// Give weights two planes of eight bits where the error of one would leave the output less than so many
	/// decibels above it.
	#[arg(long, value_name = "DB", default_value = "28")]
	weights_above: f64,
	/// Samples on which the report measures.
	#[arg(long, value_name = "SAMPLES", default_value = "8")]
	measured: usize,
}

/// Two names on both sides of an equals sign.
fn pair(text: &str) -> Result<(String, String), String> {
	match text.split_once('=') {
		Some((left, right)) if !left.is_empty() && !right.is_empty() => {
			Ok((left.into(), right.into()))
		}
		_ => Err("write NAME=VALUE".into()),
	}
}

/// A name and its numbers.
fn fixed(text: &str) -> Result<(String, Vec<f64>), String> {
	let (name, numbers) = pair(text)?;
	let number =
		|word: &str| word.trim().parse::<f64>().map_err(|error| format!("{word}: {error}"));
	Ok((name, numbers.split(',').map(number).collect::<Result<_, _>>()?))
}

/// How the range of an eight-bit operand is chosen.
#[derive(Clone, Copy, ValueEnum)]
enum Range {
	/// Where the mean squared error is least.
	Mse,
	/// From the smallest to the largest number seen.
	MinMax,
	/// Without the outermost 0.01 %.
	Percentile,
}

/// What was written.
#[derive(Serialize)]
struct Written {
	program: String,
	id: String,
	constants: Option<String>,
	card: String,
	#[serde(skip_serializing_if = "Vec::is_empty")]
	states: Vec<String>,
	#[serde(skip_serializing_if = "Option::is_none")]
	iterations: Option<u32>,
	macs: u64,
	program_bytes: u64,
	constant_bytes: u64,
	checkpoints: usize,
	committed_bytes: u64,
	agreement: Agreement,
	#[serde(skip_serializing_if = "Option::is_none")]
	report: Option<Report>,
}

impl fmt::Display for Written {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		if let Some(report) = &self.report {
			writeln!(f, "{report}\n")?;
		}
		let same = format!(
			"{:.2} % of {} calibration results",
			self.agreement.share() * 100.0,
			self.agreement.all
		);
		let facts = Facts::new()
			.line("program", &self.program)
			.line("id", &self.id)
			.maybe("constants", self.constants.as_ref())
			.line("card", &self.card)
			.maybe("first states", (!self.states.is_empty()).then(|| self.states.join(" ")))
			.maybe("iterations", self.iterations.map(|most| format!("up to {most} in one job")))
			.line("work", format!("{} MACs", count(self.macs)))
			.line(
				"committed",
				format!("{} in {} checkpoints", bytes(self.committed_bytes), self.checkpoints),
			)
			.line("same as float", same);
		write!(f, "{facts}")
	}
}

/// Runs `tensornet compile`.
pub fn run(arguments: CompileArgs, context: &Context) -> Result<()> {
	let ports = Ports {
		shape: arguments.shape,
		fixed: arguments.fix,
		carried: arguments.state,
		output: arguments.output,
	};
	let model = OnnxModel::load_with(&arguments.model, &ports)
		.with_context(|| format!("cannot compile {}", arguments.model.display()))?;
	let count = model.input_shape().iter().product();
	let calibration = if model.is_loop() {
		samples::load_sequences(&arguments.calibration, count)
	} else {
		samples::load_all(&arguments.calibration, count)
	};
	let calibration = calibration
		.with_context(|| format!("cannot calibrate with {}", arguments.calibration.display()))?;
	let labels = arguments.labels.as_deref().map(fs::read_to_string).transpose()?;
	let labels = labels.unwrap_or_default().lines().map(str::to_owned).collect();
	let name = arguments.model.file_stem().map(|name| name.to_string_lossy().into_owned());
	let options = Options {
		name: name.unwrap_or_default(),
		labels,
		measured: arguments.measured,
		timed: arguments.report,
		method: match arguments.method {
			Range::Mse => Method::Mse,
			Range::MinMax => Method::MinMax,
			Range::Percentile => Method::Percentile(100),
		},
		targets: Targets {
			operands: arguments.eight_bits_above,
			weights: Some(arguments.weights_above),
		},
		iterations: arguments.iterations,
		..Options::default()
	};
	let Compiled { package, report } = compile(&model, &calibration, &options)
		.with_context(|| format!("cannot compile {}", arguments.model.display()))?;
	let Files { constants, card, states } = write(&package, &arguments.out)?;
	context.output.one(&Written {
		program: arguments.out.display().to_string(),
		id: format!("0x{}", package.card.program_id),
		constants: constants.map(|folder| folder.display().to_string()),
		card: card.display().to_string(),
		states: states.iter().map(|state| state.display().to_string()).collect(),
		iterations: model.is_loop().then_some(package.card.iterations),
		macs: report.macs,
		program_bytes: report.program_bytes,
		constant_bytes: report.constant_bytes,
		checkpoints: report.checkpoints,
		committed_bytes: report.committed_bytes,
		agreement: report.agreement,
		report: arguments.report.then_some(report),
	})
}

/// What was written beside a program.
struct Files {
	/// The folder of the constants, if there are any.
	constants: Option<PathBuf>,
	card: PathBuf,
	/// A file for each state, in program order.
	states: Vec<PathBuf>,
}

/// Writes constants, first states, card and program, the program last.
fn write(package: &Package, out: &Path) -> Result<Files> {
	let (folder, card) = (out.with_extension("constants"), out.with_extension("json"));
	ensure!(folder != out && card != out, "{} must not end with .json", out.display());
	let put = |path: &Path, bytes: &[u8]| {
		fs::write(path, bytes).with_context(|| format!("cannot write {}", path.display()))
	};
	let make = |folder: &Path| {
		fs::create_dir_all(folder)
			.with_context(|| format!("cannot make the folder {}", folder.display()))
	};
	if !package.constants.is_empty() {
		make(&folder)?;
	}
	for (root, bytes) in &package.constants {
		put(&folder.join(hex::encode(root)), bytes)?;
	}
	let mut states = Vec::new();
	for (number, bytes) in package.card.first_states()?.iter().enumerate() {
		let folder = out.with_extension("states");
		make(&folder)?;
		states.push(folder.join(number.to_string()));
		put(&folder.join(number.to_string()), bytes)?;
	}
	put(&card, &serde_json::to_vec_pretty(&package.card)?)?;
	put(out, &package.program.encode())?;
	let constants = (!package.constants.is_empty()).then_some(folder);
	Ok(Files { constants, card, states })
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn fixed_inputs_and_states_are_names_on_both_sides_of_an_equals_sign() {
		assert_eq!(pair("state=stateN").unwrap(), ("state".into(), "stateN".into()));
		assert_eq!(fixed("sr=16000").unwrap(), ("sr".into(), vec![16_000.0]));
		assert_eq!(fixed("a=1, -2.5").unwrap().1, [1.0, -2.5]);
		for bad in ["state", "=x", "x=", "sr=fast", "sr=1,,2"] {
			assert!(fixed(bad).is_err(), "{bad}");
		}
	}
}
