// SPDX-License-Identifier: Apache-2.0

//! Slashes: decided at once, carried out after a delay in which they can be cancelled.
//!
//! A decision sets the node's own part aside: it stays on hold and backs nothing. Its delegators' part
//! stays in the pool, which takes nobody new and pays nobody out as long as the node has a decided slash.

use crate::{
	BalanceOf, Config, DueSlashes, Error, Event, HoldReason, NextSlashId, NodeOf, Nodes, Pallet,
	PendingSlash, PendingSlashOf, PendingSlashes, Pools, SlashAgenda, SlashesDue, Standing,
	WeightInfo, FULL_REPUTATION, LOG_TARGET, MAX_PENDING,
};
use frame_support::{
	ensure,
	pallet_prelude::DispatchResult,
	storage::with_storage_layer,
	traits::{
		fungible::MutateHold,
		tokens::{Fortitude, Precision, Restriction},
		Get,
	},
	weights::WeightMeter,
};
use frame_system::pallet_prelude::BlockNumberFor;
use sp_runtime::traits::{One, SaturatedConversion, Saturating, Zero};
use tensornet_protocol::{Bonded, BurnCause, Conduct, Slash, TokenPolicy};

/// How many blocks of the agenda one block looks through: after a gap it catches up this much faster
/// than the chain grows.
pub const MAX_BLOCKS_PER_DRAIN: u32 = 32;

/// A part in parts per million: the denominator of a slash whose node has nothing of its own left.
const WHOLE: u32 = 1_000_000;

/// Who gets a part of a slash, and how much.
type Payee<T> = Option<(<T as frame_system::Config>::AccountId, BalanceOf<T>)>;

impl<T: Config> Pallet<T> {
	/// Takes `due` of the node's own stake at once and burns it. The caller writes `node` back.
	pub(crate) fn slash_at_once(
		stash: &T::AccountId,
		node: &mut NodeOf<T>,
		due: BalanceOf<T>,
		conduct: Conduct,
	) -> Slash<BalanceOf<T>> {
		let taken = node.take(due).total();
		let slash = Self::collect(stash, taken, None, None);
		if !slash.total.is_zero() {
			Self::deposit_event(Event::NodeSlashed { stash: stash.clone(), conduct, slash });
		}
		slash
	}

	/// Decides a slash of `due` of the node's own stake, and of the same share of its delegators'.
	/// Returns what it takes of the former. The caller writes `node` back.
	pub(crate) fn decide_slash(
		stash: &T::AccountId,
		node: &mut NodeOf<T>,
		due: BalanceOf<T>,
		conduct: Conduct,
		reputation: u32,
		reporter: Option<&T::AccountId>,
		requester: Option<&T::AccountId>,
	) -> Slash<BalanceOf<T>> {
		let now = frame_system::Pallet::<T>::block_number();
		let before = node.held();
		let (left, of) = if !before.is_zero() {
			(before.saturating_sub(due), before)
		} else {
			// The node has nothing left to measure by.
			let lost =
				if conduct == Conduct::Fraud { T::FraudSlash::get().deconstruct() } else { 0 };
			(WHOLE.saturating_sub(lost).into(), WHOLE.into())
		};
		let taken = node.take(due);
		if taken.total().is_zero() && left >= of {
			return Slash::default();
		}
		node.aside = node.aside.saturating_add(taken.total());
		// A node that reports itself, or whose own job failed, must not win back what it lost.
		let outsider = |who: &&T::AccountId| **who != *stash && **who != node.operator;
		let total = taken.total();
		let reporter = reporter
			.filter(outsider)
			.map(|who| (who.clone(), T::SlashToReporter::get().mul_floor(total)));
		let rest = total.saturating_sub(amount_of::<T>(&reporter));
		let requester = requester
			.filter(outsider)
			.map(|who| (who.clone(), T::SlashToRequester::get().mul_floor(total).min(rest)));

		let mut queue = PendingSlashes::<T>::get(stash);
		// Slashes of one node are carried out in the order of their decisions, whatever became of the
		// delay meanwhile.
		let earliest = now.saturating_add(T::SlashDelay::get());
		let due_at =
			queue.last().map_or(earliest, |last| earliest.max(last.due.saturating_add(One::one())));
		let id = NextSlashId::<T>::mutate(|next| {
			let id = *next;
			*next = next.saturating_add(1);
			id
		});
		let slash = PendingSlash {
			id,
			conduct,
			decided: now,
			due: due_at,
			taken,
			left,
			of,
			reporter,
			requester,
			reputation,
		};
		if due_at <= now {
			return Self::carry_out(stash, node, slash);
		}
		let plan = slash.plan();
		if queue.try_push(slash.clone()).is_err() {
			log::error!(target: LOG_TARGET, "{stash:?} has more slashes than jobs: not deferred");
			return Self::carry_out(stash, node, slash);
		}
		PendingSlashes::<T>::insert(stash, queue);
		SlashAgenda::<T>::insert(due_at, stash, ());
		SlashesDue::<T>::mutate(|due| {
			let next = due.map_or(due_at, |known| known.next.min(due_at));
			let count = due.map_or(0, |known| known.count).saturating_add(1);
			*due = Some(DueSlashes { count, next });
		});
		node.pending = node.pending.saturating_add(1);
		if conduct == Conduct::Fraud {
			node.pending_frauds = node.pending_frauds.saturating_add(1);
		}
		Self::deposit_event(Event::SlashDecided {
			stash: stash.clone(),
			id,
			conduct,
			slash: plan,
			due: due_at,
		});
		plan
	}

