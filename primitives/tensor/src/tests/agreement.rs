// SPDX-License-Identifier: Apache-2.0

//! The lazy evaluator and the CPU executor give the same bits, within the stated cost.

use super::{seeds, Trace, NO_LIMITS};
use crate::{arbitrary::random_program, *};
use std::sync::Arc;

/// Runs the program of `seed` and recomputes every element of its trace. Returns how many.
fn check(seed: u64) -> u64 {
	let random = random_program(seed);
	let program = Arc::new(random.program);
	let analysis = match analyse(&program, &NO_LIMITS) {
		Ok(analysis) => analysis,
		Err(error) => panic!("seed {seed}: {error}"),
	};
	let known = intervals(&program, &[]);
	let blobs: Vec<&[u8]> = random.constants.iter().map(|bytes| &bytes[..]).collect();
	let sharp = intervals(&program, &blobs);
	let mut executor = CpuExecutor::new(program.clone(), random.constants.clone()).unwrap();
	let inputs: Vec<&[u8]> = random.inputs.iter().map(Vec::as_slice).collect();
	let state: Vec<&[u8]> = random.state.iter().map(Vec::as_slice).collect();
	let mut traces = Vec::new();
	let outputs =
		run_job(&mut executor, &program, &inputs, &state, random.iterations, &mut |_, trace| {
			traces.push(trace.to_vec());
			Ok(())
		})
		.unwrap();

	let parts = program.program();
	let mut carried = random.state.clone();
	let mut elements = 0;
	for (iteration, checkpoints) in traces.iter().enumerate() {
		let sliced = parts.inputs.iter().zip(&random.inputs).map(|(input, blob)| {
			let bytes = input.ty.bytes() as usize;
			let start = if input.per_iteration { iteration * bytes } else { 0 };
			&blob[start..][..bytes]
		});
		let trace = Trace {
			program: &program,
			inputs: sliced.collect(),
			constants: &random.constants,
			state: carried.iter().map(Vec::as_slice).collect(),
			checkpoints,
		};
		for (number, checkpoint) in parts.checkpoints.iter().enumerate() {
			let ty = program.value_type(checkpoint.value).unwrap();
			let cost = analysis.checkpoints[number].macs;
			let ranges = [&known, &sharp].map(|known| known.ranges[checkpoint.value as usize]);
			for index in 0..ty.elements() {
				let mut budget = cost;
				let found = eval_element(&program, &trace, number as u16, index, &mut budget);
				let stored = read_element(ty.dtype, &checkpoints[number], index).unwrap();
				assert_eq!(
					found,
					Ok(stored),
					"seed {seed}, iteration {iteration}, checkpoint {number}, element {index}: {:?}",
					parts.nodes[program.value_node(checkpoint.value).unwrap() as usize],
				);
				for (low, high) in ranges {
					assert!(
						(low..=high).contains(&stored),
						"seed {seed}: {stored} outside {low}..={high} in checkpoint {number}"
					);
				}
				elements += 1;
			}
		}
		let next = parts
			.state
			.iter()
			.map(|state| checkpoints[program.checkpoint_of(state.next).unwrap() as usize].clone());
		let next: Vec<Vec<u8>> = next.collect();
		carried = next;
	}
	let last = traces.last().unwrap();
	for (output, bytes) in parts.outputs.iter().zip(&outputs) {
		assert_eq!(bytes, &last[program.checkpoint_of(*output).unwrap() as usize]);
	}
	elements
}

#[test]
fn every_element_of_random_programs_agrees_and_stays_in_budget_and_range() {
	let seeds = seeds();
	let elements: u64 = (0..seeds).map(check).sum();
	assert!(elements > seeds * 20, "the programs are too small to show anything: {elements}");
}
