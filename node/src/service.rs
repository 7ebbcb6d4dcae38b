// SPDX-License-Identifier: Apache-2.0

//! Puts the node together from its parts.

use crate::rpc;
use futures::FutureExt;
use sc_client_api::{Backend, BlockBackend};
use sc_consensus::BlockImport;
use sc_consensus_babe::{BabeLink, BabeWorkerHandle, SlotProportion};
use sc_consensus_grandpa::SharedVoterState;
use sc_consensus_slots::BackoffAuthoringOnFinalizedHeadLagging;
use sc_network::{config::FullNetworkConfiguration, NetworkBackend};
use sc_service::{
	error::Error as ServiceError, BuildNetworkParams, Configuration, PartialComponents,
	SpawnTasksParams, TaskManager, WarpSyncConfig,
};
use sc_telemetry::{Telemetry, TelemetryHandle, TelemetryWorker};
use sc_transaction_pool_api::OffchainTransactionPoolFactory;
use sp_consensus_babe::{inherents::InherentDataProvider as SlotProvider, SlotDuration};
use sp_timestamp::InherentDataProvider as TimeProvider;
use std::{sync::Arc, time::Duration};
use tensornet_runtime::{opaque::Block, Hash, RuntimeApi};

/// What the runtime may call in the node.
#[cfg(not(feature = "runtime-benchmarks"))]
pub type HostFunctions = sp_io::SubstrateHostFunctions;
/// What the runtime may call in the node, with what benchmarks need.
#[cfg(feature = "runtime-benchmarks")]
pub type HostFunctions =
	(sp_io::SubstrateHostFunctions, frame_benchmarking::benchmarking::HostFunctions);

/// Executes the runtime's WASM.
pub type Executor = sc_executor::WasmExecutor<HostFunctions>;
/// Chain, state and runtime.
pub type FullClient = sc_service::TFullClient<Block, RuntimeApi, Executor>;
/// The database.
pub type FullBackend = sc_service::TFullBackend<Block>;
/// Picks the best chain.
pub type FullSelectChain = sc_consensus::LongestChain<FullBackend, Block>;
/// Transactions that wait for a block.
pub type FullPool = sc_transaction_pool::TransactionPoolHandle<Block, FullClient>;
type GrandpaLink = sc_consensus_grandpa::LinkHalf<Block, FullClient, FullSelectChain>;

/// A justification is kept at least this often, in blocks.
const JUSTIFICATION_PERIOD: u32 = 512;
/// How long a GRANDPA message is given to reach everybody.
const GOSSIP_DURATION: Duration = Duration::from_millis(333);
/// The part of a slot in which a block is made; the rest is for the network.
const PROPOSAL_SHARE: f32 = 0.5;

/// The parts that consensus adds to every command that opens the chain.
pub struct Consensus<Import> {
	/// Imports a block through BABE and then GRANDPA.
	pub block_import: Import,
	/// Ties the GRANDPA voter to the import.
	pub grandpa: GrandpaLink,
	/// Ties the BABE author to the import.
	pub babe: BabeLink<Block>,
	/// Answers questions about epochs.
	pub babe_worker: BabeWorkerHandle<Block>,
	/// Where the operator chose to report to.
	pub telemetry: Option<Telemetry>,
}

/// The slot that the clock says it is, and the time.
fn slot_and_time(slot: SlotDuration) -> (SlotProvider, TimeProvider) {
	let time = TimeProvider::from_system_time();
	(SlotProvider::from_timestamp_and_slot_duration(*time, slot), time)
}

fn handle(telemetry: &Option<Telemetry>) -> Option<TelemetryHandle> {
	telemetry.as_ref().map(Telemetry::handle)
}

/// Opens the chain without joining the network.
///
/// # Errors
///
/// When the database cannot be opened or belongs to another chain.
pub fn new_partial(
	config: &Configuration,
) -> Result<
	PartialComponents<
		FullClient,
		FullBackend,
		FullSelectChain,
		sc_consensus::DefaultImportQueue<Block>,
		FullPool,
		Consensus<
			impl BlockImport<Block, Error = sp_consensus::Error> + Clone + Send + Sync + 'static,
		>,
	>,
	ServiceError,
