// SPDX-License-Identifier: Apache-2.0

//! Operators that only move elements.

use super::{unravel, At};
use crate::TensorType;

/// A movement with the attributes that say where an element comes from; what else the operator
/// carries is in the result's shape.
#[derive(Clone, Copy, Debug)]
pub enum Movement<'a> {
	/// [`Op::Concat`](crate::Op::Concat).
	Concat {
		/// The axis.
		axis: usize,
	},
	/// [`Op::Pad`](crate::Op::Pad).
	Pad {
		/// Elements added before the first one, for each axis.
		before: &'a [u32],
		/// The fill.
		value: i32,
	},
	/// [`Op::Reshape`](crate::Op::Reshape).
	Reshape {
		/// The result's shape.
		shape: &'a [u32],
	},
	/// [`Op::Slice`](crate::Op::Slice).
	Slice {
		/// First element, for each axis.
		start: &'a [u32],
	},
	/// [`Op::Transpose`](crate::Op::Transpose).
	Transpose {
		/// Operand axis for each result axis.
		permutation: &'a [u8],
	},
	/// [`Op::Tile`](crate::Op::Tile).
	Tile,
	/// [`Op::Reverse`](crate::Op::Reverse).
	Reverse {
		/// The axis.
		axis: usize,
	},
	/// [`Op::Identity`](crate::Op::Identity).
	Identity,
}

/// Where an element of the result comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
	/// The element of that operand at these coordinates.
	Operand(usize, At),
	/// A constant.
	Fill(i32),
}

impl Movement<'_> {
	/// Where the result's element at `at` comes from, given the operand types.
	pub fn source<'t>(
		&self,
		at: &At,
		operand_type: impl Fn(usize) -> Option<&'t TensorType>,
	) -> Option<Source> {
		let mut from = *at;
		match self {
			Movement::Concat { axis } => {
				let place = from.get_mut(*axis)?;
				let mut operand = 0;
				loop {
					let extent = *operand_type(operand)?.shape.get(*axis)?;
					match place.checked_sub(extent) {
						Some(rest) => *place = rest,
						None => return Some(Source::Operand(operand, from)),
					}
					operand += 1;
				}
			}
			Movement::Pad { before, value } => {
				let shape = &operand_type(0)?.shape;
				for ((place, before), extent) in from.iter_mut().zip(*before).zip(shape) {
					match place.checked_sub(*before).filter(|place| place < extent) {
						Some(inside) => *place = inside,
						None => return Some(Source::Fill(*value)),
					}
				}
			}
			Movement::Reshape { shape } => {
				let index = shape.iter().zip(at).fold(0u64, |index, (extent, place)| {
					index.saturating_mul(*extent as u64).saturating_add(*place as u64)
				});
				from = unravel(index, &operand_type(0)?.shape);
			}
			Movement::Slice { start } => {
				for (place, start) in from.iter_mut().zip(*start) {
					*place = place.saturating_add(*start);
				}
			}
			Movement::Transpose { permutation } => {
				from = At::default();
				for (place, axis) in at.iter().zip(*permutation) {
					*from.get_mut(*axis as usize)? = *place;
				}
			}
			Movement::Tile => {
				for (place, extent) in from.iter_mut().zip(&operand_type(0)?.shape) {
					*place = place.checked_rem(*extent)?;
				}
			}
			Movement::Reverse { axis } => {
				let extent = *operand_type(0)?.shape.get(*axis)?;
				let place = from.get_mut(*axis)?;
				*place = extent.checked_sub(1)?.checked_sub(*place)?;
			}
			Movement::Identity => {}
		}
		Some(Source::Operand(0, from))
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::DType;

	fn source(movement: Movement, operands: &[TensorType], at: &[u32]) -> Source {
		let mut full = At::default();
		full[..at.len()].copy_from_slice(at);
		movement.source(&full, |operand| operands.get(operand)).unwrap()
	}

	fn from(operand: usize, at: &[u32]) -> Source {
		let mut full = At::default();
		full[..at.len()].copy_from_slice(at);
		Source::Operand(operand, full)
	}

	#[test]
	fn every_movement_names_its_source() {
		let one = |shape: &[u32]| vec![TensorType::new(DType::I8, shape)];
		let two = vec![TensorType::new(DType::I8, [2, 3]), TensorType::new(DType::I8, [2, 4])];
		assert_eq!(source(Movement::Concat { axis: 1 }, &two, &[1, 2]), from(0, &[1, 2]));
		assert_eq!(source(Movement::Concat { axis: 1 }, &two, &[1, 3]), from(1, &[1, 0]));
		let pad = Movement::Pad { before: &[1, 0], value: 9 };
		assert_eq!(source(pad, &one(&[2, 3]), &[0, 0]), Source::Fill(9));
		assert_eq!(source(pad, &one(&[2, 3]), &[1, 2]), from(0, &[0, 2]));
		assert_eq!(source(pad, &one(&[2, 3]), &[3, 2]), Source::Fill(9));
		let reshape = Movement::Reshape { shape: &[3, 4] };
		assert_eq!(source(reshape, &one(&[2, 6]), &[1, 3]), from(0, &[1, 1]));
		let slice = Movement::Slice { start: &[1, 2] };
		assert_eq!(source(slice, &one(&[4, 4]), &[1, 1]), from(0, &[2, 3]));
		let transpose = Movement::Transpose { permutation: &[2, 0, 1] };
		assert_eq!(source(transpose, &one(&[2, 3, 4]), &[3, 1, 2]), from(0, &[1, 2, 3]));
		assert_eq!(source(Movement::Tile, &one(&[2, 3]), &[5, 4]), from(0, &[1, 1]));
		let reverse = Movement::Reverse { axis: 1 };
		assert_eq!(source(reverse, &one(&[2, 3]), &[1, 0]), from(0, &[1, 2]));
		assert_eq!(source(Movement::Identity, &one(&[2, 3]), &[1, 2]), from(0, &[1, 2]));
	}
}
