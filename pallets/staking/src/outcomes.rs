// SPDX-License-Identifier: Apache-2.0

//! What the calls report: events and errors.

use frame_support::pallet_macros::pallet_section;

/// A part of the pallet's module.
#[pallet_section]
mod outcomes {
	#[pallet::event]
	#[pallet::generate_deposit(pub(crate) fn deposit_event)]
	pub enum Event<T: Config> {
		/// A node was registered, and is offline.
		#[codec(index = 0)]
		NodeRegistered {
			/// The node.
			stash: T::AccountId,
			/// Its operator key.
			operator: T::AccountId,
			/// Its price for each 10^9 multiply-accumulates.
			ask: BalanceOf<T>,
			/// What it has at stake.
			bond: BalanceOf<T>,
		},
		/// A node offers something else.
		#[codec(index = 1)]
		NodeUpdated {
			/// The node.
			stash: T::AccountId,
			/// Its price for each 10^9 multiply-accumulates.
			ask: BalanceOf<T>,
			/// What it can run.
			capability: Capability,
			/// Where it serves outputs and traces.
			endpoint: Endpoint,
		},
		/// A node works with another operator key.
		#[codec(index = 2)]
		OperatorRotated {
			/// The node.
			stash: T::AccountId,
			/// The key that worked for it.
			old: T::AccountId,
			/// The key that works for it now.
			new: T::AccountId,
		},
		/// A node can be picked for jobs.
		#[codec(index = 3)]
		NodeOnline {
			/// The node.
			stash: T::AccountId,
		},
		/// A node is not picked any more. The jobs it has stay with it.
		#[codec(index = 4)]
		NodeOffline {
			/// The node.
			stash: T::AccountId,
		},
		/// A node raised its bond.
		#[codec(index = 5)]
		Bonded {
			/// The node.
			stash: T::AccountId,
			/// By how much.
			amount: BalanceOf<T>,
			/// Its bond now.
			bond: BalanceOf<T>,
		},
		/// A part of a bond began to unbond.
		#[codec(index = 6)]
		Unbonded {
			/// The node.
			stash: T::AccountId,
			/// How much.
			amount: BalanceOf<T>,
			/// The first block in which it may be withdrawn.
			unlock_at: BlockNumberFor<T>,
		},
		/// Unbonded funds are free again.
		#[codec(index = 7)]
		Withdrawn {
			/// The node.
			stash: T::AccountId,
			/// How much.
			amount: BalanceOf<T>,
		},
		/// A node left: its whole bond unbonds and its operator key is free.
		#[codec(index = 8)]
		NodeDeregistered {
			/// The node.
			stash: T::AccountId,
		},
		/// Nothing is held for a deregistered node any more and its record is gone.
		#[codec(index = 9)]
		NodeRemoved {
			/// The node.
			stash: T::AccountId,
		},
		/// A slash took a part of a node's own stake.
		#[codec(index = 10)]
		NodeSlashed {
			/// The node.
			stash: T::AccountId,
			/// What for.
			conduct: Conduct,
			/// What was taken and where it went.
			slash: Slash<BalanceOf<T>>,
		},
		/// A node was proven to lie and stays offline until its stash brings it back.
		#[codec(index = 11)]
		NodeJailed {
			/// The node.
			stash: T::AccountId,
		},
		/// An account backs a node with more of its stake.
		#[codec(index = 12)]
		Delegated {
			/// The node.
			node: T::AccountId,
			/// The account.
			delegator: T::AccountId,
			/// How much more.
			amount: BalanceOf<T>,
		},
		/// A part of a delegation began to unbond.
		#[codec(index = 13)]
		Undelegated {
			/// The node.
			node: T::AccountId,
			/// Whose delegation.
			delegator: T::AccountId,
			/// How much, unless a slash reaches it.
			amount: BalanceOf<T>,
			/// The first block in which it may be withdrawn.
			unlock_at: BlockNumberFor<T>,
		},
		/// Undelegated funds are free again.
		#[codec(index = 14)]
		UndelegatedWithdrawn {
			/// The node.
			node: T::AccountId,
			/// Whose funds.
			delegator: T::AccountId,
			/// How much.
			amount: BalanceOf<T>,
		},
		/// A delegation moved to another node.
		#[codec(index = 15)]
		Redelegated {
			/// The node that it backed.
			from: T::AccountId,
			/// The node that it backs now.
			to: T::AccountId,
			/// Whose delegation.
			delegator: T::AccountId,
			/// How much.
			amount: BalanceOf<T>,
			/// The last block for whose decisions about the old node it answers.
			liable_until: BlockNumberFor<T>,
		},
		/// What slashes took of a delegation was burned from its hold.
		#[codec(index = 16)]
		DelegationSlashed {
			/// The node that it backs.
			node: T::AccountId,
			/// Whose delegation.
			delegator: T::AccountId,
			/// How much.
			amount: BalanceOf<T>,
		},
		/// A slash took a part of what a node's delegators have at stake. It is burned when each of
		/// them is settled next.
		#[codec(index = 17)]
		DelegatorsSlashed {
			/// The node.
			node: T::AccountId,
			/// How much all of them lost.
			amount: BalanceOf<T>,
		},
		/// A node keeps another part of its delegators' rewards.
		#[codec(index = 18)]
		CommissionSet {
			/// The node.
			stash: T::AccountId,
			/// That part.
			commission: Permill,
		},
		/// What a node earned in an era was minted.
		#[codec(index = 19)]
		RewardsClaimed {
			/// The node.
			node: T::AccountId,
			/// The era.
			era: EraIndex,
			/// To its stash.
			to_stash: BalanceOf<T>,
			/// To the pot, for its delegators.
			to_delegators: BalanceOf<T>,
		},
		/// A delegator collected what it earned.
		#[codec(index = 20)]
		DelegationRewardPaid {
			/// The node.
			node: T::AccountId,
			/// The delegator.
			delegator: T::AccountId,
			/// How much.
			amount: BalanceOf<T>,
		},
		/// A slash was decided. The node's own part is set aside.
		#[codec(index = 21)]
		SlashDecided {
			/// The node.
			stash: T::AccountId,
			/// The number of the slash.
			id: u32,
			/// What for.
			conduct: Conduct,
			/// What it will take of the node's own stake and where that is meant to go.
			slash: Slash<BalanceOf<T>>,
			/// The block from which on it is carried out, unless it is cancelled before.
			due: BlockNumberFor<T>,
		},
		/// A decided slash was cancelled and its effects undone.
		#[codec(index = 22)]
		SlashCancelled {
			/// The node.
			stash: T::AccountId,
			/// The number of the slash.
			id: u32,
			/// What was set aside and is the node's again.
			restored: BalanceOf<T>,
		},
		/// A node came out of jail.
		#[codec(index = 23)]
		NodeRejoined {
			/// The node.
			stash: T::AccountId,
		},
		/// Another account gives signs of life for a node, or none but its own keys.
		#[codec(index = 24)]
		MonitorSet {
			/// The node.
			stash: T::AccountId,
			/// That account.
			monitor: Option<T::AccountId>,
		},
	}

