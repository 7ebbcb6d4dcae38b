// SPDX-License-Identifier: Apache-2.0

use crate::{mock::*, Error, Event, MAX_UNBONDING};
use frame_support::{assert_noop, assert_ok};
use sp_runtime::{traits::BadOrigin, TokenError};

fn signed() -> RuntimeOrigin {
	RuntimeOrigin::signed(1)
}

#[test]
fn a_bond_grows_by_what_is_held() {
	TestExt::default().candidate(1, 3_000).build_and_execute(|| {
		assert_ok!(Validators::bond_more(signed(), 500));
		assert_eq!((ledger(1).bond, held(1)), (3_500, 3_500));
		System::assert_last_event(Event::Bonded { stash: 1, amount: 500, bond: 3_500 }.into());
		assert_noop!(Validators::bond_more(signed(), 0), Error::<Test>::ZeroAmount);
		assert_noop!(Validators::bond_more(signed(), 5_000), TokenError::FundsUnavailable);
		assert_noop!(Validators::bond_more(RuntimeOrigin::root(), 1), BadOrigin);
	});
}

#[test]
fn what_unbonds_stays_held_and_counts_no_more() {
	TestExt::default().candidate(1, 3_000).build_and_execute(|| {
		assert_ok!(Validators::unbond(signed(), 500));
		assert_eq!((ledger(1).bond, ledger(1).unbonding_total(), held(1)), (2_500, 500, 3_000));
		assert_eq!(Validators::candidates()[0].stake, 2_500);
		System::assert_last_event(
			Event::Unbonded { stash: 1, amount: 500, unlock_at: 1 + PERIOD }.into(),
		);
	});
}

#[test]
fn the_bond_stays_at_the_minimum() {
	TestExt::default().candidate(1, 3_000).build_and_execute(|| {
		assert_noop!(Validators::unbond(signed(), 2_001), Error::<Test>::BondTooSmall);
		assert_noop!(Validators::unbond(signed(), 3_001), Error::<Test>::BondTooSmall);
		assert_noop!(Validators::unbond(signed(), 0), Error::<Test>::ZeroAmount);
		assert_ok!(Validators::unbond(signed(), 2_000));
	});
}

#[test]
fn a_leaver_neither_bonds_nor_unbonds() {
	TestExt::default().candidate(1, 3_000).build_and_execute(|| {
		assert_ok!(Validators::leave(signed()));
		assert_noop!(Validators::bond_more(signed(), 5), Error::<Test>::Leaving);
		assert_noop!(Validators::unbond(signed(), 5), Error::<Test>::Leaving);
	});
}

#[test]
fn one_place_for_a_chunk_is_kept_for_leaving() {
	TestExt::default().candidate(1, 3_000).build_and_execute(|| {
		for _ in 1..MAX_UNBONDING {
			assert_ok!(Validators::unbond(signed(), 10));
			pass_blocks(1);
		}
		assert_noop!(Validators::unbond(signed(), 10), Error::<Test>::TooManyChunks);
		assert_ok!(Validators::leave(signed()));
		assert_eq!(ledger(1).unbonding.len() as u32, MAX_UNBONDING);
		assert_eq!(ledger(1).unbonding_total(), 3_000);
	});
}

#[test]
fn chunks_of_one_block_become_one() {
	TestExt::default().candidate(1, 3_000).build_and_execute(|| {
		for _ in 0..30 {
			assert_ok!(Validators::unbond(signed(), 10));
		}
		assert_eq!(ledger(1).unbonding.len(), 1);
	});
}

#[test]
fn only_what_is_unlocked_is_withdrawn() {
	TestExt::default().candidate(1, 3_000).build_and_execute(|| {
		assert_ok!(Validators::unbond(signed(), 500));
		pass_blocks(10);
		assert_ok!(Validators::unbond(signed(), 700));
		pass_blocks(PERIOD - 11);
		assert_noop!(Validators::withdraw_unbonded(signed()), Error::<Test>::NothingUnlocked);
		pass_blocks(1);
		assert_ok!(Validators::withdraw_unbonded(signed()));
		System::assert_last_event(Event::Withdrawn { stash: 1, amount: 500 }.into());
		assert_eq!((held(1), ledger(1).unbonding_total()), (2_500, 700));
	});
}

#[test]
fn nothing_is_withdrawn_while_a_slash_waits() {
	TestExt::default().validators(4).build_and_execute(|| {
		assert_ok!(Validators::unbond(signed(), 500));
		pass_blocks(PERIOD);
		assert_eq!(equivocate(1, 7), Ok(()));
		assert_noop!(Validators::withdraw_unbonded(signed()), Error::<Test>::SlashPending);
		assert_ok!(Validators::cancel_slash(RuntimeOrigin::root(), 0));
		assert_ok!(Validators::withdraw_unbonded(signed()));
	});
}
