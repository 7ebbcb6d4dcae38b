// SPDX-License-Identifier: Apache-2.0

//! The compute market: token policy, nodes, jobs and proof of compute. This file is where the
//! pallets of TensorNet meet.

use super::parameters::dynamic_params::{compliance, emission, market, proof, shares, stake};
use crate::{
	currency::{deposit, MILLI, UNIT},
	governance::origins::{Registrars, RootOr, SlashAppeal},
	time::{DAYS, ERAS_PER_YEAR, ERA_HISTORY, MINUTES},
	AccountId, Authorship, Babe, Balance, Balances, BlockNumber, Compliance, ComputeStaking,
	ConsensusChain, Escrow, Poc, Runtime, RuntimeHoldReason, Tna, Validators,
};
use core::marker::PhantomData;
use frame_support::{
	parameter_types,
	traits::{ConstU128, ConstU32, ConstU64, ConstU8, Footprint, Get},
	weights::{constants::WEIGHT_REF_TIME_PER_MILLIS, Weight},
	PalletId,
};
use sp_runtime::{
	traits::{AccountIdConversion, Convert},
	Permill,
};
use tensornet_protocol::{AuthorRandomness, Capability, Hash, Role};

/// The most TNA that may ever exist: a billion.
pub const MAX_SUPPLY: Balance = 1_000_000_000 * UNIT;

/// The most that is ever minted after genesis: what the cap leaves to nodes and validators.
pub const EMISSION_RESERVE: Balance = 400_000_000 * UNIT;

/// The treasury's account is derived from this.
pub const TREASURY: PalletId = PalletId(*b"tn/trsry");

/// The treasury's account.
pub struct Treasury;

impl Get<AccountId> for Treasury {
	fn get() -> AccountId {
		TREASURY.into_account_truncating()
	}
}

/// The author of the current block.
pub struct BlockAuthor;

impl Get<Option<AccountId>> for BlockAuthor {
	fn get() -> Option<AccountId> {
		Authorship::author()
	}
}

/// The VRF output of the current block's author. BABE knows it from its own finalization on, which
/// runs before that of proof of compute.
pub struct BabeVrf;

impl AuthorRandomness for BabeVrf {
	fn current() -> Option<Hash> {
		Babe::author_vrf_randomness().map(Hash::from)
	}
}

/// The deposit for storage of a given size.
pub struct StorageDeposit;

impl Convert<Footprint, Balance> for StorageDeposit {
	fn convert(footprint: Footprint) -> Balance {
		let items = u32::try_from(footprint.count).unwrap_or(u32::MAX);
		let bytes = u32::try_from(footprint.size).unwrap_or(u32::MAX);
		deposit(items, bytes)
	}
}

/// The consensus-chain fee of a job: a governed part of the burned share, so that it stays below the
/// burn whatever that is.
pub struct JobLineage;

impl Get<Permill> for JobLineage {
	fn get() -> Permill {
		let burn = shares::JobBurn::get().deconstruct();
		Permill::from_parts(shares::LineageOfBurn::get().mul_floor(burn))
	}
}

/// The level that governance requires of each role.
pub struct RequiredLevel;

impl Convert<Role, u8> for RequiredLevel {
	fn convert(role: Role) -> u8 {
		match role {
			Role::Node => compliance::NodeLevel::get(),
			Role::Requester => compliance::RequesterLevel::get(),
			Role::Developer => compliance::DeveloperLevel::get(),
			Role::Delegator => compliance::DelegatorLevel::get(),
		}
	}
}

parameter_types! {
	pub const MaxValidity: BlockNumber = 730 * DAYS;
	pub const RegistrarDeposit: Balance = 10_000 * UNIT;
}

impl pallet_tensornet_compliance::Config for Runtime {
	type Currency = Balances;
	type MaxAttestations = ConstU32<4>;
	type MaxValidity = MaxValidity;
	type RegistrarDeposit = RegistrarDeposit;
	type RegistrarOrigin = RootOr<Registrars>;
	type Required = RequiredLevel;
	type RuntimeHoldReason = RuntimeHoldReason;
	type Treasury = Treasury;
	type WeightInfo = pallet_tensornet_compliance::weights::SubstrateWeight<Runtime>;
}

