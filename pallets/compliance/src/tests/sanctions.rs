// SPDX-License-Identifier: Apache-2.0

use crate::{mock::*, Error, Event};
use frame_support::{assert_noop, assert_ok};
use sp_runtime::traits::BadOrigin;
use tensornet_protocol::{Compliance as _, Hash, Role};

#[test]
fn a_sanctioned_account_enters_nothing_whatever_its_level() {
	execute(|| {
		registrar(1);
		assert_ok!(attest(1, 7, 4, 50));
		let reason = Hash::repeat_byte(3);
		assert_ok!(Compliance::sanction(RuntimeOrigin::root(), 7, reason));
		assert_eq!(events().last(), Some(&Event::Sanctioned { who: 7, reason }));
		for role in [Role::Node, Role::Requester, Role::Developer, Role::Delegator] {
			assert!(!Compliance::admits(&7, role));
		}
		assert_ok!(Compliance::lift(RuntimeOrigin::root(), 7));
		assert!(Compliance::admits(&7, Role::Node));
	});
}

#[test]
fn only_governance_keeps_the_list() {
	execute(|| {
		registrar(1);
		assert_noop!(Compliance::sanction(signed(1), 7, Hash::zero()), BadOrigin);
		assert_ok!(Compliance::sanction(RuntimeOrigin::root(), 7, Hash::zero()));
		assert_noop!(Compliance::lift(signed(7), 7), BadOrigin);
	});
}

#[test]
fn the_list_names_an_account_once() {
	execute(|| {
		assert_ok!(Compliance::sanction(RuntimeOrigin::root(), 7, Hash::zero()));
		assert_noop!(
			Compliance::sanction(RuntimeOrigin::root(), 7, Hash::zero()),
			Error::<Test>::AlreadySanctioned
		);
		assert_ok!(Compliance::lift(RuntimeOrigin::root(), 7));
		assert_noop!(Compliance::lift(RuntimeOrigin::root(), 7), Error::<Test>::NotSanctioned);
	});
}

#[test]
fn a_sanctioned_registrar_still_gets_its_deposit_back() {
	execute(|| {
		registrar(1);
		assert_ok!(Compliance::sanction(RuntimeOrigin::root(), 1, Hash::zero()));
		assert_ok!(Compliance::resign(signed(1)));
		assert_eq!(Balances::free_balance(1), FUNDS);
	});
}
