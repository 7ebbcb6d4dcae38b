// SPDX-License-Identifier: Apache-2.0

//! What integers stand for.

use super::{real, MacroError};
use crate::DType;

/// What the integers of a tensor stand for: `real = (integer − zero_point) × scale`.
///
/// A scale is an f64, that is a whole number times a power of two. All that is computed from it uses
/// `+ − × ÷ √` and rounding alone, so the same scale gives the same program on every machine.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Quant {
	/// The real value of one step, from 2⁻¹²⁰ to 2¹²⁰.
	pub scale: f64,
	/// The integer that stands for 0. Always 0 for I32.
	pub zero_point: i32,
}

impl Quant {
	/// Zero stands for zero.
	pub fn symmetric(scale: f64) -> Self {
		Self { scale, zero_point: 0 }
	}

	/// Refuses what is no scale or no zero point for `dtype`.
	pub(super) fn check(&self, what: &'static str, dtype: DType) -> Result<(), MacroError> {
		if !(real::power(-120)..real::power(120)).contains(&self.scale) {
			return Err(MacroError::Scale { what, value: self.scale });
		}
		let fits = match dtype {
			DType::I8 | DType::I16 => dtype.holds(self.zero_point),
			DType::Bool | DType::I32 => self.zero_point == 0,
		};
		let refusal = MacroError::ZeroPoint { zero_point: self.zero_point, dtype };
		fits.then_some(()).ok_or(refusal)
	}
}

/// What a macro is to produce: real results are rounded to the nearest integer of `quant`, ties
/// upwards, and limited to `dtype`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Target {
	/// I8, I16 or I32. Results in I32 are limited to ±2³⁰.
	pub dtype: DType,
	/// What its integers stand for.
	pub quant: Quant,
}

/// Fractional bits that a macro carries below an I8 or I16 step until the last rounding.
const FINE_BITS: i32 = 14;

impl Target {
	/// I8 with this scale and zero point.
	pub fn i8(scale: f64, zero_point: i32) -> Self {
		Self { dtype: DType::I8, quant: Quant { scale, zero_point } }
	}

	/// Symmetric I16.
	pub fn i16(scale: f64) -> Self {
		Self { dtype: DType::I16, quant: Quant::symmetric(scale) }
	}

	/// Symmetric I32.
	pub fn i32(scale: f64) -> Self {
		Self { dtype: DType::I32, quant: Quant::symmetric(scale) }
	}

	pub(super) fn check(&self, name: &'static str) -> Result<(), MacroError> {
		if self.dtype == DType::Bool {
			return Err(MacroError::Type {
				name,
				dtype: self.dtype,
				takes: "I8, I16 or I32 results",
			});
		}
		self.quant.check("the result", self.dtype)
	}

	/// Fractional bits below a step such that any result fits in 30 bits and a sign.
	pub(super) fn fine_bits(&self) -> i32 {
		match self.dtype {
			DType::I8 | DType::I16 => FINE_BITS,
			DType::Bool | DType::I32 => 0,
		}
	}

	/// As [`fine_bits`](Self::fine_bits), but so few that `largest` fits in 30 bits and a sign before it
	/// is limited to the target.
	pub(super) fn bits_for(&self, what: &'static str, largest: f64) -> Result<i32, MacroError> {
		let steps = largest / self.quant.scale;
		let room = 30 - real::ceil_log2(steps.max(1.0));
		let refusal = MacroError::Scale { what, value: steps };
		(room >= 0).then_some(room.min(self.fine_bits())).ok_or(refusal)
	}

	/// The unit of intermediate results.
	pub(super) fn fine(&self) -> f64 {
		real::scale(self.quant.scale, -self.fine_bits())
	}

	/// The largest real result, not yet limited.
	pub(super) fn most(&self) -> f64 {
		let most = self.dtype.max().min(1 << 30) as f64;
		(most - self.quant.zero_point as f64) * self.quant.scale
	}
}

/// A real factor as `multiplier / 2^shift` for a `Rescale`, accurate to 2⁻³⁰ of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Factor {
	pub multiplier: i32,
	pub shift: i32,
}

impl Factor {
	/// Refuses factors above 2³⁰. Factors below 2⁻⁶² become 0.
	pub fn of(what: &'static str, factor: f64) -> Result<Self, MacroError> {
		let possible = factor > 0.0 && factor <= real::power(30);
		if !possible {
			return Err(MacroError::Scale { what, value: factor });
		}
		let shift = (30 - real::ceil_log2(factor)).clamp(0, 62);
		Ok(Self { multiplier: real::scale(factor, shift).round() as i32, shift })
	}

	/// Powers of two exactly.
	pub fn power(power: i32) -> Self {
		if power > 0 {
			Self { multiplier: 1 << power.min(30), shift: 0 }
		} else {
			Self { multiplier: 1, shift: (-power).min(63) }
		}
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn factors_keep_thirty_bits() {
		for factor in [0.1, 1.0, 3.7e-5, 12_345.6, 1e9] {
			let Factor { multiplier, shift } = Factor::of("test", factor).unwrap();
			let found = real::scale(multiplier as f64, -shift);
			assert!((found / factor - 1.0).abs() <= real::power(-30), "{factor}: {found}");
		}
		assert!(Factor::of("test", 2e9).is_err());
		assert_eq!(Factor::power(-3), Factor { multiplier: 1, shift: 3 });
	}

	#[test]
	fn impossible_quantisations_are_refused() {
		assert!(Quant::symmetric(0.0).check("x", DType::I8).is_err());
		assert!(Quant::symmetric(f64::NAN).check("x", DType::I8).is_err());
		assert!(Quant { scale: 1.0, zero_point: 128 }.check("x", DType::I8).is_err());
		assert!(Quant { scale: 1.0, zero_point: 1 }.check("x", DType::I32).is_err());
		assert!(Quant { scale: 1.0, zero_point: -128 }.check("x", DType::I8).is_ok());
		let target = Target { dtype: DType::Bool, quant: Quant::symmetric(1.0) };
		assert!(target.check("x").is_err());
	}
}
