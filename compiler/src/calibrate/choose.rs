// SPDX-License-Identifier: Apache-2.0

//! Which operands and which weights of products get eight bits and which more, by measurement.
//!
//! Each is rounded to eight bits alone and the error that this makes in the model's output is measured.
//! Errors of different ones are independent, so their powers add: those with the most error for the least
//! work get more bits until the sum meets the target.

use super::{Method, Ranges};
use crate::{
	graph::{Graph, NodeId, Op},
	lower::channels_of,
	quantise::{shift, weights, Quant},
	reference::{apply, evaluate, iterations, Operand, Results},
};
use rayon::prelude::*;
use std::{collections::BTreeMap, sync::Arc};
use tensornet_tensor::macros::real;

/// Iterations of a sequence on which errors are measured.
const ITERATIONS: usize = 128;

/// How far above the error of a choice the model's output must stay, in decibels.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Targets {
	/// The error of all operands in eight bits together; `None`: none of them is.
	pub operands: Option<f64>,
	/// The error of all weights in eight bits together; `None`: all of them are.
	pub weights: Option<f64>,
}

/// What was chosen.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Choices {
	/// For each node whether products read it in eight bits.
	pub bytes: Vec<bool>,
	/// For each product whether its weights get two planes of eight bits.
	pub planes: Vec<bool>,
	/// For each node the ratio of the output to the error that eight bits here make in it, in decibels.
	pub sensitivity: Vec<Option<f64>>,
}

