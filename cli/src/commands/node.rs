// SPDX-License-Identifier: Apache-2.0

//! `tensornet node`: register, look at, change and end GPU nodes, and their bonds.

use anyhow::{bail, ensure, Context as _, Result};
use clap::{ArgGroup, Args, Subcommand};
use serde::Serialize;
use std::fmt;
use tensornet_client::{
	blobs::check_base,
	calls::{self, staking::set_commission, Call},
	funds,
	records::{self, NodeRecord, Standing},
	AccountId, Chain, Snapshot, Tna,
};
use tensornet_protocol::{Capability, MAX_ENDPOINT};

use crate::{
	commands::{balance::Account, gov::parameters::parts},
	output::{address, tna, tna_text, Facts, Table},
	signing::{Effect, Signing},
	Context,
};

/// Register, look at, change and end GPU nodes, and their bonds.
#[derive(Subcommand)]
pub enum Command {
	/// Register a node. The signing key owns it and its bond; the operator key does its work.
	///
	/// The node is offline at first: start tensornet-worker, then run tensornet node online.
	#[command(
		after_help = "Example:\n  tensornet node register --operator 5F… --ask 0.001 --bond 1000 \\\n      --memory-mib 16384 --giga-macs 900 --endpoint http://203.0.113.7:9980 --key stash.key"
	)]
	Register {
		/// Account of the hot key that tensornet-worker runs with.
		#[arg(long, value_name = "ACCOUNT")]
		operator: Account,
		/// Price for each 10^9 multiply-accumulates, in TNA.
		#[arg(long, value_name = "TNA")]
		ask: Tna,
		/// What the node has at stake, in TNA.
		#[arg(long, value_name = "TNA")]
		bond: Tna,
		/// Memory for tensors, in MiB.
		#[arg(long, value_name = "MIB")]
		memory_mib: u32,
		/// Measured rate, in 10^9 multiply-accumulates a second (tensornet-worker devices shows it).
		#[arg(long, value_name = "RATE")]
		giga_macs: u32,
		/// URL under which the worker serves outputs to requesters and checkers.
		#[arg(long, value_name = "URL", value_parser = endpoint)]
		endpoint: String,
		#[command(flatten)]
		signing: Signing,
	},
	/// One node.
	Show {
		/// Its owner: SS58 address, or 0x and 64 hexadecimal digits.
		#[arg(value_name = "ACCOUNT")]
		node: Account,
	},
	/// All nodes.
	List {
		/// Only nodes that take jobs now.
		#[arg(long)]
		online: bool,
	},
	/// Take jobs with your node. Its stash or its operator may sign.
	///
	/// A node that was jailed for a lie comes back only by its stash.
	Online {
		#[command(flatten)]
		signing: Signing,
	},
	/// Take no new jobs with your node. It keeps those it has.
	Offline {
		#[command(flatten)]
		signing: Signing,
	},
	/// Change what your node asks and offers. What is left out stays as it is.
	///
	/// Jobs that the node has keep the price they were assigned at.
	#[command(after_help = "\
Examples:
  tensornet node update --ask 0.0008 --key stash.key
  tensornet node update --endpoint http://203.0.113.7:9980 --key stash.key")]
	Update(Update),
	/// Give your node another operator key. The old one can do nothing for it from then on.
	#[command(
		after_help = "Example:\n  tensornet node set-operator 5F… --key stash.key\nThen start tensornet-worker with the new key, and send that key some TNA for its fees."
	)]
	SetOperator {
		/// Account of the new hot key.
		#[arg(value_name = "ACCOUNT")]
		operator: Account,
		#[command(flatten)]
		signing: Signing,
	},
	/// Add to the bond of your node. More stake draws more jobs.
	#[command(after_help = "Example:\n  tensornet node bond 500 --key stash.key")]
	Bond {
		/// How much more, in TNA.
		#[arg(value_name = "TNA")]
		amount: Tna,
		#[command(flatten)]
		signing: Signing,
	},
	/// Start to take a part of the bond of your node out.
	///
	/// It unlocks after the unbonding period, stays slashable until then, and is then freed by
	/// tensornet node withdraw. What stays must be the least bond: to take out everything, use
	/// tensornet node deregister.
	#[command(after_help = "Example:\n  tensornet node unbond 500 --key stash.key --dry-run")]
	Unbond {
		/// How much, in TNA.
		#[arg(value_name = "TNA")]
		amount: Tna,
		#[command(flatten)]
		signing: Signing,
	},
	/// Set what your node keeps of what its backers earn. It may fall freely, and rises slowly.
	#[command(after_help = "Example:\n  tensornet node commission 5% --key stash.key")]
	Commission {
		/// The share, in percent.
		#[arg(value_name = "PERCENT", value_parser = commission)]
		share: u32,
		#[command(flatten)]
		signing: Signing,
	},
	/// Free everything that has unlocked. tensornet node show says when that is.
	Withdraw {
		#[command(flatten)]
		signing: Signing,
	},
	/// End your node: its whole bond unbonds, and its operator key is free for another node.
	///
	/// The node must have no jobs: take it offline and wait until they end. Once the bond has
	/// unlocked, tensornet node withdraw frees it.
	Deregister {
		#[command(flatten)]
		signing: Signing,
	},
}

