// SPDX-License-Identifier: Apache-2.0

//! Reductions and the index of the largest.

use super::{
	buffer::{with_both, with_elements, Element, Elements, ElementsMut},
	simd::{Level, Work},
};
use crate::{ops::scalar, DType, ExecError, Reduction, TensorType};
use rayon::prelude::*;

/// Elements that are worth another task.
const GRAIN: usize = 1 << 15;

/// Extents along and inside an axis.
fn extents(ty: &TensorType, axis: usize) -> [usize; 2] {
	let inner = ty.shape[axis + 1..].iter().map(|extent| *extent as usize).product();
	[ty.shape[axis] as usize, inner]
}

/// See [`Op::Reduce`](crate::Op::Reduce).
pub fn reduce(
	reduction: Reduction,
	ty: &TensorType,
	a: Elements,
	axis: usize,
	out: ElementsMut,
) -> Result<(), ExecError> {
	let [along, inner] = extents(ty, axis);
	let start = scalar::reduction_start(reduction, ty.dtype);
	with_both!((a, out), (a, out) => {
		// Some lines at a time, so that a loop is long.
		let lines = (GRAIN / (along * inner)).max(1);
		let size = [lines * along * inner, lines * inner];
		let fold = |(a, out)| fold(reduction, Lines { a, out, extents: [along, inner], start });
		if a.len() <= GRAIN || rayon::current_num_threads() == 1 {
			a.chunks(size[0]).zip(out.chunks_mut(size[1])).for_each(fold);
		} else {
			a.par_chunks(size[0]).zip(out.par_chunks_mut(size[1])).for_each(fold);
		}
	})
}

/// Replaces each of `out` by the reduction of as many elements of type `dtype` one after the other, held
/// as numbers, as there are for each.
pub fn lines(reduction: Reduction, dtype: DType, a: &[i32], out: &mut [i32]) {
	let extents = [a.len() / out.len(), 1];
	fold(reduction, Lines { a, out, extents, start: scalar::reduction_start(reduction, dtype) });
}

/// Some lines along an axis with what lies inside it, and room for the results.
struct Lines<'a, T> {
	a: &'a [T],
	out: &'a mut [T],
	extents: [usize; 2],
	start: i32,
}

fn fold<T: Element>(reduction: Reduction, lines: Lines<T>) {
	// One loop for each reduction, so that each compiles to its own operator.
	macro_rules! run {
		($($name:ident)*) => {
			match reduction {
				$(Reduction::$name => {
					#[derive(Clone, Copy)]
					struct Applied;
					impl Step for Applied {
						#[inline(always)]
						fn step(self, so_far: i32, a: i32) -> i32 {
							scalar::reduction_step(Reduction::$name, so_far, a)
						}
					}
					Level::detected().run(Fold { step: Applied, lines });
				})*
			}
		};
	}
	run!(Sum Max Min Product All Any)
}

trait Step: Copy {
	fn step(self, so_far: i32, a: i32) -> i32;
}

struct Fold<'a, S, T> {
	step: S,
	lines: Lines<'a, T>,
}

impl<S: Step, T: Element> Work for Fold<'_, S, T> {
	type Output = ();

	#[inline(always)]
	fn work(self) {
		let Self { step, lines: Lines { a, out, extents: [along, inner], start } } = self;
		if inner == 1 {
			for (out, line) in out.iter_mut().zip(a.chunks_exact(along)) {
				*out = T::of(line.iter().fold(start, |so_far, a| step.step(so_far, a.wide())));
			}
			return;
		}
		for (out, block) in out.chunks_exact_mut(inner).zip(a.chunks_exact(along * inner)) {
			out.fill(T::of(start));
			for row in block.chunks_exact(inner) {
				for (out, a) in out.iter_mut().zip(row) {
					*out = T::of(step.step(out.wide(), a.wide()));
				}
			}
		}
	}
}

/// See [`Op::ArgMax`](crate::Op::ArgMax).
pub fn arg_max(ty: &TensorType, a: Elements, axis: usize, out: &mut [i32]) {
	let [along, inner] = extents(ty, axis);
	with_elements!(a, a => {
		for (out, block) in out.chunks_mut(inner).zip(a.chunks(along * inner)) {
			for (place, out) in out.iter_mut().enumerate() {
				let (mut largest, mut index) = (block[place], 0);
				for number in 1..along {
					let element = block[number * inner + place];
					if element > largest {
						(largest, index) = (element, number as i32);
					}
				}
				*out = index;
			}
		}
	})
}
