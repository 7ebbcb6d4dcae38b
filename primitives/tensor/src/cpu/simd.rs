// SPDX-License-Identifier: Apache-2.0

//! The inner loop of products, in the widest instructions the machine has.
//!
//! The only unsafe code of this crate is here. Every level gives the same bits: sums wrap modulo 2^32
//! in all of them, so the order of additions does not matter. (`i16::MIN × i16::MIN × 2` does not fit a
//! signed 32-bit lane; the multiply-add instructions used here wrap there too.)

use super::product::TILE;
use std::sync::OnceLock;

/// Numbers that one step takes from a row; rows are padded to a multiple.
pub const LANES: usize = 32;

/// Instructions that a tile is computed with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
	/// What the compiler makes of plain loops.
	Portable,
	/// 256-bit multiply-add of 16-bit pairs.
	#[cfg(target_arch = "x86_64")]
	Avx2,
	/// 512-bit multiply-accumulate of 16-bit pairs.
	#[cfg(target_arch = "x86_64")]
	Avx512Vnni,
}

impl Level {
	/// The levels this machine has, widest last.
	pub fn available() -> Vec<Level> {
		#[allow(unused_mut)]
		let mut levels = vec![Level::Portable];
		#[cfg(target_arch = "x86_64")]
		{
			if is_x86_feature_detected!("avx2") {
				levels.push(Level::Avx2);
			}
			if is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512vnni") {
				levels.push(Level::Avx512Vnni);
			}
		}
		levels
	}

	/// The widest level this machine has.
	pub fn detected() -> Level {
		static LEVEL: OnceLock<Level> = OnceLock::new();
		*LEVEL.get_or_init(|| Level::available().pop().unwrap_or(Level::Portable))
	}
}

/// Products of [`TILE`] rows of `a` with [`TILE`] rows of `b`, each `stride` long.
///
/// `stride` must be a multiple of [`LANES`] and both slices must hold [`TILE`] rows; `level` must be one
/// of [`Level::available`].
pub fn tile(level: Level, a: &[i16], b: &[i16], stride: usize) -> [[i32; TILE]; TILE] {
	assert!(stride.is_multiple_of(LANES) && a.len() >= TILE * stride && b.len() >= TILE * stride);
	match level {
		Level::Portable => portable(a, b, stride),
		// SAFETY: the machine has the instructions of a level that `available` returned, and the slices
		// hold what the function reads by the assertion above.
		#[cfg(target_arch = "x86_64")]
		Level::Avx2 => unsafe { avx2(a, b, stride) },
		// SAFETY: as above.
		#[cfg(target_arch = "x86_64")]
		Level::Avx512Vnni => unsafe { avx512_vnni(a, b, stride) },
	}
}

fn portable(a: &[i16], b: &[i16], stride: usize) -> [[i32; TILE]; TILE] {
	let mut sums = [[0i32; TILE]; TILE];
	for (row, sums) in a.chunks(stride).zip(&mut sums) {
		for (column, sum) in b.chunks(stride).zip(sums) {
			*sum = row
				.iter()
				.zip(column)
				.fold(0i32, |sum, (a, b)| sum.wrapping_add(*a as i32 * *b as i32));
		}
	}
	sums
}

