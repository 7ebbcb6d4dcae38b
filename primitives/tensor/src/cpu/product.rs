// SPDX-License-Identifier: Apache-2.0

//! Matrix products and convolutions as products with packed matrices.
//!
//! A convolution is one product: each row of its left side holds the window's taps of one pixel.

use super::{
	fuse::Steps,
	matrix::{narrow, Packed, PackedMatrix, Rows},
	simd::{Kind, Level},
};
use crate::{
	ops::{unravel, Conv},
	DType, TensorType,
};
use rayon::prelude::*;

pub use super::matrix::Side;

/// The right operand of a product: one matrix for each batch.
pub struct Panels(Vec<PackedMatrix>);

impl Panels {
	/// Packs the right operand of a product whose left operand has elements of type `left`. The zero
	/// points are those of left and right.
	pub fn pack(
		side: Side,
		zero_points: [i32; 2],
		left: DType,
		right: &TensorType,
		elements: &[i32],
	) -> Self {
		let (batches, depth, columns) = match side {
			Side::Columns => (right.shape[0], right.shape[1] as usize, right.shape[2] as usize),
			Side::Rows => (1, elements.len() / right.shape[0] as usize, right.shape[0] as usize),
		};
		debug_assert_eq!(elements.len(), batches as usize * depth * columns);
		let types = [left, right.dtype];
		let matrices = elements.par_chunks(depth * columns).map(|elements| {
			let extents = [depth, columns];
			PackedMatrix::pack(Level::detected(), side, extents, types, zero_points, elements)
		});
		Self(matrices.collect())
	}
}

/// See [`Op::MatMul`](crate::Op::MatMul): the product, after `steps`. `out` is its type.
pub fn mat_mul(a: &[i32], panels: &Panels, steps: &Steps, out: &TensorType) -> Vec<i32> {
	let (rows, columns) = (out.shape[1] as usize, out.shape[2] as usize);
	let mut result = vec![0; out.elements() as usize];
	let depth = a.len() / (out.shape[0] as usize * rows);
	let batches = result.par_chunks_mut(rows * columns).zip(a.par_chunks(rows * depth));
	batches.zip(&panels.0).for_each(|((out, a), matrix)| {
		matrix.multiply_then(a, &[0], steps, out);
	});
	result
}

/// See [`Op::Conv2d`](crate::Op::Conv2d): the convolution, after `steps`. `out` is its type.
pub fn conv(
	conv: &Conv,
	input_type: &TensorType,
	input: &[i32],
	kernel: &TensorType,
	panels: &Panels,
	bias: &[i32],
	steps: &Steps,
	out: &TensorType,
) -> Vec<i32> {
	let mut result = vec![0; out.elements() as usize];
	for matrix in &panels.0 {
		let windows = Windows { conv, input_type, input, kernel, out };
		match matrix.kind() {
			Kind::Bytes => matrix.multiply_rows::<i8>(&windows, bias, steps, &mut result),
			Kind::Halves => matrix.multiply_rows::<i16>(&windows, bias, steps, &mut result),
		}
	}
	result
}

/// The left side of a convolution: a row for each pixel of the result, the taps of its window.
struct Windows<'a> {
	conv: &'a Conv,
	input_type: &'a TensorType,
	input: &'a [i32],
	kernel: &'a TensorType,
	out: &'a TensorType,
}

impl<T: Packed> Rows<T> for Windows<'_> {
	#[inline(always)]
	fn fill(&self, pixel: usize, lanes: &mut [T]) {
		let Self { conv, input_type, input, kernel, out } = self;
		let (h, w) = (input_type.shape[1], input_type.shape[2]);
		let (kh, kw) = (kernel.shape[1], kernel.shape[2]);
		let channels = input_type.shape[3] as usize;
		let [batch, row, column, ..] = unravel(pixel as u64, &out.shape[..3]);
		let taps = (0..kh).flat_map(|ky| (0..kw).map(move |kx| (ky, kx)));
		for ((ky, kx), lanes) in taps.zip(lanes.chunks_mut(channels)) {
			let y = conv.grid.vertical.tap(row, ky, h);
			let x = conv.grid.horizontal.tap(column, kx, w);
			let (Some(y), Some(x)) = (y, x) else {
				// Less its zero point this is 0.
				lanes.fill(T::of(conv.input_zero_point));
				continue;
			};
			let pixel = (batch as usize * h as usize + y as usize) * w as usize + x as usize;
			narrow(&input[pixel * channels..], lanes);
		}
	}
}
