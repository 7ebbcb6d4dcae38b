// SPDX-License-Identifier: Apache-2.0

//! Operators that are applied to the sums of a matrix product or a convolution before these are stored.
//!
//! A node is absorbed by the product before it where nothing else can tell: it computes each element
//! from one element of the product and constants, no other node and no checkpoint needs the value in
//! between. What is absorbed is decided once for a program, from its nodes alone.

use super::{
	pointwise::{self, Function, Visit},
	simd::{Level, Row, Work, WIDTH},
};
use crate::{
	ops::{movement::Movement, scalar::Pointwise, Family},
	CheckedProgram, DType, TensorType, ValueId,
};

/// What happens to the sums of a product, in order.
#[derive(Default)]
pub struct Steps(Vec<Step>);

enum Step {
	/// An operator with two further operands.
	Pointwise { op: Pointwise, dtype: DType, second: Columns, third: Columns },
	/// A lookup of elements of type `dtype`.
	Table { dtype: DType, entries: Vec<i32> },
}

/// A number for each column of the product, by panel; or one row for all panels.
struct Columns(Vec<Row>);

impl Columns {
	/// `numbers` are one, or one for each column.
	fn of(numbers: &[i32]) -> Self {
		if let [all] = numbers {
			return Self(vec![Row([*all; WIDTH])]);
		}
		let rows = numbers.chunks(WIDTH).map(|numbers| {
			let mut row = Row::ZERO;
			row.0[..numbers.len()].copy_from_slice(numbers);
			row
		});
		Self(rows.collect())
	}

	fn panel(&self, panel: usize) -> &Row {
		match &self.0[..] {
			[all] => all,
			each => &each[panel],
		}
	}
}

impl Steps {
	/// Whether nothing happens.
	pub fn is_empty(&self) -> bool {
		self.0.is_empty()
	}

	/// Takes the steps on a block of sums of panel number `panel`. Columns beyond the last one are
	/// computed as well, from whatever is there.
	pub fn apply(&self, level: Level, rows: &mut [Row], panel: usize) {
		for step in &self.0 {
			match step {
				Step::Pointwise { op, dtype, second, third } => {
					let (second, third) = (second.panel(panel), third.panel(panel));
					pointwise::visit(*op, *dtype, InPlace { level, rows, second, third });
				}
				Step::Table { dtype, entries } => {
					for element in rows.iter_mut().flat_map(|row| &mut row.0) {
						*element = pointwise::look_up(*dtype, entries, *element);
					}
				}
			}
		}
	}
}

/// Replaces each element by an operator's result.
struct InPlace<'a> {
	level: Level,
	rows: &'a mut [Row],
	second: &'a Row,
	third: &'a Row,
}

impl Visit for InPlace<'_> {
	type Output = ();

	#[inline]
	fn visit(self, f: impl Function) {
		let Self { level, rows, second, third } = self;
		level.run(Apply { f, rows, second, third });
	}
}

struct Apply<'a, F> {
	f: F,
	rows: &'a mut [Row],
	second: &'a Row,
	third: &'a Row,
}

impl<F: Function> Work for Apply<'_, F> {
	type Output = ();

	#[inline(always)]
	fn work(self) {
		for row in self.rows {
			// A new row cannot overlap the others, so the loop needs no check.
			let mut results = [0; WIDTH];
			let operands = row.0.iter().zip(&self.second.0).zip(&self.third.0);
			for (result, ((first, second), third)) in results.iter_mut().zip(operands) {
				*result = self.f.call(*first, *second, *third);
			}
			row.0 = results;
		}
	}
}

/// A product with the nodes it absorbs.
pub struct Chain {
	/// What these nodes do.
	pub steps: Steps,
	/// The last of them, whose value is the chain's result; the product itself where there is none.
	pub last: u16,
}

/// Which products absorb which nodes.
pub struct Plan {
	chains: Vec<Option<Chain>>,
	absorbed: Vec<bool>,
}

impl Plan {
	/// The plan for `program`. `constant` gives type and elements of a value that is a constant.
	pub fn of(
		program: &CheckedProgram,
		constant: impl Fn(ValueId) -> Option<(TensorType, Vec<i32>)>,
	) -> Self {
		let nodes = &program.program().nodes;
		let mut users: Vec<Vec<u16>> = vec![Vec::new(); program.value_count()];
		for (number, node) in nodes.iter().enumerate() {
			for operand in &node.operands {
				users[*operand as usize].push(number as u16);
			}
		}
		let mut plan = Self {
			chains: nodes.iter().map(|_| None).collect(),
			absorbed: vec![false; nodes.len()],
		};
		for (number, node) in nodes.iter().enumerate() {
			if !matches!(Family::of(&node.op), Family::Conv(_) | Family::MatMul { .. }) {
				continue;
			}
			let mut chain = Chain { steps: Steps::default(), last: number as u16 };
			loop {
				let value = program.node_value(chain.last);
				let [user] = users[value as usize][..] else { break };
				if program.checkpoint_of(value).is_some() {
					break;
				}
				let Some(step) = step(program, value, user, &constant) else { break };
				chain.steps.0.extend(step);
				chain.last = user;
				plan.absorbed[user as usize] = true;
			}
			plan.chains[number] = Some(chain);
		}
		plan
	}

	/// The chain that starts with node number `node`, if it is a product.
	pub fn chain(&self, node: u16) -> Option<&Chain> {
		self.chains.get(node as usize)?.as_ref()
	}

	/// Whether a product before it computes node number `node`.
	pub fn is_absorbed(&self, node: u16) -> bool {
		self.absorbed.get(node as usize).copied().unwrap_or(false)
	}
}

/// What node `user` does with `value`, its only such operand: no step where it only changes the shape;
/// `None` if it cannot be absorbed.
fn step(
	program: &CheckedProgram,
	value: ValueId,
	user: u16,
	constant: &impl Fn(ValueId) -> Option<(TensorType, Vec<i32>)>,
) -> Option<Option<Step>> {
	let node = program.program().nodes.get(user as usize)?;
	let (before, after) =
		(program.value_type(value)?, program.value_type(program.node_value(user))?);
	// Elements keep their order and their columns.
	if before.elements() != after.elements() || before.shape.last() != after.shape.last() {
		return None;
	}
	let (first, others) = node.operands.split_first()?;
	if *first != value {
		return None;
	}
	let columns = *before.shape.last()?;
	let along_columns = |place: usize| match others.get(place) {
		None => Some(Columns::of(&[0])),
		Some(operand) => {
			let (ty, elements) = constant(*operand)?;
			let last = ty.shape.last().copied().unwrap_or(1);
			let fits = ty.elements() == last as u64 && (last == 1 || last == columns);
			fits.then(|| Columns::of(&elements))
		}
	};
	match Family::of(&node.op) {
		Family::Pointwise(op) => {
			let (second, third) = (along_columns(0)?, along_columns(1)?);
			Some(Some(Step::Pointwise { op, dtype: before.dtype, second, third }))
		}
		Family::Table => {
			let (_, entries) = constant(*others.first()?)?;
			Some(Some(Step::Table { dtype: before.dtype, entries }))
		}
		Family::Movement(Movement::Reshape { .. }) => Some(None),
		_ => None,
	}
}
