// SPDX-License-Identifier: Apache-2.0

//! # Compliance
//!
//! Who is known to whom, without saying who anybody is. Governance appoints *registrars*, which put
//! down a deposit; a registrar *attests* an account: a level, a country, an expiry, and a salted
//! commitment to evidence that stays with it. Roles may require a level by parameter, a job may ask for
//! more of its node, and governance keeps a list of *sanctioned* accounts. All of this is asked where
//! an account enters new business; no withdrawal ever asks.
//!
//! - The level of an account is the highest that a valid attestation of an appointed registrar states.
//!   Attestations of a registrar that was dismissed or resigned stop counting at once.
//! - An account has at most [`Config::MaxAttestations`] attestations, one for each registrar; expired
//!   ones make room.
//! - A registrar's deposit comes back when it resigns or its application is withdrawn. Governance may
//!   keep a part of it on dismissal, which goes to the treasury.

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

mod admission;
#[cfg(feature = "runtime-benchmarks")]
mod benchmarking;
#[cfg(test)]
mod mock;
mod registrars;
#[cfg(test)]
mod tests;
// Native code has it too: the fuzzer of the runtime asks every pallet without the SDK's own checks.
#[cfg(any(feature = "std", feature = "try-runtime"))]
mod try_state;
mod types;
pub mod weights;

pub use pallet::*;
pub use types::*;
pub use weights::WeightInfo;

// What the macros generate for metadata calls `expect`; nothing written here does.
#[allow(clippy::expect_used)]
#[frame_support::pallet]
pub mod pallet {
	use super::*;
	use frame_support::{pallet_prelude::*, traits::fungible};
	use frame_system::pallet_prelude::*;
	use sp_runtime::Permill;
	use tensornet_protocol::{Compliance as _, Hash, Role};

	/// Version of this pallet's storage.
	const STORAGE_VERSION: StorageVersion = StorageVersion::new(1);

	/// An amount of this runtime.
	pub type BalanceOf<T> = <<T as Config>::Currency as fungible::Inspect<
		<T as frame_system::Config>::AccountId,
	>>::Balance;

	/// An attestation of this runtime.
	pub type AttestationOf<T> =
		Attestation<<T as frame_system::Config>::AccountId, BlockNumberFor<T>>;

	#[pallet::pallet]
	#[pallet::storage_version(STORAGE_VERSION)]
	pub struct Pallet<T>(_);

	#[pallet::config]
	pub trait Config: frame_system::Config<RuntimeEvent: From<Event<Self>>> {
		/// TNA.
		type Currency: fungible::Mutate<Self::AccountId>
			+ fungible::hold::Mutate<Self::AccountId, Reason = Self::RuntimeHoldReason>;

		/// The runtime's hold reason.
		type RuntimeHoldReason: From<HoldReason>;

		/// Who appoints and dismisses registrars and keeps the list of sanctions.
		type RegistrarOrigin: EnsureOrigin<Self::RuntimeOrigin>;

		/// Where the kept part of a deposit goes.
		type Treasury: Get<Self::AccountId>;

		/// What a registrar puts down.
		#[pallet::constant]
		type RegistrarDeposit: Get<BalanceOf<Self>>;

		/// For how many blocks an attestation may count.
		#[pallet::constant]
		type MaxValidity: Get<BlockNumberFor<Self>>;

		/// The most attestations of one account.
		#[pallet::constant]
		type MaxAttestations: Get<u32>;

		/// The level that a role requires now.
		type Required: sp_runtime::traits::Convert<Role, u8>;

		/// Weights of the calls.
		type WeightInfo: WeightInfo;
	}

	/// Why funds are on hold.
	#[pallet::composite_enum]
	pub enum HoldReason {
		/// Deposit of a registrar.
		#[codec(index = 0)]
		Registrar,
	}

	/// Registrars and applicants.
	#[pallet::storage]
	pub type Registrars<T: Config> =
		StorageMap<_, Twox64Concat, T::AccountId, Registrar<BalanceOf<T>>, OptionQuery>;

	/// What is attested of each account, one entry for each registrar.
	#[pallet::storage]
	pub type Attestations<T: Config> = StorageMap<
		_,
		Twox64Concat,
		T::AccountId,
		BoundedVec<AttestationOf<T>, T::MaxAttestations>,
		ValueQuery,
	>;

	/// Accounts that may enter no new business.
	#[pallet::storage]
	pub type Sanctions<T: Config> =
		StorageMap<_, Twox64Concat, T::AccountId, Sanction<BlockNumberFor<T>>, OptionQuery>;

