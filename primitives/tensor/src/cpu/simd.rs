// SPDX-License-Identifier: Apache-2.0

//! Loops in the widest instructions the machine has: the inner loop of products, and a way to compile
//! any other loop for them.
//!
//! The only unsafe code of this crate is here and in the modules below. Every level gives the same bits: sums wrap modulo 2^32
//! in all of them, so the order of additions does not matter, and no instruction used here saturates.
//! (`i16::MIN × i16::MIN × 2` does not fit a signed 32-bit lane; the multiply-adds wrap there too.)
//!
//! Products work on *words*: 32 bits that hold four 8-bit or two 16-bit numbers, neighbours along the
//! axis that is summed over. [`tile`] does not care which, but for the instruction it uses.

mod lookup;
mod scale;

pub use lookup::{look_up, Segments};
pub use scale::{scale, Scaling};

use std::sync::OnceLock;

/// Columns of a panel, the unit in which the right side of a product is packed.
pub const WIDTH: usize = 32;

/// One number for each column of a panel; its start is that of a cache line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C, align(64))]
pub struct Row(pub [i32; WIDTH]);

impl Row {
	/// A row of nothing.
	pub const ZERO: Row = Row([0; WIDTH]);
}

/// Words of the right side of a product: row `g` holds word `g` of each of [`WIDTH`] columns.
pub type Panel = [Row];

/// What words hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
	/// Four bytes: signed on the left of a product, unsigned on the right.
	Bytes,
	/// Two signed halves.
	Halves,
}

/// The instructions that loops are compiled to. One can only have a level that the machine has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Level(Instructions);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Instructions {
	/// What the compiler makes of plain loops.
	Portable,
	/// 256-bit multiply-add of 16-bit pairs.
	#[cfg(target_arch = "x86_64")]
	Avx2,
	/// 512-bit multiply-accumulate of bytes in fours and of 16-bit pairs.
	#[cfg(target_arch = "x86_64")]
	Avx512Vnni,
}

impl Level {
	/// The levels this machine has, narrowest first.
	pub fn available() -> Vec<Level> {
		#[allow(unused_mut)]
		let mut levels = vec![Level(Instructions::Portable)];
		#[cfg(target_arch = "x86_64")]
		{
			if is_x86_feature_detected!("avx2") {
				levels.push(Level(Instructions::Avx2));
			}
			if is_x86_feature_detected!("avx512f")
				&& is_x86_feature_detected!("avx512bw")
				&& is_x86_feature_detected!("avx512dq")
				&& is_x86_feature_detected!("avx512vl")
				&& is_x86_feature_detected!("avx512vnni")
			{
				levels.push(Level(Instructions::Avx512Vnni));
			}
		}
		levels
	}

	/// The widest level this machine has.
	pub fn detected() -> Level {
		static LEVEL: OnceLock<Level> = OnceLock::new();
		let widest = || Level::available().pop().unwrap_or(Level(Instructions::Portable));
		*LEVEL.get_or_init(widest)
	}

