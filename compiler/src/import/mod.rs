// SPDX-License-Identifier: Apache-2.0

//! From an ONNX model to a [`Graph`].
//!
//! Node by node: what depends on constants and static shapes alone is computed (by `tract`, see [`fold`]),
//! everything else is translated by the handler of its operator. Each file of handlers has one table; an
//! operator is added by adding an entry to one of them.

mod call;
mod control;
mod elementwise;
mod fold;
mod movement;
mod product;
mod recurrent;
mod reduce;

use crate::{
	error::{CompileError, Unsupported},
	graph::{Carried, Graph, NodeId, Op, Tensor},
	ports::Arranged,
};
use call::Call;
use std::{collections::HashMap, sync::Arc};
use tract_onnx::pb;

/// The most elements of a tensor that is computed.
pub const MOST_ELEMENTS: usize = 1 << 28;

/// What a name of the model stands for.
#[derive(Clone, Debug)]
pub enum Value {
	/// A tensor that does not depend on the input.
	Constant(Arc<pb::TensorProto>),
	/// The result of a node of the graph.
	Node(NodeId),
	/// The result of a node that was not understood.
	Unknown,
}

/// Translates one operator; the error says what it is used for that is not supported.
type Handler = fn(&mut Call) -> Result<Vec<Value>, String>;

/// The tables of handlers.
const TABLES: &[&[(&str, Handler)]] = &[
	elementwise::OPERATORS,
	movement::OPERATORS,
	product::OPERATORS,
	recurrent::OPERATORS,
	reduce::OPERATORS,
];

/// A graph under construction.
pub struct Import<'a> {
	model: &'a pb::ModelProto,
	graph: Graph,
	values: HashMap<String, Value>,
	opset: i64,
	unsupported: Vec<Unsupported>,
	/// The nodes that compute something, those of branches that are taken among them.
	computing: Vec<pb::NodeProto>,
	/// Whether a branch was taken.
	branched: bool,
}

/// An imported model.
pub struct Imported {
	/// As operators on real numbers.
	pub graph: Graph,
	/// If the model has branches: the same model without them.
	pub straight: Option<pb::GraphProto>,
}

fn handler(tables: &[&[(&str, Handler)]], operator: &str) -> Option<Handler> {
	let entries = tables.iter().flat_map(|table| table.iter());
	entries.clone().find(|(name, _)| *name == operator).map(|(_, handler)| *handler)
}

/// The graph of a model whose inputs and outputs are arranged as `ports` says.
///
/// Errors: [`CompileError::Unsupported`] with every node that is not understood.
pub fn graph(model: &pb::ModelProto, ports: &Arranged) -> Result<Imported, CompileError> {
	let missing = |what: &str| CompileError::Onnx(format!("the model has no {what}"));
	let proto = model.graph.as_ref().ok_or_else(|| missing("graph"))?;
	fold::honest(proto).map_err(CompileError::Onnx)?;
	let opset = model.opset_import.iter().find(|set| set.domain.is_empty());
	let mut import = Import {
		model,
		graph: Graph::default(),
		values: HashMap::new(),
		opset: opset.map_or(1, |set| set.version),
		unsupported: Vec::new(),
		computing: Vec::new(),
		branched: false,
	};
	let mut states = Vec::new();
	for (place, (input, shape)) in proto.input.iter().zip(ports.shapes()).enumerate() {
		let op = if place == 0 { Op::Input { tokens: ports.tokens() } } else { Op::State };
		let node = import.graph.push(&input.name, op, Vec::new(), shape.to_vec());
		import.values.insert(input.name.clone(), Value::Node(node));
		states.extend((place > 0).then_some(node));
	}
	import.initializers(proto);
	import.nodes(&proto.node);
	if !import.unsupported.is_empty() {
		return Err(CompileError::Unsupported(import.unsupported));
	}
	let mut outputs = proto.output.iter();
	let output = outputs.next().ok_or_else(|| missing("output"))?;
	match import.values.get(&output.name) {
		Some(Value::Node(node)) => import.graph.output = *node,
		_ => return Err(CompileError::Onnx("the output does not depend on the input".into())),
	}
	for (state, output) in states.into_iter().zip(outputs) {
		let next = import.next(state, &output.name).map_err(CompileError::Onnx)?;
		import.graph.carried.push(Carried { state, next });
	}
	let straight = import.branched.then(|| import.straight(proto));
	import.graph.tidy();
	Ok(Imported { graph: import.graph, straight })
}

