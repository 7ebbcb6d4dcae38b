// SPDX-License-Identifier: Apache-2.0

//! What the queries answer.

use crate::{mock::*, Ancestor, Contributions};

#[test]
fn lineage_lists_ancestors_with_degree_weight_and_activity() {
	execute(|| {
		line(&[1, 2, 3]);
		activate(2);
		crate::Pallet::<Test>::change(&3, |amounts| amounts.investor = 50_000);
		assert_eq!(
			ConsensusChain::lineage(1),
			vec![
				Ancestor { account: 2, degree: 1, weight: 1_000, active: true },
				Ancestor { account: 3, degree: 2, weight: 500, active: false },
			]
		);
		assert_eq!(ConsensusChain::lineage(3), vec![]);
	});
}

#[test]
fn lineage_shows_at_most_six_degrees() {
	execute(|| {
		line(&(1..=20).collect::<Vec<_>>());
		let degrees: Vec<_> = ConsensusChain::lineage(1)
			.into_iter()
			.map(|ancestor| (ancestor.account, ancestor.degree))
			.collect();
		assert_eq!(degrees, vec![(2, 1), (3, 2), (4, 3), (5, 4), (6, 5), (7, 6)]);
	});
}

#[test]
fn an_unknown_account_has_no_contributions_weight_or_lineage() {
	execute(|| {
		assert_eq!(ConsensusChain::contributions(77), Contributions::default());
		assert_eq!(ConsensusChain::weight(77), 0);
		assert_eq!(ConsensusChain::lineage(77), vec![]);
	});
}

#[test]
fn weight_follows_the_era() {
	execute(|| {
		activate(1);
		CurrentEra::set(HalfLife::get());
		assert_eq!(ConsensusChain::weight(1), 500);
	});
}
