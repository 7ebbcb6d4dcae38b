// SPDX-License-Identifier: Apache-2.0

use crate::{mock::*, Error, Event, HoldReason, Ledgers, Ranking, Standing};
use frame_support::{assert_noop, assert_ok, traits::fungible::InspectHold};
use sp_runtime::{traits::BadOrigin, TokenError};

fn standing() -> Vec<u64> {
	Ranking::<Test>::get().into_iter().map(|seat| seat.stash).collect()
}

#[test]
fn a_candidate_holds_its_bond_and_stands() {
	TestExt::default().with_keys(5, 5_000).build_and_execute(|| {
		assert_ok!(register(5, 2_000));
		assert_eq!((held(5), standing()), (2_000, vec![5]));
		System::assert_last_event(Event::CandidateRegistered { stash: 5, bond: 2_000 }.into());
	});
}

#[test]
fn a_candidate_needs_keys_a_bond_and_the_funds_for_it() {
	TestExt::default().endow(4, 5_000).with_keys(5, 5_000).build_and_execute(|| {
		assert_noop!(register(4, 2_000), Error::<Test>::NoKeys);
		assert_noop!(register(5, MIN - 1), Error::<Test>::BondTooSmall);
		assert_noop!(register(5, 6_000), TokenError::FundsUnavailable);
		assert_noop!(Validators::register_candidate(RuntimeOrigin::root(), MIN), BadOrigin);
		assert_ok!(register(5, MIN));
	});
}

#[test]
fn nobody_registers_twice() {
	TestExt::default().candidate(5, 2_000).build_and_execute(|| {
		assert_noop!(register(5, MIN), Error::<Test>::AlreadyRegistered);
		assert_ok!(Validators::chill(RuntimeOrigin::signed(5)));
		assert_noop!(register(5, MIN), Error::<Test>::AlreadyRegistered);
	});
}

#[test]
fn the_ranking_is_in_the_order_of_stakes_and_equal_ones_by_account() {
	let chain = TestExt::default().candidate(1, 3_000).candidate(9, 2_000).candidate(2, 2_000);
	chain.build_and_execute(|| {
		assert_eq!(standing(), vec![2, 9, 1]);
		assert_ok!(Validators::bond_more(RuntimeOrigin::signed(2), 1_500));
		assert_eq!(standing(), vec![9, 1, 2]);
	});
}

#[test]
fn in_a_full_ranking_only_a_larger_bond_finds_a_place_and_the_smallest_loses_its_own() {
	let mut chain = TestExt::default().with_keys(50, 90_000).with_keys(51, 90_000);
	for stash in 1..=u64::from(PLACES) {
		chain = chain.candidate(stash, MIN + stash);
	}
	chain.build_and_execute(|| {
		assert_noop!(register(50, MIN + 1), Error::<Test>::Outbid);
		assert_ok!(register(50, MIN + 2));
		assert_eq!(ledger(1).standing, Standing::Resting);
		assert_eq!(held(1), MIN + 1);
		System::assert_has_event(Event::Outranked { stash: 1 }.into());
		assert_noop!(Validators::stand(RuntimeOrigin::signed(1)), Error::<Test>::Outbid);
		// It raises its bond and takes the place of who is the smallest now.
		assert_ok!(Validators::bond_more(RuntimeOrigin::signed(1), 500));
		assert_ok!(Validators::stand(RuntimeOrigin::signed(1)));
		assert_eq!(ledger(2).standing, Standing::Resting);
		assert_eq!(standing().len(), PLACES as usize);
	});
}

#[test]
fn who_rests_keeps_its_bond_and_stands_again() {
	TestExt::default().candidate(5, 2_000).build_and_execute(|| {
		assert_ok!(Validators::chill(RuntimeOrigin::signed(5)));
		System::assert_last_event(Event::Rested { stash: 5 }.into());
		assert_eq!((held(5), standing()), (2_000, vec![]));
		assert_noop!(Validators::chill(RuntimeOrigin::signed(5)), Error::<Test>::NotStanding);
		assert_ok!(Validators::stand(RuntimeOrigin::signed(5)));
		System::assert_last_event(Event::Stood { stash: 5 }.into());
		assert_eq!(standing(), vec![5]);
		assert_noop!(Validators::stand(RuntimeOrigin::signed(5)), Error::<Test>::AlreadyStanding);
	});
}

