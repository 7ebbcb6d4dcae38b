// SPDX-License-Identifier: Apache-2.0

//! Sentence encoders: BERT (Devlin, Chang, Lee and Toutanova, 2019) with the sum of its last layer over the
//! tokens of the sentence, as `all-MiniLM-L6-v2` is.
//!
//! The input is one token for each place; token 0 stands where the sentence has ended. What belongs to a place
//! with token 0 is looked up like an embedding: a number that keeps attention away from it, and a factor of 0.
//! The output is the sum, not the mean: its direction is the same.

use crate::{
	error::CompileError,
	graph::{Arithmetic, Expr, Function, Graph, NodeId, Op, Reduction, Tensor},
	safetensors,
};
use serde::Deserialize;
use std::{collections::BTreeMap, path::Path};

/// The part of `config.json` that decides the graph.
#[derive(Clone, Debug, Deserialize)]
struct Config {
	hidden_act: String,
	layer_norm_eps: f64,
	num_attention_heads: usize,
	num_hidden_layers: usize,
}

/// Added to the scores of places behind the sentence: their weight is below `e^-30` of the others'.
const AWAY: f32 = -60.0;

struct Builder {
	graph: Graph,
	tensors: BTreeMap<String, Tensor>,
	config: Config,
	places: usize,
}

/// The graph of the encoder in `directory` (`config.json`, `model.safetensors`) for sentences of up to `places`
/// tokens. Its input is `[1, places]`, its output `[1, 1, width]`.
pub fn graph(directory: impl AsRef<Path>, places: usize) -> Result<Graph, CompileError> {
	let directory = directory.as_ref();
	let config: Config = serde_json::from_slice(&std::fs::read(directory.join("config.json"))?)
		.map_err(|error| CompileError::Package(format!("config.json: {error}")))?;
	if config.hidden_act != "gelu" {
		return Err(CompileError::Package(format!("activation {}", config.hidden_act)));
	}
	let tensors = safetensors::load(directory.join("model.safetensors"))?;
	let mut builder = Builder { graph: Graph::default(), tensors, config, places };
	builder.build()?;
	Ok(builder.graph)
}

impl Builder {
	fn tensor(&self, name: &str) -> Result<Tensor, CompileError> {
		let tensor = self.tensors.get(name).cloned();
		tensor.ok_or_else(|| CompileError::Package(format!("model.safetensors has no {name}")))
	}

	fn shape(&self, node: NodeId) -> Vec<usize> {
		self.graph.nodes[node].shape.clone()
	}

	fn build(&mut self) -> Result<(), CompileError> {
		let places = self.places;
		let input = Op::Input { tokens: true };
		let tokens = self.graph.push("tokens", input, vec![], vec![1, places]);
		let words = self.tensor("embeddings.word_embeddings.weight")?;
		let [count, width] = [words.shape[0], words.shape[1]];
		// What each token says about its place.
		let flag = |first: f32, other: f32| {
			let mut data = vec![other; count];
			data[0] = first;
			Op::Embed { table: Tensor { shape: vec![count, 1], data } }
		};
		let away = self.graph.push("away", flag(AWAY, 0.0), vec![tokens], vec![1, places, 1]);
		let away = self.graph.push("away", Op::Reshape, vec![away], vec![1, 1, 1, places]);
		let kept = self.graph.push("kept", flag(0.0, 1.0), vec![tokens], vec![1, places, 1]);

		let all = vec![1, places, width];
		let x = self.graph.push("words", Op::Embed { table: words }, vec![tokens], all.clone());
		let positions = self.tensor("embeddings.position_embeddings.weight")?;
		let kind = self.tensor("embeddings.token_type_embeddings.weight")?;
		if positions.shape[0] < places {
			return Err(CompileError::Package(format!("{} places", positions.shape[0])));
		}
		let at = |index: usize| positions.data[index] + kind.data[index % width];
		let data = (0..places * width).map(at).collect();
		let constant = Op::Constant(Tensor { shape: all.clone(), data });
		let constant = self.graph.push("positions", constant, vec![], all.clone());
		let mut x = self.add("embeddings", x, constant);
		x = self.norm("embeddings.LayerNorm", x)?;
		for layer in 0..self.config.num_hidden_layers {
			x = self.layer(&format!("encoder.layer.{layer}"), x, away)?;
		}
		let x = self.graph.push("kept", Op::Binary(Arithmetic::Mul), vec![x, kept], all);
		let sum = Op::Reduce { reduction: Reduction::Sum, axes: vec![1] };
		self.graph.output = self.graph.push("sum", sum, vec![x], vec![1, 1, width]);
		Ok(())
	}

