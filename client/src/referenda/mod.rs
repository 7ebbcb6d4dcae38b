// SPDX-License-Identifier: Apache-2.0

//! How the chain is ruled: tracks, referenda, votes, and the parameters that they may change.
//!
//! Amounts are in the smallest unit of TNA, periods in blocks, shares in billionths as the chain keeps
//! them ([`PARTS`]).

mod parameters;
mod tracks;
mod votes;

pub use parameters::*;
pub use tracks::*;
pub use votes::*;

use anyhow::Result;
use scale_decode::DecodeAsType;
use subxt::dynamic::Value;

use crate::{dynamic::enactment_name, AccountId, Root, Snapshot};

/// The parts of a whole in which the chain counts approval and support.
pub const PARTS: u32 = 1_000_000_000;

/// A deposit that a referendum holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, DecodeAsType)]
pub struct Deposit {
	/// Whose it is.
	pub who: AccountId,
	/// How much.
	pub amount: u128,
}

/// The votes of a referendum.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, DecodeAsType)]
pub struct Tally {
	/// In favour, with their convictions.
	pub ayes: u128,
	/// Against, with their convictions.
	pub nays: u128,
	/// The TNA in favour or abstaining, without conviction.
	pub support: u128,
}

impl Tally {
	/// The share of votes in favour, in billionths.
	pub fn approval(&self) -> u32 {
		share(self.ayes, self.ayes.saturating_add(self.nays))
	}

	/// The share of all TNA in support, in billionths.
	pub fn support(&self, issuance: u128) -> u32 {
		share(self.support, issuance)
	}
}

/// A part of a whole in billionths, rounded down; nothing of nothing.
fn share(part: u128, whole: u128) -> u32 {
	// All TNA there can be, with the highest conviction, times a billion fits: 6 · 10²¹ · 10⁹ < 2¹⁰³.
	let parts = part.saturating_mul(PARTS.into()).checked_div(whole).unwrap_or(0);
	u32::try_from(parts).unwrap_or(PARTS).min(PARTS)
}

/// How far a decision is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, DecodeAsType)]
pub struct Deciding {
	/// The block in which it began.
	pub since: u32,
	/// The block in which it is approved, if it stays above both thresholds until then.
	pub confirming: Option<u32>,
}

#[derive(Clone, Debug, DecodeAsType)]
enum RawProposal {
	Legacy { hash: Root },
	Inline(Vec<u8>),
	Lookup { hash: Root, len: u32 },
}

/// When an approved proposal is carried out, at the earliest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, DecodeAsType)]
pub enum Enactment {
	/// In this block.
	At(u32),
	/// So many blocks after its approval.
	After(u32),
}

#[derive(Clone, Debug, DecodeAsType)]
struct RawStatus {
	track: u16,
	proposal: RawProposal,
	enactment: Enactment,
	submitted: u32,
	submission_deposit: Deposit,
	decision_deposit: Option<Deposit>,
	deciding: Option<Deciding>,
	tally: Tally,
	in_queue: bool,
}

#[derive(Clone, Debug, DecodeAsType)]
enum RawInfo {
	Ongoing(RawStatus),
	Approved(u32, Option<Deposit>, Option<Deposit>),
	Rejected(u32, Option<Deposit>, Option<Deposit>),
	Cancelled(u32, Option<Deposit>, Option<Deposit>),
	TimedOut(u32, Option<Deposit>, Option<Deposit>),
	Killed(u32),
}

/// A referendum that is not decided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ongoing {
	/// Number of the track.
	pub track: u16,
	/// The encoding of the proposed call, where the chain has it.
	pub call: Option<Vec<u8>>,
	/// BLAKE2-256 of that encoding, where the referendum holds only the hash.
	pub hash: Option<Root>,
	/// When it is carried out once approved.
	pub enactment: Enactment,
	/// The block in which it was submitted.
	pub submitted: u32,
	/// Who submitted it, and with what deposit.
	pub submission_deposit: Deposit,
	/// Who put down the decision deposit, if anybody.
	pub decision_deposit: Option<Deposit>,
	/// How far the decision is, once it has begun.
	pub deciding: Option<Deciding>,
	/// The votes.
	pub tally: Tally,
	/// Whether it waits because its track decides enough others.
	pub in_queue: bool,
}

