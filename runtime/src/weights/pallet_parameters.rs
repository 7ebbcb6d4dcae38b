// SPDX-License-Identifier: Apache-2.0

//! Weights of `pallet_parameters`.

use core::marker::PhantomData;
use frame_support::{
	traits::Get,
	weights::{constants::WEIGHT_REF_TIME_PER_MICROS, Weight},
};

/// Size of a parameter and its proof in the state, in bytes.
const PROOF_SIZE: u64 = 3_517;

/// Weight functions of `pallet_parameters`.
pub struct WeightInfo<T>(PhantomData<T>);

impl<T: frame_system::Config> pallet_parameters::WeightInfo for WeightInfo<T> {
	fn set_parameter() -> Weight {
		Weight::from_parts(10 * WEIGHT_REF_TIME_PER_MICROS, PROOF_SIZE)
			.saturating_add(T::DbWeight::get().reads(1))
			.saturating_add(T::DbWeight::get().writes(1))
	}
}
