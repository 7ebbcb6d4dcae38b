// SPDX-License-Identifier: Apache-2.0

//! What is kept about a node.

use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use sp_runtime::{
	traits::{AtLeast32BitUnsigned, SaturatedConversion},
	Permill,
};
use tensornet_protocol::{
	Bonded, Capability, Conduct, Endpoint, EraIndex, Slash, TakenStake, Unbonding,
};

pub use tensornet_protocol::{UnbondChunk, MAX_UNBONDING};

/// Full reputation, in parts per million.
pub const FULL_REPUTATION: u32 = 1_000_000;
/// Reputation of a new node: half of what only completed jobs can earn.
pub const INITIAL_REPUTATION: u32 = FULL_REPUTATION / 2;
/// A completed job closes this part of the gap to full reputation.
pub const REPUTATION_GAIN: u32 = 16;
/// A silence costs this part of the reputation.
pub const REPUTATION_LOSS: u32 = 4;
/// By how much reputation moves towards [`INITIAL_REPUTATION`] with each era that passes.
pub const REPUTATION_DECAY: u32 = 5_000;
/// Full availability, in parts per million.
pub const FULL_AVAILABILITY: u32 = 1_000_000;
/// A sign of life in time closes this part of the gap to full availability.
pub const AVAILABILITY_GAIN: u32 = 16;
/// A missed period costs this part of the availability.
pub const AVAILABILITY_LOSS: u32 = 4;
/// The most missed periods that one sign of life counts. Who was away for long earned nothing then; and
/// when governance begins to ask for signs of life, nobody has given one lately.
pub const MAX_MISSED: u32 = 4;
/// The most nodes that one pick looks at.
pub const PICK_ATTEMPTS: u32 = tensornet_protocol::MAX_DRAWS;
/// The most slashes of one node that are decided and not carried out. A node is not picked when the
/// jobs it has could bring more.
pub const MAX_PENDING: u32 = 32;
/// The most nodes that one heartbeat speaks for.
pub const MAX_HEARTBEATS: u32 = 64;

/// How a node stands with the chain.
#[derive(
	Clone,
	Copy,
	Debug,
	PartialEq,
	Eq,
	Encode,
	Decode,
	DecodeWithMemTracking,
	TypeInfo,
	MaxEncodedLen,
)]
pub enum Standing {
	/// It may go online.
	#[codec(index = 0)]
	Active,
	/// It was proven to lie: only its stash may bring it online again, after a time.
	#[codec(index = 1)]
	Jailed,
	/// It was deregistered and only waits for its bond.
	#[codec(index = 2)]
	Leaving,
}

/// A GPU node.
#[derive(
	Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, TypeInfo, MaxEncodedLen,
)]
pub struct Node<AccountId, Balance, BlockNumber> {
	/// The hot key that does the node's work.
	pub operator: AccountId,
	/// Its price for each 10^9 multiply-accumulates.
	pub ask: Balance,
	/// What it can run.
	pub capability: Capability,
	/// Where it serves outputs and traces.
	pub endpoint: Endpoint,
	/// What it has at stake, without what unbonds.
	pub bond: Balance,
	/// What unbonds, soonest first.
	pub unbonding: Unbonding<Balance, BlockNumber>,
	/// How it stands with the chain.
	pub standing: Standing,
	/// Its place among the online nodes, if it is online.
	pub position: Option<u32>,
	/// Jobs it has now.
	pub active_jobs: u32,
	/// What of all that is held answers for those jobs.
	pub collateral: Balance,
	/// Parts per million, at most [`FULL_REPUTATION`].
	pub reputation: u32,
	/// Jobs whose result stood.
	pub completed: u32,
	/// Jobs in which it was silent or lied.
	pub failed: u32,
	/// The era up to which its reputation has decayed.
	pub era: EraIndex,
	/// What its delegators have at stake with it. It counts in a pick and for no job's collateral.
	pub backing: Balance,
	/// What the node keeps of its delegators' rewards.
	pub commission: Permill,
	/// The era in which it last raised that.
	pub raised_in: Option<EraIndex>,
	/// What decided slashes will take: on hold, and backing nothing.
	pub aside: Balance,
	/// Slashes that are decided and not carried out.
	pub pending: u32,
	/// Those of them that are for fraud.
	pub pending_frauds: u32,
	/// The first block in which it may leave jail; zero while it was not convicted since it last did.
	pub jailed_until: BlockNumber,
	/// The account that may give signs of life for it beside its stash and its operator.
	pub monitor: Option<AccountId>,
	/// The block of its last sign of life.
	pub heartbeat_at: BlockNumber,
	/// Parts per million, at most [`FULL_AVAILABILITY`].
	pub availability: u32,
}

