// SPDX-License-Identifier: Apache-2.0

use crate::{mock::*, EraBurn, Error, Event, JoinedIn, OldestEra, Pools};
use frame_support::{assert_noop, assert_ok};
use sp_runtime::{traits::BadOrigin, Permill};
use tensornet_protocol::{Conduct, RewardReason, VerifiedCompute};

/// Node 1 with a bond of 4,000, and since era 0 delegators 5 and 6 with 2,000 each; node 2 alone; now
/// it is era 1.
fn backed(test: impl FnOnce()) {
	let chain = TestExt::default().node(1, 4_000).node(2, 4_000);
	let chain = (5..9).fold(chain, |ext, who| ext.endow(who, 100_000));
	chain.build_and_execute(|| {
		assert_ok!(Staking::set_commission(by(1), Permill::from_percent(10)));
		assert_ok!(Staking::delegate(by(5), 1, 2_000));
		assert_ok!(Staking::delegate(by(6), 1, 2_000));
		end_era(0);
		test();
	});
}

fn free(who: u64) -> u64 {
	Balances::free_balance(who)
}

/// What accounts can collect from node 1, which rounding makes less by one at the most.
fn assert_earned<const N: usize>(expected: [(u64, u64); N]) {
	for (who, expected) in expected {
		let earned = Staking::pending_reward(1, who);
		assert!(earned <= expected && expected - earned <= 1, "{who}: {earned} for {expected}");
	}
}

#[test]
fn an_eras_budget_is_shared_by_what_jobs_burned_then_by_stake_less_commission() {
	backed(|| {
		settle_job(1, 60);
		settle_job(1, 40);
		settle_job(2, 100);
		assert_eq!((Staking::burned_by(1, &1), Staking::burned_by(1, &2)), (100, 100));
		end_era(1_000);
		let (one, two) = (free(1), free(2));
		assert_ok!(Staking::claim_rewards(by(99), 1, 1));
		// Of 500, 50 is commission; of the rest, 4,000 of 8,000 is the node's.
		System::assert_last_event(
			Event::RewardsClaimed { node: 1, era: 1, to_stash: 275, to_delegators: 225 }.into(),
		);
		assert_ok!(Staking::claim_rewards(by(99), 2, 1));
		assert_eq!((free(1) - one, free(2) - two), (275, 500));
		assert_eq!(free(Staking::pot()), ED + 225);
		assert_earned([(5, 112), (6, 112)]);
		assert_ok!(Staking::claim_delegation(by(5), 1));
		System::assert_last_event(
			Event::DelegationRewardPaid { node: 1, delegator: 5, amount: 112 }.into(),
		);
		assert_eq!(free(5), 98_000 + 112);
		assert_eq!(
			Noted::get(),
			[
				(1, 275, RewardReason::Compute),
				(2, 500, RewardReason::Compute),
				(5, 112, RewardReason::Delegation)
			]
		);
		assert_noop!(Staking::claim_delegation(by(5), 1), Error::<Test>::NothingToClaim);
		assert_noop!(Staking::claim_delegation(by(7), 1), Error::<Test>::NotDelegated);
	});
}

#[test]
fn an_era_is_claimed_once_after_its_end_and_before_it_lapses() {
	backed(|| {
		settle_job(1, 100);
		assert_noop!(Staking::claim_rewards(by(9), 1, 1), Error::<Test>::EraNotEnded);
		end_era(1_000);
		assert_noop!(Staking::claim_rewards(by(9), 2, 1), Error::<Test>::NothingToClaim);
		assert_noop!(Staking::claim_rewards(RuntimeOrigin::none(), 1, 1), BadOrigin);
		assert_ok!(Staking::claim_rewards(by(9), 1, 1));
		assert_noop!(Staking::claim_rewards(by(9), 1, 1), Error::<Test>::AlreadyClaimed);
		settle_job(1, 100);
		for _ in 0..=HistoryDepth::get() {
			end_era(1_000);
		}
		assert_noop!(Staking::claim_rewards(by(9), 1, 2), Error::<Test>::ClaimLapsed);
		Era::mutate(|era| *era -= 1);
		assert_ok!(Staking::claim_rewards(by(9), 1, 2));
	});
}

