// SPDX-License-Identifier: Apache-2.0

//! Layer norm in integers.
//!
//! With n elements x along the axis, all in units of u, and their sum S, the deviation `D = n x − S` is
//! exact. The sum of squares of D, each divided by 2^s and rounded, is `V = (variance + ε) n³ / (2^s u²)`,
//! where s keeps n squares inside 31 bits. Then `(x − mean) / √(variance + ε) = D R c`, where R is the
//! inverse root of V in a fixed-point form and c a constant in which u cancels.
//!
//! The inverse root: V is shifted left by an even number of bits until it has 30 or 31, the upper 16 of
//! them index a table with linear interpolation, and half that shift is undone at the end. ε bounds the
//! shift from above, and so R. Relative error: below 2⁻¹³ from the 16 bits, common to all elements.
//!
//! S and R should be committed: an arbiter needs one line of the tensor for either, and two numbers for each
//! element of the result.

use crate::{emit::Emit, error::CompileError, exact, graph::Tensor, quantise::whole};
use tensornet_tensor::{Binary, DType, Layout, Op, Reduction, Unary, ValueId};

/// One layer norm of the model.
pub struct Norm<'a> {
	/// Its name.
	pub name: &'a str,
	/// The axis of the moments.
	pub axis: usize,
	/// Added to the variance.
	pub epsilon: f64,
	/// Broadcasts against the operand.
	pub gamma: &'a Tensor,
	/// Broadcasts against the operand.
	pub beta: &'a Tensor,
}

/// Table entries of the inverse root at 1 are this large.
const ROOT_ONE: f64 = 16_383.0;

impl Norm<'_> {
	/// Emits the layer norm of the I16 value `x` in units of `unit`. The result is I32 in units of `fine`.
	pub fn emit(
		&self,
		emit: &mut Emit,
		x: ValueId,
		unit: f64,
		fine: f64,
	) -> Result<ValueId, CompileError> {
		let shape = emit.shape(x);
		let rank = shape.len();
		let n = shape.get(self.axis).copied().unwrap_or(1);
		if !(2..=1 << 12).contains(&n) {
			return Err(self.refuse(format!("{n} elements to normalise; 2 to 4096 are possible")));
		}

		// Deviations: |D| ≤ n × 65,535.
		let x = emit.cast(x, DType::I32)?;
		let sum = emit.reduce(Reduction::Sum, x, self.axis)?;
		emit.candidate(sum, Layout::row_major());
		let times = emit.inline(DType::I32, &vec![1; rank], &[n as i32])?;
		let scaled = emit.mul(x, times, 0)?;
		let deviation = emit.binary(Binary::Sub, scaled, sum)?;

		// Squares: n × D² / 2^s ≤ 2^30.
		let log_n = exact::ceil_log2(n as f64);
		let s = 3 * log_n + 2;
		let square = emit.mul(deviation, deviation, s as u8)?;
		let squares = emit.reduce(Reduction::Sum, square, self.axis)?;
		let cube = (n as f64) * (n as f64) * (n as f64);
		let epsilon = exact::scale(self.epsilon * cube, -s) / (unit * unit);
		let least = epsilon.round().clamp(1.0, (1 << 29) as f64) as i32;
		let squares = emit.clamp(squares, 0, 1 << 30)?;
		let squares = emit.with(Binary::Add, squares, least)?;

		let (root, most) = self.inverse_root(emit, squares, least)?;
		emit.candidate(root, Layout::row_major());

		// D × R / 2^z stays inside 31 bits; what it is worth follows from the definitions above.
		let z = 17 + log_n;
		let normal = emit.mul(deviation, root, z as u8)?;
		let power = 2 * (z + most) - 61 - s;
		let worth = exact::scale(n as f64, power).sqrt() / ROOT_ONE;
		// No deviation exceeds √(n − 1) standard deviations; rounding of V may add a little.
		let bound = (1.0 + (n as f64).sqrt() * 1.25) / worth;
		let bound = bound.min(i32::MAX as f64) as i32;
		let normal = emit.clamp(normal, -bound, bound)?;

		// Gamma and beta in units of the result.
		let factors: Vec<f64> = self.gamma.data.iter().map(|g| *g as f64 * worth / fine).collect();
		let largest = factors.iter().fold(0f64, |max, factor| max.max(factor.abs()));
		let shift = (22 - exact::ceil_log2(largest.max(exact::power(-40)))).clamp(1, 62);
		let gamma: Vec<i32> =
			factors.iter().map(|factor| whole(*factor, exact::power(-shift), i32::MAX)).collect();
		let beta: Vec<i32> =
			self.beta.data.iter().map(|b| whole(*b as f64, fine, 1 << 28)).collect();
		let gamma = emit.constant(DType::I32, &axes(self.gamma), &gamma)?;
		let beta = emit.constant(DType::I32, &axes(self.beta), &beta)?;
		let scaled = emit.mul(normal, gamma, shift as u8)?;
		// Room for beta, so that the sum cannot wrap.
		let scaled = emit.clamp(scaled, -(1 << 30), 1 << 30)?;
		Ok(emit.binary(Binary::Add, scaled, beta)?)
	}

	/// The inverse root of `v ≥ least ≥ 1` and the power `most` with
	/// `1 / √v = R × 2^most / (ROOT_ONE × 2^30 × √2)`. R is at most 2^30.
	fn inverse_root(
		&self,
		emit: &mut Emit,
		v: ValueId,
		least: i32,
	) -> Result<(ValueId, i32), CompileError> {
		// An even shift that brings v to 30 or 31 bits; half of it.
		let zeros = emit.op(Op::Unary(Unary::Clz), &[v])?;
		let shift = emit.with(Binary::Sub, zeros, 1)?;
		let shift = emit.with(Binary::BitwiseAnd, shift, 30)?;
		let most = (least.leading_zeros() as i32 - 1) / 2;
		let one = emit.inline(DType::I32, &vec![1; emit.shape(v).len()], &[1])?;
		let half = emit.op(Op::ArithmeticRightShift { round: false }, &[shift, one])?;
		let full = emit.binary(Binary::LogicalLeftShift, v, shift)?;
		// Always inside these limits; the range analysis cannot see that shift and v belong together.
		let full = emit.clamp(full, 1 << 29, i32::MAX)?;

		// The upper 16 bits as an i16.
		let index = emit.with(Binary::LogicalRightShift, full, 15)?;
		let index = emit.with(Binary::Sub, index, 1 << 15)?;
		let index = emit.cast(index, DType::I16)?;
		let entry = |i: usize| {
			// Half a step further, since the lower bits were cut off.
			let v = ((i.max(128) as f64) * 128.0 + 0.5) / 65_536.0;
			(ROOT_ONE / v.sqrt()).round().min(32_767.0) as i32
		};
		let table: Vec<i32> = (0..=512).map(entry).collect();
		let table = emit.inline(DType::I16, &[513], &table)?;
		let root = emit.op(Op::Table, &[index, table])?;

		// From 2^21..2^22 to 2^29..2^30, then down by what the largest shift exceeds this one.
		let root = emit.with(Binary::LogicalLeftShift, root, 8)?;
		let most_value = emit.inline(DType::I32, &vec![1; emit.shape(v).len()], &[most])?;
		let down = emit.binary(Binary::Sub, most_value, half)?;
		let root = emit.op(Op::ArithmeticRightShift { round: true }, &[root, down])?;
		Ok((root, most))
	}

	fn refuse(&self, reason: String) -> CompileError {
		CompileError::Layer { layer: self.name.into(), reason }
	}
}

