// SPDX-License-Identifier: Apache-2.0

use crate::{mock::*, Budget, Earned};
use frame_support::assert_ok;
use tensornet_protocol::{BurnCause, Emission, RewardReason};

#[test]
fn the_supply_says_what_exists_was_burned_and_was_minted() {
	TestExt::default().endow(1, 1_000_000).build_and_execute(|| {
		let genesis = Balances::total_issuance();
		burn_for_jobs(1, 10_000);
		assert_ok!(Tna::burn(RuntimeOrigin::signed(1), 300));
		let era = next_era();
		assert_eq!(Tna::mint(era, &1, 2_000, RewardReason::Compute, Some(&1)), 2_000);
		assert_eq!(Tna::mint(era, &1, 500, RewardReason::Validation, Some(&1)), 500);
		burn_for_jobs(1, 44);

		let supply = Tna::supply();
		assert_eq!(supply.issued, Balances::total_issuance());
		assert_eq!((supply.genesis, supply.cap), (genesis, MaxSupply::get()));
		assert_eq!(supply.burned, vec![(BurnCause::Job, 10_044), (BurnCause::Voluntary, 300)]);
		assert_eq!(
			supply.emitted,
			vec![(RewardReason::Compute, 2_000), (RewardReason::Validation, 500)]
		);
		assert_eq!(
			supply.issued + supply.burned_in_all(),
			supply.genesis + supply.emitted_in_all()
		);
		assert_eq!((supply.era, supply.era_burn), (1, 44));
		assert_eq!(supply.reserve, 400_000_000 - 400_000);
		assert_eq!(supply.era_node_maximum, 399_600 * 7 / 10);
		assert_eq!(Tna::rewards(1), Earned { compute: 2_000, delegation: 0, validation: 500 });
		assert_eq!(Tna::budget(0).map(|budget| budget.nodes), Some(5_000));
		assert_eq!(Tna::budget(1), None);
	});
}

#[test]
fn the_announced_budget_is_the_one_that_comes() {
	TestExt::default().endow(1, 1_000_000).build_and_execute(|| {
		next_era();
		burn_for_jobs(1, 777);
		let announced = Tna::supply().next;
		assert_eq!(announced.nodes, 388);
		let era = next_era();
		assert_eq!(Tna::budget(era), Some(announced));
		assert_ne!(announced, Budget::default());
	});
}
