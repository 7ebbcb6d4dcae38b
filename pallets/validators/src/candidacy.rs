// SPDX-License-Identifier: Apache-2.0

//! Who stands for election.

use crate::{
	BalanceOf, Config, CurrentEra, Error, Event, Fault, HoldReason, Ledger, LedgerOf, Ledgers,
	Pallet, Ranking, SeatOf, Sessions, Standing, LOG_TARGET,
};
use frame_support::{
	ensure,
	pallet_prelude::DispatchResult,
	traits::{fungible::MutateHold, Get},
};
use sp_runtime::DispatchError;

impl<T: Config> Pallet<T> {
	pub(crate) fn do_register_candidate(stash: T::AccountId, bond: BalanceOf<T>) -> DispatchResult {
		ensure!(bond >= T::MinBond::get(), Error::<T>::BondTooSmall);
		ensure!(T::Session::has_keys(&stash), Error::<T>::NoKeys);
		let ledger = match Ledgers::<T>::get(&stash) {
			None => Ledger::default(),
			Some(old) if old.standing == Standing::Leaving => old,
			Some(_) => return Err(Error::<T>::AlreadyRegistered.into()),
		};
		Self::ensure_free(&ledger)?;
		Self::ensure_place(bond)?;
		T::Currency::hold(&HoldReason::ValidatorBond.into(), &stash, bond)?;
		Self::enter(&stash, bond)?;
		let ledger = Ledger { bond, standing: Standing::Candidate, jail: None, ..ledger };
		Ledgers::<T>::insert(&stash, ledger);
		Self::deposit_event(Event::CandidateRegistered { stash, bond });
		Ok(())
	}

	pub(crate) fn do_chill(stash: T::AccountId) -> DispatchResult {
		let mut ledger = Ledgers::<T>::get(&stash).ok_or(Error::<T>::NotRegistered)?;
		ensure!(ledger.standing == Standing::Candidate, Error::<T>::NotStanding);
		Self::stop_standing(&stash, &mut ledger);
		Ledgers::<T>::insert(&stash, ledger);
		Self::deposit_event(Event::Rested { stash });
		Ok(())
	}

	pub(crate) fn do_stand(stash: T::AccountId) -> DispatchResult {
		let mut ledger = Self::staying(&stash)?;
		ensure!(ledger.standing == Standing::Resting, Error::<T>::AlreadyStanding);
		Self::ensure_free(&ledger)?;
		ensure!(T::Session::has_keys(&stash), Error::<T>::NoKeys);
		ensure!(ledger.bond >= T::MinBond::get(), Error::<T>::BondTooSmall);
		Self::enter(&stash, ledger.bond)?;
		ledger.standing = Standing::Candidate;
		ledger.jail = None;
		Ledgers::<T>::insert(&stash, ledger);
		Self::deposit_event(Event::Stood { stash });
		Ok(())
	}

	pub(crate) fn do_leave(stash: T::AccountId) -> DispatchResult {
		let mut ledger = Self::staying(&stash)?;
		Self::stop_standing(&stash, &mut ledger);
		ledger.standing = Standing::Leaving;
		Self::deposit_event(Event::Left { stash: stash.clone() });
		Self::unbond_everything(&stash, &mut ledger)?;
		Self::keep_or_remove(stash, ledger);
		Ok(())
	}

	/// The record of a stash that is not leaving.
	pub(crate) fn staying(stash: &T::AccountId) -> Result<LedgerOf<T>, DispatchError> {
		let ledger = Ledgers::<T>::get(stash).ok_or(Error::<T>::NotRegistered)?;
		ensure!(ledger.standing != Standing::Leaving, Error::<T>::Leaving);
		Ok(ledger)
	}

	/// Whether no fault keeps the stash from standing.
	fn ensure_free(ledger: &LedgerOf<T>) -> DispatchResult {
		let Some(jail) = ledger.jail else { return Ok(()) };
		ensure!(CurrentEra::<T>::get().index >= jail.until, Error::<T>::InJail);
		// A host that was only offline does not wait for its small slash.
		ensure!(jail.fault == Fault::Silence || ledger.pending == 0, Error::<T>::SlashPending);
		Ok(())
	}

	/// Takes the stash out of the ranking if it is there. The caller writes `ledger` back.
	pub(crate) fn stop_standing(stash: &T::AccountId, ledger: &mut LedgerOf<T>) {
		if ledger.standing == Standing::Candidate {
			Self::give_up(stash, ledger.bond);
			ledger.standing = Standing::Resting;
		}
	}

	/// Moves a candidate to its place with another stake.
	pub(crate) fn move_to(
		stash: &T::AccountId,
		old: BalanceOf<T>,
		new: BalanceOf<T>,
	) -> DispatchResult {
		Self::give_up(stash, old);
		Self::enter(stash, new)
	}

	/// Whether there is a place for `stake`: a free one, or one with a smaller stake.
	fn ensure_place(stake: BalanceOf<T>) -> DispatchResult {
		let ranking = Ranking::<T>::get();
		let found =
			!ranking.is_full() || ranking.first().is_some_and(|lowest| lowest.stake < stake);
		ensure!(found, Error::<T>::Outbid);
		Ok(())
	}

	/// Takes a place. Where none is free the smallest stake loses its own, if it is smaller than
	/// `stake`.
	pub(crate) fn enter(stash: &T::AccountId, stake: BalanceOf<T>) -> DispatchResult {
		let seat = SeatOf::<T> { stake, stash: stash.clone() };
		Self::ensure_place(stake)?;
		let outranked = Ranking::<T>::try_mutate(|ranking| {
			let full = ranking.is_full() && !ranking.is_empty();
			let outranked = full.then(|| ranking.remove(0).stash);
			let place = ranking.partition_point(|other| *other < seat);
			ranking.try_insert(place, seat).map_err(|_| Error::<T>::Outbid)?;
			Ok::<_, DispatchError>(outranked)
		})?;
		if let Some(stash) = outranked {
			Ledgers::<T>::mutate_extant(&stash, |ledger| ledger.standing = Standing::Resting);
			Self::deposit_event(Event::Outranked { stash });
		}
		Ok(())
	}

	/// Gives a place up.
	fn give_up(stash: &T::AccountId, stake: BalanceOf<T>) {
		let seat = SeatOf::<T> { stake, stash: stash.clone() };
		Ranking::<T>::mutate(|ranking| match ranking.binary_search(&seat) {
			Ok(place) => {
				ranking.remove(place);
			}
			Err(_) => log::error!(target: LOG_TARGET, "{stash:?} is not in the ranking"),
		});
	}
}
