// SPDX-License-Identifier: Apache-2.0

//! Putting groups together: which steps a group takes, and in which registers.

use super::{
	fuse,
	group::{Action, Each, Group, Operand, Sink, Step, Table, LONGEST, STRETCH},
	pointwise::Lookup,
	view::View,
};
use crate::{
	ops::{scalar, scalar::Pointwise, Family},
	CheckedProgram, DType, ExecError, ValueId,
};
use std::{borrow::Cow, collections::HashMap};

/// What a group needs to know about the program around it.
pub trait Surroundings {
	/// The value whose elements a value shares.
	fn root(&self, value: ValueId) -> ValueId;
	/// The elements of a constant; `None` for other values.
	fn constant(&self, root: ValueId) -> Option<Cow<'_, [i32]>>;
	/// Whether anything but the group's own members reads the value.
	fn is_needed(&self, root: ValueId) -> bool;
	/// The smallest and the largest number that a value can hold, whatever the data are.
	fn range(&self, value: ValueId) -> (i32, i32);
}

impl Group {
	/// The group of a product, if there is one, and `members`, in program order. `row` is the extent that
	/// its reductions reduce, if there are any; it divides the columns of the product, and is at most
	/// [`LONGEST`].
	pub fn of(
		program: &CheckedProgram,
		product: Option<u16>,
		members: &[u16],
		row: Option<usize>,
		around: &impl Surroundings,
	) -> Result<Self, ExecError> {
		let first = product.or(members.first().copied()).unwrap_or_default();
		let node = &program.program().nodes[first as usize];
		let ty = match Family::of(&node.op) {
			Family::Reduce { .. } => super::ty(program, node.operands[0]),
			_ => super::ty(program, program.node_value(first)),
		};
		let last = ty.shape.last().map_or(1, |extent| *extent as usize);
		let line = if product.is_some() { last } else { row.unwrap_or(last) };
		let row = row.unwrap_or(1);
		// A stretch starts where a line does, or at least where a row does.
		let start = if line <= LONGEST { line } else { row };
		let group = Self {
			product,
			elements: ty.elements() as usize,
			row,
			block: start * (STRETCH / start).max(1),
			views: Vec::new(),
			steady: Vec::new(),
			tables: Vec::new(),
			steps: Vec::new(),
			registers: 0,
			outputs: Vec::new(),
			kinds: Vec::new(),
		};
		let mut draft = Draft {
			group,
			start,
			results: HashMap::new(),
			loads: HashMap::new(),
			spread: HashMap::new(),
		};
		if let Some(product) = product {
			draft.result(program.node_value(product), Each::Element, Operand::Sums, around);
		}
		for member in members {
			draft.member(program, *member, around)?;
		}
		draft.group.steps = fuse::fused(draft.group.steps);
		draft.group.place_registers();
		Ok(draft.group)
	}

	/// Gives the results of steps, which are numbered one by one, registers that are free again after
	/// the last step that reads them.
	fn place_registers(&mut self) {
		let mut last = HashMap::new();
		for (number, step) in self.steps.iter().enumerate() {
			for operand in step.action.operands() {
				if let Operand::Register(result) = operand {
					last.insert(*result, number);
				}
			}
		}
		let (mut places, mut free) = (HashMap::new(), Vec::new());
		for (number, step) in self.steps.iter_mut().enumerate() {
			// Not those of the operands of the same step: a loop reads them while it writes.
			let own = step.action.to().map(|to| {
				let place = free.pop().unwrap_or_else(|| {
					self.registers += 1;
					self.registers - 1
				});
				places.insert(*to, place);
				if !last.contains_key(to) {
					free.push(place);
				}
				std::mem::replace(to, place)
			});
			let mut done = Vec::new();
			for operand in step.action.operands_mut() {
				if let Operand::Register(result) = operand {
					let place = places[result];
					if last.get(result) == Some(&number) && !done.contains(&place) {
						done.push(place);
					}
					*result = place;
				}
			}
			debug_assert!(own.is_none_or(|own| last.get(&own) != Some(&number)));
			free.extend(done);
		}
	}
}

/// A group that is being put together; its registers are the numbers of results.
struct Draft {
	group: Group,
	/// Stretches start at multiples of this.
	start: usize,
	results: HashMap<ValueId, (Each, Operand)>,
	/// The operand that each view has become.
	loads: HashMap<(usize, bool), Operand>,
	/// The results for rows that have been spread over elements.
	spread: HashMap<ValueId, Operand>,
}

impl Draft {
	fn next(&self) -> usize {
		self.group.steps.len()
	}

	fn push(&mut self, each: Each, action: Action) {
		self.group.steps.push(Step { each, action });
	}

	/// Makes a result known, and stores it where it is needed.
	fn result(&mut self, value: ValueId, each: Each, from: Operand, around: &impl Surroundings) {
		self.results.insert(value, (each, from));
		if around.is_needed(value) {
			let output = self.group.outputs.len();
			self.group.outputs.push(value);
			self.group.kinds.push(each);
			self.push(each, Action::Store { from, output });
		}
	}