	fn add(&mut self, name: &str, a: NodeId, b: NodeId) -> NodeId {
		let shape = self.shape(a);
		self.graph.push(name, Op::Binary(Arithmetic::Add), vec![a, b], shape)
	}

	fn norm(&mut self, name: &str, x: NodeId) -> Result<NodeId, CompileError> {
		let shape = self.shape(x);
		let gamma = self.tensor(&format!("{name}.weight"))?.with_rank(3);
		let beta = self.tensor(&format!("{name}.bias"))?.with_rank(3);
		let op = Op::LayerNorm { axis: 2, epsilon: self.config.layer_norm_eps, gamma, beta };
		Ok(self.graph.push(name, op, vec![x], shape))
	}

	/// A product, its result multiplied by `factor`.
	fn dense(&mut self, name: &str, x: NodeId, factor: f32) -> Result<NodeId, CompileError> {
		let mut weight = self.tensor(&format!("{name}.weight"))?.transposed(&[1, 0]);
		let mut bias = self.tensor(&format!("{name}.bias"))?.data;
		weight.data.iter_mut().chain(&mut bias).for_each(|x| *x *= factor);
		let mut shape = self.shape(x);
		shape[2] = bias.len();
		Ok(self.graph.push(name, Op::Dense { weight, bias }, vec![x], shape))
	}

	/// `[1, S, W]` as `[1, heads, S, W / heads]`, or its last two axes exchanged.
	fn heads(&mut self, x: NodeId, permutation: [usize; 4]) -> NodeId {
		let [places, width] = [self.places, self.shape(x)[2]];
		let heads = self.config.num_attention_heads;
		let split = vec![1, places, heads, width / heads];
		let shape = permutation.iter().map(|axis| split[*axis]).collect();
		let x = self.graph.push("heads", Op::Reshape, vec![x], split);
		self.graph.push(
			"heads",
			Op::Transpose { permutation: permutation.to_vec() },
			vec![x],
			shape,
		)
	}

	fn layer(&mut self, name: &str, x: NodeId, away: NodeId) -> Result<NodeId, CompileError> {
		let [places, heads] = [self.places, self.config.num_attention_heads];
		let all = self.shape(x);
		let depth = all[2] / heads;
		let own = format!("{name}.attention.self");
		let query = self.dense(&format!("{own}.query"), x, 1.0 / (depth as f32).sqrt())?;
		let key = self.dense(&format!("{own}.key"), x, 1.0)?;
		let value = self.dense(&format!("{own}.value"), x, 1.0)?;
		let query = self.heads(query, [0, 2, 1, 3]);
		let key = self.heads(key, [0, 2, 3, 1]);
		let value = self.heads(value, [0, 2, 1, 3]);
		let square = vec![1, heads, places, places];
		let scores = self.graph.push(&own, Op::MatMul, vec![query, key], square.clone());
		let scores = self.add(&own, scores, away);
		let weights = self.graph.push(&own, Op::Softmax { axis: 3 }, vec![scores], square);
		let mixed = vec![1, heads, places, depth];
		let mixed = self.graph.push(&own, Op::MatMul, vec![weights, value], mixed);
		let back = Op::Transpose { permutation: vec![0, 2, 1, 3] };
		let mixed = self.graph.push(&own, back, vec![mixed], vec![1, places, heads, depth]);
		let mixed = self.graph.push(&own, Op::Reshape, vec![mixed], all);
		let mixed = self.dense(&format!("{name}.attention.output.dense"), mixed, 1.0)?;
		let x = self.add(name, mixed, x);
		let x = self.norm(&format!("{name}.attention.output.LayerNorm"), x)?;

		let inner = self.dense(&format!("{name}.intermediate.dense"), x, 1.0)?;
		let shape = self.shape(inner);
		let gate = Expr::identity().with(Arithmetic::Mul, std::f64::consts::FRAC_1_SQRT_2);
		let gate = gate.apply(Function::Erf).with(Arithmetic::Add, 1.0);
		let gelu = Expr::identity().with(Arithmetic::Mul, 0.5).combine(Arithmetic::Mul, &gate);
		let inner = self.graph.push(&format!("{name}.gelu"), Op::Map(gelu), vec![inner], shape);
		let outer = self.dense(&format!("{name}.output.dense"), inner, 1.0)?;
		let x = self.add(name, outer, x);
		self.norm(&format!("{name}.output.LayerNorm"), x)
	}
}
