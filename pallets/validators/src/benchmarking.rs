// SPDX-License-Identifier: Apache-2.0

//! Benchmarks of the calls and of what happens without one, each in its worst case.

use super::*;
use alloc::vec::Vec;
use frame_benchmarking::v2::*;
use frame_support::traits::{fungible::Mutate, EnsureOrigin, Get, Hooks};
use frame_system::RawOrigin;
use sp_runtime::Perbill;
use sp_staking::offence::{OffenceDetails, OnOffenceHandler};

const SEED: u32 = 0;

/// A bond that leaves room for every chunk and for slashes that pay out.
fn bond<T: Config>() -> BalanceOf<T> {
	T::MinBond::get().max(T::Currency::minimum_balance()) * 1_000u32.into()
}

/// An amount that unbonds.
fn piece<T: Config>() -> BalanceOf<T> {
	T::MinBond::get().max(T::Currency::minimum_balance())
}

/// A funded account with session keys.
fn keyed<T: Config>(index: u32) -> T::AccountId {
	let stash: T::AccountId = account("validator", index, SEED);
	T::Currency::set_balance(&stash, bond::<T>() * 8u32.into());
	T::Session::give_keys(&stash);
	stash
}

/// Candidate `index`.
fn candidate<T: Config>(index: u32) -> T::AccountId {
	let stash = keyed::<T>(index);
	Pallet::<T>::register_candidate(RawOrigin::Signed(stash.clone()).into(), bond::<T>())
		.expect("the stash is funded and new");
	stash
}

/// `count` candidates with equal bonds.
fn candidates<T: Config>(count: u32) -> Vec<T::AccountId> {
	(0..count).map(candidate::<T>).collect()
}

/// All places taken; the first candidate, which has the smallest place or one near it.
fn full_ranking<T: Config>() -> T::AccountId {
	let free = T::MaxCandidates::get() - Ranking::<T>::get().len() as u32;
	candidates::<T>(free).remove(0)
}

fn unbond_in_chunks<T: Config>(stash: &T::AccountId, chunks: u32) {
	for chunk in 0..chunks {
		frame_system::Pallet::<T>::set_block_number((chunk + 1).into());
		Pallet::<T>::unbond(RawOrigin::Signed(stash.clone()).into(), piece::<T>())
			.expect("the bond is large enough");
	}
	frame_system::Pallet::<T>::set_block_number((chunks + 1).into());
}

fn offence<T: Config>(offender: T::AccountId) -> OffenceDetails<T::AccountId, (T::AccountId, ())> {
	let reporter: T::AccountId = account("reporter", 0, SEED);
	OffenceDetails { offender: (offender, ()), reporters: alloc::vec![reporter] }
}

/// Has all of `offenders` convicted of an equivocation.
fn convict<T: Config>(offenders: Vec<T::AccountId>) {
	let fractions = alloc::vec![Perbill::from_percent(10); offenders.len()];
	let offences: Vec<_> = offenders.into_iter().map(offence::<T>).collect();
	<Pallet<T> as OnOffenceHandler<_, _, _>>::on_offence(&offences, &fractions, 0);
}

/// Goes to the era in which everything that waits is due.
fn when_due<T: Config>() {
	CurrentEra::<T>::mutate(|era| era.index += T::SlashDelay::get());
}

#[benchmarks]
mod benchmarks {
	use super::*;

	#[benchmark]
	fn register_candidate() {
		full_ranking::<T>();
		let stash = keyed::<T>(T::MaxCandidates::get() + 1);

		#[extrinsic_call]
		_(RawOrigin::Signed(stash.clone()), bond::<T>() * 2u32.into());

		assert!(
			Ledgers::<T>::get(&stash).is_some_and(|ledger| ledger.standing == Standing::Candidate)
		);
	}

	#[benchmark]
	fn bond_more() {
		let stash = full_ranking::<T>();

		#[extrinsic_call]
		_(RawOrigin::Signed(stash.clone()), piece::<T>());

		assert!(Ledgers::<T>::get(&stash).is_some_and(|ledger| ledger.bond > bond::<T>()));
	}

	#[benchmark]
	fn unbond() {
		let stash = full_ranking::<T>();
		unbond_in_chunks::<T>(&stash, MAX_UNBONDING - 2);

		#[extrinsic_call]
		_(RawOrigin::Signed(stash.clone()), piece::<T>());

		assert!(Ledgers::<T>::get(&stash)
			.is_some_and(|ledger| ledger.unbonding.len() as u32 == MAX_UNBONDING - 1));
	}

	#[benchmark]
	fn withdraw_unbonded() {
		let stash = candidate::<T>(0);
		unbond_in_chunks::<T>(&stash, MAX_UNBONDING - 1);
		Pallet::<T>::leave(RawOrigin::Signed(stash.clone()).into()).expect("it stays");
		frame_system::Pallet::<T>::set_block_number(
			frame_system::Pallet::<T>::block_number() + T::UnbondingPeriod::get(),
		);

		#[extrinsic_call]
		_(RawOrigin::Signed(stash.clone()));

		assert!(!Ledgers::<T>::contains_key(&stash));
	}

