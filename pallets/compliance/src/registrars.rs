// SPDX-License-Identifier: Apache-2.0

//! The life of registrars and of what they attest.

use crate::{pallet::*, Attestation, Country, Registrar, Standing};
use frame_support::{
	ensure,
	storage::with_storage_layer,
	traits::{
		fungible::MutateHold,
		tokens::{Fortitude, Precision, Restriction},
		Get,
	},
};
use frame_system::pallet_prelude::BlockNumberFor;
use sp_runtime::{
	traits::{Saturating, Zero},
	DispatchResult, Permill,
};
use tensornet_protocol::{Hash, MAX_LEVEL};

impl<T: Config> Pallet<T> {
	pub(crate) fn do_apply(who: T::AccountId) -> DispatchResult {
		ensure!(!Registrars::<T>::contains_key(&who), Error::<T>::AlreadyRegistrar);
		let deposit = T::RegistrarDeposit::get();
		T::Currency::hold(&HoldReason::Registrar.into(), &who, deposit)?;
		Registrars::<T>::insert(&who, Registrar { deposit, standing: Standing::Applicant });
		Self::deposit_event(Event::RegistrarApplied { registrar: who, deposit });
		Ok(())
	}

	pub(crate) fn do_appoint(who: T::AccountId) -> DispatchResult {
		Registrars::<T>::try_mutate(&who, |entry| {
			let registrar = entry.as_mut().ok_or(Error::<T>::UnknownRegistrar)?;
			ensure!(registrar.standing == Standing::Applicant, Error::<T>::AlreadyRegistrar);
			registrar.standing = Standing::Appointed;
			Ok::<(), Error<T>>(())
		})?;
		Self::deposit_event(Event::RegistrarAppointed { registrar: who });
		Ok(())
	}

	/// Removes a registrar; the treasury keeps a part of the deposit, as far as it can receive it.
	pub(crate) fn remove_registrar(who: T::AccountId, keep: Permill) -> DispatchResult {
		let registrar = Registrars::<T>::take(&who).ok_or(Error::<T>::UnknownRegistrar)?;
		let reason = HoldReason::Registrar.into();
		let due = keep.mul_ceil(registrar.deposit);
		let kept = if due.is_zero() {
			Zero::zero()
		} else {
			with_storage_layer(|| {
				T::Currency::transfer_on_hold(
					&reason,
					&who,
					&T::Treasury::get(),
					due,
					Precision::Exact,
					Restriction::Free,
					Fortitude::Force,
				)
			})
			.unwrap_or_else(|_| Zero::zero())
		};
		let rest = registrar.deposit.saturating_sub(kept);
		let released = T::Currency::release(&reason, &who, rest, Precision::BestEffort)?;
		Self::deposit_event(Event::RegistrarGone { registrar: who, released, kept });
		Ok(())
	}

	pub(crate) fn do_attest(
		registrar: T::AccountId,
		subject: T::AccountId,
		level: u8,
		country: Country,
		expires_at: BlockNumberFor<T>,
		commitment: Hash,
	) -> DispatchResult {
		ensure!(Self::is_appointed(&registrar), Error::<T>::NotAppointed);
		ensure!(registrar != subject, Error::<T>::OwnAccount);
		ensure!((1..=MAX_LEVEL).contains(&level), Error::<T>::BadLevel);
		ensure!(country.is_well_formed(), Error::<T>::BadCountry);
		let now = frame_system::Pallet::<T>::block_number();
		let latest = now.saturating_add(T::MaxValidity::get());
		ensure!(expires_at > now && expires_at <= latest, Error::<T>::BadExpiry);
		Attestations::<T>::try_mutate(&subject, |all| {
			// What no longer counts makes room; the registrar's own is replaced.
			all.retain(|one| one.registrar != registrar && one.expires_at > now);
			all.try_push(Attestation {
				registrar: registrar.clone(),
				level,
				country,
				issued_at: now,
				expires_at,
				commitment,
			})
			.map_err(|_| Error::<T>::TooManyAttestations)
		})?;
		Self::deposit_event(Event::Attested { subject, registrar, level, country, expires_at });
		Ok(())
	}

	pub(crate) fn do_revoke(subject: T::AccountId, registrar: T::AccountId) -> DispatchResult {
		Attestations::<T>::try_mutate_exists(&subject, |entry| {
			let all = entry.as_mut().ok_or(Error::<T>::NotAttested)?;
			let before = all.len();
			all.retain(|one| one.registrar != registrar);
			ensure!(all.len() < before, Error::<T>::NotAttested);
			if all.is_empty() {
				*entry = None;
			}
			Ok::<(), Error<T>>(())
		})?;
		Self::deposit_event(Event::AttestationRevoked { subject, registrar });
		Ok(())
	}

	/// Whether what this account attests counts.
	pub(crate) fn is_appointed(who: &T::AccountId) -> bool {
		Registrars::<T>::get(who).is_some_and(|one| one.standing == Standing::Appointed)
	}
}
