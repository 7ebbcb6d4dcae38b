// SPDX-License-Identifier: Apache-2.0

//! What every operator does with single numbers. The lazy evaluator and the CPU kernels both call
//! these functions, so each meaning is written once.
//!
//! All functions are total. They are marked `inline(always)` so that a loop over a constant operator
//! compiles to that operator alone.

use crate::{Binary, DType, Reduction, Unary};

/// An operator whose result element depends on one element of each operand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pointwise {
	/// [`Op::Clamp`](crate::Op::Clamp).
	Clamp {
		/// Lower limit.
		min: i32,
		/// Upper limit.
		max: i32,
	},
	/// [`Op::Binary`](crate::Op::Binary).
	Binary(Binary),
	/// [`Op::Mul`](crate::Op::Mul).
	Mul {
		/// Right shift of the product.
		shift: u8,
	},
	/// [`Op::ArithmeticRightShift`](crate::Op::ArithmeticRightShift).
	ShiftRight {
		/// Whether the last bit shifted out is added.
		round: bool,
	},
	/// [`Op::Unary`](crate::Op::Unary).
	Unary(Unary),
	/// [`Op::Select`](crate::Op::Select).
	Select,
	/// [`Op::Rescale`](crate::Op::Rescale): operands value, multiplier, shift.
	Rescale {
		/// Result type.
		output: DType,
		/// Subtracted first.
		input_zero_point: i32,
		/// Added last.
		output_zero_point: i32,
	},
	/// [`Op::Cast`](crate::Op::Cast).
	Cast {
		/// Result type.
		to: DType,
	},
}

/// `op` on one element of each operand; operands that the operator does not have are ignored.
/// `dtype` is the element type of the first operand.
#[inline(always)]
pub fn pointwise(op: Pointwise, dtype: DType, [a, b, c]: [i32; 3]) -> i32 {
	match op {
		Pointwise::Clamp { min, max } => a.min(max).max(min),
		Pointwise::Binary(op) => binary(op, dtype, a, b),
		Pointwise::Mul { shift } => multiply(a, b, shift),
		Pointwise::ShiftRight { round } => shift_right(dtype, a, b, round),
		Pointwise::Unary(op) => unary(op, dtype, a),
		Pointwise::Select => {
			if a != 0 {
				b
			} else {
				c
			}
		}
		Pointwise::Rescale { output, input_zero_point, output_zero_point } => {
			rescale(output, a.wrapping_sub(input_zero_point), b, c, output_zero_point)
		}
		Pointwise::Cast { to } => to.wrap(a),
	}
}

/// See [`Binary`].
#[inline(always)]
pub fn binary(op: Binary, dtype: DType, a: i32, b: i32) -> i32 {
	match op {
		Binary::Add => a.wrapping_add(b),
		Binary::Sub => a.wrapping_sub(b),
		Binary::IntDiv => {
			if b == 0 {
				0
			} else {
				a.wrapping_div(b)
			}
		}
		Binary::Maximum => a.max(b),
		Binary::Minimum => a.min(b),
		Binary::BitwiseAnd => a & b,
		Binary::BitwiseOr => a | b,
		Binary::BitwiseXor => a ^ b,
		Binary::LogicalLeftShift => dtype.wrap(a << (b & 31)),
		Binary::LogicalRightShift => {
			let bits = match dtype {
				DType::Bool | DType::I8 => a as u8 as u32,
				DType::I16 => a as u16 as u32,
				DType::I32 => a as u32,
			};
			dtype.wrap((bits >> (b & 31)) as i32)
		}
		Binary::LogicalAnd => (a != 0 && b != 0) as i32,
		Binary::LogicalOr => (a != 0 || b != 0) as i32,
		Binary::LogicalXor => ((a != 0) != (b != 0)) as i32,
		Binary::Equal => (a == b) as i32,
		Binary::Greater => (a > b) as i32,
		Binary::GreaterEqual => (a >= b) as i32,
	}
}

/// See [`Unary`].
#[inline(always)]
pub fn unary(op: Unary, dtype: DType, a: i32) -> i32 {
	match op {
		Unary::Abs => a.wrapping_abs(),
		Unary::Negate => dtype.saturate((a as i64).wrapping_neg()),
		Unary::Clz => a.leading_zeros() as i32,
		Unary::BitwiseNot => !a,
		Unary::LogicalNot => (a == 0) as i32,
	}
}

