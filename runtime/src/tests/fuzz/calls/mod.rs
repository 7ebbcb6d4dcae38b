// SPDX-License-Identifier: Apache-2.0

//! Ideas for transactions: who calls what with which arguments. Most take their arguments from the live
//! state, so that they may well succeed; some are wrong on purpose, and some are noise.

mod accounts;
mod compute;
mod markets;
mod rule;
mod stake;
mod wrapped;

use super::world::{power, View, World};
use crate::{
	configs::markets::AssetKind,
	currency::{EXISTENTIAL_DEPOSIT, MILLI, UNIT},
	AccountId, Balance, Balances, BlockNumber, OriginCaller, Runtime, RuntimeCall,
};
use codec::DecodeLimit;
use frame_system::RawOrigin;
use pallet_tensornet_governance::Origin as Power;
use tensornet_tensor::arbitrary::Random;

/// A transaction: who signs it, if anybody, and what its fee is paid in.
pub struct Plan {
	/// Who signs.
	pub signer: Option<AccountId>,
	/// The call.
	pub call: RuntimeCall,
	/// The asset that pays the fee; TNA if none.
	pub asset: Option<AssetKind>,
}

impl Plan {
	/// A call of an account.
	pub fn by(signer: AccountId, call: impl Into<RuntimeCall>) -> Self {
		Self { signer: Some(signer), call: call.into(), asset: None }
	}
}

/// What ideas are made of.
pub struct Ideas<'a> {
	/// Every choice comes from here.
	pub random: &'a mut Random,
	/// Who there is.
	pub world: &'a mut World,
	/// What there is.
	pub view: &'a View,
}

