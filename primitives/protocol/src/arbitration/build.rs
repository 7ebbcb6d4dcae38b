// SPDX-License-Identifier: Apache-2.0

//! Making element proofs: for an audit from one's own trace, for an accusation from one's own trace
//! and the element the accused committed to.

use super::{leaf_place, ElementId, ElementProof, LeafBlob, LeafPlace};
use std::{
	borrow::Cow,
	cell::RefCell,
	collections::{btree_map::Entry, BTreeMap, BTreeSet},
	ops::Range,
	sync::Arc,
};
use tensornet_commitment::{Manifest, ManifestError, Opening, OpeningError, Outboard, CHUNK_LEN};
use tensornet_tensor::{
	eval_element, read_element, CheckedProgram, DType, EvalError, Leaf, LeafSource,
};

/// The trace of a job, as whoever computed it keeps it.
pub trait TraceBlobs {
	/// The bytes, in storage order, of a checkpoint of an iteration. `None` if they are not at hand.
	fn checkpoint(&self, iteration: u32, checkpoint: u16) -> Option<Cow<'_, [u8]>>;

	/// The roots of all checkpoints.
	fn manifest(&self) -> &Manifest;
}

/// A trace that is kept in memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MemoryTrace {
	checkpoints: Vec<Vec<Vec<u8>>>,
	manifest: Manifest,
}

impl MemoryTrace {
	/// The trace, still without iterations, of a program with `checkpoints` checkpoints.
	pub fn new(checkpoints: u32) -> Self {
		Self { checkpoints: Vec::new(), manifest: Manifest::new(checkpoints) }
	}

	/// Appends an iteration: the stored bytes of all checkpoints in program order. Error:
	/// [`ManifestError::WrongCheckpointCount`].
	pub fn push_iteration(&mut self, checkpoints: &[Vec<u8>]) -> Result<(), ManifestError> {
		let roots: Vec<_> =
			checkpoints.iter().map(|bytes| tensornet_commitment::root(bytes)).collect();
		self.manifest.push_iteration(&roots)?;
		self.checkpoints.push(checkpoints.to_vec());
		Ok(())
	}
}

impl TraceBlobs for MemoryTrace {
	fn checkpoint(&self, iteration: u32, checkpoint: u16) -> Option<Cow<'_, [u8]>> {
		let iteration = self.checkpoints.get(usize::try_from(iteration).ok()?)?;
		iteration.get(usize::from(checkpoint)).map(|bytes| Cow::Borrowed(bytes.as_slice()))
	}

	fn manifest(&self) -> &Manifest {
		&self.manifest
	}
}

/// What an accused node committed to, as far as an accusation needs it.
#[derive(Clone, Copy)]
pub struct Accused<'a> {
	/// Its manifest, under its revealed trace root.
	pub manifest: &'a Manifest,
	/// The bytes of its checkpoint that holds the wrong element.
	pub claimed: &'a [u8],
}

/// Upper parts of the hash trees of blobs, by root, so that the next proof need not hash the same
/// blobs again. Takes 0.4 % of the blobs' size.
#[derive(Clone, Default)]
pub struct OutboardCache {
	outboards: BTreeMap<[u8; 32], Arc<Outboard>>,
}

impl OutboardCache {
	/// An empty cache.
	pub fn new() -> Self {
		Self::default()
	}

	/// Forgets everything.
	pub fn clear(&mut self) {
		self.outboards.clear();
	}

	/// The outboard of `blob`, whose root must be `root`; `None` if it is not.
	fn outboard(&mut self, root: &[u8; 32], blob: &[u8]) -> Option<Arc<Outboard>> {
		match self.outboards.entry(*root) {
			Entry::Occupied(entry) => Some(entry.get().clone()),
			Entry::Vacant(entry) => {
				let outboard = Outboard::new(blob);
				(outboard.root() == *root).then(|| entry.insert(Arc::new(outboard)).clone())
			}
		}
	}
}

/// Why a proof could not be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BuildError {
	/// The trace has no such element.
	NoSuchElement,
	/// A blob of the job, of the program or of the trace is not at hand, or is too short.
	MissingBlob(Leaf),
	/// The bytes of a leaf do not have the root that the program or the manifest names: the blob is
	/// another one, or the two traces differ before the claimed element already.
	WrongBlob(Leaf),
	/// The bytes of the claimed checkpoint are not at hand.
	MissingClaim,
	/// The bytes of the claimed checkpoint do not have the root that the manifest names.
	WrongClaim,
	/// The manifest could not be opened.
	Manifest(ManifestError),
	/// A blob could not be opened.
	Opening(OpeningError),
	/// The element could not be recomputed.
	Evaluation(EvalError),
}

