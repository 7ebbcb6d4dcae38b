// SPDX-License-Identifier: Apache-2.0

use crate::{mock::*, Emitted, Error, Event};
use frame_support::{assert_noop, assert_ok};
use sp_runtime::TokenError;

#[test]
fn emission_is_recorded() {
	TestExt::default().build_and_execute(|| {
		let issuance = Balances::total_issuance();
		assert_ok!(Tna::emit(&1, 500));
		assert_ok!(Tna::emit(&1, 20));
		assert_eq!(Balances::free_balance(1), 520);
		assert_eq!(Balances::total_issuance(), issuance + 520);
		assert_eq!(Emitted::<Test>::get(), 520);
		System::assert_last_event(Event::Emitted { to: 1, amount: 20 }.into());
	});
}

#[test]
fn emission_stops_at_the_cap() {
	TestExt::default().build_and_execute(|| {
		let issuance = Balances::total_issuance();
		MaxSupply::set(issuance + 100);
		assert_noop!(Tna::emit(&1, 101), Error::<Test>::SupplyExhausted);
		assert_noop!(Tna::emit(&1, u64::MAX), Error::<Test>::SupplyExhausted);
		assert_ok!(Tna::emit(&1, 100));
		assert_noop!(Tna::emit(&1, 1), Error::<Test>::SupplyExhausted);
	});
}

#[test]
fn what_was_burned_makes_room_under_the_cap() {
	TestExt::default().endow(1, 1_000).build_and_execute(|| {
		MaxSupply::set(Balances::total_issuance());
		assert_noop!(Tna::emit(&1, 1), Error::<Test>::SupplyExhausted);
		assert_ok!(Tna::burn(RuntimeOrigin::signed(1), 30));
		assert_ok!(Tna::emit(&1, 30));
	});
}

#[test]
fn emission_below_the_deposit_of_a_new_account_fails() {
	TestExt::default().build_and_execute(|| {
		assert_noop!(Tna::emit(&1, ED - 1), TokenError::BelowMinimum);
	});
}
