// SPDX-License-Identifier: Apache-2.0

//! From operators on real numbers to operators on integers.
//!
//! Every reader asks for an operand in the integers that suit it, and gets it from the operand's exact
//! sums, or from the same operand of what the operand only moves or limits: so bias, activation and
//! rounding are never between two tensors that somebody might have to commit. What a product reads is in
//! eight or sixteen bits; everything else is in sixteen, sums in thirty-two.
//!
//! Sixteen-bit operands are limited so that no sum of products can wrap whatever the weights are.

mod elementwise;
mod function;
mod norm;
mod product;
mod reduce;
mod softmax;
mod support;

pub use product::channels_of;
pub use support::unsupported;

use crate::{
	calibrate::{Choices, Method, Range, Ranges},
	emit::{innermost, Emit},
	error::CompileError,
	graph::{same_axis, Graph, NodeId, Op},
	quantise::Quant,
};
use std::collections::HashMap;
use tensornet_tensor::{CheckedProgram, DType, Layout, TensorType, ValueId};

/// What lowering produces.
pub struct Lowered {
	/// The program. Everything that may be committed is.
	pub program: CheckedProgram,
	/// The blobs of its constants: root and bytes.
	pub blobs: Vec<([u8; 32], Vec<u8>)>,
	/// What the integers of the input mean.
	pub input: Quant,
	/// What the integers of the output mean.
	pub output: Quant,
	/// What is carried, in the order of the program: its name, and what its integers mean.
	pub states: Vec<(String, Quant)>,
	/// Where the results of nodes are found in the program.
	pub results: Vec<NodeResult>,
}

/// Where the result of a node is found in the program.
#[derive(Clone, Debug)]
pub struct NodeResult {
	/// The node of the graph.
	pub node: NodeId,
	/// Its value, numbered as in the program.
	pub value: ValueId,
	/// What its integers mean.
	pub quant: Quant,
}

/// Values that calibration has not seen may be larger by this factor before they are limited.
const HEADROOM: f64 = 1.25;

/// The most elements of an output in thirty-two bits; a larger one has sixteen.
const WIDE_OUTPUT: usize = 4096;

/// Where the integers of a node come from.
#[derive(Clone)]
enum Source {
	/// A tensor with a meaning of its own.
	Given(ValueId, Quant),
	/// I32 sums; the value of one unit for each element of the last axis, or for all.
	Sums(ValueId, Vec<f64>),
	/// The operand's integers, moved or limited.
	Derived,
}

struct Lowering<'a> {
	graph: &'a Graph,
	ranges: &'a Ranges,
	choices: &'a Choices,
	method: Method,
	users: Vec<Vec<NodeId>>,
	/// How large sixteen-bit integers of a node may be.
	limits: Vec<i32>,
	/// The work of all products.
	work: u64,
	emit: Emit,
	sources: Vec<Option<Source>>,
	narrow: HashMap<(NodeId, (u8, u64, i32, i32, i32)), ValueId>,
	results: Vec<NodeResult>,
	/// The most iterations of a job.
	iterations: u32,
}

/// The name of the state that holds the results of the iterations.
const HISTORY: &str = "results";

/// Emits the program of a simplified graph in which nothing is unsupported. That of a loop runs up to `iterations`
/// times, and its output has a row for the result of each, the last one at the end.
pub fn lower(
	graph: &Graph,
	ranges: &Ranges,
	choices: &Choices,
	method: Method,
	iterations: u32,
) -> Result<Lowered, CompileError> {
	let mut lowering = Lowering {
		graph,
		ranges,
		choices,
		method,
		users: graph.users(),
		limits: product::limits(graph),
		work: (0..graph.nodes.len()).map(|id| graph.work(id)).sum(),
		emit: Emit::default(),
		sources: Vec::with_capacity(graph.nodes.len()),
		narrow: HashMap::new(),
		results: Vec::new(),
		iterations: if graph.is_loop() { iterations.max(1) } else { 1 },
	};
	for id in 0..graph.nodes.len() {
		let source = lowering.node(id)?;
		lowering.sources.push(source);
	}
	lowering.finish()
}

