// SPDX-License-Identifier: Apache-2.0

//! Markets: other assets, pools in which they trade against TNA, and fees paid in them.
//!
//! None of these pallets can mint or burn TNA. Anybody may create an asset or a pool, for a deposit or
//! a fee; only root makes an asset on which alone an account may live.

use super::tensornet::Treasury;
use crate::{
	currency::{deposit, UNIT},
	AccountId, AssetConversion, Assets, Balance, Balances, PoolAssets, Runtime, RuntimeEvent,
};
use alloc::vec;
use frame_support::{
	instances::{Instance1, Instance2},
	ord_parameter_types, parameter_types,
	traits::{
		fungible::{Balanced, NativeFromLeft, NativeOrWithId, UnionOf},
		fungibles, AsEnsureOriginWithArg, ConstU128, ConstU32, OnUnbalanced,
	},
	PalletId,
};
use frame_system::{EnsureRoot, EnsureSigned, EnsureSignedBy};
use pallet_asset_conversion::{AccountIdConverter, WithFirstAsset};
use pallet_asset_conversion_tx_payment::SwapAssetAdapter;
use pallet_tensornet_tna::FeeHandler;
use sp_runtime::{traits::AccountIdConversion, Permill};

/// Number of an asset.
pub type AssetId = u32;
/// TNA or a numbered asset.
pub type AssetKind = NativeOrWithId<AssetId>;
/// TNA and all assets as one register.
pub type NativeAndAssets = UnionOf<Balances, Assets, NativeFromLeft, AssetKind, AccountId>;

parameter_types! {
	/// What the creator of an asset has at stake for as long as it exists.
	pub const AssetDeposit: Balance = 100 * UNIT;
	/// What an account pays that holds an asset on which it cannot live: one entry of 134 bytes.
	pub const AssetAccountDeposit: Balance = deposit(1, 134);
	pub const MetadataDepositBase: Balance = deposit(1, 68);
	pub const MetadataDepositPerByte: Balance = deposit(0, 1);
	pub const ApprovalDeposit: Balance = deposit(1, 120);
}

impl pallet_assets::Config<Instance1> for Runtime {
	type ApprovalDeposit = ApprovalDeposit;
	type AssetAccountDeposit = AssetAccountDeposit;
	type AssetDeposit = AssetDeposit;
	type AssetId = AssetId;
	type AssetIdAllocator = ();
	type AssetIdParameter = codec::Compact<AssetId>;
	type Balance = Balance;
	#[cfg(feature = "runtime-benchmarks")]
	type BenchmarkHelper = ();
	type CallbackHandle = ();
	type CreateOrigin = AsEnsureOriginWithArg<EnsureSigned<AccountId>>;
	type Currency = Balances;
	type Extra = ();
	type ForceOrigin = EnsureRoot<AccountId>;
	type Freezer = ();
	type Holder = ();
	type MetadataDepositBase = MetadataDepositBase;
	type MetadataDepositPerByte = MetadataDepositPerByte;
	type RemoveItemsLimit = ConstU32<1_000>;
	type ReserveData = ();
	type RuntimeEvent = RuntimeEvent;
	type StringLimit = ConstU32<50>;
	type WeightInfo = pallet_assets::weights::SubstrateWeight<Runtime>;
}

parameter_types! {
	pub const MarketsId: PalletId = PalletId(*b"tn/mrkts");
	pub const Native: AssetKind = NativeOrWithId::Native;
	/// Of every swap, to the owners of the pool's liquidity.
	pub const SwapFee: Permill = Permill::from_parts(3_000);
	pub const MaxSwapFee: Permill = Permill::from_percent(10);
	pub const NoWithdrawalFee: Permill = Permill::zero();
	/// To the treasury, for opening a pool.
	pub const PoolSetupFee: Balance = 100 * UNIT;
}

ord_parameter_types! {
	pub const MarketsAccount: AccountId =
		AccountIdConversion::<AccountId>::into_account_truncating(&MarketsId::get());
}