impl Import<'_> {
	fn initializers(&mut self, proto: &pb::GraphProto) {
		for tensor in &proto.initializer {
			self.values.insert(tensor.name.clone(), Value::Constant(Arc::new(tensor.clone())));
		}
	}

	/// Translates nodes in order and notes those that are not understood.
	fn nodes(&mut self, nodes: &[pb::NodeProto]) {
		for (number, node) in nodes.iter().enumerate() {
			let outputs = match self.node(node) {
				Ok(outputs) => outputs,
				Err(reason) => {
					let name =
						if node.name.is_empty() { format!("#{number}") } else { node.name.clone() };
					let operator = node.op_type.clone();
					self.unsupported.push(Unsupported { operator, node: name, reason });
					Vec::new()
				}
			};
			let outputs = outputs.into_iter().chain(std::iter::repeat(Value::Unknown));
			self.values.extend(node.output.iter().cloned().zip(outputs));
		}
	}

	fn node(&mut self, node: &pb::NodeProto) -> Result<Vec<Value>, String> {
		let known = node.domain.is_empty() || node.domain == "ai.onnx";
		let value = |name: &String| match name.as_str() {
			"" => Ok(None),
			_ => self.values.get(name).cloned().map(Some).ok_or("reads what nothing computes"),
		};
		let inputs = node.input.iter().map(value).collect::<Result<Vec<_>, _>>()?;
		let unknown = inputs.iter().any(|value| matches!(value, Some(Value::Unknown)));
		if let Some(handler) = handler(&[control::OPERATORS], &node.op_type).filter(|_| known) {
			// What follows from something that was not understood is not listed again.
			return if unknown {
				Ok(Vec::new())
			} else {
				handler(&mut Call { node, inputs, import: self })
			};
		}
		let computed = |value: &Option<Value>| !matches!(value, None | Some(Value::Constant(_)));
		if known && !inputs.iter().any(computed) {
			return fold::constant(self.model, node, &inputs);
		}
		let Some(handler) = handler(TABLES, &node.op_type).filter(|_| known) else {
			return Err("no exact integer form of it is known".into());
		};
		if unknown {
			return Ok(Vec::new());
		}
		let before = self.graph.nodes.len();
		let outputs = handler(&mut Call { node, inputs, import: self })?;
		for node in &self.graph.nodes[before..] {
			let axes = node.shape.iter().map(|axis| (*axis).max(1));
			let count = axes.fold(1, usize::saturating_mul);
			if count > MOST_ELEMENTS {
				return Err(format!(
					"a result of {count} elements; a limit of {MOST_ELEMENTS} is set"
				));
			}
		}
		if outputs.iter().any(|value| matches!(value, Value::Node(_))) {
			self.computing.push(node.clone());
		}
		Ok(outputs)
	}

	/// The node of a value; constants become nodes when something computed meets them.
	fn node_of(&mut self, value: &Value, name: &str) -> Result<NodeId, String> {
		match value {
			Value::Node(node) => Ok(*node),
			Value::Constant(tensor) => {
				let tensor: Tensor = fold::real(tensor)?;
				let shape = tensor.shape.clone();
				Ok(self.graph.push(name, Op::Constant(tensor), Vec::new(), shape))
			}
			Value::Unknown => Err("reads what was not understood".into()),
		}
	}

	/// The node whose result `state` is in the next iteration.
	fn next(&mut self, state: NodeId, output: &str) -> Result<NodeId, String> {
		let value = self.values.get(output).cloned();
		let value = value.ok_or_else(|| format!("nothing computes the output {output}"))?;
		let next = self.node_of(&value, output)?;
		let [from, to] = [next, state].map(|node| &self.graph.nodes[node]);
		if from.shape != to.shape {
			let (shape, input, wanted) = (&from.shape, &to.name, &to.shape);
			return Err(format!(
				"output {output} {shape:?} cannot become input {input} {wanted:?}"
			));
		}
		Ok(next)
	}

	/// The model without its branches: what computes something, and the constants that this reads.
	fn straight(&self, proto: &pb::GraphProto) -> pb::GraphProto {
		let mut straight = pb::GraphProto {
			name: proto.name.clone(),
			node: self.computing.clone(),
			input: proto.input.clone(),
			output: proto.output.clone(),
			..Default::default()
		};
		let read = self.computing.iter().flat_map(|node| &node.input);
		let mut names: Vec<&String> =
			read.chain(proto.output.iter().map(|output| &output.name)).collect();
		names.sort_unstable();
		names.dedup();
		for name in names {
			if let Some(Value::Constant(tensor)) = self.values.get(name) {
				straight
					.initializer
					.push(pb::TensorProto { name: name.clone(), ..(**tensor).clone() });
			}
		}
		straight
	}
}
