// SPDX-License-Identifier: Apache-2.0

//! From real numbers to integers: scales, multipliers, weight planes.

use crate::exact;

/// The smallest power of two that, as the value of one unit, keeps `largest` within `limit` units.
pub fn power_scale(largest: f64, limit: i32) -> f64 {
	exact::power(exact::ceil_log2((largest / limit as f64).max(exact::power(-40))))
}

/// A real number as a whole multiple of `unit`, limited to ±`limit`.
pub fn whole(value: f64, unit: f64, limit: i32) -> i32 {
	(value / unit).round().clamp(-(limit as f64), limit as f64) as i32
}

/// `factors[i] ≈ multipliers[i] / 2^shift`, with one shift for all, so that the range of the product
/// is known without looking at each channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Multipliers {
	/// Up to 2^30.
	pub multipliers: Vec<i32>,
	/// 0..=62.
	pub shift: i32,
}

impl Multipliers {
	/// The closest multipliers for positive factors; `None` if one exceeds 2^30.
	pub fn of(factors: &[f64]) -> Option<Self> {
		let largest = factors.iter().copied().fold(0.0, f64::max);
		let shift = (30 - exact::ceil_log2(largest.max(exact::power(-60)))).min(62);
		let multipliers =
			factors.iter().map(|factor| exact::scale(*factor, shift).round() as i32).collect();
		(shift >= 0).then_some(Self { multipliers, shift })
	}
}

/// Weights as integers with one scale for each output.
#[derive(Clone, Debug, PartialEq)]
pub struct Weights {
	/// In the order they were given.
	pub values: Vec<i32>,
	/// The value of one unit, for each output.
	pub units: Vec<f64>,
}

/// Quantises weights symmetrically so that the largest of each output becomes `limit`. `output_of`
/// names the output of the weight at an index.
pub fn weights(
	data: &[f32],
	outputs: usize,
	limit: i32,
	output_of: impl Fn(usize) -> usize,
) -> Weights {
	let mut largest = vec![0f64; outputs];
	for (index, weight) in data.iter().enumerate() {
		let largest = &mut largest[output_of(index)];
		*largest = largest.max(weight.abs() as f64);
	}
	// An output without weights gets any unit: all of its integers are zero.
	let unit = |largest: f64| if largest > 0.0 { largest / limit as f64 } else { 1.0 };
	let units: Vec<f64> = largest.into_iter().map(unit).collect();
	let values = data
		.iter()
		.enumerate()
		.map(|(index, weight)| whole(*weight as f64, units[output_of(index)], limit))
		.collect();
	Weights { values, units }
}

/// The largest weight of two planes: `127 × 128`.
pub const TWO_PLANES: i32 = 127 * 128;

/// Splits weights of up to ±[`TWO_PLANES`] into `high × 128 + low`, each an i8.
pub fn planes(values: &[i32]) -> (Vec<i32>, Vec<i32>) {
	values
		.iter()
		.map(|value| {
			let high = (value + 64) >> 7;
			(high, value - (high << 7))
		})
		.unzip()
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn planes_recombine_and_fit_in_bytes() {
		let values: Vec<i32> = (-TWO_PLANES..=TWO_PLANES).collect();
		let (high, low) = planes(&values);
		for ((value, high), low) in values.iter().zip(&high).zip(&low) {
			assert_eq!(*value, high * 128 + low);
			assert!((-127..=127).contains(high) && (-64..=63).contains(low));
		}
	}

	#[test]
	fn multipliers_share_a_shift_and_keep_30_bits() {
		let m = Multipliers::of(&[0.1, 0.03]).unwrap();
		assert!(m.multipliers[0] > 1 << 29);
		for (factor, multiplier) in [0.1, 0.03].iter().zip(&m.multipliers) {
			assert!((exact::scale(*multiplier as f64, -m.shift) / factor - 1.0).abs() < 1e-8);
		}
		assert_eq!(Multipliers::of(&[3e9]), None);
	}

	#[test]
	fn each_output_uses_the_whole_range_of_its_weights() {
		let w = weights(&[1.0, -4.0, 0.5, 0.0, 2.0, 0.0], 3, 127, |index| index % 3);
		assert_eq!(w.units, [1.0 / 127.0, 4.0 / 127.0, 0.5 / 127.0]);
		assert_eq!(w.values, [127, -127, 127, 0, 64, 0]);
	}

	#[test]
	fn power_scale_covers_the_range() {
		let unit = power_scale(50.0, 12_000);
		assert_eq!(unit, exact::power(-7));
		assert_eq!(whole(1e9, unit, 12_000), 12_000);
	}
}
