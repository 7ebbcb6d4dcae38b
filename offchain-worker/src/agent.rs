// SPDX-License-Identifier: Apache-2.0

//! The agent: follows finalized blocks and takes every assigned job from one step to the next.
//!
//! What to do next is decided from the chain's finalized state and the journal alone, never from
//! memory, so that a restart anywhere resumes: [`Agent::step`] may be called again at any time.

use anyhow::{ensure, Context, Result};
use futures::StreamExt;
use std::{
	collections::{HashMap, HashSet},
	sync::{atomic::Ordering::Relaxed, Arc},
	time::Duration,
};
use tensornet_client::{
	calls::{self, Call},
	chain::{Signed, SubmitError},
	execution::{Materials, StoredTrace, Tamper, Trace},
	records::{self, Audit, CommitmentPhase, CommitmentRecord, JobRecord},
	Snapshot,
};
use tensornet_commitment::{seal, Manifest, SealData};
use tensornet_protocol::arbitration::{build_proof, OutboardCache};
use tokio::sync::{watch, Mutex};

use crate::{
	journal::{Journal, Pending, ResultRecord, Step},
	parts::Parts,
};

/// Works for one node.
pub struct Agent {
	parts: Parts,
	journal: Journal,
	tamper: Option<Tamper>,
	/// Steps whose transaction is in a best block, waiting to be finalized, with the last block in
	/// which that transaction can be included.
	included: Mutex<HashMap<(u64, u8), (Step, u64)>>,
	/// What running jobs are computed from, until nothing more has to be proven about them.
	materials: Mutex<HashMap<u64, Materials>>,
}

/// A job as one finalized block shows it.
struct Seen {
	job: u64,
	record: JobRecord,
	commitment: Option<CommitmentRecord>,
	snapshot: Arc<Snapshot>,
}

impl Agent {
	/// The agent of a worker. With `tamper` it lies, which only development chains have a use for.
	pub fn new(parts: Parts, journal: Journal, tamper: Option<Tamper>) -> Self {
		let (included, materials) = Default::default();
		Self { parts, journal, tamper, included, materials }
	}

