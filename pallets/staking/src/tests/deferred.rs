// SPDX-License-Identifier: Apache-2.0

//! Slashes that are carried out after a delay.

use crate::{
	mock::*, Error, Event, Nodes, PendingSlashes, SlashAgenda, SlashesDue, Standing, WeightInfo,
	INITIAL_REPUTATION,
};
use frame_support::{assert_noop, assert_ok, weights::WeightMeter};
use sp_runtime::traits::BadOrigin;
use tensornet_protocol::{Conduct, Hash, Nodes as _, Requirements, Slash};

const DELAY: u64 = 30;

/// Node 1 with 4,000 and delegator 5 with 1,000; node 2 with 4,000; slashes wait for [`DELAY`] blocks.
fn deferred(test: impl FnOnce()) {
	let chain = TestExt::default().node(1, 4_000).node(2, 4_000);
	chain.endow(5, 10_000).build_and_execute(|| {
		SlashDelay::set(DELAY);
		assert_ok!(Staking::delegate(by(5), 1, 1_000));
		test();
		SlashDelay::set(0);
	});
}

#[test]
fn a_decision_says_what_will_be_taken_and_takes_nothing_yet() {
	deferred(|| {
		let slash = judge(1, Conduct::Fraud);
		assert_eq!(
			slash,
			Slash { total: 2_000, burned: 1_000, to_reporter: 500, to_requester: 500 }
		);
		let node = node(1);
		assert_eq!((node.bond, node.aside, node.pending, held(1)), (2_000, 2_000, 1, 4_000));
		assert_eq!((node.standing, node.is_online()), (Standing::Jailed, false));
		assert_eq!(Balances::free_balance(REPORTER), ED);
		assert_eq!((worth(1, 5), BurnedByPallet::get()), (1_000, 0));
		let conduct = Conduct::Fraud;
		System::assert_has_event(
			Event::SlashDecided { stash: 1, id: 0, conduct, slash, due: 1 + DELAY }.into(),
		);
	});
}

#[test]
fn the_chain_carries_it_out_when_it_is_due() {
	deferred(|| {
		let slash = judge(1, Conduct::Fraud);
		go_to(DELAY);
		assert_eq!(held(1), 4_000);
		go_to(DELAY + 1);
		assert_eq!((held(1), node(1).aside, node(1).pending), (2_000, 0, 0));
		assert_eq!(Balances::free_balance(REPORTER), ED + 500);
		assert_eq!(Balances::free_balance(REQUESTER), ED + 500);
		assert_eq!((worth(1, 5), BurnedByPallet::get()), (500, 1_000));
		System::assert_has_event(
			Event::NodeSlashed { stash: 1, conduct: Conduct::Fraud, slash }.into(),
		);
		assert_eq!((SlashesDue::<Test>::get(), SlashAgenda::<Test>::iter().count()), (None, 0));
	});
}

#[test]
fn anyone_carries_it_out_when_the_chain_is_too_busy() {
	deferred(|| {
		judge(1, Conduct::Fraud);
		System::set_block_number(DELAY);
		assert_noop!(Staking::enact_slash(by(9), 1), Error::<Test>::NotDue);
		System::set_block_number(DELAY + 1);
		assert_noop!(Staking::enact_slash(by(9), 2), Error::<Test>::UnknownSlash);
		assert_noop!(Staking::enact_slash(RuntimeOrigin::none(), 1), BadOrigin);
		assert_ok!(Staking::enact_slash(by(9), 1));
		assert_eq!(held(1), 2_000);
		assert_noop!(Staking::enact_slash(by(9), 1), Error::<Test>::UnknownSlash);
	});
}

