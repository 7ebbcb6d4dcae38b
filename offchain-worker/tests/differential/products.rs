// SPDX-License-Identifier: Apache-2.0

//! Products of bytes: every kernel of the family, every way of packing, what is fused with them, and what
//! is found out about them.

use super::{
	common::{compare, Case, Rng},
	device, ty, unpacked, NO_ADAPTER,
};
use std::{fs, path::Path, sync::Arc, time::Duration};
use tensornet_tensor::{
	Binary, CheckedProgram, DType, Layout, Op, ProgramBuilder, TensorType, Window,
};
use tensornet_worker::gpu::{GpuDevice, GpuError, GpuExecutor};

/// A matrix product as a case with random data.
fn product(
	[batches, rows, depth, columns]: [u32; 4],
	[left, right]: [DType; 2],
	[a_zero_point, b_zero_point]: [i16; 2],
	rng: &mut Rng,
) -> Case {
	let op = Op::MatMul { a_zero_point, b_zero_point };
	let operands = [ty(left, &[batches, rows, depth]), ty(right, &[batches, depth, columns])];
	Case::of(op, &operands, rng)
}

#[test]
fn every_product_kernel_gives_the_same_bits_at_odd_sizes() {
	let rng = &mut Rng::new(30);
	for kernel in GpuDevice::product_kernels() {
		let device = GpuDevice::open(true).expect(NO_ADAPTER);
		let device = Arc::new(device.with_product_kernel(&kernel).expect("there is one"));
		for (size, left, zero_points) in [
			([1, 1, 16, 1], DType::I8, [0, 0]),
			([1, 1, 1031, 70], DType::I8, [-128, 127]),
			([2, 37, 53, 41], DType::I8, [3, 0]),
			([1, 130, 131, 67], DType::I16, [-700, 0]),
			([3, 5, 33, 129], DType::I16, [0, -128]),
			([1, 65, 17, 257], DType::I8, [0, 0]),
		] {
			product(size, [left, DType::I8], zero_points, rng).check(&device);
		}
	}
	let device = GpuDevice::open(true).expect(NO_ADAPTER);
	assert!(device.with_product_kernel("none").is_none());
}

/// The longest exact sum of products of bytes, and the longest that an arbiter takes.
#[test]
fn sums_of_131_071_products_of_extremes_are_exact() {
	let depth = 131_071u32;
	let rng = &mut Rng::new(31);
	let slow = Arc::new(GpuDevice::open(true).expect(NO_ADAPTER));
	slow.set_rate(1);
	for rows in [1u32, 9] {
		let operands = [ty(DType::I8, &[1, rows, depth]), ty(DType::I8, &[1, depth, 2])];
		let ends = |even: u8, odd: u8, count: u32| -> Vec<u8> {
			(0..count).map(|at| if at % 2 == 0 { even } else { odd }).collect()
		};
		for data in [
			// The largest sum, 131,071 * 2^14, and columns of the largest and the smallest.
			vec![ends(0x80, 0x80, rows * depth), ends(0x80, 0x80, depth * 2)],
			vec![ends(0x80, 0x80, rows * depth), ends(0x7f, 0x80, depth * 2)],
		] {
			let op = Op::MatMul { a_zero_point: 0, b_zero_point: 0 };
			let case = Case::with_data(op, &operands, data, rng);
			case.check(device());
			// In parts along the summed axis.
			case.check(&slow);
		}
	}
}

#[test]
fn zero_points_of_any_size_agree_for_both_operands() {
	let rng = &mut Rng::new(32);
	for left in [DType::I8, DType::I16] {
		for a_zero_point in [0, 1, -128, 127, i16::MIN, i16::MAX] {
			for b_zero_point in [0, -1, 127, i16::MIN, i16::MAX] {
				let size = [2, rng.range(1, 20), rng.range(16, 80), rng.range(1, 20)];
				let zero_points = [a_zero_point, b_zero_point];
				product(size, [left, DType::I8], zero_points, rng).check(device());
			}
		}
	}
}

