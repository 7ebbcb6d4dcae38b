// SPDX-License-Identifier: Apache-2.0

//! What compilation did to each layer, and what it costs.

use crate::{
	calibrate::forward,
	error::CompileError,
	graph::Graph,
	lower::StepResult,
	package::{first_largest, Package},
};
use serde::Serialize;
use std::fmt;
use tensornet_tensor::{
	analyse, read_element, Analysis, CheckedProgram, Executor, Layout, Leaf, Limits, TensorType,
};

/// One checkpoint of the program.
#[derive(Clone, Debug, Serialize)]
pub struct Row {
	/// Number of the checkpoint.
	pub checkpoint: u16,
	/// The layer whose result it is; `None` for statistics inside a layer.
	pub layer: Option<String>,
	/// The operator of that layer.
	pub operator: String,
	/// Element type.
	pub dtype: String,
	/// Extent of each axis.
	pub shape: Vec<u32>,
	/// Storage order of the axes; empty for row-major.
	pub layout: Vec<u8>,
	/// Real value of one unit.
	pub unit: Option<f64>,
	/// Multiply-accumulates that it accounts for.
	pub macs: u64,
	/// The most work that recomputing one of its elements takes.
	pub element_macs: u64,
	/// The longest opening that recomputing one of its elements takes, in bytes.
	pub open_bytes: u64,
	/// Ratio of the float model's values to the error, in decibels, on calibration samples.
	pub snr_db: Option<f64>,
}

/// What compilation did to each layer, and what it costs.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
	/// One for each checkpoint.
	pub rows: Vec<Row>,
	/// Multiply-accumulates of one inference.
	pub macs: u64,
	/// Memory that one inference takes.
	pub memory_bytes: u64,
	/// Length of the encoded program.
	pub program_bytes: u64,
	/// Length of all blobs together.
	pub constant_bytes: u64,
}

impl Report {
	/// Describes `package`, whose committed results are `results`, and measures it on `samples`.
	pub fn of(
		package: &Package,
		graph: &Graph,
		results: &[StepResult],
		samples: &[Vec<f32>],
	) -> Result<Self, CompileError> {
		let program = &*package.program;
		let analysis = analyse(program, &Limits::default())?;
		let snr = measure(package, graph, results, samples)?;
		let rows = (0..program.program().checkpoints.len())
			.map(|number| row(program, graph, &analysis, results, &snr, number as u16))
			.collect();
		Ok(Self {
			rows,
			macs: analysis.macs,
			memory_bytes: analysis.memory_bytes,
			program_bytes: program.encode().len() as u64,
			constant_bytes: package.constants.iter().map(|(_, bytes)| bytes.len() as u64).sum(),
		})
	}

	/// The longest opening that any element needs, in bytes.
	pub fn largest_opening(&self) -> u64 {
		self.rows.iter().map(|row| row.open_bytes).max().unwrap_or(0)
	}
}

/// How often the program names the same label as the float model.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Agreement {
	/// Samples.
	pub all: usize,
	/// Of these, with the same label.
	pub same: usize,
	/// Samples of which the float model is confident: its score is at least [`CONFIDENT`](Self::CONFIDENT).
	pub confident: usize,
	/// Of these, with the same label.
	pub same_confident: usize,
}

impl Agreement {
	/// The least score of the float model that counts as confident.
	pub const CONFIDENT: f32 = 0.5;

	/// Counts a sample: the scores that the float model gives to each label, and the label that the
	/// program gives. Tells whether they agree.
	pub fn count(&mut self, float: &[f32], integer: usize) -> bool {
		let scores: Vec<f64> = float.iter().map(|score| *score as f64).collect();
		let (label, score) = first_largest(&scores);
		let same = label == integer;
		let confident = score as f32 >= Self::CONFIDENT;
		self.all += 1;
		self.same += usize::from(same);
		self.confident += usize::from(confident);
		self.same_confident += usize::from(confident && same);
		same
	}

	/// The share of all samples with the same label; 1 without samples.
	pub fn share(&self) -> f64 {
		share(self.same, self.all)
	}

	/// The share of the confident samples with the same label; 1 without such samples.
	pub fn share_confident(&self) -> f64 {
		share(self.same_confident, self.confident)
	}
}

fn share(part: usize, all: usize) -> f64 {
	if all == 0 {
		1.0
	} else {
		part as f64 / all as f64
	}
}

