// SPDX-License-Identifier: Apache-2.0

//! Smooth functions of one number by tables of 513 entries.
//!
//! The operand is brought onto a grid of 65,536 points that covers no more than the part of the line on
//! which the function is curved. The pieces of the result, each left out where it would change less
//! than 1/64 of a step:
//!
//! - a table with linear interpolation, of 16-bit entries;
//! - a second table with the next 15 bits of the same entries;
//! - the bend of the function between two entries: with `t` the place between them and `c` an eighth of
//!   the second difference, linear interpolation is too high by `4 t (1 − t) c`. `c` is a table too,
//!   read at `t` or, where the third difference counts, at `(1 + t) / 3`;
//! - for an I32 operand, its distance from the grid point times the slope there, a table again.
//!
//! What remains is of third order, `0.016 h³ |f‴|` for entries at a distance of `h`, where that is below
//! `bend_error` of a step, and of fourth order otherwise.

use super::{
	expand::Expand,
	quant::{Factor, Quant},
	real, MacroError,
};
use crate::{Binary, DType, ValueId};

/// Distance of two entries in grid points.
const SEGMENT: f64 = 128.0;

/// Results are limited to this many fine units.
const LIMIT: i32 = 1 << 30;

/// Entries are limited to this many: beyond what a result can be, so that it is right up to its limit, and
/// so few that no sum of pieces can wrap.
const ENTRY_LIMIT: f64 = 1.5 * LIMIT as f64;

/// The most grid points for one step of the operand. Bounds the operand times it inside 31 bits.
const MOST_GAIN: f64 = 8192.0;

/// Pieces that change less than a step divided by this are left out.
const NEGLIGIBLE: f64 = 64.0;

/// The usual [`bend_error`](Curve::bend_error).
pub(super) const BEND_ERROR: f64 = 1.0 / 32.0;

/// A smooth function and where it is curved.
pub(super) struct Curve<'f> {
	/// The function.
	pub function: &'f dyn Fn(f64) -> f64,
	/// Below, the function may be taken as constant.
	pub low: f64,
	/// Above, the function may be taken as constant or, with `identity_above`, as rising with slope 1.
	pub high: f64,
	/// See `high`.
	pub identity_above: bool,
	/// How many results will be added up: what is left out or rounded in the same way in all of them
	/// must be so many times smaller.
	pub terms: f64,
	/// The part of a step by which an inexact bend may move a result. It is in proportion to the function
	/// and does not add up.
	pub bend_error: f64,
}

/// An operand on the grid.
struct Grid {
	/// I16: the grid point.
	place: ValueId,
	/// Real value of a grid step.
	unit: f64,
	/// Real value of grid point 0.
	centre: f64,
	/// Whether `place` is always a multiple of [`SEGMENT`].
	on_entries: bool,
	/// Where grid points are further apart than operands: the operand less `centre`, I32, and of how many
	/// (as a power of two) of its steps a grid step consists.
	rest: Option<(ValueId, i32)>,
	/// I32, not negative: how far the operand is above the grid, and the real value of one unit.
	excess: Option<(ValueId, f64)>,
}

