// SPDX-License-Identifier: Apache-2.0

//! The whole way from a model to a package.

use crate::{
	calibrate::{calibrate, choose, Method, Targets},
	error::CompileError,
	graph::Graph,
	lower::{lower, unsupported, Lowered},
	onnx::OnnxModel,
	package::{hex, BlobCard, ModelCard, Package, TensorCard},
	place::place,
	report::Report,
	timing::{all_in_bytes, milliseconds},
};
use std::sync::Arc;
use tensornet_tensor::{intervals, Binary, Limits, Op, TensorType};

/// What the compiler cannot know from the model.
#[derive(Clone, Debug, Default)]
pub struct Options {
	/// Name of the model, for its card.
	pub name: String,
	/// The name of each element of the output; may be empty.
	pub labels: Vec<String>,
	/// What the input is, for people.
	pub input: String,
	/// How many calibration samples the ratios of the report are measured on.
	pub measured: usize,
	/// Whether the report tells what each layer costs in time on this machine, as compiled and in eight bits.
	pub timed: bool,
	/// How the ranges of eight-bit operands are chosen.
	pub method: Method,
	/// Which operands and weights of products get eight bits.
	pub targets: Targets,
	/// What an arbiter is willing to spend on one element.
	pub limits: Limits,
	/// The most iterations of one job where something is carried from one to the next; 0 for
	/// [`ITERATIONS`]. The output has a row for each, so that long jobs commit more in every iteration.
	pub iterations: u32,
}

/// The most iterations of a job unless the options say otherwise.
pub const ITERATIONS: u32 = 1024;

/// A compiled model and what compiling did.
#[derive(Clone, Debug)]
pub struct Compiled {
	/// Program, blobs and card.
	pub package: Package,
	/// What happened to each layer.
	pub report: Report,
}

/// Iterations of a sequence on which the simplified graph is compared with the model.
const VERIFIED: usize = 64;

/// Samples on which the sensitivity to eight bits is measured.
const PROBED: usize = 4;

/// How far the simplified graph may be from the model, relative to the largest output.
const TOLERANCE: f32 = 1e-3;

/// Compiles a model by post-training quantisation.
///
/// `calibration` holds samples of the input, row-major; tokens as whole numbers. They decide the scales:
/// the same model and samples give the same program on every machine. Where something is carried from one
/// iteration to the next, a sample is a sequence: the input of each iteration, one behind the other.
///
/// Errors: [`CompileError::Unsupported`] with every operator that has no integer form;
/// [`CompileError::Layer`] where a layer does not fit; [`CompileError::Program`] if an element would be
/// too expensive to arbitrate; [`CompileError::Wrapping`] if a sum could wrap.
pub fn compile(
	model: &OnnxModel,
	calibration: &[Vec<f32>],
	options: &Options,
) -> Result<Compiled, CompileError> {
	let graph = model.graph();
	refuse_unsupported(graph)?;
	if let Some(sample) = calibration.first() {
		if graph.fits(sample.len()) {
			let most = graph.input_elements().saturating_mul(VERIFIED);
			verify(model, graph, &sample[..sample.len().min(most)])?;
		}
	}
	compile_graph(graph, calibration, options)
}

fn refuse_unsupported(graph: &Graph) -> Result<(), CompileError> {
	let unknown = unsupported(graph);
	if unknown.is_empty() {
		return Ok(());
	}
	Err(CompileError::Unsupported(unknown))
}