impl Ideas<'_> {
	/// The next transaction.
	pub fn next(&mut self) -> Plan {
		if self.view.safe_mode && self.chance(20) {
			let call = pallet_safe_mode::Call::<Runtime>::force_exit {};
			return self.with_power(Power::Emergency, call);
		}
		let mut plan = self.plain();
		if self.chance(16) {
			plan = self.wrap(plan);
		}
		if self.chance(64) {
			plan.signer = Some(self.anyone());
		}
		if self.chance(256) {
			plan.signer = None;
		}
		if self.chance(32) {
			plan.asset = Some(AssetKind::WithId(self.asset_id()));
		}
		plan
	}

	/// A transaction that is not wrapped into another.
	fn plain(&mut self) -> Plan {
		match self.random.below(100) {
			0..=27 => self.proof_of_compute(),
			28..=33 => self.escrow(),
			34..=51 => self.compute_staking(),
			52..=56 => self.validators(),
			57..=60 => self.compliance(),
			61..=64 => self.consensus_chain(),
			65..=69 => self.balances(),
			70..=72 => self.vesting(),
			73..=78 => self.assets(),
			79..=81 => self.pools(),
			82..=86 => self.referenda(),
			87..=90 => self.parameters(),
			91..=92 => self.powers(),
			93..=94 => self.proxies(),
			95..=96 => self.joint(),
			97 => self.sessions(),
			_ => self.noise(),
		}
	}

	/// Bytes that happen to be a call, from anybody.
	fn noise(&mut self) -> Plan {
		for _ in 0..32 {
			let pallet = self.random.below(64) as u8;
			let call = self.random.below(34) as u8;
			let mut bytes = vec![pallet, call];
			let alike = self.random.once_in(2);
			for _ in 0..self.random.below(160) {
				bytes.push(if alike { 0 } else { self.random.draw() as u8 });
			}
			if alike {
				bytes.resize(bytes.len() + 96, 0);
			}
			if let Ok(call) = RuntimeCall::decode_with_depth_limit(32, &mut &bytes[..]) {
				return Plan::by(self.anyone(), call);
			}
		}
		let remark = self.random.draw().to_le_bytes().to_vec();
		Plan::by(self.anyone(), frame_system::Call::<Runtime>::remark_with_event { remark })
	}

	/// True once in `n` times.
	fn chance(&mut self, n: u64) -> bool {
		self.random.once_in(n)
	}

	/// Anybody, most often one of those that began with funds.
	fn anyone(&mut self) -> AccountId {
		let all = self.world.people.len() as u64;
		let few = if self.chance(4) { all } else { 12 };
		self.world.people[self.random.below(few) as usize].clone()
	}

	/// Anybody, or an account that nobody has heard of.
	fn somebody(&mut self) -> AccountId {
		if self.chance(64) {
			return AccountId::new([self.random.draw() as u8; 32]);
		}
		self.anyone()
	}

	/// One of `all`, if there is any.
	fn one_of<'b, T>(&mut self, all: &'b [T]) -> Option<&'b T> {
		if all.is_empty() {
			None
		} else {
			Some(self.random.pick(all))
		}
	}

	/// An amount around what `who` has: all, nothing, the edges, and what is usual.
	fn amount_of(&mut self, who: &AccountId) -> Balance {
		let free = Balances::free_balance(who);
		match self.random.below(24) {
			0 => 0,
			1 => 1,
			2 => EXISTENTIAL_DEPOSIT - 1,
			3 => EXISTENTIAL_DEPOSIT,
			4 => free,
			5 => free.saturating_sub(EXISTENTIAL_DEPOSIT),
			6 => free.saturating_add(1),
			7 => Balance::MAX,
			8..=10 => free / 100,
			_ => self.usual(),
		}
	}

	/// From a thousandth of a TNA to some thousands.
	fn usual(&mut self) -> Balance {
		let power = self.random.below(7) as u32;
		MILLI * 10u128.pow(power) * u128::from(1 + self.random.below(9))
	}

	/// A bond: thousands of TNA.
	fn bond(&mut self) -> Balance {
		match self.random.below(12) {
			0 => self.usual(),
			1 => Balance::MAX,
			_ => UNIT * u128::from(500 + self.random.below(20_000)),
		}
	}

	/// A block that is not far.
	fn soon(&mut self) -> BlockNumber {
		self.view.now + self.random.below(200) as BlockNumber
	}

	/// A part of a whole, often none or all.
	fn part(&mut self) -> sp_runtime::Permill {
		match self.random.below(4) {
			0 => sp_runtime::Permill::zero(),
			1 => sp_runtime::Permill::one(),
			_ => sp_runtime::Permill::from_parts(self.random.below(300_000) as u32),
		}
	}

	/// Root's call.
	fn as_root(&mut self, call: impl Into<RuntimeCall>) -> Plan {
		let call: RuntimeCall = call.into();
		if self.chance(24) {
			return Plan::by(self.anyone(), call);
		}
		let call = pallet_sudo::Call::<Runtime>::sudo { call: Box::new(call) };
		Plan::by(self.world.root.clone(), call)
	}

	/// A call with the power of a track; with root's, and now and then with one that does not serve.
	fn with_power(&mut self, wanted: Power, call: impl Into<RuntimeCall>) -> Plan {
		let origin = match self.random.below(16) {
			0..=3 => return self.as_root(call),
			4 => self.any_power(),
			_ => power(wanted),
		};
		let call = pallet_utility::Call::<Runtime>::dispatch_as {
			as_origin: Box::new(origin),
			call: Box::new(call.into()),
		};
		self.as_root(call)
	}

	/// The origin of any track, or an account.
	fn any_power(&mut self) -> OriginCaller {
		let all = [
			Power::WhitelistedCaller,
			Power::ProtocolParameters,
			Power::SmallSpender,
			Power::BigSpender,
			Power::SlashAppeal,
			Power::Registrars,
			Power::Emergency,
		];
		match self.random.below(10) {
			0 => OriginCaller::system(RawOrigin::Root),
			1 => OriginCaller::system(RawOrigin::Signed(self.anyone())),
			_ => power(self.random.pick(&all).clone()),
		}
	}

	/// The number of an asset, existing or not.
	fn asset_id(&mut self) -> u32 {
		1 + self.random.below(6) as u32
	}
}
