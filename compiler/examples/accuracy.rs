// SPDX-License-Identifier: Apache-2.0

//! Compares the integer program of the file-type model with the float model on real files:
//!
//! `cargo run -p tensornet-compiler --example accuracy -- [--limit N] [--per-kind N] PATHS…`
//!
//! Walks the paths, takes at most `--per-kind` files of each name extension and of each predicted kind
//! until `--limit` files are found, and prints the agreement of the top labels. Exits with 1 if it is
//! below 99.8 % where the float model's score is at least 0.5, or below 98.5 % of all files.

use rayon::prelude::*;
use std::{
	collections::{BTreeMap, BTreeSet},
	path::{Path, PathBuf},
	process::ExitCode,
	time::Instant,
};
use tensornet_compiler::{
	file_type::{model_directory, Features, Magika},
	Agreement, CompileError,
};

const BAR_CONFIDENT: f64 = 0.998;
const BAR_ALL: f64 = 0.985;

struct Arguments {
	limit: usize,
	per_kind: usize,
	paths: Vec<PathBuf>,
}

/// A file with what the model sees of it and what the float model says.
struct File {
	path: PathBuf,
	sample: Vec<f32>,
	scores: Vec<f32>,
}

impl File {
	/// Place and score of the float model's label.
	fn float(&self) -> (usize, f32) {
		let best = (0, f32::NEG_INFINITY);
		let scores = self.scores.iter().enumerate();
		scores.fold(best, |best, (i, score)| if *score > best.1 { (i, *score) } else { best })
	}
}

fn main() -> ExitCode {
	match run() {
		Ok(true) => ExitCode::SUCCESS,
		Ok(false) => ExitCode::FAILURE,
		Err(error) => {
			eprintln!("accuracy: {error}");
			ExitCode::from(2)
		}
	}
}

fn arguments() -> Result<Arguments, CompileError> {
	let bad = |what: &str| CompileError::Package(what.into());
	let mut arguments = Arguments { limit: 2000, per_kind: 60, paths: Vec::new() };
	let mut words = std::env::args().skip(1);
	while let Some(word) = words.next() {
		let mut number = || {
			let word = words.next().and_then(|word| word.parse().ok());
			word.ok_or_else(|| bad("a number must follow --limit and --per-kind"))
		};
		match word.as_str() {
			"--limit" => arguments.limit = number()?,
			"--per-kind" => arguments.per_kind = number()?,
			_ => arguments.paths.push(word.into()),
		}
	}
	if arguments.paths.is_empty() {
		return Err(bad("name files or directories to compare on"));
	}
	Ok(arguments)
}

/// Files under `path` by extension, in a fixed order, without following links.
fn walk(path: &Path, found: &mut BTreeMap<String, Vec<PathBuf>>) {
	let Ok(meta) = std::fs::symlink_metadata(path) else { return };
	if meta.is_file() {
		let extension = path.extension().map(|e| e.to_string_lossy().to_lowercase());
		found.entry(extension.unwrap_or_default()).or_default().push(path.into());
	} else if meta.is_dir() {
		let Ok(entries) = std::fs::read_dir(path) else { return };
		let mut entries: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
		entries.sort();
		entries.iter().for_each(|entry| walk(entry, found));
	}
}

/// Up to `per_kind` files of each extension, spread over where they were found; extensions take turns.
fn candidates(arguments: &Arguments) -> Vec<PathBuf> {
	let mut found = BTreeMap::new();
	arguments.paths.iter().for_each(|path| walk(path, &mut found));
	let mut turns: Vec<Vec<PathBuf>> = vec![Vec::new(); arguments.per_kind];
	for files in found.into_values() {
		let step = (files.len() / arguments.per_kind).max(1);
		for (turn, path) in files.into_iter().step_by(step).take(arguments.per_kind).enumerate() {
			turns[turn].push(path);
		}
	}
	turns.concat()
}

fn run() -> Result<bool, CompileError> {
	let arguments = arguments()?;
	let magika = Magika::load(model_directory())?;
	let start = Instant::now();
	let compiled = magika.compile()?;
	println!(
		"compiled in {:.1} s, program {}",
		start.elapsed().as_secs_f64(),
		compiled.package.card.program_id
	);
	println!("{}", compiled.report);

	let files = collect(&magika, &arguments)?;
	let labels = &magika.config.target_labels_space;
	let kinds: BTreeSet<usize> = files.iter().map(|file| file.float().0).collect();
	let start = Instant::now();
	let mut executor = compiled.package.executor()?;
	let mut agreement = Agreement::default();
	for file in &files {
		let input = compiled.package.card.encode_input(&file.sample)?;
		let output = compiled.package.run(&mut executor, &input)?;
		let integer = compiled.package.card.predict(&output)?;
		if !agreement.count(&file.scores, integer.index) {
			let (float, score) = file.float();
			let (path, float) = (file.path.display(), &labels[float]);
			println!(
				"{path}: float {float} ({score:.3}), integer {} ({:.3})",
				integer.label, integer.score
			);
		}
	}
	let seconds = start.elapsed().as_secs_f64() / files.len().max(1) as f64;
	println!("{} files of {} kinds, {seconds:.3} s each", files.len(), kinds.len());
	let (all, confident) = (agreement.share(), agreement.share_confident());
	println!("agreement at score >= 0.5: {:.2} % of {}", confident * 100.0, agreement.confident);
	println!("agreement on all files: {:.2} %", all * 100.0);
	Ok(!files.is_empty() && confident >= BAR_CONFIDENT && all >= BAR_ALL)
}

/// Runs the float model on candidates until there are enough files.
fn collect(magika: &Magika, arguments: &Arguments) -> Result<Vec<File>, CompileError> {
	let mut seen: BTreeSet<Vec<i32>> = BTreeSet::new();
	let mut kinds: BTreeMap<usize, usize> = BTreeMap::new();
	let mut files: Vec<File> = Vec::new();
	for group in candidates(arguments).chunks(64) {
		let float: Vec<(Vec<i32>, File)> = group
			.par_iter()
			.filter_map(|path| match magika.config.features_of(path) {
				Ok(Features::Tokens(tokens)) => Some((path.clone(), tokens)),
				Ok(Features::Rule(_)) | Err(_) => None,
			})
			.map(|(path, tokens)| {
				let sample: Vec<f32> = tokens.iter().map(|token| *token as f32).collect();
				let scores = magika.model.run(&sample)?;
				Ok((tokens, File { path, sample, scores }))
			})
			.collect::<Result<_, CompileError>>()?;
		for (tokens, file) in float {
			let count = kinds.entry(file.float().0).or_default();
			if files.len() < arguments.limit && *count < arguments.per_kind && seen.insert(tokens) {
				*count += 1;
				files.push(file);
			}
		}
		if files.len() >= arguments.limit {
			break;
		}
	}
	Ok(files)
}
