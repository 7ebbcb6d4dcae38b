// SPDX-License-Identifier: Apache-2.0

//! The beacon.

use crate::{beacon::Dice, mock::*, *};
use sp_core::H256;
use std::collections::BTreeSet;
use tensornet_protocol::Beacon;

#[test]
fn changes_with_every_block() {
	TestExt::new().execute_with(|| {
		let mut seen = BTreeSet::new();
		for _ in 0..50 {
			next_block();
			assert!(seen.insert(BeaconValue::<Test>::get()));
		}
	});
}

#[test]
fn changes_even_when_a_block_carries_no_output() {
	TestExt::new().execute_with(|| {
		let before = BeaconValue::<Test>::get();
		Poc::mix_beacon(System::block_number());
		assert_ne!(BeaconValue::<Test>::get(), before);
	});
}

#[test]
fn depends_on_every_output_since_the_beginning() {
	let value = |outputs: [u8; 3]| {
		let mut value = H256::zero();
		TestExt::new().execute_with(|| {
			for output in outputs {
				Authors::say(Some(H256::repeat_byte(output)));
				next_block();
			}
			value = BeaconValue::<Test>::get();
		});
		value
	};
	let usual = value([1, 2, 3]);
	assert_eq!(usual, value([1, 2, 3]));
	for other in [[9, 2, 3], [1, 9, 3], [1, 2, 9], [3, 2, 1]] {
		assert_ne!(usual, value(other));
	}
}

#[test]
fn gives_each_subject_its_own_value_within_a_block() {
	TestExt::new().execute_with(|| {
		next_block();
		let value = Poc::value(b"a");
		assert_eq!(value, Poc::value(b"a"));
		assert_ne!(value, Poc::value(b"b"));
		assert_ne!(value, BeaconValue::<Test>::get());
		// This block's author cannot move what this block reads.
		Authors::say(Some(H256::repeat_byte(77)));
		assert_eq!(value, Poc::value(b"a"));
		next_block();
		assert_ne!(value, Poc::value(b"a"));
	});
}

#[test]
fn keeps_the_last_values_and_no_more() {
	TestExt::new().execute_with(|| {
		let last = 3 + u64::from(BEACON_HISTORY);
		run_to(last + 1);
		assert_eq!(BeaconHistory::<Test>::iter_keys().count() as u32, BEACON_HISTORY);
		assert_eq!(BeaconHistory::<Test>::get(last), Some(BeaconValue::<Test>::get()));
		assert!(BeaconHistory::<Test>::get(4).is_some());
		assert_eq!(BeaconHistory::<Test>::get(3), None);
	});
}

#[test]
fn dice_are_even() {
	let mut dice = Dice::new(H256::repeat_byte(5));
	let mut counts = [0u32; 6];
	for _ in 0..6000 {
		counts[dice.below(6) as usize] += 1;
	}
	// Six standard deviations around 1000.
	assert!(counts.iter().all(|count| (827..=1173).contains(count)), "{counts:?}");
	assert_eq!(dice.below(0), 0);
	assert_eq!(dice.below(1), 0);
}
