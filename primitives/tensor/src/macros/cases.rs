// SPDX-License-Identifier: Apache-2.0

//! The macros as they are used, with the errors that `docs/macros.md` states.

use super::{
	measure::{run, Figures, Noise},
	*,
};
use crate::{DType, TensorType};

/// One line of the table in `docs/macros.md`.
pub struct Case {
	/// The macro.
	pub name: &'static str,
	/// Type, scale and range of the operand.
	pub operand: String,
	/// Type and scale of the target.
	pub target: String,
	/// The error, in steps of the target, that is never exceeded.
	pub worst: f64,
	/// Measures it.
	pub measure: Box<dyn Fn() -> Figures>,
}

impl Case {
	/// What the table says before anything is measured.
	pub fn stated(&self) -> String {
		format!("| {} | {} | {} | {} |", self.name, self.operand, self.target, self.worst)
	}

	/// The line of the table.
	pub fn row(&self) -> String {
		let Figures { worst, mean, operators, element, line, .. } = (self.measure)();
		format!("{} {worst:.3} | {mean:.3} | {operators} | {element} | {line} |", self.stated())
	}
}

/// A scale as text.
fn text(scale: f64) -> String {
	let power = scale.log2();
	if power == power.round() {
		format!("2^{power}")
	} else {
		format!("{scale}")
	}
}

fn describe(dtype: DType, quant: Quant) -> String {
	let zero = match quant.zero_point {
		0 => String::new(),
		zero => format!(", zero {zero}"),
	};
	format!("{dtype:?}, {}{zero}", text(quant.scale))
}

/// Every value of a narrow type; of I32, many values of every size and both ends.
fn all(dtype: DType) -> Vec<i32> {
	match dtype {
		DType::I32 => {
			let mut noise = Noise::new(7);
			let mut values = vec![i32::MIN, i32::MIN + 1, -1, 0, 1, i32::MAX - 1, i32::MAX];
			for bits in 1..32 {
				let size = 2f64.powi(bits) - 1.0;
				values.extend((0..6_000).map(|_| (noise.unit() * size) as i32));
			}
			values
		}
		dtype => (dtype.min()..=dtype.max()).collect(),
	}
}

fn pointwise(
	name: &'static str,
	worst: f64,
	(dtype, from): (DType, Quant),
	to: Target,
	expand: impl Fn(&mut crate::ProgramBuilder, crate::ValueId) -> Result<crate::ValueId, MacroError>
		+ 'static,
	reference: impl Fn(i32) -> f64 + 'static,
) -> Case {
	let measure = move || {
		let values = all(dtype);
		let ty = TensorType::new(dtype, [values.len() as u32]);
		let run = run(ty, &values, |builder, x| Ok((expand(builder, x)?, Vec::new())));
		Figures::of(&run, &to, |index| values.get(index).map_or(f64::NAN, |q| reference(*q)))
	};
	Case {
		name,
		operand: describe(dtype, from),
		target: describe(to.dtype, to.quant),
		worst,
		measure: Box::new(measure),
	}
}

fn function(
	name: &'static str,
	worst: f64,
	function: Function,
	operand: (DType, Quant),
	to: Target,
	reference: fn(f64) -> f64,
) -> Case {
	let from = operand.1;
	let expand =
		move |builder: &mut crate::ProgramBuilder, x| unary(builder, function, x, from, to);
	let reference = move |q: i32| reference((q as f64 - from.zero_point as f64) * from.scale);
	pointwise(name, worst, operand, to, expand, reference)
}

/// Macros that take anything below one step as one step.
fn positive(
	name: &'static str,
	worst: f64,
	expand: fn(
		&mut crate::ProgramBuilder,
		crate::ValueId,
		Quant,
		Target,
	) -> Result<crate::ValueId, MacroError>,
	operand: (DType, Quant),
	to: Target,
	least: f64,
	reference: fn(f64) -> f64,
) -> Case {
	let from = operand.1;
	let expand = move |builder: &mut crate::ProgramBuilder, x| expand(builder, x, from, to);
	let reference = move |q: i32| {
		let steps = (q as f64 - from.zero_point as f64).max(least);
		reference(steps * from.scale)
	};
	pointwise(name, worst, operand, to, expand, reference)
}

