// SPDX-License-Identifier: Apache-2.0

//! Funds and what their owners let others do with them: transfers, vesting, proxies.

use super::{Ideas, Plan};
use crate::{configs::utility::ProxyType, currency::UNIT, AccountId, Runtime};
use frame_support::BoundedVec;
use pallet_vesting::VestingInfo;
use sp_runtime::traits::{BlakeTwo256, Hash as _};

type Balances = pallet_balances::Call<Runtime>;
type Vesting = pallet_vesting::Call<Runtime>;
type Proxy = pallet_proxy::Call<Runtime>;
type System = frame_system::Call<Runtime>;

impl Ideas<'_> {
	/// A transfer, or a call about the funds of an account.
	pub(super) fn balances(&mut self) -> Plan {
		let who = self.anyone();
		let value = self.amount_of(&who);
		let dest = self.somebody().into();
		match self.random.below(24) {
			0..=5 => Plan::by(who, Balances::transfer_allow_death { dest, value }),
			6..=10 => Plan::by(who, Balances::transfer_keep_alive { dest, value }),
			11 => Plan::by(who, Balances::transfer_all { dest, keep_alive: self.chance(2) }),
			// The rich give to the poor, or a long run ends with fees that nobody can pay.
			12..=18 => self.share_out(),
			19 => {
				let who = vec![self.anyone(), self.somebody()];
				Plan::by(self.anyone(), Balances::upgrade_accounts { who })
			}
			20 => Plan::by(who, Balances::burn { value, keep_alive: self.chance(2) }),
			21 => {
				let target = self.anyone().into();
				Plan::by(who, Balances::force_set_balance { who: target, new_free: value })
			}
			22 => {
				let target = self.anyone().into();
				Plan::by(who, Balances::force_unreserve { who: target, amount: value })
			}
			_ => Plan::by(who, System::remark_with_event { remark: vec![0; 32] }),
		}
	}

	fn share_out(&mut self) -> Plan {
		let free = |who: &AccountId| crate::Balances::free_balance(who);
		let people = &self.world.people;
		let rich = people.iter().max_by_key(|who| free(who)).cloned();
		let rich = rich.unwrap_or_else(|| self.world.root.clone());
		let poor = match self.random.below(4) {
			0 => Some(self.world.root.clone()),
			1 => self.world.people.iter().take(12).min_by_key(|who| free(who)).cloned(),
			_ => Some(self.anyone()),
		};
		let value = free(&rich) / 4;
		let call = Balances::force_transfer {
			source: rich.clone().into(),
			dest: poor.unwrap_or(rich).into(),
			value,
		};
		self.as_root(call)
	}

	/// A call about funds that vest.
	pub(super) fn vesting(&mut self) -> Plan {
		let vests = self.one_of(&self.view.vesting).cloned();
		let target = vests.unwrap_or_else(|| self.anyone());
		let locked = if self.chance(8) { self.usual() } else { self.usual().max(UNIT) };
		let per_block = (locked / u128::from(1 + self.random.below(5_000))).max(1);
		let schedule = VestingInfo::new(locked, per_block, self.soon());
		let (first, second) = (self.random.below(3) as u32, self.random.below(3) as u32);
		match self.random.below(16) {
			0..=3 => Plan::by(target, Vesting::vest {}),
			4..=5 => Plan::by(self.anyone(), Vesting::vest_other { target: target.into() }),
			6..=9 => {
				let target = self.anyone().into();
				Plan::by(self.anyone(), Vesting::vested_transfer { target, schedule })
			}
			10..=11 => {
				let (source, target) = (self.anyone().into(), target.into());
				self.as_root(Vesting::force_vested_transfer { source, target, schedule })
			}
			12..=14 => {
				let call =
					Vesting::merge_schedules { schedule1_index: first, schedule2_index: second };
				Plan::by(target, call)
			}
			_ => self.as_root(Vesting::force_remove_vesting_schedule {
				target: target.into(),
				schedule_index: first,
			}),
		}
	}

	fn proxy_type(&mut self) -> ProxyType {
		*self.random.pick(&[
			ProxyType::Any,
			ProxyType::NonTransfer,
			ProxyType::CancelProxy,
			ProxyType::SessionKeys,
			ProxyType::NodeManagement,
		])
	}

	/// A call about who may act for whom.
	pub(super) fn proxies(&mut self) -> Plan {
		let existing = self.one_of(&self.view.proxies).cloned();
		let Some((real, delegate, proxy_type, delay)) = existing else { return self.add_proxy() };
		match self.random.below(40) {
			0..=4 => self.add_proxy(),
			5 => {
				let delegate = delegate.into();
				Plan::by(real, Proxy::remove_proxy { delegate, proxy_type, delay })
			}
			6 => Plan::by(real, Proxy::remove_proxies {}),
			7 => Plan::by(real, Proxy::poke_deposit {}),
			8..=10 => {
				let (proxy_type, index) = (self.proxy_type(), self.random.below(4) as u16);
				Plan::by(self.anyone(), Proxy::create_pure { proxy_type, delay: 0, index })
			}
			11 => self.kill_pure(),
			12..=17 => self.announce(),
			18..=27 => self.announced(),
			_ => {
				let inner = self.plain_of(&real);
				let call = Proxy::proxy {
					real: real.into(),
					force_proxy_type: self.chance(8).then(|| self.proxy_type()),
					call: Box::new(inner),
				};
				Plan::by(delegate, call)
			}
		}
	}

	/// A call that suits an account, whoever signs it in the end.
	fn plain_of(&mut self, who: &AccountId) -> crate::RuntimeCall {
		match self.random.below(4) {
			0 => {
				let dest = self.anyone().into();
				let value = self.usual();
				Balances::transfer_keep_alive { dest, value }.into()
			}
			1 => {
				let online = self.chance(2);
				pallet_tensornet_staking::Call::<Runtime>::set_online { online }.into()
			}
			2 => System::remark_with_event { remark: who.to_string().into_bytes() }.into(),
			_ => self.compute_staking().call,
		}
	}

	fn add_proxy(&mut self) -> Plan {
		let delegate = self.anyone().into();
		let (proxy_type, delay) = (self.proxy_type(), 3 * self.random.below(2) as u32);
		Plan::by(self.anyone(), Proxy::add_proxy { delegate, proxy_type, delay })
	}

	fn kill_pure(&mut self) -> Plan {
		let known = self.one_of(&self.world.pure.clone()).cloned();
		let Some((pure, spawner, proxy_type, index, height, ext_index)) = known else {
			return self.add_proxy();
		};
		let spawned = spawner.clone().into();
		let kill = Proxy::kill_pure { spawner: spawned, proxy_type, index, height, ext_index };
		let call =
			Proxy::proxy { real: pure.into(), force_proxy_type: None, call: Box::new(kill.into()) };
		Plan::by(spawner, call)
	}

	fn announce(&mut self) -> Plan {
		let all = &self.view.proxies;
		let slow: Vec<_> = all.iter().filter(|(_, _, _, delay)| *delay > 0).collect();
		let Some((real, delegate, _, _)) = self.one_of(&slow).copied().cloned() else {
			return self.add_proxy();
		};
		let call = self.plain_of(&real);
		let call_hash = BlakeTwo256::hash_of(&call);
		self.world.announced.push((real.clone(), delegate.clone(), call));
		Plan::by(delegate, Proxy::announce { real: real.into(), call_hash })
	}

	fn announced(&mut self) -> Plan {
		if self.world.announced.is_empty() {
			return self.announce();
		}
		let place = self.random.below(self.world.announced.len() as u64) as usize;
		let (real, delegate, call) = self.world.announced.swap_remove(place);
		let call_hash = BlakeTwo256::hash_of(&call);
		let (real_name, delegate_name) = (real.clone().into(), delegate.clone().into());
		match self.random.below(8) {
			0 => Plan::by(delegate, Proxy::remove_announcement { real: real_name, call_hash }),
			1 => {
				let call = Proxy::reject_announcement { delegate: delegate_name, call_hash };
				Plan::by(real, call)
			}
			2..=4 => {
				let call = Proxy::proxy_announced {
					delegate: delegate_name,
					real: real_name,
					force_proxy_type: None,
					call: Box::new(call),
				};
				Plan::by(self.anyone(), call)
			}
			_ => {
				self.world.announced.push((real, delegate, call));
				self.plain()
			}
		}
	}

	/// A call's or pallet's name as pausing knows it.
	pub(super) fn name(&mut self, name: &str) -> BoundedVec<u8, sp_core::ConstU32<256>> {
		BoundedVec::truncate_from(name.as_bytes().to_vec())
	}
}
