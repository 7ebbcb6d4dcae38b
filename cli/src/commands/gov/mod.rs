// SPDX-License-Identifier: Apache-2.0

//! `tensornet gov`: propose changes, vote on them, and see them carried out.
//!
//! - [`propose`]: starting a referendum.
//! - [`vote`]: votes, delegation, and what they lock.
//! - [`status`]: how referenda stand.
//! - [`parameters`]: protocol parameters and their bounds.
//! - [`claims`]: deposits, approved payments, authorized runtimes.

pub mod claims;
pub mod parameters;
pub mod propose;
pub mod status;
pub mod vote;

use anyhow::{Context as _, Result};
use clap::Subcommand;
use serde::Serialize;
use tensornet_client::referenda::{self, Track};

use crate::{
	output::{tna, Table},
	Context,
};
use parameters::{block_milliseconds, span};

/// Propose changes, vote on them, and see them carried out.
#[derive(Subcommand)]
pub enum Command {
	/// Start a referendum: about a parameter, a payment, a new runtime, or any other call.
	Propose(Box<propose::Propose>),
	/// Vote on a referendum, or change your vote.
	Vote(vote::VoteArgs),
	/// What a referendum proposes, how its votes stand, and when it takes effect.
	Status(status::Status),
	/// Let another account vote with your TNA.
	Delegate(vote::Delegate),
	/// Vote yourself again.
	Undelegate(vote::Undelegate),
	/// Take your vote on a referendum back.
	RemoveVote(vote::RemoveVote),
	/// Free what past votes no longer lock.
	Unlock(vote::Unlock),
	/// How an account votes, for whom it lets others vote, and what that locks.
	Votes(vote::Votes),
	/// Protocol parameters with their values and bounds.
	Parameters(parameters::Parameters),
	/// The tracks: what each decides about is in docs/governance.md.
	Tracks,
	/// Put down the decision deposit of somebody's referendum.
	Deposit(claims::OfReferendum),
	/// Take the deposits of a referendum that has ended back, for whoever put them down.
	Refund(claims::OfReferendum),
	/// Pay an approved spend of the treasury out. Anybody may.
	Payout(claims::Payout),
	/// Install a runtime that was authorized. Anybody may.
	ApplyUpgrade(claims::ApplyUpgrade),
}

/// Runs a command of this group.
pub async fn run(command: Command, context: &Context) -> Result<()> {
	match command {
		Command::Propose(arguments) => propose::run(*arguments, context).await,
		Command::Vote(arguments) => vote::vote(arguments, context).await,
		Command::Status(arguments) => status::run(arguments, context).await,
		Command::Delegate(arguments) => vote::delegate(arguments, context).await,
		Command::Undelegate(arguments) => vote::undelegate(arguments, context).await,
		Command::RemoveVote(arguments) => vote::remove_vote(arguments, context).await,
		Command::Unlock(arguments) => vote::unlock(arguments, context).await,
		Command::Votes(arguments) => vote::votes(arguments, context).await,
		Command::Parameters(arguments) => parameters::run(arguments, context).await,
		Command::Tracks => tracks(context).await,
		Command::Deposit(arguments) => claims::deposit(arguments, context).await,
		Command::Refund(arguments) => claims::refund(arguments, context).await,
		Command::Payout(arguments) => claims::payout(arguments, context).await,
		Command::ApplyUpgrade(arguments) => claims::apply_upgrade(arguments, context).await,
	}
}

/// What to say of a referendum that the chain does not know.
fn unknown(referendum: u32) -> String {
	format!("the chain knows no referendum {referendum}: tensornet gov status lists all")
}

/// A track by its name or number.
fn track<'a>(tracks: &'a [Track], name: &str) -> Result<&'a Track> {
	tracks.iter().find(|track| track.name == name || track.id.to_string() == name).with_context(
		|| {
			let known: Vec<&str> = tracks.iter().map(|track| track.name.as_str()).collect();
			format!("no track '{name}': this chain has {}", known.join(", "))
		},
	)
}

/// A track as it is shown; periods in blocks.
#[derive(Serialize)]
struct Shown {
	track: String,
	number: u16,
	decision_deposit: String,
	prepare_blocks: u32,
	decision_blocks: u32,
	confirm_blocks: u32,
	enactment_blocks: u32,
}

async fn tracks(context: &Context) -> Result<()> {
	let at = context.connect().await?.best().await?;
	let block = block_milliseconds(&at)?;
	let shown = |track: Track| Shown {
		track: track.name,
		number: track.id,
		decision_deposit: tna(track.decision_deposit),
		prepare_blocks: track.prepare_period,
		decision_blocks: track.decision_period,
		confirm_blocks: track.confirm_period,
		enactment_blocks: track.min_enactment_period,
	};
	let tracks: Vec<Shown> = referenda::tracks(&at)?.into_iter().map(shown).collect();
	let table = |tracks: &[Shown]| {
		let head =
			["TRACK", "NUMBER", "DEPOSIT", "PREPARES", "DECIDES", "CONFIRMS", "ENACTS AFTER"];
		let mut table = Table::new(&head).right(&[1, 2, 3, 4, 5, 6]);
		for track in tracks {
			let blocks = |blocks: u32| span(blocks.into(), block);
			table.row([
				track.track.clone(),
				track.number.to_string(),
				track.decision_deposit.clone(),
				blocks(track.prepare_blocks),
				blocks(track.decision_blocks),
				blocks(track.confirm_blocks),
				blocks(track.enactment_blocks),
			]);
		}
		table
	};
	context.output.list(&tracks, table, "this chain has no tracks")
}
