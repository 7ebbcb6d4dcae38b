// SPDX-License-Identifier: Apache-2.0

//! The operators of the format, by number.

/// Names in the order of their numbers, from 1 on.
const NAMES: &[&str] = &[
	"ARGMAX",
	"AVG_POOL2D",
	"CONV2D",
	"CONV3D",
	"DEPTHWISE_CONV2D",
	"FFT2D",
	"MATMUL",
	"MAX_POOL2D",
	"RFFT2D",
	"TRANSPOSE_CONV2D",
	"CLAMP",
	"ERF",
	"SIGMOID",
	"TANH",
	"ADD",
	"ARITHMETIC_RIGHT_SHIFT",
	"BITWISE_AND",
	"BITWISE_OR",
	"BITWISE_XOR",
	"INTDIV",
	"LOGICAL_AND",
	"LOGICAL_LEFT_SHIFT",
	"LOGICAL_RIGHT_SHIFT",
	"LOGICAL_OR",
	"LOGICAL_XOR",
	"MAXIMUM",
	"MINIMUM",
	"MUL",
	"POW",
	"SUB",
	"TABLE",
	"ABS",
	"BITWISE_NOT",
	"CEIL",
	"CLZ",
	"COS",
	"EXP",
	"FLOOR",
	"LOG",
	"LOGICAL_NOT",
	"NEGATE",
	"RECIPROCAL",
	"RSQRT",
	"SIN",
	"SELECT",
	"EQUAL",
	"GREATER",
	"GREATER_EQUAL",
	"REDUCE_ALL",
	"REDUCE_ANY",
	"REDUCE_MAX",
	"REDUCE_MIN",
	"REDUCE_PRODUCT",
	"REDUCE_SUM",
	"CONCAT",
	"PAD",
	"RESHAPE",
	"REVERSE",
	"SLICE",
	"TILE",
	"TRANSPOSE",
	"GATHER",
	"SCATTER",
	"RESIZE",
	"CAST",
	"RESCALE",
	"CONST",
	"IDENTITY",
	"CUSTOM",
	"COND_IF",
	"WHILE_LOOP",
	"VARIABLE",
	"VARIABLE_WRITE",
	"VARIABLE_READ",
	"CONST_SHAPE",
	"MATMUL_T_BLOCK_SCALED",
	"CAST_FROM_BLOCK_SCALED",
	"CAST_TO_BLOCK_SCALED",
	"DIM",
	"CONCAT_SHAPE",
	"ADD_SHAPE",
	"SUB_SHAPE",
	"MUL_SHAPE",
	"SLICE_SHAPE",
	"EXP2_SHAPE",
	"LOG2_CEIL_SHAPE",
	"LOG2_FLOOR_SHAPE",
	"MAX_SHAPE",
	"MIN_SHAPE",
	"MOD_SHAPE",
	"DIV_CEIL_SHAPE",
	"DIV_FLOOR_SHAPE",
	"ASSERT_EQUAL_SHAPE",
	"CONV2D_BLOCK_SCALED",
	"MAX_POOL2D_ADAPTIVE",
	"AVG_POOL2D_ADAPTIVE",
	"RESHAPE_BLOCK_SCALED",
	"ROW_GATHER_BLOCK_SCALED",
	"ROW_GATHER",
	"MATMUL_T",
];

/// The name of an operator; its number in words where the number is not known.
pub fn name(code: u32) -> String {
	let known = (code as usize).checked_sub(1).and_then(|place| NAMES.get(place));
	known.map_or_else(|| format!("operator number {code}"), |name| (*name).into())
}

#[cfg(test)]
mod tests {
	use super::name;

	#[test]
	fn operators_have_the_numbers_of_the_format() {
		for (code, expected) in
			[(1, "ARGMAX"), (7, "MATMUL"), (46, "EQUAL"), (67, "CONST"), (100, "MATMUL_T")]
		{
			assert_eq!(name(code), expected);
		}
		assert_eq!(name(0), "operator number 0");
		assert_eq!(name(101), "operator number 101");
	}
}
