// SPDX-License-Identifier: Apache-2.0

//! Convolutions of each channel with filters of its own.
//!
//! Too few products share an operand for panels to pay. The channels of a pixel lie together in input,
//! weight and result, so the innermost loop runs over them.

use super::{
	buffer::{with_elements, Elements},
	matrix::Number,
	simd::{Level, Work},
};
use crate::{
	ops::{scalar, unravel, Conv},
	TensorType,
};
use rayon::prelude::*;

/// See [`Op::DepthwiseConv2d`](crate::Op::DepthwiseConv2d). Operands: input and weight.
pub fn run(
	conv: &Conv,
	[(input_type, input), (kernel, weight)]: [(&TensorType, Elements); 2],
	bias: &[i32],
	out_type: &TensorType,
	out: &mut [i32],
) {
	let centred: Vec<i32> = with_elements!(weight, weight => {
		weight.iter().map(|weight| weight.wide().wrapping_sub(conv.weight_zero_point)).collect()
	});
	with_elements!(input, input => {
		channels(conv, [input_type, kernel, out_type], input, &centred, bias, out)
	})
}

/// The convolution with weights less their zero point. The types are those of input, weight and result.
fn channels<E: Number>(
	conv: &Conv,
	[input_type, kernel, out_type]: [&TensorType; 3],
	input: &[E],
	centred: &[i32],
	bias: &[i32],
	out: &mut [i32],
) {
	let (h, w, channels) = (input_type.shape[1], input_type.shape[2], input_type.shape[3] as usize);
	let (kh, kw, filters) = (kernel.shape[0], kernel.shape[1], kernel.shape[3] as usize);
	let columns = channels * filters;
	let out_row = out_type.shape[2] as usize * columns;
	let (level, line) = (Level::detected(), w as usize * channels);
	out.par_chunks_mut(out_row).enumerate().for_each(|(number, sums)| {
		let [batch, row, ..] = unravel(number as u64, &out_type.shape[..2]);
		for pixel in sums.chunks_mut(columns) {
			match bias {
				[all] => pixel.fill(*all),
				each => pixel.copy_from_slice(each),
			}
		}
		let mut repeated = Vec::new();
		for ky in 0..kh {
			let Some(y) = conv.grid.vertical.tap(row, ky, h) else { continue };
			let input = &input[(batch as usize * h as usize + y as usize) * line..][..line];
			let weights = &centred[ky as usize * kw as usize * columns..][..kw as usize * columns];
			let input = if filters == 1 {
				input
			} else {
				// One element for each product, as in the weight.
				repeated.clear();
				repeated.extend(input.iter().flat_map(|a| std::iter::repeat_n(*a, filters)));
				&repeated
			};
			level.run(Line { conv, input, width: w, weights, columns, sums });
		}
	});
}

/// The products of one row of input and one row of taps, added to a row of the result. All of them
/// have `columns` numbers for each place.
struct Line<'a, E> {
	conv: &'a Conv,
	input: &'a [E],
	/// Places of the input.
	width: u32,
	weights: &'a [i32],
	columns: usize,
	sums: &'a mut [i32],
}

impl<E: Number> Work for Line<'_, E> {
	type Output = ();

	#[inline(always)]
	fn work(self) {
		let Self { conv, input, width, weights, columns, sums } = self;
		for (kx, weights) in weights.chunks_exact(columns).enumerate() {
			for (place, sums) in sums.chunks_exact_mut(columns).enumerate() {
				let x = conv.grid.horizontal.tap(place as u32, kx as u32, width);
				let Some(x) = x else { continue };
				let input = &input[x as usize * columns..][..columns];
				for ((sum, a), b) in sums.iter_mut().zip(input).zip(weights) {
					*sum = scalar::multiply_add(*sum, a.wide(), conv.input_zero_point, *b, 0);
				}
			}
		}
	}
}
