// SPDX-License-Identifier: Apache-2.0

use crate::{mock::*, Nodes, FULL_REPUTATION, INITIAL_REPUTATION};
use frame_support::assert_storage_noop;
use tensornet_protocol::{Conduct, Nodes as _, Slash};

#[test]
fn jobs_are_counted() {
	TestExt::default().node(1, MIN).build_and_execute(|| {
		Staking::job_taken(&1, 0);
		Staking::job_taken(&1, 0);
		assert_eq!(node(1).active_jobs, 2);
		Staking::job_released(&1, 0, Conduct::Released, None, &REQUESTER);
		assert_eq!(node(1).active_jobs, 1);
		Staking::job_released(&1, 0, Conduct::Completed, None, &REQUESTER);
		assert_eq!(node(1).active_jobs, 0);
	});
}

#[test]
fn completed_jobs_lead_to_full_reputation_and_no_further() {
	TestExt::default().node(1, MIN).build_and_execute(|| {
		let mut last = INITIAL_REPUTATION;
		for _ in 0..250 {
			assert_eq!(judge(1, Conduct::Completed), Slash::default());
			let now = node(1).reputation;
			assert!(now > last || now == FULL_REPUTATION);
			last = now;
		}
		assert_eq!(last, FULL_REPUTATION);
		assert_eq!((node(1).completed, node(1).failed), (250, 0));
		assert_eq!(held(1), MIN);
	});
}

#[test]
fn a_job_that_went_away_costs_and_earns_nothing() {
	TestExt::default().node(1, MIN).build_and_execute(|| {
		let before = node(1);
		assert_eq!(judge(1, Conduct::Released), Slash::default());
		assert_eq!(node(1), before);
	});
}

#[test]
fn silence_costs_a_quarter_of_the_reputation() {
	TestExt::default().node(1, 2 * MIN).build_and_execute(|| {
		judge(1, Conduct::Silent);
		assert_eq!(node(1).reputation, INITIAL_REPUTATION * 3 / 4);
		assert_eq!(node(1).failed, 1);
		for _ in 0..100 {
			judge(1, Conduct::Silent);
		}
		assert_eq!(node(1).reputation, 0);
	});
}

#[test]
fn unknown_nodes_and_jobs_change_nothing() {
	TestExt::default().node(1, MIN).build_and_execute(|| {
		assert_storage_noop!(Staking::job_taken(&5, 0));
		for stash in [1, 5] {
			assert_storage_noop!({
				let slash = Staking::job_released(&stash, 0, Conduct::Fraud, None, &REQUESTER);
				assert_eq!(slash, Slash::default());
			});
		}
		assert!(!Nodes::<Test>::contains_key(5));
	});
}