impl pallet_tensornet_tna::Config for Runtime {
	type Author = BlockAuthor;
	type BurnRebate = emission::BurnRebate;
	type Currency = Balances;
	type Eras = Validators;
	type ErasPerYear = ConstU32<{ ERAS_PER_YEAR }>;
	type FeeBurn = shares::FeeBurn;
	type FeeTreasury = shares::FeeTreasury;
	type FloorAsk = market::FloorAsk;
	type HistoryDepth = ConstU32<{ ERA_HISTORY }>;
	type JobAuthor = shares::JobAuthor;
	type JobBurn = shares::JobBurn;
	type JobLineage = JobLineage;
	type JobTreasury = shares::JobTreasury;
	type MaxSupply = ConstU128<MAX_SUPPLY>;
	type NodeShare = emission::NodeShare;
	type Reserve = ConstU128<EMISSION_RESERVE>;
	type Treasury = Treasury;
	type WeightInfo = pallet_tensornet_tna::weights::SubstrateWeight<Runtime>;
	type YearlyRate = emission::YearlyRate;
}

parameter_types! {
	/// Longer than the longest life of a commitment, so that no liar's bond leaves before the lie is
	/// found.
	pub const UnbondingPeriod: BlockNumber = 7 * DAYS;
	/// The account of delegators' uncollected rewards is derived from this.
	pub const StakingPot: PalletId = PalletId(*b"tn/stake");
}

/// A governed period, divided by the pace of development chains.
pub struct Paced<Period>(PhantomData<Period>);

impl<Period: Get<BlockNumber>> Get<BlockNumber> for Paced<Period> {
	fn get() -> BlockNumber {
		let pace = pallet_tensornet_governance::Pace::<Runtime>::get().max(1);
		Period::get().checked_div(pace).unwrap_or_default()
	}
}

/// The least bond of a node by its measured rate.
pub struct TierBond;

impl TierBond {
	/// From this rate on a node is of the middle tier, in 10⁹ multiply-accumulates a second.
	pub const MIDDLE: u32 = 2_000;
	/// From this rate on it is of the highest tier.
	pub const HIGHEST: u32 = 20_000;
}

impl Convert<Capability, Balance> for TierBond {
	fn convert(capability: Capability) -> Balance {
		match capability.giga_macs {
			Self::HIGHEST.. => stake::HighTierBond::get(),
			Self::MIDDLE.. => stake::MidTierBond::get(),
			_ => stake::MinBond::get(),
		}
	}
}

impl pallet_tensornet_staking::Config for Runtime {
	type AppealOrigin = RootOr<SlashAppeal>;
	#[cfg(feature = "runtime-benchmarks")]
	type BenchmarkHelper = crate::benchmarks::Helper;
	type Compliance = Compliance;
	type Currency = Balances;
	type Emission = Tna;
	type Eras = Validators;
	type FraudSlash = stake::FraudSlash;
	type HeartbeatPeriod = stake::HeartbeatPeriod;
	type HistoryDepth = ConstU32<{ ERA_HISTORY }>;
	type JailPeriod = Paced<stake::JailPeriod>;
	type Lineage = ConsensusChain;
	type MaxBacking = ConstU32<4>;
	type MaxCommission = stake::MaxCommission;
	type MaxCommissionRaise = stake::MaxCommissionRaise;
	type MaxJobsPerNode = ConstU32<16>;
	type MaxWeightBond = stake::MaxWeightBond;
	type MinBond = stake::MinBond;
	type MinDelegation = stake::MinDelegation;
	type PotId = StakingPot;
	type RuntimeHoldReason = RuntimeHoldReason;
	type SilentSlash = stake::SilentSlash;
	type SlashDelay = Paced<stake::SlashDelay>;
	type SlashToReporter = stake::SlashToReporter;
	type SlashToRequester = stake::SlashToRequester;
	type TierBond = TierBond;
	type Token = Tna;
	type UnbondingPeriod = UnbondingPeriod;
	type WeightInfo = pallet_tensornet_staking::weights::SubstrateWeight<Runtime>;
}

