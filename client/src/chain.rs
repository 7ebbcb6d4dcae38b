// SPDX-License-Identifier: Apache-2.0

//! A connection to a chain: typed reads at a block, and signed transactions.

use anyhow::{anyhow, bail, Context, Result};
use codec::{Decode, DecodeAll, Encode};
use scale_decode::DecodeAsType;
use std::{sync::Arc, time::Duration};
use subxt::{
	client::{ClientAtBlock, OnlineClientAtBlockImpl},
	dynamic,
	error::{
		ArithmeticError, DispatchError, TokenError, TransactionEventsError,
		TransactionProgressError,
	},
	ext::frame_decode::{helpers::IntoEncodableValues, storage::IntoDecodableValues},
	rpcs::{
		client::{reconnecting_rpc_client::ExponentialBackoff, ReconnectingRpcClient},
		rpc_params, RpcClient,
	},
	storage::StorageValue,
	transactions::{TransactionInBlock, TransactionProgress, TransactionStatus},
	OnlineClient, SubstrateConfig,
};

use crate::{calls::Call, keys, AccountId, Signer};

type AtBlockClient = OnlineClientAtBlockImpl<SubstrateConfig>;
type AtBlock = ClientAtBlock<SubstrateConfig, AtBlockClient>;
type Progress = TransactionProgress<SubstrateConfig, AtBlockClient>;
type InBlock = TransactionInBlock<SubstrateConfig, AtBlockClient>;

/// Blocks for which a transaction stays valid: about three minutes.
pub const MORTALITY: u64 = 64;

/// How often the best block is asked for again, a tenth of a second apart.
const BEST_TRIES: u32 = 10;

/// A connection to a chain. Cheap to clone; it reconnects by itself.
#[derive(Clone)]
pub struct Chain {
	api: OnlineClient<SubstrateConfig>,
	rpc: RpcClient,
	genesis: [u8; 32],
	url: Arc<str>,
}

/// The chain's state at one block.
pub struct Snapshot {
	pub(crate) at: AtBlock,
}

/// A transaction that is signed but perhaps not yet submitted. Submitting the same bytes twice
/// cannot act twice: the nonce inside is used up by the first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signed {
	/// The encoded extrinsic.
	pub bytes: Vec<u8>,
	/// The nonce it uses.
	pub nonce: u64,
	/// The last block in which it may be included.
	pub valid_until: u64,
}

/// What became of a transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
	/// Block that holds it.
	pub block: [u8; 32],
	/// Its hash.
	pub extrinsic: [u8; 32],
	/// Names of the events it caused, as `Pallet.Event`.
	pub events: Vec<String>,
	/// The raw fields of those events, in the same order.
	pub fields: Vec<Vec<u8>>,
}

/// Why a transaction did not take effect.
#[derive(Debug, thiserror::Error)]
pub enum SubmitError {
	/// The chain executed it and refused: `Pallet::Error`, with the documentation of that error.
	#[error("{name}: {docs}")]
	Refused {
		/// `Pallet::Error`, or the kind of error for errors outside pallets.
		name: String,
		/// What it means and what to do.
		docs: String,
	},
	/// The node's pool has this very transaction already: it may still be included.
	#[error("the transaction waits to be included already")]
	AlreadyInPool,
	/// It was not accepted into a block: bad nonce, no funds for the fee, expired.
	#[error("the transaction was not included: {0}")]
	NotIncluded(String),
	/// The connection failed; whether it was included is not known.
	#[error("connection: {0}")]
	Connection(String),
}

impl SubmitError {
	/// Whether the chain refused with this `Pallet::Error`.
	pub fn is(&self, error: &str) -> bool {
		matches!(self, SubmitError::Refused { name, .. } if name == error)
	}
}

