// SPDX-License-Identifier: Apache-2.0

//! TOSA files, written by hand: what they compute, and why others are refused. The comparison with the
//! reference model is `make conformance`.

mod flatbuffer;

use flatbuffer::{file, Field, Table};
use tensornet_compiler::{
	tosa::{import, Imported},
	CompileError, Unsupported,
};
use tensornet_tensor::{analyse, read_element, CpuExecutor, DType, Executor, Limits};

const BOOL: i32 = 1;
const INT8: i32 = 3;
const INT32: i32 = 5;
const FP32: i32 = 7;

const ARGMAX: i32 = 1;
const MATMUL: i32 = 7;
const ADD: i32 = 15;
const SUB: i32 = 30;
const SIN: i32 = 44;
const EQUAL: i32 = 46;
const REDUCE_SUM: i32 = 54;
const RESHAPE: i32 = 57;
const RESCALE: i32 = 66;
const CONST: i32 = 67;
const COND_IF: i32 = 70;
const CONST_SHAPE: i32 = 75;

/// A graph: operators with attributes, operands and results; tensors with types and bytes; shapes.
#[derive(Default)]
struct Graph {
	operators: Vec<Table>,
	tensors: Vec<Table>,
	shapes: Vec<Table>,
}

impl Graph {
	fn tensor(mut self, name: &str, dtype: i32, shape: &[i32], data: &[u8]) -> Self {
		self.tensors.push(vec![
			(0, Field::Text(name.into())),
			(1, Field::Numbers(shape.into())),
			(2, Field::I32(dtype)),
			(3, Field::Bytes(data.into())),
		]);
		self
	}

	fn constant(self, name: &str, dtype: i32, shape: &[i32], data: &[u8]) -> Self {
		self.tensor(name, dtype, shape, data).operator(CONST, vec![], &[], &[name])
	}

	fn shape(mut self, name: &str, shape: &[i64]) -> Self {
		let data = shape.iter().flat_map(|number| number.to_le_bytes()).collect();
		self.shapes.push(vec![
			(0, Field::Text(name.into())),
			(1, Field::I32(shape.len() as i32)),
			(2, Field::Bytes(data)),
		]);
		self.operator(CONST_SHAPE, vec![], &[], &[name])
	}

	fn operator(mut self, code: i32, attributes: Table, from: &[&str], to: &[&str]) -> Self {
		self.operators.push(vec![
			(0, Field::I32(code)),
			(1, Field::Byte(code as u8)),
			(2, Field::Table(attributes)),
			(3, names(from)),
			(4, names(to)),
		]);
		self
	}

	/// The file, with these inputs and outputs.
	fn file(self, inputs: &[&str], outputs: &[&str]) -> Vec<u8> {
		self.file_of_version(1, inputs, outputs)
	}

	fn file_of_version(self, major: i32, inputs: &[&str], outputs: &[&str]) -> Vec<u8> {
		let block = vec![
			(1, Field::Tables(self.operators)),
			(2, Field::Tables(self.tensors)),
			(3, names(inputs)),
			(4, names(outputs)),
			(5, Field::Tables(self.shapes)),
		];
		let version = vec![(0, Field::I32(major)), (1, Field::I32(1))];
		let region = vec![(1, Field::Tables(vec![block]))];
		file(b"TOSA", vec![(0, Field::Table(version)), (1, Field::Tables(vec![region]))])
	}
}

fn names(names: &[&str]) -> Field {
	Field::Texts(names.iter().map(|name| String::from(*name)).collect())
}

fn refusals(file: &[u8]) -> Vec<Unsupported> {
	match import(file) {
		Err(CompileError::Unsupported(refused)) => refused,
		other => panic!("{other:?}"),
	}
}

fn run(imported: &Imported, inputs: &[&[u8]]) -> Vec<Vec<u8>> {
	let program = &imported.program;
	let constants = imported.constant_bytes().unwrap();
	let mut executor = CpuExecutor::new(program.clone(), constants).unwrap();
	let checkpoints = executor.run_iteration(inputs, &[]).unwrap();
	let outputs = program.program().outputs.iter();
	outputs
		.map(|value| checkpoints[program.checkpoint_of(*value).unwrap() as usize].clone())
		.collect()
}

