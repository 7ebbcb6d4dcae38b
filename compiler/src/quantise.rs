// SPDX-License-Identifier: Apache-2.0

//! From real numbers to integers: what an integer stands for, multipliers, weight planes.

use crate::exact;
use tensornet_tensor::DType;

/// What the integers of a tensor stand for: `real = (integer − zero) × unit`, limited to `low..=high`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Quant {
	/// Element type.
	pub dtype: DType,
	/// The value of one unit.
	pub unit: f64,
	/// The integer that stands for 0.
	pub zero: i32,
	/// The smallest integer.
	pub low: i32,
	/// The largest integer.
	pub high: i32,
}

/// The smallest unit: below it nothing is told apart.
const LEAST: f64 = 1e-12;

impl Quant {
	/// Eight bits for the numbers from `low` to `high`, and 0.
	pub fn i8(low: f64, high: f64) -> Self {
		let (low, high) = (low.min(0.0), high.max(0.0));
		let unit = ((high - low) / 255.0).max(LEAST);
		let zero = (-128.0 - low / unit).round().clamp(-128.0, 127.0) as i32;
		Self { dtype: DType::I8, unit, zero, low: -128, high: 127 }
	}

	/// Sixteen bits for the numbers up to ±`largest`, which becomes `limit`.
	pub fn i16(largest: f64, limit: i32) -> Self {
		let unit = (largest / limit as f64).max(LEAST);
		Self { dtype: DType::I16, unit, zero: 0, low: -limit, high: limit }
	}

	/// Sixteen bits for the numbers from `low` to `high`.
	pub fn between(low: f64, high: f64) -> Self {
		let unit = ((high - low) / 65_535.0).max(LEAST);
		let zero = (-32_768.0 - low / unit).round() as i32;
		Self { dtype: DType::I16, unit, zero, low: -32_768, high: 32_767 }
	}

	/// Thirty-two bits in units of `unit`.
	pub fn i32(unit: f64) -> Self {
		Self { dtype: DType::I32, unit, zero: 0, low: i32::MIN, high: i32::MAX }
	}

	/// The integer for a number.
	pub fn of(&self, value: f64) -> i32 {
		let units = (value / self.unit).round() + self.zero as f64;
		units.clamp(self.low as f64, self.high as f64) as i32
	}

	/// The number that an integer stands for.
	pub fn real(&self, integer: i32) -> f64 {
		(integer as f64 - self.zero as f64) * self.unit
	}

	/// Whether the limits are narrower than the element type.
	pub fn is_limited(&self) -> bool {
		self.low > self.dtype.min() + 1 || self.high < self.dtype.max()
	}

	/// A key that is equal for equal quants.
	pub fn key(&self) -> (u8, u64, i32, i32, i32) {
		(self.dtype.size() as u8, self.unit.to_bits(), self.zero, self.low, self.high)
	}
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
/// names the output of the weight at an index; the unit of an output is at least `least`.
pub fn weights(
	data: &[f32],
	least: &[f64],
	limit: i32,
	output_of: impl Fn(usize) -> usize,
) -> Weights {
	let mut largest = vec![0f64; least.len()];
	for (index, weight) in data.iter().enumerate() {
		let largest = &mut largest[output_of(index)];
		*largest = largest.max(weight.abs() as f64);
	}
	let unit = |(largest, least): (f64, &f64)| (largest / limit as f64).max(*least).max(LEAST);
	let units: Vec<f64> = largest.into_iter().zip(least).map(unit).collect();
	let values = data
		.iter()
		.enumerate()
		.map(|(index, weight)| whole(*weight as f64, units[output_of(index)], limit))
		.collect();
	Weights { values, units }
}

/// By how much rounded weights change each output on average, the operand's channels being `means` on average:
/// the error that a bias can take back (Nagel, Baalen, Blankevoort and Welling, 2019). `channel_of` names the
/// channel that the weight at an index is multiplied with.
pub fn shift(
	data: &[f32],
	rounded: &Weights,
	means: &[f64],
	output_of: impl Fn(usize) -> usize,
	channel_of: impl Fn(usize) -> usize,
) -> Vec<f64> {
	let mut shift = vec![0f64; rounded.units.len()];
	for (at, (real, integer)) in data.iter().zip(&rounded.values).enumerate() {
		let out = output_of(at);
		let error = *integer as f64 * rounded.units[out] - *real as f64;
		shift[out] += error * means.get(channel_of(at)).copied().unwrap_or(0.0);
	}
	shift
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
		let w = weights(&[1.0, -4.0, 0.5, 0.0, 2.0, 0.0], &[0.0; 3], 127, |i| i % 3);
		assert_eq!(w.units, [1.0 / 127.0, 4.0 / 127.0, 0.5 / 127.0]);
		assert_eq!(w.values, [127, -127, 127, 0, 64, 0]);
	}

	#[test]
	fn the_mean_error_of_rounded_weights_is_known() {
		let data = [1.0, 0.3, -0.2, 0.9];
		let rounded = weights(&data, &[0.0; 2], 3, |at| at / 2);
		let means = [10.0, 100.0];
		let shift = shift(&data, &rounded, &means, |at| at / 2, |at| at % 2);
		let product = |w: &dyn Fn(usize) -> f64, o: usize| w(o * 2) * 10.0 + w(o * 2 + 1) * 100.0;
		for (out, shift) in shift.iter().enumerate() {
			let real = product(&|at| data[at] as f64, out);
			let found = product(&|at| rounded.values[at] as f64 * rounded.units[out], out);
			assert!((found - real - shift).abs() < 1e-4 && *shift != 0.0);
		}
	}

	#[test]
	fn bytes_reach_from_the_smallest_to_the_largest_number_and_hold_zero() {
		let quant = Quant::i8(-1.0, 3.0);
		assert_eq!((quant.of(-1.0), quant.of(3.0), quant.of(0.0)), (-128, 127, quant.zero));
		assert_eq!(quant.real(quant.zero), 0.0);
		assert!((quant.real(quant.of(1.234)) - 1.234).abs() < quant.unit);
		assert_eq!(Quant::i8(1.0, 2.0).zero, -128);
	}

	#[test]
	fn words_keep_within_their_limit() {
		let quant = Quant::i16(10.0, 1000);
		assert_eq!((quant.of(10.0), quant.of(-99.0)), (1000, -1000));
		assert!(quant.is_limited() && !Quant::i16(1.0, 32_767).is_limited());
		let part = Quant::between(2.0, 6.0);
		assert!((part.real(part.of(3.3)) - 3.3).abs() < part.unit);
	}
}
