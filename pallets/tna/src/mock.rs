// SPDX-License-Identifier: Apache-2.0

//! A runtime of balances and TNA.

use crate as pallet_tensornet_tna;
use frame_support::{derive_impl, parameter_types};
use sp_io::TestExternalities;
use sp_runtime::{BuildStorage, Permill};

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
	type FeeBurn = FeeBurn;
	type FeeTreasury = FeeTreasury;
	type FloorAsk = FloorAsk;
	type MaxSupply = MaxSupply;
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
