// SPDX-License-Identifier: Apache-2.0

//! How much an era may mint, as pure arithmetic.
//!
//! Of a reserve of which `left` is left, an era releases
//!
//! ```text
//! maximum = floor(floor(rate × left) / eras per year)
//! ```
//!
//! and leaves `left − maximum` to the next one. While the rate stays the same, eras release less and
//! less: after `n` of them `reserve × (1 − rate / eras per year)ⁿ` is left, rounded up. Because each
//! takes from what is left, all of them together release at most the reserve, for every sequence of
//! rates.

use crate::Budget;
use sp_runtime::{
	traits::{AtLeast32BitUnsigned, Zero},
	Permill,
};

/// What an era releases of a reserve of which `left` is left.
pub fn maximum<Balance>(left: Balance, rate: Permill, eras_per_year: u32) -> Balance
where
	Balance: AtLeast32BitUnsigned + Copy,
{
	rate.mul_floor(left).checked_div(&eras_per_year.max(1).into()).unwrap_or_else(Zero::zero)
}

/// The nodes' part of what an era releases, before what was burned is looked at.
pub fn node_maximum<Balance>(maximum: Balance, node_share: Permill) -> Balance
where
	Balance: AtLeast32BitUnsigned + Copy,
{
	node_share.mul_floor(maximum)
}

/// Divides what an era releases: nodes get their share of it, but at most `rebate` of what settled
/// jobs `burned`; validators get what the nodes' share leaves, whatever was burned.
pub fn divide<Balance>(
	maximum: Balance,
	node_share: Permill,
	rebate: Permill,
	burned: Balance,
) -> Budget<Balance>
where
	Balance: AtLeast32BitUnsigned + Copy + Default,
{
	let nodes = node_maximum(maximum, node_share);
	Budget {
		nodes: nodes.min(rebate.mul_floor(burned)),
		validators: maximum.saturating_sub(nodes),
		..Default::default()
	}
}
