// SPDX-License-Identifier: Apache-2.0

//! What the chain promises to those who back nodes.

use super::*;
use crate::{
	configs::{
		parameters::dynamic_params::stake,
		tensornet::{Paced, TierBond},
	},
	genesis_config_presets::DEVELOPMENT_PACE,
	governance::origins::SlashAppeal,
	Balance,
};
use frame_support::traits::{
	fungible::{Inspect as _, InspectHold},
	EnsureOrigin, OnIdle,
};
use pallet_tensornet_staking::{Error, HoldReason, Nodes, PendingSlashes, Standing};
use sp_keyring::Sr25519Keyring::{self, Dave, Eve, Ferdie};
use sp_runtime::traits::Convert;
use tensornet_protocol::{Capability, Conduct, Nodes as _};

fn origin(who: Sr25519Keyring) -> RuntimeOrigin {
	RuntimeOrigin::signed(who.to_account_id())
}

fn register(who: Sr25519Keyring, bond: Balance) {
	let capability = Capability { memory_mib: 1, giga_macs: 1 };
	let operator = Sr25519Keyring::One.to_account_id();
	let endpoint = Default::default();
	assert_ok!(ComputeStaking::register_node(
		origin(who),
		operator,
		UNIT,
		capability,
		endpoint,
		bond
	));
}

/// Dave's node, backed by Eve, lies about a job of Ferdie's.
fn lie() {
	register(Dave, 4_000 * UNIT);
	assert_ok!(ComputeStaking::delegate(origin(Eve), Dave.to_account_id(), 1_000 * UNIT));
	let (node, requester) = (Dave.to_account_id(), Ferdie.to_account_id());
	ComputeStaking::job_taken(&node, UNIT);
	let slash = ComputeStaking::job_released(&node, UNIT, Conduct::Fraud, None, &requester);
	assert_eq!(slash.total, 2_000 * UNIT);
	assert_eq!(slash.to_requester, 400 * UNIT);
}

fn worth() -> Balance {
	ComputeStaking::delegation_worth(Dave.to_account_id(), Eve.to_account_id())
}

#[test]
fn delegated_stake_stays_with_its_owner_and_votes() {
	development().execute_with(|| {
		register(Dave, 4_000 * UNIT);
		let eve = Eve.to_account_id();
		let before = Balances::total_balance(&eve);
		assert_ok!(ComputeStaking::delegate(origin(Eve), Dave.to_account_id(), 1_000 * UNIT));
		assert_eq!(Balances::total_balance(&eve), before);
		let held = Balances::balance_on_hold(&HoldReason::Delegation.into(), &eve);
		assert_eq!(held, 1_000 * UNIT);
	});
}

#[test]
fn a_slash_waits_and_then_reaches_everybody_by_itself() {
	development().execute_with(|| {
		lie();
		let delay = Paced::<stake::SlashDelay>::get();
		assert_eq!(delay, stake::SlashDelay::get() / DEVELOPMENT_PACE);
		let ferdie = Ferdie.to_account_id();
		let before = Balances::free_balance(&ferdie);
		for (block, paid, left) in [(delay, 0, 1_000), (1 + delay, 400, 500)] {
			System::set_block_number(block);
			AllPalletsWithSystem::on_idle(block, frame_support::weights::Weight::MAX);
			assert_eq!(Balances::free_balance(&ferdie) - before, paid * UNIT);
			assert_eq!(worth(), left * UNIT);
		}
	});
}

#[test]
fn the_slash_appeal_track_cancels_a_slash_and_nobody_else_but_root_does() {
	development().execute_with(|| {
		lie();
		let node = Dave.to_account_id();
		let id = PendingSlashes::<Runtime>::get(&node)[0].id;
		assert_noop!(
			ComputeStaking::cancel_slash(origin(Dave), node.clone(), id),
			sp_runtime::traits::BadOrigin
		);
		let appeal: RuntimeOrigin = pallet_tensornet_governance::Origin::SlashAppeal.into();
		assert!(SlashAppeal::try_origin(appeal.clone()).is_ok());
		assert_ok!(ComputeStaking::cancel_slash(appeal, node.clone(), id));
		let record = Nodes::<Runtime>::get(&node).expect("it is registered");
		assert_eq!((record.bond, record.standing), (4_000 * UNIT, Standing::Active));
		assert_eq!(worth(), 1_000 * UNIT);
	});
}

#[test]
fn a_faster_node_needs_a_larger_bond() {
	development().execute_with(|| {
		let bond = |giga_macs| TierBond::convert(Capability { memory_mib: 1, giga_macs });
		assert_eq!(bond(TierBond::MIDDLE - 1), stake::MinBond::get());
		assert_eq!(bond(TierBond::MIDDLE), stake::MidTierBond::get());
		assert_eq!(bond(TierBond::HIGHEST - 1), stake::MidTierBond::get());
		assert_eq!(bond(u32::MAX), stake::HighTierBond::get());
		let least = stake::MinDelegation::get();
		register(Dave, 4_000 * UNIT);
		assert_noop!(
			ComputeStaking::delegate(origin(Eve), Dave.to_account_id(), least - 1),
			Error::<Runtime>::DelegationTooSmall
		);
	});
}
