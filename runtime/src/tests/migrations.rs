// SPDX-License-Identifier: Apache-2.0

//! What upgrades promise: nobody loses what was earned under the runtime before.

use super::{
	economy::{ledger_is_whole, live, pass_era, rare_audits, register_node, register_program},
	*,
};
use crate::migrations::{
	job_burn::{after, before, EraBurnTotal},
	SingleBlock,
};
use frame_support::traits::{GetStorageVersion, OnRuntimeUpgrade, StorageVersion};
use pallet_tensornet_tna::EraJobBurn;
use sp_keyring::Sr25519Keyring::{Dave, Eve};
use sp_runtime::TryRuntimeError;
use tensornet_protocol::EraIndex;

/// A chain on which Eve's node earned in an era that is over, and a job of the running one is settled.
/// Returns the ended era.
fn earned() -> EraIndex {
	start_first_block();
	rare_audits();
	let program = register_program(Dave);
	register_node(Eve, 100 * UNIT);
	live(Bob, Eve, program, 100 * UNIT);
	let ended = pass_era();
	live(Bob, Eve, program, 100 * UNIT);
	ended
}

/// Puts the counts where version 1 had them, and says that this is version 1.
fn back_to_version_1() {
	let running = Validators::era().index;
	for (era, burned) in EraJobBurn::<Runtime>::iter().collect::<Vec<_>>() {
		EraBurnTotal::insert(era, burned);
		if era != running {
			EraJobBurn::<Runtime>::remove(era);
		}
	}
	StorageVersion::new(1).put::<ComputeStaking>();
}

fn claim(era: EraIndex) -> Balance {
	let eve = Eve.to_account_id();
	let before = Balances::free_balance(&eve);
	assert_ok!(ComputeStaking::claim_rewards(
		RuntimeOrigin::signed(Bob.to_account_id()),
		eve.clone(),
		era
	));
	Balances::free_balance(&eve) - before
}

#[test]
fn every_pallet_of_ours_states_the_version_of_its_storage_and_genesis_writes_it() {
	fn versions<P: GetStorageVersion<InCodeStorageVersion = StorageVersion>>() -> [StorageVersion; 2]
	{
		[P::in_code_storage_version(), P::on_chain_storage_version()]
	}
	development().execute_with(|| {
		for (name, [code, chain]) in [
			(Tna::name(), versions::<Tna>()),
			(ComputeStaking::name(), versions::<ComputeStaking>()),
			(Escrow::name(), versions::<Escrow>()),
			(Poc::name(), versions::<Poc>()),
			(Validators::name(), versions::<Validators>()),
			(Compliance::name(), versions::<Compliance>()),
			(ConsensusChain::name(), versions::<ConsensusChain>()),
			(Governance::name(), versions::<Governance>()),
		] {
			assert!(code >= StorageVersion::new(1), "{name} states no version");
			assert_eq!(code, chain, "{name} begins with another version");
		}
	});
}

#[test]
fn rewards_of_eras_before_the_upgrade_are_paid_after_it() {
	development().execute_with(|| {
		let era = earned();
		back_to_version_1();
		assert_eq!(
			EraJobBurn::<Runtime>::get(era),
			0,
			"without the migration there is nothing to claim from"
		);
		let checked = before().expect("the state is as version 1 left it");
		assert_eq!(checked.kept, vec![(era, 10 * UNIT)]);

		let weight = Executive::execute_on_runtime_upgrade();

		assert_ok!(after(&checked));
		assert_eq!(ComputeStaking::on_chain_storage_version(), StorageVersion::new(2));
		assert!(weight.ref_time() > 0 && weight.all_lt(MAXIMUM_BLOCK_WEIGHT));
		assert_ok!(ComputeStaking::do_try_state());
		assert_ok!(Tna::do_try_state());
		// Half of what its jobs burned, which is a tenth of the price.
		assert_eq!(claim(era), 5 * UNIT);
		ledger_is_whole();
	});
}

#[test]
fn it_gives_what_the_count_would_have_been() {
	let root = |migrated: bool| {
		let mut ext = development();
		ext.execute_with(|| {
			let era = earned();
			if migrated {
				back_to_version_1();
				SingleBlock::on_runtime_upgrade();
			}
			claim(era);
			sp_io::storage::root(sp_core::storage::StateVersion::V1)
		})
	};
	assert_eq!(root(true), root(false), "to the last byte of the state");
}

#[test]
fn a_second_upgrade_finds_nothing_to_do() {
	development().execute_with(|| {
		earned();
		back_to_version_1();
		SingleBlock::on_runtime_upgrade();
		let kept: Vec<_> = EraJobBurn::<Runtime>::iter().collect();
		EraBurnTotal::insert(77, UNIT);
		SingleBlock::on_runtime_upgrade();
		assert_eq!(EraBurnTotal::get(77), Some(UNIT), "it did not run again");
		assert_eq!(EraJobBurn::<Runtime>::iter().collect::<Vec<_>>(), kept);
	});
}

#[test]
fn counts_of_eras_that_lapsed_are_dropped() {
	development().execute_with(|| {
		earned();
		back_to_version_1();
		let lapsed = 1_000;
		EraBurnTotal::insert(lapsed, UNIT);
		let checked = before().unwrap();
		SingleBlock::on_runtime_upgrade();
		assert_ok!(after(&checked));
		assert!(!EraJobBurn::<Runtime>::contains_key(lapsed));
	});
}

#[test]
fn the_checks_notice_a_state_that_is_not_version_1s_and_a_move_that_lost_something() {
	development().execute_with(|| {
		let era = earned();
		back_to_version_1();
		let checked = before().unwrap();
		assert_eq!(after(&checked), Err(TryRuntimeError::Other("a count was left behind")));

		SingleBlock::on_runtime_upgrade();
		EraJobBurn::<Runtime>::mutate(era, |burned| *burned -= 1);
		assert_eq!(after(&checked), Err(TryRuntimeError::Other("a count is not what it was")));

		EraBurnTotal::insert(Validators::era().index, 1);
		assert_eq!(
			before(),
			Err(TryRuntimeError::Other("the two counts of the running era are not equal"))
		);
	});
}

#[test]
fn a_state_that_is_up_to_date_is_left_alone() {
	development().execute_with(|| {
		earned();
		let read = <Runtime as frame_system::Config>::DbWeight::get().reads(1);
		assert_eq!(SingleBlock::on_runtime_upgrade(), read);
	});
}

#[cfg(feature = "try-runtime")]
#[test]
fn try_runtime_runs_it_between_its_checks() {
	development().execute_with(|| {
		let era = earned();
		back_to_version_1();
		let weight =
			Executive::try_runtime_upgrade(frame_try_runtime::UpgradeCheckSelect::PreAndPost);
		assert!(weight.expect("both checks pass").all_lt(MAXIMUM_BLOCK_WEIGHT));
		assert_eq!(claim(era), 5 * UNIT);
	});
}
