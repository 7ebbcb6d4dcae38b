// SPDX-License-Identifier: Apache-2.0

//! How a job is shown.

use serde::Serialize;
use std::fmt;

use crate::{
	network::{JobStatus, Stage},
	output::{address, root, tna, Facts},
};

/// A step of a job in a line.
pub fn describe(status: &JobStatus) -> String {
	let node = status.node.map(|node| format!(" by {}", address(&node))).unwrap_or_default();
	let due = status.due.map(|due| format!(", next step by block {due}")).unwrap_or_default();
	format!("{}{node} at block {}{due}", status.stage.name(), status.block)
}

/// A line of text.
#[derive(Serialize)]
pub struct Line(pub String);

impl fmt::Display for Line {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		f.write_str(&self.0)
	}
}

/// A job as it is shown.
#[derive(Serialize)]
pub struct View {
	/// The job.
	pub job: u64,
	/// Where it is.
	pub stage: Stage,
	/// The block in which it was seen.
	pub block: u64,
	/// Address of who pays.
	pub requester: String,
	/// Root of the program.
	pub program: String,
	/// Which attempt is under way, from 0.
	pub attempt: Option<u8>,
	/// Address of the node that has it, or whose result stood.
	pub node: Option<String>,
	/// What it costs if the result stands, in TNA.
	pub price: Option<String>,
	/// What is or was held for the price, in TNA.
	pub held: String,
	/// The block by which the next step is due.
	pub due: Option<u32>,
	/// Root of the revealed trace.
	pub trace_root: Option<String>,
	/// Roots of the revealed outputs.
	pub output_roots: Vec<String>,
	/// Whether the beacon drew it for an audit.
	pub audited: bool,
	/// Where the money went.
	pub money: Option<Money>,
	/// The block in which it ended.
	pub ended_at: Option<u32>,
}

/// Where the money of a job went, in TNA.
#[derive(Serialize)]
pub struct Money {
	/// Paid to the node.
	pub paid: String,
	/// Burned, with what no ancestor received of the consensus-chain fee.
	pub burned: String,
	/// Paid to the treasury.
	pub treasury: String,
	/// Paid to the author of the program.
	pub author: String,
	/// Paid to ancestors in the consensus chain.
	pub lineage: String,
	/// Released to the requester.
	pub refunded: String,
}

impl View {
	/// What is shown of a job.
	pub fn new(status: &JobStatus) -> Self {
		Self {
			job: status.job,
			stage: status.stage,
			block: status.block,
			requester: address(&status.requester),
			program: root(&status.program),
			attempt: status.attempt,
			node: status.node.as_ref().map(address),
			price: status.price.map(tna),
			held: tna(status.held),
			due: status.due,
			trace_root: status.trace_root.as_ref().map(root),
			output_roots: status.outputs.iter().map(root).collect(),
			audited: status.audited,
			money: status.receipt.as_ref().map(|receipt| Money {
				paid: tna(receipt.paid),
				burned: tna(receipt.burned),
				treasury: tna(receipt.treasury),
				author: tna(receipt.author),
				lineage: tna(receipt.lineage),
				refunded: tna(receipt.refunded),
			}),
			ended_at: status.ended_at,
		}
	}
}

impl fmt::Display for View {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		let amount = |amount: &String| format!("{amount} TNA");
		let money = self.money.as_ref();
		let facts = Facts::new()
			.line("job", self.job)
			.line("stage", self.stage.name())
			.line("requester", &self.requester)
			.line("program", &self.program)
			.maybe("attempt", self.attempt)
			.maybe("node", self.node.as_ref())
			.maybe("price", self.price.as_ref().map(amount))
			.line("held", amount(&self.held))
			.maybe("trace root", self.trace_root.as_ref())
			.maybe("outputs", (!self.output_roots.is_empty()).then(|| self.output_roots.join(" ")))
			.line("audited", if self.audited { "yes" } else { "no" })
			.maybe("next step by", self.due.map(|due| format!("block {due}")))
			.maybe("paid", money.map(|money| amount(&money.paid)))
			.maybe("burned", money.map(|money| amount(&money.burned)))
			.maybe("treasury", money.map(|money| amount(&money.treasury)))
			.maybe("author", money.map(|money| amount(&money.author)))
			.maybe("ancestors", money.map(|money| amount(&money.lineage)))
			.maybe("refunded", money.map(|money| amount(&money.refunded)))
			.maybe("ended at", self.ended_at.map(|block| format!("block {block}")));
		write!(f, "{facts}")
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use tensornet_client::records;

	fn settled() -> JobStatus {
		JobStatus {
			job: 4,
			block: 30,
			stage: Stage::Settled,
			requester: [1; 32],
			program: [2; 32],
			attempt: None,
			node: Some([3; 32]),
			price: Some(1_550_000_000_000),
			held: 2_050_000_000_000,
			due: None,
			trace_root: Some([4; 32]),
			outputs: vec![[5; 32]],
			audited: true,
			receipt: Some(records::Receipt {
				paid: 1_000_000_000_000,
				burned: 300_000_000_000,
				treasury: 100_000_000_000,
				author: 100_000_000_000,
				lineage: 50_000_000_000,
				refunded: 500_000_000_000,
			}),
			ended_at: Some(28),
		}
	}

	#[test]
	fn json_has_amounts_as_exact_decimal_strings() {
		let json = serde_json::to_value(View::new(&settled())).unwrap();
		assert_eq!(json["stage"], "settled");
		assert_eq!(json["price"], "1.55");
		assert_eq!(json["money"]["burned"], "0.3");
		assert_eq!(json["money"]["lineage"], "0.05");
		assert_eq!(json["audited"], true);
	}

	#[test]
	fn text_names_everything_that_was_paid() {
		let text = View::new(&settled()).to_string();
		for part in
			["settled", "paid:", "burned:", "ancestors:", "refunded:", "0.5 TNA", "block 28"]
		{
			assert!(text.contains(part), "{part} is missing in\n{text}");
		}
	}
}
