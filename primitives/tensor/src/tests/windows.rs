// SPDX-License-Identifier: Apache-2.0

//! Operators that read a neighbourhood, and the scatter, on examples computed by hand.

use super::operators::{apply, i16s, i32s, i8s, refused, PLAIN};
use crate::*;
use std::slice::from_ref;

const PLAIN3: Window3 = Window3 { pad: [0; 6], stride: [1; 3], dilation: [1; 3] };

#[test]
fn a_volume_is_summed_over_all_three_axes() {
	// Depth 2, height 1, width 3; the kernel is 2 × 1 × 2.
	let x = i8s(&[1, 2, 1, 3, 1], &[1, 2, 3, 4, 5, 6]);
	let w = i8s(&[1, 2, 1, 2, 1], &[1, 10, 100, -1]);
	let op = |window| Op::Conv3d { window, input_zero_point: 1, weight_zero_point: 0 };
	let (ty, y) = apply(op(PLAIN3), &[x.clone(), w.clone(), i32s(&[1], &[7])]);
	assert_eq!(ty, TensorType::new(DType::I32, [1, 1, 1, 2, 1]));
	assert_eq!(y, [7 + 10 + 300 - 4, 7 + 1 + 20 + 400 - 5]);
	// The slice of padding before the first adds nothing: of the weights, 100 and −1 meet 0 and 1.
	let window = Window3 { pad: [1, 0, 0, 0, 0, 0], stride: [2, 1, 2], ..PLAIN3 };
	let (ty, y) = apply(op(window), &[x, w, i32s(&[1], &[0])]);
	assert_eq!(ty.shape, [1, 1, 1, 1, 1]);
	assert_eq!(y, [-1]);
}

#[test]
fn every_channel_has_filters_of_its_own() {
	// Two channels, two filters each; the result's channels are (0, 0), (0, 1), (1, 0), (1, 1).
	let x = i8s(&[1, 1, 2, 2], &[1, 2, 3, 4]);
	let w = i8s(&[1, 2, 2, 2], &[1, 2, 3, 4, 10, 20, 30, 40]);
	let op = Op::DepthwiseConv2d { window: PLAIN, input_zero_point: 0, weight_zero_point: 0 };
	let (ty, y) = apply(op, &[x.clone(), w.clone(), i32s(&[4], &[0, 1, 2, 3])]);
	assert_eq!(ty, TensorType::new(DType::I32, [1, 1, 1, 4]));
	assert_eq!(y, [1 + 30, 1 + 2 + 60, 2 + 6 + 120, 3 + 8 + 160]);
	let window = Window { pad: [0, 0, 1, 0], ..PLAIN };
	let op = Op::DepthwiseConv2d { window, input_zero_point: 1, weight_zero_point: 1 };
	let (_, y) = apply(op, &[x, w, i32s(&[1], &[100])]);
	// At the left edge only the second column of taps counts; padding is not the zero point.
	assert_eq!(y[..4], [100, 100, 129, 139]);
	assert_eq!(y[4..], [100 + 18, 100 + 38, 100 + 2 + 87, 100 + 3 + 117]);
}

#[test]
fn a_transposed_convolution_spreads_every_element() {
	let x = i8s(&[1, 1, 2, 1], &[1, 2]);
	let w = i8s(&[2, 1, 3, 1], &[1, 2, 3, 10, 20, 30]);
	let op = |out_pad, stride| Op::TransposeConv2d {
		out_pad,
		stride,
		input_zero_point: 0,
		weight_zero_point: 0,
	};
	let bias = i32s(&[2], &[0, 1000]);
	let all = [x.clone(), w.clone(), bias];
	let (ty, y) = apply(op([0; 4], [1, 2]), &all);
	assert_eq!(ty, TensorType::new(DType::I32, [1, 1, 5, 2]));
	// Elements fall on columns 0..3 and 2..5.
	assert_eq!(y, [1, 1010, 2, 1020, 3 + 2, 1030 + 20, 4, 1040, 6, 1060]);
	// A column more on the left, two fewer on the right, a row of bias below.
	let (ty, y) = apply(op([0, 1, 1, -2], [1, 2]), &all);
	assert_eq!(ty.shape, [1, 2, 4, 2]);
	assert_eq!(y[..8], [0, 1000, 1, 1010, 2, 1020, 5, 1050]);
	assert_eq!(y[8..], [0, 1000, 0, 1000, 0, 1000, 0, 1000]);
	// A stride beyond the kernel leaves gaps.
	let (ty, y) = apply(op([0; 4], [1, 5]), &[x, w, i32s(&[1], &[-1])]);
	assert_eq!(ty.shape, [1, 1, 8, 2]);
	assert_eq!(y[6..10], [-1, -1, -1, -1]);
	assert_eq!(y[10..], [1, 19, 3, 39, 5, 59]);
}

