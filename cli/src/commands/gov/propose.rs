// SPDX-License-Identifier: Apache-2.0

//! `tensornet gov propose`: starting a referendum about any change.

use anyhow::{bail, ensure, Context as _, Result};
use clap::{ArgGroup, Args, ValueEnum};
use serde::Serialize;
use std::{fmt, path::PathBuf, str::FromStr};
use tensornet_client::{
	calls::{
		governance::{self as calls, Proposal, INLINE},
		staking,
	},
	dynamic::blake2_256,
	keys::address,
	referenda::{self, Track},
	Root, Snapshot, Tna,
};
use tensornet_protocol::{BIG_SPEND, SMALL_SPEND};

use super::{
	parameters::{block_milliseconds, span, Change},
	track,
};
use crate::{
	commands::balance::Account,
	output::tna_text,
	signing::{event_index, Effect, Sent, Signing},
	Context,
};

/// Arguments of `tensornet gov propose`.
#[derive(Args)]
#[command(group(ArgGroup::new("what").required(true).multiple(false)))]
#[command(after_help = "\
Examples:
  Burn a larger share of what jobs pay
      tensornet gov propose --set shares.JobBurn=12% --key ~/.tensornet-key --dry-run

  Pay for work from the treasury
      tensornet gov propose --spend 2500 --to 5F… --key ~/.tensornet-key

  Let a new runtime in
      tensornet gov propose --authorize-upgrade tensornet_runtime.compact.compressed.wasm --key …

One transaction notes the proposal, submits the referendum on the track with the least power that it
takes, and puts down the decision deposit. Both deposits come back when it has ended, unless it is
killed: tensornet gov refund.")]
pub struct Propose {
	/// Set a protocol parameter, or return it to its default; several times to change them together.
	#[arg(long, value_name = "NAME=VALUE|NAME=default", group = "what")]
	set: Vec<Change>,
	/// Pay so much TNA from the treasury, to --to.
	#[arg(long, value_name = "TNA", group = "what", requires = "to")]
	spend: Option<Tna>,
	/// Who is paid by --spend.
	#[arg(long, value_name = "ACCOUNT", requires = "spend")]
	to: Option<Account>,
	/// Let anybody install this runtime, if it is a later version of this chain's.
	#[arg(long, value_name = "FILE", group = "what")]
	authorize_upgrade: Option<PathBuf>,
	/// Let the call with this hash, or with these bytes, be decided on the whitelisted track.
	#[arg(long, value_name = "0xHASH|0xCALL", group = "what")]
	whitelist: Option<Bytes>,
	/// Carry out a whitelisted call with the power of root.
	#[arg(long, value_name = "0xCALL", group = "what")]
	whitelisted: Option<Bytes>,
	/// Let an applicant attest as a registrar.
	#[arg(long, value_name = "ACCOUNT", group = "what")]
	appoint: Option<Account>,
	/// Remove a registrar and give its deposit back.
	#[arg(long, value_name = "ACCOUNT", group = "what")]
	dismiss: Option<Account>,
	/// Bar an account from new business, for the published reason in --reason.
	#[arg(long, value_name = "ACCOUNT", group = "what", requires = "reason")]
	sanction: Option<Account>,
	/// The published reason of --sanction: its hash goes on chain.
	#[arg(long, value_name = "FILE", requires = "sanction")]
	reason: Option<PathBuf>,
	/// Let an account that was barred enter business again.
	#[arg(long, value_name = "ACCOUNT", group = "what")]
	lift: Option<Account>,
	/// Stop one call, such as Escrow.submit_job.
	#[arg(long, value_name = "PALLET.CALL", group = "what")]
	pause: Option<CallName>,
	/// Resume a call that was paused.
	#[arg(long, value_name = "PALLET.CALL", group = "what")]
	resume: Option<CallName>,
	/// Stop ordinary business for a day, or end that.
	#[arg(long, value_name = "ON|OFF", group = "what")]
	safe_mode: Option<Switch>,
	/// Cancel a decided slash of a node: its owner and the slash's number.
	#[arg(long, value_name = "NODE:SLASH", group = "what")]
	cancel_node_slash: Option<NodeSlash>,
	/// Cancel a slash of a validator that waits.
	#[arg(long, value_name = "SLASH", group = "what")]
	cancel_validator_slash: Option<u32>,
	/// End another referendum; its deposits come back.
	#[arg(long, value_name = "REFERENDUM", group = "what")]
	cancel: Option<u32>,
	/// End another referendum; its deposits go to the treasury.
	#[arg(long, value_name = "REFERENDUM", group = "what")]
	kill: Option<u32>,
	/// Any call, as bytes: --dry-run of any command shows them, and so do other wallets.
	#[arg(long, value_name = "0xCALL", group = "what")]
	call: Option<Bytes>,
	/// Decide it on this track instead of the one with the least power that it takes.
	#[arg(long, value_name = "TRACK")]
	track: Option<String>,
	/// Carry it out so many blocks after its approval, if that is later than its track does.
	#[arg(long, value_name = "BLOCKS", default_value_t = 1)]
	after: u32,
	/// Leave the decision deposit to somebody else: without it nothing is decided.
	#[arg(long)]
	no_deposit: bool,
	#[command(flatten)]
	signing: Signing,
}

