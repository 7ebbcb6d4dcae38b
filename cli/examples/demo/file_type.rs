// SPDX-License-Identifier: Apache-2.0

//! The file-type model: the compiled program that the network runs, and the float model it is compared
//! with.

use anyhow::{Context, Result};
use std::path::Path;
use tensornet_client::{execution::Tamper, BlobStore};
use tensornet_compiler::{
	file_type::{model_directory, package, Features, Magika},
	Package,
};
use tensornet_tensor::{read_element, write_element, CheckedProgram};

use crate::report::Label;

/// The file-type model.
pub struct FileType {
	package: Package,
	float: Magika,
}

impl FileType {
	/// Loads the compiled model, or compiles it and keeps it for the next time. Its constants are put
	/// into `constants`, for the nodes to fetch.
	pub fn load(constants: &BlobStore) -> Result<Self> {
		let folder = model_directory();
		let float = Magika::load(&folder).with_context(|| {
			format!("no file-type model in {}: make setup fetches it", folder.display())
		})?;
		let package = package(&folder).context("the model cannot be compiled")?;
		for (_, bytes) in &package.constants {
			constants.put(bytes)?;
		}
		Ok(Self { package, float })
	}

	/// The program.
	pub fn program(&self) -> &CheckedProgram {
		&self.package.program
	}

	/// The stored input for a file.
	pub fn input(&self, file: &Path) -> Result<Vec<u8>> {
		Ok(self.package.card.encode_input(&self.tokens(file)?)?)
	}

	/// Label and score of a stored output.
	pub fn label(&self, outputs: &[Vec<u8>]) -> Result<Label> {
		let output = outputs.first().context("the program has no output")?;
		let prediction = self.package.card.predict(output)?;
		Ok(Label { label: prediction.label, score: prediction.score })
	}

	/// What the float model says of a file.
	pub fn reference(&self, file: &Path) -> Result<Label> {
		let scores = self.float.model.run(&self.tokens(file)?)?;
		let labels = &self.float.config.target_labels_space;
		let (label, score) = labels
			.iter()
			.zip(scores)
			.max_by(|(_, a), (_, b)| a.total_cmp(b))
			.context("the float model has no output")?;
		Ok(Label { label: label.clone(), score: score.into() })
	}

	/// The lie to tell about an output: checkpoint and element that is changed. One that changes the
	/// label where there is one.
	pub fn visible_lie(&self, honest: &[Vec<u8>]) -> Result<(u16, u64)> {
		let program = self.program();
		let value = *program.program().outputs.first().context("the program has no output")?;
		let checkpoint = program.checkpoint_of(value).context("the output is not a checkpoint")?;
		let ty = program.value_type(value).context("the output has no type")?;
		let right = self.label(honest)?;
		for index in 0..ty.elements() {
			let mut lie = honest.to_vec();
			if let Some(output) = lie.first_mut() {
				let element = read_element(ty.dtype, output, index).unwrap_or_default();
				write_element(ty.dtype, output, index, Tamper::lie(ty.dtype, element));
			}
			if self.label(&lie)?.label != right.label {
				return Ok((checkpoint, index));
			}
		}
		Ok((checkpoint, 0))
	}

	fn tokens(&self, file: &Path) -> Result<Vec<f32>> {
		match self.float.config.features_of(file)? {
			Features::Tokens(tokens) => Ok(tokens.into_iter().map(|token| token as f32).collect()),
			Features::Rule(label) => anyhow::bail!(
				"{} is too short for the model ({label}): name another with --file",
				file.display()
			),
		}
	}
}
