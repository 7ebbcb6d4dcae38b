// SPDX-License-Identifier: Apache-2.0

use crate::{DType, ProgramError};
use core::fmt;

/// Why a macro cannot be expanded.
#[derive(Clone, Debug, PartialEq)]
pub enum MacroError {
	/// The builder refused an operator.
	Program(ProgramError),
	/// The value is not one of this builder's.
	UnknownValue,
	/// An element type that the macro does not take.
	Type {
		/// The macro.
		name: &'static str,
		/// The type it was given.
		dtype: DType,
		/// The types that it takes.
		takes: &'static str,
	},
	/// The axis does not exist.
	Axis {
		/// The axis.
		axis: usize,
		/// Axes of the operand.
		rank: usize,
	},
	/// More or fewer elements along the axis than the sums of the macro are exact for.
	Extent {
		/// The macro.
		name: &'static str,
		/// Elements along the axis.
		extent: u32,
		/// The fewest.
		least: u32,
		/// The most.
		most: u32,
	},
	/// A scale that is not a positive finite number, or so far from the others that a multiplier of
	/// 31 bits cannot bridge the distance.
	Scale {
		/// What the scale belongs to.
		what: &'static str,
		/// The scale or the ratio of scales.
		value: f64,
	},
	/// A zero point outside the type, or one other than 0 on an I32.
	ZeroPoint {
		/// The zero point.
		zero_point: i32,
		/// The type.
		dtype: DType,
	},
	/// Not as many parameters as there are elements along the axis.
	Parameters {
		/// Which.
		what: &'static str,
		/// Given.
		found: usize,
		/// Needed.
		expected: u32,
	},
}

impl From<ProgramError> for MacroError {
	fn from(error: ProgramError) -> Self {
		Self::Program(error)
	}
}

impl fmt::Display for MacroError {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		match self {
			Self::Program(error) => write!(f, "{error}"),
			Self::UnknownValue => write!(f, "the value is not one of this builder's"),
			Self::Type { name, dtype, takes } => write!(f, "{name} takes {takes}, not {dtype:?}"),
			Self::Axis { axis, rank } => write!(f, "axis {axis} of a tensor of {rank} axes"),
			Self::Extent { name, extent, least, most } => {
				write!(f, "{name} over {extent} elements: its sums are exact for {least} to {most}")
			}
			Self::Scale { what, value } => {
				write!(f, "the scale of {what} is out of range: {value}")
			}
			Self::ZeroPoint { zero_point, dtype } => {
				write!(
					f,
					"zero point {zero_point} for {dtype:?}: give one inside I8 or I16, 0 for I32"
				)
			}
			Self::Parameters { what, found, expected } => {
				write!(f, "{found} values of {what} for {expected} elements along the axis")
			}
		}
	}
}

impl std::error::Error for MacroError {
	fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
		match self {
			Self::Program(error) => Some(error),
			_ => None,
		}
	}
}
