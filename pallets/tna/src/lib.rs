// SPDX-License-Identifier: Apache-2.0

//! # TNA
//!
//! The policy of the token over `pallet-balances`: who gets a share of what is paid, how much may
//! ever exist, and a ledger of everything that was burned and why.
//!
//! ## Overview
//!
//! - **Shares.** [`TokenPolicy`](tensornet_protocol::TokenPolicy) tells escrow how the price of a
//!   settled job is shared and the least a node may be paid. The figures come from [`Config`], so a
//!   runtime may put them under governance.
//! - **Fees.** [`FeeHandler`] shares transaction fees and tips between burn, treasury and the author
//!   of the block. What an absent author, or a payee that cannot receive, leaves is burned.
//! - **Burn ledger.** [`Burned`] holds totals by [`BurnCause`](tensornet_protocol::BurnCause). Dust of
//!   reaped accounts counts too, through [`DustToLedger`]. Every account may burn its own tokens with
//!   [`Pallet::burn`].
//! - **Emission.** Whatever is ever minted comes out of [`Config::Reserve`], which together with the
//!   genesis fits under [`Config::MaxSupply`]. Each era that ends releases
//!   `YearlyRate × what is left ÷ ErasPerYear` of it, so eras release less and less and never more than
//!   the reserve, whatever governance makes of the rate.
//! - **Budgets.** A share of what an era releases is the nodes', the rest is the validators'. Nodes
//!   receive at most [`Config::BurnRebate`] of what settled jobs burned in that era: who pays itself
//!   for jobs gets back less than it burned. The validators' part knows nothing of jobs. What a budget
//!   does not pay out is never minted.
//! - **Rewards.** [`Rewards`] says what each living account received, and for what.
//!
//! What is issued plus what was burned is what existed at genesis plus what was emitted, to the last
//! unit: `try_state` checks it.
//!
//! ## Who earns
//!
//! This pallet decides how much, not who. Others ask for it through
//! [`Emission`](tensornet_protocol::Emission): staking for nodes and their backers, in proportion to
//! what the jobs of each node burned, and validators for blocks. They hear of an era's end after
//! [`OnEraEnd`](tensornet_protocol::OnEraEnd) of this pallet.
//!
//! ## Low-level notes
//!
//! - The pallet records the issuance when its own genesis is built: declare it in the runtime after
//!   `pallet-balances` and after every pallet that mints at genesis.
//! - Wire [`FeeHandler`] as the handler of `FungibleAdapter` and [`DustToLedger`] as
//!   `pallet_balances::Config::DustRemoval`.
//! - `pallet_balances::Call::burn` and the root calls that force balances or issuance change the
//!   issuance without the ledger: filter them, users have [`Pallet::burn`].
//! - Make the pallet `frame_system::Config::OnKilledAccount`, so that a record of rewards lives as long
//!   as the account whose existential deposit pays for it.

#![cfg_attr(not(feature = "std"), no_std)]

extern crate alloc;

#[cfg(feature = "runtime-benchmarks")]
mod benchmarking;
mod emission;
mod fees;
mod ledger;
#[cfg(test)]
mod mock;
mod policy;
pub mod runtime_api;
pub mod schedule;
#[cfg(test)]
mod tests;
// Native code has it too: the fuzzer of the runtime asks every pallet without the SDK's own checks.
#[cfg(any(feature = "std", feature = "try-runtime"))]
mod try_state;
pub mod types;
mod views;
pub mod weights;

pub use fees::{DustToLedger, FeeHandler};
pub use pallet::*;
pub use types::*;
pub use weights::WeightInfo;

use frame_support::traits::fungible::{Credit, Inspect};

/// Amount of TNA.
pub type BalanceOf<T> =
	<<T as Config>::Currency as Inspect<<T as frame_system::Config>::AccountId>>::Balance;
/// What an era may mint.
pub type BudgetOf<T> = Budget<BalanceOf<T>>;
/// TNA taken from an account and not yet given to another.
pub type CreditOf<T> = Credit<<T as frame_system::Config>::AccountId, <T as Config>::Currency>;

const LOG_TARGET: &str = "runtime::tna";

