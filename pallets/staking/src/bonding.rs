// SPDX-License-Identifier: Apache-2.0

//! How a bond grows, unbonds and leaves.

use crate::{BalanceOf, Config, Error, Event, HoldReason, NodeOf, Nodes, Pallet, MAX_UNBONDING};
use frame_support::{
	ensure,
	pallet_prelude::DispatchResult,
	traits::{fungible::MutateHold, tokens::Precision, Get},
};
use frame_system::pallet_prelude::BlockNumberFor;
use sp_runtime::{
	traits::{CheckedAdd, CheckedSub, Saturating, Zero},
	ArithmeticError,
};
use tensornet_protocol::Bonded;

impl<T: Config> Pallet<T> {
	pub(crate) fn do_bond_more(stash: T::AccountId, amount: BalanceOf<T>) -> DispatchResult {
		ensure!(!amount.is_zero(), Error::<T>::ZeroAmount);
		let mut node = Self::registered(&stash)?;
		node.bond = node.bond.checked_add(&amount).ok_or(ArithmeticError::Overflow)?;
		T::Currency::hold(&HoldReason::Bond.into(), &stash, amount)?;
		let bond = node.bond;
		Nodes::<T>::insert(&stash, node);
		Self::deposit_event(Event::Bonded { stash, amount, bond });
		Ok(())
	}

	pub(crate) fn do_unbond(stash: T::AccountId, amount: BalanceOf<T>) -> DispatchResult {
		ensure!(!amount.is_zero(), Error::<T>::ZeroAmount);
		let mut node = Self::registered(&stash)?;
		node.bond = node
			.bond
			.checked_sub(&amount)
			.filter(|left| *left >= Self::least_bond(&node.capability))
			.ok_or(Error::<T>::BondTooSmall)?;
		// One place stays free, so that a node can always deregister.
		let places = MAX_UNBONDING.saturating_sub(1);
		Self::start_unbonding(&stash, &mut node, amount, places)?;
		Nodes::<T>::insert(&stash, node);
		Ok(())
	}

	pub(crate) fn do_withdraw_unbonded(stash: T::AccountId) -> DispatchResult {
		let mut node = Nodes::<T>::get(&stash).ok_or(Error::<T>::NotRegistered)?;
		let amount = node.take_unlocked(frame_system::Pallet::<T>::block_number());
		ensure!(!amount.is_zero(), Error::<T>::NothingUnlocked);
		T::Currency::release(&HoldReason::Bond.into(), &stash, amount, Precision::Exact)?;
		Self::deposit_event(Event::Withdrawn { stash: stash.clone(), amount });
		Self::keep_or_remove(stash, node);
		Ok(())
	}

	/// Moves the whole bond of a node that leaves into one chunk.
	pub(crate) fn unbond_everything(stash: &T::AccountId, node: &mut NodeOf<T>) -> DispatchResult {
		let bond = core::mem::take(&mut node.bond);
		if bond.is_zero() {
			return Ok(());
		}
		Self::start_unbonding(stash, node, bond, MAX_UNBONDING)
	}

	fn start_unbonding(
		stash: &T::AccountId,
		node: &mut NodeOf<T>,
		amount: BalanceOf<T>,
		places: u32,
	) -> DispatchResult {
		let now: BlockNumberFor<T> = frame_system::Pallet::<T>::block_number();
		let unlock_at = now.saturating_add(T::UnbondingPeriod::get());
		ensure!(node.push_chunk(amount, unlock_at, places), Error::<T>::TooManyChunks);
		Self::deposit_event(Event::Unbonded { stash: stash.clone(), amount, unlock_at });
		Ok(())
	}
}
