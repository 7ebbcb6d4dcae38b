// SPDX-License-Identifier: Apache-2.0

//! Samples of a model's input, as files.
//!
//! A file with the extension `npy` is an array as NumPy writes it; any other is the bare numbers. A `npy`
//! holds `f4`, `f8`, `u1`, `i1`, `i2`, `i4` or `i8` in C order, little endian; bare numbers are `f4`.

use crate::error::CompileError;
use std::path::{Path, PathBuf};

/// The files of a directory by name, without those whose name starts with a dot.
///
/// Errors: [`CompileError::Calibration`] if there are none.
pub fn files(directory: impl AsRef<Path>) -> Result<Vec<PathBuf>, CompileError> {
	let directory = directory.as_ref();
	let mut files = Vec::new();
	for entry in std::fs::read_dir(directory)? {
		let path = entry?.path();
		let hidden = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
		if path.is_file() && !hidden {
			files.push(path);
		}
	}
	files.sort();
	if files.is_empty() {
		let reason = format!("no samples in {}", directory.display());
		return Err(CompileError::Calibration(reason));
	}
	Ok(files)
}

/// The numbers of one file, which must be `count`.
pub fn load(path: impl AsRef<Path>, count: usize) -> Result<Vec<f32>, CompileError> {
	let path = path.as_ref();
	let numbers = read(path)?;
	if numbers.len() != count {
		return Err(refused(path, &format!("{} numbers, not {count}", numbers.len())));
	}
	Ok(numbers)
}

/// The numbers of one file, which must be `count` or a multiple of it: a sequence.
pub fn load_sequence(path: impl AsRef<Path>, count: usize) -> Result<Vec<f32>, CompileError> {
	let path = path.as_ref();
	let numbers = read(path)?;
	if numbers.is_empty() || !numbers.len().is_multiple_of(count) {
		let reason = format!("{} numbers, not {count} times any number", numbers.len());
		return Err(refused(path, &reason));
	}
	Ok(numbers)
}

fn refused(path: &Path, reason: &str) -> CompileError {
	CompileError::Calibration(format!("{}: {reason}", path.display()))
}

fn read(path: &Path) -> Result<Vec<f32>, CompileError> {
	let bytes = std::fs::read(path)?;
	let is_array = path.extension().is_some_and(|extension| extension == "npy");
	if is_array {
		array(&bytes).map_err(|reason| refused(path, &reason))
	} else {
		numbers("<f4", &bytes).ok_or_else(|| refused(path, "not a whole number of f32"))
	}
}

/// The numbers of all files of a directory, in the order of their names.
pub fn load_all(directory: impl AsRef<Path>, count: usize) -> Result<Vec<Vec<f32>>, CompileError> {
	files(directory)?.iter().map(|path| load(path, count)).collect()
}

/// The sequences of all files of a directory, in the order of their names; see [`load_sequence`].
pub fn load_sequences(
	directory: impl AsRef<Path>,
	count: usize,
) -> Result<Vec<Vec<f32>>, CompileError> {
	files(directory)?.iter().map(|path| load_sequence(path, count)).collect()
}

/// The numbers of a `npy` file (NumPy enhancement proposal 1).
fn array(bytes: &[u8]) -> Result<Vec<f32>, String> {
	let cut = || "cut off".to_string();
	if bytes.get(..6) != Some(b"\x93NUMPY") {
		return Err("not a NumPy array".into());
	}
	let version = *bytes.get(6).ok_or_else(cut)?;
	let wide = if version == 1 { 2 } else { 4 };
	let length = bytes.get(8..8 + wide).ok_or_else(cut)?;
	let length = length.iter().rev().fold(0usize, |all, byte| all << 8 | *byte as usize);
	let header = bytes.get(8 + wide..8 + wide + length).ok_or_else(cut)?;
	let header = String::from_utf8_lossy(header);
	if header.contains("'fortran_order': True") {
		return Err("in Fortran order".into());
	}
	let dtype = header.split("'descr': '").nth(1).and_then(|rest| rest.split('\'').next());
	let dtype = dtype.ok_or("no element type")?;
	let data = bytes.get(8 + wide + length..).ok_or_else(cut)?;
	numbers(dtype, data).ok_or_else(|| format!("element type {dtype}, or cut off"))
}

fn numbers(dtype: &str, data: &[u8]) -> Option<Vec<f32>> {
	fn each<const N: usize>(data: &[u8], f: impl Fn([u8; N]) -> f32) -> Option<Vec<f32>> {
		let chunks = data.chunks_exact(N);
		let whole = chunks.remainder().is_empty();
		let number = |chunk: &[u8]| chunk.try_into().ok().map(&f);
		chunks.map(number).collect::<Option<Vec<_>>>().filter(|_| whole)
	}
	match dtype {
		"<f4" => each(data, f32::from_le_bytes),
		"<f8" => each(data, |bytes| f64::from_le_bytes(bytes) as f32),
		"|u1" => each(data, |bytes: [u8; 1]| bytes[0] as f32),
		"|i1" => each(data, |bytes| i8::from_le_bytes(bytes) as f32),
		"<i2" => each(data, |bytes| i16::from_le_bytes(bytes) as f32),
		"<i4" => each(data, |bytes| i32::from_le_bytes(bytes) as f32),
		"<i8" => each(data, |bytes| i64::from_le_bytes(bytes) as f32),
		_ => None,
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	fn npy(dtype: &str, data: &[u8]) -> Vec<u8> {
		let header = format!("{{'descr': '{dtype}', 'fortran_order': False, 'shape': (2,), }}\n");
		let length = (header.len() as u16).to_le_bytes();
		[b"\x93NUMPY\x01\x00", &length[..], header.as_bytes(), data].concat()
	}

	#[test]
	fn arrays_of_several_types_are_read() {
		assert_eq!(array(&npy("|u1", &[3, 255])).unwrap(), [3.0, 255.0]);
		assert_eq!(array(&npy("<i2", &[254, 255, 1, 0])).unwrap(), [-2.0, 1.0]);
		let two = [1.5f32.to_le_bytes(), (-2.0f32).to_le_bytes()].concat();
		assert_eq!(array(&npy("<f4", &two)).unwrap(), [1.5, -2.0]);
		assert!(array(&npy("<f4", &two[..5])).is_err());
		assert!(array(&npy("<c8", &two)).unwrap_err().contains("c8"));
		assert!(array(b"no array").is_err());
	}

	#[test]
	fn files_are_read_in_the_order_of_their_names() {
		let directory = tempfile::tempdir().unwrap();
		assert!(files(directory.path()).is_err());
		for (name, value) in [("b.f32", 2.0f32), ("a.f32", 1.0), (".hidden", 9.0)] {
			std::fs::write(directory.path().join(name), value.to_le_bytes()).unwrap();
		}
		assert_eq!(load_all(directory.path(), 1).unwrap(), [[1.0], [2.0]]);
		let error = load_all(directory.path(), 2).unwrap_err().to_string();
		assert!(error.contains("a.f32: 1 numbers, not 2"), "{error}");
		assert!(load_sequences(directory.path(), 2).is_err());
		std::fs::write(directory.path().join("a.f32"), [0; 12]).unwrap();
		assert_eq!(load_sequences(directory.path(), 1).unwrap(), [vec![0.0; 3], vec![2.0]]);
	}
}
