// SPDX-License-Identifier: Apache-2.0

//! Operators that are never computed, even where all their operands are constants: branches, and questions about
//! shapes.

use super::{fold, Call, Handler, Value};
use tract_onnx::pb;

pub const OPERATORS: &[(&str, Handler)] = &[("If", branch), ("Shape", shape_of), ("Size", size_of)];

fn shape(call: &mut Call) -> Result<Vec<i64>, String> {
	if let Some(Some(Value::Constant(tensor))) = call.inputs.first() {
		return Ok(tensor.dims.clone());
	}
	let x = call.operand(0)?;
	Ok(call.shape(x).iter().map(|extent| *extent as i64).collect())
}

fn shape_of(call: &mut Call) -> Result<Vec<Value>, String> {
	let shape = shape(call)?;
	let rank = shape.len() as i64;
	let place = |place: i64| {
		let counted = if place < 0 { place.saturating_add(rank) } else { place };
		counted.clamp(0, rank) as usize
	};
	let (start, end) = (place(call.int("start", 0)), place(call.int("end", rank)));
	Ok(vec![fold::integers(shape.get(start..end).unwrap_or_default())])
}

fn size_of(call: &mut Call) -> Result<Vec<Value>, String> {
	let shape = shape(call)?;
	let size = shape.iter().try_fold(1i64, |size, extent| size.checked_mul(*extent));
	Ok(vec![fold::number(size.ok_or("more elements than can be counted")?)])
}

/// The branch that the condition, which must be constant, takes. Its nodes see all that is around them.
fn branch(call: &mut Call) -> Result<Vec<Value>, String> {
	let condition = call.whole(0)?.ok_or("no condition")?;
	let [condition] = condition[..] else { return Err("a condition of several elements".into()) };
	let name = if condition != 0 { "then_branch" } else { "else_branch" };
	let node = call.node;
	let taken = node.attribute.iter().find(|attribute| attribute.name == name);
	let taken = taken.and_then(|attribute| attribute.g.as_ref()).ok_or("a branch is missing")?;
	let import = &mut *call.import;
	import.branched = true;
	import.initializers(taken);
	import.nodes(&taken.node);
	let mut results = Vec::with_capacity(taken.output.len());
	for (result, output) in taken.output.iter().zip(&node.output) {
		let value = import.values.get(&result.name).cloned();
		let value = value.ok_or_else(|| format!("nothing computes {}", result.name))?;
		if matches!(value, Value::Node(_)) {
			import.computing.push(pb::NodeProto {
				op_type: "Identity".into(),
				input: vec![result.name.clone()],
				output: vec![output.clone()],
				..Default::default()
			});
		}
		results.push(value);
	}
	Ok(results)
}
