// SPDX-License-Identifier: Apache-2.0

//! What must always hold.

use crate::{BalanceOf, Burned, Config, Emitted, GenesisIssuance, Pallet};
use frame_support::{
	ensure,
	traits::{fungible::Inspect, Get},
};
use sp_runtime::{
	traits::{CheckedAdd, Zero},
	TryRuntimeError,
};

impl<T: Config> Pallet<T> {
	/// Checks the invariants of the token:
	///
	/// - what is issued plus what was burned is what existed at genesis plus what was minted;
	/// - the issuance is at most the cap;
	/// - no cause stands in the ledger with nothing burned;
	/// - the shares of a job's price, and those of a fee, are at most the whole.
	pub fn do_try_state() -> Result<(), TryRuntimeError> {
		let mut burned = BalanceOf::<T>::zero();
		for amount in Burned::<T>::iter_values() {
			ensure!(!amount.is_zero(), "a cause stands in the burn ledger with nothing burned");
			burned = burned.checked_add(&amount).ok_or("the burn ledger overflows")?;
		}
		let issuance = T::Currency::total_issuance();
		let accounted = issuance.checked_add(&burned).ok_or("issued plus burned overflows")?;
		let created = GenesisIssuance::<T>::get()
			.checked_add(&Emitted::<T>::get())
			.ok_or("genesis plus emitted overflows")?;
		ensure!(accounted == created, "issued plus burned is not genesis plus emitted");
		ensure!(issuance <= T::MaxSupply::get(), "the issuance is above the cap");

		let fits = |shares: &[u32]| shares.iter().sum::<u32>() <= 1_000_000;
		let job = [
			T::JobBurn::get().deconstruct(),
			T::JobTreasury::get().deconstruct(),
			T::JobAuthor::get().deconstruct(),
		];
		ensure!(fits(&job), "the shares of a job's price are more than the whole");
		let fee = [T::FeeBurn::get().deconstruct(), T::FeeTreasury::get().deconstruct()];
		ensure!(fits(&fee), "the shares of a fee are more than the whole");
		Ok(())
	}
}
