// SPDX-License-Identifier: Apache-2.0

//! Models that are refused say why.

use tensornet_compiler::{compile, CompileError, OnnxModel, Options};

/// A length-delimited field of a protocol buffer message.
fn field(number: u8, content: &[u8]) -> Vec<u8> {
	let mut length = content.len();
	let mut bytes = vec![(number << 3) | 2];
	while length >= 128 {
		bytes.push(length as u8 | 128);
		length >>= 7;
	}
	bytes.push(length as u8);
	bytes.extend(content);
	bytes
}

/// A small whole number as a field.
fn number(field: u8, value: u8) -> Vec<u8> {
	vec![field << 3, value]
}

/// The description of a `[1, 4]` tensor of f32.
fn value(name: &str) -> Vec<u8> {
	let shape = [field(1, &number(1, 1)), field(1, &number(1, 4))].concat();
	let tensor = [number(1, 1), field(2, &shape)].concat();
	[field(1, name.as_bytes()), field(2, &field(1, &tensor))].concat()
}

/// The bytes of an ONNX model with these nodes: operator, name, numbers of the values that it reads. Each makes
/// the next value; value 0 is the input.
fn model(operators: &[(&str, &str, &[usize])]) -> Vec<u8> {
	let named = |number: usize| format!("v{number}");
	let mut graph = Vec::new();
	for (place, (operator, name, inputs)) in operators.iter().enumerate() {
		let mut node: Vec<u8> =
			inputs.iter().flat_map(|input| field(1, named(*input).as_bytes())).collect();
		node.extend(field(2, named(place + 1).as_bytes()));
		node.extend(field(3, name.as_bytes()));
		node.extend(field(4, operator.as_bytes()));
		graph.extend(field(1, &node));
	}
	graph.extend(field(2, b"graph"));
	graph.extend(field(11, &value(&named(0))));
	graph.extend(field(12, &value(&named(operators.len()))));
	let opset = [field(1, b""), number(2, 15)].concat();
	[number(1, 8), field(7, &graph), field(8, &opset)].concat()
}

#[test]
fn every_unknown_operator_is_listed_with_its_node() {
	let bytes = model(&[("Relu", "fine", &[0]), ("Det", "first", &[1]), ("Det", "second", &[0])]);
	let error = OnnxModel::parse(&bytes, &[]).err().unwrap();
	let CompileError::Unsupported(list) = &error else { panic!("{error}") };
	let found: Vec<_> = list.iter().map(|u| (u.operator.as_str(), u.node.as_str())).collect();
	assert_eq!(found, [("Det", "first"), ("Det", "second")]);
	assert!(error.to_string().contains("Det (node second)"));
}

#[test]
fn a_known_operator_in_an_unknown_place_is_named() {
	let nodes: &[(&str, &str, &[usize])] = &[
		("ReduceMax", "top", &[0]),
		("Div", "share", &[0, 1]),
		("Exp", "fine", &[2]),
		("Pow", "power", &[3, 1]),
	];
	let model = OnnxModel::parse(&model(nodes), &[]).unwrap();
	let error = compile(&model, &[vec![1.0; 4]], &Options::default()).unwrap_err();
	let CompileError::Unsupported(list) = &error else { panic!("{error}") };
	let nodes: Vec<_> = list.iter().map(|u| u.node.as_str()).collect();
	assert_eq!(nodes, ["share", "power"]);
}

#[test]
fn a_shape_that_contradicts_the_model_is_refused() {
	let bytes = model(&[("Relu", "fine", &[0])]);
	assert!(OnnxModel::parse(&bytes, &[1, 4]).is_ok());
	for shape in [&[1, 5][..], &[4]] {
		let error = OnnxModel::parse(&bytes, shape).err().unwrap();
		assert!(matches!(error, CompileError::Onnx(_)), "{error}");
	}
}

#[test]
fn bytes_that_are_no_model_are_refused() {
	assert!(matches!(OnnxModel::parse(b"not a model", &[]), Err(CompileError::Onnx(_))));
	assert!(matches!(OnnxModel::parse(b"", &[]), Err(CompileError::Onnx(_))));
}
