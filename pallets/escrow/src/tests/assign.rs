// SPDX-License-Identifier: Apache-2.0

//! Drawing a node.

use crate::{max_ask, mock::*, Error, Event, Phase};
use frame_support::{assert_noop, assert_ok};
use sp_runtime::Permill;
use tensornet_protocol::{
	price_of, Assignment, Conduct, JobRequest, JobState, Jobs as JobsTrait, Requirements,
};

#[test]
fn a_node_is_drawn_in_a_later_block_and_its_price_fixed() {
	TestExt::new().node(NODE, 150).execute_with(|| {
		let id = submitted();
		requests();
		System::reset_events();
		run_blocks(1);
		assert_eq!(node_of(id), None);
		assert_eq!(Picks::get(), vec![]);
		run_blocks(1);
		assert_eq!(
			<Escrow as JobsTrait>::assignment(id),
			Some(Assignment {
				requester: ALICE,
				node: NODE,
				program: program(),
				blobs: request().blobs,
				iterations: 10,
				commit_by: 3 + COMMIT_TIME,
				attempt: 0,
			})
		);
		assert_eq!(Escrow::job_state(id), Some(JobState::Assigned));
		assert_eq!(requests(), vec![Request::Taken { node: NODE, collateral: 3_000 }]);
		assert_eq!(
			events(),
			vec![Event::JobAssigned {
				job: id,
				node: NODE,
				requester: ALICE,
				price: 1_500,
				commit_by: 23,
				attempt: 0,
			}]
		);
	});
}

#[test]
fn assignment_never_happens_in_the_block_of_submission() {
	TestExt::standard().execute_with(|| {
		AssignDelay::set(0);
		let id = submitted();
		assert_eq!(job(id).phase, Phase::Queued { next_try: 2 });
	});
}

#[test]
fn draws_for_different_jobs_and_attempts_use_different_subjects() {
	TestExt::standard().node(OTHER, 100).execute_with(|| {
		submitted();
		submitted();
		run_blocks(2);
		// Nobody commits: both jobs are drawn for again.
		run_blocks(COMMIT_TIME + 1 + AssignDelay::get());
		let mut subjects = Subjects::get();
		assert_eq!(subjects.len(), 4);
		subjects.sort();
		subjects.dedup();
		assert_eq!(subjects.len(), 4);
	});
}

#[test]
fn the_registry_is_told_what_the_job_needs() {
	TestExt::standard().execute_with(|| {
		submit(ALICE, JobRequest { compliance_level: 2, max_price: 5_009, ..request() })
			.expect("the request is sound");
		run_blocks(2);
		let requirements =
			Requirements { memory_mib: 64, max_ask: 500, compliance_level: 2, collateral: 10_018 };
		assert_eq!(Picks::get(), vec![(requirements, None)]);
	});
}

#[test]
fn without_an_eligible_node_a_job_is_tried_again_until_there_is_one() {
	TestExt::new().node(NODE, 501).execute_with(|| {
		let id = submitted();
		run_to(3);
		assert_eq!(job(id).phase, Phase::Queued { next_try: 7 });
		run_to(7);
		assert_eq!(job(id).phase, Phase::Queued { next_try: 11 });
		add_node(OTHER, 500);
		run_to(10);
		assert_eq!(node_of(id), None);
		run_to(11);
		assert_eq!(node_of(id), Some(OTHER));
		assert_eq!(Picks::get().len(), 3);
		assert_eq!(job(id).attempt, 0);
	});
}

#[test]
fn a_node_that_asks_below_the_floor_is_paid_the_floor() {
	TestExt::new().node(NODE, 1).execute_with(|| {
		let id = assigned();
		assert_eq!(job(id).phase.attempt().map(|attempt| attempt.price), Some(1_000));
	});
}

#[test]
fn a_floor_raised_meanwhile_takes_no_more_than_the_requester_agreed_to() {
	TestExt::standard().execute_with(|| {
		let id = submitted();
		FloorAsk::set(1_000_000);
		run_blocks(2);
		assert_eq!(job(id).phase.attempt().map(|attempt| attempt.price), Some(5_000));
	});
}

#[test]
fn a_node_may_commit_in_the_last_block_but_not_later() {
	TestExt::standard().execute_with(|| {
		let id = assigned();
		run_to(23);
		assert_ok!(commit(id));
		assert_eq!(Escrow::job_state(id), Some(JobState::Committed));
	});
	TestExt::standard().execute_with(|| {
		let id = assigned();
		// The agenda has not come to this job yet, as under overload.
		System::set_block_number(24);
		assert_noop!(commit(id), Error::<Test>::CommitTooLate);
	});
}

