// SPDX-License-Identifier: Apache-2.0

//! From layers to integer operators.
//!
//! Between layers values are I16 in units that are powers of two; weights are I8 with one unit for each
//! output. A product with its bias, activation and rounding is one committed tensor. Activations are
//! limited so that no sum of products can wrap whatever the weights are.

use crate::{
	calibrate::Ranges,
	emit::{innermost, Emit},
	error::CompileError,
	exact,
	graph::{Activation, Graph, Layer, Tensor},
	norm::Norm,
	quantise::{planes, power_scale, weights, whole, Multipliers, Weights, TWO_PLANES},
};
use tensornet_tensor::{
	Binary, CheckedProgram, DType, Layout, Op, Reduction, TensorType, ValueId, Window,
};

/// What lowering produces.
pub struct Lowered {
	/// The program.
	pub program: CheckedProgram,
	/// The blobs of its constants: root and bytes.
	pub blobs: Vec<([u8; 32], Vec<u8>)>,
	/// The element type of the input and the value of one unit of it (1 for tokens).
	pub input: (DType, f64),
	/// The value of one unit of the output, an I32 tensor.
	pub output_unit: f64,
	/// For each committed result of a step: the step, its value in the program, its unit.
	pub results: Vec<StepResult>,
}

/// Where the result of a step is found in the program.
#[derive(Clone, Debug)]
pub struct StepResult {
	/// The step of the graph.
	pub step: usize,
	/// Its value, numbered as in the program.
	pub value: ValueId,
	/// The value of one unit.
	pub unit: f64,
}

/// Values that calibration has not seen may be larger by this factor before they are limited.
const HEADROOM: f64 = 1.25;

/// Fractional bits of a product before its activation.
const FINE_BITS: i32 = 12;

/// Fractional bits of the output.
const OUTPUT_BITS: i32 = 16;

/// Kept free in an accumulator for the bias.
const BIAS_LIMIT: i64 = 1 << 26;

/// A product whose share of the model's work is below one in this many gets weights of two planes.
const CHEAP: u64 = 64;

/// A quantised value.
#[derive(Clone, Copy)]
struct Quantised {
	value: ValueId,
	unit: f64,
}

struct Lowering<'a> {
	graph: &'a Graph,
	ranges: &'a Ranges,
	emit: Emit,
	work: u64,
	results: Vec<StepResult>,
}

/// Emits the program of a normalised graph.
pub fn lower(graph: &Graph, ranges: &Ranges) -> Result<Lowered, CompileError> {
	let mut lowering = Lowering {
		graph,
		ranges,
		emit: Emit::default(),
		work: (0..graph.steps.len()).map(|index| work(graph, index)).sum(),
		results: Vec::new(),
	};
	let shape: Vec<u32> = graph.input.iter().map(|extent| *extent as u32).collect();
	let (dtype, unit) = if graph.reads_tokens() {
		(DType::I32, 1.0)
	} else {
		let limit = lowering.limit_before(0).min(DType::I8.max());
		(DType::I8, power_scale(ranges.input, limit))
	};
	let value = lowering.emit.input(TensorType::new(dtype, shape))?;
	let mut x = Quantised { value, unit };
	let mut index = 0;
	while index < graph.steps.len() {
		(x, index) = lowering.step(index, x)?;
	}
	let mut values: Vec<ValueId> = lowering.results.iter().map(|result| result.value).collect();
	let (program, blobs) = lowering.emit.finish(x.value, &mut values)?;
	for (result, value) in lowering.results.iter_mut().zip(values) {
		result.value = value;
	}
	Ok(Lowered {
		program,
		blobs,
		input: (dtype, unit),
		output_unit: x.unit,
		results: lowering.results,
	})
}

/// Multiply-accumulates of a step.
pub fn work(graph: &Graph, index: usize) -> u64 {
	let step = &graph.steps[index];
	let outputs: usize = step.shape.iter().product();
	match &step.layer {
		Layer::Dense { weight, .. } => (outputs * weight.shape[0]) as u64,
		Layer::Conv { weight, .. } => {
			(outputs * weight.shape[1..].iter().product::<usize>()) as u64
		}
		_ => 0,
	}
}

/// The largest magnitude of an operand for which a sum of `taps` products with I8 weights and the
/// bias stay inside I32.
fn operand_limit(taps: usize) -> i32 {
	let free = i32::MAX as i64 - BIAS_LIMIT;
	(free / (128 * taps as i64)).min(i16::MAX as i64) as i32
}

