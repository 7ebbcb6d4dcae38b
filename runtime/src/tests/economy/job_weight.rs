// SPDX-License-Identifier: Apache-2.0

//! What a job's life takes of the database, counted on the chain itself; what that makes of a block; and
//! that drawing a node costs the same whatever the number of nodes.

use super::*;
use crate::weights::shared;
use frame_support::{storage::StoragePrefixedMap, traits::WhitelistedStorageKeys};
use frame_system::limits::BlockWeights as Limits;
use std::{collections::BTreeSet, time::Instant};
use tensornet_protocol::MAX_DRAWS;

type EscrowWeight = <Runtime as pallet_tensornet_escrow::Config>::WeightInfo;
type PocWeight = <Runtime as pallet_tensornet_poc::Config>::WeightInfo;

/// The keys that a step read from the database and those that it wrote to it, each once.
#[derive(Default)]
struct Touched {
	read: BTreeSet<Vec<u8>>,
	written: BTreeSet<Vec<u8>>,
}

/// A value and its copy.
fn twice<Value: Clone + Default>() -> (Value, Value) {
	let value = Value::default();
	(value.clone(), value)
}

/// Runs a step on a state of which nothing is in memory.
fn touched(ext: &mut TestExternalities, step: impl FnOnce()) -> Touched {
	ext.commit_all().expect("nothing is half done");
	let (recorder, seen) = twice();
	ext.execute_with_recorder(recorder, step);
	Touched {
		read: seen
			.recorded_keys()
			.into_values()
			.flat_map(|keys| keys.into_keys())
			.map(|key| key.to_vec())
			.collect(),
		written: ext.overlayed_changes().changes().map(|(key, _)| key.clone()).collect(),
	}
}

impl Touched {
	/// Without what every block pays for once, and without the account of `signer`, which every
	/// transaction pays for.
	fn own(mut self, signer: Option<Sr25519Keyring>) -> (usize, usize) {
		let mut others: BTreeSet<Vec<u8>> =
			shared::keys().into_iter().map(|(key, _)| key).collect();
		others.extend(
			AllPalletsWithSystem::whitelisted_storage_keys().into_iter().map(|whole| whole.key),
		);
		others.extend(
			signer.map(|who| frame_system::Account::<Runtime>::hashed_key_for(who.to_account_id())),
		);
		// The agendas' own books: each hook pays for them by block.
		let books = [
			pallet_tensornet_escrow::Agenda::<Runtime>::final_prefix(),
			pallet_tensornet_escrow::AgendaCursor::<Runtime>::final_prefix(),
			pallet_tensornet_poc::Agenda::<Runtime>::final_prefix(),
			pallet_tensornet_poc::NextDue::<Runtime>::hashed_key(),
		];
		let counts = |key: &Vec<u8>| {
			!others.contains(key)
				&& !books.iter().any(|prefix| key.starts_with(prefix))
				&& !key.starts_with(b":")
		};
		self.read.retain(counts);
		self.written.retain(counts);
		(self.read.len(), self.written.len())
	}
}

/// A chain with a program of Dave's, Eve's node, and Ferdie as the sponsor of all who work, Bob who asks
/// for the work among them.
fn market() -> TestExternalities {
	let mut ext = chain();
	ext.execute_with(|| {
		rare_audits();
		register_program(Dave);
		register_node(Eve, UNIT);
		assert_ok!(ConsensusChain::join(origin(Ferdie)));
		for who in [Bob, Dave, Eve] {
			assert_ok!(ConsensusChain::set_sponsor(origin(who), Ferdie.to_account_id()));
		}
	});
	ext
}

fn program() -> Hash {
	Hash::from(root(&product().encode()))
}

/// What happens by itself at the start of the next block, in the escrow and in proof of compute.
fn next_block(ext: &mut TestExternalities) -> [Touched; 2] {
	let block = ext.execute_with(|| {
		let block = System::block_number();
		Poc::on_finalize(block);
		System::set_block_number(block + 1);
		block + 1
	});
	let escrow = touched(ext, || {
		Escrow::on_initialize(block);
	});
	let poc = touched(ext, || {
		Poc::on_initialize(block);
	});
	[escrow, poc]
}

