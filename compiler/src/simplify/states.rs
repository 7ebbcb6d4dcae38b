// SPDX-License-Identifier: Apache-2.0

//! States that are several tensors in one: each gets a range, and so a unit, of its own.

use crate::graph::{Carried, Graph, NodeId, Op};

/// Splits the first state that is joined of parts and of which every reader reads one of them.
pub fn split(graph: &mut Graph) -> bool {
	(0..graph.carried.len()).any(|place| split_one(graph, place))
}

fn split_one(graph: &mut Graph, place: usize) -> bool {
	let Carried { state, next } = graph.carried[place];
	let Op::Concat { axis } = graph.nodes[next].op else { return false };
	let parts = graph.nodes[next].inputs.clone();
	let mut ends = Vec::with_capacity(parts.len());
	for part in &parts {
		ends.push(ends.last().unwrap_or(&0) + graph.nodes[*part].shape[axis]);
	}
	let readers = graph.users()[state].clone();
	// The part that a reader reads.
	let part_of = |reader: &NodeId| {
		let node = &graph.nodes[*reader];
		let Op::Slice { start } = &node.op else { return None };
		let part = ends.iter().position(|end| start[axis] < *end)?;
		(start[axis] + node.shape[axis] <= ends[part]).then_some(part)
	};
	let read: Option<Vec<usize>> = readers.iter().map(part_of).collect();
	let Some(read) = read.filter(|_| !graph.is_result(state)) else { return false };
	let name = graph.nodes[state].name.clone();
	let mut states = Vec::with_capacity(parts.len());
	for (number, part) in parts.iter().enumerate() {
		let shape = graph.nodes[*part].shape.clone();
		states.push(graph.push(&format!("{name}.{number}"), Op::State, vec![], shape));
	}
	for (reader, part) in readers.into_iter().zip(read) {
		let first = if part == 0 { 0 } else { ends[part - 1] };
		let node = &mut graph.nodes[reader];
		node.inputs = vec![states[part]];
		if let Op::Slice { start } = &mut node.op {
			start[axis] -= first;
		}
	}
	let carried = states.into_iter().zip(parts).map(|(state, next)| Carried { state, next });
	graph.carried.splice(place..=place, carried);
	true
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::{
		graph::{Arithmetic, Expr, Function, Reduction},
		simplify::simplify,
	};

	/// Two rows of 3 in one state, each read by itself; with `whole`, what is largest in each column too.
	fn graph(whole: bool) -> Graph {
		let mut g = Graph::default();
		let x = g.push("x", Op::Input { tokens: false }, vec![], vec![1, 3]);
		let state = g.push("s", Op::State, vec![], vec![2, 3]);
		let row = |g: &mut Graph, row: usize| {
			g.push("row", Op::Slice { start: vec![row, 0] }, vec![state], vec![1, 3])
		};
		let (a, b) = (row(&mut g, 0), row(&mut g, 1));
		let sum = g.push("sum", Op::Binary(Arithmetic::Add), vec![x, a], vec![1, 3]);
		let bent = Op::Map(Expr::identity().apply(Function::Tanh));
		let mut mixed = g.push("bent", bent, vec![b], vec![1, 3]);
		if whole {
			let most = Op::Reduce { reduction: Reduction::Max, axes: vec![0] };
			let most = g.push("most", most, vec![state], vec![1, 3]);
			mixed = g.push("more", Op::Binary(Arithmetic::Add), vec![mixed, most], vec![1, 3]);
		}
		let mixed = g.push("mixed", Op::Binary(Arithmetic::Sub), vec![sum, mixed], vec![1, 3]);
		let next = g.push("next", Op::Concat { axis: 0 }, vec![sum, mixed], vec![2, 3]);
		g.carried.push(Carried { state, next });
		g.output = mixed;
		g
	}

	#[test]
	fn a_state_of_parts_that_are_read_apart_becomes_several() {
		let sample: Vec<f32> = (0..12).map(|x| x as f32 / 8.0 - 0.5).collect();
		for (whole, states) in [(false, 2), (true, 1)] {
			let mut graph = graph(whole);
			let before = graph.run(&sample);
			simplify(&mut graph);
			assert_eq!(graph.run(&sample), before);
			assert_eq!(graph.carried.len(), states);
		}
	}
}
