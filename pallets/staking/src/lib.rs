// SPDX-License-Identifier: Apache-2.0

//! # Compute staking
//!
//! The registry of GPU nodes: what each offers, who has what at stake with it, how it has behaved, and
//! what it earns.
//!
//! ## Overview
//!
//! A node is named by its **stash**, the account that owns the bond and signs everything about money.
//! A separate **operator** key, which may equal the stash, does the node's work and can be replaced at
//! any time, so that a lost hot key costs nothing. A **monitor**, which may serve many nodes, can give
//! signs of life for it and nothing else.
//!
//! - A node is registered offline with at least the bond that its capability asks for; its stash or its
//!   operator brings it online with [`Pallet::set_online`]. Pausing it the same way drains it: it keeps
//!   the jobs it has and is given no new ones.
//! - The pallet implements [`Nodes`](tensornet_protocol::Nodes): [`pick`](tensornet_protocol::Nodes::pick)
//!   chooses an online node that meets a job's needs, at random, weighted by stake, reputation and
//!   availability, with at most [`PICK_ATTEMPTS`] nodes read however many there are.
//! - Any admitted account may back a node with [`Pallet::delegate`]. The stake stays on hold in the
//!   delegator's own account, where it can vote. It counts in picks up to [`Config::MaxBacking`] times
//!   the node's own bond, and never as collateral of a job.
//! - Each era a node shares in the budget of [`Emission`](tensornet_protocol::Emission) by what its
//!   settled jobs burned, and its delegators share in that, less its commission: see `rewards.rs`.
//! - A completed job raises the node's reputation, which wears off from era to era. Silence lowers it and
//!   costs a small slash; a proven lie takes it all, costs a large slash that reaches unbonding funds and
//!   delegators, and jails the node.
//! - Large slashes are decided at once and carried out after [`Config::SlashDelay`], in which
//!   [`Config::AppealOrigin`] may cancel them: see `slashing.rs`.
//! - A bond leaves in chunks that unlock after [`Config::UnbondingPeriod`], and so does a delegation. A
//!   bond may fall below the minimum only by [`Pallet::deregister_node`], which needs the node to be
//!   without jobs. The record is removed with the last withdrawal.
//!
//! A slash of a node's own stake is divided between its reporter, the requester of the job and the burn
//! ledger; a part whose payee is missing, cannot receive it or is the node itself is burned. Delegators'
//! part is burned.
//!
//! ## Low-level notes
//!
//! - [`Online`] is a dense list: a node that leaves is replaced by the last one, so one random index is
//!   one node.
//! - Up to [`PICK_ATTEMPTS`] online nodes the pick weighs all of them and its odds are exact. Above that
//!   it draws nodes and accepts each with the odds of its weight over [`Config::MaxWeightBond`], which
//!   gives the same odds; where no draw is accepted the heaviest eligible one drawn is taken.
//! - A slashed node whose bond is below the minimum is taken offline: it would never be picked.
//! - However many delegators a node has, every call reads and writes a bounded number of records: see
//!   [`Pool`].
//! - Everything rounds against who claims: a delegator finds at most its share of what a slash left and
//!   at most its share of what was minted. What remains in the pot when a pool ends is burned.

#![cfg_attr(not(feature = "std"), no_std)]

extern crate alloc;

#[cfg(feature = "runtime-benchmarks")]
mod benchmarking;
mod bonding;
mod conduct;
mod delegating;
pub mod delegation;
#[cfg(test)]
mod mock;
mod outcomes;
mod pick;
pub mod pool;
mod presence;
mod registry;
mod rewards;
mod slashing;
#[cfg(test)]
mod tests;
// Native code has it too: the fuzzer of the runtime asks every pallet without the SDK's own checks.
#[cfg(any(feature = "std", feature = "try-runtime"))]
mod try_state;
pub mod types;
pub mod weights;

pub use delegation::*;
pub use pallet::*;
pub use pool::*;
pub use types::*;
pub use weights::WeightInfo;

use frame_support::{pallet_macros::import_section, traits::fungible::Inspect};
use frame_system::pallet_prelude::BlockNumberFor;

