// SPDX-License-Identifier: Apache-2.0

//! What the view functions show.

use crate::{
	BalanceOf, Config, CurrentEra, Pallet, PendingSlashOf, Points, Queue, SlashId, Slashes,
};
use alloc::vec::Vec;
use tensornet_protocol::EraIndex;

impl<T: Config> Pallet<T> {
	pub(crate) fn waiting_slashes() -> Vec<(SlashId, PendingSlashOf<T>)> {
		let queue = Queue::<T>::get();
		(queue.first..queue.next).filter_map(|id| Some((id, Slashes::<T>::get(id)?))).collect()
	}

	pub(crate) fn unclaimed(validator: &T::AccountId) -> Vec<(EraIndex, BalanceOf<T>)> {
		(Self::oldest_claimable()..CurrentEra::<T>::get().index)
			.filter_map(|era| {
				let points = Points::<T>::get(era, validator);
				(points > 0).then(|| (era, Self::share(era, points)))
			})
			.collect()
	}
}