/// Bytes as an argument: `0x` and hexadecimal digits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bytes(pub Vec<u8>);

impl FromStr for Bytes {
	type Err = String;

	fn from_str(text: &str) -> Result<Self, String> {
		text.strip_prefix("0x")
			.and_then(|digits| hex::decode(digits).ok())
			.filter(|bytes| !bytes.is_empty())
			.map(Self)
			.ok_or_else(|| "write 0x and pairs of hexadecimal digits".into())
	}
}

/// A call's name as an argument: `Pallet.call`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallName {
	pallet: String,
	call: String,
}

impl FromStr for CallName {
	type Err = String;

	fn from_str(text: &str) -> Result<Self, String> {
		match text.split_once('.') {
			Some((pallet, call)) if !pallet.is_empty() && !call.is_empty() => {
				Ok(Self { pallet: pallet.into(), call: call.into() })
			}
			_ => Err("write a pallet and a call, such as Escrow.submit_job".into()),
		}
	}
}

/// A slash of a node as an argument.
#[derive(Clone, Debug)]
pub struct NodeSlash {
	node: Account,
	slash: u32,
}

impl FromStr for NodeSlash {
	type Err = String;

	fn from_str(text: &str) -> Result<Self, String> {
		let (node, slash) = text
			.rsplit_once(':')
			.ok_or("write the node's owner and the slash's number, such as 5F…:3")?;
		let slash = slash.parse().map_err(|_| format!("'{slash}' is not a number of a slash"))?;
		Ok(Self { node: node.parse()?, slash })
	}
}

/// Whether something is to be on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Switch {
	/// On.
	On,
	/// Off.
	Off,
}

/// What is proposed.
struct Proposed {
	/// The encoded call.
	call: Vec<u8>,
	/// What it does.
	words: String,
	/// Name of the track with the least power that it takes.
	track: &'static str,
}

/// A referendum that was started.
#[derive(Serialize)]
struct Started {
	/// Its number; of a dry run, the one it would get now.
	referendum: u32,
	/// Name of the track.
	track: String,
	/// BLAKE2-256 of the proposed call.
	proposal_hash: String,
	transaction: Sent,
}

impl fmt::Display for Started {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		writeln!(f, "referendum: {}", self.referendum)?;
		write!(f, "{}", self.transaction)?;
		if !self.transaction.dry_run {
			writeln!(f, "Vote on it with: tensornet gov vote {} aye TNA", self.referendum)?;
		}
		Ok(())
	}
}

/// `tensornet gov propose`.
pub async fn run(arguments: Propose, context: &Context) -> Result<()> {
	arguments.signing.signer()?;
	let files = Files::read(&arguments)?;
	let chain = context.connect().await?;
	let at = chain.best().await?;
	let proposed = proposal(&arguments, files, &at).await?;
	let tracks = referenda::tracks(&at)?;
	let track = track(&tracks, arguments.track.as_deref().unwrap_or(proposed.track))?;
	let number = referenda::next_referendum(&at).await?;
	let hash = blake2_256(&proposed.call);
	let mut calls = Vec::new();
	let reference = if proposed.call.len() <= INLINE {
		Proposal::Inline(proposed.call.clone())
	} else {
		if !referenda::is_noted(&at, hash).await? {
			calls.push(at.encoded(&calls::note_preimage(proposed.call.clone()))?);
		}
		Proposal::Lookup { hash, len: u32::try_from(proposed.call.len())? }
	};
	let origin = referenda::origin_of(&at, &track.name)?;
	calls.push(at.encoded(&calls::submit_referendum(origin, reference, arguments.after))?);
	let mut holds = referenda::submission_deposit(&at)?;
	if !arguments.no_deposit {
		calls.push(at.encoded(&calls::place_decision_deposit(number))?);
		holds = holds.saturating_add(track.decision_deposit);
	}
	let effect = Effect::from(describe(&proposed, track, number, &at)?).holding(holds);
	let sent = arguments.signing.send(context, &chain, &calls::batch_all(&calls), effect).await?;
	let referendum = match &sent.receipt {
		Some(receipt) => event_index(receipt, "Referenda.Submitted")
			.context("the chain did not say which referendum it is")?,
		None => number,
	};
	if referendum != number && !arguments.no_deposit {
		eprintln!(
			"note: somebody else's referendum came first and is {number}: the decision deposit went \
			 there, and comes back with tensornet gov refund {number} once it has ended. Referendum \
			 {referendum} still needs its own: tensornet gov deposit {referendum}"
		);
	}
	context.output.one(&Started {
		referendum,
		track: track.name.clone(),
		proposal_hash: crate::output::root(&hash),
		transaction: sent,
	})
}

