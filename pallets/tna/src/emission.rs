// SPDX-License-Identifier: Apache-2.0

//! What is minted: the budgets of ended eras, and who was paid out of them.

use crate::{
	schedule, BalanceOf, Budget, BudgetOf, Budgets, Config, Emitted, EraJobBurn, Event, Pallet,
	ReserveLeft, Rewards, LOG_TARGET,
};
use frame_support::traits::{
	fungible::{Inspect, Mutate},
	Get, OnKilledAccount,
};
use sp_runtime::traits::{Saturating, Zero};
use tensornet_protocol::{Emission, EraIndex, OnEraEnd, RewardReason};

impl<T: Config> Pallet<T> {
	/// What an era that ended now would release, nodes' and validators' part together.
	pub(crate) fn era_maximum() -> BalanceOf<T> {
		schedule::maximum(ReserveLeft::<T>::get(), T::YearlyRate::get(), T::ErasPerYear::get())
	}

	/// What an era would be given that ended now and in which jobs burned `burned`.
	pub(crate) fn budget_at(maximum: BalanceOf<T>, burned: BalanceOf<T>) -> BudgetOf<T> {
		schedule::divide(maximum, T::NodeShare::get(), T::BurnRebate::get(), burned)
	}

	/// Fixes the budgets of an era and lets those of the oldest one lapse.
	fn end_era(ended: EraIndex) {
		if Budgets::<T>::contains_key(ended) {
			log::error!(target: LOG_TARGET, "era {ended} ended twice");
			return;
		}
		let burned = EraJobBurn::<T>::get(ended);
		let maximum = Self::era_maximum();
		let budget = Self::budget_at(maximum, burned);
		ReserveLeft::<T>::mutate(|left| *left = left.saturating_sub(maximum));
		Budgets::<T>::insert(ended, budget);
		if let Some(lapsed) = ended.checked_sub(T::HistoryDepth::get()) {
			Budgets::<T>::remove(lapsed);
			EraJobBurn::<T>::remove(lapsed);
		}
		Self::deposit_event(Event::EraBudgeted {
			era: ended,
			nodes: budget.nodes,
			validators: budget.validators,
			burned,
		});
	}

	/// Mints at most `amount` out of a budget. This is the chain's only way to mint.
	fn mint_from(
		era: EraIndex,
		to: &T::AccountId,
		amount: BalanceOf<T>,
		reason: RewardReason,
	) -> BalanceOf<T> {
		let Some(mut budget) = Budgets::<T>::get(era) else { return Zero::zero() };
		let room = T::MaxSupply::get().saturating_sub(T::Currency::total_issuance());
		let amount = amount.min(budget.left(reason)).min(room);
		if amount.is_zero() || T::Currency::mint_into(to, amount).is_err() {
			return Zero::zero();
		}
		budget.minted(reason, amount);
		Budgets::<T>::insert(era, budget);
		Emitted::<T>::mutate(reason, |total| total.saturating_accrue(amount));
		Self::deposit_event(Event::Emitted { to: to.clone(), amount, reason, era });
		amount
	}
}

impl<T: Config> OnEraEnd for Pallet<T> {
	fn era_ended(ended: EraIndex) {
		Self::end_era(ended);
	}
}

impl<T: Config> Emission for Pallet<T> {
	type AccountId = T::AccountId;
	type Balance = BalanceOf<T>;

	fn node_budget(era: EraIndex) -> Self::Balance {
		Budgets::<T>::get(era).map_or_else(Zero::zero, |Budget { nodes, .. }| nodes)
	}

	fn validator_budget(era: EraIndex) -> Self::Balance {
		Budgets::<T>::get(era).map_or_else(Zero::zero, |Budget { validators, .. }| validators)
	}

	fn job_burn(era: EraIndex) -> Self::Balance {
		EraJobBurn::<T>::get(era)
	}

	fn mint(
		era: EraIndex,
		to: &Self::AccountId,
		amount: Self::Balance,
		reason: RewardReason,
		beneficiary: Option<&Self::AccountId>,
	) -> Self::Balance {
		let minted = Self::mint_from(era, to, amount, reason);
		if let Some(who) = beneficiary {
			Self::note(who, minted, reason);
		}
		minted
	}

	fn note(who: &Self::AccountId, amount: Self::Balance, reason: RewardReason) {
		// A record without an account would have nobody's deposit behind it.
		if amount.is_zero() || !frame_system::Pallet::<T>::account_exists(who) {
			return;
		}
		Rewards::<T>::mutate(who, |earned| earned.add(reason, amount));
	}
}

impl<T: Config> OnKilledAccount<T::AccountId> for Pallet<T> {
	fn on_killed_account(who: &T::AccountId) {
		Rewards::<T>::remove(who);
	}
}
