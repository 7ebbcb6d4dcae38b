// SPDX-License-Identifier: Apache-2.0

//! Who waits to have its part of the fees passed on. Being in the queue costs a job nothing but the
//! page that all others of its block write too.

use crate::{pallet::*, QueueEnds, WeightInfo};
use alloc::vec;
use frame_support::{weights::WeightMeter, BoundedVec};
use sp_runtime::traits::One;
use tensornet_protocol::MAX_DEGREES;

impl<T: Config> Pallet<T> {
	/// Adds a contributor at the end. The caller notes in its record that it is there.
	pub(crate) fn enqueue(who: &T::AccountId) {
		let mut ends = QueueBounds::<T>::get();
		let full = Queue::<T>::mutate(ends.last, |page| page.try_push(who.clone()).is_err());
		if full {
			ends.last = ends.last.wrapping_add(One::one());
			QueueBounds::<T>::put(ends);
			Queue::<T>::mutate(ends.last, |page| {
				*page = BoundedVec::truncate_from(vec![who.clone()]);
			});
		}
	}

	/// Passes on what waits for the ancestors of those at the front of the queue: at most a page of
	/// them, as far as `meter` allows.
	pub(crate) fn serve_queue(meter: &mut WeightMeter) {
		if meter.try_consume(T::WeightInfo::queue_base()).is_err() {
			return;
		}
		let QueueEnds { first, last } = QueueBounds::<T>::get();
		let mut page = Queue::<T>::get(first);
		let mut served = 0_usize;
		for who in &page {
			if !meter.can_consume(T::WeightInfo::pass_on(MAX_DEGREES)) {
				break;
			}
			let ancestors = Self::do_pass_on(who).unwrap_or_default();
			meter.consume(T::WeightInfo::pass_on(ancestors));
			Self::leave_queue(who);
			served = served.saturating_add(1);
		}
		let complete = served >= page.len();
		if served > 0 {
			if complete {
				Queue::<T>::remove(first);
			} else {
				let mut place = 0_usize;
				page.retain(|_| {
					place = place.saturating_add(1);
					place > served
				});
				Queue::<T>::insert(first, page);
			}
		}
		if complete && first != last {
			QueueBounds::<T>::put(QueueEnds { first: first.wrapping_add(One::one()), last });
		}
	}

	/// Notes that a contributor is in the queue no more.
	fn leave_queue(who: &T::AccountId) {
		let mut record = Self::record_of(who);
		record.queued = false;
		Self::store(who, record);
	}
}
