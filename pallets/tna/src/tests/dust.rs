// SPDX-License-Identifier: Apache-2.0

use crate::{mock::*, Burned};
use frame_support::assert_ok;
use tensornet_protocol::BurnCause;

#[test]
fn the_dust_of_a_reaped_account_is_in_the_ledger() {
	TestExt::default().endow(1, 1_000).endow(2, ED).build_and_execute(|| {
		let issuance = Balances::total_issuance();
		assert_ok!(Balances::transfer_allow_death(RuntimeOrigin::signed(1), 2, 1_000 - ED + 1));
		assert_eq!(Balances::free_balance(1), 0);
		assert_eq!(Burned::<Test>::get(BurnCause::Dust), ED - 1);
		assert_eq!(Balances::total_issuance(), issuance - (ED - 1));
	});
}

#[test]
fn an_account_that_keeps_the_deposit_leaves_no_dust() {
	TestExt::default().endow(1, 1_000).endow(2, ED).build_and_execute(|| {
		assert_ok!(Balances::transfer_allow_death(RuntimeOrigin::signed(1), 2, 1_000 - ED));
		assert_eq!(Balances::free_balance(1), ED);
		assert_eq!(Burned::<Test>::get(BurnCause::Dust), 0);
	});
}
