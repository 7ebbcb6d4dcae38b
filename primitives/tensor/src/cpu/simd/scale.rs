// SPDX-License-Identifier: Apache-2.0

//! Multiplication by fixed-point numbers, in one loop with what is done just before and after it.

use super::{Instructions, Level, Work};
use crate::{
	cpu::{buffer::Element, pointwise::Operand},
	ops::scalar,
	DType,
};

/// `limit(((a + before − input_zero) × multiplier + 2^(shift − 1)) >> shift) + output_zero) + after`.
///
/// Additions wrap; the rounding term is left out for a shift of 0. What has been shifted is cut to 32 bits
/// if it `wraps`, and limited to them otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scaling {
	/// 0..=63.
	pub shift: u8,
	/// See above.
	pub wraps: bool,
	/// Subtracted first.
	pub input_zero: i32,
	/// Added before the limits.
	pub output_zero: i32,
	/// The lower limit; where the limits are crossed, the result.
	pub low: i32,
	/// The upper limit.
	pub high: i32,
}

impl Scaling {
	/// `a × b` as [`Op::Mul`](crate::Op::Mul) rounds it, for a shift above 0.
	pub fn product(shift: u8) -> Self {
		let (low, high) = (i32::MIN, i32::MAX);
		Self { shift: shift & 63, wraps: true, input_zero: 0, output_zero: 0, low, high }
	}

	/// [`Op::Rescale`](crate::Op::Rescale) with the same shift for all.
	pub fn rescale(output: DType, input_zero: i32, output_zero: i32, shift: i32) -> Self {
		let (low, high) = (output.min(), output.max());
		Self { shift: (shift & 63) as u8, wraps: false, input_zero, output_zero, low, high }
	}

	/// The same, and what comes out of it limited once more.
	pub fn limited(self, min: i32, max: i32) -> Self {
		let limit = |number: i32| number.min(max).max(min);
		Self { low: limit(self.low), high: limit(self.high), ..self }
	}

	/// One element.
	#[inline(always)]
	pub fn of(&self, a: i32, before: i32, multiplier: i32, after: i32) -> i32 {
		let a = a.wrapping_add(before).wrapping_sub(self.input_zero);
		let scaled = scalar::shift_product(a, multiplier, self.shift as u32);
		let scaled = if self.wraps { scaled as i32 } else { DType::I32.saturate(scaled) };
		let limited = scaled.wrapping_add(self.output_zero).min(self.high).max(self.low);
		limited.wrapping_add(after)
	}
}

/// Scales each of `a`. `operands` are what is added before, the multiplier, and what is added after; there
/// must be as many numbers of each as there are of `a` and `out`.
pub fn scale<T: Stored>(
	level: Level,
	scaling: &Scaling,
	a: &[i32],
	operands: [Operand; 3],
	out: &mut [T],
) {
	let fits = |operand: &Operand| match operand {
		Operand::Each(numbers) => numbers.len() == out.len(),
		Operand::All(_) => true,
	};
	assert!(a.len() == out.len() && operands.iter().all(fits), "a number for each element");
	match level.0 {
		// SAFETY: the machine has the instructions of every level that exists, and all lengths are
		// equal by the assertion above.
		#[cfg(target_arch = "x86_64")]
		Instructions::Avx512Vnni => unsafe {
			if scaling.shift >= 32 {
				x86::run::<{ x86::HIGH }, T>(scaling, a, operands, out);
			} else if scaling.wraps {
				x86::run::<{ x86::WRAPS }, T>(scaling, a, operands, out);
			} else {
				x86::run::<{ x86::SATURATES }, T>(scaling, a, operands, out);
			}
		},
		_ => level.run(Loops { scaling, a, operands, out }),
	}
}

/// Elements that the plain loops take one after the other.
const PART: usize = 256;

struct Loops<'a, T> {
	scaling: &'a Scaling,
	a: &'a [i32],
	operands: [Operand<'a>; 3],
	out: &'a mut [T],
}