/// Arguments of `tensornet node update`.
#[derive(Args)]
#[command(group(ArgGroup::new("change").required(true).multiple(true)))]
pub struct Update {
	/// Price for each 10^9 multiply-accumulates, in TNA.
	#[arg(long, value_name = "TNA", group = "change")]
	ask: Option<Tna>,
	/// URL under which the worker serves outputs to requesters and checkers.
	#[arg(long, value_name = "URL", value_parser = endpoint, group = "change")]
	endpoint: Option<String>,
	/// Memory for tensors, in MiB.
	#[arg(long, value_name = "MIB", group = "change")]
	memory_mib: Option<u32>,
	/// Measured rate, in 10^9 multiply-accumulates a second (tensornet-worker devices shows it).
	#[arg(long, value_name = "RATE", group = "change")]
	giga_macs: Option<u32>,
	#[command(flatten)]
	signing: Signing,
}

/// A node as it is shown.
#[derive(Serialize)]
struct Node {
	node: String,
	operator: String,
	online: bool,
	standing: &'static str,
	ask: String,
	bond: String,
	/// Parts of the bond on their way out, soonest first.
	unbonding: Vec<Unbonding>,
	/// What can be withdrawn now.
	withdrawable: String,
	memory_mib: u32,
	giga_macs: u32,
	endpoint: String,
	active_jobs: u32,
	completed: u32,
	failed: u32,
	/// Parts of one.
	reputation: f64,
}

/// A part of a bond on its way out.
#[derive(Serialize)]
struct Unbonding {
	amount: String,
	/// The first block in which it may be withdrawn.
	unlock_at: u32,
}

impl Node {
	/// A node as it stands in `block`.
	fn new(account: &AccountId, record: &NodeRecord, block: u64) -> Self {
		let unbonding = record
			.unbonding
			.iter()
			.map(|chunk| Unbonding { amount: tna(chunk.amount), unlock_at: chunk.unlock_at });
		Self {
			node: address(account),
			operator: address(&record.operator),
			online: record.is_online(),
			standing: match record.standing {
				Standing::Active => "active",
				Standing::Jailed => "jailed",
				Standing::Leaving => "leaving",
			},
			ask: tna(record.ask),
			bond: tna(record.bond),
			unbonding: unbonding.collect(),
			withdrawable: tna(record.unlocked(block)),
			memory_mib: record.capability.memory_mib,
			giga_macs: record.capability.giga_macs,
			endpoint: record.endpoint_url(),
			active_jobs: record.active_jobs,
			completed: record.completed,
			failed: record.failed,
			reputation: f64::from(record.reputation) / 1e6,
		}
	}
}

