// SPDX-License-Identifier: Apache-2.0

//! The calls with which a chain is ruled: referenda, votes, the treasury, the brakes.
//!
//! A call inside a call is passed as its encoding ([`Snapshot::encoded`]): numbers of pallets and calls
//! are the chain's to say.
//!
//! [`Snapshot::encoded`]: crate::Snapshot::encoded

use codec::{Compact, Encode};

use super::{Address, Call, Raw};
use crate::{AccountId, Root};

/// The longest encoding of a call that a referendum holds itself, in bytes. A longer one is noted as a
/// preimage.
pub const INLINE: usize = 128;

/// What a referendum proposes, as referenda name it.
#[derive(Clone, Debug, PartialEq, Eq, Encode)]
pub enum Proposal {
	/// The encoding of the call itself.
	#[codec(index = 1)]
	Inline(Vec<u8>),
	/// The hash and the length of an encoding that is noted as a preimage.
	#[codec(index = 2)]
	Lookup {
		/// BLAKE2-256 of the encoding.
		hash: Root,
		/// Its length in bytes.
		len: u32,
	},
}

/// A way to vote, with the amount that votes. Amounts are in the smallest unit of TNA.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Vote {
	/// For it, with a conviction.
	Aye(u128, Conviction),
	/// Against it, with a conviction.
	Nay(u128, Conviction),
	/// Neither: it counts as support only.
	Abstain(u128),
}

/// How long the loser's or winner's amount stays locked, and by how much that multiplies its votes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Conviction(u8);

impl Conviction {
	/// The highest: six votes for each unit, locked for 32 periods.
	pub const HIGHEST: u8 = 6;

	/// From 0 to [`Conviction::HIGHEST`].
	pub fn new(level: u8) -> Option<Self> {
		(level <= Self::HIGHEST).then_some(Self(level))
	}

	/// Its number.
	pub fn level(self) -> u8 {
		self.0
	}

	/// For how many locking periods the amount stays locked after the referendum.
	pub fn periods(self) -> u32 {
		match self.0 {
			0 => 0,
			level => 1 << (level - 1),
		}
	}

	/// The votes that an amount has with this conviction.
	pub fn votes(self, amount: u128) -> u128 {
		match self.0 {
			0 => amount / 10,
			level => amount.saturating_mul(level.into()),
		}
	}
}

/// Several calls of one signer that all take effect, or none of them.
pub fn batch_all(calls: &[Vec<u8>]) -> Call {
	let mut arguments = Compact(calls.len() as u32).encode();
	calls.iter().for_each(|call| arguments.extend_from_slice(call));
	Call::new("Utility", "batch_all", Raw(arguments))
}

/// Keeps the encoding of a call on chain, for a deposit.
pub fn note_preimage(bytes: Vec<u8>) -> Call {
	Call::new("Preimage", "note_preimage", bytes)
}

/// Starts a referendum. `origin` is the encoded origin that the proposal is carried out with;
/// `after` is how many blocks after its approval, at least the track's own delay.
pub fn submit_referendum(origin: Vec<u8>, proposal: Proposal, after: u32) -> Call {
	#[derive(Encode)]
	enum Moment {
		#[codec(index = 1)]
		After(u32),
	}
	Call::new("Referenda", "submit", (Raw(origin), proposal, Moment::After(after)))
}

/// Puts down the deposit without which a referendum is not decided.
pub fn place_decision_deposit(referendum: u32) -> Call {
	Call::new("Referenda", "place_decision_deposit", referendum)
}

/// Gives the decision deposit of a referendum that has ended back.
pub fn refund_decision_deposit(referendum: u32) -> Call {
	Call::new("Referenda", "refund_decision_deposit", referendum)
}

/// Gives the submission deposit of a referendum that was approved or cancelled back.
pub fn refund_submission_deposit(referendum: u32) -> Call {
	Call::new("Referenda", "refund_submission_deposit", referendum)
}

/// Ends a referendum; its deposits can be taken back.
pub fn cancel_referendum(referendum: u32) -> Call {
	Call::new("Referenda", "cancel", referendum)
}

/// Ends a referendum; its deposits go to the treasury.
pub fn kill_referendum(referendum: u32) -> Call {
	Call::new("Referenda", "kill", referendum)
}

/// Votes on a referendum, or changes the caller's vote.
pub fn vote(referendum: u32, vote: Vote) -> Call {
	#[derive(Encode)]
	enum AccountVote {
		#[codec(index = 0)]
		Standard { vote: u8, balance: u128 },
		#[codec(index = 2)]
		SplitAbstain { aye: u128, nay: u128, abstain: u128 },
	}
	let vote = match vote {
		Vote::Aye(balance, conviction) => {
			AccountVote::Standard { vote: 0x80 | conviction.0, balance }
		}
		Vote::Nay(balance, conviction) => AccountVote::Standard { vote: conviction.0, balance },
		Vote::Abstain(abstain) => AccountVote::SplitAbstain { aye: 0, nay: 0, abstain },
	};
	Call::new("ConvictionVoting", "vote", (Compact(referendum), vote))
}

