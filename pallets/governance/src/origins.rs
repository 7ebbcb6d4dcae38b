// SPDX-License-Identifier: Apache-2.0

//! Who may give orders to the parameters' pallet.

use crate::Origin;
use core::marker::PhantomData;
use frame_support::traits::EnsureOriginWithArg;

/// Accepts [`Origin::Bounded`] only, for any key.
pub struct EnsureBounded<RuntimeOrigin>(PhantomData<RuntimeOrigin>);

impl<RuntimeOrigin, Key> EnsureOriginWithArg<RuntimeOrigin, Key> for EnsureBounded<RuntimeOrigin>
where
	RuntimeOrigin: From<Origin> + Into<Result<Origin, RuntimeOrigin>>,
{
	type Success = ();

	fn try_origin(origin: RuntimeOrigin, _: &Key) -> Result<(), RuntimeOrigin> {
		match origin.into() {
			Ok(Origin::Bounded) => Ok(()),
			Ok(other) => Err(other.into()),
			Err(other) => Err(other),
		}
	}

	#[cfg(feature = "runtime-benchmarks")]
	fn try_successful_origin(_: &Key) -> Result<RuntimeOrigin, ()> {
		Ok(Origin::Bounded.into())
	}
}
