// SPDX-License-Identifier: Apache-2.0

//! # Escrow
//!
//! The ledger of jobs. A requester posts a job and the most it may cost is put on hold; a node is
//! drawn for it, has until a deadline to commit, and is paid once proof of compute is satisfied.
//! Every job ends in exactly one of three ways, and nobody has to ask for a refund:
//!
//! | Ends as     | When                                             | The hold                          |
//! |-------------|--------------------------------------------------|-----------------------------------|
//! | `Settled`   | the result stood                                 | price is shared, the rest goes back |
//! | `Expired`   | no attempt is left, or no time for another one    | goes back                         |
//! | `Cancelled` | the requester withdrew it while no node had it    | goes back                         |
//!
//! What was held is what was paid, burned, shared and refunded, to the last unit.
//!
//! Of a settled job's price a part is the consensus-chain fee: [`Lineage`](tensornet_protocol::Lineage)
//! says how much of it waits for ancestors, and where, and the rest is burned.
//!
//! ## How it works
//!
//! - **Money** stays in the requester's account under [`HoldReason::Job`] until the job ends, and a
//!   deposit for the record under [`HoldReason::Deposit`]. A share whose payee cannot receive it
//!   (it would leave an account below the existential deposit) goes to the treasury, and is burned
//!   if that cannot receive it either: no account can block the end of a job.
//! - **Assignment** happens in a later block than the submission, with a beacon value that was not
//!   known when the job entered the chain. A job without an eligible node is tried again from
//!   time to time.
//! - **A node always has its full time.** It has `CommitBase` blocks and one more for each
//!   `MacsPerBlock` of work, and is only given a job whose deadline leaves that much, so that no
//!   requester can make nodes fail by asking for the impossible. A job for which too little time
//!   is left expires at once instead of at its deadline.
//! - **Fraud** is a node's doing and must not cost the requester the result: when it is proven, the
//!   deadline moves back so that another attempt fits, and `FraudGrace` further.
//! - **The agenda** holds what has to happen in which block, in one lane for each [`Task`]. A block
//!   does a bounded number of tasks in each lane; the rest is carried over, in order, and never
//!   dropped. All entries of a block and a lane are stored together. An entry whose job has ended or
//!   moved on since means nothing when its turn comes, and is not taken out before.
//! - **What all jobs of a block share**, however many they are: the parameters, the totals, the
//!   treasury, the burn ledger, the slots of the agenda. Every block pays for them once
//!   ([`Config::SharedWeight`]), and no job on its own.
//!
//! Other pallets are met through the traits of `tensornet-protocol`: this one implements
//! [`Jobs`](tensornet_protocol::Jobs).

#![cfg_attr(not(feature = "std"), no_std)]
#![cfg_attr(
	not(any(test, feature = "runtime-benchmarks")),
	deny(
		clippy::arithmetic_side_effects,
		clippy::expect_used,
		clippy::indexing_slicing,
		clippy::unwrap_used
	)
)]

extern crate alloc;

mod agenda;
mod assignment;
#[cfg(feature = "runtime-benchmarks")]
mod benchmarking;
mod dispatchable_impls;
mod jobs_impl;
#[cfg(test)]
mod mock;
mod settlement;
#[cfg(test)]
mod tests;
// Native code has it too: the fuzzer of the runtime asks every pallet without the SDK's own checks.
#[cfg(any(feature = "std", feature = "try-runtime"))]
mod try_state;
mod types;
pub mod weights;

pub use agenda::MAX_BLOCKS_PER_DRAIN;
pub use assignment::max_ask;
#[cfg(feature = "runtime-benchmarks")]
pub use benchmarking::BenchmarkHelper;
pub use pallet::*;
pub use types::*;
pub use weights::WeightInfo;

/// Log target of this pallet.
pub(crate) const LOG_TARGET: &str = "runtime::escrow";

