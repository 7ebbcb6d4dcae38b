// SPDX-License-Identifier: Apache-2.0
//! Openings of a blob's byte ranges, and their verification.

use crate::{
	chunk_tree::{check_runs, chunk_count, ChunkRun, Subtree, CHUNK_LEN},
	Hash,
};
use alloc::{vec, vec::Vec};
use codec::{Compact, CompactLen, Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;

/// Bytes that a parent contributes to a proof: the chaining values of its two children.
const PAIR_LEN: u64 = 64;

/// Chunks of a blob, with what it takes to check them against the blob's root.
///
/// The crate's documentation gives the format. Made by [`crate::Outboard::open`], checked by
/// [`verify`].
#[derive(Encode, Decode, DecodeWithMemTracking, TypeInfo, Clone, Debug, PartialEq, Eq)]
pub struct Opening {
	/// The opened chunks: ascending, with a gap between any two runs.
	pub runs: Vec<ChunkRun>,
	/// Pre-order walk of the chunk tree, limited to the subtrees that hold an opened chunk.
	pub proof: Vec<u8>,
}

/// Why an opening was refused, or could not be made.
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
pub enum OpeningError {
	/// No chunk is opened. Name at least one byte.
	#[codec(index = 0)]
	NothingOpened,
	/// The blob has 2³² chunks (4 TiB) or more. Split it.
	#[codec(index = 1)]
	BlobTooLong,
	/// The runs are empty, unsorted, overlapping or adjacent. List each set of chunks in its one
	/// canonical form.
	#[codec(index = 2)]
	RunsNotCanonical,
	/// A run goes past the last chunk. Check the blob's length.
	#[codec(index = 3)]
	ChunkOutOfRange,
	/// The proof ends before its walk does. Send all of it.
	#[codec(index = 4)]
	ProofTooShort,
	/// The proof goes on after its walk has ended. Send nothing more.
	#[codec(index = 5)]
	TrailingBytes,
	/// A node does not have the expected hash. Open the blob that was committed to.
	#[codec(index = 6)]
	WrongHash,
	/// A byte range is reversed or ends after the blob. Ask for bytes of the blob only.
	#[codec(index = 7)]
	RangeOutOfBlob,
	/// The blob is not the one the outboard was built from. Rebuild the outboard.
	#[codec(index = 8)]
	BlobMismatch,
}

impl core::fmt::Display for OpeningError {
	fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
		f.write_str(match self {
			Self::NothingOpened => "no chunk is opened",
			Self::BlobTooLong => "the blob is too long to be opened",
			Self::RunsNotCanonical => "the list of opened chunks is not canonical",
			Self::ChunkOutOfRange => "an opened chunk lies outside the blob",
			Self::ProofTooShort => "the proof is too short",
			Self::TrailingBytes => "the proof has trailing bytes",
			Self::WrongHash => "the proof does not match the root",
			Self::RangeOutOfBlob => "a byte range lies outside the blob",
			Self::BlobMismatch => "the blob is not the one the outboard was built from",
		})
	}
}

impl core::error::Error for OpeningError {}

/// Checks `opening` against the root and the length in bytes of a blob, and gives its bytes.
///
/// Never panics. Hashes no more bytes than the proof holds, and allocates one slice per opened chunk
/// and one index per run. Errors: all of [`OpeningError`] but the last two.
pub fn verify<'a>(root: &Hash, len: u64, opening: &'a Opening) -> Result<Opened<'a>, OpeningError> {
	check_runs(len, &opening.runs)?;
	let mut proof = opening.proof.as_slice();
	let mut chunks = Vec::new();
	let mut pending = vec![(Subtree::root(len), *root)];
	while let Some((node, expected)) = pending.pop() {
		if let Some((left, right)) = node.split() {
			let (left_hash, rest) =
				proof.split_first_chunk::<32>().ok_or(OpeningError::ProofTooShort)?;
			let (right_hash, rest) =
				rest.split_first_chunk::<32>().ok_or(OpeningError::ProofTooShort)?;
			if node.hash_parent(left_hash, right_hash) != expected {
				return Err(OpeningError::WrongHash);
			}
			proof = rest;
			if right.is_opened(&opening.runs) {
				pending.push((right, *right_hash));
			}
			if left.is_opened(&opening.runs) {
				pending.push((left, *left_hash));
			}
		} else {
			let chunk_len = usize::try_from(node.len()).map_err(|_| OpeningError::ProofTooShort)?;
			let (chunk, rest) =
				proof.split_at_checked(chunk_len).ok_or(OpeningError::ProofTooShort)?;
			if node.hash_bytes(chunk) != expected {
				return Err(OpeningError::WrongHash);
			}
			proof = rest;
			chunks.push(chunk);
		}
	}
	if !proof.is_empty() {
		return Err(OpeningError::TrailingBytes);
	}
	let mut first_slots = Vec::new();
	let mut slot = 0usize;
	for run in &opening.runs {
		first_slots.push(slot);
		slot = slot.saturating_add(usize::try_from(run.count).unwrap_or(usize::MAX));
	}
	Ok(Opened { len, runs: &opening.runs, first_slots, chunks })
}

/// The verified bytes of an opening.
#[derive(Clone, Debug)]
pub struct Opened<'a> {
	/// Length of the whole blob in bytes.
	len: u64,
	runs: &'a [ChunkRun],
	/// For each run, the place of its first chunk in `chunks`.
	first_slots: Vec<usize>,
	/// Bytes of all opened chunks, in ascending order.
	chunks: Vec<&'a [u8]>,
}

