// SPDX-License-Identifier: Apache-2.0

//! What is computed together, in which order, and where each value lies: decided once for a program.
//!
//! Elementwise operators join the group of an operand with as many elements, as long as nobody outside the
//! group has read any of its values; so do reductions of rows, and what is computed from one number for each
//! row. A group is computed when somebody first does, so it comes after all
//! that it reads. Values that only have another shape are never made: they share the elements of their
//! operand.

use super::{
	buffer::Buffer,
	draft::Surroundings,
	group::{Group, LONGEST},
	view::View,
};
use crate::{
	ops::{movement::Movement, Family},
	CheckedProgram, Leaf, ValueId,
};
use std::borrow::Cow;

/// One step of an iteration.
pub enum Unit {
	/// An operator by itself.
	Node(u16),
	/// Elementwise operators, perhaps after a product.
	Group(Box<Group>),
}

impl Unit {
	/// What is computed, for people.
	pub fn name(&self, program: &CheckedProgram) -> String {
		let (nodes, more) = match self {
			Unit::Node(node) => (vec![*node], String::new()),
			Unit::Group(group) => {
				let nodes: Vec<u16> = group.product.into_iter().collect();
				let outputs = group.outputs().iter().map(|value| super::ty(program, *value));
				let outputs: Vec<String> =
					outputs.map(|ty| format!("{:?} {:?}", ty.dtype, ty.shape)).collect();
				(nodes, format!("group of {} steps: {}", group.steps(), outputs.join(", ")))
			}
		};
		let mut name = String::new();
		for number in nodes {
			let node = &program.program().nodes[number as usize];
			let types = node.operands.iter().map(|operand| super::ty(program, *operand));
			let types: Vec<String> =
				types.map(|ty| format!("{:?} {:?}", ty.dtype, ty.shape)).collect();
			name += &format!("{:?} of {}; ", node.op, types.join(", "));
		}
		name + &more
	}
}

/// The plan for a program.
pub struct Plan {
	/// In the order in which they are computed.
	pub units: Vec<Unit>,
	/// For each value, the one whose elements it shares: itself, unless it only has another shape.
	pub roots: Vec<ValueId>,
	/// For each value, the buffer that it lies in; none for constants and what nobody needs.
	pub places: Vec<Option<usize>>,
	/// The bytes of each buffer.
	pub buffers: Vec<usize>,
	/// The most bytes of values that are needed at one time.
	pub live: usize,
	/// For each value that is made, the numbers of the checkpoints that share its elements.
	commits: Vec<Vec<usize>>,
}

/// A group that is being put together.
struct Draft {
	elements: u64,
	/// The product and its columns.
	product: Option<(u16, u64)>,
	members: Vec<u16>,
	/// What its reductions reduce, if there are any.
	row: Option<u64>,
}

/// The group that a value belongs to.
#[derive(Clone, Copy, Debug)]
struct Owner {
	draft: usize,
	/// Whether the value has one element for each row of the group.
	rows: bool,
}

/// What is made by itself, and the groups that are still open.
struct Sorter<'a> {
	program: &'a CheckedProgram,
	roots: Vec<ValueId>,
	/// The open group that computes a value, by root.
	owners: Vec<Option<Owner>>,
	drafts: Vec<Option<Draft>>,
	done: Vec<Made>,
}

enum Made {
	Node(u16),
	Group(Draft),
}

