// SPDX-License-Identifier: Apache-2.0

//! Softmax for products that read it in eight bits.
//!
//! What is rounded to eight bits needs no more than about fourteen: one table for the exponential and one for
//! the inverse of the sum, a dozen operators on each element where `macros::softmax`, which is exact to
//! 2⁻²⁴, takes sixty.
//!
//! With m the largest of n elements x along the axis, all in units of u, an element's place in the table is
//! `T − g (m − x)`, limited to an I16: T is the place of `e⁰ = 1`, and g brings the part of the line on which
//! the exponential counts onto the grid. A lookup has 22 fractional bits, and a sum of n of them, cut by as many
//! bits as it takes, fits in I32. Its inverse: shifted left until it has 31 bits, its upper 16 index a table,
//! and the shift is undone as far as it differs from the largest possible one; so the inverse of every line
//! is in one fixed-point form, and so is each product with it.
//!
//! Errors: interpolation at most 10⁻⁴ and the inverse 4 × 10⁻⁵ of the result; rounding of entries 2⁻¹⁶ of the
//! largest exponential.
//!
//! The maximum and the inverse should be committed: an arbiter needs one line of the tensor for either, and two
//! numbers for each element of the result.

use crate::{emit::Emit, error::CompileError, exact};
use tensornet_tensor::{
	macros::SOFTMAX_MOST, Binary, DType, Layout, Op, Reduction, Unary, ValueId,
};

/// Table entries at 1 are this large, in both tables.
const ONE: f64 = 32_767.0;

/// What a lookup of [`ONE`] gives.
const LOOKUP_ONE: i32 = 32_767 << 7;

/// The entry of `e⁰`, and its place on the grid. No place is beyond it.
const LAST: i32 = 511;
const TOP: i32 = LAST * 128 - 32_768;

/// Terms are smaller than 2²², so this many bits more are free in a sum.
const FREE_BITS: i32 = 8;

/// Grid points for one unit of the operand, at most: bounds the largest difference times it inside 31 bits.
const MOST_GAIN: f64 = 8192.0;

/// One softmax of the model.
pub struct Softmax<'a> {
	/// Its name.
	pub name: &'a str,
	/// The axis of the sum.
	pub axis: usize,
	/// The value of one unit of the operand.
	pub unit: f64,
	/// What the result will be rounded to.
	pub step: f64,
}

