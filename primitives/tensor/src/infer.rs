// SPDX-License-Identifier: Apache-2.0

//! Result types: what each operator demands of its operands and what it yields.

use crate::{
	Binary, DType, Interpolation, Op, ProgramError, Reduction, Scaling, TensorType, Unary, Window,
	Window3,
};
use alloc::vec::Vec;

/// What is wrong with an operator application, before it is known which node it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
	/// Not as many operands as the operator names.
	Count,
	/// An element type the operator does not take.
	Type,
	/// Shapes that do not fit, or an empty or oversized result.
	Shape,
	/// An attribute outside its range.
	Attribute,
}

impl Fault {
	/// The refusal of `node` for this reason.
	pub fn at(self, node: u16) -> ProgramError {
		match self {
			Fault::Count => ProgramError::OperandCount { node },
			Fault::Type => ProgramError::OperandType { node },
			Fault::Shape => ProgramError::OperandShape { node },
			Fault::Attribute => ProgramError::Attribute { node },
		}
	}
}

/// The most operands a `Concat` may have.
pub const MAX_OPERANDS: usize = 64;

/// Type of the result of `op` on operands of these types.
pub fn infer(op: &Op, operands: &[&TensorType]) -> Result<TensorType, Fault> {
	let ty = result(op, operands)?;
	demand(ty.is_valid(), Fault::Shape)?;
	Ok(ty)
}

