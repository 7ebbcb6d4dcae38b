// SPDX-License-Identifier: Apache-2.0

//! A runtime with real balances, and a ledger of jobs and a registry of nodes that tests script.

use crate::{self as pallet_tensornet_poc, *};
use frame_support::{
	derive_impl, parameter_types,
	traits::{ConstU32, ConstU64, Footprint, Hooks},
	weights::{constants::WEIGHT_REF_TIME_PER_MILLIS, Weight},
};
use frame_system::limits::BlockWeights;
use sp_core::H256;
use sp_io::TestExternalities;
use sp_runtime::{
	traits::{Convert, IdentityLookup},
	AccountId32, BuildStorage, DispatchError, DispatchResult, Perbill, Permill,
};
use std::{
	cell::{Cell, RefCell},
	collections::BTreeMap,
};
use tensornet_protocol::{
	Assignment, AuthorRandomness, BlobRoots, Conduct, Draw, Failure, JobId, Jobs, Nodes,
	Programs as _, Requirements, Slash,
};

pub type AccountId = AccountId32;
type Block = frame_system::mocking::MockBlock<Test>;

#[frame_support::runtime]
mod runtime {
	#[runtime::runtime]
	#[runtime::derive(
		RuntimeCall,
		RuntimeEvent,
		RuntimeError,
		RuntimeOrigin,
		RuntimeFreezeReason,
		RuntimeHoldReason,
		RuntimeSlashReason,
		RuntimeLockId,
		RuntimeTask
	)]
	pub struct Test;

	#[runtime::pallet_index(0)]
	pub type System = frame_system;
	#[runtime::pallet_index(1)]
	pub type Balances = pallet_balances;
	#[runtime::pallet_index(2)]
	pub type Poc = pallet_tensornet_poc;
}

#[derive_impl(frame_system::config_preludes::TestDefaultConfig)]
impl frame_system::Config for Test {
	type AccountData = pallet_balances::AccountData<u64>;
	type AccountId = AccountId;
	type Block = Block;
	type BlockWeights = BlockWeightLimits;
	type Lookup = IdentityLookup<AccountId>;
}

#[derive_impl(pallet_balances::config_preludes::TestDefaultConfig)]
impl pallet_balances::Config for Test {
	type AccountStore = System;
}

parameter_types! {
	/// A second and a half of computation, as in the runtime.
	pub BlockWeightLimits: BlockWeights = BlockWeights::with_sensible_defaults(
		Weight::from_parts(1_500 * WEIGHT_REF_TIME_PER_MILLIS, u64::MAX),
		Perbill::from_percent(75),
	);
	pub static AgendaWeight: Weight = Weight::MAX;
	pub static AuditProbability: Permill = Permill::zero();
	pub static AuditSamples: u32 = 4;
	pub static MaxOutputs: u32 = 4;
	pub static MaxCheckpoints: u32 = 256;
}

pub const REVEAL_WINDOW: u64 = 5;
pub const BEACON_DELAY: u64 = 3;
pub const AUDIT_WINDOW: u64 = 6;
pub const CHALLENGE_WINDOW: u64 = 20;
pub const RETENTION: u64 = 30;

/// One unit for each byte.
pub struct BytePrice;

impl Convert<Footprint, u64> for BytePrice {
	fn convert(footprint: Footprint) -> u64 {
		footprint.count.saturating_mul(footprint.size)
	}
}

parameter_types! {
	pub static Barred: Vec<AccountId> = vec![];
}

/// Admits everybody but those in [`Barred`].
pub struct Admission;

impl tensornet_protocol::Compliance for Admission {
	type AccountId = AccountId;

	fn level(_: &AccountId) -> u8 {
		0
	}

	fn admits(who: &AccountId, role: tensornet_protocol::Role) -> bool {
		assert_eq!(role, tensornet_protocol::Role::Developer);
		!Barred::get().contains(who)
	}
}

