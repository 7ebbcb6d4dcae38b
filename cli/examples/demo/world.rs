// SPDX-License-Identifier: Apache-2.0

//! The stage: a development chain, and three GPU nodes that are registered, staked and at work.

use anyhow::{bail, Context, Result};
use std::{
	path::{Path, PathBuf},
	sync::Arc,
	time::Duration,
};
use tensornet_client::{
	balance::UNITS,
	calls::{self, Call},
	chain::Receipt,
	keys, Chain, Signer,
};
use tensornet_protocol::Capability;
use tokio::net::TcpStream;

use crate::{
	children::{free_ports, page, Children},
	parties::{everybody, GpuNode, Party, NODES},
	screen::Screen,
	watch::Court,
};

/// What each node stakes.
const BOND: u128 = 5_000 * UNITS;

/// What each operator gets for its fees.
const FEES: u128 = 100 * UNITS;

/// How long a process may take until it answers.
const PATIENCE: Duration = Duration::from_secs(90);

/// A running chain with its processes' addresses.
pub struct World {
	/// The chain.
	pub chain: Chain,
	/// Everybody who owns TNA.
	pub parties: Arc<Vec<Party>>,
	/// Collects verdicts.
	pub court: Court,
	rpc: String,
	work: PathBuf,
	ports: [u16; NODES.len()],
	device: Option<String>,
}

impl World {
	/// Starts a development chain in an empty folder and waits for its first block.
	pub async fn start(
		work: &Path,
		device: Option<String>,
		screen: &Screen,
		children: &mut Children,
	) -> Result<Self> {
		let [rpc, p2p, ports @ ..] = free_ports::<{ NODES.len() + 2 }>()?;
		let arguments = [
			"--dev",
			"--base-path",
			&work.join("chain").display().to_string(),
			"--rpc-port",
			&rpc.to_string(),
			"--port",
			&p2p.to_string(),
			"--no-prometheus",
			"--no-mdns",
			"--no-telemetry",
		];
		children.start("chain", "tensornet-node", &arguments.map(String::from))?;
		screen.wait("the first block");
		let chain = first_block(rpc, children).await?;
		let court = Court::sit(chain.clone());
		let parties = Arc::new(everybody()?);
		Ok(Self { chain, parties, court, rpc: url(rpc), work: work.to_owned(), ports, device })
	}

	/// Registers, stakes and starts all nodes; returns once each follows the chain.
	pub async fn open_market(&self, screen: &Screen, children: &mut Children) -> Result<()> {
		screen.wait("nodes to register and stake");
		let mut registrations = tokio::task::JoinSet::new();
		for (node, port) in NODES.iter().zip(self.ports) {
			let (chain, endpoint) = (self.chain.clone(), format!("http://127.0.0.1:{port}"));
			registrations.spawn(async move { register(&chain, node, &endpoint).await });
		}
		while let Some(registered) = registrations.join_next().await {
			registered??;
		}
		for number in 0..NODES.len() {
			self.start_worker(number, None, children)?;
		}
		for (number, node) in NODES.iter().enumerate() {
			screen.wait(format!("the worker of {}", node.name));
			self.worker_ready(number, children).await?;
			screen.say(format!(
				"node {} is staked with {} TNA, asks {} TNA for 10^9 MACs, and follows the chain",
				node.name,
				BOND / UNITS,
				tensornet_client::Tna(ask(node)),
			));
		}
		Ok(())
	}

	/// Starts the worker of a node; with `tamper`, told to cheat.
	pub fn start_worker(
		&self,
		number: usize,
		tamper: Option<String>,
		children: &mut Children,
	) -> Result<()> {
		let node = &NODES[number];
		let data = self.work.join(node.name).display().to_string();
		let listen = format!("127.0.0.1:{}", self.ports[number]);
		let device = self.device.as_deref().unwrap_or(node.device);
		let mut arguments: Vec<String> = [
			"run",
			"--chain",
			&self.rpc,
			"--operator",
			node.operator,
			"--data",
			&data,
			"--listen",
			&listen,
			"--device",
			device,
			"--allow-software-gpu",
			"--challenge",
		]
		.map(String::from)
		.into();
		if let Some(tamper) = tamper {
			arguments.extend(["--development-tamper".into(), tamper]);
		}
		children.start(&worker_name(node), "tensornet-worker", &arguments)
	}

