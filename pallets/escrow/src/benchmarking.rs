// SPDX-License-Identifier: Apache-2.0

//! Benchmarks of the calls, of each step of the agenda, and of what proof of compute asks for. All
//! take the longest request, and every payee can receive its share.

use super::*;
use alloc::vec;
use frame_benchmarking::v2::*;
use frame_support::{
	traits::{
		fungible::{Inspect, Mutate},
		Get,
	},
	weights::WeightMeter,
};
use frame_system::{pallet_prelude::BlockNumberFor, RawOrigin};
use sp_runtime::traits::{Bounded, One, Saturating, Zero};
use tensornet_protocol::{
	Failure, Hash, JobId, JobRequest, JobState, Jobs as JobsTrait, Nodes, Programs, TokenPolicy,
	MAX_HINT, MAX_LINEAGE_PAYEES,
};

/// Makes what the escrow needs of other pallets.
pub trait BenchmarkHelper<AccountId> {
	/// Registers a program of as many blobs as a job may name and returns its root.
	fn program() -> Hash;

	/// Registers a node, different for each `index`, that is eligible for any job of that program
	/// at the floor price and pays a slash, and returns its stash account.
	fn node(index: u32) -> AccountId;

	/// Gives each of three contributors ancestors of every degree, of whom `active` in all receive a
	/// share of what they contribute, as many as can of one contributor before the next.
	fn ancestors(contributors: [&AccountId; 3], active: u32);
}

/// An amount that every payee can receive, however small its share.
fn ample<T: Config>() -> T::Balance {
	let unit = T::Currency::minimum_balance().max(T::MinJobPrice::get());
	unit.saturating_mul(10_000_u32.into())
}

fn fund<T: Config>(who: &T::AccountId) {
	T::Currency::set_balance(who, ample::<T>().saturating_mul(100_u32.into()));
}

/// An account that may post jobs, and the longest request it may post.
fn requester<T: Config>() -> (T::AccountId, JobRequest<T::Balance, BlockNumberFor<T>>) {
	let program = T::BenchmarkHelper::program();
	let facts = T::Programs::facts(&program).expect("the helper registered it");
	let least = Pallet::<T>::estimate(program, 1).expect("the price of one iteration fits");
	let who: T::AccountId = whitelisted_caller();
	let max_price = least.saturating_add(ample::<T>());
	T::Currency::set_balance(&who, max_price.saturating_mul(10_u32.into()));
	let now = frame_system::Pallet::<T>::block_number();
	let request = JobRequest {
		program,
		blobs: vec![Hash::repeat_byte(1); facts.blobs as usize]
			.try_into()
			.expect("a program has no more blobs than a job may name"),
		hint: vec![b'x'; MAX_HINT as usize].try_into().expect("the longest hint fits"),
		iterations: 1,
		max_price,
		deadline: now.saturating_add(T::MaxLifetime::get()),
		compliance_level: 0,
	};
	(who, request)
}

fn queued_job<T: Config>() -> (T::AccountId, JobId) {
	let (who, request) = requester::<T>();
	let id = NextJobId::<T>::get();
	Pallet::<T>::do_submit_job(who.clone(), request).expect("the request is sound");
	(who, id)
}

impl<T: Config> Pallet<T> {
	/// Gives a queued job to a node without a draw, at a price of which every share can be received.
	/// For benchmarks of this pallet and of those that judge its jobs.
	pub fn assign_for_benchmark(id: JobId, node: T::AccountId) {
		let mut job = Jobs::<T>::get(id).expect("the job is live");
		let now = frame_system::Pallet::<T>::block_number();
		let price = job.max_price.saturating_sub(One::one());
		let commit_by = now.saturating_add(Self::commit_time(job.macs));
		let collateral = Self::collateral(price);
		T::Nodes::job_taken(&node, collateral);
		let attempt = Attempt { node, price, commit_by, collateral };
		Self::set_phase(id, &mut job, Phase::Assigned(attempt));
		fund::<T>(&T::TokenPolicy::treasury());
		if let Some(facts) = T::Programs::facts(&job.program) {
			fund::<T>(&facts.author);
		}
	}
}

/// A job that a node has.
fn assigned_job<T: Config>() -> (T::AccountId, JobId) {
	let (who, id) = queued_job::<T>();
	Pallet::<T>::assign_for_benchmark(id, T::BenchmarkHelper::node(0));
	(who, id)
}

fn committed_job<T: Config>() -> (T::AccountId, JobId) {
	let (who, id) = assigned_job::<T>();
	<Pallet<T> as JobsTrait>::committed(id).expect("the node is in time");
	(who, id)
}

fn no_attempt_left<T: Config>(id: JobId) {
	Jobs::<T>::mutate(id, |job| {
		if let Some(job) = job {
			job.attempt = u8::MAX;
		}
	});
}

/// The block in which a job is due for `task`.
fn due_at<T: Config>(task: Task, id: JobId) -> BlockNumberFor<T> {
	Agenda::<T>::iter_keys()
		.find(|(lane, _, job)| (*lane, *job) == (task, id))
		.map(|(_, at, _)| at)
		.expect("the job is on the agenda")
}

/// One step of the agenda: finds an entry, removes it, and does what it says.
fn serve_one<T: Config>(task: Task, at: BlockNumberFor<T>, now: BlockNumberFor<T>) {
	let id = Agenda::<T>::iter_key_prefix((task, at)).next().expect("the job is on the agenda");
	Agenda::<T>::remove((task, at, id));
	Pallet::<T>::serve(task, id, now);
}

fn ended_as<T: Config>(id: JobId, state: JobState) {
	assert_eq!(Outcomes::<T>::get(id).map(|outcome| outcome.state), Some(state));
}

