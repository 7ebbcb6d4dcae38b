// SPDX-License-Identifier: Apache-2.0

//! The processes of the demo. None of them outlives it: they are killed when [`Children`] is dropped,
//! also while a panic unwinds.

use anyhow::{bail, Context, Result};
use std::{
	fs::File,
	net::TcpListener,
	path::{Path, PathBuf},
	process::{Child, Command, Stdio},
};
use tokio::{
	io::{AsyncReadExt, AsyncWriteExt},
	net::TcpStream,
};

/// Running processes, and where they log.
pub struct Children {
	binaries: PathBuf,
	logs: PathBuf,
	running: Vec<(String, Child)>,
}

impl Children {
	/// No processes yet. Binaries are looked for in the folder above this example's own; each process
	/// logs to `{logs}/{name}.log`.
	pub fn new(logs: &Path) -> Result<Self> {
		let here = std::env::current_exe().context("this program does not know where it is")?;
		let binaries = here
			.parent()
			.and_then(Path::parent)
			.context("this program is not in a build folder")?
			.to_owned();
		Ok(Self { binaries, logs: logs.to_owned(), running: Vec::new() })
	}

	/// Starts a process. Its log is appended to.
	pub fn start(&mut self, name: &str, binary: &str, arguments: &[String]) -> Result<()> {
		let path = self.binary(binary)?;
		let log = File::options()
			.create(true)
			.append(true)
			.open(self.log(name))
			.with_context(|| format!("cannot write the log of {name}"))?;
		let child = Command::new(&path)
			.args(arguments)
			.stdin(Stdio::null())
			.stdout(log.try_clone()?)
			.stderr(log)
			.spawn()
			.with_context(|| format!("cannot start {}", path.display()))?;
		self.running.push((name.to_owned(), child));
		Ok(())
	}

	/// Where a program of this build is.
	pub fn binary(&self, name: &str) -> Result<PathBuf> {
		let path = self.binaries.join(format!("{name}{}", std::env::consts::EXE_SUFFIX));
		if !path.is_file() {
			bail!("{} is not there: build it with cargo build --bins --examples", path.display());
		}
		Ok(path)
	}

	/// Kills a process and waits for its end.
	pub fn kill(&mut self, name: &str) {
		if let Some(position) = self.running.iter().position(|(known, _)| known == name) {
			let (_, mut child) = self.running.swap_remove(position);
			let _ = child.kill();
			let _ = child.wait();
		}
	}

	/// Fails if a process has ended by itself.
	pub fn check(&mut self) -> Result<()> {
		for (name, child) in &mut self.running {
			if let Some(status) = child.try_wait()? {
				bail!("{name} ended: {status}");
			}
		}
		Ok(())
	}

	/// The last lines of every log.
	pub fn tails(&self, lines: usize) -> String {
		let mut text = String::new();
		for (name, _) in &self.running {
			let path = self.log(name);
			let log = std::fs::read_to_string(&path).unwrap_or_default();
			let all: Vec<&str> = log.lines().collect();
			let tail = all.get(all.len().saturating_sub(lines)..).unwrap_or_default();
			text.push_str(&format!("\n-- {} --\n{}\n", path.display(), tail.join("\n")));
		}
		text
	}

	fn log(&self, name: &str) -> PathBuf {
		self.logs.join(format!("{name}.log"))
	}
}

impl Drop for Children {
	fn drop(&mut self) {
		for (_, child) in &mut self.running {
			let _ = child.kill();
		}
		for (_, child) in &mut self.running {
			let _ = child.wait();
		}
	}
}

/// `N` TCP ports of this machine that are free now.
pub fn free_ports<const N: usize>() -> Result<[u16; N]> {
	// All are held until all are known, so that they differ.
	let mut listeners = Vec::new();
	let mut ports = [0; N];
	for port in &mut ports {
		let listener = TcpListener::bind("127.0.0.1:0").context("no free port")?;
		*port = listener.local_addr()?.port();
		listeners.push(listener);
	}
	Ok(ports)
}

/// The body of a small page of a process on this machine; an error unless its status is 200.
pub async fn page(port: u16, path: &str) -> Result<String> {
	let mut stream = TcpStream::connect(("127.0.0.1", port)).await?;
	let request = format!("GET {path} HTTP/1.0\r\nHost: localhost\r\n\r\n");
	stream.write_all(request.as_bytes()).await?;
	let mut answer = String::new();
	stream.read_to_string(&mut answer).await?;
	let (head, body) = answer.split_once("\r\n\r\n").context("no HTTP answer")?;
	let status = head.split(' ').nth(1).unwrap_or_default();
	if status != "200" {
		bail!("status {status}");
	}
	Ok(body.to_owned())
}
