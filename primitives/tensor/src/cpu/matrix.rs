// SPDX-License-Identifier: Apache-2.0

//! Products with a packed matrix.
//!
//! The right side of a product is packed once into panels of [`WIDTH`] columns, word after word along
//! the axis that is summed over. The left side is copied in blocks of rows as they are needed, so that
//! it is narrow, contiguous and in cache. Where a group of elementwise operators begins with the product,
//! it gets each block of rows as soon as its sums are finished, so these never leave the second cache.
//!
//! Numbers are packed without their zero points. Modulo 2^32,
//! `Σ (a − p)(b − q) = Σ ab − p Σb − q Σa + K p q`, so the sums start with what the zero points and the
//! bias contribute. Bytes on the right are stored as `b + 128`, which only moves `q` by 128.

use super::{
	simd::{self, Kind, Level, Panel, Row, Work, WIDTH},
	target::{Scratch, Target},
};
use crate::DType;
use rayon::prelude::*;
use std::marker::PhantomData;

/// Words of a panel that are used for all rows of a block before the next ones: 16 KiB, half of the
/// first cache of common processors.
const DEPTH: usize = 128;

/// Most rows of a block: their sums for one panel are 8 KiB.
const ROWS: usize = 64;

/// Words that a block of rows may have unless it is the smallest: 1 MiB, the second cache.
const BLOCK_WORDS: usize = 1 << 18;

/// Multiply-accumulates that are worth another task.
const GRAIN: usize = 1 << 21;

/// Sums of a block that is handed to a group: 256 KiB, a part of the second cache.
const BLOCK_SUMS: usize = 1 << 16;

/// Words that are worth another task when they are packed.
const PACK_GRAIN: usize = 1 << 16;

/// A number that can be multiplied.
pub trait Number: Copy + Default + Send + Sync {
	/// The number, widened.
	fn wide(self) -> i32;
}

macro_rules! number {
	($($ty:ty)*) => {$(
		impl Number for $ty {
			#[inline(always)]
			fn wide(self) -> i32 {
				self as i32
			}
		}
	)*};
}

number!(i8 i16 i32);

/// A number as it is packed into words.
pub(super) trait Packed: Number {
	const KIND: Kind;
	/// Numbers in a word.
	const LANES: usize;
	/// Added to numbers on the right when they are packed.
	const OFFSET: i32;
	/// The low bits of a number.
	fn of(value: i32) -> Self;
	/// The numbers in words.
	fn lanes(words: &mut [i32]) -> &mut [Self];
}

impl Packed for i8 {
	const KIND: Kind = Kind::Bytes;
	const LANES: usize = 4;
	const OFFSET: i32 = 128;

	#[inline(always)]
	fn of(value: i32) -> Self {
		value as i8
	}

	fn lanes(words: &mut [i32]) -> &mut [Self] {
		simd::bytes(words)
	}
}

impl Packed for i16 {
	const KIND: Kind = Kind::Halves;
	const LANES: usize = 2;
	const OFFSET: i32 = 0;

	#[inline(always)]
	fn of(value: i32) -> Self {
		value as i16
	}

	fn lanes(words: &mut [i32]) -> &mut [Self] {
		simd::halves(words)
	}
}

/// How the elements of a matrix on the right of a product lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
	/// `[depth, columns]`: row after row.
	Columns,
	/// `[columns, depth]`: column after column, as weights are committed.
	Rows,
}

/// A matrix of I8 or I16 numbers that left sides are multiplied by, packed for a [`Level`].
pub struct PackedMatrix {
	level: Level,
	kind: Kind,
	/// Panel after panel, `groups` words of each column in each.
	words: Vec<Row>,
	groups: usize,
	depth: usize,
	columns: usize,
	/// What is to be subtracted from the packed numbers.
	zero: i32,
	/// What the zero points contribute to each column, but for the sums of the left side's rows.
	start: Vec<Row>,
}

