// SPDX-License-Identifier: Apache-2.0

//! Lookups in tables of 513 entries, with interpolation, that keep the table in vectors.

use super::{Instructions, Level};
use crate::ops::scalar;

/// Segments of a table.
pub const SEGMENTS: usize = 512;

/// For each segment the entry where it starts and the one where it ends, in rows of their own.
#[derive(Clone)]
#[repr(C, align(64))]
pub struct Segments {
	starts: [i16; SEGMENTS],
	ends: [i16; SEGMENTS],
}

impl Segments {
	/// The segments between `entries`, of which there are 513; further ones are ignored, missing ones 0.
	pub fn new(entries: &[i32]) -> Self {
		let mut segments = Self { starts: [0; SEGMENTS], ends: [0; SEGMENTS] };
		for (number, pair) in entries.windows(2).take(SEGMENTS).enumerate() {
			segments.starts[number] = pair[0] as i16;
			segments.ends[number] = pair[1] as i16;
		}
		segments
	}

	/// What the lookup of the low 16 bits of `a` gives.
	#[inline(always)]
	pub fn at(&self, a: i32) -> i32 {
		let (entry, fraction) = scalar::table_entry(crate::DType::I16, a);
		let place = entry as usize & (SEGMENTS - 1);
		scalar::interpolate(self.starts[place] as i32, self.ends[place] as i32, fraction)
	}
}

/// Looks up each of `a`, if the level has a loop for it; says whether it has.
pub fn look_up(level: Level, segments: &Segments, a: &[i32], out: &mut [i32]) -> bool {
	assert!(a.len() == out.len(), "a result for each element");
	match level.0 {
		// SAFETY: the machine has the instructions of every level that exists, and both lengths are
		// equal by the assertion above.
		#[cfg(target_arch = "x86_64")]
		Instructions::Avx512Vnni => unsafe { x86::run(segments, a, out) },
		_ => return false,
	}
	true
}

#[cfg(target_arch = "x86_64")]
mod x86 {
	use super::{Segments, SEGMENTS};
	use std::arch::x86_64::*;

	/// 16-bit numbers of a vector.
	const LANES: usize = 32;

	/// The entries of one row of a table at 32 places, whose upper nine bits in sixteen count.
	#[inline]
	#[target_feature(enable = "avx512f,avx512bw")]
	fn entries(row: &[i16; SEGMENTS], index: __m512i, bits: [__mmask32; 3]) -> __m512i {
		// Two vectors hold 64 entries, among which the low six bits choose.
		let part = |number: usize| {
			// SAFETY: the row has sixteen vectors; `number` is below eight.
			let (low, high) = unsafe {
				let start = row.as_ptr().add(number * 2 * LANES);
				(_mm512_loadu_si512(start.cast()), _mm512_loadu_si512(start.add(LANES).cast()))
			};
			_mm512_permutex2var_epi16(low, index, high)
		};
		let pair = |number| _mm512_mask_blend_epi16(bits[0], part(number), part(number + 1));
		let four = |number| _mm512_mask_blend_epi16(bits[1], pair(number), pair(number + 2));
		_mm512_mask_blend_epi16(bits[2], four(0), four(4))
	}

	/// See [`look_up`](super::look_up).
	///
	/// # Safety
	/// The machine must have AVX-512 F and BW; `a` and `out` must be equally long.
	#[target_feature(enable = "avx512f,avx512bw")]
	pub unsafe fn run(segments: &Segments, a: &[i32], out: &mut [i32]) {
		// The low halves of 32 words, in the order that unpacking makes that of the words again: in each
		// quarter four of the first sixteen, then four of the others.
		let order: [i16; LANES] = std::array::from_fn(|at| {
			let (quarter, half, inside) = (at / 8, at / 4 % 2, at % 4);
			(half * 32 + (quarter * 4 + inside) * 2) as i16
		});
		// SAFETY: the array is a vector long.
		let order = unsafe { _mm512_loadu_si512(order.as_ptr().cast()) };
		let whole = out.len() / LANES * LANES;
		let mut at = 0;
		while at < whole {
			// SAFETY: 32 numbers from `at` on lie inside `a`.
			let (first, second) = unsafe {
				let start = a.as_ptr().add(at);
				(_mm512_loadu_si512(start.cast()), _mm512_loadu_si512(start.add(LANES / 2).cast()))
			};
			let numbers = _mm512_permutex2var_epi16(first, order, second);
			let places = _mm512_xor_si512(numbers, _mm512_set1_epi16(i16::MIN));
			let index = _mm512_srli_epi16::<7>(places);
			let bits = [
				_mm512_test_epi16_mask(places, _mm512_set1_epi16(1 << 13)),
				_mm512_test_epi16_mask(places, _mm512_set1_epi16(1 << 14)),
				_mm512_movepi16_mask(places),
			];
			let starts = entries(&segments.starts, index, bits);
			let ends = entries(&segments.ends, index, bits);
			// start × (128 − fraction) + end × fraction, which no sixteen bits make too large.
			let fraction = _mm512_and_si512(places, _mm512_set1_epi16(127));
			let other = _mm512_sub_epi16(_mm512_set1_epi16(128), fraction);
			let low = _mm512_madd_epi16(
				_mm512_unpacklo_epi16(starts, ends),
				_mm512_unpacklo_epi16(other, fraction),
			);
			let high = _mm512_madd_epi16(
				_mm512_unpackhi_epi16(starts, ends),
				_mm512_unpackhi_epi16(other, fraction),
			);
			// SAFETY: there is room for 32 numbers from `at` on.
			unsafe {
				let start = out.as_mut_ptr().add(at);
				_mm512_storeu_si512(start.cast(), low);
				_mm512_storeu_si512(start.add(LANES / 2).cast(), high);
			}
			at += LANES;
		}
		for (out, a) in out[whole..].iter_mut().zip(&a[whole..]) {
			*out = segments.at(*a);
		}
	}
}
