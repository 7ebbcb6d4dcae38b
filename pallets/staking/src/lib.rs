// SPDX-License-Identifier: Apache-2.0

//! # Compute staking
//!
//! The registry of GPU nodes: what each offers, what it has at stake, and how it has behaved.
//!
//! ## Overview
//!
//! A node is named by its **stash**, the account that owns the bond and signs everything about money.
//! A separate **operator** key, which may equal the stash, does the node's work and can be replaced at
//! any time, so that a lost hot key costs nothing.
//!
//! - A node is registered offline with a bond of at least [`Config::MinBond`]; its stash or its
//!   operator brings it online with [`Pallet::set_online`] and pauses it the same way.
//! - The pallet implements [`Nodes`](tensornet_protocol::Nodes): [`pick`](tensornet_protocol::Nodes::pick)
//!   chooses an online node that meets a job's needs, at random, weighted by bond and reputation, with
//!   at most [`PICK_ATTEMPTS`] nodes read however many there are.
//! - A completed job raises the node's reputation. Silence lowers it and costs a small slash; a proven
//!   lie takes it all, costs a large slash that reaches unbonding funds, and jails the node until its
//!   stash brings it back.
//! - A bond leaves in chunks that unlock after [`Config::UnbondingPeriod`]. It may fall below the
//!   minimum only by [`Pallet::deregister_node`], which needs the node to be without jobs. The record
//!   is removed with the last withdrawal.
//!
//! A slash is divided between its reporter, the requester of the job and the burn ledger; a part whose
//! payee is missing, cannot receive it or is the node itself is burned.
//!
//! ## Low-level notes
//!
//! - [`Online`] is a dense list: a node that leaves is replaced by the last one, so one random index is
//!   one node.
//! - Up to [`PICK_ATTEMPTS`] online nodes the pick weighs all of them and its odds are exact. Above that
//!   it draws nodes and accepts each with the odds of its weight over [`Config::MaxWeightBond`], which
//!   gives the same odds; where no draw is accepted the heaviest eligible one drawn is taken.
//! - A slashed node whose bond is below the minimum is taken offline: it would never be picked.

#![cfg_attr(not(feature = "std"), no_std)]

extern crate alloc;

#[cfg(feature = "runtime-benchmarks")]
mod benchmarking;
mod bonding;
mod conduct;
#[cfg(test)]
mod mock;
mod pick;
mod registry;
#[cfg(test)]
mod tests;
#[cfg(any(feature = "try-runtime", test))]
mod try_state;
pub mod types;
pub mod weights;

pub use pallet::*;
pub use types::*;
pub use weights::WeightInfo;

use frame_support::traits::fungible::Inspect;
use frame_system::pallet_prelude::BlockNumberFor;

/// Amount of TNA.
pub type BalanceOf<T> =
	<<T as Config>::Currency as Inspect<<T as frame_system::Config>::AccountId>>::Balance;
/// A node's record.
pub type NodeOf<T> = Node<<T as frame_system::Config>::AccountId, BalanceOf<T>, BlockNumberFor<T>>;

const LOG_TARGET: &str = "runtime::compute-staking";

#[frame_support::pallet]
pub mod pallet {
	use super::{BalanceOf, NodeOf, WeightInfo};
	use frame_support::{pallet_prelude::*, traits::fungible};
	use frame_system::pallet_prelude::*;
	use sp_runtime::Permill;
	use tensornet_protocol::{Capability, Compliance, Conduct, Endpoint, Slash, TokenPolicy};

	const STORAGE_VERSION: StorageVersion = StorageVersion::new(1);

	#[pallet::pallet]
	#[pallet::storage_version(STORAGE_VERSION)]
	pub struct Pallet<T>(_);

	#[pallet::config]
	pub trait Config: frame_system::Config {
		/// The token.
		type Currency: fungible::Mutate<Self::AccountId>
			+ fungible::MutateHold<Self::AccountId, Reason = Self::RuntimeHoldReason>;

		/// The runtime's hold reasons.
		type RuntimeHoldReason: From<HoldReason>;

		/// Where burned slashes are written down.
		type Token: TokenPolicy<AccountId = Self::AccountId, Balance = BalanceOf<Self>>;

		/// Who may enter business as a node, and what is attested of it.
		type Compliance: Compliance<AccountId = Self::AccountId>;

