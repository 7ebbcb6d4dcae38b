// SPDX-License-Identifier: Apache-2.0

//! Proofs of real traces, and what happens to them when anything is changed.

use super::*;
use codec::{Decode, Encode};
use std::{borrow::Cow, sync::Arc};
use tensornet_commitment::{root, Manifest};
use tensornet_tensor::*;

/// A job with everything a node needs to run it, and its honest trace.
struct Job {
	program: Arc<CheckedProgram>,
	constants: Vec<Arc<[u8]>>,
	blobs: Vec<Vec<u8>>,
	roots: Vec<Hash>,
	trace: MemoryTrace,
}

const ITERATIONS: u32 = 3;
/// Elements of a row of the state: 64 rows of 40 I32 span ten chunks.
const WIDTH: u32 = 40;

fn noise(seed: u32, len: usize) -> Vec<u8> {
	(0..len as u32)
		.map(|i| ((i ^ seed).wrapping_mul(2_654_435_761).wrapping_add(seed) >> 13) as u8)
		.collect()
}

/// A dense layer over a blob of weights with inline scales, a state that its result is added to, and
/// a comparison of that sum, committed as Bool.
fn program() -> Program {
	let node = |op, operands: &[ValueId]| Node { op, operands: operands.to_vec() };
	let state = TensorType::new(DType::I32, [1, 64, WIDTH]);
	Program {
		format: FORMAT,
		inputs: vec![
			Input {
				ty: TensorType::new(DType::I8, [1, 64, 96]),
				layout: Layout::row_major(),
				per_iteration: true,
			},
			Input {
				ty: TensorType::new(DType::I32, [1, 1, WIDTH]),
				layout: Layout::row_major(),
				per_iteration: false,
			},
		],
		constants: vec![
			Constant {
				ty: TensorType::new(DType::I8, [1, 96, WIDTH]),
				layout: Layout::new(&[0, 2, 1]),
				data: ConstantData::Blob(root(&noise(1, 96 * WIDTH as usize))),
			},
			Constant {
				ty: TensorType::new(DType::I32, [1]),
				layout: Layout::row_major(),
				data: ConstantData::Inline(5i32.to_le_bytes().to_vec()),
			},
			Constant {
				ty: TensorType::new(DType::I8, [1]),
				layout: Layout::row_major(),
				data: ConstantData::Inline(vec![9]),
			},
		],
		state: vec![State { ty: state, next: 9 }],
		nodes: vec![
			// 6: the product.
			node(Op::MatMul { a_zero_point: 1, b_zero_point: 0 }, &[0, 2]),
			// 7: scaled to I16.
			node(
				Op::Rescale {
					output: DType::I16,
					input_zero_point: 0,
					output_zero_point: 0,
					per_channel: false,
				},
				&[6, 3, 4],
			),
			// 8: widened.
			node(Op::Cast { to: DType::I32 }, &[7]),
			// 9: added to the state.
			node(Op::Binary(Binary::Add), &[5, 8]),
			// 10: which elements exceed the shared input.
			node(Op::Binary(Binary::Greater), &[9, 1]),
		],
		outputs: vec![9, 10],
		checkpoints: vec![
			Checkpoint { value: 7, layout: Layout::new(&[0, 2, 1]) },
			Checkpoint { value: 9, layout: Layout::row_major() },
			Checkpoint { value: 10, layout: Layout::row_major() },
		],
		max_iterations: ITERATIONS,
	}
}

fn job_of(seed: u32) -> Job {
	let program = Arc::new(CheckedProgram::new(program()).unwrap());
	let constants: Vec<Arc<[u8]>> =
		vec![noise(1, 96 * WIDTH as usize).into(), [].into(), [].into()];
	let blobs = vec![
		noise(seed, 64 * 96 * ITERATIONS as usize),
		noise(seed + 1, 4 * WIDTH as usize),
		noise(seed + 2, 4 * 64 * WIDTH as usize),
	];
	let mut executor = CpuExecutor::new(program.clone(), constants.clone()).unwrap();
	let mut trace = MemoryTrace::new(3);
	run_job(
		&mut executor,
		&program,
		&[&blobs[0], &blobs[1]],
		&[&blobs[2]],
		ITERATIONS,
		&mut |_, stored| {
			trace.push_iteration(stored).unwrap();
			Ok(())
		},
	)
	.unwrap();
	let roots = blobs.iter().map(|blob| root(blob).into()).collect();
	Job { program, constants, blobs, roots, trace }
}

