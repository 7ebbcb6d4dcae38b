// SPDX-License-Identifier: Apache-2.0

//! Matrix products and convolutions as products with packed matrices.
//!
//! A convolution is one product: each row of its left side holds the window's taps of one pixel.

use super::{
	buffer::{with_elements, Elements},
	matrix::{narrow, Number, Packed, PackedMatrix, Rows},
	simd::{Kind, Level},
	target::{Scratch, Target},
};
use crate::{
	ops::{unravel, Conv},
	DType, TensorType,
};
use rayon::prelude::*;

pub use super::matrix::Side;

/// Multiply-accumulates of products that are worth another task.
const GRAIN: usize = 1 << 20;

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
		elements: Elements,
	) -> Self {
		let extents = extents(side, right);
		let count = right.elements() as usize / extents[0] / extents[1];
		Self((0..count).map(|n| one(side, zero_points, left, right, elements, n)).collect())
	}

	/// Bytes that they take.
	pub fn bytes(&self) -> usize {
		self.0.iter().map(PackedMatrix::bytes).sum()
	}
}

/// Depth and columns of the matrices in a right operand.
fn extents(side: Side, right: &TensorType) -> [usize; 2] {
	match side {
		Side::Columns => [right.shape[1] as usize, right.shape[2] as usize],
		Side::Rows => {
			let columns = right.shape[0] as usize;
			[right.elements() as usize / columns, columns]
		}
	}
}

/// Matrix number `number` of a right operand.
fn one(
	side: Side,
	zero_points: [i32; 2],
	left: DType,
	right: &TensorType,
	elements: Elements,
	number: usize,
) -> PackedMatrix {
	let [depth, columns] = extents(side, right);
	let types = [left, right.dtype];
	with_elements!(elements, elements => {
		let elements = &elements[number * depth * columns..][..depth * columns];
		PackedMatrix::pack(Level::detected(), side, [depth, columns], types, zero_points, elements)
	})
}

/// The right operand of a matrix product.
pub enum Right<'a> {
	/// A constant.
	Packed(&'a Panels),
	/// A value, which is packed matrix by matrix.
	Value(&'a TensorType, Elements<'a>),
}

/// See [`Op::MatMul`](crate::Op::MatMul). `types` are those of the left operand and the result.
pub fn mat_mul(
	zero_points: [i32; 2],
	types: [&TensorType; 2],
	a: Elements,
	right: &Right,
	target: Target,
) {
	let [left, out] = types;
	let (rows, columns) = (out.shape[1] as usize, out.shape[2] as usize);
	let depth = left.shape[2] as usize;
	let one = |scratch: &mut Scratch, batch: usize, target: Target| {
		let packed;
		let matrix = match right {
			Right::Packed(panels) => &panels.0[batch],
			Right::Value(ty, elements) => {
				packed = one(Side::Columns, zero_points, left.dtype, ty, *elements, batch);
				&packed
			}
		};
		with_elements!(a, a => {
			let a = &a[batch * rows * depth..][..rows * depth];
			matrix.multiply_dense(a, target, scratch);
		});
	};
	let grain = (GRAIN / (rows * columns * target.work(depth))).max(1);
	let targets = target.split(rows * columns);
	if rayon::current_num_threads() == 1 || targets.len() <= grain {
		let mut scratch = Scratch::default();
		for (batch, target) in targets.into_iter().enumerate() {
			one(&mut scratch, batch, target);
		}
	} else {
		let each = targets.into_par_iter().enumerate().with_min_len(grain);
		each.for_each_init(Scratch::default, |scratch, (batch, target)| {
			one(scratch, batch, target);
		});
	}
}

/// See [`Op::Conv2d`](crate::Op::Conv2d). `out` is the type of the result.
pub fn conv(
	conv: &Conv,
	input_type: &TensorType,
	input: Elements,
	kernel: &TensorType,
	panels: &Panels,
	bias: &[i32],
	out: &TensorType,
	target: Target,
) {
	let Some(matrix) = panels.0.first() else { return };
	let pixels = out.elements() as usize / matrix.columns();
	let mut scratch = Scratch::default();
	with_elements!(input, input => {
		let windows = Windows { conv, input_type, input, kernel, out };
		match matrix.kind() {
			Kind::Bytes => {
				matrix.multiply_rows::<i8>(&windows, pixels, bias, target, &mut scratch);
			}
			Kind::Halves => {
				matrix.multiply_rows::<i16>(&windows, pixels, bias, target, &mut scratch);
			}
		}
	})
}

/// The left side of a convolution: a row for each pixel of the result, the taps of its window.
struct Windows<'a, E> {
	conv: &'a Conv,
	input_type: &'a TensorType,
	input: &'a [E],
	kernel: &'a TensorType,
	out: &'a TensorType,
}

impl<T: Packed, E: Number> Rows<T> for Windows<'_, E> {
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
