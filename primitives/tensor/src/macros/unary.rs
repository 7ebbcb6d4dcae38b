// SPDX-License-Identifier: Apache-2.0

//! Functions of one number.

use super::{
	curve::{Curve, BEND_ERROR},
	expand::Expand,
	quant::{Factor, Quant, Target},
	real, MacroError,
};
use crate::{Binary, DType, ProgramBuilder, ValueId};

/// A function of one real number.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Function {
	/// `e^x`.
	Exp,
	/// Hyperbolic tangent.
	Tanh,
	/// `1 / (1 + e^−x)`.
	Sigmoid,
	/// `x Φ(x)` with the normal distribution function, ONNX `Gelu` with `approximate = none`.
	Gelu,
	/// `x/2 (1 + tanh(√(2/π) (x + 0.044715 x³)))`, ONNX `Gelu` with `approximate = tanh`.
	GeluTanh,
	/// `x / (1 + e^−x)`, also called swish.
	Silu,
	/// `alpha x + beta`, limited to 0..1. `alpha` is positive.
	HardSigmoid {
		/// Slope.
		alpha: f64,
		/// Value at 0.
		beta: f64,
	},
	/// `x × (x/6 + 1/2)`, the second factor limited to 0..1.
	HardSwish,
}

impl Function {
	/// The real function, the same on every machine.
	pub fn value(&self, x: f64) -> f64 {
		match self {
			Function::Exp => real::exp(x),
			Function::Tanh => real::tanh(x),
			Function::Sigmoid => real::sigmoid(x),
			Function::Gelu => real::gelu_erf(x),
			Function::GeluTanh => real::gelu(x),
			Function::Silu => real::silu(x),
			Function::HardSigmoid { alpha, beta } => (alpha * x + beta).clamp(0.0, 1.0),
			Function::HardSwish => x * (x / 6.0 + 0.5).clamp(0.0, 1.0),
		}
	}

	/// Where the function is curved by more than `tolerance`, and whether it then rises with slope 1.
	fn domain(&self, target: &Target, tolerance: f64) -> (f64, f64, bool) {
		let flat = |edge: f64| (-edge.max(1.0), edge.max(1.0), false);
		match self {
			Function::Exp => {
				// Above, the result is at its limit in any case.
				let high = real::ln(target.most() + target.quant.scale);
				(real::ln(tolerance).min(high - 1.0), high, false)
			}
			// 1 − tanh x < 2 e^(−2x).
			Function::Tanh => flat(0.5 * real::ln(2.0 / tolerance)),
			// 1 − sigmoid x < e^−x.
			Function::Sigmoid => flat(-real::ln(tolerance)),
			Function::Gelu | Function::GeluTanh | Function::Silu => {
				// x − f(x) = −f(−x) falls from x = 1.3 on.
				let mut edge = 2.0;
				while edge < 64.0 && edge - self.value(edge) > tolerance {
					edge += 0.125;
				}
				(-edge, edge, true)
			}
			// These two are made of straight pieces and are not read from tables of I16.
			Function::HardSigmoid { .. } | Function::HardSwish => flat(1.0),
		}
	}
}

