// SPDX-License-Identifier: Apache-2.0

//! Running a job on the network: post it, follow it, fetch what came out and check it against the
//! chain.
//!
//! [`Requester::run`] does all of it. Its parts are public for those who want to do something in between:
//! [`Order::request`], [`submit`], [`follow`], [`fetch_outputs`].

use anyhow::{bail, ensure, Context, Result};
use serde::Serialize;
use std::{collections::HashMap, time::Duration};
use tensornet_client::{
	calls,
	chain::Receipt,
	execution::blob_sizes,
	records::{self, CommitmentRecord, JobRecord, Outcome, ResultRecord, Verdict},
	AccountId, BlobStore, Chain, Root, Signer, Snapshot, Tna,
};
use tensornet_protocol::{
	price_of, BlobRoots, DataHint, Hash, JobRequest, JobState, MAX_BLOBS, MAX_HINT,
};
use tensornet_tensor::CheckedProgram;
use tokio::sync::Mutex;

use crate::{output::root, signing::event_number};

/// How often the chain is looked at while a job is followed.
const POLL: Duration = Duration::from_millis(500);

/// How long one look at the chain may take. The connection reconnects by itself in the meantime.
const LOOK: Duration = Duration::from_secs(10);

/// How often in a row looking at the chain may fail before following a job is given up.
const TOLERATED_FAILURES: u32 = 20;

/// How often in a row it may fail before that is said.
const TOLD_FAILURES: u32 = 2;

/// How often a node is asked for an output before it counts as withheld, one second apart.
const FETCH_ATTEMPTS: u32 = 15;

/// Blocks that a job may take beyond twice the node's own time: ten minutes, for a second attempt.
const SPARE_BLOCKS: u32 = 200;

/// What a requester wants to have computed.
#[derive(Clone, Debug)]
pub struct Order {
	/// Root of a registered program.
	pub program: Root,
	/// Bytes of each input, in program order and storage layout.
	pub inputs: Vec<Vec<u8>>,
	/// Bytes of each first state.
	pub states: Vec<Vec<u8>>,
	/// How often the program runs.
	pub iterations: u32,
	/// The most the requester pays in all, in the smallest unit of TNA.
	pub max_price: u128,
	/// Blocks until the result is no longer wanted; chosen by the work if `None`.
	pub lifetime: Option<u32>,
	/// Base URL under which nodes find the blobs; the store's own `file://` URL if `None`.
	pub hint: Option<String>,
}

/// A job request together with the program it runs.
pub struct Prepared {
	/// What is posted.
	pub request: JobRequest<u128, u32>,
	/// The program.
	pub program: CheckedProgram,
	/// Blocks from now to the deadline.
	pub lifetime: u32,
}

impl Order {
	/// An order for one iteration of a program without state.
	pub fn new(program: Root, inputs: Vec<Vec<u8>>, max_price: u128) -> Self {
		Self {
			program,
			inputs,
			states: Vec::new(),
			iterations: 1,
			max_price,
			lifetime: None,
			hint: None,
		}
	}

