// SPDX-License-Identifier: Apache-2.0

//! Arbitration: the proof of what one element of a trace was claimed to be and what it has to be.
//!
//! A trace is settled element by element. An [`ElementProof`] carries the openings of one claimed
//! checkpoint element and of every leaf that its recomputation reads; [`verify_element`] checks them
//! against the roots of the job and the trace root, and recomputes the element. The same proof
//! answers an audit (the two values are equal) and convicts a node (they differ).
//!
//! Natively, [`build_proof`] and [`build_accusation`] make such proofs.

#[cfg(feature = "std")]
mod build;
#[cfg(test)]
mod tests;

#[cfg(feature = "std")]
pub use build::{
	build_accusation, build_proof, first_difference, first_different_element, Accused, BuildError,
	MemoryTrace, OutboardCache, TraceBlobs,
};

use crate::Hash;
use alloc::vec::Vec;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use core::cell::Cell;
use scale_info::TypeInfo;
use tensornet_commitment::{
	verify, verify_entries, Opened, OpenedManifest, Opening, OpeningError, CHUNK_LEN,
};
use tensornet_tensor::{
	eval_element, read_element, CheckedProgram, ConstantData, DType, EvalError, Leaf, LeafSource,
};

/// One element of a trace.
#[derive(
	Clone,
	Copy,
	Debug,
	PartialEq,
	Eq,
	PartialOrd,
	Ord,
	Encode,
	Decode,
	DecodeWithMemTracking,
	TypeInfo,
	MaxEncodedLen,
)]
pub struct ElementId {
	/// The iteration, from 0.
	pub iteration: u32,
	/// The checkpoint, in program order.
	pub checkpoint: u16,
	/// The element, in the storage order of the checkpoint.
	pub index: u64,
}

/// What one checkpoint element was claimed to be, and all that is needed to recompute it.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, TypeInfo)]
pub struct ElementProof {
	/// The iteration, from 0.
	pub iteration: u32,
	/// The checkpoint, in program order.
	pub checkpoint: u16,
	/// The element, in the storage order of the checkpoint.
	pub index: u64,
	/// Opens, under the trace root, the roots of the claimed checkpoint and of every leaf that is
	/// part of the trace.
	pub manifest: Opening,
	/// Opens the claimed element under the root of its checkpoint.
	pub claimed: Opening,
	/// Opens what the recomputation reads: one opening for each leaf that is kept in a blob, sorted
	/// by leaf, without duplicates. Inline constants have none.
	pub leaves: Vec<(Leaf, Opening)>,
}

impl ElementProof {
	/// The element the proof is about.
	pub fn element(&self) -> ElementId {
		ElementId { iteration: self.iteration, checkpoint: self.checkpoint, index: self.index }
	}
}

/// The roots that a job and its revealed commitment fix.
#[derive(Clone, Copy, Debug)]
pub struct JobRoots<'a> {
	/// Roots of the job's blobs: inputs, then first states.
	pub blobs: &'a [Hash],
	/// How often the program runs.
	pub iterations: u32,
	/// The revealed trace root.
	pub trace_root: Hash,
}

/// What a valid proof shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Judgement {
	/// The committed value. A truth value is given as its stored byte: the canonical bytes are part
	/// of the claim, and a byte other than 0 and 1 is a false one.
	pub claimed: i32,
	/// The value that follows from the leaves.
	pub computed: i32,
	/// What the recomputation took of its budget.
	pub macs: u64,
}

impl Judgement {
	/// Whether the committed value is wrong.
	pub const fn is_fraud(&self) -> bool {
		self.claimed != self.computed
	}
}

/// Why a proof shows nothing.
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
pub enum ProofError {
	/// The trace has no such element. Check iteration, checkpoint and index.
	#[codec(index = 0)]
	NoSuchElement,
	/// The opening of the manifest was refused. Open the manifest of the revealed trace root.
	#[codec(index = 1)]
	Manifest(OpeningError),
	/// The manifest's opening lacks a root that is needed. Open the entries of the claimed checkpoint
	/// and of every leaf that is part of the trace.
	#[codec(index = 2)]
	MissingEntry,
	/// The opening of the claimed element was refused. Open the committed checkpoint.
	#[codec(index = 3)]
	Claimed(OpeningError),
	/// The claimed element is not among the opened bytes. Open the chunk that holds it.
	#[codec(index = 4)]
	ClaimedNotOpened,
	/// The leaves are unsorted or one is there twice. Sort them.
	#[codec(index = 5)]
	LeavesNotSorted,
	/// A leaf does not exist, or has no blob to be opened. Leave it out.
	#[codec(index = 6)]
	UnknownLeaf,
	/// The opening of a leaf was refused. Open the blob of the job, program or trace.
	#[codec(index = 7)]
	Leaf(OpeningError),
	/// The recomputation reads an element that is not opened. Open every chunk it reads.
	#[codec(index = 8)]
	MissingOpening,
	/// The recomputation takes more than its budget. The program is over the limits.
	#[codec(index = 9)]
	OverBudget,
	/// The element cannot be recomputed. The program is not one the analysis accepts.
	#[codec(index = 10)]
	NotComputable,
}

