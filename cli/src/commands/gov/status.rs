// SPDX-License-Identifier: Apache-2.0

//! `tensornet gov status`: what a referendum proposes, how the votes stand, and when it takes effect.

use anyhow::{Context as _, Result};
use clap::Args;
use serde::Serialize;
use std::fmt;
use tensornet_client::{
	referenda::{self, Deposit, End, Ongoing, Parameter, Referendum, Track, PARTS},
	Snapshot,
};

use super::{
	parameters::{block_milliseconds, span, text},
	unknown,
};
use crate::{
	output::{address, root, tna, Facts, Table},
	Context,
};

/// Arguments of `tensornet gov status`.
#[derive(Args)]
#[command(after_help = "\
Examples:
  All that the chain knows
      tensornet gov status

  One of them, for programs
      tensornet gov status 3 --json")]
pub struct Status {
	/// The referendum's number; all of them if left out.
	#[arg(value_name = "REFERENDUM")]
	referendum: Option<u32>,
	/// Only those that are not decided.
	#[arg(long, conflicts_with = "referendum")]
	open: bool,
}

/// Where a referendum is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
	/// Its decision deposit is missing.
	NeedsDeposit,
	/// Its track's time of preparation runs.
	Preparing,
	/// Its track decides as many others as it may.
	Queued,
	/// Votes decide, and it is not above both thresholds.
	Deciding,
	/// It is above both thresholds and must stay there for a while.
	Confirming,
	/// Approved, and not yet carried out.
	Approved,
	/// Approved, and carried out.
	Enacted,
	/// Voted down, or never carried in its time.
	Rejected,
	/// Ended by another decision; its deposits can be taken back.
	Cancelled,
	/// Nobody put down its decision deposit in time.
	TimedOut,
	/// Ended by another decision that took its deposits.
	Killed,
}

impl State {
	/// The state in words.
	fn words(self) -> &'static str {
		match self {
			State::NeedsDeposit => "waits for its decision deposit",
			State::Preparing => "prepared",
			State::Queued => "queued behind others of its track",
			State::Deciding => "being decided",
			State::Confirming => "being confirmed",
			State::Approved => "approved, not yet carried out",
			State::Enacted => "approved and carried out",
			State::Rejected => "rejected",
			State::Cancelled => "cancelled",
			State::TimedOut => "timed out without a decision deposit",
			State::Killed => "killed, its deposits taken",
		}
	}
}

/// A referendum as it is shown. Shares are in percent, amounts in TNA, times in blocks.
#[derive(Serialize)]
pub struct View {
	/// Its number.
	pub referendum: u32,
	/// Where it is.
	pub state: State,
	/// The block in which it was seen.
	pub block: u64,
	/// Name of its track, while it is open.
	pub track: Option<String>,
	/// What it proposes, while it is open: `Pallet.call(…)`.
	pub proposal: Option<String>,
	/// The proposed call's bytes, where the chain has them.
	pub call_data: Option<String>,
	/// Who proposed it.
	pub proposer: Option<String>,
	/// The votes.
	pub votes: Option<Votes>,
	/// The block in which its decision begins, if it has not.
	pub decides_from: Option<u32>,
	/// The block in which its decision ends at the latest.
	pub decides_until: Option<u32>,
	/// The block in which it is approved, if the votes stay as they are.
	pub approved_at: Option<u32>,
	/// The block in which it is carried out: for a referendum that is open, if the votes stay as they
	/// are.
	pub enacts_at: Option<u32>,
	/// The block in which it ended.
	pub ended_at: Option<u32>,
	/// What `tensornet gov refund` gives back, and to whom.
	pub refunds: Vec<Refund>,
	/// The submission deposit, where nobody gets it back.
	pub forfeited: Option<String>,
	#[serde(skip)]
	block_milliseconds: u64,
}

/// The votes on a referendum.
#[derive(Serialize)]
pub struct Votes {
	/// In favour, with their convictions.
	pub ayes: String,
	/// Against, with their convictions.
	pub nays: String,
	/// TNA in favour or abstaining.
	pub support: String,
	/// The share of votes in favour.
	pub approval_percent: f64,
	/// What it takes now.
	pub approval_needed_percent: Option<f64>,
	/// The share of all TNA in support.
	pub support_percent: f64,
	/// What it takes now.
	pub support_needed_percent: Option<f64>,
}