fn row(
	program: &CheckedProgram,
	graph: &Graph,
	analysis: &Analysis,
	results: &[StepResult],
	snr: &[f64],
	number: u16,
) -> Row {
	let leaf = program.leaf_type(Leaf::Checkpoint(number));
	let (ty, layout) = leaf.map(|(ty, layout)| (ty.clone(), layout.clone())).unzip();
	let value = program.leaf_value(Leaf::Checkpoint(number));
	let found = results.iter().position(|result| Some(result.value) == value);
	let result = found.and_then(|place| results.get(place));
	let step = result.and_then(|result| graph.steps.get(result.step));
	let cost = analysis.checkpoints.get(number as usize);
	Row {
		checkpoint: number,
		layer: step.map(|step| step.name.clone()),
		operator: step.map_or("statistics", |step| step.layer.name()).into(),
		dtype: ty.as_ref().map(|ty| format!("{:?}", ty.dtype).to_lowercase()).unwrap_or_default(),
		shape: ty.map(|ty| ty.shape).unwrap_or_default(),
		layout: layout.unwrap_or_default().0,
		unit: result.map(|result| result.unit),
		macs: program.checkpoint_macs(number),
		element_macs: cost.map_or(0, |cost| cost.macs),
		open_bytes: cost.map_or(0, |cost| cost.open_bytes),
		snr_db: found.and_then(|place| snr.get(place).copied()),
	}
}

/// For each result, signal to noise on the samples, in decibels; nothing without samples.
fn measure(
	package: &Package,
	graph: &Graph,
	results: &[StepResult],
	samples: &[Vec<f32>],
) -> Result<Vec<f64>, CompileError> {
	if samples.is_empty() {
		return Ok(Vec::new());
	}
	let program = &*package.program;
	let mut executor = package.executor()?;
	let mut powers = vec![(0f64, 0f64); results.len()];
	for sample in samples {
		let input = package.card.encode_input(sample)?;
		let checkpoints = executor
			.run_iteration(&[&input], &[])
			.map_err(|error| CompileError::Execution(error.to_string()))?;
		let float = forward(graph, sample);
		for (result, (signal, noise)) in results.iter().zip(&mut powers) {
			let Some(number) = program.checkpoint_of(result.value) else { continue };
			let Some((ty, layout)) = program.leaf_type(Leaf::Checkpoint(number)) else { continue };
			let stored = row_major(ty, layout, &checkpoints[number as usize]);
			for (q, x) in stored.iter().zip(&float[result.step]) {
				let (q, x) = (*q as f64 * result.unit, *x as f64);
				*signal += x * x;
				*noise += (q - x) * (q - x);
			}
		}
	}
	let decibels = |(signal, noise): (f64, f64)| 10.0 * (signal / noise.max(1e-30)).log10();
	Ok(powers.into_iter().map(decibels).collect())
}

/// The elements of a stored tensor in row-major order.
pub fn row_major(ty: &TensorType, layout: &Layout, bytes: &[u8]) -> Vec<i32> {
	let strides = layout.strides(&ty.shape);
	let place = |index: u64| {
		let axes = ty.shape.iter().zip(&strides).rev();
		let start = (index, 0u64);
		axes.fold(start, |(rest, place), (extent, stride)| {
			(rest / *extent as u64, place + rest % *extent as u64 * stride)
		})
		.1
	};
	(0..ty.elements()).filter_map(|index| read_element(ty.dtype, bytes, place(index))).collect()
}

impl fmt::Display for Report {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		writeln!(
			f,
			"{:>3} {:<11} {:<5} {:<18} {:>10} {:>12} {:>9} {:>8} {:>7}",
			"#", "operator", "type", "shape", "unit", "macs", "per elem", "opening", "SNR dB"
		)?;
		for row in &self.rows {
			let shape = row.shape.iter().map(u32::to_string).collect::<Vec<_>>().join("x");
			let unit = row.unit.map(|unit| format!("2^{}", unit.log2())).unwrap_or_default();
			let snr = row.snr_db.map(|snr| format!("{snr:.1}")).unwrap_or_default();
			writeln!(
				f,
				"{:>3} {:<11} {:<5} {:<18} {:>10} {:>12} {:>9} {:>8} {:>7}",
				row.checkpoint,
				row.operator,
				row.dtype,
				shape,
				unit,
				row.macs,
				row.element_macs,
				row.open_bytes,
				snr
			)?;
		}
		write!(
			f,
			"{} MACs, {} bytes of memory, program {} bytes, constants {} bytes",
			self.macs, self.memory_bytes, self.program_bytes, self.constant_bytes
		)
	}
}
