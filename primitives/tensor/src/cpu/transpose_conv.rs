// SPDX-License-Identifier: Apache-2.0

//! Transposed convolutions: one product of every input place with every tap of every filter, then the
//! sum of what falls on each place of the result.

use super::{
	buffer::Elements,
	product::{self, Panels, Side},
	target::Target,
};
use crate::{
	ops::{
		window::{Grid, Track},
		Conv, TransposeConv,
	},
	DType, TensorType,
};
use rayon::prelude::*;

/// The most products that are held at a time, unless one place of the input has more.
const BLOCK: usize = 1 << 22;

/// Panels of a weight `[O, KH, KW, C]` as `[KH × KW × O, C]`, so that what falls on one place of the
/// result lies together.
pub fn pack(conv: &TransposeConv, left: DType, right: &TensorType, elements: Elements) -> Panels {
	let depth = right.shape[3] as usize;
	let taps = right.shape[1] as usize * right.shape[2] as usize;
	let elements = elements.widened();
	let rows = (0..taps).flat_map(|tap| elements.chunks(depth).skip(tap).step_by(taps));
	let turned: Vec<i32> = rows.flatten().copied().collect();
	let zero_points = [conv.input_zero_point, conv.weight_zero_point];
	Panels::pack(Side::Rows, zero_points, left, &turned_type(right), Elements::I32(&turned))
}

fn turned_type(weight: &TensorType) -> TensorType {
	let rows = weight.shape[0] * weight.shape[1] * weight.shape[2];
	TensorType::new(weight.dtype, [rows, 1, 1, weight.shape[3]])
}

/// See [`Op::TransposeConv2d`](crate::Op::TransposeConv2d).
pub fn run(
	conv: &TransposeConv,
	input_type: &TensorType,
	input: Elements,
	kernel: &TensorType,
	panels: &Panels,
	bias: &[i32],
	out_type: &TensorType,
	out: &mut [i32],
) {
	let &[batches, h, w, channels] = &input_type.shape[..] else { return };
	let &[filters, kh, kw, _] = &kernel.shape[..] else { return };
	let &[_, out_height, out_width, _] = &out_type.shape[..] else { return };
	let filters = filters as usize;
	let turned = turned_type(kernel);
	let still = Track { pad: 0, stride: 1, dilation: 1 };
	let product = Conv {
		grid: Grid { vertical: still, horizontal: still },
		input_zero_point: conv.input_zero_point,
		weight_zero_point: conv.weight_zero_point,
	};
	let [down, across] = conv.spread;
	let (depth, spread) = (channels as usize, turned.shape[0] as usize);
	let (plane, out_row) = (h as usize * w as usize, out_width as usize * filters);
	let block = (BLOCK / spread).max(1);

	out.par_chunks_mut(filters).for_each(|pixel| match bias {
		[all] => pixel.fill(*all),
		each => pixel.copy_from_slice(each),
	});
	let mut products = Vec::new();
	let results = out.chunks_mut(out_height as usize * out_row);
	for (batch, result) in (0..batches as usize).zip(results) {
		for first in (0..plane).step_by(block) {
			let places = first..plane.min(first + block);
			let from = TensorType::new(input_type.dtype, [1, 1, places.len() as u32, channels]);
			let to = TensorType::new(DType::I32, [1, 1, places.len() as u32, turned.shape[0]]);
			let start = (batch * plane + first) * depth;
			let input = input.part(start, places.len() * depth);
			products.resize(places.len() * spread, 0);
			let sums = Target::Sums(&mut products);
			product::conv(&product, &from, input, &turned, panels, &[0], &to, sums);
			result.par_chunks_mut(out_row).enumerate().for_each(|(oy, sums)| {
				for y in down.reach(oy as u32, kh, h) {
					let row = y as usize * w as usize;
					if row + w as usize <= places.start || row >= places.end {
						continue;
					}
					let ky = down.tap(oy as u32, y) as usize;
					for (ox, sums) in sums.chunks_mut(filters).enumerate() {
						for x in across.reach(ox as u32, kw, w) {
							let place = row + x as usize;
							if !places.contains(&place) {
								continue;
							}
							let tap = ky * kw as usize + across.tap(ox as u32, x) as usize;
							let start = (place - places.start) * spread + tap * filters;
							for (sum, product) in sums.iter_mut().zip(&products[start..]) {
								*sum = sum.wrapping_add(*product);
							}
						}
					}
				}
			});
		}
	}
}