impl core::fmt::Display for BuildError {
	fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
		match self {
			Self::NoSuchElement => f.write_str("the trace has no such element"),
			Self::MissingBlob(leaf) => write!(f, "the bytes of {leaf:?} are not at hand"),
			Self::WrongBlob(leaf) => write!(f, "the bytes of {leaf:?} have another root"),
			Self::MissingClaim => f.write_str("the claimed checkpoint is not at hand"),
			Self::WrongClaim => f.write_str("the claimed checkpoint has another root"),
			Self::Manifest(error) => write!(f, "{error}"),
			Self::Opening(error) => write!(f, "{error}"),
			Self::Evaluation(error) => write!(f, "the element cannot be recomputed: {error:?}"),
		}
	}
}

impl std::error::Error for BuildError {}

/// Proves `element` of one's own trace: the answer to an audit.
///
/// `constants` has the bytes of one blob for each constant of the program, inline ones may be empty;
/// `blobs` those of the job: inputs, then first states. Opens exactly the chunks that the
/// recomputation reads. Errors: all of [`BuildError`].
pub fn build_proof(
	program: &CheckedProgram,
	constants: &[&[u8]],
	blobs: &[&[u8]],
	trace: &dyn TraceBlobs,
	element: ElementId,
	cache: &mut OutboardCache,
) -> Result<ElementProof, BuildError> {
	let claimed =
		trace.checkpoint(element.iteration, element.checkpoint).ok_or(BuildError::MissingClaim)?;
	let accused = Accused { manifest: trace.manifest(), claimed: &claimed };
	build_accusation(program, constants, blobs, trace, accused, element, cache)
}

/// Proves that `accused` committed to a wrong `element`.
///
/// `own` is the honest trace: the leaves come from it, so it must agree with the accused's trace in
/// every checkpoint that the element is computed from. [`first_difference`] names a checkpoint of
/// which that is true, [`first_different_element`] an element of it. Other arguments and errors as
/// for [`build_proof`].
pub fn build_accusation(
	program: &CheckedProgram,
	constants: &[&[u8]],
	blobs: &[&[u8]],
	own: &dyn TraceBlobs,
	accused: Accused<'_>,
	element: ElementId,
	cache: &mut OutboardCache,
) -> Result<ElementProof, BuildError> {
	let ElementId { iteration, checkpoint, index } = element;
	let (ty, _) =
		program.leaf_type(Leaf::Checkpoint(checkpoint)).ok_or(BuildError::NoSuchElement)?;
	let claimed_root = accused
		.manifest
		.entry(iteration, u32::from(checkpoint))
		.ok_or(BuildError::NoSuchElement)?;
	if index >= ty.elements() {
		return Err(BuildError::NoSuchElement);
	}

	let source = Recorder {
		program,
		constants,
		blobs,
		trace: own,
		iterations: accused.manifest.iterations(),
		iteration,
		leaves: RefCell::default(),
	};
	let mut budget = u64::MAX;
	eval_element(program, &source, checkpoint, index, &mut budget).map_err(
		|error| match error {
			EvalError::Missing { leaf, .. } => BuildError::MissingBlob(leaf),
			error => BuildError::Evaluation(error),
		},
	)?;

	let mut entries = vec![(iteration, u32::from(checkpoint))];
	let mut leaves = Vec::new();
	for (leaf, read) in source.leaves.into_inner() {
		let Some(read) = read else { return Err(BuildError::MissingBlob(leaf)) };
		let ReadLeaf { place, bytes, chunks, .. } = read;
		let root = match place.blob {
			// The chain knows the root of a job's blob; whoever fetched it has checked it.
			LeafBlob::Job(_) => None,
			LeafBlob::Constant(root) => Some(root),
			LeafBlob::Trace { iteration, checkpoint } => {
				entries.push((iteration, u32::from(checkpoint)));
				accused.manifest.entry(iteration, u32::from(checkpoint))
			}
		};
		let root = root.unwrap_or_else(|| tensornet_commitment::root(&bytes));
		let outboard = cache.outboard(&root, &bytes).ok_or(BuildError::WrongBlob(leaf))?;
		leaves.push((leaf, open(&outboard, &bytes, &chunks)?));
	}

	let outboard = cache.outboard(&claimed_root, accused.claimed).ok_or(BuildError::WrongClaim)?;
	let chunk = index.saturating_mul(ty.dtype.size()) / CHUNK_LEN;
	let claimed = open(&outboard, accused.claimed, &BTreeSet::from([chunk]))?;
	let manifest = accused.manifest.open(entries).map_err(BuildError::Manifest)?;
	Ok(ElementProof { iteration, checkpoint, index, manifest, claimed, leaves })
}

