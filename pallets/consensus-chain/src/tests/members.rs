// SPDX-License-Identifier: Apache-2.0

//! Joining, naming a sponsor, leaving.

use crate::{mock::*, Error, Event, Member, Members, NextNumber, Sponsor};
use frame_support::{assert_noop, assert_ok};
use sp_runtime::{DispatchError, TokenError};

fn member(who: AccountId) -> Member<AccountId, Balance> {
	Members::<Test>::get(who).expect("the account has joined")
}

#[test]
fn joining_holds_the_deposit_of_the_record_and_gives_the_next_number() {
	execute(|| {
		let deposit = crate::Pallet::<Test>::membership_deposit();
		// The base, the key of 8 bytes and at most 8 + 16 + 1 + 8 + 8 of the value.
		assert_eq!(deposit, 20 + 8 + 41);
		assert_ok!(join(1));
		assert_ok!(join(2));
		assert_eq!(member(1), Member { number: 0, deposit, sponsor: None });
		assert_eq!(member(2).number, 1);
		assert_eq!((held(1), held(2), held(3)), (deposit, deposit, 0));
		assert_eq!(
			events(),
			vec![
				Event::Joined { who: 1, number: 0, deposit },
				Event::Joined { who: 2, number: 1, deposit },
			]
		);
	});
}

#[test]
fn joining_happens_once() {
	execute(|| {
		assert_ok!(join(1));
		assert_noop!(join(1), Error::<Test>::AlreadyMember);
	});
}

#[test]
fn an_account_that_cannot_pay_the_deposit_does_not_join() {
	execute(|| {
		let poor: AccountId = 500;
		assert_noop!(join(poor), DispatchError::Token(TokenError::FundsUnavailable));
	});
}

#[test]
fn naming_a_sponsor_joins_the_caller() {
	execute(|| {
		assert_ok!(join(1));
		assert_ok!(sponsor(2, 1));
		assert_eq!(member(2).sponsor, Some(Sponsor { account: 1, number: 0 }));
		assert_eq!(held(2), member(2).deposit);
		let [.., joined, sponsored] = &events()[..] else { panic!("two events are missing") };
		assert_eq!(joined, &Event::Joined { who: 2, number: 1, deposit: held(2) });
		assert_eq!(sponsored, &Event::Sponsored { who: 2, sponsor: 1 });
	});
}

#[test]
fn a_member_names_an_older_member_later_without_a_second_deposit() {
	execute(|| {
		assert_ok!(join(1));
		assert_ok!(join(2));
		let before = held(2);
		assert_ok!(sponsor(2, 1));
		assert_eq!(held(2), before);
		assert_eq!(NextNumber::<Test>::get(), 2);
	});
}

#[test]
fn a_sponsor_is_named_once() {
	execute(|| {
		assert_ok!(join(1));
		assert_ok!(join(2));
		assert_ok!(sponsor(3, 1));
		assert_noop!(sponsor(3, 1), Error::<Test>::AlreadySponsored);
		assert_noop!(sponsor(3, 2), Error::<Test>::AlreadySponsored);
	});
}

#[test]
fn nobody_sponsors_itself() {
	execute(|| {
		assert_noop!(sponsor(1, 1), Error::<Test>::OwnSponsor);
		assert_ok!(join(1));
		assert_noop!(sponsor(1, 1), Error::<Test>::OwnSponsor);
	});
}

#[test]
fn who_has_not_joined_cannot_be_named() {
	execute(|| {
		assert_noop!(sponsor(2, 1), Error::<Test>::SponsorNotMember);
	});
}

#[test]
fn a_younger_member_cannot_be_named() {
	execute(|| {
		assert_ok!(join(1));
		assert_ok!(join(2));
		assert_noop!(sponsor(1, 2), Error::<Test>::SponsorTooYoung);
	});
}

#[test]
fn a_ring_cannot_be_closed() {
	execute(|| {
		line(&[4, 3, 2, 1]);
		for who in 2..=4 {
			assert_noop!(sponsor(1, who), Error::<Test>::SponsorTooYoung);
		}
	});
}

#[test]
fn a_ring_cannot_be_closed_by_leaving_and_joining_again() {
	execute(|| {
		line(&[3, 2, 1]);
		assert_ok!(leave(1));
		assert_ok!(sponsor(1, 3));
		// The link of 2 means the membership of 1 that has ended.
		assert_eq!(crate::Pallet::<Test>::ancestors_of(&1), vec![3, 2]);
		assert!(crate::Pallet::<Test>::ancestors_of(&2).is_empty());
	});
}

#[test]
fn leaving_releases_what_was_held_even_if_the_deposit_has_changed() {
	execute(|| {
		assert_ok!(join(1));
		let held_at_first = held(1);
		Members::<Test>::mutate(1, |member| {
			let member = member.as_mut().expect("it has joined");
			member.deposit -= 9;
		});
		assert_ok!(<Balances as frame_support::traits::fungible::MutateHold<_>>::release(
			&crate::HoldReason::Membership.into(),
			&1,
			9,
			frame_support::traits::tokens::Precision::Exact
		));
		assert_ok!(leave(1));
		assert_eq!(held(1), 0);
		assert!(!Members::<Test>::contains_key(1));
		let left = Event::Left { who: 1, deposit: held_at_first - 9 };
		assert_eq!(events().last(), Some(&left));
	});
}

#[test]
fn only_a_member_leaves() {
	execute(|| {
		assert_noop!(leave(1), Error::<Test>::NotMember);
	});
}

#[test]
fn an_active_member_stays_until_its_contributions_have_decayed() {
	execute(|| {
		assert_ok!(join(1));
		activate(1);
		assert_noop!(leave(1), Error::<Test>::StillActive);
		CurrentEra::set(HalfLife::get());
		assert_ok!(leave(1));
	});
}

#[test]
fn the_record_of_who_leaves_stays() {
	execute(|| {
		assert_ok!(join(1));
		crate::Pallet::<Test>::change(&1, |amounts| amounts.user = 7);
		assert_ok!(leave(1));
		assert_eq!(ConsensusChain::contributions(1).user, 7);
	});
}

#[test]
fn a_sanctioned_account_neither_joins_nor_names_but_leaves() {
	execute(|| {
		assert_ok!(join(1));
		assert_ok!(join(2));
		Sanctioned::set(vec![2, 3]);
		assert_noop!(join(3), Error::<Test>::Sanctioned);
		assert_noop!(sponsor(3, 1), Error::<Test>::Sanctioned);
		assert_noop!(sponsor(2, 1), Error::<Test>::Sanctioned);
		assert_ok!(leave(2));
	});
}

#[test]
fn numbers_end_before_they_repeat() {
	execute(|| {
		NextNumber::<Test>::put(u64::MAX);
		assert_noop!(join(1), Error::<Test>::NoMoreNumbers);
	});
}

#[test]
fn every_call_wants_a_signature() {
	execute(|| {
		let nobody = RuntimeOrigin::none;
		assert_noop!(ConsensusChain::join(nobody()), DispatchError::BadOrigin);
		assert_noop!(ConsensusChain::set_sponsor(nobody(), 1), DispatchError::BadOrigin);
		assert_noop!(ConsensusChain::leave(nobody()), DispatchError::BadOrigin);
		assert_noop!(ConsensusChain::clear(nobody(), 1), DispatchError::BadOrigin);
	});
}