#[test]
fn a_cancelled_slash_leaves_no_trace() {
	deferred(|| {
		let before = node(1);
		judge(1, Conduct::Fraud);
		assert_noop!(Staking::cancel_slash(by(1), 1, 0), BadOrigin);
		assert_noop!(
			Staking::cancel_slash(RuntimeOrigin::root(), 1, 7),
			Error::<Test>::UnknownSlash
		);
		assert_ok!(Staking::cancel_slash(RuntimeOrigin::root(), 1, 0));
		System::assert_last_event(
			Event::SlashCancelled { stash: 1, id: 0, restored: 2_000 }.into(),
		);
		// But for its place: nobody puts a node online behind its back.
		assert_eq!(node(1), crate::NodeOf::<Test> { position: None, ..before });
		assert_eq!(node(1).reputation, INITIAL_REPUTATION);
		assert_eq!((worth(1, 5), held(1)), (1_000, 4_000));
		assert_eq!((SlashesDue::<Test>::get(), SlashAgenda::<Test>::iter().count()), (None, 0));
		go_to(2 * DELAY);
		assert_eq!(held(1), 4_000);
		assert_ok!(Staking::set_online(by(OPERATOR + 1), true));
	});
}

#[test]
fn what_unbonded_goes_back_to_where_it_was() {
	deferred(|| {
		Staking::job_taken(&1, 0);
		for block in 1..=3 {
			System::set_block_number(block);
			assert_ok!(Staking::unbond(by(1), 1_000));
		}
		let before = node(1);
		FraudSlash::set(sp_runtime::Permill::from_percent(90));
		let slash = Staking::job_released(&1, 0, Conduct::Fraud, Some(&REPORTER), &REQUESTER);
		assert_eq!((slash.total, node(1).bond, node(1).unbonding_total()), (3_600, 0, 400));
		assert_ok!(Staking::cancel_slash(RuntimeOrigin::root(), 1, 0));
		let after = node(1);
		assert_eq!((after.bond, after.unbonding_total()), (before.bond, 3_000));
		// All that was taken of the chunks waits as long as the last of them.
		assert_eq!(after.unbonding.iter().map(|chunk| chunk.unlock_at).max(), Some(PERIOD + 3));
		FraudSlash::set(sp_runtime::Permill::from_percent(50));
	});
}

#[test]
fn nobody_escapes_between_decision_and_execution() {
	deferred(|| {
		assert_ok!(Staking::undelegate(by(5), 1, 400));
		System::set_block_number(PERIOD + 1);
		judge(1, Conduct::Fraud);
		assert_noop!(Staking::withdraw_undelegated(by(5), 1), Error::<Test>::SlashPending);
		assert_noop!(Staking::redelegate(by(5), 1, 2, 600), Error::<Test>::SlashPending);
		assert_ok!(Staking::undelegate(by(5), 1, 600));
		// What is set aside backs nothing and leaves by no door.
		assert_eq!((node(1).free_bond(), node(1).on_hold()), (2_000, 4_000));
		assert_ok!(Staking::deregister_node(by(1)));
		System::set_block_number(3 * PERIOD);
		assert_ok!(Staking::withdraw_unbonded(by(1)));
		assert_eq!((held(1), node(1).aside), (2_000, 2_000));
		assert_ok!(Staking::enact_slash(by(9), 1));
		assert_eq!((held(1), Nodes::<Test>::contains_key(1)), (0, false));
		assert_ok!(Staking::withdraw_undelegated(by(5), 1));
		assert_eq!((delegated(5), Balances::free_balance(5)), (0, 9_500));
	});
}

#[test]
fn a_node_with_a_decided_slash_takes_nobody_new() {
	deferred(|| {
		judge_at(1, 500, Conduct::Withheld);
		assert_eq!(node(1).standing, Standing::Active);
		assert_noop!(Staking::delegate(by(5), 1, 500), Error::<Test>::SlashPending);
		go_to(DELAY + 1);
		assert_ok!(Staking::delegate(by(5), 1, 500));
		assert_eq!(worth(1, 5), 875 + 500);
	});
}