/// Windows are unfolded with padding that reads as the zero point, in two dimensions and in three.
#[test]
fn packed_convolutions_agree_with_any_window_and_zero_point() {
	let rng = &mut Rng::new(33);
	for left in [DType::I8, DType::I16] {
		for input_zero_point in [0, -128, 127, 128, i16::MIN] {
			for _ in 0..2 {
				let (n, c, o) = (rng.range(1, 2), rng.range(3, 20), rng.range(1, 40));
				let (kh, kw) = (rng.range(2, 3), rng.range(3, 4));
				let op = Op::Conv2d {
					window: super::random_window(rng, true),
					input_zero_point,
					weight_zero_point: [0, -5][rng.range(0, 1) as usize],
				};
				let operands = [
					ty(left, &[n, rng.range(6, 11), rng.range(7, 11), c]),
					ty(DType::I8, &[o, kh, kw, c]),
					ty(DType::I32, &[if rng.range(0, 1) == 0 { 1 } else { o }]),
				];
				Case::of(op, &operands, rng).check(device());
			}
			// One place, which needs no unfolding.
			let window = Window { pad: [0; 4], stride: [1; 2], dilation: [2; 2] };
			let op = Op::Conv2d { window, input_zero_point, weight_zero_point: 3 };
			let operands =
				[ty(left, &[2, 5, 7, 33]), ty(DType::I8, &[19, 1, 1, 33]), ty(DType::I32, &[19])];
			Case::of(op, &operands, rng).check(device());
		}
	}
}

/// More than 64 MiB of windows are unfolded in parts.
#[test]
fn a_convolution_with_more_windows_than_fit_at_once_agrees() {
	let rng = &mut Rng::new(34);
	let operands =
		[ty(DType::I16, &[1, 150, 150, 32]), ty(DType::I8, &[2, 7, 7, 32]), ty(DType::I32, &[2])];
	let window = Window { pad: [3; 4], stride: [1; 2], dilation: [1; 2] };
	let op = Op::Conv2d { window, input_zero_point: -9, weight_zero_point: 0 };
	Case::of(op, &operands, rng).check(device());
}

/// A program that multiplies, adds a bias, rescales and clamps, or some of it, and its input.
fn layer(rng: &mut Rng) -> (CheckedProgram, Vec<u8>) {
	let mut program = ProgramBuilder::new();
	let values = |program: &mut ProgramBuilder, ty: TensorType, rng: &mut Rng| {
		let values: Vec<i32> = (0..ty.elements()).map(|_| rng.value(ty.dtype)).collect();
		program.constant_values(ty, &values).expect("a valid constant")
	};
	let (rows, depth) = (rng.range(1, 40), rng.range(16, 60));
	let columns = rng.range(1, 40);
	let left = [DType::I8, DType::I16][rng.range(0, 1) as usize];
	let input = ty(left, &[1, rows, depth]);
	let bytes = rng.bytes(&input);
	let x = program.input(input, Layout::row_major(), false).expect("a valid input");
	let weight = values(&mut program, ty(DType::I8, &[1, depth, columns]), rng);
	let mut committed = Vec::new();
	let mut last = {
		let a_zero_point = rng.value(left) as i16;
		let op = Op::MatMul { a_zero_point, b_zero_point: 0 };
		program.op(op, &[x, weight]).expect("a product")
	};
	let mut commit = |value, rng: &mut Rng| {
		if rng.range(0, 5) == 0 {
			committed.push(value);
		}
	};
	commit(last, rng);
	if rng.range(0, 2) > 0 {
		// Mostly the last axis stays the columns.
		let shape = if rng.range(0, 3) > 0 { [rows, 1, columns] } else { [columns, rows, 1] };
		last = program.op(Op::Reshape { shape: shape.to_vec() }, &[last]).expect("as many");
		commit(last, rng);
	}
	let shape = program.type_of(last).expect("it is there").shape.clone();
	let channels = shape[2];
	if rng.range(0, 3) > 0 {
		let shape = match rng.range(0, 3) {
			0 => vec![1, 1, 1],
			1 => shape.clone(),
			_ => vec![1, 1, channels],
		};
		let bias = values(&mut program, ty(DType::I32, &shape), rng);
		let operands = if rng.range(0, 1) == 0 { [last, bias] } else { [bias, last] };
		last = program.op(Op::Binary(Binary::Add), &operands).expect("a sum");
		commit(last, rng);
	}
	let output = [DType::I8, DType::I16, DType::I32][rng.range(0, 2) as usize];
	for _ in 0..rng.range(0, 2) {
		let per_channel = rng.range(0, 1) == 1;
		let scales = if per_channel { channels } else { 1 };
		let multiplier = values(&mut program, ty(DType::I32, &[scales]), rng);
		let shift = values(&mut program, ty(DType::I8, &[scales]), rng);
		let from = program.type_of(last).expect("it is there").dtype;
		let op = Op::Rescale {
			output,
			input_zero_point: rng.value(from),
			output_zero_point: rng.value(output),
			per_channel,
		};
		last = program.op(op, &[last, multiplier, shift]).expect("a rescale");
		commit(last, rng);
	}
	for _ in 0..rng.range(0, 2) {
		let dtype = program.type_of(last).expect("it is there").dtype;
		let (min, max) = (rng.value(dtype), rng.value(dtype));
		last = program.op(Op::Clamp { min, max }, &[last]).expect("a clamp");
		commit(last, rng);
	}
	for value in committed {
		program.checkpoint(value, Layout::row_major());
	}
	program.output(last, Layout::row_major());
	(program.finish().expect("a valid program"), bytes)
}

