// SPDX-License-Identifier: Apache-2.0

//! A run: blocks of random transactions on a chain of three validators, with the laws held after each.

use super::{
	calls::{Ideas, Plan},
	chain::{self, Fate},
	coverage::Coverage,
	laws::{self, Stakes},
	world::{View, World},
};
use crate::{time::DAYS, AccountId, Runtime, RuntimeEvent, Session, System};
use codec::Encode;
use frame_system::Phase;
use sp_core::storage::StateVersion;
use sp_io::TestExternalities;
use sp_runtime::{Permill, Storage};
use std::{
	cell::RefCell,
	collections::BTreeSet,
	panic::{catch_unwind, AssertUnwindSafe},
	rc::Rc,
	time::{Duration, Instant},
};
use tensornet_tensor::arbitrary::Random;

/// After so many transactions the state is copied, so that what was deleted takes no room.
const CHAPTER: u64 = 16_384;

/// What to run.
#[derive(Clone, Copy, Debug)]
pub struct Order {
	/// Every choice follows from it.
	pub seed: u64,
	/// How many transactions.
	pub calls: u64,
	/// Whether the chain once lets a month pass, in which bonds unbond and votes unlock. Takes as long as
	/// some hundred thousand transactions.
	pub month: bool,
}

/// What a run gave.
pub struct Report {
	/// Blocks in all.
	pub blocks: u64,
	/// Eras that began.
	pub eras: u32,
	/// Transactions that got into a block.
	pub included: u64,
	/// Those of them whose call succeeded.
	pub succeeded: u64,
	/// How long it took.
	pub took: Duration,
	/// The state root at the end: equal orders give equal ones.
	pub root: String,
	/// What was reached.
	pub coverage: Coverage,
}

/// What a failing run was at.
#[derive(Default)]
struct Journal {
	block: u32,
	calls: u64,
	plans: Vec<(Option<AccountId>, crate::RuntimeCall)>,
}

/// The chain of a run.
struct Run {
	order: Order,
	random: Random,
	world: World,
	report: Report,
	pure: BTreeSet<AccountId>,
	journal: Rc<RefCell<Journal>>,
}

/// Carries out an order. Fails with the story of the block that broke a law or panicked.
pub fn run(order: Order) -> Result<Report, String> {
	let journal = Rc::new(RefCell::new(Journal::default()));
	let seen = journal.clone();
	match catch_unwind(AssertUnwindSafe(|| Run::start(order, seen))) {
		Ok(Ok(report)) => Ok(report),
		Ok(Err(broken)) => Err(story(&order, &journal.borrow(), &broken)),
		Err(panic) => {
			let told = panic
				.downcast_ref::<String>()
				.cloned()
				.or_else(|| panic.downcast_ref::<&str>().map(|told| told.to_string()))
				.unwrap_or_default();
			Err(story(&order, &journal.borrow(), &format!("panicked: {told}")))
		}
	}
}

/// What is needed to see a failure again.
fn story(order: &Order, journal: &Journal, broken: &str) -> String {
	let mut told = format!(
		"{broken}\nseed {}, block {}, transaction {}; again: \
		 scripts/fuzz_runtime.sh --seed {} --calls {}{}\nthe transactions of the block:\n",
		order.seed,
		journal.block,
		journal.calls,
		order.seed,
		journal.calls + 1,
		if order.month { " --month 1" } else { "" },
	);
	for (place, (signer, call)) in journal.plans.iter().enumerate() {
		let who = signer.as_ref().map_or("nobody".into(), |who| who.to_string());
		let mut text = format!("{call:?}");
		if text.len() > 240 {
			text = text.chars().take(240).collect::<String>() + "…";
		}
		told.push_str(&format!("{place:>4} {who}: {text}\n"));
	}
	if let Some((_, call)) = journal.plans.last() {
		let hex: String = call.encode().iter().map(|byte| format!("{byte:02x}")).collect();
		told.push_str(&format!("the last call, encoded: 0x{hex}\n"));
	}
	told
}

