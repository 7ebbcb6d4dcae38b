// SPDX-License-Identifier: Apache-2.0

//! Ranges of values: which results can wrap.

use crate::{
	check::Origin,
	element::read_element,
	ops::{movement::Movement, scalar, scalar::Pointwise, AvgPool, Family, Resize},
	Binary, CheckedProgram, ConstantData, DType, Interpolation, Node, Reduction, TensorType, Unary,
	ValueId, MAX_RANK,
};
use alloc::{vec, vec::Vec};

/// What a value can be, without looking at data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Intervals {
	/// Smallest and largest for each value.
	pub ranges: Vec<(i32, i32)>,
	/// For each node, whether nothing in it can wrap.
	pub exact: Vec<bool>,
}

/// The ranges of all values.
///
/// Inline constants are known. `constants` may hold the stored bytes of others, by number; a constant
/// whose entry is missing or empty can be anything its type allows. Where the right operand of a
/// product is given this way, each of its columns is summed up on its own, which is the sharpest
/// bound there is.
pub fn intervals(program: &CheckedProgram, constants: &[&[u8]]) -> Intervals {
	let known = Known { program, constants };
	let mut ranges: Vec<Range> = Vec::with_capacity(program.value_count());
	let mut exact = Vec::with_capacity(program.program().nodes.len());
	let leaves = program.node_value(0);
	for value in 0..leaves {
		ranges.push(known.leaf(value));
	}
	for (number, node) in program.program().nodes.iter().enumerate() {
		let out = program.value_type(program.node_value(number as u16));
		let dtype = out.map_or(DType::I32, |ty| ty.dtype);
		let Outcome { range, fits } = known.node(node, &ranges);
		// What wraps can be anything; what does not is inside the type.
		let inside = range.low >= dtype.min() as i128 && range.high <= dtype.max() as i128;
		exact.push(fits && inside);
		ranges.push(if fits && inside { range } else { Range::of(dtype) });
	}
	let ranges = ranges.iter().map(|range| (range.low as i32, range.high as i32)).collect();
	Intervals { ranges, exact }
}

/// Exact bounds, wide enough that nothing here overflows them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Range {
	low: i128,
	high: i128,
}

/// The range before wrapping, and whether the steps on the way fit in their types.
struct Outcome {
	range: Range,
	fits: bool,
}

impl From<Range> for Outcome {
	fn from(range: Range) -> Self {
		Self { range, fits: true }
	}
}

impl Range {
	fn new(low: i128, high: i128) -> Self {
		Self { low, high }
	}

	fn of(dtype: DType) -> Self {
		Self::new(dtype.min() as i128, dtype.max() as i128)
	}

	fn join(self, other: Self) -> Self {
		Self::new(self.low.min(other.low), self.high.max(other.high))
	}

	fn join_zero(self) -> Self {
		self.join(Self::new(0, 0))
	}

	fn plus(self, other: Self) -> Self {
		Self::new(self.low + other.low, self.high + other.high)
	}

	fn minus(self, other: Self) -> Self {
		Self::new(self.low - other.high, self.high - other.low)
	}

	fn less(self, value: i32) -> Self {
		self.minus(Self::new(value as i128, value as i128))
	}

	/// The hull of `f` at the corners: the range of any function that is monotone in each argument
	/// when the others are fixed.
	fn corners(a: Self, b: Self, f: impl Fn(i128, i128) -> i128) -> Self {
		let first = f(a.low, b.low);
		[f(a.low, b.high), f(a.high, b.low), f(a.high, b.high)]
			.into_iter()
			.fold(Self::new(first, first), |hull, corner| hull.join(Self::new(corner, corner)))
	}

	fn times(self, other: Self) -> Self {
		Self::corners(self, other, |a, b| a.saturating_mul(b))
	}

	/// The range of sums of at most `count` terms, and of exactly `count` if `all`.
	fn summed(self, count: u64, all: bool) -> Self {
		let term = if all { self } else { self.join_zero() };
		let count = count as i128;
		Self::new(term.low.saturating_mul(count), term.high.saturating_mul(count))
	}

