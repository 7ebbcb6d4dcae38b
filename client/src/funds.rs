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

/// Everybody's TNA together, free and held, account by account.
pub async fn owned(at: &Snapshot) -> Result<u128> {
	let accounts = at.entries::<AccountId, AccountInfo>("System", "Account").await?;
	Ok(accounts.into_iter().map(|(_, info)| info.data.free + info.data.reserved).sum())
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
pub const BURN_CAUSES: [&str; 6] = ["Job", "Fee", "Slash", "Dust", "Voluntary", "Lineage"];

#[derive(Clone, Copy, Debug, DecodeAsType)]
enum BurnCause {
	Job,
	Fee,
	Slash,
	Dust,
	Voluntary,
	Lineage,
}

/// TNA burned since genesis, by cause in the order of [`BURN_CAUSES`].
pub async fn burned(at: &Snapshot) -> Result<[u128; 6]> {
	let mut totals = [0; 6];
	for (cause, amount) in at.entries::<BurnCause, u128>("Tna", "Burned").await? {
		if let Some(total) = totals.get_mut(cause as usize) {
			*total = amount;
		}
	}
	Ok(totals)
}

#[derive(Clone, Copy, Debug, DecodeAsType)]
enum RewardReason {
	Compute,
	Delegation,
	Validation,
}

/// TNA minted since genesis, for all reasons together.
pub async fn emitted(at: &Snapshot) -> Result<u128> {
	let reasons = at.entries::<RewardReason, u128>("Tna", "Emitted").await?;
	Ok(reasons.into_iter().map(|(_, amount)| amount).sum())
}

/// What an era may mint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, DecodeAsType)]
pub struct Budget {
	/// For nodes and those who back them.
	pub nodes: u128,
	/// For validators.
	pub validators: u128,
}

/// The state of the supply.
#[derive(Clone, Debug, PartialEq, Eq, DecodeAsType)]
pub struct Supply {
	/// What exists.
	pub issued: u128,
	/// The most that may ever exist.
	pub cap: u128,
	/// What existed at genesis.
	pub genesis: u128,
	emitted: Vec<(Value, u128)>,
	/// What no era has released of the reserve yet.
	pub reserve: u128,
	/// The running era.
	pub era: u32,
	/// What settled jobs burned in the running era so far.
	pub era_burn: u128,
	/// What the running era would be given if it ended now.
	pub next: Budget,
}

impl Supply {
	/// What was minted since genesis, by reason.
	pub fn emitted(&self) -> impl Iterator<Item = (String, u128)> + '_ {
		self.emitted.iter().map(|(reason, amount)| (crate::dynamic::text(reason), *amount))
	}
}

/// The state of the supply.
pub async fn supply(at: &Snapshot) -> Result<Supply> {
	at.view_as("Tna", "supply", ()).await
}
