// SPDX-License-Identifier: Apache-2.0

//! Other assets, and pools in which they trade.

use super::{Ideas, Plan};
use crate::{
	configs::markets::AssetKind, genesis_config_presets::market_maker, AccountId, Balance, Runtime,
};
use frame_support::instances::{Instance1, Instance2};
use sp_runtime::Permill;

type Assets = pallet_assets::Call<Runtime, Instance1>;
type Shares = pallet_assets::Call<Runtime, Instance2>;
type Pools = pallet_asset_conversion::Call<Runtime>;

impl Ideas<'_> {
	fn units(&mut self) -> Balance {
		match self.random.below(8) {
			0 => 0,
			1 => Balance::MAX,
			_ => 10u128.pow(self.random.below(12) as u32) * u128::from(1 + self.random.below(9)),
		}
	}

	fn holder(&mut self) -> (u32, AccountId) {
		match self.one_of(&self.view.holders).cloned() {
			Some(holder) => holder,
			None => (self.asset_id(), self.anyone()),
		}
	}

	/// A call about an asset.
	pub(super) fn assets(&mut self) -> Plan {
		let (number, asset) = match self.one_of(&self.view.assets) {
			Some((number, asset)) if !self.chance(12) => (*number, asset.clone()),
			_ => return self.create_asset(),
		};
		let id = codec::Compact(number);
		let (holder_of, holder) = self.holder();
		let held = codec::Compact(holder_of);
		let amount = self.units();
		let target: crate::Address = self.anyone().into();
		match self.random.below(64) {
			0..=9 => Plan::by(asset.issuer, Assets::mint { id, beneficiary: target, amount }),
			10..=12 => Plan::by(asset.admin, Assets::burn { id, who: holder.into(), amount }),
			13..=20 => Plan::by(holder, Assets::transfer { id: held, target, amount }),
			21..=22 => Plan::by(holder, Assets::transfer_keep_alive { id: held, target, amount }),
			23 => {
				let call =
					Assets::force_transfer { id, source: holder.into(), dest: target, amount };
				Plan::by(asset.admin, call)
			}
			24 => Plan::by(asset.freezer, Assets::freeze { id, who: holder.into() }),
			25..=26 => Plan::by(asset.admin, Assets::thaw { id, who: holder.into() }),
			27 => Plan::by(asset.freezer, Assets::freeze_asset { id }),
			28..=29 => Plan::by(asset.admin, Assets::thaw_asset { id }),
			30 => Plan::by(asset.owner, Assets::transfer_ownership { id, owner: target }),
			31 => {
				let (issuer, admin, freezer) = (target.clone(), target.clone(), target);
				Plan::by(asset.owner, Assets::set_team { id, issuer, admin, freezer })
			}
			32..=33 => {
				let name = vec![b'n'; 1 + self.random.below(52) as usize];
				let call = Assets::set_metadata { id, name, symbol: b"SYM".to_vec(), decimals: 6 };
				Plan::by(asset.owner, call)
			}
			34 => Plan::by(asset.owner, Assets::clear_metadata { id }),
			35 => self.as_root(Assets::force_set_metadata {
				id,
				name: b"forced".to_vec(),
				symbol: b"F".to_vec(),
				decimals: 3,
				is_frozen: false,
			}),
			36 => self.as_root(Assets::force_clear_metadata { id }),
			37 => {
				// The owner as of now: a new one would not get the old one's deposit.
				let now = pallet_assets::Asset::<Runtime, Instance1>::get(number);
				let owner = now.map_or(asset.owner, |now| now.owner);
				let call = Assets::force_asset_status {
					id,
					owner: owner.into(),
					issuer: asset.issuer.into(),
					admin: asset.admin.into(),
					freezer: target,
					min_balance: asset.min_balance,
					is_sufficient: asset.is_sufficient,
					is_frozen: false,
				};
				self.as_root(call)
			}
			38..=41 => {
				Plan::by(holder, Assets::approve_transfer { id: held, delegate: target, amount })
			}
			42..=46 => self.approved(target, amount),
			47..=49 => Plan::by(self.anyone(), Assets::touch { id }),
			50..=51 => {
				let allow_burn = self.chance(2);
				Plan::by(holder, Assets::refund { id: held, allow_burn })
			}
			52 => Plan::by(asset.owner, Assets::set_min_balance { id, min_balance: amount }),
			53..=54 => Plan::by(asset.admin, Assets::touch_other { id, who: target }),
			55 => Plan::by(asset.admin, Assets::refund_other { id: held, who: holder.into() }),
			56 => Plan::by(asset.freezer, Assets::block { id, who: holder.into() }),
			57..=58 => {
				let keep_alive = self.chance(2);
				Plan::by(holder, Assets::transfer_all { id: held, dest: target, keep_alive })
			}
			59 => {
				let reserves = Default::default();
				Plan::by(asset.owner, Assets::set_reserves { id, reserves })
			}
			_ => self.destroy(number, asset.owner),
		}
	}

	fn create_asset(&mut self) -> Plan {
		let id = codec::Compact(self.asset_id());
		let (who, admin) = (self.anyone(), self.anyone().into());
		let min_balance = self.units().min(1_000_000);
		if self.chance(4) {
			let owner = who.into();
			let is_sufficient = self.chance(2);
			return self.as_root(Assets::force_create { id, owner, is_sufficient, min_balance });
		}
		Plan::by(who, Assets::create { id, admin, min_balance })
	}

	fn approved(&mut self, target: crate::Address, amount: Balance) -> Plan {
		let Some((number, owner, delegate)) = self.one_of(&self.view.approvals).cloned() else {
			return self.create_asset();
		};
		let id = codec::Compact(number);
		let (owner_name, delegate_name) = (owner.clone().into(), delegate.clone().into());
		match self.random.below(6) {
			0 => Plan::by(owner, Assets::cancel_approval { id, delegate: delegate_name }),
			1 => self.as_root(Assets::force_cancel_approval {
				id,
				owner: owner_name,
				delegate: delegate_name,
			}),
			_ => {
				let call = Assets::transfer_approved {
					id,
					owner: owner_name,
					destination: target,
					amount,
				};
				Plan::by(delegate, call)
			}
		}
	}

	/// Ends an asset step by step. That of the first pool stays, most of the time.
	fn destroy(&mut self, number: u32, owner: AccountId) -> Plan {
		let id = codec::Compact(number);
		let who = if owner == market_maker() && !self.chance(64) { self.anyone() } else { owner };
		match self.random.below(5) {
			0 => Plan::by(who, Assets::start_destroy { id }),
			1 => Plan::by(who, Assets::destroy_accounts { id }),
			2 => Plan::by(who, Assets::destroy_approvals { id }),
			_ => Plan::by(who, Assets::finish_destroy { id }),
		}
	}

	/// A call about a pool.
	pub(super) fn pools(&mut self) -> Plan {
		let who = if self.chance(3) { market_maker() } else { self.anyone() };
		let other = AssetKind::WithId(if self.chance(3) { self.asset_id() } else { 1 });
		let (asset1, asset2) = (Box::new(AssetKind::Native), Box::new(other.clone()));
		let (tna, units) = (self.usual(), self.units());
		let path = |forth: bool| match forth {
			true => vec![asset1.clone(), asset2.clone()],
			false => vec![asset2.clone(), asset1.clone()],
		};
		match self.random.below(24) {
			0 => Plan::by(who, Pools::create_pool { asset1, asset2 }),
			1..=5 => {
				let call = Pools::add_liquidity {
					asset1,
					asset2,
					amount1_desired: tna,
					amount2_desired: units,
					amount1_min: 0,
					amount2_min: 0,
					mint_to: who.clone(),
				};
				Plan::by(who, call)
			}
			6..=8 => {
				let call = Pools::remove_liquidity {
					asset1,
					asset2,
					lp_token_burn: units.min(1_000_000_000_000),
					amount1_min_receive: 0,
					amount2_min_receive: 0,
					withdraw_to: who.clone(),
				};
				Plan::by(who, call)
			}
			9 => {
				let id = codec::Compact(self.random.below(4) as u32);
				let target = self.anyone().into();
				let amount = units.min(1_000_000_000);
				Plan::by(who, Shares::transfer { id, target, amount })
			}
			10..=15 => {
				let forth = !self.chance(3);
				let call = Pools::swap_exact_tokens_for_tokens {
					path: path(forth),
					amount_in: if forth { tna } else { units },
					amount_out_min: 1,
					send_to: self.anyone(),
					keep_alive: self.chance(2),
				};
				Plan::by(who, call)
			}
			16..=20 => {
				let forth = !self.chance(3);
				let call = Pools::swap_tokens_for_exact_tokens {
					path: path(forth),
					amount_out: if forth { units } else { tna },
					amount_in_max: Balance::MAX,
					send_to: self.anyone(),
					keep_alive: self.chance(2),
				};
				Plan::by(who, call)
			}
			21 => Plan::by(who, Pools::touch { asset1, asset2 }),
			22 => {
				let fee = Permill::from_parts(self.random.below(150_000) as u32);
				let creator = self.anyone();
				self.as_root(Pools::create_pool_with_fee { creator, asset1, asset2, fee })
			}
			_ => {
				let fee = Permill::from_parts(self.random.below(150_000) as u32);
				let pool_id = (AssetKind::Native, other);
				self.as_root(Pools::set_pool_fee { pool_id, fee })
			}
		}
	}
}
