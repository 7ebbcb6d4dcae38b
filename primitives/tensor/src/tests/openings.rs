// SPDX-License-Identifier: Apache-2.0

//! The bound on openings holds for what elements really read.

use super::{seeds, Trace, NO_LIMITS};
use crate::{analysis::open_bytes_with_chunks, arbitrary::random_program, *};
use std::{
	cell::RefCell,
	collections::{BTreeMap, BTreeSet},
	sync::Arc,
};

/// Notes what is read through it.
struct Spy<'a> {
	trace: Trace<'a>,
	reads: RefCell<BTreeMap<Leaf, BTreeSet<u64>>>,
}

impl LeafSource for Spy<'_> {
	fn read(&self, leaf: Leaf, index: u64) -> Option<i32> {
		self.reads.borrow_mut().entry(leaf).or_default().insert(index);
		self.trace.read(leaf, index)
	}
}

/// Inner nodes of a tree over chunks `from..to` that have an opened chunk below them.
fn parents(from: u64, to: u64, opened: &BTreeSet<u64>) -> u64 {
	if to - from <= 1 || opened.range(from..to).next().is_none() {
		return 0;
	}
	// The left subtree is the largest full one that leaves something on the right.
	let left = (to - from).next_power_of_two() / 2;
	1 + parents(from, from + left, opened) + parents(from + left, to, opened)
}

/// Bytes of the opening of these bytes of a blob, in chunks of `chunk` bytes.
fn opening(blob: u64, bytes: impl Iterator<Item = u64>, chunk: u64) -> u64 {
	let opened: BTreeSet<u64> = bytes.map(|byte| byte / chunk).collect();
	let runs = opened.iter().filter(|c| **c == 0 || !opened.contains(&(**c - 1))).count() as u64;
	let chunks = blob.div_ceil(chunk).max(1);
	opened.len() as u64 * chunk + parents(0, chunks, &opened) * 64 + runs * 16
}

#[test]
fn no_element_of_random_programs_reads_more_than_the_bound() {
	// Small chunks make many of them, even in small tensors. A parent then weighs more than in
	// earnest, which only sharpens the test.
	const CHUNK: u64 = 32;
	let (mut tight, mut all) = (0u64, 0u64);
	for seed in 0..seeds() {
		let random = random_program(seed);
		let program = Arc::new(random.program);
		let parts = program.program();
		let mut executor = CpuExecutor::new(program.clone(), random.constants.clone()).unwrap();
		let first = |blob: &'_ Vec<u8>, bytes: u64| blob[..bytes as usize].to_vec();
		let tensors: Vec<Vec<u8>> = random
			.inputs
			.iter()
			.zip(&parts.inputs)
			.map(|(blob, input)| first(blob, input.ty.bytes()))
			.collect();
		let inputs: Vec<&[u8]> = tensors.iter().map(Vec::as_slice).collect();
		let state: Vec<&[u8]> = random.state.iter().map(Vec::as_slice).collect();
		let checkpoints = executor.run_iteration(&inputs, &state).unwrap();
		for number in 0..parts.checkpoints.len() as u16 {
			let bound = open_bytes_with_chunks(&program, number, CHUNK).unwrap();
			let (ty, _) = program.leaf_type(Leaf::Checkpoint(number)).unwrap();
			let mut worst = 0;
			for index in 0..ty.elements() {
				let constants = &random.constants;
				let (inputs, state) = (inputs.clone(), state.clone());
				let checkpoints = &checkpoints;
				let trace = Trace { program: &program, inputs, constants, state, checkpoints };
				let spy = Spy { trace, reads: RefCell::default() };
				eval_element(&program, &spy, number, index, &mut u64::MAX.clone()).unwrap();
				let claimed = Leaf::Checkpoint(number);
				spy.reads.borrow_mut().entry(claimed).or_default().insert(index);
				let sum = spy.reads.borrow().iter().fold(0, |sum, (leaf, indices)| {
					let (ty, _) = program.leaf_type(*leaf).unwrap();
					let tensors = match leaf {
						Leaf::Input(number) if parts.inputs[*number as usize].per_iteration => {
							parts.max_iterations as u64
						}
						_ => 1,
					};
					let blob = ty.bytes() * tensors;
					let size = ty.dtype.size();
					let bytes = indices.iter().flat_map(|index| index * size..(index + 1) * size);
					sum + opening(blob, bytes, CHUNK)
				});
				worst = worst.max(sum);
				assert!(
					sum <= bound,
					"seed {seed}, checkpoint {number}, element {index}: {sum} bytes, bound {bound}"
				);
			}
			all += 1;
			tight += (bound <= 2 * worst) as u64;
		}
	}
	// A bound that is always far off would refuse honest programs.
	assert!(tight * 2 > all, "only {tight} of {all} bounds are within twice the worst element");
}

