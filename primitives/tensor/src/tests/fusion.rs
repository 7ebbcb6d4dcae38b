// SPDX-License-Identifier: Apache-2.0

//! Operators after a product give the same bits whether or not the product takes them along.

use super::Trace;
use crate::{arbitrary::Random, *};
use std::sync::Arc;

/// What follows the product in a program.
type Tail = fn(&mut ProgramBuilder, ValueId) -> Vec<ValueId>;

fn row(builder: &mut ProgramBuilder, dtype: DType, values: &[i32]) -> ValueId {
	let ty = TensorType::new(dtype, [values.len() as u32]);
	builder.constant_values(ty, values).unwrap()
}

fn rescale(builder: &mut ProgramBuilder, value: ValueId, columns: u32) -> ValueId {
	let multipliers: Vec<i32> = (0..columns as i32).map(|c| (1 << 30) - (c << 20)).collect();
	let shifts: Vec<i32> = (0..columns as i32).map(|c| 38 + c % 3).collect();
	let multiplier = row(builder, DType::I32, &multipliers);
	let shift = row(builder, DType::I8, &shifts);
	let op = Op::Rescale {
		output: DType::I8,
		input_zero_point: 7,
		output_zero_point: -3,
		per_channel: columns > 1,
	};
	builder.op(op, &[value, multiplier, shift]).unwrap()
}

const COLUMNS: u32 = 70;

/// Runs a product followed by `tail`, whose values are all checkpoints, in program order, and compares
/// every element with the lazy evaluator.
fn compare(convolution: bool, tail: &dyn Fn(&mut ProgramBuilder, ValueId) -> Vec<ValueId>) {
	let mut random = Random::new(5);
	let mut builder = ProgramBuilder::new();
	let (input, weight, out) = if convolution {
		let weight = TensorType::new(DType::I8, [COLUMNS, 3, 1, 6]);
		(TensorType::new(DType::I8, [2, 9, 5, 6]), weight, [1, 70, COLUMNS])
	} else {
		let weight = TensorType::new(DType::I8, [1, 20, COLUMNS]);
		(TensorType::new(DType::I8, [1, 70, 20]), weight, [1, 70, COLUMNS])
	};
	let (bytes, weights) = (random.bytes(&input), random.bytes(&weight));
	let x = builder.input(input, Layout::row_major(), false).unwrap();
	let root = *blake3::hash(&weights).as_bytes();
	let w = builder.constant_blob(weight, Layout::row_major(), root).unwrap();
	let product = if convolution {
		let bias: Vec<i32> = (0..COLUMNS as i32).map(|c| c * 1000 - 30_000).collect();
		let bias = row(&mut builder, DType::I32, &bias);
		let window = Window { pad: [0; 4], stride: [1; 2], dilation: [1; 2] };
		let op = Op::Conv2d { window, input_zero_point: 2, weight_zero_point: -1 };
		let conv = builder.op(op, &[x, w, bias]).unwrap();
		builder.op(Op::Reshape { shape: out.to_vec() }, &[conv]).unwrap()
	} else {
		builder.op(Op::MatMul { a_zero_point: 2, b_zero_point: -1 }, &[x, w]).unwrap()
	};
	for value in tail(&mut builder, product) {
		builder.output(value, Layout::row_major());
	}
	let program = Arc::new(builder.finish().unwrap());
	let parts = program.program();
	let constants: Vec<Arc<[u8]>> = parts
		.constants
		.iter()
		.map(|constant| match constant.data {
			ConstantData::Blob(_) => weights.clone().into(),
			ConstantData::Inline(_) => Vec::new().into(),
		})
		.collect();
	let mut executor = CpuExecutor::new(program.clone(), constants.clone()).unwrap();
	let checkpoints = executor.run_iteration(&[&bytes], &[]).unwrap();
	let trace = Trace {
		program: &program,
		inputs: vec![&bytes],
		constants: &constants,
		state: Vec::new(),
		checkpoints: &checkpoints,
	};
	for (number, checkpoint) in parts.checkpoints.iter().enumerate() {
		let ty = program.value_type(checkpoint.value).unwrap();
		for index in 0..ty.elements() {
			let element =
				eval_element(&program, &trace, number as u16, index, &mut u64::MAX.clone());
			let stored = read_element(ty.dtype, &checkpoints[number], index);
			assert_eq!(stored, Some(element.unwrap()), "checkpoint {number} at {index}");
		}
	}
}

fn both(tail: Tail) {
	compare(false, &tail);
	compare(true, &tail);
}

