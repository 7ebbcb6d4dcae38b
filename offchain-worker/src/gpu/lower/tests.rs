// SPDX-License-Identifier: Apache-2.0

use super::{twins::Twin, *};
use crate::{devices::DeviceKind, gpu::product::Variant};
use std::sync::Arc;
use tensornet_tensor::{Binary, ConstantData, CpuExecutor, Executor, Op, ProgramBuilder, Window};

const RATE: u64 = 1_000_000_000;

fn bounds() -> Bounds {
	Bounds { work: RATE / 20, rate: RATE, groups: 1 << 32, bytes: 1 << 30, packed: true }
}

fn usual(size: Size) -> Result<Choice, GpuError> {
	Ok(Choice { variant: Variant::usual(size, DeviceKind::Discrete), rate: None })
}

/// What becomes of `program`.
fn lowered(program: ProgramBuilder) -> Lowered {
	lower(&program.finish().expect("a valid program"), bounds(), &usual).expect("fits")
}

/// Names of the kernels of an iteration.
fn kernels(lowered: &Lowered) -> Vec<String> {
	let dispatches = lowered.actions.iter().filter_map(|action| match action {
		Action::Dispatch(dispatch) => Some(dispatch.kernel.name().into_owned()),
		Action::Download { .. } => None,
	});
	dispatches.collect()
}

/// A dense layer of 64 rows, 96 inputs and 32 outputs: product, reshape, bias, rescale and clamp.
fn layer(commit_sums: bool) -> ProgramBuilder {
	let mut program = ProgramBuilder::new();
	let i8s = |shape: &[u32]| TensorType::new(DType::I8, shape);
	let i32s = |shape: &[u32]| TensorType::new(DType::I32, shape);
	let x = program.input(i8s(&[1, 64, 96]), Layout::row_major(), false).unwrap();
	let weight = program.constant_values(i8s(&[1, 96, 32]), &[3; 96 * 32]).unwrap();
	let product = Op::MatMul { a_zero_point: 5, b_zero_point: 0 };
	let sums = program.op(product, &[x, weight]).unwrap();
	let sums = program.op(Op::Reshape { shape: vec![8, 8, 32] }, &[sums]).unwrap();
	let bias = program.constant_values(i32s(&[1, 1, 32]), &[7; 32]).unwrap();
	let sums = program.op(Op::Binary(Binary::Add), &[bias, sums]).unwrap();
	if commit_sums {
		program.checkpoint(sums, Layout::row_major());
	}
	let multiplier = program.constant_values(i32s(&[32]), &[1 << 30; 32]).unwrap();
	let shift = program.constant_values(i8s(&[32]), &[40; 32]).unwrap();
	let rescale = Op::Rescale {
		output: DType::I8,
		input_zero_point: 0,
		output_zero_point: -3,
		per_channel: true,
	};
	let scaled = program.op(rescale, &[sums, multiplier, shift]).unwrap();
	let limited = program.op(Op::Clamp { min: -3, max: 100 }, &[scaled]).unwrap();
	program.output(limited, Layout::row_major());
	program
}

#[test]
fn a_layer_is_one_product_with_its_bias_rescale_and_activation() {
	let lowered = lowered(layer(false));
	let expected = ["load", "pack", "product_tile_8x8_4x4_2", "store"];
	let kernels = kernels(&lowered);
	assert_eq!(kernels, expected[1..], "{kernels:?}");
	// What is constant is prepared once: the weights are packed, and what the columns add is summed up.
	let prepared: Vec<String> = lowered
		.constants
		.iter()
		.flatten()
		.flat_map(|constant| &constant.prepare)
		.map(|dispatch| dispatch.kernel.name().into_owned())
		.collect();
	assert_eq!(prepared.iter().filter(|name| *name == "pack").count(), 1, "{prepared:?}");
	assert_eq!(prepared.last().map(String::as_str), Some("column_terms"), "{prepared:?}");
	assert_eq!(lowered.inputs[0].prepare[0].kernel.name(), expected[0]);
}

#[test]
fn sums_that_are_committed_are_stored_before_they_are_rescaled() {
	let kernels = kernels(&lowered(layer(true)));
	let expected = ["pack", "product_tile_8x8_4x4_2", "rescale", "elementwise", "store"];
	assert_eq!(kernels, expected);
}

