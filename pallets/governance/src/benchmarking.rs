// SPDX-License-Identifier: Apache-2.0

//! Checks that the call works on a runtime; its weight is that of the parameters' pallet.

use super::*;
use frame_benchmarking::v2::*;
use frame_support::traits::EnsureOrigin;

#[benchmarks(where T::RuntimeParameters: Default)]
mod benchmarks {
	use super::*;

	#[benchmark]
	fn set_parameter() -> Result<(), BenchmarkError> {
		let origin = T::ParameterOrigin::try_successful_origin().map_err(|_| "no such origin")?;

		#[extrinsic_call]
		_(origin as T::RuntimeOrigin, T::RuntimeParameters::default());

		Ok(())
	}
}
