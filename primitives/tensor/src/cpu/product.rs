// SPDX-License-Identifier: Apache-2.0

//! Matrix products and convolutions on packed panels.
//!
//! Both are brought to `rows of A` times `rows of Bᵀ`, zero points already subtracted. Where all numbers
//! fit in 16 bits they are packed so; otherwise, with unusual zero points, in 32 bits. A convolution
//! lays out each row of A from its window's taps as it goes. Sums wrap, so neither the order of terms
//! nor the zeros that fill up a panel change a result.

use super::simd::{tile, Level, LANES};
use crate::{
	ops::{scalar, unravel, Conv, Family},
	DType, TensorType,
};
use rayon::prelude::*;

/// Rows and columns of one tile.
pub const TILE: usize = 4;

/// Rows of A that one task packs.
const BLOCK: usize = 32;

/// Rows of equal padded length, filled up with zeros to whole tiles.
pub struct Matrix<T> {
	elements: Vec<T>,
	rows: usize,
	/// Elements from one row to the next: a multiple of [`LANES`].
	stride: usize,
}

/// The right operand of a product: for each batch, one row for each column of the result.
pub enum Panels {
	/// All differences fit in 16 bits.
	Narrow(Vec<Matrix<i16>>),
	/// They may not.
	Wide(Vec<Matrix<i32>>),
}

/// A number as it is packed.
pub trait Packed: Copy + Default + Send + Sync {
	fn of(value: i32) -> Self;
	/// Products of [`TILE`] rows of a and of b.
	fn tile(a: &[Self], b: &[Self], stride: usize) -> [[i32; TILE]; TILE];
}

impl Packed for i16 {
	fn of(value: i32) -> Self {
		value as i16
	}

	fn tile(a: &[i16], b: &[i16], stride: usize) -> [[i32; TILE]; TILE] {
		tile(Level::detected(), a, b, stride)
	}
}

impl Packed for i32 {
	fn of(value: i32) -> Self {
		value
	}

	fn tile(a: &[i32], b: &[i32], stride: usize) -> [[i32; TILE]; TILE] {
		let mut sums = [[0; TILE]; TILE];
		for (row, sums) in a.chunks(stride).zip(&mut sums) {
			for (column, sum) in b.chunks(stride).zip(sums) {
				*sum = row
					.iter()
					.zip(column)
					.fold(0, |sum, (a, b)| scalar::multiply_add(sum, *a, 0, *b, 0));
			}
		}
		sums
	}
}

impl<T: Packed> Matrix<T> {
	/// Packs `rows` rows of `depth` numbers, each written by `fill` less its zero point.
	fn pack(rows: usize, depth: usize, fill: impl Fn(usize, &mut [T]) + Sync) -> Self {
		let stride = depth.next_multiple_of(LANES);
		let mut elements = vec![T::default(); rows.next_multiple_of(TILE) * stride];
		elements.par_chunks_mut(stride).take(rows).enumerate().for_each(|(row, out)| {
			fill(row, &mut out[..depth]);
		});
		Self { elements, rows, stride }
	}
}

/// Whether every value of `dtype` less `zero_point` fits in 16 bits.
fn is_narrow(dtype: DType, zero_point: i32) -> bool {
	let fits = |value: i32| i16::try_from(value.wrapping_sub(zero_point)).is_ok();
	fits(dtype.min()) && fits(dtype.max())
}

impl Panels {
	/// Packs the right operand of the product `family`, whose left operand has type `left`.
	pub fn pack(family: &Family, left: &TensorType, right: &TensorType, elements: &[i32]) -> Self {
		let (left_zero, right_zero) = match family {
			Family::Conv(conv) => (conv.input_zero_point, conv.weight_zero_point),
			Family::MatMul { a_zero_point, b_zero_point } => (*a_zero_point, *b_zero_point),
			Family::MaxPool { .. }
			| Family::ArgMax { .. }
			| Family::Reduce { .. }
			| Family::Pointwise(_)
			| Family::Table
			| Family::Gather
			| Family::Movement(_) => unreachable!("only products have panels"),
		};
		let columns = matches!(family, Family::MatMul { .. });
		if is_narrow(left.dtype, left_zero) && is_narrow(right.dtype, right_zero) {
			Panels::Narrow(Self::matrices(columns, right, elements, right_zero))
		} else {
			Panels::Wide(Self::matrices(columns, right, elements, right_zero))
		}
	}

	fn matrices<T: Packed>(
		columns: bool,
		right: &TensorType,
		elements: &[i32],
		zero_point: i32,
	) -> Vec<Matrix<T>> {
		let number = |element: i32| T::of(element.wrapping_sub(zero_point));
		if columns {
			let (depth, width) = (right.shape[1] as usize, right.shape[2] as usize);
			let batches = elements.chunks(depth * width);
			let pack = |batch: &[i32]| {
				Matrix::pack(width, depth, |column, out: &mut [T]| {
					for (out, row) in out.iter_mut().zip(batch.chunks(width)) {
						*out = number(row[column]);
					}
				})
			};
			batches.map(pack).collect()
		} else {
			let rows = right.shape[0] as usize;
			let depth = elements.len() / rows;
			vec![Matrix::pack(rows, depth, |row, out: &mut [T]| {
				for (out, element) in out.iter_mut().zip(&elements[row * depth..]) {
					*out = number(*element);
				}
			})]
		}
	}
}

