// SPDX-License-Identifier: Apache-2.0

use crate::{mock::*, Error, Event, Nodes, Operators, Standing, INITIAL_REPUTATION};
use frame_support::{assert_noop, assert_ok};
use sp_runtime::{traits::BadOrigin, TokenError};
use tensornet_protocol::{Conduct, Nodes as _};

#[test]
fn a_registered_node_holds_its_bond_and_is_offline() {
	TestExt::default().endow(1, 5_000).build_and_execute(|| {
		assert_ok!(register(1, MIN));
		assert_eq!(held(1), MIN);
		assert_eq!(Balances::free_balance(1), 4_000);
		let node = node(1);
		assert_eq!((node.ask, node.capability, node.bond), (ASK, capability(), MIN));
		assert_eq!((node.standing, node.position), (Standing::Active, None));
		assert_eq!(node.reputation, INITIAL_REPUTATION);
		assert_eq!(Staking::node_of(&(OPERATOR + 1)), Some(1));
		System::assert_last_event(
			Event::NodeRegistered { stash: 1, operator: OPERATOR + 1, ask: ASK, bond: MIN }.into(),
		);
	});
}

#[test]
fn the_stash_may_be_its_own_operator() {
	TestExt::default().endow(1, 5_000).build_and_execute(|| {
		assert_ok!(Staking::register_node(
			RuntimeOrigin::signed(1),
			1,
			ASK,
			capability(),
			endpoint(""),
			MIN
		));
		assert_eq!(Staking::node_of(&1), Some(1));
	});
}

#[test]
fn a_bond_below_the_minimum_fails() {
	TestExt::default().endow(1, 5_000).build_and_execute(|| {
		assert_noop!(register(1, MIN - 1), Error::<Test>::BondTooSmall);
		assert_ok!(register(1, MIN));
	});
}

#[test]
fn an_operator_works_for_one_node_only() {
	TestExt::default().node(1, MIN).endow(2, 5_000).build_and_execute(|| {
		assert_noop!(
			Staking::register_node(
				RuntimeOrigin::signed(2),
				OPERATOR + 1,
				ASK,
				capability(),
				endpoint(""),
				MIN
			),
			Error::<Test>::OperatorTaken
		);
	});
}

#[test]
fn a_stash_has_one_node_only() {
	TestExt::default().node(1, MIN).build_and_execute(|| {
		assert_noop!(
			Staking::register_node(
				RuntimeOrigin::signed(1),
				77,
				ASK,
				capability(),
				endpoint(""),
				MIN
			),
			Error::<Test>::AlreadyRegistered
		);
	});
}

#[test]
fn a_bond_that_cannot_be_held_fails() {
	TestExt::default().endow(1, MIN + ED - 1).endow(2, MIN + ED).build_and_execute(|| {
		assert_noop!(register(1, MIN), TokenError::FundsUnavailable);
		assert_ok!(register(2, MIN));
	});
}

#[test]
fn a_leaving_node_registers_anew_with_what_it_was() {
	TestExt::default().node(1, MIN).build_and_execute(|| {
		judge(1, Conduct::Silent);
		judge(1, Conduct::Completed);
		let before = node(1);
		assert_ok!(Staking::deregister_node(RuntimeOrigin::signed(1)));
		assert!(!Operators::<Test>::contains_key(OPERATOR + 1));
		assert_ok!(register(1, MIN));
		let after = node(1);
		assert_eq!(after.reputation, before.reputation);
		assert_eq!((after.completed, after.failed), (1, 1));
		assert_eq!(after.unbonding_total(), before.bond);
		assert_eq!(held(1), MIN + before.bond);

		System::set_block_number(1 + PERIOD);
		assert_ok!(Staking::withdraw_unbonded(RuntimeOrigin::signed(1)));
		assert!(Nodes::<Test>::contains_key(1));
		assert_eq!(held(1), MIN);
	});
}

#[test]
fn leaving_does_not_make_reputation() {
	TestExt::default().node(1, MIN).build_and_execute(|| {
		for _ in 0..20 {
			judge(1, Conduct::Completed);
		}
		assert!(node(1).reputation > INITIAL_REPUTATION);
		assert_ok!(Staking::deregister_node(RuntimeOrigin::signed(1)));
		assert_ok!(register(1, MIN));
		assert_eq!(node(1).reputation, INITIAL_REPUTATION);
	});
}

#[test]
fn only_a_signed_account_registers() {
	TestExt::default().build_and_execute(|| {
		assert_noop!(
			Staking::register_node(RuntimeOrigin::root(), 2, ASK, capability(), endpoint(""), MIN),
			BadOrigin
		);
	});
}
