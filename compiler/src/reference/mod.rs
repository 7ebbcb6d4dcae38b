// SPDX-License-Identifier: Apache-2.0

//! Evaluation of a graph in floating point.
//!
//! The ranges and errors found with it decide the scales of the program and so its identity: it uses only
//! operations whose result IEEE 754 fixes, in a fixed order, and gives the same numbers on every machine.

mod product;

use crate::{
	exact,
	graph::{
		around, gather, spread, strides, transpose, Carried, Graph, Node, NodeId, Op, Pool,
		Reduction, Tensor, Window,
	},
};
use std::sync::Arc;

/// The result of every node, row-major.
pub type Results = Vec<Arc<[f32]>>;

/// The results for one sample, of a sequence those of the first iteration.
#[cfg(test)]
pub fn forward(graph: &Graph, sample: &[f32]) -> Results {
	iterations(graph, sample).next().unwrap_or_default()
}

/// The results of each iteration of a sample: one, unless the graph is a loop.
pub fn iterations<'a>(graph: &'a Graph, sample: &'a [f32]) -> Iterations<'a> {
	let zeros = |carried: &Carried| {
		let count = graph.nodes[carried.state].shape.iter().product();
		vec![0f32; count].into()
	};
	let states = graph.carried.iter().map(zeros).collect();
	Iterations { graph, inputs: sample.chunks(graph.input_elements().max(1)), states }
}

/// See [`iterations`].
pub struct Iterations<'a> {
	graph: &'a Graph,
	inputs: std::slice::Chunks<'a, f32>,
	states: Results,
}

impl Iterator for Iterations<'_> {
	type Item = Results;

	fn next(&mut self) -> Option<Results> {
		let input = self.inputs.next()?;
		let graph = self.graph;
		let mut results: Results = Vec::with_capacity(graph.nodes.len());
		for id in 0..graph.nodes.len() {
			let state = || graph.carried.iter().position(|carried| carried.state == id);
			let result = match &graph.nodes[id].op {
				Op::Input { .. } => input.into(),
				Op::State => state().map_or_else(|| [].into(), |place| self.states[place].clone()),
				_ => evaluate(graph, id, &results).into(),
			};
			results.push(result);
		}
		self.states = graph.carried.iter().map(|carried| results[carried.next].clone()).collect();
		Some(results)
	}
}

/// The result of one node whose operands are in `results`.
pub fn evaluate(graph: &Graph, id: NodeId, results: &[Arc<[f32]>]) -> Vec<f32> {
	let node = &graph.nodes[id];
	let operands: Vec<Operand> = node
		.inputs
		.iter()
		.map(|input| Operand { shape: &graph.nodes[*input].shape, data: &results[*input] })
		.collect();
	apply(node, &operands)
}

/// An operand: shape and elements.
#[derive(Clone, Copy)]
pub struct Operand<'a> {
	/// Extent of each axis.
	pub shape: &'a [usize],
	/// The elements, row-major.
	pub data: &'a [f32],
}

/// The result of an operator. The input and states have no other result than their only operand.
pub fn apply(node: &Node, operands: &[Operand]) -> Vec<f32> {
	let to = &node.shape;
	if let Op::Constant(tensor) = &node.op {
		return tensor.data.clone();
	}
	let Some(x) = operands.first().copied() else { return Vec::new() };
	match &node.op {
		Op::Input { .. } | Op::State | Op::Reshape | Op::Constant(_) => x.data.to_vec(),
		Op::Embed { table } => embed(x.data, table),
		Op::OneHot => one_hot(x.data, to),
		Op::Dense { weight, bias } => product::dense(x.data, weight, bias),
		Op::Conv { weight, bias, window, groups } => {
			product::conv(x, weight, bias, window, *groups, to)
		}
		Op::MatMul => product::mat_mul(x, operands[1], to),
		Op::Map(expr) => expr.map(x.data),
		Op::Binary(operator) => {
			let [a, b] = [x, operands[1]].map(|x| spread(x.data, x.shape, to));
			let pairs = a.iter().zip(&b);
			pairs.map(|(a, b)| operator.of(*a as f64, *b as f64) as f32).collect()
		}
		Op::Reduce { reduction, axes } => reduce(x, *reduction, axes),
		Op::Pool { pool, kernel, window } => pooled(x, *pool, *kernel, window, to),
		Op::LayerNorm { axis, epsilon, gamma, beta } => layer_norm(x, *axis, *epsilon, gamma, beta),
		Op::Softmax { axis } => softmax(x, *axis),
		Op::Transpose { permutation } => transpose(x.data, x.shape, permutation),
		Op::Slice { start } => {
			let steps = strides(x.shape);
			let first = start.iter().zip(&steps).map(|(start, step)| start * step).sum();
			gather(x.data, to, &steps, first)
		}
		Op::Reverse { axis } => reverse(x, *axis),
		Op::Concat { axis } => concat(operands, *axis),
	}
}

