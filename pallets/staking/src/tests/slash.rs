// SPDX-License-Identifier: Apache-2.0

use crate::{mock::*, Event, Standing};
use frame_support::{assert_ok, traits::fungible::MutateFreeze};
use sp_runtime::Permill;
use tensornet_protocol::{Conduct, Nodes as _, Slash};

#[test]
fn fraud_is_divided_between_reporter_requester_and_fire() {
	TestExt::default().node(1, 4_000).build_and_execute(|| {
		let slash = judge(1, Conduct::Fraud);
		assert_eq!(
			slash,
			Slash { total: 2_000, burned: 1_000, to_reporter: 500, to_requester: 500 }
		);
		assert_eq!((held(1), node(1).bond), (2_000, 2_000));
		assert_eq!(Balances::free_balance(REPORTER), ED + 500);
		assert_eq!(Balances::free_balance(REQUESTER), ED + 500);
		assert_eq!(BurnedByPallet::get(), 1_000);
		System::assert_has_event(
			Event::NodeSlashed { stash: 1, conduct: Conduct::Fraud, slash }.into(),
		);
		System::assert_has_event(Event::NodeJailed { stash: 1 }.into());
		System::assert_has_event(Event::NodeOffline { stash: 1 }.into());
	});
}

#[test]
fn fraud_takes_all_reputation_and_jails() {
	TestExt::default().node(1, 4_000).build_and_execute(|| {
		judge(1, Conduct::Fraud);
		let node = node(1);
		assert_eq!((node.reputation, node.standing), (0, Standing::Jailed));
		assert!(!node.is_online());
	});
}

#[test]
fn silence_costs_little_and_pays_nobody() {
	TestExt::default().node(1, 4_000).build_and_execute(|| {
		let slash = judge(1, Conduct::Silent);
		assert_eq!(slash, Slash { total: 40, burned: 40, to_reporter: 0, to_requester: 0 });
		assert_eq!(Balances::free_balance(REPORTER), ED);
		assert_eq!((node(1).standing, node(1).is_online()), (Standing::Active, true));
	});
}

#[test]
fn silence_does_not_reach_what_unbonds() {
	TestExt::default().node(1, 4_000).build_and_execute(|| {
		assert_ok!(Staking::unbond(RuntimeOrigin::signed(1), 3_000));
		assert_eq!(judge(1, Conduct::Silent).total, 10);
		assert_eq!(node(1).unbonding_total(), 3_000);
	});
}

#[test]
fn fraud_reaches_what_unbonds() {
	TestExt::default().node(1, 4_000).build_and_execute(|| {
		Staking::job_taken(&1, 0);
		for block in 1..=3 {
			System::set_block_number(block);
			assert_ok!(Staking::unbond(RuntimeOrigin::signed(1), 1_000));
		}
		System::set_block_number(PERIOD + 50);
		FraudSlash::set(Permill::from_percent(60));
		let slash = Staking::job_released(&1, 0, Conduct::Fraud, Some(&REPORTER), &REQUESTER);
		assert_eq!(slash.total, 2_400);
		let node = node(1);
		let chunks: Vec<_> = node.unbonding.iter().map(|chunk| chunk.amount).collect();
		assert_eq!((node.bond, chunks), (0, vec![600, 1_000]));
		assert_eq!(held(1), 1_600);
	});
}

#[test]
fn withdrawn_funds_are_out_of_reach() {
	TestExt::default().node(1, 4_000).build_and_execute(|| {
		assert_ok!(Staking::unbond(RuntimeOrigin::signed(1), 3_000));
		System::set_block_number(1 + PERIOD);
		assert_ok!(Staking::withdraw_unbonded(RuntimeOrigin::signed(1)));
		assert_eq!(judge(1, Conduct::Fraud).total, 500);
	});
}

#[test]
fn without_a_reporter_its_part_is_burned() {
	TestExt::default().node(1, 4_000).build_and_execute(|| {
		Staking::job_taken(&1, 0);
		let slash = Staking::job_released(&1, 0, Conduct::Fraud, None, &REQUESTER);
		assert_eq!(slash, Slash { total: 2_000, burned: 1_500, to_reporter: 0, to_requester: 500 });
	});
}

#[test]
fn a_node_wins_nothing_back_by_reporting_itself_or_paying_itself() {
	TestExt::default().node(1, 4_000).build_and_execute(|| {
		Staking::job_taken(&1, 0);
		let slash = Staking::job_released(&1, 0, Conduct::Fraud, Some(&1), &(OPERATOR + 1));
		assert_eq!(slash, Slash { total: 2_000, burned: 2_000, ..Default::default() });
		assert_eq!(Balances::free_balance(OPERATOR + 1), 0);
	});
}

#[test]
fn the_part_of_a_payee_that_cannot_receive_is_burned() {
	// A slash of 72 gives each payee 18, one of 36 gives each 9: below the deposit of 10.
	TestExt::default().node(1, 7_200).node(2, 3_600).build_and_execute(|| {
		FraudSlash::set(Permill::from_percent(1));
		Staking::job_taken(&2, 0);
		let slash = Staking::job_released(&2, 0, Conduct::Fraud, Some(&50), &51);
		assert_eq!(slash, Slash { total: 36, burned: 36, ..Default::default() });
		assert_eq!(Balances::free_balance(50), 0);

		Staking::job_taken(&1, 0);
		let slash = Staking::job_released(&1, 0, Conduct::Fraud, Some(&50), &51);
		assert_eq!(slash, Slash { total: 72, burned: 36, to_reporter: 18, to_requester: 18 });
		assert_eq!(Balances::free_balance(50), 18);
	});
}

