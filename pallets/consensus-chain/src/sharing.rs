// SPDX-License-Identifier: Apache-2.0

//! Who shares in the consensus-chain fee of a settled job.

use crate::{pallet::*, BalanceOf};
use alloc::vec::Vec;
use frame_support::traits::Get;
use sp_runtime::traits::{Saturating, Zero};
use tensornet_protocol::{Lineage, Settlement};

/// Payees and what each receives.
type Shares<T> = Vec<(<T as frame_system::Config>::AccountId, BalanceOf<T>)>;

impl<T: Config> Pallet<T> {
	/// The parts of `fee` that pass to the ancestors of node, requester and author. They add up to the
	/// fee.
	pub(crate) fn parts(fee: BalanceOf<T>) -> [BalanceOf<T>; 3] {
		let node = T::NodePart::get().mul_floor(fee);
		let rest = fee.saturating_sub(node);
		let requester = T::RequesterPart::get().mul_floor(fee).min(rest);
		[node, requester, rest.saturating_sub(requester)]
	}

	/// Adds to `shares` what the ancestors of `who` receive of `part`: at degree d the part times the
	/// ratio to the power of d, rounded down at each degree, if the ancestor is active and as long as
	/// anything is left.
	fn pass_on(who: &T::AccountId, part: BalanceOf<T>, shares: &mut Shares<T>) {
		let ratio = T::Ratio::get();
		let (mut share, mut left) = (part, part);
		for ancestor in Self::ancestors_of(who) {
			share = ratio.mul_floor(share).min(left);
			if share.is_zero() {
				break;
			}
			if !Self::is_active(&ancestor) {
				continue;
			}
			left = left.saturating_sub(share);
			// One payee, one payment.
			match shares.iter_mut().find(|(payee, _)| *payee == ancestor) {
				Some((_, sum)) => *sum = sum.saturating_add(share),
				None => shares.push((ancestor, share)),
			}
		}
	}
}

impl<T: Config> Lineage for Pallet<T> {
	type AccountId = T::AccountId;
	type Balance = BalanceOf<T>;

	fn job_settled(
		settlement: &Settlement<T::AccountId, BalanceOf<T>>,
	) -> Vec<(T::AccountId, BalanceOf<T>)> {
		let Settlement { requester, node, author, price, split, .. } = settlement;
		// A contribution of nothing leaves no record and passes nothing on.
		if !split.node.is_zero() {
			Self::change(node, |amounts| {
				amounts.node = amounts.node.saturating_add(split.node);
			});
		}
		if !price.is_zero() {
			Self::change(requester, |amounts| {
				amounts.user = amounts.user.saturating_add(*price);
			});
		}
		let author = author.as_ref().filter(|_| !split.author.is_zero());
		if let Some(author) = author {
			Self::change(author, |amounts| {
				amounts.developer = amounts.developer.saturating_add(split.author);
			});
		}

		let mut shares = Vec::new();
		let [to_node, to_requester, to_author] = Self::parts(split.lineage);
		if !split.node.is_zero() {
			Self::pass_on(node, to_node, &mut shares);
		}
		Self::pass_on(requester, to_requester, &mut shares);
		if let Some(author) = author {
			Self::pass_on(author, to_author, &mut shares);
		}
		shares
	}

	fn stake_delegated(who: &T::AccountId, stake: BalanceOf<T>) {
		Self::change(who, |amounts| amounts.investor = stake);
	}
}
