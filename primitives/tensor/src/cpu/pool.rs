// SPDX-License-Identifier: Apache-2.0

//! Pooling.

use super::buffer::{with_both, Element, Elements, ElementsMut};
use crate::{
	ops::{scalar, unravel, window::Grid, AvgPool},
	ExecError, TensorType,
};
use rayon::prelude::*;

/// See [`Op::MaxPool2d`](crate::Op::MaxPool2d).
pub fn largest(
	kernel: [u32; 2],
	grid: &Grid,
	[ty, out_type]: [&TensorType; 2],
	a: Elements,
	out: ElementsMut,
) -> Result<(), ExecError> {
	with_both!((a, out), (a, out) => largest_of(kernel, grid, [ty, out_type], a, out))
}

fn largest_of<T: Element>(
	kernel: [u32; 2],
	grid: &Grid,
	[ty, out_type]: [&TensorType; 2],
	a: &[T],
	out: &mut [T],
) {
	let channels = ty.shape[3] as usize;
	out.par_chunks_mut(channels).enumerate().for_each(|(pixel, out_row)| {
		out_row.fill(T::of(ty.dtype.min()));
		taps(kernel, grid, ty, a, unravel(pixel as u64, &out_type.shape[..3]), |row| {
			for (largest, a) in out_row.iter_mut().zip(row) {
				if *a > *largest {
					*largest = *a;
				}
			}
		});
	});
}

/// See [`Op::AvgPool2d`](crate::Op::AvgPool2d).
pub fn average(
	pool: &AvgPool,
	[ty, out_type]: [&TensorType; 2],
	a: Elements,
	out: ElementsMut,
) -> Result<(), ExecError> {
	with_both!((a, out), (a, out) => average_of(pool, [ty, out_type], a, out))
}

fn average_of<T: Element>(
	pool: &AvgPool,
	[ty, out_type]: [&TensorType; 2],
	a: &[T],
	out: &mut [T],
) {
	let channels = ty.shape[3] as usize;
	let pixels = out.par_chunks_mut(channels).enumerate();
	pixels.for_each_init(Vec::new, |sums: &mut Vec<i32>, (pixel, out_row)| {
		let at = unravel(pixel as u64, &out_type.shape[..3]);
		let mut count = 0u32;
		sums.clear();
		sums.resize(channels, 0);
		taps(pool.kernel, &pool.grid, ty, a, at, |row| {
			count += 1;
			for (sum, a) in sums.iter_mut().zip(row) {
				*sum = sum.wrapping_add(a.wide().wrapping_sub(pool.input_zero_point));
			}
		});
		for (out, sum) in out_row.iter_mut().zip(sums) {
			*out = T::of(scalar::average(ty.dtype, *sum, count, pool.output_zero_point));
		}
	});
}

/// Hands the channels under every tap of one window to `each`, padding left out.
fn taps<T>(
	[height, width]: [u32; 2],
	grid: &Grid,
	ty: &TensorType,
	a: &[T],
	[batch, row, column, ..]: crate::ops::At,
	mut each: impl FnMut(&[T]),
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
