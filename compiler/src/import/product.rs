// SPDX-License-Identifier: Apache-2.0

//! Products: matrices, convolutions, and the norms that belong to them.

use super::{Call, Handler, Value};
use crate::graph::{transpose, Arithmetic, Op, Pool, Tensor, Window};

pub const OPERATORS: &[(&str, Handler)] = &[
	("AveragePool", |c| pool(c, Pool::Average)),
	("BatchNormalization", batch_norm),
	("Conv", conv),
	("Gemm", gemm),
	("MatMul", mat_mul),
	("MaxPool", |c| pool(c, Pool::Max)),
];

fn mat_mul(call: &mut Call) -> Result<Vec<Value>, String> {
	if call.is_constant(1) {
		let weight = call.constant(1)?;
		if weight.shape.len() == 2 {
			let x = call.operand(0)?;
			let bias = vec![0.0; weight.shape[1]];
			return dense(call, x, weight, bias);
		}
	}
	let (a, b) = (call.operand(0)?, call.operand(1)?);
	let (left, right) = (call.shape(a), call.shape(b));
	let rank = left.len();
	if rank < 2 || right.len() != rank || left[..rank - 2] != right[..rank - 2] {
		return Err(format!("the product of {left:?} and {right:?}"));
	}
	let mut shape = left;
	shape[rank - 1] = right[rank - 1];
	Ok(vec![Value::Node(call.push(Op::MatMul, vec![a, b], shape))])
}

fn dense(call: &mut Call, x: usize, weight: Tensor, bias: Vec<f32>) -> Result<Vec<Value>, String> {
	let mut shape = call.shape(x);
	let last = shape.last_mut().ok_or("the product of a number")?;
	if *last != weight.shape[0] {
		return Err(format!("{last} columns times {} rows", weight.shape[0]));
	}
	*last = weight.shape[1];
	Ok(vec![Value::Node(call.push(Op::Dense { weight, bias }, vec![x], shape))])
}

/// `alpha × x × w + beta × b`.
fn gemm(call: &mut Call) -> Result<Vec<Value>, String> {
	let x = call.operand(0)?;
	let mut weight = call.constant(1)?;
	if weight.shape.len() != 2 || call.int("transA", 0) != 0 {
		return Err("only a constant matrix on the right, and no transposed left".into());
	}
	if call.int("transB", 0) != 0 {
		weight = weight.transposed(&[1, 0]);
	}
	let (alpha, beta) = (call.float("alpha", 1.0) as f32, call.float("beta", 1.0) as f32);
	weight.data.iter_mut().for_each(|weight| *weight *= alpha);
	let outs = weight.shape[1];
	let bias = match call.has(2) {
		true => call.constant(2)?.data,
		false => vec![0.0],
	};
	if outs % bias.len() != 0 || (bias.len() != 1 && bias.len() != outs) {
		return Err("a bias that is not one number for each column".into());
	}
	let bias = (0..outs).map(|out| bias[out % bias.len()] * beta).collect();
	dense(call, x, weight, bias)
}

/// Both entries of a list about two axes; axes that the model does not have are `otherwise`.
fn pair(values: Option<Vec<i64>>, otherwise: usize) -> [usize; 2] {
	let values = values.unwrap_or_default();
	let at = |place: usize| values.get(place).map_or(otherwise, |value| *value as usize);
	[at(0), at(1)]
}

/// The window over an image of `extent` rows and columns, and the shape of what it gives.
fn window(
	call: &Call,
	extent: [usize; 2],
	kernel: [usize; 2],
	axes: usize,
) -> Result<(Window, [usize; 2]), String> {
	let stride = pair(call.ints("strides"), 1);
	let dilation = pair(call.ints("dilations"), 1);
	let reach = [0, 1].map(|axis| (kernel[axis] - 1) * dilation[axis] + 1);
	let mut pads = [[0; 2]; 2];
	match call.word("auto_pad").as_str() {
		"" | "NOTSET" => {
			let given = call.ints("pads").unwrap_or(vec![0; axes * 2]);
			for (axis, pads) in pads.iter_mut().enumerate().take(axes) {
				for (side, pad) in pads.iter_mut().enumerate() {
					let given = given.get(axis + side * axes).copied().unwrap_or(0);
					*pad = usize::try_from(given).map_err(|_| "negative padding")?;
				}
			}
		}
		"VALID" => {}
		same => {
			for axis in 0..axes {
				let out = extent[axis].div_ceil(stride[axis]);
				let all = ((out - 1) * stride[axis] + reach[axis]).saturating_sub(extent[axis]);
				let first = if same == "SAME_LOWER" { all.div_ceil(2) } else { all / 2 };
				pads[axis] = [first, all - first];
			}
		}
	}
	let mut out = [0; 2];
	for axis in 0..2 {
		let room = (extent[axis] + pads[axis][0] + pads[axis][1]).checked_sub(reach[axis]);
		let room = room.ok_or("a kernel larger than the image")?;
		if call.int("ceil_mode", 0) != 0 && room % stride[axis] != 0 {
			// One more window, which begins inside the image or its padding in front.
			let more = stride[axis] - room % stride[axis];
			if room + more < extent[axis] + pads[axis][0] + reach[axis] - 1 {
				pads[axis][1] += more;
			}
		}
		out[axis] = (extent[axis] + pads[axis][0] + pads[axis][1] - reach[axis]) / stride[axis] + 1;
	}
	let pad = [pads[0][0], pads[0][1], pads[1][0], pads[1][1]];
	Ok((Window { pad, stride, dilation }, out))
}

