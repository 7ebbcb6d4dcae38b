// SPDX-License-Identifier: Apache-2.0

//! From `tract`'s graph to layers.
//!
//! The graph is cut where only one tensor is alive; between two cuts lies a region of one or more
//! operators. A region of one operator is read off its attributes. A region of several (layer norm,
//! GELU, softmax, a one-hot product) is guessed from the operators and constants in it, and the guess
//! is believed only if it gives the same numbers as the region on probes.

use crate::{
	calibrate::apply,
	error::{CompileError, Unsupported},
	graph::{transpose, Activation, Graph, Layer, Step, Tensor as Constant},
};
use std::collections::HashSet;
use tract_onnx::{
	prelude::*,
	tract_core::{
		internal::AxisOp,
		ops::{
			array::Gather,
			binary::TypedBinOp,
			cnn::{Conv, KernelFormat, PaddingSpec},
			einsum::EinSum,
			element_wise::ElementWiseOp,
			konst::Const,
			nn::{DataFormat, Reduce, Reducer, Softmax},
		},
	},
};

/// How far a recognised layer may be from what it replaces, relative to the largest value.
const TOLERANCE: f32 = 1e-4;

/// The chain of layers of a model, normalised. Lists every region that is not understood.
pub fn graph(model: &TypedModel, input: &[usize]) -> Result<Graph, CompileError> {
	let order = model.eval_order().map_err(failed)?;
	let output = *model.outputs.first().ok_or_else(|| CompileError::Onnx("no output".into()))?;
	let mut current = *model.inputs.first().ok_or_else(|| CompileError::Onnx("no input".into()))?;
	let mut reader = Reader { model, order, output, steps: Vec::new(), unsupported: Vec::new() };
	while current != output {
		current = reader.advance(current)?;
	}
	if !reader.unsupported.is_empty() {
		return Err(CompileError::Unsupported(reader.unsupported));
	}
	let mut graph = Graph { input: input.to_vec(), steps: reader.steps };
	graph.normalise();
	Ok(graph)
}

/// The operators between two cuts.
struct Region {
	/// Where it starts.
	from: OutletId,
	/// Its nodes, in evaluation order.
	nodes: Vec<usize>,
	/// Where it ends.
	to: OutletId,
}

struct Reader<'a> {
	model: &'a TypedModel,
	order: Vec<usize>,
	output: OutletId,
	steps: Vec<Step>,
	unsupported: Vec<Unsupported>,
}

