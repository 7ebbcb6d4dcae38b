// SPDX-License-Identifier: Apache-2.0

//! Laws that hold whatever anybody does and whatever governance sets.

use crate::{mock::*, Members, Pallet};
use sp_runtime::Permill;
use tensornet_protocol::{Shares, CONTRIBUTIONS_PER_JOB, MAX_DEGREES};

/// All links of one account upwards, without a limit. Fails if it meets an account twice.
fn walk_to_the_end(from: AccountId) {
	let mut seen = vec![from];
	let mut link = Members::<Test>::get(from).and_then(|member| member.sponsor);
	while let Some(sponsor) = link {
		let Some(member) =
			Members::<Test>::get(sponsor.account).filter(|one| one.number == sponsor.number)
		else {
			return;
		};
		assert!(!seen.contains(&sponsor.account), "{from} goes round in a circle: {seen:?}");
		seen.push(sponsor.account);
		link = member.sponsor;
	}
}

#[test]
fn no_order_of_joining_naming_and_leaving_makes_a_cycle() {
	let mut longest = 0;
	for seed in 1..=40 {
		execute(|| {
			let mut random = Random(seed);
			for _ in 0..400 {
				let (who, other) = (1 + random.below(12), 1 + random.below(12));
				// Many of these are refused; that is the point.
				let _ = match random.below(8) {
					0 => join(who),
					1 => leave(who),
					_ => sponsor(who, other),
				};
				(1..=12).for_each(walk_to_the_end);
			}
			longest = longest.max(
				(1..=12).map(|who| Pallet::<Test>::ancestors_of(&who).len()).max().unwrap_or(0),
			);
		});
	}
	assert!(longest >= 4, "the run never built a line worth the name: {longest}");
}

/// The widest bounds that the shares of a job may have, in parts per million: the runtime's own are
/// checked against the same law in its tests.
fn any_shares(random: &mut Random) -> Shares {
	let burn = random.share(10_000, 300_000);
	let of_burn = random.share(0, 900_000);
	Shares {
		burn,
		treasury: random.share(0, 100_000),
		author: random.share(0, 100_000),
		lineage: Permill::from_parts(of_burn.mul_floor(burn.deconstruct())),
	}
}

/// A forest of thirty accounts, most of them linked and most of them active.
fn any_forest(random: &mut Random) {
	for who in 1..=30 {
		if who == 1 || random.below(6) == 0 {
			join(who).expect("the account is new");
		} else if random.below(8) > 0 {
			let _ = sponsor(who, 1 + random.below(who - 1));
		}
		if random.below(5) > 0 {
			activate(who);
		}
	}
}

#[test]
fn the_sum_of_shares_is_at_most_the_fee_and_below_the_burn() {
	let (mut most_payees, mut full) = (0, 0);
	for seed in 1..=300 {
		execute(|| {
			let mut random = Random(seed);
			any_forest(&mut random);
			for _ in 0..40 {
				NodePart::set(random.share(0, 500_000));
				RequesterPart::set(random.share(0, 500_000));
				Ratio::set(random.share(0, 1_000_000));
				ActiveWeight::set(u128::from(random.below(2_000)));
				let who = |random: &mut Random| 1 + random.below(30);
				let price = 1_000 + u128::from(random.below(1 << 40));
				let shares = any_shares(&mut random);
				let job =
					settlement(who(&mut random), who(&mut random), who(&mut random), price, shares);
				let split = job.split;
				assert_eq!(
					split.node + split.burn + split.treasury + split.author + split.lineage,
					price
				);
				let payees = shares_in(&job);
				let shared: Balance = payees.iter().map(|(_, amount)| amount).sum();
				assert!(shared <= split.lineage, "seed {seed}: {shared} of {}", split.lineage);
				assert!(shared < split.burn, "seed {seed}: {shared} against {}", split.burn);
				assert!(payees.len() <= (CONTRIBUTIONS_PER_JOB * MAX_DEGREES) as usize);
				assert!(payees.iter().all(|(_, amount)| *amount > 0));
				most_payees = most_payees.max(payees.len());
				full += u32::from(shared > 0);
			}
		});
	}
	assert!(most_payees >= 10, "the forests were too thin: {most_payees}");
	assert!(full > 3_000, "too few jobs shared anything: {full}");
}

#[test]
fn the_most_payees_are_reached_and_never_exceeded() {
	execute(|| {
		for (who, first) in [(1, 10), (2, 20), (3, 30)] {
			let mut accounts = vec![who];
			accounts.extend(first..first + 8);
			line(&accounts);
			(first..first + 8).for_each(activate);
		}
		let job = settlement(1, 2, 3, 1 << 30, usual());
		let payees = shares_in(&job);
		assert_eq!(payees.len(), (CONTRIBUTIONS_PER_JOB * MAX_DEGREES) as usize);
	});
}