	fn within(self, dtype: DType) -> bool {
		self.low >= dtype.min() as i128 && self.high <= dtype.max() as i128
	}

	fn limited(self, dtype: DType) -> Self {
		let (min, max) = (dtype.min() as i128, dtype.max() as i128);
		Self::new(self.low.clamp(min, max), self.high.clamp(min, max))
	}
}

struct Known<'a> {
	program: &'a CheckedProgram,
	constants: &'a [&'a [u8]],
}

impl<'a> Known<'a> {
	/// Stored bytes of a constant handed in by the caller.
	fn given(&self, value: ValueId) -> Option<(&'a TensorType, &'a [u8])> {
		let program: &'a CheckedProgram = self.program;
		let number = value.checked_sub(program.program().inputs.len() as u16)?;
		let constant = program.program().constants.get(number as usize)?;
		let bytes = self.constants.get(number as usize)?;
		(bytes.len() as u64 == constant.ty.bytes()).then_some((&constant.ty, *bytes))
	}

	fn leaf(&self, value: ValueId) -> Range {
		let Some(known) = self.program.value(value) else { return Range::of(DType::I32) };
		let all = Range::of(known.ty.dtype);
		let bytes = match known.origin {
			Origin::Inline(number) => {
				match self.program.program().constants.get(number as usize).map(|c| &c.data) {
					Some(ConstantData::Inline(bytes)) => Some(bytes.as_slice()),
					Some(ConstantData::Blob(_)) | None => None,
				}
			}
			Origin::Leaf(_) | Origin::Node(_) => self.given(value).map(|(_, bytes)| bytes),
		};
		let Some(bytes) = bytes else { return all };
		let elements = (0..known.ty.elements())
			.map_while(|index| read_element(known.ty.dtype, bytes, index))
			.map(|element| Range::new(element as i128, element as i128));
		elements.reduce(Range::join).unwrap_or(all)
	}

	fn node(&self, node: &Node, ranges: &[Range]) -> Outcome {
		let range = |place: usize| {
			let value = node.operands.get(place).map(|operand| *operand as usize);
			value.and_then(|value| ranges.get(value)).copied().unwrap_or(Range::of(DType::I32))
		};
		let ty = |place: usize| {
			node.operands.get(place).and_then(|operand| self.program.value_type(*operand))
		};
		let dtype = ty(0).map_or(DType::I32, |ty| ty.dtype);
		let extent = |place: usize, axis: usize| {
			ty(place).and_then(|ty| ty.shape.get(axis)).map_or(1, |extent| *extent as u64)
		};
		match Family::of(&node.op) {
			Family::Conv(conv) => {
				let zeros = [conv.input_zero_point, conv.weight_zero_point];
				self.filtered(node, [range(0), range(1), range(2)], zeros, &[0])
			}
			Family::Conv3d(conv) => {
				let zeros = [conv.plane.input_zero_point, conv.plane.weight_zero_point];
				self.filtered(node, [range(0), range(1), range(2)], zeros, &[0])
			}
			Family::Depthwise(conv) => {
				let zeros = [conv.input_zero_point, conv.weight_zero_point];
				self.filtered(node, [range(0), range(1), range(2)], zeros, &[2, 3])
			}
			Family::TransposeConv(conv) => {
				let zeros = [conv.input_zero_point, conv.weight_zero_point];
				self.filtered(node, [range(0), range(1), range(2)], zeros, &[0])
			}
			Family::MatMul { a_zero_point, b_zero_point } => {
				let (a, b) = (range(0).less(a_zero_point), range(1).less(b_zero_point));
				let fits = a.within(DType::I32) && b.within(DType::I32);
				// The columns of every batch.
				let right = node.operands.get(1).copied().unwrap_or(0);
				let columns = self.weighted(right, &[0, 2], b_zero_point, a);
				let range = columns.unwrap_or_else(|| a.times(b).summed(extent(0, 2), false));
				Outcome { range, fits }
			}
			Family::AvgPool(pool) => average(&pool, dtype, range(0)),
			Family::Resize(resize) => resized(&resize, range(0)),
			Family::MaxPool { .. } => {
				// A window in padding gives the type's minimum.
				let a = range(0);
				Range::new(dtype.min() as i128, a.high).into()
			}
			Family::ArgMax { axis } => {
				Range::new(0, (extent(0, axis) as i128).saturating_sub(1)).into()
			}
			Family::Reduce { reduction, axis } => {
				let (a, count) = (range(0), extent(0, axis));
				match reduction {
					Reduction::Sum => {
						let partial = a.summed(count, false);
						Outcome { range: a.summed(count, true), fits: partial.within(DType::I32) }
					}
					Reduction::Max | Reduction::Min => a.into(),
					Reduction::Product => Outcome {
						range: if count == 1 { a } else { Range::of(DType::I32) },
						fits: count == 1,
					},
					Reduction::All | Reduction::Any => Range::of(DType::Bool).into(),
				}
			}
			Family::Pointwise(op) => pointwise(op, dtype, [range(0), range(1), range(2)]),
			Family::Table => {
				let entries = range(1);
				let scale = if dtype == DType::I16 { 128 } else { 1 };
				Range::new(entries.low * scale, entries.high * scale).into()
			}
			Family::Gather => range(0).into(),
			Family::Scatter => range(0).join(range(2)).into(),
			Family::Movement(movement) => {
				let operands = (0..node.operands.len()).map(range).reduce(Range::join);
				let operands = operands.unwrap_or(Range::of(dtype));
				match movement {
					Movement::Pad { value, .. } => {
						operands.join(Range::new(value as i128, value as i128)).into()
					}
					Movement::Concat { .. }
					| Movement::Reshape { .. }
					| Movement::Slice { .. }
					| Movement::Transpose { .. }
					| Movement::Tile
					| Movement::Reverse { .. }
					| Movement::Identity => operands.into(),
				}
			}
		}
	}

