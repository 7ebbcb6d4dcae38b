// SPDX-License-Identifier: Apache-2.0

//! The end of a job: where its money goes.

use crate::{
	Agenda, Attempt, Config, Escrowed, Event, HoldReason, JobOf, Jobs, Outcome, Outcomes, Pallet,
	Receipt, Task, LOG_TARGET,
};
use alloc::vec::Vec;
use frame_support::{
	storage::with_storage_layer,
	traits::{
		fungible::MutateHold,
		tokens::{Fortitude, Precision, Restriction},
		Get,
	},
};
use frame_system::pallet_prelude::BlockNumberFor;
use sp_runtime::{
	traits::{One, Saturating, Zero},
	DispatchError,
};
use tensornet_protocol::{
	BurnCause, Conduct, JobId, JobState, Lineage, Nodes, OnSettled, Programs, Settlement, Split,
	TokenPolicy, MAX_LINEAGE_PAYEES,
};

impl<T: Config> Pallet<T> {
	/// Pays a job whose result stood, and ends it. Returns how many ancestors were paid.
	pub(crate) fn settle(
		id: JobId,
		job: JobOf<T>,
		attempt: Attempt<T::AccountId, T::Balance, BlockNumberFor<T>>,
		now: BlockNumberFor<T>,
	) -> u32 {
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
		let payees = T::Lineage::job_settled(&settlement);
		let Settlement { requester, node, author, .. } = settlement;

		let paid = Self::pay(&requester, &node, shares.node);
		let to_author = shares.author;
		let author_paid =
			author.as_ref().map_or_else(Zero::zero, |to| Self::pay(&requester, to, to_author));
		// What a payee cannot receive goes to the treasury, and what that cannot receive is burned.
		let to_treasury = shares
			.treasury
			.saturating_add(shares.node.saturating_sub(paid))
			.saturating_add(to_author.saturating_sub(author_paid));
		let treasury = Self::pay(&requester, &T::TokenPolicy::treasury(), to_treasury);
		// An ancestor's share that it cannot receive is burned like one without an ancestor.
		let (lineage, ancestors) = Self::pay_lineage(id, &requester, shares.lineage, payees);
		let no_ancestor = shares.lineage.saturating_sub(lineage);
		let dust = to_treasury.saturating_sub(treasury);
		let to_burn = shares.burn.saturating_add(no_ancestor).saturating_add(dust);
		let burned = Self::destroy(HoldReason::Job, &requester, to_burn);
		// Only the burned share counts as the job's: nodes are rewarded for that and for nothing else.
		let for_job = burned.min(shares.burn);
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
		ancestors
	}

	/// Pays ancestors out of the consensus-chain fee, never more than the fee and never more than
	/// [`MAX_LINEAGE_PAYEES`] of them. Returns what they received in all, and how many received
	/// something.
	fn pay_lineage(
		job: JobId,
		requester: &T::AccountId,
		fee: T::Balance,
		payees: Vec<(T::AccountId, T::Balance)>,
	) -> (T::Balance, u32) {
		let (mut left, mut paid) = (fee, 0_u32);
		let mut shares = Vec::new();
		for (payee, share) in payees.into_iter().take(MAX_LINEAGE_PAYEES as usize) {
			let received = Self::pay(requester, &payee, share.min(left));
			if !received.is_zero() {
				left = left.saturating_sub(received);
				paid = paid.saturating_add(1);
				shares.push((payee, received));
			}
		}
		if !shares.is_empty() {
			Self::deposit_event(Event::LineagePaid { job, shares });
		}
		(fee.saturating_sub(left), paid)
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

		Self::unschedule(id, &job);
		Jobs::<T>::remove(id);
		Escrowed::<T>::mutate(|total| *total = total.saturating_sub(job.max_price));
		T::Programs::job_closed(&job.program);

		let forget_at = now.saturating_add(T::OutcomeRetention::get().max(One::one()));
		Agenda::<T>::insert((Task::Forget, forget_at, id), ());
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
		let refunded = Self::attempt_move(amount, || {
			T::Currency::release(&reason.into(), owner, amount, Precision::BestEffort)
		});
		let rest = amount.saturating_sub(refunded);
		let treasury = Self::send(reason, owner, &T::TokenPolicy::treasury(), rest);
		let burned = Self::destroy(reason, owner, rest.saturating_sub(treasury));
		T::TokenPolicy::burned(BurnCause::Dust, burned);
		Receipt { refunded, treasury, burned, ..Default::default() }
	}

	/// Pays from a requester's hold for jobs. Returns what the payee received: all or nothing, as
	/// long as the hold is whole.
	fn pay(from: &T::AccountId, to: &T::AccountId, amount: T::Balance) -> T::Balance {
		Self::send(HoldReason::Job, from, to, amount)
	}

	/// Moves held funds of `from` to the free funds of `to`. Locks on the requester's balance do not
	/// count: it gave these funds away when it posted the job.
	fn send(
		reason: HoldReason,
		from: &T::AccountId,
		to: &T::AccountId,
		amount: T::Balance,
	) -> T::Balance {
		Self::attempt_move(amount, || {
			T::Currency::transfer_on_hold(
				&reason.into(),
				from,
				to,
				amount,
				Precision::BestEffort,
				Restriction::Free,
				Fortitude::Force,
			)
		})
	}

	/// Destroys held funds. Returns how much. The caller writes it into the burn ledger.
	fn destroy(reason: HoldReason, from: &T::AccountId, amount: T::Balance) -> T::Balance {
		Self::attempt_move(amount, || {
			T::Currency::burn_held(
				&reason.into(),
				from,
				amount,
				Precision::BestEffort,
				Fortitude::Force,
			)
		})
	}

	/// Runs a movement of funds as a whole or not at all; what did not move counts as zero.
	fn attempt_move(
		amount: T::Balance,
		movement: impl FnOnce() -> Result<T::Balance, DispatchError>,
	) -> T::Balance {
		if amount.is_zero() {
			return amount;
		}
		with_storage_layer(movement).unwrap_or_default()
	}
}
