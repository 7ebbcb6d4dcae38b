// SPDX-License-Identifier: Apache-2.0

//! What follows a product and its kernel does as well: a bias for each column, a rescale, a clamp. The
//! values between are seen by nobody, so they are never stored.

use super::{BufferId, Lowering};
use crate::gpu::error::GpuError;
use tensornet_tensor::{Binary, Node, Op, ValueId};

/// The nodes behind a product that its kernel takes in.
#[derive(Default)]
pub(super) struct Tail {
	/// Their values, in order. The last is what the kernel makes.
	pub values: Vec<usize>,
	pub bias: Option<Bias>,
	pub rescale: Option<Rescale>,
}

/// A number that is added to each column.
pub(super) struct Bias {
	pub value: ValueId,
	pub buffer: BufferId,
	/// 0 where all columns share one.
	pub stride: u32,
}

/// A rescale, and clamps behind it.
pub(super) struct Rescale {
	/// Multiplier and shift.
	pub values: [ValueId; 2],
	pub buffers: [BufferId; 2],
	/// 0 where all columns share them.
	pub stride: u32,
	pub input_zero_point: i32,
	pub output_zero_point: i32,
	/// Least and largest result.
	pub limits: [i32; 2],
}

impl Lowering<'_> {
	/// The tail of the product that makes `value`. `bias` is what the product itself adds: value, buffer
	/// and stride.
	pub(super) fn tail(
		&self,
		product: usize,
		columns: u32,
		bias: Option<(ValueId, BufferId, u32)>,
	) -> Result<Tail, GpuError> {
		let nodes = &self.program.program().nodes;
		let first = self.uses.len() - nodes.len();
		let elements = self.ty(product)?.elements();
		let bias = bias.map(|(value, buffer, stride)| Bias { value, buffer, stride });
		let mut tail = Tail { bias, ..Tail::default() };
		let mut value = product;
		// A value with another user, or one that is committed, has to be there by itself.
		while let (1, Some(user)) = (self.uses[value].count, self.uses[value].last) {
			let ty = self.ty(user)?;
			let keeps_columns = ty.shape.last() == Some(&columns) && ty.elements() == elements;
			if !keeps_columns || !self.takes_in(&mut tail, product, value, &nodes[user - first])? {
				break;
			}
			tail.values.push(user);
			value = user;
		}
		Ok(tail)
	}

	/// Adds a node that uses `value` to the tail, if it can be a part of it.
	fn takes_in(
		&self,
		tail: &mut Tail,
		product: usize,
		value: usize,
		node: &Node,
	) -> Result<bool, GpuError> {
		// Other operands must be there before the product is made.
		let before = |operand: ValueId| {
			let operand = usize::from(operand);
			let buffer = self.values.get(operand).copied().flatten();
			buffer.filter(|_| operand < product)
		};
		let own = |operand: &ValueId| usize::from(*operand) == value;
		match (&node.op, &node.operands[..]) {
			(Op::Reshape { .. } | Op::Identity, _) => Ok(true),
			(Op::Binary(Binary::Add), operands) => {
				let other = operands.iter().find(|operand| !own(operand));
				let Some((other, buffer)) = other.and_then(|other| Some((*other, before(*other)?)))
				else {
					return Ok(false);
				};
				let shape = &self.ty(usize::from(other))?.shape;
				let (last, outer) = match shape.split_last() {
					Some((last, outer)) => (*last, outer),
					None => (1, &[][..]),
				};
				// The bias of each column comes before all else.
				let fits = tail.bias.is_none()
					&& tail.rescale.is_none()
					&& outer.iter().all(|extent| *extent == 1);
				if fits {
					tail.bias = Some(Bias { value: other, buffer, stride: u32::from(last > 1) });
				}
				Ok(fits)
			}
			(
				Op::Rescale { output, input_zero_point, output_zero_point, per_channel },
				[input, multiplier, shift],
			) if own(input) && tail.rescale.is_none() => {
				let (Some(by), Some(to)) = (before(*multiplier), before(*shift)) else {
					return Ok(false);
				};
				tail.rescale = Some(Rescale {
					values: [*multiplier, *shift],
					buffers: [by, to],
					stride: u32::from(*per_channel),
					input_zero_point: *input_zero_point,
					output_zero_point: *output_zero_point,
					limits: [(*output).min(), (*output).max()],
				});
				Ok(true)
			}
			(Op::Clamp { min, max }, _) => Ok(match &mut tail.rescale {
				Some(rescale) => {
					rescale.limits = rescale.limits.map(|limit| limit.min(*max).max(*min));
					true
				}
				None => false,
			}),
			_ => Ok(false),
		}
	}
}
