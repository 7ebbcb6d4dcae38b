// SPDX-License-Identifier: Apache-2.0

//! Between stored bytes in any layout and row-major numbers.

use crate::{ops::strides, DType, Layout, TensorType};
use rayon::prelude::*;

/// Elements that are worth another thread.
const GRAIN: usize = 1 << 14;

/// The numbers of a stored tensor, row-major.
pub fn decode(ty: &TensorType, layout: &Layout, bytes: &[u8]) -> Vec<i32> {
	let stored = numbers(ty.dtype, bytes);
	if layout.0.is_empty() {
		return stored;
	}
	// The stored order is row-major in the permuted shape: go back through its strides.
	let mut strides_of = [0u64; crate::MAX_RANK];
	for (stride, stored) in strides_of.iter_mut().zip(layout.strides(&ty.shape)) {
		*stride = stored;
	}
	gather_strided(&stored, &ty.shape, &strides_of)
}

/// The stored bytes of a row-major tensor.
pub fn encode(ty: &TensorType, layout: &Layout, elements: &[i32]) -> Vec<u8> {
	if layout.0.is_empty() {
		return bytes(ty.dtype, elements);
	}
	let logical = strides(&ty.shape);
	let mut shape = Vec::with_capacity(ty.rank());
	let mut strides_of = [0u64; crate::MAX_RANK];
	for (place, axis) in layout.0.iter().enumerate() {
		shape.push(ty.shape[*axis as usize]);
		strides_of[place] = logical[*axis as usize];
	}
	bytes(ty.dtype, &gather_strided(elements, &shape, &strides_of))
}

/// Reads `from` in row-major order of `shape`, element `at` at `Σ at × strides`.
pub fn gather_strided(from: &[i32], shape: &[u32], strides: &[u64]) -> Vec<i32> {
	let signed: Vec<i64> = strides.iter().map(|stride| *stride as i64).collect();
	gather_affine(from, shape, 0, &signed)
}

/// Reads `from` in row-major order of `shape`, element `at` at `base + Σ at × strides`.
pub fn gather_affine(from: &[i32], shape: &[u32], base: i64, strides: &[i64]) -> Vec<i32> {
	let Some((row, outer)) = shape.split_last() else {
		return vec![from[base as usize]];
	};
	let (row, step) = (*row as usize, strides[outer.len()]);
	let elements = shape.iter().map(|extent| *extent as usize).product();
	let mut out = vec![0; elements];
	let rows_each = (GRAIN / row).max(1);
	out.par_chunks_mut(row * rows_each).enumerate().for_each(|(block, rows)| {
		for (number, out) in rows.chunks_mut(row).enumerate() {
			let at = crate::ops::unravel((block * rows_each + number) as u64, outer);
			let start = at
				.iter()
				.zip(strides)
				.take(outer.len())
				.fold(base, |sum, (at, stride)| sum + *at as i64 * stride);
			if step == 1 {
				out.copy_from_slice(&from[start as usize..][..row]);
			} else {
				let mut place = start;
				for element in out {
					*element = from[place as usize];
					place += step;
				}
			}
		}
	});
	out
}

fn numbers(dtype: DType, bytes: &[u8]) -> Vec<i32> {
	match dtype {
		DType::Bool => bytes.iter().map(|byte| (*byte != 0) as i32).collect(),
		DType::I8 => bytes.iter().map(|byte| *byte as i8 as i32).collect(),
		DType::I16 => {
			let pairs = bytes.chunks_exact(2);
			pairs.map(|pair| i16::from_le_bytes([pair[0], pair[1]]) as i32).collect()
		}
		DType::I32 => {
			let words = bytes.chunks_exact(4);
			words.map(|word| i32::from_le_bytes([word[0], word[1], word[2], word[3]])).collect()
		}
	}
}

fn bytes(dtype: DType, elements: &[i32]) -> Vec<u8> {
	match dtype {
		DType::Bool | DType::I8 => elements.iter().map(|element| *element as u8).collect(),
		DType::I16 => {
			let mut bytes = vec![0; elements.len() * 2];
			for (pair, element) in bytes.chunks_exact_mut(2).zip(elements) {
				pair.copy_from_slice(&(*element as i16).to_le_bytes());
			}
			bytes
		}
		DType::I32 => {
			let mut bytes = vec![0; elements.len() * 4];
			for (word, element) in bytes.chunks_exact_mut(4).zip(elements) {
				word.copy_from_slice(&element.to_le_bytes());
			}
			bytes
		}
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn a_layout_permutes_the_stored_order_and_back() {
		let ty = TensorType::new(DType::I16, [2, 3, 4]);
		let elements: Vec<i32> = (0..24).collect();
		for axes in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [2, 1, 0], [1, 2, 0], [2, 0, 1]] {
			let layout = Layout::new(&axes);
			let stored = encode(&ty, &layout, &elements);
			assert_eq!(decode(&ty, &layout, &stored), elements, "{axes:?}");
			let strides = layout.strides(&ty.shape);
			let place = strides[0] + 2 * strides[1] + 3 * strides[2];
			assert_eq!(crate::read_element(DType::I16, &stored, place), Some(23));
		}
	}
}
