// SPDX-License-Identifier: Apache-2.0

//! What the interval analysis can tell.

use super::NO_LIMITS;
use crate::*;

fn product(depth: u32, weight: Option<i32>) -> (CheckedProgram, Vec<u8>) {
	let mut builder = ProgramBuilder::new();
	let x = TensorType::new(DType::I8, [1, 1, depth]);
	let x = builder.input(x, Layout::row_major(), false).unwrap();
	let w = TensorType::new(DType::I8, [1, depth, 1]);
	let bytes = vec![weight.unwrap_or(-128) as u8; depth as usize];
	let w = match weight {
		Some(_) => builder.constant_inline(w, Layout::row_major(), bytes.clone()).unwrap(),
		None => builder.constant_blob(w, Layout::row_major(), [0; 32]).unwrap(),
	};
	let y = builder.op(Op::MatMul { a_zero_point: 0, b_zero_point: 0 }, &[x, w]).unwrap();
	builder.output(y, Layout::row_major());
	(builder.finish().unwrap(), bytes)
}

#[test]
fn plain_i8_products_are_exact_up_to_a_depth_of_131071() {
	let exact = |depth| analyse(&product(depth, None).0, &NO_LIMITS).unwrap().exact[0];
	assert!(exact(131_071));
	assert!(!exact(131_072));
}

#[test]
fn known_weights_sharpen_the_range() {
	let (program, _) = product(1000, Some(3));
	let known = intervals(&program, &[]);
	assert_eq!(known.ranges[2], (-128 * 3 * 1000, 127 * 3 * 1000));
	assert!(known.wrapping().is_empty());
}

#[test]
fn blobs_handed_in_are_summed_column_by_column() {
	let (program, bytes) = product(200_000, None);
	assert_eq!(intervals(&program, &[]).wrapping(), [0]);
	// All weights are -128 in the bytes given: 200,000 × 128 × 128 does not fit either.
	assert_eq!(intervals(&program, &[&bytes]).wrapping(), [0]);
	let mut sparse = vec![0u8; bytes.len()];
	sparse[7] = 100;
	let known = intervals(&program, &[&sparse]);
	assert!(known.wrapping().is_empty());
	assert_eq!(known.ranges[2], (-12_800, 12_700));
}

#[test]
fn an_unknown_bias_may_wrap_and_an_inline_one_may_not() {
	let conv = |inline: bool| {
		let mut builder = ProgramBuilder::new();
		let x = TensorType::new(DType::I8, [1, 1, 1, 4]);
		let x = builder.input(x, Layout::row_major(), false).unwrap();
		let w = TensorType::new(DType::I8, [1, 1, 1, 4]);
		let w = builder.constant_values(w, &[1, 2, 3, 4]).unwrap();
		let bias = TensorType::new(DType::I32, [1]);
		let bias = if inline {
			builder.constant_values(bias, &[1000]).unwrap()
		} else {
			builder.constant_blob(bias, Layout::row_major(), [0; 32]).unwrap()
		};
		let window = Window { pad: [0; 4], stride: [1; 2], dilation: [1; 2] };
		let op = Op::Conv2d { window, input_zero_point: 0, weight_zero_point: 0 };
		let y = builder.op(op, &[x, w, bias]).unwrap();
		builder.output(y, Layout::row_major());
		analyse(&builder.finish().unwrap(), &NO_LIMITS).unwrap().exact[0]
	};
	assert!(conv(true));
	assert!(!conv(false));
}

#[test]
fn a_clamp_makes_what_follows_exact() {
	let mut builder = ProgramBuilder::new();
	let x = TensorType::new(DType::I32, [4]);
	let x = builder.input(x, Layout::row_major(), false).unwrap();
	let square = builder.op(Op::Mul { shift: 0 }, &[x, x]).unwrap();
	let small = builder.op(Op::Clamp { min: -1000, max: 1000 }, &[x]).unwrap();
	let small_square = builder.op(Op::Mul { shift: 0 }, &[small, small]).unwrap();
	builder.output(square, Layout::row_major());
	builder.output(small_square, Layout::row_major());
	let program = builder.finish().unwrap();
	assert_eq!(intervals(&program, &[]).exact, [false, true, true]);
}

