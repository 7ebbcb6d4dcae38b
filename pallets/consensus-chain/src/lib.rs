// SPDX-License-Identifier: Apache-2.0

//! # Consensus chain
//!
//! Who brought whom, who contributed what, and who shares in it: the six degrees of TensorNet.
//!
//! ## Overview
//!
//! An account **joins** with a small deposit and may name one **sponsor**, once, who must have joined
//! before it. From then on a part of what it brings to the network passes to its sponsor, to the
//! sponsor's sponsor, and so on, up to [`MAX_DEGREES`](tensornet_protocol::MAX_DEGREES) degrees.
//!
//! - **Contributions** are never claimed, only recorded when the chain itself has verified them: a
//!   settled job counts for its node (what the node earned), for its requester (the price) and for the
//!   author of its program (the royalty); stake counts for whoever backs nodes with it. Every account
//!   has a record, member or not.
//! - **Decay**: what came from jobs halves every [`Config::HalfLife`] eras, for everybody in the same
//!   era. Stake does not decay: it counts while it is held and no longer.
//! - The **weight** of an account is what its job contributions have come to, and
//!   [`Config::StakeFactor`] of its stake. A member is **active** while its weight is at least
//!   [`Config::ActiveWeight`] and it is not barred.
//! - **Sharing**: the consensus-chain fee of a settled job is divided among its three contributions.
//!   Of each part the ancestor at degree *d* receives the *d*-th power of [`Config::Ratio`], if it is
//!   active. The walk is six links long and skips nobody: the place of an inactive ancestor stays
//!   empty. What finds no active ancestor is burned.
//! - **The pot**: a job would be dear if it paid up to eighteen ancestors. The part of a contributor who
//!   has a sponsor waits in the pallet's account and is noted in the contributor's record, however many
//!   jobs add to it; the part of one who has none is not taken. Blocks that have time left pass on what
//!   waits, oldest first, and anybody may have it done at once with [`Pallet::pass_on`]. Who is active
//!   is judged then.
//!
//! The pallet implements [`Lineage`](tensornet_protocol::Lineage).
//!
//! ## Why it cannot be gamed
//!
//! - Members are numbered as they join and numbers are never given twice. A link leads from a member to
//!   a *membership* with a smaller number, so no walk returns to where it began, whoever leaves and
//!   joins again.
//! - Whoever owns every account of a job and all their ancestors gets back at most the fee that it paid
//!   itself, and the fee is below the burn of the same job for every setting of the parameters: the
//!   burn and the treasury's share remain lost.
//!
//! ## Low-level notes
//!
//! - Records decay when they are read.
//! - The first member of all pays the pot's existential deposit, which stays in it.
//! - A record goes with its account, except for what waits for ancestors: make the pallet
//!   `frame_system::Config::OnKilledAccount`. One that has decayed to nothing may be removed by anyone,
//!   for free.

#![cfg_attr(not(feature = "std"), no_std)]
#![cfg_attr(
	not(any(test, feature = "runtime-benchmarks")),
	deny(
		clippy::arithmetic_side_effects,
		clippy::expect_used,
		clippy::indexing_slicing,
		clippy::unwrap_used
	)
)]

extern crate alloc;

#[cfg(feature = "runtime-benchmarks")]
pub mod benchmarking;
mod contributions;
mod members;
#[cfg(test)]
mod mock;
mod queue;
mod sharing;
#[cfg(test)]
mod tests;
// Native code has it too: the fuzzer of the runtime asks every pallet without the SDK's own checks.
#[cfg(any(feature = "std", feature = "try-runtime"))]
mod try_state;
pub mod types;
pub mod weights;

pub use pallet::*;
pub use types::*;
pub use weights::WeightInfo;

use frame_support::traits::fungible::Inspect;

/// Amount of TNA.
pub type BalanceOf<T> =
	<<T as Config>::Currency as Inspect<<T as frame_system::Config>::AccountId>>::Balance;
/// A member's record.
pub type MemberOf<T> = Member<<T as frame_system::Config>::AccountId, BalanceOf<T>>;

