// SPDX-License-Identifier: Apache-2.0

//! Operators that move elements.

use super::{Call, Handler, Value};
use crate::graph::{NodeId, Op, Tensor};

pub const OPERATORS: &[(&str, Handler)] = &[
	("Concat", concat),
	("Flatten", flatten),
	("Pad", pad),
	("Reshape", reshape),
	("Slice", slice),
	("Split", split),
	("Squeeze", squeeze),
	("Transpose", transpose),
	("Unsqueeze", unsqueeze),
];

fn reshape(call: &mut Call) -> Result<Vec<Value>, String> {
	let x = call.operand(0)?;
	let from = call.shape(x);
	let wanted = call.whole(1)?.or(call.ints("shape")).ok_or("no shape")?;
	let keeps = call.int("allowzero", 0) == 0;
	let mut shape = Vec::with_capacity(wanted.len());
	for (axis, extent) in wanted.iter().enumerate() {
		shape.push(match *extent {
			0 if keeps => *from.get(axis).ok_or("keeps an axis that is not there")?,
			-1 => 0,
			extent => usize::try_from(extent).map_err(|_| "a negative extent")?,
		});
	}
	if let Some(open) = wanted.iter().position(|extent| *extent == -1) {
		let others: usize =
			shape.iter().enumerate().filter(|(axis, _)| *axis != open).map(|(_, e)| e).product();
		shape[open] = from.iter().product::<usize>().checked_div(others).ok_or("no elements")?;
	}
	Ok(vec![Value::Node(call.reshape(x, &shape)?)])
}

fn flatten(call: &mut Call) -> Result<Vec<Value>, String> {
	let x = call.operand(0)?;
	let from = call.shape(x);
	let axis = call.int("axis", 1);
	let axis = if axis < 0 { axis + from.len() as i64 } else { axis } as usize;
	let (front, back) = from.split_at_checked(axis).ok_or("an axis that is not there")?;
	let shape = [front.iter().product(), back.iter().product()];
	Ok(vec![Value::Node(call.reshape(x, &shape)?)])
}

/// The axes named by operand 1 or, in older models, by an attribute.
fn axes(call: &Call, rank: usize) -> Result<Option<Vec<usize>>, String> {
	let axes = call.whole(1)?.or(call.ints("axes"));
	axes.map(|axes| axes.iter().map(|axis| call.axis(*axis, rank)).collect()).transpose()
}

fn squeeze(call: &mut Call) -> Result<Vec<Value>, String> {
	let x = call.operand(0)?;
	let from = call.shape(x);
	let axes = axes(call, from.len())?;
	let dropped = |axis: &usize| match &axes {
		Some(axes) => axes.contains(axis),
		None => from[*axis] == 1,
	};
	let shape: Vec<usize> =
		(0..from.len()).filter(|axis| !dropped(axis)).map(|axis| from[axis]).collect();
	Ok(vec![Value::Node(call.reshape(x, &shape)?)])
}

fn unsqueeze(call: &mut Call) -> Result<Vec<Value>, String> {
	let x = call.operand(0)?;
	let mut shape = call.shape(x);
	let count = call.whole(1)?.or(call.ints("axes")).map_or(0, |axes| axes.len());
	let mut new = axes(call, shape.len() + count)?.ok_or("no axes")?;
	new.sort_unstable();
	for axis in new {
		shape.insert(axis.min(shape.len()), 1);
	}
	Ok(vec![Value::Node(call.reshape(x, &shape)?)])
}

fn transpose(call: &mut Call) -> Result<Vec<Value>, String> {
	let x = call.operand(0)?;
	let rank = call.shape(x).len();
	let reversed = (0..rank as i64).rev().collect();
	let permutation: Vec<usize> =
		call.ints("perm").unwrap_or(reversed).iter().map(|axis| *axis as usize).collect();
	let mut sorted = permutation.clone();
	sorted.sort_unstable();
	if sorted != (0..rank).collect::<Vec<_>>() {
		return Err("not a permutation".into());
	}
	Ok(vec![Value::Node(call.transpose(x, &permutation))])
}

/// Places counted from the end if they are negative, limited to `low..=high`.
fn place(at: i64, extent: i64, low: i64, high: i64) -> i64 {
	(if at < 0 { at.saturating_add(extent) } else { at }).clamp(low, high)
}

fn slice(call: &mut Call) -> Result<Vec<Value>, String> {
	let x = call.operand(0)?;
	let mut shape = call.shape(x);
	let rank = shape.len();
	let starts = call.whole(1)?.or(call.ints("starts")).ok_or("no starts")?;
	let ends = call.whole(2)?.or(call.ints("ends")).ok_or("no ends")?;
	let all = (0..starts.len() as i64).collect();
	let axes = call.whole(3)?.or(call.ints("axes")).unwrap_or(all);
	let steps = call.whole(4)?.unwrap_or(vec![1; starts.len()]);
	if steps.iter().any(|step| step.abs() != 1) {
		return Err("steps other than 1 and -1".into());
	}
	let mut from = vec![0; rank];
	let mut reversed = Vec::new();
	for (((axis, start), end), step) in axes.iter().zip(&starts).zip(&ends).zip(&steps) {
		let axis = call.axis(*axis, rank)?;
		let extent = shape[axis] as i64;
		let (start, end) = if *step > 0 {
			(place(*start, extent, 0, extent), place(*end, extent, 0, extent))
		} else {
			reversed.push(axis);
			// Backwards from `start` to the one behind `end`.
			let (last, before) =
				(place(*start, extent, -1, extent - 1), place(*end, extent, -1, extent - 1));
			(before + 1, last + 1)
		};
		if start >= end {
			return Err("an empty slice".into());
		}
		from[axis] = start as usize;
		shape[axis] = (end - start) as usize;
	}
	let mut result = call.part(x, from, shape.clone());
	for axis in reversed {
		result = call.push(Op::Reverse { axis }, vec![result], shape.clone());
	}
	Ok(vec![Value::Node(result)])
}