#[test]
fn an_operand_of_several_products_is_packed_once() {
	let mut program = ProgramBuilder::new();
	let ty = |shape: &[u32]| TensorType::new(DType::I8, shape);
	let x = program.input(ty(&[1, 20, 32]), Layout::row_major(), false).unwrap();
	for value in 1..4 {
		let weight = program.constant_values(ty(&[1, 32, 24]), &[value; 32 * 24]).unwrap();
		let product = Op::MatMul { a_zero_point: 0, b_zero_point: 0 };
		let sums = program.op(product, &[x, weight]).unwrap();
		program.output(sums, Layout::row_major());
	}
	let kernels = kernels(&lowered(program));
	assert_eq!(kernels.iter().filter(|name| *name == "pack").count(), 1, "{kernels:?}");
}

/// All dispatches of an iteration.
fn dispatches(lowered: Lowered) -> Vec<Dispatch> {
	let dispatch = |action| match action {
		Action::Dispatch(dispatch) => Some(dispatch),
		Action::Download { .. } => None,
	};
	lowered.actions.into_iter().filter_map(dispatch).collect()
}

#[test]
fn no_dispatch_is_estimated_above_a_tenth_of_a_second() {
	let mut program = ProgramBuilder::new();
	let ty = |shape: &[u32]| TensorType::new(DType::I8, shape);
	let product = Op::MatMul { a_zero_point: 1, b_zero_point: 2 };
	for [rows, depth, columns] in [[4096, 4096, 4096], [1, 131_071, 512], [2, 16_384, 16_384]] {
		let a = program.input(ty(&[1, rows, depth]), Layout::row_major(), false).unwrap();
		let b = program.input(ty(&[1, depth, columns]), Layout::row_major(), false).unwrap();
		let sums = program.op(product.clone(), &[a, b]).unwrap();
		program.output(sums, Layout::row_major());
	}
	let program = program.finish().expect("a valid program");
	// Measured rates stretch the work of what is slower than the device is taken for.
	for rate in [None, Some(RATE / 3), Some(RATE * 7)] {
		let choose =
			|size: Size| -> Result<Choice, GpuError> { Ok(Choice { rate, ..usual(size)? }) };
		let dispatches = dispatches(lower(&program, bounds(), &choose).expect("fits"));
		let longest = dispatches.iter().map(|dispatch| dispatch.work).max();
		assert!(longest.is_some_and(|work| work <= RATE / 10), "{longest:?} at {rate:?}");
		let work: u64 = dispatches.iter().map(|dispatch| dispatch.work).sum();
		let macs = program.macs() as f64 * RATE as f64 / rate.unwrap_or(RATE) as f64;
		assert!(work as f64 >= macs, "{work} of {macs}");
	}
}

#[test]
fn windows_that_do_not_fit_one_buffer_are_unfolded_in_parts() {
	let mut program = ProgramBuilder::new();
	let x = TensorType::new(DType::I8, [1, 40, 40, 16]);
	let x = program.input(x, Layout::row_major(), false).unwrap();
	let weight = TensorType::new(DType::I8, [8, 5, 5, 16]);
	let weight = program.input(weight, Layout::row_major(), false).unwrap();
	let bias = program.constant_values(TensorType::new(DType::I32, [1]), &[0]).unwrap();
	let window = Window { pad: [2; 4], stride: [1; 2], dilation: [1; 2] };
	let op = Op::Conv2d { window, input_zero_point: 0, weight_zero_point: 0 };
	let sums = program.op(op, &[x, weight, bias]).unwrap();
	program.output(sums, Layout::row_major());
	let program = program.finish().expect("a valid program");
	// The input takes 102,400 bytes on the device, all windows would take 640,000.
	let bounds = Bounds { bytes: 110_000, ..bounds() };
	let lowered = lower(&program, bounds, &usual).expect("fits");
	assert!(lowered.buffers.iter().all(|buffer| buffer.bytes <= bounds.bytes));
	let kernels = kernels(&lowered);
	assert_eq!(kernels.iter().filter(|name| *name == "unfold").count(), 7, "{kernels:?}");
}

/// Bytes of a linear congruential generator.
fn noise(count: u64, mut state: u32) -> Vec<u8> {
	let next = || {
		state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
		(state >> 24) as u8
	};
	std::iter::repeat_with(next).take(count as usize).collect()
}

