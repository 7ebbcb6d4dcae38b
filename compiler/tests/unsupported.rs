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

/// The bytes of an ONNX model that is a chain of one-operand operators.
fn model(operators: &[(&str, &str)]) -> Vec<u8> {
	let names: Vec<String> = (0..=operators.len()).map(|number| format!("v{number}")).collect();
	let mut graph = Vec::new();
	for (place, (operator, name)) in operators.iter().enumerate() {
		let node = [
			field(1, names[place].as_bytes()),
			field(2, names[place + 1].as_bytes()),
			field(3, name.as_bytes()),
			field(4, operator.as_bytes()),
		];
		graph.extend(field(1, &node.concat()));
	}
	graph.extend(field(2, b"chain"));
	graph.extend(field(11, &value(&names[0])));
	graph.extend(field(12, &value(&names[operators.len()])));
	let opset = [field(1, b""), number(2, 15)].concat();
	[number(1, 8), field(7, &graph), field(8, &opset)].concat()
}

#[test]
fn every_unknown_operator_is_listed_with_its_node() {
	let bytes =
		model(&[("Relu", "fine"), ("Det", "first"), ("NonZero", "second"), ("Det", "third")]);
	let error = OnnxModel::parse(&bytes, &[]).err().unwrap();
	let CompileError::Unsupported(list) = &error else { panic!("{error}") };
	let found: Vec<_> = list.iter().map(|u| (u.operator.as_str(), u.node.as_str())).collect();
	assert_eq!(found, [("Det", "first"), ("NonZero", "second"), ("Det", "third")]);
	assert!(error.to_string().contains("NonZero (node second)"));
}

#[test]
fn a_known_operator_in_an_unknown_place_is_named() {
	let model =
		OnnxModel::parse(&model(&[("Exp", "alone"), ("Relu", "fine"), ("Sqrt", "root")])).unwrap();
	let error = compile(&model, &[vec![0.0; 4]], &Options::default()).unwrap_err();
	let CompileError::Unsupported(list) = &error else { panic!("{error}") };
	let nodes: Vec<_> = list.iter().map(|u| u.node.as_str()).collect();
	assert_eq!(nodes, ["alone", "root"]);
}

#[test]
fn bytes_that_are_no_model_are_refused() {
	assert!(matches!(OnnxModel::parse(b"not a model", &[]), Err(CompileError::Onnx(_))));
	assert!(matches!(OnnxModel::parse(b"", &[]), Err(CompileError::Onnx(_))));
}
