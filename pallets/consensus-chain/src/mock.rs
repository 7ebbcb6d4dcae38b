// SPDX-License-Identifier: Apache-2.0

//! A runtime of balances and the consensus chain, and a market that settles jobs with real money.

use crate::{self as pallet_consensus_chain, *};
use frame_support::{
	construct_runtime, derive_impl, parameter_types,
	traits::{
		fungible::{Inspect, InspectHold, Mutate},
		tokens::{Fortitude, Precision, Preservation},
		Contains, LinearStoragePrice,
	},
	weights::WeightMeter,
	PalletId,
};
use sp_runtime::{BuildStorage, DispatchResult, Permill};
use tensornet_protocol::{
	BurnCause, EraIndex, Eras, Hash, Lineage, Settlement, Shares, TokenPolicy,
};

pub type Balance = u128;
pub type AccountId = u64;

/// The existential deposit.
pub const ED: Balance = 10;
/// What accounts 1 to 99 start with.
pub const FUNDS: Balance = 1_000_000_000_000;
/// The treasury's account; it exists from genesis.
pub const TREASURY: AccountId = 999;

construct_runtime!(
	pub struct Test {
		System: frame_system,
		Balances: pallet_balances,
		ConsensusChain: pallet_consensus_chain,
	}
);

#[derive_impl(frame_system::config_preludes::TestDefaultConfig)]
impl frame_system::Config for Test {
	type Block = frame_system::mocking::MockBlock<Test>;
	type AccountData = pallet_balances::AccountData<Balance>;
	type OnKilledAccount = ConsensusChain;
}

#[derive_impl(pallet_balances::config_preludes::TestDefaultConfig)]
impl pallet_balances::Config for Test {
	type AccountStore = System;
	type Balance = Balance;
	type ExistentialDeposit = ExistentialDeposit;
	type RuntimeHoldReason = RuntimeHoldReason;
}

parameter_types! {
	pub const ExistentialDeposit: Balance = ED;
	pub const DepositBase: Balance = 20;
	pub const DepositPerByte: Balance = 1;
	pub const HalfLife: EraIndex = 4;
	pub const PotId: PalletId = PalletId(*b"tn/linea");
	pub static CurrentEra: EraIndex = 0;
	pub static BurnedFees: Balance = 0;
	pub static Sanctioned: Vec<AccountId> = vec![];
	pub static ActiveWeight: Balance = 1_000;
	pub static StakeFactor: Permill = Permill::from_percent(1);
	pub static NodePart: Permill = Permill::from_percent(50);
	pub static RequesterPart: Permill = Permill::from_percent(30);
	pub static Ratio: Permill = Permill::from_percent(50);
}

pub struct MockEras;
impl Eras for MockEras {
	fn current() -> EraIndex {
		CurrentEra::get()
	}
}

pub struct MockBarred;
impl Contains<AccountId> for MockBarred {
	fn contains(who: &AccountId) -> bool {
		Sanctioned::get().contains(who)
	}
}

/// Counts what is burned of fees.
pub struct MockToken;
impl TokenPolicy for MockToken {
	type AccountId = AccountId;
	type Balance = Balance;

	fn shares() -> Shares {
		usual()
	}
	fn floor_ask() -> Balance {
		1
	}
	fn treasury() -> AccountId {
		TREASURY
	}
	fn burned(cause: BurnCause, amount: Balance) {
		assert_eq!(cause, BurnCause::Lineage);
		BurnedFees::mutate(|all| *all += amount);
	}
}

impl Config for Test {
	type ActiveWeight = ActiveWeight;
	type Barred = MockBarred;
	type Currency = Balances;
	type Deposit = LinearStoragePrice<DepositBase, DepositPerByte, Balance>;
	type Eras = MockEras;
	type HalfLife = HalfLife;
	type NodePart = NodePart;
	type PotId = PotId;
	type Ratio = Ratio;
	type RequesterPart = RequesterPart;
	type RuntimeHoldReason = RuntimeHoldReason;
	type StakeFactor = StakeFactor;
	type Token = MockToken;
	type WeightInfo = crate::weights::SubstrateWeight<Test>;
}

/// Tests may share a thread: what one of them set must not reach the next.
fn reset() {
	CurrentEra::set(0);
	BurnedFees::set(0);
	Sanctioned::set(vec![]);
	ActiveWeight::set(1_000);
	StakeFactor::set(Permill::from_percent(1));
	NodePart::set(Permill::from_percent(50));
	RequesterPart::set(Permill::from_percent(30));
	Ratio::set(Permill::from_percent(50));
}

pub fn new_test_ext() -> sp_io::TestExternalities {
	reset();
	let mut balances: Vec<_> = (1..=99).map(|who| (who, FUNDS)).collect();
	balances.push((TREASURY, ED));
	balances.push((ConsensusChain::pot(), ED));
	let config = RuntimeGenesisConfig {
		balances: pallet_balances::GenesisConfig { balances, ..Default::default() },
		..Default::default()
	};
	let mut ext: sp_io::TestExternalities = config.build_storage().expect("it is sound").into();
	ext.execute_with(|| System::set_block_number(1));
	ext
}

/// Runs a test and checks every invariant after it.
pub fn execute(test: impl FnOnce()) {
	new_test_ext().execute_with(|| {
		test();
		ConsensusChain::do_try_state().expect("the invariants hold");
	});
}

pub fn signed(who: AccountId) -> RuntimeOrigin {
	RuntimeOrigin::signed(who)
}

pub fn join(who: AccountId) -> DispatchResult {
	ConsensusChain::join(signed(who))
}

pub fn sponsor(who: AccountId, sponsor: AccountId) -> DispatchResult {
	ConsensusChain::set_sponsor(signed(who), sponsor)
}

