// SPDX-License-Identifier: Apache-2.0

//! Events about how nodes were judged: audits passed, fraud proven, attempts failed.
//!
//! Amounts are in the smallest unit of TNA.

use anyhow::Result;
use subxt::ext::scale_decode::DecodeAsType;

use crate::{records::Failure, AccountId, Snapshot};

/// One element of a trace.
#[derive(Clone, Copy, Debug, PartialEq, Eq, DecodeAsType)]
#[decode_as_type(crate_path = "subxt::ext::scale_decode")]
pub struct Element {
	/// The iteration, from 0.
	pub iteration: u32,
	/// The checkpoint, in program order.
	pub checkpoint: u16,
	/// The element, in the storage order of the checkpoint.
	pub index: u64,
}

/// All drawn elements of a node's result were recomputed on chain and are right.
#[derive(Clone, Copy, Debug, PartialEq, Eq, DecodeAsType)]
#[decode_as_type(crate_path = "subxt::ext::scale_decode")]
pub struct AuditPassed {
	/// The job.
	pub job: u64,
	/// Stash account of the node.
	pub node: AccountId,
}

/// One element of a node's result was recomputed on chain and is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, DecodeAsType)]
#[decode_as_type(crate_path = "subxt::ext::scale_decode")]
pub struct FraudProven {
	/// The job.
	pub job: u64,
	/// Stash account of the node that committed to the wrong element.
	pub node: AccountId,
	/// Who proved it; none where the node's own answer to an audit did.
	pub reporter: Option<AccountId>,
	/// The element.
	pub element: Element,
	/// What the node committed to.
	pub claimed: i32,
	/// What the chain computed.
	pub computed: i32,
}

/// A node failed a job and was judged: `slashed = to_requester + to_reporter + burned`. A slash for a lie or
/// a withheld trace is decided with it and carried out later, see [`nodes_slashed`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, DecodeAsType)]
#[decode_as_type(crate_path = "subxt::ext::scale_decode")]
pub struct AttemptFailed {
	/// The job.
	pub job: u64,
	/// Stash account of the node.
	pub node: AccountId,
	/// Why.
	pub failure: Failure,
	/// What is, or will be, taken from the node's bond.
	pub slashed: u128,
	/// Of that, paid to the requester.
	pub to_requester: u128,
	/// Of that, paid to whoever proved the failure.
	pub to_reporter: u128,
	/// Of that, burned.
	pub burned: u128,
	/// Whether another node gets the job.
	pub requeued: bool,
}

/// What a slash took and where it went: `total = burned + to_reporter + to_requester`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, DecodeAsType)]
#[decode_as_type(crate_path = "subxt::ext::scale_decode")]
pub struct Slash {
	/// Taken from the node's stake.
	pub total: u128,
	/// Burned.
	pub burned: u128,
	/// Paid to whoever proved it.
	pub to_reporter: u128,
	/// Paid to the requester of the job.
	pub to_requester: u128,
}

/// A slash of a node was carried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, DecodeAsType)]
#[decode_as_type(crate_path = "subxt::ext::scale_decode")]
pub struct NodeSlashed {
	/// Stash account of the node.
	pub stash: AccountId,
	/// What was taken and where it went.
	pub slash: Slash,
}

/// The audits that were passed in a block.
pub async fn audits_passed(at: &Snapshot) -> Result<Vec<AuditPassed>> {
	at.events("Poc", "AuditPassed").await
}

/// The fraud that was proven in a block.
pub async fn frauds_proven(at: &Snapshot) -> Result<Vec<FraudProven>> {
	at.events("Poc", "FraudProven").await
}

/// The attempts that failed in a block.
pub async fn attempts_failed(at: &Snapshot) -> Result<Vec<AttemptFailed>> {
	at.events("Escrow", "JobAttemptFailed").await
}

/// The slashes that were carried out in a block.
pub async fn nodes_slashed(at: &Snapshot) -> Result<Vec<NodeSlashed>> {
	at.events("ComputeStaking", "NodeSlashed").await
}
