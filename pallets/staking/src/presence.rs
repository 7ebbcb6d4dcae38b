// SPDX-License-Identifier: Apache-2.0

//! Signs of life of online nodes. One that is missing costs a node its place in picks until the next,
//! and availability, never its stake.

use crate::{Config, Error, Event, Nodes, Pallet, MAX_HEARTBEATS};
use frame_support::{
	ensure,
	pallet_prelude::DispatchResult,
	traits::{ConstU32, Get},
	BoundedVec,
};
use frame_system::pallet_prelude::BlockNumberFor;
use sp_runtime::traits::Zero;

impl<T: Config> Pallet<T> {
	pub(crate) fn do_heartbeat(
		caller: T::AccountId,
		nodes: BoundedVec<T::AccountId, ConstU32<MAX_HEARTBEATS>>,
	) -> DispatchResult {
		let now = frame_system::Pallet::<T>::block_number();
		let period = T::HeartbeatPeriod::get();
		for stash in nodes {
			let mut node = Nodes::<T>::get(&stash).ok_or(Error::<T>::NotRegistered)?;
			let speaks_for_it = caller == stash
				|| caller == node.operator
				|| node.monitor.as_ref() == Some(&caller);
			ensure!(speaks_for_it, Error::<T>::NotYours);
			// A paused node gives no signs of life and misses none.
			if node.is_online() {
				node.beat(now, period);
				Nodes::<T>::insert(&stash, node);
			}
		}
		Ok(())
	}

	pub(crate) fn do_set_monitor(
		stash: T::AccountId,
		monitor: Option<T::AccountId>,
	) -> DispatchResult {
		let mut node = Self::registered(&stash)?;
		node.monitor = monitor.clone();
		Nodes::<T>::insert(&stash, node);
		Self::deposit_event(Event::MonitorSet { stash, monitor });
		Ok(())
	}

	/// The last sign of life of an online node, and the period of those that are asked for.
	pub(crate) fn heartbeat_asked(
		stash: &T::AccountId,
	) -> Option<(BlockNumberFor<T>, BlockNumberFor<T>)> {
		let period = T::HeartbeatPeriod::get();
		let node = Nodes::<T>::get(stash).filter(|node| node.is_online())?;
		(!period.is_zero()).then_some((node.heartbeat_at, period))
	}
}