> {
	let reporting = config
		.telemetry_endpoints
		.clone()
		.filter(|endpoints| !endpoints.is_empty())
		.map(|endpoints| -> Result<_, sc_telemetry::Error> {
			let worker = TelemetryWorker::new(16)?;
			let telemetry = worker.handle().new_telemetry(endpoints);
			Ok((worker, telemetry))
		})
		.transpose()?;

	let (client, backend, keystore_container, task_manager) =
		sc_service::new_full_parts::<Block, RuntimeApi, _>(
			config,
			reporting.as_ref().map(|(_, telemetry)| telemetry.handle()),
			sc_service::new_wasm_executor::<HostFunctions>(&config.executor),
			Vec::new(),
		)?;
	let client = Arc::new(client);
	let telemetry = reporting.map(|(worker, telemetry)| {
		task_manager.spawn_handle().spawn("telemetry", None, worker.run());
		telemetry
	});

	let select_chain = sc_consensus::LongestChain::new(backend.clone());
	let transaction_pool = Arc::from(
		sc_transaction_pool::Builder::new(
			task_manager.spawn_essential_handle(),
			client.clone(),
			config.role.is_authority().into(),
		)
		.with_options(config.transaction_pool.clone())
		.with_prometheus(config.prometheus_registry())
		.build(),
	);

	let (grandpa_import, grandpa) = sc_consensus_grandpa::block_import(
		client.clone(),
		JUSTIFICATION_PERIOD,
		&client,
		select_chain.clone(),
		handle(&telemetry),
	)?;
	let genesis = sc_consensus_babe::configuration(&*client)?;
	let slot = genesis.slot_duration();
	let (block_import, babe) = sc_consensus_babe::block_import(
		genesis,
		grandpa_import.clone(),
		client.clone(),
		move |_, ()| async move { Ok(slot_and_time(slot)) },
		select_chain.clone(),
		OffchainTransactionPoolFactory::new(transaction_pool.clone()),
	)?;
	let (import_queue, babe_worker) =
		sc_consensus_babe::import_queue(sc_consensus_babe::ImportQueueParams {
			link: babe.clone(),
			block_import: block_import.clone(),
			justification_import: Some(Box::new(grandpa_import)),
			client: client.clone(),
			slot_duration: slot,
			spawner: &task_manager.spawn_essential_handle(),
			registry: config.prometheus_registry(),
			telemetry: handle(&telemetry),
		})?;

	Ok(PartialComponents {
		client,
		backend,
		task_manager,
		import_queue,
		keystore_container,
		select_chain,
		transaction_pool,
		other: Consensus { block_import, grandpa, babe, babe_worker, telemetry },
	})
}