#[frame_support::pallet]
pub mod pallet {
	use super::{BalanceOf, BudgetOf, Earned, Supply, WeightInfo};
	use frame_support::{
		pallet_prelude::*,
		traits::fungible::{Balanced, Inspect, Mutate},
	};
	use frame_system::pallet_prelude::*;
	use sp_runtime::{traits::CheckedAdd, Permill};
	use tensornet_protocol::{BurnCause, EraIndex, Eras, RewardReason};

	const STORAGE_VERSION: StorageVersion = StorageVersion::new(1);

	#[pallet::pallet]
	#[pallet::storage_version(STORAGE_VERSION)]
	pub struct Pallet<T>(_);

	#[pallet::config]
	pub trait Config: frame_system::Config {
		/// The token.
		type Currency: Mutate<Self::AccountId> + Balanced<Self::AccountId>;

		/// The treasury's account.
		type Treasury: Get<Self::AccountId>;

		/// The author of the current block, if it has one.
		type Author: Get<Option<Self::AccountId>>;

		/// The burned share of a settled job's price.
		type JobBurn: Get<Permill>;

		/// The treasury's share of a settled job's price.
		type JobTreasury: Get<Permill>;

		/// The program author's share of a settled job's price.
		type JobAuthor: Get<Permill>;

		/// The consensus-chain fee: the share of a settled job's price that goes to ancestors.
		type JobLineage: Get<Permill>;

		/// The burned share of fees and tips.
		type FeeBurn: Get<Permill>;

		/// The treasury's share of fees and tips. The author of the block gets the rest.
		type FeeTreasury: Get<Permill>;

		/// The least a node may be paid for each 10^9 multiply-accumulates.
		type FloorAsk: Get<BalanceOf<Self>>;

		/// The most TNA that may exist at any time.
		type MaxSupply: Get<BalanceOf<Self>>;

		/// The most that is minted after genesis. With the genesis at most [`Config::MaxSupply`].
		type Reserve: Get<BalanceOf<Self>>;

		/// The clock of eras.
		type Eras: Eras;

		/// Eras of a year, at least one.
		#[pallet::constant]
		type ErasPerYear: Get<u32>;

		/// The part of what is left of the reserve that a year releases.
		type YearlyRate: Get<Permill>;

		/// The nodes' part of what an era releases. The rest is the validators'.
		type NodeShare: Get<Permill>;

		/// The most that nodes receive of what settled jobs burned in the era. Below the whole, or
		/// paying oneself for jobs would cost nothing.
		type BurnRebate: Get<Permill>;

		/// Eras for which a budget can be paid out after its own. What is not paid by then lapses.
		#[pallet::constant]
		type HistoryDepth: Get<EraIndex>;

		/// Weights of the calls.
		type WeightInfo: WeightInfo;
	}

	/// What was burned since genesis, by cause.
	#[pallet::storage]
	pub type Burned<T: Config> = StorageMap<_, Twox64Concat, BurnCause, BalanceOf<T>, ValueQuery>;

	/// What existed at genesis.
	#[pallet::storage]
	pub type GenesisIssuance<T: Config> = StorageValue<_, BalanceOf<T>, ValueQuery>;

	/// What was minted since genesis, by reason.
	#[pallet::storage]
	pub type Emitted<T: Config> =
		StorageMap<_, Twox64Concat, RewardReason, BalanceOf<T>, ValueQuery>;

	/// What no era has released of the reserve yet.
	#[pallet::storage]
	pub type ReserveLeft<T: Config> = StorageValue<_, BalanceOf<T>, ValueQuery>;

	/// What settled jobs burned in the running era, and in each of those whose budgets stand.
	#[pallet::storage]
	pub type EraJobBurn<T: Config> =
		StorageMap<_, Twox64Concat, EraIndex, BalanceOf<T>, ValueQuery>;

	/// What each of the last [`Config::HistoryDepth`] ended eras may mint, and did.
	#[pallet::storage]
	pub type Budgets<T: Config> = StorageMap<_, Twox64Concat, EraIndex, BudgetOf<T>>;

	/// What each account received of what was minted. A record goes with its account.
	#[pallet::storage]
	pub type Rewards<T: Config> =
		StorageMap<_, Blake2_128Concat, T::AccountId, Earned<BalanceOf<T>>, ValueQuery>;

