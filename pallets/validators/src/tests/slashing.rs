// SPDX-License-Identifier: Apache-2.0

use crate::{mock::*, Error, Event, Ledgers, Queue, Slashes, Standing, Taken, SLASHES_PER_BLOCK};
use frame_support::{assert_noop, assert_ok};
use sp_runtime::{traits::BadOrigin, Permill};

#[test]
fn a_slash_is_enacted_in_its_era_and_shared_with_the_reporter() {
	TestExt::default().validators(4).build_and_execute(|| {
		assert_eq!(equivocate(2, 7), Ok(()));
		next_era();
		assert_eq!(held(2), 10_000);
		next_era();
		let taken = Taken { total: 1_000, burned: 900, to_reporter: 100 };
		System::assert_has_event(Event::SlashEnacted { id: 0, validator: 2, taken }.into());
		assert_eq!((held(2), ledger(2).bond, ledger(2).pending), (9_000, 9_000, 0));
		assert_eq!(Balances::free_balance(REPORTER), ED + 100);
		assert_eq!(BurnedByPallet::get(), 900);
		assert!(Validators::pending_slashes().is_empty());
	});
}

#[test]
fn a_reporter_that_cannot_be_paid_leaves_its_part_to_be_burned() {
	SlashDelay::set(0);
	// A thousandth of the slash is below the existential deposit.
	ReporterShare::set(Permill::from_parts(1_000));
	TestExt::default().validators(4).build_and_execute(|| {
		assert_ok!(Balances::transfer_allow_death(RuntimeOrigin::signed(REPORTER), 1, ED));
		assert_eq!(equivocate(2, 7), Ok(()));
		next_block();
		assert_eq!((held(2), BurnedByPallet::get()), (9_000, 1_000));
	});
}

#[test]
fn who_reports_itself_wins_nothing_back() {
	SlashDelay::set(0);
	TestExt::default().validators(4).build_and_execute(|| {
		use sp_staking::offence::ReportOffence;
		let offence = Equivocation { offender: 2, session: 0, slot: 7 };
		assert_eq!(Offences::report_offence(vec![2], offence), Ok(()));
		let before = Balances::free_balance(2);
		next_block();
		assert_eq!((held(2), Balances::free_balance(2)), (9_000, before));
	});
}

#[test]
fn a_slash_takes_at_most_what_is_held() {
	SlashDelay::set(0);
	TestExt::default().validators(4).build_and_execute(|| {
		assert_ok!(Validators::unbond(RuntimeOrigin::signed(2), 3_000));
		assert_eq!(equivocate(2, 7), Ok(()));
		Slashes::<Test>::mutate_extant(0, |slash| slash.amount = u64::MAX);
		next_block();
		assert_eq!((held(2), ledger(2).held()), (0, 0));
		assert!(ledger(2).unbonding.is_empty());
	});
}

#[test]
fn slashes_beyond_what_a_block_enacts_wait_for_the_next_one() {
	SlashDelay::set(1);
	SessionsPerEra::set(20);
	TestExt::default().validators(4).build_and_execute(|| {
		let many = SLASHES_PER_BLOCK + 3;
		for _ in 0..many {
			assert_eq!(equivocate(2, 1_000 * u64::from(Session::current_index())), Ok(()));
			next_session();
		}
		assert_eq!(ledger(2).pending, many);
		next_era();
		assert_eq!(ledger(2).pending, 3);
		next_block();
		assert_eq!(ledger(2).pending, 0);
		let queue = Queue::<Test>::get();
		assert_eq!((queue.first, queue.next), (many, many));
	});
}

#[test]
fn slashes_are_enacted_in_the_order_in_which_they_were_imposed() {
	SlashDelay::set(5);
	TestExt::default().validators(4).build_and_execute(|| {
		assert_eq!(equivocate(2, 7), Ok(()));
		SlashDelay::set(0);
		assert_eq!(equivocate(3, 8), Ok(()));
		next_block();
		assert_eq!(held(3), 10_000);
		assert_ok!(Validators::cancel_slash(RuntimeOrigin::root(), 0));
		next_block();
		assert_eq!((held(2), held(3)), (10_000, 9_000));
	});
}

