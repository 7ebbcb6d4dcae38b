// SPDX-License-Identifier: Apache-2.0

//! What compilation did to each layer, and what it costs.

use crate::{
	calibrate::{origin, Choices},
	error::CompileError,
	graph::{Graph, NodeId, Op},
	lower::{Lowered, NodeResult},
	package::{first_largest, Package},
	reference::iterations,
};
use serde::Serialize;
use std::{collections::BTreeMap, fmt, sync::Arc};
use tensornet_tensor::{
	analyse, read_element, run_job, Analysis, CpuExecutor, ExecError, Layout, Leaf, Limits,
	TensorType,
};

/// One tensor of the program: the integers of a layer as one or more others read them.
#[derive(Clone, Debug, Serialize)]
pub struct Row {
	/// The layer whose result it is.
	pub layer: String,
	/// The operator of that layer.
	pub operator: String,
	/// Element type.
	pub dtype: String,
	/// Extent of each axis.
	pub shape: Vec<u32>,
	/// Real value of a step.
	pub unit: f64,
	/// The integer that stands for 0.
	pub zero: i32,
	/// Multiply-accumulates of the layer.
	pub macs: u64,
	/// The number of the checkpoint, if it is committed.
	pub checkpoint: Option<u16>,
	/// The most work that recomputing one of its elements takes, if it is committed.
	pub element_macs: Option<u64>,
	/// The longest opening that recomputing one of its elements takes, in bytes, if it is committed.
	pub open_bytes: Option<u64>,
	/// Ratio of the float model's values to the error, in decibels, on calibration samples.
	pub snr_db: Option<f64>,
	/// Ratio of the output to the error that eight bits here make in it, in decibels.
	pub sensitivity_db: Option<f64>,
	/// Milliseconds that the layer takes on this machine; where it has several rows, in the first.
	pub milliseconds: Option<f64>,
	/// The same with every operand and weight of the model in eight bits: what the choice costs is the difference.
	pub byte_milliseconds: Option<f64>,
}

/// What compilation did to each layer, and what it costs.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
	/// One for each tensor that layers exchange.
	pub rows: Vec<Row>,
	/// Tensors that are committed, statistics inside layers included.
	pub checkpoints: usize,
	/// Their bytes.
	pub committed_bytes: u64,
	/// The most work that recomputing one element of any takes.
	pub element_macs: u64,
	/// The longest opening that recomputing one element of any takes, in bytes.
	pub open_bytes: u64,
	/// Multiply-accumulates and elementwise steps of one inference.
	pub macs: u64,
	/// Memory that one inference takes.
	pub memory_bytes: u64,
	/// Length of the encoded program.
	pub program_bytes: u64,
	/// Length of all blobs together.
	pub constant_bytes: u64,
	/// Agreement with the float model on the measured samples: rows of the output with the same largest
	/// element, of all rows; where rows have one element, those on the same side of a half.
	pub agreement: Agreement,
	/// By how much the output differs from the float model's on the measured samples; nothing where the
	/// program ends in front of a softmax.
	pub difference: Option<Difference>,
	/// Milliseconds of one iteration on this machine, commitments aside; if it was measured.
	pub milliseconds: Option<f64>,
	/// The same with every operand and weight in eight bits.
	pub byte_milliseconds: Option<f64>,
}

/// By how much numbers differ from the float model's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Difference {
	/// On average.
	pub mean: f64,
	/// At most.
	pub largest: f64,
	/// Numbers compared.
	pub count: usize,
}

impl Difference {
	/// Counts a number and the float model's.
	pub fn count(&mut self, found: f64, float: f64) {
		let distance = (found - float).abs();
		self.count += 1;
		self.mean += (distance - self.mean) / self.count as f64;
		self.largest = self.largest.max(distance);
	}
}

impl Report {
	/// Describes `package`, made of `lowered`, and measures it on `samples`.
	pub fn of(
		package: &Package,
		graph: &Graph,
		lowered: &Lowered,
		choices: &Choices,
		limits: &Limits,
		samples: &[Vec<f32>],
	) -> Result<Self, CompileError> {
		let program = &*package.program;
		let analysis = analyse(program, limits)?;
		let Measured { snr, agreement, difference } = measure(package, graph, lowered, samples)?;
		let rows = lowered
			.results
			.iter()
			.enumerate()
			.map(|(place, result)| {
				let snr = snr.get(place).copied().flatten();
				row(package, graph, &analysis, choices, result, snr)
			})
			.collect();
		let committed = |number: u16| program.leaf_type(Leaf::Checkpoint(number));
		let numbers = 0..program.program().checkpoints.len() as u16;
		Ok(Self {
			rows,
			checkpoints: numbers.len(),
			committed_bytes: numbers.filter_map(committed).map(|(ty, _)| ty.bytes()).sum(),
			element_macs: analysis.checkpoints.iter().map(|cost| cost.macs).max().unwrap_or(0),
			open_bytes: analysis.checkpoints.iter().map(|cost| cost.open_bytes).max().unwrap_or(0),
			macs: analysis.macs,
			memory_bytes: analysis.memory_bytes,
			program_bytes: program.encode().len() as u64,
			constant_bytes: package.constants.iter().map(|(_, bytes)| bytes.len() as u64).sum(),
			agreement,
			difference,
			milliseconds: None,
			byte_milliseconds: None,
		})
	}

