// SPDX-License-Identifier: Apache-2.0
//! Roots agree with the public hash function.

mod common;

use common::blob;
use tensornet_commitment::{chunk_count, root, Outboard};

/// Lengths around every chunk, subtree and group border up to 70 KiB.
fn border_lengths() -> Vec<usize> {
	let mut lengths = vec![0, 1, 2, 63, 64, 65];
	for chunks in 1..=70 {
		lengths.extend([chunks * 1024 - 1, chunks * 1024, chunks * 1024 + 1]);
	}
	lengths
}

#[test]
fn root_is_the_published_hash_of_abc() {
	let published = [
		0x64, 0x37, 0xb3, 0xac, 0x38, 0x46, 0x51, 0x33, 0xff, 0xb6, 0x3b, 0x75, 0x27, 0x3a, 0x8d,
		0xb5, 0x48, 0xc5, 0x58, 0x46, 0x5d, 0x79, 0xdb, 0x03, 0xfd, 0x35, 0x9c, 0x6c, 0xd5, 0xbd,
		0x9d, 0x85,
	];
	assert_eq!(root(b"abc"), published);
	assert_eq!(Outboard::new(b"abc").root(), published);
}

#[test]
fn outboard_root_is_blake3_at_every_border_length() {
	for len in border_lengths() {
		let blob = blob(len);
		let expected = *blake3::hash(&blob).as_bytes();
		assert_eq!(root(&blob), expected, "root of {len} bytes");
		assert_eq!(Outboard::new(&blob).root(), expected, "outboard root of {len} bytes");
	}
}

#[test]
fn outboard_root_is_blake3_for_a_long_blob() {
	let blob = blob(5_000_001);
	assert_eq!(Outboard::new(&blob).root(), *blake3::hash(&blob).as_bytes());
}

#[test]
fn chunk_count_rounds_up_and_gives_the_empty_blob_one_chunk() {
	for (len, chunks) in [(0, 1), (1, 1), (1024, 1), (1025, 2), (2048, 2), (2049, 3)] {
		assert_eq!(chunk_count(len), chunks, "{len} bytes");
	}
	assert_eq!(chunk_count(u64::MAX), 1 << 54);
}