#[test]
fn eras_are_claimed_in_order() {
	backed(|| {
		settle_job(1, 100);
		end_era(1_000);
		end_era(1_000);
		settle_job(1, 100);
		end_era(1_000);
		assert_noop!(Staking::claim_rewards(by(9), 1, 3), Error::<Test>::UnclaimedRewards);
		assert_ok!(Staking::claim_rewards(by(9), 1, 1));
		assert_ok!(Staking::claim_rewards(by(9), 1, 3));
	});
}

#[test]
fn what_waits_to_be_claimed_is_told_by_era_and_is_what_is_minted() {
	backed(|| {
		assert!(Staking::claimable(1).is_empty());
		settle_job(1, 100);
		settle_job(2, 300);
		assert!(Staking::claimable(1).is_empty(), "the era still runs");
		end_era(1_000);
		end_era(1_000);
		settle_job(1, 100);
		end_era(600);
		settle_job(1, 7);
		assert_eq!(Staking::claimable(1), [(1, 250), (3, 600)]);
		assert_eq!(Staking::claimable(2), [(1, 750)]);
		assert!(Staking::claimable(77).is_empty());
		let before = minted();
		assert_ok!(Staking::claim_rewards(by(9), 1, 1));
		assert_eq!(minted() - before, 250);
		assert_eq!(Staking::claimable(1), [(3, 600)]);
		for _ in 0..HistoryDepth::get() - 2 {
			end_era(0);
		}
		assert_eq!(Staking::claimable(1), [(3, 600), (4, 0)]);
		assert!(Staking::claimable(2).is_empty(), "it lapsed");
	});
}

#[test]
fn an_era_that_lapsed_does_not_stand_in_the_way() {
	backed(|| {
		settle_job(1, 100);
		end_era(1_000);
		settle_job(1, 100);
		for _ in 0..HistoryDepth::get() {
			end_era(1_000);
		}
		assert_noop!(Staking::claim_rewards(by(9), 1, 1), Error::<Test>::ClaimLapsed);
		assert_ok!(Staking::claim_rewards(by(9), 1, 2));
	});
}

#[test]
fn who_joins_in_an_era_has_no_part_in_it_and_a_part_in_the_next() {
	backed(|| {
		assert_ok!(Staking::delegate(by(7), 1, 4_000));
		settle_job(1, 100);
		end_era(1_000);
		settle_job(1, 100);
		end_era(1_000);
		assert_ok!(Staking::claim_rewards(by(9), 1, 1));
		assert_earned([(5, 225), (7, 0)]);
		assert_ok!(Staking::claim_rewards(by(9), 1, 2));
		// Of 900, 8,000 of 12,000 is the delegators'.
		assert_earned([(5, 375), (7, 300)]);
		assert_ok!(Staking::settle(by(9), 1, 7));
		assert_eq!(JoinedIn::<Test>::iter().count(), 1, "5 and 6 are not settled");
		assert_ok!(Staking::settle(by(9), 1, 5));
		assert_ok!(Staking::settle(by(9), 1, 6));
		assert_eq!(JoinedIn::<Test>::iter().count(), 0);
	});
}

#[test]
fn nobody_buys_into_an_ended_era() {
	backed(|| {
		settle_job(1, 100);
		end_era(1_000);
		assert_noop!(Staking::delegate(by(7), 1, 40_000), Error::<Test>::UnclaimedRewards);
		settle_job(1, 1);
		assert_noop!(Staking::delegate(by(7), 1, 40_000), Error::<Test>::UnclaimedRewards);
		assert_ok!(Staking::delegate(by(7), 2, 500));
		assert_noop!(Staking::redelegate(by(7), 2, 1, 500), Error::<Test>::UnclaimedRewards);
		assert_ok!(Staking::claim_rewards(by(9), 1, 1));
		assert_ok!(Staking::delegate(by(7), 1, 40_000));
		assert_earned([(5, 225), (7, 0)]);
	});
}

