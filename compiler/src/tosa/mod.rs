// SPDX-License-Identifier: Apache-2.0

//! TOSA files as exact integer programs.
//!
//! A `.tosa` file is a serialised graph of TOSA operators, as the public tools of that standard write it.
//! [`import`] turns the integer ones into a program: shapes, zero points and attributes are folded from
//! the file's constants, what has no operator of its own here becomes a few of ours, and everything that
//! cannot be expressed is listed at once.
//!
//! Values that an operator reads many times are committed, so that one element of the result can be
//! recomputed from few; `tensornet_tensor::analyse` says whether that is enough for the chain's limits.

mod convert;
mod file;
mod flatbuffer;
mod import;
mod operator;
mod package;
mod shape;

pub use import::{import, Imported};
