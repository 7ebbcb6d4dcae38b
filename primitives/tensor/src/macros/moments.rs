// SPDX-License-Identifier: Apache-2.0

//! Sums and sums of squares that are exact for every operand.
//!
//! With n elements x along the axis, S their sum and c the integer nearest to S/n, the deviations
//! d = x − c have 17 bits. Each |d| is cut into two bytes, so three I32 sums give Σ d² exactly. The sum of
//! the squared deviations from the real mean is `V = Σ d² − (Σ d)²/n`; the second term is at most n/4.
//!
//! V is held in two I32: `high × 2¹⁶ + low × 2⁻¹²` with `0 ≤ low < 2²⁸`, in squared steps of the operand.

use super::{
	expand::Expand,
	inverse::{root_mantissa, shifted},
	quant::{Factor, Quant, Target},
	real, MacroError,
};
use crate::{Binary, DType, ProgramBuilder, Reduction, ValueId};

/// The most elements along the axis of a mean, variance or norm. The sums are exact for twice as many, but
/// one of them would cost an arbiter too much.
pub const MOMENTS_MOST: u32 = 1 << 13;

/// Bits of `low`, of which [`FRACTION`] are below a squared step.
const LOW_BITS: i32 = 28;

/// Fractional bits of `low`.
const FRACTION: i32 = 12;

/// The moments of each line of a tensor. The axis has extent 1.
///
/// `high` and `low` need one line of the operand and `sum` each, at about 40 steps for each element of
/// the line; `sum` needs the line. All three should be checkpoints.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moments {
	/// I32: the sum of the elements. None where the deviations are from zero, not from the mean.
	pub sum: Option<ValueId>,
	/// I32: the sum of squared deviations (and ε, if one was added) in units of 2¹⁶ squared steps.
	pub high: ValueId,
	/// I32: its rest, 28 bits in units of 2⁻¹² squared steps.
	pub low: ValueId,
}

impl Moments {
	/// The values that are worth committing, in the order in which they depend on each other.
	pub fn checkpoints(&self) -> impl Iterator<Item = ValueId> {
		self.sum.into_iter().chain([self.high, self.low])
	}
}

/// Moments with what is needed to go on from them.
pub(super) struct Line {
	pub moments: Moments,
	/// I32: the elements, or where there is no sum their deviations from zero.
	wide: ValueId,
	/// Elements along the axis.
	pub count: u32,
}

fn operand(
	e: &Expand,
	name: &'static str,
	x: ValueId,
	axis: usize,
	from: Quant,
) -> Result<(DType, u32), MacroError> {
	let dtype = e.dtype(x)?;
	if !matches!(dtype, DType::I8 | DType::I16) {
		return Err(MacroError::Type { name, dtype, takes: "I8 or I16: rescale it first" });
	}
	from.check("the operand", dtype)?;
	let extent = e.extent(x, axis)?;
	if extent > MOMENTS_MOST {
		return Err(MacroError::Extent { name, extent, least: 1, most: MOMENTS_MOST });
	}
	Ok((dtype, extent))
}

