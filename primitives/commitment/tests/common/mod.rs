// SPDX-License-Identifier: Apache-2.0
//! What the tests share.

/// A blob in which no two nearby chunks are alike.
pub fn blob(len: usize) -> Vec<u8> {
	(0..len).map(|i| (i % 251) as u8).collect()
}
