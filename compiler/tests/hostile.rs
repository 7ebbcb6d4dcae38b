// SPDX-License-Identifier: Apache-2.0

//! Models from strangers: whatever the bytes are, reading them ends in a model or in an error, and nothing is made that
//! is out of proportion to them.

mod protobuf;

use protobuf::{field, floats, graph, ints, model, node, value, whole, FLOAT};
use tensornet_compiler::{CompileError, OnnxModel};

/// `y = x + the result of a node with constant operands`, which are whole numbers.
fn adding(operator: &str, operands: &[Vec<i64>], attributes: &[Vec<u8>]) -> Vec<u8> {
	let names: Vec<String> = (0..operands.len()).map(|place| format!("c{place}")).collect();
	let constants: Vec<Vec<u8>> = names
		.iter()
		.zip(operands)
		.map(|(name, values)| {
			let scalar = operator == "Range";
			let shape = if scalar { vec![] } else { vec![values.len() as i64] };
			whole(name, &shape, values)
		})
		.collect();
	let names: Vec<&str> = names.iter().map(String::as_str).collect();
	let nodes = [
		node(operator, "large", &names, &["made"], attributes),
		node("Add", "sum", &["x", "made"], &["y"], &[]),
	];
	let port = |name: &str| [value(name, FLOAT, &[1, 4])];
	model(&graph(&nodes, &constants, &port("x"), &port("y")))
}

fn reason(bytes: &[u8]) -> String {
	match OnnxModel::parse(bytes, &[]) {
		Err(CompileError::Unsupported(list)) => {
			assert_eq!(list[0].node, "large");
			list[0].reason.clone()
		}
		Err(error) => panic!("{error}"),
		Ok(_) => panic!("it was read"),
	}
}

#[test]
fn constants_of_a_trillion_elements_are_refused_before_they_are_made() {
	const MILLION: i64 = 1_000_000;
	let cases = [
		adding("ConstantOfShape", &[vec![MILLION, MILLION]], &[]),
		adding("ConstantOfShape", &[vec![i64::MAX, i64::MAX]], &[]),
		adding("Expand", &[vec![1], vec![MILLION, MILLION]], &[]),
		adding("Tile", &[vec![1, 2], vec![MILLION * MILLION]], &[]),
		adding("Tile", &[vec![1, 2], vec![MILLION * MILLION, 0]], &[]),
		adding("ConstantOfShape", &[vec![0, MILLION * MILLION]], &[]),
		adding("Range", &[vec![0], vec![MILLION * MILLION], vec![1]], &[]),
		adding("Pad", &[vec![1, 2], vec![0, MILLION * MILLION]], &[]),
		adding("OneHot", &[vec![1, 2], vec![MILLION * MILLION], vec![0, 1]], &[]),
		adding("RandomNormal", &[], &[ints("shape", &[MILLION, MILLION])]),
	];
	for bytes in cases {
		let reason = reason(&bytes);
		assert!(reason.contains("a limit of"), "{reason}");
	}
	let reason = reason(&adding("ConstantOfShape", &[vec![-1]], &[]));
	assert!(reason.contains("an extent of -1"), "{reason}");
}

#[test]
fn constants_that_grow_node_by_node_are_refused_when_they_are_too_large() {
	let mut nodes = Vec::new();
	for step in 0..40 {
		let [from, to] = [step, step + 1].map(|step| format!("c{step}"));
		let name = if step < 23 { "fine" } else { "large" };
		let axis = protobuf::int("axis", 0);
		nodes.push(node("Concat", name, &[&from, &from], &[&to], &[axis]));
	}
	nodes.push(node("Add", "sum", &["x", "c40"], &["y"], &[]));
	let port = |name: &str| [value(name, FLOAT, &[1, 4])];
	let bytes = model(&graph(&nodes, &[whole("c0", &[2], &[1, 2])], &port("x"), &port("y")));
	assert!(reason(&bytes).contains("a limit of"));
}

#[test]
fn padding_of_computed_tensors_is_limited_too() {
	let far = 1_000_000_000_000;
	let nodes = [
		node("Pad", "large", &["x", "pads"], &["wide"], &[]),
		node("Relu", "after", &["wide"], &["y"], &[]),
	];
	let port = |name: &str| [value(name, FLOAT, &[1, 4])];
	for pads in [[0, 0, 0, far], [0, -far, 0, 0], [0, 0, 0, i64::MIN], [i64::MAX; 4]] {
		let pads = whole("pads", &[4], &pads);
		reason(&model(&graph(&nodes, &[pads], &port("x"), &port("y"))));
	}
}

