// SPDX-License-Identifier: Apache-2.0

//! Operators that read a neighbourhood: convolutions, pools, changes of size.

use super::{Random, Writer};
use crate::{DType, Interpolation, Op, Scaling, TensorType, ValueId, Window, Window3};

impl Writer {
	fn window(&mut self, dilated: bool) -> Window {
		let mut few = |low, high| self.random.between(low, high) as u16;
		Window {
			pad: [few(0, 2), few(0, 2), few(0, 2), few(0, 2)],
			stride: [few(1, 3), few(1, 3)],
			dilation: if dilated { [few(1, 2), few(1, 2)] } else { [1, 1] },
		}
	}

	/// An image of a narrow type, `[N, H, W, C]`: its value and shape.
	fn image(&mut self) -> (ValueId, [u32; 4]) {
		self.shaped(|ty| matches!(ty.dtype, DType::I8 | DType::I16))
	}

	fn tap_count(&mut self) -> u32 {
		self.random.between(1, 3) as u32
	}

	/// A weight and a bias for so many filters, with their zero points.
	fn filters(&mut self, weight: &[u32], filters: u32) -> ([ValueId; 2], (i16, i8)) {
		let weight = self.constant(TensorType::new(DType::I8, weight));
		let biases = if self.random.once_in(3) { 1 } else { filters };
		let bias = self.constant(TensorType::new(DType::I32, [biases]));
		let zero_points = (self.zero_point(DType::I16) as i16, self.zero_point(DType::I8) as i8);
		([weight, bias], zero_points)
	}

	pub(super) fn conv(&mut self) -> (Op, Vec<ValueId>) {
		let (input, [.., channels]) = self.image();
		let out = self.random.between(1, 6) as u32;
		let kernel = [out, self.tap_count(), self.tap_count(), channels];
		let ([weight, bias], (input_zero_point, weight_zero_point)) = self.filters(&kernel, out);
		let window = self.window(true);
		(Op::Conv2d { window, input_zero_point, weight_zero_point }, vec![input, weight, bias])
	}

	pub(super) fn conv3d(&mut self) -> (Op, Vec<ValueId>) {
		let narrow = |ty: &TensorType| matches!(ty.dtype, DType::I8 | DType::I16);
		let (input, [.., channels]) = self.shaped::<5>(narrow);
		let out = self.random.between(1, 4) as u32;
		let kernel = [out, self.tap_count(), self.tap_count(), self.tap_count(), channels];
		let ([weight, bias], (input_zero_point, weight_zero_point)) = self.filters(&kernel, out);
		let mut few = |low, high| self.random.between(low, high) as u16;
		let window = Window3 {
			pad: [0; 6].map(|_| few(0, 2)),
			stride: [0; 3].map(|_| few(1, 3)),
			dilation: [0; 3].map(|_| few(1, 2)),
		};
		(Op::Conv3d { window, input_zero_point, weight_zero_point }, vec![input, weight, bias])
	}

	pub(super) fn depthwise(&mut self) -> (Op, Vec<ValueId>) {
		let (input, [.., channels]) = self.image();
		let each = self.tap_count();
		let kernel = [self.tap_count(), self.tap_count(), channels, each];
		let (rest, zero_points) = self.filters(&kernel, channels * each);
		let ([weight, bias], (input_zero_point, weight_zero_point)) = (rest, zero_points);
		let window = self.window(true);
		let op = Op::DepthwiseConv2d { window, input_zero_point, weight_zero_point };
		(op, vec![input, weight, bias])
	}

	pub(super) fn transpose_conv(&mut self) -> (Op, Vec<ValueId>) {
		let (input, [.., channels]) = self.image();
		let out = self.random.between(1, 4) as u32;
		let kernel = [out, self.tap_count(), self.tap_count(), channels];
		let ([weight, bias], (input_zero_point, weight_zero_point)) = self.filters(&kernel, out);
		let out_pad = [0; 4].map(|_| self.random.between(-2, 2) as i16);
		let stride = [0; 2].map(|_| self.random.between(1, 3) as u16);
		let op = Op::TransposeConv2d { out_pad, stride, input_zero_point, weight_zero_point };
		(op, vec![input, weight, bias])
	}

	pub(super) fn avg_pool(&mut self) -> (Op, Vec<ValueId>) {
		let (input, _) = self.image();
		let kernel = [self.tap_count() as u16, self.tap_count() as u16];
		let window = self.window(false);
		let dtype = self.ty_of(input).dtype;
		let mut zero_point = || self.zero_point(dtype) as i16;
		let (input_zero_point, output_zero_point) = (zero_point(), zero_point());
		(Op::AvgPool2d { kernel, window, input_zero_point, output_zero_point }, vec![input])
	}

	pub(super) fn resize(&mut self) -> (Op, Vec<ValueId>) {
		let (interpolation, (input, _)) = if self.random.once_in(2) {
			(Interpolation::Bilinear, self.image())
		} else {
			(Interpolation::Nearest, self.shaped::<4>(|ty| ty.dtype.is_integer()))
		};
		let numerator = [0; 2].map(|_| match self.random.below(6) {
			0 => 2048,
			_ => self.random.between(1, 5) as u16,
		});
		let denominator =
			numerator.map(|n| self.random.between((n / 4).max(1) as i64, 3 * n as i64) as u16);
		let near = |random: &mut Random, n: u16| {
			random.between(-(n as i64), n as i64).clamp(-4096, 4095) as i16
		};
		let offset = numerator.map(|n| near(&mut self.random, n));
		let border = numerator.map(|n| near(&mut self.random, n));
		let scaling = Scaling { numerator, denominator, offset, border };
		(Op::Resize { scaling, interpolation }, vec![input])
	}

	pub(super) fn max_pool(&mut self) -> (Op, Vec<ValueId>) {
		let (input, _) = self.image();
		let kernel = [self.tap_count() as u16, self.tap_count() as u16];
		(Op::MaxPool2d { kernel, window: self.window(false) }, vec![input])
	}
}