impl Sorter<'_> {
	fn root(&self, value: ValueId) -> ValueId {
		self.roots[value as usize]
	}

	fn owner(&self, value: ValueId) -> Option<Owner> {
		self.owners[self.root(value) as usize]
	}

	/// Somebody outside reads a value: its group gets no further members.
	fn close(&mut self, value: ValueId) {
		if let Some(owner) = self.owner(value) {
			self.finish(owner.draft);
		}
	}

	fn finish(&mut self, number: usize) {
		let Some(draft) = self.drafts[number].take() else { return };
		for member in draft.nodes() {
			self.owners[self.program.node_value(member) as usize] = None;
		}
		self.done.push(Made::Group(draft));
	}

	fn elements(&self, value: ValueId) -> u64 {
		super::ty(self.program, value).elements()
	}

	/// Adds a node to an open group, or to a new one of so many elements.
	fn add(&mut self, node: u16, home: Option<usize>, elements: u64) -> usize {
		let value = self.program.node_value(node);
		let home = home.filter(|home| self.drafts[*home].is_some());
		let home = home.unwrap_or_else(|| {
			let members = Vec::new();
			self.drafts.push(Some(Draft { elements, product: None, members, row: None }));
			self.drafts.len() - 1
		});
		if let Some(draft) = &mut self.drafts[home] {
			draft.members.push(node);
			let rows = self.elements(value) != elements_of(&self.drafts[home]);
			self.owners[value as usize] = Some(Owner { draft: home, rows });
		}
		home
	}

	fn node(&mut self, number: u16) {
		let node = &self.program.program().nodes[number as usize];
		let value = self.program.node_value(number);
		let elements = self.elements(value);
		match Family::of(&node.op) {
			Family::Movement(Movement::Reshape { .. } | Movement::Identity) => {
				self.roots[value as usize] = self.root(node.operands[0]);
			}
			Family::Conv(_) | Family::MatMul { .. } => {
				node.operands.iter().for_each(|operand| self.close(*operand));
				let shape = &super::ty(self.program, value).shape;
				let columns = shape.last().map_or(1, |extent| *extent as u64);
				let product = Some((number, columns));
				self.owners[value as usize] = Some(Owner { draft: self.drafts.len(), rows: false });
				self.drafts.push(Some(Draft { elements, product, members: Vec::new(), row: None }));
			}
			family @ (Family::Pointwise(_) | Family::Table) => {
				let mut home: Option<usize> = None;
				for (place, operand) in node.operands.iter().enumerate() {
					let Some(owner) = self.owner(*operand) else { continue };
					let is_table = matches!(family, Family::Table) && place == 1;
					if is_table || !self.fits(owner, *operand, value) {
						self.finish(owner.draft);
					} else if home.is_none_or(|home| self.join(home, owner.draft)) {
						home = Some(owner.draft);
					}
				}
				self.add(number, home, elements);
			}
			Family::Reduce { axis, .. } if self.reduces_rows(node.operands[0], axis) => {
				let operand = node.operands[0];
				let ty = super::ty(self.program, operand);
				let (row, elements) = (ty.shape[axis] as u64, ty.elements());
				let home = self.owner(operand).filter(|owner| {
					let draft = self.drafts[owner.draft].as_ref();
					!owner.rows
						&& draft
							.is_some_and(|draft| draft.elements == elements && draft.can_have(row))
				});
				if home.is_none() {
					self.close(operand);
				}
				let home = self.add(number, home.map(|home| home.draft), elements);
				if let Some(draft) = &mut self.drafts[home] {
					draft.row = Some(row);
				}
			}
			_ => {
				node.operands.iter().for_each(|operand| self.close(*operand));
				self.done.push(Made::Node(number));
			}
		}
	}

	/// Whether a reduction is one of elements that lie one after the other, and few enough for a group.
	fn reduces_rows(&self, operand: ValueId, axis: usize) -> bool {
		let shape = &super::ty(self.program, operand).shape;
		let along = shape[axis] as usize;
		shape[axis + 1..].iter().all(|extent| *extent == 1) && along > 1 && along <= LONGEST
	}

	/// Whether an operator with the result `value` can be in the group of its operand.
	fn fits(&self, owner: Owner, operand: ValueId, value: ValueId) -> bool {
		let Some(draft) = &self.drafts[owner.draft] else { return false };
		let (own, elements) = (self.elements(operand), self.elements(value));
		if own == elements {
			return true;
		}
		// One number for each row, which is spread over it.
		let (ty, out) = (super::ty(self.program, operand), super::ty(self.program, value));
		owner.rows
			&& elements == draft.elements
			&& draft.row.is_some_and(|row| View::of(ty, &out.shape).spreads(row as usize))
	}

	/// Moves the members of one open group to another, which is now both. Where they cannot be one, the
	/// first product in the program is computed by itself, or else `one`; `other` stays if the result is
	/// true.
	fn join(&mut self, one: usize, other: usize) -> bool {
		if one == other {
			return true;
		}
		let (Some(a), Some(b)) = (&self.drafts[one], &self.drafts[other]) else { return true };
		let product = match (a.product, b.product) {
			(Some((a, _)), Some((b, _))) => {
				self.finish(if a < b { one } else { other });
				return a < b;
			}
			(a, b) => b.or(a),
		};
		let row = a.row.or(b.row);
		let joined = Draft { elements: b.elements, product, members: Vec::new(), row };
		let same =
			a.elements == b.elements && (a.row.is_none() || b.row.is_none() || a.row == b.row);
		if !same || row.is_some_and(|row| !joined.can_have(row)) {
			self.finish(one);
			return true;
		}
		let (Some(a), Some(b)) = (self.drafts[one].take(), self.drafts[other].take()) else {
			return true;
		};
		for member in a.nodes() {
			if let Some(owner) = &mut self.owners[self.program.node_value(member) as usize] {
				owner.draft = other;
			}
		}
		let mut members = [a.members, b.members].concat();
		members.sort_unstable();
		self.drafts[other] = Some(Draft { members, ..joined });
		true
	}
}