impl fmt::Display for Node {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		let state = if self.online { "online" } else { "offline" };
		let unbonding: Vec<String> = self
			.unbonding
			.iter()
			.map(|chunk| format!("{} TNA until block {}", chunk.amount, chunk.unlock_at))
			.collect();
		let facts = Facts::new()
			.line("node", &self.node)
			.line("operator", &self.operator)
			.line("state", format!("{state}, {}", self.standing))
			.line("ask", format!("{} TNA for 10^9 MACs", self.ask))
			.line("bond", format!("{} TNA", self.bond))
			.maybe("unbonding", (!unbonding.is_empty()).then(|| unbonding.join(", ")))
			.maybe(
				"to withdraw",
				(self.withdrawable != "0").then(|| format!("{} TNA", self.withdrawable)),
			)
			.line("memory", format!("{} MiB", self.memory_mib))
			.line("rate", format!("{} GMAC/s", self.giga_macs))
			.line("endpoint", &self.endpoint)
			.line(
				"jobs",
				format!(
					"{} now, {} completed, {} failed",
					self.active_jobs, self.completed, self.failed
				),
			)
			.line("reputation", format!("{:.1} %", self.reputation * 100.0));
		write!(f, "{facts}")
	}
}

/// Runs a command of this group.
pub async fn run(command: Command, context: &Context) -> Result<()> {
	match command {
		Command::Register { operator, ask, bond, memory_mib, giga_macs, endpoint, signing } => {
			let offer = Offer { ask, capability: Capability { memory_mib, giga_macs }, endpoint };
			register(operator.0, offer, bond, signing, context).await
		}
		Command::Show { node: Account(account) } => {
			let at = context.connect().await?.best().await?;
			let record = records::node(&at, &account).await?.with_context(|| {
				format!("{} owns no node: tensornet node list shows all", address(&account))
			})?;
			context.output.one(&Node::new(&account, &record, at.number()))
		}
		Command::List { online } => {
			let at = context.connect().await?.best().await?;
			let nodes = records::nodes(&at).await?;
			let mut nodes: Vec<Node> = nodes
				.iter()
				.filter(|(_, record)| !online || record.is_online())
				.map(|(account, record)| Node::new(account, record, at.number()))
				.collect();
			nodes.sort_by(|a, b| a.node.cmp(&b.node));
			context.output.list(&nodes, table, "no such nodes: tensornet node register adds one")
		}
		Command::Online { signing } => switch(true, signing, context).await,
		Command::Offline { signing } => switch(false, signing, context).await,
		Command::Update(arguments) => update(arguments, context).await,
		Command::SetOperator { operator: Account(operator), signing } => {
			let (chain, at, _) = own(&signing, context).await?;
			is_free(&at, &operator).await?;
			let effect = format!("let {} work for the node", address(&operator));
			send(&signing, context, &chain, &calls::rotate_operator(operator), effect).await
		}
		Command::Bond { amount: Tna(amount), signing } => {
			let (chain, _, node) = own(&signing, context).await?;
			let bond = node.bond.saturating_add(amount);
			let effect = format!("raise the bond by {} to {}", tna_text(amount), tna_text(bond));
			let effect = Effect::from(effect).holding(amount);
			send(&signing, context, &chain, &calls::bond_more(amount), effect).await
		}
		Command::Unbond { amount: Tna(amount), signing } => {
			let (chain, at, node) = own(&signing, context).await?;
			let left = node.bond.checked_sub(amount).with_context(|| {
				format!("the bond is {}: {} is more", tna_text(node.bond), tna_text(amount))
			})?;
			let effect = format!(
				"take {} out of the bond, which leaves {}; it can be withdrawn from block {} on",
				tna_text(amount),
				tna_text(left),
				unlocks(&at)?
			);
			send(&signing, context, &chain, &calls::unbond(amount), effect).await
		}
		Command::Commission { share, signing } => {
			let (chain, _, _) = own(&signing, context).await?;
			let percent = f64::from(share) / 10_000.0;
			let effect =
				format!("keep {percent} % of what backers earn, from the next era of work on");
			send(&signing, context, &chain, &set_commission(share), effect).await
		}
		Command::Withdraw { signing } => withdraw(signing, context).await,
		Command::Deregister { signing } => {
			let (chain, at, node) = own(&signing, context).await?;
			ensure!(
				node.active_jobs == 0,
				"the node has {} job(s): take it offline with tensornet node offline and wait until \
				 they end",
				node.active_jobs
			);
			let effect = format!(
				"end the node; its bond of {} can be withdrawn from block {} on",
				tna_text(node.bond),
				unlocks(&at)?
			);
			send(&signing, context, &chain, &calls::deregister_node(), effect).await
		}
	}
}

