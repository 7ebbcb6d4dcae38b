// SPDX-License-Identifier: Apache-2.0

//! Which tensors are committed.
//!
//! A tensor that is not committed is recomputed by an arbiter for every element that depends on it. The
//! search starts with all tensors that are worth committing. Where that alone exceeds the limits of
//! arbitration, it changes what helps most: a tensor may be cheaper to recompute than to open, or to open
//! in another storage order. Then it leaves out one tensor after the other, the largest first, as long as
//! the analysis finds every element inside the limits.

use crate::emit::innermost;
use tensornet_tensor::{analyse, CheckedProgram, Layout, Limits, Program, ProgramError, ValueId};

/// `program` with as few bytes committed as `limits` allow. Values keep their numbers.
///
/// Errors: as [`analyse`] if no choice of commitments is found that keeps every element inside the limits.
pub fn place(program: &CheckedProgram, limits: &Limits) -> Result<CheckedProgram, ProgramError> {
	let mut best = program.clone();
	while excess(&best, limits) > 0 {
		best = better(&best, limits).ok_or_else(|| refusal(&best, limits))?;
	}
	for value in candidates(&best) {
		let without = changed(&best, value, None);
		if let Some(without) = without.filter(|without| analyse(without, limits).is_ok()) {
			best = without;
		}
	}
	Ok(best)
}

/// What is committed and no output, the largest first; of equal ones the later first.
fn candidates(program: &CheckedProgram) -> Vec<ValueId> {
	let parts = program.program();
	let bytes = |value: ValueId| program.value_type(value).map_or(0, |ty| ty.bytes());
	let mut values: Vec<ValueId> =
		parts.checkpoints.iter().map(|checkpoint| checkpoint.value).collect();
	values.retain(|value| !parts.outputs.contains(value));
	values.sort_by_key(|value| std::cmp::Reverse((bytes(*value), *value)));
	values
}

/// The program with a value in another storage order, or not committed.
fn changed(
	program: &CheckedProgram,
	value: ValueId,
	layout: Option<Layout>,
) -> Option<CheckedProgram> {
	let mut parts: Program = program.program().clone();
	match layout {
		Some(layout) => {
			let found = parts.checkpoints.iter_mut().find(|known| known.value == value);
			found?.layout = layout;
		}
		None => parts.checkpoints.retain(|known| known.value != value),
	}
	CheckedProgram::new(parts).ok()
}

/// By how much checkpoints exceed the limits, in thousandths of these, added up.
fn excess(program: &CheckedProgram, limits: &Limits) -> u64 {
	let all = Limits { macs: u64::MAX, open_bytes: u64::MAX };
	let Ok(analysis) = analyse(program, &all) else { return u64::MAX };
	let over = |found: u64, limit: u64| {
		found.saturating_sub(limit).saturating_mul(1000).div_ceil(limit.max(1))
	};
	analysis.checkpoints.iter().fold(0, |sum: u64, cost| {
		let cost =
			over(cost.macs, limits.macs).saturating_add(over(cost.open_bytes, limits.open_bytes));
		sum.saturating_add(cost)
	})
}

/// The first change that lowers the excess.
fn better(program: &CheckedProgram, limits: &Limits) -> Option<CheckedProgram> {
	let before = excess(program, limits);
	for value in candidates(program) {
		let rank = program.value_type(value).map_or(0, |ty| ty.rank());
		let layouts = (0..rank).map(|axis| Some(innermost(rank, axis)));
		for layout in std::iter::once(None).chain(layouts) {
			let next = changed(program, value, layout);
			if let Some(next) = next.filter(|next| excess(next, limits) < before) {
				return Some(next);
			}
		}
	}
	None
}

fn refusal(program: &CheckedProgram, limits: &Limits) -> ProgramError {
	analyse(program, limits).err().unwrap_or(ProgramError::TooComplex)
}

#[cfg(test)]
mod tests {
	use super::*;
	use tensornet_tensor::{Binary, DType, Layout, Op, ProgramBuilder, Reduction, TensorType};

	/// Two sums over 64 elements each in a row of elementwise steps, all of it committed.
	fn program() -> CheckedProgram {
		let mut b = ProgramBuilder::new();
		let x = b.input(TensorType::new(DType::I32, [64, 64]), Layout::row_major(), false).unwrap();
		let one = b.scalar(2, 1).unwrap();
		let y = b.op(Op::Binary(Binary::Add), &[x, one]).unwrap();
		let sum = |axis| Op::Reduce { reduction: Reduction::Sum, axis };
		let z = b.op(sum(1), &[y]).unwrap();
		let w = b.op(sum(0), &[z]).unwrap();
		for value in [y, z] {
			b.checkpoint(value, Layout::row_major());
		}
		b.output(w, Layout::row_major());
		b.finish().unwrap()
	}

	fn committed(limits: Limits) -> usize {
		place(&program(), &limits).unwrap().program().checkpoints.len()
	}

	#[test]
	fn a_tensor_that_is_summed_across_its_rows_is_stored_column_by_column_or_not_at_all() {
		let mut b = ProgramBuilder::new();
		let ty = TensorType::new(DType::I32, [256, 512]);
		let x = b.input(ty, Layout::new(&[1, 0]), false).unwrap();
		let y = b.op(Op::Unary(tensornet_tensor::Unary::Abs), &[x]).unwrap();
		b.checkpoint(y, Layout::row_major());
		let sum = Op::Reduce { reduction: Reduction::Sum, axis: 0 };
		let z = b.op(sum, &[y]).unwrap();
		b.output(z, Layout::row_major());
		let program = b.finish().unwrap();
		let limits = Limits::default();
		assert!(analyse(&program, &limits).is_err());
		let placed = place(&program, &limits).unwrap();
		assert_eq!(placed.program().checkpoints.len(), 1);
	}

	#[test]
	fn only_what_the_limits_demand_is_committed() {
		assert_eq!(committed(Limits { macs: 1 << 20, open_bytes: 1 << 20 }), 1);
		// The whole sum takes more than 4,096 steps: the sums of rows stay, not what they are sums of.
		assert_eq!(committed(Limits { macs: 4000, open_bytes: 1 << 20 }), 2);
		assert_eq!(committed(Limits { macs: 70, open_bytes: 1 << 20 }), 3);
		assert!(place(&program(), &Limits { macs: 10, open_bytes: 1 << 20 }).is_err());
	}
}
