// SPDX-License-Identifier: Apache-2.0

//! What must always hold: here of nodes, in `pools.rs` of delegators and rewards, in `slashes.rs` of
//! decided slashes.

mod pools;
mod slashes;

use crate::{
	Config, HoldReason, NodeOf, Nodes, Online, OnlineCount, Operators, Pallet, Standing,
	FULL_AVAILABILITY, FULL_REPUTATION,
};
use frame_support::{
	ensure,
	traits::{fungible::InspectHold, Get},
};
use sp_runtime::{traits::Zero, TryRuntimeError};

impl<T: Config> Pallet<T> {
	/// Checks the invariants of the registry:
	///
	/// - what is held for a stash is its bond, its unbonding chunks and what is set aside for slashes,
	///   and nothing is held for an account without a node;
	/// - no chunk is empty, and chunks unlock in order;
	/// - a node that left has no bond, no jobs and no operator key, is offline, and still unbonds
	///   something or has a decided slash;
	/// - every other node's operator key leads to it, and no other operator key exists;
	/// - the online list has no gap, its nodes know their place and are active, and no node outside
	///   it thinks it is online;
	/// - no node has more jobs than the limit, collateral without jobs, or more than full reputation or
	///   availability;
	/// - the parts of a slash are at most the whole, and bonds that count are at least the minimum.
	pub fn do_try_state() -> Result<(), TryRuntimeError> {
		let (mut registered, mut online) = (0u32, 0u32);
		for (stash, node) in Nodes::<T>::iter() {
			Self::check_funds(&stash, &node)?;
			ensure!(
				node.active_jobs <= T::MaxJobsPerNode::get(),
				"a node has more jobs than the limit"
			);
			ensure!(
				node.active_jobs > 0 || node.collateral.is_zero(),
				"a node without jobs has collateral for one"
			);
			ensure!(node.reputation <= FULL_REPUTATION, "a node has more than full reputation");
			ensure!(
				node.availability <= FULL_AVAILABILITY,
				"a node has more than full availability"
			);
			if node.standing == Standing::Leaving {
				ensure!(node.bond.is_zero(), "a node that left has a bond");
				ensure!(node.active_jobs == 0, "a node that left has jobs");
				ensure!(
					!node.unbonding.is_empty() || node.pending > 0,
					"a node that left and holds nothing has a record"
				);
			} else {
				registered = registered.saturating_add(1);
				ensure!(
					Operators::<T>::get(&node.operator) == Some(stash.clone()),
					"the operator key of a node does not lead to it"
				);
			}
			if let Some(position) = node.position {
				online = online.saturating_add(1);
				ensure!(node.standing == Standing::Active, "a node is online that may not be");
				ensure!(
					Online::<T>::get(position) == Some(stash),
					"an online node is not where it thinks it is"
				);
			}
		}
		ensure!(
			Operators::<T>::iter_keys().count() == registered as usize,
			"an operator key leads to no node"
		);
		ensure!(OnlineCount::<T>::get() == online, "the count of online nodes is wrong");
		ensure!(
			Online::<T>::iter_keys().count() == online as usize,
			"the online list names a node that is offline"
		);
		ensure!(
			Online::<T>::iter_keys().all(|position| position < online),
			"the online list has a gap"
		);
		for who in frame_system::Account::<T>::iter_keys() {
			ensure!(
				Nodes::<T>::contains_key(&who)
					|| T::Currency::balance_on_hold(&HoldReason::Bond.into(), &who).is_zero(),
				"funds are held for an account without a node"
			);
		}
		Self::check_parameters()?;
		Self::check_slashes()?;
		Self::check_pools()?;
		Self::check_eras()
	}

	fn check_funds(stash: &T::AccountId, node: &NodeOf<T>) -> Result<(), TryRuntimeError> {
		ensure!(
			T::Currency::balance_on_hold(&HoldReason::Bond.into(), stash) == node.on_hold(),
			"what is held is not the bond, what unbonds and what is set aside"
		);
		ensure!(
			node.unbonding.iter().all(|chunk| !chunk.amount.is_zero()),
			"an unbonding chunk is empty"
		);
		ensure!(
			node.unbonding.iter().is_sorted_by_key(|chunk| chunk.unlock_at),
			"unbonding chunks are out of order"
		);
		Ok(())
	}

	fn check_parameters() -> Result<(), TryRuntimeError> {
		let paid = T::SlashToReporter::get()
			.deconstruct()
			.saturating_add(T::SlashToRequester::get().deconstruct());
		ensure!(paid <= 1_000_000, "the parts of a slash are more than the whole");
		ensure!(
			T::MaxWeightBond::get() >= T::MinBond::get(),
			"the greatest bond that counts is below the minimum"
		);
		Ok(())
	}
}