/// # Safety
/// The machine must have AVX2; `a` and `b` must hold [`TILE`] rows of `stride` numbers, a multiple of 16.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
unsafe fn avx2(a: &[i16], b: &[i16], stride: usize) -> [[i32; TILE]; TILE] {
	use std::arch::x86_64::*;
	let mut sums = [[0i32; TILE]; TILE];
	// Two rows at a time: eight sums, four columns and two rows fit the sixteen registers.
	for pair in 0..TILE / 2 {
		let mut wide = [[_mm256_setzero_si256(); TILE]; 2];
		let mut k = 0;
		while k < stride {
			let mut rows = [_mm256_setzero_si256(); 2];
			for (i, row) in rows.iter_mut().enumerate() {
				// SAFETY: row `2 × pair + i` < TILE and `k + 16` <= stride, so the load is in bounds.
				*row = unsafe {
					_mm256_loadu_si256(a.as_ptr().add((2 * pair + i) * stride + k).cast())
				};
			}
			for j in 0..TILE {
				// SAFETY: as above, row `j` < TILE of `b`.
				let column = unsafe { _mm256_loadu_si256(b.as_ptr().add(j * stride + k).cast()) };
				for (wide, row) in wide.iter_mut().zip(rows) {
					let products = _mm256_madd_epi16(row, column);
					wide[j] = _mm256_add_epi32(wide[j], products);
				}
			}
			k += 16;
		}
		for (sums, wide) in sums[2 * pair..].iter_mut().zip(wide) {
			for (sum, wide) in sums.iter_mut().zip(wide) {
				let halves = _mm_add_epi32(
					_mm256_castsi256_si128(wide),
					_mm256_extracti128_si256::<1>(wide),
				);
				let pairs = _mm_add_epi32(halves, _mm_shuffle_epi32::<0b01_00_11_10>(halves));
				let both = _mm_add_epi32(pairs, _mm_shuffle_epi32::<0b10_11_00_01>(pairs));
				*sum = _mm_cvtsi128_si32(both);
			}
		}
	}
	sums
}

/// # Safety
/// The machine must have AVX-512F and VNNI; `a` and `b` must hold [`TILE`] rows of `stride` numbers, a
/// multiple of [`LANES`].
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512vnni")]
unsafe fn avx512_vnni(a: &[i16], b: &[i16], stride: usize) -> [[i32; TILE]; TILE] {
	use std::arch::x86_64::*;
	let mut wide = [[_mm512_setzero_si512(); TILE]; TILE];
	let mut k = 0;
	while k < stride {
		let mut columns = [_mm512_setzero_si512(); TILE];
		for (j, column) in columns.iter_mut().enumerate() {
			// SAFETY: row `j` < TILE and `k + LANES` <= stride, so the load is in bounds.
			*column = unsafe { _mm512_loadu_si512(b.as_ptr().add(j * stride + k).cast()) };
		}
		for (i, wide) in wide.iter_mut().enumerate() {
			// SAFETY: as above, row `i` < TILE of `a`.
			let row = unsafe { _mm512_loadu_si512(a.as_ptr().add(i * stride + k).cast()) };
			for (wide, column) in wide.iter_mut().zip(columns) {
				*wide = _mm512_dpwssd_epi32(*wide, row, column);
			}
		}
		k += LANES;
	}
	let mut sums = [[0i32; TILE]; TILE];
	for (sums, wide) in sums.iter_mut().zip(wide) {
		for (sum, wide) in sums.iter_mut().zip(wide) {
			*sum = _mm512_reduce_add_epi32(wide);
		}
	}
	sums
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn every_level_gives_the_same_bits() {
		let mut state = 1u64;
		let mut next = move || {
			state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
			match state >> 61 {
				0 => i16::MIN,
				1 => i16::MAX,
				_ => (state >> 33) as i16,
			}
		};
		for stride in [32, 64, 1280] {
			let a: Vec<i16> = (0..TILE * stride).map(|_| next()).collect();
			let b: Vec<i16> = (0..TILE * stride).map(|_| next()).collect();
			let mut expected = [[0i32; TILE]; TILE];
			for (i, row) in expected.iter_mut().enumerate() {
				for (j, sum) in row.iter_mut().enumerate() {
					let exact: i64 = (0..stride)
						.map(|k| a[i * stride + k] as i64 * b[j * stride + k] as i64)
						.sum();
					*sum = exact as i32;
				}
			}
			for level in Level::available() {
				assert_eq!(tile(level, &a, &b, stride), expected, "{level:?} at {stride}");
			}
		}
	}

	#[test]
	fn the_largest_pair_of_products_wraps_alike() {
		let rows = [i16::MIN; TILE * LANES];
		for level in Level::available() {
			// 32 × 2^30 is 0 modulo 2^32.
			assert_eq!(tile(level, &rows, &rows, LANES), [[0; TILE]; TILE], "{level:?}");
		}
		let mut pair = [0i16; TILE * LANES];
		for row in pair.chunks_mut(LANES) {
			row[..2].fill(i16::MIN);
		}
		for level in Level::available() {
			assert_eq!(tile(level, &pair, &pair, LANES), [[i32::MIN; TILE]; TILE], "{level:?}");
		}
	}
}
