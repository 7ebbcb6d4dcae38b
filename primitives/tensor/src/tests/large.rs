// SPDX-License-Identifier: Apache-2.0

//! Tensors large enough to be split among tasks: drawn elements must agree with the lazy evaluator.

use super::Trace;
use crate::{arbitrary::Random, *};
use std::sync::Arc;

/// Applies `op` to random tensors and compares drawn elements of the result, stored in `layout`.
fn compare(op: Op, operands: &[(DType, &[u32])], layout: &[u8]) {
	let mut random = Random::new(operands.len() as u64);
	let mut builder = ProgramBuilder::new();
	let (mut values, mut blobs) = (Vec::new(), Vec::new());
	for (dtype, shape) in operands {
		let ty = TensorType::new(*dtype, *shape);
		blobs.push(random.bytes(&ty));
		values.push(builder.input(ty, Layout::row_major(), false).unwrap());
	}
	let result = builder.op(op.clone(), &values).unwrap();
	builder.output(result, Layout::new(layout));
	let program = Arc::new(builder.finish().unwrap());
	let inputs: Vec<&[u8]> = blobs.iter().map(Vec::as_slice).collect();
	let mut executor = CpuExecutor::new(program.clone(), Vec::new()).unwrap();
	let checkpoints = executor.run_iteration(&inputs, &[]).unwrap();
	let (ty, _) = program.leaf_type(Leaf::Checkpoint(0)).unwrap();
	let trace = Trace {
		program: &program,
		inputs,
		constants: &[],
		state: Vec::new(),
		checkpoints: &checkpoints,
	};
	const DRAWS: u64 = 2000;
	let all = ty.elements();
	for draw in 0..all.min(DRAWS) {
		// All of them, or the first, the last and drawn ones.
		let index = match draw {
			_ if all <= DRAWS => draw,
			0 => 0,
			1 => all - 1,
			_ => random.below(all),
		};
		let element = eval_element(&program, &trace, 0, index, &mut u64::MAX.clone()).unwrap();
		let stored = read_element(ty.dtype, &checkpoints[0], index);
		assert_eq!(stored, Some(element), "{op:?} at {index}");
	}
}

#[test]
fn elementwise_rows_longer_than_a_task() {
	let add = Op::Binary(Binary::Add);
	let long: &[u32] = &[3, 40_000];
	compare(add.clone(), &[(DType::I32, long), (DType::I32, long)], &[]);
	compare(add.clone(), &[(DType::I32, &[1, 40_000]), (DType::I32, &[3, 1])], &[1, 0]);
	compare(add, &[(DType::I32, &[1, 1]), (DType::I32, long)], &[]);
	let select = [(DType::Bool, &[1u32, 40_000][..]), (DType::I8, long), (DType::I8, &[3, 1])];
	compare(Op::Select, &select, &[]);
}

#[test]
fn elementwise_rows_shorter_than_a_task() {
	let sub = Op::Binary(Binary::Sub);
	compare(sub.clone(), &[(DType::I32, &[500, 3, 70]), (DType::I32, &[500, 1, 70])], &[]);
	compare(sub.clone(), &[(DType::I32, &[500, 3, 70]), (DType::I32, &[1, 3, 1])], &[2, 0, 1]);
	compare(sub, &[(DType::I32, &[50_000, 2]), (DType::I32, &[50_000, 1])], &[]);
	let op = Op::Rescale {
		output: DType::I16,
		input_zero_point: 3,
		output_zero_point: -3,
		per_channel: true,
	};
	compare(op, &[(DType::I32, &[900, 64]), (DType::I32, &[64]), (DType::I8, &[64])], &[]);
	compare(Op::Table, &[(DType::I16, &[50_000]), (DType::I16, &[513])], &[]);
}

#[test]
fn movements_over_many_tasks() {
	let big = (DType::I16, &[40u32, 50, 60][..]);
	compare(Op::Transpose { permutation: vec![2, 0, 1] }, &[big], &[1, 0, 2]);
	compare(Op::Slice { start: vec![1, 2, 3], size: vec![39, 40, 50] }, &[big], &[]);
	compare(Op::Reverse { axis: 1 }, &[big], &[]);
	compare(Op::Tile { multiples: vec![2, 1, 2] }, &[big], &[]);
	compare(Op::Concat { axis: 1 }, &[big, (DType::I16, &[40, 3, 60]), big], &[]);
	let pad = Op::Pad { before: vec![1, 0, 2], after: vec![0, 3, 0], value: -7 };
	compare(pad, &[big], &[]);
	compare(Op::Gather, &[(DType::I8, &[3, 40, 90]), (DType::I32, &[3, 500])], &[]);
}

#[test]
fn reductions_over_many_tasks() {
	let sum = |axis| Op::Reduce { reduction: Reduction::Sum, axis };
	let big = (DType::I32, &[30u32, 50, 60][..]);
	for axis in 0..3 {
		compare(sum(axis), &[big], &[]);
		compare(Op::ArgMax { axis }, &[big], &[]);
	}
	compare(sum(1), &[(DType::I32, &[9000, 3])], &[]);
	let window = Window { pad: [1, 1, 0, 2], stride: [2, 1], dilation: [1, 1] };
	compare(Op::MaxPool2d { kernel: [3, 2], window }, &[(DType::I8, &[2, 40, 30, 20])], &[]);
}

