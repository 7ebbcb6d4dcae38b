// SPDX-License-Identifier: Apache-2.0

//! What each operator becomes.

use super::{BufferId, Lowering};
use crate::gpu::{
	error::GpuError,
	kernel::{Elementwise, Kernel},
	params::{
		ArgMaxParams, CopyParams, ElementwiseParams, GatherParams, ReduceParams, RescaleParams,
		ScatterParams, TableParams,
	},
	view::{broadcast, padded, row_major, View},
};
use tensornet_tensor::{DType, Node, Op, TensorType};

/// Indices of one reduction pass that one invocation handles.
const CHUNK: u64 = 256;

impl Lowering<'_> {
	/// Lowers one node; the buffer of its value.
	pub(super) fn node(&mut self, node: &Node, value: usize) -> Result<BufferId, GpuError> {
		let out_ty = self.ty(value)?;
		let mut types = Vec::with_capacity(node.operands.len());
		let mut buffers = Vec::with_capacity(node.operands.len());
		for operand in &node.operands {
			let operand = usize::from(*operand);
			types.push(self.ty(operand)?);
			buffers
				.push(self.values.get(operand).copied().flatten().ok_or(GpuError::Inconsistent)?);
		}
		let args = Args { types: &types, buffers: &buffers, out: out_ty };
		match &node.op {
			Op::Reshape { .. } | Op::Identity => args.buffer(0),
			Op::Cast { to } if widens(args.ty(0)?.dtype, *to) => args.buffer(0),
			Op::Cast { to } => self.elementwise(args, Elementwise::Cast, *to, [0, 0]),
			Op::Binary(op) => {
				self.elementwise(args, Elementwise::Binary(*op), args.ty(0)?.dtype, [0, 0])
			}
			Op::Unary(op) => {
				self.elementwise(args, Elementwise::Unary(*op), args.ty(0)?.dtype, [0, 0])
			}
			Op::Clamp { min, max } => {
				self.elementwise(args, Elementwise::Clamp, out_ty.dtype, [*min, *max])
			}
			Op::Mul { shift: 0 } => self.elementwise(args, Elementwise::Mul, DType::I32, [0, 0]),
			Op::Mul { shift } => {
				self.elementwise(args, Elementwise::MulShift, DType::I32, [i32::from(*shift), 0])
			}
			Op::ArithmeticRightShift { round } => {
				let op =
					if *round { Elementwise::ShiftRightRound } else { Elementwise::ShiftRight };
				self.elementwise(args, op, out_ty.dtype, [0, 0])
			}
			Op::Select => self.elementwise(args, Elementwise::Select, out_ty.dtype, [0, 0]),
			Op::Conv2d { window, input_zero_point, weight_zero_point } => {
				let zero_points = [(*input_zero_point).into(), (*weight_zero_point).into()];
				self.conv(args, node, value, window.into(), zero_points)
			}
			Op::Conv3d { window, input_zero_point, weight_zero_point } => {
				let zero_points = [(*input_zero_point).into(), (*weight_zero_point).into()];
				self.conv(args, node, value, window.into(), zero_points)
			}
			Op::DepthwiseConv2d { window, input_zero_point, weight_zero_point } => {
				let zero_points = [(*input_zero_point).into(), (*weight_zero_point).into()];
				self.depthwise(args, window, zero_points)
			}
			Op::TransposeConv2d { out_pad, stride, input_zero_point, weight_zero_point } => {
				let zero_points = [(*input_zero_point).into(), (*weight_zero_point).into()];
				self.transpose_conv(args, &node.operands, *out_pad, *stride, zero_points)
			}
			Op::MatMul { a_zero_point, b_zero_point } => {
				let zero_points = [(*a_zero_point).into(), (*b_zero_point).into()];
				self.matmul(args, node, value, zero_points)
			}
			Op::MaxPool2d { kernel, window } => self.max_pool(args, *kernel, window),
			Op::AvgPool2d { kernel, window, input_zero_point, output_zero_point } => {
				let zero_points = [(*input_zero_point).into(), (*output_zero_point).into()];
				self.avg_pool(args, *kernel, window, zero_points)
			}
			Op::Resize { scaling, interpolation } => self.resize(args, scaling, *interpolation),
			Op::ArgMax { axis } => self.arg_max(args, usize::from(*axis)),
			Op::Reduce { reduction, axis } => {
				self.reduce(args, Kernel::Reduce(*reduction), usize::from(*axis))
			}
			Op::Concat { axis } => self.concat(args, usize::from(*axis)),
			Op::Pad { before, value, .. } => self.pad(args, before, *value),
			Op::Slice { start, .. } => {
				let from = row_major(&args.ty(0)?.shape);
				let base = dot(start, &from);
				self.view(args, out_ty.shape.clone(), from, base)
			}
			Op::Transpose { permutation } => {
				let strides = row_major(&args.ty(0)?.shape);
				let from = permutation.iter().map(|axis| strides[usize::from(*axis)]).collect();
				self.view(args, out_ty.shape.clone(), from, 0)
			}
			Op::Reverse { axis } => {
				let axis = usize::from(*axis);
				let mut from = row_major(&out_ty.shape);
				let base = from[axis].wrapping_mul(out_ty.shape[axis] - 1);
				from[axis] = from[axis].wrapping_neg();
				self.view(args, out_ty.shape.clone(), from, base)
			}
			Op::Tile { multiples } => {
				// Each axis becomes two: the repetition, which does not move, and the operand's own.
				let shape = &args.ty(0)?.shape;
				let strides = row_major(shape);
				let mut extents = Vec::new();
				let mut from = Vec::new();
				for ((multiple, extent), stride) in multiples.iter().zip(shape).zip(strides) {
					extents.extend([*multiple, *extent]);
					from.extend([0, stride]);
				}
				self.view(args, extents, from, 0)
			}
			Op::Gather => self.gather(args),
			Op::Scatter => self.scatter(args),
			Op::Table => self.table(args),
			Op::Rescale { output, input_zero_point, output_zero_point, per_channel } => {
				let channels =
					if *per_channel { args.ty(0)?.shape.last().copied().unwrap_or(1) } else { 1 };
				let params = RescaleParams {
					channels,
					input_zero_point: *input_zero_point,
					output_zero_point: *output_zero_point,
					low: (*output).min(),
					high: (*output).max(),
					..Default::default()
				};
				let out = self.temporary(out_ty.elements())?;
				self.emit(Kernel::Rescale, params, out, args.buffers, out_ty.elements(), 16);
				Ok(out)
			}
		}
	}

	fn elementwise(
		&mut self,
		args: Args<'_>,
		op: Elementwise,
		dtype: DType,
		[k0, k1]: [i32; 2],
	) -> Result<BufferId, GpuError> {
		let out = self.temporary(args.out.elements())?;
		// Operands that the operator does not have repeat the first.
		let operand = |n: usize| if n < args.types.len() { n } else { 0 };
		let shapes = [0, 1, 2].map(|n| args.ty(operand(n)).map(|ty| &ty.shape));
		let [a, b, c] = shapes;
		let out_shape = &args.out.shape;
		let view = View {
			extents: out_shape.clone(),
			strides: [broadcast(a?, out_shape), broadcast(b?, out_shape), broadcast(c?, out_shape)],
		}
		.collapsed();
		let rank = if view.is_dense() { 0 } else { view.extents.len() as u32 };
		let params = ElementwiseParams {
			rank,
			dtype: dtype as u32,
			k0,
			k1,
			extents: padded(&view.extents),
			strides: view.strides.map(|s| padded(&s)),
			..Default::default()
		};
		let operands = [args.buffer(0)?, args.buffer(operand(1))?, args.buffer(operand(2))?];
		let work = 4 + 8 * u64::from(rank);
		self.emit(Kernel::Elementwise(op), params, out, &operands, args.out.elements(), work);
		Ok(out)
	}

	/// Copies a view of the first operand into a new dense value.
	fn view(
		&mut self,
		args: Args<'_>,
		extents: Vec<u32>,
		from: Vec<u32>,
		base: u32,
	) -> Result<BufferId, GpuError> {
		let out = self.temporary(args.out.elements())?;
		let to = row_major(&extents);
		self.copy(args.buffer(0)?, out, View { extents, strides: [from, to] }, [base, 0]);
		Ok(out)
	}

	pub(super) fn copy(&mut self, from: BufferId, to: BufferId, view: View<2>, bases: [u32; 2]) {
		let elements = view.extents.iter().map(|e| u64::from(*e)).product();
		let view = view.collapsed();
		let params = CopyParams {
			rank: view.extents.len() as u32,
			source_base: bases[0],
			out_base: bases[1],
			extents: padded(&view.extents),
			from_strides: padded(&view.strides[0]),
			to_strides: padded(&view.strides[1]),
			..Default::default()
		};
		let work = 4 + 8 * view.extents.len() as u64;
		self.emit(Kernel::Copy, params, to, &[from], elements, work);
	}

	fn concat(&mut self, args: Args<'_>, axis: usize) -> Result<BufferId, GpuError> {
		let out = self.temporary(args.out.elements())?;
		let to = row_major(&args.out.shape);
		let mut base = 0u32;
		for (ty, buffer) in args.types.iter().zip(args.buffers) {
			let view =
				View { extents: ty.shape.clone(), strides: [row_major(&ty.shape), to.clone()] };
			self.copy(*buffer, out, view, [0, base]);
			base = base.wrapping_add(to[axis].wrapping_mul(ty.shape[axis]));
		}
		Ok(out)
	}

	fn pad(&mut self, args: Args<'_>, before: &[u32], value: i32) -> Result<BufferId, GpuError> {
		let out = self.temporary(args.out.elements())?;
		let source = args.buffer(0)?;
		let elements = args.out.elements();
		let shape = &args.ty(0)?.shape;
		if elements != args.ty(0)?.elements() {
			self.fill(out, source, elements, value);
		}
		let to = row_major(&args.out.shape);
		let base = dot(before, &to);
		let view = View { extents: shape.clone(), strides: [row_major(shape), to] };
		self.copy(source, out, view, [0, base]);
		Ok(out)
	}

	/// Sets all of a buffer's `elements` to `value`. `other` is any other buffer.
	fn fill(&mut self, out: BufferId, other: BufferId, elements: u64, value: i32) {
		// One axis with zero strides: the operand is bound but only its first element is read.
		let params = ElementwiseParams {
			rank: 1,
			k0: value,
			extents: padded(&[elements as u32]),
			..Default::default()
		};
		let fill = Kernel::Elementwise(Elementwise::Fill);
		self.emit(fill, params, out, &[other; 3], elements, 8);
	}

	fn scatter(&mut self, args: Args<'_>) -> Result<BufferId, GpuError> {
		let [batches, rows, channels] = args.dims(0)?;
		let [_, width] = args.dims(1)?;
		let (value, indices, input) = (args.buffer(0)?, args.buffer(1)?, args.buffer(2)?);
		let all_rows = u64::from(batches) * u64::from(rows);
		let places = self.temporary(all_rows)?;
		self.fill(places, indices, all_rows, 0);
		let params = ScatterParams { rows, width, channels, ..Default::default() };
		let named = args.ty(1)?.elements();
		self.emit(Kernel::ScatterPlaces, params, places, &[indices], named, 12);
		let out = self.temporary(args.out.elements())?;
		let operands = [places, value, input];
		self.emit(Kernel::Scatter, params, out, &operands, args.out.elements(), 12);
		Ok(out)
	}

	fn reduce(
		&mut self,
		args: Args<'_>,
		kernel: Kernel,
		axis: usize,
	) -> Result<BufferId, GpuError> {
		let view = around(&args.ty(0)?.shape, axis);
		self.reduce_view(kernel, args.buffer(0)?, view)
	}

	/// Reduces the middle axis of an [outer, length, inner] view.
	fn reduce_view(
		&mut self,
		kernel: Kernel,
		mut source: BufferId,
		[outer, mut length, inner]: [u64; 3],
	) -> Result<BufferId, GpuError> {
		loop {
			let chunk = if length > 2 * CHUNK { CHUNK } else { length };
			let chunks = length.div_ceil(chunk);
			let elements = outer * chunks * inner;
			let out = self.temporary(elements)?;
			let params = ReduceParams {
				length: length as u32,
				inner: inner as u32,
				chunk: chunk as u32,
				chunks: chunks as u32,
				..Default::default()
			};
			self.emit(kernel, params, out, &[source], elements, chunk * 2 + 8);
			if chunks == 1 {
				return Ok(out);
			}
			length = chunks;
			source = out;
		}
	}

	fn arg_max(&mut self, args: Args<'_>, axis: usize) -> Result<BufferId, GpuError> {
		let [outer, length, inner] = around(&args.ty(0)?.shape, axis);
		let value = args.buffer(0)?;
		let mut candidates = length;
		let mut winners = value;
		let mut indexed = 0;
		loop {
			let chunk = if candidates > 2 * CHUNK { CHUNK } else { candidates };
			let chunks = candidates.div_ceil(chunk);
			let elements = outer * chunks * inner;
			let out = self.temporary(elements)?;
			let params = ArgMaxParams {
				length: length as u32,
				inner: inner as u32,
				chunk: chunk as u32,
				chunks: chunks as u32,
				candidates: candidates as u32,
				indexed,
				..Default::default()
			};
			self.emit(Kernel::ArgMax, params, out, &[value, winners], elements, chunk * 3 + 8);
			if chunks == 1 {
				return Ok(out);
			}
			candidates = chunks;
			winners = out;
			indexed = 1;
		}
	}

	fn gather(&mut self, args: Args<'_>) -> Result<BufferId, GpuError> {
		let [_, rows, channels] = args.dims(0)?;
		let [_, width] = args.dims(1)?;
		let out = self.temporary(args.out.elements())?;
		let params = GatherParams { rows, width, channels, ..Default::default() };
		self.emit(Kernel::Gather, params, out, args.buffers, args.out.elements(), 12);
		Ok(out)
	}

	fn table(&mut self, args: Args<'_>) -> Result<BufferId, GpuError> {
		let out = self.temporary(args.out.elements())?;
		let params = TableParams { dtype: args.ty(0)?.dtype as u32, ..Default::default() };
		self.emit(Kernel::Table, params, out, args.buffers, args.out.elements(), 8);
		Ok(out)
	}
}

