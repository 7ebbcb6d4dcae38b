// SPDX-License-Identifier: Apache-2.0

//! The laws of delegators, rewards and decided slashes fire.

use crate::{
	mock::*, DelegationOf, Delegations, EraBurn, HoldReason, Joined, JoinedIn, NodeOf, Nodes,
	OldestEra, PendingSlashOf, PendingSlashes, PoolOf, Pools, ShareChunk, SlashAgenda, SlashesDue,
	INDEX_START,
};
use frame_support::{assert_ok, traits::fungible::MutateHold};
use sp_runtime::TryRuntimeError;
use tensornet_protocol::Conduct;

/// Corrupts a chain in era 2 with backed nodes 1 to 3, stake that moved, rewards and a decided slash, and
/// expects the check to say so.
fn fires(message: &'static str, corrupt: impl FnOnce()) {
	let chain = TestExt::default().node(1, 3_000).node(2, 3_000).node(3, 3_000);
	chain.endow(5, 9_000).endow(6, 9_000).build().execute_with(|| {
		assert_ok!(Staking::delegate(by(5), 1, 2_000));
		assert_ok!(Staking::delegate(by(6), 1, 2_000));
		assert_ok!(Staking::delegate(by(5), 2, 2_000));
		end_era(0);
		assert_ok!(Staking::redelegate(by(5), 2, 3, 1_000));
		settle_job(1, 100);
		end_era(1_000);
		assert_ok!(Staking::claim_rewards(by(5), 1, 1));
		assert_ok!(Staking::undelegate(by(5), 1, 500));
		SlashDelay::set(20);
		judge(2, Conduct::Fraud);
		judge_at(2, 100, Conduct::Withheld);
		SlashDelay::set(0);
		assert_ok!(Staking::do_try_state());
		corrupt();
		assert_eq!(Staking::do_try_state(), Err(TryRuntimeError::Other(message)));
	});
}

fn on_pool(message: &'static str, corrupt: impl FnOnce(&mut PoolOf<Test>)) {
	fires(message, || {
		Pools::<Test>::mutate(1, |pool| corrupt(pool.as_mut().expect("it is there")));
	});
}

fn on_delegation(message: &'static str, corrupt: impl FnOnce(&mut DelegationOf<Test>)) {
	fires(message, || {
		Delegations::<Test>::mutate(1, 5, |one| corrupt(one.as_mut().expect("it is there")));
	});
}

fn on_node(message: &'static str, corrupt: impl FnOnce(&mut NodeOf<Test>)) {
	fires(message, || Nodes::<Test>::mutate_extant(2, corrupt));
}

fn on_slash(message: &'static str, corrupt: impl FnOnce(&mut PendingSlashOf<Test>)) {
	fires(message, || {
		PendingSlashes::<Test>::mutate(2, |queue| corrupt(&mut queue[0]));
	});
}

#[test]
fn it_fires_on_a_hold_without_its_record() {
	fires("what is held as delegated is not what the records say", || {
		assert_ok!(Balances::hold(&HoldReason::Delegation.into(), &6, 1));
	});
}

#[test]
fn it_fires_on_a_record_without_its_hold() {
	on_delegation("what is held as delegated is not what the records say", |one| one.held += 1);
}

#[test]
fn it_fires_on_a_delegation_without_a_pool() {
	fires("a delegation is to a node without a pool", || Pools::<Test>::remove(1));
}

#[test]
fn it_fires_on_an_empty_delegation() {
	fires("an empty delegation is kept", || {
		let pool = Pools::<Test>::get(1).expect("it is there");
		Delegations::<Test>::insert(1, 99, DelegationOf::<Test>::new(&pool));
	});
}

#[test]
fn it_fires_on_a_delegation_of_the_future() {
	on_delegation("a delegation is ahead of its pool", |one| one.epoch += 1);
	on_delegation("a delegation is ahead of its pool", |one| one.reward_index = u128::MAX);
}

#[test]
fn it_fires_on_chunks_that_are_empty_or_out_of_order() {
	let message = "chunks of a delegation are empty or out of order";
	on_delegation(message, |one| one.unbonding[0].shares = 0);
	on_delegation(message, |one| {
		assert_ok!(one.unbonding.try_push(ShareChunk { shares: 1, unlock_at: 1 }));
	});
}

#[test]
fn it_fires_on_more_liable_than_delegated() {
	fires("more of a delegation answers for other nodes than there is", || {
		Delegations::<Test>::mutate(3, 5, |one| {
			one.as_mut().expect("it is there").liabilities[0].shares += 1;
		});
	});
}

