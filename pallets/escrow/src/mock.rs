// SPDX-License-Identifier: Apache-2.0

//! A runtime with real balances around the escrow. The other pallets are scripted, and what the
//! escrow asks of them is recorded.

use crate::{self as pallet_escrow, *};
use codec::Encode;
use frame_support::{
	construct_runtime, derive_impl, parameter_types,
	traits::{
		fungible::{Inspect, InspectHold, Mutate},
		tokens::{Fortitude, Precision, Preservation},
		Hooks, LinearStoragePrice,
	},
	weights::Weight,
};
use sp_runtime::{BuildStorage, DispatchError, DispatchResult, Permill};
use std::collections::BTreeMap;
use tensornet_protocol::{
	Beacon, BurnCause, Candidate, Conduct, Draw, Failure, Hash, JobId, JobRequest,
	Jobs as JobsTrait, Lineage, Nodes, OnSettled, ProgramFacts, Programs, Requirements, Settlement,
	Shares, Slash, TokenPolicy, MAX_DRAWS,
};

pub type Balance = u128;
pub type AccountId = u64;
pub type Block = frame_system::mocking::MockBlock<Test>;

pub const ED: Balance = 10;
pub const TREASURY: AccountId = 99;
pub const AUTHOR: AccountId = 90;
pub const ALICE: AccountId = 1;
pub const BOB: AccountId = 2;
pub const NODE: AccountId = 50;
pub const OTHER: AccountId = 51;
pub const REPORTER: AccountId = 70;
/// A node for the benchmark of compliance, the only one whose level is asked for here.
pub const ATTESTED: AccountId = 71;

/// Work of one iteration of the program that every test has: one unit of an ask.
pub const MACS: u64 = 1_000_000_000;

construct_runtime!(
	pub struct Test {
		System: frame_system,
		Balances: pallet_balances,
		Escrow: pallet_escrow,
	}
);

#[derive_impl(frame_system::config_preludes::TestDefaultConfig)]
impl frame_system::Config for Test {
	type Block = Block;
	type AccountData = pallet_balances::AccountData<Balance>;
}

#[derive_impl(pallet_balances::config_preludes::TestDefaultConfig)]
impl pallet_balances::Config for Test {
	type Balance = Balance;
	type ExistentialDeposit = ExistentialDeposit;
	type AccountStore = System;
	type RuntimeHoldReason = RuntimeHoldReason;
	type RuntimeFreezeReason = RuntimeFreezeReason;
	type FreezeIdentifier = ();
	type MaxFreezes = frame_support::traits::ConstU32<1>;
}

parameter_types! {
	pub const ExistentialDeposit: Balance = ED;
	pub const DepositBase: Balance = 20;
	pub const DepositPerByte: Balance = 1;
	pub static MinJobPrice: Balance = 100;
	pub static MinLifetime: u64 = 5;
	pub static MaxLifetime: u64 = 1_000;
	pub static AssignDelay: u64 = 2;
	pub static RetryPeriod: u64 = 4;
	pub static CommitBase: u64 = 10;
	pub static MacsPerBlock: u64 = MACS;
	pub static MaxAttempts: u8 = 3;
	pub static FraudGrace: u64 = 7;
	pub static OutcomeRetention: u64 = 20;
	pub static MaxAssignmentsPerBlock: u32 = 3;
	pub static MaxTasksPerBlock: u32 = 4;
	pub static ServiceWeight: Weight = Weight::from_parts(1_000_000_000_000, u64::MAX);
	pub const SharedWeight: Weight = Weight::from_parts(1_000_000, 1_000);
	pub static FloorAsk: Balance = 100;
	pub static JobShares: Shares = Shares {
		burn: Permill::from_percent(5),
		treasury: Permill::from_percent(3),
		author: Permill::from_percent(2),
		lineage: Permill::zero(),
	};
	pub static Waits: Option<(AccountId, Balance)> = None;
	pub static Barred: Vec<AccountId> = vec![];
	pub static AuditProbability: Permill = Permill::from_percent(50);
	pub static SilentSlash: Balance = 40;
	pub static FraudSlash: Balance = 400;
	pub static Requests: Vec<Request> = vec![];
	pub static Subjects: Vec<Vec<u8>> = vec![];
	pub static Effort: (u32, u32) = (MAX_DRAWS, MAX_DRAWS);
	pub static Picks: Vec<(Requirements<Balance>, Option<AccountId>)> = vec![];
	pub static KnownPrograms: BTreeMap<Hash, ProgramFacts<AccountId>> = BTreeMap::new();
	pub static OpenJobs: BTreeMap<Hash, u32> = BTreeMap::new();
	pub static KnownNodes: BTreeMap<AccountId, MockNode> = BTreeMap::new();
}

