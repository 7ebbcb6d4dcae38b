// SPDX-License-Identifier: Apache-2.0

//! From a file to a program: names become values, operators are converted one after the other.

use super::{
	file::{File, Operator, Tensor, Unreadable},
	flatbuffer::{Buffer, Damaged, Table},
	operator::name,
};
use crate::{
	emit::{innermost, Emit},
	error::{CompileError, Unsupported},
	package::constant_bytes,
};
use std::{
	collections::{HashMap, HashSet},
	sync::Arc,
};
use tensornet_tensor::{
	read_element, CheckedProgram, DType, Layout, Op, ProgramError, TensorType, ValueId,
};

/// Constants up to this size are part of the program: an arbiter then needs no opening for them.
const INLINE_BYTES: u64 = 1024;

/// All constants inside the program together take no more than this; the others become blobs.
const ALL_INLINE_BYTES: u64 = 64 * 1024;

/// After so many operators in a row a value is committed, well below what the format allows.
const COMMIT_DEPTH: u8 = 24;

/// A file as a program.
#[derive(Clone, Debug)]
pub struct Imported {
	/// The program. Inputs and outputs are row-major and in the order of the file.
	pub program: Arc<CheckedProgram>,
	/// The blobs it names: BLAKE3 root and bytes, without duplicates.
	pub constants: Vec<([u8; 32], Arc<[u8]>)>,
	/// Name and type of each input.
	pub inputs: Vec<(String, TensorType)>,
	/// Name and type of each output. A shape is a vector of I32.
	pub outputs: Vec<(String, TensorType)>,
}

impl Imported {
	/// The bytes of each constant of the program, by number; empty for those inside the program. As
	/// executors take them.
	pub fn constant_bytes(&self) -> Result<Vec<Arc<[u8]>>, CompileError> {
		constant_bytes(&self.program, &self.constants)
	}
}

/// Turns the bytes of a `.tosa` file into a program.
///
/// Errors: [`CompileError::Tosa`] if the file is damaged, of another major version, or more than one
/// block; [`CompileError::Unsupported`] with every operator and input that has no exact integer form
/// here; [`CompileError::Program`] if the whole does not fit the program format.
pub fn import(bytes: &[u8]) -> Result<Imported, CompileError> {
	let buffer = Buffer::new(bytes);
	let file = File::read(&buffer).map_err(|error| {
		CompileError::Tosa(match error {
			Unreadable::Damaged => "not a TOSA file, or a damaged one".into(),
			Unreadable::Foreign(what) => what,
		})
	})?;
	Importer::new(&file, bytes.len()).run()
}

/// What stands behind a name.
#[derive(Clone, Debug)]
pub enum Slot {
	/// A value of the program.
	Value(ValueId),
	/// A constant of the file, by number: it becomes a value where one is needed.
	Constant(usize),
	/// A shape.
	Shape(Vec<i64>),
	/// The operator that computes it is refused.
	Refused,
}

/// A constant of the file.
pub struct Constant {
	ty: TensorType,
	/// Its elements, row-major.
	pub elements: Vec<i32>,
	value: Option<ValueId>,
}

/// Why an operator is refused.
pub enum Refusal {
	/// An operand was refused before: only the cause is reported.
	Follows,
	/// For this reason.
	Because(String),
}

impl Refusal {
	/// A refusal for this reason.
	pub fn because(reason: impl Into<String>) -> Self {
		Self::Because(reason.into())
	}
}

impl From<ProgramError> for Refusal {
	fn from(error: ProgramError) -> Self {
		let reason = match error {
			ProgramError::OperandType { .. } => "its element types are not supported".into(),
			ProgramError::OperandShape { .. } => "its shapes do not fit or are too large".into(),
			ProgramError::OperandCount { .. } => "it has too few or too many operands".into(),
			ProgramError::Attribute { .. } => "an attribute is outside its range".into(),
			other => other.to_string(),
		};
		Self::Because(reason)
	}
}

impl From<Damaged> for Refusal {
	fn from(_: Damaged) -> Self {
		Self::because("its attributes are damaged")
	}
}

/// How far a value is from what is committed.
#[derive(Clone, Copy)]
struct Distance {
	operators: u8,
	/// Whether each element is one of a committed tensor, only elsewhere.
	is_moved: bool,
}

