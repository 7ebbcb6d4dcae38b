// SPDX-License-Identifier: Apache-2.0

//! How long an opening of a blob can be. Follows the chunk tree of BLAKE3: chunks of 1 KiB, and inner
//! nodes that each show the 64 bytes of two children.

/// Bytes of a chunk.
pub const CHUNK: u64 = 1024;

/// Bytes that one inner node contributes.
const PARENT: u64 = 64;

/// Bytes that the position of one run of chunks contributes.
const RUN: u64 = 16;

/// An upper bound on the opening of `runs` stretches of `run_bytes` bytes each in a blob of
/// `blob_bytes` bytes, in chunks of `chunk` bytes. Stretches start at multiples of `align` bytes, which
/// divides the chunk size.
pub fn opening_bytes(blob_bytes: u64, run_bytes: u64, runs: u64, align: u64, chunk: u64) -> u64 {
	let chunk = chunk.max(1);
	let chunks = blob_bytes.div_ceil(chunk).max(1);
	// The worst start is the last aligned byte of a chunk.
	let reach = run_bytes.saturating_add(chunk).saturating_sub(align.max(1)).saturating_sub(1);
	let opened = (reach / chunk).saturating_add(1).min(chunks);
	let each = opened
		.saturating_mul(chunk)
		.saturating_add(parents(chunks, opened).saturating_mul(PARENT))
		.saturating_add(RUN);
	let whole = chunks
		.saturating_mul(chunk)
		.saturating_add((chunks - 1).saturating_mul(PARENT))
		.saturating_add(RUN);
	// A second run needs a gap, and leaving a chunk out saves more than its position costs: opening
	// every chunk is the longest of all openings.
	each.saturating_mul(runs).min(whole)
}

/// The most inner nodes above `opened` consecutive chunks of `chunks`.
fn parents(chunks: u64, opened: u64) -> u64 {
	let (mut sum, mut span) = (0u64, 1u64);
	while span < chunks {
		span = span.saturating_mul(2);
		// Blocks of `span` chunks that `opened` consecutive ones touch at the worst offset.
		let touched = (opened.saturating_add(span).saturating_sub(2) / span).saturating_add(1);
		sum = sum.saturating_add(touched.min(chunks.div_ceil(span)));
	}
	sum
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn one_chunk_blob_opens_whole_without_parents() {
		assert_eq!(opening_bytes(100, 4, 1, 4, CHUNK), 1024 + 16);
		assert_eq!(opening_bytes(0, 0, 1, 1, CHUNK), 1024 + 16);
	}

	#[test]
	fn an_aligned_element_lies_in_one_chunk() {
		// Four chunks: two parents above any one.
		assert_eq!(opening_bytes(4096, 4, 1, 4, CHUNK), 1024 + 2 * 64 + 16);
	}

	#[test]
	fn an_unaligned_stretch_may_touch_one_chunk_more() {
		// Two chunks at the worst place, chunks 1 and 2: all three parents.
		assert_eq!(opening_bytes(4096, 1024, 1, 1, CHUNK), 2048 + 3 * 64 + 16);
	}

	#[test]
	fn no_opening_is_longer_than_the_blob_and_its_tree() {
		assert_eq!(opening_bytes(4096, 4096, 1, 1, CHUNK), 4096 + 3 * 64 + 16);
		assert_eq!(opening_bytes(4096, 1, u64::MAX, 1, CHUNK), 4096 + 3 * 64 + 16);
	}

	#[test]
	fn absurd_sizes_saturate() {
		assert!(opening_bytes(u64::MAX, u64::MAX, u64::MAX, 1, CHUNK) >= 1 << 60);
	}
}