/// What the escrow asked another pallet to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Request {
	Taken {
		node: AccountId,
		collateral: Balance,
	},
	Released {
		node: AccountId,
		collateral: Balance,
		conduct: Conduct,
		reporter: Option<AccountId>,
		requester: AccountId,
	},
	Opened(Hash),
	Closed(Hash),
	Burned(BurnCause, Balance),
	/// Rewards hear of a settled job.
	Settled(Settlement<AccountId, Balance>),
	/// The consensus chain is asked what of a settled job's fee waits for ancestors.
	Lineage(Settlement<AccountId, Balance>),
}

fn record(request: Request) {
	Requests::mutate(|all| all.push(request));
}

/// A node of the scripted registry.
#[derive(Clone, Debug)]
pub struct MockNode {
	pub ask: Balance,
	pub memory_mib: u32,
	pub compliance_level: u8,
	pub bond: Balance,
	pub jobs: u32,
}

pub struct MockNodes;
impl Nodes for MockNodes {
	type AccountId = AccountId;
	type Balance = Balance;

	fn draw(
		requirements: &Requirements<Balance>,
		seed: Hash,
		exclude: Option<&AccountId>,
	) -> Draw<AccountId, Balance> {
		Picks::mutate(|all| all.push((*requirements, exclude.copied())));
		let eligible: Vec<_> = KnownNodes::get()
			.into_iter()
			.filter(|(node, facts)| {
				Some(node) != exclude
					&& facts.ask <= requirements.max_ask
					&& facts.memory_mib >= requirements.memory_mib
					&& facts.bond >= requirements.collateral
					&& facts.compliance_level >= requirements.compliance_level
			})
			.collect();
		let place = seed.to_low_u64_be().checked_rem(eligible.len() as u64).unwrap_or_default();
		let candidate = eligible
			.get(place as usize)
			.map(|(node, facts)| Candidate { node: *node, ask: facts.ask });
		let (looked_at, checked) = Effort::get();
		Draw { candidate, looked_at, checked }
	}

	fn node_of(operator: &AccountId) -> Option<AccountId> {
		KnownNodes::get().contains_key(operator).then_some(*operator)
	}

	fn job_taken(node: &AccountId, collateral: Balance) {
		record(Request::Taken { node: *node, collateral });
		KnownNodes::mutate(|all| all.get_mut(node).expect("node is known").jobs += 1);
	}

	fn job_released(
		node: &AccountId,
		collateral: Balance,
		conduct: Conduct,
		reporter: Option<&AccountId>,
		requester: &AccountId,
	) -> Slash<Balance> {
		record(Request::Released {
			node: *node,
			collateral,
			conduct,
			reporter: reporter.copied(),
			requester: *requester,
		});
		KnownNodes::mutate(|all| {
			let jobs = &mut all.get_mut(node).expect("node is known").jobs;
			*jobs = jobs.checked_sub(1).expect("the node had a job");
		});
		let wanted = match conduct {
			Conduct::Completed | Conduct::Released => 0,
			Conduct::Silent => SilentSlash::get(),
			Conduct::Withheld => collateral,
			Conduct::Fraud => FraudSlash::get(),
		};
		slash(node, wanted, reporter, requester)
	}
}

/// Takes from the free balance of a node, half to the requester and a quarter to the reporter.
fn slash(
	node: &AccountId,
	wanted: Balance,
	reporter: Option<&AccountId>,
	requester: &AccountId,
) -> Slash<Balance> {
	let total =
		wanted.min(Balances::reducible_balance(node, Preservation::Preserve, Fortitude::Polite));
	let give = |to: &AccountId, amount: Balance| {
		Balances::transfer(node, to, amount, Preservation::Preserve).unwrap_or_default()
	};
	let to_requester = give(requester, total / 2);
	let to_reporter = reporter.map_or(0, |reporter| give(reporter, total / 4));
	let burned = Balances::burn_from(
		node,
		total - to_requester - to_reporter,
		Preservation::Preserve,
		Precision::Exact,
		Fortitude::Polite,
	)
	.expect("the node has that much");
	Slash { total, burned, to_reporter, to_requester }
}

