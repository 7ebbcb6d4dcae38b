// SPDX-License-Identifier: Apache-2.0

//! Bonds: what accounts have at stake, and what of it is on its way out. The same for nodes and for
//! validators; each pallet keeps its own record around it.

use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use sp_core::ConstU32;
use sp_runtime::{
	traits::{AtLeast32BitUnsigned, Saturating, Zero},
	BoundedVec,
};

/// The most chunks of a bond that unbond at once. The last place is kept for leaving.
pub const MAX_UNBONDING: u32 = 16;

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

/// What unbonds, soonest first.
pub type Unbonding<Balance, BlockNumber> =
	BoundedVec<UnbondChunk<Balance, BlockNumber>, ConstU32<MAX_UNBONDING>>;

/// What a slash took from a record.
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
pub struct TakenStake<Balance, BlockNumber> {
	/// From the bond.
	pub bond: Balance,
	/// From what unbonds.
	pub unbonding: Balance,
	/// When the last chunk that it reached unlocks.
	pub unlock_at: BlockNumber,
}

impl<Balance: AtLeast32BitUnsigned + Copy, BlockNumber> TakenStake<Balance, BlockNumber> {
	/// Everything that was taken.
	pub fn total(&self) -> Balance {
		self.bond.saturating_add(self.unbonding)
	}
}

/// A record of a bond.
pub trait Bonded {
	/// Amount of TNA.
	type Balance: AtLeast32BitUnsigned + Copy;
	/// Block number.
	type BlockNumber: AtLeast32BitUnsigned + Copy;

	/// What is at stake without what unbonds, and what unbonds.
	fn stake(&self) -> (Self::Balance, &Unbonding<Self::Balance, Self::BlockNumber>);

	/// The same, to be changed.
	fn stake_mut(
		&mut self,
	) -> (&mut Self::Balance, &mut Unbonding<Self::Balance, Self::BlockNumber>);

	/// What unbonds, in all chunks.
	fn unbonding_total(&self) -> Self::Balance {
		let (_, unbonding) = self.stake();
		unbonding
			.iter()
			.fold(Self::Balance::zero(), |total, chunk| total.saturating_add(chunk.amount))
	}

	/// All that can be slashed: bond and chunks.
	fn held(&self) -> Self::Balance {
		let (bond, _) = self.stake();
		bond.saturating_add(self.unbonding_total())
	}

	/// Adds a chunk that unlocks no sooner than those before it. Returns whether there was a place
	/// among the first `places`.
	fn push_chunk(
		&mut self,
		amount: Self::Balance,
		unlock_at: Self::BlockNumber,
		places: u32,
	) -> bool {
		let (_, unbonding) = self.stake_mut();
		if let Some(last) = unbonding.last_mut().filter(|last| last.unlock_at == unlock_at) {
			last.amount = last.amount.saturating_add(amount);
			return true;
		}
		unbonding.len() < places as usize
			&& unbonding.try_push(UnbondChunk { amount, unlock_at }).is_ok()
	}

	/// Removes the chunks that are unlocked in block `now` and returns their total.
	fn take_unlocked(&mut self, now: Self::BlockNumber) -> Self::Balance {
		let before = self.unbonding_total();
		let (_, unbonding) = self.stake_mut();
		unbonding.retain(|chunk| chunk.unlock_at > now);
		before.saturating_sub(self.unbonding_total())
	}

	/// Removes `amount` from the record: from the bond, then from the chunks, soonest first, because
	/// those would be out of reach next. Removes everything where there is less.
	fn take(&mut self, amount: Self::Balance) -> TakenStake<Self::Balance, Self::BlockNumber> {
		let (bond, unbonding) = self.stake_mut();
		let mut left = amount;
		let mut reduce = |part: &mut Self::Balance| {
			let cut = left.min(*part);
			*part = part.saturating_sub(cut);
			left = left.saturating_sub(cut);
			cut
		};
		let mut taken = TakenStake {
			bond: reduce(bond),
			unbonding: Self::Balance::zero(),
			unlock_at: Self::BlockNumber::zero(),
		};
		for chunk in unbonding.iter_mut() {
			let cut = reduce(&mut chunk.amount);
			if !cut.is_zero() {
				taken.unbonding = taken.unbonding.saturating_add(cut);
				taken.unlock_at = chunk.unlock_at;
			}
		}
		unbonding.retain(|chunk| !chunk.amount.is_zero());
		taken
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	#[derive(Default)]
	struct Record(u64, Unbonding<u64, u32>);

	impl Bonded for Record {
		type Balance = u64;
		type BlockNumber = u32;

		fn stake(&self) -> (u64, &Unbonding<u64, u32>) {
			(self.0, &self.1)
		}

		fn stake_mut(&mut self) -> (&mut u64, &mut Unbonding<u64, u32>) {
			(&mut self.0, &mut self.1)
		}
	}

	fn record() -> Record {
		let mut record = Record(100, Unbonding::default());
		for (amount, unlock_at) in [(10, 5), (20, 6), (5, 6), (30, 9)] {
			assert!(record.push_chunk(amount, unlock_at, MAX_UNBONDING));
		}
		record
	}

	#[test]
	fn chunks_of_one_block_are_one_and_places_end() {
		let mut record = record();
		assert_eq!((record.1.len(), record.unbonding_total(), record.held()), (3, 65, 165));
		assert!(!record.push_chunk(1, 10, 3));
		assert!(record.push_chunk(1, 9, 3), "its block has a chunk already");
	}

	#[test]
	fn only_what_is_unlocked_leaves() {
		let mut record = record();
		assert_eq!(record.take_unlocked(4), 0);
		assert_eq!(record.take_unlocked(6), 35);
		assert_eq!((record.0, record.unbonding_total()), (100, 30));
	}

	#[test]
	fn a_slash_reaches_the_bond_then_the_chunks_that_leave_first_and_never_more_than_there_is() {
		for (amount, bond, unbonding, unlock_at) in
			[(99, 99, 0, 0), (100, 100, 0, 0), (111, 100, 11, 6), (1_000, 100, 65, 9)]
		{
			let mut record = record();
			let taken = record.take(amount);
			assert_eq!(taken, TakenStake { bond, unbonding, unlock_at });
			assert_eq!(record.held(), 165 - taken.total());
			assert!(record.1.iter().all(|chunk| chunk.amount > 0));
		}
	}
}