	/// Follows the chain until `stop` turns true, then finishes the steps under way.
	pub async fn run(self: Arc<Self>, mut stop: watch::Receiver<bool>) -> Result<()> {
		let mut jobs: HashSet<u64> = HashSet::new();
		let mut scanned = false;
		let mut running: HashMap<u64, tokio::task::JoinHandle<()>> = HashMap::new();
		let mut pause = Duration::from_millis(500);
		while !*stop.borrow() {
			let mut blocks = match self.parts.chain.finalized_blocks().await {
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
			let newest = match self.parts.chain.finalized().await {
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
				self.parts.metrics.block(number);
				let snapshot = match self.discover(hash, &mut scanned, &mut jobs).await {
					Ok(snapshot) => Arc::new(snapshot),
					Err(error) => {
						tracing::warn!(%error, number, "cannot read a finalized block");
						scanned = false;
						continue;
					}
				};
				running.retain(|_, task| !task.is_finished());
				for job in jobs.iter().copied().collect::<Vec<_>>() {
					if running.contains_key(&job) {
						continue;
					}
					let seen = match self.look(job, &snapshot).await {
						Ok(Some(seen)) => seen,
						Ok(None) => {
							jobs.remove(&job);
							continue;
						}
						Err(error) => {
							tracing::warn!(%error, job, "cannot look a job up");
							continue;
						}
					};
					let agent = self.clone();
					running.insert(
						job,
						tokio::spawn(async move {
							if let Err(error) = agent.step(seen).await {
								agent.parts.metrics.retries.fetch_add(1, Relaxed);
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
	) -> Result<Snapshot> {
		let snapshot = self.parts.chain.at(block).await?;
		if !*scanned {
			for (job, record) in records::jobs(&snapshot).await? {
				if record.node == Some(self.parts.node) {
					jobs.insert(job);
				}
			}
			for (job, _) in self.journal.attempts()? {
				jobs.insert(job);
			}
			*scanned = true;
		}
		for event in records::assignments(&snapshot).await? {
			if event.node == self.parts.node {
				tracing::info!(job = event.job, "assigned");
				jobs.insert(event.job);
			}
		}
		Ok(snapshot)
	}

	/// A job that this node has at a finalized block. The journal is cleared only where the chain
	/// shows that the job has ended or went on to a later attempt: a node that has just been connected
	/// to may show older blocks first, and in those the job is not there yet.
	async fn look(&self, job: u64, snapshot: &Arc<Snapshot>) -> Result<Option<Seen>> {
		let over = match records::job(snapshot, job).await? {
			Some(record) if record.node == Some(self.parts.node) => {
				let commitment = records::commitment(snapshot, job).await?;
				let snapshot = snapshot.clone();
				return Ok(Some(Seen { job, record, commitment, snapshot }));
			}
			Some(record) => {
				let attempts = self.journal.attempts()?;
				let mut ours = attempts.iter().filter(|(number, _)| *number == job);
				ours.all(|(_, attempt)| *attempt < record.attempt)
			}
			None => job < records::next_job(snapshot).await?,
		};
		if over {
			self.journal.remove(job)?;
			self.included.lock().await.retain(|(number, _), _| *number != job);
			self.materials.lock().await.remove(&job);
		}
		Ok(None)
	}

	/// Takes a job one step further, if there is one to take.
	async fn step(&self, seen: Seen) -> Result<()> {
		let job = seen.job;
		let commitment = seen.commitment.as_ref();
		let Some(step) = self.next_step(commitment) else {
			if commitment.is_some_and(is_decided) {
				self.materials.lock().await.remove(&job);
			}
			return Ok(());
		};
		let attempt = seen.record.attempt;
		if self.waits_for_finality(job, attempt, step, seen.snapshot.number()).await
			|| !self.is_due(job, attempt, step).await?
		{
			return Ok(());
		}
		match step {
			Step::Commit => self.commit(&seen).await,
			Step::Reveal => self.reveal(&seen).await,
			Step::AnswerAudit => self.answer_audit(&seen).await,
		}
	}

	/// What a job of this node needs next, or `None` while that is for others to do.
	fn next_step(&self, commitment: Option<&CommitmentRecord>) -> Option<Step> {
		match commitment {
			None => Some(Step::Commit),
			Some(commitment) if commitment.node != self.parts.node => None,
			Some(commitment) if commitment.revealed().is_none() => Some(Step::Reveal),
			Some(commitment) => commitment.open_audit().map(|_| Step::AnswerAudit),
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

	/// Whether the best block, too, still waits for a step. After a restart it may be ahead of what was
	/// finalized: the step was taken before, or the job has gone on or ended.
	async fn is_due(&self, job: u64, attempt: u8, step: Step) -> Result<bool> {
		let best = self.parts.chain.best().await?;
		let Some(record) = records::job(&best, job).await? else { return Ok(false) };
		if record.node != Some(self.parts.node) || record.attempt != attempt {
			return Ok(false);
		}
		let commitment = records::commitment(&best, job).await?;
		Ok(self.next_step(commitment.as_ref()) == Some(step))
	}

	async fn commit(&self, seen: &Seen) -> Result<()> {
		let (job, attempt) = (seen.job, seen.record.attempt);
		let mut entry = self.journal.get(job, attempt)?;
		if seen.record.commit_by.is_some_and(|by| seen.snapshot.number() >= by.into()) {
			return Ok(());
		}
		if entry.result.is_none() {
			let trace = self.execute(job, &self.materials(seen).await?).await?;
			entry.result = Some(ResultRecord {
				trace_root: trace.manifest.trace_root(),
				salt: random()?,
				execute_seconds: format!("{:.6}", trace.total.as_secs_f64()),
				commit_seconds: format!("{:.6}", trace.hashing.as_secs_f64()),
			});
			self.journal.put(job, attempt, &entry)?;
			if !self.is_due(job, attempt, Step::Commit).await? {
				tracing::info!(job, "computed too late: the job went on");
				return Ok(());
			}
		}
		let Some(result) = entry.result else { return Ok(()) };
		let seal = seal(&SealData {
			genesis_hash: self.parts.chain.genesis(),
			job,
			node: self.parts.node,
			trace_root: result.trace_root,
			salt: result.salt,
		});
		if self.transact(job, attempt, Step::Commit, calls::commit(job, seal)).await? {
			self.parts.metrics.committed.fetch_add(1, Relaxed);
			tracing::info!(job, trace_root = hex::encode(result.trace_root), "committed");
		}
		Ok(())
	}

	/// Runs a job and keeps its trace in the blob store.
	async fn execute(&self, job: u64, materials: &Materials) -> Result<Trace> {
		let Parts { engine, store, metrics, .. } = self.parts.clone();
		let (materials, tamper) = (materials.clone(), self.tamper);
		if tamper.is_some() {
			tracing::warn!(job, "development: this worker is told to cheat");
		}
		let trace = tokio::task::spawn_blocking(move || engine.execute(&materials, &store, tamper))
			.await?
			.context("cannot compute the job yet")?;
		metrics.executed.fetch_add(1, Relaxed);
		metrics.execute_milliseconds.fetch_add(trace.total.as_millis() as u64, Relaxed);
		metrics.commit_milliseconds.fetch_add(trace.hashing.as_millis() as u64, Relaxed);
		tracing::info!(
			job,
			seconds = trace.total.as_secs_f64(),
			commit_seconds = trace.hashing.as_secs_f64(),
			device = self.parts.engine.name(),
			"executed"
		);
		Ok(trace)
	}

	/// What a job is computed from: fetched once, and kept while something may have to be proven about
	/// it. Jobs of one program share its code and constants.
	async fn materials(&self, seen: &Seen) -> Result<Materials> {
		let Seen { job, record, snapshot, .. } = seen;
		let sibling = {
			let kept = self.materials.lock().await;
			if let Some(materials) = kept.get(job) {
				return Ok(materials.clone());
			}
			kept.values().find(|materials| materials.program.id() == record.program).cloned()
		};
		let (store, bases) = (&self.parts.store, [record.hint_url()]);
		let materials = match sibling {
			Some(known) => known.of_job(store, &record.blobs, &bases, record.iterations).await?,
			None => {
				let program = records::program(snapshot, &record.program)
					.await?
					.context("the job's program is not on chain")?;
				Materials::gather(store, &program, &record.blobs, &bases, record.iterations).await?
			}
		};
		self.materials.lock().await.insert(*job, materials.clone());
		Ok(materials)
	}

	async fn reveal(&self, seen: &Seen) -> Result<()> {
		let (job, record) = (seen.job, &seen.record);
		let entry = self.journal.get(job, record.attempt)?;
		let result = entry.result.context("the journal does not hold what was committed")?;
		let materials = self.materials(seen).await?;
		let program = materials.program.program();
		let manifest = self.trace(job, &materials, &result.trace_root).await?;
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
			self.parts.metrics.revealed.fetch_add(1, Relaxed);
			tracing::info!(job, "revealed");
		}
		Ok(())
	}

	async fn answer_audit(&self, seen: &Seen) -> Result<()> {
		let (job, attempt) = (seen.job, seen.record.attempt);
		let Some((samples, _)) = seen.commitment.as_ref().and_then(CommitmentRecord::open_audit)
		else {
			return Ok(());
		};
		let entry = self.journal.get(job, attempt)?;
		let result = entry.result.context("the journal does not hold what was committed")?;
		let materials = self.materials(seen).await?;
		let manifest = self.trace(job, &materials, &result.trace_root).await?;
		let store = self.parts.store.clone();
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
		if self.transact(job, attempt, Step::AnswerAudit, call).await? {
			self.parts.metrics.audits_answered.fetch_add(1, Relaxed);
			tracing::info!(job, "audit answered");
		}
		Ok(())
	}

	/// The manifest of what was committed, with all of the trace in the blob store. A trace of which
	/// something was lost is computed again: it comes out the same to the last bit.
	async fn trace(
		&self,
		job: u64,
		materials: &Materials,
		trace_root: &[u8; 32],
	) -> Result<Manifest> {
		let store = &self.parts.store;
		let checkpoints = materials.program.program().checkpoints.len() as u32;
		let is_whole = |manifest: &Manifest| {
			let (roots, _) = manifest.bytes().as_chunks::<32>();
			roots.iter().all(|root| store.contains(root))
		};
		let stored = store.get(trace_root).ok();
		let stored = stored.and_then(|bytes| Manifest::from_bytes(checkpoints, &bytes));
		if let Some(manifest) = stored.filter(is_whole) {
			return Ok(manifest);
		}
		tracing::warn!(job, "a part of the trace is gone: computing it again");
		let trace = self.execute(job, materials).await?;
		ensure!(
			trace.manifest.trace_root() == *trace_root,
			"the trace is gone, and the job now computes to another one"
		);
		Ok(trace.manifest)
	}

	/// Submits one step's transaction, journalled before it leaves. Returns whether it took effect
	/// now; `false` if it already had, or waits in the node's pool from before a restart.
	async fn transact(&self, job: u64, attempt: u8, step: Step, call: Call) -> Result<bool> {
		let chain = &self.parts.chain;
		let now = chain.finalized().await?.number();
		let mut entry = self.journal.get(job, attempt)?;
		let turn = self.parts.turn.lock().await;
		let signed = match &entry.pending {
			Some(pending) if pending.step == step && now < pending.valid_until => Signed {
				bytes: pending.bytes.clone(),
				nonce: pending.nonce,
				valid_until: pending.valid_until,
			},
			_ => {
				let nonce = chain.next_nonce(&self.parts.operator.account()).await?;
				let signed = chain.sign(&call, &self.parts.operator, nonce).await?;
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
		let sent = chain.send(&signed).await;
		drop(turn);
		let outcome = match sent {
			Ok(in_flight) => in_flight.included().await,
			Err(error) => Err(error),
		};
		match outcome {
			Ok(_) => {
				self.wait_for_finality(job, attempt, step, &signed).await;
				Ok(true)
			}
			Err(SubmitError::AlreadyInPool) => {
				self.wait_for_finality(job, attempt, step, &signed).await;
				Ok(false)
			}
			Err(SubmitError::NotIncluded(reason)) => {
				// The nonce is used up: by this very transaction before a restart, which the chain's state
				// will show, or by another. Either way these bytes are finished.
				tracing::debug!(job, ?step, reason, "transaction not included");
				if !self.is_due(job, attempt, step).await? {
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

	async fn wait_for_finality(&self, job: u64, attempt: u8, step: Step, signed: &Signed) {
		self.included.lock().await.insert((job, attempt), (step, signed.valid_until));
	}
}

/// Whether the audit lottery is over for a commitment, so that its node has nothing more to prove.
fn is_decided(commitment: &CommitmentRecord) -> bool {
	matches!(
		commitment.phase,
		CommitmentPhase::Revealed { audit: Audit::Spared | Audit::Passed, .. }
	)
}

fn random() -> Result<[u8; 32]> {
	let mut bytes = [0; 32];
	getrandom::fill(&mut bytes).map_err(|error| anyhow::anyhow!("no randomness: {error}"))?;
	Ok(bytes)
}
