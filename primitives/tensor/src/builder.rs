// SPDX-License-Identifier: Apache-2.0

//! Construction of programs.

use crate::{
	check::CheckedProgram, infer::infer, Checkpoint, Constant, ConstantData, DType, Input, Layout,
	Node, Op, Program, ProgramError, State, TensorType, ValueId, FORMAT, MAX_CONSTANTS, MAX_INPUTS,
	MAX_NODES,
};
use alloc::vec::Vec;

/// Builder's numbers: each kind of value has a range of its own, so that values of all kinds can be
/// added in any order. `finish` turns them into the program's.
const CONSTANTS: ValueId = 0x1000;
const STATES: ValueId = 0x2000;
const NODES: ValueId = 0x4000;

/// Builds a program value by value.
///
/// The numbers it hands out are its own: give them back to the same builder only. In the finished
/// program values are numbered as the format says; [`finish_with_values`](Self::finish_with_values)
/// tells how. Types are inferred as values are added, so a misfit is refused where it is made.
///
/// ```
/// use tensornet_tensor::*;
/// # fn main() -> Result<(), ProgramError> {
/// let mut builder = ProgramBuilder::new();
/// let a = builder.input(TensorType::new(DType::I32, [2, 3]), Layout::row_major(), false)?;
/// let one = builder.scalar(2, 1)?;
/// let sum = builder.op(Op::Binary(Binary::Add), &[a, one])?;
/// builder.output(sum, Layout::row_major());
/// let program = builder.finish()?;
/// assert_eq!(program.macs(), 6);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct ProgramBuilder {
	inputs: Vec<Input>,
	constants: Vec<Constant>,
	states: Vec<State>,
	nodes: Vec<Node>,
	types: Vec<TensorType>,
	outputs: Vec<ValueId>,
	checkpoints: Vec<Checkpoint>,
	max_iterations: u32,
}

impl Default for ProgramBuilder {
	fn default() -> Self {
		Self::new()
	}
}

impl ProgramBuilder {
	/// An empty program of one iteration.
	pub fn new() -> Self {
		Self {
			inputs: Vec::new(),
			constants: Vec::new(),
			states: Vec::new(),
			nodes: Vec::new(),
			types: Vec::new(),
			outputs: Vec::new(),
			checkpoints: Vec::new(),
			max_iterations: 1,
		}
	}

	/// Sets the most iterations a job may ask for.
	pub fn max_iterations(&mut self, iterations: u32) -> &mut Self {
		self.max_iterations = iterations;
		self
	}

	/// Adds a tensor that the job supplies.
	pub fn input(
		&mut self,
		ty: TensorType,
		layout: Layout,
		per_iteration: bool,
	) -> Result<ValueId, ProgramError> {
		let value = number(self.inputs.len(), MAX_INPUTS, 0)?;
		valid(value, &ty, &layout)?;
		self.inputs.push(Input { ty, layout, per_iteration });
		Ok(value)
	}

	/// Adds a constant inside the program; `bytes` are in storage order.
	pub fn constant_inline(
		&mut self,
		ty: TensorType,
		layout: Layout,
		bytes: Vec<u8>,
	) -> Result<ValueId, ProgramError> {
		if bytes.len() as u64 != ty.bytes() {
			return Err(ProgramError::InlineSize { constant: self.constants.len() as u16 });
		}
		self.constant(Constant { ty, layout, data: ConstantData::Inline(bytes) })
	}

	/// Adds a constant whose bytes are in the blob with this BLAKE3 root.
	pub fn constant_blob(
		&mut self,
		ty: TensorType,
		layout: Layout,
		root: [u8; 32],
	) -> Result<ValueId, ProgramError> {
		self.constant(Constant { ty, layout, data: ConstantData::Blob(root) })
	}

	/// Adds a row-major inline constant of these elements, each wrapped to the type. An equal constant
	/// that is there already is used again.
	pub fn constant_values(
		&mut self,
		ty: TensorType,
		elements: &[i32],
	) -> Result<ValueId, ProgramError> {
		let size = ty.dtype.size() as usize;
		let mut bytes = Vec::with_capacity(elements.len().saturating_mul(size));
		for element in elements {
			let stored = ty.dtype.wrap(*element).to_le_bytes();
			bytes.extend(stored.iter().take(size));
		}
		let same = self.constants.iter().position(|constant| {
			constant.ty == ty
				&& constant.layout == Layout::row_major()
				&& matches!(&constant.data, ConstantData::Inline(held) if *held == bytes)
		});
		match same {
			Some(found) => number(found, MAX_CONSTANTS, CONSTANTS),
			None => self.constant_inline(ty, Layout::row_major(), bytes),
		}
	}

	/// An inline I32 constant of one element that broadcasts against tensors of `rank` axes.
	pub fn scalar(&mut self, rank: usize, value: i32) -> Result<ValueId, ProgramError> {
		let shape = core::iter::repeat_n(1u32, rank).collect::<Vec<_>>();
		self.constant_values(TensorType::new(DType::I32, shape), &[value])
	}

	fn constant(&mut self, constant: Constant) -> Result<ValueId, ProgramError> {
		let value = number(self.constants.len(), MAX_CONSTANTS, CONSTANTS)?;
		valid(value, &constant.ty, &constant.layout)?;
		self.constants.push(constant);
		Ok(value)
	}

