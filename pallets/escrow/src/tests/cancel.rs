// SPDX-License-Identifier: Apache-2.0

//! Withdrawing a job.

use crate::{mock::*, Agenda, Call, Error, Escrowed, Event, Jobs, Receipt};
use frame_support::{assert_noop, assert_ok};
use sp_runtime::traits::BadOrigin;
use tensornet_protocol::{Failure, JobState};

#[test]
fn a_queued_job_is_withdrawn_and_everything_released() {
	TestExt::standard().execute_with(|| {
		let id = submitted();
		requests();
		System::reset_events();
		assert_ok!(dispatch(ALICE, Call::cancel_job { job: id }));
		assert_eq!(free(ALICE), 100_000);
		assert_eq!((held(ALICE), deposited(ALICE)), (0, 0));
		assert_eq!(Escrowed::<Test>::get(), 0);
		assert!(!Jobs::<Test>::contains_key(id));
		let outcome = outcome(id);
		assert_eq!(outcome.state, JobState::Cancelled);
		assert_eq!(outcome.node, None);
		assert_eq!(outcome.receipt, Receipt { refunded: 5_000, ..Default::default() });
		assert_eq!(Escrow::job_state(id), Some(JobState::Cancelled));
		assert_eq!(requests(), vec![Request::Closed(program())]);
		assert_eq!(
			events(),
			vec![Event::JobCancelled { job: id, requester: ALICE, refunded: 5_000 }]
		);
	});
}

#[test]
fn a_withdrawn_job_is_never_assigned() {
	TestExt::standard().execute_with(|| {
		let id = submitted();
		assert_ok!(dispatch(ALICE, Call::cancel_job { job: id }));
		run_blocks(10);
		assert!(!requests().iter().any(|request| matches!(request, Request::Taken { .. })));
		assert_eq!(Agenda::<Test>::iter().count(), 1);
	});
}

#[test]
fn a_job_queued_again_can_be_withdrawn() {
	TestExt::standard().execute_with(|| {
		let id = committed();
		assert_ok!(fail(id, Failure::NotRevealed, None));
		assert_ok!(dispatch(ALICE, Call::cancel_job { job: id }));
		assert_eq!(held(ALICE), 0);
	});
}

#[test]
fn an_unknown_or_ended_job_is_refused() {
	TestExt::standard().execute_with(|| {
		let cancel = |job| dispatch(ALICE, Call::cancel_job { job });
		assert_noop!(cancel(0), Error::<Test>::UnknownJob);
		let id = submitted();
		assert_ok!(cancel(id));
		assert_noop!(cancel(id), Error::<Test>::UnknownJob);
	});
}

#[test]
fn only_the_requester_may_withdraw() {
	TestExt::standard().execute_with(|| {
		let id = submitted();
		assert_noop!(dispatch(BOB, Call::cancel_job { job: id }), Error::<Test>::NotRequester);
		assert_noop!(Escrow::cancel_job(RuntimeOrigin::root(), id), BadOrigin);
		assert_noop!(Escrow::cancel_job(RuntimeOrigin::none(), id), BadOrigin);
	});
}

#[test]
fn a_job_that_a_node_has_cannot_be_withdrawn() {
	TestExt::standard().execute_with(|| {
		let id = assigned();
		let cancel = || dispatch(ALICE, Call::cancel_job { job: id });
		assert_noop!(cancel(), Error::<Test>::NotQueued);
		assert_ok!(commit(id));
		assert_noop!(cancel(), Error::<Test>::NotQueued);
	});
}
