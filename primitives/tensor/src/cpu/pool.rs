// SPDX-License-Identifier: Apache-2.0

//! Pooling.

use crate::{
	ops::{scalar, unravel, window::Grid, AvgPool},
	DType, TensorType,
};
use rayon::prelude::*;

/// See [`Op::MaxPool2d`](crate::Op::MaxPool2d).
pub fn largest(
	kernel: [u32; 2],
	grid: &Grid,
	ty: &TensorType,
	a: &[i32],
	out: &TensorType,
) -> Vec<i32> {
	let dtype: DType = ty.dtype;
	let mut result = vec![dtype.min(); out.elements() as usize];
	let channels = ty.shape[3] as usize;
	result.par_chunks_mut(channels).enumerate().for_each(|(pixel, out_row)| {
		taps(kernel, grid, ty, a, unravel(pixel as u64, &out.shape[..3]), |row| {
			for (largest, a) in out_row.iter_mut().zip(row) {
				*largest = (*largest).max(*a);
			}
		});
	});
	result
}

/// See [`Op::AvgPool2d`](crate::Op::AvgPool2d).
pub fn average(pool: &AvgPool, ty: &TensorType, a: &[i32], out: &TensorType) -> Vec<i32> {
	let mut result = vec![0i32; out.elements() as usize];
	let channels = ty.shape[3] as usize;
	result.par_chunks_mut(channels).enumerate().for_each(|(pixel, out_row)| {
		let at = unravel(pixel as u64, &out.shape[..3]);
		let mut count = 0u32;
		taps(pool.kernel, &pool.grid, ty, a, at, |row| {
			count += 1;
			for (sum, a) in out_row.iter_mut().zip(row) {
				*sum = sum.wrapping_add(a.wrapping_sub(pool.input_zero_point));
			}
		});
		for sum in out_row {
			*sum = scalar::average(ty.dtype, *sum, count, pool.output_zero_point);
		}
	});
	result
}

/// Hands the channels under every tap of one window to `each`, padding left out.
fn taps(
	[height, width]: [u32; 2],
	grid: &Grid,
	ty: &TensorType,
	a: &[i32],
	[batch, row, column, ..]: crate::ops::At,
	mut each: impl FnMut(&[i32]),
) {
	let (h, w, channels) = (ty.shape[1], ty.shape[2], ty.shape[3] as usize);
	for ky in 0..height {
		let Some(y) = grid.vertical.tap(row, ky, h) else { continue };
		for kx in 0..width {
			let Some(x) = grid.horizontal.tap(column, kx, w) else { continue };
			let pixel = (batch as usize * h as usize + y as usize) * w as usize + x as usize;
			each(&a[pixel * channels..][..channels]);
		}
	}
}
