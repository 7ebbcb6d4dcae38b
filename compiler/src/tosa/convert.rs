// SPDX-License-Identifier: Apache-2.0

//! Each operator of the format in operators of ours.

use super::{
	file::Operator,
	import::{attributes, element_type, Importer, Refusal, Slot},
	shape,
};
use crate::emit::innermost;
use tensornet_tensor::{
	Binary, DType, Interpolation, Layout, Op, Reduction, Scaling, Unary, ValueId, Window, Window3,
	MAX_OPERANDS,
};

/// No shape, and no padding made of pairs, has so many numbers.
const MAX_NUMBERS: usize = 64;

/// The most rows that one gather of rows may ask for.
const MAX_GATHERED: u32 = 1 << 20;

impl Importer<'_, '_, '_> {
	/// The results of an operator.
	pub fn convert(&mut self, kind: &str, operator: &Operator) -> Result<Vec<Slot>, Refusal> {
		let slot = match kind {
			"CONST" => self.add_constant(result(operator)?)?,
			"CONST_SHAPE" => self.constant_shape(result(operator)?)?,
			"IDENTITY" => self.slot(operator, 0)?.clone(),
			"ASSERT_EQUAL_SHAPE" => {
				let (a, b) = (self.shape(operator, 0)?, self.shape(operator, 1)?);
				let broadcast = attributes(operator)?.flag(0)?;
				return if shape::equal(a, b, broadcast) {
					Ok(Vec::new())
				} else {
					Err(Refusal::Because(format!("the shapes {a:?} and {b:?} differ")))
				};
			}
			_ if kind == "DIM" || kind.ends_with("_SHAPE") => {
				Slot::Shape(self.shape_result(kind, operator)?)
			}
			_ => Slot::Value(self.value_result(kind, operator)?),
		};
		if matches!(&slot, Slot::Shape(numbers) if numbers.len() > MAX_NUMBERS) {
			return Err(Refusal::because("it is longer than any shape"));
		}
		Ok(vec![slot])
	}

	fn shape_result(&self, kind: &str, operator: &Operator) -> Result<Vec<i64>, Refusal> {
		match kind {
			"DIM" => {
				let axis = attributes(operator)?.i32(0, 0)?;
				let name = operator.inputs.first().copied().unwrap_or_default();
				let ty = self.declared(name).map_err(Refusal::Because)?;
				let extent = usize::try_from(axis).ok().and_then(|axis| ty.shape.get(axis));
				let extent = extent.ok_or_else(|| Refusal::because("it has no such axis"))?;
				Ok(vec![i64::from(*extent)])
			}
			"CONCAT_SHAPE" => {
				let mut joined = Vec::new();
				for number in 0..operator.inputs.len() {
					joined.extend(self.shape(operator, number)?);
				}
				Ok(joined)
			}
			"SLICE_SHAPE" => {
				let shape = self.shape(operator, 0)?;
				let start = usize::try_from(self.number(operator, 1)?).ok();
				let size = usize::try_from(self.number(operator, 2)?).ok();
				let range = start.zip(size).and_then(|(start, size)| {
					shape.get(start..start.checked_add(size)?).map(<[i64]>::to_vec)
				});
				range.ok_or_else(|| Refusal::because("it lies outside the shape"))
			}
			_ if operator.inputs.len() == 1 => shape::unary(kind, self.shape(operator, 0)?)
				.ok_or_else(|| Refusal::because("it has no result for this shape")),
			_ => shape::binary(kind, self.shape(operator, 0)?, self.shape(operator, 1)?)
				.ok_or_else(|| Refusal::because("it has no result for these shapes")),
		}
	}

	fn value_result(&mut self, kind: &str, operator: &Operator) -> Result<ValueId, Refusal> {
		if let Some(op) = elementwise(kind) {
			let operands = (0..operator.inputs.len()).map(|number| self.operand(operator, number));
			let operands = operands.collect::<Result<Vec<_>, _>>()?;
			return self.apply(op, &operands);
		}
		if let Some(reduction) = reduction(kind) {
			let a = self.operand(operator, 0)?;
			return self.apply(Op::Reduce { reduction, axis: axis(operator)? }, &[a]);
		}
		match kind {
			"CONV2D" | "CONV3D" | "DEPTHWISE_CONV2D" | "TRANSPOSE_CONV2D" => {
				self.convolution(kind, operator)
			}
			"AVG_POOL2D" | "AVG_POOL2D_ADAPTIVE" | "MAX_POOL2D" | "MAX_POOL2D_ADAPTIVE" => {
				self.pool(kind, operator)
			}
			"MATMUL" => {
				let (a, b) =
					(self.operand(operator, 0)?, self.operand_as(operator, 1, innermost(3, 1))?);
				self.product(operator, a, b)
			}
			"MATMUL_T" => {
				let (a, b) = (self.operand(operator, 0)?, self.operand(operator, 1)?);
				let mut b = self.apply(Op::Transpose { permutation: vec![0, 2, 1] }, &[b])?;
				if let (Some(&batches), Some(1)) =
					(self.emit.shape(a).first(), self.emit.shape(b).first())
				{
					if batches > 1 {
						b = self.apply(Op::Tile { multiples: vec![batches, 1, 1] }, &[b])?;
					}
				}
				self.product(operator, a, b)
			}
			"ARGMAX" => {
				let a = self.operand(operator, 0)?;
				self.apply(Op::ArgMax { axis: axis(operator)? }, &[a])
			}
			"CLAMP" => {
				let a = self.operand(operator, 0)?;
				let dtype = self.emit.dtype(a);
				let table = attributes(operator)?;
				let limit = |bytes: &[u8]| {
					tensornet_tensor::read_element(dtype, bytes, 0)
						.ok_or_else(|| Refusal::because("a limit is too short"))
				};
				let (min, max) = (limit(table.bytes(0)?)?, limit(table.bytes(1)?)?);
				self.apply(Op::Clamp { min, max }, &[a])
			}
			"ARITHMETIC_RIGHT_SHIFT" => {
				let round = attributes(operator)?.flag(0)?;
				let (a, b) = (self.operand(operator, 0)?, self.operand(operator, 1)?);
				self.apply(Op::ArithmeticRightShift { round }, &[a, b])
			}
			"MUL" => {
				let shift = u8::try_from(self.number(operator, 2)?);
				let shift = shift.map_err(|_| Refusal::because("its shift is negative"))?;
				let (a, b) = (self.operand(operator, 0)?, self.operand(operator, 1)?);
				self.apply(Op::Mul { shift }, &[a, b])
			}
			"NEGATE" => self.negate(operator),
			"CONCAT" => self.concat(operator),
			"PAD" => self.pad(operator),
			"RESHAPE" => {
				let a = self.operand(operator, 0)?;
				let shape = extents(self.shape(operator, 1)?)?;
				self.reshape(a, &shape)
			}
			"RESHAPE_BLOCK_SCALED" => {
				single_blocks(operator)?;
				let a = self.operand(operator, 0)?;
				let shape = extents(self.shape(operator, 1)?)?;
				self.reshape(a, &shape)
			}
			"REVERSE" => {
				let a = self.operand(operator, 0)?;
				self.apply(Op::Reverse { axis: axis(operator)? }, &[a])
			}
			"SLICE" => {
				let a = self.operand(operator, 0)?;
				let start = extents(self.shape(operator, 1)?)?;
				let size = extents(self.shape(operator, 2)?)?;
				self.apply(Op::Slice { start, size }, &[a])
			}
			"TILE" => {
				let a = self.operand(operator, 0)?;
				let multiples = extents(self.shape(operator, 1)?)?;
				self.apply(Op::Tile { multiples }, &[a])
			}
			"TRANSPOSE" => {
				let a = self.operand(operator, 0)?;
				let axes = attributes(operator)?.numbers(0)?;
				let axes: Option<Vec<u8>> =
					axes.iter().map(|axis| u8::try_from(*axis).ok()).collect();
				let permutation = axes.ok_or_else(|| Refusal::because("it has no such axis"))?;
				self.apply(Op::Transpose { permutation }, &[a])
			}
			"ROW_GATHER" => self.row_gather(operator),
			"ROW_GATHER_BLOCK_SCALED" => {
				single_blocks(operator)?;
				self.row_gather(operator)
			}
			"RESIZE" => self.resize(operator),
			"CAST" => {
				let a = self.operand(operator, 0)?;
				let to = self.declared(result(operator)?).map_err(Refusal::Because)?.dtype;
				self.apply(Op::Cast { to }, &[a])
			}
			"RESCALE" => self.rescale(operator),
			_ => Err(Refusal::because("no exact integer form of it is known")),
		}
	}

	/// `a × b` with the zero points of operands 2 and 3.
	fn product(&mut self, operator: &Operator, a: ValueId, b: ValueId) -> Result<ValueId, Refusal> {
		let (a_zero_point, b_zero_point) =
			(self.zero_point(operator, 2)?, self.zero_point(operator, 3)?);
		self.apply(Op::MatMul { a_zero_point, b_zero_point }, &[a, b])
	}

	/// A zero point of an I8 or I16 tensor: an operand that is a constant.
	fn zero_point(&self, operator: &Operator, number: usize) -> Result<i16, Refusal> {
		let value = self.number(operator, number)?;
		i16::try_from(value).map_err(|_| Refusal::because("a zero point is too large"))
	}

	fn convolution(&mut self, kind: &str, operator: &Operator) -> Result<ValueId, Refusal> {
		let input = self.operand(operator, 0)?;
		let layout = if kind == "DEPTHWISE_CONV2D" {
			Layout::new(&[2, 3, 0, 1])
		} else {
			Layout::row_major()
		};
		let weight = self.operand_as(operator, 1, layout)?;
		let bias = self.operand(operator, 2)?;
		let input_zero_point = self.zero_point(operator, 3)?;
		let weight_zero_point = i8::try_from(self.number(operator, 4)?)
			.map_err(|_| Refusal::because("a zero point is too large"))?;
		let table = attributes(operator)?;
		let op = match kind {
			"TRANSPOSE_CONV2D" => {
				accumulates_in_i32(table.i32(3, 0)?)?;
				let out_pad = sizes(&table.numbers(0)?)?;
				let stride = sizes(&table.numbers(1)?)?;
				Op::TransposeConv2d { out_pad, stride, input_zero_point, weight_zero_point }
			}
			"CONV3D" => {
				accumulates_in_i32(table.i32(4, 0)?)?;
				let window = Window3 {
					pad: sizes(&table.numbers(0)?)?,
					stride: sizes(&table.numbers(1)?)?,
					dilation: sizes(&table.numbers(2)?)?,
				};
				Op::Conv3d { window, input_zero_point, weight_zero_point }
			}
			_ => {
				accumulates_in_i32(table.i32(4, 0)?)?;
				let window = Window {
					pad: sizes(&table.numbers(0)?)?,
					stride: sizes(&table.numbers(1)?)?,
					dilation: sizes(&table.numbers(2)?)?,
				};
				if kind == "CONV2D" {
					Op::Conv2d { window, input_zero_point, weight_zero_point }
				} else {
					Op::DepthwiseConv2d { window, input_zero_point, weight_zero_point }
				}
			}
		};
		self.apply(op, &[input, weight, bias])
	}

	fn pool(&mut self, kind: &str, operator: &Operator) -> Result<ValueId, Refusal> {
		let input = self.operand(operator, 0)?;
		let is_average = kind.starts_with("AVG");
		let table = attributes(operator)?;
		let numbers = |shape: &[i64]| -> Vec<i32> {
			// What does not fit is refused as an extent.
			shape.iter().map(|number| i32::try_from(*number).unwrap_or(-1)).collect()
		};
		let (kernel, stride, pad) = if kind.ends_with("ADAPTIVE") {
			let first = if is_average { 3 } else { 1 };
			let part =
				|number: usize| Ok::<_, Refusal>(numbers(self.shape(operator, first + number)?));
			(part(0)?, part(1)?, part(2)?)
		} else {
			(table.numbers(0)?, table.numbers(1)?, table.numbers(2)?)
		};
		let kernel = sizes(&kernel)?;
		let window = Window { pad: sizes(&pad)?, stride: sizes(&stride)?, dilation: [1, 1] };
		if !is_average {
			return self.apply(Op::MaxPool2d { kernel, window }, &[input]);
		}
		accumulates_in_i32(table.i32(if kind.ends_with("ADAPTIVE") { 0 } else { 3 }, 0)?)?;
		let input_zero_point = self.zero_point(operator, 1)?;
		let output_zero_point = self.zero_point(operator, 2)?;
		let op = Op::AvgPool2d { kernel, window, input_zero_point, output_zero_point };
		self.apply(op, &[input])
	}

	/// `−(a − input zero point) + output zero point`, limited to the type.
	fn negate(&mut self, operator: &Operator) -> Result<ValueId, Refusal> {
		let a = self.operand(operator, 0)?;
		if self.number(operator, 1)? == 0 && self.number(operator, 2)? == 0 {
			return self.apply(Op::Unary(Unary::Negate), &[a]);
		}
		let dtype = self.emit.dtype(a);
		if !matches!(dtype, DType::I8 | DType::I16) {
			return Err(Refusal::because("its type has no zero point"));
		}
		let zero =
			i32::from(self.zero_point(operator, 1)?) + i32::from(self.zero_point(operator, 2)?);
		let wide = self.apply(Op::Cast { to: DType::I32 }, &[a])?;
		let zero = self.filled(wide, zero)?;
		let negated = self.apply(Op::Binary(Binary::Sub), &[zero, wide])?;
		let (min, max) = (dtype.min(), dtype.max());
		let limited = self.apply(Op::Clamp { min, max }, &[negated])?;
		self.apply(Op::Cast { to: dtype }, &[limited])
	}

	/// A constant of one I32 that broadcasts against `like`.
	fn filled(&mut self, like: ValueId, number: i32) -> Result<ValueId, Refusal> {
		let shape = vec![1; self.emit.shape(like).len()];
		Ok(self.emit.inline(DType::I32, &shape, &[number])?)
	}

	fn concat(&mut self, operator: &Operator) -> Result<ValueId, Refusal> {
		let axis = axis(operator)?;
		let parts = (0..operator.inputs.len()).map(|number| self.operand(operator, number));
		let mut parts = parts.collect::<Result<Vec<_>, _>>()?;
		while parts.len() > 1 {
			let mut joined = Vec::new();
			for some in parts.chunks(MAX_OPERANDS) {
				joined.push(match some {
					[one] => *one,
					several => self.apply(Op::Concat { axis }, several)?,
				});
			}
			parts = joined;
		}
		parts.first().copied().ok_or_else(|| Refusal::because("it has no operand"))
	}

	/// The padding is a list of pairs, before and after, axis by axis.
	fn pad(&mut self, operator: &Operator) -> Result<ValueId, Refusal> {
		let a = self.operand(operator, 0)?;
		let padding = extents(self.shape(operator, 1)?)?;
		let value = self.number(operator, 2)?;
		let before = padding.iter().step_by(2).copied().collect();
		let after = padding.iter().skip(1).step_by(2).copied().collect();
		self.apply(Op::Pad { before, after, value }, &[a])
	}

	/// Rows that follow each other, from each index on: the indices of all of them, then a gather.
	fn row_gather(&mut self, operator: &Operator) -> Result<ValueId, Refusal> {
		let (values, indices) = (self.operand(operator, 0)?, self.operand(operator, 1)?);
		let rows = u32::try_from(self.number(operator, 2)?).ok();
		let &[batches, count] = &self.emit.shape(indices)[..] else {
			return Err(Refusal::because("its indices have not two axes"));
		};
		let all = rows.and_then(|rows| rows.checked_mul(count).map(|all| (rows, all)));
		let (rows, all) = all
			.filter(|(rows, all)| *rows > 0 && *all <= MAX_GATHERED)
			.ok_or_else(|| Refusal::because("its number of rows is out of range"))?;
		let column = self.reshape(indices, &[batches, count, 1])?;
		let steps: Vec<i32> = (0..rows as i32).collect();
		let steps = self.emit.blob(DType::I32, &[1, 1, rows], Layout::row_major(), &steps)?;
		let every = self.apply(Op::Binary(Binary::Add), &[column, steps])?;
		let every = self.reshape(every, &[batches, all])?;
		self.apply(Op::Gather, &[values, every])
	}

	fn resize(&mut self, operator: &Operator) -> Result<ValueId, Refusal> {
		let a = self.operand(operator, 0)?;
		let interpolation = match attributes(operator)?.i32(0, 0)? {
			1 => Interpolation::Nearest,
			2 => Interpolation::Bilinear,
			_ => return Err(Refusal::because("its mode is not known")),
		};
		let [yn, yd, xn, xd] = sizes(self.shape(operator, 1)?)?;
		let scaling = Scaling {
			numerator: [yn, xn],
			denominator: [yd, xd],
			offset: sizes(self.shape(operator, 2)?)?,
			border: sizes(self.shape(operator, 3)?)?,
		};
		self.apply(Op::Resize { scaling, interpolation }, &[a])
	}

	/// Unsigned operands and results are held in the signed type of the same width: they are widened
	/// to I32 on the way in, and limited and narrowed on the way out.
	fn rescale(&mut self, operator: &Operator) -> Result<ValueId, Refusal> {
		let table = attributes(operator)?;
		if table.i32(1, 0)? != 1 {
			return Err(Refusal::because("only single rounding is exact here"));
		}
		let per_channel = table.flag(2)?;
		let (input_unsigned, output_unsigned) = (table.flag(3)?, table.flag(4)?);
		let mut a = self.operand(operator, 0)?;
		let from = self.emit.dtype(a);
		let to = self.declared(result(operator)?).map_err(Refusal::Because)?.dtype;
		let mut multiplier = self.operand(operator, 1)?;
		let shift = self.operand(operator, 2)?;
		let mut input_zero_point = self.number(operator, 3)?;
		let mut output_zero_point = self.number(operator, 4)?;
		if input_unsigned {
			let bits = unsigned(from)?;
			input_zero_point &= bits;
			let wide = self.apply(Op::Cast { to: DType::I32 }, &[a])?;
			let mask = self.filled(wide, bits)?;
			a = self.apply(Op::Binary(Binary::BitwiseAnd), &[wide, mask])?;
		}
		if self.emit.dtype(multiplier) == DType::I16 {
			multiplier = self.apply(Op::Cast { to: DType::I32 }, &[multiplier])?;
		}
		let output = if output_unsigned { DType::I32 } else { to };
		if output_unsigned {
			output_zero_point &= unsigned(to)?;
		}
		let op = Op::Rescale { output, input_zero_point, output_zero_point, per_channel };
		let scaled = self.apply(op, &[a, multiplier, shift])?;
		if !output_unsigned {
			return Ok(scaled);
		}
		let limited = self.apply(Op::Clamp { min: 0, max: unsigned(to)? }, &[scaled])?;
		self.apply(Op::Cast { to }, &[limited])
	}
}

