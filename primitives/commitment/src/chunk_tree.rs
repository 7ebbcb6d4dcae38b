// SPDX-License-Identifier: Apache-2.0
//! The shape of a blob's chunk tree, its two hash functions, and the sets of chunks that openings
//! name.

use crate::{Hash, OpeningError};
use alloc::vec::Vec;
use blake3::hazmat::{merge_subtrees_non_root, merge_subtrees_root, HasherExt, Mode};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use core::ops::Range;
use scale_info::TypeInfo;

/// Bytes in every chunk of a blob but the last.
pub const CHUNK_LEN: u64 = blake3::CHUNK_LEN as u64;

/// Number of chunks in a blob of `len` bytes. The empty blob has one, empty, chunk.
pub const fn chunk_count(len: u64) -> u64 {
	if len == 0 {
		1
	} else {
		len.div_ceil(CHUNK_LEN)
	}
}

/// `count` consecutive chunks from chunk `start` on.
#[derive(
	Encode,
	Decode,
	DecodeWithMemTracking,
	MaxEncodedLen,
	TypeInfo,
	Clone,
	Copy,
	Debug,
	PartialEq,
	Eq,
)]
pub struct ChunkRun {
	/// Index of the first chunk.
	#[codec(compact)]
	pub start: u32,
	/// Number of chunks, at least one.
	#[codec(compact)]
	pub count: u32,
}

impl ChunkRun {
	/// Index of the first chunk after the run.
	pub fn end(&self) -> u64 {
		u64::from(self.start).saturating_add(u64::from(self.count))
	}
}

/// The canonical chunk runs that cover the byte `ranges` of a blob of `len` bytes.
///
/// Ranges may come in any order and may overlap; empty ones open nothing. The only chunk of an empty
/// blob is opened by any request.
///
/// Errors: [`OpeningError::RangeOutOfBlob`], [`OpeningError::NothingOpened`],
/// [`OpeningError::BlobTooLong`].
pub fn runs_of(
	len: u64,
	ranges: impl IntoIterator<Item = Range<u64>>,
) -> Result<Vec<ChunkRun>, OpeningError> {
	u32::try_from(chunk_count(len)).map_err(|_| OpeningError::BlobTooLong)?;
	let mut spans: Vec<(u64, u64)> = Vec::new();
	for range in ranges {
		if range.start > range.end || range.end > len {
			return Err(OpeningError::RangeOutOfBlob);
		}
		if range.start < range.end {
			spans.push((range.start / CHUNK_LEN, range.end.div_ceil(CHUNK_LEN)));
		}
	}
	if len == 0 {
		spans.push((0, 1));
	}
	spans.sort_unstable();
	let mut merged: Vec<(u64, u64)> = Vec::new();
	for (start, end) in spans {
		match merged.last_mut() {
			Some(last) if start <= last.1 => last.1 = last.1.max(end),
			_ => merged.push((start, end)),
		}
	}
	if merged.is_empty() {
		return Err(OpeningError::NothingOpened);
	}
	merged
		.into_iter()
		.map(|(start, end)| {
			let count = end.saturating_sub(start);
			match (u32::try_from(start), u32::try_from(count)) {
				(Ok(start), Ok(count)) => Ok(ChunkRun { start, count }),
				_ => Err(OpeningError::BlobTooLong),
			}
		})
		.collect()
}

/// Checks that `runs` is the canonical list of a set of chunks of a blob of `len` bytes.
pub(crate) fn check_runs(len: u64, runs: &[ChunkRun]) -> Result<(), OpeningError> {
	let chunks = chunk_count(len);
	u32::try_from(chunks).map_err(|_| OpeningError::BlobTooLong)?;
	let mut previous_end = None;
	for run in runs {
		let adjacent_or_before = previous_end.is_some_and(|end| u64::from(run.start) <= end);
		if run.count == 0 || adjacent_or_before {
			return Err(OpeningError::RunsNotCanonical);
		}
		if run.end() > chunks {
			return Err(OpeningError::ChunkOutOfRange);
		}
		previous_end = Some(run.end());
	}
	previous_end.map(|_| ()).ok_or(OpeningError::NothingOpened)
}

/// A node of a blob's chunk tree, by the span of bytes below it.
#[derive(Clone, Copy)]
pub(crate) struct Subtree {
	/// Offset of its first byte in the blob, a multiple of [`CHUNK_LEN`].
	start: u64,
	/// Number of bytes below it.
	len: u64,
	/// The root is hashed with a flag of its own.
	is_root: bool,
}

impl Subtree {
	/// The root of the tree of a blob of `len` bytes.
	pub(crate) fn root(len: u64) -> Self {
		Self { start: 0, len, is_root: true }
	}

	/// Number of bytes below the node.
	pub(crate) fn len(&self) -> u64 {
		self.len
	}

	/// Number of chunks below the node.
	pub(crate) fn chunks(&self) -> u64 {
		chunk_count(self.len)
	}

	/// The two children of a parent; `None` for a chunk.
	pub(crate) fn split(&self) -> Option<(Self, Self)> {
		if self.len <= CHUNK_LEN {
			return None;
		}
		let left_len = blake3::hazmat::left_subtree_len(self.len);
		let left = Self { start: self.start, len: left_len, is_root: false };
		let right = Self {
			start: self.start.saturating_add(left_len),
			len: self.len.saturating_sub(left_len),
			is_root: false,
		};
		Some((left, right))
	}

	/// Whether a chunk of the canonical list `runs` lies below the node.
	pub(crate) fn is_opened(&self, runs: &[ChunkRun]) -> bool {
		let first = self.start / CHUNK_LEN;
		let end = first.saturating_add(self.chunks());
		let candidate = runs.partition_point(|run| run.end() <= first);
		runs.get(candidate).is_some_and(|run| u64::from(run.start) < end)
	}

	/// Hash of a parent from those of its children.
	pub(crate) fn hash_parent(&self, left: &Hash, right: &Hash) -> Hash {
		if self.is_root {
			*merge_subtrees_root(left, right, Mode::Hash).as_bytes()
		} else {
			merge_subtrees_non_root(left, right, Mode::Hash)
		}
	}

	/// Hash of a node of any size from all of its `bytes`, which are as many as [`Self::len`].
	pub(crate) fn hash_bytes(&self, bytes: &[u8]) -> Hash {
		// Only the root of an empty blob is empty, so a non-root is never hashed without input.
		if self.is_root || bytes.is_empty() {
			return crate::root(bytes);
		}
		blake3::Hasher::new().set_input_offset(self.start).update(bytes).finalize_non_root()
	}
}
