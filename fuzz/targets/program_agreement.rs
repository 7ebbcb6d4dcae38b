// SPDX-License-Identifier: Apache-2.0

//! The fuzzer's bytes choose a program and its data. The CPU path and the arbiter's evaluation of single
//! elements must give the same bits, within the stated cost and ranges; the program must survive its
//! encoding.

#![no_main]

use libfuzzer_sys::fuzz_target;
use tensornet_tensor::{
	arbitrary::{assert_agreement, guided_program},
	CheckedProgram,
};

fuzz_target!(|bytes: &[u8]| {
	let random = guided_program(bytes);
	let decoded = CheckedProgram::decode(&random.program.encode()).expect("it was checked");
	assert_eq!(decoded.id(), random.program.id());
	assert_agreement(&random);
});
