// SPDX-License-Identifier: Apache-2.0

//! Whole jobs: states, iterations, and what is refused before anything runs.

use super::{Trace, NO_LIMITS};
use crate::*;
use std::sync::Arc;

/// `state += input × 2`, with the input read per iteration and the 2 in a blob.
fn counter() -> (Arc<CheckedProgram>, Vec<Arc<[u8]>>) {
	let mut builder = ProgramBuilder::new();
	builder.max_iterations(10);
	let ty = TensorType::new(DType::I32, [2]);
	let two = [2, 0, 0, 0, 2, 0, 0, 0];
	let root = *blake3::hash(&two).as_bytes();
	let x = builder.input(ty.clone(), Layout::row_major(), true).unwrap();
	let factor = builder.constant_blob(ty.clone(), Layout::row_major(), root).unwrap();
	let state = builder.state(ty).unwrap();
	let twice = builder.op(Op::Mul { shift: 0 }, &[x, factor]).unwrap();
	let sum = builder.op(Op::Binary(Binary::Add), &[state, twice]).unwrap();
	builder.next(state, sum, Layout::row_major()).unwrap();
	builder.output(sum, Layout::row_major());
	(Arc::new(builder.finish().unwrap()), vec![two.as_slice().into()])
}

fn words(values: &[i32]) -> Vec<u8> {
	values.iter().flat_map(|value| value.to_le_bytes()).collect()
}

fn run(inputs: &[&[u8]], state: &[&[u8]], iterations: u32) -> Result<Vec<Vec<u8>>, ExecError> {
	let (program, constants) = counter();
	let mut executor = CpuExecutor::new(program.clone(), constants)?;
	run_job(&mut executor, &program, inputs, state, iterations, &mut |_, _| Ok(()))
}

#[test]
fn states_are_carried_and_inputs_advance() {
	let (program, constants) = counter();
	let mut executor = CpuExecutor::new(program.clone(), constants).unwrap();
	let inputs = words(&[1, 10, 2, 20, 3, 30]);
	let start = words(&[100, i32::MAX]);
	let mut trace = Vec::new();
	let outputs = run_job(&mut executor, &program, &[&inputs], &[&start], 3, &mut |t, made| {
		trace.push((t, made.to_vec()));
		Ok(())
	});
	let last = words(&[112, i32::MAX.wrapping_add(120)]);
	assert_eq!(outputs.unwrap(), std::slice::from_ref(&last));
	assert_eq!(trace.len(), 3);
	assert_eq!(trace[0], (0, vec![words(&[102, i32::MAX.wrapping_add(20)])]));
	assert_eq!(trace[2], (2, vec![last]));
}

#[test]
fn misfitting_blobs_are_refused_before_anything_runs() {
	let (one, two) = (words(&[1, 1]), words(&[1, 1, 1, 1]));
	assert!(run(&[&two], &[&one], 2).is_ok());
	let size = |leaf, expected, found| Err(ExecError::Size { leaf, expected, found });
	assert_eq!(run(&[&one], &[&one], 2), size(Leaf::Input(0), 16, 8));
	assert_eq!(run(&[&two], &[&one], 1), size(Leaf::Input(0), 8, 16));
	assert_eq!(run(&[&one], &[&two], 1), size(Leaf::State(0), 8, 16));
	assert_eq!(run(&[&one[..7]], &[&one], 1), size(Leaf::Input(0), 8, 7));
	let count = |what, expected, found| Err(ExecError::Count { what, expected, found });
	assert_eq!(run(&[], &[&one], 1), count("inputs", 1, 0));
	assert_eq!(run(&[&one], &[], 1), count("states", 1, 0));
	let iterations = |asked| Err(ExecError::Iterations { asked, most: 10 });
	assert_eq!(run(&[&one], &[&one], 0), iterations(0));
	assert_eq!(run(&[&one], &[&one], 11), iterations(11));
}

#[test]
fn misfitting_constants_are_refused() {
	let (program, constants) = counter();
	let new = |constants| CpuExecutor::new(program.clone(), constants).err();
	assert_eq!(
		new(Vec::new()),
		Some(ExecError::Count { what: "constants", expected: 1, found: 0 })
	);
	let short: Arc<[u8]> = constants[0][1..].into();
	assert_eq!(
		new(vec![short]),
		Some(ExecError::Size { leaf: Leaf::Constant(0), expected: 8, found: 7 })
	);
}

