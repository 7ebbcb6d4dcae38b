// SPDX-License-Identifier: Apache-2.0

//! What each power may do. Root may do all of it.

use crate::{AccountId, Balance, BlockNumber, RuntimeOrigin};
use frame_support::{
	parameter_types,
	traits::{EitherOf, EitherOfDiverse, EnsureOrigin},
};
use frame_system::{EnsureRoot, EnsureRootWithSuccess, EnsureWithSuccess};
use pallet_tensornet_governance::Origin;
use tensornet_protocol::{BIG_SPEND, SMALL_SPEND};

parameter_types! {
	/// Root may spend anything.
	pub const RootSpend: Balance = Balance::MAX;
	/// The most that one spend of the small track may take from the treasury.
	pub const SmallSpend: Balance = SMALL_SPEND;
	/// The most that one spend of the big track may take.
	pub const BigSpend: Balance = BIG_SPEND;
	/// For how long one decision stops the chain's ordinary business.
	pub const SafeModeDuration: BlockNumber = crate::time::DAYS;
}

macro_rules! powers {
	($($(#[$doc:meta])* $power:ident,)*) => {$(
		$(#[$doc])*
		pub struct $power;

		impl EnsureOrigin<RuntimeOrigin> for $power {
			type Success = ();

			fn try_origin(origin: RuntimeOrigin) -> Result<(), RuntimeOrigin> {
				let found: Result<Origin, RuntimeOrigin> = origin.into();
				match found {
					Ok(Origin::$power) => Ok(()),
					Ok(other) => Err(other.into()),
					Err(other) => Err(other),
				}
			}

			#[cfg(feature = "runtime-benchmarks")]
			fn try_successful_origin() -> Result<RuntimeOrigin, ()> {
				Ok(Origin::$power.into())
			}
		}
	)*};
}

powers! {
	/// Accepts the power over calls whose hash is whitelisted.
	WhitelistedCaller,
	/// Accepts the power over protocol parameters.
	ProtocolParameters,
	/// Accepts the power over small spends.
	SmallSpender,
	/// Accepts the power over big spends.
	BigSpender,
	/// Accepts the power to cancel slashes.
	SlashAppeal,
	/// Accepts the power over registrars.
	Registrars,
	/// Accepts the power of emergencies.
	Emergency,
}

/// Root or the power `P`.
pub type RootOr<P> = EitherOfDiverse<EnsureRoot<AccountId>, P>;

/// Who may spend from the treasury, and how much at once.
pub type Spender = EitherOf<
	EnsureRootWithSuccess<AccountId, RootSpend>,
	EitherOf<
		EnsureWithSuccess<BigSpender, AccountId, BigSpend>,
		EnsureWithSuccess<SmallSpender, AccountId, SmallSpend>,
	>,
>;

/// Who may stop ordinary business, and for how long.
pub type SafeModeOrigin = EitherOf<
	EnsureRootWithSuccess<AccountId, SafeModeDuration>,
	EnsureWithSuccess<Emergency, AccountId, SafeModeDuration>,
>;
