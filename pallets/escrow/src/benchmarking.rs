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
	Compliance, Failure, Hash, JobId, JobRequest, JobState, Jobs as JobsTrait, Nodes, Programs,
	Role, TokenPolicy, AGENDA_PAGE, MAX_DRAWS, MAX_HINT,
};

/// Makes what the escrow needs of other pallets.
pub trait BenchmarkHelper<AccountId> {
	/// Registers a program of as many blobs as a job may name and returns its root.
	fn program() -> Hash;

	/// Registers a node, different for each `index`, that is eligible for any job of that program
	/// at the floor price and pays a slash, and returns its stash account.
	fn node(index: u32) -> AccountId;

	/// An account with as many attestations as there can be, and returns it.
	fn attested() -> AccountId;

	/// Gives each of three contributors a sponsor, so that a part of the fee of what they contribute
	/// waits for each of them.
	fn sponsors(contributors: [&AccountId; 3]);
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

/// The block in which a live job is due.
fn due_at<T: Config>(id: JobId) -> BlockNumberFor<T> {
	let job = Jobs::<T>::get(id).expect("the job is live");
	job.phase.wakes().expect("something is due").1
}

/// Leaves the slots out of the measurement into which all jobs of this block go for a task: every block
/// pays for them once.
fn whitelist_slots<T: Config>(now: BlockNumberFor<T>) {
	let forget = now.saturating_add(T::OutcomeRetention::get().max(One::one()));
	let assign = now.saturating_add(Pallet::<T>::assign_delay());
	for slot in [(Task::Assign, assign), (Task::Forget, forget)] {
		let key = Agenda::<T>::hashed_key_for(slot);
		frame_benchmarking::benchmarking::add_to_whitelist(key.into());
	}
}

/// One step of the agenda.
fn serve_one<T: Config>(task: Task, id: JobId, now: BlockNumberFor<T>) {
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
		whitelist_slots::<T>(frame_system::Pallet::<T>::block_number());

		#[extrinsic_call]
		_(RawOrigin::Signed(who), request);

		assert!(Jobs::<T>::contains_key(id));
	}

	#[benchmark]
	fn cancel_job() {
		let (who, id) = queued_job::<T>();
		whitelist_slots::<T>(frame_system::Pallet::<T>::block_number());

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

	/// A full slot of which nothing fits the block.
	#[benchmark]
	fn agenda_block() {
		let mut meter = WeightMeter::new();
		let at = BlockNumberFor::<T>::max_value();
		for id in 0..u64::from(AGENDA_PAGE) {
			Pallet::<T>::schedule(Task::Assign, at, id);
		}
		let complete;

		#[block]
		{
			complete = Pallet::<T>::serve_slot(Task::Assign, at, at, &mut 0, &mut meter);
		}

		assert!(!complete);
	}

	/// An entry of a job that is gone.
	#[benchmark]
	fn agenda_entry() {
		let used;

		#[block]
		{
			used = Pallet::<T>::serve(Task::Assign, JobId::MAX, BlockNumberFor::<T>::one());
		}

		assert_eq!(used, T::WeightInfo::agenda_entry());
	}

	/// As many nodes as are looked at, all of which could do the job.
	#[benchmark]
	fn assign(d: Linear<1, MAX_DRAWS>) {
		let (_, id) = queued_job::<T>();
		for index in 0..d {
			T::BenchmarkHelper::node(index);
		}
		let now = due_at::<T>(id);

		#[block]
		{
			serve_one::<T>(Task::Assign, id, now);
		}

		assert_eq!(state_of::<T>(id), Some(JobState::Assigned));
	}

	/// A node with as many attestations as there can be.
	#[benchmark]
	fn compliance() {
		let who = T::BenchmarkHelper::attested();
		let level;

		#[block]
		{
			level = T::Compliance::admits(&who, Role::Node)
				.then(|| T::Compliance::level(&who))
				.unwrap_or_default();
		}

		assert!(level > 0);
	}

	#[benchmark]
	fn expire() {
		let (_, id) = queued_job::<T>();
		let now = BlockNumberFor::<T>::max_value();
		whitelist_slots::<T>(now);

		#[block]
		{
			serve_one::<T>(Task::Assign, id, now);
		}

		ended_as::<T>(id, JobState::Expired);
	}

	#[benchmark]
	fn commit_deadline_requeue() {
		let (_, id) = assigned_job::<T>();
		let now = due_at::<T>(id);
		whitelist_slots::<T>(now);

		#[block]
		{
			serve_one::<T>(Task::CommitDeadline, id, now);
		}

		assert_eq!(state_of::<T>(id), Some(JobState::Queued));
	}

	#[benchmark]
	fn commit_deadline_expire() {
		let (_, id) = assigned_job::<T>();
		no_attempt_left::<T>(id);
		let now = due_at::<T>(id);
		whitelist_slots::<T>(now);

		#[block]
		{
			serve_one::<T>(Task::CommitDeadline, id, now);
		}

		ended_as::<T>(id, JobState::Expired);
	}

	#[benchmark]
	fn forget() {
		let (_, id) = committed_job::<T>();
		<Pallet<T> as JobsTrait>::verified(id).expect("the job is committed");
		let now = BlockNumberFor::<T>::max_value();

		#[block]
		{
			serve_one::<T>(Task::Forget, id, now);
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

	/// Each contributor has a sponsor.
	#[benchmark]
	fn verified() {
		let (who, id) = committed_job::<T>();
		let assignment = <Pallet<T> as JobsTrait>::assignment(id).expect("a node has the job");
		let author = T::Programs::facts(&assignment.program).expect("it is registered").author;
		T::BenchmarkHelper::sponsors([&assignment.node, &who, &author]);
		whitelist_slots::<T>(frame_system::Pallet::<T>::block_number());

		#[block]
		{
			<Pallet<T> as JobsTrait>::verified(id).expect("the job is committed");
		}

		ended_as::<T>(id, JobState::Settled);
		let shared = Outcomes::<T>::get(id).map(|outcome| outcome.receipt.lineage);
		assert!(shared.is_some_and(|shared| shared > Zero::zero()));
	}

	#[benchmark]
	fn failed_requeue() {
		let (_, id) = committed_job::<T>();
		let reporter = account("reporter", 0, 0);
		fund::<T>(&reporter);
		whitelist_slots::<T>(frame_system::Pallet::<T>::block_number());

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
		whitelist_slots::<T>(frame_system::Pallet::<T>::block_number());

		#[block]
		{
			<Pallet<T> as JobsTrait>::failed(id, Failure::Fraud, Some(&reporter))
				.expect("the job is committed");
		}

		ended_as::<T>(id, JobState::Expired);
	}

	impl_benchmark_test_suite!(Pallet, crate::mock::new_test_ext(), crate::mock::Test);
}