impl core::fmt::Display for ProofError {
	fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
		match self {
			Self::NoSuchElement => f.write_str("the trace has no such element"),
			Self::Manifest(error) => write!(f, "the manifest's opening is refused: {error}"),
			Self::MissingEntry => f.write_str("a manifest entry is not opened"),
			Self::Claimed(error) => write!(f, "the claimed element's opening is refused: {error}"),
			Self::ClaimedNotOpened => f.write_str("the claimed element is not opened"),
			Self::LeavesNotSorted => f.write_str("the leaves are not sorted"),
			Self::UnknownLeaf => f.write_str("a leaf does not exist or has no blob"),
			Self::Leaf(error) => write!(f, "a leaf's opening is refused: {error}"),
			Self::MissingOpening => f.write_str("an element that is read is not opened"),
			Self::OverBudget => f.write_str("the recomputation takes more than its budget"),
			Self::NotComputable => f.write_str("the element cannot be recomputed"),
		}
	}
}

impl core::error::Error for ProofError {}

/// Checks `proof` against the roots of `job` and recomputes its element with at most `budget_macs`
/// multiply-accumulates.
///
/// Never panics. Hashes no more than the proof's bytes. Equal and different values are both an `Ok`:
/// see [`Judgement::is_fraud`]. Errors: all of [`ProofError`]; none of them says anything about the
/// node that made the commitment.
pub fn verify_element(
	program: &CheckedProgram,
	job: &JobRoots<'_>,
	proof: &ElementProof,
	budget_macs: u64,
) -> Result<Judgement, ProofError> {
	let (ty, _) =
		program.leaf_type(Leaf::Checkpoint(proof.checkpoint)).ok_or(ProofError::NoSuchElement)?;
	if proof.iteration >= job.iterations || proof.index >= ty.elements() {
		return Err(ProofError::NoSuchElement);
	}
	let checkpoints = u32::try_from(program.program().checkpoints.len())
		.map_err(|_| ProofError::NoSuchElement)?;
	let entries = verify_entries(&job.trace_root.0, job.iterations, checkpoints, &proof.manifest)
		.map_err(ProofError::Manifest)?;

	let claimed_root = entries
		.entry(proof.iteration, u32::from(proof.checkpoint))
		.ok_or(ProofError::MissingEntry)?;
	let opened = verify(&claimed_root, ty.bytes(), &proof.claimed).map_err(ProofError::Claimed)?;
	let claimed =
		claimed_value(ty.dtype, &opened, proof.index).ok_or(ProofError::ClaimedNotOpened)?;

	let mut leaves = Vec::with_capacity(proof.leaves.len());
	let mut previous = None;
	for (leaf, opening) in &proof.leaves {
		if previous >= Some(*leaf) {
			return Err(ProofError::LeavesNotSorted);
		}
		previous = Some(*leaf);
		leaves.push(open_leaf(program, job, &entries, proof.iteration, *leaf, opening)?);
	}

	let mut budget = budget_macs;
	let source = OpenedLeaves(leaves);
	let computed = eval_element(program, &source, proof.checkpoint, proof.index, &mut budget)
		.map_err(evaluation_error)?;
	Ok(Judgement { claimed, computed, macs: budget_macs.saturating_sub(budget) })
}

/// The committed value of an element, with a truth value as its raw byte.
fn claimed_value(dtype: DType, opened: &Opened<'_>, index: u64) -> Option<i32> {
	let size = dtype.size();
	let bytes = opened.get(index.checked_mul(size)?, usize::try_from(size).ok()?)?;
	raw_element(dtype, bytes, 0)
}

/// An element of stored bytes, with a truth value as its raw byte.
fn raw_element(dtype: DType, bytes: &[u8], index: u64) -> Option<i32> {
	match dtype {
		DType::Bool => bytes.get(usize::try_from(index).ok()?).map(|byte| i32::from(*byte)),
		_ => read_element(dtype, bytes, index),
	}
}

/// Verifies the opening of one leaf.
fn open_leaf<'a>(
	program: &CheckedProgram,
	job: &JobRoots<'_>,
	entries: &OpenedManifest<'_>,
	iteration: u32,
	leaf: Leaf,
	opening: &'a Opening,
) -> Result<OpenedLeaf<'a>, ProofError> {
	let place =
		leaf_place(program, job.iterations, iteration, leaf).ok_or(ProofError::UnknownLeaf)?;
	let root = match place.blob {
		LeafBlob::Job(number) => job.blobs.get(number).ok_or(ProofError::UnknownLeaf)?.0,
		LeafBlob::Constant(root) => root,
		LeafBlob::Trace { iteration, checkpoint } => {
			entries.entry(iteration, u32::from(checkpoint)).ok_or(ProofError::MissingEntry)?
		}
	};
	let opened = verify(&root, place.len, opening).map_err(ProofError::Leaf)?;
	Ok(OpenedLeaf {
		leaf,
		dtype: place.dtype,
		offset: place.offset,
		elements: place.elements,
		opened,
		last: Cell::new((u64::MAX, &[])),
	})
}