#[test]
fn products_over_many_tiles() {
	let product = |a, b| Op::MatMul { a_zero_point: a, b_zero_point: b };
	let (a, b) = ((DType::I8, &[2u32, 70, 45][..]), (DType::I8, &[2u32, 45, 37][..]));
	compare(product(3, -4), &[a, b], &[0, 2, 1]);
	// With these zero points the numbers leave 16 bits.
	compare(product(32_767, 0), &[(DType::I16, &[2, 70, 45]), b], &[]);
	compare(product(0, 0), &[(DType::I16, &[1, 2, 100]), (DType::I16, &[1, 100, 501])], &[]);
	let window = Window { pad: [1, 2, 0, 1], stride: [1, 2], dilation: [2, 1] };
	let conv = Op::Conv2d { window, input_zero_point: -5, weight_zero_point: 6 };
	let input = (DType::I8, &[2u32, 17, 19, 11][..]);
	compare(conv, &[input, (DType::I8, &[13, 3, 2, 11]), (DType::I32, &[13])], &[3, 0, 1, 2]);
}

#[test]
fn volumes_and_channels_over_many_tasks() {
	let window = Window3 { pad: [1, 0, 2, 1, 0, 1], stride: [1, 2, 1], dilation: [2, 1, 2] };
	let conv = Op::Conv3d { window, input_zero_point: 3, weight_zero_point: -4 };
	let input = (DType::I8, &[2u32, 7, 12, 9, 10][..]);
	let weight = (DType::I8, &[9u32, 3, 2, 3, 10][..]);
	compare(conv, &[input, weight, (DType::I32, &[9])], &[4, 0, 1, 2, 3]);
	let window = Window { pad: [1, 2, 0, 1], stride: [1, 2], dilation: [2, 1] };
	let conv =
		|input_zero_point| Op::DepthwiseConv2d { window, input_zero_point, weight_zero_point: 5 };
	let input = (DType::I16, &[2u32, 30, 19, 40][..]);
	let one = [input, (DType::I8, &[3, 3, 40, 1]), (DType::I32, &[40])];
	compare(conv(0), &one, &[]);
	let three = [input, (DType::I8, &[2, 3, 40, 3]), (DType::I32, &[1])];
	compare(conv(i16::MAX), &three, &[]);
}

#[test]
fn transposed_convolutions_over_many_blocks_of_products() {
	let conv = Op::TransposeConv2d {
		out_pad: [-3, 2, 1, -2],
		stride: [3, 2],
		input_zero_point: -1,
		weight_zero_point: 2,
	};
	// 65 × 64 places with 1,024 products each are more than one block of 2^22.
	let input = (DType::I8, &[2u32, 65, 64, 3][..]);
	compare(conv, &[input, (DType::I8, &[16, 8, 8, 3]), (DType::I32, &[16])], &[0, 3, 1, 2]);
}

#[test]
fn images_and_rows_over_many_tasks() {
	let window = Window { pad: [1, 1, 0, 2], stride: [2, 1], dilation: [1, 1] };
	let average =
		Op::AvgPool2d { kernel: [3, 2], window, input_zero_point: 7, output_zero_point: -9 };
	compare(average, &[(DType::I8, &[2, 40, 30, 20])], &[]);
	let scaling =
		Scaling { numerator: [16, 7], denominator: [5, 9], offset: [-3, 2], border: [11, -4] };
	for interpolation in [Interpolation::Nearest, Interpolation::Bilinear] {
		let resize = Op::Resize { scaling, interpolation };
		compare(resize, &[(DType::I16, &[2, 40, 50, 9])], &[]);
	}
	let rows =
		[(DType::I8, &[3u32, 40, 90][..]), (DType::I32, &[3, 500]), (DType::I8, &[3, 500, 90])];
	compare(Op::Scatter, &rows, &[]);
}

/// The longest row of i8 products that cannot leave 32 bits, at the extremes and at random, and one step
/// longer, which wraps: on the CPU path and in the lazy evaluator.
#[test]
fn the_longest_exact_products() {
	const LONGEST: u32 = 131_071;
	let product = Op::MatMul { a_zero_point: 0, b_zero_point: 0 };
	for (rows, columns) in [(1, 1), (3, 5), (1, 17)] {
		let (a, b) = ([1, rows, LONGEST], [1, LONGEST, columns]);
		compare(product.clone(), &[(DType::I8, &a), (DType::I8, &b)], &[]);
		compare(product.clone(), &[(DType::I16, &a), (DType::I8, &b)], &[]);
	}
	for (length, fits) in [(LONGEST, true), (LONGEST + 1, false)] {
		for (a, b) in [(-128i64, -128i64), (-128, 127), (127, 127)] {
			let mut builder = ProgramBuilder::new();
			let input = |builder: &mut ProgramBuilder, shape: [u32; 3]| {
				let ty = TensorType::new(DType::I8, shape);
				builder.input(ty, Layout::row_major(), false).unwrap()
			};
			let values = [input(&mut builder, [1, 1, length]), input(&mut builder, [1, length, 1])];
			let result = builder.op(product.clone(), &values).unwrap();
			builder.output(result, Layout::row_major());
			let program = Arc::new(builder.finish().unwrap());
			let blobs = [a, b].map(|value| vec![value as i8 as u8; length as usize]);
			let inputs: Vec<&[u8]> = blobs.iter().map(Vec::as_slice).collect();
			let mut executor = CpuExecutor::new(program.clone(), Vec::new()).unwrap();
			let checkpoints = executor.run_iteration(&inputs, &[]).unwrap();
			let exact = a * b * i64::from(length);
			assert_eq!(read_element(DType::I32, &checkpoints[0], 0), Some(exact as i32));
			assert_eq!(i64::from(exact as i32) == exact, fits || a * b < 16_384);
			let wraps = !intervals(&program, &[]).wrapping().is_empty();
			assert_eq!(wraps, !fits, "the analysis knows from which length on a product may wrap");
		}
	}
}
