// SPDX-License-Identifier: Apache-2.0
//! For a single range, a proof has the bytes of a public Bao slice after its 8-byte header.

#![allow(
	clippy::single_range_in_vec_init,
	reason = "an opening takes a list of ranges, often of one"
)]

mod common;

use common::blob;
use tensornet_commitment::{root, Outboard};

/// Blob length, start and length of the range, then length and BLAKE3 hash of the slice that the
/// `bao` crate 0.13.1 cuts from that blob, without its header.
const SLICES: [(usize, u64, u64, usize, &str); 13] = [
	(1, 0, 1, 1, "2d3adedff11b61f14c886e35afa036736dcd87a74d27b5c1510225d0f592e213"),
	(1024, 100, 200, 1024, "42214739f095a406f3fc83deb889744ac00df831c10daa55189b5d121c855af7"),
	(1025, 0, 1, 1088, "df71b7c9909dbc88def201a97265e4521909e7a0471e7f62b35777bd82c9bf7f"),
	(1025, 1024, 1, 65, "eac1f00e89ca04979190af8b847ea1f7874f5f0c14b6b154a154fec14c418c6c"),
	(3072, 1000, 100, 2176, "63de323166232ef4c2c8de839126ecfa22cdad642aaa8d4faf35d16fa2300c57"),
	(5000, 4999, 1, 968, "7c9252e5f3dd4d5e644a80b03882c02eff0497bbb0d2c23ecea2603de6eebf4f"),
	(16384, 5000, 3000, 4416, "a72b2423825f43530b98ee84dad888af216fd730f0b4481250c7d5273f22a170"),
	(16385, 16384, 1, 65, "d56d80ccf0ac0c46168b032d30cb9fd0a010977f5e8e0920c8ed31e498a8d886"),
	(40000, 100, 1, 1408, "a6c0e39fe11988f6bfe56ca2f9e53d11593ddfaef4232a5240fc0e4ce90a3bdf"),
	(
		40000,
		15000,
		20000,
		23104,
		"e8e90edfae8ee6c934d5250bfb3bc921b16b6d87d5ca0d6323da3170dfe39eba",
	),
	(70000, 0, 70000, 74352, "24ace5c1a255744d809e9363dcbd1ccf97457b6adbbd999d021cc42580d054fd"),
	(262145, 131071, 2, 3072, "183193db740b78a3138c0e156d4c3d59e4ae4a49cfe095f6cda3fdbf14156566"),
	(
		1000000,
		777777,
		12345,
		14976,
		"4d7f05a9632856c1bde76b3d22d8b3ee624c1dfc4a991d2445909521c3231b97",
	),
];

#[test]
fn proof_of_one_range_is_a_bao_slice() {
	for (len, start, n, slice_len, slice_hash) in SLICES {
		let blob = blob(len);
		let opening = Outboard::new(&blob).open(&blob, [start..start + n]).unwrap();
		assert_eq!(opening.proof.len(), slice_len, "{n} bytes at {start} of {len}");
		let hash = blake3::Hash::from_bytes(root(&opening.proof)).to_hex();
		assert_eq!(hash.as_str(), slice_hash, "{n} bytes at {start} of {len}");
	}
}
