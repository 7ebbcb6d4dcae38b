// SPDX-License-Identifier: Apache-2.0

//! A runtime of balances and the registry of nodes, with a token policy that writes down burns, eras
//! that end when a test says so, and an emission of whatever budgets it sets.

use crate as pallet_tensornet_staking;
use crate::{NodeOf, Nodes};
use frame_support::{
	assert_ok, derive_impl, parameter_types,
	traits::{fungible::Mutate, ConstU32, OnIdle},
	weights::Weight,
	PalletId,
};
use sp_io::TestExternalities;
use sp_runtime::{traits::Convert, BuildStorage, Permill};
use std::collections::BTreeMap;
use tensornet_protocol::{
	BurnCause, Capability, Conduct, Endpoint, EraIndex, Nodes as _, OnSettled as _, Requirements,
	RewardReason, Role, Settlement, Shares, Slash, Split, TokenPolicy,
};

// Tests ask records what is held.
pub use tensornet_protocol::Bonded as _;

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
	/// What the pallet said it burned. In storage, because calls that fail burn nothing.
	pub storage BurnedByPallet: u64 = 0;
	pub const PotId: PalletId = PalletId(*b"test/pot");
	pub const MaxBacking: u32 = 4;
	pub const HistoryDepth: EraIndex = 5;
	pub static MinDelegation: u64 = 100;
	pub static MaxCommission: Permill = Permill::from_percent(50);
	pub static MaxCommissionRaise: Permill = Permill::from_percent(5);
	pub static SlashDelay: u64 = 0;
	pub static JailPeriod: u64 = 0;
	pub static HeartbeatPeriod: u64 = 0;
	/// The era of the current block.
	pub static Era: EraIndex = 0;
	/// What settled jobs burned in each era.
	pub static JobBurns: BTreeMap<EraIndex, u64> = BTreeMap::new();
	/// What nodes may be minted for each ended era.
	pub static Budgets: BTreeMap<EraIndex, u64> = BTreeMap::new();
	/// What of that was minted.
	pub static Minted: BTreeMap<EraIndex, u64> = BTreeMap::new();
	/// What was noted as received by whom.
	pub static Noted: Vec<(u64, u64, RewardReason)> = Vec::new();
	/// What the consensus chain heard of the stake of accounts.
	pub static Stakes: BTreeMap<u64, u64> = BTreeMap::new();
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
		assert!(matches!(cause, BurnCause::Slash | BurnCause::Dust));
		BurnedByPallet::set(&(BurnedByPallet::get() + amount));
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
		assert!(matches!(role, Role::Node | Role::Delegator));
		!Barred::get().contains(who)
	}
}

/// The era that the test is in.
pub struct Clock;
impl tensornet_protocol::Eras for Clock {
	fn current() -> EraIndex {
		Era::get()
	}
}

/// Mints out of [`Budgets`].
pub struct Emission;
impl tensornet_protocol::Emission for Emission {
	type AccountId = u64;
	type Balance = u64;

	fn node_budget(era: EraIndex) -> u64 {
		if era < Era::get() {
			Budgets::get().get(&era).copied().unwrap_or_default()
		} else {
			0
		}
	}

	fn validator_budget(_: EraIndex) -> u64 {
		0
	}

	fn job_burn(era: EraIndex) -> u64 {
		JobBurns::get().get(&era).copied().unwrap_or_default()
	}

	fn mint(
		era: EraIndex,
		to: &u64,
		amount: u64,
		reason: RewardReason,
		beneficiary: Option<&u64>,
	) -> u64 {
		let minted = Minted::get().get(&era).copied().unwrap_or_default();
		let amount = amount.min(Self::node_budget(era) - minted);
		if amount == 0 || Balances::mint_into(to, amount).is_err() {
			return 0;
		}
		Minted::mutate(|all| all.insert(era, minted + amount));
		if let Some(who) = beneficiary {
			Self::note(who, amount, reason);
		}
		amount
	}

	fn note(who: &u64, amount: u64, reason: RewardReason) {
		Noted::mutate(|all| all.push((*who, amount, reason)));
	}
}

/// Hears of stakes.
pub struct Lineage;
impl tensornet_protocol::Lineage for Lineage {
	type AccountId = u64;
	type Balance = u64;

	fn job_settled(_: &Settlement<u64, u64>) -> Option<(u64, u64)> {
		None
	}

	fn stake_delegated(who: &u64, stake: u64) {
		Stakes::mutate(|all| all.insert(*who, stake));
	}
}

