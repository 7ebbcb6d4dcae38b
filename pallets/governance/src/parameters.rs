// SPDX-License-Identifier: Apache-2.0

//! What is known about a parameter beside its value.

use alloc::vec::Vec;
use codec::{Decode, Encode};
use scale_info::TypeInfo;
use sp_runtime::Permill;

/// In what a parameter is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub enum Unit {
	/// Millionths of a whole.
	#[codec(index = 0)]
	PartsPerMillion,
	/// Plancks of TNA.
	#[codec(index = 1)]
	Plancks,
	/// Blocks.
	#[codec(index = 2)]
	Blocks,
	/// A number of things.
	#[codec(index = 3)]
	Count,
}

/// A parameter as governance sees it. All figures are in `unit`.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, TypeInfo)]
pub struct ParameterInfo {
	/// Its module and name, as `module.Name`.
	pub name: Vec<u8>,
	/// In what it is counted.
	pub unit: Unit,
	/// Its value now: the default where nobody has set it.
	pub current: u128,
	/// The least it may be set to.
	pub least: u128,
	/// The most it may be set to.
	pub most: u128,
}

/// The bounds of all parameters of a runtime.
pub trait ParameterBounds<KeyValue> {
	/// Whether the parameter may be set so. A return to the default is always allowed.
	fn allows(key_value: &KeyValue) -> bool;

	/// Every parameter.
	fn all() -> Vec<ParameterInfo>;
}

/// A value of a parameter as a plain number.
pub trait Measure {
	/// The number, in the parameter's unit.
	fn measure(&self) -> u128;
}

impl Measure for u128 {
	fn measure(&self) -> u128 {
		*self
	}
}

impl Measure for u8 {
	fn measure(&self) -> u128 {
		(*self).into()
	}
}

impl Measure for u32 {
	fn measure(&self) -> u128 {
		(*self).into()
	}
}

impl Measure for Permill {
	fn measure(&self) -> u128 {
		self.deconstruct().into()
	}
}
