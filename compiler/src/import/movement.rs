// SPDX-License-Identifier: Apache-2.0

//! Operators that move elements, and shapes.

use super::{fold, Call, Handler, Value};
use crate::graph::Op;

pub const OPERATORS: &[(&str, Handler)] = &[
	("Concat", concat),
	("Flatten", flatten),
	("Reshape", reshape),
	("Shape", shape_of),
	("Slice", slice),
	("Split", split),
	("Squeeze", squeeze),
	("Transpose", transpose),
	("Unsqueeze", unsqueeze),
];

fn shape_of(call: &mut Call) -> Result<Vec<Value>, String> {
	let x = call.operand(0)?;
	let shape: Vec<i64> = call.shape(x).iter().map(|extent| *extent as i64).collect();
	let rank = shape.len() as i64;
	let place = |place: i64| (if place < 0 { place + rank } else { place }).clamp(0, rank) as usize;
	let (start, end) = (place(call.int("start", 0)), place(call.int("end", rank)));
	Ok(vec![fold::integers(shape.get(start..end).unwrap_or_default())])
}

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

fn slice(call: &mut Call) -> Result<Vec<Value>, String> {
	let x = call.operand(0)?;
	let mut shape = call.shape(x);
	let rank = shape.len();
	let starts = call.whole(1)?.or(call.ints("starts")).ok_or("no starts")?;
	let ends = call.whole(2)?.or(call.ints("ends")).ok_or("no ends")?;
	let all = (0..starts.len() as i64).collect();
	let axes = call.whole(3)?.or(call.ints("axes")).unwrap_or(all);
	let steps = call.whole(4)?.unwrap_or(vec![1; starts.len()]);
	if steps.iter().any(|step| *step != 1) {
		return Err("steps other than 1".into());
	}
	let mut from = vec![0; rank];
	for ((axis, start), end) in axes.iter().zip(&starts).zip(&ends) {
		let axis = call.axis(*axis, rank)?;
		let extent = shape[axis] as i64;
		let place =
			|at: i64| (if at < 0 { at.saturating_add(extent) } else { at }).clamp(0, extent);
		let (start, end) = (place(*start), place(*end));
		if start >= end {
			return Err("an empty slice".into());
		}
		from[axis] = start as usize;
		shape[axis] = (end - start) as usize;
	}
	if shape == call.shape(x) {
		return Ok(vec![Value::Node(x)]);
	}
	Ok(vec![Value::Node(call.push(Op::Slice { start: from }, vec![x], shape))])
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
