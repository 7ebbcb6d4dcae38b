// SPDX-License-Identifier: Apache-2.0

//! Operators by family.
//!
//! [`Family::of`] is the one place where an operator is sorted into a family. The lazy evaluator, the
//! CPU executor and the analyses each know the families, not the operators, and take the details from
//! the functions here: the meaning of an operator is written once.

pub mod movement;
pub mod scalar;
pub mod window;

use crate::{DType, Interpolation, Op, Reduction, TensorType, MAX_RANK};
use movement::Movement;
use scalar::Pointwise;
use window::{Grid, Scale, Spread, Track};

/// Coordinates of an element, outermost axis first; entries beyond the rank are 0.
pub type At = [u32; MAX_RANK];

/// Coordinates of the element at `index` in row-major order.
pub fn unravel(mut index: u64, shape: &[u32]) -> At {
	let mut at = [0; MAX_RANK];
	for (place, extent) in at.iter_mut().zip(shape).rev() {
		let extent = (*extent).max(1) as u64;
		*place = (index % extent) as u32;
		index /= extent;
	}
	at
}

/// The element of an operand of shape `operand` that a result element at `at` reads under
/// broadcasting: axes are aligned at the innermost one and an axis of extent 1 is read at 0.
#[inline]
pub fn broadcast_at(at: &At, rank: usize, operand: &[u32]) -> At {
	let mut read = [0; MAX_RANK];
	let operand_rank = operand.len();
	for (axis, (place, extent)) in read.iter_mut().zip(operand).enumerate() {
		let aligned = (axis + rank).checked_sub(operand_rank).and_then(|axis| at.get(axis));
		*place = match aligned {
			Some(coordinate) if *extent > 1 => *coordinate,
			_ => 0,
		};
	}
	read
}

/// A convolution's attributes.
#[derive(Clone, Copy, Debug)]
pub struct Conv {
	/// How windows lie over the input; the kernel's extents are the weight's.
	pub grid: Grid,
	/// Subtracted from every input element.
	pub input_zero_point: i32,
	/// Subtracted from every weight element.
	pub weight_zero_point: i32,
}

impl Conv {
	fn new(grid: Grid, input_zero_point: i16, weight_zero_point: i8) -> Self {
		let (input_zero_point, weight_zero_point) =
			(input_zero_point.into(), weight_zero_point.into());
		Self { grid, input_zero_point, weight_zero_point }
	}
}

/// The attributes of a convolution in three dimensions.
#[derive(Clone, Copy, Debug)]
pub struct Conv3d {
	/// How windows lie along the depth.
	pub depth: Track,
	/// What happens in each slice.
	pub plane: Conv,
}

/// A transposed convolution's attributes.
#[derive(Clone, Copy, Debug)]
pub struct TransposeConv {
	/// How windows lie over the result: vertical, horizontal.
	pub spread: [Spread; 2],
	/// Subtracted from every input element.
	pub input_zero_point: i32,
	/// Subtracted from every weight element.
	pub weight_zero_point: i32,
}

/// The attributes of average pooling.
#[derive(Clone, Copy, Debug)]
pub struct AvgPool {
	/// Window extent: vertical, horizontal.
	pub kernel: [u32; 2],
	/// How windows lie over the operand.
	pub grid: Grid,
	/// Subtracted from every input element.
	pub input_zero_point: i32,
	/// Added last.
	pub output_zero_point: i32,
}

/// The attributes of a change of an image's size.
#[derive(Clone, Copy, Debug)]
pub struct Resize {
	/// How the result's positions lie over the operand: vertical, horizontal.
	pub scales: [Scale; 2],
	/// How elements are made.
	pub interpolation: Interpolation,
}

