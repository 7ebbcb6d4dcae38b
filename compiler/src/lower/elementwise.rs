// SPDX-License-Identifier: Apache-2.0

//! Operators on two tensors, element by element.

use super::{sum_unit, Lowering, Source, HEADROOM};
use crate::{
	error::CompileError,
	graph::{Arithmetic, NodeId},
	quantise::Quant,
};
use tensornet_tensor::{Binary, DType, ValueId};

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
		let unit = sum_unit(largest * HEADROOM);
		let (a, b) = (self.term(a, unit)?, self.term(b, unit)?);
		Ok(Source::Sums(self.emit.binary(operator, a, b)?, vec![unit]))
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

	fn product(&mut self, a: NodeId, b: NodeId) -> Result<Source, CompileError> {
		let [p, q] = [self.fine(a), self.fine(b)];
		let (a, b) = (self.operand(a, p, None)?, self.operand(b, q, None)?);
		debug_assert_eq!(self.emit.dtype(a), DType::I16);
		Ok(Source::Sums(self.emit.mul(a, b, 0)?, vec![p.unit * q.unit]))
	}
}
