// SPDX-License-Identifier: Apache-2.0

use crate::{mock::*, Delegations, Error, Event, Pools};
use frame_support::{assert_noop, assert_ok};
use sp_runtime::{traits::BadOrigin, TokenError};
use tensornet_protocol::{Conduct, Hash, Nodes as _, Requirements};

#[test]
fn a_delegation_is_held_in_the_delegators_own_account() {
	TestExt::default().node(1, 4_000).endow(5, 2_000).build_and_execute(|| {
		assert_ok!(Staking::delegate(by(5), 1, 1_500));
		assert_eq!((delegated(5), Balances::free_balance(5)), (1_500, 500));
		assert_eq!((worth(1, 5), node(1).backing, Staking::delegated_to(1)), (1_500, 1_500, 1_500));
		assert_eq!(Stakes::get()[&5], 1_500);
		assert_eq!((held(1), node(1).bond), (4_000, 4_000));
		System::assert_last_event(Event::Delegated { node: 1, delegator: 5, amount: 1_500 }.into());
	});
}

#[test]
fn delegations_of_many_to_many_add_up() {
	let chain = (5..15).fold(TestExt::default(), |ext, who| ext.endow(who, 10_000));
	chain.node(1, 4_000).node(2, 4_000).build_and_execute(|| {
		for who in 5..15 {
			assert_ok!(Staking::delegate(by(who), 1, 100 * who));
			assert_ok!(Staking::delegate(by(who), 2, 200));
			assert_ok!(Staking::delegate(by(who), 2, 1));
			assert_eq!(delegated(who), 100 * who + 201);
		}
		assert_eq!((node(1).backing, node(2).backing), (9_500, 2_010));
		assert_eq!(Pools::<Test>::get(2).map(|pool| pool.delegators), Some(10));
	});
}

#[test]
fn the_minimum_counts_for_the_whole_delegation() {
	TestExt::default().node(1, 4_000).endow(5, 2_000).build_and_execute(|| {
		assert_noop!(Staking::delegate(by(5), 1, 99), Error::<Test>::DelegationTooSmall);
		assert_ok!(Staking::delegate(by(5), 1, 100));
		assert_ok!(Staking::delegate(by(5), 1, 1));
		assert_eq!(worth(1, 5), 101);
	});
}

#[test]
fn only_admitted_accounts_delegate() {
	TestExt::default().node(1, 4_000).endow(5, 2_000).build_and_execute(|| {
		Barred::set(vec![5]);
		assert_noop!(Staking::delegate(by(5), 1, 500), Error::<Test>::NotAdmitted);
		Barred::set(vec![]);
		assert_ok!(Staking::delegate(by(5), 1, 500));
		// Who is barred later keeps every way out.
		Barred::set(vec![5]);
		assert_ok!(Staking::undelegate(by(5), 1, 500));
		System::set_block_number(PERIOD + 1);
		assert_ok!(Staking::withdraw_undelegated(by(5), 1));
		assert_eq!((delegated(5), Balances::free_balance(5)), (0, 2_000));
		Barred::set(vec![]);
	});
}

#[test]
fn a_node_must_be_there_and_in_good_standing() {
	TestExt::default().node(1, 4_000).node(2, 4_000).endow(5, 2_000).build_and_execute(|| {
		assert_noop!(Staking::delegate(by(5), 77, 500), Error::<Test>::UnknownNode);
		judge(1, Conduct::Fraud);
		assert_noop!(Staking::delegate(by(5), 1, 500), Error::<Test>::Jailed);
		assert_ok!(Staking::deregister_node(by(2)));
		assert_noop!(Staking::delegate(by(5), 2, 500), Error::<Test>::Leaving);
	});
}

#[test]
fn nothing_and_what_is_not_there_cannot_be_delegated() {
	TestExt::default().node(1, 4_000).endow(5, 2_000).build_and_execute(|| {
		assert_noop!(Staking::delegate(by(5), 1, 0), Error::<Test>::ZeroAmount);
		assert_noop!(Staking::delegate(by(5), 1, 2_001 - ED), TokenError::FundsUnavailable);
		assert_noop!(Staking::delegate(RuntimeOrigin::root(), 1, 500), BadOrigin);
		assert!(!Delegations::<Test>::contains_key(1, 5));
	});
}

#[test]
fn delegated_stake_counts_up_to_a_multiple_of_the_bond() {
	TestExt::default().node(1, MIN).endow(5, 20_000).build_and_execute(|| {
		let alone = Staking::weight_of(&node(1), 0);
		assert_ok!(Staking::delegate(by(5), 1, 3 * MIN));
		assert_eq!(Staking::weight_of(&node(1), 0), 4 * alone);
		assert_ok!(Staking::delegate(by(5), 1, 10 * MIN));
		assert_eq!(Staking::weight_of(&node(1), 0), 5 * alone);
		MaxWeightBond::set(2 * MIN);
		assert_eq!(Staking::weight_of(&node(1), 0), 2 * alone);
		MaxWeightBond::set(10 * MIN);
	});
}

#[test]
fn delegated_stake_is_no_collateral() {
	TestExt::default().node(1, MIN).endow(5, 20_000).build_and_execute(|| {
		assert_ok!(Staking::delegate(by(5), 1, 10 * MIN));
		let pick = |collateral| {
			let needs = Requirements { collateral, ..requirements() };
			Staking::pick(&needs, Hash::repeat_byte(1), None).map(|one| one.node)
		};
		assert_eq!((pick(MIN), pick(MIN + 1)), (Some(1), None));
	});
}
