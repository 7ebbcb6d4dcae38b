// SPDX-License-Identifier: Apache-2.0

//! What must hold of every program, checked on a random one.

use super::RandomProgram;
use crate::{
	analyse, eval_element, intervals, read_element, run_job, CheckedProgram, CpuExecutor, Leaf,
	LeafSource, Limits,
};
use std::sync::Arc;

/// Limits that refuse nothing.
pub const NO_LIMITS: Limits = Limits { macs: u64::MAX, open_bytes: u64::MAX };

/// Everything one iteration reads and commits.
pub struct Trace<'a> {
	/// The program.
	pub program: &'a CheckedProgram,
	/// Stored bytes of each input.
	pub inputs: Vec<&'a [u8]>,
	/// Stored bytes of each constant.
	pub constants: &'a [Arc<[u8]>],
	/// Stored bytes of each state before the iteration.
	pub state: Vec<&'a [u8]>,
	/// Stored bytes of each checkpoint.
	pub checkpoints: &'a [Vec<u8>],
}

impl LeafSource for Trace<'_> {
	fn read(&self, leaf: Leaf, index: u64) -> Option<i32> {
		let (ty, _) = self.program.leaf_type(leaf)?;
		let bytes: &[u8] = match leaf {
			Leaf::Input(number) => self.inputs.get(number as usize)?,
			Leaf::Constant(number) => self.constants.get(number as usize)?,
			Leaf::State(number) => self.state.get(number as usize)?,
			Leaf::Checkpoint(number) => self.checkpoints.get(number as usize)?,
		};
		read_element(ty.dtype, bytes, index)
	}
}

/// Runs a program on the CPU path and recomputes every element of its trace: both give the same bits,
/// within the cost and the ranges that the analysis states. Returns how many elements were compared.
///
/// Panics where they differ.
pub fn assert_agreement(random: &RandomProgram) -> u64 {
	let program = Arc::new(random.program.clone());
	let analysis = analyse(&program, &NO_LIMITS).expect("limits that refuse nothing");
	let known = intervals(&program, &[]);
	let blobs: Vec<&[u8]> = random.constants.iter().map(|bytes| &bytes[..]).collect();
	let sharp = intervals(&program, &blobs);
	let mut executor =
		CpuExecutor::new(program.clone(), random.constants.clone()).expect("its own constants");
	let inputs: Vec<&[u8]> = random.inputs.iter().map(Vec::as_slice).collect();
	let state: Vec<&[u8]> = random.state.iter().map(Vec::as_slice).collect();
	let mut traces = Vec::new();
	let mut sink = |_: u32, trace: &[Vec<u8>]| {
		traces.push(trace.to_vec());
		Ok(())
	};
	let outputs = run_job(&mut executor, &program, &inputs, &state, random.iterations, &mut sink)
		.expect("its own inputs");

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
			let ty = program.value_type(checkpoint.value).expect("it was checked");
			let cost = analysis.checkpoints[number].macs;
			let ranges = [&known, &sharp].map(|known| known.ranges[checkpoint.value as usize]);
			for index in 0..ty.elements() {
				let mut budget = cost;
				let found = eval_element(&program, &trace, number as u16, index, &mut budget);
				let stored = read_element(ty.dtype, &checkpoints[number], index);
				let stored = stored.expect("a checkpoint holds its whole tensor");
				assert_eq!(
					found,
					Ok(stored),
					"iteration {iteration}, checkpoint {number}, element {index}: {:?}",
					parts.nodes[program.value_node(checkpoint.value).unwrap_or_default() as usize],
				);
				for (low, high) in ranges {
					assert!(
						(low..=high).contains(&stored),
						"{stored} outside {low}..={high} in checkpoint {number}"
					);
				}
				elements += 1;
			}
		}
		carried = parts
			.state
			.iter()
			.map(|state| {
				let next = program.checkpoint_of(state.next).expect("a next state is committed");
				checkpoints[next as usize].clone()
			})
			.collect();
	}
	let last = traces.last().expect("at least one iteration");
	for (output, bytes) in parts.outputs.iter().zip(&outputs) {
		let checkpoint = program.checkpoint_of(*output).expect("an output is committed");
		assert_eq!(bytes, &last[checkpoint as usize]);
	}
	elements
}
