// SPDX-License-Identifier: Apache-2.0

//! What the escrow stores: live jobs, their agenda, and the outcomes of ended ones.

use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use frame_support::pallet_prelude::TypeInfo;
use sp_runtime::traits::{One, Saturating};
use tensornet_protocol::{BlobRoots, DataHint, Hash, JobState};

/// One try of a node at a job.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo, MaxEncodedLen)]
pub struct Attempt<AccountId, Balance, BlockNumber> {
	/// Stash account of the node.
	pub node: AccountId,
	/// What the requester pays if the result stands, all shares included.
	pub price: Balance,
	/// The last block in which a sealed commitment is accepted.
	pub commit_by: BlockNumber,
	/// What of the node's bond answers for this attempt.
	pub collateral: Balance,
}

/// Where a live job is.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo, MaxEncodedLen)]
pub enum Phase<AccountId, Balance, BlockNumber> {
	/// Waits for a node.
	#[codec(index = 0)]
	Queued {
		/// The block in which a node is looked for next.
		next_try: BlockNumber,
	},
	/// A node has it and must commit in time.
	#[codec(index = 1)]
	Assigned(Attempt<AccountId, Balance, BlockNumber>),
	/// A sealed commitment stands; proof of compute decides.
	#[codec(index = 2)]
	Committed(Attempt<AccountId, Balance, BlockNumber>),
}

/// A job that has not ended.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo, MaxEncodedLen)]
pub struct Job<AccountId, Balance, BlockNumber> {
	/// Who pays.
	pub requester: AccountId,
	/// BLAKE3 root of the program.
	pub program: Hash,
	/// Roots of inputs, then of first states.
	pub blobs: BlobRoots,
	/// Where those blobs may be fetched.
	pub hint: DataHint,
	/// How often the program runs.
	pub iterations: u32,
	/// Multiply-accumulates of all iterations together.
	pub macs: u128,
	/// Memory the node needs, in MiB.
	pub memory_mib: u32,
	/// The least compliance level of the node.
	pub compliance_level: u8,
	/// On hold from the requester for the price.
	pub max_price: Balance,
	/// On hold from the requester for the storage of this record.
	pub deposit: Balance,
	/// The block in which it was submitted.
	pub submitted_at: BlockNumber,
	/// The block by which a commitment must stand. Proven fraud of a node moves it back.
	pub deadline: BlockNumber,
	/// Which attempt is under way or comes next, from 0.
	pub attempt: u8,
	/// The node that failed the last attempt and does not get the next one.
	pub excluded: Option<AccountId>,
	/// Where it is.
	pub phase: Phase<AccountId, Balance, BlockNumber>,
}

impl<AccountId, Balance, BlockNumber: Copy + One + Saturating>
	Phase<AccountId, Balance, BlockNumber>
{
	/// The state this phase is shown as.
	pub fn state(&self) -> JobState {
		match self {
			Phase::Queued { .. } => JobState::Queued,
			Phase::Assigned(_) => JobState::Assigned,
			Phase::Committed(_) => JobState::Committed,
		}
	}

	/// The attempt under way, if a node has the job.
	pub fn attempt(&self) -> Option<&Attempt<AccountId, Balance, BlockNumber>> {
		match self {
			Phase::Queued { .. } => None,
			Phase::Assigned(attempt) | Phase::Committed(attempt) => Some(attempt),
		}
	}

	/// What the agenda has to do next for a job in this phase, and in which block. Nothing for a
	/// committed job: proof of compute has its own deadlines.
	pub fn wakes(&self) -> Option<(Task, BlockNumber)> {
		match self {
			Phase::Queued { next_try } => Some((Task::Assign, *next_try)),
			Phase::Assigned(attempt) => {
				Some((Task::CommitDeadline, attempt.commit_by.saturating_add(One::one())))
			}
			Phase::Committed(_) => None,
		}
	}
}

/// What the agenda does for a job. Each task has a lane of its own, so that a crowd of new jobs
/// cannot hold up the deadlines of running ones.
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
	MaxEncodedLen,
)]
pub enum Task {
	/// Look for a node, or end the job if too little time is left for one.
	#[codec(index = 0)]
	Assign,
	/// Take the job from a node that has not committed.
	#[codec(index = 1)]
	CommitDeadline,
	/// Remove the outcome of a job that ended long ago.
	#[codec(index = 2)]
	Forget,
}

/// Where the money of a job went: the six amounts add up to what was held, to the last unit.
#[derive(
	Clone,
	Copy,
	Debug,
	Default,
	PartialEq,
	Eq,
	Encode,
	Decode,
	DecodeWithMemTracking,
	TypeInfo,
	MaxEncodedLen,
)]
pub struct Receipt<Balance> {
	/// Paid to the node.
	pub paid: Balance,
	/// Burned: the job's burn, and what of the consensus-chain fee waits for no ancestor.
	pub burned: Balance,
	/// Paid to the treasury.
	pub treasury: Balance,
	/// Paid to the author of the program.
	pub author: Balance,
	/// Set aside for ancestors in the consensus chain.
	pub lineage: Balance,
	/// Released to the requester.
	pub refunded: Balance,
}

impl<Balance: Copy + Saturating> Receipt<Balance> {
	/// Everything together.
	pub fn total(&self) -> Balance {
		self.paid
			.saturating_add(self.burned)
			.saturating_add(self.treasury)
			.saturating_add(self.author)
			.saturating_add(self.lineage)
			.saturating_add(self.refunded)
	}
}

/// How a job ended.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo, MaxEncodedLen)]
pub struct Outcome<AccountId, Balance, BlockNumber> {
	/// One of the terminal states.
	pub state: JobState,
	/// Who paid.
	pub requester: AccountId,
	/// Whose result stood: the stash account of a node, for settled jobs only.
	pub node: Option<AccountId>,
	/// The program.
	pub program: Hash,
	/// What was held for the price.
	pub held: Balance,
	/// Where that went.
	pub receipt: Receipt<Balance>,
	/// The block in which the job ended.
	pub ended_at: BlockNumber,
}