impl<AccountId, Balance, BlockNumber> Bonded for Node<AccountId, Balance, BlockNumber>
where
	Balance: AtLeast32BitUnsigned + Copy,
	BlockNumber: AtLeast32BitUnsigned + Copy,
{
	type Balance = Balance;
	type BlockNumber = BlockNumber;

	fn stake(&self) -> (Balance, &Unbonding<Balance, BlockNumber>) {
		(self.bond, &self.unbonding)
	}

	fn stake_mut(&mut self) -> (&mut Balance, &mut Unbonding<Balance, BlockNumber>) {
		(&mut self.bond, &mut self.unbonding)
	}
}

impl<AccountId, Balance, BlockNumber> Node<AccountId, Balance, BlockNumber>
where
	Balance: AtLeast32BitUnsigned + Copy,
	BlockNumber: AtLeast32BitUnsigned + Copy,
{
	/// A node that has done nothing yet and is offline.
	pub fn new(
		operator: AccountId,
		ask: Balance,
		capability: Capability,
		endpoint: Endpoint,
		bond: Balance,
		era: EraIndex,
	) -> Self {
		Self {
			operator,
			ask,
			capability,
			endpoint,
			bond,
			unbonding: Unbonding::new(),
			standing: Standing::Active,
			position: None,
			active_jobs: 0,
			collateral: Balance::zero(),
			reputation: INITIAL_REPUTATION,
			completed: 0,
			failed: 0,
			era,
			backing: Balance::zero(),
			commission: Permill::zero(),
			raised_in: None,
			aside: Balance::zero(),
			pending: 0,
			pending_frauds: 0,
			jailed_until: BlockNumber::zero(),
			monitor: None,
			heartbeat_at: BlockNumber::zero(),
			availability: FULL_AVAILABILITY,
		}
	}

	/// Whether it may be picked for jobs.
	pub fn is_online(&self) -> bool {
		self.position.is_some()
	}

	/// All that is on hold: what can be slashed, and what is set aside for slashes.
	pub fn on_hold(&self) -> Balance {
		self.held().saturating_add(self.aside)
	}

	/// What of the bond answers for no job yet. Collateral is counted against the bond alone: what
	/// unbonds backs nothing new.
	pub fn free_bond(&self) -> Balance {
		self.bond.saturating_sub(self.collateral)
	}

	/// Undoes [`Bonded::take`]. A node that left since gets all of it where it can be withdrawn.
	pub fn give_back(&mut self, taken: TakenStake<Balance, BlockNumber>) {
		let (bond, unbonding) = match self.standing {
			Standing::Leaving => (Balance::zero(), taken.total()),
			_ => (taken.bond, taken.unbonding),
		};
		self.bond = self.bond.saturating_add(bond);
		if unbonding.is_zero() {
			return;
		}
		let chunk = UnbondChunk { amount: unbonding, unlock_at: taken.unlock_at };
		let place = self.unbonding.partition_point(|one| one.unlock_at < chunk.unlock_at);
		let same = self.unbonding.get(place).is_some_and(|one| one.unlock_at == chunk.unlock_at);
		if !same && self.unbonding.try_insert(place, chunk).is_ok() {
			return;
		}
		// Without a place of its own it waits for the chunk after it.
		let last = self.unbonding.len().saturating_sub(1);
		if let Some(next) = self.unbonding.get_mut(place.min(last)) {
			next.amount = next.amount.saturating_add(unbonding);
		}
	}

	/// Reputation in `era`: what was earned or lost wears off.
	pub fn reputation_in(&self, era: EraIndex) -> u32 {
		let step = REPUTATION_DECAY.saturating_mul(era.saturating_sub(self.era));
		if self.reputation > INITIAL_REPUTATION {
			self.reputation.saturating_sub(step).max(INITIAL_REPUTATION)
		} else {
			self.reputation.saturating_add(step).min(INITIAL_REPUTATION)
		}
	}

	/// Writes down the decay up to `era`.
	pub fn decay(&mut self, era: EraIndex) {
		self.reputation = self.reputation_in(era);
		self.era = era;
	}

	/// Whether its last sign of life is recent enough in block `now`. A `period` of zero asks for none.
	pub fn is_present(&self, now: BlockNumber, period: BlockNumber) -> bool {
		period.is_zero() || now.saturating_sub(self.heartbeat_at) <= period
	}

	/// A sign of life of an online node: one that comes in time raises its availability, and each
	/// missed period lowers it.
	pub fn beat(&mut self, now: BlockNumber, period: BlockNumber) {
		if self.is_present(now, period) {
			let gap = FULL_AVAILABILITY.saturating_sub(self.availability);
			let gain = gap.div_ceil(AVAILABILITY_GAIN);
			self.availability = self.availability.saturating_add(gain).min(FULL_AVAILABILITY);
		} else {
			let missed = now
				.saturating_sub(self.heartbeat_at)
				.checked_div(&period)
				.map_or(0, |missed| missed.min(MAX_MISSED.into()).saturated_into::<u32>());
			for _ in 0..missed {
				let loss = self.availability.div_ceil(AVAILABILITY_LOSS);
				self.availability = self.availability.saturating_sub(loss);
			}
		}
		self.heartbeat_at = now;
	}

	/// A result stood: closes a part of the gap to full reputation, at least one step of it.
	pub fn reward(&mut self) {
		let gap = FULL_REPUTATION.saturating_sub(self.reputation);
		let gain = gap.div_ceil(REPUTATION_GAIN);
		self.reputation = self.reputation.saturating_add(gain).min(FULL_REPUTATION);
		self.completed = self.completed.saturating_add(1);
	}

	/// It was silent: costs a part of the reputation.
	pub fn punish_silence(&mut self) {
		let loss = self.reputation.div_ceil(REPUTATION_LOSS);
		self.reputation = self.reputation.saturating_sub(loss);
		self.failed = self.failed.saturating_add(1);
	}

	/// It lied: costs all reputation and jails it.
	pub fn punish_fraud(&mut self) {
		self.reputation = 0;
		self.standing = Standing::Jailed;
		self.failed = self.failed.saturating_add(1);
	}
}

