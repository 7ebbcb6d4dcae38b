// SPDX-License-Identifier: Apache-2.0

//! What must always hold.

use crate::pallet::*;
use frame_support::{ensure, traits::fungible::InspectHold};
use sp_runtime::{traits::Zero, TryRuntimeError};
use tensornet_protocol::MAX_LEVEL;

impl<T: Config> Pallet<T> {
	/// Checks that
	///
	/// - what is held for a registrar is its deposit, and nothing is held for others;
	/// - no account has an empty list, or two attestations of one registrar;
	/// - every attestation has a level there is, a country of the right form, and expires after it was
	///   issued.
	pub fn do_try_state() -> Result<(), TryRuntimeError> {
		let reason = HoldReason::Registrar.into();
		for (who, registrar) in Registrars::<T>::iter() {
			ensure!(
				T::Currency::balance_on_hold(&reason, &who) == registrar.deposit,
				"what is held for a registrar is not its deposit"
			);
		}
		for who in frame_system::Account::<T>::iter_keys() {
			ensure!(
				Registrars::<T>::contains_key(&who)
					|| T::Currency::balance_on_hold(&reason, &who).is_zero(),
				"a deposit is held for an account that is no registrar"
			);
		}
		for (_, all) in Attestations::<T>::iter() {
			ensure!(!all.is_empty(), "an empty list of attestations is stored");
			for (position, one) in all.iter().enumerate() {
				ensure!((1..=MAX_LEVEL).contains(&one.level), "a level is out of range");
				ensure!(one.country.is_well_formed(), "a country is none");
				ensure!(one.expires_at > one.issued_at, "an attestation never counted");
				ensure!(
					all.iter()
						.skip(position.saturating_add(1))
						.all(|other| other.registrar != one.registrar),
					"a registrar attests an account twice"
				);
			}
		}
		Ok(())
	}
}
