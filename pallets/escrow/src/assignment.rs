// SPDX-License-Identifier: Apache-2.0

//! Finding a node for a job, and finding another one when it fails.

use crate::{Attempt, Config, Event, JobOf, Pallet, Phase, WeightInfo};
use codec::Encode;
use frame_support::{traits::Get, weights::Weight};
use frame_system::pallet_prelude::BlockNumberFor;
use sp_runtime::{
	traits::{One, Saturating, Zero},
	SaturatedConversion,
};
use tensornet_protocol::{
	price_of, Beacon, Candidate, Conduct, Draw, Failure, JobId, Nodes, Requirements, Slash,
	TokenPolicy, MACS_PER_ASK, MAX_DRAWS,
};

/// Separates the draw of a node from other uses of the beacon.
const SUBJECT: &[u8] = b"tensornet/escrow/assign";

/// The largest ask at which `macs` multiply-accumulates cost at most `max_price`: the inverse of
/// [`price_of`], which rounds up. `macs` is below 2^96, so that no step overflows.
pub fn max_ask(macs: u128, max_price: u128) -> u128 {
	if macs.is_zero() {
		return u128::MAX;
	}
	// floor(max_price * 10^9 / macs) without the product, which may not fit.
	let whole = max_price.checked_div(macs).unwrap_or_default().saturating_mul(MACS_PER_ASK);
	let rest = max_price.checked_rem(macs).unwrap_or_default();
	let part = rest.saturating_mul(MACS_PER_ASK).checked_div(macs).unwrap_or_default();
	// `price_of` gives up where macs * ask + 10^9 - 1 does not fit.
	let fits = u128::MAX
		.saturating_sub(MACS_PER_ASK.saturating_sub(1))
		.checked_div(macs)
		.unwrap_or_default();
	whole.saturating_add(part).min(fits)
}

/// What becomes of a job whose attempt failed.
struct NextAttempt<BlockNumber> {
	/// Its number.
	attempt: u8,
	/// The block in which a node is looked for.
	next_try: BlockNumber,
}

impl<T: Config> Pallet<T> {
	/// Multiply-accumulates of all iterations together.
	pub(crate) fn work(macs: u64, iterations: u32) -> u128 {
		u128::from(macs).saturating_mul(iterations.into())
	}

	/// The price of so much work at an ask, the governed floors observed.
	fn price_at(macs: u128, ask: T::Balance) -> Option<T::Balance> {
		let price = price_of(macs, ask.max(T::TokenPolicy::floor_ask()))?;
		Some(price.max(T::MinJobPrice::get()))
	}

	/// The least price of so much work.
	pub(crate) fn least_price(macs: u128) -> Option<T::Balance> {
		Self::price_at(macs, T::TokenPolicy::floor_ask())
	}

	/// Blocks a node has to commit to so much work.
	pub(crate) fn commit_time(macs: u128) -> BlockNumberFor<T> {
		let work = macs.checked_div(T::MacsPerBlock::get().into()).unwrap_or(u128::MAX);
		let work: BlockNumberFor<T> = work.saturated_into();
		T::CommitBase::get().saturating_add(work)
	}

	/// Blocks until a node is looked for: never in the same block.
	pub(crate) fn assign_delay() -> BlockNumberFor<T> {
		T::AssignDelay::get().max(One::one())
	}

	/// The last block in which the job may still be given to a node.
	pub(crate) fn last_start(job: &JobOf<T>) -> BlockNumberFor<T> {
		job.deadline.saturating_sub(Self::commit_time(job.macs))
	}

	/// Looks for a node for a queued job; ends the job if there is no time left for one. Returns what
	/// that took.
	pub(crate) fn serve_queued(id: JobId, mut job: JobOf<T>, now: BlockNumberFor<T>) -> Weight {
		let last_start = Self::last_start(&job);
		if now > last_start {
			Self::expire(id, job, now);
			return T::WeightInfo::expire();
		}
		let requirements = Requirements {
			memory_mib: job.memory_mib,
			max_ask: max_ask(job.macs, job.max_price.into()).saturated_into(),
			compliance_level: job.compliance_level,
			collateral: Self::collateral(job.max_price),
		};
		let seed = T::Beacon::value(&(SUBJECT, id, job.attempt).encode());
		let Draw { candidate, looked_at, checked } =
			T::Nodes::draw(&requirements, seed, job.excluded.as_ref());
		match candidate {
			Some(candidate) => Self::assign(id, job, candidate, now),
			None => {
				let retry = now.saturating_add(T::RetryPeriod::get().max(One::one()));
				// The first block in which it is too late, so that the refund is not.
				let hopeless = last_start.saturating_add(One::one());
				Self::set_phase(id, &mut job, Phase::Queued { next_try: retry.min(hopeless) });
			}
		}
		Self::draw_weight(looked_at, checked)
	}

