// SPDX-License-Identifier: Apache-2.0

//! Benchmarks of the calls, of the tasks, and of the parts of a verification.

#![allow(clippy::arithmetic_side_effects, clippy::expect_used)]

use crate::*;
use alloc::{vec, vec::Vec};
use codec::Encode;
use frame_benchmarking::v2::*;
use frame_support::{
	traits::Get,
	weights::{Weight, WeightMeter},
	BoundedVec,
};
use frame_system::{pallet_prelude::BlockNumberFor, RawOrigin};
use sp_runtime::traits::Saturating;
use tensornet_commitment::{root, Manifest, Opening, Outboard};
use tensornet_protocol::{
	arbitration::{self, ElementId, ElementProof, JobRoots},
	BlobRoots, Hash, JobId, AGENDA_PAGE,
};
use tensornet_tensor::*;

/// Sets up what only the other pallets can.
pub trait BenchmarkHelper<AccountId> {
	/// An account that can pay the deposit of any program.
	fn author() -> AccountId;

	/// A new job for a registered program, assigned to a node. Returns its number and the operator of
	/// that node.
	fn assign(program: Hash, blobs: BlobRoots, iterations: u32) -> (JobId, AccountId);

	/// Gives the node, the requester and the author of an assigned job a sponsor each.
	fn sponsors(job: JobId);
}

const SALT: [u8; 32] = [7; 32];

/// Operators in a row before the committed ones: an even number.
const CHAIN: u16 = 60;

/// A program of about `kib` KiB that is as dear to analyse as that length allows: a chain of
/// operators, then as many committed ones as fit, each of which is followed back through the whole
/// chain. An inline constant fills the rest. Its first committed element is the input's complement.
fn long_program<T: Config>(kib: u32) -> Program {
	let most = T::MaxCheckpoints::get().min(MAX_NODES as u32 - u32::from(CHAIN));
	let count = kib.saturating_mul(64).clamp(1, most) as u16;
	let ty = TensorType::new(DType::I32, [1]);
	let mut program = Program {
		format: FORMAT,
		inputs: vec![Input { ty, layout: Layout::row_major(), per_iteration: false }],
		constants: vec![],
		state: vec![],
		nodes: vec![],
		outputs: vec![],
		checkpoints: vec![],
		max_iterations: 1,
	};
	// A node takes five bytes and its checkpoint three.
	let used = usize::from(count) * 8 + usize::from(CHAIN) * 5 + 64;
	let padding = (kib as usize * 1024).saturating_sub(used).max(1);
	program.constants.push(Constant {
		ty: TensorType::new(DType::I8, [padding as u32]),
		layout: Layout::row_major(),
		data: ConstantData::Inline(vec![1; padding]),
	});
	// The input is value 0, the padding value 1.
	let node = |operand| Node { op: Op::Unary(Unary::BitwiseNot), operands: vec![operand] };
	for number in 0..CHAIN {
		program.nodes.push(node(if number == 0 { 0 } else { number + 1 }));
	}
	for value in (CHAIN + 2..).take(count.into()) {
		program.nodes.push(node(CHAIN + 1));
		program.checkpoints.push(Checkpoint { value, layout: Layout::row_major() });
	}
	program.outputs.push(CHAIN + 2);
	program
}

/// A program with one element that takes about `steps` times 1024 multiply-accumulates: the sum over
/// a product of two 128-wide matrices. A second input, which is never read, only lengthens proofs.
fn dear_program(steps: u32, kib: u32) -> Program {
	let depth = (steps.saturating_mul(1024).saturating_sub(16_640) / 16_384).max(1);
	let input = |shape: [u32; 3], axes: &[u8]| Input {
		ty: TensorType::new(DType::I8, shape),
		layout: Layout::new(axes),
		per_iteration: false,
	};
	let sum = |axis| Op::Reduce { reduction: Reduction::Sum, axis };
	let node = |op, operands: &[u16]| Node { op, operands: operands.to_vec() };
	Program {
		format: FORMAT,
		inputs: vec![
			input([1, 128, depth], &[0, 1, 2]),
			input([1, depth, 128], &[0, 2, 1]),
			input([1, 1, kib.max(1) * 1024], &[0, 1, 2]),
		],
		constants: vec![],
		state: vec![],
		nodes: vec![
			node(Op::MatMul { a_zero_point: 0, b_zero_point: 0 }, &[0, 1]),
			node(sum(1), &[3]),
			node(sum(2), &[4]),
		],
		outputs: vec![5],
		checkpoints: vec![Checkpoint { value: 5, layout: Layout::row_major() }],
		max_iterations: 1,
	}
}

fn blob(len: usize) -> Vec<u8> {
	(0..len).map(|i| (i % 251) as u8).collect()
}

