// SPDX-License-Identifier: Apache-2.0

//! Benchmarks of the calls, each in its worst case; and a family for the benchmarks of pallets that
//! settle jobs.

use super::*;
use alloc::{vec, vec::Vec};
use frame_benchmarking::v2::*;
use frame_support::{
	traits::{
		fungible::{Inspect, Mutate},
		ConstU32, Get,
	},
	weights::WeightMeter,
	BoundedVec,
};
use frame_system::RawOrigin;
use sp_runtime::traits::{Saturating, Zero};
use tensornet_protocol::{Eras, MAX_DEGREES};

/// Enough for any deposit.
fn fund<T: Config>(who: &T::AccountId) {
	let amount = Pallet::<T>::membership_deposit().max(T::Currency::minimum_balance());
	T::Currency::set_balance(who, amount.saturating_mul(1_000u32.into()));
}

/// A funded account that has joined.
fn member<T: Config>(name: &'static str, index: u32) -> T::AccountId {
	let who: T::AccountId = account(name, index, 0);
	fund::<T>(&who);
	Pallet::<T>::do_join(who.clone()).expect("the account is funded and new");
	who
}

fn user<T: Config>(amount: BalanceOf<T>) -> Record<BalanceOf<T>> {
	let amounts = Contributions { user: amount, ..Default::default() };
	Record { era: T::Eras::current(), amounts, owed: 0u32.into(), queued: false }
}

/// Puts `who`, to whose ancestors something is owed, into the queue.
fn owe<T: Config>(who: &T::AccountId) {
	let owed = T::Currency::minimum_balance().saturating_mul(1_000u32.into());
	let pot = Pallet::<T>::pot();
	T::Currency::set_balance(&pot, owed.saturating_mul(2u32.into()));
	let mut record = Pallet::<T>::record_of(who);
	record.owed = owed;
	record.queued = true;
	Pallet::<T>::store(who, record);
	Pallet::<T>::enqueue(who);
}

impl<T: Config> Pallet<T> {
	/// Gives `who` ancestors of every degree, different ones for each `family`, and returns them. The
	/// first `active` of them have just enough weight to receive shares, the others a record without
	/// it.
	pub fn ancestors_for_benchmark(
		who: &T::AccountId,
		family: u32,
		active: u32,
	) -> Vec<T::AccountId> {
		let first = family.saturating_mul(MAX_DEGREES);
		let mut above: Option<T::AccountId> = None;
		let mut ancestors = Vec::new();
		for degree in (1..=MAX_DEGREES).rev() {
			let ancestor = member::<T>("ancestor", first.saturating_add(degree));
			if let Some(sponsor) = above.replace(ancestor.clone()) {
				Self::do_set_sponsor(ancestor.clone(), sponsor).expect("the sponsor is older");
			}
			let enough = T::ActiveWeight::get();
			let weight = if degree <= active { enough } else { enough / 2u32.into() };
			Records::<T>::insert(&ancestor, user::<T>(weight));
			ancestors.push(ancestor);
		}
		let sponsor = above.expect("there is a degree");
		Self::do_set_sponsor(who.clone(), sponsor).expect("the sponsor is older");
		ancestors.reverse();
		ancestors
	}
}

#[benchmarks]
mod benches {
	use super::*;

	#[benchmark]
	fn join() {
		let who: T::AccountId = whitelisted_caller();
		fund::<T>(&who);

		#[extrinsic_call]
		_(RawOrigin::Signed(who.clone()));

		assert!(Members::<T>::contains_key(who));
	}

	#[benchmark]
	fn set_sponsor() {
		let sponsor = member::<T>("sponsor", 0);
		let who: T::AccountId = whitelisted_caller();
		fund::<T>(&who);

		#[extrinsic_call]
		_(RawOrigin::Signed(who.clone()), sponsor);

		assert!(Members::<T>::get(who).is_some_and(|member| member.sponsor.is_some()));
	}

	#[benchmark]
	fn leave() {
		let who: T::AccountId = whitelisted_caller();
		fund::<T>(&who);
		Pallet::<T>::do_join(who.clone()).expect("the account is funded and new");
		let almost = T::ActiveWeight::get().saturating_sub(1u32.into());
		Records::<T>::insert(&who, user::<T>(almost));

		#[extrinsic_call]
		_(RawOrigin::Signed(who.clone()));

		assert!(!Members::<T>::contains_key(who));
	}

	#[benchmark]
	fn clear() {
		let who: T::AccountId = account("contributor", 0, 0);
		Records::<T>::insert(&who, user::<T>(0u32.into()));
		let caller: T::AccountId = whitelisted_caller();

		#[extrinsic_call]
		_(RawOrigin::Signed(caller), who.clone());

		assert!(!Records::<T>::contains_key(who));
	}

	#[benchmark]
	fn pass_on(a: Linear<0, MAX_DEGREES>) {
		let who: T::AccountId = account("contributor", 0, 0);
		fund::<T>(&who);
		Pallet::<T>::ancestors_for_benchmark(&who, 0, a);
		owe::<T>(&who);
		let caller: T::AccountId = whitelisted_caller();

		#[extrinsic_call]
		_(RawOrigin::Signed(caller), who.clone());

		assert!(Pallet::<T>::waiting(who).is_zero());
	}

	#[benchmark]
	fn queue_base() {
		let full: BoundedVec<_, ConstU32<QUEUE_PAGE>> =
			BoundedVec::truncate_from(vec![
				account::<T::AccountId>("waiting", 0, 0);
				QUEUE_PAGE as usize
			]);
		Queue::<T>::insert(0, full);
		QueueBounds::<T>::put(QueueEnds { first: 0, last: 1 });
		// Room for looking, and for nobody.
		let mut meter = WeightMeter::with_limit(T::WeightInfo::queue_base());

		#[block]
		{
			Pallet::<T>::serve_queue(&mut meter);
		}

		assert_eq!(Queue::<T>::get(0).len(), QUEUE_PAGE as usize);
	}

	impl_benchmark_test_suite!(Pallet, crate::mock::new_test_ext(), crate::mock::Test);
}
