// SPDX-License-Identifier: Apache-2.0

//! The end of a job: where its money goes.

use crate::{
	Attempt, Config, Escrowed, Event, HoldReason, JobOf, Jobs, Outcome, Outcomes, Pallet, Receipt,
	Task, LOG_TARGET,
};
use frame_support::{
	storage::with_storage_layer,
	traits::{
		fungible::{Balanced, BalancedHold, Credit, MutateHold},
		tokens::Precision,
		Get, Imbalance,
	},
};
use frame_system::pallet_prelude::BlockNumberFor;
use sp_runtime::traits::{One, Saturating, Zero};
use tensornet_protocol::{
	BurnCause, Conduct, JobId, JobState, Lineage, Nodes, OnSettled, Programs, Settlement, Split,
	TokenPolicy,
};

/// Funds taken from a hold and not yet given to anybody. What is left of them in the end is burned.
type Purse<T> = Credit<<T as frame_system::Config>::AccountId, <T as Config>::Currency>;

impl<T: Config> Pallet<T> {
	/// Pays a job whose result stood, and ends it. The price leaves the hold once and is shared from
	/// there, so that each payee's account is the only one that its share touches.
	pub(crate) fn settle(
		id: JobId,
		job: JobOf<T>,
		attempt: Attempt<T::AccountId, T::Balance, BlockNumberFor<T>>,
		now: BlockNumberFor<T>,
	) {
		let Attempt { node, price, collateral, .. } = attempt;
		let requester = job.requester.clone();
		let price = price.min(job.max_price);
		let shares: Split<T::Balance> = T::TokenPolicy::shares().split(price);
		let settlement = Settlement {
			job: id,
			requester,
			node,
			author: T::Programs::facts(&job.program).map(|facts| facts.author),
			program: job.program,
			price,
			split: shares,
		};
		T::OnSettled::job_settled(&settlement);
		let waits = T::Lineage::job_settled(&settlement);
		let Settlement { requester, node, author, .. } = settlement;

		let mut purse = Self::take(HoldReason::Job, &requester, price);
		let paid = Self::pay(&mut purse, &node, shares.node);
		let author_paid = author
			.as_ref()
			.map_or_else(Zero::zero, |author| Self::pay(&mut purse, author, shares.author));
		// What a payee cannot receive goes to the treasury, and what that cannot receive is burned.
		let to_treasury = shares
			.treasury
			.saturating_add(shares.node.saturating_sub(paid))
			.saturating_add(shares.author.saturating_sub(author_paid));
		let treasury = Self::pay(&mut purse, &T::TokenPolicy::treasury(), to_treasury);
		let lineage = waits.map_or_else(Zero::zero, |(pot, amount)| {
			Self::pay(&mut purse, &pot, amount.min(shares.lineage))
		});
		let burned = purse.peek();
		drop(purse);
		// Only the burned share counts as the job's: nodes are rewarded for that and for nothing else.
		let for_job = burned.min(shares.burn);
		let no_ancestor = shares.lineage.saturating_sub(lineage);
		let for_lineage = burned.saturating_sub(for_job).min(no_ancestor);
		T::TokenPolicy::burned(BurnCause::Job, for_job);
		T::TokenPolicy::burned(BurnCause::Lineage, for_lineage);
		T::TokenPolicy::burned(
			BurnCause::Dust,
			burned.saturating_sub(for_job).saturating_sub(for_lineage),
		);
		let spent = Receipt {
			paid,
			burned,
			treasury,
			author: author_paid,
			lineage,
			refunded: Zero::zero(),
		};

		let receipt = Self::end(id, job, JobState::Settled, Some(node.clone()), spent, now);
		T::Nodes::job_released(&node, collateral, Conduct::Completed, None, &requester);
		Self::deposit_event(Event::JobSettled {
			job: id,
			requester,
			node,
			author,
			paid: receipt.paid,
			burned: receipt.burned,
			treasury_share: receipt.treasury,
			author_share: receipt.author,
			lineage_share: receipt.lineage,
			refunded: receipt.refunded,
		});
	}

