// SPDX-License-Identifier: Apache-2.0

//! Operators over whole axes and windows.

use super::{
	norm::Norm, product::window_of, softmax::Softmax, sum_unit, Lowering, Source, HEADROOM,
};
use crate::{
	error::CompileError,
	exact,
	graph::{NodeId, Pool, Reduction, Tensor, Window},
	quantise::Quant,
};
use tensornet_tensor as program;
use tensornet_tensor::{macros, DType, Layout, ValueId};

/// The most elements that one stage of a sum adds up where they do not lie together.
const STAGE: u32 = 32;

impl Lowering<'_> {
	pub(super) fn reduce(
		&mut self,
		id: NodeId,
		reduction: Reduction,
		axes: &[usize],
	) -> Result<Source, CompileError> {
		let x = self.graph.nodes[id].inputs[0];
		let count: usize = axes.iter().map(|axis| self.graph.nodes[x].shape[*axis]).product();
		let share = match reduction {
			Reduction::Max | Reduction::Min => return Ok(Source::Derived),
			Reduction::Sum => 1.0,
			Reduction::Mean => count as f64,
		};
		let quant = self.fine(x);
		let along = match axes {
			[axis] => Some(*axis),
			_ => None,
		};
		let value = self.operand(x, quant, along)?;
		let mut value = self.emit.cast(value, DType::I32)?;
		for axis in axes.iter().rev() {
			value = self.sum(value, *axis, along.is_none())?;
		}
		Ok(Source::Sums(value, vec![quant.unit / share]))
	}

	/// Sum along an axis, in stages that may be committed if the elements lie apart: an arbiter opens each
	/// element of a stage by itself.
	fn sum(
		&mut self,
		mut value: ValueId,
		axis: usize,
		staged: bool,
	) -> Result<ValueId, CompileError> {
		let sum = program::Reduction::Sum;
		let mut shape = self.emit.shape(value);
		while staged && shape[axis] > STAGE && shape.len() < program::MAX_RANK {
			let extent = shape[axis];
			let Some(part) = (2..=STAGE).rev().find(|part| extent.is_multiple_of(*part)) else {
				break;
			};
			let mut split = shape.clone();
			split[axis] = part;
			split.insert(axis, extent / part);
			value = self.emit.reshape(value, &split)?;
			value = self.emit.reduce(sum, value, axis + 1)?;
			shape[axis] = extent / part;
			value = self.emit.reshape(value, &shape)?;
			self.emit.candidate(value, Layout::row_major());
		}
		value = self.emit.reduce(sum, value, axis)?;
		self.emit.candidate(value, Layout::row_major());
		Ok(value)
	}

	/// The largest or smallest integers along axes.
	pub(super) fn extremes(
		&mut self,
		x: NodeId,
		reduction: Reduction,
		axes: &[usize],
		quant: Quant,
	) -> Result<ValueId, CompileError> {
		let reduction = match reduction {
			Reduction::Min => program::Reduction::Min,
			_ => program::Reduction::Max,
		};
		let along = match axes {
			[axis] => Some(*axis),
			_ => None,
		};
		let mut value = self.operand(x, quant, along)?;
		for axis in axes.iter().rev() {
			value = self.emit.reduce(reduction, value, *axis)?;
			self.emit.candidate(value, Layout::row_major());
		}
		Ok(value)
	}

	pub(super) fn pool(
		&mut self,
		pool: Pool,
		kernel: [usize; 2],
		window: &Window,
		x: ValueId,
		quant: &Quant,
	) -> Result<ValueId, CompileError> {
		let kernel = kernel.map(|extent| extent as u16);
		let window = window_of(window);
		let op = match pool {
			Pool::Max => program::Op::MaxPool2d { kernel, window },
			Pool::Average => {
				let [input_zero_point, output_zero_point] = [quant.zero as i16; 2];
				program::Op::AvgPool2d { kernel, window, input_zero_point, output_zero_point }
			}
		};
		Ok(self.emit.op(op, &[x])?)
	}

	pub(super) fn layer_norm(
		&mut self,
		id: NodeId,
		axis: usize,
		epsilon: f64,
		gamma: &Tensor,
		beta: &Tensor,
	) -> Result<Source, CompileError> {
		let node = &self.graph.nodes[id];
		let quant = self.fine(node.inputs[0]);
		let x = self.operand(node.inputs[0], quant, Some(axis))?;
		let fine = sum_unit(self.range(id).largest() * HEADROOM);
		let norm = Norm { name: &node.name, axis, epsilon, gamma, beta };
		let value = norm.emit(&mut self.emit, x, quant.unit, fine)?;
		Ok(Source::Sums(value, vec![fine]))
	}

	pub(super) fn softmax(&mut self, id: NodeId, axis: usize) -> Result<Source, CompileError> {
		let x = self.graph.nodes[id].inputs[0];
		let quant = self.fine(x);
		let x = self.operand(x, quant, Some(axis))?;
		if let Some(step) = self.byte_step(id) {
			let name = &self.graph.nodes[id].name;
			let softmax = Softmax { name, axis, unit: quant.unit, step };
			let (value, unit) = softmax.emit(&mut self.emit, x)?;
			return Ok(Source::Sums(value, vec![unit]));
		}
		let unit = exact::power(-24);
		let (from, to) = (macros::Quant::symmetric(quant.unit), macros::Target::i32(unit));
		let softmax = self.emit.expand(|builder| macros::softmax(builder, x, axis, from, to));
		let softmax = softmax.map_err(|error| self.refuse(id, &error.to_string()))?;
		self.emit.adopt(&softmax.checkpoints());
		for statistic in softmax.checkpoints() {
			self.emit.candidate(statistic, Layout::row_major());
		}
		Ok(Source::Sums(softmax.result, vec![unit]))
	}
}
