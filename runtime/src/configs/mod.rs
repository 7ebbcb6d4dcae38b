// SPDX-License-Identifier: Apache-2.0

//! How each pallet is configured, one file per subject.

pub mod consensus;
pub mod consensus_chain;
pub mod governance;
pub mod markets;
pub mod parameters;
pub mod session;
pub mod system;
pub mod tensornet;
pub mod tokens;
pub mod utility;
