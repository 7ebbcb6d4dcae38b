// SPDX-License-Identifier: Apache-2.0

//! Operands seen through the shape of a result.

use super::{
	buffer::{convert, Element},
	matrix::Number,
	simd::Work,
};
use crate::{
	ops::{strides, unravel},
	TensorType, MAX_RANK,
};

/// Where the element of an operand is that belongs to each element of a result, in row-major order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct View {
	/// Extents of the result, axes joined where the operand moves over both as over one.
	shape: Vec<u32>,
	/// Stride of the operand along each; 0 where it is repeated.
	strides: Vec<u64>,
}

impl View {
	/// The view of an operand of type `ty`, its axes aligned with those of `out` at the innermost one.
	pub fn of(ty: &TensorType, out: &[u32]) -> Self {
		let mut seen = [0; MAX_RANK];
		for (axis, (extent, stride)) in ty.shape.iter().zip(strides(&ty.shape)).enumerate() {
			// Axes beyond the result's have extent 1.
			if let Some(aligned) = (axis + out.len()).checked_sub(ty.rank()) {
				seen[aligned] = if *extent > 1 { stride } else { 0 };
			}
		}
		let mut view = Self { shape: Vec::new(), strides: Vec::new() };
		for (extent, stride) in out.iter().zip(seen) {
			if *extent == 1 {
				continue;
			}
			match (view.shape.last_mut(), view.strides.last_mut()) {
				// The axis outside this one continues it.
				(Some(outer), Some(outer_stride))
					if *outer_stride == stride * *extent as u64
						&& *outer as u64 * *extent as u64 <= u32::MAX as u64 =>
				{
					*outer *= *extent;
					*outer_stride = stride;
				}
				_ => {
					view.shape.push(*extent);
					view.strides.push(stride);
				}
			}
		}
		view
	}

	/// Whether the operand's elements are those of the result, in the same order.
	pub fn is_whole(&self) -> bool {
		self.strides == [1] || self.strides.is_empty()
	}

	/// Whether each element of the operand is that of a row of so many elements of the result.
	pub fn spreads(&self, row: usize) -> bool {
		match (&self.shape[..], &self.strides[..]) {
			([all], [0]) => *all as usize == row,
			([_, inner], [1, 0]) => *inner as usize == row,
			_ => false,
		}
	}

	/// After how many elements the same ones come again, if they do.
	pub fn period(&self) -> Option<usize> {
		match (&self.shape[..], &self.strides[..]) {
			([], _) => Some(1),
			([_, inner @ ..], [0, ..]) => {
				Some(inner.iter().map(|extent| *extent as usize).product())
			}
			_ => None,
		}
	}
}

/// Copies the elements that belong to those of the result from number `start` on.
pub struct Load<'a, E, T> {
	/// The operand's view.
	pub view: &'a View,
	/// All elements of the operand.
	pub elements: &'a [E],
	/// The first element of the result.
	pub start: usize,
	/// Where they are copied to.
	pub to: &'a mut [T],
}

impl<E: Number, T: Element> Work for Load<'_, E, T> {
	type Output = ();

	#[inline(always)]
	fn work(self) {
		let Self { view, elements, start, to } = self;
		let (Some((row, outer)), Some((step, outer_strides))) =
			(view.shape.split_last(), view.strides.split_last())
		else {
			to.fill(T::of(elements[0].wide()));
			return;
		};
		let (row, step) = (*row as usize, *step as usize);
		let mut at = unravel((start / row) as u64, outer);
		let places = at.iter().zip(outer_strides);
		let mut base = places.map(|(at, stride)| *at as u64 * stride).sum::<u64>() as usize;
		let (mut inside, mut to) = (start % row, to);
		loop {
			let (part, rest) = to.split_at_mut((row - inside).min(to.len()));
			match step {
				0 => part.fill(T::of(elements[base].wide())),
				1 => convert(&elements[base + inside..], part),
				_ => {
					let from = elements[base + inside * step..].iter().step_by(step);
					for (to, from) in part.iter_mut().zip(from) {
						*to = T::of(from.wide());
					}
				}
			}
			if rest.is_empty() {
				return;
			}
			(to, inside) = (rest, 0);
			for ((at, extent), stride) in at.iter_mut().zip(outer).zip(outer_strides).rev() {
				*at += 1;
				base += *stride as usize;
				if *at < *extent {
					break;
				}
				*at = 0;
				base -= *extent as usize * *stride as usize;
			}
		}
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::{ops::broadcast_at, DType};

	#[test]
	fn every_stretch_of_every_view_is_what_broadcasting_reads() {
		let shapes: [(&[u32], &[u32]); 8] = [
			(&[2, 3, 4], &[2, 3, 4]),
			(&[1, 3, 1], &[2, 3, 4]),
			(&[2, 1, 4], &[2, 3, 4]),
			(&[2, 3, 1], &[2, 3, 4]),
			(&[4], &[2, 3, 4]),
			(&[1], &[2, 3, 4]),
			(&[2, 1, 3, 1, 2], &[2, 5, 3, 1, 2]),
			(&[], &[]),
		];
		for (operand, out) in shapes {
			let ty = TensorType::new(DType::I32, operand);
			let elements: Vec<i16> = (0..ty.elements() as i16).map(|i| i * 7 - 20).collect();
			let view = View::of(&ty, out);
			let count = out.iter().product::<u32>() as usize;
			let own = strides(operand);
			let expected: Vec<i32> = (0..count as u64)
				.map(|index| {
					let at = broadcast_at(&unravel(index, out), out.len(), operand);
					let place: u64 = at.iter().zip(own).map(|(at, own)| *at as u64 * own).sum();
					elements[place as usize] as i32
				})
				.collect();
			for start in 0..count {
				for end in start + 1..=count {
					let mut to = vec![99i32; end - start];
					Load { view: &view, elements: &elements, start, to: &mut to }.work();
					assert_eq!(to, expected[start..end], "{operand:?} as {out:?}, {start}..{end}");
				}
			}
			assert_eq!(view.is_whole(), expected.len() == elements.len(), "{operand:?} as {out:?}");
			if let Some(period) = view.period() {
				assert_eq!(
					expected[period..],
					expected[..count - period],
					"{operand:?} as {out:?}"
				);
			}
		}
	}
}
