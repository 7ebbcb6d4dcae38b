// SPDX-License-Identifier: Apache-2.0

//! What accounts have at stake and earn: delegations, candidates and validators, rewards, and the
//! consensus chain. Amounts are in the smallest unit of TNA.

use anyhow::Result;
use scale_decode::DecodeAsType;

use crate::{AccountId, Snapshot};

/// A part of a bond on its way out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, DecodeAsType)]
pub struct Unlocking {
	/// How much.
	pub amount: u128,
	/// The first block in which it may be withdrawn.
	pub unlock_at: u32,
}

/// A part of a delegation on its way out, counted in shares of the node's pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq, DecodeAsType)]
pub struct ShareChunk {
	/// The first block in which it may be withdrawn.
	pub unlock_at: u32,
}

#[derive(Clone, Debug, DecodeAsType)]
struct RawDelegation {
	held: u128,
	unbonding: Vec<ShareChunk>,
}

/// What an account delegated to a node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delegation {
	/// The node.
	pub node: AccountId,
	/// On hold for it, with what unbonds and with what a slash has not reached yet.
	pub held: u128,
	/// What it is worth after all slashes, without what unbonds.
	pub worth: u128,
	/// What it earned and can be collected now.
	pub reward: u128,
	/// The blocks from which on its parts on their way out may be withdrawn, soonest first.
	pub unlocks: Vec<u32>,
}

/// What an account delegated, to whichever nodes. Reads all delegations of the chain.
pub async fn delegations(at: &Snapshot, account: &AccountId) -> Result<Vec<Delegation>> {
	let all = at
		.double_entries::<AccountId, AccountId, RawDelegation>("ComputeStaking", "Delegations")
		.await?;
	let mut found = Vec::new();
	for (node, _, raw) in all.into_iter().filter(|(_, delegator, _)| delegator == account) {
		found.push(worth(at, node, account, raw).await?);
	}
	Ok(found)
}

/// What an account delegated to a node.
pub async fn delegation(
	at: &Snapshot,
	node: &AccountId,
	account: &AccountId,
) -> Result<Option<Delegation>> {
	match at.get("ComputeStaking", "Delegations", (*node, *account)).await? {
		Some(raw) => Ok(Some(worth(at, *node, account, raw).await?)),
		None => Ok(None),
	}
}

async fn worth(
	at: &Snapshot,
	node: AccountId,
	account: &AccountId,
	raw: RawDelegation,
) -> Result<Delegation> {
	let question = (node, *account);
	Ok(Delegation {
		node,
		held: raw.held,
		worth: at.view("ComputeStaking", "delegation_worth", question).await?,
		reward: at.view("ComputeStaking", "pending_reward", question).await?,
		unlocks: raw.unbonding.iter().map(|chunk| chunk.unlock_at).collect(),
	})
}

/// How a node treats those who back it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, DecodeAsType)]
pub struct Backing {
	/// What its delegators have at stake with it.
	pub backing: u128,
	/// What the node keeps of their rewards, in millionths.
	pub commission: u32,
	/// Slashes that are decided and not carried out.
	pub pending: u32,
}

/// How a node treats those who back it; none for an account without a node.
pub async fn backing(at: &Snapshot, node: &AccountId) -> Result<Option<Backing>> {
	at.get("ComputeStaking", "Nodes", (*node,)).await
}

/// For how many blocks a bond or a delegation unbonds.
pub fn unbonding_period(at: &Snapshot, pallet: &str) -> Result<u32> {
	at.constant(pallet, "UnbondingPeriod")
}

/// A slash of a node that is decided and can still be cancelled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, DecodeAsType)]
pub struct NodeSlash {
	/// Its number.
	pub id: u32,
	/// The first block in which it is carried out.
	pub due: u32,
}

/// The slashes of a node that are decided and can still be cancelled, oldest first.
pub async fn slashes_of(at: &Snapshot, node: &AccountId) -> Result<Vec<NodeSlash>> {
	at.view_as("ComputeStaking", "slashes_of", node).await
}

/// The running era.
#[derive(Clone, Copy, Debug, PartialEq, Eq, DecodeAsType)]
pub struct Era {
	/// Its number.
	pub index: u32,
	/// How many validators it began with.
	pub validators: u32,
}

/// The running era.
pub async fn era(at: &Snapshot) -> Result<Era> {
	at.view_as("Validators", "era", ()).await
}

/// What a node earned in ended eras and was not minted yet, by era, oldest first. The part of those who back
/// it is included.
pub async fn unclaimed_eras(at: &Snapshot, node: &AccountId) -> Result<Vec<(u32, u128)>> {
	at.view("ComputeStaking", "claimable", node).await
}

/// What an account received of what was minted, by reason.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, DecodeAsType)]
pub struct Earned {
	/// Because its node computed jobs that settled.
	pub compute: u128,
	/// Because it backed such a node.
	pub delegation: u128,
	/// Because it validated blocks.
	pub validation: u128,
}

