// SPDX-License-Identifier: Apache-2.0

//! Calls as bytes, and values whose types only the chain's metadata knows: what governance proposes is
//! any call, and a parameter is known to a client by its name alone.

use anyhow::{Context, Result};
use codec::Encode;
use scale_decode::DecodeAsType;
use std::fmt;
use subxt::{
	dynamic::Value,
	ext::{
		scale_encode::EncodeAsType,
		scale_value::{Composite, Primitive, ValueDef},
	},
	transactions::Payload,
};

use crate::{calls::Call, Root, Snapshot};

/// A call read from its bytes. Its text is `Pallet.call(name: value, …)`.
#[derive(Clone, Debug, PartialEq)]
pub struct DecodedCall {
	/// The pallet.
	pub pallet: String,
	/// The call within it.
	pub name: String,
	/// The arguments.
	pub arguments: Composite<()>,
}

impl DecodedCall {
	/// The first argument.
	pub fn first(&self) -> Option<&Value> {
		self.arguments.values().next()
	}
}

impl fmt::Display for DecodedCall {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		write!(f, "{}.{}({})", self.pallet, self.name, composite(&self.arguments))
	}
}

impl Snapshot {
	/// The encoding of a call: the numbers of its pallet and of itself, and its arguments. This is what
	/// batches, multisigs, proxies and referenda carry.
	pub fn encoded(&self, call: &Call) -> Result<Vec<u8>> {
		self.at
			.transactions()
			.call_data(call)
			.with_context(|| format!("this chain has no call {}", call.label()))
	}

	/// The numbers of a pallet and of one of its calls, with which the encoding of that call begins.
	pub fn call_prefix(&self, pallet: &str, call: &str) -> Result<Vec<u8>> {
		let found = self.at.metadata_ref().pallet_by_name(pallet);
		found
			.and_then(|found| {
				Some(vec![found.call_index(), found.call_variant_by_name(call)?.index])
			})
			.with_context(|| format!("this chain has no call {pallet}.{call}"))
	}

	/// Reads a call from its encoding. Fails where that is no call of this chain, or more than one.
	pub fn decoded(&self, bytes: &[u8]) -> Result<DecodedCall> {
		let call = self
			.at
			.transactions()
			.from_call_data_bytes(bytes)
			.context("these bytes are no call of this chain")?;
		Ok(DecodedCall {
			pallet: Payload::pallet_name(&call).to_owned(),
			name: Payload::call_name(&call).to_owned(),
			arguments: Payload::call_data(&call).clone(),
		})
	}

	/// The encoding of an argument of a call, from a value that names its variants and fields.
	pub fn argument(
		&self,
		pallet: &str,
		call: &str,
		position: usize,
		value: &Value,
	) -> Result<Vec<u8>> {
		let metadata = self.at.metadata_ref();
		let field = metadata
			.pallet_by_name(pallet)
			.and_then(|pallet| pallet.call_variant_by_name(call))
			.and_then(|call| call.fields.get(position))
			.with_context(|| format!("this chain has no call {pallet}.{call} of that form"))?;
		value
			.encode_as_type(field.ty.id, metadata.types())
			.with_context(|| format!("this chain's {pallet}.{call} takes no such value"))
	}

	/// The result of a pallet's view function, decoded by the names of its fields. Arguments are in
	/// SCALE, in the order and of the types that the pallet declares.
	pub async fn view_as<A: Encode, V: DecodeAsType>(
		&self,
		pallet: &str,
		function: &str,
		arguments: A,
	) -> Result<V> {
		let metadata = self.at.metadata_ref();
		let output = metadata
			.pallet_by_name(pallet)
			.and_then(|pallet| pallet.view_function_by_name(function))
			.map(|function| function.output_ty())
			.with_context(|| format!("this chain has no view function {pallet}.{function}"))?;
		let bytes = self.view_bytes(pallet, function, arguments).await?;
		V::decode_as_type(&mut &*bytes, output, metadata.types()).with_context(|| {
			format!("{pallet}.{function} of this chain answers otherwise: is this client too old?")
		})
	}

