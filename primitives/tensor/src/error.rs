// SPDX-License-Identifier: Apache-2.0

//! Named conditions under which a program is refused or an element cannot be computed.

use crate::{Leaf, ValueId};
use codec::{Decode, DecodeWithMemTracking, Encode};
use core::fmt;
use scale_info::TypeInfo;

/// Why a program is refused. Numbers name the offending part as counted by the program format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, TypeInfo)]
pub enum ProgramError {
	/// The encoding exceeds [`MAX_PROGRAM_BYTES`](crate::MAX_PROGRAM_BYTES).
	#[codec(index = 0)]
	TooLong,
	/// The bytes do not decode as a program.
	#[codec(index = 1)]
	Malformed,
	/// The bytes decode, but are not what encoding the program gives.
	#[codec(index = 2)]
	NotCanonical,
	/// The format version is not one this crate reads.
	#[codec(index = 3)]
	UnknownFormat,
	/// More inputs and states, constants, nodes or outputs than the format allows.
	#[codec(index = 4)]
	TooMany,
	/// No output is named.
	#[codec(index = 5)]
	NoOutput,
	/// `max_iterations` is zero.
	#[codec(index = 6)]
	NoIterations,
	/// A tensor has too many axes, an empty axis or too many elements.
	#[codec(index = 7)]
	BadType {
		/// The value of that type.
		value: ValueId,
	},
	/// A layout is not empty and not a permutation of the axes other than the identity.
	#[codec(index = 8)]
	BadLayout {
		/// The value stored in that layout.
		value: ValueId,
	},
	/// The inline bytes of a constant are not as long as its type says.
	#[codec(index = 9)]
	InlineSize {
		/// The constant.
		constant: u16,
	},
	/// The `next` of a state is not a checkpoint of the state's type.
	#[codec(index = 10)]
	BadNext {
		/// The state.
		state: u16,
	},
	/// An output is not a checkpoint.
	#[codec(index = 11)]
	OutputNotCommitted {
		/// The output, in the order of the list.
		output: u16,
	},
	/// A checkpoint is not a node's value, or the list is not sorted and free of duplicates.
	#[codec(index = 12)]
	BadCheckpoint {
		/// The checkpoint.
		checkpoint: u16,
	},
	/// A node uses a value that is not numbered before its own.
	#[codec(index = 13)]
	OperandOrder {
		/// The node.
		node: u16,
	},
	/// A node has not as many operands as its operator names.
	#[codec(index = 14)]
	OperandCount {
		/// The node.
		node: u16,
	},
	/// An operand's element type is not one the operator takes.
	#[codec(index = 15)]
	OperandType {
		/// The node.
		node: u16,
	},
	/// The operands' shapes do not fit together, or the result is empty or too large.
	#[codec(index = 16)]
	OperandShape {
		/// The node.
		node: u16,
	},
	/// An attribute of the operator is outside its range.
	#[codec(index = 17)]
	Attribute {
		/// The node.
		node: u16,
	},
	/// Too many operators in a row without a checkpoint.
	#[codec(index = 18)]
	TooDeep {
		/// The node at which the limit is passed.
		node: u16,
	},
	/// No checkpoint depends on the node.
	#[codec(index = 19)]
	Unused {
		/// The node.
		node: u16,
	},
	/// The work of one iteration does not fit in 64 bits.
	#[codec(index = 20)]
	TooMuchWork,
	/// Bounding the arbitration cost takes more steps than the analysis may spend.
	#[codec(index = 21)]
	TooComplex,
	/// Recomputing one element of a checkpoint takes more multiply-accumulates than the limit.
	#[codec(index = 22)]
	ArbitrationMacs {
		/// The checkpoint.
		checkpoint: u16,
	},
	/// Recomputing one element of a checkpoint needs longer openings than the limit.
	#[codec(index = 23)]
	ArbitrationBytes {
		/// The checkpoint.
		checkpoint: u16,
	},
}

