// SPDX-License-Identifier: Apache-2.0

//! What nodes and their delegators earn: shares of each era's budget by what their settled jobs burned.
//!
//! Who shares in an era is fixed when the node's first job of that era settles: its bond, what backs it
//! since before the era, and its commission. Delegations made in an era share from the next one on, and
//! nobody may join while an earlier era waits to be claimed, so that none can be bought into after it is
//! known. Eras of a node are claimed in order.

use crate::{
	BalanceOf, Config, EraBurn, Error, Event, LastWorked, NodeOf, Nodes, OldestEra, Pallet, Pools,
	WeightInfo, Work,
};
use alloc::vec::Vec;
use frame_support::{
	ensure,
	pallet_prelude::DispatchResult,
	traits::{fungible::Inspect, Get},
	weights::WeightMeter,
};
use sp_runtime::{
	helpers_128bit::multiply_by_rational_with_rounding,
	traits::{AccountIdConversion, SaturatedConversion, Saturating, Zero},
	Permill, Rounding,
};
use tensornet_protocol::{
	Emission, EraIndex, Eras, OnSettled, RewardReason, Settlement, VerifiedCompute,
};

/// The most entries of one lapsed era that one block removes.
const MAX_PRUNED: u32 = 128;

/// `amount × part ÷ whole`, rounded down; zero of nothing.
fn share<T: Config>(amount: BalanceOf<T>, part: BalanceOf<T>, whole: BalanceOf<T>) -> BalanceOf<T> {
	multiply_by_rational_with_rounding(
		amount.saturated_into(),
		part.min(whole).saturated_into(),
		whole.saturated_into(),
		Rounding::Down,
	)
	.unwrap_or(0)
	.saturated_into()
}

impl<T: Config> OnSettled for Pallet<T> {
	type AccountId = T::AccountId;
	type Balance = BalanceOf<T>;

	fn job_settled(settlement: &Settlement<Self::AccountId, Self::Balance>) {
		let (burned, node) = (settlement.split.burn, &settlement.node);
		if burned.is_zero() {
			return;
		}
		let era = T::Eras::current();
		let Some(mut work) = EraBurn::<T>::get(era, node).or_else(|| Self::begin_era(era, node))
		else {
			return;
		};
		work.burned = work.burned.saturating_add(burned);
		EraBurn::<T>::insert(era, node, work);
	}
}

impl<T: Config> VerifiedCompute for Pallet<T> {
	type AccountId = T::AccountId;
	type Balance = BalanceOf<T>;

	fn burned_by(era: EraIndex, stash: &Self::AccountId) -> Self::Balance {
		EraBurn::<T>::get(era, stash).map_or_else(Zero::zero, |work| work.burned)
	}
}

impl<T: Config> Pallet<T> {
	/// The account that holds what was minted for delegators until they collect it.
	pub fn pot() -> T::AccountId {
		T::PotId::get().into_account_truncating()
	}

	/// Fixes who shares in what a node earns in an era: its first job of the era settles.
	fn begin_era(era: EraIndex, node: &T::AccountId) -> Option<Work<BalanceOf<T>>> {
		let record: NodeOf<T> = Nodes::<T>::get(node)?;
		let earning = Pools::<T>::get(node).map_or(0, |pool| pool.earning_in(era));
		let backed = Self::counted_backing(record.bond, earning.saturated_into());
		let before = LastWorked::<T>::get(node);
		LastWorked::<T>::insert(node, era);
		let commission = record.commission;
		let burned = Zero::zero();
		Some(Work { burned, own: record.bond, backed, commission, before, claimed: false })
	}

	/// Whether rewards of an era can no longer be claimed.
	pub(crate) fn has_lapsed(era: EraIndex, now: EraIndex) -> bool {
		now.saturating_sub(era) > T::HistoryDepth::get()
	}

	/// Whether nothing that the node earned in `era` waits to be claimed.
	fn is_settled_era(era: EraIndex, node: &T::AccountId, now: EraIndex) -> bool {
		Self::has_lapsed(era, now) || EraBurn::<T>::get(era, node).is_none_or(|work| work.claimed)
	}

	/// Whether every era before `era`, which is the current one, was claimed for the node.
	pub(crate) fn is_claimed_up_to(node: &T::AccountId, era: EraIndex) -> bool {
		let last = match LastWorked::<T>::get(node) {
			Some(last) if last >= era => EraBurn::<T>::get(era, node).and_then(|work| work.before),
			last => last,
		};
		last.is_none_or(|last| Self::is_settled_era(last, node, era))
	}

	/// What a node that did `work` in an ended era earned in it, its delegators' part included.
	fn earned_in(era: EraIndex, work: &Work<BalanceOf<T>>) -> BalanceOf<T> {
		share::<T>(T::Emission::node_budget(era), work.burned, T::Emission::job_burn(era))
	}

	/// What a node earned in ended eras and was not minted yet, oldest first.
	pub(crate) fn unclaimed(node: &T::AccountId) -> Vec<(EraIndex, BalanceOf<T>)> {
		let now = T::Eras::current();
		let mut unclaimed = Vec::new();
		let mut next = LastWorked::<T>::get(node);
		while let Some(era) = next.filter(|era| !Self::has_lapsed(*era, now)) {
			let work = EraBurn::<T>::get(era, node).filter(|work| !work.claimed);
			// Eras are claimed in order: before one that was claimed nothing waits.
			let Some(work) = work else { break };
			if era < now {
				unclaimed.push((era, Self::earned_in(era, &work)));
			}
			next = work.before.filter(|before| *before < era);
		}
		unclaimed.reverse();
		unclaimed
	}

