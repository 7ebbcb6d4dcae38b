// SPDX-License-Identifier: Apache-2.0

//! Functions of single elements: limits, factors, and tables for everything else.
//!
//! A table has 513 entries between which the integers interpolate. It covers only the part of the operand's
//! range in which the function bends: where a function becomes flat (sigmoid) the operand is limited, and
//! where it becomes 0 on the left and x on the right (GELU, SiLU, hard swish) the table holds its
//! difference from `max(x, 0)`, which becomes flat. What is read in eight bits alone has a table of the function itself
//! where that is accurate enough: the difference costs five more operators.

use super::{sum_unit, Lowering, Source, HEADROOM};
use crate::{
	error::CompileError,
	graph::{Expr, NodeId},
	quantise::Quant,
};
use tensornet_tensor::{Binary, DType, Op, ValueId};

/// Points at which a function is looked at.
const POINTS: usize = 4096;

/// An error below a step divided by this does not count.
const UNSEEN: f64 = 16.0;

/// Whether a function only limits, or multiplies by a positive number.
pub fn derived(expr: &Expr) -> bool {
	expr.limits().is_some() || factor(expr).is_some()
}

fn factor(expr: &Expr) -> Option<f64> {
	expr.affine().filter(|(factor, offset)| *factor > 0.0 && *offset == 0.0).map(|(f, _)| f)
}

/// The part of `low..high` outside which `f` stays within `tolerance` of its value at the end.
fn bends(f: &dyn Fn(f64) -> f64, low: f64, high: f64, tolerance: f64) -> (f64, f64) {
	let at = |place: usize| low + (high - low) * place as f64 / POINTS as f64;
	let flat = |places: &mut dyn Iterator<Item = usize>, end: f64| {
		places.take_while(|place| (f(at(*place)) - end).abs() <= tolerance).count()
	};
	let left = flat(&mut (0..=POINTS), f(low)).saturating_sub(1);
	let right = flat(&mut (0..=POINTS).rev(), f(high)).saturating_sub(1);
	if left + right >= POINTS {
		return (low, high);
	}
	(at(left), at(POINTS - right))
}

/// The largest distance of `f` from the straight lines between its values at the 513 entries of a table for
/// `low..high`, in the middle of each.
fn interpolation_error(f: &dyn Fn(f64) -> f64, low: f64, high: f64) -> f64 {
	let at = |place: f64| f(low + (high - low) * place / 512.0);
	let error = |i: i32| {
		let i = i as f64;
		(at(i + 0.5) - (at(i) + at(i + 1.0)) / 2.0).abs()
	};
	(0..512).map(error).fold(0.0, f64::max)
}

impl Lowering<'_> {
	/// The integers of an operand that is only limited or multiplied.
	pub(super) fn limited(
		&mut self,
		x: NodeId,
		expr: &Expr,
		quant: Quant,
	) -> Result<ValueId, CompileError> {
		if let Some(factor) = factor(expr) {
			return self.integers(x, Quant { unit: quant.unit / factor, ..quant });
		}
		let value = self.integers(x, quant)?;
		let (low, high) = expr.limits().unwrap_or((f64::NEG_INFINITY, f64::INFINITY));
		let (low, high) = (quant.of(low), quant.of(high));
		if low <= quant.low && high >= quant.high {
			return Ok(value);
		}
		Ok(self.emit.clamp(value, low, high)?)
	}

	/// A function by table.
	pub(super) fn function(&mut self, id: NodeId, expr: &Expr) -> Result<Source, CompileError> {
		let x = self.graph.nodes[id].inputs[0];
		let range = self.range(x);
		let (low, high) = (range.low * HEADROOM, range.high * HEADROOM);
		let (low, high) = (low.min(range.low).min(0.0), high.max(range.high).max(0.0));
		let out = self.range(id).largest().max(1e-9);
		let finite = |y: f64| if y.is_finite() { y } else { 0.0 };
		let plain = |x: f64| finite(expr.at(x));
		let rest = |x: f64| finite(expr.at(x)) - x.max(0.0);
		let tolerance = out / (1 << 14) as f64;
		let all = bends(&plain, low, high, tolerance);
		let part = bends(&rest, low, high, tolerance);
		// A byte does not show what the half-covered range would gain.
		let enough = self.byte_step(id).is_some_and(|step| {
			let error = interpolation_error(&plain, all.0, all.1.max(all.0 + 1e-6));
			error <= step / UNSEEN
		});
		let hinged = !enough && (part.1 - part.0) * 2.0 < all.1 - all.0;
		let (low, high) = if hinged { part } else { all };
		let f: &dyn Fn(f64) -> f64 = if hinged { &rest } else { &plain };

		let place = Quant::between(low, high.max(low + 1e-6));
		let entries: Vec<f64> = (0..=512).map(|i| f(place.real(i * 128 - 32_768))).collect();
		let largest = entries.iter().fold(1e-12f64, |max, y| max.max(y.abs()));
		let unit = largest / 32_767.0;
		let entries: Vec<i32> = entries.iter().map(|y| (y / unit).round() as i32).collect();
		let table = self.emit.inline(DType::I16, &[513], &entries)?;
		let index = self.integers(x, place)?;
		// Seven more bits come from the interpolation.
		let value = self.emit.op(Op::Table, &[index, table])?;
		let unit = unit / 128.0;
		if !hinged {
			return Ok(Source::Sums(value, vec![unit]));
		}
		let wide = Quant::i32(sum_unit(self.range(x).largest().max(largest) * HEADROOM));
		let rest = self.rounded(id, value, 0, &[unit], &wide)?;
		let rest = self.emit.clamp(rest, -(1 << 29), 1 << 29)?;
		let positive = self.integers(x, wide)?;
		let positive = self.emit.clamp(positive, 0, 1 << 29)?;
		let sum = self.emit.binary(Binary::Add, positive, rest)?;
		Ok(Source::Sums(sum, vec![wide.unit]))
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::exact;

	#[test]
	fn a_table_covers_only_where_a_function_bends() {
		let (low, high) = bends(&exact::sigmoid, -100.0, 50.0, 1e-4);
		assert!(low > -11.0 && low < -8.0 && high < 11.0 && high > 8.0, "{low} {high}");
		let rest = |x: f64| x * exact::sigmoid(x) - x.max(0.0);
		let (low, high) = bends(&rest, -100.0, 100.0, 1e-3);
		assert!(low > -12.0 && high < 12.0, "{low} {high}");
		assert_eq!(bends(&|x| x, -1.0, 2.0, 1e-6), (-1.0, 2.0));
		assert_eq!(bends(&|_| 3.0, -1.0, 2.0, 1e-6), (-1.0, 2.0));
	}

	#[test]
	fn interpolation_is_as_far_off_as_half_the_bend_between_entries() {
		// x² is h²/4 below the line in the middle of entries at a distance of h.
		let error = interpolation_error(&|x| x * x, -256.0, 256.0);
		assert!((error - 0.25).abs() < 1e-9, "{error}");
		assert_eq!(interpolation_error(&|x| 3.0 * x - 1.0, -256.0, 256.0), 0.0);
	}

	#[test]
	fn limits_and_positive_factors_need_no_table() {
		use crate::graph::Arithmetic;
		assert!(derived(&Expr::clip(0.0, 6.0)));
		assert!(derived(&Expr::identity().with(Arithmetic::Mul, 0.25)));
		assert!(!derived(&Expr::identity().with(Arithmetic::Mul, -1.0)));
		assert!(!derived(&Expr::identity().with(Arithmetic::Add, 1.0)));
	}
}
