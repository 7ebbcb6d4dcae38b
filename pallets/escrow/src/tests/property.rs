// SPDX-License-Identifier: Apache-2.0

//! Random lives of many jobs: money is conserved, every job ends, and the books agree throughout.

use crate::{mock::*, Call, Escrowed, Event, Jobs, NextJobId};
use sp_runtime::Permill;
use tensornet_protocol::{Failure, JobRequest, JobState, Shares};

/// A small deterministic generator (xorshift64*), so that a failing seed can be run again.
struct Random(u64);

impl Random {
	fn next(&mut self) -> u64 {
		self.0 ^= self.0 >> 12;
		self.0 ^= self.0 << 25;
		self.0 ^= self.0 >> 27;
		self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
	}

	fn below(&mut self, bound: u64) -> u64 {
		(self.next() >> 16) % bound
	}
}

/// What the run destroyed, by the escrow's own events.
fn burned_by(events: &[Event<Test>]) -> Balance {
	events
		.iter()
		.map(|event| match event {
			Event::JobSettled { burned, .. } | Event::JobAttemptFailed { burned, .. } => *burned,
			_ => 0,
		})
		.sum()
}

fn any_request(random: &mut Random) -> JobRequest<Balance, u64> {
	JobRequest {
		iterations: random.below(20) as u32,
		max_price: u128::from(random.below(4_000)),
		deadline: System::block_number() + random.below(120),
		compliance_level: random.below(8) as u8 / 7,
		..request()
	}
}

fn step(random: &mut Random) {
	let known = NextJobId::<Test>::get().max(1);
	// Mostly recent jobs, which are likely to live.
	let id = known.saturating_sub(1 + random.below(8));
	// Many of these are refused: that must change nothing.
	match random.below(11) {
		0..=2 => {
			let _ = submit(1 + random.below(3), any_request(random));
		}
		3 => {
			let _ = dispatch(1 + random.below(3), Call::cancel_job { job: id });
		}
		4 | 5 => {
			let _ = commit(id);
		}
		6 => {
			let _ = verify(id);
		}
		7 => {
			let failure = match random.below(3) {
				0 => Failure::NotRevealed,
				1 => Failure::AuditUnanswered,
				_ => Failure::Fraud,
			};
			let _ = fail(id, failure, (random.below(2) == 0).then_some(REPORTER));
		}
		8 => JobShares::set(Shares {
			burn: Permill::from_parts(random.below(400_000) as u32),
			treasury: Permill::from_parts(random.below(400_000) as u32),
			author: Permill::from_parts(random.below(400_000) as u32),
			lineage: Permill::from_parts(random.below(400_000) as u32),
		}),
		9 => {
			// Some exist and some do not; sometimes more is asked for than there is.
			let who = 1 + random.below(8);
			let amount = u128::from(random.below(300));
			Waits::set((random.below(3) > 0).then_some((who, amount)));
		}
		_ => run_blocks(1 + random.below(4)),
	}
}

fn books_agree() {
	Escrow::do_try_state().expect("the invariants hold");
	let live = Jobs::<Test>::iter().count() as u32;
	assert_eq!(OpenJobs::get().values().sum::<u32>(), live);
	let with_nodes = Jobs::<Test>::iter_values().filter(|job| job.phase.attempt().is_some());
	let jobs_of_nodes: u32 = KnownNodes::get().values().map(|node| node.jobs).sum();
	assert_eq!(with_nodes.count() as u32, jobs_of_nodes);
}

#[test]
fn random_lives_conserve_money_and_every_job_ends() {
	let mut ends = [0_u32; 3];
	for seed in 1..=30 {
		let ext = TestExt::new()
			.node(NODE, 120)
			.node(OTHER, 100)
			.node(52, 300)
			.endow(REPORTER, ED)
			.endow(BOB, 30_000)
			.endow(3, 3_000);
		ext.execute_with(|| {
			let mut random = Random(seed);
			OutcomeRetention::set(100_000);
			MaxLifetime::set(100);
			let issued = Balances::total_issuance();
			let mut burned = 0;
			for round in 0..600 {
				step(&mut random);
				burned += burned_by(&events());
				assert_eq!(Balances::total_issuance() + burned, issued, "seed {seed}");
				if round % 20 == 0 {
					books_agree();
				}
			}
			// Proof of compute decides on what is committed; time ends the rest.
			for _ in 0..10 {
				for id in 0..NextJobId::<Test>::get() {
					if Escrow::job_state(id) == Some(JobState::Committed) {
						verify(id).expect("a committed job settles");
					}
				}
				run_blocks(50);
			}
			burned += burned_by(&events());
			books_agree();
			assert_eq!(Jobs::<Test>::iter().count(), 0, "seed {seed}");
			assert_eq!(Escrowed::<Test>::get(), 0);
			assert_eq!(Balances::total_issuance() + burned, issued, "seed {seed}");
			for id in 0..NextJobId::<Test>::get() {
				match outcome(id).state {
					JobState::Settled => ends[0] += 1,
					JobState::Expired => ends[1] += 1,
					JobState::Cancelled => ends[2] += 1,
					state => panic!("job {id} ended as {state:?}"),
				}
			}
		});
	}
	assert!(ends.iter().all(|count| *count > 50), "too few of some end: {ends:?}");
}
