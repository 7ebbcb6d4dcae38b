// SPDX-License-Identifier: Apache-2.0

//! Weights of this runtime.
//!
//! Pallets of the SDK whose own benchmarks ship with the crate use those, with this chain's database
//! costs. Here are the ones for which the crate offers none that a runtime can name.

pub mod extensions;
pub mod pallet_babe;
pub mod pallet_grandpa;
pub mod pallet_parameters;
pub mod shared;