/// What lies in front of an axis or behind it.
enum Border {
	/// The same number everywhere.
	Filled(f32),
	/// The elements from the second on, mirrored at the edge.
	Mirror,
}

fn pad(call: &mut Call) -> Result<Vec<Value>, String> {
	let mut x = call.operand(0)?;
	let rank = call.shape(x).len();
	let pads = call.whole(1)?.or(call.ints("pads")).ok_or("no pads")?;
	let all = (0..rank as i64).collect();
	let axes = call.whole(3)?.unwrap_or(all);
	if pads.len() != axes.len() * 2 {
		return Err(format!("{} pads for {} axes", pads.len(), axes.len()));
	}
	let border = match call.word("mode").as_str() {
		"" | "constant" if call.has(2) => {
			Border::Filled(call.constant(2)?.scalar().ok_or("one number must fill")?)
		}
		"" | "constant" => Border::Filled(call.float("value", 0.0) as f32),
		"reflect" => Border::Mirror,
		other => return Err(format!("mode {other}")),
	};
	for (place, axis) in axes.iter().enumerate() {
		let axis = call.axis(*axis, rank)?;
		x = padded(call, x, axis, [pads[place], pads[place + axes.len()]], &border)?;
	}
	Ok(vec![Value::Node(x)])
}

/// `x` with so many elements more in front of an axis and behind it, or less.
fn padded(
	call: &mut Call,
	mut x: NodeId,
	axis: usize,
	pads: [i64; 2],
	border: &Border,
) -> Result<NodeId, String> {
	let [before, behind] = pads;
	let mut shape = call.shape(x);
	let cut = |pad: i64| usize::try_from(pad.saturating_neg()).unwrap_or(0);
	if before < 0 || behind < 0 {
		let mut start = vec![0; shape.len()];
		start[axis] = cut(before);
		let left = shape[axis].checked_sub(cut(before).saturating_add(cut(behind)));
		shape[axis] = left.filter(|left| *left > 0).ok_or("nothing is left")?;
		x = call.part(x, start, shape.clone());
	}
	let mut parts = vec![x];
	for (pad, first) in [(before, true), (behind, false)] {
		let Some(pad) = usize::try_from(pad).ok().filter(|pad| *pad > 0) else { continue };
		let mut size = shape.clone();
		size[axis] = pad;
		let part = match border {
			Border::Filled(value) => {
				call.limit(&size)?;
				call.push(Op::Constant(Tensor::filled(&size, *value)), vec![], size)
			}
			Border::Mirror => {
				let mut start = vec![0; shape.len()];
				let inner = shape[axis].checked_sub(pad + 1).ok_or("more than can be mirrored")?;
				start[axis] = if first { 1 } else { inner };
				let part = call.part(x, start, size.clone());
				call.push(Op::Reverse { axis }, vec![part], size)
			}
		};
		parts.insert(if first { 0 } else { parts.len() }, part);
	}
	if parts.len() == 1 {
		return Ok(x);
	}
	shape[axis] = parts.iter().map(|part| call.shape(*part)[axis]).sum();
	Ok(call.push(Op::Concat { axis }, parts, shape))
}

fn split(call: &mut Call) -> Result<Vec<Value>, String> {
	let x = call.operand(0)?;
	let from = call.shape(x);
	let axis = call.axis(call.int("axis", 0), from.len())?;
	let parts = call.node.output.len();
	let even = vec![from[axis].div_ceil(parts.max(1)) as i64; parts];
	let sizes = call.whole(1)?.or(call.ints("split")).unwrap_or(even);
	let mut start = 0;
	let mut results = Vec::with_capacity(parts);
	for size in sizes {
		let mut shape = from.clone();
		shape[axis] = (size.max(0) as usize).min(from[axis] - start);
		let mut corner = vec![0; from.len()];
		corner[axis] = start;
		start += shape[axis];
		results.push(Value::Node(call.push(Op::Slice { start: corner }, vec![x], shape)));
	}
	Ok(results)
}

fn concat(call: &mut Call) -> Result<Vec<Value>, String> {
	let parts = (0..call.inputs.len()).map(|place| call.operand(place));
	let parts = parts.collect::<Result<Vec<_>, _>>()?;
	let first = parts.first().ok_or("no operands")?;
	let mut shape = call.shape(*first);
	let axis = call.axis(call.int("axis", 0), shape.len())?;
	shape[axis] = parts.iter().map(|part| call.shape(*part)[axis]).sum();
	Ok(vec![Value::Node(call.push(Op::Concat { axis }, parts, shape))])
}
