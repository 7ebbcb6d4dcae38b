// SPDX-License-Identifier: Apache-2.0

use crate::{
	mock::*, Budget, Budgets, Burned, Earned, Emitted, EraJobBurn, GenesisIssuance, ReserveLeft,
	Rewards,
};
use frame_support::{assert_ok, traits::fungible::Mutate};
use sp_runtime::{Permill, TryRuntimeError};
use tensornet_protocol::{BurnCause, RewardReason};

/// Corrupts the state and expects the check to say so.
fn fires(corrupt: impl FnOnce(), message: &'static str) {
	TestExt::default().endow(1, 1_000).build().execute_with(|| {
		assert_ok!(Tna::do_try_state());
		corrupt();
		assert_eq!(Tna::do_try_state(), Err(TryRuntimeError::Other(message)));
	});
}

#[test]
fn genesis_issuance_is_what_balances_issued() {
	TestExt::default().endow(1, 1_000).build_and_execute(|| {
		assert_eq!(GenesisIssuance::<Test>::get(), 1_000 + 2 * ED);
		assert_eq!(GenesisIssuance::<Test>::get(), Balances::total_issuance());
	});
}

#[test]
fn it_fires_on_minting_past_the_pallet() {
	fires(
		|| {
			assert_ok!(Balances::mint_into(&1, 1));
		},
		"issued plus burned is not genesis plus emitted",
	);
}

#[test]
fn it_fires_on_a_burn_that_did_not_happen() {
	fires(
		|| Burned::<Test>::insert(BurnCause::Fee, 1),
		"issued plus burned is not genesis plus emitted",
	);
}

#[test]
fn it_fires_on_an_empty_cause() {
	fires(
		|| Burned::<Test>::insert(BurnCause::Fee, 0),
		"a cause stands in the burn ledger with nothing burned",
	);
}

#[test]
fn it_fires_on_an_issuance_above_the_cap() {
	fires(|| MaxSupply::set(Balances::total_issuance() - 1), "the issuance is above the cap");
}

#[test]
fn it_fires_on_job_shares_above_the_whole() {
	fires(
		|| JobBurn::set(Permill::from_percent(96)),
		"the shares of a job's price are more than the whole",
	);
}

#[test]
fn it_fires_on_fee_shares_above_the_whole() {
	fires(
		|| FeeBurn::set(Permill::from_percent(71)),
		"the shares of a fee are more than the whole",
	);
}

#[test]
fn it_fires_on_an_emission_that_did_not_happen() {
	fires(
		|| Emitted::<Test>::insert(RewardReason::Compute, 1),
		"issued plus burned is not genesis plus emitted",
	);
}

#[test]
fn it_fires_on_an_era_that_minted_more_than_its_budget() {
	for budget in [
		Budget { nodes: 5, minted_nodes: 6, ..Default::default() },
		Budget { validators: 5, minted_validators: 6, ..Default::default() },
	] {
		fires(|| Budgets::<Test>::insert(1, budget), "an era minted more than its budget");
	}
}

#[test]
fn it_fires_on_budgets_that_should_have_lapsed() {
	fires(
		|| {
			for era in 0..=HistoryDepth::get() {
				Budgets::<Test>::insert(era, Budget::default());
			}
		},
		"budgets stand that should have lapsed",
	);
}

#[test]
fn it_fires_on_a_reserve_that_grew() {
	fires(
		|| ReserveLeft::<Test>::mutate(|left| *left += 1),
		"what was and may be minted is more than the reserve",
	);
	fires(
		|| Budgets::<Test>::insert(1, Budget { nodes: 1, ..Default::default() }),
		"what was and may be minted is more than the reserve",
	);
}

#[test]
fn it_fires_on_a_reserve_without_room_under_the_cap() {
	fires(
		|| MaxSupply::set(Balances::total_issuance() + Reserve::get() - 1),
		"what may be minted does not fit under the cap",
	);
}

#[test]
fn it_fires_on_job_burns_of_another_era() {
	fires(
		|| EraJobBurn::<Test>::insert(CurrentEra::get() + 1, 1),
		"burns of jobs are counted for an era that neither runs nor is kept",
	);
}

#[test]
fn it_fires_on_a_budget_of_nodes_above_what_jobs_burned() {
	TestExt::default().endow(1, 100_000).build().execute_with(|| {
		burn_for_jobs(1, 1_000);
		let era = next_era();
		assert_ok!(Tna::do_try_state());
		EraJobBurn::<Test>::insert(era, 499);
		assert_eq!(
			Tna::do_try_state(),
			Err(TryRuntimeError::Other("nodes may receive more than jobs burned in their era"))
		);
	});
}

#[test]
fn it_fires_on_rewards_of_nobody_and_of_nothing() {
	fires(
		|| Rewards::<Test>::insert(77, Earned { compute: 1, ..Default::default() }),
		"an account that does not exist has a record of rewards",
	);
	fires(|| Rewards::<Test>::insert(1, Earned::default()), "a record of rewards is empty");
}

#[test]
fn it_fires_on_rewards_that_were_not_minted() {
	for earned in [
		Earned { compute: 1, ..Default::default() },
		Earned { delegation: 1, ..Default::default() },
	] {
		fires(
			|| Rewards::<Test>::insert(1, earned),
			"nodes and their backers are said to have received more than was minted for them",
		);
	}
	fires(
		|| Rewards::<Test>::insert(1, Earned { validation: 1, ..Default::default() }),
		"validators are said to have received more than was minted for them",
	);
}

#[test]
fn it_fires_on_a_rebate_of_everything() {
	fires(|| BurnRebate::set(Permill::one()), "nodes may receive everything that their jobs burn");
}
