// SPDX-License-Identifier: Apache-2.0

//! What the pallet says about the supply.

use crate::{
	schedule, BalanceOf, Burned, Config, Emitted, EraJobBurn, GenesisIssuance, Pallet, ReserveLeft,
	Supply,
};
use frame_support::traits::{fungible::Inspect, Get};
use tensornet_protocol::Eras;

impl<T: Config> Pallet<T> {
	/// The state of the supply now. Reads every cause and every reason there is.
	pub(crate) fn supply_now() -> Supply<BalanceOf<T>> {
		let era = T::Eras::current();
		let era_burn = EraJobBurn::<T>::get(era);
		let maximum = Self::era_maximum();
		let mut burned: alloc::vec::Vec<_> = Burned::<T>::iter().collect();
		let mut emitted: alloc::vec::Vec<_> = Emitted::<T>::iter().collect();
		burned.sort_unstable_by_key(|(cause, _)| *cause);
		emitted.sort_unstable_by_key(|(reason, _)| *reason);
		Supply {
			issued: T::Currency::total_issuance(),
			cap: T::MaxSupply::get(),
			genesis: GenesisIssuance::<T>::get(),
			burned,
			emitted,
			reserve: ReserveLeft::<T>::get(),
			era,
			era_burn,
			era_node_maximum: schedule::node_maximum(maximum, T::NodeShare::get()),
			next: Self::budget_at(maximum, era_burn),
		}
	}
}
