// SPDX-License-Identifier: Apache-2.0

//! Programs that have been checked: every other module takes only these.

use crate::{
	infer, ops::Family, ConstantData, Layout, Leaf, Node, Program, ProgramError, TensorType,
	ValueId, FORMAT, MAX_PROGRAM_BYTES, MAX_RANK,
};
use alloc::{vec, vec::Vec};
use codec::{DecodeWithMemLimit, Encode};

/// The most nodes of a program.
pub const MAX_NODES: usize = 4096;

/// The most constants of a program.
pub const MAX_CONSTANTS: usize = 1024;

/// The most inputs and states of a program together, and the most outputs.
pub const MAX_INPUTS: usize = 32;

/// The most operators in a row between a checkpoint and the leaves it is computed from. Bounds the
/// recursion of [`eval_element`](crate::eval_element).
pub const MAX_DEPTH: u8 = 64;

/// The most memory that decoding a program may take, in bytes.
const DECODE_MEMORY: usize = 4 * 1024 * 1024;

/// Where a value's elements come from when one element of a checkpoint is recomputed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
	/// A committed or supplied tensor.
	Leaf(Leaf),
	/// A constant inside the program, by number.
	Inline(u16),
	/// A node that is not a checkpoint, by number.
	Node(u16),
}

/// What is known of one value.
#[derive(Clone, Debug)]
pub(crate) struct Value {
	pub(crate) ty: TensorType,
	pub(crate) origin: Origin,
	/// Storage strides where the origin is stored, row-major ones otherwise.
	pub(crate) strides: [u64; MAX_RANK],
}

/// A program that satisfies every rule of the format, with the types of all its values.
#[derive(Clone, Debug)]
pub struct CheckedProgram {
	program: Program,
	id: [u8; 32],
	values: Vec<Value>,
	/// Steps for one element of each node's result.
	steps: Vec<u64>,
	/// The checkpoint that each node's work is attributed to.
	owner: Vec<u16>,
	checkpoint_macs: Vec<u64>,
}

impl CheckedProgram {
	/// Checks `program`. The error names the first rule that it breaks.
	pub fn new(program: Program) -> Result<Self, ProgramError> {
		let encoded = program.encode();
		if encoded.len() > MAX_PROGRAM_BYTES {
			return Err(ProgramError::TooLong);
		}
		Self::check(program, &encoded)
	}

	/// Decodes and checks a program. Time and memory are bounded whatever the bytes are.
	pub fn decode(bytes: &[u8]) -> Result<Self, ProgramError> {
		if bytes.len() > MAX_PROGRAM_BYTES {
			return Err(ProgramError::TooLong);
		}
		let mut rest = bytes;
		let program = Program::decode_with_mem_limit(&mut rest, DECODE_MEMORY)
			.map_err(|_| ProgramError::Malformed)?;
		if program.encode() != bytes {
			return Err(ProgramError::NotCanonical);
		}
		Self::check(program, bytes)
	}

	fn check(program: Program, encoded: &[u8]) -> Result<Self, ProgramError> {
		check_counts(&program)?;
		let mut values = leaf_values(&program)?;
		let steps = check_nodes(&program, &mut values)?;
		bind_checkpoints(&program, &mut values)?;
		check_references(&program, &mut values)?;
		check_depth(&program, &values)?;
		let owner = attribute(&program, &values)?;
		let mut checked = Self {
			id: *blake3::hash(encoded).as_bytes(),
			checkpoint_macs: vec![0; program.checkpoints.len()],
			program,
			values,
			steps,
			owner,
		};
		checked.count_work()?;
		Ok(checked)
	}

	/// The program.
	pub fn program(&self) -> &Program {
		&self.program
	}

	/// The canonical encoding.
	pub fn encode(&self) -> Vec<u8> {
		self.program.encode()
	}

	/// The program's identity: the BLAKE3 hash of its encoding.
	pub fn id(&self) -> [u8; 32] {
		self.id
	}

	/// Number of values: inputs, constants, states and nodes.
	pub fn value_count(&self) -> usize {
		self.values.len()
	}

	/// Type of a value; `None` if there is no such value.
	pub fn value_type(&self, value: ValueId) -> Option<&TensorType> {
		self.value(value).map(|value| &value.ty)
	}

	/// The value that a node computes.
	pub fn node_value(&self, node: u16) -> ValueId {
		first_node(&self.program).saturating_add(node)
	}

