// SPDX-License-Identifier: Apache-2.0

//! What proof of compute sees of the escrow.

use crate::{Config, Error, Event, Jobs as LiveJobs, Pallet, Phase};
use frame_support::ensure;
use frame_system::pallet_prelude::BlockNumberFor;
use sp_runtime::{DispatchError, DispatchResult};
use tensornet_protocol::{Assignment, Failure, JobId, Jobs, Slash};

impl<T: Config> Jobs for Pallet<T> {
	type AccountId = T::AccountId;
	type BlockNumber = BlockNumberFor<T>;
	type Balance = T::Balance;

	fn assignment(job: JobId) -> Option<Assignment<T::AccountId, BlockNumberFor<T>>> {
		let live = LiveJobs::<T>::get(job)?;
		let attempt = live.phase.attempt()?;
		Some(Assignment {
			node: attempt.node.clone(),
			commit_by: attempt.commit_by,
			requester: live.requester,
			program: live.program,
			blobs: live.blobs,
			iterations: live.iterations,
			attempt: live.attempt,
		})
	}

	fn committed(job: JobId) -> DispatchResult {
		let mut live = LiveJobs::<T>::get(job).ok_or(Error::<T>::UnknownJob)?;
		let Phase::Assigned(attempt) = live.phase.clone() else {
			return Err(Error::<T>::NotAssigned.into());
		};
		let now = frame_system::Pallet::<T>::block_number();
		ensure!(now <= attempt.commit_by, Error::<T>::CommitTooLate);
		let node = attempt.node.clone();
		Self::set_phase(job, &mut live, Phase::Committed(attempt));
		Self::deposit_event(Event::JobCommitted { job, node, requester: live.requester });
		Ok(())
	}

	fn verified(job: JobId) -> DispatchResult {
		let live = LiveJobs::<T>::get(job).ok_or(Error::<T>::UnknownJob)?;
		let Phase::Committed(attempt) = live.phase.clone() else {
			return Err(Error::<T>::NotCommitted.into());
		};
		Self::settle(job, live, attempt, frame_system::Pallet::<T>::block_number());
		Ok(())
	}

	fn failed(
		job: JobId,
		failure: Failure,
		reporter: Option<&T::AccountId>,
	) -> Result<Slash<T::Balance>, DispatchError> {
		let live = LiveJobs::<T>::get(job).ok_or(Error::<T>::UnknownJob)?;
		let Phase::Committed(attempt) = live.phase.clone() else {
			return Err(Error::<T>::NotCommitted.into());
		};
		let now = frame_system::Pallet::<T>::block_number();
		Ok(Self::fail_attempt(job, live, attempt, failure, reporter, now))
	}
}
