// SPDX-License-Identifier: Apache-2.0

//! Every invariant check fires when the state is broken on purpose.

use crate::{mock::*, HoldReason, MemberOf, Members, NextNumber, Records};
use frame_support::{
	assert_ok,
	traits::{fungible::MutateHold, tokens::Precision},
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
