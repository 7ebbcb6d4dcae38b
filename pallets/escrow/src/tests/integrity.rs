// SPDX-License-Identifier: Apache-2.0

//! A runtime whose configuration cannot work does not pass its own test.

use crate::{mock::*, Config, WeightInfo};
use frame_support::{traits::Hooks, weights::Weight};

type Weights = <Test as Config>::WeightInfo;

#[test]
fn the_mock_is_sound() {
	TestExt::standard().execute_with(Escrow::integrity_test);
}

macro_rules! refused {
	($name:ident, $message:literal, $set:expr) => {
		#[test]
		#[should_panic(expected = $message)]
		fn $name() {
			TestExt::standard().execute_unchecked(|| {
				$set;
				Escrow::integrity_test();
			});
		}
	};
}

refused!(a_free_job_is_refused, "MinJobPrice must not be zero", MinJobPrice::set(0));
refused!(crossed_lifetimes_are_refused, "MinLifetime exceeds MaxLifetime", MinLifetime::set(1_001));
refused!(
	a_lifetime_too_short_for_any_job_is_refused,
	"no job fits into MaxLifetime",
	MaxLifetime::set(11)
);
refused!(
	assignment_in_the_same_block_is_refused,
	"AssignDelay must not be zero",
	AssignDelay::set(0)
);
refused!(retry_without_pause_is_refused, "RetryPeriod must not be zero", RetryPeriod::set(0));
refused!(
	outcomes_that_are_not_kept_are_refused,
	"OutcomeRetention must not be zero",
	OutcomeRetention::set(0)
);
refused!(a_rate_of_zero_is_refused, "MacsPerBlock must not be zero", MacsPerBlock::set(0));
refused!(no_attempts_are_refused, "MaxAttempts must not be zero", MaxAttempts::set(0));
refused!(
	no_assignments_are_refused,
	"MaxAssignmentsPerBlock must not be zero",
	MaxAssignmentsPerBlock::set(0)
);
refused!(no_tasks_are_refused, "MaxTasksPerBlock must not be zero", MaxTasksPerBlock::set(0));
refused!(
	weight_for_less_than_one_task_is_refused,
	"ServiceWeight is too small for a single task",
	ServiceWeight::set(Weights::commit_deadline_expire())
);
refused!(
	a_block_without_weight_is_refused,
	"ServiceWeight is too small for a single task",
	ServiceWeight::set(Weight::zero())
);
