// SPDX-License-Identifier: Apache-2.0

//! A runtime of balances and the registry of nodes, with a token policy that writes down burns.

use crate as pallet_tensornet_staking;
use crate::{NodeOf, Nodes};
use frame_support::{assert_ok, derive_impl, parameter_types, traits::ConstU32};
use sp_io::TestExternalities;
use sp_runtime::{BuildStorage, Permill};
use tensornet_protocol::{
	BurnCause, Capability, Conduct, Endpoint, Nodes as _, Requirements, Role, Shares, Slash,
	TokenPolicy,
};

frame_support::construct_runtime!(
	pub enum Test {
		System: frame_system,
		Balances: pallet_balances,
		Staking: pallet_tensornet_staking,
	}
);

pub type Block = frame_system::mocking::MockBlock<Test>;

/// The existential deposit.
pub const ED: u64 = 10;
/// The minimum bond.
pub const MIN: u64 = 1_000;
/// Blocks until a chunk unlocks.
pub const PERIOD: u64 = 100;
/// The requester of jobs; it exists from genesis.
pub const REQUESTER: u64 = 900;
/// Who proves fraud; it exists from genesis.
pub const REPORTER: u64 = 901;
/// The operator of node `stash` is `OPERATOR + stash`.
pub const OPERATOR: u64 = 10_000;

#[derive_impl(frame_system::config_preludes::TestDefaultConfig)]
impl frame_system::Config for Test {
	type Block = Block;
	type AccountData = pallet_balances::AccountData<u64>;
}

parameter_types! {
	pub const ExistentialDeposit: u64 = ED;
	pub const UnbondingPeriod: u64 = PERIOD;
	pub const MaxJobsPerNode: u32 = 4;
	pub static MinBond: u64 = MIN;
	pub static MaxWeightBond: u64 = 10 * MIN;
	pub static SilentSlash: Permill = Permill::from_percent(1);
	pub static FraudSlash: Permill = Permill::from_percent(50);
	pub static SlashToReporter: Permill = Permill::from_percent(25);
	pub static SlashToRequester: Permill = Permill::from_percent(25);
	/// Accounts with a compliance level.
	pub static Levels: Vec<(u64, u8)> = Vec::new();
	pub static Barred: Vec<u64> = Vec::new();
	/// What the pallet said it burned.
	pub static BurnedByPallet: u64 = 0;
}

#[derive_impl(pallet_balances::config_preludes::TestDefaultConfig)]
impl pallet_balances::Config for Test {
	type AccountStore = System;
	type ExistentialDeposit = ExistentialDeposit;
	type RuntimeHoldReason = RuntimeHoldReason;
	type FreezeIdentifier = ();
	type MaxFreezes = ConstU32<1>;
}

/// Remembers burns.
pub struct Ledger;
impl TokenPolicy for Ledger {
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

/// Looks an account up in [`Levels`] and [`Barred`].
pub struct Compliance;
impl tensornet_protocol::Compliance for Compliance {
	type AccountId = u64;

	fn level(who: &u64) -> u8 {
		Levels::get().iter().find(|(one, _)| one == who).map_or(0, |(_, level)| *level)
	}

	fn admits(who: &u64, role: Role) -> bool {
		assert_eq!(role, Role::Node);
		!Barred::get().contains(who)
	}
}

impl pallet_tensornet_staking::Config for Test {
	type Currency = Balances;
	type RuntimeHoldReason = RuntimeHoldReason;
	type Token = Ledger;
	type Compliance = Compliance;
	type MinBond = MinBond;
	type MaxWeightBond = MaxWeightBond;
	type UnbondingPeriod = UnbondingPeriod;
	type MaxJobsPerNode = MaxJobsPerNode;
	type SilentSlash = SilentSlash;
	type FraudSlash = FraudSlash;
	type SlashToReporter = SlashToReporter;
	type SlashToRequester = SlashToRequester;
	type WeightInfo = crate::weights::SubstrateWeight<Test>;
}

/// Builds a chain and checks its state after the test.
#[derive(Default)]
pub struct TestExt {
	balances: Vec<(u64, u64)>,
	nodes: Vec<(u64, u64)>,
}

impl TestExt {
	/// Gives `who` a balance at genesis.
	pub fn endow(mut self, who: u64, amount: u64) -> Self {
		self.balances.push((who, amount));
		self
	}