/// Takes the caller's vote back.
pub fn remove_vote(track: u16, referendum: u32) -> Call {
	Call::new("ConvictionVoting", "remove_vote", (Some(track), referendum))
}

/// Lets another account vote with an amount of the caller's on all referenda of a track.
pub fn delegate_votes(track: u16, to: AccountId, conviction: Conviction, amount: u128) -> Call {
	let arguments = (track, Address::Id(to), conviction.0, amount);
	Call::new("ConvictionVoting", "delegate", arguments)
}

/// Ends that.
pub fn undelegate_votes(track: u16) -> Call {
	Call::new("ConvictionVoting", "undelegate", track)
}

/// Unlocks what an account no longer has to keep locked for its votes on a track.
pub fn unlock_votes(track: u16, account: AccountId) -> Call {
	Call::new("ConvictionVoting", "unlock", (track, Address::Id(account)))
}

/// Approves a payment from the treasury. Somebody has to claim it with [`payout`].
pub fn treasury_spend(amount: u128, to: AccountId) -> Call {
	let now: Option<u32> = None;
	Call::new("Treasury", "spend", (Compact(amount), to, now))
}

/// Pays an approved spend out.
pub fn payout(spend: u32) -> Call {
	Call::new("Treasury", "payout", spend)
}

/// Lets anybody replace the runtime by the one with this BLAKE2-256 hash, if it is a later version.
pub fn authorize_upgrade(code_hash: Root) -> Call {
	Call::new("System", "authorize_upgrade", code_hash)
}

/// Replaces the runtime by one that was authorized.
pub fn apply_authorized_upgrade(code: Vec<u8>) -> Call {
	Call::new("System", "apply_authorized_upgrade", code)
}

/// Allows the call with this BLAKE2-256 hash on the track of whitelisted calls.
pub fn whitelist_call(hash: Root) -> Call {
	Call::new("Whitelist", "whitelist_call", hash)
}

/// Carries out a whitelisted call with the power of root.
pub fn dispatch_whitelisted(call: Vec<u8>) -> Call {
	Call::new("Whitelist", "dispatch_whitelisted_call_with_preimage", Raw(call))
}

/// Stops ordinary business for a day.
pub fn enter_safe_mode() -> Call {
	Call::new("SafeMode", "force_enter", ())
}

/// Ends that.
pub fn exit_safe_mode() -> Call {
	Call::new("SafeMode", "force_exit", ())
}

/// Stops one call of a pallet, until it is resumed.
pub fn pause_call(pallet: &str, call: &str) -> Call {
	Call::new("TxPause", "pause", (pallet.as_bytes(), call.as_bytes()))
}

/// Resumes a paused call.
pub fn unpause_call(pallet: &str, call: &str) -> Call {
	Call::new("TxPause", "unpause", (pallet.as_bytes(), call.as_bytes()))
}

/// Lets an applicant attest.
pub fn appoint_registrar(registrar: AccountId) -> Call {
	Call::new("Compliance", "appoint", registrar)
}

/// Removes a registrar; the treasury keeps so many millionths of its deposit.
pub fn dismiss_registrar(registrar: AccountId, keep_parts: u32) -> Call {
	Call::new("Compliance", "dismiss", (registrar, keep_parts))
}

/// Bars an account from new business. Its withdrawals stay open.
pub fn sanction(account: AccountId, reason: Root) -> Call {
	Call::new("Compliance", "sanction", (account, reason))
}

/// Ends that.
pub fn lift_sanction(account: AccountId) -> Call {
	Call::new("Compliance", "lift", account)
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn a_vote_is_a_byte_of_side_and_conviction_and_its_amount() {
		let conviction = Conviction::new(3).unwrap();
		let bytes = |vote| super::vote(7, vote).arguments.0;
		let mut aye = vec![7 << 2, 0, 0x83];
		aye.extend_from_slice(&5u128.to_le_bytes());
		assert_eq!(bytes(Vote::Aye(5, conviction)), aye);
		aye[2] = 0x03;
		assert_eq!(bytes(Vote::Nay(5, conviction)), aye);
		let abstain = bytes(Vote::Abstain(5));
		assert_eq!((abstain[1], abstain.len()), (2, 2 + 3 * 16));
	}

	#[test]
	fn a_batch_is_the_number_of_calls_and_then_the_calls() {
		let batch = batch_all(&[vec![1, 2], vec![3]]);
		assert_eq!(batch.arguments.0, [2 << 2, 1, 2, 3]);
		assert_eq!(batch.label(), "Utility.batch_all");
	}

	#[test]
	fn conviction_doubles_the_lock_for_each_vote_more() {
		let periods = |level| Conviction::new(level).unwrap().periods();
		assert_eq!((0..=6).map(periods).collect::<Vec<_>>(), [0, 1, 2, 4, 8, 16, 32]);
		assert_eq!(Conviction::new(0).unwrap().votes(100), 10);
		assert_eq!(Conviction::new(6).unwrap().votes(100), 600);
		assert_eq!(Conviction::new(7), None);
	}
}
