// SPDX-License-Identifier: Apache-2.0

//! Who holds the first TNA: the table, what must be true of it, and the genesis it makes.
//!
//! ```
//! use tensornet_chain_spec::tokenomics::{Tokenomics, TABLE};
//!
//! let table = Tokenomics::read(TABLE)?;
//! assert_eq!(table.minted(), 600_000_000);
//! # Ok::<(), String>(())
//! ```

mod check;
mod genesis;

use serde::Deserialize;
use std::collections::BTreeMap;

/// The table of this repository, whose accounts are those of development.
pub const TABLE: &str = include_str!("../../tokenomics.toml");

/// What stands for an account where the treasury is the holder.
pub const TREASURY: &str = "treasury";

/// What stands for an account where nothing is minted at genesis but reserved for later emission.
pub const RESERVE: &str = "reserve";

/// The table. Amounts in whole TNA.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tokenomics {
	/// The most that may ever exist.
	pub cap: u64,
	/// Parts of the cap by name, in percent.
	pub share: BTreeMap<String, u64>,
	/// Who has what of which part.
	pub holder: Vec<Holder>,
	/// Who authors and finalizes the first blocks.
	pub validator: Vec<Validator>,
}

/// An account of the genesis.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Holder {
	/// The part of the cap that this belongs to.
	pub part: String,
	/// Who it is.
	pub name: String,
	/// Its address, or [`TREASURY`], or [`RESERVE`].
	pub account: String,
	/// What it has.
	pub tna: u64,
	/// What of it is not free at once, and when it is.
	pub vesting: Option<Vesting>,
}

/// Nothing is free until `start_days + cliff_days` after the first block, then it is freed evenly over
/// `days`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Vesting {
	/// How much vests.
	pub tna: u64,
	/// When the holder's time begins.
	pub start_days: u32,
	/// How much later the first of it is free.
	pub cliff_days: u32,
	/// How long it takes from then.
	pub days: u32,
}

/// A validator of the genesis.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Validator {
	/// The address of a holder, whose stake it is.
	pub stash: String,
	/// The address of the sr25519 key that authors blocks.
	pub babe: String,
	/// The address of the ed25519 key that finalizes them.
	pub grandpa: String,
	/// What it stakes.
	pub bond: u64,
}

/// What a chain is for, and so which accounts it may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
	/// A rehearsal: any account will do.
	Staging,
	/// The real thing: no account whose key is public knowledge.
	Main,
}

impl Tokenomics {
	/// Reads a table and checks it.
	///
	/// # Errors
	///
	/// What is wrong, where, and what it should be.
	pub fn read(text: &str) -> Result<Self, String> {
		let table: Self =
			toml::from_str(text).map_err(|error| format!("the table is not readable: {error}"))?;
		table.check()?;
		Ok(table)
	}

	/// What is minted at genesis, in whole TNA.
	pub fn minted(&self) -> u64 {
		self.holders().map(|holder| holder.tna).sum()
	}

	/// What is reserved for emission, in whole TNA.
	pub fn reserved(&self) -> u64 {
		self.holder.iter().filter(|holder| holder.is_reserve()).map(|holder| holder.tna).sum()
	}

	/// Those who hold something from the start.
	pub fn holders(&self) -> impl Iterator<Item = &Holder> {
		self.holder.iter().filter(|holder| !holder.is_reserve())
	}
}

impl Holder {
	fn is_reserve(&self) -> bool {
		self.account == RESERVE
	}
}
