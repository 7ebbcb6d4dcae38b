// SPDX-License-Identifier: Apache-2.0

//! What must always hold.

use crate::{pallet::*, BalanceOf, MemberNumber, QueueEnds};
use alloc::collections::BTreeSet;
use frame_support::{
	ensure,
	traits::fungible::{Inspect, InspectHold},
};
use sp_runtime::{
	traits::{Saturating, Zero},
	TryRuntimeError,
};
use tensornet_protocol::Eras;

impl<T: Config> Pallet<T> {
	/// Checks that
	///
	/// - every member has a number that was given out, and no two the same;
	/// - along every link numbers fall, and an account that a link means to a membership of the past
	///   has none or a later one: so there are no cycles;
	/// - nobody is its own sponsor;
	/// - what is held for a member is its deposit, and nothing is held for others;
	/// - no record is empty or from an era to come;
	/// - the queue holds exactly those whose records say so, each once, and everybody to whose
	///   ancestors something is owed; its pages lie between its ends;
	/// - the pot holds what is owed, beside the existential deposit.
	pub fn do_try_state() -> Result<(), TryRuntimeError> {
		Self::check_members()?;
		Self::check_holds()?;
		for record in Records::<T>::iter_values() {
			ensure!(!record.is_empty(), "a record without contributions is kept");
			ensure!(record.era <= T::Eras::current(), "a record is from an era to come");
		}
		Self::check_queue()?;
		Self::check_pot()
	}

	fn check_queue() -> Result<(), TryRuntimeError> {
		let mut waiting = BTreeSet::new();
		let QueueEnds { first, last } = QueueBounds::<T>::get();
		for (number, page) in Queue::<T>::iter() {
			ensure!(
				number.wrapping_sub(first) <= last.wrapping_sub(first),
				"a page lies outside the queue"
			);
			for who in page {
				ensure!(
					Records::<T>::get(&who).is_some_and(|record| record.queued),
					"the queue names an account whose record knows nothing of it"
				);
				ensure!(waiting.insert(who), "an account waits twice");
			}
		}
		for (who, record) in Records::<T>::iter() {
			ensure!(
				record.queued == waiting.contains(&who),
				"a record says that its account waits, and it does not"
			);
			ensure!(record.owed.is_zero() || record.queued, "what is owed is not in the queue");
		}
		Ok(())
	}

	fn check_pot() -> Result<(), TryRuntimeError> {
		let owed = Records::<T>::iter_values()
			.fold(BalanceOf::<T>::zero(), |sum, record| sum.saturating_add(record.owed));
		let least =
			if owed.is_zero() { owed } else { owed.saturating_add(T::Currency::minimum_balance()) };
		ensure!(
			T::Currency::balance(&Self::pot()) >= least,
			"the pot holds less than what is owed to ancestors"
		);
		Ok(())
	}

	fn check_members() -> Result<(), TryRuntimeError> {
		let next = NextNumber::<T>::get();
		let mut numbers = BTreeSet::<MemberNumber>::new();
		for (who, member) in Members::<T>::iter() {
			ensure!(member.number < next, "a member's number has not been given out");
			ensure!(numbers.insert(member.number), "two members have one number");
			let Some(sponsor) = member.sponsor else { continue };
			ensure!(sponsor.account != who, "a member is its own sponsor");
			ensure!(sponsor.number < member.number, "a sponsor is younger than whom it sponsors");
			if let Some(now) = Members::<T>::get(&sponsor.account) {
				ensure!(now.number >= sponsor.number, "a link means a membership that never was");
			}
		}
		Ok(())
	}

	fn check_holds() -> Result<(), TryRuntimeError> {
		let reason = HoldReason::Membership.into();
		for (who, member) in Members::<T>::iter() {
			ensure!(
				T::Currency::balance_on_hold(&reason, &who) == member.deposit,
				"what is held for a member is not its deposit"
			);
		}
		for who in frame_system::Account::<T>::iter_keys() {
			ensure!(
				Members::<T>::contains_key(&who)
					|| T::Currency::balance_on_hold(&reason, &who).is_zero(),
				"a deposit is held for an account that is no member"
			);
		}
		Ok(())
	}
}
