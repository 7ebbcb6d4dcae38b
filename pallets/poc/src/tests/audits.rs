// SPDX-License-Identifier: Apache-2.0

//! The audit lottery.

use super::compute::*;
use crate::{mock::*, *};
use frame_support::{
	assert_err_ignore_postinfo, assert_noop, assert_ok,
	dispatch::{GetDispatchInfo, Pays},
	weights::Weight,
	BoundedVec,
};
use sp_core::H256;
use sp_runtime::Permill;
use tensornet_protocol::{
	arbitration::{ElementId, ElementProof, MemoryTrace, ProofError},
	Failure,
};

const JOB: u64 = 3;
/// The first block in which the audit of a job revealed in block 1 is known.
const DRAWN: u64 = 1 + BEACON_DELAY + 1;

type Proofs = BoundedVec<ElementProof, <Test as Config>::MaxSamples>;

fn answer(compute: &Compute, trace: &MemoryTrace) -> Proofs {
	let proofs: Vec<_> =
		samples(JOB).into_iter().map(|sample| compute.proof(trace, sample)).collect();
	BoundedVec::try_from(proofs).unwrap()
}

fn audit(job: u64) -> Audit<Test> {
	match phase(job) {
		Phase::Revealed { audit, .. } => audit,
		phase => panic!("not revealed: {phase:?}"),
	}
}

mod draw {
	use super::*;

	#[test]
	fn spares_the_job_when_the_lot_says_so() {
		TestExt::new().execute_with(|| {
			let network = Compute::network(0);
			network.revealed(JOB, &network.trace);
			run_to(DRAWN - 1);
			assert_eq!(audit(JOB), Audit::Undrawn);
			events();
			run_to(DRAWN);
			assert_eq!(audit(JOB), Audit::Spared);
			assert_eq!(
				events(),
				vec![Event::AuditSpared {
					job: JOB,
					node: account(NODE),
					requester: account(REQUESTER)
				}]
			);
		});
	}

	#[test]
	fn names_elements_that_exist_and_a_deadline() {
		TestExt::new().audited().execute_with(|| {
			let sum = Compute::running_sum();
			sum.revealed(JOB, &sum.trace);
			run_to(DRAWN - 1);
			events();
			run_to(DRAWN);
			let drawn = samples(JOB);
			assert_eq!(drawn.len(), 4);
			for sample in &drawn {
				assert!(sample.iteration < 3 && sample.checkpoint == 0 && sample.index < 700);
			}
			assert_eq!(
				events(),
				vec![Event::AuditDrawn {
					job: JOB,
					node: account(NODE),
					requester: account(REQUESTER),
					samples: BoundedVec::try_from(drawn).unwrap(),
					answer_by: DRAWN + AUDIT_WINDOW,
				}]
			);
		});
	}

	/// Runs to the draw with given VRF outputs; the last ones come from after the reveal.
	fn drawn_with(outputs: [u8; 4], late: u64) -> Vec<ElementId> {
		let mut drawn = Vec::new();
		TestExt::new().audited().execute_with(|| {
			let sum = Compute::running_sum();
			sum.revealed(JOB, &sum.trace);
			for output in outputs {
				assert_eq!(audit(JOB), Audit::Undrawn);
				Authors::say(Some(H256::repeat_byte(output)));
				if late > 0 {
					AgendaWeight::set(Weight::zero());
				}
				next_block();
			}
			for round in 0..late {
				Authors::say(Some(H256::repeat_byte(200 + round as u8)));
				next_block();
			}
			AgendaWeight::set(Weight::MAX);
			Authors::say(None);
			if late > 0 {
				next_block();
			}
			drawn = samples(JOB);
		});
		drawn
	}

	#[test]
	fn depends_on_every_block_between_reveal_and_draw() {
		let usual = drawn_with([1, 2, 3, 4], 0);
		assert_eq!(usual, drawn_with([1, 2, 3, 4], 0));
		for other in [[9, 2, 3, 4], [1, 9, 3, 4], [1, 2, 9, 4], [1, 2, 3, 9]] {
			assert_ne!(usual, drawn_with(other, 0));
		}
	}

	#[test]
	fn is_the_same_however_late_it_runs() {
		assert_eq!(drawn_with([1, 2, 3, 4], 0), drawn_with([1, 2, 3, 4], 5));
	}

	#[test]
	fn differs_between_jobs() {
		TestExt::new().audited().execute_with(|| {
			let sum = Compute::running_sum();
			sum.revealed(JOB, &sum.trace);
			sum.revealed(JOB + 1, &sum.trace);
			run_to(DRAWN);
			assert_ne!(samples(JOB), samples(JOB + 1));
		});
	}

	#[test]
	fn takes_the_newest_value_when_its_own_is_forgotten() {
		TestExt::new().audited().execute_with(|| {
			let sum = Compute::running_sum();
			sum.revealed(JOB, &sum.trace);
			AgendaWeight::set(Weight::zero());
			run_to(DRAWN + u64::from(BEACON_HISTORY) + 1);
			assert_eq!(BeaconHistory::<Test>::get(DRAWN - 1), None);
			AgendaWeight::set(Weight::MAX);
			next_block();
			assert_eq!(samples(JOB).len(), 4);
		});
	}

