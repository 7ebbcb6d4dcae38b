// SPDX-License-Identifier: Apache-2.0

//! Weights of `pallet_tensornet_consensus_chain`: estimates until `make weights` measures them. What a
//! settled job asks of this pallet is part of the weight of settling, in the pallet that settles. The
//! pot and the burn ledger are left out: every block pays for them once, in the pallet that settles.

use core::marker::PhantomData;
use frame_support::{traits::Get, weights::Weight};

/// What each part of the pallet weighs. The benchmark of the same name says what is measured.
pub trait WeightInfo {
	/// `join`.
	fn join() -> Weight;
	/// `set_sponsor`.
	fn set_sponsor() -> Weight;
	/// `leave`.
	fn leave() -> Weight;
	/// `clear`.
	fn clear() -> Weight;
	/// `pass_on`, which `a` ancestors receive something of; all others are looked at.
	fn pass_on(a: u32) -> Weight;
	/// Looking at the front of the queue, and moving it.
	fn queue_base() -> Weight;
}

/// Weights with the database costs of `T`.
pub struct SubstrateWeight<T>(PhantomData<T>);

impl<T: frame_system::Config> WeightInfo for SubstrateWeight<T> {
	fn join() -> Weight {
		Weight::from_parts(50_000_000, 4_000).saturating_add(T::DbWeight::get().reads_writes(5, 4))
	}
	fn set_sponsor() -> Weight {
		Weight::from_parts(58_000_000, 7_000).saturating_add(T::DbWeight::get().reads_writes(6, 4))
	}
	fn leave() -> Weight {
		Weight::from_parts(52_000_000, 4_000).saturating_add(T::DbWeight::get().reads_writes(6, 3))
	}
	fn clear() -> Weight {
		Weight::from_parts(15_000_000, 4_000).saturating_add(T::DbWeight::get().reads_writes(2, 1))
	}
	/// Storage: `Records` (r:7 w:1), `Members` (r:7 w:0), sanctions (r:6 w:0), `System::Account` (r:a w:a)
	fn pass_on(a: u32) -> Weight {
		Weight::from_parts(90_000_000, 50_000)
			.saturating_add(Weight::from_parts(20_000_000, 2_600).saturating_mul(a.into()))
			.saturating_add(T::DbWeight::get().reads_writes(20, 1))
			.saturating_add(T::DbWeight::get().reads_writes(1, 1).saturating_mul(a.into()))
	}
	/// Storage: `QueueBounds` (r:1 w:1), `Queue` (r:1 w:1)
	fn queue_base() -> Weight {
		Weight::from_parts(15_000_000, 6_000).saturating_add(T::DbWeight::get().reads_writes(2, 2))
	}
}
