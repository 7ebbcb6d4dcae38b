// SPDX-License-Identifier: Apache-2.0

use crate::{mock::*, CurrentEra, Era, Event, Points, TotalPoints};
use tensornet_protocol::Eras;

#[test]
fn an_era_is_so_many_sessions() {
	TestExt::default().validators(3).build_and_execute(|| {
		for session in 1..=10 {
			next_session();
			assert_eq!(Validators::current(), session / 3, "session {session}");
		}
		assert_eq!(
			CurrentEra::<Test>::get(),
			Era { index: 3, first_session: 9, validators: 3, kept: false }
		);
	});
}

#[test]
fn an_era_may_be_a_single_session() {
	SessionsPerEra::set(1);
	TestExt::default().validators(2).candidate(3, 50_000).build_and_execute(|| {
		next_session();
		assert_eq!((era(), running()), (1, vec![1, 2]));
		next_session();
		assert_eq!((era(), running()), (2, vec![1, 2, 3]));
	});
}

#[test]
fn the_end_of_each_era_is_told_once_and_after_the_clock_moved() {
	TestExt::default().validators(3).build_and_execute(|| {
		for _ in 0..10 {
			next_session();
		}
		assert_eq!(Ended::get(), vec![0, 1, 2]);
		System::assert_has_event(Event::EraStarted { era: 3, session: 9, validators: 3 }.into());
	});
}

#[test]
fn a_longer_era_takes_effect_in_the_running_one() {
	TestExt::default().validators(3).build_and_execute(|| {
		next_session();
		SessionsPerEra::set(5);
		for session in 2..5 {
			next_session();
			assert_eq!(era(), 0, "session {session}");
		}
		next_session();
		assert_eq!(era(), 1);
	});
}

#[test]
fn points_of_an_era_are_forgotten_when_they_cannot_be_claimed_any_more() {
	TestExt::default().validators(2).build_and_execute(|| {
		author(1, 3);
		author(2, 2);
		for _ in 0..HISTORY {
			next_era();
		}
		assert_eq!((Points::<Test>::get(0, 1), TotalPoints::<Test>::get(0)), (3, 5));
		next_era();
		assert_eq!(Points::<Test>::iter_prefix(0).count(), 0);
		assert_eq!(TotalPoints::<Test>::get(0), 0);
	});
}