/// A product with a constant, rescaled by 3 / 2^2 and moved by 1.
fn product() -> Graph {
	Graph::default()
		.tensor("x", INT8, &[1, 1, 2], &[])
		.constant("w", INT8, &[1, 2, 2], &[1, 2, 3, 4])
		.constant("zero", INT8, &[1], &[0])
		.constant("one", INT8, &[1], &[1])
		.constant("wide zero", INT32, &[1], &[0; 4])
		.constant("multiplier", INT32, &[1], &[3, 0, 0, 0])
		.constant("shift", INT8, &[1], &[2])
		.tensor("sum", INT32, &[1, 1, 2], &[])
		.tensor("y", INT8, &[1, 1, 2], &[])
		.operator(MATMUL, vec![], &["x", "w", "zero", "one"], &["sum"])
		.operator(
			RESCALE,
			vec![(0, Field::Byte(1)), (1, Field::I32(1))],
			&["sum", "multiplier", "shift", "wide zero", "one"],
			&["y"],
		)
}

#[test]
fn a_file_computes_what_it_says() {
	let imported = import(&product().file(&["x"], &["y", "sum"])).unwrap();
	assert_eq!(imported.inputs[0].0, "x");
	assert_eq!(imported.outputs[0].1.dtype, DType::I8);
	// [10, -4] × [[0, 1], [2, 3]] = [-8, -2], then −8 × 3 / 4 + 1 and −2 × 3 / 4 + 1.
	let results = run(&imported, &[&[10, 252]]);
	assert_eq!(results[0], [251, 0]);
	assert_eq!(read_element(DType::I32, &results[1], 0), Some(-8));
	assert!(analyse(&imported.program, &Limits::default()).unwrap().exact.iter().all(|e| *e));
}

#[test]
fn a_package_holds_what_a_requester_registers() {
	let package = import(&product().file(&["x"], &["y"])).unwrap().into_package("product").unwrap();
	let input = package.card.encode_input(&[10.0, -4.0]).unwrap();
	let output = package.run(&mut package.executor().unwrap(), &input).unwrap();
	assert_eq!(package.card.decode_output(&output).unwrap(), [-5.0, 0.0]);

	let two = import(&product().file(&["x"], &["y", "sum"])).unwrap();
	let reason = two.into_package("product").unwrap_err().to_string();
	assert!(reason.contains("1 inputs and 2 outputs"), "{reason}");
}

#[test]
fn everything_that_is_not_supported_is_listed_at_once() {
	let file = Graph::default()
		.tensor("x", INT32, &[4], &[])
		.tensor("real", FP32, &[4], &[])
		.tensor("branch", INT32, &[4], &[])
		.tensor("sum", INT32, &[4], &[])
		.tensor("same", BOOL, &[4], &[])
		.operator(SIN, vec![], &["x"], &["wave"])
		.operator(COND_IF, vec![], &["x"], &["branch"])
		.operator(ADD, vec![], &["branch", "x"], &["sum"])
		.operator(EQUAL, vec![], &["x", "nobody"], &["same"])
		.file(&["x", "real"], &["sum", "wave", "same"]);
	let refused = refusals(&file);
	let found: Vec<_> = refused.iter().map(|u| (u.operator.as_str(), u.node.as_str())).collect();
	// The sum only follows from the branch: it is not listed.
	let expected =
		[("graph input", "real"), ("SIN", "wave"), ("COND_IF", "branch"), ("EQUAL", "same")];
	assert_eq!(found, expected);
	assert!(refused[0].reason.contains("FP32"), "{}", refused[0].reason);
	assert!(refused[3].reason.contains("nobody"), "{}", refused[3].reason);
}