#[test]
fn what_is_set_aside_is_no_collateral() {
	deferred(|| {
		judge_at(1, 1_000, Conduct::Withheld);
		let pick = |collateral| {
			let needs = Requirements { collateral, ..requirements() };
			Staking::pick(&needs, Hash::repeat_byte(1), Some(&2)).map(|one| one.node)
		};
		assert_eq!((pick(3_000), pick(3_001)), (Some(1), None));
	});
}

#[test]
fn a_node_stays_in_jail_for_its_other_lie() {
	deferred(|| {
		Staking::job_taken(&1, 0);
		Staking::job_taken(&1, 0);
		for _ in 0..2 {
			Staking::job_released(&1, 0, Conduct::Fraud, None, &REQUESTER);
		}
		assert_eq!((node(1).bond, node(1).aside), (1_000, 3_000));
		assert_ok!(Staking::cancel_slash(RuntimeOrigin::root(), 1, 0));
		assert_eq!((node(1).standing, node(1).bond), (Standing::Jailed, 3_000));
		assert_noop!(Staking::set_online(by(1), true), Error::<Test>::SlashPending);
		assert_ok!(Staking::cancel_slash(RuntimeOrigin::root(), 1, 1));
		assert_eq!((node(1).standing, node(1).bond), (Standing::Active, 4_000));
	});
}

#[test]
fn slashes_of_a_node_are_carried_out_in_order_though_the_delay_shrinks() {
	deferred(|| {
		judge_at(1, 400, Conduct::Withheld);
		SlashDelay::set(0);
		judge_at(1, 360, Conduct::Withheld);
		let due: Vec<_> = PendingSlashes::<Test>::get(1).iter().map(|slash| slash.due).collect();
		assert_eq!(due, [1 + DELAY, 2 + DELAY]);
		go_to(2 + DELAY);
		assert_eq!((held(1), worth(1, 5)), (3_240, 809));
	});
}

#[test]
fn what_does_not_fit_a_block_is_carried_to_the_next() {
	let chain = (1..=20).fold(TestExt::default(), |ext, stash| ext.node(stash, MIN));
	chain.build_and_execute(|| {
		SlashDelay::set(DELAY);
		for stash in 1..=20 {
			judge(stash, Conduct::Fraud);
		}
		type Weights = crate::weights::SubstrateWeight<Test>;
		let room =
			Weights::slashes_base() + Weights::slashes_block() * 2 + Weights::enact_slash() * 7;
		let mut left = Vec::new();
		for block in 1..=3 {
			let block = block + DELAY;
			System::set_block_number(block);
			let mut meter = WeightMeter::with_limit(room);
			Staking::enact_due(block, &mut meter);
			assert!(meter.consumed().all_lte(room));
			assert_ok!(Staking::do_try_state());
			left.push(PendingSlashes::<Test>::iter().count());
		}
		assert_eq!(left, [13, 6, 0]);
		let mut meter = WeightMeter::with_limit(Weights::slashes_base() / 2);
		Staking::enact_due(99, &mut meter);
		assert_eq!(meter.consumed(), Default::default());
		SlashDelay::set(0);
	});
}

#[test]
fn silence_does_not_wait() {
	deferred(|| {
		assert_eq!(judge(1, Conduct::Silent).total, 40);
		assert_eq!((held(1), node(1).pending), (3_960, 0));
	});
}

#[test]
fn a_node_is_not_picked_when_its_jobs_could_bring_more_slashes_than_are_kept() {
	deferred(|| {
		for _ in 0..crate::MAX_PENDING {
			judge(1, Conduct::Withheld);
			assert_ok!(Staking::bond_more(by(1), 40));
		}
		assert!(node(1).is_online());
		assert!(Staking::pick(&requirements(), Hash::repeat_byte(1), Some(&2)).is_none());
		go_to(1 + DELAY);
		assert!(Staking::pick(&requirements(), Hash::repeat_byte(1), Some(&2)).is_some());
	});
}
