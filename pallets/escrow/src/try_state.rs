// SPDX-License-Identifier: Apache-2.0

//! What is true of this pallet's storage between any two blocks.

use crate::{
	Agenda, AgendaCursor, AgendaPages, Config, Escrowed, HoldReason, Jobs, NextJobId, Outcomes,
	Pallet, Task,
};
use alloc::{
	collections::{BTreeMap, BTreeSet},
	vec::Vec,
};
use codec::Encode;
use frame_support::{ensure, traits::fungible::InspectHold};
use frame_system::pallet_prelude::BlockNumberFor;
use sp_runtime::{
	traits::{Saturating, Zero},
	TryRuntimeError,
};
use tensornet_protocol::{JobId, AGENDA_PAGE};

/// What one account should have on hold, by the records.
struct Owed<AccountId, Balance> {
	who: AccountId,
	jobs: Balance,
	deposits: Balance,
}

impl<T: Config> Pallet<T> {
	/// Checks every invariant:
	///
	/// - Numbers of live and of ended jobs are below the next one, and no job is both.
	/// - Every requester has on hold exactly what its live jobs may cost, and exactly their
	///   deposits; requesters of ended jobs without live ones have nothing on hold.
	/// - The total of the escrow is the sum over live jobs.
	/// - A node's price never exceeds what is held for it.
	/// - A queued or assigned job has an agenda entry for its next deadline; an outcome has exactly one,
	///   for its removal. All others mean nothing any more, but name jobs that were given a number. None
	///   lies behind the cursor of its lane.
	/// - No slot of the agenda is empty; its pages are full and belong to it.
	/// - Outcomes are terminal, name a node exactly when they are settled, and account for
	///   everything that was held.
	pub fn do_try_state() -> Result<(), TryRuntimeError> {
		Self::check_jobs()?;
		Self::check_outcomes()?;
		Self::check_holds()?;
		Self::check_agenda()
	}

	fn check_jobs() -> Result<(), TryRuntimeError> {
		let next = NextJobId::<T>::get();
		for (id, job) in Jobs::<T>::iter() {
			ensure!(id < next, "a live job's number has not been given out");
			ensure!(!Outcomes::<T>::contains_key(id), "a live job has an outcome");
			if let Some(attempt) = job.phase.attempt() {
				ensure!(attempt.price <= job.max_price, "a price exceeds the hold");
			}
		}
		Ok(())
	}

	fn check_outcomes() -> Result<(), TryRuntimeError> {
		let next = NextJobId::<T>::get();
		for (id, outcome) in Outcomes::<T>::iter() {
			ensure!(id < next, "an ended job's number has not been given out");
			ensure!(outcome.state.is_terminal(), "an outcome is not terminal");
			ensure!(
				outcome.node.is_some() == (outcome.state == tensornet_protocol::JobState::Settled),
				"an outcome names a node without being settled, or is settled without one"
			);
			ensure!(
				outcome.receipt.total() == outcome.held,
				"an outcome does not account for everything held"
			);
		}
		Ok(())
	}

	fn check_holds() -> Result<(), TryRuntimeError> {
		// By encoding, because accounts need not be ordered.
		let mut owed = BTreeMap::<Vec<u8>, Owed<T::AccountId, T::Balance>>::new();
		let none = |who: T::AccountId| Owed { who, jobs: Zero::zero(), deposits: Zero::zero() };
		for outcome in Outcomes::<T>::iter_values() {
			owed.entry(outcome.requester.encode()).or_insert_with(|| none(outcome.requester));
		}
		let mut total = T::Balance::zero();
		for job in Jobs::<T>::iter_values() {
			total = total.saturating_add(job.max_price);
			let entry = owed.entry(job.requester.encode()).or_insert_with(|| none(job.requester));
			entry.jobs = entry.jobs.saturating_add(job.max_price);
			entry.deposits = entry.deposits.saturating_add(job.deposit);
		}
		ensure!(Escrowed::<T>::get() == total, "the total is not the sum over live jobs");
		for Owed { who, jobs, deposits } in owed.into_values() {
			ensure!(
				T::Currency::balance_on_hold(&HoldReason::Job.into(), &who) == jobs,
				"a requester's hold is not what its live jobs may cost"
			);
			ensure!(
				T::Currency::balance_on_hold(&HoldReason::Deposit.into(), &who) == deposits,
				"a requester's deposit hold is not the sum of its jobs' deposits"
			);
		}
		Ok(())
	}

	fn check_agenda() -> Result<(), TryRuntimeError> {
		let mut expected = BTreeSet::<(JobId, Task, BlockNumberFor<T>)>::new();
		for (id, job) in Jobs::<T>::iter() {
			if let Some((task, at)) = job.phase.wakes() {
				expected.insert((id, task, at));
			}
		}
		let next = NextJobId::<T>::get();
		let mut endings = BTreeSet::<JobId>::new();
		let mut pages = 0_usize;
		for ((task, at), slot) in Agenda::<T>::iter() {
			let reached = AgendaCursor::<T>::get(task).unwrap_or_default();
			ensure!(at >= reached, "an agenda entry lies behind the cursor");
			ensure!(!slot.is_empty(), "an empty slot of the agenda is kept");
			let mut entries = slot.tail.into_inner();
			for number in 0..slot.pages {
				let page = AgendaPages::<T>::get((task, at, number));
				ensure!(page.len() == AGENDA_PAGE as usize, "a page of the agenda is not full");
				entries.extend(page);
				pages = pages.saturating_add(1);
			}
			for id in entries {
				ensure!(id < next, "the agenda names a job whose number has not been given out");
				if task == Task::Forget {
					ensure!(
						Outcomes::<T>::contains_key(id),
						"an agenda entry forgets a job not ended"
					);
					ensure!(endings.insert(id), "an outcome is to be forgotten twice");
				} else {
					expected.remove(&(id, task, at));
				}
			}
		}
		ensure!(
			AgendaPages::<T>::iter_keys().count() == pages,
			"a page of the agenda belongs to no slot"
		);
		ensure!(expected.is_empty(), "a live job is not on the agenda");
		ensure!(
			Outcomes::<T>::iter_keys().all(|id| endings.contains(&id)),
			"an outcome is never forgotten"
		);
		Ok(())
	}
}
