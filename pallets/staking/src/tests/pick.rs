// SPDX-License-Identifier: Apache-2.0

use crate::{mock::*, Nodes, INITIAL_REPUTATION, PICK_ATTEMPTS};
use frame_support::assert_ok;
use std::collections::BTreeMap;
use tensornet_protocol::{Candidate, Capability, Conduct, Hash, Nodes as _, Requirements};

/// Who is picked, how often, over `rounds` seeds.
fn tally(rounds: u64, requirements: &Requirements<u64>) -> BTreeMap<u64, u64> {
	let mut picked = BTreeMap::new();
	for round in 0..rounds {
		if let Some(one) = Staking::pick(requirements, Hash::from_low_u64_be(round), None) {
			*picked.entry(one.node).or_insert(0) += 1;
		}
	}
	picked
}

/// Who can be picked at all.
fn pickable(requirements: &Requirements<u64>) -> Vec<u64> {
	tally(200, requirements).into_keys().collect()
}

/// A chain with `count` nodes of the minimum bond, stashes 1 and up.
fn crowd(count: u64) -> TestExt {
	(1..=count).fold(TestExt::default(), |ext, stash| ext.node(stash, MIN))
}

#[test]
fn nobody_is_picked_where_nobody_is_online() {
	TestExt::default().build_and_execute(|| {
		assert_eq!(Staking::pick(&requirements(), Hash::zero(), None), None);
	});
}

#[test]
fn the_candidate_carries_its_ask() {
	TestExt::default().node(1, MIN).build_and_execute(|| {
		assert_eq!(
			Staking::pick(&requirements(), Hash::zero(), None),
			Some(Candidate { node: 1, ask: ASK })
		);
	});
}

#[test]
fn a_seed_decides_alone() {
	for count in [5, 40] {
		crowd(count).build_and_execute(|| {
			for seed in 0..50 {
				let seed = Hash::from_low_u64_be(seed);
				let first = Staking::pick(&requirements(), seed, None);
				assert!(first.is_some());
				assert_eq!(Staking::pick(&requirements(), seed, None), first);
			}
		});
	}
}

#[test]
fn only_nodes_that_meet_every_requirement_are_picked() {
	crowd(6).build_and_execute(|| {
		let update = |stash, ask, capability| {
			assert_ok!(Staking::update_node(RuntimeOrigin::signed(stash), ask, None, capability));
		};
		update(1, Some(ASK + 1), None);
		update(2, None, Some(Capability { memory_mib: 1_023, giga_macs: 1 }));
		assert_ok!(Staking::set_online(RuntimeOrigin::signed(3), false));
		for _ in 0..4 {
			Staking::job_taken(&4, 0);
		}
		for _ in 0..3 {
			Staking::job_taken(&5, 0);
		}
		update(5, None, Some(Capability { memory_mib: 1_024, giga_macs: 1 }));
		assert_eq!(pickable(&requirements()), [5, 6]);
		Staking::job_released(&4, 0, Conduct::Released, None, &REQUESTER);
		assert_eq!(pickable(&requirements()), [4, 5, 6]);
		assert_eq!(pickable(&Requirements { max_ask: ASK + 1, ..requirements() }), [1, 4, 5, 6]);
	});
}

#[test]
fn a_node_below_a_raised_minimum_is_not_picked() {
	TestExt::default().node(1, MIN).node(2, 2 * MIN).build_and_execute(|| {
		MinBond::set(MIN + 1);
		assert_eq!(pickable(&requirements()), [2]);
	});
}

#[test]
fn the_compliance_level_is_asked_for() {
	crowd(3).build_and_execute(|| {
		Levels::set(vec![(1, 1), (2, 2)]);
		let at_level =
			|compliance_level| pickable(&Requirements { compliance_level, ..requirements() });
		assert_eq!(at_level(0), [1, 2, 3]);
		assert_eq!(at_level(1), [1, 2]);
		assert_eq!(at_level(2), [2]);
		assert_eq!(at_level(3), [0; 0]);
	});
}

#[test]
fn the_excluded_node_is_never_picked() {
	for count in [2, 20] {
		crowd(count).build_and_execute(|| {
			for seed in 0..300 {
				let one = Staking::pick(&requirements(), Hash::from_low_u64_be(seed), Some(&1));
				assert!(one.is_none_or(|one| one.node != 1));
			}
		});
	}
	crowd(1).build_and_execute(|| {
		assert_eq!(Staking::pick(&requirements(), Hash::zero(), Some(&1)), None);
	});
}

#[test]
fn among_few_nodes_the_one_eligible_is_always_found() {
	crowd(u64::from(PICK_ATTEMPTS)).build_and_execute(|| {
		assert_ok!(Staking::update_node(RuntimeOrigin::signed(9), Some(1), None, None));
		let requirements = Requirements { max_ask: 1, ..requirements() };
		assert_eq!(tally(200, &requirements), BTreeMap::from([(9, 200)]));
	});
}

#[test]
fn among_few_nodes_the_odds_are_the_weights() {
	TestExt::default().node(1, MIN).node(2, 2 * MIN).node(3, 5 * MIN).build_and_execute(|| {
		let picked = tally(8_000, &requirements());
		for (stash, expected) in [(1, 1_000u64), (2, 2_000), (3, 5_000)] {
			assert!(picked[&stash].abs_diff(expected) < 200, "{stash}: {picked:?}");
		}
	});
}