/// What a node offers.
struct Offer {
	ask: Tna,
	capability: Capability,
	endpoint: String,
}

async fn register(
	operator: AccountId,
	offer: Offer,
	Tna(bond): Tna,
	signing: Signing,
	context: &Context,
) -> Result<()> {
	let stash = signing.signer()?.account();
	let chain = context.connect().await?;
	let at = chain.best().await?;
	let leaving = |node: &NodeRecord| node.standing == Standing::Leaving;
	ensure!(
		records::node(&at, &stash).await?.as_ref().is_none_or(leaving),
		"{} has a node: change it with tensornet node update, or sign with another key",
		address(&stash)
	);
	is_free(&at, &operator).await?;
	let funds = funds::balance(&at, &stash).await?.free;
	ensure!(
		funds > bond,
		"{} has {} free, less than the bond and a fee: add TNA, or bond less",
		address(&stash),
		tna_text(funds)
	);
	let Offer { ask, capability, endpoint } = offer;
	let call = calls::register_node(operator, ask.0, capability, &endpoint, bond);
	let effect = format!(
		"register a node with operator {}, bond {} and ask {} for 10^9 MACs",
		address(&operator),
		tna_text(bond),
		tna_text(ask.0)
	);
	let effect = Effect::from(effect).holding(bond);
	send(&signing, context, &chain, &call, effect).await
}

/// Fails if an operator key works for a node already.
async fn is_free(at: &Snapshot, operator: &AccountId) -> Result<()> {
	if let Some(node) = records::node_of(at, operator).await? {
		bail!(
			"{} works for the node of {} already: make another key with tensornet keys generate",
			address(operator),
			address(&node)
		);
	}
	Ok(())
}

/// The chain, its best block, and the node that the signing key owns. Fails if there is none or it is
/// on its way out.
async fn own(signing: &Signing, context: &Context) -> Result<(Chain, Snapshot, NodeRecord)> {
	let stash = signing.signer()?.account();
	let chain = context.connect().await?;
	let at = chain.best().await?;
	let node = owned(&at, &stash).await?;
	ensure!(
		node.standing != Standing::Leaving,
		"the node was deregistered: register it again, or withdraw its bond"
	);
	Ok((chain, at, node))
}

async fn owned(at: &Snapshot, stash: &AccountId) -> Result<NodeRecord> {
	if let Some(node) = records::node(at, stash).await? {
		return Ok(node);
	}
	match records::node_of(at, stash).await? {
		Some(node) => bail!(
			"{} is only the operator of the node of {}: sign with the owner's key",
			address(stash),
			address(&node)
		),
		None => bail!(
			"{} owns no node: tensornet node register makes one, tensornet node list shows all",
			address(stash)
		),
	}
}

/// The first block in which what begins to unbond now may be withdrawn.
fn unlocks(at: &Snapshot) -> Result<u64> {
	let period: u32 = at.constant("ComputeStaking", "UnbondingPeriod")?;
	Ok(at.number().saturating_add(1).saturating_add(period.into()))
}

async fn send(
	signing: &Signing,
	context: &Context,
	chain: &Chain,
	call: &Call,
	effect: impl Into<Effect>,
) -> Result<()> {
	let sent = signing.send(context, chain, call, effect).await?;
	context.output.one(&sent)
}

async fn switch(online: bool, signing: Signing, context: &Context) -> Result<()> {
	let signer = signing.signer()?.account();
	let chain = context.connect().await?;
	let at = chain.best().await?;
	// A stash acts for its own node; any other key for the node that it is the operator of.
	let stash = match records::node(&at, &signer).await? {
		Some(_) => signer,
		None => records::node_of(&at, &signer).await?.unwrap_or(signer),
	};
	let node = owned(&at, &stash).await?;
	ensure!(
		node.standing != Standing::Leaving,
		"the node was deregistered: register it again to take jobs"
	);
	ensure!(
		!online || node.standing != Standing::Jailed || stash == signer,
		"the node was jailed for a lie: only its owner {} brings it back",
		address(&stash)
	);
	let effect = match (online, node.is_online()) {
		(true, false) => "take jobs from now on",
		(true, true) => "take jobs, as it does already",
		(false, true) => "take no new jobs",
		(false, false) => "take no new jobs, as it does already",
	};
	send(&signing, context, &chain, &calls::set_online(online), effect).await
}

