// SPDX-License-Identifier: Apache-2.0

//! Benchmarks of the calls, of the sharing of fees, of the end of an era and of minting.

use super::*;
use frame_benchmarking::v2::*;
use frame_support::traits::{
	fungible::{Balanced, Mutate},
	Get, OnUnbalanced,
};
use frame_system::RawOrigin;
use tensornet_protocol::{BurnCause, Emission, EraIndex, OnEraEnd, RewardReason};

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

	#[benchmark]
	fn end_era() {
		let lapsing: EraIndex = 1;
		let ended = lapsing.saturating_add(T::HistoryDepth::get());
		Budgets::<T>::insert(lapsing, BudgetOf::<T>::default());
		EraJobBurn::<T>::insert(lapsing, T::Currency::minimum_balance());
		EraJobBurn::<T>::insert(ended, T::Currency::minimum_balance());

		#[block]
		{
			Pallet::<T>::era_ended(ended);
		}

		assert!(Budgets::<T>::contains_key(ended) && !Budgets::<T>::contains_key(lapsing));
	}

	#[benchmark]
	fn mint() {
		let who: T::AccountId = whitelisted_caller();
		let amount = T::Currency::minimum_balance();
		T::Currency::set_balance(&who, amount);
		Budgets::<T>::insert(7, Budget { nodes: amount * 3u32.into(), ..Default::default() });
		Pallet::<T>::mint(7, &who, amount, RewardReason::Compute, Some(&who));

		#[block]
		{
			Pallet::<T>::mint(7, &who, amount, RewardReason::Compute, Some(&who));
		}

		assert_eq!(Rewards::<T>::get(&who).compute, amount * 2u32.into());
	}

	impl_benchmark_test_suite!(Pallet, crate::mock::new_test_ext(), crate::mock::Test);
}
