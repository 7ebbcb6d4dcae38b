// SPDX-License-Identifier: Apache-2.0

//! Products with constant weights, products of two computed matrices, table lookups.

use super::{extents, sum_unit, Lowering, Source, HEADROOM};
use crate::{
	emit::{innermost, Emit},
	error::CompileError,
	graph::{transpose, Graph, NodeId, Op, Tensor, Window},
	quantise::{planes, shift, weights, whole, Quant, Weights, TWO_PLANES},
};
use tensornet_tensor as program;
use tensornet_tensor::{Binary, DType, Layout, ValueId};

/// Kept free in a sum for the bias.
const BIAS_LIMIT: i64 = 1 << 26;

/// A product whose share of the model's work is below one in this many gets weights of two planes where its operand has
/// sixteen bits. Where operands are in eight bits as far as an error allows, all products of no more work count together:
/// time is what such a model is to save, and many small products are no small share.
const CHEAP: u64 = 64;

/// How large the sixteen-bit integers of each node may be so that no product that reads them wraps.
pub fn limits(graph: &Graph) -> Vec<i32> {
	let free = i32::MAX as i64 - BIAS_LIMIT;
	let mut limits = vec![i16::MAX as i64; graph.nodes.len()];
	for (id, node) in graph.nodes.iter().enumerate().rev() {
		let taps = graph.taps(id).max(1) as i64;
		let own = match &node.op {
			Op::Dense { .. } | Op::Conv { .. } => free / (128 * taps),
			Op::MatMul => ((free / taps) as f64).sqrt() as i64,
			op if op.is_view() => limits[id],
			_ => continue,
		};
		for input in &node.inputs {
			limits[*input] = limits[*input].min(own);
		}
	}
	limits.into_iter().map(|limit| limit.max(255) as i32).collect()
}

/// The channel of the operand that the weight at an index is multiplied with.
pub fn channels_of(op: &Op, outs: usize) -> impl Fn(usize) -> usize {
	let (is_dense, depth, each) = match op {
		Op::Conv { weight, groups, .. } => (false, weight.shape[3], outs / groups),
		_ => (true, 1, 1),
	};
	let taps = match op {
		Op::Conv { weight, .. } => weight.shape[1..].iter().product(),
		_ => 1,
	};
	move |at| match is_dense {
		true => at / outs,
		false => at / taps / each * depth + at % depth,
	}
}