	/// Gives `stash` twice the bond and the existential deposit, registers its node with `bond` and
	/// brings it online.
	pub fn node(mut self, stash: u64, bond: u64) -> Self {
		self.nodes.push((stash, bond));
		self.endow(stash, 2 * bond + ED)
	}

	/// The chain at block 1.
	pub fn build(mut self) -> TestExternalities {
		self.balances.extend([(REQUESTER, ED), (REPORTER, ED)]);
		let genesis = RuntimeGenesisConfig {
			balances: pallet_balances::GenesisConfig {
				balances: self.balances,
				dev_accounts: None,
			},
			..Default::default()
		};
		let storage = genesis.build_storage().expect("the genesis builds");
		let mut ext = TestExternalities::new(storage);
		BurnedByPallet::set(0);
		ext.execute_with(|| {
			System::set_block_number(1);
			for (stash, bond) in self.nodes {
				assert_ok!(register(stash, bond));
				assert_ok!(Staking::set_online(RuntimeOrigin::signed(stash), true));
			}
			System::reset_events();
		});
		ext
	}

	/// Runs a test, then checks every invariant, and that only what was written down was burned.
	pub fn build_and_execute(self, test: impl FnOnce()) {
		self.build().execute_with(|| {
			let issuance = Balances::total_issuance();
			test();
			Staking::do_try_state().expect("the invariants hold");
			assert_eq!(Balances::total_issuance() + BurnedByPallet::get(), issuance);
		});
	}
}

/// Registers the node of `stash` with the usual offer.
pub fn register(stash: u64, bond: u64) -> frame_support::pallet_prelude::DispatchResult {
	Staking::register_node(
		RuntimeOrigin::signed(stash),
		OPERATOR + stash,
		ASK,
		capability(),
		endpoint("http://node"),
		bond,
	)
}

/// The usual ask.
pub const ASK: u64 = 50;

/// The usual capability.
pub fn capability() -> Capability {
	Capability { memory_mib: 8_192, giga_macs: 500 }
}

/// An endpoint.
pub fn endpoint(url: &str) -> Endpoint {
	url.as_bytes().to_vec().try_into().expect("the URL fits")
}

/// What every usual node meets.
pub fn requirements() -> Requirements<u64> {
	Requirements { memory_mib: 1_024, max_ask: ASK, compliance_level: 0, collateral: 0 }
}

/// The record of `stash`.
pub fn node(stash: u64) -> NodeOf<Test> {
	Nodes::<Test>::get(stash).expect("the node is registered")
}

/// What is held for `stash`.
pub fn held(stash: u64) -> u64 {
	use frame_support::traits::fungible::InspectHold;
	Balances::balance_on_hold(&crate::HoldReason::Bond.into(), &stash)
}

/// Gives the node a job and ends it with `conduct`, reported by [`REPORTER`].
pub fn judge(stash: u64, conduct: Conduct) -> Slash<u64> {
	judge_at(stash, 0, conduct)
}

/// The same for a job with a collateral.
pub fn judge_at(stash: u64, collateral: u64, conduct: Conduct) -> Slash<u64> {
	Staking::job_taken(&stash, collateral);
	Staking::job_released(&stash, collateral, conduct, Some(&REPORTER), &REQUESTER)
}

/// The chain on which benchmarks are tested.
#[cfg(feature = "runtime-benchmarks")]
pub fn new_test_ext() -> TestExternalities {
	TestExt::default().build()
}
