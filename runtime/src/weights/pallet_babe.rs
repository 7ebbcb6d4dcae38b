// SPDX-License-Identifier: Apache-2.0

//! Weights of `pallet_babe`, from the cost of the steps of a report.

use core::marker::PhantomData;
use frame_support::{
	traits::Get,
	weights::{
		constants::{WEIGHT_REF_TIME_PER_MICROS, WEIGHT_REF_TIME_PER_NANOS},
		Weight,
	},
};

/// Weight functions of `pallet_babe`.
pub struct WeightInfo<T>(PhantomData<T>);

impl<T: frame_system::Config> pallet_babe::WeightInfo for WeightInfo<T> {
	fn plan_config_change() -> Weight {
		Weight::from_parts(2 * WEIGHT_REF_TIME_PER_MICROS, 0)
			.saturating_add(T::DbWeight::get().writes(1))
	}

	fn report_equivocation(validators: u32, nominators_per_validator: u32) -> Weight {
		equivocation_report::<T>(validators, nominators_per_validator)
			// Two header hashes and two sr25519 signatures.
			.saturating_add(Weight::from_parts(110 * WEIGHT_REF_TIME_PER_MICROS, 0))
	}
}

/// What BABE and GRANDPA reports share: the key ownership proof and the offence itself.
pub(super) fn equivocation_report<T: frame_system::Config>(
	validators: u32,
	nominators_per_validator: u32,
) -> Weight {
	// The claimed size of the set is not trusted to be small.
	let validators = u64::from(validators.max(100));
	let nominators = u64::from(nominators_per_validator);
	let db = T::DbWeight::get();
	Weight::from_parts(35 * WEIGHT_REF_TIME_PER_MICROS, 0)
		.saturating_add(
			Weight::from_parts(175 * WEIGHT_REF_TIME_PER_NANOS, 0).saturating_mul(validators),
		)
		.saturating_add(db.reads(5))
		.saturating_add(Weight::from_parts(110 * WEIGHT_REF_TIME_PER_MICROS, 0))
		.saturating_add(
			Weight::from_parts(25 * WEIGHT_REF_TIME_PER_MICROS, 0).saturating_mul(nominators),
		)
		.saturating_add(db.reads(nominators.saturating_mul(3).saturating_add(14)))
		.saturating_add(db.writes(nominators.saturating_mul(3).saturating_add(10)))
}
