// SPDX-License-Identifier: Apache-2.0

//! `tensornet validator`: standing for election, session keys, and the bond of a validator.

use anyhow::{bail, ensure, Context as _, Result};
use clap::{Args, Subcommand};
use serde::Serialize;
use std::fmt;
use tensornet_client::{
	calls::{staking as calls, Call},
	funds,
	staking::{self, CandidateStanding, Ledger},
	AccountId, Chain, Snapshot, Tna,
};

use crate::{
	commands::{
		balance::Account,
		gov::{
			parameters::{block_milliseconds, span},
			propose::Bytes,
		},
	},
	output::{address, tna, tna_text, Facts, Table},
	signing::{Effect, Signing},
	Context,
};

/// Stand for election as a validator, and look after its keys and bond.
#[derive(Subcommand)]
pub enum Command {
	/// Make the session keys of your node yours on chain.
	///
	/// Without --keys the node that --chain names makes new ones, which it does only for a connection
	/// from its own machine.
	#[command(
		after_help = "Example, on the validator's own machine:\n  tensornet validator set-keys --key stash.key"
	)]
	SetKeys(SetKeys),
	/// Bond TNA and stand for election from the next era on.
	#[command(
		after_help = "Example:\n  tensornet validator register 50000 --key stash.key --dry-run"
	)]
	Register {
		/// The bond, in TNA.
		#[arg(value_name = "TNA")]
		bond: Tna,
		#[command(flatten)]
		signing: Signing,
	},
	/// Add to your bond. The candidates with the most are elected.
	Bond {
		/// How much more, in TNA.
		#[arg(value_name = "TNA")]
		amount: Tna,
		#[command(flatten)]
		signing: Signing,
	},
	/// Start to take a part of your bond out.
	Unbond {
		/// How much, in TNA.
		#[arg(value_name = "TNA")]
		amount: Tna,
		#[command(flatten)]
		signing: Signing,
	},
	/// Free everything that has unlocked.
	Withdraw {
		#[command(flatten)]
		signing: Signing,
	},
	/// Stand no more, and keep the bond. An elected validator has to author to the end of its era.
	Chill {
		#[command(flatten)]
		signing: Signing,
	},
	/// Stand for election again.
	Stand {
		#[command(flatten)]
		signing: Signing,
	},
	/// Stand no more, and unbond everything.
	Leave {
		#[command(flatten)]
		signing: Signing,
	},
	/// One candidate or validator.
	Show {
		/// Its stash: SS58 address, or 0x and 64 hexadecimal digits.
		#[arg(value_name = "ACCOUNT")]
		account: Account,
	},
	/// All candidates, in the order in which an election now would take them.
	List,
}

/// Arguments of `tensornet validator set-keys`.
#[derive(Args)]
pub struct SetKeys {
	/// Session keys that the node has made already: 0x and hexadecimal digits.
	#[arg(long, value_name = "0xKEYS", requires = "proof")]
	keys: Option<Bytes>,
	/// The node's proof that it has them.
	#[arg(long, value_name = "0xPROOF", requires = "keys")]
	proof: Option<Bytes>,
	#[command(flatten)]
	signing: Signing,
}