	/// Checks the order against the program on chain, puts its blobs into `store`, and makes the
	/// request. Fails before anything costs money if a blob has a wrong size.
	pub async fn request(&self, at: &Snapshot, store: &BlobStore) -> Result<Prepared> {
		let record = records::program(at, &self.program).await?.with_context(|| {
			format!(
				"no program {} on this chain: tensornet program list shows all, tensornet program \
				 register adds one",
				root(&self.program)
			)
		})?;
		ensure!(
			(1..=record.max_iterations).contains(&self.iterations),
			"the program runs 1 to {} iterations, not {}",
			record.max_iterations,
			self.iterations
		);
		let program = CheckedProgram::decode(&record.bytes)
			.map_err(|error| anyhow::anyhow!("this client cannot read the program: {error}"))?;
		if let Some(least) = least_price(at, &self.program, self.iterations).await? {
			ensure!(
				self.max_price >= least,
				"the chain takes no job of this size for less than {} TNA: offer more than {} TNA",
				Tna(least),
				Tna(self.max_price)
			);
		}
		let roots = self.store_blobs(&program, store)?;
		let macs = u128::from(record.macs) * u128::from(self.iterations);
		let lifetime = match self.lifetime {
			Some(lifetime) => lifetime,
			None => default_lifetime(commit_blocks(at, macs)?),
		};
		let (least, most): (u32, u32) =
			(at.constant("Escrow", "MinLifetime")?, at.constant("Escrow", "MaxLifetime")?);
		let least = least.max(commit_blocks(at, macs)?);
		ensure!(
			(least..=most).contains(&lifetime),
			"a job of this size is wanted for {least} to {most} blocks, not {lifetime}"
		);
		let hint = self.hint.clone().unwrap_or_else(|| store.base_url());
		let now = u32::try_from(at.number())?;
		let request = JobRequest {
			program: Hash::from(self.program),
			blobs: BlobRoots::try_from(roots)
				.map_err(|_| anyhow::anyhow!("a job names at most {MAX_BLOBS} blobs"))?,
			hint: DataHint::try_from(hint.into_bytes())
				.map_err(|_| anyhow::anyhow!("a hint has at most {MAX_HINT} bytes"))?,
			iterations: self.iterations,
			max_price: self.max_price,
			deadline: now.saturating_add(lifetime),
			compliance_level: 0,
		};
		Ok(Prepared { request, program, lifetime })
	}

	fn store_blobs(&self, program: &CheckedProgram, store: &BlobStore) -> Result<Vec<Hash>> {
		let parts = program.program();
		check_count("input", parts.inputs.len(), self.inputs.len())?;
		check_count("state", parts.state.len(), self.states.len())?;
		let given: Vec<&Vec<u8>> = self.inputs.iter().chain(&self.states).collect();
		let sizes = blob_sizes(program, self.iterations);
		// Nothing is stored before all of them are known to be right.
		for (number, (bytes, size)) in given.iter().zip(sizes).enumerate() {
			ensure!(
				bytes.len() as u64 == size,
				"{} has {} bytes, the program needs {size} (see tensornet program inspect)",
				blob_label(number, parts.inputs.len()),
				bytes.len()
			);
		}
		given.into_iter().map(|bytes| Ok(Hash::from(store.put(bytes)?))).collect()
	}
}

fn check_count(what: &str, wanted: usize, given: usize) -> Result<()> {
	ensure!(
		wanted == given,
		"the program has {wanted} {what}(s), {given} given: name one file for each"
	);
	Ok(())
}

fn blob_label(number: usize, inputs: usize) -> String {
	match number.checked_sub(inputs) {
		None => format!("input {number}"),
		Some(state) => format!("state {state}"),
	}
}

fn default_lifetime(commit: u32) -> u32 {
	commit.saturating_mul(2).saturating_add(SPARE_BLOCKS)
}

/// Blocks that the chain gives a node for so many multiply-accumulates.
pub fn commit_blocks(at: &Snapshot, macs: u128) -> Result<u32> {
	let base: u32 = at.constant("Escrow", "CommitBase")?;
	let rate: u64 = at.constant("Escrow", "MacsPerBlock")?;
	let work = macs.checked_div(rate.into()).unwrap_or(u128::MAX);
	Ok(base.saturating_add(u32::try_from(work).unwrap_or(u32::MAX)))
}

/// The least price the chain accepts for a job now, in the smallest unit of TNA; `None` if the
/// program is unknown or the price does not fit.
pub async fn least_price(at: &Snapshot, program: &Root, iterations: u32) -> Result<Option<u128>> {
	at.view("Escrow", "estimate", (*program, iterations)).await
}