/// Lines that are hard for a softmax: spread and narrow, one high, all equal, tails whose exponentials are
/// all rounded the same way.
fn scores(dtype: DType, scale: f64, count: usize) -> Vec<Vec<i32>> {
	let mut noise = Noise::new(count as u64);
	let (min, max) = (dtype.min() as f64, dtype.max() as f64);
	let (min, max) = if dtype == DType::I32 { (min / 2.0, max / 2.0) } else { (min, max) };
	let mut lines = Vec::new();
	for spread in [0.01, 0.3, 1.0, 3.0, 8.0, 30.0] {
		for _ in 0..2 {
			let real = (0..count).map(|_| noise.normal() * spread / scale);
			lines.push(real.map(|x| x.clamp(min, max) as i32).collect::<Vec<i32>>());
		}
	}
	lines.push(vec![max as i32; count]);
	lines.push((0..count).map(|i| if i == count / 3 { max as i32 } else { min as i32 }).collect());
	for below in [0.7, 2.0, 5.0, 7.3, 9.0, 10.5, 11.7, 13.2, 14.9, 16.0, 17.7, 19.1, 20.6] {
		let low = (max - below / scale).max(min) as i32;
		lines.push((0..count).map(|i| if i == 0 { max as i32 } else { low }).collect());
	}
	let ramp = |i: usize| (max - 20.0 / scale * i as f64 / count as f64).max(min) as i32;
	lines.push((0..count).map(ramp).collect());
	lines
}

fn softmax_case(worst: f64, dtype: DType, scale: f64, count: usize, to: Target, log: bool) -> Case {
	let from = Quant::symmetric(scale);
	let measure = move || {
		let lines = scores(dtype, scale, count);
		let ty = TensorType::new(dtype, [lines.len() as u32, count as u32]);
		let run = run(ty, &lines.concat(), |builder, x| {
			let made = if log {
				log_softmax(builder, x, 1, from, to)?
			} else {
				softmax(builder, x, 1, from, to)?
			};
			Ok((made.result, made.checkpoints().to_vec()))
		});
		let real: Vec<f64> = lines
			.iter()
			.flat_map(|line| {
				let most = line.iter().copied().max().unwrap_or(0) as f64;
				let below: Vec<f64> = line.iter().map(|q| (*q as f64 - most) * scale).collect();
				let sum: f64 = below.iter().map(|x| x.exp()).sum();
				below.into_iter().map(move |x| if log { x - sum.ln() } else { x.exp() / sum })
			})
			.collect();
		Figures::of(&run, &to, |index| real.get(index).copied().unwrap_or(f64::NAN))
	};
	Case {
		name: if log { "log-softmax" } else { "softmax" },
		operand: format!("{}, {count} along the axis", describe(dtype, from)),
		target: describe(to.dtype, to.quant),
		worst,
		measure: Box::new(measure),
	}
}

/// Lines that are hard for a norm: of every size, off zero, nearly constant, with one outlier.
fn activations(dtype: DType, count: usize) -> Vec<Vec<i32>> {
	let mut noise = Noise::new(count as u64 + 1);
	let (min, max) = (dtype.min() as f64, dtype.max() as f64);
	let mut lines = Vec::new();
	let mut size = 0.5;
	while size < max {
		for offset in [0.0, 0.31, -0.8] {
			let line = (0..count).map(|_| noise.normal() * size + offset * max);
			lines.push(line.map(|x| x.round().clamp(min, max) as i32).collect::<Vec<i32>>());
		}
		size *= 4.0;
	}
	let outlier = |common: f64, one: f64| -> Vec<i32> {
		(0..count).map(|i| if i == count / 2 { one as i32 } else { common as i32 }).collect()
	};
	lines.extend([
		outlier(5.0, 5.0),
		outlier(max, max),
		outlier(-7.0, -6.0),
		outlier(0.0, max),
		outlier(min, max),
		(0..count).map(|i| if i % 2 == 0 { min } else { max } as i32).collect(),
	]);
	lines
}

