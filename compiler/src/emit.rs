// SPDX-License-Identifier: Apache-2.0

//! The program under construction, with the bytes of its blobs and shorthands for what the macros
//! need again and again.

use crate::{
	error::CompileError,
	quantise::{Multipliers, Quant},
};
use std::collections::HashSet;
use tensornet_tensor::{
	Binary, CheckedProgram, DType, Layout, Op, ProgramBuilder, ProgramError, Reduction, TensorType,
	ValueId,
};

/// The most bytes of a constant that is inside the program whatever it is for. Programs are on chain, and
/// their length is limited; but of constants inside them the chain knows the range.
const SHORT: u64 = 2048;

/// A program builder that keeps the bytes of the blobs.
#[derive(Default)]
pub struct Emit {
	builder: ProgramBuilder,
	blobs: Vec<([u8; 32], Vec<u8>)>,
	computed: HashSet<ValueId>,
}

impl Emit {
	/// An input, row-major. Every iteration reads a tensor of its own if `each`, the same one otherwise.
	pub fn input(&mut self, ty: TensorType, each: bool) -> Result<ValueId, ProgramError> {
		self.builder.input(ty, Layout::row_major(), each)
	}

	/// A tensor that is carried from one iteration to the next. It must be given a [`next`](Self::next).
	pub fn state(&mut self, ty: TensorType) -> Result<ValueId, ProgramError> {
		self.builder.state(ty)
	}

	/// Makes a value of the same type what `state` is in the next iteration.
	pub fn next(&mut self, state: ValueId, value: ValueId) -> Result<(), ProgramError> {
		// Only what an operator computes can be committed.
		let next =
			if self.computed.contains(&value) { value } else { self.op(Op::Identity, &[value])? };
		self.builder.next(state, next, Layout::row_major())
	}

	/// Sets the most iterations that a job may ask for.
	pub fn iterations(&mut self, most: u32) {
		self.builder.max_iterations(most);
	}

	/// A small constant inside the program, row-major.
	pub fn inline(
		&mut self,
		dtype: DType,
		shape: &[u32],
		elements: &[i32],
	) -> Result<ValueId, ProgramError> {
		self.builder.constant_values(TensorType::new(dtype, shape), elements)
	}

	/// A constant inside the program if it is short, otherwise in a blob of its own. Row-major.
	pub fn constant(
		&mut self,
		dtype: DType,
		shape: &[u32],
		elements: &[i32],
	) -> Result<ValueId, ProgramError> {
		if elements.len() as u64 * dtype.size() <= SHORT {
			self.inline(dtype, shape, elements)
		} else {
			self.blob(dtype, shape, Layout::row_major(), elements)
		}
	}

	/// A constant in a blob of its own. `elements` are row-major, `layout` is how they are stored.
	pub fn blob(
		&mut self,
		dtype: DType,
		shape: &[u32],
		layout: Layout,
		elements: &[i32],
	) -> Result<ValueId, ProgramError> {
		let bytes = stored(dtype, shape, &layout, elements);
		let root = *blake3::hash(&bytes).as_bytes();
		let value = self.builder.constant_blob(TensorType::new(dtype, shape), layout, root)?;
		if self.blobs.iter().all(|(known, _)| *known != root) {
			self.blobs.push((root, bytes));
		}
		Ok(value)
	}

	/// Applies an operator.
	pub fn op(&mut self, op: Op, operands: &[ValueId]) -> Result<ValueId, ProgramError> {
		let value = self.builder.op(op, operands)?;
		self.computed.insert(value);
		Ok(value)
	}

	/// Lets a macro add to the program.
	pub fn expand<T>(&mut self, expansion: impl FnOnce(&mut ProgramBuilder) -> T) -> T {
		expansion(&mut self.builder)
	}

	/// Counts values that a macro computed among those that may be committed.
	pub fn adopt(&mut self, values: &[ValueId]) {
		self.computed.extend(values);
	}

