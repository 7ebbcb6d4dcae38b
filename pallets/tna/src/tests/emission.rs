// SPDX-License-Identifier: Apache-2.0

use crate::{mock::*, Budget, Budgets, Earned, Emitted, EraJobBurn, Event, ReserveLeft, Rewards};
use frame_support::assert_ok;
use sp_runtime::Permill;
use tensornet_protocol::{BurnCause, Emission, OnEraEnd, RewardReason, TokenPolicy};

/// What the first era of the mock releases: a tenth of the reserve, over a hundred eras.
const FIRST: u64 = 400_000_000 / 10 / 100;
/// The validators' part of it.
const VALIDATORS: u64 = FIRST * 3 / 10;

fn mint(era: u32, to: u64, amount: u64, reason: RewardReason) -> u64 {
	Tna::mint(era, &to, amount, reason, Some(&to))
}

#[test]
fn nodes_get_the_rebate_of_what_jobs_burned_and_validators_their_part() {
	TestExt::default().endow(1, 100_000).build_and_execute(|| {
		burn_for_jobs(1, 3_000);
		burn_for_jobs(1, 1_001);
		let era = next_era();
		assert_eq!(Tna::node_budget(era), 2_000, "half of 4,001, rounded down");
		assert_eq!(Tna::validator_budget(era), VALIDATORS);
		assert_eq!(ReserveLeft::<Test>::get(), 400_000_000 - FIRST);
		assert_eq!(Tna::job_burn(era), 4_001, "the count is kept for those who claim");
		System::assert_last_event(
			Event::EraBudgeted { era, nodes: 2_000, validators: VALIDATORS, burned: 4_001 }.into(),
		);
	});
}

#[test]
fn nodes_get_no_more_than_the_schedule_however_much_is_burned() {
	TestExt::default().endow(1, 90_000_000).build_and_execute(|| {
		burn_for_jobs(1, 80_000_000);
		let era = next_era();
		assert_eq!(Tna::node_budget(era), FIRST * 7 / 10);
		assert_eq!(Tna::validator_budget(era), VALIDATORS);
	});
}

#[test]
fn without_jobs_nodes_get_nothing_and_validators_the_same() {
	TestExt::default().build_and_execute(|| {
		let era = next_era();
		assert_eq!(Tna::node_budget(era), 0);
		assert_eq!(Tna::validator_budget(era), VALIDATORS);
	});
}

#[test]
fn only_burns_for_jobs_count() {
	TestExt::default().endow(1, 100_000).build_and_execute(|| {
		assert_ok!(Tna::burn(RuntimeOrigin::signed(1), 5_000));
		for cause in [BurnCause::Fee, BurnCause::Slash, BurnCause::Dust, BurnCause::Lineage] {
			take(1, 1_000);
			Tna::burned(cause, 1_000);
		}
		assert_eq!(Tna::node_budget(next_era()), 0);
	});
}

/// Destroys tokens without a word to the ledger.
fn take(who: u64, amount: u64) {
	use frame_support::traits::{
		fungible::Mutate,
		tokens::{Fortitude, Precision, Preservation},
	};
	Balances::burn_from(&who, amount, Preservation::Preserve, Precision::Exact, Fortitude::Polite)
		.expect("the account has it");
}

#[test]
fn a_burn_counts_for_the_era_in_which_it_happened() {
	TestExt::default().endow(1, 100_000).build_and_execute(|| {
		burn_for_jobs(1, 100);
		let first = next_era();
		burn_for_jobs(1, 10_000);
		let second = next_era();
		assert_eq!((Tna::node_budget(first), Tna::node_budget(second)), (50, 5_000));
	});
}

#[test]
fn a_running_and_a_future_era_have_no_budget() {
	TestExt::default().endow(1, 100_000).build_and_execute(|| {
		burn_for_jobs(1, 10_000);
		for era in [0, 1, 1_000] {
			assert_eq!((Tna::node_budget(era), Tna::validator_budget(era)), (0, 0));
			assert_eq!(mint(era, 1, 10, RewardReason::Validation), 0);
		}
	});
}

#[test]
fn what_is_minted_never_exceeds_a_budget() {
	TestExt::default().endow(1, 100_000).endow(2, ED).build_and_execute(|| {
		burn_for_jobs(1, 10_000);
		let era = next_era();
		let issued = Balances::total_issuance();
		assert_eq!(mint(era, 2, 4_000, RewardReason::Compute), 4_000);
		assert_eq!(mint(era, 2, 4_000, RewardReason::Delegation), 1_000, "what is left");
		assert_eq!(mint(era, 2, 1, RewardReason::Compute), 0);
		assert_eq!(mint(era, 2, u64::MAX, RewardReason::Validation), VALIDATORS);
		assert_eq!(mint(era, 2, 1, RewardReason::Validation), 0);
		assert_eq!(Balances::total_issuance(), issued + 5_000 + VALIDATORS);
		assert_eq!(Balances::free_balance(2), ED + 5_000 + VALIDATORS);
		assert_eq!(Emitted::<Test>::get(RewardReason::Compute), 4_000);
		assert_eq!(Emitted::<Test>::get(RewardReason::Delegation), 1_000);
		assert_eq!(Emitted::<Test>::get(RewardReason::Validation), VALIDATORS);
		assert_eq!(
			Rewards::<Test>::get(2),
			Earned { compute: 4_000, delegation: 1_000, validation: VALIDATORS }
		);
		assert_eq!(
			Budgets::<Test>::get(era),
			Some(Budget {
				nodes: 5_000,
				validators: VALIDATORS,
				minted_nodes: 5_000,
				minted_validators: VALIDATORS,
			})
		);
	});
}

