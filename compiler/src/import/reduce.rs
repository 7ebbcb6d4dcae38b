// SPDX-License-Identifier: Apache-2.0

//! Operators over whole axes: reductions, softmax, norms, gathers.

use super::{Call, Handler, Value};
use crate::graph::{NodeId, Op, Reduction, Tensor};

pub const OPERATORS: &[(&str, Handler)] = &[
	("Gather", gather),
	("GlobalAveragePool", |c| global(c, Reduction::Mean)),
	("GlobalMaxPool", |c| global(c, Reduction::Max)),
	("LayerNormalization", layer_norm),
	("ReduceMax", |c| reduce(c, Reduction::Max)),
	("ReduceMean", |c| reduce(c, Reduction::Mean)),
	("ReduceMin", |c| reduce(c, Reduction::Min)),
	("ReduceSum", |c| reduce(c, Reduction::Sum)),
	("Softmax", softmax),
];

fn along(
	call: &mut Call,
	x: NodeId,
	reduction: Reduction,
	mut axes: Vec<usize>,
) -> Result<NodeId, String> {
	axes.sort_unstable();
	let mut shape = call.shape(x);
	axes.iter().for_each(|axis| shape[*axis] = 1);
	Ok(call.push(Op::Reduce { reduction, axes }, vec![x], shape))
}

fn reduce(call: &mut Call, reduction: Reduction) -> Result<Vec<Value>, String> {
	let x = call.operand(0)?;
	let from = call.shape(x);
	let named = call.whole(1)?.or(call.ints("axes")).unwrap_or_default();
	let mut axes =
		named.iter().map(|axis| call.axis(*axis, from.len())).collect::<Result<Vec<_>, _>>()?;
	if axes.is_empty() {
		if call.int("noop_with_empty_axes", 0) != 0 {
			return Ok(vec![Value::Node(x)]);
		}
		axes = (0..from.len()).collect();
	}
	let result = along(call, x, reduction, axes.clone())?;
	if call.int("keepdims", 1) != 0 {
		return Ok(vec![Value::Node(result)]);
	}
	let shape: Vec<usize> =
		(0..from.len()).filter(|axis| !axes.contains(axis)).map(|axis| from[axis]).collect();
	Ok(vec![Value::Node(call.reshape(result, &shape)?)])
}

fn global(call: &mut Call, reduction: Reduction) -> Result<Vec<Value>, String> {
	let x = call.operand(0)?;
	let axes = (2..call.shape(x).len()).collect();
	Ok(vec![Value::Node(along(call, x, reduction, axes)?)])
}

fn softmax(call: &mut Call) -> Result<Vec<Value>, String> {
	let x = call.operand(0)?;
	let shape = call.shape(x);
	let old = call.opset() < 13;
	let axis = call.axis(call.int("axis", if old { 1 } else { -1 }), shape.len())?;
	if old && shape[axis + 1..].iter().any(|extent| *extent != 1) {
		return Err("a softmax over several axes".into());
	}
	Ok(vec![Value::Node(call.push(Op::Softmax { axis }, vec![x], shape))])
}

fn layer_norm(call: &mut Call) -> Result<Vec<Value>, String> {
	let x = call.operand(0)?;
	let shape = call.shape(x);
	let axis = call.axis(call.int("axis", -1), shape.len())?;
	if axis + 1 != shape.len() || call.node.output.len() > 1 {
		return Err("a layer norm over several axes".into());
	}
	let rank = shape.len();
	let gamma = call.constant(1)?.with_rank(rank);
	let beta = match call.has(2) {
		true => call.constant(2)?.with_rank(rank),
		false => Tensor::filled(&vec![1; rank], 0.0),
	};
	let epsilon = call.float("epsilon", 1e-5);
	let op = Op::LayerNorm { axis, epsilon, gamma, beta };
	Ok(vec![Value::Node(call.push(op, vec![x], shape))])
}

/// Rows of a constant table named by the input, or one place of an axis.
fn gather(call: &mut Call) -> Result<Vec<Value>, String> {
	let axis = call.int("axis", 0);
	if call.is_constant(0) {
		let table = call.constant(0)?;
		let tokens = call.operand(1)?;
		if table.shape.len() != 2 || call.axis(axis, 2)? != 0 {
			return Err("only rows of a constant matrix".into());
		}
		let mut shape = call.shape(tokens);
		shape.push(table.shape[1]);
		return Ok(vec![Value::Node(call.push(Op::Embed { table }, vec![tokens], shape))]);
	}
	let x = call.operand(0)?;
	let mut shape = call.shape(x);
	let axis = call.axis(axis, shape.len())?;
	let scalar = matches!(&call.inputs[1], Some(Value::Constant(t)) if t.dims.is_empty());
	let [index] = call.whole(1)?.unwrap_or_default()[..] else {
		return Err("several places of a computed tensor".into());
	};
	let index = if index < 0 { index + shape[axis] as i64 } else { index };
	let mut start = vec![0; shape.len()];
	start[axis] = usize::try_from(index).ok().filter(|i| *i < shape[axis]).ok_or("outside")?;
	shape[axis] = 1;
	let one = call.push(Op::Slice { start }, vec![x], shape.clone());
	if scalar {
		shape.remove(axis);
	}
	Ok(vec![Value::Node(call.reshape(one, &shape)?)])
}
