// SPDX-License-Identifier: Apache-2.0

//! # Validators
//!
//! Who authors and finalizes blocks: candidacy, the clock of eras, election, rewards, and what an
//! offence costs.
//!
//! ## Overview
//!
//! - A **candidate** holds a bond of at least [`Config::MinBond`] and has session keys. At most
//!   [`Config::MaxCandidates`] stand at once; where all places are taken a larger bond takes the
//!   smallest one's.
//! - An **era** is [`Config::SessionsPerEra`] sessions. The pallet is the clock of eras
//!   ([`Eras`](tensornet_protocol::Eras)) and tells [`Config::OnEraEnd`] when one is over.
//! - **Election**: in the last session of an era the [`Config::ValidatorCount`] candidates with the
//!   highest *score* are elected for the next one. The score is the stake and a boost of at most the
//!   same again: what the candidate's node burned through paid jobs in the last finished era, over
//!   [`Config::BurnPerStake`]. See [`Pallet::score`].
//! - **Never without a set**: below [`Config::MinCount`] winners, members of the former set fill up the
//!   new one, those in jail last of all.
//! - **Rewards**: an authored block is a point. After the era anybody may have a validator paid its part
//!   of the era's budget, for [`Config::HistoryDepth`] eras.
//! - **Equivocation** jails a validator at once: it is disabled, stands no more and leaves the set with
//!   the next one that is planned. Its slash waits for [`Config::SlashDelay`] eras, in which
//!   [`Config::AppealOrigin`] can cancel it, and reaches unbonding funds.
//! - **Silence** through an era in which at least [`EXPECTED_BLOCKS`] were expected costs
//!   [`Config::SilenceSlash`] and the place in the set; the validator may stand again at once. Where
//!   more than a third is silent the network is at fault and nobody is judged.
//!
//! ## Low-level notes
//!
//! - The pallet is a session manager: [`Config::Session`] is the session pallet seen from here. It
//!   rotates before authorship notes the author of the block, so that the first block of an era is a
//!   point in it.
//! - [`Ranking`] is one value, sorted by stake. An election reads it, the keys of those that win, and
//!   the burn of each candidate: its cost is bounded by [`Config::MaxCandidates`].
//! - Within an era the set only shrinks, so the validators with which the era began are the most that
//!   ever shared its blocks.
//! - A session pallet enables everybody again when the set or one key changes, so those in jail for
//!   an equivocation are disabled anew at the start of each session.

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
mod benchmarking;
mod bonding;
mod candidacy;
mod election;
mod eras;
#[cfg(test)]
mod mock;
mod offences;
mod outcomes;
mod rewards;
pub mod sessions;
mod slashing;
#[cfg(test)]
mod tests;
// Native code has it too: the fuzzer of the runtime asks every pallet without the SDK's own checks.
#[cfg(any(feature = "std", feature = "try-runtime"))]
mod try_state;
pub mod types;
mod views;
pub mod weights;

pub use offences::SilenceOffence;
pub use pallet::*;
pub use sessions::Sessions;
pub use types::*;
pub use weights::WeightInfo;

use frame_support::{pallet_macros::import_section, traits::fungible::Inspect};
use frame_system::pallet_prelude::BlockNumberFor;

/// Amount of TNA.
pub type BalanceOf<T> =
	<<T as Config>::Currency as Inspect<<T as frame_system::Config>::AccountId>>::Balance;
/// What is held for a stash.
pub type LedgerOf<T> = Ledger<BalanceOf<T>, BlockNumberFor<T>>;
/// A candidate's place.
pub type SeatOf<T> = Seat<<T as frame_system::Config>::AccountId, BalanceOf<T>>;
/// A slash that waits.
pub type PendingSlashOf<T> = PendingSlash<<T as frame_system::Config>::AccountId, BalanceOf<T>>;
/// How offences name a validator.
pub type Offender<T> = (<T as frame_system::Config>::AccountId, ());

const LOG_TARGET: &str = "runtime::validators";

