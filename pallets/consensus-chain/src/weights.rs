// SPDX-License-Identifier: Apache-2.0

//! Weights of `pallet_tensornet_consensus_chain`: estimates until `make weights` measures them. What a
//! settled job asks of this pallet is part of the weight of settling, in the pallet that settles.

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
}
