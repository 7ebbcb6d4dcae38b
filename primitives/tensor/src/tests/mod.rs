// SPDX-License-Identifier: Apache-2.0

//! Tests of the crate as a whole.

mod agreement;
mod format;
mod fusion;
mod jobs;
mod large;
mod openings;
mod operators;
mod ranges;
mod windows;

use crate::*;
use std::sync::Arc;

pub const NO_LIMITS: Limits = Limits { macs: u64::MAX, open_bytes: u64::MAX };

/// How many random programs a property is tried on; `TENSOR_SEEDS` asks for more.
pub fn seeds() -> u64 {
	std::env::var("TENSOR_SEEDS").ok().and_then(|seeds| seeds.parse().ok()).unwrap_or(400)
}

/// Everything one iteration reads and commits.
pub struct Trace<'a> {
	pub program: &'a CheckedProgram,
	pub inputs: Vec<&'a [u8]>,
	pub constants: &'a [Arc<[u8]>],
	pub state: Vec<&'a [u8]>,
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