impl Chain {
	/// Connects to a node's JSON-RPC at a `ws://` or `wss://` URL.
	pub async fn connect(url: &str) -> Result<Self> {
		let rpc = ReconnectingRpcClient::builder()
			.retry_policy(
				ExponentialBackoff::from_millis(2)
					.factor(50)
					.max_delay(Duration::from_secs(10))
					.take(60),
			)
			.connection_timeout(Duration::from_secs(10))
			.max_response_size(64 * 1024 * 1024)
			.build(url)
			.await
			.map_err(|error| {
				anyhow!(
					"cannot reach a node at {url}: {error}. Is it running, and is the URL right?"
				)
			})?;
		let rpc = RpcClient::new(rpc);
		let api = OnlineClient::<SubstrateConfig>::from_rpc_client(rpc.clone())
			.await
			.with_context(|| format!("the server at {url} is not a Substrate node"))?;
		let genesis = api.genesis_hash().0;
		Ok(Self { api, rpc, genesis, url: url.into() })
	}

	/// The URL this is connected to.
	pub fn url(&self) -> &str {
		&self.url
	}

	/// Hash of the first block: it names the chain.
	pub fn genesis(&self) -> [u8; 32] {
		self.genesis
	}

	/// Whether this is a development or local chain, by the type that its specification states.
	pub async fn is_development(&self) -> Result<bool> {
		let kind: serde_json::Value = self.rpc.request("system_chainType", rpc_params![]).await?;
		Ok(kind == "Development" || kind == "Local")
	}

	/// The state at the last finalized block.
	pub async fn finalized(&self) -> Result<Snapshot> {
		Ok(Snapshot { at: self.api.at_current_block().await? })
	}

	/// The state at a block by its hash.
	pub async fn at(&self, block: [u8; 32]) -> Result<Snapshot> {
		let hash = subxt::utils::H256(block);
		Ok(Snapshot { at: self.api.at_block(hash).await? })
	}

	/// The state at the best block, which may still be reverted.
	pub async fn best(&self) -> Result<Snapshot> {
		let mut tries = 0;
		loop {
			let hash: Option<subxt::utils::H256> =
				self.rpc.request("chain_getBlockHash", rpc_params![]).await?;
			let hash = hash.ok_or_else(|| anyhow!("the node has no best block"))?;
			// The node names a block a moment before it can be asked about it, and a best block may be
			// gone a moment later.
			match self.api.at_block(hash).await {
				Ok(at) => return Ok(Snapshot { at }),
				Err(error) if tries == BEST_TRIES => return Err(error.into()),
				Err(_) => tries += 1,
			}
			tokio::time::sleep(Duration::from_millis(100)).await;
		}
	}

	/// Hashes of finalized blocks as they come, for as long as the connection lasts.
	pub async fn finalized_blocks(
		&self,
	) -> Result<impl futures::Stream<Item = Result<(u64, [u8; 32])>> + Unpin> {
		use futures::StreamExt;
		let blocks = self.api.stream_blocks().await?;
		Ok(Box::pin(blocks.map(|block| {
			let block = block?;
			Ok((block.number(), block.hash().0))
		})))
	}

	/// The nonce of an account's next transaction, those waiting in the node's pool included.
	pub async fn next_nonce(&self, account: &AccountId) -> Result<u64> {
		let address = keys::address(account);
		Ok(self.rpc.request("system_accountNextIndex", rpc_params![address]).await?)
	}

	/// The version of the runtime at the best block, as its code states it to the node: this is what an
	/// upgrade is checked by.
	pub async fn runtime_version(&self) -> Result<u32> {
		#[derive(serde::Deserialize)]
		#[serde(rename_all = "camelCase")]
		struct Version {
			spec_version: u32,
		}
		let version: Version = self.rpc.request("state_getRuntimeVersion", rpc_params![]).await?;
		Ok(version.spec_version)
	}

	/// Lets the node make new session keys for an owner. Returns the keys and the proof that the node has
	/// them. A node does so only for those it trusts.
	pub async fn rotate_keys(&self, owner: &AccountId) -> Result<(Vec<u8>, Vec<u8>)> {
		#[derive(serde::Deserialize)]
		struct Generated {
			keys: String,
			#[serde(default)]
			proof: String,
		}
		let owner = format!("0x{}", hex::encode(owner));
		let made: Generated =
			self.rpc.request("author_rotateKeysWithOwner", rpc_params![owner]).await?;
		let bytes = |text: &str| hex::decode(text.trim_start_matches("0x"));
		Ok((bytes(&made.keys)?, bytes(&made.proof)?))
	}