#[test]
fn memory_counts_live_values_once() {
	// Input stored and expanded, the checkpoint stored, and two values of the chain at a time.
	let mut builder = ProgramBuilder::new();
	let x = TensorType::new(DType::I8, [100]);
	let x = builder.input(x, Layout::row_major(), false).unwrap();
	let mut y = x;
	for _ in 0..3 {
		y = builder.op(Op::Unary(Unary::Negate), &[y]).unwrap();
	}
	builder.output(y, Layout::row_major());
	let analysis = analyse(&builder.finish().unwrap(), &NO_LIMITS).unwrap();
	assert_eq!(analysis.memory_bytes, (100 + 400) + 100 + 2 * 400);
	assert_eq!(analysis.macs, 300);
}

#[test]
fn the_filters_of_every_convolution_are_summed_on_their_own() {
	// Weights 1 to 8 in storage order; inputs from -128 to 127.
	let sharp = |op: Op, input: &[u32], weight: &[u32], layout: &[u8]| {
		let mut builder = ProgramBuilder::new();
		let x = TensorType::new(DType::I8, input);
		let x = builder.input(x, Layout::row_major(), false).unwrap();
		let w = TensorType::new(DType::I8, weight);
		let w = builder.constant_blob(w, Layout::new(layout), [0; 32]).unwrap();
		let bias = builder.constant_values(TensorType::new(DType::I32, [1]), &[0]).unwrap();
		let y = builder.op(op, &[x, w, bias]).unwrap();
		builder.output(y, Layout::row_major());
		let bytes: Vec<u8> = (1..=8).collect();
		let known = intervals(&builder.finish().unwrap(), &[&bytes]);
		assert!(known.wrapping().is_empty());
		known.ranges[3]
	};
	let largest = |sum: i32| (-128 * sum, 127 * sum);
	let window = Window { pad: [0; 4], stride: [1; 2], dilation: [1; 2] };
	let (input_zero_point, weight_zero_point) = (0, 0);
	let depthwise = Op::DepthwiseConv2d { window, input_zero_point, weight_zero_point };
	// Filter (c, m) has the weights at both taps: with four filters the last is 4 and 8.
	let image = [1, 1, 2, 2];
	assert_eq!(sharp(depthwise.clone(), &image, &[1, 2, 2, 2], &[]), largest(4 + 8));
	// Stored by filter instead, the last is 7 and 8.
	assert_eq!(sharp(depthwise, &image, &[1, 2, 2, 2], &[2, 3, 0, 1]), largest(7 + 8));
	let window = Window3 { pad: [0; 6], stride: [1; 3], dilation: [1; 3] };
	let volume = Op::Conv3d { window, input_zero_point, weight_zero_point };
	let all = largest(5 + 6 + 7 + 8);
	assert_eq!(sharp(volume, &[1, 2, 1, 1, 2], &[2, 2, 1, 1, 2], &[]), all);
	let (out_pad, stride) = ([0; 4], [1, 1]);
	let transposed = Op::TransposeConv2d { out_pad, stride, input_zero_point, weight_zero_point };
	assert_eq!(sharp(transposed, &[1, 1, 1, 2], &[2, 1, 2, 2], &[]), all);
}

#[test]
fn averages_stay_in_range_unless_a_sum_may_wrap() {
	let pool = |kernel: u16| {
		let mut builder = ProgramBuilder::new();
		let x = TensorType::new(DType::I16, [1, 400, 400, 1]);
		let x = builder.input(x, Layout::row_major(), false).unwrap();
		let small = builder.op(Op::Clamp { min: 100, max: 20_000 }, &[x]).unwrap();
		let window = Window { pad: [0; 4], stride: [1; 2], dilation: [1; 2] };
		let (input_zero_point, output_zero_point) = (0, -5);
		let kernel = [kernel; 2];
		let op = Op::AvgPool2d { kernel, window, input_zero_point, output_zero_point };
		let y = builder.op(op, &[small]).unwrap();
		builder.output(y, Layout::row_major());
		let known = intervals(&builder.finish().unwrap(), &[]);
		(known.ranges[2], known.exact[1])
	};
	assert_eq!(pool(300), ((-5, 19_995), true));
	assert_eq!(pool(400), ((i16::MIN as i32, i16::MAX as i32), false));
}