fn open_all(bytes: &[u8]) -> Opening {
	Outboard::new(bytes).open(bytes, [0..bytes.len() as u64]).expect("the range is in the blob")
}

/// The blobs of a job of `program`.
fn blobs_of(program: &Program) -> Vec<Vec<u8>> {
	program.inputs.iter().map(|input| blob(input.ty.bytes() as usize)).collect()
}

fn roots_of(blobs: &[Vec<u8>]) -> BlobRoots {
	let roots: Vec<Hash> = blobs.iter().map(|blob| root(blob).into()).collect();
	BoundedVec::truncate_from(roots)
}

/// The trace of a program of one checkpoint of one I32, which is claimed to be `value`.
fn single(value: i32) -> (Manifest, Vec<u8>) {
	let bytes = value.to_le_bytes().to_vec();
	let mut manifest = Manifest::new(1);
	manifest.push_iteration(&[root(&bytes)]).expect("one checkpoint");
	(manifest, bytes)
}

/// The proof of that element, with all blobs of the job wholly open.
fn proof_of(value: i32, blobs: &[Vec<u8>]) -> ElementProof {
	let (manifest, claimed) = single(value);
	ElementProof {
		iteration: 0,
		checkpoint: 0,
		index: 0,
		manifest: manifest.open([(0, 0)]).expect("the entry is there"),
		claimed: open_all(&claimed),
		leaves: blobs
			.iter()
			.enumerate()
			.map(|(number, blob)| (Leaf::Input(number as u16), open_all(blob)))
			.collect(),
	}
}

fn register<T: Config>(program: &Program) -> Hash {
	let bytes = program.encode();
	let id = Hash::from(root(&bytes));
	let bytes = BoundedVec::try_from(bytes).expect("the program is within the limit");
	Pallet::<T>::register_program(
		RawOrigin::Signed(T::BenchmarkHelper::author()).into(),
		bytes,
		Default::default(),
	)
	.expect("the program is valid");
	id
}

/// A job of the smallest program, whose only element is right if it is −1.
fn assigned<T: Config>() -> (JobId, T::AccountId, Vec<Vec<u8>>) {
	let program = long_program::<T>(0);
	let blobs = vec![vec![0u8; 4]];
	let id = register::<T>(&program);
	let (job, operator) = T::BenchmarkHelper::assign(id, roots_of(&blobs), 1);
	(job, operator, blobs)
}

fn committed<T: Config>(value: i32) -> (JobId, T::AccountId, Vec<Vec<u8>>) {
	use tensornet_protocol::Nodes;
	let (job, operator, blobs) = assigned::<T>();
	let node = T::Nodes::node_of(&operator).expect("the operator has a node");
	let (manifest, _) = single(value);
	let seal = Pallet::<T>::seal_of(job, &node, manifest.trace_root().into(), SALT);
	Pallet::<T>::commit(RawOrigin::Signed(operator.clone()).into(), job, seal)
		.expect("the job is the node's");
	(job, operator, blobs)
}

fn revealed<T: Config>(value: i32) -> (JobId, T::AccountId, Vec<Vec<u8>>) {
	let (job, operator, blobs) = committed::<T>(value);
	let (manifest, bytes) = single(value);
	Pallet::<T>::reveal(
		RawOrigin::Signed(operator.clone()).into(),
		job,
		manifest.trace_root().into(),
		SALT,
		BoundedVec::truncate_from(vec![root(&bytes).into()]),
		manifest.open([(0, 0)]).expect("the entry is there"),
	)
	.expect("the seal is the node's");
	(job, operator, blobs)
}

/// Opens an audit of the only element.
fn open_audit<T: Config>(job: JobId) {
	let mut commitment = Commitments::<T>::get(job).expect("it was revealed");
	let now = frame_system::Pallet::<T>::block_number();
	let answer_by = now.saturating_add(T::AuditWindow::get());
	if let Phase::Revealed { audit, .. } = &mut commitment.phase {
		let sample = ElementId { iteration: 0, checkpoint: 0, index: 0 };
		*audit = Audit::Open { samples: BoundedVec::truncate_from(vec![sample]), answer_by };
	}
	let due = commitment.due;
	Pallet::<T>::reschedule(job, commitment, due);
}

/// Runs the task of a job. Returns how many ancestors a settlement paid.
fn run_task<T: Config>(job: JobId) -> Weight {
	let commitment = Commitments::<T>::get(job).expect("it was committed");
	let now = frame_system::Pallet::<T>::block_number();
	Pallet::<T>::run_task(now, commitment.due, job, commitment.phase.task())
}