/// Applies `function` to every element of `x`, an I8, I16 or I32 that `from` gives a meaning to.
///
/// From I8 to I8 and I16 the result is the nearest integer to the real value. To I8 and I16 the error is
/// otherwise that of the rounding and a few hundredths of a step, over the whole range of the operand. To
/// I32 it is about 2⁻²⁰ of the largest value. Measured figures are in `docs/macros.md`. The result of
/// `Exp` is limited like any other: the operand may be so large that the target cannot hold it.
///
/// Cost: 1 lookup from I8 to I8, about 20 elementwise operators from I16 and 30 from I32. An arbiter
/// needs one element of the operand for one of the result.
pub fn unary(
	builder: &mut ProgramBuilder,
	function: Function,
	x: ValueId,
	from: Quant,
	to: Target,
) -> Result<ValueId, MacroError> {
	let mut e = Expand::new(builder);
	let dtype = e.dtype(x)?;
	if dtype == DType::Bool {
		return Err(MacroError::Type { name: "a function", dtype, takes: "I8, I16 or I32" });
	}
	from.check("the operand", dtype)?;
	to.check("a function")?;
	if let Function::HardSigmoid { alpha, beta } = function {
		for value in [alpha, beta] {
			if !value.is_finite() || alpha <= 0.0 {
				return Err(MacroError::Scale { what: "hard sigmoid", value });
			}
		}
	}
	let integer = |q: i32| {
		let real = function.value((q - from.zero_point) as f64 * from.scale);
		let rounded = (real / to.quant.scale).round() + to.quant.zero_point as f64;
		rounded.clamp(to.dtype.min() as f64, to.dtype.max() as f64) as i32
	};
	match (dtype, to.dtype) {
		(DType::I8, DType::I8) => {
			let entries: Vec<i32> = (-128..128).map(integer).collect();
			return e.table(x, &entries);
		}
		(DType::I8, DType::I16) => {
			// Operand q is at entry q + 256; the interpolation is never used.
			let entries: Vec<i32> =
				(-256..=256).map(|q: i32| integer(q.clamp(-128, 127))).collect();
			let place = e.affine(x, 0, Factor::power(7), 0, DType::I16)?;
			let found = e.table(place, &entries)?;
			return e.affine(found, 0, Factor::power(-7), 0, DType::I16);
		}
		_ => {}
	}
	match function {
		Function::HardSigmoid { alpha, beta } => hard_sigmoid(&mut e, x, from, to, alpha, beta),
		Function::HardSwish => hard_swish(&mut e, x, from, to),
		_ => {
			if to.most() <= 0.0 {
				return Err(MacroError::ZeroPoint {
					zero_point: to.quant.zero_point,
					dtype: to.dtype,
				});
			}
			let step = to.quant.scale;
			let (low, high, identity_above) = function.domain(&to, step / 64.0);
			let value = |x: f64| function.value(x);
			let curve = Curve {
				function: &value,
				low,
				high,
				identity_above,
				terms: 1.0,
				bend_error: BEND_ERROR,
			};
			let fine = curve.expand(&mut e, x, &from, to.fine(), step)?;
			e.finish(fine, to.fine_bits(), &to)
		}
	}
}

/// `numerator` is what one step of the operand is worth in units of the product.
fn limited(e: &mut Expand, x: ValueId, from: Quant, numerator: f64) -> Result<ValueId, MacroError> {
	let factor = Factor::of("the operand", numerator.min(real::power(30)))?;
	let scaled = e.affine(x, from.zero_point, factor, 0, DType::I32)?;
	e.clamp(scaled, -(1 << 30), (1 << 30) - 1)
}

fn hard_sigmoid(
	e: &mut Expand,
	x: ValueId,
	from: Quant,
	to: Target,
	alpha: f64,
	beta: f64,
) -> Result<ValueId, MacroError> {
	let bits = to.bits_for("hard sigmoid", beta.abs() + 1.0)?;
	let fine = real::scale(to.quant.scale, -bits);
	let units = |real: f64| (real / fine).round() as i32;
	let scaled = limited(e, x, from, alpha * from.scale / fine)?;
	let moved = e.with(Binary::Add, scaled, units(beta))?;
	let result = e.clamp(moved, 0, units(1.0))?;
	e.finish(result, bits, &to)
}

fn hard_swish(e: &mut Expand, x: ValueId, from: Quant, to: Target) -> Result<ValueId, MacroError> {
	/// Fractional bits of the second factor.
	const BITS: i32 = 28;
	let share = limited(e, x, from, real::scale(from.scale / 6.0, BITS))?;
	let share = e.with(Binary::Add, share, 1 << (BITS - 1))?;
	let share = e.clamp(share, 0, 1 << BITS)?;
	// Where the second factor is between its limits, the first must not be at one.
	let bits = to.bits_for("hard swish", 4.0)?;
	let scaled = limited(e, x, from, real::scale(from.scale / to.quant.scale, bits))?;
	let result = e.mul(scaled, share, BITS)?;
	e.finish(result, bits, &to)
}
