// SPDX-License-Identifier: Apache-2.0

//! What must always hold of delegators and of rewards.

use crate::{
	convert, BalanceOf, Config, DelegationOf, Delegations, EraBurn, HoldReason, JoinedIn, Nodes,
	OldestEra, Pallet, PoolOf, Pools,
};
use alloc::collections::BTreeMap;
use frame_support::{
	ensure,
	traits::fungible::{Inspect, InspectHold},
};
use sp_runtime::{
	traits::{SaturatedConversion, Saturating, Zero},
	TryRuntimeError,
};
use tensornet_protocol::{Emission, EraIndex, Eras};

/// What the records of one pool's delegators add up to, in the pool's epoch.
#[derive(Default)]
struct Sums {
	delegators: u32,
	active: u128,
	joining: u128,
	joiners: u32,
	unbonding: u128,
	rewards: u128,
}

impl<T: Config> Pallet<T> {
	/// Checks the invariants of pools and delegations:
	///
	/// - what is held of an account as delegated is what its records hold, together;
	/// - a record is not empty, is of an epoch that its pool has reached, has chunks in order and none
	///   empty, and at most what it delegates answers for other nodes;
	/// - a pool has the shares of its delegators, exactly in its first epoch and at least those later,
	///   and counts its delegators and the redelegations that answer for it;
	/// - who joined in an era and is not settled is counted there;
	/// - a node knows what backs it;
	/// - what a pool owes covers what its delegators earned, and the pot covers what all pools owe.
	pub(super) fn check_pools() -> Result<(), TryRuntimeError> {
		let mut sums: BTreeMap<T::AccountId, Sums> = BTreeMap::new();
		let mut held: BTreeMap<T::AccountId, BalanceOf<T>> = BTreeMap::new();
		let mut liable: BTreeMap<T::AccountId, u32> = BTreeMap::new();
		let mut joined: BTreeMap<(T::AccountId, EraIndex), u32> = BTreeMap::new();
		for (node, who, record) in Delegations::<T>::iter() {
			let pool = Pools::<T>::get(&node).ok_or("a delegation is to a node without a pool")?;
			Self::check_record(&node, &pool, &record)?;
			let total = held.entry(who).or_insert_with(Zero::zero);
			*total = total.saturating_add(record.held);
			for liability in &record.liabilities {
				let count = liable.entry(liability.from.clone()).or_default();
				*count = count.saturating_add(1);
			}
			if let Some(joining) = record.joining {
				let count = joined.entry((node.clone(), joining.era)).or_default();
				*count = count.saturating_add(1);
			}
			Self::add_record(&node, &pool, &record, sums.entry(node.clone()).or_default());
		}
		for who in frame_system::Account::<T>::iter_keys() {
			ensure!(
				T::Currency::balance_on_hold(&HoldReason::Delegation.into(), &who)
					== held.remove(&who).unwrap_or_else(Zero::zero),
				"what is held as delegated is not what the records say"
			);
		}
		ensure!(held.is_empty(), "a delegation is of an account that does not exist");
		for (node, era, entry) in JoinedIn::<T>::iter() {
			ensure!(
				joined.get(&(node, era)) == Some(&entry.delegators),
				"those who joined in an era are miscounted"
			);
		}
		let mut owed = BalanceOf::<T>::zero();
		for (node, pool) in Pools::<T>::iter() {
			let sums = sums.remove(&node).unwrap_or_default();
			let answering = liable.remove(&node).unwrap_or_default();
			Self::check_pool(&node, &pool, &sums, answering)?;
			owed = owed.saturating_add(pool.owed);
		}
		ensure!(liable.is_empty(), "stake answers for a node without a pool");
		ensure!(
			T::Currency::total_balance(&Self::pot()) >= owed,
			"the pot holds less than the pools owe"
		);
		for (node, record) in Nodes::<T>::iter() {
			ensure!(
				record.backing == Self::backing_of(&node),
				"a node does not know what backs it"
			);
		}
		Ok(())
	}