	/// Applies a two-operand elementwise operator.
	pub fn binary(&mut self, op: Binary, a: ValueId, b: ValueId) -> Result<ValueId, ProgramError> {
		self.op(Op::Binary(op), &[a, b])
	}

	/// Applies a two-operand elementwise operator to an I32 value and a number.
	pub fn with(&mut self, op: Binary, a: ValueId, number: i32) -> Result<ValueId, ProgramError> {
		let rank = self.shape(a).len();
		let number = self.builder.scalar(rank, number)?;
		self.binary(op, a, number)
	}

	/// `(a × b + 2^(shift − 1)) >> shift`.
	pub fn mul(&mut self, a: ValueId, b: ValueId, shift: u8) -> Result<ValueId, ProgramError> {
		self.op(Op::Mul { shift }, &[a, b])
	}

	/// Limits every element.
	pub fn clamp(&mut self, a: ValueId, min: i32, max: i32) -> Result<ValueId, ProgramError> {
		self.op(Op::Clamp { min, max }, &[a])
	}

	/// Converts the elements.
	pub fn cast(&mut self, a: ValueId, to: DType) -> Result<ValueId, ProgramError> {
		self.op(Op::Cast { to }, &[a])
	}

	/// Sum or extreme along an axis, which is kept.
	pub fn reduce(
		&mut self,
		reduction: Reduction,
		a: ValueId,
		axis: usize,
	) -> Result<ValueId, ProgramError> {
		self.op(Op::Reduce { reduction, axis: axis as u8 }, &[a])
	}

	/// The same elements in another shape; nothing where the shape is the same. Where axes are cut
	/// at other places, it goes through the shape with all cuts, so that an arbiter sees which
	/// elements a box of the result comes from.
	pub fn reshape(&mut self, a: ValueId, shape: &[u32]) -> Result<ValueId, ProgramError> {
		let from = self.shape(a);
		if from == shape {
			return Ok(a);
		}
		let a = match all_cuts(&from, shape) {
			Some(cuts) if cuts != narrow(&from) && cuts != narrow(shape) => {
				self.op(Op::Reshape { shape: cuts }, &[a])?
			}
			_ => a,
		};
		self.op(Op::Reshape { shape: shape.to_vec() }, &[a])
	}

	/// `(a − zero) × factor`, rounded, as integers of `quant`. `factors` are the values of one unit of
	/// `a`: one for each element of the last axis, or one for all.
	///
	/// Errors: `None` if a factor is too large for a multiplier.
	pub fn requantise(
		&mut self,
		a: ValueId,
		zero: i32,
		factors: &[f64],
		quant: &Quant,
	) -> Result<Option<ValueId>, ProgramError> {
		let factors: Vec<f64> = factors.iter().map(|factor| factor / quant.unit).collect();
		let Some(Multipliers { multipliers, shift }) = Multipliers::of(&factors) else {
			return Ok(None);
		};
		let count = multipliers.len() as u32;
		let multiplier = self.constant(DType::I32, &[count], &multipliers)?;
		let shift = self.constant(DType::I8, &[count], &vec![shift; multipliers.len()])?;
		let op = Op::Rescale {
			output: quant.dtype,
			input_zero_point: zero,
			output_zero_point: quant.zero,
			per_channel: count > 1,
		};
		let value = self.op(op, &[a, multiplier, shift])?;
		Ok(Some(if quant.is_limited() { self.clamp(value, quant.low, quant.high)? } else { value }))
	}

	/// Makes a computed value one that may be committed; one that may be already keeps its layout.
	pub fn candidate(&mut self, value: ValueId, layout: Layout) {
		if self.computed.contains(&value) {
			self.builder.checkpoint(value, layout);
		}
	}

	/// The shape of a value; empty for one of another builder.
	pub fn shape(&self, value: ValueId) -> Vec<u32> {
		self.builder.type_of(value).map(|ty| ty.shape.clone()).unwrap_or_default()
	}

