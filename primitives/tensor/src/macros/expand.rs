// SPDX-License-Identifier: Apache-2.0

//! Shorthands for operators that the macros need again and again.

use super::{
	quant::{Factor, Target},
	real, MacroError,
};
use crate::{Binary, DType, Op, ProgramBuilder, Reduction, TensorType, Unary, ValueId};

/// A program builder in the hands of a macro.
pub(super) struct Expand<'a> {
	builder: &'a mut ProgramBuilder,
}

impl<'a> Expand<'a> {
	pub fn new(builder: &'a mut ProgramBuilder) -> Self {
		Self { builder }
	}

	pub fn ty(&self, a: ValueId) -> Result<&TensorType, MacroError> {
		self.builder.type_of(a).ok_or(MacroError::UnknownValue)
	}

	pub fn dtype(&self, a: ValueId) -> Result<DType, MacroError> {
		Ok(self.ty(a)?.dtype)
	}

	/// Elements along an axis.
	pub fn extent(&self, a: ValueId, axis: usize) -> Result<u32, MacroError> {
		let shape = &self.ty(a)?.shape;
		shape.get(axis).copied().ok_or(MacroError::Axis { axis, rank: shape.len() })
	}

	fn op(&mut self, op: Op, operands: &[ValueId]) -> Result<ValueId, MacroError> {
		Ok(self.builder.op(op, operands)?)
	}

	/// A constant for broadcasting against `like`, of the same element type.
	fn scalar(&mut self, like: ValueId, number: i32) -> Result<ValueId, MacroError> {
		let ty = self.ty(like)?;
		let ty = TensorType::new(ty.dtype, vec![1; ty.rank()]);
		Ok(self.builder.constant_values(ty, &[number])?)
	}

	/// I32 constants along one axis, for broadcasting against `like`.
	pub fn along(
		&mut self,
		like: ValueId,
		axis: usize,
		numbers: &[i32],
	) -> Result<ValueId, MacroError> {
		let mut shape = vec![1; self.ty(like)?.rank()];
		if let Some(extent) = shape.get_mut(axis) {
			*extent = numbers.len() as u32;
		}
		Ok(self.builder.constant_values(TensorType::new(DType::I32, shape), numbers)?)
	}

	pub fn binary(&mut self, op: Binary, a: ValueId, b: ValueId) -> Result<ValueId, MacroError> {
		self.op(Op::Binary(op), &[a, b])
	}

	/// A two-operand operator on a value and a number of its type.
	pub fn with(&mut self, op: Binary, a: ValueId, number: i32) -> Result<ValueId, MacroError> {
		let number = self.scalar(a, number)?;
		self.binary(op, a, number)
	}

	/// `number − a`.
	pub fn minus_from(&mut self, number: i32, a: ValueId) -> Result<ValueId, MacroError> {
		let number = self.scalar(a, number)?;
		self.binary(Binary::Sub, number, a)
	}

	/// `(a × b + 2^(shift − 1)) >> shift` on I32.
	pub fn mul(&mut self, a: ValueId, b: ValueId, shift: i32) -> Result<ValueId, MacroError> {
		self.op(Op::Mul { shift: shift.clamp(0, 63) as u8 }, &[a, b])
	}

	/// `a × number` on I32, wrapping.
	pub fn times(&mut self, a: ValueId, number: i32) -> Result<ValueId, MacroError> {
		let number = self.scalar(a, number)?;
		self.mul(a, number, 0)
	}

	/// `(a × number + 2^(shift − 1)) >> shift` on I32.
	pub fn times_high(
		&mut self,
		a: ValueId,
		number: i32,
		shift: i32,
	) -> Result<ValueId, MacroError> {
		let number = self.scalar(a, number)?;
		self.mul(a, number, shift)
	}

	pub fn abs(&mut self, a: ValueId) -> Result<ValueId, MacroError> {
		self.op(Op::Unary(Unary::Abs), &[a])
	}

	pub fn leading_zeros(&mut self, a: ValueId) -> Result<ValueId, MacroError> {
		self.op(Op::Unary(Unary::Clz), &[a])
	}

	/// Arithmetic shift by as many bits as `b` says, rounded to nearest.
	pub fn shift_right(&mut self, a: ValueId, b: ValueId) -> Result<ValueId, MacroError> {
		self.op(Op::ArithmeticRightShift { round: true }, &[a, b])
	}

