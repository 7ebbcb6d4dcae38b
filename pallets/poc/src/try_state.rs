// SPDX-License-Identifier: Apache-2.0

//! What must always be true of the stored data.

use crate::{pallet::*, Task, BEACON_HISTORY};
use alloc::collections::BTreeMap;
use frame_support::{ensure, traits::fungible::InspectHold};
use sp_runtime::{
	traits::{Saturating, Zero},
	TryRuntimeError,
};
use tensornet_protocol::Hash;

impl<T: Config> Pallet<T> {
	/// Checks every invariant:
	///
	/// - a program's record, bytes and checkpoints are there together, its bytes hash to its key, and
	///   it has as many checkpoints as its record says, of ever more cumulative work;
	/// - what is held of an author for programs is the sum of their deposits;
	/// - an undecided commitment's program is registered and needed by at least as many jobs as have
	///   commitments;
	/// - every commitment has one task, the one its phase calls for, and every result has one task, to
	///   be forgotten; no job has both, and no task is left over or behind the next block to run;
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
		for (job, commitment) in Commitments::<T>::iter() {
			ensure!(
				Agenda::<T>::get(commitment.due, job) == Some(commitment.phase.task()),
				"a commitment has no task, or not the one its phase calls for"
			);
			ensure!(!Results::<T>::contains_key(job), "a job has a commitment and a result");
		}
		for (job, result) in Results::<T>::iter() {
			ensure!(
				Agenda::<T>::get(result.due, job) == Some(Task::Forget),
				"a result is not on the agenda to be forgotten"
			);
		}
		let tasks = Agenda::<T>::iter_keys().count();
		let owners =
			Commitments::<T>::iter_keys().count().saturating_add(Results::<T>::iter_keys().count());
		ensure!(tasks == owners, "a task belongs to nothing");
		if let Some(next) = NextDue::<T>::get() {
			ensure!(Agenda::<T>::iter_keys().all(|(due, _)| due >= next), "a task was left behind");
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
