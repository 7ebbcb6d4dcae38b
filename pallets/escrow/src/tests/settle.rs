// SPDX-License-Identifier: Apache-2.0

//! Paying a job whose result stood.

use crate::{mock::*, Agenda, Error, Escrowed, Event, HoldReason, Jobs, Outcome, Receipt, Task};
use frame_support::{
	assert_noop, assert_ok,
	traits::{
		fungible::{Inspect, Mutate, MutateFreeze, MutateHold},
		tokens::{Fortitude, Precision, Preservation},
	},
};
use sp_runtime::Permill;
use tensornet_protocol::{BurnCause, Conduct, JobRequest, JobState, Settlement, Shares, Split};

/// Posts, assigns, commits and verifies a job for which the requester pays `max_price` at most.
fn settled(max_price: Balance) -> Receipt<Balance> {
	let id = submit(ALICE, JobRequest { max_price, ..request() }).expect("the request is sound");
	run_blocks(2);
	assert_ok!(commit(id));
	assert_ok!(verify(id));
	outcome(id).receipt
}

#[test]
fn the_price_is_shared_and_the_rest_released() {
	TestExt::standard().execute_with(|| {
		let issuance = Balances::total_issuance();
		let id = committed();
		requests();
		System::reset_events();
		assert_ok!(verify(id));
		assert_eq!(free(NODE), 10_000 + 900);
		assert_eq!(free(AUTHOR), ED + 20);
		assert_eq!(free(TREASURY), ED + 30);
		assert_eq!(free(ALICE), 100_000 - 1_000);
		assert_eq!((held(ALICE), deposited(ALICE)), (0, 0));
		assert_eq!(Balances::total_issuance(), issuance - 50);
		assert_eq!(Escrowed::<Test>::get(), 0);
		assert!(!Jobs::<Test>::contains_key(id));
		let receipt = Receipt {
			paid: 900,
			burned: 50,
			treasury: 30,
			author: 20,
			lineage: 0,
			refunded: 4_000,
		};
		let settlement = Settlement {
			job: id,
			requester: ALICE,
			node: NODE,
			author: Some(AUTHOR),
			program: program(),
			price: 1_000,
			split: Split { node: 900, burn: 50, treasury: 30, author: 20, lineage: 0 },
		};
		assert_eq!(
			outcome(id),
			Outcome {
				state: JobState::Settled,
				requester: ALICE,
				node: Some(NODE),
				program: program(),
				held: 5_000,
				receipt,
				ended_at: 3,
			}
		);
		assert_eq!(
			requests(),
			vec![
				Request::Settled(settlement.clone()),
				Request::Lineage(settlement),
				Request::Burned(BurnCause::Job, 50),
				Request::Closed(program()),
				Request::Released {
					node: NODE,
					collateral: 2_000,
					conduct: Conduct::Completed,
					reporter: None,
					requester: ALICE,
				},
			]
		);
		assert_eq!(
			events(),
			vec![Event::JobSettled {
				job: id,
				requester: ALICE,
				node: NODE,
				author: Some(AUTHOR),
				paid: 900,
				burned: 50,
				treasury_share: 30,
				author_share: 20,
				lineage_share: 0,
				refunded: 4_000,
			}]
		);
		assert_eq!(Agenda::<Test>::get((Task::Forget, 23)).tail.into_inner(), vec![id]);
	});
}

#[test]
fn only_a_committed_job_is_paid_and_only_once() {
	TestExt::standard().execute_with(|| {
		assert_noop!(verify(0), Error::<Test>::UnknownJob);
		let id = submitted();
		assert_noop!(verify(id), Error::<Test>::NotCommitted);
		run_blocks(2);
		assert_noop!(verify(id), Error::<Test>::NotCommitted);
		assert_ok!(commit(id));
		assert_ok!(verify(id));
		assert_noop!(verify(id), Error::<Test>::UnknownJob);
	});
}

#[test]
fn other_jobs_of_the_requester_keep_their_holds() {
	TestExt::standard().execute_with(|| {
		let other = submit(ALICE, JobRequest { max_price: 7_000, ..request() })
			.expect("the request is sound");
		let id = committed();
		assert_ok!(verify(id));
		assert_eq!(held(ALICE), 7_000);
		assert_eq!(deposited(ALICE), job(other).deposit);
	});
}

#[test]
fn a_price_that_takes_the_whole_hold_leaves_nothing_to_release() {
	TestExt::standard().execute_with(|| {
		let receipt = settled(1_000);
		assert_eq!(
			receipt,
			Receipt { paid: 900, burned: 50, treasury: 30, author: 20, ..Default::default() }
		);
	});
}

#[test]
fn a_share_below_the_existential_deposit_of_a_missing_author_goes_to_the_treasury() {
	// The author's share is 1 % of 1,000: exactly the existential deposit of 10.
	for (permill, author, treasury) in [(9_000, 0, 39), (10_000, 10, 30), (11_000, 11, 30)] {
		TestExt::new().node(NODE, 100).execute_with(|| {
			JobShares::mutate(|shares| shares.author = Permill::from_parts(permill));
			let receipt = settled(5_000);
			assert_eq!((receipt.author, receipt.treasury), (author, treasury));
			assert_eq!(free(AUTHOR), author);
			assert_eq!(free(TREASURY), ED + treasury);
			assert_eq!(receipt.total(), 5_000);
		});
	}
}