/// Files of the arguments, read before the chain is asked.
#[derive(Default)]
struct Files {
	code: Vec<u8>,
	reason: Vec<u8>,
}

impl Files {
	fn read(arguments: &Propose) -> Result<Self> {
		let read = |path: &Option<PathBuf>| match path {
			Some(path) => {
				std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))
			}
			None => Ok(Vec::new()),
		};
		let files =
			Self { code: read(&arguments.authorize_upgrade)?, reason: read(&arguments.reason)? };
		if let Some(path) = &arguments.authorize_upgrade {
			ensure!(is_runtime(&files.code), "{} is no runtime: not WASM", path.display());
		}
		Ok(files)
	}
}

/// Whether bytes begin as WASM does, or as WASM that the chain's tools have compressed.
pub fn is_runtime(code: &[u8]) -> bool {
	/// What compressed runtimes begin with, as the SDK defines it.
	const COMPRESSED: [u8; 8] = [0x52, 0xbc, 0x53, 0x76, 0x46, 0xdb, 0x8e, 0x05];
	code.starts_with(b"\0asm") || code.starts_with(&COMPRESSED)
}

fn describe(proposed: &Proposed, track: &Track, number: u32, at: &Snapshot) -> Result<String> {
	let block = block_milliseconds(at)?;
	let blocks = |blocks: u32| span(blocks.into(), block);
	Ok(format!(
		"propose to {}, as referendum {number} on track {}: decided within {} after {}, carried out \
		 at least {} after it has held its majority for {}",
		proposed.words,
		track.name,
		blocks(track.decision_period),
		blocks(track.prepare_period),
		blocks(track.min_enactment_period),
		blocks(track.confirm_period)
	))
}

