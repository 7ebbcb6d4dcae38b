// SPDX-License-Identifier: Apache-2.0

//! What the consensus chain promises on the whole chain: settled jobs pay ancestors, and no setting of
//! the parameters lets that come near the burn.

use super::*;
use crate::configs::{
	governance::AlwaysOpen, parameters::dynamic_params::lineage, tensornet::JobLineage,
};
use frame_support::{
	traits::{Contains, OnIdle, OnInitialize},
	weights::Weight,
};
use pallet_tensornet_consensus_chain::{Ancestor, Call, Contributions, Error};
use sp_keyring::Sr25519Keyring::{self, Charlie, Dave, Eve, Ferdie};
use sp_runtime::Permill;
use tensornet_protocol::{
	BurnCause, Capability, JobId, JobRequest, Jobs as _, Lineage as _, TokenPolicy as _,
};
use tensornet_tensor::{
	Checkpoint, DType, Input, Layout, Node, Op, Program, TensorType, Unary, FORMAT,
};

fn signed(who: Sr25519Keyring) -> RuntimeOrigin {
	RuntimeOrigin::signed(who.to_account_id())
}

fn sponsor(who: Sr25519Keyring, sponsor: Sr25519Keyring) {
	assert_ok!(ConsensusChain::set_sponsor(signed(who), sponsor.to_account_id()));
}

/// Makes a member active by stake.
fn activate(who: Sr25519Keyring) {
	let stake = lineage::StakeFactor::get().saturating_reciprocal_mul_ceil(UNIT);
	ConsensusChain::stake_delegated(&who.to_account_id(), stake);
}

/// Registers the complement of one byte as a program.
fn register_program(author: Sr25519Keyring) -> Hash {
	let program = Program {
		format: FORMAT,
		inputs: vec![Input {
			ty: TensorType::new(DType::I8, [1]),
			layout: Layout::row_major(),
			per_iteration: false,
		}],
		constants: vec![],
		state: vec![],
		nodes: vec![Node { op: Op::Unary(Unary::BitwiseNot), operands: vec![0] }],
		outputs: vec![1],
		checkpoints: vec![Checkpoint { value: 1, layout: Layout::row_major() }],
		max_iterations: 1,
	};
	let bytes = program.encode().try_into().expect("it is short");
	assert_ok!(Poc::register_program(signed(author), bytes, Default::default()));
	pallet_tensornet_poc::Programs::<Runtime>::iter_keys().next().expect("it is registered")
}

/// Brings the only node of the chain online.
fn start_node(stash: Sr25519Keyring, operator: Sr25519Keyring) {
	assert_ok!(ComputeStaking::register_node(
		signed(stash),
		operator.to_account_id(),
		MICRO,
		Capability { memory_mib: 1_024, giga_macs: 1_000 },
		Default::default(),
		ENDOWMENT / 2
	));
	assert_ok!(ComputeStaking::set_online(signed(stash), true));
}

/// Posts a job of the least price, waits until the node has it, and has its result stand.
fn settle_job(requester: Sr25519Keyring, program: Hash) -> JobId {
	let job = pallet_tensornet_escrow::NextJobId::<Runtime>::get();
	let request = JobRequest {
		program,
		blobs: vec![Hash::repeat_byte(1)].try_into().expect("one fits"),
		hint: Default::default(),
		iterations: 1,
		max_price: UNIT,
		deadline: System::block_number() + time::HOURS,
		compliance_level: 0,
	};
	assert_ok!(Escrow::submit_job(signed(requester), request));
	for _ in 0..3 {
		let next = System::block_number() + 1;
		System::set_block_number(next);
		Escrow::on_initialize(next);
	}
	assert_ok!(<Escrow as tensornet_protocol::Jobs>::committed(job));
	assert_ok!(Escrow::verified(job));
	job
}

#[test]
fn a_settled_job_pays_ancestors_and_the_queries_tell() {
	development().execute_with(|| {
		// The node's sponsor is Eve, and hers is Ferdie; the requester has none.
		assert_ok!(ConsensusChain::join(signed(Ferdie)));
		sponsor(Eve, Ferdie);
		sponsor(Charlie, Eve);
		activate(Eve);
		activate(Ferdie);
		let program = register_program(Bob);
		start_node(Charlie, Dave);
		let free = |who: Sr25519Keyring| Balances::free_balance(who.to_account_id());
		let (eve, ferdie) = (free(Eve), free(Ferdie));
		let (issued, burned) = (
			Balances::total_issuance(),
			pallet_tensornet_tna::Burned::<Runtime>::get(BurnCause::Lineage),
		);

		let job = settle_job(Alice, program);

		let price = MILLI;
		let fee = price / 50;
		let part = fee / 2;
		// The node's part waits for its ancestors until a block has time left.
		assert_eq!(ConsensusChain::waiting(Charlie.to_account_id()), part);
		assert_eq!((free(Eve), free(Ferdie)), (eve, ferdie));
		ConsensusChain::on_idle(System::block_number(), Weight::MAX);
		assert_eq!(ConsensusChain::waiting(Charlie.to_account_id()), 0);
		assert_eq!(free(Eve) - eve, part / 2);
		assert_eq!(free(Ferdie) - ferdie, part / 4);
		let shared = part / 2 + part / 4;
		let outcome = pallet_tensornet_escrow::Outcomes::<Runtime>::get(job).expect("it ended");
		assert_eq!(outcome.receipt.lineage, part);
		assert_eq!(outcome.receipt.burned, price / 10 + fee - part);
		assert_eq!(outcome.receipt.total(), UNIT);
		assert_eq!(issued - Balances::total_issuance(), price / 10 + fee - shared);
		assert_eq!(
			pallet_tensornet_tna::Burned::<Runtime>::get(BurnCause::Lineage) - burned,
			fee - shared
		);

		assert_eq!(
			ConsensusChain::contributions(Alice.to_account_id()),
			Contributions { user: price, ..Default::default() }
		);
		assert_eq!(
			ConsensusChain::contributions(Charlie.to_account_id()).node,
			outcome.receipt.paid
		);
		assert_eq!(
			ConsensusChain::contributions(Bob.to_account_id()).developer,
			outcome.receipt.author
		);
		assert_eq!(ConsensusChain::weight(Alice.to_account_id()), price);
		let ancestor = |who: Sr25519Keyring, degree| Ancestor {
			account: who.to_account_id(),
			degree,
			weight: UNIT,
			active: true,
		};
		assert_eq!(
			ConsensusChain::lineage(Charlie.to_account_id()),
			vec![ancestor(Eve, 1), ancestor(Ferdie, 2)]
		);
	});
}

