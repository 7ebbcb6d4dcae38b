// SPDX-License-Identifier: Apache-2.0

//! How the chain is ruled: tracks, referenda, votes, and the parameters that they may change.
//!
//! Amounts are in the smallest unit of TNA, periods in blocks, shares in billionths as the chain keeps
//! them ([`PARTS`]).

use anyhow::{Context, Result};
use codec::Decode;
use scale_decode::DecodeAsType;
use subxt::dynamic::Value;

use crate::{dynamic::enactment_name, AccountId, Root, Snapshot};

/// The parts of a whole in which the chain counts approval and support.
pub const PARTS: u32 = 1_000_000_000;

/// A threshold that falls while a referendum is decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq, DecodeAsType)]
pub enum Curve {
	/// In a straight line from `ceil` to `floor`, which it reaches after `length` of the period.
	LinearDecreasing {
		/// Part of the decision period.
		length: u32,
		/// Where it ends.
		floor: u32,
		/// Where it begins.
		ceil: u32,
	},
	/// In steps. No track of TensorNet has it.
	SteppedDecreasing {
		/// Where it begins.
		begin: u32,
	},
	/// As a reciprocal. No track of TensorNet has it.
	Reciprocal {
		/// Its numerator, in billionths.
		factor: i64,
	},
}

impl Curve {
	/// The threshold once `passed` billionths of the decision period are over; `None` for a curve that
	/// this client does not know.
	pub fn threshold(&self, passed: u32) -> Option<u32> {
		let Curve::LinearDecreasing { length, floor, ceil } = *self else { return None };
		let fallen = u64::from(ceil.saturating_sub(floor)) * u64::from(passed.min(length));
		let fallen = fallen.checked_div(length.into()).unwrap_or(0);
		Some(ceil.saturating_sub(u32::try_from(fallen).unwrap_or(u32::MAX)))
	}

	/// After how many billionths of the decision period the threshold is down at `value`; `None` if it
	/// never is.
	pub fn delay(&self, value: u32) -> Option<u32> {
		let Curve::LinearDecreasing { length, floor, ceil } = *self else { return None };
		if value >= ceil {
			return Some(0);
		}
		if value < floor {
			return None;
		}
		let part = u64::from(length) * u64::from(ceil - value);
		let part = part.div_ceil(u64::from(ceil - floor));
		u32::try_from(part).ok()
	}
}

#[derive(Clone, Debug, DecodeAsType)]
struct RawTrack {
	name: String,
	decision_deposit: u128,
	prepare_period: u32,
	decision_period: u32,
	confirm_period: u32,
	min_enactment_period: u32,
	min_approval: Curve,
	min_support: Curve,
}

/// A track on which referenda are decided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Track {
	/// Its number.
	pub id: u16,
	/// Its name.
	pub name: String,
	/// Without this deposit a referendum is not decided.
	pub decision_deposit: u128,
	/// Blocks from submission to the beginning of the decision.
	pub prepare_period: u32,
	/// The most blocks of the decision.
	pub decision_period: u32,
	/// Blocks for which a referendum has to stay above both thresholds.
	pub confirm_period: u32,
	/// The least blocks from approval to enactment.
	pub min_enactment_period: u32,
	/// The share of votes in favour that it takes.
	pub min_approval: Curve,
	/// The share of all TNA in favour that it takes.
	pub min_support: Curve,
}

/// The tracks of a chain, by number, with the periods that hold on it.
pub fn tracks(at: &Snapshot) -> Result<Vec<Track>> {
	let tracks: Vec<(u16, RawTrack)> = at.constant("Referenda", "Tracks")?;
	let track = |(id, raw): (u16, RawTrack)| Track {
		id,
		name: raw.name.trim_end_matches('\0').to_owned(),
		decision_deposit: raw.decision_deposit,
		prepare_period: raw.prepare_period,
		decision_period: raw.decision_period,
		confirm_period: raw.confirm_period,
		min_enactment_period: raw.min_enactment_period,
		min_approval: raw.min_approval,
		min_support: raw.min_support,
	};
	Ok(tracks.into_iter().map(track).collect())
}

/// The origin that a track gives to what it approves, as the chain names it: the name of the power
/// within the governance pallet, or `None` for root.
///
/// The runtime decides this in `governance/tracks.rs`; metadata does not tell it.
pub fn power_of(track: &str) -> Option<Option<&'static str>> {
	Some(match track {
		"root" => None,
		"whitelisted_caller" => Some("WhitelistedCaller"),
		"parameters" => Some("ProtocolParameters"),
		"small_spender" => Some("SmallSpender"),
		"big_spender" => Some("BigSpender"),
		"slash_appeal" => Some("SlashAppeal"),
		"registrars" => Some("Registrars"),
		"emergency" => Some("Emergency"),
		_ => return None,
	})
}

/// The encoded origin that a referendum of a track is submitted for.
pub fn origin_of(at: &Snapshot, track: &str) -> Result<Vec<u8>> {
	let power = power_of(track).with_context(|| format!("no track '{track}'"))?;
	let none: [Value; 0] = [];
	let origin = match power {
		None => Value::unnamed_variant("system", [Value::unnamed_variant("Root", none)]),
		Some(power) => Value::unnamed_variant("Governance", [Value::unnamed_variant(power, none)]),
	};
	at.argument("Referenda", "submit", 0, &origin)
}

