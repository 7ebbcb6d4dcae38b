// SPDX-License-Identifier: Apache-2.0

//! Benchmarks of the calls, with full lists.

use super::*;
use frame_benchmarking::v2::*;
use frame_support::traits::{fungible::Mutate, EnsureOrigin, Get};
use frame_system::{pallet_prelude::BlockNumberFor, RawOrigin};
use sp_runtime::{Permill, Saturating};
use tensornet_protocol::{Hash, MAX_LEVEL};

fn registrar<T: Config>(index: u32) -> T::AccountId {
	let who: T::AccountId = account("registrar", index, 0);
	T::Currency::set_balance(&who, T::RegistrarDeposit::get() * 10u32.into());
	Pallet::<T>::do_apply(who.clone()).expect("it is funded and new");
	who
}

fn appointed<T: Config>(index: u32) -> T::AccountId {
	let who = registrar::<T>(index);
	Pallet::<T>::do_appoint(who.clone()).expect("it has applied");
	who
}

/// An account that every registrar but the last attests, and that last registrar.
fn attested<T: Config>() -> (T::AccountId, T::AccountId, BlockNumberFor<T>) {
	let subject: T::AccountId = account("subject", 0, 0);
	let expires_at =
		frame_system::Pallet::<T>::block_number().saturating_add(T::MaxValidity::get());
	let most = T::MaxAttestations::get();
	for index in 1..most {
		let one = appointed::<T>(index);
		Pallet::<T>::do_attest(one, subject.clone(), 1, Country(*b"CH"), expires_at, Hash::zero())
			.expect("there is room");
	}
	(subject, appointed::<T>(most), expires_at)
}

#[benchmarks]
mod benchmarks {
	use super::*;

	fn governance<T: Config>() -> Result<T::RuntimeOrigin, BenchmarkError> {
		T::RegistrarOrigin::try_successful_origin().map_err(|_| BenchmarkError::Weightless)
	}

	#[benchmark]
	fn apply() {
		let who: T::AccountId = whitelisted_caller();
		T::Currency::set_balance(&who, T::RegistrarDeposit::get() * 10u32.into());
		#[extrinsic_call]
		_(RawOrigin::Signed(who.clone()));
		assert!(Registrars::<T>::contains_key(who));
	}

	#[benchmark]
	fn resign() {
		let who = registrar::<T>(0);
		#[extrinsic_call]
		_(RawOrigin::Signed(who.clone()));
		assert!(!Registrars::<T>::contains_key(who));
	}

	#[benchmark]
	fn appoint() -> Result<(), BenchmarkError> {
		let who = registrar::<T>(0);
		let origin = governance::<T>()?;
		#[extrinsic_call]
		_(origin as T::RuntimeOrigin, who.clone());
		assert!(Pallet::<T>::is_appointed(&who));
		Ok(())
	}

	#[benchmark]
	fn dismiss() -> Result<(), BenchmarkError> {
		let who = registrar::<T>(0);
		let origin = governance::<T>()?;
		#[extrinsic_call]
		_(origin as T::RuntimeOrigin, who.clone(), Permill::from_percent(50));
		assert!(!Registrars::<T>::contains_key(who));
		Ok(())
	}

	#[benchmark]
	fn attest() {
		let (subject, registrar, expires_at) = attested::<T>();
		#[extrinsic_call]
		_(
			RawOrigin::Signed(registrar),
			subject.clone(),
			MAX_LEVEL,
			Country(*b"CH"),
			expires_at,
			Hash::zero(),
		);
		assert_eq!(Attestations::<T>::get(subject).len() as u32, T::MaxAttestations::get());
	}

	#[benchmark]
	fn revoke() {
		let (subject, registrar, expires_at) = attested::<T>();
		Pallet::<T>::do_attest(
			registrar.clone(),
			subject.clone(),
			1,
			Country(*b"CH"),
			expires_at,
			Hash::zero(),
		)
		.expect("there is room for one");
		#[extrinsic_call]
		_(RawOrigin::Signed(registrar.clone()), subject.clone(), registrar.clone());
		assert!((Attestations::<T>::get(subject).len() as u32) < T::MaxAttestations::get());
	}

	#[benchmark]
	fn sanction() -> Result<(), BenchmarkError> {
		let who: T::AccountId = account("sanctioned", 0, 0);
		let origin = governance::<T>()?;
		#[extrinsic_call]
		_(origin as T::RuntimeOrigin, who.clone(), Hash::repeat_byte(1));
		assert!(Sanctions::<T>::contains_key(who));
		Ok(())
	}

	#[benchmark]
	fn lift() -> Result<(), BenchmarkError> {
		let who: T::AccountId = account("sanctioned", 0, 0);
		let origin = governance::<T>()?;
		Pallet::<T>::sanction(origin.clone(), who.clone(), Hash::repeat_byte(1))
			.map_err(|_| "it is not on the list")?;
		#[extrinsic_call]
		_(origin as T::RuntimeOrigin, who.clone());
		assert!(!Sanctions::<T>::contains_key(who));
		Ok(())
	}

	impl_benchmark_test_suite!(Pallet, crate::mock::new_test_ext(), crate::mock::Test);
}
