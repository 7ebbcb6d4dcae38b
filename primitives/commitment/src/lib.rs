// SPDX-License-Identifier: Apache-2.0
//! # tensornet-commitment
//!
//! BLAKE3 roots of blobs, openings of byte ranges, trace manifests and seals.
//!
//! ## Overview
//!
//! BLAKE3 is a binary hash tree over 1 KiB chunks. So one 32-byte [`Hash`] is at once the address
//! of a blob in the data plane, the commitment to a tensor, and the root against which any slice of
//! that tensor can be opened: no second tree is built. The root is the ordinary BLAKE3 hash, the
//! one that `b3sum` prints.
//!
//! - [`root`] hashes a blob.
//! - [`Outboard`] is built once from a blob and then makes any number of [`Opening`]s, each of any
//!   set of byte ranges.
//! - [`verify`] checks an [`Opening`] against a root and a length and gives the bytes back as
//!   [`Opened`]. It runs on chain: no panic on any input, work and memory bounded by the size of the
//!   opening.
//! - [`Manifest`] is the list of the checkpoint roots of a job; its root is the *trace root*.
//! - [`seal`] hides a trace root until its node reveals it, and binds it to one job and one node.
//!
//! Openings are made natively or on chain alike: the crate is `no_std` with `alloc`.
//!
//! ## Example
//!
//! ```
//! use tensornet_commitment::{root, verify, OpeningError, Outboard};
//!
//! let blob: Vec<u8> = (0..100_000u32).map(|i| i as u8).collect();
//! let outboard = Outboard::new(&blob);
//! assert_eq!(outboard.root(), root(&blob));
//!
//! // One opening for two far-apart ranges.
//! let opening = outboard.open(&blob, [5_000..5_100, 90_000..92_000]).unwrap();
//! let opened = verify(&root(&blob), 100_000, &opening).unwrap();
//! let mut bytes = [0u8; 2_000];
//! assert!(opened.read(90_000, &mut bytes));
//! assert_eq!(bytes, blob[90_000..92_000]);
//! // What was not opened cannot be read.
//! assert!(!opened.read(50_000, &mut bytes));
//!
//! // An opening that was tampered with is refused.
//! let mut forged = opening.clone();
//! forged.proof[1_000] ^= 1;
//! assert_eq!(verify(&root(&blob), 100_000, &forged).unwrap_err(), OpeningError::WrongHash);
//! ```
//!
//! ## Wire format of an opening
//!
//! A blob of `len` bytes has `n = max(1, ceil(len / 1024))` chunks; all hold 1024 bytes but the last,
//! which holds the rest (the only chunk of an empty blob holds none). The tree over a span of
//! `c > 1` chunks is a parent whose left child spans the largest power of two below `c` and whose
//! right child spans the remainder. Neither `len` nor the root travels with an opening: whoever
//! verifies knows both (the length follows from the tensor's shape).
//!
//! An [`Opening`] is SCALE-encoded as
//!
//! | field   | encoding                                                                         |
//! |---------|----------------------------------------------------------------------------------|
//! | `runs`  | `Compact<u32>` count, then for each run `Compact<u32>` start, `Compact<u32>` count |
//! | `proof` | `Compact<u32>` length, then that many bytes                                      |
//!
//! `runs` lists the opened chunks. It is canonical: at least one run; each of at least one chunk; in
//! ascending order; with at least one unopened chunk between two runs; all below `n`. One set of
//! chunks therefore has exactly one encoding.
//!
//! `proof` is the pre-order walk (node, left subtree, right subtree) of the tree, limited to the
//! subtrees that hold an opened chunk. A parent contributes 64 bytes, the chaining values of its left
//! and right child; a chunk contributes its bytes. Nothing is left over at the end. The first node is
//! checked against the root and every later one against the chaining value its parent gave. A blob of
//! one chunk has no parents: its proof is the blob.
//!
//! For a single range this is the public Bao slice format without its 8-byte length header.
//!
//! ## What an opening proves
//!
//! For a given root and length no two openings can show different bytes at one offset: that is the
//! collision resistance of BLAKE3. An opening does not prove that the committed blob has the claimed
//! length unless the last chunk is among those opened; it need not, since every reader of that
//! commitment uses the same claimed length.
//!
//! Every bit of an opening is checked: flip one and the opening is refused.

#![cfg_attr(not(feature = "std"), no_std)]
#![forbid(unsafe_code)]
#![warn(missing_docs)]
#![deny(clippy::indexing_slicing, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

extern crate alloc;

mod chunk_tree;
mod manifest;
mod opening;
mod outboard;
mod seal;

pub use chunk_tree::{chunk_count, runs_of, ChunkRun, CHUNK_LEN};
pub use manifest::{
	entry_offset, manifest_len, verify_entries, Manifest, ManifestError, OpenedManifest,
	MANIFEST_ENTRY_LEN,
};
pub use opening::{opening_size_bound, verify, Opened, Opening, OpeningError};
pub use outboard::Outboard;
pub use seal::{seal, SealData, SEAL_CONTEXT};

/// A BLAKE3 hash: the root of a blob, or the chaining value of a part of it.
pub type Hash = [u8; 32];

/// The root of `bytes`: its standard BLAKE3 hash.
pub fn root(bytes: &[u8]) -> Hash {
	*blake3::hash(bytes).as_bytes()
}