pub struct MockPrograms;
impl Programs for MockPrograms {
	type AccountId = AccountId;

	fn facts(program: &Hash) -> Option<ProgramFacts<AccountId>> {
		KnownPrograms::get().get(program).cloned()
	}

	fn job_opened(program: &Hash) {
		record(Request::Opened(*program));
		OpenJobs::mutate(|all| *all.entry(*program).or_default() += 1);
	}

	fn job_closed(program: &Hash) {
		record(Request::Closed(*program));
		OpenJobs::mutate(|all| {
			let open = all.get_mut(program).expect("the program had jobs");
			*open = open.checked_sub(1).expect("the program had an open job");
		});
	}
}

pub struct MockPolicy;
impl TokenPolicy for MockPolicy {
	type AccountId = AccountId;
	type Balance = Balance;

	fn shares() -> Shares {
		JobShares::get()
	}
	fn floor_ask() -> Balance {
		FloorAsk::get()
	}
	fn treasury() -> AccountId {
		TREASURY
	}
	fn burned(cause: BurnCause, amount: Balance) {
		if amount > 0 {
			record(Request::Burned(cause, amount));
		}
	}
}

pub struct MockRewards;
impl OnSettled for MockRewards {
	type AccountId = AccountId;
	type Balance = Balance;

	fn job_settled(settlement: &Settlement<AccountId, Balance>) {
		record(Request::Settled(settlement.clone()));
	}
}

/// Has [`Waits`] set aside for every job, whatever its fee.
pub struct MockLineage;
impl Lineage for MockLineage {
	type AccountId = AccountId;
	type Balance = Balance;

	fn job_settled(settlement: &Settlement<AccountId, Balance>) -> Option<(AccountId, Balance)> {
		record(Request::Lineage(settlement.clone()));
		Waits::get()
	}

	fn stake_delegated(_: &AccountId, _: Balance) {
		unreachable!("the escrow delegates nothing");
	}
}

/// Admits everybody but those in [`Barred`].
pub struct MockCompliance;
impl tensornet_protocol::Compliance for MockCompliance {
	type AccountId = AccountId;

	fn level(who: &AccountId) -> u8 {
		u8::from(*who == ATTESTED)
	}

	fn admits(who: &AccountId, role: tensornet_protocol::Role) -> bool {
		let expected = if *who == ATTESTED {
			tensornet_protocol::Role::Node
		} else {
			tensornet_protocol::Role::Requester
		};
		assert_eq!(role, expected);
		!Barred::get().contains(who)
	}
}

pub struct MockBeacon;
impl Beacon for MockBeacon {
	fn value(subject: &[u8]) -> Hash {
		Subjects::mutate(|all| all.push(subject.to_vec()));
		sp_io::hashing::blake2_256(&(System::block_number(), subject).encode()).into()
	}
}

#[cfg(feature = "runtime-benchmarks")]
pub struct MockHelper;
#[cfg(feature = "runtime-benchmarks")]
impl BenchmarkHelper<AccountId> for MockHelper {
	fn program() -> Hash {
		let root = program_root(200);
		add_program(root, facts(MACS, tensornet_protocol::MAX_BLOBS));
		root
	}
	fn node(index: u32) -> AccountId {
		let node = 1_000 + u64::from(index);
		add_node(node, FloorAsk::get());
		Balances::set_balance(&node, 1_000_000);
		node
	}
	fn attested() -> AccountId {
		ATTESTED
	}
	fn sponsors(_: [&AccountId; 3]) {
		Balances::set_balance(&2_000, ED);
		Waits::set(Some((2_000, ED)));
		JobShares::mutate(|shares| shares.lineage = Permill::from_percent(20));
	}
}