impl Curve<'_> {
	/// The function of `x` as I32 in units of `fine`, right where it is within ±2³⁰ of them. `step` is
	/// what the result will be rounded to.
	pub fn expand(
		&self,
		e: &mut Expand,
		x: ValueId,
		from: &Quant,
		fine: f64,
		step: f64,
	) -> Result<ValueId, MacroError> {
		let grid = self.grid(e, x, from)?;
		let visible = step / fine * self.bend_error;
		let negligible = step / fine / NEGLIGIBLE / self.terms;
		// Further out the function is constant, or no operand comes there.
		let index = |real: f64| (real - grid.centre) / (SEGMENT * grid.unit) + 256.0;
		let first = index(self.low).floor() - 2.0;
		let last = if self.identity_above { 514.0 } else { index(self.high).ceil() + 2.0 };
		let at = |i: f64| {
			let real =
				(i.clamp(first, last.max(first)) - 256.0) * SEGMENT * grid.unit + grid.centre;
			((self.function)(real) / fine).clamp(-ENTRY_LIMIT, ENTRY_LIMIT)
		};
		let each = |f: &dyn Fn(f64) -> f64| -> Vec<f64> {
			let inside = |i: &f64| *i > first && *i < last;
			let f = |i: f64| if inside(&i) { f(i) } else { 0.0 };
			(0..=512).map(|i| f(i as f64)).collect()
		};
		let nodes: Vec<f64> = (0..=512).map(|i| at(i as f64)).collect();

		let mut sum = lines(e, grid.place, &nodes, negligible)?;
		if !grid.on_entries {
			let bends = each(&|i| (at(i - 1.0) - 2.0 * at(i) + at(i + 1.0)) / 8.0);
			if largest(&bends) > negligible {
				let bend = bend(e, grid.place, &bends, negligible, visible)?;
				sum = e.binary(Binary::Sub, sum, bend)?;
			}
		}
		if let Some((near, power)) = grid.rest {
			let slopes = each(&|i| (at(i + 0.125) - at(i - 0.125)) / (SEGMENT / 4.0));
			if largest(&slopes) / 2.0 > negligible {
				let rise = rise(e, grid.place, near, power, &slopes)?;
				sum = e.binary(Binary::Add, sum, rise)?;
			}
		}
		if let Some((excess, unit)) = grid.excess {
			let excess = e.rescale(excess, Factor::of("the operand", unit / fine)?)?;
			let excess = e.clamp(excess, 0, LIMIT - 1)?;
			sum = e.clamp(sum, -LIMIT, LIMIT)?;
			sum = e.binary(Binary::Add, sum, excess)?;
		}
		Ok(sum)
	}

	fn grid(&self, e: &mut Expand, x: ValueId, from: &Quant) -> Result<Grid, MacroError> {
		let dtype = e.dtype(x)?;
		let Quant { scale, zero_point } = *from;
		let zero = zero_point as f64;
		if dtype == DType::I8 {
			// Every value of an I8 has an entry of its own.
			return Ok(Grid {
				place: e.affine(x, 0, Factor { multiplier: 128, shift: 0 }, 0, DType::I16)?,
				unit: scale / SEGMENT,
				centre: -zero * scale,
				on_entries: true,
				rest: None,
				excess: None,
			});
		}
		// The part of the operand's range that matters, in its own steps.
		let (min, max) = (dtype.min() as f64, dtype.max() as f64);
		let high = (self.high / scale + zero).ceil().clamp(min, max);
		let low = (self.low / scale + zero).floor().clamp(min, max).min(high);
		let span = high - low;
		let gain = (65_535.0 / (span + 1.0)).floor().min(MOST_GAIN);
		// With few operands, each can have an entry of its own.
		let gain = if gain >= SEGMENT { gain - gain % SEGMENT } else { gain };
		if dtype == DType::I16 && gain <= 1.0 {
			let centre = -zero * scale;
			return Ok(Grid {
				place: x,
				unit: scale,
				centre,
				on_entries: false,
				rest: None,
				excess: None,
			});
		}
		// The upper end of the grid is the upper end of the domain: of a domain's ends it is the steeper one.
		let mid = (high - (32_767.0 / gain).floor()).max(i32::MIN as f64);
		if dtype == DType::I16 {
			let factor = Factor { multiplier: gain as i32, shift: 0 };
			let place = e.affine(x, mid as i32, factor, 0, DType::I16)?;
			let excess = if self.identity_above && (max - mid) * gain > 32_767.0 {
				let above = e.affine(x, mid as i32, factor, -32_767, DType::I32)?;
				Some((e.clamp(above, 0, i32::MAX)?, scale / gain))
			} else {
				None
			};
			let centre = (mid - zero) * scale;
			return Ok(Grid {
				place,
				unit: scale / gain,
				centre,
				on_entries: gain % SEGMENT == 0.0,
				rest: None,
				excess,
			});
		}
		// I32. A grid around 0 costs no subtraction. Where the whole range matters it is the only one with
		// which nothing wraps.
		let power = real::ceil_log2((span + 1.0) / 65_534.0).clamp(0, 16);
		let step = if gain >= 1.0 { 1.0 / gain } else { real::power(power) };
		let around_zero = span > i32::MAX as f64 || high.max(-low) <= 32_767.0 * step;
		let mid = if around_zero {
			0.0
		} else if gain >= 1.0 {
			mid
		} else {
			high - 32_767.0 * step
		};
		let near = e.clamp(x, low as i32, high as i32)?;
		let near = if mid == 0.0 { near } else { e.with(Binary::Sub, near, mid as i32)? };
		let excess = if self.identity_above && high < max {
			let above = e.with(Binary::Maximum, x, high as i32)?;
			Some((e.with(Binary::Sub, above, high as i32)?, scale))
		} else {
			None
		};
		if gain >= 1.0 {
			let factor = Factor { multiplier: gain as i32, shift: 0 };
			let place = e.affine(near, 0, factor, 0, DType::I16)?;
			let on_entries = gain % SEGMENT == 0.0;
			let (unit, centre) = (scale / gain, mid * scale);
			return Ok(Grid { place, unit, centre, on_entries, rest: None, excess });
		}
		let place = e.affine(near, 0, Factor::power(-power), 0, DType::I16)?;
		Ok(Grid {
			place,
			unit: real::scale(scale, power),
			centre: mid * scale,
			on_entries: false,
			rest: Some((near, power)),
			excess,
		})
	}
}