// What the macros generate for metadata calls `expect`; nothing written here does.
#[allow(clippy::expect_used)]
#[frame_support::pallet]
pub mod pallet {
	use super::*;
	// By name, because the prelude has a trait of this name.
	use crate::types::Task;
	use frame_support::{
		pallet_prelude::*,
		traits::{fungible, tokens, Footprint},
		weights::Weight,
	};
	use frame_system::pallet_prelude::*;
	use sp_runtime::{traits::Convert, Permill};
	use tensornet_protocol::{
		AgendaPage, AgendaSlot, Beacon, Compliance, Failure, Hash, JobId, JobRequest, JobState,
		Lineage, Nodes, OnSettled, Programs, TokenPolicy,
	};

	/// Version of this pallet's storage.
	const STORAGE_VERSION: StorageVersion = StorageVersion::new(1);

	/// A live job of this runtime.
	pub type JobOf<T> =
		Job<<T as frame_system::Config>::AccountId, <T as Config>::Balance, BlockNumberFor<T>>;

	/// An outcome of this runtime.
	pub type OutcomeOf<T> =
		Outcome<<T as frame_system::Config>::AccountId, <T as Config>::Balance, BlockNumberFor<T>>;

	#[pallet::pallet]
	#[pallet::storage_version(STORAGE_VERSION)]
	pub struct Pallet<T>(_);

	#[pallet::config]
	pub trait Config: frame_system::Config<RuntimeEvent: From<Event<Self>>> {
		/// Weights of calls and of the agenda's steps.
		type WeightInfo: WeightInfo;

		/// The runtime's hold reason.
		type RuntimeHoldReason: From<HoldReason>;

		/// Amount of TNA.
		type Balance: tokens::Balance + Into<u128>;

		/// TNA itself.
		type Currency: fungible::Mutate<Self::AccountId, Balance = Self::Balance>
			+ fungible::hold::Mutate<Self::AccountId, Reason = Self::RuntimeHoldReason>
			+ fungible::hold::Balanced<Self::AccountId>;

		/// The registry of GPU nodes.
		type Nodes: Nodes<AccountId = Self::AccountId, Balance = Self::Balance>;

		/// The registry of programs.
		type Programs: Programs<AccountId = Self::AccountId>;

		/// Shares, floor price and treasury.
		type TokenPolicy: TokenPolicy<AccountId = Self::AccountId, Balance = Self::Balance>;

		/// Counts settled jobs for the era's rewards.
		type OnSettled: OnSettled<AccountId = Self::AccountId, Balance = Self::Balance>;

		/// Says what of a settled job's consensus-chain fee waits for ancestors.
		type Lineage: Lineage<AccountId = Self::AccountId, Balance = Self::Balance>;

		/// Who may post jobs.
		type Compliance: Compliance<AccountId = Self::AccountId>;

		/// Randomness for the assignment.
		type Beacon: Beacon;

		/// The deposit for a job's record of a given size.
		type Deposit: Convert<Footprint, Self::Balance>;

		/// How likely the result of a job is audited. A node stakes the price divided by it.
		type AuditProbability: Get<Permill>;

		/// The least price of a job, however small.
		#[pallet::constant]
		type MinJobPrice: Get<Self::Balance>;

		/// The least number of blocks from submission to deadline.
		#[pallet::constant]
		type MinLifetime: Get<BlockNumberFor<Self>>;

		/// The most blocks from submission to deadline.
		#[pallet::constant]
		type MaxLifetime: Get<BlockNumberFor<Self>>;

		/// Blocks from submission (or a failed attempt) to assignment. With 1, the author of the
		/// block that includes a job can foresee its draw; from 2 on, the beacon holds the output
		/// of a block after it.
		#[pallet::constant]
		type AssignDelay: Get<BlockNumberFor<Self>>;

		/// Blocks until a job that found no eligible node is tried again.
		#[pallet::constant]
		type RetryPeriod: Get<BlockNumberFor<Self>>;

		/// Blocks a node has to commit to a job of no work at all: fetching, start-up, inclusion.
		#[pallet::constant]
		type CommitBase: Get<BlockNumberFor<Self>>;

