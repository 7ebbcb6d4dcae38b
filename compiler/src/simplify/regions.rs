// SPDX-License-Identifier: Apache-2.0

//! Layer norms, softmaxes and table lookups that a model spells out in several operators.
//!
//! A region is everything between one tensor and another that depends on nothing else and that nothing
//! else reads. What it might be is guessed from the operators and constants in it, and the guess is
//! believed only if it gives the same numbers on probes.

use super::replace;
use crate::{
	graph::{Graph, Node, NodeId, Op, Reduction, Tensor},
	reference::{apply, evaluate, Operand},
};
use std::sync::Arc;

/// How far a guess may be from what it replaces, relative to the largest value.
const TOLERANCE: f32 = 1e-4;

/// The most operators of a region.
const LARGEST: usize = 40;

/// Replaces the first region that is one operator.
pub fn recognise(graph: &mut Graph) -> bool {
	lookup(graph) || spelt_out(graph)
}

/// A product with rows of zeros and a one is a lookup.
fn lookup(graph: &mut Graph) -> bool {
	for id in 0..graph.nodes.len() {
		let node = &graph.nodes[id];
		let Op::Dense { weight, bias } = &node.op else { continue };
		let [rows] = node.inputs[..] else { continue };
		if graph.nodes[rows].op != Op::OneHot {
			continue;
		}
		let mut table = weight.clone();
		for row in table.data.chunks_mut(bias.len()) {
			row.iter_mut().zip(bias).for_each(|(x, bias)| *x += bias);
		}
		let (tokens, name) = (graph.nodes[rows].inputs[0], node.name.clone());
		let mut shape = graph.nodes[tokens].shape.clone();
		shape.pop();
		let tokens = graph.push(&name, Op::Reshape, vec![tokens], shape);
		replace(graph, id, Op::Embed { table }, vec![tokens]);
		return true;
	}
	false
}

fn spelt_out(graph: &mut Graph) -> bool {
	let users = graph.users();
	for (from, axis) in starts(graph) {
		let mut ends = reached(from, &users);
		ends.reverse();
		for to in ends {
			let Some(inside) = region(graph, &users, from, to) else { continue };
			if let Some(op) = guesses(graph, &inside, from, to, axis)
				.into_iter()
				.find(|op| agrees(graph, &inside, from, to, op))
			{
				replace(graph, to, op, vec![from]);
				return true;
			}
		}
	}
	false
}

/// Tensors of which a sum, a mean or a maximum along one axis is taken.
fn starts(graph: &Graph) -> Vec<(NodeId, usize)> {
	let start = |node: &Node| match &node.op {
		Op::Reduce { axes, reduction } if *reduction != Reduction::Min => match axes.as_slice() {
			[axis] => Some((node.inputs[0], *axis)),
			_ => None,
		},
		_ => None,
	};
	let mut starts: Vec<_> = graph.nodes.iter().filter_map(start).collect();
	starts.dedup();
	starts
}

/// The next nodes that depend on `from`, in order.
fn reached(from: NodeId, users: &[Vec<NodeId>]) -> Vec<NodeId> {
	let mut found = Vec::new();
	let mut edge = vec![from];
	while let Some(id) = edge.pop() {
		for user in &users[id] {
			if !found.contains(user) && found.len() < LARGEST {
				found.push(*user);
				edge.insert(0, *user);
			}
		}
	}
	found.sort_unstable();
	found
}

/// The nodes between `from` and `to`, in order, if they depend on `from` alone and only `to` is read.
fn region(graph: &Graph, users: &[Vec<NodeId>], from: NodeId, to: NodeId) -> Option<Vec<NodeId>> {
	let mut inside = Vec::new();
	let mut pending = vec![to];
	while let Some(id) = pending.pop() {
		if id == from || inside.contains(&id) {
			continue;
		}
		let node = &graph.nodes[id];
		let leaf = node.inputs.is_empty() && !matches!(node.op, Op::Constant(_));
		if id < from && !matches!(node.op, Op::Constant(_)) || leaf || inside.len() > LARGEST {
			return None;
		}
		inside.push(id);
		pending.extend(&node.inputs);
	}
	inside.sort_unstable();
	let closed = |id: &NodeId| {
		let constant = matches!(graph.nodes[*id].op, Op::Constant(_));
		let hidden = users[*id].iter().all(|user| inside.contains(user)) && !graph.is_result(*id);
		*id == to || constant || hidden
	};
	(inside.len() > 2 && graph.nodes[from].shape == graph.nodes[to].shape)
		.then_some(())
		.filter(|()| inside.iter().all(closed))
		.map(|()| inside)
}

