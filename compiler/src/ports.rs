// SPDX-License-Identifier: Apache-2.0

//! What the inputs and outputs of a model are for: one input is the data, one output the result; other inputs are
//! either always the same, or carried: an output of one iteration is the input of the next.

use crate::{error::CompileError, import::MOST_ELEMENTS};
use tract_onnx::{
	pb::{self, tensor_proto::DataType},
	prelude::DatumType,
};

/// What cannot be read from the model. The default fits a model with one input and one output of known extents, and
/// one whose other inputs have outputs of like names.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Ports {
	/// The extents that the data leaves open; where it has no entry, they become 1.
	pub shape: Vec<usize>,
	/// Inputs that are always the same: name, and one number for each element or one for all.
	pub fixed: Vec<(String, Vec<f64>)>,
	/// Inputs that are an output of the iteration before, and zeros in the first: input, output. Those of like
	/// names and shapes (`state` and `stateN`, `h0` and `hn`) are found without.
	pub carried: Vec<(String, String)>,
	/// The output that is the result, where there are more than one besides those carried.
	pub output: Option<String>,
}

/// The ports of a model whose graph has been rearranged: its inputs are the data and the states, its outputs the
/// result and what each state becomes.
pub struct Arranged {
	/// Shape of the data.
	pub input: Vec<usize>,
	/// Element type of the data.
	pub datum: DatumType,
	/// Shape of each state.
	pub states: Vec<Vec<usize>>,
}

impl Arranged {
	/// Shapes of all inputs.
	pub fn shapes(&self) -> impl Iterator<Item = &[usize]> {
		std::iter::once(self.input.as_slice()).chain(self.states.iter().map(Vec::as_slice))
	}

	/// Whether the data holds indices.
	pub fn tokens(&self) -> bool {
		self.datum.is_integer()
	}
}

/// Rearranges the inputs and outputs of a model as `ports` says.
///
/// Errors: [`CompileError::Onnx`] if a name is not there, or more than one input or output is left.
pub fn arrange(graph: &mut pb::GraphProto, ports: &Ports) -> Result<Arranged, CompileError> {
	// Older models name weights among the inputs.
	let given: Vec<String> = graph.initializer.iter().map(|tensor| tensor.name.clone()).collect();
	graph.input.retain(|input| !given.contains(&input.name));
	for (name, values) in &ports.fixed {
		let input = take(&mut graph.input, name)?;
		graph.initializer.push(constant(&input, values)?);
	}
	let mut carried = Vec::new();
	for (input, output) in &ports.carried {
		let input = take(&mut graph.input, input)?;
		let found = graph.output.iter().find(|value| value.name == *output);
		let found = found.ok_or_else(|| refused(format!("it has no output {output}")))?;
		carried.push((input, found.clone()));
	}
	while graph.input.len() > 1 {
		let Some((input, output)) = alike(&graph.input, &graph.output, &carried) else { break };
		carried.push((graph.input.remove(input), graph.output[output].clone()));
	}
	let names = |values: &[pb::ValueInfoProto]| {
		values.iter().map(|value| value.name.as_str()).collect::<Vec<_>>().join(", ")
	};
	let [input] = graph.input.as_slice() else {
		let (count, names) = (graph.input.len(), names(&graph.input));
		return Err(refused(format!(
			"{count} inputs are left ({names}): all but one must be fixed, or carried from an output"
		)));
	};
	let free: Vec<&pb::ValueInfoProto> = match &ports.output {
		Some(name) => graph.output.iter().filter(|output| output.name == *name).collect(),
		None => {
			let is_carried = |output: &pb::ValueInfoProto| {
				carried.iter().any(|(_, carried)| carried.name == output.name)
			};
			graph.output.iter().filter(|output| !is_carried(output)).collect()
		}
	};
	let [output] = free[..] else {
		let (count, names) = (free.len(), names(&graph.output));
		return Err(refused(format!(
			"{count} outputs can be the result, of {names}: one must be named"
		)));
	};
	let (shape, datum) = declared(input, &ports.shape)?;
	let mut states = Vec::with_capacity(carried.len());
	for (state, _) in &carried {
		let (shape, datum) = declared(state, &[])?;
		if !datum.is_float() {
			return Err(refused(format!("input {} is not a tensor of real numbers", state.name)));
		}
		states.push(shape);
	}
	let (inputs, outputs): (Vec<_>, Vec<_>) = carried.into_iter().unzip();
	graph.output = std::iter::once(output.clone()).chain(outputs).collect();
	graph.input.extend(inputs);
	Ok(Arranged { input: shape, datum, states })
}

fn take(
	inputs: &mut Vec<pb::ValueInfoProto>,
	name: &str,
) -> Result<pb::ValueInfoProto, CompileError> {
	let place = inputs.iter().position(|input| input.name == name);
	place
		.map(|place| inputs.remove(place))
		.ok_or_else(|| refused(format!("it has no input {name}")))
}

