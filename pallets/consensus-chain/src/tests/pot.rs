// SPDX-License-Identifier: Apache-2.0

//! What waits for ancestors, and how it reaches them.

use crate::{mock::*, Error, Event, Pallet, Queue, QueueBounds, Records, WeightInfo, QUEUE_PAGE};
use frame_support::{
	assert_noop, assert_ok,
	traits::{
		fungible::{Inspect, Mutate},
		tokens::{Fortitude, Precision, Preservation},
		Hooks,
	},
	weights::{Weight, WeightMeter},
};
use tensornet_protocol::{Lineage, Settlement, MAX_DEGREES};

/// The price of a job whose fee is 6,400: of that 3,200 for the node's ancestors.
const PRICE: Balance = 128_000;

fn job() -> Settlement<AccountId, Balance> {
	settlement(1, 2, 3, PRICE, usual())
}

fn pot() -> Balance {
	Balances::balance(&ConsensusChain::pot())
}

/// The node's sponsor 11 and its sponsor 12, both active.
fn node_has_sponsors() {
	line(&[2, 11, 12]);
	(11..=12).for_each(activate);
}

#[test]
fn jobs_add_up_in_one_record_and_are_passed_on_together() {
	execute(|| {
		node_has_sponsors();
		for _ in 0..3 {
			assert_eq!(note(&job()), 3_200);
		}
		assert_eq!((ConsensusChain::waiting(2), pot()), (9_600, ED + 9_600));
		assert_eq!(Queue::<Test>::get(0).into_inner(), vec![2], "it waits once");
		let (eleven, twelve) = (Balances::balance(&11), Balances::balance(&12));
		let issued = Balances::total_issuance();
		System::reset_events();
		serve();
		assert_eq!(Balances::balance(&11) - eleven, 4_800);
		assert_eq!(Balances::balance(&12) - twelve, 2_400);
		assert_eq!(issued - Balances::total_issuance(), 2_400);
		assert_eq!(BurnedFees::get(), 2_400);
		assert_eq!((ConsensusChain::waiting(2), pot()), (0, ED));
		assert_eq!(
			events(),
			vec![Event::PassedOn {
				contributor: 2,
				shares: vec![(11, 4_800), (12, 2_400)],
				burned: 2_400
			}]
		);
	});
}

#[test]
fn nothing_waits_for_who_has_no_sponsor() {
	execute(|| {
		for who in 1..=3 {
			assert_ok!(join(who));
		}
		assert_eq!(<ConsensusChain as Lineage>::job_settled(&job()), None);
		assert_eq!(QueueBounds::<Test>::get(), Default::default());
		assert_eq!(Queue::<Test>::iter().count(), 0);
	});
}

#[test]
fn anybody_has_it_passed_on_at_once_and_once() {
	execute(|| {
		node_has_sponsors();
		assert_noop!(ConsensusChain::pass_on(signed(7), 2), Error::<Test>::NothingToPassOn);
		note(&job());
		assert_ok!(ConsensusChain::pass_on(signed(7), 2));
		assert_eq!((ConsensusChain::waiting(2), pot()), (0, ED));
		assert_noop!(ConsensusChain::pass_on(signed(7), 2), Error::<Test>::NothingToPassOn);
		// The place in the queue remains, once, and means nothing when its turn comes.
		note(&job());
		assert_ok!(ConsensusChain::pass_on(signed(7), 2));
		assert_eq!(Queue::<Test>::get(0).into_inner(), vec![2]);
		System::reset_events();
		serve();
		assert_eq!(events(), vec![]);
	});
}

#[test]
fn who_is_active_is_judged_when_it_is_passed_on() {
	execute(|| {
		line(&[2, 11]);
		note(&job());
		activate(11);
		let before = Balances::balance(&11);
		serve();
		assert_eq!(Balances::balance(&11) - before, 1_600);
		activate(11);
		note(&job());
		Sanctioned::set(vec![11]);
		serve();
		assert_eq!(Balances::balance(&11) - before, 1_600);
		assert_eq!(BurnedFees::get(), 1_600 + 3_200);
	});
}

#[test]
fn what_an_ancestor_cannot_receive_is_burned() {
	for (price, received) in [(800, ED), (720, 0)] {
		execute(|| {
			node_has_sponsors();
			// An account with another provider may go without free funds.
			System::inc_providers(&11);
			assert_ok!(Balances::burn_from(
				&11,
				Balances::balance(&11),
				Preservation::Expendable,
				Precision::Exact,
				Fortitude::Force,
			));
			assert_eq!(Balances::balance(&11), 0);
			// Of the price a twentieth is the fee, half of that the node's part, and half of that what its
			// sponsor receives.
			note(&settlement(1, 2, 3, price, usual()));
			serve();
			assert_eq!(Balances::balance(&11), received, "{price}");
			assert_eq!(pot(), ED);
		});
	}
}

