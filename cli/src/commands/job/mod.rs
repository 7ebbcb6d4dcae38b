// SPDX-License-Identifier: Apache-2.0

//! `tensornet job`: estimate, post, list, follow, fetch and cancel jobs.
//!
//! - [`submit`]: posting a job, waiting for it, and its outputs.
//! - [`list`]: many jobs.
//! - [`view`]: how a job is shown.

pub mod list;
pub mod submit;
pub mod view;

use anyhow::{bail, ensure, Context as _, Result};
use clap::Subcommand;
use serde::Serialize;
use std::fmt;
use tensornet_client::{calls, records, Tna};
use tensornet_protocol::price_of;

use crate::{
	commands::program::{from_chain, price_text, read, ProgramName},
	network::{commit_blocks, follow, least_price, status, Stage},
	output::{address, count, root, tna, Facts},
	signing::{Effect, Signing},
	Context,
};
use view::{describe, Line, View};

/// Estimate, post, list, follow, fetch and cancel jobs.
#[derive(Subcommand)]
pub enum Command {
	/// What a job costs, and how many nodes would take it.
	#[command(after_help = "Example:\n  tensornet job estimate 0x… --iterations 100")]
	Estimate {
		/// A compiled program, or the 0x id of a registered one.
		#[arg(value_name = "FILE|ID")]
		program: ProgramName,
		/// How often the program runs.
		#[arg(long, default_value_t = 1, value_name = "N")]
		iterations: u32,
	},
	/// Post a job. The most it may cost is held until it ends; what is not used comes back by itself.
	Submit(submit::Submit),
	/// Jobs that are under way, and those that ended as long as the chain remembers them.
	List(list::List),
	/// Follow a job until it ends.
	///
	/// Prints a line for each step. Stopping to watch changes nothing: the job goes on.
	#[command(after_help = "Example:\n  tensornet job watch 12 --json")]
	Watch {
		/// The job's number.
		#[arg(value_name = "JOB")]
		job: u64,
	},
	/// Where a job is, or how it ended and where the money went.
	Show {
		/// The job's number.
		#[arg(value_name = "JOB")]
		job: u64,
	},
	/// Fetch the output of a job from its node, checked against the chain.
	///
	/// The output is there once the job is revealed, and for as long as its node keeps it.
	#[command(after_help = "Example:\n  tensornet job fetch 12 --output result.bin")]
	Fetch(submit::Fetch),
	/// Withdraw a job that no node has yet. Everything held for it comes back.
	///
	/// Once a node has the job it is too late: then it ends by itself, and what is not paid comes
	/// back without a command.
	#[command(after_help = "Example:\n  tensornet job cancel 12 --key ~/.tensornet-key")]
	Cancel {
		/// The job's number.
		#[arg(value_name = "JOB")]
		job: u64,
		#[command(flatten)]
		signing: Signing,
	},
}

/// Runs a command of this group.
pub async fn run(command: Command, context: &Context) -> Result<()> {
	match command {
		Command::Estimate { program, iterations } => estimate(program, iterations, context).await,
		Command::Submit(arguments) => submit::submit(arguments, context).await,
		Command::List(arguments) => list::list(arguments, context).await,
		Command::Watch { job } => watch(job, context).await,
		Command::Show { job } => {
			let at = context.connect().await?.best().await?;
			let status = status(&at, job).await?.with_context(|| unknown(job))?;
			context.output.one(&View::new(&status))
		}
		Command::Fetch(arguments) => submit::fetch(arguments, context).await,
		Command::Cancel { job, signing } => cancel(job, signing, context).await,
	}
}

/// What to say of a job that the chain does not know.
pub(crate) fn unknown(job: u64) -> String {
	format!(
		"the chain knows no job {job}: it never existed, or ended longer ago than outcomes are kept \
		 (tensornet job list shows those it knows)"
	)
}

async fn cancel(job: u64, signing: Signing, context: &Context) -> Result<()> {
	let signer = signing.signer()?;
	let chain = context.connect().await?;
	let status = status(&chain.best().await?, job).await?.with_context(|| unknown(job))?;
	if status.stage != Stage::Queued {
		let advice =
			if status.stage.is_end() { "" } else { "; what is not paid comes back by itself" };
		bail!("job {job} is {}: only a queued job can be withdrawn{advice}", status.stage.name());
	}
	ensure!(
		status.requester == signer.account(),
		"job {job} was posted by {}: sign with its key",
		address(&status.requester)
	);
	let effect = format!("withdraw job {job}; its deposit comes back too");
	let effect = Effect::from(effect).releasing(status.held);
	let sent = signing.send(context, &chain, &calls::cancel_job(job), effect).await?;
	context.output.one(&sent)
}