#[test]
fn a_whole_chain_is_taken_along() {
	both(|builder, value| {
		let bias: Vec<i32> = (0..COLUMNS as i32).map(|c| c * 77 - 3000).collect();
		let bias_type = TensorType::new(DType::I32, [1, 1, COLUMNS]);
		let bias = builder.constant_values(bias_type, &bias).unwrap();
		let value = builder.op(Op::Binary(Binary::Add), &[value, bias]).unwrap();
		let value = rescale(builder, value, COLUMNS);
		let value = builder.op(Op::Clamp { min: -100, max: 90 }, &[value]).unwrap();
		let entries: Vec<i32> = (0..256).map(|i| (i * 37 % 256) - 128).collect();
		let table = row(builder, DType::I8, &entries);
		vec![builder.op(Op::Table, &[value, table]).unwrap()]
	});
}

#[test]
fn a_checkpoint_inside_the_chain_keeps_its_own_value() {
	both(|builder, value| {
		let scaled = rescale(builder, value, 1);
		let limited = builder.op(Op::Clamp { min: -5, max: 5 }, &[scaled]).unwrap();
		vec![scaled, limited]
	});
}

#[test]
fn a_value_with_two_users_is_kept_for_both() {
	both(|builder, value| {
		let scaled = rescale(builder, value, COLUMNS);
		let a = builder.op(Op::Clamp { min: -5, max: 50 }, &[scaled]).unwrap();
		let b = builder.op(Op::Unary(Unary::Negate), &[scaled]).unwrap();
		vec![builder.op(Op::Binary(Binary::Maximum), &[a, b]).unwrap()]
	});
}

#[test]
fn a_checkpoint_between_product_and_the_end_of_its_chain_keeps_its_place() {
	both(|builder, value| {
		let zero = row(builder, DType::I32, &[0]);
		let shape = vec![1, 1, 1];
		let zero = builder.op(Op::Reshape { shape }, &[zero]).unwrap();
		let other = builder.op(Op::Unary(Unary::BitwiseNot), &[zero]).unwrap();
		let scaled = rescale(builder, value, 1);
		vec![other, scaled]
	});
}

#[test]
fn an_operand_that_is_no_constant_ends_the_chain() {
	both(|builder, value| {
		let doubled = builder.op(Op::Binary(Binary::Add), &[value, value]).unwrap();
		let start = vec![0, 0, 0];
		let part = Op::Slice { start, size: vec![1, 1, COLUMNS] };
		let part = builder.op(part, &[doubled]).unwrap();
		let sum = builder.op(Op::Binary(Binary::Sub), &[doubled, part]).unwrap();
		vec![rescale(builder, sum, 1)]
	});
}

/// What a softmax does with each row: the largest, what is below it, a sum, and something of both.
fn statistics(builder: &mut ProgramBuilder, value: ValueId, axis: u8) -> Vec<ValueId> {
	let reduce = |builder: &mut ProgramBuilder, reduction, value| {
		builder.op(Op::Reduce { reduction, axis }, &[value]).unwrap()
	};
	let scaled = rescale(builder, value, 1);
	let largest = reduce(builder, Reduction::Max, scaled);
	let cast = |builder: &mut ProgramBuilder, value| {
		builder.op(Op::Cast { to: DType::I32 }, &[value]).unwrap()
	};
	let (wide, most) = (cast(builder, scaled), cast(builder, largest));
	let below = builder.op(Op::Binary(Binary::Sub), &[wide, most]).unwrap();
	let squares = builder.op(Op::Mul { shift: 0 }, &[below, below]).unwrap();
	let sum = reduce(builder, Reduction::Sum, squares);
	let zeros = builder.op(Op::Unary(Unary::Clz), &[sum]).unwrap();
	let moved = builder.op(Op::Binary(Binary::LogicalLeftShift), &[sum, zeros]).unwrap();
	let share = builder.op(Op::Mul { shift: 20 }, &[below, moved]).unwrap();
	vec![largest, sum, share]
}

#[test]
fn statistics_of_rows_are_taken_along_and_spread_again() {
	both(|builder, value| statistics(builder, value, 2));
}

#[test]
fn statistics_of_parts_of_rows_are_those_of_the_parts() {
	both(|builder, value| {
		let shape = vec![1, 140, COLUMNS / 2];
		let halves = builder.op(Op::Reshape { shape }, &[value]).unwrap();
		let halves = statistics(builder, halves, 2);
		let shape = vec![4, 5, 35, 7];
		let sevenths = builder.op(Op::Reshape { shape }, &[value]).unwrap();
		[halves, statistics(builder, sevenths, 3)].concat()
	});
}

