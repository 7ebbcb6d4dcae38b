// SPDX-License-Identifier: Apache-2.0

//! Twins in Rust of the kernels that a product of bytes is made of, and of the one that loads leaves. Every
//! other kernel's twin is the tensor crate's operator of its name. They show without a device what a list of
//! dispatches computes, however it was cut.

use super::{Action, Dispatch, Lowered, Upload};
use crate::gpu::{
	kernel::{Kernel, Plane},
	params::{
		ColumnTermsParams, LoadParams, PackParams, ProductParams, RowTermsParams, UnfoldParams,
	},
	product::{Ending, Finish, Variant},
};
use bytemuck::Pod;
use tensornet_tensor::DType;

/// The buffers of a lowered program, as words.
pub(super) struct Twin(Vec<Vec<u32>>);

impl Twin {
	/// Runs one iteration on stored bytes: the stored bytes of each checkpoint.
	pub(super) fn run(lowered: &Lowered, constants: &[&[u8]], inputs: &[&[u8]]) -> Vec<Vec<u8>> {
		// What nothing has written is not zero.
		let words = |bytes: u64| vec![0x5555_5555; bytes.div_ceil(4) as usize];
		let mut twin = Self(lowered.buffers.iter().map(|buffer| words(buffer.bytes)).collect());
		for (upload, stored) in lowered.constants.iter().zip(constants) {
			twin.upload(upload.as_ref().expect("every constant is used"), stored);
		}
		for (upload, stored) in lowered.inputs.iter().zip(inputs) {
			twin.upload(upload, stored);
		}
		let mut checkpoints = Vec::new();
		for action in &lowered.actions {
			match action {
				Action::Dispatch(dispatch) => twin.dispatch(dispatch),
				Action::Download { from, checkpoint } => {
					let bytes: &[u8] = bytemuck::cast_slice(&twin.0[*from]);
					let length = lowered.checkpoints[*checkpoint] as usize;
					checkpoints.push(bytes[..length].to_vec());
				}
			}
		}
		checkpoints
	}

	fn upload(&mut self, upload: &Upload, stored: &[u8]) {
		let raw: &mut [u8] = bytemuck::cast_slice_mut(&mut self.0[upload.raw]);
		raw[..stored.len()].copy_from_slice(stored);
		for dispatch in &upload.prepare {
			self.dispatch(dispatch);
		}
	}

	fn dispatch(&mut self, dispatch: &Dispatch) {
		let mut out = std::mem::take(&mut self.0[dispatch.out]);
		let operands: Vec<&[u32]> =
			dispatch.operands.iter().map(|operand| &self.0[*operand][..]).collect();
		match dispatch.kernel {
			Kernel::Load => load(params(dispatch), &mut out, operands[0]),
			Kernel::Pack(plane) => pack(plane, params(dispatch), &mut out, operands[0]),
			Kernel::Unfold(plane) => unfold(plane, params(dispatch), &mut out, operands[0]),
			Kernel::ColumnTerms => column_terms(params(dispatch), &mut out, &operands),
			Kernel::RowTerms => row_terms(params(dispatch), &mut out, operands[0]),
			Kernel::Product(variant, ending) => {
				product(variant, ending, params(dispatch), &mut out, &operands);
			}
			other => panic!("{other:?} is an operator's twin"),
		}
		self.0[dispatch.out] = out;
	}
}

fn params<P: Pod>(dispatch: &Dispatch) -> P {
	bytemuck::pod_read_unaligned(&dispatch.params)
}

/// `load.wgsl` where the stored order is the row-major one.
fn load(p: LoadParams, out: &mut [u32], words: &[u32]) {
	let bytes: &[u8] = bytemuck::cast_slice(words);
	assert_eq!((p.rank, p.strides[0]), (1, 1));
	let places = p.first as usize..(p.first + p.count) as usize;
	for (out, i) in out[places.clone()].iter_mut().zip(places) {
		*out = match p.dtype {
			dtype if dtype == DType::I8 as u32 => bytes[i] as i8 as u32,
			dtype if dtype == DType::I16 as u32 => {
				i16::from_le_bytes([bytes[2 * i], bytes[2 * i + 1]]) as u32
			}
			_ => words[i],
		};
	}
}

/// `plane.wgsl`.
fn byte_of(plane: Plane, value: i32) -> u8 {
	match plane {
		Plane::Whole => value as u8,
		Plane::High => (value >> 8) as u8,
		Plane::Low => value as u8 ^ 0x80,
	}
}

/// Writes byte `lane` of vector `at`.
fn write_byte(out: &mut [u32], at: u32, lane: u32, byte: u8) {
	let bytes: &mut [u8] = bytemuck::cast_slice_mut(out);
	bytes[(at * 16 + lane) as usize] = byte;
}

/// The bytes of vector `at`.
fn vector(words: &[u32], at: u32) -> &[i8] {
	let bytes: &[i8] = bytemuck::cast_slice(words);
	&bytes[at as usize * 16..][..16]
}

/// `pack.wgsl`.
fn pack(plane: Plane, p: PackParams, out: &mut [u32], value: &[u32]) {
	for i in p.first..p.first + p.count {
		let (inner, rest) = (i % p.inner, i / p.inner);
		let start = rest / p.vectors * p.outer_stride + inner * p.inner_stride;
		for lane in 0..16 {
			let k = rest % p.vectors * 16 + lane;
			let value = || value[(start + k * p.length_stride) as usize] as i32;
			let byte = if k < p.length { byte_of(plane, value()) } else { 0 };
			write_byte(out, p.out_base + i, lane, byte);
		}
	}
}

