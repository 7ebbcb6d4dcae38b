// SPDX-License-Identifier: Apache-2.0

//! The WGSL kernels: their sources, operand counts and the parameter blocks they read.
//!
//! Binding 0 is the parameter block, binding 1 the output, the operands follow. Every parameter
//! block starts with `first` and `count`: the units (elements, words or tiles) of one dispatch, so
//! that any kernel can be split into dispatches of bounded time.

use bytemuck::{Pod, Zeroable};
use tensornet_tensor::{Binary, Interpolation, Reduction, Unary};

/// Invocations of one workgroup of an elementwise kernel, each computing one unit.
pub(crate) const FLAT_GROUP: u64 = 64;

/// Rows and columns of the output tile of one workgroup of the matrix kernels.
pub(crate) const TILE: u32 = 64;

/// The operator that an elementwise pipeline is specialised for; the numbers are the kernel's.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Elementwise {
	Binary(Binary),
	Unary(Unary),
	Clamp,
	Mul,
	MulShift,
	ShiftRight,
	ShiftRightRound,
	Select,
	Cast,
	Fill,
}

impl Elementwise {
	fn code(self) -> u32 {
		match self {
			Self::Binary(op) => op as u32,
			Self::Unary(op) => 16 + op as u32,
			Self::Clamp => 21,
			Self::Mul => 22,
			Self::MulShift => 23,
			Self::ShiftRight => 24,
			Self::ShiftRightRound => 25,
			Self::Select => 26,
			Self::Cast => 27,
			Self::Fill => 28,
		}
	}
}

/// One compute pipeline.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Kernel {
	Load,
	Store,
	Copy,
	Elementwise(Elementwise),
	Reduce(Reduction),
	ArgMax,
	Gather,
	Table,
	Rescale,
	MaxPool2d,
	AvgPool2d,
	Resize(Interpolation),
	ScatterPlaces,
	Scatter,
	DepthwiseConv2d,
	TransposeConv2d,
	Pack(Plane),
	/// In two and in three dimensions.
	Conv(Form),
	MatMul(Form),
}

/// What a position of the summed axis of a matrix kernel holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
	/// One value, as i32.
	Single,
	/// A word of four signed bytes.
	Packed,
}

/// Which byte of a value a packed operand holds; the numbers are the kernel's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Plane {
	/// The only byte of a value of 8 bits.
	Whole,
	/// The high byte of a value of 16 bits.
	High,
	/// The low byte of a value of 16 bits, less 128.
	Low,
}

const FLAT: &str = include_str!("kernels/flat.wgsl");
const TYPES: &str = include_str!("kernels/types.wgsl");
const WIDE: &str = include_str!("kernels/wide.wgsl");
const TILE_PARTS: &str = include_str!("kernels/tile.wgsl");
const MULTIPLY: &str = include_str!("kernels/multiply.wgsl");
const MULTIPLY_PACKED: &str = include_str!("kernels/multiply_packed.wgsl");
const CONV: &str = include_str!("kernels/conv.wgsl");
const MATMUL: &str = include_str!("kernels/matmul.wgsl");

