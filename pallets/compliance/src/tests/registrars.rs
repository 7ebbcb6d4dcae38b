// SPDX-License-Identifier: Apache-2.0

use crate::{mock::*, Error, Event, Registrars, Standing};
use frame_support::{assert_noop, assert_ok, traits::fungible::InspectHold};
use sp_runtime::{traits::BadOrigin, Permill};

fn held(who: u64) -> u64 {
	Balances::balance_on_hold(&crate::HoldReason::Registrar.into(), &who)
}

#[test]
fn an_applicant_puts_down_its_deposit_and_waits() {
	execute(|| {
		assert_ok!(Compliance::apply(signed(1)));
		assert_eq!(held(1), DEPOSIT);
		assert_eq!(Registrars::<Test>::get(1).unwrap().standing, Standing::Applicant);
		assert_eq!(events(), vec![Event::RegistrarApplied { registrar: 1, deposit: DEPOSIT }]);
		assert_noop!(attest(1, 2, 1, 50), Error::<Test>::NotAppointed);
		assert_noop!(Compliance::apply(signed(1)), Error::<Test>::AlreadyRegistrar);
	});
}

#[test]
fn without_the_deposit_there_is_no_application() {
	execute(|| {
		assert!(Compliance::apply(signed(50)).is_err());
		assert!(!Registrars::<Test>::contains_key(50));
	});
}

#[test]
fn only_governance_appoints_and_only_applicants() {
	execute(|| {
		assert_ok!(Compliance::apply(signed(1)));
		assert_noop!(Compliance::appoint(signed(1), 1), BadOrigin);
		assert_noop!(
			Compliance::appoint(RuntimeOrigin::root(), 2),
			Error::<Test>::UnknownRegistrar
		);
		assert_ok!(Compliance::appoint(RuntimeOrigin::root(), 1));
		assert_noop!(
			Compliance::appoint(RuntimeOrigin::root(), 1),
			Error::<Test>::AlreadyRegistrar
		);
	});
}

#[test]
fn who_resigns_gets_the_whole_deposit_back() {
	execute(|| {
		registrar(1);
		assert_ok!(Compliance::resign(signed(1)));
		assert_eq!((held(1), Balances::free_balance(1)), (0, FUNDS));
		assert_eq!(
			events().last(),
			Some(&Event::RegistrarGone { registrar: 1, released: DEPOSIT, kept: 0 })
		);
		assert_noop!(Compliance::resign(signed(1)), Error::<Test>::UnknownRegistrar);
	});
}

#[test]
fn a_dismissal_may_keep_a_part_for_the_treasury() {
	execute(|| {
		registrar(1);
		assert_noop!(Compliance::dismiss(signed(2), 1, Permill::one()), BadOrigin);
		assert_ok!(Compliance::dismiss(RuntimeOrigin::root(), 1, Permill::from_percent(30)));
		assert_eq!(Balances::free_balance(1), FUNDS - 150);
		assert_eq!(Balances::free_balance(TREASURY), ED + 150);
		assert_noop!(
			Compliance::dismiss(RuntimeOrigin::root(), 1, Permill::one()),
			Error::<Test>::UnknownRegistrar
		);
	});
}