#[test]
fn minting_is_told_with_its_reason_and_era() {
	TestExt::default().endow(1, 100_000).build_and_execute(|| {
		next_era();
		let era = next_era();
		assert_eq!(mint(era, 1, 7, RewardReason::Validation), 7);
		System::assert_last_event(
			Event::Emitted { to: 1, amount: 7, reason: RewardReason::Validation, era }.into(),
		);
	});
}

#[test]
fn the_cap_holds_even_where_a_budget_would_allow_more() {
	TestExt::default().endow(1, 1_000).build().execute_with(|| {
		let era = next_era();
		MaxSupply::set(Balances::total_issuance() + 100);
		assert_eq!(mint(era, 1, 101, RewardReason::Validation), 100);
		assert_eq!(mint(era, 1, 1, RewardReason::Validation), 0);
		MaxSupply::set(0);
		assert_eq!(mint(era, 1, 1, RewardReason::Validation), 0);
	});
}

#[test]
fn an_account_that_cannot_receive_costs_the_budget_nothing() {
	TestExt::default().build_and_execute(|| {
		let era = next_era();
		let issued = Balances::total_issuance();
		assert_eq!(mint(era, 1, ED - 1, RewardReason::Validation), 0);
		assert_eq!(Balances::total_issuance(), issued);
		assert_eq!(Budgets::<Test>::get(era).map(|budget| budget.minted_validators), Some(0));
		assert!(!Rewards::<Test>::contains_key(1));
		assert_eq!(mint(era, 1, ED, RewardReason::Validation), ED, "enough to live on");
		assert_eq!(Rewards::<Test>::get(1).validation, ED);
	});
}

#[test]
fn a_collector_earns_nothing_itself_and_notes_those_it_pays() {
	TestExt::default().endow(1, 100_000).endow(2, ED).endow(3, ED).build_and_execute(|| {
		burn_for_jobs(1, 10_000);
		let era = next_era();
		assert_eq!(Tna::mint(era, &3, 1_000, RewardReason::Compute, None), 1_000);
		assert!(!Rewards::<Test>::contains_key(3));
		assert_ok!(Balances::transfer_keep_alive(RuntimeOrigin::signed(3), 2, 400));
		Tna::note(&2, 400, RewardReason::Delegation);
		assert_eq!(Rewards::<Test>::get(2).delegation, 400);
	});
}

#[test]
fn nothing_is_noted_for_nobody_and_nothing_for_nothing() {
	TestExt::default().endow(1, ED).build_and_execute(|| {
		Tna::note(&55, 400, RewardReason::Delegation);
		Tna::note(&1, 0, RewardReason::Delegation);
		assert_eq!(Rewards::<Test>::iter().count(), 0);
	});
}

#[test]
fn a_record_goes_with_its_account() {
	TestExt::default().endow(1, 1_000).build_and_execute(|| {
		let era = next_era();
		mint(era, 1, 500, RewardReason::Validation);
		assert_eq!(Rewards::<Test>::get(1).validation, 500);
		assert_ok!(Balances::transfer_all(RuntimeOrigin::signed(1), BLOCK_AUTHOR, false));
		assert!(!Rewards::<Test>::contains_key(1));
	});
}

#[test]
fn budgets_lapse_after_the_history_and_no_more_of_them_stand() {
	TestExt::default().endow(1, 10_000).build_and_execute(|| {
		burn_for_jobs(1, 1_000);
		let first = next_era();
		assert_eq!(mint(first, 1, 1, RewardReason::Validation), 1);
		for _ in 1..HistoryDepth::get() {
			next_era();
		}
		assert_eq!(mint(first, 1, 1, RewardReason::Validation), 1, "still there");
		next_era();
		assert_eq!(mint(first, 1, 1, RewardReason::Validation), 0);
		assert_eq!(Tna::validator_budget(first), 0);
		assert_eq!((Tna::job_burn(first), EraJobBurn::<Test>::iter().count()), (0, 0));
		for _ in 0..20 {
			next_era();
		}
		assert_eq!(Budgets::<Test>::iter().count(), HistoryDepth::get() as usize);
	});
}

#[test]
fn an_era_ends_once() {
	TestExt::default().endow(1, 100_000).build_and_execute(|| {
		let era = next_era();
		let (budget, left) = (Budgets::<Test>::get(era), ReserveLeft::<Test>::get());
		Tna::era_ended(era);
		assert_eq!((Budgets::<Test>::get(era), ReserveLeft::<Test>::get()), (budget, left));
	});
}

#[test]
fn governed_shares_move_an_era_from_nodes_to_validators() {
	TestExt::default().endow(1, 90_000_000).build_and_execute(|| {
		NodeShare::set(Permill::from_percent(30));
		YearlyRate::set(Permill::from_percent(20));
		burn_for_jobs(1, 80_000_000);
		let era = next_era();
		assert_eq!(Tna::node_budget(era), FIRST * 2 * 3 / 10);
		assert_eq!(Tna::validator_budget(era), FIRST * 2 * 7 / 10);
	});
}

#[test]
#[should_panic(expected = "above the cap")]
fn a_genesis_that_leaves_no_room_for_the_reserve_is_refused() {
	MaxSupply::set(400_000_000);
	Reserve::set(400_000_000);
	TestExt::default().build();
}
