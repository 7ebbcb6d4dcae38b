// SPDX-License-Identifier: Apache-2.0

//! `tensornet sponsor` and `lineage`: the consensus chain.

use anyhow::{ensure, Context as _, Result};
use clap::{Args, Subcommand};
use serde::Serialize;
use std::fmt;
use tensornet_client::{
	calls::staking as calls,
	staking::{self, Contributions},
	AccountId, Snapshot,
};

use crate::{
	commands::balance::Account,
	output::{address, tna, Facts},
	signing::{Effect, Signing},
	Context,
};

/// Arguments of `tensornet sponsor`.
#[derive(Args)]
#[command(
	after_help = "A sponsor is named once and for good. A part of the consensus-chain fee of jobs that you compute, post\nor wrote the program of passes to it, and on to its own sponsors, six degrees far.\n\nExample:\n  tensornet sponsor 5F… --key ~/.tensornet-key --dry-run"
)]
pub struct SponsorArgs {
	/// The sponsor: SS58 address, or 0x and 64 hexadecimal digits.
	#[arg(value_name = "ACCOUNT")]
	sponsor: Account,
	#[command(flatten)]
	signing: Signing,
}

/// Look at the consensus chain, join it, and leave it.
#[derive(Subcommand)]
pub enum Command {
	/// What an account contributed, what that weighs, and who its ancestors are.
	Show {
		/// SS58 address, or 0x and 64 hexadecimal digits.
		#[arg(value_name = "ACCOUNT")]
		account: Account,
	},
	/// Join without a sponsor, so that others can name you as theirs.
	Join {
		#[command(flatten)]
		signing: Signing,
	},
	/// Leave. The deposit comes back; an active member cannot leave.
	Leave {
		#[command(flatten)]
		signing: Signing,
	},
}

/// `tensornet sponsor`.
pub async fn sponsor(arguments: SponsorArgs, context: &Context) -> Result<()> {
	let SponsorArgs { sponsor: Account(sponsor), signing } = arguments;
	let signer = signing.signer()?.account();
	ensure!(sponsor != signer, "nobody sponsors oneself");
	let chain = context.connect().await?;
	let at = chain.best().await?;
	ensure!(
		staking::member(&at, &sponsor).await?.is_some(),
		"{} has not joined: tensornet lineage join comes first, by its own key",
		address(&sponsor)
	);
	let own = staking::member(&at, &signer).await?;
	if let Some(known) = own.and_then(|member| member.sponsor) {
		anyhow::bail!("{} has named {} for good", address(&signer), address(&known.account));
	}
	let join = if own.is_some() { "" } else { ", and join with a deposit" };
	let effect = format!("name {} as your sponsor for good{join}", address(&sponsor));
	let call = calls::set_sponsor(sponsor);
	context.output.one(&signing.send(context, &chain, &call, effect).await?)
}

/// Runs a command of this group.
pub async fn run(command: Command, context: &Context) -> Result<()> {
	match command {
		Command::Show { account: Account(account) } => {
			let at = context.connect().await?.best().await?;
			context.output.one(&View::new(&at, &account).await?)
		}
		Command::Join { signing } => {
			let signer = signing.signer()?.account();
			let chain = context.connect().await?;
			let at = chain.best().await?;
			ensure!(
				staking::member(&at, &signer).await?.is_none(),
				"{} has joined already",
				address(&signer)
			);
			let effect = "join the consensus chain with a deposit, which comes back when you leave";
			let call = calls::join_consensus_chain();
			context.output.one(&signing.send(context, &chain, &call, effect).await?)
		}
		Command::Leave { signing } => {
			let signer = signing.signer()?.account();
			let chain = context.connect().await?;
			let at = chain.best().await?;
			let member = staking::member(&at, &signer)
				.await?
				.with_context(|| format!("{} has not joined", address(&signer)))?;
			let effect = Effect::from("leave the consensus chain").releasing(member.deposit);
			let call = calls::leave_consensus_chain();
			context.output.one(&signing.send(context, &chain, &call, effect).await?)
		}
	}
}

/// An account's place in the consensus chain.
#[derive(Serialize)]
struct View {
	account: String,
	/// How many joined before it, if it has.
	member: Option<u64>,
	sponsor: Option<String>,
	/// What its contributions weigh in the current era.
	weight: String,
	/// What it contributed, by role; decayed to the current era.
	as_node: String,
	as_developer: String,
	as_investor: String,
	as_user: String,
	ancestors: Vec<Ancestor>,
	block: u64,
}

/// An ancestor as it is shown.
#[derive(Serialize)]
struct Ancestor {
	degree: u32,
	account: String,
	weight: String,
	/// Whether it would receive a share now.
	active: bool,
}

impl View {
	async fn new(at: &Snapshot, account: &AccountId) -> Result<Self> {
		let member = staking::member(at, account).await?;
		let Contributions { node, developer, investor, user } =
			staking::contributions(at, account).await?;
		let ancestors = staking::lineage(at, account).await?;
		Ok(Self {
			account: address(account),
			member: member.map(|member| member.number),
			sponsor: member.and_then(|member| member.sponsor).map(|one| address(&one.account)),
			weight: tna(staking::weight(at, account).await?),
			as_node: tna(node),
			as_developer: tna(developer),
			as_investor: tna(investor),
			as_user: tna(user),
			ancestors: ancestors
				.iter()
				.map(|one| Ancestor {
					degree: one.degree,
					account: address(&one.account),
					weight: tna(one.weight),
					active: one.active,
				})
				.collect(),
			block: at.number(),
		})
	}
}

impl fmt::Display for View {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		let amount = |amount: &String| format!("{amount} TNA");
		let member = match self.member {
			Some(number) => format!("number {number}"),
			None => "has not joined".into(),
		};
		let mut facts = Facts::new()
			.line("account", &self.account)
			.line("member", member)
			.maybe("sponsor", self.sponsor.as_ref())
			.line("weight", amount(&self.weight))
			.line("as node", amount(&self.as_node))
			.line("as developer", amount(&self.as_developer))
			.line("as investor", amount(&self.as_investor))
			.line("as user", amount(&self.as_user));
		for Ancestor { degree, account, weight, active } in &self.ancestors {
			let active = if *active { "active" } else { "not active" };
			facts = facts
				.line(&format!("degree {degree}"), format!("{account}, {weight} TNA, {active}"));
		}
		write!(f, "{}", facts.line("at block", self.block))
	}
}