fn largest(values: &[f64]) -> f64 {
	values.iter().fold(0.0, |most, value| most.max(value.abs()))
}

/// The power of two that, as the unit of 16-bit entries, holds all values.
fn entry_power(values: &[f64]) -> i32 {
	real::ceil_log2((largest(values) / 32_767.0).max(real::power(-24)))
}

fn entries(values: &[f64], power: i32) -> Vec<i32> {
	values
		.iter()
		.map(|value| real::scale(*value, -power).round().clamp(-32_768.0, 32_767.0) as i32)
		.collect()
}

/// Linear interpolation between entries: one table, or two where 16 bits are too few.
fn lines(
	e: &mut Expand,
	place: ValueId,
	nodes: &[f64],
	negligible: f64,
) -> Result<ValueId, MacroError> {
	let power = entry_power(nodes);
	let coarse = entries(nodes, power);
	let sum = e.table(place, &coarse)?;
	let sum = e.rescale(sum, Factor::power(power - 7))?;
	if real::power(power - 1) <= negligible {
		return Ok(sum);
	}
	let residue: Vec<f64> =
		nodes.iter().zip(&coarse).map(|(v, c)| v - real::scale(*c as f64, power)).collect();
	// A residue is at most half a coarse unit, which 2¹⁴ units hold.
	let fine_power = power - 15;
	let fine = e.table(place, &entries(&residue, fine_power))?;
	let fine = e.rescale(fine, Factor::power(fine_power - 7))?;
	e.binary(Binary::Add, sum, fine)
}

/// What linear interpolation adds to a bent function: `4 t (1 − t) c`.
fn bend(
	e: &mut Expand,
	place: ValueId,
	bends: &[f64],
	negligible: f64,
	visible: f64,
) -> Result<ValueId, MacroError> {
	let wide = e.widen(place)?;
	// The low bits are those of an unsigned number: the offset makes it one without changing them.
	let wide = e.with(Binary::Add, wide, 1 << 15)?;
	let t = e.with(Binary::BitwiseAnd, wide, 127)?;

	// Where `c` changes much within a segment, the term of third order counts. It is right (Everett's
	// formula) with `c` taken at (1 + t) / 3 instead of t.
	let changes = bends.windows(2).map(|pair| pair.iter().rev().fold(0.0, |d, c| c - d));
	let third = 0.128 * changes.fold(0.0f64, |most, change| most.max(change.abs()));
	let place = if third > visible {
		let start = e.with(Binary::BitwiseAnd, wide, 0xff80)?;
		let inside = e.affine(t, -128, Factor::of("a third", 1.0 / 3.0)?, 0, DType::I32)?;
		let moved = e.binary(Binary::Add, start, inside)?;
		e.affine(moved, 1 << 15, Factor::power(0), 0, DType::I16)?
	} else {
		place
	};

	let power = entry_power(bends);
	let (bend, power) = if real::power(power - 1) <= negligible {
		// The lookup has 7 fractional bits more than the entries.
		(e.table(place, &entries(bends, power))?, power - 7)
	} else {
		// In units so small that rounding them to integers does not matter.
		let unit = real::ceil_log2(largest(bends)) - 30;
		let scaled: Vec<f64> = bends.iter().map(|bend| real::scale(*bend, -unit)).collect();
		(lines(e, place, &scaled, real::scale(negligible, -unit))?, unit)
	};
	let other = e.minus_from(128, t)?;
	// 4 t (1 − t) in units of 2⁻¹².
	let weight = e.mul(t, other, 0)?;
	scaled_product(e, bend, weight, power - 12)
}

/// Slope times the distance of `near` from its grid point.
fn rise(
	e: &mut Expand,
	place: ValueId,
	near: ValueId,
	near_power: i32,
	slopes: &[f64],
) -> Result<ValueId, MacroError> {
	let back = e.affine(place, 0, Factor::power(near_power), 0, DType::I32)?;
	let rest = e.binary(Binary::Sub, near, back)?;
	let rest = e.clamp(rest, -(1 << near_power), 1 << near_power)?;
	let power = entry_power(slopes);
	let slope = e.table(place, &entries(slopes, power))?;
	scaled_product(e, slope, rest, power - 7 - near_power)
}

/// `a × b × 2^power`.
fn scaled_product(
	e: &mut Expand,
	a: ValueId,
	b: ValueId,
	power: i32,
) -> Result<ValueId, MacroError> {
	if power >= 0 {
		// Only a function that leaps between two entries is as steep as this.
		return Err(MacroError::Scale { what: "a function's slope", value: real::power(power) });
	}
	e.mul(a, b, -power)
}
