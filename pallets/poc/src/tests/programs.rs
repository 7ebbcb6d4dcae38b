// SPDX-License-Identifier: Apache-2.0

//! The registry of programs.

use super::compute::*;
use crate::{mock::*, *};
use frame_support::{assert_noop, assert_ok, traits::fungible::InspectHold, BoundedVec};
use sp_core::H256;
use sp_runtime::TokenError;
use tensornet_protocol::Programs as _;
use tensornet_tensor::{CheckedProgram, ProgramError};

fn bytes_of(program: &Compute) -> BoundedVec<u8, <Test as Config>::MaxProgramBytes> {
	BoundedVec::try_from(program.program.encode()).unwrap()
}

fn held(number: u8) -> u64 {
	Balances::balance_on_hold(&HoldReason::ProgramDeposit.into(), &account(number))
}

mod register {
	use super::*;

	#[test]
	fn is_refused_to_who_is_not_admitted() {
		TestExt::new().execute_with(|| {
			let network = Compute::network(0);
			Barred::set(vec![account(AUTHOR)]);
			assert_noop!(
				Poc::register_program(signed(AUTHOR), bytes_of(&network), Default::default()),
				Error::<Test>::NotAdmitted
			);
			Barred::set(vec![]);
			assert_ok!(Poc::register_program(
				signed(AUTHOR),
				bytes_of(&network),
				Default::default()
			));
		});
	}

	#[test]
	fn stores_the_facts_and_holds_a_deposit_for_what_it_stores() {
		TestExt::new().execute_with(|| {
			let network = Compute::network(0);
			let hint = BoundedVec::try_from(b"http://weights".to_vec()).unwrap();
			assert_ok!(Poc::register_program(signed(AUTHOR), bytes_of(&network), hint.clone()));

			let record = Programs::<Test>::get(network.id()).unwrap();
			assert_eq!(record.author, account(AUTHOR));
			assert_eq!(record.hint, hint);
			assert_eq!(record.macs, network.program.macs());
			assert_eq!(record.blobs, 1);
			assert_eq!(record.memory_mib, 1);
			assert_eq!(record.checkpoints, 2);
			assert_eq!(record.outputs.to_vec(), vec![1]);
			assert_eq!(record.live_jobs, 0);
			// One element of the second layer is a product of 48.
			assert!(record.arbitration_macs >= 64 && record.arbitration_macs < 100);
			assert!(record.arbitration_bytes > 1024 && record.arbitration_bytes < 96 * 1024);

			assert!(record.deposit > bytes_of(&network).len() as u64);
			assert_eq!(held(AUTHOR), record.deposit);
			assert_eq!(
				events(),
				vec![Event::ProgramRegistered {
					program: network.id(),
					author: account(AUTHOR),
					macs: record.macs,
					deposit: record.deposit,
				}]
			);
		});
	}

	#[test]
	fn tells_other_pallets_the_facts() {
		TestExt::new().execute_with(|| {
			let sum = Compute::running_sum();
			assert!(Poc::facts(&sum.id()).is_none());
			sum.register();
			let facts = Poc::facts(&sum.id()).unwrap();
			assert_eq!(facts.author, account(AUTHOR));
			assert_eq!(facts.macs, 700);
			assert_eq!(facts.max_iterations, 3);
			assert_eq!(facts.blobs, 2);
		});
	}

	#[test]
	fn fails_when_the_program_is_there() {
		TestExt::new().execute_with(|| {
			let network = Compute::network(0);
			network.register();
			assert_noop!(
				Poc::register_program(signed(REQUESTER), bytes_of(&network), Default::default()),
				Error::<Test>::ProgramExists
			);
		});
	}

	#[test]
	fn fails_with_the_reason_when_the_program_is_invalid() {
		TestExt::new().execute_with(|| {
			let register = |bytes: Vec<u8>| {
				let bytes = BoundedVec::try_from(bytes).unwrap();
				Poc::register_program(signed(AUTHOR), bytes, Default::default())
			};
			let refused = |error| Error::<Test>::ProgramInvalid(ProgramFault(error));
			assert_noop!(register(vec![]), refused(ProgramError::Malformed));
			assert_noop!(register(vec![1, 2, 3]), refused(ProgramError::Malformed));

			let network = Compute::network(0);
			let mut program = network.program.program().clone();
			program.outputs = vec![5];
			assert_noop!(
				register(codec::Encode::encode(&program)),
				refused(ProgramError::OutputNotCommitted { output: 0 })
			);
			let mut trailing = network.program.encode();
			trailing.push(0);
			assert_noop!(register(trailing), refused(ProgramError::NotCanonical));
		});
	}

