// SPDX-License-Identifier: Apache-2.0

//! Reading ONNX: parsing and the floating-point reference, by `tract`.

use crate::{
	error::CompileError,
	graph::Graph,
	import,
	ports::{arrange, Arranged, Ports},
	simplify::simplify,
};
use std::{
	panic::{catch_unwind, AssertUnwindSafe},
	path::Path,
	sync::Arc,
};
use tract_onnx::{pb, prelude::*};

/// An ONNX model with one input of data and one result, at batch size 1.
pub struct OnnxModel {
	graph: Graph,
	runnable: Arc<TypedRunnableModel>,
	ports: Arranged,
}

impl OnnxModel {
	/// Reads a model. Axes of the input without a fixed extent become 1.
	pub fn load(path: impl AsRef<Path>) -> Result<Self, CompileError> {
		Self::load_with(path, &Ports::default())
	}

	/// Reads a model for an input of `shape`; see [`Ports::shape`].
	pub fn load_for(path: impl AsRef<Path>, shape: &[usize]) -> Result<Self, CompileError> {
		Self::load_with(path, &Ports { shape: shape.to_vec(), ..Ports::default() })
	}

	/// Reads a model whose inputs and outputs are used as `ports` says.
	pub fn load_with(path: impl AsRef<Path>, ports: &Ports) -> Result<Self, CompileError> {
		Self::parse_with(&std::fs::read(path)?, ports)
	}

	/// Reads a model from its bytes, for an input of `shape`; see [`Ports::shape`].
	///
	/// Errors: as [`parse_with`](Self::parse_with).
	pub fn parse(bytes: &[u8], shape: &[usize]) -> Result<Self, CompileError> {
		Self::parse_with(bytes, &Ports { shape: shape.to_vec(), ..Ports::default() })
	}

	/// Reads a model from its bytes. They may come from anywhere: what cannot be read is refused.
	///
	/// Errors: [`CompileError::Onnx`] if it cannot be read, or its inputs and outputs cannot be used as
	/// `ports` says; [`CompileError::Unsupported`] with every node that is not understood.
	pub fn parse_with(bytes: &[u8], ports: &Ports) -> Result<Self, CompileError> {
		guarded(|| Self::read(bytes, ports))
	}

	fn read(bytes: &[u8], ports: &Ports) -> Result<Self, CompileError> {
		let onnx = tract_onnx::onnx();
		let mut proto = onnx.proto_model_for_read(&mut &bytes[..]).map_err(failed)?;
		let graph = proto.graph.as_mut();
		let graph = graph.ok_or_else(|| CompileError::Onnx("it has no graph".into()))?;
		let ports = arrange(graph, ports)?;
		let import::Imported { mut graph, straight } = import::graph(&proto, &ports)?;
		simplify(&mut graph);
		if let Some(straight) = straight {
			proto.graph = Some(straight);
		}
		let runnable = runnable(&proto, &ports).map_err(failed)?;
		Ok(Self { graph, runnable, ports })
	}

	/// The shape of the input.
	pub fn input_shape(&self) -> &[usize] {
		&self.ports.input
	}

	/// The model as operators that can be compiled.
	pub fn graph(&self) -> &Graph {
		&self.graph
	}

	/// Whether something is carried from one iteration to the next: a sample is then a sequence.
	pub fn is_loop(&self) -> bool {
		self.graph.is_loop()
	}

	/// Runs the model in floating point: the output for one sample, row-major; of a sequence the outputs of all
	/// iterations one behind the other.
	pub fn run(&self, sample: &[f32]) -> Result<Vec<f32>, CompileError> {
		guarded(|| self.iterate(sample).map_err(failed))
	}

	fn iterate(&self, sample: &[f32]) -> TractResult<Vec<f32>> {
		let zeros = |shape: &Vec<usize>| {
			let count = shape.iter().product();
			Ok(Tensor::from_shape(shape, &vec![0f32; count])?.into_tvalue())
		};
		let mut states: TVec<TValue> =
			self.ports.states.iter().map(zeros).collect::<TractResult<_>>()?;
		let mut all = Vec::new();
		for input in sample.chunks(self.graph.input_elements().max(1)) {
			let tensor = if self.ports.tokens() {
				let tokens: Vec<i32> = input.iter().map(|x| *x as i32).collect();
				Tensor::from_shape(&self.ports.input, &tokens)?
			} else {
				Tensor::from_shape(&self.ports.input, input)?
			};
			let tensor = tensor.cast_to_dt(self.ports.datum)?.into_owned();
			let inputs = std::iter::once(tensor.into_tvalue()).chain(states);
			let mut outputs = self.runnable.run(inputs.collect())?.into_iter();
			let output = outputs.next().ok_or_else(|| TractError::msg("it gives no output"))?;
			let output = output.cast_to::<f32>()?;
			all.extend(output.to_plain_array_view::<f32>()?.iter());
			states = outputs.collect();
		}
		Ok(all)
	}
}

fn runnable(proto: &pb::ModelProto, ports: &Arranged) -> TractResult<Arc<TypedRunnableModel>> {
	let mut model = tract_onnx::onnx().model_for_proto_model(proto)?;
	for (place, shape) in ports.shapes().enumerate() {
		let datum = if place == 0 { ports.datum } else { DatumType::F32 };
		model.set_input_fact(place, InferenceFact::dt_shape(datum, shape))?;
		model.set_output_fact(place, InferenceFact::default())?;
	}
	model.into_typed()?.into_optimized()?.into_runnable()
}

/// Turns a panic of the parser or of the reference into an error: a file may hold anything.
fn guarded<T>(f: impl FnOnce() -> Result<T, CompileError>) -> Result<T, CompileError> {
	catch_unwind(AssertUnwindSafe(f)).unwrap_or_else(|panic| {
		let text = panic.downcast_ref::<&str>().map(|text| text.to_string());
		let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
		let text = text.unwrap_or_else(|| "without a message".into());
		Err(CompileError::Onnx(format!("the parser gave up: {text}")))
	})
}

fn failed(error: TractError) -> CompileError {
	CompileError::Onnx(format!("{error:#}"))
}
