// SPDX-License-Identifier: Apache-2.0

//! What the pallet stores.

use crate::{BalanceOf, Config};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use frame_support::{
	traits::PalletError, BoundedVec, CloneNoBound, DebugNoBound, EqNoBound, PartialEqNoBound,
};
use frame_system::pallet_prelude::BlockNumberFor;
use scale_info::TypeInfo;
use tensornet_commitment::OpeningError;
use tensornet_protocol::{
	arbitration::{ElementId, ProofError},
	DataHint, Failure, Hash,
};
use tensornet_tensor::ProgramError;

/// For how many blocks past values of the beacon are kept.
pub const BEACON_HISTORY: u32 = 256;

/// The fewest blocks that feed the beacon between a reveal and its draw: with two, the author of one
/// of them does not know the value when it decides whether to publish.
pub const MIN_BEACON_DELAY: u32 = 2;

/// A registered program.
#[derive(
	CloneNoBound, DebugNoBound, PartialEqNoBound, EqNoBound, Encode, Decode, TypeInfo, MaxEncodedLen,
)]
#[scale_info(skip_type_params(T))]
pub struct ProgramRecord<T: Config> {
	/// Who registered it and earns its royalty.
	pub author: T::AccountId,
	/// What is held of the author.
	pub deposit: BalanceOf<T>,
	/// Where its constants may be fetched.
	pub hint: DataHint,
	/// Multiply-accumulates of one iteration.
	pub macs: u64,
	/// The most iterations a job may ask for.
	pub max_iterations: u32,
	/// How many blobs a job must name: inputs, then states.
	pub blobs: u32,
	/// Memory for its tensors, in MiB, rounded up.
	pub memory_mib: u32,
	/// How many checkpoints it has.
	pub checkpoints: u32,
	/// Which of them are its outputs, in program order.
	pub outputs: BoundedVec<u16, T::MaxOutputs>,
	/// The most multiply-accumulates that recomputing one element takes.
	pub arbitration_macs: u64,
	/// The most bytes of openings that recomputing one element needs.
	pub arbitration_bytes: u64,
	/// How many jobs need it now.
	pub live_jobs: u32,
}

/// What an audit draws from: one checkpoint of a program.
#[derive(
	Clone,
	Copy,
	Debug,
	PartialEq,
	Eq,
	Encode,
	Decode,
	TypeInfo,
	MaxEncodedLen,
	DecodeWithMemTracking,
)]
pub struct CheckpointWork {
	/// Work up to and including this checkpoint: its multiply-accumulates and one for each element,
	/// so that no checkpoint is out of an audit's reach.
	pub cumulative: u64,
	/// Its elements.
	pub elements: u64,
}

/// An undecided commitment.
#[derive(
	CloneNoBound, DebugNoBound, PartialEqNoBound, EqNoBound, Encode, Decode, TypeInfo, MaxEncodedLen,
)]
#[scale_info(skip_type_params(T))]
pub struct Commitment<T: Config> {
	/// The node that committed: its stash account.
	pub node: T::AccountId,
	/// Who pays the job.
	pub requester: T::AccountId,
	/// The program it runs.
	pub program: Hash,
	/// How often.
	pub iterations: u32,
	/// Which attempt at the job this is.
	pub attempt: u8,
	/// The seal.
	pub seal: Hash,
	/// How far it is.
	pub phase: Phase<T>,
	/// The block in which its task in the agenda is due.
	pub due: BlockNumberFor<T>,
}

/// How far a commitment is.
#[derive(
	CloneNoBound, DebugNoBound, PartialEqNoBound, EqNoBound, Encode, Decode, TypeInfo, MaxEncodedLen,
)]
#[scale_info(skip_type_params(T))]
pub enum Phase<T: Config> {
	/// Waits to be revealed.
	#[codec(index = 0)]
	Sealed {
		/// The last block in which it may be.
		reveal_by: BlockNumberFor<T>,
	},
	/// Revealed: may be challenged.
	#[codec(index = 1)]
	Revealed {
		/// The root of the trace's manifest.
		trace_root: Hash,
		/// Roots of the outputs, in program order.
		outputs: BoundedVec<Hash, T::MaxOutputs>,
		/// When it was revealed.
		revealed_at: BlockNumberFor<T>,
		/// The block from which on it may settle.
		settle_at: BlockNumberFor<T>,
		/// What the beacon wants of the node.
		audit: Audit<T>,
	},
}

