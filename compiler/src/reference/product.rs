// SPDX-License-Identifier: Apache-2.0

//! Products of matrices and convolutions in floating point: each sum in the order of its taps.

use super::Operand;
use crate::graph::{transpose, Tensor, Window};

/// Rows of `x` times a `[K, O]` matrix, plus `[O]`.
pub fn dense(x: &[f32], weight: &Tensor, bias: &[f32]) -> Vec<f32> {
	let taps: Vec<usize> = (0..weight.shape[0]).collect();
	let starts: Vec<usize> = (0..x.len()).step_by(weight.shape[0]).collect();
	let mut result = vec![0f32; starts.len() * bias.len()];
	products(x, &starts, &taps, &weight.data, bias, &mut result, bias.len());
	result
}

/// Product of `[.., M, K]` and `[.., K, N]` with equal axes in front.
pub fn mat_mul(a: Operand, b: Operand, to: &[usize]) -> Vec<f32> {
	let rank = to.len();
	let [m, n] = [to[rank - 2], to[rank - 1]];
	let k = a.shape[rank - 1];
	let taps: Vec<usize> = (0..k).collect();
	let starts: Vec<usize> = (0..m).map(|row| row * k).collect();
	let zero = vec![0f32; n];
	let mut result = vec![0f32; to.iter().product()];
	for (batch, result) in result.chunks_mut(m * n).enumerate() {
		let a = &a.data[batch * m * k..(batch + 1) * m * k];
		let b = &b.data[batch * k * n..(batch + 1) * k * n];
		products(a, &starts, &taps, b, &zero, result, n);
	}
	result
}

/// Convolution of `[1, H, W, C]` with `[O, KH, KW, C / groups]`, plus `[O]`.
pub fn conv(
	x: Operand,
	weight: &Tensor,
	bias: &[f32],
	window: &Window,
	groups: usize,
	to: &[usize],
) -> Vec<f32> {
	let (padded, width) = pad_image(x, &window.pad);
	let channels = x.shape[3];
	let [outs, kh, kw, depth] = [0, 1, 2, 3].map(|axis| weight.shape[axis]);
	let corners = (0..kh).flat_map(|y| (0..kw).map(move |z| (y, z)));
	let corners: Vec<usize> = corners
		.map(|(y, z)| (y * window.dilation[0] * width + z * window.dilation[1]) * channels)
		.collect();
	let starts: Vec<usize> = (0..to[1])
		.flat_map(|y| (0..to[2]).map(move |z| (y, z)))
		.map(|(y, z)| (y * window.stride[0] * width + z * window.stride[1]) * channels)
		.collect();
	let columns = transpose(&weight.data, &[outs, kh * kw * depth], &[1, 0]);
	let mut result = vec![0f32; starts.len() * outs];
	if depth == 1 && groups == channels {
		depthwise(&padded, &starts, &corners, &columns, bias, outs / channels, &mut result);
		return result;
	}
	let each = outs / groups;
	for group in 0..groups {
		let first = group * depth;
		let taps: Vec<usize> = corners
			.iter()
			.flat_map(|start| (start + first..start + first + depth).collect::<Vec<_>>())
			.collect();
		let part = group * each..(group + 1) * each;
		let columns: Vec<f32> =
			columns.chunks(outs).flat_map(|row| row[part.clone()].iter().copied()).collect();
		let result = &mut result[part.start..];
		products(&padded, &starts, &taps, &columns, &bias[part], result, outs);
	}
	result
}

/// Each channel with `each` kernels of its own; `columns` are `[taps, channels × each]`.
fn depthwise(
	x: &[f32],
	starts: &[usize],
	corners: &[usize],
	columns: &[f32],
	bias: &[f32],
	each: usize,
	result: &mut [f32],
) {
	let outs = bias.len();
	for (start, row) in starts.iter().zip(result.chunks_mut(outs)) {
		row.copy_from_slice(bias);
		for (corner, column) in corners.iter().zip(columns.chunks(outs)) {
			let x = &x[start + corner..start + corner + outs / each];
			for (x, (out, w)) in x.iter().zip(row.chunks_mut(each).zip(column.chunks(each))) {
				out.iter_mut().zip(w).for_each(|(out, w)| *out += x * w);
			}
		}
	}
}

