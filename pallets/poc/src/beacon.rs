// SPDX-License-Identifier: Apache-2.0

//! The beacon, and what audits draw from it.
//!
//! The beacon is a chain of hashes: each block's author mixes in a VRF output that it cannot choose,
//! so the only influence on a value that is still open is to give up the right to a block. A value is
//! used only when the blocks of several authors have gone into it since what it judges was fixed.

use crate::{pallet::*, CheckpointWork, BEACON_HISTORY};
use alloc::vec::Vec;
use frame_support::{traits::Get, BoundedVec};
use frame_system::pallet_prelude::BlockNumberFor;
use sp_runtime::{
	traits::{BlakeTwo256, CheckedSub, Hash as _},
	PerThing, Permill,
};
use tensornet_protocol::{arbitration::ElementId, AuthorRandomness, Beacon, Hash, JobId};

impl<T: Config> Pallet<T> {
	/// Mixes the author's VRF output of the block that ends into the beacon.
	pub(crate) fn mix_beacon(now: BlockNumberFor<T>) {
		let vrf = T::AuthorRandomness::current();
		let value = BeaconValue::<T>::mutate(|value| {
			*value = BlakeTwo256::hash_of(&(*value, vrf, now));
			*value
		});
		BeaconHistory::<T>::insert(now, value);
		if let Some(oldest) = now.checked_sub(&BEACON_HISTORY.into()) {
			BeaconHistory::<T>::remove(oldest);
		}
	}

	/// What the beacon of block `block` wants of a job: `None`, or the elements to be proven.
	///
	/// If the draw is so late that this value is gone, the newest one decides. `checkpoints` is asked only
	/// where elements are drawn.
	pub(crate) fn draw_audit(
		job: JobId,
		block: BlockNumberFor<T>,
		iterations: u32,
		checkpoints: impl FnOnce() -> BoundedVec<CheckpointWork, T::MaxCheckpoints>,
	) -> Option<BoundedVec<ElementId, T::MaxSamples>> {
		let beacon = BeaconHistory::<T>::get(block).unwrap_or_else(BeaconValue::<T>::get);
		let mut dice = Dice::new(BlakeTwo256::hash_of(&(b"poc/audit", beacon, job)));
		let lot = dice.below(u64::from(Permill::ACCURACY));
		if lot >= u64::from(T::AuditProbability::get().deconstruct()) {
			return None;
		}
		let checkpoints = checkpoints();
		let wanted = T::AuditSamples::get().clamp(1, T::MaxSamples::get());
		let mut samples = Vec::new();
		for _ in 0..wanted {
			let Some(sample) = draw_element(&mut dice, iterations, &checkpoints) else { break };
			// A small trace may give the same element twice; proving it twice shows nothing more.
			if !samples.contains(&sample) {
				samples.push(sample);
			}
		}
		Some(BoundedVec::truncate_from(samples))
	}
}

/// An element: iteration and index evenly, the checkpoint in proportion to its work.
fn draw_element(
	dice: &mut Dice,
	iterations: u32,
	checkpoints: &[CheckpointWork],
) -> Option<ElementId> {
	let total = checkpoints.last()?.cumulative;
	let iteration = u32::try_from(dice.below(iterations.into())).ok()?;
	let point = dice.below(total);
	let checkpoint = checkpoints.partition_point(|checkpoint| checkpoint.cumulative <= point);
	let index = dice.below(checkpoints.get(checkpoint)?.elements);
	Some(ElementId { iteration, checkpoint: u16::try_from(checkpoint).ok()?, index })
}

impl<T: Config> Beacon for Pallet<T> {
	fn value(subject: &[u8]) -> Hash {
		BlakeTwo256::hash_of(&(b"poc/beacon", BeaconValue::<T>::get(), subject))
	}
}

/// A stream of numbers from one seed.
pub(crate) struct Dice {
	seed: Hash,
	thrown: u32,
}

impl Dice {
	pub(crate) fn new(seed: Hash) -> Self {
		Self { seed, thrown: 0 }
	}

	/// An even choice among `0..n`; 0 if `n` is 0. 128 bits are reduced to at most 64, so no number is
	/// more likely than another by more than 2⁻⁶⁴.
	pub(crate) fn below(&mut self, n: u64) -> u64 {
		let hash = BlakeTwo256::hash_of(&(self.seed, self.thrown));
		self.thrown = self.thrown.saturating_add(1);
		let wide = hash.0.first_chunk().map_or(0, |bytes: &[u8; 16]| u128::from_le_bytes(*bytes));
		wide.checked_rem(u128::from(n)).and_then(|rest| u64::try_from(rest).ok()).unwrap_or(0)
	}
}