	/// Ends a job without a result.
	pub(crate) fn expire(id: JobId, job: JobOf<T>, now: BlockNumberFor<T>) {
		let requester = job.requester.clone();
		let receipt = Self::end(id, job, JobState::Expired, None, Receipt::default(), now);
		Self::deposit_event(Event::JobExpired { job: id, requester, refunded: receipt.refunded });
	}

	/// Ends a job that its requester withdrew.
	pub(crate) fn cancel(id: JobId, job: JobOf<T>, now: BlockNumberFor<T>) {
		let requester = job.requester.clone();
		let receipt = Self::end(id, job, JobState::Cancelled, None, Receipt::default(), now);
		Self::deposit_event(Event::JobCancelled { job: id, requester, refunded: receipt.refunded });
	}

	/// Gives the requester back what `spent` leaves of the hold, and the deposit; replaces the live
	/// record with an outcome. Returns the whole receipt.
	fn end(
		id: JobId,
		job: JobOf<T>,
		state: JobState,
		node: Option<T::AccountId>,
		spent: Receipt<T::Balance>,
		now: BlockNumberFor<T>,
	) -> Receipt<T::Balance> {
		let mut receipt = spent;
		let rest = job.max_price.saturating_sub(spent.total());
		let back = Self::give_back(HoldReason::Job, &job.requester, rest);
		receipt.refunded = receipt.refunded.saturating_add(back.refunded);
		receipt.treasury = receipt.treasury.saturating_add(back.treasury);
		receipt.burned = receipt.burned.saturating_add(back.burned);
		if receipt.total() != job.max_price {
			log::error!(target: LOG_TARGET, "the hold of job {id} was not whole");
		}
		Self::give_back(HoldReason::Deposit, &job.requester, job.deposit);

		Jobs::<T>::remove(id);
		Escrowed::<T>::mutate(|total| *total = total.saturating_sub(job.max_price));
		T::Programs::job_closed(&job.program);

		let forget_at = now.saturating_add(T::OutcomeRetention::get().max(One::one()));
		Self::schedule(Task::Forget, forget_at, id);
		Outcomes::<T>::insert(
			id,
			Outcome {
				state,
				requester: job.requester,
				node,
				program: job.program,
				held: job.max_price,
				receipt,
				ended_at: now,
			},
		);
		receipt
	}

	/// Releases `amount` to its owner. What an account that may not exist on that alone cannot
	/// receive goes to the treasury, or else is burned.
	fn give_back(
		reason: HoldReason,
		owner: &T::AccountId,
		amount: T::Balance,
	) -> Receipt<T::Balance> {
		if amount.is_zero() {
			return Receipt::default();
		}
		// As a whole or not at all; what was not released counts as zero.
		let refunded = with_storage_layer(|| {
			T::Currency::release(&reason.into(), owner, amount, Precision::BestEffort)
		})
		.unwrap_or_default();
		let rest = amount.saturating_sub(refunded);
		if rest.is_zero() {
			return Receipt { refunded, ..Default::default() };
		}
		let mut purse = Self::take(reason, owner, rest);
		let treasury = Self::pay(&mut purse, &T::TokenPolicy::treasury(), rest);
		let burned = purse.peek();
		drop(purse);
		T::TokenPolicy::burned(BurnCause::Dust, burned);
		Receipt { refunded, treasury, burned, ..Default::default() }
	}

	/// Takes held funds out of an account: as much of `amount` as is there. Locks on the balance do not
	/// count: the requester gave these funds away when it posted the job.
	fn take(reason: HoldReason, from: &T::AccountId, amount: T::Balance) -> Purse<T> {
		T::Currency::slash(&reason.into(), from, amount).0
	}

	/// Pays from a purse. Returns what the payee received: all or nothing, as long as the purse holds
	/// that much.
	fn pay(purse: &mut Purse<T>, to: &T::AccountId, amount: T::Balance) -> T::Balance {
		let share = purse.extract(amount);
		let received = share.peek();
		if received.is_zero() {
			return received;
		}
		match T::Currency::resolve(to, share) {
			Ok(()) => received,
			Err(refused) => {
				purse.subsume(refused);
				Zero::zero()
			}
		}
	}
}