	pub(crate) fn do_enact_slash(stash: &T::AccountId) -> DispatchResult {
		let now = frame_system::Pallet::<T>::block_number();
		let mut queue = PendingSlashes::<T>::get(stash);
		let first = queue.first().ok_or(Error::<T>::UnknownSlash)?;
		ensure!(first.due <= now, Error::<T>::NotDue);
		let slash = queue.remove(0);
		let mut node = Nodes::<T>::get(stash).ok_or(Error::<T>::NotRegistered)?;
		Self::forget_pending(stash, &mut node, &slash, queue);
		Self::carry_out(stash, &mut node, slash);
		Self::keep_or_remove(stash.clone(), node);
		Ok(())
	}

	pub(crate) fn do_cancel_slash(stash: &T::AccountId, id: u32) -> DispatchResult {
		let mut queue = PendingSlashes::<T>::get(stash);
		let place =
			queue.iter().position(|slash| slash.id == id).ok_or(Error::<T>::UnknownSlash)?;
		let slash = queue.remove(place);
		let mut node = Nodes::<T>::get(stash).ok_or(Error::<T>::NotRegistered)?;
		Self::forget_pending(stash, &mut node, &slash, queue);
		let restored = slash.taken.total();
		node.aside = node.aside.saturating_sub(restored);
		node.give_back(slash.taken);
		node.reputation = node.reputation.saturating_add(slash.reputation).min(FULL_REPUTATION);
		node.failed = node.failed.saturating_sub(1);
		// It comes out of jail unless another lie, decided or carried out, keeps it there.
		let innocent = node.pending_frauds.is_zero() && node.jailed_until.is_zero();
		if node.standing == Standing::Jailed && innocent {
			node.standing = Standing::Active;
		}
		Self::keep_or_remove(stash.clone(), node);
		Self::deposit_event(Event::SlashCancelled { stash: stash.clone(), id, restored });
		Ok(())
	}

	/// Takes a slash out of the queue and the agenda.
	fn forget_pending(
		stash: &T::AccountId,
		node: &mut NodeOf<T>,
		slash: &PendingSlashOf<T>,
		queue: frame_support::BoundedVec<
			PendingSlashOf<T>,
			frame_support::traits::ConstU32<MAX_PENDING>,
		>,
	) {
		if queue.is_empty() {
			PendingSlashes::<T>::remove(stash);
		} else {
			PendingSlashes::<T>::insert(stash, queue);
		}
		SlashAgenda::<T>::remove(slash.due, stash);
		SlashesDue::<T>::mutate(|due| {
			*due = due
				.map(|known| DueSlashes { count: known.count.saturating_sub(1), ..known })
				.filter(|known| known.count > 0);
		});
		node.pending = node.pending.saturating_sub(1);
		if slash.conduct == Conduct::Fraud {
			node.pending_frauds = node.pending_frauds.saturating_sub(1);
		}
	}