/// The prices of so many multiply-accumulates at the lowest and at the highest ask of a node that is
/// online, in the smallest unit of TNA: below the first no node may be drawn, at the second all may.
/// `None` if no node is online or a price does not fit.
pub async fn market_prices(at: &Snapshot, macs: u128) -> Result<Option<(u128, u128)>> {
	let nodes = records::nodes(at).await?;
	let asks = || nodes.iter().filter(|(_, node)| node.is_online()).map(|(_, node)| node.ask);
	let price = |ask: Option<u128>| ask.and_then(|ask| price_of(macs, ask));
	Ok(price(asks().min()).zip(price(asks().max())))
}

/// Posts a job. Returns its number and what the transaction did.
pub async fn submit(
	chain: &Chain,
	signer: &Signer,
	request: JobRequest<u128, u32>,
) -> Result<(u64, Receipt)> {
	let receipt = chain
		.call(&calls::submit_job(request), signer)
		.await
		.context("the job was not accepted")?;
	let job = job_number(&receipt)?;
	Ok((job, receipt))
}

/// The number of the job that a transaction posted.
pub fn job_number(receipt: &Receipt) -> Result<u64> {
	event_number(receipt, "Escrow.JobSubmitted").context("the chain did not say which job it is")
}

/// Where a job is, as a requester sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
	/// Waits for a node.
	Queued,
	/// A node has it.
	Assigned,
	/// The node has committed to a result under a seal.
	Committed,
	/// The result is open to everybody, and to challenge.
	Revealed,
	/// The node has to prove some elements of it.
	Audited,
	/// Ended: the result stood and was paid.
	Settled,
	/// Ended: no result in time; everything held went back.
	Expired,
	/// Ended: withdrawn.
	Cancelled,
}

impl Stage {
	/// All stages, in the order in which a job goes through them.
	pub const ALL: [Stage; 8] = [
		Stage::Queued,
		Stage::Assigned,
		Stage::Committed,
		Stage::Revealed,
		Stage::Audited,
		Stage::Settled,
		Stage::Expired,
		Stage::Cancelled,
	];

	/// Whether the job has ended.
	pub fn is_end(self) -> bool {
		matches!(self, Stage::Settled | Stage::Expired | Stage::Cancelled)
	}

	/// The stage in a word.
	pub fn name(self) -> &'static str {
		match self {
			Stage::Queued => "queued",
			Stage::Assigned => "assigned",
			Stage::Committed => "committed",
			Stage::Revealed => "revealed",
			Stage::Audited => "audited",
			Stage::Settled => "settled",
			Stage::Expired => "expired",
			Stage::Cancelled => "cancelled",
		}
	}
}

/// A job at one block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobStatus {
	/// The job.
	pub job: u64,
	/// Number of the block.
	pub block: u64,
	/// Where it is.
	pub stage: Stage,
	/// Who pays.
	pub requester: AccountId,
	/// The program.
	pub program: Root,
	/// Which attempt is under way, from 0, while the job lives.
	pub attempt: Option<u8>,
	/// Stash account of the node that has it, or whose result stood.
	pub node: Option<AccountId>,
	/// What it costs if the result stands.
	pub price: Option<u128>,
	/// What is or was held for it.
	pub held: u128,
	/// The block by which the next step is due: commitment, reveal, answer or settlement.
	pub due: Option<u32>,
	/// Root of the revealed trace.
	pub trace_root: Option<Root>,
	/// Roots of the revealed outputs, in program order; empty before.
	pub outputs: Vec<Root>,
	/// Whether the beacon drew it for an audit, as far as is known.
	pub audited: bool,
	/// Where the money went, once it has ended.
	pub receipt: Option<records::Receipt>,
	/// The block in which it ended.
	pub ended_at: Option<u32>,
}

