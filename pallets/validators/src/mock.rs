// SPDX-License-Identifier: Apache-2.0

//! A runtime with real sessions, their history and offences, whose sessions end when a test says so.

use crate as pallet_tensornet_validators;
use crate::{CurrentEra, LedgerOf, Ledgers, SlashId, Slashes};
use frame_support::{
	assert_ok, derive_impl, parameter_types,
	traits::{
		fungible::{InspectHold, Mutate},
		ConstU32, ConstU64, Hooks,
	},
};
use pallet_session::{
	disabling::UpToLimitWithReEnablingDisablingStrategy, historical as pallet_session_historical,
	SessionInterface,
};
use sp_io::TestExternalities;
use sp_runtime::{
	testing::UintAuthorityId,
	traits::{Convert, ConvertInto},
	BuildStorage, DispatchResult, Perbill, Permill,
};
use sp_staking::{
	offence::{Kind, Offence, OffenceError, ReportOffence},
	SessionIndex,
};
use tensornet_protocol::{
	BurnCause, EraIndex, Eras, OnEraEnd, RewardReason, Shares, TokenPolicy, VerifiedCompute,
};

// Tests ask records what is held.
pub use tensornet_protocol::Bonded as _;

frame_support::construct_runtime!(
	pub enum Test {
		System: frame_system,
		Balances: pallet_balances,
		Offences: pallet_offences,
		Historical: pallet_session_historical,
		Session: pallet_session,
		Validators: pallet_tensornet_validators,
	}
);

pub type Block = frame_system::mocking::MockBlock<Test>;

/// The existential deposit.
pub const ED: u64 = 10;
/// The least bond.
pub const MIN: u64 = 1_000;
/// Blocks until a chunk unlocks.
pub const PERIOD: u64 = 100;
/// Who reports offences; it exists from genesis.
pub const REPORTER: u64 = 901;
/// Eras for which rewards can be claimed.
pub const HISTORY: u32 = 4;
/// Sessions for which faults can be reported.
pub const REPORTABLE: u32 = 12;
/// Places in the ranking.
pub const PLACES: u32 = 8;
/// The most validators of a set.
pub const SET: u32 = 6;

#[derive_impl(frame_system::config_preludes::TestDefaultConfig)]
impl frame_system::Config for Test {
	type Block = Block;
	type AccountData = pallet_balances::AccountData<u64>;
}

parameter_types! {
	pub const ExistentialDeposit: u64 = ED;
	pub static MinBond: u64 = MIN;
	pub static ValidatorCount: u32 = 4;
	pub static MinCount: u32 = 2;
	/// One unit burned counts as a hundred of stake.
	pub static BurnPerStake: Permill = Permill::from_percent(1);
	pub static SilenceSlash: Permill = Permill::from_percent(1);
	pub static ReporterShare: Permill = Permill::from_percent(10);
	pub static SlashDelay: EraIndex = 2;
	pub static JailEras: EraIndex = 1;
	pub static SessionsPerEra: SessionIndex = 3;
	/// What the nodes of stashes burned, by era.
	pub static Burns: Vec<(EraIndex, u64, u64)> = Vec::new();
	/// What each era may mint to validators.
	pub static Budget: u64 = 10_000;
	/// Whether validators can be paid.
	pub static Minting: bool = true;
	/// What was minted.
	pub static Minted: u64 = 0;
	/// What the pallet said it burned.
	pub static BurnedByPallet: u64 = 0;
	/// The eras of whose end the pallet told.
	pub static Ended: Vec<EraIndex> = Vec::new();
}

#[derive_impl(pallet_balances::config_preludes::TestDefaultConfig)]
impl pallet_balances::Config for Test {
	type AccountStore = System;
	type ExistentialDeposit = ExistentialDeposit;
	type RuntimeHoldReason = RuntimeHoldReason;
	type FreezeIdentifier = ();
	type MaxFreezes = ConstU32<1>;
}

impl pallet_session::Config for Test {
	type Currency = Balances;
	type DisablingStrategy = UpToLimitWithReEnablingDisablingStrategy;
	type KeyDeposit = ConstU64<0>;
	type Keys = UintAuthorityId;
	type NextSessionRotation = pallet_session::PeriodicSessions<ConstU64<10>, ConstU64<0>>;
	type RuntimeEvent = RuntimeEvent;
	type SessionHandler = pallet_session::TestSessionHandler;
	type SessionManager = pallet_session::historical::NoteHistoricalRoot<Self, Validators>;
	type ShouldEndSession = pallet_session::PeriodicSessions<ConstU64<10>, ConstU64<0>>;
	type ValidatorId = u64;
	type ValidatorIdOf = ConvertInto;
	type WeightInfo = ();
}

/// A validator is known by nothing but its account.
pub struct Unit;
impl Convert<u64, Option<()>> for Unit {
	fn convert(_: u64) -> Option<()> {
		Some(())
	}
}

impl pallet_session::historical::Config for Test {
	type FullIdentification = ();
	type FullIdentificationOf = Unit;
	type RuntimeEvent = RuntimeEvent;
}

