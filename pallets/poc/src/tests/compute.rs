// SPDX-License-Identifier: Apache-2.0

//! Small real programs, computed by the real executor, with traces that can be tampered with.

use crate::{mock::*, *};
use frame_support::{assert_ok, BoundedVec};
use sp_core::H256;
use std::sync::Arc;
use tensornet_commitment::{root, Opening};
use tensornet_protocol::{
	arbitration::{
		build_accusation, build_proof, Accused, ElementId, ElementProof, MemoryTrace,
		OutboardCache, TraceBlobs,
	},
	BlobRoots, JobId,
};
use tensornet_tensor::*;

/// The salt of the node's seals.
pub const SALT: [u8; 32] = [7; 32];

/// A program with everything a node needs to run it, and the honest trace.
#[derive(Clone)]
pub struct Compute {
	pub program: Arc<CheckedProgram>,
	pub constants: Vec<Arc<[u8]>>,
	pub blobs: Vec<Vec<u8>>,
	pub iterations: u32,
	pub trace: MemoryTrace,
}

/// Bytes that look random and depend on `seed`.
pub fn noise(seed: u32, len: usize) -> Vec<u8> {
	(0..len as u32)
		.map(|i| ((i ^ seed).wrapping_mul(2_654_435_761).wrapping_add(seed) >> 13) as u8)
		.collect()
}

fn node(op: Op, operands: &[ValueId]) -> Node {
	Node { op, operands: operands.to_vec() }
}

impl Compute {
	fn run(
		program: Program,
		constants: Vec<Vec<u8>>,
		blobs: Vec<Vec<u8>>,
		iterations: u32,
	) -> Self {
		let program = Arc::new(CheckedProgram::new(program).expect("the program is valid"));
		let constants: Vec<Arc<[u8]>> = constants.into_iter().map(Arc::from).collect();
		let mut executor = CpuExecutor::new(program.clone(), constants.clone())
			.expect("the constants fit the program");
		let slices: Vec<&[u8]> = blobs.iter().map(Vec::as_slice).collect();
		let (inputs, state) = slices.split_at(program.program().inputs.len());
		let mut trace = MemoryTrace::new(program.program().checkpoints.len() as u32);
		run_job(&mut executor, &program, inputs, state, iterations, &mut |_, checkpoints| {
			trace.push_iteration(checkpoints).expect("as many checkpoints as the program has");
			Ok(())
		})
		.expect("the job runs");
		Self { program, constants, blobs, iterations, trace }
	}

	/// Two dense layers on a batch of 2: 64 → 48 with rescale and clamp, committed as I8, then 48 → 10,
	/// committed as I32. Weights are blobs, scales inline.
	pub fn network(seed: u32) -> Self {
		let first = noise(1, 64 * 48);
		let second = noise(2, 48 * 10);
		let weight = |shape: [u32; 3], bytes: &[u8]| Constant {
			ty: TensorType::new(DType::I8, shape),
			layout: Layout::new(&[0, 2, 1]),
			data: ConstantData::Blob(root(bytes)),
		};
		let scale = |dtype: DType, bytes: Vec<u8>| Constant {
			ty: TensorType::new(dtype, [1]),
			layout: Layout::row_major(),
			data: ConstantData::Inline(bytes),
		};
		let product = Op::MatMul { a_zero_point: 0, b_zero_point: 0 };
		let program = Program {
			format: FORMAT,
			inputs: vec![Input {
				ty: TensorType::new(DType::I8, [1, 2, 64]),
				layout: Layout::row_major(),
				per_iteration: false,
			}],
			constants: vec![
				weight([1, 64, 48], &first),
				weight([1, 48, 10], &second),
				scale(DType::I32, 3i32.to_le_bytes().to_vec()),
				scale(DType::I8, vec![10]),
			],
			state: vec![],
			nodes: vec![
				node(product.clone(), &[0, 1]),
				node(
					Op::Rescale {
						output: DType::I8,
						input_zero_point: 0,
						output_zero_point: 0,
						per_channel: false,
					},
					&[5, 3, 4],
				),
				node(Op::Clamp { min: -100, max: 100 }, &[6]),
				node(product, &[7, 2]),
			],
			outputs: vec![8],
			checkpoints: vec![
				Checkpoint { value: 7, layout: Layout::row_major() },
				Checkpoint { value: 8, layout: Layout::row_major() },
			],
			max_iterations: 1,
		};
		let constants = vec![first, second, vec![], vec![]];
		Self::run(program, constants, vec![noise(seed, 128)], 1)
	}

	/// A running sum of 700 numbers over three iterations, each with its own input: state and inputs
	/// span several chunks.
	pub fn running_sum() -> Self {
		let ty = TensorType::new(DType::I32, [700]);
		let program = Program {
			format: FORMAT,
			inputs: vec![Input {
				ty: ty.clone(),
				layout: Layout::row_major(),
				per_iteration: true,
			}],
			constants: vec![],
			state: vec![State { ty, next: 2 }],
			nodes: vec![node(Op::Binary(Binary::Add), &[0, 1])],
			outputs: vec![2],
			checkpoints: vec![Checkpoint { value: 2, layout: Layout::row_major() }],
			max_iterations: 3,
		};
		Self::run(program, vec![], vec![noise(3, 3 * 2800), noise(4, 2800)], 3)
	}

	pub fn id(&self) -> H256 {
		self.program.id().into()
	}

	pub fn roots(&self) -> BlobRoots {
		let roots: Vec<H256> = self.blobs.iter().map(|blob| root(blob).into()).collect();
		BoundedVec::try_from(roots).expect("few blobs")
	}

