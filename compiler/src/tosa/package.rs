// SPDX-License-Identifier: Apache-2.0

//! An imported file as a package: what a requester registers.

use super::Imported;
use crate::{
	error::CompileError,
	package::{hex, BlobCard, ModelCard, Package, TensorCard},
	quantise::Quant,
};
use tensornet_tensor::{analyse, DType, Limits, TensorType};

impl Imported {
	/// The package of this program under a name. Its numbers are integers as the file has them: the card
	/// gives each the unit 1.
	///
	/// Errors: [`CompileError::Package`] if the file has not one input and one output, or one of them is
	/// Bool; [`CompileError::Program`] if an element would be too expensive to arbitrate.
	pub fn into_package(self, name: &str) -> Result<Package, CompileError> {
		analyse(&self.program, &Limits::default())?;
		let Self { program, constants, inputs, outputs } = self;
		let ([input], [output]) = (&inputs[..], &outputs[..]) else {
			let (inputs, outputs) = (inputs.len(), outputs.len());
			return Err(CompileError::Package(format!(
				"{inputs} inputs and {outputs} outputs, not 1 and 1"
			)));
		};
		let card = |(name, ty): &(String, TensorType)| match ty.dtype {
			DType::Bool => Err(CompileError::Package(format!("{name} is Bool, not an integer"))),
			dtype => {
				let (low, high) = (dtype.min(), dtype.max());
				Ok(TensorCard::of(ty, &Quant { dtype, unit: 1.0, zero: 0, low, high }, name))
			}
		};
		let card = ModelCard {
			name: name.into(),
			program_id: hex(&program.id()),
			labels: Vec::new(),
			input: card(input)?,
			iterations: 1,
			states: Vec::new(),
			output: card(output)?,
			constants: constants
				.iter()
				.map(|(root, bytes)| BlobCard { root: hex(root), bytes: bytes.len() as u64 })
				.collect(),
			macs: program.macs(),
		};
		Ok(Package { program, constants, card })
	}
}
