// SPDX-License-Identifier: Apache-2.0

//! Programs, jobs and proofs: what makes the market of compute move.

use super::{super::work::Deed, Ideas, Plan};
use crate::{currency::MILLI, Escrow, Hash, Runtime, RuntimeCall};
use pallet_tensornet_escrow::Phase as JobPhase;
use pallet_tensornet_poc::{Audit, Phase};
use tensornet_protocol::{
	arbitration::{ElementId, ElementProof},
	JobRequest,
};

type Escrows = pallet_tensornet_escrow::Call<Runtime>;
type Poc = pallet_tensornet_poc::Call<Runtime>;

impl Ideas<'_> {
	/// A call of proof of compute.
	pub(super) fn proof_of_compute(&mut self) -> Plan {
		match self.random.below(100) {
			0..=3 => self.register_program(),
			4 => self.unregister_program(),
			5..=33 => self.commit(),
			34..=62 => self.reveal(),
			63..=84 => self.answer_audit(),
			_ => self.prove_fraud(),
		}
	}

	/// A call of the ledger of jobs.
	pub(super) fn escrow(&mut self) -> Plan {
		if self.chance(10) {
			self.cancel_job()
		} else {
			self.submit_job()
		}
	}

	fn register_program(&mut self) -> Plan {
		let who = self.anyone();
		let work = self.random.pick(&self.world.library.works).clone();
		let mut bytes = work.bytes.clone();
		if self.chance(8) {
			let place = self.random.below(bytes.len() as u64) as usize;
			bytes[place] = self.random.draw() as u8;
		}
		let call = Poc::register_program {
			bytes: bytes.try_into().expect("random programs are small"),
			hint: b"https://example.org".to_vec().try_into().expect("it is short"),
		};
		Plan::by(who, call)
	}

	fn unregister_program(&mut self) -> Plan {
		let Some((program, author)) = self.one_of(&self.view.programs).cloned() else {
			return self.register_program();
		};
		Plan::by(author, Poc::unregister_program { program })
	}

	fn submit_job(&mut self) -> Plan {
		let who = self.anyone();
		let known = &self.view.programs;
		let works = self.world.library.works.clone();
		let ready: Vec<_> =
			works.iter().filter(|work| known.iter().any(|(id, _)| *id == work.id)).collect();
		if ready.is_empty() || self.chance(48) {
			return self.register_program();
		}
		let work = *self.random.pick(&ready);
		let least = Escrow::estimate(work.id, work.iterations).unwrap_or(MILLI);
		let max_price = match self.random.below(12) {
			0 => least.saturating_sub(1),
			1 => least,
			2 => self.amount_of(&who),
			_ => least.saturating_mul(10u128.pow(self.random.below(6) as u32)),
		};
		let mut blobs = work.roots.clone();
		if self.chance(32) {
			blobs.iter_mut().for_each(|root| *root = Hash::repeat_byte(7));
		}
		let deadline = match self.random.below(16) {
			0 => self.soon(),
			1 => self.view.now + 10_000_000,
			_ => self.view.now + 60 + self.random.below(2_000) as u32,
		};
		let request = JobRequest {
			program: work.id,
			blobs,
			hint: Default::default(),
			iterations: if self.chance(32) { 0 } else { work.iterations },
			max_price,
			deadline,
			compliance_level: if self.chance(24) { self.random.below(6) as u8 } else { 0 },
		};
		Plan::by(who, Escrows::submit_job { request })
	}

	fn cancel_job(&mut self) -> Plan {
		let queued: Vec<_> = self
			.view
			.jobs
			.iter()
			.filter(|(_, job)| matches!(job.phase, JobPhase::Queued { .. }))
			.collect();
		let Some((job, record)) = self.one_of(&queued).copied() else { return self.submit_job() };
		Plan::by(record.requester.clone(), Escrows::cancel_job { job: *job })
	}

	fn commit(&mut self) -> Plan {
		let assigned: Vec<_> = self
			.view
			.jobs
			.iter()
			.filter_map(|(id, job)| match &job.phase {
				JobPhase::Assigned(attempt) => Some((*id, job, attempt.node.clone())),
				_ => None,
			})
			.collect();
		let Some((job, record, node)) = self.one_of(&assigned).cloned() else {
			return self.submit_job();
		};
		let operator = self.view.operator(&node).unwrap_or_else(|| node.clone());
		let library = &self.world.library;
		let known = library.work_of(&record.program, &record.blobs, record.iterations);
		let seal = match known {
			Some(work) if !self.random.once_in(64) => {
				let told = match self.random.below(4) {
					0 => 1 + self.random.below(3) as usize,
					_ => 0,
				};
				let salt = [self.random.draw() as u8; 32];
				self.world.library.seal(job, &node, Deed { work, told, salt })
			}
			_ => Hash::repeat_byte(self.random.draw() as u8),
		};
		Plan::by(operator, Poc::commit { job, seal })
	}

	fn reveal(&mut self) -> Plan {
		let sealed: Vec<_> = self
			.view
			.commitments
			.iter()
			.filter(|(_, commitment)| matches!(commitment.phase, Phase::Sealed { .. }))
			.collect();
		let Some((job, commitment)) = self.one_of(&sealed).copied() else { return self.commit() };
		let operator = self.view.operator(&commitment.node).unwrap_or(commitment.node.clone());
		let deed =
			self.world.library.deed(commitment).unwrap_or(Deed { work: 0, told: 0, salt: [0; 32] });
		let work = self.world.library.works[deed.work].clone();
		let told = if self.chance(48) { 1 } else { deed.told };
		let (outputs, manifest) = work.outputs(told);
		let call = Poc::reveal {
			job: *job,
			trace_root: work.trace_root(deed.told),
			salt: deed.salt,
			outputs: outputs.into_inner().try_into().expect("the pallet allows as many"),
			manifest,
		};
		Plan::by(operator, call)
	}

	fn answer_audit(&mut self) -> Plan {
		let audited: Vec<_> = self
			.view
			.commitments
			.iter()
			.filter_map(|(job, commitment)| match &commitment.phase {
				Phase::Revealed { audit: Audit::Open { samples, .. }, .. } => {
					Some((*job, commitment, samples))
				}
				_ => None,
			})
			.collect();
		let Some((job, commitment, samples)) = self.one_of(&audited).copied() else {
			return self.reveal();
		};
		let operator = self.view.operator(&commitment.node).unwrap_or(commitment.node.clone());
		let Some(deed) = self.world.library.deed(commitment) else { return self.reveal() };
		let work = self.world.library.works[deed.work].clone();
		let mut proofs: Vec<ElementProof> = samples
			.iter()
			.filter_map(|element: &ElementId| work.prove(deed.told, *element))
			.collect();
		if self.chance(16) {
			proofs.reverse();
		}
		if self.chance(32) {
			proofs.pop();
		}
		let proofs = proofs.try_into().expect("as many as were drawn");
		Plan::by(operator, Poc::answer_audit { job, proofs })
	}

	fn prove_fraud(&mut self) -> Plan {
		let mut revealed: Vec<_> = self
			.view
			.commitments
			.iter()
			.filter_map(|(job, commitment)| {
				let deed = self.world.library.deed(commitment)?;
				matches!(commitment.phase, Phase::Revealed { .. }).then_some((*job, deed))
			})
			.collect();
		// Honest ones are accused as well, but not most of the time.
		if !self.chance(8) {
			revealed.retain(|(_, deed)| deed.told > 0);
		}
		let Some((job, deed)) = self.one_of(&revealed).copied() else {
			return self.answer_audit();
		};
		let work = self.world.library.works[deed.work].clone();
		let Some(proof) = work.accuse(deed.told, self.random) else { return self.commit() };
		let call: RuntimeCall = Poc::prove_fraud { job, proof }.into();
		Plan::by(self.anyone(), call)
	}
}
