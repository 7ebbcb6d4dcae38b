// SPDX-License-Identifier: Apache-2.0

//! Who shares in the consensus-chain fee of settled jobs.

use crate::{pallet::*, BalanceOf, Contributions};
use alloc::vec::Vec;
use frame_support::traits::{
	fungible::{Balanced, Inspect},
	tokens::{Fortitude, Precision, Preservation},
	Get, Imbalance,
};
use sp_runtime::traits::{AccountIdConversion, Saturating, Zero};
use tensornet_protocol::{BurnCause, Lineage, Settlement, TokenPolicy};

/// Payees and what each receives.
pub(crate) type Shares<T> = Vec<(<T as frame_system::Config>::AccountId, BalanceOf<T>)>;

impl<T: Config> Pallet<T> {
	/// The account in which shares wait for ancestors.
	pub fn pot() -> T::AccountId {
		T::PotId::get().into_account_truncating()
	}

	/// The parts of `fee` that pass to the ancestors of node, requester and author. They add up to the
	/// fee.
	pub(crate) fn parts(fee: BalanceOf<T>) -> [BalanceOf<T>; 3] {
		let node = T::NodePart::get().mul_floor(fee);
		let rest = fee.saturating_sub(node);
		let requester = T::RequesterPart::get().mul_floor(fee).min(rest);
		[node, requester, rest.saturating_sub(requester)]
	}

	/// What the ancestors of `who` receive of `amount`: at degree d the amount times the ratio to the
	/// power of d, rounded down at each degree, if the ancestor is active and as long as anything is
	/// left.
	pub(crate) fn shares_of(who: &T::AccountId, amount: BalanceOf<T>) -> Shares<T> {
		let ratio = T::Ratio::get();
		let (mut share, mut left) = (amount, amount);
		let mut shares = Vec::new();
		for ancestor in Self::ancestors_of(who) {
			share = ratio.mul_floor(share).min(left);
			if share.is_zero() {
				break;
			}
			if Self::is_active(&ancestor) {
				left = left.saturating_sub(share);
				shares.push((ancestor, share));
			}
		}
		shares
	}

	/// Whether the pot can receive any amount, however small.
	fn is_open() -> bool {
		T::Currency::balance(&Self::pot()) >= T::Currency::minimum_balance()
	}

	/// Records a contribution that a job verified, and `part` as owed to the ancestors if there is a
	/// sponsor. Returns what is owed.
	fn contribute(
		who: &T::AccountId,
		part: BalanceOf<T>,
		change: impl FnOnce(&mut Contributions<BalanceOf<T>>),
	) -> BalanceOf<T> {
		let mut record = Self::record_of(who);
		change(&mut record.amounts);
		let owed = if part.is_zero() || !Self::has_sponsor(who) { Zero::zero() } else { part };
		record.owed = record.owed.saturating_add(owed);
		if !record.owed.is_zero() && !record.queued {
			record.queued = true;
			Self::enqueue(who);
		}
		Self::store(who, record);
		owed
	}

	/// Passes on what waits for the ancestors of `who`. Returns how many received something, or `None`
	/// where nothing waits.
	pub(crate) fn do_pass_on(who: &T::AccountId) -> Option<u32> {
		let mut record = Self::record_of(who);
		let owed = core::mem::take(&mut record.owed);
		if owed.is_zero() {
			return None;
		}
		Self::store(who, record);
		let mut purse = T::Currency::withdraw(
			&Self::pot(),
			owed,
			Precision::BestEffort,
			Preservation::Preserve,
			Fortitude::Polite,
		)
		.unwrap_or_default();
		let mut paid = Vec::new();
		for (ancestor, share) in Self::shares_of(who, owed) {
			let share = purse.extract(share);
			let amount = share.peek();
			match T::Currency::resolve(&ancestor, share) {
				Ok(()) => paid.push((ancestor, amount)),
				Err(refused) => purse.subsume(refused),
			}
		}
		let burned = purse.peek();
		drop(purse);
		T::Token::burned(BurnCause::Lineage, burned);
		let ancestors = u32::try_from(paid.len()).unwrap_or(u32::MAX);
		Self::deposit_event(Event::PassedOn { contributor: who.clone(), shares: paid, burned });
		Some(ancestors)
	}
}

impl<T: Config> Lineage for Pallet<T> {
	type AccountId = T::AccountId;
	type Balance = BalanceOf<T>;

	fn job_settled(
		settlement: &Settlement<T::AccountId, BalanceOf<T>>,
	) -> Option<(T::AccountId, BalanceOf<T>)> {
		let Settlement { requester, node, author, price, split, .. } = settlement;
		let fee = if Self::is_open() { split.lineage } else { Zero::zero() };
		let [to_node, to_requester, to_author] = Self::parts(fee);
		let mut owed = BalanceOf::<T>::zero();
		// A contribution of nothing leaves no record and passes nothing on.
		if !split.node.is_zero() {
			owed.saturating_accrue(Self::contribute(node, to_node, |amounts| {
				amounts.node = amounts.node.saturating_add(split.node);
			}));
		}
		if !price.is_zero() {
			owed.saturating_accrue(Self::contribute(requester, to_requester, |amounts| {
				amounts.user = amounts.user.saturating_add(*price);
			}));
		}
		if let Some(author) = author.as_ref().filter(|_| !split.author.is_zero()) {
			owed.saturating_accrue(Self::contribute(author, to_author, |amounts| {
				amounts.developer = amounts.developer.saturating_add(split.author);
			}));
		}
		(!owed.is_zero()).then(|| (Self::pot(), owed))
	}

	fn stake_delegated(who: &T::AccountId, stake: BalanceOf<T>) {
		Self::change(who, |amounts| amounts.investor = stake);
	}
}