// What the macros generate for metadata calls `expect`; nothing written here does.
#[allow(clippy::expect_used)]
#[frame_support::pallet]
pub mod pallet {
	use super::*;
	use alloc::vec::Vec;
	use frame_support::{
		pallet_prelude::*,
		traits::{fungible, Contains, Footprint},
		weights::WeightMeter,
		PalletId,
	};
	use frame_system::pallet_prelude::*;
	use sp_runtime::{
		traits::{Convert, Zero},
		Permill,
	};
	use tensornet_protocol::{EraIndex, Eras, TokenPolicy, MAX_DEGREES};

	const STORAGE_VERSION: StorageVersion = StorageVersion::new(1);

	#[pallet::pallet]
	#[pallet::storage_version(STORAGE_VERSION)]
	pub struct Pallet<T>(_);

	#[pallet::config]
	pub trait Config: frame_system::Config {
		/// The token.
		type Currency: fungible::Mutate<Self::AccountId>
			+ fungible::Balanced<Self::AccountId>
			+ fungible::MutateHold<Self::AccountId, Reason = Self::RuntimeHoldReason>;

		/// The runtime's hold reasons.
		type RuntimeHoldReason: From<HoldReason>;

		/// Where what finds no active ancestor is written down as burned.
		type Token: TokenPolicy<AccountId = Self::AccountId, Balance = BalanceOf<Self>>;

		/// The account in which shares wait for ancestors is derived from this.
		#[pallet::constant]
		type PotId: Get<PalletId>;

		/// The clock by which contributions decay.
		type Eras: Eras;

		/// The sanctioned accounts: they can neither join nor name a sponsor, and no share goes to
		/// them. They keep their records and may leave.
		type Barred: Contains<Self::AccountId>;

		/// The deposit for a member's record of a given size.
		type Deposit: Convert<Footprint, BalanceOf<Self>>;

		/// Eras after which what jobs contributed counts half.
		#[pallet::constant]
		type HalfLife: Get<EraIndex>;

		/// The weight from which on a member is active.
		type ActiveWeight: Get<BalanceOf<Self>>;

		/// The part of the stake of an account that counts as weight.
		type StakeFactor: Get<Permill>;

		/// The part of the fee that passes to the ancestors of the node.
		type NodePart: Get<Permill>;

		/// The part of the fee that passes to the ancestors of the requester. What this and
		/// [`Config::NodePart`] leave passes to those of the program's author.
		type RequesterPart: Get<Permill>;

		/// What each degree receives of what the degree before it did, and the first one of the whole
		/// part. Up to a half all degrees together never receive more than the part; above that the
		/// last ones find nothing left.
		type Ratio: Get<Permill>;

		/// Weights of the calls.
		type WeightInfo: WeightInfo;
	}

	/// Why the pallet holds funds.
	#[pallet::composite_enum]
	pub enum HoldReason {
		/// The deposit of a member.
		#[codec(index = 0)]
		Membership,
	}

	/// The members.
	#[pallet::storage]
	pub type Members<T: Config> = StorageMap<_, Blake2_128Concat, T::AccountId, MemberOf<T>>;

	/// The number that the next member gets. Numbers are never given twice.
	#[pallet::storage]
	pub type NextNumber<T: Config> = StorageValue<_, MemberNumber, ValueQuery>;

	/// What each account contributed, as of the era in which that last changed.
	#[pallet::storage]
	pub type Records<T: Config> =
		StorageMap<_, Blake2_128Concat, T::AccountId, Record<BalanceOf<T>>>;

	/// Who waits to have its part of the fees passed on, in pages.
	#[pallet::storage]
	pub type Queue<T: Config> = StorageMap<
		_,
		Twox64Concat,
		u32,
		BoundedVec<T::AccountId, ConstU32<QUEUE_PAGE>>,
		ValueQuery,
	>;

	/// Where the queue begins and ends.
	#[pallet::storage]
	pub type QueueBounds<T: Config> = StorageValue<_, QueueEnds, ValueQuery>;