impl Job {
	fn elements(&self, checkpoint: u16) -> u64 {
		self.program.leaf_type(Leaf::Checkpoint(checkpoint)).unwrap().0.elements()
	}

	fn build(
		&self,
		trace: &dyn TraceBlobs,
		element: ElementId,
	) -> Result<ElementProof, BuildError> {
		let constants: Vec<&[u8]> = self.constants.iter().map(|bytes| &**bytes).collect();
		let blobs: Vec<&[u8]> = self.blobs.iter().map(Vec::as_slice).collect();
		let cache = &mut OutboardCache::new();
		build_proof(&self.program, &constants, &blobs, trace, element, cache)
	}

	fn accuse(
		&self,
		accused: &MemoryTrace,
		element: ElementId,
	) -> Result<ElementProof, BuildError> {
		let constants: Vec<&[u8]> = self.constants.iter().map(|bytes| &**bytes).collect();
		let blobs: Vec<&[u8]> = self.blobs.iter().map(Vec::as_slice).collect();
		let claimed = accused.checkpoint(element.iteration, element.checkpoint).unwrap();
		let accused = Accused { manifest: accused.manifest(), claimed: &claimed };
		let cache = &mut OutboardCache::new();
		build_accusation(&self.program, &constants, &blobs, &self.trace, accused, element, cache)
	}

	fn verify(&self, trace: &MemoryTrace, proof: &ElementProof) -> Result<Judgement, ProofError> {
		let job = JobRoots {
			blobs: &self.roots,
			iterations: ITERATIONS,
			trace_root: trace.manifest().trace_root().into(),
		};
		verify_element(&self.program, &job, proof, 1 << 20)
	}

	/// The trace with the bytes of one checkpoint changed.
	fn changed(
		&self,
		iteration: u32,
		checkpoint: u16,
		change: impl Fn(&mut Vec<u8>),
	) -> MemoryTrace {
		let mut trace = MemoryTrace::new(3);
		for t in 0..ITERATIONS {
			let mut stored: Vec<Vec<u8>> =
				(0..3).map(|c| self.trace.checkpoint(t, c).unwrap().into_owned()).collect();
			if t == iteration {
				change(&mut stored[usize::from(checkpoint)]);
			}
			trace.push_iteration(&stored).unwrap();
		}
		trace
	}
}

fn element(iteration: u32, checkpoint: u16, index: u64) -> ElementId {
	ElementId { iteration, checkpoint, index }
}

#[test]
fn every_element_of_an_honest_trace_is_what_it_claims_to_be() {
	let job = job_of(10);
	for iteration in 0..ITERATIONS {
		for checkpoint in 0..3 {
			let elements = job.elements(checkpoint);
			for index in (0..elements).step_by(97).chain([elements - 1]) {
				let proof = job.build(&job.trace, element(iteration, checkpoint, index)).unwrap();
				let judgement = job.verify(&job.trace, &proof).unwrap();
				assert!(!judgement.is_fraud(), "{iteration} {checkpoint} {index}");
				assert!(judgement.macs > 0);
			}
		}
	}
}

#[test]
fn a_proof_survives_its_encoding() {
	let job = job_of(10);
	let proof = job.build(&job.trace, element(1, 1, 77)).unwrap();
	assert_eq!(ElementProof::decode(&mut &proof.encode()[..]), Ok(proof));
}

#[test]
fn a_proof_opens_only_the_chunks_that_are_read() {
	let job = job_of(10);
	// An element of the product: a row of 96 bytes of input and of weights.
	let proof = job.build(&job.trace, element(0, 0, 0)).unwrap();
	assert_eq!(
		proof.leaves.iter().map(|(leaf, _)| *leaf).collect::<Vec<_>>(),
		vec![Leaf::Input(0), Leaf::Constant(0)]
	);
	for (_, opening) in &proof.leaves {
		assert_eq!(opening.runs.iter().map(|run| run.count).sum::<u32>(), 1);
	}
	// An element of the sum: one of the state and one of the product.
	let proof = job.build(&job.trace, element(1, 1, 2000)).unwrap();
	assert_eq!(
		proof.leaves.iter().map(|(leaf, _)| *leaf).collect::<Vec<_>>(),
		vec![Leaf::State(0), Leaf::Checkpoint(0)]
	);
}

