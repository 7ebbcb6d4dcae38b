// SPDX-License-Identifier: Apache-2.0

//! # Proof of compute
//!
//! Programs, sealed commitments, the beacon, the audit lottery, and fraud proofs in one transaction.
//!
//! ## Overview
//!
//! A node that was assigned a job computes it and commits, sealed, to the root of its trace; then it
//! reveals the root. From the reveal on until the challenge window ends, anyone may show that one
//! element of the trace is wrong: the chain recomputes that element from opened leaves and compares.
//! Some blocks after the reveal the beacon decides whether the node has to show elements that it
//! could not foresee. What survives is verified, and escrow pays it.
//!
//! | phase             | left by                                   | when nothing happens            |
//! |-------------------|-------------------------------------------|---------------------------------|
//! | sealed            | [`Call::reveal`]                          | attempt fails: not revealed     |
//! | revealed, undrawn | the beacon, `BeaconDelay` blocks later    | cannot happen                   |
//! | audit open        | [`Call::answer_audit`]                    | attempt fails: audit unanswered |
//! | spared or passed  | the end of the challenge window: verified | verified                        |
//!
//! [`Call::prove_fraud`] ends the attempt in every revealed phase.
//!
//! ## Low-level notes
//!
//! Every commitment has its next task in the [`Agenda`], and so has every result that is still kept. All
//! entries of a block are stored together; one whose job has moved on since means nothing when its turn
//! comes. Tasks run in `on_initialize` within [`Config::AgendaWeight`]; what does not fit stays
//! where it is and runs first in the next block.
//!
//! The audit of a job revealed in block `r` is drawn from the beacon as it stood after block
//! `r + BeaconDelay`, however late the draw itself runs, so filling blocks moves nothing.
//!
//! The runtime wires in the ledger of jobs, the registry of nodes and the authors' VRF outputs;
//! this pallet is the registry of programs and the beacon of the others.

#![cfg_attr(not(feature = "std"), no_std)]
#![cfg_attr(
	not(test),
	deny(
		clippy::arithmetic_side_effects,
		clippy::indexing_slicing,
		clippy::unwrap_used,
		clippy::expect_used,
		clippy::panic
	)
)]

extern crate alloc;

mod agenda;
mod beacon;
#[cfg(feature = "runtime-benchmarks")]
pub mod benchmarking;
mod commitments;
mod judgement;
#[cfg(test)]
mod mock;
mod programs;
#[cfg(test)]
mod tests;
// Native code has it too: the fuzzer of the runtime asks every pallet without the SDK's own checks.
#[cfg(any(feature = "std", feature = "try-runtime"))]
mod try_state;
pub mod types;
pub mod weights;

pub use pallet::*;
pub use types::*;
pub use weights::WeightInfo;

const LOG_TARGET: &str = "runtime::poc";

// What the macros generate for metadata calls `expect`; nothing written here does.
#[allow(clippy::expect_used)]
#[frame_support::pallet]
pub mod pallet {
	use super::{Task, *};
	use frame_support::{
		pallet_prelude::*,
		traits::{
			fungible::{Inspect, MutateHold},
			Footprint,
		},
	};
	use frame_system::pallet_prelude::*;
	use sp_runtime::{traits::Convert, Permill};
	use tensornet_commitment::Opening;
	use tensornet_protocol::{
		arbitration::{ElementId, ElementProof},
		AgendaPage, AgendaSlot, AuthorRandomness, Compliance, DataHint, Failure, Hash, JobId, Jobs,
		Nodes, Slash,
	};

	/// The version of the stored data.
	const STORAGE_VERSION: StorageVersion = StorageVersion::new(1);

	/// Amount of TNA.
	pub type BalanceOf<T> =
		<<T as Config>::Currency as Inspect<<T as frame_system::Config>::AccountId>>::Balance;

	#[pallet::pallet]
	#[pallet::storage_version(STORAGE_VERSION)]
	pub struct Pallet<T>(_);

	#[pallet::config]
	pub trait Config: frame_system::Config<AccountId: Into<[u8; 32]>> {
		/// Weights of the calls, of the tasks, and of the parts of a verification.
		type WeightInfo: WeightInfo;

		/// The overarching reason of a hold.
		type RuntimeHoldReason: From<HoldReason>;

		/// Holds the deposits of programs.
		type Currency: MutateHold<Self::AccountId, Reason = Self::RuntimeHoldReason>;

		/// What the storage of a program costs its author while it is there.
		type ProgramDeposit: Convert<Footprint, BalanceOf<Self>>;

		/// Who may register programs.
		type Compliance: Compliance<AccountId = Self::AccountId>;

