// SPDX-License-Identifier: Apache-2.0

//! The file-type model `magika`, from its two files to a package, with a cache.

use crate::{
	calibration_set,
	compile::{compile, Compiled, Options},
	error::CompileError,
	file_type::{Config, Features},
	onnx::OnnxModel,
	package::{hex, Package},
};
use std::path::{Path, PathBuf};

/// Name of the model, and of the folder of its files.
pub const NAME: &str = "magika-1.0.3";

/// The sources that decide the program: packages cached by another compiler are not used.
const SOURCES: &[&str] = &[
	include_str!("../../primitives/tensor/src/macros/real.rs"),
	include_str!("calibrate/choose.rs"),
	include_str!("calibrate/mod.rs"),
	include_str!("calibration_set.rs"),
	include_str!("compile.rs"),
	include_str!("emit.rs"),
	include_str!("../../primitives/tensor/src/macros/real.rs"),
	include_str!("file_type.rs"),
	include_str!("graph/expr.rs"),
	include_str!("graph/mod.rs"),
	include_str!("graph/tensor.rs"),
	include_str!("import/call.rs"),
	include_str!("import/control.rs"),
	include_str!("import/elementwise.rs"),
	include_str!("import/fold.rs"),
	include_str!("import/mod.rs"),
	include_str!("import/movement.rs"),
	include_str!("import/product.rs"),
	include_str!("import/recurrent.rs"),
	include_str!("import/reduce.rs"),
	include_str!("lower/elementwise.rs"),
	include_str!("lower/function.rs"),
	include_str!("lower/mod.rs"),
	include_str!("lower/norm.rs"),
	include_str!("lower/product.rs"),
	include_str!("lower/reduce.rs"),
	include_str!("lower/softmax.rs"),
	include_str!("lower/support.rs"),
	include_str!("magika.rs"),
	include_str!("onnx.rs"),
	include_str!("package.rs"),
	include_str!("place.rs"),
	include_str!("ports.rs"),
	include_str!("quantise.rs"),
	include_str!("reference/mod.rs"),
	include_str!("reference/product.rs"),
	include_str!("safetensors.rs"),
	include_str!("sentence.rs"),
	include_str!("simplify/constants.rs"),
	include_str!("simplify/functions.rs"),
	include_str!("simplify/mod.rs"),
	include_str!("simplify/movement.rs"),
	include_str!("simplify/regions.rs"),
	include_str!("simplify/states.rs"),
];

/// Calibration samples on which the report measures.
const MEASURED: usize = 4;

/// The model and its configuration.
pub struct Magika {
	/// The floating-point model.
	pub model: OnnxModel,
	/// What it reads from a file.
	pub config: Config,
}

/// The folder in which set-up puts the model: `$TENSORNET_CACHE` or `~/.cache/tensornet`, then
/// `models/magika-1.0.3`.
pub fn model_directory() -> PathBuf {
	cache().join("models").join(NAME)
}

fn cache() -> PathBuf {
	if let Some(cache) = std::env::var_os("TENSORNET_CACHE") {
		return cache.into();
	}
	let home = std::env::var_os("HOME").map(PathBuf::from).unwrap_or_default();
	home.join(".cache").join("tensornet")
}

impl Magika {
	/// Reads `model.onnx` and `config.min.json`.
	pub fn load(directory: impl AsRef<Path>) -> Result<Self, CompileError> {
		let directory = directory.as_ref();
		let config = Config::load(directory.join("config.min.json"))?;
		let model = OnnxModel::load(directory.join("model.onnx"))?;
		Ok(Self { model, config })
	}

	/// Compiles the model with the calibration set that is part of this crate.
	pub fn compile(&self) -> Result<Compiled, CompileError> {
		let options = Options {
			name: NAME.into(),
			labels: self.config.target_labels_space.clone(),
			input: "bytes of the start and of the end of a file as tokens; 256 where there is none"
				.into(),
			measured: MEASURED,
			..Options::default()
		};
		compile(&self.model, &calibration(&self.config)?, &options)
	}
}

/// The samples that the program is calibrated with.
pub fn calibration(config: &Config) -> Result<Vec<Vec<f32>>, CompileError> {
	let mut samples = Vec::new();
	for file in calibration_set::files() {
		if let Features::Tokens(tokens) = config.features(&mut std::io::Cursor::new(file))? {
			samples.push(tokens.into_iter().map(|token| token as f32).collect());
		}
	}
	Ok(samples)
}

/// The compiled model: from the cache if it was compiled before from the same files, else compiled and
/// put there.
pub fn package(directory: impl AsRef<Path>) -> Result<Package, CompileError> {
	let directory = directory.as_ref();
	let mut hasher = blake3::Hasher::new();
	for file in ["model.onnx", "config.min.json"] {
		hasher.update(blake3::hash(&std::fs::read(directory.join(file))?).as_bytes());
	}
	SOURCES.iter().for_each(|source| {
		hasher.update(blake3::hash(source.as_bytes()).as_bytes());
	});
	let key = hex(hasher.finalize().as_bytes().get(..8).unwrap_or_default());
	let cached = cache().join("programs").join(format!("{NAME}-{key}"));
	if let Ok(package) = Package::load(&cached) {
		return Ok(package);
	}
	let package = Magika::load(directory)?.compile()?.package;
	package.save(&cached)?;
	Ok(package)
}

#[cfg(test)]
mod tests {
	use super::*;

	fn sources(directory: &Path, found: &mut Vec<PathBuf>) {
		for entry in std::fs::read_dir(directory).unwrap() {
			let path = entry.unwrap().path();
			match path.is_dir() {
				true => sources(&path, found),
				false => found.push(path),
			}
		}
	}

	#[test]
	fn a_change_of_any_source_that_decides_programs_makes_cached_ones_stale() {
		let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
		let mut found = Vec::new();
		sources(&root, &mut found);
		for path in found {
			let name = path.strip_prefix(&root).unwrap().display().to_string();
			let without =
				["lib.rs", "report.rs", "timing.rs", "error.rs", "samples.rs", "voice.rs"];
			if !without.contains(&name.as_str()) && !name.starts_with("tosa") {
				let text = std::fs::read_to_string(&path).unwrap();
				assert!(SOURCES.contains(&text.as_str()), "{name} is not among the sources");
			}
		}
	}
}