impl Reader<'_> {
	/// Reads the region that starts at `from` and returns its end.
	fn advance(&mut self, from: OutletId) -> Result<OutletId, CompileError> {
		let is_index = self.model.outlet_fact(from).map_err(failed)?.datum_type.is_integer();
		let mut longer = Vec::new();
		if is_index {
			longer
				.extend(self.region(from, |node| node.op_is::<EinSum>() || node.op_is::<Gather>()));
		}
		let tail = self.region(from, |node| OutletId::new(node.id, 0) == self.output);
		// Softmax is cut in two where only the shifted exponents are alive: look ahead for it.
		longer.extend(tail.filter(|tail| {
			tail.nodes.iter().any(|node| self.name(*node) == "Exp")
				&& !tail.nodes.iter().any(|node| self.model.node(*node).op_is::<EinSum>())
		}));
		for region in longer {
			if let Some(steps) = self.composite(&region)? {
				self.steps.extend(steps);
				return Ok(region.to);
			}
		}
		let region = self.region(from, |_| true).ok_or_else(|| {
			CompileError::Onnx("the model does not lead from its input to its output".into())
		})?;
		let read = match region.nodes.as_slice() {
			[node] => self.single(*node, from)?,
			_ => self.composite(&region)?,
		};
		match read {
			Some(steps) => self.steps.extend(steps),
			None => {
				let reason = match region.nodes.as_slice() {
					[_] => "used in a way that has no exact integer form here".to_string(),
					nodes => {
						let names: Vec<_> = nodes.iter().map(|node| self.name(*node)).collect();
						format!("part of an unknown combination: {}", names.join(", "))
					}
				};
				for node in &region.nodes {
					self.unsupported.push(Unsupported {
						operator: self.name(*node),
						node: self.model.node(*node).name.clone(),
						reason: reason.clone(),
					});
				}
			}
		}
		Ok(region.to)
	}

	fn name(&self, node: usize) -> String {
		self.model.node(node).op.name().to_string()
	}

	/// The shortest region from `from` that ends with a node for which `accept` holds.
	fn region(&self, from: OutletId, accept: impl Fn(&TypedNode) -> bool) -> Option<Region> {
		let mut inside: HashSet<usize> = HashSet::new();
		let mut nodes = Vec::new();
		for id in &self.order {
			let node = self.model.node(*id);
			let reads = |outlet: &OutletId| *outlet == from || inside.contains(&outlet.node);
			if node.op_is::<Const>() || !node.inputs.iter().any(reads) {
				continue;
			}
			let closed =
				|outlet: &OutletId| reads(outlet) || self.model.node(outlet.node).op_is::<Const>();
			if !node.inputs.iter().all(closed) || node.outputs.len() != 1 {
				return None;
			}
			inside.insert(*id);
			nodes.push(*id);
			let outside = |outlet: OutletId| {
				let successors = self.model.outlet_successors(outlet);
				outlet == self.output || successors.iter().any(|next| !inside.contains(&next.node))
			};
			let alive = |node: &usize| node != id && outside(OutletId::new(*node, 0));
			if outside(from) || nodes.iter().any(alive) || !accept(node) {
				continue;
			}
			return Some(Region { from, nodes, to: OutletId::new(*id, 0) });
		}
		None
	}

	fn shape(&self, outlet: OutletId) -> Result<Vec<usize>, CompileError> {
		let fact = self.model.outlet_fact(outlet).map_err(failed)?;
		let shape = fact.shape.as_concrete();
		shape.map(|shape| shape.to_vec()).ok_or_else(|| CompileError::Onnx("open shape".into()))
	}

	/// The constant that an outlet holds, as real numbers.
	fn constant(&self, outlet: OutletId) -> Option<Constant> {
		let value = self.model.node(outlet.node).op_as::<Const>()?.val();
		let tensor = value.cast_to::<f32>().ok()?;
		let view = tensor.to_plain_array_view::<f32>().ok()?;
		Some(Constant { shape: tensor.shape().to_vec(), data: view.iter().copied().collect() })
	}

	fn step(&self, node: usize, layer: Layer, shape: &[usize]) -> Step {
		Step { name: self.model.node(node).name.clone(), layer, shape: shape.to_vec() }
	}

	/// One operator.
	fn single(&self, id: usize, from: OutletId) -> Result<Option<Vec<Step>>, CompileError> {
		let node = self.model.node(id);
		let (before, after) = (self.shape(from)?, self.shape(OutletId::new(id, 0))?);
		let one = |layer: Layer| Ok(Some(vec![self.step(id, layer, &after)]));
		if let Some(op) = node.op_as::<AxisOp>() {
			return match op {
				AxisOp::Move(from, to) => {
					let mut permutation: Vec<usize> = (0..before.len()).collect();
					let moved = permutation.remove(*from);
					permutation.insert(*to, moved);
					one(Layer::Transpose { permutation })
				}
				AxisOp::Add(_) | AxisOp::Rm(_) | AxisOp::Reshape(..) => one(Layer::Reshape),
			};
		}
		if let Some(op) = node.op_as::<Reduce>() {
			return match (op.reducer, op.axes.as_slice()) {
				(Reducer::Max, [axis]) => one(Layer::Max { axis: *axis }),
				_ => Ok(None),
			};
		}
		if let Some(op) = node.op_as::<Softmax>() {
			let last = before.len().saturating_sub(1);
			return if op.axes.as_slice() == [last] { one(Layer::Softmax) } else { Ok(None) };
		}
		if node.op_is::<EinSum>() {
			return self.dense(id, from);
		}
		if node.op_is::<Conv>() {
			return self.convolution(id, from);
		}
		if let Some(op) = node.op_as::<Gather>() {
			let table = node.inputs.first().and_then(|table| self.constant(*table));
			return match table {
				Some(table) if op.axis == 0 && table.shape.len() == 2 => {
					one(Layer::Embed { table })
				}
				_ => Ok(None),
			};
		}
		if let Some(op) = node.op_as::<TypedBinOp>() {
			let place = node.inputs.iter().position(|input| *input == from).unwrap_or(0);
			let other = node.inputs.get(1 - place.min(1));
			let Some(mut values) = other.and_then(|other| self.constant(*other)) else {
				return Ok(None);
			};
			return match op.0.name() {
				"Add" if before == after => one(Layer::Bias { values }),
				"Sub" if before == after && place == 0 => {
					values.data.iter_mut().for_each(|value| *value = -*value);
					one(Layer::Bias { values })
				}
				"Max" if before == after && values.data.iter().all(|value| *value == 0.0) => {
					one(Layer::Activation(Activation::Relu))
				}
				_ => Ok(None),
			};
		}
		if node.op_is::<ElementWiseOp>() || node.op.name().starts_with("Gelu") {
			let region = Region { from, nodes: vec![id], to: OutletId::new(id, 0) };
			return self.composite(&region);
		}
		Ok(None)
	}

	/// A product with a constant matrix over the last axis that is not 1.
	fn dense(&self, id: usize, from: OutletId) -> Result<Option<Vec<Step>>, CompileError> {
		let node = self.model.node(id);
		let (Some(op), [a, b]) = (node.op_as::<EinSum>(), node.inputs.as_slice()) else {
			return Ok(None);
		};
		let (place, other) = if *a == from { (0, *b) } else { (1, *a) };
		let Some(weight) = self.constant(other) else { return Ok(None) };
		let summed = op
			.axes
			.iter_all_axes()
			.find(|axis| axis.outputs[0].is_empty() && axis.inputs.iter().all(|at| at.len() == 1));
		let Some(summed) = summed else { return Ok(None) };
		let (at, inner) = (summed.inputs[place][0], summed.inputs[1 - place][0]);
		let (before, after) = (self.shape(from)?, self.shape(OutletId::new(id, 0))?);
		let unit_behind = before[at + 1..].iter().all(|extent| *extent == 1);
		let is_matrix = weight.shape.iter().filter(|extent| **extent > 1).count() <= 2;
		if !unit_behind || !is_matrix || weight.shape[inner] != before[at] {
			return Ok(None);
		}
		// As `[K, O]`.
		let taps = before[at];
		let outs = weight.data.len() / taps;
		let mut order: Vec<usize> = (0..weight.shape.len()).filter(|axis| *axis != inner).collect();
		order.insert(0, inner);
		let data = transpose(&weight.data, &weight.shape, &order);
		let weight = Constant { shape: vec![taps, outs], data };
		let narrow = before[..=at].to_vec();
		let wide: Vec<usize> = before[..at].iter().copied().chain([outs]).collect();
		let layer = Layer::Dense { weight, bias: vec![0.0; outs] };
		let steps = vec![
			self.step(id, Layer::Reshape, &narrow),
			self.step(id, layer, &wide),
			self.step(id, Layer::Reshape, &after),
		];
		let region = Region { from, nodes: vec![id], to: OutletId::new(id, 0) };
		Ok(self.agrees(&region, &steps)?.then_some(steps))
	}

	/// A convolution over one or two axes.
	fn convolution(&self, id: usize, from: OutletId) -> Result<Option<Vec<Step>>, CompileError> {
		let node = self.model.node(id);
		let Some(op) = node.op_as::<Conv>() else { return Ok(None) };
		let (before, after) = (self.shape(from)?, self.shape(OutletId::new(id, 0))?);
		let spec = &op.pool_spec;
		let axes = spec.kernel_shape.len();
		let batched = matches!(spec.data_format, DataFormat::NHWC | DataFormat::NCHW);
		if op.group != 1 || op.q_params.is_some() || !(1..=2).contains(&axes) || !batched {
			return Ok(None);
		}
		let (Some(weight), Some(bias)) = (
			node.inputs.get(1).and_then(|input| self.constant(*input)),
			node.inputs.get(2).and_then(|input| self.constant(*input)),
		) else {
			return Ok(None);
		};
		let (above, below) = match &spec.padding {
			PaddingSpec::Explicit(above, below) => (above.to_vec(), below.to_vec()),
			PaddingSpec::Valid => (vec![0; axes], vec![0; axes]),
			_ => return Ok(None),
		};
		let pair = |values: &[usize], fill: usize| -> [usize; 2] {
			[values.first().copied().unwrap_or(fill), values.get(1).copied().unwrap_or(fill)]
		};
		let (above, below) = (pair(&above, 0), pair(&below, 0));
		let stride = spec.strides.as_ref().map_or([1, 1], |s| pair(s, 1));
		let dilation = spec.dilations.as_ref().map_or([1, 1], |d| pair(d, 1));

		// As `[O, KH, KW, C]`.
		let (ins, outs) = (spec.input_channels, spec.output_channels);
		let kernel = pair(&spec.kernel_shape, 1);
		let (shape, order) = match op.kernel_fmt {
			KernelFormat::OIHW => ([outs, ins, kernel[0], kernel[1]], [0, 2, 3, 1]),
			KernelFormat::HWIO => ([kernel[0], kernel[1], ins, outs], [3, 0, 1, 2]),
			KernelFormat::OHWI => ([outs, kernel[0], kernel[1], ins], [0, 1, 2, 3]),
		};
		if weight.data.len() != shape.iter().product::<usize>() {
			return Ok(None);
		}
		let data = transpose(&weight.data, &shape, &order);
		let weight = Constant { shape: vec![outs, kernel[0], kernel[1], ins], data };
		let bias = (0..outs).map(|out| bias.data[out % bias.data.len()]).collect();
		let layer = Layer::Conv {
			weight,
			bias,
			pad: [above[0], below[0], above[1], below[1]],
			stride,
			dilation,
		};

		let image = |shape: &[usize], first: usize, channels: usize| -> Vec<usize> {
			let axes = pair(&shape[first..first + axes], 1);
			vec![shape[0], axes[0], axes[1], channels]
		};
		let mut steps = Vec::new();
		if spec.data_format == DataFormat::NHWC {
			steps.push(self.step(id, Layer::Reshape, &image(&before, 1, ins)));
			steps.push(self.step(id, layer, &image(&after, 1, outs)));
		} else {
			let [inner, outer] = [image(&before, 2, ins), image(&after, 2, outs)];
			let planes = |image: &[usize]| vec![image[0], image[3], image[1], image[2]];
			steps.push(self.step(id, Layer::Reshape, &planes(&inner)));
			steps.push(self.step(id, Layer::Transpose { permutation: vec![0, 2, 3, 1] }, &inner));
			steps.push(self.step(id, layer, &outer));
			let back = Layer::Transpose { permutation: vec![0, 3, 1, 2] };
			steps.push(self.step(id, back, &planes(&outer)));
		}
		steps.push(self.step(id, Layer::Reshape, &after));
		Ok(Some(steps))
	}

	/// Several operators that are one layer, found by trying.
	fn composite(&self, region: &Region) -> Result<Option<Vec<Step>>, CompileError> {
		let Some(last) = region.nodes.last().copied() else { return Ok(None) };
		let after = self.shape(region.to)?;
		let names: Vec<String> = region.nodes.iter().map(|node| self.name(*node)).collect();
		let has = |name: &str| names.iter().any(|known| known == name);
		let mut guesses: Vec<Layer> = Vec::new();
		if self.model.outlet_fact(region.from).map_err(failed)?.datum_type.is_integer() {
			let tables = self
				.constants(region)
				.into_iter()
				.filter(|table| table.shape.len() == 2 && table.shape.last() == after.last());
			guesses.extend(tables.map(|table| Layer::Embed { table }));
		} else if has("Exp") {
			guesses.push(Layer::Softmax);
		} else if has("Tanh") || names.iter().any(|name| name.starts_with("Gelu")) {
			guesses.push(Layer::Activation(Activation::Gelu));
		} else if has("Rsqrt") || has("Sqrt") {
			guesses = self.layer_norms(region)?;
		} else {
			guesses.push(Layer::Activation(Activation::Relu));
		}
		for guess in guesses {
			let steps = vec![self.step(last, guess, &after)];
			if self.agrees(region, &steps)? {
				return Ok(Some(steps));
			}
		}
		Ok(None)
	}

	/// The constants that a region reads.
	fn constants(&self, region: &Region) -> Vec<Constant> {
		let inputs = region.nodes.iter().flat_map(|node| &self.model.node(*node).inputs);
		inputs.filter_map(|input| self.constant(*input)).collect()
	}

	/// Every layer norm that can be made of the constants of a region.
	fn layer_norms(&self, region: &Region) -> Result<Vec<Layer>, CompileError> {
		let before = self.shape(region.from)?;
		let axis = region.nodes.iter().find_map(|node| {
			let reduce = self.model.node(*node).op_as::<Reduce>()?;
			<[usize; 1]>::try_from(reduce.axes.as_slice()).ok()
		});
		let Some([axis]) = axis else { return Ok(Vec::new()) };
		let constants = self.constants(region);
		let fits = |constant: &&Constant| {
			constant.shape.len() == before.len()
				&& constant.data.len() > 1
				&& constant.shape.iter().zip(&before).all(|(c, x)| c == x || *c == 1)
		};
		let filled = |value: f32| Constant { shape: vec![1; before.len()], data: vec![value] };
		let tensors: Vec<&Constant> = constants.iter().filter(fits).collect();
		let with = |value: f32| -> Vec<Constant> {
			tensors.iter().map(|tensor| (*tensor).clone()).chain([filled(value)]).collect()
		};
		let small = |constant: &Constant| {
			let value = constant.data.first().copied().unwrap_or(0.0);
			(constant.data.len() == 1 && (0.0..0.01).contains(&value)).then_some(value as f64)
		};
		let epsilons: Vec<f64> = constants.iter().filter_map(small).collect();
		let mut guesses = Vec::new();
		for gamma in with(1.0) {
			for beta in with(0.0) {
				for epsilon in &epsilons {
					let (gamma, beta) = (gamma.clone(), beta.clone());
					guesses.push(Layer::LayerNorm { axis, epsilon: *epsilon, gamma, beta });
				}
			}
		}
		Ok(guesses)
	}

	/// Whether `steps` give the same numbers as the region, on ordinary and on very small values.
	fn agrees(&self, region: &Region, steps: &[Step]) -> Result<bool, CompileError> {
		let shape = self.shape(region.from)?;
		let fact = self.model.outlet_fact(region.from).map_err(failed)?;
		let count: usize = shape.iter().product();
		let tokens = match steps.first().map(|step| &step.layer) {
			Some(Layer::Embed { table }) => table.shape.first().copied(),
			_ => None,
		};
		for size in [4.0f32, 1e-3] {
			let probe: Vec<f32> = (0..count)
				.map(|index| match tokens {
					Some(rows) => (index * 7919 % rows.max(1)) as f32,
					None => (noise(index) - 0.5) * 2.0 * size,
				})
				.collect();
			let tensor = Tensor::from_shape(&shape, &probe).map_err(failed)?;
			let tensor = tensor.cast_to_dt(fact.datum_type).map_err(failed)?.into_owned();
			let Some(expected) = self.evaluate(region, tensor)? else { return Ok(false) };
			let mut found = probe;
			let mut from = shape.clone();
			for step in steps {
				found = apply(&step.layer, &found, &from, &step.shape);
				from.clone_from(&step.shape);
			}
			let largest = expected.iter().fold(1e-6f32, |max, x| max.max(x.abs()));
			let near = |(a, b): (&f32, &f32)| (a - b).abs() <= TOLERANCE * largest;
			if expected.len() != found.len() || !expected.iter().zip(&found).all(near) {
				return Ok(false);
			}
		}
		Ok(true)
	}

	/// The result of a region; `None` if one of its operators cannot be run alone.
	fn evaluate(&self, region: &Region, input: Tensor) -> Result<Option<Vec<f32>>, CompileError> {
		let mut values = vec![(region.from, input.into_tvalue())];
		for id in &region.nodes {
			let node = self.model.node(*id);
			let mut inputs = tvec!();
			for outlet in &node.inputs {
				if let Some(constant) = self.model.node(outlet.node).op_as::<Const>() {
					inputs.push(constant.val().clone().into_tvalue());
				} else if let Some((_, value)) = values.iter().find(|(known, _)| known == outlet) {
					inputs.push(value.clone());
				}
			}
			let Some(mut outputs) = node.op.eval_out_of_plan(inputs).map_err(failed)? else {
				return Ok(None);
			};
			values.push((OutletId::new(*id, 0), outputs.remove(0)));
		}
		let Some((_, result)) = values.pop() else { return Ok(None) };
		let result = result.cast_to::<f32>().map_err(failed)?;
		let view = result.to_plain_array_view::<f32>().map_err(failed)?;
		Ok(Some(view.iter().copied().collect()))
	}
}

/// A fixed sequence that looks random, in 0..1.
fn noise(index: usize) -> f32 {
	let mixed = (index as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
	((mixed ^ (mixed >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9) >> 40) as f32 / (1u64 << 24) as f32
}

fn failed(error: TractError) -> CompileError {
	CompileError::Onnx(format!("{error:#}"))
}