#[test]
fn what_neither_author_nor_treasury_can_receive_is_burned() {
	TestExt::new().node(NODE, 100).endow(TREASURY, 0).execute_with(|| {
		JobShares::set(Shares {
			burn: Permill::from_percent(5),
			treasury: Permill::from_parts(4_000),
			author: Permill::from_parts(5_000),
			..Default::default()
		});
		requests();
		let receipt = settled(5_000);
		assert_eq!((receipt.author, receipt.treasury, receipt.burned), (0, 0, 50 + 9));
		let seen = requests();
		assert!(seen.contains(&Request::Burned(BurnCause::Job, 50)));
		assert!(seen.contains(&Request::Burned(BurnCause::Dust, 9)));
		assert_eq!(free(TREASURY), 0);
	});
}

#[test]
fn shares_too_small_alone_reach_the_treasury_together() {
	TestExt::new().node(NODE, 100).endow(TREASURY, 0).execute_with(|| {
		JobShares::set(Shares {
			burn: Permill::from_percent(5),
			treasury: Permill::from_parts(4_000),
			author: Permill::from_parts(6_000),
			..Default::default()
		});
		let receipt = settled(5_000);
		assert_eq!((receipt.author, receipt.treasury, receipt.burned), (0, 10, 50));
	});
}

#[test]
fn a_node_whose_account_was_reaped_is_paid_anew() {
	TestExt::standard().execute_with(|| {
		let id = committed();
		assert_ok!(Balances::transfer(&NODE, &BOB, 10_000, Preservation::Expendable));
		assert_eq!(Balances::total_balance(&NODE), 0);
		assert_ok!(verify(id));
		assert_eq!(free(NODE), 900);
	});
}

#[test]
fn a_reaped_node_whose_part_cannot_open_an_account_does_not_block_the_end() {
	for (part, paid) in [(ED - 1, 0), (ED, ED), (ED + 1, ED + 1)] {
		TestExt::standard().execute_with(|| {
			JobShares::set(Shares {
				burn: Permill::from_rational(1_000 - part as u32, 1_000),
				..Default::default()
			});
			let id = committed();
			assert_ok!(Balances::transfer(&NODE, &BOB, 10_000, Preservation::Expendable));
			assert_ok!(verify(id));
			let receipt = outcome(id).receipt;
			assert_eq!(receipt.paid, paid);
			assert_eq!(receipt.treasury, part - paid);
			assert_eq!(receipt.total(), 5_000);
			assert_eq!(free(NODE), paid);
		});
	}
}

#[test]
fn a_requester_may_be_author_and_node_at_once() {
	TestExt::new().node(ALICE, 100).execute_with(|| {
		let mut own = facts(MACS, 1);
		own.author = ALICE;
		add_program(program(), own);
		assert_eq!(free(ALICE), 10_000);
		let receipt = settled(5_000);
		assert_eq!(receipt.total(), 5_000);
		assert_eq!(free(ALICE), 10_000 - 50 - 30);
	});
}

#[test]
fn a_program_without_facts_leaves_its_authors_share_to_the_treasury() {
	TestExt::standard().execute_with(|| {
		let id = committed();
		KnownPrograms::mutate(|all| all.clear());
		assert_ok!(verify(id));
		assert_eq!(outcome(id).receipt.treasury, 50);
		assert_eq!(outcome(id).receipt.author, 0);
	});
}

#[test]
fn a_lock_on_the_requesters_balance_does_not_block_payment() {
	TestExt::standard().execute_with(|| {
		let id = committed();
		assert_ok!(Balances::set_freeze(&(), &ALICE, 1_000_000));
		assert_ok!(verify(id));
		assert_eq!(free(NODE), 10_900);
	});
}

#[test]
fn shares_beyond_the_whole_price_pay_out_no_more_than_it() {
	TestExt::standard().execute_with(|| {
		JobShares::set(Shares {
			burn: Permill::from_percent(60),
			treasury: Permill::from_percent(60),
			author: Permill::from_percent(60),
			lineage: Permill::from_percent(60),
		});
		assert_eq!(
			settled(5_000),
			Receipt { burned: 600, treasury: 400, refunded: 4_000, ..Default::default() }
		);
	});
}

#[test]
fn a_refund_its_owner_cannot_receive_does_not_block_the_end() {
	// An account with another provider may go without free funds; nine units cannot revive it.
	for (back, refunded) in [(ED - 1, 0), (ED, ED), (ED + 1, ED + 1)] {
		TestExt::standard().execute_with(|| {
			let id = submit(ALICE, JobRequest { max_price: 1_000 + back, ..request() })
				.expect("the request is sound");
			run_blocks(2);
			assert_ok!(commit(id));
			System::inc_providers(&ALICE);
			assert_ok!(Balances::burn_from(
				&ALICE,
				free(ALICE),
				Preservation::Expendable,
				Precision::Exact,
				Fortitude::Force,
			));
			assert_eq!(free(ALICE), 0);
			let deposit = deposited(ALICE);
			assert_ok!(verify(id));
			let receipt = outcome(id).receipt;
			assert_eq!(receipt.refunded, refunded);
			assert_eq!(receipt.treasury, 30 + back - refunded);
			assert_eq!(receipt.total(), 1_000 + back);
			assert_eq!(free(ALICE), refunded + deposit);
		});
	}
}

#[test]
fn a_hold_that_somebody_else_reduced_ends_with_what_is_left() {
	TestExt::standard().execute_unchecked(|| {
		let id = committed();
		assert_ok!(Balances::burn_held(
			&HoldReason::Job.into(),
			&ALICE,
			4_500,
			Precision::Exact,
			Fortitude::Force,
		));
		assert_ok!(verify(id));
		let receipt = outcome(id).receipt;
		assert_eq!(receipt, Receipt { paid: 500, ..Default::default() });
		assert_eq!((held(ALICE), deposited(ALICE)), (0, 0));
	});
}
