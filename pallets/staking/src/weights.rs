// SPDX-License-Identifier: Apache-2.0

//! Weights of the calls of `pallet_tensornet_staking`. Reads and writes are
//! counted, one for each storage item touched; the times are estimates until `benchmarking.rs` has been
//! run on a named machine.

use core::marker::PhantomData;
use frame_support::{
	traits::Get,
	weights::{constants::RocksDbWeight, Weight},
};

/// Weights of the calls, and of what other pallets ask of this one.
pub trait WeightInfo {
	/// [`crate::Pallet::register_node`] with an endpoint of `e` bytes.
	fn register_node(e: u32) -> Weight;
	/// [`crate::Pallet::bond_more`].
	fn bond_more() -> Weight;
	/// [`crate::Pallet::unbond`] with the last free place.
	fn unbond() -> Weight;
	/// [`crate::Pallet::withdraw_unbonded`] of every chunk, which removes the record.
	fn withdraw_unbonded() -> Weight;
	/// [`crate::Pallet::update_node`] with an endpoint of `e` bytes.
	fn update_node(e: u32) -> Weight;
	/// [`crate::Pallet::rotate_operator`].
	fn rotate_operator() -> Weight;
	/// [`crate::Pallet::set_online`] by the operator of a node whose place the last one takes.
	fn set_online() -> Weight;
	/// [`crate::Pallet::deregister_node`] of an online node whose place the last one takes.
	fn deregister_node() -> Weight;
	/// [`tensornet_protocol::Nodes::pick`] that looks at the most nodes and finds none.
	fn pick() -> Weight;
	/// [`tensornet_protocol::Nodes::job_taken`].
	fn job_taken() -> Weight;
	/// [`tensornet_protocol::Nodes::job_released`] for fraud with every chunk in use and both payees.
	fn job_released() -> Weight;
}

/// Weights over the database weights of the runtime.
pub struct SubstrateWeight<T>(PhantomData<T>);

impl<T: frame_system::Config> WeightInfo for SubstrateWeight<T> {
	/// Storage: `Nodes` (r:1 w:1), `Operators` (r:1 w:1), `Balances::Holds` (r:1 w:1)
	fn register_node(e: u32) -> Weight {
		Weight::from_parts(45_000_000, 4407)
			.saturating_add(Weight::from_parts(1_200, 0).saturating_mul(e.into()))
			.saturating_add(T::DbWeight::get().reads(10))
			.saturating_add(T::DbWeight::get().writes(3))
	}
	/// Storage: `Nodes` (r:1 w:1), `Balances::Holds` (r:1 w:1)
	fn bond_more() -> Weight {
		Weight::from_parts(43_000_000, 4407)
			.saturating_add(T::DbWeight::get().reads(2))
			.saturating_add(T::DbWeight::get().writes(2))
	}
	/// Storage: `Nodes` (r:1 w:1)
	fn unbond() -> Weight {
		Weight::from_parts(22_000_000, 4407)
			.saturating_add(T::DbWeight::get().reads(1))
			.saturating_add(T::DbWeight::get().writes(1))
	}
	/// Storage: `Nodes` (r:1 w:1), `Balances::Holds` (r:1 w:1), `System::Account` (r:1 w:1)
	fn withdraw_unbonded() -> Weight {
		Weight::from_parts(46_000_000, 4407)
			.saturating_add(T::DbWeight::get().reads(3))
			.saturating_add(T::DbWeight::get().writes(3))
	}
	/// Storage: `Nodes` (r:1 w:1)
	fn update_node(e: u32) -> Weight {
		Weight::from_parts(20_000_000, 4407)
			.saturating_add(Weight::from_parts(1_200, 0).saturating_mul(e.into()))
			.saturating_add(T::DbWeight::get().reads(1))
			.saturating_add(T::DbWeight::get().writes(1))
	}
	/// Storage: `Nodes` (r:1 w:1), `Operators` (r:1 w:2)
	fn rotate_operator() -> Weight {
		Weight::from_parts(24_000_000, 4407)
			.saturating_add(T::DbWeight::get().reads(2))
			.saturating_add(T::DbWeight::get().writes(3))
	}
	/// Storage: `Nodes` (r:3 w:2), `Operators` (r:1 w:0), `Online` (r:1 w:2), `OnlineCount` (r:1 w:1)
	fn set_online() -> Weight {
		Weight::from_parts(32_000_000, 7824)
			.saturating_add(T::DbWeight::get().reads(13))
			.saturating_add(T::DbWeight::get().writes(5))
	}
	/// Storage: `Nodes` (r:2 w:2), `Operators` (r:0 w:1), `Online` (r:1 w:2), `OnlineCount` (r:1 w:1)
	fn deregister_node() -> Weight {
		Weight::from_parts(38_000_000, 7824)
			.saturating_add(T::DbWeight::get().reads(4))
			.saturating_add(T::DbWeight::get().writes(6))
	}
	/// Storage: `OnlineCount` (r:1 w:0), `Online` (r:16 w:0), `Nodes` (r:16 w:0), the level required (r:1 w:0), and of each its sanction, attestations and their registrars (r:96 w:0)
	fn pick() -> Weight {
		Weight::from_parts(250_000_000, 56662).saturating_add(T::DbWeight::get().reads(130))
	}
	/// Storage: `Nodes` (r:1 w:1)
	fn job_taken() -> Weight {
		Weight::from_parts(14_000_000, 4407)
			.saturating_add(T::DbWeight::get().reads(1))
			.saturating_add(T::DbWeight::get().writes(1))
	}
	/// Storage: `Nodes` (r:2 w:2), `Online` (r:1 w:2), `OnlineCount` (r:1 w:1), `System::Account` (r:3 w:3), `Balances::Holds` (r:1 w:1), the burn ledger (r:1 w:1)
	fn job_released() -> Weight {
		Weight::from_parts(155_000_000, 7824)
			.saturating_add(T::DbWeight::get().reads(9))
			.saturating_add(T::DbWeight::get().writes(10))
	}
}

