// SPDX-License-Identifier: Apache-2.0

//! The storage records and events of TensorNet's pallets, as far as clients need them.
//!
//! Fields are decoded by name with the chain's own metadata, so fields that a later runtime adds are
//! skipped. Amounts are in the smallest unit of TNA.

use anyhow::Result;
use scale_decode::DecodeAsType;
use tensornet_protocol::{arbitration::ElementId, JobState};

use crate::{AccountId, Root, Snapshot};

macro_rules! record {
	($(#[$doc:meta])* $name:ident { $($(#[$field_doc:meta])* $field:ident: $ty:ty,)* }) => {
		$(#[$doc])*
		#[derive(Clone, Debug, PartialEq, Eq, DecodeAsType)]
		pub struct $name { $($(#[$field_doc])* pub $field: $ty,)* }
	};
}

record!(
	/// One try of a node at a job.
	Attempt {
		/// Stash account of the node.
		node: AccountId,
		/// What the requester pays if the result stands.
		price: u128,
		/// The last block in which a sealed commitment is accepted.
		commit_by: u32,
	}
);

/// Where a live job is.
#[derive(Clone, Debug, PartialEq, Eq, DecodeAsType)]
pub enum Phase {
	/// Waits for a node.
	Queued {
		/// The block in which a node is looked for next.
		next_try: u32,
	},
	/// A node has it and must commit in time.
	Assigned(Attempt),
	/// A sealed commitment stands.
	Committed(Attempt),
}

record!(
	/// A job that has not ended.
	LiveJob {
		/// Who pays.
		requester: AccountId,
		/// BLAKE3 root of the program.
		program: Root,
		/// Roots of inputs, then of first states.
		blobs: Vec<Root>,
		/// Where those blobs may be fetched.
		hint: Vec<u8>,
		/// How often the program runs.
		iterations: u32,
		/// On hold for the price.
		max_price: u128,
		/// The block by which a commitment must stand.
		deadline: u32,
		/// Which attempt is under way or comes next, from 0.
		attempt: u8,
		/// Where it is.
		phase: Phase,
	}
);

/// A job that has not ended, with the attempt under way pulled up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobRecord {
	/// Who pays.
	pub requester: AccountId,
	/// BLAKE3 root of the program.
	pub program: Root,
	/// Roots of inputs, then of first states.
	pub blobs: Vec<Root>,
	/// Where those blobs may be fetched.
	pub hint: Vec<u8>,
	/// How often the program runs.
	pub iterations: u32,
	/// On hold for the price.
	pub max_price: u128,
	/// The block by which a commitment must stand.
	pub deadline: u32,
	/// Which attempt is under way or comes next, from 0.
	pub attempt: u8,
	/// Where the job is.
	pub state: JobState,
	/// Stash account of the node that has it.
	pub node: Option<AccountId>,
	/// What the requester pays if the result stands.
	pub price: Option<u128>,
	/// The last block in which a sealed commitment is accepted.
	pub commit_by: Option<u32>,
}

impl JobRecord {
	/// Where the job's blobs may be fetched, as text.
	pub fn hint_url(&self) -> String {
		String::from_utf8_lossy(&self.hint).into_owned()
	}
}

impl From<LiveJob> for JobRecord {
	fn from(job: LiveJob) -> Self {
		let (state, attempt) = match job.phase {
			Phase::Queued { .. } => (JobState::Queued, None),
			Phase::Assigned(attempt) => (JobState::Assigned, Some(attempt)),
			Phase::Committed(attempt) => (JobState::Committed, Some(attempt)),
		};
		Self {
			requester: job.requester,
			program: job.program,
			blobs: job.blobs,
			hint: job.hint,
			iterations: job.iterations,
			max_price: job.max_price,
			deadline: job.deadline,
			attempt: job.attempt,
			state,
			node: attempt.as_ref().map(|attempt| attempt.node),
			price: attempt.as_ref().map(|attempt| attempt.price),
			commit_by: attempt.as_ref().map(|attempt| attempt.commit_by),
		}
	}
}

record!(
	/// Where the money of a job went: the amounts add up to what was held.
	Receipt {
		/// Paid to the node.
		paid: u128,
		/// Burned: the job's burn, and what no ancestor received of the consensus-chain fee.
		burned: u128,
		/// Paid to the treasury.
		treasury: u128,
		/// Paid to the author of the program.
		author: u128,
		/// Paid to ancestors in the consensus chain.
		lineage: u128,
		/// Released to the requester.
		refunded: u128,
	}
);

/// How a job ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, DecodeAsType)]
enum State {
	Queued,
	Assigned,
	Committed,
	Settled,
	Expired,
	Cancelled,
}

#[derive(Clone, Debug, DecodeAsType)]
struct RawOutcome {
	state: State,
	requester: AccountId,
	node: Option<AccountId>,
	program: Root,
	held: u128,
	receipt: Receipt,
	ended_at: u32,
}

/// How a job ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
	/// One of the terminal states.
	pub state: JobState,
	/// Who paid.
	pub requester: AccountId,
	/// Whose result stood.
	pub node: Option<AccountId>,
	/// The program.
	pub program: Root,
	/// What was held for the price.
	pub held: u128,
	/// Where that went.
	pub receipt: Receipt,
	/// The block in which the job ended.
	pub ended_at: u32,
}

impl From<RawOutcome> for Outcome {
	fn from(raw: RawOutcome) -> Self {
		let state = match raw.state {
			State::Queued => JobState::Queued,
			State::Assigned => JobState::Assigned,
			State::Committed => JobState::Committed,
			State::Settled => JobState::Settled,
			State::Expired => JobState::Expired,
			State::Cancelled => JobState::Cancelled,
		};
		Self {
			state,
			requester: raw.requester,
			node: raw.node,
			program: raw.program,
			held: raw.held,
			receipt: raw.receipt,
			ended_at: raw.ended_at,
		}
	}
}

/// A live job.
pub async fn job(at: &Snapshot, job: u64) -> Result<Option<JobRecord>> {
	Ok(at.get::<_, LiveJob>("Escrow", "Jobs", (job,)).await?.map(Into::into))
}

/// All live jobs.
pub async fn jobs(at: &Snapshot) -> Result<Vec<(u64, JobRecord)>> {
	let jobs = at.entries::<u64, LiveJob>("Escrow", "Jobs").await?;
	Ok(jobs.into_iter().map(|(number, job)| (number, job.into())).collect())
}

/// How a job ended, for as long as the chain keeps it.
pub async fn outcome(at: &Snapshot, job: u64) -> Result<Option<Outcome>> {
	Ok(at.get::<_, RawOutcome>("Escrow", "Outcomes", (job,)).await?.map(Into::into))
}

/// How jobs ended, as far as the chain keeps it.
pub async fn outcomes(at: &Snapshot) -> Result<Vec<(u64, Outcome)>> {
	let outcomes = at.entries::<u64, RawOutcome>("Escrow", "Outcomes").await?;
	Ok(outcomes.into_iter().map(|(number, outcome)| (number, outcome.into())).collect())
}

/// The number that the next job gets: all jobs below it live or have ended.
pub async fn next_job(at: &Snapshot) -> Result<u64> {
	Ok(at.get::<(), u64>("Escrow", "NextJobId", ()).await?.unwrap_or_default())
}

record!(
	/// What a node can run.
	NodeCapability {
		/// Memory for tensors, in MiB.
		memory_mib: u32,
		/// Measured int8 rate, in 10^9 multiply-accumulates per second.
		giga_macs: u32,
	}
);

record!(
	/// A part of a bond on its way out.
	UnbondChunk {
		/// How much.
		amount: u128,
		/// The first block in which it may be withdrawn.
		unlock_at: u32,
	}
);

/// How a node stands with the chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, DecodeAsType)]
pub enum Standing {
	/// It may go online.
	Active,
	/// It was proven to lie: only its stash may bring it online again.
	Jailed,
	/// It was deregistered and only waits for its bond.
	Leaving,
}

record!(
	/// A GPU node.
	NodeRecord {
		/// The hot key that does the node's work.
		operator: AccountId,
		/// Its price for each 10^9 multiply-accumulates.
		ask: u128,
		/// What it can run.
		capability: NodeCapability,
		/// Where it serves outputs and traces.
		endpoint: Vec<u8>,
		/// What it has at stake, without what unbonds.
		bond: u128,
		/// What unbonds, soonest first.
		unbonding: Vec<UnbondChunk>,
		/// How it stands with the chain.
		standing: Standing,
		/// Its place among the online nodes, if it is online.
		position: Option<u32>,
		/// Jobs it has now.
		active_jobs: u32,
		/// Parts per million.
		reputation: u32,
		/// Jobs whose result stood.
		completed: u32,
		/// Jobs in which it was silent or lied.
		failed: u32,
	}
);

impl NodeRecord {
	/// Where the node serves outputs and traces, as text.
	pub fn endpoint_url(&self) -> String {
		String::from_utf8_lossy(&self.endpoint).into_owned()
	}

	/// What can be withdrawn in a block.
	pub fn unlocked(&self, block: u64) -> u128 {
		let unlocked = self.unbonding.iter().filter(|chunk| u64::from(chunk.unlock_at) <= block);
		unlocked.map(|chunk| chunk.amount).sum()
	}

	/// Whether it may be picked for jobs.
	pub fn is_online(&self) -> bool {
		self.position.is_some()
	}
}

/// A node by its stash account.
pub async fn node(at: &Snapshot, stash: &AccountId) -> Result<Option<NodeRecord>> {
	at.get("ComputeStaking", "Nodes", (*stash,)).await
}

/// All nodes, by their stash accounts.
pub async fn nodes(at: &Snapshot) -> Result<Vec<(AccountId, NodeRecord)>> {
	at.entries("ComputeStaking", "Nodes").await
}

/// The node that an operator key works for.
pub async fn node_of(at: &Snapshot, operator: &AccountId) -> Result<Option<AccountId>> {
	at.get("ComputeStaking", "Operators", (*operator,)).await
}

#[derive(Clone, Debug, DecodeAsType)]
struct RawProgram {
	author: AccountId,
	hint: Vec<u8>,
	macs: u64,
	max_iterations: u32,
	memory_mib: u32,
	arbitration_macs: u64,
	arbitration_bytes: u64,
	live_jobs: u32,
}

/// A registered program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProgramRecord {
	/// Who registered it and earns its royalty.
	pub author: AccountId,
	/// The encoded program.
	pub bytes: Vec<u8>,
	/// Where its constants may be fetched.
	pub hint: Vec<u8>,
	/// Multiply-accumulates of one iteration.
	pub macs: u64,
	/// The most iterations a job may ask for.
	pub max_iterations: u32,
	/// Memory for its tensors, in MiB.
	pub memory_mib: u32,
	/// The most multiply-accumulates that recomputing one element takes.
	pub arbitration_macs: u64,
	/// The most bytes of openings that recomputing one element needs.
	pub arbitration_bytes: u64,
	/// How many jobs need it now.
	pub live_jobs: u32,
}

impl ProgramRecord {
	/// Where its constants may be fetched.
	pub fn hints(&self) -> Vec<String> {
		vec![String::from_utf8_lossy(&self.hint).into_owned()]
	}
}

/// A registered program by its root.
pub async fn program(at: &Snapshot, root: &Root) -> Result<Option<ProgramRecord>> {
	let Some(raw) = at.get::<_, RawProgram>("Poc", "Programs", (*root,)).await? else {
		return Ok(None);
	};
	let bytes = at
		.get::<_, Vec<u8>>("Poc", "ProgramBytes", (*root,))
		.await?
		.ok_or_else(|| anyhow::anyhow!("the chain lists a program without its code"))?;
	Ok(Some(ProgramRecord {
		author: raw.author,
		bytes,
		hint: raw.hint,
		macs: raw.macs,
		max_iterations: raw.max_iterations,
		memory_mib: raw.memory_mib,
		arbitration_macs: raw.arbitration_macs,
		arbitration_bytes: raw.arbitration_bytes,
		live_jobs: raw.live_jobs,
	}))
}

/// Facts about a registered program, without its code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProgramFacts {
	/// Who registered it and earns its royalty.
	pub author: AccountId,
	/// Multiply-accumulates of one iteration.
	pub macs: u64,
	/// The most iterations a job may ask for.
	pub max_iterations: u32,
	/// Memory for its tensors, in MiB.
	pub memory_mib: u32,
	/// How many jobs need it now.
	pub live_jobs: u32,
}

/// All registered programs by their roots.
pub async fn programs(at: &Snapshot) -> Result<Vec<(Root, ProgramFacts)>> {
	let programs = at.entries::<Root, RawProgram>("Poc", "Programs").await?;
	let facts = |raw: RawProgram| ProgramFacts {
		author: raw.author,
		macs: raw.macs,
		max_iterations: raw.max_iterations,
		memory_mib: raw.memory_mib,
		live_jobs: raw.live_jobs,
	};
	Ok(programs.into_iter().map(|(root, raw)| (root, facts(raw))).collect())
}

record!(
	/// One element of a trace that an audit has drawn.
	Sample {
		/// The iteration, from 0.
		iteration: u32,
		/// The checkpoint, in program order.
		checkpoint: u16,
		/// The element, in the storage order of the checkpoint.
		index: u64,
	}
);

/// What the beacon wants of a node.
#[derive(Clone, Debug, PartialEq, Eq, DecodeAsType)]
pub enum Audit {
	/// It has not decided.
	Undrawn,
	/// Nothing.
	Spared,
	/// Proofs of some elements.
	Open {
		/// The elements, in the order drawn.
		samples: Vec<Sample>,
		/// The last block in which the answer is accepted.
		answer_by: u32,
	},
	/// The proofs were given.
	Passed,
}

/// How far a commitment is.
#[derive(Clone, Debug, PartialEq, Eq, DecodeAsType)]
pub enum CommitmentPhase {
	/// Waits to be revealed.
	Sealed {
		/// The last block in which it may be.
		reveal_by: u32,
	},
	/// Revealed: may be challenged.
	Revealed {
		/// The root of the trace's manifest.
		trace_root: Root,
		/// Roots of the outputs, in program order.
		outputs: Vec<Root>,
		/// The block from which on the job may settle.
		settle_at: u32,
		/// What the beacon wants of the node.
		audit: Audit,
	},
}

record!(
	/// An undecided commitment of a node to a job.
	CommitmentRecord {
		/// Stash account of the node.
		node: AccountId,
		/// The seal.
		seal: Root,
		/// How far it is.
		phase: CommitmentPhase,
	}
);

impl CommitmentRecord {
	/// The revealed trace root, or `None` while sealed.
	pub fn revealed(&self) -> Option<Root> {
		match &self.phase {
			CommitmentPhase::Sealed { .. } => None,
			CommitmentPhase::Revealed { trace_root, .. } => Some(*trace_root),
		}
	}

	/// The revealed roots of the outputs, in program order.
	pub fn outputs(&self) -> Option<Vec<Root>> {
		match &self.phase {
			CommitmentPhase::Sealed { .. } => None,
			CommitmentPhase::Revealed { outputs, .. } => Some(outputs.clone()),
		}
	}

	/// The last block in which a sealed commitment may be revealed.
	pub fn reveal_by(&self) -> Option<u32> {
		match &self.phase {
			CommitmentPhase::Sealed { reveal_by } => Some(*reveal_by),
			CommitmentPhase::Revealed { .. } => None,
		}
	}

	/// The block from which on the job may settle.
	pub fn settle_at(&self) -> Option<u32> {
		match &self.phase {
			CommitmentPhase::Sealed { .. } => None,
			CommitmentPhase::Revealed { settle_at, .. } => Some(*settle_at),
		}
	}

	/// Whether the beacon drew it for an audit, as far as is known.
	pub fn is_audited(&self) -> bool {
		let drawn = |audit: &Audit| matches!(audit, Audit::Open { .. } | Audit::Passed);
		matches!(&self.phase, CommitmentPhase::Revealed { audit, .. } if drawn(audit))
	}

	/// Whether a transaction of the block after `block`, in which the commitment stands like this, still
	/// finds it: what the audit is done with settles before the transactions of its block.
	pub fn outlives(&self, block: u64) -> bool {
		match &self.phase {
			CommitmentPhase::Revealed {
				settle_at, audit: Audit::Spared | Audit::Passed, ..
			} => u64::from(*settle_at) > block.saturating_add(1),
			_ => true,
		}
	}

	/// What an open audit asks for: the elements and the last block for the answer.
	pub fn open_audit(&self) -> Option<(Vec<ElementId>, u32)> {
		match &self.phase {
			CommitmentPhase::Revealed { audit: Audit::Open { samples, answer_by }, .. } => {
				let elements = samples
					.iter()
					.map(|sample| ElementId {
						iteration: sample.iteration,
						checkpoint: sample.checkpoint,
						index: sample.index,
					})
					.collect();
				Some((elements, *answer_by))
			}
			_ => None,
		}
	}
}

/// The undecided commitment to a job.
pub async fn commitment(at: &Snapshot, job: u64) -> Result<Option<CommitmentRecord>> {
	at.get("Poc", "Commitments", (job,)).await
}

/// All undecided commitments, by their jobs.
pub async fn commitments(at: &Snapshot) -> Result<Vec<(u64, CommitmentRecord)>> {
	at.entries("Poc", "Commitments").await
}

/// Why an attempt at a job failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, DecodeAsType)]
pub enum Failure {
	/// No sealed commitment in time.
	NotCommitted,
	/// The commitment was not revealed in time.
	NotRevealed,
	/// An audit was not answered in time.
	AuditUnanswered,
	/// An element of the trace was recomputed on chain and differs.
	Fraud,
}

/// How an attempt ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, DecodeAsType)]
pub enum Verdict {
	/// The result stood.
	Verified,
	/// It did not.
	Failed(Failure),
}

record!(
	/// What was revealed for a job, kept for a while after the attempt ended.
	ResultRecord {
		/// Stash account of the node.
		node: AccountId,
		/// The program.
		program: Root,
		/// The root of the trace's manifest.
		trace_root: Root,
		/// Roots of the outputs, in program order.
		outputs: Vec<Root>,
		/// Whether the beacon had drawn the job for an audit.
		audited: bool,
		/// How it ended.
		verdict: Verdict,
	}
);

/// What was revealed for a job whose attempt ended.
pub async fn result(at: &Snapshot, job: u64) -> Result<Option<ResultRecord>> {
	at.get("Poc", "Results", (job,)).await
}

/// What was revealed for jobs whose attempts ended, as far as the chain keeps it.
pub async fn results(at: &Snapshot) -> Result<Vec<(u64, ResultRecord)>> {
	at.entries("Poc", "Results").await
}

record!(
	/// A node was drawn for a job.
	JobAssigned {
		/// The job.
		job: u64,
		/// Stash account of the node.
		node: AccountId,
	}
);

/// The assignments of a block.
pub async fn assignments(at: &Snapshot) -> Result<Vec<JobAssigned>> {
	at.events("Escrow", "JobAssigned").await
}

record!(
	/// A node opened its seal.
	Revealed {
		/// The job.
		job: u64,
		/// Stash account of the node.
		node: AccountId,
	}
);

/// The reveals of a block.
pub async fn reveals(at: &Snapshot) -> Result<Vec<Revealed>> {
	at.events("Poc", "Revealed").await
}
