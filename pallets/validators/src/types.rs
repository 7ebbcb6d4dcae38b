// SPDX-License-Identifier: Apache-2.0

//! What is kept about validators, eras and slashes.

use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use sp_runtime::{traits::AtLeast32BitUnsigned, Perbill};
use sp_staking::SessionIndex;
use tensornet_protocol::{Bonded, EraIndex, Unbonding};

pub use tensornet_protocol::{UnbondChunk, MAX_UNBONDING};

/// The most slashes that one block enacts; what is due beyond it waits for the next block.
pub const SLASHES_PER_BLOCK: u32 = 8;
/// Blocks that a validator must have been expected to author in an era before its silence is judged.
///
/// In a slot, an online validator authors at least where it is the slot's secondary author, one in `n`,
/// and nobody has a primary claim, three in four. So over `W` slots an online validator authors nothing
/// with a probability of at most `(1 − 3/4n)^W ≤ exp(−¾ W/n)`. There are at least as many slots as
/// blocks, so where blocks over validators is 40 or more this is below `exp(−30) < 10⁻¹³`.
pub const EXPECTED_BLOCKS: u32 = 40;

/// Number of a slash, in the order in which they were imposed.
pub type SlashId = u32;

/// What a validator is punished for.
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
pub enum Fault {
	/// It signed two blocks for one slot, or two votes for one round.
	#[codec(index = 0)]
	Equivocation,
	/// It authored no block in an era in which it was expected to author many.
	#[codec(index = 1)]
	Silence,
}

/// Why a validator may not stand, and for how long.
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
pub struct Jail {
	/// What it did.
	pub fault: Fault,
	/// The share of its stake that it loses for it.
	pub severity: Perbill,
	/// The first era in which it may stand again. After an equivocation its slashes must also have been
	/// enacted or cancelled.
	pub until: EraIndex,
}

/// What a stash wants.
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
pub enum Standing {
	/// It stands for election.
	#[codec(index = 0)]
	Candidate,
	/// It keeps its bond and does not stand.
	#[default]
	#[codec(index = 1)]
	Resting,
	/// It only waits for its bond.
	#[codec(index = 2)]
	Leaving,
}

/// What is held for a stash, and how it stands.
#[derive(
	Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, TypeInfo, MaxEncodedLen,
)]
pub struct Ledger<Balance, BlockNumber> {
	/// What it has at stake, without what unbonds.
	pub bond: Balance,
	/// What unbonds, soonest first.
	pub unbonding: Unbonding<Balance, BlockNumber>,
	/// What it wants.
	pub standing: Standing,
	/// Set by a fault, until it stands again.
	pub jail: Option<Jail>,
	/// Slashes that are imposed and neither enacted nor cancelled.
	pub pending: u32,
}

impl<Balance: Default, BlockNumber> Default for Ledger<Balance, BlockNumber> {
	fn default() -> Self {
		Self {
			bond: Balance::default(),
			unbonding: Unbonding::new(),
			standing: Standing::default(),
			jail: None,
			pending: 0,
		}
	}
}

impl<Balance, BlockNumber> Bonded for Ledger<Balance, BlockNumber>
where
	Balance: AtLeast32BitUnsigned + Copy,
	BlockNumber: AtLeast32BitUnsigned + Copy,
{
	type Balance = Balance;
	type BlockNumber = BlockNumber;

	fn stake(&self) -> (Balance, &Unbonding<Balance, BlockNumber>) {
		(self.bond, &self.unbonding)
	}

	fn stake_mut(&mut self) -> (&mut Balance, &mut Unbonding<Balance, BlockNumber>) {
		(&mut self.bond, &mut self.unbonding)
	}
}

impl<Balance, BlockNumber> Ledger<Balance, BlockNumber> {
	/// Whether it answers for an equivocation.
	pub fn equivocated(&self) -> bool {
		self.jail.is_some_and(|jail| jail.fault == Fault::Equivocation)
	}
}

/// A candidate's place in the ranking.
#[derive(
	Clone,
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
pub struct Seat<AccountId, Balance> {
	/// Its bond.
	pub stake: Balance,
	/// Who.
	pub stash: AccountId,
}

/// The running era.
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
pub struct Era {
	/// Its number.
	pub index: EraIndex,
	/// The session with which it began.
	pub first_session: SessionIndex,
	/// How many validators it began with.
	pub validators: u32,
	/// Whether the set is an emergency's: some did not stand and were kept for want of candidates, or
	/// it had to be elected anew within the era. Nobody's silence is judged in it.
	pub kept: bool,
}

/// A slash that waits for its time.
#[derive(
	Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, TypeInfo, MaxEncodedLen,
)]
pub struct PendingSlash<AccountId, Balance> {
	/// Who loses.
	pub validator: AccountId,
	/// What for.
	pub fault: Fault,
	/// The session of the fault.
	pub session: SessionIndex,
	/// How much, at most what is then held.
	pub amount: Balance,
	/// Who reported it and is paid for that.
	pub reporter: Option<AccountId>,
	/// The era in which it is enacted.
	pub due: EraIndex,
}

/// How much of its stake a validator was found to lose for one kind of fault in one session.
#[derive(
	Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, TypeInfo, MaxEncodedLen,
)]
pub struct Guilt<Balance> {
	/// The greatest share that was imposed.
	pub fraction: Perbill,
	/// What was held when the first of it was reported: the share is of this.
	pub base: Balance,
	/// The slash for it: as long as it waits, a greater share adds to it.
	pub slash: Option<SlashId>,
}

/// The slashes from `first` up to `next` wait in this order; cancelled ones leave gaps.
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
pub struct SlashQueue {
	/// The next one to be enacted.
	pub first: SlashId,
	/// The number of the next one to be imposed.
	pub next: SlashId,
}

/// What a slash took and where it went: `total = burned + to_reporter`.
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
pub struct Taken<Balance> {
	/// All that was taken.
	pub total: Balance,
	/// Burned.
	pub burned: Balance,
	/// Paid to who reported the fault.
	pub to_reporter: Balance,
}

/// A candidate as the next election would see it.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, TypeInfo)]
pub struct CandidateInfo<AccountId, Balance> {
	/// Who.
	pub stash: AccountId,
	/// Its bond.
	pub stake: Balance,
	/// What verified compute adds, at most the bond.
	pub boost: Balance,
	/// Bond and boost.
	pub score: Balance,
	/// Whether it has session keys and the least bond, without which it is not elected.
	pub eligible: bool,
}