	/// Waits until a node's worker follows the chain.
	pub async fn worker_ready(&self, number: usize, children: &mut Children) -> Result<()> {
		let port = self.ports[number];
		let name = worker_name(&NODES[number]);
		let wait = async {
			loop {
				children.check()?;
				if page(port, "/health").await.is_ok() {
					return Ok(());
				}
				tokio::time::sleep(Duration::from_millis(300)).await;
			}
		};
		match tokio::time::timeout(PATIENCE, wait).await {
			Ok(result) => result,
			Err(_) => bail!("{name} did not follow the chain within {} s", PATIENCE.as_secs()),
		}
	}

	/// Milliseconds that all workers together have spent executing, and of those hashing the traces.
	pub async fn worker_times(&self) -> Result<(u64, u64)> {
		let (mut execute, mut commit) = (0, 0);
		for port in self.ports {
			let metrics = page(port, "/metrics").await?;
			execute += metric(&metrics, "execute_milliseconds_total");
			commit += metric(&metrics, "commit_milliseconds_total");
		}
		Ok((execute, commit))
	}

	/// Brings nodes online or takes them offline, all at once.
	pub async fn switch(&self, numbers: &[usize], online: bool) -> Result<()> {
		let mut switches = tokio::task::JoinSet::new();
		for number in numbers {
			let (chain, stash) = (self.chain.clone(), Signer::from_uri(NODES[*number].stash)?);
			switches.spawn(async move { chain.call(&calls::set_online(online), &stash).await });
		}
		while let Some(switched) = switches.join_next().await {
			switched??;
		}
		Ok(())
	}
}

/// The name under which a node's worker logs.
pub fn worker_name(node: &GpuNode) -> String {
	format!("worker-{}", node.name.to_lowercase())
}

/// What a node asks for 10^9 multiply-accumulates, in the smallest unit of TNA.
pub fn ask(node: &GpuNode) -> u128 {
	node.ask_milli * UNITS / 1000
}

fn url(port: u16) -> String {
	format!("ws://127.0.0.1:{port}")
}

fn metric(text: &str, name: &str) -> u64 {
	let name = format!("tensornet_worker_{name} ");
	let value = text.lines().find_map(|line| line.strip_prefix(&name));
	value.and_then(|value| value.trim().parse().ok()).unwrap_or_default()
}

async fn first_block(port: u16, children: &mut Children) -> Result<Chain> {
	let wait = async {
		loop {
			children.check()?;
			if TcpStream::connect(("127.0.0.1", port)).await.is_ok() {
				let chain = Chain::connect(&url(port)).await?;
				while chain.finalized().await?.number() == 0 {
					children.check()?;
					tokio::time::sleep(Duration::from_millis(300)).await;
				}
				return Ok(chain);
			}
			tokio::time::sleep(Duration::from_millis(300)).await;
		}
	};
	match tokio::time::timeout(PATIENCE, wait).await {
		Ok(result) => result,
		Err(_) => bail!("the chain finalized no block within {} s", PATIENCE.as_secs()),
	}
}

async fn register(chain: &Chain, node: &GpuNode, endpoint: &str) -> Result<()> {
	let stash = Signer::from_uri(node.stash)?;
	let operator = Signer::from_uri(node.operator)?.account();
	let capability = Capability { memory_mib: 4096, giga_macs: 50 };
	let steps = [
		calls::transfer(operator, FEES),
		calls::register_node(operator, ask(node), capability, endpoint, BOND),
		calls::set_online(true),
	];
	call_all(chain, &stash, &steps).await.with_context(|| {
		format!("node {} ({}) cannot be registered", node.name, keys::address(&stash.account()))
	})?;
	Ok(())
}

/// Sends calls of one signer back to back and waits until all of them are in blocks.
pub async fn call_all(chain: &Chain, signer: &Signer, calls: &[Call]) -> Result<Vec<Receipt>> {
	let first = chain.next_nonce(&signer.account()).await?;
	let mut in_flight = Vec::new();
	for (nonce, call) in (first..).zip(calls) {
		let signed = chain.sign(call, signer, nonce).await?;
		let sent = chain.send(&signed).await.with_context(|| call.label())?;
		in_flight.push((call, sent));
	}
	let mut receipts = Vec::new();
	for (call, sent) in in_flight {
		receipts.push(sent.included().await.with_context(|| call.label())?);
	}
	Ok(receipts)
}