/// Operators that are applied to all their operands as they stand.
fn elementwise(kind: &str) -> Option<Op> {
	Some(match kind {
		"ADD" => Op::Binary(Binary::Add),
		"SUB" => Op::Binary(Binary::Sub),
		"INTDIV" => Op::Binary(Binary::IntDiv),
		"MAXIMUM" => Op::Binary(Binary::Maximum),
		"MINIMUM" => Op::Binary(Binary::Minimum),
		"BITWISE_AND" => Op::Binary(Binary::BitwiseAnd),
		"BITWISE_OR" => Op::Binary(Binary::BitwiseOr),
		"BITWISE_XOR" => Op::Binary(Binary::BitwiseXor),
		"LOGICAL_LEFT_SHIFT" => Op::Binary(Binary::LogicalLeftShift),
		"LOGICAL_RIGHT_SHIFT" => Op::Binary(Binary::LogicalRightShift),
		"LOGICAL_AND" => Op::Binary(Binary::LogicalAnd),
		"LOGICAL_OR" => Op::Binary(Binary::LogicalOr),
		"LOGICAL_XOR" => Op::Binary(Binary::LogicalXor),
		"EQUAL" => Op::Binary(Binary::Equal),
		"GREATER" => Op::Binary(Binary::Greater),
		"GREATER_EQUAL" => Op::Binary(Binary::GreaterEqual),
		"ABS" => Op::Unary(Unary::Abs),
		"CLZ" => Op::Unary(Unary::Clz),
		"BITWISE_NOT" => Op::Unary(Unary::BitwiseNot),
		"LOGICAL_NOT" => Op::Unary(Unary::LogicalNot),
		"SELECT" => Op::Select,
		"TABLE" => Op::Table,
		"GATHER" => Op::Gather,
		"SCATTER" => Op::Scatter,
		_ => return None,
	})
}

