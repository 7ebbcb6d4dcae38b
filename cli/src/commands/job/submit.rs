// SPDX-License-Identifier: Apache-2.0

//! Posting a job, waiting for it, and fetching its outputs.

use anyhow::{bail, ensure, Context as _, Result};
use clap::{Args, ValueEnum};
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;
use std::{fmt, path::PathBuf, time::Duration};
use tensornet_client::{calls, funds, BlobStore, Chain, Root, Tna};
use tensornet_tensor::CheckedProgram;

use super::{
	unknown,
	view::{describe, View},
};
use crate::{
	commands::program::{base_url, from_chain, ProgramName},
	network::{fetch_outputs, follow, job_number, market_prices, status, JobStatus, Order, Stage},
	output::{address, count, may_write, root, tna_text, write_file},
	signing::{Effect, Sent, Signing},
	Context,
};

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
	#[arg(long, value_name = "URL", value_parser = base_url)]
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

/// `tensornet job submit`.
pub async fn submit(arguments: Submit, context: &Context) -> Result<()> {
	let Submit { signing, .. } = &arguments;
	let signer = signing.signer()?;
	let order = Order {
		program: arguments.program.id()?,
		inputs: read_files(&arguments.input)?,
		states: read_files(&arguments.state)?,
		iterations: arguments.iterations,
		max_price: arguments.max_price.0,
		lifetime: arguments.deadline_blocks,
		hint: arguments.hint.clone(),
	};
	arguments.output.iter().try_for_each(|path| may_write(path))?;
	let chain = context.connect().await?;
	let at = chain.best().await?;
	let store = BlobStore::open(&arguments.blobs)?;
	let prepared = order.request(&at, &store).await?;
	check_outputs(&prepared.program, &arguments.output)?;
	let funds = funds::balance(&at, &signer.account()).await?.free;
	ensure!(
		funds > order.max_price,
		"{} has {} free, and the job holds {} until it ends: lower --max-price, or add TNA \
		 (tensornet job estimate shows what the job costs)",
		address(&signer.account()),
		tna_text(funds),
		tna_text(order.max_price)
	);
	let macs = u128::from(prepared.program.macs()) * u128::from(order.iterations);
	match market_prices(&at, macs).await? {
		Some((price, _)) if price <= order.max_price => {}
		Some((price, _)) => eprintln!(
			"note: the cheapest node online takes {}: at --max-price {} the job waits for a cheaper one",
			tna_text(price),
			Tna(order.max_price)
		),
		None => eprintln!("note: no node is online: the job waits for one"),
	}
	let effect = format!(
		"post a job of {} MACs for at most {}, wanted within {} blocks; beside the price a deposit for \
		 its storage is held until it ends",
		count(macs),
		tna_text(order.max_price),
		prepared.lifetime
	);
	let effect = Effect::from(effect).holding(order.max_price);
	let call = calls::submit_job(prepared.request);
	let sent = signing.send(context, &chain, &call, effect).await?;
	let job = sent.receipt.as_ref().map(job_number).transpose()?;
	let wait = arguments.wait.or((!arguments.output.is_empty()).then_some(Until::Settled));
	match (job, wait) {
		(Some(job), Some(until)) => {
			context.note(format!(
				"job {job} is posted and goes on: tensornet job watch {job} follows it, tensornet job \
				 fetch {job} gets the output"
			));
			let waiting = Waiting { chain: &chain, program: &prepared.program, store: &store };
			let done = waiting.result(job, until, context).await?;
			done.print(&arguments.output, context)
		}
		_ => context.output.one(&Submitted { job, transaction: sent }),
	}
}

/// Arguments of `tensornet job fetch`.
#[derive(Args)]
pub struct Fetch {
	/// The job's number.
	#[arg(value_name = "JOB")]
	job: u64,
	/// Write the output here; once for each output of the program.
	#[arg(long, value_name = "FILE")]
	output: Vec<PathBuf>,
	/// Folder in which outputs are kept under their roots.
	#[arg(long, value_name = "DIR", default_value = "tensornet-blobs")]
	blobs: PathBuf,
}

/// `tensornet job fetch`.
pub async fn fetch(arguments: Fetch, context: &Context) -> Result<()> {
	let Fetch { job, output, blobs } = arguments;
	output.iter().try_for_each(|path| may_write(path))?;
	let chain = context.connect().await?;
	let at = chain.best().await?;
	let status = status(&at, job).await?.with_context(|| unknown(job))?;
	ensure!(
		status.trace_root.is_some(),
		"job {job} is {}: {}",
		status.stage.name(),
		if status.stage.is_end() { "there is no output" } else { "its output is not revealed yet" }
	);
	let program = from_chain(&at, &status.program).await?.0;
	check_outputs(&program, &output)?;
	let store = BlobStore::open(&blobs)?;
	let waiting = Waiting { chain: &chain, program: &program, store: &store };
	let outputs = waiting.outputs(&status).await?;
	Done { status, outputs }.print(&output, context)
}

fn check_outputs(program: &CheckedProgram, files: &[PathBuf]) -> Result<()> {
	let outputs = program.program().outputs.len();
	ensure!(
		files.is_empty() || files.len() == outputs,
		"the program has {outputs} output(s), {} --output given: name one file for each",
		files.len()
	);
	Ok(())
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
			let before = status.clone();
			let show = |status: &JobStatus| {
				if status.is_news(&before) {
					progress.show(status);
				}
			};
			status = follow(self.chain, job, |_| false, show).await?;
			if status.trace_root != before.trace_root || outputs.is_err() {
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
	/// Prints the job, with the outputs written to the named files, if any.
	fn print(&self, files: &[PathBuf], context: &Context) -> Result<()> {
		let outputs = self.write(files)?;
		context.output.one(&Finished { status: View::new(&self.status), outputs })
	}

	fn write(&self, files: &[PathBuf]) -> Result<Vec<OutputFile>> {
		let mut written = Vec::new();
		for (number, (output_root, bytes)) in self.outputs.iter().enumerate() {
			let file = files.get(number);
			if let Some(path) = file {
				write_file(path, bytes)?;
			}
			written.push(OutputFile {
				root: root(output_root),
				bytes: bytes.len(),
				file: file.map(|path| path.display().to_string()),
			});
		}
		Ok(written)
	}
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

	#[test]
	fn outputs_are_written_to_the_files_named_for_them() {
		let folder = tempfile::tempdir().unwrap();
		let file = folder.path().join("out");
		let status = crate::network::tests::revealed();
		let done = Done { status, outputs: vec![([5; 32], vec![1, 2, 3])] };
		let written = done.write(std::slice::from_ref(&file)).unwrap();
		assert_eq!(std::fs::read(&file).unwrap(), [1, 2, 3]);
		assert_eq!(written[0].bytes, 3);
		assert!(done.write(&[folder.path().join("no/such/folder")]).is_err());
	}
}