impl pallet_offences::Config for Test {
	type IdentificationTuple = (u64, ());
	type OnOffenceHandler = Validators;
	type RuntimeEvent = RuntimeEvent;
}

/// Remembers burns.
pub struct Ledgerbook;
impl TokenPolicy for Ledgerbook {
	type AccountId = u64;
	type Balance = u64;
	fn shares() -> Shares {
		Shares::default()
	}
	fn floor_ask() -> u64 {
		0
	}
	fn treasury() -> u64 {
		0
	}
	fn burned(cause: BurnCause, amount: u64) {
		assert_eq!(cause, BurnCause::Slash);
		BurnedByPallet::mutate(|total| *total += amount);
	}
}

/// Mints out of [`Budget`].
pub struct Mint;
impl tensornet_protocol::Emission for Mint {
	type AccountId = u64;
	type Balance = u64;
	fn node_budget(_: EraIndex) -> u64 {
		0
	}
	fn validator_budget(era: EraIndex) -> u64 {
		if era < Validators::current() {
			Budget::get()
		} else {
			0
		}
	}
	fn job_burn(_: EraIndex) -> u64 {
		0
	}
	fn mint(
		era: EraIndex,
		to: &u64,
		amount: u64,
		reason: RewardReason,
		beneficiary: Option<&u64>,
	) -> u64 {
		assert!(era < Validators::current());
		assert_eq!((reason, beneficiary), (RewardReason::Validation, Some(to)));
		if !Minting::get() || Balances::mint_into(to, amount).is_err() {
			return 0;
		}
		Minted::mutate(|total| *total += amount);
		amount
	}
	fn note(_: &u64, _: u64, _: RewardReason) {
		panic!("validators are paid directly");
	}
}

/// Looks burns up in [`Burns`].
pub struct Compute;
impl VerifiedCompute for Compute {
	type AccountId = u64;
	type Balance = u64;
	fn burned_by(era: EraIndex, stash: &u64) -> u64 {
		let own = Burns::get().into_iter().filter(|(when, who, _)| (*when, who) == (era, stash));
		own.map(|(.., burned)| burned).sum()
	}
}

/// Remembers the eras that ended, and that the clock had moved on by then.
pub struct EraEnds;
impl OnEraEnd for EraEnds {
	fn era_ended(ended: EraIndex) {
		assert_eq!(Validators::current(), ended + 1);
		Ended::mutate(|eras| eras.push(ended));
	}
}

impl pallet_tensornet_validators::Config for Test {
	type AppealOrigin = frame_system::EnsureRoot<u64>;
	type BurnPerStake = BurnPerStake;
	type Compute = Compute;
	type Currency = Balances;
	type Emission = Mint;
	type HistoryDepth = ConstU32<HISTORY>;
	type JailEras = JailEras;
	type MaxCandidates = ConstU32<PLACES>;
	type MaxValidators = ConstU32<SET>;
	type MinBond = MinBond;
	type MinCount = MinCount;
	type Offences = Offences;
	type OnEraEnd = EraEnds;
	type ReportableSessions = ConstU32<REPORTABLE>;
	type ReporterShare = ReporterShare;
	type RuntimeHoldReason = RuntimeHoldReason;
	type Session = Session;
	type SessionsPerEra = SessionsPerEra;
	type SilenceSlash = SilenceSlash;
	type SlashDelay = SlashDelay;
	type Token = Ledgerbook;
	type UnbondingPeriod = ConstU64<PERIOD>;
	type ValidatorCount = ValidatorCount;
	type WeightInfo = crate::weights::SubstrateWeight<Test>;
}

/// Builds a chain and checks its state after the test.
#[derive(Default)]
pub struct TestExt {
	balances: Vec<(u64, u64)>,
	validators: Vec<u64>,
	candidates: Vec<(u64, u64)>,
	keys: Vec<u64>,
}

impl TestExt {
	/// Gives `who` a balance at genesis.
	pub fn endow(mut self, who: u64, amount: u64) -> Self {
		self.balances.push((who, amount));
		self
	}

	/// Endows `who` and gives it session keys.
	pub fn with_keys(mut self, who: u64, amount: u64) -> Self {
		self.keys.push(who);
		self.endow(who, amount)
	}

	/// A candidate from genesis that is not a validator of the first set, with twice the bond and the
	/// existential deposit.
	pub fn candidate(mut self, stash: u64, bond: u64) -> Self {
		self.candidates.push((stash, bond));
		self.with_keys(stash, 2 * bond + ED)
	}

	/// A candidate that is a validator of the first set.
	pub fn validator(mut self, stash: u64, bond: u64) -> Self {
		self.validators.push(stash);
		self.candidates.push((stash, bond));
		self.endow(stash, 2 * bond + ED)
	}

	/// A validator of the first set that is no candidate.
	pub fn unwilling(mut self, stash: u64) -> Self {
		self.validators.push(stash);
		self.endow(stash, 10 * MIN)
	}

	/// Validators 1 to `count`, with bonds of 10,000.
	pub fn validators(mut self, count: u64) -> Self {
		for stash in 1..=count {
			self = self.validator(stash, 10 * MIN);
		}
		self
	}