		/// The ledger of jobs.
		type Jobs: Jobs<
			AccountId = Self::AccountId,
			BlockNumber = BlockNumberFor<Self>,
			Balance = BalanceOf<Self>,
		>;

		/// The registry of nodes.
		type Nodes: Nodes<AccountId = Self::AccountId>;

		/// The VRF output of the current block's author.
		type AuthorRandomness: AuthorRandomness;

		/// The longest encoded program, in bytes.
		#[pallet::constant]
		type MaxProgramBytes: Get<u32>;

		/// The most checkpoints of a program.
		#[pallet::constant]
		type MaxCheckpoints: Get<u32>;

		/// The most outputs of a program.
		#[pallet::constant]
		type MaxOutputs: Get<u32>;

		/// The most elements an audit may draw.
		#[pallet::constant]
		type MaxSamples: Get<u32>;

		/// The most multiply-accumulates that recomputing one element may take. Programs over it are
		/// refused.
		#[pallet::constant]
		type ArbitrationMacs: Get<u64>;

		/// The most bytes of openings that recomputing one element may need. Programs over it are
		/// refused.
		#[pallet::constant]
		type ArbitrationBytes: Get<u64>;

		/// What the tasks of one block may weigh in all.
		#[pallet::constant]
		type AgendaWeight: Get<Weight>;

		/// How many blocks feed the beacon between a reveal and its draw. At least 2 count.
		#[pallet::constant]
		type BeaconDelay: Get<u32>;

		/// How likely a revealed job is audited.
		type AuditProbability: Get<Permill>;

		/// How many elements an audit draws; at least 1 and at most [`Self::MaxSamples`] count.
		type AuditSamples: Get<u32>;

		/// How many blocks a node has to reveal after it committed.
		type RevealWindow: Get<BlockNumberFor<Self>>;

		/// How many blocks a node has to answer an audit.
		type AuditWindow: Get<BlockNumberFor<Self>>;

		/// How many blocks after its reveal a job may be challenged at least.
		type ChallengeWindow: Get<BlockNumberFor<Self>>;

		/// How many blocks a result is kept after its job's attempt ended.
		type ResultRetention: Get<BlockNumberFor<Self>>;

		/// Sets up what only the other pallets can.
		#[cfg(feature = "runtime-benchmarks")]
		type BenchmarkHelper: benchmarking::BenchmarkHelper<Self::AccountId>;
	}

	/// Why this pallet holds an account's funds.
	#[pallet::composite_enum]
	pub enum HoldReason {
		/// The storage of a program. Returned when its author removes it.
		#[codec(index = 0)]
		ProgramDeposit,
	}

	/// Registered programs by their BLAKE3 hash.
	#[pallet::storage]
	pub type Programs<T: Config> = StorageMap<_, Blake2_128Concat, Hash, ProgramRecord<T>>;

	/// The encoded programs.
	#[pallet::storage]
	pub type ProgramBytes<T: Config> =
		StorageMap<_, Blake2_128Concat, Hash, BoundedVec<u8, T::MaxProgramBytes>>;

	/// For each program and checkpoint, what an audit draws from.
	#[pallet::storage]
	pub type ProgramCheckpoints<T: Config> =
		StorageMap<_, Blake2_128Concat, Hash, BoundedVec<CheckpointWork, T::MaxCheckpoints>>;

	/// Commitments that are not yet decided.
	#[pallet::storage]
	pub type Commitments<T: Config> = StorageMap<_, Twox64Concat, JobId, Commitment<T>>;

	/// What was revealed for a job, after the attempt ended.
	#[pallet::storage]
	pub type Results<T: Config> = StorageMap<_, Twox64Concat, JobId, JobResult<T>>;

	/// What happens by itself, by the first block in which it may. Entries whose job ended or moved on
	/// since mean nothing.
	#[pallet::storage]
	pub type Agenda<T: Config> =
		StorageMap<_, Twox64Concat, BlockNumberFor<T>, AgendaSlot<(JobId, Task)>, ValueQuery>;

	/// Full pages of those slots of the agenda that need more than one, from 0.
	#[pallet::storage]
	pub type AgendaPages<T: Config> = StorageDoubleMap<
		_,
		Twox64Concat,
		BlockNumberFor<T>,
		Twox64Concat,
		u32,
		AgendaPage<(JobId, Task)>,
		ValueQuery,
	>;

	/// The first block whose part of the agenda may be not empty.
	#[pallet::storage]
	pub type NextDue<T: Config> = StorageValue<_, BlockNumberFor<T>>;

