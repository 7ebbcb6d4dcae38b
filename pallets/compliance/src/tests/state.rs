// SPDX-License-Identifier: Apache-2.0

//! Corrupted state is found.

use crate::{mock::*, Attestations, Registrars};
use frame_support::assert_ok;

/// Runs `corrupt` on a sound state and expects that the check finds it.
fn finds(corrupt: impl FnOnce()) {
	new_test_ext().execute_with(|| {
		registrar(1);
		assert_ok!(attest(1, 2, 1, 50));
		assert_ok!(Compliance::do_try_state());
		corrupt();
		assert!(Compliance::do_try_state().is_err());
	});
}

#[test]
fn a_deposit_that_is_not_held() {
	finds(|| {
		Registrars::<Test>::mutate(1, |one| {
			if let Some(one) = one {
				one.deposit += 1;
			}
		})
	});
}

#[test]
fn a_hold_without_a_registrar() {
	finds(|| Registrars::<Test>::remove(1));
}

#[test]
fn an_empty_list() {
	finds(|| Attestations::<Test>::insert(5, frame_support::BoundedVec::new()));
}

#[test]
fn a_registrar_that_attests_twice() {
	finds(|| {
		Attestations::<Test>::mutate(2, |all| {
			let again = all[0].clone();
			assert_ok!(all.try_push(again));
		})
	});
}

#[test]
fn a_level_that_does_not_exist() {
	finds(|| Attestations::<Test>::mutate(2, |all| all[0].level = 9));
}

#[test]
fn an_attestation_that_never_counted() {
	finds(|| Attestations::<Test>::mutate(2, |all| all[0].expires_at = all[0].issued_at));
}