	/// The node that computes a value; `None` for inputs, constants and states.
	pub fn value_node(&self, value: ValueId) -> Option<u16> {
		node_of(&self.program, value)
	}

	/// The value of a leaf; `None` if there is no such leaf.
	pub fn leaf_value(&self, leaf: Leaf) -> Option<ValueId> {
		let Program { inputs, constants, state, checkpoints, .. } = &self.program;
		let below = |number: u16, count: usize| (number as usize) < count;
		match leaf {
			Leaf::Input(number) => below(number, inputs.len()).then_some(number),
			Leaf::Constant(number) => {
				below(number, constants.len()).then_some(inputs.len() as u16 + number)
			}
			Leaf::State(number) => below(number, state.len())
				.then_some((inputs.len() + constants.len()) as u16 + number),
			Leaf::Checkpoint(number) => {
				checkpoints.get(number as usize).map(|checkpoint| checkpoint.value)
			}
		}
	}

	/// Type and storage order of a leaf; `None` if there is no such leaf. A state is stored like the
	/// checkpoint it comes from.
	pub fn leaf_type(&self, leaf: Leaf) -> Option<(&TensorType, &Layout)> {
		let ty = self.value_type(self.leaf_value(leaf)?)?;
		let layout = match leaf {
			Leaf::Input(number) => &self.program.inputs.get(number as usize)?.layout,
			Leaf::Constant(number) => &self.program.constants.get(number as usize)?.layout,
			Leaf::State(number) => state_layout(&self.program, number)?,
			Leaf::Checkpoint(number) => &self.program.checkpoints.get(number as usize)?.layout,
		};
		Some((ty, layout))
	}

	/// The number of the checkpoint that commits `value`, if one does.
	pub fn checkpoint_of(&self, value: ValueId) -> Option<u16> {
		checkpoint_of(&self.program, value)
	}

	/// Work of one iteration: multiply-accumulates of products, and for other operators one for each
	/// element they read in turn (windows, reductions) or compute (all others).
	pub fn macs(&self) -> u64 {
		self.checkpoint_macs.iter().fold(0, |sum, macs| sum.saturating_add(*macs))
	}

	/// The part of [`macs`](Self::macs) that is attributed to checkpoint number `checkpoint`: the work
	/// of the nodes between it and the leaves. A node that several checkpoints need counts for the
	/// first. The parts add up to the whole. Zero if there is no such checkpoint.
	pub fn checkpoint_macs(&self, checkpoint: u16) -> u64 {
		self.checkpoint_macs.get(checkpoint as usize).copied().unwrap_or(0)
	}

	/// Work of one node in one iteration, counted as in [`macs`](Self::macs).
	pub fn node_macs(&self, node: u16) -> u64 {
		let elements = self.value_type(self.node_value(node)).map_or(0, TensorType::elements);
		self.node_steps(node).saturating_mul(elements)
	}

	/// The checkpoint that the work of `node` is attributed to.
	pub fn node_owner(&self, node: u16) -> Option<u16> {
		self.owner.get(node as usize).copied()
	}

	/// Steps for one element of a node's result, its operands being given.
	pub(crate) fn node_steps(&self, node: u16) -> u64 {
		self.steps.get(node as usize).copied().unwrap_or(0)
	}

	pub(crate) fn value(&self, value: ValueId) -> Option<&Value> {
		self.values.get(value as usize)
	}

	pub(crate) fn node(&self, node: u16) -> Option<&Node> {
		self.program.nodes.get(node as usize)
	}

	/// The bytes of an inline constant.
	pub(crate) fn inline(&self, constant: u16) -> Option<&[u8]> {
		match &self.program.constants.get(constant as usize)?.data {
			ConstantData::Inline(bytes) => Some(bytes),
			ConstantData::Blob(_) => None,
		}
	}

	fn count_work(&mut self) -> Result<(), ProgramError> {
		let mut total = 0u64;
		for node in 0..self.program.nodes.len() as u16 {
			let elements = self.value_type(self.node_value(node)).map_or(0, TensorType::elements);
			let work = self.node_steps(node).checked_mul(elements);
			let work = work.ok_or(ProgramError::TooMuchWork)?;
			total = total.checked_add(work).ok_or(ProgramError::TooMuchWork)?;
			let owner = self.owner.get(node as usize).copied().unwrap_or(0);
			if let Some(sum) = self.checkpoint_macs.get_mut(owner as usize) {
				*sum = sum.saturating_add(work);
			}
		}
		Ok(())
	}
}

