// SPDX-License-Identifier: Apache-2.0

//! The challenger: recomputes what other nodes revealed and proves every lie it finds.
//!
//! Results are exact, so there is no judgement in it: if the trace roots are equal the node was
//! honest; if not, the first checkpoint that differs has inputs on which both sides agree, and one
//! transaction that opens one of its elements settles the matter on chain.

use anyhow::{Context, Result};
use codec::Encode;
use futures::StreamExt;
use std::{collections::BTreeMap, sync::atomic::Ordering::Relaxed, time::Duration};
use tensornet_client::{
	calls,
	chain::SubmitError,
	execution::{Materials, StoredTrace},
	records::{self, CommitmentRecord, JobRecord},
	AccountId, Root, Snapshot,
};
use tensornet_commitment::{manifest_len, Manifest};
use tensornet_protocol::arbitration::{
	build_accusation, first_difference, first_different_element, Accused, ElementId, ElementProof,
	OutboardCache, TraceBlobs,
};
use tensornet_tensor::Leaf;
use tokio::sync::watch;

use crate::parts::Parts;

/// Checks what other nodes reveal.
pub struct Challenger {
	parts: Parts,
}

/// A job computed here. Its trace is in the blob store, and is the same for every attempt.
struct Own {
	materials: Materials,
	manifest: Manifest,
}

/// A commitment that was found to be wrong.
struct Accusation {
	job: u64,
	node: AccountId,
	trace_root: Root,
	proof: ElementProof,
}

impl Challenger {
	/// The challenger of a worker. It signs with the worker's operator key, and does not check the
	/// worker's own node.
	pub fn new(parts: Parts) -> Self {
		Self { parts }
	}

	/// Checks every result that can still be challenged, until `stop` turns true. A result that cannot
	/// be checked, because its node serves no trace or the connection fails, is tried again with every
	/// block until it settles.
	pub async fn run(self, mut stop: watch::Receiver<bool>) -> Result<()> {
		let mut open: BTreeMap<u64, Option<Own>> = BTreeMap::new();
		while !*stop.borrow() {
			if let Err(error) = self.follow(&mut open, &mut stop).await {
				tracing::warn!(
					error = format!("{error:#}"),
					"cannot follow the chain; trying again"
				);
				tokio::select! {
					_ = stop.wait_for(|stop| *stop) => {},
					_ = tokio::time::sleep(Duration::from_secs(1)) => {},
				}
			}
		}
		Ok(())
	}

	/// Follows finalized blocks for as long as the subscription lasts.
	async fn follow(
		&self,
		open: &mut BTreeMap<u64, Option<Own>>,
		stop: &mut watch::Receiver<bool>,
	) -> Result<()> {
		let mut blocks = self.parts.chain.finalized_blocks().await?;
		// A subscription may begin with blocks that were finalized before, and others may have passed
		// unseen: the newest state has everything that is left to check.
		let newest = self.parts.chain.finalized().await?;
		for (job, commitment) in records::commitments(&newest).await? {
			if self.is_of_interest(&commitment) {
				open.entry(job).or_default();
			}
		}
		loop {
			let block = tokio::select! {
				_ = stop.wait_for(|stop| *stop) => return Ok(()),
				block = blocks.next() => block,
			};
			let Some(block) = block else { return Ok(()) };
			let (number, hash) = block?;
			if number < newest.number() {
				continue;
			}
			let snapshot = self.parts.chain.at(hash).await?;
			for reveal in records::reveals(&snapshot).await? {
				if reveal.node != self.parts.node {
					open.entry(reveal.job).or_default();
				}
			}
			for job in open.keys().copied().collect::<Vec<_>>() {
				if *stop.borrow() {
					return Ok(());
				}
				let own = open.entry(job).or_default();
				match self.settle(job, own, &snapshot).await {
					Ok(()) => {
						open.remove(&job);
					}
					Err(error) => tracing::warn!(
						job,
						error = format!("{error:#}"),
						"cannot check a result; it is tried again"
					),
				}
			}
		}
	}

	fn is_of_interest(&self, commitment: &CommitmentRecord) -> bool {
		commitment.node != self.parts.node && commitment.revealed().is_some()
	}