/// Runs a node: joins the network, answers JSON-RPC, and makes and finalizes blocks if it is a
/// validator.
///
/// # Errors
///
/// When a part cannot start, for example because a port is taken.
pub fn new_full<N: NetworkBackend<Block, Hash>>(
	config: Configuration,
) -> Result<TaskManager, ServiceError> {
	let PartialComponents {
		client,
		backend,
		mut task_manager,
		import_queue,
		keystore_container,
		select_chain,
		transaction_pool,
		other: Consensus { block_import, grandpa, babe, babe_worker, mut telemetry },
	} = new_partial(&config)?;

	let role = config.role;
	let force_authoring = config.force_authoring;
	let name = config.network.node_name.clone();
	let vote = !config.disable_grandpa;
	let prometheus_registry = config.prometheus_registry().cloned();
	let offchain_transactions = OffchainTransactionPoolFactory::new(transaction_pool.clone());
	let voter_state = SharedVoterState::empty();

	let mut net_config = FullNetworkConfiguration::<Block, Hash, N>::new(
		&config.network,
		config.prometheus_registry().cloned(),
	);
	let metrics = N::register_notification_metrics(config.prometheus_registry());
	let genesis_hash = client
		.block_hash(0)?
		.ok_or_else(|| ServiceError::Other("the database has no genesis block".into()))?;
	let grandpa_protocol =
		sc_consensus_grandpa::protocol_standard_name(&genesis_hash, &config.chain_spec);
	let (grandpa_peers, grandpa_notifications) =
		sc_consensus_grandpa::grandpa_peers_set_config::<_, N>(
			grandpa_protocol.clone(),
			metrics.clone(),
			net_config.peer_store_handle(),
		);
	net_config.add_notification_protocol(grandpa_peers);
	let warp_sync = Arc::new(sc_consensus_grandpa::warp_proof::NetworkProvider::new(
		backend.clone(),
		grandpa.shared_authority_set().clone(),
		Vec::new(),
	));

	let (network, system_rpc_tx, tx_handler_controller, sync_service, _) =
		sc_service::build_network(BuildNetworkParams {
			config: &config,
			net_config,
			client: client.clone(),
			transaction_pool: transaction_pool.clone(),
			spawn_handle: task_manager.spawn_handle(),
			spawn_essential_handle: task_manager.spawn_essential_handle(),
			import_queue,
			block_announce_validator_builder: None,
			warp_sync_config: Some(WarpSyncConfig::WithProvider(warp_sync)),
			block_relay: None,
			metrics,
			gap_sync_body_policy: None,
		})?;

	if config.offchain_worker.enabled {
		let workers = sc_offchain::OffchainWorkers::new(sc_offchain::OffchainWorkerOptions {
			runtime_api_provider: client.clone(),
			keystore: Some(keystore_container.keystore()),
			offchain_db: backend.offchain_storage(),
			transaction_pool: Some(offchain_transactions.clone()),
			network_provider: Arc::new(network.clone()),
			is_validator: role.is_authority(),
			enable_http_requests: false,
			custom_extensions: |_| Vec::new(),
		})?;
		task_manager.spawn_handle().spawn(
			"offchain-workers-runner",
			"offchain-worker",
			workers.run(client.clone(), task_manager.spawn_handle()).boxed(),
		);
	}

	let sources = rpc::Sources {
		client: client.clone(),
		pool: transaction_pool.clone(),
		select_chain: select_chain.clone(),
		keystore: keystore_container.keystore(),
		babe: babe_worker,
		grandpa_authorities: grandpa.shared_authority_set().clone(),
		grandpa_voter: voter_state.clone(),
		justifications: grandpa.justification_stream(),
		finality: sc_consensus_grandpa::FinalityProofProvider::new_for_service(
			backend.clone(),
			Some(grandpa.shared_authority_set().clone()),
		),
	};
	sc_service::spawn_tasks(SpawnTasksParams {
		config,
		client: client.clone(),
		backend,
		task_manager: &mut task_manager,
		keystore: keystore_container.keystore(),
		transaction_pool: transaction_pool.clone(),
		rpc_builder: Box::new(move |executor| {
			sources.module(executor).map_err(ServiceError::Application)
		}),
		network: network.clone(),
		system_rpc_tx,
		tx_handler_controller,
		sync_service: sync_service.clone(),
		telemetry: telemetry.as_mut(),
		tracing_execute_block: None,
	})?;

	if role.is_authority() {
		let proposer = sc_basic_authorship::ProposerFactory::new(
			task_manager.spawn_handle(),
			client.clone(),
			transaction_pool,
			prometheus_registry.as_ref(),
			handle(&telemetry),
		);
		let slot = babe.config().slot_duration();
		let author = sc_consensus_babe::start_babe(sc_consensus_babe::BabeParams {
			keystore: keystore_container.keystore(),
			client,
			select_chain,
			env: proposer,
			block_import,
			sync_oracle: sync_service.clone(),
			justification_sync_link: sync_service.clone(),
			create_inherent_data_providers: move |_, ()| async move { Ok(slot_and_time(slot)) },
			force_authoring,
			backoff_authoring_blocks: Some(BackoffAuthoringOnFinalizedHeadLagging::default()),
			babe_link: babe,
			block_proposal_slot_portion: SlotProportion::new(PROPOSAL_SHARE),
			max_block_proposal_slot_portion: None,
			telemetry: handle(&telemetry),
		})?;
		// Without its author a validator is of no use: the node stops with it.
		task_manager.spawn_essential_handle().spawn_blocking(
			"babe-author",
			Some("block-authoring"),
			author,
		);
	}

	if vote {
		// Others than validators follow the votes without keys: that is how they learn what is final.
		let keystore = role.is_authority().then(|| keystore_container.keystore());
		let voter = sc_consensus_grandpa::run_grandpa_voter(sc_consensus_grandpa::GrandpaParams {
			config: sc_consensus_grandpa::Config {
				gossip_duration: GOSSIP_DURATION,
				justification_generation_period: JUSTIFICATION_PERIOD,
				observer_enabled: false,
				local_role: role,
				name: Some(name),
				keystore,
				telemetry: handle(&telemetry),
				protocol_name: grandpa_protocol,
			},
			link: grandpa,
			network,
			sync: sync_service,
			notification_service: grandpa_notifications,
			voting_rule: sc_consensus_grandpa::VotingRulesBuilder::default().build(),
			prometheus_registry,
			shared_voter_state: voter_state,
			telemetry: handle(&telemetry),
			offchain_tx_pool_factory: offchain_transactions,
		})?;
		task_manager.spawn_essential_handle().spawn_blocking("grandpa-voter", None, voter);
	}

	Ok(task_manager)
}
