// SPDX-License-Identifier: Apache-2.0

//! The pallets whose calls can be benchmarked on this runtime, and what their benchmarks need of
//! each other.

use crate::{
	AccountId, Balance, Balances, BlockNumber, Compliance, ComputeStaking, ConsensusChain, Escrow,
	Poc, Runtime, RuntimeOrigin, Tna, Validators,
};
use alloc::vec;
use codec::Encode;
use frame_benchmarking::account;
use frame_support::{
	traits::{fungible::Mutate, Get},
	BoundedVec,
};
use pallet_tensornet_escrow::Config as EscrowConfig;
use pallet_tensornet_staking::Config as StakingConfig;
use tensornet_commitment::root;
use tensornet_protocol::{
	BlobRoots, BurnCause, Capability, Eras, Hash, JobId, JobRequest, Jobs, OnEraEnd, Programs,
	TokenPolicy, MAX_BLOBS, MAX_ENDPOINT,
};
use tensornet_tensor::{
	Checkpoint, DType, Input, Layout, Node, Op, Program, TensorType, Unary, FORMAT,
};

frame_benchmarking::define_benchmarks!(
	[frame_benchmarking, BaselineBench::<Runtime>]
	[frame_system, SystemBench::<Runtime>]
	[frame_system_extensions, SystemExtensionsBench::<Runtime>]
	[pallet_asset_conversion, AssetConversion]
	[pallet_asset_conversion_tx_payment, AssetTxPayment]
	[pallet_assets, Assets]
	[pallet_balances, Balances]
	[pallet_multisig, Multisig]
	[pallet_parameters, Parameters]
	[pallet_proxy, Proxy]
	[pallet_sudo, Sudo]
	[pallet_conviction_voting, ConvictionVoting]
	[pallet_preimage, Preimage]
	[pallet_referenda, Referenda]
	[pallet_safe_mode, SafeMode]
	[pallet_scheduler, Scheduler]
	[pallet_tensornet_compliance, Compliance]
	[pallet_tensornet_consensus_chain, ConsensusChain]
	[pallet_tensornet_escrow, Escrow]
	[pallet_tensornet_governance, Governance]
	[pallet_tensornet_poc, Poc]
	[pallet_tensornet_staking, ComputeStaking]
	[pallet_tensornet_tna, Tna]
	[pallet_tensornet_validators, Validators]
	[pallet_timestamp, Timestamp]
	[pallet_treasury, Treasury]
	[pallet_tx_pause, TxPause]
	[pallet_vesting, Vesting]
	[pallet_whitelist, Whitelist]
	[pallet_utility, Utility]
);

/// Sets up for the benchmarks of one pallet what only the others can.
pub struct Helper;

/// An account that can pay for anything here.
fn rich(name: &'static str, index: u32) -> AccountId {
	let who: AccountId = account(name, index, 0);
	let bond = <Runtime as StakingConfig>::MinBond::get();
	Balances::set_balance(&who, bond.saturating_mul(10_000));
	who
}

/// A program with as many inputs as a job may name blobs; its result is the complement of the first.
fn widest_program() -> Program {
	let input = Input {
		ty: TensorType::new(DType::I8, [1]),
		layout: Layout::row_major(),
		per_iteration: false,
	};
	let result = MAX_BLOBS as u16;
	Program {
		format: FORMAT,
		inputs: vec![input; MAX_BLOBS as usize],
		constants: vec![],
		state: vec![],
		nodes: vec![Node { op: Op::Unary(Unary::BitwiseNot), operands: vec![0] }],
		outputs: vec![result],
		checkpoints: vec![Checkpoint { value: result, layout: Layout::row_major() }],
		max_iterations: 1,
	}
}

/// Registers node `index`, able to run anything at the floor price.
fn online_node(index: u32) -> AccountId {
	let stash = rich("node", index);
	let operator: AccountId = account("node operator", index, 0);
	ComputeStaking::register_node(
		RuntimeOrigin::signed(stash.clone()),
		operator,
		<Runtime as EscrowConfig>::TokenPolicy::floor_ask(),
		Capability { memory_mib: u32::MAX, giga_macs: u32::MAX },
		BoundedVec::truncate_from(vec![b'x'; MAX_ENDPOINT as usize]),
		<Runtime as StakingConfig>::MinBond::get().saturating_mul(1_000),
	)
	.expect("the stash is new and funded");
	ComputeStaking::set_online(RuntimeOrigin::signed(stash.clone()), true)
		.expect("the node is registered");
	stash
}

impl pallet_tensornet_escrow::BenchmarkHelper<AccountId> for Helper {
	fn program() -> Hash {
		let bytes = widest_program().encode();
		let id = Hash::from(root(&bytes));
		if !pallet_tensornet_poc::Programs::<Runtime>::contains_key(id) {
			let author = RuntimeOrigin::signed(rich("author", 0));
			Poc::register_program(author, BoundedVec::truncate_from(bytes), Default::default())
				.expect("the program is valid and its author can pay");
		}
		id
	}

	fn node(index: u32) -> AccountId {
		online_node(index)
	}