impl Config for Test {
	type WeightInfo = crate::weights::SubstrateWeight<Test>;
	type RuntimeHoldReason = RuntimeHoldReason;
	type Balance = Balance;
	type Currency = Balances;
	type Nodes = MockNodes;
	type Programs = MockPrograms;
	type TokenPolicy = MockPolicy;
	type OnSettled = MockRewards;
	type Lineage = MockLineage;
	type Beacon = MockBeacon;
	type Compliance = MockCompliance;
	type Deposit = LinearStoragePrice<DepositBase, DepositPerByte, Balance>;
	type AuditProbability = AuditProbability;
	type MinJobPrice = MinJobPrice;
	type MinLifetime = MinLifetime;
	type MaxLifetime = MaxLifetime;
	type AssignDelay = AssignDelay;
	type RetryPeriod = RetryPeriod;
	type CommitBase = CommitBase;
	type MacsPerBlock = MacsPerBlock;
	type MaxAttempts = MaxAttempts;
	type FraudGrace = FraudGrace;
	type OutcomeRetention = OutcomeRetention;
	type MaxAssignmentsPerBlock = MaxAssignmentsPerBlock;
	type MaxTasksPerBlock = MaxTasksPerBlock;
	type ServiceWeight = ServiceWeight;
	type SharedWeight = SharedWeight;
	#[cfg(feature = "runtime-benchmarks")]
	type BenchmarkHelper = MockHelper;
}

pub fn program_root(number: u8) -> Hash {
	Hash::repeat_byte(number)
}

/// The program every test has: one blob, `MACS` of work, up to a thousand iterations.
pub fn program() -> Hash {
	program_root(1)
}

pub fn facts(macs: u64, blobs: u32) -> ProgramFacts<AccountId> {
	ProgramFacts { author: AUTHOR, macs, max_iterations: 1_000, blobs, memory_mib: 64 }
}

pub fn add_program(root: Hash, facts: ProgramFacts<AccountId>) {
	KnownPrograms::mutate(|all| all.insert(root, facts));
}

pub fn add_node(node: AccountId, ask: Balance) {
	let facts = MockNode { ask, memory_mib: 64, compliance_level: 0, bond: Balance::MAX, jobs: 0 };
	KnownNodes::mutate(|all| all.insert(node, facts));
}

/// A job of ten units of work, worth 1,000 at the floor, with room for several attempts.
pub fn request() -> JobRequest<Balance, u64> {
	JobRequest {
		program: program(),
		blobs: vec![Hash::repeat_byte(7)].try_into().expect("one blob fits"),
		hint: b"http://blobs.example/".to_vec().try_into().expect("a short hint fits"),
		iterations: 10,
		max_price: 5_000,
		deadline: System::block_number() + 200,
		compliance_level: 0,
	}
}

/// Blocks a node has for [`request`].
pub const COMMIT_TIME: u64 = 20;

/// Sends a call as the runtime does: with its effects undone if it fails.
pub fn dispatch(who: AccountId, call: Call<Test>) -> DispatchResult {
	use frame_support::traits::UnfilteredDispatchable;
	RuntimeCall::from(call)
		.dispatch_bypass_filter(RuntimeOrigin::signed(who))
		.map(|_| ())
		.map_err(|failed| failed.error)
}

pub fn submit(who: AccountId, request: JobRequest<Balance, u64>) -> Result<JobId, DispatchError> {
	let id = NextJobId::<Test>::get();
	dispatch(who, Call::submit_job { request })?;
	Ok(id)
}

/// Posts [`request`] as Alice.
pub fn submitted() -> JobId {
	submit(ALICE, request()).expect("the standard request is sound")
}

/// Posts [`request`] as Alice and waits until a node has it.
pub fn assigned() -> JobId {
	let id = submitted();
	run_blocks(AssignDelay::get());
	assert!(node_of(id).is_some(), "nobody got the job");
	id
}

/// As [`assigned`], and the node commits.
pub fn committed() -> JobId {
	let id = assigned();
	commit(id).expect("the node is in time");
	id
}

pub fn commit(id: JobId) -> DispatchResult {
	<Escrow as JobsTrait>::committed(id)
}

pub fn verify(id: JobId) -> DispatchResult {
	<Escrow as JobsTrait>::verified(id)
}

pub fn fail(
	id: JobId,
	failure: Failure,
	reporter: Option<AccountId>,
) -> Result<Slash<Balance>, DispatchError> {
	<Escrow as JobsTrait>::failed(id, failure, reporter.as_ref())
}

pub fn job(id: JobId) -> JobOf<Test> {
	Jobs::<Test>::get(id).expect("the job is live")
}

pub fn outcome(id: JobId) -> OutcomeOf<Test> {
	Outcomes::<Test>::get(id).expect("the job has ended")
}

pub fn node_of(id: JobId) -> Option<AccountId> {
	<Escrow as JobsTrait>::assignment(id).map(|assignment| assignment.node)
}

pub fn held(who: AccountId) -> Balance {
	Balances::balance_on_hold(&HoldReason::Job.into(), &who)
}

