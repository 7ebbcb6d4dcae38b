// SPDX-License-Identifier: Apache-2.0

//! What a `.tosa` file holds: the graph of its main block, by name.

use super::flatbuffer::{Buffer, Damaged, Table};
use std::collections::HashMap;

/// The major version of the format that is read.
const MAJOR: i32 = 1;

/// The graph of a file.
pub struct File<'a, 'b> {
	/// Names of the tensors that the graph is given.
	pub inputs: Vec<&'a str>,
	/// Names of the tensors that are its result.
	pub outputs: Vec<&'a str>,
	/// In an order in which each comes after those it depends on.
	pub operators: Vec<Operator<'a, 'b>>,
	/// What the file says of its tensors.
	pub tensors: HashMap<&'a str, Tensor<'a>>,
	/// The bytes of its constant shapes, eight for each number.
	pub shapes: HashMap<&'a str, &'a [u8]>,
}

/// An operator with its attributes.
pub struct Operator<'a, 'b> {
	/// The operator's number in the format; see [`name`](super::operator::name).
	pub code: u32,
	/// Its attributes.
	pub attributes: Option<Table<'a, 'b>>,
	/// Names of its operands.
	pub inputs: Vec<&'a str>,
	/// Names of its results.
	pub outputs: Vec<&'a str>,
}

/// What a file says of a tensor.
pub struct Tensor<'a> {
	/// Extents; negative where the file does not fix them.
	pub shape: Vec<i32>,
	/// Element type, by its number in the format.
	pub dtype: u32,
	/// The stored elements of a constant.
	pub data: &'a [u8],
	/// Whether rank or bytes are not in the graph.
	pub is_open: bool,
}

/// Why a file is not read.
#[derive(Debug)]
pub enum Unreadable {
	/// It is not a file of this format, or damaged.
	Damaged,
	/// It is of a version, or of a structure, that is not read.
	Foreign(String),
}

impl From<Damaged> for Unreadable {
	fn from(_: Damaged) -> Self {
		Self::Damaged
	}
}

impl<'a, 'b> File<'a, 'b> {
	/// Reads the main block. Fields are numbered as in the schema of the format.
	pub fn read(buffer: &'b Buffer<'a>) -> Result<Self, Unreadable> {
		let graph = buffer.root(b"TOSA")?;
		let version = graph.table(0)?.ok_or(Damaged)?;
		let (major, minor) = (version.i32(0, -1)?, version.i32(1, -1)?);
		if major != MAJOR {
			return Err(Unreadable::Foreign(format!("version {major}.{minor}, not {MAJOR}.x")));
		}
		if let Some(compatibility) = graph.table(3)? {
			if compatibility.u64(1)? != 0 {
				let what = "it needs features that only later versions have";
				return Err(Unreadable::Foreign(what.into()));
			}
		}
		let regions = graph.tables(1)?;
		let blocks = match regions.first() {
			Some(region) => region.tables(1)?,
			None => Vec::new(),
		};
		let [block] = blocks[..] else {
			let what = format!("{} blocks in its first region, not 1", blocks.len());
			return Err(Unreadable::Foreign(what));
		};
		let mut operators = Vec::new();
		for operator in block.tables(1)? {
			operators.push(Operator {
				code: operator.i32(0, 0)? as u32,
				attributes: operator.table(2)?,
				inputs: operator.texts(3)?,
				outputs: operator.texts(4)?,
			});
		}
		let mut tensors = HashMap::new();
		for tensor in block.tables(2)? {
			let stored_elsewhere = tensor.u64(7)? > 1 || tensor.u64(8)? > 0;
			let read = Tensor {
				shape: tensor.numbers(1)?,
				dtype: tensor.i32(2, 0)? as u32,
				data: tensor.bytes(3)?,
				is_open: tensor.flag(5)? || stored_elsewhere,
			};
			tensors.insert(tensor.text(0)?, read);
		}
		let mut shapes = HashMap::new();
		for shape in block.tables(5)? {
			// A shape of no axes has eight bytes of filling.
			let length = shape.i32(1, 0)? as u32 as usize;
			let data = shape.bytes(2)?;
			let data = length.checked_mul(8).and_then(|end| data.get(..end)).unwrap_or(&[]);
			shapes.insert(shape.text(0)?, data);
		}
		let (inputs, outputs) = (block.texts(3)?, block.texts(4)?);
		Ok(Self { inputs, outputs, operators, tensors, shapes })
	}
}
