// SPDX-License-Identifier: Apache-2.0

//! How accounts back nodes with their stake: joining, leaving, moving, and finding out what slashes
//! left.
//!
//! A record is brought up to date whenever it is touched: what it earned is credited, what slashes took
//! of it is burned from its hold. Until then a slash shows in the pool alone.

use crate::{
	BalanceOf, Config, Delegation, DelegationOf, Delegations, Error, Event, HoldReason, Joined,
	JoinedIn, Joining, JoiningShares, Liability, NodeOf, Nodes, Pallet, PendingSlashes, PoolOf,
	Pools, Standing, LOG_TARGET, MAX_CHUNKS,
};
use frame_support::{
	ensure,
	pallet_prelude::DispatchResult,
	traits::{
		fungible::{InspectHold, Mutate, MutateHold},
		tokens::{Fortitude, Precision, Preservation},
		Get,
	},
};
use frame_system::pallet_prelude::BlockNumberFor;
use sp_runtime::{
	traits::{CheckedAdd, SaturatedConversion, Saturating, Zero},
	ArithmeticError, DispatchError,
};
use tensornet_protocol::{
	BurnCause, Compliance, Emission, EraIndex, Eras, Lineage, RewardReason, Role, TokenPolicy,
};

impl<T: Config> Pallet<T> {
	pub(crate) fn do_delegate(
		who: T::AccountId,
		node: T::AccountId,
		amount: BalanceOf<T>,
	) -> DispatchResult {
		ensure!(!amount.is_zero(), Error::<T>::ZeroAmount);
		Self::ensure_open(&who, &node)?;
		let (mut pool, mut delegation) = Self::entered(&node, &who)?;
		T::Currency::hold(&HoldReason::Delegation.into(), &who, amount)?;
		Self::join(&mut pool, &mut delegation, amount)?;
		Self::store(&node, &who, pool, delegation);
		Self::tell_lineage(&who);
		Self::deposit_event(Event::Delegated { node, delegator: who, amount });
		Ok(())
	}

	pub(crate) fn do_undelegate(
		who: T::AccountId,
		node: T::AccountId,
		amount: BalanceOf<T>,
	) -> DispatchResult {
		ensure!(!amount.is_zero(), Error::<T>::ZeroAmount);
		let (mut pool, mut delegation) = Self::settled(&node, &who)?;
		let (shares, amount) = Self::part(&pool, &delegation, amount)?;
		Self::cut(&mut pool, &mut delegation, shares);
		let now: BlockNumberFor<T> = frame_system::Pallet::<T>::block_number();
		let unlock_at = now.saturating_add(T::UnbondingPeriod::get());
		// One place stays free, so that a delegator can always leave with everything.
		let places = match delegation.delegated() {
			0 => MAX_CHUNKS,
			_ => MAX_CHUNKS.saturating_sub(1),
		};
		ensure!(delegation.push_chunk(shares, unlock_at, places), Error::<T>::TooManyChunks);
		pool.unbonding = pool.unbonding.saturating_add(shares);
		Self::store(&node, &who, pool, delegation);
		Self::deposit_event(Event::Undelegated { node, delegator: who, amount, unlock_at });
		Ok(())
	}

	pub(crate) fn do_withdraw_undelegated(who: T::AccountId, node: T::AccountId) -> DispatchResult {
		ensure!(Self::pending_slashes(&node) == 0, Error::<T>::SlashPending);
		let (mut pool, mut delegation) = Self::settled(&node, &who)?;
		let now = frame_system::Pallet::<T>::block_number();
		let (mut shares, mut worth) = (0u128, 0u128);
		delegation.unbonding.retain(|chunk| {
			let locked = chunk.unlock_at > now;
			if !locked {
				shares = shares.saturating_add(chunk.shares);
				worth = worth.saturating_add(pool.mark.worth(chunk.shares));
			}
			locked
		});
		ensure!(shares > 0, Error::<T>::NothingUnlocked);
		pool.unbonding = pool.unbonding.saturating_sub(shares);
		let amount = worth.saturated_into::<BalanceOf<T>>().min(delegation.held);
		T::Currency::release(&HoldReason::Delegation.into(), &who, amount, Precision::BestEffort)?;
		delegation.held = delegation.held.saturating_sub(amount);
		Self::store(&node, &who, pool, delegation);
		Self::tell_lineage(&who);
		Self::deposit_event(Event::UndelegatedWithdrawn { node, delegator: who, amount });
		Ok(())
	}