/// Plays a job of Bob's on Eve's node and counts what each step of its life reads and writes.
fn count_life(ext: &mut TestExternalities) -> [(&'static str, (usize, usize)); 6] {
	let job = ext.execute_with(pallet_tensornet_escrow::NextJobId::<Runtime>::get);
	let state = |ext: &mut TestExternalities| ext.execute_with(|| Escrow::job_state(job));
	let call = |ext: &mut TestExternalities, who: Sr25519Keyring, call: RuntimeCall| {
		let touched = touched(ext, || {
			assert_ok!(call.dispatch(origin(who)));
		});
		ext.execute_with(|| touched.own(Some(who)))
	};
	let posting = ext.execute_with(|| submit_call(program(), UNIT));
	let posted = call(ext, Bob, posting);
	let assigned = loop {
		let [escrow, _] = next_block(ext);
		if state(ext) == Some(JobState::Assigned) {
			break ext.execute_with(|| escrow.own(None));
		}
	};
	let sealed = ext.execute_with(|| commit_call(job, Eve));
	let committed = call(ext, OPERATOR, sealed);
	let revealed = call(ext, OPERATOR, reveal_call(job));
	let (mut drawn, mut settled) = (None, (0, 0));
	while state(ext) == Some(JobState::Committed) {
		let [_, poc] = next_block(ext);
		let own = ext.execute_with(|| poc.own(None));
		// The first thing that happens after the reveal is the draw, the last one the settlement.
		if own.1 > 0 {
			drawn = drawn.or(Some(own));
			settled = own;
		}
	}
	assert_eq!(state(ext), Some(JobState::Settled));
	[
		("post", posted),
		("assign", assigned),
		("commit", committed),
		("reveal", revealed),
		("draw", drawn.expect("a draw")),
		("settle", settled),
	]
}

#[test]
fn each_step_of_a_life_touches_as_much_of_the_database_as_it_weighs() {
	let mut ext = market();
	let first = count_life(&mut ext);
	let second = count_life(&mut ext);
	println!("first job of a node's era: {first:?}");
	println!("any other: {second:?}");
	assert_eq!(
		second,
		[
			("post", (3, 3)),
			("assign", (4, 2)),
			("commit", (3, 2)),
			("reveal", (3, 1)),
			("draw", (2, 1)),
			("settle", (15, 14)),
		]
	);
	// What the first one of an era takes more is in the weight of settling.
	assert!(first[5].1 .0 <= 17 && first[5].1 .1 <= 15, "{first:?}");
	ext.execute_with(ledger_is_whole);
}

#[test]
fn what_waits_for_ancestors_reaches_them_in_a_block_with_time_left() {
	let mut ext = market();
	count_life(&mut ext);
	ext.execute_with(|| {
		let waiting = || ConsensusChain::waiting(Eve.to_account_id());
		assert!(waiting() > 0);
		ConsensusChain::on_idle(System::block_number(), Weight::MAX);
		assert_eq!(waiting(), 0);
		ledger_is_whole();
	});
}

#[test]
fn a_block_pays_for_as_many_shared_items_as_there_are() {
	chain().execute_with(|| {
		let keys = shared::keys();
		let unique: BTreeSet<_> = keys.iter().map(|(key, _)| key).collect();
		assert_eq!(unique.len(), keys.len());
		let written = keys.iter().filter(|(_, written)| *written).count() as u64;
		assert_eq!(
			(keys.len() as u64 + shared::BY_BLOCK, written + shared::BY_BLOCK),
			(shared::READS, shared::WRITES)
		);
	});
}

/// A chain with so many nodes online, of the least bond each: so light that a draw hardly ever ends
/// before the last node it may look at.
fn crowd(nodes: u32) -> TestExternalities {
	use pallet_tensornet_staking::{Nodes, Online, OnlineCount};
	let mut ext = market();
	ext.execute_with(|| {
		let mut node = Nodes::<Runtime>::get(Eve.to_account_id()).expect("it is registered");
		node.bond = 1_000 * UNIT;
		node.reputation = 1;
		for position in 0..nodes {
			let stash = AccountId::new(sp_io::hashing::blake2_256(&position.to_le_bytes()));
			node.position = Some(position);
			Online::<Runtime>::insert(position, &stash);
			Nodes::<Runtime>::insert(&stash, &node);
		}
		OnlineCount::<Runtime>::put(nodes);
	});
	ext
}

#[test]
fn drawing_a_node_reads_as_little_of_a_hundred_thousand_as_of_a_hundred() {
	let mut counted = vec![];
	for nodes in [10, 100, 1_000, 100_000] {
		let mut ext = crowd(nodes);
		let job = ext.execute_with(|| {
			assert_ok!(submit_call(program(), UNIT).dispatch(origin(Bob)));
			pallet_tensornet_escrow::NextJobId::<Runtime>::get() - 1
		});
		ext.commit_all().expect("nothing is half done");
		let [first, _] = next_block(&mut ext);
		let started = Instant::now();
		let [second, _] = next_block(&mut ext);
		let took = started.elapsed();
		let state = ext.execute_with(|| Escrow::job_state(job));
		assert_eq!(state, Some(JobState::Assigned));
		let (reads, writes) = ext.execute_with(|| {
			let (waited, assigned) = (first.own(None), second.own(None));
			(waited.0 + assigned.0, waited.1 + assigned.1)
		});
		println!("{nodes} nodes online: {reads} reads, {writes} writes, the block in {took:?}");
		// The job, two items for each node looked at, and the sanctions list for the one drawn.
		assert!(reads as u32 <= 2 + 2 * MAX_DRAWS.min(nodes), "{reads} reads among {nodes} nodes");
		assert_eq!(writes, 2);
		counted.push(reads);
	}
	assert_eq!(counted[0], 2 + 2 * 10, "all of a few nodes are looked at");
	// Two draws of the same node are one read.
	assert!(counted[1..].iter().all(|reads| *reads >= 2 + 2 * (MAX_DRAWS as usize - 4)));
}

/// The same weights on a database that costs nothing.
mod no_database {
	use frame_support::derive_impl;

	frame_support::construct_runtime!(
		pub struct NoDatabase {
			System: frame_system,
		}
	);

	#[derive_impl(frame_system::config_preludes::TestDefaultConfig)]
	impl frame_system::Config for NoDatabase {
		type Block = frame_system::mocking::MockBlock<NoDatabase>;
	}
}

/// What a job takes of blocks when nothing goes wrong and no audit is drawn, to the end of its records:
/// its three transactions with what comes with each, and what each agenda does for it.
struct Life {
	transactions: Weight,
	escrow: Weight,
	poc: Weight,
}

impl Life {
	fn now() -> Self {
		use pallet_tensornet_escrow::WeightInfo as _;
		use pallet_tensornet_poc::WeightInfo as _;
		let base = BlockWeights::get().get(DispatchClass::Normal).base_extrinsic;
		let transactions = [submit_call(Hash::zero(), UNIT), commit_call(0, Eve), reveal_call(0)]
			.map(|call| signed_transaction(call).get_dispatch_info().total_weight())
			.into_iter()
			.fold(Weight::zero(), |sum, weight| sum.saturating_add(weight).saturating_add(base));
		Self {
			transactions,
			// The draw that looks at the most nodes; the deadline that was met; the outcome's end.
			escrow: EscrowWeight::assign(MAX_DRAWS)
				.saturating_add(EscrowWeight::agenda_entry())
				.saturating_add(EscrowWeight::forget()),
			poc: PocWeight::task_draw(1)
				.saturating_add(PocWeight::task_stale())
				.saturating_add(PocWeight::task_settle())
				.saturating_add(PocWeight::task_forget()),
		}
	}

	fn total(&self) -> Weight {
		self.transactions.saturating_add(self.escrow).saturating_add(self.poc)
	}
}

#[test]
fn six_seconds_of_blocks_fit_hundreds_of_whole_job_lives() {
	chain().execute_with(|| {
		let Life { transactions, escrow, poc } = Life::now();
		let life = Life::now().total();
		let limits: Limits = BlockWeights::get();
		let normal = limits.get(DispatchClass::Normal).max_total.expect("it has a limit");
		let lives = 2 * normal.ref_time() / life.ref_time();
		println!(
			"a job weighs {} us: transactions {}, escrow's agenda {}, proof of compute's {}",
			life.ref_time() / 1_000_000,
			transactions.ref_time() / 1_000_000,
			escrow.ref_time() / 1_000_000,
			poc.ref_time() / 1_000_000,
		);
		println!("{lives} lives in the normal class of two blocks");
		// And so many block for block, with the limits of both agendas and what blocks do besides.
		let agenda = |limit: Weight, step: Weight| limit.ref_time() / step.ref_time();
		let of_escrow =
			agenda(<Runtime as pallet_tensornet_escrow::Config>::ServiceWeight::get(), escrow);
		let of_poc = agenda(<Runtime as pallet_tensornet_poc::Config>::AgendaWeight::get(), poc);
		let whole = limits.max_block.ref_time()
			- limits.base_block.ref_time()
			- shared::SharedWeight::get().ref_time();
		let sustained = 2 * of_escrow.min(of_poc).min(whole / life.ref_time());
		println!("sustained: {sustained} lives in two blocks, every one to its end");
		assert!(lives >= 600, "{lives} lives");
		assert!(sustained >= lives * 9 / 10, "{sustained} of {lives} lives");
	});
}

#[test]
fn a_block_with_full_agendas_has_room_for_the_dearest_answer_to_an_audit() {
	use pallet_tensornet_poc::Config as Poc;
	use pallet_tensornet_poc::WeightInfo as _;
	let kib = |bytes: u64| u32::try_from(bytes.div_ceil(1_024)).expect("it is small");
	let longest: u32 = <Runtime as Poc>::MaxProgramBytes::get();
	let program = kib(longest.into());
	let macs = kib(<Runtime as Poc>::ArbitrationMacs::get());
	let opened = kib(<Runtime as Poc>::ArbitrationBytes::get()) + 8;
	let samples: u32 = <Runtime as Poc>::MaxSamples::get();
	let answer = PocWeight::answer_audit()
		.saturating_add(PocWeight::load_program(program))
		.saturating_add(PocWeight::verify_element(macs, opened).saturating_mul(samples.into()));
	let agendas = <Runtime as pallet_tensornet_escrow::Config>::ServiceWeight::get()
		.saturating_add(<Runtime as Poc>::AgendaWeight::get());
	let base = BlockWeights::get().get(DispatchClass::Normal).base_extrinsic;
	let all = answer.saturating_add(agendas).saturating_add(base).saturating_mul(102) / 100;
	println!("the dearest answer weighs {} us", answer.ref_time() / 1_000_000);
	assert!(all.all_lte(BlockWeights::get().max_block), "{all:?}");
}

#[test]
fn the_calls_and_the_settlement_of_a_job_take_little_beside_the_database() {
	use pallet_tensornet_escrow::{weights::SubstrateWeight as Escrow, WeightInfo as _};
	use pallet_tensornet_poc::{weights::SubstrateWeight as Poc, WeightInfo as _};
	type Bare = no_database::NoDatabase;
	let steps = [
		("post", Escrow::<Bare>::submit_job()),
		("commit", Poc::<Bare>::commit()),
		("reveal", Poc::<Bare>::reveal(1)),
		("settle", Poc::<Bare>::task_settle()),
	];
	let sum: u64 = steps.iter().map(|(_, weight)| weight.ref_time()).sum();
	println!("{steps:?}: {} us", sum / 1_000_000);
	assert!(sum <= 600_000_000, "{sum} ps");
}
