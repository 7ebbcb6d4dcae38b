// SPDX-License-Identifier: Apache-2.0

use crate::{mock::*, Attestations, Country, Error, Event};
use frame_support::{assert_noop, assert_ok};
use tensornet_protocol::{Compliance as _, Hash, MAX_LEVEL};

#[test]
fn an_attestation_is_stored_without_personal_data() {
	execute(|| {
		registrar(1);
		assert_ok!(attest(1, 2, 3, 101));
		let stored = Attestations::<Test>::get(2);
		assert_eq!((stored.len(), stored[0].level, stored[0].expires_at), (1, 3, 101));
		assert_eq!(
			events().last(),
			Some(&Event::Attested {
				subject: 2,
				registrar: 1,
				level: 3,
				country: Country(*b"CH"),
				expires_at: 101
			})
		);
	});
}

#[test]
fn what_makes_no_sense_is_refused() {
	execute(|| {
		registrar(1);
		assert_noop!(attest(1, 1, 1, 50), Error::<Test>::OwnAccount);
		assert_noop!(attest(3, 2, 1, 50), Error::<Test>::NotAppointed);
		assert_noop!(attest(1, 2, 0, 50), Error::<Test>::BadLevel);
		assert_noop!(attest(1, 2, MAX_LEVEL + 1, 50), Error::<Test>::BadLevel);
		assert_noop!(attest(1, 2, 1, 1), Error::<Test>::BadExpiry);
		assert_noop!(attest(1, 2, 1, 1 + VALIDITY + 1), Error::<Test>::BadExpiry);
		assert_ok!(attest(1, 2, MAX_LEVEL, 1 + VALIDITY));
		for letters in [*b"ch", *b"C1", [0, 0], [0xff, b'A']] {
			assert_noop!(
				Compliance::attest(signed(1), 2, 1, Country(letters), 50, Hash::zero()),
				Error::<Test>::BadCountry
			);
		}
	});
}

#[test]
fn renewing_replaces_what_the_same_registrar_stated() {
	execute(|| {
		registrar(1);
		assert_ok!(attest(1, 2, 3, 50));
		assert_ok!(attest(1, 2, 1, 90));
		assert_eq!(Attestations::<Test>::get(2).len(), 1);
		assert_eq!(Compliance::level(&2), 1);
	});
}

#[test]
fn an_account_has_a_bounded_number_and_expired_ones_make_room() {
	execute(|| {
		for one in 1..=3 {
			registrar(one);
		}
		assert_ok!(attest(1, 7, 1, 20));
		assert_ok!(attest(2, 7, 1, 30));
		assert_noop!(attest(3, 7, 1, 40), Error::<Test>::TooManyAttestations);
		System::set_block_number(20);
		assert_ok!(attest(3, 7, 1, 40));
	});
}

#[test]
fn the_highest_level_that_still_counts_is_the_accounts() {
	execute(|| {
		registrar(1);
		registrar(2);
		assert_ok!(attest(1, 7, 3, 20));
		assert_ok!(attest(2, 7, 2, 30));
		assert_eq!(Compliance::level(&7), 3);
		System::set_block_number(19);
		assert_eq!(Compliance::level(&7), 3);
		System::set_block_number(20);
		assert_eq!(Compliance::level(&7), 2);
		System::set_block_number(30);
		assert_eq!(Compliance::level(&7), 0);
	});
}

#[test]
fn what_a_registrar_stated_stops_counting_when_it_goes() {
	execute(|| {
		registrar(1);
		assert_ok!(attest(1, 7, 3, 50));
		assert_ok!(Compliance::resign(signed(1)));
		assert_eq!(Compliance::level(&7), 0);
		assert_ok!(Compliance::apply(signed(1)));
		assert_eq!(Compliance::level(&7), 0, "an applicant's word does not count");
	});
}

#[test]
fn registrar_and_subject_can_take_an_attestation_back_and_nobody_else() {
	execute(|| {
		registrar(1);
		for caller in [1, 7] {
			assert_ok!(attest(1, 7, 3, 50));
			assert_noop!(Compliance::revoke(signed(5), 7, 1), Error::<Test>::NotAttested);
			assert_ok!(Compliance::revoke(signed(caller), 7, 1));
			assert!(!Attestations::<Test>::contains_key(7));
			assert_noop!(Compliance::revoke(signed(caller), 7, 1), Error::<Test>::NotAttested);
		}
	});
}

#[test]
fn a_dismissed_registrar_may_still_take_back() {
	execute(|| {
		registrar(1);
		assert_ok!(attest(1, 7, 3, 50));
		assert_ok!(Compliance::resign(signed(1)));
		assert_ok!(Compliance::revoke(signed(1), 7, 1));
	});
}