#[test]
fn a_product_with_transposed_weights_opens_two_short_slices() {
	let opened = |layout: Layout| {
		let mut builder = ProgramBuilder::new();
		let x = TensorType::new(DType::I8, [1, 512, 1024]);
		let x = builder.input(x, Layout::row_major(), false).unwrap();
		let w = TensorType::new(DType::I8, [1, 1024, 4096]);
		let w = builder.constant_blob(w, layout, [0; 32]).unwrap();
		let product = Op::MatMul { a_zero_point: 0, b_zero_point: 0 };
		let y = builder.op(product, &[x, w]).unwrap();
		builder.output(y, Layout::row_major());
		analyse(&builder.finish().unwrap(), &NO_LIMITS).unwrap().checkpoints[0]
	};
	let good = opened(Layout::new(&[0, 2, 1]));
	assert_eq!(good.macs, 1024);
	// Two rows of exactly one chunk, the chunk of the element, and 9, 12 and 13 parents.
	assert_eq!(good.open_bytes, 3 * (1024 + 16) + (9 + 12 + 13) * 64);
	assert!(opened(Layout::row_major()).open_bytes > 1 << 20);
}

#[test]
fn a_normalisation_reads_its_row_once() {
	// x - sum(x) over the last axis: the element lies in the row, which is opened once.
	let mut builder = ProgramBuilder::new();
	let x = TensorType::new(DType::I32, [64, 1024]);
	let x = builder.input(x, Layout::row_major(), false).unwrap();
	let sum = Op::Reduce { reduction: Reduction::Sum, axis: 1 };
	let sum = builder.op(sum, &[x]).unwrap();
	let y = builder.op(Op::Binary(Binary::Sub), &[x, sum]).unwrap();
	builder.output(y, Layout::row_major());
	let cost = analyse(&builder.finish().unwrap(), &NO_LIMITS).unwrap().checkpoints[0];
	assert_eq!(cost.macs, 1 + 1024);
	// A row of four chunks and the element's own chunk, with parents.
	assert!(cost.open_bytes < 5 * 1024 + 35 * 64, "{cost:?}");
}

#[test]
fn a_reshape_that_splits_rows_keeps_them_together() {
	// [2048, 64] seen as [512, 256]: a row of the result is four whole rows of the operand.
	let mut builder = ProgramBuilder::new();
	let x = TensorType::new(DType::I16, [1, 2048, 64]);
	let x = builder.input(x, Layout::row_major(), false).unwrap();
	let rows = builder.op(Op::Reshape { shape: vec![1, 512, 256] }, &[x]).unwrap();
	let wide = builder.op(Op::Cast { to: DType::I32 }, &[rows]).unwrap();
	let sum = Op::Reduce { reduction: Reduction::Sum, axis: 2 };
	let sum = builder.op(sum, &[wide]).unwrap();
	builder.output(sum, Layout::row_major());
	let cost = analyse(&builder.finish().unwrap(), &NO_LIMITS).unwrap().checkpoints[0];
	// One stretch of 512 bytes in a blob of 256 chunks, and the element in one of two.
	assert!(cost.open_bytes < 3 * 1024 + 20 * 64, "{cost:?}");
}

#[test]
fn programs_over_the_limits_are_refused() {
	let mut builder = ProgramBuilder::new();
	let x = TensorType::new(DType::I32, [2048, 1024]);
	let x = builder.input(x, Layout::row_major(), false).unwrap();
	let sum = Op::Reduce { reduction: Reduction::Sum, axis: 0 };
	let sum = builder.op(sum, &[x]).unwrap();
	builder.output(sum, Layout::row_major());
	let program = builder.finish().unwrap();
	assert_eq!(
		analyse(&program, &Limits::default()),
		Err(ProgramError::ArbitrationBytes { checkpoint: 0 })
	);
	let tight = Limits { macs: 2047, open_bytes: u64::MAX };
	assert_eq!(analyse(&program, &tight), Err(ProgramError::ArbitrationMacs { checkpoint: 0 }));
	let enough = Limits { macs: 2048, open_bytes: u64::MAX };
	assert!(analyse(&program, &enough).is_ok());
}
