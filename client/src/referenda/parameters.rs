// SPDX-License-Identifier: Apache-2.0

//! Protocol parameters: what they are, what bounds them, and the call that sets one.

use anyhow::{Context, Result};
use codec::Decode;
use subxt::dynamic::Value;

use crate::Snapshot;

/// In what a parameter is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
	/// Millionths of a whole.
	PartsPerMillion,
	/// The smallest unit of TNA.
	Plancks,
	/// Blocks.
	Blocks,
	/// A number of things.
	Count,
}

#[derive(Decode)]
struct RawParameter {
	name: Vec<u8>,
	unit: u8,
	current: u128,
	least: u128,
	most: u128,
}

/// A protocol parameter. All figures are in its unit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parameter {
	/// `group.Name`.
	pub name: String,
	/// In what it is counted.
	pub unit: Unit,
	/// Its value now.
	pub current: u128,
	/// The least it may be set to.
	pub least: u128,
	/// The most it may be set to.
	pub most: u128,
}

/// All protocol parameters with their values and bounds.
pub async fn parameters(at: &Snapshot) -> Result<Vec<Parameter>> {
	let raw: Vec<RawParameter> = at.view("Governance", "parameters", ()).await?;
	let parameter = |raw: RawParameter| Parameter {
		name: String::from_utf8_lossy(&raw.name).into_owned(),
		unit: match raw.unit {
			0 => Unit::PartsPerMillion,
			1 => Unit::Plancks,
			2 => Unit::Blocks,
			// A unit of a later runtime is shown as the bare number that it is.
			_ => Unit::Count,
		},
		current: raw.current,
		least: raw.least,
		most: raw.most,
	};
	Ok(raw.into_iter().map(parameter).collect())
}

/// The encoding of the call that sets a parameter, or with `None` returns it to its default. `name` is
/// `group.Name`; the chain's metadata says how its value is encoded.
pub fn set_parameter(at: &Snapshot, name: &str, value: Option<u128>) -> Result<Vec<u8>> {
	let (group, parameter) =
		name.split_once('.').with_context(|| format!("'{name}' is not group.Name"))?;
	// The group is a module in the runtime, and a variant of that name in the metadata.
	let mut letters = group.chars();
	let group: String = letters
		.next()
		.map(|first| first.to_uppercase().chain(letters).collect())
		.with_context(|| format!("'{name}' names no group"))?;
	let none: [Value; 0] = [];
	let value = match value {
		Some(value) => Value::unnamed_variant("Some", [Value::u128(value)]),
		None => Value::unnamed_variant("None", none.clone()),
	};
	let key = Value::unnamed_composite(none);
	let change = Value::unnamed_variant(group, [Value::unnamed_variant(parameter, [key, value])]);
	let mut call = at.call_prefix("Governance", "set_parameter")?;
	call.extend(at.argument("Governance", "set_parameter", 0, &change)?);
	Ok(call)
}
