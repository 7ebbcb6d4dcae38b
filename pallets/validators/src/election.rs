// SPDX-License-Identifier: Apache-2.0

//! Who validates next.

use crate::{
	BalanceOf, CandidateInfo, Config, CurrentEra, Event, Ledgers, NextKept, Pallet, Ranking,
	Sessions,
};
use alloc::{collections::btree_set::BTreeSet, vec::Vec};
use frame_support::traits::Get;
use sp_runtime::{
	traits::{CheckedDiv, Saturating, Zero},
	Permill,
};
use sp_staking::SessionIndex;
use tensornet_protocol::VerifiedCompute;

/// The outcome of an election.
pub(crate) struct ElectedSet<AccountId> {
	/// The validators, best first.
	pub members: Vec<AccountId>,
	/// How many of them, at the end, won no place and are kept from the former set.
	pub kept: usize,
}

impl<T: Config> Pallet<T> {
	/// What verified compute adds to `stake`: `burned` over [`Config::BurnPerStake`], at most the stake
	/// itself.
	///
	/// The sum over several identities of `min(stake, burned ÷ rate)` is at most what one identity with
	/// all of it would have: splitting gains nothing. Burned tokens are gone, so a boost of a given
	/// size has a stated price, whatever others burn.
	pub fn boost(stake: BalanceOf<T>, burned: BalanceOf<T>) -> BalanceOf<T> {
		let rate = T::BurnPerStake::get();
		if rate.is_zero() {
			return Zero::zero();
		}
		// burned ÷ (parts ÷ 10⁶), multiplied first and exact where it does not overflow; where it does
		// the stake is the smaller one.
		let scaled = burned.saturating_mul(Permill::one().deconstruct().into());
		let worth = scaled.checked_div(&rate.deconstruct().into()).unwrap_or_else(Zero::zero);
		worth.min(stake)
	}

	/// By what candidates are ordered: stake and boost, at most twice the stake.
	pub fn score(stake: BalanceOf<T>, burned: BalanceOf<T>) -> BalanceOf<T> {
		stake.saturating_add(Self::boost(stake, burned))
	}

	/// The candidates, best first: by score, then by stake, then by account.
	pub(crate) fn standing_now() -> Vec<CandidateInfo<T::AccountId, BalanceOf<T>>> {
		let least = T::MinBond::get();
		let finished = CurrentEra::<T>::get().index.checked_sub(1);
		let mut candidates: Vec<_> = Ranking::<T>::get()
			.into_iter()
			.map(|seat| {
				let burned =
					finished.map_or_else(Zero::zero, |era| T::Compute::burned_by(era, &seat.stash));
				let boost = Self::boost(seat.stake, burned);
				CandidateInfo {
					score: seat.stake.saturating_add(boost),
					eligible: seat.stake >= least && T::Session::has_keys(&seat.stash),
					stash: seat.stash,
					stake: seat.stake,
					boost,
				}
			})
			.collect();
		candidates.sort_by(|a, b| {
			(b.score, b.stake).cmp(&(a.score, a.stake)).then_with(|| a.stash.cmp(&b.stash))
		});
		candidates
	}

	/// Elects a set. It is empty only where neither a candidate nor a member of the running set has
	/// session keys.
	pub(crate) fn elect_set() -> ElectedSet<T::AccountId> {
		let places = T::ValidatorCount::get().min(T::MaxValidators::get()).max(1);
		let mut members: Vec<T::AccountId> = Self::standing_now()
			.into_iter()
			.filter(|candidate| candidate.eligible)
			.map(|candidate| candidate.stash)
			.take(places as usize)
			.collect();
		let least = T::MinCount::get().clamp(1, places) as usize;
		let missing = least.saturating_sub(members.len());
		if missing == 0 {
			return ElectedSet { members, kept: 0 };
		}
		let won: BTreeSet<_> = members.iter().cloned().collect();
		let (free, jailed): (Vec<_>, Vec<_>) = T::Session::validators()
			.into_iter()
			.filter(|former| !won.contains(former) && T::Session::has_keys(former))
			.partition(|former| !Self::in_jail(former));
		let before = members.len();
		members.extend(free.into_iter().take(missing));
		if members.is_empty() {
			// Only offenders are left: a chain that they make is better than none.
			members = jailed;
		}
		let kept = members.len().saturating_sub(before);
		ElectedSet { members, kept }
	}

	/// Plans the set of session `index`. `None` leaves it as it is.
	pub(crate) fn plan_session(index: SessionIndex) -> Option<Vec<T::AccountId>> {
		if Self::starts_era(index) {
			let elected = Self::elect_set();
			NextKept::<T>::put(elected.kept > 0);
			return Self::announce(index, elected);
		}
		let running = T::Session::validators();
		let able: Vec<_> = running
			.iter()
			.filter(|who| T::Session::has_keys(who) && !Self::in_jail(who))
			.cloned()
			.collect();
		if able.is_empty() {
			// Nobody of them is left: the era's end is too late. What others authored before says
			// nothing about the new ones.
			CurrentEra::<T>::mutate(|era| era.kept = true);
			return Self::announce(index, Self::elect_set());
		}
		if able.len() < running.len() {
			Self::deposit_event(Event::Expelled { session: index, validators: Self::count(&able) });
			return Some(able);
		}
		// Only an announced set gets a root of its keys, by which equivocations are proven.
		let rooted = T::Session::has_root(index.saturating_sub(1)) && !T::Session::keys_changed();
		(!rooted).then_some(running)
	}

	fn announce(
		session: SessionIndex,
		elected: ElectedSet<T::AccountId>,
	) -> Option<Vec<T::AccountId>> {
		Self::deposit_event(Event::Elected {
			session,
			validators: Self::count(&elected.members),
			kept: u32::try_from(elected.kept).unwrap_or(u32::MAX),
		});
		Some(elected.members).filter(|members| !members.is_empty())
	}

	/// Whether a fault keeps `who` out of the sets that are planned now.
	pub(crate) fn in_jail(who: &T::AccountId) -> bool {
		Ledgers::<T>::get(who).is_some_and(|ledger| ledger.jail.is_some())
	}

	pub(crate) fn count(members: &[T::AccountId]) -> u32 {
		u32::try_from(members.len()).unwrap_or(u32::MAX)
	}
}
