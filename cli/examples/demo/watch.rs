// SPDX-License-Identifier: Apache-2.0

//! What happens on the chain: the steps of jobs with their times, and the verdicts about nodes.

use anyhow::{Context, Result};
use serde::Serialize;
use std::{
	sync::{Arc, Mutex},
	time::{Duration, Instant},
};
use tensornet_cli::network::{follow, JobStatus, Stage};
use tensornet_client::{
	verdicts::{self, AttemptFailed, AuditPassed, FraudProven, NodeSlashed},
	AccountId, Chain, Root,
};

use crate::{
	parties::{name_of, Party},
	screen::Screen,
};

/// One step of a job.
#[derive(Clone, Debug, Serialize)]
pub struct Step {
	/// What happened.
	pub step: &'static str,
	/// Where the job was.
	#[serde(skip)]
	pub stage: Stage,
	/// Which attempt it was, from 0.
	pub attempt: Option<u8>,
	/// Name of the node.
	pub node: Option<String>,
	/// Number of the block in which it was seen.
	pub block: u64,
	/// Seconds since the job was posted.
	pub seconds: f64,
	/// What was revealed.
	#[serde(skip)]
	pub revealed: Option<Revealed>,
}

/// A revealed result.
#[derive(Clone, Debug)]
pub struct Revealed {
	/// Stash account of the node.
	pub node: AccountId,
	/// Roots of the outputs.
	pub outputs: Vec<Root>,
}

/// A job that is watched.
pub struct Watched {
	/// The job.
	pub job: u64,
	/// What it is about.
	pub file: String,
	/// When it was posted.
	pub posted: Instant,
	/// What happened so far.
	pub steps: Vec<Step>,
}

impl Watched {
	/// A job that was just posted.
	pub fn new(job: u64, file: String, posted: Instant) -> Self {
		Self { job, file, posted, steps: Vec::new() }
	}

	/// Follows the job until `enough` or its end, and notes every step.
	pub async fn until(
		&mut self,
		chain: &Chain,
		screen: &Screen,
		parties: &[Party],
		enough: impl FnMut(&JobStatus) -> bool,
	) -> Result<JobStatus> {
		let Self { job, file, posted, steps } = self;
		follow(chain, *job, enough, |status| {
			let last = steps.last();
			// A second look at a job begins where the first ended.
			if last.is_some_and(|last| last.stage == status.stage && last.attempt == status.attempt)
			{
				return;
			}
			let passed = status.stage == Stage::Revealed
				&& last.is_some_and(|last| {
					last.stage == Stage::Audited && last.attempt == status.attempt
				});
			let step = if passed { "audit passed" } else { status.stage.name() };
			let node = status.node.map(|node| name_of(parties, &node));
			screen.say(format!(
				"job {job} ({file}): {}{} in block {}",
				step,
				node.as_ref().map(|node| format!(", {node}")).unwrap_or_default(),
				status.block,
			));
			steps.push(Step {
				step,
				stage: status.stage,
				attempt: status.attempt,
				node,
				block: status.block,
				seconds: posted.elapsed().as_secs_f64(),
				revealed: status
					.node
					.filter(|_| !status.outputs.is_empty())
					.map(|node| Revealed { node, outputs: status.outputs.clone() }),
			});
		})
		.await
	}
}

/// The verdicts about nodes in finalized blocks.
#[derive(Clone, Debug, Default)]
pub struct Verdicts {
	/// Number of the last block looked at.
	pub block: u64,
	/// Audits that were passed.
	pub audits: Vec<AuditPassed>,
	/// Lies that were proven.
	pub frauds: Vec<FraudProven>,
	/// Attempts that failed, with what was decided about the node's stake.
	pub failures: Vec<AttemptFailed>,
	/// Slashes that were carried out.
	pub slashes: Vec<NodeSlashed>,
}

/// Collects verdicts in the background.
#[derive(Clone, Default)]
pub struct Court(Arc<Mutex<Verdicts>>);

impl Court {
	/// Looks at every finalized block from now on, for as long as the demo runs.
	pub fn sit(chain: Chain) -> Self {
		let court = Self::default();
		let clerk = court.clone();
		tokio::spawn(async move {
			loop {
				if let Err(error) = clerk.hear(&chain).await {
					tracing::debug!(error = format!("{error:#}"), "blocks are followed anew");
				}
				tokio::time::sleep(Duration::from_millis(500)).await;
			}
		});
		court
	}

	async fn hear(&self, chain: &Chain) -> Result<()> {
		use futures::StreamExt;
		let mut blocks = chain.finalized_blocks().await?;
		while let Some(block) = blocks.next().await {
			let (number, hash) = block?;
			let at = chain.at(hash).await?;
			let audits = verdicts::audits_passed(&at).await?;
			let frauds = verdicts::frauds_proven(&at).await?;
			let failures = verdicts::attempts_failed(&at).await?;
			let slashes = verdicts::nodes_slashed(&at).await?;
			let mut record = self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
			if number > record.block {
				record.block = number;
				record.audits.extend(audits);
				record.frauds.extend(frauds);
				record.failures.extend(failures);
				record.slashes.extend(slashes);
			}
		}
		Ok(())
	}

	/// All verdicts up to and including a block, once that block was looked at.
	pub async fn up_to(&self, block: u64) -> Result<Verdicts> {
		let seen = self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).block;
		// A minute for finality, and twice what the blocks that are still to come should take.
		let patience = Duration::from_secs(60 + 6 * block.saturating_sub(seen));
		let wait = async {
			loop {
				{
					let record = self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
					if record.block >= block {
						return record.clone();
					}
				}
				tokio::time::sleep(Duration::from_millis(200)).await;
			}
		};
		tokio::time::timeout(patience, wait).await.with_context(|| {
			format!("block {block} was not finalized within {} seconds", patience.as_secs())
		})
	}
}
