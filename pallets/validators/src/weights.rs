// SPDX-License-Identifier: Apache-2.0

//! Weights of the calls of `pallet_tensornet_validators`. Reads and writes are counted, one for each
//! storage item touched; the times are estimates until `benchmarking.rs` has been run on a named machine.

use core::marker::PhantomData;
use frame_support::{traits::Get, weights::Weight};

/// Weights of the calls, and of what happens without one.
pub trait WeightInfo {
	/// [`crate::Pallet::register_candidate`] that takes the smallest of all places.
	fn register_candidate() -> Weight;
	/// [`crate::Pallet::bond_more`] in a full ranking.
	fn bond_more() -> Weight;
	/// [`crate::Pallet::unbond`] with the last free place for a chunk, in a full ranking.
	fn unbond() -> Weight;
	/// [`crate::Pallet::withdraw_unbonded`] of every chunk, which removes the record.
	fn withdraw_unbonded() -> Weight;
	/// [`crate::Pallet::chill`] in a full ranking.
	fn chill() -> Weight;
	/// [`crate::Pallet::stand`] that takes the smallest of all places.
	fn stand() -> Weight;
	/// [`crate::Pallet::leave`] from a full ranking.
	fn leave() -> Weight;
	/// [`crate::Pallet::claim_validator_rewards`].
	fn claim_validator_rewards() -> Weight;
	/// [`crate::Pallet::cancel_slash`] that removes the record.
	fn cancel_slash() -> Weight;
	/// Counting an authored block.
	fn note_author() -> Weight;
	/// Enacting `n` slashes of candidates in a full ranking that pay a reporter.
	fn enact_due_slashes(n: u32) -> Weight;
	/// An offence of `n` candidates in a full ranking, all convicted for the first time.
	fn on_offence(n: u32) -> Weight;
	/// An election among `c` candidates.
	fn elect(c: u32) -> Weight;
}

/// Weights over the database weights of the runtime.
pub struct SubstrateWeight<T>(PhantomData<T>);