/// From 1,000 × 10⁹ multiply-accumulates a second on a node needs twice the bond, from 10,000 × 10⁹ on
/// five times.
pub struct TierBond;
impl Convert<Capability, u64> for TierBond {
	fn convert(capability: Capability) -> u64 {
		match capability.giga_macs {
			0..=999 => 0,
			1_000..=9_999 => 2 * MIN,
			_ => 5 * MIN,
		}
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
	type Eras = Clock;
	type Emission = Emission;
	type Lineage = Lineage;
	type AppealOrigin = frame_system::EnsureRoot<u64>;
	type PotId = PotId;
	type TierBond = TierBond;
	type MaxBacking = MaxBacking;
	type MinDelegation = MinDelegation;
	type MaxCommission = MaxCommission;
	type MaxCommissionRaise = MaxCommissionRaise;
	type HistoryDepth = HistoryDepth;
	type SlashDelay = SlashDelay;
	type JailPeriod = JailPeriod;
	type HeartbeatPeriod = HeartbeatPeriod;
	#[cfg(feature = "runtime-benchmarks")]
	type BenchmarkHelper = NextEra;
	type WeightInfo = crate::weights::SubstrateWeight<Test>;
}

/// Builds a chain and checks its state after the test.
#[derive(Default)]
pub struct TestExt {
	balances: Vec<(u64, u64)>,
	nodes: Vec<(u64, u64)>,
	empty_pot: bool,
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

	/// Leaves the pot without an existential deposit, as a new chain does.
	pub fn empty_pot(mut self) -> Self {
		self.empty_pot = true;
		self
	}

	/// The chain at block 1.
	pub fn build(mut self) -> TestExternalities {
		self.balances.extend([(REQUESTER, ED), (REPORTER, ED)]);
		if !self.empty_pot {
			self.balances.push((Staking::pot(), ED));
		}
		let genesis = RuntimeGenesisConfig {
			balances: pallet_balances::GenesisConfig {
				balances: self.balances,
				dev_accounts: None,
			},
			..Default::default()
		};
		let storage = genesis.build_storage().expect("the genesis builds");
		let mut ext = TestExternalities::new(storage);
		Era::set(0);
		Budgets::take();
		JobBurns::take();
		Minted::take();
		Noted::take();
		Stakes::take();
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

	/// Runs a test, then checks every invariant, and that only what was written down was minted and
	/// burned.
	pub fn build_and_execute(self, test: impl FnOnce()) {
		self.build().execute_with(|| {
			let issuance = Balances::total_issuance();
			test();
			Staking::do_try_state().expect("the invariants hold");
			assert_eq!(Balances::total_issuance() + BurnedByPallet::get(), issuance + minted());
		});
	}
}

/// What was minted in all.
pub fn minted() -> u64 {
	Minted::get().values().sum()
}

/// Ends the era, with a budget for its nodes.
pub fn end_era(budget: u64) {
	Budgets::mutate(|all| all.insert(Era::get(), budget));
	Era::mutate(|era| *era += 1);
}

/// A job of the node settles and burns `burn`.
pub fn settle_job(node: u64, burn: u64) {
	JobBurns::mutate(|all| *all.entry(Era::get()).or_default() += burn);
	Staking::job_settled(&Settlement {
		job: 0,
		requester: REQUESTER,
		node,
		author: None,
		program: Default::default(),
		price: 10 * burn,
		split: Split { burn, node: 9 * burn, ..Default::default() },
	});
}

/// Goes to `block` and does there what a block without transactions does.
pub fn go_to(block: u64) {
	System::set_block_number(block);
	Staking::on_idle(block, Weight::MAX);
}

/// A signed origin.
pub fn by(who: u64) -> RuntimeOrigin {
	RuntimeOrigin::signed(who)
}

/// What is held for `who` as delegated.
pub fn delegated(who: u64) -> u64 {
	use frame_support::traits::fungible::InspectHold;
	Balances::balance_on_hold(&crate::HoldReason::Delegation.into(), &who)
}

/// What the delegation of `who` to `node` is worth now.
pub fn worth(node: u64, who: u64) -> u64 {
	Staking::delegation_worth(node, who)
}

/// Ends eras for benchmarks.
#[cfg(feature = "runtime-benchmarks")]
pub struct NextEra;

#[cfg(feature = "runtime-benchmarks")]
impl crate::BenchmarkHelper for NextEra {
	fn end_era() {
		JobBurns::mutate(|all| all.insert(Era::get(), 1_000_000_000));
		end_era(1_000_000_000);
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
