// SPDX-License-Identifier: Apache-2.0

//! `tensornet-worker run`: puts the parts together and stops them again.

use anyhow::{bail, Context, Result};
use std::{path::Path, sync::Arc, time::Duration};
use tensornet_client::{keys, records, BlobStore, Chain, Signer};
use tokio::sync::watch;

use crate::{
	agent::Agent,
	challenger::Challenger,
	config::{DeviceChoice, Run},
	devices::{measure_gpu, DeviceKind},
	engine::Engine,
	gpu::GpuDevice,
	heartbeat::Heartbeat,
	journal::Journal,
	metrics::Metrics,
	parts::Parts,
	server,
};

/// How long a node may take to answer before the wait is told.
const PATIENCE: Duration = Duration::from_secs(10);

/// How long steps under way may take when the worker is told to stop.
const DRAIN: Duration = Duration::from_secs(60);

/// Runs the worker until it is told to stop.
pub async fn run(options: Run) -> Result<()> {
	let operator = Signer::from_argument(&options.operator).context("--operator")?;
	let engine = engine(options.device, options.allow_software_gpu, &options.data)?;
	let chain = connect(&options.chain).await?;
	if options.development_tamper.is_some() && !chain.is_development().await? {
		bail!("--development-tamper is for development chains: this one is not, and cheating costs the bond");
	}
	let node = wait_for_registration(&chain, &operator).await?;
	std::fs::create_dir_all(&options.data)
		.with_context(|| format!("cannot create {}", options.data.display()))?;
	let store = BlobStore::open(options.data.join("blobs"))?;
	// The journal's lock makes this worker the only one in the folder.
	let journal = Journal::open(&options.data.join("journal.redb"), &chain.genesis())?;
	store.remove_unfinished()?;
	let metrics = Arc::new(Metrics::default());

	let (stop, stopped) = watch::channel(false);
	let (address, server) =
		server::serve(options.listen, store.clone(), metrics.clone(), stopped.clone()).await?;
	tracing::info!(
		node = keys::address(&node),
		operator = keys::address(&operator.account()),
		device = engine.name(),
		%address,
		"worker ready"
	);

	let parts = Parts { chain, operator, turn: Arc::default(), node, store, metrics, engine };
	let agent = Agent::new(parts.clone(), journal, options.development_tamper);
	let mut tasks = vec![
		tokio::spawn(Arc::new(agent).run(stopped.clone())),
		tokio::spawn(Heartbeat::new(parts.clone()).run(stopped.clone())),
	];
	if options.challenge {
		tasks.push(tokio::spawn(Challenger::new(parts).run(stopped)));
	}

	interrupted().await;
	tracing::info!("stopping");
	let _ = stop.send(true);
	let drained = tokio::time::timeout(DRAIN, async {
		for task in tasks {
			task.await??;
		}
		Ok::<_, anyhow::Error>(())
	})
	.await;
	server.abort();
	match drained {
		Ok(result) => result,
		Err(_) => {
			tracing::warn!("a step took too long to finish; it resumes at the next start");
			Ok(())
		}
	}
}

fn engine(choice: DeviceChoice, allow_software: bool, data: &Path) -> Result<Engine> {
	if choice == DeviceChoice::Cpu {
		return Ok(Engine::cpu());
	}
	match gpu(allow_software, data) {
		Ok(device) => Ok(Engine::gpu(device)),
		Err(error) if choice == DeviceChoice::Gpu => {
			Err(error.context("no GPU can be used. Try --device cpu"))
		}
		Err(error) => {
			tracing::info!(error = format!("{error:#}"), "no GPU: using the CPU");
			Ok(Engine::cpu())
		}
	}
}

/// The best GPU, measured, so that its dispatches are as long as they should be. What is measured about
/// products is kept among the worker's data.
fn gpu(allow_software: bool, data: &Path) -> Result<Arc<GpuDevice>> {
	let device = GpuDevice::open(allow_software)?;
	// Software Vulkan is for tests: the usual kernels will do, and measuring takes longer than a job.
	if device.kind() == DeviceKind::Software {
		return Ok(Arc::new(device));
	}
	let device = Arc::new(device.with_tuning(data));
	let rate = measure_gpu(&device)?;
	tracing::info!(device = device.name(), rate, "the GPU was measured, in int8 MAC/s");
	Ok(device)
}

/// Connects to the chain. A worker may be started before the node that it talks to.
async fn connect(url: &str) -> Result<Chain> {
	loop {
		tokio::select! {
			connected = tokio::time::timeout(PATIENCE, Chain::connect(url)) => match connected {
				Ok(connected) => return connected,
				Err(_) => tracing::warn!(url, "no node answers at --chain yet: trying again"),
			},
			_ = interrupted() => bail!("stopped before a node answered at {url}"),
		}
	}
}

/// The node that the operator works for. A worker may be started before its node is registered.
async fn wait_for_registration(chain: &Chain, operator: &Signer) -> Result<[u8; 32]> {
	let account = operator.account();
	let mut told = false;
	loop {
		let snapshot = chain.finalized().await?;
		if let Some(node) = records::node_of(&snapshot, &account).await? {
			return Ok(node);
		}
		if !told {
			tracing::warn!(
				operator = keys::address(&account),
				"no node has this operator yet: waiting for `tensornet node register`"
			);
			told = true;
		}
		tokio::select! {
			_ = tokio::time::sleep(Duration::from_secs(3)) => {},
			_ = interrupted() => bail!("stopped before a node was registered"),
		}
	}
}

/// Completes at Ctrl-C or SIGTERM.
async fn interrupted() {
	#[cfg(unix)]
	{
		use tokio::signal::unix::{signal, SignalKind};
		if let Ok(mut terminate) = signal(SignalKind::terminate()) {
			tokio::select! {
				_ = tokio::signal::ctrl_c() => {},
				_ = terminate.recv() => {},
			}
			return;
		}
	}
	let _ = tokio::signal::ctrl_c().await;
}
