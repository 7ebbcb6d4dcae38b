// SPDX-License-Identifier: Apache-2.0

//! What accounts contributed, how it decays, and what it weighs.

use crate::{pallet::*, BalanceOf, Contributions, Record};
use frame_support::{
	ensure,
	traits::{Contains, Get, OnKilledAccount},
};
use sp_runtime::{
	traits::{CheckedShr, Saturating, Zero},
	DispatchResult,
};
use tensornet_protocol::{EraIndex, Eras};

impl<T: Config> Pallet<T> {
	/// What `who` has contributed, decayed to the current era.
	pub(crate) fn contributions_of(who: &T::AccountId) -> Contributions<BalanceOf<T>> {
		Self::record_of(who).amounts
	}

	/// The record of `who`, its amounts decayed to the current era; an empty one where it has none.
	pub(crate) fn record_of(who: &T::AccountId) -> Record<BalanceOf<T>> {
		let era = T::Eras::current();
		match Records::<T>::get(who) {
			Some(record) => Record { era, amounts: Self::decayed(&record, era), ..record },
			None => {
				Record { era, amounts: Contributions::default(), owed: Zero::zero(), queued: false }
			}
		}
	}

	/// Stores a record of the current era. One without anything is not kept.
	pub(crate) fn store(who: &T::AccountId, record: Record<BalanceOf<T>>) {
		if record.is_empty() {
			Records::<T>::remove(who);
		} else {
			Records::<T>::insert(who, record);
		}
	}

	/// The amounts of a record in era `now`. What jobs contributed halves, rounded down, whenever the
	/// number of an era is a multiple of the half-life: in the same era for everybody, so that it does
	/// not matter how often a record was touched in between.
	fn decayed(record: &Record<BalanceOf<T>>, now: EraIndex) -> Contributions<BalanceOf<T>> {
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

	/// Changes what `who` has contributed. A record without anything is not kept.
	pub(crate) fn change(
		who: &T::AccountId,
		change: impl FnOnce(&mut Contributions<BalanceOf<T>>),
	) {
		let mut record = Self::record_of(who);
		change(&mut record.amounts);
		Self::store(who, record);
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
			Records::<T>::contains_key(&who) && Self::record_of(&who).is_empty(),
			Error::<T>::NothingToClear
		);
		Records::<T>::remove(&who);
		Self::deposit_event(Event::RecordCleared { who });
		Ok(())
	}
}

impl<T: Config> OnKilledAccount<T::AccountId> for Pallet<T> {
	/// Contributions are kept as long as the account whose existential deposit pays for their record.
	/// What waits for ancestors stays theirs.
	fn on_killed_account(who: &T::AccountId) {
		if let Some(record) = Records::<T>::get(who) {
			Self::store(who, Record { amounts: Contributions::default(), ..record });
		}
	}
}
