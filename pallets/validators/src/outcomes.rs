// SPDX-License-Identifier: Apache-2.0

//! What the calls and the sessions report: events and errors.

use frame_support::pallet_macros::pallet_section;

/// A part of the pallet's module.
#[pallet_section]
mod outcomes {
	#[pallet::event]
	#[pallet::generate_deposit(pub(crate) fn deposit_event)]
	pub enum Event<T: Config> {
		/// An account stands for election with a new bond.
		#[codec(index = 0)]
		CandidateRegistered {
			/// Who.
			stash: T::AccountId,
			/// What it has at stake.
			bond: BalanceOf<T>,
		},
		/// A bond was raised.
		#[codec(index = 1)]
		Bonded {
			/// Whose.
			stash: T::AccountId,
			/// By how much.
			amount: BalanceOf<T>,
			/// The bond now.
			bond: BalanceOf<T>,
		},
		/// A part of a bond began to unbond.
		#[codec(index = 2)]
		Unbonded {
			/// Whose.
			stash: T::AccountId,
			/// How much.
			amount: BalanceOf<T>,
			/// The first block in which it may be withdrawn.
			unlock_at: BlockNumberFor<T>,
		},
		/// Unbonded funds are free again.
		#[codec(index = 3)]
		Withdrawn {
			/// Whose.
			stash: T::AccountId,
			/// How much.
			amount: BalanceOf<T>,
		},
		/// A candidate stands for election again.
		#[codec(index = 4)]
		Stood {
			/// Who.
			stash: T::AccountId,
		},
		/// A candidate does not stand any more. If elected, it stays so to the end of that era.
		#[codec(index = 5)]
		Rested {
			/// Who.
			stash: T::AccountId,
		},
		/// A candidate lost its place to a larger bond.
		#[codec(index = 6)]
		Outranked {
			/// Who lost it.
			stash: T::AccountId,
		},
		/// A candidate left: its whole bond unbonds.
		#[codec(index = 7)]
		Left {
			/// Who.
			stash: T::AccountId,
		},
		/// Nothing is held for one that left any more and its record is gone.
		#[codec(index = 8)]
		Removed {
			/// Who.
			stash: T::AccountId,
		},
		/// The set of an era was elected.
		#[codec(index = 9)]
		Elected {
			/// The session from which it counts.
			session: SessionIndex,
			/// How many validators.
			validators: u32,
			/// How many of them did not win a place and were kept from the former set.
			kept: u32,
		},
		/// Validators in jail or without keys leave the set before their era is over.
		#[codec(index = 10)]
		Expelled {
			/// The session from which the smaller set counts.
			session: SessionIndex,
			/// How many are left.
			validators: u32,
		},
		/// An era began.
		#[codec(index = 11)]
		EraStarted {
			/// Its number.
			era: EraIndex,
			/// Its first session.
			session: SessionIndex,
			/// How many validators it begins with.
			validators: u32,
		},
		/// A validator was paid for an era.
		#[codec(index = 12)]
		RewardPaid {
			/// Who.
			validator: T::AccountId,
			/// For which era.
			era: EraIndex,
			/// How many blocks it had authored.
			points: u32,
			/// How much.
			amount: BalanceOf<T>,
		},
		/// A validator does not stand any more because of a fault.
		#[codec(index = 13)]
		Jailed {
			/// Who.
			validator: T::AccountId,
			/// What for, how grave, and until when.
			jail: Jail,
		},
		/// A slash was imposed and waits, or one that waits was raised.
		#[codec(index = 14)]
		SlashImposed {
			/// Its number.
			id: SlashId,
			/// Who loses.
			validator: T::AccountId,
			/// What for.
			fault: Fault,
			/// In which session.
			session: SessionIndex,
			/// How much, in all.
			amount: BalanceOf<T>,
			/// The era in which it is enacted.
			due: EraIndex,
		},
		/// A slash was enacted.
		#[codec(index = 15)]
		SlashEnacted {
			/// Its number.
			id: SlashId,
			/// Who lost.
			validator: T::AccountId,
			/// What was taken and where it went.
			taken: Taken<BalanceOf<T>>,
		},
		/// A slash was cancelled.
		#[codec(index = 16)]
		SlashCancelled {
			/// Its number.
			id: SlashId,
			/// Who keeps it.
			validator: T::AccountId,
			/// How much.
			amount: BalanceOf<T>,
		},
		/// More than a third was silent: nobody was judged.
		#[codec(index = 17)]
		NetworkSilent {
			/// The era.
			era: EraIndex,
			/// How many authored nothing.
			silent: u32,
			/// Of how many.
			validators: u32,
		},
	}

	#[pallet::error]
	pub enum Error<T> {
		/// The caller is no validator's stash: register as a candidate first.
		#[codec(index = 0)]
		NotRegistered,
		/// The caller has a bond already: raise it, or stand again.
		#[codec(index = 1)]
		AlreadyRegistered,
		/// The caller has no session keys: set them with the session pallet first.
		#[codec(index = 2)]
		NoKeys,
		/// The bond would be below the minimum: bond more, or leave to take all of it out.
		#[codec(index = 3)]
		BondTooSmall,
		/// All places are taken by bonds at least as large: offer a larger one.
		#[codec(index = 4)]
		Outbid,
		/// An amount of zero: name one above it.
		#[codec(index = 5)]
		ZeroAmount,
		/// Too much unbonds at once: withdraw what is unlocked, or wait until something is.
		#[codec(index = 6)]
		TooManyChunks,
		/// Nothing is unlocked yet: wait for the block that the unbonding event named.
		#[codec(index = 7)]
		NothingUnlocked,
		/// The candidate left: register again, or withdraw the bond.
		#[codec(index = 8)]
		Leaving,
		/// The candidate stands already.
		#[codec(index = 9)]
		AlreadyStanding,
		/// The candidate does not stand.
		#[codec(index = 10)]
		NotStanding,
		/// The fault of this validator keeps it out: wait for the era that the jailing event named.
		#[codec(index = 11)]
		InJail,
		/// A slash of this validator waits: try again when it was enacted or cancelled.
		#[codec(index = 12)]
		SlashPending,
		/// The era is not over: claim when it is.
		#[codec(index = 13)]
		EraNotOver,
		/// The validator earned nothing in that era, was paid for it, or claims too late.
		#[codec(index = 14)]
		NothingToClaim,
		/// The era's budget pays this validator nothing now.
		#[codec(index = 15)]
		NothingToPay,
		/// No such slash waits: it was enacted or cancelled, or its number is wrong.
		#[codec(index = 16)]
		NoSuchSlash,
		/// The caller makes blocks now or in the next session: rest or leave, and try again when it does not.
		#[codec(index = 17)]
		Validates,
	}
}
