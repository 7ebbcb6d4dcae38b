// SPDX-License-Identifier: Apache-2.0

//! Commit and reveal.

use super::compute::*;
use crate::{mock::*, *};
use frame_support::{assert_noop, assert_ok, weights::Weight, BoundedVec};
use sp_core::H256;
use sp_runtime::DispatchError;
use tensornet_commitment::OpeningError;
use tensornet_protocol::Failure;

const JOB: u64 = 3;

/// The network, registered and assigned to [`NODE`].
fn assigned() -> Compute {
	let network = Compute::network(0);
	network.register();
	network.assign(JOB);
	events();
	network
}

mod commit {
	use super::*;

	#[test]
	fn stores_the_seal_and_tells_the_ledger() {
		TestExt::new().execute_with(|| {
			let network = assigned();
			let seal = seal_for(NODE, JOB, &network.trace);
			assert_ok!(Poc::commit(signed(OPERATOR), JOB, seal));
			let reveal_by = 1 + REVEAL_WINDOW;
			assert_eq!(
				Commitments::<Test>::get(JOB),
				Some(Commitment {
					node: account(NODE),
					requester: account(REQUESTER),
					program: network.id(),
					iterations: 1,
					attempt: 0,
					seal,
					phase: Phase::Sealed { reveal_by },
					due: reveal_by + 1,
				})
			);
			assert_eq!(Ledger::outcomes(), vec![Outcome::Committed(JOB)]);
			assert_eq!(
				events(),
				vec![Event::Committed {
					job: JOB,
					node: account(NODE),
					requester: account(REQUESTER),
					seal,
					reveal_by
				}]
			);
		});
	}

	#[test]
	fn fails_for_an_account_that_operates_no_node() {
		TestExt::new().execute_with(|| {
			assigned();
			for sender in [CHALLENGER, NODE] {
				assert_noop!(
					Poc::commit(signed(sender), JOB, H256::zero()),
					Error::<Test>::NotANode
				);
			}
		});
	}

	#[test]
	fn fails_for_a_job_that_no_node_has() {
		TestExt::new().execute_with(|| {
			assigned();
			assert_noop!(
				Poc::commit(signed(OPERATOR), JOB + 1, H256::zero()),
				Error::<Test>::NotAssigned
			);
		});
	}

	#[test]
	fn fails_for_a_node_that_was_not_assigned() {
		TestExt::new().execute_with(|| {
			assigned();
			assert_noop!(
				Poc::commit(signed(OTHER_OPERATOR), JOB, H256::zero()),
				Error::<Test>::NotYourJob
			);
		});
	}

	#[test]
	fn fails_the_second_time() {
		TestExt::new().execute_with(|| {
			let network = assigned();
			network.commit(JOB, &network.trace);
			assert_noop!(
				Poc::commit(signed(OPERATOR), JOB, H256::zero()),
				Error::<Test>::AlreadyCommitted
			);
			network.reveal(JOB, &network.trace);
			assert_noop!(
				Poc::commit(signed(OPERATOR), JOB, H256::zero()),
				Error::<Test>::AlreadyCommitted
			);
		});
	}

	#[test]
	fn is_in_time_in_the_last_block_and_too_late_in_the_next() {
		TestExt::new().execute_with(|| {
			let network = assigned();
			run_to(12);
			assert_noop!(Poc::commit(signed(OPERATOR), JOB, H256::zero()), Error::<Test>::TooLate);
			System::set_block_number(11);
			network.commit(JOB, &network.trace);
		});
	}

	#[test]
	fn fails_when_the_ledger_refuses() {
		TestExt::new().execute_with(|| {
			assigned();
			Ledger::refuse(true);
			assert_noop!(
				Poc::commit(signed(OPERATOR), JOB, H256::zero()),
				DispatchError::Other("refused")
			);
		});
	}
}

mod reveal {
	use super::*;

	#[test]
	fn shows_the_outputs_and_opens_the_challenge_window() {
		TestExt::new().execute_with(|| {
			let network = assigned();
			network.commit(JOB, &network.trace);
			run_to(4);
			events();
			network.reveal(JOB, &network.trace);
			let (outputs, _) = network.outputs(&network.trace);
			let settle_at = 4 + CHALLENGE_WINDOW;
			assert_eq!(
				phase(JOB),
				Phase::Revealed {
					trace_root: trace_root(&network.trace),
					outputs: outputs.clone(),
					revealed_at: 4,
					settle_at,
					audit: Audit::Undrawn,
				}
			);
			assert_eq!(
				events(),
				vec![Event::Revealed {
					job: JOB,
					node: account(NODE),
					requester: account(REQUESTER),
					trace_root: trace_root(&network.trace),
					outputs,
					settle_at
				}]
			);
		});
	}

