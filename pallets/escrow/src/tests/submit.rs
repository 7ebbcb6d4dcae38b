// SPDX-License-Identifier: Apache-2.0

//! Posting a job.

use crate::{mock::*, Call, Error, Escrowed, Event, Jobs, NextJobId, Phase};
use codec::Encode;
use frame_support::{assert_noop, assert_ok};
use sp_runtime::{traits::BadOrigin, TokenError};
use tensornet_protocol::{Hash, JobRequest, JobState, MAX_BLOBS, MAX_HINT};

/// A call that posts a job.
fn call(request: JobRequest<Balance, u64>) -> Call<Test> {
	Call::submit_job { request }
}

#[test]
fn a_job_is_queued_with_its_price_and_deposit_on_hold() {
	TestExt::standard().execute_with(|| {
		System::reset_events();
		assert_ok!(dispatch(ALICE, call(request())));
		let job = job(0);
		assert_eq!(job.requester, ALICE);
		assert_eq!(job.macs, 10_000_000_000);
		assert_eq!(job.memory_mib, 64);
		assert_eq!(job.attempt, 0);
		assert_eq!(job.excluded, None);
		assert_eq!(job.submitted_at, 1);
		assert_eq!(job.phase, Phase::Queued { next_try: 3 });
		assert_eq!(job.deposit, 20 + job.encoded_size() as Balance);
		assert_eq!(held(ALICE), 5_000);
		assert_eq!(deposited(ALICE), job.deposit);
		assert_eq!(free(ALICE), 100_000 - 5_000 - job.deposit);
		assert_eq!(Escrowed::<Test>::get(), 5_000);
		assert_eq!(Escrow::job_state(0), Some(JobState::Queued));
		assert_eq!(requests(), vec![Request::Opened(program())]);
		assert_eq!(
			events(),
			vec![Event::JobSubmitted {
				job: 0,
				requester: ALICE,
				program: program(),
				iterations: 10,
				max_price: 5_000,
				deposit: job.deposit,
				deadline: 201,
			}]
		);
	});
}

#[test]
fn jobs_are_numbered_in_order_and_their_holds_add_up() {
	TestExt::standard().endow(BOB, 50_000).execute_with(|| {
		assert_eq!(submit(ALICE, request()), Ok(0));
		assert_eq!(submit(BOB, request()), Ok(1));
		assert_eq!(submit(ALICE, request()), Ok(2));
		assert_eq!(held(ALICE), 10_000);
		assert_eq!(held(BOB), 5_000);
		assert_eq!(Escrowed::<Test>::get(), 15_000);
	});
}

#[test]
fn the_deposit_grows_with_the_record() {
	TestExt::standard().execute_with(|| {
		let small = job(submitted()).deposit;
		let hint = vec![b'x'; MAX_HINT as usize].try_into().expect("the longest hint fits");
		let id = submit(ALICE, JobRequest { hint, ..request() }).expect("the request is sound");
		assert!(job(id).deposit > small + 200);
	});
}

#[test]
fn only_a_signed_origin_may_post() {
	TestExt::standard().execute_with(|| {
		assert_noop!(Escrow::submit_job(RuntimeOrigin::root(), request()), BadOrigin);
		assert_noop!(Escrow::submit_job(RuntimeOrigin::none(), request()), BadOrigin);
	});
}

#[test]
fn an_unregistered_program_is_refused() {
	TestExt::standard().execute_with(|| {
		let bad = JobRequest { program: program_root(9), ..request() };
		assert_noop!(dispatch(ALICE, call(bad)), Error::<Test>::UnknownProgram);
	});
}

#[test]
fn iterations_must_be_between_one_and_the_programs_limit() {
	TestExt::standard().execute_with(|| {
		MaxLifetime::set(10_000);
		let of = |iterations| JobRequest {
			iterations,
			max_price: 100_000,
			deadline: 5_000,
			..request()
		};
		assert_noop!(dispatch(ALICE, call(of(0))), Error::<Test>::BadIterations);
		assert_noop!(dispatch(ALICE, call(of(1_001))), Error::<Test>::BadIterations);
		assert_noop!(dispatch(ALICE, call(of(u32::MAX))), Error::<Test>::BadIterations);
		assert_ok!(dispatch(ALICE, call(JobRequest { max_price: 100, ..of(1) })));
	});
	TestExt::standard().endow(ALICE, 200_000).execute_with(|| {
		MaxLifetime::set(10_000);
		let most =
			JobRequest { iterations: 1_000, max_price: 100_000, deadline: 5_000, ..request() };
		assert_ok!(dispatch(ALICE, call(most)));
	});
}

