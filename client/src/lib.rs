// SPDX-License-Identifier: Apache-2.0

//! # TensorNet client
//!
//! What the worker and the command line share when they talk to a chain and move blobs:
//!
//! - [`chain`]: a connection that reconnects by itself, typed reads, signed transactions.
//! - [`calls`]: the calls of TensorNet's pallets as encoded call data.
//! - [`records`]: the storage records of TensorNet's pallets, decoded by name with the chain's own
//!   metadata, so that a runtime upgrade that adds a field does not break a client.
//! - [`funds`]: what accounts own, and what was burned.
//! - [`referenda`]: tracks, referenda, votes and protocol parameters.
//! - [`staking`]: what accounts have at stake and earn.
//! - [`attestations`]: registrars, what they attest, and what roles require.
//! - [`dynamic`]: calls as bytes, and values known by name alone.
//! - [`execution`]: running a job and committing to its trace.
//! - [`verdicts`]: events about how nodes were judged.
//! - [`blobs`]: content-addressed blobs: a local store and verified fetching.
//! - [`keys`]: signing keys from a secret URI or a file.
//! - [`balance`]: amounts of TNA for people.

#![forbid(unsafe_code)]

pub mod attestations;
pub mod balance;
pub mod blobs;
pub mod calls;
pub mod chain;
pub mod dynamic;
pub mod execution;
pub mod funds;
pub mod keys;
pub mod records;
pub mod referenda;
pub mod staking;
pub mod verdicts;

pub use balance::Tna;
pub use blobs::BlobStore;
pub use chain::{Chain, Snapshot};
pub use keys::Signer;

/// An account as its 32 bytes.
pub type AccountId = [u8; 32];

/// A 32-byte BLAKE3 root.
pub type Root = [u8; 32];
