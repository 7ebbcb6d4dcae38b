// SPDX-License-Identifier: Apache-2.0

//! `tensornet stake`, `delegate`, `redelegate`, `unbond`, `withdraw`: backing nodes with one's TNA.

use anyhow::{bail, ensure, Context as _, Result};
use clap::Args;
use serde::Serialize;
use std::fmt;
use tensornet_client::{
	calls::staking as calls,
	funds, records,
	staking::{self, Delegation},
	AccountId, Snapshot, Tna,
};

use crate::{
	commands::{
		balance::Account,
		gov::parameters::{block_milliseconds, span},
	},
	output::{address, tna, tna_text, Facts},
	signing::{Effect, Signing},
	Context,
};

/// Arguments of `tensornet stake`.
#[derive(Args)]
pub struct Stake {
	/// SS58 address, or 0x and 64 hexadecimal digits.
	#[arg(value_name = "ACCOUNT")]
	account: Account,
}

/// Arguments of `tensornet delegate`.
#[derive(Args)]
#[command(
	after_help = "Example:\n  tensornet delegate 5F… 500 --key ~/.tensornet-key --dry-run\n\nYour TNA stays in your own account, on hold, and votes. You share in what the node earns, less its\ncommission, from the next era on, and in its slashes."
)]
pub struct Delegate {
	/// The node, by its owner's account.
	#[arg(value_name = "NODE")]
	node: Account,
	/// How much, in TNA.
	#[arg(value_name = "TNA")]
	amount: Tna,
	#[command(flatten)]
	signing: Signing,
}

/// Arguments of `tensornet redelegate`.
#[derive(Args)]
#[command(
	after_help = "It moves at once, without unbonding, and answers for the old node's faults for as long as unbonding\nwould have taken.\n\nExample:\n  tensornet redelegate 5F… 5D… 500 --key ~/.tensornet-key"
)]
pub struct Redelegate {
	/// The node that it leaves.
	#[arg(value_name = "FROM")]
	from: Account,
	/// The node that it backs from then on.
	#[arg(value_name = "TO")]
	to: Account,
	/// How much, in TNA.
	#[arg(value_name = "TNA")]
	amount: Tna,
	#[command(flatten)]
	signing: Signing,
}

/// Arguments of `tensornet unbond`.
#[derive(Args)]
#[command(
	after_help = "It can be slashed until it is withdrawn, and earns nothing. The bond of a node of your own unbonds with\ntensornet node unbond.\n\nExample:\n  tensornet unbond 5F… 500 --key ~/.tensornet-key"
)]
pub struct Unbond {
	/// The node that was backed.
	#[arg(value_name = "NODE")]
	node: Account,
	/// How much, in TNA.
	#[arg(value_name = "TNA")]
	amount: Tna,
	#[command(flatten)]
	signing: Signing,
}

/// Arguments of `tensornet withdraw`.
#[derive(Args)]
pub struct Withdraw {
	/// The node that was backed.
	#[arg(value_name = "NODE")]
	node: Account,
	#[command(flatten)]
	signing: Signing,
}

/// Everything that an account has at stake.
#[derive(Serialize)]
struct View {
	account: String,
	/// The bond of its own node, if it has one.
	node_bond: Option<String>,
	/// Its bond as a candidate or validator, if it has one.
	validator_bond: Option<String>,
	delegations: Vec<Shown>,
	block: u64,
}

/// A delegation as it is shown.
#[derive(Serialize)]
struct Shown {
	node: String,
	/// What it is worth after all slashes, without what unbonds.
	worth: String,
	/// On hold for it, with what unbonds.
	held: String,
	/// What can be collected of what it earned.
	reward: String,
	/// The blocks from which on its parts on their way out may be withdrawn.
	unlocks: Vec<u32>,
}

impl Shown {
	fn new(delegation: &Delegation) -> Self {
		Self {
			node: address(&delegation.node),
			worth: tna(delegation.worth),
			held: tna(delegation.held),
			reward: tna(delegation.reward),
			unlocks: delegation.unlocks.clone(),
		}
	}
}

impl fmt::Display for View {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		let amount = |amount: &String| format!("{amount} TNA");
		let mut facts = Facts::new()
			.line("account", &self.account)
			.maybe("own node", self.node_bond.as_ref().map(amount))
			.maybe("as validator", self.validator_bond.as_ref().map(amount));
		for Shown { node, worth, held, reward, unlocks } in &self.delegations {
			let leaving: Vec<String> = unlocks.iter().map(u32::to_string).collect();
			let leaving = match leaving.is_empty() {
				true => String::new(),
				false => format!(", parts of it unlock at block {}", leaving.join(", ")),
			};
			let text = format!("{worth} TNA, {held} held, {reward} earned{leaving}");
			facts = facts.line(&format!("with {node}"), text);
		}
		write!(f, "{}", facts.line("at block", self.block))
	}
}