pub fn deposited(who: AccountId) -> Balance {
	Balances::balance_on_hold(&HoldReason::Deposit.into(), &who)
}

pub fn free(who: AccountId) -> Balance {
	Balances::balance(&who)
}

/// Starts the next `count` blocks, one after another.
pub fn run_blocks(count: u64) {
	run_to(System::block_number() + count);
}

pub fn run_to(block: u64) {
	while System::block_number() < block {
		let next = System::block_number() + 1;
		System::set_block_number(next);
		Escrow::on_initialize(next);
	}
}

/// The escrow's events since the last look.
pub fn events() -> Vec<Event<Test>> {
	let events = System::read_events_for_pallet::<Event<Test>>();
	System::reset_events();
	events
}

/// What was asked of other pallets since the last look.
pub fn requests() -> Vec<Request> {
	Requests::take()
}

/// A chain at block 1 with the standard program and, unless told otherwise, the node `NODE`.
pub struct TestExt {
	balances: Vec<(AccountId, Balance)>,
	nodes: Vec<(AccountId, Balance)>,
}

impl TestExt {
	pub fn new() -> Self {
		Self { balances: vec![(ALICE, 100_000), (TREASURY, ED)], nodes: vec![] }
	}

	pub fn endow(mut self, who: AccountId, amount: Balance) -> Self {
		self.balances.retain(|(known, _)| *known != who);
		if amount > 0 {
			self.balances.push((who, amount));
		}
		self
	}

	/// A node with 10,000 of its own.
	pub fn node(self, node: AccountId, ask: Balance) -> Self {
		let mut this = self.endow(node, 10_000);
		this.nodes.push((node, ask));
		this
	}

	/// `NODE` at the floor, and an author with an account.
	pub fn standard() -> Self {
		Self::new().node(NODE, 100).endow(AUTHOR, ED)
	}

	/// Runs the test, then checks every invariant.
	pub fn execute_with(self, test: impl FnOnce()) {
		self.execute_unchecked(|| {
			test();
			Escrow::do_try_state().expect("the invariants hold");
		});
	}

	/// Runs a test that breaks the state on purpose.
	pub fn execute_unchecked(self, test: impl FnOnce()) {
		reset();
		let mut storage =
			frame_system::GenesisConfig::<Test>::default().build_storage().expect("genesis builds");
		pallet_balances::GenesisConfig::<Test> { balances: self.balances, ..Default::default() }
			.assimilate_storage(&mut storage)
			.expect("genesis builds");
		let mut ext = sp_io::TestExternalities::from(storage);
		ext.execute_with(|| {
			System::set_block_number(1);
			Escrow::on_initialize(1);
			add_program(program(), facts(MACS, 1));
			for (node, ask) in self.nodes {
				add_node(node, ask);
			}
			test();
		});
	}
}

/// Tests may share a thread: what one of them set must not reach the next.
fn reset() {
	MinJobPrice::set(100);
	MinLifetime::set(5);
	MaxLifetime::set(1_000);
	AssignDelay::set(2);
	RetryPeriod::set(4);
	CommitBase::set(10);
	MacsPerBlock::set(MACS);
	MaxAttempts::set(3);
	FraudGrace::set(7);
	OutcomeRetention::set(20);
	MaxAssignmentsPerBlock::set(3);
	MaxTasksPerBlock::set(4);
	ServiceWeight::set(Weight::from_parts(1_000_000_000_000, u64::MAX));
	FloorAsk::set(100);
	JobShares::set(Shares {
		burn: Permill::from_percent(5),
		treasury: Permill::from_percent(3),
		author: Permill::from_percent(2),
		lineage: Permill::zero(),
	});
	Waits::set(None);
	Barred::set(vec![]);
	AuditProbability::set(Permill::from_percent(50));
	SilentSlash::set(40);
	FraudSlash::set(400);
	Requests::set(vec![]);
	Subjects::set(vec![]);
	Effort::set((MAX_DRAWS, MAX_DRAWS));
	Picks::set(vec![]);
	KnownPrograms::set(BTreeMap::new());
	OpenJobs::set(BTreeMap::new());
	KnownNodes::set(BTreeMap::new());
}

/// An empty chain for the benchmark tests.
#[cfg(feature = "runtime-benchmarks")]
pub fn new_test_ext() -> sp_io::TestExternalities {
	reset();
	let mut ext = sp_io::TestExternalities::default();
	ext.execute_with(|| System::set_block_number(1));
	ext
}
