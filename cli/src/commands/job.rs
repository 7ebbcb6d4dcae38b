// SPDX-License-Identifier: Apache-2.0

//! `tensornet job`: estimate, post, follow and cancel jobs.

use anyhow::{bail, ensure, Context as _, Result};
use clap::{Args, Subcommand, ValueEnum};
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;
use std::{
	fmt,
	path::{Path, PathBuf},
	time::Duration,
};
use tensornet_client::{calls, records, BlobStore, Chain, Root, Tna};
use tensornet_protocol::price_of;
use tensornet_tensor::CheckedProgram;

use crate::{
	commands::program::{from_chain, price_text, read, ProgramName},
	network::{
		commit_blocks, fetch_outputs, follow, job_number, least_price, status, JobStatus, Order,
		Stage,
	},
	output::{address, count, root, tna, tna_text, Facts},
	signing::{Sent, Signing},
	Context,
};

/// Estimate, post, follow and cancel jobs.
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
	Submit(Submit),
	/// Follow a job until it ends.
	Watch {
		/// The job's number.
		#[arg(value_name = "JOB")]
		job: u64,
	},
	/// Where a job is, or how it ended.
	Show {
		/// The job's number.
		#[arg(value_name = "JOB")]
		job: u64,
	},
	/// Withdraw a job that no node has yet. Everything held for it comes back.
	Cancel {
		/// The job's number.
		#[arg(value_name = "JOB")]
		job: u64,
		#[command(flatten)]
		signing: Signing,
	},
}

/// Arguments of `tensornet job submit`.
#[derive(Args)]
#[command(after_help = "\
Examples:
  Post a job and go on
      tensornet job submit 0x… --input image.bin --max-price 0.5 --key ~/.tensornet-key

  Wait for the result, checked against the chain
      tensornet job submit 0x… --input image.bin --max-price 0.5 --key ~/.tensornet-key \\
          --wait --output result.bin

Files hold the tensors' bytes in storage layout: tensornet program inspect shows types and sizes.")]
pub struct Submit {
	/// The 0x id of a registered program, or the compiled program itself.
	#[arg(value_name = "ID|FILE")]
	program: ProgramName,
	/// File of an input, once for each input in program order.
	#[arg(long, value_name = "FILE")]
	input: Vec<PathBuf>,
	/// File of a first state, once for each state in program order.
	#[arg(long, value_name = "FILE")]
	state: Vec<PathBuf>,
	/// How often the program runs.
	#[arg(long, default_value_t = 1, value_name = "N")]
	iterations: u32,
	/// The most you pay in all, in TNA.
	#[arg(long, value_name = "TNA")]
	max_price: Tna,
	/// Blocks until the result is no longer wanted. Enough for two nodes to try if left out.
	#[arg(long, value_name = "N")]
	deadline_blocks: Option<u32>,
	/// Folder in which inputs and outputs are kept under their roots.
	#[arg(long, value_name = "DIR", default_value = "tensornet-blobs")]
	blobs: PathBuf,
	/// Base URL under which nodes can fetch that folder's files. Its file:// URL if left out, which
	/// only serves nodes on this machine.
	#[arg(long, value_name = "URL")]
	hint: Option<String>,
	/// Wait for the job: until it is final and paid, or with --wait=revealed for its result only.
	#[arg(long, value_name = "UNTIL", num_args = 0..=1, require_equals = true, default_missing_value = "settled")]
	wait: Option<Until>,
	/// Write the output here; once for each output of the program. Implies --wait.
	#[arg(long, value_name = "FILE")]
	output: Vec<PathBuf>,
	#[command(flatten)]
	signing: Signing,
}

/// How long to wait for a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Until {
	/// A node has staked its bond on the result.
	Revealed,
	/// The result stood and was paid.
	Settled,
}

