// SPDX-License-Identifier: Apache-2.0

use crate::{mock::*, Burned, Event};
use frame_support::traits::{
	fungible::Mutate,
	tokens::{Fortitude, Precision, Preservation},
};
use sp_runtime::Permill;
use tensornet_protocol::{BurnCause, TokenPolicy};

#[test]
fn the_policy_is_the_configuration() {
	TestExt::default().build_and_execute(|| {
		let shares = Tna::shares();
		assert_eq!(shares.burn, Permill::from_percent(5));
		assert_eq!(shares.treasury, Permill::from_percent(3));
		assert_eq!(shares.author, Permill::from_percent(2));
		assert_eq!(shares.lineage, Permill::from_percent(4));
		assert_eq!(Tna::floor_ask(), 7);
		assert_eq!(Tna::treasury(), TREASURY_ACCOUNT);
	});
}

#[test]
fn burns_of_other_pallets_are_kept_by_cause() {
	TestExt::default().endow(1, 1_000).build_and_execute(|| {
		for (cause, amount) in [(BurnCause::Job, 30), (BurnCause::Slash, 50), (BurnCause::Job, 1)] {
			Balances::burn_from(
				&1,
				amount,
				Preservation::Preserve,
				Precision::Exact,
				Fortitude::Polite,
			)
			.expect("account 1 has it");
			Tna::burned(cause, amount);
			System::assert_last_event(Event::Burned { cause, amount, who: None }.into());
		}
		assert_eq!(Burned::<Test>::get(BurnCause::Job), 31);
		assert_eq!(Burned::<Test>::get(BurnCause::Slash), 50);
	});
}

#[test]
fn a_burn_of_nothing_leaves_no_trace() {
	TestExt::default().build_and_execute(|| {
		Tna::burned(BurnCause::Job, 0);
		assert!(!Burned::<Test>::contains_key(BurnCause::Job));
		assert!(System::events().is_empty());
	});
}
