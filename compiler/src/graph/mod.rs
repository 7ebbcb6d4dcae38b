// SPDX-License-Identifier: Apache-2.0

//! The compiler's own picture of a model: operators on real numbers, each with the shape of its result
//! for one sample.
//!
//! Nodes are in an order in which each comes after its operands. Images have their channels last.

mod expr;
mod tensor;

pub use expr::{Arithmetic, Expr, Function};
pub use tensor::{
	around, broadcast, gather, inverse, same_axis, spread, strides, transpose, Tensor,
};

/// Number of a node: its place in the graph.
pub type NodeId = usize;

/// How a window slides over an image `[1, H, W, C]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
	/// Rows above and below, columns left and right.
	pub pad: [usize; 4],
	/// Vertical, horizontal.
	pub stride: [usize; 2],
	/// Vertical, horizontal.
	pub dilation: [usize; 2],
}

/// What is made of the elements along some axes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reduction {
	/// Their sum.
	Sum,
	/// Their mean.
	Mean,
	/// The largest.
	Max,
	/// The smallest.
	Min,
}

/// What is made of the elements of a window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pool {
	/// The largest inside the image.
	Max,
	/// The mean of those inside the image.
	Average,
}

/// One operator. The outermost axis is the batch of 1 wherever there is one.
#[derive(Clone, Debug, PartialEq)]
pub enum Op {
	/// The input of the model.
	Input {
		/// Whether it holds indices rather than quantities.
		tokens: bool,
	},
	/// A tensor that is carried from one iteration to the next, as it stands when an iteration starts.
	State,
	/// A tensor of the model.
	Constant(Tensor),
	/// Rows of a `[K, C]` table, named by whole numbers `[..]`: `[.., C]`.
	Embed {
		/// The rows.
		table: Tensor,
	},
	/// `[.., 1]` whole numbers as `[.., K]` rows with a one at that place. Only in front of a product.
	OneHot,
	/// Product over the last axis with a `[K, O]` matrix, plus `[O]`.
	Dense {
		/// The matrix.
		weight: Tensor,
		/// Added to each row.
		bias: Vec<f32>,
	},
	/// Convolution of `[1, H, W, C]` with `[O, KH, KW, C / groups]`, plus `[O]`.
	Conv {
		/// The kernels.
		weight: Tensor,
		/// Added to each position.
		bias: Vec<f32>,
		/// How they slide.
		window: Window,
		/// Equal parts of the channels that see only each other.
		groups: usize,
	},
	/// Product of `[.., M, K]` and `[.., K, N]`, both computed.
	MatMul,
	/// The same function of every element.
	Map(Expr),
	/// Two operands of one rank that broadcast.
	Binary(Arithmetic),
	/// Along axes, which are kept with extent 1.
	Reduce {
		/// What is computed.
		reduction: Reduction,
		/// In rising order.
		axes: Vec<usize>,
	},
	/// Windows of `[1, H, W, C]`.
	Pool {
		/// What is computed.
		pool: Pool,
		/// Vertical, horizontal.
		kernel: [usize; 2],
		/// How they slide; dilation is 1.
		window: Window,
	},
	/// `(x − mean) / √(variance + epsilon) × gamma + beta`, moments along `axis`.
	LayerNorm {
		/// The axis of the moments.
		axis: usize,
		/// Added to the variance.
		epsilon: f64,
		/// Broadcasts against the operand and has its rank.
		gamma: Tensor,
		/// Broadcasts against the operand and has its rank.
		beta: Tensor,
	},
	/// `e^x / Σ e^x` along `axis`.
	Softmax {
		/// The axis.
		axis: usize,
	},
	/// Another shape for the same elements.
	Reshape,
	/// Axis i of the result is axis `permutation[i]` of the operand.
	Transpose {
		/// A permutation of the axes.
		permutation: Vec<usize>,
	},
	/// The box of the result's shape that starts at `start`.
	Slice {
		/// One entry for each axis.
		start: Vec<usize>,
	},
	/// The operand in the opposite order along `axis`.
	Reverse {
		/// The axis.
		axis: usize,
	},
	/// The operands behind each other along `axis`.
	Concat {
		/// The axis.
		axis: usize,
	},
}

/// An operator with its operands.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
	/// The name of the (last) node of the model that it stands for.
	pub name: String,
	/// What it does.
	pub op: Op,
	/// What it reads.
	pub inputs: Vec<NodeId>,
	/// The shape of its result.
	pub shape: Vec<usize>,
}

/// A tensor that is carried from one iteration to the next. In the first iteration it is 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Carried {
	/// The [`State`](Op::State) node.
	pub state: NodeId,
	/// The node whose result the state is in the next iteration; of the same shape.
	pub next: NodeId,
}

