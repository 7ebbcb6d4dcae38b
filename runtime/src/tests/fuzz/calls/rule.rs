// SPDX-License-Identifier: Apache-2.0

//! How the chain is ruled: referenda and votes, parameters, the treasury, the brakes, what is scheduled.

use super::{
	super::world::{call_hash, power, preimage_hash},
	Ideas, Plan,
};
use crate::{
	currency::UNIT, governance::tracks::TrackId, AccountId, OriginCaller, Runtime, RuntimeCall,
};
use codec::Encode;
use frame_support::traits::{fungible::Inspect, schedule::DispatchTime, Bounded};
use frame_system::RawOrigin;
use pallet_conviction_voting::{AccountVote, Conviction, Vote};
use pallet_tensornet_governance::Origin as Power;

type Referenda = pallet_referenda::Call<Runtime>;
type Voting = pallet_conviction_voting::Call<Runtime>;
type Preimage = pallet_preimage::Call<Runtime>;
type Treasury = pallet_treasury::Call<Runtime>;
type Scheduler = pallet_scheduler::Call<Runtime>;
type Whitelist = pallet_whitelist::Call<Runtime>;
type SafeMode = pallet_safe_mode::Call<Runtime>;
type TxPause = pallet_tx_pause::Call<Runtime>;
type Governance = pallet_tensornet_governance::Call<Runtime>;
type System = frame_system::Call<Runtime>;

/// The numbers of the tracks, and one of none.
const TRACKS: [TrackId; 9] = [0, 1, 10, 20, 21, 30, 40, 50, 99];