	/// A convolution: the sums of the weights that equal coordinates on the axes `filters` make one
	/// filter of, and the bias.
	fn filtered(
		&self,
		node: &Node,
		[input, weight, bias]: [Range; 3],
		[input_zero_point, weight_zero_point]: [i32; 2],
		filters: &[usize],
	) -> Outcome {
		let (a, b) = (input.less(input_zero_point), weight.less(weight_zero_point));
		let fits = a.within(DType::I32) && b.within(DType::I32);
		let weight = node.operands.get(1).copied().unwrap_or(0);
		let shape = self.program.value_type(weight).map_or(&[][..], |ty| &ty.shape);
		let summed = shape.iter().enumerate().filter(|(axis, _)| !filters.contains(axis));
		let taps = summed.fold(1u64, |all, (_, extent)| all.saturating_mul(*extent as u64));
		let known = self.weighted(weight, filters, weight_zero_point, a);
		let products = known.unwrap_or_else(|| a.times(b).summed(taps, false));
		let range = products.plus(bias);
		Outcome { range, fits: fits && products.within(DType::I32) }
	}

	/// The range of all partial sums of `a × (weight − zero_point)` over the weights of any one filter,
	/// if the weights are at hand. A filter has fixed coordinates on the axes `filters`.
	fn weighted(
		&self,
		weight: ValueId,
		filters: &[usize],
		zero_point: i32,
		a: Range,
	) -> Option<Range> {
		let (ty, bytes) = self.given(weight)?;
		let strides = self.program.value(weight)?.strides;
		let axes = |of_filter: bool| {
			let axes = ty.shape.iter().enumerate().rev();
			axes.filter(move |(axis, _)| filters.contains(axis) == of_filter)
				.map(move |(axis, extent)| (*extent, strides.get(axis).copied().unwrap_or(0)))
		};
		let a = a.join_zero();
		let mut hull: Option<Range> = None;
		for base in Places::over(axes(true)) {
			let mut sum = Range::new(0, 0);
			for place in Places::over(axes(false)) {
				let weight = read_element(ty.dtype, bytes, base.saturating_add(place))?;
				let weight = weight.wrapping_sub(zero_point) as i128;
				sum = sum.plus(a.times(Range::new(weight, weight)));
			}
			hull = Some(hull.map_or(sum, |hull| hull.join(sum)));
		}
		hull
	}
}

