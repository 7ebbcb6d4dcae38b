// SPDX-License-Identifier: Apache-2.0

//! Every invariant check fires when the state is broken on purpose.

use crate::{
	mock::*, Agenda, AgendaCursor, AgendaPages, Escrowed, HoldReason, Jobs, NextJobId, Outcomes,
	Phase, Task,
};
use frame_support::{
	assert_ok,
	traits::{fungible::MutateHold, tokens::Precision},
};
use sp_runtime::TryRuntimeError;
use tensornet_protocol::{AgendaPage, AgendaSlot, JobState};

/// A chain with job 0 committed, 1 assigned, 2 queued and 3 settled; broken by `corrupt`.
fn fires(message: &'static str, corrupt: impl FnOnce()) {
	TestExt::standard().execute_unchecked(|| {
		MaxAssignmentsPerBlock::set(100);
		let committed = submitted();
		submitted();
		let settled = submitted();
		run_blocks(2);
		assert_ok!(commit(committed));
		assert_ok!(commit(settled));
		assert_ok!(verify(settled));
		submitted();
		Escrow::do_try_state().expect("the state is sound before it is broken");
		corrupt();
		assert_eq!(Escrow::do_try_state(), Err(TryRuntimeError::Other(message)));
	});
}

const COMMITTED: u64 = 0;
const ASSIGNED: u64 = 1;
const SETTLED: u64 = 2;
const QUEUED: u64 = 3;

fn change(id: u64, change: impl FnOnce(&mut crate::JobOf<Test>)) {
	Jobs::<Test>::mutate(id, |job| change(job.as_mut().expect("the job is live")));
}

fn change_outcome(change: impl FnOnce(&mut crate::OutcomeOf<Test>)) {
	Outcomes::<Test>::mutate(SETTLED, |outcome| change(outcome.as_mut().expect("it has ended")));
}

#[test]
fn a_live_job_with_a_future_number() {
	fires("a live job's number has not been given out", || NextJobId::<Test>::put(QUEUED));
}

#[test]
fn an_ended_job_with_a_future_number() {
	fires("an ended job's number has not been given out", || {
		let outcome = outcome(SETTLED);
		Outcomes::<Test>::insert(1_000, outcome);
	});
}

#[test]
fn a_job_both_live_and_ended() {
	fires("a live job has an outcome", || {
		Outcomes::<Test>::insert(QUEUED, outcome(SETTLED));
	});
}

#[test]
fn a_price_above_the_hold() {
	fires("a price exceeds the hold", || {
		change(COMMITTED, |job| {
			if let Phase::Committed(attempt) = &mut job.phase {
				attempt.price = 5_001;
			}
		});
	});
}

#[test]
fn an_outcome_that_is_no_end() {
	fires("an outcome is not terminal", || {
		change_outcome(|outcome| outcome.state = JobState::Committed);
	});
}

#[test]
fn a_settled_job_without_a_node() {
	let message = "an outcome names a node without being settled, or is settled without one";
	fires(message, || change_outcome(|outcome| outcome.node = None));
	fires(message, || change_outcome(|outcome| outcome.state = JobState::Expired));
}

#[test]
fn money_that_went_nowhere() {
	fires("an outcome does not account for everything held", || {
		change_outcome(|outcome| outcome.receipt.burned -= 1);
	});
}

#[test]
fn a_total_that_is_not_the_sum() {
	fires("the total is not the sum over live jobs", || {
		Escrowed::<Test>::mutate(|total| *total += 1);
	});
}

#[test]
fn a_record_without_its_hold() {
	fires("a requester's hold is not what its live jobs may cost", || {
		assert_ok!(Balances::release(&HoldReason::Job.into(), &ALICE, 1, Precision::Exact));
	});
}

#[test]
fn a_hold_without_a_record() {
	fires("a requester's hold is not what its live jobs may cost", || {
		assert_ok!(Balances::hold(&HoldReason::Job.into(), &ALICE, 1));
	});
}

#[test]
fn a_hold_left_behind_by_an_ended_job() {
	fires("a requester's hold is not what its live jobs may cost", || {
		change_outcome(|outcome| outcome.requester = NODE);
		assert_ok!(Balances::hold(&HoldReason::Job.into(), &NODE, 1));
	});
}

#[test]
fn a_deposit_without_its_hold() {
	let message = "a requester's deposit hold is not the sum of its jobs' deposits";
	fires(message, || {
		assert_ok!(Balances::release(&HoldReason::Deposit.into(), &ALICE, 1, Precision::Exact));
	});
	fires(message, || {
		assert_ok!(Balances::hold(&HoldReason::Deposit.into(), &ALICE, 1));
	});
}

#[test]
fn a_job_without_an_agenda_entry() {
	let message = "a live job is not on the agenda";
	fires(message, || Agenda::<Test>::remove((Task::Assign, 5)));
	fires(message, || {
		Agenda::<Test>::mutate((Task::CommitDeadline, 24), |slot| {
			slot.tail.retain(|id| *id != ASSIGNED)
		});
	});
}

#[test]
fn an_agenda_entry_of_a_job_that_never_was() {
	fires("the agenda names a job whose number has not been given out", || {
		Escrow::schedule(Task::Assign, 6, QUEUED + 1);
	});
}

#[test]
fn an_empty_slot_of_the_agenda() {
	fires("an empty slot of the agenda is kept", || {
		Agenda::<Test>::insert((Task::Assign, 6), AgendaSlot::default());
	});
}

#[test]
fn pages_of_the_agenda_that_are_not_full_or_nobodys() {
	fires("a page of the agenda is not full", || {
		Agenda::<Test>::mutate((Task::Assign, 5), |slot| slot.pages = 1);
	});
	fires("a page of the agenda belongs to no slot", || {
		AgendaPages::<Test>::insert((Task::Assign, 5, 0), AgendaPage::truncate_from(vec![QUEUED]));
	});
}

#[test]
fn an_agenda_entry_behind_the_cursor() {
	fires("an agenda entry lies behind the cursor", || {
		AgendaCursor::<Test>::insert(Task::Assign, 6);
	});
}

#[test]
fn an_outcome_that_stays_for_ever() {
	fires("an outcome is never forgotten", || Agenda::<Test>::remove((Task::Forget, 23)));
}

#[test]
fn an_outcome_forgotten_twice() {
	fires("an outcome is to be forgotten twice", || {
		Escrow::schedule(Task::Forget, 24, SETTLED);
	});
}

#[test]
fn a_live_job_to_be_forgotten() {
	fires("an agenda entry forgets a job not ended", || {
		Escrow::schedule(Task::Forget, 24, QUEUED);
	});
}
