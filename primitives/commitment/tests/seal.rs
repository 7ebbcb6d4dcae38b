// SPDX-License-Identifier: Apache-2.0
//! Seals bind every field.

use tensornet_commitment::{seal, SealData, SEAL_CONTEXT};

fn data() -> SealData {
	SealData {
		genesis_hash: [1; 32],
		job: 0x0807_0605_0403_0201,
		node: [2; 32],
		trace_root: [3; 32],
		salt: [4; 32],
	}
}

#[test]
fn a_seal_is_the_derived_key_of_the_documented_bytes() {
	let mut material = Vec::new();
	material.extend([1; 32]);
	material.extend([1, 2, 3, 4, 5, 6, 7, 8]);
	material.extend([2; 32]);
	material.extend([3; 32]);
	material.extend([4; 32]);
	assert_eq!(material.len(), 136);
	assert_eq!(seal(&data()), blake3::derive_key(SEAL_CONTEXT, &material));
	assert_eq!(SEAL_CONTEXT, "tensornet poc commitment seal v1");
	assert_ne!(seal(&data()), *blake3::hash(&material).as_bytes());
}

#[test]
fn every_bit_of_every_field_changes_the_seal() {
	let mut seen = std::collections::BTreeSet::from([seal(&data())]);
	for bit in 0..256 {
		let flip = |field: &mut [u8; 32]| field[bit / 8] ^= 1 << (bit % 8);
		for field in 0..4 {
			let mut changed = data();
			match field {
				0 => flip(&mut changed.genesis_hash),
				1 => flip(&mut changed.node),
				2 => flip(&mut changed.trace_root),
				_ => flip(&mut changed.salt),
			}
			assert!(seen.insert(seal(&changed)), "bit {bit} of field {field}");
		}
	}
	for bit in 0..64 {
		let changed = SealData { job: data().job ^ (1 << bit), ..data() };
		assert!(seen.insert(seal(&changed)), "bit {bit} of the job");
	}
	assert_eq!(seen.len(), 1 + 4 * 256 + 64);
}
