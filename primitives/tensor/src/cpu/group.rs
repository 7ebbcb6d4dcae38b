// SPDX-License-Identifier: Apache-2.0

//! Elementwise operators that are computed together, a stretch of elements at a time.
//!
//! Between the operators of a group a value exists only for the stretch, as one `i32` for each element in
//! the innermost cache. What somebody else needs is stored in its own width. A group may begin with the
//! sums of a product, which then hands over each block of rows as soon as it is finished. It may reduce
//! rows, compute with one number for each row, and spread such numbers over their rows again: so a whole
//! softmax or layer norm is one group.

use super::{
	buffer::{with_elements, Convert, Elements, ElementsMut},
	pointwise::{self, Lookup},
	reduce,
	simd::{self, Level, Scaling, Work},
	view::{Load, View},
};
use crate::{ops::scalar::Pointwise, DType, ExecError, Reduction, ValueId};
use rayon::prelude::*;
use std::{borrow::Cow, cell::RefCell};

/// Elements of a stretch, unless a row has more.
pub const STRETCH: usize = 1 << 12;

/// Elements of a part: where operators on elements follow each other, all of them take a part of the
/// stretch before the next. Less would cost more for starting loops than it gains in nearer caches.
const PART: usize = 1 << 11;

/// The longest row that is one stretch, and the longest that is reduced in a group.
pub const LONGEST: usize = 1 << 12;

/// Registers that a thread keeps: 1 MiB.
const SPARES: usize = 64;

/// Elements, times the operators on each, that are worth another task.
const GRAIN: usize = 1 << 17;

/// What a step reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operand {
	/// The result of a step.
	Register(usize),
	/// A view that is the same for every stretch, by its place among those.
	Steady(usize),
	/// An I32 value of the same elements, by number of its view.
	Direct(usize),
	/// The sums of the product.
	Sums,
	/// One number.
	All(i32),
}

/// What a step has a number for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Each {
	/// Each element of the group.
	Element,
	/// Each row of them.
	Row,
}

/// Where a scaled number goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sink {
	/// To a register.
	Register(usize),
	/// To somebody else, by number of the output.
	Output(usize),
}

/// What is done; `to` is the register of the result.
#[derive(Clone, Copy, Debug)]
pub enum Action {
	/// Copies what a view sees.
	Load { view: usize, to: usize },
	/// An elementwise operator.
	Pointwise { op: Pointwise, dtype: DType, operands: [Operand; 3], to: usize },
	/// A multiplication by a fixed-point number with what surrounds it. The operands are what is scaled,
	/// what is added before, the multiplier, and what is added after.
	Scale { scaling: Scaling, operands: [Operand; 4], to: Sink },
	/// A lookup.
	Table { lookup: usize, operand: Operand, to: usize },
	/// The reduction of each row.
	Reduce { reduction: Reduction, dtype: DType, from: Operand, to: usize },
	/// The number of each row for each of its elements.
	Spread { from: Operand, to: usize },
	/// Hands a result to somebody else.
	Store { from: Operand, output: usize },
}

/// An action, and what its result has a number for.
#[derive(Clone, Copy, Debug)]
pub struct Step {
	/// What the result has a number for.
	pub each: Each,
	/// What is done.
	pub action: Action,
}

/// The table of a step.
pub enum Table {
	/// A constant.
	Known(Lookup),
	/// A value, with the element type of what is looked up.
	Value(ValueId, DType),
}

/// Some elementwise operators on as many elements, perhaps after a product.
pub struct Group {
	/// The node that is a product, if there is one.
	pub product: Option<u16>,
	/// Elements of the product, and of every member that does not have one for each row.
	pub elements: usize,
	/// Elements of a row; 1 where the group does nothing with rows.
	pub row: usize,
	/// Elements of a stretch.
	pub block: usize,
	/// What it reads, and how.
	pub views: Vec<(ValueId, View)>,
	/// Those of the views that are the same for every stretch.
	pub steady: Vec<usize>,
	/// What it looks up in.
	pub tables: Vec<Table>,
	/// In order; none reads the register that it writes.
	pub steps: Vec<Step>,
	/// How many registers it needs.
	pub registers: usize,
	/// The values that it stores.
	pub outputs: Vec<ValueId>,
	/// What each of them has an element for.
	pub kinds: Vec<Each>,
}