impl Lowering<'_> {
	fn refuse(&self, index: usize, reason: &str) -> CompileError {
		CompileError::Layer { layer: self.graph.steps[index].name.clone(), reason: reason.into() }
	}

	/// How large an operand of the next product at or after step `index` may be, in units.
	fn limit_before(&self, index: usize) -> i32 {
		for step in &self.graph.steps[index.min(self.graph.steps.len())..] {
			match &step.layer {
				Layer::Dense { weight, .. } => return operand_limit(weight.shape[0]),
				Layer::Conv { weight, .. } => {
					return operand_limit(weight.shape[1..].iter().product());
				}
				Layer::Reshape | Layer::Transpose { .. } | Layer::Max { .. } => {}
				Layer::Activation(Activation::Relu) => {}
				_ => break,
			}
		}
		i16::MAX as i32
	}

	/// Where the result of step `index` is reduced along one of its axes, that axis is stored innermost.
	fn layout(&self, index: usize) -> Layout {
		let rank = self.graph.steps[index].shape.len();
		let Some(next) = self.graph.consumer(index) else { return Layout::row_major() };
		let axis = match &self.graph.steps[next].layer {
			Layer::Max { axis } | Layer::LayerNorm { axis, .. } => *axis,
			_ => return Layout::row_major(),
		};
		let axis = self.graph.axis_before(index, next, axis);
		axis.map_or(Layout::row_major(), |axis| innermost(rank, axis))
	}

	/// Emits step `index`, and what belongs to it, on the operand `x`. Returns the result and the number of
	/// the next step.
	fn step(&mut self, index: usize, x: Quantised) -> Result<(Quantised, usize), CompileError> {
		let graph = self.graph;
		let step = &graph.steps[index];
		let shape: Vec<u32> = step.shape.iter().map(|extent| *extent as u32).collect();
		let next = graph.steps.get(index + 1).map(|next| &next.layer);
		match &step.layer {
			Layer::Embed { table } => {
				let activation = match next {
					Some(Layer::Activation(activation)) => Some(*activation),
					_ => None,
				};
				let result = self.embed(index, x, table, activation)?;
				Ok((result, index + 1 + activation.is_some() as usize))
			}
			Layer::Dense { .. } | Layer::Conv { .. } => self.affine(index, x),
			Layer::LayerNorm { axis, epsilon, gamma, beta } => {
				let limit = self.limit_before(index + 1);
				let unit = power_scale(self.ranges.steps[index] * HEADROOM, limit);
				if self.emit.dtype(x.value) != DType::I16 {
					return Err(self.refuse(index, "the operand of a layer norm must be I16"));
				}
				let norm = Norm { name: &step.name, axis: *axis, epsilon: *epsilon, gamma, beta };
				let value = norm.emit(&mut self.emit, x.value, x.unit, unit, limit)?;
				let result = Quantised { value, unit };
				self.commit(index, result);
				Ok((result, index + 1))
			}
			Layer::Max { axis } => {
				let value = self.emit.reduce(Reduction::Max, x.value, *axis)?;
				let result = Quantised { value, ..x };
				self.commit(index, result);
				Ok((result, index + 1))
			}
			Layer::Reshape => {
				let value = self.emit.reshape(x.value, &shape)?;
				Ok((Quantised { value, ..x }, index + 1))
			}
			Layer::Transpose { permutation } => {
				let permutation = permutation.iter().map(|axis| *axis as u8).collect();
				let value = self.emit.op(Op::Transpose { permutation }, &[x.value])?;
				Ok((Quantised { value, ..x }, index + 1))
			}
			Layer::Activation(Activation::Relu) => {
				let most = self.emit.dtype(x.value).max();
				let value = self.emit.clamp(x.value, 0, most)?;
				Ok((Quantised { value, ..x }, index + 1))
			}
			Layer::Softmax if index + 1 == graph.steps.len() && index > 0 => Ok((x, index + 1)),
			Layer::Softmax => Err(self.refuse(index, "softmax is only possible as the last layer")),
			Layer::Activation(Activation::Gelu) => {
				Err(self.refuse(index, "GELU is only possible behind a product or an embedding"))
			}
			Layer::Bias { .. } => {
				Err(self.refuse(index, "a constant is only added behind a product or a layer norm"))
			}
		}
	}

	fn commit(&mut self, index: usize, result: Quantised) {
		let layout = self.layout(index);
		self.emit.checkpoint(result.value, layout);
		self.results.push(StepResult { step: index, value: result.value, unit: result.unit });
	}

	/// A table lookup. The activation behind it is applied to the table.
	fn embed(
		&mut self,
		index: usize,
		x: Quantised,
		table: &Tensor,
		activation: Option<Activation>,
	) -> Result<Quantised, CompileError> {
		let [rows, width] = [table.shape[0] as u32, table.shape[1] as u32];
		let f = |x: f64| match activation {
			Some(Activation::Relu) => x.max(0.0),
			Some(Activation::Gelu) => exact::gelu(x),
			None => x,
		};
		let table: Vec<f64> = table.data.iter().map(|x| f(*x as f64)).collect();
		let largest = table.iter().fold(0f64, |max, x| max.max(x.abs()));
		let limit = self.limit_before(index + 1 + activation.is_some() as usize);
		let unit = power_scale(largest, limit);
		let table: Vec<i32> = table.iter().map(|x| whole(*x, unit, limit)).collect();
		// Each column in one piece: whoever normalises along the positions reads one column.
		let table = self.emit.blob(DType::I16, &[1, rows, width], innermost(3, 1), &table)?;
		let value = self.emit.op(Op::Gather, &[table, x.value])?;
		let shape: Vec<u32> = self.graph.steps[index].shape.iter().map(|x| *x as u32).collect();
		let value = self.emit.reshape(value, &shape)?;
		Ok(Quantised { value, unit })
	}

	/// A product with its bias and activation.
	fn affine(&mut self, index: usize, x: Quantised) -> Result<(Quantised, usize), CompileError> {
		let graph = self.graph;
		let activation = match graph.steps.get(index + 1).map(|next| &next.layer) {
			Some(Layer::Activation(activation)) => Some(*activation),
			_ => None,
		};
		let last = index + activation.is_some() as usize;
		let rest = &graph.steps[last + 1..];
		let is_output = rest.iter().all(|s| s.layer.is_movement() || s.layer == Layer::Softmax);

		let bits = if is_output { OUTPUT_BITS } else { FINE_BITS };
		// Three bits of headroom above what calibration saw.
		let most = 28 - exact::ceil_log2(self.ranges.steps[index].max(1.0));
		let fine = exact::power(-bits.min(most));
		if activation == Some(Activation::Gelu) && most < FINE_BITS {
			return Err(self.refuse(index, "the operand of GELU becomes too large"));
		}
		let value = self.product(index, x, fine)?;
		let value = match activation {
			None => value,
			Some(Activation::Relu) => self.emit.clamp(value, 0, i32::MAX)?,
			Some(Activation::Gelu) => self.gelu(value, fine)?,
		};
		let result = if is_output {
			Quantised { value, unit: fine }
		} else {
			let limit = self.limit_before(last + 1);
			let unit = power_scale(self.ranges.steps[last] * HEADROOM, limit);
			let power = exact::ceil_log2(fine) - exact::ceil_log2(unit);
			let mut value = self.emit.shift(value, power, DType::I16)?;
			if limit < DType::I16.max() {
				value = self.emit.clamp(value, -limit, limit)?;
			}
			Quantised { value, unit }
		};
		self.commit(last, result);
		Ok((result, last + 1))
	}

	/// The product of step `index` plus its bias, as I32 in units of `fine`.
	fn product(&mut self, index: usize, x: Quantised, fine: f64) -> Result<ValueId, CompileError> {
		let graph = self.graph;
		let step = &graph.steps[index];
		let cheap = work(graph, index).saturating_mul(CHEAP) < self.work;
		let (weight, bias, outputs, taps) = match &step.layer {
			Layer::Dense { weight, bias } => (weight, bias, weight.shape[1], weight.shape[0]),
			Layer::Conv { weight, bias, .. } => {
				(weight, bias, weight.shape[0], weight.shape[1..].iter().product())
			}
			_ => return Err(self.refuse(index, "not a product")),
		};
		let is_dense = matches!(step.layer, Layer::Dense { .. });
		let output_of = |at: usize| if is_dense { at % outputs } else { at / taps };
		let limit = if cheap { TWO_PLANES } else { 127 };
		let Weights { values, units } = weights(&weight.data, outputs, limit, output_of);

		let mut x = x;
		let tight = operand_limit(taps);
		if tight < self.emit.dtype(x.value).max() && !self.is_limited(index) {
			x.value = self.emit.clamp(x.value, -tight, tight)?;
		}
		// A constant in accumulator units where the operator takes one, otherwise behind the rescale.
		let bias_at = |unit: &dyn Fn(usize) -> f64| -> Vec<i32> {
			let limit = BIAS_LIMIT as i32;
			bias.iter().enumerate().map(|(o, b)| whole(*b as f64, unit(o), limit)).collect()
		};
		let sums: Vec<(ValueId, f64)> = if cheap {
			let (high, low) = planes(&values);
			let high = self.multiply(index, x.value, &high, None)?;
			let low = self.multiply(index, x.value, &low, None)?;
			vec![(high, 128.0), (low, 1.0)]
		} else {
			let bias = bias_at(&|o| x.unit * units[o]);
			vec![(self.multiply(index, x.value, &values, Some(&bias))?, 1.0)]
		};
		let mut total = None;
		for (sum, weight) in sums {
			let factors: Vec<f64> = units.iter().map(|u| x.unit * u * weight / fine).collect();
			let Multipliers { multipliers, shift } = Multipliers::of(&factors)
				.ok_or_else(|| self.refuse(index, "weights too large for the operand's unit"))?;
			let part = self.emit.rescale(sum, &multipliers, shift, DType::I32)?;
			total = Some(match total {
				None => part,
				Some(total) => self.emit.binary(Binary::Add, total, part)?,
			});
		}
		let total = total.ok_or_else(|| self.refuse(index, "not a product"))?;
		if !(cheap || is_dense) {
			return Ok(total);
		}
		let mut shape = vec![1; step.shape.len()];
		if let Some(last) = shape.last_mut() {
			*last = outputs as u32;
		}
		let bias = self.emit.inline(DType::I32, &shape, &bias_at(&|_| fine))?;
		Ok(self.emit.binary(Binary::Add, total, bias)?)
	}

	/// Whether an operator of the program limits the operand of step `index`. The rows of an embedding
	/// are in a blob, which the range analysis of the chain does not see.
	fn is_limited(&self, index: usize) -> bool {
		let moves = |layer: &Layer| layer.is_movement() || matches!(layer, Layer::Max { .. });
		let before = self.graph.steps[..index].iter().rev().find(|step| !moves(&step.layer));
		before.is_some_and(|step| !matches!(step.layer, Layer::Embed { .. }))
	}

	/// Products with integer weights in the order of the model: I32 sums.
	fn multiply(
		&mut self,
		index: usize,
		x: ValueId,
		values: &[i32],
		bias: Option<&[i32]>,
	) -> Result<ValueId, CompileError> {
		let step = &self.graph.steps[index];
		let shape: Vec<u32> = step.shape.iter().map(|extent| *extent as u32).collect();
		match &step.layer {
			Layer::Conv { weight, pad, stride, dilation, .. } => {
				let axes: Vec<u32> = weight.shape.iter().map(|extent| *extent as u32).collect();
				let weight = self.emit.blob(DType::I8, &axes, Layout::row_major(), values)?;
				let bias = match bias {
					Some(bias) => self.emit.inline(DType::I32, &axes[..1], bias)?,
					None => self.emit.inline(DType::I32, &[1], &[0])?,
				};
				let window = Window {
					pad: pad.map(|x| x as u16),
					stride: stride.map(|x| x as u16),
					dilation: dilation.map(|x| x as u16),
				};
				let op = Op::Conv2d { window, input_zero_point: 0, weight_zero_point: 0 };
				Ok(self.emit.op(op, &[x, weight, bias])?)
			}
			Layer::Dense { weight, .. } => {
				let [taps, outputs] = [weight.shape[0] as u32, weight.shape[1] as u32];
				let weight =
					self.emit.blob(DType::I8, &[1, taps, outputs], innermost(3, 1), values)?;
				let rows: u32 = shape.iter().rev().skip(1).product();
				let x = self.emit.reshape(x, &[1, rows, taps])?;
				let op = Op::MatMul { a_zero_point: 0, b_zero_point: 0 };
				let sums = self.emit.op(op, &[x, weight])?;
				Ok(self.emit.reshape(sums, &shape)?)
			}
			_ => Err(self.refuse(index, "not a product")),
		}
	}

	/// GELU of an I32 value in units of `fine`, in the same units: `max(x, 0)` plus a correction that
	/// vanishes outside ±8 and is read from a table.
	fn gelu(&mut self, x: ValueId, fine: f64) -> Result<ValueId, CompileError> {
		/// Fractional bits of the table's entries; 7 more come from the interpolation.
		const TABLE_BITS: i32 = 17;
		let table: Vec<i32> = (0..=512)
			.map(|i| {
				let x = (i - 256) as f64 / 32.0;
				whole(exact::gelu(x) - x.max(0.0), exact::power(-TABLE_BITS), 32_767)
			})
			.collect();
		let table = self.emit.inline(DType::I16, &[513], &table)?;
		let power = exact::ceil_log2(fine) + FINE_BITS;
		let near = if power == 0 { x } else { self.emit.shift(x, power, DType::I32)? };
		let near = self.emit.clamp(near, i16::MIN as i32, i16::MAX as i32)?;
		let near = self.emit.cast(near, DType::I16)?;
		let correction = self.emit.op(Op::Table, &[near, table])?;
		let power = -(TABLE_BITS + 7) - exact::ceil_log2(fine);
		let correction = self.emit.shift(correction, power, DType::I32)?;
		let positive = self.emit.clamp(x, 0, i32::MAX)?;
		Ok(self.emit.binary(Binary::Add, positive, correction)?)
	}
}
