// SPDX-License-Identifier: Apache-2.0

//! Counters of the worker in Prometheus text form.

use std::{
	fmt::Write,
	sync::atomic::{AtomicU64, Ordering::Relaxed},
	time::{SystemTime, UNIX_EPOCH},
};

/// Seconds without a finalized block after which the worker counts as not following the chain.
const STALE_SECONDS: u64 = 60;

/// Counters since the worker started.
#[derive(Default)]
pub struct Metrics {
	/// Number of the last finalized block seen.
	pub finalized_block: AtomicU64,
	last_block_seconds: AtomicU64,
	/// Jobs executed.
	pub executed: AtomicU64,
	/// Commitments accepted by the chain.
	pub committed: AtomicU64,
	/// Commitments revealed.
	pub revealed: AtomicU64,
	/// Audits answered.
	pub audits_answered: AtomicU64,
	/// Jobs of other nodes that were recomputed.
	pub checked: AtomicU64,
	/// Fraud proofs that the chain accepted.
	pub frauds_proven: AtomicU64,
	/// Steps that failed and will be tried again.
	pub retries: AtomicU64,
	/// Milliseconds spent executing, hashing included.
	pub execute_milliseconds: AtomicU64,
	/// Milliseconds spent hashing and storing traces.
	pub commit_milliseconds: AtomicU64,
}

impl Metrics {
	/// A finalized block was seen.
	pub fn block(&self, number: u64) {
		self.finalized_block.store(number, Relaxed);
		self.last_block_seconds.store(now(), Relaxed);
	}

	/// Whether a finalized block was seen lately.
	pub fn is_following(&self) -> bool {
		now().saturating_sub(self.last_block_seconds.load(Relaxed)) < STALE_SECONDS
	}

	/// The Prometheus text.
	pub fn render(&self) -> String {
		let rows = [
			("finalized_block", "gauge", "Last finalized block seen", &self.finalized_block),
			("jobs_executed_total", "counter", "Jobs executed", &self.executed),
			("commitments_total", "counter", "Commitments accepted", &self.committed),
			("reveals_total", "counter", "Commitments revealed", &self.revealed),
			("audits_answered_total", "counter", "Audits answered", &self.audits_answered),
			("jobs_checked_total", "counter", "Jobs of other nodes recomputed", &self.checked),
			("frauds_proven_total", "counter", "Fraud proofs accepted", &self.frauds_proven),
			("retries_total", "counter", "Steps that failed and are retried", &self.retries),
			(
				"execute_milliseconds_total",
				"counter",
				"Time executing, hashing included",
				&self.execute_milliseconds,
			),
			(
				"commit_milliseconds_total",
				"counter",
				"Time hashing and storing traces",
				&self.commit_milliseconds,
			),
		];
		let mut text = String::new();
		for (name, kind, help, value) in rows {
			let value = value.load(Relaxed);
			let _ = writeln!(
				text,
				"# HELP tensornet_worker_{name} {help}\n# TYPE tensornet_worker_{name} {kind}\ntensornet_worker_{name} {value}"
			);
		}
		text
	}
}

fn now() -> u64 {
	SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |elapsed| elapsed.as_secs())
}
