// SPDX-License-Identifier: Apache-2.0

//! What other pallets ask of the registry: picking nodes, and judging how they behaved.

use crate::{BalanceOf, Config, Event, HoldReason, NodeOf, Nodes, Operators, Pallet, LOG_TARGET};
use frame_support::{
	storage::with_storage_layer,
	traits::{
		fungible::MutateHold,
		tokens::{Fortitude, Precision, Restriction},
		Get,
	},
};
use sp_runtime::traits::{Saturating, Zero};
use tensornet_protocol::{
	BurnCause, Candidate, Conduct, Hash, Nodes as NodesT, Requirements, Slash, TokenPolicy,
};

impl<T: Config> NodesT for Pallet<T> {
	type AccountId = T::AccountId;
	type Balance = BalanceOf<T>;

	fn pick(
		requirements: &Requirements<Self::Balance>,
		seed: Hash,
		exclude: Option<&Self::AccountId>,
	) -> Option<Candidate<Self::AccountId, Self::Balance>> {
		Self::do_pick(requirements, seed, exclude)
	}

	fn node_of(operator: &Self::AccountId) -> Option<Self::AccountId> {
		Operators::<T>::get(operator)
	}

	fn job_taken(stash: &Self::AccountId, collateral: Self::Balance) {
		let found = Nodes::<T>::mutate_extant(stash, |node| {
			node.active_jobs = node.active_jobs.saturating_add(1);
			node.collateral = node.collateral.saturating_add(collateral);
			true
		});
		if !found {
			log::error!(target: LOG_TARGET, "a job was given to {stash:?}, which is no node");
		}
	}

	fn job_released(
		stash: &Self::AccountId,
		collateral: Self::Balance,
		conduct: Conduct,
		reporter: Option<&Self::AccountId>,
		requester: &Self::AccountId,
	) -> Slash<Self::Balance> {
		let Some(mut node) = Nodes::<T>::get(stash).filter(|node| node.active_jobs > 0) else {
			log::error!(target: LOG_TARGET, "a job of {stash:?} was released, which has none");
			return Slash::default();
		};
		node.active_jobs = node.active_jobs.saturating_sub(1);
		node.collateral = node.collateral.saturating_sub(collateral);
		let slash = match conduct {
			Conduct::Released => Slash::default(),
			Conduct::Completed => {
				node.reward();
				Slash::default()
			}
			Conduct::Silent | Conduct::Withheld => {
				node.punish_silence();
				let least = if conduct == Conduct::Withheld { collateral } else { Zero::zero() };
				let due = T::SilentSlash::get().mul_ceil(node.bond).max(least);
				// Silence is seen by everybody: nobody is paid for saying so. The requester least of all:
				// one that never serves its inputs would live on the bonds of honest nodes.
				Self::slash(stash, &mut node, due, conduct, None, None)
			}
			Conduct::Fraud => {
				node.punish_fraud();
				Self::deposit_event(Event::NodeJailed { stash: stash.clone() });
				let due = T::FraudSlash::get().mul_ceil(node.held()).max(collateral);
				Self::slash(stash, &mut node, due, conduct, reporter, Some(requester))
			}
		};
		let punished = !matches!(conduct, Conduct::Completed | Conduct::Released);
		if punished && (conduct == Conduct::Fraud || node.bond < T::MinBond::get()) {
			Self::go_offline(stash, &mut node);
		}
		Nodes::<T>::insert(stash, node);
		slash
	}
}

impl<T: Config> Pallet<T> {
	/// Takes `due` of what is held for the node and divides it. The caller writes `node` back.
	fn slash(
		stash: &T::AccountId,
		node: &mut NodeOf<T>,
		due: BalanceOf<T>,
		conduct: Conduct,
		reporter: Option<&T::AccountId>,
		requester: Option<&T::AccountId>,
	) -> Slash<BalanceOf<T>> {
		let due = due.min(node.held());
		// A node that reports itself, or whose own job failed, must not win back what it lost.
		let outsider = |who: &&T::AccountId| **who != *stash && **who != node.operator;
		let to_reporter = reporter.filter(outsider).map_or_else(Zero::zero, |who| {
			Self::pay_from_bond(stash, who, T::SlashToReporter::get().mul_floor(due))
		});
		let left = due.saturating_sub(to_reporter);
		let to_requester = requester.filter(outsider).map_or_else(Zero::zero, |who| {
			Self::pay_from_bond(stash, who, T::SlashToRequester::get().mul_floor(due).min(left))
		});
		let left = left.saturating_sub(to_requester);
		let burned = T::Currency::burn_held(
			&HoldReason::Bond.into(),
			stash,
			left,
			Precision::BestEffort,
			Fortitude::Force,
		)
		.unwrap_or_else(|error| {
			log::error!(target: LOG_TARGET, "cannot burn the bond of {stash:?}: {error:?}");
			Zero::zero()
		});
		T::Token::burned(BurnCause::Slash, burned);

		let total = to_reporter.saturating_add(to_requester).saturating_add(burned);
		node.take(total);
		let slash = Slash { total, burned, to_reporter, to_requester };
		if !total.is_zero() {
			Self::deposit_event(Event::NodeSlashed { stash: stash.clone(), conduct, slash });
		}
		slash
	}

	/// Pays `amount` of what is held for the node to `payee`. Returns what was paid: all or nothing,
	/// and nothing where the payee cannot receive it.
	fn pay_from_bond(
		stash: &T::AccountId,
		payee: &T::AccountId,
		amount: BalanceOf<T>,
	) -> BalanceOf<T> {
		if amount.is_zero() {
			return amount;
		}
		with_storage_layer(|| {
			T::Currency::transfer_on_hold(
				&HoldReason::Bond.into(),
				stash,
				payee,
				amount,
				Precision::Exact,
				Restriction::Free,
				Fortitude::Force,
			)
		})
		.unwrap_or_else(|_| Zero::zero())
	}
}