fn result(op: &Op, operands: &[&TensorType]) -> Result<TensorType, Fault> {
	match op {
		Op::Conv2d { window, .. } => conv2d(window, exactly(operands)?),
		Op::MatMul { .. } => mat_mul(exactly(operands)?),
		Op::MaxPool2d { kernel, window } => pool(*kernel, window, exactly(operands)?),
		Op::ArgMax { axis } => {
			let [a] = exactly(operands)?;
			demand(a.dtype.is_integer(), Fault::Type)?;
			demand((*axis as usize) < a.rank(), Fault::Attribute)?;
			let mut shape = a.shape.clone();
			shape.remove(*axis as usize);
			Ok(TensorType::new(DType::I32, shape))
		}
		Op::Clamp { min, max } => {
			let [a] = exactly(operands)?;
			demand(a.dtype.is_integer(), Fault::Type)?;
			demand(a.dtype.holds(*min) && a.dtype.holds(*max), Fault::Attribute)?;
			Ok(a.clone())
		}
		Op::Binary(op) => binary(*op, exactly(operands)?),
		Op::Mul { shift } => {
			let [a, b] = exactly(operands)?;
			demand(a.dtype.is_integer() && a.dtype == b.dtype, Fault::Type)?;
			demand(*shift <= 63, Fault::Attribute)?;
			demand(*shift == 0 || a.dtype == DType::I32, Fault::Attribute)?;
			Ok(TensorType::new(DType::I32, broadcast(&a.shape, &b.shape)?))
		}
		Op::ArithmeticRightShift { .. } => {
			let [a, b] = exactly(operands)?;
			demand(a.dtype.is_integer() && a.dtype == b.dtype, Fault::Type)?;
			Ok(TensorType::new(a.dtype, broadcast(&a.shape, &b.shape)?))
		}
		Op::Unary(op) => {
			let [a] = exactly(operands)?;
			let fits = match op {
				Unary::Abs | Unary::Clz => a.dtype == DType::I32,
				Unary::Negate | Unary::BitwiseNot => a.dtype.is_integer(),
				Unary::LogicalNot => a.dtype == DType::Bool,
			};
			demand(fits, Fault::Type)?;
			Ok(a.clone())
		}
		Op::Select => {
			let [condition, a, b] = exactly(operands)?;
			demand(condition.dtype == DType::Bool && a.dtype == b.dtype, Fault::Type)?;
			let shape = broadcast(&condition.shape, &broadcast(&a.shape, &b.shape)?)?;
			Ok(TensorType::new(a.dtype, shape))
		}
		Op::Reduce { reduction, axis } => {
			let [a] = exactly(operands)?;
			let fits = match reduction {
				Reduction::Sum | Reduction::Product => a.dtype == DType::I32,
				Reduction::Max | Reduction::Min => a.dtype.is_integer(),
				Reduction::All | Reduction::Any => a.dtype == DType::Bool,
			};
			demand(fits, Fault::Type)?;
			let mut shape = a.shape.clone();
			*shape.get_mut(*axis as usize).ok_or(Fault::Attribute)? = 1;
			Ok(TensorType::new(a.dtype, shape))
		}
		Op::Concat { axis } => concat(*axis as usize, operands),
		Op::Pad { before, after, value } => {
			let [a] = exactly(operands)?;
			demand(before.len() == a.rank() && after.len() == a.rank(), Fault::Attribute)?;
			demand(a.dtype.holds(*value), Fault::Attribute)?;
			let shape =
				a.shape.iter().zip(before).zip(after).map(|((extent, before), after)| {
					extent.checked_add(*before)?.checked_add(*after)
				});
			let shape = shape.collect::<Option<Vec<u32>>>().ok_or(Fault::Shape)?;
			Ok(TensorType::new(a.dtype, shape))
		}
		Op::Reshape { shape } => {
			let [a] = exactly(operands)?;
			let ty = TensorType::new(a.dtype, shape.clone());
			demand(ty.is_valid() && ty.elements() == a.elements(), Fault::Shape)?;
			Ok(ty)
		}
		Op::Slice { start, size } => {
			let [a] = exactly(operands)?;
			demand(start.len() == a.rank() && size.len() == a.rank(), Fault::Attribute)?;
			let inside = a.shape.iter().zip(start).zip(size).all(|((extent, start), size)| {
				*size >= 1 && start.checked_add(*size).is_some_and(|end| end <= *extent)
			});
			demand(inside, Fault::Attribute)?;
			Ok(TensorType::new(a.dtype, size.clone()))
		}
		Op::Transpose { permutation } => {
			let [a] = exactly(operands)?;
			demand(permutation.len() == a.rank(), Fault::Attribute)?;
			let distinct = (0..a.rank()).all(|axis| permutation.contains(&(axis as u8)));
			demand(distinct, Fault::Attribute)?;
			let shape = permutation.iter().map(|axis| a.shape.get(*axis as usize).copied());
			let shape = shape.collect::<Option<Vec<u32>>>().ok_or(Fault::Attribute)?;
			Ok(TensorType::new(a.dtype, shape))
		}
		Op::Gather => {
			let [values, indices] = exactly(operands)?;
			demand(indices.dtype == DType::I32, Fault::Type)?;
			let (&[n, _, c], &[batch, w]) = (&values.shape[..], &indices.shape[..]) else {
				return Err(Fault::Shape);
			};
			demand(n == batch, Fault::Shape)?;
			Ok(TensorType::new(values.dtype, [n, w, c]))
		}
		Op::Table => {
			let [a, table] = exactly(operands)?;
			let (entries, out) = match a.dtype {
				DType::I8 => (256, DType::I8),
				DType::I16 => (513, DType::I32),
				DType::Bool | DType::I32 => return Err(Fault::Type),
			};
			demand(table.dtype == a.dtype, Fault::Type)?;
			demand(table.shape == [entries], Fault::Shape)?;
			Ok(TensorType::new(out, a.shape.clone()))
		}
		Op::Rescale { output, per_channel, .. } => {
			let [a, multiplier, shift] = exactly(operands)?;
			let fits =
				a.dtype.is_integer() && multiplier.dtype == DType::I32 && shift.dtype == DType::I8;
			demand(fits, Fault::Type)?;
			demand(output.is_integer(), Fault::Attribute)?;
			let channels = if *per_channel { *a.shape.last().ok_or(Fault::Shape)? } else { 1 };
			demand(multiplier.shape == [channels] && shift.shape == [channels], Fault::Shape)?;
			Ok(TensorType::new(*output, a.shape.clone()))
		}
		Op::Cast { to } => {
			let [a] = exactly(operands)?;
			Ok(TensorType::new(*to, a.shape.clone()))
		}
		Op::Tile { multiples } => {
			let [a] = exactly(operands)?;
			demand(multiples.len() == a.rank(), Fault::Attribute)?;
			demand(multiples.iter().all(|m| *m >= 1), Fault::Attribute)?;
			let shape = a.shape.iter().zip(multiples).map(|(extent, m)| extent.checked_mul(*m));
			let shape = shape.collect::<Option<Vec<u32>>>().ok_or(Fault::Shape)?;
			Ok(TensorType::new(a.dtype, shape))
		}
		Op::Reverse { axis } => {
			let [a] = exactly(operands)?;
			demand((*axis as usize) < a.rank(), Fault::Attribute)?;
			Ok(a.clone())
		}
		Op::AvgPool2d { kernel: [height, width], window, .. } => {
			let taps = *height as u64 * *width as u64;
			demand(taps <= MAX_AVERAGED, Fault::Attribute)?;
			pool([*height, *width], window, exactly(operands)?)
		}
		Op::Conv3d { window, .. } => conv3d(window, exactly(operands)?),
		Op::DepthwiseConv2d { window, .. } => depthwise(window, exactly(operands)?),
		Op::TransposeConv2d { out_pad, stride, .. } => {
			transpose_conv(*out_pad, *stride, exactly(operands)?)
		}
		Op::Resize { scaling, interpolation } => {
			resize(scaling, *interpolation, exactly(operands)?)
		}
		Op::Scatter => {
			let [values, indices, input] = exactly(operands)?;
			demand(indices.dtype == DType::I32 && input.dtype == values.dtype, Fault::Type)?;
			let (&[n, _, c], &[batch, w]) = (&values.shape[..], &indices.shape[..]) else {
				return Err(Fault::Shape);
			};
			demand(n == batch && input.shape == [n, w, c], Fault::Shape)?;
			Ok(values.clone())
		}
		Op::Identity => {
			let [a] = exactly(operands)?;
			Ok(a.clone())
		}
	}
}

