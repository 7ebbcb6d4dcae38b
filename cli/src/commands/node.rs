// SPDX-License-Identifier: Apache-2.0

//! `tensornet node`: register, look at and switch GPU nodes.

use anyhow::{Context as _, Result};
use clap::Subcommand;
use serde::Serialize;
use std::fmt;
use tensornet_client::{
	calls,
	records::{self, NodeRecord, Standing},
	AccountId, Tna,
};
use tensornet_protocol::{Capability, MAX_ENDPOINT};

use crate::{
	commands::balance::Account,
	output::{address, tna, tna_text, Facts, Table},
	signing::Signing,
	Context,
};

/// Register, look at and switch GPU nodes.
#[derive(Subcommand)]
pub enum Command {
	/// Register a node. The signing key owns it and its bond; the operator key does its work.
	///
	/// The node is offline at first: start tensornet-worker, then run tensornet node online.
	#[command(
		after_help = "Example:\n  tensornet node register --operator 5F… --ask 0.001 --bond 100 \\\n      --memory-mib 16384 --giga-macs 900 --endpoint http://203.0.113.7:9955 --key stash.key"
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
	/// Take jobs with your node.
	Online {
		#[command(flatten)]
		signing: Signing,
	},
	/// Take no new jobs with your node. It keeps those it has.
	Offline {
		#[command(flatten)]
		signing: Signing,
	},
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
	memory_mib: u32,
	giga_macs: u32,
	endpoint: String,
	active_jobs: u32,
	completed: u32,
	failed: u32,
	/// Parts of one.
	reputation: f64,
}

impl Node {
	fn new(account: &AccountId, record: &NodeRecord) -> Self {
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
		let facts = Facts::new()
			.line("node", &self.node)
			.line("operator", &self.operator)
			.line("state", format!("{state}, {}", self.standing))
			.line("ask", format!("{} TNA for 10^9 MACs", self.ask))
			.line("bond", format!("{} TNA", self.bond))
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
			signing.signer()?;
			let chain = context.connect().await?;
			let capability = Capability { memory_mib, giga_macs };
			let call = calls::register_node(operator.0, ask.0, capability, &endpoint, bond.0);
			let effect = format!(
				"register a node with operator {}, bond {} and ask {} for 10^9 MACs",
				address(&operator.0),
				tna_text(bond.0),
				tna_text(ask.0)
			);
			let sent = signing.send(&chain, &call, effect).await?;
			context.output.one(&sent)
		}
		Command::Show { node: Account(account) } => {
			let at = context.connect().await?.best().await?;
			let record = records::node(&at, &account).await?.with_context(|| {
				format!("{} owns no node: tensornet node list shows all", address(&account))
			})?;
			context.output.one(&Node::new(&account, &record))
		}
		Command::List { online } => {
			let at = context.connect().await?.best().await?;
			let nodes = records::nodes(&at).await?;
			let mut nodes: Vec<Node> = nodes
				.iter()
				.filter(|(_, record)| !online || record.is_online())
				.map(|(account, record)| Node::new(account, record))
				.collect();
			nodes.sort_by(|a, b| a.node.cmp(&b.node));
			context.output.list(&nodes, table, "no nodes")
		}
		Command::Online { signing } => switch(true, signing, context).await,
		Command::Offline { signing } => switch(false, signing, context).await,
	}
}

async fn switch(online: bool, signing: Signing, context: &Context) -> Result<()> {
	signing.signer()?;
	let chain = context.connect().await?;
	let effect = if online { "take jobs from now on" } else { "take no new jobs" };
	let sent = signing.send(&chain, &calls::set_online(online), effect.into()).await?;
	context.output.one(&sent)
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

/// An endpoint that others can reach: http or https, and not too long for the chain.
fn endpoint(text: &str) -> Result<String, String> {
	let is_http = ["http://", "https://"]
		.iter()
		.any(|scheme| text.strip_prefix(scheme).is_some_and(|host| !host.is_empty()));
	if !is_http {
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
		for bad in ["", "http://", "ftp://a", "203.0.113.7:9955"] {
			assert!(endpoint(bad).is_err(), "{bad}");
		}
		assert!(endpoint(&format!("http://{}", "a".repeat(300))).is_err());
	}
}
