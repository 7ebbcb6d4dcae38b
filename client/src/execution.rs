// SPDX-License-Identifier: Apache-2.0

//! Running a job and committing to its trace: what a worker does to be paid, a checker to check and
//! a requester to verify.

use anyhow::{ensure, Context, Result};
use std::{
	borrow::Cow,
	sync::Arc,
	time::{Duration, Instant},
};
use tensornet_commitment::Manifest;
use tensornet_protocol::arbitration::TraceBlobs;
use tensornet_tensor::{
	run_job, write_element, CheckedProgram, ConstantData, DType, Executor, Leaf,
};

use crate::{blobs, records::ProgramRecord, BlobStore, Root};

/// Everything that a job's result depends on.
#[derive(Clone)]
pub struct Materials {
	/// The program.
	pub program: Arc<CheckedProgram>,
	/// Bytes of each constant in storage order; empty for inline ones.
	pub constants: Vec<Arc<[u8]>>,
	/// Bytes of each input blob, then of each first state.
	pub blobs: Vec<Arc<[u8]>>,
	/// How often the program runs.
	pub iterations: u32,
}

impl Materials {
	/// Fetches and checks everything a job needs. Sizes follow from the program, so an oversized
	/// blob is refused before it is read.
	pub async fn gather(
		store: &BlobStore,
		program: &ProgramRecord,
		blob_roots: &[Root],
		blob_bases: &[String],
		iterations: u32,
	) -> Result<Self> {
		let checked = CheckedProgram::decode(&program.bytes)
			.map_err(|error| anyhow::anyhow!("the program on chain is invalid: {error}"))?;
		let constants = fetch_constants(store, &checked, &program.hints()).await?;
		let mut materials =
			Self { program: Arc::new(checked), constants, blobs: Vec::new(), iterations };
		let sizes = materials.blob_sizes();
		ensure!(
			sizes.len() == blob_roots.len(),
			"the program needs {} blobs, the job names {}",
			sizes.len(),
			blob_roots.len()
		);
		for (root, size) in blob_roots.iter().zip(sizes) {
			let bytes = store.get_or_fetch(root, blob_bases, size).await?;
			ensure!(
				bytes.len() as u64 == size,
				"input blob {} has {} bytes, the program needs {size}",
				blobs::name(root),
				bytes.len()
			);
			materials.blobs.push(bytes.into());
		}
		Ok(materials)
	}

	/// The constants as slices.
	pub fn constant_slices(&self) -> Vec<&[u8]> {
		self.constants.iter().map(|bytes| &bytes[..]).collect()
	}

	/// The job's blobs as slices.
	pub fn blob_slices(&self) -> Vec<&[u8]> {
		self.blobs.iter().map(|bytes| &bytes[..]).collect()
	}

	/// Bytes of each blob of a job: inputs, then first states.
	pub fn blob_sizes(&self) -> Vec<u64> {
		blob_sizes(&self.program, self.iterations)
	}

	/// Runs the job, hashes every checkpoint, and keeps the trace in `store`. `tamper` changes the
	/// trace before it is hashed: only a development worker that is told to cheat passes one.
	pub fn execute(
		&self,
		executor: &mut dyn Executor,
		store: &BlobStore,
		tamper: Option<Tamper>,
	) -> Result<Trace> {
		let started = Instant::now();
		let mut hashing = Duration::ZERO;
		let program = self.program.program();
		let inputs: Vec<&[u8]> =
			self.blobs.iter().take(program.inputs.len()).map(|blob| &blob[..]).collect();
		let state: Vec<&[u8]> =
			self.blobs.iter().skip(program.inputs.len()).map(|blob| &blob[..]).collect();
		let mut manifest = Manifest::new(program.checkpoints.len() as u32);
		let mut failure = None;
		let ran = run_job(
			executor,
			&self.program,
			&inputs,
			&state,
			self.iterations,
			&mut |iteration, checkpoints| {
				let begun = Instant::now();
				let stored: Result<Vec<Root>> = checkpoints
					.iter()
					.enumerate()
					.map(|(number, bytes)| match &tamper {
						Some(tamper)
							if tamper.iteration == iteration
								&& tamper.checkpoint as usize == number =>
						{
							store.put(&tamper.apply(&self.program, bytes)?)
						}
						_ => store.put(bytes),
					})
					.collect();
				match stored.and_then(|roots| Ok(manifest.push_iteration(&roots)?)) {
					Ok(()) => {}
					Err(error) => failure = Some(error),
				}
				hashing += begun.elapsed();
				Ok(())
			},
		);
		if let Some(error) = failure {
			return Err(error.context("the trace could not be kept"));
		}
		ran.map_err(|error| anyhow::anyhow!("execution failed: {error}"))?;
		store.put(manifest.bytes())?;
		Ok(Trace { manifest, total: started.elapsed(), hashing })
	}
}