// What the macros generate for metadata calls `expect`; nothing written here does.
#[allow(clippy::expect_used)]
#[import_section(outcomes::outcomes)]
#[frame_support::pallet]
pub mod pallet {
	use super::*;
	use frame_support::{pallet_prelude::*, traits::fungible};
	use frame_system::pallet_prelude::*;
	use sp_runtime::Permill;
	use sp_staking::{offence::ReportOffence, SessionIndex};
	use tensornet_protocol::{Emission, EraIndex, OnEraEnd, TokenPolicy, VerifiedCompute};

	const STORAGE_VERSION: StorageVersion = StorageVersion::new(1);

	#[pallet::pallet]
	#[pallet::storage_version(STORAGE_VERSION)]
	pub struct Pallet<T>(_);

	#[pallet::config]
	pub trait Config: frame_system::Config {
		/// The token.
		type Currency: fungible::Mutate<Self::AccountId>
			+ fungible::MutateHold<Self::AccountId, Reason = Self::RuntimeHoldReason>;

		/// The runtime's hold reasons.
		type RuntimeHoldReason: From<HoldReason>;

		/// Where burned slashes are written down.
		type Token: TokenPolicy<AccountId = Self::AccountId, Balance = BalanceOf<Self>>;

		/// What an era may mint.
		type Emission: Emission<AccountId = Self::AccountId, Balance = BalanceOf<Self>>;

		/// What candidates' nodes burned.
		type Compute: VerifiedCompute<AccountId = Self::AccountId, Balance = BalanceOf<Self>>;

		/// Hears of the end of eras.
		type OnEraEnd: OnEraEnd;

		/// The session pallet.
		type Session: Sessions<AccountId = Self::AccountId>;

		/// Where silence is reported. It must hand the offence back to this pallet.
		type Offences: ReportOffence<
			Self::AccountId,
			Offender<Self>,
			SilenceOffence<Offender<Self>>,
		>;

		/// Who may cancel a slash before it is enacted.
		type AppealOrigin: EnsureOrigin<Self::RuntimeOrigin>;

		/// The least bond of a candidate. At least the existential deposit.
		type MinBond: Get<BalanceOf<Self>>;

		/// How many validators are elected, at most [`Config::MaxValidators`].
		type ValidatorCount: Get<u32>;

		/// With fewer winners than this, members of the former set fill up the new one.
		type MinCount: Get<u32>;

		/// What a node must burn in an era for each unit of stake that it adds to its stash's score.
		type BurnPerStake: Get<Permill>;

		/// The share of its stake that a silent validator loses.
		type SilenceSlash: Get<Permill>;

		/// The part of a slash that goes to who reported the fault. The rest is burned.
		type ReporterShare: Get<Permill>;

		/// Eras between a report and its slash.
		type SlashDelay: Get<EraIndex>;

		/// Eras for which an equivocation keeps a validator out.
		type JailEras: Get<EraIndex>;

		/// Sessions of an era, at least one.
		type SessionsPerEra: Get<SessionIndex>;

		/// Sessions for which a fault can be reported.
		#[pallet::constant]
		type ReportableSessions: Get<SessionIndex>;

		/// Blocks for which unbonding funds stay slashable. Longer than faults can be reported.
		#[pallet::constant]
		type UnbondingPeriod: Get<BlockNumberFor<Self>>;

		/// Eras for which rewards can be claimed after their own.
		#[pallet::constant]
		type HistoryDepth: Get<EraIndex>;

		/// The most candidates that stand at once.
		#[pallet::constant]
		type MaxCandidates: Get<u32>;

		/// The most validators of a set.
		#[pallet::constant]
		type MaxValidators: Get<u32>;

		/// Weights of the calls.
		type WeightInfo: WeightInfo;
	}

	/// Why the pallet holds funds.
	#[pallet::composite_enum]
	pub enum HoldReason {
		/// The bond of a validator, unbonding parts included.
		#[codec(index = 0)]
		ValidatorBond,
	}

	/// What is held for each stash.
	#[pallet::storage]
	pub type Ledgers<T: Config> = StorageMap<_, Blake2_128Concat, T::AccountId, LedgerOf<T>>;