impl Run {
	fn start(order: Order, journal: Rc<RefCell<Journal>>) -> Result<Report, String> {
		let started = Instant::now();
		let mut random = Random::new(order.seed);
		let mut preset = super::super::preset("local_testnet");
		// At the preset's pace an era is a minute, and referenda are decided in one. At a slower one eras
		// have several sessions, and validators are expected to be there.
		if order.seed % 4 == 3 {
			preset["governance"]["pace"] = 6.into();
		}
		let mut ext = super::super::state_of(preset);
		let world = ext.execute_with(|| World::new(&mut random));
		let report = Report {
			blocks: 0,
			eras: 0,
			included: 0,
			succeeded: 0,
			took: Duration::ZERO,
			root: String::new(),
			coverage: Coverage::default(),
		};
		let mut run = Self { order, random, world, report, pure: BTreeSet::new(), journal };
		while run.calls() < order.calls {
			let until = (run.calls() + CHAPTER).min(order.calls);
			ext = copied(ext, |ext| ext.execute_with(|| run.chapter(until)))?;
		}
		run.report.root = ext.execute_with(|| {
			// Signatures are random: a block without any, and the bytes of transactions left out.
			run.pass(1, None)?;
			let bytes = frame_support::storage::storage_prefix(b"System", b"ExtrinsicData");
			sp_io::storage::clear_prefix(&bytes, None);
			let root = sp_io::storage::root(StateVersion::V1);
			let hex: Vec<String> = root.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
			Ok::<String, String>(hex.concat())
		})?;
		run.report.took = started.elapsed();
		Ok(run.report)
	}

	fn calls(&self) -> u64 {
		self.journal.borrow().calls
	}

	/// Blocks until so many transactions have been tried.
	fn chapter(&mut self, until: u64) -> laws::Verdict {
		while self.calls() < until {
			let most = match self.random.below(8) {
				0 => 1 + self.random.below(8),
				1 => 400,
				_ => 60 + self.random.below(120),
			};
			self.block(most.min(until - self.calls()))?;
			let absent = self.random.once_in(3).then(|| self.somebody_absent()).flatten();
			let pause = match self.random.below(240) {
				0..=19 => 1 + self.random.below(12),
				20..=27 => 12 + self.random.below(60),
				28..=30 => chain::epoch(),
				31 => 500 + self.random.below(1_500),
				_ => 0,
			};
			self.pass(pause, absent.as_ref())?;
		}
		if self.order.month {
			self.order.month = false;
			self.pass(u64::from(28 * DAYS) + 10, None)?;
		}
		let open: BTreeSet<crate::Hash> =
			pallet_tensornet_poc::Commitments::<Runtime>::iter_values()
				.map(|commitment| commitment.seal)
				.collect();
		self.world.library.forget(|seal| open.contains(seal));
		Ok(())
	}

	fn somebody_absent(&mut self) -> Option<AccountId> {
		let set = Session::validators();
		set.get(self.random.below(set.len().max(1) as u64) as usize).cloned()
	}

	/// Blocks in which nobody does anything.
	fn pass(&mut self, blocks: u64, absent: Option<&AccountId>) -> laws::Verdict {
		if blocks == 0 {
			return Ok(());
		}
		for _ in 0..blocks {
			self.open(0, absent, false);
			let before = System::block_number().is_multiple_of(64).then(Stakes::now);
			chain::finish_block()?;
			laws::somebody_makes_blocks()?;
			laws::blocks_keep_their_limits()?;
			if before.is_some() {
				laws::state(&self.pure)?;
			}
			self.report.blocks += 1;
		}
		laws::state(&self.pure)
	}

	/// Opens the next block.
	fn open(&mut self, skip: u64, absent: Option<&AccountId>, busy: bool) {
		{
			let mut journal = self.journal.borrow_mut();
			journal.block = System::block_number() + 1;
			journal.plans.clear();
		}
		let era = pallet_tensornet_validators::CurrentEra::<Runtime>::get().index;
		chain::begin_block(self.order.seed, skip, absent, busy);
		let now = pallet_tensornet_validators::CurrentEra::<Runtime>::get().index;
		self.report.eras += now.saturating_sub(era);
	}

