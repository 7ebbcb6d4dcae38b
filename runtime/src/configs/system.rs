// SPDX-License-Identifier: Apache-2.0

//! `frame_system`: the limits of a block, and how offchain code builds transactions.

use crate::{
	AccountId, Balance, Block, ConsensusChain, Hash, Nonce, PalletInfo, Runtime, RuntimeCall,
	RuntimeEvent, RuntimeOrigin, RuntimeTask, SafeMode, Tna, TxPause, UncheckedExtrinsic, VERSION,
};
use frame_support::{
	derive_impl,
	dispatch::DispatchClass,
	parameter_types,
	traits::{ConstU32, Contains, InsideBoth},
	weights::{
		constants::{ExtrinsicBaseWeight, ParityDbWeight, WEIGHT_REF_TIME_PER_MILLIS},
		Weight,
	},
};
use frame_system::limits::{BlockLength, BlockWeights};
use sp_runtime::{traits::AccountIdLookup, Perbill};
use sp_version::RuntimeVersion;

/// What ordinary transactions may fill of a block; the rest is kept for operational ones.
const NORMAL_DISPATCH_RATIO: Perbill = Perbill::from_percent(75);
/// Half of the slot: the other half is for the network and for importing the block.
pub const MAXIMUM_BLOCK_MILLISECONDS: u64 = 1_500;
/// The same as a weight.
pub const MAXIMUM_BLOCK_WEIGHT: Weight =
	Weight::from_parts(MAXIMUM_BLOCK_MILLISECONDS * WEIGHT_REF_TIME_PER_MILLIS, u64::MAX);
/// Bytes of a whole block.
pub const MAXIMUM_BLOCK_LENGTH: u32 = 5 * 1024 * 1024;

parameter_types! {
	pub const BlockHashCount: u32 = 4_096;
	pub const Version: RuntimeVersion = VERSION;
	pub const SS58Prefix: u16 = 42;
	pub RuntimeBlockWeights: BlockWeights = {
		let normal = NORMAL_DISPATCH_RATIO * MAXIMUM_BLOCK_WEIGHT;
		// Every transaction reads and writes its signer's account, for nonce and fee: what that takes is
		// a part of the base, and the weights of calls and extensions leave it out.
		let signer = ParityDbWeight::get().reads_writes(1, 1);
		BlockWeights::builder()
			.for_class(DispatchClass::non_mandatory(), |weights| {
				weights.base_extrinsic = ExtrinsicBaseWeight::get().saturating_add(signer);
			})
			.for_class(DispatchClass::Normal, |weights| weights.max_total = Some(normal))
			.for_class(DispatchClass::Operational, |weights| {
				weights.max_total = Some(MAXIMUM_BLOCK_WEIGHT);
				weights.reserved = Some(MAXIMUM_BLOCK_WEIGHT.saturating_sub(normal));
			})
			.avg_block_initialization(Perbill::from_percent(10))
			.build_or_panic()
	};
	pub RuntimeBlockLength: BlockLength = BlockLength::builder()
		.max_length(MAXIMUM_BLOCK_LENGTH)
		.modify_max_length_for_class(DispatchClass::Normal, |length| {
			*length = NORMAL_DISPATCH_RATIO * MAXIMUM_BLOCK_LENGTH
		})
		.build();
}

/// Which calls are accepted, from whomever and however nested. `Balances::burn` would destroy TNA that
/// the burn ledger never hears of: `Tna::burn` is the call for that. `Session::purge_keys` could leave the
/// chain without validators: `Validators::purge_keys` is the call for that.
pub struct CallFilter;

impl Contains<RuntimeCall> for CallFilter {
	fn contains(call: &RuntimeCall) -> bool {
		!matches!(
			call,
			RuntimeCall::Balances(pallet_balances::Call::burn { .. })
				| RuntimeCall::Session(pallet_session::Call::purge_keys {})
		)
	}
}

#[derive_impl(frame_system::config_preludes::SolochainDefaultConfig)]
impl frame_system::Config for Runtime {
	type BaseCallFilter = InsideBoth<CallFilter, InsideBoth<SafeMode, TxPause>>;
	type AccountData = pallet_balances::AccountData<Balance>;
	type AccountId = AccountId;
	type Block = Block;
	type BlockHashCount = BlockHashCount;
	type BlockLength = RuntimeBlockLength;
	type BlockWeights = RuntimeBlockWeights;
	type DbWeight = ParityDbWeight;
	type ExtensionsWeightInfo = crate::weights::extensions::System<Runtime>;
	type Hash = Hash;
	type Lookup = AccountIdLookup<AccountId, ()>;
	type MaxConsumers = ConstU32<128>;
	type Nonce = Nonce;
	type OnKilledAccount = (Tna, ConsensusChain);
	type SS58Prefix = SS58Prefix;
	type SingleBlockMigrations = crate::migrations::SingleBlock;
	type SystemWeightInfo = frame_system::weights::SubstrateWeight<Runtime>;
	type Version = Version;
}

impl<LocalCall> frame_system::offchain::CreateTransactionBase<LocalCall> for Runtime
where
	RuntimeCall: From<LocalCall>,
{
	type Extrinsic = UncheckedExtrinsic;
	type RuntimeCall = RuntimeCall;
}

impl<LocalCall> frame_system::offchain::CreateBare<LocalCall> for Runtime
where
	RuntimeCall: From<LocalCall>,
{
	fn create_bare(call: RuntimeCall) -> UncheckedExtrinsic {
		UncheckedExtrinsic::new_bare(call)
	}
}