	pub(crate) fn do_redelegate(
		who: T::AccountId,
		from: T::AccountId,
		to: T::AccountId,
		amount: BalanceOf<T>,
	) -> DispatchResult {
		ensure!(!amount.is_zero(), Error::<T>::ZeroAmount);
		ensure!(from != to, Error::<T>::SameNode);
		Self::ensure_open(&who, &to)?;
		ensure!(Self::pending_slashes(&from) == 0, Error::<T>::SlashPending);

		let (mut old_pool, mut old) = Self::settled(&from, &who)?;
		let (shares, amount) = Self::part(&old_pool, &old, amount)?;
		Self::cut(&mut old_pool, &mut old, shares);
		let amount = amount.min(old.held);
		old.held = old.held.saturating_sub(amount);
		old_pool.liable = old_pool.liable.saturating_add(1);
		let mark = old_pool.mark;
		Self::store(&from, &who, old_pool, old);

		let (mut pool, mut delegation) = Self::entered(&to, &who)?;
		let shares = Self::join(&mut pool, &mut delegation, amount)?;
		let now: BlockNumberFor<T> = frame_system::Pallet::<T>::block_number();
		let until = now.saturating_add(T::UnbondingPeriod::get());
		let liability = Liability { from: from.clone(), mark, shares, until };
		delegation.liabilities.try_push(liability).map_err(|_| Error::<T>::TooManyLiabilities)?;
		Self::store(&to, &who, pool, delegation);
		Self::deposit_event(Event::Redelegated {
			from,
			to,
			delegator: who,
			amount,
			liable_until: until,
		});
		Ok(())
	}

	pub(crate) fn do_settle(node: &T::AccountId, who: &T::AccountId) -> DispatchResult {
		let (pool, delegation) = Self::settled(node, who)?;
		Self::store(node, who, pool, delegation);
		Ok(())
	}

	pub(crate) fn do_claim_delegation(who: T::AccountId, node: T::AccountId) -> DispatchResult {
		let (mut pool, mut delegation) = Self::settled(&node, &who)?;
		let amount = core::mem::take(&mut delegation.owed);
		ensure!(!amount.is_zero(), Error::<T>::NothingToClaim);
		T::Currency::transfer(&Self::pot(), &who, amount, Preservation::Preserve)?;
		pool.owed = pool.owed.saturating_sub(amount);
		T::Emission::note(&who, amount, RewardReason::Delegation);
		Self::store(&node, &who, pool, delegation);
		Self::deposit_event(Event::DelegationRewardPaid { node, delegator: who, amount });
		Ok(())
	}
}

impl<T: Config> Pallet<T> {
	/// Whether `who` may back `node` with new stake.
	fn ensure_open(who: &T::AccountId, node: &T::AccountId) -> DispatchResult {
		ensure!(T::Compliance::admits(who, Role::Delegator), Error::<T>::NotAdmitted);
		let record = Nodes::<T>::get(node).ok_or(Error::<T>::UnknownNode)?;
		match record.standing {
			Standing::Active => {}
			Standing::Jailed => return Err(Error::<T>::Jailed.into()),
			Standing::Leaving => return Err(Error::<T>::Leaving.into()),
		}
		ensure!(record.pending.is_zero(), Error::<T>::SlashPending);
		Ok(())
	}