/// Which blob holds a leaf.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum LeafBlob {
	/// The job's blob of this number.
	Job(usize),
	/// A constant of the program, by its root.
	Constant([u8; 32]),
	/// A checkpoint of the trace.
	Trace {
		/// The iteration.
		iteration: u32,
		/// The checkpoint.
		checkpoint: u16,
	},
}

/// Where the bytes of a leaf are, as one iteration sees it.
#[derive(Clone, Copy, Debug)]
struct LeafPlace {
	blob: LeafBlob,
	/// Bytes of the whole blob.
	len: u64,
	/// Offset of the iteration's tensor in it.
	offset: u64,
	dtype: DType,
	/// Elements of the iteration's tensor.
	elements: u64,
}

/// Where `leaf` is found in `iteration` of a job of `iterations`; `None` if the program has no such
/// leaf or keeps it inline.
fn leaf_place(
	program: &CheckedProgram,
	iterations: u32,
	iteration: u32,
	leaf: Leaf,
) -> Option<LeafPlace> {
	let (ty, _) = program.leaf_type(leaf)?;
	let definition = program.program();
	let bytes = ty.bytes();
	let whole = LeafPlace {
		blob: LeafBlob::Job(0),
		len: bytes,
		offset: 0,
		dtype: ty.dtype,
		elements: ty.elements(),
	};
	match leaf {
		Leaf::Input(number) => {
			let number = usize::from(number);
			let blob = LeafBlob::Job(number);
			if definition.inputs.get(number)?.per_iteration {
				let len = bytes.checked_mul(u64::from(iterations))?;
				let offset = bytes.checked_mul(u64::from(iteration))?;
				Some(LeafPlace { blob, len, offset, ..whole })
			} else {
				Some(LeafPlace { blob, ..whole })
			}
		}
		Leaf::Constant(number) => match definition.constants.get(usize::from(number))?.data {
			ConstantData::Inline(_) => None,
			ConstantData::Blob(root) => Some(LeafPlace { blob: LeafBlob::Constant(root), ..whole }),
		},
		Leaf::State(number) => {
			let number = usize::from(number);
			let blob = match iteration.checked_sub(1) {
				None => LeafBlob::Job(definition.inputs.len().checked_add(number)?),
				Some(iteration) => {
					let checkpoint = program.checkpoint_of(definition.state.get(number)?.next)?;
					LeafBlob::Trace { iteration, checkpoint }
				}
			};
			Some(LeafPlace { blob, ..whole })
		}
		Leaf::Checkpoint(checkpoint) => {
			Some(LeafPlace { blob: LeafBlob::Trace { iteration, checkpoint }, ..whole })
		}
	}
}

fn evaluation_error(error: EvalError) -> ProofError {
	match error {
		EvalError::Missing { .. } => ProofError::MissingOpening,
		EvalError::OutOfBudget => ProofError::OverBudget,
		EvalError::UnknownCheckpoint | EvalError::OutOfRange => ProofError::NoSuchElement,
		EvalError::Inconsistent => ProofError::NotComputable,
	}
}

/// A leaf whose opening was verified.
struct OpenedLeaf<'a> {
	leaf: Leaf,
	dtype: DType,
	/// Offset in bytes of the iteration's tensor in the blob.
	offset: u64,
	/// Elements of that tensor.
	elements: u64,
	opened: Opened<'a>,
	/// Number and bytes of the chunk read last: a product reads long runs of one chunk, and looking
	/// the chunk up for each element would cost more than the product.
	last: Cell<(u64, &'a [u8])>,
}

impl OpenedLeaf<'_> {
	fn read(&self, index: u64) -> Option<i32> {
		if index >= self.elements {
			return None;
		}
		let size = self.dtype.size();
		let at = self.offset.checked_add(index.checked_mul(size)?)?;
		let number = at / CHUNK_LEN;
		let (last_number, mut chunk) = self.last.get();
		if number != last_number {
			let start = number.checked_mul(CHUNK_LEN)?;
			let len = self.opened.blob_len().checked_sub(start)?.min(CHUNK_LEN);
			chunk = self.opened.get(start, usize::try_from(len).ok()?)?;
			self.last.set((number, chunk));
		}
		// Tensors start at multiples of their element size, so an element never crosses chunks.
		read_element(self.dtype, chunk, (at % CHUNK_LEN).checked_div(size)?)
	}
}

/// The leaves of a proof. They are few, so a scan beats a search.
struct OpenedLeaves<'a>(Vec<OpenedLeaf<'a>>);

impl LeafSource for OpenedLeaves<'_> {
	fn read(&self, leaf: Leaf, index: u64) -> Option<i32> {
		self.0.iter().find(|opened| opened.leaf == leaf)?.read(index)
	}
}
