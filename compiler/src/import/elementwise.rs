// SPDX-License-Identifier: Apache-2.0

//! Operators on single elements.

use super::{Call, Handler, Value};
use crate::graph::{broadcast, Arithmetic, Expr, Function, NodeId, Op};

pub const OPERATORS: &[(&str, Handler)] = &[
	("Abs", |c| c.map(Expr::identity().apply(Function::Abs))),
	("Add", |c| fold(c, Arithmetic::Add)),
	("Cast", same),
	("Clip", clip),
	("Div", |c| fold(c, Arithmetic::Div)),
	("Dropout", same),
	("Elu", elu),
	("Equal", one_hot),
	("Erf", |c| c.map(Expr::identity().apply(Function::Erf))),
	("Exp", |c| c.map(Expr::identity().apply(Function::Exp))),
	("Expand", expand),
	("Floor", |c| c.map(Expr::identity().apply(Function::Floor))),
	("Gelu", gelu),
	("HardSigmoid", |c| {
		let (alpha, beta) = (c.float("alpha", 0.2), c.float("beta", 0.5));
		c.map(hard_sigmoid(alpha, beta))
	}),
	("HardSwish", |c| {
		c.map(Expr::identity().combine(Arithmetic::Mul, &hard_sigmoid(1.0 / 6.0, 0.5)))
	}),
	("Identity", same),
	("LeakyRelu", |c| {
		let slope = c.float("alpha", 0.01);
		c.map(leaky(slope))
	}),
	("Log", |c| c.map(Expr::identity().apply(Function::Ln))),
	("Max", |c| fold(c, Arithmetic::Max)),
	("Min", |c| fold(c, Arithmetic::Min)),
	("Mish", |c| {
		let gate = softplus().apply(Function::Tanh);
		c.map(Expr::identity().combine(Arithmetic::Mul, &gate))
	}),
	("Mul", |c| fold(c, Arithmetic::Mul)),
	("Neg", |c| c.map(Expr::identity().apply(Function::Negate))),
	("PRelu", prelu),
	("Pow", |c| fold(c, Arithmetic::Pow)),
	("Reciprocal", |c| c.map(Expr::identity().apply(Function::Reciprocal))),
	("Relu", |c| c.map(Expr::clip(0.0, f64::INFINITY))),
	("Sigmoid", |c| c.map(Expr::identity().apply(Function::Sigmoid))),
	("Softplus", |c| c.map(softplus())),
	("Sqrt", |c| c.map(Expr::identity().apply(Function::Sqrt))),
	("Sub", |c| fold(c, Arithmetic::Sub)),
	("Sum", |c| fold(c, Arithmetic::Add)),
	("Tanh", |c| c.map(Expr::identity().apply(Function::Tanh))),
];

/// Operand 0.
fn same(call: &mut Call) -> Result<Vec<Value>, String> {
	Ok(vec![Value::Node(call.operand(0)?)])
}

/// All operands, two at a time.
fn fold(call: &mut Call, operator: Arithmetic) -> Result<Vec<Value>, String> {
	let mut result = call.operand(0)?;
	for place in 1..call.inputs.len() {
		let next = call.operand(place)?;
		result = combine(call, operator, result, next)?;
	}
	Ok(vec![Value::Node(result)])
}

/// Two nodes, with axes of extent 1 in front of the one with fewer.
fn combine(call: &mut Call, operator: Arithmetic, a: NodeId, b: NodeId) -> Result<NodeId, String> {
	let rank = call.shape(a).len().max(call.shape(b).len());
	let mut level = |node: NodeId| {
		let mut shape = call.shape(node);
		let missing = rank - shape.len();
		shape.splice(0..0, std::iter::repeat_n(1, missing));
		call.reshape(node, &shape)
	};
	let (a, b) = (level(a)?, level(b)?);
	let (from, to) = (call.shape(a), call.shape(b));
	let shape = broadcast(&from, &to).ok_or(format!("{from:?} does not fit {to:?}"))?;
	Ok(call.push(Op::Binary(operator), vec![a, b], shape))
}

fn clip(call: &mut Call) -> Result<Vec<Value>, String> {
	let limit = |place: usize, name: &str, otherwise: f32| -> Result<f64, String> {
		if call.has(place) {
			let limit = call.constant(place)?.scalar().ok_or("limits must be numbers")?;
			return Ok(limit as f64);
		}
		Ok(call.float(name, otherwise))
	};
	let low = limit(1, "min", f32::NEG_INFINITY)?;
	let high = limit(2, "max", f32::INFINITY)?;
	call.map(Expr::clip(low, high))
}

