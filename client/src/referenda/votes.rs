// SPDX-License-Identifier: Apache-2.0

//! Votes: who cast which, and what they lock.

use anyhow::Result;
use scale_decode::DecodeAsType;
use subxt::dynamic::Value;

use crate::{AccountId, Snapshot};

#[derive(Clone, Debug, DecodeAsType)]
enum RawVote {
	Standard { vote: u8, balance: u128 },
	Split { aye: u128, nay: u128 },
	SplitAbstain { aye: u128, nay: u128, abstain: u128 },
}

#[derive(Clone, Debug, DecodeAsType)]
struct RawCasting {
	votes: Vec<(u32, RawVote)>,
}

#[derive(Clone, Debug, DecodeAsType)]
struct RawDelegating {
	balance: u128,
	target: AccountId,
	conviction: Value,
}

#[derive(Clone, Debug, DecodeAsType)]
enum RawVoting {
	Casting(RawCasting),
	Delegating(RawDelegating),
}

/// A vote of an account on a referendum.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CastVote {
	/// The referendum.
	pub referendum: u32,
	/// Whether it is in favour or against; none where it is split or abstains.
	pub aye: Option<bool>,
	/// From 0 to 6; none where it is split or abstains.
	pub conviction: Option<u8>,
	/// With how much.
	pub amount: u128,
}

impl CastVote {
	fn new(referendum: u32, raw: RawVote) -> Self {
		let split = |amount| Self { referendum, aye: None, conviction: None, amount };
		match raw {
			// The side is the highest bit, the conviction the others.
			RawVote::Standard { vote, balance } => Self {
				referendum,
				aye: Some(vote & 0x80 != 0),
				conviction: Some(vote & 0x7f),
				amount: balance,
			},
			RawVote::Split { aye, nay } => split(aye.saturating_add(nay)),
			RawVote::SplitAbstain { aye, nay, abstain } => {
				split(aye.saturating_add(nay).saturating_add(abstain))
			}
		}
	}
}

/// What an account does with its votes on a track.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Voting {
	/// It votes itself.
	Casting(Vec<CastVote>),
	/// Another account votes for it.
	Delegating {
		/// Who.
		to: AccountId,
		/// With how much.
		amount: u128,
		/// The name of the conviction.
		conviction: String,
	},
}

/// What an account does with its votes on a track.
pub async fn voting(at: &Snapshot, account: &AccountId, track: u16) -> Result<Voting> {
	let raw = at.get::<_, RawVoting>("ConvictionVoting", "VotingFor", (*account, track)).await?;
	Ok(match raw {
		None => Voting::Casting(Vec::new()),
		Some(RawVoting::Casting(casting)) => Voting::Casting(
			casting.votes.into_iter().map(|(number, vote)| CastVote::new(number, vote)).collect(),
		),
		Some(RawVoting::Delegating(raw)) => Voting::Delegating {
			to: raw.target,
			amount: raw.balance,
			conviction: crate::dynamic::text(&raw.conviction),
		},
	})
}

/// What an account has locked for its votes, by track.
pub async fn vote_locks(at: &Snapshot, account: &AccountId) -> Result<Vec<(u16, u128)>> {
	let locks = at.get("ConvictionVoting", "ClassLocksFor", (*account,)).await?;
	Ok(locks.unwrap_or_default())
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn a_vote_is_read_as_it_was_cast() {
		let vote = CastVote::new(3, RawVote::Standard { vote: 0x82, balance: 7 });
		assert_eq!((vote.aye, vote.conviction, vote.amount), (Some(true), Some(2), 7));
		let vote = CastVote::new(3, RawVote::Standard { vote: 0x00, balance: 7 });
		assert_eq!((vote.aye, vote.conviction), (Some(false), Some(0)));
		let vote = CastVote::new(3, RawVote::SplitAbstain { aye: 1, nay: 2, abstain: 4 });
		assert_eq!((vote.aye, vote.conviction, vote.amount), (None, None, 7));
	}
}
