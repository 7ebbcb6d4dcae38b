// SPDX-License-Identifier: Apache-2.0

//! Operators that move elements.

use super::stored::gather_affine;
use crate::{
	ops::{
		movement::{Movement, Source},
		scalar, strides, unravel, At,
	},
	TensorType, MAX_RANK,
};
use rayon::prelude::*;

/// Elements of one task.
const GRAIN: usize = 1 << 12;

/// The result of a movement.
pub fn run(movement: &Movement, operands: &[(&TensorType, &[i32])], out: &TensorType) -> Vec<i32> {
	let operand_type = |operand: usize| operands.get(operand).map(|(ty, _)| *ty);
	let source = |at: &At| {
		movement
			.source(at, operand_type)
			.expect("a checked movement has a source for every element")
	};
	let all_strides: Vec<_> = operands.iter().map(|(ty, _)| strides(&ty.shape)).collect();
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
			for (axis, extent) in out.shape.iter().enumerate() {
				if *extent > 1 {
					let mut next = At::default();
					next[axis] = 1;
					steps[axis] = offset(&next) - base;
				}
			}
			gather_affine(operands[0].1, &out.shape, base, &steps)
		}
		Movement::Concat { .. }
		| Movement::Pad { .. }
		| Movement::Reshape { .. }
		| Movement::Tile => {
			let mut result = vec![0; out.elements() as usize];
			result.par_chunks_mut(GRAIN).enumerate().for_each(|(block, elements)| {
				for (number, element) in elements.iter_mut().enumerate() {
					let at = unravel((block * GRAIN + number) as u64, &out.shape);
					*element = match source(&at) {
						Source::Fill(value) => value,
						Source::Operand(operand, from) => {
							operands[operand].1[place(operand, &from) as usize]
						}
					};
				}
			});
			result
		}
	}
}

/// See [`Op::Gather`](crate::Op::Gather).
pub fn gather(
	values_type: &TensorType,
	values: &[i32],
	indices_type: &TensorType,
	indices: &[i32],
) -> Vec<i32> {
	let (entries, row) = (values_type.shape[1], values_type.shape[2] as usize);
	let width = indices_type.shape[1] as usize;
	let mut result = vec![0; indices.len() * row];
	let rows = result.par_chunks_mut(row).zip(indices).enumerate().with_min_len(64);
	rows.for_each(|(number, (out, index))| {
		let index = scalar::limit_index(*index, entries) as usize;
		let start = (number / width * entries as usize + index) * row;
		out.copy_from_slice(&values[start..][..row]);
	});
	result
}

/// See [`Op::Scatter`](crate::Op::Scatter).
pub fn scatter(
	values_type: &TensorType,
	values: &[i32],
	indices_type: &TensorType,
	indices: &[i32],
	input: &[i32],
) -> Vec<i32> {
	let (entries, row) = (values_type.shape[1], values_type.shape[2] as usize);
	let width = indices_type.shape[1] as usize;
	let mut result = values.to_vec();
	let batches = result.par_chunks_mut(entries as usize * row).zip(indices.par_chunks(width));
	batches.zip(input.par_chunks(width * row)).for_each(|((out, indices), input)| {
		for (index, input) in indices.iter().zip(input.chunks(row)) {
			let index = scalar::limit_index(*index, entries) as usize;
			out[index * row..][..row].copy_from_slice(input);
		}
	});
	result
}
