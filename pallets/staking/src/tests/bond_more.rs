// SPDX-License-Identifier: Apache-2.0

use crate::{mock::*, Error, Event};
use frame_support::{assert_noop, assert_ok};
use sp_runtime::{traits::BadOrigin, TokenError};

#[test]
fn more_bond_is_held() {
	TestExt::default().node(1, MIN).build_and_execute(|| {
		assert_ok!(Staking::bond_more(RuntimeOrigin::signed(1), 400));
		assert_eq!((held(1), node(1).bond), (1_400, 1_400));
		System::assert_last_event(Event::Bonded { stash: 1, amount: 400, bond: 1_400 }.into());
	});
}

#[test]
fn a_bond_of_nothing_fails() {
	TestExt::default().node(1, MIN).build_and_execute(|| {
		assert_noop!(Staking::bond_more(RuntimeOrigin::signed(1), 0), Error::<Test>::ZeroAmount);
	});
}

#[test]
fn more_than_the_stash_has_fails() {
	TestExt::default().node(1, MIN).build_and_execute(|| {
		assert_noop!(
			Staking::bond_more(RuntimeOrigin::signed(1), MIN + 1),
			TokenError::FundsUnavailable
		);
		assert_ok!(Staking::bond_more(RuntimeOrigin::signed(1), MIN));
	});
}

#[test]
fn only_a_stash_with_a_node_bonds_more() {
	TestExt::default().node(1, MIN).endow(OPERATOR + 1, MIN).build_and_execute(|| {
		assert_noop!(
			Staking::bond_more(RuntimeOrigin::signed(OPERATOR + 1), 5),
			Error::<Test>::NotRegistered
		);
		assert_noop!(Staking::bond_more(RuntimeOrigin::none(), 5), BadOrigin);
	});
}

#[test]
fn a_leaving_node_cannot_bond_more() {
	TestExt::default().node(1, MIN).build_and_execute(|| {
		assert_ok!(Staking::deregister_node(RuntimeOrigin::signed(1)));
		assert_noop!(Staking::bond_more(RuntimeOrigin::signed(1), 5), Error::<Test>::Leaving);
	});
}
