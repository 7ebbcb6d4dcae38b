// SPDX-License-Identifier: Apache-2.0

//! What an upgrade does to the state that the runtime before it left.
//!
//! One module per change, named after what it moves, and one line in [`SingleBlock`], oldest first. A
//! change that concerns one pallet belongs into that pallet; those here concern several, which never import
//! each other. How to write and to try one: `docs/runbooks/upgrade-the-runtime.md`.
//!
//! - Each is a [`VersionedMigration`]: it runs where the stored version of its pallet is the one it starts
//!   from, and never again, so that a runtime may carry those of several releases.
//! - What it does in one block is bounded by a constant of the runtime; more would take a migration over
//!   several blocks.
//! - It never fails. What cannot be carried over is left out, with a line in the log, and its checks say so
//!   on a copy of the state before it is ever run.
//! - Its checks are functions of their own, which `try-runtime` calls before and after it, and the tests too.

use crate::{Balance, ComputeStaking, Runtime};
use frame_support::migrations::VersionedMigration;

/// All of them, in the order in which they run.
pub type SingleBlock = (job_burn::Move,);

/// What jobs burned by era moves from the pallet of nodes to that of the token.
///
/// Both counted it: the token's pallet for the running era, to divide what it emits, and the nodes' pallet for
/// each era whose rewards could be claimed. Since version 2 of the nodes' pallet there is one count, the
/// token's, kept for as long as the era's budget stands. Without this migration nobody could claim what its
/// node had earned in eras that ended before the upgrade.
pub mod job_burn {
	use super::*;
	use alloc::vec::Vec;
	use codec::{Decode, Encode};
	use frame_support::{
		ensure, storage_alias, traits::UncheckedOnRuntimeUpgrade, weights::Weight, Twox64Concat,
	};
	use pallet_tensornet_tna::{Budgets, EraJobBurn};
	use sp_runtime::TryRuntimeError;
	use tensornet_protocol::{EraIndex, Eras};

	/// From version 1 of the nodes' storage to version 2.
	pub type Move = VersionedMigration<
		1,
		2,
		Unchecked,
		ComputeStaking,
		<Runtime as frame_system::Config>::DbWeight,
	>;

	/// What version 1 kept: what the settled jobs of an era burned in all.
	#[storage_alias]
	pub type EraBurnTotal = StorageMap<ComputeStaking, Twox64Concat, EraIndex, Balance>;

	/// The migration, without looking at versions.
	pub struct Unchecked;

	/// Whether rewards of an era are still paid out, so that its count is needed.
	fn is_kept(era: EraIndex) -> bool {
		Budgets::<Runtime>::contains_key(era)
	}

	impl UncheckedOnRuntimeUpgrade for Unchecked {
		/// Moves the counts of ended eras with a budget and drops all others: that of the running era is the
		/// token's already. There are at most as many as eras are kept, and those that wait to be pruned.
		fn on_runtime_upgrade() -> Weight {
			let (mut read, mut written) = (0u64, 0u64);
			for (era, burned) in EraBurnTotal::drain() {
				read = read.saturating_add(2);
				written = written.saturating_add(1);
				if is_kept(era) {
					EraJobBurn::<Runtime>::insert(era, burned);
					written = written.saturating_add(1);
				}
			}
			log::info!(target: "runtime::migrations", "what jobs burned moved: {written} writes");
			<Runtime as frame_system::Config>::DbWeight::get().reads_writes(read, written)
		}

		#[cfg(feature = "try-runtime")]
		fn pre_upgrade() -> Result<Vec<u8>, TryRuntimeError> {
			before().map(|before| before.encode())
		}

		#[cfg(feature = "try-runtime")]
		fn post_upgrade(state: Vec<u8>) -> Result<(), TryRuntimeError> {
			let before = Before::decode(&mut &state[..]).map_err(|_| "the checks' own data")?;
			after(&before)
		}
	}

	/// What the checks compare.
	#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
	pub struct Before {
		/// The counts of ended eras whose budgets stand.
		pub kept: Vec<(EraIndex, Balance)>,
		/// The token's count of the running era.
		pub running: Balance,
	}

	/// Checks that the migration finds what it expects: both pallets counted the same for the running era,
	/// and no budget is above what was burned.
	pub fn before() -> Result<Before, TryRuntimeError> {
		let now = <crate::Validators as Eras>::current();
		let running = EraJobBurn::<Runtime>::get(now);
		ensure!(
			EraBurnTotal::get(now).unwrap_or_default() == running,
			"the two counts of the running era are not equal"
		);
		let kept: Vec<_> = EraBurnTotal::iter().filter(|(era, _)| is_kept(*era)).collect();
		for (era, budget) in Budgets::<Runtime>::iter() {
			let burned = EraBurnTotal::get(era).unwrap_or_default();
			ensure!(budget.nodes <= burned, "a budget of nodes is above what jobs burned");
		}
		Ok(Before { kept, running })
	}

	/// Checks that every count that is needed is where it is looked for, and nothing is left behind.
	pub fn after(before: &Before) -> Result<(), TryRuntimeError> {
		ensure!(EraBurnTotal::iter_keys().next().is_none(), "a count was left behind");
		for (era, burned) in &before.kept {
			ensure!(EraJobBurn::<Runtime>::get(era) == *burned, "a count is not what it was");
		}
		let now = <crate::Validators as Eras>::current();
		ensure!(
			EraJobBurn::<Runtime>::get(now) == before.running,
			"the count of the running era is not what it was"
		);
		Ok(())
	}
}
