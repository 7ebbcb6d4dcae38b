// SPDX-License-Identifier: Apache-2.0

//! Elementwise operators on stretches of numbers.
//!
//! Every operator becomes a function of its own, with its attributes in it and its element types as
//! constants, and the loop over it is compiled for each [`Level`].

use super::simd::{self, Level, Segments, Work};
use crate::{
	ops::{scalar, scalar::Pointwise},
	Binary, DType, Unary,
};
use std::borrow::Cow;

/// What an operator computes from one element of each operand.
trait Function: Copy {
	/// How many operands it has; further ones are ignored.
	const OPERANDS: usize;

	/// The result. Always inlined, so that a loop is compiled for the operator and the level it runs at.
	fn call(self, a: i32, b: i32, c: i32) -> i32;
}

/// An operand of an operator.
#[derive(Clone, Copy, Debug)]
pub enum Operand<'a> {
	/// A number for each element of the result.
	Each(&'a [i32]),
	/// One number for all.
	All(i32),
}

impl<'a> Operand<'a> {
	/// A number for each of `count` elements.
	pub fn each(self, count: usize) -> Cow<'a, [i32]> {
		match self {
			Operand::Each(numbers) => Cow::Borrowed(numbers),
			Operand::All(number) => Cow::Owned(vec![number; count]),
		}
	}
}

/// Replaces `out` by the results of `op`. `dtype` is the element type of the first operand; operands that
/// the operator does not have may be anything, the others must have a number for each of `out`.
pub fn apply(level: Level, op: Pointwise, dtype: DType, operands: [Operand; 3], out: &mut [i32]) {
	let stretch = Stretch { level, operands, out };
	// A function with the attributes that are named, as a type of its own.
	macro_rules! function {
		($operands:literal, $($name:ident: $ty:ty),*; $a:ident $b:ident $c:ident => $result:expr) => {{
			#[derive(Clone, Copy)]
			struct Applied {
				$($name: $ty,)*
			}
			impl Function for Applied {
				const OPERANDS: usize = $operands;

				#[inline(always)]
				#[allow(unused_variables)]
				fn call(self, $a: i32, $b: i32, $c: i32) -> i32 {
					let Applied { $($name),* } = self;
					$result
				}
			}
			stretch.map(Applied { $($name),* })
		}};
	}
	// The element type as a constant.
	macro_rules! typed {
		($dtype:expr; $name:ident => $body:expr) => {
			match $dtype {
				DType::Bool => {
					const $name: DType = DType::Bool;
					$body
				}
				DType::I8 => {
					const $name: DType = DType::I8;
					$body
				}
				DType::I16 => {
					const $name: DType = DType::I16;
					$body
				}
				DType::I32 => {
					const $name: DType = DType::I32;
					$body
				}
			}
		};
	}
	macro_rules! binary {
		($op:expr; $($same:ident)*; $($typed:ident)*) => {
			match $op {
				$(Binary::$same => function!(2, ; a b c => {
					scalar::binary(Binary::$same, DType::I32, a, b)
				}),)*
				$(Binary::$typed => typed!(dtype; D => function!(2, ; a b c => {
					scalar::binary(Binary::$typed, D, a, b)
				})),)*
			}
		};
	}
	macro_rules! unary {
		($op:expr; $($same:ident)*; $($typed:ident)*) => {
			match $op {
				$(Unary::$same => function!(1, ; a b c => {
					scalar::unary(Unary::$same, DType::I32, a)
				}),)*
				$(Unary::$typed => typed!(dtype; D => function!(1, ; a b c => {
					scalar::unary(Unary::$typed, D, a)
				})),)*
			}
		};
	}
	match op {
		// Those that come first mean the same for every element type.
		Pointwise::Binary(op) => binary!(op;
			Add Sub IntDiv Maximum Minimum BitwiseAnd BitwiseOr BitwiseXor LogicalAnd LogicalOr LogicalXor
			Equal Greater GreaterEqual; LogicalLeftShift LogicalRightShift),
		Pointwise::Unary(op) => unary!(op; Abs Clz BitwiseNot LogicalNot; Negate),
		Pointwise::Rescale { output, input_zero_point, output_zero_point } => typed!(output; D => {
			function!(3, input_zero_point: i32, output_zero_point: i32; a b c => {
				scalar::rescale(D, a.wrapping_sub(input_zero_point), b, c, output_zero_point)
			})
		}),
		Pointwise::Clamp { min, max } => function!(1, min: i32, max: i32; a b c => {
			scalar::pointwise(Pointwise::Clamp { min, max }, DType::I32, [a, b, c])
		}),
		Pointwise::Mul { shift: 0 } => function!(2, ; a b c => scalar::multiply(a, b, 0)),
		// With the shift known to be none of the others, the loop has no branch.
		Pointwise::Mul { shift } => function!(2, shift: u8; a b c => {
			scalar::multiply(a, b, shift.max(1))
		}),
		Pointwise::ShiftRight { round: true } => typed!(dtype; D => {
			function!(2, ; a b c => scalar::shift_right(D, a, b, true))
		}),
		Pointwise::ShiftRight { round: false } => typed!(dtype; D => {
			function!(2, ; a b c => scalar::shift_right(D, a, b, false))
		}),
		Pointwise::Select => function!(3, ; a b c => {
			scalar::pointwise(Pointwise::Select, DType::Bool, [a, b, c])
		}),
		Pointwise::Cast { to } => typed!(to; D => function!(1, ; a b c => D.wrap(a))),
	}
}