/// The norms: `layer` with the mean taken off, otherwise RMS.
fn norm_case(
	worst: f64,
	layer: bool,
	(dtype, from): (DType, Quant),
	count: usize,
	to: Target,
) -> Case {
	let epsilon = 1e-5;
	let gamma: Vec<f64> = (0..count).map(|i| 0.3 + (i % 9) as f64 / 6.0).collect();
	let beta: Vec<f64> = (0..count).map(|i| (i % 5) as f64 / 4.0 - 0.5).collect();
	let measure = move || {
		let lines = activations(dtype, count);
		let ty = TensorType::new(dtype, [lines.len() as u32, count as u32]);
		let affine = Affine { epsilon, gamma: &gamma, beta: Some(&beta) };
		let run = run(ty, &lines.concat(), |builder, x| {
			let made = if layer {
				layer_norm(builder, x, 1, from, affine, to)?
			} else {
				rms_norm(builder, x, 1, from, affine, to)?
			};
			Ok((made.result, made.moments.checkpoints().collect()))
		});
		let mut real = Vec::new();
		for line in &lines {
			let line: Vec<f64> =
				line.iter().map(|q| (*q - from.zero_point) as f64 * from.scale).collect();
			let n = count as f64;
			let mean = if layer { line.iter().sum::<f64>() / n } else { 0.0 };
			let square = line.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / n;
			let deviation = (square + epsilon).sqrt();
			let parameters = gamma.iter().zip(&beta);
			real.extend(
				line.iter().zip(parameters).map(|(x, (g, b))| (x - mean) / deviation * g + b),
			);
		}
		Figures::of(&run, &to, |index| real.get(index).copied().unwrap_or(f64::NAN))
	};
	Case {
		name: if layer { "layer norm" } else { "RMS norm" },
		operand: format!("{}, {count} along the axis", describe(dtype, from)),
		target: describe(to.dtype, to.quant),
		worst,
		measure: Box::new(measure),
	}
}

/// Mean and variance of the lines of [`activations`].
fn moment_case(
	worst: f64,
	squares: bool,
	(dtype, from): (DType, Quant),
	count: usize,
	to: Target,
) -> Case {
	let measure = move || {
		let lines = activations(dtype, count);
		let ty = TensorType::new(dtype, [lines.len() as u32, count as u32]);
		let run = run(ty, &lines.concat(), |builder, x| {
			if squares {
				let made = variance(builder, x, 1, from, to)?;
				Ok((made.result, made.moments.checkpoints().collect()))
			} else {
				Ok((mean(builder, x, 1, from, to)?, Vec::new()))
			}
		});
		let moment = |line: &Vec<i32>| {
			let n = count as f64;
			let real = |q: &i32| (*q - from.zero_point) as f64 * from.scale;
			let mean = line.iter().map(real).sum::<f64>() / n;
			let square = line.iter().map(|q| (real(q) - mean) * (real(q) - mean)).sum::<f64>() / n;
			if squares {
				square
			} else {
				mean
			}
		};
		Figures::of(&run, &to, |index| lines.get(index).map_or(f64::NAN, moment))
	};
	Case {
		name: if squares { "variance" } else { "mean" },
		operand: format!("{}, {count} along the axis", describe(dtype, from)),
		target: describe(to.dtype, to.quant),
		worst,
		measure: Box::new(measure),
	}
}

/// Lines divided by their largest element. A step of the target is a unit of the quotient.
fn lines_case(worst: f64, (dtype, from): (DType, Quant), count: usize, to: DType) -> Case {
	let measure = move || {
		let lines = activations(dtype, count);
		let ty = TensorType::new(dtype, [lines.len() as u32, count as u32]);
		let run = run(ty, &lines.concat(), |builder, x| {
			let made = quantise_lines(builder, x, 1, from, to)?;
			Ok((made.result, vec![made.max]))
		});
		let real = lines.iter().flat_map(|line| {
			let most = if dtype == DType::I32 { p(30) } else { f64::MAX };
			let real = move |q: &i32| (*q as f64 - from.zero_point as f64).clamp(-most, most);
			let max = line.iter().map(|q| real(q).abs()).fold(1.0, f64::max);
			line.iter().map(move |q| real(q) / max * to.max() as f64)
		});
		let real: Vec<f64> = real.collect();
		let target = Target { dtype: to, quant: Quant::symmetric(1.0) };
		Figures::of(&run, &target, |index| real.get(index).copied().unwrap_or(f64::NAN))
	};
	Case {
		name: "scale of a line",
		operand: format!("{}, {count} along the axis", describe(dtype, from)),
		target: format!("{to:?}, of the line"),
		worst,
		measure: Box::new(measure),
	}
}

