// SPDX-License-Identifier: Apache-2.0

use crate::{mock::*, Error, Event, Standing};
use frame_support::{assert_noop, assert_ok};
use tensornet_protocol::Conduct;

fn jailed(test: impl FnOnce()) {
	TestExt::default().node(1, 4_000).build_and_execute(|| {
		JailPeriod::set(50);
		judge(1, Conduct::Fraud);
		test();
		JailPeriod::set(0);
	});
}

#[test]
fn a_node_rejoins_when_its_time_is_over_and_its_bond_restored() {
	jailed(|| {
		System::set_block_number(50);
		assert_noop!(Staking::set_online(by(1), true), Error::<Test>::StillJailed);
		System::set_block_number(51);
		assert_noop!(Staking::set_online(by(OPERATOR + 1), true), Error::<Test>::Jailed);
		assert_ok!(Staking::set_online(by(1), true));
		System::assert_has_event(Event::NodeRejoined { stash: 1 }.into());
		assert_eq!((node(1).standing, node(1).jailed_until), (Standing::Active, 0));
		assert!(node(1).is_online());
	});
}

#[test]
fn without_the_bond_it_does_not() {
	jailed(|| {
		judge_at(1, 1_500, Conduct::Fraud);
		System::set_block_number(51);
		assert_noop!(Staking::set_online(by(1), true), Error::<Test>::BondTooSmall);
		assert_ok!(Staking::bond_more(by(1), 500));
		assert_ok!(Staking::set_online(by(1), true));
	});
}

#[test]
fn leaving_and_registering_anew_is_no_way_out() {
	jailed(|| {
		assert_ok!(Staking::deregister_node(by(1)));
		assert_ok!(register(1, MIN));
		assert_eq!(node(1).standing, Standing::Jailed);
		assert_noop!(Staking::set_online(by(1), true), Error::<Test>::StillJailed);
		System::set_block_number(51);
		assert_ok!(Staking::set_online(by(1), true));
	});
}

#[test]
fn reputation_wears_off_towards_that_of_a_new_node() {
	TestExt::default().node(1, 4_000).node(2, 4_000).build_and_execute(|| {
		for _ in 0..100 {
			judge(1, Conduct::Completed);
		}
		judge(2, Conduct::Fraud);
		let good = node(1).reputation;
		assert_eq!((node(1).reputation_in(10), node(2).reputation_in(10)), (good - 50_000, 50_000));
		for far in [100, u32::MAX] {
			assert_eq!(
				(node(1).reputation_in(far), node(2).reputation_in(far)),
				(500_000, 500_000)
			);
		}
		// A pick sees it without anybody touching the record, and the next job writes it down.
		assert!(Staking::weight_of(&node(1), 50) < Staking::weight_of(&node(1), 0));
		Era::set(10);
		judge(1, Conduct::Silent);
		assert_eq!(
			(node(1).reputation, node(1).era),
			((good - 50_000) - (good - 50_000).div_ceil(4), 10)
		);
	});
}
