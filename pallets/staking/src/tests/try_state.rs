// SPDX-License-Identifier: Apache-2.0

use crate::{
	mock::*, HoldReason, NodeOf, Nodes, Online, OnlineCount, Operators, Standing, UnbondChunk,
};
use frame_support::{assert_ok, traits::fungible::MutateHold};
use sp_runtime::{Permill, TryRuntimeError};

/// Corrupts a chain with online nodes 1 to 3 and expects the check to say so.
fn fires(message: &'static str, corrupt: impl FnOnce()) {
	let chain = TestExt::default().node(1, 3_000).node(2, 3_000).node(3, 3_000).endow(5, 5_000);
	chain.build().execute_with(|| {
		assert_ok!(Staking::unbond(RuntimeOrigin::signed(1), 500));
		assert_ok!(Staking::do_try_state());
		corrupt();
		assert_eq!(Staking::do_try_state(), Err(TryRuntimeError::Other(message)));
	});
}

/// Corrupts the record of node 1.
fn fires_on_record(message: &'static str, corrupt: impl FnOnce(&mut NodeOf<Test>)) {
	fires(message, || Nodes::<Test>::mutate_extant(1, corrupt));
}

#[test]
fn it_fires_on_a_record_without_its_hold() {
	fires_on_record("what is held is not the bond, what unbonds and what is set aside", |node| {
		node.bond += 1
	});
}

#[test]
fn it_fires_on_a_hold_above_its_record() {
	fires("what is held is not the bond, what unbonds and what is set aside", || {
		assert_ok!(Balances::hold(&HoldReason::Bond.into(), &2, 1));
	});
}

#[test]
fn it_fires_on_a_hold_without_a_record() {
	fires("funds are held for an account without a node", || {
		assert_ok!(Balances::hold(&HoldReason::Bond.into(), &5, 1));
	});
}

#[test]
fn it_fires_on_an_empty_chunk() {
	fires_on_record("an unbonding chunk is empty", |node| {
		assert_ok!(node.unbonding.try_push(UnbondChunk { amount: 0, unlock_at: 500 }));
	});
}

#[test]
fn it_fires_on_chunks_out_of_order() {
	fires_on_record("unbonding chunks are out of order", |node| {
		node.bond -= 5;
		assert_ok!(node.unbonding.try_push(UnbondChunk { amount: 5, unlock_at: 1 }));
	});
}

#[test]
fn it_fires_on_too_many_jobs() {
	fires_on_record("a node has more jobs than the limit", |node| node.active_jobs = 5);
}

#[test]
fn it_fires_on_too_much_reputation() {
	fires_on_record("a node has more than full reputation", |node| node.reputation = 1_000_001);
}

#[test]
fn it_fires_on_a_leaving_node_with_a_bond() {
	fires_on_record("a node that left has a bond", |node| node.standing = Standing::Leaving);
}

#[test]
fn it_fires_on_a_leaving_node_with_jobs() {
	fires("a node that left has jobs", || {
		assert_ok!(Staking::deregister_node(RuntimeOrigin::signed(1)));
		Nodes::<Test>::mutate_extant(1, |node| node.active_jobs = 1);
	});
}

#[test]
fn it_fires_on_a_leaving_node_that_holds_nothing() {
	fires("a node that left and holds nothing has a record", || {
		assert_ok!(Staking::deregister_node(RuntimeOrigin::signed(1)));
		System::set_block_number(2 + PERIOD);
		let record = node(1);
		assert_ok!(Staking::withdraw_unbonded(RuntimeOrigin::signed(1)));
		Nodes::<Test>::insert(1, NodeOf::<Test> { unbonding: Default::default(), ..record });
	});
}

#[test]
fn it_fires_on_an_operator_that_leads_elsewhere() {
	fires("the operator key of a node does not lead to it", || {
		Operators::<Test>::insert(OPERATOR + 1, 2);
	});
}

#[test]
fn it_fires_on_an_operator_without_a_node() {
	fires("an operator key leads to no node", || Operators::<Test>::insert(77, 1));
}

#[test]
fn it_fires_on_a_jailed_node_online() {
	fires_on_record("a node is online that may not be", |node| node.standing = Standing::Jailed);
}

#[test]
fn it_fires_on_a_wrong_position() {
	fires_on_record("an online node is not where it thinks it is", |node| {
		node.position = Some(2);
	});
}

#[test]
fn it_fires_on_a_wrong_count() {
	fires("the count of online nodes is wrong", || OnlineCount::<Test>::put(2));
}

#[test]
fn it_fires_on_an_offline_node_in_the_list() {
	fires("the online list names a node that is offline", || Online::<Test>::insert(3, 2));
}

#[test]
fn it_fires_on_a_gap() {
	fires("the online list has a gap", || {
		Online::<Test>::remove(2);
		Online::<Test>::insert(7, 3);
		Nodes::<Test>::mutate_extant(3, |node| node.position = Some(7));
	});
}

#[test]
fn it_fires_on_parts_of_a_slash_above_the_whole() {
	fires("the parts of a slash are more than the whole", || {
		SlashToReporter::set(Permill::from_percent(76));
	});
}

#[test]
fn it_fires_on_a_cap_below_the_minimum() {
	fires("the greatest bond that counts is below the minimum", || MaxWeightBond::set(MIN - 1));
}