fn demand(condition: bool, fault: Fault) -> Result<(), Fault> {
	if condition {
		Ok(())
	} else {
		Err(fault)
	}
}

fn exactly<'a, const N: usize>(operands: &[&'a TensorType]) -> Result<[&'a TensorType; N], Fault> {
	operands.try_into().map_err(|_| Fault::Count)
}

fn broadcast(a: &[u32], b: &[u32]) -> Result<Vec<u32>, Fault> {
	demand(a.len() == b.len(), Fault::Shape)?;
	a.iter()
		.zip(b)
		.map(|(a, b)| match (*a, *b) {
			(a, b) if a == b => Ok(a),
			(1, b) => Ok(b),
			(a, 1) => Ok(a),
			_ => Err(Fault::Shape),
		})
		.collect()
}

/// Positions of a window along one axis; `None` where it does not fit once.
fn positions(extent: u32, pads: [u16; 2], taps: u32, stride: u16, dilation: u16) -> Option<u32> {
	let padded = extent as u64 + pads[0] as u64 + pads[1] as u64;
	let reach = (taps as u64).checked_sub(1)?.checked_mul(dilation as u64)?.checked_add(1)?;
	let positions = padded.checked_sub(reach)?.checked_div(stride as u64)?.checked_add(1)?;
	u32::try_from(positions).ok()
}

/// Result of a convolution in two dimensions with a kernel of these extents and so many filters.
fn slide(
	window: &Window,
	input: &TensorType,
	kernel: [u32; 2],
	filters: u32,
) -> Result<TensorType, Fault> {
	let &[n, h, w, _] = &input.shape[..] else { return Err(Fault::Shape) };
	let ([top, bottom, left, right], [kh, kw]) = (window.pad, kernel);
	demand(window.stride.iter().chain(&window.dilation).all(|n| *n >= 1), Fault::Attribute)?;
	let oh = positions(h, [top, bottom], kh, window.stride[0], window.dilation[0]);
	let ow = positions(w, [left, right], kw, window.stride[1], window.dilation[1]);
	let (Some(oh), Some(ow)) = (oh, ow) else { return Err(Fault::Shape) };
	Ok(TensorType::new(DType::I32, [n, oh, ow, filters]))
}

/// What all convolutions demand of their element types and of the bias of `filters` filters.
fn convolved([input, weight, bias]: [&TensorType; 3], filters: Option<u32>) -> Result<u32, Fault> {
	demand(matches!(input.dtype, DType::I8 | DType::I16), Fault::Type)?;
	demand(weight.dtype == DType::I8 && bias.dtype == DType::I32, Fault::Type)?;
	let filters = filters.ok_or(Fault::Shape)?;
	demand(bias.shape == [filters] || bias.shape == [1], Fault::Shape)?;
	Ok(filters)
}