/// What an agenda may weigh in a block: so many hundredths of its time.
const fn agenda(percent: u64) -> Weight {
	let block = crate::configs::system::MAXIMUM_BLOCK_MILLISECONDS * WEIGHT_REF_TIME_PER_MILLIS;
	Weight::from_parts(block / 100 * percent, u64::MAX)
}

parameter_types! {
	pub const MinLifetime: BlockNumber = MINUTES;
	pub const MaxLifetime: BlockNumber = 7 * DAYS;
	pub const OutcomeRetention: BlockNumber = 7 * DAYS;
	/// Assigning, deadlines, forgetting: about as much as the jobs need that a block full of transactions
	/// brings. Both agendas together leave room for the dearest answer to an audit.
	pub const EscrowAgenda: Weight = agenda(15);
	/// Draws and settlements, likewise.
	pub const PocAgenda: Weight = agenda(30);
}

impl pallet_tensornet_escrow::Config for Runtime {
	type AssignDelay = ConstU32<2>;
	type AuditProbability = proof::AuditProbability;
	type Balance = Balance;
	type Beacon = Poc;
	#[cfg(feature = "runtime-benchmarks")]
	type BenchmarkHelper = crate::benchmarks::Helper;
	type CommitBase = ConstU32<30>;
	type Compliance = Compliance;
	type Currency = Balances;
	type Deposit = StorageDeposit;
	type FraudGrace = ConstU32<{ 5 * MINUTES }>;
	type Lineage = ConsensusChain;
	// Ten thousand million multiply-accumulates a second: a slow card's pace.
	type MacsPerBlock = ConstU64<30_000_000_000>;
	type MaxAssignmentsPerBlock = ConstU32<1_024>;
	type MaxAttempts = ConstU8<5>;
	type MaxLifetime = MaxLifetime;
	type MaxTasksPerBlock = ConstU32<2_048>;
	type MinJobPrice = ConstU128<MILLI>;
	type MinLifetime = MinLifetime;
	type Nodes = ComputeStaking;
	type OnSettled = ComputeStaking;
	type OutcomeRetention = OutcomeRetention;
	type Programs = Poc;
	type RetryPeriod = ConstU32<5>;
	type RuntimeHoldReason = RuntimeHoldReason;
	type ServiceWeight = EscrowAgenda;
	type SharedWeight = crate::weights::shared::SharedWeight;
	type TokenPolicy = Tna;
	type WeightInfo = pallet_tensornet_escrow::weights::SubstrateWeight<Runtime>;
}

impl pallet_tensornet_poc::Config for Runtime {
	type AgendaWeight = PocAgenda;
	type ArbitrationBytes = ConstU64<{ 96 * 1024 }>;
	type ArbitrationMacs = ConstU64<{ 1 << 20 }>;
	type AuditProbability = proof::AuditProbability;
	type AuditSamples = proof::AuditSamples;
	type AuditWindow = proof::AuditWindow;
	type AuthorRandomness = BabeVrf;
	type BeaconDelay = ConstU32<3>;
	#[cfg(feature = "runtime-benchmarks")]
	type BenchmarkHelper = crate::benchmarks::Helper;
	type ChallengeWindow = proof::ChallengeWindow;
	type Compliance = Compliance;
	type Currency = Balances;
	type Jobs = Escrow;
	type MaxCheckpoints = ConstU32<1024>;
	type MaxOutputs = ConstU32<16>;
	type MaxProgramBytes = ConstU32<{ 256 * 1024 }>;
	type MaxSamples = ConstU32<8>;
	type Nodes = ComputeStaking;
	type ProgramDeposit = StorageDeposit;
	type ResultRetention = OutcomeRetention;
	type RevealWindow = proof::RevealWindow;
	type RuntimeHoldReason = RuntimeHoldReason;
	type WeightInfo = pallet_tensornet_poc::weights::SubstrateWeight<Runtime>;
}