impl Softmax<'_> {
	/// Emits the softmax of the I16 value `x`. Returns the result, I32, and the value of one unit of it.
	pub fn emit(&self, emit: &mut Emit, x: ValueId) -> Result<(ValueId, f64), CompileError> {
		let count = emit.shape(x).get(self.axis).copied().unwrap_or(1);
		if !(1..=SOFTMAX_MOST).contains(&count) {
			let reason = format!("a softmax of {count} elements; {SOFTMAX_MOST} are possible");
			return Err(CompileError::Layer { layer: self.name.into(), reason });
		}
		let max = emit.reduce(Reduction::Max, x, self.axis)?;
		emit.candidate(max, Layout::row_major());
		let (wide, wide_max) = (emit.cast(x, DType::I32)?, emit.cast(max, DType::I32)?);
		let below = emit.binary(Binary::Sub, wide, wide_max)?;
		let exp = self.exponential(emit, below, count)?;

		let cut = (exact::ceil_log2(count as f64) - FREE_BITS).max(0);
		let term = if cut == 0 { exp } else { rescaled(emit, exp, 1, cut, DType::I32, 0)? };
		let sum = emit.reduce(Reduction::Sum, term, self.axis)?;
		// At least the term of the largest; the range analysis does not know.
		let least = LOOKUP_ONE >> cut;
		let sum = emit.clamp(sum, least, i32::MAX)?;
		let (inverse, most) = inverse(emit, sum, least)?;
		emit.candidate(inverse, Layout::row_major());

		// 24 bits for 1, and one more that only the range analysis takes for possible.
		const SHIFT: i32 = 27;
		let result = emit.mul(exp, inverse, SHIFT as u8)?;
		Ok((result, exact::scale(1.0 / LOOKUP_ONE as f64, SHIFT + most - 38 - cut)))
	}

	/// `e^(below × unit)` with [`LOOKUP_ONE`] for 1; `below` is at most 0.
	fn exponential(
		&self,
		emit: &mut Emit,
		below: ValueId,
		count: u32,
	) -> Result<ValueId, CompileError> {
		// Where all others together are less than a sixteenth of a step.
		let low = exact::ln(self.step.min(1.0) / 16.0 / count as f64);
		let span = (-low / self.unit).ceil().max(1.0);
		let gain = ((LAST * 128) as f64 / span).min(MOST_GAIN);
		let (multiplier, shift, gain) = if gain >= 1.0 {
			// Whole numbers round nothing, and with whole segments nothing is between two entries.
			let gain = gain.floor();
			let gain = if gain >= 128.0 { gain - gain % 128.0 } else { gain };
			(gain as i32, 0, gain)
		} else {
			let shift = 30 - exact::ceil_log2(gain);
			let multiplier = exact::scale(gain, shift).round();
			(multiplier as i32, shift, exact::scale(multiplier, -shift))
		};
		let place = rescaled(emit, below, multiplier, shift, DType::I16, TOP)?;
		let segment = 128.0 * self.unit / gain;
		let entry = |i: i32| {
			// Nothing is beyond the last.
			let below = (i.min(LAST) - LAST) as f64 * segment;
			(ONE * exact::exp(below)).round() as i32
		};
		let entries: Vec<i32> = (0..=512).map(entry).collect();
		let table = emit.inline(DType::I16, &[513], &entries)?;
		Ok(emit.op(Op::Table, &[place, table])?)
	}
}

/// `a × multiplier / 2^shift + zero`, rounded and limited to `output`.
fn rescaled(
	emit: &mut Emit,
	a: ValueId,
	multiplier: i32,
	shift: i32,
	output: DType,
	zero: i32,
) -> Result<ValueId, CompileError> {
	let multiplier = emit.inline(DType::I32, &[1], &[multiplier])?;
	let shift = emit.inline(DType::I8, &[1], &[shift])?;
	let op =
		Op::Rescale { output, input_zero_point: 0, output_zero_point: zero, per_channel: false };
	Ok(emit.op(op, &[a, multiplier, shift])?)
}

/// The inverse of `v ≥ least ≥ 1` and the power `most` with `1 / v = R × 2^(most − 38) / LOOKUP_ONE`. R is at
/// most 2³⁰.
fn inverse(emit: &mut Emit, v: ValueId, least: i32) -> Result<(ValueId, i32), CompileError> {
	let zeros = emit.op(Op::Unary(Unary::Clz), &[v])?;
	let shift = emit.with(Binary::Sub, zeros, 1)?;
	let full = emit.binary(Binary::LogicalLeftShift, v, shift)?;
	// Always inside these limits; the range analysis cannot see that shift and v belong together.
	let full = emit.clamp(full, 1 << 30, i32::MAX)?;
	let index = emit.with(Binary::LogicalRightShift, full, 14)?;
	let index = emit.with(Binary::Sub, index, 3 << 15)?;
	let index = emit.cast(index, DType::I16)?;
	let entry = |i: i32| {
		// Half a step further, since the lower bits were cut off.
		let v = 1.0 + (i as f64 * 128.0 + 0.5) / 65_536.0;
		(ONE / v).round() as i32
	};
	let table: Vec<i32> = (0..=512).map(entry).collect();
	let table = emit.inline(DType::I16, &[513], &table)?;
	let found = emit.op(Op::Table, &[index, table])?;
	// From 2²¹..2²² to 2²⁹..2³⁰, then down by what the largest shift exceeds this one.
	let found = emit.with(Binary::LogicalLeftShift, found, 8)?;
	let most = least.leading_zeros() as i32 - 1;
	let largest = emit.inline(DType::I32, &vec![1; emit.shape(v).len()], &[most])?;
	let down = emit.binary(Binary::Sub, largest, shift)?;
	Ok((emit.op(Op::ArithmeticRightShift { round: true }, &[found, down])?, most))
}

