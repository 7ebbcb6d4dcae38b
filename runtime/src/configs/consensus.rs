// SPDX-License-Identifier: Apache-2.0

//! Block production (BABE), finality (GRANDPA), time and authorship.

use super::session::{EpochDuration, ReportLongevity};
use crate::{
	time::MILLISECS_PER_BLOCK, weights, Babe, Historical, Offences, Runtime, RuntimeEvent, Session,
	Validators,
};
use frame_support::traits::{ConstU32, ConstU64};

/// Room for the authorities of the greatest set.
pub type MaxAuthorities = ConstU32<1_000>;

impl pallet_babe::Config for Runtime {
	type DisabledValidators = Session;
	type EpochChangeTrigger = pallet_babe::ExternalTrigger;
	type EpochDuration = EpochDuration;
	type EquivocationReportSystem =
		pallet_babe::EquivocationReportSystem<Self, Offences, Historical, ReportLongevity>;
	type ExpectedBlockTime = ConstU64<MILLISECS_PER_BLOCK>;
	type KeyOwnerProof = sp_session::MembershipProof;
	type MaxAuthorities = MaxAuthorities;
	type MaxNominators = ConstU32<0>;
	type WeightInfo = weights::pallet_babe::WeightInfo<Runtime>;
}

impl pallet_grandpa::Config for Runtime {
	type EquivocationReportSystem =
		pallet_grandpa::EquivocationReportSystem<Self, Offences, Historical, ReportLongevity>;
	type KeyOwnerProof = sp_session::MembershipProof;
	type MaxAuthorities = MaxAuthorities;
	type MaxNominators = ConstU32<0>;
	type MaxSetIdSessionEntries = ConstU64<{ super::session::REPORTABLE_SESSIONS as u64 }>;
	type RuntimeEvent = RuntimeEvent;
	type WeightInfo = weights::pallet_grandpa::WeightInfo<Runtime>;
}

impl pallet_timestamp::Config for Runtime {
	type MinimumPeriod = ConstU64<{ MILLISECS_PER_BLOCK / 2 }>;
	type Moment = u64;
	type OnTimestampSet = Babe;
	type WeightInfo = pallet_timestamp::weights::SubstrateWeight<Runtime>;
}

impl pallet_authorship::Config for Runtime {
	type EventHandler = Validators;
	type FindAuthor = pallet_session::FindAccountFromAuthorIndex<Self, Babe>;
}