impl<T: frame_system::Config> WeightInfo for SubstrateWeight<T> {
	/// Storage: `Ledgers` (r:2 w:2), `Ranking` (r:1 w:1), `Session::NextKeys` (r:1 w:0), `CurrentEra` (r:1 w:0), the least bond (r:1 w:0), `Balances::Holds` (r:1 w:1), `System::Account` (r:1 w:1)
	fn register_candidate() -> Weight {
		Weight::from_parts(110_000_000, 27000)
			.saturating_add(T::DbWeight::get().reads(8))
			.saturating_add(T::DbWeight::get().writes(5))
	}
	/// Storage: `Ledgers` (r:1 w:1), `Ranking` (r:1 w:1), `Balances::Holds` (r:1 w:1), `System::Account` (r:1 w:1)
	fn bond_more() -> Weight {
		Weight::from_parts(105_000_000, 27000)
			.saturating_add(T::DbWeight::get().reads(4))
			.saturating_add(T::DbWeight::get().writes(4))
	}
	/// Storage: `Ledgers` (r:1 w:1), `Ranking` (r:1 w:1), the least bond (r:1 w:0)
	fn unbond() -> Weight {
		Weight::from_parts(85_000_000, 27000)
			.saturating_add(T::DbWeight::get().reads(3))
			.saturating_add(T::DbWeight::get().writes(2))
	}
	/// Storage: `Ledgers` (r:1 w:1), `Balances::Holds` (r:1 w:1), `System::Account` (r:1 w:1)
	fn withdraw_unbonded() -> Weight {
		Weight::from_parts(46_000_000, 4000)
			.saturating_add(T::DbWeight::get().reads(3))
			.saturating_add(T::DbWeight::get().writes(3))
	}
	/// Storage: `Ledgers` (r:1 w:1), `Ranking` (r:1 w:1)
	fn chill() -> Weight {
		Weight::from_parts(70_000_000, 27000)
			.saturating_add(T::DbWeight::get().reads(2))
			.saturating_add(T::DbWeight::get().writes(2))
	}
	/// Storage: `Ledgers` (r:2 w:2), `Ranking` (r:1 w:1), `Session::NextKeys` (r:1 w:0), `CurrentEra` (r:1 w:0), the least bond (r:1 w:0)
	fn stand() -> Weight {
		Weight::from_parts(80_000_000, 27000)
			.saturating_add(T::DbWeight::get().reads(6))
			.saturating_add(T::DbWeight::get().writes(3))
	}
	/// Storage: `Ledgers` (r:1 w:1), `Ranking` (r:1 w:1)
	fn leave() -> Weight {
		Weight::from_parts(80_000_000, 27000)
			.saturating_add(T::DbWeight::get().reads(2))
			.saturating_add(T::DbWeight::get().writes(2))
	}
	/// Storage: `CurrentEra` (r:1 w:0), `Points` (r:1 w:1), `TotalPoints` (r:1 w:0), and the mint: the budget (r:1 w:1), what was emitted (r:1 w:1), the account's rewards (r:1 w:1), `System::Account` (r:1 w:1)
	fn claim_validator_rewards() -> Weight {
		Weight::from_parts(70_000_000, 4000)
			.saturating_add(T::DbWeight::get().reads(8))
			.saturating_add(T::DbWeight::get().writes(5))
	}
	/// Storage: `Slashes` (r:1 w:1), `Ledgers` (r:1 w:1)
	fn cancel_slash() -> Weight {
		Weight::from_parts(30_000_000, 4000)
			.saturating_add(T::DbWeight::get().reads(2))
			.saturating_add(T::DbWeight::get().writes(2))
	}
	/// Storage: `CurrentEra` (r:1 w:0), `Points` (r:1 w:1), `TotalPoints` (r:1 w:1)
	fn note_author() -> Weight {
		Weight::from_parts(12_000_000, 3000)
			.saturating_add(T::DbWeight::get().reads(3))
			.saturating_add(T::DbWeight::get().writes(2))
	}
	/// Storage: `Queue` (r:1 w:1), `CurrentEra` (r:1 w:0), and for each `Slashes` (r:1 w:1), `Ledgers` (r:1 w:1), `Ranking` (r:1 w:1), `Balances::Holds` (r:1 w:1), `System::Account` (r:2 w:2), the burn ledger (r:1 w:1), two parameters (r:2 w:0)
	fn enact_due_slashes(n: u32) -> Weight {
		Weight::from_parts(5_000_000, 27000)
			.saturating_add(Weight::from_parts(190_000_000, 3000).saturating_mul(n.into()))
			.saturating_add(T::DbWeight::get().reads(2))
			.saturating_add(T::DbWeight::get().writes(1))
			.saturating_add(T::DbWeight::get().reads_writes(9, 7).saturating_mul(n.into()))
	}
	/// Storage: `Reporting` (r:1 w:0), and for each `Faults` (r:1 w:1), `Ledgers` (r:1 w:1), `Ranking` (r:1 w:1), `Slashes` (r:1 w:1), `Queue` (r:1 w:1), `CurrentEra` (r:1 w:0), two parameters (r:2 w:0), `Session::Validators` (r:1 w:0), `Session::DisabledValidators` (r:1 w:1)
	fn on_offence(n: u32) -> Weight {
		Weight::from_parts(5_000_000, 27000)
			.saturating_add(Weight::from_parts(110_000_000, 3000).saturating_mul(n.into()))
			.saturating_add(T::DbWeight::get().reads(1))
			.saturating_add(T::DbWeight::get().reads_writes(10, 6).saturating_mul(n.into()))
	}
	/// Storage: `Ranking` (r:1 w:0), `CurrentEra` (r:1 w:0), four parameters (r:4 w:0), `Session::Validators` (r:1 w:0), and for each what its node burned (r:2 w:0) and `Session::NextKeys` (r:1 w:0)
	fn elect(c: u32) -> Weight {
		Weight::from_parts(80_000_000, 27000)
			.saturating_add(Weight::from_parts(12_000_000, 3000).saturating_mul(c.into()))
			.saturating_add(T::DbWeight::get().reads(7))
			.saturating_add(T::DbWeight::get().reads_writes(3, 0).saturating_mul(c.into()))
	}
}