/// A deposit that can be taken back.
#[derive(Serialize)]
pub struct Refund {
	/// Which deposit.
	pub deposit: &'static str,
	/// Whose it is.
	pub to: String,
	/// How much.
	pub amount: String,
}

/// Billionths as percent, to three decimals.
fn percent(parts: u32) -> f64 {
	(f64::from(parts) / 1e4).round() / 1e3
}

impl View {
	/// A referendum at a block.
	pub async fn new(
		at: &Snapshot,
		number: u32,
		referendum: &Referendum,
		known: &Known,
	) -> Result<Self> {
		let empty = Self {
			referendum: number,
			state: State::Killed,
			block: at.number(),
			track: None,
			proposal: None,
			call_data: None,
			proposer: None,
			votes: None,
			decides_from: None,
			decides_until: None,
			approved_at: None,
			enacts_at: None,
			ended_at: None,
			refunds: Vec::new(),
			forfeited: None,
			block_milliseconds: known.block_milliseconds,
		};
		match referendum {
			Referendum::Ongoing(ongoing) => Ok(open(at, ongoing, known, empty)),
			Referendum::Ended { end, block, deposits, forfeited } => {
				let enacts_at = referenda::scheduled(at, number).await?;
				let state = match end {
					End::Approved if enacts_at.is_some() => State::Approved,
					End::Approved => State::Enacted,
					End::Rejected => State::Rejected,
					End::Cancelled => State::Cancelled,
					End::TimedOut => State::TimedOut,
					End::Killed => State::Killed,
				};
				let refunds = ["submission", "decision"].into_iter().zip(deposits).filter_map(
					|(deposit, held)| {
						held.map(|Deposit { who, amount }| Refund {
							deposit,
							to: address(&who),
							amount: tna(amount),
						})
					},
				);
				Ok(Self {
					state,
					enacts_at,
					ended_at: Some(*block),
					refunds: refunds.collect(),
					forfeited: forfeited.map(|deposit| tna(deposit.amount)),
					..empty
				})
			}
		}
	}
}

/// An open referendum.
fn open(at: &Snapshot, ongoing: &Ongoing, known: &Known, empty: View) -> View {
	let now = u32::try_from(at.number()).unwrap_or(u32::MAX);
	let state = match ongoing.deciding {
		Some(deciding) if deciding.confirming.is_some() => State::Confirming,
		Some(_) => State::Deciding,
		None if ongoing.in_queue => State::Queued,
		None if ongoing.decision_deposit.is_none() => State::NeedsDeposit,
		None => State::Preparing,
	};
	let call = ongoing.call.as_deref().map(|bytes| described(at, bytes, known));
	let unseen =
		|| ongoing.hash.map(|hash| format!("a call whose bytes nobody noted: {}", root(&hash)));
	let track = known.tracks.iter().find(|track| track.id == ongoing.track);
	let approved_at = track.and_then(|track| ongoing.approved_at(track, known.issuance, now));
	View {
		state,
		track: track.map(|track| track.name.clone()),
		proposal: call.or_else(unseen),
		call_data: ongoing.call.as_ref().map(|bytes| format!("0x{}", hex::encode(bytes))),
		proposer: Some(address(&ongoing.submission_deposit.who)),
		votes: Some(votes(ongoing, track, known.issuance, now)),
		decides_from: match ongoing.deciding {
			Some(_) => None,
			None => track.map(|track| ongoing.submitted.saturating_add(track.prepare_period)),
		},
		decides_until: ongoing
			.deciding
			.zip(track)
			.map(|(deciding, track)| deciding.since.saturating_add(track.decision_period)),
		approved_at,
		enacts_at: track.zip(approved_at).map(|(track, block)| ongoing.enacted_at(track, block)),
		..empty
	}
}

