// SPDX-License-Identifier: Apache-2.0

//! Softmax and its logarithm along an axis.
//!
//! With m the largest element, `e_i = exp(x_i − m)` has 29 fractional bits, and the sum of all `e_i` lies
//! between 1 and the extent C of the axis. With `c = ⌈log₂ C⌉ − 1`, each `e_i` is cut into its upper
//! `29 − c` and its lower `c` bits; both sums are exact in I32, and their total is rounded once, to
//! `29 − c` fractional bits. Where the target is so coarse that rounding every `e_i` does no harm, one sum of
//! rounded ones is enough.

use super::{
	curve::{Curve, BEND_ERROR},
	expand::Expand,
	inverse::{log_fine, reciprocal_parts},
	quant::{Factor, Quant, Target},
	real, MacroError,
};
use crate::{Binary, DType, ProgramBuilder, Reduction, ValueId};

/// The most elements along the axis of a softmax.
pub const SOFTMAX_MOST: u32 = 1 << 13;

/// Fractional bits of an exponential.
const EXP_BITS: i32 = 29;

/// What a softmax expands to.
///
/// An element of `result` needs one element of the operand, of `max` and of `sum`; each of these two
/// needs a whole line of the operand. So `max` and `sum` should be checkpoints
/// ([`checkpoints`](Self::checkpoints)); otherwise an arbiter computes the maximum once for each of the C
/// exponentials of a sum.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Softmax {
	/// The result, of the target's type and the operand's shape.
	pub result: ValueId,
	/// The largest element of each line, of the operand's type; the axis has extent 1.
	pub max: ValueId,
	/// The sum of the exponentials of each line, I32 with `sum_bits` fractional bits; the axis has extent 1.
	pub sum: ValueId,
	/// Fractional bits of `sum`.
	pub sum_bits: u8,
}

impl Softmax {
	/// The intermediate values that are worth committing, in the order in which they depend on each other.
	pub fn checkpoints(&self) -> [ValueId; 2] {
		[self.max, self.sum]
	}
}

/// What both functions share.
struct Line {
	/// I32: the operand less its line's maximum, in steps of the operand.
	below: ValueId,
	/// I32 with `EXP_BITS` fractional bits.
	exp: ValueId,
	max: ValueId,
	/// I32 with `EXP_BITS − cut` fractional bits.
	sum: ValueId,
	cut: i32,
}

/// `tolerance` is the relative error that a sum may have from the rounding of its terms.
fn line(
	e: &mut Expand,
	name: &'static str,
	x: ValueId,
	axis: usize,
	from: Quant,
	tolerance: f64,
) -> Result<Line, MacroError> {
	let dtype = e.dtype(x)?;
	if dtype == DType::Bool {
		return Err(MacroError::Type { name, dtype, takes: "I8, I16 or I32" });
	}
	from.check("the operand", dtype)?;
	let extent = e.extent(x, axis)?;
	if extent > SOFTMAX_MOST {
		return Err(MacroError::Extent { name, extent, least: 1, most: SOFTMAX_MOST });
	}
	// Differences of an I32 must not wrap.
	let x = if dtype == DType::I32 { e.clamp(x, -(1 << 30), (1 << 30) - 1)? } else { x };
	let max = e.reduce(Reduction::Max, x, axis)?;
	let (wide, wide_max) = (e.widen(x)?, e.widen(max)?);
	let below = e.binary(Binary::Sub, wide, wide_max)?;

	// What is left out or rounded in the same way in all terms is shared by them.
	let count = extent as f64;
	let curve = Curve {
		function: &real::exp,
		low: real::ln(tolerance / count / 64.0),
		high: 0.0,
		identity_above: false,
		terms: count,
		// An error in proportion to the exponentials changes a quotient p by p (1 − p) times two of them.
		bend_error: 4.0 * BEND_ERROR,
	};
	let quant = Quant::symmetric(from.scale);
	let exp = curve.expand(e, below, &quant, real::power(-EXP_BITS), tolerance)?;
	let exp = e.clamp(exp, 0, 1 << EXP_BITS)?;

	let cut = (real::ceil_log2(count) - 1).max(0);
	let sum = if cut == 0 {
		e.reduce(Reduction::Sum, exp, axis)?
	} else if count * real::scale(0.5, cut - EXP_BITS) <= tolerance / 64.0 {
		let rounded = e.rescale(exp, Factor::power(-cut))?;
		e.reduce(Reduction::Sum, rounded, axis)?
	} else {
		let upper = e.floor(exp, cut)?;
		let lower = e.with(Binary::BitwiseAnd, exp, (1 << cut) - 1)?;
		let upper = e.reduce(Reduction::Sum, upper, axis)?;
		let lower = e.reduce(Reduction::Sum, lower, axis)?;
		let lower = e.rescale(lower, Factor::power(-cut))?;
		e.binary(Binary::Add, upper, lower)?
	};
	// At least the maximum's own exponential; the range analysis does not know.
	let sum = e.clamp(sum, 1 << (EXP_BITS - cut - 1), i32::MAX)?;
	Ok(Line { below, exp, max, sum, cut })
}

