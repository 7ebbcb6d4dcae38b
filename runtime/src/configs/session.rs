// SPDX-License-Identifier: Apache-2.0

//! Sessions, the validators that are elected for them, and what faults cost.

use super::parameters::dynamic_params::validators;
use crate::{
	currency::deposit,
	governance::origins::{RootOr, SlashAppeal},
	time::{
		DAYS, EPOCH_DURATION_IN_BLOCKS, EPOCH_DURATION_IN_SLOTS, ERA_HISTORY, MINUTES,
		SESSIONS_PER_ERA,
	},
	AccountId, Babe, Balances, BlockNumber, ComputeStaking, Offences, Runtime, RuntimeEvent,
	RuntimeHoldReason, Session, SessionKeys, Tna, Validators,
};
use frame_support::{
	parameter_types,
	traits::{ConstU32, Get},
};
use pallet_session::disabling::UpToLimitWithReEnablingDisablingStrategy;
use sp_runtime::traits::{ConvertInto, OpaqueKeys};
use sp_staking::SessionIndex;

/// A fault can be reported for this many sessions: 21 days of them. A validator that starts to unbond
/// when it is elected answers for the last block of its era a week longer than that.
pub const REPORTABLE_SESSIONS: u32 = 21 * DAYS / EPOCH_DURATION_IN_BLOCKS;

/// The most validators a set may have. All of them vote on every block.
pub const MAX_VALIDATORS: u32 = 300;

parameter_types! {
	/// The same in slots.
	pub const ReportLongevity: u64 = REPORTABLE_SESSIONS as u64 * EPOCH_DURATION_IN_SLOTS;
	/// Longer than faults can be reported, an era and two sessions included.
	pub const ValidatorUnbonding: BlockNumber = 28 * DAYS;
	/// Held for the keys themselves and for one reverse entry per key.
	pub const KeyDeposit: crate::Balance = deposit(3, 2 * (32 + 32 + 4) + 2 * 32);
}

/// A validator is named by its account.
type IdentificationTuple = pallet_session::historical::IdentificationTuple<Runtime>;

impl pallet_session::Config for Runtime {
	type Currency = Balances;
	type DisablingStrategy = UpToLimitWithReEnablingDisablingStrategy;
	type KeyDeposit = KeyDeposit;
	type Keys = SessionKeys;
	type NextSessionRotation = Babe;
	type RuntimeEvent = RuntimeEvent;
	type SessionHandler = <SessionKeys as OpaqueKeys>::KeyTypeIdProviders;
	type SessionManager = pallet_session::historical::NoteHistoricalRoot<Self, Validators>;
	type ShouldEndSession = Babe;
	type ValidatorId = AccountId;
	type ValidatorIdOf = ConvertInto;
	type WeightInfo = pallet_session::weights::SubstrateWeight<Runtime>;
}

impl pallet_session::historical::Config for Runtime {
	type FullIdentification = ();
	type FullIdentificationOf = UnitIdentification;
	type RuntimeEvent = RuntimeEvent;
}

impl pallet_offences::Config for Runtime {
	type IdentificationTuple = IdentificationTuple;
	type OnOffenceHandler = Validators;
	type RuntimeEvent = RuntimeEvent;
}

/// Who counts by eras, in the order in which they hear that one is over.
type EraEnd = Tna;

/// A validator has nothing to be known by but its account.
pub struct UnitIdentification;

impl sp_runtime::traits::Convert<AccountId, Option<()>> for UnitIdentification {
	fn convert(_: AccountId) -> Option<()> {
		Some(())
	}
}

/// Slots of an epoch, which is also a session, on this chain. Development chains divide it by their pace,
/// down to a minute. The pace is set by the genesis and by nothing else, so it stays what it was.
pub struct EpochDuration;

impl Get<u64> for EpochDuration {
	fn get() -> u64 {
		let pace = pallet_tensornet_governance::Pace::<Runtime>::get().max(1);
		let paced = EPOCH_DURATION_IN_SLOTS.checked_div(pace.into());
		paced.unwrap_or(EPOCH_DURATION_IN_SLOTS).max(MINUTES.into())
	}
}

/// Sessions of an era on this chain. Development chains shorten it as they do with referenda.
pub struct SessionsPerEra;

impl Get<SessionIndex> for SessionsPerEra {
	fn get() -> SessionIndex {
		let pace = pallet_tensornet_governance::Pace::<Runtime>::get().max(1);
		SESSIONS_PER_ERA.checked_div(pace).unwrap_or(SESSIONS_PER_ERA).max(1)
	}
}

impl pallet_tensornet_validators::Config for Runtime {
	type AppealOrigin = RootOr<SlashAppeal>;
	type BurnPerStake = validators::BurnPerStake;
	type Compute = ComputeStaking;
	type Currency = Balances;
	type Emission = Tna;
	type HistoryDepth = ConstU32<{ ERA_HISTORY }>;
	type JailEras = validators::JailEras;
	type MaxCandidates = ConstU32<512>;
	type MaxValidators = ConstU32<MAX_VALIDATORS>;
	type MinBond = validators::MinBond;
	type MinCount = validators::MinCount;
	type Offences = Offences;
	type OnEraEnd = EraEnd;
	type ReportableSessions = ConstU32<REPORTABLE_SESSIONS>;
	type ReporterShare = validators::ReporterShare;
	type RuntimeHoldReason = RuntimeHoldReason;
	type Session = Session;
	type SessionsPerEra = SessionsPerEra;
	type SilenceSlash = validators::SilenceSlash;
	type SlashDelay = validators::SlashDelay;
	type Token = Tna;
	type UnbondingPeriod = ValidatorUnbonding;
	type ValidatorCount = validators::Count;
	type WeightInfo = pallet_tensornet_validators::weights::SubstrateWeight<Runtime>;
}
