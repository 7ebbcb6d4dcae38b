// SPDX-License-Identifier: Apache-2.0

use crate::{mock::*, Error, Event};
use frame_support::{assert_noop, assert_ok};
use sp_runtime::traits::BadOrigin;
use tensornet_protocol::Nodes as _;

#[test]
fn the_old_key_loses_and_the_new_one_gains_the_node() {
	TestExt::default().node(1, MIN).build_and_execute(|| {
		Staking::job_taken(&1, 0);
		assert_ok!(Staking::rotate_operator(RuntimeOrigin::signed(1), 77));
		assert_eq!(Staking::node_of(&77), Some(1));
		assert_eq!(Staking::node_of(&(OPERATOR + 1)), None);
		assert_eq!(node(1).operator, 77);
		System::assert_last_event(
			Event::OperatorRotated { stash: 1, old: OPERATOR + 1, new: 77 }.into(),
		);
		assert_noop!(
			Staking::set_online(RuntimeOrigin::signed(OPERATOR + 1), false),
			Error::<Test>::NotRegistered
		);
		assert_ok!(Staking::set_online(RuntimeOrigin::signed(77), false));
	});
}

#[test]
fn a_key_that_works_already_is_refused() {
	TestExt::default().node(1, MIN).node(2, MIN).build_and_execute(|| {
		for key in [OPERATOR + 1, OPERATOR + 2] {
			assert_noop!(
				Staking::rotate_operator(RuntimeOrigin::signed(1), key),
				Error::<Test>::OperatorTaken
			);
		}
	});
}

#[test]
fn only_a_stash_with_a_node_rotates_its_operator() {
	TestExt::default().node(1, MIN).build_and_execute(|| {
		assert_noop!(
			Staking::rotate_operator(RuntimeOrigin::signed(OPERATOR + 1), 77),
			Error::<Test>::NotRegistered
		);
		assert_noop!(Staking::rotate_operator(RuntimeOrigin::none(), 77), BadOrigin);
		assert_ok!(Staking::deregister_node(RuntimeOrigin::signed(1)));
		assert_noop!(
			Staking::rotate_operator(RuntimeOrigin::signed(1), 77),
			Error::<Test>::Leaving
		);
	});
}
