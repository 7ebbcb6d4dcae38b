// SPDX-License-Identifier: Apache-2.0

//! The fuzzer of the whole runtime: blocks of random transactions, with every law held after each.
//!
//! A run is a chain of the local testnet's preset. Its blocks are made as the node makes them ([`chain`]);
//! their transactions come from [`calls`]: any call of any pallet, alone or in batches, proxies, multisigs
//! and referenda, from accounts of every role, with root's and the tracks' powers, with arguments out of
//! the live state ([`world`]), or with noise. Nodes really compute ([`work`]): commitments, reveals,
//! answers to audits and fraud proofs are of real traces, true and false ones. Sessions and eras pass, and
//! blocks in which nothing happens. After each block every law of [`laws`] must hold.
//!
//! Equal seeds give equal runs. Short ones are part of the tests; `make fuzz-runtime` runs long ones: see
//! `docs/fuzzing.md`.

mod calls;
mod chain;
mod coverage;
mod laws;
mod run;
mod work;
mod world;

use crate::{currency::UNIT, AccountId, Balances, Runtime, RuntimeEvent, System};
use frame_support::{
	dispatch::{DispatchInfo, PostDispatchInfo},
	traits::fungible::{Mutate, MutateHold},
	weights::Weight,
};
use run::{run, Order, Report};
use sp_keyring::Sr25519Keyring::{Bob, Eve};
use std::collections::BTreeSet;

/// Runs a short order.
fn short(seed: u64, calls: u64) -> Report {
	run(Order { seed, calls, month: false }).unwrap_or_else(|story| panic!("{story}"))
}

#[test]
fn random_blocks_break_no_law_and_reach_every_step_of_a_job() {
	let (mut coverage, mut eras) = (coverage::Coverage::default(), 0);
	for seed in 1..=3 {
		let report = short(seed, 5_000);
		eras += report.eras;
		coverage.add(&report.coverage);
	}
	assert!(eras > 10, "{eras} eras passed");
	for (pallet, call) in [
		("Poc", "register_program"),
		("Poc", "commit"),
		("Poc", "reveal"),
		("Poc", "answer_audit"),
		("Poc", "prove_fraud"),
		("Escrow", "submit_job"),
		("ComputeStaking", "delegate"),
		("ComputeStaking", "claim_rewards"),
		("Validators", "claim_validator_rewards"),
		("Governance", "set_parameter"),
		("Referenda", "submit"),
		("Proxy", "proxy"),
		("Utility", "batch_all"),
	] {
		assert!(coverage.successes(pallet, call) > 0, "{pallet}.{call} never succeeded");
	}
	for event in ["JobSettled", "JobExpired", "JobAttemptFailed"] {
		let key = ("Escrow".to_string(), event.to_string());
		assert!(coverage.events.contains_key(&key), "{event} was never seen");
	}
}

#[test]
fn a_seed_is_a_run() {
	let [first, again, other] = [7, 7, 8].map(|seed| short(seed, 1_500));
	assert_eq!(first.root, again.root);
	assert_eq!((first.blocks, first.included), (again.blocks, again.included));
	assert_ne!(first.root, other.root);
}

