// SPDX-License-Identifier: Apache-2.0

//! What happens by itself.

use super::compute::*;
use crate::{mock::*, *};
use frame_support::{assert_ok, weights::Weight};
use frame_system::limits::BlockWeights;
use sp_runtime::DispatchError;
use tensornet_protocol::{Failure, Slash, AGENDA_PAGE};

const JOB: u64 = 3;

#[test]
fn an_honest_job_settles_when_the_challenge_window_ends() {
	TestExt::new().execute_with(|| {
		let network = Compute::network(0);
		network.revealed(JOB, &network.trace);
		Ledger::outcomes();
		run_to(CHALLENGE_WINDOW);
		assert_eq!(Ledger::outcomes(), vec![]);
		events();
		run_to(1 + CHALLENGE_WINDOW);
		assert_eq!(Ledger::outcomes(), vec![Outcome::Verified(JOB)]);
		assert_eq!(
			events(),
			vec![Event::Verified {
				job: JOB,
				node: account(NODE),
				requester: account(REQUESTER),
				trace_root: trace_root(&network.trace),
				audited: false,
			}]
		);
		let (outputs, _) = network.outputs(&network.trace);
		assert_eq!(
			Results::<Test>::get(JOB),
			Some(JobResult {
				node: account(NODE),
				program: network.id(),
				trace_root: trace_root(&network.trace),
				outputs,
				audited: false,
				verdict: Verdict::Verified,
				ended_at: 1 + CHALLENGE_WINDOW,
				due: 1 + CHALLENGE_WINDOW + RETENTION,
			})
		);
		assert_eq!(Programs::<Test>::get(network.id()).unwrap().live_jobs, 0);
	});
}

#[test]
fn a_result_is_forgotten_when_it_was_kept_long_enough() {
	TestExt::new().execute_with(|| {
		let network = Compute::network(0);
		network.revealed(JOB, &network.trace);
		run_to(1 + CHALLENGE_WINDOW + RETENTION - 1);
		assert!(Results::<Test>::contains_key(JOB));
		next_block();
		assert!(!Results::<Test>::contains_key(JOB));
		assert_eq!(Agenda::<Test>::iter().count(), 0);
	});
}

#[test]
fn a_commitment_that_is_not_revealed_fails_without_a_result() {
	TestExt::new().execute_with(|| {
		let network = Compute::network(0);
		network.register();
		network.assign(JOB);
		network.commit(JOB, &network.trace);
		Ledger::outcomes();
		run_to(1 + REVEAL_WINDOW);
		assert_eq!(Ledger::outcomes(), vec![]);
		events();
		next_block();
		assert_eq!(Ledger::outcomes(), vec![Outcome::Failed(JOB, Failure::NotRevealed, None)]);
		assert_eq!(
			events(),
			vec![Event::AttemptFailed {
				job: JOB,
				node: account(NODE),
				requester: account(REQUESTER),
				failure: Failure::NotRevealed,
				slash: Slash { total: 100, burned: 70, to_reporter: 0, to_requester: 30 },
			}]
		);
		assert_eq!(Commitments::<Test>::get(JOB), None);
		assert_eq!(Results::<Test>::get(JOB), None);
		assert_eq!(Agenda::<Test>::iter().count(), 0);
	});
}

#[test]
fn a_reveal_in_the_last_block_is_in_time() {
	TestExt::new().execute_with(|| {
		let network = Compute::network(0);
		network.register();
		network.assign(JOB);
		network.commit(JOB, &network.trace);
		run_to(1 + REVEAL_WINDOW);
		network.reveal(JOB, &network.trace);
		next_block();
		assert!(Commitments::<Test>::contains_key(JOB));
	});
}

#[test]
fn what_does_not_fit_a_block_runs_in_the_next_one() {
	TestExt::new().execute_with(|| {
		let network = Compute::network(0);
		for job in 0..5 {
			network.revealed(job, &network.trace);
		}
		run_to(CHALLENGE_WINDOW);
		Ledger::outcomes();
		// One step to get to the block, and two tasks with theirs.
		let task = Poc::heaviest_step();
		AgendaWeight::set(task.saturating_mul(2));
		let mut settled = Vec::new();
		for _ in 0..5 {
			next_block();
			let outcomes = Ledger::outcomes();
			assert!(outcomes.len() <= 2, "{outcomes:?}");
			settled.extend(outcomes);
			assert_ok!(Poc::do_try_state());
		}
		settled.sort_by_key(|outcome| format!("{outcome:?}"));
		assert_eq!(settled, (0..5).map(Outcome::Verified).collect::<Vec<_>>());
		assert_eq!(NextDue::<Test>::get(), Some(System::block_number() + 1));
	});
}

#[test]
fn uses_no_more_than_its_weight() {
	TestExt::new().execute_with(|| {
		let network = Compute::network(0);
		for job in 0..5 {
			network.revealed(job, &network.trace);
		}
		run_to(CHALLENGE_WINDOW);
		let limit = Poc::heaviest_step().saturating_mul(3);
		AgendaWeight::set(limit);
		Poc::mix_beacon(CHALLENGE_WINDOW);
		System::set_block_number(1 + CHALLENGE_WINDOW);
		let used = Poc::run_agenda(1 + CHALLENGE_WINDOW);
		assert!(used.all_lte(limit));
		assert!(used.ref_time() > 0);
	});
}

