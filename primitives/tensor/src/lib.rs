// SPDX-License-Identifier: Apache-2.0

//! # Exact integer tensor programs
//!
//! A job is a [`Program`]: a static dataflow graph over tensors of integers, in which every operator
//! has exactly one result for every operand value. So every machine computes the same bits, and one
//! element of a result can be recomputed by an arbiter from the few elements it depends on.
//!
//! - [`CheckedProgram`]: decoding, the rules of the format, result types, static work.
//! - [`analyse`]: value ranges, memory, and what it costs to arbitrate one element.
//! - [`eval_element`]: lazy evaluation of one element, for the arbiter.
//! - [`CpuExecutor`] (feature `std`): evaluation of whole programs on the CPU.
//! - [`ProgramBuilder`]: construction, with result types and errors at once.
//!
//! The library is `no_std` without the feature `std`, uses no floating point, and does not panic on
//! any bytes.
#![cfg_attr(not(any(feature = "std", test)), no_std)]
#![deny(unsafe_code)]

extern crate alloc;

mod analysis;
#[cfg(all(feature = "std", any(test, feature = "arbitrary")))]
pub mod arbitrary;
mod builder;
mod check;
#[cfg(feature = "std")]
mod cpu;
mod element;
mod error;
mod eval;
#[cfg(feature = "std")]
mod exec;
mod infer;
#[cfg(feature = "std")]
pub mod macros;
mod op;
mod ops;
mod program;
#[cfg(all(test, feature = "std"))]
mod tests;
mod types;

pub use analysis::{analyse, intervals, Analysis, ArbitrationCost, Intervals, Limits};
pub use builder::ProgramBuilder;
pub use check::{CheckedProgram, MAX_CONSTANTS, MAX_DEPTH, MAX_INPUTS, MAX_NODES};
#[cfg(feature = "std")]
pub use cpu::{Blob, CpuExecutor, Level, Memory, Number, PackedMatrix, Side};
pub use element::{read_element, write_element};
pub use error::{EvalError, ProgramError};
pub use eval::{eval_element, LeafSource};
#[cfg(feature = "std")]
pub use exec::{run_job, ExecError, Executor};
pub use infer::MAX_OPERANDS;
pub use op::*;
pub use program::*;
pub use types::*;
