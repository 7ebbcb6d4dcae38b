// SPDX-License-Identifier: Apache-2.0
//! Stories about openings: what is accepted, what is read, what is refused and why.

#![allow(
	clippy::single_range_in_vec_init,
	reason = "an opening takes a list of ranges, often of one"
)]

mod common;

use codec::{Decode, DecodeAll, Encode};
use common::blob;
use tensornet_commitment::{
	opening_size_bound, root, runs_of, verify, ChunkRun, Opening, OpeningError, Outboard,
};

fn run(start: u32, count: u32) -> ChunkRun {
	ChunkRun { start, count }
}

/// An opening of chunks 1, 2 and 6 of a blob of eight chunks, the last of them short.
fn example() -> (Vec<u8>, Opening) {
	let blob = blob(8_000);
	let opening = Outboard::new(&blob).open(&blob, [1_500..2_500, 6_200..6_201]).unwrap();
	assert_eq!(opening.runs, [run(1, 2), run(6, 1)]);
	(blob, opening)
}

fn refusal(root: &[u8; 32], len: u64, opening: &Opening) -> OpeningError {
	verify(root, len, opening).expect_err("must be refused")
}

mod accepts {
	use super::*;

	#[test]
	fn every_single_chunk_and_the_whole_of_blobs_of_border_lengths() {
		for chunks in 1..=70usize {
			for len in [chunks * 1024 - 1, chunks * 1024, chunks * 1024 + 1] {
				let blob = blob(len);
				let outboard = Outboard::new(&blob);
				let whole = outboard.open(&blob, [0..len as u64]).unwrap();
				let mut bytes = vec![0; len];
				assert!(verify(&root(&blob), len as u64, &whole).unwrap().read(0, &mut bytes));
				assert_eq!(bytes, blob);
				for offset in (0..len).step_by(1024) {
					let opening = outboard.open(&blob, [offset as u64..offset as u64 + 1]).unwrap();
					let opened = verify(&root(&blob), len as u64, &opening).unwrap();
					let end = len.min(offset + 1024);
					let chunk = opened.get(offset as u64, end - offset).unwrap();
					assert_eq!(chunk, &blob[offset..end]);
				}
			}
		}
	}

	#[test]
	fn the_empty_blob_with_an_empty_proof() {
		let opening = Outboard::new(&[]).open(&[], []).unwrap();
		assert_eq!(opening, Opening { runs: vec![run(0, 1)], proof: vec![] });
		let opened = verify(&root(&[]), 0, &opening).unwrap();
		assert_eq!(opened.get(0, 0), Some(&[][..]));
		assert!(opened.read(0, &mut []));
		assert_eq!(opened.byte(0), None);
	}

	#[test]
	fn a_blob_of_one_chunk_with_the_blob_as_proof() {
		let blob = blob(700);
		let opening = Outboard::new(&blob).open(&blob, [3..4]).unwrap();
		assert_eq!(opening.proof, blob);
		assert_eq!(opening.encode().len(), 1 + 2 + 2 + 700);
		assert!(verify(&root(&blob), 700, &opening).is_ok());
	}

	#[test]
	fn ranges_in_any_order_overlapping_and_empty_as_one_canonical_list() {
		let runs = runs_of(10_000, [9_000..9_100, 0..1, 500..1_025, 2_048..2_049, 7_000..7_000]);
		assert_eq!(runs, Ok(vec![run(0, 3), run(8, 1)]));
	}
}

mod reads {
	use super::*;

	#[test]
	fn across_the_border_of_two_opened_chunks() {
		let (blob, opening) = example();
		let opened = verify(&root(&blob), 8_000, &opening).unwrap();
		let mut bytes = [0; 2_048];
		assert!(opened.read(1_024, &mut bytes));
		assert_eq!(bytes, blob[1_024..3_072]);
		assert_eq!(opened.get(2_040, 8), Some(&blob[2_040..2_048]));
		assert_eq!(opened.get(2_040, 9), None, "two chunks are not one slice");
		assert_eq!(opened.byte(6_200), Some(blob[6_200]));
	}