/// The channels of `[1, C, ..]` behind one or two other axes, as an image `[1, H, W, C]`.
fn to_image(call: &mut Call, x: usize) -> Result<(usize, usize), String> {
	let shape = call.shape(x);
	match *shape.as_slice() {
		[_, channels, length] => {
			let x = call.transpose(x, &[0, 2, 1]);
			Ok((call.reshape(x, &[shape[0], length, 1, channels])?, 1))
		}
		[_, _, _, _] => Ok((call.transpose(x, &[0, 2, 3, 1]), 2)),
		_ => Err(format!("an image of {} axes", shape.len().saturating_sub(2))),
	}
}

/// The inverse of [`to_image`].
fn from_image(call: &mut Call, x: usize, axes: usize) -> Result<Vec<Value>, String> {
	if axes == 2 {
		return Ok(vec![Value::Node(call.transpose(x, &[0, 3, 1, 2]))]);
	}
	let shape = call.shape(x);
	let x = call.reshape(x, &[shape[0], shape[1], shape[3]])?;
	Ok(vec![Value::Node(call.transpose(x, &[0, 2, 1]))])
}

fn conv(call: &mut Call) -> Result<Vec<Value>, String> {
	let x = call.operand(0)?;
	let weight = call.constant(1)?;
	let groups = call.int("group", 1).max(1) as usize;
	let (image, axes) = to_image(call, x)?;
	let shape = call.shape(image);
	if weight.shape.len() != axes + 2 || shape[0] != 1 {
		return Err(format!("a kernel {:?} on {shape:?}", weight.shape));
	}
	let [outs, depth] = [weight.shape[0], weight.shape[1]];
	let kernel = [weight.shape[2], *weight.shape.get(3).unwrap_or(&1)];
	if depth * groups != shape[3] || outs % groups != 0 {
		return Err(format!("{groups} groups of {depth} channels for {} channels", shape[3]));
	}
	// As `[O, KH, KW, C]`.
	let data = transpose(&weight.data, &[outs, depth, kernel[0], kernel[1]], &[0, 2, 3, 1]);
	let weight = Tensor { shape: vec![outs, kernel[0], kernel[1], depth], data };
	let bias = if call.has(2) { call.constant(2)?.data } else { vec![0.0; outs] };
	let (window, out) = window(call, [shape[1], shape[2]], kernel, axes)?;
	let to = vec![1, out[0], out[1], outs];
	let op = Op::Conv { weight, bias, window, groups };
	let image = call.push(op, vec![image], to);
	from_image(call, image, axes)
}

fn pool(call: &mut Call, pool: Pool) -> Result<Vec<Value>, String> {
	let x = call.operand(0)?;
	let kernel = pair(call.ints("kernel_shape"), 1);
	let (image, axes) = to_image(call, x)?;
	let shape = call.shape(image);
	let (window, out) = window(call, [shape[1], shape[2]], kernel, axes)?;
	if window.dilation != [1, 1] || call.node.output.len() > 1 {
		return Err("dilated pools and indices".into());
	}
	if pool == Pool::Average && window.pad != [0; 4] && call.int("count_include_pad", 0) != 0 {
		return Err("an average that counts the padding".into());
	}
	let to = vec![shape[0], out[0], out[1], shape[3]];
	let image = call.push(Op::Pool { pool, kernel, window }, vec![image], to);
	from_image(call, image, axes)
}

/// A factor and an offset for each channel.
fn batch_norm(call: &mut Call) -> Result<Vec<Value>, String> {
	let x = call.operand(0)?;
	let [scale, offset, mean, variance] = [1, 2, 3, 4].map(|place| call.constant(place));
	let (scale, offset, mean, variance) = (scale?.data, offset?.data, mean?.data, variance?.data);
	let epsilon = call.float("epsilon", 1e-5);
	let shape = call.shape(x);
	let mut channels = vec![1; shape.len()];
	*channels.get_mut(1).ok_or("no channels")? = scale.len();
	let each = 0..scale.len();
	let factor: Vec<f64> =
		each.clone().map(|c| scale[c] as f64 / (variance[c] as f64 + epsilon).sqrt()).collect();
	let rest = each.map(|c| (offset[c] as f64 - mean[c] as f64 * factor[c]) as f32).collect();
	let factor = factor.into_iter().map(|factor| factor as f32).collect();
	let mut result = x;
	for (operator, data) in [(Arithmetic::Mul, factor), (Arithmetic::Add, rest)] {
		let values = Op::Constant(Tensor { shape: channels.clone(), data });
		let values = call.push(values, vec![], channels.clone());
		result = call.push(Op::Binary(operator), vec![result, values], shape.clone());
	}
	Ok(vec![Value::Node(result)])
}
