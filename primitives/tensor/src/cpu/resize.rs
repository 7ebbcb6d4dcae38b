// SPDX-License-Identifier: Apache-2.0

//! Images of another size.

use super::{
	buffer::{with_both, with_elements, Element, Elements, ElementsMut},
	matrix::Number,
};
use crate::{
	ops::{scalar, unravel, window::Between, Resize},
	ExecError, Interpolation, TensorType,
};
use rayon::prelude::*;

/// See [`Op::Resize`](crate::Op::Resize). The types are those of operand and result.
pub fn run(
	resize: &Resize,
	types: [&TensorType; 2],
	a: Elements,
	out: ElementsMut,
) -> Result<(), ExecError> {
	match resize.interpolation {
		Interpolation::Nearest => with_both!((a, out), (a, out) => nearest(resize, types, a, out)),
		Interpolation::Bilinear => {
			let out = out.words()?;
			with_elements!(a, a => bilinear(resize, types, a, out));
			Ok(())
		}
	}
}

/// Where the columns of the result lie.
fn columns(resize: &Resize, [ty, out_type]: [&TensorType; 2]) -> Vec<Between> {
	let [_, horizontal] = resize.scales;
	(0..out_type.shape[2]).map(|column| horizontal.between(column, ty.shape[2])).collect()
}

/// Where row number `number` of all images lies, and the elements of a row of its image.
fn row<'a, E>(
	resize: &Resize,
	[ty, out_type]: [&TensorType; 2],
	a: &'a [E],
	number: usize,
) -> (Between, impl Fn(u32) -> &'a [E]) {
	let (h, length) = (ty.shape[1], ty.shape[2] as usize * ty.shape[3] as usize);
	let [batch, row, ..] = unravel(number as u64, &out_type.shape[..2]);
	let line = move |y: u32| &a[(batch as usize * h as usize + y as usize) * length..][..length];
	(resize.scales[0].between(row, h), line)
}

fn nearest<T: Element>(resize: &Resize, types: [&TensorType; 2], a: &[T], out: &mut [T]) {
	let channels = types[0].shape[3] as usize;
	let columns = columns(resize, types);
	out.par_chunks_mut(columns.len() * channels).enumerate().for_each(|(number, out_row)| {
		let (y, line) = row(resize, types, a, number);
		let line = line(y.nearest());
		for (x, out) in columns.iter().zip(out_row.chunks_mut(channels)) {
			out.copy_from_slice(&line[x.nearest() as usize * channels..][..channels]);
		}
	});
}

fn bilinear<E: Number>(resize: &Resize, types: [&TensorType; 2], a: &[E], out: &mut [i32]) {
	let channels = types[0].shape[3] as usize;
	let columns = columns(resize, types);
	out.par_chunks_mut(columns.len() * channels).enumerate().for_each(|(number, out_row)| {
		let (y, line) = row(resize, types, a, number);
		let lines = y.neighbours.map(line);
		for (x, out) in columns.iter().zip(out_row.chunks_mut(channels)) {
			let [above, below] =
				lines.map(|line| x.neighbours.map(|x| &line[x as usize * channels..][..channels]));
			for (channel, out) in out.iter_mut().enumerate() {
				let corners = [above, below].map(|row| row.map(|pixel| pixel[channel].wide()));
				*out = scalar::bilinear(corners, y.weights, x.weights);
			}
		}
	});
}