impl WeightInfo for () {
	fn register_node(e: u32) -> Weight {
		Weight::from_parts(45_000_000, 4407)
			.saturating_add(Weight::from_parts(1_200, 0).saturating_mul(e.into()))
			.saturating_add(RocksDbWeight::get().reads(3))
			.saturating_add(RocksDbWeight::get().writes(3))
	}
	fn bond_more() -> Weight {
		Weight::from_parts(43_000_000, 4407)
			.saturating_add(RocksDbWeight::get().reads(2))
			.saturating_add(RocksDbWeight::get().writes(2))
	}
	fn unbond() -> Weight {
		Weight::from_parts(22_000_000, 4407)
			.saturating_add(RocksDbWeight::get().reads(1))
			.saturating_add(RocksDbWeight::get().writes(1))
	}
	fn withdraw_unbonded() -> Weight {
		Weight::from_parts(46_000_000, 4407)
			.saturating_add(RocksDbWeight::get().reads(3))
			.saturating_add(RocksDbWeight::get().writes(3))
	}
	fn update_node(e: u32) -> Weight {
		Weight::from_parts(20_000_000, 4407)
			.saturating_add(Weight::from_parts(1_200, 0).saturating_mul(e.into()))
			.saturating_add(RocksDbWeight::get().reads(1))
			.saturating_add(RocksDbWeight::get().writes(1))
	}
	fn rotate_operator() -> Weight {
		Weight::from_parts(24_000_000, 4407)
			.saturating_add(RocksDbWeight::get().reads(2))
			.saturating_add(RocksDbWeight::get().writes(3))
	}
	fn set_online() -> Weight {
		Weight::from_parts(32_000_000, 7824)
			.saturating_add(RocksDbWeight::get().reads(6))
			.saturating_add(RocksDbWeight::get().writes(5))
	}
	fn deregister_node() -> Weight {
		Weight::from_parts(38_000_000, 7824)
			.saturating_add(RocksDbWeight::get().reads(4))
			.saturating_add(RocksDbWeight::get().writes(6))
	}
	fn pick() -> Weight {
		Weight::from_parts(170_000_000, 56662).saturating_add(RocksDbWeight::get().reads(49))
	}
	fn job_taken() -> Weight {
		Weight::from_parts(14_000_000, 4407)
			.saturating_add(RocksDbWeight::get().reads(1))
			.saturating_add(RocksDbWeight::get().writes(1))
	}
	fn job_released() -> Weight {
		Weight::from_parts(155_000_000, 7824)
			.saturating_add(RocksDbWeight::get().reads(9))
			.saturating_add(RocksDbWeight::get().writes(10))
	}
}