/// `e^x / Σ e^x` along `axis` of an I8, I16 or I32 of which `from` says what its differences mean (the
/// zero point does not matter).
///
/// The operand has at most [`SOFTMAX_MOST`] elements along the axis; an I32 is limited to ±2³⁰. Usual
/// targets: [`Target::i8`]`(1/256, -128)` and [`Target::i16`]`(2⁻¹⁵)`. Errors are measured in
/// `docs/macros.md`. Cost: about 50 elementwise operators for each element; a sum costs an arbiter C
/// times about 60 or 120 steps.
pub fn softmax(
	builder: &mut ProgramBuilder,
	x: ValueId,
	axis: usize,
	from: Quant,
	to: Target,
) -> Result<Softmax, MacroError> {
	/// Fractional bits of the quotient before it is brought to the target's scale.
	const QUOTIENT_BITS: i32 = 28;
	let mut e = Expand::new(builder);
	to.check("softmax")?;
	let line = line(&mut e, "softmax", x, axis, from, to.quant.scale.min(1.0))?;
	let inverse = reciprocal_parts(&mut e, line.sum)?;
	let quotient = e.mul(line.exp, inverse.mantissa, 30)?;
	// The sum has `cut` fractional bits fewer than the exponential, and the inverse 60 − shift more.
	let down = e.minus_from(30 + line.cut - QUOTIENT_BITS, inverse.shift)?;
	let down = e.clamp(down, 0, 31)?;
	let quotient = e.shift_right(quotient, down)?;
	let factor = Factor::of("softmax", real::power(-QUOTIENT_BITS) / to.quant.scale)?;
	let result = e.affine(quotient, 0, factor, to.quant.zero_point, to.dtype)?;
	let sum_bits = (EXP_BITS - line.cut) as u8;
	Ok(Softmax { result, max: line.max, sum: line.sum, sum_bits })
}

/// `x − ln Σ e^x` along `axis`: the logarithm of [`softmax`], with the same operands, limits and
/// checkpoints. The result is at most 0.
pub fn log_softmax(
	builder: &mut ProgramBuilder,
	x: ValueId,
	axis: usize,
	from: Quant,
	to: Target,
) -> Result<Softmax, MacroError> {
	const NAME: &str = "log-softmax";
	let mut e = Expand::new(builder);
	to.check(NAME)?;
	let step = to.quant.scale;
	let bits = to.bits_for(NAME, 24.0)?;
	let fine = real::scale(step, -bits);
	let line = line(&mut e, NAME, x, axis, from, step.min(1.0))?;
	let log = log_fine(&mut e, line.sum, EXP_BITS - line.cut, fine, step)?;
	let below = e.rescale(line.below, Factor::of(NAME, from.scale / fine)?)?;
	let below = e.clamp(below, -(1 << 30), 0)?;
	let result = e.binary(Binary::Sub, below, log)?;
	let result = e.finish(result, bits, &to)?;
	let sum_bits = (EXP_BITS - line.cut) as u8;
	Ok(Softmax { result, max: line.max, sum: line.sum, sum_bits })
}