#[test]
fn a_proof_stays_within_the_cost_that_the_analysis_states() {
	let job = job_of(10);
	let analysis = analyse(&job.program, &Limits::default()).unwrap();
	for (checkpoint, cost) in (0u16..).zip(&analysis.checkpoints) {
		for index in [0, job.elements(checkpoint) / 2, job.elements(checkpoint) - 1] {
			let proof = job.build(&job.trace, element(1, checkpoint, index)).unwrap();
			let judgement = job.verify(&job.trace, &proof).unwrap();
			assert!(judgement.macs <= cost.macs);
			let opened: usize =
				proof.leaves.iter().map(|(_, opening)| opening.encoded_size()).sum();
			assert!((opened + proof.claimed.encoded_size()) as u64 <= cost.open_bytes);
		}
	}
}

#[test]
fn any_changed_element_is_convicted_from_the_honest_trace() {
	let job = job_of(10);
	for (iteration, checkpoint, index) in
		[(0, 0, 5), (2, 0, 2559), (0, 1, 2559), (1, 1, 0), (2, 1, 300), (0, 2, 17), (2, 2, 2559)]
	{
		let dtype = job.program.leaf_type(Leaf::Checkpoint(checkpoint)).unwrap().0.dtype;
		let wrong = job.changed(iteration, checkpoint, |bytes| {
			let value = read_element(dtype, bytes, index).unwrap();
			write_element(dtype, bytes, index, value ^ 1).unwrap();
		});
		assert_eq!(
			first_difference(job.trace.manifest(), wrong.manifest()),
			Some((iteration, checkpoint))
		);
		let own = job.trace.checkpoint(iteration, checkpoint).unwrap();
		let accused = wrong.checkpoint(iteration, checkpoint).unwrap();
		assert_eq!(first_different_element(dtype, &own, &accused), Some(index));
		let proof = job.accuse(&wrong, element(iteration, checkpoint, index)).unwrap();
		let judgement = job.verify(&wrong, &proof).unwrap();
		assert!(judgement.is_fraud());
		assert_eq!(judgement.claimed, judgement.computed ^ 1);
		assert_eq!(Some(judgement.computed), read_element(dtype, &own, index));
	}
}

#[test]
fn equal_traces_have_no_difference() {
	let job = job_of(10);
	assert_eq!(first_difference(job.trace.manifest(), job.trace.manifest()), None);
	assert_eq!(first_different_element(DType::I32, &[1, 2, 3, 4], &[1, 2, 3, 4]), None);
	assert_eq!(first_different_element(DType::I16, &[1, 2, 3, 4], &[1, 2, 3, 5]), Some(1));
}

#[test]
fn a_truth_value_stored_as_another_byte_than_0_and_1_is_fraud() {
	let job = job_of(10);
	let own = job.trace.checkpoint(0, 2).unwrap();
	let index = own.iter().position(|byte| *byte == 1).unwrap();
	// It still reads as true, but the root is not that of the right bytes.
	let wrong = job.changed(0, 2, |bytes| bytes[index] = 2);
	let proof = job.accuse(&wrong, element(0, 2, index as u64)).unwrap();
	let judgement = job.verify(&wrong, &proof).unwrap();
	assert_eq!((judgement.claimed, judgement.computed), (2, 1));
	assert!(judgement.is_fraud());
}