/// `unfold.wgsl`.
fn unfold(plane: Plane, p: UnfoldParams, out: &mut [u32], input: &[u32]) {
	for i in p.first..p.first + p.count {
		let mut row = p.row_base + i % p.rows;
		let mut place = [0; 3];
		for axis in [2, 1, 0] {
			place[axis] = row % p.out_extents[axis];
			row /= p.out_extents[axis];
		}
		for lane in 0..16 {
			let k = i / p.rows * 16 + lane;
			let (window, channel) = (k / p.channels, k % p.channels);
			let line = window / p.kernel_width;
			let tap = [line / p.kernel_height, line % p.kernel_height, window % p.kernel_width];
			// Row is what is left of it: the batch.
			let at = (0..3).try_fold(row, |at, axis| {
				let moved = place[axis] * p.stride[axis] + tap[axis] * p.dilation[axis];
				let inside = moved.checked_sub(p.pad[axis]).filter(|x| *x < p.extents[axis])?;
				Some(at * p.extents[axis] + inside)
			});
			let value = at.map_or(p.fill, |at| input[(at * p.channels + channel) as usize] as i32);
			let byte = if k < p.length { byte_of(plane, value) } else { 0 };
			write_byte(out, p.out_base + i, lane, byte);
		}
	}
}

/// Sum of the bytes of vectors `first`, `first + step`, ..
fn sum(words: &[u32], first: u32, step: u32, count: u32) -> i32 {
	let vectors = (0..count).flat_map(|q| vector(words, first + q * step));
	vectors.fold(0, |sum, byte| sum.wrapping_add((*byte).into()))
}

/// `column_terms.wgsl`.
fn column_terms(p: ColumnTermsParams, out: &mut [u32], operands: &[&[u32]]) {
	let [right, bias, multipliers, shifts] = operands else { panic!("four operands") };
	for i in p.first..p.first + p.count {
		let (batch, column) = (i / p.columns, i % p.columns);
		let sum = sum(right, batch * p.depth * p.columns + column, p.columns, p.depth);
		let mut term = p.constant.wrapping_add(p.factor.wrapping_mul(sum));
		if p.biased == 1 {
			term = term.wrapping_add(bias[(column * p.bias_stride) as usize] as i32);
		}
		let scale = (column * p.scale_stride) as usize;
		let [multiplier, shift] = [multipliers, shifts].map(|of| p.scaled * of[scale]);
		out[i as usize * 4..][..4].copy_from_slice(&[term as u32, multiplier, shift, 0]);
	}
}

/// `row_terms.wgsl`.
fn row_terms(p: RowTermsParams, out: &mut [u32], left: &[u32]) {
	for i in p.first..p.first + p.count {
		let start = i / p.rows * p.depth * p.rows + i % p.rows;
		let planes = (0..p.planes).map(|plane| sum(left, plane * p.plane + start, p.rows, p.depth));
		let sum = planes.fold(0i32, |all, sum| (all << 8).wrapping_add(sum));
		out[i as usize] = p.factor.wrapping_mul(sum).wrapping_add(p.constant) as u32;
	}
}

/// `product.wgsl` with `product_tile.wgsl` or `product_rows.wgsl`, which differ in order alone.
fn product(
	variant: Variant,
	ending: Ending,
	p: ProductParams,
	out: &mut [u32],
	operands: &[&[u32]],
) {
	let [left, right, column_terms, row_terms] = operands else { panic!("four operands") };
	let [tile_rows, tile_columns] = variant.tile();
	for tile in p.first..p.first + p.tiles {
		let (rest, column_tile) = (tile / p.column_tiles, tile % p.column_tiles);
		let (batch, row_tile) = (rest / p.row_tiles, rest % p.row_tiles);
		let tile_of =
			|tile: u32, extent: u32, all: u32| tile * extent..all.min((tile + 1) * extent);
		for row in tile_of(row_tile, tile_rows, p.rows) {
			for column in tile_of(column_tile, tile_columns, p.columns) {
				let mut sum = 0i32;
				for q in p.k_begin..p.k_end {
					let a = vector(left, p.a_base + (batch * p.depth + q) * p.rows + row);
					let b = vector(right, (batch * p.depth + q) * p.columns + column);
					let products = a.iter().zip(b).map(|(a, b)| i32::from(*a) * i32::from(*b));
					sum = products.fold(sum, i32::wrapping_add);
				}
				let at = (p.out_base + (batch * p.rows + row) * p.columns + column) as usize;
				let mut value = sum << p.shift;
				if ending.accumulate {
					value = value.wrapping_add(out[at] as i32);
				}
				let term = &column_terms[(batch * p.columns + column) as usize * 4..];
				if ending.finish != Finish::Nothing {
					value = value.wrapping_add(term[0] as i32);
				}
				if ending.row_terms {
					let row = row_terms[(batch * p.rows + row) as usize];
					value = value.wrapping_add(row as i32);
				}
				if ending.finish == Finish::Rescale {
					value = rescale(&p, value, term[1] as i32, term[2]);
				}
				out[at] = value as u32;
			}
		}
	}
}

fn rescale(p: &ProductParams, value: i32, multiplier: i32, shift: u32) -> i32 {
	let shift = shift & 63;
	let centred = i64::from(value.wrapping_sub(p.input_zero_point));
	let half = if shift > 0 { 1i64 << (shift - 1) } else { 0 };
	let scaled = (centred * i64::from(multiplier)).wrapping_add(half) >> shift;
	let limited = scaled.clamp(i32::MIN.into(), i32::MAX.into()) as i32;
	limited.wrapping_add(p.output_zero_point).min(p.high).max(p.low)
}
