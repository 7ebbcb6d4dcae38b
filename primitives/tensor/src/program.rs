// SPDX-License-Identifier: Apache-2.0

//! The program format: a canonical SCALE encoding of a static dataflow graph.
//!
//! Values are numbered: inputs first, then constants, then state, then one value for each node in
//! order. A node may only use values numbered before its own, so a program is acyclic by form.

use crate::{Layout, Op, TensorType};
use alloc::vec::Vec;
use codec::{Decode, DecodeWithMemTracking, Encode};
use scale_info::TypeInfo;

/// Number of a value; see the module documentation.
pub type ValueId = u16;

/// The format version this crate reads and writes.
pub const FORMAT: u8 = 1;

/// The longest encoded program, in bytes.
pub const MAX_PROGRAM_BYTES: usize = 256 * 1024;

/// A tensor that the job supplies as a blob.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, TypeInfo)]
pub struct Input {
	/// Type of the tensor that one iteration sees.
	pub ty: TensorType,
	/// Storage order of that tensor.
	pub layout: Layout,
	/// Whether each iteration reads its own tensor. The blob is then the concatenation of one
	/// tensor for each iteration; otherwise it is one tensor that every iteration reads.
	pub per_iteration: bool,
}

/// A tensor that is part of the program.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, TypeInfo)]
pub struct Constant {
	/// Type of the tensor.
	pub ty: TensorType,
	/// Storage order. Weights on the right of a product are stored as rows of the transposed
	/// matrix, so that one element of the product needs one contiguous slice.
	pub layout: Layout,
	/// Where the bytes are.
	pub data: ConstantData,
}

/// Where the bytes of a constant are.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, TypeInfo)]
pub enum ConstantData {
	/// Inside the program, in storage order. For small tables and scales: an arbiter needs no
	/// opening for them.
	#[codec(index = 0)]
	Inline(Vec<u8>),
	/// In a blob of this BLAKE3 root, in storage order.
	#[codec(index = 1)]
	Blob([u8; 32]),
}

/// A tensor carried from one iteration to the next. The job supplies its first value as a blob, in
/// the layout of the checkpoint of `next`.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, TypeInfo)]
pub struct State {
	/// Type of the tensor.
	pub ty: TensorType,
	/// The value that becomes this state in the next iteration: a node of the same type that is a
	/// checkpoint.
	pub next: ValueId,
}

/// One operator application.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, TypeInfo)]
pub struct Node {
	/// The operator with its attributes.
	pub op: Op,
	/// Its operands, in the order the operator names them.
	pub operands: Vec<ValueId>,
}

/// A node's value that is committed in the trace.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, TypeInfo)]
pub struct Checkpoint {
	/// The value: always that of a node.
	pub value: ValueId,
	/// Storage order of the committed bytes.
	pub layout: Layout,
}

/// An exact integer tensor program.
///
/// Checkpoints are sorted by value, without duplicates; every output and every state's `next` is a
/// checkpoint. The program's identity is the BLAKE3 hash of its encoding.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, TypeInfo)]
pub struct Program {
	/// Must be [`FORMAT`].
	pub format: u8,
	/// Tensors supplied by the job.
	pub inputs: Vec<Input>,
	/// Tensors that are part of the program.
	pub constants: Vec<Constant>,
	/// Tensors carried from one iteration to the next.
	pub state: Vec<State>,
	/// Operators, in evaluation order.
	pub nodes: Vec<Node>,
	/// The values that are the result, as they stand after the last iteration.
	pub outputs: Vec<ValueId>,
	/// The committed values, in the order of the manifest.
	pub checkpoints: Vec<Checkpoint>,
	/// The most iterations a job may ask for: 1 for inference.
	pub max_iterations: u32,
}

/// Where a value comes from when an element is recomputed: the tensors that are committed or known.
#[derive(
	Clone,
	Copy,
	Debug,
	PartialEq,
	Eq,
	PartialOrd,
	Ord,
	Encode,
	Decode,
	DecodeWithMemTracking,
	TypeInfo,
)]
pub enum Leaf {
	/// Input by number.
	#[codec(index = 0)]
	Input(u16),
	/// Constant by number.
	#[codec(index = 1)]
	Constant(u16),
	/// State by number, as it stands at the start of the iteration.
	#[codec(index = 2)]
	State(u16),
	/// Checkpoint by number, in the same iteration.
	#[codec(index = 3)]
	Checkpoint(u16),
}