/// The program under construction.
pub struct Importer<'f, 'a, 'b> {
	file: &'f File<'a, 'b>,
	/// The values of the program.
	pub emit: Emit,
	slots: HashMap<&'a str, Slot>,
	constants: Vec<Constant>,
	nodes: HashSet<ValueId>,
	/// How many operators and outputs name each value of the file.
	uses: HashMap<&'a str, usize>,
	/// Nodes with more than one use: they are committed before they are read.
	shared: HashSet<ValueId>,
	/// Of nodes that are not committed.
	distances: HashMap<ValueId, Distance>,
	/// Committed nodes that are not stored row-major.
	turned: HashSet<ValueId>,
	inline_bytes: u64,
	/// Bytes of constants that the file can still hold: the same ones may be named many times, but are
	/// not copied so often.
	unread: usize,
}

impl<'f, 'a, 'b> Importer<'f, 'a, 'b> {
	fn new(file: &'f File<'a, 'b>, length: usize) -> Self {
		Self {
			file,
			emit: Emit::default(),
			slots: HashMap::new(),
			constants: Vec::new(),
			nodes: HashSet::new(),
			uses: HashMap::new(),
			shared: HashSet::new(),
			distances: HashMap::new(),
			turned: HashSet::new(),
			inline_bytes: 0,
			unread: length,
		}
	}

	fn run(mut self) -> Result<Imported, CompileError> {
		let file = self.file;
		let live = live(file);
		let readers = file.operators.iter().zip(&live).filter(|(_, is_live)| **is_live);
		for name in readers.flat_map(|(operator, _)| &operator.inputs).chain(&file.outputs) {
			*self.uses.entry(name).or_default() += 1;
		}
		let mut refused = Vec::new();
		let mut inputs = Vec::new();
		for input in &file.inputs {
			match self.input(input) {
				Ok(ty) => inputs.push((String::from(*input), ty)),
				Err(reason) => refuse(&mut refused, "graph input", input, reason),
			}
		}
		for (operator, is_live) in file.operators.iter().zip(live) {
			if is_live {
				self.operator(operator, &mut refused);
			}
		}
		let mut values = Vec::new();
		for output in &file.outputs {
			match self.output(output) {
				Ok(value) => values.push(value),
				Err(Refusal::Follows) => {}
				Err(Refusal::Because(reason)) => {
					refuse(&mut refused, "graph output", output, reason)
				}
			}
		}
		if !refused.is_empty() {
			return Err(CompileError::Unsupported(refused));
		}
		let types = values.iter().map(|value| self.ty(*value));
		let names = file.outputs.iter().map(|name| String::from(*name));
		let outputs = names.zip(types).collect();
		let (program, blobs) = self.emit.finish_all(&values)?;
		let constants = blobs.into_iter().map(|(root, bytes)| (root, bytes.into())).collect();
		Ok(Imported { program: Arc::new(program), constants, inputs, outputs })
	}

	fn input(&mut self, name: &'a str) -> Result<TensorType, String> {
		let added = self.declared(name).and_then(|ty| {
			let value = self.emit.input(ty.clone(), false).map_err(|error| error.to_string())?;
			Ok((value, ty))
		});
		let slot = added.as_ref().map_or(Slot::Refused, |(value, _)| Slot::Value(*value));
		self.slots.insert(name, slot);
		added.map(|(_, ty)| ty)
	}

	/// Converts one operator and remembers its results.
	fn operator(&mut self, operator: &'f Operator<'a, 'b>, refused: &mut Vec<Unsupported>) {
		let kind = name(operator.code);
		let converted = self.convert(&kind, operator).and_then(|slots| {
			if slots.len() != operator.outputs.len() {
				let count = operator.outputs.len();
				return Err(Refusal::Because(format!("it has {count} results")));
			}
			for (slot, output) in slots.iter().zip(&operator.outputs) {
				self.check_declared(slot, output)?;
			}
			Ok(slots)
		});
		let slots = converted.unwrap_or_else(|refusal| {
			if let Refusal::Because(reason) = refusal {
				let result = operator.outputs.first().copied().unwrap_or("without result");
				refuse(refused, &kind, result, reason);
			}
			vec![Slot::Refused; operator.outputs.len()]
		});
		for (slot, output) in slots.into_iter().zip(&operator.outputs) {
			if let Slot::Value(value) = slot {
				if self.uses.get(output).is_some_and(|uses| *uses > 1) {
					self.shared.insert(value);
				}
			}
			self.slots.insert(output, slot);
		}
	}

