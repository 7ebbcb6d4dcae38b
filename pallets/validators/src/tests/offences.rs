// SPDX-License-Identifier: Apache-2.0

use crate::{mock::*, Error, Event, Fault, Faults, Jail, Slashes, Standing};
use frame_support::{assert_noop, assert_ok};
use sp_runtime::Perbill;
use sp_staking::offence::OffenceError;

fn stand(stash: u64) -> sp_runtime::DispatchResult {
	Validators::stand(RuntimeOrigin::signed(stash))
}

#[test]
fn an_equivocation_disables_jails_and_imposes_a_slash_at_once() {
	TestExt::default().validators(4).build_and_execute(|| {
		assert_eq!(equivocate(2, 7), Ok(()));
		assert_eq!(disabled(), vec![2]);
		let jail =
			Jail { fault: Fault::Equivocation, severity: Perbill::from_percent(10), until: 1 };
		assert_eq!((ledger(2).standing, ledger(2).jail), (Standing::Resting, Some(jail)));
		System::assert_has_event(Event::Jailed { validator: 2, jail }.into());
		System::assert_has_event(
			Event::SlashImposed {
				id: 0,
				validator: 2,
				fault: Fault::Equivocation,
				session: 0,
				amount: 1_000,
				due: 2,
			}
			.into(),
		);
		assert_eq!(held(2), 10_000, "nothing is taken yet");
		assert_eq!(Validators::pending_slashes().len(), 1);
	});
}

#[test]
fn an_offender_leaves_the_set_with_the_next_one_that_is_planned() {
	SessionsPerEra::set(10);
	TestExt::default().validators(4).build_and_execute(|| {
		next_session();
		assert_eq!(equivocate(2, 7), Ok(()));
		// The set of the next session was planned before.
		next_session();
		assert_eq!((running(), disabled()), (vec![1, 2, 3, 4], vec![2]));
		System::assert_has_event(Event::Expelled { session: 3, validators: 3 }.into());
		next_session();
		assert_eq!((running(), disabled()), (vec![1, 3, 4], vec![]));
	});
}

#[test]
fn a_key_change_does_not_enable_an_offender_again() {
	SessionsPerEra::set(10);
	TestExt::default().validators(4).build_and_execute(|| {
		next_session();
		next_session();
		rotate_keys(3, 77);
		next_session();
		// The changed keys are queued: the next rotation clears what is disabled.
		assert_eq!(equivocate(2, 7), Ok(()));
		next_session();
		assert_eq!(disabled(), vec![2]);
	});
}

#[test]
fn the_only_validator_and_too_many_of_a_set_are_not_disabled_but_jailed() {
	TestExt::default().validators(1).build_and_execute(|| {
		assert_eq!(equivocate(1, 7), Ok(()));
		assert_eq!(disabled(), Vec::<u64>::new());
		assert!(ledger(1).jail.is_some());
		next_era();
		assert_eq!(running(), vec![1], "a chain needs somebody");
	});
}

#[test]
fn one_fault_is_punished_once_however_often_it_is_reported() {
	TestExt::default().validators(4).build_and_execute(|| {
		assert_eq!(equivocate(2, 7), Ok(()));
		assert_eq!(equivocate(2, 7), Err(OffenceError::DuplicateReport));
		// Two machines with one key do so in slot after slot.
		for slot in 8..20 {
			assert_eq!(equivocate(2, slot), Ok(()));
		}
		assert_eq!((Slashes::<Test>::iter().count(), due(0)), (1, 1_000));
		assert_eq!(ledger(2).pending, 1);
	});
}

#[test]
fn each_session_is_a_fault_of_its_own() {
	TestExt::default().validators(4).build_and_execute(|| {
		assert_eq!(equivocate(2, 7), Ok(()));
		next_session();
		assert_eq!(equivocate(2, 8), Ok(()));
		assert_eq!((due(0), due(1), ledger(2).pending), (1_000, 1_000, 2));
	});
}

