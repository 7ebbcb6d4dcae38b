// SPDX-License-Identifier: Apache-2.0

//! Functions of one real number, as the model composes them from its elementwise operators.
//!
//! Whatever a model builds from sums, products, limits, exponentials and constants of one tensor is one
//! such function, whether the model calls it GELU or spells it out.

use crate::exact;

/// Functions of one number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Function {
	/// `e^x`.
	Exp,
	/// Natural logarithm.
	Ln,
	/// Square root.
	Sqrt,
	/// `1 / x`.
	Reciprocal,
	/// Hyperbolic tangent.
	Tanh,
	/// `1 / (1 + e^−x)`.
	Sigmoid,
	/// The error function.
	Erf,
	/// `|x|`.
	Abs,
	/// `−x`.
	Negate,
	/// The next whole number below.
	Floor,
}

/// Functions of two numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arithmetic {
	/// `a + b`.
	Add,
	/// `a − b`.
	Sub,
	/// `a × b`.
	Mul,
	/// `a / b`.
	Div,
	/// `a^b`.
	Pow,
	/// The larger.
	Max,
	/// The smaller.
	Min,
}

/// One step of a function: its arguments are the numbers of earlier steps.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Step {
	Argument,
	Constant(f64),
	Apply(Function, usize),
	Combine(Arithmetic, usize, usize),
}

/// A function of one real number.
#[derive(Clone, Debug, PartialEq)]
pub struct Expr(Vec<Step>);

impl Function {
	/// The value.
	pub fn of(self, x: f64) -> f64 {
		match self {
			Function::Exp => exact::exp(x),
			Function::Ln => exact::ln(x),
			Function::Sqrt => x.sqrt(),
			Function::Reciprocal => 1.0 / x,
			Function::Tanh => exact::tanh(x),
			Function::Sigmoid => exact::sigmoid(x),
			Function::Erf => exact::erf(x),
			Function::Abs => x.abs(),
			Function::Negate => -x,
			Function::Floor => x.floor(),
		}
	}
}

impl Arithmetic {
	/// The value.
	pub fn of(self, a: f64, b: f64) -> f64 {
		match self {
			Arithmetic::Add => a + b,
			Arithmetic::Sub => a - b,
			Arithmetic::Mul => a * b,
			Arithmetic::Div => a / b,
			Arithmetic::Pow => power(a, b),
			Arithmetic::Max => a.max(b),
			Arithmetic::Min => a.min(b),
		}
	}

	/// The name in reports.
	pub fn name(self) -> &'static str {
		match self {
			Arithmetic::Add => "add",
			Arithmetic::Sub => "sub",
			Arithmetic::Mul => "mul",
			Arithmetic::Div => "div",
			Arithmetic::Pow => "pow",
			Arithmetic::Max => "max",
			Arithmetic::Min => "min",
		}
	}
}

/// `x^y`: by multiplication for small whole y, as `e^(y ln x)` otherwise.
fn power(x: f64, y: f64) -> f64 {
	if y == 0.5 {
		return x.sqrt();
	}
	if y.fract() == 0.0 && y.abs() <= 64.0 {
		let product = (0..y.abs() as u32).fold(1.0, |product, _| product * x);
		return if y < 0.0 { 1.0 / product } else { product };
	}
	exact::exp(y * exact::ln(x))
}

impl Expr {
	/// `x`.
	pub fn identity() -> Self {
		Self(vec![Step::Argument])
	}

	/// A number that does not depend on x.
	pub fn constant(value: f64) -> Self {
		Self(vec![Step::Constant(value)])
	}

	/// `function(self(x))`.
	pub fn apply(mut self, function: Function) -> Self {
		self.0.push(Step::Apply(function, self.0.len() - 1));
		self
	}

	/// `operator(self(x), other(x))`.
	pub fn combine(mut self, operator: Arithmetic, other: &Expr) -> Self {
		let a = self.0.len() - 1;
		let offset = self.0.len();
		self.0.extend(other.0.iter().map(|step| step.moved(offset)));
		let b = self.0.len() - 1;
		self.0.push(Step::Combine(operator, a, b));
		self
	}

	/// `operator(self(x), number)`.
	pub fn with(self, operator: Arithmetic, number: f64) -> Self {
		self.combine(operator, &Expr::constant(number))
	}