fn conv2d(window: &Window, operands: [&TensorType; 3]) -> Result<TensorType, Fault> {
	let [input, weight, _] = operands;
	let filters = convolved(operands, weight.shape.first().copied())?;
	let (&[_, _, _, c], &[_, kh, kw, depth]) = (&input.shape[..], &weight.shape[..]) else {
		return Err(Fault::Shape);
	};
	demand(c == depth, Fault::Shape)?;
	slide(window, input, [kh, kw], filters)
}

fn conv3d(window: &Window3, operands: [&TensorType; 3]) -> Result<TensorType, Fault> {
	let [input, weight, _] = operands;
	let filters = convolved(operands, weight.shape.first().copied())?;
	let (&[n, d, h, w, c], &[_, kd, kh, kw, depth]) = (&input.shape[..], &weight.shape[..]) else {
		return Err(Fault::Shape);
	};
	demand(c == depth, Fault::Shape)?;
	demand(window.stride.iter().chain(&window.dilation).all(|n| *n >= 1), Fault::Attribute)?;
	let [front, back, top, bottom, left, right] = window.pad;
	let ([sd, sh, sw], [dd, dh, dw]) = (window.stride, window.dilation);
	let od = positions(d, [front, back], kd, sd, dd);
	let oh = positions(h, [top, bottom], kh, sh, dh);
	let ow = positions(w, [left, right], kw, sw, dw);
	let (Some(od), Some(oh), Some(ow)) = (od, oh, ow) else { return Err(Fault::Shape) };
	Ok(TensorType::new(DType::I32, [n, od, oh, ow, filters]))
}

fn depthwise(window: &Window, operands: [&TensorType; 3]) -> Result<TensorType, Fault> {
	let [input, weight, _] = operands;
	let (&[_, _, _, c], &[kh, kw, depth, m]) = (&input.shape[..], &weight.shape[..]) else {
		return Err(Fault::Shape);
	};
	let filters = convolved(operands, c.checked_mul(m))?;
	demand(c == depth, Fault::Shape)?;
	slide(window, input, [kh, kw], filters)
}

fn transpose_conv(
	out_pad: [i16; 4],
	stride: [u16; 2],
	operands: [&TensorType; 3],
) -> Result<TensorType, Fault> {
	let [input, weight, _] = operands;
	let filters = convolved(operands, weight.shape.first().copied())?;
	let (&[n, h, w, c], &[_, kh, kw, depth]) = (&input.shape[..], &weight.shape[..]) else {
		return Err(Fault::Shape);
	};
	demand(c == depth, Fault::Shape)?;
	demand(stride.iter().all(|n| *n >= 1), Fault::Attribute)?;
	// Inside i64: the product is below 2^48.
	let spread = |extent: u32, stride: u16, pads: [i16; 2], taps: u32| {
		let moved = (extent as i64 - 1) * stride as i64;
		u32::try_from(moved + pads[0] as i64 + pads[1] as i64 + taps as i64).ok()
	};
	let ([top, bottom, left, right], [down, across]) = (out_pad, stride);
	let oh = spread(h, down, [top, bottom], kh).ok_or(Fault::Shape)?;
	let ow = spread(w, across, [left, right], kw).ok_or(Fault::Shape)?;
	Ok(TensorType::new(DType::I32, [n, oh, ow, filters]))
}

/// No extent of a resized image, nor of the one it is made from, reaches this.
const MAX_RESIZED: u32 = 1 << 14;

/// The largest numerator of a scale.
const MAX_NUMERATOR: u16 = 1 << 11;

fn resize(
	scaling: &Scaling,
	interpolation: Interpolation,
	[a]: [&TensorType; 1],
) -> Result<TensorType, Fault> {
	let dtype = match (interpolation, a.dtype) {
		(Interpolation::Nearest, DType::I8 | DType::I16 | DType::I32) => a.dtype,
		(Interpolation::Bilinear, DType::I8 | DType::I16) => DType::I32,
		_ => return Err(Fault::Type),
	};
	let &[n, h, w, c] = &a.shape[..] else { return Err(Fault::Shape) };
	let scaled = |extent: u32, axis: usize| {
		let at = |list: &[u16; 2]| list.get(axis).copied().map(i64::from);
		let (numerator, denominator) = (at(&scaling.numerator)?, at(&scaling.denominator)?);
		let reach = (extent as i64 - 1) * numerator;
		let reach = reach - *scaling.offset.get(axis)? as i64 + *scaling.border.get(axis)? as i64;
		let last = u32::try_from(reach).ok()?.checked_div(denominator as u32)?;
		last.checked_add(1).filter(|extent| *extent < MAX_RESIZED)
	};
	let scales = scaling.numerator.iter().zip(&scaling.denominator);
	for (numerator, denominator) in scales {
		demand((1..=MAX_NUMERATOR).contains(numerator) && *denominator >= 1, Fault::Attribute)?;
		demand((*denominator as u32) < 16 * *numerator as u32, Fault::Attribute)?;
	}
	demand(h < MAX_RESIZED && w < MAX_RESIZED, Fault::Shape)?;
	let (Some(oh), Some(ow)) = (scaled(h, 0), scaled(w, 1)) else { return Err(Fault::Shape) };
	Ok(TensorType::new(dtype, [n, oh, ow, c]))
}