	/// The element type of a value.
	pub fn dtype(&self, value: ValueId) -> DType {
		self.builder.type_of(value).map_or(DType::I32, |ty| ty.dtype)
	}

	/// The program, in which every candidate is committed, with its blobs; `values` are renumbered as the
	/// program numbers them.
	pub fn finish(
		mut self,
		output: ValueId,
		values: &mut [ValueId],
	) -> Result<(CheckedProgram, Vec<([u8; 32], Vec<u8>)>), CompileError> {
		self.builder.output(output, Layout::row_major());
		Ok((self.builder.finish_with_values(values)?, self.blobs))
	}

	/// The program with these outputs, and its blobs.
	pub fn finish_all(
		mut self,
		outputs: &[ValueId],
	) -> Result<(CheckedProgram, Vec<([u8; 32], Vec<u8>)>), CompileError> {
		for output in outputs {
			self.builder.output(*output, Layout::row_major());
		}
		Ok((self.builder.finish()?, self.blobs))
	}
}

/// The stored bytes of a tensor whose elements are given row-major.
pub fn stored(dtype: DType, shape: &[u32], layout: &Layout, elements: &[i32]) -> Vec<u8> {
	let strides = layout.strides(shape);
	let size = dtype.size() as usize;
	let mut bytes = vec![0u8; elements.len() * size];
	for (index, value) in elements.iter().enumerate() {
		let mut rest = index as u64;
		let mut place = 0u64;
		for (extent, stride) in shape.iter().zip(&strides).rev() {
			place += rest % *extent as u64 * stride;
			rest /= *extent as u64;
		}
		let at = place as usize * size;
		bytes[at..at + size].copy_from_slice(&value.to_le_bytes()[..size]);
	}
	bytes
}

/// A shape without its axes of extent 1.
fn narrow(shape: &[u32]) -> Vec<u32> {
	shape.iter().copied().filter(|extent| *extent > 1).collect()
}

/// The coarsest shape of which both `a` and `b` are made by joining axes; `None` if there is none or
/// it has too many axes.
fn all_cuts(a: &[u32], b: &[u32]) -> Option<Vec<u32>> {
	let ends = |shape: &[u32]| -> Vec<u64> {
		let product = |all: &mut u64, extent: &u32| {
			*all *= *extent as u64;
			Some(*all)
		};
		shape.iter().scan(1, product).filter(|end| *end > 1).collect()
	};
	let mut all = [ends(a), ends(b)].concat();
	all.sort_unstable();
	all.dedup();
	let mut before = 1;
	let mut shape = Vec::with_capacity(all.len());
	for end in all {
		if !end.is_multiple_of(before) {
			return None;
		}
		shape.push((end / before) as u32);
		before = end;
	}
	(shape.len() <= tensornet_tensor::MAX_RANK).then_some(shape)
}

/// The layout of a tensor of `rank` axes that stores `axis` innermost and keeps the others in order.
pub fn innermost(rank: usize, axis: usize) -> Layout {
	let mut axes: Vec<u8> = (0..rank as u8).filter(|other| *other as usize != axis).collect();
	axes.push(axis as u8);
	Layout::new(&axes)
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn axes_cut_at_different_places_have_a_common_shape() {
		assert_eq!(all_cuts(&[1, 2048, 64], &[1, 512, 256]), Some(vec![512, 4, 64]));
		assert_eq!(all_cuts(&[1, 1, 32], &[32]), Some(vec![32]));
		assert_eq!(all_cuts(&[2, 3], &[3, 2]), None);
	}

	#[test]
	fn columns_are_stored_one_after_the_other_when_rows_are_innermost() {
		let layout = innermost(2, 0);
		assert_eq!(stored(DType::I8, &[2, 3], &layout, &[1, 2, 3, 4, 5, 6]), [1, 4, 2, 5, 3, 6]);
		assert_eq!(innermost(3, 2), Layout::row_major());
		assert_eq!(stored(DType::I16, &[1], &Layout::row_major(), &[-2]), [0xfe, 0xff]);
	}
}