	#[pallet::event]
	#[pallet::generate_deposit(pub(crate) fn deposit_event)]
	pub enum Event<T: Config> {
		/// An account joined the consensus chain.
		#[codec(index = 0)]
		Joined {
			/// The member.
			who: T::AccountId,
			/// Its number: higher than that of every earlier member.
			number: MemberNumber,
			/// What is held for its record.
			deposit: BalanceOf<T>,
		},
		/// A member named its sponsor, for good.
		#[codec(index = 1)]
		Sponsored {
			/// The member.
			who: T::AccountId,
			/// Its sponsor.
			sponsor: T::AccountId,
		},
		/// A member left. Links to it lead nowhere from now on, even if it joins again.
		#[codec(index = 2)]
		Left {
			/// Who was a member.
			who: T::AccountId,
			/// What was released to it.
			deposit: BalanceOf<T>,
		},
		/// A record that had decayed to nothing was removed.
		#[codec(index = 3)]
		RecordCleared {
			/// Whose record it was.
			who: T::AccountId,
		},
		/// What waited for the ancestors of a contributor was passed on.
		#[codec(index = 4)]
		PassedOn {
			/// Whose jobs brought it.
			contributor: T::AccountId,
			/// Who received how much: at most [`MAX_DEGREES`], the sponsor first.
			shares: Vec<(T::AccountId, BalanceOf<T>)>,
			/// What found no active ancestor and was burned.
			burned: BalanceOf<T>,
		},
	}

	#[pallet::error]
	pub enum Error<T> {
		/// The account is sanctioned and may neither join nor name a sponsor.
		#[codec(index = 0)]
		Sanctioned,
		/// The account has joined already: it can name a sponsor if it has none.
		#[codec(index = 1)]
		AlreadyMember,
		/// The account has not joined: nothing is held for it.
		#[codec(index = 2)]
		NotMember,
		/// An account cannot sponsor itself: name another one.
		#[codec(index = 3)]
		OwnSponsor,
		/// The sponsor has not joined: ask it to join first, or name another one.
		#[codec(index = 4)]
		SponsorNotMember,
		/// The account has named its sponsor already, which it can do once.
		#[codec(index = 5)]
		AlreadySponsored,
		/// The sponsor joined later than the caller: name an older member.
		#[codec(index = 6)]
		SponsorTooYoung,
		/// The contributions of the member still count: wait until its weight has decayed below the
		/// threshold of activity.
		#[codec(index = 7)]
		StillActive,
		/// The account has no record, or one that has not decayed to nothing.
		#[codec(index = 8)]
		NothingToClear,
		/// Member numbers are used up.
		#[codec(index = 9)]
		NoMoreNumbers,
		/// Nothing waits for the ancestors of the account: it was passed on already.
		#[codec(index = 10)]
		NothingToPassOn,
	}

	#[pallet::hooks]
	impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
		fn on_idle(_: BlockNumberFor<T>, limit: Weight) -> Weight {
			let mut meter = WeightMeter::with_limit(limit);
			Self::serve_queue(&mut meter);
			meter.consumed()
		}

		fn integrity_test() {
			assert!(T::HalfLife::get() > 0, "contributions must take a while to decay");
		}

