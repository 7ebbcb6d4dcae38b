// SPDX-License-Identifier: Apache-2.0

//! What is computed together, in which order, and where each value lies: decided once for a program.
//!
//! Elementwise operators join the group of an operand with as many elements, as long as nobody outside the
//! group has read any of its values; so do reductions of rows, and what is computed from one number for each
//! row. A group is computed when somebody first does, so it comes after all
//! that it reads. An operator that makes a value narrow joins even later, where it is all that is still to be
//! done with the value. Values that only have another shape are never made: they share the elements of their
//! operand.

use super::{
	buffer::Buffer,
	draft::Surroundings,
	group::{Group, LONGEST},
	view::View,
};
use crate::{
	analysis::intervals,
	ops::{movement::Movement, Family},
	CheckedProgram, ExecError, Leaf, Node, ValueId,
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
	/// The nodes that read a value, by root; `None` where it is committed as well.
	readers: Vec<Option<Vec<u16>>>,
	/// The open group that computes a value, by root.
	owners: Vec<Option<Owner>>,
	/// For each value that has an element for each of its group, that group's number among what is done.
	makers: Vec<Option<usize>>,
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
			let value = self.program.node_value(member) as usize;
			let owner = self.owners[value].take();
			self.makers[value] = owner.filter(|owner| !owner.rows).map(|_| self.done.len());
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
			_ if is_same(node) => {
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
			Family::Pointwise(_) | Family::Table if self.catches_up(number) => {}
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

	/// Adds a node to a group that is done already, if it takes the place of its operand: it computes no more
	/// bytes from that alone, and nobody else outside the group reads the operand. So the group stores
	/// the narrow result instead of the wide operand.
	fn catches_up(&mut self, number: u16) -> bool {
		let node = &self.program.program().nodes[number as usize];
		let value = self.program.node_value(number);
		let first = self.program.node_value(0);
		let mut computed =
			node.operands.iter().map(|operand| self.root(*operand)).filter(|root| *root >= first);
		let (Some(source), None) = (computed.next(), computed.next()) else { return false };
		let Some(maker) = self.makers[source as usize] else { return false };
		let bytes = |value: ValueId| super::ty(self.program, value).bytes();
		let Some(Made::Group(draft)) = self.done.get(maker) else { return false };
		let Some(readers) = &self.readers[source as usize] else { return false };
		let alone =
			readers.iter().all(|reader| *reader == number || draft.members.contains(reader));
		let fits = self.elements(value) == draft.elements
			&& self.elements(source) == draft.elements
			&& bytes(value) <= bytes(source);
		if !alone || !fits {
			return false;
		}
		if let Some(Made::Group(draft)) = self.done.get_mut(maker) {
			// Members are in program order, in which this one is behind all of them.
			draft.members.push(number);
		}
		self.makers[value as usize] = Some(maker);
		true
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

/// Whether an operator only gives its operand another shape.
fn is_same(node: &Node) -> bool {
	matches!(Family::of(&node.op), Family::Movement(Movement::Reshape { .. } | Movement::Identity))
}

/// For each root the nodes that read it or a value that shares its elements; `None` where one of these is
/// committed.
fn readers(program: &CheckedProgram) -> Vec<Option<Vec<u16>>> {
	let parts = program.program();
	let mut roots: Vec<ValueId> = (0..program.value_count()).map(|v| v as ValueId).collect();
	let mut readers = vec![Some(Vec::new()); roots.len()];
	for (number, node) in parts.nodes.iter().enumerate() {
		let number = number as u16;
		if is_same(node) {
			roots[program.node_value(number) as usize] = roots[node.operands[0] as usize];
			continue;
		}
		for operand in &node.operands {
			let root = roots[*operand as usize] as usize;
			if let Some(readers) = &mut readers[root] {
				readers.push(number);
			}
		}
	}
	for checkpoint in &parts.checkpoints {
		readers[roots[checkpoint.value as usize] as usize] = None;
	}
	readers
}

/// The constants of a program, and who needs what.
struct Facts<'a, C> {
	roots: &'a [ValueId],
	constant: C,
	/// For each value, whether anybody reads it who is not in the group that makes it.
	needed: Vec<bool>,
	/// For each value, the smallest and the largest number that it can hold.
	ranges: Vec<(i32, i32)>,
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

	fn range(&self, value: ValueId) -> (i32, i32) {
		self.ranges[value as usize]
	}
}

impl Plan {
	/// The plan for `program`. `constant` gives the elements of a value that is a constant.
	pub fn of(
		program: &CheckedProgram,
		constant: impl Fn(ValueId) -> Option<Vec<i32>>,
	) -> Result<Self, ExecError> {
		let nodes = &program.program().nodes;
		let values = program.value_count();
		let mut sorter = Sorter {
			program,
			roots: (0..values).map(|value| value as ValueId).collect(),
			readers: readers(program),
			owners: vec![None; values],
			makers: vec![None; values],
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
		let ranges = intervals(program, &[]).ranges;
		let facts = Facts { roots: &roots, constant, needed, ranges };
		let unit = |made: &Made| match made {
			Made::Node(node) => Ok(Unit::Node(*node)),
			Made::Group(draft) => {
				let product = draft.product.map(|(node, _)| node);
				let row = draft.row.map(|row| row as usize);
				let group = Group::of(program, product, &draft.members, row, &facts);
				group.map(|group| Unit::Group(Box::new(group)))
			}
		};
		let units = done.iter().map(unit).collect::<Result<_, _>>()?;
		let mut commits = vec![Vec::new(); values];
		for (number, checkpoint) in program.program().checkpoints.iter().enumerate() {
			commits[roots[checkpoint.value as usize] as usize].push(number);
		}
		let places = vec![None; values];
		let mut plan = Self { units, roots, places, buffers: Vec::new(), live: 0, commits };
		plan.place(program);
		Ok(plan)
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
mod tests;
