// SPDX-License-Identifier: Apache-2.0

//! Real functions that give the same bits on every machine.
//!
//! The tables and multipliers of a program are part of its identity, so they must not depend on the
//! mathematics library of the machine that makes them. IEEE 754 fixes the results of `+ - × ÷ √`, and
//! these functions use nothing else. Unless a function says otherwise, errors stay below 2⁻⁵⁰ of the
//! result.

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

/// Natural logarithm of a positive normal number. Near 1 the error is below 2⁻⁵² absolutely.
pub fn ln(x: f64) -> f64 {
	let bits = x.to_bits();
	let mut k = ((bits >> 52) & 0x7ff) as i32 - 1023;
	let mut mantissa = f64::from_bits((bits & ((1 << 52) - 1)) | (1023 << 52));
	if mantissa > core::f64::consts::SQRT_2 {
		mantissa *= 0.5;
		k += 1;
	}
	// ln m = 2 artanh((m − 1) / (m + 1)), a series in squares below 0.03: 12 terms reach 2⁻⁶⁰.
	let s = (mantissa - 1.0) / (mantissa + 1.0);
	let square = s * s;
	let mut sum = 0.0;
	for n in (0..=12).rev() {
		sum = sum * square + 1.0 / (2 * n + 1) as f64;
	}
	k as f64 * LN2_HIGH + (2.0 * s * sum + k as f64 * LN2_LOW)
}

/// `tanh x`; near 0 the error is below 2⁻⁵² absolutely.
pub fn tanh(x: f64) -> f64 {
	let e = exp(-2.0 * x.abs());
	let t = (1.0 - e) / (1.0 + e);
	if x < 0.0 {
		-t
	} else {
		t
	}
}

/// The logistic function `1 / (1 + e^−x)`.
pub fn sigmoid(x: f64) -> f64 {
	let e = exp(-x.abs());
	if x < 0.0 {
		e / (1.0 + e)
	} else {
		1.0 / (1.0 + e)
	}
}

/// The error function, to 2⁻⁵⁰ absolutely.
pub fn erf(x: f64) -> f64 {
	if x.abs() > 6.5 {
		return if x < 0.0 { -1.0 } else { 1.0 };
	}
	// erf x = 2/√π e^(−x²) Σ 2ⁿ x^(2n+1) / (2n+1)!!, whose terms all have one sign (Abramowitz and
	// Stegun, 7.1.6).
	let (mut term, mut sum) = (x, x);
	for n in 1..400 {
		term *= 2.0 * x * x / (2 * n + 1) as f64;
		sum += term;
		if term.abs() < 1e-18 * sum.abs() {
			break;
		}
	}
	core::f64::consts::FRAC_2_SQRT_PI * exp(-x * x) * sum
}

/// GELU: `x Φ(x)` with the distribution function of the normal distribution, to 2⁻⁵⁰ × |x|.
pub fn gelu_erf(x: f64) -> f64 {
	0.5 * x * (1.0 + erf(x * core::f64::consts::FRAC_1_SQRT_2))
}

/// GELU in its tanh form: `x/2 × (1 + tanh(√(2/π) (x + 0.044715 x³)))` (Hendrycks and Gimpel, 2016).
pub fn gelu(x: f64) -> f64 {
	0.5 * x * (1.0 + tanh(0.797_884_560_802_865_4 * (x + 0.044_715 * x * x * x)))
}

/// SiLU or swish: `x × sigmoid(x)`.
pub fn silu(x: f64) -> f64 {
	x * sigmoid(x)
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
	fn functions_match_the_library_to_many_digits() {
		for i in -2000..2000 {
			let x = i as f64 * 0.0173;
			assert!((exp(x) / x.exp() - 1.0).abs() < 1e-14, "exp {x}");
			assert!((tanh(x) - x.tanh()).abs() < 1e-15, "tanh {x}");
			assert!((sigmoid(x) * (1.0 + (-x).exp()) - 1.0).abs() < 1e-14, "sigmoid {x}");
			let y = 1e-9 + (i + 2000) as f64 * 0.731;
			assert!((ln(y) - y.ln()).abs() < 1e-14, "ln {y}");
		}
		assert_eq!((exp(-800.0), exp(800.0)), (0.0, f64::INFINITY));
		assert_eq!(ln(1.0), 0.0);
	}

	#[test]
	fn erf_has_its_tabulated_values() {
		let known = [
			(0.1, 0.112_462_916_018_284_9),
			(0.5, 0.520_499_877_813_046_5),
			(1.0, 0.842_700_792_949_714_9),
			(2.0, 0.995_322_265_018_952_7),
			(3.0, 0.999_977_909_503_001_4),
			(7.0, 1.0),
		];
		for (x, y) in known {
			assert!((erf(x) - y).abs() < 1e-15, "{x}: {}", erf(x));
			assert_eq!(erf(-x), -erf(x));
		}
	}

	#[test]
	fn gelu_is_identity_far_right_and_zero_far_left() {
		for gelu in [gelu, gelu_erf] {
			assert_eq!(gelu(20.0), 20.0);
			assert_eq!(gelu(-20.0), 0.0);
		}
		assert!((gelu(1.0) - 0.841_191_990_608_276_2).abs() < 1e-12);
		assert!((gelu_erf(1.0) - 0.841_344_746_068_542_9).abs() < 1e-15);
	}

	#[test]
	fn ceil_log2_is_the_next_power() {
		assert_eq!(ceil_log2(1.0), 0);
		assert_eq!(ceil_log2(1.01), 1);
		assert_eq!(ceil_log2(0.25), -2);
	}
}
