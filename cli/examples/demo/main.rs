// SPDX-License-Identifier: Apache-2.0

//! The main job, from a model file to a paid, audited and burned result, and a lie that is caught.
//!
//! Starts a development chain and three GPU nodes on this machine, has real files classified by a
//! compiled model, and lets one node cheat. Ends by itself with exit status 0 if everything that must
//! hold held. `make demo` builds and runs it.

mod acts;
mod children;
mod file_type;
mod parties;
mod report;
mod screen;
mod watch;
mod world;

use acts::Play;
use anyhow::{bail, Context, Result};
use children::Children;
use clap::Parser;
use file_type::FileType;
use parties::AUTHOR;
use report::{balance_rows, Checks, Ledger, ProgramReport, Seconds, Summary};
use screen::Screen;
use std::{
	collections::BTreeMap,
	path::{Path, PathBuf},
	process::ExitCode,
	sync::Arc,
	time::Duration,
};
use tensornet_cli::output::{bytes, count, root, tna};
use tensornet_client::{calls, funds::BURN_CAUSES, BlobStore, Signer};
use tensornet_tensor::{analyse, Limits};
use world::World;

/// The main job of TensorNet on a local development chain.
#[derive(Parser)]
struct Options {
	/// Where to write the summary. Logs go into the folder beside it.
	#[arg(long, default_value = "target/demo/summary.json")]
	summary: PathBuf,
	/// Files to classify; some of this repository if none is named. At least three.
	#[arg(long = "file", value_name = "FILE")]
	files: Vec<PathBuf>,
	/// Where all nodes compute: auto, cpu or gpu. By default they differ.
	#[arg(long, value_name = "DEVICE")]
	device: Option<String>,
	/// Seconds after which the demo gives up.
	#[arg(long, default_value_t = 900, value_name = "SECONDS")]
	timeout: u64,
}

/// Files of this repository, of different kinds.
const FILES: [&str; 5] =
	["cli/src/network.rs", "scripts/setup.sh", "Makefile", "README.md", "LICENSE"];

#[tokio::main]
async fn main() -> ExitCode {
	tensornet_cli::start_log();
	let options = Options::parse();
	match run(&options).await {
		Ok(true) => ExitCode::SUCCESS,
		Ok(false) => {
			eprintln!("error: the story ended, but not everything that must hold did: see above");
			ExitCode::FAILURE
		}
		Err(error) => {
			eprintln!("error: {error:#}");
			ExitCode::FAILURE
		}
	}
}

async fn run(options: &Options) -> Result<bool> {
	let folder = options.summary.parent().unwrap_or(Path::new(".")).to_owned();
	let work = folder.join("run");
	if work.exists() {
		std::fs::remove_dir_all(&work)
			.with_context(|| format!("cannot empty {}", work.display()))?;
	}
	std::fs::create_dir_all(&work).with_context(|| format!("cannot create {}", work.display()))?;
	// Workers are given absolute paths: they may not share our working directory for ever.
	let work = work.canonicalize()?;
	let mut children = Children::new(&work)?;
	let screen = Arc::new(Screen::new());
	let limit = Duration::from_secs(options.timeout);
	let told = tokio::select! {
		told = tokio::time::timeout(limit, tell(options, &work, &screen, &mut children)) => {
			told.unwrap_or_else(|_| bail!("not done within {} s", options.timeout))
		},
		() = interrupted() => bail!("stopped"),
	};
	screen.end();
	let summary = told.inspect_err(|_| eprintln!("{}", children.tails(20)))?;
	summary.write(&options.summary)?;
	println!("\n{}", summary.tables());
	println!("Summary: {}", options.summary.display());
	Ok(summary.ok)
}