#[test]
fn averages_are_taken_of_what_is_not_padding() {
	let window = Window { pad: [0, 0, 3, 0], stride: [1, 2], dilation: [1, 1] };
	let op = |window, input_zero_point, output_zero_point| Op::AvgPool2d {
		kernel: [1, 2],
		window,
		input_zero_point,
		output_zero_point,
	};
	let x = i8s(&[1, 1, 5, 1], &[-5, -8, 3, 4, 127]);
	let (ty, y) = apply(op(window, 0, 0), from_ref(&x));
	assert_eq!(ty, TensorType::new(DType::I8, [1, 1, 4, 1]));
	// All padding, one element, then pairs: -5/2 is a tie, away from zero.
	assert_eq!(y, [0, -5, -3, 66]);
	assert_eq!(apply(op(window, 1, -100), from_ref(&x)).1, [-100, -106, -104, -35]);
	assert_eq!(apply(op(window, 0, 100), from_ref(&x)).1, [100, 95, 97, 127]);
	let large = Op::AvgPool2d {
		kernel: [u16::MAX, u16::MAX],
		window: PLAIN,
		input_zero_point: 0,
		output_zero_point: 0,
	};
	assert_eq!(refused(large, &[x.0]), ProgramError::Attribute { node: 0 });
}

fn scaling(numerator: u16, denominator: u16, offset: i16, border: i16) -> Scaling {
	Scaling {
		numerator: [1, numerator],
		denominator: [1, denominator],
		offset: [0, offset],
		border: [0, border],
	}
}

#[test]
fn an_image_is_enlarged_and_reduced() {
	let x = i8s(&[1, 1, 3, 1], &[10, 20, 40]);
	let resize = |scaling, interpolation| Op::Resize { scaling, interpolation };
	// Twice as large, samples in the middle of their pixels.
	let twice = scaling(4, 2, -1, 1);
	let (ty, y) = apply(resize(twice, Interpolation::Nearest), from_ref(&x));
	assert_eq!(ty, TensorType::new(DType::I8, [1, 1, 6, 1]));
	assert_eq!(y, [10, 10, 20, 20, 40, 40]);
	let (ty, y) = apply(resize(twice, Interpolation::Bilinear), from_ref(&x));
	assert_eq!(ty, TensorType::new(DType::I32, [1, 1, 6, 1]));
	assert_eq!(y, [40, 30 + 20, 10 + 60, 60 + 40, 20 + 120, 160]);
	// Half as large; halfway belongs to the later element.
	let half = scaling(2, 4, 1, 0);
	let (ty, y) = apply(resize(half, Interpolation::Nearest), from_ref(&x));
	assert_eq!((ty.shape, y), (vec![1, 1, 1, 1], vec![20]));
	let wide = i16s(&[1, 1, 1, 1], &[i16::MIN as i32]);
	let most = Scaling { numerator: [2048; 2], ..scaling(1, 1, 0, 0) };
	let (_, y) = apply(resize(most, Interpolation::Bilinear), from_ref(&wide));
	assert_eq!(y, [(-32768i64 << 22) as i32]);
}

#[test]
fn scales_outside_their_limits_are_refused() {
	let image = TensorType::new(DType::I8, [1, 1, 3, 1]);
	let resize = |scaling| Op::Resize { scaling, interpolation: Interpolation::Nearest };
	let attribute = ProgramError::Attribute { node: 0 };
	let shape = ProgramError::OperandShape { node: 0 };
	for (scaling, refusal) in [
		(scaling(0, 1, 0, 0), attribute),
		(scaling(2049, 1, 0, 0), attribute),
		(scaling(1, 0, 0, 0), attribute),
		(scaling(1, 16, 0, 0), attribute),
		(scaling(1, 1, 3, 0), shape),
		(scaling(2048, 1, 0, i16::MAX), shape),
	] {
		assert_eq!(refused(resize(scaling), from_ref(&image)), refusal, "{scaling:?}");
	}
	let long = TensorType::new(DType::I8, [1, 1, 1 << 14, 1]);
	assert_eq!(refused(resize(scaling(1, 1, 0, -9)), from_ref(&long)), shape);
	let wide = TensorType::new(DType::I32, [1, 1, 3, 1]);
	let op = Op::Resize { scaling: scaling(1, 1, 0, 0), interpolation: Interpolation::Bilinear };
	assert_eq!(refused(op, from_ref(&wide)), ProgramError::OperandType { node: 0 });
}

#[test]
fn scattered_rows_replace_and_the_last_one_stays() {
	let values = i8s(&[1, 4, 2], &[1, 2, 3, 4, 5, 6, 7, 8]);
	let input = i8s(&[1, 5, 2], &[10, 11, 20, 21, 30, 31, 40, 41, 50, 51]);
	// Beyond either end the first and the last row are meant.
	let indices = i32s(&[1, 5], &[2, i32::MIN, 2, 99, -1]);
	let (ty, y) = apply(Op::Scatter, &[values.clone(), indices, input.clone()]);
	assert_eq!(ty, values.0);
	assert_eq!(y, [50, 51, 3, 4, 30, 31, 40, 41]);
	let short = TensorType::new(DType::I32, [1, 4]);
	assert_eq!(
		refused(Op::Scatter, &[values.0, short, input.0]),
		ProgramError::OperandShape { node: 0 }
	);
}