/// The node whose elements a node moves, behind all views.
pub fn origin(graph: &Graph, mut node: NodeId) -> NodeId {
	while graph.nodes[node].op.is_view() {
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

/// Chooses on `samples`. Without a target, operands all get sixteen bits and weights all get eight.
pub fn choose(
	graph: &Graph,
	ranges: &Ranges,
	method: Method,
	targets: Targets,
	samples: &[Vec<f32>],
) -> Choices {
	let count = graph.nodes.len();
	let mut choices = Choices {
		bytes: vec![false; count],
		planes: vec![false; count],
		sensitivity: vec![None; count],
	};
	if targets == Targets::default() {
		return choices;
	}
	let end = before_softmax(graph);
	let run = |sample: &Vec<f32>| iterations(graph, sample).take(ITERATIONS).collect::<Vec<_>>();
	let exact: Vec<Vec<Results>> = samples.par_iter().map(run).collect();
	let power = |values: &Arc<[f32]>| values.iter().map(|x| *x as f64 * *x as f64).sum::<f64>();
	let signal: f64 = exact.iter().flatten().map(|results| power(&results[end])).sum();
	if let Some(target) = targets.weights {
		let layers = (0..count).filter(|id| {
			matches!(graph.nodes[*id].op, Op::Dense { .. } | Op::Conv { .. }) && *id <= end
		});
		let layers: Vec<(NodeId, u64)> = layers.map(|id| (id, graph.work(id))).collect();
		let measure =
			|id| exact.iter().map(|sequence| weight_error(graph, ranges, sequence, id, end)).sum();
		let measured = measured(&layers, &measure);
		for id in worst(&measured, allowed(signal, target)) {
			choices.planes[id] = true;
		}
	}
	if let Some(target) = targets.operands {
		let measure = |id| {
			let error = |sequence: &Vec<_>| operand_error(graph, ranges, method, sequence, id, end);
			exact.iter().map(error).sum()
		};
		let measured = measured(&operands(graph), &measure);
		let words = worst(&measured, allowed(signal, target));
		for (id, _, error) in measured {
			choices.bytes[id] = !words.contains(&id);
			choices.sensitivity[id] = Some(decibels(signal, error));
		}
	}
	choices
}

/// The error that leaves the signal `target` decibels above it.
fn allowed(signal: f64, target: f64) -> f64 {
	signal / real::exp(target / 10.0 * std::f64::consts::LN_10)
}

fn decibels(signal: f64, error: f64) -> f64 {
	10.0 / std::f64::consts::LN_10 * real::ln(signal.max(1e-30) / error.max(1e-30))
}

/// Nodes with their work and the error that each causes alone.
fn measured(
	nodes: &[(NodeId, u64)],
	error: &(dyn Fn(NodeId) -> f64 + Sync),
) -> Vec<(NodeId, u64, f64)> {
	nodes.par_iter().map(|(id, work)| (*id, *work, error(*id))).collect()
}

/// Those with the most error for the least work, so many that the others cause no more than `allowed`.
fn worst(measured: &[(NodeId, u64, f64)], allowed: f64) -> Vec<NodeId> {
	let mut left: f64 = measured.iter().map(|(_, _, error)| error).sum();
	let mut order: Vec<&(NodeId, u64, f64)> = measured.iter().collect();
	let value = |(_, work, error): &(NodeId, u64, f64)| error / (*work).max(1) as f64;
	order.sort_by(|a, b| value(b).total_cmp(&value(a)).then(a.0.cmp(&b.0)));
	let mut worst = Vec::new();
	for (id, _, error) in order {
		if left <= allowed {
			break;
		}
		left -= error;
		worst.push(*id);
	}
	worst
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
fn operand_error(
	graph: &Graph,
	ranges: &Ranges,
	method: Method,
	sequence: &[Results],
	id: NodeId,
	end: NodeId,
) -> f64 {
	let (low, high) = ranges[id].limits(method);
	let quant = Quant::i8(low, high);
	let rounded = |x: &f32| quant.real(quant.of(*x as f64)) as f32;
	// As products see it; moved by whatever moves it.
	let mut coarse: BTreeMap<NodeId, Arc<[f32]>> = BTreeMap::new();
	disturbed(graph, sequence, end, |next, results, changed| {
		if next == 0 {
			coarse.clear();
		}
		let node = &graph.nodes[next];
		let reads = node.inputs.iter().any(|input| coarse.contains_key(input));
		let mut result = None;
		if reads && node.op.is_product() {
			let mut operands = results.to_vec();
			for input in &node.inputs {
				if let Some(seen) = coarse.get(input) {
					operands[*input] = seen.clone();
				}
			}
			result = Some(evaluate(graph, next, &operands));
		} else if node.inputs.iter().any(|input| changed[*input]) {
			result = Some(evaluate(graph, next, results));
		}
		if next == id {
			let now = result.as_deref().unwrap_or(&results[next]);
			coarse.insert(id, now.iter().map(rounded).collect());
		} else if reads && origin(graph, next) == id {
			let x = node.inputs[0];
			let operand = Operand { shape: &graph.nodes[x].shape, data: &coarse[&x] };
			coarse.insert(next, apply(node, &[operand]).into());
		}
		result
	})
}

/// The squared error in `end` when the weights of node `id` are rounded to eight bits.
fn weight_error(
	graph: &Graph,
	ranges: &Ranges,
	sequence: &[Results],
	id: NodeId,
	end: NodeId,
) -> f64 {
	let mut node = graph.nodes[id].clone();
	let is_dense = matches!(node.op, Op::Dense { .. });
	let outs = node.shape.last().copied().unwrap_or(1);
	let channel_of = channels_of(&node.op, outs);
	let means = &ranges[node.inputs[0]].means;
	let (Op::Dense { weight, bias } | Op::Conv { weight, bias, .. }) = &mut node.op else {
		return 0.0;
	};
	let taps = weight.data.len() / outs;
	let output_of = |at: usize| if is_dense { at % outs } else { at / taps };
	let rounded = weights(&weight.data, &vec![0.0; outs], 127, output_of);
	let shift = shift(&weight.data, &rounded, means, output_of, channel_of);
	for (at, (x, q)) in weight.data.iter_mut().zip(&rounded.values).enumerate() {
		*x = (*q as f64 * rounded.units[output_of(at)]) as f32;
	}
	bias.iter_mut().zip(shift).for_each(|(bias, shift)| *bias -= shift as f32);
	disturbed(graph, sequence, end, |next, results, changed| {
		if next == id {
			let operands: Vec<Operand> = node
				.inputs
				.iter()
				.map(|input| Operand { shape: &graph.nodes[*input].shape, data: &results[*input] })
				.collect();
			return Some(apply(&node, &operands));
		}
		let reads = graph.nodes[next].inputs.iter().any(|input| changed[*input]);
		reads.then(|| evaluate(graph, next, results))
	})
}

/// The squared error in `end` over all iterations of a sequence, in each of which `change` gives the result of a node
/// if it is another than the exact one: from the node's number, the results so far and which of these have changed.
/// What has changed of the states is carried on.
fn disturbed(
	graph: &Graph,
	sequence: &[Results],
	end: NodeId,
	mut change: impl FnMut(NodeId, &[Arc<[f32]>], &[bool]) -> Option<Vec<f32>>,
) -> f64 {
	let last = graph.carried.iter().map(|carried| carried.next).fold(end, NodeId::max);
	let mut carried: Vec<Option<Arc<[f32]>>> = vec![None; graph.carried.len()];
	let mut error = 0.0;
	for exact in sequence {
		let mut results = exact.clone();
		let mut changed = vec![false; graph.nodes.len()];
		for (state, value) in graph.carried.iter().zip(carried) {
			if let Some(value) = value {
				results[state.state] = value;
				changed[state.state] = true;
			}
		}
		for next in 0..=last {
			if let Some(result) = change(next, &results, &changed) {
				results[next] = result.into();
				changed[next] = true;
			}
		}
		let next = graph.carried.iter().map(|carried| carried.next);
		carried = next.map(|next| changed[next].then(|| results[next].clone())).collect();
		error += distance(&results[end], &exact[end]);
	}
	error
}

fn distance(a: &[f32], b: &[f32]) -> f64 {
	a.iter().zip(b).map(|(a, b)| (*a as f64 - *b as f64) * (*a as f64 - *b as f64)).sum()
}
