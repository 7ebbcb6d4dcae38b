// SPDX-License-Identifier: Apache-2.0

//! Weights of the calls, of the tasks, and of the parts of a verification.
//!
//! What all jobs of a block read and write together is left out; every block pays for it once, with the
//! escrow's share of it.

use core::marker::PhantomData;
use frame_support::{
	traits::Get,
	weights::{constants::WEIGHT_REF_TIME_PER_NANOS, Weight},
};

/// What each part of the pallet weighs.
pub trait WeightInfo {
	/// `p`: KiB of the program.
	fn register_program(p: u32) -> Weight;
	/// Independent of the program.
	fn unregister_program() -> Weight;
	/// Including what the ledger of jobs does.
	fn commit() -> Weight;
	/// `b`: KiB of the manifest's opening.
	fn reveal(b: u32) -> Weight;
	/// Without loading the program and recomputing the elements.
	fn answer_audit() -> Weight;
	/// Without loading the program and recomputing the element.
	fn prove_fraud() -> Weight;
	/// Reading and checking a program. `p`: KiB of it.
	fn load_program(p: u32) -> Weight;
	/// Recomputing one element. `m`: 1024 multiply-accumulates; `b`: KiB of the proof.
	fn verify_element(m: u32, b: u32) -> Weight;
	/// Looking for the tasks of a block, and putting back what is left of them.
	fn agenda_step() -> Weight;
	/// Dropping a task that means nothing any more.
	fn task_stale() -> Weight;
	/// Failing an attempt whose time is over.
	fn task_fail() -> Weight;
	/// Drawing an audit. `c`: checkpoints of the program.
	fn task_draw(c: u32) -> Weight;
	/// Settling a job whose contributors have sponsors.
	fn task_settle() -> Weight;
	/// Forgetting a result.
	fn task_forget() -> Weight;
	/// Mixing the beacon at the end of a block.
	fn mix_beacon() -> Weight;
}

/// Execution time as weight.
///
/// The figures are those of the benchmarks' bodies run natively on a loaded two-core machine, times
/// two and a half for WASM and rounded up; the most steps that the analysis may spend are part of the
/// base of `register_program`, the most operators of a program part of that of `load_program`.
const fn nanoseconds(n: u64) -> Weight {
	Weight::from_parts(n.saturating_mul(WEIGHT_REF_TIME_PER_NANOS), 0)
}

/// Weights with the database costs of `T`.
pub struct SubstrateWeight<T>(PhantomData<T>);

impl<T: frame_system::Config> WeightInfo for SubstrateWeight<T> {
	fn register_program(p: u32) -> Weight {
		nanoseconds(30_000_000)
			.saturating_add(nanoseconds(60_000).saturating_mul(u64::from(p)))
			.saturating_add(T::DbWeight::get().reads_writes(9, 4))
	}

	fn unregister_program() -> Weight {
		nanoseconds(90_000).saturating_add(T::DbWeight::get().reads_writes(2, 4))
	}

	/// Storage: `Operators` (r:1), escrow's `Jobs` (r:1 w:1), `Commitments` (r:1 w:1)
	fn commit() -> Weight {
		nanoseconds(60_000).saturating_add(T::DbWeight::get().reads_writes(3, 2))
	}

	/// Storage: `Operators` (r:1), `Commitments` (r:1 w:1), `Programs` (r:1)
	fn reveal(b: u32) -> Weight {
		nanoseconds(60_000)
			.saturating_add(nanoseconds(6_000).saturating_mul(u64::from(b)))
			.saturating_add(T::DbWeight::get().reads_writes(3, 1))
	}

	fn answer_audit() -> Weight {
		nanoseconds(150_000).saturating_add(T::DbWeight::get().reads_writes(14, 14))
	}

	fn prove_fraud() -> Weight {
		nanoseconds(150_000).saturating_add(T::DbWeight::get().reads_writes(14, 14))
	}

	fn load_program(p: u32) -> Weight {
		nanoseconds(2_000_000)
			.saturating_add(nanoseconds(20_000).saturating_mul(u64::from(p)))
			.saturating_add(T::DbWeight::get().reads_writes(1, 0))
	}

	fn verify_element(m: u32, b: u32) -> Weight {
		nanoseconds(60_000)
			.saturating_add(nanoseconds(80_000).saturating_mul(u64::from(m)))
			.saturating_add(nanoseconds(8_000).saturating_mul(u64::from(b)))
			.saturating_add(T::DbWeight::get().reads_writes(0, 0))
	}

	/// Storage: `Agenda` (r:1 w:1)
	fn agenda_step() -> Weight {
		nanoseconds(12_000).saturating_add(T::DbWeight::get().reads_writes(1, 1))
	}

	/// Storage: `Commitments` (r:1)
	fn task_stale() -> Weight {
		nanoseconds(5_000).saturating_add(T::DbWeight::get().reads_writes(1, 0))
	}

	fn task_fail() -> Weight {
		nanoseconds(130_000).saturating_add(T::DbWeight::get().reads_writes(12, 12))
	}

	/// Storage: `Commitments` (r:1 w:1), `ProgramCheckpoints` (r:1)
	fn task_draw(c: u32) -> Weight {
		nanoseconds(30_000)
			.saturating_add(nanoseconds(50).saturating_mul(u64::from(c)))
			.saturating_add(T::DbWeight::get().reads_writes(2, 1))
	}

	/// Storage: `Commitments` (r:1 w:1), `Results` (w:1), and as the escrow's `verified`
	fn task_settle() -> Weight {
		nanoseconds(300_000).saturating_add(T::DbWeight::get().reads_writes(17, 15))
	}

	/// Storage: `Results` (r:1 w:1)
	fn task_forget() -> Weight {
		nanoseconds(8_000).saturating_add(T::DbWeight::get().reads_writes(1, 1))
	}

	fn mix_beacon() -> Weight {
		nanoseconds(15_000).saturating_add(T::DbWeight::get().reads_writes(2, 3))
	}
}
