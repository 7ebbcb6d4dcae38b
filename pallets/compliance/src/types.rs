// SPDX-License-Identifier: Apache-2.0

//! What is stored about registrars and those they attest. Nothing of it is personal data: who somebody
//! is stays with the registrar, behind a salted commitment.

use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use tensornet_protocol::Hash;

/// Two letters of ISO 3166-1, upper case.
#[derive(
	Clone,
	Copy,
	Debug,
	PartialEq,
	Eq,
	Encode,
	Decode,
	DecodeWithMemTracking,
	TypeInfo,
	MaxEncodedLen,
)]
pub struct Country(pub [u8; 2]);

impl Country {
	/// Whether it has the form of a code. Which codes are given to countries changes; registrars know.
	pub fn is_well_formed(&self) -> bool {
		self.0.iter().all(u8::is_ascii_uppercase)
	}
}

/// How a registrar stands.
#[derive(
	Clone,
	Copy,
	Debug,
	PartialEq,
	Eq,
	Encode,
	Decode,
	DecodeWithMemTracking,
	TypeInfo,
	MaxEncodedLen,
)]
pub enum Standing {
	/// It has applied and waits for governance.
	#[codec(index = 0)]
	Applicant,
	/// It may attest, and what it attested counts.
	#[codec(index = 1)]
	Appointed,
}

/// A registrar or an applicant.
#[derive(
	Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, TypeInfo, MaxEncodedLen,
)]
pub struct Registrar<Balance> {
	/// On hold while it is here.
	pub deposit: Balance,
	/// How it stands.
	pub standing: Standing,
}

/// What a registrar states about an account.
#[derive(
	Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, TypeInfo, MaxEncodedLen,
)]
pub struct Attestation<AccountId, BlockNumber> {
	/// Who states it.
	pub registrar: AccountId,
	/// How thoroughly the account's owner is known: 1 to [`MAX_LEVEL`](tensornet_protocol::MAX_LEVEL).
	pub level: u8,
	/// Under which law the owner lives.
	pub country: Country,
	/// The block in which it was stated or renewed.
	pub issued_at: BlockNumber,
	/// The first block in which it no longer counts.
	pub expires_at: BlockNumber,
	/// Salted hash of the evidence that the registrar keeps.
	pub commitment: Hash,
}

/// Why an account may enter no new business.
#[derive(
	Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, TypeInfo, MaxEncodedLen,
)]
pub struct Sanction<BlockNumber> {
	/// The block in which it was listed.
	pub since: BlockNumber,
	/// Hash of the published reason.
	pub reason: Hash,
}