#[test]
fn standing_again_needs_keys_and_the_bond_that_is_asked_now() {
	TestExt::default().candidate(5, 2_000).build_and_execute(|| {
		assert_ok!(Validators::chill(RuntimeOrigin::signed(5)));
		MinBond::set(2_001);
		assert_noop!(Validators::stand(RuntimeOrigin::signed(5)), Error::<Test>::BondTooSmall);
		MinBond::set(MIN);
		purge_keys(5);
		assert_noop!(Validators::stand(RuntimeOrigin::signed(5)), Error::<Test>::NoKeys);
	});
}

#[test]
fn session_keys_are_forgotten_by_whoever_does_not_validate_with_them() {
	TestExt::default().validators(3).candidate(5, 2_000).build_and_execute(|| {
		// All of the set, with nobody else eligible: this would leave the chain without validators.
		MinBond::set(1_000_000);
		for who in 1..=3 {
			assert_noop!(
				Validators::purge_keys(RuntimeOrigin::signed(who)),
				Error::<Test>::Validates
			);
		}
		assert_ok!(Validators::purge_keys(RuntimeOrigin::signed(5)));
		assert!(!<Session as crate::Sessions>::has_keys(&5));
		assert!(Validators::purge_keys(RuntimeOrigin::signed(5)).is_err(), "there are none left");
	});
}

#[test]
fn who_leaves_unbonds_everything_and_may_register_anew_meanwhile() {
	TestExt::default().candidate(5, 2_000).build_and_execute(|| {
		assert_ok!(Validators::leave(RuntimeOrigin::signed(5)));
		System::assert_has_event(Event::Left { stash: 5 }.into());
		assert_eq!((ledger(5).bond, ledger(5).unbonding_total(), held(5)), (0, 2_000, 2_000));
		assert_noop!(Validators::leave(RuntimeOrigin::signed(5)), Error::<Test>::Leaving);
		assert_noop!(Validators::stand(RuntimeOrigin::signed(5)), Error::<Test>::Leaving);
		assert_ok!(register(5, 1_500));
		assert_eq!((ledger(5).bond, held(5), standing()), (1_500, 3_500, vec![5]));
	});
}

#[test]
fn calls_of_strangers_are_refused() {
	TestExt::default().endow(7, 5_000).build_and_execute(|| {
		let stranger = || RuntimeOrigin::signed(7);
		let none = Error::<Test>::NotRegistered;
		assert_noop!(Validators::chill(stranger()), none);
		assert_noop!(Validators::stand(stranger()), Error::<Test>::NotRegistered);
		assert_noop!(Validators::leave(stranger()), Error::<Test>::NotRegistered);
		assert_noop!(Validators::bond_more(stranger(), 5), Error::<Test>::NotRegistered);
		assert_noop!(Validators::unbond(stranger(), 5), Error::<Test>::NotRegistered);
		assert_noop!(Validators::withdraw_unbonded(stranger()), Error::<Test>::NotRegistered);
		for call in [Validators::chill, Validators::stand, Validators::leave] {
			assert_noop!(call(RuntimeOrigin::none()), BadOrigin);
		}
	});
}

#[test]
fn genesis_candidates_are_registered_with_their_holds() {
	TestExt::default().validators(3).candidate(8, 2_000).build_and_execute(|| {
		assert_eq!(running(), vec![1, 2, 3]);
		assert_eq!(standing(), vec![8, 1, 2, 3]);
		let reason = HoldReason::ValidatorBond.into();
		assert_eq!(Balances::balance_on_hold(&reason, &8), 2_000);
		assert_eq!(crate::CurrentEra::<Test>::get().validators, 3);
	});
}

#[test]
#[should_panic(expected = "cannot be a candidate at genesis")]
fn a_genesis_candidate_below_the_least_bond_starts_no_chain() {
	TestExt::default().candidate(8, MIN - 1).build();
}

#[test]
fn the_record_goes_with_the_last_of_the_bond() {
	TestExt::default().candidate(5, 2_000).build_and_execute(|| {
		assert_ok!(Validators::leave(RuntimeOrigin::signed(5)));
		pass_blocks(PERIOD);
		assert_ok!(Validators::withdraw_unbonded(RuntimeOrigin::signed(5)));
		System::assert_last_event(Event::Removed { stash: 5 }.into());
		assert!(!Ledgers::<Test>::contains_key(5));
		assert_eq!(held(5), 0);
	});
}
