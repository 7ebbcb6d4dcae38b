// SPDX-License-Identifier: Apache-2.0

//! Affine views of tensors: extents with one list of strides for each operand, made as short as
//! possible before a kernel walks them.

/// Extents and, for each of `N` operands, a stride for each extent. Strides count elements modulo
/// 2^32, so a negative step is its two's complement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct View<const N: usize> {
	pub extents: Vec<u32>,
	pub strides: [Vec<u32>; N],
}

impl<const N: usize> View<N> {
	/// The same places with axes of extent 1 dropped and each axis merged into the one before it
	/// where all operands step through both evenly. Never fewer than one axis.
	pub(crate) fn collapsed(&self) -> Self {
		let mut extents: Vec<u32> = Vec::new();
		let mut strides: [Vec<u32>; N] = std::array::from_fn(|_| Vec::new());
		for (axis, &extent) in self.extents.iter().enumerate() {
			if extent == 1 {
				continue;
			}
			let merges = !extents.is_empty()
				&& (0..N).all(|n| {
					let outer = strides[n].last().copied().unwrap_or(0);
					outer == self.strides[n][axis].wrapping_mul(extent)
				});
			if merges {
				if let Some(last) = extents.last_mut() {
					*last *= extent;
				}
				for (list, from) in strides.iter_mut().zip(&self.strides) {
					if let Some(last) = list.last_mut() {
						*last = from[axis];
					}
				}
			} else {
				extents.push(extent);
				for (list, from) in strides.iter_mut().zip(&self.strides) {
					list.push(from[axis]);
				}
			}
		}
		if extents.is_empty() {
			extents.push(1);
			for list in &mut strides {
				list.push(0);
			}
		}
		Self { extents, strides }
	}

	/// Whether a collapsed view visits elements 0, 1, 2, .. of every operand.
	pub(crate) fn is_dense(&self) -> bool {
		self.extents.len() == 1
			&& (self.extents[0] == 1 || self.strides.iter().all(|s| s.first() == Some(&1)))
	}
}

/// Row-major strides of `shape`.
pub(crate) fn row_major(shape: &[u32]) -> Vec<u32> {
	let mut strides = vec![0; shape.len()];
	let mut step = 1u32;
	for (stride, extent) in strides.iter_mut().zip(shape).rev() {
		*stride = step;
		step = step.wrapping_mul(*extent);
	}
	strides
}

/// Row-major strides of `shape`, zero on the axes along which it is broadcast to `out`.
pub(crate) fn broadcast(shape: &[u32], out: &[u32]) -> Vec<u32> {
	row_major(shape)
		.into_iter()
		.zip(shape.iter().zip(out))
		.map(|(stride, (from, to))| if from == to { stride } else { 0 })
		.collect()
}

/// `values` in an array of `N`, zero past the end.
pub(crate) fn padded<const N: usize>(values: &[u32]) -> [u32; N] {
	std::array::from_fn(|i| values.get(i).copied().unwrap_or(0))
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn contiguous_axes_merge_into_one() {
		let view =
			View { extents: vec![2, 1, 3, 4], strides: [vec![12, 12, 4, 1], vec![12, 7, 4, 1]] };
		let collapsed = view.collapsed();
		assert_eq!(collapsed, View { extents: vec![24], strides: [vec![1], vec![1]] });
		assert!(collapsed.is_dense());
	}

	#[test]
	fn a_broadcast_axis_stays_apart() {
		let strides = [row_major(&[2, 3]), broadcast(&[2, 1], &[2, 3])];
		let view = View { extents: vec![2, 3], strides };
		assert_eq!(view.collapsed(), view);
		assert!(!view.collapsed().is_dense());
	}

	#[test]
	fn a_scalar_is_one_dense_element() {
		assert!(View { extents: vec![], strides: [vec![]] }.collapsed().is_dense());
	}
}
