// SPDX-License-Identifier: Apache-2.0

//! Memory for values, each in the width of its own element type.

use super::{
	matrix::Number,
	simd::{self, Plain, Row, Work, WIDTH},
};
use crate::{DType, ExecError};

/// Bytes of a [`Row`].
const ROW: usize = WIDTH * 4;

/// A number that tensors are held in: `i8` for Bool and I8.
pub trait Element: Number + Plain + PartialOrd + 'static {
	/// Bytes.
	const SIZE: usize;
	/// The low bits of a number.
	fn of(value: i32) -> Self;
	/// The number in the first bytes, little endian.
	fn read(bytes: &[u8]) -> Self;
	/// Stores the number in the first bytes, little endian.
	fn write(self, bytes: &mut [u8]);
}

macro_rules! element {
	($($ty:ty)*) => {$(
		impl Element for $ty {
			const SIZE: usize = size_of::<$ty>();

			#[inline(always)]
			fn of(value: i32) -> Self {
				value as $ty
			}

			#[inline(always)]
			fn read(bytes: &[u8]) -> Self {
				bytes.first_chunk().map_or(0, |bytes| <$ty>::from_le_bytes(*bytes))
			}

			#[inline(always)]
			fn write(self, bytes: &mut [u8]) {
				if let Some(bytes) = bytes.first_chunk_mut() {
					*bytes = self.to_le_bytes();
				}
			}
		}
	)*};
}

element!(i8 i16 i32);

/// Memory for one tensor at a time, aligned to cache lines.
#[derive(Debug, Default)]
pub struct Buffer(Vec<Row>);

impl Buffer {
	/// A buffer of at least `bytes` bytes, filled with 0.
	pub fn new(bytes: usize) -> Self {
		Self(vec![Row::ZERO; bytes.div_ceil(ROW)])
	}

	/// The bytes it has room for.
	pub fn bytes(&self) -> usize {
		self.0.len() * ROW
	}

	/// The first `count` elements of type `dtype`.
	pub fn elements(&self, dtype: DType, count: usize) -> Elements<'_> {
		match dtype {
			DType::Bool | DType::I8 => Elements::I8(&simd::view(&self.0)[..count]),
			DType::I16 => Elements::I16(&simd::view(&self.0)[..count]),
			DType::I32 => Elements::I32(&simd::view(&self.0)[..count]),
		}
	}

	/// The first `count` elements of type `dtype`, to be replaced.
	pub fn elements_mut(&mut self, dtype: DType, count: usize) -> ElementsMut<'_> {
		match dtype {
			DType::Bool | DType::I8 => ElementsMut::I8(&mut simd::view_mut(&mut self.0)[..count]),
			DType::I16 => ElementsMut::I16(&mut simd::view_mut(&mut self.0)[..count]),
			DType::I32 => ElementsMut::I32(&mut simd::view_mut(&mut self.0)[..count]),
		}
	}
}

/// The elements of a value, row-major.
#[derive(Clone, Copy, Debug)]
pub enum Elements<'a> {
	/// Bool, as 0 and 1, and I8.
	I8(&'a [i8]),
	/// I16.
	I16(&'a [i16]),
	/// I32.
	I32(&'a [i32]),
}

/// Evaluates an expression for the elements of a value, whatever their type is.
macro_rules! with_elements {
	($elements:expr, $name:ident => $body:expr) => {
		match $elements {
			$crate::cpu::buffer::Elements::I8($name) => $body,
			$crate::cpu::buffer::Elements::I16($name) => $body,
			$crate::cpu::buffer::Elements::I32($name) => $body,
		}
	};
}

/// Evaluates an expression for operand and result of an operator that keeps the element type: an error if the
/// types differ.
macro_rules! with_both {
	(($elements:expr, $out:expr), ($a:ident, $b:ident) => $body:expr) => {{
		use $crate::cpu::buffer::{Elements, ElementsMut};
		match ($elements, $out) {
			(Elements::I8($a), ElementsMut::I8($b)) => Ok($body),
			(Elements::I16($a), ElementsMut::I16($b)) => Ok($body),
			(Elements::I32($a), ElementsMut::I32($b)) => Ok($body),
			_ => Err($crate::ExecError::Inconsistent),
		}
	}};
}

pub(super) use {with_both, with_elements};

impl<'a> From<&'a [i8]> for Elements<'a> {
	fn from(elements: &'a [i8]) -> Self {
		Elements::I8(elements)
	}
}

impl<'a> From<&'a [i16]> for Elements<'a> {
	fn from(elements: &'a [i16]) -> Self {
		Elements::I16(elements)
	}
}