impl<T: Element> Work for Loops<'_, T> {
	type Output = ();

	#[inline(always)]
	fn work(self) {
		let Self { scaling, a, operands: [before, multiplier, after], out } = self;
		let mut numbers = [0; PART];
		for (part, out) in out.chunks_mut(PART).enumerate() {
			let range = part * PART..part * PART + out.len();
			let numbers = &mut numbers[..out.len()];
			numbers.copy_from_slice(&a[range.clone()]);
			match before {
				Operand::All(one) => {
					numbers.iter_mut().for_each(|number| *number = number.wrapping_add(one));
				}
				Operand::Each(each) => {
					for (number, one) in numbers.iter_mut().zip(&each[range.clone()]) {
						*number = number.wrapping_add(*one);
					}
				}
			}
			match multiplier {
				Operand::All(one) => {
					numbers.iter_mut().for_each(|number| *number = scaling.of(*number, 0, one, 0));
				}
				Operand::Each(each) => {
					for (number, one) in numbers.iter_mut().zip(&each[range.clone()]) {
						*number = scaling.of(*number, 0, *one, 0);
					}
				}
			}
			match after {
				Operand::All(one) => {
					for (out, number) in out.iter_mut().zip(numbers) {
						*out = T::of(number.wrapping_add(one));
					}
				}
				Operand::Each(each) => {
					let added = numbers.iter().zip(&each[range.clone()]);
					for (out, (number, one)) in out.iter_mut().zip(added) {
						*out = T::of(number.wrapping_add(*one));
					}
				}
			}
		}
	}
}

#[cfg(target_arch = "x86_64")]
pub use x86::Stored;

/// Numbers that results are stored as.
#[cfg(not(target_arch = "x86_64"))]
pub trait Stored: Element {}

#[cfg(not(target_arch = "x86_64"))]
impl<T: Element> Stored for T {}

#[cfg(target_arch = "x86_64")]
mod x86 {
	use super::{Element, Operand, Scaling};
	use std::arch::x86_64::*;

	/// The shift is at least 32, so what has been shifted fits in 32 bits.
	pub const HIGH: u8 = 0;
	/// It is below, and what has been shifted is cut to 32 bits.
	pub const WRAPS: u8 = 1;
	/// It is below, and what has been shifted is limited to 32 bits.
	pub const SATURATES: u8 = 2;

	/// Elements of a vector.
	const LANES: usize = 16;

	/// Numbers that results are stored as.
	pub trait Stored: Element {
		/// Stores the low bits of sixteen numbers from `to` on.
		///
		/// # Safety
		/// The machine must have AVX-512 F, and there must be room for sixteen.
		unsafe fn store(to: *mut Self, numbers: __m512i);
	}

	impl Stored for i32 {
		#[inline]
		#[target_feature(enable = "avx512f")]
		unsafe fn store(to: *mut Self, numbers: __m512i) {
			// SAFETY: the caller vouches for the room.
			unsafe { _mm512_storeu_si512(to.cast(), numbers) }
		}
	}

	impl Stored for i16 {
		#[inline]
		#[target_feature(enable = "avx512f")]
		unsafe fn store(to: *mut Self, numbers: __m512i) {
			// SAFETY: the caller vouches for the room, which is 32 bytes.
			unsafe { _mm256_storeu_si256(to.cast(), _mm512_cvtepi32_epi16(numbers)) }
		}
	}

	impl Stored for i8 {
		#[inline]
		#[target_feature(enable = "avx512f")]
		unsafe fn store(to: *mut Self, numbers: __m512i) {
			// SAFETY: the caller vouches for the room, which is 16 bytes.
			unsafe { _mm_storeu_si128(to.cast(), _mm512_cvtepi32_epi8(numbers)) }
		}
	}

	/// What is the same for all vectors.
	struct Constants {
		rounding: __m512i,
		/// What is shifted by: after the upper halves are taken where the shift is at least 32.
		bits: __m128i,
		/// 32 less that.
		other_bits: __m128i,
		input_zero: __m512i,
		output_zero: __m512i,
		low: __m512i,
		high: __m512i,
	}

