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
//! - **Cap.** [`Pallet::emit`] is the only way to mint, and never above [`Config::MaxSupply`].
//!
//! What is issued plus what was burned is what existed at genesis plus what was emitted, to the last
//! unit: `try_state` checks it.
//!
//! ## Low-level notes
//!
//! - The pallet records the issuance when its own genesis is built: declare it in the runtime after
//!   `pallet-balances` and after every pallet that mints at genesis.
//! - Wire [`FeeHandler`] as the handler of `FungibleAdapter` and [`DustToLedger`] as
//!   `pallet_balances::Config::DustRemoval`.
//! - `pallet_balances::Call::burn` and the root calls that force balances or issuance change the
//!   issuance without the ledger: filter them, users have [`Pallet::burn`].

#![cfg_attr(not(feature = "std"), no_std)]

#[cfg(feature = "runtime-benchmarks")]
mod benchmarking;
mod fees;
mod ledger;
#[cfg(test)]
mod mock;
mod policy;
#[cfg(test)]
mod tests;
#[cfg(any(feature = "try-runtime", test))]
mod try_state;
pub mod weights;

pub use fees::{DustToLedger, FeeHandler};
pub use pallet::*;
pub use weights::WeightInfo;

use frame_support::traits::fungible::{Credit, Inspect};

/// Amount of TNA.
pub type BalanceOf<T> =
	<<T as Config>::Currency as Inspect<<T as frame_system::Config>::AccountId>>::Balance;
/// TNA taken from an account and not yet given to another.
pub type CreditOf<T> = Credit<<T as frame_system::Config>::AccountId, <T as Config>::Currency>;

#[frame_support::pallet]
pub mod pallet {
	use super::{BalanceOf, WeightInfo};
	use frame_support::{
		pallet_prelude::*,
		traits::fungible::{Balanced, Inspect, Mutate},
	};
	use frame_system::pallet_prelude::*;
	use sp_runtime::Permill;
	use tensornet_protocol::BurnCause;

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

		/// The burned share of fees and tips.
		type FeeBurn: Get<Permill>;

		/// The treasury's share of fees and tips. The author of the block gets the rest.
		type FeeTreasury: Get<Permill>;

		/// The least a node may be paid for each 10^9 multiply-accumulates.
		type FloorAsk: Get<BalanceOf<Self>>;

		/// The most TNA that may exist at any time.
		type MaxSupply: Get<BalanceOf<Self>>;

		/// Weights of the calls.
		type WeightInfo: WeightInfo;
	}

	/// What was burned since genesis, by cause.
	#[pallet::storage]
	pub type Burned<T: Config> = StorageMap<_, Twox64Concat, BurnCause, BalanceOf<T>, ValueQuery>;

	/// What existed at genesis.
	#[pallet::storage]
	pub type GenesisIssuance<T: Config> = StorageValue<_, BalanceOf<T>, ValueQuery>;

	/// What was minted since genesis.
	#[pallet::storage]
	pub type Emitted<T: Config> = StorageValue<_, BalanceOf<T>, ValueQuery>;

	/// The pallet's genesis has no settings: it records what the pallets before it issued.
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
			GenesisIssuance::<T>::put(T::Currency::total_issuance());
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
		},
	}

	#[pallet::error]
	pub enum Error<T> {
		/// Nothing to burn: name an amount above zero.
		#[codec(index = 0)]
		ZeroAmount,
		/// The cap on supply leaves no room: mint less, or wait until more was burned.
		#[codec(index = 1)]
		SupplyExhausted,
	}

	#[pallet::hooks]
	impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
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
}