	/// What it takes to look at so many nodes for a job and to ask for the compliance of so many.
	pub(crate) fn draw_weight(looked_at: u32, checked: u32) -> Weight {
		let more = checked.min(MAX_DRAWS).saturating_sub(1);
		T::WeightInfo::assign(looked_at.min(MAX_DRAWS))
			.saturating_add(T::WeightInfo::compliance().saturating_mul(more.into()))
	}

	fn assign(
		id: JobId,
		mut job: JobOf<T>,
		candidate: Candidate<T::AccountId, T::Balance>,
		now: BlockNumberFor<T>,
	) {
		let Candidate { node, ask } = candidate;
		// A floor raised since the submission cannot take more than the requester agreed to.
		let price = Self::price_at(job.macs, ask).unwrap_or(job.max_price).min(job.max_price);
		let commit_by = now.saturating_add(Self::commit_time(job.macs));
		let collateral = Self::collateral(price);
		T::Nodes::job_taken(&node, collateral);
		let attempt = Attempt { node: node.clone(), price, commit_by, collateral };
		Self::set_phase(id, &mut job, Phase::Assigned(attempt));
		Self::deposit_event(Event::JobAssigned {
			job: id,
			node,
			requester: job.requester,
			price,
			commit_by,
			attempt: job.attempt,
		});
	}

	/// What of its bond a node stakes on a job of this price: what makes a wrong result that is
	/// withheld when an audit draws it a loss on average. Unaudited, with probability `1 − p`, it earns
	/// the price; audited, with probability `p`, it loses the collateral `c`: `c ≥ price / p` leaves it
	/// `(1 − p) × price − p × c < 0`. Where nothing is audited there is nothing to withhold, and the price
	/// is staked.
	pub(crate) fn collateral(price: T::Balance) -> T::Balance {
		let probability = T::AuditProbability::get();
		// The reciprocal of zero panics.
		if probability.is_zero() {
			return price;
		}
		probability.saturating_reciprocal_mul_ceil(price)
	}

	/// Judges the node of a job, then queues the job again or ends it. Returns what was slashed.
	pub(crate) fn fail_attempt(
		id: JobId,
		mut job: JobOf<T>,
		attempt: Attempt<T::AccountId, T::Balance, BlockNumberFor<T>>,
		failure: Failure,
		reporter: Option<&T::AccountId>,
		now: BlockNumberFor<T>,
	) -> Slash<T::Balance> {
		let conduct = match failure {
			Failure::Fraud => Conduct::Fraud,
			// The audit is drawn after the reveal: up to then silence cannot hide a lie.
			Failure::NotCommitted | Failure::NotRevealed => Conduct::Silent,
			Failure::AuditUnanswered => Conduct::Withheld,
		};
		let Attempt { node, collateral, .. } = attempt;
		let slash = T::Nodes::job_released(&node, collateral, conduct, reporter, &job.requester);
		if failure == Failure::Fraud {
			Self::grant_grace(&mut job, now);
		}
		let next = Self::next_attempt(&job, now);
		Self::deposit_event(Event::JobAttemptFailed {
			job: id,
			node: node.clone(),
			requester: job.requester.clone(),
			failure,
			slashed: slash.total,
			to_requester: slash.to_requester,
			to_reporter: slash.to_reporter,
			burned: slash.burned,
			requeued: next.is_some(),
		});
		match next {
			Some(NextAttempt { attempt, next_try }) => {
				job.attempt = attempt;
				job.excluded = Some(node);
				Self::set_phase(id, &mut job, Phase::Queued { next_try });
			}
			None => Self::expire(id, job, now),
		}
		slash
	}

	/// A cheat does not cost the requester the result: moves the deadline to where another attempt
	/// fits, and `FraudGrace` further.
	fn grant_grace(job: &mut JobOf<T>, now: BlockNumberFor<T>) {
		let another =
			now.saturating_add(Self::assign_delay()).saturating_add(Self::commit_time(job.macs));
		job.deadline = job.deadline.max(another).saturating_add(T::FraudGrace::get());
	}

	/// The next attempt at a job, if attempts and time are left for one.
	fn next_attempt(
		job: &JobOf<T>,
		now: BlockNumberFor<T>,
	) -> Option<NextAttempt<BlockNumberFor<T>>> {
		let attempt = job.attempt.checked_add(1).filter(|next| *next < T::MaxAttempts::get())?;
		let next_try = now.saturating_add(Self::assign_delay());
		(next_try <= Self::last_start(job)).then_some(NextAttempt { attempt, next_try })
	}
}