/// A slash that was decided and can still be cancelled.
#[derive(
	Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, TypeInfo, MaxEncodedLen,
)]
pub struct PendingSlash<AccountId, Balance, BlockNumber> {
	/// Its number, unique on the chain.
	pub id: u32,
	/// What it is for.
	pub conduct: Conduct,
	/// The block in which it was decided.
	pub decided: BlockNumber,
	/// The block from which on it is carried out.
	pub due: BlockNumber,
	/// What was set aside of the node's own stake.
	pub taken: TakenStake<Balance, BlockNumber>,
	/// Delegators keep `left` of each `of` that they have.
	pub left: Balance,
	/// See `left`.
	pub of: Balance,
	/// Who proved it, and its part.
	pub reporter: Option<(AccountId, Balance)>,
	/// Whose job it was, and its part.
	pub requester: Option<(AccountId, Balance)>,
	/// The reputation that it cost.
	pub reputation: u32,
}

impl<AccountId, Balance, BlockNumber> PendingSlash<AccountId, Balance, BlockNumber>
where
	Balance: AtLeast32BitUnsigned + Copy,
{
	/// What it takes from the node's own stake and where that is meant to go.
	pub fn plan(&self) -> Slash<Balance> {
		let part = |payee: &Option<(AccountId, Balance)>| {
			payee.as_ref().map_or_else(Balance::zero, |(_, amount)| *amount)
		};
		let (to_reporter, to_requester) = (part(&self.reporter), part(&self.requester));
		let total = self.taken.total();
		let burned = total.saturating_sub(to_reporter).saturating_sub(to_requester);
		Slash { total, burned, to_reporter, to_requester }
	}
}

/// What a node did in an era, and who shares in what it earns for that.
#[derive(
	Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, TypeInfo, MaxEncodedLen,
)]
pub struct Work<Balance> {
	/// What the settled jobs that it computed burned.
	pub burned: Balance,
	/// Its bond when the first of them settled.
	pub own: Balance,
	/// What its delegators had at stake then who share in the era, as far as it counts.
	pub backed: Balance,
	/// Its commission then.
	pub commission: Permill,
	/// The era before this one in which it worked.
	pub before: Option<EraIndex>,
	/// Whether its reward was claimed.
	pub claimed: bool,
}

/// What is known about the next slash that is due.
#[derive(
	Clone,
	Copy,
	Debug,
	PartialEq,
	Eq,
	Encode,
	Decode,
	DecodeWithMemTracking,
	TypeInfo,
	MaxEncodedLen,
)]
pub struct DueSlashes<BlockNumber> {
	/// Slashes that are decided and not carried out, of all nodes.
	pub count: u32,
	/// The first block whose agenda has not been worked through.
	pub next: BlockNumber,
}