fn guesses(graph: &Graph, inside: &[NodeId], from: NodeId, to: NodeId, axis: usize) -> Vec<Op> {
	let is = |wanted: &dyn Fn(&Op) -> bool| inside.iter().any(|id| wanted(&graph.nodes[*id].op));
	let last = &graph.nodes[to].op;
	if !matches!(last, Op::Binary(_) | Op::Map(_)) {
		return Vec::new();
	}
	if is(&|op| matches!(op, Op::Reduce { reduction: Reduction::Max, .. })) {
		return vec![Op::Softmax { axis }];
	}
	let shape = &graph.nodes[from].shape;
	let constants: Vec<&Tensor> = inside.iter().filter_map(|id| graph.constant(*id)).collect();
	let fits = |constant: &&&Tensor| {
		constant.shape.len() == shape.len()
			&& constant.data.len() > 1
			&& constant.shape.iter().zip(shape).all(|(c, x)| c == x || *c == 1)
	};
	let numbers = inside.iter().flat_map(|id| match &graph.nodes[*id].op {
		Op::Map(expr) => expr.constants(),
		Op::Constant(tensor) => tensor.scalar().map(|value| value as f64).into_iter().collect(),
		_ => Vec::new(),
	});
	let mut epsilons: Vec<f64> = numbers.filter(|number| (0.0..0.01).contains(number)).collect();
	epsilons.dedup();
	let filled = |value: f32| Tensor::filled(&vec![1; shape.len()], value);
	let with = |value: f32| -> Vec<Tensor> {
		let tensors = constants.iter().filter(fits).map(|tensor| (*tensor).clone());
		tensors.chain([filled(value)]).collect()
	};
	let mut guesses = Vec::new();
	for gamma in with(1.0) {
		for beta in with(0.0) {
			for epsilon in &epsilons {
				let (gamma, beta) = (gamma.clone(), beta.clone());
				guesses.push(Op::LayerNorm { axis, epsilon: *epsilon, gamma, beta });
			}
		}
	}
	guesses
}

/// Whether `op` gives the same numbers as the region, on ordinary and on very small values.
fn agrees(graph: &Graph, inside: &[NodeId], from: NodeId, to: NodeId, op: &Op) -> bool {
	let shape = &graph.nodes[from].shape;
	let count: usize = shape.iter().product();
	let node = Node { op: op.clone(), ..graph.nodes[to].clone() };
	[4.0f32, 1e-3].iter().all(|size| {
		let probe: Vec<f32> = (0..count).map(|i| (noise(i) - 0.5) * 2.0 * size).collect();
		let found = apply(&node, &[Operand { shape, data: &probe }]);
		let mut results: Vec<Arc<[f32]>> = vec![Arc::from([]); graph.nodes.len()];
		results[from] = probe.into();
		for id in inside {
			results[*id] = evaluate(graph, *id, &results).into();
		}
		let expected = &results[to];
		let largest = expected.iter().fold(1e-6f32, |max, x| max.max(x.abs()));
		let near = |(a, b): (&f32, &f32)| (a - b).abs() <= TOLERANCE * largest;
		expected.len() == found.len() && expected.iter().zip(&found).all(near)
	})
}

/// A fixed sequence that looks random, in 0..1.
fn noise(index: usize) -> f32 {
	let mixed = (index as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
	((mixed ^ (mixed >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9) >> 40) as f32 / (1u64 << 24) as f32
}