#[test]
fn a_cancelled_slash_takes_nothing_and_frees_the_validator() {
	JailEras::set(50);
	TestExt::default().validators(4).build_and_execute(|| {
		assert_eq!(equivocate(2, 7), Ok(()));
		assert_ok!(Validators::cancel_slash(RuntimeOrigin::root(), 0));
		System::assert_last_event(
			Event::SlashCancelled { id: 0, validator: 2, amount: 1_000 }.into(),
		);
		assert_eq!((ledger(2).pending, ledger(2).jail), (0, None));
		assert_ok!(Validators::stand(RuntimeOrigin::signed(2)));
		for _ in 0..4 {
			next_era();
		}
		assert_eq!(held(2), 10_000);
	});
}

#[test]
fn with_one_of_two_slashes_cancelled_a_validator_stays_in_jail() {
	TestExt::default().validators(4).build_and_execute(|| {
		assert_eq!(equivocate(2, 7), Ok(()));
		next_session();
		assert_eq!(equivocate(2, 8), Ok(()));
		assert_ok!(Validators::cancel_slash(RuntimeOrigin::root(), 0));
		assert!(ledger(2).jail.is_some());
	});
}

#[test]
fn only_the_appeal_cancels_and_only_what_waits() {
	TestExt::default().validators(4).build_and_execute(|| {
		assert_eq!(equivocate(2, 7), Ok(()));
		assert_noop!(Validators::cancel_slash(RuntimeOrigin::signed(2), 0), BadOrigin);
		assert_noop!(
			Validators::cancel_slash(RuntimeOrigin::root(), 1),
			Error::<Test>::NoSuchSlash
		);
		assert_ok!(Validators::cancel_slash(RuntimeOrigin::root(), 0));
		assert_noop!(
			Validators::cancel_slash(RuntimeOrigin::root(), 0),
			Error::<Test>::NoSuchSlash
		);
	});
}

#[test]
fn a_candidate_below_the_least_bond_after_its_slash_stands_no_more() {
	SilenceSlash::set(Permill::from_percent(50));
	let chain = TestExt::default().validators(3).validator(4, MIN);
	chain.build_and_execute(|| {
		for who in 1..=3 {
			author(who, 60);
		}
		next_era();
		assert_ok!(Validators::stand(RuntimeOrigin::signed(4)));
		next_era();
		next_era();
		assert_eq!((ledger(4).bond, ledger(4).standing), (MIN / 2, Standing::Resting));
	});
}

#[test]
fn a_candidate_moves_to_the_place_of_what_its_slash_left() {
	let chain = TestExt::default().validators(3).validator(4, 10_050);
	chain.build_and_execute(|| {
		for who in 1..=3 {
			author(who, 60);
		}
		next_era();
		assert_ok!(Validators::stand(RuntimeOrigin::signed(4)));
		assert_eq!(Validators::candidates()[0].stash, 4);
		next_era();
		next_era();
		let last = Validators::candidates().pop().unwrap();
		assert_eq!((last.stash, last.stake), (4, 9_949));
	});
}

#[test]
fn the_record_of_a_leaver_goes_with_its_last_slash() {
	SlashDelay::set(0);
	TestExt::default().validators(4).build_and_execute(|| {
		assert_ok!(Validators::leave(RuntimeOrigin::signed(2)));
		assert_eq!(equivocate(2, 7), Ok(()));
		Slashes::<Test>::mutate_extant(0, |slash| slash.amount = 10_000);
		next_block();
		assert!(!Ledgers::<Test>::contains_key(2));
		System::assert_has_event(Event::Removed { stash: 2 }.into());
	});
}
