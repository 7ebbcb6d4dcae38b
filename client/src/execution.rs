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
	run_job, write_element, CheckedProgram, ConstantData, DType, ExecError, Executor, Leaf,
};

use crate::{
	blobs::{name, Batch},
	records::ProgramRecord,
	BlobStore, Root,
};

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
		let opened = Self { program: Arc::new(checked), constants, blobs: Vec::new(), iterations };
		opened.of_job(store, blob_roots, blob_bases, iterations).await
	}

	/// The materials of a job of the same program, which is not opened and fetched again. Fails as
	/// [`gather`](Self::gather) does.
	pub async fn of_job(
		&self,
		store: &BlobStore,
		blob_roots: &[Root],
		blob_bases: &[String],
		iterations: u32,
	) -> Result<Self> {
		let sizes = blob_sizes(&self.program, iterations);
		ensure!(
			sizes.len() == blob_roots.len(),
			"the program needs {} blobs, the job names {}",
			sizes.len(),
			blob_roots.len()
		);
		let mut blobs: Vec<Arc<[u8]>> = Vec::with_capacity(sizes.len());
		for (root, size) in blob_roots.iter().zip(sizes) {
			let bytes = store.get_or_fetch(root, blob_bases, size).await?;
			ensure!(
				bytes.len() as u64 == size,
				"input blob {} has {} bytes, the program needs {size}",
				name(root),
				bytes.len()
			);
			blobs.push(bytes.into());
		}
		let (program, constants) = (self.program.clone(), self.constants.clone());
		Ok(Self { program, constants, blobs, iterations })
	}

	/// The constants as slices.
	pub fn constant_slices(&self) -> Vec<&[u8]> {
		self.constants.iter().map(|bytes| &bytes[..]).collect()
	}

	/// The job's blobs as slices.
	pub fn blob_slices(&self) -> Vec<&[u8]> {
		self.blobs.iter().map(|bytes| &bytes[..]).collect()
	}

	/// Runs the job, hashes every checkpoint, and keeps the trace in `store`: all of it is on disk
	/// when this returns, so that a commitment to it can be answered for. `tamper` changes the trace
	/// before it is hashed: only a development worker that is told to cheat passes one.
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
		let mut trace = store.batch();
		let mut failure = None;
		let ran = run_job(
			executor,
			&self.program,
			&inputs,
			&state,
			self.iterations,
			&mut |iteration, checkpoints| {
				let begun = Instant::now();
				let kept = self.keep(iteration, checkpoints, tamper, &mut trace, &mut manifest);
				hashing += begun.elapsed();
				kept.map_err(|error| {
					let told = ExecError::Sink(error.to_string());
					failure = Some(error);
					told
				})
			},
		);
		if let Some(error) = failure {
			return Err(error.context("the trace could not be kept"));
		}
		ran.map_err(|error| anyhow::anyhow!("execution failed: {error}"))?;
		let begun = Instant::now();
		trace.put(manifest.bytes())?;
		trace.keep().context("the trace could not be kept")?;
		hashing += begun.elapsed();
		Ok(Trace { manifest, total: started.elapsed(), hashing })
	}

	/// Adds the checkpoints of an iteration to the trace.
	fn keep(
		&self,
		iteration: u32,
		checkpoints: &[Vec<u8>],
		tamper: Option<Tamper>,
		trace: &mut Batch<'_>,
		manifest: &mut Manifest,
	) -> Result<()> {
		let mut roots = Vec::with_capacity(checkpoints.len());
		for (number, bytes) in checkpoints.iter().enumerate() {
			let lie = tamper.filter(|tamper| {
				tamper.iteration == iteration && usize::from(tamper.checkpoint) == number
			});
			roots.push(match lie {
				Some(tamper) => trace.put(&tamper.apply(&self.program, bytes)?)?,
				None => trace.put(bytes)?,
			});
		}
		Ok(manifest.push_iteration(&roots)?)
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
					name(root),
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
	/// Time for hashing and storing the trace, until it is on disk.
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

#[cfg(test)]
mod tests {
	use super::*;
	use tensornet_tensor::{CpuExecutor, Layout, Op, ProgramBuilder, TensorType};

	/// A 4 × 4 int8 input multiplied by another one, into i32.
	fn program() -> ProgramRecord {
		let mut builder = ProgramBuilder::new();
		let ty = TensorType::new(DType::I8, [1, 4, 4]);
		let a = builder.input(ty.clone(), Layout::row_major(), false).unwrap();
		let b = builder.input(ty, Layout::new(&[0, 2, 1]), false).unwrap();
		let out = builder.op(Op::MatMul { a_zero_point: 0, b_zero_point: 0 }, &[a, b]).unwrap();
		builder.output(out, Layout::row_major());
		ProgramRecord {
			author: [0; 32],
			bytes: builder.finish().unwrap().encode(),
			hint: Vec::new(),
			macs: 64,
			max_iterations: 1,
			memory_mib: 1,
			arbitration_macs: 4,
			arbitration_bytes: 1024,
			live_jobs: 0,
		}
	}

	fn store() -> (tempfile::TempDir, BlobStore) {
		let folder = tempfile::tempdir().unwrap();
		let store = BlobStore::open(folder.path().join("blobs")).unwrap();
		(folder, store)
	}

	async fn gather(
		store: &BlobStore,
		program: &ProgramRecord,
		blobs: &[Root],
	) -> Result<Materials> {
		Materials::gather(store, program, blobs, &[], 1).await
	}

	#[tokio::test]
	async fn blobs_of_a_wrong_number_or_length_are_refused() {
		let (_folder, store) = store();
		let [right, short, long] = [16, 15, 17].map(|bytes| store.put(&vec![1; bytes]).unwrap());
		assert!(gather(&store, &program(), &[right, right]).await.is_ok());
		for (blobs, reason) in [
			(vec![right], "needs 2 blobs, the job names 1"),
			(vec![right; 3], "needs 2 blobs, the job names 3"),
			(vec![right, short], "has 15 bytes, the program needs 16"),
			(vec![long, right], "has 17 bytes, the program needs 16"),
			(vec![right, [9; 32]], "no place to fetch it from"),
		] {
			let error = gather(&store, &program(), &blobs).await.err().unwrap().to_string();
			assert!(error.contains(reason), "{error}");
		}
	}

	#[tokio::test]
	async fn a_malformed_program_is_refused_wherever_it_is_cut() {
		let (_folder, store) = store();
		let whole = program();
		for length in 0..whole.bytes.len() {
			let cut = ProgramRecord { bytes: whole.bytes[..length].to_vec(), ..whole.clone() };
			let error = gather(&store, &cut, &[]).await.err().unwrap().to_string();
			assert!(error.contains("the program on chain is invalid"), "{error}");
		}
	}

	#[tokio::test]
	async fn jobs_of_one_program_share_it() {
		let (_folder, store) = store();
		let (one, two) = (store.put(&[1; 16]).unwrap(), store.put(&[2; 16]).unwrap());
		let first = gather(&store, &program(), &[one, one]).await.unwrap();
		let second = first.of_job(&store, &[one, two], &[], 1).await.unwrap();
		assert!(Arc::ptr_eq(&first.program, &second.program));
		assert_eq!(second.blobs[1][..], [2; 16]);
		assert!(first.of_job(&store, &[one], &[], 1).await.is_err());
	}

	#[tokio::test]
	async fn a_trace_is_kept_whole_or_the_execution_fails() {
		let (folder, store) = store();
		let blob = store.put(&[1; 16]).unwrap();
		let materials = gather(&store, &program(), &[blob, blob]).await.unwrap();
		let mut executor =
			CpuExecutor::new(materials.program.clone(), materials.constants.clone()).unwrap();
		let trace = materials.execute(&mut executor, &store, None).unwrap();
		let stored = StoredTrace { manifest: &trace.manifest, store: &store };
		let product: Vec<u8> = (0..16).flat_map(|_| 4i32.to_le_bytes()).collect();
		assert_eq!(stored.checkpoint(0, 0).as_deref(), Some(&product[..]));
		assert_eq!(store.get(&trace.manifest.trace_root()).unwrap(), trace.manifest.bytes());
		assert!(trace.hashing <= trace.total);
		// As where the disk is full or gone.
		std::fs::remove_dir_all(folder.path()).unwrap();
		let error = materials.execute(&mut executor, &store, None).unwrap_err().to_string();
		assert!(error.contains("the trace could not be kept"), "{error}");
	}
}