/// The storage places of all elements of some axes, relative to the first element.
struct Places {
	/// For each axis: extent, stride, coordinate. The first moves fastest; the rest are axes of one
	/// element.
	axes: [(u32, u64, u32); MAX_RANK],
	next: Option<u64>,
}

impl Places {
	fn over(axes: impl Iterator<Item = (u32, u64)>) -> Self {
		let mut all = [(1, 0, 0); MAX_RANK];
		for (place, (extent, stride)) in all.iter_mut().zip(axes) {
			*place = (extent, stride, 0);
		}
		Self { axes: all, next: Some(0) }
	}
}

impl Iterator for Places {
	type Item = u64;

	fn next(&mut self) -> Option<u64> {
		let place = self.next?;
		let mut next = place;
		self.next = None;
		for (extent, stride, at) in &mut self.axes {
			let step = at.saturating_add(1);
			if step < *extent {
				*at = step;
				self.next = Some(next.saturating_add(*stride));
				break;
			}
			next = next.saturating_sub(stride.saturating_mul(*at as u64));
			*at = 0;
		}
		Some(place)
	}
}

/// Sums of up to a whole window; the quotient lies between the smallest and the largest element, or is
/// the 0 of a window in padding.
fn average(pool: &AvgPool, dtype: DType, a: Range) -> Outcome {
	let [height, width] = pool.kernel.map(u64::from);
	let a = a.less(pool.input_zero_point);
	let sums = a.summed(height.saturating_mul(width), false);
	if !a.within(DType::I32) || !sums.within(DType::I32) {
		return Outcome { range: Range::of(dtype), fits: false };
	}
	let zero_point = Range::new(pool.output_zero_point as i128, pool.output_zero_point as i128);
	a.join_zero().plus(zero_point).limited(dtype).into()
}

fn resized(resize: &Resize, a: Range) -> Outcome {
	match resize.interpolation {
		Interpolation::Nearest => a.into(),
		// The weights are never negative and their sum is the product of the numerators.
		Interpolation::Bilinear => {
			let [vertical, horizontal] = resize.scales;
			let whole = vertical.numerator as i128 * horizontal.numerator as i128;
			let range = a.times(Range::new(whole, whole));
			Outcome { range, fits: range.join_zero().within(DType::I32) }
		}
	}
}

fn pointwise(op: Pointwise, dtype: DType, [a, b, c]: [Range; 3]) -> Outcome {
	match op {
		Pointwise::Clamp { min, max } => {
			let clamp = |value: i128| value.min(max as i128).max(min as i128);
			Range::new(clamp(a.low), clamp(a.high)).into()
		}
		Pointwise::Binary(op) => binary(op, dtype, a, b),
		Pointwise::Mul { shift } => {
			let product = a.times(b);
			let wide = product.low >= i64::MIN as i128 && product.high < (i64::MAX as i128) / 2;
			let rounded = |value: i128| {
				if shift == 0 {
					value
				} else {
					(value + (1i128 << (shift - 1))) >> shift
				}
			};
			Outcome { range: Range::new(rounded(product.low), rounded(product.high)), fits: wide }
		}
		Pointwise::ShiftRight { round } => {
			if b.low < 0 || b.high > 31 {
				return Range::of(dtype).into();
			}
			let shifted =
				|a: i128, b: i128| scalar::shift_right(dtype, a as i32, b as i32, round) as i128;
			Range::corners(a, b, shifted).into()
		}
		Pointwise::Unary(op) => unary(op, dtype, a),
		Pointwise::Select => b.join(c).into(),
		Pointwise::Rescale { output, input_zero_point, output_zero_point } => {
			let a = a.less(input_zero_point);
			let product = a.times(b);
			let fits = a.within(DType::I32) && product.high < (i64::MAX as i128) / 2;
			// The shift is taken modulo 64: a range that leaves 0..=63 can mean any shift.
			let (low, high) = if c.low >= 0 && c.high <= 63 {
				(c.low as u32, c.high as u32)
			} else if c.low == c.high {
				((c.low & 63) as u32, (c.low & 63) as u32)
			} else {
				(0, 63)
			};
			let rounded = |value: i128, shift: u32| {
				if shift == 0 {
					value
				} else {
					(value + (1i128 << (shift - 1))) >> shift
				}
			};
			let all = |value: i128| {
				let hull =
					(low..=high).map(|shift| rounded(value, shift)).map(|v| Range::new(v, v));
				hull.reduce(Range::join).unwrap_or(Range::of(DType::I32))
			};
			let scaled = all(product.low).join(all(product.high)).limited(DType::I32);
			let zero = Range::new(output_zero_point as i128, output_zero_point as i128);
			let shifted = scaled.plus(zero);
			Outcome { range: shifted.limited(output), fits: fits && shifted.within(DType::I32) }
		}
		Pointwise::Cast { to } => {
			if to == DType::Bool {
				Range::of(DType::Bool).into()
			} else {
				a.into()
			}
		}
	}
}