#[test]
fn topping_up_in_an_era_earns_nothing_more_for_it() {
	backed(|| {
		settle_job(1, 100);
		assert_ok!(Staking::delegate(by(5), 1, 50_000));
		end_era(1_000);
		assert_ok!(Staking::claim_rewards(by(9), 1, 1));
		assert_earned([(5, 225), (6, 225)]);
		assert_ok!(Staking::delegate(by(5), 1, 50));
		assert_earned([(5, 225)]);
	});
}

#[test]
fn a_bond_raised_after_the_first_job_of_an_era_takes_nothing_from_delegators() {
	backed(|| {
		settle_job(1, 100);
		assert_ok!(Staking::bond_more(by(1), 4_000));
		assert_ok!(Staking::set_commission(by(1), Permill::from_percent(15)));
		end_era(1_000);
		assert_ok!(Staking::claim_rewards(by(9), 1, 1));
		assert_earned([(5, 225)]);
	});
}

#[test]
fn stake_above_the_multiple_does_not_thin_out_the_nodes_own_part() {
	backed(|| {
		assert_ok!(Staking::delegate(by(7), 1, 90_000));
		end_era(0);
		settle_job(1, 100);
		end_era(1_000);
		let before = free(1);
		assert_ok!(Staking::claim_rewards(by(9), 1, 2));
		// 100 of commission and a fifth of the rest: backing counts four times the bond.
		assert_eq!(free(1) - before, 100 + 180);
	});
}

#[test]
fn who_leaves_before_the_claim_leaves_its_part_to_those_who_stay() {
	backed(|| {
		settle_job(1, 100);
		assert_ok!(Staking::undelegate(by(6), 1, u64::MAX));
		end_era(1_000);
		assert_ok!(Staking::claim_rewards(by(9), 1, 1));
		assert_earned([(5, 450), (6, 0)]);
	});
}

#[test]
fn nothing_is_minted_for_delegators_when_none_is_left() {
	backed(|| {
		settle_job(1, 100);
		assert_ok!(Staking::undelegate(by(5), 1, u64::MAX));
		assert_ok!(Staking::undelegate(by(6), 1, u64::MAX));
		end_era(1_000);
		assert_ok!(Staking::claim_rewards(by(9), 1, 1));
		assert_eq!((minted(), free(Staking::pot())), (550, ED));
	});
}

#[test]
fn rewards_survive_slashes_and_leaving() {
	backed(|| {
		settle_job(1, 100);
		end_era(1_000);
		assert_ok!(Staking::claim_rewards(by(9), 1, 1));
		let earned = Staking::pending_reward(1, 5);
		judge(1, Conduct::Fraud);
		assert_eq!(Staking::pending_reward(1, 5), earned);
		assert_ok!(Staking::undelegate(by(5), 1, u64::MAX));
		System::set_block_number(PERIOD + 1);
		assert_ok!(Staking::withdraw_undelegated(by(5), 1));
		assert_ok!(Staking::claim_delegation(by(5), 1));
		assert_eq!(free(5), 100_000 - 1_000 + earned);
		FraudSlash::set(Permill::from_percent(100));
		judge(1, Conduct::Fraud);
		assert_eq!((worth(1, 6), Staking::pending_reward(1, 6)), (0, earned));
		assert_ok!(Staking::claim_delegation(by(6), 1));
		assert_eq!((delegated(6), free(6)), (0, 98_000 + earned));
		assert!(!Pools::<Test>::contains_key(1), "nobody needs the pool");
		FraudSlash::set(Permill::from_percent(50));
	});
}

#[test]
fn what_rounding_leaves_of_a_pool_is_burned_at_its_end() {
	backed(|| {
		settle_job(1, 100);
		end_era(999);
		assert_ok!(Staking::claim_rewards(by(9), 1, 1));
		for who in [5, 6] {
			assert_ok!(Staking::undelegate(by(who), 1, u64::MAX));
		}
		System::set_block_number(PERIOD + 1);
		let pot = free(Staking::pot());
		let mut paid = 0;
		for who in [5, 6] {
			let before = free(who);
			assert_ok!(Staking::claim_delegation(by(who), 1));
			paid += free(who) - before;
			assert_ok!(Staking::withdraw_undelegated(by(who), 1));
		}
		let rest = pot - ED - paid;
		assert!((1..=2).contains(&rest), "{rest}");
		assert_eq!((BurnedByPallet::get(), free(Staking::pot())), (rest, ED));
	});
}

