// SPDX-License-Identifier: Apache-2.0

//! Lazy evaluation of one element: what an arbiter runs.

use crate::{
	check::Origin,
	element::read_element,
	ops::{
		broadcast_at, movement::Source, scalar, scalar::Pointwise, unravel, At, AvgPool, Conv,
		Family, Resize, TransposeConv,
	},
	CheckedProgram, DType, EvalError, Interpolation, Layout, Leaf, Node, Reduction, TensorType,
	ValueId,
};
use alloc::vec::Vec;

/// The tensors that an element is recomputed from.
pub trait LeafSource {
	/// Element `index`, in storage order inside one iteration's tensor, of `leaf`; `None` if it is
	/// not at hand.
	fn read(&self, leaf: Leaf, index: u64) -> Option<i32>;
}

/// Recomputes element `index` (in storage order) of checkpoint number `checkpoint` from inputs,
/// constants, states and *other* checkpoints. Inline constants are read from the program.
///
/// Work is taken from `budget` as in [`CheckedProgram::macs`]: one for each multiply-accumulate or
/// elementwise step. The cost that [`analyse`](crate::analyse) states is enough for any element. What
/// is shared is computed again each time it is needed.
pub fn eval_element(
	program: &CheckedProgram,
	source: &impl LeafSource,
	checkpoint: u16,
	index: u64,
	budget: &mut u64,
) -> Result<i32, EvalError> {
	let leaf = Leaf::Checkpoint(checkpoint);
	let (ty, layout) = program.leaf_type(leaf).ok_or(EvalError::UnknownCheckpoint)?;
	if index >= ty.elements() {
		return Err(EvalError::OutOfRange);
	}
	let at = locate(index, ty, layout).ok_or(EvalError::Inconsistent)?;
	let value = program.leaf_value(leaf).ok_or(EvalError::Inconsistent)?;
	let node = program.value_node(value).ok_or(EvalError::Inconsistent)?;
	Evaluator { program, source, budget }.node(node, &at)
}

/// Coordinates of the element stored at `index`.
pub(crate) fn locate(index: u64, ty: &TensorType, layout: &Layout) -> Option<At> {
	if layout.0.is_empty() {
		return Some(unravel(index, &ty.shape));
	}
	let mut stored = Vec::with_capacity(layout.0.len());
	for axis in &layout.0 {
		stored.push(*ty.shape.get(*axis as usize)?);
	}
	let stored = unravel(index, &stored);
	let mut at = At::default();
	for (axis, place) in layout.0.iter().zip(stored) {
		*at.get_mut(*axis as usize)? = place;
	}
	Some(at)
}

struct Evaluator<'a, S> {
	program: &'a CheckedProgram,
	source: &'a S,
	budget: &'a mut u64,
}

/// The elements of a value along one axis, from given coordinates on.
enum Line<'a> {
	Leaf { leaf: Leaf, dtype: DType, base: u64, stride: u64 },
	Inline { bytes: &'a [u8], dtype: DType, base: u64, stride: u64 },
	Node { node: u16, at: At, axis: usize },
}

impl<'a, S: LeafSource> Evaluator<'a, S> {
	fn spend(&mut self, steps: u64) -> Result<(), EvalError> {
		*self.budget = self.budget.checked_sub(steps).ok_or(EvalError::OutOfBudget)?;
		Ok(())
	}

