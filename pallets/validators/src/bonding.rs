// SPDX-License-Identifier: Apache-2.0

//! How a bond grows, unbonds and leaves.

use crate::{
	BalanceOf, Config, Error, Event, HoldReason, LedgerOf, Ledgers, Pallet, Standing, MAX_UNBONDING,
};
use frame_support::{
	ensure,
	pallet_prelude::DispatchResult,
	traits::{fungible::MutateHold, tokens::Precision, Get},
};
use frame_system::pallet_prelude::BlockNumberFor;
use sp_runtime::{
	traits::{CheckedAdd, CheckedSub, Saturating, Zero},
	ArithmeticError,
};
use tensornet_protocol::Bonded;

impl<T: Config> Pallet<T> {
	pub(crate) fn do_bond_more(stash: T::AccountId, amount: BalanceOf<T>) -> DispatchResult {
		ensure!(!amount.is_zero(), Error::<T>::ZeroAmount);
		let ledger = Self::staying(&stash)?;
		let bond = ledger.bond.checked_add(&amount).ok_or(ArithmeticError::Overflow)?;
		T::Currency::hold(&HoldReason::ValidatorBond.into(), &stash, amount)?;
		Self::set_bond(&stash, ledger, bond)?;
		Self::deposit_event(Event::Bonded { stash, amount, bond });
		Ok(())
	}

	pub(crate) fn do_unbond(stash: T::AccountId, amount: BalanceOf<T>) -> DispatchResult {
		ensure!(!amount.is_zero(), Error::<T>::ZeroAmount);
		let mut ledger = Self::staying(&stash)?;
		let bond = ledger
			.bond
			.checked_sub(&amount)
			.filter(|left| *left >= T::MinBond::get())
			.ok_or(Error::<T>::BondTooSmall)?;
		// One place stays free, so that everybody can always leave.
		let places = MAX_UNBONDING.saturating_sub(1);
		Self::start_unbonding(&stash, &mut ledger, amount, places)?;
		Self::set_bond(&stash, ledger, bond)
	}

	pub(crate) fn do_withdraw_unbonded(stash: T::AccountId) -> DispatchResult {
		let mut ledger = Ledgers::<T>::get(&stash).ok_or(Error::<T>::NotRegistered)?;
		// What a slash is about to take must still be there when its time comes.
		ensure!(ledger.pending == 0, Error::<T>::SlashPending);
		let amount = ledger.take_unlocked(frame_system::Pallet::<T>::block_number());
		ensure!(!amount.is_zero(), Error::<T>::NothingUnlocked);
		T::Currency::release(&HoldReason::ValidatorBond.into(), &stash, amount, Precision::Exact)?;
		Self::deposit_event(Event::Withdrawn { stash: stash.clone(), amount });
		Self::keep_or_remove(stash, ledger);
		Ok(())
	}

	/// Moves the whole bond of a candidate that leaves into one chunk.
	pub(crate) fn unbond_everything(
		stash: &T::AccountId,
		ledger: &mut LedgerOf<T>,
	) -> DispatchResult {
		let bond = core::mem::take(&mut ledger.bond);
		if bond.is_zero() {
			return Ok(());
		}
		Self::start_unbonding(stash, ledger, bond, MAX_UNBONDING)
	}

	/// Writes the record back, or removes it where nothing is held for one that left and nothing waits.
	pub(crate) fn keep_or_remove(stash: T::AccountId, ledger: LedgerOf<T>) {
		let over =
			ledger.standing == Standing::Leaving && ledger.held().is_zero() && ledger.pending == 0;
		if over {
			Ledgers::<T>::remove(&stash);
			Self::deposit_event(Event::Removed { stash });
		} else {
			Ledgers::<T>::insert(&stash, ledger);
		}
	}

	/// Writes a record back with another bond, and moves a candidate to its place.
	fn set_bond(
		stash: &T::AccountId,
		mut ledger: LedgerOf<T>,
		bond: BalanceOf<T>,
	) -> DispatchResult {
		if ledger.standing == Standing::Candidate {
			Self::move_to(stash, ledger.bond, bond)?;
		}
		ledger.bond = bond;
		Ledgers::<T>::insert(stash, ledger);
		Ok(())
	}

	fn start_unbonding(
		stash: &T::AccountId,
		ledger: &mut LedgerOf<T>,
		amount: BalanceOf<T>,
		places: u32,
	) -> DispatchResult {
		let now: BlockNumberFor<T> = frame_system::Pallet::<T>::block_number();
		let unlock_at = now.saturating_add(T::UnbondingPeriod::get());
		ensure!(ledger.push_chunk(amount, unlock_at, places), Error::<T>::TooManyChunks);
		Self::deposit_event(Event::Unbonded { stash: stash.clone(), amount, unlock_at });
		Ok(())
	}
}