#[test]
fn one_blob_is_named_for_each_input_and_state() {
	TestExt::standard().execute_with(|| {
		let with = |count: u32| JobRequest {
			blobs: vec![Hash::zero(); count as usize].try_into().expect("few enough"),
			..request()
		};
		assert_noop!(dispatch(ALICE, call(with(0))), Error::<Test>::WrongBlobCount);
		assert_noop!(dispatch(ALICE, call(with(2))), Error::<Test>::WrongBlobCount);
		assert_noop!(dispatch(ALICE, call(with(MAX_BLOBS))), Error::<Test>::WrongBlobCount);
		assert_ok!(dispatch(ALICE, call(with(1))));
	});
}

#[test]
fn the_deadline_must_leave_a_node_its_full_time() {
	TestExt::standard().execute_with(|| {
		// Two blocks until assignment, twenty to commit.
		let by = |deadline| JobRequest { deadline, ..request() };
		assert_noop!(dispatch(ALICE, call(by(0))), Error::<Test>::DeadlineTooSoon);
		assert_noop!(dispatch(ALICE, call(by(22))), Error::<Test>::DeadlineTooSoon);
		assert_ok!(dispatch(ALICE, call(by(23))));
		run_blocks(2);
		assert_eq!(node_of(0), Some(NODE));
	});
}

#[test]
fn the_deadline_must_be_at_least_the_least_lifetime_away() {
	TestExt::standard().execute_with(|| {
		MinLifetime::set(50);
		let by = |deadline| JobRequest { deadline, ..request() };
		assert_noop!(dispatch(ALICE, call(by(50))), Error::<Test>::DeadlineTooSoon);
		assert_ok!(dispatch(ALICE, call(by(51))));
	});
}

#[test]
fn the_deadline_must_be_at_most_the_longest_lifetime_away() {
	TestExt::standard().execute_with(|| {
		let by = |deadline| JobRequest { deadline, ..request() };
		assert_noop!(dispatch(ALICE, call(by(1_002))), Error::<Test>::DeadlineTooLate);
		assert_noop!(dispatch(ALICE, call(by(u64::MAX))), Error::<Test>::DeadlineTooLate);
		assert_ok!(dispatch(ALICE, call(by(1_001))));
	});
}

#[test]
fn the_price_must_reach_the_floor_for_the_work() {
	TestExt::standard().execute_with(|| {
		let of = |max_price| JobRequest { max_price, ..request() };
		assert_eq!(Escrow::estimate(program(), 10), Some(1_000));
		assert_noop!(dispatch(ALICE, call(of(0))), Error::<Test>::PriceTooLow);
		assert_noop!(dispatch(ALICE, call(of(999))), Error::<Test>::PriceTooLow);
		assert_ok!(dispatch(ALICE, call(of(1_000))));
	});
}

#[test]
fn the_smallest_job_costs_the_least_job_price() {
	TestExt::standard().execute_with(|| {
		add_program(program_root(2), facts(0, 1));
		let of = |max_price| JobRequest { program: program_root(2), max_price, ..request() };
		assert_eq!(Escrow::estimate(program_root(2), 1), Some(100));
		assert_noop!(dispatch(ALICE, call(of(99))), Error::<Test>::PriceTooLow);
		assert_ok!(dispatch(ALICE, call(of(100))));
	});
}

#[test]
fn work_whose_floor_price_does_not_fit_a_balance_is_refused() {
	TestExt::standard().execute_with(|| {
		FloorAsk::set(Balance::MAX);
		MacsPerBlock::set(u64::MAX);
		let dear = JobRequest { max_price: Balance::MAX, ..request() };
		assert_noop!(dispatch(ALICE, call(dear)), Error::<Test>::PriceOverflow);
		assert_eq!(Escrow::estimate(program(), 10), None);
	});
}