	pub(crate) fn do_claim_rewards(node: T::AccountId, era: EraIndex) -> DispatchResult {
		let now = T::Eras::current();
		ensure!(era < now, Error::<T>::EraNotEnded);
		ensure!(!Self::has_lapsed(era, now), Error::<T>::ClaimLapsed);
		let mut work = EraBurn::<T>::get(era, &node).ok_or(Error::<T>::NothingToClaim)?;
		ensure!(!work.claimed, Error::<T>::AlreadyClaimed);
		ensure!(
			work.before.is_none_or(|before| Self::is_settled_era(before, &node, now)),
			Error::<T>::UnclaimedRewards
		);
		work.claimed = true;

		let reward = Self::earned_in(era, &work);
		let rest = reward.saturating_sub(work.commission.mul_floor(reward));
		let stake = work.own.saturating_add(work.backed);
		let for_delegators = share::<T>(rest, work.backed, stake);
		let for_stash = reward.saturating_sub(for_delegators);
		EraBurn::<T>::insert(era, &node, work);

		let (to_delegators, deposit) =
			Self::reward_delegators(&node, era, for_delegators, for_stash);
		let for_stash = for_stash.saturating_sub(deposit);
		let to_stash = T::Emission::mint(era, &node, for_stash, RewardReason::Compute, Some(&node));
		Self::deposit_event(Event::RewardsClaimed { node, era, to_stash, to_delegators });
		Ok(())
	}

	/// Mints what the delegators of a node earned in an era. Returns how much: nothing where none is
	/// left who shares in it. Where the pot lacks its existential deposit, which happens once, that is
	/// minted too, out of `spare`, and returned beside; where `spare` is less than that, nothing is.
	fn reward_delegators(
		node: &T::AccountId,
		era: EraIndex,
		amount: BalanceOf<T>,
		spare: BalanceOf<T>,
	) -> (BalanceOf<T>, BalanceOf<T>) {
		let nothing = (Zero::zero(), Zero::zero());
		let Some(mut pool) = Pools::<T>::get(node) else { return nothing };
		// Those who joined before this era share in it, and those who joined in it do not.
		Self::resolve_joining(node, &mut pool, era);
		let too_late = pool.distributed_to.is_some_and(|distributed| era <= distributed);
		let (pot, reason) = (Self::pot(), RewardReason::Delegation);
		let lacks = T::Currency::minimum_balance().saturating_sub(T::Currency::total_balance(&pot));
		let mut paid = nothing;
		if !too_late && lacks <= spare && pool.reward_step(amount.saturated_into()) > 0 {
			let minted = T::Emission::mint(era, &pot, amount.saturating_add(lacks), reason, None);
			let deposit = lacks.min(minted);
			let shared = minted.saturating_sub(deposit);
			let step = pool.reward_step(shared.saturated_into());
			pool.reward_index = pool.reward_index.saturating_add(step);
			pool.owed = pool.owed.saturating_add(shared);
			paid = (shared, deposit);
		}
		Self::resolve_joining(node, &mut pool, era.saturating_add(1));
		Pools::<T>::insert(node, pool);
		paid
	}

	pub(crate) fn do_set_commission(stash: T::AccountId, commission: Permill) -> DispatchResult {
		let mut node = Self::registered(&stash)?;
		ensure!(commission <= T::MaxCommission::get(), Error::<T>::CommissionTooHigh);
		let backed = Pools::<T>::get(&stash).is_some_and(|pool| pool.delegators > 0);
		if commission > node.commission && backed {
			let era = T::Eras::current();
			let most = node.commission.saturating_add(T::MaxCommissionRaise::get());
			ensure!(
				commission <= most && node.raised_in != Some(era),
				Error::<T>::CommissionRaisedTooFast
			);
			node.raised_in = Some(era);
		}
		node.commission = commission;
		Nodes::<T>::insert(&stash, node);
		Self::deposit_event(Event::CommissionSet { stash, commission });
		Ok(())
	}

	/// Forgets eras whose rewards have lapsed, as far as `meter` allows.
	pub(crate) fn prune_eras(meter: &mut WeightMeter) {
		if meter.try_consume(T::WeightInfo::prune_base()).is_err() {
			return;
		}
		let oldest = OldestEra::<T>::get();
		if !Self::has_lapsed(oldest, T::Eras::current()) {
			return;
		}
		let mut entries = EraBurn::<T>::iter_key_prefix(oldest);
		let mut lapsed = Vec::new();
		let complete = loop {
			if lapsed.len() >= MAX_PRUNED as usize
				|| !meter.can_consume(T::WeightInfo::prune_entry())
			{
				break false;
			}
			let Some(node) = entries.next() else { break true };
			meter.consume(T::WeightInfo::prune_entry());
			lapsed.push(node);
		};
		for node in lapsed {
			EraBurn::<T>::remove(oldest, node);
		}
		if complete {
			OldestEra::<T>::put(oldest.saturating_add(1));
		}
	}
}
