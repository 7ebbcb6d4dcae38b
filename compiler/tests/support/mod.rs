// SPDX-License-Identifier: Apache-2.0

//! What several tests need.
#![allow(dead_code)]

use serde_json::Value;
use tensornet_compiler::{OnnxModel, Package};
use tensornet_tensor::{
	analyse, eval_element, read_element, ConstantData, Executor, Leaf, LeafSource, Limits,
};

/// The digits data set.
pub struct Digits {
	/// Samples to calibrate with.
	pub calibration: Vec<Vec<f32>>,
	/// Held-out samples with their labels.
	pub test: Vec<(Vec<f32>, usize)>,
}

/// The committed model and data.
pub fn digits() -> (OnnxModel, Digits) {
	let directory = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data");
	let model = OnnxModel::load(format!("{directory}/digits.onnx")).unwrap();
	let text = std::fs::read(format!("{directory}/digits.json")).unwrap();
	let json: Value = serde_json::from_slice(&text).unwrap();
	let read = |key: &str| -> Vec<(Vec<f32>, usize)> {
		let sample = |entry: &Value| {
			let pixels = entry["pixels"].as_str().unwrap().bytes();
			let pixels = pixels.map(|byte| (byte - b'a') as f32).collect();
			(pixels, entry["label"].as_u64().unwrap() as usize)
		};
		json[key].as_array().unwrap().iter().map(sample).collect()
	};
	let calibration = read("calibration").into_iter().map(|(sample, _)| sample).collect();
	(model, Digits { calibration, test: read("test") })
}

/// Everything that one iteration knows, as an arbiter would see it with all openings.
struct Known<'a> {
	package: &'a Package,
	input: &'a [u8],
	states: &'a [Vec<u8>],
	checkpoints: &'a [Vec<u8>],
}

impl LeafSource for Known<'_> {
	fn read(&self, leaf: Leaf, index: u64) -> Option<i32> {
		let (ty, _) = self.package.program.leaf_type(leaf)?;
		let bytes: &[u8] = match leaf {
			Leaf::Input(_) => self.input,
			Leaf::State(number) => self.states.get(number as usize)?,
			Leaf::Checkpoint(number) => &self.checkpoints[number as usize],
			Leaf::Constant(number) => {
				match &self.package.program.program().constants[number as usize].data {
					ConstantData::Inline(bytes) => bytes,
					ConstantData::Blob(root) => {
						&self.package.constants.iter().find(|(known, _)| known == root)?.1
					}
				}
			}
		};
		read_element(ty.dtype, bytes, index)
	}
}

/// Recomputes elements (all, or `per_checkpoint` of each, spread out) of an iteration and counts those that differ
/// from `checkpoints`.
pub fn differences(
	package: &Package,
	input: &[u8],
	states: &[Vec<u8>],
	checkpoints: &[Vec<u8>],
	per_checkpoint: usize,
) -> usize {
	let analysis = analyse(&package.program, &Limits::default()).unwrap();
	let known = Known { package, input, states, checkpoints };
	let mut wrong = 0;
	for (number, stored) in checkpoints.iter().enumerate() {
		let (ty, _) = package.program.leaf_type(Leaf::Checkpoint(number as u16)).unwrap();
		let step = (ty.elements() / per_checkpoint as u64).max(1) | 1;
		for index in (0..ty.elements()).step_by(step as usize) {
			let mut budget = analysis.checkpoints[number].macs;
			let value = eval_element(&package.program, &known, number as u16, index, &mut budget);
			wrong += usize::from(value.unwrap() != read_element(ty.dtype, stored, index).unwrap());
		}
	}
	wrong
}

/// Runs the program and asserts that its elements, recomputed one by one within their budgets, are the same.
pub fn recompute(package: &Package, input: &[u8], per_checkpoint: usize) {
	let mut executor = package.executor().unwrap();
	let checkpoints = executor.run_iteration(&[input], &[]).unwrap();
	assert_eq!(differences(package, input, &[], &checkpoints, per_checkpoint), 0);
}

/// Runs a loop on a sequence, carries the states by hand, and asserts for every iteration that elements recomputed one
/// by one within their budgets are the same. Returns the states before each iteration.
pub fn recompute_all(
	package: &Package,
	sequence: &[f32],
	per_checkpoint: usize,
) -> Vec<Vec<Vec<u8>>> {
	let program = package.program.program();
	let input = package.card.encode_input(sequence).unwrap();
	let each = input.len() / package.card.iterations_of(sequence).unwrap() as usize;
	let mut executor = package.executor().unwrap();
	let mut states = vec![package.card.first_states().unwrap()];
	for input in input.chunks(each) {
		let now = states.last().unwrap();
		let given: Vec<&[u8]> = now.iter().map(Vec::as_slice).collect();
		let checkpoints = executor.run_iteration(&[input], &given).unwrap();
		assert_eq!(differences(package, input, now, &checkpoints, per_checkpoint), 0);
		let next = |state: &tensornet_tensor::State| {
			let number = package.program.checkpoint_of(state.next).unwrap();
			checkpoints[number as usize].clone()
		};
		states.push(program.state.iter().map(next).collect());
	}
	states
}
