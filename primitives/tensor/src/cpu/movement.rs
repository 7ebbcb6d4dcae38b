// SPDX-License-Identifier: Apache-2.0

//! Operators that move elements.

use super::{
	buffer::{with_both, Element, Elements, ElementsMut},
	stored,
};
use crate::{
	ops::{
		movement::{Movement, Source},
		scalar, strides, unravel, At,
	},
	ExecError, TensorType, MAX_RANK,
};
use rayon::prelude::*;

/// Elements that are worth another task.
const GRAIN: usize = 1 << 15;

/// Side of the squares in which a transposition goes: some lines of both sides stay in cache.
const SQUARE: usize = 32;

/// The result of a movement, whose type is `ty`.
pub fn run(
	movement: &Movement,
	types: &[&TensorType],
	operands: &[Elements],
	ty: &TensorType,
	out: ElementsMut,
) -> Result<(), ExecError> {
	macro_rules! typed {
		($($variant:ident)*) => {
			match out {
				$(ElementsMut::$variant(out) => {
					let operands = operands.iter().map(|operand| match operand {
						Elements::$variant(elements) => Ok(*elements),
						_ => Err(ExecError::Inconsistent),
					});
					moved(movement, types, &operands.collect::<Result<Vec<_>, _>>()?, ty, out);
				})*
			}
		};
	}
	typed!(I8 I16 I32);
	Ok(())
}

fn moved<T: Element>(
	movement: &Movement,
	types: &[&TensorType],
	operands: &[&[T]],
	ty: &TensorType,
	out: &mut [T],
) {
	let source = |at: &At| {
		movement
			.source(at, |operand| types.get(operand).copied())
			.expect("a checked movement has a source for every element")
	};
	let all_strides: Vec<_> = types.iter().map(|ty| strides(&ty.shape)).collect();
	let place = |operand: usize, at: &At| {
		at.iter().zip(&all_strides[operand]).map(|(at, stride)| *at as u64 * stride).sum::<u64>()
	};
	match movement {
		Movement::Slice { .. }
		| Movement::Transpose { .. }
		| Movement::Reverse { .. }
		| Movement::Identity => {
			// Each axis moves the source by a fixed distance: one step tells which.
			let offset = |at: &At| match source(at) {
				Source::Operand(operand, from) => place(operand, &from) as i64,
				Source::Fill(_) => 0,
			};
			let base = offset(&At::default());
			let mut steps = [0i64; MAX_RANK];
			for (axis, extent) in ty.shape.iter().enumerate() {
				if *extent > 1 {
					let mut next = At::default();
					next[axis] = 1;
					steps[axis] = offset(&next) - base;
				}
			}
			gather_affine(operands[0], &ty.shape, base, &steps[..ty.rank()], out);
		}
		Movement::Concat { axis } => {
			let inner = |ty: &TensorType| {
				ty.shape[*axis..].iter().map(|extent| *extent as usize).product::<usize>()
			};
			let rows = out.par_chunks_mut(inner(ty)).enumerate();
			rows.with_min_len((GRAIN / inner(ty)).max(1)).for_each(|(number, mut out)| {
				for (ty, operand) in types.iter().zip(operands) {
					let length = inner(ty);
					let (part, rest) = out.split_at_mut(length);
					part.copy_from_slice(&operand[number * length..][..length]);
					out = rest;
				}
			});
		}
		Movement::Pad { .. } | Movement::Reshape { .. } | Movement::Tile => {
			out.par_chunks_mut(GRAIN).enumerate().for_each(|(block, elements)| {
				for (number, element) in elements.iter_mut().enumerate() {
					let at = unravel((block * GRAIN + number) as u64, &ty.shape);
					*element = match source(&at) {
						Source::Fill(value) => T::of(value),
						Source::Operand(operand, from) => {
							operands[operand][place(operand, &from) as usize]
						}
					};
				}
			});
		}
	}
}