impl Ongoing {
	/// The block in which it is approved if nobody votes any more and it can be: `now` is the block that
	/// is looked at. `None` where these votes never carry it, or its deposit is missing.
	pub fn approved_at(&self, track: &Track, issuance: u128, now: u32) -> Option<u32> {
		self.decision_deposit?;
		if let Some(block) = self.deciding.and_then(|deciding| deciding.confirming) {
			return Some(block);
		}
		let begun = match self.deciding {
			Some(deciding) => deciding.since,
			None => self.submitted.saturating_add(track.prepare_period).max(now),
		};
		let approval = track.min_approval.delay(self.tally.approval())?;
		let support = track.min_support.delay(self.tally.support(issuance))?;
		let part = u64::from(approval.max(support)) * u64::from(track.decision_period);
		let delay = u32::try_from(part.div_ceil(PARTS.into())).ok()?;
		let passing = begun.saturating_add(delay).max(now);
		let ends = begun.saturating_add(track.decision_period);
		(passing <= ends).then(|| passing.saturating_add(track.confirm_period))
	}

	/// The block in which it is carried out if it is approved in `approved`.
	pub fn enacted_at(&self, track: &Track, approved: u32) -> u32 {
		let earliest = approved.saturating_add(track.min_enactment_period.max(1));
		let wanted = match self.enactment {
			Enactment::At(block) => block,
			Enactment::After(blocks) => approved.saturating_add(blocks),
		};
		earliest.max(wanted)
	}
}

/// How a referendum ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
	/// Carried: it is or will be carried out.
	Approved,
	/// Voted down, or never carried in its time.
	Rejected,
	/// Ended by another decision; its deposits can be taken back.
	Cancelled,
	/// Nobody put down its decision deposit in time.
	TimedOut,
	/// Ended by another decision that took its deposits.
	Killed,
}

/// A referendum.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Referendum {
	/// Not decided.
	Ongoing(Box<Ongoing>),
	/// Decided.
	Ended {
		/// How.
		end: End,
		/// The block in which it ended.
		block: u32,
		/// The deposits that can be taken back: of the submission, and of the decision.
		deposits: [Option<Deposit>; 2],
		/// The deposit of the submission where nobody gets it back: the proposal was not wanted.
		forfeited: Option<Deposit>,
	},
}

async fn referendum_from(at: &Snapshot, raw: RawInfo) -> Result<Referendum> {
	let ended = |end, block, deposits| Referendum::Ended { end, block, deposits, forfeited: None };
	let unwanted = |end, block, forfeited, decision| Referendum::Ended {
		end,
		block,
		deposits: [None, decision],
		forfeited,
	};
	Ok(match raw {
		RawInfo::Ongoing(raw) => {
			let (call, hash) = match raw.proposal {
				RawProposal::Inline(bytes) => (Some(bytes), None),
				RawProposal::Lookup { hash, len } => (preimage(at, hash, len).await?, Some(hash)),
				RawProposal::Legacy { hash } => (None, Some(hash)),
			};
			Referendum::Ongoing(Box::new(Ongoing {
				track: raw.track,
				call,
				hash,
				enactment: raw.enactment,
				submitted: raw.submitted,
				submission_deposit: raw.submission_deposit,
				decision_deposit: raw.decision_deposit,
				deciding: raw.deciding,
				tally: raw.tally,
				in_queue: raw.in_queue,
			}))
		}
		RawInfo::Approved(block, submission, decision) => {
			ended(End::Approved, block, [submission, decision])
		}
		RawInfo::Rejected(block, submission, decision) => {
			unwanted(End::Rejected, block, submission, decision)
		}
		RawInfo::Cancelled(block, submission, decision) => {
			ended(End::Cancelled, block, [submission, decision])
		}
		RawInfo::TimedOut(block, submission, decision) => {
			unwanted(End::TimedOut, block, submission, decision)
		}
		RawInfo::Killed(block) => ended(End::Killed, block, [None, None]),
	})
}

/// A referendum by its number.
pub async fn referendum(at: &Snapshot, number: u32) -> Result<Option<Referendum>> {
	match at.get::<_, RawInfo>("Referenda", "ReferendumInfoFor", (number,)).await? {
		Some(raw) => Ok(Some(referendum_from(at, raw).await?)),
		None => Ok(None),
	}
}

/// All referenda that the chain knows, by their numbers.
pub async fn referenda(at: &Snapshot) -> Result<Vec<(u32, Referendum)>> {
	let mut all = Vec::new();
	for (number, raw) in at.entries::<u32, RawInfo>("Referenda", "ReferendumInfoFor").await? {
		all.push((number, referendum_from(at, raw).await?));
	}
	all.sort_by_key(|(number, _)| *number);
	Ok(all)
}

/// The number that the next referendum gets.
pub async fn next_referendum(at: &Snapshot) -> Result<u32> {
	Ok(at.get::<(), u32>("Referenda", "ReferendumCount", ()).await?.unwrap_or_default())
}