	/// What the file says of a result must be what is computed.
	fn check_declared(&self, slot: &Slot, name: &str) -> Result<(), Refusal> {
		let (Slot::Value(value), Some(tensor)) = (slot, self.file.tensors.get(name)) else {
			return Ok(());
		};
		let ty = self.ty(*value);
		let dtype = element_type(tensor.dtype).map_err(Refusal::Because)?;
		let is_fixed = !tensor.is_open && tensor.shape.iter().all(|extent| *extent >= 0);
		let fits = |(extent, found): (&i32, &u32)| u32::try_from(*extent) == Ok(*found);
		let same = tensor.shape.len() == ty.rank() && tensor.shape.iter().zip(&ty.shape).all(fits);
		if dtype != ty.dtype || is_fixed && !same {
			return Err(Refusal::Because(format!(
				"the file says that its result is {dtype:?} {:?}, but it is {:?} {:?}",
				tensor.shape, ty.dtype, ty.shape
			)));
		}
		Ok(())
	}

	/// The value of a graph output: a node's, stored row-major.
	fn output(&mut self, name: &str) -> Result<ValueId, Refusal> {
		let slot = self.slots.get(name).cloned();
		let value = match slot.ok_or_else(|| Refusal::because("nothing computes it"))? {
			Slot::Value(value) => value,
			Slot::Constant(number) => self.constant_value(number, Layout::row_major())?,
			Slot::Shape(shape) => {
				let numbers: Option<Vec<i32>> =
					shape.iter().map(|number| i32::try_from(*number).ok()).collect();
				let numbers = numbers.filter(|numbers| !numbers.is_empty());
				let numbers = numbers
					.ok_or_else(|| Refusal::because("it is a shape that no tensor can hold"))?;
				self.emit.inline(DType::I32, &[numbers.len() as u32], &numbers)?
			}
			Slot::Refused => return Err(Refusal::Follows),
		};
		if self.nodes.contains(&value) && !self.turned.contains(&value) {
			return Ok(value);
		}
		self.apply(Op::Identity, &[value])
	}

	/// The type that the file states for a tensor.
	pub fn declared(&self, name: &str) -> Result<TensorType, String> {
		let tensor = self.file.tensors.get(name).ok_or("the file does not describe it")?;
		tensor_type(tensor)
	}

	/// Type of a value.
	pub fn ty(&self, value: ValueId) -> TensorType {
		TensorType::new(self.emit.dtype(value), self.emit.shape(value))
	}

	/// What stands behind an operand.
	pub fn slot(&self, operator: &Operator, number: usize) -> Result<&Slot, Refusal> {
		let missing = || Refusal::Because(format!("operand {number} is missing"));
		let name = operator.inputs.get(number).ok_or_else(missing)?;
		match self.slots.get(*name) {
			Some(Slot::Refused) => Err(Refusal::Follows),
			Some(slot) => Ok(slot),
			None => Err(Refusal::Because(format!("nothing computes its operand {name}"))),
		}
	}

	/// The value of an operand.
	pub fn operand(&mut self, operator: &Operator, number: usize) -> Result<ValueId, Refusal> {
		self.operand_as(operator, number, Layout::row_major())
	}

	/// The value of an operand, stored in this order if it is a constant that has no value yet.
	pub fn operand_as(
		&mut self,
		operator: &Operator,
		number: usize,
		layout: Layout,
	) -> Result<ValueId, Refusal> {
		match self.slot(operator, number)?.clone() {
			Slot::Value(value) => Ok(value),
			Slot::Constant(constant) => self.constant_value(constant, layout),
			Slot::Shape(_) | Slot::Refused => {
				Err(Refusal::Because(format!("operand {number} is not a tensor")))
			}
		}
	}

	/// The elements of an operand that must be a constant.
	pub fn constant(&self, operator: &Operator, number: usize) -> Result<&Constant, Refusal> {
		let Slot::Constant(constant) = self.slot(operator, number)? else {
			return Err(Refusal::Because(format!("operand {number} is not a constant")));
		};
		self.constants.get(*constant).ok_or(Refusal::Follows)
	}