/// Operands and result of a node.
#[derive(Clone, Copy)]
pub(super) struct Args<'a> {
	pub types: &'a [&'a TensorType],
	pub buffers: &'a [BufferId],
	pub out: &'a TensorType,
}

impl Args<'_> {
	pub(super) fn ty(&self, operand: usize) -> Result<&TensorType, GpuError> {
		self.types.get(operand).copied().ok_or(GpuError::Inconsistent)
	}

	pub(super) fn buffer(&self, operand: usize) -> Result<BufferId, GpuError> {
		self.buffers.get(operand).copied().ok_or(GpuError::Inconsistent)
	}

	pub(super) fn out_dims<const N: usize>(&self) -> Result<[u32; N], GpuError> {
		self.out.shape[..].try_into().map_err(|_| GpuError::Inconsistent)
	}

	pub(super) fn dims<const N: usize>(&self, operand: usize) -> Result<[u32; N], GpuError> {
		self.ty(operand)?.shape[..].try_into().map_err(|_| GpuError::Inconsistent)
	}
}

/// Whether every value of `from` is a value of `to`, so that a cast changes nothing.
fn widens(from: DType, to: DType) -> bool {
	to.min() <= from.min() && from.max() <= to.max()
}

/// Elements before, along and behind an axis.
fn around(shape: &[u32], axis: usize) -> [u64; 3] {
	let product = |part: &[u32]| part.iter().map(|e| u64::from(*e)).product::<u64>();
	[product(&shape[..axis]), u64::from(shape[axis]), product(&shape[axis + 1..])]
}

fn dot(at: &[u32], strides: &[u32]) -> u32 {
	at.iter().zip(strides).fold(0, |sum, (a, s)| sum.wrapping_add(a.wrapping_mul(*s)))
}
