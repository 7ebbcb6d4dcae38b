// SPDX-License-Identifier: Apache-2.0

//! Referenda, votes, the treasury, and the brakes.

use crate::{
	currency::{deposit, UNIT},
	governance::{
		bounds::Bounds,
		origins::{
			BigSpender, Emergency, ProtocolParameters, RootOr, SafeModeOrigin, Spender,
			WhitelistedCaller,
		},
		tracks::Tracks,
	},
	time::DAYS,
	AccountId, Balance, Balances, BlockNumber, OriginCaller, Preimage, Referenda, Runtime,
	RuntimeCall, RuntimeEvent, RuntimeHoldReason, Scheduler, System,
};
use frame_support::{
	parameter_types,
	traits::{
		fungible::HoldConsideration,
		tokens::{PayFromAccount, UnityAssetBalanceConversion},
		CallMetadata, ConstU32, Contains, EqualPrivilegeOnly, Get, GetCallMetadata,
		LinearStoragePrice,
	},
	weights::Weight,
	PalletId,
};
use frame_system::{EnsureRoot, EnsureSigned};
use sp_runtime::{traits::IdentityLookup, Perbill, Permill};

impl pallet_tensornet_governance::Config for Runtime {
	type Bounds = Bounds;
	type ParameterOrigin = RootOr<ProtocolParameters>;
}

parameter_types! {
	pub const PreimageDepositBase: Balance = deposit(2, 64);
	pub const PreimageDepositByte: Balance = deposit(0, 1);
	pub const PreimageHold: RuntimeHoldReason =
		RuntimeHoldReason::Preimage(pallet_preimage::HoldReason::Preimage);
}

impl pallet_preimage::Config for Runtime {
	type Consideration = HoldConsideration<
		AccountId,
		Balances,
		PreimageHold,
		LinearStoragePrice<PreimageDepositBase, PreimageDepositByte, Balance>,
	>;
	type Currency = Balances;
	type ManagerOrigin = EnsureRoot<AccountId>;
	type RuntimeEvent = RuntimeEvent;
	type WeightInfo = pallet_preimage::weights::SubstrateWeight<Runtime>;
}

parameter_types! {
	/// The agendas of the compute market come first; this is half of the block.
	pub MaximumSchedulerWeight: Weight =
		Perbill::from_percent(50) * crate::configs::system::MAXIMUM_BLOCK_WEIGHT;
}

impl pallet_scheduler::Config for Runtime {
	type BlockNumberProvider = System;
	type MaximumWeight = MaximumSchedulerWeight;
	type MaxScheduledPerBlock = ConstU32<50>;
	type OriginPrivilegeCmp = EqualPrivilegeOnly;
	type PalletsOrigin = OriginCaller;
	type Preimages = Preimage;
	type RuntimeCall = RuntimeCall;
	type RuntimeEvent = RuntimeEvent;
	type RuntimeOrigin = crate::RuntimeOrigin;
	type ScheduleOrigin = EnsureRoot<AccountId>;
	type WeightInfo = pallet_scheduler::weights::SubstrateWeight<Runtime>;
}

parameter_types! {
	pub const VoteLockingPeriod: BlockNumber = 7 * DAYS;
}

/// What is staked, escrowed or otherwise on hold votes too: the pallet counts total balances.
impl pallet_conviction_voting::Config for Runtime {
	type BlockNumberProvider = System;
	type Currency = Balances;
	type MaxTurnout = frame_support::traits::TotalIssuanceOf<Balances, AccountId>;
	type MaxVotes = ConstU32<512>;
	type Polls = Referenda;
	type RuntimeEvent = RuntimeEvent;
	type VoteLockingPeriod = VoteLockingPeriod;
	type VotingHooks = ();
	type WeightInfo = pallet_conviction_voting::weights::SubstrateWeight<Runtime>;
}

parameter_types! {
	pub const SubmissionDeposit: Balance = 100 * UNIT;
	pub const UndecidingTimeout: BlockNumber = 14 * DAYS;
	pub const AlarmInterval: BlockNumber = 1;
}

/// Deposits of referenda that were killed go to the treasury.
pub struct ToTreasury;