	#[pallet::error]
	pub enum Error<T> {
		/// The caller is no node's stash: register a node first, or sign with the stash.
		#[codec(index = 0)]
		NotRegistered,
		/// The stash has a node: use another account, or deregister that node first.
		#[codec(index = 1)]
		AlreadyRegistered,
		/// The operator key works for a node already: name another key.
		#[codec(index = 2)]
		OperatorTaken,
		/// The bond would be below the minimum of what the node offers: bond more, offer less, or
		/// deregister to take all of it out.
		#[codec(index = 3)]
		BondTooSmall,
		/// An amount of zero: name one above it.
		#[codec(index = 4)]
		ZeroAmount,
		/// Too much unbonds at once: withdraw what is unlocked, or wait until something is.
		#[codec(index = 5)]
		TooManyChunks,
		/// Nothing is unlocked yet: wait for the block that the unbonding event named.
		#[codec(index = 6)]
		NothingUnlocked,
		/// The node has jobs: pause it and wait until they end.
		#[codec(index = 7)]
		HasJobs,
		/// The node was deregistered: register it again, or withdraw its bond.
		#[codec(index = 8)]
		Leaving,
		/// The node was jailed for a lie: its stash has to bring it online.
		#[codec(index = 9)]
		Jailed,
		/// No field to change: name at least one.
		#[codec(index = 10)]
		NothingToUpdate,
		/// The account may not offer nodes: it is sanctioned, or lacks the attested level of the role.
		#[codec(index = 11)]
		NotAdmitted,
		/// No node has this stash: look it up in the registry.
		#[codec(index = 12)]
		UnknownNode,
		/// Nothing of the account is delegated to the node: name the node that it backs.
		#[codec(index = 13)]
		NotDelegated,
		/// The delegation would be below the minimum: delegate more, or take all of it out.
		#[codec(index = 14)]
		DelegationTooSmall,
		/// The stake came from another node and still answers for it: wait until the block that the
		/// redelegation event named.
		#[codec(index = 15)]
		StillLiable,
		/// Too much of the delegation answers for other nodes: wait until some of it does no more.
		#[codec(index = 16)]
		TooManyLiabilities,
		/// The node has a decided slash: wait until it is carried out or cancelled.
		#[codec(index = 17)]
		SlashPending,
		/// Both nodes are the same: name another one to move to.
		#[codec(index = 18)]
		SameNode,
		/// The node earned something in an earlier era: claim that first, in the order of eras.
		#[codec(index = 19)]
		UnclaimedRewards,
		/// There is nothing to claim: no job of the node settled in the era, or all was paid.
		#[codec(index = 20)]
		NothingToClaim,
		/// The era is not over: claim when it is.
		#[codec(index = 21)]
		EraNotEnded,
		/// The era was claimed for the node: each is claimed once.
		#[codec(index = 22)]
		AlreadyClaimed,
		/// The era ended too long ago: claim within the history that the chain keeps.
		#[codec(index = 23)]
		ClaimLapsed,
		/// The commission is above what any node may keep: name a lower one.
		#[codec(index = 24)]
		CommissionTooHigh,
		/// The commission rises too fast: raise it by less, or again in the next era.
		#[codec(index = 25)]
		CommissionRaisedTooFast,
		/// The time in jail is not over: wait for the block that the node's record names.
		#[codec(index = 26)]
		StillJailed,
		/// No slash of that number is decided for the node: it was carried out or cancelled.
		#[codec(index = 27)]
		UnknownSlash,
		/// The slash is not due: wait for the block that its decision named.
		#[codec(index = 28)]
		NotDue,
		/// The caller speaks for no such node: sign with its stash, operator or monitor.
		#[codec(index = 29)]
		NotYours,
	}
}
