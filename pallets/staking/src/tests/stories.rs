// SPDX-License-Identifier: Apache-2.0

//! Long lives of many nodes: whatever happens in whatever order, the invariants hold after every
//! step and no unit is lost.

use crate::{mock::*, Nodes};
use frame_support::assert_ok;
use sp_runtime::traits::{BlakeTwo256, Hash as _};
use tensornet_protocol::{Conduct, Hash, Nodes as _};

/// Deterministic random numbers.
struct Dice(u64);

impl Dice {
	fn roll(&mut self, sides: u64) -> u64 {
		self.0 += 1;
		let hash = BlakeTwo256::hash_of(&self.0);
		u64::from_le_bytes(hash.as_bytes()[..8].try_into().expect("eight bytes")) % sides
	}
}

#[test]
fn any_order_of_events_keeps_every_invariant() {
	for life in 0..8u64 {
		let chain = (1..=24).fold(TestExt::default(), |ext, stash| ext.endow(stash, 20_000));
		chain.build_and_execute(|| {
			let issuance = Balances::total_issuance();
			let mut dice = Dice(life * 1_000_000);
			let mut jobs: Vec<u64> = Vec::new();
			for step in 0..600u64 {
				System::set_block_number(1 + step);
				let stash = 1 + dice.roll(24);
				let origin = RuntimeOrigin::signed(stash);
				let amount = dice.roll(3_000);
				// Refusals are part of life: what counts is what state they leave.
				let _ = match dice.roll(12) {
					0..=1 => register(stash, amount + 500),
					2 => Staking::bond_more(origin, amount),
					3 => Staking::unbond(origin, amount),
					4 => Staking::withdraw_unbonded(origin),
					5 => Staking::deregister_node(origin),
					6 => Staking::set_online(origin, dice.roll(3) > 0),
					7 => Staking::rotate_operator(origin, OPERATOR + 1 + dice.roll(24)),
					8..=9 => {
						let seed = Hash::from_low_u64_be(step);
						if let Some(one) = Staking::pick(&requirements(), seed, Some(&stash)) {
							Staking::job_taken(&one.node, 0);
							jobs.push(one.node);
						}
						Ok(())
					}
					_ if jobs.is_empty() => Ok(()),
					_ => {
						let node = jobs.swap_remove(dice.roll(jobs.len() as u64) as usize);
						let conduct = match dice.roll(8) {
							0 => Conduct::Fraud,
							1..=2 => Conduct::Silent,
							3 => Conduct::Released,
							_ => Conduct::Completed,
						};
						let reporter = (dice.roll(2) == 0).then_some(&REPORTER);
						Staking::job_released(&node, 0, conduct, reporter, &stash);
						Ok(())
					}
				};
				assert_ok!(Staking::do_try_state());
				assert_eq!(Balances::total_issuance() + BurnedByPallet::get(), issuance);
			}
			let counted: u32 = Nodes::<Test>::iter_values().map(|node| node.active_jobs).sum();
			assert_eq!(counted as usize, jobs.len());
			assert!(BurnedByPallet::get() > 0, "the life saw slashes");
		});
	}
}

#[test]
fn everybody_gets_out_with_everything_that_was_not_slashed() {
	let chain = (1..=5).fold(TestExt::default(), |ext, stash| ext.node(stash, stash * MIN));
	chain.build_and_execute(|| {
		let slashed: Vec<u64> = (1..=5)
			.map(|stash| match stash % 3 {
				0 => judge(stash, Conduct::Fraud).total,
				1 => judge(stash, Conduct::Silent).total,
				_ => judge(stash, Conduct::Completed).total,
			})
			.collect();
		for stash in 1..=5 {
			assert_ok!(Staking::deregister_node(RuntimeOrigin::signed(stash)));
		}
		System::set_block_number(1 + PERIOD);
		for (stash, slashed) in (1..=5).zip(slashed) {
			assert_ok!(Staking::withdraw_unbonded(RuntimeOrigin::signed(stash)));
			assert_eq!(Balances::free_balance(stash), 2 * stash * MIN + ED - slashed);
		}
		assert_eq!(Nodes::<Test>::iter().count(), 0);
	});
}
