// SPDX-License-Identifier: Apache-2.0

//! Benchmarks of the calls and of the sharing of fees.

use super::*;
use frame_benchmarking::v2::*;
use frame_support::traits::{
	fungible::{Balanced, Mutate},
	Get, OnUnbalanced,
};
use frame_system::RawOrigin;
use tensornet_protocol::BurnCause;

#[benchmarks]
mod benchmarks {
	use super::*;

	#[benchmark]
	fn burn() {
		let who: T::AccountId = whitelisted_caller();
		let amount = T::Currency::minimum_balance() * 100u32.into();
		T::Currency::set_balance(&who, amount * 2u32.into());
		let before = Burned::<T>::get(BurnCause::Voluntary);

		#[extrinsic_call]
		_(RawOrigin::Signed(who), amount);

		assert_eq!(Burned::<T>::get(BurnCause::Voluntary), before + amount);
	}

	#[benchmark]
	fn share_fee() {
		let minimum = T::Currency::minimum_balance();
		T::Currency::set_balance(&T::Treasury::get(), minimum);
		let issuance = T::Currency::total_issuance();
		let fee = T::Currency::issue(minimum * 100u32.into());

		#[block]
		{
			FeeHandler::<T>::on_unbalanced(fee);
		}

		assert!(T::Currency::total_issuance() <= issuance + minimum * 100u32.into());
	}

	impl_benchmark_test_suite!(Pallet, crate::mock::new_test_ext(), crate::mock::Test);
}
