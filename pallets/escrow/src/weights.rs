// SPDX-License-Identifier: Apache-2.0

//! Weights of the escrow's calls, of the steps of its agenda, and of what proof of compute asks of it.
//!
//! What all jobs of a block read and write together is left out: see `Config::SharedWeight`. Beside what
//! is listed, the balance of a signer is paid for with every transaction.

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
	/// Looking for the tasks of one block, and putting back what is left of them.
	fn agenda_block() -> Weight;
	/// Dropping an entry that means nothing any more.
	fn agenda_entry() -> Weight;
	/// Looking at `d` nodes for a job, asking for the compliance of one, and giving the job to it or
	/// putting it off.
	fn assign(d: u32) -> Weight;
	/// Asking for the compliance of one more node.
	fn compliance() -> Weight;
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
	/// Paying a job whose contributors have sponsors, and ending it.
	fn verified() -> Weight;
	/// Judging a node after its commitment and queueing its job again.
	fn failed_requeue() -> Weight;
	/// Judging a node after its commitment and ending its job.
	fn failed_expire() -> Weight;
}

/// Weights by the database weights of the runtime.
pub struct SubstrateWeight<T>(PhantomData<T>);

impl<T: frame_system::Config> WeightInfo for SubstrateWeight<T> {
	/// Storage: sanctions (r:1), `Programs` (r:1 w:1), `Balances::Holds` (r:1 w:1), `Jobs` (w:1)
	fn submit_job() -> Weight {
		Weight::from_parts(90_000_000, 9_000).saturating_add(T::DbWeight::get().reads_writes(3, 3))
	}
	/// Storage: `Jobs` (r:1 w:1), `Balances::Holds` (r:1 w:1), `Programs` (r:1 w:1), `Outcomes` (w:1)
	fn cancel_job() -> Weight {
		Weight::from_parts(95_000_000, 9_000).saturating_add(T::DbWeight::get().reads_writes(3, 4))
	}
	/// Storage: `AgendaCursor` (r:1 w:1)
	fn agenda_base() -> Weight {
		Weight::from_parts(5_000_000, 1_500).saturating_add(T::DbWeight::get().reads_writes(1, 1))
	}
	/// Storage: `Agenda` (r:1 w:1)
	fn agenda_block() -> Weight {
		Weight::from_parts(10_000_000, 3_000).saturating_add(T::DbWeight::get().reads_writes(1, 1))
	}
	/// Storage: `Jobs` (r:1)
	fn agenda_entry() -> Weight {
		Weight::from_parts(5_000_000, 3_000).saturating_add(T::DbWeight::get().reads_writes(1, 0))
	}
	/// Storage: `Jobs` (r:1 w:1), `Online` (r:d), `Nodes` (r:d w:1), sanctions (r:1), `Agenda` (r:1 w:1)
	fn assign(d: u32) -> Weight {
		Weight::from_parts(60_000_000, 6_000)
			.saturating_add(Weight::from_parts(5_000_000, 4_000).saturating_mul(d.into()))
			.saturating_add(T::DbWeight::get().reads_writes(3, 3))
			.saturating_add(T::DbWeight::get().reads(2).saturating_mul(d.into()))
	}
	/// Storage: sanctions (r:1), attestations (r:1), registrars (r:4)
	fn compliance() -> Weight {
		Weight::from_parts(20_000_000, 8_000).saturating_add(T::DbWeight::get().reads_writes(6, 0))
	}
	/// Storage: `Jobs` (r:1 w:1), `Balances::Holds` (r:1 w:1), `System::Account` (r:1 w:1), `Programs`
	/// (r:1 w:1), `Outcomes` (w:1)
	fn expire() -> Weight {
		Weight::from_parts(95_000_000, 9_000).saturating_add(T::DbWeight::get().reads_writes(4, 5))
	}
	/// Storage: `Jobs` (r:1 w:1), `Nodes` (r:2 w:2), `Online` (r:1 w:2), `Balances::Holds` (r:1 w:1),
	/// `System::Account` (r:1 w:1)
	fn commit_deadline_requeue() -> Weight {
		Weight::from_parts(110_000_000, 15_000)
			.saturating_add(T::DbWeight::get().reads_writes(8, 8))
	}
	/// Storage: as `commit_deadline_requeue` and `expire`
	fn commit_deadline_expire() -> Weight {
		Weight::from_parts(180_000_000, 15_000)
			.saturating_add(T::DbWeight::get().reads_writes(12, 12))
	}
	/// Storage: `Outcomes` (w:1)
	fn forget() -> Weight {
		Weight::from_parts(5_000_000, 3_000).saturating_add(T::DbWeight::get().reads_writes(0, 1))
	}
	/// Storage: `Jobs` (r:1 w:1)
	fn committed() -> Weight {
		Weight::from_parts(22_000_000, 4_500).saturating_add(T::DbWeight::get().reads_writes(1, 1))
	}
	/// Storage: `Jobs` (r:1 w:1), `Outcomes` (w:1), `Programs` (r:1 w:1), `Nodes` (r:1 w:1), `EraBurn` (r:1
	/// w:1), `Members` (r:3), `Records` (r:3 w:3), `System::Account` (r:3 w:3), `Balances::Holds` (r:1
	/// w:1). A node's first job of an era: `Pools` (r:1), `LastWorked` (r:1 w:1)
	fn verified() -> Weight {
		Weight::from_parts(260_000_000, 40_000)
			.saturating_add(T::DbWeight::get().reads_writes(16, 13))
	}
	/// Storage: as `commit_deadline_requeue`, and the slash set aside
	fn failed_requeue() -> Weight {
		Weight::from_parts(120_000_000, 15_000)
			.saturating_add(T::DbWeight::get().reads_writes(14, 10))
	}
	/// Storage: as `failed_requeue` and `expire`
	fn failed_expire() -> Weight {
		Weight::from_parts(190_000_000, 15_000)
			.saturating_add(T::DbWeight::get().reads_writes(18, 15))
	}
}
