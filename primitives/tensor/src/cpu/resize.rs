// SPDX-License-Identifier: Apache-2.0

//! Images of another size.

use crate::{
	ops::{scalar, unravel, window::Between, Resize},
	Interpolation, TensorType,
};
use rayon::prelude::*;

/// See [`Op::Resize`](crate::Op::Resize).
pub fn run(resize: &Resize, ty: &TensorType, a: &[i32], out: &TensorType) -> Vec<i32> {
	let (h, w, channels) = (ty.shape[1], ty.shape[2], ty.shape[3] as usize);
	let [vertical, horizontal] = resize.scales;
	let out_width = out.shape[2];
	let columns: Vec<Between> =
		(0..out_width).map(|column| horizontal.between(column, w)).collect();
	let mut result = vec![0; out.elements() as usize];
	let rows = result.par_chunks_mut(out_width as usize * channels).enumerate();
	rows.for_each(|(number, out_row)| {
		let [batch, row, ..] = unravel(number as u64, &out.shape[..2]);
		let y = vertical.between(row, h);
		let line = |y: u32| {
			let length = w as usize * channels;
			&a[(batch as usize * h as usize + y as usize) * length..][..length]
		};
		let pixel = |line: &'_ [i32], x: u32| {
			let start = x as usize * channels;
			start..(start + channels).min(line.len())
		};
		match resize.interpolation {
			Interpolation::Nearest => {
				let line = line(y.nearest());
				for (x, out) in columns.iter().zip(out_row.chunks_mut(channels)) {
					out.copy_from_slice(&line[pixel(line, x.nearest())]);
				}
			}
			Interpolation::Bilinear => {
				let [above, below] = y.neighbours.map(line);
				for (x, out) in columns.iter().zip(out_row.chunks_mut(channels)) {
					let [left, right] = x.neighbours.map(|x| pixel(above, x));
					let tops = above[left.clone()].iter().zip(&above[right.clone()]);
					let bottoms = below[left].iter().zip(&below[right]);
					for ((out, (a, b)), (c, d)) in out.iter_mut().zip(tops).zip(bottoms) {
						*out = scalar::bilinear([[*a, *b], [*c, *d]], y.weights, x.weights);
					}
				}
			}
		}
	});
	result
}