/// Reads `from` in row-major order of `shape`, element `at` at `base + Σ at × strides`.
pub fn gather_affine<T: Element>(
	from: &[T],
	shape: &[u32],
	base: i64,
	strides: &[i64],
	out: &mut [T],
) {
	// Axes joined where the source moves over both as over one.
	let mut axes: Vec<(usize, i64)> = Vec::new();
	for (extent, stride) in shape.iter().zip(strides) {
		let extent = *extent as usize;
		match axes.last_mut() {
			_ if extent == 1 => {}
			Some((outer, step)) if *step == stride * extent as i64 => {
				(*outer, *step) = (*outer * extent, *stride);
			}
			_ => axes.push((extent, *stride)),
		}
	}
	let Some((&(row, step), outer)) = axes.split_last() else {
		out[0] = from[base as usize];
		return;
	};
	let across = outer.iter().position(|(_, stride)| *stride == 1);
	if let (Some(across), true) = (across, step != 1) {
		return transpose(from, &axes, across, base, out);
	}
	let rows_each = (GRAIN / row).max(1);
	let block = |number: usize, rows: &mut [T]| {
		let mut lines = Lines::new(outer, base, number * rows_each);
		for out in rows.chunks_mut(row) {
			let start = lines.next();
			if step == 1 {
				out.copy_from_slice(&from[start as usize..][..row]);
			} else {
				let mut place = start;
				for element in out {
					*element = from[place as usize];
					place += step;
				}
			}
		}
	};
	for_each_block(out, row * rows_each, block);
}

/// [`gather_affine`] where the source is contiguous along axis `across`, which is not the last.
fn transpose<T: Element>(
	from: &[T],
	axes: &[(usize, i64)],
	across: usize,
	base: i64,
	out: &mut [T],
) {
	let (row, step) = axes[axes.len() - 1];
	let below: usize = axes[across + 1..].iter().map(|(extent, _)| extent).product();
	let between = &axes[across + 1..axes.len() - 1];
	let lines = axes[across].0;
	// A task has some of the lines across, and all that is below them.
	let part = if lines.is_multiple_of(SQUARE) { SQUARE } else { lines };
	let block = |number: usize, out: &mut [T]| {
		let first = number % (lines / part) * part;
		let start = Lines::new(&axes[..across], base, number / (lines / part)).next();
		let start = start + first as i64;
		let mut inner = Lines::new(between, start, 0);
		for middle in 0..below / row {
			let start = inner.next();
			for y in (0..part).step_by(SQUARE) {
				let width = SQUARE.min(part - y);
				for x in (0..row).step_by(SQUARE) {
					for x in x..row.min(x + SQUARE) {
						let line = (start + x as i64 * step) as usize + y;
						let line = &from[line..][..width];
						let to = out[y * below + middle * row + x..].iter_mut().step_by(below);
						for (to, from) in to.zip(line) {
							*to = *from;
						}
					}
				}
			}
		}
	};
	for_each_block(out, part * below, block);
}

/// Does something with each block of `size` elements, in parallel where that is worth it.
fn for_each_block<T: Element>(out: &mut [T], size: usize, each: impl Fn(usize, &mut [T]) + Sync) {
	if out.len() <= GRAIN || rayon::current_num_threads() == 1 {
		out.chunks_mut(size).enumerate().for_each(|(number, out)| each(number, out));
	} else {
		let blocks = out.par_chunks_mut(size).enumerate();
		blocks.with_min_len((GRAIN / size).max(1)).for_each(|(number, out)| each(number, out));
	}
}

/// The places of lines, one after the other in row-major order of some axes.
struct Lines<'a> {
	axes: &'a [(usize, i64)],
	at: [usize; MAX_RANK],
	place: i64,
}

impl<'a> Lines<'a> {
	/// From line number `number` on; the first of all is at `base`.
	fn new(axes: &'a [(usize, i64)], base: i64, mut number: usize) -> Self {
		let (mut at, mut place) = ([0; MAX_RANK], base);
		for ((extent, stride), at) in axes.iter().zip(&mut at).rev() {
			*at = number % extent;
			number /= extent;
			place += *at as i64 * stride;
		}
		Self { axes, at, place }
	}

	/// The place of this line; goes on to the next.
	fn next(&mut self) -> i64 {
		let here = self.place;
		for ((extent, stride), at) in self.axes.iter().zip(&mut self.at).rev() {
			*at += 1;
			self.place += stride;
			if *at < *extent {
				break;
			}
			self.place -= *at as i64 * stride;
			*at = 0;
		}
		here
	}
}

