// SPDX-License-Identifier: Apache-2.0

//! The delegators of one node as a whole: what all of them have at stake, in shares, and what they
//! earned. Nothing here grows with their number.
//!
//! - A *share* is a part of a planck ([`SHARE_BITS`]) of stake as it was before any slash. What it is worth
//!   now is the pool's *slash index*: the product of what every slash left, so that one multiplication
//!   slashes everybody. Delegators find their loss when their record is next touched.
//! - The *reward index* is what one share earned since the pool began. Slashes do not change shares, so
//!   they do not change what was earned.
//! - When the slash index becomes too small to be precise, shares shrink by a fixed factor and the
//!   index grows by it: a new *epoch*. A slash that leaves nothing moves two epochs on, from which
//!   older shares are worth nothing.

use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use frame_support::{traits::ConstU32, BoundedVec};
use scale_info::TypeInfo;
use sp_runtime::{helpers_128bit::multiply_by_rational_with_rounding, Rounding};
use tensornet_protocol::EraIndex;

/// The slash index at which a share is worth a planck.
pub const INDEX_ONE: u128 = 1 << 120;
/// A planck of stake that was never slashed is 2 to this many shares: so much finer is a share that
/// rounding one up gives nobody a planck.
pub const SHARE_BITS: u32 = 16;
/// The slash index of a pool that was never slashed.
pub const INDEX_START: u128 = INDEX_ONE >> SHARE_BITS;
/// By how many bits shares shrink from one epoch to the next. A slash index is above
/// `INDEX_START >> EPOCH_BITS`: shares of 10^21 plancks, the whole supply, fit 128 bits at every index.
pub const EPOCH_BITS: u32 = 40;
/// One planck for one share, as a reward index.
pub const REWARD_ONE: u128 = 1 << 80;
/// The most slashes that a pool remembers. Stake that left by redelegation answers for those that were
/// decided before its liability ended; of older ones it is taken to answer for all.
pub const MAX_HISTORY: u32 = 16;

/// `a × b ÷ c`, or `None` where it does not fit or `c` is zero.
fn mul_div(a: u128, b: u128, c: u128, rounding: Rounding) -> Option<u128> {
	multiply_by_rational_with_rounding(a, b, c, rounding)
}

/// A moment in the life of a slash index.
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
pub struct Mark {
	/// The epoch of the index.
	pub epoch: u32,
	/// What one share of that epoch is worth, in parts of [`INDEX_ONE`].
	pub index: u128,
}

impl Default for Mark {
	fn default() -> Self {
		Self { epoch: 0, index: INDEX_START }
	}
}

impl Mark {
	/// The index after a slash that left `left` of `of`. Rounded down.
	pub fn slashed(self, left: u128, of: u128) -> Self {
		let mut index = mul_div(self.index, left.min(of), of, Rounding::Down).unwrap_or(self.index);
		if index == 0 {
			return Self { epoch: self.epoch.saturating_add(2), index: INDEX_START };
		}
		let mut epoch = self.epoch;
		while index <= INDEX_START >> EPOCH_BITS {
			index = index.saturating_mul(1 << EPOCH_BITS);
			epoch = epoch.saturating_add(1);
		}
		Self { epoch, index }
	}

	/// What shares are worth. Rounded down.
	pub fn worth(&self, shares: u128) -> u128 {
		mul_div(shares, self.index, INDEX_ONE, Rounding::Down).unwrap_or(u128::MAX)
	}

	/// The fewest shares that are worth `amount`.
	pub fn shares(&self, amount: u128) -> u128 {
		mul_div(amount, INDEX_ONE, self.index, Rounding::Up).unwrap_or(u128::MAX)
	}

	/// What the slashes between `then` and this moment left of `shares`, whatever these are shares of.
	/// Rounded down.
	pub fn left_since(&self, then: Mark, shares: u128) -> u128 {
		let scaled = convert(shares, then.epoch, self.epoch);
		mul_div(scaled, self.index, then.index, Rounding::Down).unwrap_or(shares).min(shares)
	}
}

/// What shares of one epoch are in a later one. Rounded down.
pub fn convert(shares: u128, from: u32, to: u32) -> u128 {
	match to.saturating_sub(from) {
		0 => shares,
		1 => shares >> EPOCH_BITS,
		_ => 0,
	}
}

/// Shares that joined in an era and earn from the next one on.
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
pub struct Joining {
	/// The era in which they joined.
	pub era: EraIndex,
	/// How many.
	pub shares: u128,
	/// The delegators whose shares they are.
	pub delegators: u32,
}

/// From where on the delegators who joined in one era earn. Kept until the last of them was settled.
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
pub struct Joined {
	/// The reward index before anything that they share in.
	pub reward_index: u128,
	/// The delegators who are not settled yet.
	pub delegators: u32,
}

/// The end of an epoch.
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
pub struct Closed {
	/// The epoch.
	pub epoch: u32,
	/// The reward index at its end.
	pub reward_index: u128,
}

