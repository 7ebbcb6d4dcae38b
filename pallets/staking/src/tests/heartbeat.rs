// SPDX-License-Identifier: Apache-2.0

use crate::{mock::*, Error, Event, FULL_AVAILABILITY};
use frame_support::{assert_noop, assert_ok, BoundedVec};
use sp_runtime::traits::BadOrigin;
use tensornet_protocol::{Conduct, Hash, Nodes as _};

fn beat(who: u64, nodes: &[u64]) -> frame_support::pallet_prelude::DispatchResult {
	Staking::heartbeat(by(who), BoundedVec::truncate_from(nodes.to_vec()))
}

fn picked() -> Option<u64> {
	Staking::pick(&requirements(), Hash::repeat_byte(3), None).map(|one| one.node)
}

fn required(test: impl FnOnce()) {
	TestExt::default().node(1, 4_000).build_and_execute(|| {
		HeartbeatPeriod::set(10);
		test();
		HeartbeatPeriod::set(0);
	});
}

#[test]
fn a_period_of_zero_asks_for_no_sign_of_life() {
	TestExt::default().node(1, 4_000).build_and_execute(|| {
		System::set_block_number(1_000_000);
		assert_eq!(picked(), Some(1));
		assert_eq!(node(1).availability, FULL_AVAILABILITY);
	});
}

#[test]
fn a_node_without_a_sign_of_life_is_passed_over_until_the_next() {
	required(|| {
		System::set_block_number(11);
		assert_eq!(picked(), Some(1));
		System::set_block_number(12);
		assert_eq!(picked(), None);
		assert!(node(1).is_online());
		assert_ok!(beat(OPERATOR + 1, &[1]));
		assert_eq!(picked(), Some(1));
		assert_eq!(held(1), 4_000, "it costs no stake");
	});
}

#[test]
fn whoever_asks_learns_when_the_next_sign_of_life_is_due() {
	required(|| {
		assert_eq!(Staking::heartbeat_of(1), Some((1, 10)));
		assert_ok!(Staking::set_online(by(1), false));
		assert_eq!(Staking::heartbeat_of(1), None);
		assert_ok!(Staking::set_online(by(1), true));
		HeartbeatPeriod::set(0);
		assert_eq!((Staking::heartbeat_of(1), Staking::heartbeat_of(7)), (None, None));
	});
}

#[test]
fn missed_periods_cost_availability_and_signs_in_time_win_it_back() {
	required(|| {
		System::set_block_number(35);
		assert_ok!(beat(1, &[1]));
		// Three periods were missed.
		let low = node(1).availability;
		assert_eq!(low, 421_875);
		assert!(Staking::weight_of(&node(1), 0) < 1_000);
		for round in 1..250 {
			System::set_block_number(35 + 10 * round);
			assert_ok!(beat(1, &[1]));
		}
		assert_eq!(node(1).availability, FULL_AVAILABILITY);
		System::set_block_number(u64::from(u32::MAX));
		assert_ok!(beat(1, &[1]));
		assert_eq!(node(1).availability, 316_406, "no absence counts for more than four periods");
	});
}

#[test]
fn a_settled_job_is_a_sign_of_life() {
	required(|| {
		System::set_block_number(30);
		judge(1, Conduct::Completed);
		assert_eq!(picked(), Some(1));
	});
}

#[test]
fn pausing_hides_nothing_and_costs_nothing() {
	required(|| {
		System::set_block_number(35);
		assert_ok!(Staking::set_online(by(1), false));
		assert_eq!(node(1).availability, 421_875);
		System::set_block_number(500);
		assert_ok!(beat(1, &[1]));
		assert_ok!(Staking::set_online(by(1), true));
		assert_eq!((node(1).availability, picked()), (421_875, Some(1)));
	});
}

#[test]
fn a_monitor_speaks_for_many_nodes_at_once() {
	TestExt::default().node(1, 4_000).node(2, 4_000).node(3, 4_000).build_and_execute(|| {
		HeartbeatPeriod::set(10);
		for stash in [1, 2] {
			assert_ok!(Staking::set_monitor(by(stash), Some(50)));
		}
		System::assert_last_event(Event::MonitorSet { stash: 2, monitor: Some(50) }.into());
		System::set_block_number(9);
		assert_ok!(beat(50, &[1, 2]));
		assert_eq!((node(1).heartbeat_at, node(2).heartbeat_at), (9, 9));
		assert_noop!(beat(50, &[1, 3]), Error::<Test>::NotYours);
		assert_noop!(beat(50, &[9]), Error::<Test>::NotRegistered);
		assert_noop!(Staking::heartbeat(RuntimeOrigin::root(), Default::default()), BadOrigin);
		assert_ok!(Staking::set_monitor(by(1), None));
		assert_noop!(beat(50, &[1]), Error::<Test>::NotYours);
		assert_noop!(Staking::set_monitor(by(50), None), Error::<Test>::NotRegistered);
		HeartbeatPeriod::set(0);
	});
}