/// Leaves the slots out of the measurement into which all jobs of this block go with the same task: every
/// block pays for them once.
fn whitelist_slots<T: Config>() {
	let now = frame_system::Pallet::<T>::block_number();
	let next = BlockNumberFor::<T>::from(1u32);
	let draw = Pallet::<T>::beacon_delay().saturating_add(next);
	let reveal = T::RevealWindow::get().saturating_add(next);
	let answer = T::AuditWindow::get().saturating_add(next);
	for delay in [reveal, draw, answer, T::ChallengeWindow::get(), T::ResultRetention::get()] {
		let key = Agenda::<T>::hashed_key_for(now.saturating_add(delay));
		frame_benchmarking::benchmarking::add_to_whitelist(key.into());
	}
}

#[benchmarks]
mod benches {
	use super::*;

	#[benchmark]
	fn register_program(
		p: Linear<1, { T::MaxProgramBytes::get() / 1024 }>,
	) -> Result<(), BenchmarkError> {
		let bytes = long_program::<T>(p).encode();
		let id = Hash::from(root(&bytes));
		let bytes = BoundedVec::try_from(bytes).map_err(|_| "the program is too long")?;
		let author = T::BenchmarkHelper::author();
		#[extrinsic_call]
		_(RawOrigin::Signed(author), bytes, Default::default());
		assert!(Programs::<T>::contains_key(id));
		Ok(())
	}

	#[benchmark]
	fn unregister_program() {
		let id = register::<T>(&long_program::<T>(T::MaxProgramBytes::get() / 1024));
		let author = T::BenchmarkHelper::author();
		#[extrinsic_call]
		_(RawOrigin::Signed(author), id);
		assert!(!Programs::<T>::contains_key(id));
	}

	#[benchmark]
	fn commit() {
		let (job, operator, _) = assigned::<T>();
		whitelist_slots::<T>();
		#[extrinsic_call]
		_(RawOrigin::Signed(operator), job, Hash::repeat_byte(1));
		assert!(Commitments::<T>::contains_key(job));
	}

	/// The manifest's opening is lengthened by opening more of it than the outputs need.
	#[benchmark]
	fn reveal(b: Linear<1, 64>) -> Result<(), BenchmarkError> {
		use tensornet_protocol::Nodes;
		let (job, operator, _) = assigned::<T>();
		// 32 entries take a chunk.
		let iterations = b.saturating_mul(30);
		let mut manifest = Manifest::new(1);
		for iteration in 0..iterations {
			manifest.push_iteration(&[root(&iteration.encode())]).map_err(|_| "one checkpoint")?;
		}
		let trace_root: Hash = manifest.trace_root().into();
		let node = T::Nodes::node_of(&operator).ok_or("no node")?;
		let seal = Pallet::<T>::seal_of(job, &node, trace_root, SALT);
		Pallet::<T>::commit(RawOrigin::Signed(operator.clone()).into(), job, seal)?;
		Commitments::<T>::mutate_extant(job, |commitment| commitment.iterations = iterations);
		let outputs: Vec<Hash> =
			manifest.entry(iterations.saturating_sub(1), 0).map(Hash::from).into_iter().collect();
		let opening = open_all(manifest.bytes());
		whitelist_slots::<T>();
		#[extrinsic_call]
		_(
			RawOrigin::Signed(operator),
			job,
			trace_root,
			SALT,
			BoundedVec::truncate_from(outputs),
			opening,
		);
		assert!(matches!(
			Commitments::<T>::get(job).map(|commitment| commitment.phase),
			Some(Phase::Revealed { .. })
		));
		Ok(())
	}

	/// The dearest outcome: the answer convicts its node.
	#[benchmark]
	fn answer_audit() {
		let (job, operator, blobs) = revealed::<T>(5);
		open_audit::<T>(job);
		let proofs = BoundedVec::truncate_from(vec![proof_of(5, &blobs)]);
		#[extrinsic_call]
		_(RawOrigin::Signed(operator), job, proofs);
		assert!(!Commitments::<T>::contains_key(job));
	}

	#[benchmark]
	fn prove_fraud() {
		let (job, _, blobs) = revealed::<T>(5);
		let proof = proof_of(5, &blobs);
		let reporter = T::BenchmarkHelper::author();
		#[extrinsic_call]
		_(RawOrigin::Signed(reporter), job, proof);
		assert!(!Commitments::<T>::contains_key(job));
	}

	#[benchmark]
	fn load_program(
		p: Linear<1, { T::MaxProgramBytes::get() / 1024 }>,
	) -> Result<(), BenchmarkError> {
		let id = register::<T>(&long_program::<T>(p));
		let loaded;
		#[block]
		{
			loaded = Pallet::<T>::load_program(&id);
		}
		assert!(loaded.is_ok());
		Ok(())
	}

