// SPDX-License-Identifier: Apache-2.0

//! A worker that is killed in the middle of a job finishes it once: a real node, a real worker
//! process, `kill -9` after every step.

use std::{
	net::TcpListener,
	path::{Path, PathBuf},
	process::{Child, Command, Stdio},
	time::{Duration, Instant},
};
use tensornet_client::{calls, records, BlobStore, Chain, Signer, Snapshot};
use tensornet_protocol::{Capability, JobRequest};
use tensornet_tensor::{CheckedProgram, DType, Layout, Op, ProgramBuilder, TensorType};

const TNA: u128 = tensornet_client::balance::UNITS;
const PATIENCE: Duration = Duration::from_secs(150);

/// A child process that does not outlive the test.
struct Killed(Child);

impl Drop for Killed {
	fn drop(&mut self) {
		let _ = self.0.kill();
		let _ = self.0.wait();
	}
}

fn free_port() -> u16 {
	TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

fn worker_binary() -> PathBuf {
	PathBuf::from(env!("CARGO_BIN_EXE_tensornet-worker"))
}

fn node_binary() -> PathBuf {
	let path = worker_binary().with_file_name("tensornet-node");
	assert!(
		path.is_file(),
		"{} is not built: run `cargo build -p tensornet-node` first (`make test` does)",
		path.display()
	);
	path
}

async fn start_node(folder: &Path) -> (Killed, Chain) {
	let port = free_port();
	let log = std::fs::File::create(folder.join("node.log")).unwrap();
	let child = Command::new(node_binary())
		.args(["--dev", "--tmp", "--no-prometheus", "--no-telemetry", "--port"])
		.arg(free_port().to_string())
		.arg("--rpc-port")
		.arg(port.to_string())
		.stdout(Stdio::null())
		.stderr(log)
		.spawn()
		.unwrap();
	let node = Killed(child);
	let url = format!("ws://127.0.0.1:{port}");
	let started = Instant::now();
	loop {
		if let Ok(Ok(chain)) =
			tokio::time::timeout(Duration::from_secs(5), Chain::connect(&url)).await
		{
			return (node, chain);
		}
		assert!(started.elapsed() < PATIENCE, "the node did not come up");
		tokio::time::sleep(Duration::from_millis(500)).await;
	}
}

/// Two int8 matrices in, their rescaled product out.
fn program() -> CheckedProgram {
	let mut builder = ProgramBuilder::new();
	let ty = |dtype, shape: &[u32]| TensorType::new(dtype, shape);
	let a = builder.input(ty(DType::I8, &[1, 64, 64]), Layout::row_major(), false).unwrap();
	let b = builder.input(ty(DType::I8, &[1, 64, 64]), Layout::new(&[0, 2, 1]), false).unwrap();
	let product = builder.op(Op::MatMul { a_zero_point: 0, b_zero_point: 0 }, &[a, b]).unwrap();
	let multiplier = builder.constant_values(ty(DType::I32, &[1]), &[1 << 20]).unwrap();
	let shift = builder.constant_values(ty(DType::I8, &[1]), &[30]).unwrap();
	let rescale = Op::Rescale {
		output: DType::I8,
		input_zero_point: 0,
		output_zero_point: 0,
		per_channel: false,
	};
	let out = builder.op(rescale, &[product, multiplier, shift]).unwrap();
	builder.output(out, Layout::row_major());
	builder.finish().unwrap()
}

fn start_worker(folder: &Path, url: &str, operator: &str, port: u16) -> Killed {
	let log = std::fs::File::create(folder.join("worker.log")).unwrap();
	let child = Command::new(worker_binary())
		.args([
			"run",
			"--challenge",
			"--device",
			"cpu",
			"--chain",
			url,
			"--operator",
			operator,
			"--data",
		])
		.arg(folder.join("worker"))
		.arg("--listen")
		.arg(format!("127.0.0.1:{port}"))
		.stdout(Stdio::null())
		.stderr(log)
		.spawn()
		.unwrap();
	Killed(child)
}

/// Waits until the best block's state satisfies `condition`.
async fn until<F, Fut>(chain: &Chain, what: &str, condition: F)
where
	F: Fn(Snapshot) -> Fut,
	Fut: std::future::Future<Output = bool>,
{
	let started = Instant::now();
	while !condition(chain.best().await.unwrap()).await {
		assert!(started.elapsed() < PATIENCE, "waited too long for: {what}");
		tokio::time::sleep(Duration::from_millis(200)).await;
	}
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_is_killed_after_every_step_finishes_its_job_once() {
	let folder = tempfile::tempdir().unwrap();
	let (_node, chain) = start_node(folder.path()).await;
	let url = chain.url().to_owned();
	let stash = Signer::from_uri("//Bob").unwrap();
	let requester = Signer::from_uri("//Charlie").unwrap();
	let operator = Signer::from_uri("//Bob//operator").unwrap();

	let store = BlobStore::open(folder.path().join("blobs")).unwrap();
	let program = program();
	let a = store.put(&(0..4096).map(|i| (i % 251) as u8).collect::<Vec<_>>()).unwrap();
	let b = store.put(&(0..4096).map(|i| (i % 127) as u8).collect::<Vec<_>>()).unwrap();

	let port = free_port();
	let endpoint = format!("http://127.0.0.1:{port}");
	let capability = Capability { memory_mib: 1024, giga_macs: 1 };
	let register =
		calls::register_node(operator.account(), TNA / 1000, capability, &endpoint, 1_000 * TNA);
	for call in [calls::transfer(operator.account(), 10 * TNA), register, calls::set_online(true)] {
		chain.call(&call, &stash).await.unwrap();
	}
	let hint = store.base_url();
	chain.call(&calls::register_program(program.encode(), &hint), &requester).await.unwrap();
	let now = chain.best().await.unwrap().number() as u32;
	let request = JobRequest {
		program: program.id().into(),
		blobs: vec![a.into(), b.into()].try_into().unwrap(),
		hint: hint.into_bytes().try_into().unwrap(),
		iterations: 1,
		max_price: TNA,
		deadline: now + 100,
		compliance_level: 0,
	};
	chain.call(&calls::submit_job(request), &requester).await.unwrap();
	until(&chain, "assignment", |at| async move {
		records::job(&at, 0).await.unwrap().is_some_and(|job| job.node.is_some())
	})
	.await;

	// Killed while it executes or is about to commit.
	let mut worker = start_worker(folder.path(), &url, "//Bob//operator", port);
	let journal = folder.path().join("worker/journal.redb");
	let started = Instant::now();
	while !journal.is_file() {
		assert!(started.elapsed() < PATIENCE, "the worker did not start");
		tokio::time::sleep(Duration::from_millis(20)).await;
	}
	tokio::time::sleep(Duration::from_millis(1_500)).await;
	drop(worker);

	// Killed as soon as its commitment is in a block.
	worker = start_worker(folder.path(), &url, "//Bob//operator", port);
	until(&chain, "commitment", |at| async move {
		records::commitment(&at, 0).await.unwrap().is_some()
	})
	.await;
	drop(worker);
	// And its trace is lost: it can be computed again, to the same root.
	std::fs::remove_dir_all(folder.path().join("worker/blobs")).unwrap();

	// Killed as soon as the reveal is.
	worker = start_worker(folder.path(), &url, "//Bob//operator", port);
	until(&chain, "reveal", |at| async move {
		records::commitment(&at, 0).await.unwrap().is_some_and(|c| c.revealed().is_some())
	})
	.await;
	drop(worker);

	worker = start_worker(folder.path(), &url, "//Bob//operator", port);
	until(
		&chain,
		"settlement",
		|at| async move { records::outcome(&at, 0).await.unwrap().is_some() },
	)
	.await;
	let end = chain.best().await.unwrap();
	let outcome = records::outcome(&end, 0).await.unwrap().unwrap();
	assert_eq!(outcome.state, tensornet_protocol::JobState::Settled);
	assert_eq!(outcome.node, Some(stash.account()));
	let result = records::result(&end, 0).await.unwrap().unwrap();
	// One transaction for each step and not one more: nothing was submitted twice.
	let steps = if result.audited { 3 } else { 2 };
	assert_eq!(chain.next_nonce(&operator.account()).await.unwrap(), steps);

	// A worker that starts when all is done has nothing to do and nothing to complain of.
	drop(worker);
	until(&chain, "a few blocks", |at| {
		let last = u64::from(outcome.ended_at) + 4;
		async move { at.number() >= last }
	})
	.await;
	let _worker = start_worker(folder.path(), &url, "//Bob//operator", port);
	let started = Instant::now();
	while !std::fs::read_to_string(folder.path().join("worker.log")).unwrap().contains("ready") {
		assert!(started.elapsed() < PATIENCE, "the worker did not start");
		tokio::time::sleep(Duration::from_millis(100)).await;
	}
	tokio::time::sleep(Duration::from_secs(7)).await;
	let log = std::fs::read_to_string(folder.path().join("worker.log")).unwrap();
	assert!(!log.contains("WARN") && !log.contains("ERROR"), "{log}");
	assert_eq!(chain.next_nonce(&operator.account()).await.unwrap(), steps);
}