	/// The level's name: `portable`, `avx2` or `avx512-vnni`.
	pub fn name(self) -> &'static str {
		match self.0 {
			Instructions::Portable => "portable",
			#[cfg(target_arch = "x86_64")]
			Instructions::Avx2 => "avx2",
			#[cfg(target_arch = "x86_64")]
			Instructions::Avx512Vnni => "avx512-vnni",
		}
	}

	/// Whether products of bytes are faster than those of halves at this level.
	pub(super) fn multiplies_bytes(self) -> bool {
		match self.0 {
			Instructions::Portable => false,
			#[cfg(target_arch = "x86_64")]
			Instructions::Avx2 => false,
			#[cfg(target_arch = "x86_64")]
			Instructions::Avx512Vnni => true,
		}
	}

	/// Rows whose sums with a panel are held in registers at once; [`tile`] is best given as many.
	pub(super) fn tile_rows(self) -> usize {
		match self.0 {
			Instructions::Portable => 64,
			#[cfg(target_arch = "x86_64")]
			Instructions::Avx2 => x86::AVX2_ROWS,
			#[cfg(target_arch = "x86_64")]
			Instructions::Avx512Vnni => x86::AVX512_ROWS,
		}
	}

	/// Does `work` with its loops compiled for this level.
	#[inline]
	pub(super) fn run<W: Work>(self, work: W) -> W::Output {
		match self.0 {
			Instructions::Portable => work.work(),
			// SAFETY: the machine has the instructions of every level that exists.
			#[cfg(target_arch = "x86_64")]
			Instructions::Avx2 => unsafe { x86::with_avx2(work) },
			// SAFETY: as above.
			#[cfg(target_arch = "x86_64")]
			Instructions::Avx512Vnni => unsafe { x86::with_avx512(work) },
		}
	}
}

/// A loop that [`Level::run`] compiles for each level. The method must be `inline(always)`, and so must
/// what it calls: only what is inlined is compiled for the level.
pub trait Work {
	/// What comes of it.
	type Output;
	/// Runs the loop.
	fn work(self) -> Self::Output;
}

/// The bytes of words, in the order in which products take them.
pub fn bytes(words: &mut [i32]) -> &mut [i8] {
	// SAFETY: the bytes are those of the slice, borrowed as long and as exclusively; any bytes are
	// valid numbers of both types, and a byte needs no alignment.
	unsafe { std::slice::from_raw_parts_mut(words.as_mut_ptr().cast(), words.len() * 4) }
}

/// The halves of words, in the order in which products take them.
pub fn halves(words: &mut [i32]) -> &mut [i16] {
	// SAFETY: as for `bytes`; the alignment of a word is enough for a half.
	unsafe { std::slice::from_raw_parts_mut(words.as_mut_ptr().cast(), words.len() * 2) }
}

/// Numbers that memory can be seen as.
///
/// # Safety
/// Any bits of the type's size must be a number of the type, and all of its bits must be initialised;
/// its alignment must divide that of [`Row`].
pub unsafe trait Plain: Copy {}

// SAFETY: all of these are integers without padding, and a row is aligned to 64 bytes.
unsafe impl Plain for i8 {}
// SAFETY: as above.
unsafe impl Plain for i16 {}
// SAFETY: as above.
unsafe impl Plain for i32 {}

/// The memory of rows as numbers.
pub fn view<T: Plain>(rows: &[Row]) -> &[T] {
	let count = std::mem::size_of_val(rows) / size_of::<T>();
	// SAFETY: a row is 32 integers without padding, so all of its bytes are initialised; the slice
	// covers the rows and nothing else, is aligned by the promise of `Plain`, and borrows them.
	unsafe { std::slice::from_raw_parts(rows.as_ptr().cast(), count) }
}

/// The bytes of numbers, as they lie in memory.
pub fn memory<T: Plain>(numbers: &[T]) -> &[u8] {
	// SAFETY: the bytes are those of the slice, all of them initialised by the promise of `Plain`; a byte
	// needs no alignment.
	unsafe { std::slice::from_raw_parts(numbers.as_ptr().cast(), size_of_val(numbers)) }
}

/// The memory of rows as numbers that can be replaced.
pub fn view_mut<T: Plain>(rows: &mut [Row]) -> &mut [T] {
	let count = std::mem::size_of_val(rows) / size_of::<T>();
	// SAFETY: as for `view`; the borrow is exclusive, and any bits that are written are integers.
	unsafe { std::slice::from_raw_parts_mut(rows.as_mut_ptr().cast(), count) }
}

