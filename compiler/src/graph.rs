// SPDX-License-Identifier: Apache-2.0

//! The compiler's own picture of a model: a chain of layers, each with the result shape that one
//! sample has. Everything a layer needs is in it, in floating point.

/// A constant of the model, row-major.
#[derive(Clone, Debug, PartialEq)]
pub struct Tensor {
	/// Extent of each axis.
	pub shape: Vec<usize>,
	/// The elements.
	pub data: Vec<f32>,
}

/// Nonlinear functions of one element.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Activation {
	/// `max(x, 0)`.
	Relu,
	/// GELU in its tanh form.
	Gelu,
}

/// One layer. Axes count from the outermost; the outermost axis is the batch of 1.
#[derive(Clone, Debug, PartialEq)]
pub enum Layer {
	/// `[1, T]` indices to `[1, T, C]`: rows of a `[K, C]` table.
	Embed {
		/// The rows.
		table: Tensor,
	},
	/// Product over the last axis with a `[K, O]` matrix, plus `[O]`.
	Dense {
		/// The matrix.
		weight: Tensor,
		/// Added to each row.
		bias: Vec<f32>,
	},
	/// Convolution of `[1, H, W, C]` with `[O, KH, KW, C]`, plus `[O]`.
	Conv {
		/// The kernels.
		weight: Tensor,
		/// Added to each position.
		bias: Vec<f32>,
		/// Rows above and below, columns left and right, of zeros.
		pad: [usize; 4],
		/// Vertical, horizontal.
		stride: [usize; 2],
		/// Vertical, horizontal.
		dilation: [usize; 2],
	},
	/// Adds a constant that broadcasts against the operand and has its rank.
	Bias {
		/// The constant.
		values: Tensor,
	},
	/// Elementwise nonlinearity.
	Activation(Activation),
	/// `(x − mean) / √(variance + epsilon) × gamma + beta`, moments along `axis`.
	LayerNorm {
		/// The axis of the moments.
		axis: usize,
		/// Added to the variance.
		epsilon: f64,
		/// Broadcasts against the operand and has its rank.
		gamma: Tensor,
		/// Broadcasts against the operand and has its rank.
		beta: Tensor,
	},
	/// Largest along `axis`, which is kept with extent 1.
	Max {
		/// The axis.
		axis: usize,
	},
	/// Another shape for the same elements.
	Reshape,
	/// Axis i of the result is axis `permutation[i]` of the operand.
	Transpose {
		/// A permutation of the axes.
		permutation: Vec<usize>,
	},
	/// Softmax along the last axis. Only as the last layer: it keeps the order, so the program ends
	/// with what comes before it.
	Softmax,
}

/// A layer with its name in the model and the shape of its result.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
	/// The name of the (last) node of the model that it stands for.
	pub name: String,
	/// What it does.
	pub layer: Layer,
	/// The shape of its result.
	pub shape: Vec<usize>,
}

/// A model as a chain: each step reads the result of the one before it, the first reads the input.
#[derive(Clone, Debug, PartialEq)]
pub struct Graph {
	/// The shape of one sample, batch axis included.
	pub input: Vec<usize>,
	/// The layers.
	pub steps: Vec<Step>,
}

impl Layer {
	/// The operator's name in reports.
	pub fn name(&self) -> &'static str {
		match self {
			Layer::Embed { .. } => "embed",
			Layer::Dense { .. } => "dense",
			Layer::Conv { .. } => "conv",
			Layer::Bias { .. } => "bias",
			Layer::Activation(Activation::Relu) => "relu",
			Layer::Activation(Activation::Gelu) => "gelu",
			Layer::LayerNorm { .. } => "layer norm",
			Layer::Max { .. } => "max",
			Layer::Reshape => "reshape",
			Layer::Transpose { .. } => "transpose",
			Layer::Softmax => "softmax",
		}
	}

	/// Whether the layer only moves elements.
	pub fn is_movement(&self) -> bool {
		matches!(self, Layer::Reshape | Layer::Transpose { .. })
	}
}

impl Graph {
	/// The shape of the operand of step `index`.
	pub fn operand(&self, index: usize) -> &[usize] {
		match index.checked_sub(1) {
			Some(before) => &self.steps[before].shape,
			None => &self.input,
		}
	}

	/// Whether the input holds indices rather than quantities.
	pub fn reads_tokens(&self) -> bool {
		let first = self.steps.iter().find(|step| !step.layer.is_movement());
		matches!(first.map(|step| &step.layer), Some(Layer::Embed { .. }))
	}

	/// The first layer after `index` that does more than move elements.
	pub fn consumer(&self, index: usize) -> Option<usize> {
		(index + 1..self.steps.len()).find(|next| !self.steps[*next].layer.is_movement())
	}

