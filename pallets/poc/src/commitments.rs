// SPDX-License-Identifier: Apache-2.0

//! Commit and reveal.

use crate::{pallet::*, Audit, Commitment, OpeningFault, Phase, Task};
use frame_support::{ensure, traits::Get, BoundedVec};
use frame_system::pallet_prelude::BlockNumberFor;
use sp_runtime::{
	traits::{One, Saturating, Zero},
	DispatchResult,
};
use tensornet_commitment::{seal, verify_entries, Opening, SealData};
use tensornet_protocol::{Hash, JobId, Jobs, Nodes};

impl<T: Config> Pallet<T> {
	pub(crate) fn do_commit(operator: T::AccountId, job: JobId, seal: Hash) -> DispatchResult {
		let node = T::Nodes::node_of(&operator).ok_or(Error::<T>::NotANode)?;
		let assignment = T::Jobs::assignment(job).ok_or(Error::<T>::NotAssigned)?;
		ensure!(assignment.node == node, Error::<T>::NotYourJob);
		ensure!(!Commitments::<T>::contains_key(job), Error::<T>::AlreadyCommitted);
		let now = frame_system::Pallet::<T>::block_number();
		ensure!(now <= assignment.commit_by, Error::<T>::TooLate);
		T::Jobs::committed(job)?;

		let reveal_by = now.saturating_add(T::RevealWindow::get());
		let due = reveal_by.saturating_add(One::one());
		let commitment = Commitment {
			node: node.clone(),
			requester: assignment.requester.clone(),
			program: assignment.program,
			iterations: assignment.iterations,
			attempt: assignment.attempt,
			seal,
			phase: Phase::Sealed { reveal_by },
			due,
		};
		Commitments::<T>::insert(job, commitment);
		Self::schedule(due, job, Task::RevealBy);
		let requester = assignment.requester;
		Self::deposit_event(Event::Committed { job, node, requester, seal, reveal_by });
		Ok(())
	}

	pub(crate) fn do_reveal(
		operator: T::AccountId,
		job: JobId,
		trace_root: Hash,
		salt: [u8; 32],
		outputs: BoundedVec<Hash, T::MaxOutputs>,
		manifest: Opening,
	) -> DispatchResult {
		let mut commitment = Self::commitment_of(&operator, job)?;
		let Phase::Sealed { reveal_by } = commitment.phase else {
			return Err(Error::<T>::AlreadyRevealed.into());
		};
		let now = frame_system::Pallet::<T>::block_number();
		ensure!(now <= reveal_by, Error::<T>::TooLate);
		ensure!(
			Self::seal_of(job, &commitment.node, trace_root, salt) == commitment.seal,
			Error::<T>::SealMismatch
		);
		Self::check_outputs(&commitment, trace_root, &outputs, &manifest)?;

		let settle_at = now.saturating_add(T::ChallengeWindow::get());
		commitment.phase = Phase::Revealed {
			trace_root,
			outputs: outputs.clone(),
			revealed_at: now,
			settle_at,
			audit: Audit::Undrawn,
		};
		// The draw reads the beacon as it stood after the block before its due one.
		let due = now.saturating_add(Self::beacon_delay()).saturating_add(One::one());
		let (node, requester) = (commitment.node.clone(), commitment.requester.clone());
		Self::reschedule(job, commitment, due);
		Self::deposit_event(Event::Revealed {
			job,
			node,
			requester,
			trace_root,
			outputs,
			settle_at,
		});
		Ok(())
	}

	/// The commitment to `job` of the node that `operator` works for.
	pub(crate) fn commitment_of(
		operator: &T::AccountId,
		job: JobId,
	) -> Result<Commitment<T>, Error<T>> {
		let node = T::Nodes::node_of(operator).ok_or(Error::<T>::NotANode)?;
		let commitment = Commitments::<T>::get(job).ok_or(Error::<T>::NotCommitted)?;
		ensure!(commitment.node == node, Error::<T>::NotYourJob);
		Ok(commitment)
	}

	/// The seal that `node` must have given for `job` if it now shows `trace_root` and `salt`.
	///
	/// Why a seal cannot be replayed. It binds chain, job and node: what another node sealed, for this
	/// job or another, cannot be opened by a node that copied it, and a node's own seal of one job
	/// opens for no other job. It does not bind the attempt. A job comes back to a node only after an
	/// attempt of another node failed in between, and then the node may well commit to the trace it
	/// has computed already: all it could gain from its old seal is what it could have from a fresh
	/// one, since the trace root is its own, is judged anew, and has long been fixed when the beacon
	/// draws.
	pub(crate) fn seal_of(
		job: JobId,
		node: &T::AccountId,
		trace_root: Hash,
		salt: [u8; 32],
	) -> Hash {
		let genesis = frame_system::Pallet::<T>::block_hash(BlockNumberFor::<T>::zero());
		let data = SealData {
			genesis_hash: genesis.as_ref().try_into().unwrap_or_default(),
			job,
			node: node.clone().into(),
			trace_root: trace_root.0,
			salt,
		};
		seal(&data).into()
	}

	/// Checks that the manifest names `outputs` in the last iteration.
	fn check_outputs(
		commitment: &Commitment<T>,
		trace_root: Hash,
		outputs: &[Hash],
		manifest: &Opening,
	) -> Result<(), Error<T>> {
		let program = Programs::<T>::get(commitment.program).ok_or(Error::<T>::UnknownProgram)?;
		let entries =
			verify_entries(&trace_root.0, commitment.iterations, program.checkpoints, manifest)
				.map_err(|error| Error::<T>::BadManifest(OpeningFault(error)))?;
		let last = commitment.iterations.saturating_sub(1);
		ensure!(outputs.len() == program.outputs.len(), Error::<T>::WrongOutputs);
		for (output, checkpoint) in outputs.iter().zip(&program.outputs) {
			let entry = entries.entry(last, u32::from(*checkpoint));
			ensure!(entry == Some(output.0), Error::<T>::WrongOutputs);
		}
		Ok(())
	}

	/// Blocks that feed the beacon between a reveal and its draw.
	pub(crate) fn beacon_delay() -> BlockNumberFor<T> {
		T::BeaconDelay::get().max(crate::MIN_BEACON_DELAY).into()
	}
}