	/// An operand that must be a constant of one element.
	pub fn number(&self, operator: &Operator, number: usize) -> Result<i32, Refusal> {
		match self.constant(operator, number)?.elements[..] {
			[element] => Ok(element),
			_ => Err(Refusal::Because(format!("operand {number} has not one element"))),
		}
	}

	/// An operand that is a shape.
	pub fn shape(&self, operator: &Operator, number: usize) -> Result<&[i64], Refusal> {
		match self.slot(operator, number)? {
			Slot::Shape(shape) => Ok(shape),
			_ => Err(Refusal::Because(format!("operand {number} is not a shape"))),
		}
	}

	/// Adds a constant of the file.
	pub fn add_constant(&mut self, name: &str) -> Result<Slot, Refusal> {
		let tensor = self.file.tensors.get(name);
		let tensor = tensor.ok_or_else(|| Refusal::because("the file does not describe it"))?;
		let ty = tensor_type(tensor).map_err(Refusal::Because)?;
		if tensor.data.len() as u64 != ty.bytes() {
			return Err(Refusal::because("its bytes are not as long as its type says"));
		}
		let unread = self.unread.checked_sub(tensor.data.len());
		self.unread = unread.ok_or_else(|| Refusal::because("the file repeats its constants"))?;
		let elements = 0..ty.elements();
		let elements = elements.filter_map(|index| read_element(ty.dtype, tensor.data, index));
		self.constants.push(Constant { elements: elements.collect(), ty, value: None });
		Ok(Slot::Constant(self.constants.len() - 1))
	}

	/// A constant shape of the file.
	pub fn constant_shape(&self, name: &str) -> Result<Slot, Refusal> {
		let data = self.file.shapes.get(name);
		let data = data.ok_or_else(|| Refusal::because("the file does not describe it"))?;
		let numbers = data.chunks_exact(8).filter_map(|bytes| bytes.try_into().ok());
		Ok(Slot::Shape(numbers.map(i64::from_le_bytes).collect()))
	}

	fn constant_value(&mut self, number: usize, layout: Layout) -> Result<ValueId, Refusal> {
		let constant = self.constants.get_mut(number).ok_or(Refusal::Follows)?;
		if let Some(value) = constant.value {
			return Ok(value);
		}
		let Constant { ty, elements, .. } = &*constant;
		let is_small =
			ty.bytes() <= INLINE_BYTES && self.inline_bytes + ty.bytes() <= ALL_INLINE_BYTES;
		let value = if is_small {
			self.inline_bytes += ty.bytes();
			self.emit.inline(ty.dtype, &ty.shape, elements)?
		} else {
			self.emit.blob(ty.dtype, &ty.shape, layout, elements)?
		};
		constant.value = Some(value);
		Ok(value)
	}

	/// Applies an operator, and commits first what it reads many times and what others read too.
	pub fn apply(&mut self, op: Op, operands: &[ValueId]) -> Result<ValueId, Refusal> {
		for (number, axis) in read_often(&op) {
			if let Some(operand) = operands.get(number) {
				let rank = self.emit.shape(*operand).len();
				let layout = axis.map_or_else(Layout::row_major, |axis| innermost(rank, axis));
				self.commit(*operand, layout);
			}
		}
		for operand in operands {
			if self.shared.contains(operand) {
				self.commit(*operand, Layout::row_major());
			}
		}
		let is_movement = moves(&op);
		let value = self.emit.op(op, operands)?;
		self.remember(value, operands, 1, is_movement);
		Ok(value)
	}

	/// The same elements in another shape.
	pub fn reshape(&mut self, a: ValueId, shape: &[u32]) -> Result<ValueId, Refusal> {
		if TensorType::new(DType::I8, shape).elements() != self.ty(a).elements() {
			return Err(Refusal::because("its shapes have different numbers of elements"));
		}
		let value = self.emit.reshape(a, shape)?;
		if value != a {
			self.remember(value, &[a], 2, true);
		}
		Ok(value)
	}

	/// Notes a node that is so many operators away from its operands.
	fn remember(&mut self, value: ValueId, operands: &[ValueId], steps: u8, is_movement: bool) {
		let distances = operands.iter().filter_map(|operand| self.distances.get(operand));
		let far = distances.clone().map(|distance| distance.operators).max().unwrap_or(0);
		let is_moved = is_movement && distances.clone().all(|distance| distance.is_moved);
		self.nodes.insert(value);
		self.distances.insert(value, Distance { operators: far.saturating_add(steps), is_moved });
		if far >= COMMIT_DEPTH {
			self.emit.candidate(value, Layout::row_major());
			self.distances.remove(&value);
		}
	}