#[test]
fn the_first_member_opens_the_pot_and_nothing_waits_before() {
	execute(|| {
		let empty = || {
			assert_ok!(Balances::burn_from(
				&ConsensusChain::pot(),
				pot(),
				Preservation::Expendable,
				Precision::Exact,
				Fortitude::Force,
			));
		};
		empty();
		let before = Balances::balance(&12);
		assert_ok!(join(12));
		assert_eq!((pot(), Balances::balance(&12)), (ED, before - ED - held(12)));
		let before = Balances::balance(&11);
		assert_ok!(sponsor(11, 12));
		assert_eq!(Balances::balance(&11), before - held(11), "the second one does not pay for it");
		assert_ok!(sponsor(2, 11));
		activate(11);
		assert_eq!(note(&settlement(1, 2, 3, 40, usual())), 1, "a single planck can wait");
		serve();
		// Where it is gone, as on a chain that had members before it had a pot, the fee burns as if
		// nobody had a sponsor.
		empty();
		assert_eq!(<ConsensusChain as Lineage>::job_settled(&job()), None);
		assert_eq!(ConsensusChain::waiting(2), 0);
	});
}

#[test]
fn what_waits_outlives_the_account_that_brought_it() {
	execute(|| {
		line(&[1, 11]);
		activate(11);
		note(&job());
		// The deposit of a member keeps its account, but it can leave first.
		Pallet::<Test>::change(&1, |amounts| *amounts = Default::default());
		assert_ok!(leave(1));
		assert_ok!(Balances::transfer_all(signed(1), 99, false));
		assert_eq!(Balances::total_balance(&1), 0);
		assert_eq!(ConsensusChain::waiting(1), 1_920);
		Pallet::<Test>::do_try_state().expect("the invariants hold");
		serve();
		// Its link to the sponsor is gone, so all of it burns.
		assert_eq!(BurnedFees::get(), 1_920);
		assert!(!Records::<Test>::contains_key(1));
	});
}

#[test]
fn a_block_passes_on_as_much_as_it_has_weight_for_and_the_oldest_first() {
	execute(|| {
		for who in 10..20 {
			line(&[who, who + 20]);
			activate(who + 20);
			note(&settlement(who, 1, 1, PRICE, usual()));
		}
		type Weights = <Test as crate::Config>::WeightInfo;
		let limit = Weights::queue_base()
			.saturating_add(Weights::pass_on(MAX_DEGREES))
			.saturating_add(Weights::pass_on(1).saturating_mul(3));
		let used = ConsensusChain::on_idle(1, limit);
		assert!(used.all_lte(limit));
		// One ancestor each costs less than the most that is kept free for the next.
		let left = Queue::<Test>::get(0).into_inner();
		assert!(left.len() < 8 && left.len() > 4, "{left:?}");
		assert_eq!(left.last(), Some(&19));
		assert_eq!(ConsensusChain::waiting(10), 0);
		Pallet::<Test>::do_try_state().expect("the invariants hold");
		assert_eq!(ConsensusChain::on_idle(1, Weight::zero()), Weight::zero());
		assert_eq!(Queue::<Test>::get(0).len(), left.len());
	});
}

#[test]
fn a_queue_of_many_pages_is_served_page_by_page_and_leaves_nothing() {
	execute(|| {
		assert_ok!(join(99));
		activate(99);
		let first = 10_000;
		let many = u64::from(QUEUE_PAGE) * 2 + 5;
		for who in first..first + many {
			assert_ok!(Balances::mint_into(&who, FUNDS));
			assert_ok!(sponsor(who, 99));
			note(&settlement(who, 1, 1, PRICE, usual()));
		}
		Pallet::<Test>::do_try_state().expect("the invariants hold");
		for left in [QUEUE_PAGE + 5, 5, 0] {
			ConsensusChain::serve_queue(&mut WeightMeter::new());
			let waiting: usize = Queue::<Test>::iter_values().map(|page| page.len()).sum();
			assert_eq!(waiting as u32, left);
			Pallet::<Test>::do_try_state().expect("the invariants hold");
		}
		assert_eq!(Queue::<Test>::iter().count(), 0);
		assert_eq!(pot(), ED);
		// And it begins again where it ended.
		note(&settlement(first, 1, 1, PRICE, usual()));
		serve();
		assert_eq!(pot(), ED);
	});
}
