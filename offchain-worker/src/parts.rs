// SPDX-License-Identifier: Apache-2.0

//! What the agent and the challenger of a worker work with.

use std::sync::Arc;
use tensornet_client::{
	calls::Call,
	chain::{Receipt, SubmitError},
	AccountId, BlobStore, Chain, Signer,
};
use tokio::sync::Mutex;

use crate::{engine::Engine, metrics::Metrics};

/// The parts that a worker's tasks share. Cheap to clone.
#[derive(Clone)]
pub struct Parts {
	/// The chain.
	pub chain: Chain,
	/// The operator key: it signs everything that this worker sends.
	pub operator: Signer,
	/// Held while a transaction is signed and handed to the node, so that no nonce is used twice.
	pub turn: Arc<Mutex<()>>,
	/// Stash account of the node that this worker works for.
	pub node: AccountId,
	/// Blobs of this worker.
	pub store: BlobStore,
	/// Counters.
	pub metrics: Arc<Metrics>,
	/// Runs programs.
	pub engine: Engine,
}

impl Parts {
	/// Signs a call in turn, submits it and waits until it is in a best block.
	pub async fn call(&self, call: &Call) -> Result<Receipt, SubmitError> {
		let in_flight = {
			let _turn = self.turn.lock().await;
			let unsent = |error: anyhow::Error| SubmitError::Connection(format!("{error:#}"));
			let nonce = self.chain.next_nonce(&self.operator.account()).await.map_err(unsent)?;
			let signed = self.chain.sign(call, &self.operator, nonce).await.map_err(unsent)?;
			self.chain.send(&signed).await?
		};
		in_flight.included().await
	}
}
