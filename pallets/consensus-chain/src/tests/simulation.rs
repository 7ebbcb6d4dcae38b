// SPDX-License-Identifier: Apache-2.0

//! An attacker who owns everybody in a job, and all their ancestors, still loses. It pays itself as
//! node and author, its own sybils share the fee, and its node receives the most that emission may give
//! for the burn. What is left to lose is stated to the last unit.

use crate::{mock::*, Pallet};
use sp_runtime::Permill;
use tensornet_protocol::Shares;

/// Every account of the tests but the treasury belongs to the attacker.
fn owned() -> Balance {
	wealth(1..=99)
}

/// The most that bounds allow emission to give back of a burn.
const KAPPA: Permill = Permill::from_percent(90);

/// The bounds in which shares may be set, the worst for the chain first: the largest fee for the burn.
fn settings() -> Vec<Shares> {
	let of = |burn: u32, lineage_of_burn: u32, treasury: u32| Shares {
		burn: Permill::from_percent(burn),
		treasury: Permill::from_percent(treasury),
		author: Permill::from_percent(2),
		lineage: Permill::from_parts(burn * lineage_of_burn * 100),
	};
	vec![of(1, 90, 0), of(30, 90, 0), of(10, 50, 3), of(1, 0, 10), of(30, 50, 10)]
}

/// Plays `jobs` jobs of the attacker with itself and returns its loss, which must be what the burn
/// costs after emission, and the treasury's share.
fn play(jobs: &[(AccountId, AccountId, AccountId, Balance)], shares: Shares) -> Balance {
	let before = owned();
	let (mut cost, mut shared, mut fees) = (0, 0, 0);
	for (requester, node, author, price) in jobs {
		let job = settlement(*requester, *node, *author, *price, shares);
		let flow = settle(&job, KAPPA);
		assert!(flow.emitted < flow.burned);
		// Shares only ever move what the attacker itself paid.
		assert_eq!(flow.burned, job.split.burn + job.split.lineage - flow.shared);
		assert!(flow.burned - flow.emitted >= job.split.burn - KAPPA.mul_ceil(job.split.burn));
		cost += flow.burned - flow.emitted + flow.treasury;
		shared += flow.shared;
		fees += job.split.lineage;
	}
	let loss = before - owned();
	assert_eq!(loss, cost);
	assert!(shared <= fees);
	loss
}

#[test]
fn a_line_of_sybils_above_every_role_loses() {
	for shares in settings() {
		execute(|| {
			for (who, first) in [(1, 10), (2, 20), (3, 30)] {
				let mut accounts = vec![who];
				accounts.extend(first..first + 6);
				line(&accounts);
				(first..first + 6).for_each(activate);
			}
			assert!(play(&[(1, 2, 3, 1_000_000); 50], shares) > 0);
		});
	}
}

#[test]
fn a_tree_of_sybils_under_one_root_loses() {
	for shares in settings() {
		execute(|| {
			// A binary tree over 63 accounts: the sponsor of n is n / 2.
			join(1).expect("the account is new");
			for who in 2..=63 {
				sponsor(who, who / 2).expect("the sponsor is older");
			}
			(1..=31).for_each(activate);
			let leaf = |n: u64| 32 + n % 32;
			let jobs: Vec<_> =
				(0..200).map(|n| (leaf(n), leaf(n + 1), leaf(n + 2), 500_000)).collect();
			assert!(play(&jobs, shares) > 0);
		});
	}
}

#[test]
fn a_tree_whose_every_account_works_loses() {
	for shares in settings() {
		execute(|| {
			join(1).expect("the account is new");
			for who in 2..=63 {
				sponsor(who, who / 2).expect("the sponsor is older");
			}
			let any = |n: u64| 1 + n % 63;
			let jobs: Vec<_> =
				(0..400).map(|n| (any(n), any(n * 5 + 1), any(n * 11 + 2), 500_000)).collect();
			assert!(play(&jobs, shares) > 0);
			assert!((1..=63).all(|who| Pallet::<Test>::is_active(&who)));
		});
	}
}

#[test]
fn one_account_in_every_role_under_its_own_sybils_loses() {
	for shares in settings() {
		execute(|| {
			line(&[1, 2, 3, 4, 5, 6, 7]);
			(2..=7).for_each(activate);
			assert!(play(&[(1, 1, 1, 10_000_000); 20], shares) > 0);
		});
	}
}

#[test]
fn a_would_be_ring_gets_no_further_than_a_line_and_loses() {
	for shares in settings() {
		execute(|| {
			line(&[6, 5, 4, 3, 2, 1]);
			for who in 2..=6 {
				assert!(sponsor(1, who).is_err());
			}
			let any = |n: u64| 1 + n % 6;
			let jobs: Vec<_> =
				(0..60).map(|n| (any(n), any(n + 1), any(n + 2), 1_000_000)).collect();
			assert!(play(&jobs, shares) > 0);
		});
	}
}

#[test]
fn sybils_gain_nothing_over_an_honest_account_but_part_of_its_own_fee() {
	execute(|| {
		let shares = usual();
		let alone = play(&[(1, 2, 3, 1_000_000)], shares);
		line(&[1, 10, 11, 12, 13, 14, 15]);
		(10..=15).for_each(activate);
		let with_sybils = play(&[(1, 2, 3, 1_000_000)], shares);
		let fee = 50_000;
		// The requester's part times 63/64, which would have been burned; emission gave a part of that
		// back already.
		let shared = [7_500, 3_750, 1_875, 937, 468, 234].iter().sum::<Balance>();
		assert!(shared < fee);
		let burned = 150_000;
		assert_eq!(alone, burned - KAPPA.mul_floor(burned) + 30_000);
		let burned = 150_000 - shared;
		assert_eq!(with_sybils, burned - KAPPA.mul_floor(burned) + 30_000);
	});
}

#[test]
fn random_forests_of_one_attacker_lose() {
	for seed in 1..=100 {
		execute(|| {
			let mut random = Random(seed);
			join(1).expect("the account is new");
			for who in 2..=60 {
				sponsor(who, 1 + random.below(who - 1)).expect("the sponsor is older");
			}
			ActiveWeight::set(u128::from(random.below(1 << 24)));
			NodePart::set(random.share(0, 500_000));
			RequesterPart::set(random.share(0, 500_000));
			Ratio::set(random.share(100_000, 500_000));
			let burn = random.share(10_000, 300_000);
			let of_burn = random.share(0, 900_000);
			let shares = Shares {
				burn,
				treasury: random.share(0, 100_000),
				author: random.share(0, 100_000),
				lineage: Permill::from_parts(of_burn.mul_floor(burn.deconstruct())),
			};
			let jobs: Vec<_> = (0..100)
				.map(|_| {
					let mut who = || 1 + random.below(60);
					(who(), who(), who(), 0)
				})
				.collect();
			let jobs: Vec<_> = jobs
				.into_iter()
				.map(|(requester, node, author, _)| {
					(requester, node, author, 10_000 + u128::from(random.below(10_000_000)))
				})
				.collect();
			assert!(play(&jobs, shares) > 0, "seed {seed}");
		});
	}
}
