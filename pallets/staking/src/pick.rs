// SPDX-License-Identifier: Apache-2.0

//! Choosing a node for a job: at random, weighted by stake, reputation and availability, in a bounded
//! number of storage reads.

use crate::{
	BalanceOf, Config, NodeOf, Nodes, Online, OnlineCount, Pallet, FULL_AVAILABILITY,
	FULL_REPUTATION, MAX_PENDING, PICK_ATTEMPTS,
};
use alloc::vec::Vec;
use frame_support::traits::Get;
use frame_system::pallet_prelude::BlockNumberFor;
use sp_runtime::{
	traits::{BlakeTwo256, Hash as HashT, SaturatedConversion, Saturating, Zero},
	Perbill, Permill,
};
use tensornet_protocol::{Candidate, Compliance, Draw, EraIndex, Eras, Hash, Requirements, Role};

/// An eligible node and its weight.
struct Weighted<T: Config> {
	candidate: Candidate<T::AccountId, BalanceOf<T>>,
	weight: u128,
}

/// What is the same for every node that a pick looks at.
struct Moment<T: Config> {
	block: BlockNumberFor<T>,
	era: EraIndex,
	heartbeat_period: BlockNumberFor<T>,
}

impl<T: Config> Moment<T> {
	fn now() -> Self {
		Self {
			block: frame_system::Pallet::<T>::block_number(),
			era: T::Eras::current(),
			heartbeat_period: T::HeartbeatPeriod::get(),
		}
	}
}

impl<T: Config> Pallet<T> {
	pub(crate) fn do_draw(
		requirements: &Requirements<BalanceOf<T>>,
		seed: Hash,
		exclude: Option<&T::AccountId>,
	) -> Draw<T::AccountId, BalanceOf<T>> {
		let count = OnlineCount::<T>::get();
		let mut draw = Draw { candidate: None, looked_at: 0, checked: 0 };
		draw.candidate = if count <= PICK_ATTEMPTS {
			Self::pick_among_all(count, requirements, seed, exclude, &mut draw)
		} else {
			Self::pick_by_draws(count, requirements, seed, exclude, &mut draw)
		};
		draw
	}

	/// Weighs every online node: few enough to read them all, which makes the odds exact and misses
	/// no eligible node. One that turns out not to comply is left out and the draw repeated among the
	/// others, which gives the same odds as leaving it out before.
	fn pick_among_all(
		count: u32,
		requirements: &Requirements<BalanceOf<T>>,
		seed: Hash,
		exclude: Option<&T::AccountId>,
		draw: &mut Draw<T::AccountId, BalanceOf<T>>,
	) -> Option<Candidate<T::AccountId, BalanceOf<T>>> {
		let moment = Moment::now();
		let mut eligible: Vec<_> = (0..count)
			.filter_map(|position| {
				Self::eligible_at(position, &moment, requirements, exclude, draw)
			})
			.collect();
		for round in 0..count {
			let total = eligible.iter().fold(0u128, |sum, one| sum.saturating_add(one.weight));
			let [high, low] = random(seed, round).map(u128::from);
			let mut ticket = ((high << 64) | low).checked_rem(total)?;
			let drawn = eligible.iter().position(|one| match ticket.checked_sub(one.weight) {
				Some(left) => {
					ticket = left;
					false
				}
				None => true,
			})?;
			let candidate = eligible.swap_remove(drawn).candidate;
			if Self::complies(&candidate.node, requirements, draw) {
				return Some(candidate);
			}
		}
		None
	}