/// Fetches the constants of a program, in storage order; inline ones are left empty.
pub async fn fetch_constants(
	store: &BlobStore,
	program: &CheckedProgram,
	bases: &[String],
) -> Result<Vec<Arc<[u8]>>> {
	let mut constants: Vec<Arc<[u8]>> = Vec::new();
	for constant in &program.program().constants {
		constants.push(match &constant.data {
			ConstantData::Inline(_) => Arc::from(Vec::new()),
			ConstantData::Blob(root) => {
				let size = constant.ty.bytes();
				let bytes = store
					.get_or_fetch(root, bases, size)
					.await
					.context("a constant of the program")?;
				ensure!(
					bytes.len() as u64 == size,
					"constant {} has {} bytes, the program needs {size}",
					blobs::name(root),
					bytes.len()
				);
				bytes.into()
			}
		});
	}
	Ok(constants)
}

/// Bytes of each blob of a job with `iterations` iterations: inputs, then first states.
pub fn blob_sizes(program: &CheckedProgram, iterations: u32) -> Vec<u64> {
	let program = program.program();
	let inputs = program.inputs.iter().map(|input| {
		let copies = if input.per_iteration { iterations as u64 } else { 1 };
		input.ty.bytes().saturating_mul(copies)
	});
	inputs.chain(program.state.iter().map(|state| state.ty.bytes())).collect()
}

/// The committed trace of a run. Its checkpoints are in the blob store under their roots.
#[derive(Clone, Debug)]
pub struct Trace {
	/// Roots of all checkpoints.
	pub manifest: Manifest,
	/// Time for execution, hashing included.
	pub total: Duration,
	/// Time for hashing and storing the trace.
	pub hashing: Duration,
}

impl Trace {
	/// Roots of the outputs: the checkpoints of the last iteration that the program names as outputs.
	pub fn outputs(&self, program: &CheckedProgram) -> Vec<Root> {
		let program = program.program();
		let last = self.manifest.iterations().saturating_sub(1);
		program
			.outputs
			.iter()
			.filter_map(|value| {
				let number = program.checkpoints.iter().position(|c| c.value == *value)?;
				self.manifest.entry(last, number as u32)
			})
			.collect()
	}
}

/// A trace whose checkpoints are read from a blob store.
pub struct StoredTrace<'a> {
	/// The manifest.
	pub manifest: &'a Manifest,
	/// Where the checkpoints are.
	pub store: &'a BlobStore,
}

impl TraceBlobs for StoredTrace<'_> {
	fn manifest(&self) -> &Manifest {
		self.manifest
	}

	fn checkpoint(&self, iteration: u32, checkpoint: u16) -> Option<Cow<'_, [u8]>> {
		let root = self.manifest.entry(iteration, u32::from(checkpoint))?;
		self.store.get(&root).ok().map(Cow::Owned)
	}
}

/// A lie for development: one element of one checkpoint is changed before it is committed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tamper {
	/// Iteration of the checkpoint.
	pub iteration: u32,
	/// Number of the checkpoint.
	pub checkpoint: u16,
	/// Element in storage order; taken modulo the number of elements.
	pub index: u64,
}

impl Tamper {
	fn apply(&self, program: &CheckedProgram, bytes: &[u8]) -> Result<Vec<u8>> {
		let (ty, _) = program
			.leaf_type(Leaf::Checkpoint(self.checkpoint))
			.context("the program has no such checkpoint")?;
		let index = self.index % ty.elements().max(1);
		let mut bytes = bytes.to_vec();
		let value = tensornet_tensor::read_element(ty.dtype, &bytes, index).unwrap_or_default();
		write_element(ty.dtype, &mut bytes, index, Self::lie(ty.dtype, value));
		Ok(bytes)
	}

	/// What is committed in place of `value`: one bit is changed, the highest below the sign, so that a
	/// lie about an output can be seen in what the output means.
	pub fn lie(dtype: DType, value: i32) -> i32 {
		match dtype {
			DType::Bool => value ^ 1,
			DType::I8 => value ^ (1 << 6),
			DType::I16 => value ^ (1 << 14),
			DType::I32 => value ^ (1 << 30),
		}
	}
}
