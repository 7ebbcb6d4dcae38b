// SPDX-License-Identifier: Apache-2.0

//! Between stored bytes in any layout and row-major values.

use super::{
	buffer::{with_elements, Element, Elements, ElementsMut},
	movement::gather_affine,
	simd::{self, Level, Work},
};
use crate::{ops::strides, DType, Layout, TensorType};

/// Fills `out` with the elements of a stored tensor, row-major.
pub fn decode(ty: &TensorType, layout: &Layout, bytes: &[u8], out: ElementsMut) {
	match out {
		ElementsMut::I8(out) => {
			ordered(ty, layout, bytes, out);
			if ty.dtype == DType::Bool {
				out.iter_mut().for_each(|element| *element = (*element != 0) as i8);
			}
		}
		ElementsMut::I16(out) => ordered(ty, layout, bytes, out),
		ElementsMut::I32(out) => ordered(ty, layout, bytes, out),
	}
}

fn ordered<T: Element>(ty: &TensorType, layout: &Layout, bytes: &[u8], out: &mut [T]) {
	if layout.0.is_empty() {
		read(bytes, out);
		return;
	}
	let mut stored = vec![T::of(0); out.len()];
	read(bytes, &mut stored);
	// The stored order is row-major in the permuted shape: go back through its strides.
	let strides: Vec<i64> = layout.strides(&ty.shape).iter().map(|stride| *stride as i64).collect();
	gather_affine(&stored, &ty.shape, 0, &strides, out);
}

/// Reads elements that lie one after the other.
pub fn read<T: Element>(bytes: &[u8], out: &mut [T]) {
	Level::detected().run(Read { bytes, out });
}

struct Read<'a, T> {
	bytes: &'a [u8],
	out: &'a mut [T],
}

impl<T: Element> Work for Read<'_, T> {
	type Output = ();

	#[inline(always)]
	fn work(self) {
		for (element, bytes) in self.out.iter_mut().zip(self.bytes.chunks_exact(T::SIZE)) {
			*element = T::read(bytes);
		}
	}
}

/// The stored bytes of a row-major tensor.
pub fn encode(ty: &TensorType, layout: &Layout, elements: Elements) -> Vec<u8> {
	with_elements!(elements, elements => {
		if layout.0.is_empty() {
			return written(elements);
		}
		let logical = strides(&ty.shape);
		let shape: Vec<u32> = layout.0.iter().map(|axis| ty.shape[*axis as usize]).collect();
		let steps: Vec<i64> = layout.0.iter().map(|axis| logical[*axis as usize] as i64).collect();
		let mut stored = vec![Default::default(); elements.len()];
		gather_affine(elements, &shape, 0, &steps, &mut stored);
		written(&stored)
	})
}

fn written<T: Element>(elements: &[T]) -> Vec<u8> {
	if cfg!(target_endian = "little") {
		return simd::memory(elements).to_vec();
	}
	let mut bytes = vec![0; elements.len() * T::SIZE];
	Level::detected().run(Write { elements, bytes: &mut bytes });
	bytes
}

struct Write<'a, T> {
	elements: &'a [T],
	bytes: &'a mut [u8],
}

impl<T: Element> Work for Write<'_, T> {
	type Output = ();

	#[inline(always)]
	fn work(self) {
		for (bytes, element) in self.bytes.chunks_exact_mut(T::SIZE).zip(self.elements) {
			element.write(bytes);
		}
	}
}

#[cfg(test)]
mod tests {
	use super::{super::buffer::Buffer, *};

	#[test]
	fn a_layout_permutes_the_stored_order_and_back() {
		let ty = TensorType::new(DType::I16, [2, 3, 4]);
		let elements: Vec<i16> = (0..24).collect();
		for axes in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [2, 1, 0], [1, 2, 0], [2, 0, 1]] {
			let layout = Layout::new(&axes);
			let stored = encode(&ty, &layout, Elements::I16(&elements));
			let mut buffer = Buffer::new(48);
			decode(&ty, &layout, &stored, buffer.elements_mut(DType::I16, 24));
			let back = buffer.elements(DType::I16, 24).widened();
			assert_eq!(back, (0..24).collect::<Vec<i32>>(), "{axes:?}");
			let strides = layout.strides(&ty.shape);
			let place = strides[0] + 2 * strides[1] + 3 * strides[2];
			assert_eq!(crate::read_element(DType::I16, &stored, place), Some(23));
		}
	}

	#[test]
	fn every_stored_byte_but_0_is_true() {
		let ty = TensorType::new(DType::Bool, [4]);
		let mut buffer = Buffer::new(4);
		let layout = Layout::row_major();
		decode(&ty, &layout, &[0, 1, 7, 255], buffer.elements_mut(DType::Bool, 4));
		assert_eq!(buffer.elements(DType::Bool, 4).widened(), [0, 1, 1, 1]);
	}
}
