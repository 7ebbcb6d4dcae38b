// SPDX-License-Identifier: Apache-2.0

//! The checker of invariants notices every kind of damage.

use super::compute::*;
use crate::{mock::*, *};
use frame_support::{
	traits::{fungible::MutateHold, tokens::Precision},
	BoundedVec,
};
use sp_core::H256;
use tensornet_protocol::{AgendaPage, AgendaSlot};

const JOB: u64 = 3;

/// A state with everything in it: a sealed, a revealed and an ended job.
fn busy() -> Compute {
	let network = Compute::network(0);
	network.revealed(JOB, &network.trace);
	run_to(1 + CHALLENGE_WINDOW);
	network.revealed(JOB + 1, &network.trace);
	network.assign(JOB + 2);
	network.commit(JOB + 2, &network.trace);
	network
}

#[track_caller]
fn notices(expected: &'static str, damage: impl FnOnce(&Compute)) {
	TestExt::new().build().execute_with(|| {
		let network = busy();
		assert_eq!(Poc::do_try_state(), Ok(()));
		damage(&network);
		assert_eq!(Poc::do_try_state(), Err(expected.into()));
	});
}

#[test]
fn programs_without_their_parts() {
	notices("a program has no bytes", |network| ProgramBytes::<Test>::remove(network.id()));
	notices("a program has no checkpoints", |network| {
		ProgramCheckpoints::<Test>::remove(network.id())
	});
	notices("bytes without a program", |_| {
		ProgramBytes::<Test>::insert(H256::zero(), BoundedVec::default())
	});
	notices("checkpoints without a program", |_| {
		ProgramCheckpoints::<Test>::insert(H256::zero(), BoundedVec::default())
	});
}

#[test]
fn programs_with_wrong_parts() {
	notices("a program's bytes are not those of its key", |network| {
		ProgramBytes::<Test>::insert(network.id(), BoundedVec::default())
	});
	notices("a program's checkpoints are not as many as its record says", |network| {
		ProgramCheckpoints::<Test>::insert(network.id(), BoundedVec::default())
	});
	notices("the work of a program's checkpoints does not add up", |network| {
		ProgramCheckpoints::<Test>::mutate(network.id(), |checkpoints| {
			checkpoints.as_mut().unwrap()[0].cumulative = u64::MAX
		})
	});
}

#[test]
fn deposits_that_are_not_held() {
	notices("an author's hold is not the sum of its deposits", |_| {
		let reason = HoldReason::ProgramDeposit.into();
		Balances::release(&reason, &account(AUTHOR), 1, Precision::Exact).unwrap();
	});
	notices("an author's hold is not the sum of its deposits", |network| {
		Programs::<Test>::mutate(network.id(), |record| record.as_mut().unwrap().deposit += 1)
	});
}

#[test]
fn programs_that_look_unused() {
	notices("fewer jobs need a program than run it", |network| {
		Programs::<Test>::mutate(network.id(), |record| record.as_mut().unwrap().live_jobs = 1)
	});
	notices("a commitment's program is gone", |network| {
		let elsewhere = H256::repeat_byte(1);
		assert_ne!(elsewhere, network.id());
		Commitments::<Test>::mutate(JOB + 1, |commitment| {
			commitment.as_mut().unwrap().program = elsewhere
		})
	});
}

#[test]
fn commitments_without_their_task() {
	let no_task = "a commitment has no task, or not the one its phase calls for";
	notices(no_task, |_| {
		Agenda::<Test>::remove(Commitments::<Test>::get(JOB + 1).unwrap().due);
	});
	notices(no_task, |_| {
		let due = Commitments::<Test>::get(JOB + 1).unwrap().due;
		Agenda::<Test>::mutate(due, |slot| slot.tail[0] = (JOB + 1, Task::Settle));
	});
	notices(no_task, |_| {
		Commitments::<Test>::mutate(JOB + 1, |commitment| commitment.as_mut().unwrap().due += 1)
	});
}

#[test]
fn results_out_of_place() {
	notices("a result is not on the agenda to be forgotten", |_| {
		Agenda::<Test>::remove(Results::<Test>::get(JOB).unwrap().due);
	});
}

#[test]
fn an_agenda_out_of_order() {
	notices("a task was left behind", |_| NextDue::<Test>::put(500));
	notices("an empty slot of the agenda is kept", |_| {
		Agenda::<Test>::insert(500, AgendaSlot::default());
	});
	notices("a page of the agenda is not full", |_| {
		let due = Commitments::<Test>::get(JOB + 1).unwrap().due;
		Agenda::<Test>::mutate(due, |slot| slot.pages = 1);
	});
	notices("a page of the agenda belongs to no slot", |_| {
		AgendaPages::<Test>::insert(500, 0, AgendaPage::truncate_from(vec![(JOB, Task::Settle)]));
	});
}

#[test]
fn a_beacon_out_of_step() {
	notices("the newest past beacon value is not the beacon's", |_| {
		BeaconValue::<Test>::put(H256::zero())
	});
	notices("too many past beacon values", |_| {
		for block in 1_000..1_000 + u64::from(BEACON_HISTORY) {
			BeaconHistory::<Test>::insert(block, H256::zero());
		}
	});
}