impl Kernel {
	/// Name of the kernel, which identifies its shader module.
	pub(crate) fn name(self) -> &'static str {
		match self {
			Self::Load => "load",
			Self::Store => "store",
			Self::Copy => "copy",
			Self::Elementwise(_) => "elementwise",
			Self::Reduce(_) => "reduce",
			Self::ArgMax => "argmax",
			Self::Gather => "gather",
			Self::Table => "table",
			Self::Rescale => "rescale",
			Self::MaxPool2d => "maxpool2d",
			Self::Pack(_) => "pack",
			Self::AvgPool2d => "avgpool2d",
			Self::Resize(_) => "resize",
			Self::ScatterPlaces => "scatter_places",
			Self::Scatter => "scatter",
			Self::DepthwiseConv2d => "depthwise_conv2d",
			Self::TransposeConv2d => "transpose_conv2d",
			Self::Conv(Form::Single) => "conv",
			Self::Conv(Form::Packed) => "conv_packed",
			Self::MatMul(Form::Single) => "matmul",
			Self::MatMul(Form::Packed) => "matmul_packed",
		}
	}

	/// The WGSL text, shared parts included.
	pub(crate) fn source(self) -> String {
		let parts: &[&str] = match self {
			Self::Load => &[FLAT, TYPES, include_str!("kernels/load.wgsl")],
			Self::Store => &[FLAT, include_str!("kernels/store.wgsl")],
			Self::Copy => &[FLAT, include_str!("kernels/copy.wgsl")],
			Self::Elementwise(_) => &[FLAT, TYPES, WIDE, include_str!("kernels/elementwise.wgsl")],
			Self::Reduce(_) => &[FLAT, include_str!("kernels/reduce.wgsl")],
			Self::ArgMax => &[FLAT, include_str!("kernels/argmax.wgsl")],
			Self::Gather => &[FLAT, include_str!("kernels/gather.wgsl")],
			Self::Table => &[FLAT, TYPES, include_str!("kernels/table.wgsl")],
			Self::Rescale => &[FLAT, WIDE, include_str!("kernels/rescale.wgsl")],
			Self::MaxPool2d => &[FLAT, include_str!("kernels/maxpool2d.wgsl")],
			Self::Pack(_) => &[FLAT, include_str!("kernels/pack.wgsl")],
			Self::AvgPool2d => &[FLAT, WIDE, include_str!("kernels/avgpool2d.wgsl")],
			Self::Resize(_) => &[FLAT, include_str!("kernels/resize.wgsl")],
			Self::ScatterPlaces => &[FLAT, include_str!("kernels/scatter_places.wgsl")],
			Self::Scatter => &[FLAT, include_str!("kernels/scatter.wgsl")],
			Self::DepthwiseConv2d => &[FLAT, include_str!("kernels/depthwise_conv2d.wgsl")],
			Self::TransposeConv2d => &[FLAT, include_str!("kernels/transpose_conv2d.wgsl")],
			Self::Conv(Form::Single) => &[TILE_PARTS, MULTIPLY, CONV],
			Self::Conv(Form::Packed) => &[TILE_PARTS, MULTIPLY_PACKED, CONV],
			Self::MatMul(Form::Single) => &[TILE_PARTS, MULTIPLY, MATMUL],
			Self::MatMul(Form::Packed) => &[TILE_PARTS, MULTIPLY_PACKED, MATMUL],
		};
		parts.concat()
	}

	/// Number of operand buffers.
	pub(crate) fn operands(self) -> usize {
		match self {
			Self::Load
			| Self::Store
			| Self::Copy
			| Self::Reduce(_)
			| Self::MaxPool2d
			| Self::AvgPool2d
			| Self::Resize(_)
			| Self::ScatterPlaces
			| Self::Pack(_) => 1,
			Self::ArgMax | Self::Gather | Self::Table => 2,
			Self::Elementwise(_)
			| Self::Rescale
			| Self::Scatter
			| Self::DepthwiseConv2d
			| Self::TransposeConv2d
			| Self::Conv(_)
			| Self::MatMul(_) => 3,
		}
	}

	/// Value of the pipeline constant `OP`, where the kernel has one.
	pub(crate) fn op(self) -> Option<u32> {
		match self {
			Self::Elementwise(op) => Some(op.code()),
			Self::Reduce(op) => Some(op as u32),
			Self::Pack(plane) => Some(plane as u32),
			Self::Resize(interpolation) => Some(interpolation as u32),
			_ => None,
		}
	}

	/// Units that one workgroup computes.
	pub(crate) fn units_per_group(self) -> u64 {
		match self {
			Self::Conv(_) | Self::MatMul(_) => 1,
			_ => FLAT_GROUP,
		}
	}

	/// One kernel of each shader module.
	#[cfg(test)]
	pub(crate) const MODULES: [Kernel; 21] = [
		Self::Load,
		Self::Store,
		Self::Copy,
		Self::Elementwise(Elementwise::Cast),
		Self::Reduce(Reduction::Sum),
		Self::ArgMax,
		Self::Gather,
		Self::Table,
		Self::Rescale,
		Self::MaxPool2d,
		Self::Pack(Plane::Whole),
		Self::AvgPool2d,
		Self::Resize(Interpolation::Bilinear),
		Self::ScatterPlaces,
		Self::Scatter,
		Self::DepthwiseConv2d,
		Self::TransposeConv2d,
		Self::Conv(Form::Single),
		Self::Conv(Form::Packed),
		Self::MatMul(Form::Single),
		Self::MatMul(Form::Packed),
	];
}

/// Parameters of `load`.
#[repr(C)]
#[derive(Clone, Copy, Default, Pod, Zeroable)]
pub(crate) struct LoadParams {
	pub first: u32,
	pub count: u32,
	pub rank: u32,
	pub dtype: u32,
	pub extents: [u32; 6],
	pub strides: [u32; 6],
}

/// Parameters of `store`.
#[repr(C)]
#[derive(Clone, Copy, Default, Pod, Zeroable)]
pub(crate) struct StoreParams {
	pub first: u32,
	pub count: u32,
	pub rank: u32,
	pub pack: u32,
	pub elements: u32,
	pub extents: [u32; 6],
	pub strides: [u32; 6],
}