impl Group {
	/// The values it reads, the operands of its product apart.
	pub fn reads(&self) -> impl Iterator<Item = ValueId> + '_ {
		let tables = self.tables.iter().filter_map(|table| match table {
			Table::Known(_) => None,
			Table::Value(value, _) => Some(*value),
		});
		self.views.iter().map(|(value, _)| *value).chain(tables)
	}

	/// The values it stores, in the order in which it wants room for them.
	pub fn outputs(&self) -> &[ValueId] {
		&self.outputs
	}

	/// How many steps it takes.
	pub fn steps(&self) -> usize {
		self.steps.len()
	}

	/// Whether it stores nothing but the sums of its product.
	pub fn is_only_product(&self) -> bool {
		let store = |step: &Step| matches!(step.action, Action::Store { from: Operand::Sums, .. });
		matches!(&self.steps[..], [step] if store(step))
	}

	/// The group with the elements of what it reads.
	pub fn bind<'a>(
		&'a self,
		level: Level,
		value: impl Fn(ValueId) -> Result<Elements<'a>, ExecError>,
	) -> Result<Bound<'a>, ExecError> {
		let table = |table: &'a Table| {
			Ok(match table {
				Table::Known(lookup) => Cow::Borrowed(lookup),
				Table::Value(entries, dtype) => {
					Cow::Owned(Lookup::new(*dtype, &value(*entries)?.widened()))
				}
			})
		};
		let views = self.views.iter().map(|(root, _)| value(*root));
		let views = views.collect::<Result<Vec<_>, _>>()?;
		// Only I32 values are read where they are.
		for operand in self.steps.iter().flat_map(|step| step.action.operands()) {
			if let Operand::Direct(view) = operand {
				views[*view].words()?;
			}
		}
		let words = views.iter().map(|view| view.words().unwrap_or_default()).collect();
		let tables = self.tables.iter().map(table).collect::<Result<_, _>>()?;
		Ok(Bound { group: self, level, views, words, tables })
	}
}

impl Step {
	/// Whether it needs nothing of other elements of the stretch.
	fn is_inside(&self) -> bool {
		self.each == Each::Element && !matches!(self.action, Action::Spread { .. })
	}
}

impl Action {
	/// What is read from registers or elsewhere.
	pub fn operands(&self) -> &[Operand] {
		match self {
			Action::Load { .. } => &[],
			Action::Pointwise { operands, .. } => operands,
			Action::Scale { operands, .. } => operands,
			Action::Table { operand: from, .. }
			| Action::Reduce { from, .. }
			| Action::Spread { from, .. }
			| Action::Store { from, .. } => std::slice::from_ref(from),
		}
	}

	/// The same, to be replaced.
	pub fn operands_mut(&mut self) -> &mut [Operand] {
		match self {
			Action::Load { .. } => &mut [],
			Action::Pointwise { operands, .. } => operands,
			Action::Scale { operands, .. } => operands,
			Action::Table { operand: from, .. }
			| Action::Reduce { from, .. }
			| Action::Spread { from, .. }
			| Action::Store { from, .. } => std::slice::from_mut(from),
		}
	}

	/// The register of the result.
	pub fn result(&self) -> Option<usize> {
		match self {
			Action::Load { to, .. }
			| Action::Pointwise { to, .. }
			| Action::Table { to, .. }
			| Action::Reduce { to, .. }
			| Action::Spread { to, .. }
			| Action::Scale { to: Sink::Register(to), .. } => Some(*to),
			Action::Store { .. } | Action::Scale { to: Sink::Output(_), .. } => None,
		}
	}

	/// The register of the result, to be replaced.
	pub fn to(&mut self) -> Option<&mut usize> {
		match self {
			Action::Load { to, .. }
			| Action::Pointwise { to, .. }
			| Action::Table { to, .. }
			| Action::Reduce { to, .. }
			| Action::Spread { to, .. }
			| Action::Scale { to: Sink::Register(to), .. } => Some(to),
			Action::Store { .. } | Action::Scale { to: Sink::Output(_), .. } => None,
		}
	}
}

/// A group with the elements of what it reads.
pub struct Bound<'a> {
	group: &'a Group,
	level: Level,
	views: Vec<Elements<'a>>,
	/// Those of the views that are I32; nothing for the others.
	words: Vec<&'a [i32]>,
	tables: Vec<Cow<'a, Lookup>>,
}

/// Some of the numbers of a value.
#[derive(Clone, Copy)]
struct Stretch {
	/// The first, counted from that of the value.
	start: usize,
	/// The same counted from the first that the task has room for.
	first: usize,
	/// The same counted from the first in registers.
	inside: usize,
	/// How many.
	length: usize,
}

