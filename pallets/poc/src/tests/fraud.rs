// SPDX-License-Identifier: Apache-2.0

//! Fraud proofs.

use super::compute::*;
use crate::{mock::*, *};
use frame_support::{
	assert_noop, assert_ok,
	dispatch::{GetDispatchInfo, Pays},
};
use tensornet_commitment::OpeningError;
use tensornet_protocol::{
	arbitration::{first_difference, first_different_element, ProofError, TraceBlobs},
	Failure, Slash,
};
use tensornet_tensor::{read_element, DType, Leaf};

const JOB: u64 = 3;

/// The network with one wrong element in its hidden layer, revealed.
fn cheated() -> (Compute, tensornet_protocol::arbitration::MemoryTrace) {
	let network = Compute::network(0);
	let wrong = network.tampered(element(0, 0, 61));
	network.revealed(JOB, &wrong);
	Ledger::outcomes();
	events();
	(network, wrong)
}

#[test]
fn one_wrong_element_is_proven_in_one_transaction() {
	TestExt::new().execute_with(|| {
		let (network, wrong) = cheated();
		// The challenger finds the element by itself.
		let (iteration, checkpoint) =
			first_difference(network.trace.manifest(), wrong.manifest()).unwrap();
		let own = network.trace.checkpoint(iteration, checkpoint).unwrap();
		let accused = wrong.checkpoint(iteration, checkpoint).unwrap();
		let index = first_different_element(DType::I8, &own, &accused).unwrap();
		assert_eq!((iteration, checkpoint, index), (0, 0, 61));

		let proof = network.accusation(&wrong, element(0, 0, 61));
		let call = Call::<Test>::prove_fraud { job: JOB, proof: proof.clone() };
		let charged = call.get_dispatch_info().call_weight;
		let info = Poc::prove_fraud(signed(CHALLENGER), JOB, proof).unwrap();
		assert_eq!(info.pays_fee, Pays::No);
		assert!(info.actual_weight.unwrap().all_lte(charged));

		assert_eq!(
			Ledger::outcomes(),
			vec![Outcome::Failed(JOB, Failure::Fraud, Some(account(CHALLENGER)))]
		);
		let computed = read_element(DType::I8, &own, 61).unwrap();
		let (node, requester) = (account(NODE), account(REQUESTER));
		assert_eq!(
			events(),
			vec![
				Event::FraudProven {
					job: JOB,
					node: node.clone(),
					requester: requester.clone(),
					reporter: Some(account(CHALLENGER)),
					element: element(0, 0, 61),
					claimed: computed + 1,
					computed,
				},
				Event::AttemptFailed {
					job: JOB,
					node: node.clone(),
					requester,
					failure: Failure::Fraud,
					slash: Slash { total: 100, burned: 40, to_reporter: 30, to_requester: 30 },
				}
			]
		);
		assert_eq!(Commitments::<Test>::get(JOB), None);
		let result = Results::<Test>::get(JOB).unwrap();
		assert_eq!(result.node, node);
		assert_eq!(result.verdict, Verdict::Failed(Failure::Fraud));
		assert!(!result.audited);
	});
}

#[test]
fn every_wrong_element_of_every_checkpoint_and_iteration_can_be_proven() {
	for compute in [Compute::network(5), Compute::running_sum()] {
		let checkpoints = compute.program.program().checkpoints.len() as u16;
		for iteration in 0..compute.iterations {
			for checkpoint in 0..checkpoints {
				let leaf = Leaf::Checkpoint(checkpoint);
				let elements = compute.program.leaf_type(leaf).unwrap().0.elements();
				for index in [0, elements / 2, elements - 1] {
					TestExt::new().execute_with(|| {
						let element = element(iteration, checkpoint, index);
						let wrong = compute.tampered(element);
						compute.revealed(JOB, &wrong);
						let proof = compute.accusation(&wrong, element);
						assert_ok!(Poc::prove_fraud(signed(CHALLENGER), JOB, proof));
					});
				}
			}
		}
	}
}

#[test]
fn a_fraud_proof_against_an_honest_node_is_refused() {
	TestExt::new().execute_with(|| {
		let network = Compute::network(0);
		network.revealed(JOB, &network.trace);
		for element in [element(0, 0, 61), element(0, 1, 19)] {
			let proof = network.proof(&network.trace, element);
			assert_noop!(Poc::prove_fraud(signed(CHALLENGER), JOB, proof), Error::<Test>::NotFraud);
		}
		// The job settles as if nothing had been.
		run_to(1 + CHALLENGE_WINDOW);
		assert_eq!(Ledger::outcomes().last(), Some(&Outcome::Verified(JOB)));
	});
}

#[test]
fn a_right_element_of_a_wrong_trace_is_no_fraud() {
	TestExt::new().execute_with(|| {
		let (network, wrong) = cheated();
		let proof = network.accusation(&wrong, element(0, 0, 60));
		assert_noop!(Poc::prove_fraud(signed(CHALLENGER), JOB, proof), Error::<Test>::NotFraud);
	});
}