impl PackedMatrix {
	/// Packs the elements of a `depth × columns` matrix, which lie as `side` says. `types` and
	/// `zero_points` are those of left and right; each type must be I8 or I16, each zero point must fit
	/// in 16 bits and elements in their type.
	///
	/// # Panics
	/// If `elements` does not hold `depth × columns` elements, or there are none.
	pub fn pack<E: Number>(
		level: Level,
		side: Side,
		[depth, columns]: [usize; 2],
		types: [DType; 2],
		zero_points: [i32; 2],
		elements: &[E],
	) -> Self {
		let all = depth.checked_mul(columns);
		assert!(!elements.is_empty() && all == Some(elements.len()), "all elements");
		// Padding of a convolution is filled with the zero point, so it must fit as well.
		let bytes = level.multiplies_bytes()
			&& types == [DType::I8; 2]
			&& i8::try_from(zero_points[0]).is_ok();
		if bytes {
			Self::packed::<i8, E>(level, side, [depth, columns], zero_points, elements)
		} else {
			Self::packed::<i16, E>(level, side, [depth, columns], zero_points, elements)
		}
	}

	fn packed<T: Packed, E: Number>(
		level: Level,
		side: Side,
		[depth, columns]: [usize; 2],
		[left_zero, right_zero]: [i32; 2],
		elements: &[E],
	) -> Self {
		let groups = depth.div_ceil(T::LANES);
		let panels = columns.div_ceil(WIDTH);
		let zero = right_zero.wrapping_add(T::OFFSET);
		let both = left_zero.wrapping_mul(zero).wrapping_mul(depth as i32);
		let mut words = vec![Row::ZERO; panels * groups];
		let mut start = vec![Row::ZERO; panels];
		let grain = (PACK_GRAIN / (groups * WIDTH)).max(1);
		let each = words.par_chunks_mut(groups).zip(&mut start).enumerate().with_min_len(grain);
		each.for_each(|(number, (panel, start))| {
			let first = number * WIDTH;
			let width = (columns - first).min(WIDTH);
			let (elements, stride) = match side {
				Side::Columns => (&elements[first..], columns),
				Side::Rows => (&elements[first * depth..], depth),
			};
			level.run(Pack::<T, E> { panel, side, elements, stride, width, lanes: PhantomData });
			if left_zero != 0 {
				let sums = column_sums::<T>(panel);
				*start = Row(sums.map(|sum| both.wrapping_sub(left_zero.wrapping_mul(sum))));
			}
		});
		Self { level, kind: T::KIND, words, groups, depth, columns, zero, start }
	}

	/// Rows of the matrix.
	pub fn depth(&self) -> usize {
		self.depth
	}

	/// Columns of the matrix.
	pub fn columns(&self) -> usize {
		self.columns
	}

	/// `out = (a − p)(b − q)` modulo 2^32, with the zero points p and q named when b was packed. `a` has
	/// rows of `depth` elements, `out` rows of `columns`, as many.
	///
	/// # Panics
	/// If the lengths of `a` and `out` do not fit.
	pub fn multiply<E: Number>(&self, a: &[E], out: &mut [i32]) {
		assert!(out.len().is_multiple_of(self.columns), "whole rows of results");
		assert!(a.len() == out.len() / self.columns * self.depth, "as many rows on the left");
		self.multiply_dense(a, Target::Sums(out), &mut Scratch::default());
	}

	/// The product with rows that lie one after the other.
	pub(super) fn multiply_dense<E: Number>(&self, a: &[E], target: Target, scratch: &mut Scratch) {
		let rows = Dense { elements: a, depth: self.depth };
		let count = a.len() / self.depth;
		match self.kind {
			Kind::Bytes => self.multiply_rows::<i8>(&rows, count, &[0], target, scratch),
			Kind::Halves => self.multiply_rows::<i16>(&rows, count, &[0], target, scratch),
		}
	}

	/// What the left side is to be packed as.
	pub(super) fn kind(&self) -> Kind {
		self.kind
	}

	/// Bytes that it takes.
	pub(super) fn bytes(&self) -> usize {
		size_of_val(&self.words[..]) + size_of_val(&self.start[..])
	}

