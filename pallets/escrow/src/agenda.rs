// SPDX-License-Identifier: Apache-2.0

//! What has to be done in which block, served at the start of every block under a weight limit.

use crate::{Agenda, AgendaCursor, Config, JobOf, Jobs, Outcomes, Pallet, Phase, Task, WeightInfo};
use alloc::vec::Vec;
use frame_support::{
	traits::Get,
	weights::{Weight, WeightMeter},
};
use frame_system::pallet_prelude::BlockNumberFor;
use sp_runtime::traits::{One, Saturating, Zero};
use tensornet_protocol::JobId;

/// How many blocks of the agenda one block looks through in each lane. After a gap (the hook did not
/// run, or had no weight left) a lane catches up this much faster than the chain grows.
pub const MAX_BLOCKS_PER_DRAIN: u32 = 32;

impl<T: Config> Pallet<T> {
	/// Moves a job to `phase`, stores it, and keeps its agenda entry in step.
	pub(crate) fn set_phase(
		id: JobId,
		job: &mut JobOf<T>,
		phase: Phase<T::AccountId, T::Balance, BlockNumberFor<T>>,
	) {
		Self::unschedule(id, job);
		job.phase = phase;
		if let Some((task, at)) = job.phase.wakes() {
			Agenda::<T>::insert((task, at, id), ());
		}
		Jobs::<T>::insert(id, &*job);
	}

	/// Removes the agenda entry of a job.
	pub(crate) fn unschedule(id: JobId, job: &JobOf<T>) {
		if let Some((task, at)) = job.phase.wakes() {
			Agenda::<T>::remove((task, at, id));
		}
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
			let (due, complete) = Self::due(task, cursor, left, meter);
			left = left.saturating_sub(u32::try_from(due.len()).unwrap_or(u32::MAX));
			for id in due {
				Agenda::<T>::remove((task, cursor, id));
				Self::serve(task, id, now);
			}
			if !complete {
				break;
			}
			cursor.saturating_inc();
		}
		if stored != Some(cursor) {
			AgendaCursor::<T>::insert(task, cursor);
		}
	}

	/// At most `limit` jobs with a task in block `at`, each paid for with `meter`, and whether these
	/// are all. Collected before any is served, because serving changes the map.
	pub(crate) fn due(
		task: Task,
		at: BlockNumberFor<T>,
		limit: u32,
		meter: &mut WeightMeter,
	) -> (Vec<JobId>, bool) {
		let step = Self::step_weight(task);
		let mut keys = Agenda::<T>::iter_key_prefix((task, at));
		let mut due = Vec::new();
		let mut left = limit;
		loop {
			if left.is_zero() || !meter.can_consume(step) {
				return (due, false);
			}
			let Some(id) = keys.next() else { return (due, true) };
			meter.consume(step);
			due.push(id);
			left = left.saturating_sub(One::one());
		}
	}

	/// The most one task of this kind may take.
	pub(crate) fn step_weight(task: Task) -> Weight {
		match task {
			Task::Assign => T::WeightInfo::assign().max(T::WeightInfo::expire()),
			Task::CommitDeadline => T::WeightInfo::commit_deadline_requeue()
				.max(T::WeightInfo::commit_deadline_expire()),
			Task::Forget => T::WeightInfo::forget(),
		}
	}

	/// Does one task, whose agenda entry is gone by now.
	pub(crate) fn serve(task: Task, id: JobId, now: BlockNumberFor<T>) {
		match task {
			Task::Assign => Self::serve_queued(id, now),
			Task::CommitDeadline => Self::serve_commit_deadline(id, now),
			Task::Forget => Outcomes::<T>::remove(id),
		}
	}
}
