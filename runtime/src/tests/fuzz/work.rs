// SPDX-License-Identifier: Apache-2.0

//! What nodes compute: real programs with real traces, true ones and false ones, and the openings and
//! proofs that the chain asks for.

use crate::{AccountId, Hash, System};
use frame_support::BoundedVec;
use pallet_tensornet_poc::Commitment;
use std::{cell::RefCell, collections::BTreeMap, rc::Rc, sync::Arc};
use tensornet_commitment::{root, seal, Manifest, Opening, SealData};
use tensornet_protocol::{
	arbitration::{
		build_accusation, build_proof, Accused, ElementId, ElementProof, MemoryTrace,
		OutboardCache, TraceBlobs,
	},
	BlobRoots, JobId,
};
use tensornet_tensor::{
	arbitrary::{random_program, Random},
	run_job, CheckedProgram, CpuExecutor, Leaf,
};

/// How many different programs there are.
const PROGRAMS: u64 = 10;
/// How many false traces of each job are told.
const LIES: u64 = 3;

/// A program with one set of data.
pub struct Work {
	/// The program's identity.
	pub id: Hash,
	/// Its encoding.
	pub bytes: Vec<u8>,
	/// How often it runs.
	pub iterations: u32,
	/// Roots of the inputs, then of the first states.
	pub roots: BlobRoots,
	program: Arc<CheckedProgram>,
	constants: Vec<Arc<[u8]>>,
	blobs: Vec<Vec<u8>>,
	truth: Vec<Vec<Vec<u8>>>,
	/// The true trace, then the false ones.
	told: Vec<Told>,
	/// The upper parts of the hash trees of all of them.
	cache: RefCell<OutboardCache>,
}

/// A trace as a node tells it.
struct Told {
	trace: MemoryTrace,
	/// The element that is wrong.
	lie: Option<ElementId>,
}

/// What a node sealed.
#[derive(Clone, Copy)]
pub struct Deed {
	/// Which work of the library.
	pub work: usize,
	/// Which of its traces: 0 is the true one.
	pub told: usize,
	/// The salt of the seal.
	pub salt: [u8; 32],
}

impl Work {
	fn new(seed: u64, random: &mut Random) -> Option<Self> {
		let sample = random_program(seed);
		let program = Arc::new(sample.program);
		let bytes = program.encode();
		let executor = CpuExecutor::new(program.clone(), sample.constants.clone());
		let mut executor = executor.expect("a random program has its constants");
		let inputs: Vec<&[u8]> = sample.inputs.iter().map(Vec::as_slice).collect();
		let state: Vec<&[u8]> = sample.state.iter().map(Vec::as_slice).collect();
		let mut truth = Vec::new();
		run_job(&mut executor, &program, &inputs, &state, sample.iterations, &mut |_, all| {
			truth.push(all.to_vec());
			Ok(())
		})
		.expect("a random program runs on its data");
		let blobs: Vec<Vec<u8>> = sample.inputs.into_iter().chain(sample.state).collect();
		let roots: Vec<Hash> = blobs.iter().map(|blob| Hash::from(root(blob))).collect();
		let mut work = Self {
			id: Hash::from(program.id()),
			bytes,
			iterations: sample.iterations,
			roots: roots.try_into().ok()?,
			program,
			constants: sample.constants,
			blobs,
			truth,
			told: Vec::new(),
			cache: RefCell::default(),
		};
		work.told.push(work.tell(None));
		for _ in 0..LIES {
			let element = work.any_element(random);
			work.told.push(work.tell(Some(element)));
		}
		Some(work)
	}

	/// The trace with one element changed.
	fn tell(&self, lie: Option<ElementId>) -> Told {
		let mut checkpoints = self.truth.clone();
		if let Some(ElementId { iteration, checkpoint, index }) = lie {
			let size = self.element_size(checkpoint);
			checkpoints[iteration as usize][usize::from(checkpoint)][index as usize * size] ^= 1;
		}
		let mut trace = MemoryTrace::new(self.checkpoints());
		for iteration in &checkpoints {
			trace.push_iteration(iteration).expect("every checkpoint is there");
		}
		Told { trace, lie }
	}

	fn checkpoints(&self) -> u32 {
		self.program.program().checkpoints.len() as u32
	}

	fn element_size(&self, checkpoint: u16) -> usize {
		let leaf = self.program.leaf_type(Leaf::Checkpoint(checkpoint));
		leaf.map_or(1, |(ty, _)| ty.dtype.size() as usize)
	}

