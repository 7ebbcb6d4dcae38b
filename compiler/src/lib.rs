// SPDX-License-Identifier: Apache-2.0

//! # ONNX models as exact integer programs
//!
//! [`compile`] turns an ONNX model into a [`Package`]: an integer program for `tensornet-tensor`, the
//! blobs with its weights, and a card that says what its numbers mean. Quantisation needs no training,
//! only samples of the input.
//!
//! The way there: [`OnnxModel`] (parsing, constant folding and the floating-point reference, by `tract`) →
//! [`Graph`] (operators we know; anything else is refused by name), simplified → ranges from the samples →
//! eight or sixteen bits for each operand, by measurement → integer operators → as few commitments as
//! arbitration allows.
//!
//! The result is a function of the model and the samples alone: calibration uses only arithmetic that
//! IEEE 754 fixes, so every machine gets the same program identity.
//!
//! ```
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use tensornet_compiler::{compile, OnnxModel, Options};
//! let model = OnnxModel::load("tests/data/digits.onnx")?;
//! let samples = vec![(0..64).map(|pixel| (pixel % 17) as f32).collect::<Vec<_>>()];
//! let compiled = compile(&model, &samples, &Options { name: "digits".into(), ..Options::default() })?;
//! let input = compiled.package.card.encode_input(&samples[0])?;
//! let mut executor = compiled.package.executor()?;
//! let output = compiled.package.run(&mut executor, &input)?;
//! assert!(compiled.package.card.predict(&output)?.index < 10);
//! # Ok(())
//! # }
//! ```

mod calibrate;
mod calibration_set;
mod compile;
mod emit;
mod error;
pub mod file_type;
mod graph;
mod import;
mod lower;
mod magika;
mod onnx;
mod package;
mod place;
mod ports;
mod quantise;
mod reference;
mod report;
mod safetensors;
pub mod samples;
pub mod sentence;
mod simplify;
mod timing;
pub mod tosa;
pub mod voice;

// The real functions that tables are made with are those of the macros.
use tensornet_tensor::macros::real as exact;

pub use calibrate::{Method, Targets};
pub use compile::{compile, compile_graph, Compiled, Options, ITERATIONS};
pub use error::{CompileError, Unsupported};
pub use graph::{
	Arithmetic, Carried, Expr, Function, Graph, Node, NodeId, Op, Pool, Reduction, Tensor, Window,
};
pub use onnx::OnnxModel;
pub use package::{BlobCard, ModelCard, Package, Prediction, TensorCard};
pub use ports::Ports;
pub use report::{Agreement, Difference, Report, Row};