	/// Signs a call with an explicit nonce, valid for [`MORTALITY`] blocks.
	pub async fn sign(&self, call: &Call, signer: &Signer, nonce: u64) -> Result<Signed> {
		let at = self.api.at_current_block().await?;
		let from = at.block_number();
		let params = subxt::config::DefaultExtrinsicParamsBuilder::<SubstrateConfig>::new()
			.nonce(nonce)
			.mortal(MORTALITY)
			.build();
		let transactions = at.transactions();
		let mut signable = transactions
			.create_signable(call, &subxt::utils::AccountId32(signer.account()), params)
			.await?;
		let signed = signable.sign(&signer.0)?;
		// Mortal eras are quantised: never claim longer validity than the era gives.
		Ok(Signed { bytes: signed.encoded().to_vec(), nonce, valid_until: from + MORTALITY - 1 })
	}

	/// What a call would cost its signer in fees, in the smallest unit of TNA.
	pub async fn fee(&self, call: &Call, signer: &Signer) -> Result<u128> {
		let nonce = self.next_nonce(&signer.account()).await?;
		let signed = self.sign(call, signer, nonce).await?;
		let at = self.api.at_current_block().await?;
		Ok(at.transactions().from_bytes(signed.bytes).partial_fee_estimate().await?)
	}

	/// Hands a signed transaction to the node. Returns once the node's pool has judged it, so that the
	/// account's next nonce already counts it.
	pub async fn send(&self, signed: &Signed) -> Result<InFlight, SubmitError> {
		let at = self.api.at_current_block().await.map_err(connection)?;
		let transaction = at.transactions().from_bytes(signed.bytes.clone());
		let mut progress = transaction.submit_and_watch().await.map_err(not_accepted)?;
		let first = progress.next().await;
		let mut in_flight = InFlight { progress, included: None };
		in_flight.note(first)?;
		Ok(in_flight)
	}

	/// Submits a signed transaction and waits until it is in a best block.
	pub async fn submit(&self, signed: &Signed) -> Result<Receipt, SubmitError> {
		self.send(signed).await?.included().await
	}

	/// Signs with the account's next nonce, submits, and waits until the call is in a best block.
	pub async fn call(&self, call: &Call, signer: &Signer) -> Result<Receipt> {
		let nonce = self.next_nonce(&signer.account()).await?;
		let signed = self.sign(call, signer, nonce).await?;
		Ok(self.submit(&signed).await?)
	}
}

/// A transaction that the node's pool has accepted.
pub struct InFlight {
	progress: Progress,
	included: Option<InBlock>,
}

impl InFlight {
	fn note(
		&mut self,
		status: Option<
			Result<TransactionStatus<SubstrateConfig, AtBlockClient>, TransactionProgressError>,
		>,
	) -> Result<(), SubmitError> {
		match status {
			None => Err(SubmitError::Connection("the node stopped reporting".into())),
			Some(Err(error)) => Err(connection(error)),
			Some(Ok(
				TransactionStatus::Invalid { message }
				| TransactionStatus::Dropped { message }
				| TransactionStatus::Error { message },
			)) => Err(SubmitError::NotIncluded(message)),
			Some(Ok(
				TransactionStatus::InBestBlock(block) | TransactionStatus::InFinalizedBlock(block),
			)) => {
				self.included = Some(block);
				Ok(())
			}
			Some(Ok(_)) => Ok(()),
		}
	}

	/// Waits until the transaction is in a best block, and tells what it did there.
	pub async fn included(mut self) -> Result<Receipt, SubmitError> {
		let block = loop {
			if let Some(block) = self.included.take() {
				break block;
			}
			let status = self.progress.next().await;
			self.note(status)?;
		};
		let events = match block.wait_for_success().await {
			Ok(events) => events,
			Err(TransactionEventsError::ExtrinsicFailed(error)) => return Err(refusal(error)),
			Err(error) => return Err(connection(error)),
		};
		let mut names = Vec::new();
		let mut fields = Vec::new();
		for event in events.iter().flatten() {
			names.push(format!("{}.{}", event.pallet_name(), event.event_name()));
			fields.push(event.field_bytes().to_vec());
		}
		Ok(Receipt {
			block: block.block_hash().0,
			extrinsic: block.extrinsic_hash().0,
			events: names,
			fields,
		})
	}
}

