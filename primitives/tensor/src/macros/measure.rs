// SPDX-License-Identifier: Apache-2.0

//! Measures macros against 64-bit floating point: for tests, and for the figures in `docs/macros.md`.
//!
//! References are the standard library's functions, not those that the tables are made with.

use crate::{
	analyse, eval_element, intervals, read_element, write_element, Binary, CheckedProgram,
	CpuExecutor, DType, Executor, Layout, Leaf, LeafSource, Limits, Op, ProgramBuilder, TensorType,
	ValueId,
};
use std::sync::Arc;

use super::{MacroError, Target};

/// The result of a macro and the intermediate values to commit with it.
pub type Expansion = Result<(ValueId, Vec<ValueId>), MacroError>;

/// What a macro did with one tensor.
pub struct Run {
	/// Every element of the result.
	pub result: Vec<i32>,
	/// The program around the macro.
	pub program: Arc<CheckedProgram>,
	/// The most steps that an arbiter needs for one element of the result, the values worth committing
	/// being committed.
	pub element: u64,
	/// The same for one element of a committed intermediate value; 0 where there is none.
	pub line: u64,
}

struct Trace<'a> {
	program: &'a CheckedProgram,
	input: &'a [u8],
	checkpoints: &'a [Vec<u8>],
}

impl LeafSource for Trace<'_> {
	fn read(&self, leaf: Leaf, index: u64) -> Option<i32> {
		let (ty, _) = self.program.leaf_type(leaf)?;
		match leaf {
			Leaf::Input(_) => read_element(ty.dtype, self.input, index),
			Leaf::Checkpoint(number) => {
				read_element(ty.dtype, self.checkpoints.get(number as usize)?, index)
			}
			Leaf::Constant(_) | Leaf::State(_) => None,
		}
	}
}

/// Expands a macro over an input of type `ty`, evaluates it on `elements`, and recomputes some elements of
/// every checkpoint alone.
///
/// # Panics
///
/// If the macro is refused, an element recomputed alone differs, arbitration exceeds the default limits, or
/// the range analysis finds an operator that may wrap (other than a shift to the left, whose ranges it
/// cannot know).
pub fn run(
	ty: TensorType,
	elements: &[i32],
	expand: impl Fn(&mut ProgramBuilder, ValueId) -> Expansion,
) -> Run {
	let mut builder = ProgramBuilder::new();
	let x = builder.input(ty.clone(), Layout::row_major(), false).expect("a valid type");
	let (result, committed) = expand(&mut builder, x).unwrap_or_else(|error| panic!("{error}"));
	for value in committed {
		builder.checkpoint(value, Layout::row_major());
	}
	builder.output(result, Layout::row_major());
	let program = Arc::new(builder.finish().expect("a valid program"));
	let analysis = analyse(&program, &Limits::default()).expect("cheap to arbitrate");
	for (node, exact) in program.program().nodes.iter().zip(intervals(&program, &[]).exact) {
		let shift = node.op == Op::Binary(Binary::LogicalLeftShift);
		assert!(exact || shift, "{:?} may wrap", node.op);
	}

	let mut input = vec![0; ty.bytes() as usize];
	for (index, element) in elements.iter().enumerate() {
		assert!(ty.dtype.holds(*element));
		write_element(ty.dtype, &mut input, index as u64, *element).expect("inside the tensor");
	}
	let mut executor = CpuExecutor::new(program.clone(), constants(&program)).expect("it fits");
	let checkpoints = executor.run_iteration(&[&input], &[]).expect("it runs");
	let trace = Trace { program: &program, input: &input, checkpoints: &checkpoints };
	let mut last = Vec::new();
	for (number, bytes) in checkpoints.iter().enumerate() {
		let (ty, _) = program.leaf_type(Leaf::Checkpoint(number as u16)).expect("a checkpoint");
		let read = |index| read_element(ty.dtype, bytes, index).expect("inside the tensor");
		let count = ty.elements();
		for sample in 0..count.min(24) {
			let index = (sample * 2_654_435_761 + number as u64) % count;
			let mut budget = Limits::default().macs;
			let alone = eval_element(&program, &trace, number as u16, index, &mut budget);
			assert_eq!(alone, Ok(read(index)), "element {index} of checkpoint {number}");
		}
		last = (0..count).map(read).collect();
	}
	let mut costs: Vec<u64> = analysis.checkpoints.iter().map(|cost| cost.macs).collect();
	// The result is the value that was made last.
	let element = costs.pop().unwrap_or(0);
	Run { result: last, program, element, line: costs.into_iter().max().unwrap_or(0) }
}

/// All constants are inside the program.
fn constants(program: &CheckedProgram) -> Vec<Arc<[u8]>> {
	vec![Arc::from([]); program.program().constants.len()]
}

/// Errors in steps of the target.
#[derive(Clone, Copy, Debug, Default)]
pub struct Figures {
	/// The largest.
	pub worst: f64,
	/// The mean of the magnitudes.
	pub mean: f64,
	/// How many elements were looked at.
	pub elements: u64,
	/// Operators of the expansion.
	pub operators: usize,
	/// See [`Run`].
	pub element: u64,
	/// See [`Run`].
	pub line: u64,
}

impl Figures {
	/// Compares a run with real values. A real value beyond the target's limits counts as the limit.
	pub fn of(run: &Run, target: &Target, real: impl Fn(usize) -> f64) -> Self {
		let limit = |dtype: DType| match dtype {
			DType::I32 => (-(1 << 30), 1 << 30),
			dtype => (dtype.min(), dtype.max()),
		};
		let (min, max) = limit(target.dtype);
		let mut figures = Self {
			operators: run.program.program().nodes.len(),
			element: run.element,
			line: run.line,
			..Self::default()
		};
		for (index, found) in run.result.iter().enumerate() {
			let steps = real(index) / target.quant.scale + target.quant.zero_point as f64;
			assert!(!steps.is_nan(), "the reference of element {index} is no number");
			let error = (*found as f64 - steps.clamp(min as f64, max as f64)).abs();
			figures.worst = figures.worst.max(error);
			figures.mean += error;
		}
		figures.elements = run.result.len() as u64;
		figures.mean /= figures.elements as f64;
		figures
	}
}

/// Repeatable numbers without a pattern.
pub struct Noise(u64);

impl Noise {
	/// A sequence of its own for each seed.
	pub fn new(seed: u64) -> Self {
		Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x2545_f491_4f6c_dd1d)
	}

	/// Between −1 and 1.
	pub fn unit(&mut self) -> f64 {
		self.0 =
			self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
		(self.0 >> 33) as f64 / (1u64 << 30) as f64 - 1.0
	}

	/// About normal, with a deviation of 1.
	pub fn normal(&mut self) -> f64 {
		(0..12).map(|_| self.unit()).sum::<f64>() / 2.0
	}
}