fn embed(tokens: &[f32], table: &Tensor) -> Vec<f32> {
	let (rows, width) = (table.shape[0], table.shape[1]);
	let row = |token: &f32| (*token as i64).clamp(0, rows as i64 - 1) as usize * width;
	tokens.iter().flat_map(|t| table.data[row(t)..row(t) + width].iter().copied()).collect()
}

fn one_hot(tokens: &[f32], to: &[usize]) -> Vec<f32> {
	let depth = to.last().copied().unwrap_or(1);
	let row = |token: f32| (0..depth).map(move |at| (at as f32 == token) as u8 as f32);
	tokens.iter().flat_map(|token| row(*token)).collect()
}

fn reduce(x: Operand, reduction: Reduction, axes: &[usize]) -> Vec<f32> {
	let mut shape = x.shape.to_vec();
	let mut data: Vec<f64> = x.data.iter().map(|x| *x as f64).collect();
	for axis in axes {
		let (front, back) = around(&shape, *axis);
		let extent = shape[*axis];
		let mut result = Vec::with_capacity(front * back);
		for line in 0..front * back {
			let start = line / back * extent * back + line % back;
			let values = (0..extent).map(|at| data[start + at * back]);
			result.push(match reduction {
				Reduction::Sum => values.sum::<f64>(),
				Reduction::Mean => values.sum::<f64>() / extent as f64,
				Reduction::Max => values.fold(f64::NEG_INFINITY, f64::max),
				Reduction::Min => values.fold(f64::INFINITY, f64::min),
			});
		}
		shape[*axis] = 1;
		data = result;
	}
	data.into_iter().map(|x| x as f32).collect()
}

fn pooled(x: Operand, pool: Pool, kernel: [usize; 2], window: &Window, to: &[usize]) -> Vec<f32> {
	let [height, width, channels] = [x.shape[1], x.shape[2], x.shape[3]];
	let inside = |at: usize, axis: usize, tap: usize, extent: usize| {
		let place = (at * window.stride[axis] + tap).checked_sub(window.pad[axis * 2])?;
		(place < extent).then_some(place)
	};
	let mut result = Vec::with_capacity(to.iter().product());
	for index in 0..to.iter().product::<usize>() {
		let (c, at) = (index % to[3], index / to[3]);
		let (column, row) = (at % to[2], at / to[2]);
		let (mut largest, mut sum, mut count) = (f32::NEG_INFINITY, 0f64, 0usize);
		for y in (0..kernel[0]).filter_map(|tap| inside(row, 0, tap, height)) {
			for z in (0..kernel[1]).filter_map(|tap| inside(column, 1, tap, width)) {
				let value = x.data[(y * width + z) * channels + c];
				largest = largest.max(value);
				sum += value as f64;
				count += 1;
			}
		}
		result.push(match pool {
			Pool::Max => largest,
			Pool::Average => (sum / count.max(1) as f64) as f32,
		});
	}
	result
}

fn reverse(x: Operand, axis: usize) -> Vec<f32> {
	let (_, back) = around(x.shape, axis);
	let lines = x.data.chunks(x.shape[axis] * back);
	lines.flat_map(|line| line.chunks(back).rev().flatten().copied()).collect()
}

fn concat(operands: &[Operand], axis: usize) -> Vec<f32> {
	let mut result = Vec::new();
	let front = operands.first().map_or(0, |x| around(x.shape, axis).0);
	for at in 0..front {
		for x in operands {
			let run = x.data.len() / front;
			result.extend_from_slice(&x.data[at * run..(at + 1) * run]);
		}
	}
	result
}