/// Shares in the liquidity of pools. Only pools create them, so they cost no deposits.
impl pallet_assets::Config<Instance2> for Runtime {
	type ApprovalDeposit = ApprovalDeposit;
	type AssetAccountDeposit = ConstU128<0>;
	type AssetDeposit = ConstU128<0>;
	type AssetId = AssetId;
	type AssetIdAllocator = ();
	type AssetIdParameter = codec::Compact<AssetId>;
	type Balance = Balance;
	#[cfg(feature = "runtime-benchmarks")]
	type BenchmarkHelper = ();
	type CallbackHandle = ();
	type CreateOrigin = AsEnsureOriginWithArg<EnsureSignedBy<MarketsAccount, AccountId>>;
	type Currency = Balances;
	type Extra = ();
	type ForceOrigin = EnsureRoot<AccountId>;
	type Freezer = ();
	type Holder = ();
	type MetadataDepositBase = ConstU128<0>;
	type MetadataDepositPerByte = ConstU128<0>;
	type RemoveItemsLimit = ConstU32<1_000>;
	type ReserveData = ();
	type RuntimeEvent = RuntimeEvent;
	type StringLimit = ConstU32<50>;
	type WeightInfo = pallet_assets::weights::SubstrateWeight<Runtime>;
}

/// TNA from the register of all assets, as `pallet-balances` handles it. Both count the same issuance:
/// what goes out of existence here comes into existence there.
fn as_tna(
	credit: fungibles::Credit<AccountId, NativeAndAssets>,
) -> frame_support::traits::fungible::Credit<AccountId, Balances> {
	let amount = credit.peek();
	drop(credit);
	<Balances as Balanced<AccountId>>::issue(amount)
}

/// The fee of opening a pool goes to the treasury; what it cannot receive is burned and in the ledger.
pub struct SetupFeeToTreasury;

impl OnUnbalanced<fungibles::Credit<AccountId, NativeAndAssets>> for SetupFeeToTreasury {
	fn on_nonzero_unbalanced(fee: fungibles::Credit<AccountId, NativeAndAssets>) {
		use frame_support::traits::Get;
		if let Err(refused) = Balances::resolve(&Treasury::get(), as_tna(fee)) {
			FeeHandler::<Runtime>::on_unbalanced(refused);
		}
	}
}

impl pallet_asset_conversion::Config for Runtime {
	type AdminOrigin = EnsureRoot<AccountId>;
	type AssetKind = AssetKind;
	type Assets = NativeAndAssets;
	type Balance = Balance;
	#[cfg(feature = "runtime-benchmarks")]
	type BenchmarkHelper = pallet_asset_conversion::NativeOrWithIdFactory<AssetId>;
	type HigherPrecisionBalance = sp_core::U256;
	type LPFee = SwapFee;
	type LiquidityWithdrawalFee = NoWithdrawalFee;
	type MaxSwapFee = MaxSwapFee;
	type MaxSwapPathLength = ConstU32<3>;
	// Of the shares in each pool, what stays in it for good.
	type MintMinLiquidity = ConstU128<100>;
	type PalletId = MarketsId;
	type PoolAssetId = AssetId;
	type PoolAssets = PoolAssets;
	type PoolId = (AssetKind, AssetKind);
	// Every pool has TNA on one side.
	type PoolLocator =
		WithFirstAsset<Native, AccountId, AssetKind, AccountIdConverter<MarketsId, Self::PoolId>>;
	type PoolSetupFee = PoolSetupFee;
	type PoolSetupFeeAsset = Native;
	type PoolSetupFeeTarget = SetupFeeToTreasury;
	type RuntimeEvent = RuntimeEvent;
	type WeightInfo = pallet_asset_conversion::weights::SubstrateWeight<Runtime>;
}

/// Shares a fee that was swapped into TNA as one that was paid in TNA.
pub struct SwappedFee;

impl OnUnbalanced<fungibles::Credit<AccountId, NativeAndAssets>> for SwappedFee {
	fn on_nonzero_unbalanced(fee: fungibles::Credit<AccountId, NativeAndAssets>) {
		FeeHandler::<Runtime>::on_unbalanced(as_tna(fee));
	}
}

impl pallet_asset_conversion_tx_payment::Config for Runtime {
	type AssetId = AssetKind;
	#[cfg(feature = "runtime-benchmarks")]
	type BenchmarkHelper = crate::benchmarks::AssetFees;
	type OnChargeAssetTransaction =
		SwapAssetAdapter<Native, NativeAndAssets, AssetConversion, SwappedFee>;
	type RuntimeEvent = RuntimeEvent;
	type WeightInfo = crate::weights::extensions::Payment<Runtime>;
}