	/// The product with `left`, which has `rows` rows; `bias` is added, one number for each column or one
	/// for all. `T` must fit the matrix's kind.
	pub(super) fn multiply_rows<T: Packed>(
		&self,
		left: &impl Rows<T>,
		rows: usize,
		bias: &[i32],
		target: Target,
		scratch: &mut Scratch,
	) {
		assert_eq!(self.kind, T::KIND);
		let start = self.starts(bias);
		// An odd number of cache lines: rows then fall into different sets of the caches.
		let stride = (self.groups.div_ceil(16) | 1) * 16;
		let least = match &target {
			Target::Sums(_) => BLOCK_WORDS / stride,
			Target::Group { .. } => (BLOCK_WORDS / stride).min(BLOCK_SUMS / self.columns),
		};
		let each = target.work(self.depth).saturating_mul(self.columns);
		let threads = rayon::current_num_threads();
		let tasks = match threads {
			1 => 1,
			threads => (rows.saturating_mul(each) / GRAIN).clamp(1, 4 * threads),
		};
		// Every thread should have a block.
		let share = rows.div_ceil(threads.min(tasks)).next_multiple_of(8);
		let height = (least / 8 * 8).clamp(8, ROWS).min(share);
		let blocks = rows.div_ceil(height);
		// Where rows make few tasks, each takes a part of the columns.
		let parts = tasks.div_ceil(blocks).min(self.start.len());
		let multiply_block = |scratch: &mut Scratch, block: usize, target: Target| {
			let Scratch { space: scratch, group: group_scratch } = scratch;
			let first = block * height;
			let rows = height.min(rows - first);
			scratch.a.resize(scratch.a.len().max(rows * stride), 0);
			scratch.terms.resize(rows, 0);
			self.level.run(Fill {
				left,
				first,
				words: &mut scratch.a,
				stride,
				groups: self.groups,
				depth: self.depth,
				zero: self.zero,
				terms: &mut scratch.terms,
				lanes: PhantomData,
			});
			let left = Left { words: &scratch.a, stride, terms: &scratch.terms };
			match target {
				Target::Sums(out) => {
					self.multiply_block(&left, &start, parts, out, &mut scratch.sums);
				}
				Target::Group { group, first: element, mut outputs } => {
					let count = rows * self.columns;
					scratch.out.resize(scratch.out.len().max(count), 0);
					let out = &mut scratch.out[..count];
					self.multiply_block(&left, &start, parts, out, &mut scratch.sums);
					let own = group_scratch.get_or_insert_with(|| group.scratch());
					group.stretches(element, count, out, &mut outputs, own);
				}
			}
		};
		let targets = target.split(height * self.columns);
		if tasks == 1 {
			// Not worth waking another thread.
			for (block, target) in targets.into_iter().enumerate() {
				multiply_block(scratch, block, target);
			}
		} else {
			let grain = (GRAIN / (height * each)).max(1);
			let each = targets.into_par_iter().enumerate().with_min_len(grain);
			each.for_each_init(Scratch::default, |scratch, (block, target)| {
				multiply_block(scratch, block, target);
			});
		}
	}

	/// The sums of a block of rows, in `parts` tasks.
	fn multiply_block(
		&self,
		left: &Left,
		start: &[Row],
		parts: usize,
		out: &mut [i32],
		sums: &mut Vec<Row>,
	) {
		if parts == 1 {
			let mut rows: Vec<_> = out.chunks_mut(self.columns).collect();
			self.part(left, 0, start, &mut rows, sums);
			return;
		}
		let part_width = self.start.len().div_ceil(parts) * WIDTH;
		let mut split: Vec<Vec<&mut [i32]>> = Vec::new();
		split.resize_with(self.columns.div_ceil(part_width), Vec::new);
		for row in out.chunks_mut(self.columns) {
			for (part, piece) in split.iter_mut().zip(row.chunks_mut(part_width)) {
				part.push(piece);
			}
		}
		split.into_par_iter().enumerate().for_each_init(Vec::new, |sums, (part, mut rows)| {
			self.part(left, part * part_width, start, &mut rows, sums);
		});
	}