impl Stretch {
	/// The rows that these elements are.
	fn rows(self, row: usize) -> Self {
		let Self { start, first, inside, length } = self;
		Self { start: start / row, first: first / row, inside: inside / row, length: length / row }
	}
}

/// Copies each number to all elements of its row.
struct Spread<'a> {
	from: &'a [i32],
	row: usize,
	to: &'a mut [i32],
}

impl Work for Spread<'_> {
	type Output = ();

	#[inline(always)]
	fn work(self) {
		for (to, number) in self.to.chunks_exact_mut(self.row).zip(self.from) {
			to.iter_mut().for_each(|to| *to = *number);
		}
	}
}

/// What a task needs to compute stretches.
pub struct Scratch {
	registers: Vec<Vec<i32>>,
	steady: Vec<Vec<i32>>,
}

thread_local! {
	/// Registers that this thread's last tasks have left, of at most [`LONGEST`] numbers each.
	static SPARE: RefCell<Vec<Vec<i32>>> = const { RefCell::new(Vec::new()) };
}

/// A register of at least `length` numbers, whatever is in it.
fn register(length: usize) -> Vec<i32> {
	let mut register = SPARE.with_borrow_mut(Vec::pop).unwrap_or_default();
	register.resize(register.len().max(length), 0);
	register
}

impl Drop for Scratch {
	fn drop(&mut self) {
		let Self { registers, steady } = self;
		SPARE.with_borrow_mut(|spare| {
			spare.extend(registers.drain(..).chain(steady.drain(..)));
			spare.truncate(SPARES);
		});
	}
}