#[test]
fn among_many_nodes_the_odds_follow_the_weights() {
	// Node 1 has twice the weight of each of the others.
	let chain =
		(2..=32).fold(TestExt::default().node(1, 10 * MIN), |ext, stash| ext.node(stash, 5 * MIN));
	chain.build_and_execute(|| {
		let picked = tally(16_500, &requirements());
		assert_eq!(picked.len(), 32);
		assert_eq!(picked.values().sum::<u64>(), 16_500);
		assert!(picked[&1].abs_diff(1_000) < 160, "{picked:?}");
		for stash in 2..=32 {
			assert!(picked[&stash].abs_diff(500) < 120, "{stash}: {picked:?}");
		}
	});
}

#[test]
fn stake_beyond_the_cap_adds_no_weight() {
	TestExt::default().node(1, 10 * MIN).node(2, 1_000 * MIN).build_and_execute(|| {
		assert_eq!(Staking::weight_of(&node(1), 0), Staking::weight_of(&node(2), 0));
		assert_eq!(
			Staking::weight_of(&node(1), 0),
			u128::from(10 * MIN) * u128::from(INITIAL_REPUTATION) / 1_000_000
		);
	});
}

#[test]
fn reputation_moves_the_odds() {
	crowd(2).build_and_execute(|| {
		Nodes::<Test>::mutate_extant(1, |node| node.reputation = 900_000);
		Nodes::<Test>::mutate_extant(2, |node| node.reputation = 100_000);
		let picked = tally(4_000, &requirements());
		assert!(picked[&1].abs_diff(3_600) < 120, "{picked:?}");
	});
}

#[test]
fn a_node_without_reputation_is_picked_only_where_it_is_alone() {
	crowd(2).build_and_execute(|| {
		Nodes::<Test>::mutate_extant(1, |node| node.reputation = 0);
		let picked = tally(300, &requirements());
		assert!(picked.get(&1).copied().unwrap_or(0) <= 5, "{picked:?}");
		assert_ok!(Staking::set_online(RuntimeOrigin::signed(2), false));
		assert_eq!(tally(300, &requirements()), BTreeMap::from([(1, 300)]));
	});
}

#[test]
fn where_no_draw_is_accepted_the_heaviest_drawn_is_taken() {
	crowd(40).build_and_execute(|| {
		// Acceptance is all but impossible against such a cap.
		MaxWeightBond::set(u64::MAX / 2);
		Nodes::<Test>::mutate_extant(7, |node| node.reputation = 1_000_000);
		let picked = tally(500, &requirements());
		// Node 7 wins whenever it is among the 16 drawn of 40: 1 - (39/40)^16 = 33 %.
		assert_eq!(picked.values().sum::<u64>(), 500);
		assert!(picked[&7].abs_diff(167) < 50, "{picked:?}");
	});
}

#[test]
fn collateral_of_running_jobs_does_not_count_for_another() {
	TestExt::default().node(1, 4_000).build_and_execute(|| {
		let wants = |collateral| Requirements { collateral, ..requirements() };
		let picked =
			|collateral| Staking::pick(&wants(collateral), Hash::repeat_byte(1), None).is_some();
		assert!(picked(4_000));
		assert!(!picked(4_001));
		Staking::job_taken(&1, 1_500);
		assert!(picked(2_500));
		assert!(!picked(2_501));
		assert_ok!(Staking::unbond(RuntimeOrigin::signed(1), 1_000));
		assert!(picked(1_500));
		assert!(!picked(1_501), "what unbonds backs nothing new");
		Staking::job_released(&1, 1_500, Conduct::Completed, None, &REQUESTER);
		assert!(picked(3_000));
	});
}

#[test]
fn a_node_that_is_barred_while_online_gets_nothing() {
	TestExt::default().node(1, 4_000).build_and_execute(|| {
		let picked = || Staking::pick(&requirements(), Hash::repeat_byte(1), None).is_some();
		assert!(picked());
		Barred::set(vec![1]);
		assert!(!picked());
		Barred::set(vec![]);
	});
}

#[test]
fn compliance_is_asked_of_the_node_that_is_drawn_and_of_no_other() {
	for count in [10, 100] {
		crowd(count).build_and_execute(|| {
			for seed in 0..20 {
				let draw = Staking::draw(&requirements(), Hash::from_low_u64_be(seed), None);
				assert!(draw.candidate.is_some());
				assert_eq!(draw.checked, 1);
				assert!(draw.looked_at <= PICK_ATTEMPTS);
			}
			// Nobody has the level: every node looked at is asked, each once.
			let out_of_reach = Requirements { compliance_level: 9, ..requirements() };
			let draw = Staking::draw(&out_of_reach, Hash::zero(), None);
			assert_eq!(draw.candidate, None);
			assert_eq!(draw.looked_at, PICK_ATTEMPTS.min(count as u32));
			assert_eq!(draw.checked, draw.looked_at);
		});
	}
}

#[test]
fn among_few_nodes_one_that_does_not_comply_leaves_its_odds_to_the_others_by_weight() {
	// 1 weighs as much as both others together, and 3 twice as much as 2.
	TestExt::default().node(1, 6 * MIN).node(2, 2 * MIN).node(3, 4 * MIN).build_and_execute(|| {
		Levels::set(vec![(2, 1), (3, 1)]);
		let picked = tally(3_000, &Requirements { compliance_level: 1, ..requirements() });
		assert_eq!(picked.keys().copied().collect::<Vec<_>>(), [2, 3]);
		assert!((900..1_100).contains(&picked[&2]), "{picked:?}");
	});
}
