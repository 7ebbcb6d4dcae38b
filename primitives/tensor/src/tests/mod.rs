// SPDX-License-Identifier: Apache-2.0

//! Tests of the crate as a whole.

mod agreement;
mod format;
mod fusion;
mod jobs;
mod large;
mod openings;
mod operators;
mod ranges;
mod windows;

pub use crate::arbitrary::{Trace, NO_LIMITS};

/// How many random programs a property is tried on; `TENSOR_SEEDS` asks for more.
pub fn seeds() -> u64 {
	std::env::var("TENSOR_SEEDS").ok().and_then(|seeds| seeds.parse().ok()).unwrap_or(400)
}
