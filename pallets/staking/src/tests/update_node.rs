// SPDX-License-Identifier: Apache-2.0

use crate::{mock::*, Error, Event};
use frame_support::{assert_noop, assert_ok};
use sp_runtime::traits::BadOrigin;
use tensornet_protocol::Capability;

#[test]
fn every_field_changes_alone() {
	TestExt::default().node(1, MIN).build_and_execute(|| {
		let origin = RuntimeOrigin::signed(1);
		let first = node(1);
		assert_ok!(Staking::update_node(origin.clone(), Some(60), None, None));
		let second = node(1);
		assert_eq!(second.ask, 60);
		assert_eq!((&second.endpoint, second.capability), (&first.endpoint, first.capability));

		let url = endpoint("https://new");
		assert_ok!(Staking::update_node(origin.clone(), None, Some(url.clone()), None));
		let third = node(1);
		assert_eq!((third.ask, &third.endpoint, third.capability), (60, &url, first.capability));

		let capability = Capability { memory_mib: 1, giga_macs: 2 };
		assert_ok!(Staking::update_node(origin, None, None, Some(capability)));
		let fourth = node(1);
		assert_eq!((fourth.ask, &fourth.endpoint, fourth.capability), (60, &url, capability));
		System::assert_last_event(
			Event::NodeUpdated { stash: 1, ask: 60, capability, endpoint: url }.into(),
		);
	});
}

#[test]
fn an_update_of_nothing_fails() {
	TestExt::default().node(1, MIN).build_and_execute(|| {
		assert_noop!(
			Staking::update_node(RuntimeOrigin::signed(1), None, None, None),
			Error::<Test>::NothingToUpdate
		);
	});
}

#[test]
fn only_a_stash_with_a_node_updates_it() {
	TestExt::default().node(1, MIN).build_and_execute(|| {
		assert_noop!(
			Staking::update_node(RuntimeOrigin::signed(OPERATOR + 1), Some(1), None, None),
			Error::<Test>::NotRegistered
		);
		assert_noop!(Staking::update_node(RuntimeOrigin::root(), Some(1), None, None), BadOrigin);
		assert_ok!(Staking::deregister_node(RuntimeOrigin::signed(1)));
		assert_noop!(
			Staking::update_node(RuntimeOrigin::signed(1), Some(1), None, None),
			Error::<Test>::Leaving
		);
	});
}