	/// The columns from `first` on, as many as the rows of the result are long.
	fn part(
		&self,
		left: &Left,
		first: usize,
		start: &[Row],
		rows: &mut [&mut [i32]],
		sums: &mut Vec<Row>,
	) {
		let width = rows.first().map_or(0, |row| row.len());
		let panels = self.words.chunks(self.groups).zip(start).enumerate().skip(first / WIDTH);
		let height = self.level.tile_rows();
		sums.resize(left.terms.len(), Row::ZERO);
		for (number, (panel, start)) in panels.take(width.div_ceil(WIDTH)) {
			let place = number * WIDTH - first;
			let parts = panel.len().div_ceil(DEPTH);
			for (part, panel) in panel.chunks(DEPTH).enumerate() {
				// Panels lie one behind the other. The first tile fetches what comes next.
				let end = number * self.groups + part * DEPTH + panel.len();
				let rest = self.words.get(end..).unwrap_or_default();
				let mut next = &rest[..rest.len().min(DEPTH)];
				let a = left.words[part * DEPTH..].chunks(height * left.stride);
				let tiles = a.zip(sums.chunks_mut(height)).zip(left.terms.chunks(height));
				for (((a, sums), terms), rows) in tiles.zip(rows.chunks_mut(height)) {
					let panels = [panel, std::mem::take(&mut next)];
					simd::tile(self.level, self.kind, a, left.stride, panels, part > 0, sums);
					// What is finished is stored while the next sums are being computed.
					if part + 1 < parts {
						continue;
					}
					match place + WIDTH <= width {
						true => self.level.run(Store { sums, start, terms, rows, place }),
						false => store_part(sums, start, terms, rows, place),
					}
				}
			}
		}
	}

	/// What the sums of each panel start with.
	fn starts(&self, bias: &[i32]) -> Vec<Row> {
		let mut starts = self.start.clone();
		for (number, start) in starts.iter_mut().enumerate() {
			match bias {
				[all] => start.0 = start.0.map(|start| start.wrapping_add(*all)),
				each => {
					for (start, bias) in start.0.iter_mut().zip(&each[number * WIDTH..]) {
						*start = start.wrapping_add(*bias);
					}
				}
			}
		}
		starts
	}
}

/// A block of rows of the left side.
struct Left<'a> {
	words: &'a [i32],
	stride: usize,
	terms: &'a [i32],
}

/// The left side of a product, row by row.
pub(super) trait Rows<T>: Sync {
	/// Writes row number `row`, `depth` numbers. Must be `inline(always)`; see [`Work`].
	fn fill(&self, row: usize, lanes: &mut [T]);
}

/// Rows that lie one after the other.
struct Dense<'a, E> {
	elements: &'a [E],
	depth: usize,
}

impl<T: Packed, E: Number> Rows<T> for Dense<'_, E> {
	#[inline(always)]
	fn fill(&self, row: usize, lanes: &mut [T]) {
		narrow(&self.elements[row * self.depth..], lanes);
	}
}

/// Writes a block of rows from row number `first` on, and what each contributes to all its sums.
struct Fill<'a, T, R> {
	left: &'a R,
	first: usize,
	words: &'a mut [i32],
	stride: usize,
	groups: usize,
	depth: usize,
	zero: i32,
	terms: &'a mut [i32],
	lanes: PhantomData<T>,
}

impl<T: Packed, R: Rows<T>> Work for Fill<'_, T, R> {
	type Output = ();

	#[inline(always)]
	fn work(self) {
		let rows = self.words.chunks_mut(self.stride).zip(self.terms).enumerate();
		for (number, (words, term)) in rows {
			let lanes = T::lanes(&mut words[..self.groups]);
			let (numbers, rest) = lanes.split_at_mut(self.depth);
			self.left.fill(self.first + number, numbers);
			rest.fill(T::default());
			*term = if self.zero == 0 {
				0
			} else {
				let sum = numbers.iter().fold(0i32, |sum, number| sum.wrapping_add(number.wide()));
				sum.wrapping_mul(self.zero).wrapping_neg()
			};
		}
	}
}

/// Adds to each sum what its column and its row start with, and stores it at `place` in the rows of the
/// result, which must not end before the panel.
struct Store<'a, 'b> {
	sums: &'a [Row],
	start: &'a Row,
	terms: &'a [i32],
	rows: &'a mut [&'b mut [i32]],
	place: usize,
}