	/// The axis of the result of step `from` that is axis `axis` of the operand of step `to`, where
	/// all steps between them move elements. `None` where reshaping mixes it with another.
	pub fn axis_before(&self, from: usize, to: usize, mut axis: usize) -> Option<usize> {
		for index in (from + 1..to).rev() {
			let step = &self.steps[index];
			axis = match &step.layer {
				Layer::Transpose { permutation } => *permutation.get(axis)?,
				Layer::Reshape => same_axis(&step.shape, self.operand(index), axis)?,
				_ => return None,
			};
		}
		Some(axis)
	}

	/// Brings the chain into the form that lowering expects: elementwise layers directly behind the
	/// products they belong to, constants merged into them, nothing that does nothing.
	pub fn normalise(&mut self) {
		while self.rewrite() {}
	}

	fn rewrite(&mut self) -> bool {
		for index in 0..self.steps.len() {
			let unchanged = self.operand(index) == self.steps[index].shape.as_slice();
			let idle = match &self.steps[index].layer {
				Layer::Reshape => unchanged,
				Layer::Transpose { permutation } => {
					permutation.iter().enumerate().all(|(i, p)| i == *p)
				}
				_ => false,
			};
			if idle {
				self.steps.remove(index);
				return true;
			}
			if index > 0 && (self.merge(index) || self.sink(index)) {
				return true;
			}
		}
		false
	}

	/// Merges the constant of step `index` into the step before it.
	fn merge(&mut self, index: usize) -> bool {
		let (before, rest) = self.steps.split_at_mut(index);
		let (Some(before), Some(this)) = (before.last_mut(), rest.first()) else { return false };
		let Layer::Bias { values } = &this.layer else {
			if let (Layer::Reshape, Layer::Reshape) = (&before.layer, &this.layer) {
				before.shape = this.shape.clone();
				self.steps.remove(index);
				return true;
			}
			return false;
		};
		let channels = before.shape.last().copied().unwrap_or(1);
		let per_channel = values.shape.iter().rev().skip(1).all(|extent| *extent == 1);
		let at = |channel: usize| values.data[channel % values.data.len()];
		match &mut before.layer {
			Layer::Dense { bias, .. } | Layer::Conv { bias, .. } if per_channel => {
				bias.iter_mut().enumerate().for_each(|(channel, bias)| *bias += at(channel));
			}
			Layer::Embed { table } if per_channel => {
				let rows = table.data.chunks_mut(channels);
				rows.for_each(|row| row.iter_mut().enumerate().for_each(|(c, x)| *x += at(c)));
			}
			Layer::LayerNorm { beta, .. } => match add(beta, values) {
				Some(sum) => *beta = sum,
				None => return false,
			},
			_ => return false,
		}
		before.name = this.name.clone();
		self.steps.remove(index);
		true
	}

	/// Swaps an elementwise step with a movement before it.
	fn sink(&mut self, index: usize) -> bool {
		let operand = self.operand(index - 1).to_vec();
		let (before, this) = (&self.steps[index - 1], &self.steps[index]);
		let layer = match (&before.layer, &this.layer) {
			(Layer::Reshape | Layer::Transpose { .. }, Layer::Activation(f)) => {
				Layer::Activation(*f)
			}
			(Layer::Transpose { permutation }, Layer::Bias { values }) => {
				let mut inverse = vec![0; permutation.len()];
				permutation.iter().enumerate().for_each(|(to, from)| inverse[*from] = to);
				Layer::Bias { values: transposed(values, &inverse) }
			}
			(Layer::Reshape, Layer::Bias { values }) => {
				// Only where each axis of the constant is one axis of the operand.
				let mut shape = vec![1; operand.len()];
				for (axis, extent) in values.shape.iter().enumerate().filter(|(_, e)| **e > 1) {
					match same_axis(&before.shape, &operand, axis) {
						Some(axis) => shape[axis] = *extent,
						None => return false,
					}
				}
				Layer::Bias { values: Tensor { shape, data: values.data.clone() } }
			}
			_ => return false,
		};
		let name = this.name.clone();
		self.steps.swap(index - 1, index);
		let moved = self.steps[index - 1].shape.clone();
		self.steps[index - 1] = Step { name, layer, shape: operand };
		self.steps[index].shape = moved;
		true
	}
}

/// The axis of `to` that holds axis `axis` of `from` when one is reshaped into the other: the
/// extents and the number of elements behind them must agree.
fn same_axis(from: &[usize], to: &[usize], axis: usize) -> Option<usize> {
	let behind: usize = from[axis + 1..].iter().product();
	(0..to.len()).find(|candidate| {
		to[*candidate] == from[axis] && to[candidate + 1..].iter().product::<usize>() == behind
	})
}

