// SPDX-License-Identifier: Apache-2.0

//! What an account must be known for.

use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use serde::{Deserialize, Serialize};

/// The highest level that an attestation can state.
pub const MAX_LEVEL: u8 = 4;

/// In what an account enters business.
#[derive(
	Clone,
	Copy,
	Debug,
	PartialEq,
	Eq,
	PartialOrd,
	Ord,
	Encode,
	Decode,
	DecodeWithMemTracking,
	TypeInfo,
	MaxEncodedLen,
	Serialize,
	Deserialize,
)]
pub enum Role {
	/// It offers a GPU node.
	#[codec(index = 0)]
	Node,
	/// It posts jobs.
	#[codec(index = 1)]
	Requester,
	/// It registers programs and earns royalties.
	#[codec(index = 2)]
	Developer,
	/// It backs nodes with its stake.
	#[codec(index = 3)]
	Delegator,
}

/// What registrars attest. Implemented by compliance; used by staking, escrow and proof of compute.
/// Nothing here is asked where funds leave: withdrawals are open to everybody.
pub trait Compliance {
	/// Account.
	type AccountId;

	/// The level that valid attestations state now, 0 without any.
	fn level(who: &Self::AccountId) -> u8;

	/// Whether `who` may enter new business in `role`: it is not sanctioned, and has the level that the
	/// role requires.
	fn admits(who: &Self::AccountId, role: Role) -> bool;
}
