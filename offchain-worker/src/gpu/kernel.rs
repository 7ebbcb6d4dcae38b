// SPDX-License-Identifier: Apache-2.0

//! The WGSL kernels: their sources and operand counts.
//!
//! Binding 0 is the parameter block, binding 1 the output, the operands follow.

use super::product::{Ending, Variant};
use std::borrow::Cow;
use tensornet_tensor::{Binary, Interpolation, Reduction, Unary};

/// Invocations of one workgroup of an elementwise kernel, each computing one unit.
pub(crate) const FLAT_GROUP: u64 = 64;

/// Rows and columns of the output tile of one workgroup of the matrix kernels of values of any width.
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
	/// In two and in three dimensions.
	Conv,
	MatMul,
	Pack(Plane),
	Unfold(Plane),
	ColumnTerms,
	RowTerms,
	Product(Variant, Ending),
}

/// Which byte of a value a packed operand holds; the numbers are the kernel's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
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
const PLANE: &str = include_str!("kernels/plane.wgsl");
const TILE_PARTS: &str = include_str!("kernels/tile.wgsl");

impl Kernel {
	/// Name of the kernel, which identifies its shader module.
	pub(crate) fn name(self) -> Cow<'static, str> {
		let name = match self {
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
			Self::AvgPool2d => "avgpool2d",
			Self::Resize(_) => "resize",
			Self::ScatterPlaces => "scatter_places",
			Self::Scatter => "scatter",
			Self::DepthwiseConv2d => "depthwise_conv2d",
			Self::TransposeConv2d => "transpose_conv2d",
			Self::Conv => "conv",
			Self::MatMul => "matmul",
			Self::Pack(_) => "pack",
			Self::Unfold(_) => "unfold",
			Self::ColumnTerms => "column_terms",
			Self::RowTerms => "row_terms",
			Self::Product(variant, _) => return variant.to_string().into(),
		};
		name.into()
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
			Self::AvgPool2d => &[FLAT, WIDE, include_str!("kernels/avgpool2d.wgsl")],
			Self::Resize(_) => &[FLAT, include_str!("kernels/resize.wgsl")],
			Self::ScatterPlaces => &[FLAT, include_str!("kernels/scatter_places.wgsl")],
			Self::Scatter => &[FLAT, include_str!("kernels/scatter.wgsl")],
			Self::DepthwiseConv2d => &[FLAT, include_str!("kernels/depthwise_conv2d.wgsl")],
			Self::TransposeConv2d => &[FLAT, include_str!("kernels/transpose_conv2d.wgsl")],
			Self::Conv => &[TILE_PARTS, include_str!("kernels/conv.wgsl")],
			Self::MatMul => &[TILE_PARTS, include_str!("kernels/matmul.wgsl")],
			Self::Pack(_) => &[FLAT, PLANE, include_str!("kernels/pack.wgsl")],
			Self::Unfold(_) => &[FLAT, PLANE, include_str!("kernels/unfold.wgsl")],
			Self::ColumnTerms => &[FLAT, include_str!("kernels/column_terms.wgsl")],
			Self::RowTerms => &[FLAT, include_str!("kernels/row_terms.wgsl")],
			Self::Product(variant, _) => return [WIDE, &variant.source()].concat(),
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
			| Self::Pack(_)
			| Self::Unfold(_)
			| Self::RowTerms => 1,
			Self::ArgMax | Self::Gather | Self::Table | Self::MatMul => 2,
			Self::Elementwise(_)
			| Self::Rescale
			| Self::Scatter
			| Self::DepthwiseConv2d
			| Self::TransposeConv2d
			| Self::Conv => 3,
			Self::ColumnTerms | Self::Product(..) => 4,
		}
	}

	/// Value of the pipeline constant `OP`, where the kernel has one.
	pub(crate) fn op(self) -> Option<u32> {
		match self {
			Self::Elementwise(op) => Some(op.code()),
			Self::Reduce(op) => Some(op as u32),
			Self::Pack(plane) | Self::Unfold(plane) => Some(plane as u32),
			Self::Resize(interpolation) => Some(interpolation as u32),
			Self::Product(_, ending) => Some(ending.code()),
			_ => None,
		}
	}

	/// Units that one workgroup computes.
	pub(crate) fn units_per_group(self) -> u64 {
		match self {
			Self::Conv | Self::MatMul | Self::Product(..) => 1,
			_ => FLAT_GROUP,
		}
	}

	/// Whether it is a part of a product of bytes.
	pub(crate) fn multiplies(self) -> bool {
		matches!(
			self,
			Self::Pack(_)
				| Self::Unfold(_)
				| Self::ColumnTerms
				| Self::RowTerms
				| Self::Product(..)
		)
	}

	/// One kernel of each shader module.
	#[cfg(test)]
	pub(crate) fn modules() -> Vec<Kernel> {
		use super::product::Finish;
		let ending = Ending { finish: Finish::Rescale, accumulate: true, row_terms: true };
		let products = Variant::ALL.iter().map(|variant| Self::Product(*variant, ending));
		let others = [
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
			Self::AvgPool2d,
			Self::Resize(Interpolation::Bilinear),
			Self::ScatterPlaces,
			Self::Scatter,
			Self::DepthwiseConv2d,
			Self::TransposeConv2d,
			Self::Conv,
			Self::MatMul,
			Self::Pack(Plane::Whole),
			Self::Unfold(Plane::Whole),
			Self::ColumnTerms,
			Self::RowTerms,
		];
		others.into_iter().chain(products).collect()
	}
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
		for kernel in Kernel::modules() {
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
}