#[test]
fn a_commitment_is_announced_with_both_parties() {
	TestExt::standard().execute_with(|| {
		let id = assigned();
		System::reset_events();
		assert_ok!(commit(id));
		assert_eq!(events(), vec![Event::JobCommitted { job: id, node: NODE, requester: ALICE }]);
		assert_eq!(node_of(id), Some(NODE));
	});
}

#[test]
fn only_an_assigned_job_can_be_committed_to() {
	TestExt::standard().execute_with(|| {
		assert_noop!(commit(0), Error::<Test>::UnknownJob);
		let id = submitted();
		assert_eq!(<Escrow as JobsTrait>::assignment(id), None);
		assert_noop!(commit(id), Error::<Test>::NotAssigned);
		run_blocks(2);
		assert_ok!(commit(id));
		assert_noop!(commit(id), Error::<Test>::NotAssigned);
		assert_ok!(verify(id));
		assert_noop!(commit(id), Error::<Test>::UnknownJob);
		assert_eq!(<Escrow as JobsTrait>::assignment(id), None);
	});
}

#[test]
fn max_ask_is_the_largest_ask_within_the_price() {
	let works = [1, 2, 3, 999_999_999, 1_000_000_000, 1_000_000_001, u64::MAX as u128, 1 << 95];
	let prices = [0, 1, 7, 1_000, 10_u128.pow(20), u128::MAX / 3, u128::MAX];
	for macs in works {
		for price in prices {
			let ask = max_ask(macs, price);
			assert!(
				price_of::<u128>(macs, ask).is_some_and(|at| at <= price),
				"{macs} MACs at {ask} exceed {price}"
			);
			let above = ask.checked_add(1).and_then(|ask| price_of::<u128>(macs, ask));
			assert!(
				above.is_none_or(|at| at > price),
				"{macs} MACs at {ask} + 1 still fit {price}"
			);
		}
	}
}

#[test]
fn any_ask_is_within_the_price_of_no_work() {
	assert_eq!(max_ask(0, 0), u128::MAX);
	assert_eq!(max_ask(0, 5), u128::MAX);
}

#[test]
fn a_node_stakes_the_price_divided_by_the_audit_probability() {
	for (percent, collateral) in [(100, 1_000), (50, 2_000), (30, 3_334), (1, 100_000)] {
		TestExt::standard().execute_with(|| {
			AuditProbability::set(Permill::from_percent(percent));
			let id = assigned();
			assert_eq!(job(id).phase.attempt().map(|attempt| attempt.price), Some(1_000));
			assert!(requests().contains(&Request::Taken { node: NODE, collateral }));
		});
	}
}

#[test]
fn without_audits_a_node_stakes_the_price() {
	TestExt::standard().execute_with(|| {
		AuditProbability::set(Permill::zero());
		let id = assigned();
		let attempt = job(id).phase.attempt().cloned().expect("a node has it");
		assert_eq!(attempt.collateral, attempt.price);
	});
}

#[test]
fn a_job_goes_to_no_node_whose_bond_does_not_cover_it() {
	TestExt::standard().execute_with(|| {
		KnownNodes::mutate(|all| all.get_mut(&NODE).expect("it is known").bond = 9_999);
		let id = submitted();
		run_blocks(2);
		assert_eq!(node_of(id), None);
		KnownNodes::mutate(|all| all.get_mut(&NODE).expect("it is known").bond = 10_000);
		run_blocks(RetryPeriod::get());
		assert_eq!(node_of(id), Some(NODE));
	});
}

#[test]
fn a_change_of_the_audit_probability_leaves_the_collateral_of_running_jobs() {
	TestExt::standard().execute_with(|| {
		let id = committed();
		AuditProbability::set(Permill::from_percent(10));
		requests();
		assert_ok!(verify(id));
		assert!(requests().iter().any(|request| matches!(
			request,
			Request::Released { collateral: 2_000, conduct: Conduct::Completed, .. }
		)));
	});
}

#[test]
fn withholding_a_lie_loses_on_average_at_every_audit_probability() {
	TestExt::standard().execute_with(|| {
		for parts in (1..=1_000_000_u128).step_by(997).chain([1, 2, 999_999, 1_000_000]) {
			AuditProbability::set(Permill::from_parts(parts as u32));
			for price in [1, 7, 100, 12_345, 1_000_000_007] {
				let collateral = Escrow::collateral(price);
				// In units of a millionth: earned where no audit comes, lost where one does.
				let earned = (1_000_000 - parts) * price;
				let lost = parts * collateral;
				assert!(earned < lost, "{price} at {parts} parts per million");
			}
		}
	});
}
