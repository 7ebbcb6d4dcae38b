// SPDX-License-Identifier: Apache-2.0

//! Reciprocal, roots and logarithm of positive numbers of any size.
//!
//! A positive I32 is shifted left until its first bit is at a fixed place. Its upper 16 bits are looked
//! up in a table, and one step of Newton's method doubles the 15 bits that the table gives. The shift is
//! undone at the end. So the relative error is the same for large and small numbers: below 2⁻²⁷.

use super::{
	curve::{Curve, BEND_ERROR},
	expand::Expand,
	quant::{Factor, Quant, Target},
	real, MacroError,
};
use crate::{Binary, DType, ProgramBuilder, ValueId};

/// Fractional bits of a mantissa that [`reciprocal_parts`] and [`root_parts`] give.
pub(super) const BITS: i32 = 30;

/// An I32 value: `mantissa × 2^(shift − const)`, with the constant of who made it.
pub(super) struct Parts {
	/// From 2²⁹ to 2³⁰.
	pub mantissa: ValueId,
	/// 0..=30.
	pub shift: ValueId,
}

/// `v` shifted left by `shift`; both I32, the result inside `least..=i32::MAX`.
///
/// The limits change nothing: the range analysis cannot see that `v` and `shift` belong together.
pub(super) fn shifted(
	e: &mut Expand,
	v: ValueId,
	shift: ValueId,
	least: i32,
) -> Result<ValueId, MacroError> {
	let full = e.binary(Binary::LogicalLeftShift, v, shift)?;
	e.clamp(full, least, i32::MAX)
}

/// `1 / v = mantissa × 2^(shift − 60)` for I32 `v ≥ 1`.
pub(super) fn reciprocal_parts(e: &mut Expand, v: ValueId) -> Result<Parts, MacroError> {
	let zeros = e.leading_zeros(v)?;
	let shift = e.with(Binary::Sub, zeros, 1)?;
	// From 2³⁰ on: x = full / 2³⁰ is in 1..2.
	let full = shifted(e, v, shift, 1 << 30)?;
	let index = e.affine(full, 1 << 30, Factor::power(-14), -32_768, DType::I16)?;
	let entry = |i: i32| {
		let x = 1.0 + i as f64 / 512.0;
		(32_768.0 / x).round().min(32_767.0) as i32
	};
	let first = e.table(index, &(0..=512).map(entry).collect::<Vec<_>>())?;
	// The lookup has 22 fractional bits. r' = r + r (1 − x r).
	let product = e.mul(full, first, 22)?;
	let missing = e.minus_from(1 << 30, product)?;
	let first = e.times(first, 256)?;
	let more = e.mul(first, missing, 30)?;
	Ok(Parts { mantissa: e.binary(Binary::Add, first, more)?, shift })
}

/// `1 / √n = mantissa × 2^−44.5` for I32 `n` with 30 or 31 significant bits.
pub(super) fn root_mantissa(e: &mut Expand, n: ValueId) -> Result<ValueId, MacroError> {
	// x = n / 2²⁹ is in 1..4, three quarters of the table.
	let index = e.affine(n, 1 << 29, Factor::power(-15), -32_768, DType::I16)?;
	let entry = |i: i32| {
		let x = 1.0 + i as f64 / 128.0;
		(32_768.0 / x.sqrt()).round().min(32_767.0) as i32
	};
	let first = e.table(index, &(0..=512).map(entry).collect::<Vec<_>>())?;
	// The lookup has 22 fractional bits. r' = r + r (1 − x r²) / 2.
	let square = e.mul(first, first, 14)?;
	let product = e.mul(n, square, 30)?;
	let missing = e.minus_from(1 << 29, product)?;
	let first = e.times(first, 256)?;
	let more = e.mul(first, missing, 30)?;
	e.binary(Binary::Add, first, more)
}

