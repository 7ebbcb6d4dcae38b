// SPDX-License-Identifier: Apache-2.0

//! Running whole jobs on anything that can run one iteration.

use crate::{CheckedProgram, Leaf};
use core::fmt;

/// Why a job did not run to its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ExecError {
	/// As many blobs as the program has inputs, constants or states are needed.
	Count {
		/// What the blobs are for: "inputs", "constants" or "states".
		what: &'static str,
		/// How many the program has.
		expected: usize,
		/// How many were given.
		found: usize,
	},
	/// A blob is not as long as its type, and for inputs the number of iterations, says.
	Size {
		/// The tensor.
		leaf: Leaf,
		/// Bytes expected.
		expected: u64,
		/// Bytes given.
		found: u64,
	},
	/// The iterations asked for are none, or more than the program allows.
	Iterations {
		/// Asked for.
		asked: u32,
		/// Allowed.
		most: u32,
	},
	/// A tensor is too large for this machine or device: decline the job.
	TooLarge(String),
	/// The device failed: rebuild it, or run elsewhere.
	Device(String),
	/// The receiver of the trace failed.
	Sink(String),
	/// The program contradicts its own checks. Never seen for a [`CheckedProgram`].
	Inconsistent,
}

impl fmt::Display for ExecError {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		match self {
			ExecError::Count { what, expected, found } => {
				write!(f, "the program has {expected} {what}, but {found} blobs were given")
			}
			ExecError::Size { leaf, expected, found } => {
				write!(f, "{leaf:?} needs {expected} bytes, but its blob has {found}")
			}
			ExecError::Iterations { asked, most } => {
				write!(f, "{asked} iterations asked for: ask for 1 to {most}")
			}
			ExecError::TooLarge(what) => write!(f, "too large for this device: {what}"),
			ExecError::Device(why) => write!(f, "the device failed: {why}"),
			ExecError::Sink(why) => write!(f, "the trace could not be handed on: {why}"),
			ExecError::Inconsistent => {
				write!(f, "the program contradicts its own checks: decline the job and report it")
			}
		}
	}
}

impl std::error::Error for ExecError {}

/// Something that can run one iteration of the program it was made for.
pub trait Executor {
	/// Runs one iteration and returns the stored bytes of every checkpoint, in program order.
	///
	/// `inputs` and `state` hold one iteration's tensor each, as stored. Fails if their number or
	/// lengths do not fit the program.
	fn run_iteration(
		&mut self,
		inputs: &[&[u8]],
		state: &[&[u8]],
	) -> Result<Vec<Vec<u8>>, ExecError>;
}

/// Runs a job: `iterations` times the program, with the states carried on.
///
/// `inputs` are whole blobs (those read per iteration hold one tensor for each), `state` the first
/// values of the states. `sink` gets each iteration's number and checkpoints before the next iteration
/// starts; an error from it ends the job. Returns the stored bytes of the outputs as they stand after
/// the last iteration.
pub fn run_job(
	executor: &mut dyn Executor,
	program: &CheckedProgram,
	inputs: &[&[u8]],
	state: &[&[u8]],
	iterations: u32,
	sink: &mut dyn FnMut(u32, &[Vec<u8>]) -> Result<(), ExecError>,
) -> Result<Vec<Vec<u8>>, ExecError> {
	let parts = program.program();
	if iterations == 0 || iterations > parts.max_iterations {
		return Err(ExecError::Iterations { asked: iterations, most: parts.max_iterations });
	}
	check_count("inputs", parts.inputs.len(), inputs.len())?;
	check_count("states", parts.state.len(), state.len())?;
	for (number, (input, blob)) in parts.inputs.iter().zip(inputs).enumerate() {
		let tensors = if input.per_iteration { iterations as u64 } else { 1 };
		let expected = input.ty.bytes().saturating_mul(tensors);
		check_size(Leaf::Input(number as u16), expected, blob)?;
	}
	for (number, (state, blob)) in parts.state.iter().zip(state).enumerate() {
		check_size(Leaf::State(number as u16), state.ty.bytes(), blob)?;
	}

	let mut carried: Vec<Vec<u8>> = state.iter().map(|blob| blob.to_vec()).collect();
	let mut outputs = Vec::new();
	for iteration in 0..iterations {
		let tensors: Vec<&[u8]> = parts
			.inputs
			.iter()
			.zip(inputs)
			.map(|(input, blob)| {
				if input.per_iteration {
					let bytes = input.ty.bytes() as usize;
					&blob[iteration as usize * bytes..][..bytes]
				} else {
					blob
				}
			})
			.collect();
		let state: Vec<&[u8]> = carried.iter().map(Vec::as_slice).collect();
		let mut checkpoints = executor.run_iteration(&tensors, &state)?;
		check_checkpoints(program, &checkpoints)?;
		sink(iteration, &checkpoints)?;
		let committed = |value| {
			let number = program.checkpoint_of(value).unwrap_or_default();
			number as usize
		};
		if iteration + 1 < iterations {
			let next = parts.state.iter().map(|state| checkpoints[committed(state.next)].clone());
			carried = next.collect();
		} else {
			let mut last_place = std::collections::BTreeMap::new();
			for (place, output) in parts.outputs.iter().enumerate() {
				last_place.insert(committed(*output), place);
			}
			for (place, output) in parts.outputs.iter().enumerate() {
				let number = committed(*output);
				let moved = last_place.get(&number) == Some(&place);
				let bytes = &mut checkpoints[number];
				outputs.push(if moved { std::mem::take(bytes) } else { bytes.clone() });
			}
		}
	}
	Ok(outputs)
}

pub(crate) fn check_count(
	what: &'static str,
	expected: usize,
	found: usize,
) -> Result<(), ExecError> {
	if expected == found {
		Ok(())
	} else {
		Err(ExecError::Count { what, expected, found })
	}
}

pub(crate) fn check_size(leaf: Leaf, expected: u64, blob: &[u8]) -> Result<(), ExecError> {
	let found = blob.len() as u64;
	if expected == found {
		Ok(())
	} else {
		Err(ExecError::Size { leaf, expected, found })
	}
}

/// What an executor returns is checked before it is committed to.
fn check_checkpoints(program: &CheckedProgram, found: &[Vec<u8>]) -> Result<(), ExecError> {
	let expected = program.program().checkpoints.len();
	if found.len() != expected {
		let found = found.len();
		return Err(ExecError::Device(format!("{found} checkpoints returned, not {expected}")));
	}
	for (number, bytes) in found.iter().enumerate() {
		let leaf = Leaf::Checkpoint(number as u16);
		let expected = program.leaf_type(leaf).map_or(0, |(ty, _)| ty.bytes());
		check_size(leaf, expected, bytes)?;
	}
	Ok(())
}
