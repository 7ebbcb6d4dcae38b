// SPDX-License-Identifier: Apache-2.0

//! Convolutions in three dimensions, as the sum of one in two dimensions for each tap in depth.

use super::{
	buffer::{with_elements, Elements},
	product::{self, Panels, Side},
	target::Target,
};
use crate::{ops::Conv3d, DType, TensorType};
use rayon::prelude::*;

/// One set of panels for each tap in depth of a weight `[O, KD, KH, KW, C]`.
pub fn pack(conv: &Conv3d, left: DType, right: &TensorType, elements: Elements) -> Vec<Panels> {
	let plane_type = plane_of(right);
	let filters = right.shape[0] as usize;
	let plane = plane_type.elements() as usize / filters;
	let zero_points = [conv.plane.input_zero_point, conv.plane.weight_zero_point];
	let taps = right.shape[1] as usize;
	let elements = elements.widened();
	let panels = (0..taps).map(|tap| {
		let planes = elements.chunks(plane).skip(tap).step_by(taps);
		let slice: Vec<i32> = planes.flatten().copied().collect();
		Panels::pack(Side::Rows, zero_points, left, &plane_type, Elements::I32(&slice))
	});
	panels.collect()
}

/// A weight's or a tensor's type without its depth, the second axis.
fn plane_of(ty: &TensorType) -> TensorType {
	let mut shape = ty.shape.clone();
	shape.remove(1);
	TensorType::new(ty.dtype, shape)
}

/// See [`Op::Conv3d`](crate::Op::Conv3d).
pub fn run(
	conv: &Conv3d,
	input_type: &TensorType,
	input: Elements,
	kernel: &TensorType,
	panels: &[Panels],
	bias: &[i32],
	out_type: &TensorType,
	out: &mut [i32],
) {
	let (batches, depth, out_depth) = (out_type.shape[0], input_type.shape[1], out_type.shape[1]);
	let (mut from, kernel, mut to) = (plane_of(input_type), plane_of(kernel), plane_of(out_type));
	let slice = from.elements() as usize / batches as usize;
	let out_slice = to.elements() as usize / batches as usize;
	let filters = out_type.shape[4] as usize;
	out.par_chunks_mut(filters).for_each(|pixel| match bias {
		[all] => pixel.fill(*all),
		each => pixel.copy_from_slice(each),
	});
	let mut products = Vec::new();
	for (tap, panels) in panels.iter().enumerate() {
		// The slice of the input under this tap, for each slice of the result outside the padding.
		let mut read = Vec::new();
		let mut products_of = vec![None; batches as usize * out_depth as usize];
		let slices = (0..batches).flat_map(|batch| (0..out_depth).map(move |at| (batch, at)));
		for ((batch, at), place) in slices.zip(&mut products_of) {
			if let Some(z) = conv.depth.tap(at, tap as u32, depth) {
				*place = Some(read.len());
				read.push(batch as usize * depth as usize + z as usize);
			}
		}
		if read.is_empty() {
			continue;
		}
		from.shape[0] = read.len() as u32;
		to.shape[0] = read.len() as u32;
		products.resize(read.len() * out_slice, 0);
		let target = Target::Sums(&mut products);
		with_elements!(input, input => {
			let slices = read.iter().flat_map(|number| &input[number * slice..][..slice]);
			let slices: Vec<_> = slices.copied().collect();
			let slices = Elements::from(&slices[..]);
			product::conv(&conv.plane, &from, slices, &kernel, panels, &[0], &to, target);
		});
		let sums = out.par_chunks_mut(out_slice).zip(products_of);
		sums.for_each(|(sums, number)| {
			let Some(number) = number else { return };
			for (sum, product) in sums.iter_mut().zip(&products[number * out_slice..]) {
				*sum = sum.wrapping_add(*product);
			}
		});
	}
}
