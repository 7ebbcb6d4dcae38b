// SPDX-License-Identifier: Apache-2.0

//! What other pallets ask of the registry: picking nodes, and judging how they behaved.

use crate::{BalanceOf, Config, Event, Nodes, Operators, Pallet, LOG_TARGET};
use frame_support::traits::Get;
use sp_runtime::traits::Saturating;
use tensornet_protocol::{Bonded, Conduct, Draw, Eras, Hash, Nodes as NodesT, Requirements, Slash};

impl<T: Config> NodesT for Pallet<T> {
	type AccountId = T::AccountId;
	type Balance = BalanceOf<T>;

	fn draw(
		requirements: &Requirements<Self::Balance>,
		seed: Hash,
		exclude: Option<&Self::AccountId>,
	) -> Draw<Self::AccountId, Self::Balance> {
		Self::do_draw(requirements, seed, exclude)
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
		if conduct != Conduct::Released {
			node.decay(T::Eras::current());
		}
		let before = node.reputation;
		let slash = match conduct {
			Conduct::Released => Slash::default(),
			Conduct::Completed => {
				node.reward();
				// A settled job is a sign of life too.
				node.heartbeat_at = frame_system::Pallet::<T>::block_number();
				Slash::default()
			}
			// Whoever was silent before anybody relied on a result loses little, and alone: nothing was
			// proven that its delegators could have foreseen, and nothing is worth an appeal.
			Conduct::Silent => {
				node.punish_silence();
				let due = T::SilentSlash::get().mul_ceil(node.bond);
				Self::slash_at_once(stash, &mut node, due, conduct)
			}
			Conduct::Withheld => {
				node.punish_silence();
				let lost = before.saturating_sub(node.reputation);
				let due = T::SilentSlash::get().mul_ceil(node.bond).max(collateral);
				// Silence is seen by everybody: nobody is paid for saying so. The requester least of all:
				// one that never serves its inputs would live on the bonds of honest nodes.
				Self::decide_slash(stash, &mut node, due, conduct, lost, None, None)
			}
			Conduct::Fraud => {
				node.punish_fraud();
				Self::deposit_event(Event::NodeJailed { stash: stash.clone() });
				let due = T::FraudSlash::get().mul_ceil(node.held()).max(collateral);
				Self::decide_slash(
					stash,
					&mut node,
					due,
					conduct,
					before,
					reporter,
					Some(requester),
				)
			}
		};
		let punished = !matches!(conduct, Conduct::Completed | Conduct::Released);
		let weak = node.bond < Self::least_bond(&node.capability);
		if punished && (conduct == Conduct::Fraud || weak) {
			Self::go_offline(stash, &mut node);
		}
		Nodes::<T>::insert(stash, node);
		slash
	}
}