	/// Any element of the trace.
	pub fn any_element(&self, random: &mut Random) -> ElementId {
		let iteration = random.below(u64::from(self.iterations)) as u32;
		let checkpoint = random.below(u64::from(self.checkpoints())) as u16;
		let bytes = &self.truth[iteration as usize][usize::from(checkpoint)];
		let elements = bytes.len() / self.element_size(checkpoint);
		ElementId { iteration, checkpoint, index: random.below(elements as u64) }
	}

	fn manifest(&self, told: usize) -> &Manifest {
		self.told[told].trace.manifest()
	}

	/// The trace root of one of the traces.
	pub fn trace_root(&self, told: usize) -> Hash {
		self.manifest(told).trace_root().into()
	}

	/// The roots of the outputs with the opening of the manifest that shows them.
	pub fn outputs(&self, told: usize) -> (BoundedVec<Hash, sp_core::ConstU32<16>>, Opening) {
		let last = self.iterations - 1;
		let places: Vec<u32> = self
			.program
			.program()
			.outputs
			.iter()
			.map(|value| u32::from(self.program.checkpoint_of(*value).expect("it is committed")))
			.collect();
		let manifest = self.manifest(told);
		let roots: Vec<Hash> = places
			.iter()
			.map(|place| manifest.entry(last, *place).expect("it is there").into())
			.collect();
		let opening = manifest.open(places.iter().map(|place| (last, *place)));
		(BoundedVec::truncate_from(roots), opening.expect("these entries are there"))
	}

	fn slices(&self) -> (Vec<&[u8]>, Vec<&[u8]>) {
		(
			self.constants.iter().map(|bytes| &bytes[..]).collect(),
			self.blobs.iter().map(Vec::as_slice).collect(),
		)
	}

	/// The proof of an element of one of the traces, as its node gives it.
	pub fn prove(&self, told: usize, element: ElementId) -> Option<ElementProof> {
		let (constants, blobs) = self.slices();
		let trace = &self.told[told].trace;
		let cache = &mut *self.cache.borrow_mut();
		build_proof(&self.program, &constants, &blobs, trace, element, cache).ok()
	}

	/// The proof that one of the false traces is false; for the true one that of any element.
	pub fn accuse(&self, told: usize, random: &mut Random) -> Option<ElementProof> {
		let Told { trace, lie } = &self.told[told];
		let Some(element) = *lie else {
			return self.prove(told, self.any_element(random));
		};
		let (constants, blobs) = self.slices();
		let claimed = trace.checkpoint(element.iteration, element.checkpoint)?;
		let accused = Accused { manifest: trace.manifest(), claimed: &claimed };
		let own = &self.told[0].trace;
		let cache = &mut *self.cache.borrow_mut();
		build_accusation(&self.program, &constants, &blobs, own, accused, element, cache).ok()
	}
}

/// Every work of a run, and what nodes sealed of it.
pub struct Library {
	/// The works.
	pub works: Vec<Rc<Work>>,
	deeds: BTreeMap<Hash, Deed>,
}

impl Library {
	/// The library of a run: its programs depend on the seed.
	pub fn new(random: &mut Random) -> Self {
		let works = (0..PROGRAMS).filter_map(|_| Work::new(random.draw(), random).map(Rc::new));
		Self { works: works.collect(), deeds: BTreeMap::new() }
	}

	/// Which work a job asks for, if it is one of these.
	pub fn work_of(&self, program: &Hash, blobs: &[Hash], iterations: u32) -> Option<usize> {
		self.works.iter().position(|work| {
			work.id == *program && work.iterations == iterations && work.roots[..] == *blobs
		})
	}

	/// Seals a trace for `job` in the name of `node`.
	pub fn seal(&mut self, job: JobId, node: &AccountId, deed: Deed) -> Hash {
		let sealed: Hash = seal(&SealData {
			genesis_hash: System::block_hash(0).0,
			job,
			node: node.clone().into(),
			trace_root: self.works[deed.work].trace_root(deed.told).0,
			salt: deed.salt,
		})
		.into();
		self.deeds.insert(sealed, deed);
		sealed
	}

	/// What was sealed by a commitment.
	pub fn deed(&self, commitment: &Commitment<crate::Runtime>) -> Option<Deed> {
		self.deeds.get(&commitment.seal).copied()
	}

	/// Forgets what no commitment needs any more.
	pub fn forget(&mut self, needed: impl Fn(&Hash) -> bool) {
		self.deeds.retain(|seal, _| needed(seal));
	}
}