#[test]
fn fused_layers_give_the_bits_of_their_operators() {
	let rng = &mut Rng::new(35);
	let unpacked = unpacked();
	for number in 0..150 {
		let (program, input) = layer(rng);
		let program = Arc::new(program);
		let constants: Vec<Arc<[u8]>> =
			program.program().constants.iter().map(|_| [].into()).collect();
		compare(device(), &program, &constants, &[&input], &[]);
		if number % 10 == 0 {
			compare(&unpacked, &program, &constants, &[&input], &[]);
		}
	}
}

/// A device that measures products and keeps what it finds in `folder`.
fn tuned(folder: &Path) -> Arc<GpuDevice> {
	Arc::new(GpuDevice::open(true).expect(NO_ADAPTER).with_tuning(folder))
}

#[test]
fn products_are_measured_once_and_what_was_found_survives_all_but_damage() {
	let folder = tempfile::tempdir().expect("a folder");
	let file = folder.path().join("gpu-products.json");
	let rng = &mut Rng::new(36);
	let one_row = product([1, 1, 50, 60], [DType::I8; 2], [3, 0], rng);

	one_row.check(&tuned(folder.path()));
	let found = fs::read_to_string(&file).expect("it was kept");
	assert!(found.contains("\"1x1x64x64\""), "{found}");

	// A later worker uses it: rates would not be the same if it measured again.
	one_row.check(&tuned(folder.path()));
	assert_eq!(fs::read_to_string(&file).expect("it stays"), found);
	// Another size of the same class as well; one of another class is added.
	product([1, 1, 64, 33], [DType::I8; 2], [0, 0], rng).check(&tuned(folder.path()));
	assert_eq!(fs::read_to_string(&file).expect("it stays"), found);
	product([1, 1, 65, 33], [DType::I8; 2], [0, 0], rng).check(&tuned(folder.path()));
	let more = fs::read_to_string(&file).expect("it stays");
	assert!(more.contains("\"1x1x64x64\"") && more.contains("\"1x1x128x64\""), "{more}");

	// What is damaged is measured again.
	fs::write(&file, &found.as_bytes()[..found.len() / 2]).expect("written");
	one_row.check(&tuned(folder.path()));
	let again = fs::read_to_string(&file).expect("it was kept");
	assert!(again.contains("\"1x1x64x64\""), "{again}");

	// Where nothing can be kept, products are still made.
	one_row.check(&tuned(&file));
}

/// A program that keeps a device busy for long enough to be missed: three large products.
fn long_work() -> (Arc<CheckedProgram>, Vec<u8>) {
	let mut program = ProgramBuilder::new();
	let square = ty(DType::I8, &[1, 1024, 1024]);
	let bytes = Rng::new(37).bytes(&square);
	let a = program.input(square, Layout::row_major(), false).expect("a valid input");
	let mut last = a;
	for _ in 0..3 {
		let op = Op::MatMul { a_zero_point: 0, b_zero_point: 0 };
		let sums = program.op(op, &[last, a]).expect("a product");
		last = program.op(Op::Cast { to: DType::I8 }, &[sums]).expect("a cast");
	}
	program.output(last, Layout::row_major());
	(Arc::new(program.finish().expect("a valid program")), bytes)
}

#[test]
fn a_device_that_does_not_finish_in_time_is_given_up_and_opened_again() {
	let impatient = GpuDevice::open(true).expect(NO_ADAPTER).with_patience(Duration::ZERO);
	// Believed to be so fast that the estimate is nothing.
	impatient.set_rate(u64::MAX);
	let impatient = Arc::new(impatient);
	let (program, input) = long_work();
	let mut executor =
		GpuExecutor::new(impatient.clone(), program.clone(), vec![]).expect("it fits");
	let hung = executor.run(&[&input], &[]);
	assert!(matches!(hung, Err(GpuError::Hung(_))), "{:?}", hung.map(|_| "it finished"));
	// The executor stays failed, and says why without asking the device.
	assert_eq!(executor.run(&[&input], &[]), hung);
	// The device is opened again for the next one.
	assert!(GpuExecutor::new(impatient, program.clone(), vec![]).is_ok());
	compare(device(), &program, &[], &[&input], &[]);
}