		/// Multiply-accumulates for which a node has one block more.
		#[pallet::constant]
		type MacsPerBlock: Get<u64>;

		/// How many nodes may try a job before it expires. At least 1.
		#[pallet::constant]
		type MaxAttempts: Get<u8>;

		/// Blocks a job's deadline moves back beyond the time of another attempt when a node
		/// cheated.
		#[pallet::constant]
		type FraudGrace: Get<BlockNumberFor<Self>>;

		/// Blocks for which the outcome of a job is kept.
		#[pallet::constant]
		type OutcomeRetention: Get<BlockNumberFor<Self>>;

		/// The most jobs a node is looked for in one block.
		#[pallet::constant]
		type MaxAssignmentsPerBlock: Get<u32>;

		/// The most tasks of each other kind done in one block.
		#[pallet::constant]
		type MaxTasksPerBlock: Get<u32>;

		/// The most weight the agenda takes of a block.
		#[pallet::constant]
		type ServiceWeight: Get<Weight>;

		/// What every block pays for what all its jobs read and write together, however many they are:
		/// the weights of calls and steps leave it out.
		#[pallet::constant]
		type SharedWeight: Get<Weight>;

		/// Makes programs and nodes for benchmarks.
		#[cfg(feature = "runtime-benchmarks")]
		type BenchmarkHelper: BenchmarkHelper<Self::AccountId>;
	}

	/// Why funds of a requester are on hold.
	#[pallet::composite_enum]
	pub enum HoldReason {
		/// The most that live jobs may cost.
		#[codec(index = 0)]
		Job,
		/// Deposit for the records of live jobs.
		#[codec(index = 1)]
		Deposit,
	}

	/// Number of the next job.
	#[pallet::storage]
	pub type NextJobId<T: Config> = StorageValue<_, JobId, ValueQuery>;

	/// Jobs that have not ended.
	#[pallet::storage]
	pub type Jobs<T: Config> = StorageMap<_, Twox64Concat, JobId, JobOf<T>, OptionQuery>;

	/// How jobs ended, kept for `OutcomeRetention` blocks.
	#[pallet::storage]
	pub type Outcomes<T: Config> = StorageMap<_, Twox64Concat, JobId, OutcomeOf<T>, OptionQuery>;

	/// On hold under [`HoldReason::Job`] for all live jobs together.
	#[pallet::storage]
	pub type Escrowed<T: Config> = StorageValue<_, T::Balance, ValueQuery>;

	/// What has to be done in which block: jobs, by task and block. Entries whose job ended or moved on
	/// since mean nothing.
	#[pallet::storage]
	pub type Agenda<T: Config> = StorageNMap<
		_,
		(NMapKey<Twox64Concat, Task>, NMapKey<Twox64Concat, BlockNumberFor<T>>),
		AgendaSlot<JobId>,
		ValueQuery,
	>;

	/// Full pages of those slots of the agenda that need more than one, from 0.
	#[pallet::storage]
	pub type AgendaPages<T: Config> = StorageNMap<
		_,
		(
			NMapKey<Twox64Concat, Task>,
			NMapKey<Twox64Concat, BlockNumberFor<T>>,
			NMapKey<Twox64Concat, u32>,
		),
		AgendaPage<JobId>,
		ValueQuery,
	>;

	/// The earliest block whose tasks of this kind may not all be done.
	#[pallet::storage]
	pub type AgendaCursor<T: Config> =
		StorageMap<_, Twox64Concat, Task, BlockNumberFor<T>, OptionQuery>;

