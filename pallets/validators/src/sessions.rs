// SPDX-License-Identifier: Apache-2.0

//! The session pallet as seen from here, and this pallet as its manager.

use crate::{Config, Ledgers, Pallet};
use alloc::vec::Vec;
use frame_support::{
	dispatch::DispatchResult,
	traits::{Get, ValidatorRegistration},
	weights::Weight,
};
use frame_system::RawOrigin;
use pallet_session::{historical, WeightInfo as _};
use sp_runtime::Perbill;
use sp_staking::{offence::OffenceSeverity, SessionIndex};

/// What this pallet asks of the session pallet.
pub trait Sessions {
	/// Account, which is also the name of a validator.
	type AccountId;

	/// The validators of the running session.
	fn validators() -> Vec<Self::AccountId>;

	/// Whether `who` has session keys.
	fn has_keys(who: &Self::AccountId) -> bool;

	/// The validators of the next session.
	fn queued() -> Vec<Self::AccountId>;

	/// Forgets the session keys of `who` and returns their deposit, as the session pallet's own call does.
	fn purge_keys(who: Self::AccountId) -> DispatchResult;

	/// What reading both sets and purging keys weighs.
	fn purge_weight() -> Weight;

	/// Whether a validator has other keys than those with which the running session was planned.
	fn keys_changed() -> bool;

	/// Whether faults of `session` can be proven by the root of its validators' keys.
	fn has_root(session: SessionIndex) -> bool;

	/// Takes a validator of the running session out of its duties, as far as not too many are out.
	fn disable(who: Self::AccountId, severity: Perbill);

	/// Forgets the roots of sessions before `session`.
	fn forget_roots_before(session: SessionIndex);

	/// Gives `who` session keys of its own.
	#[cfg(feature = "runtime-benchmarks")]
	fn give_keys(who: &Self::AccountId);
}

impl<T> Sessions for pallet_session::Pallet<T>
where
	T: pallet_session::Config<ValidatorId = <T as frame_system::Config>::AccountId>
		+ historical::Config,
{
	type AccountId = T::AccountId;

	fn validators() -> Vec<Self::AccountId> {
		pallet_session::Pallet::<T>::validators()
	}

	fn has_keys(who: &Self::AccountId) -> bool {
		<Self as ValidatorRegistration<_>>::is_registered(who)
	}

	fn queued() -> Vec<Self::AccountId> {
		pallet_session::Pallet::<T>::queued_keys().into_iter().map(|(who, _)| who).collect()
	}

	fn purge_keys(who: Self::AccountId) -> DispatchResult {
		pallet_session::Pallet::<T>::purge_keys(RawOrigin::Signed(who).into())
	}

	fn purge_weight() -> Weight {
		<T as pallet_session::Config>::WeightInfo::purge_keys()
			.saturating_add(T::DbWeight::get().reads(2))
	}

	fn keys_changed() -> bool {
		pallet_session::Pallet::<T>::queued_keys()
			.into_iter()
			.any(|(who, keys)| pallet_session::Pallet::<T>::load_keys(&who) != Some(keys))
	}

	fn has_root(session: SessionIndex) -> bool {
		historical::HistoricalSessions::<T>::contains_key(session)
	}

	fn disable(who: Self::AccountId, severity: Perbill) {
		pallet_session::Pallet::<T>::report_offence(who, OffenceSeverity(severity));
	}

	fn forget_roots_before(session: SessionIndex) {
		historical::Pallet::<T>::prune_up_to(session);
	}

	#[cfg(feature = "runtime-benchmarks")]
	fn give_keys(who: &Self::AccountId) {
		use codec::{Decode, Encode};
		use pallet_session::SessionInterface;
		use sp_runtime::traits::{Hash, TrailingZeroInput};
		let mut seed = T::Hashing::hash_of(&(b"first", who)).encode();
		seed.extend(T::Hashing::hash_of(&(b"second", who)).encode());
		let keys = T::Keys::decode(&mut TrailingZeroInput::new(&seed)).expect("any bytes are keys");
		<Self as SessionInterface>::set_keys(who, keys).expect("the keys are new");
	}
}

impl<T: Config> pallet_session::SessionManager<T::AccountId> for Pallet<T> {
	fn new_session(index: SessionIndex) -> Option<Vec<T::AccountId>> {
		Self::plan_session(index)
	}

	/// The session pallet's own genesis names the first two sets.
	fn new_session_genesis(_: SessionIndex) -> Option<Vec<T::AccountId>> {
		None
	}

	fn start_session(index: SessionIndex) {
		if Self::starts_era(index) {
			Self::start_era(index);
		}
		for validator in T::Session::validators() {
			let jail = Ledgers::<T>::get(&validator).filter(|ledger| ledger.equivocated());
			if let Some(jail) = jail.and_then(|ledger| ledger.jail) {
				T::Session::disable(validator, jail.severity);
			}
		}
	}

	fn end_session(index: SessionIndex) {
		if Self::starts_era(index.saturating_add(1)) {
			Self::judge_silence(index);
		}
		if let Some(oldest) = index.checked_sub(T::ReportableSessions::get()) {
			T::Session::forget_roots_before(oldest);
			oldest.checked_sub(1).into_iter().for_each(Self::forget_faults_of);
		}
	}
}

impl<T: Config> historical::SessionManager<T::AccountId, ()> for Pallet<T> {
	fn new_session(index: SessionIndex) -> Option<Vec<(T::AccountId, ())>> {
		let set = <Self as pallet_session::SessionManager<_>>::new_session(index)?;
		Some(set.into_iter().map(|validator| (validator, ())).collect())
	}

	fn new_session_genesis(_: SessionIndex) -> Option<Vec<(T::AccountId, ())>> {
		None
	}

	fn start_session(index: SessionIndex) {
		<Self as pallet_session::SessionManager<_>>::start_session(index)
	}

	fn end_session(index: SessionIndex) {
		<Self as pallet_session::SessionManager<_>>::end_session(index)
	}
}
