// SPDX-License-Identifier: Apache-2.0

//! Brings a graph into the form that lowering expects: norms and softmaxes recognised, constants merged
//! into the operators beside them, elementwise operators joined, channels last, states in parts.
//!
//! Each pass looks for one place that it can improve and says whether it found one.

mod constants;
mod functions;
mod movement;
mod regions;
mod states;

use crate::graph::{Graph, Node, NodeId, Op};

type Pass = fn(&mut Graph) -> bool;

/// In this order: norms are looked for while their operators are still apart.
const PASSES: &[Pass] = &[
	constants::evaluate,
	states::split,
	movement::drop_idle,
	regions::recognise,
	functions::join,
	constants::merge,
	movement::sink,
];

/// Applies all passes until none finds anything.
pub fn simplify(graph: &mut Graph) {
	while PASSES.iter().any(|pass| {
		let found = pass(graph);
		if found {
			graph.tidy();
		}
		found
	}) {}
}

/// Puts `op` on `inputs` in the place of node `id`, whose shape it has.
fn replace(graph: &mut Graph, id: NodeId, op: Op, inputs: Vec<NodeId>) {
	let node = &mut graph.nodes[id];
	node.op = op;
	node.inputs = inputs;
}

/// Makes node `id` the movement `op` of a new node that does `inner`.
fn wrap(graph: &mut Graph, id: NodeId, op: Op, inner: Node) {
	graph.nodes.push(inner);
	let moved = graph.nodes.len() - 1;
	replace(graph, id, op, vec![moved]);
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::graph::{Arithmetic, Expr, Function, Reduction, Tensor, Window};
	use crate::reference::forward;

	const PLAIN: Window = Window { pad: [0; 4], stride: [1; 2], dilation: [1; 2] };

	fn kinds(graph: &Graph) -> Vec<&'static str> {
		graph.nodes.iter().map(|node| node.op.name()).collect()
	}

	fn noise(count: usize) -> Vec<f32> {
		(0..count).map(|i| ((i * 7919 + 13) % 101) as f32 / 25.0 - 2.0).collect()
	}

	fn simplified(mut graph: Graph) -> Graph {
		let sample = noise(graph.nodes[0].shape.iter().product());
		let before = forward(&graph, &sample)[graph.output].to_vec();
		simplify(&mut graph);
		let after = forward(&graph, &sample)[graph.output].to_vec();
		for (a, b) in before.iter().zip(&after) {
			assert!((a - b).abs() < 1e-4 * a.abs().max(1.0), "{a} became {b}");
		}
		graph
	}

	/// `[1, C, H, W]` in, a convolution with its norm spelt out, a gate over all positions.
	fn gated() -> Graph {
		let mut g = Graph::default();
		let x = g.push("x", Op::Input { tokens: false }, vec![], vec![1, 2, 3, 4]);
		let to = Op::Transpose { permutation: vec![0, 2, 3, 1] };
		let image = g.push("t", to, vec![x], vec![1, 3, 4, 2]);
		let weight = Tensor { shape: vec![2, 1, 1, 2], data: vec![0.5, -1.0, 2.0, 0.25] };
		let conv = Op::Conv { weight, bias: vec![0.0; 2], window: PLAIN, groups: 1 };
		let conv = g.push("conv", conv, vec![image], vec![1, 3, 4, 2]);
		let back = Op::Transpose { permutation: vec![0, 3, 1, 2] };
		let y = g.push("b", back, vec![conv], vec![1, 2, 3, 4]);
		let each = Tensor { shape: vec![1, 2, 1, 1], data: vec![2.0, 3.0] };
		let each = g.push("c", Op::Constant(each), vec![], vec![1, 2, 1, 1]);
		let y = g.push("scale", Op::Binary(Arithmetic::Mul), vec![y, each], vec![1, 2, 3, 4]);
		let mean = Op::Reduce { reduction: Reduction::Mean, axes: vec![2, 3] };
		let mean = g.push("mean", mean, vec![y], vec![1, 2, 1, 1]);
		let gate = Op::Map(Expr::identity().apply(Function::Sigmoid));
		let gate = g.push("gate", gate, vec![mean], vec![1, 2, 1, 1]);
		g.output = g.push("out", Op::Binary(Arithmetic::Mul), vec![y, gate], vec![1, 2, 3, 4]);
		g
	}

	#[test]
	fn transposes_leave_the_middle_of_a_gated_convolution() {
		let graph = simplified(gated());
		let expected = ["input", "transpose", "conv", "mean", "function", "mul", "transpose"];
		assert_eq!(kinds(&graph), expected);
		let Op::Conv { weight, .. } = &graph.nodes[2].op else { panic!("no convolution") };
		assert_eq!(weight.data, [1.0, -2.0, 6.0, 0.75]);
	}

	#[test]
	fn a_spelt_out_layer_norm_is_recognised_with_a_residual_around_it() {
		let mut g = Graph::default();
		let [all, one] = [vec![1, 3, 8], vec![1, 3, 1]];
		let x = g.push("x", Op::Input { tokens: false }, vec![], all.clone());
		let along = || Op::Reduce { reduction: Reduction::Mean, axes: vec![2] };
		let mean = g.push("mean", along(), vec![x], one.clone());
		let d = g.push("d", Op::Binary(Arithmetic::Sub), vec![x, mean], all.clone());
		let square = Op::Map(Expr::identity().with(Arithmetic::Pow, 2.0));
		let square = g.push("square", square, vec![d], all.clone());
		let variance = g.push("variance", along(), vec![square], one.clone());
		let root = Expr::identity().with(Arithmetic::Add, 1e-5).apply(Function::Sqrt);
		let root = g.push("root", Op::Map(root), vec![variance], one);
		let z = g.push("z", Op::Binary(Arithmetic::Div), vec![d, root], all.clone());
		let gamma = Tensor { shape: vec![1, 1, 8], data: noise(8) };
		let gamma = g.push("gamma", Op::Constant(gamma), vec![], vec![1, 1, 8]);
		let y = g.push("y", Op::Binary(Arithmetic::Mul), vec![z, gamma], all.clone());
		g.output = g.push("sum", Op::Binary(Arithmetic::Add), vec![x, y], all);
		let graph = simplified(g);
		assert_eq!(kinds(&graph), ["input", "layer norm", "add"]);
		let Op::LayerNorm { epsilon, .. } = graph.nodes[1].op else { panic!("no norm") };
		assert_eq!(epsilon, 1e-5);
	}
}
