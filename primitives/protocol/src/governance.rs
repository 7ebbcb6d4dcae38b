// SPDX-License-Identifier: Apache-2.0

//! What the runtime and those who propose to it both have to know of the powers of governance.

/// The most that one spend of the small track may take from the treasury, in plancks: 10,000 TNA.
pub const SMALL_SPEND: u128 = 10_000_000_000_000_000;

/// The most that one spend of the big track may take, in plancks: 1,000,000 TNA. Beyond it only root
/// spends.
pub const BIG_SPEND: u128 = 1_000_000_000_000_000_000;
