// SPDX-License-Identifier: Apache-2.0

//! Benchmarks of the calls and of what other pallets ask of this one, each in its worst case.

use super::*;
use alloc::vec;
use frame_benchmarking::v2::*;
use frame_support::traits::{fungible::Mutate, Get};
use frame_system::RawOrigin;
use tensornet_protocol::{
	Capability, Conduct, Endpoint, Hash, Nodes as _, Requirements, MAX_ENDPOINT,
};

const SEED: u32 = 0;

/// The bond of a node: enough for every chunk and for slashes that pay out.
fn bond<T: Config>() -> BalanceOf<T> {
	T::MinBond::get().max(T::Currency::minimum_balance()) * 1_000u32.into()
}

/// An amount that unbonds.
fn piece<T: Config>() -> BalanceOf<T> {
	T::MinBond::get().max(T::Currency::minimum_balance())
}

fn endpoint(length: u32) -> Endpoint {
	Endpoint::truncate_from(vec![b'a'; length as usize])
}

fn operator<T: Config>(index: u32) -> T::AccountId {
	account("operator", index, SEED)
}

fn fund<T: Config>(who: &T::AccountId) {
	T::Currency::set_balance(who, bond::<T>() * 4u32.into());
}

/// Registers node `index` with the longest endpoint.
fn register<T: Config>(index: u32) -> T::AccountId {
	let stash: T::AccountId = account("stash", index, SEED);
	fund::<T>(&stash);
	Pallet::<T>::register_node(
		RawOrigin::Signed(stash.clone()).into(),
		operator::<T>(index),
		1u32.into(),
		Capability { memory_mib: 1, giga_macs: 1 },
		endpoint(MAX_ENDPOINT),
		bond::<T>(),
	)
	.expect("the stash is funded and new");
	stash
}

fn go_online<T: Config>(stash: &T::AccountId) {
	Pallet::<T>::set_online(RawOrigin::Signed(stash.clone()).into(), true)
		.expect("the node is registered");
}

/// Unbonds in `chunks` different blocks.
fn unbond_in_chunks<T: Config>(stash: &T::AccountId, chunks: u32) {
	for chunk in 0..chunks {
		frame_system::Pallet::<T>::set_block_number((chunk + 1).into());
		Pallet::<T>::unbond(RawOrigin::Signed(stash.clone()).into(), piece::<T>())
			.expect("the bond is large enough");
	}
	frame_system::Pallet::<T>::set_block_number((chunks + 1).into());
}

#[benchmarks]
mod benchmarks {
	use super::*;

	#[benchmark]
	fn register_node(e: Linear<0, { MAX_ENDPOINT }>) {
		let stash: T::AccountId = whitelisted_caller();
		fund::<T>(&stash);
		let capability = Capability { memory_mib: 1, giga_macs: 1 };

		#[extrinsic_call]
		_(
			RawOrigin::Signed(stash.clone()),
			operator::<T>(0),
			1u32.into(),
			capability,
			endpoint(e),
			bond::<T>(),
		);

		assert!(Nodes::<T>::contains_key(&stash));
	}

	#[benchmark]
	fn bond_more() {
		let stash = register::<T>(0);

		#[extrinsic_call]
		_(RawOrigin::Signed(stash.clone()), piece::<T>());

		assert!(Nodes::<T>::get(&stash).is_some_and(|node| node.bond > bond::<T>()));
	}

	#[benchmark]
	fn unbond() {
		let stash = register::<T>(0);
		unbond_in_chunks::<T>(&stash, MAX_UNBONDING - 2);

		#[extrinsic_call]
		_(RawOrigin::Signed(stash.clone()), piece::<T>());

		assert!(Nodes::<T>::get(&stash)
			.is_some_and(|node| node.unbonding.len() as u32 == MAX_UNBONDING - 1));
	}