impl fmt::Display for ProgramError {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		use ProgramError::*;
		match self {
			TooLong => write!(f, "program too long: move inline constants into blobs"),
			Malformed => write!(f, "not a program: the bytes do not decode"),
			NotCanonical => write!(f, "encoding not canonical: encode the program again"),
			UnknownFormat => write!(f, "unknown format version: compile the model again"),
			TooMany => write!(f, "too many inputs, constants, states, nodes or outputs"),
			NoOutput => write!(f, "no output: name at least one checkpoint as output"),
			NoIterations => write!(f, "max_iterations is zero: use 1 for inference"),
			BadType { value } => {
				write!(f, "type of value {value} has too many axes or elements, or an empty axis")
			}
			BadLayout { value } => write!(
				f,
				"layout of value {value} is not a permutation of its axes; row-major is written empty"
			),
			InlineSize { constant } => {
				write!(f, "inline bytes of constant {constant} are not as long as its type says")
			}
			BadNext { state } => {
				write!(f, "next of state {state} must be a checkpoint of the state's type")
			}
			OutputNotCommitted { output } => {
				write!(f, "output {output} must be a checkpoint")
			}
			BadCheckpoint { checkpoint } => write!(
				f,
				"checkpoint {checkpoint} must name a node's value and follow the one before it"
			),
			OperandOrder { node } => {
				write!(f, "node {node} uses a value that is not numbered before its own")
			}
			OperandCount { node } => write!(f, "node {node} has the wrong number of operands"),
			OperandType { node } => {
				write!(
					f,
					"node {node} has an operand of an element type its operator does not take"
				)
			}
			OperandShape { node } => {
				write!(f, "node {node} has shapes that do not fit, or an empty or oversized result")
			}
			Attribute { node } => write!(f, "node {node} has an attribute outside its range"),
			TooDeep { node } => {
				write!(
					f,
					"node {node} is too far from committed values: add a checkpoint before it"
				)
			}
			Unused { node } => write!(f, "node {node} reaches no checkpoint: remove it"),
			TooMuchWork => write!(f, "the work of one iteration does not fit in 64 bits"),
			TooComplex => write!(f, "arbitration cost too complex to bound: add checkpoints"),
			ArbitrationMacs { checkpoint } => write!(
				f,
				"one element of checkpoint {checkpoint} costs too many multiply-accumulates: add a \
				 checkpoint before it"
			),
			ArbitrationBytes { checkpoint } => write!(
				f,
				"one element of checkpoint {checkpoint} needs too many bytes opened: change the \
				 layout of what it reads or add a checkpoint before it"
			),
		}
	}
}

impl core::error::Error for ProgramError {}

/// Why an element was not computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, TypeInfo)]
pub enum EvalError {
	/// The program has no checkpoint of that number.
	#[codec(index = 0)]
	UnknownCheckpoint,
	/// The element's index is not below the checkpoint's element count.
	#[codec(index = 1)]
	OutOfRange,
	/// The source does not hold an element that the computation needs: open more.
	#[codec(index = 2)]
	Missing {
		/// The tensor.
		leaf: Leaf,
		/// The element, in storage order.
		index: u64,
	},
	/// The work exceeds the budget.
	#[codec(index = 3)]
	OutOfBudget,
	/// The program contradicts its own checks. Never seen for a [`CheckedProgram`](crate::CheckedProgram).
	#[codec(index = 4)]
	Inconsistent,
}

impl fmt::Display for EvalError {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		match self {
			EvalError::UnknownCheckpoint => write!(f, "the program has no such checkpoint"),
			EvalError::OutOfRange => write!(f, "element index beyond the checkpoint's tensor"),
			EvalError::Missing { leaf, index } => {
				write!(f, "element {index} of {leaf:?} is not opened")
			}
			EvalError::OutOfBudget => write!(f, "the work exceeds the budget"),
			EvalError::Inconsistent => write!(f, "the program contradicts its own checks"),
		}
	}
}

impl core::error::Error for EvalError {}
