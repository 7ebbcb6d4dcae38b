// SPDX-License-Identifier: Apache-2.0

//! The parameters that governance may change without a runtime upgrade.

use crate::{
	currency::{MICRO, MILLI, UNIT},
	time::{DAYS, ERAS_PER_DAY, MINUTES},
	weights, Balance, BlockNumber, Runtime, RuntimeEvent, RuntimeOrigin,
};
use frame_support::dynamic_params::{dynamic_pallet_params, dynamic_params};
use pallet_tensornet_governance::EnsureBounded;
use sp_runtime::Permill;
use tensornet_protocol::EraIndex;

/// One module per subject. Indices are part of the wire format.
#[dynamic_params(RuntimeParameters, pallet_parameters::Parameters::<Runtime>)]
pub mod dynamic_params {
	use super::*;

	/// The price of transactions, in plancks.
	#[dynamic_pallet_params]
	#[codec(index = 0)]
	pub mod fees {
		/// Of one millisecond of execution.
		#[codec(index = 0)]
		pub static ExecutionMillisecond: Balance = MILLI;
		/// Of one byte of the transaction.
		#[codec(index = 1)]
		pub static Byte: Balance = MICRO;
	}

	/// How fees and the price of a settled job are shared. What the shares leave of a job is the
	/// node's, and of a fee the block author's.
	#[dynamic_pallet_params]
	#[codec(index = 1)]
	pub mod shares {
		/// The burned share of a job.
		#[codec(index = 0)]
		pub static JobBurn: Permill = Permill::from_percent(10);
		/// The treasury's share of a job.
		#[codec(index = 1)]
		pub static JobTreasury: Permill = Permill::from_percent(3);
		/// The share of a job that the author of its program earns.
		#[codec(index = 2)]
		pub static JobAuthor: Permill = Permill::from_percent(2);
		/// The burned share of a fee.
		#[codec(index = 3)]
		pub static FeeBurn: Permill = Permill::from_percent(50);
		/// The treasury's share of a fee.
		#[codec(index = 4)]
		pub static FeeTreasury: Permill = Permill::from_percent(30);
		/// The consensus-chain fee of a job, as a part of its burned share: so the ancestors of those
		/// who worked never receive as much as is burned.
		#[codec(index = 5)]
		pub static LineageOfBurn: Permill = Permill::from_percent(20);
	}

	/// The compute market.
	#[dynamic_pallet_params]
	#[codec(index = 2)]
	pub mod market {
		/// The least a node may be paid for 10⁹ multiply-accumulates, in plancks.
		#[codec(index = 0)]
		pub static FloorAsk: Balance = MICRO;
	}

	/// Proof of compute.
	#[dynamic_pallet_params]
	#[codec(index = 3)]
	pub mod proof {
		/// How likely a revealed job is audited.
		#[codec(index = 0)]
		pub static AuditProbability: Permill = Permill::from_percent(50);
		/// How many elements an audit draws, at most eight.
		#[codec(index = 1)]
		pub static AuditSamples: u32 = 4;
		/// Blocks a node has to reveal after it committed.
		#[codec(index = 2)]
		pub static RevealWindow: BlockNumber = MINUTES;
		/// Blocks a node has to answer an audit.
		#[codec(index = 3)]
		pub static AuditWindow: BlockNumber = 2 * MINUTES;
		/// Blocks after a reveal in which the job may be challenged.
		#[codec(index = 4)]
		pub static ChallengeWindow: BlockNumber = MINUTES;
	}

	/// What nodes have at stake.
	#[dynamic_pallet_params]
	#[codec(index = 4)]
	pub mod stake {
		/// The least bond of a node, in plancks.
		#[codec(index = 0)]
		pub static MinBond: Balance = 1_000 * UNIT;
		/// The bond above which more stake adds no weight in a draw, in plancks.
		#[codec(index = 1)]
		pub static MaxWeightBond: Balance = 100_000 * UNIT;
		/// What silence costs, as a share of the bond.
		#[codec(index = 2)]
		pub static SilentSlash: Permill = Permill::from_parts(1_000);
		/// What a proven lie costs, as a share of the bond and of everything that unbonds.
		#[codec(index = 3)]
		pub static FraudSlash: Permill = Permill::from_percent(50);
		/// The part of a slash for fraud that goes to whoever proved it.
		#[codec(index = 4)]
		pub static SlashToReporter: Permill = Permill::from_percent(20);
		/// The part of a slash that goes to the requester of the job. The rest is burned.
		#[codec(index = 5)]
		pub static SlashToRequester: Permill = Permill::from_percent(20);
		/// The least bond of a node of the middle tier, in plancks.
		#[codec(index = 6)]
		pub static MidTierBond: Balance = 2_000 * UNIT;
		/// The least bond of a node of the highest tier, in plancks.
		#[codec(index = 7)]
		pub static HighTierBond: Balance = 5_000 * UNIT;
		/// Blocks between the decision of a slash and its execution, in which it can be cancelled.
		#[codec(index = 8)]
		pub static SlashDelay: BlockNumber = 2 * DAYS;
		/// Blocks for which a proven lie keeps a node out.
		#[codec(index = 9)]
		pub static JailPeriod: BlockNumber = DAYS;
		/// Blocks within which an online node gives signs of life; 0 to ask for none.
		#[codec(index = 10)]
		pub static HeartbeatPeriod: BlockNumber = 0;
		/// The least that an account delegates to a node, in plancks.
		#[codec(index = 11)]
		pub static MinDelegation: Balance = 10 * UNIT;
		/// The most that a node keeps of its delegators' rewards.
		#[codec(index = 12)]
		pub static MaxCommission: Permill = Permill::from_percent(50);
		/// By how much a node with delegators raises that in an era at the most.
		#[codec(index = 13)]
		pub static MaxCommissionRaise: Permill = Permill::from_percent(5);
	}