/// See [`Op::MatMul`](crate::Op::MatMul).
pub fn mat_mul(zero_point: i32, a: &[i32], panels: &Panels, out: &TensorType) -> Vec<i32> {
	match panels {
		Panels::Narrow(matrices) => mat_mul_on(zero_point, a, matrices, out),
		Panels::Wide(matrices) => mat_mul_on(zero_point, a, matrices, out),
	}
}

fn mat_mul_on<T: Packed>(
	zero_point: i32,
	a: &[i32],
	matrices: &[Matrix<T>],
	out: &TensorType,
) -> Vec<i32> {
	let (rows, columns) = (out.shape[1] as usize, out.shape[2] as usize);
	let mut result = vec![0; out.elements() as usize];
	let depth = a.len() / (out.shape[0] as usize * rows);
	let batches = result.par_chunks_mut(rows * columns).zip(a.par_chunks(rows * depth));
	batches.zip(matrices).for_each(|((out, a), b)| {
		multiply(b, depth, &[0], out, |row, packed| {
			for (packed, a) in packed.iter_mut().zip(&a[row * depth..][..depth]) {
				*packed = T::of(a.wrapping_sub(zero_point));
			}
		});
	});
	result
}

/// See [`Op::Conv2d`](crate::Op::Conv2d).
pub fn conv(
	conv: &Conv,
	input_type: &TensorType,
	input: &[i32],
	kernel: &TensorType,
	panels: &Panels,
	bias: &[i32],
	out: &TensorType,
) -> Vec<i32> {
	match panels {
		Panels::Narrow(matrices) => {
			conv_on(conv, input_type, input, kernel, &matrices[0], bias, out)
		}
		Panels::Wide(matrices) => conv_on(conv, input_type, input, kernel, &matrices[0], bias, out),
	}
}

fn conv_on<T: Packed>(
	conv: &Conv,
	input_type: &TensorType,
	input: &[i32],
	kernel: &TensorType,
	weight: &Matrix<T>,
	bias: &[i32],
	out: &TensorType,
) -> Vec<i32> {
	let (h, w, channels) = (input_type.shape[1], input_type.shape[2], input_type.shape[3] as usize);
	let (kh, kw) = (kernel.shape[1], kernel.shape[2]);
	let depth = kh as usize * kw as usize * channels;
	let mut result = vec![0; out.elements() as usize];
	multiply(weight, depth, bias, &mut result, |pixel, packed| {
		let [batch, row, column, ..] = unravel(pixel as u64, &out.shape[..3]);
		let taps = (0..kh).flat_map(|ky| (0..kw).map(move |kx| (ky, kx)));
		for ((ky, kx), packed) in taps.zip(packed.chunks_mut(channels)) {
			let y = conv.grid.vertical.tap(row, ky, h);
			let x = conv.grid.horizontal.tap(column, kx, w);
			let (Some(y), Some(x)) = (y, x) else {
				packed.fill(T::default());
				continue;
			};
			let pixel = (batch as usize * h as usize + y as usize) * w as usize + x as usize;
			for (packed, a) in packed.iter_mut().zip(&input[pixel * channels..][..channels]) {
				*packed = T::of(a.wrapping_sub(conv.input_zero_point));
			}
		}
	});
	result
}

/// `out = A × Bᵀ + bias`, row-major. `fill` writes one row of A. `bias` has one number for each row of
/// b, or one for all.
fn multiply<T: Packed>(
	b: &Matrix<T>,
	depth: usize,
	bias: &[i32],
	out: &mut [i32],
	fill: impl Fn(usize, &mut [T]) + Sync,
) {
	let (columns, stride) = (b.rows, b.stride);
	let rows = out.len() / columns;
	// Few rows make few tasks: then each task takes a part of the columns instead.
	if rows <= TILE {
		let mut a = vec![T::default(); TILE * stride];
		for (row, packed) in a.chunks_mut(stride).take(rows).enumerate() {
			fill(row, &mut packed[..depth]);
		}
		let tiles = b.elements.par_chunks(TILE * stride).with_min_len(8);
		let sums: Vec<_> = tiles.map(|b| T::tile(&a, b, stride)).collect();
		for (number, tile) in sums.iter().enumerate() {
			store(tile, out, columns, number * TILE, bias);
		}
		return;
	}
	out.par_chunks_mut(BLOCK * columns).enumerate().for_each(|(block, out)| {
		let rows = out.len() / columns;
		let mut a = vec![T::default(); rows.next_multiple_of(TILE) * stride];
		for (row, packed) in a.chunks_mut(stride).take(rows).enumerate() {
			fill(block * BLOCK + row, &mut packed[..depth]);
		}
		for (number, b) in b.elements.chunks(TILE * stride).enumerate() {
			for (a, out) in a.chunks(TILE * stride).zip(out.chunks_mut(TILE * columns)) {
				let tile = T::tile(a, b, stride);
				store(&tile, out, columns, number * TILE, bias);
			}
		}
	});
}

/// Writes the part of a tile that lies inside the result.
fn store(
	tile: &[[i32; TILE]; TILE],
	out: &mut [i32],
	columns: usize,
	first_column: usize,
	bias: &[i32],
) {
	for (out, sums) in out.chunks_mut(columns).zip(tile) {
		for (place, (out, sum)) in out[first_column..].iter_mut().zip(sums).enumerate() {
			let bias = match bias {
				[all] => *all,
				each => each[first_column + place],
			};
			*out = sum.wrapping_add(bias);
		}
	}
}
