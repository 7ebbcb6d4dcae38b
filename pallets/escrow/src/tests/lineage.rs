// SPDX-License-Identifier: Apache-2.0

//! The consensus-chain fee of a settled job: what of it waits for ancestors, and what is burned.

use crate::{mock::*, Event, Receipt};
use frame_support::assert_ok;
use sp_runtime::Permill;
use tensornet_protocol::{BurnCause, Shares};

const POT: AccountId = 20;

/// Ten per cent of 1,000 for the consensus chain, beside the usual shares.
fn fee_of_100() {
	JobShares::mutate(|shares| shares.lineage = Permill::from_percent(10));
}

/// Settles the standard job, of whose fee `waits` is for ancestors, and returns where the money went.
fn settled(waits: Option<(AccountId, Balance)>) -> Receipt<Balance> {
	Waits::set(waits);
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
fn what_waits_for_ancestors_is_set_aside_and_the_rest_of_the_fee_is_burned_under_its_own_cause() {
	TestExt::standard().endow(POT, ED).execute_with(|| {
		fee_of_100();
		let issuance = Balances::total_issuance();
		let receipt = settled(Some((POT, 75)));
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
		assert_eq!(free(POT), ED + 75);
		assert_eq!((burned(BurnCause::Job), burned(BurnCause::Lineage)), (50, 25));
		assert_eq!(Balances::total_issuance(), issuance - 75);
		assert_eq!(
			events(),
			vec![Event::JobSettled {
				job: 0,
				requester: ALICE,
				node: NODE,
				author: Some(AUTHOR),
				paid: 800,
				burned: 75,
				treasury_share: 30,
				author_share: 20,
				lineage_share: 75,
				refunded: 4_000,
			}]
		);
	});
}

#[test]
fn where_nothing_waits_the_whole_fee_is_burned() {
	TestExt::standard().execute_with(|| {
		fee_of_100();
		let receipt = settled(None);
		assert_eq!((receipt.burned, receipt.lineage), (150, 0));
		assert_eq!((burned(BurnCause::Job), burned(BurnCause::Lineage)), (50, 100));
	});
}

#[test]
fn what_cannot_open_the_account_is_burned() {
	for (share, received) in [(ED - 1, 0), (ED, ED), (ED + 1, ED + 1)] {
		TestExt::standard().execute_with(|| {
			fee_of_100();
			let receipt = settled(Some((POT, share)));
			assert_eq!(receipt.lineage, received);
			assert_eq!(free(POT), received);
			assert_eq!(burned(BurnCause::Lineage), 100 - received);
		});
	}
}

#[test]
fn no_more_than_the_fee_waits_whatever_is_asked() {
	TestExt::standard().endow(POT, ED).execute_with(|| {
		fee_of_100();
		let receipt = settled(Some((POT, 180)));
		assert_eq!(free(POT), ED + 100);
		assert_eq!((receipt.lineage, receipt.paid), (100, 800));
	});
}

#[test]
fn the_fee_is_the_last_share_to_be_taken() {
	TestExt::standard().endow(POT, ED).execute_with(|| {
		JobShares::set(Shares {
			burn: Permill::from_percent(60),
			treasury: Permill::from_percent(30),
			author: Permill::from_percent(5),
			lineage: Permill::from_percent(50),
		});
		let receipt = settled(Some((POT, 1_000)));
		assert_eq!((receipt.lineage, receipt.paid), (50, 0));
	});
}

#[test]
fn a_job_that_does_not_settle_asks_nobody() {
	TestExt::standard().execute_with(|| {
		fee_of_100();
		Waits::set(Some((POT, 50)));
		let id = submitted();
		assert_ok!(dispatch(ALICE, crate::Call::cancel_job { job: id }));
		let asked =
			|request: &Request| matches!(request, Request::Lineage(_) | Request::Settled(_));
		assert!(!requests().iter().any(asked));
		assert_eq!(free(POT), 0);
	});
}