	#[test]
	fn is_as_likely_as_governance_says_and_follows_the_work() {
		TestExt::new().execute_with(|| {
			AuditProbability::set(Permill::from_percent(30));
			let work = [
				CheckpointWork { cumulative: 100, elements: 10 },
				CheckpointWork { cumulative: 1000, elements: 1 },
			];
			let mut audits = 0;
			let mut drawn = Vec::new();
			for job in 0..2000 {
				if let Some(samples) =
					Poc::draw_audit(job, 1, 5, || BoundedVec::truncate_from(work.to_vec()))
				{
					audits += 1;
					drawn.extend(samples);
				}
			}
			// Six standard deviations around 600.
			assert!((477..=723).contains(&audits), "{audits} audits");
			let light = drawn.iter().filter(|sample| sample.checkpoint == 0).count();
			let heavy = drawn.iter().filter(|sample| sample.checkpoint == 1).count();
			assert!(light > 0 && heavy > 3 * light, "{light} and {heavy}");
			assert!(drawn.iter().all(|sample| sample.iteration < 5 && sample.index < 10));
			for iteration in 0..5 {
				assert!(drawn.iter().any(|sample| sample.iteration == iteration));
			}
		});
	}

	#[test]
	fn never_names_an_element_twice() {
		TestExt::new().audited().execute_with(|| {
			let work = [CheckpointWork { cumulative: 1, elements: 2 }];
			AuditSamples::set(8);
			for job in 0..20 {
				let samples =
					Poc::draw_audit(job, 1, 1, || BoundedVec::truncate_from(work.to_vec()))
						.unwrap();
				let mut unique = samples.to_vec();
				unique.sort();
				unique.dedup();
				assert_eq!(unique.len(), samples.len());
			}
		});
	}
}

mod answer {
	use super::*;

	fn drawn() -> Compute {
		let sum = Compute::running_sum();
		sum.revealed(JOB, &sum.trace);
		run_to(DRAWN);
		events();
		sum
	}

	#[test]
	fn of_an_honest_node_passes_and_costs_no_fee() {
		TestExt::new().audited().execute_with(|| {
			for compute in [Compute::running_sum(), Compute::network(0)] {
				let job = JOB;
				let start = System::block_number();
				compute.revealed(job, &compute.trace);
				run_to(start + BEACON_DELAY + 1);
				events();
				let proofs = answer(&compute, &compute.trace);
				let call = Call::<Test>::answer_audit { job, proofs: proofs.clone() };
				let charged = call.get_dispatch_info().call_weight;
				let info = Poc::answer_audit(signed(OPERATOR), job, proofs).unwrap();
				assert_eq!(info.pays_fee, Pays::No);
				assert!(info.actual_weight.unwrap().all_lte(charged));
				assert!(info.actual_weight.unwrap().ref_time() < charged.ref_time());
				assert_eq!(audit(job), Audit::Passed);
				assert_eq!(
					events(),
					vec![Event::AuditPassed {
						job,
						node: account(NODE),
						requester: account(REQUESTER)
					}]
				);
				run_to(start + CHALLENGE_WINDOW);
				assert_eq!(Ledger::outcomes().last(), Some(&Outcome::Verified(job)));
				let result = Results::<Test>::get(job).unwrap();
				assert!(result.audited);
				assert_eq!(result.verdict, Verdict::Verified);
			}
		});
	}

	#[test]
	fn with_a_wrong_element_is_fraud_without_a_reporter() {
		TestExt::new().audited().execute_with(|| {
			let sum = Compute::running_sum();
			// Learn what will be drawn, then tamper with exactly that.
			sum.revealed(JOB, &sum.trace);
			run_to(DRAWN);
			let drawn = samples(JOB);
			let wrong = sum.tampered(drawn[2]);
			let forged_root = trace_root(&wrong);
			Commitments::<Test>::mutate(JOB, |commitment| {
				if let Phase::Revealed { trace_root, .. } = &mut commitment.as_mut().unwrap().phase
				{
					*trace_root = forged_root;
				}
			});
			events();
			// The other elements may be computed from the wrong one: they are not of interest here.
			let proofs: Vec<_> = drawn.iter().map(|sample| sum.proof(&wrong, *sample)).collect();
			let proofs = BoundedVec::try_from(proofs).unwrap();
			assert_ok!(Poc::answer_audit(signed(OPERATOR), JOB, proofs));
			assert_eq!(
				Ledger::outcomes().last(),
				Some(&Outcome::Failed(JOB, Failure::Fraud, None))
			);
			assert!(matches!(
				&events()[..],
				[
					Event::FraudProven { reporter: None, claimed, computed, .. },
					Event::AttemptFailed { failure: Failure::Fraud, .. }
				] if claimed != computed
			));
			assert_eq!(Results::<Test>::get(JOB).unwrap().verdict, Verdict::Failed(Failure::Fraud));
		});
	}

