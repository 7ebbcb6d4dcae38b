// SPDX-License-Identifier: Apache-2.0

//! What the chain promises about who may do business with whom: levels that governance asks of roles and
//! requesters of nodes, and a sanctions list that shuts every way in and none out.

use super::{
	economy::{pass_block, register_program, submit_call},
	*,
};
use crate::configs::parameters::dynamic_params::compliance;
use frame_support::dispatch::DispatchErrorWithPostInfo;
use pallet_tensornet_compliance::Country;
use pallet_tensornet_governance::Origin;
use sp_keyring::Sr25519Keyring::{self, Dave, Eve, Ferdie, One, Two};
use sp_runtime::{DispatchError, DispatchResult};
use tensornet_protocol::{Capability, JobId, JobState, Jobs as _};

fn origin(who: Sr25519Keyring) -> RuntimeOrigin {
	RuntimeOrigin::signed(who.to_account_id())
}

/// Ferdie is a registrar.
fn chain() -> TestExternalities {
	let mut ext = development();
	ext.execute_with(|| {
		start_first_block();
		assert_ok!(Compliance::apply(origin(Ferdie)));
		assert_noop!(attest(Eve, 1), pallet_tensornet_compliance::Error::<Runtime>::NotAppointed);
		assert_ok!(Compliance::appoint(Origin::Registrars.into(), Ferdie.to_account_id()));
	});
	ext
}

/// Ferdie attests `who` for an hour.
fn attest(who: Sr25519Keyring, level: u8) -> DispatchResult {
	let expires_at = System::block_number() + time::HOURS;
	let (subject, country) = (who.to_account_id(), Country(*b"CH"));
	Compliance::attest(origin(Ferdie), subject, level, country, expires_at, Hash::repeat_byte(9))
}

fn register_node(stash: Sr25519Keyring, operator: Sr25519Keyring) -> DispatchResult {
	ComputeStaking::register_node(
		origin(stash),
		operator.to_account_id(),
		MICRO,
		Capability { memory_mib: 1_024, giga_macs: 1_000 },
		Default::default(),
		100_000 * UNIT,
	)
}

fn start_node(stash: Sr25519Keyring, operator: Sr25519Keyring) {
	assert_ok!(register_node(stash, operator));
	assert_ok!(ComputeStaking::set_online(origin(stash), true));
}

/// Posts a job of Bob's that demands a level of its node.
fn post(program: Hash, level: u8) -> JobId {
	let id = pallet_tensornet_escrow::NextJobId::<Runtime>::get();
	let RuntimeCall::Escrow(pallet_tensornet_escrow::Call::submit_job { mut request }) =
		submit_call(program, UNIT)
	else {
		panic!("it posts a job");
	};
	request.compliance_level = level;
	assert_ok!(Escrow::submit_job(origin(Bob), request));
	id
}

/// Gives the chain the time to look for nodes twice, and no node the time to be late.
fn wait() {
	(0..6).for_each(|_| pass_block());
}

fn node_of(job: JobId) -> Option<AccountId> {
	Escrow::assignment(job).map(|assignment| assignment.node)
}

#[test]
fn a_job_that_demands_a_level_goes_to_a_node_that_has_it_or_waits() {
	chain().execute_with(|| {
		let program = register_program(Bob);
		start_node(Dave, One);
		start_node(Eve, Two);
		assert_ok!(attest(Eve, 2));
		let jobs: Vec<_> = (0..5).map(|_| post(program, 2)).collect();
		let demanding = post(program, 3);
		wait();
		assert!(jobs.into_iter().all(|job| node_of(job) == Some(Eve.to_account_id())));
		assert_eq!(Escrow::job_state(demanding), Some(JobState::Queued));
		// Renewed with a higher level, Eve gets what waited.
		assert_ok!(attest(Eve, 3));
		wait();
		assert_eq!(node_of(demanding), Some(Eve.to_account_id()));
		// Taken back, or past its time, an attestation counts no more.
		let revoke =
			|| Compliance::revoke(origin(Ferdie), Eve.to_account_id(), Ferdie.to_account_id());
		assert_ok!(revoke());
		let late = post(program, 1);
		wait();
		assert_eq!(node_of(late), None);
		assert_ok!(attest(Eve, 1));
		assert_eq!(Compliance::level_of(Eve.to_account_id()), 1);
		System::set_block_number(System::block_number() + time::HOURS);
		assert_eq!(Compliance::level_of(Eve.to_account_id()), 0);
	});
}