#[test]
fn a_wrong_leaf_is_no_fraud_of_what_follows_from_it() {
	TestExt::new().execute_with(|| {
		// The second layer was computed from the right first one, of which one element was then
		// changed. Seen from the committed first layer, the second one is wrong as well.
		let (network, wrong) = cheated();
		let proof = network.proof(&wrong, element(0, 1, 15));
		assert_ok!(Poc::prove_fraud(signed(CHALLENGER), JOB, proof));
	});
}

#[test]
fn is_heard_while_an_audit_is_open_and_after_it_passed() {
	for answered in [false, true] {
		TestExt::new().audited().execute_with(|| {
			let sum = Compute::running_sum();
			let wrong = sum.tampered(element(1, 0, 3));
			sum.revealed(JOB, &wrong);
			run_to(1 + BEACON_DELAY + 1);
			if answered {
				// Of 2,100 elements the four drawn ones are all but surely right.
				let proofs: Vec<_> =
					samples(JOB).into_iter().map(|sample| sum.proof(&wrong, sample)).collect();
				let proofs = frame_support::BoundedVec::try_from(proofs).unwrap();
				assert_ok!(Poc::answer_audit(signed(OPERATOR), JOB, proofs));
			}
			let proof = sum.accusation(&wrong, element(1, 0, 3));
			assert_ok!(Poc::prove_fraud(signed(CHALLENGER), JOB, proof));
			assert!(Results::<Test>::get(JOB).unwrap().audited);
		});
	}
}

#[test]
fn is_heard_until_the_job_settles() {
	TestExt::new().execute_with(|| {
		let (network, wrong) = cheated();
		run_to(CHALLENGE_WINDOW);
		let proof = network.accusation(&wrong, element(0, 0, 61));
		assert_ok!(Poc::prove_fraud(signed(CHALLENGER), JOB, proof));
	});
	TestExt::new().execute_with(|| {
		let (network, wrong) = cheated();
		run_to(1 + CHALLENGE_WINDOW);
		let proof = network.accusation(&wrong, element(0, 0, 61));
		assert_noop!(Poc::prove_fraud(signed(CHALLENGER), JOB, proof), Error::<Test>::NotCommitted);
	});
}

#[test]
fn of_two_challengers_in_one_block_the_second_changes_nothing_and_loses_its_fee_at_most() {
	TestExt::new().execute_with(|| {
		let (network, wrong) = cheated();
		let proof = network.accusation(&wrong, element(0, 0, 61));
		// Both found the lie, and their transactions stand in the same block.
		let first = Poc::prove_fraud(signed(CHALLENGER), JOB, proof.clone()).unwrap();
		assert_eq!(first.pays_fee, Pays::No);
		assert_noop!(
			Poc::prove_fraud(signed(OTHER_OPERATOR), JOB, proof.clone()),
			Error::<Test>::NotCommitted
		);
		// Nor does the first one convict again, of this element or of another.
		assert_noop!(Poc::prove_fraud(signed(CHALLENGER), JOB, proof), Error::<Test>::NotCommitted);
		let late = network.proof(&wrong, element(0, 1, 15));
		assert_noop!(
			Poc::prove_fraud(signed(OTHER_OPERATOR), JOB, late),
			Error::<Test>::NotCommitted
		);
		// One verdict, one reporter.
		assert_eq!(
			Ledger::outcomes(),
			vec![Outcome::Failed(JOB, Failure::Fraud, Some(account(CHALLENGER)))]
		);
		let proven = |event: &Event<Test>| matches!(event, Event::FraudProven { .. });
		assert_eq!(events().iter().filter(|event| proven(event)).count(), 1);
		assert_eq!(Results::<Test>::get(JOB).unwrap().verdict, Verdict::Failed(Failure::Fraud));
	});
}

#[test]
fn of_two_challengers_who_found_different_elements_the_first_convicts() {
	TestExt::new().execute_with(|| {
		let (network, wrong) = cheated();
		// Seen from the wrong first layer, the second one is wrong as well.
		let second_layer = network.proof(&wrong, element(0, 1, 15));
		let first_layer = network.accusation(&wrong, element(0, 0, 61));
		assert_ok!(Poc::prove_fraud(signed(OTHER_OPERATOR), JOB, second_layer));
		assert_noop!(
			Poc::prove_fraud(signed(CHALLENGER), JOB, first_layer),
			Error::<Test>::NotCommitted
		);
		assert_eq!(
			Ledger::outcomes(),
			vec![Outcome::Failed(JOB, Failure::Fraud, Some(account(OTHER_OPERATOR)))]
		);
	});
}

