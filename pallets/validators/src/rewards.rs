// SPDX-License-Identifier: Apache-2.0

//! What authored blocks earn.

use crate::{BalanceOf, Config, CurrentEra, Error, Event, Pallet, Points, TotalPoints, WeightInfo};
use frame_support::{dispatch::DispatchClass, ensure, pallet_prelude::DispatchResult, traits::Get};
use frame_system::pallet_prelude::BlockNumberFor;
use sp_runtime::{traits::Zero, Perbill};
use tensornet_protocol::{Emission, EraIndex, RewardReason};

impl<T: Config> pallet_authorship::EventHandler<T::AccountId, BlockNumberFor<T>> for Pallet<T> {
	fn note_author(author: T::AccountId) {
		let era = CurrentEra::<T>::get().index;
		Points::<T>::mutate(era, author, |points| *points = points.saturating_add(1));
		TotalPoints::<T>::mutate(era, |points| *points = points.saturating_add(1));
		// Authorship charges nothing for this.
		frame_system::Pallet::<T>::register_extra_weight_unchecked(
			T::WeightInfo::note_author(),
			DispatchClass::Mandatory,
		);
	}
}

impl<T: Config> Pallet<T> {
	pub(crate) fn do_claim(validator: T::AccountId, era: EraIndex) -> DispatchResult {
		ensure!(era < CurrentEra::<T>::get().index, Error::<T>::EraNotOver);
		let points = Points::<T>::get(era, &validator);
		ensure!(points > 0, Error::<T>::NothingToClaim);
		let share = Self::share(era, points);
		ensure!(!share.is_zero(), Error::<T>::NothingToPay);
		let amount =
			T::Emission::mint(era, &validator, share, RewardReason::Validation, Some(&validator));
		ensure!(!amount.is_zero(), Error::<T>::NothingToPay);
		Points::<T>::remove(era, &validator);
		Self::deposit_event(Event::RewardPaid { validator, era, points, amount });
		Ok(())
	}

	/// The part of an era's budget that `points` earn, rounded down: all parts together are at most
	/// the budget.
	pub(crate) fn share(era: EraIndex, points: u32) -> BalanceOf<T> {
		let total = TotalPoints::<T>::get(era);
		Perbill::from_rational(points, total).mul_floor(T::Emission::validator_budget(era))
	}

	/// The first era whose rewards can still be claimed.
	pub(crate) fn oldest_claimable() -> EraIndex {
		let last = CurrentEra::<T>::get().index.saturating_sub(1);
		last.saturating_sub(T::HistoryDepth::get().saturating_sub(1))
	}
}
