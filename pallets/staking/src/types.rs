// SPDX-License-Identifier: Apache-2.0

//! What is kept about a node.

use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use frame_support::{traits::ConstU32, BoundedVec};
use scale_info::TypeInfo;
use sp_runtime::traits::AtLeast32BitUnsigned;
use tensornet_protocol::{Capability, Endpoint};

/// Full reputation, in parts per million.
pub const FULL_REPUTATION: u32 = 1_000_000;
/// Reputation of a new node: half of what only completed jobs can earn.
pub const INITIAL_REPUTATION: u32 = FULL_REPUTATION / 2;
/// A completed job closes this part of the gap to full reputation.
pub const REPUTATION_GAIN: u32 = 16;
/// A silence costs this part of the reputation.
pub const REPUTATION_LOSS: u32 = 4;
/// The most chunks of a bond that unbond at once. The last place is kept for deregistering.
pub const MAX_UNBONDING: u32 = 16;
/// The most nodes that one pick looks at.
pub const PICK_ATTEMPTS: u32 = 16;

/// A part of a bond on its way out. It can still be slashed.
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
pub struct UnbondChunk<Balance, BlockNumber> {
	/// How much.
	pub amount: Balance,
	/// The first block in which it may be withdrawn.
	pub unlock_at: BlockNumber,
}

/// How a node stands with the chain.
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
pub enum Standing {
	/// It may go online.
	#[codec(index = 0)]
	Active,
	/// It was proven to lie: only its stash may bring it online again.
	#[codec(index = 1)]
	Jailed,
	/// It was deregistered and only waits for its bond.
	#[codec(index = 2)]
	Leaving,
}

/// A GPU node.
#[derive(
	Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, TypeInfo, MaxEncodedLen,
)]
pub struct Node<AccountId, Balance, BlockNumber> {
	/// The hot key that does the node's work.
	pub operator: AccountId,
	/// Its price for each 10^9 multiply-accumulates.
	pub ask: Balance,
	/// What it can run.
	pub capability: Capability,
	/// Where it serves outputs and traces.
	pub endpoint: Endpoint,
	/// What it has at stake, without what unbonds.
	pub bond: Balance,
	/// What unbonds, soonest first.
	pub unbonding: BoundedVec<UnbondChunk<Balance, BlockNumber>, ConstU32<MAX_UNBONDING>>,
	/// How it stands with the chain.
	pub standing: Standing,
	/// Its place among the online nodes, if it is online.
	pub position: Option<u32>,
	/// Jobs it has now.
	pub active_jobs: u32,
	/// What of all that is held answers for those jobs.
	pub collateral: Balance,
	/// Parts per million, at most [`FULL_REPUTATION`].
	pub reputation: u32,
	/// Jobs whose result stood.
	pub completed: u32,
	/// Jobs in which it was silent or lied.
	pub failed: u32,
}

impl<AccountId, Balance, BlockNumber> Node<AccountId, Balance, BlockNumber>
where
	Balance: AtLeast32BitUnsigned + Copy,
	BlockNumber: Ord + Copy,
{
	/// A node that has done nothing yet and is offline.
	pub fn new(
		operator: AccountId,
		ask: Balance,
		capability: Capability,
		endpoint: Endpoint,
		bond: Balance,
	) -> Self {
		Self {
			operator,
			ask,
			capability,
			endpoint,
			bond,
			unbonding: BoundedVec::new(),
			standing: Standing::Active,
			position: None,
			active_jobs: 0,
			collateral: Balance::zero(),
			reputation: INITIAL_REPUTATION,
			completed: 0,
			failed: 0,
		}
	}

	/// Whether it may be picked for jobs.
	pub fn is_online(&self) -> bool {
		self.position.is_some()
	}

	/// What unbonds, in all chunks.
	pub fn unbonding_total(&self) -> Balance {
		self.unbonding
			.iter()
			.fold(Balance::zero(), |total, chunk| total.saturating_add(chunk.amount))
	}

	/// All that is held and can be slashed: bond and chunks.
	pub fn held(&self) -> Balance {
		self.bond.saturating_add(self.unbonding_total())
	}

	/// What of the bond answers for no job yet. Collateral is counted against the bond alone: what
	/// unbonds backs nothing new.
	pub fn free_bond(&self) -> Balance {
		self.bond.saturating_sub(self.collateral)
	}

	/// Adds a chunk that unlocks no sooner than those before it. Returns whether there was a place
	/// among the first `places`.
	pub fn push_chunk(&mut self, amount: Balance, unlock_at: BlockNumber, places: u32) -> bool {
		if let Some(last) = self.unbonding.last_mut().filter(|last| last.unlock_at == unlock_at) {
			last.amount = last.amount.saturating_add(amount);
			return true;
		}
		self.unbonding.len() < places as usize
			&& self.unbonding.try_push(UnbondChunk { amount, unlock_at }).is_ok()
	}

	/// Removes the chunks that are unlocked in block `now` and returns their total.
	pub fn take_unlocked(&mut self, now: BlockNumber) -> Balance {
		let before = self.unbonding_total();
		self.unbonding.retain(|chunk| chunk.unlock_at > now);
		before.saturating_sub(self.unbonding_total())
	}

	/// Removes `amount` from the record: from the bond, then from the chunks, soonest first, because
	/// those would be out of reach next. Removes everything where there is less.
	pub fn take(&mut self, amount: Balance) {
		let mut left = amount;
		let mut reduce = |part: &mut Balance| {
			let cut = left.min(*part);
			*part = part.saturating_sub(cut);
			left = left.saturating_sub(cut);
		};
		reduce(&mut self.bond);
		for chunk in self.unbonding.iter_mut() {
			reduce(&mut chunk.amount);
		}
		self.unbonding.retain(|chunk| !chunk.amount.is_zero());
	}

	/// A result stood: closes a part of the gap to full reputation, at least one step of it.
	pub fn reward(&mut self) {
		let gap = FULL_REPUTATION.saturating_sub(self.reputation);
		let gain = gap.div_ceil(REPUTATION_GAIN);
		self.reputation = self.reputation.saturating_add(gain).min(FULL_REPUTATION);
		self.completed = self.completed.saturating_add(1);
	}

	/// It was silent: costs a part of the reputation.
	pub fn punish_silence(&mut self) {
		let loss = self.reputation.div_ceil(REPUTATION_LOSS);
		self.reputation = self.reputation.saturating_sub(loss);
		self.failed = self.failed.saturating_add(1);
	}

	/// It lied: costs all reputation and jails it.
	pub fn punish_fraud(&mut self) {
		self.reputation = 0;
		self.standing = Standing::Jailed;
		self.failed = self.failed.saturating_add(1);
	}
}