/// `1 / √v = mantissa × 2^(shift − 44.5)` for I32 `v ≥ 1`.
pub(super) fn root_parts(e: &mut Expand, v: ValueId) -> Result<Parts, MacroError> {
	let zeros = e.leading_zeros(v)?;
	let shift = e.with(Binary::Sub, zeros, 1)?;
	let shift = e.with(Binary::BitwiseAnd, shift, 30)?;
	let full = shifted(e, v, shift, 1 << 29)?;
	let mantissa = root_mantissa(e, full)?;
	Ok(Parts { mantissa, shift: e.floor(shift, 1)? })
}

/// The natural logarithm of I32 `v ≥ 1`, less `whole × ln 2`, in units of `fine`, of which 2³⁰ must be
/// more than 22. `step` is what the result will be rounded to.
pub(super) fn log_fine(
	e: &mut Expand,
	v: ValueId,
	whole: i32,
	fine: f64,
	step: f64,
) -> Result<ValueId, MacroError> {
	let zeros = e.leading_zeros(v)?;
	let shift = e.with(Binary::Sub, zeros, 1)?;
	let full = shifted(e, v, shift, 1 << 30)?;
	let curve = Curve {
		function: &real::ln,
		low: 1.0,
		high: 2.0,
		identity_above: false,
		terms: 1.0,
		bend_error: BEND_ERROR,
	};
	let mantissa = curve.expand(e, full, &Quant::symmetric(real::power(-30)), fine, step)?;
	let power = e.minus_from(30 - whole, shift)?;
	let power = e.times(power, (core::f64::consts::LN_2 / fine).round() as i32)?;
	e.binary(Binary::Add, mantissa, power)
}

/// The operand as an I32 of at least 1 step, and the scale.
fn positive(
	e: &mut Expand,
	name: &'static str,
	x: ValueId,
	from: Quant,
	to: &Target,
) -> Result<ValueId, MacroError> {
	let dtype = e.dtype(x)?;
	if dtype == DType::Bool {
		return Err(MacroError::Type { name, dtype, takes: "I8, I16 or I32" });
	}
	from.check("the operand", dtype)?;
	to.check(name)?;
	let wide = e.widen(x)?;
	let wide =
		if from.zero_point == 0 { wide } else { e.with(Binary::Sub, wide, from.zero_point)? };
	e.clamp(wide, 1, i32::MAX)
}

/// `mantissa × 2^(shift − BITS) × factor`, rounded to the target. The largest shift is `most_shift`.
fn scaled(
	e: &mut Expand,
	parts: Parts,
	most_shift: i32,
	factor: f64,
	name: &'static str,
	to: &Target,
) -> Result<ValueId, MacroError> {
	let possible = factor.is_finite()
		&& (real::power(-60)..real::power(60)).contains(&factor)
		// Beyond 2²⁸ steps bits are missing below; I8 and I16 are at their limit there.
		&& (to.dtype != DType::I32 || real::scale(factor, most_shift) <= real::power(28));
	if !possible {
		return Err(MacroError::Scale { what: name, value: factor });
	}
	// factor = multiplier × 2^power with 2³⁰ ≤ multiplier ≤ 2³¹. The product is from 2²⁷ to 2²⁹.
	let power = real::ceil_log2(factor) - 31;
	let multiplier = real::scale(factor, -power).round().min(i32::MAX as f64) as i32;
	let product = e.times_high(parts.mantissa, multiplier, 32)?;
	// What is left: × 2^(shift + power + 32 − BITS). Where that is a shift left, the result is above 2²⁸.
	let down = e.minus_from(BITS - 32 - power, parts.shift)?;
	let down = e.clamp(down, 0, 31)?;
	let result = e.shift_right(product, down)?;
	e.finish(result, 0, to)
}

/// `1 / x` for positive `x`. Anything below one step of the operand is taken as one step.
///
/// A target in I32 must hold the reciprocal of one step in 2²⁸ of its own. Cost: about 20 elementwise
/// operators.
pub fn reciprocal(
	builder: &mut ProgramBuilder,
	x: ValueId,
	from: Quant,
	to: Target,
) -> Result<ValueId, MacroError> {
	const NAME: &str = "the reciprocal";
	let mut e = Expand::new(builder);
	let x = positive(&mut e, NAME, x, from, &to)?;
	let parts = reciprocal_parts(&mut e, x)?;
	let factor = real::scale(1.0 / (from.scale * to.quant.scale), -30);
	scaled(&mut e, parts, 30, factor, NAME, &to)
}

