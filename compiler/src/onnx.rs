// SPDX-License-Identifier: Apache-2.0

//! Reading ONNX: parsing, shape inference and constant folding by `tract`, which also runs the model in
//! floating point as the reference.

use crate::{
	error::{CompileError, Unsupported},
	graph::Graph,
	recognise,
};
use std::{path::Path, sync::Arc};
use tract_onnx::{pb, prelude::*, tract_hir::internal::Factoid};

/// Operators that the recogniser has a use for. Others are refused before shapes are inferred, since
/// nothing could be said about what follows them.
const KNOWN: &[&str] = &[
	"Add",
	"BatchNormalization",
	"Cast",
	"Concat",
	"Constant",
	"ConstantOfShape",
	"Conv",
	"Div",
	"Dropout",
	"Equal",
	"Exp",
	"Expand",
	"Flatten",
	"Gather",
	"Gelu",
	"Gemm",
	"GlobalMaxPool",
	"Identity",
	"LayerNormalization",
	"MatMul",
	"Max",
	"Mul",
	"OneHot",
	"Pow",
	"Reciprocal",
	"ReduceMax",
	"ReduceMean",
	"ReduceSum",
	"Relu",
	"Reshape",
	"Shape",
	"Slice",
	"Softmax",
	"Sqrt",
	"Squeeze",
	"Sub",
	"Tanh",
	"Transpose",
	"Unsqueeze",
];

/// An ONNX model with one input and one output, at batch size 1.
pub struct OnnxModel {
	typed: TypedModel,
	runnable: Arc<TypedRunnableModel>,
	input: Vec<usize>,
	is_integer: bool,
}

impl OnnxModel {
	/// Reads a model. Axes of the input without a fixed extent become 1.
	pub fn load(path: impl AsRef<Path>) -> Result<Self, CompileError> {
		Self::parse(&std::fs::read(path)?)
	}

	/// Reads a model from its bytes.
	///
	/// Errors: [`CompileError::Onnx`] if it cannot be read or has not one input and one output;
	/// [`CompileError::Unsupported`] with every node whose operator is not known.
	pub fn parse(bytes: &[u8]) -> Result<Self, CompileError> {
		let onnx = tract_onnx::onnx();
		let proto = onnx.proto_model_for_read(&mut &bytes[..]).map_err(failed)?;
		let graph = proto.graph.as_ref().ok_or_else(|| CompileError::Onnx("no graph".into()))?;
		let unknown = unknown_operators(graph);
		if !unknown.is_empty() {
			return Err(CompileError::Unsupported(unknown));
		}
		let mut model = onnx.model_for_proto_model(&proto).map_err(failed)?;
		let (inputs, outputs) = (model.inputs.len(), model.outputs.len());
		if (inputs, outputs) != (1, 1) {
			return Err(CompileError::Onnx(format!(
				"{inputs} inputs and {outputs} outputs, not 1 and 1"
			)));
		}
		let fact = model.input_fact(0).map_err(failed)?.clone();
		let datum = fact.datum_type.concretize().unwrap_or(f32::datum_type());
		let extent =
			|dim: &TDim| dim.to_i64().ok().filter(|extent| *extent > 0).unwrap_or(1) as usize;
		let dims = fact.shape.dims();
		let input: Vec<usize> =
			dims.map(|dim| dim.concretize().map_or(1, |dim| extent(&dim))).collect();
		if !fact.shape.is_open() && input.is_empty() {
			return Err(CompileError::Onnx("the input is a scalar".into()));
		}
		model.set_input_fact(0, InferenceFact::dt_shape(datum, &input)).map_err(failed)?;
		model.set_output_fact(0, InferenceFact::default()).map_err(failed)?;
		let typed = model.into_typed().map_err(failed)?.into_decluttered().map_err(failed)?;
		let runnable =
			typed.clone().into_optimized().and_then(|m| m.into_runnable()).map_err(failed)?;
		Ok(Self { typed, runnable, input, is_integer: datum.is_integer() })
	}

	/// The shape of the input.
	pub fn input_shape(&self) -> &[usize] {
		&self.input
	}

	/// The model as a chain of layers that can be compiled.
	pub fn graph(&self) -> Result<Graph, CompileError> {
		recognise::graph(&self.typed, &self.input)
	}

	/// Runs the model in floating point: the output for one sample, row-major.
	pub fn run(&self, sample: &[f32]) -> Result<Vec<f32>, CompileError> {
		let tensor = if self.is_integer {
			let tokens: Vec<i32> = sample.iter().map(|x| *x as i32).collect();
			Tensor::from_shape(&self.input, &tokens)
		} else {
			Tensor::from_shape(&self.input, sample)
		};
		let tensor = tensor.map_err(failed)?;
		let wanted = self.typed.input_fact(0).map_err(failed)?.datum_type;
		let tensor = tensor.cast_to_dt(wanted).map_err(failed)?.into_owned();
		let outputs = self.runnable.run(tvec!(tensor.into_tvalue())).map_err(failed)?;
		let output = outputs.first().ok_or_else(|| CompileError::Onnx("no output".into()))?;
		let output = output.cast_to::<f32>().map_err(failed)?;
		let view = output.to_plain_array_view::<f32>().map_err(failed)?;
		Ok(view.iter().copied().collect())
	}
}

fn unknown_operators(graph: &pb::GraphProto) -> Vec<Unsupported> {
	let unknown = graph.node.iter().enumerate().filter(|(_, node)| {
		!(node.domain.is_empty() || node.domain == "ai.onnx")
			|| !KNOWN.contains(&node.op_type.as_str())
	});
	unknown
		.map(|(number, node)| Unsupported {
			operator: node.op_type.clone(),
			node: if node.name.is_empty() { format!("#{number}") } else { node.name.clone() },
			reason: "no exact integer form of it is known".into(),
		})
		.collect()
}

fn failed(error: TractError) -> CompileError {
	CompileError::Onnx(format!("{error:#}"))
}
