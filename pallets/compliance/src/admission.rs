// SPDX-License-Identifier: Apache-2.0

//! What other pallets ask.

use crate::pallet::*;
use sp_runtime::traits::{Convert, Zero};
use tensornet_protocol::{Compliance, Role};

impl<T: Config> Compliance for Pallet<T> {
	type AccountId = T::AccountId;

	fn level(who: &T::AccountId) -> u8 {
		let now = frame_system::Pallet::<T>::block_number();
		Attestations::<T>::get(who)
			.into_iter()
			.filter(|one| one.expires_at > now && Self::is_appointed(&one.registrar))
			.map(|one| one.level)
			.max()
			.unwrap_or_default()
	}

	fn admits(who: &T::AccountId, role: Role) -> bool {
		if Sanctions::<T>::contains_key(who) {
			return false;
		}
		let required = T::Required::convert(role);
		required.is_zero() || Self::level(who) >= required
	}
}
