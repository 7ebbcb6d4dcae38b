// SPDX-License-Identifier: Apache-2.0

//! Attempts that fail after their commitment.

use crate::{mock::*, Error, Event, Phase};
use frame_support::{assert_noop, assert_ok};
use tensornet_protocol::{Conduct, Failure, JobRequest, JobState, Slash};

#[test]
fn a_cheat_is_judged_the_requester_compensated_and_the_job_queued_again() {
	TestExt::standard().node(OTHER, 100).endow(REPORTER, ED).execute_with(|| {
		let id = committed();
		let cheat = node_of(id).expect("a node has it");
		requests();
		System::reset_events();
		assert_eq!(
			fail(id, Failure::Fraud, Some(REPORTER)),
			Ok(Slash { total: 400, burned: 100, to_reporter: 100, to_requester: 200 })
		);
		assert_eq!(
			requests(),
			vec![Request::Released {
				node: cheat,
				collateral: 2_000,
				conduct: Conduct::Fraud,
				reporter: Some(REPORTER),
				requester: ALICE,
			}]
		);
		assert_eq!(
			events(),
			vec![Event::JobAttemptFailed {
				job: id,
				node: cheat,
				requester: ALICE,
				failure: Failure::Fraud,
				slashed: 400,
				to_requester: 200,
				to_reporter: 100,
				burned: 100,
				requeued: true,
			}]
		);
		assert_eq!(free(REPORTER), ED + 100);
		assert_eq!(held(ALICE), 5_000);
		assert_eq!(job(id).excluded, Some(cheat));
		run_blocks(2);
		let honest = node_of(id).expect("another node has it");
		assert_ne!(honest, cheat);
		assert_ok!(commit(id));
		assert_ok!(verify(id));
		assert_eq!(outcome(id).node, Some(honest));
	});
}

#[test]
fn silence_after_the_commitment_is_no_fraud() {
	// The mock's registry takes the collateral, twice the price, for what is withheld.
	for (failure, conduct, slashed) in [
		(Failure::NotCommitted, Conduct::Silent, 40),
		(Failure::NotRevealed, Conduct::Silent, 40),
		(Failure::AuditUnanswered, Conduct::Withheld, 2_000),
	] {
		TestExt::standard().execute_with(|| {
			let id = committed();
			let deadline = job(id).deadline;
			requests();
			assert_eq!(fail(id, failure, None).map(|slash| slash.total), Ok(slashed));
			assert_eq!(
				requests(),
				vec![Request::Released {
					node: NODE,
					collateral: 2_000,
					conduct,
					reporter: None,
					requester: ALICE,
				}]
			);
			assert_eq!(job(id).deadline, deadline);
		});
	}
}

#[test]
fn fraud_found_after_the_deadline_leaves_time_for_another_attempt() {
	TestExt::standard().node(OTHER, 100).execute_with(|| {
		let id = committed();
		run_to(300);
		assert_ok!(fail(id, Failure::Fraud, None));
		// Assignment in 302, twenty blocks to commit, seven of grace.
		assert_eq!(job(id).deadline, 302 + COMMIT_TIME + 7);
		assert_eq!(job(id).phase, Phase::Queued { next_try: 302 });
		run_to(302);
		assert!(node_of(id).is_some());
	});
}

#[test]
fn fraud_found_early_moves_the_deadline_by_the_grace() {
	TestExt::standard().execute_with(|| {
		let id = committed();
		assert_ok!(fail(id, Failure::Fraud, None));
		assert_eq!(job(id).deadline, 201 + 7);
	});
}

#[test]
fn silence_found_after_the_deadline_ends_the_job() {
	TestExt::standard().node(OTHER, 100).execute_with(|| {
		let id = committed();
		run_to(300);
		System::reset_events();
		assert_ok!(fail(id, Failure::AuditUnanswered, None));
		assert_eq!(Escrow::job_state(id), Some(JobState::Expired));
		assert_eq!(outcome(id).receipt.refunded, 5_000);
		assert_eq!(free(ALICE), 100_000 + 1_000);
		assert!(matches!(
			events()[..],
			[Event::JobAttemptFailed { requeued: false, .. }, Event::JobExpired { .. }]
		));
	});
}

#[test]
fn cheats_do_not_keep_a_job_alive_for_ever() {
	TestExt::standard().node(OTHER, 100).execute_with(|| {
		let id = committed();
		for attempt in 0..3 {
			assert_eq!(job(id).attempt, attempt);
			assert_ok!(fail(id, Failure::Fraud, None));
			run_blocks(2);
			if attempt < 2 {
				assert_ok!(commit(id));
			}
		}
		assert_eq!(Escrow::job_state(id), Some(JobState::Expired));
		// Three slashes of four hundred, half of each to the requester.
		assert_eq!(free(ALICE), 100_000 + 600);
	});
}

#[test]
fn attempts_are_counted_without_overflow() {
	TestExt::standard().node(OTHER, 100).execute_with(|| {
		MaxAttempts::set(u8::MAX);
		let id = committed();
		crate::Jobs::<Test>::mutate(id, |job| {
			job.as_mut().expect("the job is live").attempt = u8::MAX;
		});
		assert_ok!(fail(id, Failure::Fraud, None));
		assert_eq!(Escrow::job_state(id), Some(JobState::Expired));
	});
}

#[test]
fn only_a_committed_job_can_fail() {
	TestExt::standard().execute_with(|| {
		let fraud = |id| fail(id, Failure::Fraud, None);
		assert_noop!(fraud(0), Error::<Test>::UnknownJob);
		let id =
			submit(ALICE, JobRequest { deadline: 500, ..request() }).expect("the request is sound");
		assert_noop!(fraud(id), Error::<Test>::NotCommitted);
		run_blocks(2);
		assert_noop!(fraud(id), Error::<Test>::NotCommitted);
		assert_ok!(commit(id));
		assert_ok!(fraud(id));
		assert_noop!(fraud(id), Error::<Test>::NotCommitted);
	});
}
