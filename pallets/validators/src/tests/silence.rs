// SPDX-License-Identifier: Apache-2.0

use crate::{mock::*, Event, Fault, Points, Standing, EXPECTED_BLOCKS};
use frame_support::assert_ok;

/// An era in which each of `authors` makes as many blocks as would be expected of one of `of`.
fn era_with(authors: &[u64], of: u32) {
	let blocks = (EXPECTED_BLOCKS * of).div_ceil(authors.len() as u32);
	for who in authors {
		author(*who, blocks);
	}
	next_era();
}

#[test]
fn who_is_silent_through_an_era_loses_a_little_and_its_place() {
	TestExt::default().validators(4).build_and_execute(|| {
		era_with(&[1, 2, 3], 4);
		let record = ledger(4);
		assert_eq!((record.standing, record.pending), (Standing::Resting, 1));
		assert_eq!(record.jail.map(|jail| jail.fault), Some(Fault::Silence));
		assert_eq!(due(0), 100, "a hundredth of 10,000");
		assert_eq!(disabled(), Vec::<u64>::new(), "it may come back to its duties");
		assert_eq!(running(), vec![1, 2, 3, 4], "this set was planned before");
		next_session();
		assert_eq!(running(), vec![1, 2, 3]);
		next_era();
		assert_eq!(running(), vec![1, 2, 3]);
	});
}

#[test]
fn nobody_is_paid_for_another_ones_silence() {
	SlashDelay::set(0);
	TestExt::default().validators(4).build_and_execute(|| {
		era_with(&[1, 2, 3], 4);
		next_block();
		assert_eq!((held(4), BurnedByPallet::get()), (9_900, 100));
		assert_eq!(Balances::free_balance(REPORTER), ED);
	});
}

#[test]
fn who_was_silent_may_stand_again_at_once() {
	TestExt::default().validators(4).build_and_execute(|| {
		era_with(&[1, 2, 3], 4);
		assert_ok!(Validators::stand(RuntimeOrigin::signed(4)));
		assert_eq!(ledger(4).pending, 1, "and still owes its slash");
		next_era();
		assert_eq!(running(), vec![1, 2, 3, 4]);
	});
}

#[test]
fn one_block_in_the_era_is_enough() {
	TestExt::default().validators(4).build_and_execute(|| {
		author(4, 1);
		era_with(&[1, 2, 3], 4);
		assert_eq!(ledger(4).standing, Standing::Candidate);
	});
}

#[test]
fn nobody_is_judged_where_few_blocks_were_expected() {
	TestExt::default().validators(4).build_and_execute(|| {
		author(1, 4 * EXPECTED_BLOCKS - 1);
		author(2, 0);
		next_era();
		assert_eq!(Validators::candidates().len(), 4);
	});
}

#[test]
fn where_more_than_a_third_is_silent_nobody_is_judged() {
	TestExt::default().validators(4).build_and_execute(|| {
		era_with(&[1, 2], 4);
		assert_eq!(Validators::candidates().len(), 4);
		System::assert_has_event(Event::NetworkSilent { era: 0, silent: 2, validators: 4 }.into());
	});
}

#[test]
fn the_only_validators_are_never_judged() {
	for count in 1..=2 {
		TestExt::default().validators(count).build_and_execute(|| {
			era_with(&[99], 2);
			assert_eq!(running().len() as u64, count);
			assert_eq!(Validators::candidates().len() as u64, count);
		});
	}
}

#[test]
fn who_is_kept_against_its_will_owes_nothing() {
	MinCount::set(4);
	TestExt::default().validators(4).build_and_execute(|| {
		assert_ok!(Validators::leave(RuntimeOrigin::signed(4)));
		next_era();
		assert_eq!(running(), vec![1, 2, 3, 4]);
		assert!(Validators::era().kept);
		era_with(&[1, 2, 3], 4);
		assert_eq!(ledger(4).pending, 0);
	});
}

#[test]
fn who_is_disabled_is_not_judged_for_silence_and_others_are() {
	MinCount::set(1);
	TestExt::default().validators(6).build_and_execute(|| {
		ValidatorCount::set(6);
		next_session();
		assert_eq!(equivocate(6, 7), Ok(()));
		era_with(&[1, 2, 3, 4], 6);
		assert_eq!(ledger(6).pending, 1, "only its equivocation");
		assert_eq!(ledger(5).jail.map(|jail| jail.fault), Some(Fault::Silence));
	});
}

#[test]
fn a_grave_fault_is_not_forgotten_for_a_small_one() {
	JailEras::set(9);
	TestExt::default().validators(4).build_and_execute(|| {
		era_with(&[1, 2, 3], 4);
		assert_eq!(equivocate(4, 7), Ok(()));
		let jail = ledger(4).jail.unwrap();
		assert_eq!((jail.fault, jail.until), (Fault::Equivocation, 10));
	});
}

#[test]
fn blocks_of_the_next_era_do_not_make_up_for_silence() {
	TestExt::default().validators(4).build_and_execute(|| {
		era_with(&[1, 2, 3], 4);
		author(4, 50);
		assert_eq!(Points::<Test>::get(0, 4), 0);
		assert_eq!(ledger(4).pending, 1);
	});
}
