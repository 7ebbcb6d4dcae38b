// SPDX-License-Identifier: Apache-2.0

//! TNA: balances, and what a transaction costs.

use super::parameters::dynamic_params::fees;
use crate::{
	currency::EXISTENTIAL_DEPOSIT, Balance, Balances, Runtime, RuntimeEvent, RuntimeFreezeReason,
	RuntimeHoldReason, System,
};
use frame_support::{
	parameter_types,
	traits::{ConstU128, ConstU32, ConstU8, Get, VariantCountOf},
	weights::{constants::WEIGHT_REF_TIME_PER_MILLIS, Weight, WeightToFee},
};
use pallet_transaction_payment::{FungibleAdapter, Multiplier, TargetedFeeAdjustment};
use sp_runtime::{traits::Bounded, FixedPointNumber, Perquintill};

impl pallet_balances::Config for Runtime {
	type AccountStore = System;
	type Balance = Balance;
	type DoneSlashHandler = ();
	type DustRemoval = pallet_tensornet_tna::DustToLedger<Runtime>;
	type ExistentialDeposit = ConstU128<EXISTENTIAL_DEPOSIT>;
	type FreezeIdentifier = RuntimeFreezeReason;
	type MaxFreezes = VariantCountOf<RuntimeFreezeReason>;
	type MaxLocks = ConstU32<50>;
	type MaxReserves = ConstU32<50>;
	type ReserveIdentifier = [u8; 8];
	type RuntimeEvent = RuntimeEvent;
	type RuntimeFreezeReason = RuntimeFreezeReason;
	type RuntimeHoldReason = RuntimeHoldReason;
	type WeightInfo = pallet_balances::weights::SubstrateWeight<Runtime>;
}

parameter_types! {
	/// Fees rise while blocks are fuller than this and fall while they are emptier.
	pub const TargetBlockFullness: Perquintill = Perquintill::from_percent(25);
	/// How fast: at most 30 % a day when full.
	pub AdjustmentVariable: Multiplier = Multiplier::saturating_from_rational(75, 1_000_000);
	/// An empty chain still asks for a tenth of the price.
	pub MinimumMultiplier: Multiplier = Multiplier::saturating_from_rational(1, 10);
	pub MaximumMultiplier: Multiplier = Bounded::max_value();
}

impl pallet_transaction_payment::Config for Runtime {
	type FeeMultiplierUpdate = TargetedFeeAdjustment<
		Self,
		TargetBlockFullness,
		AdjustmentVariable,
		MinimumMultiplier,
		MaximumMultiplier,
	>;
	type LengthToFee = ByteFee;
	type OnChargeTransaction = FungibleAdapter<Balances, pallet_tensornet_tna::FeeHandler<Runtime>>;
	type OperationalFeeMultiplier = ConstU8<5>;
	type RuntimeEvent = RuntimeEvent;
	type WeightInfo = pallet_transaction_payment::weights::SubstrateWeight<Runtime>;
	type WeightToFee = ExecutionFee;
}

/// The price of execution: the governed price of a millisecond, in proportion.
pub struct ExecutionFee;

impl WeightToFee for ExecutionFee {
	type Balance = Balance;

	fn weight_to_fee(weight: &Weight) -> Balance {
		let price: Balance = fees::ExecutionMillisecond::get();
		Balance::from(weight.ref_time()).saturating_mul(price)
			/ Balance::from(WEIGHT_REF_TIME_PER_MILLIS)
	}
}

/// The price of a transaction's bytes. The pallet passes the length as a weight.
pub struct ByteFee;

impl WeightToFee for ByteFee {
	type Balance = Balance;

	fn weight_to_fee(length: &Weight) -> Balance {
		let price: Balance = fees::Byte::get();
		Balance::from(length.ref_time()).saturating_mul(price)
	}
}
