// SPDX-License-Identifier: Apache-2.0

//! The agent: follows finalized blocks and takes every assigned job from one step to the next.
//!
//! What to do next is decided from the chain's finalized state and the journal alone, never from
//! memory, so that a restart anywhere resumes: [`Agent::step`] may be called again at any time.

use anyhow::{Context, Result};
use futures::StreamExt;
use std::{
	collections::{HashMap, HashSet},
	sync::{atomic::Ordering::Relaxed, Arc},
	time::Duration,
};
use tensornet_client::{
	calls::{self, Call},
	chain::{Signed, SubmitError},
	execution::{Materials, StoredTrace, Tamper},
	records::{self, CommitmentRecord, JobRecord},
	AccountId, BlobStore, Chain, Signer, Snapshot,
};
use tensornet_commitment::{seal, Manifest, SealData};
use tensornet_protocol::arbitration::{build_proof, OutboardCache};
use tokio::sync::{watch, Mutex};

use crate::{
	engine::Engine,
	journal::{Journal, Pending, ResultRecord, Step},
	metrics::Metrics,
};

/// Works for one node.
pub struct Agent {
	chain: Chain,
	operator: Signer,
	node: AccountId,
	store: BlobStore,
	journal: Journal,
	metrics: Arc<Metrics>,
	engine: Engine,
	tamper: Option<Tamper>,
	/// Serialises nonces: held while a transaction is signed and handed to the node.
	submitting: Mutex<()>,
	/// Steps whose transaction is in a best block, waiting to be finalized, with the last block in
	/// which that transaction can be included.
	included: Mutex<HashMap<(u64, u8), (Step, u64)>>,
}

impl Agent {
	/// The agent of the node with the stash account `node`, whose hot key is `operator`. With
	/// `tamper` it lies, which only development chains have a use for.
	pub fn new(
		chain: Chain,
		operator: Signer,
		node: AccountId,
		store: BlobStore,
		journal: Journal,
		metrics: Arc<Metrics>,
		engine: Engine,
		tamper: Option<Tamper>,
	) -> Self {
		let (submitting, included) = Default::default();
		Self {
			chain,
			operator,
			node,
			store,
			journal,
			metrics,
			engine,
			tamper,
			submitting,
			included,
		}
	}

	/// Follows the chain until `stop` turns true, then finishes the steps under way.
	pub async fn run(self: Arc<Self>, mut stop: watch::Receiver<bool>) -> Result<()> {
		let mut jobs: HashSet<u64> = HashSet::new();
		let mut scanned = false;
		let mut running: HashMap<u64, tokio::task::JoinHandle<()>> = HashMap::new();
		let mut pause = Duration::from_millis(500);
		while !*stop.borrow() {
			let mut blocks = match self.chain.finalized_blocks().await {
				Ok(blocks) => blocks,
				Err(error) => {
					tracing::warn!(%error, "cannot follow the chain; trying again");
					tokio::time::sleep(pause).await;
					pause = (pause * 2).min(Duration::from_secs(10));
					continue;
				}
			};
			pause = Duration::from_millis(500);
			// A new subscription begins with blocks that were finalized before: nothing is new in them.
			let newest = match self.chain.finalized().await {
				Ok(snapshot) => snapshot.number(),
				Err(error) => {
					tracing::warn!(%error, "cannot read the finalized block");
					tokio::time::sleep(pause).await;
					continue;
				}
			};
			loop {
				let block = tokio::select! {
					_ = stop.wait_for(|stop| *stop) => break,
					block = blocks.next() => block,
				};
				let Some(Ok((number, hash))) = block else {
					// Blocks may have passed unseen: look at every job again.
					scanned = false;
					break;
				};
				if number < newest {
					continue;
				}
				self.metrics.block(number);
				if let Err(error) = self.discover(hash, &mut scanned, &mut jobs).await {
					tracing::warn!(%error, number, "cannot read a finalized block");
					scanned = false;
					continue;
				}
				running.retain(|_, task| !task.is_finished());
				for job in jobs.iter().copied().collect::<Vec<_>>() {
					if running.contains_key(&job) {
						continue;
					}
					match self.is_ours(job, hash).await {
						Ok(true) => {}
						Ok(false) => {
							jobs.remove(&job);
							continue;
						}
						Err(error) => {
							tracing::warn!(%error, job, "cannot look a job up");
							continue;
						}
					}
					let agent = self.clone();
					running.insert(
						job,
						tokio::spawn(async move {
							if let Err(error) = agent.step(job, hash).await {
								agent.metrics.retries.fetch_add(1, Relaxed);
								tracing::warn!(
									job,
									error = format!("{error:#}"),
									"step failed; it is tried again"
								);
							}
						}),
					);
				}
			}
		}
		tracing::info!(jobs = running.len(), "stopping: finishing steps under way");
		for (_, task) in running {
			let _ = task.await;
		}
		Ok(())
	}