#[test]
fn the_requester_must_own_price_and_deposit_and_stay_alive() {
	TestExt::standard().execute_with(|| {
		let more = JobRequest { max_price: 100_001, ..request() };
		assert_noop!(dispatch(ALICE, call(more)), TokenError::FundsUnavailable);
	});
	let deposit = 20 + {
		let mut size = 0;
		TestExt::standard().execute_with(|| size = job(submitted()).encoded_size() as Balance);
		size
	};
	// One below what is needed with the existential deposit, exactly that, one above.
	for (spare, works) in [(ED - 1, false), (ED, true), (ED + 1, true)] {
		TestExt::standard().endow(ALICE, 5_000 + deposit + spare).execute_with(|| {
			if works {
				assert_ok!(dispatch(ALICE, call(request())));
				assert_eq!(free(ALICE), spare);
			} else {
				assert_noop!(dispatch(ALICE, call(request())), TokenError::FundsUnavailable);
			}
		});
	}
}

#[test]
fn an_account_that_does_not_exist_cannot_post() {
	TestExt::standard().execute_with(|| {
		assert_noop!(dispatch(777, call(request())), TokenError::FundsUnavailable);
	});
}

#[test]
fn the_last_job_number_is_not_given_out() {
	TestExt::standard().execute_with(|| {
		NextJobId::<Test>::put(u64::MAX);
		assert_noop!(dispatch(ALICE, call(request())), Error::<Test>::NoMoreJobs);
		NextJobId::<Test>::put(u64::MAX - 1);
		assert_ok!(dispatch(ALICE, call(request())));
		assert!(Jobs::<Test>::contains_key(u64::MAX - 1));
	});
}

#[test]
fn a_job_of_the_whole_supply_and_the_most_work_does_not_overflow() {
	let supply = Balance::MAX - 1_000_000;
	TestExt::new().endow(ALICE, supply).node(NODE, 1).execute_with(|| {
		MacsPerBlock::set(u64::MAX);
		FloorAsk::set(1);
		let mut most = facts(u64::MAX, 1);
		most.max_iterations = u32::MAX;
		add_program(program_root(3), most);
		let id = submit(
			ALICE,
			JobRequest {
				program: program_root(3),
				iterations: u32::MAX,
				max_price: supply - 10_000,
				deadline: 1_001,
				..request()
			},
		);
		// More blocks than the longest lifetime: the work is refused, not wrapped around.
		assert_eq!(id, Err(Error::<Test>::DeadlineTooSoon.into()));
		let id = submit(ALICE, JobRequest { max_price: supply - 10_000, ..request() })
			.expect("the request is sound");
		run_blocks(2);
		assert_eq!(job(id).phase.attempt().map(|attempt| attempt.price), Some(100));
		assert_ok!(commit(id));
		assert_ok!(verify(id));
		assert_eq!(outcome(id).receipt.total(), supply - 10_000);
	});
}

#[test]
fn who_is_not_admitted_posts_nothing_but_may_withdraw_what_it_posted() {
	TestExt::standard().execute_with(|| {
		let id = submitted();
		Barred::set(vec![ALICE]);
		assert_noop!(submit(ALICE, request()), Error::<Test>::NotAdmitted);
		assert_ok!(dispatch(ALICE, Call::cancel_job { job: id }));
		assert_eq!(free(ALICE), 100_000);
	});
}

#[test]
fn what_is_locked_is_not_spent_on_jobs() {
	use frame_support::traits::{LockableCurrency, WithdrawReasons};
	TestExt::standard().execute_with(|| {
		let all_but = |free: Balance| {
			Balances::set_lock(*b"unvested", &ALICE, 100_000 - free, WithdrawReasons::all());
		};
		all_but(4_999);
		assert_noop!(dispatch(ALICE, call(request())), TokenError::Frozen);
		all_but(5_000);
		assert_ok!(dispatch(ALICE, call(request())));
		assert_eq!(held(ALICE), 5_000);
	});
}
