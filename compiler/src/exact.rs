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

/// GELU in its tanh form: `x/2 × (1 + tanh(√(2/π) (x + 0.044715 x³)))` (Hendrycks and Gimpel, 2016).
pub fn gelu(x: f64) -> f64 {
	0.5 * x * (1.0 + tanh(0.797_884_560_802_865_4 * (x + 0.044_715 * x * x * x)))
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
	fn gelu_is_identity_far_right_and_zero_far_left() {
		assert_eq!(gelu(20.0), 20.0);
		assert_eq!(gelu(-20.0), 0.0);
		assert!((gelu(1.0) - 0.841_191_990_608_276_2).abs() < 1e-12);
	}

	#[test]
	fn ceil_log2_is_the_next_power() {
		assert_eq!(ceil_log2(1.0), 0);
		assert_eq!(ceil_log2(1.01), 1);
		assert_eq!(ceil_log2(0.25), -2);
	}
}