/// Runs a command of this group.
pub async fn run(command: Command, context: &Context) -> Result<()> {
	match command {
		Command::SetKeys(arguments) => set_keys(arguments, context).await,
		Command::Register { bond: Tna(bond), signing } => register(bond, signing, context).await,
		Command::Bond { amount: Tna(amount), signing } => {
			let (chain, _, ledger) = own(&signing, context).await?;
			let bond = ledger.bond.saturating_add(amount);
			let effect = format!("raise the bond to {}", tna_text(bond));
			let effect = Effect::from(effect).holding(amount);
			send(&calls::validator_bond_more(amount), effect, &chain, &signing, context).await
		}
		Command::Unbond { amount: Tna(amount), signing } => {
			let (chain, at, ledger) = own(&signing, context).await?;
			let left = ledger.bond.checked_sub(amount).with_context(|| {
				format!("the bond is {}: {} is more", tna_text(ledger.bond), tna_text(amount))
			})?;
			let effect = format!(
				"take {} out of the bond, which leaves {}; it can be withdrawn in {}",
				tna_text(amount),
				tna_text(left),
				unbonding(&at)?
			);
			send(&calls::validator_unbond(amount), effect, &chain, &signing, context).await
		}
		Command::Withdraw { signing } => {
			let (chain, at, ledger) = own(&signing, context).await?;
			let amount = ledger.unlocked(at.number().saturating_add(1));
			if amount == 0 {
				match ledger.unbonding.first() {
					Some(next) => bail!(
						"nothing is unlocked yet: {} will be at block {}, and it is block {} now",
						tna_text(next.amount),
						next.unlock_at,
						at.number()
					),
					None => bail!("nothing unbonds: tensornet validator unbond begins that"),
				}
			}
			let effect = Effect::from("free what has unbonded").releasing(amount);
			send(&calls::validator_withdraw(), effect, &chain, &signing, context).await
		}
		Command::Chill { signing } => {
			let (chain, _, ledger) = own(&signing, context).await?;
			ensure!(
				ledger.standing == CandidateStanding::Candidate,
				"it does not stand for election now"
			);
			let effect = "stand for no more elections; the bond stays";
			send(&calls::validator_chill(), effect, &chain, &signing, context).await
		}
		Command::Stand { signing } => {
			let (chain, at, ledger) = own(&signing, context).await?;
			if let Some(jail) = ledger.jail {
				let era = staking::era(&at).await?.index;
				ensure!(
					jail.until <= era,
					"it may stand again from era {} on, and it is era {era} now",
					jail.until
				);
			}
			let effect = "stand for election again";
			send(&calls::validator_stand(), effect, &chain, &signing, context).await
		}
		Command::Leave { signing } => {
			let (chain, at, ledger) = own(&signing, context).await?;
			let effect = format!(
				"stand for no more elections and unbond {}, which can be withdrawn in {}",
				tna_text(ledger.bond),
				unbonding(&at)?
			);
			send(&calls::validator_leave(), effect, &chain, &signing, context).await
		}
		Command::Show { account: Account(account) } => {
			let at = context.connect().await?.best().await?;
			context.output.one(&View::new(&at, &account).await?)
		}
		Command::List => list(context).await,
	}
}

async fn send(
	call: &Call,
	effect: impl Into<Effect>,
	chain: &Chain,
	signing: &Signing,
	context: &Context,
) -> Result<()> {
	context.output.one(&signing.send(context, chain, call, effect).await?)
}

fn unbonding(at: &Snapshot) -> Result<String> {
	let period = staking::unbonding_period(at, "Validators")?;
	Ok(span(period.into(), block_milliseconds(at)?))
}

/// The chain, its best block, and what is held for the signing stash there.
async fn own(signing: &Signing, context: &Context) -> Result<(Chain, Snapshot, Ledger)> {
	let stash = signing.signer()?.account();
	let chain = context.connect().await?;
	let at = chain.best().await?;
	let ledger = staking::ledger(&at, &stash).await?.with_context(|| {
		format!("{} is no candidate: tensornet validator register begins that", address(&stash))
	})?;
	Ok((chain, at, ledger))
}

async fn register(bond: u128, signing: Signing, context: &Context) -> Result<()> {
	let stash = signing.signer()?.account();
	let chain = context.connect().await?;
	let at = chain.best().await?;
	let ledger = staking::ledger(&at, &stash).await?;
	ensure!(
		ledger.is_none_or(|ledger| ledger.standing == CandidateStanding::Leaving),
		"{} has a bond already: tensornet validator stand, or bond",
		address(&stash)
	);
	let free = funds::balance(&at, &stash).await?.free;
	ensure!(
		free > bond,
		"{} has {} free, less than the bond and a fee",
		address(&stash),
		tna_text(free)
	);
	let effect =
		"stand for election from the next era on; tensornet validator set-keys comes first";
	let effect = Effect::from(effect).holding(bond);
	send(&calls::register_candidate(bond), effect, &chain, &signing, context).await
}

async fn set_keys(arguments: SetKeys, context: &Context) -> Result<()> {
	let SetKeys { keys, proof, signing } = arguments;
	let stash = signing.signer()?.account();
	let chain = context.connect().await?;
	let (keys, proof) = match (keys, proof) {
		(Some(Bytes(keys)), Some(Bytes(proof))) => (keys, proof),
		_ if signing.dry_run => bail!(
			"a dry run makes no keys: give those of the node with --keys and --proof \
			 (author_rotateKeysWithOwner of its JSON-RPC)"
		),
		_ => chain.rotate_keys(&stash).await.context(
			"the node makes no keys for us: run this on its own machine, or give --keys and --proof",
		)?,
	};
	let effect = format!("let {} sign blocks with the session keys of this node", address(&stash));
	send(&calls::set_session_keys(&keys, &proof), effect, &chain, &signing, context).await
}