/// The value of the first node.
fn first_node(program: &Program) -> ValueId {
	(program.inputs.len() + program.constants.len() + program.state.len()) as ValueId
}

fn node_of(program: &Program, value: ValueId) -> Option<u16> {
	let node = value.checked_sub(first_node(program))?;
	((node as usize) < program.nodes.len()).then_some(node)
}

fn checkpoint_of(program: &Program, value: ValueId) -> Option<u16> {
	let found = program.checkpoints.binary_search_by_key(&value, |checkpoint| checkpoint.value);
	found.ok().map(|number| number as u16)
}

fn state_layout(program: &Program, state: u16) -> Option<&Layout> {
	let next = program.state.get(state as usize)?.next;
	let checkpoint = checkpoint_of(program, next)?;
	program.checkpoints.get(checkpoint as usize).map(|checkpoint| &checkpoint.layout)
}

fn check_counts(program: &Program) -> Result<(), ProgramError> {
	if program.format != FORMAT {
		return Err(ProgramError::UnknownFormat);
	}
	let few = program.inputs.len() + program.state.len() <= MAX_INPUTS
		&& program.constants.len() <= MAX_CONSTANTS
		&& program.nodes.len() <= MAX_NODES
		&& program.checkpoints.len() <= MAX_NODES
		&& program.outputs.len() <= MAX_INPUTS;
	if !few {
		return Err(ProgramError::TooMany);
	}
	if program.outputs.is_empty() {
		return Err(ProgramError::NoOutput);
	}
	if program.max_iterations == 0 {
		return Err(ProgramError::NoIterations);
	}
	Ok(())
}

/// Values of inputs, constants and states, in order. Checkpoints must be sorted before a state's
/// layout can be looked up, so states get their strides when checkpoints are bound.
fn leaf_values(program: &Program) -> Result<Vec<Value>, ProgramError> {
	let mut values = Vec::with_capacity(first_node(program) as usize + program.nodes.len());
	for (number, input) in program.inputs.iter().enumerate() {
		push_leaf(&mut values, &input.ty, &input.layout, Origin::Leaf(Leaf::Input(number as u16)))?;
	}
	for (number, constant) in program.constants.iter().enumerate() {
		let number = number as u16;
		let origin = match &constant.data {
			ConstantData::Inline(_) => Origin::Inline(number),
			ConstantData::Blob(_) => Origin::Leaf(Leaf::Constant(number)),
		};
		push_leaf(&mut values, &constant.ty, &constant.layout, origin)?;
		match &constant.data {
			ConstantData::Inline(bytes) if bytes.len() as u64 != constant.ty.bytes() => {
				return Err(ProgramError::InlineSize { constant: number })
			}
			ConstantData::Inline(_) | ConstantData::Blob(_) => {}
		}
	}
	for (number, state) in program.state.iter().enumerate() {
		let origin = Origin::Leaf(Leaf::State(number as u16));
		push_leaf(&mut values, &state.ty, &Layout::row_major(), origin)?;
	}
	Ok(values)
}

fn push_leaf(
	values: &mut Vec<Value>,
	ty: &TensorType,
	layout: &Layout,
	origin: Origin,
) -> Result<(), ProgramError> {
	let value = values.len() as ValueId;
	if !ty.is_valid() {
		return Err(ProgramError::BadType { value });
	}
	if !layout.is_valid(ty.rank()) {
		return Err(ProgramError::BadLayout { value });
	}
	values.push(Value { ty: ty.clone(), origin, strides: stored_strides(ty, layout) });
	Ok(())
}

fn stored_strides(ty: &TensorType, layout: &Layout) -> [u64; MAX_RANK] {
	let mut strides = [0; MAX_RANK];
	for (stride, stored) in strides.iter_mut().zip(layout.strides(&ty.shape)) {
		*stride = stored;
	}
	strides
}

/// Infers every node's type and appends its value. Returns the steps of one element of each.
fn check_nodes(program: &Program, values: &mut Vec<Value>) -> Result<Vec<u64>, ProgramError> {
	let mut steps = Vec::with_capacity(program.nodes.len());
	for (number, node) in program.nodes.iter().enumerate() {
		let number = number as u16;
		if node.operands.len() > infer::MAX_OPERANDS {
			return Err(ProgramError::OperandCount { node: number });
		}
		let types = node.operands.iter().map(|operand| values.get(*operand as usize));
		let types = types.map(|value| value.map(|value| &value.ty)).collect::<Option<Vec<_>>>();
		let types = types.ok_or(ProgramError::OperandOrder { node: number })?;
		let ty = infer::infer(&node.op, &types).map_err(|fault| fault.at(number))?;
		steps.push(Family::of(&node.op).steps(&types));
		let strides = crate::ops::strides(&ty.shape);
		values.push(Value { ty, origin: Origin::Node(number), strides });
	}
	Ok(steps)
}