	#[pallet::event]
	#[pallet::generate_deposit(pub(crate) fn deposit_event)]
	pub enum Event<T: Config> {
		/// An account wants to be a registrar and has put down its deposit.
		#[codec(index = 0)]
		RegistrarApplied {
			/// The applicant.
			registrar: T::AccountId,
			/// On hold.
			deposit: BalanceOf<T>,
		},
		/// An applicant may attest from now on.
		#[codec(index = 1)]
		RegistrarAppointed {
			/// The registrar.
			registrar: T::AccountId,
		},
		/// A registrar or applicant is gone. What it attested no longer counts.
		#[codec(index = 2)]
		RegistrarGone {
			/// The registrar.
			registrar: T::AccountId,
			/// Given back to it.
			released: BalanceOf<T>,
			/// Kept by the treasury.
			kept: BalanceOf<T>,
		},
		/// An account was attested, or its attestation renewed.
		#[codec(index = 3)]
		Attested {
			/// The account.
			subject: T::AccountId,
			/// Who attests.
			registrar: T::AccountId,
			/// The level.
			level: u8,
			/// The country.
			country: Country,
			/// The first block in which it no longer counts.
			expires_at: BlockNumberFor<T>,
		},
		/// An attestation was taken back.
		#[codec(index = 4)]
		AttestationRevoked {
			/// The account.
			subject: T::AccountId,
			/// Who had attested.
			registrar: T::AccountId,
		},
		/// An account may enter no new business.
		#[codec(index = 5)]
		Sanctioned {
			/// The account.
			who: T::AccountId,
			/// Hash of the published reason.
			reason: Hash,
		},
		/// An account may enter business again.
		#[codec(index = 6)]
		SanctionLifted {
			/// The account.
			who: T::AccountId,
		},
	}

	#[pallet::error]
	pub enum Error<T> {
		/// The account is a registrar or has applied already.
		#[codec(index = 0)]
		AlreadyRegistrar,
		/// No registrar and no applicant has this account.
		#[codec(index = 1)]
		UnknownRegistrar,
		/// Only an appointed registrar may do this: apply, and ask governance.
		#[codec(index = 2)]
		NotAppointed,
		/// The level is 0 or above the highest.
		#[codec(index = 3)]
		BadLevel,
		/// A country is two upper-case letters of ISO 3166-1.
		#[codec(index = 4)]
		BadCountry,
		/// The expiry is not after this block, or more than `MaxValidity` away.
		#[codec(index = 5)]
		BadExpiry,
		/// A registrar cannot attest itself.
		#[codec(index = 6)]
		OwnAccount,
		/// The account has the most attestations there may be, none of them expired.
		#[codec(index = 7)]
		TooManyAttestations,
		/// There is no such attestation.
		#[codec(index = 8)]
		NotAttested,
		/// The account is on the list already.
		#[codec(index = 9)]
		AlreadySanctioned,
		/// The account is not on the list.
		#[codec(index = 10)]
		NotSanctioned,
	}

	#[pallet::hooks]
	impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
		#[cfg(feature = "try-runtime")]
		fn try_state(_: BlockNumberFor<T>) -> Result<(), sp_runtime::TryRuntimeError> {
			Self::do_try_state()
		}