#[test]
fn a_result_of_another_shape_than_the_file_says_is_refused() {
	let file = Graph::default()
		.tensor("x", INT8, &[2, 3], &[])
		.tensor("place", INT32, &[3], &[])
		.operator(ARGMAX, vec![(0, Field::I32(1))], &["x"], &["place"])
		.file(&["x"], &["place"]);
	let refused = refusals(&file);
	assert!(refused[0].reason.contains("[3], but it is I32 [2]"), "{}", refused[0].reason);
}

#[test]
fn operators_that_nothing_depends_on_are_left_out() {
	let file = Graph::default()
		.tensor("x", INT32, &[4], &[])
		.tensor("twice", INT32, &[4], &[])
		.operator(SIN, vec![], &["x"], &["wave"])
		.operator(ADD, vec![], &["x", "x"], &["twice"])
		.file(&["x"], &["twice"]);
	assert_eq!(import(&file).unwrap().program.program().nodes.len(), 1);
}

#[test]
fn shapes_are_folded() {
	let file = Graph::default()
		.tensor("x", INT32, &[2, 3], &[])
		.tensor("y", INT32, &[3, 2], &[])
		.shape("target", &[3, 2])
		.operator(RESHAPE, vec![], &["x", "target"], &["y"])
		.file(&["x"], &["y", "target"]);
	let imported = import(&file).unwrap();
	assert_eq!(imported.outputs[0].1.shape, [3, 2]);
	let x: Vec<u8> = (0..6i32).flat_map(i32::to_le_bytes).collect();
	let results = run(&imported, &[&x]);
	assert_eq!(results[0], x);
	assert_eq!(results[1], [3, 0, 0, 0, 2, 0, 0, 0]);
}

#[test]
fn a_value_that_is_read_again_is_committed_and_one_that_is_not_is_not() {
	let graph = |second: &str| {
		Graph::default()
			.tensor("x", INT32, &[2, 3], &[])
			.tensor("sum", INT32, &[2, 3], &[])
			.tensor("total", INT32, &[1, 3], &[])
			.tensor("rest", INT32, &[2, 3], &[])
			.operator(ADD, vec![], &["x", "x"], &["sum"])
			.operator(REDUCE_SUM, vec![(0, Field::I32(0))], &[second], &["total"])
			.operator(SUB, vec![], &["sum", "total"], &["rest"])
			.file(&["x"], &["rest"])
	};
	let checkpoints = |file: &[u8]| import(file).unwrap().program.program().checkpoints.clone();
	let shared = checkpoints(&graph("sum"));
	assert_eq!(shared.len(), 2);
	// What is reduced along the outer axis is stored with that axis innermost.
	assert_eq!(shared[0].layout.0, [1, 0]);
	assert_eq!(checkpoints(&graph("x")).len(), 1);
}

#[test]
fn other_files_are_refused() {
	let reason = |bytes: &[u8]| import(bytes).unwrap_err().to_string();
	assert!(reason(b"").contains("not a TOSA file"));
	assert!(reason(b"\x08\0\0\0ONNX").contains("not a TOSA file"));
	let later = product().file_of_version(2, &["x"], &["y"]);
	assert!(reason(&later).contains("version 2.1"));
}

#[test]
fn a_constant_that_is_named_again_and_again_is_not_copied_so_often() {
	let mut graph = Graph::default().tensor("x", INT8, &[4096], &[]);
	graph = graph.tensor("big", INT8, &[4096], &[7; 4096]);
	for _ in 0..8 {
		graph = graph.operator(CONST, vec![], &[], &["big"]);
	}
	let refused = refusals(&graph.file(&["x"], &["big"]));
	assert!(refused[0].reason.contains("repeats"), "{}", refused[0].reason);
}

#[test]
fn no_damaged_file_panics() {
	let whole = product().file(&["x"], &["y", "sum"]);
	for end in 0..whole.len() {
		let _ = import(&whole[..end]);
	}
	for place in 0..whole.len() {
		for value in [0, 1, 2, 5, 0x7f, 0x80, 0xff, whole[place] ^ 1, whole[place].wrapping_add(4)]
		{
			let mut changed = whole.clone();
			changed[place] = value;
			let _ = import(&changed);
		}
	}
}