#[cfg(test)]
mod tests {
	use super::*;
	use std::sync::Arc;
	use tensornet_tensor::{CpuExecutor, Executor, TensorType};

	const STEP: f64 = 1.0 / 255.0;

	/// The largest distance between the softmax in integers and the real one.
	fn error(x: &[i32], unit: f64) -> f64 {
		let mut emit = Emit::default();
		let shape = [1, x.len() as u32];
		let input = emit.input(TensorType::new(DType::I16, shape), false).unwrap();
		let softmax = Softmax { name: "s", axis: 1, unit, step: STEP };
		let (result, worth) = softmax.emit(&mut emit, input).unwrap();
		let (program, _) = emit.finish(result, &mut []).unwrap();
		let analysis = tensornet_tensor::analyse(&program, &Default::default()).unwrap();
		for (node, exact) in program.program().nodes.iter().zip(analysis.exact) {
			// The shift of the inverse is one that the range analysis does not see through.
			assert!(exact || node.op == Op::Binary(Binary::LogicalLeftShift), "{:?}", node.op);
		}
		let constants = program.program().constants.iter().map(|_| Arc::from([])).collect();
		let mut executor = CpuExecutor::new(Arc::new(program), constants).unwrap();
		let bytes: Vec<u8> = x.iter().flat_map(|x| (*x as i16).to_le_bytes()).collect();
		let stored = executor.run_iteration(&[&bytes], &[]).unwrap().pop().unwrap();
		let found = stored.chunks(4).map(|b| i32::from_le_bytes([b[0], b[1], b[2], b[3]]));
		let most = x.iter().copied().max().unwrap();
		let exponentials: Vec<f64> =
			x.iter().map(|x| exact::exp((*x - most) as f64 * unit)).collect();
		let sum: f64 = exponentials.iter().sum();
		let each = found.zip(exponentials).map(|(q, e)| (q as f64 * worth - e / sum).abs());
		each.fold(0.0, f64::max)
	}

	/// Numbers from -`size` to `size`.
	fn wave(n: usize, size: i64) -> Vec<i32> {
		(0..n as i64).map(|i| ((i * 7919 % 1000 - 500) * size / 500) as i32).collect()
	}

	#[test]
	fn errors_are_a_small_part_of_a_step_for_lines_of_any_length_and_spread() {
		for n in [1, 2, 7, 64, 256, 257, 512, 2000, 8192] {
			for (size, unit) in
				[(32_767, 1e-4), (3_000, 2.5e-3), (200, 0.05), (3, 4.0), (32_000, 10.0), (0, 1.0)]
			{
				let error = error(&wave(n, size), unit);
				assert!(error < STEP / 16.0, "{n} of {size} × {unit}: {error}");
			}
		}
	}

	#[test]
	fn one_far_above_the_others_is_all() {
		let mut x = wave(64, 100);
		x[20] = 32_767;
		assert!(error(&x, 1.0) < STEP / 64.0);
		x.iter_mut().for_each(|x| *x = -32_768);
		x[20] = 32_767;
		assert!(error(&x, 100.0) < STEP / 64.0);
	}

	#[test]
	fn equal_numbers_share_alike() {
		for n in [1, 64, 300] {
			assert!(error(&vec![-777; n], 0.01) < STEP / 64.0, "{n}");
		}
	}

	#[test]
	fn lines_that_are_too_long_are_refused() {
		let mut emit = Emit::default();
		let ty = TensorType::new(DType::I16, [1, SOFTMAX_MOST + 1]);
		let input = emit.input(ty, false).unwrap();
		let softmax = Softmax { name: "long", axis: 1, unit: 0.01, step: STEP };
		assert!(softmax.emit(&mut emit, input).is_err());
	}
}