	/// Adds the jobs that a finalized block gave to this node; the first time, all that it has.
	async fn discover(
		&self,
		block: [u8; 32],
		scanned: &mut bool,
		jobs: &mut HashSet<u64>,
	) -> Result<()> {
		let snapshot = self.chain.at(block).await?;
		if !*scanned {
			for (job, record) in records::jobs(&snapshot).await? {
				if record.node == Some(self.node) {
					jobs.insert(job);
				}
			}
			for (job, _) in self.journal.attempts()? {
				jobs.insert(job);
			}
			*scanned = true;
		}
		for event in records::assignments(&snapshot).await? {
			if event.node == self.node {
				tracing::info!(job = event.job, "assigned");
				jobs.insert(event.job);
			}
		}
		Ok(())
	}

	/// Whether this node has a job at a finalized block. The journal is cleared only where the chain
	/// shows that the job has ended or went on to a later attempt: a node that has just been connected
	/// to may show older blocks first, and in those the job is not there yet.
	async fn is_ours(&self, job: u64, block: [u8; 32]) -> Result<bool> {
		let snapshot = self.chain.at(block).await?;
		let live = records::job(&snapshot, job).await?;
		if live.as_ref().is_some_and(|record| record.node == Some(self.node)) {
			return Ok(true);
		}
		let over = match live {
			Some(record) => {
				let attempts = self.journal.attempts()?;
				let mut ours = attempts.iter().filter(|(number, _)| *number == job);
				ours.all(|(_, attempt)| *attempt < record.attempt)
			}
			None => records::has_ended(&snapshot, job).await?,
		};
		if over {
			self.journal.remove(job)?;
			self.included.lock().await.retain(|(number, _), _| *number != job);
		}
		Ok(false)
	}

	/// Takes a job one step further, if there is one to take at the finalized `block`.
	async fn step(&self, job: u64, block: [u8; 32]) -> Result<()> {
		let snapshot = self.chain.at(block).await?;
		let Some(record) = records::job(&snapshot, job).await? else { return Ok(()) };
		if record.node != Some(self.node) {
			return Ok(());
		}
		let commitment = records::commitment(&snapshot, job).await?;
		let step = match &commitment {
			None => Step::Commit,
			Some(commitment) if commitment.node != self.node => return Ok(()),
			Some(commitment) if commitment.revealed().is_none() => Step::Reveal,
			Some(_) => Step::AnswerAudit,
		};
		if self.waits_for_finality(job, record.attempt, step, snapshot.number()).await {
			return Ok(());
		}
		match (step, commitment) {
			(Step::Commit, _) => self.commit(job, &record, &snapshot).await,
			(Step::Reveal, _) => self.reveal(job, &record, &snapshot).await,
			(Step::AnswerAudit, Some(commitment)) => {
				self.answer_audit(job, &record, &commitment, &snapshot).await
			}
			(Step::AnswerAudit, None) => Ok(()),
		}
	}

	/// Whether a step's transaction is in a best block already. If that block is reverted the
	/// transaction returns to the pool, so it is only sent again once its era has passed without the
	/// chain showing it.
	async fn waits_for_finality(&self, job: u64, attempt: u8, step: Step, now: u64) -> bool {
		self.included
			.lock()
			.await
			.get(&(job, attempt))
			.is_some_and(|(done, until)| *done == step && now <= *until)
	}

