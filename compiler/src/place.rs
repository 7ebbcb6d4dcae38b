// SPDX-License-Identifier: Apache-2.0

//! Which tensors are committed.
//!
//! A tensor that is not committed is recomputed by an arbiter for every element that depends on it. So the
//! search starts with all tensors that are worth committing and leaves out one after the other, the
//! largest first, as long as the analysis finds every element inside the limits of arbitration.

use tensornet_tensor::{analyse, CheckedProgram, Limits, Program, ProgramError, ValueId};

/// `program` with as few bytes committed as `limits` allow. Values keep their numbers.
///
/// Errors: as [`analyse`] if even with everything committed an element exceeds the limits.
pub fn place(program: &CheckedProgram, limits: &Limits) -> Result<CheckedProgram, ProgramError> {
	analyse(program, limits)?;
	let mut best = program.clone();
	let outputs = &program.program().outputs;
	let bytes = |value: ValueId| program.value_type(value).map_or(0, |ty| ty.bytes());
	let mut candidates: Vec<ValueId> =
		program.program().checkpoints.iter().map(|checkpoint| checkpoint.value).collect();
	candidates.retain(|value| !outputs.contains(value));
	// Of equal ones the later first: what is left is nearer to the input.
	candidates.sort_by_key(|value| (bytes(*value), *value));
	for value in candidates.into_iter().rev() {
		let mut parts: Program = best.program().clone();
		parts.checkpoints.retain(|checkpoint| checkpoint.value != value);
		if let Ok(without) = CheckedProgram::new(parts) {
			if analyse(&without, limits).is_ok() {
				best = without;
			}
		}
	}
	Ok(best)
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
	fn only_what_the_limits_demand_is_committed() {
		assert_eq!(committed(Limits { macs: 1 << 20, open_bytes: 1 << 20 }), 1);
		// The whole sum takes more than 4,096 steps: the sums of rows stay, not what they are sums of.
		assert_eq!(committed(Limits { macs: 4000, open_bytes: 1 << 20 }), 2);
		assert_eq!(committed(Limits { macs: 70, open_bytes: 1 << 20 }), 3);
		assert!(place(&program(), &Limits { macs: 10, open_bytes: 1 << 20 }).is_err());
	}
}
