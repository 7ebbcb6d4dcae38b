// SPDX-License-Identifier: Apache-2.0
//! The trace manifest: layout, openings, refusals.

use tensornet_commitment::{
	entry_offset, manifest_len, root, verify_entries, Hash, Manifest, ManifestError, Opening,
	OpeningError,
};

/// A root that tells its iteration and its checkpoint.
fn checkpoint_root(iteration: u32, checkpoint: u32) -> Hash {
	root(&[iteration.to_le_bytes(), checkpoint.to_le_bytes()].concat())
}

fn manifest(iterations: u32, checkpoints: u32) -> Manifest {
	let mut manifest = Manifest::new(checkpoints);
	for iteration in 0..iterations {
		let roots: Vec<Hash> = (0..checkpoints).map(|c| checkpoint_root(iteration, c)).collect();
		manifest.push_iteration(&roots).unwrap();
	}
	manifest
}

#[test]
fn bytes_are_the_roots_one_iteration_after_the_other() {
	let manifest = manifest(2, 3);
	let mut expected = Vec::new();
	for (iteration, checkpoint) in [(0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (1, 2)] {
		expected.extend(checkpoint_root(iteration, checkpoint));
	}
	assert_eq!(manifest.bytes(), expected);
	assert_eq!(manifest.trace_root(), root(&expected));
	assert_eq!(manifest_len(2, 3), Some(expected.len() as u64));
	assert_eq!((manifest.iterations(), manifest.checkpoints()), (2, 3));
	assert_eq!(entry_offset(1, 3, 2), Some(5 * 32));
}

#[test]
fn every_entry_opens_and_verifies() {
	for (iterations, checkpoints) in [(1, 1), (1, 33), (7, 5), (50, 13)] {
		let manifest = manifest(iterations, checkpoints);
		let trace_root = manifest.trace_root();
		for iteration in 0..iterations {
			for checkpoint in 0..checkpoints {
				let opening = manifest.open([(iteration, checkpoint)]).unwrap();
				let opened =
					verify_entries(&trace_root, iterations, checkpoints, &opening).unwrap();
				let expected = Some(checkpoint_root(iteration, checkpoint));
				assert_eq!(opened.entry(iteration, checkpoint), expected);
				assert_eq!(manifest.entry(iteration, checkpoint), expected);
			}
		}
	}
}

#[test]
fn one_opening_serves_several_entries_and_no_others() {
	let manifest = manifest(50, 13);
	let opening = manifest.open([(49, 12), (0, 3), (25, 0)]).unwrap();
	let opened = verify_entries(&manifest.trace_root(), 50, 13, &opening).unwrap();
	for (iteration, checkpoint) in [(0, 3), (25, 0), (49, 12)] {
		assert_eq!(
			opened.entry(iteration, checkpoint),
			Some(checkpoint_root(iteration, checkpoint))
		);
	}
	for (iteration, checkpoint) in [(10, 0), (50, 0), (0, 13), (u32::MAX, 12)] {
		assert_eq!(opened.entry(iteration, checkpoint), None);
	}
}

#[test]
fn a_changed_entry_is_refused() {
	let manifest = manifest(4, 3);
	let mut opening = manifest.open([(2, 1)]).unwrap();
	let offset = entry_offset(2, 3, 1).unwrap() as usize;
	opening.proof[offset] ^= 1;
	let refused = verify_entries(&manifest.trace_root(), 4, 3, &opening).unwrap_err();
	assert_eq!(refused, OpeningError::WrongHash);
}

#[test]
fn another_number_of_iterations_is_refused() {
	let manifest = manifest(4, 3);
	let opening = manifest.open([(3, 0)]).unwrap();
	for iterations in [0, 3, 5, 400, u32::MAX] {
		assert!(verify_entries(&manifest.trace_root(), iterations, 3, &opening).is_err());
	}
	let refused = verify_entries(&manifest.trace_root(), u32::MAX, u32::MAX, &opening);
	assert_eq!(refused.unwrap_err(), OpeningError::BlobTooLong);
}

#[test]
fn an_iteration_with_a_wrong_number_of_roots_is_refused_and_changes_nothing() {
	let mut manifest = manifest(1, 2);
	let before = manifest.clone();
	for roots in [&[][..], &[[1; 32]], &[[1; 32]; 3]] {
		assert_eq!(manifest.push_iteration(roots), Err(ManifestError::WrongCheckpointCount));
	}
	assert_eq!(manifest, before);
}

#[test]
fn entries_that_do_not_exist_cannot_be_opened() {
	let manifest = manifest(2, 3);
	for entry in [(2, 0), (0, 3), (u32::MAX, 0), (0, u32::MAX)] {
		assert_eq!(manifest.open([(0, 0), entry]), Err(ManifestError::EntryOutOfRange));
		assert_eq!(manifest.entry(entry.0, entry.1), None);
	}
	let nothing = manifest.open([]);
	assert_eq!(nothing, Err(ManifestError::Opening(OpeningError::NothingOpened)));
}

#[test]
fn a_program_without_checkpoints_has_an_empty_manifest() {
	let manifest = manifest(3, 0);
	assert_eq!(manifest.bytes(), [0u8; 0]);
	assert_eq!(manifest.trace_root(), root(&[]));
	assert_eq!(entry_offset(0, 0, 0), None);
	let opening: Opening = manifest.open([]).unwrap();
	let opened = verify_entries(&root(&[]), 3, 0, &opening).unwrap();
	assert_eq!(opened.entry(0, 0), None);
}

#[test]
fn offsets_do_not_overflow() {
	assert_eq!(entry_offset(u32::MAX, u32::MAX, u32::MAX - 1), None);
	assert_eq!(manifest_len(u32::MAX, u32::MAX), None);
	assert_eq!(entry_offset(u32::MAX, 1, 0), Some(u64::from(u32::MAX) * 32));
}

#[test]
fn a_manifest_is_rebuilt_from_its_bytes() {
	for (iterations, checkpoints) in [(0, 2), (1, 1), (7, 5)] {
		let manifest = manifest(iterations, checkpoints);
		assert_eq!(Manifest::from_bytes(checkpoints, manifest.bytes()), Some(manifest));
	}
}

#[test]
fn bytes_that_are_not_whole_iterations_are_no_manifest() {
	let manifest = manifest(2, 3);
	let bytes = manifest.bytes();
	for len in (0..bytes.len()).filter(|len| len % 96 != 0) {
		assert_eq!(Manifest::from_bytes(3, &bytes[..len]), None, "{len} bytes");
	}
	assert_eq!(Manifest::from_bytes(4, bytes), None);
	assert_eq!(Manifest::from_bytes(0, bytes), None);
	assert_eq!(Manifest::from_bytes(0, &[]), None);
}
