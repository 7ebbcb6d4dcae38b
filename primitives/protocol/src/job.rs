// SPDX-License-Identifier: Apache-2.0

//! What a requester asks for, and the life of a job.

use crate::Hash;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use serde::{Deserialize, Serialize};
use sp_core::ConstU32;
use sp_runtime::BoundedVec;

/// Number of a job, counted from zero in the order of submission.
pub type JobId = u64;

/// The most input blobs (program inputs and first states) of a job.
pub const MAX_BLOBS: u32 = 32;

/// The longest data hint, in bytes.
pub const MAX_HINT: u32 = 256;

/// Where blobs may be fetched: the base of a URL. The blob of root `r` is at `{base}/{hex of r}`,
/// lower case without prefix. A hint is advice: what is fetched is checked against its root.
pub type DataHint = BoundedVec<u8, ConstU32<MAX_HINT>>;

/// Roots of a job's blobs: one for each program input, then one for each program state.
pub type BlobRoots = BoundedVec<Hash, ConstU32<MAX_BLOBS>>;

/// What a requester asks for.
#[derive(
	Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, TypeInfo, MaxEncodedLen,
)]
pub struct JobRequest<Balance, BlockNumber> {
	/// BLAKE3 root of a registered program.
	pub program: Hash,
	/// Roots of the input blobs, then of the first state blobs, in program order.
	pub blobs: BlobRoots,
	/// Where those blobs may be fetched.
	pub hint: DataHint,
	/// How often the program runs: at least 1, at most the program's own limit.
	pub iterations: u32,
	/// The most the requester pays in all; held until the job ends.
	pub max_price: Balance,
	/// The block after which the requester no longer wants the result.
	pub deadline: BlockNumber,
	/// The least compliance level of the node, 0 for none.
	pub compliance_level: u8,
}

/// Where a job is in its life. Exactly one of the last four ends it.
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
	Serialize,
	Deserialize,
)]
pub enum JobState {
	/// Waits for a node.
	#[codec(index = 0)]
	Queued,
	/// A node has it and must commit in time.
	#[codec(index = 1)]
	Assigned,
	/// A sealed commitment stands; proof of compute is under way.
	#[codec(index = 2)]
	Committed,
	/// Ended: the result stood and was paid.
	#[codec(index = 3)]
	Settled,
	/// Ended: no result in time; everything held went back.
	#[codec(index = 4)]
	Expired,
	/// Ended: the requester withdrew it before a node had it.
	#[codec(index = 5)]
	Cancelled,
}

impl JobState {
	/// Whether the job has ended.
	pub const fn is_terminal(self) -> bool {
		matches!(self, JobState::Settled | JobState::Expired | JobState::Cancelled)
	}
}

/// What proof of compute needs to know about a job that a node has.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct Assignment<AccountId, BlockNumber> {
	/// Who pays.
	pub requester: AccountId,
	/// Who computes: the stash account of a node.
	pub node: AccountId,
	/// The program.
	pub program: Hash,
	/// Roots of inputs, then of first states.
	pub blobs: BlobRoots,
	/// How often the program runs.
	pub iterations: u32,
	/// The last block in which a sealed commitment is accepted.
	pub commit_by: BlockNumber,
	/// Which attempt this is, from 0.
	pub attempt: u8,
}

/// Why an attempt at a job failed.
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
	Serialize,
	Deserialize,
)]
pub enum Failure {
	/// No sealed commitment in time.
	#[codec(index = 0)]
	NotCommitted,
	/// The commitment was not revealed in time.
	#[codec(index = 1)]
	NotRevealed,
	/// An audit was not answered in time.
	#[codec(index = 2)]
	AuditUnanswered,
	/// An element of the trace was recomputed on chain and differs.
	#[codec(index = 3)]
	Fraud,
}
