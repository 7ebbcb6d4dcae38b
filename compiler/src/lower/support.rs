// SPDX-License-Identifier: Apache-2.0

//! What has no integer form, found before anything is emitted so that all of it can be named at once.

use crate::{
	error::Unsupported,
	graph::{Arithmetic, Graph, NodeId, Op, Reduction},
};

/// The most elements of a sum of sixteen-bit integers.
const MOST_SUMMED: usize = 1 << 16;

/// The most elements that a layer norm takes moments of.
const MOST_NORMALISED: usize = 1 << 12;

/// Every node that cannot be lowered, and why.
pub fn unsupported(graph: &Graph) -> Vec<Unsupported> {
	let name = |id: NodeId, reason: &str| Unsupported {
		operator: graph.nodes[id].op.name().into(),
		node: graph.nodes[id].name.clone(),
		reason: reason.into(),
	};
	let found = (0..graph.nodes.len()).filter_map(|id| Some(name(id, reason(graph, id)?)));
	found.collect()
}

fn reason(graph: &Graph, id: NodeId) -> Option<&'static str> {
	let node = &graph.nodes[id];
	let operand = node.inputs.first().map(|input| &graph.nodes[*input]);
	let extent = |axis: &usize| operand.map_or(1, |x| x.shape[*axis]);
	let whole = |mut input: NodeId| {
		while matches!(graph.nodes[input].op, Op::Reshape) {
			input = graph.nodes[input].inputs[0];
		}
		matches!(graph.nodes[input].op, Op::Input { tokens: true })
	};
	let moves = matches!(node.op, Op::Reshape | Op::Embed { .. });
	if !moves && node.inputs.iter().any(|input| whole(*input)) {
		return Some("indices can only name rows of a table");
	}
	match &node.op {
		Op::OneHot => Some("only in front of a product"),
		Op::Embed { .. } if !whole(node.inputs[0]) => Some("indices must come from the input"),
		Op::Binary(Arithmetic::Div | Arithmetic::Pow) => Some("of two computed tensors"),
		Op::Reduce { reduction: Reduction::Sum | Reduction::Mean, axes }
			if axes.iter().map(extent).product::<usize>() > MOST_SUMMED =>
		{
			Some("a sum that might wrap")
		}
		Op::LayerNorm { axis, .. } if !(2..=MOST_NORMALISED).contains(&extent(axis)) => {
			Some("2 to 4096 elements can be normalised")
		}
		_ if node.shape.len() > tensornet_tensor::MAX_RANK => Some("too many axes"),
		_ => None,
	}
}