		/// The least bond of a node that is registered or online. At least the existential deposit.
		type MinBond: Get<BalanceOf<Self>>;

		/// The bond above which more stake adds no weight in a pick. At least [`Config::MinBond`].
		type MaxWeightBond: Get<BalanceOf<Self>>;

		/// Blocks for which unbonding funds stay slashable. Longer than any challenge window.
		#[pallet::constant]
		type UnbondingPeriod: Get<BlockNumberFor<Self>>;

		/// The most jobs a node has at once.
		#[pallet::constant]
		type MaxJobsPerNode: Get<u32>;

		/// What silence costs, as a share of the bond.
		type SilentSlash: Get<Permill>;

		/// What a lie costs, as a share of the bond and of everything that unbonds.
		type FraudSlash: Get<Permill>;

		/// The part of a slash for fraud that goes to whoever proved it.
		type SlashToReporter: Get<Permill>;

		/// The part of a slash for fraud that goes to the requester of the job. What both leave is
		/// burned; silence pays nobody.
		type SlashToRequester: Get<Permill>;

		/// Weights of the calls.
		type WeightInfo: WeightInfo;
	}

	/// Why the pallet holds funds.
	#[pallet::composite_enum]
	pub enum HoldReason {
		/// The bond of a GPU node, unbonding parts included.
		#[codec(index = 0)]
		Bond,
	}

	/// Every node, by its stash.
	#[pallet::storage]
	pub type Nodes<T: Config> = StorageMap<_, Blake2_128Concat, T::AccountId, NodeOf<T>>;

	/// The stash that an operator key works for.
	#[pallet::storage]
	pub type Operators<T: Config> = StorageMap<_, Blake2_128Concat, T::AccountId, T::AccountId>;

	/// The online nodes, at 0 up to [`OnlineCount`] without a gap.
	#[pallet::storage]
	pub type Online<T: Config> = StorageMap<_, Twox64Concat, u32, T::AccountId>;

