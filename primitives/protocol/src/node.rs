// SPDX-License-Identifier: Apache-2.0

//! What a GPU node offers.

use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use serde::{Deserialize, Serialize};
use sp_core::ConstU32;
use sp_runtime::BoundedVec;

/// The longest endpoint URL of a node, in bytes.
pub const MAX_ENDPOINT: u32 = 256;

/// Base URL under which a node serves its outputs and traces: blob `r` is at `{endpoint}/{hex of r}`.
pub type Endpoint = BoundedVec<u8, ConstU32<MAX_ENDPOINT>>;

/// What a node can run.
#[derive(
	Clone,
	Copy,
	Debug,
	Default,
	PartialEq,
	Eq,
	Encode,
	Decode,
	DecodeWithMemTracking,
	TypeInfo,
	MaxEncodedLen,
	Serialize,
	Deserialize,
)]
pub struct Capability {
	/// Memory for tensors, in MiB.
	pub memory_mib: u32,
	/// Measured int8 rate, in 10^9 multiply-accumulates per second.
	pub giga_macs: u32,
}

/// What a job needs of a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Requirements<Balance> {
	/// Memory for tensors, in MiB.
	pub memory_mib: u32,
	/// The most the node may ask for each 10^9 multiply-accumulates.
	pub max_ask: Balance,
	/// The least compliance level.
	pub compliance_level: u8,
	/// What the node must have bonded beyond the collateral of the jobs it has.
	pub collateral: Balance,
}

/// A node picked for a job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate<AccountId, Balance> {
	/// Its stash account.
	pub node: AccountId,
	/// Its price for each 10^9 multiply-accumulates.
	pub ask: Balance,
}

/// The most nodes that are looked at to draw one for a job.
pub const MAX_DRAWS: u32 = 16;

/// The draw of a node for a job, and what it took.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draw<AccountId, Balance> {
	/// The node drawn, if any was eligible.
	pub candidate: Option<Candidate<AccountId, Balance>>,
	/// Nodes that were looked at, at most [`MAX_DRAWS`].
	pub looked_at: u32,
	/// Those of them whose compliance was asked for.
	pub checked: u32,
}

/// How a node's part in a job ended.
#[derive(
	Clone,
	Copy,
	Debug,
	PartialEq,
	Eq,
	Encode,
	Decode,
	DecodeWithMemTracking,
	TypeInfo,
	MaxEncodedLen,
)]
pub enum Conduct {
	/// The result stood.
	#[codec(index = 0)]
	Completed,
	/// The node was silent before anybody could rely on a result. Costs reputation and a small slash.
	#[codec(index = 1)]
	Silent,
	/// The node committed to a wrong result. Costs a large slash, at least the job's collateral.
	#[codec(index = 2)]
	Fraud,
	/// The job went away through no fault of the node.
	#[codec(index = 3)]
	Released,
	/// The node revealed a result and then did not answer for it. Costs reputation and the job's
	/// collateral.
	#[codec(index = 4)]
	Withheld,
}

/// What a slash took and where it went: `total = burned + to_reporter + to_requester`.
#[derive(
	Clone,
	Copy,
	Debug,
	Default,
	PartialEq,
	Eq,
	Encode,
	Decode,
	DecodeWithMemTracking,
	TypeInfo,
	MaxEncodedLen,
)]
pub struct Slash<Balance> {
	/// Taken from the node's bond.
	pub total: Balance,
	/// Burned.
	pub burned: Balance,
	/// Paid to whoever proved it.
	pub to_reporter: Balance,
	/// Paid to the requester of the job.
	pub to_requester: Balance,
}