#[test]
fn statistics_across_rows_and_of_several_rows_are_not_mistaken_for_those_of_one() {
	both(|builder, value| {
		let shape = vec![7, 10, COLUMNS, 1];
		let split = builder.op(Op::Reshape { shape }, &[value]).unwrap();
		let across = statistics(builder, split, 1);
		let single = statistics(builder, split, 3);
		let shape = vec![1, 35, 2 * COLUMNS];
		let pairs = builder.op(Op::Reshape { shape }, &[value]).unwrap();
		[across, single, statistics(builder, pairs, 2)].concat()
	});
}

/// A chain of scalings and what surrounds them, with numbers at their extremes; some links are checkpoints, and
/// some have two readers.
fn chain(random: &mut Random, builder: &mut ProgramBuilder, product: ValueId) -> Vec<ValueId> {
	let (mut value, mut committed) = (product, Vec::new());
	let mut known = vec![product];
	let scalar = |builder: &mut ProgramBuilder, number: i32| {
		builder.constant_values(TensorType::new(DType::I32, [1, 1, 1]), &[number]).unwrap()
	};
	for _ in 0..3 + random.below(7) {
		let operand = match random.below(3) {
			0 => scalar(builder, random.value(DType::I32)),
			1 => {
				let numbers: Vec<i32> = (0..COLUMNS).map(|_| random.value(DType::I32)).collect();
				let ty = TensorType::new(DType::I32, [1, 1, COLUMNS]);
				builder.constant_values(ty, &numbers).unwrap()
			}
			_ => known[random.below(known.len() as u64) as usize],
		};
		let pair = if random.below(2) == 0 { [value, operand] } else { [operand, value] };
		value = match random.below(6) {
			0 | 1 => builder.op(Op::Binary(Binary::Add), &pair).unwrap(),
			2 => {
				let [a, b] = [0, 1].map(|_| random.value(DType::I32));
				builder.op(Op::Clamp { min: a.min(b), max: a.max(b) }, &[value]).unwrap()
			}
			3 => builder.op(Op::Mul { shift: random.below(64) as u8 }, &pair).unwrap(),
			_ => {
				let per_channel = random.below(2) == 0;
				let count = if per_channel { COLUMNS } else { 1 };
				let one = random.below(63) as i32;
				let uniform = random.below(3) > 0;
				let shifts: Vec<i32> = (0..count)
					.map(|_| if uniform { one } else { random.below(63) as i32 })
					.collect();
				let multipliers: Vec<i32> = (0..count).map(|_| random.value(DType::I32)).collect();
				let output = [DType::I8, DType::I16, DType::I32][random.below(3) as usize];
				let op = Op::Rescale {
					output,
					input_zero_point: 0,
					output_zero_point: output.wrap(random.draw() as i32 / 3)
						* (output != DType::I32) as i32,
					per_channel,
				};
				let multiplier = row(builder, DType::I32, &multipliers);
				let shift = row(builder, DType::I8, &shifts);
				let scaled = builder.op(op, &[value, multiplier, shift]).unwrap();
				if output == DType::I32 {
					scaled
				} else {
					if random.below(2) == 0 {
						committed.push(scaled);
					}
					builder.op(Op::Cast { to: DType::I32 }, &[scaled]).unwrap()
				}
			}
		};
		if random.below(3) == 0 {
			known.push(value);
		}
		if random.below(5) == 0 {
			committed.push(value);
		}
	}
	if !committed.contains(&value) {
		committed.push(value);
	}
	committed
}

#[test]
fn chains_of_scalings_give_the_same_bits_as_their_operators() {
	for seed in 0..60 {
		compare(seed % 4 == 3, &|builder, value| chain(&mut Random::new(seed), builder, value));
	}
}

#[test]
fn what_is_read_late_is_computed_with_its_operand() {
	both(|builder, value| {
		let wide = builder.op(Op::Mul { shift: 3 }, &[value, value]).unwrap();
		let narrow = rescale(builder, wide, 1);
		// Closes the group of both.
		let turned = Op::Transpose { permutation: vec![0, 2, 1] };
		let turned = builder.op(turned, &[narrow]).unwrap();
		let late = rescale(builder, wide, COLUMNS);
		let later = builder.op(Op::Clamp { min: -9, max: 70 }, &[late]).unwrap();
		let back = Op::Transpose { permutation: vec![0, 2, 1] };
		let back = builder.op(back, &[turned]).unwrap();
		vec![builder.op(Op::Binary(Binary::Maximum), &[back, later]).unwrap()]
	});
}