impl Work for Store<'_, '_> {
	type Output = ();

	#[inline(always)]
	fn work(self) {
		for ((row, sums), term) in self.rows.iter_mut().zip(self.sums).zip(self.terms) {
			if let Some(out) = row[self.place..].first_chunk_mut() {
				*out = add(sums, self.start, *term);
			}
		}
	}
}

/// Like [`Store`], where the rows of the result end before the panel.
fn store_part(sums: &[Row], start: &Row, terms: &[i32], rows: &mut [&mut [i32]], place: usize) {
	for ((row, sums), term) in rows.iter_mut().zip(sums).zip(terms) {
		let out = &mut row[place..];
		out.copy_from_slice(&add(sums, start, *term)[..out.len()]);
	}
}

/// `sums + start + term`: a new row, which cannot overlap the others, so that the loop needs no check.
#[inline(always)]
fn add(sums: &Row, start: &Row, term: i32) -> [i32; WIDTH] {
	let mut results = [0; WIDTH];
	for ((result, sum), start) in results.iter_mut().zip(&sums.0).zip(&start.0) {
		*result = sum.wrapping_add(*start).wrapping_add(term);
	}
	results
}

/// Copies numbers from the front of `from`, keeping their low bits.
#[inline(always)]
pub(super) fn narrow<T: Packed, E: Number>(from: &[E], to: &mut [T]) {
	for (to, from) in to.iter_mut().zip(from) {
		*to = T::of(from.wide());
	}
}

/// A packed right number in its place in a word.
#[inline(always)]
fn lane<T: Packed>(number: i32, lane: usize) -> i32 {
	let bits = 32 / T::LANES;
	let number = number.wrapping_add(T::OFFSET) as u32 & (u32::MAX >> (32 - bits));
	(number << (lane * bits)) as i32
}

/// Packs a panel of `width` columns from rows or columns that lie `stride` apart.
struct Pack<'a, T, E> {
	panel: &'a mut Panel,
	side: Side,
	elements: &'a [E],
	stride: usize,
	width: usize,
	lanes: PhantomData<T>,
}

impl<T: Packed, E: Number> Work for Pack<'_, T, E> {
	type Output = ();

	#[inline(always)]
	fn work(self) {
		let mut lines = self.elements.chunks(self.stride);
		match self.side {
			Side::Columns => {
				for words in self.panel {
					for number in 0..T::LANES {
						let Some(row) = lines.next() else { break };
						for (word, element) in words.0.iter_mut().zip(&row[..self.width]) {
							*word |= lane::<T>(element.wide(), number);
						}
					}
				}
			}
			Side::Rows => {
				for (column, elements) in lines.take(self.width).enumerate() {
					for (words, elements) in self.panel.iter_mut().zip(elements.chunks(T::LANES)) {
						for (number, element) in elements.iter().enumerate() {
							words.0[column] |= lane::<T>(element.wide(), number);
						}
					}
				}
			}
		}
	}
}

