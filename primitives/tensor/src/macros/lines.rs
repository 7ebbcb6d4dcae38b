// SPDX-License-Identifier: Apache-2.0

//! A scale of its own for each line of a tensor, found while the program runs.
//!
//! A line is divided by its largest magnitude m and stored in I8 or I16, so a token with small activations
//! loses no precision to a token with large ones. A product of such lines with weights is brought back to
//! a common scale by multiplying each of its elements by m.

use super::{
	expand::Expand,
	inverse::{reciprocal_parts, shifted},
	quant::{Quant, Target},
	real, MacroError,
};
use crate::{Binary, DType, ProgramBuilder, Reduction, ValueId};

/// The largest magnitude of an element that [`quantise_lines`] looks at.
const MOST: i32 = 1 << 30;

/// A tensor with one scale for each line.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Lines {
	/// I8 in ±127 or I16 in ±32767: the operand divided by its line's `max`, times that limit.
	pub result: ValueId,
	/// I32 of at least 1: the largest magnitude of each line in steps of the operand; the axis has extent
	/// 1. Worth committing: it needs a whole line.
	pub max: ValueId,
	/// The real value of one unit of `result` in a line with `max` 1.
	pub unit: f64,
	/// An upper bound of `max`.
	pub most: i32,
}

/// Divides each line of `x` along `axis` by its largest magnitude. The result is I8 or I16, as `dtype`
/// says; it is the nearest integer to the real quotient.
///
/// An I32 is limited to ±2³⁰ steps. A line of zeros stays one. Cost: about 8 elementwise operators for
/// each element and 20 for each line; with `max` committed an arbiter needs two elements.
pub fn quantise_lines(
	builder: &mut ProgramBuilder,
	x: ValueId,
	axis: usize,
	from: Quant,
	dtype: DType,
) -> Result<Lines, MacroError> {
	const NAME: &str = "a scale for each line";
	let mut e = Expand::new(builder);
	let operand = e.dtype(x)?;
	for dtype in [operand, dtype] {
		if dtype == DType::Bool {
			return Err(MacroError::Type { name: NAME, dtype, takes: "I8, I16 or I32" });
		}
	}
	if dtype == DType::I32 {
		return Err(MacroError::Type { name: NAME, dtype, takes: "I8 or I16 as its result" });
	}
	from.check("the operand", operand)?;
	e.extent(x, axis)?;
	let wide = e.widen(x)?;
	let wide = if operand == DType::I32 {
		e.clamp(wide, -MOST, MOST)?
	} else if from.zero_point == 0 {
		wide
	} else {
		e.with(Binary::Sub, wide, from.zero_point)?
	};
	let most = match operand {
		DType::I32 => MOST,
		narrow => (narrow.max() - from.zero_point).max(from.zero_point - narrow.min()),
	};
	let size = e.abs(wide)?;
	let max = e.reduce(Reduction::Max, size, axis)?;
	let max = e.clamp(max, 1, most)?;

	let inverse = reciprocal_parts(&mut e, max)?;
	// |x| ≤ max, so what makes room for max makes room for x.
	let full = e.binary(Binary::LogicalLeftShift, wide, inverse.shift)?;
	// x / max in units of 2⁻²⁹; the reciprocal may be a little too large.
	let quotient = e.mul(full, inverse.mantissa, 31)?;
	let quotient = e.clamp(quotient, -(1 << 29), 1 << 29)?;
	let limit = dtype.max();
	let result = e.scaled_down(quotient, limit, 29, dtype)?;
	Ok(Lines { result, max, unit: from.scale / limit as f64, most })
}

/// What becomes of the sums of a product with [`Lines`].
#[derive(Clone, Copy, Debug)]
pub struct Outputs<'a> {
	/// The real value of one unit of the weights, for each element of the last axis.
	pub units: &'a [f64],
	/// Added to the real result, for each element of the last axis.
	pub bias: Option<&'a [f64]>,
	/// An upper bound of the magnitude of the sums: for K I8 weights and I8 lines, `127 × 128 × K`.
	pub most: i32,
}

