// SPDX-License-Identifier: Apache-2.0

use crate::{
	mock::*, Fault, HoldReason, Jail, LedgerOf, Ledgers, Points, Queue, Ranking, Reporting,
	Slashes, Standing, UnbondChunk,
};
use frame_support::{assert_ok, traits::fungible::MutateHold};
use sp_runtime::{Perbill, TryRuntimeError};

/// Corrupts a chain with validators 1 to 4, of which 4 equivocated, and expects the check to say so.
fn fires(message: &'static str, corrupt: impl FnOnce()) {
	TestExt::default().validators(4).endow(5, 5_000).build().execute_with(|| {
		assert_ok!(Validators::unbond(RuntimeOrigin::signed(1), 500));
		assert_eq!(equivocate(4, 7), Ok(()));
		author(1, 3);
		assert_ok!(Validators::do_try_state());
		corrupt();
		assert_eq!(Validators::do_try_state(), Err(TryRuntimeError::Other(message)));
	});
}

/// Corrupts the record of validator 1.
fn fires_on_record(message: &'static str, corrupt: impl FnOnce(&mut LedgerOf<Test>)) {
	fires(message, || Ledgers::<Test>::mutate_extant(1, corrupt));
}

#[test]
fn it_fires_on_a_record_without_its_hold() {
	fires_on_record("what is held is not the bond and what unbonds", |ledger| ledger.bond += 1);
}

#[test]
fn it_fires_on_a_hold_without_a_record() {
	fires("funds are held for an account without a record", || {
		assert_ok!(Balances::hold(&HoldReason::ValidatorBond.into(), &5, 1));
	});
}

#[test]
fn it_fires_on_an_empty_chunk() {
	fires_on_record("an unbonding chunk is empty", |ledger| {
		assert_ok!(ledger.unbonding.try_push(UnbondChunk { amount: 0, unlock_at: 500 }));
	});
}

#[test]
fn it_fires_on_chunks_out_of_order() {
	fires_on_record("unbonding chunks are out of order", |ledger| {
		ledger.bond -= 5;
		assert_ok!(ledger.unbonding.try_push(UnbondChunk { amount: 5, unlock_at: 1 }));
	});
}

#[test]
fn it_fires_on_a_candidate_in_jail() {
	fires_on_record("a candidate is in jail", |ledger| {
		let severity = Perbill::zero();
		ledger.jail = Some(Jail { fault: Fault::Silence, severity, until: 0 });
	});
}

#[test]
fn it_fires_on_a_leaver_with_a_bond() {
	fires_on_record("one that left has a bond", |ledger| ledger.standing = Standing::Leaving);
}

#[test]
fn it_fires_on_a_leaver_that_holds_nothing() {
	fires("one that left and holds nothing has a record", || {
		Ledgers::<Test>::insert(
			5,
			LedgerOf::<Test> { standing: Standing::Leaving, ..Default::default() },
		);
	});
}

#[test]
fn it_fires_on_a_ranking_out_of_order() {
	fires("the ranking is out of order", || {
		Ranking::<Test>::mutate(|ranking| {
			let first = ranking.remove(0);
			assert_ok!(ranking.try_push(first));
		});
	});
}

#[test]
fn it_fires_on_a_place_with_another_stake() {
	fires("a place in the ranking is not its candidate's", || {
		Ranking::<Test>::mutate(|ranking| ranking[0].stake -= 1);
	});
}

#[test]
fn it_fires_on_a_place_of_one_that_does_not_stand() {
	fires("a place in the ranking is not its candidate's", || {
		Ledgers::<Test>::mutate_extant(2, |ledger| ledger.standing = Standing::Resting);
	});
}

#[test]
fn it_fires_on_a_candidate_without_a_place() {
	fires("a candidate has no place, or more than one", || {
		Ranking::<Test>::mutate(|ranking| ranking.pop());
	});
}

#[test]
fn it_fires_on_a_candidate_with_two_places() {
	fires("a candidate has no place, or more than one", || {
		Ranking::<Test>::mutate(|ranking| {
			let last = ranking.last().cloned().unwrap();
			assert_ok!(ranking.try_push(last));
		});
	});
}

#[test]
fn it_fires_on_a_slash_outside_of_the_queue() {
	fires("a slash waits outside of the queue", || Queue::<Test>::mutate(|queue| queue.first = 1));
}

#[test]
fn it_fires_on_a_slash_that_is_not_counted() {
	fires("a record does not count the slashes that wait for it", || {
		Ledgers::<Test>::mutate_extant(4, |ledger| ledger.pending = 0);
	});
}

#[test]
fn it_fires_on_a_slash_for_nobody() {
	fires("a slash waits for an account without a record", || {
		let slash = Slashes::<Test>::get(0).unwrap();
		Queue::<Test>::mutate(|queue| queue.next = 2);
		Slashes::<Test>::insert(1, crate::PendingSlash { validator: 77, ..slash });
	});
}

#[test]
fn it_fires_on_points_of_a_later_era() {
	fires("an era that is not kept has points", || Points::<Test>::insert(1, 1, 5));
}

#[test]
fn it_fires_on_more_points_than_blocks() {
	fires("an era has more points than blocks", || Points::<Test>::insert(0, 2, 1));
}

#[test]
fn it_fires_on_a_report_that_did_not_end() {
	fires("a report of the pallet's own did not end", || Reporting::<Test>::put(Fault::Silence));
}
