// SPDX-License-Identifier: Apache-2.0

//! A development chain of its own for each test, and the command line against it.

use serde_json::Value;
use std::{
	fs::File,
	net::TcpListener,
	path::{Path, PathBuf},
	process::{Child, Command, Output, Stdio},
	sync::Once,
	time::{Duration, Instant},
};
use tempfile::TempDir;
use tensornet_client::{funds, AccountId, Chain, Signer, Tna};
use tensornet_tensor::{
	CheckedProgram, Checkpoint, Constant, ConstantData, DType, Input, Layout, Node as Step, Op,
	Program, TensorType, FORMAT,
};

/// How long a process may take until it answers.
const PATIENCE: Duration = Duration::from_secs(120);

/// A development chain with the processes that belong to it. All are killed when it is dropped.
pub struct Local {
	/// The chain, for what the command line does not do.
	pub chain: Chain,
	/// Its JSON-RPC.
	pub url: String,
	/// A folder for the test's files.
	pub folder: TempDir,
	children: Vec<(String, Child)>,
}

impl Drop for Local {
	fn drop(&mut self) {
		for (_, child) in &mut self.children {
			// Fails only when the process has ended by itself.
			let _ = child.kill();
			let _ = child.wait();
		}
	}
}

/// Where a program of this build is. Those of other packages are built if nobody has.
fn binary(name: &str) -> PathBuf {
	static BUILD: Once = Once::new();
	let folder = Path::new(env!("CARGO_BIN_EXE_tensornet")).parent().expect("it is in a folder");
	let file = |name: &str| folder.join(format!("{name}{}", std::env::consts::EXE_SUFFIX));
	BUILD.call_once(|| {
		if file("tensornet-node").is_file() && file("tensornet-worker").is_file() {
			return;
		}
		let built = Command::new(env!("CARGO"))
			.args(["build", "-p", "tensornet-node", "-p", "tensornet-worker", "--bins"])
			.current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
			.status();
		assert!(built.is_ok_and(|status| status.success()), "the node cannot be built");
	});
	file(name)
}

/// `N` TCP ports of this machine that are free now.
pub fn free_ports<const N: usize>() -> [u16; N] {
	// All are held until all are known, so that they differ.
	let listeners = [(); N].map(|()| TcpListener::bind("127.0.0.1:0").expect("a free port"));
	listeners.map(|listener| listener.local_addr().expect("it has an address").port())
}

/// An address of a development key.
pub fn address(secret: &str) -> String {
	tensornet_client::keys::address(&account(secret))
}

/// An account of a development key.
pub fn account(secret: &str) -> AccountId {
	signer(secret).account()
}

/// A development key.
pub fn signer(secret: &str) -> Signer {
	Signer::from_uri(secret).expect("it is a key")
}

/// An amount from what the command line prints.
pub fn tna(value: &Value) -> u128 {
	let text = value.as_str().unwrap_or_else(|| panic!("{value} is no amount"));
	text.parse::<Tna>().unwrap_or_else(|error| panic!("{error}")).0
}

impl Local {
	/// Starts a development chain and waits for its first finalized block.
	pub async fn start() -> Self {
		let folder = tempfile::tempdir().expect("there is room for files");
		let [rpc, p2p] = free_ports();
		let (rpc, p2p) = (rpc.to_string(), p2p.to_string());
		let arguments = [
			"--dev",
			"--tmp",
			"--rpc-port",
			&rpc,
			"--port",
			&p2p,
			"--no-prometheus",
			"--no-mdns",
			"--no-telemetry",
		];
		let mut children = Vec::new();
		spawn(&mut children, folder.path(), "tensornet-node", &arguments);
		let url = format!("ws://127.0.0.1:{rpc}");
		let started = Instant::now();
		let chain = loop {
			if let Ok(chain) = tensornet_cli::connect(&url).await {
				if chain.finalized().await.is_ok_and(|at| at.number() > 0) {
					break chain;
				}
			}
			still_runs(&mut children, folder.path());
			assert!(
				started.elapsed() < PATIENCE,
				"no block\n{}",
				tail(folder.path(), "tensornet-node")
			);
			tokio::time::sleep(Duration::from_millis(300)).await;
		};
		Self { chain, url, folder, children }
	}

	/// The path of a file of the test, as text.
	pub fn path(&self, name: &str) -> String {
		self.folder.path().join(name).to_str().expect("the path is text").to_owned()
	}

	/// Runs the command line against the chain.
	pub fn run(&self, arguments: &[&str]) -> Output {
		Command::new(env!("CARGO_BIN_EXE_tensornet"))
			.args(arguments)
			.args(["--chain", &self.url, "--json"])
			.env_remove("TENSORNET_KEY")
			.env("RUST_LOG", "off")
			.current_dir(self.folder.path())
			.output()
			.expect("the binary runs")
	}

	/// Runs a command that succeeds with one JSON object.
	pub fn json(&self, arguments: &[&str]) -> Value {
		let output = self.run(arguments);
		let text = String::from_utf8_lossy(&output.stdout).into_owned();
		assert!(
			output.status.success(),
			"{arguments:?}: {}",
			String::from_utf8_lossy(&output.stderr)
		);
		serde_json::from_str(&text).unwrap_or_else(|_| panic!("{arguments:?} printed {text}"))
	}

	/// Runs a command that prints a list: one JSON object a line.
	pub fn list(&self, arguments: &[&str]) -> Vec<Value> {
		let output = self.run(arguments);
		assert!(
			output.status.success(),
			"{arguments:?}: {}",
			String::from_utf8_lossy(&output.stderr)
		);
		let text = String::from_utf8_lossy(&output.stdout).into_owned();
		text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
	}

