// SPDX-License-Identifier: Apache-2.0

//! Products of bytes. Both operands are packed into vectors of sixteen bytes along the summed axis, and
//! the sums get what the zero points contribute from terms of their column and row: modulo 2^32,
//! Σ (a − p)(b − q) = Σ ab − p Σb − q Σa + K p q.
//!
//! The right operand has 8 bits. A left one of 8 bits is one plane of bytes; one of 16 bits is two: with
//! a = 256 * high + low + 128, both bytes signed, Σ ab = 256 Σ high b + Σ low b + 128 Σb.

use super::{tail::Tail, BufferId, Lowering, LOOP};
use crate::gpu::{
	error::GpuError,
	kernel::{Kernel, Plane},
	params::{
		ColumnTermsParams, ConvParams, PackParams, ProductParams, RowTermsParams, UnfoldParams,
	},
	product::{Ending, Finish, Size, Variant, VECTOR},
};
use tensornet_tensor::{DType, TensorType, ValueId};

/// Depth below which packing costs more than it saves.
const WORTH_PACKING: u32 = 16;

/// Bytes that the windows of a convolution may take at once.
const UNFOLDED: u64 = 64 << 20;

/// Rows that are unfolded together are a multiple of this: the most rows of a workgroup.
const ROWS: u64 = 128;

/// Vectors of a part of the summed axis are a multiple of this: more than any kernel stages at once.
const VECTORS: u64 = 64;

/// A value as [outer, length, inner] with the strides of these axes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Flat {
	pub outer: u32,
	pub length: u32,
	pub inner: u32,
	pub strides: [u32; 3],
}

/// What was packed how.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Packing {
	buffer: BufferId,
	planes: &'static [Plane],
	flat: Flat,
}

/// A product of bytes whose right operand is packed.
#[derive(Clone, Copy)]
pub(super) struct Product {
	pub size: Size,
	/// How the left operand is packed.
	pub planes: &'static [Plane],
	pub zero_points: [i32; 2],
	pub right: BufferId,
	pub right_value: ValueId,
}

impl Product {
	/// Vectors of one plane of the left operand.
	fn plane(&self) -> u32 {
		self.size.batches * self.size.vectors() * self.size.rows
	}
}

