// SPDX-License-Identifier: Apache-2.0

//! A compiled model: the program, the blobs it names, and a card that says what its numbers mean.

use crate::{error::CompileError, exact, quantise::Quant};
use serde::{Deserialize, Serialize};
use std::{fs, path::Path, sync::Arc};
use tensornet_tensor::{
	read_element, run_job, write_element, CheckedProgram, ConstantData, CpuExecutor, DType,
	Executor, TensorType,
};

/// What one tensor of a program means.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TensorCard {
	/// `i8`, `i16` or `i32`.
	pub dtype: String,
	/// Extent of each axis, outermost first; stored row-major, little endian.
	pub shape: Vec<u32>,
	/// The real value of a step from one integer to the next; 1 for tokens.
	pub unit: f64,
	/// The integer that stands for 0.
	#[serde(default)]
	pub zero: i32,
	/// What a person should know.
	pub description: String,
}

/// A blob that a program names.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BlobCard {
	/// BLAKE3 root, in hexadecimal.
	pub root: String,
	/// Length.
	pub bytes: u64,
}

/// What a person or a client needs to use a program: `card.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ModelCard {
	/// Name of the model.
	pub name: String,
	/// Identity of the program, in hexadecimal.
	pub program_id: String,
	/// The name of each element of the output; empty if they have none.
	pub labels: Vec<String>,
	/// The input.
	pub input: TensorCard,
	/// The output: one logit for each label. Where the program can run more than once, one row for each
	/// iteration, that of the last at the end.
	pub output: TensorCard,
	/// The most iterations of one job; each reads an input of its own.
	#[serde(default = "once", skip_serializing_if = "is_once")]
	pub iterations: u32,
	/// What is carried from one iteration to the next. All of it is 0 at first.
	#[serde(default, skip_serializing_if = "Vec::is_empty")]
	pub states: Vec<TensorCard>,
	/// The blobs, in the order in which the program first names them.
	pub constants: Vec<BlobCard>,
	/// Multiply-accumulates of one inference.
	pub macs: u64,
}

fn once() -> u32 {
	1
}

fn is_once(iterations: &u32) -> bool {
	*iterations == 1
}

/// What the output says.
#[derive(Clone, Debug, PartialEq)]
pub struct Prediction {
	/// Place of the largest logit; the first of equal ones.
	pub index: usize,
	/// Its label; empty if the model has none.
	pub label: String,
	/// Its softmax probability.
	pub score: f64,
}

/// A compiled model.
#[derive(Clone, Debug)]
pub struct Package {
	/// The program.
	pub program: Arc<CheckedProgram>,
	/// The blobs it names: BLAKE3 root and bytes, without duplicates.
	pub constants: Vec<([u8; 32], Arc<[u8]>)>,
	/// What the numbers mean.
	pub card: ModelCard,
}

impl ModelCard {
	/// The stored bytes of the input for one sample in real values (or whole numbers for tokens),
	/// row-major; of a sequence for all its iterations. Values outside the range of the element type are
	/// limited.
	pub fn encode_input(&self, sample: &[f32]) -> Result<Vec<u8>, CompileError> {
		let (dtype, _) = self.input.parse()?;
		self.iterations_of(sample)?;
		let mut bytes = vec![0; sample.len() * dtype.size() as usize];
		for (index, value) in sample.iter().enumerate() {
			let units = (*value as f64 / self.input.unit).round() as i64;
			let value = dtype.saturate(units.saturating_add(self.input.zero as i64));
			write_element(dtype, &mut bytes, index as u64, value)
				.ok_or_else(|| CompileError::Package("input".into()))?;
		}
		Ok(bytes)
	}

	/// The number of iterations that a sample is the input of.
	///
	/// Errors: if it has not as many elements as that many inputs, or the program cannot run so often.
	pub fn iterations_of(&self, sample: &[f32]) -> Result<u32, CompileError> {
		let (_, count) = self.input.parse()?;
		let found = sample.len();
		let times = u32::try_from(found / count.max(1)).unwrap_or(u32::MAX);
		if times == 0 || times > self.iterations || !found.is_multiple_of(count) {
			let most = match self.iterations {
				1 => String::new(),
				most => format!(" for each of 1 to {most} iterations"),
			};
			let reason = format!("input of {found} elements, not {count}{most}");
			return Err(CompileError::Package(reason));
		}
		Ok(times)
	}

