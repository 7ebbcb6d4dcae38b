// SPDX-License-Identifier: Apache-2.0

//! Models that are refused say why.

mod protobuf;

use tensornet_compiler::{compile, CompileError, OnnxModel, Options};

/// The bytes of an ONNX model with these nodes: operator, name, numbers of the values that it reads. Each makes
/// the next value; value 0 is the input.
fn model(operators: &[(&str, &str, &[usize])]) -> Vec<u8> {
	let named = |number: usize| format!("v{number}");
	let nodes: Vec<Vec<u8>> = operators
		.iter()
		.enumerate()
		.map(|(place, (operator, name, inputs))| {
			let inputs: Vec<String> = inputs.iter().map(|input| named(*input)).collect();
			let inputs: Vec<&str> = inputs.iter().map(String::as_str).collect();
			protobuf::node(operator, name, &inputs, &[&named(place + 1)], &[])
		})
		.collect();
	let value = |number: usize| vec![protobuf::value(&named(number), protobuf::FLOAT, &[1, 4])];
	protobuf::model(&protobuf::graph(&nodes, &[], &value(0), &value(operators.len())))
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
