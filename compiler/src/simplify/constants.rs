// SPDX-License-Identifier: Apache-2.0

//! Merges constants into the operators beside them.

use super::replace;
use crate::{
	graph::{broadcast, spread, Arithmetic, Graph, NodeId, Op, Tensor},
	reference::{apply, Operand},
};

/// Replaces nodes that depend on constants alone by their result.
pub fn evaluate(graph: &mut Graph) -> bool {
	let mut found = false;
	for id in 0..graph.nodes.len() {
		let node = &graph.nodes[id];
		let operands: Option<Vec<&Tensor>> =
			node.inputs.iter().map(|input| graph.constant(*input)).collect();
		let Some(operands) = operands.filter(|operands| !operands.is_empty()) else { continue };
		let operands: Vec<Operand> = operands
			.into_iter()
			.map(|tensor| Operand { shape: &tensor.shape, data: &tensor.data })
			.collect();
		let data = apply(node, &operands);
		let tensor = Tensor { shape: node.shape.clone(), data };
		replace(graph, id, Op::Constant(tensor), Vec::new());
		found = true;
	}
	found
}

/// Merges the first elementwise operator with a constant into the operator before it.
pub fn merge(graph: &mut Graph) -> bool {
	let users = graph.users();
	for id in 0..graph.nodes.len() {
		let Some((x, change)) = change(graph, id) else { continue };
		if graph.only_user(x, &users) != Some(id) {
			continue;
		}
		let Some(op) = merged(&graph.nodes[x].op, &graph.nodes[x].shape, &change) else { continue };
		let inputs = graph.nodes[x].inputs.clone();
		replace(graph, id, op, inputs);
		return true;
	}
	false
}

/// What an operator does with each element.
enum Change {
	/// Factor and offset; each broadcasts and has the rank of the operand.
	Line(Tensor, Tensor),
	/// Anything else.
	Any(crate::graph::Expr),
}

/// The operand of an elementwise operator on one computed tensor, and what it does with it.
fn change(graph: &Graph, id: NodeId) -> Option<(NodeId, Change)> {
	let node = &graph.nodes[id];
	let rank = vec![1; node.shape.len()];
	let number = |value: f64| Tensor::filled(&rank, value as f32);
	match (&node.op, node.inputs.as_slice()) {
		(Op::Map(expr), [x]) => Some(match expr.affine() {
			Some((factor, offset)) => (*x, Change::Line(number(factor), number(offset))),
			None => (*x, Change::Any(expr.clone())),
		}),
		(Op::Binary(operator), [a, b]) => {
			let (x, c, first) = match (graph.constant(*a), graph.constant(*b)) {
				(None, Some(c)) => (*a, c, true),
				(Some(c), None) => (*b, c, false),
				_ => return None,
			};
			let with = |f: &dyn Fn(f32) -> f32| Tensor {
				shape: c.shape.clone(),
				data: c.data.iter().map(|x| f(*x)).collect(),
			};
			let (factor, offset) = match (operator, first) {
				(Arithmetic::Add, _) => (number(1.0), c.clone()),
				(Arithmetic::Sub, true) => (number(1.0), with(&|x| -x)),
				(Arithmetic::Sub, false) => (number(-1.0), c.clone()),
				(Arithmetic::Mul, _) => (c.clone(), number(0.0)),
				(Arithmetic::Div, true) => (with(&|x| 1.0 / x), number(0.0)),
				_ => return None,
			};
			let same = graph.nodes[x].shape == node.shape;
			same.then_some((x, Change::Line(factor, offset)))
		}
		_ => None,
	}
}

/// The operator `op`, whose result has the shape `shape`, with `change` applied to it.
fn merged(op: &Op, shape: &[usize], change: &Change) -> Option<Op> {
	let mut op = op.clone();
	let channels = shape.last().copied().unwrap_or(1);
	match (&mut op, change) {
		(Op::Conv { weight, bias, .. }, Change::Line(factor, offset)) => {
			let (factor, offset) = (per_channel(factor, channels)?, per_channel(offset, channels)?);
			let taps = weight.data.len() / channels;
			let rows = weight.data.chunks_mut(taps.max(1)).zip(&factor);
			rows.for_each(|(row, factor)| row.iter_mut().for_each(|weight| *weight *= factor));
			line(bias, &factor, &offset);
		}
		(Op::Dense { weight, bias }, Change::Line(factor, offset)) => {
			let (factor, offset) = (per_channel(factor, channels)?, per_channel(offset, channels)?);
			for row in weight.data.chunks_mut(channels) {
				row.iter_mut().zip(&factor).for_each(|(weight, factor)| *weight *= factor);
			}
			line(bias, &factor, &offset);
		}
		(Op::Embed { table }, Change::Line(factor, offset)) => {
			let (factor, offset) = (per_channel(factor, channels)?, per_channel(offset, channels)?);
			table.data.chunks_mut(channels).for_each(|row| line(row, &factor, &offset));
		}
		(Op::Embed { table }, Change::Any(expr)) => table.data = expr.map(&table.data),
		(Op::LayerNorm { gamma, beta, .. }, Change::Line(factor, offset)) => {
			let times = |a: f32, b: f32| a * b;
			*gamma = both(gamma, factor, times)?;
			*beta = both(&both(beta, factor, times)?, offset, |a, b| a + b)?;
		}
		_ => return None,
	}
	Some(op)
}

fn line(values: &mut [f32], factor: &[f32], offset: &[f32]) {
	let parts = factor.iter().zip(offset);
	values.iter_mut().zip(parts).for_each(|(x, (factor, offset))| *x = *x * factor + offset);
}

/// One number for each channel, if a tensor differs along the last axis only.
fn per_channel(tensor: &Tensor, channels: usize) -> Option<Vec<f32>> {
	let last = tensor.data.len();
	(tensor.shape.iter().rev().skip(1).all(|extent| *extent == 1)
		&& (last == 1 || last == channels))
		.then(|| (0..channels).map(|channel| tensor.data[channel % last]).collect())
}

/// A function of two constants of one rank that broadcast against each other.
fn both(a: &Tensor, b: &Tensor, f: impl Fn(f32, f32) -> f32) -> Option<Tensor> {
	let shape = broadcast(&a.shape, &b.shape)?;
	let left = spread(&a.data, &a.shape, &shape);
	let right = spread(&b.data, &b.shape, &shape);
	let data = left.iter().zip(right).map(|(a, b)| f(*a, b)).collect();
	Some(Tensor { shape, data })
}