#[test]
fn fails_before_the_reveal_and_for_an_unknown_job() {
	TestExt::new().execute_with(|| {
		let network = Compute::network(0);
		let proof = network.proof(&network.trace, element(0, 0, 0));
		let prove = |job| Poc::prove_fraud(signed(CHALLENGER), job, proof.clone());
		assert_noop!(prove(JOB), Error::<Test>::NotCommitted);
		network.register();
		network.assign(JOB);
		network.commit(JOB, &network.trace);
		assert_noop!(prove(JOB), Error::<Test>::NotRevealed);
	});
}

#[test]
fn fails_for_the_node_itself() {
	TestExt::new().execute_with(|| {
		let (network, wrong) = cheated();
		let proof = network.accusation(&wrong, element(0, 0, 61));
		for sender in [NODE, OPERATOR] {
			assert_noop!(
				Poc::prove_fraud(signed(sender), JOB, proof.clone()),
				Error::<Test>::OwnJob
			);
		}
		// Another node is as good a challenger as anybody.
		assert_ok!(Poc::prove_fraud(signed(OTHER_OPERATOR), JOB, proof));
	});
}

#[test]
fn fails_when_the_ledger_has_no_such_assignment() {
	TestExt::new().build().execute_with(|| {
		let (network, wrong) = cheated();
		Ledger::drop_job(JOB);
		let proof = network.accusation(&wrong, element(0, 0, 61));
		assert_noop!(Poc::prove_fraud(signed(CHALLENGER), JOB, proof), Error::<Test>::NotAssigned);
	});
}

mod bad_proofs {
	use super::*;

	#[track_caller]
	fn refused(proof: tensornet_protocol::arbitration::ElementProof, error: ProofError) {
		assert_noop!(
			Poc::prove_fraud(signed(CHALLENGER), JOB, proof),
			Error::<Test>::BadProof(ProofFault(error))
		);
	}

	#[test]
	fn made_for_another_job_are_refused() {
		TestExt::new().execute_with(|| {
			// Two jobs of one program with different inputs.
			let (_, _) = cheated();
			let other = Compute::network(9);
			let wrong = other.tampered(element(0, 0, 61));
			other.revealed(JOB + 1, &wrong);
			let proof = other.accusation(&wrong, element(0, 0, 61));
			refused(proof.clone(), ProofError::Manifest(OpeningError::WrongHash));
			// It is good for its own job.
			assert_ok!(Poc::prove_fraud(signed(CHALLENGER), JOB + 1, proof));
		});
	}

	#[test]
	fn with_the_inputs_of_another_job_are_refused() {
		TestExt::new().execute_with(|| {
			let (network, wrong) = cheated();
			let other = Compute::network(9);
			let mut proof = network.accusation(&wrong, element(0, 0, 61));
			let theirs = other.proof(&other.trace, element(0, 0, 61));
			assert_eq!(proof.leaves[0].0, Leaf::Input(0));
			proof.leaves[0] = theirs.leaves[0].clone();
			refused(proof, ProofError::Leaf(OpeningError::WrongHash));
		});
	}

	#[test]
	fn that_pass_one_iteration_for_another_are_refused() {
		TestExt::new().execute_with(|| {
			let sum = Compute::running_sum();
			sum.revealed(JOB, &sum.trace);
			// An honest element of iteration 1, given out as one of iteration 2.
			let mut proof = sum.proof(&sum.trace, element(1, 0, 650));
			proof.iteration = 2;
			refused(proof.clone(), ProofError::Claimed(OpeningError::WrongHash));
			// With the claim of iteration 2 the leaves are still those of iteration 1.
			let later = sum.proof(&sum.trace, element(2, 0, 650));
			proof.claimed = later.claimed;
			refused(proof, ProofError::Leaf(OpeningError::WrongHash));
		});
	}

	#[test]
	fn that_name_no_element_are_refused() {
		TestExt::new().execute_with(|| {
			let (network, wrong) = cheated();
			let proof = network.accusation(&wrong, element(0, 0, 61));
			for (iteration, checkpoint, index) in [(1, 0, 61), (0, 2, 0), (0, 0, 96)] {
				let mut other = proof.clone();
				(other.iteration, other.checkpoint, other.index) = (iteration, checkpoint, index);
				refused(other, ProofError::NoSuchElement);
			}
		});
	}

	#[test]
	fn with_a_forged_byte_anywhere_are_refused() {
		TestExt::new().execute_with(|| {
			let (network, wrong) = cheated();
			let proof = network.accusation(&wrong, element(0, 0, 61));
			let mut forged = proof.clone();
			forged.manifest.proof[0] ^= 1;
			refused(forged, ProofError::Manifest(OpeningError::WrongHash));
			let mut forged = proof.clone();
			forged.claimed.proof[61] ^= 1;
			refused(forged, ProofError::Claimed(OpeningError::WrongHash));
			for leaf in 0..proof.leaves.len() {
				let mut forged = proof.clone();
				forged.leaves[leaf].1.proof[0] ^= 1;
				refused(forged, ProofError::Leaf(OpeningError::WrongHash));
			}
		});
	}
}