impl<T: Config> Phase<T> {
	/// What happens next by itself.
	pub fn task(&self) -> Task {
		match self {
			Phase::Sealed { .. } => Task::RevealBy,
			Phase::Revealed { audit: Audit::Undrawn, .. } => Task::Draw,
			Phase::Revealed { audit: Audit::Open { .. }, .. } => Task::AnswerBy,
			Phase::Revealed { audit: Audit::Spared | Audit::Passed, .. } => Task::Settle,
		}
	}
}

/// What the beacon wants of the node.
#[derive(
	CloneNoBound, DebugNoBound, PartialEqNoBound, EqNoBound, Encode, Decode, TypeInfo, MaxEncodedLen,
)]
#[scale_info(skip_type_params(T))]
pub enum Audit<T: Config> {
	/// It has not decided.
	#[codec(index = 0)]
	Undrawn,
	/// Nothing.
	#[codec(index = 1)]
	Spared,
	/// Proofs of some elements.
	#[codec(index = 2)]
	Open {
		/// The elements, in the order drawn.
		samples: BoundedVec<ElementId, T::MaxSamples>,
		/// The last block in which the answer is accepted.
		answer_by: BlockNumberFor<T>,
	},
	/// The proofs were given.
	#[codec(index = 3)]
	Passed,
}

/// What was revealed for a job, kept for a while after the attempt ended.
#[derive(
	CloneNoBound, DebugNoBound, PartialEqNoBound, EqNoBound, Encode, Decode, TypeInfo, MaxEncodedLen,
)]
#[scale_info(skip_type_params(T))]
pub struct JobResult<T: Config> {
	/// The node.
	pub node: T::AccountId,
	/// The program.
	pub program: Hash,
	/// The root of the trace's manifest.
	pub trace_root: Hash,
	/// Roots of the outputs, in program order.
	pub outputs: BoundedVec<Hash, T::MaxOutputs>,
	/// Whether the beacon had drawn the job for an audit.
	pub audited: bool,
	/// How it ended.
	pub verdict: Verdict,
	/// When it ended.
	pub ended_at: BlockNumberFor<T>,
	/// When it is forgotten.
	pub due: BlockNumberFor<T>,
}

/// How an attempt ended.
#[derive(
	Clone,
	Copy,
	Debug,
	PartialEq,
	Eq,
	Encode,
	Decode,
	DecodeWithMemTracking,
	TypeInfo,
	MaxEncodedLen,
)]
pub enum Verdict {
	/// The result stood.
	#[codec(index = 0)]
	Verified,
	/// It did not.
	#[codec(index = 1)]
	Failed(Failure),
}

/// What happens to a job by itself when its block has come.
#[derive(
	Clone,
	Copy,
	Debug,
	PartialEq,
	Eq,
	Encode,
	Decode,
	DecodeWithMemTracking,
	TypeInfo,
	MaxEncodedLen,
)]
pub enum Task {
	/// The time to reveal is over.
	#[codec(index = 0)]
	RevealBy,
	/// The beacon decides about an audit.
	#[codec(index = 1)]
	Draw,
	/// The time to answer an audit is over.
	#[codec(index = 2)]
	AnswerBy,
	/// The challenge window is over.
	#[codec(index = 3)]
	Settle,
	/// The result has been kept long enough.
	#[codec(index = 4)]
	Forget,
}

/// Why a program is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, TypeInfo)]
pub struct ProgramFault(pub ProgramError);

impl PalletError for ProgramFault {
	// The condition and the 16-bit number of the offending part.
	const MAX_ENCODED_SIZE: usize = 3;
}

/// Why a proof shows nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, TypeInfo)]
pub struct ProofFault(pub ProofError);

impl PalletError for ProofFault {
	// The condition and, for a refused opening, its condition.
	const MAX_ENCODED_SIZE: usize = 2;
}

/// Why an opening is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, TypeInfo)]
pub struct OpeningFault(pub OpeningError);

impl PalletError for OpeningFault {
	const MAX_ENCODED_SIZE: usize = 1;
}
