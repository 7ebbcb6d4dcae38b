// SPDX-License-Identifier: Apache-2.0

use crate::{mock::*, Error};
use frame_support::{assert_noop, assert_ok};
use tensornet_protocol::{Capability, Conduct};

fn capable(giga_macs: u32) -> Capability {
	Capability { giga_macs, ..capability() }
}

fn register_as(giga_macs: u32, bond: u64) -> frame_support::pallet_prelude::DispatchResult {
	Staking::register_node(by(1), 77, ASK, capable(giga_macs), endpoint("x"), bond)
}

#[test]
fn a_faster_node_bonds_more_to_register() {
	TestExt::default().endow(1, 20_000).build_and_execute(|| {
		assert_noop!(register_as(10_000, 5 * MIN - 1), Error::<Test>::BondTooSmall);
		assert_noop!(register_as(9_999, 2 * MIN - 1), Error::<Test>::BondTooSmall);
		assert_noop!(register_as(999, MIN - 1), Error::<Test>::BondTooSmall);
		assert_eq!(Staking::bond_for(capable(9_999)), 2 * MIN);
		assert_ok!(register_as(9_999, 2 * MIN));
	});
}

#[test]
fn a_node_claims_no_tier_that_its_bond_does_not_cover() {
	TestExt::default().node(1, 2 * MIN).build_and_execute(|| {
		let update = |giga_macs| Staking::update_node(by(1), None, None, Some(capable(giga_macs)));
		assert_noop!(update(10_000), Error::<Test>::BondTooSmall);
		assert_ok!(update(9_999));
		assert_noop!(Staking::unbond(by(1), 1), Error::<Test>::BondTooSmall);
		assert_ok!(update(10));
		assert_ok!(Staking::unbond(by(1), MIN));
	});
}

#[test]
fn a_slashed_node_falls_out_of_its_tier() {
	TestExt::default().node(1, 2 * MIN).build_and_execute(|| {
		assert_ok!(Staking::update_node(by(1), None, None, Some(capable(1_000))));
		judge(1, Conduct::Silent);
		assert!(!node(1).is_online());
		assert_noop!(Staking::set_online(by(1), true), Error::<Test>::BondTooSmall);
		assert_ok!(Staking::update_node(by(1), Some(7), None, None));
		assert_ok!(Staking::update_node(by(1), None, None, Some(capable(999))));
		assert_ok!(Staking::set_online(by(1), true));
	});
}
