// SPDX-License-Identifier: Apache-2.0

//! How slashes that were imposed are enacted or cancelled.

use crate::{
	BalanceOf, Config, CurrentEra, Error, Event, HoldReason, LedgerOf, Ledgers, Pallet,
	PendingSlashOf, Queue, SlashId, Slashes, Standing, Taken, WeightInfo, LOG_TARGET,
	SLASHES_PER_BLOCK,
};
use frame_support::{
	pallet_prelude::DispatchResult,
	storage::with_storage_layer,
	traits::{
		fungible::MutateHold,
		tokens::{Fortitude, Precision, Restriction},
		Get,
	},
	weights::Weight,
};
use sp_runtime::traits::{Saturating, Zero};
use tensornet_protocol::{Bonded, BurnCause, TokenPolicy};

impl<T: Config> Pallet<T> {
	/// Enacts the slashes whose time has come, in the order in which they were imposed, at most
	/// [`SLASHES_PER_BLOCK`]. Returns what that weighs.
	pub(crate) fn enact_due_slashes() -> Weight {
		let mut queue = Queue::<T>::get();
		let era = CurrentEra::<T>::get().index;
		let mut looked_at = 0u32;
		while looked_at < SLASHES_PER_BLOCK && queue.first < queue.next {
			let id = queue.first;
			match Slashes::<T>::get(id) {
				// The ones behind it were imposed later.
				Some(slash) if slash.due > era => break,
				Some(slash) => {
					Slashes::<T>::remove(id);
					Self::enact(id, slash);
				}
				// It was cancelled.
				None => (),
			}
			queue.first = id.saturating_add(1);
			looked_at = looked_at.saturating_add(1);
		}
		if looked_at > 0 {
			Queue::<T>::put(queue);
		}
		T::WeightInfo::enact_due_slashes(looked_at)
	}

	pub(crate) fn do_cancel_slash(id: SlashId) -> DispatchResult {
		let slash = Slashes::<T>::take(id).ok_or(Error::<T>::NoSuchSlash)?;
		let PendingSlashOf::<T> { validator, amount, .. } = slash;
		if let Some(mut ledger) = Ledgers::<T>::get(&validator) {
			ledger.pending = ledger.pending.saturating_sub(1);
			if ledger.pending == 0 {
				ledger.jail = None;
			}
			Self::keep_or_remove(validator.clone(), ledger);
		}
		Self::deposit_event(Event::SlashCancelled { id, validator, amount });
		Ok(())
	}

	fn enact(id: SlashId, slash: PendingSlashOf<T>) {
		let PendingSlashOf::<T> { validator, amount, reporter, .. } = slash;
		let Some(mut ledger) = Ledgers::<T>::get(&validator) else {
			log::error!(target: LOG_TARGET, "slash {id} names {validator:?}, who has no bond");
			return;
		};
		ledger.pending = ledger.pending.saturating_sub(1);
		let taken = Self::take_from_bond(&validator, &ledger, amount, reporter.as_ref());
		let before = ledger.bond;
		ledger.take(taken.total);
		Self::settle_place(&validator, &mut ledger, before);
		Self::keep_or_remove(validator.clone(), ledger);
		Self::deposit_event(Event::SlashEnacted { id, validator, taken });
	}

	/// Takes `amount` of what is held, at most all of it, and divides it between the reporter and the
	/// burn ledger. The caller reduces the record.
	fn take_from_bond(
		validator: &T::AccountId,
		ledger: &LedgerOf<T>,
		amount: BalanceOf<T>,
		reporter: Option<&T::AccountId>,
	) -> Taken<BalanceOf<T>> {
		let due = amount.min(ledger.held());
		let to_reporter = reporter.map_or_else(Zero::zero, |who| {
			Self::pay_from_bond(validator, who, T::ReporterShare::get().mul_floor(due))
		});
		let burned = T::Currency::burn_held(
			&HoldReason::ValidatorBond.into(),
			validator,
			due.saturating_sub(to_reporter),
			Precision::BestEffort,
			Fortitude::Force,
		)
		.unwrap_or_else(|error| {
			log::error!(target: LOG_TARGET, "cannot burn the bond of {validator:?}: {error:?}");
			Zero::zero()
		});
		T::Token::burned(BurnCause::Slash, burned);
		Taken { total: to_reporter.saturating_add(burned), burned, to_reporter }
	}

	/// Pays all of `amount` to `payee`, or nothing where it cannot receive it. Returns what was paid.
	fn pay_from_bond(
		validator: &T::AccountId,
		payee: &T::AccountId,
		amount: BalanceOf<T>,
	) -> BalanceOf<T> {
		if amount.is_zero() {
			return amount;
		}
		with_storage_layer(|| {
			T::Currency::transfer_on_hold(
				&HoldReason::ValidatorBond.into(),
				validator,
				payee,
				amount,
				Precision::Exact,
				Restriction::Free,
				Fortitude::Force,
			)
		})
		.unwrap_or_else(|_| Zero::zero())
	}

	/// Moves a candidate whose bond shrank to its place, or out of the ranking where too little is
	/// left. The caller writes `ledger` back.
	fn settle_place(validator: &T::AccountId, ledger: &mut LedgerOf<T>, before: BalanceOf<T>) {
		if ledger.standing != Standing::Candidate || ledger.bond == before {
			return;
		}
		let after = core::mem::replace(&mut ledger.bond, before);
		Self::stop_standing(validator, ledger);
		ledger.bond = after;
		if after >= T::MinBond::get() && Self::enter(validator, after).is_ok() {
			ledger.standing = Standing::Candidate;
		} else {
			Self::deposit_event(Event::Rested { stash: validator.clone() });
		}
	}
}
