// SPDX-License-Identifier: Apache-2.0

//! The consensus chain: sponsors, contributions, and who shares in what they bring.

use super::{parameters::dynamic_params::lineage, tensornet::StorageDeposit};
use crate::{time::ERAS_PER_DAY, AccountId, Balances, Runtime, RuntimeHoldReason, Tna, Validators};
use frame_support::{
	parameter_types,
	traits::{ConstU32, Contains},
	PalletId,
};

parameter_types! {
	/// The account in which shares wait for ancestors is derived from this.
	pub const LineagePot: PalletId = PalletId(*b"tn/linea");
}

/// The accounts on the sanctions list.
pub struct Sanctioned;

impl Contains<AccountId> for Sanctioned {
	fn contains(who: &AccountId) -> bool {
		pallet_tensornet_compliance::Sanctions::<Runtime>::contains_key(who)
	}
}

impl pallet_tensornet_consensus_chain::Config for Runtime {
	type ActiveWeight = lineage::ActiveWeight;
	type Barred = Sanctioned;
	type Currency = Balances;
	type Deposit = StorageDeposit;
	type Eras = Validators;
	// A month.
	type HalfLife = ConstU32<{ 30 * ERAS_PER_DAY }>;
	type NodePart = lineage::NodePart;
	type PotId = LineagePot;
	type Ratio = lineage::Ratio;
	type RequesterPart = lineage::RequesterPart;
	type RuntimeHoldReason = RuntimeHoldReason;
	type StakeFactor = lineage::StakeFactor;
	type Token = Tna;
	type WeightInfo = pallet_tensornet_consensus_chain::weights::SubstrateWeight<Runtime>;
}
