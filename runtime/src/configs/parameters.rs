// SPDX-License-Identifier: Apache-2.0

//! The parameters that governance may change without a runtime upgrade.

use crate::{
	currency::{MICRO, MILLI, UNIT},
	time::MINUTES,
	weights, Balance, BlockNumber, Runtime, RuntimeEvent, RuntimeOrigin,
};
use frame_support::dynamic_params::{dynamic_pallet_params, dynamic_params};
use pallet_tensornet_governance::EnsureBounded;
use sp_runtime::Permill;

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