impl Config for Test {
	type WeightInfo = crate::weights::SubstrateWeight<Test>;
	type RuntimeHoldReason = RuntimeHoldReason;
	type Currency = Balances;
	type ProgramDeposit = BytePrice;
	type Compliance = Admission;
	type Jobs = Ledger;
	type Nodes = Registry;
	type AuthorRandomness = Authors;
	type MaxProgramBytes = ConstU32<{ 64 * 1024 }>;
	type MaxCheckpoints = MaxCheckpoints;
	type MaxOutputs = MaxOutputs;
	type MaxSamples = ConstU32<8>;
	type ArbitrationMacs = ConstU64<{ 1 << 20 }>;
	type ArbitrationBytes = ConstU64<{ 96 * 1024 }>;
	type AgendaWeight = AgendaWeight;
	type BeaconDelay = ConstU32<{ BEACON_DELAY as u32 }>;
	type AuditProbability = AuditProbability;
	type AuditSamples = AuditSamples;
	type RevealWindow = ConstU64<REVEAL_WINDOW>;
	type AuditWindow = ConstU64<AUDIT_WINDOW>;
	type ChallengeWindow = ConstU64<CHALLENGE_WINDOW>;
	type ResultRetention = ConstU64<RETENTION>;
	#[cfg(feature = "runtime-benchmarks")]
	type BenchmarkHelper = Ledger;
}

/// A call that reached the ledger of jobs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
	Committed(JobId),
	Verified(JobId),
	Failed(JobId, Failure, Option<AccountId>),
}

thread_local! {
	static ASSIGNMENTS: RefCell<BTreeMap<JobId, Assignment<AccountId, u64>>> = RefCell::default();
	static OUTCOMES: RefCell<Vec<Outcome>> = RefCell::default();
	static REFUSAL: Cell<bool> = const { Cell::new(false) };
	static OPERATORS: RefCell<BTreeMap<AccountId, AccountId>> = RefCell::default();
	static VRF: Cell<Option<H256>> = const { Cell::new(None) };
}

/// The ledger of jobs: what tests assigned, and what the pallet told it.
pub struct Ledger;

impl Ledger {
	/// Gives `job` to `node`, as attempt number `attempt`.
	pub fn assign(
		job: JobId,
		node: AccountId,
		program: H256,
		blobs: BlobRoots,
		iterations: u32,
		attempt: u8,
	) {
		let commit_by = System::block_number() + 10;
		let requester = account(REQUESTER);
		let assignment =
			Assignment { requester, node, program, blobs, iterations, commit_by, attempt };
		Poc::job_opened(&program);
		ASSIGNMENTS.with_borrow_mut(|jobs| {
			if let Some(old) = jobs.insert(job, assignment) {
				Poc::job_closed(&old.program);
			}
		});
	}

	/// The job is gone.
	pub fn drop_job(job: JobId) {
		if let Some(old) = ASSIGNMENTS.with_borrow_mut(|jobs| jobs.remove(&job)) {
			Poc::job_closed(&old.program);
		}
	}

	/// Whether it refuses verdicts from now on.
	pub fn refuse(refuse: bool) {
		REFUSAL.set(refuse);
	}

	/// What it was told since this was asked last.
	pub fn outcomes() -> Vec<Outcome> {
		OUTCOMES.take()
	}

	fn tell(outcome: Outcome) -> DispatchResult {
		if REFUSAL.get() {
			return Err(DispatchError::Other("refused"));
		}
		OUTCOMES.with_borrow_mut(|outcomes| outcomes.push(outcome));
		Ok(())
	}
}

impl Jobs for Ledger {
	type AccountId = AccountId;
	type BlockNumber = u64;
	type Balance = u64;

	fn assignment(job: JobId) -> Option<Assignment<AccountId, u64>> {
		ASSIGNMENTS.with_borrow(|jobs| jobs.get(&job).cloned())
	}

	fn committed(job: JobId) -> DispatchResult {
		Self::tell(Outcome::Committed(job))
	}

	fn verified(job: JobId) -> DispatchResult {
		Self::tell(Outcome::Verified(job))?;
		Self::drop_job(job);
		Ok(())
	}

	fn failed(
		job: JobId,
		failure: Failure,
		reporter: Option<&AccountId>,
	) -> Result<Slash<u64>, DispatchError> {
		Self::tell(Outcome::Failed(job, failure, reporter.cloned()))?;
		Self::drop_job(job);
		let to_reporter = if reporter.is_some() { 30 } else { 0 };
		Ok(Slash { total: 100, burned: 70 - to_reporter, to_reporter, to_requester: 30 })
	}
}

/// The registry of nodes: who operates which.
pub struct Registry;

impl Registry {
	pub fn register(operator: AccountId, node: AccountId) {
		OPERATORS.with_borrow_mut(|operators| operators.insert(operator, node));
	}
}

impl Nodes for Registry {
	type AccountId = AccountId;
	type Balance = u64;