	#[benchmark]
	fn withdraw_unbonded() {
		let stash = register::<T>(0);
		unbond_in_chunks::<T>(&stash, MAX_UNBONDING - 1);
		Pallet::<T>::deregister_node(RawOrigin::Signed(stash.clone()).into())
			.expect("the node has no jobs");
		frame_system::Pallet::<T>::set_block_number(
			T::UnbondingPeriod::get() + (2 * MAX_UNBONDING).into(),
		);

		#[extrinsic_call]
		_(RawOrigin::Signed(stash.clone()));

		assert!(!Nodes::<T>::contains_key(&stash));
	}

	#[benchmark]
	fn update_node(e: Linear<0, { MAX_ENDPOINT }>) {
		let stash = register::<T>(0);
		let capability = Capability { memory_mib: 2, giga_macs: 2 };

		#[extrinsic_call]
		_(RawOrigin::Signed(stash.clone()), Some(2u32.into()), Some(endpoint(e)), Some(capability));

		assert!(Nodes::<T>::get(&stash).is_some_and(|node| node.capability == capability));
	}

	#[benchmark]
	fn rotate_operator() {
		let stash = register::<T>(0);
		let new = operator::<T>(1);

		#[extrinsic_call]
		_(RawOrigin::Signed(stash.clone()), new.clone());

		assert_eq!(Pallet::<T>::node_of(&new), Some(stash));
	}

	#[benchmark]
	fn set_online() {
		let stash = register::<T>(0);
		go_online::<T>(&stash);
		go_online::<T>(&register::<T>(1));

		#[extrinsic_call]
		_(RawOrigin::Signed(operator::<T>(0)), false);

		assert!(Nodes::<T>::get(&stash).is_some_and(|node| !node.is_online()));
	}

	#[benchmark]
	fn deregister_node() {
		let stash = register::<T>(0);
		go_online::<T>(&stash);
		go_online::<T>(&register::<T>(1));
		unbond_in_chunks::<T>(&stash, MAX_UNBONDING - 1);

		#[extrinsic_call]
		_(RawOrigin::Signed(stash.clone()));

		assert!(Nodes::<T>::get(&stash).is_some_and(|node| node.standing == Standing::Leaving));
	}

	#[benchmark]
	fn pick() {
		// More nodes than one pick reads, and none that has the level: each is read in full.
		for index in 0..2 * PICK_ATTEMPTS {
			go_online::<T>(&register::<T>(index));
		}
		let requirements = Requirements {
			memory_mib: 0,
			max_ask: bond::<T>(),
			compliance_level: u8::MAX,
			collateral: piece::<T>(),
		};
		let exclude = account("stash", 0, SEED);
		let picked;

		#[block]
		{
			picked = Pallet::<T>::pick(&requirements, Hash::repeat_byte(7), Some(&exclude));
		}

		assert!(picked.is_none());
	}

	#[benchmark]
	fn job_taken() {
		let stash = register::<T>(0);

		#[block]
		{
			Pallet::<T>::job_taken(&stash, piece::<T>());
		}

		assert!(Nodes::<T>::get(&stash).is_some_and(|node| node.active_jobs == 1));
	}

	#[benchmark]
	fn job_released() {
		let stash = register::<T>(0);
		go_online::<T>(&stash);
		go_online::<T>(&register::<T>(1));
		unbond_in_chunks::<T>(&stash, MAX_UNBONDING - 1);
		Pallet::<T>::job_taken(&stash, piece::<T>());
		let reporter: T::AccountId = account("reporter", 0, SEED);
		let requester: T::AccountId = account("requester", 0, SEED);
		fund::<T>(&reporter);
		fund::<T>(&requester);

		#[block]
		{
			Pallet::<T>::job_released(
				&stash,
				piece::<T>(),
				Conduct::Fraud,
				Some(&reporter),
				&requester,
			);
		}

		assert!(Nodes::<T>::get(&stash).is_some_and(|node| node.standing == Standing::Jailed));
	}

	impl_benchmark_test_suite!(Pallet, crate::mock::new_test_ext(), crate::mock::Test);
}
