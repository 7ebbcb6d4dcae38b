// SPDX-License-Identifier: Apache-2.0

//! The kernels of products of bytes: how many rows and columns a workgroup and an invocation take, and
//! which kernel a product of a size gets where none was measured.

use super::unroll::unrolled;
use crate::devices::DeviceKind;
use std::fmt;

/// Most invocations of a workgroup, as every adapter that is opened offers them.
pub(crate) const MAX_INVOCATIONS: u32 = 256;

/// Workgroup memory that every adapter offers, in bytes.
pub(crate) const WORKGROUP_BYTES: u32 = 8 * 1024;

/// Bytes in a vector of the summed axis.
pub(crate) const VECTOR: u32 = 16;

/// Rows up to which a product is one of few rows.
const FEW: u32 = 8;

/// How a product is cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Form {
	/// Both operands are staged in workgroup memory.
	Tile,
	/// Few rows: nothing is staged, and invocations share the summed axis.
	Rows,
}

/// One kernel of the family.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Variant {
	/// How the product is cut.
	pub form: Form,
	/// Invocations of a workgroup along columns, and along rows (`Tile`) or the summed axis (`Rows`).
	pub lanes: [u32; 2],
	/// Rows and columns of one invocation.
	pub registers: [u32; 2],
	/// Vectors of the summed axis that are staged at once.
	pub step: u32,
}

const fn tile(lanes: [u32; 2], registers: [u32; 2], step: u32) -> Variant {
	Variant { form: Form::Tile, lanes, registers, step }
}

const fn rows(lanes: [u32; 2], registers: [u32; 2]) -> Variant {
	Variant { form: Form::Rows, lanes, registers, step: 1 }
}

const SMALL: Variant = tile([8, 8], [4, 4], 2);
const SQUARE: Variant = tile([8, 8], [8, 8], 2);
const LARGE: Variant = tile([16, 16], [8, 8], 1);
const ROW: Variant = rows([32, 8], [1, 1]);
const TWO_ROWS: Variant = rows([32, 8], [2, 1]);
const FOUR_ROWS: Variant = rows([32, 8], [4, 1]);
const EIGHT_ROWS: Variant = rows([32, 4], [8, 1]);

/// Invocations of the kernels for graphics drivers that compute on the CPU: these execute as many together
/// as fit a vector, one such group after the other, and pay for every barrier, and more for each read
/// than for each product. So there is one group with many elements each, and nothing is staged.
const SERIAL: [u32; 2] = [8, 1];
const SERIAL_ROW: Variant = rows(SERIAL, [1, 16]);
const SERIAL_EIGHT_ROWS: Variant = rows(SERIAL, [8, 8]);
const SERIAL_ROWS: Variant = rows(SERIAL, [16, 8]);

impl Variant {
	/// All of them.
	pub(crate) const ALL: [Variant; 13] = [
		SMALL,
		SQUARE,
		tile([16, 8], [8, 8], 1),
		LARGE,
		tile([16, 8], [16, 8], 1),
		tile([16, 16], [4, 4], 2),
		ROW,
		TWO_ROWS,
		FOUR_ROWS,
		EIGHT_ROWS,
		SERIAL_ROW,
		SERIAL_EIGHT_ROWS,
		SERIAL_ROWS,
	];

	/// The one with a name, as [`Display`](fmt::Display) writes it.
	pub(crate) fn named(name: &str) -> Option<Self> {
		Self::ALL.into_iter().find(|variant| variant.to_string() == name)
	}

	/// The one that a product of this size gets unmeasured.
	pub(crate) fn usual(size: Size, kind: DeviceKind) -> Self {
		let few = size.rows <= FEW;
		if kind == DeviceKind::Software {
			return match size.rows {
				1..=2 => SERIAL_ROW,
				_ if few => SERIAL_EIGHT_ROWS,
				_ => SERIAL_ROWS,
			};
		}
		// Tiles that keep a device of a hundred units busy are preferred to large ones.
		let tiles = |variant: Variant| variant.tiles(size);
		match size.rows {
			1 => ROW,
			2 => TWO_ROWS,
			3..=4 => FOUR_ROWS,
			_ if few => EIGHT_ROWS,
			_ if tiles(LARGE) >= 256 => LARGE,
			_ if tiles(SQUARE) >= 128 => SQUARE,
			_ => SMALL,
		}
	}

	/// Whether it is worth measuring for a product of this size on a device of this kind.
	pub(crate) fn suits(self, size: Size, kind: DeviceKind) -> bool {
		let [rows, _] = self.registers;
		// Three of four rows of an invocation may be idle.
		let fills = size.rows * 4 >= rows;
		match self.form {
			Form::Tile => self == SMALL || size.rows > FEW && size.rows * 2 >= self.tile()[0],
			Form::Rows if self.lanes == SERIAL => {
				kind == DeviceKind::Software && fills && (rows > FEW || size.rows <= 2 * rows)
			}
			Form::Rows => fills && size.rows <= 4 * rows,
		}
	}