	#[benchmark]
	fn verify_element(m: Linear<64, 1024>, b: Linear<1, 128>) -> Result<(), BenchmarkError> {
		let definition = dear_program(m, b);
		let blobs = blobs_of(&definition);
		let program = CheckedProgram::new(definition).map_err(|_| "the program is invalid")?;
		let proof = proof_of(0, &blobs);
		let roots = roots_of(&blobs);
		let trace_root = single(0).0.trace_root().into();
		let job = JobRoots { blobs: &roots, iterations: 1, trace_root };
		let judged;
		#[block]
		{
			judged = arbitration::verify_element(&program, &job, &proof, u64::MAX);
		}
		assert!(judged.is_ok());
		Ok(())
	}

	/// A full slot of which nothing fits the block.
	#[benchmark]
	fn agenda_step() {
		let due = frame_system::Pallet::<T>::block_number();
		for job in 0..u64::from(AGENDA_PAGE) {
			Pallet::<T>::schedule(due, job, Task::Forget);
		}
		let mut meter = WeightMeter::with_limit(Weight::zero());
		let complete;
		#[block]
		{
			complete = Pallet::<T>::run_slot(due, due, &mut meter);
		}
		assert!(!complete);
	}

	/// An entry of a job that is gone.
	#[benchmark]
	fn task_stale() {
		let now = frame_system::Pallet::<T>::block_number();
		let used;
		#[block]
		{
			used = Pallet::<T>::run_task(now, now, JobId::MAX, Task::Settle);
		}
		assert_eq!(used, T::WeightInfo::task_stale());
	}

	#[benchmark]
	fn task_fail() {
		let (job, _, _) = revealed::<T>(-1);
		open_audit::<T>(job);
		#[block]
		{
			run_task::<T>(job);
		}
		assert!(!Commitments::<T>::contains_key(job));
	}

	#[benchmark]
	fn task_draw(c: Linear<1, { T::MaxCheckpoints::get() }>) -> Result<(), BenchmarkError> {
		let (job, _, _) = revealed::<T>(-1);
		let commitment = Commitments::<T>::get(job).ok_or("it was revealed")?;
		let work: Vec<CheckpointWork> = (1..=u64::from(c))
			.map(|cumulative| CheckpointWork { cumulative, elements: 1 << 20 })
			.collect();
		let work: BoundedVec<CheckpointWork, T::MaxCheckpoints> = BoundedVec::truncate_from(work);
		ProgramCheckpoints::<T>::insert(commitment.program, &work);
		// A beacon that wants an audit: with any probability worth the name one of these does.
		let seen = commitment.due.saturating_sub(1u32.into());
		for beacon in 0..10_000u64 {
			BeaconHistory::<T>::insert(
				seen,
				Hash::from(frame_support::Hashable::blake2_256(&beacon)),
			);
			if Pallet::<T>::draw_audit(job, seen, 1, || work.clone()).is_some() {
				break;
			}
		}
		whitelist_slots::<T>();
		#[block]
		{
			run_task::<T>(job);
		}
		let commitment = Commitments::<T>::get(job).ok_or("it is still there")?;
		assert!(matches!(commitment.phase, Phase::Revealed { audit: Audit::Open { .. }, .. }));
		Ok(())
	}

	/// Each contributor has a sponsor.
	#[benchmark]
	fn task_settle() -> Result<(), BenchmarkError> {
		let (job, _, _) = revealed::<T>(-1);
		T::BenchmarkHelper::sponsors(job);
		let mut commitment = Commitments::<T>::get(job).ok_or("it was revealed")?;
		if let Phase::Revealed { audit, .. } = &mut commitment.phase {
			*audit = Audit::Passed;
		}
		let due = commitment.due;
		Pallet::<T>::reschedule(job, commitment, due);
		whitelist_slots::<T>();
		#[block]
		{
			run_task::<T>(job);
		}
		assert!(Results::<T>::contains_key(job));
		Ok(())
	}

	#[benchmark]
	fn task_forget() -> Result<(), BenchmarkError> {
		let (job, _, blobs) = revealed::<T>(5);
		let reporter = RawOrigin::Signed(T::BenchmarkHelper::author());
		Pallet::<T>::prove_fraud(reporter.into(), job, proof_of(5, &blobs))
			.map_err(|_| "the element is wrong")?;
		let due = Results::<T>::get(job).ok_or("it was revealed")?.due;
		#[block]
		{
			Pallet::<T>::run_task(due, due, job, Task::Forget);
		}
		assert!(!Results::<T>::contains_key(job));
		Ok(())
	}

	#[benchmark]
	fn mix_beacon() {
		let now: BlockNumberFor<T> = BEACON_HISTORY.saturating_add(1).into();
		BeaconHistory::<T>::insert(BlockNumberFor::<T>::from(1u32), Hash::zero());
		#[block]
		{
			Pallet::<T>::mix_beacon(now);
		}
		assert_eq!(BeaconHistory::<T>::get(now), Some(BeaconValue::<T>::get()));
	}

	impl_benchmark_test_suite!(
		Pallet,
		crate::mock::TestExt::new().audited().build(),
		crate::mock::Test
	);
}
