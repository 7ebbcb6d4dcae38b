// SPDX-License-Identifier: Apache-2.0

//! Laws over random lives of nodes and delegators.

use crate::{mock::*, Delegations, Nodes, PendingSlashes, Standing};
use frame_support::assert_ok;
use sp_runtime::{
	traits::{BlakeTwo256, Hash as _},
	Permill,
};
use tensornet_protocol::Conduct;

/// Deterministic random numbers.
struct Dice(u64);

impl Dice {
	fn roll(&mut self, sides: u64) -> u64 {
		self.0 += 1;
		let hash = BlakeTwo256::hash_of(&self.0);
		u64::from_le_bytes(hash.as_bytes()[..8].try_into().expect("eight bytes")) % sides
	}
}

const NODES: u64 = 5;
const FUNDS: u64 = 200_000;

fn delegators() -> std::ops::Range<u64> {
	100..112
}

/// Anything that anybody may do to stake, slashes and rewards, and the passing of blocks and eras.
fn act(dice: &mut Dice, block: &mut u64) {
	let node = 1 + dice.roll(NODES);
	let other = 1 + dice.roll(NODES);
	let who = 100 + dice.roll(12);
	let amount = 1 + dice.roll(5_000);
	let _ = match dice.roll(24) {
		0..=3 => Staking::delegate(by(who), node, amount),
		4..=5 => Staking::undelegate(by(who), node, amount),
		6 => Staking::undelegate(by(who), node, u64::MAX),
		7..=8 => Staking::redelegate(by(who), node, other, amount),
		9..=10 => Staking::withdraw_undelegated(by(who), node),
		11 => Staking::settle(by(who), node, who),
		12 => Staking::claim_delegation(by(who), node),
		13 => {
			settle_job(node, amount);
			Ok(())
		}
		14..=15 => Staking::claim_rewards(
			by(who),
			node,
			Era::get().saturating_sub(1 + dice.roll(3) as u32),
		),
		16 => {
			let conduct =
				[Conduct::Fraud, Conduct::Withheld, Conduct::Silent][dice.roll(3) as usize];
			let collateral = dice.roll(2) * dice.roll(3_000);
			// A node that left has no jobs.
			if Nodes::<Test>::get(node).is_some_and(|node| node.standing != Standing::Leaving) {
				judge_at(node, collateral, conduct);
			}
			Ok(())
		}
		17 => match PendingSlashes::<Test>::get(node).first() {
			Some(slash) if dice.roll(2) == 0 => {
				Staking::cancel_slash(RuntimeOrigin::root(), node, slash.id)
			}
			_ => Staking::enact_slash(by(who), node),
		},
		18 => {
			let _ = Staking::bond_more(by(node), amount);
			let _ = register(node, 2 * MIN);
			Staking::set_online(by(node), true)
		}
		19 => match dice.roll(6) {
			0 => Staking::deregister_node(by(node)),
			1 => Staking::withdraw_unbonded(by(node)),
			_ => Staking::unbond(by(node), amount),
		},
		20 => {
			SlashDelay::set(dice.roll(3) * 20);
			FraudSlash::set(Permill::from_percent([10, 50, 100][dice.roll(3) as usize]));
			Staking::set_commission(by(node), Permill::from_percent(dice.roll(50) as u32))
		}
		21 => {
			if dice.roll(3) == 0 {
				end_era(dice.roll(20_000));
			}
			Ok(())
		}
		_ => {
			*block += dice.roll(30);
			go_to(*block);
			Ok(())
		}
	};
}

#[test]
fn whatever_happens_every_law_holds_and_no_unit_is_lost_or_made() {
	let mut seen = (0, 0);
	for life in 0..6u64 {
		let chain = (1..=NODES).fold(TestExt::default(), |ext, stash| ext.node(stash, 20 * MIN));
		let chain = delegators().fold(chain, |ext, who| ext.endow(who, FUNDS));
		chain.build_and_execute(|| {
			let issuance = Balances::total_issuance();
			let mut dice = Dice(life << 32);
			let mut block = 1;
			for step in 0..1_500 {
				act(&mut dice, &mut block);
				if let Err(error) = Staking::do_try_state() {
					panic!("life {life}, step {step}: {error:?}");
				}
				assert_eq!(Balances::total_issuance() + BurnedByPallet::get(), issuance + minted());
			}
			for (era, paid) in Minted::get() {
				assert!(paid <= Budgets::get()[&era], "era {era} paid more than its budget");
			}
			seen = (seen.0 + minted(), seen.1 + BurnedByPallet::get());
			everybody_leaves(block);
			SlashDelay::set(0);
			FraudSlash::set(Permill::from_percent(50));
		});
	}
	assert!(seen.0 > 10_000 && seen.1 > 10_000, "the lives saw rewards and slashes: {seen:?}");
}

