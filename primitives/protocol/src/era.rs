// SPDX-License-Identifier: Apache-2.0

//! Eras: the periods by which validators are elected and rewards are counted, and what a settled job
//! leaves behind in them.

use crate::{Hash, JobId, Split};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use serde::{Deserialize, Serialize};

/// Number of an era, counted from zero at genesis.
pub type EraIndex = u32;

/// The most accounts that share in the consensus-chain fee of one settled contribution: the degrees of
/// the consensus chain.
pub const MAX_DEGREES: u32 = 6;

/// The contributions that one settled job verifies: its node's, its requester's and its program's
/// author's.
pub const CONTRIBUTIONS_PER_JOB: u32 = 3;

/// What an account receives newly minted tokens for.
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
	Serialize,
	Deserialize,
)]
pub enum RewardReason {
	/// Its node computed jobs that settled.
	#[codec(index = 0)]
	Compute,
	/// It backed a node that did.
	#[codec(index = 1)]
	Delegation,
	/// It validated blocks.
	#[codec(index = 2)]
	Validation,
}

/// A job whose result stood, as told to whoever counts contributions. `price` is
/// `split.node + split.burn + split.treasury + split.author + split.lineage`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settlement<AccountId, Balance> {
	/// The job.
	pub job: JobId,
	/// Who paid.
	pub requester: AccountId,
	/// Whose node computed: its stash account.
	pub node: AccountId,
	/// Who registered the program, as long as it is registered.
	pub author: Option<AccountId>,
	/// The program.
	pub program: Hash,
	/// What the job cost in all.
	pub price: Balance,
	/// How the price is shared.
	pub split: Split<Balance>,
}