	#[benchmark]
	fn chill() {
		let stash = full_ranking::<T>();

		#[extrinsic_call]
		_(RawOrigin::Signed(stash.clone()));

		assert!(
			Ledgers::<T>::get(&stash).is_some_and(|ledger| ledger.standing == Standing::Resting)
		);
	}

	#[benchmark]
	fn stand() {
		let stash = candidate::<T>(T::MaxCandidates::get() + 1);
		let origin = RawOrigin::Signed(stash.clone());
		Pallet::<T>::chill(origin.clone().into()).expect("it stands");
		Pallet::<T>::bond_more(origin.clone().into(), piece::<T>()).expect("it is funded");
		full_ranking::<T>();

		#[extrinsic_call]
		_(origin);

		assert!(
			Ledgers::<T>::get(&stash).is_some_and(|ledger| ledger.standing == Standing::Candidate)
		);
	}

	#[benchmark]
	fn leave() {
		let stash = full_ranking::<T>();
		unbond_in_chunks::<T>(&stash, MAX_UNBONDING - 1);

		#[extrinsic_call]
		_(RawOrigin::Signed(stash.clone()));

		assert!(
			Ledgers::<T>::get(&stash).is_some_and(|ledger| ledger.standing == Standing::Leaving)
		);
	}

	/// The budget of an era is another pallet's: the era ends as it does on the chain.
	#[benchmark]
	fn claim_validator_rewards() {
		let validator = candidate::<T>(0);
		let era = CurrentEra::<T>::get();
		Points::<T>::insert(era.index, &validator, 1);
		TotalPoints::<T>::insert(era.index, 1);
		Pallet::<T>::start_era(era.first_session + 1);

		#[extrinsic_call]
		_(RawOrigin::Signed(validator.clone()), validator.clone(), era.index);

		assert_eq!(Points::<T>::get(era.index, &validator), 0);
	}

	#[benchmark]
	fn cancel_slash() -> Result<(), BenchmarkError> {
		let origin =
			T::AppealOrigin::try_successful_origin().map_err(|_| BenchmarkError::Weightless)?;
		convict::<T>(alloc::vec![candidate::<T>(0)]);
		let id = Queue::<T>::get().first;

		#[extrinsic_call]
		_(origin as T::RuntimeOrigin, id);

		assert!(!Slashes::<T>::contains_key(id));
		Ok(())
	}

	#[benchmark]
	fn note_author() {
		let validator = candidate::<T>(0);

		#[block]
		{
			<Pallet<T> as pallet_authorship::EventHandler<_, _>>::note_author(validator.clone());
		}

		assert_eq!(Points::<T>::get(CurrentEra::<T>::get().index, &validator), 1);
	}

	/// Candidates again, by the time the slash comes: each is moved in a full ranking.
	#[benchmark]
	fn enact_due_slashes(n: Linear<0, { SLASHES_PER_BLOCK }>) {
		full_ranking::<T>();
		let reporter: T::AccountId = account("reporter", 0, SEED);
		T::Currency::set_balance(&reporter, bond::<T>());
		let slashed: Vec<_> =
			Ranking::<T>::get().into_iter().take(n as usize).map(|seat| seat.stash).collect();
		convict::<T>(slashed.clone());
		for stash in &slashed {
			Ledgers::<T>::mutate_extant(stash, |ledger| ledger.jail = None);
			Pallet::<T>::stand(RawOrigin::Signed(stash.clone()).into()).expect("it is free");
		}
		when_due::<T>();

		#[block]
		{
			Pallet::<T>::on_initialize(2u32.into());
		}

		assert!(Slashes::<T>::iter_keys().next().is_none());
	}

	#[benchmark]
	fn on_offence(n: Linear<1, 100>) {
		full_ranking::<T>();
		let offenders: Vec<_> =
			Ranking::<T>::get().into_iter().take(n as usize).map(|seat| seat.stash).collect();
		let most = offenders.len();

		#[block]
		{
			convict::<T>(offenders);
		}

		assert_eq!(Slashes::<T>::iter_keys().count(), most);
	}

	#[benchmark]
	fn elect(c: Linear<1, { T::MaxCandidates::get() }>) {
		candidates::<T>(c.saturating_sub(Ranking::<T>::get().len() as u32));
		CurrentEra::<T>::mutate(|era| era.index += 1);
		let elected;

		#[block]
		{
			elected = Pallet::<T>::elect_set();
		}

		assert!(!elected.members.is_empty());
	}

	impl_benchmark_test_suite!(Pallet, crate::mock::new_test_ext(), crate::mock::Test);
}
