// SPDX-License-Identifier: Apache-2.0

use crate::{mock::*, Error, Event, Nodes, OnlineCount, Standing};
use frame_support::{assert_noop, assert_ok};
use sp_runtime::{traits::BadOrigin, Permill};
use tensornet_protocol::{Conduct, Nodes as _};

#[test]
fn everything_unbonds_and_the_operator_is_free() {
	TestExt::default().node(1, 3_000).build_and_execute(|| {
		assert_ok!(Staking::deregister_node(RuntimeOrigin::signed(1)));
		let node = node(1);
		assert_eq!((node.standing, node.bond), (Standing::Leaving, 0));
		assert_eq!((node.unbonding_total(), held(1)), (3_000, 3_000));
		assert_eq!(OnlineCount::<Test>::get(), 0);
		assert_eq!(Staking::node_of(&(OPERATOR + 1)), None);
		System::assert_has_event(Event::NodeDeregistered { stash: 1 }.into());
		System::assert_last_event(
			Event::Unbonded { stash: 1, amount: 3_000, unlock_at: 1 + PERIOD }.into(),
		);
	});
}

#[test]
fn a_node_with_jobs_stays() {
	TestExt::default().node(1, MIN).build_and_execute(|| {
		Staking::job_taken(&1, 0);
		assert_noop!(Staking::deregister_node(RuntimeOrigin::signed(1)), Error::<Test>::HasJobs);
		Staking::job_released(&1, 0, Conduct::Released, None, &REQUESTER);
		assert_ok!(Staking::deregister_node(RuntimeOrigin::signed(1)));
	});
}

#[test]
fn a_node_that_lost_everything_is_removed_at_once() {
	TestExt::default().node(1, MIN).build_and_execute(|| {
		FraudSlash::set(Permill::one());
		assert_eq!(judge(1, Conduct::Fraud).total, MIN);
		assert_eq!((held(1), node(1).bond), (0, 0));
		assert_ok!(Staking::deregister_node(RuntimeOrigin::signed(1)));
		assert!(!Nodes::<Test>::contains_key(1));
		System::assert_last_event(Event::NodeRemoved { stash: 1 }.into());
	});
}

#[test]
fn only_a_stash_with_a_node_deregisters_it_once() {
	TestExt::default().node(1, MIN).build_and_execute(|| {
		assert_noop!(
			Staking::deregister_node(RuntimeOrigin::signed(OPERATOR + 1)),
			Error::<Test>::NotRegistered
		);
		assert_noop!(Staking::deregister_node(RuntimeOrigin::none()), BadOrigin);
		assert_ok!(Staking::deregister_node(RuntimeOrigin::signed(1)));
		assert_noop!(Staking::deregister_node(RuntimeOrigin::signed(1)), Error::<Test>::Leaving);
	});
}