/// `tensornet stake`.
pub async fn show(arguments: Stake, context: &Context) -> Result<()> {
	let Account(account) = arguments.account;
	let at = context.connect().await?.best().await?;
	let node = records::node(&at, &account).await?;
	let ledger = staking::ledger(&at, &account).await?;
	let delegations = staking::delegations(&at, &account).await?;
	context.output.one(&View {
		account: address(&account),
		node_bond: node.map(|node| tna(node.bond)),
		validator_bond: ledger.map(|ledger| tna(ledger.bond)),
		delegations: delegations.iter().map(Shown::new).collect(),
		block: at.number(),
	})
}

/// Fails unless there is a node that can be backed.
async fn can_be_backed(at: &Snapshot, node: &AccountId) -> Result<staking::Backing> {
	match records::node(at, node).await? {
		None => bail!("{} owns no node: tensornet node list shows all", address(node)),
		Some(record) => ensure!(
			record.standing == records::Standing::Active,
			"the node of {} is {}: back another one",
			address(node),
			match record.standing {
				records::Standing::Jailed => "in jail for a lie",
				_ => "leaving",
			}
		),
	}
	staking::backing(at, node)
		.await?
		.with_context(|| format!("{} owns no node any more", address(node)))
}

fn terms(backing: &staking::Backing) -> String {
	let percent = f64::from(backing.commission) / 10_000.0;
	format!(
		"it keeps {percent} % of what its backers earn, and {} back it",
		tna_text(backing.backing)
	)
}

/// `tensornet delegate`.
pub async fn delegate(arguments: Delegate, context: &Context) -> Result<()> {
	let Delegate { node: Account(node), amount: Tna(amount), signing } = arguments;
	let signer = signing.signer()?.account();
	let chain = context.connect().await?;
	let at = chain.best().await?;
	let backing = can_be_backed(&at, &node).await?;
	let free = funds::balance(&at, &signer).await?.free;
	ensure!(
		free > amount,
		"{} has {} free, less than {} and a fee",
		address(&signer),
		tna_text(free),
		tna_text(amount)
	);
	let effect = format!(
		"back the node of {} with {}, from the next era on; {}",
		address(&node),
		tna_text(amount),
		terms(&backing)
	);
	let effect = Effect::from(effect).holding(amount);
	context
		.output
		.one(&signing.send(context, &chain, &calls::delegate(node, amount), effect).await?)
}

/// What the signer delegated to a node; fails where that is nothing.
async fn own(at: &Snapshot, node: &AccountId, signer: &AccountId) -> Result<Delegation> {
	staking::delegation(at, node, signer).await?.with_context(|| {
		format!(
			"{} has not backed the node of {}: tensornet stake {} shows what it backs",
			address(signer),
			address(node),
			address(signer)
		)
	})
}

/// `tensornet redelegate`.
pub async fn redelegate(arguments: Redelegate, context: &Context) -> Result<()> {
	let Redelegate { from: Account(from), to: Account(to), amount: Tna(amount), signing } =
		arguments;
	let signer = signing.signer()?.account();
	ensure!(from != to, "both are the same node");
	let chain = context.connect().await?;
	let at = chain.best().await?;
	let delegation = own(&at, &from, &signer).await?;
	let backing = can_be_backed(&at, &to).await?;
	let effect = format!(
		"move {} from the node of {} to that of {}; {}",
		tna_text(amount.min(delegation.worth)),
		address(&from),
		address(&to),
		terms(&backing)
	);
	let call = calls::redelegate(from, to, amount);
	context.output.one(&signing.send(context, &chain, &call, effect).await?)
}

/// `tensornet unbond`.
pub async fn unbond(arguments: Unbond, context: &Context) -> Result<()> {
	let Unbond { node: Account(node), amount: Tna(amount), signing } = arguments;
	let signer = signing.signer()?.account();
	let chain = context.connect().await?;
	let at = chain.best().await?;
	let delegation = own(&at, &node, &signer).await?;
	let period = staking::unbonding_period(&at, "ComputeStaking")?;
	let effect = format!(
		"take {} back from the node of {}; it earns nothing from now on, and can be withdrawn in {}",
		tna_text(amount.min(delegation.worth)),
		address(&node),
		span(period.into(), block_milliseconds(&at)?)
	);
	let call = calls::undelegate(node, amount);
	context.output.one(&signing.send(context, &chain, &call, effect).await?)
}

/// `tensornet withdraw`.
pub async fn withdraw(arguments: Withdraw, context: &Context) -> Result<()> {
	let Withdraw { node: Account(node), signing } = arguments;
	let signer = signing.signer()?.account();
	let chain = context.connect().await?;
	let at = chain.best().await?;
	let delegation = own(&at, &node, &signer).await?;
	match delegation.unlocks.first() {
		None => bail!("nothing unbonds: tensornet unbond begins that"),
		Some(unlock) => ensure!(
			u64::from(*unlock) <= at.number().saturating_add(1),
			"nothing is unlocked yet: a part will be at block {unlock}, and it is block {} now",
			at.number()
		),
	}
	let effect = format!("free what has unbonded from the node of {}", address(&node));
	let call = calls::withdraw_undelegated(node);
	context.output.one(&signing.send(context, &chain, &call, effect).await?)
}
