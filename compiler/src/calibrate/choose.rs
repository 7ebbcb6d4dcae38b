// SPDX-License-Identifier: Apache-2.0

//! Which operands of products get eight bits and which sixteen, by measurement.
//!
//! Every operand is rounded to eight bits alone and the error that this makes in the model's output is
//! measured. Errors of different operands are independent, so their powers add: operands with the most
//! error for the least work get sixteen bits until the sum meets the target.

use super::{Method, Ranges};
use crate::{
	graph::{Graph, NodeId, Op},
	lower::Quant,
	reference::{evaluate, forward},
};
use rayon::prelude::*;
use std::sync::Arc;

/// What was chosen.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Choices {
	/// For each node whether products read it in eight bits.
	pub bytes: Vec<bool>,
	/// For each node the ratio of the output to the error that eight bits here make in it, in decibels.
	pub sensitivity: Vec<Option<f64>>,
}

/// The node whose elements a node moves, behind all reshapes, transposes and slices.
pub fn origin(graph: &Graph, mut node: NodeId) -> NodeId {
	while matches!(graph.nodes[node].op, Op::Reshape | Op::Transpose { .. } | Op::Slice { .. }) {
		node = graph.nodes[node].inputs[0];
	}
	node
}

/// The operands of products, and the work of the products that read each.
fn operands(graph: &Graph) -> Vec<(NodeId, u64)> {
	let mut work = vec![0; graph.nodes.len()];
	for (id, node) in graph.nodes.iter().enumerate().filter(|(_, node)| node.op.is_product()) {
		for input in &node.inputs {
			work[origin(graph, *input)] += graph.work(id);
		}
	}
	let operands = work.into_iter().enumerate();
	operands
		.filter(|(id, work)| {
			let fixed = matches!(graph.nodes[*id].op, Op::Constant(_) | Op::Embed { .. });
			*work > 0 && !fixed
		})
		.collect()
}

/// Chooses so that eight bits keep the output `target` decibels above their error on `samples`.
/// Without a target everything gets sixteen bits.
pub fn choose(
	graph: &Graph,
	ranges: &Ranges,
	method: Method,
	target: Option<f64>,
	samples: &[Vec<f32>],
) -> Choices {
	let mut choices = Choices {
		bytes: vec![false; graph.nodes.len()],
		sensitivity: vec![None; graph.nodes.len()],
	};
	let Some(target) = target else { return choices };
	let end = before_softmax(graph);
	let operands = operands(graph);
	let mut errors = vec![0f64; operands.len()];
	let mut signal = 0f64;
	for sample in samples {
		let exact = forward(graph, sample);
		signal += exact[end].iter().map(|x| *x as f64 * *x as f64).sum::<f64>();
		let one: Vec<f64> = operands
			.par_iter()
			.map(|(id, _)| error(graph, ranges, method, &exact, *id, end))
			.collect();
		errors.iter_mut().zip(one).for_each(|(all, one)| *all += one);
	}
	let allowed = signal / crate::exact::pow(10.0, target / 10.0);
	let mut left: f64 = errors.iter().sum();
	let mut order: Vec<usize> = (0..operands.len()).collect();
	let value = |place: usize| errors[place] / operands[place].1 as f64;
	order.sort_by(|a, b| value(*b).total_cmp(&value(*a)).then(a.cmp(b)));
	for place in order {
		let (id, _) = operands[place];
		let decibels = 10.0 * crate::exact::ln(signal / errors[place].max(1e-30))
			/ std::f64::consts::LN_10;
		choices.sensitivity[id] = Some(decibels);
		choices.bytes[id] = left <= allowed;
		if left > allowed {
			left -= errors[place];
		}
	}
	choices
}

/// The output, or what its softmax is taken of.
fn before_softmax(graph: &Graph) -> NodeId {
	let mut end = origin(graph, graph.output);
	if let Op::Softmax { .. } = graph.nodes[end].op {
		end = graph.nodes[end].inputs[0];
	}
	end
}

/// The squared error in `end` when node `id` is rounded to eight bits wherever a product reads it.
fn error(
	graph: &Graph,
	ranges: &Ranges,
	method: Method,
	exact: &[Arc<[f32]>],
	id: NodeId,
	end: NodeId,
) -> f64 {
	let (low, high) = ranges[id].limits(method);
	let quant = Quant::i8(low, high);
	let rounded = |x: &f32| quant.real(quant.of(*x as f64)) as f32;
	let bytes: Arc<[f32]> = exact[id].iter().map(rounded).collect();
	// Two pictures of each node: as products see it and as everything else does.
	let mut results = exact.to_vec();
	let mut seen = exact.to_vec();
	let mut changed = vec![false; graph.nodes.len()];
	let mut coarse = vec![false; graph.nodes.len()];
	seen[id] = bytes;
	coarse[id] = true;
	for next in id + 1..=end {
		let node = &graph.nodes[next];
		let moves = origin(graph, next) == id;
		if moves {
			seen[next] = evaluate(graph, next, &seen).into();
			coarse[next] = true;
		} else if node.op.is_product() && node.inputs.iter().any(|input| coarse[*input]) {
			let mut operands = results.clone();
			for input in node.inputs.iter().filter(|input| coarse[**input]) {
				operands[*input] = seen[*input].clone();
			}
			results[next] = evaluate(graph, next, &operands).into();
			changed[next] = true;
		} else if node.inputs.iter().any(|input| changed[*input]) {
			results[next] = evaluate(graph, next, &results).into();
			changed[next] = true;
		}
	}
	let pairs = results[end].iter().zip(exact[end].iter());
	pairs.map(|(a, b)| (*a as f64 - *b as f64) * (*a as f64 - *b as f64)).sum()
}