	/// Sixteen elements.
	#[inline]
	#[target_feature(enable = "avx512f")]
	fn sixteen<const PATH: u8>(
		constants: &Constants,
		a: __m512i,
		before: __m512i,
		multiplier: __m512i,
		after: __m512i,
	) -> __m512i {
		let a = _mm512_sub_epi32(_mm512_add_epi32(a, before), constants.input_zero);
		// Products of 64 bits: those of the even elements, and those of the odd ones.
		let product = |a, b| _mm512_add_epi64(_mm512_mul_epi32(a, b), constants.rounding);
		let even = product(a, multiplier);
		let odd = product(_mm512_srli_epi64::<32>(a), _mm512_srli_epi64::<32>(multiplier));
		const ODD: u16 = 0xaaaa;
		let scaled = if PATH == HIGH {
			let upper = _mm512_mask_blend_epi32(ODD, _mm512_srli_epi64::<32>(even), odd);
			_mm512_sra_epi32(upper, constants.bits)
		} else {
			// The lower half of what has been shifted; that of an odd product is shifted into the upper one.
			let lower = _mm512_mask_blend_epi32(
				ODD,
				_mm512_srl_epi64(even, constants.bits),
				_mm512_sll_epi64(odd, constants.other_bits),
			);
			if PATH == WRAPS {
				lower
			} else {
				let upper = _mm512_mask_blend_epi32(ODD, _mm512_srli_epi64::<32>(even), odd);
				let sign = _mm512_srai_epi32::<31>(upper);
				let upper = _mm512_sra_epi32(upper, constants.bits);
				let beyond = _mm512_cmpneq_epi32_mask(upper, _mm512_srai_epi32::<31>(lower));
				// The limit of the product's sign.
				let limit = _mm512_xor_si512(sign, _mm512_set1_epi32(i32::MAX));
				_mm512_mask_mov_epi32(lower, beyond, limit)
			}
		};
		let result = _mm512_add_epi32(scaled, constants.output_zero);
		let result = _mm512_max_epi32(_mm512_min_epi32(result, constants.high), constants.low);
		_mm512_add_epi32(result, after)
	}

	/// Sixteen numbers for all elements, and the elements that follow them for each sixteen.
	#[inline]
	fn source(operand: Operand, all: &mut [i32; LANES]) -> (*const i32, usize) {
		match operand {
			Operand::Each(each) => (each.as_ptr(), 1),
			Operand::All(one) => {
				*all = [one; LANES];
				(all.as_ptr(), 0)
			}
		}
	}