	/// Those that stand for election, the smallest stake first.
	#[pallet::storage]
	pub type Ranking<T: Config> =
		StorageValue<_, BoundedVec<SeatOf<T>, T::MaxCandidates>, ValueQuery>;

	/// The running era.
	#[pallet::storage]
	pub type CurrentEra<T: Config> = StorageValue<_, Era, ValueQuery>;

	/// Whether the set planned for the next era had to be filled up from the former one.
	#[pallet::storage]
	pub type NextKept<T: Config> = StorageValue<_, bool, ValueQuery>;

	/// Blocks that each validator authored in an era and was not paid for yet.
	#[pallet::storage]
	pub type Points<T: Config> = StorageDoubleMap<
		_,
		Twox64Concat,
		EraIndex,
		Blake2_128Concat,
		T::AccountId,
		u32,
		ValueQuery,
	>;

	/// Blocks of an era.
	#[pallet::storage]
	pub type TotalPoints<T: Config> = StorageMap<_, Twox64Concat, EraIndex, u32, ValueQuery>;

	/// The slashes that wait.
	#[pallet::storage]
	pub type Slashes<T: Config> = StorageMap<_, Twox64Concat, SlashId, PendingSlashOf<T>>;

	/// The order in which they wait.
	#[pallet::storage]
	pub type Queue<T: Config> = StorageValue<_, SlashQueue, ValueQuery>;

	/// What was found against validators in the sessions that can still be reported, so that one fault
	/// is not punished twice.
	#[pallet::storage]
	pub type Faults<T: Config> = StorageDoubleMap<
		_,
		Twox64Concat,
		SessionIndex,
		Blake2_128Concat,
		(T::AccountId, Fault),
		Guilt<BalanceOf<T>>,
	>;

	/// What the pallet is just reporting of its own accord. Set only within one call: offences are
	/// handed back without saying of which kind they are.
	#[pallet::storage]
	pub type Reporting<T: Config> = StorageValue<_, Fault>;

	#[pallet::genesis_config]
	#[derive(frame_support::DefaultNoBound)]
	pub struct GenesisConfig<T: Config> {
		/// Candidates from the start, with their bonds. Their session keys are set by the session
		/// pallet's genesis.
		pub candidates: alloc::vec::Vec<(T::AccountId, BalanceOf<T>)>,
	}

	#[pallet::genesis_build]
	impl<T: Config> BuildGenesisConfig for GenesisConfig<T> {
		/// # Panics
		///
		/// Where a candidate could not register: a genesis like that must not start a chain.
		fn build(&self) {
			for (stash, bond) in &self.candidates {
				if let Err(error) = Pallet::<T>::do_register_candidate(stash.clone(), *bond) {
					panic!("{stash:?} cannot be a candidate at genesis: {error:?}");
				}
			}
			let validators = T::Session::validators().len();
			CurrentEra::<T>::put(Era {
				validators: u32::try_from(validators).unwrap_or(u32::MAX),
				..Default::default()
			});
		}
	}

	#[pallet::hooks]
	impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
		fn on_initialize(_: BlockNumberFor<T>) -> Weight {
			Self::enact_due_slashes()
		}

		fn integrity_test() {
			assert!(T::MaxCandidates::get() > 0, "somebody must be able to stand");
			assert!(T::MaxValidators::get() > 0, "a set must have room for a validator");
			assert!(T::HistoryDepth::get() > 0, "rewards must be claimable for a while");
			assert!(
				T::WeightInfo::elect(T::MaxCandidates::get())
					.all_lte(T::BlockWeights::get().max_block),
				"the greatest election must fit a block"
			);
		}