/// The sum of two constants of one rank that broadcast against each other.
fn add(a: &Tensor, b: &Tensor) -> Option<Tensor> {
	if a.shape.len() != b.shape.len() {
		return None;
	}
	let shape: Vec<usize> = a.shape.iter().zip(&b.shape).map(|(a, b)| *a.max(b)).collect();
	let fits = |t: &Tensor| t.shape.iter().zip(&shape).all(|(t, s)| t == s || *t == 1);
	if !fits(a) || !fits(b) {
		return None;
	}
	let data = (0..shape.iter().product())
		.map(|index| {
			a.data[broadcast(index, &shape, &a.shape)] + b.data[broadcast(index, &shape, &b.shape)]
		})
		.collect();
	Some(Tensor { shape, data })
}

/// Where element `index` of `shape` is found in a tensor of shape `small` that broadcasts to it.
pub fn broadcast(mut index: usize, shape: &[usize], small: &[usize]) -> usize {
	let (mut place, mut stride) = (0, 1);
	for (extent, small) in shape.iter().zip(small).rev() {
		if *small > 1 {
			place += index % extent * stride;
		}
		index /= extent;
		stride *= small;
	}
	place
}

/// Axis i of the result is axis `permutation[i]` of the operand.
pub fn transposed(tensor: &Tensor, permutation: &[usize]) -> Tensor {
	let shape: Vec<usize> = permutation.iter().map(|axis| tensor.shape[*axis]).collect();
	let data = transpose(&tensor.data, &tensor.shape, permutation);
	Tensor { shape, data }
}

/// The elements of a row-major tensor of `shape` with its axes permuted.
pub fn transpose<T: Copy>(data: &[T], shape: &[usize], permutation: &[usize]) -> Vec<T> {
	let mut strides = vec![1; shape.len()];
	for axis in (1..shape.len()).rev() {
		strides[axis - 1] = strides[axis] * shape[axis];
	}
	let mut result = Vec::with_capacity(data.len());
	for index in 0..data.len() {
		let (mut rest, mut place) = (index, 0);
		for axis in permutation.iter().rev() {
			place += rest % shape[*axis] * strides[*axis];
			rest /= shape[*axis];
		}
		result.push(data[place]);
	}
	result
}

#[cfg(test)]
mod tests {
	use super::*;

	fn step(name: &str, layer: Layer, shape: &[usize]) -> Step {
		Step { name: name.into(), layer, shape: shape.to_vec() }
	}

	fn tensor(shape: &[usize]) -> Tensor {
		let count: usize = shape.iter().product();
		Tensor { shape: shape.to_vec(), data: (0..count).map(|x| x as f32).collect() }
	}

	#[test]
	fn bias_and_activation_behind_a_transposed_convolution_join_it() {
		let conv = Layer::Conv {
			weight: tensor(&[4, 3, 1, 2]),
			bias: vec![0.5; 4],
			pad: [0; 4],
			stride: [1; 2],
			dilation: [1; 2],
		};
		let mut graph = Graph {
			input: vec![1, 9, 1, 2],
			steps: vec![
				step("conv", conv, &[1, 7, 1, 4]),
				step("t", Layer::Transpose { permutation: vec![0, 3, 1, 2] }, &[1, 4, 7, 1]),
				step("r", Layer::Reshape, &[1, 4, 7]),
				step("b", Layer::Bias { values: tensor(&[1, 4, 1]) }, &[1, 4, 7]),
				step("g", Layer::Activation(Activation::Gelu), &[1, 4, 7]),
				step("m", Layer::Max { axis: 2 }, &[1, 4, 1]),
			],
		};
		graph.normalise();
		let kinds: Vec<_> = graph.steps.iter().map(|step| step.layer.name()).collect();
		assert_eq!(kinds, ["conv", "gelu", "transpose", "reshape", "max"]);
		let Layer::Conv { bias, .. } = &graph.steps[0].layer else { panic!("no convolution") };
		assert_eq!(bias, &[0.5, 1.5, 2.5, 3.5]);
		assert_eq!(graph.steps[1].shape, [1, 7, 1, 4]);
		// The maximum runs over the rows of the convolution.
		assert_eq!(graph.axis_before(1, 4, 2), Some(1));
	}

	#[test]
	fn a_reshape_that_splits_an_axis_hides_it() {
		let graph = Graph {
			input: vec![1, 8],
			steps: vec![
				step("a", Layer::Activation(Activation::Relu), &[1, 8]),
				step("r", Layer::Reshape, &[1, 4, 2]),
				step("m", Layer::Max { axis: 1 }, &[1, 1, 2]),
			],
		};
		assert_eq!(graph.axis_before(0, 2, 1), None);
	}

	#[test]
	fn transposing_twice_restores() {
		let t = tensor(&[2, 3, 4]);
		assert_eq!(transposed(&transposed(&t, &[2, 0, 1]), &[1, 2, 0]), t);
	}
}