impl Lowering<'_> {
	fn refuse(&self, node: NodeId, reason: &str) -> CompileError {
		CompileError::Layer { layer: self.graph.nodes[node].name.clone(), reason: reason.into() }
	}

	fn node(&mut self, id: NodeId) -> Result<Option<Source>, CompileError> {
		let graph = self.graph;
		let node = &graph.nodes[id];
		Ok(Some(match &node.op {
			Op::Input { tokens } => {
				let quant = if *tokens { Quant::i32(1.0) } else { self.operand_quant(id) };
				let ty = TensorType::new(quant.dtype, extents(&node.shape));
				let value = self.emit.input(ty, graph.is_loop())?;
				Source::Given(value, quant)
			}
			Op::State => {
				let quant = if self.is_wide(id) { self.wide(id) } else { self.fine(id) };
				let ty = TensorType::new(quant.dtype, extents(&node.shape));
				Source::Given(self.emit.state(ty)?, quant)
			}
			Op::Constant(_) | Op::Reshape | Op::Transpose { .. } | Op::Pool { .. } => {
				Source::Derived
			}
			Op::Slice { .. } | Op::Reverse { .. } | Op::Concat { .. } => Source::Derived,
			Op::Embed { table } => self.embed(id, table)?,
			Op::Dense { .. } | Op::Conv { .. } => self.affine(id)?,
			Op::MatMul => self.mat_mul(id)?,
			Op::Map(expr) if function::derived(expr) => Source::Derived,
			Op::Map(expr) => match (expr.square(), expr.root()) {
				(Some(factor), _) if factor > 0.0 => self.square(id, factor)?,
				(_, Some((factor, offset))) => self.root(id, factor, offset)?,
				_ => self.function(id, expr)?,
			},
			Op::Binary(operator) => self.binary(id, *operator)?,
			Op::Reduce { reduction, axes } => self.reduce(id, *reduction, axes)?,
			Op::LayerNorm { axis, epsilon, gamma, beta } => {
				self.layer_norm(id, *axis, *epsilon, gamma, beta)?
			}
			Op::Softmax { .. } if self.is_end(id) => return Ok(None),
			Op::Softmax { axis } => self.softmax(id, *axis)?,
			Op::OneHot => return Err(self.refuse(id, "only in front of a product")),
		}))
	}

	/// Whether a node is the output, or only moved to become it.
	fn is_end(&self, id: NodeId) -> bool {
		id == self.graph.output
			|| match self.users[id].as_slice() {
				[user] => self.graph.nodes[*user].op.is_movement() && self.is_end(*user),
				_ => false,
			}
	}

	/// The node whose elements a node moves.
	fn origin(&self, id: NodeId) -> NodeId {
		crate::calibrate::origin(self.graph, id)
	}

	fn range(&self, id: NodeId) -> &Range {
		&self.ranges[self.origin(id)]
	}

	/// Sixteen bits for everything that a node was seen to be, and more.
	fn fine(&self, id: NodeId) -> Quant {
		let limit = self.limits[self.origin(id)];
		Quant::i16(self.range(id).largest() * HEADROOM, limit)
	}

	/// Whether a node is a state, or a view of one, that no sum of products reads. It is carried in thirty-two bits:
	/// what is added to it again and again may be far smaller than itself.
	fn is_wide(&self, id: NodeId) -> bool {
		let state = self.origin(id);
		let mut pending = vec![state];
		while let Some(id) = pending.pop() {
			for user in &self.users[id] {
				match &self.graph.nodes[*user].op {
					Op::Binary(_) | Op::Map(_) => {}
					op if op.is_view() => pending.push(*user),
					_ => return false,
				}
			}
		}
		self.graph.nodes[state].op == Op::State
	}

	/// Thirty-two bits for everything that a node was seen to be, and more.
	fn wide(&self, id: NodeId) -> Quant {
		Quant::i32((self.range(id).largest() * HEADROOM / (1 << 30) as f64).max(1e-18))
	}

	/// What a product reads of a node.
	fn operand_quant(&self, id: NodeId) -> Quant {
		if self.choices.bytes[self.origin(id)] {
			let (low, high) = self.range(id).limits(self.method);
			Quant::i8(low, high)
		} else {
			self.fine(id)
		}
	}

	/// What one unit of a node's integers is worth, if products alone read it, all of them in eight bits.
	fn byte_step(&self, id: NodeId) -> Option<f64> {
		let mut pending = vec![id];
		while let Some(id) = pending.pop() {
			if id == self.graph.output || self.users[id].is_empty() {
				return None;
			}
			for user in &self.users[id] {
				match &self.graph.nodes[*user].op {
					op if op.is_product() => {}
					op if op.is_view() => pending.push(*user),
					_ => return None,
				}
			}
		}
		let quant = self.operand_quant(id);
		(quant.dtype == DType::I8).then_some(quant.unit)
	}

	/// The integers of a node as `quant` says.
	fn integers(&mut self, id: NodeId, quant: Quant) -> Result<ValueId, CompileError> {
		if let Some(value) = self.narrow.get(&(id, quant.key())) {
			return Ok(*value);
		}
		let value = match self.sources[id].clone() {
			Some(Source::Given(value, given)) if given.key() == quant.key() => value,
			Some(Source::Sums(value, units))
				if units.len() == 1 && Quant::i32(units[0]).key() == quant.key() =>
			{
				value
			}
			Some(Source::Given(value, given)) => {
				self.rounded(id, value, given.zero, &[given.unit], &quant)?
			}
			Some(Source::Sums(value, units)) => self.rounded(id, value, 0, &units, &quant)?,
			Some(Source::Derived) => self.derived(id, quant)?,
			None => return Err(self.refuse(id, "softmax is only possible as the last layer")),
		};
		self.narrow.insert((id, quant.key()), value);
		Ok(value)
	}

	fn rounded(
		&mut self,
		id: NodeId,
		value: ValueId,
		zero: i32,
		units: &[f64],
		quant: &Quant,
	) -> Result<ValueId, CompileError> {
		let rounded = self.emit.requantise(value, zero, units, quant)?;
		rounded.ok_or_else(|| self.refuse(id, "its numbers are too large for what reads them"))
	}

	/// Like [`integers`](Self::integers), of a tensor that is worth committing. Where readers combine
	/// elements along `axis`, these should lie together.
	fn operand(
		&mut self,
		id: NodeId,
		quant: Quant,
		axis: Option<usize>,
	) -> Result<ValueId, CompileError> {
		let value = self.integers(id, quant)?;
		let (mut below, mut axis) = (id, axis);
		while let ([x], true) =
			(self.graph.nodes[below].inputs.as_slice(), self.graph.nodes[below].op.is_view())
		{
			axis = axis.and_then(|axis| match &self.graph.nodes[below].op {
				Op::Transpose { permutation } => permutation.get(axis).copied(),
				Op::Reshape => {
					same_axis(&self.graph.nodes[below].shape, &self.graph.nodes[*x].shape, axis)
				}
				_ => Some(axis),
			});
			below = *x;
		}
		let committed = self.integers(below, quant)?;
		let rank = self.graph.nodes[below].shape.len();
		let layout = axis.map_or(Layout::row_major(), |axis| innermost(rank, axis));
		self.emit.candidate(committed, layout);
		if self.results.iter().all(|result| result.value != committed) {
			self.results.push(NodeResult { node: below, value: committed, quant });
		}
		Ok(value)
	}

	/// The integers of what moves or limits its operands.
	fn derived(&mut self, id: NodeId, quant: Quant) -> Result<ValueId, CompileError> {
		let graph = self.graph;
		let node = &graph.nodes[id];
		let shape = extents(&node.shape);
		let x = node.inputs.first().copied();
		let of = |x: Option<NodeId>| x.ok_or_else(|| self.refuse(id, "it has no operand"));
		Ok(match &node.op {
			Op::Constant(tensor) => {
				let integers: Vec<i32> =
					tensor.data.iter().map(|value| quant.of(*value as f64)).collect();
				self.emit.constant(quant.dtype, &shape, &integers)?
			}
			Op::Reshape => {
				let x = self.integers(of(x)?, quant)?;
				self.emit.reshape(x, &shape)?
			}
			Op::Transpose { permutation } => {
				let x = self.integers(of(x)?, quant)?;
				let permutation = permutation.iter().map(|axis| *axis as u8).collect();
				self.emit.op(tensornet_tensor::Op::Transpose { permutation }, &[x])?
			}
			Op::Slice { start } => {
				let x = self.integers(of(x)?, quant)?;
				let op = tensornet_tensor::Op::Slice { start: extents(start), size: shape };
				self.emit.op(op, &[x])?
			}
			Op::Reverse { axis } => {
				let x = self.integers(of(x)?, quant)?;
				self.emit.op(tensornet_tensor::Op::Reverse { axis: *axis as u8 }, &[x])?
			}
			Op::Concat { axis } => {
				let parts = node.inputs.iter().map(|part| self.operand(*part, quant, None));
				let parts = parts.collect::<Result<Vec<_>, _>>()?;
				self.emit.op(tensornet_tensor::Op::Concat { axis: *axis as u8 }, &parts)?
			}
			Op::Pool { pool, kernel, window } => {
				let x = self.operand(of(x)?, quant, None)?;
				self.pool(*pool, *kernel, window, x, &quant)?
			}
			Op::Reduce { reduction, axes } => self.extremes(of(x)?, *reduction, axes, quant)?,
			Op::Map(expr) => self.limited(of(x)?, expr, quant)?,
			_ => return Err(self.refuse(id, "it has no integers")),
		})
	}

	fn finish(mut self) -> Result<Lowered, CompileError> {
		let graph = self.graph;
		let mut end = graph.output;
		// A softmax keeps the order: the program ends with what comes before it.
		let mut moves = Vec::new();
		while graph.nodes[end].op.is_movement() && self.sources[end].is_some() {
			let inner = graph.nodes[end].inputs[0];
			if graph.nodes[end].inputs.len() != 1 || !self.leads_to_softmax(inner) {
				break;
			}
			moves.push(end);
			end = inner;
		}
		if matches!(graph.nodes[end].op, Op::Softmax { .. }) && self.sources[end].is_none() {
			end = graph.nodes[end].inputs[0];
		}
		let elements: usize = graph.nodes[end].shape.iter().product();
		let elements = elements.saturating_mul(self.iterations as usize);
		let largest = self.range(end).largest();
		let quant = if elements <= WIDE_OUTPUT {
			Quant::i32((largest / (1 << 20) as f64).max(1e-12))
		} else {
			Quant::i16(largest * HEADROOM, i16::MAX as i32)
		};
		let mut value = self.operand(end, quant, None)?;
		for id in moves.into_iter().rev() {
			value = self.moved(id, value)?;
		}
		let mut states = Vec::new();
		for carried in &graph.carried {
			let Some(Source::Given(state, quant)) = self.sources[carried.state] else {
				return Err(self.refuse(carried.state, "not a state"));
			};
			let next = self.operand(carried.next, quant, None)?;
			self.emit.next(state, next)?;
			states.push((state, (graph.nodes[carried.state].name.clone(), quant)));
		}
		// As the program numbers them.
		states.sort_by_key(|(state, _)| *state);
		let mut states: Vec<(String, Quant)> = states.into_iter().map(|(_, named)| named).collect();
		if self.iterations > 1 {
			value = self.history(value, quant.dtype)?;
			states.push((HISTORY.into(), quant));
		}
		let input = match graph.input().and_then(|input| self.sources[input].clone()) {
			Some(Source::Given(_, quant)) => quant,
			_ => Quant::i32(1.0),
		};
		let mut values: Vec<ValueId> = self.results.iter().map(|result| result.value).collect();
		let (program, blobs) = self.emit.finish(value, &mut values)?;
		for (result, value) in self.results.iter_mut().zip(values) {
			result.value = value;
		}
		Ok(Lowered { program, blobs, input, output: quant, states, results: self.results })
	}

	/// The results of all iterations so far, one a row, with `value` as the last. A job's outputs are those of its
	/// last iteration alone.
	fn history(&mut self, value: ValueId, dtype: DType) -> Result<ValueId, CompileError> {
		let width = self.emit.shape(value).iter().product();
		let rows = self.iterations;
		let state = self.emit.state(TensorType::new(dtype, [rows, width]))?;
		let op = tensornet_tensor::Op::Slice { start: vec![1, 0], size: vec![rows - 1, width] };
		let older = self.emit.op(op, &[state])?;
		let row = self.emit.reshape(value, &[1, width])?;
		let all = self.emit.op(tensornet_tensor::Op::Concat { axis: 0 }, &[older, row])?;
		self.emit.next(state, all)?;
		self.emit.iterations(rows);
		Ok(all)
	}

	fn leads_to_softmax(&self, mut id: NodeId) -> bool {
		while self.graph.nodes[id].op.is_movement() && self.graph.nodes[id].inputs.len() == 1 {
			id = self.graph.nodes[id].inputs[0];
		}
		matches!(self.graph.nodes[id].op, Op::Softmax { .. }) && self.sources[id].is_none()
	}

	/// A movement of a value that is not the node's own operand.
	fn moved(&mut self, id: NodeId, value: ValueId) -> Result<ValueId, CompileError> {
		let node = &self.graph.nodes[id];
		Ok(match &node.op {
			Op::Transpose { permutation } => {
				let permutation = permutation.iter().map(|axis| *axis as u8).collect();
				self.emit.op(tensornet_tensor::Op::Transpose { permutation }, &[value])?
			}
			Op::Slice { start } => {
				let (start, size) = (extents(start), extents(&node.shape));
				self.emit.op(tensornet_tensor::Op::Slice { start, size }, &[value])?
			}
			Op::Reverse { axis } => {
				let op = tensornet_tensor::Op::Reverse { axis: *axis as u8 };
				self.emit.op(op, &[value])?
			}
			_ => self.emit.reshape(value, &extents(&node.shape))?,
		})
	}
}

/// A shape as the program writes it.
fn extents(shape: &[usize]) -> Vec<u32> {
	shape.iter().map(|extent| *extent as u32).collect()
}

/// The unit in which sums up to `largest` leave room in thirty-two bits.
fn sum_unit(largest: f64) -> f64 {
	(largest / (1 << 26) as f64).max(1e-18)
}
