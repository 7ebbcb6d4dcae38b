// SPDX-License-Identifier: Apache-2.0

//! Work of the lazy recursion.

use super::computed;
use crate::{ops::Family, CheckedProgram, DType, Leaf, ValueId};
use alloc::vec::Vec;

/// For each node, the most steps that one element of its result takes from the leaves on. Saturates.
pub fn element_macs(program: &CheckedProgram) -> Vec<u64> {
	let mut costs: Vec<u64> = Vec::with_capacity(program.program().nodes.len());
	for (number, node) in program.program().nodes.iter().enumerate() {
		let steps = program.node_steps(number as u16);
		let family = Family::of(&node.op);
		let element = |operand: &ValueId| {
			computed(program, *operand)
				.and_then(|node| costs.get(node as usize).copied())
				.unwrap_or(0)
		};
		let operands = if family.reads_one_operand() {
			// The element comes from one of the operands: the dearest bounds it.
			node.operands.iter().map(element).max().unwrap_or(0)
		} else {
			node.operands.iter().enumerate().fold(0u64, |sum, (place, operand)| {
				let dtype = program.value_type(*operand).map_or(DType::I32, |ty| ty.dtype);
				let reads = family.reads(place, steps, dtype);
				sum.saturating_add(reads.saturating_mul(element(operand)))
			})
		};
		let cost = steps.saturating_add(operands);
		costs.push(cost);
	}
	costs
}

/// The most steps that one element of a checkpoint takes.
pub fn checkpoint_macs(program: &CheckedProgram, element_macs: &[u64], checkpoint: u16) -> u64 {
	program
		.leaf_value(Leaf::Checkpoint(checkpoint))
		.and_then(|value| program.value_node(value))
		.and_then(|node| element_macs.get(node as usize).copied())
		.unwrap_or(0)
}
