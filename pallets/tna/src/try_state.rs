// SPDX-License-Identifier: Apache-2.0

//! What must always hold.

use crate::{
	BalanceOf, Budgets, Burned, Config, Emitted, EraJobBurn, GenesisIssuance, Pallet, ReserveLeft,
	Rewards,
};
use frame_support::{
	ensure,
	traits::{fungible::Inspect, Get},
};
use sp_runtime::{
	traits::{CheckedAdd, Saturating, Zero},
	TryRuntimeError,
};
use tensornet_protocol::{Eras, RewardReason};

impl<T: Config> Pallet<T> {
	/// Checks the invariants of the token:
	///
	/// - what is issued plus what was burned is what existed at genesis plus what was minted;
	/// - the issuance is at most the cap;
	/// - no cause stands in the ledger with nothing burned;
	/// - the shares of a job's price, and those of a fee, are at most the whole, and so is the rebate
	///   of what was burned;
	/// - what is left of the reserve, what budgets may still mint and what was minted are at most the
	///   reserve; there is room for all of it under the cap;
	/// - no budget minted more than it holds, and no more budgets stand than are kept;
	/// - burns of jobs are counted for no era but the running one and those whose budgets stand, and
	///   nodes may receive at most what jobs burned in their era;
	/// - nobody without an account has a record of rewards, no record is empty, and all records
	///   together say at most what was minted for their reasons.
	pub fn do_try_state() -> Result<(), TryRuntimeError> {
		Self::check_supply()?;
		Self::check_emission()?;
		Self::check_rewards()?;
		Self::check_shares()
	}

	fn check_supply() -> Result<(), TryRuntimeError> {
		let mut burned = BalanceOf::<T>::zero();
		for amount in Burned::<T>::iter_values() {
			ensure!(!amount.is_zero(), "a cause stands in the burn ledger with nothing burned");
			burned = burned.checked_add(&amount).ok_or("the burn ledger overflows")?;
		}
		let issuance = T::Currency::total_issuance();
		let accounted = issuance.checked_add(&burned).ok_or("issued plus burned overflows")?;
		let created = GenesisIssuance::<T>::get()
			.checked_add(&Self::emitted())
			.ok_or("genesis plus emitted overflows")?;
		ensure!(accounted == created, "issued plus burned is not genesis plus emitted");
		ensure!(issuance <= T::MaxSupply::get(), "the issuance is above the cap");
		Ok(())
	}

	fn check_emission() -> Result<(), TryRuntimeError> {
		let mut to_come = ReserveLeft::<T>::get();
		let mut kept = 0u32;
		for budget in Budgets::<T>::iter_values() {
			ensure!(
				budget.minted_nodes <= budget.nodes
					&& budget.minted_validators <= budget.validators,
				"an era minted more than its budget"
			);
			to_come.saturating_accrue(budget.open());
			kept = kept.saturating_add(1);
		}
		ensure!(kept <= T::HistoryDepth::get(), "budgets stand that should have lapsed");
		ensure!(
			to_come.saturating_add(Self::emitted()) <= T::Reserve::get(),
			"what was and may be minted is more than the reserve"
		);
		ensure!(
			to_come.saturating_add(T::Currency::total_issuance()) <= T::MaxSupply::get(),
			"what may be minted does not fit under the cap"
		);
		let era = T::Eras::current();
		ensure!(
			EraJobBurn::<T>::iter_keys()
				.all(|counted| counted == era || Budgets::<T>::contains_key(counted)),
			"burns of jobs are counted for an era that neither runs nor is kept"
		);
		ensure!(
			Budgets::<T>::iter().all(|(era, budget)| budget.nodes <= EraJobBurn::<T>::get(era)),
			"nodes may receive more than jobs burned in their era"
		);
		Ok(())
	}

	fn check_rewards() -> Result<(), TryRuntimeError> {
		let (mut nodes, mut validators) = (BalanceOf::<T>::zero(), BalanceOf::<T>::zero());
		for (who, earned) in Rewards::<T>::iter() {
			ensure!(
				frame_system::Pallet::<T>::account_exists(&who),
				"an account that does not exist has a record of rewards"
			);
			ensure!(earned != Default::default(), "a record of rewards is empty");
			nodes.saturating_accrue(earned.compute);
			nodes.saturating_accrue(earned.delegation);
			validators.saturating_accrue(earned.validation);
		}
		let minted = |reason| Emitted::<T>::get(reason);
		ensure!(
			nodes <= minted(RewardReason::Compute).saturating_add(minted(RewardReason::Delegation)),
			"nodes and their backers are said to have received more than was minted for them"
		);
		ensure!(
			validators <= minted(RewardReason::Validation),
			"validators are said to have received more than was minted for them"
		);
		Ok(())
	}

	/// What was minted for whatever reason.
	fn emitted() -> BalanceOf<T> {
		Emitted::<T>::iter_values()
			.fold(Zero::zero(), |sum: BalanceOf<T>, amount| sum.saturating_add(amount))
	}

	fn check_shares() -> Result<(), TryRuntimeError> {
		let fits = |shares: &[u32]| shares.iter().sum::<u32>() <= 1_000_000;
		let job = [
			T::JobBurn::get().deconstruct(),
			T::JobTreasury::get().deconstruct(),
			T::JobAuthor::get().deconstruct(),
			T::JobLineage::get().deconstruct(),
		];
		ensure!(fits(&job), "the shares of a job's price are more than the whole");
		let fee = [T::FeeBurn::get().deconstruct(), T::FeeTreasury::get().deconstruct()];
		ensure!(fits(&fee), "the shares of a fee are more than the whole");
		ensure!(
			T::BurnRebate::get() < sp_runtime::Permill::one(),
			"nodes may receive everything that their jobs burn"
		);
		Ok(())
	}
}