/// A long run, as `scripts/fuzz_runtime.sh` orders it by the variables of its environment.
#[test]
#[ignore = "runs for as long as it is told to: make fuzz-runtime"]
fn long_run() {
	let number = |name: &str, otherwise: u64| {
		std::env::var(name).map_or(otherwise, |text| text.parse().expect("a number"))
	};
	let (seed, calls) = (number("FUZZ_SEED", 1), number("FUZZ_CALLS", 1_000_000));
	let (each, month) = (number("FUZZ_EACH", 125_000), number("FUZZ_MONTH", 0));
	let mut all = coverage::Coverage::default();
	let (mut done, mut blocks, mut eras, mut included, mut succeeded) = (0, 0, 0, 0, 0);
	let mut runs = Vec::new();
	let started = std::time::Instant::now();
	while done < calls {
		let order = Order {
			seed: seed + runs.len() as u64,
			calls: each.min(calls - done),
			month: month > runs.len() as u64,
		};
		let report = run(order).unwrap_or_else(|story| panic!("{story}"));
		done += order.calls;
		blocks += report.blocks;
		eras += u64::from(report.eras);
		included += report.included;
		succeeded += report.succeeded;
		let rate = order.calls as f64 / report.took.as_secs_f64();
		eprintln!(
			"seed {}: {} calls in {:.1} s ({rate:.0} a second), {} blocks, {} eras, {:.1} % of {} included \
			 succeeded, state {}",
			order.seed,
			order.calls,
			report.took.as_secs_f64(),
			report.blocks,
			report.eras,
			f64::from(run::success(&report).deconstruct()) / 1e4,
			report.included,
			report.root,
		);
		all.add(&report.coverage);
		runs.push(serde_json::json!({
			"seed": order.seed,
			"calls": order.calls,
			"month": order.month,
			"blocks": report.blocks,
			"eras": report.eras,
			"included": report.included,
			"succeeded": report.succeeded,
			"seconds": report.took.as_secs_f64(),
			"state": report.root,
		}));
	}
	let seconds = started.elapsed().as_secs_f64();
	eprintln!(
		"{done} calls, {blocks} blocks and {eras} eras without a broken law in {seconds:.0} s: {:.0} calls a \
		 second; never successful: {:?}",
		done as f64 / seconds,
		all.never(),
	);
	if let Ok(path) = std::env::var("FUZZ_JSON") {
		let report = serde_json::json!({
			"calls": done,
			"seconds": seconds,
			"calls_a_second": done as f64 / seconds,
			"blocks": blocks,
			"eras": eras,
			"included": included,
			"succeeded": succeeded,
			"runs": runs,
			"coverage": all.json(),
		});
		let text = serde_json::to_string_pretty(&report).expect("it is plain data");
		std::fs::write(&path, text + "\n").expect("the report can be written");
	}
}

/// The laws themselves: each one notices when it is broken.
mod broken {
	use super::*;
	use crate::RuntimeHoldReason;
	use tensornet_protocol::{Conduct, Slash};

	/// Checks that the state is whole, and not whole any more after `damage`; returns what is told.
	fn after(damage: impl FnOnce()) -> String {
		super::super::preset_state("local_testnet").execute_with(|| {
			System::set_block_number(1);
			assert_eq!(laws::state(&BTreeSet::new()), Ok(()));
			damage();
			laws::state(&BTreeSet::new()).expect_err("the law is broken")
		})
	}

	fn bob() -> AccountId {
		Bob.to_account_id()
	}

	#[test]
	fn minting_past_the_ledger_is_noticed() {
		let told = after(|| {
			Balances::mint_into(&bob(), UNIT).expect("it can be minted");
		});
		assert!(told.contains("is not genesis"), "{told}");
	}

	#[test]
	fn issuance_that_nobody_owns_is_noticed() {
		let told = after(|| {
			pallet_balances::TotalIssuance::<Runtime>::mutate(|issued| *issued -= UNIT);
			pallet_tensornet_tna::Burned::<Runtime>::insert(
				tensornet_protocol::BurnCause::Dust,
				UNIT,
			);
		});
		assert!(told.contains("is not what accounts own"), "{told}");
	}

	#[test]
	fn a_hold_without_its_record_is_noticed() {
		let told = after(|| {
			let reason = RuntimeHoldReason::from(pallet_tensornet_staking::HoldReason::Bond);
			Balances::hold(&reason, &bob(), UNIT).expect("there is enough");
		});
		assert!(told.contains("on hold as"), "{told}");
	}

	#[test]
	fn a_record_without_its_hold_is_noticed() {
		let told = after(|| {
			let record = pallet_tensornet_compliance::Registrar {
				deposit: UNIT,
				standing: pallet_tensornet_compliance::Standing::Applicant,
			};
			pallet_tensornet_compliance::Registrars::<Runtime>::insert(bob(), record);
		});
		assert!(told.contains("recorded and not on hold"), "{told}");
	}