#[test]
fn every_flipped_byte_of_every_opening_is_refused() {
	let job = job_of(10);
	let proof = job.build(&job.trace, element(1, 1, 2000)).unwrap();
	let len = proof.leaves.iter().map(|(_, opening)| opening.proof.len()).max().unwrap();
	for at in (0..len).step_by(61) {
		let mut openings: Vec<ElementProof> = Vec::new();
		let mut forged = proof.clone();
		forged.manifest.proof.get_mut(at).into_iter().for_each(|byte| *byte ^= 4);
		openings.push(forged);
		let mut forged = proof.clone();
		forged.claimed.proof.get_mut(at).into_iter().for_each(|byte| *byte ^= 4);
		openings.push(forged);
		for leaf in 0..proof.leaves.len() {
			let mut forged = proof.clone();
			forged.leaves[leaf].1.proof.get_mut(at).into_iter().for_each(|byte| *byte ^= 4);
			openings.push(forged);
		}
		for forged in openings.into_iter().filter(|forged| *forged != proof) {
			assert!(job.verify(&job.trace, &forged).is_err());
		}
	}
}

#[test]
fn what_is_missing_is_named() {
	let job = job_of(10);
	let proof = job.build(&job.trace, element(1, 1, 2000)).unwrap();
	let refused = |change: &dyn Fn(&mut ElementProof), error| {
		let mut proof = proof.clone();
		change(&mut proof);
		assert_eq!(job.verify(&job.trace, &proof), Err(error));
	};
	refused(&|proof| proof.iteration = ITERATIONS, ProofError::NoSuchElement);
	refused(&|proof| proof.checkpoint = 3, ProofError::NoSuchElement);
	refused(&|proof| proof.index = 64 * u64::from(WIDTH), ProofError::NoSuchElement);
	refused(&|proof| proof.leaves.clear(), ProofError::MissingOpening);
	refused(&|proof| proof.leaves.reverse(), ProofError::LeavesNotSorted);
	refused(&|proof| proof.leaves.insert(0, proof.leaves[0].clone()), ProofError::LeavesNotSorted);
	refused(&|proof| proof.leaves[0].0 = Leaf::Constant(1), ProofError::UnknownLeaf);
	refused(&|proof| proof.leaves[0].0 = Leaf::Input(9), ProofError::UnknownLeaf);
	// The claim's chunk is of another element.
	refused(
		&|proof| {
			proof.claimed = job.build(&job.trace, element(1, 1, 0)).unwrap().claimed;
		},
		ProofError::ClaimedNotOpened,
	);
	assert_eq!(
		{
			let trace_root = job.trace.manifest().trace_root().into();
			let roots = JobRoots { blobs: &job.roots, iterations: ITERATIONS, trace_root };
			verify_element(&job.program, &roots, &proof, 1)
		},
		Err(ProofError::OverBudget)
	);
}

#[test]
fn an_unopened_manifest_entry_is_named() {
	// 40 iterations of three entries span four chunks of the manifest.
	let job = job_of(10);
	let mut manifest = Manifest::new(3);
	for _ in 0..40 {
		manifest.push_iteration(&[[1; 32]; 3]).unwrap();
	}
	let mut proof = job.build(&job.trace, element(1, 1, 2000)).unwrap();
	proof.manifest = manifest.open([(39, 0)]).unwrap();
	let roots =
		JobRoots { blobs: &job.roots, iterations: 40, trace_root: manifest.trace_root().into() };
	assert_eq!(
		verify_element(&job.program, &roots, &proof, 1 << 20),
		Err(ProofError::MissingEntry)
	);
}

#[test]
fn proofs_of_another_job_are_refused() {
	let (job, other) = (job_of(10), job_of(20));
	let proof = other.build(&other.trace, element(0, 0, 0)).unwrap();
	assert!(matches!(job.verify(&job.trace, &proof), Err(ProofError::Manifest(_))));
	// The same trace root, but the other's input.
	let mut mixed = job.build(&job.trace, element(0, 0, 0)).unwrap();
	mixed.leaves[0] = proof.leaves[0].clone();
	assert!(matches!(job.verify(&job.trace, &mixed), Err(ProofError::Leaf(_))));
}

#[test]
fn a_state_is_taken_from_the_iteration_before() {
	let job = job_of(10);
	let first = job.build(&job.trace, element(0, 1, 5)).unwrap();
	let second = job.build(&job.trace, element(1, 1, 5)).unwrap();
	assert_eq!(first.leaves[0].0, Leaf::State(0));
	// At the start it is the job's blob, later the committed checkpoint.
	let mut mixed = second.clone();
	mixed.leaves[0] = first.leaves[0].clone();
	assert!(matches!(job.verify(&job.trace, &mixed), Err(ProofError::Leaf(_))));
	assert!(!job.verify(&job.trace, &second).unwrap().is_fraud());
}