	/// Slashes of a node that are decided and not carried out.
	pub(crate) fn pending_slashes(node: &T::AccountId) -> usize {
		PendingSlashes::<T>::decode_len(node).unwrap_or_default()
	}

	/// The pool of a node and the record of one of its delegators, up to date.
	pub(crate) fn settled(
		node: &T::AccountId,
		who: &T::AccountId,
	) -> Result<(PoolOf<T>, DelegationOf<T>), DispatchError> {
		let mut delegation = Delegations::<T>::get(node, who).ok_or(Error::<T>::NotDelegated)?;
		let mut pool = Pools::<T>::get(node).unwrap_or_default();
		Self::update(node, who, &mut pool, &mut delegation);
		Ok((pool, delegation))
	}

	/// The same for one who joins: possibly new, and with nothing of an earlier era still joining.
	fn entered(
		node: &T::AccountId,
		who: &T::AccountId,
	) -> Result<(PoolOf<T>, DelegationOf<T>), DispatchError> {
		let era = T::Eras::current();
		let mut pool = Pools::<T>::get(node).unwrap_or_default();
		// What earlier eras earned must be shared before somebody comes who has no part in it.
		ensure!(Self::is_claimed_up_to(node, era), Error::<T>::UnclaimedRewards);
		Self::resolve_joining(node, &mut pool, era);
		let delegation = match Delegations::<T>::get(node, who) {
			Some(mut known) => {
				Self::update(node, who, &mut pool, &mut known);
				known
			}
			None => {
				pool.delegators = pool.delegators.saturating_add(1);
				Delegation::new(&pool)
			}
		};
		Ok((pool, delegation))
	}

	/// Fixes from where on those earn who joined before `era`: nothing is shared any more that they
	/// have no part in.
	pub(crate) fn resolve_joining(node: &T::AccountId, pool: &mut PoolOf<T>, era: EraIndex) {
		let Some(joining) = pool.joining.filter(|joining| joining.era < era) else { return };
		pool.joining = None;
		pool.active = pool.active.saturating_add(joining.shares);
		pool.distributed_to = Some(joining.era);
		let joined = Joined { reward_index: pool.reward_index, delegators: joining.delegators };
		JoinedIn::<T>::insert(node, joining.era, joined);
	}

	/// Adds `amount`, which is on hold. Returns its shares.
	fn join(
		pool: &mut PoolOf<T>,
		delegation: &mut DelegationOf<T>,
		amount: BalanceOf<T>,
	) -> Result<u128, DispatchError> {
		let era = T::Eras::current();
		let shares = pool.mark.shares(amount.saturated_into());
		let before = delegation.joining.map_or(0, |joining| joining.shares);
		let new = u32::from(delegation.joining.is_none());
		delegation.joining = Some(JoiningShares { era, shares: before.saturating_add(shares) });
		let joining = pool.joining.unwrap_or(Joining { era, shares: 0, delegators: 0 });
		pool.joining = Some(Joining {
			era,
			shares: joining.shares.saturating_add(shares),
			delegators: joining.delegators.saturating_add(new),
		});
		delegation.held = delegation.held.checked_add(&amount).ok_or(ArithmeticError::Overflow)?;
		let worth = pool.mark.worth(delegation.delegated());
		ensure!(worth >= T::MinDelegation::get().saturated_into(), Error::<T>::DelegationTooSmall);
		Ok(shares)
	}

	/// The shares that are worth `amount`, or all of them where that is more, and what they are worth.
	/// They must not answer for another node, and what stays must be the minimum or nothing.
	fn part(
		pool: &PoolOf<T>,
		delegation: &DelegationOf<T>,
		amount: BalanceOf<T>,
	) -> Result<(u128, BalanceOf<T>), DispatchError> {
		let all = delegation.delegated();
		ensure!(all > 0, Error::<T>::NotDelegated);
		let wanted = amount.saturated_into::<u128>();
		let shares =
			if wanted >= pool.mark.worth(all) { all } else { pool.mark.shares(wanted).min(all) };
		let left = all.saturating_sub(shares);
		ensure!(left >= delegation.liable(), Error::<T>::StillLiable);
		ensure!(
			left == 0 || pool.mark.worth(left) >= T::MinDelegation::get().saturated_into(),
			Error::<T>::DelegationTooSmall
		);
		Ok((shares, pool.mark.worth(shares).saturated_into()))
	}

