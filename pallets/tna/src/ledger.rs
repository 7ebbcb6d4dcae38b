// SPDX-License-Identifier: Apache-2.0

//! What is destroyed and what is minted.

use crate::{BalanceOf, Burned, Config, Emitted, Error, Event, Pallet};
use frame_support::{
	ensure,
	pallet_prelude::DispatchResult,
	traits::{
		fungible::{Inspect, Mutate},
		tokens::{Fortitude, Precision, Preservation},
		Get,
	},
};
use sp_runtime::traits::{CheckedAdd, Saturating, Zero};
use tensornet_protocol::BurnCause;

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

	/// Adds a burn to its cause's total. The tokens are already destroyed.
	pub(crate) fn record(cause: BurnCause, amount: BalanceOf<T>) {
		if !amount.is_zero() {
			Burned::<T>::mutate(cause, |total| total.saturating_accrue(amount));
		}
	}

	/// Mints `amount` to `to`. This is the chain's only way to mint.
	///
	/// Errors: [`Error::SupplyExhausted`] where the issuance would rise above
	/// [`Config::MaxSupply`]; the currency's own where `to` cannot receive so little.
	pub fn emit(to: &T::AccountId, amount: BalanceOf<T>) -> DispatchResult {
		let issuance = T::Currency::total_issuance()
			.checked_add(&amount)
			.ok_or(Error::<T>::SupplyExhausted)?;
		ensure!(issuance <= T::MaxSupply::get(), Error::<T>::SupplyExhausted);
		let amount = T::Currency::mint_into(to, amount)?;
		Emitted::<T>::mutate(|total| total.saturating_accrue(amount));
		Self::deposit_event(Event::Emitted { to: to.clone(), amount });
		Ok(())
	}
}