	/// Fills in times: milliseconds by node of `graph`, as `lowered` and with everything in eight bits.
	pub fn time(
		&mut self,
		graph: &Graph,
		lowered: &Lowered,
		chosen: BTreeMap<NodeId, f64>,
		bytes: BTreeMap<NodeId, f64>,
	) {
		self.milliseconds = Some(chosen.values().sum());
		self.byte_milliseconds = Some(bytes.values().sum());
		let mut seen = vec![false; graph.nodes.len()];
		for (row, result) in self.rows.iter_mut().zip(&lowered.results) {
			if !std::mem::replace(&mut seen[result.node], true) {
				row.milliseconds = Some(chosen.get(&result.node).copied().unwrap_or_default());
				row.byte_milliseconds = Some(bytes.get(&result.node).copied().unwrap_or_default());
			}
		}
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

	/// Counts one number that says how likely something is, and the float model's: whether both are at least a
	/// half, or neither is. Tells whether they agree.
	pub fn count_decision(&mut self, float: f64, found: f64) -> bool {
		self.count(&[1.0 - float as f32, float as f32], usize::from(found >= 0.5))
	}

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
	package: &Package,
	graph: &Graph,
	analysis: &Analysis,
	choices: &Choices,
	result: &NodeResult,
	snr_db: Option<f64>,
) -> Row {
	let node = &graph.nodes[result.node];
	let program = &*package.program;
	let checkpoint = program.checkpoint_of(result.value);
	let cost = checkpoint.and_then(|number| analysis.checkpoints.get(number as usize));
	let ty = program.value_type(result.value);
	Row {
		layer: node.name.clone(),
		operator: node.op.name().into(),
		dtype: format!("{:?}", result.quant.dtype).to_lowercase(),
		shape: ty.map(|ty| ty.shape.clone()).unwrap_or_default(),
		unit: result.quant.unit,
		zero: result.quant.zero,
		macs: graph.work(result.node),
		checkpoint,
		element_macs: cost.map(|cost| cost.macs),
		open_bytes: cost.map(|cost| cost.open_bytes),
		snr_db,
		sensitivity_db: choices.sensitivity.get(result.node).copied().flatten(),
		milliseconds: None,
		byte_milliseconds: None,
	}
}

/// What is found on samples; nothing without samples.
#[derive(Default)]
struct Measured {
	/// For each result the ratio of signal to noise, in decibels.
	snr: Vec<Option<f64>>,
	agreement: Agreement,
	difference: Option<Difference>,
}

fn measure(
	package: &Package,
	graph: &Graph,
	lowered: &Lowered,
	samples: &[Vec<f32>],
) -> Result<Measured, CompileError> {
	let mut measured = Measured::default();
	if samples.is_empty() {
		return Ok(measured);
	}
	// The program in which everything is committed computes the same and shows more.
	let program = &lowered.program;
	let failed = |error: ExecError| CompileError::Execution(error.to_string());
	let mut executor =
		CpuExecutor::new(Arc::new(program.clone()), package.constant_bytes()?).map_err(failed)?;
	let mut powers = vec![(0f64, 0f64); lowered.results.len()];
	let logits = matches!(graph.nodes[origin(graph, graph.output)].op, Op::Softmax { .. });
	let mut difference = Difference::default();
	let first = package.card.first_states()?;
	let first: Vec<&[u8]> = first.iter().map(Vec::as_slice).collect();
	let most = graph.input_elements().saturating_mul(package.card.iterations as usize);
	for sample in samples {
		let sample = &sample[..sample.len().min(most)];
		let input = package.card.encode_input(sample)?;
		let times = package.card.iterations_of(sample)?;
		let mut float = iterations(graph, sample);
		let mut compare = |_, tensors: &[Vec<u8>]| {
			let stored = |value: u16| {
				let number = program.checkpoint_of(value)?;
				let (ty, layout) = program.leaf_type(Leaf::Checkpoint(number))?;
				Some(row_major(ty, layout, &tensors[number as usize]))
			};
			let float = float.next().unwrap_or_default();
			for (result, (signal, noise)) in lowered.results.iter().zip(&mut powers) {
				let Some(integers) = stored(result.value) else { continue };
				for (q, x) in integers.iter().zip(float[result.node].iter()) {
					let (q, x) = (result.quant.real(*q), *x as f64);
					*signal += x * x;
					*noise += (q - x) * (q - x);
				}
			}
			let float = &float[graph.output];
			let width = graph.nodes[graph.output].shape.last().copied().unwrap_or(1);
			let output = program.program().outputs.first().and_then(|value| stored(*value));
			let output = output.unwrap_or_default();
			// The last row, where there is one for each iteration.
			let now = output.get(output.len().saturating_sub(float.len())..).unwrap_or_default();
			let found: Vec<f64> = now.iter().map(|q| lowered.output.real(*q)).collect();
			found.iter().zip(float.iter()).for_each(|(q, x)| difference.count(*q, *x as f64));
			for (found, float) in found.chunks(width).zip(float.chunks(width)) {
				match (found, float) {
					([found], [float]) => {
						measured.agreement.count_decision(*float as f64, *found);
					}
					_ => {
						measured.agreement.count(float, first_largest(found).0);
					}
				}
			}
			Ok(())
		};
		run_job(&mut executor, program, &[&input], &first, times, &mut compare).map_err(failed)?;
	}
	let decibels = |(signal, noise): (f64, f64)| {
		(signal > 0.0).then(|| 10.0 * (signal / noise.max(1e-30)).log10())
	};
	measured.snr = powers.into_iter().map(decibels).collect();
	measured.difference = (!logits).then_some(difference);
	Ok(measured)
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

/// A number of milliseconds, or nothing.
fn time(value: Option<f64>) -> String {
	value.map(|value| format!("{value:.3}")).unwrap_or_default()
}

/// A number of decibels, or nothing.
fn decibels(value: Option<f64>) -> String {
	value.map(|value| format!("{value:.1}")).unwrap_or_default()
}

impl fmt::Display for Report {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		writeln!(
			f,
			"{:<24} {:<10} {:<5} {:<18} {:>9} {:>5} {:>11} {:>5} {:>8} {:>8} {:>7} {:>7} {:>8} {:>8}",
			"layer",
			"operator",
			"type",
			"shape",
			"unit",
			"zero",
			"macs",
			"check",
			"per elem",
			"opening",
			"SNR dB",
			"8-bit",
			"ms",
			"8-bit ms"
		)?;
		let number = |value: Option<u64>| value.map(|value| value.to_string()).unwrap_or_default();
		for row in &self.rows {
			let shape = row.shape.iter().map(u32::to_string).collect::<Vec<_>>().join("x");
			// The end of a name tells more than its start.
			let start = row.layer.char_indices().rev().nth(23).map_or(0, |(start, _)| start);
			writeln!(
				f,
				"{:<24} {:<10} {:<5} {:<18} {:>9.2e} {:>5} {:>11} {:>5} {:>8} {:>8} {:>7} {:>7} {:>8} {:>8}",
				&row.layer[start..],
				row.operator,
				row.dtype,
				shape,
				row.unit,
				row.zero,
				row.macs,
				number(row.checkpoint.map(u64::from)),
				number(row.element_macs),
				number(row.open_bytes),
				decibels(row.snr_db),
				decibels(row.sensitivity_db),
				time(row.milliseconds),
				time(row.byte_milliseconds)
			)?;
		}
		writeln!(
			f,
			"{} checkpoints of {} bytes; one element takes at most {} steps and {} bytes to arbitrate",
			self.checkpoints, self.committed_bytes, self.element_macs, self.open_bytes
		)?;
		if self.agreement.all > 0 {
			writeln!(
				f,
				"largest output as in float: {:.2} % of {}, {:.2} % of {} with score >= {}",
				self.agreement.share() * 100.0,
				self.agreement.all,
				self.agreement.share_confident() * 100.0,
				self.agreement.confident,
				Agreement::CONFIDENT
			)?;
		}
		if let Some(Difference { mean, largest, .. }) = self.difference {
			writeln!(
				f,
				"output differs from float by {mean:.2e} on average, {largest:.2e} at most"
			)?;
		}
		if let (Some(chosen), Some(bytes)) = (self.milliseconds, self.byte_milliseconds) {
			writeln!(
				f,
				"{chosen:.2} ms on this machine's cores; all in eight bits it would be {bytes:.2} ms"
			)?;
		}
		write!(
			f,
			"{} MACs, {} bytes of memory, program {} bytes, constants {} bytes",
			self.macs, self.memory_bytes, self.program_bytes, self.constant_bytes
		)
	}
}
