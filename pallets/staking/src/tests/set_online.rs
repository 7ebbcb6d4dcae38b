// SPDX-License-Identifier: Apache-2.0

use crate::{mock::*, Error, Event, Online, OnlineCount, Standing};
use frame_support::{assert_noop, assert_ok};
use sp_runtime::traits::BadOrigin;
use tensornet_protocol::{Conduct, Nodes as _};

fn online() -> Vec<u64> {
	(0..OnlineCount::<Test>::get())
		.map(|position| Online::<Test>::get(position).expect("the list is dense"))
		.collect()
}

#[test]
fn stash_and_operator_bring_a_node_online_and_pause_it() {
	TestExt::default().endow(1, 5_000).build_and_execute(|| {
		assert_ok!(register(1, MIN));
		for caller in [1, OPERATOR + 1] {
			assert_ok!(Staking::set_online(RuntimeOrigin::signed(caller), true));
			assert!(node(1).is_online());
			System::assert_last_event(Event::NodeOnline { stash: 1 }.into());
			assert_ok!(Staking::set_online(RuntimeOrigin::signed(caller), false));
			assert!(!node(1).is_online());
			System::assert_last_event(Event::NodeOffline { stash: 1 }.into());
		}
	});
}

#[test]
fn saying_it_again_changes_nothing() {
	TestExt::default().node(1, MIN).build_and_execute(|| {
		assert_ok!(Staking::set_online(RuntimeOrigin::signed(1), true));
		assert_eq!(online(), [1]);
		assert_ok!(Staking::set_online(RuntimeOrigin::signed(1), false));
		assert_ok!(Staking::set_online(RuntimeOrigin::signed(1), false));
		assert_eq!(online(), [0; 0]);
		assert_eq!(System::events().len(), 1);
	});
}

#[test]
fn the_list_stays_dense_whoever_leaves() {
	TestExt::default().node(1, MIN).node(2, MIN).node(3, MIN).node(4, MIN).build_and_execute(
		|| {
			let pause = |stash| {
				assert_ok!(Staking::set_online(RuntimeOrigin::signed(stash), false));
				assert_ok!(Staking::do_try_state());
			};
			pause(2);
			assert_eq!(online(), [1, 4, 3]);
			pause(3);
			assert_eq!(online(), [1, 4]);
			pause(1);
			assert_eq!(online(), [4]);
			pause(4);
			assert_eq!(online(), [0; 0]);
			assert_ok!(Staking::set_online(RuntimeOrigin::signed(2), true));
			assert_eq!(online(), [2]);
		},
	);
}

#[test]
fn a_bond_below_the_minimum_keeps_a_node_offline() {
	TestExt::default().node(1, MIN).build_and_execute(|| {
		judge(1, Conduct::Silent);
		assert!(!node(1).is_online());
		assert_noop!(
			Staking::set_online(RuntimeOrigin::signed(OPERATOR + 1), true),
			Error::<Test>::BondTooSmall
		);
		assert_ok!(Staking::bond_more(RuntimeOrigin::signed(1), 10));
		assert_ok!(Staking::set_online(RuntimeOrigin::signed(OPERATOR + 1), true));
	});
}

#[test]
fn only_the_stash_brings_a_jailed_node_back() {
	TestExt::default().node(1, 3_000).build_and_execute(|| {
		judge(1, Conduct::Fraud);
		assert_eq!(node(1).standing, Standing::Jailed);
		assert_noop!(
			Staking::set_online(RuntimeOrigin::signed(OPERATOR + 1), true),
			Error::<Test>::Jailed
		);
		assert_ok!(Staking::set_online(RuntimeOrigin::signed(1), true));
		assert_eq!(node(1).standing, Standing::Active);
	});
}

#[test]
fn an_account_that_is_stash_and_foreign_operator_acts_for_its_own_node() {
	TestExt::default().node(1, MIN).node(2, MIN).build_and_execute(|| {
		assert_ok!(Staking::rotate_operator(RuntimeOrigin::signed(2), 1));
		assert_ok!(Staking::set_online(RuntimeOrigin::signed(1), false));
		assert!(!node(1).is_online());
		assert!(node(2).is_online());
	});
}

#[test]
fn strangers_and_leaving_nodes_cannot() {
	TestExt::default().node(1, MIN).build_and_execute(|| {
		assert_noop!(
			Staking::set_online(RuntimeOrigin::signed(5), true),
			Error::<Test>::NotRegistered
		);
		assert_noop!(Staking::set_online(RuntimeOrigin::root(), true), BadOrigin);
		assert_ok!(Staking::deregister_node(RuntimeOrigin::signed(1)));
		assert_noop!(Staking::set_online(RuntimeOrigin::signed(1), true), Error::<Test>::Leaving);
	});
}

#[test]
fn a_paused_node_keeps_its_jobs() {
	TestExt::default().node(1, MIN).build_and_execute(|| {
		Staking::job_taken(&1, 0);
		assert_ok!(Staking::set_online(RuntimeOrigin::signed(1), false));
		assert_eq!(node(1).active_jobs, 1);
		Staking::job_released(&1, 0, Conduct::Completed, None, &REQUESTER);
		assert_eq!((node(1).active_jobs, node(1).completed), (0, 1));
	});
}

#[test]
fn who_is_not_admitted_offers_no_node_but_keeps_every_way_out() {
	TestExt::default().node(1, 4_000).build_and_execute(|| {
		assert_ok!(Staking::set_online(RuntimeOrigin::signed(1), false));
		Barred::set(vec![1, 2]);
		assert_noop!(
			Staking::set_online(RuntimeOrigin::signed(1), true),
			Error::<Test>::NotAdmitted
		);
		assert_noop!(
			Staking::register_node(
				RuntimeOrigin::signed(2),
				OPERATOR + 50,
				ASK,
				capability(),
				endpoint("x"),
				4_000
			),
			Error::<Test>::NotAdmitted
		);
		assert_ok!(Staking::unbond(RuntimeOrigin::signed(1), 1_000));
		assert_ok!(Staking::deregister_node(RuntimeOrigin::signed(1)));
		System::set_block_number(PERIOD + 2);
		assert_ok!(Staking::withdraw_unbonded(RuntimeOrigin::signed(1)));
		assert_eq!(held(1), 0);
		Barred::set(vec![]);
	});
}
