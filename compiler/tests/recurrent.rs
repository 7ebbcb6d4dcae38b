// SPDX-License-Identifier: Apache-2.0

//! A model that remembers: an LSTM of eight cells behind mirrored padding and a magnitude, with its state in one tensor,
//! a fixed input and a branch.

mod protobuf;
mod support;

use protobuf::{branch, floats, graph, int, model, node, number, value, whole, word};
use tensornet_compiler::{
	compile, CompileError, Compiled, OnnxModel, Options, Package, Ports, Targets,
};
use tensornet_tensor::{analyse, Limits};

const WIDTH: usize = 6;
const CELLS: usize = 8;

/// A fixed sequence that looks random, from -1 to 1.
fn noise(index: usize) -> f32 {
	let mixed = (index as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
	((mixed ^ (mixed >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9) >> 40) as f32 / (1 << 23) as f32
		- 1.0
}

fn weights(name: &str, shape: &[i64], size: f32) -> Vec<u8> {
	let seed: usize = name.bytes().map(usize::from).sum();
	let count = shape.iter().product::<i64>() as usize;
	let values: Vec<f32> = (0..count).map(|at| noise(seed * 1000 + at) * size).collect();
	floats(name, shape, &values)
}

/// Two inputs and a state `[2, 1, 8]`, of which an output `stateN` is the next; the other output is one number from 0
/// to 1. The branch for another rate than 16 has an operator that nothing here knows.
fn bytes() -> Vec<u8> {
	let inner = [node("Tanh", "kept", &["padded"], &["same"], &[])];
	let other = [node("Det", "strange", &["padded"], &["same"], &[])];
	let same = value("same", protobuf::FLOAT, &[0, 0]);
	let taken = graph(&inner, &[], &[], std::slice::from_ref(&same));
	let left = graph(&other, &[], &[], &[same]);
	let cells = CELLS as i64;
	let nodes = [
		node("Equal", "is it", &["rate", "sixteen"], &["fast"], &[]),
		node("Pad", "mirror", &["x", "pads"], &["padded"], &[word("mode", "reflect")]),
		node(
			"If",
			"either",
			&["fast"],
			&["positive"],
			&[branch("then_branch", &taken), branch("else_branch", &left)],
		),
		node("Split", "parts", &["positive"], &["real", "other"], &[int("axis", 1)]),
		node("Pow", "square", &["real", "two"], &["squared"], &[]),
		node("Mul", "also", &["other", "other"], &["product"], &[]),
		node("Add", "more", &["squared", "product"], &["sum"], &[]),
		node("Sqrt", "magnitude", &["sum"], &["size"], &[]),
		node("Unsqueeze", "steps", &["size", "zero"], &["steps"], &[]),
		node("Gather", "h", &["state", "first"], &["h0"], &[int("axis", 0)]),
		node("Gather", "c", &["state", "second"], &["c0"], &[int("axis", 0)]),
		node("Unsqueeze", "h up", &["h0", "zero"], &["h1"], &[]),
		node("Unsqueeze", "c up", &["c0", "zero"], &["c1"], &[]),
		node(
			"LSTM",
			"memory",
			&["steps", "W", "R", "B", "", "h1", "c1"],
			&["Y", "Yh", "Yc"],
			&[int("hidden_size", cells)],
		),
		node("Concat", "both", &["Yh", "Yc"], &["stateN"], &[int("axis", 0)]),
		node("Squeeze", "row", &["Yh", "zero"], &["row"], &[]),
		node("Gemm", "weigh", &["row", "V", "b"], &["logit"], &[]),
		node("Sigmoid", "say", &["logit"], &["y"], &[]),
	];
	let columns = (WIDTH as i64 + 2) / 2;
	let constants = [
		whole("sixteen", &[], &[16]),
		whole("pads", &[4], &[0, 0, 0, 2]),
		floats("two", &[], &[2.0]),
		whole("zero", &[1], &[0]),
		whole("first", &[], &[0]),
		whole("second", &[], &[1]),
		weights("W", &[1, cells * 4, columns], 1.2),
		weights("R", &[1, cells * 4, cells], 0.6),
		weights("B", &[1, cells * 8], 0.3),
		weights("V", &[cells, 1], 6.0),
		floats("b", &[1], &[-1.5]),
	];
	let inputs = [
		value("state", protobuf::FLOAT, &[2, 0, cells]),
		value("x", protobuf::FLOAT, &[1, WIDTH as i64]),
		value("rate", protobuf::INT64, &[]),
	];
	let outputs =
		[value("y", protobuf::FLOAT, &[0, 1]), value("stateN", protobuf::FLOAT, &[0, 0, 0])];
	model(&graph(&nodes, &constants, &inputs, &outputs))
}

fn read(rate: f64) -> Result<OnnxModel, CompileError> {
	let ports = Ports { fixed: vec![("rate".into(), vec![rate])], ..Ports::default() };
	OnnxModel::parse_with(&bytes(), &ports)
}

/// A sequence of that many iterations.
fn sequence(seed: usize, iterations: usize) -> Vec<f32> {
	let swell = |at: usize| 0.2 + 0.8 * ((at / WIDTH) as f32 / 7.0 + seed as f32).sin().abs();
	(0..iterations * WIDTH).map(|at| noise(seed * 7919 + at) * swell(at)).collect()
}

fn compiled(targets: Targets) -> (OnnxModel, Package) {
	let (model, Compiled { package, .. }) = reported(targets);
	(model, package)
}

fn reported(targets: Targets) -> (OnnxModel, Compiled) {
	let model = read(16.0).unwrap();
	let calibration: Vec<_> = (0..6).map(|seed| sequence(seed, 30)).collect();
	let options =
		Options { name: "lstm".into(), measured: 2, iterations: 40, targets, ..Options::default() };
	let compiled = compile(&model, &calibration, &options).unwrap();
	println!("{}", compiled.report);
	assert_eq!(compiled.report.difference.unwrap().count, 60);
	(model, compiled)
}

fn results(package: &Package, sequence: &[f32]) -> Vec<f64> {
	let results = package.run_all(&mut package.executor().unwrap(), sequence).unwrap();
	results.into_iter().flatten().collect()
}

/// The largest distance of the program's results from the float model's on sequences that it was not calibrated with.
fn distance(model: &OnnxModel, package: &Package) -> f64 {
	let mut largest = 0f64;
	for seed in 100..108 {
		let sequence = sequence(seed, 40);
		let float = model.run(&sequence).unwrap();
		let found = results(package, &sequence);
		assert_eq!((float.len(), found.len()), (40, 40));
		for (a, b) in float.iter().zip(&found) {
			largest = largest.max((*a as f64 - b).abs());
		}
	}
	println!("largest distance {largest:.5}");
	largest
}

#[test]
fn a_job_of_many_iterations_says_what_the_float_model_says_about_a_sequence() {
	let (model, package) = compiled(Targets::default());
	let float = model.run(&sequence(100, 40)).unwrap();
	let spread = float.iter().fold((1f32, 0f32), |(low, high), x| (low.min(*x), high.max(*x)));
	assert!(spread.1 - spread.0 > 0.3, "the model says the same about everything: {spread:?}");
	assert!(distance(&model, &package) < 0.01);
	let (model, package) = compiled(Targets { weights: Some(90.0), operands: None });
	assert!(distance(&model, &package) < 0.001);
}

#[test]
fn operands_of_eight_bits_are_chosen_by_their_effect_on_sequences() {
	let targets = Targets { weights: Some(40.0), operands: Some(30.0) };
	let (model, Compiled { package, report }) = reported(targets);
	let narrow =
		|layer: &str| report.rows.iter().any(|row| row.layer == layer && row.dtype == "i8");
	assert!(narrow("state.0") && narrow("magnitude"));
	assert!(distance(&model, &package) < 0.05);
}

#[test]
fn a_state_that_is_set_back_gives_other_results() {
	let (model, package) = compiled(Targets::default());
	let sequence = sequence(100, 40);
	let together = results(&package, &sequence);
	let apart: Vec<f64> = sequence.chunks(WIDTH).flat_map(|one| results(&package, one)).collect();
	assert_eq!(together[0], apart[0]);
	let differ = together.iter().zip(&apart).filter(|(a, b)| (*a - *b).abs() > 0.02).count();
	assert!(differ >= 10, "{differ} of 40 results depend on the state");
	let float: Vec<f32> = sequence.chunks(WIDTH).flat_map(|one| model.run(one).unwrap()).collect();
	assert!(apart.iter().zip(&float).all(|(a, b)| (a - *b as f64).abs() < 0.01));
}

#[test]
fn every_element_of_every_checkpoint_of_every_iteration_can_be_recomputed_alone() {
	let (_, package) = compiled(Targets::default());
	let states = support::recompute_all(&package, &sequence(100, 12), usize::MAX);
	assert_eq!(states.len(), 13);
	assert!(states.windows(2).all(|pair| pair[0] != pair[1]));
}

#[test]
fn both_halves_of_the_state_have_units_of_their_own_and_nothing_can_wrap() {
	let (_, package) = compiled(Targets::default());
	let card = &package.card;
	let names: Vec<&str> = card.states.iter().map(|state| state.description.as_str()).collect();
	assert_eq!(names, ["state.0", "state.1", "results"]);
	// What products read has sixteen bits, what is only added to has thirty-two.
	assert_eq!([0, 1].map(|state| card.states[state].dtype.as_str()), ["i16", "i32"]);
	assert_eq!((card.iterations, card.output.shape.as_slice()), (40, &[40, 1][..]));
	let parts = package.program.program();
	assert!(parts.inputs[0].per_iteration && parts.max_iterations == 40);
	assert!(analyse(&package.program, &Limits::default()).is_ok());
	let first = card.first_states().unwrap();
	assert_eq!(first.iter().map(Vec::len).collect::<Vec<_>>(), [16, 32, 160]);
	let directory = tempfile::tempdir().unwrap();
	package.save(directory.path()).unwrap();
	let loaded = Package::load(directory.path()).unwrap().card;
	assert_eq!((loaded.program_id, loaded.iterations), (card.program_id.clone(), 40));
	assert_eq!(loaded.states.len(), 3);
}

#[test]
fn sequences_of_the_wrong_length_are_refused() {
	let (model, package) = compiled(Targets::default());
	let count = |length: usize| package.card.iterations_of(&vec![0.0; length]);
	assert_eq!(count(WIDTH * 40).unwrap(), 40);
	for length in [0, WIDTH - 1, WIDTH * 2 + 1, WIDTH * 41] {
		assert!(count(length).is_err(), "{length}");
	}
	let error = compile(&model, &[vec![0.0; WIDTH + 1]], &Options::default()).unwrap_err();
	assert!(error.to_string().contains("times any number"), "{error}");
}

#[test]
fn what_a_branch_that_is_not_taken_uses_does_not_matter_and_in_one_that_is_taken_is_named() {
	assert!(read(16.0).is_ok());
	let error = read(8.0).err().unwrap();
	let CompileError::Unsupported(list) = &error else { panic!("{error}") };
	let nodes: Vec<_> = list.iter().map(|unsupported| unsupported.node.as_str()).collect();
	assert_eq!(nodes, ["strange"]);
}

#[test]
fn a_branch_that_depends_on_the_input_is_refused_by_name() {
	let inner = [node("Relu", "kept", &["x"], &["same"], &[])];
	let same = value("same", protobuf::FLOAT, &[1, 4]);
	let inner = graph(&inner, &[], &[], &[same]);
	let nodes = [
		node("ReduceMax", "top", &["x"], &["most"], &[int("keepdims", 0)]),
		node(
			"If",
			"either",
			&["most"],
			&["y"],
			&[branch("then_branch", &inner), branch("else_branch", &inner)],
		),
	];
	let ports = ["x", "y"].map(|name| [value(name, protobuf::FLOAT, &[1, 4])]);
	let bytes = model(&graph(&nodes, &[], &ports[0], &ports[1]));
	let error = OnnxModel::parse(&bytes, &[]).err().unwrap();
	let CompileError::Unsupported(list) = &error else { panic!("{error}") };
	assert_eq!(list[0].node, "either");
	assert!(list[0].reason.contains("constant"), "{error}");
}

#[test]
fn a_state_of_another_shape_than_its_output_is_refused() {
	let mut bytes = bytes();
	// The LSTM's columns stay 8; the state is declared with 9.
	let right = number(1, CELLS as i64);
	let wrong = number(1, CELLS as i64 + 1);
	let declared = value("state", protobuf::FLOAT, &[2, 0, CELLS as i64]);
	let place = bytes.windows(declared.len()).position(|part| part == declared).unwrap();
	let last = place + declared.len() - right.len();
	bytes[last..last + right.len()].copy_from_slice(&wrong);
	let ports = Ports { fixed: vec![("rate".into(), vec![16.0])], ..Ports::default() };
	let error = OnnxModel::parse_with(&bytes, &ports).err().unwrap();
	assert!(matches!(error, CompileError::Unsupported(_) | CompileError::Onnx(_)), "{error}");
}
