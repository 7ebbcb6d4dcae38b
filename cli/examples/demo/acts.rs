// SPDX-License-Identifier: Apache-2.0

//! The two acts: honest jobs, and a lie that is caught.

use anyhow::{bail, ensure, Context, Result};
use std::{
	path::{Path, PathBuf},
	sync::Arc,
	time::Instant,
};
use tensornet_cli::{
	network::{collect, fetch_outputs, job_number, JobStatus, Order, Stage},
	output::{address, root, tna},
};
use tensornet_client::{
	calls,
	staking::slashes_of,
	verdicts::{AttemptFailed, Slash},
	AccountId, BlobStore, Signer,
};
use tensornet_protocol::price_of;

use crate::{
	children::Children,
	file_type::FileType,
	parties::{name_of, CHEAT, NODES, REQUESTER},
	report::{FraudReport, JobReport, Label},
	screen::Screen,
	watch::{Revealed, Step, Watched},
	world::{ask, call_all, worker_name, World},
};

/// How often more jobs are posted where the beacon spared all before from an audit.
const AUDIT_ROUNDS: usize = 4;

/// What both acts work with.
pub struct Play {
	/// The chain and its nodes.
	pub world: World,
	/// The model.
	pub model: Arc<FileType>,
	/// The requester's blobs.
	pub store: BlobStore,
	/// Progress.
	pub screen: Arc<Screen>,
}

/// A job that has ended, with its output.
pub struct Ended {
	/// What happened.
	pub watched: Watched,
	/// How it ended.
	pub status: JobStatus,
	/// The file.
	pub path: PathBuf,
	/// Bytes of the outputs.
	pub outputs: Vec<Vec<u8>>,
	/// Seconds until they were here.
	pub output_seconds: f64,
	/// Number of the block that the job was posted in.
	pub posted_block: u64,
}

impl Play {
	/// Posts one job for each file, and sees all of them through to their ends. Posts more until at
	/// least one was audited.
	pub async fn honest_jobs(&self, files: &[PathBuf]) -> Result<Vec<Ended>> {
		let mut ended = self.jobs(files).await?;
		for _ in 0..AUDIT_ROUNDS {
			if ended.iter().any(|job| job.status.audited) {
				return Ok(ended);
			}
			self.screen.say("the beacon spared all jobs from an audit: posting more");
			ended.extend(self.jobs(files).await?);
		}
		bail!("{} jobs settled and none was audited", ended.len())
	}

	async fn jobs(&self, files: &[PathBuf]) -> Result<Vec<Ended>> {
		let posted = self.post(files).await?;
		let mut watches = tokio::task::JoinSet::new();
		for (watched, posted_block, path) in posted {
			let play = self.clone_for_task();
			watches.spawn(async move { play.see_through(watched, posted_block, path).await });
		}
		let mut ended = Vec::new();
		while let Some(job) = watches.join_next().await {
			ended.push(job??);
		}
		ended.sort_by_key(|job| job.watched.job);
		for job in &ended {
			ensure!(
				job.status.stage == Stage::Settled,
				"job {} {} instead of being settled",
				job.watched.job,
				job.status.stage.name()
			);
		}
		Ok(ended)
	}

	fn clone_for_task(&self) -> Task {
		Task {
			chain: self.world.chain.clone(),
			parties: self.world.parties.clone(),
			model: self.model.clone(),
			store: self.store.clone(),
			screen: self.screen.clone(),
		}
	}

	/// Posts one job for each file, all at once.
	async fn post(&self, files: &[PathBuf]) -> Result<Vec<(Watched, u64, PathBuf)>> {
		let requester = Signer::from_uri(REQUESTER)?;
		let chain = &self.world.chain;
		let at = chain.best().await?;
		let highest = NODES.iter().map(ask).max().unwrap_or_default();
		let macs = u128::from(self.model.program().macs());
		let price: u128 = price_of(macs, highest).context("the price does not fit")?;
		let mut calls = Vec::new();
		for path in files {
			let input = self.model.input(path)?;
			// A little more than the dearest node asks, so that something comes back.
			let order = Order::new(self.model.program().id(), vec![input], price + price / 4);
			let prepared = order.request(&at, &self.store).await?;
			calls.push(calls::submit_job(prepared.request));
		}
		let posted = Instant::now();
		let receipts = call_all(chain, &requester, &calls).await?;
		let mut jobs = Vec::new();
		for (receipt, path) in receipts.iter().zip(files) {
			let job = job_number(receipt)?;
			let block = chain.at(receipt.block).await?.number();
			let file = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
			self.screen
				.say(format!("job {job}: {file}, at most {} TNA held", tna(price + price / 4)));
			jobs.push((Watched::new(job, file, posted), block, path.clone()));
		}
		Ok(jobs)
	}

