// SPDX-License-Identifier: Apache-2.0

//! # The TensorNet runtime
//!
//! Composition only: which pallets the chain is made of, at which indices, and how each is
//! configured. The logic lives in the pallets.
//!
//! - [`configs`]: one file per subject, one `impl Config` per pallet;
//! - [`apis`]: what the node may ask of the runtime;
//! - [`migrations`]: what an upgrade does to the state that it finds;
//! - [`genesis_config_presets`]: the chains that can be started without a file;
//! - [`weights`]: what is measured for this runtime rather than taken from the SDK.
//!
//! Pallet indices are part of the wire format: one is never changed and never used again.

#![cfg_attr(not(feature = "std"), no_std)]
// The runtime macro and the block builder are recursive over the number of pallets.
#![recursion_limit = "256"]

extern crate alloc;

#[cfg(feature = "std")]
include!(concat!(env!("OUT_DIR"), "/wasm_binary.rs"));

pub mod apis;
#[cfg(feature = "runtime-benchmarks")]
mod benchmarks;
pub mod configs;
pub mod genesis_config_presets;
pub mod governance;
pub mod migrations;
#[cfg(test)]
mod tests;
pub mod weights;

use alloc::{borrow::Cow, vec::Vec};
use pallet_session::historical as pallet_session_historical;
use sp_runtime::{
	generic, impl_opaque_keys,
	traits::{BlakeTwo256, IdentifyAccount, Verify},
	MultiAddress, MultiSignature,
};
use sp_version::RuntimeVersion;

pub use apis::RuntimeApi;

/// A signature of any of the supported schemes.
pub type Signature = MultiSignature;
/// An account: the 32-byte public key, or its hash for ECDSA.
pub type AccountId = <<Signature as Verify>::Signer as IdentifyAccount>::AccountId;
/// An amount in plancks, 10⁻¹² TNA.
pub type Balance = u128;
/// Height of a block.
pub type BlockNumber = u32;
/// Count of the transactions of an account.
pub type Nonce = u32;
/// The hash of blocks and of storage.
pub type Hash = sp_core::H256;
/// How an extrinsic names an account.
pub type Address = MultiAddress<AccountId, ()>;
/// Block header.
pub type Header = generic::Header<BlockNumber, BlakeTwo256>;
/// A block of this runtime.
pub type Block = generic::Block<Header, UncheckedExtrinsic>;
/// A block with its justification.
pub type SignedBlock = generic::SignedBlock<Block>;

/// What a transaction carries beside its call, in the order in which it is encoded and checked.
pub type TxExtension = (
	frame_system::AuthorizeCall<Runtime>,
	frame_system::CheckNonZeroSender<Runtime>,
	frame_system::CheckSpecVersion<Runtime>,
	frame_system::CheckTxVersion<Runtime>,
	frame_system::CheckGenesis<Runtime>,
	frame_system::CheckMortality<Runtime>,
	frame_system::CheckNonce<Runtime>,
	frame_system::CheckWeight<Runtime>,
	pallet_asset_conversion_tx_payment::ChargeAssetTxPayment<Runtime>,
	frame_metadata_hash_extension::CheckMetadataHash<Runtime>,
	frame_system::WeightReclaim<Runtime>,
);
/// A transaction as it travels: not yet verified.
pub type UncheckedExtrinsic =
	generic::UncheckedExtrinsic<Address, RuntimeCall, Signature, TxExtension>;
/// What a transaction's signature covers.
pub type SignedPayload = generic::SignedPayload<RuntimeCall, TxExtension>;

/// Executes blocks and transactions against the pallets.
pub type Executive = frame_executive::Executive<
	Runtime,
	Block,
	frame_system::ChainContext<Runtime>,
	Runtime,
	AllPalletsWithSystem,
>;

/// Amounts of TNA.
pub mod currency {
	use super::Balance;

	/// One TNA: 10¹² plancks.
	pub const UNIT: Balance = 1_000_000_000_000;
	/// A thousandth of a TNA.
	pub const MILLI: Balance = UNIT / 1_000;
	/// A millionth of a TNA.
	pub const MICRO: Balance = UNIT / 1_000_000;
	/// The least an account may hold and live.
	pub const EXISTENTIAL_DEPOSIT: Balance = MILLI;

