// SPDX-License-Identifier: Apache-2.0

//! Steps of a group that become one: multiplications by fixed-point numbers with what is done before and
//! after them.
//!
//! A rescale or a rounded product takes along the addition that makes its operand, the limits of its result,
//! what is added to that and the way to somebody else, each where nothing else reads what is between them.
//! So a bias, a rescale and a narrow result are one pass over the sums of a product.

use super::{
	group::{Action, Each, Operand, Sink, Step},
	simd::Scaling,
};
use crate::{ops::scalar::Pointwise, Binary};
use std::collections::HashMap;

/// Steps whose registers are the numbers of results, each written once, and where they are read.
struct Steps {
	steps: Vec<Option<Step>>,
	/// The step that writes a register.
	written: HashMap<usize, usize>,
	/// The steps that read a register, one for each operand.
	read: HashMap<usize, Vec<usize>>,
}

/// The same as `steps`, whose registers are each written once, in fewer of them.
pub fn fused(steps: Vec<Step>) -> Vec<Step> {
	let (mut written, mut read) = (HashMap::new(), HashMap::<usize, Vec<usize>>::new());
	for (number, step) in steps.iter().enumerate() {
		if let Some(to) = step.action.result() {
			written.insert(to, number);
		}
		for operand in step.action.operands() {
			if let Operand::Register(register) = operand {
				read.entry(*register).or_default().push(number);
			}
		}
	}
	let steps: Vec<Option<Step>> = steps.into_iter().map(Some).collect();
	let count = steps.len();
	let mut all = Steps { steps, written, read };
	// What is added before belongs to a product even if another one could take it as added after.
	(0..count).for_each(|number| all.begin(number));
	(0..count).for_each(|number| all.extend(number));
	all.steps.into_iter().flatten().collect()
}

/// An operator as a scaling of its operands without surroundings, if it is one. `fits` says that what a rescale
/// shifts is known to fit in 32 bits.
pub fn scaling(
	op: Pointwise,
	[a, b, c]: [Operand; 3],
	fits: bool,
) -> Option<(Scaling, [Operand; 4])> {
	let none = Operand::All(0);
	let is_one = |operand: &Operand| matches!(operand, Operand::All(_));
	match (op, c) {
		(
			Pointwise::Rescale { output, input_zero_point, output_zero_point },
			Operand::All(shift),
		) if !is_one(&a) => {
			let scaling = Scaling::rescale(output, input_zero_point, output_zero_point, shift);
			// Cutting is less work than limiting, and the same where nothing is beyond the limits.
			Some((Scaling { wraps: fits, ..scaling }, [a, none, b, none]))
		}
		(Pointwise::Mul { shift: shift @ 1.. }, _) => {
			let (a, b) = if is_one(&a) { (b, a) } else { (a, b) };
			(!is_one(&a)).then(|| (Scaling::product(shift), [a, none, b, none]))
		}
		_ => None,
	}
}

/// The operands of an addition.
fn addition(step: &Step) -> Option<[Operand; 2]> {
	match step.action {
		Action::Pointwise { op: Pointwise::Binary(Binary::Add), operands: [a, b, _], .. } => {
			Some([a, b])
		}
		_ => None,
	}
}

impl Steps {
	/// The step that alone reads a register, if it is of the same kind and reads it once.
	fn reader(&self, register: usize, each: Each) -> Option<usize> {
		let [number] = self.read.get(&register)?[..] else { return None };
		self.steps[number].filter(|step| step.each == each).map(|_| number)
	}

	/// Lets a scaling take along the addition before it.
	fn begin(&mut self, number: usize) {
		let Some(step) = self.steps[number] else { return };
		let Action::Scale { scaling, operands: [a, Operand::All(0), rest @ ..], to } = step.action
		else {
			return;
		};
		let Some((adder, [a, before])) = self.added_before(a, step.each) else { return };
		self.steps[adder] = None;
		self.moved(adder, number);
		let [multiplier, after] = rest;
		let action = Action::Scale { scaling, operands: [a, before, multiplier, after], to };
		self.steps[number] = Some(Step { action, ..step });
	}

	/// The step that adds up an operand that nothing else reads, and its own operands; the first is not one
	/// number.
	fn added_before(&self, operand: Operand, each: Each) -> Option<(usize, [Operand; 2])> {
		let Operand::Register(register) = operand else { return None };
		self.reader(register, each)?;
		let adder = *self.written.get(&register)?;
		let step = self.steps[adder].filter(|step| step.each == each)?;
		match addition(&step)? {
			[Operand::All(_), Operand::All(_)] => None,
			[a @ Operand::All(_), b] | [b, a] => Some((adder, [b, a])),
		}
	}

	/// Lets a scaling take along what follows it.
	fn extend(&mut self, mut number: usize) {
		while let Some(step) = self.steps[number] {
			let Action::Scale { scaling, operands: [a, before, multiplier, after], to } =
				step.action
			else {
				return;
			};
			let Sink::Register(register) = to else { return };
			let Some(next) = self.reader(register, step.each) else { return };
			let Some(reader) = self.steps[next] else { return };
			let is_open = after == Operand::All(0);
			let result = reader.action.result();
			let (scaling, after, to) = match (reader.action, addition(&reader), result) {
				(Action::Store { output, .. }, ..) => (scaling, after, Sink::Output(output)),
				(Action::Pointwise { op: Pointwise::Clamp { min, max }, .. }, _, Some(to))
					if is_open =>
				{
					(scaling.limited(min, max), after, Sink::Register(to))
				}
				(_, Some([one, other]), Some(to)) if is_open => {
					let after = if one == Operand::Register(register) { other } else { one };
					(scaling, after, Sink::Register(to))
				}
				_ => return,
			};
			// Where the reader was, so that everything it reads is there.
			let action = Action::Scale { scaling, operands: [a, before, multiplier, after], to };
			self.steps[next] = Some(Step { action, ..step });
			self.steps[number] = None;
			if let Sink::Register(to) = to {
				self.written.insert(to, next);
			}
			self.moved(number, next);
			number = next;
		}
	}

	/// What one step has read, another reads now.
	fn moved(&mut self, from: usize, to: usize) {
		for readers in self.read.values_mut() {
			readers.iter_mut().filter(|reader| **reader == from).for_each(|reader| *reader = to);
		}
	}
}
