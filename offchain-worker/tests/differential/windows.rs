// SPDX-License-Identifier: Apache-2.0

//! Operators that read a neighbourhood.

use super::{
	common::{Case, Rng},
	device, ty, unpacked, NO_ADAPTER,
};
use std::sync::Arc;
use tensornet_tensor::{DType, Interpolation, Op, Scaling, Window, Window3};
use tensornet_worker::gpu::GpuDevice;

/// Small windows, with padding beyond the kernel at times.
pub fn random_window(rng: &mut Rng, dilate: bool) -> Window {
	Window {
		pad: [0; 4].map(|_| rng.range(0, 3) as u16),
		stride: [0; 2].map(|_| rng.range(1, 3) as u16),
		dilation: [0; 2].map(|_| if dilate { rng.range(1, 2) as u16 } else { 1 }),
	}
}

#[test]
fn pools_agree_also_where_a_window_is_all_padding() {
	let rng = &mut Rng::new(12);
	for dtype in [DType::I8, DType::I16] {
		for _ in 0..6 {
			let window = random_window(rng, false);
			let kernel = [0; 2].map(|_| rng.range(1, 3) as u16);
			let shape = [rng.range(1, 2), rng.range(3, 8), rng.range(3, 8), rng.range(1, 5)];
			Case::of(Op::MaxPool2d { kernel, window }, &[ty(dtype, &shape)], rng).check(device());
		}
	}
}

#[test]
fn averages_agree_at_every_count_and_at_extremes() {
	let rng = &mut Rng::new(21);
	for dtype in [DType::I8, DType::I16] {
		for _ in 0..6 {
			let op = Op::AvgPool2d {
				kernel: [0; 2].map(|_| rng.range(1, 3) as u16),
				window: random_window(rng, false),
				input_zero_point: rng.value(dtype) as i16,
				output_zero_point: rng.value(DType::I16) as i16,
			};
			let shape = [rng.range(1, 2), rng.range(3, 8), rng.range(3, 8), rng.range(1, 5)];
			Case::of(op, &[ty(dtype, &shape)], rng).check(device());
		}
	}
	// Windows of 1 to 300 × 300 elements, some of more than 2^16: sums wrap in the widest.
	let extremes: Vec<u8> = (0..300 * 300).flat_map(|_| i16::MIN.to_le_bytes()).collect();
	let operand = [ty(DType::I16, &[1, 300, 300, 1])];
	for (step, input_zero_point) in [(29, 0), (31, i16::MAX)] {
		let op = Op::AvgPool2d {
			kernel: [300, 300],
			window: Window { pad: [299; 4], stride: [step; 2], dilation: [1; 2] },
			input_zero_point,
			output_zero_point: 3,
		};
		Case::with_data(op.clone(), &operand, vec![extremes.clone()], rng).check(device());
		Case::of(op, &operand, rng).check(device());
	}
}

#[test]
fn volumes_agree() {
	let unpacked = unpacked();
	let rng = &mut Rng::new(22);
	for dtype in [DType::I8, DType::I16] {
		for round in 0..12 {
			// Half of them have what packed products need.
			let deep = round % 2 == 0;
			let c = if deep { rng.range(16, 24) } else { rng.range(1, 5) };
			let (n, o) = (rng.range(1, 2), rng.range(1, 70));
			let [kd, kh, kw] = [0; 3].map(|_| rng.range(1, 3));
			let [d, h, w] = [0; 3].map(|_| rng.range(5, 7));
			let operands = [
				ty(dtype, &[n, d, h, w, c]),
				ty(DType::I8, &[o, kd, kh, kw, c]),
				ty(DType::I32, &[if rng.range(0, 1) == 0 { 1 } else { o }]),
			];
			let window = Window3 {
				pad: [0; 6].map(|_| rng.range(0, 3) as u16),
				stride: [0; 3].map(|_| rng.range(1, 3) as u16),
				dilation: [0; 3].map(|_| rng.range(1, 2) as u16),
			};
			let plain = deep && round % 4 == 0;
			let op = Op::Conv3d {
				window,
				input_zero_point: if plain { 0 } else { rng.value(dtype) as i16 },
				weight_zero_point: if deep { 0 } else { rng.value(DType::I8) as i8 },
			};
			let case = Case::of(op, &operands, rng);
			case.check(device());
			case.check(&unpacked);
		}
	}
}

#[test]
fn filters_of_every_channel_agree() {
	let rng = &mut Rng::new(23);
	for dtype in [DType::I8, DType::I16] {
		for _ in 0..12 {
			let (n, c, m) = (rng.range(1, 2), rng.range(1, 20), rng.range(1, 3));
			let operands = [
				ty(dtype, &[n, rng.range(5, 11), rng.range(5, 11), c]),
				ty(DType::I8, &[rng.range(1, 3), rng.range(1, 3), c, m]),
				ty(DType::I32, &[if rng.range(0, 1) == 0 { 1 } else { c * m }]),
			];
			let op = Op::DepthwiseConv2d {
				window: random_window(rng, true),
				input_zero_point: rng.value(dtype) as i16,
				weight_zero_point: rng.value(DType::I8) as i8,
			};
			Case::of(op, &operands, rng).check(device());
		}
	}
}