		fn integrity_test() {
			assert!(
				T::MaxAttestations::get() > 0,
				"an account must be able to have an attestation"
			);
		}
	}

	#[pallet::call]
	impl<T: Config> Pallet<T> {
		/// Applies to be a registrar and puts the deposit on hold.
		///
		/// Any signed account that is none yet.
		///
		/// # Errors
		/// [`Error::AlreadyRegistrar`], and the currency's error if the funds are missing.
		#[pallet::call_index(0)]
		#[pallet::weight(T::WeightInfo::apply())]
		pub fn apply(origin: OriginFor<T>) -> DispatchResult {
			Self::do_apply(ensure_signed(origin)?)
		}

		/// Stops being a registrar or applicant, and returns the deposit.
		///
		/// # Errors
		/// [`Error::UnknownRegistrar`].
		#[pallet::call_index(1)]
		#[pallet::weight(T::WeightInfo::resign())]
		pub fn resign(origin: OriginFor<T>) -> DispatchResult {
			Self::remove_registrar(ensure_signed(origin)?, Permill::zero())
		}

		/// Lets an applicant attest.
		///
		/// Who: [`Config::RegistrarOrigin`].
		///
		/// # Errors
		/// [`Error::UnknownRegistrar`], [`Error::AlreadyRegistrar`].
		#[pallet::call_index(2)]
		#[pallet::weight(T::WeightInfo::appoint())]
		pub fn appoint(origin: OriginFor<T>, registrar: T::AccountId) -> DispatchResult {
			T::RegistrarOrigin::ensure_origin(origin)?;
			Self::do_appoint(registrar)
		}

		/// Removes a registrar or applicant, and gives the treasury `keep` of its deposit.
		///
		/// Who: [`Config::RegistrarOrigin`].
		///
		/// # Errors
		/// [`Error::UnknownRegistrar`].
		#[pallet::call_index(3)]
		#[pallet::weight(T::WeightInfo::dismiss())]
		pub fn dismiss(
			origin: OriginFor<T>,
			registrar: T::AccountId,
			keep: Permill,
		) -> DispatchResult {
			T::RegistrarOrigin::ensure_origin(origin)?;
			Self::remove_registrar(registrar, keep)
		}

		/// Attests an account, or renews what this registrar attested before.
		///
		/// Who: an appointed registrar.
		///
		/// # Errors
		/// [`Error::NotAppointed`], [`Error::OwnAccount`], [`Error::BadLevel`], [`Error::BadCountry`],
		/// [`Error::BadExpiry`], [`Error::TooManyAttestations`].
		#[pallet::call_index(4)]
		#[pallet::weight(T::WeightInfo::attest())]
		pub fn attest(
			origin: OriginFor<T>,
			subject: T::AccountId,
			level: u8,
			country: Country,
			expires_at: BlockNumberFor<T>,
			commitment: Hash,
		) -> DispatchResult {
			let registrar = ensure_signed(origin)?;
			Self::do_attest(registrar, subject, level, country, expires_at, commitment)
		}

		/// Takes an attestation back.
		///
		/// Who: the registrar that made it, appointed or not, or the attested account itself.
		///
		/// # Errors
		/// [`Error::NotAttested`].
		#[pallet::call_index(5)]
		#[pallet::weight(T::WeightInfo::revoke())]
		pub fn revoke(
			origin: OriginFor<T>,
			subject: T::AccountId,
			registrar: T::AccountId,
		) -> DispatchResult {
			let caller = ensure_signed(origin)?;
			ensure!(caller == subject || caller == registrar, Error::<T>::NotAttested);
			Self::do_revoke(subject, registrar)
		}

		/// Puts an account on the list of those that may enter no new business. Its withdrawals stay
		/// open.
		///
		/// Who: [`Config::RegistrarOrigin`].
		///
		/// # Errors
		/// [`Error::AlreadySanctioned`].
		#[pallet::call_index(6)]
		#[pallet::weight(T::WeightInfo::sanction())]
		pub fn sanction(origin: OriginFor<T>, who: T::AccountId, reason: Hash) -> DispatchResult {
			T::RegistrarOrigin::ensure_origin(origin)?;
			ensure!(!Sanctions::<T>::contains_key(&who), Error::<T>::AlreadySanctioned);
			let since = frame_system::Pallet::<T>::block_number();
			Sanctions::<T>::insert(&who, Sanction { since, reason });
			Self::deposit_event(Event::Sanctioned { who, reason });
			Ok(())
		}

		/// Takes an account off that list.
		///
		/// Who: [`Config::RegistrarOrigin`].
		///
		/// # Errors
		/// [`Error::NotSanctioned`].
		#[pallet::call_index(7)]
		#[pallet::weight(T::WeightInfo::lift())]
		pub fn lift(origin: OriginFor<T>, who: T::AccountId) -> DispatchResult {
			T::RegistrarOrigin::ensure_origin(origin)?;
			Sanctions::<T>::take(&who).ok_or(Error::<T>::NotSanctioned)?;
			Self::deposit_event(Event::SanctionLifted { who });
			Ok(())
		}
	}

	#[pallet::view_functions]
	impl<T: Config> Pallet<T> {
		/// The level that valid attestations state of an account now.
		pub fn level_of(who: T::AccountId) -> u8 {
			Self::level(&who)
		}

		/// Whether an account may enter new business in a role now.
		pub fn may_enter(who: T::AccountId, role: Role) -> bool {
			Self::admits(&who, role)
		}

		/// The level that a role requires now.
		pub fn required(role: Role) -> u8 {
			use sp_runtime::traits::Convert;
			T::Required::convert(role)
		}
	}
}
