// SPDX-License-Identifier: Apache-2.0

//! Evaluation of whole programs on the CPU.
//!
//! Values are held row-major with one `i32` for each element and freed after their last use. Products
//! run on packed 16-bit panels; everything else applies the functions of [`crate::ops`] element by
//! element, in parallel.

mod movement;
mod pointwise;
mod product;
mod reduce;
#[allow(unsafe_code)]
mod simd;
mod stored;

use crate::{
	analysis::last_uses,
	exec::{check_count, check_size},
	ops::Family,
	CheckedProgram, ConstantData, ExecError, Executor, Leaf, Node, Op, TensorType, ValueId,
};
use product::Panels;
use std::{borrow::Cow, sync::Arc};

/// Runs programs on the cores of this machine, through rayon's current thread pool.
pub struct CpuExecutor {
	program: Arc<CheckedProgram>,
	/// Constants as values; empty where only products use the constant, which have their panels.
	constants: Vec<Vec<i32>>,
	/// For each node that multiplies by a constant: that constant, packed.
	packed: Vec<Option<Panels>>,
	last_uses: Vec<Option<u16>>,
}

/// A value on its way through an iteration.
type Slot = Option<Vec<i32>>;

impl CpuExecutor {
	/// An executor for `program`. `constants` holds the stored bytes of every constant, by number;
	/// those that are inside the program may be left empty. Fails if one has the wrong length.
	pub fn new(program: Arc<CheckedProgram>, constants: Vec<Arc<[u8]>>) -> Result<Self, ExecError> {
		let parts = program.program();
		check_count("constants", parts.constants.len(), constants.len())?;
		let mut stored: Vec<Cow<[u8]>> = Vec::with_capacity(constants.len());
		for (number, (constant, given)) in parts.constants.iter().zip(&constants).enumerate() {
			match &constant.data {
				ConstantData::Inline(bytes) => stored.push(Cow::Borrowed(bytes)),
				ConstantData::Blob(_) => {
					let leaf = Leaf::Constant(number as u16);
					check_size(leaf, constant.ty.bytes(), given)?;
					stored.push(Cow::Borrowed(given));
				}
			}
		}

		let first = parts.inputs.len() as u16;
		let constant_of = |value: ValueId| {
			let number = value.checked_sub(first)? as usize;
			parts.constants.get(number).map(|constant| (number, constant))
		};
		let mut needed = vec![false; constants.len()];
		let mut packed: Vec<Option<Panels>> = Vec::with_capacity(parts.nodes.len());
		let mut decoded = vec![Vec::new(); constants.len()];
		for node in &parts.nodes {
			let right = match Family::of(&node.op) {
				Family::Conv(_) | Family::MatMul { .. } => {
					node.operands.get(1).and_then(|value| constant_of(*value))
				}
				Family::MaxPool { .. }
				| Family::ArgMax { .. }
				| Family::Reduce { .. }
				| Family::Pointwise(_)
				| Family::Table
				| Family::Gather
				| Family::Movement(_) => None,
			};
			packed.push(match (right, node.operands.first()) {
				(Some((number, constant)), Some(left)) => {
					let elements = stored::decode(&constant.ty, &constant.layout, &stored[number]);
					let left = ty(&program, *left);
					Some(Panels::pack(&Family::of(&node.op), left, &constant.ty, &elements))
				}
				_ => None,
			});
			for (place, operand) in node.operands.iter().enumerate() {
				let Some((number, _)) = constant_of(*operand) else { continue };
				needed[number] |= right.is_none() || place != 1;
			}
		}
		for (number, constant) in parts.constants.iter().enumerate() {
			if needed[number] {
				decoded[number] = stored::decode(&constant.ty, &constant.layout, &stored[number]);
			}
		}
		let last_uses = last_uses(&program);
		drop(stored);
		Ok(Self { program, constants: decoded, packed, last_uses })
	}

	/// The program this executor was made for.
	pub fn program(&self) -> &Arc<CheckedProgram> {
		&self.program
	}

