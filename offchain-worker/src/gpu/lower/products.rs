// SPDX-License-Identifier: Apache-2.0

//! Convolutions and matrix products: one value for each position of the summed axis, or, on devices
//! that multiply four bytes at once, packed words.
//!
//! In packed form the right operand has 8 bits and no zero point. A left operand of 8 bits without
//! zero point is one plane of bytes. Any other whose centred values have 16 bits is two: with
//! x = 256 * high + low + 128, both bytes signed, the sum of x * w is
//! 256 * sum(high * w) + sum(low * w) + 128 * sum(w).

use super::{operators::Args, BufferId, Lowering, LOOP};
use crate::gpu::{
	error::GpuError,
	kernel::{ConvParams, Form, Kernel, MatMulParams, PackParams, Plane, TILE},
};
use tensornet_tensor::{DType, Reduction, TensorType, ValueId, Window, Window3};

/// Rows and positions below which packing costs more than it saves.
const WORTH_PACKING: u64 = 16;

/// One pass over the summed axis of a packed product.
#[derive(Clone, Copy)]
struct Pass {
	/// Number of the plane in the packed left operand.
	plane: u32,
	/// What padding reads as.
	fill: i32,
	/// Left shift of the pass's sums.
	shift: u32,
}

const ONE_PLANE: (&[Plane], &[Pass]) = (&[Plane::Whole], &[Pass { plane: 0, fill: 0, shift: 0 }]);

const TWO_PLANES: (&[Plane], &[Pass]) = (
	&[Plane::High, Plane::Low],
	&[
		Pass { plane: 0, fill: 0, shift: 8 },
		// Zero has the low byte -128.
		Pass { plane: 1, fill: 0x8080_8080_u32 as i32, shift: 0 },
	],
);

/// The windows of a convolution in depth, vertical and horizontal.
#[derive(Clone, Copy)]
pub(super) struct Windows {
	/// Places added before the first one.
	pad: [u32; 3],
	stride: [u32; 3],
	dilation: [u32; 3],
}

impl From<&Window> for Windows {
	fn from(window: &Window) -> Self {
		let ([top, _, left, _], [down, right]) = (window.pad, window.stride);
		let [vertical, horizontal] = window.dilation;
		Self {
			pad: [0, top, left].map(u32::from),
			stride: [1, down, right].map(u32::from),
			dilation: [1, vertical, horizontal].map(u32::from),
		}
	}
}

impl From<&Window3> for Windows {
	fn from(window: &Window3) -> Self {
		let [front, _, top, _, left, _] = window.pad;
		Self {
			pad: [front, top, left].map(u32::from),
			stride: window.stride.map(u32::from),
			dilation: window.dilation.map(u32::from),
		}
	}
}

/// The extents of an operand or result of a convolution: outermost axis, the three that windows slide
/// over, innermost axis. In two dimensions the first of the three is 1.
fn volume(ty: &TensorType) -> Result<(u32, [u32; 3], u32), GpuError> {
	match ty.shape[..] {
		[outer, height, width, inner] => Ok((outer, [1, height, width], inner)),
		[outer, depth, height, width, inner] => Ok((outer, [depth, height, width], inner)),
		_ => Err(GpuError::Inconsistent),
	}
}

