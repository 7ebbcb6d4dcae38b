// SPDX-License-Identifier: Apache-2.0

//! The calls of registrars and of those they attest.

use super::Call;
use crate::{AccountId, Root};

/// Applies to be a registrar, with a deposit.
pub fn apply_as_registrar() -> Call {
	Call::new("Compliance", "apply", ())
}

/// Stops being a registrar or applicant; the deposit comes back.
pub fn resign_as_registrar() -> Call {
	Call::new("Compliance", "resign", ())
}

/// Attests an account, or renews what the caller attested of it before. The country is two upper-case
/// letters; `expires_at` is the first block in which it no longer counts.
pub fn attest(
	subject: AccountId,
	level: u8,
	country: [u8; 2],
	expires_at: u32,
	commitment: Root,
) -> Call {
	Call::new("Compliance", "attest", (subject, level, country, expires_at, commitment))
}

/// Takes back what a registrar attests of an account. Either of the two may sign.
pub fn revoke(subject: AccountId, registrar: AccountId) -> Call {
	Call::new("Compliance", "revoke", (subject, registrar))
}
