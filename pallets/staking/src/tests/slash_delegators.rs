// SPDX-License-Identifier: Apache-2.0

use crate::{mock::*, Error, Event, Pools};
use frame_support::{assert_noop, assert_ok};
use sp_runtime::Permill;
use tensornet_protocol::Conduct;

/// Node 1 with a bond of 4,000 and delegators 5 with 1,000 and 6 with 3,000.
fn backed(test: impl FnOnce()) {
	let chain = TestExt::default().node(1, 4_000).node(2, 4_000);
	chain.endow(5, 10_000).endow(6, 10_000).endow(7, 10_000).build_and_execute(|| {
		assert_ok!(Staking::delegate(by(5), 1, 1_000));
		assert_ok!(Staking::delegate(by(6), 1, 3_000));
		test();
	});
}

#[test]
fn a_lie_costs_node_and_delegators_the_same_share() {
	backed(|| {
		let slash = judge(1, Conduct::Fraud);
		assert_eq!(slash.total, 2_000, "what is returned is the node's own part");
		assert_eq!((worth(1, 5), worth(1, 6), node(1).backing), (500, 1_500, 2_000));
		System::assert_has_event(Event::DelegatorsSlashed { node: 1, amount: 2_000 }.into());
		// Nobody's record was touched, however many there are.
		assert_eq!((delegated(5), delegated(6)), (1_000, 3_000));
	});
}

#[test]
fn what_was_lost_is_burned_when_the_record_is_touched_by_anyone() {
	backed(|| {
		judge(1, Conduct::Fraud);
		let before = BurnedByPallet::get();
		assert_ok!(Staking::settle(by(99), 1, 5));
		assert_eq!((delegated(5), BurnedByPallet::get() - before), (500, 500));
		System::assert_last_event(
			Event::DelegationSlashed { node: 1, delegator: 5, amount: 500 }.into(),
		);
		assert_ok!(Staking::settle(by(99), 1, 5));
		assert_eq!(delegated(5), 500);
	});
}

#[test]
fn a_slash_reaches_what_unbonds_until_it_is_withdrawn() {
	backed(|| {
		assert_ok!(Staking::undelegate(by(5), 1, 600));
		System::set_block_number(PERIOD + 50);
		judge(1, Conduct::Fraud);
		assert_ok!(Staking::withdraw_undelegated(by(5), 1));
		assert_eq!((delegated(5), Balances::free_balance(5)), (200, 9_300));
	});
}

#[test]
fn who_comes_after_a_slash_has_no_part_in_it() {
	backed(|| {
		judge(1, Conduct::Fraud);
		assert_ok!(Staking::set_online(by(1), true));
		assert_ok!(Staking::delegate(by(7), 1, 777));
		assert_eq!((worth(1, 7), worth(1, 5)), (777, 500));
		judge(1, Conduct::Fraud);
		assert_eq!((worth(1, 7), worth(1, 5), worth(1, 6)), (388, 250, 750));
	});
}

#[test]
fn withholding_costs_delegators_the_share_that_the_collateral_is_of_the_bond() {
	backed(|| {
		assert_eq!(judge_at(1, 400, Conduct::Withheld).total, 400);
		// Nine tenths, rounded down.
		assert_eq!((worth(1, 5), worth(1, 6)), (899, 2_699));
	});
}

#[test]
fn silence_costs_delegators_nothing() {
	backed(|| {
		assert_eq!(judge(1, Conduct::Silent).total, 40);
		assert_eq!((worth(1, 5), worth(1, 6)), (1_000, 3_000));
	});
}

#[test]
fn a_slash_of_everything_leaves_nothing_and_the_pool_works_on() {
	backed(|| {
		FraudSlash::set(Permill::from_percent(100));
		judge(1, Conduct::Fraud);
		FraudSlash::set(Permill::from_percent(50));
		assert_eq!((worth(1, 5), worth(1, 6), node(1).backing), (0, 0, 0));
		assert_noop!(Staking::undelegate(by(5), 1, 1), Error::<Test>::NotDelegated);
		assert_ok!(Staking::bond_more(by(1), 4_000));
		assert_ok!(Staking::set_online(by(1), true));
		assert_ok!(Staking::delegate(by(5), 1, 500));
		assert_eq!((delegated(5), worth(1, 5), worth(1, 6)), (500, 500, 0));
		assert_ok!(Staking::settle(by(6), 1, 6));
		assert_eq!(delegated(6), 0);
		judge(1, Conduct::Fraud);
		assert_eq!(worth(1, 5), 250);
	});
}

#[test]
fn a_record_of_which_nothing_is_left_goes_when_it_is_settled() {
	backed(|| {
		assert_ok!(Staking::undelegate(by(5), 1, 600));
		assert_ok!(Staking::undelegate(by(6), 1, u64::MAX));
		FraudSlash::set(Permill::from_percent(100));
		judge(1, Conduct::Fraud);
		FraudSlash::set(Permill::from_percent(50));
		for who in [5, 6] {
			assert_ok!(Staking::settle(by(99), 1, who));
			assert_eq!(delegated(who), 0);
		}
		assert!(!Pools::<Test>::contains_key(1));
	});
}

#[test]
fn a_node_without_own_stake_still_costs_its_delegators() {
	backed(|| {
		judge_at(1, 4_000, Conduct::Withheld);
		assert_eq!((node(1).bond, worth(1, 6)), (0, 0));
		assert_ok!(Staking::delegate(by(7), 1, 1_000));
		assert_eq!(judge(1, Conduct::Fraud).total, 0);
		assert_eq!(worth(1, 7), 500);
	});
}

#[test]
fn after_any_number_of_slashes_nobody_takes_out_more_than_is_left() {
	for share in [100_000, 333_333, 500_000, 999_999] {
		backed(|| {
			FraudSlash::set(Permill::from_parts(share));
			let mut left = 3_000f64;
			for round in 0..100 {
				judge(1, Conduct::Fraud);
				left *= 1.0 - f64::from(share) / 1e6;
				if round % 10 == 3 {
					// A record of which nothing is left is gone.
					let _ = Staking::settle(by(9), 1, 6);
				}
				let now = worth(1, 6) as f64;
				// The own part of a node is rounded up, and with it the share.
				assert!(now <= left, "{now} is more than {left}");
				if node(1).bond >= MIN {
					assert!(now >= left - left * 0.02 - 12.0, "{now} is much less than {left}");
				}
				assert_ok!(Staking::bond_more(by(1), 30));
			}
			FraudSlash::set(Permill::from_percent(50));
		});
	}
}
