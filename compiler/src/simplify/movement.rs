// SPDX-License-Identifier: Apache-2.0

//! Moves transposes and reshapes behind the operators that do not mind, until they meet their inverse or
//! the end.

use super::{replace, wrap};
use crate::graph::{inverse, same_axis, Graph, Node, NodeId, Op, Tensor};

/// Joins movements with movements before them and drops those that do nothing, as well as reductions of single
/// elements.
pub fn drop_idle(graph: &mut Graph) -> bool {
	let mut found = false;
	for id in 0..graph.nodes.len() {
		let node = &graph.nodes[id];
		let Some(x) = node.inputs.first().copied() else { continue };
		let before = &graph.nodes[x];
		let idle = match &node.op {
			Op::Reshape | Op::Slice { .. } | Op::Reduce { .. } => before.shape == node.shape,
			Op::Reverse { axis } => node.shape[*axis] == 1,
			Op::Transpose { permutation } => permutation.iter().enumerate().all(|(i, p)| i == *p),
			_ => false,
		};
		if idle {
			graph.redirect(id, x);
			// Nothing reads it any more; with this it cannot be found again.
			replace(graph, id, Op::Constant(Tensor::filled(&[1], 0.0)), Vec::new());
			return true;
		}
		let (op, inputs) = match (&node.op, &before.op) {
			(Op::Transpose { permutation }, _) if keeps_order(permutation, &before.shape) => {
				(Op::Reshape, vec![x])
			}
			(Op::Reshape, Op::Reshape) => (Op::Reshape, before.inputs.clone()),
			(Op::Transpose { permutation }, Op::Transpose { permutation: first }) => {
				let permutation = permutation.iter().map(|axis| first[*axis]).collect();
				(Op::Transpose { permutation }, before.inputs.clone())
			}
			_ => continue,
		};
		replace(graph, id, op, inputs);
		found = true;
	}
	found
}

/// Whether a permutation moves only axes of extent 1.
fn keeps_order(permutation: &[usize], shape: &[usize]) -> bool {
	let wide: Vec<usize> = permutation.iter().copied().filter(|axis| shape[*axis] > 1).collect();
	wide.is_sorted()
}

/// Moves the first movement that can be moved behind its reader.
pub fn sink(graph: &mut Graph) -> bool {
	for id in 0..graph.nodes.len() {
		let inputs = graph.nodes[id].inputs.clone();
		let transposed = inputs.iter().find_map(|input| match &graph.nodes[*input].op {
			Op::Transpose { permutation } => Some(permutation.clone()),
			_ => None,
		});
		if let Some(permutation) = transposed {
			if behind_transpose(graph, id, &permutation) {
				return true;
			}
		}
		let reshaped = inputs.iter().any(|input| graph.nodes[*input].op == Op::Reshape);
		if reshaped && behind_reshape(graph, id) {
			return true;
		}
	}
	false
}

/// Makes node `id` read what the transposes before it read.
fn behind_transpose(graph: &mut Graph, id: NodeId, permutation: &[usize]) -> bool {
	let back = inverse(permutation);
	let node = graph.nodes[id].clone();
	let op = match &node.op {
		Op::Map(_) | Op::Binary(_) => node.op.clone(),
		Op::Reduce { reduction, axes } => {
			let mut axes: Vec<usize> = axes.iter().map(|axis| permutation[*axis]).collect();
			axes.sort_unstable();
			Op::Reduce { reduction: *reduction, axes }
		}
		Op::Softmax { axis } => Op::Softmax { axis: permutation[*axis] },
		Op::LayerNorm { axis, epsilon, gamma, beta } => Op::LayerNorm {
			axis: permutation[*axis],
			epsilon: *epsilon,
			gamma: gamma.transposed(&back),
			beta: beta.transposed(&back),
		},
		Op::Concat { axis } => Op::Concat { axis: permutation[*axis] },
		Op::Slice { start } => Op::Slice { start: back.iter().map(|axis| start[*axis]).collect() },
		Op::Reverse { axis } => Op::Reverse { axis: permutation[*axis] },
		_ => return false,
	};
	// All operands in the order of the transpose's own operand, or none.
	let can = |input: &NodeId| {
		let x = &graph.nodes[*input];
		let wide = x.shape.iter().filter(|extent| **extent > 1).count();
		match &x.op {
			Op::Transpose { permutation: other } => other == permutation,
			Op::Constant(_) => true,
			_ => wide <= 1,
		}
	};
	if !node.inputs.iter().all(can) {
		return false;
	}
	let mut inputs = Vec::with_capacity(node.inputs.len());
	for input in &node.inputs {
		let x = &graph.nodes[*input];
		let shape: Vec<usize> = back.iter().map(|axis| x.shape[*axis]).collect();
		let name = x.name.clone();
		let op = match &x.op {
			Op::Transpose { .. } => {
				inputs.push(x.inputs[0]);
				continue;
			}
			Op::Constant(tensor) => Op::Constant(tensor.transposed(&back)),
			_ => Op::Reshape,
		};
		let from = if op == Op::Reshape { vec![*input] } else { vec![] };
		inputs.push(graph.push(&name, op, from, shape));
	}
	let shape = back.iter().map(|axis| node.shape[*axis]).collect();
	let inner = Node { name: node.name, op, inputs, shape };
	wrap(graph, id, Op::Transpose { permutation: permutation.to_vec() }, inner);
	true
}

/// Makes node `id` read what the reshape before it reads.
fn behind_reshape(graph: &mut Graph, id: NodeId) -> bool {
	let node = graph.nodes[id].clone();
	let Some(place) = node.inputs.iter().position(|input| graph.nodes[*input].op == Op::Reshape)
	else {
		return false;
	};
	let moved = &graph.nodes[node.inputs[place]];
	let source = moved.inputs[0];
	let (from, to) = (graph.nodes[source].shape.clone(), moved.shape.clone());
	let inner = match &node.op {
		Op::Map(_) => Node { inputs: vec![source], shape: from, ..node },
		Op::Binary(operator) if to == node.shape => {
			let Some(c) = graph.constant(node.inputs[1 - place]).cloned() else { return false };
			// Only where each axis of the constant is one axis of the operand.
			let mut shape = vec![1; from.len()];
			for (axis, extent) in c.shape.iter().enumerate().filter(|(_, e)| **e > 1) {
				match same_axis(&to, &from, axis) {
					Some(axis) => shape[axis] = *extent,
					None => return false,
				}
			}
			let constant = Op::Constant(Tensor { shape: shape.clone(), data: c.data });
			let constant = graph.push(&node.name, constant, vec![], shape);
			let mut inputs = vec![source; 2];
			inputs[1 - place] = constant;
			Node { name: node.name, op: Op::Binary(*operator), inputs, shape: from }
		}
		Op::Reduce { reduction, axes } => {
			let axes: Option<Vec<usize>> =
				axes.iter().map(|axis| same_axis(&to, &from, *axis)).collect();
			let Some(axes) = axes else { return false };
			let mut shape = from;
			axes.iter().for_each(|axis| shape[*axis] = 1);
			let op = Op::Reduce { reduction: *reduction, axes };
			Node { name: node.name, op, inputs: vec![source], shape }
		}
		_ => return false,
	};
	wrap(graph, id, Op::Reshape, inner);
	true
}
