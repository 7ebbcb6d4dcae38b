// SPDX-License-Identifier: Apache-2.0

//! What each layer costs in time on this machine, as it was compiled and with everything in eight bits.
//!
//! The times of integer programs do not depend on the numbers they compute, so inputs are zeros. Nothing
//! but the output is committed here: which tensors are is chosen later and for another reason.

use crate::{
	calibrate::Choices,
	error::CompileError,
	graph::NodeId,
	lower::{Lowered, NodeResult},
	package::constant_bytes,
};
use std::{collections::BTreeMap, sync::Arc, time::Duration};
use tensornet_tensor::{CheckedProgram, CpuExecutor, ExecError, Executor, Program, ValueId};

/// Runs of which the median counts, after one that does not.
const RUNS: usize = 5;

/// The choice that every operand and every weight has eight bits.
pub fn all_in_bytes(choices: &Choices) -> Choices {
	Choices {
		bytes: vec![true; choices.bytes.len()],
		planes: vec![false; choices.planes.len()],
		sensitivity: choices.sensitivity.clone(),
	}
}

/// Milliseconds of one iteration that each node of the graph takes. What is computed together with other
/// layers counts for the last of them.
pub fn milliseconds(lowered: &Lowered) -> Result<BTreeMap<NodeId, f64>, CompileError> {
	let failed = |error: ExecError| CompileError::Execution(error.to_string());
	let program = Arc::new(uncommitted(&lowered.program)?);
	let blobs: Vec<([u8; 32], Arc<[u8]>)> =
		lowered.blobs.iter().map(|(root, bytes)| (*root, bytes.as_slice().into())).collect();
	let constants = constant_bytes(&program, &blobs)?;
	let parts = program.program();
	let inputs: Vec<Vec<u8>> =
		parts.inputs.iter().map(|x| vec![0; x.ty.bytes() as usize]).collect();
	let states: Vec<Vec<u8>> = parts.state.iter().map(|x| vec![0; x.ty.bytes() as usize]).collect();
	let inputs: Vec<&[u8]> = inputs.iter().map(Vec::as_slice).collect();
	let states: Vec<&[u8]> = states.iter().map(Vec::as_slice).collect();

	let mut executor = CpuExecutor::new(program.clone(), constants).map_err(failed)?;
	executor.run_iteration(&inputs, &states).map_err(failed)?;
	let mut runs: Vec<Vec<(ValueId, Duration)>> = Vec::with_capacity(RUNS);
	for _ in 0..RUNS {
		executor.measure();
		executor.run_iteration(&inputs, &states).map_err(failed)?;
		runs.push(executor.times_by_value());
	}
	let mut layers = BTreeMap::new();
	for (unit, (value, _)) in runs[0].iter().enumerate() {
		let mut times: Vec<Duration> = runs.iter().map(|run| run[unit].1).collect();
		times.sort();
		if let Some(node) = layer_of(&lowered.results, *value) {
			*layers.entry(node).or_insert(0.0) += times[RUNS / 2].as_secs_f64() * 1e3;
		}
	}
	Ok(layers)
}

/// The program with only its outputs and states committed.
fn uncommitted(program: &CheckedProgram) -> Result<CheckedProgram, CompileError> {
	let mut parts: Program = program.program().clone();
	let kept = |value: ValueId| {
		parts.outputs.contains(&value) || parts.state.iter().any(|state| state.next == value)
	};
	let kept: Vec<bool> =
		parts.checkpoints.iter().map(|checkpoint| kept(checkpoint.value)).collect();
	let mut kept = kept.into_iter();
	parts.checkpoints.retain(|_| kept.next().unwrap_or_default());
	Ok(CheckedProgram::new(parts)?)
}

/// The layer a value is a part of: the first whose result is no earlier; the last for what comes after all.
fn layer_of(results: &[NodeResult], value: ValueId) -> Option<NodeId> {
	let later = results.iter().filter(|result| result.value >= value);
	let found = later.min_by_key(|result| result.value);
	found.or_else(|| results.iter().max_by_key(|result| result.value)).map(|result| result.node)
}