struct Stretch<'a> {
	level: Level,
	operands: [Operand<'a>; 3],
	out: &'a mut [i32],
}

impl Stretch<'_> {
	fn map<F: Function>(self, f: F) {
		use Operand::{All, Each};
		let Self { level, mut operands, out } = self;
		for operand in &mut operands[F::OPERANDS..] {
			*operand = All(0);
		}
		match operands {
			[Each(a), All(b), All(c)] => level.run(Map { f, a, b, c, out }),
			[Each(a), Each(b), All(c)] if F::OPERANDS > 1 => level.run(Map { f, a, b, c, out }),
			[All(a), Each(b), All(c)] if F::OPERANDS > 1 => level.run(Map { f, a, b, c, out }),
			[a, b, c] => {
				// Other mixtures are not worth loops of their own.
				let [a, b, c] = [a, b, c].map(|operand| operand.each(out.len()));
				level.run(Map { f, a: &a[..], b: &b[..], c: &c[..], out });
			}
		}
	}
}

/// A number for each element.
trait Numbers: Copy {
	/// Those of the first `count` elements.
	fn first(self, count: usize) -> Self;
	/// That of the element at `index`.
	fn at(self, index: usize) -> i32;
}

impl Numbers for &[i32] {
	#[inline(always)]
	fn first(self, count: usize) -> Self {
		&self[..count]
	}

	#[inline(always)]
	fn at(self, index: usize) -> i32 {
		self[index]
	}
}

impl Numbers for i32 {
	#[inline(always)]
	fn first(self, _: usize) -> Self {
		self
	}

	#[inline(always)]
	fn at(self, _: usize) -> i32 {
		self
	}
}

struct Map<'a, F, A, B, C> {
	f: F,
	a: A,
	b: B,
	c: C,
	out: &'a mut [i32],
}

impl<F: Function, A: Numbers, B: Numbers, C: Numbers> Work for Map<'_, F, A, B, C> {
	type Output = ();

	#[inline(always)]
	fn work(self) {
		let Self { f, a, b, c, out } = self;
		let count = out.len();
		let (a, b, c) = (a.first(count), b.first(count), c.first(count));
		// By index, so that the compiler sees one count for all.
		#[allow(clippy::needless_range_loop)]
		for index in 0..count {
			out[index] = f.call(a.at(index), b.at(index), c.at(index));
		}
	}
}