fn axes(tensor: &Tensor) -> Vec<u32> {
	tensor.shape.iter().map(|extent| *extent as u32).collect()
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::graph::{Node, Op};
	use crate::reference::{apply, Operand};
	use std::sync::Arc;
	use tensornet_tensor::{ConstantData, CpuExecutor, Executor, TensorType};

	/// The integer layer norm of a column, and the real one.
	fn both(x: &[i32], unit: f64, epsilon: f64) -> (Vec<f64>, Vec<f32>) {
		let n = x.len();
		let of =
			|f: &dyn Fn(usize) -> f32| Tensor { shape: vec![n, 1], data: (0..n).map(f).collect() };
		let gamma = of(&|i| 0.5 + (i % 7) as f32 / 4.0);
		let beta = of(&|i| (i % 5) as f32 / 10.0 - 0.2);
		let norm = Norm { name: "n", axis: 0, epsilon, gamma: &gamma, beta: &beta };
		let mut emit = Emit::default();
		let input = emit.input(TensorType::new(DType::I16, [n as u32, 1]), false).unwrap();
		let fine = exact::power(-16);
		let result = norm.emit(&mut emit, input, unit, fine).unwrap();
		let (program, blobs) = emit.finish(result, &mut []).unwrap();
		let bytes = |data: &ConstantData| match data {
			ConstantData::Inline(_) => Arc::from([]),
			ConstantData::Blob(root) => {
				blobs.iter().find(|(known, _)| known == root).unwrap().1.as_slice().into()
			}
		};
		let constants = program.program().constants.iter().map(|c| bytes(&c.data)).collect();
		let mut executor = CpuExecutor::new(Arc::new(program), constants).unwrap();
		let bytes: Vec<u8> = x.iter().flat_map(|x| (*x as i16).to_le_bytes()).collect();
		let stored = executor.run_iteration(&[&bytes], &[]).unwrap().pop().unwrap();
		let found =
			stored.chunks(4).map(|b| i32::from_le_bytes([b[0], b[1], b[2], b[3]]) as f64 * fine);
		let real: Vec<f32> = x.iter().map(|x| (*x as f64 * unit) as f32).collect();
		let op = Op::LayerNorm { axis: 0, epsilon, gamma, beta };
		let node = Node { name: String::new(), op, inputs: vec![0], shape: vec![n, 1] };
		(found.collect(), apply(&node, &[Operand { shape: &[n, 1], data: &real }]))
	}

	fn error(x: &[i32], unit: f64, epsilon: f64) -> f64 {
		let (found, real) = both(x, unit, epsilon);
		found.iter().zip(&real).map(|(a, b)| (a - *b as f64).abs()).fold(0.0, f64::max)
	}

	fn wave(n: usize, size: i32) -> Vec<i32> {
		(0..n as i32).map(|i| (i * 7919 % 1000 - 500) * size / 500 + size / 3).collect()
	}

	#[test]
	fn ordinary_values_come_out_to_within_two_units() {
		for n in [2, 10, 512, 1000] {
			assert!(error(&wave(n, 8_000), exact::power(-15), 1e-6) < 0.01, "{n}");
		}
	}

	#[test]
	fn values_as_small_as_epsilon_keep_their_size() {
		assert!(error(&wave(512, 90), exact::power(-15), 1e-6) < 0.05);
	}

	#[test]
	fn one_outlier_is_as_far_out_as_it_can_be() {
		let mut x = vec![0; 512];
		x[9] = 32_767;
		assert!(error(&x, exact::power(-15), 1e-6) < 0.03);
	}

	#[test]
	fn equal_values_give_beta_even_without_epsilon() {
		assert!(error(&[1234; 100], exact::power(-15), 1e-6) < 0.005);
		let (found, _) = both(&[-5; 8], 1.0, 0.0);
		assert!((found[1] + 0.1).abs() < 0.005);
	}
}
