// SPDX-License-Identifier: Apache-2.0

//! The whole way from a model to a package.

use crate::{
	calibrate::calibrate,
	error::CompileError,
	lower::lower,
	onnx::OnnxModel,
	package::{hex, BlobCard, ModelCard, Package, TensorCard},
	report::Report,
};
use std::sync::Arc;
use tensornet_tensor::{intervals, Binary, Op, TensorType};

/// What the compiler cannot know from the model.
#[derive(Clone, Debug, Default)]
pub struct Options {
	/// Name of the model, for its card.
	pub name: String,
	/// The name of each element of the output; may be empty.
	pub labels: Vec<String>,
	/// What the input is, for people.
	pub input: String,
	/// How many calibration samples the signal-to-noise ratios of the report are measured on.
	pub measured: usize,
}

/// A compiled model and what compiling did.
#[derive(Clone, Debug)]
pub struct Compiled {
	/// Program, blobs and card.
	pub package: Package,
	/// What happened to each layer.
	pub report: Report,
}

/// Compiles a model by post-training quantisation.
///
/// `calibration` holds samples of the input, row-major; tokens as whole numbers. They decide the scales:
/// the same model and samples give the same program on every machine.
///
/// Errors: [`CompileError::Unsupported`] with every operator that is not understood;
/// [`CompileError::Layer`] where a layer does not fit; [`CompileError::Program`] if an element would be
/// too expensive to arbitrate; [`CompileError::Wrapping`] if a sum could wrap.
pub fn compile(
	model: &OnnxModel,
	calibration: &[Vec<f32>],
	options: &Options,
) -> Result<Compiled, CompileError> {
	let graph = model.graph()?;
	let ranges = calibrate(&graph, calibration)?;
	let lowered = lower(&graph, &ranges)?;
	let program = lowered.program;
	let parts = program.program();
	let output = parts.outputs.first().and_then(|value| program.value_type(*value)).cloned();
	let output = output.ok_or_else(|| CompileError::Package("the program has no output".into()))?;
	let shape: Vec<u32> = graph.input.iter().map(|extent| *extent as u32).collect();
	let (dtype, unit) = lowered.input;
	let card = ModelCard {
		name: options.name.clone(),
		program_id: hex(&program.id()),
		labels: options.labels.clone(),
		input: TensorCard::of(&TensorType::new(dtype, shape), unit, &options.input),
		output: TensorCard::of(
			&output,
			lowered.output_unit,
			"logits: the label is that of the largest, the score its softmax",
		),
		constants: lowered
			.blobs
			.iter()
			.map(|(root, bytes)| BlobCard { root: hex(root), bytes: bytes.len() as u64 })
			.collect(),
		macs: program.macs(),
	};
	let constants: Vec<([u8; 32], Arc<[u8]>)> =
		lowered.blobs.into_iter().map(|(root, bytes)| (root, bytes.into())).collect();
	let package = Package { program: Arc::new(program), constants, card };
	refuse_wrapping(&package)?;
	let measured = &calibration[..options.measured.min(calibration.len())];
	let report = Report::of(&package, &graph, &lowered.results, measured)?;
	Ok(Compiled { package, report })
}

/// Products and sums must be exact whatever the input is. Only of the shift that normalises a variance
/// the ranges cannot tell, since they do not know that the shift comes from the number it shifts.
fn refuse_wrapping(package: &Package) -> Result<(), CompileError> {
	let constants = package.constant_bytes()?;
	let bytes: Vec<&[u8]> = constants.iter().map(|bytes| bytes.as_ref()).collect();
	let ranges = intervals(&package.program, &bytes);
	let nodes = &package.program.program().nodes;
	let wraps = nodes
		.iter()
		.zip(&ranges.exact)
		.position(|(node, exact)| !exact && node.op != Op::Binary(Binary::LogicalLeftShift));
	wraps.map_or(Ok(()), |node| Err(CompileError::Wrapping(node as u16)))
}
