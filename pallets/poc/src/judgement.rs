// SPDX-License-Identifier: Apache-2.0

//! Recomputing elements on chain: answers to audits, and fraud proofs.

use crate::{pallet::*, Audit, Commitment, Phase, ProofFault, Verdict, WeightInfo};
use alloc::vec::Vec;
use codec::Encode;
use frame_support::{
	dispatch::{DispatchResultWithPostInfo, Pays, PostDispatchInfo},
	ensure,
	traits::Get,
	weights::Weight,
	BoundedVec,
};
use sp_runtime::traits::{One, Saturating};
use tensornet_protocol::{
	arbitration::{verify_element, ElementId, ElementProof, JobRoots, Judgement},
	Failure, Hash, JobId, Jobs, Nodes,
};

/// Multiply-accumulates by which verifications are weighed.
const MACS_STEP: u64 = 1024;

impl<T: Config> Pallet<T> {
	pub(crate) fn do_answer_audit(
		operator: T::AccountId,
		job: JobId,
		proofs: BoundedVec<ElementProof, T::MaxSamples>,
	) -> DispatchResultWithPostInfo {
		let mut commitment = Self::commitment_of(&operator, job)?;
		let Phase::Revealed { trace_root, settle_at, audit, .. } = &mut commitment.phase else {
			return Err(Error::<T>::NoAudit.into());
		};
		let Audit::Open { samples, answer_by } = audit else {
			return Err(Error::<T>::NoAudit.into());
		};
		let now = frame_system::Pallet::<T>::block_number();
		ensure!(now <= *answer_by, Error::<T>::TooLate);
		ensure!(
			proofs.iter().map(ElementProof::element).eq(samples.iter().copied()),
			Error::<T>::WrongSample
		);
		let trace_root = *trace_root;
		let settle_at = *settle_at;
		*audit = Audit::Passed;

		let (judgements, verification) = Self::judge(job, &commitment, trace_root, &proofs)?;
		let wrong = proofs.iter().zip(judgements).find(|(_, judgement)| judgement.is_fraud());
		match wrong {
			Some((proof, judgement)) => {
				Self::convict(job, commitment, None, proof.element(), judgement)?;
			}
			None => {
				let (node, requester) = (commitment.node.clone(), commitment.requester.clone());
				let due = settle_at.max(now.saturating_add(One::one()));
				Self::reschedule(job, commitment, due);
				Self::deposit_event(Event::AuditPassed { job, node, requester });
			}
		}
		Ok(PostDispatchInfo {
			actual_weight: Some(T::WeightInfo::answer_audit().saturating_add(verification)),
			pays_fee: Pays::No,
		})
	}

	pub(crate) fn do_prove_fraud(
		reporter: T::AccountId,
		job: JobId,
		proof: ElementProof,
	) -> DispatchResultWithPostInfo {
		let commitment = Commitments::<T>::get(job).ok_or(Error::<T>::NotCommitted)?;
		let Phase::Revealed { trace_root, .. } = commitment.phase else {
			return Err(Error::<T>::NotRevealed.into());
		};
		// A node that has been found out must not earn the reporter's part by being first. It can
		// still do so from an account that nobody knows; the part is less than the slash.
		let is_node = reporter == commitment.node
			|| T::Nodes::node_of(&reporter).as_ref() == Some(&commitment.node);
		ensure!(!is_node, Error::<T>::OwnJob);

		let proofs = core::slice::from_ref(&proof);
		let (judgements, verification) = Self::judge(job, &commitment, trace_root, proofs)?;
		let wrong = judgements.into_iter().find(Judgement::is_fraud);
		let judgement = wrong.ok_or(Error::<T>::NotFraud)?;
		Self::convict(job, commitment, Some(reporter), proof.element(), judgement)?;
		Ok(PostDispatchInfo {
			actual_weight: Some(T::WeightInfo::prove_fraud().saturating_add(verification)),
			pays_fee: Pays::No,
		})
	}

	/// Recomputes the elements of `proofs`, and says what doing so weighed.
	fn judge(
		job: JobId,
		commitment: &Commitment<T>,
		trace_root: Hash,
		proofs: &[ElementProof],
	) -> Result<(Vec<Judgement>, Weight), Error<T>> {
		let assignment = T::Jobs::assignment(job).ok_or(Error::<T>::NotAssigned)?;
		let record = Programs::<T>::get(commitment.program).ok_or(Error::<T>::UnknownProgram)?;
		let (program, program_len) = Self::load_program(&commitment.program)?;
		let roots =
			JobRoots { blobs: &assignment.blobs, iterations: commitment.iterations, trace_root };
		let mut weight = T::WeightInfo::load_program(Self::kib(program_len));
		let mut judgements = Vec::with_capacity(proofs.len());
		for proof in proofs {
			let judgement = verify_element(&program, &roots, proof, record.arbitration_macs)
				.map_err(|error| Error::<T>::BadProof(ProofFault(error)))?;
			weight = weight.saturating_add(Self::element_weight(judgement.macs, proof));
			judgements.push(judgement);
		}
		Ok((judgements, weight))
	}