	/// Checks a job and proves the lie if there is one. After this there is nothing left to do for the
	/// attempt.
	async fn settle(&self, job: u64, own: &mut Option<Own>, snapshot: &Snapshot) -> Result<()> {
		let Some(record) = records::job(snapshot, job).await? else { return Ok(()) };
		let commitment = records::commitment(snapshot, job).await?;
		let Some(commitment) = commitment.filter(|found| self.is_of_interest(found)) else {
			return Ok(());
		};
		if own.is_none() {
			*own = Some(self.compute(&record, snapshot).await?);
			self.parts.metrics.checked.fetch_add(1, Relaxed);
		}
		let Some(own) = own else { return Ok(()) };
		match self.compare(job, &record, &commitment, own, snapshot).await? {
			None => {
				tracing::info!(job, "checked: honest");
				Ok(())
			}
			Some(accusation) => self.accuse(accusation).await,
		}
	}

	/// Computes a job here.
	async fn compute(&self, record: &JobRecord, snapshot: &Snapshot) -> Result<Own> {
		let program = records::program(snapshot, &record.program)
			.await?
			.context("the job's program is not on chain")?;
		let store = self.parts.store.clone();
		let bases = [record.hint_url()];
		let materials =
			Materials::gather(&store, &program, &record.blobs, &bases, record.iterations).await?;
		let (engine, shared) = (self.parts.engine.clone(), materials.clone());
		let trace =
			tokio::task::spawn_blocking(move || engine.execute(&shared, &store, None)).await??;
		Ok(Own { materials, manifest: trace.manifest })
	}

	/// Compares a revealed trace with our own. Returns the proof if they differ.
	async fn compare(
		&self,
		job: u64,
		record: &JobRecord,
		commitment: &CommitmentRecord,
		own: &Own,
		snapshot: &Snapshot,
	) -> Result<Option<Accusation>> {
		let Own { materials, manifest } = own;
		let accused_root = commitment.revealed().context("the commitment is still sealed")?;
		if manifest.trace_root() == accused_root {
			return Ok(None);
		}
		let node = records::node(snapshot, &commitment.node)
			.await?
			.context("the accused node is not registered any more")?;
		let bases = [node.endpoint_url()];
		let store = &self.parts.store;
		let checkpoints = materials.program.program().checkpoints.len() as u32;
		let length =
			manifest_len(record.iterations, checkpoints).context("the manifest is too long")?;
		let bytes = store.get_or_fetch(&accused_root, &bases, length).await?;
		let accused = Manifest::from_bytes(checkpoints, &bytes)
			.filter(|manifest| manifest.iterations() == record.iterations)
			.context("what the node committed to is not a manifest of this job")?;
		let (iteration, checkpoint) =
			first_difference(manifest, &accused).context("the manifests differ in nothing")?;
		let root = accused.entry(iteration, checkpoint.into()).unwrap_or_default();
		let (ty, _) = materials
			.program
			.leaf_type(Leaf::Checkpoint(checkpoint))
			.context("the program has no such checkpoint")?;
		let claimed = store.get_or_fetch(&root, &bases, ty.bytes()).await?;
		let own = StoredTrace { manifest, store };
		let correct = own.checkpoint(iteration, checkpoint).context("our own trace is gone")?;
		let index = first_different_element(ty.dtype, &correct, &claimed).context(
			"the node's checkpoint is not a tensor of this program, and no element shows it",
		)?;
		let proof = build_accusation(
			&materials.program,
			&materials.constant_slices(),
			&materials.blob_slices(),
			&own,
			Accused { manifest: &accused, claimed: &claimed },
			ElementId { iteration, checkpoint, index },
			&mut OutboardCache::new(),
		)
		.map_err(|error| anyhow::anyhow!("the proof cannot be built: {error}"))?;
		Ok(Some(Accusation { job, node: commitment.node, trace_root: accused_root, proof }))
	}

