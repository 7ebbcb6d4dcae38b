// SPDX-License-Identifier: Apache-2.0

//! What must always be true of the stored data.

use crate::{pallet::*, Task, BEACON_HISTORY};
use alloc::collections::{BTreeMap, BTreeSet};
use codec::Encode;
use frame_support::{ensure, traits::fungible::InspectHold};
use sp_runtime::{
	traits::{Saturating, Zero},
	TryRuntimeError,
};
use tensornet_protocol::{Hash, AGENDA_PAGE};

impl<T: Config> Pallet<T> {
	/// Checks every invariant:
	///
	/// - a program's record, bytes and checkpoints are there together, its bytes hash to its key, and
	///   it has as many checkpoints as its record says, of ever more cumulative work;
	/// - what is held of an author for programs is the sum of their deposits;
	/// - an undecided commitment's program is registered and needed by at least as many jobs as have
	///   commitments;
	/// - every commitment has a task when it is due, the one its phase calls for, and every result has
	///   one, to be forgotten; no task is behind the next block to run;
	/// - no slot of the agenda is empty; its pages are full and belong to it;
	/// - there are no more past beacon values than are kept, and the newest one is the beacon's.
	pub fn do_try_state() -> Result<(), TryRuntimeError> {
		Self::try_programs()?;
		Self::try_agenda()?;
		Self::try_beacon()
	}

	fn try_programs() -> Result<(), TryRuntimeError> {
		let mut deposits = BTreeMap::new();
		for (id, record) in Programs::<T>::iter() {
			let bytes = ProgramBytes::<T>::get(id).ok_or("a program has no bytes")?;
			ensure!(
				Hash::from(tensornet_commitment::root(&bytes)) == id,
				"a program's bytes are not those of its key"
			);
			let checkpoints =
				ProgramCheckpoints::<T>::get(id).ok_or("a program has no checkpoints")?;
			ensure!(
				checkpoints.len() == record.checkpoints as usize,
				"a program's checkpoints are not as many as its record says"
			);
			ensure!(
				checkpoints.is_sorted_by(|a, b| a.cumulative <= b.cumulative),
				"the work of a program's checkpoints does not add up"
			);
			let sum: &mut BalanceOf<T> = deposits.entry(record.author).or_insert_with(Zero::zero);
			*sum = sum.saturating_add(record.deposit);
		}
		let programs = Programs::<T>::iter_keys().count();
		ensure!(ProgramBytes::<T>::iter_keys().count() == programs, "bytes without a program");
		ensure!(
			ProgramCheckpoints::<T>::iter_keys().count() == programs,
			"checkpoints without a program"
		);
		for (author, deposit) in deposits {
			ensure!(
				T::Currency::balance_on_hold(&HoldReason::ProgramDeposit.into(), &author)
					== deposit,
				"an author's hold is not the sum of its deposits"
			);
		}

		let mut committed = BTreeMap::<Hash, u32>::new();
		for (_, commitment) in Commitments::<T>::iter() {
			let count = committed.entry(commitment.program).or_default();
			*count = count.saturating_add(1);
		}
		for (program, count) in committed {
			let record = Programs::<T>::get(program).ok_or("a commitment's program is gone")?;
			ensure!(record.live_jobs >= count, "fewer jobs need a program than run it");
		}
		Ok(())
	}

	fn try_agenda() -> Result<(), TryRuntimeError> {
		let mut tasks = BTreeSet::new();
		let mut pages = 0_usize;
		let next = NextDue::<T>::get().unwrap_or_default();
		for (due, slot) in Agenda::<T>::iter() {
			ensure!(due >= next, "a task was left behind");
			ensure!(!slot.is_empty(), "an empty slot of the agenda is kept");
			let mut entries = slot.tail.into_inner();
			for number in 0..slot.pages {
				let page = AgendaPages::<T>::get(due, number);
				ensure!(page.len() == AGENDA_PAGE as usize, "a page of the agenda is not full");
				entries.extend(page);
				pages = pages.saturating_add(1);
			}
			tasks.extend(entries.into_iter().map(|(job, task)| (due, job, task.encode())));
		}
		ensure!(
			AgendaPages::<T>::iter_keys().count() == pages,
			"a page of the agenda belongs to no slot"
		);
		for (job, commitment) in Commitments::<T>::iter() {
			ensure!(
				tasks.contains(&(commitment.due, job, commitment.phase.task().encode())),
				"a commitment has no task, or not the one its phase calls for"
			);
		}
		for (job, result) in Results::<T>::iter() {
			ensure!(
				tasks.contains(&(result.due, job, Task::Forget.encode())),
				"a result is not on the agenda to be forgotten"
			);
		}
		Ok(())
	}

	fn try_beacon() -> Result<(), TryRuntimeError> {
		let kept = BeaconHistory::<T>::iter_keys().count();
		ensure!(kept <= BEACON_HISTORY as usize, "too many past beacon values");
		if let Some(newest) = BeaconHistory::<T>::iter_keys().max() {
			ensure!(
				BeaconHistory::<T>::get(newest) == Some(BeaconValue::<T>::get()),
				"the newest past beacon value is not the beacon's"
			);
		}
		Ok(())
	}
}