/// The moments of `x` along `axis`, with `epsilon × n` added to the sum of squares.
pub(super) fn line(
	e: &mut Expand,
	name: &'static str,
	x: ValueId,
	axis: usize,
	from: Quant,
	centred: bool,
	epsilon: f64,
) -> Result<Line, MacroError> {
	let (dtype, count) = operand(e, name, x, axis, from)?;
	let n = count as f64;
	let wide = e.widen(x)?;
	let (sum, near, excess) = if centred {
		let sum = e.reduce(Reduction::Sum, wide, axis)?;
		let mid = e.rescale(sum, Factor::of(name, 1.0 / n)?)?;
		let near = e.binary(Binary::Sub, wide, mid)?;
		// Σ d, at most n/2; the range analysis sees n × 2¹⁶.
		let mids = e.times(mid, count as i32)?;
		let rest = e.binary(Binary::Sub, sum, mids)?;
		let rest = e.clamp(rest, -(count as i32), count as i32)?;
		let square = e.mul(rest, rest, 0)?;
		let excess = e.rescale(square, Factor::of(name, real::scale(1.0 / n, FRACTION))?)?;
		(Some(sum), near, Some(excess))
	} else if from.zero_point == 0 {
		(None, wide, None)
	} else {
		(None, e.with(Binary::Sub, wide, from.zero_point)?, None)
	};

	let size = e.abs(near)?;
	let (upper, lower) = if dtype == DType::I8 {
		// |d| ≤ 255: one sum is enough.
		let square = e.mul(size, size, 0)?;
		let all = e.reduce(Reduction::Sum, square, axis)?;
		(e.floor(all, 16)?, e.with(Binary::BitwiseAnd, all, 0xffff)?)
	} else {
		let first = e.floor(size, 8)?;
		let second = e.with(Binary::BitwiseAnd, size, 0xff)?;
		let mut product = |a, b| {
			let product = e.mul(a, b, 0)?;
			e.reduce(Reduction::Sum, product, axis)
		};
		let (high, mixed, low) =
			(product(first, first)?, product(first, second)?, product(second, second)?);
		// d² = first² × 2¹⁶ + first × second × 2⁹ + second².
		let below = e.with(Binary::BitwiseAnd, mixed, 127)?;
		let below = e.times(below, 1 << 9)?;
		let low = e.binary(Binary::Add, below, low)?;
		let above = e.floor(mixed, 7)?;
		let high = e.binary(Binary::Add, high, above)?;
		let carry = e.floor(low, 16)?;
		(e.binary(Binary::Add, high, carry)?, e.with(Binary::BitwiseAnd, low, 0xffff)?)
	};

	// ε × n in squared steps, in the same two parts.
	let added = epsilon * n / (from.scale * from.scale);
	if !(0.0..real::power(45)).contains(&added) {
		return Err(MacroError::Scale { what: "epsilon", value: epsilon });
	}
	let added_high = (added / 65_536.0).floor();
	let added_low = real::scale(added - added_high * 65_536.0, FRACTION).round();
	let low = e.times(lower, 1 << FRACTION)?;
	let low = match excess {
		Some(excess) => e.binary(Binary::Sub, low, excess)?,
		None => low,
	};
	// One unit of `high` is lent, so that `low` stays positive.
	let low = e.with(Binary::Add, low, added_low as i32 + (1 << LOW_BITS))?;
	let carry = e.floor(low, LOW_BITS)?;
	let low = e.with(Binary::BitwiseAnd, low, (1 << LOW_BITS) - 1)?;
	let high = e.binary(Binary::Add, upper, carry)?;
	let high = e.with(Binary::Add, high, added_high as i32 - 1)?;
	let high = e.clamp(high, 0, i32::MAX)?;
	let wide = if centred { wide } else { near };
	Ok(Line { moments: Moments { sum, high, low }, wide, count })
}