#[test]
fn the_identity_changes_nothing() {
	let a = i32s(&[2, 2], &[1, -2, i32::MAX, i32::MIN]);
	assert_eq!(apply(Op::Identity, from_ref(&a)), a);
}

#[test]
fn misfitting_filters_are_refused() {
	let ty = |dtype, shape: &[u32]| TensorType::new(dtype, shape);
	let (input_zero_point, weight_zero_point) = (0, 0);
	let depthwise = Op::DepthwiseConv2d { window: PLAIN, input_zero_point, weight_zero_point };
	let volume = Op::Conv3d { window: PLAIN3, input_zero_point, weight_zero_point };
	let transposed = |out_pad| Op::TransposeConv2d {
		out_pad,
		stride: [1, 1],
		input_zero_point,
		weight_zero_point,
	};
	let image = ty(DType::I8, &[1, 4, 4, 3]);
	let bias = ty(DType::I32, &[6]);
	let shape = ProgramError::OperandShape { node: 0 };
	let kind = ProgramError::OperandType { node: 0 };
	let filters = ty(DType::I8, &[2, 2, 3, 2]);
	let three = |weight: &TensorType| [image.clone(), weight.clone(), bias.clone()];
	assert_eq!(refused(depthwise.clone(), &three(&ty(DType::I16, &[2, 2, 3, 2]))), kind);
	assert_eq!(refused(depthwise.clone(), &three(&ty(DType::I8, &[2, 2, 2, 3]))), shape);
	assert_eq!(refused(depthwise.clone(), &three(&ty(DType::I8, &[2, 2, 3, 3]))), shape);
	assert_eq!(refused(depthwise, &three(&ty(DType::I8, &[5, 2, 3, 2]))), shape);
	assert_eq!(refused(volume, &three(&filters)), shape);
	assert_eq!(refused(transposed([0; 4]), &three(&filters)), shape);
	let fitting = three(&ty(DType::I8, &[6, 2, 2, 3]));
	// Nothing is left of a result of 5 rows.
	assert_eq!(refused(transposed([-3, -2, 0, 0]), &fitting), shape);
	let still = Op::TransposeConv2d {
		out_pad: [0; 4],
		stride: [0, 1],
		input_zero_point,
		weight_zero_point,
	};
	assert_eq!(refused(still, &fitting), ProgramError::Attribute { node: 0 });
}

#[test]
fn every_product_counts_as_one_multiply_accumulate() {
	let count = |op: Op, operands: &[(DType, &[u32])]| {
		let mut builder = ProgramBuilder::new();
		let values: Vec<ValueId> = operands
			.iter()
			.map(|(dtype, shape)| TensorType::new(*dtype, *shape))
			.map(|ty| builder.input(ty, Layout::row_major(), false).unwrap())
			.collect();
		let result = builder.op(op, &values).unwrap();
		builder.output(result, Layout::row_major());
		builder.finish().unwrap().macs()
	};
	let (input_zero_point, weight_zero_point) = (0, 0);
	let image = (DType::I8, &[2u32, 5, 6, 3][..]);
	let volume = (DType::I8, &[2u32, 4, 5, 6, 3][..]);
	let bias = (DType::I32, &[1u32][..]);
	let op = Op::DepthwiseConv2d { window: PLAIN, input_zero_point, weight_zero_point };
	assert_eq!(count(op, &[image, (DType::I8, &[2, 3, 3, 4]), bias]), (2 * 4 * 4 * 12) * (2 * 3));
	let op = Op::Conv3d { window: PLAIN3, input_zero_point, weight_zero_point };
	let weight = (DType::I8, &[7u32, 2, 3, 1, 3][..]);
	assert_eq!(count(op, &[volume, weight, bias]), (2 * 3 * 3 * 6 * 7) * (2 * 3 * 3));
	// Kernel 4 × 3 with steps of 2 and 4: at most two rows and one column of taps reach an element.
	let (out_pad, stride) = ([0; 4], [2, 4]);
	let op = Op::TransposeConv2d { out_pad, stride, input_zero_point, weight_zero_point };
	let weight = (DType::I8, &[7u32, 4, 3, 3][..]);
	assert_eq!(count(op, &[image, weight, bias]), (2 * 12 * 23 * 7) * (2 * 3));
	let (kernel, output_zero_point) = ([2, 3], 0);
	let op = Op::AvgPool2d { kernel, window: PLAIN, input_zero_point, output_zero_point };
	assert_eq!(count(op, &[image]), (2 * 4 * 4 * 3) * (2 * 3));
	let resize = |interpolation| Op::Resize { scaling: scaling(1, 1, 0, 0), interpolation };
	assert_eq!(count(resize(Interpolation::Nearest), &[image]), 2 * 5 * 6 * 3);
	assert_eq!(count(resize(Interpolation::Bilinear), &[image]), 4 * 2 * 5 * 6 * 3);
	let rows = [(DType::I8, &[2u32, 9, 5][..]), (DType::I32, &[2, 8]), (DType::I8, &[2, 8, 5])];
	assert_eq!(count(Op::Scatter, &rows), (2 * 9 * 5) * 8);
}
