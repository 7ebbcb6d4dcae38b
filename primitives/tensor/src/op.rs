// SPDX-License-Identifier: Apache-2.0

//! The operators. Names follow the integer profile of TOSA; the semantics are defined here and are
//! total: every operator has one result for every operand value.
//!
//! Common rules. Arithmetic on `I32` wraps modulo 2^32. "Broadcast" operands have equal rank and
//! each axis is equal or 1. Axes are counted from the outermost. `value - zero_point` is computed
//! in `i32` with wrapping. `docs/operators.md` describes all of them with their edge cases.

use crate::DType;
use alloc::vec::Vec;
use codec::{Decode, DecodeWithMemTracking, Encode};
use scale_info::TypeInfo;

/// Geometry of a two-dimensional window that slides over a `[batch, height, width, channels]` tensor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, TypeInfo)]
pub struct Window {
	/// Rows added at the top and bottom, columns added at the left and right.
	pub pad: [u16; 4],
	/// Step of the window: vertical, horizontal. At least 1.
	pub stride: [u16; 2],
	/// Distance between taps: at least 1, and 1 for pools.
	pub dilation: [u16; 2],
}

/// Geometry of a three-dimensional window that slides over a `[batch, depth, height, width, channels]`
/// tensor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, TypeInfo)]
pub struct Window3 {
	/// Slices added at the front and back, rows at the top and bottom, columns at the left and right.
	pub pad: [u16; 6],
	/// Step of the window: in depth, vertical, horizontal. At least 1.
	pub stride: [u16; 3],
	/// Distance between taps: at least 1.
	pub dilation: [u16; 3],
}

/// How the positions of a resized image lie over the image it is made from. Entries are vertical, then
/// horizontal.
///
/// Row `oy` of the result lies at the fraction `y / n` of the operand's rows, with
/// `y = oy × denominator + offset` and `n = numerator`; columns likewise.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, TypeInfo)]
pub struct Scaling {
	/// Steps of the scale between two neighbours of the operand: 1 to 2,048.
	pub numerator: [u16; 2],
	/// Steps of the scale between two neighbours of the result: at least 1, below 16 × numerator.
	pub denominator: [u16; 2],
	/// Where the first element of the result lies, in steps of the scale.
	pub offset: [i16; 2],
	/// What is added to the scale behind the operand's last element. The result has
	/// `((extent − 1) × numerator − offset + border) / denominator + 1` elements, rounded down.
	pub border: [i16; 2],
}

/// How an element between others is made from them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, TypeInfo)]
pub enum Interpolation {
	/// The nearest one; where two are equally near, the later.
	#[codec(index = 0)]
	Nearest,
	/// The sum of the four neighbours, weighted by their nearness in steps of both scales, not divided.
	#[codec(index = 1)]
	Bilinear,
}

/// Two-operand elementwise operators. Operands have the same element type and broadcast shapes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, TypeInfo)]
pub enum Binary {
	/// `a + b` on I32, wrapping.
	#[codec(index = 0)]
	Add,
	/// `a - b` on I32, wrapping.
	#[codec(index = 1)]
	Sub,
	/// `a / b` on I32, truncated towards zero. `a / 0 = 0`; `i32::MIN / -1 = i32::MIN`.
	#[codec(index = 2)]
	IntDiv,
	/// The larger, any integer type.
	#[codec(index = 3)]
	Maximum,
	/// The smaller, any integer type.
	#[codec(index = 4)]
	Minimum,
	/// Bitwise and, any integer type.
	#[codec(index = 5)]
	BitwiseAnd,
	/// Bitwise or, any integer type.
	#[codec(index = 6)]
	BitwiseOr,
	/// Bitwise exclusive or, any integer type.
	#[codec(index = 7)]
	BitwiseXor,
	/// `a << (b & 31)`, any integer type, wrapped to the type.
	#[codec(index = 8)]
	LogicalLeftShift,
	/// `a >> (b & 31)` on the unsigned bits of the type, any integer type.
	#[codec(index = 9)]
	LogicalRightShift,
	/// Logical and on Bool.
	#[codec(index = 10)]
	LogicalAnd,
	/// Logical or on Bool.
	#[codec(index = 11)]
	LogicalOr,
	/// Logical exclusive or on Bool.
	#[codec(index = 12)]
	LogicalXor,
	/// `a == b`, any integer type; the result is Bool.
	#[codec(index = 13)]
	Equal,
	/// `a > b`, any integer type; the result is Bool.
	#[codec(index = 14)]
	Greater,
	/// `a >= b`, any integer type; the result is Bool.
	#[codec(index = 15)]
	GreaterEqual,
}

