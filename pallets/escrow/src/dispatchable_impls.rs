// SPDX-License-Identifier: Apache-2.0

//! What the calls do once their origin is known, and what a runtime must get right.

use crate::{
	Config, Error, Escrowed, Event, HoldReason, Job, JobOf, Jobs, NextJobId, Pallet, Phase, Task,
	WeightInfo,
};
use codec::Encode;
use frame_support::{
	ensure,
	traits::{
		fungible::{Inspect, MutateHold},
		tokens::{Fortitude, Preservation},
		Footprint, Get,
	},
	weights::Weight,
};
use frame_system::pallet_prelude::BlockNumberFor;
use sp_runtime::{
	traits::{CheckedAdd, Convert, One, Saturating, Zero},
	ArithmeticError, DispatchResult, TokenError,
};
use tensornet_protocol::{Compliance, JobId, JobRequest, ProgramFacts, Programs, Role};

impl<T: Config> Pallet<T> {
	pub(crate) fn do_submit_job(
		requester: T::AccountId,
		request: JobRequest<T::Balance, BlockNumberFor<T>>,
	) -> DispatchResult {
		ensure!(T::Compliance::admits(&requester, Role::Requester), Error::<T>::NotAdmitted);
		let now = frame_system::Pallet::<T>::block_number();
		let facts = T::Programs::facts(&request.program).ok_or(Error::<T>::UnknownProgram)?;
		let macs = Self::check_request(&request, &facts, now)?;
		let id = NextJobId::<T>::get();
		let next_id = id.checked_add(1).ok_or(Error::<T>::NoMoreJobs)?;
		let escrowed = Escrowed::<T>::get()
			.checked_add(&request.max_price)
			.ok_or(ArithmeticError::Overflow)?;

		let mut job: JobOf<T> = Job {
			requester,
			program: request.program,
			blobs: request.blobs,
			hint: request.hint,
			iterations: request.iterations,
			macs,
			memory_mib: facts.memory_mib,
			compliance_level: request.compliance_level,
			max_price: request.max_price,
			deposit: Zero::zero(),
			submitted_at: now,
			deadline: request.deadline,
			attempt: 0,
			excluded: None,
			phase: Phase::Queued { next_try: now.saturating_add(Self::assign_delay()) },
		};
		job.deposit = T::Deposit::convert(Footprint::from_parts(1, job.encoded_size()));
		// A hold alone would take what is vesting or locked, and the job would pay it out to others.
		let spendable = T::Currency::reducible_balance(
			&job.requester,
			Preservation::Protect,
			Fortitude::Polite,
		);
		T::Currency::hold(&HoldReason::Job.into(), &job.requester, job.max_price)?;
		ensure!(job.max_price <= spendable, TokenError::Frozen);
		T::Currency::hold(&HoldReason::Deposit.into(), &job.requester, job.deposit)?;

		NextJobId::<T>::put(next_id);
		Escrowed::<T>::put(escrowed);
		T::Programs::job_opened(&job.program);
		let phase = job.phase.clone();
		Self::set_phase(id, &mut job, phase);
		Self::deposit_event(Event::JobSubmitted {
			job: id,
			requester: job.requester,
			program: job.program,
			iterations: job.iterations,
			max_price: job.max_price,
			deposit: job.deposit,
			deadline: job.deadline,
		});
		Ok(())
	}

	/// Checks a request against the facts of its program. Returns the work in multiply-accumulates.
	fn check_request(
		request: &JobRequest<T::Balance, BlockNumberFor<T>>,
		facts: &ProgramFacts<T::AccountId>,
		now: BlockNumberFor<T>,
	) -> Result<u128, Error<T>> {
		ensure!(
			(1..=facts.max_iterations).contains(&request.iterations),
			Error::<T>::BadIterations
		);
		ensure!(u32::try_from(request.blobs.len()) == Ok(facts.blobs), Error::<T>::WrongBlobCount);
		let macs = Self::work(facts.macs, request.iterations);
		let needed =
			Self::assign_delay().saturating_add(Self::commit_time(macs)).max(T::MinLifetime::get());
		ensure!(request.deadline >= now.saturating_add(needed), Error::<T>::DeadlineTooSoon);
		ensure!(
			request.deadline <= now.saturating_add(T::MaxLifetime::get()),
			Error::<T>::DeadlineTooLate
		);
		let least = Self::least_price(macs).ok_or(Error::<T>::PriceOverflow)?;
		ensure!(request.max_price >= least, Error::<T>::PriceTooLow);
		Ok(macs)
	}

	pub(crate) fn do_cancel_job(caller: T::AccountId, id: JobId) -> DispatchResult {
		let job = Jobs::<T>::get(id).ok_or(Error::<T>::UnknownJob)?;
		ensure!(job.requester == caller, Error::<T>::NotRequester);
		ensure!(matches!(job.phase, Phase::Queued { .. }), Error::<T>::NotQueued);
		Self::cancel(id, job, frame_system::Pallet::<T>::block_number());
		Ok(())
	}

	/// Stops a runtime whose configuration cannot work.
	pub(crate) fn check_integrity() {
		assert!(!T::MinJobPrice::get().is_zero(), "MinJobPrice must not be zero");
		assert!(T::MinLifetime::get() <= T::MaxLifetime::get(), "MinLifetime exceeds MaxLifetime");
		assert!(
			Self::assign_delay().saturating_add(T::CommitBase::get()) <= T::MaxLifetime::get(),
			"no job fits into MaxLifetime"
		);
		assert!(T::AssignDelay::get() >= One::one(), "AssignDelay must not be zero");
		assert!(T::RetryPeriod::get() >= One::one(), "RetryPeriod must not be zero");
		assert!(T::OutcomeRetention::get() >= One::one(), "OutcomeRetention must not be zero");
		assert!(T::MacsPerBlock::get() > 0, "MacsPerBlock must not be zero");
		assert!(T::MaxAttempts::get() > 0, "MaxAttempts must not be zero");
		assert!(T::MaxAssignmentsPerBlock::get() > 0, "MaxAssignmentsPerBlock must not be zero");
		assert!(T::MaxTasksPerBlock::get() > 0, "MaxTasksPerBlock must not be zero");
		// Lanes are served in turn: each must be able to move when the others are idle.
		let idle = T::WeightInfo::agenda_base()
			.saturating_add(T::WeightInfo::agenda_block())
			.saturating_mul(3);
		let tasks = [Task::Assign, Task::CommitDeadline, Task::Forget];
		let step =
			tasks.into_iter().fold(Weight::zero(), |most, task| most.max(Self::step_weight(task)));
		assert!(
			idle.saturating_add(step).all_lte(T::ServiceWeight::get()),
			"ServiceWeight is too small for a single task"
		);
	}
}
