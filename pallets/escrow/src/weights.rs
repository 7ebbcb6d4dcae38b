// SPDX-License-Identifier: Apache-2.0

//! Weights of the escrow's calls, of the steps of its agenda, and of what proof of compute asks of it.

use core::marker::PhantomData;
use frame_support::{traits::Get, weights::Weight};

/// Weights of the escrow.
pub trait WeightInfo {
	/// Posting a job with the most blobs and the longest hint.
	fn submit_job() -> Weight;
	/// Withdrawing a queued job.
	fn cancel_job() -> Weight;
	/// Looking at the cursor of a lane and moving it.
	fn agenda_base() -> Weight;
	/// Looking for the tasks of one block.
	fn agenda_block() -> Weight;
	/// Drawing a node for a job and giving it to that node, or putting it off.
	fn assign() -> Weight;
	/// Ending a queued job that is out of time.
	fn expire() -> Weight;
	/// Judging a silent node and queueing its job again.
	fn commit_deadline_requeue() -> Weight;
	/// Judging a silent node and ending its job.
	fn commit_deadline_expire() -> Weight;
	/// Removing an old outcome.
	fn forget() -> Weight;
	/// A commitment was accepted for a job.
	fn committed() -> Weight;
	/// Paying a job to four parties and `a` ancestors of its contributors, and ending it.
	fn verified(a: u32) -> Weight;
	/// Judging a node after its commitment and queueing its job again.
	fn failed_requeue() -> Weight;
	/// Judging a node after its commitment and ending its job.
	fn failed_expire() -> Weight;
}

/// Weights by the database weights of the runtime.
pub struct SubstrateWeight<T>(PhantomData<T>);

impl<T: frame_system::Config> WeightInfo for SubstrateWeight<T> {
	fn submit_job() -> Weight {
		Weight::from_parts(90_000_000, 9_000)
			.saturating_add(T::DbWeight::get().reads(15))
			.saturating_add(T::DbWeight::get().writes(7))
	}
	fn cancel_job() -> Weight {
		Weight::from_parts(95_000_000, 9_000)
			.saturating_add(T::DbWeight::get().reads(7))
			.saturating_add(T::DbWeight::get().writes(9))
	}
	fn agenda_base() -> Weight {
		Weight::from_parts(5_000_000, 1_500)
			.saturating_add(T::DbWeight::get().reads(1))
			.saturating_add(T::DbWeight::get().writes(1))
	}
	fn agenda_block() -> Weight {
		Weight::from_parts(6_000_000, 3_000)
			.saturating_add(T::DbWeight::get().reads(1))
			.saturating_add(T::DbWeight::get().writes(0))
	}
	fn assign() -> Weight {
		Weight::from_parts(300_000_000, 60_000)
			.saturating_add(T::DbWeight::get().reads(140))
			.saturating_add(T::DbWeight::get().writes(6))
	}
	fn expire() -> Weight {
		Weight::from_parts(95_000_000, 9_000)
			.saturating_add(T::DbWeight::get().reads(8))
			.saturating_add(T::DbWeight::get().writes(9))
	}
	fn commit_deadline_requeue() -> Weight {
		Weight::from_parts(120_000_000, 15_000)
			.saturating_add(T::DbWeight::get().reads(14))
			.saturating_add(T::DbWeight::get().writes(10))
	}
	fn commit_deadline_expire() -> Weight {
		Weight::from_parts(190_000_000, 15_000)
			.saturating_add(T::DbWeight::get().reads(18))
			.saturating_add(T::DbWeight::get().writes(16))
	}
	fn forget() -> Weight {
		Weight::from_parts(8_000_000, 3_000)
			.saturating_add(T::DbWeight::get().reads(1))
			.saturating_add(T::DbWeight::get().writes(2))
	}
	fn committed() -> Weight {
		Weight::from_parts(25_000_000, 4_500)
			.saturating_add(T::DbWeight::get().reads(2))
			.saturating_add(T::DbWeight::get().writes(2))
	}
	fn verified(a: u32) -> Weight {
		Weight::from_parts(450_000_000, 150_000)
			.saturating_add(Weight::from_parts(35_000_000, 2_700).saturating_mul(a.into()))
			.saturating_add(T::DbWeight::get().reads(62))
			.saturating_add(T::DbWeight::get().reads(2).saturating_mul(a.into()))
			.saturating_add(T::DbWeight::get().writes(24))
			.saturating_add(T::DbWeight::get().writes(1).saturating_mul(a.into()))
	}
	fn failed_requeue() -> Weight {
		Weight::from_parts(120_000_000, 15_000)
			.saturating_add(T::DbWeight::get().reads(14))
			.saturating_add(T::DbWeight::get().writes(10))
	}
	fn failed_expire() -> Weight {
		Weight::from_parts(190_000_000, 15_000)
			.saturating_add(T::DbWeight::get().reads(18))
			.saturating_add(T::DbWeight::get().writes(16))
	}
}