/// One-operand elementwise operators.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, TypeInfo)]
pub enum Unary {
	/// `|a|`, I32, wrapping (`|i32::MIN| = i32::MIN`).
	#[codec(index = 0)]
	Abs,
	/// `-a`, any integer type, saturated to the type.
	#[codec(index = 1)]
	Negate,
	/// Leading zero bits of an I32 (32 for 0).
	#[codec(index = 2)]
	Clz,
	/// Bitwise complement, any integer type.
	#[codec(index = 3)]
	BitwiseNot,
	/// Logical complement of a Bool.
	#[codec(index = 4)]
	LogicalNot,
}

/// Reductions along one axis, which is kept with extent 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, TypeInfo)]
pub enum Reduction {
	/// Sum of I32, wrapping.
	#[codec(index = 0)]
	Sum,
	/// Largest, any integer type.
	#[codec(index = 1)]
	Max,
	/// Smallest, any integer type.
	#[codec(index = 2)]
	Min,
	/// Product of I32, wrapping.
	#[codec(index = 3)]
	Product,
	/// Whether all are true, Bool.
	#[codec(index = 4)]
	All,
	/// Whether any is true, Bool.
	#[codec(index = 5)]
	Any,
}

/// An operator with its attributes. The doc of each names operands with their shapes.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, TypeInfo)]
pub enum Op {
	/// Convolution. Operands: input `[N, H, W, C]` (I8 or I16), weight `[O, KH, KW, C]` (I8), bias
	/// `[O]` or `[1]` (I32). Result `[N, OH, OW, O]` I32: bias + Σ (input − input_zero_point) ×
	/// (weight − weight_zero_point). Padding contributes zero.
	#[codec(index = 0)]
	Conv2d {
		/// Padding, stride, dilation.
		window: Window,
		/// Subtracted from every input element.
		input_zero_point: i16,
		/// Subtracted from every weight element.
		weight_zero_point: i8,
	},
	/// Matrix product. Operands: a `[N, H, C]`, b `[N, C, W]`, each I8 or I16. Result `[N, H, W]` I32:
	/// Σ_c (a − a_zero_point) × (b − b_zero_point), wrapping.
	#[codec(index = 1)]
	MatMul {
		/// Subtracted from every element of a.
		a_zero_point: i16,
		/// Subtracted from every element of b.
		b_zero_point: i16,
	},
	/// Largest element of each window. Operand `[N, H, W, C]` I8 or I16; same type out. Padding is
	/// ignored; a window wholly in padding gives the type's minimum.
	#[codec(index = 2)]
	MaxPool2d {
		/// Window extent: vertical, horizontal.
		kernel: [u16; 2],
		/// Padding and stride; dilation is 1.
		window: Window,
	},
	/// Index of the first largest element along `axis`, which is removed. Any integer type; result I32.
	#[codec(index = 3)]
	ArgMax {
		/// The axis.
		axis: u8,
	},
	/// Operand limited to `[min, max]` (`max(min(a, max), min)`), any integer type.
	#[codec(index = 4)]
	Clamp {
		/// Lower limit, inside the operand's type.
		min: i32,
		/// Upper limit, inside the operand's type.
		max: i32,
	},
	/// Two-operand elementwise operator with broadcasting.
	#[codec(index = 5)]
	Binary(Binary),
	/// `a × b`, operands of one integer type, result I32. With `shift` s > 0 (I32 only) the 64-bit
	/// product is rounded: `(a × b + 2^(s−1)) >> s`; then wrapped to I32. The 64-bit sum wraps too, which
	/// only `i32::MIN × i32::MIN` with a shift of 63 can show.
	#[codec(index = 6)]
	Mul {
		/// 0..=63.
		shift: u8,
	},
	/// `a >> (b & 31)`, arithmetic, any integer type. With `round`, the last bit shifted out is added.
	#[codec(index = 7)]
	ArithmeticRightShift {
		/// Round to nearest, ties upwards.
		round: bool,
	},
	/// One-operand elementwise operator.
	#[codec(index = 8)]
	Unary(Unary),
	/// Operands: condition (Bool), a, b of one type, broadcast. `condition ? a : b`.
	#[codec(index = 9)]
	Select,
	/// Reduction along `axis`, kept with extent 1.
	#[codec(index = 10)]
	Reduce {
		/// What is computed.
		reduction: Reduction,
		/// The axis.
		axis: u8,
	},
	/// Two to [`MAX_OPERANDS`](crate::MAX_OPERANDS) operands of one type joined along `axis`.
	#[codec(index = 11)]
	Concat {
		/// The axis.
		axis: u8,
	},
	/// Operand with `before` and `after` elements of `value` added on each axis.
	#[codec(index = 12)]
	Pad {
		/// One entry for each axis.
		before: Vec<u32>,
		/// One entry for each axis.
		after: Vec<u32>,
		/// The fill, inside the operand's type.
		value: i32,
	},
	/// The same elements in row-major order with another shape.
	#[codec(index = 13)]
	Reshape {
		/// The new shape.
		shape: Vec<u32>,
	},
	/// The box of `size` that starts at `start`.
	#[codec(index = 14)]
	Slice {
		/// One entry for each axis.
		start: Vec<u32>,
		/// One entry for each axis, at least 1.
		size: Vec<u32>,
	},
	/// Axis i of the result is axis `permutation[i]` of the operand.
	#[codec(index = 15)]
	Transpose {
		/// A permutation of the axes.
		permutation: Vec<u8>,
	},
	/// Operands: values `[N, K, C]`, indices `[N, W]` (I32). Result `[N, W, C]`:
	/// `values[n, indices[n, w], c]`, the index limited to `0..K`.
	#[codec(index = 16)]
	Gather,
	/// Operands: input, table. I8: 256 entries of I8, `table[input + 128]`, result I8. I16: 513 entries
	/// of I16; with `u = input + 32768`, `i = u >> 7`, `f = u & 127` the result is I32
	/// `(table[i] << 7) + (table[i + 1] − table[i]) × f`: seven more fractional bits.
	#[codec(index = 17)]
	Table,
	/// Operands: input (I8, I16 or I32), multiplier I32, shift I8, both `[1]` or, with `per_channel`,
	/// `[C]` of the last axis. Result of type `output`: with `s = shift & 63`,
	/// `r = ((input − input_zero_point) × multiplier + (s > 0 ? 2^(s−1) : 0)) >> s` in 64 bits
	/// (wrapping, as in `Mul`), limited to i32, plus `output_zero_point` (wrapping), limited to the output
	/// type.
	#[codec(index = 18)]
	Rescale {
		/// Result type: I8, I16 or I32.
		output: DType,
		/// Subtracted first.
		input_zero_point: i32,
		/// Added last.
		output_zero_point: i32,
		/// One multiplier and shift for each element of the last axis.
		per_channel: bool,
	},
	/// Conversion: to a narrower integer by wrapping, to Bool by `!= 0`, to a wider one exactly.
	#[codec(index = 19)]
	Cast {
		/// Result type.
		to: DType,
	},
	/// The operand's axes repeated.
	#[codec(index = 20)]
	Tile {
		/// One count, at least 1, for each axis.
		multiples: Vec<u32>,
	},
	/// The operand reversed along `axis`.
	#[codec(index = 21)]
	Reverse {
		/// The axis.
		axis: u8,
	},
	/// Average of each window. Operand `[N, H, W, C]` I8 or I16; same type out. With `sum` the sum of
	/// input − input_zero_point over the `count` elements of the window that lie inside the operand, `z`
	/// the number of bits of `count − 1` and `m = (2^30 + 1) × 2^z / count` rounded down, the result is
	/// `((sum × m + 2^(29 + z)) >> (30 + z)) + output_zero_point`, limited to the type: the nearest
	/// integer to the quotient, ties away from zero, where the sum is small against 2^30. The sum wraps,
	/// nothing else does. A window wholly in padding has the quotient 0.
	#[codec(index = 22)]
	AvgPool2d {
		/// Window extent: vertical, horizontal. At most 2^30 elements.
		kernel: [u16; 2],
		/// Padding and stride; dilation is 1.
		window: Window,
		/// Subtracted from every input element.
		input_zero_point: i16,
		/// Added last.
		output_zero_point: i16,
	},
	/// Convolution in three dimensions. Operands: input `[N, D, H, W, C]` (I8 or I16), weight
	/// `[O, KD, KH, KW, C]` (I8), bias `[O]` or `[1]` (I32). Result `[N, OD, OH, OW, O]` I32, as in
	/// [`Conv2d`](Op::Conv2d).
	#[codec(index = 23)]
	Conv3d {
		/// Padding, stride, dilation.
		window: Window3,
		/// Subtracted from every input element.
		input_zero_point: i16,
		/// Subtracted from every weight element.
		weight_zero_point: i8,
	},
	/// Convolution of each channel with filters of its own. Operands: input `[N, H, W, C]` (I8 or I16),
	/// weight `[KH, KW, C, M]` (I8), bias `[C × M]` or `[1]` (I32). Result `[N, OH, OW, C × M]` I32:
	/// channel `c × M + m` is bias + Σ (input − input_zero_point) × (weight − weight_zero_point) over the
	/// taps of channel `c` with filter `m`. Padding contributes zero.
	#[codec(index = 24)]
	DepthwiseConv2d {
		/// Padding, stride, dilation.
		window: Window,
		/// Subtracted from every input element.
		input_zero_point: i16,
		/// Subtracted from every weight element.
		weight_zero_point: i8,
	},
	/// Convolution run backwards: every input element spreads over a window of the result. Operands:
	/// input `[N, H, W, C]` (I8 or I16), weight `[O, KH, KW, C]` (I8), bias `[O]` or `[1]` (I32). Result
	/// `[N, OH, OW, O]` I32 with `OH = (H − 1) × stride + top + bottom + KH`: bias plus, for every input
	/// place `(y, x)` and tap `(ky, kx)` with `y × stride + top + ky = oy` and likewise for `ox`,
	/// (input − input_zero_point) × (weight − weight_zero_point). What falls outside the result is lost.
	#[codec(index = 25)]
	TransposeConv2d {
		/// Rows added at the top and bottom of the result, columns at the left and right; negative
		/// entries take away.
		out_pad: [i16; 4],
		/// Distance between the windows of neighbours: vertical, horizontal. At least 1.
		stride: [u16; 2],
		/// Subtracted from every input element.
		input_zero_point: i16,
		/// Subtracted from every weight element.
		weight_zero_point: i8,
	},
	/// Image of another size. Operand `[N, H, W, C]`, result `[N, OH, OW, C]`; all four extents of images
	/// are below 2^14. Rows are `iy = floor(y / n)` and the next, each limited to the operand, with
	/// `ry = y − iy × n`; columns likewise (see [`Scaling`]).
	///
	/// `Nearest`: I8, I16 or I32, same type out: the next row where `2 × ry ≥ n`, row `iy` elsewhere.
	/// `Bilinear`: I8 or I16, result I32, wrapping: the sum of the four elements, each times
	/// `n − ry` (row `iy`) or `ry` (the next) times the same of its column: the value times both
	/// numerators.
	#[codec(index = 26)]
	Resize {
		/// Where the result's elements lie.
		scaling: Scaling,
		/// How they are made.
		interpolation: Interpolation,
	},
	/// Operands: values `[N, K, C]`, indices `[N, W]` (I32), input `[N, W, C]` of the values' type. Result
	/// `[N, K, C]`: row `k` is `input[n, w]` for the last `w` whose index, limited to `0..K`, is `k`, and
	/// the values' row where there is none.
	#[codec(index = 27)]
	Scatter,
	/// The operand.
	#[codec(index = 28)]
	Identity,
}
