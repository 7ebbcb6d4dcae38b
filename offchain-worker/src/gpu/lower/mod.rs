// SPDX-License-Identifier: Apache-2.0

//! Lowering: a checked program becomes a list of dispatches over numbered buffers. Nothing here
//! touches a device.
//!
//! Every value is held row-major, one i32 for each element. Reshapes, identities and widening
//! casts share the buffer of their operand. Nodes that no checkpoint depends on are left out, and what
//! only adds a bias to a product of bytes or rescales it is a part of that product's kernel.

mod operators;
mod packed;
mod products;
mod tail;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod twins;
mod windows;

use super::{
	error::GpuError,
	kernel::Kernel,
	params::{LoadParams, StoreParams},
	product::{Choice, Size},
	view::{padded, row_major, View},
};
use bytemuck::Pod;
use packed::Packing;
use std::collections::HashMap;
use tensornet_tensor::{CheckedProgram, DType, Layout, TensorType, ValueId};

/// The most that one invocation loops in one dispatch. Software Vulkan (llvmpipe) ends all loops of a
/// group of invocations without a word after 65,535 rounds together.
const LOOP: u64 = 1 << 15;

/// Number of a buffer in a [`Lowered`] program.
pub(crate) type BufferId = usize;

/// A buffer that the dispatches name.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Buffer {
	/// Bytes, a multiple of four.
	pub bytes: u64,
	/// Whether it keeps its content between actions that do not name it, and so between iterations.
	pub permanent: bool,
}

/// One kernel over part of its output.
#[derive(Clone, Debug)]
pub(crate) struct Dispatch {
	pub kernel: Kernel,
	/// The kernel's parameter block.
	pub params: Vec<u8>,
	pub out: BufferId,
	pub operands: Vec<BufferId>,
	/// Workgroups.
	pub groups: u64,
	/// Estimated work in multiply-accumulates.
	pub work: u64,
}

/// A step of one iteration.
#[derive(Clone, Debug)]
pub(crate) enum Action {
	Dispatch(Dispatch),
	/// The stored bytes of a checkpoint are complete in `from`.
	Download {
		from: BufferId,
		checkpoint: usize,
	},
}

/// How the stored bytes of a leaf reach their value's buffer.
#[derive(Clone, Debug)]
pub(crate) struct Upload {
	/// Where the bytes are written.
	pub raw: BufferId,
	/// Length of the stored tensor, in bytes.
	pub bytes: u64,
	/// Dispatches that widen them, and for constants those that prepare them further.
	pub prepare: Vec<Dispatch>,
}

/// A program as buffers and actions.
#[derive(Clone, Debug, Default)]
pub(crate) struct Lowered {
	pub buffers: Vec<Buffer>,
	pub inputs: Vec<Upload>,
	/// None where no checkpoint depends on the constant.
	pub constants: Vec<Option<Upload>>,
	pub state: Vec<Upload>,
	pub actions: Vec<Action>,
	/// Stored length of each checkpoint, in bytes.
	pub checkpoints: Vec<u64>,
}

/// What bounds the dispatches of one device.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
	/// Work of one dispatch, in multiply-accumulates.
	pub work: u64,
	/// Multiply-accumulates a second that the work is counted in. What was measured to be faster or
	/// slower counts less or more.
	pub rate: u64,
	/// Workgroups of one dispatch.
	pub groups: u64,
	/// Bytes of one buffer.
	pub bytes: u64,
	/// Whether products of bytes are made in packed form where they can be.
	pub packed: bool,
}

/// Says which kernel makes a product of bytes of some size.
pub(crate) type Choose<'a> = dyn Fn(Size) -> Result<Choice, GpuError> + 'a;

/// Lowers `program` for a device with these bounds. `choose` says which kernel makes a product of bytes.
pub(crate) fn lower(
	program: &CheckedProgram,
	bounds: Bounds,
	choose: &Choose,
) -> Result<Lowered, GpuError> {
	let mut lowering = Lowering {
		program,
		bounds,
		choose,
		lowered: Lowered::default(),
		values: Vec::new(),
		uses: Vec::new(),
		done: HashMap::new(),
		packed: HashMap::new(),
		constant: None,
	};
	lowering.run()?;
	Ok(lowering.lowered)
}

