// SPDX-License-Identifier: Apache-2.0

//! Runs a model in floating point to see how large its values become.
//!
//! The ranges found here decide the scales of the program and so its identity: the evaluation uses only
//! operations whose result IEEE 754 fixes, in a fixed order, and gives the same ranges on every machine.

use crate::{
	error::CompileError,
	exact,
	graph::{broadcast, transpose, Activation, Graph, Layer, Tensor},
};
use rayon::prelude::*;

/// What calibration finds out.
#[derive(Clone, Debug, PartialEq)]
pub struct Ranges {
	/// The largest magnitude in the input.
	pub input: f64,
	/// The largest magnitude in the result of each step.
	pub steps: Vec<f64>,
}

/// Evaluates `graph` on every sample and collects the ranges.
///
/// A sample holds the elements of the input, row-major; tokens as whole numbers.
pub fn calibrate(graph: &Graph, samples: &[Vec<f32>]) -> Result<Ranges, CompileError> {
	let expected: usize = graph.input.iter().product();
	if samples.is_empty() {
		return Err(CompileError::Calibration("no sample was given".into()));
	}
	if let Some(bad) = samples.iter().find(|sample| sample.len() != expected) {
		let reason = format!("a sample has {} elements instead of {expected}", bad.len());
		return Err(CompileError::Calibration(reason));
	}
	let largest =
		|values: &[f32]| values.iter().fold(0f32, |max, value| max.max(value.abs())) as f64;
	let all: Vec<Ranges> = samples
		.par_iter()
		.map(|sample| Ranges {
			input: largest(sample),
			steps: forward(graph, sample).iter().map(|result| largest(result)).collect(),
		})
		.collect();
	let mut ranges = Ranges { input: 0.0, steps: vec![0.0; graph.steps.len()] };
	for one in &all {
		ranges.input = ranges.input.max(one.input);
		for (range, value) in ranges.steps.iter_mut().zip(&one.steps) {
			*range = range.max(*value);
		}
	}
	if ranges.input.is_finite() && ranges.steps.iter().all(|range| range.is_finite()) {
		Ok(ranges)
	} else {
		Err(CompileError::Calibration("the model gives infinite values on a sample".into()))
	}
}

/// The result of each step for one sample, row-major.
pub fn forward(graph: &Graph, sample: &[f32]) -> Vec<Vec<f32>> {
	let mut results: Vec<Vec<f32>> = Vec::with_capacity(graph.steps.len());
	for (index, step) in graph.steps.iter().enumerate() {
		let x = results.last().map_or(sample, |result| result.as_slice());
		results.push(apply(&step.layer, x, graph.operand(index), &step.shape));
	}
	results
}

/// The result of one layer on the operand `x` of shape `from`.
pub fn apply(layer: &Layer, x: &[f32], from: &[usize], to: &[usize]) -> Vec<f32> {
	match layer {
		Layer::Embed { table } => {
			let (rows, width) = (table.shape[0], table.shape[1]);
			let row = |token: &f32| (*token as i64).clamp(0, rows as i64 - 1) as usize * width;
			x.iter().flat_map(|t| table.data[row(t)..row(t) + width].iter().copied()).collect()
		}
		Layer::Dense { weight, bias } => {
			let rows: Vec<usize> = (0..x.len() / weight.shape[0]).collect();
			let taps: Vec<usize> = (0..weight.shape[0]).collect();
			let starts: Vec<_> = rows.iter().map(|row| row * weight.shape[0]).collect();
			products(x, &starts, &taps, &weight.data, bias)
		}
		Layer::Conv { weight, bias, pad, stride, dilation } => {
			let padded = pad_image(x, from, pad);
			let (width, channels) = (from[2] + pad[2] + pad[3], from[3]);
			let [outs, kh, kw] = [weight.shape[0], weight.shape[1], weight.shape[2]];
			let taps: Vec<usize> = (0..kh)
				.flat_map(|y| (0..kw).map(move |x| (y, x)))
				.map(|(y, x)| (y * dilation[0] * width + x * dilation[1]) * channels)
				.flat_map(|start| start..start + channels)
				.collect();
			let starts: Vec<usize> = (0..to[1])
				.flat_map(|y| (0..to[2]).map(move |x| (y, x)))
				.map(|(y, x)| (y * stride[0] * width + x * stride[1]) * channels)
				.collect();
			let columns = transpose(&weight.data, &[outs, taps.len()], &[1, 0]);
			products(&padded, &starts, &taps, &columns, bias)
		}
		Layer::Bias { values } => {
			let at = |index| values.data[broadcast(index, from, &values.shape)];
			x.iter().enumerate().map(|(index, x)| x + at(index)).collect()
		}
		Layer::Activation(Activation::Relu) => x.iter().map(|x| x.max(0.0)).collect(),
		Layer::Activation(Activation::Gelu) => {
			x.iter().map(|x| exact::gelu(*x as f64) as f32).collect()
		}
		Layer::LayerNorm { axis, epsilon, gamma, beta } => {
			layer_norm(x, from, *axis, *epsilon, gamma, beta)
		}
		Layer::Max { axis } => {
			let (extent, behind) = split(from, *axis);
			let mut result = vec![f32::NEG_INFINITY; x.len() / extent];
			for (index, x) in x.iter().enumerate() {
				let place = index / (extent * behind) * behind + index % behind;
				result[place] = result[place].max(*x);
			}
			result
		}
		Layer::Reshape => x.to_vec(),
		Layer::Transpose { permutation } => transpose(x, from, permutation),
		Layer::Softmax => {
			let width = from.last().copied().unwrap_or(1);
			x.chunks(width)
				.flat_map(|row| {
					let top = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
					let e: Vec<f64> = row.iter().map(|x| exact::exp((x - top) as f64)).collect();
					let sum: f64 = e.iter().sum();
					e.into_iter().map(move |e| (e / sum) as f32)
				})
				.collect()
		}
	}
}

