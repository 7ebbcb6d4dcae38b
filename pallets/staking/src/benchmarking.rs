// SPDX-License-Identifier: Apache-2.0

//! Benchmarks of the calls and of what other pallets ask of this one, each in its worst case.

use super::*;
use alloc::vec;
use frame_benchmarking::v2::*;
use frame_support::{
	traits::{fungible::Mutate, EnsureOrigin, Get},
	BoundedVec,
};
use frame_system::RawOrigin;
use sp_runtime::{traits::Bounded, Permill};
use tensornet_protocol::{
	Capability, Conduct, Endpoint, Eras, Hash, Nodes as _, OnSettled as _, Requirements,
	Settlement, Split, MAX_ENDPOINT,
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

fn signed<T: Config>(who: &T::AccountId) -> T::RuntimeOrigin {
	RawOrigin::Signed(who.clone()).into()
}

/// A funded account that backs nodes.
fn delegator<T: Config>(index: u32) -> T::AccountId {
	let who: T::AccountId = account("delegator", index, SEED);
	fund::<T>(&who);
	let pot = Pallet::<T>::pot();
	T::Currency::set_balance(&pot, T::Currency::minimum_balance());
	who
}

/// What is delegated at once.
fn stake<T: Config>() -> BalanceOf<T> {
	T::MinDelegation::get().max(T::Currency::minimum_balance()) * 10u32.into()
}

fn skip<T: Config>(blocks: frame_system::pallet_prelude::BlockNumberFor<T>) {
	let now = frame_system::Pallet::<T>::block_number();
	frame_system::Pallet::<T>::set_block_number(now + blocks);
}

/// A job of the node goes wrong.
fn judge<T: Config>(stash: &T::AccountId, conduct: Conduct) {
	let reporter: T::AccountId = account("reporter", 0, SEED);
	let requester: T::AccountId = account("requester", 0, SEED);
	fund::<T>(&reporter);
	fund::<T>(&requester);
	Pallet::<T>::job_taken(stash, piece::<T>());
	Pallet::<T>::job_released(stash, piece::<T>(), conduct, Some(&reporter), &requester);
}

/// A slash of a node and its delegators, carried out.
fn slash<T: Config>(stash: &T::AccountId) {
	judge::<T>(stash, Conduct::Withheld);
	skip::<T>(T::SlashDelay::get() + 1u32.into());
	if Pallet::<T>::pending_slashes(stash) > 0 {
		Pallet::<T>::enact_slash(signed::<T>(stash), stash.clone()).expect("the slash is due");
	}
}

fn settle_job<T: Config>(node: &T::AccountId) {
	Pallet::<T>::job_settled(&Settlement {
		job: 0,
		requester: node.clone(),
		node: node.clone(),
		author: None,
		program: Hash::zero(),
		price: piece::<T>(),
		split: Split { burn: piece::<T>(), ..Default::default() },
	});
}

/// A delegator of node 0 who came from as many nodes as possible, whose stake answers for none of them
/// any more, and who is to be settled: it joined in an ended era, earned something, and was slashed.
fn delegator_to_settle<T: Config>() -> (T::AccountId, T::AccountId) {
	let (node, who) = (register::<T>(0), delegator::<T>(0));
	for index in 1..=MAX_LIABILITIES {
		let from = register::<T>(index);
		Pallet::<T>::delegate(signed::<T>(&who), from.clone(), stake::<T>())
			.expect("the account is funded");
		Pallet::<T>::redelegate(signed::<T>(&who), from, node.clone(), stake::<T>())
			.expect("the stake answers for nobody");
	}
	let other = delegator::<T>(1);
	Pallet::<T>::delegate(signed::<T>(&other), node.clone(), stake::<T>())
		.expect("the account is funded");
	T::BenchmarkHelper::end_era();
	settle_job::<T>(&node);
	T::BenchmarkHelper::end_era();
	let era = T::Eras::current().saturating_sub(1);
	Pallet::<T>::claim_rewards(signed::<T>(&who), node.clone(), era).expect("the era ended");
	slash::<T>(&node);
	skip::<T>(T::UnbondingPeriod::get() + 1u32.into());
	(node, who)
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
		for _ in 1..MAX_PENDING {
			judge::<T>(&stash, Conduct::Withheld);
		}
		Pallet::<T>::job_taken(&stash, piece::<T>());
		let reporter: T::AccountId = account("reporter", 0, SEED);
		let requester: T::AccountId = account("requester", 0, SEED);

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

	#[benchmark]
	fn delegate() {
		let (node, who) = delegator_to_settle::<T>();

		#[extrinsic_call]
		_(RawOrigin::Signed(who.clone()), node.clone(), stake::<T>());

		assert!(Delegations::<T>::get(&node, &who).is_some_and(|one| one.liabilities.is_empty()));
	}

	#[benchmark]
	fn undelegate() {
		let (node, who) = delegator_to_settle::<T>();

		#[extrinsic_call]
		_(RawOrigin::Signed(who.clone()), node.clone(), BalanceOf::<T>::max_value());

		assert!(Delegations::<T>::get(&node, &who).is_some_and(|one| one.delegated() == 0));
	}

	#[benchmark]
	fn withdraw_undelegated() {
		let (node, who) = (register::<T>(0), delegator::<T>(0));
		Pallet::<T>::delegate(signed::<T>(&who), node.clone(), stake::<T>() * 10u32.into())
			.expect("the account is funded");
		for _ in 1..MAX_CHUNKS {
			skip::<T>(1u32.into());
			Pallet::<T>::undelegate(signed::<T>(&who), node.clone(), stake::<T>())
				.expect("it is delegated");
		}
		skip::<T>(1u32.into());
		Pallet::<T>::undelegate(signed::<T>(&who), node.clone(), BalanceOf::<T>::max_value())
			.expect("it is delegated");
		slash::<T>(&node);
		skip::<T>(T::UnbondingPeriod::get());

		#[extrinsic_call]
		_(RawOrigin::Signed(who.clone()), node.clone());

		assert!(!Delegations::<T>::contains_key(&node, &who));
	}

	#[benchmark]
	fn redelegate() {
		let (node, who) = delegator_to_settle::<T>();
		let to = register::<T>(MAX_LIABILITIES + 1);

		#[extrinsic_call]
		_(RawOrigin::Signed(who.clone()), node, to.clone(), BalanceOf::<T>::max_value());

		assert!(Delegations::<T>::contains_key(&to, &who));
	}

	#[benchmark]
	fn settle() {
		let (node, who) = delegator_to_settle::<T>();

		#[extrinsic_call]
		_(RawOrigin::Signed(delegator::<T>(9)), node.clone(), who.clone());

		assert!(Delegations::<T>::get(&node, &who).is_some_and(|one| one.liabilities.is_empty()));
	}

	#[benchmark]
	fn set_commission() {
		let (node, who) = (register::<T>(0), delegator::<T>(0));
		Pallet::<T>::delegate(signed::<T>(&who), node.clone(), stake::<T>())
			.expect("the account is funded");
		let commission = T::MaxCommissionRaise::get();

		#[extrinsic_call]
		_(RawOrigin::Signed(node.clone()), commission);

		assert!(Nodes::<T>::get(&node).is_some_and(|node| node.commission == commission));
	}

	#[benchmark]
	fn claim_rewards() {
		let (node, who) = (register::<T>(0), delegator::<T>(0));
		Pallet::<T>::set_commission(signed::<T>(&node), Permill::from_percent(1))
			.expect("nobody backs the node");
		Pallet::<T>::delegate(signed::<T>(&who), node.clone(), stake::<T>())
			.expect("the account is funded");
		T::BenchmarkHelper::end_era();
		settle_job::<T>(&node);
		T::BenchmarkHelper::end_era();
		let before = T::Eras::current().saturating_sub(1);
		Pallet::<T>::claim_rewards(signed::<T>(&who), node.clone(), before).expect("the era ended");
		let other = delegator::<T>(1);
		Pallet::<T>::delegate(signed::<T>(&other), node.clone(), stake::<T>())
			.expect("the account is funded");
		settle_job::<T>(&node);
		T::BenchmarkHelper::end_era();
		let era = T::Eras::current().saturating_sub(1);

		#[extrinsic_call]
		_(RawOrigin::Signed(who), node.clone(), era);

		assert!(EraBurn::<T>::get(era, &node).is_some_and(|work| work.claimed));
	}

	#[benchmark]
	fn claim_delegation() {
		let (node, who) = delegator_to_settle::<T>();
		// An emission without a budget would leave nothing to claim.
		Delegations::<T>::mutate(&node, &who, |one| {
			if let Some(one) = one.as_mut() {
				one.owed = T::Currency::minimum_balance();
			}
		});
		fund::<T>(&Pallet::<T>::pot());

		#[extrinsic_call]
		_(RawOrigin::Signed(who.clone()), node.clone());

		assert!(Pallet::<T>::pending_reward(node, who) == 0u32.into());
	}

	#[benchmark]
	fn enact_slash() {
		let (stash, who) = (register::<T>(0), delegator::<T>(0));
		Pallet::<T>::delegate(signed::<T>(&who), stash.clone(), stake::<T>())
			.expect("the account is funded");
		judge::<T>(&stash, Conduct::Fraud);
		for _ in 1..MAX_PENDING {
			judge::<T>(&stash, Conduct::Withheld);
		}
		let pending = Pallet::<T>::pending_slashes(&stash);
		skip::<T>(T::SlashDelay::get());
		let result;

		#[block]
		{
			result = Pallet::<T>::enact_slash(signed::<T>(&who), stash.clone());
		}

		// Without a delay there is nothing to carry out.
		assert_eq!(result.is_ok(), pending > 0);
	}

	#[benchmark]
	fn cancel_slash() {
		let stash = register::<T>(0);
		unbond_in_chunks::<T>(&stash, MAX_UNBONDING - 1);
		let id = NextSlashId::<T>::get();
		judge::<T>(&stash, Conduct::Fraud);
		for _ in 1..MAX_PENDING {
			judge::<T>(&stash, Conduct::Withheld);
		}
		let pending = Pallet::<T>::pending_slashes(&stash);
		let origin = T::AppealOrigin::try_successful_origin().expect("somebody hears appeals");
		let result;

		#[block]
		{
			result = Pallet::<T>::cancel_slash(origin, stash.clone(), id);
		}

		assert_eq!(result.is_ok(), pending > 0);
	}

	#[benchmark]
	fn heartbeat(n: Linear<0, { MAX_HEARTBEATS }>) {
		let monitor = delegator::<T>(0);
		let nodes: alloc::vec::Vec<_> = (0..n)
			.map(|index| {
				let stash = register::<T>(index);
				go_online::<T>(&stash);
				Pallet::<T>::set_monitor(signed::<T>(&stash), Some(monitor.clone()))
					.expect("the node is registered");
				stash
			})
			.collect();
		skip::<T>(1_000u32.into());
		let now = frame_system::Pallet::<T>::block_number();

		#[extrinsic_call]
		_(RawOrigin::Signed(monitor), BoundedVec::truncate_from(nodes.clone()));

		for stash in nodes {
			assert!(Nodes::<T>::get(&stash).is_some_and(|node| node.heartbeat_at == now));
		}
	}

	#[benchmark]
	fn set_monitor() {
		let stash = register::<T>(0);
		let monitor = Some(delegator::<T>(0));

		#[extrinsic_call]
		_(RawOrigin::Signed(stash.clone()), monitor.clone());

		assert!(Nodes::<T>::get(&stash).is_some_and(|node| node.monitor == monitor));
	}

	#[benchmark]
	fn job_settled() {
		let (stash, who) = (register::<T>(0), delegator::<T>(0));
		Pallet::<T>::delegate(signed::<T>(&who), stash.clone(), stake::<T>())
			.expect("the account is funded");
		settle_job::<T>(&stash);
		T::BenchmarkHelper::end_era();

		#[block]
		{
			settle_job::<T>(&stash);
		}

		assert!(EraBurn::<T>::contains_key(T::Eras::current(), &stash));
	}

	#[benchmark]
	fn slashes_base() {
		#[block]
		{
			// What looking costs when there is something: the record is read and written.
			SlashesDue::<T>::mutate(|due| {
				*due = Some(DueSlashes { count: 1, next: 1u32.into() });
			});
		}

		assert!(SlashesDue::<T>::get().is_some());
	}

	#[benchmark]
	fn slashes_block() {
		let found;

		#[block]
		{
			found =
				SlashAgenda::<T>::iter_key_prefix(frame_system::Pallet::<T>::block_number()).next();
		}

		assert!(found.is_none());
	}

	#[benchmark]
	fn prune_base() {
		settle_job::<T>(&register::<T>(0));
		let mut meter = frame_support::weights::WeightMeter::new();

		#[block]
		{
			Pallet::<T>::prune_eras(&mut meter);
			OldestEra::<T>::put(0);
		}

		assert_eq!(OldestEra::<T>::get(), 0);
	}

	#[benchmark]
	fn prune_entry() {
		let stash = register::<T>(0);
		settle_job::<T>(&stash);
		let era = T::Eras::current();
		let found;

		#[block]
		{
			found = EraBurn::<T>::iter_key_prefix(era).next();
			EraBurn::<T>::remove(era, &stash);
		}

		assert_eq!(found, Some(stash));
	}

	impl_benchmark_test_suite!(Pallet, crate::mock::new_test_ext(), crate::mock::Test);
}