	/// `self(inner(x))`.
	pub fn after(&self, inner: &Expr) -> Self {
		let mut steps = inner.0.clone();
		let argument = steps.len() - 1;
		let mut places = Vec::with_capacity(self.0.len());
		for step in &self.0 {
			let step = match *step {
				Step::Argument => {
					places.push(argument);
					continue;
				}
				Step::Constant(value) => Step::Constant(value),
				Step::Apply(function, a) => Step::Apply(function, places[a]),
				Step::Combine(operator, a, b) => Step::Combine(operator, places[a], places[b]),
			};
			places.push(steps.len());
			steps.push(step);
		}
		// A function that ends with its argument is the identity: the inner one remains.
		Self(steps)
	}

	/// Limits at `low` and `high`.
	pub fn clip(low: f64, high: f64) -> Self {
		let mut limited = Expr::identity();
		if low > f64::NEG_INFINITY {
			limited = limited.with(Arithmetic::Max, low);
		}
		if high < f64::INFINITY {
			limited = limited.with(Arithmetic::Min, high);
		}
		limited
	}

	/// The value at `x`.
	pub fn at(&self, x: f64) -> f64 {
		self.trace(x, &mut Vec::with_capacity(self.0.len()))
	}

	/// The values at many numbers.
	pub fn map(&self, values: &[f32]) -> Vec<f32> {
		let mut room = Vec::with_capacity(self.0.len());
		values.iter().map(|x| self.trace(*x as f64, &mut room) as f32).collect()
	}

	fn trace(&self, x: f64, values: &mut Vec<f64>) -> f64 {
		values.clear();
		for step in &self.0 {
			values.push(match *step {
				Step::Argument => x,
				Step::Constant(value) => value,
				Step::Apply(function, a) => function.of(values[a]),
				Step::Combine(operator, a, b) => operator.of(values[a], values[b]),
			});
		}
		values.last().copied().unwrap_or(x)
	}

	/// The constants in it.
	pub fn constants(&self) -> Vec<f64> {
		let constant = |step: &Step| match step {
			Step::Constant(value) => Some(*value),
			_ => None,
		};
		self.0.iter().filter_map(constant).collect()
	}

	/// The limits, if it does nothing but limit: `max(x, low)`, `min(x, high)`, one after the other.
	pub fn limits(&self) -> Option<(f64, f64)> {
		let mut known: Vec<Option<(f64, f64)>> = Vec::with_capacity(self.0.len());
		for step in &self.0 {
			known.push(match *step {
				Step::Argument => Some((f64::NEG_INFINITY, f64::INFINITY)),
				Step::Constant(value) => Some((value, value)),
				Step::Combine(Arithmetic::Max, a, b) => {
					let ((a_low, a_high), (b_low, b_high)) = (known[a]?, known[b]?);
					Some((a_low.max(b_low), a_high.max(b_high)))
				}
				Step::Combine(Arithmetic::Min, a, b) => {
					let ((a_low, a_high), (b_low, b_high)) = (known[a]?, known[b]?);
					Some((a_low.min(b_low), a_high.min(b_high)))
				}
				Step::Apply(..) | Step::Combine(..) => return None,
			});
		}
		let arguments = self.0.iter().filter(|step| **step == Step::Argument).count();
		known.pop().flatten().filter(|_| arguments == 1)
	}

	/// Factor and offset, if it is `factor × x + offset`.
	pub fn affine(&self) -> Option<(f64, f64)> {
		self.lines().pop().flatten()
	}

	/// The factor, if it is `factor × x²`.
	pub fn square(&self) -> Option<f64> {
		let lines = self.lines();
		let through = |place: usize| lines[place].filter(|(_, offset)| *offset == 0.0);
		match *self.0.last()? {
			Step::Combine(Arithmetic::Mul, a, b) => Some(through(a)?.0 * through(b)?.0),
			Step::Combine(Arithmetic::Pow, a, b) if self.0[b] == Step::Constant(2.0) => {
				through(a).map(|(factor, _)| factor * factor)
			}
			_ => None,
		}
		.filter(|factor| *factor != 0.0)
	}

	/// Factor and offset, if it is `√(factor × x + offset)`.
	pub fn root(&self) -> Option<(f64, f64)> {
		let inner = match *self.0.last()? {
			Step::Apply(Function::Sqrt, a) => a,
			Step::Combine(Arithmetic::Pow, a, b) if self.0[b] == Step::Constant(0.5) => a,
			_ => return None,
		};
		self.lines()[inner].filter(|(factor, _)| *factor != 0.0)
	}