async fn update(arguments: Update, context: &Context) -> Result<()> {
	let Update { ask, endpoint, memory_mib, giga_macs, signing } = arguments;
	let (chain, _, node) = own(&signing, context).await?;
	// The chain takes memory and rate together.
	let capability = (memory_mib.is_some() || giga_macs.is_some()).then(|| Capability {
		memory_mib: memory_mib.unwrap_or(node.capability.memory_mib),
		giga_macs: giga_macs.unwrap_or(node.capability.giga_macs),
	});
	let mut changes = Vec::new();
	if let Some(Tna(ask)) = ask {
		changes.push(format!("ask {} instead of {}", tna_text(ask), tna_text(node.ask)));
	}
	if let Some(endpoint) = &endpoint {
		changes.push(format!("serve at {endpoint} instead of {}", node.endpoint_url()));
	}
	if let Some(Capability { memory_mib, giga_macs }) = capability {
		changes.push(format!("offer {memory_mib} MiB and {giga_macs} GMAC/s"));
	}
	let call = calls::update_node(ask.map(|ask| ask.0), endpoint.as_deref(), capability);
	send(&signing, context, &chain, &call, changes.join(", ")).await
}

async fn withdraw(signing: Signing, context: &Context) -> Result<()> {
	let stash = signing.signer()?.account();
	let chain = context.connect().await?;
	let at = chain.best().await?;
	let node = owned(&at, &stash).await?;
	let amount = node.unlocked(at.number().saturating_add(1));
	if amount == 0 {
		match node.unbonding.first() {
			Some(next) => bail!(
				"nothing is unlocked yet: {} will be at block {}, and it is block {} now",
				tna_text(next.amount),
				next.unlock_at,
				at.number()
			),
			None => bail!("nothing unbonds: tensornet node unbond begins that"),
		}
	}
	let effect = format!("free {} of the bond", tna_text(amount));
	let effect = Effect::from(effect).releasing(amount);
	send(&signing, context, &chain, &calls::withdraw_unbonded(), effect).await
}

fn table(nodes: &[Node]) -> Table {
	let head = ["NODE", "STATE", "ASK", "BOND", "GMAC/S", "MIB", "JOBS", "DONE", "FAILED"];
	let mut table = Table::new(&head).right(&[2, 3, 4, 5, 6, 7, 8]);
	for node in nodes {
		let state = match (node.standing, node.online) {
			("active", true) => "online",
			("active", false) => "offline",
			(standing, _) => standing,
		};
		table.row([
			node.node.clone(),
			state.into(),
			node.ask.clone(),
			node.bond.clone(),
			node.giga_macs.to_string(),
			node.memory_mib.to_string(),
			node.active_jobs.to_string(),
			node.completed.to_string(),
			node.failed.to_string(),
		]);
	}
	table
}

/// A share of at most a whole, in millionths.
fn commission(text: &str) -> Result<u32, String> {
	let parts = parts(text).map_err(|error| format!("{error:#}"))?;
	u32::try_from(parts)
		.ok()
		.filter(|parts| *parts <= 1_000_000)
		.ok_or_else(|| "a node keeps 100% at most".into())
}

/// An endpoint that others can reach: http or https, and not too long for the chain.
fn endpoint(text: &str) -> Result<String, String> {
	let is_http = ["http://", "https://"]
		.iter()
		.any(|scheme| text.strip_prefix(scheme).is_some_and(|host| !host.is_empty()));
	if !is_http || check_base(text).is_err() {
		return Err("write an http:// or https:// URL that requesters can reach".into());
	}
	if text.len() > MAX_ENDPOINT as usize {
		return Err(format!("longer than the {MAX_ENDPOINT} bytes that the chain keeps"));
	}
	Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn an_endpoint_is_a_web_address() {
		assert!(endpoint("http://203.0.113.7:9955").is_ok());
		for bad in ["", "http://", "ftp://a", "203.0.113.7:9955", "http://a b", "http://a:99999"] {
			assert!(endpoint(bad).is_err(), "{bad}");
		}
		assert!(endpoint(&format!("http://{}", "a".repeat(300))).is_err());
	}
}