	/// Rejection sampling: a uniform draw is accepted with the odds of its weight over the greatest
	/// weight there can be. Where no draw is accepted, the heaviest eligible node drawn. Whether a node
	/// complies is asked last, because that reads more than its record.
	fn pick_by_draws(
		count: u32,
		requirements: &Requirements<BalanceOf<T>>,
		seed: Hash,
		exclude: Option<&T::AccountId>,
		draw: &mut Draw<T::AccountId, BalanceOf<T>>,
	) -> Option<Candidate<T::AccountId, BalanceOf<T>>> {
		let greatest = T::MaxWeightBond::get().saturated_into::<u128>().max(1);
		let moment = Moment::now();
		let mut refused: Vec<Weighted<T>> = Vec::new();
		for attempt in 0..PICK_ATTEMPTS {
			let [place, ticket] = random(seed, attempt);
			// The bias of the remainder is below 2^-32.
			let position = place.checked_rem(u64::from(count))?.saturated_into::<u32>();
			let ticket = (ticket % 1_000_000_000).saturated_into::<u32>();
			let Some(drawn) = Self::eligible_at(position, &moment, requirements, exclude, draw)
			else {
				continue;
			};
			if ticket >= Perbill::from_rational(drawn.weight, greatest).deconstruct() {
				refused.push(drawn);
			} else if Self::complies(&drawn.candidate.node, requirements, draw) {
				return Some(drawn.candidate);
			}
		}
		// Of equal ones the first that was drawn.
		refused.sort_by_key(|one| core::cmp::Reverse(one.weight));
		refused
			.into_iter()
			.find(|one| Self::complies(&one.candidate.node, requirements, draw))
			.map(|best| best.candidate)
	}

	/// The online node at `position`, if its record meets the requirements.
	fn eligible_at(
		position: u32,
		moment: &Moment<T>,
		requirements: &Requirements<BalanceOf<T>>,
		exclude: Option<&T::AccountId>,
		draw: &mut Draw<T::AccountId, BalanceOf<T>>,
	) -> Option<Weighted<T>> {
		draw.looked_at = draw.looked_at.saturating_add(1);
		let stash = Online::<T>::get(position).filter(|stash| exclude != Some(stash))?;
		let node = Nodes::<T>::get(&stash)?;
		let fits = node.ask <= requirements.max_ask
			&& node.capability.memory_mib >= requirements.memory_mib
			&& node.active_jobs < T::MaxJobsPerNode::get()
			&& node.active_jobs.saturating_add(node.pending) < MAX_PENDING
			&& node.is_present(moment.block, moment.heartbeat_period)
			&& node.bond >= Self::least_bond(&node.capability)
			&& node.free_bond() >= requirements.collateral;
		if !fits {
			return None;
		}
		let weight = Self::weight_of(&node, moment.era);
		Some(Weighted { candidate: Candidate { node: stash, ask: node.ask }, weight })
	}

	/// Whether a node may have business at all, and has the level that is asked for. One that was
	/// sanctioned, or whose attestation expired, stays online and gets nothing.
	fn complies(
		stash: &T::AccountId,
		requirements: &Requirements<BalanceOf<T>>,
		draw: &mut Draw<T::AccountId, BalanceOf<T>>,
	) -> bool {
		draw.checked = draw.checked.saturating_add(1);
		T::Compliance::admits(stash, Role::Node)
			&& (requirements.compliance_level.is_zero()
				|| T::Compliance::level(stash) >= requirements.compliance_level)
	}

	/// The weight of a node in a pick: its bond and what backs it, as far as they count, scaled by its
	/// reputation and its availability. At least 1, so that a node without reputation can win some back
	/// where nobody else is there.
	pub(crate) fn weight_of(node: &NodeOf<T>, era: EraIndex) -> u128 {
		let stake = node
			.bond
			.saturating_add(Self::counted_backing(node.bond, node.backing))
			.min(T::MaxWeightBond::get())
			.saturated_into::<u128>();
		let reputation = Permill::from_parts(node.reputation_in(era).min(FULL_REPUTATION));
		let availability = Permill::from_parts(node.availability.min(FULL_AVAILABILITY));
		availability.mul_floor(reputation.mul_floor(stake)).max(1)
	}

	/// What of its backing counts for a node with a bond of `own`.
	pub(crate) fn counted_backing(own: BalanceOf<T>, backing: BalanceOf<T>) -> BalanceOf<T> {
		backing.min(own.saturating_mul(T::MaxBacking::get().into()))
	}
}

/// Two independent uniform values that depend on the seed and the counter only.
fn random(seed: Hash, counter: u32) -> [u64; 2] {
	let hash = BlakeTwo256::hash_of(&(seed, counter));
	let mut chunks = hash.as_bytes().chunks_exact(8);
	core::array::from_fn(|_| {
		chunks.next().and_then(|chunk| chunk.try_into().ok()).map_or(0, u64::from_le_bytes)
	})
}