	/// The beacon after the last finished block.
	#[pallet::storage]
	pub type BeaconValue<T: Config> = StorageValue<_, Hash, ValueQuery>;

	/// The beacon after each of the last [`BEACON_HISTORY`] blocks.
	#[pallet::storage]
	pub type BeaconHistory<T: Config> = StorageMap<_, Twox64Concat, BlockNumberFor<T>, Hash>;

	#[pallet::event]
	#[pallet::generate_deposit(pub(super) fn deposit_event)]
	pub enum Event<T: Config> {
		/// A program can now be run by jobs.
		#[codec(index = 0)]
		ProgramRegistered {
			/// Its BLAKE3 hash.
			program: Hash,
			/// Who earns its royalty.
			author: T::AccountId,
			/// Multiply-accumulates of one iteration.
			macs: u64,
			/// What is held of the author.
			deposit: BalanceOf<T>,
		},
		/// A program is gone.
		#[codec(index = 1)]
		ProgramUnregistered {
			/// Its BLAKE3 hash.
			program: Hash,
			/// Its author.
			author: T::AccountId,
			/// What went back to the author.
			deposit: BalanceOf<T>,
		},
		/// A node committed to a trace that it keeps sealed.
		#[codec(index = 2)]
		Committed {
			/// The job.
			job: JobId,
			/// The node.
			node: T::AccountId,
			/// Who pays.
			requester: T::AccountId,
			/// The seal.
			seal: Hash,
			/// The last block in which it may be revealed.
			reveal_by: BlockNumberFor<T>,
		},
		/// A node revealed its trace root; the requester can fetch the outputs.
		#[codec(index = 3)]
		Revealed {
			/// The job.
			job: JobId,
			/// The node.
			node: T::AccountId,
			/// Who pays.
			requester: T::AccountId,
			/// The root of the trace's manifest.
			trace_root: Hash,
			/// Roots of the outputs, in program order.
			outputs: BoundedVec<Hash, T::MaxOutputs>,
			/// The block from which on the job settles unless it fails.
			settle_at: BlockNumberFor<T>,
		},
		/// The beacon did not draw the job for an audit.
		#[codec(index = 4)]
		AuditSpared {
			/// The job.
			job: JobId,
			/// The node.
			node: T::AccountId,
			/// Who pays.
			requester: T::AccountId,
		},
		/// The beacon drew the job for an audit.
		#[codec(index = 5)]
		AuditDrawn {
			/// The job.
			job: JobId,
			/// The node, which must prove the drawn elements.
			node: T::AccountId,
			/// Who pays.
			requester: T::AccountId,
			/// The drawn elements.
			samples: BoundedVec<ElementId, T::MaxSamples>,
			/// The last block in which the answer is accepted.
			answer_by: BlockNumberFor<T>,
		},
		/// All drawn elements were recomputed and are right.
		#[codec(index = 6)]
		AuditPassed {
			/// The job.
			job: JobId,
			/// The node.
			node: T::AccountId,
			/// Who pays.
			requester: T::AccountId,
		},
		/// One element was recomputed and is wrong.
		#[codec(index = 7)]
		FraudProven {
			/// The job.
			job: JobId,
			/// The node that committed to the wrong element.
			node: T::AccountId,
			/// Who pays.
			requester: T::AccountId,
			/// Who proved it; none when the node's own answer to an audit did.
			reporter: Option<T::AccountId>,
			/// The element.
			element: ElementId,
			/// What the node committed to.
			claimed: i32,
			/// What the chain computed.
			computed: i32,
		},
		/// An attempt at a job ended without a result that stands.
		#[codec(index = 8)]
		AttemptFailed {
			/// The job.
			job: JobId,
			/// The node that had it.
			node: T::AccountId,
			/// Who pays.
			requester: T::AccountId,
			/// Why.
			failure: Failure,
			/// What is taken from the node and where that goes: at once, or when the slash is due
			/// unless it is cancelled.
			slash: Slash<BalanceOf<T>>,
		},
		/// The result stood.
		#[codec(index = 9)]
		Verified {
			/// The job.
			job: JobId,
			/// The node.
			node: T::AccountId,
			/// Who pays.
			requester: T::AccountId,
			/// The root of the trace's manifest.
			trace_root: Hash,
			/// Whether the beacon had drawn it for an audit.
			audited: bool,
		},
		/// The ledger of jobs refused a verdict; it is tried again.
		#[codec(index = 10)]
		VerdictDeferred {
			/// The job.
			job: JobId,
			/// Why it was refused.
			error: DispatchError,
			/// When it is tried again.
			again_at: BlockNumberFor<T>,
		},
		/// The job of a commitment is gone, and so is the commitment.
		#[codec(index = 11)]
		CommitmentDropped {
			/// The job.
			job: JobId,
			/// The node.
			node: T::AccountId,
		},
	}

