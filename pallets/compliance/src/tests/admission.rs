// SPDX-License-Identifier: Apache-2.0

use crate::mock::*;
use frame_support::assert_ok;
use tensornet_protocol::{Compliance as _, Role};

#[test]
fn where_nothing_is_required_everybody_may_enter() {
	execute(|| {
		for role in [Role::Node, Role::Requester, Role::Developer, Role::Delegator] {
			assert!(Compliance::admits(&7, role));
		}
	});
}

#[test]
fn a_role_admits_those_with_its_level() {
	execute(|| {
		registrar(1);
		RequiredLevel::set(2);
		assert!(!Compliance::admits(&7, Role::Node));
		assert!(Compliance::admits(&7, Role::Requester));
		assert_ok!(attest(1, 7, 1, 50));
		assert!(!Compliance::admits(&7, Role::Node));
		assert_ok!(attest(1, 7, 2, 50));
		assert!(Compliance::admits(&7, Role::Node));
		System::set_block_number(50);
		assert!(!Compliance::admits(&7, Role::Node));
	});
}

#[test]
fn the_views_say_the_same() {
	execute(|| {
		registrar(1);
		RequiredLevel::set(2);
		assert_ok!(attest(1, 7, 1, 50));
		assert_eq!((Compliance::level_of(7), Compliance::required(Role::Node)), (1, 2));
		assert!(!Compliance::may_enter(7, Role::Node));
		assert!(Compliance::may_enter(7, Role::Delegator));
	});
}