impl frame_support::traits::OnUnbalanced<pallet_balances::NegativeImbalance<Runtime>>
	for ToTreasury
{
	fn on_nonzero_unbalanced(amount: pallet_balances::NegativeImbalance<Runtime>) {
		use frame_support::traits::Currency;
		Balances::resolve_creating(&super::tensornet::Treasury::get(), amount);
	}
}

impl pallet_referenda::Config for Runtime {
	type AlarmInterval = AlarmInterval;
	type BlockNumberProvider = System;
	type CancelOrigin = RootOr<Emergency>;
	type Currency = Balances;
	type KillOrigin = RootOr<Emergency>;
	type MaxQueued = ConstU32<100>;
	type Preimages = Preimage;
	type RuntimeCall = RuntimeCall;
	type RuntimeEvent = RuntimeEvent;
	type Scheduler = Scheduler;
	type Slash = ToTreasury;
	type SubmissionDeposit = SubmissionDeposit;
	type SubmitOrigin = frame_support::traits::AsEnsureOriginWithArg<EnsureSigned<AccountId>>;
	type Tally = pallet_conviction_voting::TallyOf<Runtime>;
	type Tracks = Tracks;
	type UndecidingTimeout = UndecidingTimeout;
	type Votes = pallet_conviction_voting::VotesOf<Runtime>;
	type WeightInfo = pallet_referenda::weights::SubstrateWeight<Runtime>;
}

parameter_types! {
	pub const WhitelistExpiration: BlockNumber = 28 * DAYS;
}

impl pallet_whitelist::Config for Runtime {
	type BlockNumberProvider = System;
	type DeferredDispatchExpiration = WhitelistExpiration;
	type DispatchWhitelistedOrigin = RootOr<WhitelistedCaller>;
	type Preimages = Preimage;
	type RuntimeCall = RuntimeCall;
	type RuntimeEvent = RuntimeEvent;
	type WeightInfo = pallet_whitelist::weights::SubstrateWeight<Runtime>;
	type WhitelistOrigin = RootOr<Emergency>;
}

parameter_types! {
	pub const SpendPeriod: BlockNumber = 7 * DAYS;
	pub const PayoutPeriod: BlockNumber = 30 * DAYS;
	pub const NoBurn: Permill = Permill::zero();
	pub const TreasuryId: PalletId = super::tensornet::TREASURY;
	pub TreasuryAccount: AccountId = super::tensornet::Treasury::get();
}

impl pallet_treasury::Config for Runtime {
	type AssetKind = ();
	type BalanceConverter = UnityAssetBalanceConversion;
	type Beneficiary = AccountId;
	type BeneficiaryLookup = IdentityLookup<AccountId>;
	#[cfg(feature = "runtime-benchmarks")]
	type BenchmarkHelper = crate::benchmarks::TreasuryArguments;
	type BlockNumberProvider = System;
	// What the treasury does not spend it keeps.
	type Burn = NoBurn;
	type BurnDestination = ();
	type Currency = Balances;
	type MaxApprovals = ConstU32<100>;
	type PalletId = TreasuryId;
	type Paymaster = PayFromAccount<Balances, TreasuryAccount>;
	type PayoutPeriod = PayoutPeriod;
	type RejectOrigin = RootOr<BigSpender>;
	type RuntimeEvent = RuntimeEvent;
	type SpendFunds = ();
	type SpendOrigin = Spender;
	type SpendPeriod = SpendPeriod;
	type WeightInfo = pallet_treasury::weights::SubstrateWeight<Runtime>;
}

/// What safe mode leaves open and no pause can stop: the chain itself, governance, withdrawals, and
/// everything that answers for work that is under way. The rest is new business.
pub struct AlwaysOpen;

