// SPDX-License-Identifier: Apache-2.0

//! Reading `safetensors` files: eight bytes with the length of a header, the header in JSON, then the bytes of
//! all tensors.

use crate::{error::CompileError, graph::Tensor};
use serde_json::Value;
use std::{collections::BTreeMap, path::Path};

/// The tensors of a file by name. Only `F32` is read; others are left out.
pub fn load(path: impl AsRef<Path>) -> Result<BTreeMap<String, Tensor>, CompileError> {
	parse(&std::fs::read(path)?)
}

fn parse(bytes: &[u8]) -> Result<BTreeMap<String, Tensor>, CompileError> {
	let refused = |reason: &str| CompileError::Package(format!("safetensors: {reason}"));
	let length = bytes.get(..8).and_then(|length| length.try_into().ok()).map(u64::from_le_bytes);
	let length = length.ok_or_else(|| refused("too short"))?;
	let end = usize::try_from(length).ok().and_then(|length| length.checked_add(8));
	let end = end.filter(|end| *end <= bytes.len()).ok_or_else(|| refused("cut off"))?;
	let header: BTreeMap<String, Value> =
		serde_json::from_slice(&bytes[8..end]).map_err(|error| refused(&error.to_string()))?;
	let data = &bytes[end..];
	let mut tensors = BTreeMap::new();
	for (name, entry) in header.into_iter().filter(|(_, entry)| entry["dtype"] == "F32") {
		let numbers = |key: &str| -> Option<Vec<usize>> {
			entry[key].as_array()?.iter().map(|x| Some(x.as_u64()? as usize)).collect()
		};
		let shape = numbers("shape").ok_or_else(|| refused("a tensor without a shape"))?;
		let place = numbers("data_offsets").ok_or_else(|| refused("a tensor without a place"))?;
		let bytes = match place.as_slice() {
			[start, end] => data.get(*start..*end),
			_ => None,
		};
		let bytes = bytes.ok_or_else(|| refused("a tensor outside of the file"))?;
		let count = shape.iter().try_fold(4usize, |all, extent| all.checked_mul(*extent));
		if count != Some(bytes.len()) {
			return Err(refused(&format!("{name} has {} bytes", bytes.len())));
		}
		let data = bytes.chunks_exact(4).map(|x| f32::from_le_bytes([x[0], x[1], x[2], x[3]]));
		tensors.insert(name, Tensor { shape, data: data.collect() });
	}
	Ok(tensors)
}

#[cfg(test)]
mod tests {
	use super::*;

	fn file(header: &str, data: &[u8]) -> Vec<u8> {
		[&(header.len() as u64).to_le_bytes(), header.as_bytes(), data].concat()
	}

	#[test]
	fn tensors_are_found_by_name_and_damaged_files_refused() {
		let data = [1.5f32.to_le_bytes(), (-2.0f32).to_le_bytes()].concat();
		let header =
			r#"{"__metadata__":{},"w":{"dtype":"F32","shape":[2,1],"data_offsets":[0,8]}}"#;
		let tensors = parse(&file(header, &data)).unwrap();
		assert_eq!(tensors["w"], Tensor { shape: vec![2, 1], data: vec![1.5, -2.0] });
		assert!(parse(&file(header, &data[..7])).is_err());
		assert!(parse(&file(&header.replace("[2,1]", "[3,1]"), &data)).is_err());
		assert!(parse(&[255; 9]).is_err() && parse(b"").is_err());
	}
}