/// Makes leaves of the checkpointed values.
fn bind_checkpoints(program: &Program, values: &mut [Value]) -> Result<(), ProgramError> {
	let mut previous = None;
	for (number, checkpoint) in program.checkpoints.iter().enumerate() {
		let refusal = ProgramError::BadCheckpoint { checkpoint: number as u16 };
		if previous.is_some_and(|previous| previous >= checkpoint.value)
			|| node_of(program, checkpoint.value).is_none()
		{
			return Err(refusal);
		}
		previous = Some(checkpoint.value);
		let value = values.get_mut(checkpoint.value as usize).ok_or(refusal)?;
		if !checkpoint.layout.is_valid(value.ty.rank()) {
			return Err(ProgramError::BadLayout { value: checkpoint.value });
		}
		value.origin = Origin::Leaf(Leaf::Checkpoint(number as u16));
		value.strides = stored_strides(&value.ty, &checkpoint.layout);
	}
	Ok(())
}

/// Outputs and states name checkpoints; states get the storage order of theirs.
fn check_references(program: &Program, values: &mut [Value]) -> Result<(), ProgramError> {
	for (number, output) in program.outputs.iter().enumerate() {
		if checkpoint_of(program, *output).is_none() {
			return Err(ProgramError::OutputNotCommitted { output: number as u16 });
		}
	}
	let first = program.inputs.len() + program.constants.len();
	for (number, state) in program.state.iter().enumerate() {
		let refusal = ProgramError::BadNext { state: number as u16 };
		let layout = state_layout(program, number as u16).ok_or(refusal)?;
		let next = values.get(state.next as usize).ok_or(refusal)?;
		if next.ty != state.ty {
			return Err(refusal);
		}
		let strides = stored_strides(&state.ty, layout);
		values.get_mut(first + number).ok_or(refusal)?.strides = strides;
	}
	Ok(())
}

/// The operators in a row from a node back to the leaves must not exceed [`MAX_DEPTH`].
fn check_depth(program: &Program, values: &[Value]) -> Result<(), ProgramError> {
	// Depth of each value as an operand: leaves are at 0.
	let mut depths = vec![0u8; values.len()];
	for (number, node) in program.nodes.iter().enumerate() {
		let refusal = ProgramError::TooDeep { node: number as u16 };
		let operands = node.operands.iter();
		let depth = operands.filter_map(|operand| depths.get(*operand as usize)).max();
		let depth = depth.copied().unwrap_or(0).saturating_add(1);
		if depth > MAX_DEPTH {
			return Err(refusal);
		}
		let value = first_node(program) as usize + number;
		let committed = values
			.get(value)
			.is_some_and(|value| matches!(value.origin, Origin::Leaf(_) | Origin::Inline(_)));
		if let Some(place) = depths.get_mut(value).filter(|_| !committed) {
			*place = depth;
		}
	}
	Ok(())
}

/// Gives each node to the first checkpoint that needs it.
fn attribute(program: &Program, values: &[Value]) -> Result<Vec<u16>, ProgramError> {
	let mut owner: Vec<Option<u16>> = vec![None; program.nodes.len()];
	let mut pending = Vec::new();
	for (number, checkpoint) in program.checkpoints.iter().enumerate() {
		pending.extend(node_of(program, checkpoint.value));
		while let Some(node) = pending.pop() {
			match owner.get_mut(node as usize) {
				Some(place @ None) => *place = Some(number as u16),
				Some(Some(_)) | None => continue,
			}
			let operands = program.nodes.get(node as usize).map(|node| &node.operands);
			for operand in operands.into_iter().flatten() {
				// Checkpointed operands have another owner: themselves.
				if let Some(Origin::Node(node)) =
					values.get(*operand as usize).map(|value| value.origin)
				{
					pending.push(node);
				}
			}
		}
	}
	let unused = |node: usize| ProgramError::Unused { node: node as u16 };
	owner.into_iter().enumerate().map(|(node, owner)| owner.ok_or_else(|| unused(node))).collect()
}