#[test]
fn a_payee_receives_exactly_the_deposit_but_not_a_unit_less() {
	for (bond, paid) in [(4 * ED, ED), (4 * ED - 1, 0)] {
		TestExt::default().node(1, 1_000 * bond).build_and_execute(|| {
			FraudSlash::set(Permill::from_parts(1_000));
			Staking::job_taken(&1, 0);
			let slash = Staking::job_released(&1, 0, Conduct::Fraud, Some(&50), &REQUESTER);
			assert_eq!((slash.total, slash.to_reporter), (bond, paid));
			assert_eq!(Balances::free_balance(50), paid);
		});
	}
}

#[test]
fn a_frozen_bond_is_slashed_all_the_same() {
	TestExt::default().node(1, 4_000).build_and_execute(|| {
		assert_ok!(Balances::set_freeze(&(), &1, 8_000));
		assert_eq!(judge(1, Conduct::Fraud).total, 2_000);
	});
}

#[test]
fn a_slash_that_goes_below_the_minimum_takes_the_node_offline() {
	TestExt::default().node(1, MIN).node(2, MIN + 10).build_and_execute(|| {
		judge(1, Conduct::Silent);
		assert_eq!((node(1).is_online(), node(1).standing), (false, Standing::Active));
		// One per cent, rounded up: 11 of 1,010.
		judge(2, Conduct::Silent);
		assert_eq!((node(2).bond, node(2).is_online()), (MIN - 1, false));
	});
}

#[test]
fn a_slash_is_rounded_up_and_its_parts_down() {
	TestExt::default().node(1, 1_001).build_and_execute(|| {
		FraudSlash::set(Permill::from_parts(333_333));
		let slash = judge(1, Conduct::Fraud);
		assert_eq!(slash, Slash { total: 334, burned: 168, to_reporter: 83, to_requester: 83 });
	});
}

#[test]
fn parts_above_the_whole_take_no_more_than_the_slash() {
	TestExt::default().node(1, 4_000).build().execute_with(|| {
		SlashToReporter::set(Permill::from_percent(80));
		SlashToRequester::set(Permill::from_percent(80));
		let slash = judge(1, Conduct::Fraud);
		assert_eq!(slash, Slash { total: 2_000, burned: 0, to_reporter: 1_600, to_requester: 400 });
		assert_eq!(held(1), 2_000);
	});
}

#[test]
fn every_slash_adds_up_under_every_setting() {
	let shares = [0, 1, 250_000, 333_333, 500_000];
	for fraud in [0, 1, 333_333, 999_999, 1_000_000] {
		for reporter in shares {
			for requester in shares {
				TestExt::default().node(1, 9_973).build_and_execute(|| {
					FraudSlash::set(Permill::from_parts(fraud));
					SlashToReporter::set(Permill::from_parts(reporter));
					SlashToRequester::set(Permill::from_parts(requester));
					assert_ok!(Staking::unbond(RuntimeOrigin::signed(1), 4_321));
					let slash = judge(1, Conduct::Fraud);
					assert_eq!(slash.total, Permill::from_parts(fraud).mul_ceil(9_973u64));
					assert_eq!(slash.total, slash.burned + slash.to_reporter + slash.to_requester);
					assert_eq!(held(1), 9_973 - slash.total);
					assert_eq!(BurnedByPallet::get(), slash.burned);
				});
			}
		}
	}
}

#[test]
fn a_second_lie_costs_a_part_of_what_is_left() {
	TestExt::default().node(1, 4_000).build_and_execute(|| {
		Staking::job_taken(&1, 0);
		Staking::job_taken(&1, 0);
		for total in [2_000, 1_000] {
			let slash = Staking::job_released(&1, 0, Conduct::Fraud, None, &REQUESTER);
			assert_eq!(slash.total, total);
		}
		assert_eq!(held(1), 1_000);
	});
}

#[test]
fn withholding_costs_the_collateral_and_pays_nobody() {
	TestExt::default().node(1, 4_000).build_and_execute(|| {
		let slash = judge_at(1, 700, Conduct::Withheld);
		assert_eq!(slash, Slash { total: 700, burned: 700, to_reporter: 0, to_requester: 0 });
		assert_eq!((node(1).bond, node(1).collateral), (3_300, 0));
		assert_eq!(node(1).standing, Standing::Active);
		assert!(node(1).reputation < crate::INITIAL_REPUTATION);
	});
}

#[test]
fn withholding_a_cheap_job_costs_what_silence_costs() {
	TestExt::default().node(1, 4_000).build_and_execute(|| {
		assert_eq!(judge_at(1, 3, Conduct::Withheld).total, 40);
	});
}

#[test]
fn withholding_reaches_what_unbonds() {
	TestExt::default().node(1, 4_000).build_and_execute(|| {
		Staking::job_taken(&1, 3_500);
		assert_ok!(Staking::unbond(RuntimeOrigin::signed(1), 3_000));
		let slash =
			Staking::job_released(&1, 3_500, Conduct::Withheld, Some(&REPORTER), &REQUESTER);
		assert_eq!((slash.total, slash.burned), (3_500, 3_500));
		assert_eq!((node(1).bond, node(1).unbonding_total()), (0, 500));
		assert!(!node(1).is_online(), "it is below the least bond");
	});
}

#[test]
fn silence_costs_no_collateral() {
	TestExt::default().node(1, 4_000).build_and_execute(|| {
		assert_eq!(judge_at(1, 700, Conduct::Silent).total, 40);
		assert_eq!(node(1).collateral, 0);
	});
}

#[test]
fn fraud_costs_at_least_the_collateral() {
	TestExt::default().node(1, 4_000).build_and_execute(|| {
		let slash = judge_at(1, 3_000, Conduct::Fraud);
		assert_eq!((slash.total, slash.to_reporter, slash.to_requester), (3_000, 750, 750));
	});
}