/// Values that rows are taken from.
#[derive(Clone, Copy)]
pub enum Rows<'a> {
	/// A value.
	Value(Elements<'a>),
	/// The bytes of a constant that is stored row-major and not Bool.
	Stored(&'a [u8]),
}

/// See [`Op::Gather`](crate::Op::Gather). The types are those of values and indices.
pub fn gather(
	[values_type, indices_type]: [&TensorType; 2],
	values: Rows,
	indices: &[i32],
	out: ElementsMut,
) -> Result<(), ExecError> {
	match (values, out) {
		(Rows::Stored(bytes), ElementsMut::I8(out)) => {
			rows_of([values_type, indices_type], indices, out, |place, out| {
				stored::read(&bytes[place..], out);
			});
		}
		(Rows::Stored(bytes), ElementsMut::I16(out)) => {
			rows_of([values_type, indices_type], indices, out, |place, out| {
				stored::read(&bytes[place * 2..], out);
			});
		}
		(Rows::Stored(bytes), ElementsMut::I32(out)) => {
			rows_of([values_type, indices_type], indices, out, |place, out| {
				stored::read(&bytes[place * 4..], out);
			});
		}
		(Rows::Value(values), out) => {
			return with_both!((values, out), (values, out) => {
				rows_of([values_type, indices_type], indices, out, |place, out| {
					out.copy_from_slice(&values[place..][..out.len()]);
				});
			});
		}
	}
	Ok(())
}

/// Hands the place of the first element of each row that an index names, and room for it, to `copy`.
fn rows_of<T: Element>(
	[values_type, indices_type]: [&TensorType; 2],
	indices: &[i32],
	out: &mut [T],
	copy: impl Fn(usize, &mut [T]) + Sync,
) {
	let (entries, row) = (values_type.shape[1], values_type.shape[2] as usize);
	let width = indices_type.shape[1] as usize;
	let rows = out.par_chunks_mut(row).zip(indices).enumerate();
	rows.with_min_len((GRAIN / row).max(1)).for_each(|(number, (out, index))| {
		let index = scalar::limit_index(*index, entries) as usize;
		copy((number / width * entries as usize + index) * row, out);
	});
}

/// See [`Op::Scatter`](crate::Op::Scatter). The types are those of values and indices.
pub fn scatter(
	[values_type, indices_type]: [&TensorType; 2],
	[values, input]: [Elements; 2],
	indices: &[i32],
	out: ElementsMut,
) -> Result<(), ExecError> {
	macro_rules! typed {
		($($variant:ident)*) => {
			match (values, input, out) {
				$((Elements::$variant(values), Elements::$variant(input), ElementsMut::$variant(out)) => {
					scattered([values_type, indices_type], values, indices, input, out);
				})*
				_ => return Err(ExecError::Inconsistent),
			}
		};
	}
	typed!(I8 I16 I32);
	Ok(())
}

fn scattered<T: Element>(
	[values_type, indices_type]: [&TensorType; 2],
	values: &[T],
	indices: &[i32],
	input: &[T],
	out: &mut [T],
) {
	let (entries, row) = (values_type.shape[1], values_type.shape[2] as usize);
	let width = indices_type.shape[1] as usize;
	out.copy_from_slice(values);
	let batches = out.par_chunks_mut(entries as usize * row).zip(indices.par_chunks(width));
	batches.zip(input.par_chunks(width * row)).for_each(|((out, indices), input)| {
		for (index, input) in indices.iter().zip(input.chunks(row)) {
			let index = scalar::limit_index(*index, entries) as usize;
			out[index * row..][..row].copy_from_slice(input);
		}
	});
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn every_order_of_axes_is_read_exactly() {
		// Some extents are multiples of the squares' side, some are not.
		for shape in [[2usize, 3, 32, 5], [33, 2, 4, 37], [1, 64, 3, 40]] {
			let from: Vec<i16> =
				(0..shape.iter().product::<usize>() as i32).map(|i| i as i16).collect();
			let own = [shape[1] * shape[2] * shape[3], shape[2] * shape[3], shape[3], 1];
			for order in 0..256usize {
				let axes: Vec<usize> = (0..4).map(|place| order >> (2 * place) & 3).collect();
				if (0..4).any(|axis| !axes.contains(&axis)) {
					continue;
				}
				let extents: Vec<u32> = axes.iter().map(|axis| shape[*axis] as u32).collect();
				let strides: Vec<i64> = axes.iter().map(|axis| own[*axis] as i64).collect();
				let mut out = vec![0; from.len()];
				gather_affine(&from, &extents, 0, &strides, &mut out);
				for (index, found) in out.iter().enumerate() {
					let at = unravel(index as u64, &extents);
					let place: i64 = at.iter().zip(&strides).map(|(at, s)| *at as i64 * s).sum();
					assert_eq!(*found, from[place as usize], "{shape:?} as {axes:?} at {index}");
				}
			}
		}
	}
}
