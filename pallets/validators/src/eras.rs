// SPDX-License-Identifier: Apache-2.0

//! The clock of eras.

use crate::{
	Config, CurrentEra, Era, Event, NextKept, Pallet, Points, Sessions, TotalPoints, LOG_TARGET,
};
use frame_support::traits::Get;
use sp_staking::SessionIndex;
use tensornet_protocol::{EraIndex, Eras, OnEraEnd};

impl<T: Config> Eras for Pallet<T> {
	fn current() -> EraIndex {
		CurrentEra::<T>::get().index
	}
}

impl<T: Config> Pallet<T> {
	/// Whether session `index`, which is the running one or a later one, is in a later era than the
	/// running one.
	pub(crate) fn starts_era(index: SessionIndex) -> bool {
		let era = CurrentEra::<T>::get();
		index >= era.first_session.saturating_add(T::SessionsPerEra::get().max(1))
	}

	/// Begins the next era with session `session`, whose validators are in place.
	pub(crate) fn start_era(session: SessionIndex) {
		let ended = CurrentEra::<T>::get().index;
		let Some(index) = ended.checked_add(1) else {
			log::error!(target: LOG_TARGET, "no era follows {ended}");
			return;
		};
		let validators = Self::count(&T::Session::validators());
		CurrentEra::<T>::put(Era {
			index,
			first_session: session,
			validators,
			kept: NextKept::<T>::take(),
		});
		T::OnEraEnd::era_ended(ended);
		if let Some(lapsed) = ended.checked_sub(T::HistoryDepth::get()) {
			Self::forget_points(lapsed);
		}
		Self::deposit_event(Event::EraStarted { era: index, session, validators });
	}

	/// Removes what was not claimed for an era. As many accounts author in an era as it has validators
	/// at most.
	fn forget_points(era: EraIndex) {
		TotalPoints::<T>::remove(era);
		let left = Points::<T>::clear_prefix(era, T::MaxValidators::get(), None);
		if left.maybe_cursor.is_some() {
			log::error!(target: LOG_TARGET, "era {era} had more authors than a set has validators");
		}
	}
}
