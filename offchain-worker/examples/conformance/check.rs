// SPDX-License-Identifier: Apache-2.0

//! One test on each evaluator, compared bit for bit.

use crate::case::Loaded;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use tensornet_tensor::{
	analyse, eval_element, read_element, CheckedProgram, ConstantData, CpuExecutor, Executor, Leaf,
	LeafSource, Limits,
};
use tensornet_worker::gpu::{GpuDevice, GpuExecutor};

/// How a test went on one evaluator.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Verdict {
	/// Every compared bit is equal.
	Passed,
	/// A bit differs, or the evaluator failed: why.
	Failed(String),
}

impl Verdict {
	/// Whether every compared bit is equal.
	pub fn is_passed(&self) -> bool {
		*self == Self::Passed
	}

	fn of(result: Result<(), String>) -> Self {
		result.map_or_else(Self::Failed, |()| Self::Passed)
	}
}

/// How a test went.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Outcome {
	/// On the native CPU path.
	pub cpu: Verdict,
	/// On the arbiter's evaluation of single elements.
	pub element: Verdict,
	/// On the GPU path.
	pub gpu: Verdict,
	/// Elements of the result.
	pub elements: u64,
	/// Elements that the arbiter recomputed.
	pub recomputed: u64,
	/// Whether the chain's default limits accept the program.
	pub is_arbitrable: bool,
}

impl Outcome {
	/// Whether all evaluators agree with the reference model.
	pub fn is_passed(&self) -> bool {
		self.cpu.is_passed() && self.element.is_passed() && self.gpu.is_passed()
	}
}

/// Runs a test on all evaluators. Of each output, `sample` elements are recomputed alone: the first, the
/// last and others drawn by `seed`.
pub fn check(test: &Loaded, gpu: &Arc<GpuDevice>, sample: u64, seed: u64) -> Outcome {
	let program = &test.imported.program;
	let inputs: Vec<&[u8]> = test.inputs.iter().map(Vec::as_slice).collect();
	let constants = test.imported.constant_bytes().map_err(|error| error.to_string());
	let checkpoints = constants.clone().and_then(|constants| {
		let executor = CpuExecutor::new(program.clone(), constants);
		let mut executor = executor.map_err(|error| error.to_string())?;
		executor.run_iteration(&inputs, &[]).map_err(|error| error.to_string())
	});
	let cpu = checkpoints.as_ref().map_err(String::clone);
	let cpu = Verdict::of(cpu.and_then(|checkpoints| compare(test, checkpoints)));

	let limits = analyse(program, &Limits::default());
	let mut recomputed = 0;
	let element = constants.clone().and_then(|constants| {
		let source = Source {
			program,
			inputs: &inputs,
			constants: &constants,
			checkpoints: checkpoints.as_ref().map_or(&[], Vec::as_slice),
		};
		recompute(test, &source, sample, seed, &mut recomputed)
	});
	let gpu = constants.and_then(|constants| {
		let executor = GpuExecutor::new(gpu.clone(), program.clone(), constants);
		let mut executor = executor.map_err(|error| error.to_string())?;
		let checkpoints = executor.run(&inputs, &[]).map_err(|error| error.to_string())?;
		compare(test, &checkpoints)
	});
	Outcome {
		cpu,
		element: Verdict::of(element),
		gpu: Verdict::of(gpu),
		elements: test.imported.outputs.iter().map(|(_, ty)| ty.elements()).sum(),
		recomputed,
		is_arbitrable: limits.is_ok(),
	}
}

/// The checkpoint number of each output.
fn outputs(program: &CheckedProgram) -> Vec<u16> {
	let outputs = program.program().outputs.iter();
	outputs.filter_map(|value| program.checkpoint_of(*value)).collect()
}

/// All outputs of a run against the reference model's.
fn compare(test: &Loaded, checkpoints: &[Vec<u8>]) -> Result<(), String> {
	let outputs = outputs(&test.imported.program);
	for ((number, expected), (name, ty)) in
		outputs.iter().zip(&test.expected).zip(&test.imported.outputs)
	{
		let found = checkpoints.get(*number as usize).ok_or("an output is missing")?;
		if found == expected {
			continue;
		}
		let read = |bytes: &[u8], index| read_element(ty.dtype, bytes, index);
		let differs = |index: &u64| read(found, *index) != read(expected, *index);
		let count = (0..ty.elements()).filter(differs).count();
		let first = (0..ty.elements()).find(differs).unwrap_or_default();
		return Err(format!(
			"{count} of {} elements of {name} differ, the first at {first}: {:?}, not {:?}",
			ty.elements(),
			read(found, first),
			read(expected, first)
		));
	}
	Ok(())
}

/// Elements of the outputs, recomputed alone, against the reference model's.
fn recompute(
	test: &Loaded,
	source: &Source,
	sample: u64,
	seed: u64,
	recomputed: &mut u64,
) -> Result<(), String> {
	let program = &test.imported.program;
	let cost = analyse(program, &Limits::default()).ok();
	for ((number, expected), (name, ty)) in
		outputs(program).into_iter().zip(&test.expected).zip(&test.imported.outputs)
	{
		// What the analysis promises must be enough.
		let promised = cost.as_ref().and_then(|cost| cost.checkpoints.get(number as usize));
		for index in drawn(ty.elements(), sample, seed) {
			let mut budget = promised.map_or(u64::MAX, |cost| cost.macs);
			let found = eval_element(program, source, number, index, &mut budget)
				.map_err(|error| format!("element {index} of {name}: {error}"))?;
			let wanted = read_element(ty.dtype, expected, index).unwrap_or_default();
			if found != wanted {
				return Err(format!("element {index} of {name} is {found}, not {wanted}"));
			}
			*recomputed += 1;
		}
	}
	Ok(())
}

/// Places below `count`: all if they are few, otherwise the ends and others drawn.
fn drawn(count: u64, sample: u64, seed: u64) -> Vec<u64> {
	if count <= sample {
		return (0..count).collect();
	}
	let mut state = seed;
	let mut next = || {
		// SplitMix64.
		state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
		let mut z = state;
		z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
		z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
		(z ^ (z >> 31)) % count
	};
	let others = (2..sample).map(|_| next());
	[0, count - 1].into_iter().chain(others).collect()
}

/// The tensors of one run, as an arbiter would have them opened.
struct Source<'a> {
	program: &'a CheckedProgram,
	inputs: &'a [&'a [u8]],
	constants: &'a [Arc<[u8]>],
	checkpoints: &'a [Vec<u8>],
}

impl LeafSource for Source<'_> {
	fn read(&self, leaf: Leaf, index: u64) -> Option<i32> {
		let (ty, _) = self.program.leaf_type(leaf)?;
		let bytes: &[u8] = match leaf {
			Leaf::Input(number) => self.inputs.get(number as usize)?,
			Leaf::Constant(number) => {
				match &self.program.program().constants.get(number as usize)?.data {
					ConstantData::Inline(bytes) => bytes,
					ConstantData::Blob(_) => self.constants.get(number as usize)?,
				}
			}
			Leaf::State(_) => return None,
			Leaf::Checkpoint(number) => self.checkpoints.get(number as usize)?,
		};
		read_element(ty.dtype, bytes, index)
	}
}
