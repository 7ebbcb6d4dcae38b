// SPDX-License-Identifier: Apache-2.0

//! What is destroyed, and why.

use crate::{BalanceOf, Burned, Config, EraJobBurn, Error, Event, Pallet};
use frame_support::{
	ensure,
	pallet_prelude::DispatchResult,
	traits::{
		fungible::Mutate,
		tokens::{Fortitude, Precision, Preservation},
	},
};
use sp_runtime::traits::{Saturating, Zero};
use tensornet_protocol::{BurnCause, Eras};

impl<T: Config> Pallet<T> {
	/// Burns `amount` of `who`'s tokens; the account stays alive.
	pub(crate) fn do_burn(who: T::AccountId, amount: BalanceOf<T>) -> DispatchResult {
		ensure!(!amount.is_zero(), Error::<T>::ZeroAmount);
		let amount = T::Currency::burn_from(
			&who,
			amount,
			Preservation::Preserve,
			Precision::Exact,
			Fortitude::Polite,
		)?;
		Self::record(BurnCause::Voluntary, amount);
		Self::deposit_event(Event::Burned { cause: BurnCause::Voluntary, amount, who: Some(who) });
		Ok(())
	}

	/// Adds a burn to its cause's total, and one for a job to what the era's nodes may receive for.
	/// The tokens are already destroyed.
	pub(crate) fn record(cause: BurnCause, amount: BalanceOf<T>) {
		if amount.is_zero() {
			return;
		}
		Burned::<T>::mutate(cause, |total| total.saturating_accrue(amount));
		if cause == BurnCause::Job {
			EraJobBurn::<T>::mutate(T::Eras::current(), |total| total.saturating_accrue(amount));
		}
	}
}