/// Demands that the twins of the kernels compute what the program says, with every kernel and however
/// tight the bounds are.
fn check(program: ProgramBuilder) {
	let program = Arc::new(program.finish().expect("a valid program"));
	let parts = program.program();
	let constants: Vec<Vec<u8>> = (0u32..)
		.zip(&parts.constants)
		.map(|(number, constant)| match &constant.data {
			ConstantData::Inline(bytes) => bytes.clone(),
			ConstantData::Blob(_) => noise(constant.ty.bytes(), number),
		})
		.collect();
	let inputs: Vec<Vec<u8>> =
		(77u32..).zip(&parts.inputs).map(|(seed, input)| noise(input.ty.bytes(), seed)).collect();
	let inputs: Vec<&[u8]> = inputs.iter().map(Vec::as_slice).collect();
	let blobs = constants.iter().map(|bytes| bytes[..].into()).collect();
	let mut cpu = CpuExecutor::new(program.clone(), blobs).expect("fits");
	let expected = cpu.run_iteration(&inputs, &[]).expect("runs");

	let constants: Vec<&[u8]> = constants.iter().map(Vec::as_slice).collect();
	let leaf = parts.constants.iter().map(|constant| constant.ty.elements());
	let least = leaf.chain(parts.inputs.iter().map(|input| input.ty.elements())).max();
	for variant in Variant::ALL {
		for (work, bytes) in [(1 << 30, 1 << 30), (1, 1 << 30), (1 << 22, least.unwrap_or(1) * 4)] {
			let bounds = Bounds { work, bytes, ..bounds() };
			let choose = |_: Size| Ok(Choice { variant, rate: None });
			let lowered = lower(&program, bounds, &choose).expect("fits");
			let got = Twin::run(&lowered, &constants, &inputs);
			assert!(got == expected, "{variant}, {work} and {bytes}");
		}
	}
}

#[test]
fn the_twins_of_the_kernels_compute_layers_however_they_are_cut() {
	let rescale = Op::Rescale {
		output: DType::I32,
		input_zero_point: -9,
		output_zero_point: 1000,
		per_channel: true,
	};
	for (left, zero_points) in [
		(DType::I8, [0, 0]),
		(DType::I8, [-128, 3]),
		(DType::I8, [i16::MIN, i16::MAX]),
		(DType::I16, [0, 0]),
		(DType::I16, [300, -128]),
	] {
		let mut program = ProgramBuilder::new();
		let row_major = Layout::row_major;
		let a = TensorType::new(left, [2, 70, 2100]);
		let b = TensorType::new(DType::I8, [2, 2100, 5]);
		let a = program.input(a, row_major(), false).unwrap();
		let b = program.constant_blob(b, row_major(), [0; 32]).unwrap();
		let bias = TensorType::new(DType::I32, [1, 1, 5]);
		let bias = program.constant_blob(bias, row_major(), [1; 32]).unwrap();
		let multipliers = TensorType::new(DType::I32, [5]);
		let multipliers = program.constant_blob(multipliers, row_major(), [2; 32]).unwrap();
		let shifts = TensorType::new(DType::I8, [5]);
		let shifts = program.constant_values(shifts, &[0, 1, 31, 40, 63]).unwrap();
		let [a_zero_point, b_zero_point] = zero_points;
		let product = Op::MatMul { a_zero_point, b_zero_point };
		let sums = program.op(product, &[a, b]).unwrap();
		let sums = program.op(Op::Binary(Binary::Add), &[sums, bias]).unwrap();
		let scaled = program.op(rescale.clone(), &[sums, multipliers, shifts]).unwrap();
		program.output(scaled, row_major());
		check(program);
	}
}

#[test]
fn the_twins_of_the_kernels_compute_convolutions_however_they_are_cut() {
	for (left, input_zero_point, weight_zero_point) in
		[(DType::I8, 0, 0), (DType::I8, 7, -3), (DType::I8, 500, 0), (DType::I16, -700, 5)]
	{
		for (pad, stride) in [([2, 1, 0, 3], [1, 2]), ([0; 4], [1, 1])] {
			let mut program = ProgramBuilder::new();
			let x = TensorType::new(left, [2, 11, 9, 20]);
			let x = program.input(x, Layout::row_major(), false).unwrap();
			// One place without padding needs no unfolding.
			let kernel = if pad == [0; 4] { [6, 1, 1, 20] } else { [6, 3, 2, 20] };
			let weight = TensorType::new(DType::I8, kernel);
			let weight = program.constant_blob(weight, Layout::row_major(), [0; 32]).unwrap();
			let bias = TensorType::new(DType::I32, [6]);
			let bias = program.constant_blob(bias, Layout::row_major(), [1; 32]).unwrap();
			let window = Window { pad, stride, dilation: [1, 2] };
			let op = Op::Conv2d { window, input_zero_point, weight_zero_point };
			let sums = program.op(op, &[x, weight, bias]).unwrap();
			program.output(sums, Layout::row_major());
			check(program);
		}
	}
}