/// What a job costs.
#[derive(Serialize)]
struct Estimate {
	program: String,
	iterations: u32,
	/// Multiply-accumulates in all.
	macs: u128,
	/// The least the chain accepts as the highest price; unknown for a program that is not registered.
	least_price: Option<String>,
	nodes_online: usize,
	/// The price at the lowest ask of a node that is online.
	lowest_price: Option<String>,
	/// The price at which every node that is online may be drawn.
	highest_price: Option<String>,
	/// Blocks that a node has to commit.
	commit_blocks: u32,
	#[serde(skip)]
	asks: Option<(u128, u128)>,
}

impl fmt::Display for Estimate {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		let (low, high) = self.asks.unzip();
		let parse = |text: &Option<String>| {
			text.as_ref().and_then(|text| text.parse::<Tna>().ok()).map(|Tna(units)| units)
		};
		let at =
			|price, ask: Option<u128>| ask.zip(price).map(|(ask, price)| price_text(price, ask));
		let facts = Facts::new()
			.line("program", &self.program)
			.line("work", format!("{} MACs", count(self.macs)))
			.maybe("least price", self.least_price.as_ref().map(|price| format!("{price} TNA")))
			.line("nodes online", self.nodes_online)
			.maybe("cheapest node", at(parse(&self.lowest_price), low))
			.maybe("all nodes", at(parse(&self.highest_price), high))
			.line("node's time", format!("{} blocks to commit", self.commit_blocks));
		write!(f, "{facts}")?;
		match &self.highest_price {
			Some(price) => writeln!(f, "With --max-price {price} every node online may be drawn."),
			None => writeln!(f, "No node is online: a job would wait for one until its deadline."),
		}
	}
}

async fn estimate(name: ProgramName, iterations: u32, context: &Context) -> Result<()> {
	// A bad file is told before the chain is asked.
	let local = match &name {
		ProgramName::File(path) => Some(read(path)?),
		ProgramName::Id(_) => None,
	};
	let at = context.connect().await?.best().await?;
	let program = match (local, name) {
		(Some(program), _) => program,
		(None, ProgramName::Id(id)) => from_chain(&at, &id).await?.0,
		(None, ProgramName::File(path)) => read(&path)?,
	};
	let allowed = program.program().max_iterations;
	ensure!(
		(1..=allowed).contains(&iterations),
		"the program runs 1 to {allowed} iterations, not {iterations}"
	);
	let macs = u128::from(program.macs()) * u128::from(iterations);
	let least = least_price(&at, &program.id(), iterations).await?;
	let nodes = records::nodes(&at).await?;
	let asks: Vec<u128> =
		nodes.iter().filter(|(_, node)| node.is_online()).map(|(_, node)| node.ask).collect();
	let asks_range = asks.iter().min().copied().zip(asks.iter().max().copied());
	let price =
		|ask: u128| price_of(macs, ask).map(|price: u128| tna(price.max(least.unwrap_or(0))));
	context.output.one(&Estimate {
		program: root(&program.id()),
		iterations,
		macs,
		least_price: least.map(tna),
		nodes_online: asks.len(),
		lowest_price: asks_range.and_then(|(low, _)| price(low)),
		highest_price: asks_range.and_then(|(_, high)| price(high)),
		commit_blocks: commit_blocks(&at, macs)?,
		asks: asks_range,
	})
}

async fn watch(job: u64, context: &Context) -> Result<()> {
	let chain = context.connect().await?;
	// Following tolerates a job that is gone for a moment; one that is not there at all is told at once.
	status(&chain.best().await?, job).await?.with_context(|| unknown(job))?;
	context.note(format!("job {job} goes on; look again with: tensornet job watch {job}"));
	let mut failed = None;
	follow(
		&chain,
		job,
		|_| false,
		|status| {
			let printed = if context.output.is_json() {
				context.output.one(&View::new(status))
			} else {
				context.output.one(&Line(describe(status)))
			};
			failed = failed.take().or(printed.err());
		},
	)
	.await?;
	failed.map_or(Ok(()), Err)
}
