// SPDX-License-Identifier: Apache-2.0

//! The seams between pallets. Each trait says which pallet implements it and which ones use it.

use crate::{
	Assignment, BurnCause, Candidate, Conduct, Failure, Hash, JobId, Requirements, Shares, Slash,
};
use sp_runtime::{DispatchError, DispatchResult};

/// The registry of GPU nodes. Implemented by staking; used by escrow and proof of compute. A node is
/// named by its stash account.
pub trait Nodes {
	/// Account.
	type AccountId;
	/// Amount of TNA.
	type Balance;

	/// Picks among the nodes that are online and meet `requirements`, at random by `seed`, weighted
	/// by stake and reputation, in a bounded number of storage reads however many nodes there are.
	/// Never picks `exclude`.
	fn pick(
		requirements: &Requirements<Self::Balance>,
		seed: Hash,
		exclude: Option<&Self::AccountId>,
	) -> Option<Candidate<Self::AccountId, Self::Balance>>;

	/// The node that `operator` works for.
	fn node_of(operator: &Self::AccountId) -> Option<Self::AccountId>;

	/// The node has one more job, and `collateral` of what is held for it answers for that job until
	/// it is released: no pick counts on it for another one.
	fn job_taken(node: &Self::AccountId, collateral: Self::Balance);

	/// The node has one job less, and the `collateral` with which it took that job is free again.
	/// Slashes and adjusts reputation as `conduct` demands; `reporter` and `requester` receive their
	/// parts of a slash. Never fails: what cannot be taken is not taken.
	fn job_released(
		node: &Self::AccountId,
		collateral: Self::Balance,
		conduct: Conduct,
		reporter: Option<&Self::AccountId>,
		requester: &Self::AccountId,
	) -> Slash<Self::Balance>;
}

/// Static facts about a registered program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProgramFacts<AccountId> {
	/// Who registered it and earns its royalty.
	pub author: AccountId,
	/// Multiply-accumulates of one iteration.
	pub macs: u64,
	/// The most iterations a job may ask for.
	pub max_iterations: u32,
	/// How many blobs a job must name: inputs, then states.
	pub blobs: u32,
	/// Memory for its tensors, in MiB, rounded up.
	pub memory_mib: u32,
}

/// The registry of programs. Implemented by proof of compute; used by escrow.
pub trait Programs {
	/// Account.
	type AccountId;

	/// The facts of a registered program.
	fn facts(program: &Hash) -> Option<ProgramFacts<Self::AccountId>>;
	/// One more job needs the program: it cannot be removed until released.
	fn job_opened(program: &Hash);
	/// One job less needs the program.
	fn job_closed(program: &Hash);
}

/// The ledger of jobs. Implemented by escrow; used by proof of compute.
pub trait Jobs {
	/// Account.
	type AccountId;
	/// Block number.
	type BlockNumber;
	/// Amount of TNA.
	type Balance;

	/// The current attempt of a job that a node has.
	fn assignment(job: JobId) -> Option<Assignment<Self::AccountId, Self::BlockNumber>>;
	/// A sealed commitment was accepted: the commit deadline no longer counts.
	fn committed(job: JobId) -> DispatchResult;
	/// The result stood: pay and end the job.
	fn verified(job: JobId) -> DispatchResult;
	/// The attempt failed after its commitment: judge the node, then reassign the job, or refund it
	/// when its time is over. Returns what was slashed.
	fn failed(
		job: JobId,
		failure: Failure,
		reporter: Option<&Self::AccountId>,
	) -> Result<Slash<Self::Balance>, DispatchError>;
}

/// Token policy. Implemented by the TNA pallet; used by whoever moves money.
pub trait TokenPolicy {
	/// Account.
	type AccountId;
	/// Amount of TNA.
	type Balance;

	/// How a settled job's price is shared now.
	fn shares() -> Shares;
	/// The least a node may be paid for each 10^9 multiply-accumulates.
	fn floor_ask() -> Self::Balance;
	/// The treasury's account.
	fn treasury() -> Self::AccountId;
	/// Writes a burn into the ledger. The caller has already destroyed the tokens.
	fn burned(cause: BurnCause, amount: Self::Balance);
}

/// Unpredictable values from the chain's own block authors. Implemented by proof of compute; used by
/// escrow for assignment.
pub trait Beacon {
	/// A value that depends on the VRF outputs of blocks up to and including the parent of this one,
	/// mixed with `subject` so that different uses get independent values.
	fn value(subject: &[u8]) -> Hash;
}

/// The VRF output of the author of the current block. Implemented by the runtime over BABE; used by
/// proof of compute to feed the beacon.
pub trait AuthorRandomness {
	/// The output, if the current block carries one.
	fn current() -> Option<Hash>;
}