impl Lowering<'_> {
	/// How the left operand is packed, if the product is made of bytes. `padding` is what windows read
	/// beside the input.
	pub(super) fn planes(
		&self,
		left: &TensorType,
		right: &TensorType,
		depth: u32,
		padding: Option<i32>,
	) -> Option<&'static [Plane]> {
		if !self.bounds.packed || right.dtype != DType::I8 || depth < WORTH_PACKING {
			return None;
		}
		let byte = |value: i32| DType::I8.min() <= value && value <= DType::I8.max();
		match left.dtype {
			DType::I8 if padding.is_none_or(byte) => Some(&[Plane::Whole]),
			DType::I8 | DType::I16 => Some(&[Plane::High, Plane::Low]),
			DType::Bool | DType::I32 => None,
		}
	}

	/// Lowers `body` into the preparation of constants, if `values` are all constants, or into the
	/// iteration. Constants are prepared in their order, so what needs several waits for the last.
	pub(super) fn preparing<T>(
		&mut self,
		values: &[ValueId],
		body: impl FnOnce(&mut Self) -> Result<T, GpuError>,
	) -> Result<T, GpuError> {
		let program = self.program.program();
		let number = |value: &ValueId| {
			let number = usize::from(*value).checked_sub(program.inputs.len());
			number.filter(|constant| *constant < program.constants.len())
		};
		let all: Option<Vec<usize>> = values.iter().map(number).collect();
		self.constant = all.and_then(|numbers| numbers.into_iter().max());
		let result = body(self);
		self.constant = None;
		result
	}

	/// Packs planes of a view of `value` along its middle axis, one behind the other. A value that was
	/// packed before is not packed again, a constant only when it is uploaded.
	pub(super) fn pack(
		&mut self,
		(value, buffer): (ValueId, BufferId),
		planes: &'static [Plane],
		flat: Flat,
	) -> Result<BufferId, GpuError> {
		let packing = Packing { buffer, planes, flat };
		if let Some(packed) = self.packed.get(&packing) {
			return Ok(*packed);
		}
		let vectors = flat.length.div_ceil(VECTOR);
		let units = u64::from(flat.outer) * u64::from(vectors) * u64::from(flat.inner);
		let packed = self.preparing(&[value], |lowering| {
			let packed = lowering.temporary(units * planes.len() as u64 * 4)?;
			for (plane, number) in planes.iter().zip(0..) {
				let [outer_stride, length_stride, inner_stride] = flat.strides;
				let params = PackParams {
					length: flat.length,
					vectors,
					inner: flat.inner,
					outer_stride,
					length_stride,
					inner_stride,
					out_base: number * units as u32,
					..Default::default()
				};
				lowering.emit(Kernel::Pack(*plane), params, packed, &[buffer], units, 64);
			}
			Ok(packed)
		})?;
		self.packed.insert(packing, packed);
		Ok(packed)
	}

	/// Most rows of a convolution whose windows are unfolded at once.
	pub(super) fn unfolded_rows(&self, product: &Product) -> u32 {
		let row = u64::from(product.size.vectors() * VECTOR) * product.planes.len() as u64;
		let rows = (UNFOLDED.min(self.bounds.bytes) / row).max(1);
		let whole = if rows >= ROWS { rows / ROWS * ROWS } else { rows };
		whole.min(u64::from(product.size.rows)) as u32
	}

	/// Packs the windows of the rows of `part`, which begin with row `first` of the convolution.
	pub(super) fn unfold(
		&mut self,
		part: &Product,
		conv: &ConvParams,
		input: BufferId,
		first: u32,
	) -> Result<BufferId, GpuError> {
		let units = u64::from(part.plane());
		let unfolded = self.temporary(units * part.planes.len() as u64 * 4)?;
		for (plane, number) in part.planes.iter().zip(0..) {
			let params = UnfoldParams {
				rows: part.size.rows,
				row_base: first,
				length: part.size.depth,
				out_base: number * part.plane(),
				extents: conv.extents,
				channels: conv.channels,
				out_extents: conv.out_extents,
				kernel_height: conv.kernel_height,
				kernel_width: conv.kernel_width,
				pad: conv.pad,
				stride: conv.stride,
				dilation: conv.dilation,
				fill: part.zero_points[0],
				..Default::default()
			};
			self.emit(Kernel::Unfold(*plane), params, unfolded, &[input], units, 192);
		}
		Ok(unfolded)
	}

	/// What each column adds to its sums and how it rescales them; none where neither columns nor rows
	/// add anything.
	pub(super) fn column_terms(
		&mut self,
		product: &Product,
		tail: &Tail,
	) -> Result<Option<BufferId>, GpuError> {
		let Size { batches, depth, columns, .. } = product.size;
		let [left_zero, right_zero] = product.zero_points;
		let offset = if product.planes.len() > 1 { 128i32 } else { 0 };
		let factor = offset.wrapping_sub(left_zero);
		let constant = (depth as i32).wrapping_mul(left_zero).wrapping_mul(right_zero);
		let zero = factor == 0 && right_zero == 0;
		if zero && tail.bias.is_none() && tail.rescale.is_none() {
			return Ok(None);
		}
		let mut values = vec![product.right_value];
		let right = product.right;
		// Operands that there are none of repeat the right one.
		let (mut bias, mut multiplier, mut shift) = (right, right, right);
		let mut params = ColumnTermsParams {
			columns,
			depth: product.size.vectors(),
			factor,
			constant,
			..Default::default()
		};
		if let Some(added) = &tail.bias {
			values.push(added.value);
			bias = added.buffer;
			(params.biased, params.bias_stride) = (1, added.stride);
		}
		if let Some(rescale) = &tail.rescale {
			values.extend(rescale.values);
			[multiplier, shift] = rescale.buffers;
			(params.scaled, params.scale_stride) = (1, rescale.stride);
		}
		let elements = u64::from(batches) * u64::from(columns);
		let work = 16 + if factor == 0 { 0 } else { u64::from(depth) };
		let terms = self.preparing(&values, |lowering| {
			let terms = lowering.temporary(elements * 4)?;
			let operands = [right, bias, multiplier, shift];
			lowering.emit(Kernel::ColumnTerms, params, terms, &operands, elements, work);
			Ok(terms)
		})?;
		Ok(Some(terms))
	}

	/// What each row adds to its sums; none where the right operand has no zero point.
	fn row_terms(
		&mut self,
		product: &Product,
		left: BufferId,
	) -> Result<Option<BufferId>, GpuError> {
		let Size { batches, rows, depth, .. } = product.size;
		let factor = product.zero_points[1].wrapping_neg();
		if factor == 0 {
			return Ok(None);
		}
		let offset = if product.planes.len() > 1 { (depth as i32).wrapping_mul(128) } else { 0 };
		let params = RowTermsParams {
			rows,
			depth: product.size.vectors(),
			planes: product.planes.len() as u32,
			plane: product.plane(),
			factor,
			constant: factor.wrapping_mul(offset),
			..Default::default()
		};
		let elements = u64::from(batches) * u64::from(rows);
		let terms = self.temporary(elements)?;
		let work = u64::from(depth) * product.planes.len() as u64 + 16;
		self.emit(Kernel::RowTerms, params, terms, &[left], elements, work);
		Ok(Some(terms))
	}

	/// Emits the product itself: elements of `out` from `out_base` on.
	pub(super) fn multiply(
		&mut self,
		product: &Product,
		left: BufferId,
		terms: Option<BufferId>,
		tail: &Tail,
		out: BufferId,
		out_base: u32,
	) -> Result<(), GpuError> {
		let row_terms = self.row_terms(product, left)?;
		let Size { rows, columns, .. } = product.size;
		let choice = (self.choose)(product.size)?;
		let variant = choice.variant;
		let [tile_rows, tile_columns] = variant.tile();
		let mut params = ProductParams {
			row_tiles: rows.div_ceil(tile_rows),
			column_tiles: columns.div_ceil(tile_columns),
			rows,
			columns,
			depth: product.size.vectors(),
			out_base,
			..Default::default()
		};
		let mut finish = if terms.is_some() { Finish::Terms } else { Finish::Nothing };
		if let Some(rescale) = &tail.rescale {
			finish = Finish::Rescale;
			params.input_zero_point = rescale.input_zero_point;
			params.output_zero_point = rescale.output_zero_point;
			[params.low, params.high] = rescale.limits;
		}
		// Terms that there are none of are never read.
		let operands = [
			left,
			product.right,
			terms.unwrap_or(product.right),
			row_terms.unwrap_or(product.right),
		];
		let tiles = variant.tiles(product.size);
		let ranges = self.vector_ranges(variant, choice.rate, params.depth);
		let passes = product.planes.len();
		for pass in 0..passes {
			params.a_base = pass as u32 * product.plane();
			params.shift = if pass + 1 < passes { 8 } else { 0 };
			for [k_begin, k_end] in &ranges {
				(params.k_begin, params.k_end) = (*k_begin, *k_end);
				let last = pass + 1 == passes && *k_end == params.depth;
				let ending = Ending {
					finish: if last { finish } else { Finish::Nothing },
					accumulate: pass > 0 || *k_begin > 0,
					row_terms: last && row_terms.is_some(),
				};
				let kernel = Kernel::Product(variant, ending);
				let work = self.work(variant, choice.rate, u64::from(k_end - k_begin));
				self.emit(kernel, params, out, &operands, tiles, work);
			}
		}
		Ok(())
	}

	/// Notes that the product's kernel has made the values of its tail.
	pub(super) fn finished(&mut self, tail: &Tail, out: BufferId) {
		self.done.extend(tail.values.iter().map(|value| (*value, out)));
	}

	/// Parts of the summed axis, in vectors, each short enough that one tile fits a dispatch.
	fn vector_ranges(&self, variant: Variant, rate: Option<u64>, vectors: u32) -> Vec<[u32; 2]> {
		let most = self.bounds.work / self.work(variant, rate, 1).max(1);
		let step = (most / VECTORS * VECTORS).clamp(VECTORS, LOOP) as u32;
		(0..vectors).step_by(step as usize).map(|q| [q, vectors.min(q + step)]).collect()
	}

	/// Work of one tile over `vectors` of the summed axis, as it counts at the bounds' rate.
	fn work(&self, variant: Variant, rate: Option<u64>, vectors: u64) -> u64 {
		let [rows, columns] = variant.tile().map(u64::from);
		let macs = rows * columns * vectors * u64::from(VECTOR);
		let slowness =
			|rate: u64| u128::from(macs) * u128::from(self.bounds.rate) / u128::from(rate.max(1));
		rate.map_or(macs, |rate| u64::try_from(slowness(rate)).unwrap_or(u64::MAX))
	}
}
