// SPDX-License-Identifier: Apache-2.0

//! The bounds of protocol parameters: within them any vote is safe for the chain's laws, whatever the
//! other parameters are.
//!
//! - The shares of a job are at most 30 + 10 + 10 + 15 = 65 %, so a node keeps at least 35 % of its
//!   price.
//! - The consensus-chain fee of a job is at most half of its burn, and each degree of ancestors receives
//!   at most half of what the degree before it did: all shares together stay below the burn, so nobody
//!   wins by inventing ancestors.
//! - The shares of a fee are at most 60 + 40 = 100 %.
//! - The parts of a slash are at most 30 + 30 = 60 %: at least four tenths burn, and nobody wins by
//!   being slashed.
//! - Windows stay below the unbonding period of seven days, all of them together and with the delay of
//!   slashes; a node may be jailed for as long as its stake unbonds.
//! - The least bond is at most the bond that counts, in every tier.
//! - A slashed validator wins back at most a fifth of its slash by reporting itself, and a cancelled slash
//!   has a day to be cancelled in.
//! - Nodes receive at most 90 % of what their jobs burned, so paying oneself for jobs always loses.
//! - A unit of stake that is feigned by such jobs costs at least a tenth of a thousandth of it an era, 14.6 %
//!   a year: more than what real stake costs to borrow.

use crate::{
	configs::parameters::{
		dynamic_params::{
			compliance, emission, fees, lineage, market, proof, shares, stake, validators,
		},
		RuntimeParameters,
	},
	configs::session::MAX_VALIDATORS,
	currency::{MICRO, MILLI, UNIT},
	time::{DAYS, ERAS_PER_DAY, HOURS, MINUTES},
};
use alloc::{vec, vec::Vec};
use frame_support::traits::Get;
use pallet_tensornet_governance::{Measure, ParameterBounds, ParameterInfo, Unit};
use tensornet_protocol::MAX_LEVEL;

const fn percent(percent: u32) -> u128 {
	percent as u128 * 10_000
}

macro_rules! bounds {
	($($group:ident $module:ident { $($name:ident: $unit:ident, $least:expr, $most:expr;)* })*) => {
		/// The bounds of this runtime.
		pub struct Bounds;

		impl ParameterBounds<RuntimeParameters> for Bounds {
			// Without a wildcard: a parameter without bounds does not compile.
			fn allows(key_value: &RuntimeParameters) -> bool {
				match key_value {
					$($(
						RuntimeParameters::$group($module::Parameters::$name(_, value)) => {
							value.as_ref().is_none_or(|value| {
								((($least) as u128)..=(($most) as u128)).contains(&value.measure())
							})
						}
					)*)*
				}
			}

			fn all() -> Vec<ParameterInfo> {
				vec![$($(
					ParameterInfo {
						name: concat!(stringify!($module), ".", stringify!($name))
							.as_bytes()
							.to_vec(),
						unit: Unit::$unit,
						current: $module::$name::get().measure(),
						least: ($least) as u128,
						most: ($most) as u128,
					},
				)*)*]
			}
		}
	};
}

bounds! {
	Fees fees {
		ExecutionMillisecond: Plancks, MICRO, UNIT;
		Byte: Plancks, 0, MILLI;
	}
	Shares shares {
		JobBurn: PartsPerMillion, percent(1), percent(30);
		JobTreasury: PartsPerMillion, 0, percent(10);
		JobAuthor: PartsPerMillion, 0, percent(10);
		FeeBurn: PartsPerMillion, percent(20), percent(60);
		FeeTreasury: PartsPerMillion, 0, percent(40);
		LineageOfBurn: PartsPerMillion, 0, percent(50);
	}
	Market market {
		FloorAsk: Plancks, 1, UNIT;
	}
	Proof proof {
		AuditProbability: PartsPerMillion, percent(1), percent(100);
		AuditSamples: Count, 1, 8;
		RevealWindow: Blocks, 5, 12 * HOURS;
		AuditWindow: Blocks, 2 * MINUTES / 4, DAYS;
		ChallengeWindow: Blocks, MINUTES / 2, 2 * DAYS;
	}
	Stake stake {
		MinBond: Plancks, UNIT, 10_000 * UNIT;
		MaxWeightBond: Plancks, 10_000 * UNIT, 100_000_000 * UNIT;
		SilentSlash: PartsPerMillion, 100, percent(1);
		FraudSlash: PartsPerMillion, percent(10), percent(100);
		SlashToReporter: PartsPerMillion, percent(1), percent(30);
		SlashToRequester: PartsPerMillion, 0, percent(30);
		MidTierBond: Plancks, UNIT, 10_000 * UNIT;
		HighTierBond: Plancks, UNIT, 10_000 * UNIT;
		SlashDelay: Blocks, 12 * HOURS, 3 * DAYS;
		JailPeriod: Blocks, 0, 7 * DAYS;
		HeartbeatPeriod: Blocks, 0, DAYS;
		MinDelegation: Plancks, 100 * MILLI, 10_000 * UNIT;
		MaxCommission: PartsPerMillion, 0, percent(50);
		MaxCommissionRaise: PartsPerMillion, percent(1), percent(20);
	}
	Compliance compliance {
		NodeLevel: Count, 0, MAX_LEVEL;
		RequesterLevel: Count, 0, MAX_LEVEL;
		DeveloperLevel: Count, 0, MAX_LEVEL;
		DelegatorLevel: Count, 0, MAX_LEVEL;
	}
	Emission emission {
		YearlyRate: PartsPerMillion, percent(1), percent(25);
		NodeShare: PartsPerMillion, percent(30), percent(90);
		BurnRebate: PartsPerMillion, 0, percent(90);
	}
	Lineage lineage {
		ActiveWeight: Plancks, MILLI, 1_000_000 * UNIT;
		StakeFactor: PartsPerMillion, 0, percent(100);
		NodePart: PartsPerMillion, 0, percent(50);
		RequesterPart: PartsPerMillion, 0, percent(50);
		Ratio: PartsPerMillion, percent(10), percent(50);
	}
	Validators validators {
		MinBond: Plancks, 100 * UNIT, 1_000_000 * UNIT;
		Count: Count, 1, MAX_VALIDATORS;
		MinCount: Count, 1, 20;
		BurnPerStake: PartsPerMillion, 1_000, percent(100);
		SilenceSlash: PartsPerMillion, 0, percent(1);
		ReporterShare: PartsPerMillion, 0, percent(20);
		SlashDelay: Count, ERAS_PER_DAY, 14 * ERAS_PER_DAY;
		JailEras: Count, 1, 28 * ERAS_PER_DAY;
	}
}