#[test]
fn tensors_that_say_they_hold_more_than_they_do_are_refused() {
	let nodes = [node("Add", "sum", &["x", "c"], &["y"], &[])];
	let port = |name: &str| [value(name, FLOAT, &[1, 4])];
	let liar = floats("c", &[1 << 40, 4], &[1.0; 4]);
	let error = OnnxModel::parse(&model(&graph(&nodes, &[liar], &port("x"), &port("y"))), &[]);
	let error = error.err().unwrap().to_string();
	assert!(error.contains("says it has"), "{error}");
	let input = [value("x", FLOAT, &[1 << 30, 1 << 30])];
	let nodes = [node("Relu", "flat", &["x"], &["y"], &[])];
	let error = OnnxModel::parse(&model(&graph(&nodes, &[], &input, &port("y"))), &[]);
	assert!(error.err().unwrap().to_string().contains("elements"));
}

#[test]
fn graphs_that_read_what_is_not_there_are_refused() {
	let port = |name: &str| [value(name, FLOAT, &[1, 4])];
	let cases = [
		graph(&[], &[], &port("x"), &port("y")),
		graph(&[node("Relu", "a", &["z"], &["y"], &[])], &[], &port("x"), &port("y")),
		graph(&[node("Relu", "a", &["x"], &["z"], &[])], &[], &port("x"), &port("y")),
		graph(&[node("Relu", "a", &[], &["y"], &[])], &[], &port("x"), &port("y")),
		graph(&[node("If", "a", &["x"], &["y"], &[])], &[], &port("x"), &port("y")),
		graph(&[node("Relu", "a", &["x"], &["y"], &[])], &[], &[], &port("y")),
		graph(&[node("Relu", "a", &["x"], &["y"], &[])], &[], &[field(1, b"x")], &port("y")),
	];
	for bytes in cases {
		assert!(OnnxModel::parse(&model(&bytes), &[]).is_err());
	}
}

/// Reads damaged copies of a model. What is wanted is that this ends.
fn damaged(bytes: &[u8], copies: usize) -> [usize; 2] {
	let mut counts = [0; 2];
	let mut seed = 1u64;
	let mut random = |below: usize| {
		seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
		(seed >> 33) as usize % below.max(1)
	};
	for copy in 0..copies {
		let mut bytes = bytes.to_vec();
		if copy % 8 == 0 {
			bytes.truncate(random(bytes.len()));
		}
		for _ in 0..1 + random(3) {
			let place = random(bytes.len());
			if let Some(byte) = bytes.get_mut(place) {
				*byte = random(256) as u8;
			}
		}
		counts[usize::from(OnnxModel::parse(&bytes, &[]).is_ok())] += 1;
	}
	counts
}

#[test]
fn damaged_models_are_read_or_refused() {
	let digits = std::fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/digits.onnx"));
	let small = {
		let nodes = [
			node("ConstantOfShape", "many", &["shape"], &["ones"], &[]),
			node("Pad", "wide", &["x", "pads"], &["padded"], &[protobuf::word("mode", "reflect")]),
			node("Slice", "part", &["padded", "first", "last", "axis"], &["cut"], &[]),
			node("Add", "sum", &["cut", "ones"], &["more"], &[]),
			node("Softmax", "share", &["more"], &["y"], &[protobuf::int("axis", -1)]),
		];
		let constants = [
			whole("shape", &[2], &[1, 4]),
			whole("pads", &[4], &[0, 1, 0, 2]),
			whole("first", &[1], &[2]),
			whole("last", &[1], &[6]),
			whole("axis", &[1], &[1]),
		];
		let port = |name: &str| [value(name, FLOAT, &[1, 4])];
		model(&graph(&nodes, &constants, &port("x"), &port("y")))
	};
	assert!(OnnxModel::parse(&small, &[]).is_ok());
	let [refused, read] = damaged(&small, 1500);
	println!("{refused} refused, {read} read");
	assert!(refused > 100 && read > 10, "{refused} refused, {read} read");
	let [refused, _] = damaged(&digits.unwrap(), 150);
	assert!(refused > 10);
}
