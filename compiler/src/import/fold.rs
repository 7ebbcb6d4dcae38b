// SPDX-License-Identifier: Apache-2.0

//! Constants: reading them, and computing what depends on nothing else.

use super::Value;
use crate::graph::Tensor;
use std::sync::Arc;
use tract_onnx::{
	data_resolver,
	pb::{self, tensor_proto::DataType},
	prelude::{Tensor as TractTensor, *},
	tensor::load_tensor,
};

/// The results of a node all of whose operands are constants: a model of that node alone, run.
pub fn constant(
	model: &pb::ModelProto,
	node: &pb::NodeProto,
	inputs: &[Option<Value>],
) -> Result<Vec<Value>, String> {
	let mut graph = pb::GraphProto { name: "constant".into(), ..Default::default() };
	graph.node.push(node.clone());
	for (name, input) in node.input.iter().zip(inputs) {
		let held = graph.initializer.iter().any(|tensor| tensor.name == *name);
		if let (Some(Value::Constant(tensor)), false) = (input, held) {
			graph.initializer.push(pb::TensorProto { name: name.clone(), ..(**tensor).clone() });
		}
	}
	for name in &node.output {
		graph.output.push(pb::ValueInfoProto { name: name.clone(), ..Default::default() });
	}
	let single = pb::ModelProto {
		graph: Some(graph),
		opset_import: model.opset_import.clone(),
		ir_version: model.ir_version,
		..Default::default()
	};
	let run = || -> TractResult<TVec<TValue>> {
		let model = tract_onnx::onnx().model_for_proto_model(&single)?;
		model.into_typed()?.into_decluttered()?.into_runnable()?.run(tvec![])
	};
	let outputs = run().map_err(|error| format!("cannot be computed: {error:#}"))?;
	outputs.iter().map(|output| stored(output)).collect()
}

/// A tensor as a constant.
fn stored(tensor: &TractTensor) -> Result<Value, String> {
	let failed = |error: TractError| format!("cannot be stored: {error:#}");
	let (tensor, data_type) = match tensor.datum_type() {
		DatumType::F32 => (tensor.clone(), DataType::Float),
		DatumType::Bool => (tensor.clone(), DataType::Bool),
		DatumType::I32 => (tensor.clone(), DataType::Int32),
		DatumType::F16 | DatumType::F64 => {
			(tensor.cast_to::<f32>().map_err(failed)?.into_owned(), DataType::Float)
		}
		_ => (tensor.cast_to::<i64>().map_err(failed)?.into_owned(), DataType::Int64),
	};
	Ok(Value::Constant(Arc::new(pb::TensorProto {
		dims: tensor.shape().iter().map(|extent| *extent as i64).collect(),
		data_type: data_type as i32,
		raw_data: tensor.as_bytes().to_vec(),
		..Default::default()
	})))
}

/// Whole numbers as a constant of one axis.
pub fn integers(values: &[i64]) -> Value {
	Value::Constant(Arc::new(pb::TensorProto {
		dims: vec![values.len() as i64],
		data_type: DataType::Int64 as i32,
		int64_data: values.to_vec(),
		..Default::default()
	}))
}

fn loaded(tensor: &pb::TensorProto) -> Result<TractTensor, String> {
	let provider = data_resolver::default();
	load_tensor(&*provider, tensor, None).map_err(|error| format!("a constant: {error:#}"))
}

/// A constant as real numbers.
pub fn real(tensor: &pb::TensorProto) -> Result<Tensor, String> {
	let failed = |error: TractError| format!("a constant: {error:#}");
	let tensor = loaded(tensor)?;
	let real = tensor.cast_to::<f32>().map_err(failed)?;
	let view = real.to_plain_array_view::<f32>().map_err(failed)?;
	Ok(Tensor { shape: tensor.shape().to_vec(), data: view.iter().copied().collect() })
}

/// A constant as whole numbers.
pub fn whole(tensor: &pb::TensorProto) -> Result<Vec<i64>, String> {
	let failed = |error: TractError| format!("a constant: {error:#}");
	let tensor = loaded(tensor)?;
	let whole = tensor.cast_to::<i64>().map_err(failed)?;
	let view = whole.to_plain_array_view::<i64>().map_err(failed)?;
	Ok(view.iter().copied().collect())
}
