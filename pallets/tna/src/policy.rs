// SPDX-License-Identifier: Apache-2.0

//! What the other pallets ask of the token.

use crate::{BalanceOf, Config, Event, Pallet};
use frame_support::traits::Get;
use sp_runtime::traits::Zero;
use tensornet_protocol::{BurnCause, Shares, TokenPolicy};

impl<T: Config> TokenPolicy for Pallet<T> {
	type AccountId = T::AccountId;
	type Balance = BalanceOf<T>;

	fn shares() -> Shares {
		Shares {
			burn: T::JobBurn::get(),
			treasury: T::JobTreasury::get(),
			author: T::JobAuthor::get(),
			lineage: T::JobLineage::get(),
		}
	}

	fn floor_ask() -> Self::Balance {
		T::FloorAsk::get()
	}

	fn treasury() -> Self::AccountId {
		T::Treasury::get()
	}

	fn burned(cause: BurnCause, amount: Self::Balance) {
		if amount.is_zero() {
			return;
		}
		Self::record(cause, amount);
		Self::deposit_event(Event::Burned { cause, amount, who: None });
	}
}
