// SPDX-License-Identifier: Apache-2.0

//! Wash trading: an attacker who pays itself for jobs, to receive what is minted for them.
//!
//! The attacker holds every role there is beside the treasury: it posts the jobs, owns the node that
//! computes them, registered the program, is all six ancestors of all three, authors the blocks and is
//! every validator. What the shares take comes back to it, except what is burned and what goes to the
//! treasury. The tests play this with the pallet's own functions and count the attacker's tokens.

use crate::{mock::*, FeeHandler};
use frame_support::{
	assert_ok,
	traits::{
		fungible::Balanced,
		tokens::{Fortitude, Precision, Preservation},
		OnUnbalanced,
	},
};
use proptest::prelude::*;
use sp_runtime::Permill;
use tensornet_protocol::{Emission, RewardReason, TokenPolicy};

const REQUESTER: u64 = 1;
const NODE: u64 = 2;
const DEVELOPER: u64 = 3;
const SPONSOR: u64 = 4;
/// Pays for the jobs of others.
const SOMEBODY: u64 = 6;
/// What the attacker's requester and the other one start with.
const WEALTH: u64 = 100_000_000;

/// What governance may set, in percent. `runtime/src/governance/bounds.rs` has the bounds; a test of
/// the runtime plays its extremes.
#[derive(Clone, Copy, Debug)]
struct Setting {
	burn: u32,
	treasury: u32,
	developer: u32,
	lineage: u32,
	rebate: u32,
	node_share: u32,
	rate: u32,
	fee_burn: u32,
}

impl Setting {
	fn apply(&self) {
		JobBurn::set(Permill::from_percent(self.burn));
		JobTreasury::set(Permill::from_percent(self.treasury));
		JobAuthor::set(Permill::from_percent(self.developer));
		JobLineage::set(Permill::from_percent(self.lineage));
		BurnRebate::set(Permill::from_percent(self.rebate));
		NodeShare::set(Permill::from_percent(self.node_share));
		YearlyRate::set(Permill::from_percent(self.rate));
		FeeBurn::set(Permill::from_percent(self.fee_burn));
		FeeTreasury::set(Permill::zero());
	}
}

/// What the attacker does in an era, and what others do.
#[derive(Clone, Copy, Debug)]
struct Play {
	/// Jobs it posts to itself.
	jobs: u64,
	/// What it pays for each.
	price: u64,
	/// What jobs burn that others post.
	others: u64,
	/// The part of these, in percent, that the attacker's node computes: an honest income that it
	/// has anyway.
	served: u64,
}

/// Plays an era. Returns what the attacker's accounts gained, and what was burned for its own jobs.
fn gain(setting: Setting, play: Play) -> (i128, u64) {
	let attacker = [REQUESTER, NODE, DEVELOPER, SPONSOR, BLOCK_AUTHOR];
	let mut outcome = (0, 0);
	TestExt::default()
		.endow(REQUESTER, WEALTH)
		.endow(NODE, ED)
		.endow(DEVELOPER, ED)
		.endow(SPONSOR, ED)
		.endow(SOMEBODY, WEALTH)
		.build()
		.execute_with(|| {
			setting.apply();
			let wealth = || -> i128 {
				attacker.iter().map(|who| i128::from(Balances::free_balance(who))).sum()
			};
			let before = wealth();
			let pay = |to, amount| {
				assert_ok!(Balances::transfer_keep_alive(
					RuntimeOrigin::signed(REQUESTER),
					to,
					amount
				));
			};
			let mut own = 0;
			for _ in 0..play.jobs {
				let fee = Balances::withdraw(
					&REQUESTER,
					500,
					Precision::Exact,
					Preservation::Preserve,
					Fortitude::Polite,
				)
				.expect("the attacker can pay");
				FeeHandler::<Test>::on_unbalanced(fee);
				let split = Tna::shares().split(play.price);
				pay(NODE, split.node);
				pay(DEVELOPER, split.author);
				pay(SPONSOR, split.lineage);
				pay(TREASURY_ACCOUNT, split.treasury);
				burn_for_jobs(REQUESTER, split.burn);
				own += split.burn;
			}
			if play.others > 0 {
				burn_for_jobs(SOMEBODY, play.others);
			}

			let era = next_era();
			// Nodes share in proportion to what their jobs burned. Rounded up, for the attacker.
			let served = play.others * play.served / 100;
			let all = u128::from(own + play.others);
			if all > 0 {
				let budget = u128::from(Tna::node_budget(era));
				let part = (budget * u128::from(own + served)).div_ceil(all);
				Tna::mint(era, &NODE, part as u64, RewardReason::Compute, Some(&NODE));
			}
			let validators = Tna::validator_budget(era);
			Tna::mint(era, &BLOCK_AUTHOR, validators, RewardReason::Validation, None);
			outcome = (wealth() - before, own);
			if setting.rebate < 100 {
				assert_ok!(Tna::do_try_state());
			}
		});
	outcome
}

