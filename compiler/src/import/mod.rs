// SPDX-License-Identifier: Apache-2.0

//! From an ONNX model to a [`Graph`].
//!
//! Node by node: what depends on constants and static shapes alone is computed (by `tract`, see [`fold`]),
//! everything else is translated by the handler of its operator. Each file of handlers has one table; an
//! operator is added by adding an entry to one of them.

mod call;
mod elementwise;
mod fold;
mod movement;
mod product;
mod reduce;

use crate::{
	error::{CompileError, Unsupported},
	graph::{Graph, NodeId, Op, Tensor},
};
use call::Call;
use std::{collections::HashMap, sync::Arc};
use tract_onnx::pb;

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
const TABLES: &[&[(&str, Handler)]] =
	&[elementwise::OPERATORS, movement::OPERATORS, product::OPERATORS, reduce::OPERATORS];

/// A graph under construction.
pub struct Import<'a> {
	model: &'a pb::ModelProto,
	graph: Graph,
	values: HashMap<String, Value>,
	opset: i64,
}

fn handler(operator: &str) -> Option<Handler> {
	let entries = TABLES.iter().flat_map(|table| table.iter());
	entries.clone().find(|(name, _)| *name == operator).map(|(_, handler)| *handler)
}

/// The graph of a model whose input `name` has the shape `shape` and holds indices if `tokens`.
///
/// Errors: [`CompileError::Unsupported`] with every node that is not understood.
pub fn graph(
	model: &pb::ModelProto,
	name: &str,
	shape: &[usize],
	tokens: bool,
) -> Result<Graph, CompileError> {
	let missing = |what: &str| CompileError::Onnx(format!("the model has no {what}"));
	let proto = model.graph.as_ref().ok_or_else(|| missing("graph"))?;
	let opset = model.opset_import.iter().find(|set| set.domain.is_empty());
	let mut import = Import {
		model,
		graph: Graph::default(),
		values: HashMap::new(),
		opset: opset.map_or(1, |set| set.version),
	};
	let input = import.graph.push(name, Op::Input { tokens }, Vec::new(), shape.to_vec());
	import.values.insert(name.into(), Value::Node(input));
	for tensor in &proto.initializer {
		import.values.insert(tensor.name.clone(), Value::Constant(Arc::new(tensor.clone())));
	}
	let mut unsupported = Vec::new();
	for (number, node) in proto.node.iter().enumerate() {
		let outputs = match import.node(node) {
			Ok(outputs) => outputs,
			Err(reason) => {
				let name =
					if node.name.is_empty() { format!("#{number}") } else { node.name.clone() };
				let operator = node.op_type.clone();
				unsupported.push(Unsupported { operator, node: name, reason });
				Vec::new()
			}
		};
		let outputs = outputs.into_iter().chain(std::iter::repeat(Value::Unknown));
		import.values.extend(node.output.iter().cloned().zip(outputs));
	}
	if !unsupported.is_empty() {
		return Err(CompileError::Unsupported(unsupported));
	}
	let output = proto.output.first().ok_or_else(|| missing("output"))?;
	match import.values.get(&output.name) {
		Some(Value::Node(node)) => import.graph.output = *node,
		_ => return Err(CompileError::Onnx("the output does not depend on the input".into())),
	}
	import.graph.tidy();
	Ok(import.graph)
}

impl Import<'_> {
	fn node(&mut self, node: &pb::NodeProto) -> Result<Vec<Value>, String> {
		let known = node.domain.is_empty() || node.domain == "ai.onnx";
		let handler = handler(&node.op_type).filter(|_| known);
		let value = |name: &String| match name.as_str() {
			"" => Ok(None),
			_ => self.values.get(name).cloned().map(Some).ok_or("reads what nothing computes"),
		};
		let inputs = node.input.iter().map(value).collect::<Result<Vec<_>, _>>()?;
		let computed = |value: &Option<Value>| !matches!(value, None | Some(Value::Constant(_)));
		if known && !inputs.iter().any(computed) {
			return fold::constant(self.model, node, &inputs);
		}
		let Some(handler) = handler else {
			return Err("no exact integer form of it is known".into());
		};
		// What follows from something that was not understood is not listed again.
		if inputs.iter().any(|value| matches!(value, Some(Value::Unknown))) {
			return Ok(Vec::new());
		}
		handler(&mut Call { node, inputs, import: self })
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
}