/// Parameters of `copy`.
#[repr(C)]
#[derive(Clone, Copy, Default, Pod, Zeroable)]
pub(crate) struct CopyParams {
	pub first: u32,
	pub count: u32,
	pub rank: u32,
	pub source_base: u32,
	pub out_base: u32,
	pub extents: [u32; 12],
	pub from_strides: [u32; 12],
	pub to_strides: [u32; 12],
}

/// Parameters of `elementwise`.
#[repr(C)]
#[derive(Clone, Copy, Default, Pod, Zeroable)]
pub(crate) struct ElementwiseParams {
	pub first: u32,
	pub count: u32,
	pub rank: u32,
	pub dtype: u32,
	pub k0: i32,
	pub k1: i32,
	pub extents: [u32; 6],
	pub strides: [[u32; 6]; 3],
}

/// Parameters of `reduce`.
#[repr(C)]
#[derive(Clone, Copy, Default, Pod, Zeroable)]
pub(crate) struct ReduceParams {
	pub first: u32,
	pub count: u32,
	pub length: u32,
	pub inner: u32,
	pub chunk: u32,
	pub chunks: u32,
}

/// Parameters of `argmax`.
#[repr(C)]
#[derive(Clone, Copy, Default, Pod, Zeroable)]
pub(crate) struct ArgMaxParams {
	pub first: u32,
	pub count: u32,
	pub length: u32,
	pub inner: u32,
	pub chunk: u32,
	pub chunks: u32,
	pub candidates: u32,
	pub indexed: u32,
}

/// Parameters of `gather`.
#[repr(C)]
#[derive(Clone, Copy, Default, Pod, Zeroable)]
pub(crate) struct GatherParams {
	pub first: u32,
	pub count: u32,
	pub rows: u32,
	pub width: u32,
	pub channels: u32,
}

/// Parameters of `table`.
#[repr(C)]
#[derive(Clone, Copy, Default, Pod, Zeroable)]
pub(crate) struct TableParams {
	pub first: u32,
	pub count: u32,
	pub dtype: u32,
}

/// Parameters of `rescale`.
#[repr(C)]
#[derive(Clone, Copy, Default, Pod, Zeroable)]
pub(crate) struct RescaleParams {
	pub first: u32,
	pub count: u32,
	pub channels: u32,
	pub input_zero_point: i32,
	pub output_zero_point: i32,
	pub low: i32,
	pub high: i32,
}

/// Parameters of `maxpool2d`.
#[repr(C)]
#[derive(Clone, Copy, Default, Pod, Zeroable)]
pub(crate) struct MaxPoolParams {
	pub first: u32,
	pub count: u32,
	pub height: u32,
	pub width: u32,
	pub channels: u32,
	pub out_height: u32,
	pub out_width: u32,
	pub kernel: [u32; 2],
	pub pad_top: u32,
	pub pad_left: u32,
	pub stride: [u32; 2],
	pub low: i32,
	pub k_begin: u32,
	pub k_end: u32,
}

/// Parameters of `pack`.
#[repr(C)]
#[derive(Clone, Copy, Default, Pod, Zeroable)]
pub(crate) struct PackParams {
	pub first: u32,
	pub count: u32,
	pub length: u32,
	pub words: u32,
	pub inner: u32,
	pub zero_point: i32,
	pub out_base: u32,
}

/// Parameters of `avgpool2d`.
#[repr(C)]
#[derive(Clone, Copy, Default, Pod, Zeroable)]
pub(crate) struct AvgPoolParams {
	pub first: u32,
	pub count: u32,
	pub height: u32,
	pub width: u32,
	pub channels: u32,
	pub out_height: u32,
	pub out_width: u32,
	pub kernel: [u32; 2],
	pub pad_top: u32,
	pub pad_left: u32,
	pub stride: [u32; 2],
	pub input_zero_point: i32,
	pub output_zero_point: i32,
	pub low: i32,
	pub high: i32,
	pub k_begin: u32,
	pub k_end: u32,
}

/// Parameters of `resize`.
#[repr(C)]
#[derive(Clone, Copy, Default, Pod, Zeroable)]
pub(crate) struct ResizeParams {
	pub first: u32,
	pub count: u32,
	pub height: u32,
	pub width: u32,
	pub channels: u32,
	pub out_height: u32,
	pub out_width: u32,
	pub numerator: [u32; 2],
	pub denominator: [u32; 2],
	pub offset: [i32; 2],
}

/// Parameters of `scatter_places` and `scatter`; the former has no channels.
#[repr(C)]
#[derive(Clone, Copy, Default, Pod, Zeroable)]
pub(crate) struct ScatterParams {
	pub first: u32,
	pub count: u32,
	pub rows: u32,
	pub width: u32,
	pub channels: u32,
}