	#[test]
	fn fails_without_an_open_audit() {
		TestExt::new().execute_with(|| {
			let sum = Compute::running_sum();
			sum.register();
			sum.assign(JOB);
			sum.commit(JOB, &sum.trace);
			let none = || Poc::answer_audit(signed(OPERATOR), JOB, Default::default());
			assert_noop!(none(), Error::<Test>::NoAudit);
			sum.reveal(JOB, &sum.trace);
			assert_noop!(none(), Error::<Test>::NoAudit);
			run_to(DRAWN);
			assert_noop!(none(), Error::<Test>::NoAudit);
		});
	}

	#[test]
	fn fails_the_second_time() {
		TestExt::new().audited().execute_with(|| {
			let sum = drawn();
			let proofs = answer(&sum, &sum.trace);
			assert_ok!(Poc::answer_audit(signed(OPERATOR), JOB, proofs.clone()));
			assert_noop!(Poc::answer_audit(signed(OPERATOR), JOB, proofs), Error::<Test>::NoAudit);
		});
	}

	#[test]
	fn fails_for_strangers_other_nodes_and_other_jobs() {
		TestExt::new().audited().execute_with(|| {
			let sum = drawn();
			let proofs = answer(&sum, &sum.trace);
			let answer = |sender, job| Poc::answer_audit(signed(sender), job, proofs.clone());
			assert_noop!(answer(CHALLENGER, JOB), Error::<Test>::NotANode);
			assert_noop!(answer(OTHER_OPERATOR, JOB), Error::<Test>::NotYourJob);
			assert_noop!(answer(OPERATOR, JOB + 1), Error::<Test>::NotCommitted);
		});
	}

	#[test]
	fn fails_for_elements_that_were_not_drawn() {
		TestExt::new().audited().execute_with(|| {
			let sum = drawn();
			let proofs = answer(&sum, &sum.trace).into_inner();
			let refused = |proofs: Vec<ElementProof>| {
				let proofs = BoundedVec::try_from(proofs).unwrap();
				assert_noop!(
					Poc::answer_audit(signed(OPERATOR), JOB, proofs),
					Error::<Test>::WrongSample
				);
			};
			refused(vec![]);
			refused(proofs[1..].to_vec());
			refused(proofs.iter().rev().cloned().collect());
			refused(proofs.iter().chain(&proofs[..1]).cloned().collect());
			let mut other = proofs;
			let index = (other[0].index + 1) % 700;
			other[0] = sum.proof(&sum.trace, ElementId { index, ..other[0].element() });
			refused(other);
		});
	}

	#[test]
	fn with_a_bad_proof_is_refused_and_may_be_mended() {
		TestExt::new().audited().execute_with(|| {
			let sum = drawn();
			let proofs = answer(&sum, &sum.trace);
			let mut bad = proofs.clone();
			bad[3].leaves.pop();
			assert_noop!(
				Poc::answer_audit(signed(OPERATOR), JOB, bad),
				Error::<Test>::BadProof(ProofFault(ProofError::MissingOpening))
			);
			assert_ok!(Poc::answer_audit(signed(OPERATOR), JOB, proofs));
		});
	}

	#[test]
	fn is_in_time_in_the_last_block() {
		TestExt::new().audited().execute_with(|| {
			let sum = drawn();
			run_to(DRAWN + AUDIT_WINDOW);
			let proofs = answer(&sum, &sum.trace);
			assert_ok!(Poc::answer_audit(signed(OPERATOR), JOB, proofs));
		});
	}

	#[test]
	fn fails_when_the_window_is_over_even_if_the_agenda_lags() {
		TestExt::new().audited().execute_with(|| {
			let sum = drawn();
			let proofs = answer(&sum, &sum.trace);
			AgendaWeight::set(Weight::zero());
			run_to(DRAWN + AUDIT_WINDOW + 1);
			assert_err_ignore_postinfo!(
				Poc::answer_audit(signed(OPERATOR), JOB, proofs),
				Error::<Test>::TooLate
			);
		});
	}

	#[test]
	fn that_never_comes_fails_the_attempt() {
		TestExt::new().audited().execute_with(|| {
			drawn();
			run_to(DRAWN + AUDIT_WINDOW + 1);
			assert_eq!(
				Ledger::outcomes().last(),
				Some(&Outcome::Failed(JOB, Failure::AuditUnanswered, None))
			);
			assert_eq!(
				Results::<Test>::get(JOB).unwrap().verdict,
				Verdict::Failed(Failure::AuditUnanswered)
			);
		});
	}

	#[test]
	fn that_comes_after_the_challenge_window_settles_in_the_next_block() {
		TestExt::new().audited().execute_with(|| {
			let sum = Compute::running_sum();
			sum.revealed(JOB, &sum.trace);
			AgendaWeight::set(Weight::zero());
			run_to(1 + CHALLENGE_WINDOW);
			AgendaWeight::set(Weight::MAX);
			next_block();
			let proofs = answer(&sum, &sum.trace);
			assert_ok!(Poc::answer_audit(signed(OPERATOR), JOB, proofs));
			assert_eq!(Ledger::outcomes(), vec![Outcome::Committed(JOB)]);
			next_block();
			assert_eq!(Ledger::outcomes(), vec![Outcome::Verified(JOB)]);
		});
	}
}
