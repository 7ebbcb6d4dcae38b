// SPDX-License-Identifier: Apache-2.0

//! The consensus chain: sponsors, contributions, and who shares in what they bring.

use super::{parameters::dynamic_params::lineage, tensornet::StorageDeposit};
use crate::{time::ERAS_PER_DAY, AccountId, Balances, Runtime, RuntimeHoldReason, Validators};
use frame_support::traits::{ConstU32, Contains};

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
	type Ratio = lineage::Ratio;
	type RequesterPart = lineage::RequesterPart;
	type RuntimeHoldReason = RuntimeHoldReason;
	type StakeFactor = lineage::StakeFactor;
	type WeightInfo = pallet_tensornet_consensus_chain::weights::SubstrateWeight<Runtime>;
}