impl JobStatus {
	/// A job that has not ended.
	fn live(job: u64, block: u64, live: JobRecord, commitment: Option<CommitmentRecord>) -> Self {
		let mut status = Self {
			job,
			block,
			stage: match live.state {
				JobState::Assigned => Stage::Assigned,
				JobState::Committed => Stage::Committed,
				_ => Stage::Queued,
			},
			requester: live.requester,
			program: live.program,
			attempt: Some(live.attempt),
			node: live.node,
			price: live.price,
			held: live.max_price,
			due: Some(live.commit_by.unwrap_or(live.deadline)),
			trace_root: None,
			outputs: Vec::new(),
			audited: false,
			receipt: None,
			ended_at: None,
		};
		let Some(commitment) = commitment else { return status };
		status.due = commitment.reveal_by().or_else(|| commitment.settle_at());
		status.trace_root = commitment.revealed();
		if let Some(outputs) = commitment.outputs() {
			status.stage = Stage::Revealed;
			status.outputs = outputs;
		}
		if let Some((_, answer_by)) = commitment.open_audit() {
			status.stage = Stage::Audited;
			status.due = Some(answer_by);
		}
		status.audited = commitment.is_audited();
		status
	}

	/// A job that has ended.
	fn ended(job: u64, block: u64, outcome: Outcome, result: Option<ResultRecord>) -> Self {
		let result = result.filter(|result| result.verdict == Verdict::Verified);
		let receipt = outcome.receipt;
		Self {
			job,
			block,
			stage: match outcome.state {
				JobState::Settled => Stage::Settled,
				JobState::Cancelled => Stage::Cancelled,
				_ => Stage::Expired,
			},
			requester: outcome.requester,
			program: outcome.program,
			attempt: None,
			node: outcome.node,
			price: (outcome.state == JobState::Settled).then(|| {
				receipt.paid + receipt.burned + receipt.treasury + receipt.author + receipt.lineage
			}),
			held: outcome.held,
			due: None,
			trace_root: result.as_ref().map(|result| result.trace_root),
			audited: result.as_ref().is_some_and(|result| result.audited),
			outputs: result.map(|result| result.outputs).unwrap_or_default(),
			receipt: Some(receipt),
			ended_at: Some(outcome.ended_at),
		}
	}

	/// Whether somebody who watches would want to hear of the step from `before` to `self`.
	pub fn is_news(&self, before: &JobStatus) -> bool {
		(self.stage, self.attempt, self.node, self.trace_root)
			!= (before.stage, before.attempt, before.node, before.trace_root)
	}
}

/// A job at a block, or `None` if the chain does not know it: it never existed, or ended long ago.
pub async fn status(at: &Snapshot, job: u64) -> Result<Option<JobStatus>> {
	if let Some(live) = records::job(at, job).await? {
		let commitment = records::commitment(at, job).await?;
		return Ok(Some(JobStatus::live(job, at.number(), live, commitment)));
	}
	let Some(outcome) = records::outcome(at, job).await? else { return Ok(None) };
	let result = records::result(at, job).await?;
	Ok(Some(JobStatus::ended(job, at.number(), outcome, result)))
}

/// All jobs that the chain knows at a block, by their numbers.
pub async fn statuses(at: &Snapshot) -> Result<Vec<JobStatus>> {
	let mut commitments: HashMap<_, _> = records::commitments(at).await?.into_iter().collect();
	let mut results: HashMap<_, _> = records::results(at).await?.into_iter().collect();
	let block = at.number();
	let mut all = Vec::new();
	for (job, live) in records::jobs(at).await? {
		all.push(JobStatus::live(job, block, live, commitments.remove(&job)));
	}
	for (job, outcome) in records::outcomes(at).await? {
		all.push(JobStatus::ended(job, block, outcome, results.remove(&job)));
	}
	all.sort_by_key(|status| status.job);
	Ok(all)
}

