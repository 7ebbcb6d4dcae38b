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
	bounded(node, inputs)?;
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

/// A whole number as a constant without axes.
pub fn number(value: i64) -> Value {
	Value::Constant(Arc::new(pb::TensorProto {
		data_type: DataType::Int64 as i32,
		int64_data: vec![value],
		..Default::default()
	}))
}

/// The most elements of a tensor that is computed from constants.
const MOST_ELEMENTS: u64 = 1 << 24;

/// The number of elements of a shape, where an extent of 0 counts as 1: what is done for each element of other
/// axes is done all the same.
///
/// Errors: if an extent is negative, or there are more elements than a tensor may have here.
pub fn limit(shape: impl IntoIterator<Item = i64>) -> Result<u64, String> {
	let mut count = 1u64;
	for extent in shape {
		let extent = u64::try_from(extent).map_err(|_| format!("an extent of {extent}"))?;
		count = count.saturating_mul(extent.max(1));
	}
	if count > MOST_ELEMENTS {
		return Err(format!("{count} elements; a limit of {MOST_ELEMENTS} is set for constants"));
	}
	Ok(count)
}

/// Refuses a tensor that says it has more elements than it holds bytes, before anything is made of it; and so with
/// all tensors of a graph and of the graphs inside it.
pub fn honest(graph: &pb::GraphProto) -> Result<(), String> {
	let attributes = || graph.node.iter().flat_map(|node| &node.attribute);
	let inside = attributes().flat_map(|attribute| attribute.t.iter().chain(&attribute.tensors));
	for tensor in graph.initializer.iter().chain(inside) {
		let held = tensor.raw_data.len()
			+ tensor.float_data.len()
			+ tensor.double_data.len()
			+ tensor.int32_data.len()
			+ tensor.int64_data.len()
			+ tensor.uint64_data.len()
			+ tensor.string_data.len();
		let mut count = 1u64;
		for extent in &tensor.dims {
			let extent = u64::try_from(*extent)
				.map_err(|_| format!("constant {} has an extent of {extent}", tensor.name))?;
			count = count.saturating_mul(extent);
		}
		if count == 0 {
			limit(tensor.dims.iter().copied())?;
		}
		if count > held as u64 {
			return Err(format!(
				"constant {} says it has {count} elements, in {held} bytes",
				tensor.name
			));
		}
	}
	let mut graphs = attributes().flat_map(|attribute| attribute.g.iter().chain(&attribute.graphs));
	graphs.try_for_each(honest)
}

/// Refuses a node whose result could be out of proportion to its operands.
fn bounded(node: &pb::NodeProto, inputs: &[Option<Value>]) -> Result<(), String> {
	let tensor = |place: usize| match inputs.get(place) {
		Some(Some(Value::Constant(tensor))) => Some(tensor.as_ref()),
		_ => None,
	};
	let shape = |place: usize| tensor(place).map_or(&[][..], |tensor| tensor.dims.as_slice());
	let count = |place: usize| limit(shape(place).iter().copied());
	let values = |place: usize| tensor(place).map_or(Ok(Vec::new()), whole);
	let ints = |name: &str| {
		let found = node.attribute.iter().find(|attribute| attribute.name == name);
		found.map_or(Vec::new(), |attribute| attribute.ints.clone())
	};
	// Axis by axis of operand 0.
	let each = |others: &[i64], f: &dyn Fn(i64, i64) -> i64| {
		let axes = shape(0).iter().zip(others.iter().chain(std::iter::repeat(&1)));
		limit(axes.map(|(extent, other)| f(*extent, *other)))
	};
	match node.op_type.as_str() {
		"ConstantOfShape" => limit(values(0)?),
		"RandomNormal" | "RandomUniform" => limit(ints("shape")),
		"Expand" => {
			let wanted = values(1)?;
			let rank = wanted.len().max(shape(0).len());
			let extent = |axis: usize| {
				let [a, b] = [shape(0), &wanted].map(|s| s.iter().rev().nth(axis).copied());
				a.unwrap_or(1).max(b.unwrap_or(1))
			};
			limit((0..rank).map(extent))
		}
		"Tile" => each(&values(1)?, &|extent, times| extent.saturating_mul(times)),
		"OneHot" => {
			let depth = values(1)?.first().map_or(1, |depth| depth.unsigned_abs());
			Ok(count(0)?.saturating_mul(depth))
		}
		"Range" => {
			let [start, end, step] = [0, 1, 2].map(|place| tensor(place).map(real).transpose());
			let first =
				|tensor: Option<Tensor>| tensor.and_then(|t| t.scalar()).unwrap_or(1.0) as f64;
			let (start, end, step) = (first(start?), first(end?), first(step?));
			Ok(((end - start) / step).ceil().clamp(0.0, 1e18) as u64)
		}
		"Pad" => {
			let pads = values(1)?.into_iter().chain(ints("pads"));
			let more = pads.fold(0i64, |sum, pad| sum.saturating_add(pad.max(0)));
			each(&[more; 8], &|extent, more| extent.saturating_add(more))
		}
		"Resize" | "Upsample" => Err("resizing of constants".into()),
		"Gather" | "Einsum" => (0..inputs.len())
			.try_fold(1u64, |product, place| Ok(product.saturating_mul(count(place)?.max(1)))),
		_ => {
			// Operands that broadcast, or are joined; windows that reach beyond them.
			let rank = (0..inputs.len()).map(|place| shape(place).len()).max().unwrap_or(0);
			let widest = |axis: usize| {
				let extents =
					(0..inputs.len()).filter_map(|place| shape(place).iter().rev().nth(axis));
				extents.copied().max().unwrap_or(1)
			};
			let broadcast = limit((0..rank).map(widest))?;
			let mut sum = 0u64;
			for place in 0..inputs.len() {
				sum = sum.saturating_add(count(place)?);
			}
			let around = ["pads", "output_padding", "output_shape", "strides"].map(ints);
			let around = around.iter().flatten();
			let times = around.fold(1u64, |product, reach| {
				product.saturating_mul(reach.unsigned_abs().saturating_add(1))
			});
			Ok(broadcast.max(sum).saturating_mul(times))
		}
	}
	.and_then(|count| limit([i64::try_from(count).unwrap_or(i64::MAX)]))
	.map(|_| ())
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
