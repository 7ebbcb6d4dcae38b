// SPDX-License-Identifier: Apache-2.0

//! Compares the integer program of a sentence encoder with the encoder in floating point:
//!
//! `cargo run -p tensornet-compiler --example sentences -- MODEL_DIR CALIBRATION TEST PLACES
//! [--eight-bits-above DB]`
//!
//! The directories hold one file of PLACES tokens for each sentence (`scripts/sentences.py`). Prints the cosine of
//! both embeddings of each sentence, and the rank correlation of the similarities of all pairs.

use rayon::prelude::*;
use std::{path::PathBuf, process::ExitCode, time::Instant};
use tensornet_compiler::{
	compile_graph, samples, sentence, CompileError, Compiled, Options, Targets,
};

fn main() -> ExitCode {
	match run() {
		Ok(true) => ExitCode::SUCCESS,
		Ok(false) => ExitCode::FAILURE,
		Err(error) => {
			eprintln!("sentences: {error}");
			ExitCode::from(2)
		}
	}
}

/// The vector with length 1.
fn unit(vector: impl Iterator<Item = f64>) -> Vec<f64> {
	let vector: Vec<f64> = vector.collect();
	let length = vector.iter().map(|x| x * x).sum::<f64>().sqrt();
	vector.into_iter().map(|x| x / length).collect()
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
	a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// The similarities of all pairs.
fn pairs(vectors: &[Vec<f64>]) -> Vec<f64> {
	(0..vectors.len()).flat_map(|a| (0..a).map(move |b| dot(&vectors[a], &vectors[b]))).collect()
}

/// The rank of each number.
fn ranks(values: &[f64]) -> Vec<f64> {
	let mut order: Vec<usize> = (0..values.len()).collect();
	order.sort_by(|a, b| values[*a].total_cmp(&values[*b]));
	let mut ranks = vec![0.0; values.len()];
	order.into_iter().enumerate().for_each(|(rank, at)| ranks[at] = rank as f64);
	ranks
}

fn correlation(a: &[f64], b: &[f64]) -> f64 {
	let centred = |x: &[f64]| {
		let mean = x.iter().sum::<f64>() / x.len() as f64;
		unit(x.iter().map(|x| x - mean).collect::<Vec<_>>().into_iter())
	};
	dot(&centred(a), &centred(b))
}

fn run() -> Result<bool, CompileError> {
	let mut words: Vec<String> = std::env::args().skip(1).collect();
	let mut targets = Targets::default();
	if let Some(place) = words.iter().position(|word| word == "--eight-bits-above") {
		targets.operands = words.get(place + 1).and_then(|word| word.parse().ok());
		words.truncate(place);
	}
	let [directory, calibration, test, places] = words.as_slice() else {
		let usage = "MODEL_DIR CALIBRATION TEST PLACES [--eight-bits-above DB]";
		return Err(CompileError::Package(usage.into()));
	};
	let places = places.parse().map_err(|_| CompileError::Package("PLACES is a number".into()))?;
	let graph = sentence::graph(PathBuf::from(directory), places)?;
	let calibration = samples::load_all(calibration, places)?;
	let start = Instant::now();
	let options = Options { measured: 2, targets, ..Options::default() };
	let Compiled { package, report } = compile_graph(&graph, &calibration, &options)?;
	println!("compiled in {:.1} s\n{report}", start.elapsed().as_secs_f64());

	let tests = samples::load_all(test, places)?;
	let float: Vec<Vec<f64>> =
		tests.par_iter().map(|x| unit(graph.run(x).into_iter().map(f64::from))).collect();
	let mut executor = package.executor()?;
	let start = Instant::now();
	let mut integer = Vec::with_capacity(tests.len());
	for sample in &tests {
		let input = package.card.encode_input(sample)?;
		let output = package.run(&mut executor, &input)?;
		integer.push(unit(package.card.decode_output(&output)?.into_iter()));
	}
	let seconds = start.elapsed().as_secs_f64() / tests.len().max(1) as f64;
	let cosines: Vec<f64> = float.iter().zip(&integer).map(|(a, b)| dot(a, b)).collect();
	let mean = cosines.iter().sum::<f64>() / cosines.len() as f64;
	let least = cosines.iter().copied().fold(1.0, f64::min);
	let rank = correlation(&ranks(&pairs(&float)), &ranks(&pairs(&integer)));
	println!("{} sentences, {:.1} ms each", tests.len(), seconds * 1e3);
	println!("cosine: mean {mean:.5}, least {least:.5}; rank correlation of pairs {rank:.5}");
	println!("first embedding in float: {:?}", float.first().map(|x| &x[..4]));
	Ok(mean >= 0.99 && least >= 0.97 && rank >= 0.98)
}