#[test]
fn arbitrary_bytes_never_panic() {
	let job = job_of(10);
	let bytes = job.build(&job.trace, element(1, 1, 2000)).unwrap().encode();
	for at in (0..bytes.len()).step_by(7) {
		let mut bytes = bytes.clone();
		bytes[at] = bytes[at].wrapping_add(0x55);
		if let Ok(proof) = ElementProof::decode(&mut &bytes[..]) {
			// Anything but a conviction will do; the openings still have to match their roots.
			assert!(!job.verify(&job.trace, &proof).is_ok_and(|judgement| judgement.is_fraud()));
		}
	}
}

mod builder {
	use super::*;

	/// A trace that lacks a checkpoint.
	struct Partial<'a>(&'a MemoryTrace, u16);

	impl TraceBlobs for Partial<'_> {
		fn checkpoint(&self, iteration: u32, checkpoint: u16) -> Option<Cow<'_, [u8]>> {
			(checkpoint != self.1).then(|| self.0.checkpoint(iteration, checkpoint))?
		}

		fn manifest(&self) -> &Manifest {
			self.0.manifest()
		}
	}

	#[test]
	fn names_what_is_not_at_hand() {
		let mut job = job_of(10);
		let no_product = job.build(&Partial(&job.trace, 0), element(1, 1, 5));
		assert_eq!(no_product, Err(BuildError::MissingBlob(Leaf::Checkpoint(0))));
		let no_claim = job.build(&Partial(&job.trace, 1), element(1, 1, 5));
		assert_eq!(no_claim, Err(BuildError::MissingClaim));
		job.blobs[0].pop();
		let short_input = job.build(&job.trace, element(1, 0, 5));
		assert_eq!(short_input, Err(BuildError::MissingBlob(Leaf::Input(0))));
	}

	#[test]
	fn names_what_is_not_the_right_blob() {
		let job = job_of(10);
		let mut other = job_of(10);
		other.constants[0] = noise(7, 96 * WIDTH as usize).into();
		assert_eq!(
			other.build(&other.trace, element(1, 0, 5)),
			Err(BuildError::WrongBlob(Leaf::Constant(0)))
		);
		// A trace that differs before the claimed element already cannot accuse it.
		let wrong = job.changed(1, 0, |bytes| bytes[0] ^= 1);
		assert_eq!(
			job.accuse(&wrong, element(1, 1, 0)),
			Err(BuildError::WrongBlob(Leaf::Checkpoint(0)))
		);
	}

	#[test]
	fn refuses_elements_that_do_not_exist() {
		let job = job_of(10);
		for (iteration, checkpoint, index) in [(0, 3, 0), (0, 0, 2560)] {
			let trace = Everything(&job.trace);
			assert_eq!(
				job.build(&trace, element(iteration, checkpoint, index)),
				Err(BuildError::NoSuchElement)
			);
		}
		assert_eq!(job.build(&job.trace, element(ITERATIONS, 0, 0)), Err(BuildError::MissingClaim));
	}

	/// A trace that has bytes for everything.
	struct Everything<'a>(&'a MemoryTrace);

	impl TraceBlobs for Everything<'_> {
		fn checkpoint(&self, _: u32, _: u16) -> Option<Cow<'_, [u8]>> {
			self.0.checkpoint(0, 0)
		}

		fn manifest(&self) -> &Manifest {
			self.0.manifest()
		}
	}

	#[test]
	fn gives_the_same_proof_with_a_warm_cache() {
		let job = job_of(10);
		let constants: Vec<&[u8]> = job.constants.iter().map(|bytes| &**bytes).collect();
		let blobs: Vec<&[u8]> = job.blobs.iter().map(Vec::as_slice).collect();
		let cache = &mut OutboardCache::new();
		for index in [5, 900, 5] {
			let at = element(2, 1, index);
			let warm = build_proof(&job.program, &constants, &blobs, &job.trace, at, cache);
			assert_eq!(warm, job.build(&job.trace, at));
		}
		cache.clear();
	}
}