	/// The attested level that each role requires, 0 for none and at most 4.
	#[dynamic_pallet_params]
	#[codec(index = 5)]
	pub mod compliance {
		/// Of those who offer GPU nodes.
		#[codec(index = 0)]
		pub static NodeLevel: u8 = 0;
		/// Of those who post jobs.
		#[codec(index = 1)]
		pub static RequesterLevel: u8 = 0;
		/// Of those who register programs.
		#[codec(index = 2)]
		pub static DeveloperLevel: u8 = 0;
		/// Of those who back nodes with their stake.
		#[codec(index = 3)]
		pub static DelegatorLevel: u8 = 0;
	}

	/// What an era may newly mint. Its maximum is `YearlyRate`, over the eras of a year, of what the
	/// reserve still holds.
	#[dynamic_pallet_params]
	#[codec(index = 6)]
	pub mod emission {
		/// The part of what is left of the reserve that a year releases.
		#[codec(index = 0)]
		pub static YearlyRate: Permill = Permill::from_percent(10);
		/// The nodes' part of an era's maximum. The rest is the validators'.
		#[codec(index = 1)]
		pub static NodeShare: Permill = Permill::from_percent(70);
		/// κ: nodes receive at most this part of what settled jobs burned in the era.
		#[codec(index = 2)]
		pub static BurnRebate: Permill = Permill::from_percent(50);
	}

	/// Who shares in the consensus-chain fee of a job, and how.
	#[dynamic_pallet_params]
	#[codec(index = 7)]
	pub mod lineage {
		/// The weight of contributions from which on a member is active, in plancks.
		#[codec(index = 0)]
		pub static ActiveWeight: Balance = UNIT;
		/// The part of an account's stake that counts as weight.
		#[codec(index = 1)]
		pub static StakeFactor: Permill = Permill::from_percent(1);
		/// The part of the fee that passes to the ancestors of the node.
		#[codec(index = 2)]
		pub static NodePart: Permill = Permill::from_percent(50);
		/// The part that passes to the ancestors of the requester. The rest passes to those of the
		/// program's author.
		#[codec(index = 3)]
		pub static RequesterPart: Permill = Permill::from_percent(30);
		/// What each degree receives of what the degree before it did, and the first one of the part.
		#[codec(index = 4)]
		pub static Ratio: Permill = Permill::from_percent(50);
	}

	/// Who validates, and what a fault costs.
	#[dynamic_pallet_params]
	#[codec(index = 8)]
	pub mod validators {
		/// The least bond of a candidate, in plancks.
		#[codec(index = 0)]
		pub static MinBond: Balance = 10_000 * UNIT;
		/// How many validators are elected.
		#[codec(index = 1)]
		pub static Count: u32 = 100;
		/// With fewer winners than this, members of the former set stay.
		#[codec(index = 2)]
		pub static MinCount: u32 = 4;
		/// What a node must burn in an era for each unit of stake that it adds to its stash's score.
		#[codec(index = 3)]
		pub static BurnPerStake: Permill = Permill::from_percent(2);
		/// The share of its stake that a validator loses which is silent for an era.
		#[codec(index = 4)]
		pub static SilenceSlash: Permill = Permill::from_parts(1_000);
		/// The part of a slash that goes to who reported the fault. The rest is burned.
		#[codec(index = 5)]
		pub static ReporterShare: Permill = Permill::from_percent(10);
		/// Eras between a report and its slash, in which it can be cancelled.
		#[codec(index = 6)]
		pub static SlashDelay: EraIndex = 7 * ERAS_PER_DAY;
		/// Eras for which an equivocation keeps a validator out.
		#[codec(index = 7)]
		pub static JailEras: EraIndex = ERAS_PER_DAY;
	}
}

impl pallet_parameters::Config for Runtime {
	type AdminOrigin = EnsureBounded<RuntimeOrigin>;
	type RuntimeEvent = RuntimeEvent;
	type RuntimeParameters = RuntimeParameters;
	type WeightInfo = weights::pallet_parameters::WeightInfo<Runtime>;
}

#[cfg(feature = "runtime-benchmarks")]
impl Default for RuntimeParameters {
	fn default() -> Self {
		RuntimeParameters::Fees(dynamic_params::fees::Parameters::Byte(
			dynamic_params::fees::Byte,
			Some(MICRO),
		))
	}
}