	/// The chain at block 1.
	pub fn build(mut self) -> TestExternalities {
		self.balances.push((REPORTER, ED));
		let keyed = |stashes: Vec<u64>| {
			stashes.into_iter().map(|who| (who, who, UintAuthorityId(who))).collect()
		};
		let genesis = RuntimeGenesisConfig {
			balances: pallet_balances::GenesisConfig {
				balances: self.balances,
				dev_accounts: None,
			},
			session: pallet_session::GenesisConfig {
				keys: keyed(self.validators),
				non_authority_keys: keyed(self.keys),
			},
			validators: pallet_tensornet_validators::GenesisConfig { candidates: self.candidates },
			..Default::default()
		};
		let storage = genesis.build_storage().expect("the genesis builds");
		let mut ext = TestExternalities::new(storage);
		BurnedByPallet::set(0);
		Minted::set(0);
		Ended::set(Vec::new());
		ext.execute_with(|| {
			System::set_block_number(1);
			System::reset_events();
		});
		ext
	}

	/// Runs a test, then checks every invariant, and that only what was written down was burned or
	/// minted.
	pub fn build_and_execute(self, test: impl FnOnce()) {
		self.build().execute_with(|| {
			let issuance = Balances::total_issuance();
			test();
			Validators::do_try_state().expect("the invariants hold");
			assert_eq!(
				Balances::total_issuance() + BurnedByPallet::get(),
				issuance + Minted::get()
			);
		});
	}
}

/// The next block, with its hooks.
pub fn next_block() {
	System::set_block_number(System::block_number() + 1);
	Validators::on_initialize(System::block_number());
}

/// The next `count` blocks, without their hooks.
pub fn pass_blocks(count: u64) {
	System::set_block_number(System::block_number() + count);
}

/// `count` blocks by `who`.
pub fn author(who: u64, count: u32) {
	use pallet_authorship::EventHandler;
	for _ in 0..count {
		next_block();
		<Validators as EventHandler<u64, u64>>::note_author(who);
	}
}

/// The next session, which begins with a block.
pub fn next_session() {
	System::set_block_number(System::block_number() + 1);
	Session::rotate_session();
	Validators::on_initialize(System::block_number());
}

/// Sessions up to the first one of the next era.
pub fn next_era() {
	let now = era();
	while era() == now {
		next_session();
	}
}

/// The running era.
pub fn era() -> EraIndex {
	CurrentEra::<Test>::get().index
}

/// The running set, by account.
pub fn running() -> Vec<u64> {
	let mut set = Session::validators();
	set.sort_unstable();
	set
}

/// The validators of the running set that are disabled.
pub fn disabled() -> Vec<u64> {
	let set = Session::validators();
	Session::disabled_validators().into_iter().map(|index| set[index as usize]).collect()
}

/// The record of `stash`.
pub fn ledger(stash: u64) -> LedgerOf<Test> {
	Ledgers::<Test>::get(stash).expect("it has a record")
}

/// What is held for `stash`.
pub fn held(stash: u64) -> u64 {
	Balances::balance_on_hold(&crate::HoldReason::ValidatorBond.into(), &stash)
}

/// What slash `id` takes.
pub fn due(id: SlashId) -> u64 {
	Slashes::<Test>::get(id).expect("it waits").amount
}

/// Gives `who` other session keys.
pub fn rotate_keys(who: u64, key: u64) {
	assert_ok!(<Session as SessionInterface>::set_keys(&who, UintAuthorityId(key)));
}

/// Takes the session keys of `who` away.
pub fn purge_keys(who: u64) {
	assert_ok!(<Session as SessionInterface>::purge_keys(&who));
}

/// Offers `bond`.
pub fn register(stash: u64, bond: u64) -> DispatchResult {
	Validators::register_candidate(RuntimeOrigin::signed(stash), bond)
}

/// An equivocation in `slot`, as BABE reports it.
pub struct Equivocation {
	pub offender: u64,
	pub session: SessionIndex,
	pub slot: u64,
}

impl Offence<(u64, ())> for Equivocation {
	const ID: Kind = *b"mock:equivocatio";
	type Slot = u64;

	fn offenders(&self) -> Vec<(u64, ())> {
		vec![(self.offender, ())]
	}

	fn session_index(&self) -> SessionIndex {
		self.session
	}

	fn validator_set_count(&self) -> u32 {
		4
	}

	fn slot(&self) -> u64 {
		self.slot
	}

	/// A tenth for each offender.
	fn slash_fraction(&self, offenders: u32) -> Perbill {
		Perbill::from_percent(10 * offenders)
	}
}

/// [`REPORTER`] reports that `offender` equivocated in `slot` of the running session.
pub fn equivocate(offender: u64, slot: u64) -> Result<(), OffenceError> {
	let session = Session::current_index();
	Offences::report_offence(vec![REPORTER], Equivocation { offender, session, slot })
}

/// The chain on which benchmarks are tested.
#[cfg(feature = "runtime-benchmarks")]
pub fn new_test_ext() -> TestExternalities {
	TestExt::default().validators(2).build()
}