fn reduction(kind: &str) -> Option<Reduction> {
	Some(match kind {
		"REDUCE_SUM" => Reduction::Sum,
		"REDUCE_MAX" => Reduction::Max,
		"REDUCE_MIN" => Reduction::Min,
		"REDUCE_PRODUCT" => Reduction::Product,
		"REDUCE_ALL" => Reduction::All,
		"REDUCE_ANY" => Reduction::Any,
		_ => return None,
	})
}

/// The name of an operator's first result.
fn result<'a>(operator: &Operator<'a, '_>) -> Result<&'a str, Refusal> {
	operator.outputs.first().copied().ok_or_else(|| Refusal::because("it has no result"))
}

/// The axis that an operator has as its first attribute.
fn axis(operator: &Operator) -> Result<u8, Refusal> {
	let axis = attributes(operator)?.i32(0, 0)?;
	u8::try_from(axis).map_err(|_| Refusal::because("it has no such axis"))
}

/// A shape as extents.
fn extents(shape: &[i64]) -> Result<Vec<u32>, Refusal> {
	let extents = shape.iter().map(|number| u32::try_from(*number).ok());
	extents
		.collect::<Option<_>>()
		.ok_or_else(|| Refusal::Because(format!("{shape:?} is not a list of extents")))
}

/// So many numbers, each in range.
fn sizes<const N: usize, To: TryFrom<From>, From: Copy + std::fmt::Debug>(
	numbers: &[From],
) -> Result<[To; N], Refusal> {
	let all: Option<Vec<To>> = numbers.iter().map(|number| To::try_from(*number).ok()).collect();
	all.and_then(|all| all.try_into().ok())
		.ok_or_else(|| Refusal::Because(format!("{numbers:?} has a number out of range")))
}

/// Block-scaled operators on tensors without scales.
fn single_blocks(operator: &Operator) -> Result<(), Refusal> {
	if attributes(operator)?.i32(0, 0)? == 1 {
		Ok(())
	} else {
		Err(Refusal::because("block scales have no exact integer form here"))
	}
}

fn accumulates_in_i32(dtype: i32) -> Result<(), Refusal> {
	match element_type(dtype as u32) {
		Ok(DType::I32) => Ok(()),
		Ok(other) => Err(Refusal::Because(format!("it accumulates in {other:?}, not I32"))),
		Err(reason) => Err(Refusal::Because(format!("its accumulator: {reason}"))),
	}
}

/// The largest unsigned number of a type's width: all its bits.
fn unsigned(dtype: DType) -> Result<i32, Refusal> {
	match dtype {
		DType::I8 => Ok(0xff),
		DType::I16 => Ok(0xffff),
		DType::Bool | DType::I32 => Err(Refusal::because("only INT8 and INT16 can be unsigned")),
	}
}