/// The table of [`Op::Table`](crate::Op::Table), arranged for loops.
#[derive(Clone)]
pub enum Lookup {
	/// The entries of a table for I8.
	Entries(Box<[i32; 256]>),
	/// Those of a table for I16.
	Segments(Box<Table>),
}

/// A table for I16.
#[derive(Clone)]
pub struct Table {
	/// Each entry in the low half, and the next in the high one.
	pairs: [i32; 512],
	/// The same for vectors.
	segments: Segments,
}

impl Lookup {
	/// The table with these entries, for operands of type `dtype`.
	pub fn new(dtype: DType, entries: &[i32]) -> Self {
		if dtype == DType::I16 {
			let mut pairs = [0; 512];
			for (pair, entries) in pairs.iter_mut().zip(entries.windows(2)) {
				*pair = (entries[0] & 0xffff) | (entries[1] << 16);
			}
			Lookup::Segments(Box::new(Table { pairs, segments: Segments::new(entries) }))
		} else {
			let mut all = Box::new([0; 256]);
			all.iter_mut().zip(entries).for_each(|(to, from)| *to = *from);
			Lookup::Entries(all)
		}
	}

	/// Looks up each of `a`.
	pub fn apply(&self, level: Level, a: &[i32], out: &mut [i32]) {
		match self {
			Lookup::Entries(table) => level.run(Entries { table, a, out }),
			Lookup::Segments(table) => {
				if !simd::look_up(level, &table.segments, a, out) {
					level.run(Pairs { table: &table.pairs, a, out });
				}
			}
		}
	}
}

/// Elements that are looked up one by one between loops over vectors.
const PART: usize = 256;

struct Entries<'a> {
	table: &'a [i32; 256],
	a: &'a [i32],
	out: &'a mut [i32],
}

impl Work for Entries<'_> {
	type Output = ();

	#[inline(always)]
	fn work(self) {
		for (out, a) in self.out.iter_mut().zip(self.a) {
			let (entry, _) = scalar::table_entry(DType::I8, *a);
			*out = self.table[entry as usize & 255];
		}
	}
}

/// The entries of a table at some places.
///
/// Not compiled for a level, which would gather them with an instruction that is slower than one load after
/// the other.
#[inline(never)]
fn fetch(table: &[i32; 512], places: &[u16], entries: &mut [i32]) {
	for (entry, place) in entries.iter_mut().zip(places) {
		*entry = table[*place as usize & 511];
	}
}

struct Pairs<'a> {
	table: &'a [i32; 512],
	a: &'a [i32],
	out: &'a mut [i32],
}