fn votes(ongoing: &Ongoing, track: Option<&Track>, issuance: u128, now: u32) -> Votes {
	let tally = ongoing.tally;
	// Before the decision begins, what it takes is what it takes at the beginning.
	let passed = ongoing.deciding.zip(track).map_or(0, |(deciding, track)| {
		let blocks = u64::from(now.saturating_sub(deciding.since)) * u64::from(PARTS);
		let passed = blocks.checked_div(track.decision_period.into()).unwrap_or(0);
		u32::try_from(passed).unwrap_or(PARTS).min(PARTS)
	});
	Votes {
		ayes: tna(tally.ayes),
		nays: tna(tally.nays),
		support: tna(tally.support),
		approval_percent: percent(tally.approval()),
		approval_needed_percent: track
			.and_then(|track| track.min_approval.threshold(passed))
			.map(percent),
		support_percent: percent(tally.support(issuance)),
		support_needed_percent: track
			.and_then(|track| track.min_support.threshold(passed))
			.map(percent),
	}
}

/// What a call does: a change of a parameter in words, any other call by its name and arguments.
fn described(at: &Snapshot, bytes: &[u8], known: &Known) -> String {
	let set = known.parameters.iter().find_map(|parameter| {
		let prefix = referenda::set_parameter(at, &parameter.name, None).ok()?;
		// Group and parameter are a byte each after the call's own two; the value follows.
		let own = prefix.get(..4)?;
		let value = bytes.strip_prefix(own)?;
		let show = |figure| text(parameter.unit, figure, known.block_milliseconds);
		let wanted = match value {
			[0] => "its default".to_owned(),
			[1, figure @ ..] if figure.len() <= 16 => {
				let little_endian = figure.iter().rev();
				show(little_endian.fold(0, |sum: u128, byte| sum << 8 | u128::from(*byte)))
			}
			_ => return None,
		};
		Some(format!("set {} to {wanted} instead of {}", parameter.name, show(parameter.current)))
	});
	set.unwrap_or_else(|| match at.decoded(bytes) {
		Ok(call) => call.to_string(),
		Err(_) => format!("no call of this chain: 0x{}", hex::encode(bytes)),
	})
}

impl fmt::Display for View {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		let when = |block: u32| {
			let away = u64::from(block).saturating_sub(self.block);
			match away {
				0 => format!("block {block}"),
				_ => format!("block {block}, in {}", span(away, self.block_milliseconds)),
			}
		};
		let votes = self.votes.as_ref();
		let needed = |needed: Option<f64>| {
			needed.map_or_else(String::new, |needed| format!(", {needed} % needed now"))
		};
		let facts = Facts::new()
			.line("referendum", self.referendum)
			.line("state", self.state.words())
			.maybe("track", self.track.as_ref())
			.maybe("proposes", self.proposal.as_ref())
			.maybe("proposed by", self.proposer.as_ref())
			.maybe("ayes", votes.map(|votes| &votes.ayes))
			.maybe("nays", votes.map(|votes| &votes.nays))
			.maybe(
				"approval",
				votes.map(|votes| {
					format!("{} %{}", votes.approval_percent, needed(votes.approval_needed_percent))
				}),
			)
			.maybe(
				"support",
				votes.map(|votes| {
					format!(
						"{} % of all TNA{}",
						votes.support_percent,
						needed(votes.support_needed_percent)
					)
				}),
			)
			.maybe("decides from", self.decides_from.map(when))
			.maybe("decides until", self.decides_until.map(when));
		let facts = match self.state {
			State::Approved => facts.maybe("carried out", self.enacts_at.map(when)),
			_ if self.votes.is_some() => facts
				.line(
					"approved",
					self.approved_at.map_or_else(
						|| "not with these votes".into(),
						|block| when(block) + " with these votes",
					),
				)
				.maybe("carried out", self.enacts_at.map(when)),
			_ => facts,
		};
		let mut facts =
			facts.maybe("ended at", self.ended_at.map(|block| format!("block {block}")));
		for refund in &self.refunds {
			let name = format!("{} deposit", refund.deposit);
			facts = facts.line(&name, format!("{} TNA back to {}", refund.amount, refund.to));
		}
		let facts = facts.maybe(
			"forfeited",
			self.forfeited.as_ref().map(|amount| format!("{amount} TNA of the submission")),
		);
		write!(f, "{facts}")?;
		if !self.refunds.is_empty() {
			writeln!(f, "Take deposits back with: tensornet gov refund {}", self.referendum)?;
		}
		Ok(())
	}
}

