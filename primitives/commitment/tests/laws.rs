// SPDX-License-Identifier: Apache-2.0
//! Laws of openings, on arbitrary blobs, ranges and bytes.

mod common;

use codec::{Decode, DecodeAll, Encode};
use common::blob;
use core::ops::Range;
use proptest::{collection::vec, prelude::*};
use tensornet_commitment::{
	opening_size_bound, root, runs_of, verify, ChunkRun, Opening, Outboard,
};

/// A blob's length and byte ranges within it, at least one of them not empty.
fn length_and_ranges() -> impl Strategy<Value = (usize, Vec<Range<u64>>)> {
	(1usize..200_000).prop_flat_map(|len| {
		let range = (0..len as u64, 1u64..5_000)
			.prop_map(move |(start, n)| start..(start + n).min(len as u64));
		(Just(len), vec(range, 1..12))
	})
}

fn opened_chunks(opening: &Opening) -> u32 {
	opening.runs.iter().map(|run| run.count).sum()
}

proptest! {
	#[test]
	fn arbitrary_ranges_round_trip_through_their_encoding(
		(len, ranges) in length_and_ranges(),
		probe in any::<prop::sample::Index>(),
	) {
		let blob = blob(len);
		let opening = Outboard::new(&blob).open(&blob, ranges.clone()).unwrap();
		let decoded = Opening::decode_all(&mut &opening.encode()[..]).unwrap();
		prop_assert_eq!(&decoded, &opening);
		let opened = verify(&root(&blob), len as u64, &decoded).unwrap();
		for range in ranges {
			let mut bytes = vec![0; (range.end - range.start) as usize];
			prop_assert!(opened.covers(range.start, range.end - range.start));
			prop_assert!(opened.read(range.start, &mut bytes));
			prop_assert_eq!(bytes, &blob[range.start as usize..range.end as usize]);
		}
		let offset = probe.index(len);
		let chunk = (offset / 1024) as u64;
		let is_opened =
			opening.runs.iter().any(|run| u64::from(run.start) <= chunk && chunk < run.end());
		prop_assert_eq!(opened.byte(offset as u64), is_opened.then_some(blob[offset]));
	}

	#[test]
	fn one_flipped_bit_anywhere_is_refused(
		(len, ranges) in length_and_ranges(),
		bits in vec(any::<prop::sample::Index>(), 32),
	) {
		let blob = blob(len);
		let root = root(&blob);
		let encoded = Outboard::new(&blob).open(&blob, ranges).unwrap().encode();
		// The leading bytes hold the runs, which are few: always include them.
		for bit in (0..64).chain(bits.iter().map(|bit| bit.index(encoded.len() * 8))) {
			let mut forged = encoded.clone();
			forged[bit / 8] ^= 1 << (bit % 8);
			let accepted = Opening::decode_all(&mut &forged[..])
				.is_ok_and(|forged| verify(&root, len as u64, &forged).is_ok());
			prop_assert!(!accepted, "bit {} was not noticed", bit);
		}
	}

	#[test]
	fn truncated_and_extended_proofs_are_refused(
		(len, ranges) in length_and_ranges(),
		cut in any::<prop::sample::Index>(),
		tail in vec(any::<u8>(), 1..200),
	) {
		let blob = blob(len);
		let root = root(&blob);
		let opening = Outboard::new(&blob).open(&blob, ranges).unwrap();
		let mut short = opening.clone();
		short.proof.truncate(cut.index(opening.proof.len()));
		prop_assert!(verify(&root, len as u64, &short).is_err());
		let mut long = opening;
		long.proof.extend(tail);
		prop_assert!(verify(&root, len as u64, &long).is_err());
	}

	#[test]
	fn other_runs_over_the_same_proof_are_refused(
		(len, ranges) in length_and_ranges(),
		runs in vec((0u32..220, 0u32..6), 0..6),
	) {
		let blob = blob(len);
		let opening = Outboard::new(&blob).open(&blob, ranges).unwrap();
		let runs: Vec<_> =
			runs.into_iter().map(|(start, count)| ChunkRun { start, count }).collect();
		prop_assume!(runs != opening.runs);
		let forged = Opening { runs, proof: opening.proof };
		prop_assert!(verify(&root(&blob), len as u64, &forged).is_err());
	}

	#[test]
	fn random_bytes_never_panic_and_never_verify(
		bytes in vec(any::<u8>(), 0..4_000),
		root in any::<[u8; 32]>(),
		len in prop_oneof![0u64..100_000, any::<u64>()],
	) {
		if let Ok(opening) = Opening::decode(&mut &bytes[..]) {
			prop_assert!(verify(&root, len, &opening).is_err());
		}
	}

	#[test]
	fn random_openings_never_panic_and_never_verify(
		runs in vec((any::<u32>(), any::<u32>()), 0..8),
		small in vec((0u32..64, 0u32..8), 0..8),
		proof in vec(any::<u8>(), 0..4_000),
		root in any::<[u8; 32]>(),
		len in prop_oneof![0u64..100_000, any::<u64>()],
	) {
		for runs in [runs, small] {
			let runs = runs.into_iter().map(|(start, count)| ChunkRun { start, count }).collect();
			let opening = Opening { runs, proof: proof.clone() };
			prop_assert!(verify(&root, len, &opening).is_err());
		}
	}

	#[test]
	fn size_bound_holds((len, ranges) in length_and_ranges(), more in 0u32..5) {
		let blob = blob(len);
		let opening = Outboard::new(&blob).open(&blob, ranges).unwrap();
		let runs = opening.runs.len() as u32;
		let chunks = opened_chunks(&opening);
		let size = opening.encode().len() as u64;
		prop_assert!(size <= opening_size_bound(len as u64, runs, chunks));
		// It also holds where runs and chunks are themselves only bounds.
		prop_assert!(size <= opening_size_bound(len as u64, runs + more, chunks + more));
	}

	#[test]
	fn size_bound_holds_for_scattered_chunks(
		len in 1usize..200_000,
		stride in 1u64..40,
		width in 1u64..6,
		first in 0u64..40,
	) {
		let blob = blob(len);
		let len = len as u64;
		let ranges: Vec<_> = (0..)
			.map(|i| (first + i * stride) * 1024)
			.take_while(|start| *start < len)
			.map(|start| start..(start + width * 1024).min(len))
			.collect();
		prop_assume!(!ranges.is_empty());
		let opening = Outboard::new(&blob).open(&blob, ranges).unwrap();
		let runs = opening.runs.len() as u32;
		let bound = opening_size_bound(len, runs, opened_chunks(&opening));
		prop_assert!(opening.encode().len() as u64 <= bound);
	}

	#[test]
	fn runs_are_the_chunks_of_the_ranges((len, ranges) in length_and_ranges()) {
		let runs = runs_of(len as u64, ranges.clone()).unwrap();
		let listed: Vec<u64> =
			runs.iter().flat_map(|run| u64::from(run.start)..run.end()).collect();
		let mut asked: Vec<u64> = ranges
			.iter()
			.flat_map(|range| range.start / 1024..range.end.div_ceil(1024))
			.collect();
		asked.sort_unstable();
		asked.dedup();
		prop_assert_eq!(listed, asked);
		prop_assert!(runs.windows(2).all(|pair| pair[0].end() < u64::from(pair[1].start)));
	}
}