struct Lowering<'a> {
	program: &'a CheckedProgram,
	bounds: Bounds,
	choose: &'a Choose<'a>,
	lowered: Lowered,
	/// Buffer of each value so far.
	values: Vec<Option<BufferId>>,
	/// How each value is used.
	uses: Vec<Uses>,
	/// Values to come that a kernel before them has made.
	done: HashMap<usize, BufferId>,
	/// Operands that were packed for a product of bytes.
	packed: HashMap<Packing, BufferId>,
	/// The constant whose preparation is being lowered: what is emitted then runs once, when the
	/// constant is uploaded, and its results stay.
	constant: Option<usize>,
}

/// How a value is used.
#[derive(Clone, Copy, Debug, Default)]
struct Uses {
	/// How often: as an operand of what is needed, or as a checkpoint.
	count: u32,
	/// The last value that is computed from it.
	last: Option<usize>,
}

impl<'a> Lowering<'a> {
	fn run(&mut self) -> Result<(), GpuError> {
		let program = self.program.program();
		let needed = self.needed();
		self.uses = self.uses(&needed);
		let is_needed = |value: usize| needed.get(value).copied().unwrap_or(false);

		for input in &program.inputs {
			let upload = self.leaf(&input.ty, &input.layout)?;
			self.lowered.inputs.push(upload);
		}
		for constant in &program.constants {
			if is_needed(self.values.len()) {
				let upload = self.leaf(&constant.ty, &constant.layout)?;
				self.lowered.constants.push(Some(upload));
			} else {
				self.values.push(None);
				self.lowered.constants.push(None);
			}
		}
		for state in &program.state {
			let next = program.checkpoints.iter().find(|c| c.value == state.next);
			let layout = &next.ok_or(GpuError::Inconsistent)?.layout;
			let upload = self.leaf(&state.ty, layout)?;
			self.lowered.state.push(upload);
		}
		let mut checkpoints = program.checkpoints.iter().enumerate().peekable();
		for node in &program.nodes {
			let value = self.values.len();
			if !is_needed(value) {
				self.values.push(None);
				continue;
			}
			let buffer = match self.done.remove(&value) {
				Some(buffer) => buffer,
				None => self.node(node, value)?,
			};
			self.values.push(Some(buffer));
			while let Some((number, checkpoint)) =
				checkpoints.next_if(|(_, c)| usize::from(c.value) == value)
			{
				self.store(buffer, value, &checkpoint.layout, number)?;
			}
		}
		Ok(())
	}

	/// For each value, whether a checkpoint depends on it.
	fn needed(&self) -> Vec<bool> {
		let program = self.program.program();
		let leaves = program.inputs.len() + program.constants.len() + program.state.len();
		let mut needed = vec![false; leaves + program.nodes.len()];
		for checkpoint in &program.checkpoints {
			if let Some(flag) = needed.get_mut(usize::from(checkpoint.value)) {
				*flag = true;
			}
		}
		for (number, node) in program.nodes.iter().enumerate().rev() {
			if needed[leaves + number] {
				for operand in &node.operands {
					needed[usize::from(*operand)] = true;
				}
			}
		}
		needed
	}

	/// How what is needed uses each value.
	fn uses(&self, needed: &[bool]) -> Vec<Uses> {
		let program = self.program.program();
		let mut uses = vec![Uses::default(); needed.len()];
		for checkpoint in &program.checkpoints {
			uses[usize::from(checkpoint.value)].count += 1;
		}
		let first = needed.len() - program.nodes.len();
		let nodes = program.nodes.iter().zip(first..).filter(|(_, value)| needed[*value]);
		for (node, value) in nodes {
			for operand in &node.operands {
				let uses = &mut uses[usize::from(*operand)];
				uses.count += 1;
				uses.last = Some(value);
			}
		}
		uses
	}

