// SPDX-License-Identifier: Apache-2.0

//! Recurrent layers, step by step: products, sigmoids and tanhs. A sequence inside one sample is unrolled; what goes
//! from sample to sample is an output that is carried.

use super::{Call, Handler, Value};
use crate::graph::{Arithmetic, Expr, Function, NodeId, Op, Tensor};

pub const OPERATORS: &[(&str, Handler)] = &[("LSTM", lstm)];

/// The most steps that are unrolled.
const MOST_STEPS: usize = 64;

/// Weights of one direction: of the input and of the last result, transposed, with the sum of both biases.
struct Weights {
	input: Tensor,
	hidden: Tensor,
	bias: Vec<f32>,
}

/// Number `index` along the outermost axis.
fn nth(tensor: &Tensor, index: usize) -> Tensor {
	let each = tensor.data.len() / tensor.shape[0].max(1);
	let data = tensor.data[index * each..(index + 1) * each].to_vec();
	Tensor { shape: tensor.shape[1..].to_vec(), data }
}

/// Long short-term memory (Hochreiter and Schmidhuber, 1997), with the gates in the order i, o, f, c:
///
/// `C' = f C + i c`, `H' = o tanh C'`, where i, o and f are sigmoids and c is a tanh of `X W + H R + B`.
fn lstm(call: &mut Call) -> Result<Vec<Value>, String> {
	let x = call.operand(0)?;
	let [steps, batch, width] = call.shape(x)[..] else {
		return Err("not [steps, batch, width]".into());
	};
	let [w, r] = [call.constant(1)?, call.constant(2)?];
	let [directions, gates, columns] = w.shape[..] else {
		return Err("weights without axes".into());
	};
	let hidden = gates / 4;
	let names = match call.word("direction").as_str() {
		"" | "forward" => &[false][..],
		"reverse" => &[true],
		"bidirectional" => &[false, true],
		other => return Err(format!("direction {other}")),
	};
	if directions != names.len() || columns != width || gates != hidden * 4 || hidden == 0 {
		return Err(format!("weights {:?} for {directions} directions of {width}", w.shape));
	}
	if r.shape != [directions, gates, hidden] {
		return Err(format!("recurrent weights {:?}", r.shape));
	}
	let bias =
		if call.has(3) { call.constant(3)? } else { Tensor::filled(&[directions, gates * 2], 0.0) };
	if bias.shape != [directions, gates * 2] {
		return Err(format!("biases {:?}", bias.shape));
	}
	if call.has(4) && call.whole(4)?.is_none_or(|all| all.iter().any(|n| *n != steps as i64)) {
		return Err("sequences of other lengths".into());
	}
	let plain = !call.has(7)
		&& call.int("input_forget", 0) == 0
		&& call.int("layout", 0) == 0
		&& call.float("clip", 0.0) == 0.0
		&& call.words("activations").chunks(3).all(|three| three == ["Sigmoid", "Tanh", "Tanh"]);
	if !plain {
		return Err("peepholes, limits, coupled gates, other layouts or other activations".into());
	}
	if steps == 0 || steps > MOST_STEPS {
		return Err(format!("{steps} steps; 1 to {MOST_STEPS} can be unrolled"));
	}
	let shape = vec![1, batch, hidden];
	let (mut columns, mut last_h, mut last_c) = (Vec::new(), Vec::new(), Vec::new());
	for (direction, reverse) in names.iter().enumerate() {
		let bias = nth(&bias, direction).data;
		let weights = Weights {
			input: nth(&w, direction).transposed(&[1, 0]),
			hidden: nth(&r, direction).transposed(&[1, 0]),
			bias: bias[..gates].iter().zip(&bias[gates..]).map(|(a, b)| a + b).collect(),
		};
		let start = |call: &mut Call, place: usize| -> Result<NodeId, String> {
			if !call.has(place) {
				let zeros = Op::Constant(Tensor::filled(&shape, 0.0));
				return Ok(call.push(zeros, vec![], shape.clone()));
			}
			let all = call.operand(place)?;
			if call.shape(all) != [directions, batch, hidden] {
				return Err(format!("a first state {:?}", call.shape(all)));
			}
			Ok(call.part(all, vec![direction, 0, 0], shape.clone()))
		};
		let (mut h, mut c) = (start(call, 5)?, start(call, 6)?);
		let mut results = vec![0; steps];
		let order: Vec<usize> =
			if *reverse { (0..steps).rev().collect() } else { (0..steps).collect() };
		for step in order {
			let now = call.part(x, vec![step, 0, 0], vec![1, batch, width]);
			(h, c) = cell(call, &weights, now, h, c);
			results[step] = h;
		}
		columns.push(joined(call, results, 0));
		last_h.push(h);
		last_c.push(c);
	}
	// Y is [steps, directions, batch, hidden].
	let mut parts = Vec::with_capacity(directions);
	for column in columns {
		parts.push(call.reshape(column, &[steps, 1, batch, hidden])?);
	}
	let results = [joined(call, parts, 1), joined(call, last_h, 0), joined(call, last_c, 0)];
	Ok(results.into_iter().map(Value::Node).collect())
}

/// Results behind each other along an axis.
fn joined(call: &mut Call, parts: Vec<NodeId>, axis: usize) -> NodeId {
	if let [one] = parts[..] {
		return one;
	}
	let mut shape = call.shape(parts[0]);
	shape[axis] = parts.iter().map(|part| call.shape(*part)[axis]).sum();
	call.push(Op::Concat { axis }, parts, shape)
}

/// One step: the next H and C.
fn cell(call: &mut Call, weights: &Weights, x: NodeId, h: NodeId, c: NodeId) -> (NodeId, NodeId) {
	let shape = call.shape(h);
	let hidden = shape[2];
	let all = vec![1, shape[1], hidden * 4];
	let dense = |weight: &Tensor, bias: Vec<f32>| Op::Dense { weight: weight.clone(), bias };
	let seen = call.push(dense(&weights.input, weights.bias.clone()), vec![x], all.clone());
	let kept = call.push(dense(&weights.hidden, vec![0.0; hidden * 4]), vec![h], all.clone());
	let sums = call.push(Op::Binary(Arithmetic::Add), vec![seen, kept], all);
	let map = |call: &mut Call, x: NodeId, function: Function| {
		call.push(Op::Map(Expr::identity().apply(function)), vec![x], shape.clone())
	};
	let gate = |call: &mut Call, place: usize, function: Function| {
		let part = call.part(sums, vec![0, 0, place * hidden], shape.clone());
		map(call, part, function)
	};
	let input = gate(call, 0, Function::Sigmoid);
	let output = gate(call, 1, Function::Sigmoid);
	let forget = gate(call, 2, Function::Sigmoid);
	let new = gate(call, 3, Function::Tanh);
	let both = |call: &mut Call, operator: Arithmetic, a: NodeId, b: NodeId| {
		call.push(Op::Binary(operator), vec![a, b], shape.clone())
	};
	let old = both(call, Arithmetic::Mul, forget, c);
	let new = both(call, Arithmetic::Mul, input, new);
	let c = both(call, Arithmetic::Add, old, new);
	let bent = map(call, c, Function::Tanh);
	(both(call, Arithmetic::Mul, output, bent), c)
}