/// The block in which an approved referendum is carried out, while it is still to come.
pub async fn scheduled(at: &Snapshot, number: u32) -> Result<Option<u32>> {
	let name = enactment_name(number);
	let place = at.get::<_, (u32, u32)>("Scheduler", "Lookup", (name,)).await?;
	Ok(place.map(|(block, _)| block))
}

/// The bytes of a noted preimage.
pub async fn preimage(at: &Snapshot, hash: Root, len: u32) -> Result<Option<Vec<u8>>> {
	at.get("Preimage", "PreimageFor", ((hash, len),)).await
}

/// Whether anybody has noted a preimage with this hash.
pub async fn is_noted(at: &Snapshot, hash: Root) -> Result<bool> {
	Ok(at.get::<_, Value>("Preimage", "RequestStatusFor", (hash,)).await?.is_some())
}

/// The hash of the runtime that anybody may install now, if one is authorized.
pub async fn authorized_upgrade(at: &Snapshot) -> Result<Option<Root>> {
	#[derive(DecodeAsType)]
	struct Authorized {
		code_hash: Root,
	}
	let authorized = at.get::<(), Authorized>("System", "AuthorizedUpgrade", ()).await?;
	Ok(authorized.map(|authorized| authorized.code_hash))
}

/// A payment that the treasury has approved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, DecodeAsType)]
pub struct Spend {
	/// How much.
	pub amount: u128,
	/// To whom.
	pub beneficiary: AccountId,
	/// The first block in which it can be claimed.
	pub valid_from: u32,
	/// The block in which it lapses.
	pub expire_at: u32,
}

/// An approved payment by its number.
pub async fn spend(at: &Snapshot, number: u32) -> Result<Option<Spend>> {
	at.get("Treasury", "Spends", (number,)).await
}

/// What a referendum's submission costs in deposit, beside the decision deposit of its track.
pub fn submission_deposit(at: &Snapshot) -> Result<u128> {
	at.constant("Referenda", "SubmissionDeposit")
}

#[cfg(test)]
mod tests {
	use super::*;

	const PERCENT: u32 = PARTS / 100;

	fn falling(from: u32, to: u32) -> Curve {
		Curve::LinearDecreasing { length: PARTS, floor: to * PERCENT, ceil: from * PERCENT }
	}

	fn track() -> Track {
		Track {
			id: 10,
			name: "parameters".into(),
			decision_deposit: 5,
			prepare_period: 2,
			decision_period: 100,
			confirm_period: 12,
			min_enactment_period: 12,
			min_approval: falling(70, 50),
			min_support: falling(25, 0),
		}
	}

	fn ongoing(tally: Tally) -> Ongoing {
		let deposit = Deposit { who: [1; 32], amount: 5 };
		Ongoing {
			track: 10,
			call: None,
			hash: None,
			enactment: Enactment::After(1),
			submitted: 10,
			submission_deposit: deposit,
			decision_deposit: Some(deposit),
			deciding: Some(Deciding { since: 12, confirming: None }),
			tally,
			in_queue: false,
		}
	}

	#[test]
	fn approval_is_expected_when_both_thresholds_are_down() {
		// A fifth of all TNA, all in favour: support is down at 20 % after a fifth of the period.
		let all = Tally { ayes: 20, nays: 0, support: 20 };
		assert_eq!(ongoing(all).approved_at(&track(), 100, 12), Some(12 + 20 + 12));
		// Seen later than that, it begins to be confirmed now.
		assert_eq!(ongoing(all).approved_at(&track(), 100, 40), Some(40 + 12));
		let against = Tally { ayes: 20, nays: 30, support: 20 };
		assert_eq!(ongoing(against).approved_at(&track(), 100, 12), None);
		let mut unpaid = ongoing(all);
		unpaid.decision_deposit = None;
		assert_eq!(unpaid.approved_at(&track(), 100, 12), None);
	}

	#[test]
	fn nothing_is_carried_out_before_the_delay_of_its_track() {
		let referendum = ongoing(Tally::default());
		assert_eq!(referendum.enacted_at(&track(), 50), 62);
		let late = Ongoing { enactment: Enactment::At(90), ..referendum };
		assert_eq!(late.enacted_at(&track(), 50), 90);
	}

	#[test]
	fn shares_are_of_the_votes_and_of_all_tna() {
		let tally = Tally { ayes: 3, nays: 1, support: 2 };
		assert_eq!(tally.approval(), 75 * PERCENT);
		assert_eq!(tally.support(8), 25 * PERCENT);
		assert_eq!(Tally::default().approval(), 0);
		// All TNA there can be, with the highest conviction.
		let all = 10u128.pow(21);
		let most = Tally { ayes: 6 * all, nays: 0, support: all };
		assert_eq!((most.approval(), most.support(all)), (PARTS, PARTS));
	}
}
