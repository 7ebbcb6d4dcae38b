// SPDX-License-Identifier: Apache-2.0

//! Signs of life of the node, where the chain asks online nodes for them.
//!
//! Nothing is journalled: a sign too many does no harm, and one that is lost is sent again.

use anyhow::Result;
use std::time::Duration;
use tensornet_client::calls;
use tokio::sync::watch;

use crate::parts::Parts;

/// How often the chain is asked whether a sign of life is due.
const CHECK: Duration = Duration::from_secs(15);

/// A sign is given after this part of the period: two more can be lost before it is over.
const PART: u64 = 3;

/// Gives the signs of life of one node.
pub struct Heartbeat {
	parts: Parts,
}

impl Heartbeat {
	/// For the node of a worker.
	pub fn new(parts: Parts) -> Self {
		Self { parts }
	}

	/// Gives signs of life until `stop` turns true. What fails is told and tried again.
	pub async fn run(self, mut stop: watch::Receiver<bool>) -> Result<()> {
		while !*stop.borrow() {
			if let Err(error) = self.beat().await {
				tracing::warn!(error = format!("{error:#}"), "no sign of life given");
			}
			tokio::select! {
				_ = stop.wait_for(|stop| *stop) => break,
				_ = tokio::time::sleep(CHECK) => {}
			}
		}
		Ok(())
	}

	/// Gives one if it is due.
	async fn beat(&self) -> Result<()> {
		let best = self.parts.chain.best().await?;
		let asked: Option<(u32, u32)> =
			best.view("ComputeStaking", "heartbeat_of", self.parts.node).await?;
		if asked.is_some_and(|(last, period)| is_due(best.number(), last, period)) {
			self.parts.call(&calls::heartbeat(&[self.parts.node])).await?;
			tracing::debug!("sign of life given");
		}
		Ok(())
	}
}

/// Whether the next sign of life is due in block `now`.
fn is_due(now: u64, last: u32, period: u32) -> bool {
	now >= u64::from(last) + u64::from(period) / PART
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn a_sign_of_life_is_due_after_a_third_of_the_period() {
		assert!(!is_due(1_099, 1_000, 300));
		assert!(is_due(1_100, 1_000, 300));
		assert!(is_due(5_000, 1_000, 300));
		assert!(!is_due(999, 1_000, 300));
	}
}
