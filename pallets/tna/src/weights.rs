// SPDX-License-Identifier: Apache-2.0

//! Weights of the calls of `pallet_tensornet_tna`. Reads and writes are
//! counted, one for each storage item touched; the times are estimates until `benchmarking.rs` has been
//! run on a named machine.

use core::marker::PhantomData;
use frame_support::{traits::Get, weights::Weight};

/// Weights of the calls.
pub trait WeightInfo {
	/// [`crate::Pallet::burn`].
	fn burn() -> Weight;
	/// [`crate::FeeHandler`] with a fee that is shared three ways.
	fn share_fee() -> Weight;
	/// [`tensornet_protocol::OnEraEnd::era_ended`] that lets an old budget lapse.
	fn end_era() -> Weight;
	/// [`tensornet_protocol::Emission::mint`] to an account that has earned before.
	fn mint() -> Weight;
}

/// Weights over the database weights of the runtime.
pub struct SubstrateWeight<T>(PhantomData<T>);

impl<T: frame_system::Config> WeightInfo for SubstrateWeight<T> {
	/// Storage: `System::Account` (r:1 w:1), `Tna::Burned` (r:1 w:1)
	fn burn() -> Weight {
		Weight::from_parts(42_000_000, 3593)
			.saturating_add(T::DbWeight::get().reads(2))
			.saturating_add(T::DbWeight::get().writes(2))
	}
	/// Storage: `System::Account` (r:2 w:2), `Tna::Burned` (r:1 w:1)
	fn share_fee() -> Weight {
		Weight::from_parts(48_000_000, 6196)
			.saturating_add(T::DbWeight::get().reads(3))
			.saturating_add(T::DbWeight::get().writes(3))
	}
	/// Storage: `Tna::Budgets` (r:1 w:2), `Tna::EraJobBurn` (r:1 w:1), `Tna::ReserveLeft` (r:1 w:1), the parameters of emission (r:3 w:0)
	fn end_era() -> Weight {
		Weight::from_parts(38_000_000, 7404)
			.saturating_add(T::DbWeight::get().reads(6))
			.saturating_add(T::DbWeight::get().writes(4))
	}
	/// Storage: `Tna::Budgets` (r:1 w:1), `System::Account` (r:1 w:1), `Tna::Emitted` (r:1 w:1), `Tna::Rewards` (r:1 w:1)
	fn mint() -> Weight {
		Weight::from_parts(52_000_000, 3593)
			.saturating_add(T::DbWeight::get().reads(4))
			.saturating_add(T::DbWeight::get().writes(4))
	}
}