impl Ideas<'_> {
	/// A call about referenda and votes.
	pub(super) fn referenda(&mut self) -> Plan {
		let track = *self.random.pick(&TRACKS);
		let ongoing = self.one_of(&self.view.ongoing).copied();
		let Some((index, deciding)) = ongoing.filter(|_| !self.chance(10)) else {
			return if self.view.ongoing.len() < 24 { self.submit() } else { self.vote(0) };
		};
		let who = self.anyone();
		match self.random.below(48) {
			0..=6 => Plan::by(who, Referenda::place_decision_deposit { index }),
			7..=23 => self.vote(index),
			24..=26 => Plan::by(who, Referenda::nudge_referendum { index }),
			27..=28 => Plan::by(who, Referenda::one_fewer_deciding { track }),
			29 => self.with_power(Power::Emergency, Referenda::cancel { index }),
			30 => self.with_power(Power::Emergency, Referenda::kill { index }),
			31..=32 => {
				let index = self.one_of(&self.view.ended).copied().unwrap_or(index);
				Plan::by(who, Referenda::refund_decision_deposit { index })
			}
			33..=34 => {
				let index = self.one_of(&self.view.ended).copied().unwrap_or(index);
				Plan::by(who, Referenda::refund_submission_deposit { index })
			}
			35 => {
				let maybe_hash = self.preimage().map(|bytes| preimage_hash(&bytes));
				Plan::by(who, Referenda::set_metadata { index, maybe_hash })
			}
			36..=38 => {
				let call = Voting::delegate {
					class: deciding,
					to: self.anyone().into(),
					conviction: Conviction::Locked1x,
					balance: self.amount_of(&who),
				};
				Plan::by(who, call)
			}
			39..=44 => self.voter(index, who, track),
			_ => self.note(),
		}
	}

	/// A call about a vote that was given.
	fn voter(&mut self, index: u32, who: AccountId, track: TrackId) -> Plan {
		let (voter, class) = self.one_of(&self.view.voters).cloned().unwrap_or((who, track));
		match self.random.below(8) {
			0..=1 => Plan::by(voter, Voting::undelegate { class }),
			2..=4 => Plan::by(self.anyone(), Voting::unlock { class, target: voter.into() }),
			5..=6 => {
				let class = self.chance(2).then_some(class);
				Plan::by(voter, Voting::remove_vote { class, index })
			}
			_ => {
				let index = self.one_of(&self.view.ended).copied().unwrap_or(index);
				let call = Voting::remove_other_vote { target: voter.into(), class, index };
				Plan::by(self.anyone(), call)
			}
		}
	}

	fn vote(&mut self, poll_index: u32) -> Plan {
		let who = self.anyone();
		let total = crate::Balances::total_balance(&who);
		let vote = match self.random.below(10) {
			0 => AccountVote::Split { aye: total / 4, nay: total / 8 },
			1 => {
				let abstain = total / 8;
				AccountVote::SplitAbstain { aye: total / 4, nay: total / 8, abstain }
			}
			choice => AccountVote::Standard {
				vote: Vote { aye: choice < 9, conviction: Conviction::Locked1x },
				balance: if self.chance(12) { self.amount_of(&who) } else { total / 2 },
			},
		};
		Plan::by(who, Voting::vote { poll_index, vote })
	}

	/// A referendum about something that its track may decide.
	fn submit(&mut self) -> Plan {
		let (origin, call) = self.measure();
		let bytes = call.encode();
		let proposal = if bytes.len() <= 128 {
			Bounded::Inline(bytes.try_into().expect("short enough"))
		} else {
			let (hash, len) = (preimage_hash(&bytes), bytes.len() as u32);
			self.world.preimages.push(bytes);
			Bounded::Lookup { hash, len }
		};
		let enactment_moment = match self.random.below(4) {
			0 => DispatchTime::At(self.soon()),
			_ => DispatchTime::After(self.random.below(10) as u32),
		};
		let proposal_origin = Box::new(origin);
		let call = Referenda::submit { proposal_origin, proposal, enactment_moment };
		Plan::by(self.anyone(), call)
	}

	/// What a decision may be about, with the power that serves.
	fn measure(&mut self) -> (OriginCaller, RuntimeCall) {
		let who = self.anyone();
		match self.random.below(9) {
			0..=2 => (power(Power::ProtocolParameters), self.set_parameter()),
			3 => {
				let (amount, beneficiary) = (self.usual(), who.into());
				let call = Treasury::spend_local { amount, beneficiary };
				(power(Power::SmallSpender), call.into())
			}
			4 => {
				let call = pallet_tensornet_compliance::Call::<Runtime>::appoint { registrar: who };
				(power(Power::Registrars), call.into())
			}
			5 => (power(Power::Emergency), self.pause()),
			6 => {
				let (node, id) = self.one_of(&self.view.node_slashes).cloned().unwrap_or((who, 0));
				let call = pallet_tensornet_staking::Call::<Runtime>::cancel_slash { node, id };
				(power(Power::SlashAppeal), call.into())
			}
			7 => {
				let remark = vec![1; 200];
				(self.any_power(), System::remark_with_event { remark }.into())
			}
			_ => {
				let call = System::remark { remark: b"decided".to_vec() };
				(OriginCaller::system(RawOrigin::Root), call.into())
			}
		}
	}

	fn preimage(&mut self) -> Option<Vec<u8>> {
		let kept = self.world.preimages.len();
		if kept > 64 {
			self.world.preimages.drain(..kept - 64);
		}
		self.one_of(&self.world.preimages.clone()).cloned()
	}

	/// A call about preimages.
	fn note(&mut self) -> Plan {
		let who = self.anyone();
		let Some(bytes) = self.preimage() else {
			let bytes = self.random.draw().to_le_bytes().to_vec();
			self.world.preimages.push(bytes.clone());
			return Plan::by(who, Preimage::note_preimage { bytes });
		};
		let hash = preimage_hash(&bytes);
		let is_idle = bytes.len() == size_of::<u64>();
		match self.random.below(12) {
			0..=5 => Plan::by(who, Preimage::note_preimage { bytes }),
			6..=7 => {
				let owner = pallet_preimage::RequestStatusFor::<Runtime>::get(hash);
				let owner = match owner {
					Some(pallet_preimage::RequestStatus::Unrequested {
						ticket: (owner, _),
						..
					}) => owner,
					_ => who,
				};
				Plan::by(owner, Preimage::unnote_preimage { hash })
			}
			// Root may not take back what others asked for: they rely on it.
			8 if is_idle => self.as_root(Preimage::request_preimage { hash }),
			9 if is_idle => self.as_root(Preimage::unrequest_preimage { hash }),
			10 => Plan::by(who, Preimage::ensure_updated { hashes: vec![hash] }),
			_ => {
				let bytes = self.random.draw().to_le_bytes().to_vec();
				self.world.preimages.push(bytes.clone());
				self.as_root(Preimage::note_preimage { bytes })
			}
		}
	}

	fn set_parameter(&mut self) -> RuntimeCall {
		let place = self.random.below(self.world.parameters.len() as u64) as usize;
		let parameter = &self.world.parameters[place];
		let info = parameter.info(&self.view.bounds);
		let value = match self.random.below(16) {
			0 => Some(info.least),
			1 => Some(info.most),
			2 => info.least.checked_sub(1),
			3 => Some(info.most + 1),
			4..=7 => {
				let step = (info.most - info.least) / 1_000;
				Some(info.least + step * u128::from(self.random.below(1_000)))
			}
			// Back to the default, so that the chain does not drift to the edges for good.
			_ => None,
		};
		let key_value = parameter.set(value);
		Governance::set_parameter { key_value }.into()
	}

	/// Sets a parameter.
	pub(super) fn parameters(&mut self) -> Plan {
		let call = self.set_parameter();
		if self.chance(16) {
			let RuntimeCall::Governance(Governance::set_parameter { key_value }) = call else {
				unreachable!("it sets a parameter");
			};
			// Past the bounds, which nobody may.
			return self.as_root(pallet_parameters::Call::<Runtime>::set_parameter { key_value });
		}
		self.with_power(Power::ProtocolParameters, call)
	}

	fn pause(&mut self) -> RuntimeCall {
		let names = [
			("Escrow", "submit_job"),
			("Escrow", "cancel_job"),
			("Poc", "register_program"),
			("Poc", "commit"),
			("ComputeStaking", "delegate"),
			("Balances", "transfer_all"),
			("Assets", "mint"),
		];
		let (pallet, call) = *self.random.pick(&names);
		let full_name = (self.name(pallet), self.name(call));
		TxPause::pause { full_name }.into()
	}

	/// A call that takes a special power.
	pub(super) fn powers(&mut self) -> Plan {
		let who = self.anyone();
		match self.random.below(32) {
			0..=1 if self.view.paused.len() < 2 => {
				let call = self.pause();
				self.with_power(Power::Emergency, call)
			}
			0..=5 => {
				let paused = self.one_of(&self.view.paused).cloned();
				let ident =
					paused.unwrap_or_else(|| (self.name("Escrow"), self.name("submit_job")));
				self.with_power(Power::Emergency, TxPause::unpause { ident })
			}
			6 => self.brakes(),
			7..=15 => self.treasury(),
			16..=23 => self.scheduled(),
			24..=28 => self.whitelisted(),
			29 => {
				let call = Box::new(System::remark { remark: vec![] }.into());
				let sudo = pallet_sudo::Call::<Runtime>::sudo_unchecked_weight {
					call,
					weight: Default::default(),
				};
				Plan::by(self.world.root.clone(), sudo)
			}
			30 => {
				let call = Box::new(System::remark_with_event { remark: vec![] }.into());
				let sudo = pallet_sudo::Call::<Runtime>::sudo_as { who: who.into(), call };
				Plan::by(self.world.root.clone(), sudo)
			}
			_ => {
				let root = self.world.root.clone();
				let new = root.clone().into();
				Plan::by(root, pallet_sudo::Call::<Runtime>::set_key { new })
			}
		}
	}

	/// A call of safe mode.
	fn brakes(&mut self) -> Plan {
		let (account, block) = (self.anyone(), self.soon());
		match self.random.below(12) {
			0..=3 => self.with_power(Power::Emergency, SafeMode::force_enter {}),
			4 => self.with_power(Power::Emergency, SafeMode::force_extend {}),
			5..=6 => self.with_power(Power::Emergency, SafeMode::force_exit {}),
			7 => Plan::by(account, SafeMode::enter {}),
			8 => Plan::by(account, SafeMode::extend {}),
			9 => self.as_root(SafeMode::force_slash_deposit { account, block }),
			10 => Plan::by(self.anyone(), SafeMode::release_deposit { account, block }),
			_ => self.as_root(SafeMode::force_release_deposit { account, block }),
		}
	}

	fn treasury(&mut self) -> Plan {
		let who = self.anyone();
		let index = self.one_of(&self.view.spends).copied().unwrap_or_default();
		match self.random.below(16) {
			0..=2 => {
				let (amount, beneficiary) = (self.usual(), who.into());
				let call = Treasury::spend_local { amount, beneficiary };
				self.with_power(Power::BigSpender, call)
			}
			3 => {
				let proposal_id = self.random.below(8) as u32;
				self.with_power(Power::BigSpender, Treasury::remove_approval { proposal_id })
			}
			4..=8 => {
				let call = Treasury::spend {
					asset_kind: Box::new(()),
					amount: self.usual().min(10 * UNIT),
					beneficiary: Box::new(who),
					valid_from: None,
				};
				self.with_power(Power::SmallSpender, call)
			}
			9..=12 => Plan::by(who, Treasury::payout { index }),
			13..=14 => Plan::by(who, Treasury::check_status { index }),
			_ => self.with_power(Power::BigSpender, Treasury::void_spend { index }),
		}
	}

	fn scheduled(&mut self) -> Plan {
		let inner: RuntimeCall = match self.random.below(3) {
			0 => System::remark { remark: vec![2; 8] }.into(),
			1 => self.set_parameter(),
			_ => {
				let (source, dest) = (self.anyone().into(), self.anyone().into());
				let value = self.usual();
				pallet_balances::Call::<Runtime>::force_transfer { source, dest, value }.into()
			}
		};
		let call = Box::new(inner);
		let when = self.view.now + 1 + self.random.below(60) as u32;
		let (after, priority) = (self.random.below(60) as u32, self.random.below(255) as u8);
		let maybe_periodic = self.chance(6).then(|| (2 + after, 3));
		let id = [self.random.below(6) as u8; 32];
		let task = self.one_of(&self.view.tasks).cloned().unwrap_or((when, 0, Some(id)));
		let (place, named) = ((task.0, task.1), task.2.unwrap_or(id));
		match self.random.below(20) {
			0..=3 => self.as_root(Scheduler::schedule { when, maybe_periodic, priority, call }),
			4..=5 => {
				self.as_root(Scheduler::schedule_named { id, when, maybe_periodic, priority, call })
			}
			6..=7 => {
				self.as_root(Scheduler::schedule_after { after, maybe_periodic, priority, call })
			}
			8..=9 => self.as_root(Scheduler::schedule_named_after {
				id,
				after,
				maybe_periodic,
				priority,
				call,
			}),
			10..=11 => {
				let (when, index) = place;
				self.as_root(Scheduler::cancel { when, index })
			}
			12..=13 => self.as_root(Scheduler::cancel_named { id: named }),
			14 => self.as_root(Scheduler::set_retry { task: place, retries: 2, period: 3 }),
			15..=16 => {
				self.as_root(Scheduler::set_retry_named { id: named, retries: 2, period: 3 })
			}
			17 => self.as_root(Scheduler::cancel_retry { task: place }),
			_ => self.as_root(Scheduler::cancel_retry_named { id: named }),
		}
	}

	fn whitelisted(&mut self) -> Plan {
		let remark = vec![self.random.below(4) as u8; 9];
		let call: RuntimeCall = System::remark { remark }.into();
		let known = self.one_of(&self.view.whitelisted).copied();
		let hash = call_hash(&call);
		match self.random.below(12) {
			0..=4 => {
				self.with_power(Power::Emergency, Whitelist::whitelist_call { call_hash: hash })
			}
			5 => {
				let call_hash = known.unwrap_or(hash);
				let call = Whitelist::remove_whitelisted_call { call_hash };
				self.with_power(Power::Emergency, call)
			}
			6..=8 => {
				let call = Box::new(call);
				let call = Whitelist::dispatch_whitelisted_call_with_preimage { call };
				self.with_power(Power::WhitelistedCaller, call)
			}
			9..=10 => {
				let bytes = call.encode();
				let witness = Whitelist::dispatch_whitelisted_call {
					call_hash: hash,
					call_encoded_len: bytes.len() as u32,
					call_weight_witness: crate::configs::system::MAXIMUM_BLOCK_WEIGHT / 100,
				};
				self.world.preimages.push(bytes);
				self.with_power(Power::WhitelistedCaller, witness)
			}
			_ => {
				let call = Whitelist::remove_deferred_dispatch { call_hash: hash };
				Plan::by(self.anyone(), call)
			}
		}
	}
}
