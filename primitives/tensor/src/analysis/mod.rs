// SPDX-License-Identifier: Apache-2.0

//! What can be known of a program before it runs: work, memory, value ranges, arbitration cost.

mod cost;
mod interval;
mod opening;
mod region;

pub use interval::{intervals, Intervals};

use crate::{
	check::{CheckedProgram, Origin},
	ProgramError, TensorType, ValueId,
};
use alloc::{vec, vec::Vec};
use codec::{Decode, DecodeWithMemTracking, Encode};
use scale_info::TypeInfo;

/// What an arbiter is willing to spend on one element.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, TypeInfo)]
pub struct Limits {
	/// The most multiply-accumulates or elementwise steps.
	pub macs: u64,
	/// The longest openings, in bytes.
	pub open_bytes: u64,
}

impl Default for Limits {
	/// 2^20 multiply-accumulates and 96 KiB.
	fn default() -> Self {
		Self { macs: 1 << 20, open_bytes: 96 * 1024 }
	}
}

/// The most that recomputing any one element of a checkpoint can cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, TypeInfo)]
pub struct ArbitrationCost {
	/// Budget that [`eval_element`](crate::eval_element) never exceeds.
	pub macs: u64,
	/// Bytes of the openings: the chunks of the claimed element and of all elements it is computed
	/// from, and the inner nodes of the trees above them. Manifest entries are not counted, inline
	/// constants need no opening.
	pub open_bytes: u64,
}

/// The facts about a program that do not depend on data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Analysis {
	/// Work of one iteration; see [`CheckedProgram::macs`].
	pub macs: u64,
	/// Memory that one iteration takes when each value is freed after its last use: constants,
	/// inputs, states and checkpoints as stored, and every value at four bytes for each element.
	pub memory_bytes: u64,
	/// One for each checkpoint.
	pub checkpoints: Vec<ArbitrationCost>,
	/// One for each node: whether no sum, product or conversion in it can wrap, whatever the inputs
	/// are. For products this includes the bias, so a bias must be inline to be known.
	pub exact: Vec<bool>,
}

/// Analyses a program and refuses it if arbitrating one element of it could exceed `limits`.
pub fn analyse(program: &CheckedProgram, limits: &Limits) -> Result<Analysis, ProgramError> {
	let element_macs = cost::element_macs(program);
	let mut search = region::Search::new(program);
	let mut checkpoints = Vec::with_capacity(program.program().checkpoints.len());
	for number in 0..program.program().checkpoints.len() as u16 {
		let macs = cost::checkpoint_macs(program, &element_macs, number);
		if macs > limits.macs {
			return Err(ProgramError::ArbitrationMacs { checkpoint: number });
		}
		let open_bytes = search.open_bytes(number)?;
		if open_bytes > limits.open_bytes {
			return Err(ProgramError::ArbitrationBytes { checkpoint: number });
		}
		checkpoints.push(ArbitrationCost { macs, open_bytes });
	}
	Ok(Analysis {
		macs: program.macs(),
		memory_bytes: memory_bytes(program),
		checkpoints,
		exact: intervals(program, &[]).exact,
	})
}

/// The bound on openings of one checkpoint, in blobs of chunks of `chunk` bytes.
#[cfg(test)]
pub(crate) fn open_bytes_with_chunks(
	program: &CheckedProgram,
	checkpoint: u16,
	chunk: u64,
) -> Result<u64, ProgramError> {
	region::Search::with_chunks(program, chunk).open_bytes(checkpoint)
}

/// For each value, the last node that uses it; `None` where no node does.
pub(crate) fn last_uses(program: &CheckedProgram) -> Vec<Option<u16>> {
	let mut last = vec![None; program.value_count()];
	for (number, node) in program.program().nodes.iter().enumerate() {
		for operand in &node.operands {
			if let Some(place) = last.get_mut(*operand as usize) {
				*place = Some(number as u16);
			}
		}
	}
	last
}

fn memory_bytes(program: &CheckedProgram) -> u64 {
	let parts = program.program();
	let mut held = 0u64;
	let mut hold = |bytes: u64| held = held.saturating_add(bytes);
	let supplied = parts.inputs.iter().map(|input| &input.ty);
	let supplied = supplied.chain(parts.constants.iter().map(|constant| &constant.ty));
	for ty in supplied.chain(parts.state.iter().map(|state| &state.ty)) {
		hold(ty.bytes());
		hold(ty.elements().saturating_mul(4));
	}
	for checkpoint in &parts.checkpoints {
		hold(program.value_type(checkpoint.value).map_or(0, TensorType::bytes));
	}
	let working =
		|value: ValueId| program.value_type(value).map_or(0, |ty| ty.elements().saturating_mul(4));
	let last = last_uses(program);
	let (mut live, mut peak) = (0u64, 0u64);
	for (number, node) in parts.nodes.iter().enumerate() {
		let number = number as u16;
		let value = program.node_value(number);
		live = live.saturating_add(working(value));
		peak = peak.max(live);
		let mut freed: Vec<ValueId> = node.operands.clone();
		freed.push(value);
		freed.sort_unstable();
		freed.dedup();
		for operand in freed {
			let done = match last.get(operand as usize).copied().flatten() {
				Some(user) => user == number,
				None => operand == value,
			};
			if done && program.value_node(operand).is_some() {
				live = live.saturating_sub(working(operand));
			}
		}
	}
	held.saturating_add(peak)
}

/// Whether reading an element of this value needs another node's evaluation.
pub(crate) fn computed(program: &CheckedProgram, value: ValueId) -> Option<u16> {
	match program.value(value)?.origin {
		Origin::Node(node) => Some(node),
		Origin::Leaf(_) | Origin::Inline(_) => None,
	}
}