	/// The bytes of each state before the first iteration.
	pub fn first_states(&self) -> Result<Vec<Vec<u8>>, CompileError> {
		let zeros = |state: &TensorCard| {
			let (dtype, count) = state.parse()?;
			Ok(vec![0; count * dtype.size() as usize])
		};
		self.states.iter().map(zeros).collect()
	}

	/// The real values of a stored output.
	pub fn decode_output(&self, bytes: &[u8]) -> Result<Vec<f64>, CompileError> {
		let (dtype, count) = self.output.parse()?;
		if bytes.len() != count * dtype.size() as usize {
			return Err(CompileError::Package(format!("output of {} bytes", bytes.len())));
		}
		let values = (0..count as u64).filter_map(|index| read_element(dtype, bytes, index));
		let zero = self.output.zero as f64;
		Ok(values.map(|value| (value as f64 - zero) * self.output.unit).collect())
	}

	/// Label and score of a stored output.
	pub fn predict(&self, output: &[u8]) -> Result<Prediction, CompileError> {
		Ok(self.rank(&self.decode_output(output)?))
	}

	/// Label and score of logits.
	pub fn rank(&self, logits: &[f64]) -> Prediction {
		let (index, top) = first_largest(logits);
		let sum: f64 = logits.iter().map(|logit| exact::exp(logit - top)).sum();
		let label = self.labels.get(index).cloned().unwrap_or_default();
		Prediction { index, label, score: 1.0 / sum }
	}
}

/// Place and value of the first largest element.
pub fn first_largest(values: &[f64]) -> (usize, f64) {
	let start = (0, f64::NEG_INFINITY);
	values.iter().enumerate().fold(
		start,
		|best, (index, value)| {
			if *value > best.1 {
				(index, *value)
			} else {
				best
			}
		},
	)
}

impl TensorCard {
	/// The card of a tensor type whose integers mean what `quant` says.
	pub(crate) fn of(ty: &TensorType, quant: &Quant, description: &str) -> Self {
		let dtype = match ty.dtype {
			DType::Bool => "bool",
			DType::I8 => "i8",
			DType::I16 => "i16",
			DType::I32 => "i32",
		};
		let shape = ty.shape.clone();
		let (unit, zero) = (quant.unit, quant.zero);
		Self { dtype: dtype.into(), shape, unit, zero, description: description.into() }
	}

	fn parse(&self) -> Result<(DType, usize), CompileError> {
		let dtype = match self.dtype.as_str() {
			"i8" => DType::I8,
			"i16" => DType::I16,
			"i32" => DType::I32,
			other => return Err(CompileError::Package(format!("element type {other}"))),
		};
		Ok((dtype, TensorType::new(dtype, self.shape.clone()).elements() as usize))
	}
}

impl Package {
	/// The bytes of each constant of the program, by number; empty for those inside the program. As
	/// executors take them.
	pub fn constant_bytes(&self) -> Result<Vec<Arc<[u8]>>, CompileError> {
		constant_bytes(&self.program, &self.constants)
	}

	/// An executor of the program on the cores of this machine.
	pub fn executor(&self) -> Result<CpuExecutor, CompileError> {
		CpuExecutor::new(self.program.clone(), self.constant_bytes()?).map_err(execution)
	}

	/// Runs a program without states once on a stored input and returns the stored output.
	pub fn run(&self, executor: &mut dyn Executor, input: &[u8]) -> Result<Vec<u8>, CompileError> {
		let checkpoints = executor.run_iteration(&[input], &[]).map_err(execution)?;
		self.output_of(checkpoints)
	}