/// What all referenda of a chain are read with.
pub struct Known {
	tracks: Vec<Track>,
	parameters: Vec<Parameter>,
	issuance: u128,
	block_milliseconds: u64,
}

impl Known {
	/// From a chain at a block.
	pub async fn read(at: &Snapshot) -> Result<Self> {
		Ok(Self {
			tracks: referenda::tracks(at)?,
			parameters: referenda::parameters(at).await?,
			issuance: at.total_issuance().await?,
			block_milliseconds: block_milliseconds(at)?,
		})
	}
}

/// `tensornet gov status`.
pub async fn run(arguments: Status, context: &Context) -> Result<()> {
	let at = context.connect().await?.best().await?;
	let known = Known::read(&at).await?;
	if let Some(number) = arguments.referendum {
		let referendum =
			referenda::referendum(&at, number).await?.with_context(|| unknown(number))?;
		return context.output.one(&View::new(&at, number, &referendum, &known).await?);
	}
	let mut views = Vec::new();
	for (number, referendum) in referenda::referenda(&at).await? {
		if !arguments.open || matches!(referendum, Referendum::Ongoing(_)) {
			views.push(View::new(&at, number, &referendum, &known).await?);
		}
	}
	let table = |views: &[View]| {
		let head = ["NUMBER", "TRACK", "STATE", "APPROVAL", "SUPPORT", "PROPOSES"];
		let mut table = Table::new(&head).right(&[0, 3, 4]);
		for view in views {
			let share = |share: Option<f64>| share.map_or("-".into(), |share| format!("{share} %"));
			let votes = view.votes.as_ref();
			table.row([
				view.referendum.to_string(),
				view.track.clone().unwrap_or("-".into()),
				view.state.words().into(),
				share(votes.map(|votes| votes.approval_percent)),
				share(votes.map(|votes| votes.support_percent)),
				view.proposal.clone().unwrap_or("-".into()),
			]);
		}
		table
	};
	context.output.list(&views, table, "no referenda: tensornet gov propose starts one")
}

#[cfg(test)]
mod tests {
	use super::*;

	fn view() -> View {
		View {
			referendum: 3,
			state: State::Confirming,
			block: 100,
			track: Some("parameters".into()),
			proposal: Some("set shares.JobBurn to 12 % instead of 10 %".into()),
			call_data: None,
			proposer: Some("5F".into()),
			votes: Some(Votes {
				ayes: "1".into(),
				nays: "0".into(),
				support: "1".into(),
				approval_percent: 100.0,
				approval_needed_percent: Some(66.5),
				support_percent: 12.25,
				support_needed_percent: None,
			}),
			decides_from: None,
			decides_until: Some(120),
			approved_at: Some(110),
			enacts_at: Some(122),
			ended_at: None,
			refunds: Vec::new(),
			forfeited: None,
			block_milliseconds: 3_000,
		}
	}

	#[test]
	fn the_text_tells_tally_period_and_when_it_takes_effect() {
		let text = view().to_string();
		for part in [
			"being confirmed",
			"set shares.JobBurn to 12 % instead of 10 %",
			"100 %, 66.5 % needed now",
			"12.25 % of all TNA\n",
			"block 120, in 60 s",
			"block 110, in 30 s with these votes",
			"block 122, in 66 s",
		] {
			assert!(text.contains(part), "'{part}' is missing in\n{text}");
		}
	}

	#[test]
	fn a_referendum_that_these_votes_do_not_carry_says_so() {
		let lost = View { approved_at: None, enacts_at: None, ..view() };
		assert!(lost.to_string().contains("not with these votes"));
	}

	#[test]
	fn json_keeps_the_figures_apart() {
		let json = serde_json::to_value(view()).unwrap();
		assert_eq!(json["state"], "confirming");
		assert_eq!(json["votes"]["approval_needed_percent"], 66.5);
		assert_eq!(json["enacts_at"], 122);
	}
}
