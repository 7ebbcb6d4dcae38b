// SPDX-License-Identifier: Apache-2.0

//! Starts nodes as processes and talks to them as any client would.

use serde_json::{json, Value};
use std::{
	fs::{self, File},
	io::{self, Read, Write},
	net::{TcpListener, TcpStream},
	path::{Path, PathBuf},
	process::{Child, Command, Output, Stdio},
	thread::sleep,
	time::{Duration, Instant},
};

/// How long a call to a node may take.
const CALL_TIMEOUT: Duration = Duration::from_secs(10);
/// Pause between two looks at a node.
const POLL_INTERVAL: Duration = Duration::from_millis(250);

/// The node's binary with these arguments; it has not started yet.
pub fn binary() -> Command {
	let mut command = Command::new(env!("CARGO_BIN_EXE_tensornet-node"));
	command.stdin(Stdio::null());
	command
}

/// Runs the binary to its end.
pub fn run(arguments: &[&str]) -> Output {
	binary().args(arguments).output().expect("the binary starts")
}

/// A port that was free a moment ago.
pub fn free_port() -> u16 {
	TcpListener::bind(("127.0.0.1", 0))
		.and_then(|listener| listener.local_addr())
		.expect("loopback has free ports")
		.port()
}

/// A running node; it is killed when dropped.
pub struct Node {
	child: Child,
	log: PathBuf,
	/// Where it answers JSON-RPC.
	pub rpc: u16,
	/// Where it answers Prometheus.
	pub prometheus: u16,
}

impl Node {
	/// Starts a node on free ports, with its log in `directory`.
	pub fn start(directory: &Path, name: &str, arguments: &[String]) -> Self {
		let (rpc, prometheus) = (free_port(), free_port());
		let log = directory.join(format!("{name}.log"));
		let file = File::create(&log).expect("the directory is writable");
		let child = binary()
			.args(arguments)
			.args(["--name", name, "--no-telemetry", "--no-mdns"])
			.args(["--rpc-port", &rpc.to_string(), "--prometheus-port", &prometheus.to_string()])
			.stdout(Stdio::null())
			.stderr(file)
			.spawn()
			.expect("the binary starts");
		Node { child, log, rpc, prometheus }
	}

	/// The result of a JSON-RPC call, or what went wrong.
	pub fn call(&self, method: &str, params: Value) -> Result<Value, String> {
		let request = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params });
		let body = http(self.rpc, "POST", "/", request.to_string().as_bytes())
			.map_err(|e| format!("{method}: {e}"))?;
		let answer: Value = serde_json::from_slice(&body).map_err(|e| format!("{method}: {e}"))?;
		match answer.get("error") {
			Some(error) => Err(format!("{method}: {error}")),
			None => Ok(answer["result"].clone()),
		}
	}

	/// The text of the Prometheus endpoint.
	pub fn metrics(&self) -> Result<String, String> {
		http(self.prometheus, "GET", "/metrics", b"")
			.map(|body| String::from_utf8_lossy(&body).into_owned())
			.map_err(|e| e.to_string())
	}

	/// Height of the last finalized block; 0 while the node does not answer.
	pub fn finalized(&self) -> u64 {
		self.call("chain_getFinalizedHead", json!([]))
			.and_then(|hash| self.call("chain_getHeader", json!([hash])))
			.ok()
			.and_then(|header| {
				let number = header["number"].as_str()?.strip_prefix("0x")?.to_owned();
				u64::from_str_radix(&number, 16).ok()
			})
			.unwrap_or(0)
	}

	/// How many peers the node is connected to; 0 while it does not answer.
	pub fn peers(&self) -> u64 {
		self.call("system_health", json!([]))
			.ok()
			.and_then(|health| health["peers"].as_u64())
			.unwrap_or(0)
	}

	/// Waits until `condition` holds.
	///
	/// # Panics
	///
	/// With the end of the node's log, when the node stops or `limit` passes.
	pub fn wait(&mut self, what: &str, limit: Duration, condition: impl Fn(&Node) -> bool) {
		let deadline = Instant::now() + limit;
		while !condition(self) {
			if let Ok(Some(status)) = self.child.try_wait() {
				panic!("the node stopped ({status}) before {what}\n{}", self.log_end());
			}
			assert!(
				Instant::now() < deadline,
				"{what} did not happen within {limit:?}\n{}",
				self.log_end()
			);
			sleep(POLL_INTERVAL);
		}
	}

	fn log_end(&self) -> String {
		let log = fs::read_to_string(&self.log).unwrap_or_default();
		let lines: Vec<_> = log.lines().collect();
		lines[lines.len().saturating_sub(40)..].join("\n")
	}
}

impl Drop for Node {
	fn drop(&mut self) {
		// Fails only when the process has ended by itself.
		let _ = self.child.kill();
		let _ = self.child.wait();
	}
}

/// The body of the answer to one HTTP/1.1 request on loopback.
fn http(port: u16, method: &str, path: &str, body: &[u8]) -> io::Result<Vec<u8>> {
	let mut stream = TcpStream::connect(("127.0.0.1", port))?;
	stream.set_read_timeout(Some(CALL_TIMEOUT))?;
	stream.set_write_timeout(Some(CALL_TIMEOUT))?;
	write!(
		stream,
		"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n\
		 Content-Type: application/json\r\nContent-Length: {}\r\n\r\n",
		body.len()
	)?;
	stream.write_all(body)?;
	let mut answer = Vec::new();
	stream.read_to_end(&mut answer)?;
	let refused = |what: &str| io::Error::other(what.to_owned());
	let end = answer
		.windows(4)
		.position(|window| window == b"\r\n\r\n")
		.ok_or_else(|| refused("the answer has no header"))?;
	let (header, body) =
		(String::from_utf8_lossy(&answer[..end]).to_lowercase(), &answer[end + 4..]);
	if !header.starts_with("http/1.1 200") {
		return Err(refused(header.lines().next().unwrap_or_default()));
	}
	if header.contains("transfer-encoding: chunked") {
		unchunk(body).ok_or_else(|| refused("the answer is cut off"))
	} else {
		Ok(body.to_vec())
	}
}

/// Joins the chunks of a body; `None` when the last one is missing.
fn unchunk(mut body: &[u8]) -> Option<Vec<u8>> {
	let mut joined = Vec::new();
	loop {
		let line = body.windows(2).position(|window| window == b"\r\n")?;
		let size = std::str::from_utf8(&body[..line]).ok()?;
		let size = usize::from_str_radix(size.split(';').next()?.trim(), 16).ok()?;
		if size == 0 {
			return Some(joined);
		}
		let start = line + 2;
		joined.extend_from_slice(body.get(start..start + size)?);
		body = body.get(start + size + 2..)?;
	}
}