fn state_of<T: Config>(id: JobId) -> Option<JobState> {
	Jobs::<T>::get(id).map(|job| job.phase.state())
}

#[benchmarks]
mod benches {
	use super::*;

	#[benchmark]
	fn submit_job() {
		let (who, request) = requester::<T>();
		let id = NextJobId::<T>::get();

		#[extrinsic_call]
		_(RawOrigin::Signed(who), request);

		assert!(Jobs::<T>::contains_key(id));
	}

	#[benchmark]
	fn cancel_job() {
		let (who, id) = queued_job::<T>();

		#[extrinsic_call]
		_(RawOrigin::Signed(who), id);

		ended_as::<T>(id, JobState::Cancelled);
	}

	#[benchmark]
	fn agenda_base() {
		let task = Task::Assign;
		AgendaCursor::<T>::insert(task, BlockNumberFor::<T>::one());

		#[block]
		{
			let reached = AgendaCursor::<T>::get(task).unwrap_or_default();
			AgendaCursor::<T>::insert(task, reached.saturating_add(One::one()));
		}

		assert_eq!(AgendaCursor::<T>::get(task), Some(2_u32.into()));
	}

	#[benchmark]
	fn agenda_block() {
		let mut meter = WeightMeter::new();
		let at = BlockNumberFor::<T>::max_value();
		let due;

		#[block]
		{
			due = Pallet::<T>::due(Task::Assign, at, 1, &mut meter);
		}

		assert_eq!(due, (vec![], true));
	}

	#[benchmark]
	fn assign() {
		let (_, id) = queued_job::<T>();
		T::BenchmarkHelper::node(0);
		T::BenchmarkHelper::node(1);
		let now = frame_system::Pallet::<T>::block_number().saturating_add(One::one());
		let at = due_at::<T>(Task::Assign, id);

		#[block]
		{
			serve_one::<T>(Task::Assign, at, now);
		}

		assert_eq!(state_of::<T>(id), Some(JobState::Assigned));
	}

	#[benchmark]
	fn expire() {
		let (_, id) = queued_job::<T>();
		let now = BlockNumberFor::<T>::max_value();
		let at = due_at::<T>(Task::Assign, id);

		#[block]
		{
			serve_one::<T>(Task::Assign, at, now);
		}

		ended_as::<T>(id, JobState::Expired);
	}

	#[benchmark]
	fn commit_deadline_requeue() {
		let (_, id) = assigned_job::<T>();
		let now = frame_system::Pallet::<T>::block_number();
		let at = due_at::<T>(Task::CommitDeadline, id);

		#[block]
		{
			serve_one::<T>(Task::CommitDeadline, at, now);
		}

		assert_eq!(state_of::<T>(id), Some(JobState::Queued));
	}

	#[benchmark]
	fn commit_deadline_expire() {
		let (_, id) = assigned_job::<T>();
		no_attempt_left::<T>(id);
		let now = frame_system::Pallet::<T>::block_number();
		let at = due_at::<T>(Task::CommitDeadline, id);

		#[block]
		{
			serve_one::<T>(Task::CommitDeadline, at, now);
		}

		ended_as::<T>(id, JobState::Expired);
	}

	#[benchmark]
	fn forget() {
		let (_, id) = committed_job::<T>();
		<Pallet<T> as JobsTrait>::verified(id).expect("the job is committed");
		let now = BlockNumberFor::<T>::max_value();
		let at = due_at::<T>(Task::Forget, id);

		#[block]
		{
			serve_one::<T>(Task::Forget, at, now);
		}

		assert!(!Outcomes::<T>::contains_key(id));
	}

	#[benchmark]
	fn committed() {
		let (_, id) = assigned_job::<T>();

		#[block]
		{
			<Pallet<T> as JobsTrait>::committed(id).expect("the node is in time");
		}

		assert_eq!(state_of::<T>(id), Some(JobState::Committed));
	}

	/// Beside the four parties, `a` ancestors are paid; all others are looked at.
	#[benchmark]
	fn verified(a: Linear<0, MAX_LINEAGE_PAYEES>) {
		let (who, id) = committed_job::<T>();
		let assignment = <Pallet<T> as JobsTrait>::assignment(id).expect("a node has the job");
		let author = T::Programs::facts(&assignment.program).expect("it is registered").author;
		T::BenchmarkHelper::ancestors([&assignment.node, &who, &author], a);

		#[block]
		{
			<Pallet<T> as JobsTrait>::verified(id).expect("the job is committed");
		}

		ended_as::<T>(id, JobState::Settled);
		let shared = Outcomes::<T>::get(id).map(|outcome| outcome.receipt.lineage);
		assert_eq!(shared.is_some_and(|shared| shared > Zero::zero()), a > 0);
	}

	#[benchmark]
	fn failed_requeue() {
		let (_, id) = committed_job::<T>();
		let reporter = account("reporter", 0, 0);
		fund::<T>(&reporter);

		#[block]
		{
			<Pallet<T> as JobsTrait>::failed(id, Failure::Fraud, Some(&reporter))
				.expect("the job is committed");
		}

		assert_eq!(state_of::<T>(id), Some(JobState::Queued));
	}

	#[benchmark]
	fn failed_expire() {
		let (_, id) = committed_job::<T>();
		no_attempt_left::<T>(id);
		let reporter = account("reporter", 0, 0);
		fund::<T>(&reporter);

		#[block]
		{
			<Pallet<T> as JobsTrait>::failed(id, Failure::Fraud, Some(&reporter))
				.expect("the job is committed");
		}

		ended_as::<T>(id, JobState::Expired);
	}

	impl_benchmark_test_suite!(Pallet, crate::mock::new_test_ext(), crate::mock::Test);
}
