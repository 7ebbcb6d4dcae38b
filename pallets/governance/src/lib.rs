// SPDX-License-Identifier: Apache-2.0

//! # Governance
//!
//! Referenda, votes and the treasury are the SDK's own pallets. This one holds what they lack:
//!
//! - **Origins**: with which power a referendum of each track is carried out. The runtime says which
//!   track gives which origin and what each may do.
//! - **Bounds**: [`Pallet::set_parameter`] is the only way to change a protocol parameter, and refuses a
//!   value outside the bounds that the runtime states for it, whoever asks. `pallet-parameters` stores
//!   the value; it takes orders from this pallet alone, by [`Origin::Bounded`].
//! - **Pace**: by what the periods of the tracks are divided. 1 but for development chains, which decide
//!   in minutes. Fixed at genesis.

#![cfg_attr(not(feature = "std"), no_std)]
#![cfg_attr(
	not(any(test, feature = "runtime-benchmarks")),
	deny(
		clippy::arithmetic_side_effects,
		clippy::expect_used,
		clippy::indexing_slicing,
		clippy::unwrap_used
	)
)]

extern crate alloc;

#[cfg(feature = "runtime-benchmarks")]
mod benchmarking;
mod origins;
mod parameters;
#[cfg(test)]
mod tests;

pub use origins::EnsureBounded;
pub use pallet::*;
pub use parameters::{Measure, ParameterBounds, ParameterInfo, Unit};

// What the macros generate for metadata calls `expect`; nothing written here does.
#[allow(clippy::expect_used)]
#[frame_support::pallet]
pub mod pallet {
	use crate::{ParameterBounds, ParameterInfo};
	use alloc::vec::Vec;
	use frame_support::{pallet_prelude::*, traits::EnsureOrigin};
	use frame_system::pallet_prelude::*;
	use pallet_parameters::WeightInfo as _;

	/// Version of this pallet's storage.
	const STORAGE_VERSION: StorageVersion = StorageVersion::new(1);

	#[pallet::pallet]
	#[pallet::storage_version(STORAGE_VERSION)]
	pub struct Pallet<T>(_);

	#[pallet::config]
	pub trait Config:
		frame_system::Config<RuntimeOrigin: From<Origin>> + pallet_parameters::Config
	{
		/// Who may change parameters, within their bounds.
		type ParameterOrigin: EnsureOrigin<<Self as frame_system::Config>::RuntimeOrigin>;

		/// The bounds of every parameter.
		type Bounds: ParameterBounds<Self::RuntimeParameters>;
	}

	/// With which power an approved referendum is carried out.
	#[derive(
		Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, TypeInfo, MaxEncodedLen,
	)]
	#[pallet::origin]
	pub enum Origin {
		/// Calls whose hash was whitelisted.
		#[codec(index = 0)]
		WhitelistedCaller,
		/// Sets protocol parameters within their bounds.
		#[codec(index = 1)]
		ProtocolParameters,
		/// Spends small amounts from the treasury.
		#[codec(index = 2)]
		SmallSpender,
		/// Spends large amounts from the treasury.
		#[codec(index = 3)]
		BigSpender,
		/// Cancels slashes that were wrong.
		#[codec(index = 4)]
		SlashAppeal,
		/// Appoints and dismisses the registrars of attestations.
		#[codec(index = 5)]
		Registrars,
		/// Stops and resumes parts of the chain, and whitelists calls.
		#[codec(index = 6)]
		Emergency,
		/// A parameter that this pallet has found within its bounds. No referendum has this origin.
		#[codec(index = 7)]
		Bounded,
	}

	/// By what the periods of the tracks are divided.
	#[pallet::storage]
	pub type Pace<T: Config> = StorageValue<_, u32, ValueQuery, ConstU32<1>>;

	#[pallet::genesis_config]
	pub struct GenesisConfig<T: Config> {
		/// By what the periods of the tracks are divided, at least 1.
		pub pace: u32,
		/// Ties the configuration to the runtime.
		#[serde(skip)]
		pub marker: core::marker::PhantomData<T>,
	}

	impl<T: Config> Default for GenesisConfig<T> {
		fn default() -> Self {
			Self { pace: 1, marker: Default::default() }
		}
	}

	#[pallet::genesis_build]
	impl<T: Config> BuildGenesisConfig for GenesisConfig<T> {
		fn build(&self) {
			assert!(self.pace > 0, "the pace of governance must be at least 1");
			Pace::<T>::put(self.pace);
		}
	}

	#[pallet::error]
	pub enum Error<T> {
		/// The value is outside the bounds of this parameter: `parameters` lists them.
		#[codec(index = 0)]
		OutOfBounds,
	}

	#[pallet::hooks]
	impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
		#[cfg(feature = "try-runtime")]
		fn try_state(_: BlockNumberFor<T>) -> Result<(), sp_runtime::TryRuntimeError> {
			Self::do_try_state()
		}

		fn integrity_test() {
			for info in T::Bounds::all() {
				let name = alloc::string::String::from_utf8_lossy(&info.name);
				// Run on an empty chain: what holds now is the default.
				assert!(
					(info.least..=info.most).contains(&info.current),
					"the default of {name} is outside its bounds"
				);
			}
		}
	}

	#[pallet::call]
	impl<T: Config> Pallet<T> {
		/// Sets a protocol parameter, or with `None` returns it to its default.
		///
		/// Who: [`Config::ParameterOrigin`].
		///
		/// # Errors
		/// [`Error::OutOfBounds`].
		///
		/// # Events
		/// `Updated` of the parameters' pallet.
		#[pallet::call_index(0)]
		#[pallet::weight(<T as pallet_parameters::Config>::WeightInfo::set_parameter())]
		pub fn set_parameter(
			origin: OriginFor<T>,
			key_value: T::RuntimeParameters,
		) -> DispatchResult {
			T::ParameterOrigin::ensure_origin(origin)?;
			ensure!(T::Bounds::allows(&key_value), Error::<T>::OutOfBounds);
			pallet_parameters::Pallet::<T>::set_parameter(Origin::Bounded.into(), key_value)
		}
	}

	#[pallet::view_functions]
	impl<T: Config> Pallet<T> {
		/// Every protocol parameter with its value now and its bounds.
		pub fn parameters() -> Vec<ParameterInfo> {
			T::Bounds::all()
		}
	}

	impl<T: Config> Pallet<T> {
		/// Checks that every parameter is within its bounds and the pace is not zero.
		// Native code has it too: the fuzzer of the runtime asks every pallet without the SDK's own checks.
		#[cfg(any(feature = "std", feature = "try-runtime"))]
		pub fn do_try_state() -> Result<(), sp_runtime::TryRuntimeError> {
			ensure!(Pace::<T>::get() > 0, "the pace of governance is zero");
			ensure!(
				T::Bounds::all()
					.iter()
					.all(|info| (info.least..=info.most).contains(&info.current)),
				"a parameter is outside its bounds"
			);
			Ok(())
		}
	}
}
