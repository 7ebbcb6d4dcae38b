// SPDX-License-Identifier: Apache-2.0

//! Elementwise operators with broadcasting.

use crate::{
	ops::{scalar, scalar::Pointwise, strides, unravel},
	Binary, DType, TensorType, Unary, MAX_RANK,
};
use rayon::prelude::*;

/// Elements of one task.
const GRAIN: usize = 1 << 14;

/// An operand seen through the shape of the result.
pub struct View<'a> {
	elements: &'a [i32],
	/// Stride along each axis of the result; 0 where the operand is repeated.
	strides: [u64; MAX_RANK],
}

impl<'a> View<'a> {
	/// An operand, its axes aligned with the result's at the innermost one.
	pub fn of(elements: &'a [i32], ty: &TensorType, out: &TensorType) -> Self {
		let mut seen = [0; MAX_RANK];
		for (axis, (extent, stride)) in ty.shape.iter().zip(strides(&ty.shape)).enumerate() {
			// Axes beyond the result's have extent 1.
			if let Some(aligned) = (axis + out.rank()).checked_sub(ty.rank()) {
				seen[aligned] = if *extent > 1 { stride } else { 0 };
			}
		}
		Self { elements, strides: seen }
	}

	fn constant() -> View<'static> {
		View { elements: &[0], strides: [0; MAX_RANK] }
	}
}

/// What an operator computes from one element of each operand.
pub trait Function: Copy + Sync {
	/// The result. Always inlined, so that a loop is compiled for the operator and the
	/// [`Level`](super::Level) it runs at.
	fn call(self, a: i32, b: i32, c: i32) -> i32;
}

/// Something that is done with an operator once it has become a function.
pub trait Visit {
	/// What comes of it.
	type Output;
	/// Does it.
	fn visit(self, f: impl Function) -> Self::Output;
}

/// Gives `visitor` the function that `op` is. `dtype` is the element type of the first operand.
///
/// The operator is a constant in each function, so each loop compiles to that operator alone.
pub fn visit<V: Visit>(op: Pointwise, dtype: DType, visitor: V) -> V::Output {
	// A function with the attributes that are named, as a type of its own.
	macro_rules! function {
		($($name:ident: $ty:ty),*; $a:ident $b:ident $c:ident => $result:expr) => {{
			#[derive(Clone, Copy)]
			struct Applied {
				$($name: $ty,)*
			}
			impl Function for Applied {
				#[inline(always)]
				#[allow(unused_variables)]
				fn call(self, $a: i32, $b: i32, $c: i32) -> i32 {
					let Applied { $($name),* } = self;
					$result
				}
			}
			visitor.visit(Applied { $($name),* })
		}};
	}
	macro_rules! binary {
		($op:expr; $($op_name:ident)*) => {
			match $op {
				$(Binary::$op_name => function!(dtype: DType; a b c => {
					scalar::binary(Binary::$op_name, dtype, a, b)
				}),)*
			}
		};
	}
	macro_rules! unary {
		($op:expr; $($op_name:ident)*) => {
			match $op {
				$(Unary::$op_name => function!(dtype: DType; a b c => {
					scalar::unary(Unary::$op_name, dtype, a)
				}),)*
			}
		};
	}
	match op {
		Pointwise::Binary(op) => binary!(op;
			Add Sub IntDiv Maximum Minimum BitwiseAnd BitwiseOr BitwiseXor LogicalLeftShift
			LogicalRightShift LogicalAnd LogicalOr LogicalXor Equal Greater GreaterEqual),
		Pointwise::Unary(op) => unary!(op; Abs Negate Clz BitwiseNot LogicalNot),
		Pointwise::Rescale { output, input_zero_point, output_zero_point } => {
			function!(output: DType, input_zero_point: i32, output_zero_point: i32; a b c => {
				let a = a.wrapping_sub(input_zero_point);
				scalar::rescale(output, a, b, c, output_zero_point)
			})
		}
		Pointwise::Clamp { min, max } => {
			function!(dtype: DType, min: i32, max: i32; a b c => {
				scalar::pointwise(Pointwise::Clamp { min, max }, dtype, [a, b, c])
			})
		}
		Pointwise::Mul { .. }
		| Pointwise::ShiftRight { .. }
		| Pointwise::Select
		| Pointwise::Cast { .. } => {
			function!(op: Pointwise, dtype: DType; a b c => scalar::pointwise(op, dtype, [a, b, c]))
		}
	}
}

/// The result of `op`. `dtype` is the element type of the first operand.
pub fn run(op: Pointwise, dtype: DType, views: &[View], out: &TensorType) -> Vec<i32> {
	let nothing = [View::constant(), View::constant(), View::constant()];
	let view = |place: usize| views.get(place).unwrap_or(&nothing[place]);
	visit(op, dtype, Each { views: [view(0), view(1), view(2)], out })
}

/// See [`Op::Table`](crate::Op::Table).
pub fn table(dtype: DType, a: &[i32], table: &[i32]) -> Vec<i32> {
	a.par_iter().with_min_len(GRAIN).map(|a| look_up(dtype, table, *a)).collect()
}