	fn commit(&mut self, value: ValueId, layout: Layout) {
		if self.distances.get(&value).is_some_and(|distance| !distance.is_moved) {
			self.distances.remove(&value);
			if layout != Layout::row_major() {
				self.turned.insert(value);
			}
			self.emit.candidate(value, layout);
		}
	}
}

/// The operators that something depends on: results of the graph, or a demand on shapes.
fn live(file: &File) -> Vec<bool> {
	let mut wanted: HashSet<&str> = file.outputs.iter().copied().collect();
	let mut live = vec![false; file.operators.len()];
	for (operator, is_live) in file.operators.iter().zip(&mut live).rev() {
		let results = &operator.outputs;
		*is_live = results.is_empty() || results.iter().any(|name| wanted.contains(name));
		// Of the operand of DIM only the type matters.
		if *is_live && name(operator.code) != "DIM" {
			wanted.extend(&operator.inputs);
		}
	}
	live
}

fn refuse(refused: &mut Vec<Unsupported>, operator: &str, node: &str, reason: String) {
	refused.push(Unsupported { operator: operator.into(), node: node.into(), reason });
}

/// The operands of which one element of the result reads many, and the axis along which it reads them
/// where that is not the innermost.
fn read_often(op: &Op) -> Vec<(usize, Option<usize>)> {
	match op {
		Op::MatMul { .. } => vec![(0, None), (1, Some(1))],
		Op::Conv2d { .. }
		| Op::Conv3d { .. }
		| Op::DepthwiseConv2d { .. }
		| Op::TransposeConv2d { .. }
		| Op::Gather => vec![(0, None), (1, None)],
		Op::Scatter => vec![(0, None), (1, None), (2, None)],
		Op::MaxPool2d { .. } | Op::AvgPool2d { .. } | Op::Resize { .. } => vec![(0, None)],
		Op::Reduce { axis, .. } | Op::ArgMax { axis } => vec![(0, Some(*axis as usize))],
		Op::Table => vec![(1, None)],
		_ => Vec::new(),
	}
}

/// Whether each element of the result is one of an operand.
fn moves(op: &Op) -> bool {
	matches!(
		op,
		Op::Concat { .. }
			| Op::Pad { .. }
			| Op::Reshape { .. }
			| Op::Slice { .. }
			| Op::Transpose { .. }
			| Op::Tile { .. }
			| Op::Reverse { .. }
			| Op::Identity
	)
}

fn tensor_type(tensor: &Tensor) -> Result<TensorType, String> {
	let dtype = element_type(tensor.dtype)?;
	let shape: Option<Vec<u32>> =
		tensor.shape.iter().map(|extent| u32::try_from(*extent).ok()).collect();
	let ty = shape.filter(|_| !tensor.is_open).map(|shape| TensorType::new(dtype, shape));
	ty.filter(TensorType::is_valid)
		.ok_or_else(|| format!("its shape {:?} is not fixed or too large", tensor.shape))
}

/// An element type by its number in the format.
pub fn element_type(code: u32) -> Result<DType, String> {
	const NAMES: [&str; 19] = [
		"UNKNOWN", "BOOL", "INT4", "INT8", "INT16", "INT32", "INT48", "FP32", "FP16", "BF16",
		"SHAPE", "FP8E4M3", "FP8E5M2", "FP6E2M3", "FP6E3M2", "FP4E2M1", "FP8UE8M0", "INT64",
		"MXINT8",
	];
	match code {
		1 => Ok(DType::Bool),
		3 => Ok(DType::I8),
		4 => Ok(DType::I16),
		5 => Ok(DType::I32),
		_ => {
			let name = NAMES.get(code as usize).copied().unwrap_or("of an unknown number");
			Err(format!("element type {name} has no exact integer form here"))
		}
	}
}

/// The attributes of an operator that must have them.
pub fn attributes<'a, 'b>(operator: &Operator<'a, 'b>) -> Result<Table<'a, 'b>, Refusal> {
	operator.attributes.ok_or_else(|| Refusal::because("its attributes are missing"))
}
