// SPDX-License-Identifier: Apache-2.0

use crate::{mock::*, Burned, FeeHandler};
use frame_support::traits::{
	fungible::Balanced,
	tokens::{Fortitude, Precision, Preservation},
	Imbalance, OnUnbalanced,
};
use sp_runtime::Permill;
use tensornet_protocol::BurnCause;

/// Takes `fee` and `tip` from account 1 and shares them, as transaction payment does. Returns what
/// the treasury and the author 98 gained and what was burned.
fn charge(fee: u64, tip: u64) -> (u64, u64, u64) {
	let before = (Balances::free_balance(Treasury::get()), Balances::free_balance(BLOCK_AUTHOR));
	let burned = Burned::<Test>::get(BurnCause::Fee);
	let issuance = Balances::total_issuance();
	let credit = Balances::withdraw(
		&1,
		fee + tip,
		Precision::Exact,
		Preservation::Preserve,
		Fortitude::Polite,
	)
	.expect("account 1 can pay");
	let (tip, fee) = credit.split(tip);
	FeeHandler::<Test>::on_unbalanceds(Some(fee).into_iter().chain(Some(tip)));

	let burned = Burned::<Test>::get(BurnCause::Fee) - burned;
	assert_eq!(Balances::total_issuance(), issuance - burned, "only what is burned is gone");
	(
		Balances::free_balance(Treasury::get()) - before.0,
		Balances::free_balance(BLOCK_AUTHOR) - before.1,
		burned,
	)
}

#[test]
fn a_fee_is_shared_three_ways() {
	TestExt::default().endow(1, 10_000).build_and_execute(|| {
		assert_eq!(charge(1_000, 0), (300, 200, 500));
	});
}

#[test]
fn a_tip_is_shared_as_the_fee_is() {
	TestExt::default().endow(1, 10_000).build_and_execute(|| {
		assert_eq!(charge(600, 400), (300, 200, 500));
	});
}

#[test]
fn the_author_gets_what_rounding_leaves() {
	TestExt::default().endow(1, 10_000).build_and_execute(|| {
		assert_eq!(charge(999, 0), (299, 201, 499));
		assert_eq!(charge(1, 0), (0, 1, 0));
	});
}

#[test]
fn without_an_author_its_part_is_burned() {
	TestExt::default().endow(1, 10_000).build_and_execute(|| {
		Author::set(None);
		assert_eq!(charge(1_000, 0), (300, 0, 700));
	});
}

#[test]
fn the_part_of_an_author_that_cannot_receive_is_burned() {
	TestExt::default().endow(1, 10_000).build_and_execute(|| {
		Author::set(Some(50));
		assert_eq!(charge(42, 0), (12, 0, 21 + (ED - 1)));
		assert_eq!(Balances::free_balance(50), 0);
		assert_eq!(charge(5 * ED, 0), (15, 0, 25));
		assert_eq!(Balances::free_balance(50), ED);
	});
}

#[test]
fn the_part_of_a_treasury_that_cannot_receive_is_burned() {
	TestExt::default().endow(1, 10_000).build_and_execute(|| {
		Treasury::set(51);
		assert_eq!(charge(20, 0), (0, 4, 16));
	});
}

#[test]
fn nothing_is_shared_where_nothing_was_paid() {
	TestExt::default().endow(1, 10_000).build_and_execute(|| {
		assert_eq!(charge(0, 0), (0, 0, 0));
		assert!(!Burned::<Test>::contains_key(BurnCause::Fee));
	});
}

#[test]
fn every_fee_is_conserved_under_every_setting_of_the_shares() {
	TestExt::default().endow(1, 5_000_000).build_and_execute(|| {
		for (burn, treasury) in
			[(0, 0), (1_000_000, 0), (0, 1_000_000), (333_333, 333_333), (1, 999_999), (123_456, 7)]
		{
			FeeBurn::set(Permill::from_parts(burn));
			FeeTreasury::set(Permill::from_parts(treasury));
			for fee in [1, 2, 3, 7, 9, 10, 99, 1_000, 12_345, 99_999] {
				for tip in [0, 1, 13] {
					let (treasury, author, burned) = charge(fee, tip);
					assert_eq!(treasury + author + burned, fee + tip);
				}
			}
		}
	});
}

#[test]
fn shares_above_the_whole_take_no_more_than_the_fee() {
	TestExt::default().endow(1, 10_000).build().execute_with(|| {
		FeeBurn::set(Permill::from_percent(80));
		FeeTreasury::set(Permill::from_percent(80));
		assert_eq!(charge(1_000, 0), (200, 0, 800));
	});
}
