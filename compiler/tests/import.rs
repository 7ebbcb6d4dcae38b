// SPDX-License-Identifier: Apache-2.0

//! Operators as they are read here and as the parser underneath runs them: the same numbers.

mod protobuf;

use protobuf::{floats, graph, int, model, node, value, whole, word, FLOAT};
use tensornet_compiler::OnnxModel;

fn noise(count: usize) -> Vec<f32> {
	(0..count).map(|i| ((i * 7919 + 13) % 101) as f32 / 50.0 - 1.0).collect()
}

/// Reads a model of `[shape]` with these nodes and constants, from `x` to `y`, and compares both ways to run it.
fn same(shape: &[i64], nodes: &[Vec<u8>], constants: &[Vec<u8>]) {
	let [x, y] = [value("x", FLOAT, shape), value("y", FLOAT, &vec![0; shape.len()])];
	let model = OnnxModel::parse(&model(&graph(nodes, constants, &[x], &[y])), &[]).unwrap();
	let sample = noise(shape.iter().product::<i64>() as usize);
	let (expected, found) = (model.run(&sample).unwrap(), model.graph().run(&sample));
	assert_eq!(expected.len(), found.len());
	for (a, b) in expected.iter().zip(&found) {
		assert!((a - b).abs() < 1e-5, "{a} became {b}");
	}
	assert!(found.iter().any(|x| *x != found[0]), "the same number everywhere says nothing");
}

#[test]
fn padding_adds_mirrored_or_equal_elements() {
	let pads = |values: &[i64]| whole("pads", &[values.len() as i64], values);
	let mirror = node("Pad", "pad", &["x", "pads"], &["y"], &[word("mode", "reflect")]);
	let filled = node("Pad", "pad", &["x", "pads", "value"], &["y"], &[]);
	same(&[3, 5], std::slice::from_ref(&mirror), &[pads(&[2, 1, 0, 4])]);
	same(&[3, 5], &[mirror], &[pads(&[0, 3, 1, 0])]);
	same(&[3, 5], &[filled], &[pads(&[1, 0, 0, 2]), floats("value", &[], &[0.75])]);
}

#[test]
fn slices_may_go_backwards() {
	let slice = node("Slice", "part", &["x", "first", "last", "axes", "steps"], &["y"], &[]);
	for (first, last) in [([3, 0], [0, 3]), ([-1, 1], [i64::MIN, i64::MAX]), ([9, -2], [-4, 9])] {
		let constants = [
			whole("first", &[2], &first),
			whole("last", &[2], &last),
			whole("axes", &[2], &[1, 0]),
			whole("steps", &[2], &[-1, 1]),
		];
		same(&[4, 5], std::slice::from_ref(&slice), &constants);
	}
}

/// The first state of H that each direction gives, and its last H and C, as onnxruntime 1.32 computes them. (The parser
/// underneath runs a reversed layer forwards, so it is no reference here.)
#[test]
fn an_lstm_over_a_sequence_is_unrolled_in_every_direction() {
	const CELLS: i64 = 3;
	let forward = [[-0.22166, -0.01543, -0.02486], [-0.63194, -0.05313, -0.03781]];
	let reverse = [[-0.48639, -0.02385, -0.10143], [-0.48639, -0.02385, -0.10143]];
	let other = [[0.16707, -0.57914, 0.05522], [0.16707, -0.57914, 0.05522]];
	let cells = [
		[-1.20256, -0.42615, -0.15948],
		[-1.06366, -0.18427, -0.26611],
		[0.40353, -0.93128, 0.20607],
	];
	let cases = [
		("forward", 1, forward.concat(), cells[0].to_vec()),
		("reverse", 1, reverse.concat(), cells[1].to_vec()),
		(
			"bidirectional",
			2,
			[forward[0], other[0], forward[1], other[1]].concat(),
			[cells[0], cells[2]].concat(),
		),
	];
	for (direction, count, hidden, cell) in cases {
		let named = [word("direction", direction), int("hidden_size", CELLS)];
		let nodes = [
			node("LSTM", "memory", &["x", "W", "R", "B"], &["all", "h", "c"], &named),
			node("Reshape", "all rows", &["all", "rows"], &["a"], &[]),
			node("Reshape", "h row", &["h", "rows"], &["b"], &[]),
			node("Reshape", "c row", &["c", "rows"], &["d"], &[]),
			node("Concat", "joined", &["a", "b", "d"], &["y"], &[int("axis", 1)]),
		];
		let weights = |name: &str, shape: &[i64]| {
			let numbers = noise(shape.iter().product::<i64>() as usize + name.len());
			floats(name, shape, &numbers[name.len()..])
		};
		let constants = [
			whole("rows", &[3], &[1, -1, CELLS]),
			weights("W", &[count, 4 * CELLS, 2]),
			weights("R", &[count, 4 * CELLS, CELLS]),
			weights("B", &[count, 8 * CELLS]),
		];
		let ports = [value("x", FLOAT, &[4, 1, 2]), value("y", FLOAT, &[1, 0, CELLS])];
		let graph = graph(&nodes, &constants, &ports[..1], &ports[1..]);
		let found = OnnxModel::parse(&model(&graph), &[]).unwrap().graph().run(&noise(8));
		let row = (count * CELLS) as usize;
		assert_eq!(found.len(), 6 * row);
		let expected = [&hidden[..row], &hidden[row..], &cell].concat();
		let places = (0..row).chain(4 * row..6 * row);
		for (place, expected) in places.zip(expected) {
			let found = found[place];
			assert!((found - expected).abs() < 2e-5, "{direction} {place}: {found} not {expected}");
		}
	}
}