/// Sums, modulo 2^32, the products of the words `a[row × stride + g]` with the words `b[g][column]` over
/// all `g`. `sums[row][column]` is set to the sum or, with `more`, increased by it.
///
/// A word of `a` is read as it lies in memory ([`bytes`], [`halves`]); in a word of `b` the first
/// number is in the lowest bits. `next` is what will be read after `b`: it is fetched meanwhile.
pub fn tile(
	level: Level,
	kind: Kind,
	a: &[i32],
	stride: usize,
	[b, next]: [&Panel; 2],
	more: bool,
	sums: &mut [Row],
) {
	let Some(last) = sums.len().checked_sub(1) else { return };
	let needed = last.checked_mul(stride).and_then(|start| start.checked_add(b.len()));
	assert!(needed.is_some_and(|needed| needed <= a.len()), "the rows lie inside the slice");
	match (level.0, kind) {
		// SAFETY: the machine has the instructions of every level that exists, and the rows that the
		// function reads lie inside `a` by the assertion above.
		#[cfg(target_arch = "x86_64")]
		(Instructions::Avx512Vnni, Kind::Bytes) => unsafe {
			x86::avx512_vnni::<true>(a, stride, [b, next], more, sums)
		},
		// SAFETY: as above.
		#[cfg(target_arch = "x86_64")]
		(Instructions::Avx512Vnni, Kind::Halves) => unsafe {
			x86::avx512_vnni::<false>(a, stride, [b, next], more, sums)
		},
		// SAFETY: as above.
		#[cfg(target_arch = "x86_64")]
		(Instructions::Avx2, Kind::Halves) => unsafe { x86::avx2(a, stride, b, more, sums) },
		(_, Kind::Bytes) => portable(a, stride, b, more, sums, |a, b| {
			let (a, b) = (a.to_le_bytes(), b.to_le_bytes());
			std::array::from_fn::<_, 4, _>(|lane| (a[lane] as i8 as i16, b[lane] as i16))
		}),
		(_, Kind::Halves) => portable(a, stride, b, more, sums, |a, b| {
			[(a as i16, b as i16), ((a >> 16) as i16, (b >> 16) as i16)]
		}),
	}
}

/// Words that the portable loop takes apart at once.
const PORTABLE_DEPTH: usize = 32;

/// [`tile`] in plain loops. `lanes` takes a word of the left and one of the right side apart, both with
/// the first number in the lowest bits.
fn portable<const LANES: usize>(
	a: &[i32],
	stride: usize,
	b: &Panel,
	more: bool,
	sums: &mut [Row],
	lanes: impl Fn(i32, i32) -> [(i16, i16); LANES],
) {
	if !more {
		sums.fill(Row::ZERO);
	}
	let mut apart = [[[0i16; WIDTH]; LANES]; PORTABLE_DEPTH];
	for (part, b) in b.chunks(PORTABLE_DEPTH).enumerate() {
		for (apart, words) in apart.iter_mut().zip(b) {
			for (column, word) in words.0.iter().enumerate() {
				for (apart, (_, b)) in apart.iter_mut().zip(lanes(0, *word)) {
					apart[column] = b;
				}
			}
		}
		for (row, sums) in sums.iter_mut().enumerate() {
			let a = &a[row * stride + part * PORTABLE_DEPTH..][..b.len()];
			let mut held = sums.0;
			for (word, apart) in a.iter().zip(&apart) {
				for (b, (a, _)) in apart.iter().zip(lanes(i32::from_le(*word), 0)) {
					for (held, b) in held.iter_mut().zip(b) {
						*held = held.wrapping_add(a as i32 * *b as i32);
					}
				}
			}
			sums.0 = held;
		}
	}
}

#[cfg(target_arch = "x86_64")]
mod x86 {
	use super::{Panel, Row, Work, WIDTH};
	use std::arch::x86_64::*;

	/// Sixteen of 32 registers hold sums.
	pub const AVX512_ROWS: usize = 8;

	/// Twelve of sixteen registers hold sums.
	pub const AVX2_ROWS: usize = 6;