	/// Ends an attempt whose `element` was found wrong.
	fn convict(
		job: JobId,
		commitment: Commitment<T>,
		reporter: Option<T::AccountId>,
		element: ElementId,
		judgement: Judgement,
	) -> sp_runtime::DispatchResult {
		Self::deposit_event(Event::FraudProven {
			job,
			node: commitment.node.clone(),
			requester: commitment.requester.clone(),
			reporter: reporter.clone(),
			element,
			claimed: judgement.claimed,
			computed: judgement.computed,
		});
		let verdict = Verdict::Failed(Failure::Fraud);
		Self::conclude(job, commitment, verdict, reporter.as_ref())
	}

	/// What recomputing an element weighs.
	fn element_weight(macs: u64, proof: &ElementProof) -> Weight {
		let steps = u32::try_from(macs.div_ceil(MACS_STEP)).unwrap_or(u32::MAX);
		T::WeightInfo::verify_element(steps, Self::kib(proof.encoded_size()))
	}

	/// What judging `proofs` weighs at most, whatever the program.
	fn most_weight(proofs: &[ElementProof]) -> Weight {
		let most_macs = T::ArbitrationMacs::get();
		let longest = usize::try_from(T::MaxProgramBytes::get()).unwrap_or(usize::MAX);
		proofs.iter().fold(T::WeightInfo::load_program(Self::kib(longest)), |weight, proof| {
			weight.saturating_add(Self::element_weight(most_macs, proof))
		})
	}

	/// What an answer to an audit is charged before its program is known.
	pub(crate) fn answer_audit_weight(proofs: &[ElementProof]) -> Weight {
		T::WeightInfo::answer_audit().saturating_add(Self::most_weight(proofs))
	}

	/// What a fraud proof is charged before its program is known.
	pub(crate) fn prove_fraud_weight(proof: &ElementProof) -> Weight {
		let proofs = core::slice::from_ref(proof);
		T::WeightInfo::prove_fraud().saturating_add(Self::most_weight(proofs))
	}

	/// Checks what the runtime configured; panics when it cannot work.
	pub(crate) fn check_config() {
		let samples = T::MaxSamples::get();
		assert!(samples > 0, "an audit must be able to draw an element");
		assert!(T::MaxOutputs::get() > 0, "a program has at least one output");
		assert!(T::MaxCheckpoints::get() > 0, "a program has at least one checkpoint");
		assert!(
			T::MaxProgramBytes::get() as usize <= tensornet_tensor::MAX_PROGRAM_BYTES,
			"programs longer than the format allows would be stored in vain"
		);
		assert!(
			T::BeaconDelay::get() < crate::BEACON_HISTORY,
			"the beacon's value must be there when an audit is drawn from it"
		);
		assert!(
			T::AgendaWeight::get().all_gte(Self::heaviest_step()),
			"the agenda must be able to run its heaviest task"
		);
		let load = T::WeightInfo::load_program(T::MaxProgramBytes::get().div_ceil(1024));
		let steps =
			u32::try_from(T::ArbitrationMacs::get().div_ceil(MACS_STEP)).unwrap_or(u32::MAX);
		// The openings of the leaves, and those of the manifest and of the claimed element.
		let kib = u32::try_from(T::ArbitrationBytes::get().div_ceil(1024)).unwrap_or(u32::MAX);
		let element = T::WeightInfo::verify_element(steps, kib.saturating_add(8));
		let answer = T::WeightInfo::answer_audit()
			.saturating_add(load)
			.saturating_add(element.saturating_mul(samples.into()));
		let proof = T::WeightInfo::prove_fraud().saturating_add(load).saturating_add(element);
		let block = T::BlockWeights::get()
			.get(frame_support::dispatch::DispatchClass::Normal)
			.max_extrinsic;
		if let Some(block) = block {
			assert!(answer.all_lte(block), "the answer to an audit must fit a block");
			assert!(proof.all_lte(block), "a fraud proof must fit a block");
		}
	}
}