fn connection(error: impl std::fmt::Display) -> SubmitError {
	SubmitError::Connection(error.to_string())
}

/// The pool's refusals are known by their wording; anything else is the connection's fault.
fn not_accepted(error: subxt::error::ExtrinsicError) -> SubmitError {
	let mut text = error.to_string();
	let mut source = std::error::Error::source(&error);
	while let Some(inner) = source {
		text = format!("{text}: {inner}");
		source = inner.source();
	}
	let said = text.to_lowercase();
	if said.contains("already imported") {
		return SubmitError::AlreadyInPool;
	}
	let refused =
		["invalid transaction", "unknown transaction", "temporarily banned", "priority is too low"]
			.iter()
			.any(|sign| said.contains(sign));
	if said.contains("inability to pay") {
		SubmitError::NotIncluded("the account cannot pay the fee: send it some TNA first".into())
	} else if refused {
		SubmitError::NotIncluded(text)
	} else {
		SubmitError::Connection(text)
	}
}

fn refusal(error: DispatchError) -> SubmitError {
	if let DispatchError::Module(module) = &error {
		if let Ok(details) = module.details() {
			let docs: Vec<_> = details.variant.docs.iter().map(|line| line.trim()).collect();
			return SubmitError::Refused { name: module.details_string(), docs: docs.join(" ") };
		}
	}
	let advice = match &error {
		DispatchError::Token(TokenError::FundsUnavailable | TokenError::NotExpendable)
		| DispatchError::Arithmetic(ArithmeticError::Underflow) => {
			"The account has too little free TNA for this. Add some, or name a smaller amount."
		}
		DispatchError::Token(TokenError::Frozen) => {
			"The account's TNA is locked. Use another account, or name a smaller amount."
		}
		DispatchError::Token(TokenError::BelowMinimum | TokenError::CannotCreate) => {
			"The receiving account would own less than an account must. Send more."
		}
		_ => "",
	};
	let docs = if advice.is_empty() { error.to_string() } else { advice.to_owned() };
	SubmitError::Refused { name: "System".into(), docs }
}

impl Snapshot {
	/// Number of the block.
	pub fn number(&self) -> u64 {
		self.at.block_number()
	}

	/// Hash of the block.
	pub fn hash(&self) -> [u8; 32] {
		self.at.block_ref().hash().0
	}

	/// A storage value, or `None` where nothing is stored and there is no default.
	pub async fn get<K, V>(&self, pallet: &str, entry: &str, keys: K) -> Result<Option<V>>
	where
		K: IntoEncodableValues + IntoDecodableValues,
		V: DecodeAsType,
	{
		let address = dynamic::storage::<K, V>(pallet, entry);
		let value: Option<StorageValue<V>> = self.at.storage().try_fetch(address, keys).await?;
		value.map(|value| value.decode()).transpose().with_context(|| {
			format!("{pallet}.{entry} of this chain has another shape: is this client too old?")
		})
	}

	/// All entries of a map with one key.
	pub async fn entries<K, V>(&self, pallet: &str, entry: &str) -> Result<Vec<(K, V)>>
	where
		K: DecodeAsType,
		V: DecodeAsType,
	{
		let address = dynamic::storage::<Vec<dynamic::Value>, V>(pallet, entry);
		let mut stream = self.at.storage().iter(address, Vec::<dynamic::Value>::new()).await?;
		let mut entries = Vec::new();
		while let Some(pair) = stream.next().await {
			let pair = pair?;
			let key = pair
				.key()?
				.part(0)
				.ok_or_else(|| anyhow!("{pallet}.{entry} has no key"))?
				.decode_as::<K>()?
				.ok_or_else(|| anyhow!("{pallet}.{entry} does not keep its keys"))?;
			entries.push((key, pair.value().decode()?));
		}
		Ok(entries)
	}

