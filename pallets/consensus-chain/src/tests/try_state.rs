// SPDX-License-Identifier: Apache-2.0

//! Every invariant check fires when the state is broken on purpose.

use crate::{mock::*, HoldReason, MemberOf, Members, NextNumber, Pallet, Queue, Records};
use frame_support::{
	assert_ok,
	traits::{
		fungible::{Mutate, MutateHold},
		tokens::{Precision, Preservation},
	},
};
use sp_runtime::TryRuntimeError;

/// A chain where 3 stands under 2 and that under 1, 4 stands alone, and 2 has a record; broken by
/// `corrupt`.
fn fires(message: &'static str, corrupt: impl FnOnce()) {
	new_test_ext().execute_with(|| {
		CurrentEra::set(9);
		line(&[3, 2, 1]);
		assert_ok!(join(4));
		activate(2);
		ConsensusChain::do_try_state().expect("the state is sound before it is broken");
		corrupt();
		assert_eq!(ConsensusChain::do_try_state(), Err(TryRuntimeError::Other(message)));
	});
}

fn change(who: AccountId, change: impl FnOnce(&mut MemberOf<Test>)) {
	Members::<Test>::mutate(who, |member| change(member.as_mut().expect("it has joined")));
}

#[test]
fn a_number_not_given_out() {
	fires("a member's number has not been given out", || NextNumber::<Test>::put(2));
}

#[test]
fn a_number_given_twice() {
	fires("two members have one number", || change(4, |member| member.number = 2));
}

#[test]
fn its_own_sponsor() {
	fires("a member is its own sponsor", || {
		change(3, |member| {
			member.sponsor.as_mut().expect("it has one").account = 3;
		})
	});
}

#[test]
fn a_sponsor_younger_than_whom_it_sponsors() {
	fires("a sponsor is younger than whom it sponsors", || {
		change(2, |member| {
			member.sponsor.as_mut().expect("it has one").number = 2;
		})
	});
}

#[test]
fn a_link_to_a_membership_that_never_was() {
	fires("a link means a membership that never was", || {
		// 1 had number 0; now everything happened later, but the link of 2 says later still.
		change(3, |member| member.number = 11);
		change(2, |member| {
			member.number = 10;
			member.sponsor.as_mut().expect("it has one").number = 9;
		});
		NextNumber::<Test>::put(12);
	});
}

#[test]
fn a_deposit_without_its_hold() {
	fires("what is held for a member is not its deposit", || {
		let reason = HoldReason::Membership.into();
		assert_ok!(Balances::release(&reason, &2, 1, Precision::Exact));
	});
}

#[test]
fn a_hold_without_a_member() {
	fires("a deposit is held for an account that is no member", || {
		assert_ok!(Balances::hold(&HoldReason::Membership.into(), &7, 1));
	});
}

#[test]
fn a_record_without_contributions() {
	fires("a record without contributions is kept", || {
		Records::<Test>::mutate(2, |record| {
			record.as_mut().expect("it has one").amounts = Default::default();
		});
	});
}

#[test]
fn a_record_from_an_era_to_come() {
	fires("a record is from an era to come", || {
		Records::<Test>::mutate(2, |record| {
			record.as_mut().expect("it has one").era = 10;
		});
	});
}

#[test]
fn a_queue_of_who_does_not_wait() {
	fires("the queue names an account whose record knows nothing of it", || {
		Pallet::<Test>::enqueue(&2);
	});
}

#[test]
fn a_place_in_the_queue_that_is_gone() {
	fires("a record says that its account waits, and it does not", || {
		note(&settlement(3, 9, 9, 128_000, usual()));
		Queue::<Test>::remove(0);
	});
}

#[test]
fn an_account_that_waits_twice() {
	fires("an account waits twice", || {
		note(&settlement(3, 9, 9, 128_000, usual()));
		Pallet::<Test>::enqueue(&3);
	});
}

#[test]
fn a_page_outside_the_queue() {
	fires("a page lies outside the queue", || {
		note(&settlement(3, 9, 9, 128_000, usual()));
		let page = Queue::<Test>::take(0);
		Queue::<Test>::insert(1, page);
	});
}

#[test]
fn a_debt_outside_the_queue() {
	fires("what is owed is not in the queue", || {
		Records::<Test>::mutate(2, |record| record.as_mut().expect("it has one").owed = 1);
	});
}

#[test]
fn a_pot_that_lacks_what_is_owed() {
	fires("the pot holds less than what is owed to ancestors", || {
		note(&settlement(3, 9, 9, 128_000, usual()));
		assert_ok!(Balances::transfer(&ConsensusChain::pot(), &1, 1, Preservation::Expendable));
	});
}