/// A family of operators that are evaluated in the same way.
#[derive(Clone, Copy, Debug)]
pub enum Family<'a> {
	/// [`Op::Conv2d`].
	Conv(Conv),
	/// [`Op::MatMul`].
	MatMul {
		/// Subtracted from every element of a.
		a_zero_point: i32,
		/// Subtracted from every element of b.
		b_zero_point: i32,
	},
	/// [`Op::Conv3d`].
	Conv3d(Conv3d),
	/// [`Op::DepthwiseConv2d`].
	Depthwise(Conv),
	/// [`Op::TransposeConv2d`].
	TransposeConv(TransposeConv),
	/// [`Op::AvgPool2d`].
	AvgPool(AvgPool),
	/// [`Op::Resize`].
	Resize(Resize),
	/// [`Op::MaxPool2d`].
	MaxPool {
		/// Window extent: vertical, horizontal.
		kernel: [u32; 2],
		/// How windows lie over the operand.
		grid: Grid,
	},
	/// [`Op::ArgMax`].
	ArgMax {
		/// The axis, which the result lacks.
		axis: usize,
	},
	/// [`Op::Reduce`].
	Reduce {
		/// What is computed.
		reduction: Reduction,
		/// The axis, which the result keeps with extent 1.
		axis: usize,
	},
	/// One element of each operand, see [`scalar::pointwise`].
	Pointwise(Pointwise),
	/// [`Op::Table`].
	Table,
	/// [`Op::Gather`].
	Gather,
	/// [`Op::Scatter`].
	Scatter,
	/// The result's elements are those of an operand or a constant, at places that do not depend on
	/// data.
	Movement(Movement<'a>),
}

impl<'a> Family<'a> {
	/// The family of `op`.
	pub fn of(op: &'a Op) -> Self {
		match op {
			Op::Conv2d { window, input_zero_point, weight_zero_point } => {
				Family::Conv(Conv::new(Grid::of(window), *input_zero_point, *weight_zero_point))
			}
			Op::Conv3d { window, input_zero_point, weight_zero_point } => {
				let (depth, plane) = window::tracks(window);
				let plane = Conv::new(plane, *input_zero_point, *weight_zero_point);
				Family::Conv3d(Conv3d { depth, plane })
			}
			Op::DepthwiseConv2d { window, input_zero_point, weight_zero_point } => {
				let grid = Grid::of(window);
				Family::Depthwise(Conv::new(grid, *input_zero_point, *weight_zero_point))
			}
			Op::TransposeConv2d { out_pad, stride, input_zero_point, weight_zero_point } => {
				Family::TransposeConv(TransposeConv {
					spread: Spread::of(*out_pad, *stride),
					input_zero_point: *input_zero_point as i32,
					weight_zero_point: *weight_zero_point as i32,
				})
			}
			Op::AvgPool2d { kernel, window, input_zero_point, output_zero_point } => {
				Family::AvgPool(AvgPool {
					kernel: kernel.map(u32::from),
					grid: Grid::of(window),
					input_zero_point: *input_zero_point as i32,
					output_zero_point: *output_zero_point as i32,
				})
			}
			Op::Resize { scaling, interpolation } => {
				Family::Resize(Resize { scales: Scale::of(scaling), interpolation: *interpolation })
			}
			Op::MatMul { a_zero_point, b_zero_point } => Family::MatMul {
				a_zero_point: *a_zero_point as i32,
				b_zero_point: *b_zero_point as i32,
			},
			Op::MaxPool2d { kernel, window } => {
				Family::MaxPool { kernel: kernel.map(u32::from), grid: Grid::of(window) }
			}
			Op::ArgMax { axis } => Family::ArgMax { axis: *axis as usize },
			Op::Clamp { min, max } => Family::Pointwise(Pointwise::Clamp { min: *min, max: *max }),
			Op::Binary(op) => Family::Pointwise(Pointwise::Binary(*op)),
			Op::Mul { shift } => Family::Pointwise(Pointwise::Mul { shift: *shift }),
			Op::ArithmeticRightShift { round } => {
				Family::Pointwise(Pointwise::ShiftRight { round: *round })
			}
			Op::Unary(op) => Family::Pointwise(Pointwise::Unary(*op)),
			Op::Select => Family::Pointwise(Pointwise::Select),
			Op::Reduce { reduction, axis } => {
				Family::Reduce { reduction: *reduction, axis: *axis as usize }
			}
			Op::Concat { axis } => Family::Movement(Movement::Concat { axis: *axis as usize }),
			Op::Pad { before, after: _, value } => {
				Family::Movement(Movement::Pad { before, value: *value })
			}
			Op::Reshape { shape } => Family::Movement(Movement::Reshape { shape }),
			Op::Slice { start, size: _ } => Family::Movement(Movement::Slice { start }),
			Op::Transpose { permutation } => Family::Movement(Movement::Transpose { permutation }),
			Op::Gather => Family::Gather,
			Op::Scatter => Family::Scatter,
			Op::Identity => Family::Movement(Movement::Identity),
			Op::Table => Family::Table,
			Op::Rescale { output, input_zero_point, output_zero_point, per_channel: _ } => {
				Family::Pointwise(Pointwise::Rescale {
					output: *output,
					input_zero_point: *input_zero_point,
					output_zero_point: *output_zero_point,
				})
			}
			Op::Cast { to } => Family::Pointwise(Pointwise::Cast { to: *to }),
			Op::Tile { multiples: _ } => Family::Movement(Movement::Tile),
			Op::Reverse { axis } => Family::Movement(Movement::Reverse { axis: *axis as usize }),
		}
	}

