// SPDX-License-Identifier: Apache-2.0

//! Weights of the calls of `pallet_tensornet_staking`. Reads and writes are
//! counted, one for each storage item touched; the times are estimates until `benchmarking.rs` has been
//! run on a named machine.

use core::marker::PhantomData;
use frame_support::{traits::Get, weights::Weight};

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
	/// [`tensornet_protocol::Nodes::job_released`] for fraud with every chunk in use, both payees and every other slash pending.
	fn job_released() -> Weight;
	/// [`crate::Pallet::delegate`] of a delegator who has every liability, all of them over, and joins anew.
	fn delegate() -> Weight;
	/// [`crate::Pallet::undelegate`] of everything, likewise.
	fn undelegate() -> Weight;
	/// [`crate::Pallet::withdraw_undelegated`] of every chunk, which ends the pool.
	fn withdraw_undelegated() -> Weight;
	/// [`crate::Pallet::redelegate`] of everything with a slash to burn, to a new node.
	fn redelegate() -> Weight;
	/// [`crate::Pallet::settle`] of a slashed delegation with every liability over.
	fn settle() -> Weight;
	/// [`crate::Pallet::set_commission`] of a node with delegators.
	fn set_commission() -> Weight;
	/// [`crate::Pallet::claim_rewards`] with delegators who just joined.
	fn claim_rewards() -> Weight;
	/// [`crate::Pallet::claim_delegation`] of a slashed delegation.
	fn claim_delegation() -> Weight;
	/// [`crate::Pallet::enact_slash`] with both payees, of a node with delegators that left.
	fn enact_slash() -> Weight;
	/// [`crate::Pallet::cancel_slash`] of one among the most.
	fn cancel_slash() -> Weight;
	/// [`crate::Pallet::heartbeat`] for `n` nodes.
	fn heartbeat(n: u32) -> Weight;
	/// [`crate::Pallet::set_monitor`].
	fn set_monitor() -> Weight;
	/// [`tensornet_protocol::OnSettled::job_settled`] for the first job of a node in an era.
	fn job_settled() -> Weight;
	/// Looking whether a slash is due.
	fn slashes_base() -> Weight;
	/// Looking through one block of the agenda of slashes.
	fn slashes_block() -> Weight;
	/// Looking whether an era has lapsed, and forgetting its total.
	fn prune_base() -> Weight;
	/// Forgetting what one node did in an era.
	fn prune_entry() -> Weight;
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
		Weight::from_parts(250_000_000, 56662).saturating_add(T::DbWeight::get().reads(132))
	}
	/// Storage: `Nodes` (r:1 w:1)
	fn job_taken() -> Weight {
		Weight::from_parts(14_000_000, 4407)
			.saturating_add(T::DbWeight::get().reads(1))
			.saturating_add(T::DbWeight::get().writes(1))
	}
	/// Storage: `Nodes` (r:2 w:2), `Online` (r:1 w:2), `OnlineCount` (r:1 w:1), `PendingSlashes` (r:1 w:1), `NextSlashId` (r:1 w:1), `SlashAgenda` (r:0 w:1), `SlashesDue` (r:1 w:1), the era, the delay and the shares (r:6 w:0); without a delay `System::Account` (r:3 w:3), `Balances::Holds` (r:1 w:1), `Pools` (r:1 w:1), the burn ledger (r:1 w:1)
	fn job_released() -> Weight {
		Weight::from_parts(170_000_000, 13_000)
			.saturating_add(T::DbWeight::get().reads(19))
			.saturating_add(T::DbWeight::get().writes(12))
	}
	/// Storage: `Nodes` (r:1 w:1), `Pools` (r:5 w:5), `PendingSlashes` (r:4 w:0), `LastWorked` (r:1 w:0), `EraBurn` (r:2 w:0), `Delegations` (r:1 w:1), `JoinedIn` (r:1 w:2), `Balances::Holds` (r:1 w:1), `System::Account` (r:1 w:1), the burn ledger (r:1 w:1), the consensus chain (r:1 w:1), the era (r:1 w:0)
	fn delegate() -> Weight {
		Weight::from_parts(150_000_000, 9000)
			.saturating_add(T::DbWeight::get().reads(18))
			.saturating_add(T::DbWeight::get().writes(13))
	}
	/// Storage: `Pools` (r:5 w:5), `PendingSlashes` (r:4 w:0), `Delegations` (r:1 w:1), `JoinedIn` (r:1 w:1), `Nodes` (r:1 w:1), `Balances::Holds` (r:1 w:1), `System::Account` (r:1 w:1), the burn ledger (r:1 w:1)
	fn undelegate() -> Weight {
		Weight::from_parts(130_000_000, 9000)
			.saturating_add(T::DbWeight::get().reads(15))
			.saturating_add(T::DbWeight::get().writes(11))
	}
	/// Storage: `PendingSlashes` (r:1 w:0), `Pools` (r:1 w:1), `Delegations` (r:1 w:1), `JoinedIn` (r:1 w:1), `Nodes` (r:1 w:1), `Balances::Holds` (r:1 w:1), `System::Account` (r:2 w:2), the burn ledger (r:1 w:1), the consensus chain (r:1 w:1)
	fn withdraw_undelegated() -> Weight {
		Weight::from_parts(160_000_000, 9000)
			.saturating_add(T::DbWeight::get().reads(14))
			.saturating_add(T::DbWeight::get().writes(10))
	}
	/// Storage: `Nodes` (r:2 w:2), `PendingSlashes` (r:5 w:0), `Pools` (r:6 w:6), `Delegations` (r:2 w:2), `JoinedIn` (r:1 w:2), `LastWorked` (r:1 w:0), `EraBurn` (r:2 w:0), `Balances::Holds` (r:1 w:1), `System::Account` (r:1 w:1), the burn ledger (r:1 w:1), the era (r:1 w:0)
	fn redelegate() -> Weight {
		Weight::from_parts(210_000_000, 12000)
			.saturating_add(T::DbWeight::get().reads(22))
			.saturating_add(T::DbWeight::get().writes(18))
	}
	/// Storage: `Pools` (r:5 w:5), `PendingSlashes` (r:4 w:0), `Delegations` (r:1 w:1), `JoinedIn` (r:1 w:1), `Nodes` (r:1 w:1), `Balances::Holds` (r:1 w:1), `System::Account` (r:1 w:1), the burn ledger (r:1 w:1)
	fn settle() -> Weight {
		Weight::from_parts(120_000_000, 9000)
			.saturating_add(T::DbWeight::get().reads(15))
			.saturating_add(T::DbWeight::get().writes(12))
	}
	/// Storage: `Nodes` (r:1 w:1), `Pools` (r:1 w:0), the era (r:1 w:0)
	fn set_commission() -> Weight {
		Weight::from_parts(25_000_000, 5000)
			.saturating_add(T::DbWeight::get().reads(3))
			.saturating_add(T::DbWeight::get().writes(1))
	}
	/// Storage: the era (r:1 w:0), `EraBurn` (r:2 w:1), what jobs burned (r:1 w:0), `Pools` (r:1 w:1), `JoinedIn` (r:0 w:1), the budget (r:1 w:1), what was emitted (r:2 w:2), `System::Account` (r:2 w:2), the account's rewards (r:1 w:1)
	fn claim_rewards() -> Weight {
		Weight::from_parts(130_000_000, 9000)
			.saturating_add(T::DbWeight::get().reads(15))
			.saturating_add(T::DbWeight::get().writes(11))
	}
	/// Storage: `Pools` (r:1 w:1), `Delegations` (r:1 w:1), `JoinedIn` (r:1 w:1), `Nodes` (r:1 w:1), `Balances::Holds` (r:1 w:1), `System::Account` (r:2 w:2), the burn ledger (r:1 w:1), the account's rewards (r:1 w:1)
	fn claim_delegation() -> Weight {
		Weight::from_parts(140_000_000, 9000)
			.saturating_add(T::DbWeight::get().reads(13))
			.saturating_add(T::DbWeight::get().writes(11))
	}
	/// Storage: `PendingSlashes` (r:1 w:1), `Nodes` (r:1 w:1), `SlashAgenda` (r:0 w:1), `SlashesDue` (r:1 w:1), `Balances::Holds` (r:1 w:1), `System::Account` (r:3 w:3), the burn ledger (r:1 w:1), `Pools` (r:1 w:1)
	fn enact_slash() -> Weight {
		Weight::from_parts(175_000_000, 13000)
			.saturating_add(T::DbWeight::get().reads(11))
			.saturating_add(T::DbWeight::get().writes(12))
	}
	/// Storage: `PendingSlashes` (r:1 w:1), `Nodes` (r:1 w:1), `SlashAgenda` (r:0 w:1), `SlashesDue` (r:1 w:1)
	fn cancel_slash() -> Weight {
		Weight::from_parts(45_000_000, 13000)
			.saturating_add(T::DbWeight::get().reads(3))
			.saturating_add(T::DbWeight::get().writes(4))
	}
	/// Storage: the period (r:1 w:0), `Nodes` (r:n w:n)
	fn heartbeat(n: u32) -> Weight {
		Weight::from_parts(8_000_000, 1500)
			.saturating_add(Weight::from_parts(9_000_000, 4_600).saturating_mul(n.into()))
			.saturating_add(T::DbWeight::get().reads(1))
			.saturating_add(T::DbWeight::get().reads_writes(n.into(), n.into()))
	}
	/// Storage: `Nodes` (r:1 w:1)
	fn set_monitor() -> Weight {
		Weight::from_parts(20_000_000, 5000)
			.saturating_add(T::DbWeight::get().reads(1))
			.saturating_add(T::DbWeight::get().writes(1))
	}
	/// Storage: the era (r:1 w:0), `EraBurn` (r:1 w:1), `Nodes` (r:1 w:0), `Pools` (r:1 w:0), `LastWorked` (r:1 w:1)
	fn job_settled() -> Weight {
		Weight::from_parts(30_000_000, 7000)
			.saturating_add(T::DbWeight::get().reads(5))
			.saturating_add(T::DbWeight::get().writes(2))
	}
	/// Storage: `SlashesDue` (r:1 w:1)
	fn slashes_base() -> Weight {
		Weight::from_parts(4_000_000, 1600)
			.saturating_add(T::DbWeight::get().reads(1))
			.saturating_add(T::DbWeight::get().writes(1))
	}
	/// Storage: `SlashAgenda` (r:1 w:0)
	fn slashes_block() -> Weight {
		Weight::from_parts(4_000_000, 3500).saturating_add(T::DbWeight::get().reads(1))
	}
	/// Storage: `OldestEra` (r:1 w:1), the era (r:1 w:0), `EraBurn` (r:1 w:0)
	fn prune_base() -> Weight {
		Weight::from_parts(8_000_000, 3500)
			.saturating_add(T::DbWeight::get().reads(3))
			.saturating_add(T::DbWeight::get().writes(1))
	}
	/// Storage: `EraBurn` (r:1 w:1)
	fn prune_entry() -> Weight {
		Weight::from_parts(6_000_000, 3600)
			.saturating_add(T::DbWeight::get().reads(1))
			.saturating_add(T::DbWeight::get().writes(1))
	}
}
