// SPDX-License-Identifier: Apache-2.0

//! Whole lives of jobs.

use super::compute::*;
use crate::{mock::*, *};
use frame_support::{assert_ok, BoundedVec};
use tensornet_protocol::Failure;

const JOB: u64 = 3;

#[test]
fn a_cheat_is_caught_and_an_honest_node_takes_over() {
	TestExt::new().audited().execute_with(|| {
		let network = Compute::network(0);
		let wrong = network.tampered(element(0, 1, 7));
		network.revealed(JOB, &wrong);
		let proof = network.accusation(&wrong, element(0, 1, 7));
		assert_ok!(Poc::prove_fraud(signed(CHALLENGER), JOB, proof));
		assert_eq!(Results::<Test>::get(JOB).unwrap().verdict, Verdict::Failed(Failure::Fraud));

		// The ledger gives the job to another node.
		next_block();
		Ledger::assign(JOB, account(OTHER_NODE), network.id(), network.roots(), 1, 1);
		let seal = seal_for(OTHER_NODE, JOB, &network.trace);
		assert_ok!(Poc::commit(signed(OTHER_OPERATOR), JOB, seal));
		// What was found out about the first attempt is there until the next one ends.
		assert_eq!(Results::<Test>::get(JOB).unwrap().verdict, Verdict::Failed(Failure::Fraud));
		let (outputs, manifest) = network.outputs(&network.trace);
		let root = trace_root(&network.trace);
		assert_ok!(Poc::reveal(signed(OTHER_OPERATOR), JOB, root, SALT, outputs, manifest));
		run_to(2 + BEACON_DELAY + 1);
		let proofs: Vec<_> =
			samples(JOB).into_iter().map(|sample| network.proof(&network.trace, sample)).collect();
		let proofs = BoundedVec::try_from(proofs).unwrap();
		assert_ok!(Poc::answer_audit(signed(OTHER_OPERATOR), JOB, proofs));
		run_to(2 + CHALLENGE_WINDOW);
		let result = Results::<Test>::get(JOB).unwrap();
		assert_eq!(result.verdict, Verdict::Verified);
		assert_eq!(result.node, account(OTHER_NODE));
		assert!(result.audited);
		// The old result's place in the agenda went with it.
		run_to(1 + RETENTION + 1);
		assert!(Results::<Test>::contains_key(JOB));
		run_to(2 + CHALLENGE_WINDOW + RETENTION);
		assert!(!Results::<Test>::contains_key(JOB));
	});
}

#[test]
fn many_jobs_of_one_program_keep_apart() {
	TestExt::new().execute_with(|| {
		let jobs: Vec<Compute> = (0..6).map(Compute::network).collect();
		for (job, compute) in jobs.iter().enumerate() {
			let job = job as u64;
			if job.is_multiple_of(2) {
				compute.revealed(job, &compute.trace);
			} else {
				compute.revealed(job, &compute.tampered(element(0, 0, job)));
			}
			next_block();
		}
		for job in [1u64, 3, 5] {
			let compute = &jobs[job as usize];
			let wrong = compute.tampered(element(0, 0, job));
			let proof = compute.accusation(&wrong, element(0, 0, job));
			assert_ok!(Poc::prove_fraud(signed(CHALLENGER), job, proof));
		}
		run_to(50);
		for job in 0..6u64 {
			let verdict = Results::<Test>::get(job).map(|result| result.verdict);
			let expected = if job.is_multiple_of(2) {
				Verdict::Verified
			} else {
				Verdict::Failed(Failure::Fraud)
			};
			// Some results have been kept long enough by now.
			assert!(verdict.is_none_or(|verdict| verdict == expected));
		}
		let verified = Ledger::outcomes()
			.into_iter()
			.filter(|outcome| matches!(outcome, Outcome::Verified(_)))
			.count();
		assert_eq!(verified, 3);
	});
}
