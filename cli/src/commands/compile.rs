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
	compile, samples, Agreement, Compiled, Method, OnnxModel, Options, Package, Report, Targets,
};

use crate::{
	output::{bytes, count, Facts},
	Context,
};

/// Compile a model.
#[derive(Args)]
#[command(
	after_help = "Examples:\n  tensornet compile cls.onnx --shape 1,3,48,192 --calibration lines --out cls.tnp --report\n  tensornet program register cls.tnp --constants cls.constants --key ~/.tensornet-key"
)]
pub struct CompileArgs {
	/// The model, in ONNX, with one input and one output.
	#[arg(value_name = "MODEL")]
	model: PathBuf,
	/// Folder with samples of the input, one file each: arrays as NumPy saves them (.npy), or bare f32.
	///
	/// They decide the scales: the same model and samples give the same program on every machine.
	#[arg(long, value_name = "DIR")]
	calibration: PathBuf,
	/// The program to write. Its constants and its card are written beside it: for x.tnp the folder
	/// x.constants and the file x.json.
	#[arg(long, value_name = "FILE")]
	out: PathBuf,
	/// Print what happened to each layer.
	#[arg(long)]
	report: bool,
	/// Extents of the input that the model leaves open, such as 1,3,48,192.
	#[arg(long, value_delimiter = ',', value_name = "EXTENTS")]
	shape: Vec<usize>,
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
	let model = OnnxModel::load_for(&arguments.model, &arguments.shape)
		.with_context(|| format!("cannot compile {}", arguments.model.display()))?;
	let count = model.input_shape().iter().product();
	let calibration = samples::load_all(&arguments.calibration, count)
		.with_context(|| format!("cannot calibrate with {}", arguments.calibration.display()))?;
	let labels = arguments.labels.as_deref().map(fs::read_to_string).transpose()?;
	let labels = labels.unwrap_or_default().lines().map(str::to_owned).collect();
	let name = arguments.model.file_stem().map(|name| name.to_string_lossy().into_owned());
	let options = Options {
		name: name.unwrap_or_default(),
		labels,
		measured: arguments.measured,
		method: match arguments.method {
			Range::Mse => Method::Mse,
			Range::MinMax => Method::MinMax,
			Range::Percentile => Method::Percentile(100),
		},
		targets: Targets {
			operands: arguments.eight_bits_above,
			weights: Some(arguments.weights_above),
		},
		..Options::default()
	};
	let Compiled { package, report } = compile(&model, &calibration, &options)
		.with_context(|| format!("cannot compile {}", arguments.model.display()))?;
	let (constants, card) = write(&package, &arguments.out)?;
	context.output.one(&Written {
		program: arguments.out.display().to_string(),
		id: format!("0x{}", package.card.program_id),
		constants: constants.map(|folder| folder.display().to_string()),
		card: card.display().to_string(),
		macs: report.macs,
		program_bytes: report.program_bytes,
		constant_bytes: report.constant_bytes,
		checkpoints: report.checkpoints,
		committed_bytes: report.committed_bytes,
		agreement: report.agreement,
		report: arguments.report.then_some(report),
	})
}

/// Writes constants, card and program, the program last. Returns the folder of the constants, if there are
/// any, and the card.
fn write(package: &Package, out: &Path) -> Result<(Option<PathBuf>, PathBuf)> {
	let (folder, card) = (out.with_extension("constants"), out.with_extension("json"));
	ensure!(folder != out && card != out, "{} must not end with .json", out.display());
	let put = |path: &Path, bytes: &[u8]| {
		fs::write(path, bytes).with_context(|| format!("cannot write {}", path.display()))
	};
	if !package.constants.is_empty() {
		fs::create_dir_all(&folder)
			.with_context(|| format!("cannot make the folder {}", folder.display()))?;
	}
	for (root, bytes) in &package.constants {
		put(&folder.join(hex::encode(root)), bytes)?;
	}
	put(&card, &serde_json::to_vec_pretty(&package.card)?)?;
	put(out, &package.program.encode())?;
	Ok(((!package.constants.is_empty()).then_some(folder), card))
}