impl Bound<'_> {
	/// How many steps the group takes.
	pub fn steps(&self) -> usize {
		self.group.steps()
	}

	/// What one task needs.
	pub fn scratch(&self) -> Scratch {
		let block = self.group.block.min(self.group.elements);
		let steady = self.group.steady.iter().map(|view| {
			let mut numbers = register(block);
			self.load(*view, 0, &mut numbers[..block]);
			numbers
		});
		let steady = steady.collect();
		Scratch { registers: (0..self.group.registers).map(|_| register(block)).collect(), steady }
	}

	/// Computes the group, which has no product. `outputs` has room for each value it stores.
	pub fn run(&self, outputs: Vec<ElementsMut>) {
		let Group { elements, block, steps, .. } = self.group;
		let work = elements.saturating_mul(steps.len());
		let tasks = match rayon::current_num_threads() {
			1 => 1,
			threads => (work / GRAIN).clamp(1, 4 * threads),
		};
		if tasks == 1 {
			let mut outputs = outputs;
			return self.stretches(0, *elements, &[], &mut outputs, &mut self.scratch());
		}
		let size = elements.div_ceil(tasks).next_multiple_of(*block);
		let parts = self.split(outputs, size);
		parts.into_par_iter().enumerate().for_each_init(
			|| self.scratch(),
			|scratch, (number, mut outputs)| {
				let start = number * size;
				let count = size.min(elements - start);
				self.stretches(start, count, &[], &mut outputs, scratch);
			},
		);
	}

	/// Computes `count` elements from number `start` on, where a row starts. `sums` are those of the
	/// product, and `outputs` the room, for these elements only.
	pub fn stretches(
		&self,
		start: usize,
		count: usize,
		sums: &[i32],
		outputs: &mut [ElementsMut],
		scratch: &mut Scratch,
	) {
		let Group { block, row, .. } = *self.group;
		// Steps on elements that follow each other.
		let runs = self.group.steps.chunk_by(|a, b| a.is_inside() && b.is_inside());
		let runs: Vec<&[Step]> = runs.collect();
		for first in (0..count).step_by(block) {
			let length = block.min(count - first);
			let whole = Stretch { start: start + first, first, inside: 0, length };
			for run in &runs {
				if !run.first().is_some_and(Step::is_inside) {
					run.iter().for_each(|step| self.step(step, whole, row, sums, outputs, scratch));
					continue;
				}
				for inside in (0..length).step_by(PART) {
					let (start, first) = (whole.start + inside, first + inside);
					let part = Stretch { start, first, inside, length: PART.min(length - inside) };
					run.iter().for_each(|step| self.step(step, part, row, sums, outputs, scratch));
				}
			}
		}
	}

	/// One step, on some elements of a stretch or on their rows.
	fn step(
		&self,
		step: &Step,
		elements: Stretch,
		row: usize,
		sums: &[i32],
		outputs: &mut [ElementsMut],
		scratch: &mut Scratch,
	) {
		let at = match step.each {
			Each::Element => elements,
			Each::Row => elements.rows(row),
		};
		let one = |operand, scratch| self.numbers(operand, at, sums, scratch);
		let reads = |operand, scratch| one(operand, scratch).each(at.length);
		let Some(to) = step.action.result() else {
			match step.action {
				Action::Store { from, output } => {
					self.store(&reads(from, scratch), at, &mut outputs[output]);
				}
				Action::Scale { scaling, operands: [a, rest @ ..], to: Sink::Output(output) } => {
					let a = &*reads(a, scratch);
					let rest = rest.map(|operand| one(operand, scratch));
					let range = at.first..at.first + at.length;
					match &mut outputs[output] {
						ElementsMut::I8(all) => {
							simd::scale(self.level, &scaling, a, rest, &mut all[range]);
						}
						ElementsMut::I16(all) => {
							simd::scale(self.level, &scaling, a, rest, &mut all[range]);
						}
						ElementsMut::I32(all) => {
							simd::scale(self.level, &scaling, a, rest, &mut all[range]);
						}
					}
				}
				_ => {}
			}
			return;
		};
		let mut register = std::mem::take(&mut scratch.registers[to]);
		let out = &mut register[at.inside..][..at.length];
		match step.action {
			Action::Load { view, .. } => self.load(view, at.start, out),
			Action::Pointwise { op, dtype, operands, .. } => {
				let operands = operands.map(|operand| one(operand, scratch));
				pointwise::apply(self.level, op, dtype, operands, out);
			}
			Action::Scale { scaling, operands: [a, rest @ ..], .. } => {
				let rest = rest.map(|operand| one(operand, scratch));
				simd::scale(self.level, &scaling, &reads(a, scratch), rest, out);
			}
			Action::Table { lookup, operand, .. } => {
				self.tables[lookup].apply(self.level, &reads(operand, scratch), out);
			}
			Action::Reduce { reduction, dtype, from, .. } => {
				let from = self.numbers(from, elements, sums, scratch).each(elements.length);
				reduce::lines(reduction, dtype, &from, out);
			}
			Action::Spread { from, .. } => {
				let rows = elements.rows(row);
				let from = &self.numbers(from, rows, sums, scratch).each(rows.length);
				self.level.run(Spread { from, row, to: out });
			}
			Action::Store { .. } => {}
		}
		scratch.registers[to] = register;
	}

	fn store(&self, from: &[i32], at: Stretch, output: &mut ElementsMut) {
		let Stretch { first, length, .. } = at;
		match output {
			ElementsMut::I8(all) => {
				self.level.run(Convert { from, to: &mut all[first..][..length] });
			}
			ElementsMut::I16(all) => {
				self.level.run(Convert { from, to: &mut all[first..][..length] });
			}
			ElementsMut::I32(all) => all[first..][..length].copy_from_slice(from),
		}
	}

	fn numbers<'b>(
		&'b self,
		operand: Operand,
		at: Stretch,
		sums: &'b [i32],
		scratch: &'b Scratch,
	) -> pointwise::Operand<'b> {
		let (all, start): (&[i32], _) = match operand {
			Operand::Register(place) => (&scratch.registers[place], at.inside),
			Operand::Steady(place) => (&scratch.steady[place], at.inside),
			Operand::Direct(view) => (self.words[view], at.start),
			Operand::Sums => (sums, at.first),
			Operand::All(number) => return pointwise::Operand::All(number),
		};
		pointwise::Operand::Each(&all[start..][..at.length])
	}

	/// The rooms of the values that are stored in parts of `size` elements of the group, whole rows.
	pub fn split<'o>(
		&self,
		outputs: Vec<ElementsMut<'o>>,
		size: usize,
	) -> Vec<Vec<ElementsMut<'o>>> {
		let mut parts: Vec<Vec<ElementsMut>> = Vec::new();
		for (output, each) in outputs.into_iter().zip(&self.group.kinds) {
			let size = match each {
				Each::Element => size,
				Each::Row => size / self.group.row,
			};
			for (number, part) in output.chunks(size).into_iter().enumerate() {
				match parts.get_mut(number) {
					Some(parts) => parts.push(part),
					None => parts.push(vec![part]),
				}
			}
		}
		parts
	}

	fn load(&self, number: usize, start: usize, to: &mut [i32]) {
		let (_, view) = &self.group.views[number];
		with_elements!(self.views[number], elements => {
			self.level.run(Load { view, elements, start, to });
		});
	}
}
