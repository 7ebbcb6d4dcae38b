// SPDX-License-Identifier: Apache-2.0

//! What happens by itself: deadlines, draws, settlement; and how an attempt ends.

use crate::{
	pallet::*, Audit, Commitment, JobResult, Phase, Task, Verdict, WeightInfo, LOG_TARGET,
};
use frame_support::{
	storage::with_storage_layer,
	traits::Get,
	weights::{Weight, WeightMeter},
};
use frame_system::pallet_prelude::BlockNumberFor;
use sp_runtime::{
	traits::{One, Saturating},
	DispatchError,
};
use tensornet_protocol::{Failure, JobId, Jobs, MAX_LINEAGE_PAYEES};

/// After how many blocks a verdict that was refused is tried again.
const RETRY_AFTER: u32 = 10;

impl<T: Config> Pallet<T> {
	/// Runs the tasks that are due, in the order in which they became due, as far as
	/// [`Config::AgendaWeight`] goes. Returns what was used.
	pub(crate) fn run_agenda(now: BlockNumberFor<T>) -> Weight {
		let mut meter = WeightMeter::with_limit(T::AgendaWeight::get());
		let mut due = NextDue::<T>::get().unwrap_or(now);
		while due <= now && meter.try_consume(T::WeightInfo::agenda_step()).is_ok() {
			match Agenda::<T>::iter_prefix(due).next() {
				None => due = due.saturating_add(One::one()),
				Some((job, task)) => {
					if !meter.can_consume(Self::task_weight(task, MAX_LINEAGE_PAYEES)) {
						break;
					}
					let ancestors = Self::run_task(now, due, job, task);
					meter.consume(Self::task_weight(task, ancestors));
				}
			}
		}
		NextDue::<T>::put(due);
		meter.consumed()
	}

	/// What a task weighs in which a settlement pays so many ancestors.
	fn task_weight(task: Task, ancestors: u32) -> Weight {
		match task {
			Task::RevealBy | Task::AnswerBy => T::WeightInfo::task_fail(),
			Task::Draw => T::WeightInfo::task_draw(T::MaxCheckpoints::get()),
			Task::Settle => T::WeightInfo::task_settle(ancestors),
			Task::Forget => T::WeightInfo::task_forget(),
		}
	}

	/// What the heaviest task weighs, with finding it.
	pub(crate) fn heaviest_step() -> Weight {
		[Task::RevealBy, Task::Draw, Task::Settle, Task::Forget]
			.into_iter()
			.map(|task| Self::task_weight(task, MAX_LINEAGE_PAYEES))
			.fold(Weight::zero(), |most, weight| most.max(weight))
			.saturating_add(T::WeightInfo::agenda_step())
	}

	/// Runs one task. Always takes it off its place in the agenda. Returns how many ancestors a
	/// settlement paid.
	pub(crate) fn run_task(
		now: BlockNumberFor<T>,
		due: BlockNumberFor<T>,
		job: JobId,
		task: Task,
	) -> u32 {
		let verdict = match task {
			Task::RevealBy => Verdict::Failed(Failure::NotRevealed),
			Task::AnswerBy => Verdict::Failed(Failure::AuditUnanswered),
			Task::Settle => Verdict::Verified,
			Task::Draw => {
				Self::run_draw(now, due, job);
				return 0;
			}
			Task::Forget => {
				Results::<T>::remove(job);
				Agenda::<T>::remove(due, job);
				return 0;
			}
		};
		let Some(commitment) = Self::commitment_due(due, job) else { return 0 };
		Self::conclude(job, commitment.clone(), verdict, None).unwrap_or_else(|error| {
			Self::defer(now, job, commitment, error);
			// What was undone had run before it was refused.
			MAX_LINEAGE_PAYEES
		})
	}