/// Carries out every slash, then lets all delegators out with all that is theirs.
fn everybody_leaves(mut block: u64) {
	SlashDelay::set(0);
	for _ in 0..8 {
		block += 2 * PERIOD;
		go_to(block);
		for (node, who) in Delegations::<Test>::iter_keys().collect::<Vec<_>>() {
			let _ = Staking::undelegate(by(who), node, u64::MAX);
			let _ = Staking::withdraw_undelegated(by(who), node);
			let _ = Staking::claim_delegation(by(who), node);
			let _ = Staking::settle(by(who), node, who);
		}
	}
	assert_eq!(Delegations::<Test>::iter().count(), 0, "everybody got out");
	for who in delegators() {
		assert_eq!(delegated(who), 0);
	}
	assert_eq!(Balances::free_balance(Staking::pot()), ED, "nothing is stuck in the pot");
	for record in Nodes::<Test>::iter_values() {
		assert_eq!(record.backing, 0);
	}
}

/// What rounding to parts of a planck may give too much over a whole life, in plancks.
const GRAIN: f64 = 0.01;

/// Delegations beside an exact model: who was slashed takes out at most its part, and at least that
/// less a unit for each time it was touched.
#[test]
fn a_slashed_delegator_takes_out_its_part_and_never_more() {
	for life in 0..20u64 {
		let chain = delegators().fold(TestExt::default(), |ext, who| ext.endow(who, FUNDS));
		chain.node(1, 1_000_000).build_and_execute(|| {
			let mut dice = Dice(u64::MAX / 2 + (life << 32));
			// For each delegator: what is delegated, what unbonds, and how often it was touched.
			let mut model = vec![(0f64, 0f64, 0f64); 12];
			let mut paid_in = vec![0u64; 12];
			let mut block = 1;
			for _ in 0..400 {
				let index = dice.roll(12) as usize;
				let who = 100 + index as u64;
				let one = &mut model[index];
				let amount = 100 + dice.roll(9_000);
				match dice.roll(8) {
					0..=2 => {
						if Staking::delegate(by(who), 1, amount).is_ok() {
							*one = (one.0 + amount as f64, one.1, one.2 + 1.0);
							paid_in[index] += amount;
						}
					}
					3 => {
						let before = worth(1, who);
						if Staking::undelegate(by(who), 1, amount).is_ok() {
							let out = if amount >= before { one.0 } else { amount as f64 };
							*one = (one.0 - out, one.1 + out, one.2 + 1.0);
						}
					}
					4 => {
						assert_ok!(Staking::bond_more(by(1), 1_000));
						let bond = node(1).bond;
						let slash = judge_at(1, dice.roll(bond / 3), Conduct::Withheld);
						let left = 1.0 - slash.total as f64 / bond as f64;
						for one in &mut model {
							*one = (one.0 * left, one.1 * left, one.2 + 1.0);
						}
					}
					5 => {
						let _ = Staking::settle(by(9), 1, who);
						one.2 += 1.0;
					}
					_ => block += dice.roll(20),
				}
				System::set_block_number(block);
				let now = worth(1, who) as f64;
				let (expected, _, touches) = model[index];
				assert!(now <= expected + GRAIN, "{now} is more than {expected}");
				assert!(now >= expected - 2.0 * touches - 1.0, "{now} is less than {expected}");
			}
			let ends = (100..).zip(model.into_iter().zip(paid_in));
			for (who, ((delegated, unbonding, touches), paid_in)) in ends {
				let before = Balances::free_balance(who);
				let _ = Staking::undelegate(by(who), 1, u64::MAX);
				block += 2 * PERIOD;
				System::set_block_number(block);
				let _ = Staking::withdraw_undelegated(by(who), 1);
				let (out, most) =
					((Balances::free_balance(who) - before) as f64, delegated + unbonding);
				assert!(out <= most + GRAIN, "{who} took out {out} of {most}");
				assert!(out >= most - 10.0 * touches - 1.0, "{who} took out {out} of {most}");
				assert!(out <= paid_in as f64);
			}
		});
	}
}