/// A model with one input and one output, for a batch of one sample.
///
/// With something carried it is one iteration of a loop: a sample is then a sequence, a tensor of the
/// input's shape for each iteration.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Graph {
	/// Operators, each after what it reads.
	pub nodes: Vec<Node>,
	/// The node whose result is the model's.
	pub output: NodeId,
	/// What is carried from one iteration to the next.
	pub carried: Vec<Carried>,
}

impl Op {
	/// The operator's name in reports.
	pub fn name(&self) -> &'static str {
		match self {
			Op::Input { .. } => "input",
			Op::State => "state",
			Op::Constant(_) => "constant",
			Op::Embed { .. } => "embed",
			Op::OneHot => "one-hot",
			Op::Dense { .. } => "dense",
			Op::Conv { groups: 1, .. } => "conv",
			Op::Conv { .. } => "group conv",
			Op::MatMul => "matmul",
			Op::Map(expr) if expr.limits().is_some() => "clip",
			Op::Map(_) => "function",
			Op::Binary(operator) => operator.name(),
			Op::Reduce { reduction: Reduction::Sum, .. } => "sum",
			Op::Reduce { reduction: Reduction::Mean, .. } => "mean",
			Op::Reduce { reduction: Reduction::Max, .. } => "max",
			Op::Reduce { reduction: Reduction::Min, .. } => "min",
			Op::Pool { pool: Pool::Max, .. } => "max pool",
			Op::Pool { pool: Pool::Average, .. } => "avg pool",
			Op::LayerNorm { .. } => "layer norm",
			Op::Softmax { .. } => "softmax",
			Op::Reshape => "reshape",
			Op::Transpose { .. } => "transpose",
			Op::Slice { .. } => "slice",
			Op::Reverse { .. } => "reverse",
			Op::Concat { .. } => "concat",
		}
	}

	/// Whether the elements of the result are elements of an operand.
	pub fn is_movement(&self) -> bool {
		self.is_view() || matches!(self, Op::Concat { .. })
	}

	/// Whether its elements are those of its only operand, or some of them, in whatever order.
	pub fn is_view(&self) -> bool {
		matches!(self, Op::Reshape | Op::Transpose { .. } | Op::Slice { .. } | Op::Reverse { .. })
	}

	/// Whether it multiplies and accumulates.
	pub fn is_product(&self) -> bool {
		matches!(self, Op::Dense { .. } | Op::Conv { .. } | Op::MatMul)
	}
}

impl Graph {
	/// The input node, if the model has one.
	pub fn input(&self) -> Option<NodeId> {
		self.nodes.iter().position(|node| matches!(node.op, Op::Input { .. }))
	}

	/// The output for one sample in floating point, row-major; of a sequence one behind the other.
	pub fn run(&self, sample: &[f32]) -> Vec<f32> {
		let results = crate::reference::iterations(self, sample);
		results.flat_map(|results| results[self.output].to_vec()).collect()
	}

	/// Whether something is carried from one iteration to the next.
	pub fn is_loop(&self) -> bool {
		!self.carried.is_empty()
	}

	/// The number of elements of the input.
	pub fn input_elements(&self) -> usize {
		self.input().map_or(1, |input| self.nodes[input].shape.iter().product())
	}

	/// Whether a sample has as many elements as the input, or, of a loop, as those of some iterations.
	pub fn fits(&self, elements: usize) -> bool {
		let each = self.input_elements();
		elements == each || (self.is_loop() && elements > 0 && elements.is_multiple_of(each))
	}

	/// Whether a node's result is the output, or carried.
	pub fn is_result(&self, node: NodeId) -> bool {
		node == self.output || self.carried.iter().any(|carried| carried.next == node)
	}

	/// Makes everything that reads `from` read `to`.
	pub fn redirect(&mut self, from: NodeId, to: NodeId) {
		let read = self.nodes.iter_mut().flat_map(|node| &mut node.inputs);
		let results = self.carried.iter_mut().map(|carried| &mut carried.next);
		let all = read.chain(results).chain([&mut self.output]);
		all.filter(|place| **place == from).for_each(|place| *place = to);
	}

	/// Appends a node and returns its number.
	pub fn push(&mut self, name: &str, op: Op, inputs: Vec<NodeId>, shape: Vec<usize>) -> NodeId {
		self.nodes.push(Node { name: name.into(), op, inputs, shape });
		self.nodes.len() - 1
	}

	/// The constant that a node is.
	pub fn constant(&self, node: NodeId) -> Option<&Tensor> {
		match &self.nodes[node].op {
			Op::Constant(tensor) => Some(tensor),
			_ => None,
		}
	}

	/// The nodes that read each node.
	pub fn users(&self) -> Vec<Vec<NodeId>> {
		let mut users = vec![Vec::new(); self.nodes.len()];
		for (id, node) in self.nodes.iter().enumerate() {
			for input in &node.inputs {
				if users[*input].last() != Some(&id) {
					users[*input].push(id);
				}
			}
		}
		users
	}

