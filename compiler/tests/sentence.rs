// SPDX-License-Identifier: Apache-2.0

//! A small sentence encoder with made-up weights, from its files to openings of single elements.

mod support;

use serde_json::json;
use tensornet_compiler::{compile_graph, sentence, Compiled, Graph, Options};

const WIDTH: usize = 16;
const INNER: usize = 32;
const WORDS: usize = 40;
const PLACES: usize = 12;

/// Numbers from -1 to 1 from a linear congruential generator.
struct Random(u32);

impl Random {
	fn next(&mut self) -> f32 {
		self.0 = self.0.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
		(self.0 >> 8) as f32 / (1 << 23) as f32 - 1.0
	}
}

/// The bytes of a `safetensors` file with these tensors, filled with numbers around `middle`.
fn file(tensors: &[(String, Vec<usize>, f32)]) -> Vec<u8> {
	let mut random = Random(7);
	let mut header = serde_json::Map::new();
	let mut data = Vec::new();
	for (name, shape, middle) in tensors {
		let start = data.len();
		for _ in 0..shape.iter().product::<usize>() {
			data.extend((middle + random.next() / 3.0).to_le_bytes());
		}
		let place = [start, data.len()];
		header.insert(name.clone(), json!({"dtype": "F32", "shape": shape, "data_offsets": place}));
	}
	let header = serde_json::to_vec(&header).unwrap();
	[&(header.len() as u64).to_le_bytes()[..], &header, &data].concat()
}

/// An encoder of two layers.
fn encoder() -> Graph {
	let mut tensors: Vec<(String, Vec<usize>, f32)> = Vec::new();
	let mut add = |name: String, shape: &[usize], middle: f32| {
		tensors.push((name, shape.to_vec(), middle));
	};
	let norm = |add: &mut dyn FnMut(String, &[usize], f32), name: String| {
		add(format!("{name}.weight"), &[WIDTH], 1.0);
		add(format!("{name}.bias"), &[WIDTH], 0.0);
	};
	for (name, rows) in [("word", WORDS), ("position", PLACES), ("token_type", 2)] {
		add(format!("embeddings.{name}_embeddings.weight"), &[rows, WIDTH], 0.0);
	}
	norm(&mut add, "embeddings.LayerNorm".into());
	for layer in 0..2 {
		let name = format!("encoder.layer.{layer}");
		for (part, outs, ins) in [
			("attention.self.query", WIDTH, WIDTH),
			("attention.self.key", WIDTH, WIDTH),
			("attention.self.value", WIDTH, WIDTH),
			("attention.output.dense", WIDTH, WIDTH),
			("intermediate.dense", INNER, WIDTH),
			("output.dense", WIDTH, INNER),
		] {
			add(format!("{name}.{part}.weight"), &[outs, ins], 0.0);
			add(format!("{name}.{part}.bias"), &[outs], 0.0);
		}
		norm(&mut add, format!("{name}.attention.output.LayerNorm"));
		norm(&mut add, format!("{name}.output.LayerNorm"));
	}
	let directory = tempfile::tempdir().unwrap();
	let config = json!({"hidden_act": "gelu", "layer_norm_eps": 1e-12, "num_attention_heads": 2,
		"num_hidden_layers": 2});
	std::fs::write(directory.path().join("config.json"), config.to_string()).unwrap();
	std::fs::write(directory.path().join("model.safetensors"), file(&tensors)).unwrap();
	sentence::graph(directory.path(), PLACES).unwrap()
}

/// A sentence of `length` tokens.
fn tokens(seed: u32, length: usize) -> Vec<f32> {
	let mut random = Random(seed);
	let word = |random: &mut Random| (1.0 + (random.next() + 1.0) * 19.0).floor();
	(0..PLACES).map(|place| if place < length { word(&mut random) } else { 0.0 }).collect()
}

fn cosine(a: &[f64], b: &[f64]) -> f64 {
	let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
	dot(a, b) / (dot(a, a) * dot(b, b)).sqrt()
}

#[test]
fn embeddings_point_where_the_float_model_points_and_every_element_is_recomputed_alone() {
	let graph = encoder();
	let calibration: Vec<_> = (0..16).map(|seed| tokens(seed, 3 + seed as usize % 10)).collect();
	let options = Options { measured: 2, ..Options::default() };
	let Compiled { package, report } = compile_graph(&graph, &calibration, &options).unwrap();
	println!("{report}");
	let mut executor = package.executor().unwrap();
	for seed in 100..120 {
		let sample = tokens(seed, 3 + seed as usize % 10);
		let input = package.card.encode_input(&sample).unwrap();
		let output = package.run(&mut executor, &input).unwrap();
		let output = package.card.decode_output(&output).unwrap();
		let float: Vec<f64> = graph.run(&sample).into_iter().map(f64::from).collect();
		assert!(cosine(&output, &float) > 0.999, "{seed}: {}", cosine(&output, &float));
	}
	let input = package.card.encode_input(&tokens(200, 7)).unwrap();
	support::recompute(&package, &input, 20);
}

#[test]
fn an_unknown_activation_and_too_many_places_are_refused() {
	let directory = tempfile::tempdir().unwrap();
	let write = |name: &str, bytes: &[u8]| {
		std::fs::write(directory.path().join(name), bytes).unwrap();
	};
	let config = |act: &str| {
		json!({"hidden_act": act, "layer_norm_eps": 1e-12, "num_attention_heads": 2,
			"num_hidden_layers": 0})
		.to_string()
	};
	let rows = |name: &str| (format!("embeddings.{name}_embeddings.weight"), vec![8, WIDTH], 0.0);
	write("model.safetensors", &file(&["word", "position", "token_type"].map(rows)));
	write("config.json", config("relu").as_bytes());
	let refused =
		|places: usize| sentence::graph(directory.path(), places).unwrap_err().to_string();
	assert!(refused(4).contains("relu"));
	write("config.json", config("gelu").as_bytes());
	assert!(refused(9).contains("8 places"));
	assert!(refused(8).contains("embeddings.LayerNorm.weight"));
}