/// The first input for which there is an output of a like name and shape, and that output.
fn alike(
	inputs: &[pb::ValueInfoProto],
	outputs: &[pb::ValueInfoProto],
	carried: &[(pb::ValueInfoProto, pb::ValueInfoProto)],
) -> Option<(usize, usize)> {
	let taken = |output: &pb::ValueInfoProto| carried.iter().any(|(_, o)| o.name == output.name);
	let fits = |a: &pb::ValueInfoProto, b: &pb::ValueInfoProto| {
		let (a, b) = (extents(a), extents(b));
		let open = |pair: (&Option<usize>, &Option<usize>)| match pair {
			(Some(a), Some(b)) => a == b,
			_ => true,
		};
		a.len() == b.len() && a.iter().zip(&b).all(open)
	};
	inputs.iter().enumerate().find_map(|(input, a)| {
		let mut candidates = outputs.iter().enumerate().filter(|(_, b)| !taken(b));
		let found = candidates.find(|(_, b)| follows(&a.name, &b.name) && fits(a, b));
		found.map(|(output, _)| (input, output))
	})
}

/// Whether an output's name says that it is the next value of an input.
fn follows(input: &str, output: &str) -> bool {
	const BEFORE: [&str; 6] = ["", "_in", "_prev", "_0", "0", "in"];
	const AFTER: [&str; 9] = ["n", "_n", "_out", "out", "_next", "next", "_new", "_1", "1"];
	let (input, output) = (input.to_lowercase(), output.to_lowercase());
	let stems = BEFORE.iter().filter_map(|end| input.strip_suffix(end));
	stems.filter(|stem| !stem.is_empty()).any(|stem| {
		let end = output.strip_prefix(stem);
		end.is_some_and(|end| AFTER.contains(&end))
	})
}

/// The fixed extents of an input or output.
fn extents(value: &pb::ValueInfoProto) -> Vec<Option<usize>> {
	use pb::tensor_shape_proto::dimension::Value::DimValue;
	let axes = tensor(value).and_then(|tensor| tensor.shape.as_ref());
	let extent = |dim: &pb::tensor_shape_proto::Dimension| match &dim.value {
		Some(DimValue(extent)) if *extent > 0 => usize::try_from(*extent).ok(),
		_ => None,
	};
	axes.map_or(Vec::new(), |axes| axes.dim.iter().map(extent).collect())
}

fn tensor(value: &pb::ValueInfoProto) -> Option<&pb::type_proto::Tensor> {
	let pb::type_proto::Value::TensorType(tensor) = value.r#type.as_ref()?.value.as_ref()?;
	Some(tensor)
}

/// Shape and element type of an input.
fn declared(
	input: &pb::ValueInfoProto,
	shape: &[usize],
) -> Result<(Vec<usize>, DatumType), CompileError> {
	let name = &input.name;
	let tensor = tensor(input).ok_or_else(|| refused(format!("input {name} is no tensor")))?;
	let datum = DataType::try_from(tensor.elem_type)
		.ok()
		.and_then(|datum| DatumType::try_from(datum).ok())
		.ok_or_else(|| refused(format!("input {name} has an unknown element type")))?;
	let axes = extents(input);
	if axes.is_empty() || (!shape.is_empty() && shape.len() != axes.len()) {
		let (axes, given) = (axes.len(), shape.len());
		return Err(refused(format!("input {name} has {axes} axes; a shape of {given} was given")));
	}
	let mut result = Vec::with_capacity(axes.len());
	for (axis, fixed) in axes.into_iter().enumerate() {
		let wanted = shape.get(axis).copied();
		if let (Some(fixed), Some(wanted)) = (fixed, wanted) {
			if fixed != wanted {
				return Err(refused(format!(
					"axis {axis} of input {name} is {fixed}, not {wanted}"
				)));
			}
		}
		result.push(fixed.or(wanted).unwrap_or(1).max(1));
	}
	let count = result.iter().try_fold(1usize, |count, extent| count.checked_mul(*extent));
	if count.is_none_or(|count| count > MOST_ELEMENTS) {
		return Err(refused(format!("input {name} has more than {MOST_ELEMENTS} elements")));
	}
	Ok((result, datum))
}

/// The most elements of an input that is always the same.
const MOST_FIXED: usize = 1 << 24;