	/// Sends a proof, unless the node has been convicted of it already. A refused proof costs its fee
	/// and is not sent twice; one that got lost is an error, and is tried again.
	///
	/// Two challengers whose proofs wait in the pool at once cannot know of each other: the second is
	/// refused, and pays. Looking at the best block first leaves only that one block for it.
	async fn accuse(&self, accusation: Accusation) -> Result<()> {
		let job = accusation.job;
		if !self.stands(&accusation).await? {
			tracing::info!(job, "checked: the node lied, and was judged before we could prove it");
			return Ok(());
		}
		tracing::warn!(
			job,
			checkpoint = accusation.proof.checkpoint,
			index = accusation.proof.index,
			bytes = accusation.proof.encoded_size(),
			"checked: the node lied; proving it"
		);
		match self.parts.call(&calls::prove_fraud(job, accusation.proof.clone())).await {
			Ok(_) => {
				self.parts.metrics.frauds_proven.fetch_add(1, Relaxed);
				tracing::info!(job, "fraud proven on chain");
				Ok(())
			}
			Err(error @ SubmitError::Refused { .. }) => {
				if self.stands(&accusation).await? {
					tracing::error!(job, %error, "fraud proof refused");
				} else {
					tracing::info!(job, %error, "another proof of the same fraud was first");
				}
				Ok(())
			}
			Err(error) => Err(error).context("the fraud proof did not arrive"),
		}
	}

	/// Whether the accused commitment can still be challenged in the block after the best one.
	async fn stands(&self, accusation: &Accusation) -> Result<bool> {
		let best = self.parts.chain.best().await?;
		let commitment = records::commitment(&best, accusation.job).await?;
		Ok(commitment.is_some_and(|found| is_accused(&found, accusation, best.number())))
	}
}

/// Whether a commitment, as it stands in `block`, is the one that is accused and can still be
/// challenged: the node may have been judged, and the job may be at a later attempt.
fn is_accused(commitment: &CommitmentRecord, accusation: &Accusation, block: u64) -> bool {
	commitment.node == accusation.node
		&& commitment.revealed() == Some(accusation.trace_root)
		&& commitment.outlives(block)
}

#[cfg(test)]
mod tests {
	use super::*;
	use tensornet_client::records::{Audit, CommitmentPhase};
	use tensornet_commitment::Opening;

	fn accusation() -> Accusation {
		let opening = || Opening { runs: Vec::new(), proof: Vec::new() };
		Accusation {
			job: 7,
			node: [1; 32],
			trace_root: [2; 32],
			proof: ElementProof {
				iteration: 0,
				checkpoint: 0,
				index: 0,
				manifest: opening(),
				claimed: opening(),
				leaves: Vec::new(),
			},
		}
	}

	fn revealed(node: AccountId, trace_root: Root, audit: Audit) -> CommitmentRecord {
		let phase =
			CommitmentPhase::Revealed { trace_root, outputs: Vec::new(), settle_at: 20, audit };
		CommitmentRecord { node, seal: [3; 32], phase }
	}

	#[test]
	fn a_proof_is_sent_only_against_the_commitment_it_was_made_for() {
		let accused = |commitment| is_accused(&commitment, &accusation(), 10);
		assert!(accused(revealed([1; 32], [2; 32], Audit::Undrawn)));
		assert!(!accused(revealed([9; 32], [2; 32], Audit::Undrawn)), "another node has the job");
		assert!(!accused(revealed([1; 32], [9; 32], Audit::Undrawn)), "another result stands");
		let phase = CommitmentPhase::Sealed { reveal_by: 30 };
		assert!(!accused(CommitmentRecord { node: [1; 32], seal: [3; 32], phase }));
	}

	#[test]
	fn a_proof_that_would_come_after_the_settlement_is_not_sent() {
		for (audit, block, sent) in [
			(Audit::Spared, 18, true),
			(Audit::Spared, 19, false),
			(Audit::Passed, 25, false),
			// An open audit keeps the job from settling.
			(Audit::Open { samples: Vec::new(), answer_by: 40 }, 25, true),
		] {
			let commitment = revealed([1; 32], [2; 32], audit);
			assert_eq!(is_accused(&commitment, &accusation(), block), sent, "{commitment:?}");
		}
	}
}
