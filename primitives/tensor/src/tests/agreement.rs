// SPDX-License-Identifier: Apache-2.0

//! The lazy evaluator and the CPU executor give the same bits, within the stated cost.

use super::seeds;
use crate::arbitrary::{assert_agreement, random_program};

#[test]
fn every_element_of_random_programs_agrees_and_stays_in_budget_and_range() {
	let seeds = seeds();
	let mut elements = 0;
	for seed in 0..seeds {
		// Named before anything can fail: shown with a failure only.
		println!("seed {seed}");
		elements += assert_agreement(&random_program(seed));
	}
	assert!(elements > seeds * 20, "the programs are too small to show anything: {elements}");
}