	/// Whether the chain has a pallet with this call.
	pub fn has_call(&self, pallet: &str, call: &str) -> bool {
		let pallet = self.at.metadata_ref().pallet_by_name(pallet);
		pallet.is_some_and(|pallet| pallet.call_variant_by_name(call).is_some())
	}

	/// The code of the runtime at this block, as it is stored: compressed, if it was put there so.
	pub async fn code(&self) -> Result<Vec<u8>> {
		Ok(self.at.storage().runtime_wasm_code().await?)
	}

	/// The version of the runtime at this block.
	pub fn spec_version(&self) -> u32 {
		self.at.spec_version()
	}
}

/// BLAKE2-256, the hash by which the chain names calls, preimages and runtimes.
pub fn blake2_256(bytes: &[u8]) -> Root {
	use subxt::config::Hasher;
	subxt::config::substrate::BlakeTwo256.hash(bytes).0
}

/// The name under which the chain's scheduler carries a referendum out.
pub fn enactment_name(referendum: u32) -> Root {
	blake2_256(&(*b"assembly", "enactment", referendum).encode())
}

/// A value as people read it. What consists of bytes is shown in hexadecimal.
pub fn text(value: &Value) -> String {
	match &value.value {
		ValueDef::Primitive(Primitive::String(text)) => text.clone(),
		ValueDef::Primitive(Primitive::U128(number)) => number.to_string(),
		ValueDef::Variant(variant) if variant.values.is_empty() => variant.name.clone(),
		ValueDef::Variant(variant) => format!("{}({})", variant.name, composite(&variant.values)),
		ValueDef::Composite(fields) => match bytes(fields) {
			Some(bytes) => format!("0x{}", hex::encode(bytes)),
			None => match fields {
				// A type around another one adds nothing.
				Composite::Unnamed(values) if values.len() == 1 => {
					values.iter().map(text).collect()
				}
				_ => format!("({})", composite(fields)),
			},
		},
		_ => value.to_string(),
	}
}

fn composite(fields: &Composite<()>) -> String {
	let parts: Vec<String> = match fields {
		Composite::Named(named) => {
			named.iter().map(|(name, value)| format!("{name}: {}", text(value))).collect()
		}
		Composite::Unnamed(values) => values.iter().map(text).collect(),
	};
	parts.join(", ")
}

/// A list of numbers that are all bytes, and enough of them to be no list of something else.
fn bytes(fields: &Composite<()>) -> Option<Vec<u8>> {
	let Composite::Unnamed(values) = fields else { return None };
	// An account is bytes in a type around them.
	if let [only] = values.as_slice() {
		let ValueDef::Composite(inner) = &only.value else { return None };
		return bytes(inner);
	}
	if values.len() < 4 {
		return None;
	}
	values
		.iter()
		.map(|value| value.as_u128().and_then(|number| u8::try_from(number).ok()))
		.collect()
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn values_are_shown_by_their_names_and_bytes_in_hexadecimal() {
		let account = Value::unnamed_composite([Value::from_bytes([7; 32])]);
		assert_eq!(text(&account), format!("0x{}", "07".repeat(32)));
		let share = Value::unnamed_variant(
			"Shares",
			[Value::unnamed_variant(
				"JobBurn",
				[Value::unnamed_composite([]), Value::unnamed_variant("Some", [Value::u128(9)])],
			)],
		);
		assert_eq!(text(&share), "Shares(JobBurn((), Some(9)))");
		let named = Value::named_composite([("who", Value::u128(1)), ("what", Value::bool(true))]);
		assert_eq!(text(&named), "(who: 1, what: true)");
	}

	#[test]
	fn hashes_are_those_of_the_chain() {
		assert_eq!(
			hex::encode(blake2_256(b"")),
			"0e5751c026e543b2e8ab2eb06099daa1d1e5df47778f7787faab45cdf12fe3a8"
		);
	}
}
