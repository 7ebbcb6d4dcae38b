// SPDX-License-Identifier: Apache-2.0

use crate::{mock::*, Event};
use frame_support::assert_ok;
use pallet_session::historical::HistoricalSessions;
use sp_runtime::Permill;

#[test]
fn the_largest_stakes_win() {
	let chain = TestExt::default()
		.validators(2)
		.candidate(3, 30_000)
		.candidate(4, 5_000)
		.candidate(5, 40_000)
		.candidate(6, 20_000);
	chain.build_and_execute(|| {
		assert_eq!(Validators::next_set(), vec![5, 3, 6, 1]);
		next_era();
		assert_eq!(running(), vec![1, 3, 5, 6]);
		System::assert_has_event(Event::Elected { session: 3, validators: 4, kept: 0 }.into());
	});
}

#[test]
fn equal_candidates_are_ordered_by_account() {
	ValidatorCount::set(2);
	let chain = TestExt::default().validators(1).candidate(7, 20_000).candidate(6, 20_000);
	chain.candidate(5, 20_000).build_and_execute(|| {
		assert_eq!(Validators::next_set(), vec![5, 6]);
	});
}

#[test]
fn what_a_node_burned_in_the_last_finished_era_moves_its_stash_up() {
	ValidatorCount::set(2);
	let chain = TestExt::default().validators(2).candidate(3, 6_000).candidate(4, 9_000);
	chain.build_and_execute(|| {
		// Worth 5,000 of stake at one hundred for one: 11,000 beats 10,000.
		Burns::set(vec![(0, 3, 50), (1, 4, 1_000)]);
		assert_eq!(Validators::next_set(), vec![1, 2], "era 0 has not ended");
		next_era();
		assert_eq!(Validators::next_set(), vec![3, 1], "and era 1 has not");
		let info = Validators::candidates().into_iter().find(|one| one.stash == 3).unwrap();
		assert_eq!(
			(info.stake, info.boost, info.score, info.eligible),
			(6_000, 5_000, 11_000, true)
		);
	});
}

#[test]
fn a_boost_is_at_most_the_stake() {
	TestExt::default().build_and_execute(|| {
		assert_eq!(Validators::boost(1_000, 9), 900);
		assert_eq!(Validators::boost(1_000, 10), 1_000);
		assert_eq!(Validators::boost(1_000, u64::MAX), 1_000);
		assert_eq!(Validators::score(1_000, 11), 2_000);
		BurnPerStake::set(Permill::zero());
		assert_eq!(Validators::boost(1_000, 11), 0);
	});
}

#[test]
fn who_has_no_keys_or_too_small_a_bond_is_not_elected() {
	TestExt::default().validators(3).candidate(4, 5_000).build_and_execute(|| {
		purge_keys(2);
		assert_eq!(Validators::next_set(), vec![1, 3, 4]);
		MinBond::set(5_001);
		assert_eq!(Validators::next_set(), vec![1, 3]);
		let eligible = |stash| {
			Validators::candidates().into_iter().find(|one| one.stash == stash).unwrap().eligible
		};
		assert_eq!([1, 2, 4].map(eligible), [true, false, false]);
	});
}

#[test]
fn the_set_has_at_most_the_places_asked_for_and_those_that_there_are() {
	let mut chain = TestExt::default();
	for stash in 1..=8 {
		chain = chain.validator(stash, 10_000);
	}
	chain.build_and_execute(|| {
		for (asked, given) in [(0, 1), (1, 1), (5, 5), (100, SET as usize)] {
			ValidatorCount::set(asked);
			MinCount::set(1);
			assert_eq!(Validators::next_set().len(), given);
		}
	});
}

#[test]
fn without_willing_candidates_the_former_set_goes_on() {
	TestExt::default().validators(3).build_and_execute(|| {
		for stash in 1..=3 {
			assert_ok!(Validators::leave(RuntimeOrigin::signed(stash)));
		}
		MinCount::set(3);
		for _ in 0..4 {
			next_era();
			assert_eq!(running(), vec![1, 2, 3]);
		}
		System::assert_has_event(Event::Elected { session: 12, validators: 3, kept: 3 }.into());
	});
}

#[test]
fn a_chain_whose_genesis_names_no_candidates_goes_on() {
	TestExt::default().unwilling(1).unwilling(2).build_and_execute(|| {
		next_era();
		next_era();
		assert_eq!(running(), vec![1, 2]);
	});
}

#[test]
fn too_few_winners_are_joined_by_just_as_many_former_members_as_are_missing() {
	MinCount::set(3);
	let chain = TestExt::default().validators(4).candidate(9, 50_000);
	chain.build_and_execute(|| {
		for stash in 1..=3 {
			assert_ok!(Validators::chill(RuntimeOrigin::signed(stash)));
		}
		next_era();
		assert_eq!(running(), vec![1, 4, 9]);
		System::assert_has_event(Event::Elected { session: 3, validators: 3, kept: 1 }.into());
		assert!(Validators::era().kept);
		for stash in 2..=3 {
			assert_ok!(Validators::stand(RuntimeOrigin::signed(stash)));
		}
		next_era();
		assert_eq!(running(), vec![2, 3, 4, 9]);
		assert!(!Validators::era().kept);
	});
}

#[test]
fn former_members_without_keys_are_not_kept() {
	TestExt::default().validators(3).build_and_execute(|| {
		for stash in 1..=3 {
			assert_ok!(Validators::chill(RuntimeOrigin::signed(stash)));
		}
		purge_keys(1);
		next_era();
		assert_eq!(running(), vec![2, 3]);
	});
}

#[test]
fn those_in_jail_are_kept_only_where_nobody_else_is_left() {
	TestExt::default().validators(2).build_and_execute(|| {
		assert_eq!(equivocate(1, 7), Ok(()));
		assert_eq!(Validators::next_set(), vec![2], "fewer than wanted, but free");
		assert_eq!(equivocate(2, 8), Ok(()));
		assert_eq!(Validators::next_set(), vec![1, 2]);
		next_era();
		next_era();
		assert_eq!(running(), vec![1, 2]);
	});
}

#[test]
fn every_session_has_a_root_and_a_changed_key_gets_into_the_next_one() {
	TestExt::default().validators(3).build_and_execute(|| {
		let root = |session| HistoricalSessions::<Test>::get(session).unwrap().0;
		next_session();
		next_session();
		// Sessions 2 and 3 were planned.
		rotate_keys(1, 77);
		next_session();
		assert_eq!(root(2), root(3));
		assert_ne!(root(3), root(4));
		next_session();
		assert_eq!(root(4), root(5));
	});
}

#[test]
fn roots_are_forgotten_when_nothing_can_be_reported_any_more() {
	TestExt::default().validators(3).build_and_execute(|| {
		for _ in 0..REPORTABLE + 5 {
			next_session();
		}
		let oldest = Session::current_index() - 1 - REPORTABLE;
		assert!(!HistoricalSessions::<Test>::contains_key(oldest - 1));
		assert!(HistoricalSessions::<Test>::contains_key(oldest));
	});
}