	#[test]
	fn nothing_outside_the_opened_chunks_and_leaves_the_buffer_alone() {
		let (blob, opening) = example();
		let opened = verify(&root(&blob), 8_000, &opening).unwrap();
		for (offset, n) in [
			(1_023, 2),
			(3_071, 2),
			(3_072, 1),
			(0, 1),
			(7_168, 1),
			(6_000, 1_168),
			(2_000, 5_000),
			(7_999, 1),
			(8_000, 1),
			(u64::MAX, 1),
			(u64::MAX - 1, 5),
		] {
			let mut bytes = vec![7; n];
			assert!(!opened.read(offset, &mut bytes), "{n} bytes at {offset}");
			assert!(bytes.iter().all(|byte| *byte == 7));
			assert!(!opened.covers(offset, n as u64));
			assert_eq!(opened.get(offset, n), None);
		}
		assert!(!opened.covers(1_500, u64::MAX));
		assert_eq!(opened.get(1_500, usize::MAX), None);
		assert_eq!(opened.byte(u64::MAX), None);
	}

	#[test]
	fn no_bytes_at_every_offset_of_the_blob_only() {
		let (blob, opening) = example();
		let opened = verify(&root(&blob), 8_000, &opening).unwrap();
		for (offset, readable) in [(0, true), (1_500, true), (8_000, true), (8_001, false)] {
			assert_eq!(opened.read(offset, &mut []), readable, "at {offset}");
			assert_eq!(opened.get(offset, 0).is_some(), readable, "at {offset}");
		}
	}
}

mod refuses {
	use super::*;

	#[test]
	fn every_flipped_bit_of_the_encoded_opening() {
		let (blob, opening) = example();
		let root = root(&blob);
		let encoded = opening.encode();
		for bit in 0..encoded.len() * 8 {
			let mut forged = encoded.clone();
			forged[bit / 8] ^= 1 << (bit % 8);
			if let Ok(forged) = Opening::decode_all(&mut &forged[..]) {
				assert!(verify(&root, 8_000, &forged).is_err(), "bit {bit} of the encoding");
			}
		}
	}

	#[test]
	fn every_flipped_bit_of_the_root() {
		let (blob, opening) = example();
		for bit in 0..256 {
			let mut root = root(&blob);
			root[bit / 8] ^= 1 << (bit % 8);
			assert_eq!(refusal(&root, 8_000, &opening), OpeningError::WrongHash);
		}
	}

	#[test]
	fn every_truncation() {
		let (blob, mut opening) = example();
		while opening.proof.pop().is_some() {
			assert_eq!(refusal(&root(&blob), 8_000, &opening), OpeningError::ProofTooShort);
		}
	}

	#[test]
	fn trailing_bytes() {
		let (blob, mut opening) = example();
		for _ in 0..70 {
			opening.proof.push(0);
			assert_eq!(refusal(&root(&blob), 8_000, &opening), OpeningError::TrailingBytes);
		}
	}

	#[test]
	fn lists_of_runs_that_are_not_canonical() {
		let (blob, opening) = example();
		for runs in [
			vec![run(1, 1), run(2, 1), run(6, 1)],
			vec![run(6, 1), run(1, 2)],
			vec![run(1, 2), run(2, 1), run(6, 1)],
			vec![run(1, 2), run(1, 2), run(6, 1)],
			vec![run(1, 2), run(4, 0), run(6, 1)],
			vec![run(0, 0), run(1, 2), run(6, 1)],
			vec![run(1, 0)],
			vec![run(u32::MAX, 0)],
		] {
			let forged = Opening { runs, ..opening.clone() };
			assert_eq!(refusal(&root(&blob), 8_000, &forged), OpeningError::RunsNotCanonical);
		}
	}

	#[test]
	fn other_chunks_than_those_proven() {
		let (blob, opening) = example();
		for runs in [vec![run(1, 2)], vec![run(1, 1), run(6, 1)], vec![run(2, 2), run(6, 1)]] {
			let forged = Opening { runs, ..opening.clone() };
			assert!(verify(&root(&blob), 8_000, &forged).is_err());
		}
	}

	#[test]
	fn chunks_after_the_last() {
		let (blob, opening) = example();
		for runs in [
			vec![run(8, 1)],
			vec![run(7, 2)],
			vec![run(1, 2), run(6, 3)],
			vec![run(0, u32::MAX)],
			vec![run(u32::MAX, u32::MAX)],
		] {
			let forged = Opening { runs, ..opening.clone() };
			assert_eq!(refusal(&root(&blob), 8_000, &forged), OpeningError::ChunkOutOfRange);
		}
		let empty = Opening { runs: vec![run(1, 1)], proof: vec![] };
		assert_eq!(refusal(&root(&[]), 0, &empty), OpeningError::ChunkOutOfRange);
	}