#[test]
fn those_that_offend_together_lose_more_than_each_alone() {
	TestExt::default().validators(4).build_and_execute(|| {
		assert_eq!(equivocate(2, 7), Ok(()));
		assert_eq!(equivocate(3, 7), Ok(()));
		// The later report raises the share of the earlier offender, too.
		assert_eq!((due(0), due(1)), (2_000, 2_000));
		assert_eq!((ledger(2).pending, ledger(3).pending), (1, 1));
	});
}

#[test]
fn what_a_raised_share_adds_to_an_enacted_slash_is_a_slash_of_its_own() {
	SlashDelay::set(0);
	TestExt::default().validators(4).build_and_execute(|| {
		assert_eq!(equivocate(2, 7), Ok(()));
		next_block();
		assert_eq!(held(2), 9_000);
		assert_eq!(equivocate(3, 7), Ok(()));
		next_block();
		assert_eq!((held(2), held(3)), (8_000, 8_000), "a fifth of what was held at first");
	});
}

#[test]
fn a_slash_reaches_what_unbonds() {
	SlashDelay::set(0);
	TestExt::default().validators(4).build_and_execute(|| {
		assert_ok!(Validators::leave(RuntimeOrigin::signed(2)));
		assert_eq!(equivocate(2, 7), Ok(()));
		next_block();
		assert_eq!((held(2), ledger(2).unbonding_total()), (9_000, 9_000));
		assert_eq!(ledger(2).standing, Standing::Leaving);
	});
}

#[test]
fn after_its_time_and_its_slash_an_offender_stands_again() {
	JailEras::set(3);
	TestExt::default().validators(4).build_and_execute(|| {
		assert_eq!(equivocate(2, 7), Ok(()));
		assert_noop!(stand(2), Error::<Test>::InJail);
		next_era();
		next_era();
		// The slash was enacted in era 2.
		assert_eq!(ledger(2).pending, 0);
		assert_noop!(stand(2), Error::<Test>::InJail);
		next_era();
		assert_eq!(running(), vec![1, 3, 4]);
		assert_ok!(stand(2));
		assert_eq!(ledger(2).jail, None);
		next_era();
		assert_eq!(running(), vec![1, 2, 3, 4]);
	});
}

#[test]
fn an_offender_does_not_stand_again_before_its_slash() {
	SlashDelay::set(4);
	TestExt::default().validators(4).build_and_execute(|| {
		assert_eq!(equivocate(2, 7), Ok(()));
		next_era();
		assert_noop!(stand(2), Error::<Test>::SlashPending);
		assert_ok!(Validators::cancel_slash(RuntimeOrigin::root(), 0));
		assert_ok!(stand(2));
	});
}

#[test]
fn leaving_and_registering_anew_does_not_shorten_jail() {
	TestExt::default().validators(4).build_and_execute(|| {
		assert_eq!(equivocate(2, 7), Ok(()));
		assert_ok!(Validators::leave(RuntimeOrigin::signed(2)));
		assert_noop!(register(2, MIN), Error::<Test>::InJail);
		next_era();
		assert_noop!(register(2, MIN), Error::<Test>::SlashPending);
		next_era();
		assert_ok!(register(2, MIN));
	});
}

#[test]
fn an_offender_without_a_bond_is_still_taken_out() {
	SessionsPerEra::set(10);
	TestExt::default().validators(3).unwilling(9).build_and_execute(|| {
		assert_eq!(equivocate(9, 7), Ok(()));
		assert_eq!(disabled(), vec![9]);
		assert!(Validators::pending_slashes().is_empty());
		next_session();
		next_session();
		assert_eq!(running(), vec![1, 2, 3]);
	});
}

#[test]
fn faults_are_remembered_as_long_as_they_can_be_reported() {
	TestExt::default().validators(4).build_and_execute(|| {
		assert_eq!(equivocate(2, 7), Ok(()));
		for _ in 0..=REPORTABLE {
			next_session();
		}
		assert_eq!(Faults::<Test>::iter_prefix(0).count(), 1);
		next_session();
		assert_eq!(Faults::<Test>::iter_prefix(0).count(), 0);
	});
}
