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
	DispatchError, DispatchResult,
};
use tensornet_protocol::{Failure, JobId, Jobs};

/// After how many blocks a verdict that was refused is tried again.
const RETRY_AFTER: u32 = 10;

impl<T: Config> Pallet<T> {
	/// Runs the tasks that are due, block by block in the order in which they became due, as far as
	/// [`Config::AgendaWeight`] goes. Returns what was used.
	pub(crate) fn run_agenda(now: BlockNumberFor<T>) -> Weight {
		let mut meter = WeightMeter::with_limit(T::AgendaWeight::get());
		let mut due = NextDue::<T>::get().unwrap_or(now);
		while due <= now
			&& meter.try_consume(T::WeightInfo::agenda_step()).is_ok()
			&& Self::run_slot(now, due, &mut meter)
		{
			due = due.saturating_add(One::one());
		}
		NextDue::<T>::put(due);
		meter.consumed()
	}

	/// Runs the tasks that were due in block `due`, as far as `meter` allows. Returns whether none is left.
	/// Tasks add entries for later blocks only, so that the slot is served from memory.
	pub(crate) fn run_slot(
		now: BlockNumberFor<T>,
		due: BlockNumberFor<T>,
		meter: &mut WeightMeter,
	) -> bool {
		let mut slot = Agenda::<T>::get(due);
		if slot.is_empty() {
			return true;
		}
		while let Some((job, task)) = slot.pop(|page| AgendaPages::<T>::take(due, page)) {
			if !meter.can_consume(Self::task_weight(task)) {
				slot.push((job, task), |page, tasks| AgendaPages::<T>::insert(due, page, tasks));
				Agenda::<T>::insert(due, slot);
				return false;
			}
			meter.consume(Self::run_task(now, due, job, task));
		}
		Agenda::<T>::remove(due);
		true
	}

	/// Adds a task to the agenda. `due` is a block to come.
	pub(crate) fn schedule(due: BlockNumberFor<T>, job: JobId, task: Task) {
		Agenda::<T>::mutate(due, |slot| {
			slot.push((job, task), |page, tasks| AgendaPages::<T>::insert(due, page, tasks));
		});
	}

	/// What a task weighs at most.
	pub(crate) fn task_weight(task: Task) -> Weight {
		match task {
			Task::RevealBy | Task::AnswerBy => T::WeightInfo::task_fail(),
			Task::Draw => T::WeightInfo::task_draw(T::MaxCheckpoints::get()),
			Task::Settle => T::WeightInfo::task_settle(),
			Task::Forget => T::WeightInfo::task_forget(),
		}
	}

	/// What the heaviest task weighs, with finding it.
	pub(crate) fn heaviest_step() -> Weight {
		[Task::RevealBy, Task::Draw, Task::Settle, Task::Forget]
			.into_iter()
			.map(Self::task_weight)
			.fold(Weight::zero(), |most, weight| most.max(weight))
			.saturating_add(T::WeightInfo::agenda_step())
	}

	/// Runs one task, whose entry is gone by now. Returns what it took: little where the entry means
	/// nothing any more, because the job moved on or ended since.
	pub(crate) fn run_task(
		now: BlockNumberFor<T>,
		due: BlockNumberFor<T>,
		job: JobId,
		task: Task,
	) -> Weight {
		if task == Task::Forget {
			if Results::<T>::get(job).is_some_and(|result| result.due == due) {
				Results::<T>::remove(job);
			}
			return Self::task_weight(task);
		}
		let meant =
			|commitment: &Commitment<T>| commitment.due == due && commitment.phase.task() == task;
		let Some(commitment) = Commitments::<T>::get(job).filter(meant) else {
			return T::WeightInfo::task_stale();
		};
		let verdict = match task {
			Task::Draw => return T::WeightInfo::task_draw(Self::run_draw(now, job, commitment)),
			Task::RevealBy => Verdict::Failed(Failure::NotRevealed),
			Task::AnswerBy => Verdict::Failed(Failure::AuditUnanswered),
			Task::Settle | Task::Forget => Verdict::Verified,
		};
		if let Err(error) = Self::conclude(job, commitment.clone(), verdict, None) {
			Self::defer(now, job, commitment, error);
		}
		Self::task_weight(task)
	}

	/// Lets the beacon decide whether a job is audited. Returns how many checkpoints it drew from.
	fn run_draw(now: BlockNumberFor<T>, job: JobId, mut commitment: Commitment<T>) -> u32 {
		let (node, requester) = (commitment.node.clone(), commitment.requester.clone());
		let (program, iterations, due) =
			(commitment.program, commitment.iterations, commitment.due);
		let Phase::Revealed { settle_at, audit, .. } = &mut commitment.phase else { return 0 };
		let seen = due.saturating_sub(One::one());
		let next = now.saturating_add(One::one());
		// Only an audit needs to know the checkpoints.
		let mut drawn_from = 0_u32;
		let work = || {
			let work = ProgramCheckpoints::<T>::get(program).unwrap_or_default();
			drawn_from = u32::try_from(work.len()).unwrap_or(u32::MAX);
			work
		};
		match Self::draw_audit(job, seen, iterations, work) {
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
		drawn_from
	}

	/// Stores a changed commitment, whose next task is due in block `due`. The entry of its former task
	/// stays where it is and means nothing any more: taking it out would cost more than looking at it
	/// in vain.
	pub(crate) fn reschedule(job: JobId, mut commitment: Commitment<T>, due: BlockNumberFor<T>) {
		Self::schedule(due, job, commitment.phase.task());
		commitment.due = due;
		Commitments::<T>::insert(job, commitment);
	}

	/// Ends an attempt: keeps what was revealed, forgets the commitment, and has the ledger of jobs
	/// act. Changes nothing if the ledger refuses.
	pub(crate) fn conclude(
		job: JobId,
		commitment: Commitment<T>,
		verdict: Verdict,
		reporter: Option<&T::AccountId>,
	) -> DispatchResult {
		with_storage_layer(|| {
			Commitments::<T>::remove(job);
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
				Self::schedule(due, job, Task::Forget);
				revealed = Some((trace_root, audited));
			}
			match (verdict, revealed) {
				(Verdict::Verified, Some((trace_root, audited))) => {
					T::Jobs::verified(job)?;
					let event = Event::Verified { job, node, requester, trace_root, audited };
					Self::deposit_event(event);
					Ok(())
				}
				// Nothing sealed is ever verified: its only task is the end of its time.
				(Verdict::Verified, None) => Err(Error::<T>::NotRevealed.into()),
				(Verdict::Failed(failure), _) => {
					let slash = T::Jobs::failed(job, failure, reporter)?;
					let event = Event::AttemptFailed { job, node, requester, failure, slash };
					Self::deposit_event(event);
					Ok(())
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
			Self::deposit_event(Event::CommitmentDropped { job, node: commitment.node });
		}
	}
}