	/// The same trace but for one element, which is one larger than it should be. Whatever depends on
	/// it is left as it was.
	pub fn tampered(&self, element: ElementId) -> MemoryTrace {
		let checkpoints = self.program.program().checkpoints.len() as u16;
		let mut trace = MemoryTrace::new(u32::from(checkpoints));
		for iteration in 0..self.iterations {
			let mut stored: Vec<Vec<u8>> = (0..checkpoints)
				.map(|number| self.trace.checkpoint(iteration, number).unwrap().into_owned())
				.collect();
			if iteration == element.iteration {
				let leaf = Leaf::Checkpoint(element.checkpoint);
				let dtype = self.program.leaf_type(leaf).unwrap().0.dtype;
				let bytes = &mut stored[usize::from(element.checkpoint)];
				let value = read_element(dtype, bytes, element.index).unwrap();
				write_element(dtype, bytes, element.index, value.wrapping_add(1)).unwrap();
			}
			trace.push_iteration(&stored).unwrap();
		}
		trace
	}

	fn slices(&self) -> (Vec<&[u8]>, Vec<&[u8]>) {
		let constants = self.constants.iter().map(|bytes| &**bytes).collect();
		(constants, self.blobs.iter().map(Vec::as_slice).collect())
	}

	/// The proof of an element of `trace`, as the node that has this trace makes it.
	pub fn proof(&self, trace: &MemoryTrace, element: ElementId) -> ElementProof {
		let (constants, blobs) = self.slices();
		let cache = &mut OutboardCache::new();
		build_proof(&self.program, &constants, &blobs, trace, element, cache)
			.expect("the element is in the trace")
	}

	/// The proof against an element of `accused`, as a challenger with the honest trace makes it.
	pub fn accusation(&self, accused: &MemoryTrace, element: ElementId) -> ElementProof {
		let (constants, blobs) = self.slices();
		let claimed = accused.checkpoint(element.iteration, element.checkpoint).unwrap();
		let accused = Accused { manifest: accused.manifest(), claimed: &claimed };
		let cache = &mut OutboardCache::new();
		build_accusation(&self.program, &constants, &blobs, &self.trace, accused, element, cache)
			.expect("the traces differ there first")
	}

	/// The root of a checkpoint in the honest trace.
	pub fn trace_entry(&self, iteration: u32, checkpoint: u32) -> [u8; 32] {
		self.trace.manifest().entry(iteration, checkpoint).expect("the trace has it")
	}

	/// Registers the program.
	pub fn register(&self) {
		let bytes = BoundedVec::try_from(self.program.encode()).expect("a small program");
		assert_ok!(Poc::register_program(signed(AUTHOR), bytes, Default::default()));
	}

	/// Gives `job` to [`NODE`].
	pub fn assign(&self, job: JobId) {
		Ledger::assign(job, account(NODE), self.id(), self.roots(), self.iterations, 0);
	}

	/// Commits [`NODE`] to `trace`.
	pub fn commit(&self, job: JobId, trace: &MemoryTrace) {
		let seal = seal_for(NODE, job, trace);
		assert_ok!(Poc::commit(signed(OPERATOR), job, seal));
	}

	/// Reveals `trace` for [`NODE`].
	pub fn reveal(&self, job: JobId, trace: &MemoryTrace) {
		let (outputs, manifest) = self.outputs(trace);
		assert_ok!(Poc::reveal(signed(OPERATOR), job, trace_root(trace), SALT, outputs, manifest));
	}

	/// Registers the program, and has [`NODE`] assigned, committed and revealed to `trace`.
	pub fn revealed(&self, job: JobId, trace: &MemoryTrace) {
		if !Programs::<Test>::contains_key(self.id()) {
			self.register();
		}
		self.assign(job);
		self.commit(job, trace);
		self.reveal(job, trace);
	}

	/// Roots of the outputs in `trace`, and the opening that shows them.
	pub fn outputs(&self, trace: &MemoryTrace) -> (BoundedVec<H256, MaxOutputs>, Opening) {
		let last = self.iterations - 1;
		let checkpoints: Vec<u32> = self
			.program
			.program()
			.outputs
			.iter()
			.map(|output| self.program.checkpoint_of(*output).unwrap().into())
			.collect();
		let roots: Vec<H256> = checkpoints
			.iter()
			.map(|checkpoint| trace.manifest().entry(last, *checkpoint).unwrap().into())
			.collect();
		let entries = checkpoints.into_iter().map(|checkpoint| (last, checkpoint));
		let opening = trace.manifest().open(entries).unwrap();
		(BoundedVec::try_from(roots).expect("few outputs"), opening)
	}
}

pub fn trace_root(trace: &MemoryTrace) -> H256 {
	trace.manifest().trace_root().into()
}

/// The seal of a node over a trace root, made outside the pallet.
pub fn seal_for(node: u8, job: JobId, trace: &MemoryTrace) -> H256 {
	let data = tensornet_commitment::SealData {
		genesis_hash: System::block_hash(0).0,
		job,
		node: [node; 32],
		trace_root: trace_root(trace).0,
		salt: SALT,
	};
	tensornet_commitment::seal(&data).into()
}

pub fn element(iteration: u32, checkpoint: u16, index: u64) -> ElementId {
	ElementId { iteration, checkpoint, index }
}

/// What is stored of a commitment's phase.
pub fn phase(job: JobId) -> Phase<Test> {
	Commitments::<Test>::get(job).expect("the job has a commitment").phase
}

/// The elements that the open audit of `job` drew.
pub fn samples(job: JobId) -> Vec<ElementId> {
	match phase(job) {
		Phase::Revealed { audit: Audit::Open { samples, .. }, .. } => samples.to_vec(),
		phase => panic!("no audit is open: {phase:?}"),
	}
}
