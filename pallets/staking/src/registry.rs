// SPDX-License-Identifier: Apache-2.0

//! Who is registered, what each offers, and who is online.

use crate::{
	BalanceOf, Config, Error, Event, HoldReason, LastWorked, Node, NodeOf, Nodes, Online,
	OnlineCount, Operators, Pallet, Standing,
};
use frame_support::{
	ensure,
	pallet_prelude::DispatchResult,
	traits::{fungible::MutateHold, Get},
};
use sp_runtime::{
	traits::{Convert, Zero},
	DispatchError,
};
use tensornet_protocol::{Capability, Compliance, Endpoint, Eras, Role};

impl<T: Config> Pallet<T> {
	pub(crate) fn do_register_node(
		stash: T::AccountId,
		operator: T::AccountId,
		ask: BalanceOf<T>,
		capability: Capability,
		endpoint: Endpoint,
		bond: BalanceOf<T>,
	) -> DispatchResult {
		ensure!(T::Compliance::admits(&stash, Role::Node), Error::<T>::NotAdmitted);
		ensure!(bond >= Self::least_bond(&capability), Error::<T>::BondTooSmall);
		ensure!(!Operators::<T>::contains_key(&operator), Error::<T>::OperatorTaken);
		let era = T::Eras::current();
		let new = Node::new(operator.clone(), ask, capability, endpoint, bond, era);
		let node = match Nodes::<T>::get(&stash) {
			// Delegators of an earlier node of this stash may still be there.
			None => Node { backing: Self::backing_of(&stash), ..new },
			// What still unbonds, who backs it, and how the node behaved, stays with the stash. Leaving
			// is no way out of jail.
			Some(old) if old.standing == Standing::Leaving => {
				let convicted = old.pending_frauds > 0 || !old.jailed_until.is_zero();
				Node {
					operator: new.operator,
					ask,
					capability,
					endpoint: new.endpoint,
					bond,
					standing: if convicted { Standing::Jailed } else { Standing::Active },
					reputation: old.reputation_in(era).min(new.reputation),
					era,
					..old
				}
			}
			Some(_) => return Err(Error::<T>::AlreadyRegistered.into()),
		};
		T::Currency::hold(&HoldReason::Bond.into(), &stash, bond)?;
		Operators::<T>::insert(&operator, &stash);
		Nodes::<T>::insert(&stash, node);
		Self::deposit_event(Event::NodeRegistered { stash, operator, ask, bond });
		Ok(())
	}

	pub(crate) fn do_update_node(
		stash: T::AccountId,
		ask: Option<BalanceOf<T>>,
		endpoint: Option<Endpoint>,
		capability: Option<Capability>,
	) -> DispatchResult {
		ensure!(
			ask.is_some() || endpoint.is_some() || capability.is_some(),
			Error::<T>::NothingToUpdate
		);
		let mut node = Self::registered(&stash)?;
		node.ask = ask.unwrap_or(node.ask);
		node.capability = capability.unwrap_or(node.capability);
		node.endpoint = endpoint.unwrap_or(node.endpoint);
		// Where a slash left too little, only what asks for less can be offered.
		ensure!(
			capability.is_none() || node.bond >= Self::least_bond(&node.capability),
			Error::<T>::BondTooSmall
		);
		Nodes::<T>::insert(&stash, &node);
		Self::deposit_event(Event::NodeUpdated {
			stash,
			ask: node.ask,
			capability: node.capability,
			endpoint: node.endpoint,
		});
		Ok(())
	}

	pub(crate) fn do_rotate_operator(
		stash: T::AccountId,
		operator: T::AccountId,
	) -> DispatchResult {
		let mut node = Self::registered(&stash)?;
		ensure!(!Operators::<T>::contains_key(&operator), Error::<T>::OperatorTaken);
		let old = core::mem::replace(&mut node.operator, operator.clone());
		Operators::<T>::remove(&old);
		Operators::<T>::insert(&operator, &stash);
		Nodes::<T>::insert(&stash, node);
		Self::deposit_event(Event::OperatorRotated { stash, old, new: operator });
		Ok(())
	}

