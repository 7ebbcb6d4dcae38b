// SPDX-License-Identifier: Apache-2.0

//! The genesis that a table makes, as a patch over the runtime's default one.

use super::{check, Holder, Purpose, Tokenomics, Validator, Vesting};
use serde_json::{json, Value};
use tensornet_runtime::{
	currency::UNIT, time::DAYS, AccountId, Balance, BlockNumber, SessionKeys,
	BABE_GENESIS_EPOCH_CONFIG,
};

/// Who, from which block, for how many blocks, and what is free at once.
type Schedule = (AccountId, BlockNumber, BlockNumber, Balance);

impl Tokenomics {
	/// The genesis settings: balances, vesting schedules, validators. There is no root key.
	///
	/// # Errors
	///
	/// Where a chain for `purpose` may not have one of the accounts.
	pub fn genesis(&self, purpose: Purpose) -> Result<Value, String> {
		self.check_purpose(purpose)?;
		let balances = self.holders().map(Holder::balance).collect::<Result<Vec<_>, _>>()?;
		let vesting = self
			.holders()
			.filter_map(|holder| holder.vesting.map(|vesting| holder.schedule(vesting)))
			.collect::<Result<Vec<_>, _>>()?;
		let keys = self.validator.iter().map(Validator::session).collect::<Result<Vec<_>, _>>()?;
		let candidates =
			self.validator.iter().map(Validator::candidate).collect::<Result<Vec<_>, _>>()?;
		Ok(json!({
			"balances": { "balances": balances },
			"vesting": { "vesting": vesting },
			"babe": { "epochConfig": BABE_GENESIS_EPOCH_CONFIG },
			"session": { "keys": keys },
			"validators": { "candidates": candidates },
		}))
	}
}

fn in_units(tna: u64) -> Balance {
	Balance::from(tna).saturating_mul(UNIT)
}

impl Holder {
	fn balance(&self) -> Result<(AccountId, Balance), String> {
		Ok((check::account(&self.account)?, in_units(self.tna)))
	}

	/// An account has one schedule: of several, the SDK's genesis locks the last one's amount only.
	fn schedule(&self, vesting: Vesting) -> Result<Schedule, String> {
		let begin = vesting.start_days.saturating_add(vesting.cliff_days).saturating_mul(DAYS);
		let free = in_units(self.tna.saturating_sub(vesting.tna));
		Ok((check::account(&self.account)?, begin, vesting.days.saturating_mul(DAYS), free))
	}
}

impl Validator {
	fn session(&self) -> Result<(AccountId, AccountId, SessionKeys), String> {
		let stash = check::account(&self.stash)?;
		let keys = SessionKeys {
			babe: check::babe_key(&self.babe)?.into(),
			grandpa: check::grandpa_key(&self.grandpa)?.into(),
		};
		Ok((stash.clone(), stash, keys))
	}

	fn candidate(&self) -> Result<(AccountId, Balance), String> {
		Ok((check::account(&self.stash)?, in_units(self.bond)))
	}
}