	fn member(
		&mut self,
		program: &CheckedProgram,
		member: u16,
		around: &impl Surroundings,
	) -> Result<(), ExecError> {
		let node = &program.program().nodes[member as usize];
		let value = program.node_value(member);
		let out = super::ty(program, value);
		let each = match out.elements() as usize == self.group.elements {
			true => Each::Element,
			false => Each::Row,
		};
		let first = super::ty(program, node.operands[0]);
		let dtype = first.dtype;
		let action = match Family::of(&node.op) {
			Family::Table => {
				let root = around.root(node.operands[1]);
				let table = match around.constant(root) {
					Some(entries) => Table::Known(Lookup::new(dtype, &entries)),
					None => Table::Value(root, dtype),
				};
				let lookup = self.group.tables.len();
				self.group.tables.push(table);
				let (value, out) = (node.operands[0], &out.shape);
				let operand = self.operand(program, value, each, out, false, around);
				Action::Table { lookup, operand, to: self.next() }
			}
			Family::Pointwise(Pointwise::Cast { to })
				if to.min() <= dtype.min() && to.max() >= dtype.max() =>
			{
				// Numbers are held wide already.
				let same = self.operand(program, node.operands[0], each, &out.shape, false, around);
				self.result(value, each, same, around);
				return Ok(());
			}
			Family::Pointwise(Pointwise::Clamp { min, max })
				if around.range(node.operands[0]).0 >= min
					&& around.range(node.operands[0]).1 <= max =>
			{
				let same = self.operand(program, node.operands[0], each, &out.shape, false, around);
				self.result(value, each, same, around);
				return Ok(());
			}
			Family::Pointwise(op) => {
				let mut operands = [Operand::All(0); 3];
				for (place, value) in operands.iter_mut().zip(&node.operands) {
					*place = self.operand(program, *value, each, &out.shape, true, around);
				}
				let to = self.next();
				match fuse::scaling(op, operands, fits(op, &node.operands, operands, around)) {
					Some((scaling, operands)) => {
						Action::Scale { scaling, operands, to: Sink::Register(to) }
					}
					None => Action::Pointwise { op, dtype, operands, to },
				}
			}
			Family::Reduce { reduction, .. } => {
				let (value, shape) = (node.operands[0], &first.shape);
				let from = self.operand(program, value, Each::Element, shape, false, around);
				Action::Reduce { reduction, dtype, from, to: self.next() }
			}
			_ => return Err(ExecError::Inconsistent),
		};
		let to = self.next();
		self.push(each, action);
		self.result(value, each, Operand::Register(to), around);
		Ok(())
	}

	/// What a step reads where its operator, whose result has shape `out`, reads `value`.
	fn operand(
		&mut self,
		program: &CheckedProgram,
		value: ValueId,
		each: Each,
		out: &[u32],
		one_number: bool,
		around: &impl Surroundings,
	) -> Operand {
		let root = around.root(value);
		match self.results.get(&root).copied() {
			Some((own, operand)) if own == each => return operand,
			Some((_, from)) => {
				if let Some(operand) = self.spread.get(&root) {
					return *operand;
				}
				let to = self.next();
				self.push(Each::Element, Action::Spread { from, to });
				self.spread.insert(root, Operand::Register(to));
				return Operand::Register(to);
			}
			None => {}
		}
		let ty = super::ty(program, value);
		// Also where many are the same: the shifts of channels mostly are.
		if one_number && ty.elements() <= LONGEST as u64 {
			if let Some([all, others @ ..]) = around.constant(root).as_deref() {
				if others.iter().all(|other| other == all) {
					return Operand::All(*all);
				}
			}
		}
		let seen = (root, View::of(ty, out));
		let known = self.group.views.iter().position(|view| *view == seen);
		let view = known.unwrap_or_else(|| {
			self.group.views.push(seen);
			self.group.views.len() - 1
		});
		let key = (view, each == Each::Row);
		if let Some(operand) = self.loads.get(&key) {
			return *operand;
		}
		let operand = self.load(ty.dtype, each, view);
		self.loads.insert(key, operand);
		operand
	}

	fn load(&mut self, dtype: DType, each: Each, number: usize) -> Operand {
		let (_, view) = &self.group.views[number];
		if view.is_whole() && dtype == DType::I32 {
			return Operand::Direct(number);
		}
		let steady = |period: usize| each == Each::Element && self.start.is_multiple_of(period);
		if view.period().is_some_and(steady) {
			self.group.steady.push(number);
			return Operand::Steady(self.group.steady.len() - 1);
		}
		let to = self.next();
		self.push(each, Action::Load { view: number, to });
		Operand::Register(to)
	}
}

/// Whether what a rescale has shifted is known to fit in 32 bits before it is limited.
fn fits(
	op: Pointwise,
	values: &[ValueId],
	operands: [Operand; 3],
	around: &impl Surroundings,
) -> bool {
	let (Pointwise::Rescale { input_zero_point, .. }, [value, multiplier, ..]) = (op, values)
	else {
		return false;
	};
	let Operand::All(shift) = operands[2] else { return false };
	let (low, high) = around.range(*value);
	let (least, most) = match around.constant(around.root(*multiplier)).as_deref() {
		Some(all) => (
			all.iter().copied().min().unwrap_or_default(),
			all.iter().copied().max().unwrap_or_default(),
		),
		None => around.range(*multiplier),
	};
	// Less its zero point, the number wraps unless it is inside these.
	let zero = input_zero_point as i64;
	let inputs = [low, high].map(|number| number as i64 - zero);
	let inside = |number: &i64| i32::try_from(*number).is_ok();
	inputs.iter().all(inside)
		&& inputs.iter().all(|input| {
			[least, most].iter().all(|multiplier| {
				let shift = (shift & 63) as u32;
				inside(&scalar::shift_product(*input as i32, *multiplier, shift))
			})
		})
}
