// SPDX-License-Identifier: Apache-2.0

//! One node of the model in the hands of its handler: operands, attributes, new nodes.

use super::{fold, Import, Value};
use crate::graph::{Expr, NodeId, Op, Tensor};
use tract_onnx::pb;

/// A node of the model and the graph that it is translated into.
pub struct Call<'a, 'b> {
	/// The node.
	pub node: &'a pb::NodeProto,
	/// Its operands; `None` where one is left out.
	pub inputs: Vec<Option<Value>>,
	/// The graph.
	pub import: &'a mut Import<'b>,
}

impl Call<'_, '_> {
	/// The version of the operator set.
	pub fn opset(&self) -> i64 {
		self.import.opset
	}

	/// Operand number `place` as a node.
	pub fn operand(&mut self, place: usize) -> Result<NodeId, String> {
		let value = self.inputs.get(place).cloned().flatten();
		let value = value.ok_or_else(|| format!("operand {place} is missing"))?;
		self.import.node_of(&value, &self.node.name)
	}

	/// Whether operand number `place` is given.
	pub fn has(&self, place: usize) -> bool {
		matches!(self.inputs.get(place), Some(Some(_)))
	}

	/// Whether operand number `place` is a constant.
	pub fn is_constant(&self, place: usize) -> bool {
		matches!(self.inputs.get(place), Some(Some(Value::Constant(_))))
	}

	/// Operand number `place`, which must be constant, as real numbers.
	pub fn constant(&self, place: usize) -> Result<Tensor, String> {
		match self.inputs.get(place) {
			Some(Some(Value::Constant(tensor))) => fold::real(tensor),
			_ => Err(format!("operand {place} must be constant")),
		}
	}

	/// Operand number `place`, constant, as whole numbers; `None` if it is left out.
	pub fn whole(&self, place: usize) -> Result<Option<Vec<i64>>, String> {
		match self.inputs.get(place) {
			Some(Some(Value::Constant(tensor))) => fold::whole(tensor).map(Some),
			Some(Some(_)) => Err(format!("operand {place} must be constant")),
			Some(None) | None => Ok(None),
		}
	}

	fn attribute(&self, name: &str) -> Option<&pb::AttributeProto> {
		self.node.attribute.iter().find(|attribute| attribute.name == name)
	}

	/// A whole number among the attributes.
	pub fn int(&self, name: &str, otherwise: i64) -> i64 {
		self.attribute(name).map_or(otherwise, |attribute| attribute.i)
	}

	/// Whole numbers among the attributes.
	pub fn ints(&self, name: &str) -> Option<Vec<i64>> {
		self.attribute(name).map(|attribute| attribute.ints.clone())
	}

	/// A real number among the attributes.
	pub fn float(&self, name: &str, otherwise: f32) -> f64 {
		self.attribute(name).map_or(otherwise, |attribute| attribute.f) as f64
	}

	/// A word among the attributes.
	pub fn word(&self, name: &str) -> String {
		let word = self.attribute(name).map(|attribute| attribute.s.clone());
		String::from_utf8(word.unwrap_or_default()).unwrap_or_default()
	}

	/// Words among the attributes; none if there is no such attribute.
	pub fn words(&self, name: &str) -> Vec<String> {
		let word = |word: &Vec<u8>| String::from_utf8_lossy(word).into_owned();
		self.attribute(name)
			.map_or(Vec::new(), |attribute| attribute.strings.iter().map(word).collect())
	}

	/// The shape of a node's result.
	pub fn shape(&self, node: NodeId) -> Vec<usize> {
		self.import.graph.nodes[node].shape.clone()
	}

	/// An axis that may be counted from the end.
	pub fn axis(&self, axis: i64, rank: usize) -> Result<usize, String> {
		let counted = if axis < 0 { axis + rank as i64 } else { axis };
		let inside = usize::try_from(counted).ok().filter(|axis| *axis < rank);
		inside.ok_or_else(|| format!("axis {axis} of {rank}"))
	}

	/// A new node under this node's name.
	pub fn push(&mut self, op: Op, inputs: Vec<NodeId>, shape: Vec<usize>) -> NodeId {
		self.import.graph.push(&self.node.name, op, inputs, shape)
	}

	/// Another shape for a node's result; nothing where it is the same.
	pub fn reshape(&mut self, x: NodeId, shape: &[usize]) -> Result<NodeId, String> {
		let from = self.shape(x);
		if from == shape {
			return Ok(x);
		}
		if from.iter().product::<usize>() != shape.iter().product::<usize>() {
			return Err(format!("{from:?} cannot become {shape:?}"));
		}
		Ok(self.push(Op::Reshape, vec![x], shape.to_vec()))
	}

	/// The box of `shape` in a node's result that begins at `start`; the result itself where that is all of it.
	pub fn part(&mut self, x: NodeId, start: Vec<usize>, shape: Vec<usize>) -> NodeId {
		if self.shape(x) == shape {
			return x;
		}
		self.push(Op::Slice { start }, vec![x], shape)
	}

	/// Refuses a shape with more elements than a tensor may have.
	pub fn limit(&self, shape: &[usize]) -> Result<(), String> {
		super::fold::limit(shape.iter().map(|extent| *extent as i64)).map(|_| ())
	}

	/// Axis i of the result is axis `permutation[i]` of `x`.
	pub fn transpose(&mut self, x: NodeId, permutation: &[usize]) -> NodeId {
		let from = self.shape(x);
		let shape = permutation.iter().map(|axis| from[*axis]).collect();
		self.push(Op::Transpose { permutation: permutation.to_vec() }, vec![x], shape)
	}

	/// The only result, a function of every element of operand 0.
	pub fn map(&mut self, function: Expr) -> Result<Vec<Value>, String> {
		let x = self.operand(0)?;
		let shape = self.shape(x);
		Ok(vec![Value::Node(self.push(Op::Map(function), vec![x], shape))])
	}
}
