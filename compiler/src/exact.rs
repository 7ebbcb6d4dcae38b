// SPDX-License-Identifier: Apache-2.0

//! Transcendental functions that give the same bits on every machine.
//!
//! The tables and scales of a program are part of its identity, so they must not depend on the
//! mathematics library of the machine that compiles it. IEEE 754 fixes the results of `+ - × ÷ √`, and
//! these functions use nothing else. Errors stay below 2⁻⁵⁰ of the result.

/// ln 2 in two parts: the upper has enough trailing zeros that `k × LN2_HIGH` is exact for |k| < 2¹¹.
const LN2_HIGH: f64 = 6.931_471_803_691_238e-1;
const LN2_LOW: f64 = 1.908_214_929_270_587_7e-10;

/// `e^x`; 0 below −745, infinite above 709.
pub fn exp(x: f64) -> f64 {
	if x < -745.0 {
		return 0.0;
	}
	if x > 709.0 {
		return f64::INFINITY;
	}
	let k = (x / core::f64::consts::LN_2).round();
	let r = (x - k * LN2_HIGH) - k * LN2_LOW;
	// Taylor's series for |r| ≤ 0.35: the 15th term is below 2⁻⁶⁰.
	let mut sum = 1.0;
	for n in (1..=15).rev() {
		sum = 1.0 + sum * r / n as f64;
	}
	scale(sum, k as i32)
}

/// `tanh x`.
pub fn tanh(x: f64) -> f64 {
	let e = exp(-2.0 * x.abs());
	let t = (1.0 - e) / (1.0 + e);
	if x < 0.0 {
		-t
	} else {
		t
	}
}

/// `1 / (1 + e^−x)`.
pub fn sigmoid(x: f64) -> f64 {
	let e = exp(-x.abs());
	if x < 0.0 {
		e / (1.0 + e)
	} else {
		1.0 / (1.0 + e)
	}
}

/// Natural logarithm; minus infinity at 0, not a number below.
pub fn ln(x: f64) -> f64 {
	if x.is_nan() || x < 0.0 {
		return f64::NAN;
	}
	if x == 0.0 || x == f64::INFINITY {
		return if x == 0.0 { f64::NEG_INFINITY } else { x };
	}
	// x = m × 2^k with m between √½ and √2, and ln m = 2 artanh((m − 1) / (m + 1)).
	let mut k = ceil_log2(x);
	let mut m = scale(x, -k);
	if m < core::f64::consts::FRAC_1_SQRT_2 {
		m *= 2.0;
		k -= 1;
	}
	let t = (m - 1.0) / (m + 1.0);
	let square = t * t;
	let mut sum = 0.0;
	for n in (0..=13).rev() {
		sum = sum * square + 1.0 / (2 * n + 1) as f64;
	}
	2.0 * t * sum + k as f64 * LN2_LOW + k as f64 * LN2_HIGH
}

/// The error function, by `2/√π e^(−x²) Σ 2^n x^(2n+1) / (1 × 3 × … × (2n + 1))`, all terms of one sign.
pub fn erf(x: f64) -> f64 {
	const FACTOR: f64 = core::f64::consts::FRAC_2_SQRT_PI;
	let size = x.abs();
	if size > 6.0 {
		return if x < 0.0 { -1.0 } else { 1.0 };
	}
	let mut term = size;
	let mut sum = size;
	let mut n = 1.0;
	while term > sum * 1e-17 && n < 400.0 {
		term *= 2.0 * size * size / (2.0 * n + 1.0);
		sum += term;
		n += 1.0;
	}
	let value = (FACTOR * exp(-size * size) * sum).min(1.0);
	if x < 0.0 {
		-value
	} else {
		value
	}
}

/// `x^y`: by multiplication for small whole y, as `e^(y ln x)` otherwise.
pub fn pow(x: f64, y: f64) -> f64 {
	if y == 0.5 {
		return x.sqrt();
	}
	if y.fract() == 0.0 && y.abs() <= 64.0 {
		let mut product = 1.0;
		for _ in 0..y.abs() as u32 {
			product *= x;
		}
		return if y < 0.0 { 1.0 / product } else { product };
	}
	exp(y * ln(x))
}

/// `x × 2^k`.
pub fn scale(x: f64, k: i32) -> f64 {
	// In two steps, since 2^k alone may be outside the range of f64.
	let half = k / 2;
	x * power(half) * power(k - half)
}

/// `2^k` for −1022 ≤ k ≤ 1023.
pub fn power(k: i32) -> f64 {
	f64::from_bits(((k.clamp(-1022, 1023) + 1023) as u64) << 52)
}

/// The smallest k with `x ≤ 2^k`, for finite positive x.
pub fn ceil_log2(x: f64) -> i32 {
	let mut k = -1022;
	while k < 1023 && power(k) < x {
		k += 1;
	}
	k
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn exp_and_tanh_match_the_library_to_many_digits() {
		for i in -2000..2000 {
			let x = i as f64 * 0.0173;
			assert!((exp(x) / x.exp() - 1.0).abs() < 1e-14, "exp {x}");
			assert!((tanh(x) - x.tanh()).abs() < 1e-15, "tanh {x}");
		}
		assert_eq!(exp(-800.0), 0.0);
		assert_eq!(exp(800.0), f64::INFINITY);
	}

	#[test]
	fn logarithm_error_function_and_powers_match_known_values() {
		for i in 1..4000 {
			let x = i as f64 * 0.0137;
			assert!((ln(x) - x.ln()).abs() < 1e-14 * x.ln().abs().max(1.0), "ln {x}");
			assert!((sigmoid(x - 20.0) - 1.0 / (1.0 + (20.0 - x).exp())).abs() < 1e-15);
			assert!((pow(x, 0.3) / x.powf(0.3) - 1.0).abs() < 1e-13, "pow {x}");
		}
		assert_eq!(pow(-2.0, 3.0), -8.0);
		// Abramowitz and Stegun, table 7.1.
		for (x, y) in [(0.5, 0.520_499_877_8), (1.0, 0.842_700_792_9), (2.0, 0.995_322_265_0)] {
			assert!((erf(x) - y).abs() < 1e-10 && erf(-x) == -erf(x));
		}
		assert!(erf(5.5) > 0.999_999_999_999);
	}

	#[test]
	fn ceil_log2_is_the_next_power() {
		assert_eq!(ceil_log2(1.0), 0);
		assert_eq!(ceil_log2(1.01), 1);
		assert_eq!(ceil_log2(0.25), -2);
	}
}