#[test]
fn without_members_the_whole_fee_is_burned() {
	development().execute_with(|| {
		let program = register_program(Bob);
		start_node(Charlie, Dave);
		let job = settle_job(Alice, program);
		let outcome = pallet_tensornet_escrow::Outcomes::<Runtime>::get(job).expect("it ended");
		assert_eq!(outcome.receipt.lineage, 0);
		assert_eq!(outcome.receipt.burned, MILLI / 10 + MILLI / 50);
	});
}

fn set(parameters: shares::Parameters) {
	assert_ok!(Governance::set_parameter(root(), RuntimeParameters::Shares(parameters)));
}

#[test]
fn for_every_setting_in_bounds_the_fee_is_at_most_half_of_the_burn_and_the_node_keeps_a_third() {
	development().execute_with(|| {
		let all = Governance::parameters();
		let range = |name: &str| {
			let found = all.iter().find(|info| info.name == name.as_bytes()).expect(name);
			let (least, most) = (found.least as u32, found.most as u32);
			[least, least + 1, least + (most - least) / 3, most.saturating_sub(1), most]
				.map(|parts| Permill::from_parts(parts.clamp(least, most)))
		};
		for burn in range("shares.JobBurn") {
			set(shares::Parameters::JobBurn(shares::JobBurn, Some(burn)));
			for of_burn in range("shares.LineageOfBurn") {
				set(shares::Parameters::LineageOfBurn(shares::LineageOfBurn, Some(of_burn)));
				let fee = JobLineage::get();
				assert!(fee.deconstruct() * 2 <= burn.deconstruct(), "{fee:?} of {burn:?}");
				for treasury in range("shares.JobTreasury") {
					set(shares::Parameters::JobTreasury(shares::JobTreasury, Some(treasury)));
					for author in range("shares.JobAuthor") {
						set(shares::Parameters::JobAuthor(shares::JobAuthor, Some(author)));
						for price in [MILLI, UNIT + 1, 123_456_789 * UNIT] {
							let split = Tna::shares().split(price);
							assert!(split.lineage < split.burn);
							assert!(split.node * 100 >= price * 35);
						}
					}
				}
			}
		}
	});
}

#[test]
fn the_parts_of_the_fee_and_the_ratio_share_no_more_than_the_fee_within_bounds() {
	development().execute_with(|| {
		let all = Governance::parameters();
		let most =
			|name: &str| all.iter().find(|info| info.name == name.as_bytes()).expect(name).most;
		let whole = 1_000_000;
		assert!(most("lineage.NodePart") + most("lineage.RequesterPart") <= whole);
		// A geometric series with a ratio of at most a half never reaches the whole.
		assert!(most("lineage.Ratio") * 2 <= whole);
		assert!(most("shares.LineageOfBurn") < whole);
	});
}

#[test]
fn a_sanctioned_ancestor_is_inactive_and_keeps_its_way_out() {
	development().execute_with(|| {
		assert_ok!(ConsensusChain::join(signed(Eve)));
		sponsor(Charlie, Eve);
		activate(Eve);
		let active = || ConsensusChain::lineage(Charlie.to_account_id())[0].active;
		assert!(active());
		assert_ok!(Compliance::sanction(root(), Eve.to_account_id(), Hash::zero()));
		assert!(!active());
		ConsensusChain::stake_delegated(&Eve.to_account_id(), 0);
		assert_ok!(ConsensusChain::leave(signed(Eve)));
		assert_noop!(ConsensusChain::join(signed(Eve)), Error::<Runtime>::Sanctioned);
	});
}

#[test]
fn in_safe_mode_members_may_leave_but_not_join_and_leaving_is_never_paused() {
	let calls: [(Call<Runtime>, &str, bool); 5] = [
		(Call::join {}, "join", false),
		(Call::set_sponsor { sponsor: Eve.to_account_id() }, "set_sponsor", false),
		(Call::leave {}, "leave", true),
		(Call::clear { who: Eve.to_account_id() }, "clear", true),
		(Call::pass_on { contributor: Eve.to_account_id() }, "pass_on", true),
	];
	for (call, called, open) in calls {
		assert_eq!(AlwaysOpen::contains(&RuntimeCall::ConsensusChain(call.clone())), open);
		assert_eq!(AlwaysOpen::contains(&call_name("ConsensusChain", called)), open);
		let proxied = ProxyType::NonTransfer.filter(&RuntimeCall::ConsensusChain(call));
		assert_eq!(proxied, open, "a sponsor is named for good, and by nobody's proxy");
	}
}