/// See [`Op::Mul`](crate::Op::Mul).
#[inline(always)]
pub fn multiply(a: i32, b: i32, shift: u8) -> i32 {
	if shift == 0 {
		a.wrapping_mul(b)
	} else {
		shift_product(a, b, shift as u32) as i32
	}
}

/// `(a × b + 2^(shift − 1)) >> shift` in wrapping 64-bit arithmetic, without the rounding term for
/// a shift of 0. Only `i32::MIN × i32::MIN` with a shift of 63 wraps.
#[inline(always)]
pub fn shift_product(a: i32, b: i32, shift: u32) -> i64 {
	let rounding = if shift == 0 { 0 } else { 1i64 << ((shift - 1) & 63) };
	(a as i64).wrapping_mul(b as i64).wrapping_add(rounding) >> (shift & 63)
}

/// See [`Op::ArithmeticRightShift`](crate::Op::ArithmeticRightShift).
#[inline(always)]
pub fn shift_right(dtype: DType, a: i32, b: i32, round: bool) -> i32 {
	let shift = (b & 31) as u32;
	let carry = if round && shift > 0 { (a >> (shift - 1)) & 1 } else { 0 };
	dtype.wrap((a >> shift).wrapping_add(carry))
}

/// See [`Op::Rescale`](crate::Op::Rescale); `a` is the input less its zero point.
#[inline(always)]
pub fn rescale(output: DType, a: i32, multiplier: i32, shift: i32, zero_point: i32) -> i32 {
	let scaled = shift_product(a, multiplier, (shift & 63) as u32);
	let limited = DType::I32.saturate(scaled);
	output.saturate(limited.wrapping_add(zero_point) as i64)
}

/// Where an input element looks in its table: the first entry and, for I16, the fraction between it
/// and the next; see [`Op::Table`](crate::Op::Table).
#[inline(always)]
pub fn table_entry(dtype: DType, a: i32) -> (u32, i32) {
	match dtype {
		DType::I16 => {
			let offset = (a.wrapping_add(32768)) & 0xffff;
			((offset >> 7) as u32, offset & 127)
		}
		DType::Bool | DType::I8 | DType::I32 => ((a.wrapping_add(128) & 0xff) as u32, 0),
	}
}

/// The interpolated value between two neighbouring entries of an I16 table.
#[inline(always)]
pub fn interpolate(entry: i32, next: i32, fraction: i32) -> i32 {
	(entry << 7).wrapping_add(next.wrapping_sub(entry).wrapping_mul(fraction))
}

/// The index that [`Op::Gather`](crate::Op::Gather) reads on an axis of `extent` elements.
#[inline(always)]
pub fn limit_index(index: i32, extent: u32) -> u32 {
	(index.max(0) as u32).min(extent.saturating_sub(1))
}

/// What a reduction over no elements would give.
#[inline(always)]
pub fn reduction_start(op: Reduction, dtype: DType) -> i32 {
	match op {
		Reduction::Sum | Reduction::Any => 0,
		Reduction::Product | Reduction::All => 1,
		Reduction::Max => dtype.min(),
		Reduction::Min => dtype.max(),
	}
}

/// One more element in a reduction.
#[inline(always)]
pub fn reduction_step(op: Reduction, so_far: i32, a: i32) -> i32 {
	match op {
		Reduction::Sum => so_far.wrapping_add(a),
		Reduction::Product => so_far.wrapping_mul(a),
		Reduction::Max => so_far.max(a),
		Reduction::Min => so_far.min(a),
		Reduction::All => (so_far != 0 && a != 0) as i32,
		Reduction::Any => (so_far != 0 || a != 0) as i32,
	}
}

/// One more term in a sum of products.
#[inline(always)]
pub fn multiply_add(sum: i32, a: i32, a_zero_point: i32, b: i32, b_zero_point: i32) -> i32 {
	sum.wrapping_add(a.wrapping_sub(a_zero_point).wrapping_mul(b.wrapping_sub(b_zero_point)))
}

/// The quotient of a sum of `count` elements as [`Op::AvgPool2d`](crate::Op::AvgPool2d) takes it, plus
/// `zero_point`, limited to the type. `count` is at most 2^30.
#[inline]
pub fn average(dtype: DType, sum: i32, count: u32, zero_point: i32) -> i32 {
	let (multiplier, shift) = reciprocal(count);
	let quotient = shift_product(sum, multiplier, shift);
	dtype.saturate(quotient.saturating_add(zero_point as i64))
}