async fn tell(
	options: &Options,
	work: &Path,
	screen: &Arc<Screen>,
	children: &mut Children,
) -> Result<Summary> {
	let mut seconds = Seconds::default();
	let mut mark = 0.0;
	let mut lap = |screen: &Screen| {
		let now = screen.seconds();
		let lap = now - mark;
		mark = now;
		lap
	};
	let files = files(options)?;

	screen.title("A model becomes an exact integer program");
	screen.wait("the compiled model");
	let constants = BlobStore::open(work.join("constants"))?;
	let model = Arc::new(FileType::load(&constants)?);
	let program = describe_program(&model)?;
	screen.say(format!(
		"program {}: {} on chain, {} MACs, {} checkpoints",
		program.id,
		bytes(program.bytes as u64),
		count(program.macs),
		program.checkpoints
	));
	seconds.program = lap(screen);

	screen.title("A chain, three nodes, a program");
	let world = World::start(work, options.device.clone(), screen, children).await?;
	let chain = world.chain.clone();
	let first = Ledger::read(&chain.finalized().await?, &world.parties).await?;
	screen.say(format!("the chain makes and finalizes blocks; {} TNA exist", tna(first.issuance)));
	seconds.chain = lap(screen);
	let author = Signer::from_uri(AUTHOR)?;
	let call = calls::register_program(model.program().encode(), &constants.base_url());
	chain.call(&call, &author).await.context("the program cannot be registered")?;
	screen.say("the program is registered; its author earns a share of every job");
	world.open_market(screen, children).await?;
	seconds.market = lap(screen);

	screen.title("First act: honest work");
	let store = BlobStore::open(work.join("requester"))?;
	let play = Play { world, model, store, screen: screen.clone() };
	screen.wait("jobs to be computed, sealed, revealed, audited and settled");
	let mut jobs = play.honest_jobs(&files).await?;
	let block = last_block(&jobs);
	let verdicts = play.world.court.up_to(block).await?;
	screen.say(format!("{} audits were passed on chain", verdicts.audits.len()));
	let middle = Ledger::read(&chain.finalized().await?, &play.world.parties).await?;
	seconds.jobs = lap(screen);

	screen.title("Second act: a lie");
	let (path, honest) = jobs
		.first()
		.map(|job| (job.path.clone(), job.outputs.clone()))
		.context("there is no honest job to compare with")?;
	let (ended, fraud) = play.lie(children, &path, &honest).await?;
	screen.say(format!(
		"{} was slashed by {} TNA; {} computed the job again: {} instead of {}",
		fraud.cheat,
		fraud.slashed,
		fraud.honest_node,
		fraud.honest_output.label,
		fraud.cheat_output.label
	));
	let same = ended.outputs == honest;
	jobs.push(ended);
	let last = Ledger::read(&chain.finalized().await?, &play.world.parties).await?;
	seconds.fraud = lap(screen);

	let (execute, commit) = play.world.worker_times().await?;
	children.check()?;
	let mut reports = Vec::new();
	for job in &jobs {
		reports.push(play.report(job).await?);
	}
	let mut checks = Checks::default();
	checks.ledger("After the jobs", &first, &middle);
	checks.ledger("At the end", &first, &last);
	for (job, report) in jobs.iter().zip(&reports) {
		let receipt = job.status.receipt.clone().unwrap_or_else(no_receipt);
		let parts = [
			receipt.paid,
			receipt.burned,
			receipt.treasury,
			receipt.author,
			receipt.lineage,
			receipt.refunded,
		];
		checks.equal(
			&format!("Job {}, held = paid + burned + shared + refunded", report.job),
			job.status.held,
			parts.iter().sum(),
		);
	}
	checks.equal(
		"The ledger's burn for jobs is what the jobs' receipts say",
		last.burned_for("Job") + last.burned_for("Lineage"),
		reports.iter().map(|report| report.burned_units).sum(),
	);
	checks.that("At least one honest job was audited and passed", !verdicts.audits.is_empty());
	checks.that(
		"Every output has the label of the float model where that is sure of it",
		reports.iter().all(|report| report.agrees || report.reference.score < 0.5),
	);
	checks.that(
		format!("The lie of {} was proven by {}", fraud.cheat, fraud.reporter),
		fraud.claimed != fraud.computed,
	);
	checks.that(
		format!("{} computed the same job to the same bits as before", fraud.honest_node),
		same && fraud.cheat != fraud.honest_node,
	);
	checks.that(
		"The requester was compensated from the slash",
		fraud.to_requester != "0" && fraud.slashed != "0",
	);
	checks.that(
		"What burned of the slash is in the ledger",
		tna(last.burned_for("Slash")) == fraud.burned,
	);
	seconds.total = screen.seconds();
	Ok(Summary {
		ok: checks.all_hold(),
		program,
		jobs: reports,
		fraud,
		balances: balance_rows(&play.world.parties, [&first, &middle, &last]),
		burned: BURN_CAUSES
			.iter()
			.map(|cause| (cause.to_lowercase(), tna(last.burned_for(cause))))
			.collect::<BTreeMap<_, _>>(),
		issuance: [&first, &middle, &last].map(|ledger| tna(ledger.issuance)),
		blocks: [first.block, middle.block, last.block],
		commitment_overhead: commit as f64 / (execute.max(1)) as f64,
		checks: checks.0,
		seconds,
	})
}

/// The files to classify: those that were named, or some of this repository.
fn files(options: &Options) -> Result<Vec<PathBuf>> {
	let files = if options.files.is_empty() {
		let repository = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
		FILES.iter().map(|file| repository.join(file)).collect()
	} else {
		options.files.clone()
	};
	if files.len() < 3 {
		bail!("name at least three files, not {}", files.len());
	}
	for file in &files {
		if !file.is_file() {
			bail!("{} is not a file: name others with --file", file.display());
		}
	}
	Ok(files)
}

fn describe_program(model: &FileType) -> Result<ProgramReport> {
	let program = model.program();
	let analysis = analyse(program, &Limits::default())
		.map_err(|error| anyhow::anyhow!("the chain would refuse the program: {error}"))?;
	let costs = &analysis.checkpoints;
	Ok(ProgramReport {
		id: root(&program.id()),
		bytes: program.encode().len(),
		macs: analysis.macs,
		checkpoints: costs.len(),
		arbitration_macs: costs.iter().map(|cost| cost.macs).max().unwrap_or_default(),
		arbitration_bytes: costs.iter().map(|cost| cost.open_bytes).max().unwrap_or_default(),
	})
}

fn last_block(jobs: &[acts::Ended]) -> u64 {
	jobs.iter().filter_map(|job| job.status.ended_at).max().unwrap_or_default().into()
}

fn no_receipt() -> tensornet_client::records::Receipt {
	tensornet_client::records::Receipt {
		paid: 0,
		burned: 0,
		treasury: 0,
		author: 0,
		lineage: 0,
		refunded: 0,
	}
}

/// Completes when the user or the system wants the demo to stop.
async fn interrupted() {
	#[cfg(unix)]
	{
		use tokio::signal::unix::{signal, SignalKind};
		let signals = signal(SignalKind::terminate())
			.and_then(|terminate| signal(SignalKind::hangup()).map(|hangup| (terminate, hangup)));
		if let Ok((mut terminate, mut hangup)) = signals {
			tokio::select! {
				_ = tokio::signal::ctrl_c() => {},
				_ = terminate.recv() => {},
				_ = hangup.recv() => {},
			}
			return;
		}
	}
	let _ = tokio::signal::ctrl_c().await;
}