	fn draw(_: &Requirements<u64>, _: H256, _: Option<&AccountId>) -> Draw<AccountId, u64> {
		Draw { candidate: None, looked_at: 0, checked: 0 }
	}

	fn node_of(operator: &AccountId) -> Option<AccountId> {
		OPERATORS.with_borrow(|operators| operators.get(operator).cloned())
	}

	fn job_taken(_: &AccountId, _: u64) {}

	fn job_released(
		_: &AccountId,
		_: u64,
		_: Conduct,
		_: Option<&AccountId>,
		_: &AccountId,
	) -> Slash<u64> {
		Slash::default()
	}
}

/// The authors' VRF outputs: what a test set, or else something different in each block.
pub struct Authors;

impl Authors {
	pub fn say(output: Option<H256>) {
		VRF.set(output);
	}
}

impl AuthorRandomness for Authors {
	fn current() -> Option<H256> {
		VRF.get().or_else(|| Some(H256::from_low_u64_be(System::block_number())))
	}
}

#[cfg(feature = "runtime-benchmarks")]
impl benchmarking::BenchmarkHelper<AccountId> for Ledger {
	fn author() -> AccountId {
		account(AUTHOR)
	}

	fn assign(program: H256, blobs: BlobRoots, iterations: u32) -> (JobId, AccountId) {
		Ledger::assign(0, account(NODE), program, blobs, iterations, 0);
		(0, account(OPERATOR))
	}

	fn sponsors(_: JobId) {}
}

pub const AUTHOR: u8 = 1;
pub const REQUESTER: u8 = 2;
pub const CHALLENGER: u8 = 3;
/// A node's stash and its operator, and those of another node.
pub const NODE: u8 = 10;
pub const OPERATOR: u8 = 11;
pub const OTHER_NODE: u8 = 20;
pub const OTHER_OPERATOR: u8 = 21;

pub const ENDOWMENT: u64 = 1_000_000;

pub fn account(number: u8) -> AccountId {
	AccountId::new([number; 32])
}

pub fn signed(number: u8) -> RuntimeOrigin {
	RuntimeOrigin::signed(account(number))
}

/// Builds the state a test starts from: block 1, two nodes, an endowed author.
#[derive(Default)]
pub struct TestExt {
	audits: Permill,
}

impl TestExt {
	pub fn new() -> Self {
		Self::default()
	}

	/// Every revealed job is audited.
	pub fn audited(mut self) -> Self {
		self.audits = Permill::one();
		self
	}

	pub fn build(self) -> TestExternalities {
		let balances = [AUTHOR, REQUESTER, CHALLENGER, OPERATOR, OTHER_OPERATOR]
			.map(|number| (account(number), ENDOWMENT))
			.to_vec();
		let storage = RuntimeGenesisConfig {
			balances: pallet_balances::GenesisConfig { balances, ..Default::default() },
			..Default::default()
		}
		.build_storage()
		.expect("the genesis state is valid");
		let mut ext = TestExternalities::new(storage);
		ext.execute_with(|| {
			ASSIGNMENTS.take();
			OUTCOMES.take();
			OPERATORS.take();
			VRF.set(None);
			Ledger::refuse(false);
			AgendaWeight::set(Weight::MAX);
			MaxOutputs::set(4);
			MaxCheckpoints::set(256);
			AuditSamples::set(4);
			AuditProbability::set(self.audits);
			Registry::register(account(OPERATOR), account(NODE));
			Registry::register(account(OTHER_OPERATOR), account(OTHER_NODE));
			System::set_block_number(1);
			Poc::on_initialize(1);
		});
		ext
	}

	/// Runs `test`, and then checks every invariant.
	pub fn execute_with(self, test: impl FnOnce()) {
		self.build().execute_with(|| {
			test();
			Poc::do_try_state().expect("every invariant holds");
		});
	}
}

/// Ends the current block and begins the next.
pub fn next_block() {
	let now = System::block_number();
	Poc::on_finalize(now);
	System::set_block_number(now + 1);
	Poc::on_initialize(now + 1);
}

/// Goes on until block `height` has begun.
pub fn run_to(height: u64) {
	while System::block_number() < height {
		next_block();
	}
}

/// The pallet's events so far, which are then forgotten.
pub fn events() -> Vec<Event<Test>> {
	let events = System::events();
	System::reset_events();
	events
		.into_iter()
		.filter_map(|record| match record.event {
			RuntimeEvent::Poc(event) => Some(event),
			_ => None,
		})
		.collect()
}
