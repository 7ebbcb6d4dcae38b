// SPDX-License-Identifier: Apache-2.0

//! Joins elementwise operators on one tensor into one function.

use super::replace;
use crate::graph::{Expr, Graph, NodeId, Op};

/// Joins the first operator that is a function of a function, or of two functions of one tensor.
pub fn join(graph: &mut Graph) -> bool {
	let mut found = false;
	for id in 0..graph.nodes.len() {
		if let Some((root, expr)) = joined(graph, id) {
			replace(graph, id, Op::Map(expr), vec![root]);
			found = true;
		}
	}
	found
}

/// What a node is a function of.
enum Operand {
	Number(f64),
	Of(NodeId, Expr),
}

fn operand(graph: &Graph, id: NodeId) -> Operand {
	let node = &graph.nodes[id];
	match &node.op {
		Op::Map(expr) => Operand::Of(node.inputs[0], expr.clone()),
		Op::Constant(tensor) => match tensor.scalar() {
			Some(value) => Operand::Number(value as f64),
			None => Operand::Of(id, Expr::identity()),
		},
		_ => Operand::Of(id, Expr::identity()),
	}
}

fn joined(graph: &Graph, id: NodeId) -> Option<(NodeId, Expr)> {
	let node = &graph.nodes[id];
	let (root, expr) = match (&node.op, node.inputs.as_slice()) {
		(Op::Map(outer), [x]) => match (&graph.nodes[*x].op, operand(graph, *x)) {
			(Op::Map(_), Operand::Of(root, inner)) => (root, outer.after(&inner)),
			_ => return None,
		},
		(Op::Binary(operator), [a, b]) => match (operand(graph, *a), operand(graph, *b)) {
			(Operand::Of(root, a), Operand::Number(b)) => (root, a.with(*operator, b)),
			(Operand::Number(a), Operand::Of(root, b)) => {
				(root, Expr::constant(a).combine(*operator, &b))
			}
			(Operand::Of(root, a), Operand::Of(other, b)) if root == other => {
				(root, a.combine(*operator, &b))
			}
			_ => return None,
		},
		_ => return None,
	};
	(graph.nodes[root].shape == node.shape).then_some((root, expr))
}