	/// Adds a tensor that is carried from one iteration to the next. Name the value that it becomes
	/// with [`next`](Self::next).
	pub fn state(&mut self, ty: TensorType) -> Result<ValueId, ProgramError> {
		let value = number(self.states.len(), MAX_INPUTS, STATES)?;
		valid(value, &ty, &Layout::row_major())?;
		// A state without a next is refused at the end: a state's own number is never a node's.
		self.states.push(State { ty, next: value });
		Ok(value)
	}

	/// Makes `next` the value of `state` in the next iteration, and a checkpoint if it is none yet.
	pub fn next(
		&mut self,
		state: ValueId,
		next: ValueId,
		layout: Layout,
	) -> Result<(), ProgramError> {
		let place = state.wrapping_sub(STATES);
		let held = self.states.get_mut(place as usize);
		held.ok_or(ProgramError::BadNext { state: place })?.next = next;
		self.checkpoint(next, layout);
		Ok(())
	}

	/// Applies an operator.
	pub fn op(&mut self, op: Op, operands: &[ValueId]) -> Result<ValueId, ProgramError> {
		let value = number(self.nodes.len(), MAX_NODES, NODES)?;
		let node = self.nodes.len() as u16;
		let types = operands.iter().map(|operand| self.type_of(*operand));
		let types = types.collect::<Option<Vec<_>>>();
		let types = types.ok_or(ProgramError::OperandOrder { node })?;
		let ty = infer(&op, &types).map_err(|fault| fault.at(node))?;
		self.nodes.push(Node { op, operands: operands.to_vec() });
		self.types.push(ty);
		Ok(value)
	}

	/// Commits `value` in the trace, stored in the order of `layout`. A value that is a checkpoint
	/// already keeps its layout.
	pub fn checkpoint(&mut self, value: ValueId, layout: Layout) {
		if self.checkpoints.iter().all(|checkpoint| checkpoint.value != value) {
			self.checkpoints.push(Checkpoint { value, layout });
		}
	}

	/// Makes `value` the next output, and a checkpoint if it is none yet.
	pub fn output(&mut self, value: ValueId, layout: Layout) {
		self.checkpoint(value, layout);
		self.outputs.push(value);
	}

	/// Type of a value; `None` if this builder did not hand the number out.
	pub fn type_of(&self, value: ValueId) -> Option<&TensorType> {
		if value >= NODES {
			self.types.get((value - NODES) as usize)
		} else if value >= STATES {
			self.states.get((value - STATES) as usize).map(|state| &state.ty)
		} else if value >= CONSTANTS {
			self.constants.get((value - CONSTANTS) as usize).map(|constant| &constant.ty)
		} else {
			self.inputs.get(value as usize).map(|input| &input.ty)
		}
	}

	/// Whether a value is a checkpoint.
	pub fn is_checkpoint(&self, value: ValueId) -> bool {
		self.checkpoints.iter().any(|checkpoint| checkpoint.value == value)
	}

	/// The program, checked.
	pub fn finish(self) -> Result<CheckedProgram, ProgramError> {
		self.finish_with_values(&mut [])
	}

	/// The program, checked. The builder's numbers in `values` are replaced by the program's.
	pub fn finish_with_values(
		self,
		values: &mut [ValueId],
	) -> Result<CheckedProgram, ProgramError> {
		let constants = self.inputs.len() as ValueId;
		let states = constants + self.constants.len() as ValueId;
		let nodes = states + self.states.len() as ValueId;
		let renumber = |value: &mut ValueId| {
			*value = if *value >= NODES {
				(*value - NODES).saturating_add(nodes)
			} else if *value >= STATES {
				*value - STATES + states
			} else if *value >= CONSTANTS {
				*value - CONSTANTS + constants
			} else {
				*value
			}
		};
		let mut program = Program {
			format: FORMAT,
			inputs: self.inputs,
			constants: self.constants,
			state: self.states,
			nodes: self.nodes,
			outputs: self.outputs,
			checkpoints: self.checkpoints,
			max_iterations: self.max_iterations,
		};
		program.state.iter_mut().for_each(|state| renumber(&mut state.next));
		program.nodes.iter_mut().flat_map(|node| &mut node.operands).for_each(renumber);
		program.outputs.iter_mut().for_each(renumber);
		for checkpoint in &mut program.checkpoints {
			renumber(&mut checkpoint.value);
		}
		program.checkpoints.sort_by_key(|checkpoint| checkpoint.value);
		values.iter_mut().for_each(renumber);
		CheckedProgram::new(program)
	}
}

fn number(count: usize, most: usize, first: ValueId) -> Result<ValueId, ProgramError> {
	if count < most {
		Ok(first + count as ValueId)
	} else {
		Err(ProgramError::TooMany)
	}
}

fn valid(value: ValueId, ty: &TensorType, layout: &Layout) -> Result<(), ProgramError> {
	if !ty.is_valid() {
		return Err(ProgramError::BadType { value });
	}
	if !layout.is_valid(ty.rank()) {
		return Err(ProgramError::BadLayout { value });
	}
	Ok(())
}