/// The first checkpoint, in the order of the manifest, in which two traces of one job differ.
///
/// Whatever it is computed from comes before it, so the traces agree on all of its leaves. `None` if
/// the traces are equal.
pub fn first_difference(own: &Manifest, accused: &Manifest) -> Option<(u32, u16)> {
	(0..own.iterations()).find_map(|iteration| {
		(0..own.checkpoints())
			.find(|checkpoint| {
				own.entry(iteration, *checkpoint) != accused.entry(iteration, *checkpoint)
			})
			.and_then(|checkpoint| Some((iteration, u16::try_from(checkpoint).ok()?)))
	})
}

/// The first element in which two stored tensors of type `dtype` differ. Bytes are compared, not
/// values, because bytes are what was committed. `None` if they are equal.
pub fn first_different_element(dtype: DType, own: &[u8], accused: &[u8]) -> Option<u64> {
	let byte = own.iter().zip(accused).position(|(own, accused)| own != accused)?;
	u64::try_from(byte).ok()?.checked_div(dtype.size())
}

/// Opens whole chunks by number.
fn open(outboard: &Outboard, blob: &[u8], chunks: &BTreeSet<u64>) -> Result<Opening, BuildError> {
	let len = outboard.blob_len();
	let ranges = chunks.iter().map(|chunk| -> Range<u64> {
		let start = chunk.saturating_mul(CHUNK_LEN);
		start..start.saturating_add(CHUNK_LEN).min(len)
	});
	outboard.open(blob, ranges).map_err(BuildError::Opening)
}

/// What was read of one leaf.
struct ReadLeaf<'a> {
	place: LeafPlace,
	/// The whole blob.
	bytes: Cow<'a, [u8]>,
	/// Chunks that were read.
	chunks: BTreeSet<u64>,
	/// The one read last, to keep the set out of inner loops.
	last: u64,
}

/// Reads leaves from whole blobs and remembers which chunks were read. A leaf without bytes is
/// remembered as `None`.
struct Recorder<'a> {
	program: &'a CheckedProgram,
	constants: &'a [&'a [u8]],
	blobs: &'a [&'a [u8]],
	trace: &'a dyn TraceBlobs,
	iterations: u32,
	iteration: u32,
	leaves: RefCell<BTreeMap<Leaf, Option<ReadLeaf<'a>>>>,
}

impl<'a> Recorder<'a> {
	fn load(&self, leaf: Leaf) -> Option<ReadLeaf<'a>> {
		let place = leaf_place(self.program, self.iterations, self.iteration, leaf)?;
		let bytes = match place.blob {
			LeafBlob::Job(number) => Cow::Borrowed(*self.blobs.get(number)?),
			LeafBlob::Constant(_) => {
				let Leaf::Constant(number) = leaf else { return None };
				Cow::Borrowed(*self.constants.get(usize::from(number))?)
			}
			LeafBlob::Trace { iteration, checkpoint } => {
				self.trace.checkpoint(iteration, checkpoint)?
			}
		};
		(u64::try_from(bytes.len()) == Ok(place.len)).then(|| ReadLeaf {
			place,
			bytes,
			chunks: BTreeSet::new(),
			last: u64::MAX,
		})
	}
}

impl LeafSource for Recorder<'_> {
	fn read(&self, leaf: Leaf, index: u64) -> Option<i32> {
		let mut leaves = self.leaves.borrow_mut();
		let read = leaves.entry(leaf).or_insert_with(|| self.load(leaf)).as_mut()?;
		let place = &read.place;
		if index >= place.elements {
			return None;
		}
		let size = place.dtype.size();
		let chunk = place.offset.checked_add(index.checked_mul(size)?)? / CHUNK_LEN;
		if chunk != read.last {
			read.last = chunk;
			read.chunks.insert(chunk);
		}
		let tensor = read.bytes.get(usize::try_from(place.offset).ok()?..)?;
		read_element(place.dtype, tensor, index)
	}
}
