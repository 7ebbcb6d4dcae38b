// SPDX-License-Identifier: Apache-2.0

//! The end of a job: where its money goes.

use crate::{
	Agenda, Attempt, Config, Escrowed, Event, HoldReason, JobOf, Jobs, Outcome, Outcomes, Pallet,
	Receipt, Task, LOG_TARGET,
};
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
	BurnCause, Conduct, JobId, JobState, Nodes, Programs, Split, TokenPolicy,
};

impl<T: Config> Pallet<T> {
	/// Pays a job whose result stood, and ends it.
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
		let author = T::Programs::facts(&job.program).map(|facts| facts.author);

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
		let to_burn = shares.burn.saturating_add(to_treasury.saturating_sub(treasury));
		let burned = Self::burn(HoldReason::Job, &requester, to_burn);
		let spent = Receipt { paid, burned, treasury, author: author_paid, refunded: Zero::zero() };

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
		let burned = Self::burn(reason, owner, rest.saturating_sub(treasury));
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

	/// Destroys held funds and writes them into the burn ledger. Returns how much.
	fn burn(reason: HoldReason, from: &T::AccountId, amount: T::Balance) -> T::Balance {
		let burned = Self::attempt_move(amount, || {
			T::Currency::burn_held(
				&reason.into(),
				from,
				amount,
				Precision::BestEffort,
				Fortitude::Force,
			)
		});
		if !burned.is_zero() {
			T::TokenPolicy::burned(BurnCause::Job, burned);
		}
		burned
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