	/// A block of up to `most` transactions.
	fn block(&mut self, most: u64) -> laws::Verdict {
		let before = Stakes::now();
		// Slots without a block: some, a session's, or those of several sessions.
		let skip = match self.random.below(160) {
			0..=19 => self.random.below(4),
			20..=23 => chain::epoch(),
			24 => chain::epoch() * self.random.below(6),
			_ => 0,
		};
		self.open(skip, None, true);
		let view = View::read();
		let mut done: Vec<(crate::RuntimeCall, Fate)> = Vec::new();
		for _ in 0..most {
			let ideas =
				&mut Ideas { random: &mut self.random, world: &mut self.world, view: &view };
			let Plan { signer, call, asset } = ideas.next();
			{
				let mut journal = self.journal.borrow_mut();
				journal.calls += 1;
				journal.plans.push((signer.clone(), call.clone()));
			}
			let fate = match &signer {
				Some(who) => {
					let key = self.world.keys.get(who).copied();
					chain::apply_signed(who, key, &call, asset, &mut self.random)?
				}
				None => chain::apply_unsigned(&call)?,
			};
			if let Fate::Done { result, .. } = &fate {
				self.report.included += 1;
				self.report.succeeded += u64::from(result.is_ok());
			}
			done.push((call, fate));
		}
		chain::finish_block()?;
		self.report.blocks += 1;
		let events = self.sort_out(done);
		laws::state(&self.pure)?;
		laws::block(&before, &events)
	}

	/// Counts what happened in the block. Returns its events.
	fn sort_out(&mut self, done: Vec<(crate::RuntimeCall, Fate)>) -> Vec<RuntimeEvent> {
		// The inherent is the first extrinsic.
		let mut of_each: Vec<Vec<RuntimeEvent>> = vec![Vec::new(); done.len() + 1];
		let mut all = Vec::new();
		for record in System::read_events_no_consensus() {
			let record = *record;
			self.report.coverage.note(&record.event);
			if let RuntimeEvent::Proxy(pallet_proxy::Event::PureCreated {
				pure,
				who,
				proxy_type,
				disambiguation_index,
				at,
				extrinsic_index,
			}) = &record.event
			{
				self.pure.extend([pure.clone(), who.clone()]);
				let made = (
					pure.clone(),
					who.clone(),
					*proxy_type,
					*disambiguation_index,
					*at,
					*extrinsic_index,
				);
				self.world.pure.push(made);
				if self.world.pure.len() > 32 {
					self.world.pure.remove(0);
				}
			}
			if let Phase::ApplyExtrinsic(index) = record.phase {
				if let Some(events) = of_each.get_mut(index as usize) {
					events.push(record.event.clone());
				}
			}
			all.push(record.event);
		}
		let mut index = 1;
		for (call, fate) in &done {
			let events: &[RuntimeEvent] = match fate {
				Fate::Done { .. } => {
					index += 1;
					&of_each[index - 1][..]
				}
				Fate::Refused => &[],
			};
			self.report.coverage.count(call, fate, events);
		}
		all
	}
}

/// Runs `chapter`, and returns a copy of the state that it left, without what was deleted.
fn copied(
	mut ext: TestExternalities,
	chapter: impl FnOnce(&mut TestExternalities) -> laws::Verdict,
) -> Result<TestExternalities, String> {
	chapter(&mut ext)?;
	let mut pairs: Vec<(Vec<u8>, Vec<u8>)> = Vec::new();
	ext.execute_with(|| {
		let mut key = Vec::new();
		while let Some(next) = sp_io::storage::next_key(&key) {
			if let Some(value) = sp_io::storage::get(&next) {
				pairs.push((next.clone(), value.to_vec()));
			}
			key = next;
		}
	});
	let mut copy = TestExternalities::new(Storage::default());
	copy.execute_with(|| {
		for (key, value) in &pairs {
			sp_io::storage::set(key, value);
		}
	});
	Ok(copy)
}

/// A share of successes that says whether a run does more than fail.
pub fn success(report: &Report) -> Permill {
	Permill::from_rational(report.succeeded, report.included.max(1))
}