/// What an account received of what was minted.
pub async fn earned(at: &Snapshot, account: &AccountId) -> Result<Earned> {
	at.view_as("Tna", "rewards", account).await
}

/// What a validator can have minted now, by era.
pub async fn claimable(at: &Snapshot, validator: &AccountId) -> Result<Vec<(u32, u128)>> {
	at.view("Validators", "claimable", validator).await
}

/// A candidate as the next election would see it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, DecodeAsType)]
pub struct Candidate {
	/// Who.
	pub stash: AccountId,
	/// Its bond.
	pub stake: u128,
	/// What verified compute adds.
	pub boost: u128,
	/// Bond and boost.
	pub score: u128,
	/// Whether it can be elected: it has session keys and the least bond.
	pub eligible: bool,
}

/// Those that stand for election, in the order in which an election now would take them.
pub async fn candidates(at: &Snapshot) -> Result<Vec<Candidate>> {
	at.view_as("Validators", "candidates", ()).await
}

/// The set that an election now would give.
pub async fn next_validators(at: &Snapshot) -> Result<Vec<AccountId>> {
	at.view("Validators", "next_set", ()).await
}

/// Those that author and finalize blocks now.
pub async fn validators(at: &Snapshot) -> Result<Vec<AccountId>> {
	Ok(at.get::<(), Vec<AccountId>>("Session", "Validators", ()).await?.unwrap_or_default())
}

/// What a stash of a validator wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq, DecodeAsType)]
pub enum CandidateStanding {
	/// It stands for election.
	Candidate,
	/// It keeps its bond and does not stand.
	Resting,
	/// It only waits for its bond.
	Leaving,
}

/// Why a validator may not stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, DecodeAsType)]
pub struct Jail {
	/// The first era in which it may stand again.
	pub until: u32,
}

/// What is held for the stash of a candidate, and how it stands.
#[derive(Clone, Debug, PartialEq, Eq, DecodeAsType)]
pub struct Ledger {
	/// What it has at stake, without what unbonds.
	pub bond: u128,
	/// What unbonds, soonest first.
	pub unbonding: Vec<Unlocking>,
	/// What it wants.
	pub standing: CandidateStanding,
	/// Set by a fault, until it stands again.
	pub jail: Option<Jail>,
	/// Slashes that wait.
	pub pending: u32,
}

impl Ledger {
	/// What can be withdrawn in a block.
	pub fn unlocked(&self, block: u64) -> u128 {
		let unlocked = self.unbonding.iter().filter(|chunk| u64::from(chunk.unlock_at) <= block);
		unlocked.map(|chunk| chunk.amount).sum()
	}
}

/// What is held for the stash of a candidate.
pub async fn ledger(at: &Snapshot, stash: &AccountId) -> Result<Option<Ledger>> {
	at.get("Validators", "Ledgers", (*stash,)).await
}

/// What an account contributed, by role; decayed to the current era.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, DecodeAsType)]
pub struct Contributions {
	/// What its node earned with settled jobs.
	pub node: u128,
	/// The royalties of its programs.
	pub developer: u128,
	/// What it backs nodes with.
	pub investor: u128,
	/// The prices that it paid for settled jobs.
	pub user: u128,
}

/// What an account contributed.
pub async fn contributions(at: &Snapshot, account: &AccountId) -> Result<Contributions> {
	at.view_as("ConsensusChain", "contributions", account).await
}

/// What an account's contributions weigh now.
pub async fn weight(at: &Snapshot, account: &AccountId) -> Result<u128> {
	at.view("ConsensusChain", "weight", account).await
}

/// An ancestor in the consensus chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, DecodeAsType)]
pub struct Ancestor {
	/// The account.
	pub account: AccountId,
	/// How many links away: 1 is the sponsor.
	pub degree: u32,
	/// Its weight now.
	pub weight: u128,
	/// Whether it would receive a share now.
	pub active: bool,
}

/// The ancestors of an account, from its sponsor on.
pub async fn lineage(at: &Snapshot, account: &AccountId) -> Result<Vec<Ancestor>> {
	at.view_as("ConsensusChain", "lineage", account).await
}

/// Whom a member named as its sponsor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, DecodeAsType)]
pub struct Sponsor {
	/// The sponsor.
	pub account: AccountId,
}

/// A member of the consensus chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, DecodeAsType)]
pub struct Member {
	/// How many joined before it.
	pub number: u64,
	/// On hold while it is a member.
	pub deposit: u128,
	/// Its sponsor, if it has named one.
	pub sponsor: Option<Sponsor>,
}

/// A member of the consensus chain.
pub async fn member(at: &Snapshot, account: &AccountId) -> Result<Option<Member>> {
	at.get("ConsensusChain", "Members", (*account,)).await
}