	/// Divides what was set aside and slashes the pool. The caller writes `node` back.
	fn carry_out(
		stash: &T::AccountId,
		node: &mut NodeOf<T>,
		pending: PendingSlashOf<T>,
	) -> Slash<BalanceOf<T>> {
		let conduct = pending.conduct;
		let total = pending.taken.total();
		node.aside = node.aside.saturating_sub(total);
		let slash = Self::collect(stash, total, pending.reporter, pending.requester);
		if conduct == Conduct::Fraud {
			let until = pending.decided.saturating_add(T::JailPeriod::get()).max(One::one());
			node.jailed_until = node.jailed_until.max(until);
		}
		if !slash.total.is_zero() {
			Self::deposit_event(Event::NodeSlashed { stash: stash.clone(), conduct, slash });
		}
		let slashes_delegators = pending.left < pending.of;
		if let Some(mut pool) = Pools::<T>::get(stash).filter(|_| slashes_delegators) {
			let left = pending.left.saturated_into::<u128>();
			let of = pending.of.saturated_into::<u128>();
			let lost = pool.slash(left, of, pending.decided);
			node.backing = pool.backing().saturated_into();
			Pools::<T>::insert(stash, pool);
			if lost > 0 {
				let amount = lost.saturated_into();
				Self::deposit_event(Event::DelegatorsSlashed { node: stash.clone(), amount });
			}
		}
		slash
	}

	/// Pays and burns `total` of what is held of the node's own stake. A part whose payee cannot
	/// receive it is burned.
	fn collect(
		stash: &T::AccountId,
		total: BalanceOf<T>,
		reporter: Payee<T>,
		requester: Payee<T>,
	) -> Slash<BalanceOf<T>> {
		let pay = |payee: Payee<T>| {
			payee.map_or_else(Zero::zero, |(who, part)| Self::pay_from_bond(stash, &who, part))
		};
		let (to_reporter, to_requester) = (pay(reporter), pay(requester));
		let left = total.saturating_sub(to_reporter).saturating_sub(to_requester);
		let burned = Self::burn_hold(HoldReason::Bond, stash, left);
		let total = to_reporter.saturating_add(to_requester).saturating_add(burned);
		Slash { total, burned, to_reporter, to_requester }
	}

	/// Burns held funds and writes that into the burn ledger. Returns how much.
	pub(crate) fn burn_hold(
		reason: HoldReason,
		who: &T::AccountId,
		amount: BalanceOf<T>,
	) -> BalanceOf<T> {
		if amount.is_zero() {
			return amount;
		}
		let burned = T::Currency::burn_held(
			&reason.into(),
			who,
			amount,
			Precision::BestEffort,
			Fortitude::Force,
		)
		.unwrap_or_else(|error| {
			log::error!(target: LOG_TARGET, "cannot burn the stake of {who:?}: {error:?}");
			Zero::zero()
		});
		T::Token::burned(BurnCause::Slash, burned);
		burned
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

	/// Carries out the slashes that are due, as far as `meter` allows. What is left waits for the next
	/// block, or for [`Pallet::enact_slash`].
	pub(crate) fn enact_due(now: BlockNumberFor<T>, meter: &mut WeightMeter) {
		if meter.try_consume(T::WeightInfo::slashes_base()).is_err() {
			return;
		}
		let Some(due) = SlashesDue::<T>::get().filter(|due| due.next <= now) else { return };
		let mut next = due.next;
		for _ in 0..MAX_BLOCKS_PER_DRAIN {
			if next > now || meter.try_consume(T::WeightInfo::slashes_block()).is_err() {
				break;
			}
			if !Self::enact_block(next, meter) {
				break;
			}
			next.saturating_inc();
		}
		SlashesDue::<T>::mutate(|due| {
			if let Some(due) = due.as_mut() {
				due.next = next;
			}
		});
	}

	/// Carries out what the agenda has for one block. Returns whether that was all.
	fn enact_block(at: BlockNumberFor<T>, meter: &mut WeightMeter) -> bool {
		let mut due = alloc::vec::Vec::new();
		let mut keys = SlashAgenda::<T>::iter_key_prefix(at);
		let complete = loop {
			if !meter.can_consume(T::WeightInfo::enact_slash()) {
				break false;
			}
			let Some(stash) = keys.next() else { break true };
			meter.consume(T::WeightInfo::enact_slash());
			due.push(stash);
		};
		for stash in due {
			if let Err(error) = Self::do_enact_slash(&stash) {
				log::error!(target: LOG_TARGET, "cannot slash {stash:?}: {error:?}");
				SlashAgenda::<T>::remove(at, &stash);
			}
		}
		complete
	}
}

fn amount_of<T: Config>(payee: &Payee<T>) -> BalanceOf<T> {
	payee.as_ref().map_or_else(Zero::zero, |(_, amount)| *amount)
}
