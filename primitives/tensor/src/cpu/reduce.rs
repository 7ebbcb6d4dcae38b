// SPDX-License-Identifier: Apache-2.0

//! Reductions and the index of the largest.

use crate::{ops::scalar, Reduction, TensorType};
use rayon::prelude::*;

/// Extents outside, along and inside an axis.
fn around(ty: &TensorType, axis: usize) -> (usize, usize, usize) {
	let product = |shape: &[u32]| shape.iter().map(|extent| *extent as usize).product::<usize>();
	(product(&ty.shape[..axis]), ty.shape[axis] as usize, product(&ty.shape[axis + 1..]))
}

/// See [`Op::Reduce`](crate::Op::Reduce).
pub fn reduce(reduction: Reduction, ty: &TensorType, a: &[i32], axis: usize) -> Vec<i32> {
	// One loop for each reduction, so that each compiles to its own operator.
	macro_rules! run {
		($($name:ident)*) => {
			match reduction {
				$(Reduction::$name => fold(ty, a, axis, Reduction::$name, |so_far, a| {
					scalar::reduction_step(Reduction::$name, so_far, a)
				}),)*
			}
		};
	}
	run!(Sum Max Min Product All Any)
}

fn fold(
	ty: &TensorType,
	a: &[i32],
	axis: usize,
	reduction: Reduction,
	step: impl Fn(i32, i32) -> i32 + Sync,
) -> Vec<i32> {
	let (outer, along, inner) = around(ty, axis);
	let mut result = vec![scalar::reduction_start(reduction, ty.dtype); outer * inner];
	let least = (4096 / (along * inner)).max(1);
	let blocks = result.par_chunks_mut(inner).zip(a.par_chunks(along * inner)).with_min_len(least);
	blocks.for_each(|(out, block)| {
		if let [out] = out {
			*out = block.iter().fold(*out, |so_far, a| step(so_far, *a));
		} else {
			for row in block.chunks(inner) {
				for (out, a) in out.iter_mut().zip(row) {
					*out = step(*out, *a);
				}
			}
		}
	});
	result
}

/// See [`Op::ArgMax`](crate::Op::ArgMax).
pub fn arg_max(ty: &TensorType, a: &[i32], axis: usize) -> Vec<i32> {
	let (outer, along, inner) = around(ty, axis);
	let mut result = vec![0; outer * inner];
	for (out, block) in result.chunks_mut(inner).zip(a.chunks(along * inner)) {
		for (place, out) in out.iter_mut().enumerate() {
			let mut largest = block[place];
			for number in 1..along {
				let element = block[number * inner + place];
				if element > largest {
					largest = element;
					*out = number as i32;
				}
			}
		}
	}
	result
}