/// A slash that a pool remembers.
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
pub struct PastSlash<BlockNumber> {
	/// The block in which it was decided.
	pub decided: BlockNumber,
	/// The slash index before it.
	pub before: Mark,
}

/// The delegators of one node.
#[derive(
	Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, TypeInfo, MaxEncodedLen,
)]
pub struct Pool<Balance, BlockNumber> {
	/// The slash index now.
	pub mark: Mark,
	/// Shares that earn.
	pub active: u128,
	/// Shares that joined in the last era in which any did, until it is known what they share in.
	pub joining: Option<Joining>,
	/// Shares on their way out.
	pub unbonding: u128,
	/// What one share earned since the pool began, in parts of [`REWARD_ONE`].
	pub reward_index: u128,
	/// The end of the epoch before this one.
	pub closed: Option<Closed>,
	/// The last era that later joiners do not share in: a claim for it, or for one before it, comes
	/// too late for delegators.
	pub distributed_to: Option<EraIndex>,
	/// What was minted for delegators and is not paid yet, rounding remainders included.
	pub owed: Balance,
	/// Delegators with a record.
	pub delegators: u32,
	/// Redelegations to other nodes that still answer for this one.
	pub liable: u32,
	/// The last slashes, in the order in which they were decided.
	pub history: BoundedVec<PastSlash<BlockNumber>, ConstU32<MAX_HISTORY>>,
}

impl<Balance: Default, BlockNumber> Default for Pool<Balance, BlockNumber> {
	fn default() -> Self {
		Self {
			mark: Mark::default(),
			active: 0,
			joining: None,
			unbonding: 0,
			reward_index: 0,
			closed: None,
			distributed_to: None,
			owed: Balance::default(),
			delegators: 0,
			liable: 0,
			history: BoundedVec::new(),
		}
	}
}

impl<Balance, BlockNumber: Ord + Copy> Pool<Balance, BlockNumber> {
	/// Shares that joined and do not earn yet.
	pub fn joining_shares(&self) -> u128 {
		self.joining.map_or(0, |joining| joining.shares)
	}

	/// What all that is delegated and does not unbond is worth.
	pub fn backing(&self) -> u128 {
		self.mark.worth(self.active.saturating_add(self.joining_shares()))
	}

	/// What everything that a slash reaches is worth.
	pub fn at_stake(&self) -> u128 {
		let delegated = self.active.saturating_add(self.joining_shares());
		self.mark.worth(delegated.saturating_add(self.unbonding))
	}

	/// What the shares are worth that earn in `era`.
	pub fn earning_in(&self, era: EraIndex) -> u128 {
		let joined = self.joining.filter(|joining| joining.era < era);
		self.mark.worth(self.active.saturating_add(joined.map_or(0, |joining| joining.shares)))
	}

	/// Slashes everybody to `left` of `of`. Returns what was lost.
	pub fn slash(&mut self, left: u128, of: u128, decided: BlockNumber) -> u128 {
		let (old, before) = (self.mark, self.at_stake());
		if self.history.is_full() {
			self.history.remove(0);
		}
		let _ = self.history.try_push(PastSlash { decided, before: old });
		self.mark = old.slashed(left, of);
		if self.mark.epoch != old.epoch {
			self.closed = Some(Closed { epoch: old.epoch, reward_index: self.reward_index });
			let shrink = |shares: &mut u128| *shares = convert(*shares, old.epoch, self.mark.epoch);
			shrink(&mut self.active);
			shrink(&mut self.unbonding);
			if let Some(joining) = self.joining.as_mut() {
				shrink(&mut joining.shares);
			}
		}
		before.saturating_sub(self.at_stake())
	}

	/// The slash index as far as stake answers for it that left and was liable until `block`.
	pub fn mark_at(&self, block: BlockNumber) -> Mark {
		self.history
			.iter()
			.find(|slash| slash.decided > block)
			.map_or(self.mark, |slash| slash.before)
	}

	/// By how much the reward index grows when `amount` is shared. Rounded down; zero where nobody
	/// earns.
	pub fn reward_step(&self, amount: u128) -> u128 {
		mul_div(amount, REWARD_ONE, self.active, Rounding::Down)
			.filter(|step| self.reward_index.checked_add(*step).is_some())
			.unwrap_or(0)
	}

	/// What `shares` of an epoch earned since the reward index was `since`. Rounded down. Shares of an
	/// epoch before the last one earned what they were paid: they are worth nothing, and so are their
	/// claims.
	pub fn earned(&self, epoch: u32, shares: u128, since: u128) -> u128 {
		let product = |shares: u128, from: u128, to: u128| {
			mul_div(shares, to.saturating_sub(from), REWARD_ONE, Rounding::Down).unwrap_or(0)
		};
		if epoch == self.mark.epoch {
			return product(shares, since, self.reward_index);
		}
		let Some(closed) = self.closed.filter(|closed| closed.epoch == epoch) else { return 0 };
		let shrunk = convert(shares, epoch, self.mark.epoch);
		product(shares, since, closed.reward_index).saturating_add(product(
			shrunk,
			since.max(closed.reward_index),
			self.reward_index,
		))
	}