#[test]
fn the_first_claim_of_a_chain_leaves_the_pot_its_existential_deposit() {
	TestExt::default().empty_pot().node(1, 4_000).endow(5, 9_000).build_and_execute(|| {
		assert_ok!(Staking::delegate(by(5), 1, 4_000));
		end_era(0);
		// What is left to stash and delegators of each era's budget.
		for (era, budget, to_stash, to_pot) in
			[(1, 2 * ED - 2, ED - 1, 0), (2, 2 * ED, 0, 2 * ED), (3, 2 * ED, ED, 3 * ED)]
		{
			settle_job(1, 100);
			end_era(budget);
			let before = free(1);
			assert_ok!(Staking::claim_rewards(by(9), 1, era));
			assert_eq!((free(1) - before, free(Staking::pot())), (to_stash, to_pot));
		}
		assert_ok!(Staking::claim_delegation(by(5), 1));
		assert!(free(Staking::pot()) >= ED);
	});
}

#[test]
fn commission_is_capped_falls_freely_and_rises_slowly() {
	backed(|| {
		let set = |percent| Staking::set_commission(by(1), Permill::from_percent(percent));
		assert_noop!(set(51), Error::<Test>::CommissionTooHigh);
		assert_noop!(set(16), Error::<Test>::CommissionRaisedTooFast);
		assert_ok!(set(15));
		System::assert_last_event(
			Event::CommissionSet { stash: 1, commission: Permill::from_percent(15) }.into(),
		);
		assert_noop!(set(16), Error::<Test>::CommissionRaisedTooFast);
		assert_ok!(set(3));
		end_era(0);
		assert_ok!(set(8));
		// Without delegators there is nobody to protect.
		assert_ok!(Staking::set_commission(by(2), Permill::from_percent(50)));
		assert_noop!(Staking::set_commission(by(5), Permill::zero()), Error::<Test>::NotRegistered);
	});
}

#[test]
fn jobs_that_burn_nothing_or_of_strangers_count_for_nothing() {
	backed(|| {
		settle_job(1, 0);
		settle_job(77, 100);
		assert_eq!((EraBurn::<Test>::iter().count(), Staking::burned_by(1, &77)), (0, 0));
	});
}

#[test]
fn what_the_jobs_of_strangers_burned_makes_nobodys_part_larger() {
	backed(|| {
		settle_job(2, 100);
		settle_job(77, 300);
		end_era(1_000);
		let before = free(2);
		assert_ok!(Staking::claim_rewards(by(99), 2, 1));
		assert_eq!(free(2) - before, 250, "a quarter of what all jobs burned");
	});
}

#[test]
fn lapsed_eras_are_forgotten_block_by_block() {
	backed(|| {
		settle_job(1, 10);
		settle_job(2, 20);
		for _ in 0..HistoryDepth::get() {
			end_era(100);
		}
		go_to(10);
		assert_eq!(OldestEra::<Test>::get(), 1, "era 0 is forgotten, era 1 can be claimed");
		assert_eq!(EraBurn::<Test>::iter().count(), 2);
		end_era(100);
		go_to(11);
		assert_eq!((OldestEra::<Test>::get(), EraBurn::<Test>::iter().count()), (2, 0));
	});
}

#[test]
fn what_is_paid_never_exceeds_the_budget() {
	let chain = (1..=9).fold(TestExt::default(), |ext, stash| ext.node(stash, stash * MIN));
	chain.endow(50, 100_000).build_and_execute(|| {
		for stash in 1..=9 {
			assert_ok!(Staking::delegate(by(50), stash, 777 * stash));
		}
		end_era(0);
		for stash in 1..=9 {
			settle_job(stash, 13 * stash + 1);
		}
		end_era(10_007);
		for stash in 1..=9 {
			assert_ok!(Staking::claim_rewards(by(9), stash, 1));
		}
		assert!((10_007 - 18..=10_007).contains(&minted()), "{}", minted());
		for stash in 1..=9 {
			assert_ok!(Staking::claim_delegation(by(50), stash));
		}
		assert!(free(Staking::pot()) - ED <= 9);
	});
}