fn mat_mul([a, b]: [&TensorType; 2]) -> Result<TensorType, Fault> {
	let narrow = |ty: &TensorType| matches!(ty.dtype, DType::I8 | DType::I16);
	demand(narrow(a) && narrow(b), Fault::Type)?;
	let (&[n, h, c], &[batch, depth, w]) = (&a.shape[..], &b.shape[..]) else {
		return Err(Fault::Shape);
	};
	demand(n == batch && c == depth, Fault::Shape)?;
	Ok(TensorType::new(DType::I32, [n, h, w]))
}

/// The most elements of a window that an average is taken of: the reciprocal then fits in 31 bits.
const MAX_AVERAGED: u64 = 1 << 30;

fn pool(kernel: [u16; 2], window: &Window, [a]: [&TensorType; 1]) -> Result<TensorType, Fault> {
	demand(matches!(a.dtype, DType::I8 | DType::I16), Fault::Type)?;
	let &[n, h, w, c] = &a.shape[..] else { return Err(Fault::Shape) };
	let [top, bottom, left, right] = window.pad;
	demand(kernel.iter().chain(&window.stride).all(|n| *n >= 1), Fault::Attribute)?;
	demand(window.dilation == [1, 1], Fault::Attribute)?;
	let oh = positions(h, [top, bottom], kernel[0] as u32, window.stride[0], 1);
	let ow = positions(w, [left, right], kernel[1] as u32, window.stride[1], 1);
	let (Some(oh), Some(ow)) = (oh, ow) else { return Err(Fault::Shape) };
	Ok(TensorType::new(a.dtype, [n, oh, ow, c]))
}

fn binary(op: Binary, [a, b]: [&TensorType; 2]) -> Result<TensorType, Fault> {
	demand(a.dtype == b.dtype, Fault::Type)?;
	let (fits, out) = match op {
		Binary::Add | Binary::Sub | Binary::IntDiv => (a.dtype == DType::I32, a.dtype),
		Binary::Maximum
		| Binary::Minimum
		| Binary::BitwiseAnd
		| Binary::BitwiseOr
		| Binary::BitwiseXor
		| Binary::LogicalLeftShift
		| Binary::LogicalRightShift => (a.dtype.is_integer(), a.dtype),
		Binary::LogicalAnd | Binary::LogicalOr | Binary::LogicalXor => {
			(a.dtype == DType::Bool, a.dtype)
		}
		Binary::Equal | Binary::Greater | Binary::GreaterEqual => {
			(a.dtype.is_integer(), DType::Bool)
		}
	};
	demand(fits, Fault::Type)?;
	Ok(TensorType::new(out, broadcast(&a.shape, &b.shape)?))
}

fn concat(axis: usize, operands: &[&TensorType]) -> Result<TensorType, Fault> {
	demand((2..=MAX_OPERANDS).contains(&operands.len()), Fault::Count)?;
	let first = operands.first().ok_or(Fault::Count)?;
	demand(axis < first.rank(), Fault::Attribute)?;
	let mut joined = 0u32;
	for operand in operands {
		demand(operand.dtype == first.dtype, Fault::Type)?;
		demand(operand.rank() == first.rank(), Fault::Shape)?;
		for (number, (extent, other)) in operand.shape.iter().zip(&first.shape).enumerate() {
			if number == axis {
				joined = joined.checked_add(*extent).ok_or(Fault::Shape)?;
			} else {
				demand(extent == other, Fault::Shape)?;
			}
		}
	}
	let mut shape = first.shape.clone();
	*shape.get_mut(axis).ok_or(Fault::Attribute)? = joined;
	Ok(TensorType::new(first.dtype, shape))
}
