// SPDX-License-Identifier: Apache-2.0

//! Stored elements: how one number lies in the bytes of a tensor.

use crate::DType;

/// Element `index` of a tensor stored in `bytes`; `None` beyond its end. Bool reads as 0 or 1.
pub fn read_element(dtype: DType, bytes: &[u8], index: u64) -> Option<i32> {
	let size = dtype.size();
	let start = usize::try_from(index.checked_mul(size)?).ok()?;
	let stored = bytes.get(start..start.checked_add(size as usize)?)?;
	Some(match (dtype, stored) {
		(DType::Bool, [byte]) => (*byte != 0) as i32,
		(DType::I8, [byte]) => *byte as i8 as i32,
		(DType::I16, [low, high]) => i16::from_le_bytes([*low, *high]) as i32,
		(DType::I32, [a, b, c, d]) => i32::from_le_bytes([*a, *b, *c, *d]),
		_ => return None,
	})
}

/// Writes `value`, reduced to `dtype`, as element `index` of the tensor stored in `bytes`; `None`
/// beyond its end, and then nothing is written.
pub fn write_element(dtype: DType, bytes: &mut [u8], index: u64, value: i32) -> Option<()> {
	let size = dtype.size();
	let start = usize::try_from(index.checked_mul(size)?).ok()?;
	let stored = bytes.get_mut(start..start.checked_add(size as usize)?)?;
	let little_endian = dtype.wrap(value).to_le_bytes();
	stored.copy_from_slice(little_endian.get(..size as usize)?);
	Some(())
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn every_type_round_trips_its_extremes() {
		for dtype in [DType::Bool, DType::I8, DType::I16, DType::I32] {
			let mut bytes = [0xa5u8; 12];
			for value in [dtype.min(), 0, 1, dtype.max()] {
				write_element(dtype, &mut bytes, 2, value).unwrap();
				assert_eq!(read_element(dtype, &bytes, 2), Some(value));
			}
		}
	}

	#[test]
	fn i16_is_little_endian() {
		assert_eq!(read_element(DType::I16, &[0x34, 0x12], 0), Some(0x1234));
	}

	#[test]
	fn any_non_zero_byte_is_true() {
		assert_eq!(read_element(DType::Bool, &[7], 0), Some(1));
	}

	#[test]
	fn beyond_the_end_is_none() {
		assert_eq!(read_element(DType::I32, &[0; 7], 1), None);
		assert_eq!(read_element(DType::I32, &[0; 7], u64::MAX), None);
		assert_eq!(write_element(DType::I16, &mut [0; 3], 1, 1), None);
	}
}