/// What its own jobs gain the attacker, who would have had its other income without them.
fn by_washing(setting: Setting, play: Play) -> (i128, u64) {
	let (with, burned) = gain(setting, play);
	let (without, _) = gain(setting, Play { jobs: 0, ..play });
	(with - without, burned)
}

#[test]
fn washing_loses_at_every_extreme_of_the_parameters() {
	let mut best = i128::MIN;
	let mut plays = 0;
	for burn in [1, 10, 30] {
		for (treasury, developer, lineage) in [(0, 0, 0), (0, 10, 5), (10, 0, 5), (10, 10, 0)] {
			for rebate in [0, 50, 90] {
				for (node_share, rate) in [(30, 1), (30, 25), (90, 1), (90, 25)] {
					let fee_burn = 20;
					let setting = Setting {
						burn,
						treasury,
						developer,
						lineage,
						rebate,
						node_share,
						rate,
						fee_burn,
					};
					for (jobs, price) in [(1, 10_000), (1, 10_000_000), (9, 1_000_000)] {
						for (others, served) in
							[(0, 0), (1_000, 0), (1_000, 100), (9_000_000, 50), (9_000_000, 100)]
						{
							let play = Play { jobs, price, others, served };
							let (gained, burned) = by_washing(setting, play);
							assert!(gained < 0, "{setting:?} {play:?} gained {gained}");
							let kept = i128::from(burned) * i128::from(100 - rebate) / 100;
							assert!(gained <= -kept + 1, "{setting:?} {play:?} gained {gained}");
							best = best.max(gained);
							plays += 1;
						}
					}
				}
			}
		}
	}
	assert_eq!(plays, 3 * 4 * 3 * 4 * 3 * 5);
	// The least loss there is: the smallest job at the least burn and the greatest rebate, which burns
	// 100, gets 90 back, and pays its fee, of which a fifth burns.
	assert_eq!(best, -(100 - 90) - 500 / 5);
}

#[test]
fn with_a_rebate_of_everything_washing_would_cost_nothing() {
	// Why the bounds keep the rebate below the whole, and a proof that the tests here can fail.
	let setting = Setting {
		burn: 10,
		treasury: 0,
		developer: 0,
		lineage: 5,
		rebate: 100,
		node_share: 90,
		rate: 25,
		fee_burn: 0,
	};
	let play = Play { jobs: 1, price: 100_000, others: 0, served: 0 };
	assert_eq!(by_washing(setting, play), (0, 10_000));
}

#[test]
fn validators_receive_the_same_with_and_without_jobs() {
	let budget = |burned| {
		let mut validators = 0;
		TestExt::default().endow(SOMEBODY, WEALTH).build_and_execute(|| {
			if burned > 0 {
				burn_for_jobs(SOMEBODY, burned);
			}
			validators = Tna::validator_budget(next_era());
		});
		validators
	};
	assert!(budget(0) > 0);
	for burned in [1, 1_000, 90_000_000] {
		assert_eq!(budget(burned), budget(0));
	}
}

proptest! {
	#![proptest_config(ProptestConfig::with_cases(400))]

	#[test]
	fn washing_loses_for_every_setting_and_strategy(
		burn in 1u32..=30,
		treasury in 0u32..=10,
		developer in 0u32..=10,
		lineage in 0u32..=5,
		rebate in 0u32..=90,
		node_share in 30u32..=90,
		rate in 1u32..=25,
		fee_burn in 20u32..=60,
		jobs in 1u64..6,
		price in 10_000u64..10_000_000,
		others in 0u64..20_000_000,
		served in 0u64..=100,
	) {
		let setting =
			Setting { burn, treasury, developer, lineage, rebate, node_share, rate, fee_burn };
		let (gained, _) = by_washing(setting, Play { jobs, price, others, served });
		prop_assert!(gained < 0, "gained {gained}");
	}
}
