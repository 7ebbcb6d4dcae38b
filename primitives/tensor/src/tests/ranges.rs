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
