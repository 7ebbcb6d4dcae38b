// SPDX-License-Identifier: Apache-2.0

//! Who receives what of a fee.

use crate::mock::*;
use frame_support::assert_ok;
use sp_runtime::Permill;

/// The price of a job whose fee is 6,400: 3,200 for the node's ancestors, 1,920 for the requester's and
/// 1,280 for the author's.
const PRICE: Balance = 128_000;

const REQUESTER: AccountId = 1;
const NODE: AccountId = 2;
const AUTHOR: AccountId = 3;

fn shares() -> Vec<(AccountId, Balance)> {
	let job = settlement(REQUESTER, NODE, AUTHOR, PRICE, usual());
	assert_eq!(job.split.lineage, 6_400);
	shares_in(&job)
}

#[test]
fn a_share_halves_with_each_degree_and_ends_at_the_sixth() {
	execute(|| {
		line(&[NODE, 11, 12, 13, 14, 15, 16, 17]);
		(11..=17).for_each(activate);
		let expected = vec![(11, 1_600), (12, 800), (13, 400), (14, 200), (15, 100), (16, 50)];
		assert_eq!(shares(), expected);
	});
}

#[test]
fn an_inactive_ancestor_leaves_its_place_empty() {
	execute(|| {
		line(&[NODE, 11, 12, 13]);
		[11, 13].into_iter().for_each(activate);
		assert_eq!(shares(), vec![(11, 1_600), (13, 400)]);
	});
}

#[test]
fn each_contribution_passes_on_its_own_part() {
	execute(|| {
		for (who, sponsor) in [(NODE, 11), (REQUESTER, 21), (AUTHOR, 31)] {
			line(&[who, sponsor]);
			activate(sponsor);
		}
		assert_eq!(shares(), vec![(11, 1_600), (21, 960), (31, 640)]);
	});
}

#[test]
fn an_ancestor_of_several_receives_all_their_parts() {
	execute(|| {
		assert_ok!(join(11));
		for who in [NODE, REQUESTER, AUTHOR] {
			assert_ok!(sponsor(who, 11));
		}
		activate(11);
		assert_eq!(shares(), vec![(11, 1_600 + 960 + 640)]);
	});
}

#[test]
fn nobody_shares_without_members_or_without_activity() {
	execute(|| {
		assert_eq!(shares(), vec![]);
		line(&[NODE, 11, 12]);
		assert_eq!(shares(), vec![]);
	});
}

#[test]
fn a_job_without_a_fee_shares_nothing_and_still_counts() {
	execute(|| {
		line(&[NODE, 11]);
		activate(11);
		let free = tensornet_protocol::Shares { lineage: Permill::zero(), ..usual() };
		let job = settlement(REQUESTER, NODE, AUTHOR, PRICE, free);
		assert_eq!(shares_in(&job), vec![]);
		assert_eq!(ConsensusChain::contributions(REQUESTER).user, PRICE);
	});
}

#[test]
fn a_program_without_an_author_or_a_royalty_passes_nothing_on_for_it() {
	execute(|| {
		line(&[AUTHOR, 31]);
		activate(31);
		let mut job = settlement(REQUESTER, NODE, AUTHOR, PRICE, usual());
		job.author = None;
		assert_eq!(shares_in(&job), vec![]);
		let free = tensornet_protocol::Shares { author: Permill::zero(), ..usual() };
		let job = settlement(REQUESTER, NODE, AUTHOR, PRICE, free);
		assert_eq!(shares_in(&job), vec![]);
	});
}

#[test]
fn a_sanctioned_ancestor_receives_nothing_and_those_above_it_do() {
	execute(|| {
		line(&[NODE, 11, 12]);
		(11..=12).for_each(activate);
		Sanctioned::set(vec![11]);
		assert_eq!(shares(), vec![(12, 800)]);
	});
}

#[test]
fn a_sponsor_that_left_ends_the_line_even_when_it_joins_again() {
	execute(|| {
		line(&[NODE, 11, 12]);
		activate(12);
		assert_ok!(leave(11));
		assert_eq!(shares(), vec![]);
		assert_ok!(sponsor(11, 12));
		activate(11);
		assert_eq!(shares(), vec![]);
	});
}

#[test]
fn the_parts_of_a_fee_add_up_to_it_whatever_the_settings() {
	execute(|| {
		for (node, requester) in [(0, 0), (50, 50), (100, 100), (33, 90), (0, 100)] {
			NodePart::set(Permill::from_percent(node));
			RequesterPart::set(Permill::from_percent(requester));
			for fee in [0, 1, 2, 3, 999, 1_000_000_007] {
				let parts = crate::Pallet::<Test>::parts(fee);
				assert_eq!(parts.iter().sum::<Balance>(), fee, "{node} {requester} {fee}");
			}
		}
	});
}

#[test]
fn a_ratio_above_a_half_pays_out_no_more_than_the_part() {
	execute(|| {
		line(&[NODE, 11, 12, 13, 14]);
		(11..=14).for_each(activate);
		Ratio::set(Permill::from_percent(90));
		assert_eq!(shares(), vec![(11, 2_880), (12, 320)]);
	});
}

#[test]
fn the_job_that_makes_an_ancestor_active_already_pays_it() {
	execute(|| {
		line(&[REQUESTER, NODE]);
		// The node earns far more than the threshold with this very job.
		assert_eq!(shares(), vec![(NODE, 960)]);
	});
}