/// `max(0, min(1, alpha × x + beta))`.
fn hard_sigmoid(alpha: f64, beta: f64) -> Expr {
	let line = Expr::identity().with(Arithmetic::Mul, alpha).with(Arithmetic::Add, beta);
	Expr::clip(0.0, 1.0).after(&line)
}

/// `max(x, 0) + slope × min(x, 0)`.
fn leaky(slope: f64) -> Expr {
	let below = Expr::identity().with(Arithmetic::Min, 0.0).with(Arithmetic::Mul, slope);
	Expr::identity().with(Arithmetic::Max, 0.0).combine(Arithmetic::Add, &below)
}

/// `ln(1 + e^x)`, as `max(x, 0) + ln(1 + e^−|x|)`.
fn softplus() -> Expr {
	let fall = Expr::identity().apply(Function::Abs).apply(Function::Negate).apply(Function::Exp);
	let rest = fall.with(Arithmetic::Add, 1.0).apply(Function::Ln);
	Expr::identity().with(Arithmetic::Max, 0.0).combine(Arithmetic::Add, &rest)
}

/// `max(x, 0) + alpha × (e^min(x, 0) − 1)`.
fn elu(call: &mut Call) -> Result<Vec<Value>, String> {
	let alpha = call.float("alpha", 1.0);
	let below = Expr::identity().with(Arithmetic::Min, 0.0).apply(Function::Exp);
	let below = below.with(Arithmetic::Sub, 1.0).with(Arithmetic::Mul, alpha);
	call.map(Expr::identity().with(Arithmetic::Max, 0.0).combine(Arithmetic::Add, &below))
}

/// `x/2 × (1 + erf(x / √2))`, or the same with `tanh(√(2/π) (x + 0.044715 x³))` (Hendrycks and Gimpel,
/// 2016).
fn gelu(call: &mut Call) -> Result<Vec<Value>, String> {
	let x = Expr::identity;
	let gate = if call.word("approximate") == "tanh" {
		let cube = x().with(Arithmetic::Pow, 3.0).with(Arithmetic::Mul, 0.044_715);
		let inner = x().combine(Arithmetic::Add, &cube);
		inner.with(Arithmetic::Mul, 0.797_884_560_802_865_4).apply(Function::Tanh)
	} else {
		x().with(Arithmetic::Mul, std::f64::consts::FRAC_1_SQRT_2).apply(Function::Erf)
	};
	let half = x().with(Arithmetic::Mul, 0.5);
	call.map(half.combine(Arithmetic::Mul, &gate.with(Arithmetic::Add, 1.0)))
}

/// `max(x, 0) + slope × min(x, 0)` with a slope for each channel.
fn prelu(call: &mut Call) -> Result<Vec<Value>, String> {
	let (x, slope) = (call.operand(0)?, call.operand(1)?);
	let shape = call.shape(x);
	let above = call.push(Op::Map(Expr::clip(0.0, f64::INFINITY)), vec![x], shape.clone());
	let below = call.push(Op::Map(Expr::clip(f64::NEG_INFINITY, 0.0)), vec![x], shape);
	let below = combine(call, Arithmetic::Mul, below, slope)?;
	Ok(vec![Value::Node(combine(call, Arithmetic::Add, above, below)?)])
}

/// Where the shape stays the same.
fn expand(call: &mut Call) -> Result<Vec<Value>, String> {
	let x = call.operand(0)?;
	let from = call.shape(x);
	let to: Vec<usize> =
		call.whole(1)?.unwrap_or_default().iter().map(|extent| *extent as usize).collect();
	let rank = from.len().max(to.len());
	let level = |shape: &[usize]| [vec![1; rank - shape.len()], shape.to_vec()].concat();
	if broadcast(&level(&from), &level(&to)) != Some(level(&from)) {
		return Err(format!("repeats {from:?} to {to:?}"));
	}
	let shape = level(&from);
	Ok(vec![Value::Node(call.reshape(x, &shape)?)])
}

/// `x == 0, 1, 2, ..` along the last axis.
fn one_hot(call: &mut Call) -> Result<Vec<Value>, String> {
	let place = usize::from(call.is_constant(0));
	let x = call.operand(place)?;
	let numbers = call.constant(1 - place)?;
	let depth = numbers.data.len();
	let counts = numbers.data.iter().enumerate().all(|(place, number)| place as f32 == *number);
	let mut shape = call.shape(x);
	if !counts || shape.last() != Some(&1) || numbers.shape.last() != Some(&depth) {
		return Err("only comparing indices with 0, 1, 2, .. is supported".into());
	}
	if let Some(last) = shape.last_mut() {
		*last = depth;
	}
	Ok(vec![Value::Node(call.push(Op::OneHot, vec![x], shape))])
}
