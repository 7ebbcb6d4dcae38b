// SPDX-License-Identifier: Apache-2.0

//! Reading `.npy` files of integers and truth values.

use anyhow::{bail, ensure, Context, Result};
use std::path::Path;
use tensornet_tensor::{DType, TensorType};

/// Reads a tensor: its type and its bytes, row-major. Numbers of 64 bits, which shapes are made of, are
/// narrowed to I32 and must fit.
pub fn read(path: &Path) -> Result<(TensorType, Vec<u8>)> {
	let file = std::fs::read(path).with_context(|| path.display().to_string())?;
	parse(&file).with_context(|| path.display().to_string())
}

fn parse(file: &[u8]) -> Result<(TensorType, Vec<u8>)> {
	ensure!(file.starts_with(b"\x93NUMPY"), "not a .npy file");
	let major = file.get(6).copied().unwrap_or_default();
	let (start, length) = match (major, file.get(8..12)) {
		(1, Some([low, high, ..])) => (10, u16::from_le_bytes([*low, *high]) as usize),
		(2 | 3, Some([a, b, c, d])) => (12, u32::from_le_bytes([*a, *b, *c, *d]) as usize),
		_ => bail!("a version of the format that is not read"),
	};
	let (header, data) = file
		.get(start..)
		.and_then(|rest| rest.split_at_checked(length))
		.context("the header is cut")?;
	let header = std::str::from_utf8(header)?;
	ensure!(header.contains("'fortran_order': False"), "the elements are not row-major");
	let descr = between(header, "'descr': '", "'").context("no element type")?;
	let shape = between(header, "'shape': (", ")").context("no shape")?;
	let extents = shape.split(',').map(str::trim).filter(|extent| !extent.is_empty());
	let shape = extents.map(|extent| Ok(extent.parse()?)).collect::<Result<Vec<u32>>>()?;
	let dtype = match descr {
		"|b1" => DType::Bool,
		"|i1" => DType::I8,
		"<i2" => DType::I16,
		"<i4" | "<i8" => DType::I32,
		other => bail!("element type {other}"),
	};
	let ty = TensorType::new(dtype, shape);
	let data = if descr == "<i8" { narrow(data)? } else { data.to_vec() };
	ensure!(data.len() as u64 == ty.bytes(), "{} bytes, not {}", data.len(), ty.bytes());
	Ok((ty, data))
}

fn between<'a>(text: &'a str, before: &str, after: &str) -> Option<&'a str> {
	text.split_once(before)?.1.split_once(after).map(|(found, _)| found)
}

fn narrow(data: &[u8]) -> Result<Vec<u8>> {
	let mut bytes = Vec::with_capacity(data.len() / 2);
	for number in data.chunks_exact(8) {
		let number = i32::try_from(i64::from_le_bytes(number.try_into()?))?;
		bytes.extend(number.to_le_bytes());
	}
	Ok(bytes)
}