impl Lowering<'_> {
	/// Whether what reads a table combines one column of many rows, rather than one row.
	fn reads_columns(&self, id: NodeId) -> bool {
		let last = |id: NodeId| self.graph.nodes[id].shape.len() - 1;
		self.users[id].iter().any(|user| match &self.graph.nodes[*user].op {
			Op::Reshape => self.reads_columns(*user),
			Op::LayerNorm { axis, .. } => *axis != last(id),
			Op::Reduce { axes, .. } => !axes.contains(&last(id)),
			_ => false,
		})
	}

	/// Rows of a table.
	pub(super) fn embed(&mut self, id: NodeId, table: &Tensor) -> Result<Source, CompileError> {
		let node = &self.graph.nodes[id];
		let [rows, width] = [table.shape[0] as u32, table.shape[1] as u32];
		let largest = table.data.iter().fold(0f64, |max, x| max.max(x.abs() as f64));
		let limit = self.limits[id];
		let quant = Quant::i16(largest, limit);
		let entries: Vec<i32> = table.data.iter().map(|x| quant.of(*x as f64)).collect();
		let layout = if self.reads_columns(id) { innermost(3, 1) } else { Layout::row_major() };
		let table = self.emit.blob(DType::I16, &[1, rows, width], layout, &entries)?;
		let tokens = self.integers(node.inputs[0], Quant::i32(1.0))?;
		let count: usize = node.shape.iter().rev().skip(1).product();
		let tokens = self.emit.reshape(tokens, &[1, count as u32])?;
		let mut value = self.emit.op(program::Op::Gather, &[table, tokens])?;
		// The range analysis of the chain does not see into the blob.
		if quant.is_limited() {
			value = self.emit.clamp(value, quant.low, quant.high)?;
		}
		let value = self.emit.reshape(value, &extents(&node.shape))?;
		Ok(Source::Given(value, quant))
	}

	/// What a second plane of weights costs: the work of the product or, where operands are in eight bits, of all
	/// products with constant weights that have no more of it.
	fn extra_work(&self, id: NodeId) -> u64 {
		let own = self.graph.work(id);
		if !self.choices.bytes.contains(&true) {
			return own;
		}
		let nodes = self.graph.nodes.iter().enumerate();
		let products =
			nodes.filter(|(_, node)| matches!(node.op, Op::Dense { .. } | Op::Conv { .. }));
		products.map(|(id, _)| self.graph.work(id)).filter(|work| *work <= own).sum()
	}

	/// A product with constant weights and its bias.
	pub(super) fn affine(&mut self, id: NodeId) -> Result<Source, CompileError> {
		let graph = self.graph;
		let node = &graph.nodes[id];
		let (weight, bias) = match &node.op {
			Op::Dense { weight, bias } | Op::Conv { weight, bias, .. } => (weight, bias),
			_ => return Err(self.refuse(id, "not a product")),
		};
		let is_dense = matches!(node.op, Op::Dense { .. });
		let quant = self.operand_quant(node.inputs[0]);
		let last = graph.nodes[node.inputs[0]].shape.len() - 1;
		let x = self.operand(node.inputs[0], quant, Some(last))?;
		let outs = bias.len();
		let taps = weight.data.len() / outs;
		let output_of = |at: usize| if is_dense { at % outs } else { at / taps };
		let cheap =
			self.extra_work(id).saturating_mul(CHEAP) < self.work && quant.dtype == DType::I16;
		let two = cheap || self.choices.planes[id];
		let limit = if two { TWO_PLANES } else { 127 };
		// No bias is cut off.
		let room = (BIAS_LIMIT / 2) as f64 * quant.unit;
		let least: Vec<f64> = bias.iter().map(|bias| bias.abs() as f64 / room).collect();
		let rounded = weights(&weight.data, &least, limit, output_of);
		let means = &self.ranges[node.inputs[0]].means;
		let shift = shift(&weight.data, &rounded, means, output_of, channels_of(&node.op, outs));
		let bias: Vec<f64> =
			bias.iter().zip(shift).map(|(bias, shift)| *bias as f64 - shift).collect();
		let Weights { values, units } = rounded;
		let sums: Vec<f64> = units.iter().map(|unit| unit * quant.unit).collect();
		let integer = |unit: &dyn Fn(usize) -> f64, limit: i32| -> Vec<i32> {
			bias.iter().enumerate().map(|(o, b)| whole(*b, unit(o), limit)).collect()
		};
		if !two {
			let bias = integer(&|o| sums[o], BIAS_LIMIT as i32);
			let value = self.multiply(id, x, quant.zero, &values, Some(&bias))?;
			return Ok(Source::Sums(value, sums));
		}
		// Both planes in one unit that leaves room for their sum and the bias, which may be larger than the
		// result that they make together.
		let largest = bias.iter().fold(0f64, |max, bias| max.max(bias.abs()));
		let fine = Quant::i32(sum_unit(self.range(id).largest() * HEADROOM + largest));
		let (high, low) = planes(&values);
		let mut total = None;
		for (plane, weight) in [(high, 128.0), (low, 1.0)] {
			let sum = self.multiply(id, x, quant.zero, &plane, None)?;
			let units: Vec<f64> = sums.iter().map(|unit| unit * weight).collect();
			let part = self.rounded(id, sum, 0, &units, &fine)?;
			let part = self.emit.clamp(part, -(1 << 29), 1 << 29)?;
			total = Some(match total {
				None => part,
				Some(total) => self.emit.binary(Binary::Add, total, part)?,
			});
		}
		let total = total.ok_or_else(|| self.refuse(id, "no weights"))?;
		let value = self.add_bias(total, &integer(&|_| fine.unit, 1 << 29))?;
		Ok(Source::Sums(value, vec![fine.unit]))
	}

	/// Adds a number to each element of the last axis of an I32 value.
	fn add_bias(&mut self, value: ValueId, bias: &[i32]) -> Result<ValueId, CompileError> {
		if bias.iter().all(|bias| *bias == 0) {
			return Ok(value);
		}
		let mut shape = vec![1; self.emit.shape(value).len()];
		if let Some(last) = shape.last_mut() {
			*last = bias.len() as u32;
		}
		let bias = self.emit.constant(DType::I32, &shape, bias)?;
		Ok(self.emit.binary(Binary::Add, value, bias)?)
	}

	/// Products of a node's operand with integer weights in the order of the model: I32 sums.
	fn multiply(
		&mut self,
		id: NodeId,
		x: ValueId,
		zero: i32,
		values: &[i32],
		bias: Option<&[i32]>,
	) -> Result<ValueId, CompileError> {
		let graph = self.graph;
		let node = &graph.nodes[id];
		match &node.op {
			Op::Conv { weight, window, groups, .. } => {
				self.convolve(x, zero, values, bias, &weight.shape, window, *groups)
			}
			Op::Dense { weight, .. } => {
				let [taps, outs] = [weight.shape[0] as u32, weight.shape[1] as u32];
				let shape = extents(&node.shape);
				let weight =
					self.emit.blob(DType::I8, &[1, taps, outs], innermost(3, 1), values)?;
				let rows: u32 = shape.iter().rev().skip(1).product();
				let x = self.emit.reshape(x, &[1, rows, taps])?;
				let op = program::Op::MatMul { a_zero_point: zero as i16, b_zero_point: 0 };
				let sums = self.emit.op(op, &[x, weight])?;
				let sums = self.emit.reshape(sums, &shape)?;
				bias.map_or(Ok(sums), |bias| self.add_bias(sums, bias))
			}
			_ => Err(self.refuse(id, "not a product")),
		}
	}

	/// A convolution; one with groups in parts, or as one with a kernel for each channel.
	#[allow(clippy::too_many_arguments)]
	fn convolve(
		&mut self,
		x: ValueId,
		zero: i32,
		values: &[i32],
		bias: Option<&[i32]>,
		shape: &[usize],
		window: &Window,
		groups: usize,
	) -> Result<ValueId, CompileError> {
		let [outs, height, width, depth] = [shape[0], shape[1], shape[2], shape[3]];
		let window = window_of(window);
		let (input_zero_point, weight_zero_point) = (zero as i16, 0);
		let bias = bias.unwrap_or(&[0]);
		let biases = |emit: &mut Emit, part: std::ops::Range<usize>| {
			let part = if bias.len() == 1 { &bias[..1] } else { &bias[part] };
			emit.inline(DType::I32, &[part.len() as u32], part)
		};
		if depth == 1 && groups > 1 {
			// As `[KH, KW, C, M]`.
			let each = outs / groups;
			let columns = transpose(values, &[groups, each, height, width], &[2, 3, 0, 1]);
			let axes = extents(&[height, width, groups, each]);
			let weight = self.emit.blob(DType::I8, &axes, Layout::new(&[2, 3, 0, 1]), &columns)?;
			let bias = biases(&mut self.emit, 0..outs)?;
			let op = program::Op::DepthwiseConv2d { window, input_zero_point, weight_zero_point };
			return Ok(self.emit.op(op, &[x, weight, bias])?);
		}
		let mut parts = Vec::with_capacity(groups);
		let each = outs / groups;
		let whole = self.emit.shape(x);
		for group in 0..groups {
			let x = if groups == 1 {
				x
			} else {
				let start = vec![0, 0, 0, (group * depth) as u32];
				let size = vec![whole[0], whole[1], whole[2], depth as u32];
				self.emit.op(program::Op::Slice { start, size }, &[x])?
			};
			let part = group * each..(group + 1) * each;
			let taps = height * width * depth;
			let values = &values[part.start * taps..part.end * taps];
			let axes = extents(&[each, height, width, depth]);
			let weight = self.emit.blob(DType::I8, &axes, Layout::row_major(), values)?;
			let bias = biases(&mut self.emit, part)?;
			let op = program::Op::Conv2d { window, input_zero_point, weight_zero_point };
			parts.push(self.emit.op(op, &[x, weight, bias])?);
		}
		match parts.as_slice() {
			[one] => Ok(*one),
			parts => Ok(self.emit.op(program::Op::Concat { axis: 3 }, parts)?),
		}
	}

	/// A product of two computed matrices.
	pub(super) fn mat_mul(&mut self, id: NodeId) -> Result<Source, CompileError> {
		let graph = self.graph;
		let node = &graph.nodes[id];
		let [left, right] = [node.inputs[0], node.inputs[1]];
		let rank = node.shape.len();
		let [a, b] = [self.operand_quant(left), self.operand_quant(right)];
		let x = self.operand(left, a, Some(rank - 1))?;
		let y = self.operand(right, b, Some(rank - 2))?;
		let batches: usize = node.shape[..rank - 2].iter().product();
		let matrix = |shape: &[usize]| extents(&[batches, shape[rank - 2], shape[rank - 1]]);
		let x = self.emit.reshape(x, &matrix(&graph.nodes[left].shape))?;
		let y = self.emit.reshape(y, &matrix(&graph.nodes[right].shape))?;
		let (a_zero_point, b_zero_point) = (a.zero as i16, b.zero as i16);
		let op = program::Op::MatMul { a_zero_point, b_zero_point };
		let sums = self.emit.op(op, &[x, y])?;
		let sums = self.emit.reshape(sums, &extents(&node.shape))?;
		Ok(Source::Sums(sums, vec![a.unit * b.unit]))
	}
}

/// A window as the program writes it.
pub fn window_of(window: &Window) -> program::Window {
	program::Window {
		pad: window.pad.map(|x| x as u16),
		stride: window.stride.map(|x| x as u16),
		dilation: window.dilation.map(|x| x as u16),
	}
}