impl Work for Pairs<'_> {
	type Output = ();

	#[inline(always)]
	fn work(self) {
		let mut places = [0u16; PART];
		let mut pairs = [0; PART];
		for (out, a) in self.out.chunks_mut(PART).zip(self.a.chunks(PART)) {
			for (place, a) in places.iter_mut().zip(a) {
				*place = scalar::table_entry(DType::I16, *a).0 as u16;
			}
			fetch(self.table, &places[..a.len()], &mut pairs);
			for ((out, a), pair) in out.iter_mut().zip(a).zip(&pairs) {
				let (_, fraction) = scalar::table_entry(DType::I16, *a);
				*out = scalar::interpolate(*pair as i16 as i32, *pair >> 16, fraction);
			}
		}
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::arbitrary::Random;

	const DTYPES: [DType; 4] = [DType::Bool, DType::I8, DType::I16, DType::I32];

	/// Every operator, with attributes at their extremes.
	fn operators() -> Vec<Pointwise> {
		use Binary::*;
		let mut all: Vec<Pointwise> = [
			Add,
			Sub,
			IntDiv,
			Maximum,
			Minimum,
			BitwiseAnd,
			BitwiseOr,
			BitwiseXor,
			LogicalLeftShift,
			LogicalRightShift,
			LogicalAnd,
			LogicalOr,
			LogicalXor,
			Equal,
			Greater,
			GreaterEqual,
		]
		.map(Pointwise::Binary)
		.into();
		let unary = [Unary::Abs, Unary::Negate, Unary::Clz, Unary::BitwiseNot, Unary::LogicalNot];
		all.extend(unary.map(Pointwise::Unary));
		all.extend([0, 1, 2, 30, 31, 32, 33, 62, 63].map(|shift| Pointwise::Mul { shift }));
		all.extend([true, false].map(|round| Pointwise::ShiftRight { round }));
		all.extend([(-5, 90), (7, -7)].map(|(min, max)| Pointwise::Clamp { min, max }));
		all.extend(DTYPES.map(|to| Pointwise::Cast { to }));
		all.push(Pointwise::Select);
		for output in [DType::I8, DType::I16, DType::I32] {
			for zero in [0, -3, i32::MAX] {
				let (input_zero_point, output_zero_point) = (zero, zero.wrapping_neg());
				all.push(Pointwise::Rescale { output, input_zero_point, output_zero_point });
			}
		}
		all
	}

	#[test]
	fn every_operator_is_the_scalar_one_at_every_level_for_every_kind_of_operand() {
		let mut random = Random::new(11);
		for op in operators() {
			for dtype in DTYPES {
				let count = 77;
				let mut numbers =
					|| -> Vec<i32> { (0..count).map(|_| random.value(dtype)).collect() };
				let (a, b) = (numbers(), numbers());
				let c: Vec<i32> = (0..count).map(|i| i * 13 - 300).collect();
				let each = [Operand::Each(&a), Operand::Each(&b), Operand::Each(&c)];
				let all = [Operand::All(a[3]), Operand::All(b[4]), Operand::All(c[40])];
				for kinds in 0..8usize {
					let operands = [0, 1, 2].map(|place| {
						if kinds >> place & 1 == 0 {
							each[place]
						} else {
							all[place]
						}
					});
					let at = |place: usize, index: usize| match operands[place] {
						Operand::Each(numbers) => numbers[index],
						Operand::All(number) => number,
					};
					for level in Level::available() {
						let mut out = vec![7; count as usize];
						apply(level, op, dtype, operands, &mut out);
						for (index, found) in out.iter().enumerate() {
							let [a, b, c] = [0, 1, 2].map(|place| at(place, index));
							let expected = scalar::pointwise(op, dtype, [a, b, c]);
							let level = level.name();
							assert_eq!(
								*found, expected,
								"{op:?} {dtype:?} of {a}, {b}, {c}: {level}"
							);
						}
					}
				}
			}
		}
	}

	#[test]
	fn lookups_are_those_of_the_scalar_table_at_every_level() {
		let mut random = Random::new(12);
		for (dtype, count) in [(DType::I8, 256), (DType::I16, 513)] {
			let entries: Vec<i32> = (0..count).map(|_| random.value(dtype)).collect();
			let lookup = Lookup::new(dtype, &entries);
			let a: Vec<i32> = (dtype.min()..=dtype.max()).collect();
			// All of them, and stretches that are not whole vectors.
			let lengths = (1..100).chain([a.len()]);
			for (level, length) in Level::available()
				.into_iter()
				.flat_map(|level| lengths.clone().map(move |length| (level, length)))
			{
				let a = &a[a.len() - length..];
				let mut out = vec![0; length];
				lookup.apply(level, a, &mut out);
				for (a, found) in a.iter().zip(&out) {
					let (entry, fraction) = scalar::table_entry(dtype, *a);
					let entry = entry as usize;
					let expected = match dtype {
						DType::I16 => {
							scalar::interpolate(entries[entry], entries[entry + 1], fraction)
						}
						_ => entries[entry],
					};
					assert_eq!(*found, expected, "{a} at {}", level.name());
				}
			}
		}
	}
}