impl Draft {
	/// Whether it can reduce rows of so many elements.
	fn can_have(&self, row: u64) -> bool {
		self.row.is_none_or(|own| own == row)
			&& self.product.is_none_or(|(_, columns)| columns.is_multiple_of(row))
	}

	fn nodes(&self) -> impl Iterator<Item = u16> + '_ {
		self.product.map(|(node, _)| node).into_iter().chain(self.members.iter().copied())
	}
}

fn elements_of(draft: &Option<Draft>) -> u64 {
	draft.as_ref().map_or(0, |draft| draft.elements)
}

/// The constants of a program, and who needs what.
struct Facts<'a, C> {
	roots: &'a [ValueId],
	constant: C,
	/// For each value, whether anybody reads it who is not in the group that makes it.
	needed: Vec<bool>,
}

impl<C: Fn(ValueId) -> Option<Vec<i32>>> Surroundings for Facts<'_, C> {
	fn root(&self, value: ValueId) -> ValueId {
		self.roots[value as usize]
	}

	fn constant(&self, root: ValueId) -> Option<Cow<'_, [i32]>> {
		(self.constant)(root).map(Cow::Owned)
	}

	fn is_needed(&self, root: ValueId) -> bool {
		self.needed[root as usize]
	}
}

impl Plan {
	/// The plan for `program`. `constant` gives the elements of a value that is a constant.
	pub fn of(program: &CheckedProgram, constant: impl Fn(ValueId) -> Option<Vec<i32>>) -> Self {
		let nodes = &program.program().nodes;
		let values = program.value_count();
		let mut sorter = Sorter {
			program,
			roots: (0..values).map(|value| value as ValueId).collect(),
			owners: vec![None; values],
			drafts: Vec::new(),
			done: Vec::new(),
		};
		(0..nodes.len()).for_each(|number| sorter.node(number as u16));
		(0..sorter.drafts.len()).for_each(|number| sorter.finish(number));
		let Sorter { roots, done, .. } = sorter;

		// Who makes what, then who reads what somebody else made.
		let mut maker: Vec<Option<usize>> = vec![None; values];
		for (number, made) in done.iter().enumerate() {
			for node in made.nodes() {
				maker[program.node_value(node) as usize] = Some(number);
			}
		}
		let mut needed = vec![false; values];
		for checkpoint in &program.program().checkpoints {
			needed[roots[checkpoint.value as usize] as usize] = true;
		}
		for (number, made) in done.iter().enumerate() {
			for node in made.nodes() {
				for operand in &nodes[node as usize].operands {
					let root = roots[*operand as usize] as usize;
					needed[root] |= maker[root] != Some(number);
				}
			}
		}
		let facts = Facts { roots: &roots, constant, needed };
		let unit = |made: &Made| match made {
			Made::Node(node) => Unit::Node(*node),
			Made::Group(draft) => {
				let product = draft.product.map(|(node, _)| node);
				let row = draft.row.map(|row| row as usize);
				Unit::Group(Box::new(Group::of(program, product, &draft.members, row, &facts)))
			}
		};
		let units = done.iter().map(unit).collect();
		let mut commits = vec![Vec::new(); values];
		for (number, checkpoint) in program.program().checkpoints.iter().enumerate() {
			commits[roots[checkpoint.value as usize] as usize].push(number);
		}
		let places = vec![None; values];
		let mut plan = Self { units, roots, places, buffers: Vec::new(), live: 0, commits };
		plan.place(program);
		plan
	}