impl Lowering<'_> {
	/// How the left operand is packed, if the product is made in packed form.
	fn packing(
		&self,
		left: &TensorType,
		right: &TensorType,
		[left_zero, right_zero]: [i32; 2],
		[rows, depth]: [u64; 2],
	) -> Option<(&'static [Plane], &'static [Pass])> {
		let fits = self.bounds.packed
			&& right.dtype == DType::I8
			&& right_zero == 0
			&& rows >= WORTH_PACKING
			&& depth >= WORTH_PACKING;
		let centred = |v: i32| DType::I16.min() <= v && v <= DType::I16.max();
		if !fits {
			None
		} else if left.dtype == DType::I8 && left_zero == 0 {
			Some(ONE_PLANE)
		} else if centred(left.dtype.min() - left_zero) && centred(left.dtype.max() - left_zero) {
			Some(TWO_PLANES)
		} else {
			None
		}
	}

	/// Lowers `body` into the preparation of the constant that `value` is, or into the iteration.
	pub(super) fn preparing<T>(
		&mut self,
		value: ValueId,
		body: impl FnOnce(&mut Self) -> Result<T, GpuError>,
	) -> Result<T, GpuError> {
		let program = self.program.program();
		self.constant = usize::from(value)
			.checked_sub(program.inputs.len())
			.filter(|constant| *constant < program.constants.len());
		let result = body(self);
		self.constant = None;
		result
	}

	/// Packs planes of an [outer, length, inner] view of `value` along its middle axis, one behind
	/// the other.
	fn pack(
		&mut self,
		(value, buffer): (ValueId, BufferId),
		planes: &[Plane],
		zero_point: i32,
		[outer, length, inner]: [u64; 3],
	) -> Result<BufferId, GpuError> {
		let words = length.div_ceil(4);
		let units = outer * words * inner;
		self.preparing(value, |lowering| {
			let packed = lowering.temporary(units * planes.len() as u64)?;
			for (plane, number) in planes.iter().zip(0..) {
				let params = PackParams {
					length: length as u32,
					words: words as u32,
					inner: inner as u32,
					zero_point,
					out_base: number * units as u32,
					..Default::default()
				};
				lowering.emit(Kernel::Pack(*plane), params, packed, &[buffer], units, 16);
			}
			Ok(packed)
		})
	}

	/// Sums of the right operand's columns, where the left operand has two planes.
	fn column_sums(
		&mut self,
		(value, buffer): (ValueId, BufferId),
		view: [u64; 3],
	) -> Result<BufferId, GpuError> {
		self.preparing(value, |lowering| {
			lowering.reduce_view(Kernel::Reduce(Reduction::Sum), buffer, view)
		})
	}

	pub(super) fn conv(
		&mut self,
		args: Args<'_>,
		operands: &[ValueId],
		windows: Windows,
		zero_points: [i32; 2],
	) -> Result<BufferId, GpuError> {
		let (batches, extents, channels) = volume(args.ty(0)?)?;
		let (columns, kernel, _) = volume(args.ty(1)?)?;
		let (_, out_extents, _) = volume(args.out)?;
		let [biases] = args.dims(2)?;
		let &[input_value, weight_value, _] = operands else {
			return Err(GpuError::Inconsistent);
		};
		let &[input, weight, bias] = args.buffers else {
			return Err(GpuError::Inconsistent);
		};
		let rows = batches * out_extents.iter().product::<u32>();
		let [_, kernel_height, kernel_width] = kernel;
		let taps = kernel.iter().product::<u32>();
		let column_tiles = columns.div_ceil(TILE);
		let tiles = u64::from(rows.div_ceil(TILE)) * u64::from(column_tiles);
		let params = ConvParams {
			column_tiles,
			rows,
			depth: taps * channels,
			columns,
			extents,
			channels,
			out_extents,
			kernel_height,
			kernel_width,
			pad: windows.pad,
			stride: windows.stride,
			dilation: windows.dilation,
			input_zero_point: zero_points[0],
			weight_zero_point: zero_points[1],
			bias_stride: u32::from(biases > 1),
			bias_factor: 1,
			..Default::default()
		};
		let shape = [rows, channels].map(u64::from);
		let packing = self.packing(args.ty(0)?, args.ty(1)?, zero_points, shape);
		let Some((planes, passes)) = packing else {
			let out = self.temporary(args.out.elements())?;
			for [k_begin, k_end] in self.depth_ranges(params.depth) {
				let accumulate = u32::from(k_begin > 0);
				let bias_factor = 1 - accumulate as i32;
				let params = ConvParams { k_begin, k_end, accumulate, bias_factor, ..params };
				let kernel = Kernel::Conv(Form::Single);
				self.emit(kernel, params, out, args.buffers, tiles, tile_work(k_end - k_begin));
			}
			return Ok(out);
		};

		let places = u64::from(batches) * extents.map(u64::from).iter().product::<u64>();
		let view = [places, channels.into(), 1];
		let packed_input = self.pack((input_value, input), planes, zero_points[0], view)?;
		let view = [u64::from(columns) * u64::from(taps), channels.into(), 1];
		let packed_weight = self.pack((weight_value, weight), &[Plane::Whole], 0, view)?;
		let sums = if planes.len() > 1 {
			let view = [columns.into(), params.depth.into(), 1];
			Some(self.column_sums((weight_value, weight), view)?)
		} else {
			None
		};
		let words = channels.div_ceil(4);
		let out = self.temporary(args.out.elements())?;
		let mut first = true;
		for pass in passes {
			for [k_begin, k_end] in self.depth_ranges(taps * words) {
				// The first dispatch brings the bias, the first of the low plane the column sums.
				let (added, bias_stride, bias_factor) = match sums {
					_ if first => (bias, params.bias_stride, 1),
					Some(sums) if pass.plane == 1 && k_begin == 0 => (sums, 1, 128),
					_ => (bias, 0, 0),
				};
				let params = ConvParams {
					depth: taps * words,
					channels: words,
					k_begin,
					k_end,
					input_zero_point: 0,
					input_base: pass.plane * (places as u32) * words,
					fill: pass.fill,
					accumulate: u32::from(!first),
					shift: pass.shift,
					bias_stride,
					bias_factor,
					..params
				};
				first = false;
				let kernel = Kernel::Conv(Form::Packed);
				let work = tile_work(k_end - k_begin);
				self.emit(kernel, params, out, &[packed_input, packed_weight, added], tiles, work);
			}
		}
		Ok(out)
	}

	pub(super) fn matmul(
		&mut self,
		args: Args<'_>,
		operands: &[ValueId],
		zero_points: [i32; 2],
	) -> Result<BufferId, GpuError> {
		let [batches, rows, depth] = args.dims(0)?;
		let [_, _, columns] = args.dims(1)?;
		let (&[a_value, b_value], &[a, b]) = (operands, args.buffers) else {
			return Err(GpuError::Inconsistent);
		};
		let row_tiles = rows.div_ceil(TILE);
		let column_tiles = columns.div_ceil(TILE);
		let tiles = u64::from(batches) * u64::from(row_tiles) * u64::from(column_tiles);
		let params = MatMulParams {
			row_tiles,
			column_tiles,
			rows,
			depth,
			columns,
			a_zero_point: zero_points[0],
			b_zero_point: zero_points[1],
			..Default::default()
		};
		let shape = [rows, depth].map(u64::from);
		let packing = self.packing(args.ty(0)?, args.ty(1)?, zero_points, shape);
		let Some((planes, passes)) = packing else {
			let out = self.temporary(args.out.elements())?;
			for [k_begin, k_end] in self.depth_ranges(depth) {
				let accumulate = u32::from(k_begin > 0);
				let params = MatMulParams { k_begin, k_end, accumulate, ..params };
				let kernel = Kernel::MatMul(Form::Single);
				self.emit(kernel, params, out, &[a, b, b], tiles, tile_work(k_end - k_begin));
			}
			return Ok(out);
		};

		let all_rows = u64::from(batches) * u64::from(rows);
		let packed_a =
			self.pack((a_value, a), planes, zero_points[0], [all_rows, depth.into(), 1])?;
		let b_view = [batches, depth, columns].map(u64::from);
		let packed_b = self.pack((b_value, b), &[Plane::Whole], 0, b_view)?;
		let sums =
			if planes.len() > 1 { Some(self.column_sums((b_value, b), b_view)?) } else { None };
		let words = depth.div_ceil(4);
		let out = self.temporary(args.out.elements())?;
		let mut first = true;
		for pass in passes {
			for [k_begin, k_end] in self.depth_ranges(words) {
				let (added, offset_factor) = match sums {
					Some(sums) if pass.plane == 1 && k_begin == 0 => (sums, 128),
					_ => (packed_b, 0),
				};
				let params = MatMulParams {
					depth: words,
					k_begin,
					k_end,
					a_zero_point: 0,
					a_base: pass.plane * (all_rows as u32) * words,
					accumulate: u32::from(!first),
					shift: pass.shift,
					offset_factor,
					..params
				};
				first = false;
				let kernel = Kernel::MatMul(Form::Packed);
				let work = tile_work(k_end - k_begin);
				self.emit(kernel, params, out, &[packed_a, packed_b, added], tiles, work);
			}
		}
		Ok(out)
	}

	/// Parts of the summed axis, each short enough that one tile fits a dispatch.
	fn depth_ranges(&self, depth: u32) -> Vec<[u32; 2]> {
		let area = u64::from(TILE) * u64::from(TILE);
		// Whole steps of the kernel, and not so short that the sums are mostly reloaded.
		// Each 16 positions take 21 rounds of loops.
		let step = (self.bounds.work / area / 256 * 256).clamp(1024, LOOP) as u32;
		(0..depth).step_by(step as usize).map(|k| [k, depth.min(k.saturating_add(step))]).collect()
	}
}

/// Multiply-accumulates of one tile over `depth` positions: whole tiles are computed whatever part
/// of them is needed.
fn tile_work(depth: u32) -> u64 {
	u64::from(TILE) * u64::from(TILE) * u64::from(depth.max(16))
}