	#[test]
	fn names_the_outputs_of_the_last_iteration() {
		TestExt::new().execute_with(|| {
			let sum = Compute::running_sum();
			sum.revealed(JOB, &sum.trace);
			let (outputs, _) = sum.outputs(&sum.trace);
			assert_eq!(outputs[0].0, sum.trace_entry(2, 0));
			assert_ne!(outputs[0].0, sum.trace_entry(1, 0));
		});
	}

	#[test]
	fn fails_for_strangers_and_other_nodes() {
		TestExt::new().execute_with(|| {
			let network = assigned();
			network.commit(JOB, &network.trace);
			let (outputs, manifest) = network.outputs(&network.trace);
			let reveal = |sender, job| {
				let root = trace_root(&network.trace);
				Poc::reveal(signed(sender), job, root, SALT, outputs.clone(), manifest.clone())
			};
			assert_noop!(reveal(CHALLENGER, JOB), Error::<Test>::NotANode);
			assert_noop!(reveal(OTHER_OPERATOR, JOB), Error::<Test>::NotYourJob);
			assert_noop!(reveal(OPERATOR, JOB + 1), Error::<Test>::NotCommitted);
		});
	}

	#[test]
	fn fails_the_second_time() {
		TestExt::new().execute_with(|| {
			let network = assigned();
			network.commit(JOB, &network.trace);
			network.reveal(JOB, &network.trace);
			let (outputs, manifest) = network.outputs(&network.trace);
			let root = trace_root(&network.trace);
			assert_noop!(
				Poc::reveal(signed(OPERATOR), JOB, root, SALT, outputs, manifest),
				Error::<Test>::AlreadyRevealed
			);
		});
	}

	#[test]
	fn fails_when_the_window_is_over_even_if_the_agenda_lags() {
		TestExt::new().execute_with(|| {
			let network = assigned();
			network.commit(JOB, &network.trace);
			AgendaWeight::set(Weight::zero());
			run_to(1 + REVEAL_WINDOW + 1);
			let (outputs, manifest) = network.outputs(&network.trace);
			let root = trace_root(&network.trace);
			assert_noop!(
				Poc::reveal(signed(OPERATOR), JOB, root, SALT, outputs, manifest),
				Error::<Test>::TooLate
			);
		});
	}

	#[test]
	fn fails_for_another_salt_or_trace_root() {
		TestExt::new().execute_with(|| {
			let network = assigned();
			network.commit(JOB, &network.trace);
			let reveal = |trace: &_, salt| {
				let (outputs, manifest) = network.outputs(trace);
				Poc::reveal(signed(OPERATOR), JOB, trace_root(trace), salt, outputs, manifest)
			};
			assert_noop!(reveal(&network.trace, [0; 32]), Error::<Test>::SealMismatch);
			let other = Compute::network(1).trace;
			assert_noop!(reveal(&other, SALT), Error::<Test>::SealMismatch);
		});
	}

	#[test]
	fn fails_when_the_manifest_is_not_the_sealed_one() {
		TestExt::new().execute_with(|| {
			let network = assigned();
			network.commit(JOB, &network.trace);
			let (outputs, mut manifest) = network.outputs(&network.trace);
			manifest.proof[0] ^= 1;
			let root = trace_root(&network.trace);
			assert_noop!(
				Poc::reveal(signed(OPERATOR), JOB, root, SALT, outputs, manifest),
				Error::<Test>::BadManifest(OpeningFault(OpeningError::WrongHash))
			);
		});
	}

	#[test]
	fn fails_when_the_outputs_are_not_the_manifests() {
		TestExt::new().execute_with(|| {
			let network = assigned();
			network.commit(JOB, &network.trace);
			let (_, manifest) = network.outputs(&network.trace);
			let root = trace_root(&network.trace);
			let hidden = H256(network.trace_entry(0, 0));
			for outputs in [vec![], vec![H256::zero()], vec![hidden], vec![hidden, hidden]] {
				let outputs = BoundedVec::try_from(outputs).unwrap();
				assert_noop!(
					Poc::reveal(signed(OPERATOR), JOB, root, SALT, outputs, manifest.clone()),
					Error::<Test>::WrongOutputs
				);
			}
		});
	}

