// SPDX-License-Identifier: Apache-2.0

use crate::{mock::*, Error, Event, Pools, MAX_LIABILITIES};
use frame_support::{assert_noop, assert_ok};
use tensornet_protocol::Conduct;

/// Account 5 moved 1,000 of 2,000 from node 1 to node 2 in block 1.
fn moved(test: impl FnOnce()) {
	let chain = TestExt::default().node(1, 4_000).node(2, 4_000).node(3, 4_000);
	chain.endow(5, 20_000).endow(6, 20_000).build_and_execute(|| {
		assert_ok!(Staking::delegate(by(5), 1, 2_000));
		assert_ok!(Staking::redelegate(by(5), 1, 2, 1_000));
		test();
	});
}

#[test]
fn stake_moves_at_once_and_stays_held() {
	moved(|| {
		assert_eq!((worth(1, 5), worth(2, 5), delegated(5)), (1_000, 1_000, 2_000));
		assert_eq!((node(1).backing, node(2).backing), (1_000, 1_000));
		System::assert_last_event(
			Event::Redelegated {
				from: 1,
				to: 2,
				delegator: 5,
				amount: 1_000,
				liable_until: PERIOD + 1,
			}
			.into(),
		);
	});
}

#[test]
fn it_answers_for_the_old_node_until_the_period_is_over() {
	moved(|| {
		System::set_block_number(PERIOD + 1);
		judge(1, Conduct::Fraud);
		assert_ok!(Staking::settle(by(9), 2, 5));
		assert_eq!((worth(1, 5), worth(2, 5), delegated(5)), (500, 500, 1_500));
		assert_eq!(node(2).backing, 500);
	});
}

#[test]
fn it_does_not_answer_for_what_is_decided_later_however_late_it_is_settled() {
	moved(|| {
		System::set_block_number(PERIOD + 2);
		judge(1, Conduct::Fraud);
		System::set_block_number(50 * PERIOD);
		assert_ok!(Staking::settle(by(9), 2, 5));
		assert_eq!((worth(1, 5), worth(2, 5)), (500, 1_000));
		assert_eq!(Pools::<Test>::get(1).map(|pool| pool.liable), Some(0));
	});
}

#[test]
fn what_is_decided_in_time_and_carried_out_later_still_reaches_it() {
	moved(|| {
		SlashDelay::set(30);
		System::set_block_number(PERIOD + 1);
		judge(1, Conduct::Fraud);
		System::set_block_number(PERIOD + 10);
		assert_ok!(Staking::settle(by(9), 2, 5));
		assert_eq!(worth(2, 5), 1_000);
		assert_noop!(Staking::undelegate(by(5), 2, 1_000), Error::<Test>::StillLiable);
		go_to(PERIOD + 31);
		assert_ok!(Staking::settle(by(9), 2, 5));
		assert_eq!(worth(2, 5), 500);
		assert_ok!(Staking::undelegate(by(5), 2, 500));
		SlashDelay::set(0);
	});
}

#[test]
fn it_answers_for_both_nodes() {
	moved(|| {
		judge(1, Conduct::Fraud);
		judge(2, Conduct::Fraud);
		assert_ok!(Staking::settle(by(9), 2, 5));
		assert_eq!((worth(1, 5), worth(2, 5)), (500, 250));
	});
}

#[test]
fn no_second_hop_and_no_exit_while_it_answers() {
	moved(|| {
		assert_noop!(Staking::redelegate(by(5), 2, 3, 1_000), Error::<Test>::StillLiable);
		assert_noop!(Staking::undelegate(by(5), 2, 1_000), Error::<Test>::StillLiable);
		System::set_block_number(PERIOD + 1);
		assert_noop!(Staking::redelegate(by(5), 2, 3, 500), Error::<Test>::StillLiable);
		System::set_block_number(PERIOD + 2);
		assert_ok!(Staking::redelegate(by(5), 2, 3, 500));
		assert_ok!(Staking::undelegate(by(5), 2, 500));
	});
}

#[test]
fn other_stake_of_the_same_account_is_free_and_does_not_answer() {
	moved(|| {
		assert_ok!(Staking::delegate(by(5), 2, 600));
		assert_ok!(Staking::undelegate(by(5), 2, 300));
		assert_noop!(Staking::undelegate(by(5), 2, 301), Error::<Test>::StillLiable);
		judge(1, Conduct::Fraud);
		assert_ok!(Staking::settle(by(9), 2, 5));
		assert_eq!((worth(2, 5), delegated(5)), (800, 1_000 + 800 + 300));
	});
}

#[test]
fn the_old_pool_is_kept_for_stake_that_answers_for_it() {
	moved(|| {
		assert_ok!(Staking::redelegate(by(5), 1, 3, 1_000));
		assert_eq!(Pools::<Test>::get(1).map(|pool| (pool.delegators, pool.liable)), Some((0, 2)));
		judge(1, Conduct::Fraud);
		assert_ok!(Staking::settle(by(9), 2, 5));
		assert_ok!(Staking::settle(by(9), 3, 5));
		assert_eq!((worth(2, 5), worth(3, 5)), (500, 500));
		System::set_block_number(PERIOD + 2);
		assert_ok!(Staking::settle(by(9), 2, 5));
		assert_ok!(Staking::settle(by(9), 3, 5));
		assert!(!Pools::<Test>::contains_key(1));
	});
}

#[test]
fn a_delegation_answers_for_few_moves_at_once() {
	TestExt::default().node(1, 4_000).node(2, 4_000).endow(5, 20_000).build_and_execute(|| {
		assert_ok!(Staking::delegate(by(5), 1, 5_000));
		for _ in 0..MAX_LIABILITIES {
			assert_ok!(Staking::redelegate(by(5), 1, 2, 500));
		}
		assert_noop!(Staking::redelegate(by(5), 1, 2, 500), Error::<Test>::TooManyLiabilities);
		System::set_block_number(PERIOD + 2);
		assert_ok!(Staking::redelegate(by(5), 1, 2, 500));
	});
}

#[test]
fn the_rules_of_both_ends_hold() {
	moved(|| {
		assert_noop!(Staking::redelegate(by(5), 1, 1, 500), Error::<Test>::SameNode);
		assert_noop!(Staking::redelegate(by(5), 1, 3, 0), Error::<Test>::ZeroAmount);
		assert_noop!(Staking::redelegate(by(6), 1, 3, 500), Error::<Test>::NotDelegated);
		assert_noop!(Staking::redelegate(by(5), 1, 3, 99), Error::<Test>::DelegationTooSmall);
		assert_noop!(Staking::redelegate(by(5), 1, 3, 950), Error::<Test>::DelegationTooSmall);
		assert_noop!(Staking::redelegate(by(5), 1, 9, 500), Error::<Test>::UnknownNode);
		Barred::set(vec![5]);
		assert_noop!(Staking::redelegate(by(5), 1, 3, 500), Error::<Test>::NotAdmitted);
		Barred::set(vec![]);
		SlashDelay::set(30);
		judge(1, Conduct::Withheld);
		assert_noop!(Staking::redelegate(by(5), 1, 3, 500), Error::<Test>::SlashPending);
		assert_noop!(Staking::redelegate(by(5), 2, 1, 500), Error::<Test>::SlashPending);
		SlashDelay::set(0);
	});
}