	/// `a >> bits`, rounded down.
	pub fn floor(&mut self, a: ValueId, bits: i32) -> Result<ValueId, MacroError> {
		let bits = self.scalar(a, bits)?;
		self.op(Op::ArithmeticRightShift { round: false }, &[a, bits])
	}

	pub fn clamp(&mut self, a: ValueId, min: i32, max: i32) -> Result<ValueId, MacroError> {
		self.op(Op::Clamp { min, max }, &[a])
	}

	/// As I32; nothing where it is one.
	pub fn widen(&mut self, a: ValueId) -> Result<ValueId, MacroError> {
		if self.dtype(a)? == DType::I32 {
			return Ok(a);
		}
		self.op(Op::Cast { to: DType::I32 }, &[a])
	}

	pub fn reduce(
		&mut self,
		reduction: Reduction,
		a: ValueId,
		axis: usize,
	) -> Result<ValueId, MacroError> {
		self.op(Op::Reduce { reduction, axis: axis as u8 }, &[a])
	}

	/// `(a − from) × factor + to`, rounded, limited to `dtype`.
	pub fn affine(
		&mut self,
		a: ValueId,
		from: i32,
		factor: Factor,
		to: i32,
		dtype: DType,
	) -> Result<ValueId, MacroError> {
		let one = |dtype| TensorType::new(dtype, [1]);
		let multiplier = self.builder.constant_values(one(DType::I32), &[factor.multiplier])?;
		let shift = self.builder.constant_values(one(DType::I8), &[factor.shift])?;
		let op = Op::Rescale {
			output: dtype,
			input_zero_point: from,
			output_zero_point: to,
			per_channel: false,
		};
		self.op(op, &[a, multiplier, shift])
	}

	/// `a × factor`, rounded, limited to I32.
	pub fn rescale(&mut self, a: ValueId, factor: Factor) -> Result<ValueId, MacroError> {
		self.affine(a, 0, factor, 0, DType::I32)
	}

	/// `(a × number + 2^(shift − 1)) >> shift`, limited to `dtype`.
	pub fn scaled_down(
		&mut self,
		a: ValueId,
		number: i32,
		shift: i32,
		dtype: DType,
	) -> Result<ValueId, MacroError> {
		self.affine(a, 0, Factor { multiplier: number, shift }, 0, dtype)
	}

	/// `a × factor`, rounded, limited to I32, with a factor for each element of the last axis. They share
	/// a shift, so that the range of the result is known.
	pub fn rescale_channels(
		&mut self,
		a: ValueId,
		what: &'static str,
		factors: &[f64],
	) -> Result<ValueId, MacroError> {
		let largest = factors.iter().fold(0.0f64, |most, factor| most.max(*factor));
		let shift = Factor::of(what, largest.max(real::power(-60)))?.shift;
		let multipliers: Vec<i32> =
			factors.iter().map(|factor| real::scale(*factor, shift).round() as i32).collect();
		let channels = |dtype| TensorType::new(dtype, [factors.len() as u32]);
		let multiplier = self.builder.constant_values(channels(DType::I32), &multipliers)?;
		let shift = vec![shift; factors.len()];
		let shift = self.builder.constant_values(channels(DType::I8), &shift)?;
		let op = Op::Rescale {
			output: DType::I32,
			input_zero_point: 0,
			output_zero_point: 0,
			per_channel: true,
		};
		self.op(op, &[a, multiplier, shift])
	}

	/// A table lookup: 256 entries for I8, 513 for I16.
	pub fn table(&mut self, a: ValueId, entries: &[i32]) -> Result<ValueId, MacroError> {
		let ty = TensorType::new(self.dtype(a)?, [entries.len() as u32]);
		let entries = self.builder.constant_values(ty, entries)?;
		self.op(Op::Table, &[a, entries])
	}

	/// The result, from I32 in units of 2^-`bits` steps, limited as [`Target`] says.
	pub fn finish(&mut self, a: ValueId, bits: i32, to: &Target) -> Result<ValueId, MacroError> {
		let zero_point = to.quant.zero_point;
		if to.dtype == DType::I32 {
			let steps = if bits == 0 { a } else { self.rescale(a, Factor::power(-bits))? };
			return self.clamp(steps, -(1 << 30), 1 << 30);
		}
		self.affine(a, 0, Factor::power(-bits), zero_point, to.dtype)
	}
}
