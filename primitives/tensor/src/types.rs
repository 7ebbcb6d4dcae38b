// SPDX-License-Identifier: Apache-2.0

//! Element types, tensor types and storage layouts.

use alloc::vec::Vec;
use codec::{Decode, DecodeWithMemTracking, Encode};
use scale_info::TypeInfo;

/// The most axes a tensor may have.
pub const MAX_RANK: usize = 6;

/// The most elements a tensor may have.
pub const MAX_ELEMENTS: u64 = 1 << 31;

/// Element type of a tensor. Values of every type are carried as `i32` by the evaluators.
#[derive(
	Clone,
	Copy,
	Debug,
	PartialEq,
	Eq,
	PartialOrd,
	Ord,
	Encode,
	Decode,
	DecodeWithMemTracking,
	TypeInfo,
)]
pub enum DType {
	/// Truth value, stored as one byte that is 0 or 1. Any non-zero byte reads as 1.
	#[codec(index = 0)]
	Bool,
	/// Signed 8-bit integer, one byte.
	#[codec(index = 1)]
	I8,
	/// Signed 16-bit integer, two bytes, little endian.
	#[codec(index = 2)]
	I16,
	/// Signed 32-bit integer, four bytes, little endian.
	#[codec(index = 3)]
	I32,
}

impl DType {
	/// Bytes of one stored element.
	pub const fn size(self) -> u64 {
		match self {
			DType::Bool | DType::I8 => 1,
			DType::I16 => 2,
			DType::I32 => 4,
		}
	}

	/// The smallest value of this type.
	pub const fn min(self) -> i32 {
		match self {
			DType::Bool => 0,
			DType::I8 => i8::MIN as i32,
			DType::I16 => i16::MIN as i32,
			DType::I32 => i32::MIN,
		}
	}

	/// The largest value of this type.
	pub const fn max(self) -> i32 {
		match self {
			DType::Bool => 1,
			DType::I8 => i8::MAX as i32,
			DType::I16 => i16::MAX as i32,
			DType::I32 => i32::MAX,
		}
	}

	/// Whether this is an integer type: every one but `Bool`.
	pub const fn is_integer(self) -> bool {
		match self {
			DType::Bool => false,
			DType::I8 | DType::I16 | DType::I32 => true,
		}
	}

	/// Whether `value` is a value of this type.
	pub const fn holds(self, value: i32) -> bool {
		self.min() <= value && value <= self.max()
	}

	/// `value` reduced to this type: modulo 2^bits for integers, `value != 0` for `Bool`.
	pub const fn wrap(self, value: i32) -> i32 {
		match self {
			DType::Bool => (value != 0) as i32,
			DType::I8 => value as i8 as i32,
			DType::I16 => value as i16 as i32,
			DType::I32 => value,
		}
	}

	/// `value` limited to the range of this type.
	pub fn saturate(self, value: i64) -> i32 {
		value.clamp(self.min() as i64, self.max() as i64) as i32
	}
}

/// Element type and shape of a tensor. Every axis is at least 1; rank 0 is a scalar.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, TypeInfo)]
pub struct TensorType {
	/// Element type.
	pub dtype: DType,
	/// Extent of each axis, outermost first.
	pub shape: Vec<u32>,
}

impl TensorType {
	/// A tensor type from its parts.
	pub fn new(dtype: DType, shape: impl Into<Vec<u32>>) -> Self {
		Self { dtype, shape: shape.into() }
	}

	/// Number of axes.
	pub fn rank(&self) -> usize {
		self.shape.len()
	}

	/// Number of elements; saturates, so that an oversized shape is never mistaken for a small one.
	pub fn elements(&self) -> u64 {
		self.shape.iter().fold(1u64, |n, d| n.saturating_mul(*d as u64))
	}

	/// Bytes of the stored tensor.
	pub fn bytes(&self) -> u64 {
		self.elements().saturating_mul(self.dtype.size())
	}

	/// Whether rank, extents and element count are inside the limits of the format.
	pub fn is_valid(&self) -> bool {
		self.rank() <= MAX_RANK
			&& self.shape.iter().all(|d| *d >= 1)
			&& self.elements() <= MAX_ELEMENTS
	}
}

/// The axis order in which a tensor's bytes are stored, outermost first. Empty means row-major
/// (`0, 1, .., rank - 1`); otherwise it is a permutation of the axes and not the identity (the
/// identity is written as the empty list, so that a program has one encoding).
///
/// With layout `[1, 0]` a `[rows, columns]` matrix is stored column after column.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, TypeInfo)]
pub struct Layout(pub Vec<u8>);

impl Layout {
	/// Row-major storage.
	pub const fn row_major() -> Self {
		Self(Vec::new())
	}

	/// The layout that stores axes in the order `axes`, in canonical form.
	pub fn new(axes: &[u8]) -> Self {
		if axes.iter().enumerate().all(|(i, a)| i == *a as usize) {
			Self::row_major()
		} else {
			Self(axes.to_vec())
		}
	}

	/// Whether this is a canonical layout for a tensor of `rank` axes.
	pub fn is_valid(&self, rank: usize) -> bool {
		if self.0.is_empty() {
			return true;
		}
		let mut seen = 0u64;
		for axis in &self.0 {
			if *axis as usize >= rank {
				return false;
			}
			seen |= 1 << *axis;
		}
		self.0.len() == rank
			&& seen == (1u64 << rank) - 1
			&& self.0.iter().enumerate().any(|(i, a)| i != *a as usize)
	}

	/// Stride, in elements, of each logical axis in storage order.
	pub fn strides(&self, shape: &[u32]) -> Vec<u64> {
		let rank = shape.len();
		let mut strides = alloc::vec![0u64; rank];
		let mut step = 1u64;
		for position in (0..rank).rev() {
			let axis = self.0.get(position).map_or(position, |a| *a as usize);
			if let (Some(stride), Some(extent)) = (strides.get_mut(axis), shape.get(axis)) {
				*stride = step;
				step = step.saturating_mul(*extent as u64);
			}
		}
		strides
	}
}