fn binary(op: Binary, dtype: DType, a: Range, b: Range) -> Outcome {
	let positive = a.low >= 0 && b.low >= 0;
	match op {
		Binary::Add => a.plus(b).into(),
		Binary::Sub => a.minus(b).into(),
		Binary::IntDiv => {
			if b.low >= 1 {
				Range::corners(a, b, |a, b| a / b).into()
			} else {
				let largest = a.low.abs().max(a.high.abs());
				Range::new(-largest, largest).into()
			}
		}
		Binary::Maximum => Range::new(a.low.max(b.low), a.high.max(b.high)).into(),
		Binary::Minimum => Range::new(a.low.min(b.low), a.high.min(b.high)).into(),
		Binary::BitwiseAnd if positive => Range::new(0, a.high.min(b.high)).into(),
		Binary::BitwiseOr | Binary::BitwiseXor if positive => {
			let bits = 128 - (a.high | b.high).leading_zeros();
			Range::new(0, (1i128 << bits) - 1).into()
		}
		Binary::BitwiseAnd | Binary::BitwiseOr | Binary::BitwiseXor => Range::of(dtype).into(),
		Binary::LogicalLeftShift => {
			if b.low < 0 || b.high > 31 {
				return Outcome { range: Range::of(dtype), fits: false };
			}
			Range::corners(a, b, |a, b| a << b).into()
		}
		Binary::LogicalRightShift => {
			if a.low < 0 || b.low < 0 || b.high > 31 {
				return Range::of(dtype).into();
			}
			Range::corners(a, b, |a, b| a >> b).into()
		}
		Binary::LogicalAnd
		| Binary::LogicalOr
		| Binary::LogicalXor
		| Binary::Equal
		| Binary::Greater
		| Binary::GreaterEqual => Range::of(DType::Bool).into(),
	}
}

fn unary(op: Unary, dtype: DType, a: Range) -> Outcome {
	match op {
		Unary::Abs => {
			let largest = a.low.abs().max(a.high.abs());
			let least = if a.low <= 0 && a.high >= 0 { 0 } else { a.low.abs().min(a.high.abs()) };
			Range::new(least, largest).into()
		}
		Unary::Negate => Range::new(-a.high, -a.low).limited(dtype).into(),
		Unary::Clz => {
			let zeros = |value: i128| (value as i32).leading_zeros() as i128;
			if a.low >= 0 {
				Range::new(zeros(a.high), zeros(a.low)).into()
			} else {
				Range::new(0, 32).into()
			}
		}
		Unary::BitwiseNot => Range::new(-1 - a.high, -1 - a.low).into(),
		Unary::LogicalNot => Range::of(DType::Bool).into(),
	}
}

impl Intervals {
	/// The nodes in which something may wrap.
	pub fn wrapping(&self) -> Vec<u16> {
		let mut nodes = vec![];
		for (number, exact) in self.exact.iter().enumerate() {
			if !exact {
				nodes.push(number as u16);
			}
		}
		nodes
	}
}
