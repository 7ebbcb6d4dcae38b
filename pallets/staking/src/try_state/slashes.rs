// SPDX-License-Identifier: Apache-2.0

//! What must always hold of decided slashes.

use crate::{BalanceOf, Config, Nodes, Pallet, PendingSlashes, SlashAgenda, SlashesDue};
use frame_support::ensure;
use sp_runtime::{
	traits::{Saturating, Zero},
	TryRuntimeError,
};
use tensornet_protocol::Conduct;

impl<T: Config> Pallet<T> {
	/// Checks the invariants of decided slashes:
	///
	/// - a node knows how many it has, how many of them are for fraud, and what is set aside for them;
	/// - they are due in the order of their decisions, one a block;
	/// - the agenda has each of them and nothing else, and none before the block it looks at next;
	/// - the parts of one are at most the whole, and delegators keep at most everything.
	pub(super) fn check_slashes() -> Result<(), TryRuntimeError> {
		let mut count = 0u32;
		for (stash, node) in Nodes::<T>::iter() {
			let queue = PendingSlashes::<T>::get(&stash);
			let frauds = queue.iter().filter(|slash| slash.conduct == Conduct::Fraud).count();
			let aside = queue
				.iter()
				.fold(BalanceOf::<T>::zero(), |sum, slash| sum.saturating_add(slash.taken.total()));
			ensure!(
				(node.pending as usize, node.pending_frauds as usize) == (queue.len(), frauds),
				"a node miscounts its decided slashes"
			);
			ensure!(node.aside == aside, "what is set aside is not what decided slashes take");
		}
		let next = SlashesDue::<T>::get().map(|due| due.next);
		for (stash, queue) in PendingSlashes::<T>::iter() {
			ensure!(Nodes::<T>::contains_key(&stash), "a slash is decided for no node");
			ensure!(!queue.is_empty(), "an empty queue of slashes is kept");
			let pairs = queue.iter().zip(queue.iter().skip(1));
			for (before, after) in pairs {
				ensure!(
					before.due < after.due && before.decided <= after.decided,
					"slashes are not due in the order of their decisions"
				);
			}
			for slash in queue {
				count = count.saturating_add(1);
				ensure!(
					SlashAgenda::<T>::contains_key(slash.due, &stash),
					"a decided slash is not on the agenda"
				);
				ensure!(
					next.is_some_and(|next| next <= slash.due),
					"the agenda of slashes looks past one"
				);
				let plan = slash.plan();
				ensure!(
					plan.to_reporter.saturating_add(plan.to_requester) <= plan.total,
					"the parts of a decided slash are more than the whole"
				);
				ensure!(slash.left <= slash.of, "a slash leaves more than there is");
			}
		}
		ensure!(
			SlashAgenda::<T>::iter_keys().count() == count as usize,
			"the agenda has a slash that is not decided"
		);
		ensure!(
			SlashesDue::<T>::get().map_or(0, |due| due.count) == count,
			"decided slashes are miscounted"
		);
		Ok(())
	}
}
