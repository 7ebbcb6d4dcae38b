// SPDX-License-Identifier: Apache-2.0

//! Calls within calls: batches, derived accounts, alternatives, and what several accounts sign together.

use super::{
	super::{coverage::nested, world::Joint},
	Ideas, Plan,
};
use crate::{currency::UNIT, AccountId, Multisig, Runtime, RuntimeCall};
use codec::Encode;
use frame_support::weights::Weight;

type Utility = pallet_utility::Call<Runtime>;
type Joints = pallet_multisig::Call<Runtime>;

/// Whether root overrules the laws of the chain by this call: it writes storage, code or balances as it
/// pleases, or gives its power away.
fn is_decree(call: &RuntimeCall) -> bool {
	use frame_system::Call as System;
	use pallet_balances::Call as Balances;
	matches!(
		call,
		RuntimeCall::System(
			System::set_storage { .. }
				| System::kill_storage { .. }
				| System::kill_prefix { .. }
				| System::set_code { .. }
				| System::set_code_without_checks { .. }
				| System::set_heap_pages { .. }
				| System::authorize_upgrade { .. }
				| System::authorize_upgrade_without_checks { .. }
		) | RuntimeCall::Balances(
			Balances::force_set_balance { .. }
				| Balances::force_adjust_total_issuance { .. }
				| Balances::force_unreserve { .. }
		) | RuntimeCall::Babe(pallet_babe::Call::plan_config_change { .. })
			| RuntimeCall::Grandpa(pallet_grandpa::Call::note_stalled { .. })
			| RuntimeCall::Sudo(_)
	)
}

impl Ideas<'_> {
	/// The same transaction within another one.
	pub(super) fn wrap(&mut self, plan: Plan) -> Plan {
		// What else a batch holds might spend what root pays its fees with.
		if plan.signer.as_ref() == Some(&self.world.root) {
			return plan;
		}
		let Plan { signer, call, asset } = plan;
		let mut calls = vec![call];
		for _ in 0..self.random.below(3) {
			calls.push(self.plain().call);
		}
		let first = Box::new(calls[0].clone());
		// Root may rewrite the ledger by decree: that is no fault of the chain.
		let most = if nested(&first).iter().any(|call| is_decree(call)) { 14 } else { 16 };
		let call: RuntimeCall = match self.random.below(most) {
			0..=3 => Utility::batch { calls }.into(),
			4..=7 => Utility::batch_all { calls }.into(),
			8..=10 => Utility::force_batch { calls }.into(),
			11..=12 => {
				let fallback = self.plain().call;
				Utility::if_else { main: first, fallback: Box::new(fallback) }.into()
			}
			13 => {
				let index = self.random.below(3) as u16;
				let call = first;
				Utility::as_derivative { index, call }.into()
			}
			14 => {
				let weight = Weight::from_parts(1_000_000_000, 0);
				return self.as_root(Utility::with_weight { call: first, weight });
			}
			_ => {
				let as_origin = Box::new(self.any_power());
				return self.as_root(Utility::dispatch_as_fallible { as_origin, call: first });
			}
		};
		Plan { signer, call, asset }
	}

	/// A step of a call that several accounts sign.
	pub(super) fn joint(&mut self) -> Plan {
		if self.world.joint.len() > 24 {
			self.world.joint.remove(0);
		}
		if self.world.joint.is_empty() || self.chance(4) {
			return self.open_joint();
		}
		let place = self.random.below(self.world.joint.len() as u64) as usize;
		let Joint { signers, threshold, call, .. } = &self.world.joint[place];
		let (signers, threshold, call) = (signers.clone(), *threshold, call.clone());
		let who = self.random.pick(&signers).clone();
		let together = Multisig::multi_account_id(&signers, threshold);
		let call_hash = sp_io::hashing::blake2_256(&call.encode());
		let open = pallet_multisig::Multisigs::<Runtime>::get(&together, call_hash);
		let maybe_timepoint = open.as_ref().map(|open| open.when);
		let other_signatories: Vec<AccountId> =
			signers.into_iter().filter(|one| *one != who).collect();
		let max_weight = Weight::from_parts(100_000_000_000, u64::MAX);
		let call: RuntimeCall = match self.random.below(12) {
			0 => Joints::as_multi_threshold_1 { other_signatories, call: Box::new(call) }.into(),
			1..=2 => Joints::approve_as_multi {
				threshold,
				other_signatories,
				maybe_timepoint,
				call_hash,
				max_weight,
			}
			.into(),
			3 => match open {
				Some(open) => {
					let timepoint = open.when;
					let others = |who: &AccountId| {
						let all = self.world.joint[place].signers.iter();
						all.filter(|one| *one != who).cloned().collect()
					};
					let other_signatories = others(&open.depositor);
					let call = Joints::cancel_as_multi {
						threshold,
						other_signatories,
						timepoint,
						call_hash,
					};
					return Plan::by(open.depositor, call);
				}
				None => return self.open_joint(),
			},
			4 => Joints::poke_deposit { threshold, other_signatories, call_hash }.into(),
			_ => Joints::as_multi {
				threshold,
				other_signatories,
				maybe_timepoint,
				call: Box::new(call),
				max_weight,
			}
			.into(),
		};
		Plan::by(who, call)
	}

	/// Begins a joint call, and gives its account something to act with.
	fn open_joint(&mut self) -> Plan {
		let mut signers: Vec<AccountId> = (0..3).map(|_| self.anyone()).collect();
		signers.sort();
		signers.dedup();
		let threshold = 1 + self.random.below(2) as u16;
		let together = Multisig::multi_account_id(&signers, threshold);
		let dest = self.anyone().into();
		let call = pallet_balances::Call::<Runtime>::transfer_keep_alive { dest, value: UNIT };
		let joint = Joint { signers, threshold, call: call.into() };
		self.world.joint.push(joint);
		let dest = together.into();
		let gift = pallet_balances::Call::<Runtime>::transfer_keep_alive { dest, value: 5 * UNIT };
		Plan::by(self.anyone(), gift)
	}
}