/// For each start, the sums over taps of `x[start + tap] × columns[tap][o]`, plus `bias[o]`.
fn products(
	x: &[f32],
	starts: &[usize],
	taps: &[usize],
	columns: &[f32],
	bias: &[f32],
) -> Vec<f32> {
	const ROWS: usize = 4;
	const WIDTH: usize = 128;
	let outs = bias.len();
	let mut result = vec![0f32; starts.len() * outs];
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
				let at = (group * ROWS + row) * outs + first;
				let bias = &bias[first..first + width];
				let out = result[at..at + width].iter_mut().zip(bias).zip(sums);
				out.for_each(|((out, bias), sum)| *out = sum + bias);
			}
		}
	}
	result
}

fn pad_image(x: &[f32], shape: &[usize], pad: &[usize; 4]) -> Vec<f32> {
	let [height, width, channels] = [shape[1], shape[2], shape[3]];
	let wide = width + pad[2] + pad[3];
	let mut padded = vec![0f32; (height + pad[0] + pad[1]) * wide * channels];
	for row in 0..height {
		let to = ((row + pad[0]) * wide + pad[2]) * channels;
		let from = row * width * channels;
		padded[to..to + width * channels].copy_from_slice(&x[from..from + width * channels]);
	}
	padded
}

/// Extent of an axis and number of elements behind it.
fn split(shape: &[usize], axis: usize) -> (usize, usize) {
	(shape[axis], shape[axis + 1..].iter().product())
}

fn layer_norm(
	x: &[f32],
	shape: &[usize],
	axis: usize,
	epsilon: f64,
	gamma: &Tensor,
	beta: &Tensor,
) -> Vec<f32> {
	let (extent, behind) = split(shape, axis);
	let lines = x.len() / extent;
	let line_of = |index: usize| index / (extent * behind) * behind + index % behind;
	let mut mean = vec![0f64; lines];
	x.iter().enumerate().for_each(|(index, x)| mean[line_of(index)] += *x as f64);
	mean.iter_mut().for_each(|mean| *mean /= extent as f64);
	let mut variance = vec![0f64; lines];
	for (index, x) in x.iter().enumerate() {
		let d = *x as f64 - mean[line_of(index)];
		variance[line_of(index)] += d * d;
	}
	let inverse: Vec<f64> =
		variance.iter().map(|sum| 1.0 / (sum / extent as f64 + epsilon).sqrt()).collect();
	x.iter()
		.enumerate()
		.map(|(index, x)| {
			let z = (*x as f64 - mean[line_of(index)]) * inverse[line_of(index)];
			let gamma = gamma.data[broadcast(index, shape, &gamma.shape)] as f64;
			let beta = beta.data[broadcast(index, shape, &beta.shape)] as f64;
			(z * gamma + beta) as f32
		})
		.collect()
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn a_padded_strided_convolution_matches_the_definition() {
		let weight = Tensor { shape: vec![1, 2, 1, 1], data: vec![1.0, 10.0] };
		let conv = Layer::Conv {
			weight,
			bias: vec![0.5],
			pad: [1, 0, 0, 0],
			stride: [2, 1],
			dilation: [1, 1],
		};
		// Rows 0 1 2 3 with a zero row above: windows (0, x0) and (x1, x2).
		let result = apply(&conv, &[1.0, 2.0, 3.0, 4.0], &[1, 4, 1, 1], &[1, 2, 1, 1]);
		assert_eq!(result, [10.5, 32.5]);
	}

	#[test]
	fn layer_norm_over_an_outer_axis_normalises_each_column() {
		let one = Tensor { shape: vec![1, 1, 1], data: vec![1.0] };
		let zero = Tensor { shape: vec![1, 1, 1], data: vec![0.0] };
		let norm = Layer::LayerNorm { axis: 1, epsilon: 0.0, gamma: one, beta: zero };
		let result = apply(&norm, &[1.0, 5.0, 3.0, 9.0], &[1, 2, 2], &[1, 2, 2]);
		assert_eq!(result, [-1.0, -1.0, 1.0, 1.0]);
	}

	#[test]
	fn samples_of_the_wrong_length_are_refused() {
		let graph = Graph { input: vec![1, 4], steps: vec![] };
		assert!(calibrate(&graph, &[]).is_err());
		assert!(calibrate(&graph, &[vec![0.0; 3]]).is_err());
		assert_eq!(calibrate(&graph, &[vec![-2.0; 4]]).unwrap().input, 2.0);
	}
}
