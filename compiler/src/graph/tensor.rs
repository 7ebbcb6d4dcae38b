// SPDX-License-Identifier: Apache-2.0

//! Tensors of real numbers and their index arithmetic.

/// A tensor of the model, row-major.
#[derive(Clone, Debug, PartialEq)]
pub struct Tensor {
	/// Extent of each axis.
	pub shape: Vec<usize>,
	/// The elements.
	pub data: Vec<f32>,
}

impl Tensor {
	/// A tensor of `shape` that holds the same number everywhere.
	pub fn filled(shape: &[usize], value: f32) -> Self {
		Self { shape: shape.to_vec(), data: vec![value; shape.iter().product()] }
	}

	/// The only number of a tensor of one element.
	pub fn scalar(&self) -> Option<f32> {
		match self.data.as_slice() {
			[value] => Some(*value),
			_ => None,
		}
	}

	/// Axis i of the result is axis `permutation[i]` of this tensor.
	pub fn transposed(&self, permutation: &[usize]) -> Self {
		let shape = permutation.iter().map(|axis| self.shape[*axis]).collect();
		Self { shape, data: transpose(&self.data, &self.shape, permutation) }
	}

	/// The same elements with axes of extent 1 in front, so that the rank is `rank`.
	pub fn with_rank(mut self, rank: usize) -> Self {
		let missing = rank.saturating_sub(self.shape.len());
		self.shape.splice(0..0, std::iter::repeat_n(1, missing));
		self
	}
}

/// Row-major strides of a shape.
pub fn strides(shape: &[usize]) -> Vec<usize> {
	let mut strides = vec![1; shape.len()];
	for axis in (1..shape.len()).rev() {
		strides[axis - 1] = strides[axis] * shape[axis];
	}
	strides
}

/// The elements of a row-major tensor of `shape` with its axes permuted.
pub fn transpose<T: Copy>(data: &[T], shape: &[usize], permutation: &[usize]) -> Vec<T> {
	let from = strides(shape);
	let to: Vec<usize> = permutation.iter().map(|axis| shape[*axis]).collect();
	let steps: Vec<usize> = permutation.iter().map(|axis| from[*axis]).collect();
	gather(data, &to, &steps, 0)
}

/// The elements `data[start + Σ index × step]` for all indices inside `shape`, in row-major order.
pub fn gather<T: Copy>(data: &[T], shape: &[usize], steps: &[usize], start: usize) -> Vec<T> {
	let count: usize = shape.iter().product();
	let mut result = Vec::with_capacity(count);
	let mut at = vec![0usize; shape.len()];
	let mut place = start;
	for _ in 0..count {
		result.push(data[place]);
		for axis in (0..shape.len()).rev() {
			at[axis] += 1;
			place += steps[axis];
			if at[axis] < shape[axis] {
				break;
			}
			place -= at[axis] * steps[axis];
			at[axis] = 0;
		}
	}
	result
}

/// The elements of a tensor of shape `small` repeated to `shape`; both of one rank.
pub fn spread(data: &[f32], small: &[usize], shape: &[usize]) -> Vec<f32> {
	if small == shape {
		return data.to_vec();
	}
	let steps = strides(small);
	let steps: Vec<usize> =
		small.iter().zip(steps).map(|(extent, step)| if *extent > 1 { step } else { 0 }).collect();
	gather(data, shape, &steps, 0)
}

/// The shape that tensors of two shapes of one rank broadcast to.
pub fn broadcast(a: &[usize], b: &[usize]) -> Option<Vec<usize>> {
	let one = |(a, b): (&usize, &usize)| match (*a, *b) {
		(a, b) if a == b => Some(a),
		(1, b) => Some(b),
		(a, 1) => Some(a),
		_ => None,
	};
	(a.len() == b.len()).then(|| a.iter().zip(b).map(one).collect()).flatten()
}

/// The inverse of a permutation.
pub fn inverse(permutation: &[usize]) -> Vec<usize> {
	let mut inverse = vec![0; permutation.len()];
	permutation.iter().enumerate().for_each(|(to, from)| inverse[*from] = to);
	inverse
}

/// Number of lines along an axis in front of it and behind it: an element has the place
/// `(front × extent + along) × behind + back`.
pub fn around(shape: &[usize], axis: usize) -> (usize, usize) {
	(shape[..axis].iter().product(), shape[axis + 1..].iter().product())
}

/// The axis of `to` that holds axis `axis` of `from` when one is reshaped into the other: the extents
/// and the number of elements behind them must agree.
pub fn same_axis(from: &[usize], to: &[usize], axis: usize) -> Option<usize> {
	let behind: usize = from[axis + 1..].iter().product();
	(0..to.len()).find(|candidate| {
		to[*candidate] == from[axis] && to[candidate + 1..].iter().product::<usize>() == behind
	})
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn transposing_twice_restores() {
		let data: Vec<usize> = (0..24).collect();
		let once = transpose(&data, &[2, 3, 4], &[2, 0, 1]);
		assert_eq!(once[1], 4);
		assert_eq!(transpose(&once, &[4, 2, 3], &inverse(&[2, 0, 1])), data);
	}

	#[test]
	fn spreading_repeats_along_axes_of_one() {
		assert_eq!(spread(&[1.0, 2.0], &[2, 1], &[2, 3]), [1.0, 1.0, 1.0, 2.0, 2.0, 2.0]);
		assert_eq!(spread(&[1.0, 2.0], &[1, 2], &[2, 2]), [1.0, 2.0, 1.0, 2.0]);
		assert_eq!(broadcast(&[2, 1], &[1, 3]), Some(vec![2, 3]));
		assert_eq!(broadcast(&[2], &[3]), None);
	}

	#[test]
	fn an_axis_is_found_again_unless_it_was_split() {
		assert_eq!(same_axis(&[1, 8, 3], &[8, 3], 1), Some(0));
		assert_eq!(same_axis(&[1, 8, 3], &[4, 2, 3], 1), None);
	}
}