/// Runs a command of this group.
pub async fn run(command: Command, context: &Context) -> Result<()> {
	match command {
		Command::Estimate { program, iterations } => estimate(program, iterations, context).await,
		Command::Submit(arguments) => submit(arguments, context).await,
		Command::Watch { job } => watch(job, context).await,
		Command::Show { job } => {
			let at = context.connect().await?.best().await?;
			let status = status(&at, job).await?.with_context(|| unknown(job))?;
			context.output.one(&View::new(&status))
		}
		Command::Cancel { job, signing } => {
			signing.signer()?;
			let chain = context.connect().await?;
			let status = status(&chain.best().await?, job).await?.with_context(|| unknown(job))?;
			if status.stage != Stage::Queued {
				bail!(
					"job {job} is {}: only a queued job can be withdrawn{}",
					status.stage.name(),
					if status.stage.is_end() {
						""
					} else {
						"; what is not paid comes back by itself"
					}
				);
			}
			let effect = format!("withdraw job {job} and release {}", tna_text(status.held));
			let sent = signing.send(&chain, &calls::cancel_job(job), effect).await?;
			context.output.one(&sent)
		}
	}
}

fn unknown(job: u64) -> String {
	format!("the chain knows no job {job}: it never existed, or ended longer ago than outcomes are kept")
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

/// A job that was posted.
#[derive(Serialize)]
struct Submitted {
	job: Option<u64>,
	transaction: Sent,
}

impl fmt::Display for Submitted {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		if let Some(job) = self.job {
			writeln!(f, "job:       {job}")?;
		}
		write!(f, "{}", self.transaction)?;
		match self.job {
			Some(job) => writeln!(f, "Follow it with: tensornet job watch {job}"),
			None => Ok(()),
		}
	}
}

async fn submit(arguments: Submit, context: &Context) -> Result<()> {
	let Submit { signing, .. } = &arguments;
	signing.signer()?;
	let program = match &arguments.program {
		ProgramName::Id(id) => *id,
		ProgramName::File(path) => read(path)?.id(),
	};
	let order = Order {
		program,
		inputs: read_files(&arguments.input)?,
		states: read_files(&arguments.state)?,
		iterations: arguments.iterations,
		max_price: arguments.max_price.0,
		lifetime: arguments.deadline_blocks,
		hint: arguments.hint.clone(),
	};
	let store = BlobStore::open(&arguments.blobs)?;
	let chain = context.connect().await?;
	let prepared = order.request(&chain.best().await?, &store).await?;
	let outputs = prepared.program.program().outputs.len();
	ensure!(
		arguments.output.is_empty() || arguments.output.len() == outputs,
		"the program has {outputs} output(s), {} --output given: name one file for each",
		arguments.output.len()
	);
	let effect = format!(
		"post a job of {} MACs for at most {}, wanted within {} blocks",
		count(u128::from(prepared.program.macs()) * u128::from(order.iterations)),
		tna_text(order.max_price),
		prepared.lifetime
	);
	let sent = signing.send(&chain, &calls::submit_job(prepared.request), effect).await?;
	let job = sent.receipt.as_ref().map(job_number).transpose()?;
	let wait = arguments.wait.or((!arguments.output.is_empty()).then_some(Until::Settled));
	match (job, wait) {
		(Some(job), Some(until)) => {
			let waiting = Waiting { chain: &chain, program: &prepared.program, store: &store };
			let done = waiting.result(job, until, context).await?;
			let files = done.write(&arguments.output)?;
			context.output.one(&Finished { status: View::new(&done.status), outputs: files })
		}
		_ => context.output.one(&Submitted { job, transaction: sent }),
	}
}

fn read_files(paths: &[PathBuf]) -> Result<Vec<Vec<u8>>> {
	paths
		.iter()
		.map(|path| std::fs::read(path).with_context(|| format!("cannot read {}", path.display())))
		.collect()
}

/// What waiting for a job needs.
struct Waiting<'a> {
	chain: &'a Chain,
	program: &'a CheckedProgram,
	store: &'a BlobStore,
}

/// A job with its outputs, checked against the chain.
struct Done {
	status: JobStatus,
	outputs: Vec<(Root, Vec<u8>)>,
}