/// `1 / count` as a multiplier and a right shift; 0 for a count of 0.
#[inline]
fn reciprocal(count: u32) -> (i32, u32) {
	let Some(less) = count.checked_sub(1) else { return (0, 0) };
	let bits = u32::BITS - less.leading_zeros();
	let numerator = ((1u64 << 30) + 1) << bits;
	let multiplier = numerator.checked_div(count as u64).unwrap_or(0);
	(multiplier.min(i32::MAX as u64) as i32, bits.saturating_add(30))
}

/// The sum of the corners of a square as [`Op::Resize`](crate::Op::Resize) weights them: rows by the
/// first weights, columns by the second.
#[inline(always)]
pub fn bilinear(corners: [[i32; 2]; 2], rows: [i32; 2], columns: [i32; 2]) -> i32 {
	let [left, right] = columns;
	let mut sum = 0i32;
	for ([a, b], weight) in corners.into_iter().zip(rows) {
		let row = a.wrapping_mul(left).wrapping_add(b.wrapping_mul(right));
		sum = sum.wrapping_add(row.wrapping_mul(weight));
	}
	sum
}

#[cfg(test)]
mod tests {
	use super::*;

	fn bin(op: Binary, dtype: DType, a: i32, b: i32) -> i32 {
		binary(op, dtype, a, b)
	}

	#[test]
	fn addition_wraps() {
		assert_eq!(bin(Binary::Add, DType::I32, i32::MAX, 1), i32::MIN);
		assert_eq!(bin(Binary::Sub, DType::I32, i32::MIN, 1), i32::MAX);
	}

	#[test]
	fn division_truncates_and_has_stated_values_at_its_edges() {
		assert_eq!(bin(Binary::IntDiv, DType::I32, -7, 2), -3);
		assert_eq!(bin(Binary::IntDiv, DType::I32, 7, -2), -3);
		assert_eq!(bin(Binary::IntDiv, DType::I32, 5, 0), 0);
		assert_eq!(bin(Binary::IntDiv, DType::I32, i32::MIN, 0), 0);
		assert_eq!(bin(Binary::IntDiv, DType::I32, i32::MIN, -1), i32::MIN);
	}

	#[test]
	fn shifts_are_masked_and_wrap_to_the_type() {
		assert_eq!(bin(Binary::LogicalLeftShift, DType::I32, 1, 33), 2);
		assert_eq!(bin(Binary::LogicalLeftShift, DType::I8, 1, 7), -128);
		assert_eq!(bin(Binary::LogicalLeftShift, DType::I8, 3, 8), 0);
		assert_eq!(bin(Binary::LogicalLeftShift, DType::I32, 1, -1), i32::MIN);
		assert_eq!(bin(Binary::LogicalRightShift, DType::I8, -1, 1), 127);
		assert_eq!(bin(Binary::LogicalRightShift, DType::I8, -1, 32), -1);
		assert_eq!(bin(Binary::LogicalRightShift, DType::I16, -1, 4), 0x0fff);
		assert_eq!(bin(Binary::LogicalRightShift, DType::I32, -1, 31), 1);
	}

	#[test]
	fn arithmetic_shift_rounds_ties_upwards() {
		assert_eq!(shift_right(DType::I32, -5, 1, false), -3);
		assert_eq!(shift_right(DType::I32, -5, 1, true), -2);
		assert_eq!(shift_right(DType::I32, 5, 1, true), 3);
		assert_eq!(shift_right(DType::I32, 5, 0, true), 5);
		assert_eq!(shift_right(DType::I32, 5, 32, true), 5);
		assert_eq!(shift_right(DType::I8, 127, 1, true), 64);
		assert_eq!(shift_right(DType::I32, i32::MIN, 31, true), -1);
	}

	#[test]
	fn products_wrap_or_round() {
		assert_eq!(multiply(i32::MIN, -1, 0), i32::MIN);
		assert_eq!(multiply(1 << 20, 1 << 20, 20), 1 << 20);
		assert_eq!(multiply(3, 1, 1), 2);
		assert_eq!(multiply(-3, 1, 1), -1);
		assert_eq!(multiply(i32::MIN, i32::MIN, 62), 1);
		assert_eq!(multiply(i32::MIN, i32::MAX, 63), 0);
		assert_eq!(multiply(i32::MIN, i32::MIN, 63), -1);
	}

