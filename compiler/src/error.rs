// SPDX-License-Identifier: Apache-2.0

//! Why a model is not compiled.

use tensornet_tensor::ProgramError;

/// Why a model is refused, or why a package cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum CompileError {
	/// The file is not an ONNX model that the parser understands, or its shapes cannot be fixed.
	#[error("cannot read the ONNX model: {0}")]
	Onnx(String),
	/// The file is not a TOSA file that is read here.
	#[error("cannot read the TOSA file: {0}")]
	Tosa(String),
	/// The model uses operators that have no exact integer counterpart here. Every one is listed.
	#[error("unsupported operators:\n{}", .0.iter().map(|u| format!("  {u}")).collect::<Vec<_>>().join("\n"))]
	Unsupported(Vec<Unsupported>),
	/// No calibration sample was given, or one has the wrong number of elements.
	#[error("calibration: {0}")]
	Calibration(String),
	/// A layer cannot be expressed without a sum that might wrap.
	#[error("layer {layer}: {reason}")]
	Layer {
		/// The name of the layer in the model.
		layer: String,
		/// What is wrong with it.
		reason: String,
	},
	/// The finished program is refused by the program format or its arbitration limits.
	#[error("the program is refused: {0}")]
	Program(#[from] ProgramError),
	/// A sum of the finished program might wrap.
	#[error("node {0} of the program, {1}, might wrap: lower the precision of its operands")]
	Wrapping(u16, String),
	/// A stored package is damaged: compile the model again.
	#[error("damaged package: {0}")]
	Package(String),
	/// The program could not be executed on this machine.
	#[error("execution: {0}")]
	Execution(String),
	/// A file could not be read or written.
	#[error(transparent)]
	Io(#[from] std::io::Error),
}

/// An operator that the compiler does not know, by name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unsupported {
	/// The operator.
	pub operator: String,
	/// The node that uses it.
	pub node: String,
	/// What exactly is not supported.
	pub reason: String,
}

impl std::fmt::Display for Unsupported {
	fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
		write!(f, "{} (node {}): {}", self.operator, self.node, self.reason)
	}
}