#[test]
fn transposed_convolutions_agree() {
	let rng = &mut Rng::new(24);
	for dtype in [DType::I8, DType::I16] {
		for _ in 0..16 {
			let (n, c, o) = (rng.range(1, 2), rng.range(1, 9), rng.range(1, 20));
			let operands = [
				ty(dtype, &[n, rng.range(2, 7), rng.range(2, 7), c]),
				ty(DType::I8, &[o, rng.range(1, 5), rng.range(1, 5), c]),
				ty(DType::I32, &[if rng.range(0, 1) == 0 { 1 } else { o }]),
			];
			let op = Op::TransposeConv2d {
				// At least one row and column is left.
				out_pad: [0; 4].map(|_| rng.range(0, 4) as i16 - rng.range(0, 1) as i16),
				stride: [0; 2].map(|_| rng.range(1, 6) as u16),
				input_zero_point: rng.value(dtype) as i16,
				weight_zero_point: rng.value(DType::I8) as i8,
			};
			Case::of(op, &operands, rng).check(device());
		}
	}
}

#[test]
fn images_of_other_sizes_agree() {
	let rng = &mut Rng::new(25);
	for _ in 0..40 {
		let interpolation =
			[Interpolation::Nearest, Interpolation::Bilinear][rng.range(0, 1) as usize];
		let most = if interpolation == Interpolation::Nearest { 2 } else { 1 };
		let dtype = [DType::I8, DType::I16, DType::I32][rng.range(0, most) as usize];
		let numerator = [0; 2].map(|_| [1, 2, 4, 7, 2048][rng.range(0, 4) as usize]);
		let denominator = numerator.map(|n: u16| {
			let (low, high) = ((u32::from(n) / 6).max(1), 4 * u32::from(n));
			rng.range(low, high) as u16
		});
		let near = |n: u16, rng: &mut Rng| rng.range(0, u32::from(n)) as i16 - (n / 2) as i16;
		let scaling = Scaling {
			numerator,
			denominator,
			offset: numerator.map(|n| near(n, rng)),
			border: numerator.map(|n| near(n, rng)),
		};
		let shape = [rng.range(1, 2), rng.range(2, 9), rng.range(2, 9), rng.range(1, 5)];
		Case::of(Op::Resize { scaling, interpolation }, &[ty(dtype, &shape)], rng).check(device());
	}
}

/// On a device believed to be very slow, each of these is split into many dispatches.
#[test]
fn split_windows_give_the_same_bits() {
	let slow = Arc::new(GpuDevice::open(true).expect(NO_ADAPTER));
	slow.set_rate(1);
	let rng = &mut Rng::new(26);
	let image = ty(DType::I8, &[1, 80, 90, 16]);
	let (input_zero_point, weight_zero_point) = (3, -2);
	let window = Window { pad: [2; 4], stride: [1; 2], dilation: [1; 2] };
	let op = Op::DepthwiseConv2d { window, input_zero_point, weight_zero_point };
	let filters = [image.clone(), ty(DType::I8, &[5, 5, 16, 2]), ty(DType::I32, &[32])];
	Case::of(op, &filters, rng).check(&slow);
	let (out_pad, stride) = ([1, 0, -1, 0], [2, 2]);
	let op = Op::TransposeConv2d { out_pad, stride, input_zero_point, weight_zero_point };
	let filters = [image.clone(), ty(DType::I8, &[3, 4, 4, 16]), ty(DType::I32, &[1])];
	Case::of(op, &filters, rng).check(&slow);
	let (kernel, output_zero_point) = ([5; 2], 0);
	let op = Op::AvgPool2d { kernel, window, input_zero_point, output_zero_point };
	Case::of(op, &[image], rng).check(&slow);
}

/// On a device believed to be so fast that work alone would not split anything.
#[test]
fn long_windows_and_sums_are_not_cut_off() {
	let fast = Arc::new(GpuDevice::open(true).expect(NO_ADAPTER).with_packed_products(false));
	fast.set_rate(1 << 40);
	let rng = &mut Rng::new(27);
	let op = Op::MatMul { a_zero_point: 0, b_zero_point: 0 };
	let operands = [ty(DType::I8, &[1, 1, 131_071]), ty(DType::I8, &[1, 131_071, 1])];
	Case::of(op, &operands, rng).check(&fast);
	let window = Window { pad: [100; 4], stride: [37; 2], dilation: [1; 2] };
	let (input_zero_point, weight_zero_point) = (3, -2);
	let image = ty(DType::I16, &[1, 300, 310, 1]);
	let op = Op::MaxPool2d { kernel: [299, 301], window };
	Case::of(op, std::slice::from_ref(&image), rng).check(&fast);
	let op = Op::DepthwiseConv2d { window, input_zero_point, weight_zero_point };
	let filters = [image, ty(DType::I8, &[290, 280, 1, 1]), ty(DType::I32, &[1])];
	Case::of(op, &filters, rng).check(&fast);
	let (out_pad, stride) = ([0; 4], [1, 1]);
	let op = Op::TransposeConv2d { out_pad, stride, input_zero_point, weight_zero_point };
	for (place, kernel) in [([2, 3, 40_000], [2, 1]), ([90, 90, 10], [85, 90])] {
		let ([h, w, c], [kh, kw]) = (place, kernel);
		let operands =
			[ty(DType::I8, &[1, h, w, c]), ty(DType::I8, &[1, kh, kw, c]), ty(DType::I32, &[1])];
		Case::of(op.clone(), &operands, rng).check(&fast);
	}
}
