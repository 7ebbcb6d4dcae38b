// SPDX-License-Identifier: Apache-2.0

//! The challenger: recomputes what other nodes revealed and proves every lie it finds.
//!
//! Results are exact, so there is no judgement in it: if the trace roots are equal the node was
//! honest; if not, the first checkpoint that differs has inputs on which both sides agree, and one
//! transaction that opens one of its elements settles the matter on chain.

use anyhow::{Context, Result};
use codec::Encode;
use futures::StreamExt;
use std::{
	sync::{atomic::Ordering::Relaxed, Arc},
	time::Duration,
};
use tensornet_client::{
	calls,
	execution::{Materials, StoredTrace},
	records, AccountId, BlobStore, Chain, Signer,
};
use tensornet_commitment::{manifest_len, Manifest};
use tensornet_protocol::arbitration::{
	build_accusation, first_difference, first_different_element, Accused, ElementId, ElementProof,
	OutboardCache, TraceBlobs,
};
use tensornet_tensor::Leaf;
use tokio::sync::watch;

use crate::{engine::Engine, metrics::Metrics};

/// A challenger's parts.
pub struct Challenger {
	/// The chain.
	pub chain: Chain,
	/// Who signs fraud proofs and earns the reporter's share.
	pub signer: Signer,
	/// The node of the same owner, whose results are not checked.
	pub own_node: Option<AccountId>,
	/// Blobs of this worker.
	pub store: BlobStore,
	/// Counters.
	pub metrics: Arc<Metrics>,
	/// Runs programs.
	pub engine: Engine,
}

impl Challenger {
	/// Checks every result that is revealed, until `stop` turns true.
	pub async fn run(self: Arc<Self>, mut stop: watch::Receiver<bool>) -> Result<()> {
		while !*stop.borrow() {
			let mut blocks = match self.chain.finalized_blocks().await {
				Ok(blocks) => blocks,
				Err(error) => {
					tracing::warn!(%error, "cannot follow the chain; trying again");
					tokio::time::sleep(Duration::from_secs(1)).await;
					continue;
				}
			};
			loop {
				let block = tokio::select! {
					_ = stop.wait_for(|stop| *stop) => break,
					block = blocks.next() => block,
				};
				let Some(Ok((_, hash))) = block else { break };
				if let Err(error) = self.check_block(hash).await {
					tracing::warn!(error = format!("{error:#}"), "cannot check a block's results");
				}
			}
		}
		Ok(())
	}

	async fn check_block(&self, block: [u8; 32]) -> Result<()> {
		let snapshot = self.chain.at(block).await?;
		for reveal in records::reveals(&snapshot).await? {
			if Some(reveal.node) == self.own_node {
				continue;
			}
			match self.check(reveal.job, &snapshot).await {
				Ok(None) => tracing::info!(job = reveal.job, "checked: honest"),
				Ok(Some(proof)) => self.accuse(reveal.job, proof).await,
				Err(error) => tracing::warn!(
					job = reveal.job,
					error = format!("{error:#}"),
					"cannot check a result"
				),
			}
		}
		Ok(())
	}

	async fn accuse(&self, job: u64, proof: ElementProof) {
		tracing::warn!(
			job,
			checkpoint = proof.checkpoint,
			index = proof.index,
			bytes = proof.encoded_size(),
			"checked: the node lied; proving it"
		);
		match self.chain.call(&calls::prove_fraud(job, proof), &self.signer).await {
			Ok(_) => {
				self.metrics.frauds_proven.fetch_add(1, Relaxed);
				tracing::info!(job, "fraud proven on chain");
			}
			Err(error) => {
				tracing::error!(job, error = format!("{error:#}"), "fraud proof not accepted");
			}
		}
	}

	/// Recomputes a revealed job. Returns a fraud proof if its node lied.
	pub async fn check(
		&self,
		job: u64,
		snapshot: &tensornet_client::Snapshot,
	) -> Result<Option<ElementProof>> {
		let record = records::job(snapshot, job).await?.context("the job has ended")?;
		let commitment =
			records::commitment(snapshot, job).await?.context("the job has no commitment")?;
		let accused_root = commitment.revealed().context("the commitment is still sealed")?;
		let program = records::program(snapshot, &record.program)
			.await?
			.context("the job's program is not on chain")?;
		let materials = Materials::gather(
			&self.store,
			&program,
			&record.blobs,
			&[record.hint_url()],
			record.iterations,
		)
		.await?;
		let (engine, store, shared) = (self.engine.clone(), self.store.clone(), materials.clone());
		let trace =
			tokio::task::spawn_blocking(move || engine.execute(&shared, &store, None)).await??;
		self.metrics.checked.fetch_add(1, Relaxed);
		if trace.manifest.trace_root() == accused_root {
			return Ok(None);
		}

		let node = records::node(snapshot, &commitment.node)
			.await?
			.context("the accused node is not registered any more")?;
		let bases = [node.endpoint_url()];
		let checkpoints = materials.program.program().checkpoints.len() as u32;
		let length =
			manifest_len(record.iterations, checkpoints).context("the manifest is too long")?;
		let bytes = self.store.get_or_fetch(&accused_root, &bases, length).await?;
		let accused = Manifest::from_bytes(checkpoints, &bytes)
			.filter(|manifest| manifest.iterations() == record.iterations)
			.context("what the node committed to is not a manifest of this job")?;
		let (iteration, checkpoint) = first_difference(&trace.manifest, &accused)
			.context("the manifests differ in nothing")?;
		let root = accused.entry(iteration, checkpoint.into()).unwrap_or_default();
		let (ty, _) = materials
			.program
			.leaf_type(Leaf::Checkpoint(checkpoint))
			.context("the program has no such checkpoint")?;
		let claimed = self.store.get_or_fetch(&root, &bases, ty.bytes()).await?;
		let own = StoredTrace { manifest: &trace.manifest, store: &self.store };
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
		Ok(Some(proof))
	}
}
