// SPDX-License-Identifier: Apache-2.0

//! Openings. Any bytes as an opening of a blob: verifying never panics, and what it accepts are the
//! blob's own bytes. Any range opened natively is accepted, and no longer so after one byte was changed.

#![no_main]

use codec::{Decode, Encode};
use libfuzzer_sys::fuzz_target;
use tensornet_commitment::{verify, Opening, Outboard};

/// Longer than a few chunks, and no multiple of one.
const MOST: usize = 40 * 1024 + 7;

/// What the fuzzer chooses.
#[derive(Decode)]
struct Choice {
	/// Length of the blob, up to [`MOST`].
	len: u16,
	/// Ranges to open.
	ranges: Vec<(u16, u16)>,
	/// Where the opening is damaged, and how.
	damage: (u32, u8),
	/// An opening out of nowhere.
	forged: Opening,
}

fuzz_target!(|bytes: &[u8]| {
	let Ok(choice) = Choice::decode(&mut &*bytes) else { return };
	let len = usize::from(choice.len) % MOST;
	let blob: Vec<u8> = (0..len).map(|i| (i % 251) as u8).collect();
	let outboard = Outboard::new(&blob);
	let root = outboard.root();

	holds(&blob, &root, &choice.forged);

	let ranges: Vec<_> = choice
		.ranges
		.iter()
		.map(|(start, length)| {
			let start = u64::from(*start) % (len as u64 + 1);
			start..(start + u64::from(*length)).min(len as u64)
		})
		.collect();
	let Ok(opening) = outboard.open(&blob, ranges.iter().cloned()) else { return };
	let opened = verify(&root, len as u64, &opening).expect("a true opening");
	for range in &ranges {
		assert!(opened.covers(range.start, range.end - range.start), "{range:?} was asked for");
	}
	holds(&blob, &root, &opening);

	let mut damaged = opening.encode();
	let place = choice.damage.0 as usize % damaged.len();
	if choice.damage.1 != 0 {
		damaged[place] ^= choice.damage.1;
		if let Ok(damaged) = Opening::decode(&mut &damaged[..]) {
			// Another list of runs may be proven by the same bytes only if it says the same.
			holds(&blob, &root, &damaged);
			if damaged.runs == opening.runs {
				assert!(
					verify(&root, len as u64, &damaged).is_err(),
					"a damaged proof was accepted"
				);
			}
		}
	}
});

/// If the opening is accepted, it says what the blob says.
fn holds(blob: &[u8], root: &tensornet_commitment::Hash, opening: &Opening) {
	let Ok(opened) = verify(root, blob.len() as u64, opening) else { return };
	for (offset, byte) in blob.iter().enumerate() {
		if let Some(found) = opened.byte(offset as u64) {
			assert_eq!(found, *byte, "byte {offset}");
		}
	}
}