	fn ty(&self, value: ValueId) -> Result<&'a TensorType, EvalError> {
		self.program.value_type(value).ok_or(EvalError::Inconsistent)
	}

	fn extent(&self, value: ValueId, axis: usize) -> Result<u32, EvalError> {
		self.ty(value)?.shape.get(axis).copied().ok_or(EvalError::Inconsistent)
	}

	fn line(&self, value: ValueId, at: At, axis: usize) -> Result<Line<'a>, EvalError> {
		let program: &'a CheckedProgram = self.program;
		let value = program.value(value).ok_or(EvalError::Inconsistent)?;
		let offset = |sum: u64, (stride, place): (&u64, &u32)| {
			sum.saturating_add(stride.saturating_mul(*place as u64))
		};
		let base = value.strides.iter().zip(&at).fold(0, offset);
		let stride = value.strides.get(axis).copied().unwrap_or(0);
		let dtype = value.ty.dtype;
		Ok(match value.origin {
			Origin::Leaf(leaf) => Line::Leaf { leaf, dtype, base, stride },
			Origin::Inline(constant) => {
				let bytes = program.inline(constant).ok_or(EvalError::Inconsistent)?;
				Line::Inline { bytes, dtype, base, stride }
			}
			Origin::Node(node) => Line::Node { node, at, axis },
		})
	}

	fn get(&mut self, line: &Line<'a>, along: u32) -> Result<i32, EvalError> {
		match line {
			Line::Leaf { leaf, dtype, base, stride } => {
				let index = base.saturating_add(stride.saturating_mul(along as u64));
				// The source's word is wrapped, so that no source can step outside a type.
				let read = self.source.read(*leaf, index).map(|value| dtype.wrap(value));
				read.ok_or(EvalError::Missing { leaf: *leaf, index })
			}
			Line::Inline { bytes, dtype, base, stride } => {
				let index = base.saturating_add(stride.saturating_mul(along as u64));
				read_element(*dtype, bytes, index).ok_or(EvalError::Inconsistent)
			}
			Line::Node { node, at, axis } => {
				let mut at = *at;
				if let Some(place) = at.get_mut(*axis) {
					*place = place.saturating_add(along);
				}
				self.node(*node, &at)
			}
		}
	}

	fn value(&mut self, value: ValueId, at: At) -> Result<i32, EvalError> {
		let line = self.line(value, at, 0)?;
		self.get(&line, 0)
	}

	/// One element of a node's result. Recursion is bounded by the depth that the check allows.
	fn node(&mut self, number: u16, at: &At) -> Result<i32, EvalError> {
		let program: &'a CheckedProgram = self.program;
		let node = program.node(number).ok_or(EvalError::Inconsistent)?;
		self.spend(program.node_steps(number))?;
		match Family::of(&node.op) {
			Family::Conv(conv) => {
				let [input, weight, bias] = operands(node)?;
				let [batch, row, column, out, ..] = *at;
				let sum = self.bias(bias, out)?;
				let from = ([batch, 0, 0, 0, 0, 0], [out, 0, 0, 0, 0, 0]);
				self.plane(&conv, [input, weight], from, 1, [row, column], sum)
			}
			Family::Conv3d(conv) => {
				let [input, weight, bias] = operands(node)?;
				let [batch, slice, row, column, out, ..] = *at;
				let (d, kd) = (self.extent(input, 1)?, self.extent(weight, 1)?);
				let mut sum = self.bias(bias, out)?;
				for kz in 0..kd {
					let Some(z) = conv.depth.tap(slice, kz, d) else { continue };
					let from = ([batch, z, 0, 0, 0, 0], [out, kz, 0, 0, 0, 0]);
					sum = self.plane(&conv.plane, [input, weight], from, 2, [row, column], sum)?;
				}
				Ok(sum)
			}
			Family::Depthwise(conv) => self.depthwise(&conv, node, at),
			Family::TransposeConv(conv) => self.transpose_conv(&conv, node, at),
			Family::AvgPool(pool) => self.avg_pool(&pool, node, at),
			Family::Resize(resize) => self.resize(&resize, node, at),
			Family::MatMul { a_zero_point, b_zero_point } => {
				let [a, b] = operands(node)?;
				let [batch, row, column, ..] = *at;
				let depth = self.extent(a, 2)?;
				let a = self.line(a, [batch, row, 0, 0, 0, 0], 2)?;
				let b = self.line(b, [batch, 0, column, 0, 0, 0], 1)?;
				self.products(&a, &b, depth, [a_zero_point, b_zero_point], 0)
			}
			Family::MaxPool { kernel: [height, width], grid } => {
				let [a] = operands(node)?;
				let [batch, row, column, channel, ..] = *at;
				let (h, w) = (self.extent(a, 1)?, self.extent(a, 2)?);
				let mut largest = self.ty(a)?.dtype.min();
				for ky in 0..height {
					let Some(y) = grid.vertical.tap(row, ky, h) else { continue };
					for kx in 0..width {
						let Some(x) = grid.horizontal.tap(column, kx, w) else { continue };
						largest = largest.max(self.value(a, [batch, y, x, channel, 0, 0])?);
					}
				}
				Ok(largest)
			}
			Family::ArgMax { axis } => {
				let [a] = operands(node)?;
				let line = self.line(a, insert_axis(at, axis), axis)?;
				let (mut best, mut largest) = (0, self.get(&line, 0)?);
				for along in 1..self.extent(a, axis)? {
					let element = self.get(&line, along)?;
					if element > largest {
						(best, largest) = (along, element);
					}
				}
				Ok(best as i32)
			}
			Family::Reduce { reduction, axis } => {
				let [a] = operands(node)?;
				self.reduce(reduction, a, *at, axis)
			}
			Family::Pointwise(op) => self.pointwise(op, node, number, at),
			Family::Table => {
				let [a, table] = operands(node)?;
				let dtype = self.ty(a)?.dtype;
				let element = self.value(a, *at)?;
				let (entry, fraction) = scalar::table_entry(dtype, element);
				let line = self.line(table, At::default(), 0)?;
				let first = self.get(&line, entry)?;
				if dtype == DType::I16 {
					let next = self.get(&line, entry.saturating_add(1))?;
					Ok(scalar::interpolate(first, next, fraction))
				} else {
					Ok(first)
				}
			}
			Family::Gather => {
				let [values, indices] = operands(node)?;
				let [batch, row, column, ..] = *at;
				let index = self.value(indices, [batch, row, 0, 0, 0, 0])?;
				let index = scalar::limit_index(index, self.extent(values, 1)?);
				self.value(values, [batch, index, column, 0, 0, 0])
			}
			Family::Scatter => {
				let [values, indices, input] = operands(node)?;
				let [batch, row, column, ..] = *at;
				let rows = self.extent(values, 1)?;
				let line = self.line(indices, [batch, 0, 0, 0, 0, 0], 1)?;
				for place in (0..self.extent(indices, 1)?).rev() {
					if scalar::limit_index(self.get(&line, place)?, rows) == row {
						return self.value(input, [batch, place, column, 0, 0, 0]);
					}
				}
				self.value(values, *at)
			}
			Family::Movement(movement) => {
				let operand_type = |operand: usize| {
					node.operands.get(operand).and_then(|value| program.value_type(*value))
				};
				match movement.source(at, operand_type).ok_or(EvalError::Inconsistent)? {
					Source::Fill(value) => Ok(value),
					Source::Operand(operand, from) => {
						let operand = node.operands.get(operand).ok_or(EvalError::Inconsistent)?;
						self.value(*operand, from)
					}
				}
			}
		}
	}

	/// The bias of filter `out`: its own, or the only one.
	fn bias(&mut self, bias: ValueId, out: u32) -> Result<i32, EvalError> {
		let place = if self.extent(bias, 0)? == 1 { 0 } else { out };
		self.value(bias, [place, 0, 0, 0, 0, 0])
	}

	/// `sum` plus the products of one window of a plane with one filter. The plane of the input and of
	/// the weight lies at the coordinates `from`; its rows are axis `axis` of both, columns and channels
	/// the axes behind it.
	fn plane(
		&mut self,
		conv: &Conv,
		[input, weight]: [ValueId; 2],
		from: (At, At),
		axis: usize,
		[row, column]: [u32; 2],
		mut sum: i32,
	) -> Result<i32, EvalError> {
		let (across, inner) = (axis.saturating_add(1), axis.saturating_add(2));
		let (h, w) = (self.extent(input, axis)?, self.extent(input, across)?);
		let (kh, kw) = (self.extent(weight, axis)?, self.extent(weight, across)?);
		let channels = self.extent(weight, inner)?;
		let at = |mut at: At, y: u32, x: u32| {
			for (axis, place) in [(axis, y), (across, x)] {
				if let Some(coordinate) = at.get_mut(axis) {
					*coordinate = place;
				}
			}
			at
		};
		for ky in 0..kh {
			let Some(y) = conv.grid.vertical.tap(row, ky, h) else { continue };
			for kx in 0..kw {
				let Some(x) = conv.grid.horizontal.tap(column, kx, w) else { continue };
				let a = self.line(input, at(from.0, y, x), inner)?;
				let b = self.line(weight, at(from.1, ky, kx), inner)?;
				let zeros = [conv.input_zero_point, conv.weight_zero_point];
				sum = self.products(&a, &b, channels, zeros, sum)?;
			}
		}
		Ok(sum)
	}

	/// `sum` plus the products of the first `depth` elements of two lines.
	fn products(
		&mut self,
		a: &Line<'a>,
		b: &Line<'a>,
		depth: u32,
		[a_zero, b_zero]: [i32; 2],
		mut sum: i32,
	) -> Result<i32, EvalError> {
		for c in 0..depth {
			let (a, b) = (self.get(a, c)?, self.get(b, c)?);
			sum = scalar::multiply_add(sum, a, a_zero, b, b_zero);
		}
		Ok(sum)
	}

	fn depthwise(&mut self, conv: &Conv, node: &Node, at: &At) -> Result<i32, EvalError> {
		let [input, weight, bias] = operands(node)?;
		let [batch, row, column, out, ..] = *at;
		let (h, w) = (self.extent(input, 1)?, self.extent(input, 2)?);
		let (kh, kw) = (self.extent(weight, 0)?, self.extent(weight, 1)?);
		let filters = self.extent(weight, 3)?.max(1);
		let (channel, filter) = (out / filters, out % filters);
		let mut sum = self.bias(bias, out)?;
		for ky in 0..kh {
			let Some(y) = conv.grid.vertical.tap(row, ky, h) else { continue };
			for kx in 0..kw {
				let Some(x) = conv.grid.horizontal.tap(column, kx, w) else { continue };
				let a = self.value(input, [batch, y, x, channel, 0, 0])?;
				let b = self.value(weight, [ky, kx, channel, filter, 0, 0])?;
				let (a_zero, b_zero) = (conv.input_zero_point, conv.weight_zero_point);
				sum = scalar::multiply_add(sum, a, a_zero, b, b_zero);
			}
		}
		Ok(sum)
	}

	fn transpose_conv(
		&mut self,
		conv: &TransposeConv,
		node: &Node,
		at: &At,
	) -> Result<i32, EvalError> {
		let [input, weight, bias] = operands(node)?;
		let [batch, row, column, out, ..] = *at;
		let (h, w) = (self.extent(input, 1)?, self.extent(input, 2)?);
		let (kh, kw) = (self.extent(weight, 1)?, self.extent(weight, 2)?);
		let channels = self.extent(weight, 3)?;
		let [down, across] = conv.spread;
		let mut sum = self.bias(bias, out)?;
		for y in down.reach(row, kh, h) {
			let ky = down.tap(row, y);
			for x in across.reach(column, kw, w) {
				let kx = across.tap(column, x);
				let a = self.line(input, [batch, y, x, 0, 0, 0], 3)?;
				let b = self.line(weight, [out, ky, kx, 0, 0, 0], 3)?;
				let zeros = [conv.input_zero_point, conv.weight_zero_point];
				sum = self.products(&a, &b, channels, zeros, sum)?;
			}
		}
		Ok(sum)
	}

	fn avg_pool(&mut self, pool: &AvgPool, node: &Node, at: &At) -> Result<i32, EvalError> {
		let [a] = operands(node)?;
		let [batch, row, column, channel, ..] = *at;
		let (h, w) = (self.extent(a, 1)?, self.extent(a, 2)?);
		let [height, width] = pool.kernel;
		let (mut sum, mut count) = (0i32, 0u32);
		for ky in 0..height {
			let Some(y) = pool.grid.vertical.tap(row, ky, h) else { continue };
			for kx in 0..width {
				let Some(x) = pool.grid.horizontal.tap(column, kx, w) else { continue };
				let element = self.value(a, [batch, y, x, channel, 0, 0])?;
				sum = sum.wrapping_add(element.wrapping_sub(pool.input_zero_point));
				count = count.saturating_add(1);
			}
		}
		Ok(scalar::average(self.ty(a)?.dtype, sum, count, pool.output_zero_point))
	}

	fn resize(&mut self, resize: &Resize, node: &Node, at: &At) -> Result<i32, EvalError> {
		let [a] = operands(node)?;
		let [batch, row, column, channel, ..] = *at;
		let [vertical, horizontal] = resize.scales;
		let y = vertical.between(row, self.extent(a, 1)?);
		let x = horizontal.between(column, self.extent(a, 2)?);
		match resize.interpolation {
			Interpolation::Nearest => {
				self.value(a, [batch, y.nearest(), x.nearest(), channel, 0, 0])
			}
			Interpolation::Bilinear => {
				let mut corners = [[0; 2]; 2];
				for (row, y) in corners.iter_mut().zip(y.neighbours) {
					for (corner, x) in row.iter_mut().zip(x.neighbours) {
						*corner = self.value(a, [batch, y, x, channel, 0, 0])?;
					}
				}
				Ok(scalar::bilinear(corners, y.weights, x.weights))
			}
		}
	}

	fn reduce(
		&mut self,
		reduction: Reduction,
		operand: ValueId,
		at: At,
		axis: usize,
	) -> Result<i32, EvalError> {
		let line = self.line(operand, at, axis)?;
		let mut result = scalar::reduction_start(reduction, self.ty(operand)?.dtype);
		for along in 0..self.extent(operand, axis)? {
			let element = self.get(&line, along)?;
			result = scalar::reduction_step(reduction, result, element);
		}
		Ok(result)
	}

	fn pointwise(
		&mut self,
		op: Pointwise,
		node: &Node,
		number: u16,
		at: &At,
	) -> Result<i32, EvalError> {
		let rank = self.ty(self.program.node_value(number))?.rank();
		let mut elements = [0; 3];
		for (element, operand) in elements.iter_mut().zip(&node.operands) {
			let from = broadcast_at(at, rank, &self.ty(*operand)?.shape);
			*element = self.value(*operand, from)?;
		}
		let [first, ..] = node.operands[..] else { return Err(EvalError::Inconsistent) };
		Ok(scalar::pointwise(op, self.ty(first)?.dtype, elements))
	}
}

/// The operands of a node that has `N`.
fn operands<const N: usize>(node: &Node) -> Result<[ValueId; N], EvalError> {
	node.operands.as_slice().try_into().map_err(|_| EvalError::Inconsistent)
}

/// `at` with an axis of coordinate 0 put in at `axis`.
pub(crate) fn insert_axis(at: &At, axis: usize) -> At {
	let mut full = At::default();
	let (before, after) = at.split_at(axis.min(at.len()));
	let places = before.iter().copied().chain(core::iter::once(0)).chain(after.iter().copied());
	for (place, value) in full.iter_mut().zip(places) {
		*place = value;
	}
	full
}
