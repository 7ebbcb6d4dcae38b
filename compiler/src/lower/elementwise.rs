// SPDX-License-Identifier: Apache-2.0

//! Operators on two tensors, element by element.

use super::{sum_unit, Lowering, Source, HEADROOM};
use crate::{
	error::CompileError,
	graph::{Arithmetic, NodeId},
	quantise::Quant,
};
use tensornet_tensor::{macros, Binary, DType, ValueId};

/// The largest term of a sum.
const MOST_TERM: i32 = (1 << 30) - 1;

impl Lowering<'_> {
	pub(super) fn binary(
		&mut self,
		id: NodeId,
		operator: Arithmetic,
	) -> Result<Source, CompileError> {
		let inputs = &self.graph.nodes[id].inputs;
		let (a, b) = (inputs[0], inputs[1]);
		let operator = match operator {
			Arithmetic::Mul => return self.product(a, b),
			Arithmetic::Add => Binary::Add,
			Arithmetic::Sub => Binary::Sub,
			Arithmetic::Max => Binary::Maximum,
			Arithmetic::Min => Binary::Minimum,
			Arithmetic::Div | Arithmetic::Pow => {
				return Err(self.refuse(id, "of two computed tensors"));
			}
		};
		let largest = [a, b, id].iter().map(|id| self.range(*id).largest()).fold(0.0, f64::max);
		// Where both are sums in one unit and there is room, nothing is rounded.
		let term = self.range(a).largest().max(self.range(b).largest()) * HEADROOM;
		let exact = match (self.own_unit(a), self.own_unit(b)) {
			(Some(a), Some(b)) if a == b && term < a * MOST_TERM as f64 => Some(a),
			_ => None,
		};
		let unit = exact.unwrap_or_else(|| sum_unit(largest * HEADROOM));
		let (a, b) = (self.term(a, unit)?, self.term(b, unit)?);
		Ok(Source::Sums(self.emit.binary(operator, a, b)?, vec![unit]))
	}

	/// The unit of the sums that a node is, if nothing else reads them.
	fn own_unit(&self, id: NodeId) -> Option<f64> {
		match &self.sources[id] {
			Some(Source::Sums(_, units)) if self.users[id].len() == 1 => match units[..] {
				[unit] => Some(unit),
				_ => None,
			},
			_ => None,
		}
	}

	/// A term of a sum, in a unit of the sum's: from the exact sums of an operand that nothing else reads,
	/// from its sixteen-bit integers otherwise.
	fn term(&mut self, id: NodeId, unit: f64) -> Result<ValueId, CompileError> {
		let wide = Quant::i32(unit);
		let origin = self.origin(id);
		let alone = self.users[origin].len() == 1 && self.users[id].len() == 1;
		let value = if alone {
			self.integers(id, wide)?
		} else {
			let quant = self.fine(id);
			let value = self.operand(id, quant, None)?;
			self.rounded(id, value, 0, &[quant.unit], &wide)?
		};
		// Room for one sum, whatever the numbers are.
		Ok(self.emit.clamp(value, -(1 << 30), (1 << 30) - 1)?)
	}

	/// `factor × x²`, exactly: between the entries of a table small numbers would be lost.
	pub(super) fn square(&mut self, id: NodeId, factor: f64) -> Result<Source, CompileError> {
		let x = self.graph.nodes[id].inputs[0];
		let Source::Sums(value, units) = self.product(x, x)? else {
			return Err(self.refuse(id, "no square"));
		};
		Ok(Source::Sums(value, units.into_iter().map(|unit| unit * factor).collect()))
	}

	/// `√(factor × x + offset)`, with the same relative error for small and large numbers.
	pub(super) fn root(
		&mut self,
		id: NodeId,
		factor: f64,
		offset: f64,
	) -> Result<Source, CompileError> {
		let x = self.graph.nodes[id].inputs[0];
		let (inner, unit) = match self.own_unit(x) {
			Some(unit) if offset == 0.0 && factor > 0.0 => {
				(self.integers(x, Quant::i32(unit))?, unit * factor)
			}
			_ => self.line(id, factor, offset)?,
		};
		// The root of 2³¹ units is 2²⁸ of the result's, and a little more: so the last factor of the macro is barely
		// above a power of two, and the range analysis sees that nothing wraps.
		let fine = (unit * (1u64 << 31) as f64).sqrt() / ((1 << 28) as f64 * 1.0001);
		let (from, to) = (macros::Quant::symmetric(unit), macros::Target::i32(fine));
		let root = self.emit.expand(|builder| macros::sqrt(builder, inner, from, to));
		let root = root.map_err(|error| self.refuse(id, &error.to_string()))?;
		self.emit.adopt(&[root]);
		Ok(Source::Sums(root, vec![fine]))
	}

	/// `factor × x + offset` with a unit.
	fn line(
		&mut self,
		id: NodeId,
		factor: f64,
		offset: f64,
	) -> Result<(ValueId, f64), CompileError> {
		let x = self.graph.nodes[id].inputs[0];
		let largest = self.range(x).largest() * factor.abs() * HEADROOM + offset.abs();
		let unit = largest.max(1e-12) / MOST_TERM as f64;
		let inner = self.integers(x, Quant::i32(unit / factor.abs()))?;
		let inner = self.emit.clamp(inner, -MOST_TERM, MOST_TERM)?;
		let sign = if factor < 0.0 { Binary::Sub } else { Binary::Add };
		let offset = Quant { low: -MOST_TERM, high: MOST_TERM, ..Quant::i32(unit) }.of(offset);
		let rank = self.graph.nodes[id].shape.len();
		let offset = self.emit.inline(DType::I32, &vec![1; rank], &[offset])?;
		Ok((self.emit.binary(sign, offset, inner)?, unit))
	}

	fn product(&mut self, a: NodeId, b: NodeId) -> Result<Source, CompileError> {
		match [a, b].map(|x| self.is_wide(x)) {
			[true, _] => return self.wide_product(a, b),
			[_, true] => return self.wide_product(b, a),
			_ => {}
		}
		let [p, q] = [self.fine(a), self.fine(b)];
		let (a, b) = (self.operand(a, p, None)?, self.operand(b, q, None)?);
		debug_assert_eq!(self.emit.dtype(a), DType::I16);
		Ok(Source::Sums(self.emit.mul(a, b, 0)?, vec![p.unit * q.unit]))
	}

	/// A state in thirty-two bits times what has sixteen.
	fn wide_product(&mut self, state: NodeId, x: NodeId) -> Result<Source, CompileError> {
		/// Below the unit of the state times the largest integer of the other.
		const SHIFT: u8 = 15;
		let [p, q] = [self.wide(state), self.fine(x)];
		let (a, b) = (self.operand(state, p, None)?, self.operand(x, q, None)?);
		let b = self.emit.cast(b, DType::I32)?;
		let unit = p.unit * q.unit * (1 << SHIFT) as f64;
		Ok(Source::Sums(self.emit.mul(a, b, SHIFT)?, vec![unit]))
	}
}