	async fn commit(&self, job: u64, record: &JobRecord, snapshot: &Snapshot) -> Result<()> {
		let mut entry = self.journal.get(job, record.attempt)?;
		if record.commit_by.is_some_and(|by| snapshot.number() >= by.into()) {
			return Ok(());
		}
		if entry.result.is_none() {
			match self.execute(job, record, snapshot).await {
				Ok(result) => {
					entry.result = Some(result);
					self.journal.put(job, record.attempt, &entry)?;
				}
				Err(error) => {
					tracing::warn!(job, error = format!("{error:#}"), "cannot compute the job yet");
					return Err(error);
				}
			}
		}
		let Some(result) = entry.result else { return Ok(()) };
		let seal = seal(&SealData {
			genesis_hash: self.chain.genesis(),
			job,
			node: self.node,
			trace_root: result.trace_root,
			salt: result.salt,
		});
		if self.transact(job, record.attempt, Step::Commit, calls::commit(job, seal)).await? {
			self.metrics.committed.fetch_add(1, Relaxed);
			tracing::info!(job, trace_root = hex::encode(result.trace_root), "committed");
		}
		Ok(())
	}

	/// Gathers and runs a job, keeping its trace in the blob store.
	async fn execute(
		&self,
		job: u64,
		record: &JobRecord,
		snapshot: &Snapshot,
	) -> Result<ResultRecord> {
		let materials = self.gather(record, snapshot).await?;
		let (engine, store, tamper) = (self.engine.clone(), self.store.clone(), self.tamper);
		if tamper.is_some() {
			tracing::warn!(job, "development: this worker is told to cheat");
		}
		let trace = tokio::task::spawn_blocking(move || engine.execute(&materials, &store, tamper))
			.await??;
		self.metrics.executed.fetch_add(1, Relaxed);
		self.metrics.execute_milliseconds.fetch_add(trace.total.as_millis() as u64, Relaxed);
		self.metrics.commit_milliseconds.fetch_add(trace.hashing.as_millis() as u64, Relaxed);
		tracing::info!(
			job,
			seconds = trace.total.as_secs_f64(),
			commit_seconds = trace.hashing.as_secs_f64(),
			device = self.engine.name(),
			"executed"
		);
		Ok(ResultRecord {
			trace_root: trace.manifest.trace_root(),
			salt: random()?,
			execute_seconds: format!("{:.6}", trace.total.as_secs_f64()),
			commit_seconds: format!("{:.6}", trace.hashing.as_secs_f64()),
		})
	}

	async fn gather(&self, record: &JobRecord, snapshot: &Snapshot) -> Result<Materials> {
		let program = records::program(snapshot, &record.program)
			.await?
			.context("the job's program is not on chain")?;
		Materials::gather(
			&self.store,
			&program,
			&record.blobs,
			&[record.hint_url()],
			record.iterations,
		)
		.await
	}

	async fn reveal(&self, job: u64, record: &JobRecord, snapshot: &Snapshot) -> Result<()> {
		let entry = self.journal.get(job, record.attempt)?;
		let result = entry.result.context("the journal does not hold what was committed")?;
		let materials = self.gather(record, snapshot).await?;
		let program = materials.program.program();
		let manifest = self.manifest(&result.trace_root, program.checkpoints.len())?;
		let last = record.iterations.saturating_sub(1);
		let mut roots = Vec::new();
		let mut entries = Vec::new();
		for output in &program.outputs {
			let number = program
				.checkpoints
				.iter()
				.position(|checkpoint| checkpoint.value == *output)
				.context("an output is not a checkpoint")? as u32;
			roots.push(manifest.entry(last, number).context("the manifest is too short")?);
			entries.push((last, number));
		}
		let opening = manifest.open(entries)?;
		let call = calls::reveal(job, result.trace_root, result.salt, roots, opening);
		if self.transact(job, record.attempt, Step::Reveal, call).await? {
			self.metrics.revealed.fetch_add(1, Relaxed);
			tracing::info!(job, "revealed");
		}
		Ok(())
	}