async fn proposal(arguments: &Propose, files: Files, at: &Snapshot) -> Result<Proposed> {
	let of = |call: tensornet_client::calls::Call, words: String| -> Result<Proposed> {
		let track = referenda::track_of(call.pallet(), call.name());
		Ok(Proposed { call: at.encoded(&call)?, words, track })
	};
	let who = |account: &Account| address(&account.0);
	if !arguments.set.is_empty() {
		return changes(&arguments.set, at).await;
	}
	if let (Some(Tna(amount)), Some(to)) = (arguments.spend, &arguments.to) {
		let words = format!("pay {} from the treasury to {}", tna_text(amount), who(to));
		let call = at.encoded(&calls::treasury_spend(amount, to.0))?;
		return Ok(Proposed { call, words, track: spend_track(amount) });
	}
	if arguments.authorize_upgrade.is_some() {
		let hash = blake2_256(&files.code);
		let words = format!("let the runtime {} in", crate::output::root(&hash));
		return of(calls::authorize_upgrade(hash), words);
	}
	if let Some(Bytes(bytes)) = &arguments.whitelist {
		let hash = match Root::try_from(bytes.as_slice()) {
			Ok(hash) => hash,
			Err(_) => {
				at.decoded(bytes)?;
				blake2_256(bytes)
			}
		};
		let words = format!("whitelist the call {}", crate::output::root(&hash));
		return of(calls::whitelist_call(hash), words);
	}
	if let Some(Bytes(bytes)) = &arguments.whitelisted {
		let words = format!("carry out with root's power {}", at.decoded(bytes)?);
		return of(calls::dispatch_whitelisted(bytes.clone()), words);
	}
	if let Some(account) = &arguments.appoint {
		let words = format!("let {} attest", who(account));
		return of(calls::appoint_registrar(account.0), words);
	}
	if let Some(account) = &arguments.dismiss {
		let words = format!("dismiss the registrar {}", who(account));
		return of(calls::dismiss_registrar(account.0, 0), words);
	}
	if let Some(account) = &arguments.sanction {
		let reason = blake2_256(&files.reason);
		let words = format!("bar {} from new business", who(account));
		return of(calls::sanction(account.0, reason), words);
	}
	if let Some(account) = &arguments.lift {
		let words = format!("let {} enter business again", who(account));
		return of(calls::lift_sanction(account.0), words);
	}
	if let Some(CallName { pallet, call }) = &arguments.pause {
		ensure!(at.has_call(pallet, call), "this chain has no call {pallet}.{call}");
		return of(calls::pause_call(pallet, call), format!("pause {pallet}.{call}"));
	}
	if let Some(CallName { pallet, call }) = &arguments.resume {
		return of(calls::unpause_call(pallet, call), format!("resume {pallet}.{call}"));
	}
	if let Some(switch) = arguments.safe_mode {
		return match switch {
			Switch::On => of(calls::enter_safe_mode(), "stop ordinary business for a day".into()),
			Switch::Off => of(calls::exit_safe_mode(), "end safe mode".into()),
		};
	}
	if let Some(NodeSlash { node, slash }) = &arguments.cancel_node_slash {
		let words = format!("cancel slash {slash} of the node of {}", who(node));
		return of(staking::cancel_node_slash(node.0, *slash), words);
	}
	if let Some(slash) = arguments.cancel_validator_slash {
		let words = format!("cancel slash {slash} of a validator");
		return of(staking::cancel_validator_slash(slash), words);
	}
	if let Some(number) = arguments.cancel {
		return of(calls::cancel_referendum(number), format!("cancel referendum {number}"));
	}
	if let Some(number) = arguments.kill {
		return of(calls::kill_referendum(number), format!("kill referendum {number}"));
	}
	if let Some(Bytes(bytes)) = &arguments.call {
		let call = at.decoded(bytes)?;
		let track = referenda::track_of(&call.pallet, &call.name);
		return Ok(Proposed { call: bytes.clone(), words: call.to_string(), track });
	}
	bail!("nothing to propose: tensornet gov propose --help lists what can be")
}

/// Several parameters change in one batch, or none of them.
async fn changes(changes: &[Change], at: &Snapshot) -> Result<Proposed> {
	let all = referenda::parameters(at).await?;
	let mut encoded = Vec::new();
	let mut words = Vec::new();
	for change in changes {
		let (call, what) = change.call(at, &all)?;
		encoded.push(call);
		words.push(what);
	}
	let call = match encoded.as_slice() {
		[only] => only.clone(),
		_ => at.encoded(&calls::batch_all(&encoded))?,
	};
	Ok(Proposed { call, words: words.join(" and "), track: "parameters" })
}

/// The track with the least power that may spend so much.
fn spend_track(amount: u128) -> &'static str {
	if amount <= SMALL_SPEND {
		"small_spender"
	} else if amount <= BIG_SPEND {
		"big_spender"
	} else {
		"root"
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn a_spend_goes_to_the_smallest_track_that_may_make_it() {
		assert_eq!(spend_track(1), "small_spender");
		assert_eq!(spend_track(SMALL_SPEND), "small_spender");
		assert_eq!(spend_track(SMALL_SPEND + 1), "big_spender");
		assert_eq!(spend_track(BIG_SPEND + 1), "root");
	}

	#[test]
	fn bytes_and_names_of_calls_are_parsed_strictly() {
		assert_eq!("0x0aff".parse::<Bytes>().unwrap().0, [10, 255]);
		for bad in ["", "0x", "0x0", "0aff", "0xgg"] {
			assert!(bad.parse::<Bytes>().is_err(), "{bad}");
		}
		assert!("Escrow.submit_job".parse::<CallName>().is_ok());
		for bad in ["Escrow", ".submit_job", "Escrow."] {
			assert!(bad.parse::<CallName>().is_err(), "{bad}");
		}
	}

	#[test]
	fn only_wasm_is_a_runtime() {
		assert!(is_runtime(b"\0asm\x01"));
		assert!(is_runtime(&[0x52, 0xbc, 0x53, 0x76, 0x46, 0xdb, 0x8e, 0x05, 9]));
		assert!(!is_runtime(b"#!/bin/sh"));
		assert!(!is_runtime(b""));
	}
}