	#[test]
	fn an_opening_of_nothing() {
		let (blob, _) = example();
		let nothing = Opening { runs: vec![], proof: vec![] };
		assert_eq!(refusal(&root(&blob), 8_000, &nothing), OpeningError::NothingOpened);
		assert_eq!(refusal(&root(&[]), 0, &nothing), OpeningError::NothingOpened);
		let outboard = Outboard::new(&blob);
		assert_eq!(outboard.open(&blob, []), Err(OpeningError::NothingOpened));
		assert_eq!(outboard.open(&blob, [5..5, 9..9]), Err(OpeningError::NothingOpened));
	}

	#[test]
	fn blobs_of_too_many_chunks() {
		let opening = Opening { runs: vec![run(0, 1)], proof: vec![0; 4_096] };
		for len in [(1 << 42) - 1023, 1 << 42, u64::MAX] {
			assert_eq!(refusal(&[0; 32], len, &opening), OpeningError::BlobTooLong);
			assert_eq!(runs_of(len, [0..1]), Err(OpeningError::BlobTooLong));
		}
		let longest = (1 << 42) - 1024;
		assert_eq!(refusal(&[0; 32], longest, &opening), OpeningError::WrongHash);
		assert_eq!(runs_of(longest, [0..longest]), Ok(vec![run(0, u32::MAX)]));
	}

	#[test]
	fn an_opening_of_another_blob() {
		let (_, opening) = example();
		let mut other = blob(8_000);
		other[7_999] ^= 1;
		assert_eq!(refusal(&root(&other), 8_000, &opening), OpeningError::WrongHash);
	}

	#[test]
	fn a_wrong_length_when_the_last_chunk_is_opened() {
		let blob = blob(8_000);
		let opening = Outboard::new(&blob).open(&blob, [7_500..7_501]).unwrap();
		assert!(verify(&root(&blob), 8_000, &opening).is_ok());
		for len in (7_169..8_000).chain(8_001..8_192).chain([4_096, 8_193, 20_000]) {
			assert!(verify(&root(&blob), len, &opening).is_err(), "{len} bytes");
		}
	}

	#[test]
	fn ranges_outside_the_blob() {
		let blob = blob(3_000);
		let outboard = Outboard::new(&blob);
		let reversed = core::ops::Range { start: 9, end: 8 };
		for range in [0..3_001, 3_001..3_001, 5_000..6_000, 0..u64::MAX, reversed] {
			assert_eq!(outboard.open(&blob, [range]), Err(OpeningError::RangeOutOfBlob));
		}
	}

	#[test]
	fn to_open_a_blob_other_than_the_one_of_the_outboard() {
		let blob = blob(40_000);
		let outboard = Outboard::new(&blob);
		let mut changed = blob.clone();
		changed[20_000] ^= 1;
		let refused = Err(OpeningError::BlobMismatch);
		assert_eq!(outboard.open(&changed, [17_000..17_001]), refused);
		assert_eq!(outboard.open(&blob[..39_999], [0..1]), refused);
		let small = Outboard::new(&blob[..2_000]);
		assert_eq!(small.open(&changed[19_000..21_000], [0..1]), refused);
	}

	#[test]
	fn to_decode_a_list_longer_than_its_bytes() {
		// A length prefix of 2^30 - 1 entries with nothing behind it.
		for bytes in [&[0xfe, 0xff, 0xff, 0xff][..], &[0x00, 0xfe, 0xff, 0xff, 0xff]] {
			assert!(Opening::decode(&mut &bytes[..]).is_err());
		}
	}
}

#[test]
fn error_codes_on_the_wire_are_fixed() {
	use OpeningError::*;
	let all = [
		NothingOpened,
		BlobTooLong,
		RunsNotCanonical,
		ChunkOutOfRange,
		ProofTooShort,
		TrailingBytes,
		WrongHash,
		RangeOutOfBlob,
		BlobMismatch,
	];
	for (index, error) in all.into_iter().enumerate() {
		assert_eq!(error.encode(), [index as u8]);
	}
}

#[test]
fn size_bound_is_nearly_exact_for_one_chunk_of_a_full_tree() {
	for depth in 0..12 {
		let len = 1024usize << depth;
		let blob = blob(len);
		let opening = Outboard::new(&blob).open(&blob, [0..1]).unwrap();
		let size = opening.encode().len() as u64;
		let bound = opening_size_bound(len as u64, 1, 1);
		assert!(size <= bound && bound <= size + 9, "{size} against {bound} at depth {depth}");
	}
}

#[test]
fn size_bound_is_total() {
	for len in [0, 1, 1 << 41, u64::MAX] {
		for runs in [0, 1, u32::MAX] {
			for chunks in [0, 1, u32::MAX] {
				assert!(opening_size_bound(len, runs, chunks) >= len.min(1));
			}
		}
	}
}