	fn attested() -> AccountId {
		let who = rich("attested", 0);
		let expires_at = crate::System::block_number().saturating_add(crate::time::DAYS);
		for index in 0..<Runtime as pallet_tensornet_compliance::Config>::MaxAttestations::get() {
			let registrar = rich("registrar", index);
			let signed = || RuntimeOrigin::signed(registrar.clone());
			Compliance::apply(signed()).expect("it can pay the deposit");
			Compliance::appoint(RuntimeOrigin::root(), registrar.clone()).expect("it applied");
			Compliance::attest(
				signed(),
				who.clone(),
				1,
				pallet_tensornet_compliance::Country(*b"CH"),
				expires_at,
				Hash::zero(),
			)
			.expect("there is room");
		}
		who
	}

	fn sponsors(contributors: [&AccountId; 3]) {
		for (family, who) in (0..).zip(contributors) {
			ConsensusChain::ancestors_for_benchmark(who, family, 0);
		}
	}
}

/// An asset with a pool, in which an account can pay fees.
pub struct AssetFees;

impl
	pallet_asset_conversion_tx_payment::BenchmarkHelperTrait<
		AccountId,
		crate::configs::markets::AssetKind,
		crate::configs::markets::AssetKind,
	> for AssetFees
{
	fn create_asset_id_parameter(
		id: u32,
	) -> (crate::configs::markets::AssetKind, crate::configs::markets::AssetKind) {
		let asset = crate::configs::markets::AssetKind::WithId(id);
		(asset.clone(), asset)
	}

	fn setup_balances_and_pool(asset: crate::configs::markets::AssetKind, payer: AccountId) {
		use crate::{configs::markets::AssetKind, AssetConversion, Assets};
		use alloc::boxed::Box;
		use frame_support::traits::fungibles::Mutate as _;
		let AssetKind::WithId(id) = asset.clone() else { return };
		let maker = rich("market maker", 0);
		let amount = Balances::free_balance(&maker) / 4;
		Balances::set_balance(&payer, amount);
		Assets::force_create(
			RuntimeOrigin::root(),
			codec::Compact(id),
			maker.clone().into(),
			true,
			1,
		)
		.expect("the asset is new");
		Assets::mint_into(id, &maker, amount).expect("it can be minted");
		Assets::mint_into(id, &payer, amount).expect("it can be minted");
		let (tna, other) = (Box::new(AssetKind::Native), Box::new(asset));
		let maker_signed = RuntimeOrigin::signed(maker.clone());
		AssetConversion::create_pool(maker_signed.clone(), tna.clone(), other.clone())
			.expect("the pool is new");
		AssetConversion::add_liquidity(
			maker_signed,
			tna,
			other,
			amount / 2,
			amount / 2,
			1,
			1,
			maker,
		)
		.expect("the maker has both");
	}
}

impl pallet_tensornet_staking::BenchmarkHelper for Helper {
	fn end_era() {
		let ended = Validators::current();
		Tna::burned(BurnCause::Job, <Runtime as StakingConfig>::MinBond::get());
		pallet_tensornet_validators::CurrentEra::<Runtime>::mutate(|era| {
			era.index = ended.saturating_add(1)
		});
		Tna::era_ended(ended);
	}
}

/// What the treasury's benchmarks pay with, and to whom.
pub struct TreasuryArguments;

impl pallet_treasury::ArgumentsFactory<(), AccountId> for TreasuryArguments {
	fn create_asset_kind(_: u32) {}

	fn create_beneficiary(seed: [u8; 32]) -> AccountId {
		AccountId::from(seed)
	}
}

impl pallet_tensornet_poc::benchmarking::BenchmarkHelper<AccountId> for Helper {
	fn author() -> AccountId {
		rich("author", 0)
	}

	fn assign(program: Hash, blobs: BlobRoots, iterations: u32) -> (JobId, AccountId) {
		let node = online_node(0);
		let job = pallet_tensornet_escrow::NextJobId::<Runtime>::get();
		let price = Escrow::estimate(program, iterations).expect("the program is registered");
		let least: Balance = <Runtime as EscrowConfig>::MinJobPrice::get();
		let lifetime: BlockNumber = <Runtime as EscrowConfig>::MaxLifetime::get();
		let request = JobRequest {
			program,
			blobs,
			hint: Default::default(),
			iterations,
			// Enough for every payee to receive its share, however small.
			max_price: price.saturating_add(least.saturating_mul(10_000)),
			deadline: crate::System::block_number().saturating_add(lifetime),
			compliance_level: 0,
		};
		Escrow::submit_job(RuntimeOrigin::signed(rich("requester", 0)), request)
			.expect("the request is sound");
		Escrow::assign_for_benchmark(job, node);
		(job, account("node operator", 0, 0))
	}

	fn sponsors(job: JobId) {
		let assignment = Escrow::assignment(job).expect("a node has the job");
		let author = Poc::facts(&assignment.program).expect("it is registered").author;
		<Self as pallet_tensornet_escrow::BenchmarkHelper<AccountId>>::sponsors([
			&assignment.node,
			&assignment.requester,
			&author,
		]);
	}
}
