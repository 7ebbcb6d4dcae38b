// SPDX-License-Identifier: Apache-2.0

use crate::{mock::*, Error, Event, MAX_UNBONDING};
use frame_support::{assert_noop, assert_ok};
use sp_runtime::traits::BadOrigin;
use tensornet_protocol::Nodes as _;

#[test]
fn what_unbonds_stays_held() {
	TestExt::default().node(1, 3_000).build_and_execute(|| {
		assert_ok!(Staking::unbond(RuntimeOrigin::signed(1), 500));
		let node = node(1);
		assert_eq!((node.bond, node.unbonding_total(), held(1)), (2_500, 500, 3_000));
		System::assert_last_event(
			Event::Unbonded { stash: 1, amount: 500, unlock_at: 1 + PERIOD }.into(),
		);
	});
}

#[test]
fn chunks_of_one_block_become_one() {
	TestExt::default().node(1, 3_000).build_and_execute(|| {
		for _ in 0..30 {
			assert_ok!(Staking::unbond(RuntimeOrigin::signed(1), 10));
		}
		assert_eq!(node(1).unbonding.len(), 1);
		assert_eq!(node(1).unbonding_total(), 300);
	});
}

#[test]
fn the_bond_stays_at_the_minimum_with_or_without_jobs() {
	TestExt::default().node(1, 3_000).build_and_execute(|| {
		assert_noop!(Staking::unbond(RuntimeOrigin::signed(1), 2_001), Error::<Test>::BondTooSmall);
		assert_noop!(Staking::unbond(RuntimeOrigin::signed(1), 3_001), Error::<Test>::BondTooSmall);
		Staking::job_taken(&1, 0);
		assert_noop!(Staking::unbond(RuntimeOrigin::signed(1), 2_001), Error::<Test>::BondTooSmall);
		assert_ok!(Staking::unbond(RuntimeOrigin::signed(1), 2_000));
		assert_eq!(node(1).bond, MIN);
	});
}

#[test]
fn nothing_cannot_be_unbonded() {
	TestExt::default().node(1, 3_000).build_and_execute(|| {
		assert_noop!(Staking::unbond(RuntimeOrigin::signed(1), 0), Error::<Test>::ZeroAmount);
	});
}

#[test]
fn one_place_for_a_chunk_is_kept_for_leaving() {
	TestExt::default().node(1, 3_000).build_and_execute(|| {
		for block in 1..u64::from(MAX_UNBONDING) {
			System::set_block_number(block);
			assert_ok!(Staking::unbond(RuntimeOrigin::signed(1), 10));
		}
		System::set_block_number(20);
		assert_noop!(Staking::unbond(RuntimeOrigin::signed(1), 10), Error::<Test>::TooManyChunks);
		assert_ok!(Staking::deregister_node(RuntimeOrigin::signed(1)));
		assert_eq!(node(1).unbonding.len() as u32, MAX_UNBONDING);
		assert_eq!(node(1).unbonding_total(), 3_000);
	});
}

#[test]
fn only_a_stash_with_a_node_unbonds() {
	TestExt::default().node(1, 3_000).build_and_execute(|| {
		assert_noop!(
			Staking::unbond(RuntimeOrigin::signed(OPERATOR + 1), 5),
			Error::<Test>::NotRegistered
		);
		assert_noop!(Staking::unbond(RuntimeOrigin::root(), 5), BadOrigin);
		assert_ok!(Staking::deregister_node(RuntimeOrigin::signed(1)));
		assert_noop!(Staking::unbond(RuntimeOrigin::signed(1), 5), Error::<Test>::Leaving);
	});
}