/// Compiles a graph that was built, not read: as [`compile`] otherwise.
pub fn compile_graph(
	graph: &Graph,
	calibration: &[Vec<f32>],
	options: &Options,
) -> Result<Compiled, CompileError> {
	refuse_unsupported(graph)?;
	let counts = options.targets.operands.is_some();
	let ranges = calibrate(graph, calibration, counts)?;
	// Spread over the set, which may be sorted.
	let step = (calibration.len() / PROBED).max(1);
	let probes: Vec<Vec<f32>> = calibration.iter().step_by(step).take(PROBED).cloned().collect();
	let choices = choose(graph, &ranges, options.method, options.targets, &probes);
	let iterations = if options.iterations == 0 { ITERATIONS } else { options.iterations };
	let lowered = lower(graph, &ranges, &choices, options.method, iterations)?;
	refuse_wrapping(&lowered)?;
	let program = place(&lowered.program, &options.limits)?;

	let parts = program.program();
	let output = parts.outputs.first().and_then(|value| program.value_type(*value)).cloned();
	let output = output.ok_or_else(|| CompileError::Package("the program has no output".into()))?;
	let shape = graph.input().map(|input| graph.nodes[input].shape.as_slice()).unwrap_or_default();
	let shape: Vec<u32> = shape.iter().map(|extent| *extent as u32).collect();
	let input = TensorType::new(lowered.input.dtype, shape);
	let card = ModelCard {
		name: options.name.clone(),
		program_id: hex(&program.id()),
		labels: options.labels.clone(),
		input: TensorCard::of(&input, &lowered.input, &options.input),
		output: TensorCard::of(
			&output,
			&lowered.output,
			if program.program().max_iterations > 1 {
				"a row for the result of each iteration, the last iteration's at the end"
			} else {
				"logits: the label is that of the largest, the score its softmax"
			},
		),
		iterations: program.program().max_iterations,
		states: program
			.program()
			.state
			.iter()
			.zip(&lowered.states)
			.map(|(state, (name, quant))| TensorCard::of(&state.ty, quant, name))
			.collect(),
		constants: lowered
			.blobs
			.iter()
			.map(|(root, bytes)| BlobCard { root: hex(root), bytes: bytes.len() as u64 })
			.collect(),
		macs: program.macs(),
	};
	let constants: Vec<([u8; 32], Arc<[u8]>)> =
		lowered.blobs.iter().map(|(root, bytes)| (*root, bytes.as_slice().into())).collect();
	let package = Package { program: Arc::new(program), constants, card };
	let measured = &calibration[..options.measured.min(calibration.len())];
	let mut report = Report::of(&package, graph, &lowered, &choices, &options.limits, measured)?;
	if options.timed {
		let bytes = lower(graph, &ranges, &all_in_bytes(&choices), options.method, iterations)?;
		report.time(graph, &lowered, milliseconds(&lowered)?, milliseconds(&bytes)?);
	}
	Ok(Compiled { package, report })
}

/// The simplified graph must compute what the model computes.
fn verify(model: &OnnxModel, graph: &Graph, sample: &[f32]) -> Result<(), CompileError> {
	let expected = model.run(sample)?;
	let found = graph.run(sample);
	let largest = expected.iter().fold(1e-6f32, |max, x| max.max(x.abs()));
	let near = |(a, b): (&f32, &f32)| (a - b).abs() <= TOLERANCE * largest;
	if expected.len() == found.len() && expected.iter().zip(found.iter()).all(near) {
		return Ok(());
	}
	Err(CompileError::Onnx("it was read as something that computes other numbers".into()))
}

/// Products and sums must be exact whatever the input is. Only of a shift that normalises a number the
/// ranges cannot tell, since they do not know that the shift comes from the number it shifts.
fn refuse_wrapping(lowered: &Lowered) -> Result<(), CompileError> {
	let blob = |root: &[u8; 32]| lowered.blobs.iter().find(|(known, _)| known == root);
	let parts = lowered.program.program();
	let bytes: Vec<&[u8]> = parts
		.constants
		.iter()
		.map(|constant| match &constant.data {
			tensornet_tensor::ConstantData::Inline(_) => &[][..],
			tensornet_tensor::ConstantData::Blob(root) => blob(root).map_or(&[][..], |(_, b)| b),
		})
		.collect();
	let ranges = intervals(&lowered.program, &bytes);
	let wraps = parts
		.nodes
		.iter()
		.zip(&ranges.exact)
		.position(|(node, exact)| !exact && node.op != Op::Binary(Binary::LogicalLeftShift));
	wraps.map_or(Ok(()), |node| {
		let operator = format!("{:?}", parts.nodes[node].op);
		Err(CompileError::Wrapping(node as u16, operator))
	})
}
