// SPDX-License-Identifier: Apache-2.0

//! The bytes of ONNX models, by hand.
#![allow(dead_code)]

/// Element types of tensors.
pub const FLOAT: u64 = 1;
pub const INT64: u64 = 7;

/// A whole number in groups of seven bits.
fn varint(mut value: u64) -> Vec<u8> {
	let mut bytes = Vec::new();
	while value >= 128 {
		bytes.push(value as u8 | 128);
		value >>= 7;
	}
	bytes.push(value as u8);
	bytes
}

/// A length-delimited field of a message.
pub fn field(number: u64, content: &[u8]) -> Vec<u8> {
	[varint((number << 3) | 2), varint(content.len() as u64), content.to_vec()].concat()
}

/// A whole number as a field.
pub fn number(field: u64, value: i64) -> Vec<u8> {
	[varint(field << 3), varint(value as u64)].concat()
}

/// The description of a tensor. Extents of 0 are open.
pub fn value(name: &str, datum: u64, shape: &[i64]) -> Vec<u8> {
	let dim = |extent: &i64| match extent {
		0 => field(1, &[]),
		extent => field(1, &number(1, *extent)),
	};
	let shape: Vec<u8> = shape.iter().flat_map(dim).collect();
	let tensor = [number(1, datum as i64), field(2, &shape)].concat();
	[field(1, name.as_bytes()), field(2, &field(1, &tensor))].concat()
}

fn tensor(name: &str, datum: u64, shape: &[i64], data: &[u8]) -> Vec<u8> {
	let dims: Vec<u8> = shape.iter().flat_map(|extent| number(1, *extent)).collect();
	[dims, number(2, datum as i64), field(8, name.as_bytes()), field(9, data)].concat()
}

/// A tensor of f32.
pub fn floats(name: &str, shape: &[i64], values: &[f32]) -> Vec<u8> {
	let data: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
	tensor(name, FLOAT, shape, &data)
}

/// A tensor of i64.
pub fn whole(name: &str, shape: &[i64], values: &[i64]) -> Vec<u8> {
	let data: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
	tensor(name, INT64, shape, &data)
}

fn attribute(name: &str, kind: i64, content: Vec<u8>) -> Vec<u8> {
	[field(1, name.as_bytes()), content, number(20, kind)].concat()
}

/// An attribute that is a whole number.
pub fn int(name: &str, value: i64) -> Vec<u8> {
	attribute(name, 2, number(3, value))
}

/// An attribute that is a list of whole numbers.
pub fn ints(name: &str, values: &[i64]) -> Vec<u8> {
	attribute(name, 7, values.iter().flat_map(|value| number(8, *value)).collect())
}

/// An attribute that is a word.
pub fn word(name: &str, value: &str) -> Vec<u8> {
	attribute(name, 3, field(4, value.as_bytes()))
}

/// An attribute that is a graph.
pub fn branch(name: &str, graph: &[u8]) -> Vec<u8> {
	attribute(name, 5, field(6, graph))
}

/// A node: operator, name, what it reads, what it makes.
pub fn node(
	operator: &str,
	name: &str,
	inputs: &[&str],
	outputs: &[&str],
	attributes: &[Vec<u8>],
) -> Vec<u8> {
	let mut node: Vec<u8> = inputs.iter().flat_map(|input| field(1, input.as_bytes())).collect();
	node.extend(outputs.iter().flat_map(|output| field(2, output.as_bytes())));
	node.extend(field(3, name.as_bytes()));
	node.extend(field(4, operator.as_bytes()));
	node.extend(attributes.iter().flat_map(|attribute| field(5, attribute)));
	node
}

/// A graph of nodes, constants, descriptions of inputs and of outputs.
pub fn graph(
	nodes: &[Vec<u8>],
	constants: &[Vec<u8>],
	inputs: &[Vec<u8>],
	outputs: &[Vec<u8>],
) -> Vec<u8> {
	let all = |number: u64, parts: &[Vec<u8>]| -> Vec<u8> {
		parts.iter().flat_map(|part| field(number, part)).collect()
	};
	let name = field(2, b"graph");
	[all(1, nodes), name, all(5, constants), all(11, inputs), all(12, outputs)].concat()
}

/// A model of a graph.
pub fn model(graph: &[u8]) -> Vec<u8> {
	let opset = [field(1, b""), number(2, 16)].concat();
	[number(1, 8), field(7, graph), field(8, &opset)].concat()
}