fn gelu(x: f64) -> f64 {
	0.5 * x * (1.0 + real::erf(x / 2f64.sqrt()))
}

fn gelu_tanh(x: f64) -> f64 {
	0.5 * x * (1.0 + ((2.0 / core::f64::consts::PI).sqrt() * (x + 0.044715 * x * x * x)).tanh())
}

fn sigmoid(x: f64) -> f64 {
	1.0 / (1.0 + (-x).exp())
}

fn silu(x: f64) -> f64 {
	x * sigmoid(x)
}

fn hard_sigmoid(x: f64) -> f64 {
	(0.2 * x + 0.5).clamp(0.0, 1.0)
}

fn hard_swish(x: f64) -> f64 {
	x * (x / 6.0 + 0.5).clamp(0.0, 1.0)
}

/// `2^power`.
fn p(power: i32) -> f64 {
	real::power(power)
}

/// Every line of the table.
pub fn cases() -> Vec<Case> {
	use Function::*;
	let plain = |power: i32| Quant::symmetric(p(power));
	let i8s = |scale: f64, zero_point: i32| (DType::I8, Quant { scale, zero_point });
	let i16s = |power: i32| (DType::I16, plain(power));
	let i32s = |power: i32| (DType::I32, plain(power));
	let to8 = Target::i8;
	let to16 = |power: i32| Target::i16(p(power));
	let to32 = |power: i32| Target::i32(p(power));
	let hard = HardSigmoid { alpha: 0.2, beta: 0.5 };
	let odd = Quant { scale: 0.000_37, zero_point: -1_234 };
	let mut cases = vec![
		function("exp", 0.51, Exp, i8s(0.05, 20), to16(-5), f64::exp),
		function("exp", 0.55, Exp, i16s(-11), to16(-15), f64::exp),
		function("exp", 0.55, Exp, i16s(-11), to16(-4), f64::exp),
		function("exp", 0.55, Exp, i32s(-20), to16(-15), f64::exp),
		function("tanh", 0.5, Tanh, i8s(0.03, 3), to8(p(-7), 0), f64::tanh),
		function("tanh", 0.5, Tanh, i8s(0.03, 3), to16(-15), f64::tanh),
		function("tanh", 0.55, Tanh, i16s(-12), to8(p(-7), 0), f64::tanh),
		function("tanh", 0.55, Tanh, i16s(-12), to16(-15), f64::tanh),
		function("tanh", 0.55, Tanh, i16s(-8), to16(-15), f64::tanh),
		function("tanh", 0.55, Tanh, (DType::I16, odd), to16(-15), f64::tanh),
		function("tanh", 0.55, Tanh, i32s(-20), to16(-15), f64::tanh),
		function("tanh", 0.55, Tanh, i32s(-4), to16(-15), f64::tanh),
		function("sigmoid", 0.5, Sigmoid, i8s(0.06, 0), to8(p(-8), -128), sigmoid),
		function("sigmoid", 0.55, Sigmoid, i16s(-11), to16(-15), sigmoid),
		function("sigmoid", 0.55, Sigmoid, i16s(-8), to16(-15), sigmoid),
		function("sigmoid", 0.55, Sigmoid, i32s(-20), to16(-15), sigmoid),
		function("GELU", 0.5, Gelu, i8s(0.05, -10), to8(0.03, -120), gelu),
		function("GELU", 0.55, Gelu, i16s(-12), to8(0.03, -120), gelu),
		function("GELU", 0.55, Gelu, i16s(-12), to16(-12), gelu),
		function("GELU", 0.55, Gelu, i16s(-9), to16(-11), gelu),
		function("GELU", 0.55, Gelu, i32s(-20), to16(-12), gelu),
		function("GELU, tanh form", 0.55, GeluTanh, i16s(-12), to16(-12), gelu_tanh),
		function("SiLU", 0.5, Silu, i8s(0.05, 0), to8(0.05, -100), silu),
		function("SiLU", 0.55, Silu, i16s(-11), to16(-11), silu),
		function("SiLU", 0.55, Silu, i32s(-20), to16(-11), silu),
		function("hard sigmoid", 0.55, hard, i16s(-11), to16(-15), hard_sigmoid),
		function("hard swish", 0.5, HardSwish, i8s(0.05, 0), to8(0.04, -110), hard_swish),
		function("hard swish", 0.55, HardSwish, i16s(-11), to16(-11), hard_swish),
		function("hard swish", 0.55, HardSwish, i32s(-20), to16(-11), hard_swish),
		function("exp", 600.0, Exp, i32s(-24), to32(-24), f64::exp),
		function("tanh", 3.5, Tanh, i32s(-20), to32(-20), f64::tanh),
		function("sigmoid", 3.0, Sigmoid, i32s(-20), to32(-20), sigmoid),
		function("GELU", 2.0, Gelu, i32s(-20), to32(-20), gelu),
		function("SiLU", 5.0, Silu, i32s(-20), to32(-20), silu),
		positive("reciprocal", 0.55, reciprocal, i16s(-8), to16(-7), 1.0, f64::recip),
		positive("reciprocal", 0.55, reciprocal, i32s(-16), to16(-7), 1.0, f64::recip),
		positive("reciprocal", 0.55, reciprocal, i32s(0), to32(-27), 1.0, f64::recip),
		positive("rsqrt", 0.55, rsqrt, i16s(-8), to16(-11), 1.0, |x| 1.0 / x.sqrt()),
		positive("rsqrt", 0.55, rsqrt, i32s(-16), to16(-11), 1.0, |x| 1.0 / x.sqrt()),
		positive("rsqrt", 0.65, rsqrt, i32s(0), to32(-27), 1.0, |x| 1.0 / x.sqrt()),
		positive("sqrt", 0.55, sqrt, i16s(-8), to16(-11), 0.0, f64::sqrt),
		positive("sqrt", 0.55, sqrt, i32s(-20), to16(-9), 0.0, f64::sqrt),
		positive("log", 0.55, log, i16s(-8), to16(-11), 1.0, f64::ln),
		positive("log", 0.55, log, i32s(-20), to16(-11), 1.0, f64::ln),
	];
	let attention = |worst, count, to| softmax_case(worst, DType::I16, p(-9), count, to, false);
	cases.extend([
		softmax_case(0.55, DType::I8, 0.1, 10, to8(p(-8), -128), false),
		attention(0.55, 128, to8(p(-8), -128)),
		attention(0.55, 4096, to8(p(-8), -128)),
		attention(0.55, 2, to16(-15)),
		attention(0.55, 128, to16(-15)),
		attention(0.55, 512, to16(-15)),
		attention(0.55, 4096, to16(-15)),
		attention(0.65, 6625, to16(-15)),
		softmax_case(0.55, DType::I32, p(-20), 128, to16(-15), false),
		softmax_case(0.55, DType::I16, p(-9), 128, to16(-11), true),
		softmax_case(0.55, DType::I32, p(-20), 4096, to16(-11), true),
	]);
	let layer = |worst, operand, count, to| norm_case(worst, true, operand, count, to);
	cases.extend([
		moment_case(0.55, false, i8s(0.05, 9), 384, to16(-11)),
		moment_case(0.55, false, i16s(-10), 384, to16(-10)),
		moment_case(0.55, true, i8s(0.05, 9), 384, to16(-9)),
		moment_case(0.85, true, i16s(-10), 384, to32(-20)),
		layer(0.55, i8s(0.05, 9), 384, to8(0.05, 0)),
		layer(0.55, i16s(-10), 2, to16(-12)),
		layer(0.55, i16s(-10), 384, to8(0.05, 0)),
		layer(0.55, i16s(-10), 384, to16(-10)),
		layer(0.55, i16s(-10), 4096, to16(-8)),
		norm_case(0.55, false, i8s(0.05, 9), 384, to8(0.05, 0)),
		norm_case(0.55, false, i16s(-10), 384, to16(-10)),
		norm_case(0.55, false, i16s(-10), 4096, to16(-8)),
		lines_case(0.51, i16s(-10), 384, DType::I8),
		lines_case(0.51, i32s(-20), 384, DType::I16),
	]);
	cases
}