	#[pallet::error]
	pub enum Error<T> {
		/// No such program is registered. Register it first.
		#[codec(index = 0)]
		UnknownProgram,
		/// The program is registered. Use it.
		#[codec(index = 1)]
		ProgramExists,
		/// Jobs still need the program. Wait until they have ended.
		#[codec(index = 2)]
		ProgramInUse,
		/// Only the program's author may do this. Sign with the author's account.
		#[codec(index = 3)]
		NotAuthor,
		/// The program is refused. The reason is inside; compile it again accordingly.
		#[codec(index = 4)]
		ProgramInvalid(ProgramFault),
		/// The program has more outputs than may be revealed. Join some.
		#[codec(index = 5)]
		TooManyOutputs,
		/// The program has more checkpoints than an audit can draw from. Leave some out.
		#[codec(index = 6)]
		TooManyCheckpoints,
		/// The sender is no node's operator. Sign with the operator key of a registered node.
		#[codec(index = 7)]
		NotANode,
		/// No node has this job now. Watch for your next assignment.
		#[codec(index = 8)]
		NotAssigned,
		/// Another node has this job. Leave it to that node.
		#[codec(index = 9)]
		NotYourJob,
		/// The job has a commitment. Reveal it.
		#[codec(index = 10)]
		AlreadyCommitted,
		/// The job has no commitment that is undecided. Commit first, or look at its result.
		#[codec(index = 11)]
		NotCommitted,
		/// The window for this has passed. Nothing can be done for this attempt.
		#[codec(index = 12)]
		TooLate,
		/// The commitment is revealed. Wait for the draw.
		#[codec(index = 13)]
		AlreadyRevealed,
		/// The commitment is still sealed. Wait until it is revealed.
		#[codec(index = 14)]
		NotRevealed,
		/// The seal was not made from this job, node, trace root and salt. Reveal what was sealed.
		#[codec(index = 15)]
		SealMismatch,
		/// The opening of the manifest is refused. Open the outputs' entries of the last iteration.
		#[codec(index = 16)]
		BadManifest(OpeningFault),
		/// The output roots are not the manifest's. Give one for each output, in program order.
		#[codec(index = 17)]
		WrongOutputs,
		/// The job has no open audit. Nothing has to be answered.
		#[codec(index = 18)]
		NoAudit,
		/// The proofs are not those of the drawn elements. Prove each one, in the order drawn.
		#[codec(index = 19)]
		WrongSample,
		/// A proof shows nothing. The reason is inside; build it again accordingly.
		#[codec(index = 20)]
		BadProof(ProofFault),
		/// The element is right. Find one that is wrong.
		#[codec(index = 21)]
		NotFraud,
		/// A node cannot report itself. Use another account.
		#[codec(index = 22)]
		OwnJob,
		/// The account may not register programs: it is sanctioned, or lacks the attested level of the
		/// role.
		#[codec(index = 23)]
		NotAdmitted,
	}

	#[pallet::hooks]
	impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
		fn on_initialize(now: BlockNumberFor<T>) -> Weight {
			// Mixing the beacon happens in `on_finalize` and is paid for here.
			Self::run_agenda(now).saturating_add(T::WeightInfo::mix_beacon())
		}

		fn on_finalize(now: BlockNumberFor<T>) {
			Self::mix_beacon(now);
		}

		fn integrity_test() {
			Self::check_config();
		}