impl AlwaysOpen {
	/// Whether the call of this name stays open.
	fn keeps(pallet: &str, call: &str) -> bool {
		match pallet {
			"System" | "Babe" | "Timestamp" | "Grandpa" | "Session" | "Utility" | "Proxy"
			| "Multisig" | "Parameters" | "Governance" | "Sudo" | "Preimage" | "Scheduler"
			| "Referenda" | "ConvictionVoting" | "Whitelist" | "Treasury" | "SafeMode"
			| "TxPause" | "Compliance" | "Validators" => true,
			"ComputeStaking" => {
				!matches!(call, "register_node" | "bond_more" | "delegate" | "redelegate")
			}
			"Escrow" => call == "cancel_job",
			"Poc" => call != "register_program",
			"ConsensusChain" => matches!(call, "leave" | "clear" | "pass_on"),
			"Vesting" => call != "vested_transfer",
			"Assets" => matches!(call, "refund" | "cancel_approval"),
			"AssetConversion" => call == "remove_liquidity",
			_ => false,
		}
	}
}

/// For safe mode, which sees what a call asks for.
impl Contains<RuntimeCall> for AlwaysOpen {
	fn contains(call: &RuntimeCall) -> bool {
		// The same call brings a node online and drains it: only the first is business.
		let goes_online = matches!(
			call,
			RuntimeCall::ComputeStaking(pallet_tensornet_staking::Call::set_online {
				online: true
			})
		);
		let CallMetadata { pallet_name, function_name } = call.get_call_metadata();
		!goes_online && Self::keeps(pallet_name, function_name)
	}
}

/// For pauses, which go by names.
impl Contains<pallet_tx_pause::RuntimeCallNameOf<Runtime>> for AlwaysOpen {
	fn contains((pallet, call): &pallet_tx_pause::RuntimeCallNameOf<Runtime>) -> bool {
		/// Every name of ours is text.
		fn text(name: &[u8]) -> &str {
			core::str::from_utf8(name).unwrap_or_default()
		}
		Self::keeps(text(pallet), text(call))
	}
}

impl pallet_safe_mode::Config for Runtime {
	type Currency = Balances;
	type EnterDepositAmount = Nobody;
	type EnterDuration = ConstU32<0>;
	type ExtendDepositAmount = Nobody;
	type ExtendDuration = ConstU32<0>;
	type ForceDepositOrigin = EnsureRoot<AccountId>;
	type ForceEnterOrigin = SafeModeOrigin;
	type ForceExitOrigin = RootOr<Emergency>;
	type ForceExtendOrigin = SafeModeOrigin;
	type Notify = ();
	type ReleaseDelay = NoRelease;
	type RuntimeEvent = RuntimeEvent;
	type RuntimeHoldReason = RuntimeHoldReason;
	type WeightInfo = pallet_safe_mode::weights::SubstrateWeight<Runtime>;
	type WhitelistedCalls = AlwaysOpen;
}

parameter_types! {
	/// Nobody may buy a stop of the chain with a deposit.
	pub const Nobody: Option<Balance> = None;
	pub const NoRelease: Option<BlockNumber> = None;
}

impl pallet_tx_pause::Config for Runtime {
	type MaxNameLen = ConstU32<256>;
	type PauseOrigin = RootOr<Emergency>;
	type RuntimeCall = RuntimeCall;
	type RuntimeEvent = RuntimeEvent;
	type UnpauseOrigin = RootOr<Emergency>;
	type WeightInfo = pallet_tx_pause::weights::SubstrateWeight<Runtime>;
	type WhitelistedCalls = AlwaysOpen;
}

parameter_types! {
	pub const MinVestedTransfer: Balance = UNIT;
	pub UnvestedReasons: frame_support::traits::WithdrawReasons =
		frame_support::traits::WithdrawReasons::except(
			frame_support::traits::WithdrawReasons::TRANSFER
				| frame_support::traits::WithdrawReasons::RESERVE,
		);
}

impl pallet_vesting::Config for Runtime {
	type BlockNumberProvider = System;
	type BlockNumberToBalance = sp_runtime::traits::ConvertInto;
	type Currency = Balances;
	type MinVestedTransfer = MinVestedTransfer;
	type RuntimeEvent = RuntimeEvent;
	type UnvestedFundsAllowedWithdrawReasons = UnvestedReasons;
	type WeightInfo = pallet_vesting::weights::SubstrateWeight<Runtime>;

	const MAX_VESTING_SCHEDULES: u32 = 28;
}
