// SPDX-License-Identifier: Apache-2.0

//! One test of the suite: a graph, its inputs and the reference model's outputs.

use crate::npy;
use anyhow::{ensure, Context, Result};
use serde::Deserialize;
use std::path::{Path, PathBuf};
use tensornet_compiler::{
	tosa::{import, Imported},
	CompileError,
};
use tensornet_tensor::TensorType;

/// What the suite says of a test.
#[derive(Deserialize)]
struct Description {
	tosa_file: String,
	ifm_name: Vec<String>,
	ifm_file: Vec<String>,
	ofm_name: Vec<String>,
	ofm_file: Vec<String>,
	expected_failure: bool,
	test_details: Details,
}

#[derive(Deserialize)]
struct Details {
	operator: String,
}

/// A test, found but not read.
pub struct Case {
	/// Its name: that of its folder.
	pub name: String,
	/// The operator that it is about.
	pub operator: String,
	directory: PathBuf,
	description: Description,
}

/// A test, ready to run.
pub struct Loaded {
	/// The program.
	pub imported: Imported,
	/// The stored bytes of its inputs, in the program's order.
	pub inputs: Vec<Vec<u8>>,
	/// What the reference model computed, in the order of the program's outputs.
	pub expected: Vec<Vec<u8>>,
}

/// The tests under a directory, by name.
pub fn find(root: &Path) -> Result<Vec<Case>> {
	let mut found = Vec::new();
	for operator in directories(root)? {
		for directory in directories(&operator)? {
			let path = directory.join("desc.json");
			if !path.exists() {
				continue;
			}
			let description: Description = serde_json::from_slice(&std::fs::read(&path)?)
				.with_context(|| path.display().to_string())?;
			let name = directory.file_name().unwrap_or_default().to_string_lossy().into_owned();
			let operator = description.test_details.operator.clone();
			found.push(Case { name, operator, directory, description });
		}
	}
	found.sort_by(|a, b| (&a.operator, &a.name).cmp(&(&b.operator, &b.name)));
	Ok(found)
}

fn directories(root: &Path) -> Result<Vec<PathBuf>> {
	let entries = std::fs::read_dir(root).with_context(|| root.display().to_string())?;
	let paths = entries.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>>>()?;
	Ok(paths.into_iter().filter(|path| path.is_dir()).collect())
}

impl Case {
	/// Reads graph, inputs and expected outputs. The inner error says why the graph is not imported.
	pub fn load(&self) -> Result<Result<Loaded, CompileError>> {
		let description = &self.description;
		ensure!(!description.expected_failure, "a test that must fail is not a positive test");
		let file = std::fs::read(self.directory.join(&description.tosa_file))?;
		let imported = match import(&file) {
			Ok(imported) => imported,
			Err(error) => return Ok(Err(error)),
		};
		let read = |wanted: &[(String, TensorType)], names: &[String], files: &[String]| {
			ensure!(wanted.len() == names.len(), "the test names other inputs or outputs");
			let mut tensors = Vec::new();
			for (name, ty) in wanted {
				let place = names.iter().position(|known| known == name);
				let file = place.and_then(|place| files.get(place));
				let file = file.with_context(|| format!("no file for {name}"))?;
				let (found, bytes) = npy::read(&self.directory.join(file))?;
				ensure!(found == *ty, "{name} is {found:?}, but the program has {ty:?}");
				tensors.push(bytes);
			}
			Ok(tensors)
		};
		let inputs = read(&imported.inputs, &description.ifm_name, &description.ifm_file)?;
		let expected = read(&imported.outputs, &description.ofm_name, &description.ofm_file)
			.context("the reference model's output")?;
		Ok(Ok(Loaded { imported, inputs, expected }))
	}
}
