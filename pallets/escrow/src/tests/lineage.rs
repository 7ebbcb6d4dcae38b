// SPDX-License-Identifier: Apache-2.0

//! The consensus-chain fee of a settled job: who is paid from it, and what is burned.

use crate::{mock::*, Event, Receipt};
use frame_support::assert_ok;
use sp_runtime::Permill;
use tensornet_protocol::{BurnCause, Shares, MAX_LINEAGE_PAYEES};

const FIRST: AccountId = 20;
const SECOND: AccountId = 21;

/// Ten per cent of 1,000 for the consensus chain, beside the usual shares.
fn fee_of_100() {
	JobShares::mutate(|shares| shares.lineage = Permill::from_percent(10));
}

/// Settles the standard job, naming `ancestors`, and returns where the money went.
fn settled(ancestors: Vec<(AccountId, Balance)>) -> Receipt<Balance> {
	Ancestors::set(ancestors);
	let id = committed();
	requests();
	events();
	assert_ok!(verify(id));
	let receipt = outcome(id).receipt;
	assert_eq!(receipt.total(), 5_000);
	receipt
}

fn burned(cause: BurnCause) -> Balance {
	let of_cause = |request| match request {
		Request::Burned(why, amount) if why == cause => amount,
		_ => 0,
	};
	Requests::get().into_iter().map(of_cause).sum()
}

#[test]
fn ancestors_are_paid_from_the_fee_and_the_rest_of_it_is_burned_under_its_own_cause() {
	TestExt::standard().endow(FIRST, ED).endow(SECOND, ED).execute_with(|| {
		fee_of_100();
		let issuance = Balances::total_issuance();
		let receipt = settled(vec![(FIRST, 50), (SECOND, 25)]);
		assert_eq!(
			receipt,
			Receipt {
				paid: 800,
				burned: 50 + 25,
				treasury: 30,
				author: 20,
				lineage: 75,
				refunded: 4_000
			}
		);
		assert_eq!((free(FIRST), free(SECOND)), (ED + 50, ED + 25));
		assert_eq!((burned(BurnCause::Job), burned(BurnCause::Lineage)), (50, 25));
		assert_eq!(Balances::total_issuance(), issuance - 75);
		let job = 0;
		assert_eq!(
			events(),
			vec![
				Event::LineagePaid { job, shares: vec![(FIRST, 50), (SECOND, 25)] },
				Event::JobSettled {
					job,
					requester: ALICE,
					node: NODE,
					author: Some(AUTHOR),
					paid: 800,
					burned: 75,
					treasury_share: 30,
					author_share: 20,
					lineage_share: 75,
					refunded: 4_000,
				},
			]
		);
	});
}

#[test]
fn without_ancestors_the_whole_fee_is_burned() {
	TestExt::standard().execute_with(|| {
		fee_of_100();
		let receipt = settled(vec![]);
		assert_eq!((receipt.burned, receipt.lineage), (150, 0));
		assert_eq!((burned(BurnCause::Job), burned(BurnCause::Lineage)), (50, 100));
		assert!(!events().iter().any(|event| matches!(event, Event::LineagePaid { .. })));
	});
}

#[test]
fn a_share_that_cannot_open_an_account_is_burned_and_not_told() {
	for (share, received) in [(ED - 1, 0), (ED, ED), (ED + 1, ED + 1)] {
		TestExt::standard().execute_with(|| {
			fee_of_100();
			let receipt = settled(vec![(FIRST, share)]);
			assert_eq!(receipt.lineage, received);
			assert_eq!(free(FIRST), received);
			assert_eq!(burned(BurnCause::Lineage), 100 - received);
			let told = events().iter().any(|event| matches!(event, Event::LineagePaid { .. }));
			assert_eq!(told, received > 0);
		});
	}
}

#[test]
fn ancestors_never_receive_more_than_the_fee_whatever_is_asked() {
	TestExt::standard().endow(FIRST, ED).endow(SECOND, ED).execute_with(|| {
		fee_of_100();
		let receipt = settled(vec![(FIRST, 80), (SECOND, 80)]);
		assert_eq!((free(FIRST), free(SECOND)), (ED + 80, ED + 20));
		assert_eq!((receipt.lineage, receipt.paid), (100, 800));
	});
}

#[test]
fn no_more_ancestors_are_paid_than_the_bound() {
	let many: Vec<AccountId> = (100..100 + u64::from(MAX_LINEAGE_PAYEES) + 5).collect();
	let ext = many.iter().fold(TestExt::standard(), |ext, who| ext.endow(*who, ED));
	ext.execute_with(|| {
		fee_of_100();
		let receipt = settled(many.iter().map(|who| (*who, 1)).collect());
		assert_eq!(receipt.lineage, u128::from(MAX_LINEAGE_PAYEES));
		let paid = many.iter().filter(|who| free(**who) > ED).count();
		assert_eq!(paid as u32, MAX_LINEAGE_PAYEES);
	});
}

#[test]
fn the_requester_may_be_an_ancestor() {
	TestExt::standard().execute_with(|| {
		fee_of_100();
		let before = free(ALICE) + held(ALICE);
		let receipt = settled(vec![(ALICE, 60)]);
		assert_eq!(receipt.lineage, 60);
		assert_eq!(free(ALICE), before - 1_000 + 60);
	});
}

#[test]
fn the_fee_is_the_last_share_to_be_taken() {
	TestExt::standard().endow(FIRST, ED).execute_with(|| {
		JobShares::set(Shares {
			burn: Permill::from_percent(60),
			treasury: Permill::from_percent(30),
			author: Permill::from_percent(5),
			lineage: Permill::from_percent(50),
		});
		let receipt = settled(vec![(FIRST, 1_000)]);
		assert_eq!((receipt.lineage, receipt.paid), (50, 0));
	});
}

#[test]
fn a_job_that_does_not_settle_asks_nobody() {
	TestExt::standard().execute_with(|| {
		fee_of_100();
		Ancestors::set(vec![(FIRST, 50)]);
		let id = submitted();
		assert_ok!(dispatch(ALICE, crate::Call::cancel_job { job: id }));
		let asked =
			|request: &Request| matches!(request, Request::Lineage(_) | Request::Settled(_));
		assert!(!requests().iter().any(asked));
		assert_eq!(free(FIRST), 0);
	});
}
