// SPDX-License-Identifier: Apache-2.0

//! What must always hold.

use crate::{
	Config, CurrentEra, HoldReason, LedgerOf, Ledgers, Pallet, Points, Queue, Ranking, Reporting,
	SeatOf, Slashes, Standing, TotalPoints,
};
use alloc::collections::btree_map::BTreeMap;
use frame_support::{
	ensure,
	traits::{fungible::InspectHold, Get},
};
use sp_runtime::{traits::Zero, TryRuntimeError};
use tensornet_protocol::Bonded;

impl<T: Config> Pallet<T> {
	/// Checks the invariants of the pallet:
	///
	/// - what is held for a stash is its bond and its unbonding chunks, and nothing is held for an
	///   account without a record;
	/// - no chunk is empty, and chunks unlock in order;
	/// - one that left has no bond, and still unbonds something or waits for a slash;
	/// - no candidate is in jail; the ranking holds the candidates and nobody else, each with its
	///   bond, in order;
	/// - a record counts the slashes that wait for its stash, and each of those has a place in the
	///   queue;
	/// - an era's points are at most its blocks, and no era that has not begun or has lapsed has any;
	/// - nothing is being reported between two calls.
	pub fn do_try_state() -> Result<(), TryRuntimeError> {
		for (stash, ledger) in Ledgers::<T>::iter() {
			Self::check_ledger(&stash, &ledger)?;
		}
		for who in frame_system::Account::<T>::iter_keys() {
			ensure!(
				Ledgers::<T>::contains_key(&who)
					|| T::Currency::balance_on_hold(&HoldReason::ValidatorBond.into(), &who)
						.is_zero(),
				"funds are held for an account without a record"
			);
		}
		Self::check_ranking()?;
		Self::check_slashes()?;
		Self::check_points()?;
		ensure!(!Reporting::<T>::exists(), "a report of the pallet's own did not end");
		Ok(())
	}

	fn check_ledger(stash: &T::AccountId, ledger: &LedgerOf<T>) -> Result<(), TryRuntimeError> {
		ensure!(
			T::Currency::balance_on_hold(&HoldReason::ValidatorBond.into(), stash) == ledger.held(),
			"what is held is not the bond and what unbonds"
		);
		ensure!(
			ledger.unbonding.iter().all(|chunk| !chunk.amount.is_zero()),
			"an unbonding chunk is empty"
		);
		ensure!(
			ledger.unbonding.iter().is_sorted_by_key(|chunk| chunk.unlock_at),
			"unbonding chunks are out of order"
		);
		match ledger.standing {
			Standing::Candidate => ensure!(ledger.jail.is_none(), "a candidate is in jail"),
			Standing::Leaving => {
				ensure!(ledger.bond.is_zero(), "one that left has a bond");
				ensure!(
					!ledger.unbonding.is_empty() || ledger.pending > 0,
					"one that left and holds nothing has a record"
				);
			}
			Standing::Resting => (),
		}
		Ok(())
	}

	fn check_ranking() -> Result<(), TryRuntimeError> {
		let ranking = Ranking::<T>::get();
		ensure!(ranking.is_sorted(), "the ranking is out of order");
		for SeatOf::<T> { stake, stash } in &ranking {
			ensure!(
				Ledgers::<T>::get(stash).is_some_and(|ledger| {
					ledger.standing == Standing::Candidate && ledger.bond == *stake
				}),
				"a place in the ranking is not its candidate's"
			);
		}
		let candidates = Ledgers::<T>::iter_values()
			.filter(|ledger| ledger.standing == Standing::Candidate)
			.count();
		ensure!(candidates == ranking.len(), "a candidate has no place, or more than one");
		Ok(())
	}

	fn check_slashes() -> Result<(), TryRuntimeError> {
		let queue = Queue::<T>::get();
		let mut waiting = BTreeMap::<T::AccountId, u32>::new();
		for (id, slash) in Slashes::<T>::iter() {
			ensure!((queue.first..queue.next).contains(&id), "a slash waits outside of the queue");
			let count = waiting.entry(slash.validator).or_default();
			*count = count.saturating_add(1);
		}
		for (stash, ledger) in Ledgers::<T>::iter() {
			ensure!(
				waiting.remove(&stash).unwrap_or(0) == ledger.pending,
				"a record does not count the slashes that wait for it"
			);
		}
		ensure!(waiting.is_empty(), "a slash waits for an account without a record");
		Ok(())
	}

	fn check_points() -> Result<(), TryRuntimeError> {
		let now = CurrentEra::<T>::get().index;
		let oldest = now.saturating_sub(T::HistoryDepth::get());
		let mut sums = BTreeMap::<_, u32>::new();
		for (era, _, points) in Points::<T>::iter() {
			ensure!((oldest..=now).contains(&era), "an era that is not kept has points");
			let sum = sums.entry(era).or_default();
			*sum = sum.saturating_add(points);
		}
		for (era, sum) in sums {
			ensure!(sum <= TotalPoints::<T>::get(era), "an era has more points than blocks");
		}
		Ok(())
	}
}