	async fn answer_audit(
		&self,
		job: u64,
		record: &JobRecord,
		commitment: &CommitmentRecord,
		snapshot: &Snapshot,
	) -> Result<()> {
		let Some((samples, _)) = commitment.open_audit() else { return Ok(()) };
		let entry = self.journal.get(job, record.attempt)?;
		let result = entry.result.context("the journal does not hold what was committed")?;
		let materials = self.gather(record, snapshot).await?;
		let manifest =
			self.manifest(&result.trace_root, materials.program.program().checkpoints.len())?;
		let store = self.store.clone();
		let proofs = tokio::task::spawn_blocking(move || {
			let trace = StoredTrace { manifest: &manifest, store: &store };
			let (constants, blobs) = (materials.constant_slices(), materials.blob_slices());
			let mut cache = OutboardCache::new();
			samples
				.into_iter()
				.map(|element| {
					build_proof(&materials.program, &constants, &blobs, &trace, element, &mut cache)
				})
				.collect::<Result<Vec<_>, _>>()
		})
		.await?
		.map_err(|error| anyhow::anyhow!("the audit cannot be answered: {error}"))?;
		let call = calls::answer_audit(job, proofs);
		if self.transact(job, record.attempt, Step::AnswerAudit, call).await? {
			self.metrics.audits_answered.fetch_add(1, Relaxed);
			tracing::info!(job, "audit answered");
		}
		Ok(())
	}

	fn manifest(&self, trace_root: &[u8; 32], checkpoints: usize) -> Result<Manifest> {
		let bytes = self.store.get(trace_root).context("the trace of a job is gone")?;
		Manifest::from_bytes(checkpoints as u32, &bytes).context("the manifest is malformed")
	}

	/// Submits one step's transaction, journalled before it leaves. Returns whether it took effect
	/// now; `false` if it already had.
	async fn transact(&self, job: u64, attempt: u8, step: Step, call: Call) -> Result<bool> {
		let now = self.chain.finalized().await?.number();
		let mut entry = self.journal.get(job, attempt)?;
		let guard = self.submitting.lock().await;
		let signed = match &entry.pending {
			Some(pending) if pending.step == step && now < pending.valid_until => Signed {
				bytes: pending.bytes.clone(),
				nonce: pending.nonce,
				valid_until: pending.valid_until,
			},
			_ => {
				let nonce = self.chain.next_nonce(&self.operator.account()).await?;
				let signed = self.chain.sign(&call, &self.operator, nonce).await?;
				entry.pending = Some(Pending {
					step,
					bytes: signed.bytes.clone(),
					nonce,
					valid_until: signed.valid_until,
				});
				self.journal.put(job, attempt, &entry)?;
				signed
			}
		};
		let sent = self.chain.send(&signed).await;
		drop(guard);
		let outcome = match sent {
			Ok(in_flight) => in_flight.included().await,
			Err(error) => Err(error),
		};
		match outcome {
			Ok(_) => {
				self.included.lock().await.insert((job, attempt), (step, signed.valid_until));
				Ok(true)
			}
			Err(SubmitError::NotIncluded(reason)) => {
				// The nonce is used up: by this very transaction before a restart, which the chain's state
				// will show, or by another. Either way these bytes are finished.
				tracing::debug!(job, ?step, reason, "transaction not included");
				if self.took_effect(job, step).await? {
					self.included.lock().await.insert((job, attempt), (step, signed.valid_until));
					return Ok(false);
				}
				entry.pending = None;
				self.journal.put(job, attempt, &entry)?;
				anyhow::bail!("{} was not included: {reason}", call.label())
			}
			Err(error @ SubmitError::Refused { .. }) => {
				entry.pending = None;
				self.journal.put(job, attempt, &entry)?;
				Err(error).with_context(|| format!("{} was refused", call.label()))
			}
			Err(error) => Err(error.into()),
		}
	}

	/// Whether the best block's state shows that a step was taken.
	async fn took_effect(&self, job: u64, step: Step) -> Result<bool> {
		let best = self.chain.best().await?;
		let commitment = records::commitment(&best, job).await?;
		Ok(match (step, commitment) {
			(Step::Commit, Some(commitment)) => commitment.node == self.node,
			(Step::Reveal, Some(commitment)) => commitment.revealed().is_some(),
			(Step::AnswerAudit, Some(commitment)) => commitment.open_audit().is_none(),
			// Gone from the chain: the job went on without us.
			(_, None) => step != Step::Commit,
		})
	}
}

fn random() -> Result<[u8; 32]> {
	let mut bytes = [0; 32];
	getrandom::fill(&mut bytes).map_err(|error| anyhow::anyhow!("no randomness: {error}"))?;
	Ok(bytes)
}