		#[cfg(feature = "try-runtime")]
		fn try_state(_: BlockNumberFor<T>) -> Result<(), sp_runtime::TryRuntimeError> {
			Self::do_try_state()
		}
	}

	#[pallet::call]
	impl<T: Config> Pallet<T> {
		/// Joins the consensus chain without a sponsor, so that others can name the caller as theirs.
		/// Holds a deposit for the record.
		///
		/// Who: any signed account that is neither a member nor sanctioned.
		///
		/// Errors: [`Error::Sanctioned`], [`Error::AlreadyMember`], [`Error::NoMoreNumbers`]; the
		/// currency's own where the deposit cannot be held.
		///
		/// Event: [`Event::Joined`].
		#[pallet::call_index(0)]
		#[pallet::weight(T::WeightInfo::join())]
		pub fn join(origin: OriginFor<T>) -> DispatchResult {
			let who = ensure_signed(origin)?;
			Self::do_join(who)
		}

		/// Names the caller's sponsor, which cannot be changed later. Joins the caller if it has not
		/// joined yet.
		///
		/// Who: any signed account without a sponsor that is not sanctioned.
		///
		/// Errors: [`Error::Sanctioned`], [`Error::OwnSponsor`], [`Error::SponsorNotMember`],
		/// [`Error::AlreadySponsored`], [`Error::SponsorTooYoung`], [`Error::NoMoreNumbers`]; the
		/// currency's own where the deposit cannot be held.
		///
		/// Events: [`Event::Joined`] where the caller joins with it, [`Event::Sponsored`].
		#[pallet::call_index(1)]
		#[pallet::weight(T::WeightInfo::set_sponsor())]
		pub fn set_sponsor(origin: OriginFor<T>, sponsor: T::AccountId) -> DispatchResult {
			let who = ensure_signed(origin)?;
			Self::do_set_sponsor(who, sponsor)
		}

		/// Leaves the consensus chain and releases the deposit. The record of contributions stays with
		/// the account. An active member cannot leave: it would shed the sponsor that it named for good
		/// while its contributions count.
		///
		/// Who: a member, sanctioned or not.
		///
		/// Errors: [`Error::NotMember`], [`Error::StillActive`].
		///
		/// Event: [`Event::Left`].
		#[pallet::call_index(2)]
		#[pallet::weight(T::WeightInfo::leave())]
		pub fn leave(origin: OriginFor<T>) -> DispatchResult {
			let who = ensure_signed(origin)?;
			Self::do_leave(who)
		}

		/// Removes the record of an account whose contributions have all decayed to nothing. Costs no
		/// fee where it does.
		///
		/// Who: any signed account.
		///
		/// Errors: [`Error::NothingToClear`].
		///
		/// Event: [`Event::RecordCleared`].
		#[pallet::call_index(3)]
		#[pallet::weight(T::WeightInfo::clear())]
		pub fn clear(origin: OriginFor<T>, who: T::AccountId) -> DispatchResultWithPostInfo {
			ensure_signed(origin)?;
			Self::do_clear(who)?;
			Ok(Pays::No.into())
		}

		/// Passes on what waits for the ancestors of `contributor`, without waiting for a block that has
		/// time left.
		///
		/// Who: any signed account.
		///
		/// Errors: [`Error::NothingToPassOn`].
		///
		/// Event: [`Event::PassedOn`].
		#[pallet::call_index(4)]
		#[pallet::weight(T::WeightInfo::pass_on(MAX_DEGREES))]
		pub fn pass_on(origin: OriginFor<T>, contributor: T::AccountId) -> DispatchResult {
			ensure_signed(origin)?;
			Self::do_pass_on(&contributor).map(|_| ()).ok_or(Error::<T>::NothingToPassOn.into())
		}
	}

	#[pallet::view_functions]
	impl<T: Config> Pallet<T> {
		/// What an account has contributed in each role, decayed to the current era, in plancks.
		pub fn contributions(account: T::AccountId) -> Contributions<BalanceOf<T>> {
			Self::contributions_of(&account)
		}

		/// The ancestors of an account from its sponsor on, with their weights and whether they would
		/// receive a share now.
		pub fn lineage(account: T::AccountId) -> Vec<Ancestor<T::AccountId, BalanceOf<T>>> {
			Self::ancestors_of(&account)
				.into_iter()
				.zip(1u32..)
				.map(|(account, degree)| Ancestor {
					weight: Self::weight_of(&account),
					active: Self::is_active(&account),
					account,
					degree,
				})
				.collect()
		}

		/// What waits for the ancestors of an account, in plancks.
		pub fn waiting(account: T::AccountId) -> BalanceOf<T> {
			Records::<T>::get(account).map_or_else(Zero::zero, |record| record.owed)
		}

		/// The weight of an account's contributions in the current era, in plancks.
		pub fn weight(account: T::AccountId) -> BalanceOf<T> {
			Self::weight_of(&account)
		}
	}
}
