// SPDX-License-Identifier: Apache-2.0

//! Reading ONNX: parsing and the floating-point reference, by `tract`.

use crate::{error::CompileError, graph::Graph, import, simplify::simplify};
use std::{path::Path, sync::Arc};
use tract_onnx::{pb, prelude::*};

/// An ONNX model with one input and one output, at batch size 1.
pub struct OnnxModel {
	graph: Graph,
	runnable: Arc<TypedRunnableModel>,
	datum: DatumType,
	input: Vec<usize>,
}

impl OnnxModel {
	/// Reads a model. Axes of the input without a fixed extent become 1.
	pub fn load(path: impl AsRef<Path>) -> Result<Self, CompileError> {
		Self::parse(&std::fs::read(path)?, &[])
	}

	/// Reads a model for an input of `shape`; see [`parse`](Self::parse).
	pub fn load_for(path: impl AsRef<Path>, shape: &[usize]) -> Result<Self, CompileError> {
		Self::parse(&std::fs::read(path)?, shape)
	}

	/// Reads a model from its bytes. `shape` gives the extents that the model leaves open; where it has no
	/// entry, they become 1.
	///
	/// Errors: [`CompileError::Onnx`] if it cannot be read, has not one input and one output, or is for
	/// another shape; [`CompileError::Unsupported`] with every node that is not understood.
	pub fn parse(bytes: &[u8], shape: &[usize]) -> Result<Self, CompileError> {
		let onnx = tract_onnx::onnx();
		let proto = onnx.proto_model_for_read(&mut &bytes[..]).map_err(failed)?;
		let graph = proto.graph.as_ref().ok_or_else(|| refused("it has no graph"))?;
		let given = |name: &str| graph.initializer.iter().any(|tensor| tensor.name == name);
		let inputs: Vec<_> = graph.input.iter().filter(|input| !given(&input.name)).collect();
		let ([input], 1) = (inputs.as_slice(), graph.output.len()) else {
			let (inputs, outputs) = (inputs.len(), graph.output.len());
			return Err(refused(&format!("{inputs} inputs and {outputs} outputs, not 1 and 1")));
		};
		let (input_shape, datum) = declared(input, shape)?;
		let tokens = datum.is_integer();
		let mut imported = import::graph(&proto, &input.name, &input_shape, tokens)?;
		simplify(&mut imported);

		let mut model = onnx.model_for_proto_model(&proto).map_err(failed)?;
		let fact = InferenceFact::dt_shape(datum, &input_shape);
		model.set_input_fact(0, fact).map_err(failed)?;
		model.set_output_fact(0, InferenceFact::default()).map_err(failed)?;
		let runnable = model
			.into_typed()
			.and_then(|model| model.into_optimized())
			.and_then(|model| model.into_runnable())
			.map_err(failed)?;
		Ok(Self { graph: imported, runnable, datum, input: input_shape })
	}

	/// The shape of the input.
	pub fn input_shape(&self) -> &[usize] {
		&self.input
	}

	/// The model as operators that can be compiled.
	pub fn graph(&self) -> &Graph {
		&self.graph
	}

	/// Runs the model in floating point: the output for one sample, row-major.
	pub fn run(&self, sample: &[f32]) -> Result<Vec<f32>, CompileError> {
		let tensor = if self.datum.is_integer() {
			let tokens: Vec<i32> = sample.iter().map(|x| *x as i32).collect();
			Tensor::from_shape(&self.input, &tokens)
		} else {
			Tensor::from_shape(&self.input, sample)
		};
		let tensor = tensor.and_then(|tensor| Ok(tensor.cast_to_dt(self.datum)?.into_owned()));
		let tensor = tensor.map_err(failed)?;
		let outputs = self.runnable.run(tvec!(tensor.into_tvalue())).map_err(failed)?;
		let output = outputs.first().ok_or_else(|| refused("it gives no output"))?;
		let output = output.cast_to::<f32>().map_err(failed)?;
		let view = output.to_plain_array_view::<f32>().map_err(failed)?;
		Ok(view.iter().copied().collect())
	}
}

/// Shape and element type of an input.
fn declared(
	input: &pb::ValueInfoProto,
	shape: &[usize],
) -> Result<(Vec<usize>, DatumType), CompileError> {
	let value = input.r#type.as_ref().and_then(|ty| ty.value.as_ref());
	let Some(pb::type_proto::Value::TensorType(tensor)) = value else {
		return Err(refused("its input is no tensor"));
	};
	let datum = pb::tensor_proto::DataType::try_from(tensor.elem_type)
		.ok()
		.and_then(|datum| DatumType::try_from(datum).ok())
		.ok_or_else(|| refused("its input has an unknown element type"))?;
	let axes = tensor.shape.as_ref().map(|shape| shape.dim.as_slice()).unwrap_or_default();
	if axes.is_empty() || (!shape.is_empty() && shape.len() != axes.len()) {
		let (axes, given) = (axes.len(), shape.len());
		return Err(refused(&format!("its input has {axes} axes; a shape of {given} was given")));
	}
	let mut extents = Vec::with_capacity(axes.len());
	for (axis, dim) in axes.iter().enumerate() {
		let wanted = shape.get(axis).copied();
		let fixed = match &dim.value {
			Some(pb::tensor_shape_proto::dimension::Value::DimValue(extent)) if *extent > 0 => {
				Some(*extent as usize)
			}
			_ => None,
		};
		if let (Some(fixed), Some(wanted)) = (fixed, wanted) {
			if fixed != wanted {
				return Err(refused(&format!("axis {axis} of its input is {fixed}, not {wanted}")));
			}
		}
		extents.push(fixed.or(wanted).unwrap_or(1).max(1));
	}
	Ok((extents, datum))
}

fn refused(reason: &str) -> CompileError {
	CompileError::Onnx(reason.into())
}

fn failed(error: TractError) -> CompileError {
	CompileError::Onnx(format!("{error:#}"))
}
