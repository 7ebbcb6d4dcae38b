// SPDX-License-Identifier: Apache-2.0
//! Making openings: the stored part of a blob's chunk tree.

use crate::{
	chunk_tree::{runs_of, ChunkRun, Subtree, CHUNK_LEN},
	Hash, Opening, OpeningError,
};
use alloc::vec::Vec;
use core::ops::Range;

/// Spans up to this many bytes are kept as one chaining value and expanded again when opened.
///
/// BLAKE3 reaches its full speed only when it is given several chunks at once, and the interior
/// chaining values of one such call are not handed out. Sixteen chunks fill the widest vector unit,
/// keep the outboard at 0.4 % of the blob, and make an opening rehash at most 16 KiB for each group
/// that it touches (about 20 µs).
const GROUP_LEN: u64 = 16 * CHUNK_LEN;

/// The upper part of a blob's chunk tree, from which openings are made cheaply.
///
/// Takes 64 bytes for every 16 KiB of the blob, and about as long to build as hashing it. It keeps no
/// copy of the blob.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outboard {
	/// Length of the blob in bytes.
	len: u64,
	root: Hash,
	/// Chaining values of the children of every node above the groups, in post-order.
	pairs: Vec<[Hash; 2]>,
}

impl Outboard {
	/// Hashes `blob` and keeps the upper part of its tree.
	pub fn new(blob: &[u8]) -> Self {
		let len = u64::try_from(blob.len()).unwrap_or(u64::MAX);
		let mut pairs = Vec::new();
		let root = hash_tree(Subtree::root(len), blob, GROUP_LEN, &mut pairs);
		Self { len, root, pairs }
	}

	/// The blob's root, equal to [`crate::root`].
	pub fn root(&self) -> Hash {
		self.root
	}

	/// Length of the blob in bytes.
	pub fn blob_len(&self) -> u64 {
		self.len
	}

	/// Opens the chunks of `blob` that hold the byte `ranges`, given in any order.
	///
	/// Takes time in proportion to the opening, not to the blob. `blob` must be the one the outboard
	/// was built from. Errors: those of [`crate::runs_of`], and [`OpeningError::BlobMismatch`].
	pub fn open(
		&self,
		blob: &[u8],
		ranges: impl IntoIterator<Item = Range<u64>>,
	) -> Result<Opening, OpeningError> {
		if u64::try_from(blob.len()) != Ok(self.len) {
			return Err(OpeningError::BlobMismatch);
		}
		let runs = runs_of(self.len, ranges)?;
		let mut proof = Vec::new();
		write_groups(Subtree::root(self.len), &self.root, blob, &self.pairs, &runs, &mut proof)?;
		Ok(Opening { runs, proof })
	}
}

/// Hashes the subtree `node` over its `bytes`, and appends to `pairs`, in post-order, the chaining
/// values of the children of every node above the subtrees of at most `unit` bytes.
fn hash_tree(node: Subtree, bytes: &[u8], unit: u64, pairs: &mut Vec<[Hash; 2]>) -> Hash {
	match node.split() {
		Some((left, right)) if node.len() > unit => {
			let (left_bytes, right_bytes) = split_bytes(bytes, &left);
			let left = hash_tree(left, left_bytes, unit, pairs);
			let right = hash_tree(right, right_bytes, unit, pairs);
			pairs.push([left, right]);
			node.hash_parent(&left, &right)
		}
		_ => node.hash_bytes(bytes),
	}
}

/// Appends to `proof` the walk of `node`, which has the hash `hash` and whose part of the outboard is
/// `pairs`.
fn write_groups(
	node: Subtree,
	hash: &Hash,
	bytes: &[u8],
	pairs: &[[Hash; 2]],
	runs: &[ChunkRun],
	proof: &mut Vec<u8>,
) -> Result<(), OpeningError> {
	if !node.is_opened(runs) {
		return Ok(());
	}
	match (node.split(), pairs.split_last()) {
		(Some((left, right)), Some((pair, below))) => {
			let (left_pairs, right_pairs) = split_pairs(below, &left, GROUP_LEN);
			let (left_bytes, right_bytes) = split_bytes(bytes, &left);
			let [left_hash, right_hash] = pair;
			proof.extend_from_slice(left_hash);
			proof.extend_from_slice(right_hash);
			write_groups(left, left_hash, left_bytes, left_pairs, runs, proof)?;
			write_groups(right, right_hash, right_bytes, right_pairs, runs, proof)
		}
		_ => {
			let mut pairs = Vec::new();
			if hash_tree(node, bytes, CHUNK_LEN, &mut pairs) != *hash {
				return Err(OpeningError::BlobMismatch);
			}
			write_chunks(node, bytes, &pairs, runs, proof);
			Ok(())
		}
	}
}

/// Appends to `proof` the walk of `node`, whose chaining values down to its chunks are `pairs`.
fn write_chunks(
	node: Subtree,
	bytes: &[u8],
	pairs: &[[Hash; 2]],
	runs: &[ChunkRun],
	proof: &mut Vec<u8>,
) {
	if !node.is_opened(runs) {
		return;
	}
	match (node.split(), pairs.split_last()) {
		(Some((left, right)), Some((pair, below))) => {
			let (left_pairs, right_pairs) = split_pairs(below, &left, CHUNK_LEN);
			let (left_bytes, right_bytes) = split_bytes(bytes, &left);
			proof.extend_from_slice(pair.as_flattened());
			write_chunks(left, left_bytes, left_pairs, runs, proof);
			write_chunks(right, right_bytes, right_pairs, runs, proof);
		}
		_ => proof.extend_from_slice(bytes),
	}
}

/// The bytes of a node, parted into those of its `left` child and the rest.
fn split_bytes<'a>(bytes: &'a [u8], left: &Subtree) -> (&'a [u8], &'a [u8]) {
	usize::try_from(left.len())
		.ok()
		.and_then(|at| bytes.split_at_checked(at))
		.unwrap_or((bytes, &[]))
}

/// The pairs below a node, parted into those of its `left` child and of its right one.
fn split_pairs<'a>(
	below: &'a [[Hash; 2]],
	left: &Subtree,
	unit: u64,
) -> (&'a [[Hash; 2]], &'a [[Hash; 2]]) {
	// A tree over u units has u - 1 nodes above them.
	usize::try_from(left.len().div_ceil(unit).saturating_sub(1))
		.ok()
		.and_then(|at| below.split_at_checked(at))
		.unwrap_or((below, &[]))
}
