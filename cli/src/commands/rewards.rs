// SPDX-License-Identifier: Apache-2.0

//! `tensornet rewards`: what an account earned, and collecting it.

use anyhow::{ensure, Result};
use clap::{Args, Subcommand};
use serde::Serialize;
use std::fmt;
use tensornet_client::{
	calls::{governance::batch_all, staking as calls, Call},
	staking::{self, Earned},
	AccountId, Snapshot,
};

use crate::{
	commands::balance::Account,
	output::{address, tna, Facts},
	signing::Signing,
	Context,
};

/// The most calls that one transaction collects with; what is left takes another one.
const MOST_CLAIMS: usize = 32;

/// What an account earned, and collecting it.
#[derive(Subcommand)]
pub enum Command {
	/// What an account earned with its node, by backing nodes, and by validating.
	Show {
		/// SS58 address, or 0x and 64 hexadecimal digits.
		#[arg(value_name = "ACCOUNT")]
		account: Account,
	},
	/// Collect everything that can be collected now for the signing account.
	#[command(after_help = "Example:\n  tensornet rewards claim --key ~/.tensornet-key --dry-run")]
	Claim(Claim),
}

/// Arguments of `tensornet rewards claim`.
#[derive(Args)]
pub struct Claim {
	/// Have the rewards of this node minted for itself and all who back it, instead of your own.
	#[arg(long, value_name = "ACCOUNT")]
	node: Option<Account>,
	#[command(flatten)]
	signing: Signing,
}

/// What an account earned.
#[derive(Serialize)]
struct View {
	account: String,
	/// Received, by reason.
	computing: String,
	backing: String,
	validating: String,
	/// What can be collected of delegations now.
	delegations: Vec<Pending>,
	/// What can be minted to it as a validator, by era.
	validator_eras: Vec<EraReward>,
	/// What its node earned and was not minted yet, by era, with the part of those who back it.
	node_eras: Vec<EraReward>,
	block: u64,
}

#[derive(Serialize)]
struct Pending {
	node: String,
	reward: String,
}

#[derive(Serialize)]
struct EraReward {
	era: u32,
	reward: String,
}

impl fmt::Display for View {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		let mut facts = Facts::new()
			.line("account", &self.account)
			.line("by computing", format!("{} TNA", self.computing))
			.line("by backing", format!("{} TNA", self.backing))
			.line("by validating", format!("{} TNA", self.validating));
		for Pending { node, reward } in &self.delegations {
			facts = facts.line("to collect", format!("{reward} TNA for backing {node}"));
		}
		for EraReward { era, reward } in &self.validator_eras {
			facts = facts.line("to collect", format!("{reward} TNA for validating in era {era}"));
		}
		for EraReward { era, reward } in &self.node_eras {
			let what = format!("{reward} TNA of its node and its backers for era {era}");
			facts = facts.line("to collect", what);
		}
		write!(f, "{}", facts.line("at block", self.block))
	}
}

/// Runs a command of this group.
pub async fn run(command: Command, context: &Context) -> Result<()> {
	match command {
		Command::Show { account: Account(account) } => {
			let at = context.connect().await?.best().await?;
			context.output.one(&view(&at, &account).await?)
		}
		Command::Claim(arguments) => claim(arguments, context).await,
	}
}

async fn view(at: &Snapshot, account: &AccountId) -> Result<View> {
	let Earned { compute, delegation, validation } = staking::earned(at, account).await?;
	let delegations = staking::delegations(at, account).await?;
	let pending = delegations.iter().filter(|one| one.reward > 0);
	let by_era = |eras: Vec<(u32, u128)>| {
		eras.into_iter().map(|(era, reward)| EraReward { era, reward: tna(reward) }).collect()
	};
	Ok(View {
		account: address(account),
		computing: tna(compute),
		backing: tna(delegation),
		validating: tna(validation),
		delegations: pending
			.map(|one| Pending { node: address(&one.node), reward: tna(one.reward) })
			.collect(),
		validator_eras: by_era(staking::claimable(at, account).await?),
		node_eras: by_era(staking::unclaimed_eras(at, account).await?),
		block: at.number(),
	})
}

async fn claim(arguments: Claim, context: &Context) -> Result<()> {
	let Claim { node, signing } = arguments;
	let signer = signing.signer()?.account();
	let chain = context.connect().await?;
	let at = chain.best().await?;
	let mut claims: Vec<(Call, String)> = Vec::new();
	let stash = node.map_or(signer, |Account(node)| node);
	// In the order of the eras: a pool takes no later one before an earlier one.
	for (era, reward) in staking::unclaimed_eras(&at, &stash).await? {
		let node = address(&stash);
		let what = format!("{} TNA of the node of {node} for era {era}", tna(reward));
		claims.push((calls::claim_node_rewards(stash, era), what));
	}
	if node.is_none() {
		for (era, reward) in staking::claimable(&at, &signer).await? {
			let what = format!("{} TNA for validating in era {era}", tna(reward));
			claims.push((calls::claim_validator_rewards(signer, era), what));
		}
		for one in staking::delegations(&at, &signer).await? {
			if one.reward > 0 {
				let what = format!("{} TNA for backing {}", tna(one.reward), address(&one.node));
				claims.push((calls::claim_delegation(one.node), what));
			}
		}
	}
	ensure!(
		!claims.is_empty(),
		"nothing can be collected now: tensornet rewards show {} tells what was",
		address(&stash)
	);
	claims.truncate(MOST_CLAIMS);
	let words: Vec<&str> = claims.iter().map(|(_, what)| what.as_str()).collect();
	let effect = format!("collect {}", words.join(", "));
	let call = match claims.as_slice() {
		[(only, _)] => only.clone(),
		_ => {
			let encoded: Result<Vec<_>> = claims.iter().map(|(call, _)| at.encoded(call)).collect();
			batch_all(&encoded?)
		}
	};
	context.output.one(&signing.send(context, &chain, &call, effect).await?)
}