	/// The deposit for storage: plancks for `items` entries of `bytes` bytes in all.
	pub const fn deposit(items: u32, bytes: u32) -> Balance {
		(items as Balance)
			.saturating_mul(20 * MILLI)
			.saturating_add((bytes as Balance).saturating_mul(100 * MICRO))
	}
}

/// Durations, in blocks unless the name says otherwise.
pub mod time {
	use super::BlockNumber;

	/// Length of a slot and expected time between two blocks, in milliseconds.
	pub const MILLISECS_PER_BLOCK: u64 = 3_000;
	/// One minute.
	pub const MINUTES: BlockNumber = 60_000 / (MILLISECS_PER_BLOCK as BlockNumber);
	/// One hour.
	pub const HOURS: BlockNumber = 60 * MINUTES;
	/// One day.
	pub const DAYS: BlockNumber = 24 * HOURS;
	/// Length of a BABE epoch, which is also a session. It cannot be changed on a running chain.
	/// Development chains divide it by their pace.
	pub const EPOCH_DURATION_IN_BLOCKS: BlockNumber = 10 * MINUTES;
	/// The same in slots.
	pub const EPOCH_DURATION_IN_SLOTS: u64 = EPOCH_DURATION_IN_BLOCKS as u64;
	/// Sessions of an era: six hours. Development chains divide it by their pace: an era of theirs is one
	/// session.
	pub const SESSIONS_PER_ERA: u32 = 6 * HOURS / EPOCH_DURATION_IN_BLOCKS;
	/// Eras of a day.
	pub const ERAS_PER_DAY: u32 = DAYS / (SESSIONS_PER_ERA * EPOCH_DURATION_IN_BLOCKS);
	/// Eras of a year of 365 days.
	pub const ERAS_PER_YEAR: u32 = 365 * ERAS_PER_DAY;
	/// Eras for which rewards can be claimed after their own: three weeks.
	pub const ERA_HISTORY: u32 = 21 * ERAS_PER_DAY;
}

/// The share of slots that have a primary author: one in four.
pub const PRIMARY_PROBABILITY: (u64, u64) = (1, 4);

/// How BABE draws authors. Secondary authors sign a VRF output too, because every block feeds the
/// beacon with one.
pub const BABE_GENESIS_EPOCH_CONFIG: sp_consensus_babe::BabeEpochConfiguration =
	sp_consensus_babe::BabeEpochConfiguration {
		c: PRIMARY_PROBABILITY,
		allowed_slots: sp_consensus_babe::AllowedSlots::PrimaryAndSecondaryVRFSlots,
	};

/// The version of the runtime: raise `spec_version` with every change of behaviour,
/// `transaction_version` with every change of an existing call's encoding.
#[sp_version::runtime_version]
pub const VERSION: RuntimeVersion = RuntimeVersion {
	spec_name: Cow::Borrowed("tensornet"),
	impl_name: Cow::Borrowed("tensornet"),
	authoring_version: 1,
	spec_version: 100,
	impl_version: 1,
	apis: apis::RUNTIME_API_VERSIONS,
	transaction_version: 1,
	system_version: 1,
};

/// Types for the node, which handles transactions without knowing what they say.
pub mod opaque {
	use super::*;
	pub use sp_runtime::OpaqueExtrinsic as UncheckedExtrinsic;

	/// Block header.
	pub type Header = super::Header;
	/// A block whose transactions are bytes.
	pub type Block = generic::Block<Header, UncheckedExtrinsic>;
	/// Identifies a block.
	pub type BlockId = generic::BlockId<Block>;
}

impl_opaque_keys! {
	/// The keys a validator signs with, in the order of the session handlers.
	pub struct SessionKeys {
		/// Authors blocks.
		pub babe: Babe,
		/// Votes for finality.
		pub grandpa: Grandpa,
	}
}