/// For each start, the sums over taps of `x[start + tap] × columns[tap][o]`, plus `bias[o]`, in rows of
/// `result` that begin `pitch` apart.
fn products(
	x: &[f32],
	starts: &[usize],
	taps: &[usize],
	columns: &[f32],
	bias: &[f32],
	result: &mut [f32],
	pitch: usize,
) {
	const ROWS: usize = 4;
	const WIDTH: usize = 128;
	let outs = bias.len();
	for (group, starts) in starts.chunks(ROWS).enumerate() {
		for first in (0..outs).step_by(WIDTH) {
			let width = WIDTH.min(outs - first);
			let mut sums = [[0f32; WIDTH]; ROWS];
			for (tap, offset) in taps.iter().enumerate() {
				let column = &columns[tap * outs + first..tap * outs + first + width];
				for (sums, start) in sums.iter_mut().zip(starts) {
					let x = x[start + offset];
					sums.iter_mut().zip(column).for_each(|(sum, w)| *sum += x * w);
				}
			}
			for (row, sums) in sums.iter().enumerate().take(starts.len()) {
				let at = (group * ROWS + row) * pitch + first;
				let bias = &bias[first..first + width];
				let out = result[at..at + width].iter_mut().zip(bias).zip(sums);
				out.for_each(|((out, bias), sum)| *out = sum + bias);
			}
		}
	}
}

/// An image with zeros around it, and its width.
fn pad_image(x: Operand, pad: &[usize; 4]) -> (Vec<f32>, usize) {
	let [height, width, channels] = [x.shape[1], x.shape[2], x.shape[3]];
	let wide = width + pad[2] + pad[3];
	let mut padded = vec![0f32; (height + pad[0] + pad[1]) * wide * channels];
	for row in 0..height {
		let to = ((row + pad[0]) * wide + pad[2]) * channels;
		let from = row * width * channels;
		padded[to..to + width * channels].copy_from_slice(&x.data[from..from + width * channels]);
	}
	(padded, wide)
}

#[cfg(test)]
mod tests {
	use super::*;

	const PLAIN: Window = Window { pad: [0; 4], stride: [1; 2], dilation: [1; 2] };

	#[test]
	fn a_padded_strided_convolution_matches_the_definition() {
		let weight = Tensor { shape: vec![1, 2, 1, 1], data: vec![1.0, 10.0] };
		let window = Window { pad: [1, 0, 0, 0], stride: [2, 1], ..PLAIN };
		let x = Operand { shape: &[1, 4, 1, 1], data: &[1.0, 2.0, 3.0, 4.0] };
		// Rows 0 1 2 3 with a zero row above: windows (0, x0) and (x1, x2).
		let result = conv(x, &weight, &[0.5], &window, 1, &[1, 2, 1, 1]);
		assert_eq!(result, [10.5, 32.5]);
	}

	#[test]
	fn groups_see_only_their_own_channels() {
		let x = Operand { shape: &[1, 1, 1, 4], data: &[1.0, 2.0, 3.0, 4.0] };
		let halves = Tensor { shape: vec![2, 1, 1, 2], data: vec![1.0, 10.0, 1.0, 10.0] };
		assert_eq!(conv(x, &halves, &[0.0; 2], &PLAIN, 2, &[1, 1, 1, 2]), [21.0, 43.0]);
		let single = Tensor { shape: vec![4, 1, 1, 1], data: vec![1.0, 2.0, 3.0, 4.0] };
		let each = conv(x, &single, &[0.5; 4], &PLAIN, 4, &[1, 1, 1, 4]);
		assert_eq!(each, [1.5, 4.5, 9.5, 16.5]);
	}

	#[test]
	fn matrices_are_multiplied_batch_by_batch() {
		let a = Operand { shape: &[2, 1, 2], data: &[1.0, 2.0, 3.0, 4.0] };
		let b = Operand { shape: &[2, 2, 1], data: &[5.0, 6.0, 7.0, 8.0] };
		assert_eq!(mat_mul(a, b, &[2, 1, 1]), [17.0, 53.0]);
	}
}