	#[test]
	fn fails_when_one_element_is_too_dear_to_judge() {
		TestExt::new().execute_with(|| {
			let network = Compute::network(0);
			let mut program = network.program.program().clone();
			// A product over 2 MiB on each side.
			program.inputs[0].ty.shape = vec![1, 2, 1 << 21];
			program.constants[0].ty.shape = vec![1, 1 << 21, 48];
			let program = CheckedProgram::new(program).unwrap();
			let bytes = BoundedVec::try_from(program.encode()).unwrap();
			assert_noop!(
				Poc::register_program(signed(AUTHOR), bytes, Default::default()),
				Error::<Test>::ProgramInvalid(ProgramFault(ProgramError::ArbitrationMacs {
					checkpoint: 0
				}))
			);
		});
	}

	#[test]
	fn fails_with_too_many_outputs_or_checkpoints() {
		TestExt::new().execute_with(|| {
			let network = Compute::network(0);
			let register =
				|| Poc::register_program(signed(AUTHOR), bytes_of(&network), Default::default());
			MaxOutputs::set(0);
			assert_noop!(register(), Error::<Test>::TooManyOutputs);
			MaxOutputs::set(1);
			MaxCheckpoints::set(1);
			assert_noop!(register(), Error::<Test>::TooManyCheckpoints);
			MaxCheckpoints::set(2);
			assert_ok!(register());
		});
	}

	#[test]
	fn fails_when_the_author_cannot_pay_the_deposit() {
		TestExt::new().execute_with(|| {
			let network = Compute::network(0);
			assert_noop!(
				Poc::register_program(signed(99), bytes_of(&network), Default::default()),
				TokenError::FundsUnavailable
			);
		});
	}
}

mod unregister {
	use super::*;

	#[test]
	fn returns_the_deposit_and_leaves_nothing() {
		TestExt::new().execute_with(|| {
			let network = Compute::network(0);
			network.register();
			let deposit = held(AUTHOR);
			events();
			assert_ok!(Poc::unregister_program(signed(AUTHOR), network.id()));
			assert_eq!(held(AUTHOR), 0);
			assert_eq!(Balances::free_balance(account(AUTHOR)), ENDOWMENT);
			assert!(!Programs::<Test>::contains_key(network.id()));
			assert!(!ProgramBytes::<Test>::contains_key(network.id()));
			assert!(!ProgramCheckpoints::<Test>::contains_key(network.id()));
			assert_eq!(
				events(),
				vec![Event::ProgramUnregistered {
					program: network.id(),
					author: account(AUTHOR),
					deposit
				}]
			);
			network.register();
		});
	}

	#[test]
	fn fails_for_an_unknown_program() {
		TestExt::new().execute_with(|| {
			assert_noop!(
				Poc::unregister_program(signed(AUTHOR), H256::zero()),
				Error::<Test>::UnknownProgram
			);
		});
	}

	#[test]
	fn fails_for_anyone_but_the_author() {
		TestExt::new().execute_with(|| {
			let network = Compute::network(0);
			network.register();
			assert_noop!(
				Poc::unregister_program(signed(REQUESTER), network.id()),
				Error::<Test>::NotAuthor
			);
		});
	}

	#[test]
	fn fails_while_a_job_needs_the_program() {
		TestExt::new().execute_with(|| {
			let network = Compute::network(0);
			network.register();
			Poc::job_opened(&network.id());
			Poc::job_opened(&network.id());
			Poc::job_closed(&network.id());
			assert_noop!(
				Poc::unregister_program(signed(AUTHOR), network.id()),
				Error::<Test>::ProgramInUse
			);
			Poc::job_closed(&network.id());
			assert_ok!(Poc::unregister_program(signed(AUTHOR), network.id()));
		});
	}
}