fn softmax(x: Operand, axis: usize) -> Vec<f32> {
	let (front, back) = around(x.shape, axis);
	let extent = x.shape[axis];
	let mut result = vec![0f32; x.data.len()];
	for line in 0..front * back {
		let start = line / back * extent * back + line % back;
		let places = (0..extent).map(|at| start + at * back);
		let top = places.clone().map(|at| x.data[at]).fold(f32::NEG_INFINITY, f32::max);
		let e: Vec<f64> = places.clone().map(|at| exact::exp((x.data[at] - top) as f64)).collect();
		let sum: f64 = e.iter().sum();
		places.zip(e).for_each(|(at, e)| result[at] = (e / sum) as f32);
	}
	result
}

fn layer_norm(x: Operand, axis: usize, epsilon: f64, gamma: &Tensor, beta: &Tensor) -> Vec<f32> {
	let (front, back) = around(x.shape, axis);
	let extent = x.shape[axis];
	let gamma = spread(&gamma.data, &gamma.shape, x.shape);
	let beta = spread(&beta.data, &beta.shape, x.shape);
	let mut result = vec![0f32; x.data.len()];
	for line in 0..front * back {
		let start = line / back * extent * back + line % back;
		let places = (0..extent).map(|at| start + at * back);
		let mean = places.clone().map(|at| x.data[at] as f64).sum::<f64>() / extent as f64;
		let square = |at: usize| (x.data[at] as f64 - mean) * (x.data[at] as f64 - mean);
		let variance = places.clone().map(square).sum::<f64>() / extent as f64;
		let inverse = 1.0 / (variance + epsilon).sqrt();
		for at in places {
			let z = (x.data[at] as f64 - mean) * inverse;
			result[at] = (z * gamma[at] as f64 + beta[at] as f64) as f32;
		}
	}
	result
}

#[cfg(test)]
mod tests {
	use super::*;

	fn node(op: Op, shape: &[usize]) -> Node {
		Node { name: String::new(), op, inputs: vec![0], shape: shape.to_vec() }
	}

	#[test]
	fn layer_norm_over_an_outer_axis_normalises_each_column() {
		let [gamma, beta] = [1.0, 0.0].map(|value| Tensor::filled(&[1, 1, 1], value));
		let norm = node(Op::LayerNorm { axis: 1, epsilon: 0.0, gamma, beta }, &[1, 2, 2]);
		let x = Operand { shape: &[1, 2, 2], data: &[1.0, 5.0, 3.0, 9.0] };
		assert_eq!(apply(&norm, &[x]), [-1.0, -1.0, 1.0, 1.0]);
	}

	#[test]
	fn an_average_counts_only_what_lies_inside_the_image() {
		let window = Window { pad: [0, 0, 1, 0], stride: [1, 2], dilation: [1, 1] };
		let pool = Op::Pool { pool: Pool::Average, kernel: [1, 2], window };
		let x = Operand { shape: &[1, 1, 3, 1], data: &[4.0, 6.0, 8.0] };
		assert_eq!(apply(&node(pool, &[1, 1, 2, 1]), &[x]), [4.0, 7.0]);
	}

	#[test]
	fn rows_are_reversed_along_an_outer_and_an_inner_axis() {
		let x = Operand { shape: &[2, 3], data: &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0] };
		let reversed = |axis| apply(&node(Op::Reverse { axis }, &[2, 3]), &[x]);
		assert_eq!(reversed(0), [4.0, 5.0, 6.0, 1.0, 2.0, 3.0]);
		assert_eq!(reversed(1), [3.0, 2.0, 1.0, 6.0, 5.0, 4.0]);
	}

	#[test]
	fn parts_are_joined_along_an_inner_axis() {
		let a = Operand { shape: &[2, 1], data: &[1.0, 2.0] };
		let b = Operand { shape: &[2, 2], data: &[3.0, 4.0, 5.0, 6.0] };
		let joined = apply(&node(Op::Concat { axis: 1 }, &[2, 3]), &[a, b]);
		assert_eq!(joined, [1.0, 3.0, 4.0, 2.0, 5.0, 6.0]);
	}
}
