// SPDX-License-Identifier: Apache-2.0

//! Convolutions and matrix products: of bytes in vectors where they can be (see [`packed`](super::packed)),
//! of single values otherwise.

use super::{
	operators::Args,
	packed::{Flat, Product},
	BufferId, Lowering, LOOP,
};
use crate::gpu::{
	error::GpuError,
	kernel::{Kernel, Plane, TILE},
	params::{ConvParams, MatMulParams},
	product::Size,
};
use tensornet_tensor::{Node, TensorType, Window, Window3};

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
	/// Lowers a convolution, which makes `value`, and what of the nodes behind it its kernel takes in.
	pub(super) fn conv(
		&mut self,
		args: Args<'_>,
		node: &Node,
		value: usize,
		windows: Windows,
		zero_points: [i32; 2],
	) -> Result<BufferId, GpuError> {
		let (batches, extents, channels) = volume(args.ty(0)?)?;
		let (columns, kernel, _) = volume(args.ty(1)?)?;
		let (_, out_extents, _) = volume(args.out)?;
		let [biases] = args.dims(2)?;
		let (&[input_value, weight_value, bias_value], &[input, weight, bias]) =
			(&node.operands[..], args.buffers)
		else {
			return Err(GpuError::Inconsistent);
		};
		let rows = batches * out_extents.iter().product::<u32>();
		let [_, kernel_height, kernel_width] = kernel;
		let depth = kernel.iter().product::<u32>() * channels;
		let params = ConvParams {
			column_tiles: columns.div_ceil(TILE),
			rows,
			depth,
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
			..Default::default()
		};
		// A window of one place that slides over all of them is a matrix product.
		let flat = kernel == [1; 3]
			&& windows.pad == [0; 3]
			&& windows.stride == [1; 3]
			&& out_extents == extents;
		let padding = if flat { None } else { Some(zero_points[0]) };
		let Some(planes) = self.planes(args.ty(0)?, args.ty(1)?, depth, padding) else {
			let out = self.temporary(args.out.elements())?;
			let tiles = u64::from(rows.div_ceil(TILE)) * u64::from(params.column_tiles);
			for [k_begin, k_end] in self.depth_ranges(depth) {
				let params = ConvParams { k_begin, k_end, ..params };
				let work = tile_work(k_end - k_begin);
				self.emit(Kernel::Conv, params, out, args.buffers, tiles, work);
			}
			return Ok(out);
		};
		let by_column = Flat { outer: 1, length: depth, inner: columns, strides: [0, 1, depth] };
		let product = Product {
			size: Size { batches: 1, rows, depth, columns },
			planes,
			zero_points,
			right: self.pack((weight_value, weight), &[Plane::Whole], by_column)?,
			right_value: weight_value,
		};
		let tail = self.tail(value, columns, Some((bias_value, bias, params.bias_stride)))?;
		let terms = self.column_terms(&product, &tail)?;
		let out = self.temporary(args.out.elements())?;
		if flat {
			let by_row = Flat { outer: 1, length: depth, inner: rows, strides: [0, 1, depth] };
			let left = self.pack((input_value, input), planes, by_row)?;
			self.multiply(&product, left, terms, &tail, out, 0)?;
		} else {
			// As many rows at once as there is room for their windows.
			let most = self.unfolded_rows(&product);
			for first in (0..rows).step_by(most as usize) {
				let size = Size { rows: most.min(rows - first), ..product.size };
				let part = Product { size, ..product };
				let left = self.unfold(&part, &params, input, first)?;
				self.multiply(&part, left, terms, &tail, out, first * columns)?;
			}
		}
		self.finished(&tail, out);
		Ok(out)
	}

	/// Lowers a matrix product, which makes `value`, and what of the nodes behind it its kernel takes in.
	pub(super) fn matmul(
		&mut self,
		args: Args<'_>,
		node: &Node,
		value: usize,
		zero_points: [i32; 2],
	) -> Result<BufferId, GpuError> {
		let [batches, rows, depth] = args.dims(0)?;
		let [_, _, columns] = args.dims(1)?;
		let (&[a_value, b_value], &[a, b]) = (&node.operands[..], args.buffers) else {
			return Err(GpuError::Inconsistent);
		};
		let Some(planes) = self.planes(args.ty(0)?, args.ty(1)?, depth, None) else {
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
			let out = self.temporary(args.out.elements())?;
			for [k_begin, k_end] in self.depth_ranges(depth) {
				let params = MatMulParams { k_begin, k_end, ..params };
				let work = tile_work(k_end - k_begin);
				self.emit(Kernel::MatMul, params, out, args.buffers, tiles, work);
			}
			return Ok(out);
		};
		let by_row =
			Flat { outer: batches, length: depth, inner: rows, strides: [rows * depth, 1, depth] };
		let by_column = Flat {
			outer: batches,
			length: depth,
			inner: columns,
			strides: [depth * columns, columns, 1],
		};
		let left = self.pack((a_value, a), planes, by_row)?;
		let product = Product {
			size: Size { batches, rows, depth, columns },
			planes,
			zero_points,
			right: self.pack((b_value, b), &[Plane::Whole], by_column)?,
			right_value: b_value,
		};
		let tail = self.tail(value, columns, None)?;
		let terms = self.column_terms(&product, &tail)?;
		let out = self.temporary(args.out.elements())?;
		self.multiply(&product, left, terms, &tail, out, 0)?;
		self.finished(&tail, out);
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