	/// For each step factor and offset, if it is a straight line.
	fn lines(&self) -> Vec<Option<(f64, f64)>> {
		let mut known: Vec<Option<(f64, f64)>> = Vec::with_capacity(self.0.len());
		for step in &self.0 {
			known.push(match *step {
				Step::Argument => Some((1.0, 0.0)),
				Step::Constant(value) => Some((0.0, value)),
				Step::Apply(Function::Negate, a) => known[a].map(|(m, c)| (-m, -c)),
				Step::Apply(..) => None,
				Step::Combine(operator, a, b) => match (known[a], known[b]) {
					(Some(a), Some(b)) => line(operator, a, b),
					_ => None,
				},
			});
		}
		known
	}
}

/// Factor and offset of `operator(m x + c, n x + d)`, if that is a straight line.
fn line(operator: Arithmetic, (m, c): (f64, f64), (n, d): (f64, f64)) -> Option<(f64, f64)> {
	match operator {
		Arithmetic::Add => Some((m + n, c + d)),
		Arithmetic::Sub => Some((m - n, c - d)),
		Arithmetic::Mul if m == 0.0 => Some((c * n, c * d)),
		Arithmetic::Mul if n == 0.0 => Some((m * d, c * d)),
		Arithmetic::Div if n == 0.0 => Some((m / d, c / d)),
		_ => None,
	}
}

impl Step {
	/// The same step behind `offset` others.
	fn moved(self, offset: usize) -> Self {
		match self {
			Step::Argument | Step::Constant(_) => self,
			Step::Apply(function, a) => Step::Apply(function, a + offset),
			Step::Combine(operator, a, b) => Step::Combine(operator, a + offset, b + offset),
		}
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn a_spelt_out_hard_swish_is_one_function() {
		let gate = Expr::clip(0.0, 6.0).after(&Expr::identity().with(Arithmetic::Add, 3.0));
		let swish = Expr::identity().combine(Arithmetic::Mul, &gate).with(Arithmetic::Div, 6.0);
		for (x, y) in [(-4.0, 0.0), (0.0, 0.0), (1.5, 1.125), (5.0, 5.0)] {
			assert_eq!(swish.at(x), y);
		}
		assert_eq!(swish.affine(), None);
		assert_eq!(swish.limits(), None);
	}

	#[test]
	fn powers_of_whole_and_other_numbers_match_the_library() {
		assert_eq!((power(-2.0, 3.0), power(2.0, -2.0), power(9.0, 0.5)), (-8.0, 0.25, 3.0));
		for i in 1..400 {
			let x = i as f64 * 0.137;
			assert!((power(x, 0.3) / x.powf(0.3) - 1.0).abs() < 1e-13, "{x}");
		}
	}

	#[test]
	fn limits_and_straight_lines_are_seen_through() {
		let line = Expr::identity().with(Arithmetic::Mul, 2.0).with(Arithmetic::Sub, 1.0);
		assert_eq!(line.affine(), Some((2.0, -1.0)));
		assert_eq!(line.after(&line).affine(), Some((4.0, -3.0)));
		assert_eq!(Expr::clip(0.0, f64::INFINITY).limits(), Some((0.0, f64::INFINITY)));
		assert_eq!(Expr::clip(-1.0, 1.0).limits(), Some((-1.0, 1.0)));
		assert_eq!(line.limits(), None);
		assert_eq!(Expr::identity().after(&line), line);
	}

	#[test]
	fn squares_and_roots_are_seen_however_they_are_spelt() {
		let x = Expr::identity;
		let twice = || x().with(Arithmetic::Mul, 2.0);
		assert_eq!(x().with(Arithmetic::Pow, 2.0).square(), Some(1.0));
		assert_eq!(twice().with(Arithmetic::Pow, 2.0).square(), Some(4.0));
		assert_eq!(twice().combine(Arithmetic::Mul, &x()).square(), Some(2.0));
		assert_eq!(twice().with(Arithmetic::Add, 1.0).with(Arithmetic::Pow, 2.0).square(), None);
		assert_eq!(twice().square(), None);
		assert_eq!(twice().with(Arithmetic::Mul, 3.0).square(), None);
		assert_eq!(
			twice().with(Arithmetic::Add, 1.0).apply(Function::Sqrt).root(),
			Some((2.0, 1.0))
		);
		assert_eq!(x().with(Arithmetic::Pow, 0.5).root(), Some((1.0, 0.0)));
		assert_eq!(x().with(Arithmetic::Pow, 2.0).apply(Function::Sqrt).root(), None);
	}
}
