// SPDX-License-Identifier: Apache-2.0

//! # Macros: the functions of neural networks as expansions into operators
//!
//! A program has no softmax and no tanh: it has products, rescales, tables and reductions, each with one
//! exact meaning. A macro is a function over a [`ProgramBuilder`](crate::ProgramBuilder) that adds such
//! operators so that their result is close to a real function. How close is measured over the whole range
//! of operands in `docs/macros.md`, and tested.
//!
//! - [`unary`]: exp, tanh, sigmoid, GELU, SiLU, hard sigmoid, hard swish, element by element.
//! - [`reciprocal`], [`rsqrt`], [`sqrt`], [`log`]: for positive numbers of any size.
//! - [`softmax`], [`log_softmax`]; [`mean`], [`variance`]; [`layer_norm`], [`rms_norm`]: along an axis.
//! - [`quantise_lines`], [`rescale_lines`]: a scale for each line, found while the program runs.
//!
//! [`Quant`] says what the integers of an operand stand for, [`Target`] what those of the result shall.
//! Macros over an axis also return the intermediate values that are worth committing: with these as
//! checkpoints, an arbiter recomputes an element from one line of the operand at most.
//!
//! This module makes programs; nothing of it runs on chain. Floating point makes tables and multipliers,
//! by operations that give the same bits everywhere ([`real`]).
//!
//! ```
//! use tensornet_tensor::{macros::*, *};
//! # fn main() -> Result<(), MacroError> {
//! let mut builder = ProgramBuilder::new();
//! // Attention scores: 4 heads, 128 positions each, in steps of 1/512.
//! let ty = TensorType::new(DType::I16, [4, 128, 128]);
//! let scores = builder.input(ty, Layout::row_major(), false)?;
//! let from = Quant::symmetric(1.0 / 512.0);
//! let weights = softmax(&mut builder, scores, 2, from, Target::i16(1.0 / 32768.0))?;
//! for value in weights.checkpoints() {
//!     builder.checkpoint(value, Layout::row_major());
//! }
//! builder.output(weights.result, Layout::row_major());
//! let program = builder.finish()?;
//! assert!(analyse(&program, &Limits::default()).is_ok());
//! # Ok(())
//! # }
//! ```

#[cfg(any(test, feature = "arbitrary"))]
pub mod cases;
mod curve;
mod error;
mod expand;
mod inverse;
mod lines;
#[cfg(any(test, feature = "arbitrary"))]
pub mod measure;
mod moments;
mod norm;
mod quant;
pub mod real;
mod softmax;
#[cfg(test)]
mod tests;
mod unary;

pub use error::MacroError;
pub use inverse::{log, reciprocal, rsqrt, sqrt};
pub use lines::{quantise_lines, rescale_lines, Lines, Outputs};
pub use moments::{mean, variance, Moments, Variance, MOMENTS_MOST};
pub use norm::{layer_norm, rms_norm, Affine, Norm};
pub use quant::{Quant, Target};
pub use softmax::{log_softmax, softmax, Softmax, SOFTMAX_MOST};
pub use unary::{unary, Function};