	/// Lets the beacon decide whether a job is audited.
	fn run_draw(now: BlockNumberFor<T>, due: BlockNumberFor<T>, job: JobId) {
		let Some(mut commitment) = Self::commitment_due(due, job) else { return };
		let (node, requester) = (commitment.node.clone(), commitment.requester.clone());
		let Phase::Revealed { settle_at, audit, .. } = &mut commitment.phase else {
			log::error!(target: LOG_TARGET, "job {job}: a sealed commitment cannot be drawn");
			return Agenda::<T>::remove(due, job);
		};
		let checkpoints = ProgramCheckpoints::<T>::get(commitment.program).unwrap_or_default();
		let seen = due.saturating_sub(One::one());
		let next = now.saturating_add(One::one());
		match Self::draw_audit(job, seen, commitment.iterations, &checkpoints) {
			None => {
				*audit = Audit::Spared;
				let due = next.max(*settle_at);
				Self::reschedule(job, commitment, due);
				Self::deposit_event(Event::AuditSpared { job, node, requester });
			}
			Some(samples) => {
				let answer_by = now.saturating_add(T::AuditWindow::get());
				*audit = Audit::Open { samples: samples.clone(), answer_by };
				Self::reschedule(job, commitment, answer_by.saturating_add(One::one()));
				Self::deposit_event(Event::AuditDrawn { job, node, requester, samples, answer_by });
			}
		}
	}

	/// The commitment whose task is due then. Without one the task means nothing and is dropped.
	fn commitment_due(due: BlockNumberFor<T>, job: JobId) -> Option<Commitment<T>> {
		let commitment = Commitments::<T>::get(job).filter(|commitment| commitment.due == due);
		if commitment.is_none() {
			log::error!(target: LOG_TARGET, "job {job}: a task without its commitment");
			Agenda::<T>::remove(due, job);
		}
		commitment
	}

	/// Stores a changed commitment and moves its task to block `due`.
	pub(crate) fn reschedule(job: JobId, mut commitment: Commitment<T>, due: BlockNumberFor<T>) {
		Agenda::<T>::remove(commitment.due, job);
		Agenda::<T>::insert(due, job, commitment.phase.task());
		commitment.due = due;
		Commitments::<T>::insert(job, commitment);
	}

	/// Ends an attempt: keeps what was revealed, forgets the commitment, and has the ledger of jobs
	/// act. Changes nothing if the ledger refuses. Returns how many ancestors a settlement paid.
	pub(crate) fn conclude(
		job: JobId,
		commitment: Commitment<T>,
		verdict: Verdict,
		reporter: Option<&T::AccountId>,
	) -> Result<u32, DispatchError> {
		with_storage_layer(|| {
			Commitments::<T>::remove(job);
			Agenda::<T>::remove(commitment.due, job);
			let Commitment { node, requester, program, phase, .. } = commitment;
			let mut revealed = None;
			if let Phase::Revealed { trace_root, outputs, audit, .. } = phase {
				let now = frame_system::Pallet::<T>::block_number();
				let keep = T::ResultRetention::get().max(One::one());
				let due = now.saturating_add(keep);
				let audited = matches!(audit, Audit::Open { .. } | Audit::Passed);
				let result = JobResult {
					node: node.clone(),
					program,
					trace_root,
					outputs,
					audited,
					verdict,
					ended_at: now,
					due,
				};
				Results::<T>::insert(job, result);
				Agenda::<T>::insert(due, job, Task::Forget);
				revealed = Some((trace_root, audited));
			}
			match (verdict, revealed) {
				(Verdict::Verified, Some((trace_root, audited))) => {
					let ancestors = T::Jobs::verified(job)?;
					let event = Event::Verified { job, node, requester, trace_root, audited };
					Self::deposit_event(event);
					Ok(ancestors)
				}
				// Nothing sealed is ever verified: its only task is the end of its time.
				(Verdict::Verified, None) => Err(Error::<T>::NotRevealed.into()),
				(Verdict::Failed(failure), _) => {
					let slash = T::Jobs::failed(job, failure, reporter)?;
					let event = Event::AttemptFailed { job, node, requester, failure, slash };
					Self::deposit_event(event);
					Ok(0)
				}
			}
		})
	}

	/// Has a refused verdict tried again later, unless its job is gone: then the commitment is
	/// dropped.
	fn defer(now: BlockNumberFor<T>, job: JobId, commitment: Commitment<T>, error: DispatchError) {
		log::error!(target: LOG_TARGET, "job {job}: the verdict was refused: {error:?}");
		let stands = T::Jobs::assignment(job).is_some_and(|assignment| {
			assignment.node == commitment.node && assignment.attempt == commitment.attempt
		});
		if stands {
			let again_at = now.saturating_add(RETRY_AFTER.into());
			Self::reschedule(job, commitment, again_at);
			Self::deposit_event(Event::VerdictDeferred { job, error, again_at });
		} else {
			Commitments::<T>::remove(job);
			Agenda::<T>::remove(commitment.due, job);
			Self::deposit_event(Event::CommitmentDropped { job, node: commitment.node });
		}
	}
}