	/// Tells one node to cheat, gives it a job, and sees it caught by another.
	pub async fn lie(
		&self,
		children: &mut Children,
		path: &Path,
		honest: &[Vec<u8>],
	) -> Result<(Ended, FraudReport)> {
		let cheat = &NODES[CHEAT];
		let cheat_account = Signer::from_uri(cheat.stash)?.account();
		let honest_nodes: Vec<usize> = (0..NODES.len()).filter(|number| *number != CHEAT).collect();
		let (checkpoint, index) = self.model.visible_lie(honest)?;
		children.kill(&worker_name(cheat));
		self.world.start_worker(CHEAT, Some(format!("0:{checkpoint}:{index}")), children)?;
		self.world.worker_ready(CHEAT, children).await?;
		self.screen.say(format!(
			"{} is told to change element {index} of checkpoint {checkpoint} in what it commits to",
			cheat.name
		));
		self.world.switch(&honest_nodes, false).await?;
		self.screen.say("the others pause, so that the cheat gets the next job");

		let (mut watched, posted_block, path) =
			self.post(&[path.to_owned()]).await?.pop().context("no job was posted")?;
		let task = self.clone_for_task();
		self.screen.wait("the cheat to be drawn");
		let status = watched
			.until(&task.chain, &task.screen, &task.parties, |status| status.node.is_some())
			.await?;
		ensure!(status.node == Some(cheat_account), "the job went to another node than the cheat");
		self.world.switch(&honest_nodes, true).await?;
		self.screen.say("the others take jobs again, and check what is revealed");
		self.screen.wait("the lie to be revealed and proven, and the job to be computed again");
		let ended = task.see_through(watched, posted_block, path).await?;
		ensure!(
			ended.status.stage == Stage::Settled,
			"job {} {}: no honest node computed it again",
			ended.watched.job,
			ended.status.stage.name()
		);
		let report = self.judge(&ended).await?;
		Ok((ended, report))
	}

	/// What the chain found about the lie.
	async fn judge(&self, ended: &Ended) -> Result<FraudReport> {
		let parties = &self.world.parties;
		let job = ended.watched.job;
		let last = ended.status.ended_at.unwrap_or_default();
		let verdicts = self.world.court.up_to(last.into()).await?;
		let fraud = verdicts
			.frauds
			.iter()
			.find(|fraud| fraud.job == job)
			.context("the lie was not proven: no FraudProven event")?;
		let failure = verdicts
			.failures
			.iter()
			.find(|failure| failure.job == job && failure.node == fraud.node)
			.context("the cheat was not judged: no JobAttemptFailed event")?;
		let reporter =
			fraud.reporter.context("the lie was found by an audit, not by another party")?;
		let cheat_key = Signer::from_uri(NODES[CHEAT].operator)?.account();
		ensure!(reporter != cheat_key, "the cheat reported itself");
		let revealed: &Revealed = ended
			.watched
			.steps
			.iter()
			.filter_map(|step: &Step| step.revealed.as_ref())
			.find(|revealed| revealed.node == fraud.node)
			.context("the cheat's result was not seen")?;
		let at = self.world.chain.best().await?;
		let program = self.model.program();
		let lie =
			fetch_outputs(&at, program, &revealed.node, &revealed.outputs, &self.store).await?;
		let honest_node = ended.status.node.context("the job has no node")?;
		let slash = self.carried_out(&fraud.node, failure).await?;
		Ok(FraudReport {
			job,
			cheat: name_of(parties, &fraud.node),
			reporter: name_of(parties, &reporter),
			checkpoint: fraud.element.checkpoint,
			index: fraud.element.index,
			claimed: fraud.claimed,
			computed: fraud.computed,
			cheat_output: self.model.label(&lie)?,
			honest_output: self.model.label(&ended.outputs)?,
			honest_node: name_of(parties, &honest_node),
			slashed: tna(slash.total),
			to_requester: tna(slash.to_requester),
			to_reporter: tna(slash.to_reporter),
			burned: tna(slash.burned),
		})
	}

