// SPDX-License-Identifier: Apache-2.0

use crate::{mock::*, Error, Event};
use frame_support::{assert_noop, assert_ok};
use sp_runtime::traits::BadOrigin;

fn claim(validator: u64, era: u32) -> sp_runtime::DispatchResult {
	Validators::claim_validator_rewards(RuntimeOrigin::signed(REPORTER), validator, era)
}

#[test]
fn the_budget_is_shared_by_blocks_and_whoever_claims_pays_the_validator() {
	TestExt::default().validators(2).build_and_execute(|| {
		author(1, 30);
		author(2, 10);
		next_era();
		let before = (Balances::free_balance(1), Balances::free_balance(2));
		assert_ok!(claim(1, 0));
		System::assert_last_event(
			Event::RewardPaid { validator: 1, era: 0, points: 30, amount: 7_500 }.into(),
		);
		assert_ok!(claim(2, 0));
		let after = (Balances::free_balance(1), Balances::free_balance(2));
		assert_eq!((after.0 - before.0, after.1 - before.1), (7_500, 2_500));
		assert_eq!(Balances::free_balance(REPORTER), ED);
	});
}

#[test]
fn a_reward_is_paid_once() {
	TestExt::default().validators(2).build_and_execute(|| {
		author(1, 30);
		next_era();
		assert_ok!(claim(1, 0));
		assert_noop!(claim(1, 0), Error::<Test>::NothingToClaim);
		assert_eq!(Minted::get(), 10_000);
	});
}

#[test]
fn an_era_is_paid_after_it_is_over_and_before_it_lapses() {
	TestExt::default().validators(2).build_and_execute(|| {
		author(1, 1);
		assert_noop!(claim(1, 0), Error::<Test>::EraNotOver);
		for _ in 0..HISTORY {
			next_era();
		}
		assert_eq!(Validators::claimable(1), vec![(0, 10_000)]);
		next_era();
		assert_eq!(Validators::claimable(1), vec![]);
		assert_noop!(claim(1, 0), Error::<Test>::NothingToClaim);
	});
}

#[test]
fn who_authored_nothing_earns_nothing() {
	TestExt::default().validators(2).build_and_execute(|| {
		author(1, 1);
		next_era();
		assert_noop!(claim(2, 0), Error::<Test>::NothingToClaim);
		assert_noop!(Validators::claim_validator_rewards(RuntimeOrigin::root(), 1, 0), BadOrigin);
	});
}

#[test]
fn what_cannot_be_paid_now_can_be_claimed_later() {
	TestExt::default().validators(2).build_and_execute(|| {
		author(1, 1);
		next_era();
		Minting::set(false);
		assert_noop!(claim(1, 0), Error::<Test>::NothingToPay);
		Minting::set(true);
		Budget::set(0);
		assert_noop!(claim(1, 0), Error::<Test>::NothingToPay);
		Budget::set(10);
		assert_ok!(claim(1, 0));
	});
}

#[test]
fn all_shares_together_are_at_most_the_budget() {
	TestExt::default().validators(3).build_and_execute(|| {
		for (validator, blocks) in [(1, 7), (2, 11), (3, 13)] {
			author(validator, blocks);
		}
		Budget::set(1_000_003);
		next_era();
		for validator in 1..=3 {
			assert_ok!(claim(validator, 0));
		}
		assert!((1_000_000..=1_000_003).contains(&Minted::get()), "{}", Minted::get());
	});
}

#[test]
fn the_first_block_of_an_era_counts_in_it() {
	TestExt::default().validators(2).build_and_execute(|| {
		next_era();
		author(1, 1);
		next_era();
		assert_noop!(claim(1, 0), Error::<Test>::NothingToClaim);
		assert_ok!(claim(1, 1));
	});
}