pub fn leave(who: AccountId) -> DispatchResult {
	ConsensusChain::leave(signed(who))
}

/// Links accounts into one line: each names the one after it, and the last one only joins.
pub fn line(accounts: &[AccountId]) {
	let mut above: Option<AccountId> = None;
	for who in accounts.iter().rev() {
		match above {
			None => join(*who).expect("the account is new"),
			Some(one) => sponsor(*who, one).expect("the sponsor is older"),
		}
		above = Some(*who);
	}
}

/// Gives an account exactly the weight that makes it active, as a user.
pub fn activate(who: AccountId) {
	Pallet::<Test>::change(&who, |amounts| amounts.user = ActiveWeight::get());
}

pub fn held(who: AccountId) -> Balance {
	Balances::balance_on_hold(&HoldReason::Membership.into(), &who)
}

/// A job that settles at `price` by `shares`.
pub fn settlement(
	requester: AccountId,
	node: AccountId,
	author: AccountId,
	price: Balance,
	shares: Shares,
) -> Settlement<AccountId, Balance> {
	Settlement {
		job: 0,
		requester,
		node,
		author: Some(author),
		program: Hash::zero(),
		price,
		split: shares.split(price),
	}
}

/// Ten per cent burned, of that a half more for the consensus chain.
pub fn usual() -> Shares {
	Shares {
		burn: Permill::from_percent(10),
		treasury: Permill::from_percent(3),
		author: Permill::from_percent(2),
		lineage: Permill::from_percent(5),
	}
}

/// Where the money of a settled job went.
#[derive(Debug, PartialEq, Eq)]
pub struct Flow {
	pub shared: Balance,
	pub burned: Balance,
	pub emitted: Balance,
	pub treasury: Balance,
}

/// Has the whole queue served, as blocks with time left do.
pub fn serve() {
	while Queue::<Test>::iter_values().any(|page| !page.is_empty()) {
		ConsensusChain::serve_queue(&mut WeightMeter::new());
	}
}

/// A job settles: its contributions are recorded, and the pot is given what it is to receive.
pub fn note(settlement: &Settlement<AccountId, Balance>) -> Balance {
	let Some((pot, waits)) = <ConsensusChain as Lineage>::job_settled(settlement) else { return 0 };
	assert!(waits > 0 && waits <= settlement.split.lineage);
	Balances::mint_into(&pot, waits).expect("the pot can receive what it asked for");
	waits
}

/// What ancestors receive when a job settles and what waits is passed on at once: each payee and all
/// that it received, in the order of the first payment.
pub fn shares_in(settlement: &Settlement<AccountId, Balance>) -> Vec<(AccountId, Balance)> {
	note(settlement);
	System::reset_events();
	serve();
	let mut all: Vec<(AccountId, Balance)> = vec![];
	for event in events() {
		let Event::PassedOn { shares, .. } = event else { panic!("nothing else happens") };
		for (payee, share) in shares {
			match all.iter_mut().find(|(known, _)| *known == payee) {
				Some((_, sum)) => *sum += share,
				None => all.push((payee, share)),
			}
		}
	}
	all
}

/// Settles a job with real balances: requester to node, author and treasury; the part of the fee that
/// waits goes to the pot and is passed on, the rest is burned with the burn; then `kappa` of all that was
/// burned is minted to the node, which is the most that emission may ever give.
pub fn settle(settlement: &Settlement<AccountId, Balance>, kappa: Permill) -> Flow {
	let waits = <ConsensusChain as Lineage>::job_settled(settlement);
	let split = settlement.split;
	let pay = |to: AccountId, amount: Balance| {
		Balances::transfer(&settlement.requester, &to, amount, Preservation::Preserve)
			.expect("the requester can pay and everybody exists");
	};
	pay(settlement.node, split.node);
	pay(settlement.author.expect("the tests name one"), split.author);
	pay(TREASURY, split.treasury);
	let mut waiting = 0;
	if let Some((pot, amount)) = waits {
		pay(pot, amount);
		waiting = amount;
	}
	Balances::burn_from(
		&settlement.requester,
		split.burn + split.lineage - waiting,
		Preservation::Preserve,
		Precision::Exact,
		Fortitude::Polite,
	)
	.expect("the requester can pay");
	BurnedFees::set(0);
	serve();
	let shared = waiting - BurnedFees::get();
	let burned = split.burn + split.lineage - shared;
	let emitted = kappa.mul_floor(burned);
	Balances::mint_into(&settlement.node, emitted).expect("the node exists");
	Flow { shared, burned, emitted, treasury: split.treasury }
}

/// Everything that some accounts own, held or free.
pub fn wealth(accounts: impl IntoIterator<Item = AccountId>) -> Balance {
	accounts.into_iter().map(|who| Balances::total_balance(&who)).sum()
}

/// The events of this pallet, oldest first.
pub fn events() -> Vec<Event<Test>> {
	System::read_events_for_pallet::<Event<Test>>()
}

/// A small deterministic generator (xorshift64*), so that a failing seed can be run again.
pub struct Random(pub u64);

impl Random {
	pub fn next(&mut self) -> u64 {
		self.0 ^= self.0 >> 12;
		self.0 ^= self.0 << 25;
		self.0 ^= self.0 >> 27;
		self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
	}

	/// From 0 to `bound - 1`.
	pub fn below(&mut self, bound: u64) -> u64 {
		(self.next() >> 16) % bound
	}

	/// A share between two bounds in parts per million, the bounds themselves often.
	pub fn share(&mut self, least: u32, most: u32) -> Permill {
		let parts = match self.below(4) {
			0 => least,
			1 => most,
			_ => least + self.below(u64::from(most - least) + 1) as u32,
		};
		Permill::from_parts(parts)
	}
}
