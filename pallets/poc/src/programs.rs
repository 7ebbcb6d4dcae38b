// SPDX-License-Identifier: Apache-2.0

//! The registry of programs.

use crate::{pallet::*, CheckpointWork, ProgramFault, ProgramRecord};
use alloc::vec::Vec;
use codec::Encode;
use frame_support::{
	ensure,
	traits::{fungible::MutateHold, tokens::Precision, Footprint, Get},
	BoundedVec,
};
use sp_runtime::{traits::Convert, DispatchError, DispatchResult};
use tensornet_protocol::{Compliance, DataHint, Hash, ProgramFacts, Role, MAX_BLOBS};
use tensornet_tensor::{analyse, CheckedProgram, Leaf, Limits, ProgramError, MAX_INPUTS};

// A job can name a blob for each input and state that a program may have.
const _: () = assert!(MAX_INPUTS <= MAX_BLOBS as usize);

/// Bytes of one MiB.
const MIB: u64 = 1 << 20;

impl<T: Config> Pallet<T> {
	/// Kibibytes, rounded up.
	pub fn kib(bytes: usize) -> u32 {
		u32::try_from(bytes.div_ceil(1024)).unwrap_or(u32::MAX)
	}

	pub(crate) fn do_register_program(
		author: T::AccountId,
		bytes: BoundedVec<u8, T::MaxProgramBytes>,
		hint: DataHint,
	) -> DispatchResult {
		ensure!(T::Compliance::admits(&author, Role::Developer), Error::<T>::NotAdmitted);
		let id = Hash::from(tensornet_commitment::root(&bytes));
		ensure!(!Programs::<T>::contains_key(id), Error::<T>::ProgramExists);
		let program = CheckedProgram::decode(&bytes).map_err(refused::<T>)?;
		let checkpoints = checkpoint_work::<T>(&program)?;
		let mut record = describe::<T>(&program, author.clone(), hint)?;

		let stored = [bytes.encoded_size(), checkpoints.encoded_size(), record.encoded_size()];
		let size = stored.iter().fold(0usize, |sum, size| sum.saturating_add(*size));
		record.deposit = T::ProgramDeposit::convert(Footprint::from_parts(1, size));
		T::Currency::hold(&HoldReason::ProgramDeposit.into(), &author, record.deposit)?;

		let (macs, deposit) = (record.macs, record.deposit);
		Programs::<T>::insert(id, record);
		ProgramBytes::<T>::insert(id, bytes);
		ProgramCheckpoints::<T>::insert(id, checkpoints);
		Self::deposit_event(Event::ProgramRegistered { program: id, author, macs, deposit });
		Ok(())
	}

	pub(crate) fn do_unregister_program(author: T::AccountId, program: Hash) -> DispatchResult {
		let record = Programs::<T>::get(program).ok_or(Error::<T>::UnknownProgram)?;
		ensure!(record.author == author, Error::<T>::NotAuthor);
		ensure!(record.live_jobs == 0, Error::<T>::ProgramInUse);
		let deposit = T::Currency::release(
			&HoldReason::ProgramDeposit.into(),
			&author,
			record.deposit,
			Precision::Exact,
		)?;
		Programs::<T>::remove(program);
		ProgramBytes::<T>::remove(program);
		ProgramCheckpoints::<T>::remove(program);
		Self::deposit_event(Event::ProgramUnregistered { program, author, deposit });
		Ok(())
	}

	/// A registered program and the length of its encoding.
	pub(crate) fn load_program(program: &Hash) -> Result<(CheckedProgram, usize), Error<T>> {
		let bytes = ProgramBytes::<T>::get(program).ok_or(Error::<T>::UnknownProgram)?;
		let len = bytes.len();
		let program = CheckedProgram::decode(&bytes).map_err(refused::<T>)?;
		Ok((program, len))
	}
}

fn refused<T: Config>(error: ProgramError) -> Error<T> {
	Error::ProgramInvalid(ProgramFault(error))
}

/// Analyses `program` within the chain's limits. The deposit is still to be set.
fn describe<T: Config>(
	program: &CheckedProgram,
	author: T::AccountId,
	hint: DataHint,
) -> Result<ProgramRecord<T>, DispatchError> {
	let definition = program.program();
	let blobs = definition.inputs.len().saturating_add(definition.state.len());
	let outputs: Vec<u16> =
		definition.outputs.iter().filter_map(|output| program.checkpoint_of(*output)).collect();
	let outputs = BoundedVec::try_from(outputs).map_err(|_| Error::<T>::TooManyOutputs)?;
	let checkpoints =
		u32::try_from(definition.checkpoints.len()).map_err(|_| Error::<T>::TooManyCheckpoints)?;

	let limits = Limits { macs: T::ArbitrationMacs::get(), open_bytes: T::ArbitrationBytes::get() };
	let analysis = analyse(program, &limits).map_err(refused::<T>)?;
	let costs = &analysis.checkpoints;
	let memory_mib = analysis.memory_bytes.div_ceil(MIB);
	Ok(ProgramRecord {
		author,
		deposit: Default::default(),
		hint,
		macs: program.macs(),
		max_iterations: definition.max_iterations,
		blobs: u32::try_from(blobs).unwrap_or(u32::MAX),
		memory_mib: u32::try_from(memory_mib).unwrap_or(u32::MAX),
		checkpoints,
		outputs,
		arbitration_macs: costs.iter().map(|cost| cost.macs).max().unwrap_or(0),
		arbitration_bytes: costs.iter().map(|cost| cost.open_bytes).max().unwrap_or(0),
		live_jobs: 0,
	})
}

/// What audits of `program` draw from.
fn checkpoint_work<T: Config>(
	program: &CheckedProgram,
) -> Result<BoundedVec<CheckpointWork, T::MaxCheckpoints>, Error<T>> {
	let count = u16::try_from(program.program().checkpoints.len())
		.map_err(|_| Error::<T>::TooManyCheckpoints)?;
	let mut cumulative = 0u64;
	let work: Vec<CheckpointWork> = (0..count)
		.map(|checkpoint| {
			// Even a checkpoint that costs nothing must be within an audit's reach.
			let macs = program.checkpoint_macs(checkpoint).max(1);
			cumulative = cumulative.saturating_add(macs);
			let ty = program.leaf_type(Leaf::Checkpoint(checkpoint));
			CheckpointWork { cumulative, elements: ty.map_or(0, |(ty, _)| ty.elements()) }
		})
		.collect();
	BoundedVec::try_from(work).map_err(|_| Error::<T>::TooManyCheckpoints)
}

impl<T: Config> tensornet_protocol::Programs for Pallet<T> {
	type AccountId = T::AccountId;

	fn facts(program: &Hash) -> Option<ProgramFacts<T::AccountId>> {
		Programs::<T>::get(program).map(|record| ProgramFacts {
			author: record.author,
			macs: record.macs,
			max_iterations: record.max_iterations,
			blobs: record.blobs,
			memory_mib: record.memory_mib,
		})
	}

	fn job_opened(program: &Hash) {
		Programs::<T>::mutate_extant(program, |record| {
			record.live_jobs = record.live_jobs.saturating_add(1)
		});
	}

	fn job_closed(program: &Hash) {
		Programs::<T>::mutate_extant(program, |record| {
			record.live_jobs = record.live_jobs.saturating_sub(1)
		});
	}
}