/// Follows a job in best blocks and reports each change to `seen`, until `enough` or the job's end.
/// An end counts once it is finalized.
pub async fn follow(
	chain: &Chain,
	job: u64,
	mut enough: impl FnMut(&JobStatus) -> bool,
	mut seen: impl FnMut(&JobStatus),
) -> Result<JobStatus> {
	let mut last: Option<JobStatus> = None;
	let mut block = None;
	let mut failures = 0;
	loop {
		let looked = tokio::time::timeout(LOOK, look(chain, job, &mut block)).await;
		match looked.unwrap_or_else(|_| Err(anyhow::anyhow!("the node does not answer"))) {
			Ok(None) => failures = 0,
			Ok(Some(status)) => {
				failures = 0;
				let news = last.as_ref().is_none_or(|last| status.is_news(last));
				if status.stage.is_end() && !is_final(chain, job).await? {
					// It may still be reverted: look again at the next block.
					block = None;
				} else {
					if news {
						seen(&status);
					}
					if status.stage.is_end() || enough(&status) {
						return Ok(status);
					}
					last = Some(status);
				}
			}
			Err(error) => {
				failures += 1;
				if failures >= TOLERATED_FAILURES {
					return Err(error.context(format!("job {job} cannot be followed")));
				}
				if failures == TOLD_FAILURES {
					let error = format!("{error:#}");
					tracing::warn!(job, error, "cannot look at the job; trying on");
				}
			}
		}
		tokio::time::sleep(POLL).await;
	}
}

/// The job at the best block, or `None` if that block was seen already.
async fn look(chain: &Chain, job: u64, seen: &mut Option<Root>) -> Result<Option<JobStatus>> {
	let best = chain.best().await?;
	if *seen == Some(best.hash()) {
		return Ok(None);
	}
	let status = status(&best, job).await?.with_context(|| {
		format!("the chain knows no job {job}: it never existed or ended long ago")
	})?;
	*seen = Some(best.hash());
	Ok(Some(status))
}

async fn is_final(chain: &Chain, job: u64) -> Result<bool> {
	let status = status(&chain.finalized().await?, job).await?;
	Ok(status.is_some_and(|status| status.stage.is_end()))
}

/// Fetches the outputs of a revealed job from its node into `store`. What arrives is hashed and
/// compared with the roots on chain, so a result is either the committed one or an error.
pub async fn fetch_outputs(
	at: &Snapshot,
	program: &CheckedProgram,
	node: &AccountId,
	roots: &[Root],
	store: &BlobStore,
) -> Result<Vec<Vec<u8>>> {
	let endpoint = records::node(at, node)
		.await?
		.context("the node is not registered any more, so nobody says where its outputs are")?
		.endpoint_url();
	let values = &program.program().outputs;
	ensure!(
		values.len() == roots.len(),
		"the chain names {} outputs, the program has {}",
		roots.len(),
		values.len()
	);
	let mut outputs = Vec::new();
	for (value, root) in values.iter().zip(roots) {
		let size = program.value_type(*value).map_or(0, |ty| ty.bytes());
		let mut attempt = 1;
		let bytes = loop {
			match store.get_or_fetch(root, std::slice::from_ref(&endpoint), size).await {
				Ok(bytes) => break bytes,
				Err(error) if attempt >= FETCH_ATTEMPTS => {
					return Err(error.context("the node does not serve what it committed to"))
				}
				Err(_) => attempt += 1,
			}
			tokio::time::sleep(Duration::from_secs(1)).await;
		};
		ensure!(
			bytes.len() as u64 == size,
			"an output has {} bytes, the program makes {size}",
			bytes.len()
		);
		outputs.push(bytes);
	}
	Ok(outputs)
}

/// What a job gave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobResult {
	/// The job.
	pub job: u64,
	/// Stash account of the node that computed it.
	pub node: AccountId,
	/// Bytes of each output, in program order and storage layout.
	pub outputs: Vec<Vec<u8>>,
	/// Their roots.
	pub output_roots: Vec<Root>,
	/// Root of the trace, which anyone may check.
	pub trace_root: Root,
	/// What the requester pays if the result stands, in the smallest unit of TNA.
	pub price: u128,
	/// Number of the best block in which the result was seen.
	pub block: u64,
}