/// Amount of TNA.
pub type BalanceOf<T> =
	<<T as Config>::Currency as Inspect<<T as frame_system::Config>::AccountId>>::Balance;
/// A node's record.
pub type NodeOf<T> = Node<<T as frame_system::Config>::AccountId, BalanceOf<T>, BlockNumberFor<T>>;
/// The delegators of a node.
pub type PoolOf<T> = Pool<BalanceOf<T>, BlockNumberFor<T>>;
/// What one account delegated to one node.
pub type DelegationOf<T> =
	Delegation<<T as frame_system::Config>::AccountId, BalanceOf<T>, BlockNumberFor<T>>;
/// A slash that was decided and can still be cancelled.
pub type PendingSlashOf<T> =
	PendingSlash<<T as frame_system::Config>::AccountId, BalanceOf<T>, BlockNumberFor<T>>;

/// Sets up for benchmarks what only other pallets can.
#[cfg(feature = "runtime-benchmarks")]
pub trait BenchmarkHelper {
	/// Ends the current era, with a budget for nodes if anything was burned in it.
	fn end_era();
}

const LOG_TARGET: &str = "runtime::compute-staking";

#[import_section(outcomes::outcomes)]
#[frame_support::pallet]
pub mod pallet {
	use super::{
		BalanceOf, DelegationOf, DueSlashes, Joined, NodeOf, PendingSlashOf, PoolOf, WeightInfo,
		Work, MAX_HEARTBEATS, MAX_PENDING,
	};
	use alloc::vec::Vec;
	use frame_support::{pallet_prelude::*, traits::fungible, weights::WeightMeter, PalletId};
	use frame_system::pallet_prelude::*;
	use sp_runtime::{traits::Convert, Permill};
	use tensornet_protocol::{
		Capability, Compliance, Conduct, Emission, Endpoint, EraIndex, Eras, Lineage, Slash,
		TokenPolicy,
	};

	/// 2: what jobs burned by era is the token's count alone (`runtime/src/migrations.rs`).
	const STORAGE_VERSION: StorageVersion = StorageVersion::new(2);

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

		/// The clock of eras.
		type Eras: Eras;

		/// What each era newly mints for nodes and their delegators.
		type Emission: Emission<AccountId = Self::AccountId, Balance = BalanceOf<Self>>;

		/// Who hears what accounts back nodes with.
		type Lineage: Lineage<AccountId = Self::AccountId, Balance = BalanceOf<Self>>;

		/// Who may cancel a decided slash.
		type AppealOrigin: EnsureOrigin<Self::RuntimeOrigin>;

		/// The account that holds delegators' rewards is derived from this. The first claim leaves it
		/// an existential deposit, which it never pays out.
		#[pallet::constant]
		type PotId: Get<PalletId>;

		/// The least bond of a node that is registered or online, whatever it offers. At least the
		/// existential deposit.
		type MinBond: Get<BalanceOf<Self>>;

		/// The least bond of a node by what it offers: its tier. Where this is below
		/// [`Config::MinBond`], that counts.
		type TierBond: Convert<Capability, BalanceOf<Self>>;

		/// The stake above which more adds no weight in a pick. At least [`Config::MinBond`].
		type MaxWeightBond: Get<BalanceOf<Self>>;

		/// How many times a node's own bond its delegators' stake may count, in picks and in rewards.
		#[pallet::constant]
		type MaxBacking: Get<u32>;

		/// The least that an account may delegate to a node.
		type MinDelegation: Get<BalanceOf<Self>>;

		/// The most that a node may keep of its delegators' rewards.
		type MaxCommission: Get<Permill>;

		/// By how much a node that has delegators may raise that in an era.
		type MaxCommissionRaise: Get<Permill>;

		/// For how many eras after its own a reward can be claimed.
		#[pallet::constant]
		type HistoryDepth: Get<EraIndex>;

		/// Blocks for which unbonding funds stay slashable. Longer than any challenge window.
		#[pallet::constant]
		type UnbondingPeriod: Get<BlockNumberFor<Self>>;