/// What each role does first, by an account that has done none of it.
fn enter(who: Sr25519Keyring, program: Hash) -> [DispatchResult; 4] {
	let refused = |error: DispatchErrorWithPostInfo| error.error;
	let other = pallet_tensornet_poc::Call::register_program {
		bytes: vec![0].try_into().expect("it is short"),
		hint: Default::default(),
	};
	[
		register_node(who, One),
		submit_call(program, UNIT).dispatch(origin(who)).map(drop).map_err(refused),
		RuntimeCall::Poc(other).dispatch(origin(who)).map(drop).map_err(refused),
		ComputeStaking::delegate(origin(who), Eve.to_account_id(), 10 * UNIT),
	]
}

/// That a role is closed to an account.
fn not_admitted() -> [DispatchError; 4] {
	let staking = pallet_tensornet_staking::Error::<Runtime>::NotAdmitted;
	[
		staking.into(),
		pallet_tensornet_escrow::Error::<Runtime>::NotAdmitted.into(),
		pallet_tensornet_poc::Error::<Runtime>::NotAdmitted.into(),
		pallet_tensornet_staking::Error::<Runtime>::NotAdmitted.into(),
	]
}

#[test]
fn each_role_asks_for_the_level_that_its_parameter_says() {
	use compliance::Parameters as Level;
	chain().execute_with(|| {
		let program = register_program(Bob);
		start_node(Eve, Two);
		let levels = [
			Level::NodeLevel(compliance::NodeLevel, Some(1)),
			Level::RequesterLevel(compliance::RequesterLevel, Some(2)),
			Level::DeveloperLevel(compliance::DeveloperLevel, Some(3)),
			Level::DelegatorLevel(compliance::DelegatorLevel, Some(4)),
		];
		for level in levels {
			assert_ok!(Governance::set_parameter(root(), RuntimeParameters::Compliance(level)));
		}
		for level in 0..=4 {
			if level > 0 {
				assert_ok!(attest(Dave, level));
			}
			let closed: Vec<_> = enter(Dave, program)
				.into_iter()
				.zip(not_admitted())
				.map(|(entered, refused)| entered == Err(refused))
				.collect();
			let expected: Vec<_> = (1..=4).map(|asked| level < asked).collect();
			assert_eq!(closed, expected, "level {level}");
		}
	});
}

#[test]
fn a_sanctioned_account_gets_in_nowhere_and_out_everywhere() {
	chain().execute_with(|| {
		let program = register_program(Bob);
		start_node(Eve, Two);
		// Dave has a node of his own, backs Eve's, and has a job that waits for a node.
		start_node(Dave, One);
		assert_ok!(ComputeStaking::delegate(origin(Dave), Eve.to_account_id(), 50 * UNIT));
		let queued = pallet_tensornet_escrow::NextJobId::<Runtime>::get();
		assert_ok!(submit_call(program, UNIT).dispatch(origin(Dave)));
		assert_ok!(Compliance::sanction(
			Origin::Registrars.into(),
			Dave.to_account_id(),
			Hash::repeat_byte(1)
		));

		let refused = enter(Dave, program);
		assert_eq!(refused, not_admitted().map(Err));
		assert_noop!(
			ComputeStaking::redelegate(
				origin(Dave),
				Eve.to_account_id(),
				Dave.to_account_id(),
				UNIT
			),
			pallet_tensornet_staking::Error::<Runtime>::NotAdmitted
		);
		// His node stays online and gets no job.
		assert_ok!(ComputeStaking::set_online(origin(Eve), false));
		let others = post(program, 0);
		wait();
		assert_eq!(node_of(others), None);

		let free = || Balances::free_balance(Dave.to_account_id());
		let before = free();
		assert_ok!(Escrow::cancel_job(origin(Dave), queued));
		assert!(free() > before, "the price is back");
		assert_ok!(ComputeStaking::set_online(origin(Dave), false));
		assert_ok!(ComputeStaking::unbond(origin(Dave), UNIT));
		assert_ok!(ComputeStaking::deregister_node(origin(Dave)));
		assert_ok!(ComputeStaking::undelegate(origin(Dave), Eve.to_account_id(), Balance::MAX));
		let period = <Runtime as pallet_tensornet_staking::Config>::UnbondingPeriod::get();
		System::set_block_number(System::block_number() + period);
		assert_ok!(ComputeStaking::withdraw_unbonded(origin(Dave)));
		assert_ok!(ComputeStaking::withdraw_undelegated(origin(Dave), Eve.to_account_id()));
		assert_eq!(Balances::reserved_balance(Dave.to_account_id()), 0);
		assert_eq!(free(), ENDOWMENT);
	});
}