#[test]
fn a_task_that_means_nothing_any_more_costs_little_and_changes_nothing() {
	TestExt::new().execute_with(|| {
		let network = Compute::network(0);
		network.revealed(JOB, &network.trace);
		run_to(REVEAL_WINDOW);
		let commitment = Commitments::<Test>::get(JOB);
		// Of a task that the job is past, of one that is not due yet, and of nobody's.
		let now = 3 + REVEAL_WINDOW;
		Poc::schedule(now, JOB, Task::Draw);
		Poc::schedule(now, JOB, Task::Settle);
		Poc::schedule(now, 77, Task::Settle);
		run_to(now - 1);
		Ledger::outcomes();
		Poc::mix_beacon(now - 1);
		System::set_block_number(now);
		type Weights = <Test as Config>::WeightInfo;
		let used = Poc::run_agenda(now);
		assert_eq!(
			used,
			Weights::agenda_step().saturating_add(Weights::task_stale().saturating_mul(3))
		);
		assert!(Weights::task_stale().ref_time() < Weights::task_settle().ref_time());
		assert_eq!(Commitments::<Test>::get(JOB), commitment);
		assert_eq!(Ledger::outcomes(), vec![]);
	});
}

#[test]
fn an_old_deadline_does_not_reach_a_later_attempt_at_the_job() {
	TestExt::new().execute_with(|| {
		let network = Compute::network(0);
		network.register();
		network.assign(JOB);
		network.commit(JOB, &network.trace);
		run_to(2 + REVEAL_WINDOW);
		assert_eq!(Commitments::<Test>::get(JOB), None);
		Ledger::outcomes();
		// The next attempt commits before an entry of the first one would have been due.
		Poc::schedule(4 + REVEAL_WINDOW, JOB, Task::RevealBy);
		network.assign(JOB);
		network.commit(JOB, &network.trace);
		Ledger::outcomes();
		run_to(5 + REVEAL_WINDOW);
		assert!(Commitments::<Test>::contains_key(JOB));
		assert_eq!(Ledger::outcomes(), vec![]);
	});
}

#[test]
fn a_block_with_more_tasks_than_a_page_has_them_all_run() {
	TestExt::new().execute_with(|| {
		let many = u64::from(AGENDA_PAGE) * 2 + 3;
		for job in 0..many {
			Poc::schedule(5, 1_000 + job, Task::Settle);
		}
		assert_eq!(Agenda::<Test>::get(5).pages, 2);
		assert_ok!(Poc::do_try_state());
		type Weights = <Test as Config>::WeightInfo;
		let room = Weights::task_settle();
		let stale = Weights::task_stale().saturating_mul(u64::from(AGENDA_PAGE) + 5);
		AgendaWeight::set(Weights::agenda_step().saturating_add(room).saturating_add(stale));
		run_to(5);
		assert!(!Agenda::<Test>::get(5).is_empty());
		assert_ok!(Poc::do_try_state());
		AgendaWeight::set(Weight::MAX);
		next_block();
		assert_eq!((Agenda::<Test>::iter().count(), AgendaPages::<Test>::iter().count()), (0, 0));
	});
}

#[test]
fn without_weight_nothing_runs_and_nothing_is_lost() {
	TestExt::new().execute_with(|| {
		let network = Compute::network(0);
		network.revealed(JOB, &network.trace);
		AgendaWeight::set(Weight::zero());
		run_to(100);
		assert!(Commitments::<Test>::contains_key(JOB));
		AgendaWeight::set(Weight::MAX);
		// First the draw, then, in the block after it, the settlement.
		next_block();
		assert!(Commitments::<Test>::contains_key(JOB));
		next_block();
		assert_eq!(Results::<Test>::get(JOB).unwrap().verdict, Verdict::Verified);
	});
}

#[test]
fn a_verdict_that_the_ledger_refuses_is_tried_again() {
	TestExt::new().execute_with(|| {
		let network = Compute::network(0);
		network.revealed(JOB, &network.trace);
		Ledger::outcomes();
		run_to(CHALLENGE_WINDOW);
		events();
		Ledger::refuse(true);
		next_block();
		let again_at = 1 + CHALLENGE_WINDOW + 10;
		assert_eq!(
			events(),
			vec![Event::VerdictDeferred { job: JOB, error: DispatchError::Other(""), again_at }]
		);
		assert!(Commitments::<Test>::contains_key(JOB));
		assert_eq!(Results::<Test>::get(JOB), None);
		Ledger::refuse(false);
		run_to(again_at);
		assert_eq!(Ledger::outcomes(), vec![Outcome::Verified(JOB)]);
	});
}

#[test]
fn a_commitment_whose_job_is_gone_is_dropped() {
	TestExt::new().execute_with(|| {
		let network = Compute::network(0);
		network.revealed(JOB, &network.trace);
		run_to(CHALLENGE_WINDOW);
		events();
		Ledger::refuse(true);
		// The job went to another node behind our back.
		Ledger::assign(JOB, account(OTHER_NODE), network.id(), network.roots(), 1, 1);
		next_block();
		assert_eq!(events(), vec![Event::CommitmentDropped { job: JOB, node: account(NODE) }]);
		assert_eq!(Commitments::<Test>::get(JOB), None);
		assert_eq!(Agenda::<Test>::iter().count(), 0);
	});
}

#[test]
fn the_configuration_of_the_mock_holds_together() {
	TestExt::new().execute_with(|| {
		let block: BlockWeights = <Test as frame_system::Config>::BlockWeights::get();
		AgendaWeight::set(block.max_block);
		Poc::check_config();
	});
}

#[test]
#[should_panic(expected = "heaviest task")]
fn an_agenda_too_small_for_any_task_is_noticed() {
	TestExt::new().execute_with(|| {
		AgendaWeight::set(Weight::from_parts(1, 1));
		Poc::check_config();
	});
}
