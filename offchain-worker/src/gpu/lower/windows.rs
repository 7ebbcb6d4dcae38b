// SPDX-License-Identifier: Apache-2.0

//! Operators that read a neighbourhood, one element of the result for each invocation.

use super::{operators::Args, BufferId, Lowering, LOOP};
use crate::gpu::{
	error::GpuError,
	kernel::Kernel,
	params::{AvgPoolParams, DepthwiseParams, MaxPoolParams, ResizeParams, TransposeConvParams},
	view::{row_major, View},
};
use tensornet_tensor::{Interpolation, Scaling, ValueId, Window};

/// `0..count` in parts of at most `most`.
fn parts(count: u64, most: u64) -> impl Iterator<Item = [u32; 2]> {
	let begins = (0..count).step_by(most as usize);
	begins.map(move |begin| [begin as u32, count.min(begin + most) as u32])
}

impl Lowering<'_> {
	pub(super) fn max_pool(
		&mut self,
		args: Args<'_>,
		kernel: [u16; 2],
		window: &Window,
	) -> Result<BufferId, GpuError> {
		let [_, height, width, channels] = args.dims(0)?;
		let [_, out_height, out_width, _] = args.out_dims()?;
		let out = self.temporary(args.out.elements())?;
		let kernel = kernel.map(u32::from);
		let params = MaxPoolParams {
			height,
			width,
			channels,
			out_height,
			out_width,
			kernel,
			pad_top: window.pad[0].into(),
			pad_left: window.pad[2].into(),
			stride: window.stride.map(u32::from),
			low: args.out.dtype.min(),
			..Default::default()
		};
		for [k_begin, k_end] in parts(area(kernel), LOOP) {
			let work = 2 * u64::from(k_end - k_begin) + 8;
			let params = MaxPoolParams { k_begin, k_end, ..params };
			self.emit(Kernel::MaxPool2d, params, out, args.buffers, args.out.elements(), work);
		}
		Ok(out)
	}

	pub(super) fn avg_pool(
		&mut self,
		args: Args<'_>,
		kernel: [u16; 2],
		window: &Window,
		[input_zero_point, output_zero_point]: [i32; 2],
	) -> Result<BufferId, GpuError> {
		let [_, height, width, channels] = args.dims(0)?;
		let [_, out_height, out_width, _] = args.out_dims()?;
		let out = self.temporary(args.out.elements())?;
		let kernel = kernel.map(u32::from);
		let params = AvgPoolParams {
			height,
			width,
			channels,
			out_height,
			out_width,
			kernel,
			pad_top: window.pad[0].into(),
			pad_left: window.pad[2].into(),
			stride: window.stride.map(u32::from),
			input_zero_point,
			output_zero_point,
			low: args.out.dtype.min(),
			high: args.out.dtype.max(),
			..Default::default()
		};
		for [k_begin, k_end] in parts(area(kernel), LOOP) {
			let work = 2 * u64::from(k_end - k_begin) + 32;
			let params = AvgPoolParams { k_begin, k_end, ..params };
			self.emit(Kernel::AvgPool2d, params, out, args.buffers, args.out.elements(), work);
		}
		Ok(out)
	}

	pub(super) fn resize(
		&mut self,
		args: Args<'_>,
		scaling: &Scaling,
		interpolation: Interpolation,
	) -> Result<BufferId, GpuError> {
		let [_, height, width, channels] = args.dims(0)?;
		let [_, out_height, out_width, _] = args.out_dims()?;
		let out = self.temporary(args.out.elements())?;
		let params = ResizeParams {
			height,
			width,
			channels,
			out_height,
			out_width,
			numerator: scaling.numerator.map(u32::from),
			denominator: scaling.denominator.map(u32::from),
			offset: scaling.offset.map(i32::from),
			..Default::default()
		};
		let kernel = Kernel::Resize(interpolation);
		self.emit(kernel, params, out, args.buffers, args.out.elements(), 24);
		Ok(out)
	}

	pub(super) fn depthwise(
		&mut self,
		args: Args<'_>,
		window: &Window,
		[input_zero_point, weight_zero_point]: [i32; 2],
	) -> Result<BufferId, GpuError> {
		let [_, height, width, channels] = args.dims(0)?;
		let [kernel_height, kernel_width, _, filters] = args.dims(1)?;
		let [biases] = args.dims(2)?;
		let [_, out_height, out_width, _] = args.out_dims()?;
		let out = self.temporary(args.out.elements())?;
		let kernel = [kernel_height, kernel_width];
		let params = DepthwiseParams {
			height,
			width,
			channels,
			filters,
			out_height,
			out_width,
			kernel,
			pad_top: window.pad[0].into(),
			pad_left: window.pad[2].into(),
			stride: window.stride.map(u32::from),
			dilation: window.dilation.map(u32::from),
			input_zero_point,
			weight_zero_point,
			bias_stride: u32::from(biases > 1),
			..Default::default()
		};
		for [k_begin, k_end] in parts(area(kernel), LOOP) {
			let work = 2 * u64::from(k_end - k_begin) + 8;
			let params = DepthwiseParams { k_begin, k_end, ..params };
			self.emit(
				Kernel::DepthwiseConv2d,
				params,
				out,
				args.buffers,
				args.out.elements(),
				work,
			);
		}
		Ok(out)
	}

	pub(super) fn transpose_conv(
		&mut self,
		args: Args<'_>,
		operands: &[ValueId],
		[pad_top, _, pad_left, _]: [i16; 4],
		stride: [u16; 2],
		[input_zero_point, weight_zero_point]: [i32; 2],
	) -> Result<BufferId, GpuError> {
		let [_, height, width, channels] = args.dims(0)?;
		let weight_type = args.ty(1)?;
		let [filters, kernel_height, kernel_width, _] = args.dims(1)?;
		let [biases] = args.dims(2)?;
		let [_, out_height, out_width, _] = args.out_dims()?;
		let (input, weight, bias) = (args.buffer(0)?, args.buffer(1)?, args.buffer(2)?);
		let weight_value = *operands.get(1).ok_or(GpuError::Inconsistent)?;
		// [O, KH, KW, C] becomes [KH, KW, C, O].
		let turned = self.preparing(&[weight_value], |lowering| {
			let turned = lowering.temporary(weight_type.elements())?;
			let [by_filter, by_row, by_column, by_channel] =
				row_major(&weight_type.shape)[..].try_into().map_err(|_| GpuError::Inconsistent)?;
			let extents = vec![kernel_height, kernel_width, channels, filters];
			let from = vec![by_row, by_column, by_channel, by_filter];
			let to = row_major(&extents);
			lowering.copy(weight, turned, View { extents, strides: [from, to] }, [0, 0]);
			Ok(turned)
		})?;
		let out = self.temporary(args.out.elements())?;
		let [down, across] = stride.map(u32::from);
		let params = TransposeConvParams {
			height,
			width,
			channels,
			filters,
			out_height,
			out_width,
			kernel: [kernel_height, kernel_width],
			pad_top: pad_top.into(),
			pad_left: pad_left.into(),
			stride: [down, across],
			input_zero_point,
			weight_zero_point,
			bias_stride: u32::from(biases > 1),
			reach_x: kernel_width.div_ceil(across),
			..Default::default()
		};
		let operands = [input, turned, bias];
		let reached = area([kernel_height.div_ceil(down), params.reach_x]);
		// Each window costs its channels and a step of its own.
		let windows = (LOOP / (u64::from(channels) + 1)).max(1);
		let mut accumulate = 0;
		for [k_begin, k_end] in parts(reached, windows) {
			for [c_begin, c_end] in parts(channels.into(), LOOP) {
				let work = 2 * u64::from(k_end - k_begin) * u64::from(c_end - c_begin) + 8;
				let params =
					TransposeConvParams { k_begin, k_end, c_begin, c_end, accumulate, ..params };
				let elements = args.out.elements();
				self.emit(Kernel::TransposeConv2d, params, out, &operands, elements, work);
				accumulate = 1;
			}
		}
		Ok(out)
	}
}

/// Elements of a window.
fn area([height, width]: [u32; 2]) -> u64 {
	u64::from(height) * u64::from(width)
}