	/// All entries of a map with two keys.
	pub async fn double_entries<K, L, V>(&self, pallet: &str, entry: &str) -> Result<Vec<(K, L, V)>>
	where
		K: DecodeAsType,
		L: DecodeAsType,
		V: DecodeAsType,
	{
		let address = dynamic::storage::<Vec<dynamic::Value>, V>(pallet, entry);
		let mut stream = self.at.storage().iter(address, Vec::<dynamic::Value>::new()).await?;
		let mut entries = Vec::new();
		let lost = || anyhow!("{pallet}.{entry} does not keep its keys");
		while let Some(pair) = stream.next().await {
			let pair = pair?;
			let key = pair.key()?;
			let first = key.part(0).ok_or_else(lost)?.decode_as::<K>()?.ok_or_else(lost)?;
			let second = key.part(1).ok_or_else(lost)?.decode_as::<L>()?.ok_or_else(lost)?;
			entries.push((first, second, pair.value().decode()?));
		}
		Ok(entries)
	}

	/// A constant of a pallet.
	pub fn constant<V: DecodeAsType>(&self, pallet: &str, name: &str) -> Result<V> {
		Ok(self.at.constants().entry(dynamic::constant::<V>(pallet, name))?)
	}

	/// The result of a pallet's view function. Arguments and result are in SCALE, in the order and of
	/// the types that the pallet declares.
	pub async fn view<A: Encode, V: Decode>(
		&self,
		pallet: &str,
		function: &str,
		arguments: A,
	) -> Result<V> {
		let value = self.view_bytes(pallet, function, arguments).await?;
		V::decode_all(&mut &*value).with_context(|| {
			format!("{pallet}.{function} of this chain answers with another type: is this client too old?")
		})
	}

	/// The encoded result of a pallet's view function.
	pub(crate) async fn view_bytes<A: Encode>(
		&self,
		pallet: &str,
		function: &str,
		arguments: A,
	) -> Result<Vec<u8>> {
		let id = self
			.at
			.metadata_ref()
			.pallet_by_name(pallet)
			.and_then(|pallet| pallet.view_function_by_name(function))
			.map(|function| *function.query_id())
			.ok_or_else(|| anyhow!("this chain has no view function {pallet}.{function}"))?;
		// The runtime takes the arguments as bytes with their length, and answers with a result of
		// bytes with theirs: subxt's own call of view functions leaves both lengths out.
		let call = (id, arguments.encode()).encode();
		let answer = self.at.view_functions().call_raw(Some(&call)).await?;
		match answer.split_first() {
			Some((0, value)) => Ok(Vec::<u8>::decode(&mut &*value)?),
			_ => bail!("the chain refused the view function {pallet}.{function}"),
		}
	}

	/// The events of this block with this name, decoded by field name.
	pub async fn events<E>(&self, pallet: &str, event: &str) -> Result<Vec<E>>
	where
		E: DecodeAsType + scale_decode::DecodeAsFields,
	{
		let events = self.at.events().fetch().await?;
		let mut found = Vec::new();
		for item in events.iter() {
			let item = item?;
			if item.pallet_name() == pallet && item.event_name() == event {
				found.push(item.decode_fields_unchecked_as::<E>()?);
			}
		}
		Ok(found)
	}

	/// Total TNA in existence, in the smallest unit.
	pub async fn total_issuance(&self) -> Result<u128> {
		match self.get::<(), u128>("Balances", "TotalIssuance", ()).await? {
			Some(total) => Ok(total),
			None => bail!("this chain does not tell its total issuance"),
		}
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn a_refusal_for_lack_of_funds_says_so() {
		for error in [
			DispatchError::Token(TokenError::FundsUnavailable),
			DispatchError::Arithmetic(ArithmeticError::Underflow),
		] {
			assert!(refusal(error).to_string().contains("too little free TNA"));
		}
		let other = refusal(DispatchError::BadOrigin).to_string();
		assert!(other.contains("Bad origin"), "{other}");
	}
}