/// Somebody who has programs run on the network. May have many jobs under way at once.
pub struct Requester {
	chain: Chain,
	signer: Signer,
	store: BlobStore,
	/// Held while a job is posted, so that no nonce is used twice.
	turn: Mutex<()>,
}

impl Requester {
	/// A requester who pays with a key. Inputs and outputs are kept in `store`, whose folder nodes must
	/// be able to read.
	pub fn new(chain: Chain, signer: Signer, store: BlobStore) -> Self {
		Self { chain, signer, store, turn: Mutex::new(()) }
	}

	/// Runs one iteration of a program without state: posts the job, waits until a node reveals its
	/// result, fetches the outputs from that node and checks them against the roots on chain.
	///
	/// `inputs` has the bytes of each program input in storage layout. Pays at most `max_price`, in
	/// the smallest unit of TNA. Each step of the job is reported to `seen`.
	///
	/// The result is what the node has staked its bond on. It is final once the job settles; wait for
	/// that with [`follow`] where it matters.
	pub async fn run(
		&self,
		program: Root,
		inputs: Vec<Vec<u8>>,
		max_price: u128,
		seen: impl FnMut(&JobStatus),
	) -> Result<JobResult> {
		let Self { chain, signer, store, turn } = self;
		let order = Order::new(program, inputs, max_price);
		let prepared = order.request(&chain.best().await?, store).await?;
		let job = {
			let _turn = turn.lock().await;
			submit(chain, signer, prepared.request).await?.0
		};
		let revealed = follow(chain, job, |status| status.trace_root.is_some(), seen).await?;
		collect(chain, &prepared.program, &revealed, store).await
	}
}

/// The result of a job that was revealed.
pub async fn collect(
	chain: &Chain,
	program: &CheckedProgram,
	status: &JobStatus,
	store: &BlobStore,
) -> Result<JobResult> {
	let (Some(trace_root), Some(node)) = (status.trace_root, status.node) else {
		bail!("job {} {} without a result", status.job, status.stage.name());
	};
	let at = chain.best().await?;
	let outputs = fetch_outputs(&at, program, &node, &status.outputs, store).await?;
	Ok(JobResult {
		job: status.job,
		node,
		outputs,
		output_roots: status.outputs.clone(),
		trace_root,
		price: status.price.unwrap_or_default(),
		block: status.block,
	})
}

#[cfg(test)]
pub(crate) mod tests {
	use super::*;

	/// A job whose result waits to be final.
	pub(crate) fn revealed() -> JobStatus {
		JobStatus {
			job: 1,
			block: 10,
			stage: Stage::Revealed,
			requester: [1; 32],
			program: [2; 32],
			attempt: Some(0),
			node: Some([3; 32]),
			price: Some(5),
			held: 6,
			due: Some(20),
			trace_root: Some([4; 32]),
			outputs: vec![[5; 32]],
			audited: false,
			receipt: None,
			ended_at: None,
		}
	}

	#[test]
	fn a_later_block_alone_is_no_news() {
		let before = revealed();
		assert!(!JobStatus { block: 11, ..before.clone() }.is_news(&before));
		assert!(JobStatus { stage: Stage::Settled, ..before.clone() }.is_news(&before));
		assert!(JobStatus { attempt: Some(1), ..before.clone() }.is_news(&before));
	}

	#[test]
	fn a_job_leaves_time_for_a_second_attempt() {
		assert_eq!(default_lifetime(30), 260);
		assert_eq!(default_lifetime(u32::MAX), u32::MAX);
	}

	#[test]
	fn blobs_are_named_after_what_they_feed() {
		assert_eq!(blob_label(1, 2), "input 1");
		assert_eq!(blob_label(2, 2), "state 0");
	}

	#[test]
	fn a_wrong_number_of_files_is_refused() {
		assert!(check_count("input", 1, 1).is_ok());
		let error = check_count("input", 2, 1).unwrap_err().to_string();
		assert!(error.contains("2 input(s), 1 given"), "{error}");
	}
}