/// The sums (I32) of a product of `lines` with weights, as real numbers on one scale: sum × max × unit of
/// the lines × unit of the weights + bias.
///
/// `max` must broadcast against the sums. The result is within a few hundredths of a step of the rounding
/// if the target is no finer than 2⁻²⁰ of the largest possible sum. Cost: about 10 elementwise operators
/// for each element.
pub fn rescale_lines(
	builder: &mut ProgramBuilder,
	sums: ValueId,
	lines: &Lines,
	outputs: Outputs,
	to: Target,
) -> Result<ValueId, MacroError> {
	const NAME: &str = "sums of lines with scales";
	let mut e = Expand::new(builder);
	to.check(NAME)?;
	let dtype = e.dtype(sums)?;
	if dtype != DType::I32 {
		return Err(MacroError::Type { name: NAME, dtype, takes: "I32" });
	}
	let rank = e.ty(sums)?.rank();
	let last = rank.checked_sub(1).ok_or(MacroError::Axis { axis: 0, rank })?;
	let channels = e.extent(sums, last)?;
	let parameters = |what, found: usize| {
		let refusal = MacroError::Parameters { what, found, expected: channels };
		(found == channels as usize).then_some(()).ok_or(refusal)
	};
	parameters("units", outputs.units.len())?;
	if let Some(bias) = outputs.bias {
		parameters("bias", bias.len())?;
	}
	let positive = 0.0..real::power(120);
	if let Some(unit) = outputs.units.iter().find(|unit| !positive.contains(*unit)) {
		return Err(MacroError::Scale { what: "the weights", value: *unit });
	}
	let bias = outputs.bias.unwrap_or_default();
	if let Some(value) = bias.iter().find(|value| !value.is_finite()) {
		return Err(MacroError::Scale { what: "the bias", value: *value });
	}

	// Both factors as large as they can be without wrapping: 31 bits of the product are kept.
	let bound = outputs.most.max(1);
	let room = bound.leading_zeros() as i32 - 1;
	let sums = e.clamp(sums, -bound, bound)?;
	let sums = if room == 0 { sums } else { e.times(sums, 1 << room)? };
	let zeros = e.leading_zeros(lines.max)?;
	let shift = e.with(Binary::Sub, zeros, 1)?;
	let max = shifted(&mut e, lines.max, shift, 1 << 30)?;
	let product = e.mul(sums, max, 31)?;
	// Lines with the largest possible max are not shifted back at all.
	let least = lines.most.max(1).leading_zeros() as i32 - 1;
	let back = e.with(Binary::Sub, shift, least)?;
	let back = e.clamp(back, 0, 31)?;
	let product = e.shift_right(product, back)?;

	let worth = real::scale(lines.unit, 31 - least - room);
	let largest = |values: &[f64]| values.iter().fold(0.0f64, |most, v| most.max(v.abs()));
	// Beyond its limits the target has room for the bias, which may bring a result back.
	let reach = (to.quant.scale * 65_536.0).max(largest(bias)) + largest(bias);
	let bits = match to.dtype {
		DType::I32 => to.fine_bits(),
		_ => to.bits_for(NAME, reach)?,
	};
	let fine = real::scale(to.quant.scale, -bits);
	let factors: Vec<f64> = outputs.units.iter().map(|unit| unit * worth / fine).collect();
	let result = e.rescale_channels(product, NAME, &factors)?;
	let result = e.clamp(result, -MOST, MOST - 1)?;
	let result = if bias.is_empty() {
		result
	} else {
		let whole = |b: &f64| (b / fine).round().clamp(-(MOST as f64), MOST as f64) as i32;
		let bias = e.along(result, last, &bias.iter().map(whole).collect::<Vec<_>>())?;
		e.binary(Binary::Add, result, bias)?
	};
	e.finish(result, bits, &to)
}