/// The track on which a call is decided with the least power that it takes. Spends depend on their
/// amount and are not told here. Whatever has no power of its own takes root.
pub fn track_of(pallet: &str, call: &str) -> &'static str {
	match (pallet, call) {
		("Governance", "set_parameter") => "parameters",
		("Whitelist", "dispatch_whitelisted_call" | "dispatch_whitelisted_call_with_preimage") => {
			"whitelisted_caller"
		}
		("Whitelist", _)
		| ("SafeMode", "force_enter" | "force_extend" | "force_exit")
		| ("TxPause", _)
		| ("Referenda", "cancel" | "kill") => "emergency",
		("Compliance", "appoint" | "dismiss" | "sanction" | "lift") => "registrars",
		(_, "cancel_slash") => "slash_appeal",
		_ => "root",
	}
}

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

/// In what a parameter is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
	/// Millionths of a whole.
	PartsPerMillion,
	/// The smallest unit of TNA.
	Plancks,
	/// Blocks.
	Blocks,
	/// A number of things.
	Count,
}

#[derive(Decode)]
struct RawParameter {
	name: Vec<u8>,
	unit: u8,
	current: u128,
	least: u128,
	most: u128,
}

/// A protocol parameter. All figures are in its unit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parameter {
	/// `group.Name`.
	pub name: String,
	/// In what it is counted.
	pub unit: Unit,
	/// Its value now.
	pub current: u128,
	/// The least it may be set to.
	pub least: u128,
	/// The most it may be set to.
	pub most: u128,
}

/// All protocol parameters with their values and bounds.
pub async fn parameters(at: &Snapshot) -> Result<Vec<Parameter>> {
	let raw: Vec<RawParameter> = at.view("Governance", "parameters", ()).await?;
	let parameter = |raw: RawParameter| Parameter {
		name: String::from_utf8_lossy(&raw.name).into_owned(),
		unit: match raw.unit {
			0 => Unit::PartsPerMillion,
			1 => Unit::Plancks,
			2 => Unit::Blocks,
			// A unit of a later runtime is shown as the bare number that it is.
			_ => Unit::Count,
		},
		current: raw.current,
		least: raw.least,
		most: raw.most,
	};
	Ok(raw.into_iter().map(parameter).collect())
}

/// The encoding of the call that sets a parameter, or with `None` returns it to its default. `name` is
/// `group.Name`; the chain's metadata says how its value is encoded.
pub fn set_parameter(at: &Snapshot, name: &str, value: Option<u128>) -> Result<Vec<u8>> {
	let (group, parameter) =
		name.split_once('.').with_context(|| format!("'{name}' is not group.Name"))?;
	// The group is a module in the runtime, and a variant of that name in the metadata.
	let mut letters = group.chars();
	let group: String = letters
		.next()
		.map(|first| first.to_uppercase().chain(letters).collect())
		.with_context(|| format!("'{name}' names no group"))?;
	let none: [Value; 0] = [];
	let value = match value {
		Some(value) => Value::unnamed_variant("Some", [Value::u128(value)]),
		None => Value::unnamed_variant("None", none.clone()),
	};
	let key = Value::unnamed_composite(none);
	let change = Value::unnamed_variant(group, [Value::unnamed_variant(parameter, [key, value])]);
	let mut call = at.call_prefix("Governance", "set_parameter")?;
	call.extend(at.argument("Governance", "set_parameter", 0, &change)?);
	Ok(call)
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
	fn a_falling_threshold_is_reached_when_it_says_so() {
		let curve = falling(25, 0);
		assert_eq!(curve.threshold(0), Some(25 * PERCENT));
		assert_eq!(curve.threshold(PARTS / 2), Some(25 * PERCENT / 2));
		assert_eq!(curve.threshold(PARTS), Some(0));
		assert_eq!(curve.delay(25 * PERCENT), Some(0));
		assert_eq!(curve.delay(0), Some(PARTS));
		assert_eq!(curve.delay(5 * PERCENT), Some(PARTS / 5 * 4));
		assert_eq!(falling(70, 50).delay(49 * PERCENT), None);
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

	#[test]
	fn a_vote_is_read_as_it_was_cast() {
		let vote = CastVote::new(3, RawVote::Standard { vote: 0x82, balance: 7 });
		assert_eq!((vote.aye, vote.conviction, vote.amount), (Some(true), Some(2), 7));
		let vote = CastVote::new(3, RawVote::Standard { vote: 0x00, balance: 7 });
		assert_eq!((vote.aye, vote.conviction), (Some(false), Some(0)));
		let vote = CastVote::new(3, RawVote::SplitAbstain { aye: 1, nay: 2, abstain: 4 });
		assert_eq!((vote.aye, vote.conviction, vote.amount), (None, None, 7));
	}

	#[test]
	fn every_call_is_decided_on_a_track_that_has_a_power() {
		for (pallet, call, track) in [
			("Governance", "set_parameter", "parameters"),
			("Whitelist", "whitelist_call", "emergency"),
			("Whitelist", "dispatch_whitelisted_call_with_preimage", "whitelisted_caller"),
			("Compliance", "appoint", "registrars"),
			("System", "authorize_upgrade", "root"),
			("TxPause", "pause", "emergency"),
		] {
			assert_eq!(track_of(pallet, call), track);
			assert!(power_of(track).is_some());
		}
		assert_eq!(power_of("treasurer"), None);
	}
}