	fn check_record(
		node: &T::AccountId,
		pool: &PoolOf<T>,
		record: &DelegationOf<T>,
	) -> Result<(), TryRuntimeError> {
		ensure!(!record.is_empty(), "an empty delegation is kept");
		ensure!(
			record.epoch <= pool.mark.epoch && record.reward_index <= pool.reward_index,
			"a delegation is ahead of its pool"
		);
		ensure!(
			record.unbonding.iter().all(|chunk| chunk.shares > 0)
				&& record.unbonding.iter().is_sorted_by_key(|chunk| chunk.unlock_at),
			"chunks of a delegation are empty or out of order"
		);
		ensure!(
			record.liable() <= record.delegated()
				&& record.liabilities.iter().all(|one| one.from != *node),
			"more of a delegation answers for other nodes than there is"
		);
		Ok(())
	}

	/// Adds what a record has in the epoch of its pool, and what it earned.
	fn add_record(
		node: &T::AccountId,
		pool: &PoolOf<T>,
		record: &DelegationOf<T>,
		sums: &mut Sums,
	) {
		let now = |shares: u128| convert(shares, record.epoch, pool.mark.epoch);
		let mut active = now(record.active);
		let mut earned = pool
			.earned(record.epoch, record.active, record.reward_index)
			.saturating_add(record.owed.saturated_into());
		if let Some(joining) = record.joining {
			match JoinedIn::<T>::get(node, joining.era) {
				Some(joined) => {
					active = active.saturating_add(now(joining.shares));
					let late = pool.earned(record.epoch, joining.shares, joined.reward_index);
					earned = earned.saturating_add(late);
				}
				None => {
					sums.joining = sums.joining.saturating_add(now(joining.shares));
					sums.joiners = sums.joiners.saturating_add(1);
				}
			}
		}
		sums.delegators = sums.delegators.saturating_add(1);
		sums.active = sums.active.saturating_add(active);
		sums.rewards = sums.rewards.saturating_add(earned);
		for chunk in &record.unbonding {
			sums.unbonding = sums.unbonding.saturating_add(now(chunk.shares));
		}
	}

	fn check_pool(
		node: &T::AccountId,
		pool: &PoolOf<T>,
		sums: &Sums,
		answering: u32,
	) -> Result<(), TryRuntimeError> {
		ensure!(!pool.is_idle(), "a pool is kept that nobody needs");
		let joining = pool.joining_shares();
		let covers = pool.active >= sums.active
			&& joining >= sums.joining
			&& pool.unbonding >= sums.unbonding;
		let equals = pool.active == sums.active
			&& joining == sums.joining
			&& pool.unbonding == sums.unbonding;
		ensure!(
			equals || covers && pool.mark.epoch > 0,
			"the shares of a pool are not those of its delegators"
		);
		ensure!(pool.delegators == sums.delegators, "the delegators of a pool are miscounted");
		ensure!(
			pool.joining.map_or(0, |joining| joining.delegators) == sums.joiners,
			"those who join a pool are miscounted"
		);
		ensure!(
			pool.joining.is_none_or(|joining| !JoinedIn::<T>::contains_key(node, joining.era)),
			"an era is fixed in which delegators still join"
		);
		ensure!(pool.liable == answering, "what answers for a node it left is miscounted");
		ensure!(
			pool.history.iter().is_sorted_by_key(|slash| slash.decided),
			"the slashes that a pool remembers are out of order"
		);
		ensure!(
			pool.owed.saturated_into::<u128>() >= sums.rewards,
			"a pool owes less than its delegators earned"
		);
		Ok(())
	}

	/// Checks the invariants of eras:
	///
	/// - as long as an era can be claimed, the jobs of its nodes burned at most what all its jobs did;
	/// - no era is kept that was forgotten, is counted that has not begun, or was claimed before its
	///   end.
	pub(super) fn check_eras() -> Result<(), TryRuntimeError> {
		let (now, oldest) = (T::Eras::current(), OldestEra::<T>::get());
		let mut totals: BTreeMap<EraIndex, BalanceOf<T>> = BTreeMap::new();
		for (era, _, work) in EraBurn::<T>::iter() {
			ensure!((oldest..=now).contains(&era), "work is kept of an era that is not");
			ensure!(!work.claimed || era < now, "an era was claimed before its end");
			let total = totals.entry(era).or_insert_with(Zero::zero);
			*total = total.saturating_add(work.burned);
		}
		for (era, counted) in totals {
			ensure!(
				Self::has_lapsed(era, now) || counted <= T::Emission::job_burn(era),
				"the jobs of nodes burned more in an era than all jobs"
			);
		}
		Ok(())
	}
}