	/// Removes delegated shares: first those that do not earn yet.
	fn cut(pool: &mut PoolOf<T>, delegation: &mut DelegationOf<T>, shares: u128) {
		let mut left = shares;
		if let Some(mut mine) = delegation.joining {
			let taken = left.min(mine.shares);
			mine.shares = mine.shares.saturating_sub(taken);
			left = left.saturating_sub(taken);
			let gone = mine.shares == 0;
			delegation.joining = Some(mine).filter(|_| !gone);
			if let Some(joining) = pool.joining.as_mut() {
				joining.shares = joining.shares.saturating_sub(taken);
				joining.delegators = joining.delegators.saturating_sub(gone.into());
			}
			pool.joining = pool.joining.filter(|joining| joining.delegators > 0);
		}
		delegation.active = delegation.active.saturating_sub(left);
		pool.active = pool.active.saturating_sub(left);
	}

	/// Brings a record up to date: credits what it earned, moves it to the pool's epoch, makes it
	/// answer for the nodes it left, and burns what slashes took.
	fn update(
		node: &T::AccountId,
		who: &T::AccountId,
		pool: &mut PoolOf<T>,
		delegation: &mut DelegationOf<T>,
	) {
		let epoch = delegation.epoch;
		let mut earned = pool.earned(epoch, delegation.active, delegation.reward_index);
		delegation.reward_index = pool.reward_index;
		if let Some(joining) = delegation.joining {
			if let Some(joined) = JoinedIn::<T>::get(node, joining.era) {
				let late = pool.earned(epoch, joining.shares, joined.reward_index);
				earned = earned.saturating_add(late);
				delegation.active = delegation.active.saturating_add(joining.shares);
				delegation.joining = None;
				let left = joined.delegators.saturating_sub(1);
				if left == 0 {
					JoinedIn::<T>::remove(node, joining.era);
				} else {
					let joined = Joined { delegators: left, ..joined };
					JoinedIn::<T>::insert(node, joining.era, joined);
				}
			}
		}
		delegation.owed = delegation.owed.saturating_add(earned.saturated_into());
		delegation.enter_epoch(pool.mark.epoch);
		if delegation.joining.is_some_and(|joining| joining.shares == 0) {
			// A slash of everything left nothing that could join.
			Self::cut(pool, delegation, 0);
		}
		Self::answer(pool, delegation);
		Self::burn_excess(node, who, pool, delegation);
	}

	/// Takes from the shares that came from other nodes what slashes of those left them.
	fn answer(pool: &mut PoolOf<T>, delegation: &mut DelegationOf<T>) {
		let now = frame_system::Pallet::<T>::block_number();
		let mut kept = frame_support::BoundedVec::new();
		for mut liability in core::mem::take(&mut delegation.liabilities) {
			let Some(mut other) = Pools::<T>::get(&liability.from) else { continue };
			let mark = other.mark_at(liability.until);
			let left = mark.left_since(liability.mark, liability.shares);
			Self::cut(pool, delegation, liability.shares.saturating_sub(left));
			liability.mark = mark;
			liability.shares = left;
			// A slash that was decided in its time may still be carried out.
			let over = now > liability.until && Self::pending_slashes(&liability.from) == 0;
			if over || left == 0 {
				other.liable = other.liable.saturating_sub(1);
				Self::store_pool(&liability.from, other);
			} else {
				let _ = kept.try_push(liability);
			}
		}
		delegation.liabilities = kept;
	}