		/// Blocks between the decision of a slash and its execution; 0 for at once.
		type SlashDelay: Get<BlockNumberFor<Self>>;

		/// Blocks after the decision of a slash for fraud in which the node stays in jail.
		type JailPeriod: Get<BlockNumberFor<Self>>;

		/// Blocks after which an online node without a sign of life is not picked; 0 to ask for none.
		type HeartbeatPeriod: Get<BlockNumberFor<Self>>;

		/// The most jobs a node has at once.
		#[pallet::constant]
		type MaxJobsPerNode: Get<u32>;

		/// What silence costs, as a share of the bond.
		type SilentSlash: Get<Permill>;

		/// What a lie costs, as a share of the bond and of everything that unbonds. Delegators lose
		/// the same share of theirs.
		type FraudSlash: Get<Permill>;

		/// The part of a slash for fraud that goes to whoever proved it.
		type SlashToReporter: Get<Permill>;

		/// The part of a slash for fraud that goes to the requester of the job. What both leave is
		/// burned; silence pays nobody.
		type SlashToRequester: Get<Permill>;

		/// Sets up what only other pallets can.
		#[cfg(feature = "runtime-benchmarks")]
		type BenchmarkHelper: super::BenchmarkHelper;

		/// Weights of the calls.
		type WeightInfo: WeightInfo;
	}

	/// Why the pallet holds funds.
	#[pallet::composite_enum]
	pub enum HoldReason {
		/// The bond of a GPU node, unbonding parts included.
		#[codec(index = 0)]
		Bond,
		/// What an account delegated to GPU nodes, unbonding parts included.
		#[codec(index = 1)]
		Delegation,
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

	/// The delegators of a node that has any, by its stash.
	#[pallet::storage]
	pub type Pools<T: Config> = StorageMap<_, Blake2_128Concat, T::AccountId, PoolOf<T>>;

	/// What an account (second key) delegated to a node (first key).
	#[pallet::storage]
	pub type Delegations<T: Config> = StorageDoubleMap<
		_,
		Blake2_128Concat,
		T::AccountId,
		Blake2_128Concat,
		T::AccountId,
		DelegationOf<T>,
	>;

	/// From where on those earn who joined a node's pool in an era.
	#[pallet::storage]
	pub type JoinedIn<T: Config> =
		StorageDoubleMap<_, Blake2_128Concat, T::AccountId, Twox64Concat, EraIndex, Joined>;

	/// Slashes of a node that are decided and not carried out, in the order of their decisions.
	#[pallet::storage]
	pub type PendingSlashes<T: Config> = StorageMap<
		_,
		Blake2_128Concat,
		T::AccountId,
		BoundedVec<PendingSlashOf<T>, ConstU32<MAX_PENDING>>,
		ValueQuery,
	>;

	/// The number of the next slash.
	#[pallet::storage]
	pub type NextSlashId<T: Config> = StorageValue<_, u32, ValueQuery>;

	/// Whose slash is carried out from which block on.
	#[pallet::storage]
	pub type SlashAgenda<T: Config> =
		StorageDoubleMap<_, Twox64Concat, BlockNumberFor<T>, Blake2_128Concat, T::AccountId, ()>;

	/// How far the agenda of slashes was worked through; none while it is empty.
	#[pallet::storage]
	pub type SlashesDue<T: Config> = StorageValue<_, DueSlashes<BlockNumberFor<T>>>;

	/// What a node did in an era.
	#[pallet::storage]
	pub type EraBurn<T: Config> = StorageDoubleMap<
		_,
		Twox64Concat,
		EraIndex,
		Blake2_128Concat,
		T::AccountId,
		Work<BalanceOf<T>>,
	>;

	/// The last era in which a node worked.
	#[pallet::storage]
	pub type LastWorked<T: Config> = StorageMap<_, Blake2_128Concat, T::AccountId, EraIndex>;

	/// The oldest era that may still be in [`EraBurn`].
	#[pallet::storage]
	pub type OldestEra<T: Config> = StorageValue<_, EraIndex, ValueQuery>;

	#[pallet::hooks]
	impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
		fn on_idle(now: BlockNumberFor<T>, limit: Weight) -> Weight {
			let mut meter = WeightMeter::with_limit(limit);
			Self::enact_due(now, &mut meter);
			Self::prune_eras(&mut meter);
			meter.consumed()
		}

		fn integrity_test() {
			assert!(T::MaxJobsPerNode::get() > 0, "a node must be able to have a job");
			assert!(
				T::UnbondingPeriod::get() > 0u32.into(),
				"a bond must stay slashable for a while"
			);
			assert!(T::HistoryDepth::get() > 0, "an era must be claimable after its end");
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
		/// Errors: [`Error::NothingToUpdate`], [`Error::NotRegistered`], [`Error::Leaving`],
		/// [`Error::BondTooSmall`].
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

		/// Offers the node for jobs, or pauses it; the jobs it has stay with it, so that pausing drains
		/// it. Does nothing where the node is so already.
		///
		/// Who: the stash or the operator. An account that is both a stash and another node's operator
		/// acts for its own node. Only the stash brings a jailed node back, when its time is over and
		/// its bond is restored.
		///
		/// Errors: [`Error::NotRegistered`], [`Error::Leaving`], [`Error::Jailed`],
		/// [`Error::BondTooSmall`], [`Error::NotAdmitted`], [`Error::SlashPending`],
		/// [`Error::StillJailed`].
		///
		/// Events: [`Event::NodeRejoined`], [`Event::NodeOnline`] or [`Event::NodeOffline`].
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

		/// Backs a node with `amount` more of the caller's tokens. They go on hold in the caller's own
		/// account. They count for the node at once, and earn from the next era on.
		///
		/// Who: any signed account that is admitted as a delegator.
		///
		/// Errors: [`Error::ZeroAmount`], [`Error::NotAdmitted`], [`Error::UnknownNode`],
		/// [`Error::Jailed`], [`Error::Leaving`], [`Error::SlashPending`],
		/// [`Error::UnclaimedRewards`], [`Error::DelegationTooSmall`]; the currency's own where the
		/// amount cannot be held.
		///
		/// Events: [`Event::Delegated`], [`Event::DelegationSlashed`].
		#[pallet::call_index(8)]
		#[pallet::weight(T::WeightInfo::delegate())]
		pub fn delegate(
			origin: OriginFor<T>,
			node: T::AccountId,
			amount: BalanceOf<T>,
		) -> DispatchResult {
			let who = ensure_signed(origin)?;
			Self::do_delegate(who, node, amount)
		}

		/// Starts to take `amount` of a delegation out; all of it where it is worth less. It stays
		/// slashable until it is withdrawn, and earns nothing from here on: not for the running era,
		/// and not for ended ones that were not claimed for the node. Claim those first.
		///
		/// Who: a delegator of the node.
		///
		/// Errors: [`Error::ZeroAmount`], [`Error::NotDelegated`], [`Error::StillLiable`],
		/// [`Error::DelegationTooSmall`], [`Error::TooManyChunks`].
		///
		/// Events: [`Event::Undelegated`], [`Event::DelegationSlashed`].
		#[pallet::call_index(9)]
		#[pallet::weight(T::WeightInfo::undelegate())]
		pub fn undelegate(
			origin: OriginFor<T>,
			node: T::AccountId,
			amount: BalanceOf<T>,
		) -> DispatchResult {
			let who = ensure_signed(origin)?;
			Self::do_undelegate(who, node, amount)
		}

		/// Frees everything undelegated from a node that is unlocked.
		///
		/// Who: a delegator of the node.
		///
		/// Errors: [`Error::SlashPending`], [`Error::NotDelegated`], [`Error::NothingUnlocked`].
		///
		/// Events: [`Event::UndelegatedWithdrawn`], [`Event::DelegationSlashed`].
		#[pallet::call_index(10)]
		#[pallet::weight(T::WeightInfo::withdraw_undelegated())]
		pub fn withdraw_undelegated(origin: OriginFor<T>, node: T::AccountId) -> DispatchResult {
			let who = ensure_signed(origin)?;
			Self::do_withdraw_undelegated(who, node)
		}

		/// Moves `amount` of a delegation to another node at once; all of it where it is worth less.
		/// It answers for slashes of the old node that are decided within the unbonding period, and
		/// until then can neither move on nor be undelegated.
		///
		/// Who: a delegator of `from` that is admitted.
		///
		/// Errors: [`Error::ZeroAmount`], [`Error::SameNode`], [`Error::NotDelegated`],
		/// [`Error::StillLiable`], [`Error::TooManyLiabilities`], and those of [`Pallet::delegate`].
		///
		/// Events: [`Event::Redelegated`], [`Event::DelegationSlashed`].
		#[pallet::call_index(11)]
		#[pallet::weight(T::WeightInfo::redelegate())]
		pub fn redelegate(
			origin: OriginFor<T>,
			from: T::AccountId,
			to: T::AccountId,
			amount: BalanceOf<T>,
		) -> DispatchResult {
			let who = ensure_signed(origin)?;
			Self::do_redelegate(who, from, to, amount)
		}

		/// Brings a delegation up to date: burns what slashes took of it, and credits what it earned.
		///
		/// Who: any signed account.
		///
		/// Errors: [`Error::NotDelegated`].
		///
		/// Event: [`Event::DelegationSlashed`].
		#[pallet::call_index(12)]
		#[pallet::weight(T::WeightInfo::settle())]
		pub fn settle(
			origin: OriginFor<T>,
			node: T::AccountId,
			delegator: T::AccountId,
		) -> DispatchResult {
			ensure_signed(origin)?;
			Self::do_settle(&node, &delegator)
		}

		/// Sets what the node keeps of its delegators' rewards, from its next era of work on. It may
		/// fall freely. While the node has delegators it rises once an era, by at most
		/// [`Config::MaxCommissionRaise`].
		///
		/// Who: the stash.
		///
		/// Errors: [`Error::NotRegistered`], [`Error::Leaving`], [`Error::CommissionTooHigh`],
		/// [`Error::CommissionRaisedTooFast`].
		///
		/// Event: [`Event::CommissionSet`].
		#[pallet::call_index(13)]
		#[pallet::weight(T::WeightInfo::set_commission())]
		pub fn set_commission(origin: OriginFor<T>, commission: Permill) -> DispatchResult {
			let stash = ensure_signed(origin)?;
			Self::do_set_commission(stash, commission)
		}

		/// Mints what a node earned in an ended era: its own part to its stash, its delegators' to the
		/// pot, from which each collects with [`Pallet::claim_delegation`].
		///
		/// Who: any signed account.
		///
		/// Errors: [`Error::EraNotEnded`], [`Error::ClaimLapsed`], [`Error::NothingToClaim`],
		/// [`Error::AlreadyClaimed`], [`Error::UnclaimedRewards`].
		///
		/// Event: [`Event::RewardsClaimed`].
		#[pallet::call_index(14)]
		#[pallet::weight(T::WeightInfo::claim_rewards())]
		pub fn claim_rewards(
			origin: OriginFor<T>,
			node: T::AccountId,
			era: EraIndex,
		) -> DispatchResult {
			ensure_signed(origin)?;
			Self::do_claim_rewards(node, era)
		}

		/// Pays the caller what its delegation to a node earned.
		///
		/// Who: a delegator of the node.
		///
		/// Errors: [`Error::NotDelegated`], [`Error::NothingToClaim`]; the currency's own where the
		/// caller cannot receive it.
		///
		/// Events: [`Event::DelegationRewardPaid`], [`Event::DelegationSlashed`].
		#[pallet::call_index(15)]
		#[pallet::weight(T::WeightInfo::claim_delegation())]
		pub fn claim_delegation(origin: OriginFor<T>, node: T::AccountId) -> DispatchResult {
			let who = ensure_signed(origin)?;
			Self::do_claim_delegation(who, node)
		}

		/// Carries out the oldest decided slash of a node that is due. The chain does so by itself as
		/// long as its blocks have room.
		///
		/// Who: any signed account.
		///
		/// Errors: [`Error::UnknownSlash`], [`Error::NotDue`].
		///
		/// Events: [`Event::NodeSlashed`], [`Event::DelegatorsSlashed`], [`Event::NodeRemoved`].
		#[pallet::call_index(16)]
		#[pallet::weight(T::WeightInfo::enact_slash())]
		pub fn enact_slash(origin: OriginFor<T>, node: T::AccountId) -> DispatchResult {
			ensure_signed(origin)?;
			Self::do_enact_slash(&node)
		}

		/// Cancels a decided slash: what was set aside is the node's again, and so is its reputation.
		/// It comes out of jail unless another lie keeps it there.
		///
		/// Who: [`Config::AppealOrigin`].
		///
		/// Errors: [`Error::UnknownSlash`].
		///
		/// Event: [`Event::SlashCancelled`].
		#[pallet::call_index(17)]
		#[pallet::weight(T::WeightInfo::cancel_slash())]
		pub fn cancel_slash(origin: OriginFor<T>, node: T::AccountId, id: u32) -> DispatchResult {
			T::AppealOrigin::ensure_origin(origin)?;
			Self::do_cancel_slash(&node, id)
		}

		/// Gives a sign of life for each of `nodes`. Paused ones are passed over.
		///
		/// Who: an account that is stash, operator or monitor of all of them.
		///
		/// Errors: [`Error::NotRegistered`], [`Error::NotYours`].
		#[pallet::call_index(18)]
		#[pallet::weight(T::WeightInfo::heartbeat(nodes.len() as u32))]
		pub fn heartbeat(
			origin: OriginFor<T>,
			nodes: BoundedVec<T::AccountId, ConstU32<MAX_HEARTBEATS>>,
		) -> DispatchResult {
			let caller = ensure_signed(origin)?;
			Self::do_heartbeat(caller, nodes)
		}

		/// Names the account that may give signs of life for the node beside its stash and operator,
		/// or none.
		///
		/// Who: the stash.
		///
		/// Errors: [`Error::NotRegistered`], [`Error::Leaving`].
		///
		/// Event: [`Event::MonitorSet`].
		#[pallet::call_index(19)]
		#[pallet::weight(T::WeightInfo::set_monitor())]
		pub fn set_monitor(origin: OriginFor<T>, monitor: Option<T::AccountId>) -> DispatchResult {
			let stash = ensure_signed(origin)?;
			Self::do_set_monitor(stash, monitor)
		}
	}

	#[pallet::view_functions]
	impl<T: Config> Pallet<T> {
		/// What all delegators of a node have at stake with it, without what unbonds.
		pub fn delegated_to(node: T::AccountId) -> BalanceOf<T> {
			Self::backing_of(&node)
		}

		/// What an account's delegation to a node is worth after every slash of that node that was
		/// carried out, without what unbonds.
		pub fn delegation_worth(node: T::AccountId, delegator: T::AccountId) -> BalanceOf<T> {
			Self::look_at(&node, &delegator).0
		}

		/// What an account could collect now of what its delegation to a node earned.
		pub fn pending_reward(node: T::AccountId, delegator: T::AccountId) -> BalanceOf<T> {
			Self::look_at(&node, &delegator).1
		}

		/// What a node earned in ended eras and was not minted yet, by era, oldest first. Its delegators'
		/// part is included.
		pub fn claimable(node: T::AccountId) -> Vec<(EraIndex, BalanceOf<T>)> {
			Self::unclaimed(&node)
		}

		/// The slashes of a node that are decided and can still be cancelled, oldest first.
		pub fn slashes_of(node: T::AccountId) -> Vec<PendingSlashOf<T>> {
			super::PendingSlashes::<T>::get(node).into_inner()
		}

		/// The block of an online node's last sign of life, and the blocks within which the next is
		/// asked for; none where none is.
		pub fn heartbeat_of(node: T::AccountId) -> Option<(BlockNumberFor<T>, BlockNumberFor<T>)> {
			Self::heartbeat_asked(&node)
		}

		/// The least bond of a node that offers `capability`.
		pub fn bond_for(capability: Capability) -> BalanceOf<T> {
			Self::least_bond(&capability)
		}
	}
}