/// One element of [`table`].
#[inline]
pub fn look_up(dtype: DType, table: &[i32], a: i32) -> i32 {
	let (entry, fraction) = scalar::table_entry(dtype, a);
	let entry = entry as usize;
	if dtype == DType::I16 {
		scalar::interpolate(table[entry], table[entry + 1], fraction)
	} else {
		table[entry]
	}
}

/// Makes the result of an operator from views of its operands.
struct Each<'a> {
	views: [&'a View<'a>; 3],
	out: &'a TensorType,
}

impl Visit for Each<'_> {
	type Output = Vec<i32>;

	fn visit(self, f: impl Function) -> Vec<i32> {
		each(self.views, self.out, f)
	}
}

/// Applies `f` to one element of each view.
fn each(views: [&View; 3], out: &TensorType, f: impl Function) -> Vec<i32> {
	// Only this loop is compiled for each operator; the driver is shared.
	drive(views, out, &|out, [a, b, c], steps| {
		let n = out.len();
		match steps {
			[1, 1, 0] => {
				for ((out, a), b) in out.iter_mut().zip(&a[..n]).zip(&b[..n]) {
					*out = f.call(*a, *b, c[0]);
				}
			}
			[1, 0, 0] => {
				for (out, a) in out.iter_mut().zip(&a[..n]) {
					*out = f.call(*a, b[0], c[0]);
				}
			}
			[0, 1, 0] => {
				for (out, b) in out.iter_mut().zip(&b[..n]) {
					*out = f.call(a[0], *b, c[0]);
				}
			}
			[1, 1, 1] => {
				for (((out, a), b), c) in out.iter_mut().zip(&a[..n]).zip(&b[..n]).zip(&c[..n]) {
					*out = f.call(*a, *b, *c);
				}
			}
			[a_step, b_step, c_step] => {
				for (i, out) in out.iter_mut().enumerate() {
					*out = f.call(a[i * a_step], b[i * b_step], c[i * c_step]);
				}
			}
		}
	})
}

/// Fills a stretch of the result from where the operands start and how far each moves per element.
type Kernel<'a> = &'a (dyn Fn(&mut [i32], [&[i32]; 3], [usize; 3]) + Sync);

fn drive(views: [&View; 3], out: &TensorType, kernel: Kernel) -> Vec<i32> {
	let (shape, strides) = collapse(views, &out.shape);
	let mut result = vec![0; out.elements() as usize];
	let (row, outer) = match shape.split_last() {
		Some((row, outer)) => (*row as usize, outer),
		None => (1, &shape[..]),
	};
	let axes = outer.len();
	let steps = [0, 1, 2].map(|view: usize| strides[view].get(axes).copied().unwrap_or(0) as usize);
	let fill = |out: &mut [i32], number: usize, offset: usize| {
		let at = unravel(number as u64, outer);
		let operands = [0, 1, 2].map(|view: usize| {
			let start = at.iter().zip(&strides[view]).take(axes);
			let start = start.map(|(at, stride)| *at as u64 * stride).sum::<u64>() as usize;
			&views[view].elements[start + offset * steps[view]..]
		});
		kernel(out, operands, steps);
	};
	// Tasks are whole rows, or parts of one where rows are long.
	if row > GRAIN {
		result.par_chunks_mut(row).enumerate().for_each(|(number, out)| {
			out.par_chunks_mut(GRAIN).enumerate().for_each(|(part, out)| {
				fill(out, number, part * GRAIN);
			});
		});
	} else {
		let rows_each = (GRAIN / row).max(1);
		result.par_chunks_mut(row * rows_each).enumerate().for_each(|(block, rows)| {
			for (number, out) in rows.chunks_mut(row).enumerate() {
				fill(out, block * rows_each + number, 0);
			}
		});
	}
	result
}

/// Joins neighbouring axes over which every view moves as over one, and drops those of extent 1.
fn collapse(views: [&View; 3], shape: &[u32]) -> (Vec<u32>, [Vec<u64>; 3]) {
	let mut joined: Vec<u32> = Vec::new();
	let mut steps: [Vec<u64>; 3] = Default::default();
	for (axis, extent) in shape.iter().enumerate() {
		if *extent == 1 {
			continue;
		}
		let here = views.map(|view| view.strides[axis]);
		// The axis outside this one continues it if its stride is this one's times the extent.
		let continues = !joined.is_empty()
			&& steps
				.iter()
				.zip(here)
				.all(|(steps, here)| steps.last() == Some(&(here * *extent as u64)));
		let last = joined
			.last_mut()
			.filter(|last| continues && (**last as u64) * (*extent as u64) <= u32::MAX as u64);
		if let Some(last) = last {
			*last *= *extent;
			for (steps, here) in steps.iter_mut().zip(here) {
				if let Some(step) = steps.last_mut() {
					*step = here;
				}
			}
		} else {
			joined.push(*extent);
			for (steps, here) in steps.iter_mut().zip(here) {
				steps.push(here);
			}
		}
	}
	(joined, steps)
}
