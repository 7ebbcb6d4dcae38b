// SPDX-License-Identifier: Apache-2.0

use crate::{mock::*, Burned, GenesisIssuance};
use frame_support::{assert_ok, traits::fungible::Mutate};
use sp_runtime::{Permill, TryRuntimeError};
use tensornet_protocol::BurnCause;

/// Corrupts the state and expects the check to say so.
fn fires(corrupt: impl FnOnce(), message: &'static str) {
	TestExt::default().endow(1, 1_000).build().execute_with(|| {
		assert_ok!(Tna::do_try_state());
		corrupt();
		assert_eq!(Tna::do_try_state(), Err(TryRuntimeError::Other(message)));
	});
}

#[test]
fn genesis_issuance_is_what_balances_issued() {
	TestExt::default().endow(1, 1_000).build_and_execute(|| {
		assert_eq!(GenesisIssuance::<Test>::get(), 1_000 + 2 * ED);
		assert_eq!(GenesisIssuance::<Test>::get(), Balances::total_issuance());
	});
}

#[test]
fn it_fires_on_minting_past_the_pallet() {
	fires(
		|| {
			assert_ok!(Balances::mint_into(&1, 1));
		},
		"issued plus burned is not genesis plus emitted",
	);
}

#[test]
fn it_fires_on_a_burn_that_did_not_happen() {
	fires(
		|| Burned::<Test>::insert(BurnCause::Fee, 1),
		"issued plus burned is not genesis plus emitted",
	);
}

#[test]
fn it_fires_on_an_empty_cause() {
	fires(
		|| Burned::<Test>::insert(BurnCause::Fee, 0),
		"a cause stands in the burn ledger with nothing burned",
	);
}

#[test]
fn it_fires_on_an_issuance_above_the_cap() {
	fires(|| MaxSupply::set(Balances::total_issuance() - 1), "the issuance is above the cap");
}

#[test]
fn it_fires_on_job_shares_above_the_whole() {
	fires(
		|| JobBurn::set(Permill::from_percent(96)),
		"the shares of a job's price are more than the whole",
	);
}

#[test]
fn it_fires_on_fee_shares_above_the_whole() {
	fires(
		|| FeeBurn::set(Permill::from_percent(71)),
		"the shares of a fee are more than the whole",
	);
}
