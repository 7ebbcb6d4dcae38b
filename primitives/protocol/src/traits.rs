// SPDX-License-Identifier: Apache-2.0

//! The seams between pallets. Each trait says which pallet implements it and which ones use it.

use crate::{
	Assignment, BurnCause, Candidate, Conduct, Draw, EraIndex, Failure, Hash, JobId, Requirements,
	RewardReason, Settlement, Shares, Slash,
};
use sp_runtime::{DispatchError, DispatchResult};

/// The registry of GPU nodes. Implemented by staking; used by escrow and proof of compute. A node is
/// named by its stash account.
pub trait Nodes {
	/// Account.
	type AccountId;
	/// Amount of TNA.
	type Balance;

	/// Draws among the nodes that are online and meet `requirements`, at random by `seed`, weighted
	/// by stake and reputation, looking at no more than [`MAX_DRAWS`](crate::MAX_DRAWS) nodes however
	/// many there are. Never draws `exclude`.
	fn draw(
		requirements: &Requirements<Self::Balance>,
		seed: Hash,
		exclude: Option<&Self::AccountId>,
	) -> Draw<Self::AccountId, Self::Balance>;

	/// The node that [`Nodes::draw`] draws.
	fn pick(
		requirements: &Requirements<Self::Balance>,
		seed: Hash,
		exclude: Option<&Self::AccountId>,
	) -> Option<Candidate<Self::AccountId, Self::Balance>> {
		Self::draw(requirements, seed, exclude).candidate
	}

	/// The node that `operator` works for.
	fn node_of(operator: &Self::AccountId) -> Option<Self::AccountId>;

	/// The node has one more job, and `collateral` of what is held for it answers for that job until
	/// it is released: no pick counts on it for another one.
	fn job_taken(node: &Self::AccountId, collateral: Self::Balance);

	/// The node has one job less, and the `collateral` with which it took that job is free again.
	/// Slashes and adjusts reputation as `conduct` demands; `reporter` and `requester` receive their
	/// parts of a slash. Returns what is taken of the node's own stake; where slashes wait for appeals,
	/// what will be taken unless this one is cancelled. Never fails: what cannot be taken is not taken.
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

/// The clock of eras. Implemented by the validators pallet; used by whoever counts by eras.
pub trait Eras {
	/// The era of the current block.
	fn current() -> EraIndex;
}

/// Hears that an era ended. Called by the validators pallet once, in the first block of the next era,
/// before anything is paid for the ended one.
pub trait OnEraEnd {
	/// The era `ended` is over.
	fn era_ended(ended: EraIndex);
}

/// What an era newly mints. Implemented by the TNA pallet; used by staking and by the validators pallet
/// to pay what their participants earned.
///
/// A budget is fixed when its era ends. The sum of what is minted for an era and a kind of participant
/// never exceeds the budget, whatever the callers ask for.
pub trait Emission {
	/// Account.
	type AccountId;
	/// Amount of TNA.
	type Balance;

	/// What all nodes and their delegators may receive for an ended era; zero for one that has not
	/// ended or whose budget has lapsed.
	fn node_budget(era: EraIndex) -> Self::Balance;
	/// What all validators may receive for an ended era, likewise.
	fn validator_budget(era: EraIndex) -> Self::Balance;
	/// What settled jobs burned in an era: so far in the running one, in all in an ended one; zero where
	/// its budget has lapsed. The parts of the nodes' budget are parts of this.
	fn job_burn(era: EraIndex) -> Self::Balance;
	/// Mints up to `amount` to `to`, out of the budget that `reason` belongs to, and notes it as what
	/// `beneficiary` earned. `to` differs from `beneficiary` where an account collects for others:
	/// then `beneficiary` is `None` and the collector notes each one with [`Emission::note`]. Returns
	/// what was minted: less where the budget or the cap on supply leaves less, zero where `to`
	/// cannot receive it.
	fn mint(
		era: EraIndex,
		to: &Self::AccountId,
		amount: Self::Balance,
		reason: RewardReason,
		beneficiary: Option<&Self::AccountId>,
	) -> Self::Balance;
	/// Notes what `who` received of what was minted to a collector.
	fn note(who: &Self::AccountId, amount: Self::Balance, reason: RewardReason);
}

/// Verified compute. Implemented by staking; used by the validators pallet to boost candidates.
pub trait VerifiedCompute {
	/// Account.
	type AccountId;
	/// Amount of TNA.
	type Balance;

	/// What was burned in `era` by settled jobs that the node of `stash` computed. Burned tokens are the
	/// one measure of work that costs its price to fake.
	fn burned_by(era: EraIndex, stash: &Self::AccountId) -> Self::Balance;
}

/// Hears of every job whose result stood. Implemented by staking, which counts it for the era's
/// rewards; called by escrow before the money moves.
pub trait OnSettled {
	/// Account.
	type AccountId;
	/// Amount of TNA.
	type Balance;

	/// A job settled.
	fn job_settled(settlement: &Settlement<Self::AccountId, Self::Balance>);
}

/// The consensus chain. Implemented by its pallet; called by escrow when a job settles.
pub trait Lineage {
	/// Account.
	type AccountId;
	/// Amount of TNA.
	type Balance;

	/// Records the contributions that the job verified, and says how much of its consensus-chain fee
	/// `settlement.split.lineage` waits for ancestors, and in which account: at most the fee, and nothing
	/// where that account could not receive it. The caller moves it there in the same block, and burns
	/// the rest of the fee.
	fn job_settled(
		settlement: &Settlement<Self::AccountId, Self::Balance>,
	) -> Option<(Self::AccountId, Self::Balance)>;
	/// `who` backs nodes with `stake` from now on, which is verified by being held: its contribution
	/// as an investor.
	fn stake_delegated(who: &Self::AccountId, stake: Self::Balance);
}

/// No consensus chain: nobody shares, the whole fee is burned.
pub struct NoLineage<AccountId, Balance>(core::marker::PhantomData<(AccountId, Balance)>);

impl<AccountId, Balance> Lineage for NoLineage<AccountId, Balance> {
	type AccountId = AccountId;
	type Balance = Balance;

	fn job_settled(_: &Settlement<AccountId, Balance>) -> Option<(AccountId, Balance)> {
		None
	}

	fn stake_delegated(_: &AccountId, _: Balance) {}
}
