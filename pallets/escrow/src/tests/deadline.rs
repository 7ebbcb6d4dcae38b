// SPDX-License-Identifier: Apache-2.0

//! Nodes that stay silent, and jobs whose time is over.

use crate::{mock::*, Escrowed, Event, Outcomes, Phase, Receipt};
use frame_support::assert_ok;
use tensornet_protocol::{Conduct, Failure, JobRequest, JobState};

#[test]
fn a_silent_node_loses_the_job_and_another_one_gets_it() {
	TestExt::standard().node(OTHER, 100).execute_with(|| {
		let id = assigned();
		let first = node_of(id).expect("a node has it");
		let second = if first == NODE { OTHER } else { NODE };
		requests();
		System::reset_events();
		run_to(23);
		assert_eq!(node_of(id), Some(first));
		run_to(24);
		assert_eq!(
			requests(),
			vec![Request::Released {
				node: first,
				collateral: 2_000,
				conduct: Conduct::Silent,
				reporter: None,
				requester: ALICE,
			}]
		);
		assert_eq!(
			events(),
			vec![Event::JobAttemptFailed {
				job: id,
				node: first,
				requester: ALICE,
				failure: Failure::NotCommitted,
				slashed: 40,
				to_requester: 20,
				to_reporter: 0,
				burned: 20,
				requeued: true,
			}]
		);
		assert_eq!(job(id).phase, Phase::Queued { next_try: 26 });
		assert_eq!(job(id).excluded, Some(first));
		assert_eq!(job(id).attempt, 1);
		run_to(26);
		assert_eq!(node_of(id), Some(second));
		assert_eq!(Picks::get().last().map(|(_, exclude)| *exclude), Some(Some(first)));
	});
}

#[test]
fn the_only_node_does_not_get_a_job_back_that_it_failed() {
	TestExt::standard().execute_with(|| {
		let id = assigned();
		run_to(40);
		assert_eq!(node_of(id), None);
		assert_eq!(Escrow::job_state(id), Some(JobState::Queued));
	});
}

#[test]
fn a_job_expires_with_its_last_attempt() {
	TestExt::standard().node(OTHER, 100).execute_with(|| {
		MaxAttempts::set(2);
		let id = assigned();
		run_to(26);
		assert!(node_of(id).is_some());
		System::reset_events();
		run_to(26 + COMMIT_TIME + 1);
		assert_eq!(Escrow::job_state(id), Some(JobState::Expired));
		assert_eq!((held(ALICE), deposited(ALICE), Escrowed::<Test>::get()), (0, 0, 0));
		// Two slashes of forty, half of each to the requester.
		assert_eq!(free(ALICE), 100_000 + 40);
		let seen = events();
		assert!(matches!(
			seen[..],
			[
				Event::JobAttemptFailed { requeued: false, failure: Failure::NotCommitted, .. },
				Event::JobExpired { requester: ALICE, refunded: 5_000, .. }
			]
		));
	});
}

#[test]
fn a_job_expires_when_no_time_is_left_for_another_attempt() {
	// First attempt from block 3 to 23, judged in 24; a second one would need until 46.
	for (deadline, expected) in [(45, JobState::Expired), (46, JobState::Queued)] {
		TestExt::standard().node(OTHER, 100).execute_with(|| {
			let id =
				submit(ALICE, JobRequest { deadline, ..request() }).expect("the request is sound");
			run_to(24);
			assert_eq!(Escrow::job_state(id), Some(expected));
		});
	}
}

#[test]
fn a_job_nobody_can_take_is_refunded_without_anybody_asking() {
	TestExt::new().execute_with(|| {
		let id =
			submit(ALICE, JobRequest { deadline: 60, ..request() }).expect("the request is sound");
		System::reset_events();
		// The last block to start in is 40.
		run_to(40);
		assert_eq!(job(id).phase, Phase::Queued { next_try: 41 });
		run_to(41);
		assert_eq!(free(ALICE), 100_000);
		assert_eq!(outcome(id).state, JobState::Expired);
		assert_eq!(outcome(id).receipt, Receipt { refunded: 5_000, ..Default::default() });
		assert_eq!(
			events(),
			vec![Event::JobExpired { job: id, requester: ALICE, refunded: 5_000 }]
		);
	});
}

#[test]
fn a_retry_is_not_put_off_beyond_the_last_start() {
	TestExt::new().execute_with(|| {
		RetryPeriod::set(500);
		let id =
			submit(ALICE, JobRequest { deadline: 60, ..request() }).expect("the request is sound");
		run_to(3);
		assert_eq!(job(id).phase, Phase::Queued { next_try: 41 });
		run_to(41);
		assert_eq!(Escrow::job_state(id), Some(JobState::Expired));
	});
}

#[test]
fn a_committed_job_outlives_its_deadline() {
	TestExt::standard().execute_with(|| {
		let id = committed();
		run_to(400);
		assert_eq!(Escrow::job_state(id), Some(JobState::Committed));
		assert_ok!(verify(id));
		assert_eq!(Escrow::job_state(id), Some(JobState::Settled));
	});
}

#[test]
fn an_outcome_is_forgotten_after_its_retention() {
	TestExt::standard().execute_with(|| {
		let id = committed();
		assert_ok!(verify(id));
		let ended_at = outcome(id).ended_at;
		run_to(ended_at + 19);
		assert!(Outcomes::<Test>::contains_key(id));
		run_to(ended_at + 20);
		assert!(!Outcomes::<Test>::contains_key(id));
		assert_eq!(Escrow::job_state(id), None);
	});
}

#[test]
fn a_node_has_a_block_for_each_portion_of_work() {
	for (iterations, macs_per_block, expected) in
		[(1, MACS, 11), (10, MACS, 20), (10, 3 * MACS, 13), (10, u64::MAX, 10)]
	{
		TestExt::standard().execute_with(|| {
			MacsPerBlock::set(macs_per_block);
			let id = submit(ALICE, JobRequest { iterations, ..request() })
				.expect("the request is sound");
			run_to(3);
			let commit_by = job(id).phase.attempt().map(|attempt| attempt.commit_by);
			assert_eq!(commit_by, Some(3 + expected));
		});
	}
}
