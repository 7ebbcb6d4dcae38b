// SPDX-License-Identifier: Apache-2.0

//! The agenda under load: bounded in every block, carried over, in order, nothing lost.

use crate::{mock::*, Agenda, AgendaCursor, AgendaPages, Config, Jobs, Outcomes, Task, WeightInfo};
use frame_support::{assert_ok, traits::Hooks, weights::Weight};
use tensornet_protocol::{JobId, JobRequest, JobState, AGENDA_PAGE};

type Weights = <Test as Config>::WeightInfo;

fn submit_many(count: u64) {
	for _ in 0..count {
		let cheap = JobRequest { max_price: 1_000, ..request() };
		assert_ok!(submit(ALICE, cheap));
	}
}

fn in_state(state: JobState) -> Vec<JobId> {
	(0..crate::NextJobId::<Test>::get())
		.filter(|id| Escrow::job_state(*id) == Some(state))
		.collect()
}

/// Entries of the agenda, those that mean nothing any more among them.
fn entries() -> usize {
	let in_slots: usize = Agenda::<Test>::iter_values().map(|slot| slot.tail.len()).sum();
	in_slots + AgendaPages::<Test>::iter_values().map(|page| page.len()).sum::<usize>()
}

/// Weight for so many tasks of a kind, the other lanes being idle.
fn weight_for(task: Task, count: u64) -> Weight {
	let idle = Weights::agenda_base().saturating_add(Weights::agenda_block()).saturating_mul(3);
	idle.saturating_add(Escrow::step_weight(task).saturating_mul(count))
}

#[test]
fn assignments_beyond_the_limit_are_carried_to_the_next_blocks() {
	TestExt::standard().execute_with(|| {
		submit_many(8);
		for (block, done) in [(2, 0), (3, 3), (4, 6), (5, 8)] {
			run_to(block);
			assert_eq!(in_state(JobState::Assigned).len(), done);
			Escrow::do_try_state().expect("the invariants hold");
		}
	});
}

#[test]
fn older_jobs_are_assigned_before_newer_ones() {
	TestExt::standard().execute_with(|| {
		MaxAssignmentsPerBlock::set(2);
		submit_many(4);
		run_blocks(1);
		submit_many(4);
		run_to(4);
		assert_eq!(in_state(JobState::Assigned), vec![0, 1, 2, 3]);
		run_to(6);
		assert_eq!(in_state(JobState::Assigned).len(), 8);
	});
}

#[test]
fn commit_deadlines_beyond_the_limit_are_carried_over() {
	TestExt::standard().node(OTHER, 100).execute_with(|| {
		MaxAssignmentsPerBlock::set(100);
		submit_many(6);
		run_to(23);
		assert_eq!(in_state(JobState::Assigned).len(), 6);
		run_to(24);
		assert_eq!(in_state(JobState::Queued).len(), 4);
		run_to(25);
		assert_eq!(in_state(JobState::Queued).len(), 6);
	});
}

#[test]
fn a_crowd_of_new_jobs_does_not_hold_up_the_deadlines_of_running_ones() {
	TestExt::standard().execute_with(|| {
		MaxAssignmentsPerBlock::set(1);
		let id = assigned();
		run_to(20);
		submit_many(30);
		run_to(24);
		assert_eq!(Escrow::job_state(id), Some(JobState::Queued));
		assert_eq!(in_state(JobState::Assigned).len(), 3);
	});
}

#[test]
fn a_block_takes_no_more_weight_than_it_may() {
	TestExt::standard().execute_with(|| {
		MaxAssignmentsPerBlock::set(100);
		submit_many(5);
		run_to(2);
		let limit = weight_for(Task::Assign, 2);
		ServiceWeight::set(limit);
		for (block, done) in [(3, 2), (4, 4), (5, 5)] {
			System::set_block_number(block);
			let shared = SharedWeight::get();
			assert!(Escrow::on_initialize(block).all_lte(limit.saturating_add(shared)));
			assert_eq!(in_state(JobState::Assigned).len(), done);
		}
	});
}

#[test]
fn without_weight_nothing_is_done_and_nothing_lost() {
	TestExt::standard().execute_with(|| {
		submit_many(3);
		ServiceWeight::set(Weight::zero());
		run_to(30);
		assert_eq!(in_state(JobState::Queued).len(), 3);
		assert_eq!(entries(), 3);
		ServiceWeight::set(Weight::MAX);
		run_to(31);
		assert_eq!(in_state(JobState::Assigned).len(), 3);
	});
}

#[test]
fn proof_size_counts_as_much_as_time() {
	TestExt::standard().execute_with(|| {
		submit_many(3);
		run_to(2);
		let limit = weight_for(Task::Assign, 1).set_ref_time(u64::MAX);
		ServiceWeight::set(limit);
		run_to(3);
		assert_eq!(in_state(JobState::Assigned).len(), 1);
	});
}