impl<'a> From<&'a [i32]> for Elements<'a> {
	fn from(elements: &'a [i32]) -> Self {
		Elements::I32(elements)
	}
}

impl<'a> Elements<'a> {
	/// Elements of I32 values; an error for others.
	pub fn words(self) -> Result<&'a [i32], ExecError> {
		match self {
			Elements::I32(words) => Ok(words),
			_ => Err(ExecError::Inconsistent),
		}
	}

	/// `count` of them from number `start` on.
	pub fn part(self, start: usize, count: usize) -> Elements<'a> {
		match self {
			Elements::I8(all) => Elements::I8(&all[start..][..count]),
			Elements::I16(all) => Elements::I16(&all[start..][..count]),
			Elements::I32(all) => Elements::I32(&all[start..][..count]),
		}
	}

	/// All of them, widened.
	pub fn widened(self) -> Vec<i32> {
		with_elements!(self, elements => elements.iter().map(|element| element.wide()).collect())
	}
}

/// Room for the elements of a value, row-major.
#[derive(Debug)]
pub enum ElementsMut<'a> {
	/// Bool, as 0 and 1, and I8.
	I8(&'a mut [i8]),
	/// I16.
	I16(&'a mut [i16]),
	/// I32.
	I32(&'a mut [i32]),
}

impl<'a> ElementsMut<'a> {
	/// Room for the elements of an I32 value; an error for that of others.
	pub fn words(self) -> Result<&'a mut [i32], ExecError> {
		match self {
			ElementsMut::I32(words) => Ok(words),
			_ => Err(ExecError::Inconsistent),
		}
	}

	/// The room in parts of `size` elements; the last may be shorter.
	pub fn chunks(self, size: usize) -> Vec<ElementsMut<'a>> {
		match self {
			ElementsMut::I8(all) => all.chunks_mut(size).map(ElementsMut::I8).collect(),
			ElementsMut::I16(all) => all.chunks_mut(size).map(ElementsMut::I16).collect(),
			ElementsMut::I32(all) => all.chunks_mut(size).map(ElementsMut::I32).collect(),
		}
	}
}

/// Copies numbers, keeping their low bits.
pub struct Convert<'a, A, B> {
	/// The numbers.
	pub from: &'a [A],
	/// As much room.
	pub to: &'a mut [B],
}

impl<A: Number, B: Element> Work for Convert<'_, A, B> {
	type Output = ();

	#[inline(always)]
	fn work(self) {
		convert(self.from, self.to);
	}
}

/// Copies numbers from the front of `from`, keeping their low bits.
#[inline(always)]
pub fn convert<A: Number, B: Element>(from: &[A], to: &mut [B]) {
	for (to, from) in to.iter_mut().zip(from) {
		*to = B::of(from.wide());
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn a_buffer_holds_every_type_from_its_start() {
		let mut buffer = Buffer::new(10);
		assert!(buffer.bytes() >= 10);
		match buffer.elements_mut(DType::I16, 5) {
			ElementsMut::I16(elements) => elements.copy_from_slice(&[1, -2, 3, -4, 5]),
			other => panic!("{other:?}"),
		}
		assert_eq!(buffer.elements(DType::I16, 5).widened(), [1, -2, 3, -4, 5]);
		match buffer.elements_mut(DType::I32, 2) {
			ElementsMut::I32(elements) => elements.copy_from_slice(&[i32::MIN, -1]),
			other => panic!("{other:?}"),
		}
		assert_eq!(buffer.elements(DType::I8, 5).widened()[4], -1);
		assert_eq!(buffer.elements(DType::I32, 1).words(), Ok(&[i32::MIN][..]));
		assert_eq!(buffer.elements(DType::I16, 1).words(), Err(ExecError::Inconsistent));
	}

	#[test]
	fn conversion_keeps_the_low_bits() {
		let mut bytes = [0i8; 3];
		convert(&[300, -129, 7], &mut bytes);
		assert_eq!(bytes, [44, 127, 7]);
		let mut words = [0i32; 3];
		convert(&bytes, &mut words);
		assert_eq!(words, [44, 127, 7]);
	}
}