	/// Burns what is on hold above what the shares are worth.
	fn burn_excess(
		node: &T::AccountId,
		who: &T::AccountId,
		pool: &PoolOf<T>,
		delegation: &mut DelegationOf<T>,
	) {
		let worth = delegation.worth(&pool.mark).saturated_into();
		let lost = delegation.held.saturating_sub(worth);
		if lost.is_zero() {
			return;
		}
		let amount = Self::burn_hold(HoldReason::Delegation, who, lost);
		delegation.held = delegation.held.saturating_sub(amount);
		Self::deposit_event(Event::DelegationSlashed {
			node: node.clone(),
			delegator: who.clone(),
			amount,
		});
	}

	/// Writes a record and its pool back, or removes what is empty, and tells the node what backs it.
	pub(crate) fn store(
		node: &T::AccountId,
		who: &T::AccountId,
		mut pool: PoolOf<T>,
		mut delegation: DelegationOf<T>,
	) {
		Self::burn_excess(node, who, &pool, &mut delegation);
		if delegation.is_empty() {
			Delegations::<T>::remove(node, who);
			pool.delegators = pool.delegators.saturating_sub(1);
		} else {
			Delegations::<T>::insert(node, who, delegation);
		}
		if pool.delegators == 0 {
			// What rounding left of shares is nobody's.
			(pool.active, pool.joining, pool.unbonding) = (0, None, 0);
		}
		Nodes::<T>::mutate_extant(node, |record: &mut NodeOf<T>| {
			record.backing = pool.backing().saturated_into();
		});
		Self::store_pool(node, pool);
	}

	/// Writes a pool back, or removes it where nobody needs it. What rounding left of its rewards is
	/// burned then.
	fn store_pool(node: &T::AccountId, pool: PoolOf<T>) {
		if !pool.is_idle() {
			Pools::<T>::insert(node, pool);
			return;
		}
		Pools::<T>::remove(node);
		if pool.owed.is_zero() {
			return;
		}
		let burned = T::Currency::burn_from(
			&Self::pot(),
			pool.owed,
			Preservation::Preserve,
			Precision::BestEffort,
			Fortitude::Force,
		)
		.unwrap_or_else(|error| {
			log::error!(target: LOG_TARGET, "cannot burn what is left of a pool: {error:?}");
			Zero::zero()
		});
		T::Token::burned(BurnCause::Dust, burned);
	}

	/// Tells the consensus chain what the account backs nodes with.
	fn tell_lineage(who: &T::AccountId) {
		let stake = T::Currency::balance_on_hold(&HoldReason::Delegation.into(), who);
		T::Lineage::stake_delegated(who, stake);
	}

	/// What a delegation is worth, without what unbonds, and what it earned; both as they would be if
	/// it were settled now, but for slashes of nodes that it left.
	pub(crate) fn look_at(node: &T::AccountId, who: &T::AccountId) -> (BalanceOf<T>, BalanceOf<T>) {
		let (Some(mut delegation), Some(pool)) =
			(Delegations::<T>::get(node, who), Pools::<T>::get(node))
		else {
			return (Zero::zero(), Zero::zero());
		};
		let mut earned = pool.earned(delegation.epoch, delegation.active, delegation.reward_index);
		let joined = delegation.joining.and_then(|joining| {
			JoinedIn::<T>::get(node, joining.era).map(|joined| (joining.shares, joined))
		});
		if let Some((shares, joined)) = joined {
			let late = pool.earned(delegation.epoch, shares, joined.reward_index);
			earned = earned.saturating_add(late);
		}
		delegation.enter_epoch(pool.mark.epoch);
		let worth: BalanceOf<T> = pool.mark.worth(delegation.delegated()).saturated_into();
		let owed = delegation.owed.saturating_add(earned.saturated_into());
		(worth.min(delegation.held), owed)
	}

	/// What backs a node.
	pub(crate) fn backing_of(node: &T::AccountId) -> BalanceOf<T> {
		Pools::<T>::get(node).map_or(0, |pool| pool.backing()).saturated_into()
	}
}