	#[test]
	fn fails_when_the_program_is_gone() {
		TestExt::new().build().execute_with(|| {
			let network = assigned();
			network.commit(JOB, &network.trace);
			Programs::<Test>::remove(network.id());
			let (outputs, manifest) = network.outputs(&network.trace);
			let root = trace_root(&network.trace);
			assert_noop!(
				Poc::reveal(signed(OPERATOR), JOB, root, SALT, outputs, manifest),
				Error::<Test>::UnknownProgram
			);
		});
	}
}

mod seals {
	use super::*;

	#[test]
	fn copied_from_a_peer_cannot_be_revealed() {
		TestExt::new().execute_with(|| {
			let network = assigned();
			let seal = seal_for(NODE, JOB, &network.trace);
			network.commit(JOB, &network.trace);
			// The first node never reveals; the job goes to another one, which copies the seal.
			run_to(1 + REVEAL_WINDOW + 1);
			assert_eq!(Commitments::<Test>::get(JOB), None);
			Ledger::assign(JOB, account(OTHER_NODE), network.id(), network.roots(), 1, 1);
			assert_ok!(Poc::commit(signed(OTHER_OPERATOR), JOB, seal));
			// Even with trace root and salt the seal does not open for it.
			let (outputs, manifest) = network.outputs(&network.trace);
			let root = trace_root(&network.trace);
			assert_noop!(
				Poc::reveal(signed(OTHER_OPERATOR), JOB, root, SALT, outputs, manifest),
				Error::<Test>::SealMismatch
			);
		});
	}

	#[test]
	fn of_one_job_cannot_be_revealed_for_another() {
		TestExt::new().execute_with(|| {
			let network = assigned();
			network.assign(JOB + 1);
			let seal = seal_for(NODE, JOB, &network.trace);
			network.commit(JOB, &network.trace);
			network.reveal(JOB, &network.trace);
			assert_ok!(Poc::commit(signed(OPERATOR), JOB + 1, seal));
			let (outputs, manifest) = network.outputs(&network.trace);
			let root = trace_root(&network.trace);
			assert_noop!(
				Poc::reveal(signed(OPERATOR), JOB + 1, root, SALT, outputs, manifest),
				Error::<Test>::SealMismatch
			);
		});
	}

	#[test]
	fn of_another_chain_cannot_be_revealed() {
		TestExt::new().execute_with(|| {
			let network = assigned();
			let data = tensornet_commitment::SealData {
				genesis_hash: [1; 32],
				job: JOB,
				node: [NODE; 32],
				trace_root: trace_root(&network.trace).0,
				salt: SALT,
			};
			let seal = tensornet_commitment::seal(&data).into();
			assert_ok!(Poc::commit(signed(OPERATOR), JOB, seal));
			let (outputs, manifest) = network.outputs(&network.trace);
			let root = trace_root(&network.trace);
			assert_noop!(
				Poc::reveal(signed(OPERATOR), JOB, root, SALT, outputs, manifest),
				Error::<Test>::SealMismatch
			);
		});
	}

	#[test]
	fn replayed_by_its_own_node_in_a_later_attempt_is_judged_anew() {
		TestExt::new().execute_with(|| {
			let network = Compute::network(0);
			let wrong = network.tampered(element(0, 1, 4));
			network.revealed(JOB, &wrong);
			let proof = network.accusation(&wrong, element(0, 1, 4));
			assert_ok!(Poc::prove_fraud(signed(CHALLENGER), JOB, proof.clone()));
			// The job comes back to the node, which commits to what it had.
			Ledger::assign(JOB, account(NODE), network.id(), network.roots(), 1, 2);
			network.commit(JOB, &wrong);
			network.reveal(JOB, &wrong);
			assert_ok!(Poc::prove_fraud(signed(CHALLENGER), JOB, proof));
			let fraud = Outcome::Failed(JOB, Failure::Fraud, Some(account(CHALLENGER)));
			assert_eq!(
				Ledger::outcomes(),
				vec![Outcome::Committed(JOB), fraud.clone(), Outcome::Committed(JOB), fraud]
			);
		});
	}
}
