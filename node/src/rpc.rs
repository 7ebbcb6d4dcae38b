// SPDX-License-Identifier: Apache-2.0

//! The JSON-RPC methods beside those that every node has.

use crate::service::{FullBackend, FullClient, FullPool, FullSelectChain};
use jsonrpsee::RpcModule;
use pallet_transaction_payment_rpc::{TransactionPayment, TransactionPaymentApiServer};
use sc_consensus_babe::BabeWorkerHandle;
use sc_consensus_babe_rpc::{Babe, BabeApiServer};
use sc_consensus_grandpa::{
	FinalityProofProvider, GrandpaJustificationStream, SharedAuthoritySet, SharedVoterState,
};
use sc_consensus_grandpa_rpc::{Grandpa, GrandpaApiServer};
use sc_rpc::SubscriptionTaskExecutor;
use sp_keystore::KeystorePtr;
use std::sync::Arc;
use substrate_frame_rpc_system::{System, SystemApiServer};
use tensornet_runtime::{opaque::Block, BlockNumber, Hash};

/// What the methods answer from.
pub struct Sources {
	/// Chain and runtime.
	pub client: Arc<FullClient>,
	/// Transactions that wait.
	pub pool: Arc<FullPool>,
	/// Which chain is the best.
	pub select_chain: FullSelectChain,
	/// The keys of this node.
	pub keystore: KeystorePtr,
	/// The epochs that BABE knows.
	pub babe: BabeWorkerHandle<Block>,
	/// The authorities that GRANDPA knows.
	pub grandpa_authorities: SharedAuthoritySet<Hash, BlockNumber>,
	/// The round that GRANDPA is in.
	pub grandpa_voter: SharedVoterState,
	/// Justifications as they are made.
	pub justifications: GrandpaJustificationStream<Block>,
	/// Justifications of the past.
	pub finality: Arc<FinalityProofProvider<FullBackend, Block>>,
}

impl Sources {
	/// The namespaces `system` (account nonces), `payment`, `babe` and `grandpa`.
	///
	/// # Errors
	///
	/// When two methods have one name.
	pub fn module(
		&self,
		executor: SubscriptionTaskExecutor,
	) -> Result<RpcModule<()>, Box<dyn std::error::Error + Send + Sync>> {
		let mut module = RpcModule::new(());
		module.merge(System::new(self.client.clone(), self.pool.clone()).into_rpc())?;
		module.merge(TransactionPayment::new(self.client.clone()).into_rpc())?;
		module.merge(
			Babe::new(
				self.client.clone(),
				self.babe.clone(),
				self.keystore.clone(),
				self.select_chain.clone(),
			)
			.into_rpc(),
		)?;
		module.merge(
			Grandpa::new(
				executor,
				self.grandpa_authorities.clone(),
				self.grandpa_voter.clone(),
				self.justifications.clone(),
				self.finality.clone(),
			)
			.into_rpc(),
		)?;
		Ok(module)
	}
}
