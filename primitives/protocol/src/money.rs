// SPDX-License-Identifier: Apache-2.0

//! How the price of a job is shared.

use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use serde::{Deserialize, Serialize};
use sp_arithmetic::{traits::AtLeast32BitUnsigned, Permill};

/// Multiply-accumulates that one unit of an ask buys.
pub const MACS_PER_ASK: u128 = 1_000_000_000;

/// Why TNA was burned.
#[derive(
	Clone,
	Copy,
	Debug,
	PartialEq,
	Eq,
	PartialOrd,
	Ord,
	Encode,
	Decode,
	DecodeWithMemTracking,
	TypeInfo,
	MaxEncodedLen,
	Serialize,
	Deserialize,
)]
pub enum BurnCause {
	/// The burned share of a settled job.
	#[codec(index = 0)]
	Job,
	/// The burned share of transaction fees.
	#[codec(index = 1)]
	Fee,
	/// The burned share of a slash.
	#[codec(index = 2)]
	Slash,
	/// What an account held below the existential deposit when it was reaped, and what was too little
	/// for any payee to receive.
	#[codec(index = 3)]
	Dust,
	/// Burned by its owner's own choice.
	#[codec(index = 4)]
	Voluntary,
	/// The part of a consensus-chain fee that found no active ancestor.
	#[codec(index = 5)]
	Lineage,
}

/// Shares of a settled job's price. What they leave is the node's.
#[derive(
	Clone,
	Copy,
	Debug,
	Default,
	PartialEq,
	Eq,
	Encode,
	Decode,
	DecodeWithMemTracking,
	TypeInfo,
	MaxEncodedLen,
	Serialize,
	Deserialize,
)]
pub struct Shares {
	/// Burned.
	pub burn: Permill,
	/// To the treasury.
	pub treasury: Permill,
	/// To the author of the program.
	pub author: Permill,
	/// The consensus-chain fee: to the ancestors of the accounts whose contributions settled. What
	/// finds no active ancestor is burned.
	pub lineage: Permill,
}

/// A price divided: `node + burn + treasury + author + lineage` is the price, to the last unit.
#[derive(
	Clone,
	Copy,
	Debug,
	Default,
	PartialEq,
	Eq,
	Encode,
	Decode,
	DecodeWithMemTracking,
	TypeInfo,
	MaxEncodedLen,
	Serialize,
	Deserialize,
)]
pub struct Split<Balance> {
	/// To the node: everything the shares leave, rounding remainders included.
	pub node: Balance,
	/// Burned.
	pub burn: Balance,
	/// To the treasury.
	pub treasury: Balance,
	/// To the author of the program.
	pub author: Balance,
	/// The consensus-chain fee.
	pub lineage: Balance,
}

impl Shares {
	/// Divides `price`. Shares are taken in the order burn, treasury, author, lineage, each at
	/// most what is
	/// left, so that no setting of the shares can pay out more than the price.
	pub fn split<Balance: AtLeast32BitUnsigned + Copy>(&self, price: Balance) -> Split<Balance> {
		let mut left = price;
		let mut take = |share: Permill| {
			let part = share.mul_floor(price).min(left);
			left = left.saturating_sub(part);
			part
		};
		let burn = take(self.burn);
		let treasury = take(self.treasury);
		let author = take(self.author);
		let lineage = take(self.lineage);
		Split { node: left, burn, treasury, author, lineage }
	}
}

/// Price of `macs` multiply-accumulates at `ask` TNA units for each 10^9, rounded up, or `None` if it
/// does not fit.
pub fn price_of<Balance: TryFrom<u128> + Into<u128>>(macs: u128, ask: Balance) -> Option<Balance> {
	let scaled = macs.checked_mul(ask.into())?;
	let price = scaled.checked_add(MACS_PER_ASK.checked_sub(1)?)?.checked_div(MACS_PER_ASK)?;
	Balance::try_from(price).ok()
}