	/// Waits until the time for an appeal is over and the decided slash was carried out.
	async fn carried_out(&self, node: &AccountId, decided: &AttemptFailed) -> Result<Slash> {
		let at = self.world.chain.best().await?;
		let due = slashes_of(&at, node).await?.last().map_or(0, |slash| u64::from(slash.due));
		let name = name_of(&self.world.parties, node);
		self.screen.say(format!(
			"{name} is to lose {} TNA in block {due}; until then the slash can be appealed",
			tna(decided.slashed)
		));
		self.screen.wait("the slash to be carried out");
		let verdicts = self.world.court.up_to(due.max(at.number())).await?;
		let planned = Slash {
			total: decided.slashed,
			burned: decided.burned,
			to_reporter: decided.to_reporter,
			to_requester: decided.to_requester,
		};
		let found = verdicts.slashes.iter().filter(|slash| slash.stash == *node);
		found
			.map(|slashed| slashed.slash)
			.find(|slash| *slash == planned)
			.context("the slash was not carried out as it was decided: no such NodeSlashed event")
	}

	/// A job as it stands in the summary.
	pub async fn report(&self, ended: &Ended) -> Result<JobReport> {
		let Ended { watched, status, .. } = ended;
		let receipt = status.receipt.clone().context("the job has not ended")?;
		let node = status.node.context("the job has no node")?;
		let verdicts = self.world.court.up_to(status.ended_at.unwrap_or_default().into()).await?;
		let failures = verdicts.failures.iter().filter(|failure| failure.job == watched.job);
		let (slashed, compensated) = failures.fold((0, 0), |(slashed, compensated), failure| {
			(slashed + failure.slashed, compensated + failure.to_requester)
		});
		let output = self.model.label(&ended.outputs)?;
		let reference: Label = self.model.reference(&ended.path)?;
		Ok(JobReport {
			job: watched.job,
			file: watched.file.clone(),
			state: status.stage.name(),
			program: root(&status.program),
			node: name_of(&self.world.parties, &node),
			node_address: address(&node),
			price: tna(status.price.unwrap_or_default()),
			held: tna(status.held),
			paid: tna(receipt.paid),
			burned: tna(receipt.burned),
			treasury: tna(receipt.treasury),
			author: tna(receipt.author),
			lineage: tna(receipt.lineage),
			refunded: tna(receipt.refunded),
			slashed: tna(slashed),
			compensated: tna(compensated),
			trace_root: status.trace_root.as_ref().map(root).unwrap_or_default(),
			audited: status.audited,
			agrees: output.label == reference.label,
			output,
			reference,
			seconds_to_output: ended.output_seconds,
			seconds_to_settlement: watched.steps.last().map_or(0.0, |step| step.seconds),
			blocks_to_settlement: u64::from(status.ended_at.unwrap_or_default())
				.saturating_sub(ended.posted_block),
			steps: watched.steps.clone(),
			burned_units: receipt.burned,
		})
	}
}

/// What a task needs that sees a job through.
struct Task {
	chain: tensornet_client::Chain,
	parties: Arc<Vec<crate::parties::Party>>,
	model: Arc<FileType>,
	store: BlobStore,
	screen: Arc<Screen>,
}

impl Task {
	/// Follows a job to its end; fetches and checks each output that is revealed on the way.
	async fn see_through(
		self,
		mut watched: Watched,
		posted_block: u64,
		path: PathBuf,
	) -> Result<Ended> {
		let program = self.model.program();
		let Self { chain, parties, screen, .. } = &self;
		let mut fetched = None;
		let mut outputs = Vec::new();
		let mut output_seconds = 0.0;
		loop {
			let is_new =
				|status: &JobStatus| status.trace_root.is_some() && status.trace_root != fetched;
			let status = watched.until(chain, screen, parties, is_new).await?;
			if status.trace_root.is_some() && status.trace_root != fetched {
				outputs = collect(chain, program, &status, &self.store).await?.outputs;
				output_seconds = watched.posted.elapsed().as_secs_f64();
				fetched = status.trace_root;
				let label = self.model.label(&outputs)?;
				screen.say(format!(
					"job {}: the output is here and its hash is the chain's: {} ({:.3})",
					watched.job, label.label, label.score
				));
			}
			if status.stage.is_end() {
				return Ok(Ended { watched, status, path, outputs, output_seconds, posted_block });
			}
		}
	}
}