	/// Whether nothing and nobody needs the record any more.
	pub fn is_idle(&self) -> bool {
		self.delegators == 0 && self.liable == 0
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	type Test = Pool<u64, u64>;

	fn pool(active: u128) -> Test {
		Test { active: active << SHARE_BITS, delegators: 1, ..Default::default() }
	}

	#[test]
	fn without_slashes_stake_is_worth_itself_and_not_a_grain_more() {
		let mark = Mark::default();
		for amount in [0, 1, 999, 1 << 70] {
			let shares = mark.shares(amount);
			assert_eq!((shares, mark.worth(shares)), (amount << SHARE_BITS, amount));
		}
	}

	#[test]
	fn the_shares_of_the_whole_supply_fit_at_every_index() {
		let least = Mark { epoch: 0, index: (INDEX_START >> EPOCH_BITS) + 1 };
		assert!(least.shares(10u128.pow(21)) < u128::MAX / 2);
	}

	#[test]
	fn what_is_delegated_is_worth_itself_at_any_index() {
		let mut mark = Mark::default();
		for round in 0..500u128 {
			mark = mark.slashed(1_000 - 7 * (round % 90), 1_000);
			for amount in [1, 2, 1_000_003, 10u128.pow(21)] {
				assert_eq!(mark.worth(mark.shares(amount)), amount);
			}
		}
		assert!(mark.epoch > 2, "the index went through epochs");
	}

	#[test]
	fn slashes_multiply_over_epochs_within_a_unit() {
		let (stake, mut mark) = (10u128.pow(21), Mark::default());
		let (shares, epoch) = (mark.shares(stake), mark.epoch);
		let mut expected = stake;
		for _ in 0..60 {
			mark = mark.slashed(1, 2);
			expected /= 2;
			let worth = mark.worth(convert(shares, epoch, mark.epoch));
			assert!(worth <= expected && expected - worth <= 1, "{worth} is not {expected}");
		}
		assert_eq!(mark.epoch, 1);
	}

	#[test]
	fn a_slash_that_leaves_nothing_ends_every_share_and_starts_anew() {
		let mut pool = pool(1_000);
		pool.unbonding = 500 << SHARE_BITS;
		assert_eq!(pool.slash(0, 100, 7), 1_500);
		assert_eq!((pool.active, pool.unbonding, pool.mark.index), (0, 0, INDEX_START));
		assert_eq!(convert(1_000, 0, pool.mark.epoch), 0);
	}

	#[test]
	fn rewards_are_shared_by_what_earns_and_never_exceed_what_there_is() {
		let mut pool = pool(3);
		pool.reward_index += pool.reward_step(100);
		let each = pool.earned(0, 1 << SHARE_BITS, 0);
		assert_eq!(each, 33);
		assert!(pool.earned(0, 3 << SHARE_BITS, 0) <= 100);
		assert_eq!(Test::default().reward_step(100), 0, "nobody earns");
	}

	#[test]
	fn what_was_earned_outlives_the_end_of_an_epoch() {
		let mut pool = pool(1 << (60 - SHARE_BITS));
		pool.reward_index += pool.reward_step(1 << 30);
		pool.slash(0, 1, 1);
		assert_eq!(pool.earned(0, 1 << 60, 0), 1 << 30);
		pool.active = 1 << 60;
		pool.reward_index += pool.reward_step(1 << 30);
		assert_eq!(pool.earned(0, 1 << 60, 0), 1 << 30, "the old share earns nothing new");
		assert_eq!(pool.earned(2, 1 << 60, pool.reward_index), 0);
	}

	#[test]
	fn shares_of_a_shrunk_epoch_earn_in_proportion_to_what_is_left() {
		let mut pool = pool(1 << (70 - SHARE_BITS));
		pool.slash(1, 1 << 40, 1);
		assert_eq!((pool.mark.epoch, pool.active), (1, 1 << 30));
		pool.reward_index += pool.reward_step(1 << 20);
		assert_eq!(pool.earned(0, 1 << 69, 0), 1 << 19);
	}

	#[test]
	fn stake_that_left_answers_for_what_was_decided_in_its_time() {
		let mut pool = pool(1_000);
		let then = pool.mark;
		pool.slash(1, 2, 10);
		pool.slash(1, 4, 20);
		let left = |block| pool.mark_at(block).left_since(then, 800);
		assert_eq!([left(9), left(10), left(19), left(20), left(99)], [800, 400, 400, 100, 100]);
	}

	#[test]
	fn a_full_history_counts_what_it_forgot() {
		let mut pool = pool(1 << 60);
		let then = pool.mark;
		for block in 1..=u64::from(MAX_HISTORY) + 2 {
			pool.slash(1, 2, block);
		}
		assert_eq!(pool.mark_at(0).left_since(then, 1 << 60), 1 << 58);
	}
}