	pub(crate) fn do_set_online(caller: T::AccountId, online: bool) -> DispatchResult {
		let is_stash = Nodes::<T>::contains_key(&caller);
		let stash = if is_stash {
			caller
		} else {
			Operators::<T>::get(&caller).ok_or(Error::<T>::NotRegistered)?
		};
		let mut node = Self::registered(&stash)?;
		let now = frame_system::Pallet::<T>::block_number();
		if online {
			let jailed = node.standing == Standing::Jailed;
			ensure!(is_stash || !jailed, Error::<T>::Jailed);
			ensure!(node.bond >= Self::least_bond(&node.capability), Error::<T>::BondTooSmall);
			ensure!(T::Compliance::admits(&stash, Role::Node), Error::<T>::NotAdmitted);
			if jailed {
				ensure!(node.pending_frauds.is_zero(), Error::<T>::SlashPending);
				ensure!(node.jailed_until <= now, Error::<T>::StillJailed);
				node.standing = Standing::Active;
				node.jailed_until = Zero::zero();
				Self::deposit_event(Event::NodeRejoined { stash: stash.clone() });
			}
			if !node.is_online() {
				node.heartbeat_at = now;
			}
			Self::go_online(&stash, &mut node);
		} else {
			// Pausing does not hide the signs of life that were missed.
			if node.is_online() {
				node.beat(now, T::HeartbeatPeriod::get());
			}
			Self::go_offline(&stash, &mut node);
		}
		Nodes::<T>::insert(&stash, node);
		Ok(())
	}

	pub(crate) fn do_deregister_node(stash: T::AccountId) -> DispatchResult {
		let mut node = Self::registered(&stash)?;
		ensure!(node.active_jobs == 0, Error::<T>::HasJobs);
		Self::go_offline(&stash, &mut node);
		Operators::<T>::remove(&node.operator);
		node.standing = Standing::Leaving;
		Self::deposit_event(Event::NodeDeregistered { stash: stash.clone() });
		Self::unbond_everything(&stash, &mut node)?;
		Self::keep_or_remove(stash, node);
		Ok(())
	}

	/// The least bond of a node that offers `capability`.
	pub(crate) fn least_bond(capability: &Capability) -> BalanceOf<T> {
		T::MinBond::get().max(T::TierBond::convert(*capability))
	}

	/// The record of a node that is not leaving.
	pub(crate) fn registered(stash: &T::AccountId) -> Result<NodeOf<T>, DispatchError> {
		let node = Nodes::<T>::get(stash).ok_or(Error::<T>::NotRegistered)?;
		ensure!(node.standing != Standing::Leaving, Error::<T>::Leaving);
		Ok(node)
	}

	/// Writes the record back, or removes it where nothing is held for a node that left and no decided
	/// slash waits for it.
	pub(crate) fn keep_or_remove(stash: T::AccountId, node: NodeOf<T>) {
		let left = node.standing == Standing::Leaving;
		if left && node.unbonding.is_empty() && node.pending.is_zero() {
			Nodes::<T>::remove(&stash);
			LastWorked::<T>::remove(&stash);
			Self::deposit_event(Event::NodeRemoved { stash });
		} else {
			Nodes::<T>::insert(&stash, node);
		}
	}

	/// Puts the node at the end of the online list. The caller writes `node` back.
	fn go_online(stash: &T::AccountId, node: &mut NodeOf<T>) {
		if node.is_online() {
			return;
		}
		let position = OnlineCount::<T>::get();
		Online::<T>::insert(position, stash);
		OnlineCount::<T>::put(position.saturating_add(1));
		node.position = Some(position);
		Self::deposit_event(Event::NodeOnline { stash: stash.clone() });
	}

	/// Takes the node from the online list and puts the last one in its place. The caller writes
	/// `node` back.
	pub(crate) fn go_offline(stash: &T::AccountId, node: &mut NodeOf<T>) {
		let Some(position) = node.position.take() else { return };
		let last = OnlineCount::<T>::get().saturating_sub(1);
		if let Some(moved) = Online::<T>::take(last).filter(|_| last != position) {
			Nodes::<T>::mutate_extant(&moved, |other| other.position = Some(position));
			Online::<T>::insert(position, moved);
		}
		OnlineCount::<T>::put(last);
		Self::deposit_event(Event::NodeOffline { stash: stash.clone() });
	}
}