	/// The roots of the values that a unit reads, apart from the right operands of products with
	/// constants.
	pub fn reads(&self, program: &CheckedProgram, unit: &Unit) -> Vec<ValueId> {
		let operands = |node: u16| {
			let operands = &program.program().nodes[node as usize].operands;
			operands.iter().map(|operand| self.roots[*operand as usize])
		};
		match unit {
			Unit::Node(node) => operands(*node).collect(),
			Unit::Group(group) => {
				group.product.into_iter().flat_map(operands).chain(group.reads()).collect()
			}
		}
	}

	/// The values that a unit makes.
	pub fn writes(&self, program: &CheckedProgram, unit: &Unit) -> Vec<ValueId> {
		match unit {
			Unit::Node(node) => vec![program.node_value(*node)],
			Unit::Group(group) => group.outputs().to_vec(),
		}
	}

	/// The numbers of the checkpoints that share a value's elements.
	pub fn commits(&self, value: ValueId) -> &[usize] {
		&self.commits[value as usize]
	}

	/// Gives each value a buffer for the time from when it is made until it is last read. The largest
	/// come first, each to the smallest buffer that is free at its time, so nothing is larger than the
	/// first value in it.
	fn place(&mut self, program: &CheckedProgram) {
		let end = self.units.len();
		// First and last unit of each value's time; leaves are there before the first.
		let mut times: Vec<Option<(usize, usize)>> = vec![None; program.value_count()];
		let parts = program.program();
		let leaves = (0..parts.inputs.len()).map(|number| Leaf::Input(number as u16));
		let leaves = leaves.chain((0..parts.state.len()).map(|number| Leaf::State(number as u16)));
		leaves.filter_map(|leaf| program.leaf_value(leaf)).for_each(|value| {
			times[value as usize] = Some((0, 0));
		});
		for (number, unit) in self.units.iter().enumerate() {
			for value in self.writes(program, unit) {
				times[value as usize] = Some((number + 1, number + 1));
			}
			for value in self.reads(program, unit) {
				if let Some((_, last)) = &mut times[value as usize] {
					*last = number + 1;
				}
			}
		}
		let bytes = |value: usize| super::ty(program, value as ValueId).bytes() as usize;
		let mut order: Vec<usize> =
			(0..times.len()).filter(|value| times[*value].is_some()).collect();
		order.sort_by_key(|value| std::cmp::Reverse(bytes(*value)));
		let mut taken: Vec<Vec<(usize, usize)>> = Vec::new();
		for value in order {
			let Some((first, last)) = times[value] else { continue };
			let free =
				|taken: &[(usize, usize)]| taken.iter().all(|(a, b)| *b < first || last < *a);
			// Later buffers are smaller.
			let place = (0..taken.len()).rev().find(|place| free(&taken[*place]));
			let place = place.unwrap_or_else(|| {
				taken.push(Vec::new());
				self.buffers.push(bytes(value));
				taken.len() - 1
			});
			taken[place].push((first, last));
			self.places[value] = Some(place);
		}
		let mut change = vec![0i64; end + 3];
		for (value, time) in times.iter().enumerate() {
			if let Some((first, last)) = time {
				change[*first] += bytes(value) as i64;
				change[last + 1] -= bytes(value) as i64;
			}
		}
		let running = change.iter().scan(0, |live, change| {
			*live += change;
			Some(*live)
		});
		self.live = running.max().unwrap_or(0) as usize;
	}

	/// The buffers.
	pub fn allocate(&self) -> Vec<Buffer> {
		self.buffers.iter().map(|bytes| Buffer::new(*bytes)).collect()
	}
}