/// An input that is always the same, as a constant.
fn constant(input: &pb::ValueInfoProto, values: &[f64]) -> Result<pb::TensorProto, CompileError> {
	let name = &input.name;
	let shape: Vec<usize> = extents(input).iter().map(|extent| extent.unwrap_or(1)).collect();
	let count = shape.iter().try_fold(1usize, |count, extent| count.checked_mul(*extent));
	let count = count.filter(|count| *count <= MOST_FIXED);
	let count = count.ok_or_else(|| refused(format!("input {name} has too many elements")))?;
	let all = match values {
		[one] => vec![*one; count],
		values if values.len() == count => values.to_vec(),
		values => {
			let given = values.len();
			return Err(refused(format!("input {name} has {count} elements; {given} were given")));
		}
	};
	let datum = tensor(input).and_then(|tensor| DataType::try_from(tensor.elem_type).ok());
	let raw_data: Vec<u8> = match datum {
		Some(DataType::Float) => all.iter().flat_map(|x| (*x as f32).to_le_bytes()).collect(),
		Some(DataType::Double) => all.iter().flat_map(|x| x.to_le_bytes()).collect(),
		Some(DataType::Int32) => all.iter().flat_map(|x| (*x as i32).to_le_bytes()).collect(),
		Some(DataType::Int64) => all.iter().flat_map(|x| (*x as i64).to_le_bytes()).collect(),
		Some(DataType::Bool) => all.iter().map(|x| u8::from(*x != 0.0)).collect(),
		_ => return Err(refused(format!("input {name} is of a type that cannot be fixed"))),
	};
	Ok(pb::TensorProto {
		name: name.clone(),
		dims: shape.iter().map(|extent| *extent as i64).collect(),
		data_type: datum.unwrap_or(DataType::Undefined) as i32,
		raw_data,
		..Default::default()
	})
}

fn refused(reason: String) -> CompileError {
	CompileError::Onnx(reason)
}

#[cfg(test)]
mod tests {
	use super::*;

	fn value(name: &str, shape: &[i64]) -> pb::ValueInfoProto {
		use pb::tensor_shape_proto::{dimension::Value::DimValue, Dimension};
		let dim = |extent: &i64| Dimension {
			value: (*extent > 0).then_some(DimValue(*extent)),
			..Default::default()
		};
		let shape = pb::TensorShapeProto { dim: shape.iter().map(dim).collect() };
		let tensor =
			pb::type_proto::Tensor { elem_type: DataType::Float as i32, shape: Some(shape) };
		let tensor = Some(pb::type_proto::Value::TensorType(tensor));
		let r#type = Some(pb::TypeProto { value: tensor, ..Default::default() });
		pb::ValueInfoProto { name: name.into(), r#type, ..Default::default() }
	}

	fn graph(inputs: &[(&str, &[i64])], outputs: &[(&str, &[i64])]) -> pb::GraphProto {
		pb::GraphProto {
			input: inputs.iter().map(|(name, shape)| value(name, shape)).collect(),
			output: outputs.iter().map(|(name, shape)| value(name, shape)).collect(),
			..Default::default()
		}
	}

	fn names(values: &[pb::ValueInfoProto]) -> Vec<&str> {
		values.iter().map(|value| value.name.as_str()).collect()
	}

	#[test]
	fn an_output_of_a_like_name_and_shape_is_carried() {
		for (input, output) in
			[("state", "stateN"), ("h0", "hn"), ("h_in", "h_out"), ("cell", "cell_next")]
		{
			assert!(follows(input, output), "{input} {output}");
			assert!(!follows(output, input), "{input} {output}");
		}
		for (input, output) in [("in", "out"), ("x", "y"), ("a", "a"), ("h0", "cn")] {
			assert!(!follows(input, output), "{input} {output}");
		}
		let mut model = graph(
			&[("state", &[2, 0, 8]), ("x", &[1, 4])],
			&[("stateN", &[0, 1, 8]), ("y", &[1, 1])],
		);
		let arranged = arrange(&mut model, &Ports::default()).unwrap();
		assert_eq!(names(&model.input), ["x", "state"]);
		assert_eq!(names(&model.output), ["y", "stateN"]);
		assert_eq!(arranged.states, [vec![2, 1, 8]]);
		let mut other = graph(&[("h", &[1, 8]), ("x", &[1])], &[("hn", &[1, 9]), ("y", &[1])]);
		assert!(arrange(&mut other, &Ports::default()).is_err());
	}

	#[test]
	fn what_is_left_over_is_named() {
		let parts: (&[(&str, &[i64])], &[(&str, &[i64])]) =
			(&[("x", &[1]), ("rate", &[1])], &[("y", &[1]), ("z", &[1])]);
		let error = |ports: &Ports| arrange(&mut graph(parts.0, parts.1), ports).err().unwrap();
		let text = error(&Ports::default()).to_string();
		assert!(text.contains("x, rate"), "{text}");
		let mut ports = Ports { fixed: vec![("rate".into(), vec![2.0])], ..Ports::default() };
		let text = error(&ports).to_string();
		assert!(text.contains("y, z"), "{text}");
		ports.output = Some("z".into());
		let mut model = graph(parts.0, parts.1);
		assert!(arrange(&mut model, &ports).is_ok());
		assert_eq!((names(&model.input), names(&model.output)), (vec!["x"], vec!["z"]));
		assert_eq!(model.initializer[0].raw_data, 2f32.to_le_bytes());
		ports.fixed[0].0 = "speed".into();
		assert!(error(&ports).to_string().contains("speed"));
		ports.fixed[0] = ("rate".into(), vec![1.0, 2.0]);
		assert!(error(&ports).to_string().contains("1 elements; 2 were given"));
	}
}
