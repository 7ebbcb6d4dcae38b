// SPDX-License-Identifier: Apache-2.0

//! What is recorded, how it decays, and what it weighs.

use crate::{mock::*, Contributions, Error, Event, Record, Records};
use frame_support::{assert_noop, assert_ok, dispatch::Pays, traits::fungible::Inspect};
use sp_runtime::Permill;
use tensornet_protocol::{Lineage, Shares};

fn contributed(who: AccountId) -> Contributions<Balance> {
	ConsensusChain::contributions(who)
}

fn job_settled(requester: AccountId, node: AccountId, author: AccountId, price: Balance) {
	<ConsensusChain as Lineage>::job_settled(&settlement(requester, node, author, price, usual()));
}

fn delegate(who: AccountId, stake: Balance) {
	<ConsensusChain as Lineage>::stake_delegated(&who, stake);
}

#[test]
fn a_settled_job_counts_for_each_of_its_three_roles() {
	execute(|| {
		job_settled(1, 2, 3, 1_000);
		assert_eq!(contributed(1), Contributions { user: 1_000, ..Default::default() });
		assert_eq!(contributed(2), Contributions { node: 800, ..Default::default() });
		assert_eq!(contributed(3), Contributions { developer: 20, ..Default::default() });
	});
}

#[test]
fn contributions_of_one_account_in_all_roles_add_up() {
	execute(|| {
		job_settled(1, 1, 1, 1_000);
		job_settled(1, 1, 1, 1_000);
		delegate(1, 5_000);
		let all = Contributions { node: 1_600, developer: 40, investor: 5_000, user: 2_000 };
		assert_eq!(contributed(1), all);
		assert_eq!(ConsensusChain::weight(1), 1_600 + 40 + 50 + 2_000);
	});
}

#[test]
fn contributions_of_nothing_leave_no_record() {
	execute(|| {
		let all = Shares { burn: Permill::one(), ..Default::default() };
		<ConsensusChain as Lineage>::job_settled(&settlement(1, 2, 3, 1_000, all));
		assert!(Records::<Test>::contains_key(1));
		assert!(!Records::<Test>::contains_key(2));
		assert!(!Records::<Test>::contains_key(3));
		delegate(4, 0);
		assert!(!Records::<Test>::contains_key(4));
	});
}

#[test]
fn a_program_without_an_author_counts_for_the_two_others() {
	execute(|| {
		let mut job = settlement(1, 2, 3, 1_000, usual());
		job.author = None;
		<ConsensusChain as Lineage>::job_settled(&job);
		assert_eq!(Records::<Test>::iter().count(), 2);
		assert_eq!(contributed(3), Contributions::default());
	});
}

#[test]
fn what_jobs_contributed_halves_every_half_life_and_stake_does_not() {
	execute(|| {
		job_settled(1, 1, 1, 1_000);
		delegate(1, 900);
		let after = [(3, 1_000), (4, 500), (7, 500), (8, 250), (12, 125), (16, 62), (40, 0)];
		for (era, user) in after {
			CurrentEra::set(era);
			assert_eq!(contributed(1).user, user, "era {era}");
			assert_eq!(contributed(1).investor, 900);
		}
	});
}

#[test]
fn decay_does_not_depend_on_how_often_a_record_is_touched() {
	execute(|| {
		job_settled(1, 8, 9, 1_000_003);
		job_settled(2, 8, 9, 1_000_003);
		for era in 0..60 {
			CurrentEra::set(era);
			// Touches the record of 1 alone, without adding anything to it.
			delegate(1, 0);
			assert_eq!(contributed(1).user, contributed(2).user, "era {era}");
		}
	});
}

#[test]
fn more_halvings_than_an_amount_has_bits_leave_nothing() {
	execute(|| {
		job_settled(1, 2, 3, u128::from(u64::MAX));
		CurrentEra::set(u32::MAX);
		assert_eq!(contributed(1), Contributions::default());
	});
}

#[test]
fn amounts_beyond_all_measure_saturate() {
	execute(|| {
		crate::Pallet::<Test>::change(&1, |amounts| amounts.user = Balance::MAX);
		job_settled(1, 1, 1, 1_000);
		assert_eq!(contributed(1).user, Balance::MAX);
		assert_eq!(ConsensusChain::weight(1), Balance::MAX);
	});
}

#[test]
fn stake_counts_as_it_is_now() {
	execute(|| {
		delegate(1, 500_000);
		assert_eq!(ConsensusChain::weight(1), 5_000);
		delegate(1, 200_000);
		assert_eq!(ConsensusChain::weight(1), 2_000);
		delegate(1, 0);
		assert!(!Records::<Test>::contains_key(1));
	});
}

#[test]
fn activity_begins_at_the_threshold() {
	execute(|| {
		let active = |who| crate::Pallet::<Test>::is_active(&who);
		for (user, expected) in [(999, false), (1_000, true), (1_001, true)] {
			crate::Pallet::<Test>::change(&1, |amounts| amounts.user = user);
			assert_eq!(active(1), expected, "{user}");
		}
		Sanctioned::set(vec![1]);
		assert!(!active(1));
	});
}

#[test]
fn a_record_decayed_to_nothing_is_cleared_by_anyone_for_free() {
	execute(|| {
		job_settled(1, 2, 3, 1_000);
		CurrentEra::set(40);
		let cleared = ConsensusChain::clear(signed(7), 1).expect("nothing is left of it");
		assert_eq!(cleared.pays_fee, Pays::No);
		assert!(!Records::<Test>::contains_key(1));
		assert_eq!(events().last(), Some(&Event::RecordCleared { who: 1 }));
	});
}

#[test]
fn a_record_that_still_counts_cannot_be_cleared() {
	execute(|| {
		let refused = |who| ConsensusChain::clear(signed(7), who);
		assert_noop!(refused(1), Error::<Test>::NothingToClear);
		job_settled(1, 2, 3, 1_000);
		CurrentEra::set(39);
		assert_eq!(contributed(1).user, 1);
		assert_noop!(refused(1), Error::<Test>::NothingToClear);
		CurrentEra::set(40);
		delegate(1, 1);
		assert_noop!(refused(1), Error::<Test>::NothingToClear);
	});
}

#[test]
fn a_record_says_to_which_era_it_is_decayed() {
	execute(|| {
		CurrentEra::set(5);
		job_settled(1, 2, 3, 1_000);
		let amounts = Contributions { user: 1_000, ..Default::default() };
		assert_eq!(
			Records::<Test>::get(1),
			Some(Record { era: 5, amounts, owed: 0, queued: false })
		);
		CurrentEra::set(8);
		assert_ok!(join(1));
		job_settled(1, 2, 3, 1_000);
		let amounts = Contributions { user: 1_500, ..Default::default() };
		assert_eq!(
			Records::<Test>::get(1),
			Some(Record { era: 8, amounts, owed: 0, queued: false })
		);
	});
}

#[test]
fn a_record_goes_with_its_account_and_a_members_account_cannot_go() {
	execute(|| {
		assert_ok!(join(2));
		job_settled(1, 2, 3, 1_000);
		let empty = |who| Balances::transfer_all(signed(who), 99, false);
		assert_ok!(empty(1));
		assert_eq!(Balances::total_balance(&1), 0);
		assert!(!Records::<Test>::contains_key(1));
		assert_ok!(empty(2));
		assert!(Balances::total_balance(&2) > 0);
		assert!(Records::<Test>::contains_key(2));
	});
}
