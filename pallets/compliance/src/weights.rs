// SPDX-License-Identifier: Apache-2.0

//! Weights of `pallet_tensornet_compliance`: estimates until `make weights` measures them.

use core::marker::PhantomData;
use frame_support::{traits::Get, weights::Weight};

/// What each part of the pallet weighs. The benchmark of the same name says what is measured.
pub trait WeightInfo {
	/// `apply`.
	fn apply() -> Weight;
	/// `resign`.
	fn resign() -> Weight;
	/// `appoint`.
	fn appoint() -> Weight;
	/// `dismiss`.
	fn dismiss() -> Weight;
	/// `attest`.
	fn attest() -> Weight;
	/// `revoke`.
	fn revoke() -> Weight;
	/// `sanction`.
	fn sanction() -> Weight;
	/// `lift`.
	fn lift() -> Weight;
}

/// Weights with the database costs of `T`.
pub struct SubstrateWeight<T>(PhantomData<T>);

impl<T: frame_system::Config> WeightInfo for SubstrateWeight<T> {
	fn apply() -> Weight {
		Weight::from_parts(60_000_000, 4_000).saturating_add(T::DbWeight::get().reads_writes(2, 2))
	}
	fn resign() -> Weight {
		Weight::from_parts(60_000_000, 4_000).saturating_add(T::DbWeight::get().reads_writes(2, 2))
	}
	fn appoint() -> Weight {
		Weight::from_parts(20_000_000, 4_000).saturating_add(T::DbWeight::get().reads_writes(1, 1))
	}
	fn dismiss() -> Weight {
		Weight::from_parts(90_000_000, 4_000).saturating_add(T::DbWeight::get().reads_writes(3, 3))
	}
	fn attest() -> Weight {
		Weight::from_parts(40_000_000, 4_000).saturating_add(T::DbWeight::get().reads_writes(2, 1))
	}
	fn revoke() -> Weight {
		Weight::from_parts(40_000_000, 4_000).saturating_add(T::DbWeight::get().reads_writes(1, 1))
	}
	fn sanction() -> Weight {
		Weight::from_parts(20_000_000, 4_000).saturating_add(T::DbWeight::get().reads_writes(1, 1))
	}
	fn lift() -> Weight {
		Weight::from_parts(20_000_000, 4_000).saturating_add(T::DbWeight::get().reads_writes(1, 1))
	}
}