impl<'a> Opened<'a> {
	/// Length of the whole blob in bytes.
	pub fn blob_len(&self) -> u64 {
		self.len
	}

	/// The opened chunks.
	pub fn runs(&self) -> &'a [ChunkRun] {
		self.runs
	}

	/// Whether the `n` bytes from `offset` on lie in opened chunks.
	///
	/// No bytes at all (`n = 0`) are readable at every offset up to the end of the blob.
	pub fn covers(&self, offset: u64, n: u64) -> bool {
		let Some(end) = offset.checked_add(n) else { return false };
		if end > self.len {
			return false;
		}
		// Runs never touch, so what crosses chunks must stay within one run.
		n == 0
			|| self
				.run_of(offset / CHUNK_LEN)
				.is_some_and(|(_, run)| end.div_ceil(CHUNK_LEN) <= run.end())
	}

	/// The `n` bytes from `offset` on, if they lie in **one** opened chunk.
	///
	/// Copies nothing. [`Self::read`] also reads across the border of two opened chunks.
	pub fn get(&self, offset: u64, n: usize) -> Option<&'a [u8]> {
		if n == 0 {
			return (offset <= self.len).then_some(&[]);
		}
		let within = usize::try_from(offset % CHUNK_LEN).ok()?;
		self.chunks_from(offset)?.first()?.get(within..within.checked_add(n)?)
	}

	/// Copies the bytes from `offset` on to `buf`, over chunk borders if need be.
	///
	/// Returns `false`, and leaves `buf` as it was, if one of the bytes is not opened. Takes
	/// O(log runs) steps and the copy.
	#[must_use]
	pub fn read(&self, offset: u64, buf: &mut [u8]) -> bool {
		let n = u64::try_from(buf.len()).unwrap_or(u64::MAX);
		if !self.covers(offset, n) {
			return false;
		}
		let mut skip = usize::try_from(offset % CHUNK_LEN).unwrap_or(usize::MAX);
		let mut filled = 0usize;
		for chunk in self.chunks_from(offset).unwrap_or_default() {
			let source = chunk.get(skip..).unwrap_or_default();
			skip = 0;
			let take = source.len().min(buf.len().saturating_sub(filled));
			let end = filled.saturating_add(take);
			if let (Some(source), Some(target)) = (source.get(..take), buf.get_mut(filled..end)) {
				target.copy_from_slice(source);
			}
			filled = end;
			if filled == buf.len() {
				break;
			}
		}
		filled == buf.len()
	}

	/// The byte at `offset`, if it is opened.
	pub fn byte(&self, offset: u64) -> Option<u8> {
		self.get(offset, 1)?.first().copied()
	}

	/// The run that holds a chunk, and its place among the runs.
	fn run_of(&self, chunk: u64) -> Option<(usize, &'a ChunkRun)> {
		let index = self.runs.partition_point(|run| run.end() <= chunk);
		let run = self.runs.get(index)?;
		(u64::from(run.start) <= chunk).then_some((index, run))
	}

	/// The opened chunks from the one that holds `offset` on, if that one is opened.
	fn chunks_from(&self, offset: u64) -> Option<&[&'a [u8]]> {
		let chunk = offset / CHUNK_LEN;
		let (index, run) = self.run_of(chunk)?;
		let within = usize::try_from(chunk.checked_sub(u64::from(run.start))?).ok()?;
		self.chunks.get(self.first_slots.get(index)?.checked_add(within)?..)
	}
}

/// Upper bound in bytes on the SCALE encoding of an opening of at most `chunks` chunks, in at most
/// `runs` runs, of a blob of `len` bytes.
///
/// Static analysis uses it to bound what settling a dispute may cost, before any data exists.
/// `runs` counts as at least one and at most `chunks`; `chunks` counts as at most all of the blob's.
/// For one chunk of a blob of a power of two chunks the bound is within 9 bytes of the size.
pub fn opening_size_bound(len: u64, runs: u32, chunks: u32) -> u64 {
	let total = chunk_count(len);
	let opened = u64::from(chunks).clamp(1, total);
	let runs = u64::from(runs).clamp(1, opened);
	let data = opened.saturating_mul(CHUNK_LEN).min(len);

	// Level by level upwards. A node at height h spans at most s = 2^h chunks, and c chunks in a row
	// touch at most ceil((c - 1) / s) + 1 aligned spans of s. Summed over r runs of C chunks in all,
	// with each ceil((c - 1) / s) <= (c - 1 + s - 1) / s, that is at most
	// r + floor((C - r + r (s - 1)) / s). A level also has no more nodes than it has spans, and no
	// chunk has more than one ancestor on it.
	let mut parents = 0u64;
	let mut span = 1u64;
	while span < total {
		span = span.saturating_mul(2);
		let slack = runs.saturating_mul(span.saturating_sub(1));
		let touched = opened
			.saturating_sub(runs)
			.saturating_add(slack)
			.checked_div(span)
			.unwrap_or(u64::MAX)
			.saturating_add(runs);
		parents = parents.saturating_add(touched.min(opened).min(total.div_ceil(span)));
	}

	let proof = parents.saturating_mul(PAIR_LEN).saturating_add(data);
	let run = compact_len(total).saturating_mul(2);
	compact_len(runs)
		.saturating_add(runs.saturating_mul(run))
		.saturating_add(compact_len(proof))
		.saturating_add(proof)
}

/// Bytes of the SCALE compact form of `value`.
fn compact_len(value: u64) -> u64 {
	u64::try_from(Compact::<u64>::compact_len(&value)).unwrap_or(u64::MAX)
}
