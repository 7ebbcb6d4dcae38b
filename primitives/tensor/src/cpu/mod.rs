// SPDX-License-Identifier: Apache-2.0

//! Evaluation of whole programs on the CPU.
//!
//! Values are held row-major with one `i32` for each element and freed after their last use. Products
//! run on packed panels and take the elementwise operators that follow them along; everything else
//! applies the functions of [`crate::ops`] element by element, in parallel.

mod conv3d;
mod depthwise;
mod fuse;
mod matrix;
mod movement;
mod pointwise;
mod pool;
mod product;
mod reduce;
mod resize;
#[allow(unsafe_code)]
mod simd;
mod stored;
mod transpose_conv;

use crate::{
	analysis::last_uses,
	exec::{check_count, check_size},
	ops::Family,
	CheckedProgram, ConstantData, ExecError, Executor, Leaf, Node, Op, TensorType, ValueId,
};
use fuse::{Plan, Steps};
pub use matrix::{Number, PackedMatrix, Side};
use product::Panels;
pub use simd::Level;
use std::{borrow::Cow, sync::Arc};

/// Runs programs on the cores of this machine, through rayon's current thread pool.
pub struct CpuExecutor {
	program: Arc<CheckedProgram>,
	/// Constants as values; empty where only products use the constant, which have their panels.
	constants: Vec<Vec<i32>>,
	/// For each node that multiplies by a constant: that constant, packed. Nothing for other nodes.
	packed: Vec<Vec<Panels>>,
	/// Which products take the nodes after them along.
	plan: Plan,
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
		let mut packed: Vec<Vec<Panels>> = Vec::with_capacity(parts.nodes.len());
		let mut decoded = vec![Vec::new(); constants.len()];
		for node in &parts.nodes {
			let family = Family::of(&node.op);
			let right = node.operands.get(1).and_then(|value| constant_of(*value));
			let right = right.filter(|_| is_product(&family));
			packed.push(match (right, node.operands.first()) {
				(Some((number, constant)), Some(left)) => {
					let elements = stored::decode(&constant.ty, &constant.layout, &stored[number]);
					pack(&family, ty(&program, *left), &constant.ty, &elements)
				}
				_ => Vec::new(),
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
		let plan = Plan::of(&program, |value| {
			let (number, constant) = constant_of(value)?;
			let elements = stored::decode(&constant.ty, &constant.layout, &stored[number]);
			Some((constant.ty.clone(), elements))
		});
		drop(stored);
		Ok(Self { program, constants: decoded, packed, plan, last_uses })
	}

	/// The program this executor was made for.
	pub fn program(&self) -> &Arc<CheckedProgram> {
		&self.program
	}

	fn run(&self, number: u16, node: &Node, slots: &mut [Slot]) -> Vec<i32> {
		let program = &*self.program;
		let out = ty(program, program.node_value(number));
		if let Op::Reshape { .. } | Op::Identity = node.op {
			return self.moved(number, node, slots);
		}
		let value = |place: usize| self.elements(slots, node.operands[place]);
		let operand_type = |place: usize| ty(program, node.operands[place]);
		let family = Family::of(&node.op);
		let fresh;
		let panels: &[Panels] = match &self.packed[number as usize][..] {
			[] if is_product(&family) => {
				fresh = pack(&family, operand_type(0), operand_type(1), value(1));
				&fresh
			}
			packed => packed,
		};
		let nothing = Steps::default();
		let steps = self.plan.chain(number).map_or(&nothing, |chain| &chain.steps);
		match family {
			Family::Conv(conv) => {
				let (input, kernel) = (operand_type(0), operand_type(1));
				product::conv(&conv, input, value(0), kernel, &panels[0], value(2), steps, out)
			}
			Family::MatMul { .. } => product::mat_mul(value(0), &panels[0], steps, out),
			Family::Conv3d(conv) => {
				let (input, kernel) = (operand_type(0), operand_type(1));
				conv3d::run(&conv, input, value(0), kernel, panels, value(2), out)
			}
			Family::TransposeConv(conv) => {
				let (input, kernel) = (operand_type(0), operand_type(1));
				transpose_conv::run(&conv, input, value(0), kernel, &panels[0], value(2), out)
			}
			Family::Depthwise(conv) => {
				let operands = [0, 1].map(|place| (operand_type(place), value(place)));
				depthwise::run(&conv, operands, value(2), out)
			}
			Family::AvgPool(pool) => pool::average(&pool, operand_type(0), value(0), out),
			Family::Resize(resize) => resize::run(&resize, operand_type(0), value(0), out),
			Family::MaxPool { kernel, grid } => {
				pool::largest(kernel, &grid, operand_type(0), value(0), out)
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
			Family::Scatter => {
				movement::scatter(operand_type(0), value(0), operand_type(1), value(1), value(2))
			}
			Family::Movement(movement) => {
				let operands: Vec<(&TensorType, &[i32])> = (0..node.operands.len())
					.map(|place| (operand_type(place), value(place)))
					.collect();
				movement::run(&movement, &operands, out)
			}
		}
	}

	/// An operator that keeps all elements in their order moves its operand where nothing uses it any
	/// more.
	fn moved(&self, number: u16, node: &Node, slots: &mut [Slot]) -> Vec<i32> {
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

		let mut checkpoints = vec![Vec::new(); parts.checkpoints.len()];
		for (number, node) in parts.nodes.iter().enumerate() {
			let number = number as u16;
			if self.plan.is_absorbed(number) {
				continue;
			}
			let last = self.plan.chain(number).map_or(number, |chain| chain.last);
			let value = program.node_value(last);
			let result = self.run(number, node, &mut slots);
			if let Some(checkpoint) = program.checkpoint_of(value) {
				let leaf = Leaf::Checkpoint(checkpoint);
				if let Some((ty, layout)) = program.leaf_type(leaf) {
					checkpoints[checkpoint as usize] = stored::encode(ty, layout, &result);
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

/// Whether the operator multiplies by packed panels of its second operand.
fn is_product(family: &Family) -> bool {
	match family {
		Family::Conv(_) | Family::Conv3d(_) | Family::TransposeConv(_) | Family::MatMul { .. } => {
			true
		}
		Family::Depthwise(_)
		| Family::AvgPool(_)
		| Family::MaxPool { .. }
		| Family::ArgMax { .. }
		| Family::Reduce { .. }
		| Family::Resize(_)
		| Family::Pointwise(_)
		| Family::Table
		| Family::Gather
		| Family::Scatter
		| Family::Movement(_) => false,
	}
}

/// The second operand of a product as its evaluator wants it; nothing for other operators.
fn pack(family: &Family, left: &TensorType, right: &TensorType, elements: &[i32]) -> Vec<Panels> {
	let one = |side: Side, zero_points: [i32; 2]| {
		vec![Panels::pack(side, zero_points, left.dtype, right, elements)]
	};
	match family {
		Family::Conv(conv) => one(Side::Rows, [conv.input_zero_point, conv.weight_zero_point]),
		Family::MatMul { a_zero_point, b_zero_point } => {
			one(Side::Columns, [*a_zero_point, *b_zero_point])
		}
		Family::Conv3d(conv) => conv3d::pack(conv, left.dtype, right, elements),
		Family::TransposeConv(conv) => {
			vec![transpose_conv::pack(conv, left.dtype, right, elements)]
		}
		Family::Depthwise(_)
		| Family::AvgPool(_)
		| Family::MaxPool { .. }
		| Family::ArgMax { .. }
		| Family::Reduce { .. }
		| Family::Resize(_)
		| Family::Pointwise(_)
		| Family::Table
		| Family::Gather
		| Family::Scatter
		| Family::Movement(_) => Vec::new(),
	}
}

/// Type of a value that the check has seen.
fn ty(program: &CheckedProgram, value: ValueId) -> &TensorType {
	program.value_type(value).expect("a checked program's operands exist")
}