	/// The only reader of a node that is no result.
	pub fn only_user(&self, node: NodeId, users: &[Vec<NodeId>]) -> Option<NodeId> {
		match users[node].as_slice() {
			[user] if !self.is_result(node) => Some(*user),
			_ => None,
		}
	}

	/// Multiply-accumulates of one product of a node's result.
	pub fn taps(&self, node: NodeId) -> usize {
		match &self.nodes[node].op {
			Op::Dense { weight, .. } => weight.shape[0],
			Op::Conv { weight, .. } => weight.shape[1..].iter().product(),
			Op::MatMul => self.nodes[self.nodes[node].inputs[0]].shape.last().copied().unwrap_or(1),
			_ => 0,
		}
	}

	/// Multiply-accumulates of a node.
	pub fn work(&self, node: NodeId) -> u64 {
		let outputs: usize = self.nodes[node].shape.iter().product();
		outputs as u64 * self.taps(node) as u64
	}

	/// Puts operands before their readers and drops what no result needs. The input and the states stay.
	pub fn tidy(&mut self) {
		let mut order: Vec<NodeId> = self.input().into_iter().collect();
		order.extend(self.carried.iter().map(|carried| carried.state));
		let mut done = vec![false; self.nodes.len()];
		order.iter().for_each(|id| done[*id] = true);
		let nexts = self.carried.iter().rev().map(|carried| (carried.next, false));
		let mut pending: Vec<(NodeId, bool)> = nexts.chain([(self.output, false)]).collect();
		while let Some((id, ready)) = pending.pop() {
			if done[id] {
				continue;
			}
			if ready {
				done[id] = true;
				order.push(id);
				continue;
			}
			pending.push((id, true));
			pending.extend(self.nodes[id].inputs.iter().rev().map(|input| (*input, false)));
		}
		let mut places = vec![0; self.nodes.len()];
		order.iter().enumerate().for_each(|(place, id)| places[*id] = place);
		let mut nodes: Vec<Option<Node>> = self.nodes.drain(..).map(Some).collect();
		self.nodes = order.iter().filter_map(|id| nodes[*id].take()).collect();
		for node in &mut self.nodes {
			node.inputs.iter_mut().for_each(|input| *input = places[*input]);
		}
		self.output = places[self.output];
		for carried in &mut self.carried {
			*carried = Carried { state: places[carried.state], next: places[carried.next] };
		}
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn tidying_sorts_and_drops_what_is_not_needed() {
		let mut graph = Graph::default();
		let x = graph.push("x", Op::Input { tokens: false }, vec![], vec![1, 4]);
		let late = graph.push("late", Op::Binary(Arithmetic::Add), vec![x, 3], vec![1, 4]);
		graph.push("dead", Op::Reshape, vec![x], vec![4]);
		graph.push("early", Op::Map(Expr::clip(0.0, 1.0)), vec![x], vec![1, 4]);
		graph.output = late;
		graph.tidy();
		let names: Vec<_> = graph.nodes.iter().map(|node| node.name.as_str()).collect();
		assert_eq!(names, ["x", "early", "late"]);
		assert_eq!((graph.nodes[2].inputs.as_slice(), graph.output), (&[0, 1][..], 2));
		assert_eq!(graph.users(), [vec![1, 2], vec![2], vec![]]);
	}

	#[test]
	fn what_is_carried_counts_as_a_result() {
		let mut graph = Graph::default();
		let x = graph.push("x", Op::Input { tokens: false }, vec![], vec![4]);
		let state = graph.push("state", Op::State, vec![], vec![4]);
		let sum = graph.push("sum", Op::Binary(Arithmetic::Add), vec![x, state], vec![4]);
		let half = graph.push("half", Op::Map(Expr::clip(0.0, 1.0)), vec![sum], vec![4]);
		let next = graph.push("next", Op::Reshape, vec![half], vec![4]);
		graph.carried.push(Carried { state, next });
		graph.output = sum;
		graph.redirect(next, half);
		graph.tidy();
		assert_eq!(graph.nodes.len(), 4);
		assert_eq!(graph.carried, [Carried { state: 1, next: 3 }]);
		assert!(graph.is_result(3) && graph.is_result(2) && !graph.is_result(1));
		assert_eq!(graph.only_user(2, &graph.users()), None);
		assert!(graph.fits(4) && graph.fits(12) && !graph.fits(6) && !graph.fits(0));
		// The sums: 1, then 1 + min(1, 1).
		assert_eq!(graph.run(&[1.0; 8]), [1.0, 1.0, 1.0, 1.0, 2.0, 2.0, 2.0, 2.0]);
	}
}