	/// Rows and columns of a workgroup.
	pub(crate) fn tile(self) -> [u32; 2] {
		let ([x, y], [rows, columns]) = (self.lanes, self.registers);
		match self.form {
			Form::Tile => [y * rows, x * columns],
			Form::Rows => [rows, x * columns],
		}
	}

	/// Workgroups of a product of this size.
	pub(crate) fn tiles(self, size: Size) -> u64 {
		let [rows, columns] = self.tile();
		let groups = [size.batches, size.rows.div_ceil(rows), size.columns.div_ceil(columns)];
		groups.map(u64::from).iter().product()
	}

	/// Workgroup memory, in bytes.
	#[cfg(test)]
	fn workgroup_bytes(self) -> u32 {
		let [rows, columns] = self.tile();
		match self.form {
			Form::Tile => (rows + columns) * self.step * VECTOR,
			Form::Rows => rows * columns * self.lanes[1] * 4,
		}
	}

	/// The WGSL text but for what it shares with other kernels.
	pub(crate) fn source(self) -> String {
		let ([x, y], [rows, columns]) = (self.lanes, self.registers);
		let [tile_rows, tile_columns] = self.tile();
		let invocations = x * y;
		let constants = [
			("LANES_X", x),
			("LANES_Y", y),
			("INVOCATIONS", invocations),
			("ROWS", rows),
			("COLUMNS", columns),
			("ELEMENTS", rows * columns),
			("TILE_ROWS", tile_rows),
			("TILE_COLUMNS", tile_columns),
			("STEP", self.step),
			("A_LOADS", (tile_rows * self.step).div_ceil(invocations)),
			("B_LOADS", (tile_columns * self.step).div_ceil(invocations)),
		];
		let body = match self.form {
			Form::Tile => include_str!("kernels/product_tile.wgsl"),
			Form::Rows => include_str!("kernels/product_rows.wgsl"),
		};
		let mut source = String::new();
		for (name, value) in constants {
			source += &format!("const {name}: u32 = {value}u;\n");
		}
		source += include_str!("kernels/product.wgsl");
		source += &unrolled(body, &constants);
		source
	}
}

impl fmt::Display for Variant {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		let ([x, y], [rows, columns]) = (self.lanes, self.registers);
		let form = match self.form {
			Form::Tile => "tile",
			Form::Rows => "rows",
		};
		write!(f, "product_{form}_{x}x{y}_{rows}x{columns}_{}", self.step)
	}
}

/// What becomes of the sums of a dispatch. Kernels are specialised for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ending {
	/// What finishes them.
	pub finish: Finish,
	/// Whether they are added to those of the dispatch before.
	pub accumulate: bool,
	/// Whether rows add something as well.
	pub row_terms: bool,
}

/// What finishes sums; the numbers are the kernel's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Finish {
	/// Nothing: they are parts, or the result.
	Nothing,
	/// What columns add.
	Terms,
	/// That, and a rescale.
	Rescale,
}

impl Ending {
	/// The kernel's number for it.
	pub(crate) fn code(self) -> u32 {
		self.finish as u32 + 3 * u32::from(self.accumulate) + 6 * u32::from(self.row_terms)
	}
}

/// The size of a product: `batches` times [rows, depth] x [depth, columns].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Size {
	/// How many products.
	pub batches: u32,
	/// Rows of the left operand.
	pub rows: u32,
	/// Positions of the summed axis.
	pub depth: u32,
	/// Columns of the right operand.
	pub columns: u32,
}

impl Size {
	/// Vectors of the summed axis.
	pub(crate) fn vectors(self) -> u32 {
		self.depth.div_ceil(VECTOR)
	}

	/// Multiply-accumulates.
	pub(crate) fn macs(self) -> u64 {
		let extents = [self.batches, self.rows, self.depth, self.columns];
		extents.into_iter().map(u64::from).fold(1, u64::saturating_mul)
	}
}

/// Which kernel makes a product.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Choice {
	/// The kernel.
	pub variant: Variant,
	/// Multiply-accumulates a second, if it was measured.
	pub rate: Option<u64>,
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn every_variant_fits_every_adapter_and_has_a_name_of_its_own() {
		for variant in Variant::ALL {
			assert!(variant.lanes[0] * variant.lanes[1] <= MAX_INVOCATIONS, "{variant}");
			assert!(variant.workgroup_bytes() <= WORKGROUP_BYTES, "{variant}");
			assert_eq!(Variant::named(&variant.to_string()), Some(variant));
		}
	}

	#[test]
	fn the_usual_variant_of_every_size_is_one_that_is_worth_measuring() {
		for rows in 1..200 {
			let size = Size { batches: 1, rows, depth: 64, columns: 64 };
			for kind in [DeviceKind::Discrete, DeviceKind::Integrated, DeviceKind::Software] {
				let usual = Variant::usual(size, kind);
				assert!(Variant::ALL.contains(&usual), "{usual}");
				assert!(usual.suits(size, kind), "{rows} rows: {usual}");
			}
		}
	}
}
