// SPDX-License-Identifier: Apache-2.0

//! What accounts contributed, how it decays, and what it weighs.

use crate::{pallet::*, BalanceOf, Contributions, Record};
use frame_support::{
	ensure,
	traits::{Contains, Get, OnKilledAccount},
};
use sp_runtime::{
	traits::{CheckedShr, Saturating},
	DispatchResult,
};
use tensornet_protocol::{EraIndex, Eras};

impl<T: Config> Pallet<T> {
	/// What `who` has contributed, decayed to the current era.
	pub(crate) fn contributions_of(who: &T::AccountId) -> Contributions<BalanceOf<T>> {
		Records::<T>::get(who)
			.map_or_else(Contributions::default, |record| Self::decayed(record, T::Eras::current()))
	}

	/// The amounts of a record in era `now`. What jobs contributed halves, rounded down, whenever the
	/// number of an era is a multiple of the half-life: in the same era for everybody, so that it does
	/// not matter how often a record was touched in between.
	fn decayed(record: Record<BalanceOf<T>>, now: EraIndex) -> Contributions<BalanceOf<T>> {
		let period = |era: EraIndex| era.checked_div(T::HalfLife::get()).unwrap_or_default();
		let halvings = period(now).saturating_sub(period(record.era));
		// A shift by all its bits or more leaves nothing of an amount.
		let halve = |amount: BalanceOf<T>| amount.checked_shr(halvings).unwrap_or_default();
		let Contributions { node, developer, investor, user } = record.amounts;
		Contributions {
			node: halve(node),
			developer: halve(developer),
			investor,
			user: halve(user),
		}
	}

	/// Changes what `who` has contributed. A record without any amount is not kept.
	pub(crate) fn change(
		who: &T::AccountId,
		change: impl FnOnce(&mut Contributions<BalanceOf<T>>),
	) {
		let mut amounts = Self::contributions_of(who);
		change(&mut amounts);
		if amounts.is_empty() {
			Records::<T>::remove(who);
		} else {
			Records::<T>::insert(who, Record { era: T::Eras::current(), amounts });
		}
	}

	/// What the contributions of `who` weigh in the current era.
	pub(crate) fn weight_of(who: &T::AccountId) -> BalanceOf<T> {
		let Contributions { node, developer, investor, user } = Self::contributions_of(who);
		T::StakeFactor::get()
			.mul_floor(investor)
			.saturating_add(node)
			.saturating_add(developer)
			.saturating_add(user)
	}

	/// Whether the contributions of `who` reach the threshold of activity.
	pub(crate) fn weighs_enough(who: &T::AccountId) -> bool {
		Self::weight_of(who) >= T::ActiveWeight::get()
	}

	/// Whether a member shares in what its descendants contribute.
	pub(crate) fn is_active(member: &T::AccountId) -> bool {
		Self::weighs_enough(member) && !T::Barred::contains(member)
	}

	/// Removes a record of which nothing is left.
	pub(crate) fn do_clear(who: T::AccountId) -> DispatchResult {
		ensure!(
			Records::<T>::contains_key(&who) && Self::contributions_of(&who).is_empty(),
			Error::<T>::NothingToClear
		);
		Records::<T>::remove(&who);
		Self::deposit_event(Event::RecordCleared { who });
		Ok(())
	}
}

impl<T: Config> OnKilledAccount<T::AccountId> for Pallet<T> {
	/// A record lives as long as the account whose existential deposit pays for it.
	fn on_killed_account(who: &T::AccountId) {
		Records::<T>::remove(who);
	}
}