#[frame_support::runtime]
mod runtime {
	#[runtime::runtime]
	#[runtime::derive(
		RuntimeCall,
		RuntimeEvent,
		RuntimeError,
		RuntimeOrigin,
		RuntimeFreezeReason,
		RuntimeHoldReason,
		RuntimeSlashReason,
		RuntimeLockId,
		RuntimeTask,
		RuntimeViewFunction
	)]
	pub struct Runtime;

	// The chain itself. BABE comes before the timestamp that it checks and before the sessions that
	// it ends; accounts exist before sessions refer to them; sessions rotate before the author of the
	// block is looked up among their validators.
	#[runtime::pallet_index(0)]
	pub type System = frame_system;
	#[runtime::pallet_index(1)]
	pub type Babe = pallet_babe;
	#[runtime::pallet_index(2)]
	pub type Timestamp = pallet_timestamp;
	#[runtime::pallet_index(3)]
	pub type Balances = pallet_balances;
	#[runtime::pallet_index(4)]
	pub type TransactionPayment = pallet_transaction_payment;
	#[runtime::pallet_index(6)]
	pub type Offences = pallet_offences;
	#[runtime::pallet_index(7)]
	pub type Historical = pallet_session_historical;
	#[runtime::pallet_index(8)]
	pub type Session = pallet_session;
	#[runtime::pallet_index(9)]
	pub type Grandpa = pallet_grandpa;
	#[runtime::pallet_index(10)]
	pub type Authorship = pallet_authorship;

	// Conveniences of accounts.
	#[runtime::pallet_index(20)]
	pub type Utility = pallet_utility;
	#[runtime::pallet_index(21)]
	pub type Proxy = pallet_proxy;
	#[runtime::pallet_index(22)]
	pub type Multisig = pallet_multisig;

	// Rule.
	#[runtime::pallet_index(30)]
	pub type Parameters = pallet_parameters;
	#[runtime::pallet_index(31)]
	pub type Sudo = pallet_sudo;
	#[runtime::pallet_index(32)]
	pub type Governance = pallet_tensornet_governance;
	#[runtime::pallet_index(33)]
	pub type Preimage = pallet_preimage;
	#[runtime::pallet_index(34)]
	pub type Scheduler = pallet_scheduler;
	#[runtime::pallet_index(35)]
	pub type Referenda = pallet_referenda;
	#[runtime::pallet_index(36)]
	pub type ConvictionVoting = pallet_conviction_voting;
	#[runtime::pallet_index(37)]
	pub type Whitelist = pallet_whitelist;
	#[runtime::pallet_index(38)]
	pub type Treasury = pallet_treasury;
	#[runtime::pallet_index(39)]
	pub type SafeMode = pallet_safe_mode;
	#[runtime::pallet_index(44)]
	pub type TxPause = pallet_tx_pause;
	#[runtime::pallet_index(45)]
	pub type Vesting = pallet_vesting;
	#[runtime::pallet_index(46)]
	pub type Compliance = pallet_tensornet_compliance;

	// Who makes the blocks. Session keys and balances are there before genesis candidates are.
	#[runtime::pallet_index(47)]
	pub type Validators = pallet_tensornet_validators;

	// The compute market.
	#[runtime::pallet_index(40)]
	pub type Tna = pallet_tensornet_tna;
	#[runtime::pallet_index(41)]
	pub type ComputeStaking = pallet_tensornet_staking;
	#[runtime::pallet_index(42)]
	pub type Escrow = pallet_tensornet_escrow;
	#[runtime::pallet_index(43)]
	pub type Poc = pallet_tensornet_poc;
	#[runtime::pallet_index(48)]
	pub type ConsensusChain = pallet_tensornet_consensus_chain;

	// Markets. Pools are opened at genesis with assets that exist by then.
	#[runtime::pallet_index(60)]
	pub type Assets = pallet_assets<Instance1>;
	#[runtime::pallet_index(61)]
	pub type PoolAssets = pallet_assets<Instance2>;
	#[runtime::pallet_index(62)]
	pub type AssetConversion = pallet_asset_conversion;
	#[runtime::pallet_index(63)]
	pub type AssetTxPayment = pallet_asset_conversion_tx_payment;
}