/// A candidate or validator as it is shown.
#[derive(Serialize)]
struct View {
	account: String,
	/// Whether it authors and finalizes blocks now.
	validating: bool,
	/// Whether an election now would take it.
	next: bool,
	standing: &'static str,
	bond: String,
	/// Parts of the bond on their way out, soonest first.
	unbonding: Vec<Unbonding>,
	/// The first era in which it may stand again, after a fault.
	jailed_until_era: Option<u32>,
	/// Slashes that wait.
	pending_slashes: u32,
	era: u32,
}

/// A part of a bond on its way out.
#[derive(Serialize)]
struct Unbonding {
	amount: String,
	unlock_at: u32,
}

impl View {
	async fn new(at: &Snapshot, account: &AccountId) -> Result<Self> {
		let ledger = staking::ledger(at, account).await?;
		let validating = staking::validators(at).await?.contains(account);
		ensure!(
			ledger.is_some() || validating,
			"{} is neither candidate nor validator: tensornet validator list shows all",
			address(account)
		);
		let unbonding = ledger.iter().flat_map(|ledger| &ledger.unbonding);
		Ok(Self {
			account: address(account),
			validating,
			next: staking::next_validators(at).await?.contains(account),
			standing: match ledger.as_ref().map(|ledger| ledger.standing) {
				Some(CandidateStanding::Candidate) => "candidate",
				Some(CandidateStanding::Resting) => "resting",
				Some(CandidateStanding::Leaving) => "leaving",
				None => "without a bond",
			},
			bond: tna(ledger.as_ref().map_or(0, |ledger| ledger.bond)),
			unbonding: unbonding
				.map(|chunk| Unbonding { amount: tna(chunk.amount), unlock_at: chunk.unlock_at })
				.collect(),
			jailed_until_era: ledger.as_ref().and_then(|ledger| ledger.jail).map(|jail| jail.until),
			pending_slashes: ledger.as_ref().map_or(0, |ledger| ledger.pending),
			era: staking::era(at).await?.index,
		})
	}
}

impl fmt::Display for View {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		let yes = |is| if is { "yes" } else { "no" };
		let unbonding: Vec<String> = self
			.unbonding
			.iter()
			.map(|chunk| format!("{} TNA until block {}", chunk.amount, chunk.unlock_at))
			.collect();
		let facts = Facts::new()
			.line("account", &self.account)
			.line("validating", yes(self.validating))
			.line("elected next", yes(self.next))
			.line("standing", self.standing)
			.line("bond", format!("{} TNA", self.bond))
			.maybe("unbonding", (!unbonding.is_empty()).then(|| unbonding.join(", ")))
			.maybe("in jail", self.jailed_until_era.map(|era| format!("until era {era}")))
			.maybe("slashes waiting", (self.pending_slashes > 0).then_some(self.pending_slashes))
			.line("era", self.era);
		write!(f, "{facts}")
	}
}

/// A candidate in the list.
#[derive(Serialize)]
struct Row {
	account: String,
	validating: bool,
	next: bool,
	bond: String,
	boost: String,
	score: String,
	eligible: bool,
}

async fn list(context: &Context) -> Result<()> {
	let at = context.connect().await?.best().await?;
	let now = staking::validators(&at).await?;
	let next = staking::next_validators(&at).await?;
	let rows: Vec<Row> = staking::candidates(&at)
		.await?
		.iter()
		.map(|one| Row {
			account: address(&one.stash),
			validating: now.contains(&one.stash),
			next: next.contains(&one.stash),
			bond: tna(one.stake),
			boost: tna(one.boost),
			score: tna(one.score),
			eligible: one.eligible,
		})
		.collect();
	let table = |rows: &[Row]| {
		let head = ["CANDIDATE", "NOW", "NEXT", "BOND", "BOOST", "SCORE"];
		let mut table = Table::new(&head).right(&[3, 4, 5]);
		for row in rows {
			let yes = |is| if is { "yes" } else { "-" };
			table.row([
				row.account.clone(),
				yes(row.validating).into(),
				if row.eligible { yes(row.next).into() } else { "not eligible".into() },
				row.bond.clone(),
				row.boost.clone(),
				row.score.clone(),
			]);
		}
		table
	};
	context.output.list(&rows, table, "nobody stands for election")
}