	fn ty(&self, value: usize) -> Result<&'a TensorType, GpuError> {
		let id = ValueId::try_from(value).map_err(|_| GpuError::Inconsistent)?;
		self.program.value_type(id).ok_or(GpuError::Inconsistent)
	}

	fn buffer(&mut self, bytes: u64, permanent: bool) -> Result<BufferId, GpuError> {
		if bytes > self.bounds.bytes {
			return Err(GpuError::TensorTooLarge { bytes, limit: self.bounds.bytes });
		}
		self.lowered.buffers.push(Buffer { bytes: bytes.next_multiple_of(4), permanent });
		Ok(self.lowered.buffers.len() - 1)
	}

	/// A temporary buffer for `elements` values.
	fn temporary(&mut self, elements: u64) -> Result<BufferId, GpuError> {
		self.buffer(elements.saturating_mul(4), self.constant.is_some())
	}

	/// Buffers of a leaf and the way to fill them.
	fn leaf(&mut self, ty: &TensorType, layout: &Layout) -> Result<Upload, GpuError> {
		let value = self.buffer(ty.elements().saturating_mul(4), true)?;
		self.values.push(Some(value));
		let strides = layout.strides(&ty.shape).iter().map(|s| *s as u32).collect();
		let view = View { extents: ty.shape.clone(), strides: [strides] }.collapsed();
		if ty.dtype == DType::I32 && view.is_dense() {
			return Ok(Upload { raw: value, bytes: ty.bytes(), prepare: Vec::new() });
		}
		let raw = self.buffer(ty.bytes(), true)?;
		let params = LoadParams {
			rank: view.extents.len() as u32,
			dtype: ty.dtype as u32,
			extents: padded(&view.extents),
			strides: padded(&view.strides[0]),
			..Default::default()
		};
		let mut prepare = Vec::new();
		self.split(Kernel::Load, params, value, &[raw], ty.elements(), 4, &mut prepare);
		Ok(Upload { raw, bytes: ty.bytes(), prepare })
	}

	/// Narrows a value to the stored form of a checkpoint.
	fn store(
		&mut self,
		value: BufferId,
		number: usize,
		layout: &Layout,
		checkpoint: usize,
	) -> Result<(), GpuError> {
		let ty = self.ty(number)?;
		self.lowered.checkpoints.push(ty.bytes());
		let order: Vec<usize> = if layout.0.is_empty() {
			(0..ty.rank()).collect()
		} else {
			layout.0.iter().map(|axis| usize::from(*axis)).collect()
		};
		let strides = row_major(&ty.shape);
		let view = View {
			extents: order.iter().map(|axis| ty.shape[*axis]).collect(),
			strides: [order.iter().map(|axis| strides[*axis]).collect()],
		}
		.collapsed();
		if ty.dtype == DType::I32 && view.is_dense() {
			self.lowered.actions.push(Action::Download { from: value, checkpoint });
			return Ok(());
		}
		let packed = self.buffer(ty.bytes(), false)?;
		let params = StoreParams {
			rank: view.extents.len() as u32,
			pack: ty.dtype.size().trailing_zeros(),
			elements: ty.elements() as u32,
			extents: padded(&view.extents),
			strides: padded(&view.strides[0]),
			..Default::default()
		};
		self.emit(Kernel::Store, params, packed, &[value], ty.bytes().div_ceil(4), 16);
		self.lowered.actions.push(Action::Download { from: packed, checkpoint });
		Ok(())
	}

	/// Appends the dispatches of one kernel to the iteration, or to the preparation of a constant.
	fn emit<P: Pod>(
		&mut self,
		kernel: Kernel,
		params: P,
		out: BufferId,
		operands: &[BufferId],
		units: u64,
		work: u64,
	) {
		let mut dispatches = Vec::new();
		self.split(kernel, params, out, operands, units, work, &mut dispatches);
		let upload = self.constant.and_then(|c| self.lowered.constants.get_mut(c)?.as_mut());
		match upload {
			Some(upload) => upload.prepare.extend(dispatches),
			None => self.lowered.actions.extend(dispatches.into_iter().map(Action::Dispatch)),
		}
	}

	/// Splits a kernel over `units` units of `work` each into dispatches inside the bounds. The
	/// first two words of every parameter block are the first unit and the number of units.
	fn split<P: Pod>(
		&self,
		kernel: Kernel,
		params: P,
		out: BufferId,
		operands: &[BufferId],
		units: u64,
		work: u64,
		to: &mut Vec<Dispatch>,
	) {
		let per_group = kernel.units_per_group();
		let groups_by_work = (self.bounds.work / work.max(1) / per_group).max(1);
		let most = groups_by_work.min(self.bounds.groups) * per_group;
		let mut first = 0;
		while first < units {
			let count = most.min(units - first);
			let mut params = bytemuck::bytes_of(&params).to_vec();
			params[0..4].copy_from_slice(&(first as u32).to_le_bytes());
			params[4..8].copy_from_slice(&(count as u32).to_le_bytes());
			to.push(Dispatch {
				kernel,
				params,
				out,
				operands: operands.to_vec(),
				groups: count.div_ceil(per_group),
				work: count.saturating_mul(work),
			});
			first += count;
		}
	}
}