	#[pallet::event]
	#[pallet::generate_deposit(pub(crate) fn deposit_event)]
	pub enum Event<T: Config> {
		/// A job was posted and its price and deposit put on hold.
		#[codec(index = 0)]
		JobSubmitted {
			/// The job.
			job: JobId,
			/// Who pays.
			requester: T::AccountId,
			/// The program to run.
			program: Hash,
			/// How often it runs.
			iterations: u32,
			/// On hold for the price.
			max_price: T::Balance,
			/// On hold for the record.
			deposit: T::Balance,
			/// The block by which a commitment must stand.
			deadline: BlockNumberFor<T>,
		},
		/// A node was drawn for a job and its price fixed.
		#[codec(index = 1)]
		JobAssigned {
			/// The job.
			job: JobId,
			/// Stash account of the node.
			node: T::AccountId,
			/// Who pays.
			requester: T::AccountId,
			/// What the requester pays if the result stands, all shares included.
			price: T::Balance,
			/// The last block in which a sealed commitment is accepted.
			commit_by: BlockNumberFor<T>,
			/// Which attempt this is, from 0.
			attempt: u8,
		},
		/// The node's sealed commitment stands; proof of compute decides from here on.
		#[codec(index = 2)]
		JobCommitted {
			/// The job.
			job: JobId,
			/// Stash account of the node.
			node: T::AccountId,
			/// Who pays.
			requester: T::AccountId,
		},
		/// A node failed a job and was judged.
		#[codec(index = 3)]
		JobAttemptFailed {
			/// The job.
			job: JobId,
			/// Stash account of the node.
			node: T::AccountId,
			/// Who pays.
			requester: T::AccountId,
			/// Why the attempt failed.
			failure: Failure,
			/// Set aside of the node's bond. Where slashes wait, this and its parts are what will be
			/// taken, unless the slash is cancelled.
			slashed: T::Balance,
			/// Of that, paid to the requester.
			to_requester: T::Balance,
			/// Of that, paid to whoever proved the failure.
			to_reporter: T::Balance,
			/// Of that, burned.
			burned: T::Balance,
			/// Whether another node gets the job; otherwise it expired.
			requeued: bool,
		},
		/// A job ended: its result stood and was paid.
		#[codec(index = 4)]
		JobSettled {
			/// The job.
			job: JobId,
			/// Who paid.
			requester: T::AccountId,
			/// Stash account of the node that was paid.
			node: T::AccountId,
			/// Author of the program, if it is known.
			author: Option<T::AccountId>,
			/// Paid to the node.
			paid: T::Balance,
			/// Burned.
			burned: T::Balance,
			/// Paid to the treasury.
			treasury_share: T::Balance,
			/// Paid to the author.
			author_share: T::Balance,
			/// Set aside for ancestors in the consensus chain, which passes it on.
			lineage_share: T::Balance,
			/// Released to the requester.
			refunded: T::Balance,
		},
		/// A job ended without a result.
		#[codec(index = 5)]
		JobExpired {
			/// The job.
			job: JobId,
			/// Who had posted it.
			requester: T::AccountId,
			/// Released to the requester.
			refunded: T::Balance,
		},
		/// A job ended: its requester withdrew it.
		#[codec(index = 6)]
		JobCancelled {
			/// The job.
			job: JobId,
			/// Who had posted it.
			requester: T::AccountId,
			/// Released to the requester.
			refunded: T::Balance,
		},
	}