impl Waiting<'_> {
	/// Waits, shows progress on stderr, and fetches the outputs as soon as they are revealed. If that
	/// attempt fails later, the outputs of the one that stands replace them.
	async fn result(&self, job: u64, until: Until, context: &Context) -> Result<Done> {
		let progress = Progress::new(job, context);
		let mut status = follow(
			self.chain,
			job,
			|status| status.trace_root.is_some(),
			|status| progress.show(status),
		)
		.await?;
		let mut outputs = self.outputs(&status).await;
		if until == Until::Settled && !status.stage.is_end() {
			progress.say("result here; waiting until it is final");
			let revealed = status.trace_root;
			status = follow(self.chain, job, |_| false, |status| progress.show(status)).await?;
			if status.trace_root != revealed || outputs.is_err() {
				outputs = self.outputs(&status).await;
			}
		}
		progress.end();
		if status.stage.is_end() && status.stage != Stage::Settled {
			bail!("job {job} {}: there is no result, and nothing was paid", status.stage.name());
		}
		Ok(Done { status, outputs: outputs? })
	}

	async fn outputs(&self, status: &JobStatus) -> Result<Vec<(Root, Vec<u8>)>> {
		let Some(node) = status.node.filter(|_| status.trace_root.is_some()) else {
			return Ok(Vec::new());
		};
		let at = self.chain.best().await?;
		let outputs = fetch_outputs(&at, self.program, &node, &status.outputs, self.store).await?;
		Ok(status.outputs.iter().copied().zip(outputs).collect())
	}
}

impl Done {
	/// Writes the outputs to the named files, if any.
	fn write(&self, files: &[PathBuf]) -> Result<Vec<OutputFile>> {
		let mut written = Vec::new();
		for (number, (output_root, bytes)) in self.outputs.iter().enumerate() {
			let file = files.get(number);
			if let Some(path) = file {
				std::fs::write(path, bytes)
					.with_context(|| format!("cannot write the output to {}", path.display()))?;
			}
			written.push(OutputFile {
				root: root(output_root),
				bytes: bytes.len(),
				file: file.map(|path| shown(path)),
			});
		}
		Ok(written)
	}
}

fn shown(path: &Path) -> String {
	path.display().to_string()
}

/// Progress on stderr: a spinner on a terminal, else a line for each step.
struct Progress {
	bar: ProgressBar,
	job: u64,
	plain: bool,
}

impl Progress {
	fn new(job: u64, context: &Context) -> Self {
		let bar = ProgressBar::new_spinner();
		let plain = bar.is_hidden();
		if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} ({elapsed})") {
			bar.set_style(style);
		}
		bar.set_message(format!("job {job}"));
		bar.enable_steady_tick(Duration::from_millis(120));
		if context.output.is_json() {
			bar.set_draw_target(indicatif::ProgressDrawTarget::hidden());
		}
		Self { bar, job, plain: plain && !context.output.is_json() }
	}

	fn show(&self, status: &JobStatus) {
		self.say(&describe(status));
	}

	fn say(&self, text: &str) {
		let line = format!("job {}: {text}", self.job);
		if self.plain {
			eprintln!("{line}");
		} else {
			self.bar.set_message(line);
		}
	}

	fn end(&self) {
		self.bar.finish_and_clear();
	}
}

/// A step of a job in a line.
pub fn describe(status: &JobStatus) -> String {
	let node = status.node.map(|node| format!(" by {}", address(&node))).unwrap_or_default();
	let due = status.due.map(|due| format!(", next step by block {due}")).unwrap_or_default();
	format!("{}{node} at block {}{due}", status.stage.name(), status.block)
}

async fn watch(job: u64, context: &Context) -> Result<()> {
	let chain = context.connect().await?;
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

#[derive(Serialize)]
struct Line(String);

impl fmt::Display for Line {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		f.write_str(&self.0)
	}
}

/// A job as it is shown.
#[derive(Serialize)]
struct View {
	job: u64,
	stage: Stage,
	block: u64,
	requester: String,
	program: String,
	attempt: Option<u8>,
	node: Option<String>,
	price: Option<String>,
	held: String,
	due: Option<u32>,
	trace_root: Option<String>,
	output_roots: Vec<String>,
	audited: bool,
	money: Option<Money>,
	ended_at: Option<u32>,
}

#[derive(Serialize)]
struct Money {
	paid: String,
	burned: String,
	treasury: String,
	author: String,
	refunded: String,
}

