// SPDX-License-Identifier: Apache-2.0
//! The trace manifest of a job: the roots of all of its checkpoint tensors, under one root.
//!
//! A manifest is the concatenation of 32-byte entries, without header or padding. The root of
//! checkpoint `c` in iteration `t` is entry `t * checkpoints + c`. The *trace root* is the BLAKE3
//! root of these bytes, so an entry is opened like any other byte range.

use crate::{root, verify, Hash, Opened, Opening, OpeningError, Outboard};
use alloc::vec::Vec;

/// Bytes of one entry of a manifest.
pub const MANIFEST_ENTRY_LEN: u64 = 32;

/// Why a manifest could not be extended or opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ManifestError {
	/// An iteration has another number of checkpoints than the manifest. Push one root for each.
	WrongCheckpointCount,
	/// There is no such iteration or checkpoint. Ask for entries of the manifest only.
	EntryOutOfRange,
	/// The manifest cannot be opened. The reason is inside.
	Opening(OpeningError),
}

impl From<OpeningError> for ManifestError {
	fn from(error: OpeningError) -> Self {
		Self::Opening(error)
	}
}

impl core::fmt::Display for ManifestError {
	fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
		match self {
			Self::WrongCheckpointCount => f.write_str("an iteration has a wrong checkpoint count"),
			Self::EntryOutOfRange => f.write_str("the manifest has no such entry"),
			Self::Opening(error) => write!(f, "the manifest cannot be opened: {error}"),
		}
	}
}

impl core::error::Error for ManifestError {}

/// Length in bytes of a manifest; `None` beyond `u64`.
pub fn manifest_len(iterations: u32, checkpoints: u32) -> Option<u64> {
	u64::from(iterations).checked_mul(u64::from(checkpoints))?.checked_mul(MANIFEST_ENTRY_LEN)
}

/// Offset in bytes of the entry of `checkpoint` in `iteration`, both counted from zero, for a program
/// with `checkpoints` checkpoints. `None` if there is no such checkpoint, or beyond `u64`.
pub fn entry_offset(iteration: u32, checkpoints: u32, checkpoint: u32) -> Option<u64> {
	if checkpoint >= checkpoints {
		return None;
	}
	u64::from(iteration)
		.checked_mul(u64::from(checkpoints))?
		.checked_add(u64::from(checkpoint))?
		.checked_mul(MANIFEST_ENTRY_LEN)
}

/// The checkpoint roots of a job, in the order in which they are committed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Manifest {
	checkpoints: u32,
	roots: Vec<Hash>,
	iterations: u32,
}

impl Manifest {
	/// The manifest, still without iterations, of a program with `checkpoints` checkpoints.
	pub fn new(checkpoints: u32) -> Self {
		Self { checkpoints, roots: Vec::new(), iterations: 0 }
	}

	/// The manifest whose committed bytes are `bytes`, for a program with `checkpoints` checkpoints.
	/// `None` if the length is not a whole number of iterations, or if there are no checkpoints, where
	/// the bytes do not tell the number of iterations.
	pub fn from_bytes(checkpoints: u32, bytes: &[u8]) -> Option<Self> {
		let (roots, rest) = bytes.as_chunks::<{ MANIFEST_ENTRY_LEN as usize }>();
		let count = u32::try_from(roots.len()).ok()?;
		let iterations = count.checked_div(checkpoints)?;
		let whole = rest.is_empty() && iterations.checked_mul(checkpoints) == Some(count);
		whole.then(|| Self { checkpoints, roots: roots.to_vec(), iterations })
	}

	/// Appends an iteration: the roots of all checkpoints in program order.
	pub fn push_iteration(&mut self, roots: &[Hash]) -> Result<(), ManifestError> {
		if u32::try_from(roots.len()) != Ok(self.checkpoints) {
			return Err(ManifestError::WrongCheckpointCount);
		}
		self.iterations = self.iterations.checked_add(1).ok_or(ManifestError::EntryOutOfRange)?;
		self.roots.extend_from_slice(roots);
		Ok(())
	}

	/// Number of checkpoints in each iteration.
	pub fn checkpoints(&self) -> u32 {
		self.checkpoints
	}

	/// Number of iterations pushed.
	pub fn iterations(&self) -> u32 {
		self.iterations
	}

	/// The root of `checkpoint` in `iteration`.
	pub fn entry(&self, iteration: u32, checkpoint: u32) -> Option<Hash> {
		let offset = entry_offset(iteration, self.checkpoints, checkpoint)?;
		self.roots.get(usize::try_from(offset / MANIFEST_ENTRY_LEN).ok()?).copied()
	}

	/// The committed bytes.
	pub fn bytes(&self) -> &[u8] {
		self.roots.as_flattened()
	}

	/// The trace root: the BLAKE3 root of [`Self::bytes`].
	pub fn trace_root(&self) -> Hash {
		root(self.bytes())
	}

	/// Opens entries, each given as `(iteration, checkpoint)`.
	///
	/// Hashes the manifest once. Errors: [`ManifestError::EntryOutOfRange`], and
	/// [`ManifestError::Opening`] if no entry is named.
	pub fn open(
		&self,
		entries: impl IntoIterator<Item = (u32, u32)>,
	) -> Result<Opening, ManifestError> {
		let mut ranges = Vec::new();
		for (iteration, checkpoint) in entries {
			if iteration >= self.iterations {
				return Err(ManifestError::EntryOutOfRange);
			}
			let start = entry_offset(iteration, self.checkpoints, checkpoint)
				.ok_or(ManifestError::EntryOutOfRange)?;
			ranges.push(start..start.saturating_add(MANIFEST_ENTRY_LEN));
		}
		Ok(Outboard::new(self.bytes()).open(self.bytes(), ranges)?)
	}
}

/// Checks an opening of the manifest of a job of `iterations` iterations with `checkpoints`
/// checkpoints each. Errors are those of [`verify`].
pub fn verify_entries<'a>(
	trace_root: &Hash,
	iterations: u32,
	checkpoints: u32,
	opening: &'a Opening,
) -> Result<OpenedManifest<'a>, OpeningError> {
	let len = manifest_len(iterations, checkpoints).ok_or(OpeningError::BlobTooLong)?;
	let opened = verify(trace_root, len, opening)?;
	Ok(OpenedManifest { checkpoints, opened })
}

/// Verified entries of a manifest.
#[derive(Clone, Debug)]
pub struct OpenedManifest<'a> {
	checkpoints: u32,
	opened: Opened<'a>,
}

impl OpenedManifest<'_> {
	/// The root of `checkpoint` in `iteration`, if its chunk is opened.
	pub fn entry(&self, iteration: u32, checkpoint: u32) -> Option<Hash> {
		let offset = entry_offset(iteration, self.checkpoints, checkpoint)?;
		let mut hash = Hash::default();
		self.opened.read(offset, &mut hash).then_some(hash)
	}
}