	#[test]
	fn funds_reserved_for_nothing_are_noticed() {
		use frame_support::traits::ReservableCurrency;
		let told = after(|| {
			<Balances as ReservableCurrency<AccountId>>::reserve(&bob(), UNIT)
				.expect("there is enough");
		});
		assert!(told.contains("reserved, records say"), "{told}");
	}

	#[test]
	fn an_escrow_of_no_job_is_noticed() {
		let told = after(|| pallet_tensornet_escrow::Escrowed::<Runtime>::put(UNIT));
		assert!(told.contains("is in escrow"), "{told}");
	}

	#[test]
	fn an_asset_of_which_accounts_hold_more_than_there_is_is_noticed() {
		use frame_support::instances::Instance1;
		let told = after(|| {
			pallet_assets::Asset::<Runtime, Instance1>::mutate(1, |asset| {
				asset.as_mut().expect("the preset has it").supply -= 1;
			});
		});
		assert!(told.contains("of asset 1"), "{told}");
	}

	#[test]
	fn a_chain_without_authors_is_noticed() {
		let told = after(pallet_babe::Authorities::<Runtime>::kill);
		assert!(told.contains("3 validators, 0 authors"), "{told}");
	}

	#[test]
	fn what_only_a_pallet_knows_is_asked_of_it() {
		let told = after(|| pallet_tensornet_staking::OnlineCount::<Runtime>::put(1));
		assert!(told.contains("try_state of ComputeStaking"), "{told}");
	}

	#[test]
	fn a_call_that_used_more_than_it_paid_for_is_noticed() {
		let info = DispatchInfo { call_weight: Weight::from_parts(10, 0), ..Default::default() };
		let answer = |used: u64| {
			let actual_weight = Some(Weight::from_parts(used, 0));
			Ok(PostDispatchInfo { actual_weight, ..Default::default() })
		};
		assert!(laws::weight_used_is_at_most_charged(&answer(10), &info).is_ok());
		assert!(laws::weight_used_is_at_most_charged(&answer(11), &info).is_err());
	}

	#[test]
	fn a_slash_above_the_stake_or_with_missing_parts_is_noticed() {
		let stash = Eve.to_account_id();
		let bonded = pallet_tensornet_staking::Event::<Runtime>::Bonded {
			stash: stash.clone(),
			amount: 10,
			bond: 10,
		};
		let slashed = |total: u128, burned: u128| {
			let slash = Slash { total, burned, to_reporter: 0, to_requester: 0 };
			let conduct = Conduct::Fraud;
			let event = pallet_tensornet_staking::Event::<Runtime>::NodeSlashed {
				stash: stash.clone(),
				conduct,
				slash,
			};
			[RuntimeEvent::from(bonded.clone()), event.into()]
		};
		let verdict = |events: [RuntimeEvent; 2]| {
			laws::slashes_are_at_most_the_stake(&Default::default(), &events)
		};
		assert_eq!(verdict(slashed(10, 10)), Ok(()));
		assert!(verdict(slashed(11, 11)).is_err());
		assert!(verdict(slashed(10, 9)).is_err());
	}

	#[test]
	fn a_settlement_that_loses_a_planck_is_noticed() {
		super::super::preset_state("local_testnet").execute_with(|| {
			use pallet_tensornet_escrow::{Outcome, Outcomes, Receipt};
			let receipt = Receipt { paid: 90, burned: 10, ..Default::default() };
			let outcome = Outcome {
				state: tensornet_protocol::JobState::Settled,
				requester: bob(),
				node: Some(bob()),
				program: Default::default(),
				held: 100,
				receipt,
				ended_at: 1,
			};
			Outcomes::<Runtime>::insert(5, outcome);
			let settled = |paid| {
				[RuntimeEvent::from(pallet_tensornet_escrow::Event::<Runtime>::JobSettled {
					job: 5,
					requester: bob(),
					node: bob(),
					author: None,
					paid,
					burned: 10,
					treasury_share: 0,
					author_share: 0,
					lineage_share: 0,
					refunded: 0,
				})]
			};
			assert_eq!(laws::settlements_pay_out_what_was_held(&settled(90)), Ok(()));
			assert!(laws::settlements_pay_out_what_was_held(&settled(89)).is_err());
		});
	}
}