/// Parameters of `depthwise_conv2d`.
#[repr(C)]
#[derive(Clone, Copy, Default, Pod, Zeroable)]
pub(crate) struct DepthwiseParams {
	pub first: u32,
	pub count: u32,
	pub height: u32,
	pub width: u32,
	pub channels: u32,
	pub filters: u32,
	pub out_height: u32,
	pub out_width: u32,
	pub kernel: [u32; 2],
	pub pad_top: u32,
	pub pad_left: u32,
	pub stride: [u32; 2],
	pub dilation: [u32; 2],
	pub input_zero_point: i32,
	pub weight_zero_point: i32,
	pub bias_stride: u32,
	pub k_begin: u32,
	pub k_end: u32,
}

/// Parameters of `transpose_conv2d`.
#[repr(C)]
#[derive(Clone, Copy, Default, Pod, Zeroable)]
pub(crate) struct TransposeConvParams {
	pub first: u32,
	pub count: u32,
	pub height: u32,
	pub width: u32,
	pub channels: u32,
	pub filters: u32,
	pub out_height: u32,
	pub out_width: u32,
	pub kernel: [u32; 2],
	pub pad_top: i32,
	pub pad_left: i32,
	pub stride: [u32; 2],
	pub input_zero_point: i32,
	pub weight_zero_point: i32,
	pub bias_stride: u32,
	pub reach_x: u32,
	pub k_begin: u32,
	pub k_end: u32,
	pub c_begin: u32,
	pub c_end: u32,
	pub accumulate: u32,
}

/// Parameters of `conv`. Triples are in depth, vertical and horizontal.
#[repr(C)]
#[derive(Clone, Copy, Default, Pod, Zeroable)]
pub(crate) struct ConvParams {
	pub first: u32,
	pub tiles: u32,
	pub column_tiles: u32,
	pub rows: u32,
	pub depth: u32,
	pub columns: u32,
	pub k_begin: u32,
	pub k_end: u32,
	pub extents: [u32; 3],
	pub channels: u32,
	pub out_extents: [u32; 3],
	pub kernel_height: u32,
	pub kernel_width: u32,
	pub pad: [u32; 3],
	pub stride: [u32; 3],
	pub dilation: [u32; 3],
	pub input_zero_point: i32,
	pub weight_zero_point: i32,
	pub bias_stride: u32,
	pub input_base: u32,
	pub fill: i32,
	pub accumulate: u32,
	pub shift: u32,
	pub bias_factor: i32,
}

/// Parameters of `matmul`.
#[repr(C)]
#[derive(Clone, Copy, Default, Pod, Zeroable)]
pub(crate) struct MatMulParams {
	pub first: u32,
	pub tiles: u32,
	pub row_tiles: u32,
	pub column_tiles: u32,
	pub rows: u32,
	pub depth: u32,
	pub columns: u32,
	pub k_begin: u32,
	pub k_end: u32,
	pub a_zero_point: i32,
	pub b_zero_point: i32,
	pub a_base: u32,
	pub accumulate: u32,
	pub shift: u32,
	pub offset_factor: i32,
}

#[cfg(test)]
mod tests {
	use super::*;
	use wgpu::naga::{
		front::wgsl,
		valid::{Capabilities, ValidationFlags, Validator},
	};

	#[test]
	fn every_kernel_is_valid_wgsl_with_the_bindings_the_host_provides() {
		for kernel in Kernel::MODULES {
			let source = kernel.source();
			let module = wgsl::parse_str(&source)
				.unwrap_or_else(|e| panic!("{}: {}", kernel.name(), e.emit_to_string(&source)));
			Validator::new(ValidationFlags::all(), Capabilities::empty())
				.validate(&module)
				.unwrap_or_else(|e| panic!("{}: {e:?}", kernel.name()));
			let bindings = module.global_variables.iter().filter(|(_, g)| g.binding.is_some());
			assert_eq!(bindings.count(), kernel.operands() + 2, "{}", kernel.name());
		}
	}

	#[test]
	fn parameter_blocks_fit_their_slots() {
		for size in [
			size_of::<LoadParams>(),
			size_of::<StoreParams>(),
			size_of::<CopyParams>(),
			size_of::<ElementwiseParams>(),
			size_of::<MaxPoolParams>(),
			size_of::<AvgPoolParams>(),
			size_of::<ResizeParams>(),
			size_of::<DepthwiseParams>(),
			size_of::<TransposeConvParams>(),
			size_of::<ConvParams>(),
			size_of::<MatMulParams>(),
		] {
			assert!(size <= crate::gpu::executor::PARAMS_SLOT as usize, "{size}");
		}
	}
}
