// SPDX-License-Identifier: Apache-2.0

//! Layer norm and RMS norm along an axis.
//!
//! With V the exact sum of squared deviations ([`Moments`]), each element is `deviation / √(V / n)`. The
//! inverse root is normalised, and so is the deviation, by half the same shift: their product has the same
//! scale in every line and about 24 significant bits in lines of any size.

use super::{
	expand::Expand,
	moments::{line, Line},
	quant::{Quant, Target},
	real, MacroError, Moments,
};
use crate::{Binary, ProgramBuilder, ValueId};

/// What a norm expands to.
///
/// An element of `result` needs one element of the operand and of each of the moments, which are worth
/// committing: about 400 steps. Without them it needs its whole line many times over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Norm {
	/// The result, of the target's type and the operand's shape.
	pub result: ValueId,
	/// What is worth committing.
	pub moments: Moments,
}

/// What a norm does behind the division.
#[derive(Clone, Copy, Debug)]
pub struct Affine<'a> {
	/// Added to the variance or mean square, in real squared units. Not negative.
	pub epsilon: f64,
	/// One factor for each element along the axis.
	pub gamma: &'a [f64],
	/// What is added, for each element along the axis.
	pub beta: Option<&'a [f64]>,
}

/// `(x − mean) / √(variance + epsilon) × gamma + beta` along `axis` of an I8 or I16.
///
/// At most [`MOMENTS_MOST`](super::MOMENTS_MOST) elements along the axis, for which mean and variance are
/// exact. A line of equal elements gives `beta`, also without an epsilon. Errors are measured in
/// `docs/macros.md`. Cost: about 25 elementwise operators for each element.
pub fn layer_norm(
	builder: &mut ProgramBuilder,
	x: ValueId,
	axis: usize,
	from: Quant,
	affine: Affine,
	to: Target,
) -> Result<Norm, MacroError> {
	const NAME: &str = "layer norm";
	let mut e = Expand::new(builder);
	to.check(NAME)?;
	let line = line(&mut e, NAME, x, axis, from, true, affine.epsilon)?;
	// deviation = n (x − mean), so (x − mean) / √(V / n) = deviation / √V / √n.
	let worth = 1.0 / (line.count as f64).sqrt();
	finish(&mut e, NAME, x, axis, &line, worth, affine, to)
}

/// `x / √(mean of x² + epsilon) × gamma + beta` along `axis` of an I8 or I16.
///
/// Limits, errors and cost are those of [`layer_norm`].
pub fn rms_norm(
	builder: &mut ProgramBuilder,
	x: ValueId,
	axis: usize,
	from: Quant,
	affine: Affine,
	to: Target,
) -> Result<Norm, MacroError> {
	const NAME: &str = "RMS norm";
	let mut e = Expand::new(builder);
	to.check(NAME)?;
	let line = line(&mut e, NAME, x, axis, from, false, affine.epsilon)?;
	let worth = (line.count as f64).sqrt();
	finish(&mut e, NAME, x, axis, &line, worth, affine, to)
}

fn finish(
	e: &mut Expand,
	name: &'static str,
	x: ValueId,
	axis: usize,
	line: &Line,
	worth: f64,
	affine: Affine,
	to: Target,
) -> Result<Norm, MacroError> {
	let n = line.count;
	let parameters = |what, found: usize| {
		let refusal = MacroError::Parameters { what, found, expected: n };
		(found == n as usize).then_some(()).ok_or(refusal)
	};
	parameters("gamma", affine.gamma.len())?;
	if let Some(beta) = affine.beta {
		parameters("beta", beta.len())?;
	}
	let (normal, unit) = line.normal(e)?;
	let unit = unit * worth;
	// No deviation exceeds √n standard deviations.
	let bound = (n as f64).sqrt() * 1.001 + 0.001;
	let most = (bound / unit).ceil().min(real::power(30)) as i32;
	let normal = e.clamp(normal, -most, most)?;

	let largest = |values: &[f64]| values.iter().fold(0.0f64, |most, v| most.max(v.abs()));
	let gamma = largest(affine.gamma);
	let beta = affine.beta.map_or(0.0, largest);
	let mut values = affine.gamma.iter().chain(affine.beta.unwrap_or_default());
	if let Some(value) = values.find(|value| !value.is_finite()) {
		return Err(MacroError::Scale { what: "gamma or beta", value: *value });
	}
	let bits = to.bits_for(name, bound * gamma + beta)?;
	let fine = real::scale(to.quant.scale, -bits);
	// Factors share a shift, and the largest has 30 bits.
	let most = (gamma * unit / fine).max(real::power(-32));
	let shift = (30 - real::ceil_log2(most)).clamp(1, 62);
	let whole = |v: f64| v.round().clamp(-real::power(30), real::power(30)) as i32;
	let factors: Vec<i32> =
		affine.gamma.iter().map(|g| whole(real::scale(g * unit / fine, shift))).collect();
	let factors = e.along(x, axis, &factors)?;
	let mut result = e.mul(normal, factors, shift)?;
	if let Some(beta) = affine.beta {
		let added: Vec<i32> = beta.iter().map(|b| whole(b / fine)).collect();
		let added = e.along(x, axis, &added)?;
		result = e.binary(Binary::Add, result, added)?;
	}
	Ok(Norm { result: e.finish(result, bits, &to)?, moments: line.moments })
}