/// Sums of the packed numbers of each column.
fn column_sums<T: Packed>(panel: &Panel) -> [i32; WIDTH] {
	let mut sums = [0i32; WIDTH];
	for words in panel {
		for (sum, word) in sums.iter_mut().zip(&words.0) {
			let numbers = match T::KIND {
				Kind::Bytes => word.to_le_bytes().iter().map(|byte| *byte as i32).sum(),
				Kind::Halves => (*word as i16 as i32) + (*word >> 16),
			};
			*sum = sum.wrapping_add(numbers);
		}
	}
	sums
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::arbitrary::Random;

	/// Numbers of a type, often its extremes.
	fn numbers(dtype: DType, count: usize, random: &mut Random) -> Vec<i32> {
		let number = |random: &mut Random| match random.below(4) {
			0 => dtype.min(),
			1 => dtype.max(),
			_ => dtype.wrap(random.below(1 << 16) as i32),
		};
		(0..count).map(|_| number(random)).collect()
	}

	fn transposed(elements: &[i32], columns: usize) -> Vec<i32> {
		(0..columns)
			.flat_map(|column| elements.iter().skip(column).step_by(columns))
			.copied()
			.collect()
	}

	/// Compares every level and both sides with 64-bit sums.
	fn check(
		[rows, depth, columns]: [usize; 3],
		types: [DType; 2],
		zero_points: [i32; 2],
		a: &[i32],
		b: &[i32],
	) {
		let mut expected = vec![0; rows * columns];
		for (row, out) in expected.chunks_mut(columns).enumerate() {
			let mut sums = vec![0i64; columns];
			for (a, b) in a[row * depth..].iter().take(depth).zip(b.chunks(columns)) {
				let a = (*a - zero_points[0]) as i64;
				for (sum, b) in sums.iter_mut().zip(b) {
					*sum = sum.wrapping_add(a * (*b - zero_points[1]) as i64);
				}
			}
			for (out, sum) in out.iter_mut().zip(sums) {
				*out = sum as i32;
			}
		}
		let b_rows = transposed(b, columns);
		for level in Level::available() {
			for (side, elements) in [(Side::Columns, b), (Side::Rows, &b_rows)] {
				let extents = [depth, columns];
				let packed = PackedMatrix::pack(level, side, extents, types, zero_points, elements);
				let mut out = vec![-1; rows * columns];
				packed.multiply(a, &mut out);
				assert!(
					out == expected,
					"{} {side:?} {types:?} {zero_points:?} {rows}×{depth}×{columns}",
					level.name()
				);
			}
		}
	}

	const TYPES: [[DType; 2]; 4] = [
		[DType::I8, DType::I8],
		[DType::I16, DType::I8],
		[DType::I8, DType::I16],
		[DType::I16, DType::I16],
	];

	#[test]
	fn every_level_is_exact_on_odd_shapes_types_and_zero_points() {
		let mut random = Random::new(1);
		let shapes = [
			[1, 1, 1],
			[1, 7, 33],
			[2, 3, 65],
			[3, 4, 32],
			[5, 5, 31],
			[8, 64, 64],
			[9, 513, 40],
			[13, 129, 100],
			[65, 31, 37],
			[130, 70, 97],
		];
		let zero_points =
			[[0, 0], [3, -5], [127, -128], [-128, 0], [0, 127], [-32768, 32767], [32767, -32768]];
		for types in TYPES {
			for [rows, depth, columns] in shapes {
				let a = numbers(types[0], rows * depth, &mut random);
				let b = numbers(types[1], depth * columns, &mut random);
				for zero_points in zero_points {
					check([rows, depth, columns], types, zero_points, &a, &b);
				}
			}
		}
	}

	#[test]
	fn the_longest_sums_of_extremes_are_exact() {
		const DEPTH: usize = 131_071;
		for types in TYPES {
			for (a, b) in [
				(types[0].min(), types[1].min()),
				(types[0].min(), types[1].max()),
				(types[0].max(), types[1].max()),
			] {
				let (a, b) = (vec![a; DEPTH], vec![b; DEPTH]);
				check([1, DEPTH, 1], types, [0, 0], &a, &b);
				check([1, DEPTH, 1], types, [-1, 1], &a, &b);
			}
			let mut random = Random::new(2);
			let a = numbers(types[0], 3 * DEPTH, &mut random);
			let b = numbers(types[1], 2 * DEPTH, &mut random);
			check([3, DEPTH, 2], types, [0, 0], &a, &b);
		}
	}

	#[test]
	fn products_split_by_rows_and_by_columns_are_exact() {
		let mut random = Random::new(3);
		for [rows, depth, columns] in [[1, 2000, 3001], [200, 300, 70], [4, 4000, 500]] {
			let a = numbers(DType::I8, rows * depth, &mut random);
			let b = numbers(DType::I8, depth * columns, &mut random);
			check([rows, depth, columns], TYPES[0], [1, -2], &a, &b);
		}
	}

	#[test]
	#[should_panic(expected = "as many rows")]
	fn a_left_side_of_another_length_is_refused() {
		let matrix = PackedMatrix::pack(
			Level::detected(),
			Side::Columns,
			[2, 3],
			[DType::I8; 2],
			[0; 2],
			&[1i8; 6],
		);
		matrix.multiply(&[1i8; 5], &mut [0; 6]);
	}
}
