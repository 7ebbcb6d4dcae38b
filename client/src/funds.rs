// SPDX-License-Identifier: Apache-2.0

//! What accounts own, why some of it is held, and what was burned.
//!
//! Amounts are in the smallest unit of TNA.

use anyhow::Result;
use scale_decode::DecodeAsType;
use subxt::{dynamic::Value, ext::scale_value::ValueDef};

use crate::{AccountId, Snapshot};

/// An account's TNA.
#[derive(Clone, Debug, PartialEq, Eq, DecodeAsType)]
pub struct Balance {
	/// Free to use.
	pub free: u128,
	/// On hold: bonds, prices of jobs, deposits.
	pub reserved: u128,
}

#[derive(Clone, Debug, DecodeAsType)]
struct AccountInfo {
	data: Balance,
}

/// An account's TNA; zero for an account that does not exist.
pub async fn balance(at: &Snapshot, account: &AccountId) -> Result<Balance> {
	let info = at.get::<_, AccountInfo>("System", "Account", (*account,)).await?;
	Ok(info.map_or(Balance { free: 0, reserved: 0 }, |info| info.data))
}

#[derive(Clone, Debug, DecodeAsType)]
struct RawHold {
	id: Value,
	amount: u128,
}

/// What is held of an account's TNA, by reasons as `Pallet.Reason`.
pub async fn holds(at: &Snapshot, account: &AccountId) -> Result<Vec<(String, u128)>> {
	let holds = at.get::<_, Vec<RawHold>>("Balances", "Holds", (*account,)).await?;
	// Reasons are enums in enums: a later runtime's need not be known here to be named.
	let named = |hold: RawHold| {
		let mut names = Vec::new();
		let mut part = Some(&hold.id);
		while let Some(Value { value: ValueDef::Variant(variant), .. }) = part {
			names.push(variant.name.clone());
			part = variant.values.values().next();
		}
		(names.join("."), hold.amount)
	};
	Ok(holds.unwrap_or_default().into_iter().map(named).collect())
}

/// Causes for which TNA is burned, in the order of [`burned`].
pub const BURN_CAUSES: [&str; 5] = ["Job", "Fee", "Slash", "Dust", "Voluntary"];

#[derive(Clone, Copy, Debug, DecodeAsType)]
enum BurnCause {
	Job,
	Fee,
	Slash,
	Dust,
	Voluntary,
}

/// TNA burned since genesis, by cause in the order of [`BURN_CAUSES`].
pub async fn burned(at: &Snapshot) -> Result<[u128; 5]> {
	let mut totals = [0; 5];
	for (cause, amount) in at.entries::<BurnCause, u128>("Tna", "Burned").await? {
		if let Some(total) = totals.get_mut(cause as usize) {
			*total = amount;
		}
	}
	Ok(totals)
}
