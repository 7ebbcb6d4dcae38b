// SPDX-License-Identifier: Apache-2.0

//! The bounds of protocol parameters: within them any vote is safe for the chain's laws, whatever the
//! other parameters are.
//!
//! - The shares of a job are at most 30 + 10 + 10 = 50 %, so a node keeps at least half of its price.
//! - The shares of a fee are at most 60 + 40 = 100 %.
//! - The parts of a slash are at most 30 + 30 = 60 %: at least four tenths burn, and nobody wins by
//!   being slashed.
//! - Windows stay below the unbonding period of seven days, all of them together.
//! - The least bond is at most the bond that counts.

use crate::{
	configs::parameters::{
		dynamic_params::{compliance, fees, market, proof, shares, stake},
		RuntimeParameters,
	},
	currency::{MICRO, MILLI, UNIT},
	time::{DAYS, HOURS, MINUTES},
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
	}
	Compliance compliance {
		NodeLevel: Count, 0, MAX_LEVEL;
		RequesterLevel: Count, 0, MAX_LEVEL;
		DeveloperLevel: Count, 0, MAX_LEVEL;
		DelegatorLevel: Count, 0, MAX_LEVEL;
	}
}