	/// The pallet's genesis has no settings: it records what the pallets before it issued, and fills
	/// the reserve.
	#[pallet::genesis_config]
	#[derive(frame_support::DefaultNoBound)]
	pub struct GenesisConfig<T: Config> {
		/// No setting.
		#[serde(skip)]
		pub _config: core::marker::PhantomData<T>,
	}

	#[pallet::genesis_build]
	impl<T: Config> BuildGenesisConfig for GenesisConfig<T> {
		fn build(&self) {
			let issued = T::Currency::total_issuance();
			let (reserve, cap) = (T::Reserve::get(), T::MaxSupply::get());
			assert!(
				issued.checked_add(&reserve).is_some_and(|all| all <= cap),
				"the genesis issues {issued:?}: with the reserve of {reserve:?} that is above the \
				 cap of {cap:?}"
			);
			GenesisIssuance::<T>::put(issued);
			ReserveLeft::<T>::put(reserve);
		}
	}

	#[pallet::event]
	#[pallet::generate_deposit(pub(crate) fn deposit_event)]
	pub enum Event<T: Config> {
		/// TNA was burned for a job, a slash or by its owner. Burned fees and dust are in the ledger
		/// only: an event for each would cost more than it tells.
		#[codec(index = 0)]
		Burned {
			/// Why.
			cause: BurnCause,
			/// How much.
			amount: BalanceOf<T>,
			/// Whose it was, where the owner chose to burn it.
			who: Option<T::AccountId>,
		},
		/// TNA was minted.
		#[codec(index = 1)]
		Emitted {
			/// To whom.
			to: T::AccountId,
			/// How much.
			amount: BalanceOf<T>,
			/// What for.
			reason: RewardReason,
			/// Out of which era's budget.
			era: EraIndex,
		},
		/// An era ended and its budgets are fixed.
		#[codec(index = 2)]
		EraBudgeted {
			/// The era.
			era: EraIndex,
			/// What its nodes and their backers may receive.
			nodes: BalanceOf<T>,
			/// What its validators may receive.
			validators: BalanceOf<T>,
			/// What settled jobs burned in it.
			burned: BalanceOf<T>,
		},
	}

	#[pallet::error]
	pub enum Error<T> {
		/// Nothing to burn: name an amount above zero.
		#[codec(index = 0)]
		ZeroAmount,
	}

	#[pallet::hooks]
	impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
		fn integrity_test() {
			assert!(T::ErasPerYear::get() > 0, "a year has at least one era");
			assert!(T::HistoryDepth::get() > 0, "a budget must outlive the end of its era");
		}

		#[cfg(feature = "try-runtime")]
		fn try_state(_: BlockNumberFor<T>) -> Result<(), sp_runtime::TryRuntimeError> {
			Self::do_try_state()
		}
	}

	#[pallet::call]
	impl<T: Config> Pallet<T> {
		/// Burns `amount` of the caller's own tokens and writes it into the ledger.
		///
		/// Who: any signed account. It must keep the existential deposit.
		///
		/// Errors: [`Error::ZeroAmount`]; the currency's own where the caller has not so much.
		///
		/// Event: [`Event::Burned`].
		#[pallet::call_index(0)]
		#[pallet::weight(T::WeightInfo::burn())]
		pub fn burn(origin: OriginFor<T>, amount: BalanceOf<T>) -> DispatchResult {
			let who = ensure_signed(origin)?;
			Self::do_burn(who, amount)
		}
	}

	#[pallet::view_functions]
	impl<T: Config> Pallet<T> {
		/// What exists, was burned and was minted, and what the running era would release if it
		/// ended now.
		pub fn supply() -> Supply<BalanceOf<T>> {
			Self::supply_now()
		}

		/// What an account received of what was minted, by reason.
		pub fn rewards(account: T::AccountId) -> Earned<BalanceOf<T>> {
			Rewards::<T>::get(account)
		}

		/// What an ended era may mint and did, or `None` where the era has not ended or its budget
		/// has lapsed.
		pub fn budget(era: EraIndex) -> Option<BudgetOf<T>> {
			Budgets::<T>::get(era)
		}
	}
}