impl Made {
	fn nodes(&self) -> Vec<u16> {
		match self {
			Made::Node(node) => vec![*node],
			Made::Group(draft) => draft.nodes().collect(),
		}
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::{arbitrary::random_program, Binary, DType, Layout, Op, ProgramBuilder, TensorType};

	fn plan(program: &CheckedProgram) -> Plan {
		let first = program.program().inputs.len();
		let constants = &program.program().constants;
		Plan::of(program, |value| {
			let constant = constants.get((value as usize).checked_sub(first)?)?;
			Some(vec![0; constant.ty.elements() as usize])
		})
	}

	/// The units during which each value must be there: 0 for what is there from the start.
	fn times(program: &CheckedProgram, plan: &Plan) -> Vec<Option<(usize, usize)>> {
		let mut times = vec![None; program.value_count()];
		for (value, place) in plan.places.iter().enumerate() {
			if place.is_some() {
				times[value] = Some((0, 0));
			}
		}
		for (number, unit) in plan.units.iter().enumerate() {
			for value in plan.writes(program, unit) {
				times[value as usize] = Some((number + 1, number + 1));
			}
			for value in plan.reads(program, unit) {
				if let Some((_, last)) = &mut times[value as usize] {
					*last = number + 1;
				}
			}
		}
		times
	}

	#[test]
	fn values_that_are_needed_at_one_time_never_share_a_buffer() {
		let mut shared = 0;
		for seed in 0..300 {
			let program = random_program(seed).program;
			let plan = plan(&program);
			let times = times(&program, &plan);
			for (a, of_a) in times.iter().enumerate() {
				for (b, of_b) in times.iter().enumerate().skip(a + 1) {
					let (Some(of_a), Some(of_b)) = (of_a, of_b) else { continue };
					if plan.places[a] == plan.places[b] {
						assert!(of_a.1 < of_b.0 || of_b.1 < of_a.0, "seed {seed}: {a} and {b}");
						shared += 1;
					}
				}
			}
			for (value, place) in plan.places.iter().enumerate() {
				let bytes = super::super::ty(&program, value as ValueId).bytes() as usize;
				assert!(place.is_none_or(|place| plan.buffers[place] >= bytes), "seed {seed}");
			}
			assert!(plan.buffers.iter().sum::<usize>() >= plan.live, "seed {seed}");
		}
		assert!(shared > 300, "buffers are used again: {shared}");
	}

	#[test]
	fn everything_is_made_before_it_is_read() {
		for seed in 0..300 {
			let program = random_program(seed).program;
			let plan = plan(&program);
			let mut made = vec![false; program.value_count()];
			for (value, made) in made.iter_mut().enumerate() {
				*made = program.value_node(value as ValueId).is_none();
			}
			for unit in &plan.units {
				for value in plan.reads(&program, unit) {
					let own = plan.writes(&program, unit).contains(&value);
					assert!(made[value as usize] && !own, "seed {seed}: {value}");
				}
				for value in plan.writes(&program, unit) {
					made[value as usize] = true;
				}
			}
			for checkpoint in &program.program().checkpoints {
				assert!(made[plan.roots[checkpoint.value as usize] as usize], "seed {seed}");
			}
		}
	}

	#[test]
	fn a_long_chain_is_one_group_and_a_ladder_takes_as_little_memory_as_it_needs() {
		let mut builder = ProgramBuilder::new();
		let ty = TensorType::new(DType::I32, [100, 10]);
		let x = builder.input(ty, Layout::row_major(), false).unwrap();
		let mut value = x;
		for _ in 0..20 {
			value = builder.op(Op::Binary(Binary::Add), &[value, x]).unwrap();
		}
		builder.output(value, Layout::row_major());
		let program = builder.clone().finish().unwrap();
		let chain = plan(&program);
		assert_eq!(chain.units.len(), 1);
		assert_eq!((chain.live, chain.buffers.len()), (8000, 2));

		// Every rung is moved, which no group does.
		for _ in 0..20 {
			let turned = builder.op(Op::Transpose { permutation: vec![1, 0] }, &[value]).unwrap();
			value = builder.op(Op::Transpose { permutation: vec![1, 0] }, &[turned]).unwrap();
		}
		builder.output(value, Layout::row_major());
		let ladder = plan(&builder.finish().unwrap());
		assert_eq!(ladder.units.len(), 41);
		assert_eq!((ladder.live, ladder.buffers.iter().sum()), (8000, 8000));
	}
}
