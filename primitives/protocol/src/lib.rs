// SPDX-License-Identifier: Apache-2.0

//! # TensorNet protocol
//!
//! What the pallets, the worker and the command line agree on: the types of jobs, nodes and
//! verdicts, and the traits through which pallets meet. No pallet of TensorNet imports another; the
//! runtime wires the traits together.
//!
//! - [`agenda`]: what has to be done in one block, as it is stored.
//! - [`job`]: what a requester asks for and the life of a job.
//! - [`bond`]: what is at stake, and how it unbonds and is slashed.
//! - [`compliance`]: what an account must be known for.
//! - [`era`]: eras, and what a settled job leaves behind in them.
//! - [`governance`]: limits of the powers of governance.
//! - [`node`]: what a GPU node offers and how it is judged.
//! - [`money`]: how a payment is shared.
//! - [`traits`]: the seams between pallets.
//! - [`arbitration`]: the proof that settles one element of a trace.

#![cfg_attr(not(feature = "std"), no_std)]

extern crate alloc;

pub mod agenda;
pub mod arbitration;
pub mod bond;
pub mod compliance;
pub mod era;
pub mod governance;
pub mod job;
pub mod money;
pub mod node;
pub mod traits;

pub use agenda::*;
pub use bond::*;
pub use compliance::*;
pub use era::*;
pub use governance::*;
pub use job::*;
pub use money::*;
pub use node::*;
pub use traits::*;

/// A BLAKE3 root: of a blob, of a program, of a trace manifest.
pub type Hash = sp_core::H256;