	/// How many nodes are online.
	#[pallet::storage]
	pub type OnlineCount<T: Config> = StorageValue<_, u32, ValueQuery>;

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
		/// A node was slashed.
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
		/// The bond would be below the minimum: bond more, or deregister to take all of it out.
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
	}

	#[pallet::hooks]
	impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
		fn integrity_test() {
			assert!(T::MaxJobsPerNode::get() > 0, "a node must be able to have a job");
			assert!(
				T::UnbondingPeriod::get() > 0u32.into(),
				"a bond must stay slashable for a while"
			);
		}

		#[cfg(feature = "try-runtime")]
		fn try_state(_: BlockNumberFor<T>) -> Result<(), sp_runtime::TryRuntimeError> {
			Self::do_try_state()
		}
	}

	#[pallet::call]
	impl<T: Config> Pallet<T> {
		/// Registers the caller as the stash of a node, offline, and holds `bond`. A stash whose
		/// earlier node is leaving registers anew with the reputation it had.
		///
		/// Who: any signed account without a node.
		///
		/// Errors: [`Error::NotAdmitted`], [`Error::BondTooSmall`], [`Error::OperatorTaken`],
		/// [`Error::AlreadyRegistered`]; the currency's own where the bond cannot be held.
		///
		/// Event: [`Event::NodeRegistered`].
		#[pallet::call_index(0)]
		#[pallet::weight(T::WeightInfo::register_node(endpoint.len() as u32))]
		pub fn register_node(
			origin: OriginFor<T>,
			operator: T::AccountId,
			ask: BalanceOf<T>,
			capability: Capability,
			endpoint: Endpoint,
			bond: BalanceOf<T>,
		) -> DispatchResult {
			let stash = ensure_signed(origin)?;
			Self::do_register_node(stash, operator, ask, capability, endpoint, bond)
		}

		/// Holds `amount` more of the caller's tokens as the bond of its node.
		///
		/// Who: the stash.
		///
		/// Errors: [`Error::ZeroAmount`], [`Error::NotRegistered`], [`Error::Leaving`]; the currency's
		/// own where the amount cannot be held.
		///
		/// Event: [`Event::Bonded`].
		#[pallet::call_index(1)]
		#[pallet::weight(T::WeightInfo::bond_more())]
		pub fn bond_more(origin: OriginFor<T>, amount: BalanceOf<T>) -> DispatchResult {
			let stash = ensure_signed(origin)?;
			Self::do_bond_more(stash, amount)
		}

		/// Starts to unbond `amount`. It stays slashable until it is withdrawn. The bond must stay at
		/// the minimum: to take out everything, deregister.
		///
		/// Who: the stash.
		///
		/// Errors: [`Error::ZeroAmount`], [`Error::NotRegistered`], [`Error::Leaving`],
		/// [`Error::BondTooSmall`], [`Error::TooManyChunks`].
		///
		/// Event: [`Event::Unbonded`].
		#[pallet::call_index(2)]
		#[pallet::weight(T::WeightInfo::unbond())]
		pub fn unbond(origin: OriginFor<T>, amount: BalanceOf<T>) -> DispatchResult {
			let stash = ensure_signed(origin)?;
			Self::do_unbond(stash, amount)
		}

		/// Frees everything that is unlocked. With the last of a deregistered node's bond its record
		/// goes too.
		///
		/// Who: the stash.
		///
		/// Errors: [`Error::NotRegistered`], [`Error::NothingUnlocked`].
		///
		/// Events: [`Event::Withdrawn`], [`Event::NodeRemoved`].
		#[pallet::call_index(3)]
		#[pallet::weight(T::WeightInfo::withdraw_unbonded())]
		pub fn withdraw_unbonded(origin: OriginFor<T>) -> DispatchResult {
			let stash = ensure_signed(origin)?;
			Self::do_withdraw_unbonded(stash)
		}

		/// Changes what the node offers. `None` leaves a field as it is. Jobs already assigned keep
		/// the price they were assigned at.
		///
		/// Who: the stash.
		///
		/// Errors: [`Error::NothingToUpdate`], [`Error::NotRegistered`], [`Error::Leaving`].
		///
		/// Event: [`Event::NodeUpdated`].
		#[pallet::call_index(4)]
		#[pallet::weight(T::WeightInfo::update_node(
			endpoint.as_ref().map_or(0, |url| url.len() as u32)
		))]
		pub fn update_node(
			origin: OriginFor<T>,
			ask: Option<BalanceOf<T>>,
			endpoint: Option<Endpoint>,
			capability: Option<Capability>,
		) -> DispatchResult {
			let stash = ensure_signed(origin)?;
			Self::do_update_node(stash, ask, endpoint, capability)
		}

		/// Replaces the operator key. The old one can do nothing for the node from here on.
		///
		/// Who: the stash.
		///
		/// Errors: [`Error::NotRegistered`], [`Error::Leaving`], [`Error::OperatorTaken`].
		///
		/// Event: [`Event::OperatorRotated`].
		#[pallet::call_index(5)]
		#[pallet::weight(T::WeightInfo::rotate_operator())]
		pub fn rotate_operator(origin: OriginFor<T>, operator: T::AccountId) -> DispatchResult {
			let stash = ensure_signed(origin)?;
			Self::do_rotate_operator(stash, operator)
		}

		/// Offers the node for jobs, or pauses it; the jobs it has stay with it. Does nothing where
		/// the node is so already.
		///
		/// Who: the stash or the operator. An account that is both a stash and another node's operator
		/// acts for its own node. Only the stash brings a jailed node back.
		///
		/// Errors: [`Error::NotRegistered`], [`Error::Leaving`], [`Error::Jailed`],
		/// [`Error::BondTooSmall`].
		///
		/// Events: [`Event::NodeOnline`] or [`Event::NodeOffline`].
		#[pallet::call_index(6)]
		#[pallet::weight(T::WeightInfo::set_online())]
		pub fn set_online(origin: OriginFor<T>, online: bool) -> DispatchResult {
			let caller = ensure_signed(origin)?;
			Self::do_set_online(caller, online)
		}

		/// Ends the node: it goes offline, its operator key is free and its whole bond unbonds.
		///
		/// Who: the stash of a node without jobs.
		///
		/// Errors: [`Error::NotRegistered`], [`Error::Leaving`], [`Error::HasJobs`].
		///
		/// Events: [`Event::NodeDeregistered`], with [`Event::Unbonded`], or with
		/// [`Event::NodeRemoved`] where slashes left nothing to unbond.
		#[pallet::call_index(7)]
		#[pallet::weight(T::WeightInfo::deregister_node())]
		pub fn deregister_node(origin: OriginFor<T>) -> DispatchResult {
			let stash = ensure_signed(origin)?;
			Self::do_deregister_node(stash)
		}
	}
}
