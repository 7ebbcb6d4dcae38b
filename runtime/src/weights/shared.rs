// SPDX-License-Identifier: Apache-2.0

//! What the jobs and transactions of a block read and write together. However many there are, the
//! database sees each of these items once a block; the block pays for them once, through
//! `pallet_tensornet_escrow::Config::SharedWeight`, and the benchmarks of calls and steps leave them out.

use crate::Runtime;
use frame_support::{
	traits::Get,
	weights::{RuntimeDbWeight, Weight},
};

/// Items that are read once a block.
pub const READS: u64 = 50;
/// Of those, the ones that are written.
pub const WRITES: u64 = 18;

/// Items whose keys are another's in each block: the slots of the agendas into which jobs of a block
/// go together, two of the escrow and five of proof of compute; and the account of the block's author.
#[cfg(any(test, feature = "runtime-benchmarks"))]
pub const BY_BLOCK: u64 = 8;

/// What the items cost a block.
pub struct SharedWeight;

impl Get<Weight> for SharedWeight {
	fn get() -> Weight {
		let database: RuntimeDbWeight = <Runtime as frame_system::Config>::DbWeight::get();
		database.reads_writes(READS, WRITES)
	}
}

/// The keys of the items but those of [`BY_BLOCK`], and whether each is written.
#[cfg(any(test, feature = "runtime-benchmarks"))]
pub fn keys() -> alloc::vec::Vec<(alloc::vec::Vec<u8>, bool)> {
	use crate::{
		configs::{
			parameters::{dynamic_params::*, RuntimeParametersKey},
			tensornet::Treasury,
		},
		ConsensusChain, Validators,
	};
	use alloc::vec;
	use tensornet_protocol::{BurnCause, Eras};

	macro_rules! parameters {
		($($group:ident in $module:ident: $($name:ident),+;)+) => {
			vec![$($(
				pallet_parameters::Parameters::<Runtime>::hashed_key_for(
					RuntimeParametersKey::$group($module::ParametersKey::$name($module::$name)),
				),
			)+)+]
		};
	}
	let parameters = parameters! {
		Fees in fees: ExecutionMillisecond, Byte;
		Shares in shares: JobBurn, JobTreasury, JobAuthor, LineageOfBurn, FeeBurn, FeeTreasury;
		Market in market: FloorAsk;
		Proof in proof: AuditProbability, AuditSamples, RevealWindow, AuditWindow, ChallengeWindow;
		Stake in stake: MinBond, MidTierBond, HighTierBond, MaxWeightBond, HeartbeatPeriod;
		Compliance in compliance: NodeLevel, RequesterLevel;
		Lineage in lineage: NodePart, RequesterPart;
	};
	let account = |who| frame_system::Account::<Runtime>::hashed_key_for(who);
	let burned = |cause| pallet_tensornet_tna::Burned::<Runtime>::hashed_key_for(cause);
	let paused = |pallet: &str, call: &str| {
		let part = |name: &str| name.as_bytes().to_vec().try_into().expect("it is short");
		let name: pallet_tx_pause::RuntimeCallNameOf<Runtime> = (part(pallet), part(call));
		pallet_tx_pause::PausedCalls::<Runtime>::hashed_key_for(name)
	};
	let read = vec![
		pallet_tensornet_staking::OnlineCount::<Runtime>::hashed_key().to_vec(),
		pallet_tensornet_validators::CurrentEra::<Runtime>::hashed_key().to_vec(),
		pallet_tensornet_poc::BeaconValue::<Runtime>::hashed_key().to_vec(),
		pallet_safe_mode::EnteredUntil::<Runtime>::hashed_key().to_vec(),
		pallet_transaction_payment::NextFeeMultiplier::<Runtime>::hashed_key().to_vec(),
		frame_system::BlockHash::<Runtime>::hashed_key_for(0u32),
		paused("Escrow", "submit_job"),
		paused("Poc", "commit"),
		paused("Poc", "reveal"),
	];
	let written = vec![
		pallet_tensornet_escrow::NextJobId::<Runtime>::hashed_key().to_vec(),
		pallet_tensornet_escrow::Escrowed::<Runtime>::hashed_key().to_vec(),
		pallet_tensornet_consensus_chain::Queue::<Runtime>::hashed_key_for(0u32),
		pallet_tensornet_consensus_chain::QueueBounds::<Runtime>::hashed_key().to_vec(),
		account(Treasury::get()),
		account(ConsensusChain::pot()),
		burned(BurnCause::Job),
		burned(BurnCause::Lineage),
		burned(BurnCause::Fee),
		pallet_tensornet_tna::EraJobBurn::<Runtime>::hashed_key_for(Validators::current()),
	];
	let read = parameters.into_iter().chain(read).map(|key| (key, false));
	read.chain(written.into_iter().map(|key| (key, true))).collect()
}