impl View {
	fn new(status: &JobStatus) -> Self {
		Self {
			job: status.job,
			stage: status.stage,
			block: status.block,
			requester: address(&status.requester),
			program: root(&status.program),
			attempt: status.attempt,
			node: status.node.as_ref().map(address),
			price: status.price.map(tna),
			held: tna(status.held),
			due: status.due,
			trace_root: status.trace_root.as_ref().map(root),
			output_roots: status.outputs.iter().map(root).collect(),
			audited: status.audited,
			money: status.receipt.as_ref().map(|receipt| Money {
				paid: tna(receipt.paid),
				burned: tna(receipt.burned),
				treasury: tna(receipt.treasury),
				author: tna(receipt.author),
				refunded: tna(receipt.refunded),
			}),
			ended_at: status.ended_at,
		}
	}
}

impl fmt::Display for View {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		let amount = |amount: &String| format!("{amount} TNA");
		let money = self.money.as_ref();
		let facts = Facts::new()
			.line("job", self.job)
			.line("stage", self.stage.name())
			.line("requester", &self.requester)
			.line("program", &self.program)
			.maybe("attempt", self.attempt)
			.maybe("node", self.node.as_ref())
			.maybe("price", self.price.as_ref().map(amount))
			.line("held", amount(&self.held))
			.maybe("trace root", self.trace_root.as_ref())
			.maybe("outputs", (!self.output_roots.is_empty()).then(|| self.output_roots.join(" ")))
			.line("audited", if self.audited { "yes" } else { "no" })
			.maybe("next step by", self.due.map(|due| format!("block {due}")))
			.maybe("paid", money.map(|money| amount(&money.paid)))
			.maybe("burned", money.map(|money| amount(&money.burned)))
			.maybe("treasury", money.map(|money| amount(&money.treasury)))
			.maybe("author", money.map(|money| amount(&money.author)))
			.maybe("refunded", money.map(|money| amount(&money.refunded)))
			.maybe("ended at", self.ended_at.map(|block| format!("block {block}")));
		write!(f, "{facts}")
	}
}

/// A job that was waited for.
#[derive(Serialize)]
struct Finished {
	#[serde(flatten)]
	status: View,
	outputs: Vec<OutputFile>,
}

#[derive(Serialize)]
struct OutputFile {
	root: String,
	bytes: usize,
	file: Option<String>,
}

impl fmt::Display for Finished {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		write!(f, "{}", self.status)?;
		for (number, output) in self.outputs.iter().enumerate() {
			let place = output.file.as_deref().unwrap_or("kept in the blob folder");
			writeln!(f, "output {number}: {} bytes, root checked, {place}", output.bytes)?;
		}
		Ok(())
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	fn settled() -> JobStatus {
		JobStatus {
			job: 4,
			block: 30,
			stage: Stage::Settled,
			requester: [1; 32],
			program: [2; 32],
			attempt: None,
			node: Some([3; 32]),
			price: Some(1_500_000_000_000),
			held: 2_000_000_000_000,
			due: None,
			trace_root: Some([4; 32]),
			outputs: vec![[5; 32]],
			audited: true,
			receipt: Some(records::Receipt {
				paid: 1_000_000_000_000,
				burned: 300_000_000_000,
				treasury: 100_000_000_000,
				author: 100_000_000_000,
				refunded: 500_000_000_000,
			}),
			ended_at: Some(28),
		}
	}

	#[test]
	fn json_has_amounts_as_exact_decimal_strings() {
		let json = serde_json::to_value(View::new(&settled())).unwrap();
		assert_eq!(json["stage"], "settled");
		assert_eq!(json["price"], "1.5");
		assert_eq!(json["money"]["burned"], "0.3");
		assert_eq!(json["audited"], true);
	}

	#[test]
	fn text_names_everything_that_was_paid() {
		let text = View::new(&settled()).to_string();
		for part in ["settled", "paid:", "burned:", "refunded:", "0.5 TNA", "block 28"] {
			assert!(text.contains(part), "{part} is missing in\n{text}");
		}
	}

	#[test]
	fn outputs_are_written_to_the_files_named_for_them() {
		let folder = tempfile::tempdir().unwrap();
		let file = folder.path().join("out");
		let done = Done { status: settled(), outputs: vec![([5; 32], vec![1, 2, 3])] };
		let written = done.write(std::slice::from_ref(&file)).unwrap();
		assert_eq!(std::fs::read(&file).unwrap(), [1, 2, 3]);
		assert_eq!(written[0].bytes, 3);
		assert!(done.write(&[folder.path().join("no/such/folder")]).is_err());
	}
}
