// SPDX-License-Identifier: Apache-2.0

//! A runtime of balances and TNA.

use crate as pallet_tensornet_tna;
use frame_support::{
	derive_impl, parameter_types,
	traits::{
		fungible::Mutate,
		tokens::{Fortitude, Precision, Preservation},
	},
};
use sp_io::TestExternalities;
use sp_runtime::{BuildStorage, Permill};
use tensornet_protocol::{BurnCause, EraIndex, Eras, OnEraEnd, TokenPolicy};

frame_support::construct_runtime!(
	pub enum Test {
		System: frame_system,
		Balances: pallet_balances,
		Tna: pallet_tensornet_tna,
	}
);

pub type Block = frame_system::mocking::MockBlock<Test>;

/// The existential deposit.
pub const ED: u64 = 10;
/// The treasury's account; it exists from genesis.
pub const TREASURY_ACCOUNT: u64 = 99;
/// The usual author of blocks; it exists from genesis.
pub const BLOCK_AUTHOR: u64 = 98;
/// What [`TestExt`] issues beyond what it endows.
const POTS: [(u64, u64); 2] = [(TREASURY_ACCOUNT, ED), (BLOCK_AUTHOR, ED)];

#[derive_impl(frame_system::config_preludes::TestDefaultConfig)]
impl frame_system::Config for Test {
	type Block = Block;
	type AccountData = pallet_balances::AccountData<u64>;
	type OnKilledAccount = Tna;
}

parameter_types! {
	pub const ExistentialDeposit: u64 = ED;
	pub static Treasury: u64 = TREASURY_ACCOUNT;
	pub static Author: Option<u64> = Some(BLOCK_AUTHOR);
	pub static JobBurn: Permill = Permill::from_percent(5);
	pub static JobTreasury: Permill = Permill::from_percent(3);
	pub static JobAuthor: Permill = Permill::from_percent(2);
	pub static FeeBurn: Permill = Permill::from_percent(50);
	pub static FeeTreasury: Permill = Permill::from_percent(30);
	pub static FloorAsk: u64 = 7;
	pub static MaxSupply: u64 = 1_000_000_000;
	pub static JobLineage: Permill = Permill::from_percent(4);
	pub static Reserve: u64 = 400_000_000;
	pub static CurrentEra: EraIndex = 0;
	pub const ErasPerYear: u32 = 100;
	pub static YearlyRate: Permill = Permill::from_percent(10);
	pub static NodeShare: Permill = Permill::from_percent(70);
	pub static BurnRebate: Permill = Permill::from_percent(50);
	pub const HistoryDepth: EraIndex = 5;
}

/// The era is what a test says.
pub struct Clock;

impl Eras for Clock {
	fn current() -> EraIndex {
		CurrentEra::get()
	}
}

/// Ends the running era and begins the next one. Returns the one that ended.
pub fn next_era() -> EraIndex {
	let ended = CurrentEra::get();
	CurrentEra::set(ended + 1);
	Tna::era_ended(ended);
	ended
}

/// What jobs burn in the running era, taken from `who`.
pub fn burn_for_jobs(who: u64, amount: u64) {
	Balances::burn_from(&who, amount, Preservation::Preserve, Precision::Exact, Fortitude::Polite)
		.expect("the account has it");
	Tna::burned(BurnCause::Job, amount);
}

#[derive_impl(pallet_balances::config_preludes::TestDefaultConfig)]
impl pallet_balances::Config for Test {
	type AccountStore = System;
	type ExistentialDeposit = ExistentialDeposit;
	type DustRemoval = pallet_tensornet_tna::DustToLedger<Test>;
}

impl pallet_tensornet_tna::Config for Test {
	type Currency = Balances;
	type Treasury = Treasury;
	type Author = Author;
	type JobBurn = JobBurn;
	type JobTreasury = JobTreasury;
	type JobAuthor = JobAuthor;
	type JobLineage = JobLineage;
	type FeeBurn = FeeBurn;
	type FeeTreasury = FeeTreasury;
	type FloorAsk = FloorAsk;
	type MaxSupply = MaxSupply;
	type Reserve = Reserve;
	type Eras = Clock;
	type ErasPerYear = ErasPerYear;
	type YearlyRate = YearlyRate;
	type NodeShare = NodeShare;
	type BurnRebate = BurnRebate;
	type HistoryDepth = HistoryDepth;
	type WeightInfo = crate::weights::SubstrateWeight<Test>;
}

/// Builds a chain and checks its state after the test.
#[derive(Default)]
pub struct TestExt {
	balances: Vec<(u64, u64)>,
}

impl TestExt {
	/// Gives `who` a balance at genesis.
	pub fn endow(mut self, who: u64, amount: u64) -> Self {
		self.balances.push((who, amount));
		self
	}

	/// The chain at block 1.
	pub fn build(mut self) -> TestExternalities {
		self.balances.extend(POTS);
		let genesis = RuntimeGenesisConfig {
			balances: pallet_balances::GenesisConfig {
				balances: self.balances,
				dev_accounts: None,
			},
			..Default::default()
		};
		CurrentEra::set(0);
		let storage = genesis.build_storage().expect("the genesis builds");
		let mut ext = TestExternalities::new(storage);
		ext.execute_with(|| System::set_block_number(1));
		ext
	}

	/// Runs a test, then checks every invariant.
	pub fn build_and_execute(self, test: impl FnOnce()) {
		self.build().execute_with(|| {
			test();
			Tna::do_try_state().expect("the invariants hold");
		});
	}
}

/// The chain on which benchmarks are tested.
#[cfg(feature = "runtime-benchmarks")]
pub fn new_test_ext() -> TestExternalities {
	TestExt::default().build()
}