#[test]
fn it_fires_on_shares_that_are_nobodys() {
	let message = "the shares of a pool are not those of its delegators";
	on_pool(message, |pool| pool.active += 1);
	on_pool(message, |pool| pool.unbonding -= 1);
	fires(message, || {
		Pools::<Test>::mutate(3, |pool| {
			let joining = pool.as_mut().and_then(|pool| pool.joining.as_mut());
			joining.expect("somebody joins").shares += 1;
		});
	});
}

#[test]
fn it_fires_on_miscounted_delegators() {
	on_pool("the delegators of a pool are miscounted", |pool| pool.delegators += 1);
	fires("those who join a pool are miscounted", || {
		Pools::<Test>::mutate(3, |pool| {
			let joining = pool.as_mut().and_then(|pool| pool.joining.as_mut());
			joining.expect("somebody joins").delegators += 1;
		});
	});
	fires("those who joined in an era are miscounted", || {
		let joined = JoinedIn::<Test>::get(1, 0).expect("6 is not settled");
		JoinedIn::<Test>::insert(1, 0, Joined { delegators: 2, ..joined });
	});
}

#[test]
fn it_fires_on_miscounted_liabilities() {
	on_pool("what answers for a node it left is miscounted", |pool| pool.liable += 1);
}

#[test]
fn it_fires_on_a_pool_that_owes_too_little() {
	on_pool("a pool owes less than its delegators earned", |pool| pool.owed = 0);
}

#[test]
fn it_fires_on_a_pot_that_holds_too_little() {
	on_pool("the pot holds less than the pools owe", |pool| pool.owed += 1_000);
}

#[test]
fn it_fires_on_a_pool_that_nobody_needs() {
	fires("a pool is kept that nobody needs", || {
		Pools::<Test>::insert(77, PoolOf::<Test>::default())
	});
}

#[test]
fn it_fires_on_a_node_that_does_not_know_what_backs_it() {
	on_node("a node does not know what backs it", |node| node.backing += 1);
	fires("a node does not know what backs it", || {
		Pools::<Test>::mutate(2, |pool| {
			pool.as_mut().expect("it is there").mark.index = INDEX_START / 2;
		});
	});
}

#[test]
fn it_fires_on_miscounted_slashes() {
	on_node("a node miscounts its decided slashes", |node| node.pending += 1);
	on_node("a node miscounts its decided slashes", |node| node.pending_frauds = 0);
	fires("decided slashes are miscounted", || {
		SlashesDue::<Test>::mutate(|due| due.as_mut().expect("two are").count += 1);
	});
}

#[test]
fn it_fires_on_what_is_set_aside_for_no_slash() {
	on_node("what is set aside is not what decided slashes take", |node| {
		node.aside += 1;
		node.bond -= 1;
	});
}

#[test]
fn it_fires_on_slashes_out_of_order() {
	let message = "slashes are not due in the order of their decisions";
	on_slash(message, |slash| slash.due += 100);
	on_slash(message, |slash| slash.decided += 100);
}

#[test]
fn it_fires_on_an_agenda_that_differs() {
	fires("a decided slash is not on the agenda", || SlashAgenda::<Test>::remove(21, 2));
	fires("the agenda has a slash that is not decided", || {
		SlashAgenda::<Test>::insert(50, 1, ());
	});
	fires("the agenda of slashes looks past one", || {
		SlashesDue::<Test>::mutate(|due| due.as_mut().expect("two are").next = 22);
	});
}

#[test]
fn it_fires_on_a_slash_that_gives_more_than_it_takes() {
	on_slash("the parts of a decided slash are more than the whole", |slash| {
		slash.reporter = Some((REPORTER, 1_501));
	});
	on_slash("a slash leaves more than there is", |slash| slash.left = slash.of + 1);
}

#[test]
fn it_fires_on_a_slash_of_no_node() {
	fires("a slash is decided for no node", || {
		let queue = PendingSlashes::<Test>::get(2);
		PendingSlashes::<Test>::insert(77, queue);
	});
	fires("an empty queue of slashes is kept", || {
		PendingSlashes::<Test>::insert(1, frame_support::BoundedVec::default());
	});
}

#[test]
fn it_fires_on_eras_that_do_not_add_up() {
	fires("the jobs of nodes burned more in an era than all jobs", || {
		EraBurn::<Test>::mutate(1, 1, |work| work.as_mut().expect("it is there").burned += 1);
	});
	fires("work is kept of an era that is not", || OldestEra::<Test>::put(2));
	fires("an era was claimed before its end", || {
		settle_job(1, 5);
		EraBurn::<Test>::mutate(2, 1, |work| work.as_mut().expect("it is there").claimed = true);
	});
}
