// SPDX-License-Identifier: Apache-2.0

//! What is stored about members and contributors, and what the queries answer.

use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use sp_runtime::traits::Zero;
use tensornet_protocol::EraIndex;

/// Number of a membership, in the order of joining.
pub type MemberNumber = u64;

/// Whom a member named as its sponsor. It means one membership, not an account: if that one ends, the
/// link leads nowhere.
#[derive(
	Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, TypeInfo, MaxEncodedLen,
)]
pub struct Sponsor<AccountId> {
	/// The sponsor.
	pub account: AccountId,
	/// The number of its membership at the time.
	pub number: MemberNumber,
}

/// A member of the consensus chain.
#[derive(
	Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, TypeInfo, MaxEncodedLen,
)]
pub struct Member<AccountId, Balance> {
	/// When it joined, as the count of those who joined before.
	pub number: MemberNumber,
	/// What is held for this record.
	pub deposit: Balance,
	/// Its sponsor, if it has named one.
	pub sponsor: Option<Sponsor<AccountId>>,
}

/// What an account contributed, by role, in plancks.
#[derive(
	Clone,
	Copy,
	Debug,
	Default,
	PartialEq,
	Eq,
	Encode,
	Decode,
	DecodeWithMemTracking,
	TypeInfo,
	MaxEncodedLen,
)]
pub struct Contributions<Balance> {
	/// What its node earned with settled jobs.
	pub node: Balance,
	/// The royalties that its programs earned from settled jobs.
	pub developer: Balance,
	/// What it backs nodes with now.
	pub investor: Balance,
	/// The prices it paid for settled jobs.
	pub user: Balance,
}

impl<Balance: Zero> Contributions<Balance> {
	/// Whether there is none.
	pub fn is_empty(&self) -> bool {
		self.node.is_zero()
			&& self.developer.is_zero()
			&& self.investor.is_zero()
			&& self.user.is_zero()
	}
}

/// What is stored of an account's contributions.
#[derive(
	Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, TypeInfo, MaxEncodedLen,
)]
pub struct Record<Balance> {
	/// The era to which the amounts are decayed.
	pub era: EraIndex,
	/// The amounts in that era.
	pub amounts: Contributions<Balance>,
	/// What waits in the pot for the ancestors of the account.
	pub owed: Balance,
	/// Whether the account is in the queue to have that passed on.
	pub queued: bool,
}

impl<Balance: Zero> Record<Balance> {
	/// Whether nothing would be lost without it.
	pub fn is_empty(&self) -> bool {
		self.amounts.is_empty() && self.owed.is_zero() && !self.queued
	}
}

/// Accounts of a page of the queue.
pub const QUEUE_PAGE: u32 = 64;

/// The pages of the queue in use: the first and the last. An empty queue may have an empty page.
#[derive(
	Clone,
	Copy,
	Debug,
	Default,
	PartialEq,
	Eq,
	Encode,
	Decode,
	DecodeWithMemTracking,
	TypeInfo,
	MaxEncodedLen,
)]
pub struct QueueEnds {
	/// The page with those who have waited longest.
	pub first: u32,
	/// The page with those who came last.
	pub last: u32,
}

/// An ancestor as the query shows it.
#[derive(
	Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, TypeInfo, MaxEncodedLen,
)]
pub struct Ancestor<AccountId, Balance> {
	/// The account.
	pub account: AccountId,
	/// How many links away: 1 is the sponsor.
	pub degree: u32,
	/// Its weight in the current era.
	pub weight: Balance,
	/// Whether it would receive a share now.
	pub active: bool,
}
