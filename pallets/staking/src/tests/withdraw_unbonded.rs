// SPDX-License-Identifier: Apache-2.0

use crate::{mock::*, Error, Event, Nodes};
use frame_support::{assert_noop, assert_ok};
use sp_runtime::traits::BadOrigin;

#[test]
fn a_chunk_is_free_from_the_block_it_unlocks_in() {
	TestExt::default().node(1, 3_000).build_and_execute(|| {
		assert_ok!(Staking::unbond(RuntimeOrigin::signed(1), 500));
		System::set_block_number(PERIOD);
		assert_noop!(
			Staking::withdraw_unbonded(RuntimeOrigin::signed(1)),
			Error::<Test>::NothingUnlocked
		);
		System::set_block_number(PERIOD + 1);
		assert_ok!(Staking::withdraw_unbonded(RuntimeOrigin::signed(1)));
		assert_eq!((held(1), node(1).unbonding_total()), (2_500, 0));
		System::assert_last_event(Event::Withdrawn { stash: 1, amount: 500 }.into());
	});
}

#[test]
fn only_what_is_unlocked_is_freed() {
	TestExt::default().node(1, 3_000).build_and_execute(|| {
		for block in 1..=5 {
			System::set_block_number(block);
			assert_ok!(Staking::unbond(RuntimeOrigin::signed(1), block));
		}
		System::set_block_number(PERIOD + 3);
		assert_ok!(Staking::withdraw_unbonded(RuntimeOrigin::signed(1)));
		assert_eq!(held(1), 3_000 - (1 + 2 + 3));
		assert_eq!(node(1).unbonding_total(), 4 + 5);
	});
}

#[test]
fn the_last_withdrawal_of_a_leaving_node_removes_it() {
	TestExt::default().node(1, 3_000).build_and_execute(|| {
		assert_ok!(Staking::unbond(RuntimeOrigin::signed(1), 500));
		System::set_block_number(11);
		assert_ok!(Staking::deregister_node(RuntimeOrigin::signed(1)));
		System::set_block_number(PERIOD + 1);
		assert_ok!(Staking::withdraw_unbonded(RuntimeOrigin::signed(1)));
		assert!(Nodes::<Test>::contains_key(1));
		System::set_block_number(PERIOD + 11);
		assert_ok!(Staking::withdraw_unbonded(RuntimeOrigin::signed(1)));
		assert!(!Nodes::<Test>::contains_key(1));
		assert_eq!((held(1), Balances::free_balance(1)), (0, 6_000 + ED));
		System::assert_last_event(Event::NodeRemoved { stash: 1 }.into());
	});
}

#[test]
fn only_a_stash_withdraws() {
	TestExt::default().node(1, 3_000).build_and_execute(|| {
		assert_noop!(
			Staking::withdraw_unbonded(RuntimeOrigin::signed(OPERATOR + 1)),
			Error::<Test>::NotRegistered
		);
		assert_noop!(Staking::withdraw_unbonded(RuntimeOrigin::none()), BadOrigin);
	});
}