	#[test]
	fn rescale_limits_twice() {
		// 100 × 2^30 / 2^31 = 50.
		assert_eq!(rescale(DType::I8, 100, 1 << 30, 31, 0), 50);
		assert_eq!(rescale(DType::I8, 100, 1 << 30, 31, 100), 127);
		assert_eq!(rescale(DType::I32, i32::MAX, 2, 0, 0), i32::MAX);
		assert_eq!(rescale(DType::I32, i32::MAX, 2, 0, 1), i32::MIN);
		assert_eq!(rescale(DType::I16, i32::MIN, i32::MAX, 0, 0), -32768);
		// A shift of 64 is a shift of 0; of -1, one of 63.
		assert_eq!(rescale(DType::I32, 5, 3, 64, 0), 15);
		assert_eq!(rescale(DType::I32, 5, 3, -1, 0), 0);
		// Ties go upwards.
		assert_eq!(rescale(DType::I32, 1, 1, 1, 0), 1);
		assert_eq!(rescale(DType::I32, -1, 1, 1, 0), 0);
	}

	#[test]
	fn negation_saturates_and_absolute_value_wraps() {
		assert_eq!(unary(Unary::Negate, DType::I8, -128), 127);
		assert_eq!(unary(Unary::Negate, DType::I32, i32::MIN), i32::MAX);
		assert_eq!(unary(Unary::Abs, DType::I32, i32::MIN), i32::MIN);
		assert_eq!(unary(Unary::Clz, DType::I32, 0), 32);
		assert_eq!(unary(Unary::Clz, DType::I32, -1), 0);
		assert_eq!(unary(Unary::BitwiseNot, DType::I8, 127), -128);
	}

	#[test]
	fn tables_are_entered_at_the_offset_input() {
		assert_eq!(table_entry(DType::I8, -128), (0, 0));
		assert_eq!(table_entry(DType::I8, 127), (255, 0));
		assert_eq!(table_entry(DType::I16, -32768), (0, 0));
		assert_eq!(table_entry(DType::I16, 32767), (511, 127));
		assert_eq!(interpolate(-1, 1, 64), 0);
		assert_eq!(interpolate(-32768, 32767, 127), -32768 * 128 + 65535 * 127);
	}

	#[test]
	fn clamp_with_crossed_limits_gives_the_lower_one() {
		let clamp = Pointwise::Clamp { min: 3, max: -3 };
		assert_eq!(pointwise(clamp, DType::I8, [100, 0, 0]), 3);
	}

	#[test]
	fn averages_round_to_nearest_and_ties_away_from_zero() {
		for count in 1..200u32 {
			for sum in -3000..3000i32 {
				let nearest = (2 * sum.abs() as i64 + count as i64) / (2 * count as i64);
				let nearest = nearest * sum.signum() as i64;
				assert_eq!(average(DType::I32, sum, count, 0) as i64, nearest, "{sum} / {count}");
			}
		}
		assert_eq!(average(DType::I8, 381, 3, 0), 127);
		assert_eq!(average(DType::I8, 381, 3, 100), 127);
		assert_eq!(average(DType::I8, -1000, 1, 7), -128);
		assert_eq!(average(DType::I8, 5, 0, -3), -3);
	}

	#[test]
	fn reciprocals_fit_in_31_bits_up_to_the_largest_window() {
		assert_eq!(reciprocal(1), ((1 << 30) + 1, 30));
		assert_eq!(reciprocal(2), ((1 << 30) + 1, 31));
		assert_eq!(reciprocal(3).1, 32);
		for bits in 1..=30 {
			for count in [(1u32 << (bits - 1)) + 1, (1 << bits) - 1, 1 << bits] {
				let (multiplier, shift) = reciprocal(count);
				let zeros = count.saturating_sub(1).leading_zeros();
				let exact = (((1u64 << 30) + 1) << (32 - zeros)) / count as u64;
				assert_eq!((multiplier as u64, shift), (exact, 62 - zeros), "{count}");
			}
		}
	}

	#[test]
	fn corners_are_weighted_by_row_and_column() {
		assert_eq!(bilinear([[1, 2], [3, 4]], [3, 1], [1, 3]), 3 * (1 + 6) + (3 + 12));
		let all = [[i16::MIN as i32; 2]; 2];
		assert_eq!(bilinear(all, [2048, 0], [2048, 0]), (-32768i64 << 22) as i32);
	}
}
