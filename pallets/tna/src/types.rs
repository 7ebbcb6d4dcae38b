// SPDX-License-Identifier: Apache-2.0

//! What is stored and reported of the emission.

use alloc::vec::Vec;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use sp_runtime::traits::AtLeast32BitUnsigned;
use tensornet_protocol::{BurnCause, EraIndex, RewardReason};

/// What an ended era may mint, and what it minted so far. Amounts in the smallest unit.
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
)]
pub struct Budget<Balance> {
	/// For nodes and those who back them.
	pub nodes: Balance,
	/// For validators.
	pub validators: Balance,
	/// What nodes and their backers received.
	pub minted_nodes: Balance,
	/// What validators received.
	pub minted_validators: Balance,
}

impl<Balance: AtLeast32BitUnsigned + Copy> Budget<Balance> {
	/// What may still be minted for `reason`.
	pub fn left(&self, reason: RewardReason) -> Balance {
		match reason {
			RewardReason::Compute | RewardReason::Delegation => {
				self.nodes.saturating_sub(self.minted_nodes)
			}
			RewardReason::Validation => self.validators.saturating_sub(self.minted_validators),
		}
	}

	/// What may still be minted at all.
	pub fn open(&self) -> Balance {
		self.left(RewardReason::Compute).saturating_add(self.left(RewardReason::Validation))
	}

	/// Counts `amount` as minted for `reason`.
	pub(crate) fn minted(&mut self, reason: RewardReason, amount: Balance) {
		match reason {
			RewardReason::Compute | RewardReason::Delegation => {
				self.minted_nodes.saturating_accrue(amount)
			}
			RewardReason::Validation => self.minted_validators.saturating_accrue(amount),
		}
	}
}

/// What an account received of what was minted, by reason.
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
)]
pub struct Earned<Balance> {
	/// Because its node computed jobs that settled.
	pub compute: Balance,
	/// Because it backed such a node.
	pub delegation: Balance,
	/// Because it validated blocks.
	pub validation: Balance,
}

impl<Balance: AtLeast32BitUnsigned + Copy> Earned<Balance> {
	/// Adds `amount` to what was received for `reason`.
	pub(crate) fn add(&mut self, reason: RewardReason, amount: Balance) {
		match reason {
			RewardReason::Compute => self.compute.saturating_accrue(amount),
			RewardReason::Delegation => self.delegation.saturating_accrue(amount),
			RewardReason::Validation => self.validation.saturating_accrue(amount),
		}
	}
}

/// The state of the supply. Amounts in the smallest unit.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct Supply<Balance> {
	/// What exists.
	pub issued: Balance,
	/// The most that may ever exist.
	pub cap: Balance,
	/// What existed at genesis.
	pub genesis: Balance,
	/// What was burned since, by cause; causes for which nothing was are left out.
	pub burned: Vec<(BurnCause, Balance)>,
	/// What was minted since, by reason; reasons for which nothing was are left out.
	pub emitted: Vec<(RewardReason, Balance)>,
	/// What no era has released of the reserve yet.
	pub reserve: Balance,
	/// The running era.
	pub era: EraIndex,
	/// What settled jobs burned in the running era so far.
	pub era_burn: Balance,
	/// The most that nodes receive for the running era, however much is burned.
	pub era_node_maximum: Balance,
	/// What the running era would be given if it ended now.
	pub next: Budget<Balance>,
}

impl<Balance: AtLeast32BitUnsigned + Copy> Supply<Balance> {
	/// What was burned for whatever cause.
	pub fn burned_in_all(&self) -> Balance {
		self.burned.iter().fold(Balance::zero(), |sum, (_, amount)| sum.saturating_add(*amount))
	}

	/// What was minted for whatever reason.
	pub fn emitted_in_all(&self) -> Balance {
		self.emitted.iter().fold(Balance::zero(), |sum, (_, amount)| sum.saturating_add(*amount))
	}
}