		#[cfg(feature = "try-runtime")]
		fn try_state(_: BlockNumberFor<T>) -> Result<(), sp_runtime::TryRuntimeError> {
			Self::do_try_state()
		}
	}

	#[pallet::call]
	impl<T: Config> Pallet<T> {
		/// Holds `bond` and stands for election. A stash that is leaving registers anew; what unbonds
		/// goes on unbonding.
		///
		/// Who: any signed account with session keys and without a bond.
		///
		/// Errors: [`Error::BondTooSmall`], [`Error::NoKeys`], [`Error::AlreadyRegistered`],
		/// [`Error::InJail`], [`Error::SlashPending`], [`Error::Outbid`]; the currency's own where the
		/// bond cannot be held.
		///
		/// Events: [`Event::CandidateRegistered`], [`Event::Outranked`].
		#[pallet::call_index(0)]
		#[pallet::weight(T::WeightInfo::register_candidate())]
		pub fn register_candidate(origin: OriginFor<T>, bond: BalanceOf<T>) -> DispatchResult {
			let stash = ensure_signed(origin)?;
			Self::do_register_candidate(stash, bond)
		}

		/// Holds `amount` more of the caller's tokens as its bond.
		///
		/// Who: a stash that is not leaving.
		///
		/// Errors: [`Error::ZeroAmount`], [`Error::NotRegistered`], [`Error::Leaving`]; the currency's
		/// own where the amount cannot be held.
		///
		/// Event: [`Event::Bonded`].
		#[pallet::call_index(1)]
		#[pallet::weight(T::WeightInfo::bond_more())]
		pub fn bond_more(origin: OriginFor<T>, amount: BalanceOf<T>) -> DispatchResult {
			let stash = ensure_signed(origin)?;
			Self::do_bond_more(stash, amount)
		}

		/// Starts to unbond `amount`. It stays slashable until it is withdrawn. The bond must stay at
		/// the minimum: to take out everything, leave.
		///
		/// Who: a stash that is not leaving.
		///
		/// Errors: [`Error::ZeroAmount`], [`Error::NotRegistered`], [`Error::Leaving`],
		/// [`Error::BondTooSmall`], [`Error::TooManyChunks`].
		///
		/// Event: [`Event::Unbonded`].
		#[pallet::call_index(2)]
		#[pallet::weight(T::WeightInfo::unbond())]
		pub fn unbond(origin: OriginFor<T>, amount: BalanceOf<T>) -> DispatchResult {
			let stash = ensure_signed(origin)?;
			Self::do_unbond(stash, amount)
		}

		/// Frees everything that is unlocked. With the last of what one that left had bonded its record
		/// goes too.
		///
		/// Who: a stash for which no slash waits.
		///
		/// Errors: [`Error::NotRegistered`], [`Error::SlashPending`], [`Error::NothingUnlocked`].
		///
		/// Events: [`Event::Withdrawn`], [`Event::Removed`].
		#[pallet::call_index(3)]
		#[pallet::weight(T::WeightInfo::withdraw_unbonded())]
		pub fn withdraw_unbonded(origin: OriginFor<T>) -> DispatchResult {
			let stash = ensure_signed(origin)?;
			Self::do_withdraw_unbonded(stash)
		}

		/// Does not stand for election any more, and keeps the bond. An elected validator stays one to
		/// the end of its era and has to author until then.
		///
		/// Who: a candidate.
		///
		/// Errors: [`Error::NotRegistered`], [`Error::NotStanding`].
		///
		/// Event: [`Event::Rested`].
		#[pallet::call_index(4)]
		#[pallet::weight(T::WeightInfo::chill())]
		pub fn chill(origin: OriginFor<T>) -> DispatchResult {
			let stash = ensure_signed(origin)?;
			Self::do_chill(stash)
		}

		/// Stands for election again: after a rest, after losing the place to a larger bond, or after
		/// jail.
		///
		/// Who: a stash that rests.
		///
		/// Errors: [`Error::NotRegistered`], [`Error::Leaving`], [`Error::AlreadyStanding`],
		/// [`Error::InJail`], [`Error::SlashPending`], [`Error::NoKeys`], [`Error::BondTooSmall`],
		/// [`Error::Outbid`].
		///
		/// Events: [`Event::Stood`], [`Event::Outranked`].
		#[pallet::call_index(5)]
		#[pallet::weight(T::WeightInfo::stand())]
		pub fn stand(origin: OriginFor<T>) -> DispatchResult {
			let stash = ensure_signed(origin)?;
			Self::do_stand(stash)
		}

		/// Stops standing and unbonds everything.
		///
		/// Who: a stash that is not leaving.
		///
		/// Errors: [`Error::NotRegistered`], [`Error::Leaving`].
		///
		/// Events: [`Event::Left`] with [`Event::Unbonded`], or with [`Event::Removed`] where slashes
		/// left nothing to unbond.
		#[pallet::call_index(6)]
		#[pallet::weight(T::WeightInfo::leave())]
		pub fn leave(origin: OriginFor<T>) -> DispatchResult {
			let stash = ensure_signed(origin)?;
			Self::do_leave(stash)
		}

		/// Mints to `validator` what it earned in `era`: the part of the budget that its blocks are of
		/// all blocks of the era, rounded down. Once.
		///
		/// Who: any signed account.
		///
		/// Errors: [`Error::EraNotOver`], [`Error::NothingToClaim`], [`Error::NothingToPay`].
		///
		/// Event: [`Event::RewardPaid`].
		#[pallet::call_index(7)]
		#[pallet::weight(T::WeightInfo::claim_validator_rewards())]
		pub fn claim_validator_rewards(
			origin: OriginFor<T>,
			validator: T::AccountId,
			era: EraIndex,
		) -> DispatchResult {
			ensure_signed(origin)?;
			Self::do_claim(validator, era)
		}

		/// Cancels a slash that waits. With the last one that waits its validator is free of jail, too.
		///
		/// Who: [`Config::AppealOrigin`].
		///
		/// Errors: [`Error::NoSuchSlash`].
		///
		/// Event: [`Event::SlashCancelled`].
		#[pallet::call_index(8)]
		#[pallet::weight((T::WeightInfo::cancel_slash(), DispatchClass::Operational))]
		pub fn cancel_slash(origin: OriginFor<T>, id: SlashId) -> DispatchResult {
			T::AppealOrigin::ensure_origin(origin)?;
			Self::do_cancel_slash(id)
		}

		/// Forgets the caller's session keys and returns their deposit.
		///
		/// This stands in for the session pallet's own call, which asks nothing: were all members of the
		/// running set to purge their keys while nobody else is eligible, the chain would have no
		/// validators left.
		///
		/// Who: an account with session keys, validator neither of this session nor of the next.
		///
		/// Errors: [`Error::Validates`]; the session pallet's own where there are no keys.
		#[pallet::call_index(9)]
		#[pallet::weight(T::Session::purge_weight())]
		pub fn purge_keys(origin: OriginFor<T>) -> DispatchResult {
			let who = ensure_signed(origin)?;
			let validates =
				T::Session::validators().contains(&who) || T::Session::queued().contains(&who);
			ensure!(!validates, Error::<T>::Validates);
			T::Session::purge_keys(who)
		}
	}

	#[pallet::view_functions]
	impl<T: Config> Pallet<T> {
		/// The running era.
		pub fn era() -> Era {
			CurrentEra::<T>::get()
		}

		/// Those that stand for election, in the order in which an election now would take them.
		pub fn candidates() -> alloc::vec::Vec<CandidateInfo<T::AccountId, BalanceOf<T>>> {
			Self::standing_now()
		}

		/// The set that an election now would give.
		pub fn next_set() -> alloc::vec::Vec<T::AccountId> {
			Self::elect_set().members
		}

		/// The slashes that wait, in their order.
		pub fn pending_slashes() -> alloc::vec::Vec<(SlashId, PendingSlashOf<T>)> {
			Self::waiting_slashes()
		}

		/// What a validator can claim now, by era.
		pub fn claimable(validator: T::AccountId) -> alloc::vec::Vec<(EraIndex, BalanceOf<T>)> {
			Self::unclaimed(&validator)
		}

		/// What is held for a stash and how it stands.
		pub fn ledger(stash: T::AccountId) -> Option<LedgerOf<T>> {
			Ledgers::<T>::get(stash)
		}
	}
}