	fn run(&self, number: u16, node: &Node, slots: &mut [Slot]) -> Vec<i32> {
		let program = &*self.program;
		let out = ty(program, program.node_value(number));
		if let Op::Reshape { .. } = node.op {
			return self.reshaped(number, node, slots);
		}
		let value = |place: usize| self.elements(slots, node.operands[place]);
		let operand_type = |place: usize| ty(program, node.operands[place]);
		match Family::of(&node.op) {
			Family::Conv(conv) => {
				let fresh;
				let panels = match &self.packed[number as usize] {
					Some(panels) => panels,
					None => {
						let family = Family::Conv(conv);
						let (left, right) = (operand_type(0), operand_type(1));
						fresh = Panels::pack(&family, left, right, value(1));
						&fresh
					}
				};
				let kernel = operand_type(1);
				product::conv(&conv, operand_type(0), value(0), kernel, panels, value(2), out)
			}
			Family::MatMul { a_zero_point, b_zero_point } => {
				let fresh;
				let panels = match &self.packed[number as usize] {
					Some(panels) => panels,
					None => {
						let family = Family::MatMul { a_zero_point, b_zero_point };
						let (left, right) = (operand_type(0), operand_type(1));
						fresh = Panels::pack(&family, left, right, value(1));
						&fresh
					}
				};
				product::mat_mul(a_zero_point, value(0), panels, out)
			}
			Family::MaxPool { kernel, grid } => {
				reduce::max_pool(kernel, &grid, operand_type(0), value(0), out)
			}
			Family::ArgMax { axis } => reduce::arg_max(operand_type(0), value(0), axis),
			Family::Reduce { reduction, axis } => {
				reduce::reduce(reduction, operand_type(0), value(0), axis)
			}
			Family::Pointwise(op) => {
				let views: Vec<_> = (0..node.operands.len())
					.map(|place| pointwise::View::of(value(place), operand_type(place), out))
					.collect();
				pointwise::run(op, operand_type(0).dtype, &views, out)
			}
			Family::Table => pointwise::table(operand_type(0).dtype, value(0), value(1)),
			Family::Gather => {
				movement::gather(operand_type(0), value(0), operand_type(1), value(1))
			}
			Family::Movement(movement) => {
				let operands: Vec<(&TensorType, &[i32])> = (0..node.operands.len())
					.map(|place| (operand_type(place), value(place)))
					.collect();
				movement::run(&movement, &operands, out)
			}
		}
	}

	/// A reshape moves its operand where nothing uses it any more.
	fn reshaped(&self, number: u16, node: &Node, slots: &mut [Slot]) -> Vec<i32> {
		let operand = node.operands[0];
		if self.last_uses[operand as usize] == Some(number) {
			if let Some(elements) = slots[operand as usize].take() {
				return elements;
			}
		}
		self.elements(slots, operand).to_vec()
	}

	fn elements<'a>(&'a self, slots: &'a [Slot], value: ValueId) -> &'a [i32] {
		match &slots[value as usize] {
			Some(elements) => elements,
			None => {
				let first = self.program.program().inputs.len();
				(value as usize)
					.checked_sub(first)
					.and_then(|number| self.constants.get(number))
					.map_or(&[], Vec::as_slice)
			}
		}
	}
}

impl Executor for CpuExecutor {
	fn run_iteration(
		&mut self,
		inputs: &[&[u8]],
		state: &[&[u8]],
	) -> Result<Vec<Vec<u8>>, ExecError> {
		let program = &*self.program;
		let parts = program.program();
		check_count("inputs", parts.inputs.len(), inputs.len())?;
		check_count("states", parts.state.len(), state.len())?;
		let supplied = (0..inputs.len())
			.map(|number| (Leaf::Input(number as u16), inputs[number]))
			.chain((0..state.len()).map(|number| (Leaf::State(number as u16), state[number])));
		let mut slots: Vec<Slot> = vec![None; program.value_count()];
		for (leaf, bytes) in supplied {
			let (Some((ty, layout)), Some(value)) =
				(program.leaf_type(leaf), program.leaf_value(leaf))
			else {
				continue;
			};
			check_size(leaf, ty.bytes(), bytes)?;
			if self.last_uses[value as usize].is_some() {
				slots[value as usize] = Some(stored::decode(ty, layout, bytes));
			}
		}

		let mut checkpoints = Vec::with_capacity(parts.checkpoints.len());
		for (number, node) in parts.nodes.iter().enumerate() {
			let number = number as u16;
			let value = program.node_value(number);
			let result = self.run(number, node, &mut slots);
			if let Some(checkpoint) = program.checkpoint_of(value) {
				let leaf = Leaf::Checkpoint(checkpoint);
				if let Some((ty, layout)) = program.leaf_type(leaf) {
					checkpoints.push(stored::encode(ty, layout, &result));
				}
			}
			if self.last_uses[value as usize].is_some() {
				slots[value as usize] = Some(result);
			}
			for operand in &node.operands {
				if self.last_uses[*operand as usize] == Some(number) {
					slots[*operand as usize] = None;
				}
			}
		}
		Ok(checkpoints)
	}
}

/// Type of a value that the check has seen.
fn ty(program: &CheckedProgram, value: ValueId) -> &TensorType {
	program.value_type(value).expect("a checked program's operands exist")
}
