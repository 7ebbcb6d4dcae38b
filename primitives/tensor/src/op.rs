// SPDX-License-Identifier: Apache-2.0

//! The operators. Names follow the integer profile of TOSA; the semantics are defined here and are
//! total: every operator has one result for every operand value.
//!
//! Common rules. Arithmetic on `I32` wraps modulo 2^32. "Broadcast" operands have equal rank and
//! each axis is equal or 1. Axes are counted from the outermost. `value - zero_point` is computed
//! in `i32` with wrapping.

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
}
