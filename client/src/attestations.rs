// SPDX-License-Identifier: Apache-2.0

//! Who is known to whom: registrars, what they attest, sanctions, and what roles require.

use anyhow::{bail, Result};
use scale_decode::DecodeAsType;
use tensornet_protocol::Role;

use crate::{AccountId, Root, Snapshot};

/// The roles in which accounts enter business, with their names.
pub const ROLES: [(Role, &str); 4] = [
	(Role::Node, "node"),
	(Role::Requester, "requester"),
	(Role::Developer, "developer"),
	(Role::Delegator, "delegator"),
];

/// How a registrar stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, DecodeAsType)]
pub enum RegistrarStanding {
	/// It has applied and waits for governance.
	Applicant,
	/// It may attest, and what it attested counts.
	Appointed,
}

/// A registrar or an applicant. The deposit is in the smallest unit of TNA.
#[derive(Clone, Copy, Debug, PartialEq, Eq, DecodeAsType)]
pub struct Registrar {
	/// On hold while it is here.
	pub deposit: u128,
	/// How it stands.
	pub standing: RegistrarStanding,
}

/// What a registrar states about an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, DecodeAsType)]
pub struct Attestation {
	/// Who states it.
	pub registrar: AccountId,
	/// How thoroughly the account's owner is known, from 1.
	pub level: u8,
	/// Two letters of ISO 3166-1.
	pub country: [u8; 2],
	/// The block in which it was stated or renewed.
	pub issued_at: u32,
	/// The first block in which it no longer counts.
	pub expires_at: u32,
	/// Salted hash of the evidence that the registrar keeps.
	pub commitment: Root,
}

/// Why an account may enter no new business.
#[derive(Clone, Copy, Debug, PartialEq, Eq, DecodeAsType)]
pub struct Sanction {
	/// The block in which it was listed.
	pub since: u32,
	/// Hash of the published reason.
	pub reason: Root,
}

/// A registrar or applicant by its account.
pub async fn registrar(at: &Snapshot, account: &AccountId) -> Result<Option<Registrar>> {
	at.get("Compliance", "Registrars", (*account,)).await
}

/// All registrars and applicants.
pub async fn registrars(at: &Snapshot) -> Result<Vec<(AccountId, Registrar)>> {
	at.entries("Compliance", "Registrars").await
}

/// What is attested of an account, expired or not.
pub async fn attestations(at: &Snapshot, account: &AccountId) -> Result<Vec<Attestation>> {
	let all = at.get("Compliance", "Attestations", (*account,)).await?;
	Ok(all.unwrap_or_default())
}

/// Why an account may enter no new business, if it may not.
pub async fn sanction(at: &Snapshot, account: &AccountId) -> Result<Option<Sanction>> {
	at.get("Compliance", "Sanctions", (*account,)).await
}

/// The level that valid attestations state of an account now.
pub async fn level(at: &Snapshot, account: &AccountId) -> Result<u8> {
	at.view("Compliance", "level_of", account).await
}

/// Whether an account may enter new business in a role now.
pub async fn may_enter(at: &Snapshot, account: &AccountId, role: Role) -> Result<bool> {
	at.view("Compliance", "may_enter", (account, role)).await
}

/// The level that a role requires now.
pub async fn required(at: &Snapshot, role: Role) -> Result<u8> {
	at.view("Compliance", "required", role).await
}

/// For how many blocks an attestation may count.
pub fn longest(at: &Snapshot) -> Result<u32> {
	at.constant("Compliance", "MaxValidity")
}

/// What a registrar puts down.
pub fn registrar_deposit(at: &Snapshot) -> Result<u128> {
	at.constant("Compliance", "RegistrarDeposit")
}

/// A commitment to evidence that stays with the registrar: BLAKE3 of the evidence keyed by a salt that
/// nobody else knows, so that guessing the evidence does not show that it was right.
pub fn commitment(salt: &Root, evidence: &[u8]) -> Root {
	*blake3::keyed_hash(salt, evidence).as_bytes()
}

/// A country code from text: two letters, in either case.
pub fn country(text: &str) -> Result<[u8; 2]> {
	match text.as_bytes() {
		[a, b] if a.is_ascii_alphabetic() && b.is_ascii_alphabetic() => {
			Ok([a.to_ascii_uppercase(), b.to_ascii_uppercase()])
		}
		_ => bail!("'{text}' is not a country: write two letters of ISO 3166-1, such as CH"),
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn countries_are_two_letters() {
		assert_eq!(country("de").unwrap(), *b"DE");
		for bad in ["", "D", "DEU", "1A", "D "] {
			assert!(country(bad).is_err(), "{bad}");
		}
	}

	#[test]
	fn a_commitment_depends_on_salt_and_evidence() {
		let one = commitment(&[1; 32], b"passport");
		assert_ne!(one, commitment(&[2; 32], b"passport"));
		assert_ne!(one, commitment(&[1; 32], b"passporT"));
		assert_eq!(one, commitment(&[1; 32], b"passport"));
	}
}
