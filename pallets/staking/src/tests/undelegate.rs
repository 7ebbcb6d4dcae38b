// SPDX-License-Identifier: Apache-2.0

use crate::{mock::*, Delegations, Error, Event, Pools, MAX_CHUNKS};
use frame_support::{assert_noop, assert_ok};
use sp_runtime::traits::BadOrigin;

fn backed(amount: u64, test: impl FnOnce()) {
	TestExt::default().node(1, 4_000).endow(5, 10_000).build_and_execute(|| {
		assert_ok!(Staking::delegate(by(5), 1, amount));
		test();
	});
}

#[test]
fn what_is_undelegated_stays_held_until_it_unlocks() {
	backed(1_000, || {
		assert_ok!(Staking::undelegate(by(5), 1, 400));
		System::assert_last_event(
			Event::Undelegated { node: 1, delegator: 5, amount: 400, unlock_at: PERIOD + 1 }.into(),
		);
		assert_eq!((delegated(5), worth(1, 5), node(1).backing), (1_000, 600, 600));
		System::set_block_number(PERIOD);
		assert_noop!(Staking::withdraw_undelegated(by(5), 1), Error::<Test>::NothingUnlocked);
		System::set_block_number(PERIOD + 1);
		assert_ok!(Staking::withdraw_undelegated(by(5), 1));
		assert_eq!((delegated(5), Balances::free_balance(5)), (600, 9_400));
		assert_eq!(Stakes::get()[&5], 600);
		System::assert_last_event(
			Event::UndelegatedWithdrawn { node: 1, delegator: 5, amount: 400 }.into(),
		);
	});
}

#[test]
fn an_amount_above_the_whole_takes_all_and_nothing_is_left() {
	backed(1_000, || {
		assert_ok!(Staking::undelegate(by(5), 1, u64::MAX));
		assert_noop!(Staking::undelegate(by(5), 1, 1), Error::<Test>::NotDelegated);
		System::set_block_number(PERIOD + 1);
		assert_ok!(Staking::withdraw_undelegated(by(5), 1));
		assert_eq!((delegated(5), Balances::free_balance(5)), (0, 10_000));
		assert!(!Delegations::<Test>::contains_key(1, 5));
		assert!(!Pools::<Test>::contains_key(1));
	});
}

#[test]
fn what_stays_is_the_minimum_or_nothing() {
	backed(1_000, || {
		assert_noop!(Staking::undelegate(by(5), 1, 901), Error::<Test>::DelegationTooSmall);
		assert_noop!(Staking::undelegate(by(5), 1, 0), Error::<Test>::ZeroAmount);
		assert_ok!(Staking::undelegate(by(5), 1, 900));
		assert_ok!(Staking::undelegate(by(5), 1, 100));
	});
}

#[test]
fn one_place_for_a_chunk_is_kept_for_leaving() {
	backed(1_000, || {
		for block in 1..u64::from(MAX_CHUNKS) {
			System::set_block_number(block);
			assert_ok!(Staking::undelegate(by(5), 1, 10));
			assert_ok!(Staking::undelegate(by(5), 1, 10));
		}
		System::set_block_number(50);
		assert_noop!(Staking::undelegate(by(5), 1, 10), Error::<Test>::TooManyChunks);
		assert_ok!(Staking::undelegate(by(5), 1, u64::MAX));
		System::set_block_number(50 + PERIOD);
		assert_ok!(Staking::withdraw_undelegated(by(5), 1));
		assert_eq!(Balances::free_balance(5), 10_000);
	});
}

#[test]
fn only_a_delegator_takes_out() {
	backed(1_000, || {
		assert_noop!(Staking::undelegate(by(6), 1, 10), Error::<Test>::NotDelegated);
		assert_noop!(Staking::withdraw_undelegated(by(6), 1), Error::<Test>::NotDelegated);
		assert_noop!(Staking::settle(by(6), 1, 6), Error::<Test>::NotDelegated);
		assert_noop!(Staking::undelegate(RuntimeOrigin::root(), 1, 10), BadOrigin);
		assert_noop!(Staking::withdraw_undelegated(RuntimeOrigin::none(), 1), BadOrigin);
		assert_noop!(Staking::settle(RuntimeOrigin::none(), 1, 5), BadOrigin);
	});
}

#[test]
fn delegators_of_a_node_that_left_get_out_and_may_stay_for_its_next_life() {
	backed(1_000, || {
		assert_ok!(Staking::deregister_node(by(1)));
		assert_ok!(Staking::undelegate(by(5), 1, 500));
		System::set_block_number(PERIOD + 1);
		assert_ok!(Staking::withdraw_unbonded(by(1)));
		assert_ok!(Staking::withdraw_undelegated(by(5), 1));
		assert_eq!((delegated(5), worth(1, 5)), (500, 500));
		assert_ok!(register(1, MIN));
		assert_eq!(node(1).backing, 500);
	});
}