impl Line {
	/// `D / √V` and what one unit of it is worth, with `D = n × (x − mean)`, or `D = x` where there is no
	/// sum. I32, at most 2³⁰.
	pub fn normal(&self, e: &mut Expand) -> Result<(ValueId, f64), MacroError> {
		let Moments { sum, high, low } = self.moments;
		let deviation = match sum {
			Some(sum) => {
				let scaled = e.times(self.wide, self.count as i32)?;
				e.binary(Binary::Sub, scaled, sum)?
			}
			None => self.wide,
		};
		// Two even shifts bring V to 30 or 31 bits.
		let zeros = e.leading_zeros(high)?;
		let shift = e.with(Binary::Sub, zeros, 1)?;
		let shift = e.with(Binary::Minimum, shift, LOW_BITS)?;
		let shift = e.with(Binary::BitwiseAnd, shift, 30)?;
		let upper = shifted(e, high, shift, 0)?;
		let unshift = e.minus_from(LOW_BITS, shift)?;
		let lower = e.binary(Binary::LogicalRightShift, low, unshift)?;
		let joined = e.binary(Binary::BitwiseOr, upper, lower)?;
		// V is 0 only where all deviations are.
		let joined = e.clamp(joined, 1, i32::MAX)?;
		let zeros = e.leading_zeros(joined)?;
		let more = e.with(Binary::Sub, zeros, 1)?;
		let more = e.with(Binary::BitwiseAnd, more, 30)?;
		let full = shifted(e, joined, more, 1 << 29)?;
		// V = full × 2^(16 − shift), so 1/√V = root × 2^(shift/2 − 52.5).
		let root = root_mantissa(e, full)?;
		let shift = e.binary(Binary::Add, shift, more)?;
		let half = e.floor(shift, 1)?;

		// |D| ≤ f √V with f = n, or 1 from zero: it is below f × 2^(23.5 − shift/2). Shifted left by
		// shift/2 − least it stays below 2^29.5, whatever V is.
		let log_f = if sum.is_some() { real::ceil_log2(self.count as f64) } else { 0 };
		let least = log_f - 6;
		let up = e.with(Binary::Sub, half, least)?;
		let deviation = if least > 0 {
			let down = e.minus_from(least, half)?;
			let down = e.clamp(down, 0, 31)?;
			e.shift_right(deviation, down)?
		} else {
			deviation
		};
		// Beyond 31 only where V and all D are 0.
		let up = e.clamp(up, 0, 31)?;
		let deviation = e.binary(Binary::LogicalLeftShift, deviation, up)?;
		let deviation = e.clamp(deviation, -(1 << 30), 1 << 30)?;
		let normal = e.mul(deviation, root, 30)?;
		Ok((normal, real::scale(core::f64::consts::SQRT_2 / 2.0, least - 22)))
	}
}

/// The mean of `x` along `axis`, which is kept with extent 1. I8 or I16, at most [`MOMENTS_MOST`]
/// elements along the axis, for which the sum is exact.
///
/// Cost: one addition for each element of the operand.
pub fn mean(
	builder: &mut ProgramBuilder,
	x: ValueId,
	axis: usize,
	from: Quant,
	to: Target,
) -> Result<ValueId, MacroError> {
	const NAME: &str = "the mean";
	let mut e = Expand::new(builder);
	to.check(NAME)?;
	let (_, count) = operand(&e, NAME, x, axis, from)?;
	let wide = e.widen(x)?;
	let sum = e.reduce(Reduction::Sum, wide, axis)?;
	let factor = Factor::of(NAME, from.scale / (to.quant.scale * count as f64))?;
	let zero = from.zero_point * count as i32;
	e.affine(sum, zero, factor, to.quant.zero_point, to.dtype)
}

/// A variance and the moments it is made from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Variance {
	/// The result; the axis has extent 1.
	pub result: ValueId,
	/// What is worth committing.
	pub moments: Moments,
}

/// The variance of `x` along `axis` (the mean of the squared deviations from the mean), which is kept with
/// extent 1. I8 or I16, at most [`MOMENTS_MOST`] elements along the axis, for which the sums are exact.
///
/// Cost: about 10 elementwise operators for each element of the operand.
pub fn variance(
	builder: &mut ProgramBuilder,
	x: ValueId,
	axis: usize,
	from: Quant,
	to: Target,
) -> Result<Variance, MacroError> {
	const NAME: &str = "the variance";
	let mut e = Expand::new(builder);
	to.check(NAME)?;
	let line = line(&mut e, NAME, x, axis, from, true, 0.0)?;
	let unit = from.scale * from.scale / (line.count as f64 * to.fine());
	let Moments { high, low, .. } = line.moments;
	let high = e.rescale(high, Factor::of(NAME, unit * 65_536.0)?)?;
	let low = e.rescale(low, Factor::of(NAME, real::scale(unit, -FRACTION))?)?;
	let half = 1 << 30;
	let (high, low) = (e.clamp(high, 0, half)?, e.clamp(low, 0, half - 1)?);
	let sum = e.binary(Binary::Add, high, low)?;
	Ok(Variance { result: e.finish(sum, to.fine_bits(), &to)?, moments: line.moments })
}
