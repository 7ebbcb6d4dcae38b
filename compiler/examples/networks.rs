// SPDX-License-Identifier: Apache-2.0

//! Compiles a sentence encoder to a directory, for `scripts/networks.sh`:
//!
//! `cargo run -p tensornet-compiler --example networks -- MODEL_DIR CALIBRATION PLACES OUT
//! [--eight-bits-above DB]`
//!
//! CALIBRATION holds one file of PLACES tokens for each sentence (`scripts/sentences.py`). OUT gets the
//! program, its blobs and its card.

use std::process::ExitCode;
use tensornet_compiler::{
	compile_graph, samples, sentence, CompileError, Compiled, Options, Targets,
};

fn main() -> ExitCode {
	match run() {
		Ok(()) => ExitCode::SUCCESS,
		Err(error) => {
			eprintln!("networks: {error}");
			ExitCode::from(2)
		}
	}
}

fn run() -> Result<(), CompileError> {
	let mut words: Vec<String> = std::env::args().skip(1).collect();
	let mut targets = Targets::default();
	if let Some(place) = words.iter().position(|word| word == "--eight-bits-above") {
		targets.operands = words.get(place + 1).and_then(|word| word.parse().ok());
		words.truncate(place);
	}
	let [directory, calibration, places, out] = words.as_slice() else {
		let usage = "MODEL_DIR CALIBRATION PLACES OUT [--eight-bits-above DB]";
		return Err(CompileError::Package(usage.into()));
	};
	let places = places.parse().map_err(|_| CompileError::Package("PLACES is a number".into()))?;
	let graph = sentence::graph(directory, places)?;
	let calibration = samples::load_all(calibration, places)?;
	let options = Options { name: "minilm".into(), targets, ..Options::default() };
	let Compiled { package, report } = compile_graph(&graph, &calibration, &options)?;
	println!("{report}");
	package.save(out)
}
