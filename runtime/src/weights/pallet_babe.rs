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
use pallet_tensornet_validators::WeightInfo as _;

/// Weight functions of `pallet_babe`.
pub struct WeightInfo<T>(PhantomData<T>);

impl<T: pallet_tensornet_validators::Config> pallet_babe::WeightInfo for WeightInfo<T> {
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
pub(super) fn equivocation_report<T: pallet_tensornet_validators::Config>(
	validators: u32,
	nominators_per_validator: u32,
) -> Weight {
	// The claimed size of the set is not trusted to be small.
	let count = validators.max(100);
	let validators = u64::from(count);
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
		// Where all of them offend at once, a report raises what each of them loses.
		.saturating_add(<T as pallet_tensornet_validators::Config>::WeightInfo::on_offence(count))
}