	/// # Safety
	/// The machine must have AVX2.
	#[target_feature(enable = "avx2")]
	pub unsafe fn with_avx2<W: Work>(work: W) -> W::Output {
		work.work()
	}

	/// # Safety
	/// The machine must have AVX-512 F, BW, DQ, VL and VNNI.
	#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni")]
	pub unsafe fn with_avx512<W: Work>(work: W) -> W::Output {
		work.work()
	}

	/// See [`tile`](super::tile).
	///
	/// # Safety
	/// The machine must have AVX-512 F and VNNI; `a` must hold `sums.len()` rows.
	#[target_feature(enable = "avx512f,avx512vnni")]
	pub unsafe fn avx512_vnni<const BYTES: bool>(
		a: &[i32],
		stride: usize,
		[b, next]: [&Panel; 2],
		more: bool,
		sums: &mut [Row],
	) {
		for (number, sums) in sums.chunks_mut(AVX512_ROWS).enumerate() {
			let a = &a[number * AVX512_ROWS * stride..];
			let b = [b, if number == 0 { next } else { &[] }];
			// SAFETY: the machine has the instructions, and `a` starts at the first of `sums.len()` rows
			// that the caller vouches for.
			unsafe {
				match sums.len() {
					1 => avx512_rows::<BYTES, 1, 8>(a, stride, b, more, sums),
					2 => avx512_rows::<BYTES, 2, 4>(a, stride, b, more, sums),
					3 => avx512_rows::<BYTES, 3, 2>(a, stride, b, more, sums),
					4 => avx512_rows::<BYTES, 4, 2>(a, stride, b, more, sums),
					5 => avx512_rows::<BYTES, 5, 1>(a, stride, b, more, sums),
					6 => avx512_rows::<BYTES, 6, 1>(a, stride, b, more, sums),
					7 => avx512_rows::<BYTES, 7, 1>(a, stride, b, more, sums),
					_ => avx512_rows::<BYTES, 8, 1>(a, stride, b, more, sums),
				}
			}
		}
	}

	/// `ROWS` rows; `CHAINS` sums of each are held at once, so that few rows do not wait for each
	/// other's additions.
	///
	/// # Safety
	/// As for [`avx512_vnni`]; `sums` must hold `ROWS` rows.
	#[target_feature(enable = "avx512f,avx512vnni")]
	#[inline]
	unsafe fn avx512_rows<const BYTES: bool, const ROWS: usize, const CHAINS: usize>(
		a: &[i32],
		stride: usize,
		[b, next]: [&Panel; 2],
		more: bool,
		sums: &mut [Row],
	) {
		let mut held = [[[_mm512_setzero_si512(); 2]; ROWS]; CHAINS];
		let step = |held: &mut [[__m512i; 2]; ROWS], group: usize| {
			if let Some(row) = next.get(group) {
				for half in [0, WIDTH / 2] {
					_mm_prefetch::<_MM_HINT_T1>(row.0[half..].as_ptr().cast());
				}
			}
			// SAFETY: `group` is below `b.len()`, and a row of the panel is two vectors long.
			let columns = unsafe {
				let start = b.as_ptr().add(group).cast::<i32>();
				[_mm512_loadu_si512(start.cast()), _mm512_loadu_si512(start.add(16).cast())]
			};
			for (row, held) in held.iter_mut().enumerate() {
				// SAFETY: the caller vouches for `ROWS` rows of `b.len()` words in `a`.
				let word = _mm512_set1_epi32(unsafe { *a.as_ptr().add(row * stride + group) });
				for (held, columns) in held.iter_mut().zip(columns) {
					*held = if BYTES {
						_mm512_dpbusd_epi32(*held, columns, word)
					} else {
						_mm512_dpwssd_epi32(*held, columns, word)
					};
				}
			}
		};
		let mut group = 0;
		while group + CHAINS <= b.len() {
			for (chain, held) in held.iter_mut().enumerate() {
				step(held, group + chain);
			}
			group += CHAINS;
		}
		while group < b.len() {
			step(&mut held[0], group);
			group += 1;
		}
		for (row, sums) in sums.iter_mut().take(ROWS).enumerate() {
			for half in 0..2 {
				let place = sums.0[half * 16..].as_mut_ptr().cast::<__m512i>();
				let mut sum = held[0][row][half];
				for held in &held[1..] {
					sum = _mm512_add_epi32(sum, held[row][half]);
				}
				// SAFETY: sixteen numbers from the start of either half of a row lie inside it.
				unsafe {
					if more {
						sum = _mm512_add_epi32(sum, _mm512_loadu_si512(place));
					}
					_mm512_storeu_si512(place, sum);
				}
			}
		}
	}