	/// Runs a command that fails and says every one of `words`.
	pub fn fails(&self, words: &[&str], arguments: &[&str]) {
		let output = self.run(arguments);
		let said = String::from_utf8_lossy(&output.stderr).into_owned();
		assert_eq!(output.status.code(), Some(1), "{arguments:?}: {said}");
		assert!(output.stdout.is_empty(), "{arguments:?} printed a result");
		for word in words {
			assert!(said.contains(word), "{arguments:?}: '{word}' is missing in {said}");
		}
	}

	/// Looks at something until it is as wanted.
	pub async fn until<T>(
		&mut self,
		what: &str,
		limit: Duration,
		mut look: impl FnMut(&Self) -> Option<T>,
	) -> T {
		let started = Instant::now();
		loop {
			if let Some(found) = look(self) {
				return found;
			}
			still_runs(&mut self.children, self.folder.path());
			assert!(
				started.elapsed() < limit,
				"{what} did not happen within {limit:?}\n{}",
				tail(self.folder.path(), "tensornet-node")
			);
			tokio::time::sleep(Duration::from_secs(1)).await;
		}
	}

	/// What an account owns: free, and held.
	pub async fn funds(&self, secret: &str) -> (u128, u128) {
		let at = self.chain.best().await.expect("the chain answers");
		let funds = funds::balance(&at, &account(secret)).await.expect("the chain answers");
		(funds.free, funds.reserved)
	}

	/// Lets accounts send all but a little of what they own to others, at the same time.
	pub async fn give(&self, gifts: &[(&str, &str)]) {
		for (from, to) in gifts {
			let (free, _) = self.funds(from).await;
			let rest = Tna(free - 1_000 * tensornet_client::balance::UNITS).to_string();
			let arguments = ["transfer", &address(to), &rest, "--key", from];
			assert_eq!(self.json(&arguments)["dry_run"], false);
		}
	}

	/// Registers a node and brings it online; its operator is `{secret}//operator`.
	pub fn register_node(&self, secret: &str, port: u16) {
		let operator = address(&format!("{secret}//operator"));
		self.json(&["transfer", &operator, "100", "--key", secret]);
		let endpoint = format!("http://127.0.0.1:{port}");
		let offer = ["--ask", "0.5", "--bond", "5000", "--memory-mib", "4096", "--giga-macs", "50"];
		let register = ["node", "register", "--operator", &operator, "--endpoint", &endpoint];
		self.json(&[&register[..], &offer, &["--key", secret]].concat());
		self.json(&["node", "online", "--key", secret]);
	}

	/// Starts the worker of such a node.
	pub fn start_worker(&mut self, secret: &str, port: u16) {
		let operator = format!("{secret}//operator");
		let (data, listen) = (self.path("worker"), format!("127.0.0.1:{port}"));
		let arguments = [
			"run",
			"--chain",
			&self.url,
			"--operator",
			&operator,
			"--data",
			&data,
			"--listen",
			&listen,
			"--device",
			"cpu",
		];
		spawn(&mut self.children, self.folder.path(), "tensornet-worker", &arguments);
	}

	/// Registers a small program and makes a file of its input. Returns the program's id and the path
	/// of the input.
	pub fn register_program(&self, author: &str) -> (String, String) {
		let program = product();
		let (file, input) = (self.path("product.tnp"), self.path("input.bin"));
		std::fs::write(&file, program.encode()).expect("the folder is writable");
		std::fs::write(&input, [1, 2, 3, 4, 5, 6, 7, 8]).expect("the folder is writable");
		let registered = self.json(&["program", "register", &file, "--key", author]);
		assert_eq!(registered["new"], true);
		(registered["program"].as_str().expect("an id").to_owned(), input)
	}
}

/// A product of a 2 × 4 input by a constant.
fn product() -> CheckedProgram {
	CheckedProgram::new(Program {
		format: FORMAT,
		inputs: vec![Input {
			ty: TensorType::new(DType::I8, [1, 2, 4]),
			layout: Layout::row_major(),
			per_iteration: false,
		}],
		constants: vec![Constant {
			ty: TensorType::new(DType::I8, [1, 4, 3]),
			layout: Layout::new(&[0, 2, 1]),
			data: ConstantData::Inline((1..=12).collect()),
		}],
		state: Vec::new(),
		nodes: vec![Step {
			op: Op::MatMul { a_zero_point: 0, b_zero_point: 0 },
			operands: vec![0, 1],
		}],
		outputs: vec![2],
		checkpoints: vec![Checkpoint { value: 2, layout: Layout::row_major() }],
		max_iterations: 1,
	})
	.expect("the program is valid")
}

fn spawn(children: &mut Vec<(String, Child)>, folder: &Path, name: &str, arguments: &[&str]) {
	let log = File::create(folder.join(format!("{name}.log"))).expect("the folder is writable");
	let child = Command::new(binary(name))
		.args(arguments)
		.env_remove("RUST_LOG")
		.stdin(Stdio::null())
		.stdout(Stdio::null())
		.stderr(log)
		.spawn()
		.expect("the binary starts");
	children.push((name.to_owned(), child));
}

fn still_runs(children: &mut [(String, Child)], folder: &Path) {
	for (name, child) in children {
		if let Ok(Some(status)) = child.try_wait() {
			panic!("{name} ended: {status}\n{}", tail(folder, name));
		}
	}
}

fn tail(folder: &Path, name: &str) -> String {
	let log = std::fs::read_to_string(folder.join(format!("{name}.log"))).unwrap_or_default();
	let lines: Vec<_> = log.lines().collect();
	lines[lines.len().saturating_sub(30)..].join("\n")
}