#[test]
fn a_lane_catches_up_after_a_gap_a_bounded_number_of_blocks_at_a_time() {
	TestExt::standard().execute_with(|| {
		submit_many(1);
		let reached = || AgendaCursor::<Test>::get(Task::Forget);
		assert_eq!(reached(), Some(2));
		System::set_block_number(100);
		Escrow::on_initialize(100);
		assert_eq!(reached(), Some(34));
		// Due in block 3: the job was reached in the first step.
		assert_eq!(in_state(JobState::Assigned).len(), 1);
		run_to(103);
		assert_eq!(reached(), Some(104));
	});
}

#[test]
fn an_idle_chain_only_moves_its_cursors() {
	TestExt::standard().execute_with(|| {
		System::set_block_number(2);
		let used = Escrow::on_initialize(2);
		assert_eq!(used, weight_for(Task::Assign, 0).saturating_add(SharedWeight::get()));
		for task in [Task::Assign, Task::CommitDeadline, Task::Forget] {
			assert_eq!(AgendaCursor::<Test>::get(task), Some(3));
		}
	});
}

#[test]
fn a_lane_that_has_never_run_starts_at_the_current_block() {
	TestExt::standard().execute_with(|| {
		let _ = AgendaCursor::<Test>::clear(10, None);
		System::set_block_number(5_000_000);
		Escrow::on_initialize(5_000_000);
		assert_eq!(AgendaCursor::<Test>::get(Task::Assign), Some(5_000_001));
	});
}

#[test]
fn outcomes_beyond_the_limit_are_forgotten_in_later_blocks() {
	TestExt::standard().execute_with(|| {
		submit_many(10);
		for job in 0..10 {
			assert_ok!(dispatch(ALICE, crate::Call::cancel_job { job }));
		}
		for (block, kept) in [(20, 10), (21, 6), (22, 2), (23, 0)] {
			run_to(block);
			assert_eq!(Outcomes::<Test>::iter().count(), kept);
		}
		assert_eq!(entries(), 0);
	});
}

#[test]
fn expiry_of_queued_jobs_is_carried_over_too() {
	TestExt::new().execute_with(|| {
		for _ in 0..7 {
			let short = JobRequest { deadline: 23, max_price: 1_000, ..request() };
			assert_ok!(submit(ALICE, short));
		}
		// The last start is block 3; three jobs are looked at in each block.
		run_to(40);
		assert_eq!(Jobs::<Test>::iter().count(), 0);
		assert_eq!(free(ALICE), 100_000);
	});
}

#[test]
fn an_agenda_entry_that_means_nothing_is_dropped_without_harm_and_costs_little() {
	TestExt::standard().execute_with(|| {
		let id = assigned();
		run_to(20);
		let withdrawn = submitted();
		assert_ok!(dispatch(ALICE, crate::Call::cancel_job { job: withdrawn }));
		// One of a job in another phase, one of a job that is gone, one for another time.
		Escrow::schedule(Task::Assign, 21, id);
		Escrow::schedule(Task::Assign, 21, withdrawn);
		Escrow::schedule(Task::CommitDeadline, 21, id);
		System::set_block_number(21);
		let used = Escrow::on_initialize(21);
		assert_eq!(Escrow::job_state(id), Some(JobState::Assigned));
		let idle = weight_for(Task::Assign, 0).saturating_add(SharedWeight::get());
		let three = Weights::agenda_entry().saturating_mul(3);
		assert_eq!(used, idle.saturating_add(three));
		assert!(three.all_lt(Escrow::step_weight(Task::Assign)));
		// The end of the running attempt, the other two of the withdrawn job.
		assert_eq!(entries(), 3);
	});
}

#[test]
fn a_block_with_more_entries_than_a_page_has_them_all_served() {
	let many = u64::from(AGENDA_PAGE) * 2 + 3;
	TestExt::standard().endow(ALICE, 1_000_000).execute_with(|| {
		MaxAssignmentsPerBlock::set(AGENDA_PAGE + 1);
		submit_many(many);
		assert_eq!(Agenda::<Test>::get((Task::Assign, 3)).pages, 2);
		assert_eq!(entries() as u64, many);
		for (block, left) in [(2, many), (3, many - u64::from(AGENDA_PAGE) - 1), (4, 1), (5, 0)] {
			run_to(block);
			assert_eq!(in_state(JobState::Queued).len() as u64, left);
			Escrow::do_try_state().expect("the invariants hold");
		}
		assert_eq!(
			AgendaPages::<Test>::iter().filter(|((task, ..), _)| *task == Task::Assign).count(),
			0
		);
	});
}

#[test]
fn an_assignment_is_charged_for_the_nodes_that_it_looked_at() {
	let used = |effort| {
		let mut used = Weight::zero();
		TestExt::standard().execute_with(|| {
			Effort::set(effort);
			submit_many(1);
			run_to(2);
			System::set_block_number(3);
			used = Escrow::on_initialize(3);
			assert_eq!(in_state(JobState::Assigned).len(), 1);
		});
		used
	};
	let (one, ten) = (used((1, 1)), used((10, 1)));
	let assign = Weights::assign;
	assert_eq!(ten.saturating_sub(one), assign(10).saturating_sub(assign(1)));
	assert_eq!(used((10, 3)).saturating_sub(ten), Weights::compliance().saturating_mul(2));
	assert!(used((16, 16)).all_lte(weight_for(Task::Assign, 1).saturating_add(SharedWeight::get())));
}
