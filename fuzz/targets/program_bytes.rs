// SPDX-License-Identifier: Apache-2.0

//! Any bytes as a program: decoding and checking them neither panics nor takes more memory than is
//! stated, and what they accept is canonical and can be analysed. Small programs are run: on zeros, both
//! evaluators agree or both refuse.

#![no_main]

use libfuzzer_sys::fuzz_target;
use std::sync::Arc;
use tensornet_fuzz::{peak_of, Counting};
use tensornet_tensor::{
	analyse,
	arbitrary::{assert_agreement, RandomProgram, NO_LIMITS},
	intervals, CheckedProgram, ConstantData, Limits,
};

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// What decoding, checking and analysing a program may take: 64 MiB, whatever the bytes say.
const MOST: usize = 64 << 20;
/// Tensors of up to so many bytes in all, and products of up to so many steps, are run.
const RUN_BYTES: u64 = 1 << 16;
const RUN_STEPS: u64 = 1 << 18;

fuzz_target!(|bytes: &[u8]| {
	let (program, peak) = peak_of(|| {
		let program = CheckedProgram::decode(bytes).ok()?;
		// Both may refuse; neither may panic or run away.
		let _ = analyse(&program, &Limits::default());
		let _ = intervals(&program, &[]);
		Some(program)
	});
	assert!(peak <= MOST, "{peak} bytes allocated for {} bytes of program", bytes.len());
	let Some(program) = program else { return };
	assert_eq!(program.encode(), bytes, "an accepted program is canonical");
	if let Some(random) = zeros(program) {
		if analyse(&random.program, &NO_LIMITS).is_ok() {
			assert_agreement(&random);
		}
	}
});

/// The program on zeros, if it is small enough to run.
fn zeros(program: CheckedProgram) -> Option<RandomProgram> {
	let parts = program.program();
	let mut total = 0u64;
	for value in 0..program.value_count() {
		total = total.checked_add(program.value_type(value as u16)?.bytes())?;
	}
	// The arbiter's evaluation of all elements repeats shared work: bounded by elements times steps.
	let steps = (0..parts.checkpoints.len())
		.try_fold(0u64, |sum, number| sum.checked_add(program.checkpoint_macs(number as u16)))?;
	if total > RUN_BYTES || steps > RUN_STEPS {
		return None;
	}
	let constants = parts.constants.iter().map(|constant| match &constant.data {
		ConstantData::Inline(bytes) => Arc::from(&bytes[..]),
		ConstantData::Blob(_) => vec![0; constant.ty.bytes() as usize].into(),
	});
	Some(RandomProgram {
		constants: constants.collect(),
		inputs: parts.inputs.iter().map(|input| vec![0; input.ty.bytes() as usize]).collect(),
		state: parts.state.iter().map(|state| vec![0; state.ty.bytes() as usize]).collect(),
		iterations: 1,
		program,
	})
}