	/// See [`scale`](super::scale).
	///
	/// # Safety
	/// The machine must have AVX-512 F; `a`, each operand and `out` must be equally long.
	#[target_feature(enable = "avx512f")]
	pub unsafe fn run<const PATH: u8, T: Stored>(
		scaling: &Scaling,
		a: &[i32],
		operands: [Operand; 3],
		out: &mut [T],
	) {
		let shift = scaling.shift as i32;
		let rounding = if shift == 0 { 0 } else { 1i64 << (shift - 1) };
		let constants = Constants {
			rounding: _mm512_set1_epi64(rounding),
			bits: _mm_cvtsi32_si128(if PATH == HIGH { shift - 32 } else { shift }),
			other_bits: _mm_cvtsi32_si128(32 - shift),
			input_zero: _mm512_set1_epi32(scaling.input_zero),
			output_zero: _mm512_set1_epi32(scaling.output_zero),
			low: _mm512_set1_epi32(scaling.low),
			high: _mm512_set1_epi32(scaling.high),
		};
		let mut all = [[0; LANES]; 3];
		let [before_all, multiplier_all, after_all] = &mut all;
		let [before, multiplier, after] = operands;
		let (before, before_step) = source(before, before_all);
		let (multiplier, multiplier_step) = source(multiplier, multiplier_all);
		let (after, after_step) = source(after, after_all);
		let whole = out.len() / LANES * LANES;
		let mut at = 0;
		while at < whole {
			// SAFETY: sixteen numbers from `at` on lie inside every operand that has one for each
			// element, and inside `out`; the others have sixteen, of which `at × 0` is the first.
			unsafe {
				let load =
					|from: *const i32, step: usize| _mm512_loadu_si512(from.add(at * step).cast());
				let result = sixteen::<PATH>(
					&constants,
					load(a.as_ptr(), 1),
					load(before, before_step),
					load(multiplier, multiplier_step),
					load(after, after_step),
				);
				T::store(out.as_mut_ptr().add(at), result);
			}
			at += LANES;
		}
		for (number, out) in out.iter_mut().enumerate().skip(whole) {
			let of = |operand: Operand| match operand {
				Operand::Each(each) => each[number],
				Operand::All(one) => one,
			};
			let [before, multiplier, after] = operands.map(of);
			*out = T::of(scaling.of(a[number], before, multiplier, after));
		}
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::{
		arbitrary::Random,
		ops::scalar::{pointwise, Pointwise},
		Binary,
	};

	/// The operators one after the other.
	fn apart(
		first: Pointwise,
		limits: Option<(i32, i32)>,
		[a, before, multiplier, shift, after]: [i32; 5],
	) -> i32 {
		let add = Pointwise::Binary(Binary::Add);
		let a = pointwise(add, DType::I32, [a, before, 0]);
		let scaled = pointwise(first, DType::I32, [a, multiplier, shift]);
		let limited = limits.map_or(scaled, |(min, max)| {
			pointwise(Pointwise::Clamp { min, max }, DType::I32, [scaled, 0, 0])
		});
		pointwise(add, DType::I32, [limited, after, 0])
	}

	fn compare<T: Stored + std::fmt::Debug>(
		scaling: &Scaling,
		first: Pointwise,
		limits: Option<(i32, i32)>,
		random: &mut Random,
	) {
		const COUNT: usize = 53;
		let mut numbers = || -> Vec<i32> { (0..COUNT).map(|_| random.value(DType::I32)).collect() };
		let (a, b, c, d) = (numbers(), numbers(), numbers(), numbers());
		for kinds in 0..8usize {
			let each = [Operand::Each(&b), Operand::Each(&c), Operand::Each(&d)];
			let all = [Operand::All(b[3]), Operand::All(c[4]), Operand::All(d[40])];
			let operands =
				[0, 1, 2].map(|at| if kinds >> at & 1 == 0 { each[at] } else { all[at] });
			for level in Level::available() {
				let mut out = [T::of(7); COUNT];
				scale(level, scaling, &a, operands, &mut out);
				for (index, found) in out.iter().enumerate() {
					let [before, multiplier, after] = operands.map(|operand| match operand {
						Operand::Each(each) => each[index],
						Operand::All(one) => one,
					});
					let numbers = [a[index], before, multiplier, scaling.shift as i32, after];
					let expected = apart(first, limits, numbers);
					assert_eq!(
						found.wide(),
						T::of(expected).wide(),
						"{scaling:?} of {numbers:?}: {}",
						level.name()
					);
				}
			}
		}
	}

	#[test]
	fn one_loop_gives_the_bits_of_the_operators_one_after_the_other_at_every_level() {
		let mut random = Random::new(21);
		for shift in 0..64u8 {
			for limits in [None, Some((-70, 90)), Some((5, -5)), Some((0, i32::MAX))] {
				let limited = |scaling: Scaling| match limits {
					Some((min, max)) => scaling.limited(min, max),
					None => scaling,
				};
				for (output, zeros) in [
					(DType::I8, [0, -128]),
					(DType::I16, [-3, 32_767]),
					(DType::I32, [i32::MIN, i32::MAX]),
				] {
					let [input_zero_point, output_zero_point] = zeros;
					let first = Pointwise::Rescale { output, input_zero_point, output_zero_point };
					let shift = shift as i32;
					let scaling = Scaling::rescale(output, zeros[0], zeros[1], shift);
					compare::<i8>(&limited(scaling), first, limits, &mut random);
					compare::<i16>(&limited(scaling), first, limits, &mut random);
					compare::<i32>(&limited(scaling), first, limits, &mut random);
				}
				if shift > 0 {
					let (first, scaling) = (Pointwise::Mul { shift }, Scaling::product(shift));
					compare::<i32>(&limited(scaling), first, limits, &mut random);
				}
			}
		}
	}

	#[test]
	fn the_largest_product_wraps_alike() {
		let a = [i32::MIN; 17];
		for shift in [1, 31, 32, 62, 63] {
			let expected = scalar::multiply(i32::MIN, i32::MIN, shift);
			for level in Level::available() {
				let mut out = [7; 17];
				let operands = [Operand::All(0), Operand::All(i32::MIN), Operand::All(0)];
				scale(level, &Scaling::product(shift), &a, operands, &mut out);
				assert_eq!(out, [expected; 17], "{shift} {}", level.name());
			}
		}
	}

	#[test]
	#[should_panic(expected = "a number for each element")]
	fn operands_of_other_lengths_are_refused() {
		let operands = [Operand::All(0), Operand::Each(&[1; 3]), Operand::All(0)];
		scale(Level::detected(), &Scaling::product(1), &[1; 4], operands, &mut [0i32; 4]);
	}
}
