// SPDX-License-Identifier: Apache-2.0

use crate::{mock::*, Burned, Error, Event};
use frame_support::{assert_noop, assert_ok};
use sp_runtime::{traits::BadOrigin, TokenError};
use tensornet_protocol::BurnCause;

#[test]
fn burning_lowers_the_issuance_and_is_in_the_ledger() {
	TestExt::default().endow(1, 1_000).build_and_execute(|| {
		let issuance = Balances::total_issuance();
		assert_ok!(Tna::burn(RuntimeOrigin::signed(1), 400));
		assert_eq!(Balances::free_balance(1), 600);
		assert_eq!(Balances::total_issuance(), issuance - 400);
		assert_eq!(Burned::<Test>::get(BurnCause::Voluntary), 400);
		System::assert_last_event(
			Event::Burned { cause: BurnCause::Voluntary, amount: 400, who: Some(1) }.into(),
		);

		assert_ok!(Tna::burn(RuntimeOrigin::signed(1), 1));
		assert_eq!(Burned::<Test>::get(BurnCause::Voluntary), 401);
	});
}

#[test]
fn burning_leaves_the_existential_deposit() {
	TestExt::default().endow(1, 1_000).build_and_execute(|| {
		let all_but = |left| Tna::burn(RuntimeOrigin::signed(1), 1_000 - left);
		assert_noop!(all_but(ED - 1), TokenError::FundsUnavailable);
		assert_ok!(all_but(ED));
		assert_eq!(Balances::free_balance(1), ED);
	});
}

#[test]
fn burning_nothing_fails() {
	TestExt::default().endow(1, 1_000).build_and_execute(|| {
		assert_noop!(Tna::burn(RuntimeOrigin::signed(1), 0), Error::<Test>::ZeroAmount);
	});
}

#[test]
fn burning_more_than_one_has_fails() {
	TestExt::default().endow(1, 1_000).build_and_execute(|| {
		assert_noop!(Tna::burn(RuntimeOrigin::signed(1), 1_001), TokenError::FundsUnavailable);
		assert_noop!(Tna::burn(RuntimeOrigin::signed(2), 1), TokenError::FundsUnavailable);
	});
}

#[test]
fn only_a_signed_account_burns() {
	TestExt::default().build_and_execute(|| {
		assert_noop!(Tna::burn(RuntimeOrigin::root(), 1), BadOrigin);
		assert_noop!(Tna::burn(RuntimeOrigin::none(), 1), BadOrigin);
	});
}
