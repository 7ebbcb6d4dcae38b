// SPDX-License-Identifier: Apache-2.0

//! Sessions, the validator set, and what happens to a validator that equivocates.

use crate::{
	currency::deposit, time::EPOCH_DURATION_IN_SLOTS, AccountId, Babe, Balances, Runtime,
	RuntimeEvent, Session, SessionKeys,
};
use alloc::vec::Vec;
use frame_support::{parameter_types, weights::Weight};
use pallet_session::disabling::UpToLimitWithReEnablingDisablingStrategy;
use sp_runtime::{
	traits::{ConvertInto, OpaqueKeys},
	Perbill,
};
use sp_staking::{
	offence::{OffenceDetails, OffenceSeverity, OnOffenceHandler},
	SessionIndex,
};

/// An equivocation can be reported for this many sessions: 28 days of them.
pub const REPORTABLE_SESSIONS: u32 = 28 * crate::time::DAYS / crate::time::EPOCH_DURATION_IN_BLOCKS;

parameter_types! {
	/// The same in slots.
	pub const ReportLongevity: u64 = REPORTABLE_SESSIONS as u64 * EPOCH_DURATION_IN_SLOTS;
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
	type SessionManager = pallet_session::historical::NoteHistoricalRoot<Self, GenesisValidators>;
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
	type OnOffenceHandler = DisableOffenders;
	type RuntimeEvent = RuntimeEvent;
}

/// A validator has nothing to be known by but its account.
pub struct UnitIdentification;

impl sp_runtime::traits::Convert<AccountId, Option<()>> for UnitIdentification {
	fn convert(_: AccountId) -> Option<()> {
		Some(())
	}
}

/// Keeps the validators of the genesis block; they may change their keys but not the set.
///
/// The first session after genesis is announced as a change, because only an announced set gets the
/// historical root against which equivocation is proven; later sessions inherit that root.
pub struct GenesisValidators;

impl GenesisValidators {
	fn with_identity(validators: Vec<AccountId>) -> Vec<(AccountId, ())> {
		validators.into_iter().map(|validator| (validator, ())).collect()
	}

	fn announce(index: SessionIndex) -> bool {
		!pallet_session::historical::HistoricalSessions::<Runtime>::contains_key(
			index.saturating_sub(1),
		)
	}
}

impl pallet_session::SessionManager<AccountId> for GenesisValidators {
	fn new_session(index: SessionIndex) -> Option<Vec<AccountId>> {
		Self::announce(index).then(Session::validators)
	}

	fn new_session_genesis(_: SessionIndex) -> Option<Vec<AccountId>> {
		None
	}

	fn start_session(_: SessionIndex) {}

	fn end_session(ended: SessionIndex) {
		if let Some(oldest) = ended.checked_sub(REPORTABLE_SESSIONS) {
			pallet_session::historical::Pallet::<Runtime>::prune_up_to(oldest);
		}
	}
}

impl pallet_session::historical::SessionManager<AccountId, ()> for GenesisValidators {
	fn new_session(index: SessionIndex) -> Option<Vec<(AccountId, ())>> {
		<Self as pallet_session::SessionManager<_>>::new_session(index).map(Self::with_identity)
	}

	fn new_session_genesis(index: SessionIndex) -> Option<Vec<(AccountId, ())>> {
		<Self as pallet_session::SessionManager<_>>::new_session_genesis(index)
			.map(Self::with_identity)
	}

	fn start_session(index: SessionIndex) {
		<Self as pallet_session::SessionManager<_>>::start_session(index)
	}

	fn end_session(index: SessionIndex) {
		<Self as pallet_session::SessionManager<_>>::end_session(index)
	}
}

/// Takes an equivocating validator out of its duties, as long as fewer than a third are out.
pub struct DisableOffenders;

impl OnOffenceHandler<AccountId, IdentificationTuple, Weight> for DisableOffenders {
	fn on_offence(
		offenders: &[OffenceDetails<AccountId, IdentificationTuple>],
		slash_fraction: &[Perbill],
		_: SessionIndex,
	) -> Weight {
		for (details, fraction) in offenders.iter().zip(slash_fraction) {
			let (validator, ()) = &details.offender;
			Session::report_offence(validator.clone(), OffenceSeverity(*fraction));
		}
		// For each: the validators, those disabled with their severity, and the latter written again.
		<Runtime as frame_system::Config>::DbWeight::get()
			.reads_writes(2, 1)
			.saturating_mul(u64::try_from(offenders.len()).unwrap_or(u64::MAX))
	}
}