	/// Multiply-accumulates or elementwise steps that one element of the result takes, its operands
	/// being given. The types are those of the operands.
	pub fn steps(&self, operands: &[&TensorType]) -> u64 {
		let extent = |operand: usize, axis: usize| {
			operands.get(operand).and_then(|ty| ty.shape.get(axis)).map_or(1, |d| *d as u64)
		};
		match self {
			Family::Conv(_) => {
				extent(1, 1).saturating_mul(extent(1, 2)).saturating_mul(extent(1, 3))
			}
			Family::Conv3d(_) => {
				let plane = extent(1, 2).saturating_mul(extent(1, 3));
				plane.saturating_mul(extent(1, 1)).saturating_mul(extent(1, 4))
			}
			Family::Depthwise(_) => extent(1, 0).saturating_mul(extent(1, 1)),
			Family::TransposeConv(conv) => {
				let [down, across] = conv.spread.map(|spread| spread.stride.max(1) as u64);
				let windows =
					extent(1, 1).div_ceil(down).saturating_mul(extent(1, 2).div_ceil(across));
				windows.saturating_mul(extent(1, 3))
			}
			Family::MatMul { .. } => extent(0, 2),
			Family::MaxPool { kernel: [height, width], .. }
			| Family::AvgPool(AvgPool { kernel: [height, width], .. }) => {
				(*height as u64).saturating_mul(*width as u64)
			}
			Family::Resize(resize) => match resize.interpolation {
				Interpolation::Nearest => 1,
				Interpolation::Bilinear => 4,
			},
			Family::Scatter => extent(1, 1),
			Family::ArgMax { axis } | Family::Reduce { axis, .. } => extent(0, *axis),
			Family::Pointwise(_) | Family::Table | Family::Gather | Family::Movement(_) => 1,
		}
	}

	/// Whether one element of the result reads only one of the operands.
	pub fn reads_one_operand(&self) -> bool {
		match self {
			Family::Movement(_) => true,
			Family::Conv(_)
			| Family::Conv3d(_)
			| Family::Depthwise(_)
			| Family::TransposeConv(_)
			| Family::AvgPool(_)
			| Family::Resize(_)
			| Family::Scatter
			| Family::MatMul { .. }
			| Family::MaxPool { .. }
			| Family::ArgMax { .. }
			| Family::Reduce { .. }
			| Family::Pointwise(_)
			| Family::Table
			| Family::Gather => false,
		}
	}

	/// How many elements of operand number `operand` one element of the result reads at most, given
	/// its steps.
	pub fn reads(&self, operand: usize, steps: u64, dtype: DType) -> u64 {
		match self {
			Family::Conv(_)
			| Family::Conv3d(_)
			| Family::Depthwise(_)
			| Family::TransposeConv(_) => {
				if operand < 2 {
					steps
				} else {
					1
				}
			}
			Family::Scatter => {
				if operand == 1 {
					steps
				} else {
					1
				}
			}
			Family::MatMul { .. }
			| Family::AvgPool(_)
			| Family::Resize(_)
			| Family::MaxPool { .. }
			| Family::ArgMax { .. }
			| Family::Reduce { .. } => steps,
			Family::Table => {
				if operand == 1 && dtype == DType::I16 {
					2
				} else {
					1
				}
			}
			Family::Pointwise(_) | Family::Gather | Family::Movement(_) => 1,
		}
	}
}

/// Row-major strides of a shape, as an array; entries beyond the rank are 0.
pub fn strides(shape: &[u32]) -> [u64; MAX_RANK] {
	let mut strides = [0; MAX_RANK];
	let mut step = 1u64;
	for (stride, extent) in strides.iter_mut().zip(shape).rev() {
		*stride = step;
		step = step.saturating_mul(*extent as u64);
	}
	strides
}
