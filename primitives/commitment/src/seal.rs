// SPDX-License-Identifier: Apache-2.0
//! Seals: a node commits to its trace root before it shows it, so that nobody can copy it.

use crate::Hash;

/// BLAKE3 key-derivation context of every seal. It keeps seals apart from all other hashes.
pub const SEAL_CONTEXT: &str = "tensornet poc commitment seal v1";

/// What a seal binds together.
///
/// Genesis hash, job and node make a seal worthless on any other chain, for any other job and for any
/// other node. The salt keeps a trace root that can be guessed (a job run before, a small output)
/// from being found by trial.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SealData {
	/// Hash of block 0 of the chain.
	pub genesis_hash: Hash,
	/// The job the commitment is for.
	pub job: u64,
	/// Account of the node that commits.
	pub node: [u8; 32],
	/// Root of the trace manifest.
	pub trace_root: Hash,
	/// Random bytes that the node keeps to itself until it reveals.
	pub salt: [u8; 32],
}

/// The seal of a commitment: BLAKE3 in key-derivation mode with [`SEAL_CONTEXT`] over the 136 bytes
/// genesis hash (32), job (8, little-endian), node (32), trace root (32), salt (32).
///
/// Every field has a fixed width, so no two inputs share an encoding.
pub fn seal(data: &SealData) -> Hash {
	let mut hasher = blake3::Hasher::new_derive_key(SEAL_CONTEXT);
	hasher
		.update(&data.genesis_hash)
		.update(&data.job.to_le_bytes())
		.update(&data.node)
		.update(&data.trace_root)
		.update(&data.salt);
	*hasher.finalize().as_bytes()
}