#[test]
fn a_failing_sink_ends_the_job() {
	let (program, constants) = counter();
	let mut executor = CpuExecutor::new(program.clone(), constants).unwrap();
	let (inputs, start) = (words(&[0; 6]), words(&[0; 2]));
	let mut seen = 0;
	let full = || ExecError::Sink("disk full".into());
	let result = run_job(&mut executor, &program, &[&inputs], &[&start], 3, &mut |t, _| {
		seen += 1;
		if t == 1 {
			Err(full())
		} else {
			Ok(())
		}
	});
	assert_eq!((result, seen), (Err(full()), 2));
}

#[test]
fn an_executor_that_returns_the_wrong_bytes_is_caught() {
	struct Short;
	impl Executor for Short {
		fn run_iteration(&mut self, _: &[&[u8]], _: &[&[u8]]) -> Result<Vec<Vec<u8>>, ExecError> {
			Ok(vec![vec![0; 7]])
		}
	}
	let (program, _) = counter();
	let one = words(&[1, 1]);
	let result = run_job(&mut Short, &program, &[&one], &[&one], 1, &mut |_, _| Ok(()));
	let leaf = Leaf::Checkpoint(0);
	assert_eq!(result, Err(ExecError::Size { leaf, expected: 8, found: 7 }));
}

#[test]
fn an_element_that_is_not_opened_is_named() {
	struct Nothing;
	impl LeafSource for Nothing {
		fn read(&self, _: Leaf, _: u64) -> Option<i32> {
			None
		}
	}
	let (program, _) = counter();
	let eval = |checkpoint, index, mut budget: u64| {
		eval_element(&program, &Nothing, checkpoint, index, &mut budget)
	};
	assert_eq!(eval(0, 1, 9), Err(EvalError::Missing { leaf: Leaf::State(0), index: 1 }));
	assert_eq!(eval(0, 2, 9), Err(EvalError::OutOfRange));
	assert_eq!(eval(1, 0, 9), Err(EvalError::UnknownCheckpoint));
	assert_eq!(eval(0, 0, 0), Err(EvalError::OutOfBudget));
}

#[test]
fn the_stated_budget_is_spent_to_the_last_step() {
	let (program, constants) = counter();
	let (input, state) = (words(&[1, 2]), words(&[3, 4]));
	let checkpoints = [words(&[5, 8])];
	let trace = Trace {
		program: &program,
		inputs: vec![&input],
		constants: &constants,
		state: vec![&state],
		checkpoints: &checkpoints,
	};
	let cost = analyse(&program, &NO_LIMITS).unwrap().checkpoints[0].macs;
	let mut budget = cost;
	assert_eq!(eval_element(&program, &trace, 0, 1, &mut budget), Ok(8));
	assert_eq!((cost, budget), (2, 0));
	let mut short = cost - 1;
	assert_eq!(eval_element(&program, &trace, 0, 1, &mut short), Err(EvalError::OutOfBudget));
}

#[test]
fn the_deepest_program_fits_a_small_stack() {
	let mut builder = ProgramBuilder::new();
	let ty = TensorType::new(DType::I32, [1, 1, 2]);
	let mut x = builder.input(ty, Layout::row_major(), false).unwrap();
	for depth in 0..MAX_DEPTH {
		let op = match depth % 4 {
			0 => Op::Unary(Unary::Negate),
			1 => Op::Reverse { axis: 2 },
			2 => Op::Clamp { min: -9, max: 9 },
			_ => Op::Reduce { reduction: Reduction::Max, axis: 0 },
		};
		x = builder.op(op, &[x]).unwrap();
	}
	builder.output(x, Layout::row_major());
	let program = Arc::new(builder.finish().unwrap());
	let mut executor = CpuExecutor::new(program.clone(), Vec::new()).unwrap();
	let input = words(&[5, 6]);
	let checkpoints = executor.run_iteration(&[&input], &[]).unwrap();
	let evaluate = move || {
		let trace = Trace {
			program: &program,
			inputs: vec![&input],
			constants: &[],
			state: Vec::new(),
			checkpoints: &checkpoints,
		};
		let found = eval_element(&program, &trace, 0, 1, &mut 1_000);
		assert_eq!(found, Ok(read_element(DType::I32, &checkpoints[0], 1).unwrap()));
	};
	// The runtime's stack is 1 MiB; its frames are no larger than these.
	let thread = std::thread::Builder::new().stack_size(128 * 1024).spawn(evaluate);
	thread.unwrap().join().unwrap();
}