		#[cfg(feature = "try-runtime")]
		fn try_state(_: BlockNumberFor<T>) -> Result<(), sp_runtime::TryRuntimeError> {
			Self::do_try_state()
		}
	}

	#[pallet::call]
	impl<T: Config> Pallet<T> {
		/// Registers a program, so that jobs can run it and its author earns a royalty.
		///
		/// May be called by anyone; a deposit in proportion to what is stored is held until
		/// [`Call::unregister_program`]. `hint` says where the program's constants may be fetched.
		///
		/// Errors: [`Error::ProgramExists`], [`Error::ProgramInvalid`], [`Error::TooManyOutputs`],
		/// [`Error::TooManyCheckpoints`]. Event: [`Event::ProgramRegistered`].
		#[pallet::call_index(0)]
		#[pallet::weight(T::WeightInfo::register_program(Pallet::<T>::kib(bytes.len())))]
		pub fn register_program(
			origin: OriginFor<T>,
			bytes: BoundedVec<u8, T::MaxProgramBytes>,
			hint: DataHint,
		) -> DispatchResult {
			let author = ensure_signed(origin)?;
			Self::do_register_program(author, bytes, hint)
		}

		/// Removes a program that no job needs any more and returns its deposit.
		///
		/// May be called by its author. Errors: [`Error::UnknownProgram`], [`Error::NotAuthor`],
		/// [`Error::ProgramInUse`]. Event: [`Event::ProgramUnregistered`].
		#[pallet::call_index(1)]
		#[pallet::weight(T::WeightInfo::unregister_program())]
		pub fn unregister_program(origin: OriginFor<T>, program: Hash) -> DispatchResult {
			let author = ensure_signed(origin)?;
			Self::do_unregister_program(author, program)
		}

		/// Commits, sealed, to the trace of a job.
		///
		/// May be called once, in time, by the operator of the node that has the job. `seal` is
		/// [`tensornet_commitment::seal`] over the chain's genesis hash, the job, the node's stash
		/// account, the trace root and a random salt.
		///
		/// Errors: [`Error::NotANode`], [`Error::NotAssigned`], [`Error::NotYourJob`],
		/// [`Error::AlreadyCommitted`], [`Error::TooLate`]. Event: [`Event::Committed`].
		#[pallet::call_index(2)]
		#[pallet::weight(T::WeightInfo::commit())]
		pub fn commit(origin: OriginFor<T>, job: JobId, seal: Hash) -> DispatchResult {
			let operator = ensure_signed(origin)?;
			Self::do_commit(operator, job, seal)
		}

		/// Reveals what was sealed, and names the outputs.
		///
		/// May be called once, in time, by the operator of the node that committed. `manifest` opens
		/// the entries of the outputs in the last iteration.
		///
		/// Errors: [`Error::NotANode`], [`Error::NotCommitted`], [`Error::NotYourJob`],
		/// [`Error::AlreadyRevealed`], [`Error::TooLate`], [`Error::SealMismatch`],
		/// [`Error::BadManifest`], [`Error::WrongOutputs`]. Event: [`Event::Revealed`].
		#[pallet::call_index(3)]
		#[pallet::weight(T::WeightInfo::reveal(Pallet::<T>::kib(manifest.encoded_size())))]
		pub fn reveal(
			origin: OriginFor<T>,
			job: JobId,
			trace_root: Hash,
			salt: [u8; 32],
			outputs: BoundedVec<Hash, T::MaxOutputs>,
			manifest: Opening,
		) -> DispatchResult {
			let operator = ensure_signed(origin)?;
			Self::do_reveal(operator, job, trace_root, salt, outputs, manifest)
		}

		/// Proves the drawn elements of an audited job, in the order drawn.
		///
		/// May be called by the operator of the node that committed until the audit's window ends; an
		/// answer that is refused may be mended and sent again. Every element is recomputed. If all
		/// are right the audit is passed and the fee returned; if one is wrong the attempt fails.
		///
		/// Errors: [`Error::NotANode`], [`Error::NotCommitted`], [`Error::NotYourJob`],
		/// [`Error::NoAudit`], [`Error::TooLate`], [`Error::WrongSample`], [`Error::BadProof`].
		/// Events: [`Event::AuditPassed`], or [`Event::FraudProven`] and [`Event::AttemptFailed`].
		#[pallet::call_index(4)]
		#[pallet::weight(Pallet::<T>::answer_audit_weight(proofs))]
		pub fn answer_audit(
			origin: OriginFor<T>,
			job: JobId,
			proofs: BoundedVec<ElementProof, T::MaxSamples>,
		) -> DispatchResultWithPostInfo {
			let operator = ensure_signed(origin)?;
			Self::do_answer_audit(operator, job, proofs)
		}

		/// Proves that a node committed to a wrong element.
		///
		/// May be called by anyone but the node itself, from the reveal until the job settles. The
		/// element is recomputed: if it is wrong the attempt fails, the sender gets the reporter's
		/// part of the slash and the fee back. The fee is the price of a proof that is refused.
		///
		/// Errors: [`Error::NotCommitted`], [`Error::NotRevealed`], [`Error::OwnJob`],
		/// [`Error::BadProof`], [`Error::NotFraud`]. Events: [`Event::FraudProven`],
		/// [`Event::AttemptFailed`].
		#[pallet::call_index(5)]
		#[pallet::weight(Pallet::<T>::prove_fraud_weight(proof))]
		pub fn prove_fraud(
			origin: OriginFor<T>,
			job: JobId,
			proof: ElementProof,
		) -> DispatchResultWithPostInfo {
			let reporter = ensure_signed(origin)?;
			Self::do_prove_fraud(reporter, job, proof)
		}
	}
}