	/// See [`tile`](super::tile).
	///
	/// # Safety
	/// The machine must have AVX2; `a` must hold `sums.len()` rows.
	#[target_feature(enable = "avx2")]
	pub unsafe fn avx2(a: &[i32], stride: usize, b: &Panel, more: bool, sums: &mut [Row]) {
		for (number, sums) in sums.chunks_mut(AVX2_ROWS).enumerate() {
			let a = &a[number * AVX2_ROWS * stride..];
			for half in 0..2 {
				// SAFETY: the machine has the instructions, and `a` starts at the first of `sums.len()`
				// rows that the caller vouches for.
				unsafe {
					match sums.len() {
						1 => avx2_rows::<1, 4>(a, stride, b, half, more, sums),
						2 => avx2_rows::<2, 2>(a, stride, b, half, more, sums),
						3 => avx2_rows::<3, 1>(a, stride, b, half, more, sums),
						4 => avx2_rows::<4, 1>(a, stride, b, half, more, sums),
						5 => avx2_rows::<5, 1>(a, stride, b, half, more, sums),
						_ => avx2_rows::<6, 1>(a, stride, b, half, more, sums),
					}
				}
			}
		}
	}

	/// `ROWS` rows with one half of the columns; `CHAINS` as in [`avx512_rows`].
	///
	/// # Safety
	/// As for [`avx2`]; `sums` must hold `ROWS` rows and `half` must be 0 or 1.
	#[target_feature(enable = "avx2")]
	#[inline]
	unsafe fn avx2_rows<const ROWS: usize, const CHAINS: usize>(
		a: &[i32],
		stride: usize,
		b: &Panel,
		half: usize,
		more: bool,
		sums: &mut [Row],
	) {
		let mut held = [[[_mm256_setzero_si256(); 2]; ROWS]; CHAINS];
		let step = |held: &mut [[__m256i; 2]; ROWS], group: usize| {
			// SAFETY: `group` is below `b.len()`, and half a row of the panel is two vectors long.
			let columns = unsafe {
				let start = b.as_ptr().add(group).cast::<i32>().add(half * 16);
				[_mm256_loadu_si256(start.cast()), _mm256_loadu_si256(start.add(8).cast())]
			};
			for (row, held) in held.iter_mut().enumerate() {
				// SAFETY: the caller vouches for `ROWS` rows of `b.len()` words in `a`.
				let word = _mm256_set1_epi32(unsafe { *a.as_ptr().add(row * stride + group) });
				for (held, columns) in held.iter_mut().zip(columns) {
					*held = _mm256_add_epi32(*held, _mm256_madd_epi16(columns, word));
				}
			}
		};
		let mut group = 0;
		while group + CHAINS <= b.len() {
			for (chain, held) in held.iter_mut().enumerate() {
				step(held, group + chain);
			}
			group += CHAINS;
		}
		while group < b.len() {
			step(&mut held[0], group);
			group += 1;
		}
		for (row, sums) in sums.iter_mut().take(ROWS).enumerate() {
			for quarter in 0..2 {
				let place = sums.0[half * 16 + quarter * 8..].as_mut_ptr().cast::<__m256i>();
				let mut sum = held[0][row][quarter];
				for held in &held[1..] {
					sum = _mm256_add_epi32(sum, held[row][quarter]);
				}
				// SAFETY: eight numbers from the start of any quarter of a row lie inside it.
				unsafe {
					if more {
						sum = _mm256_add_epi32(sum, _mm256_loadu_si256(place));
					}
					_mm256_storeu_si256(place, sum);
				}
			}
		}
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	/// Words whose bytes and halves are often extreme.
	fn words(count: usize, mut state: u64) -> Vec<i32> {
		let mut next = move || {
			state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
			match state >> 61 {
				0 => 0x8000_8000u32 as i32,
				1 => 0x7fff_7fff,
				2 => 0x8080_8080u32 as i32,
				3 => -1,
				_ => (state >> 25) as i32,
			}
		};
		(0..count).map(|_| next()).collect()
	}

	fn lanes(kind: Kind, left: i32, right: i32) -> i64 {
		match kind {
			Kind::Bytes => left
				.to_ne_bytes()
				.iter()
				.zip(right.to_le_bytes())
				.map(|(a, b)| *a as i8 as i64 * b as i64)
				.sum(),
			Kind::Halves => {
				let left = i32::from_le(left);
				(left as i16 as i64) * (right as i16 as i64)
					+ ((left >> 16) as i64) * ((right >> 16) as i64)
			}
		}
	}

	#[test]
	fn every_level_gives_the_exact_sums_for_every_number_of_rows() {
		for groups in [1, 2, 3, 7, 8, 129] {
			for rows in 1..=19 {
				let stride = groups + rows % 3;
				let a = words(rows * stride, 1);
				let b: Vec<Row> = (0..groups)
					.map(|group| Row(words(WIDTH, group as u64 + 2).try_into().unwrap()))
					.collect();
				for kind in [Kind::Bytes, Kind::Halves] {
					let mut expected = vec![Row::ZERO; rows];
					for (row, sums) in expected.iter_mut().enumerate() {
						for (column, sum) in sums.0.iter_mut().enumerate() {
							let products = (0..groups)
								.map(|g| lanes(kind, a[row * stride + g], b[g].0[column]));
							*sum = products.sum::<i64>() as i32;
						}
					}
					for level in Level::available() {
						let mut sums = vec![Row([7; WIDTH]); rows];
						tile(level, kind, &a, stride, [&b, &b[1..]], false, &mut sums);
						assert_eq!(sums, expected, "{} {kind:?} {rows} {groups}", level.name());
						let twice = |sums: &Row| Row(sums.0.map(|sum| sum.wrapping_mul(2)));
						let expected: Vec<Row> = expected.iter().map(twice).collect();
						tile(level, kind, &a, stride, [&b, &b], true, &mut sums);
						assert_eq!(sums, expected, "{} {kind:?} {rows} {groups}", level.name());
					}
				}
			}
		}
	}

	#[test]
	fn the_largest_pair_of_products_wraps_alike() {
		let mut a = [0; 2];
		halves(&mut a).fill(i16::MIN);
		for (groups, expected) in [(1, i32::MIN), (2, 0)] {
			let b = vec![Row([0x8000_8000u32 as i32; WIDTH]); groups];
			for level in Level::available() {
				let mut sums = [Row::ZERO];
				tile(level, Kind::Halves, &a, 2, [&b, &[]], false, &mut sums);
				assert_eq!(sums, [Row([expected; WIDTH])], "{}", level.name());
			}
		}
	}

	#[test]
	#[should_panic(expected = "inside the slice")]
	fn rows_outside_the_slice_are_refused() {
		let (b, mut sums) = ([Row::ZERO; 2], [Row::ZERO; 2]);
		tile(Level::detected(), Kind::Bytes, &[0; 3], 2, [&b, &[]], false, &mut sums);
	}
}
