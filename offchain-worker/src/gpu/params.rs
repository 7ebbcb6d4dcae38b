// SPDX-License-Identifier: Apache-2.0

//! The parameter blocks that the kernels read: binding 0 of each. All begin with `first` and `count`, the
//! units (elements, words or tiles) of one dispatch, so that any kernel can be split into dispatches of
//! bounded time.

use bytemuck::{Pod, Zeroable};

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
	pub vectors: u32,
	pub inner: u32,
	pub outer_stride: u32,
	pub length_stride: u32,
	pub inner_stride: u32,
	pub out_base: u32,
}

/// Parameters of `unfold`. Triples are in depth, vertical and horizontal.
#[repr(C)]
#[derive(Clone, Copy, Default, Pod, Zeroable)]
pub(crate) struct UnfoldParams {
	pub first: u32,
	pub count: u32,
	pub rows: u32,
	pub row_base: u32,
	pub length: u32,
	pub out_base: u32,
	pub extents: [u32; 3],
	pub channels: u32,
	pub out_extents: [u32; 3],
	pub kernel_height: u32,
	pub kernel_width: u32,
	pub pad: [u32; 3],
	pub stride: [u32; 3],
	pub dilation: [u32; 3],
	pub fill: i32,
}

/// Parameters of `column_terms`.
#[repr(C)]
#[derive(Clone, Copy, Default, Pod, Zeroable)]
pub(crate) struct ColumnTermsParams {
	pub first: u32,
	pub count: u32,
	pub columns: u32,
	pub depth: u32,
	pub factor: i32,
	pub constant: i32,
	pub biased: u32,
	pub bias_stride: u32,
	pub scaled: u32,
	pub scale_stride: u32,
}

/// Parameters of `row_terms`.
#[repr(C)]
#[derive(Clone, Copy, Default, Pod, Zeroable)]
pub(crate) struct RowTermsParams {
	pub first: u32,
	pub count: u32,
	pub rows: u32,
	pub depth: u32,
	pub planes: u32,
	pub plane: u32,
	pub factor: i32,
	pub constant: i32,
}

/// Parameters of the products of bytes.
#[repr(C)]
#[derive(Clone, Copy, Default, Pod, Zeroable)]
pub(crate) struct ProductParams {
	pub first: u32,
	pub tiles: u32,
	pub row_tiles: u32,
	pub column_tiles: u32,
	pub rows: u32,
	pub columns: u32,
	pub depth: u32,
	pub k_begin: u32,
	pub k_end: u32,
	pub a_base: u32,
	pub out_base: u32,
	pub shift: u32,
	pub input_zero_point: i32,
	pub output_zero_point: i32,
	pub low: i32,
	pub high: i32,
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
}

#[cfg(test)]
mod tests {
	use super::*;

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
			size_of::<UnfoldParams>(),
			size_of::<ProductParams>(),
		] {
			assert!(size <= crate::gpu::executor::PARAMS_SLOT as usize, "{size}");
		}
	}
}