	#[pallet::error]
	pub enum Error<T> {
		/// No program has this root: register it with proof of compute first.
		#[codec(index = 0)]
		UnknownProgram,
		/// Iterations are zero or more than the program allows: see its registration.
		#[codec(index = 1)]
		BadIterations,
		/// Name one blob for each input of the program, then one for each state.
		#[codec(index = 2)]
		WrongBlobCount,
		/// The deadline leaves a node too little time: choose a later one, or fewer iterations.
		#[codec(index = 3)]
		DeadlineTooSoon,
		/// The deadline is more than `MaxLifetime` away: choose an earlier one.
		#[codec(index = 4)]
		DeadlineTooLate,
		/// The price is below the floor for this work: raise it to the estimate.
		#[codec(index = 5)]
		PriceTooLow,
		/// The floor price of this work does not fit a balance: ask for fewer iterations.
		#[codec(index = 6)]
		PriceOverflow,
		/// No live job has this number: it never existed or has ended.
		#[codec(index = 7)]
		UnknownJob,
		/// Only the requester may do this: sign with its account.
		#[codec(index = 8)]
		NotRequester,
		/// A node has the job: it can only be withdrawn while it is queued.
		#[codec(index = 9)]
		NotQueued,
		/// No node has yet to commit to this job.
		#[codec(index = 10)]
		NotAssigned,
		/// The commitment came after the last block that accepts it: the job goes to another node.
		#[codec(index = 11)]
		CommitTooLate,
		/// No commitment stands for this job.
		#[codec(index = 12)]
		NotCommitted,
		/// Job numbers are used up.
		#[codec(index = 13)]
		NoMoreJobs,
		/// The account may not post jobs: it is sanctioned, or lacks the attested level of the role.
		#[codec(index = 14)]
		NotAdmitted,
	}

	#[pallet::hooks]
	impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
		fn on_initialize(now: BlockNumberFor<T>) -> Weight {
			Self::serve_agenda(now).saturating_add(T::SharedWeight::get())
		}

		#[cfg(feature = "try-runtime")]
		fn try_state(_: BlockNumberFor<T>) -> Result<(), sp_runtime::TryRuntimeError> {
			Self::do_try_state()
		}

		fn integrity_test() {
			Self::check_integrity()
		}
	}

	#[pallet::call]
	impl<T: Config> Pallet<T> {
		/// Posts a job. Puts `max_price` and a deposit for the record on hold; both are released by
		/// themselves when the job ends. A node is drawn in a later block.
		///
		/// Any signed account may call it.
		///
		/// # Errors
		/// [`Error::NotAdmitted`], [`Error::UnknownProgram`], [`Error::BadIterations`],
		/// [`Error::WrongBlobCount`],
		/// [`Error::DeadlineTooSoon`], [`Error::DeadlineTooLate`], [`Error::PriceTooLow`],
		/// [`Error::PriceOverflow`], and the currency's error if the caller lacks the funds or they are
		/// locked: what is vesting cannot be spent on jobs.
		///
		/// # Events
		/// [`Event::JobSubmitted`].
		#[pallet::call_index(0)]
		#[pallet::weight(T::WeightInfo::submit_job())]
		pub fn submit_job(
			origin: OriginFor<T>,
			request: JobRequest<T::Balance, BlockNumberFor<T>>,
		) -> DispatchResult {
			let requester = ensure_signed(origin)?;
			Self::do_submit_job(requester, request)
		}

		/// Withdraws a job that no node has, and releases everything held for it.
		///
		/// Only its requester may call it, while the job is queued.
		///
		/// # Errors
		/// [`Error::UnknownJob`], [`Error::NotRequester`], [`Error::NotQueued`].
		///
		/// # Events
		/// [`Event::JobCancelled`].
		#[pallet::call_index(1)]
		#[pallet::weight(T::WeightInfo::cancel_job())]
		pub fn cancel_job(origin: OriginFor<T>, job: JobId) -> DispatchResult {
			let caller = ensure_signed(origin)?;
			Self::do_cancel_job(caller, job)
		}
	}

	#[pallet::view_functions]
	impl<T: Config> Pallet<T> {
		/// The least `max_price` with which a job of so many iterations of `program` is accepted
		/// now, or `None` if the program is unknown or the price does not fit.
		pub fn estimate(program: Hash, iterations: u32) -> Option<T::Balance> {
			let facts = T::Programs::facts(&program)?;
			Self::least_price(Self::work(facts.macs, iterations))
		}

		/// The state of a job, or `None` if it never existed or ended longer ago than outcomes are
		/// kept.
		pub fn job_state(job: JobId) -> Option<JobState> {
			Jobs::<T>::get(job)
				.map(|live| live.phase.state())
				.or_else(|| Outcomes::<T>::get(job).map(|outcome| outcome.state))
		}
	}
}