/// `1 / √x` for positive `x`. Anything below one step of the operand is taken as one step.
///
/// A target in I32 must hold the inverse root of one step in 2²⁸ of its own. Cost: about 20 elementwise
/// operators.
pub fn rsqrt(
	builder: &mut ProgramBuilder,
	x: ValueId,
	from: Quant,
	to: Target,
) -> Result<ValueId, MacroError> {
	const NAME: &str = "the inverse root";
	let mut e = Expand::new(builder);
	let x = positive(&mut e, NAME, x, from, &to)?;
	let parts = root_parts(&mut e, x)?;
	let factor = real::scale(1.0 / ((from.scale * 2.0).sqrt() * to.quant.scale), -14);
	scaled(&mut e, parts, 15, factor, NAME, &to)
}

/// `√x`; 0 for negative `x`.
///
/// A target in I32 must hold the root of 2³¹ steps in 2²⁹ of its own. Cost: about 25 elementwise
/// operators.
pub fn sqrt(
	builder: &mut ProgramBuilder,
	x: ValueId,
	from: Quant,
	to: Target,
) -> Result<ValueId, MacroError> {
	const NAME: &str = "the root";
	let mut e = Expand::new(builder);
	let least = positive(&mut e, NAME, x, from, &to)?;
	let zeros = e.leading_zeros(least)?;
	let shift = e.with(Binary::Sub, zeros, 1)?;
	let shift = e.with(Binary::BitwiseAnd, shift, 30)?;
	let full = shifted(&mut e, least, shift, 1 << 29)?;
	let inverse = root_mantissa(&mut e, full)?;
	// √n = n / √n = root × 2^−13.5, from 2²⁸ to 2²⁹; and √v = √n × 2^(−shift/2).
	let root = e.mul(full, inverse, BITS + 1)?;
	// An I8 or I16 above its limit is recognised with the two bits that are taken back here.
	let spare = if to.dtype == DType::I32 { 0 } else { 2 };
	let unit = real::scale(to.fine(), spare);
	let factor = (from.scale / 2.0).sqrt() * real::power(-13) / unit;
	let power = real::ceil_log2(factor);
	if !(-60..=60).contains(&power) || (to.dtype == DType::I32 && power > 0) {
		return Err(MacroError::Scale { what: NAME, value: factor });
	}
	// From 2²⁸ to 2³⁰. What is left is a shift right by shift/2 + 1 − power; where it would be one to
	// the left, the result is above 2²⁸ units.
	let multiplier = real::scale(factor, 30 - power).round() as i32;
	let product = e.times_high(root, multiplier, 29)?;
	let half = e.floor(shift, 1)?;
	let down = e.with(Binary::Add, half, 1 - power)?;
	let down = e.clamp(down, 0, 31)?;
	let result = e.shift_right(product, down)?;
	// One step was put in the place of what is not positive.
	let wide = e.widen(x)?;
	let sign =
		if from.zero_point == 0 { wide } else { e.with(Binary::Sub, wide, from.zero_point)? };
	let sign = e.clamp(sign, 0, 1)?;
	let result = e.mul(result, sign, 0)?;
	e.finish(result, to.fine_bits() - spare, &to)
}

/// The natural logarithm of positive `x`. Anything below one step of the operand is taken as one step.
///
/// Cost: about 40 elementwise operators.
pub fn log(
	builder: &mut ProgramBuilder,
	x: ValueId,
	from: Quant,
	to: Target,
) -> Result<ValueId, MacroError> {
	const NAME: &str = "the logarithm";
	let mut e = Expand::new(builder);
	let x = positive(&mut e, NAME, x, from, &to)?;
	let offset = real::ln(from.scale);
	let bits = to.bits_for(NAME, 22.0 + offset.abs())?;
	let fine = real::scale(to.quant.scale, -bits);
	let log = log_fine(&mut e, x, 0, fine, to.quant.scale)?;
	let log = e.with(Binary::Add, log, (offset / fine).round() as i32)?;
	e.finish(log, bits, &to)
}
