// SPDX-License-Identifier: Apache-2.0

//! What has to be done in which block, served at the start of every block under a weight limit.

use crate::{
	Agenda, AgendaCursor, AgendaPages, Config, JobOf, Jobs, Outcomes, Pallet, Phase, Task,
	WeightInfo,
};
use frame_support::{
	traits::Get,
	weights::{Weight, WeightMeter},
};
use frame_system::pallet_prelude::BlockNumberFor;
use sp_runtime::traits::{One, Saturating, Zero};
use tensornet_protocol::{Failure, JobId, MAX_DRAWS};

/// How many blocks of the agenda one block looks through in each lane. After a gap (the hook did not
/// run, or had no weight left) a lane catches up this much faster than the chain grows.
pub const MAX_BLOCKS_PER_DRAIN: u32 = 32;

impl<T: Config> Pallet<T> {
	/// Moves a job to `phase` and stores it. The entry of its former phase stays where it is and means
	/// nothing any more: taking it out would cost more than looking at it in vain.
	pub(crate) fn set_phase(
		id: JobId,
		job: &mut JobOf<T>,
		phase: Phase<T::AccountId, T::Balance, BlockNumberFor<T>>,
	) {
		job.phase = phase;
		if let Some((task, at)) = job.phase.wakes() {
			Self::schedule(task, at, id);
		}
		Jobs::<T>::insert(id, &*job);
	}

	/// Adds an entry to the agenda. `at` is a block to come.
	pub(crate) fn schedule(task: Task, at: BlockNumberFor<T>, id: JobId) {
		Agenda::<T>::mutate((task, at), |slot| {
			slot.push(id, |page, entries| AgendaPages::<T>::insert((task, at, page), entries));
		});
	}

	/// Serves what is due, deadlines of nodes first. Returns the weight used.
	pub(crate) fn serve_agenda(now: BlockNumberFor<T>) -> Weight {
		let mut meter = WeightMeter::with_limit(T::ServiceWeight::get());
		let tasks = T::MaxTasksPerBlock::get();
		Self::drain(Task::CommitDeadline, now, tasks, &mut meter);
		Self::drain(Task::Assign, now, T::MaxAssignmentsPerBlock::get(), &mut meter);
		Self::drain(Task::Forget, now, tasks, &mut meter);
		meter.consumed()
	}

	/// Does at most `limit` tasks of one lane, oldest block first, and moves the lane's cursor past
	/// the blocks that have nothing left.
	fn drain(task: Task, now: BlockNumberFor<T>, limit: u32, meter: &mut WeightMeter) {
		if meter.try_consume(T::WeightInfo::agenda_base()).is_err() {
			return;
		}
		let stored = AgendaCursor::<T>::get(task);
		// Entries are always made for later blocks, so a lane that has never run has none behind it.
		let mut cursor = stored.unwrap_or(now);
		let mut left = limit;
		for _ in 0..MAX_BLOCKS_PER_DRAIN {
			if cursor > now || meter.try_consume(T::WeightInfo::agenda_block()).is_err() {
				break;
			}
			if !Self::serve_slot(task, cursor, now, &mut left, meter) {
				break;
			}
			cursor.saturating_inc();
		}
		if stored != Some(cursor) {
			AgendaCursor::<T>::insert(task, cursor);
		}
	}

	/// Does the tasks of block `at`, at most `left` of them and each paid for with `meter`. Returns
	/// whether none is left. Serving adds entries for later blocks only, so that the slot is served from
	/// memory.
	pub(crate) fn serve_slot(
		task: Task,
		at: BlockNumberFor<T>,
		now: BlockNumberFor<T>,
		left: &mut u32,
		meter: &mut WeightMeter,
	) -> bool {
		let mut slot = Agenda::<T>::get((task, at));
		if slot.is_empty() {
			return true;
		}
		let most = Self::step_weight(task);
		while !left.is_zero() && meter.can_consume(most) {
			let Some(id) = slot.pop(|page| AgendaPages::<T>::take((task, at, page))) else { break };
			*left = left.saturating_sub(One::one());
			meter.consume(Self::serve(task, id, now));
		}
		let complete = slot.is_empty();
		if complete {
			Agenda::<T>::remove((task, at));
		} else {
			Agenda::<T>::insert((task, at), slot);
		}
		complete
	}

	/// The most one task of this kind may take.
	pub(crate) fn step_weight(task: Task) -> Weight {
		match task {
			Task::Assign => Self::draw_weight(MAX_DRAWS, MAX_DRAWS).max(T::WeightInfo::expire()),
			Task::CommitDeadline => T::WeightInfo::commit_deadline_requeue()
				.max(T::WeightInfo::commit_deadline_expire()),
			Task::Forget => T::WeightInfo::forget(),
		}
	}

	/// Does one task, whose agenda entry is gone by now. Returns what it took: little where the entry
	/// means nothing any more, because the job ended or moved on since.
	pub(crate) fn serve(task: Task, id: JobId, now: BlockNumberFor<T>) -> Weight {
		if task == Task::Forget {
			Outcomes::<T>::remove(id);
			return Self::step_weight(task);
		}
		let due =
			|job: &JobOf<T>| job.phase.wakes().is_some_and(|(next, at)| next == task && at <= now);
		let Some(job) = Jobs::<T>::get(id).filter(due) else {
			return T::WeightInfo::agenda_entry();
		};
		match job.phase.clone() {
			Phase::Queued { .. } => Self::serve_queued(id, job, now),
			Phase::Assigned(attempt) => {
				Self::fail_attempt(id, job, attempt, Failure::NotCommitted, None, now);
				Self::step_weight(task)
			}
			// Never due: proof of compute has its own deadlines.
			Phase::Committed(_) => T::WeightInfo::agenda_entry(),
		}
	}
}
