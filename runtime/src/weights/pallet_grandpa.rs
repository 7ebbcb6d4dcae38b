// SPDX-License-Identifier: Apache-2.0

//! Weights of `pallet_grandpa`, from the cost of the steps of a report.

use core::marker::PhantomData;
use frame_support::{
	traits::Get,
	weights::{constants::WEIGHT_REF_TIME_PER_MICROS, Weight},
};

/// Weight functions of `pallet_grandpa`.
pub struct WeightInfo<T>(PhantomData<T>);

impl<T: pallet_tensornet_validators::Config> pallet_grandpa::WeightInfo for WeightInfo<T> {
	fn report_equivocation(validators: u32, nominators_per_validator: u32) -> Weight {
		super::pallet_babe::equivocation_report::<T>(validators, nominators_per_validator)
			// Two ed25519 signatures.
			.saturating_add(Weight::from_parts(95 * WEIGHT_REF_TIME_PER_MICROS, 0))
			// From the id of the authority set to its session.
			.saturating_add(T::DbWeight::get().reads(2))
	}

	fn note_stalled() -> Weight {
		Weight::from_parts(3 * WEIGHT_REF_TIME_PER_MICROS, 0)
			.saturating_add(T::DbWeight::get().writes(1))
	}
}