	/// The result of each iteration of a job on a sample, in real values.
	pub fn run_all(
		&self,
		executor: &mut dyn Executor,
		sample: &[f32],
	) -> Result<Vec<Vec<f64>>, CompileError> {
		let iterations = self.card.iterations_of(sample)?;
		let input = self.card.encode_input(sample)?;
		let first = self.card.first_states()?;
		let states: Vec<&[u8]> = first.iter().map(Vec::as_slice).collect();
		let program = &self.program;
		let mut sink = |_, _: &[Vec<u8>]| Ok(());
		let outputs = run_job(executor, program, &[&input], &states, iterations, &mut sink);
		let output = outputs.map_err(execution)?.into_iter().next().unwrap_or_default();
		let values = self.card.decode_output(&output)?;
		let rows = values.chunks((values.len() / self.card.iterations.max(1) as usize).max(1));
		let old = rows.len().saturating_sub(iterations as usize);
		Ok(rows.skip(old).map(<[f64]>::to_vec).collect())
	}

	/// The output among all checkpoints of an iteration.
	pub fn output_of(&self, mut checkpoints: Vec<Vec<u8>>) -> Result<Vec<u8>, CompileError> {
		let output = self.program.program().outputs.first();
		let number = output.and_then(|value| self.program.checkpoint_of(*value));
		let number = number.map_or(usize::MAX, usize::from);
		if number < checkpoints.len() {
			Ok(checkpoints.swap_remove(number))
		} else {
			Err(CompileError::Package("the program has no output".into()))
		}
	}

	/// Writes `program.bin`, `card.json` and `constants/<root>` into a directory.
	pub fn save(&self, directory: impl AsRef<Path>) -> Result<(), CompileError> {
		let directory = directory.as_ref();
		fs::create_dir_all(directory.join("constants"))?;
		for (root, bytes) in &self.constants {
			write(&directory.join("constants").join(hex(root)), bytes)?;
		}
		let card = serde_json::to_vec_pretty(&self.card)
			.map_err(|error| CompileError::Package(error.to_string()))?;
		write(&directory.join("card.json"), &card)?;
		// Last, so that a directory with a program is complete.
		write(&directory.join("program.bin"), &self.program.encode())
	}

	/// Reads what [`save`](Self::save) wrote, and checks every hash.
	pub fn load(directory: impl AsRef<Path>) -> Result<Self, CompileError> {
		let directory = directory.as_ref();
		let program = CheckedProgram::decode(&fs::read(directory.join("program.bin"))?)?;
		let card: ModelCard = serde_json::from_slice(&fs::read(directory.join("card.json"))?)
			.map_err(|error| CompileError::Package(format!("card.json: {error}")))?;
		if card.program_id != hex(&program.id()) {
			return Err(CompileError::Package("card.json is of another program".into()));
		}
		let mut constants: Vec<([u8; 32], Arc<[u8]>)> = Vec::new();
		for constant in &program.program().constants {
			let ConstantData::Blob(root) = &constant.data else { continue };
			if constants.iter().any(|(known, _)| known == root) {
				continue;
			}
			let bytes = fs::read(directory.join("constants").join(hex(root)))?;
			if blake3::hash(&bytes).as_bytes() != root {
				return Err(CompileError::Package(format!("blob {} has another hash", hex(root))));
			}
			constants.push((*root, bytes.into()));
		}
		Ok(Self { program: Arc::new(program), constants, card })
	}
}

/// The bytes of each constant of a program, by number, from its blobs; empty for those inside it.
pub fn constant_bytes(
	program: &CheckedProgram,
	blobs: &[([u8; 32], Arc<[u8]>)],
) -> Result<Vec<Arc<[u8]>>, CompileError> {
	let of = |data: &ConstantData| match data {
		ConstantData::Inline(_) => Ok(Arc::from([])),
		ConstantData::Blob(root) => {
			let found = blobs.iter().find(|(known, _)| known == root);
			let missing = || CompileError::Package(format!("no blob {}", hex(root)));
			found.map(|(_, bytes)| bytes.clone()).ok_or_else(missing)
		}
	};
	program.program().constants.iter().map(|constant| of(&constant.data)).collect()
}

/// Writes a file whole or not at all.
fn write(path: &Path, bytes: &[u8]) -> Result<(), CompileError> {
	let partial = path.with_extension(format!("partial-{}", std::process::id()));
	fs::write(&partial, bytes)?;
	Ok(fs::rename(&partial, path)?)
}

fn execution(error: tensornet_tensor::ExecError) -> CompileError {
	CompileError::Execution(error.to_string())
}

/// Lower-case hexadecimal.
pub fn hex(bytes: &[u8]) -> String {
	bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
