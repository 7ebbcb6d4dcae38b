// SPDX-License-Identifier: Apache-2.0

//! What one account delegated to one node.

use crate::{convert, Mark, Pool};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use frame_support::{traits::ConstU32, BoundedVec};
use scale_info::TypeInfo;
use tensornet_protocol::EraIndex;

/// The most parts of a delegation that unbond at once. The last place is kept for the whole rest.
pub const MAX_CHUNKS: u32 = 8;
/// The most redelegations to one node for which a delegation answers at once.
pub const MAX_LIABILITIES: u32 = 4;

/// A part of a delegation on its way out. It can still be slashed.
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
pub struct ShareChunk<BlockNumber> {
	/// How many shares of the node's pool.
	pub shares: u128,
	/// The first block in which they may be withdrawn.
	pub unlock_at: BlockNumber,
}

/// Shares that joined and are not known to earn yet.
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
pub struct JoiningShares {
	/// The era in which they joined.
	pub era: EraIndex,
	/// How many.
	pub shares: u128,
}

/// Shares that came from another node and still answer for it.
#[derive(
	Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, TypeInfo, MaxEncodedLen,
)]
pub struct Liability<AccountId, BlockNumber> {
	/// The node they came from.
	pub from: AccountId,
	/// That node's slash index up to which they have answered.
	pub mark: Mark,
	/// How many shares of the new node's pool.
	pub shares: u128,
	/// The last block for whose decisions they answer.
	pub until: BlockNumber,
}

/// What one account delegated to one node. Shares are those of [`Pool`], in `epoch`.
#[derive(
	Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, TypeInfo, MaxEncodedLen,
)]
pub struct Delegation<AccountId, Balance, BlockNumber> {
	/// What is on hold for it. More than its shares are worth where a slash has not reached it yet.
	pub held: Balance,
	/// The epoch of its shares.
	pub epoch: u32,
	/// Shares that earn.
	pub active: u128,
	/// Shares that earn from a later era on.
	pub joining: Option<JoiningShares>,
	/// Shares on their way out, soonest first.
	pub unbonding: BoundedVec<ShareChunk<BlockNumber>, ConstU32<MAX_CHUNKS>>,
	/// The reward index of the pool up to which the active shares were credited.
	pub reward_index: u128,
	/// What was earned and not paid yet.
	pub owed: Balance,
	/// What of the shares still answers for another node.
	pub liabilities: BoundedVec<Liability<AccountId, BlockNumber>, ConstU32<MAX_LIABILITIES>>,
}

impl<AccountId, Balance: Default + PartialEq, BlockNumber: Ord + Copy>
	Delegation<AccountId, Balance, BlockNumber>
{
	/// Nothing delegated yet.
	pub fn new(pool: &Pool<Balance, BlockNumber>) -> Self {
		Self {
			held: Balance::default(),
			epoch: pool.mark.epoch,
			active: 0,
			joining: None,
			unbonding: BoundedVec::new(),
			reward_index: pool.reward_index,
			owed: Balance::default(),
			liabilities: BoundedVec::new(),
		}
	}

	/// Shares that are delegated, without what unbonds.
	pub fn delegated(&self) -> u128 {
		self.active.saturating_add(self.joining.map_or(0, |joining| joining.shares))
	}

	/// Shares on their way out.
	pub fn unbonding_shares(&self) -> u128 {
		self.unbonding.iter().fold(0, |sum: u128, chunk| sum.saturating_add(chunk.shares))
	}

	/// Delegated shares that still answer for another node.
	pub fn liable(&self) -> u128 {
		self.liabilities.iter().fold(0, |sum: u128, one| sum.saturating_add(one.shares))
	}

	/// What all shares are worth at a mark of their epoch: each part rounded down.
	pub fn worth(&self, mark: &Mark) -> u128 {
		self.unbonding.iter().fold(mark.worth(self.delegated()), |sum, chunk| {
			sum.saturating_add(mark.worth(chunk.shares))
		})
	}

	/// Moves the record to a later epoch. Chunks of which nothing is left go.
	pub fn enter_epoch(&mut self, epoch: u32) {
		let from = core::mem::replace(&mut self.epoch, epoch);
		if from == epoch {
			return;
		}
		self.active = convert(self.active, from, epoch);
		if let Some(joining) = self.joining.as_mut() {
			joining.shares = convert(joining.shares, from, epoch);
		}
		for chunk in self.unbonding.iter_mut() {
			chunk.shares = convert(chunk.shares, from, epoch);
		}
		self.unbonding.retain(|chunk| chunk.shares > 0);
		for liability in self.liabilities.iter_mut() {
			liability.shares = convert(liability.shares, from, epoch);
		}
	}

	/// Adds a chunk that unlocks no sooner than those before it. Returns whether there was a place
	/// among the first `places`.
	pub fn push_chunk(&mut self, shares: u128, unlock_at: BlockNumber, places: u32) -> bool {
		if let Some(last) = self.unbonding.last_mut().filter(|last| last.unlock_at == unlock_at) {
			last.shares = last.shares.saturating_add(shares);
			return true;
		}
		self.unbonding.len() < places as usize
			&& self.unbonding.try_push(ShareChunk { shares, unlock_at }).is_ok()
	}

	/// Whether nothing is left of it.
	pub fn is_empty(&self) -> bool {
		self.active == 0
			&& self.joining.is_none()
			&& self.unbonding.is_empty()
			&& self.liabilities.is_empty()
			&& self.owed == Balance::default()
	}
}
