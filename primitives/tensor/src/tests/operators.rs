// SPDX-License-Identifier: Apache-2.0

//! Every operator on examples computed by hand, in both evaluators.

use super::Trace;
use crate::{arbitrary::random_program, *};
use std::{collections::BTreeSet, slice::from_ref, sync::Arc};

/// A row-major operand.
pub(super) fn tensor(dtype: DType, shape: &[u32], elements: &[i32]) -> (TensorType, Vec<i32>) {
	let ty = TensorType::new(dtype, shape);
	assert_eq!(ty.elements(), elements.len() as u64);
	(ty, elements.to_vec())
}

pub(super) fn i8s(shape: &[u32], elements: &[i32]) -> (TensorType, Vec<i32>) {
	tensor(DType::I8, shape, elements)
}

pub(super) fn i16s(shape: &[u32], elements: &[i32]) -> (TensorType, Vec<i32>) {
	tensor(DType::I16, shape, elements)
}

pub(super) fn i32s(shape: &[u32], elements: &[i32]) -> (TensorType, Vec<i32>) {
	tensor(DType::I32, shape, elements)
}

pub(super) fn bools(shape: &[u32], elements: &[i32]) -> (TensorType, Vec<i32>) {
	tensor(DType::Bool, shape, elements)
}

/// Applies an operator in both evaluators, which must agree.
pub(super) fn apply(op: Op, operands: &[(TensorType, Vec<i32>)]) -> (TensorType, Vec<i32>) {
	let mut builder = ProgramBuilder::new();
	let mut values = Vec::new();
	let mut blobs = Vec::new();
	for (ty, elements) in operands {
		let mut bytes = vec![0; ty.bytes() as usize];
		for (index, element) in elements.iter().enumerate() {
			assert!(ty.dtype.holds(*element));
			write_element(ty.dtype, &mut bytes, index as u64, *element).unwrap();
		}
		blobs.push(bytes);
		values.push(builder.input(ty.clone(), Layout::row_major(), false).unwrap());
	}
	let result = builder.op(op, &values).unwrap();
	builder.output(result, Layout::row_major());
	let program = Arc::new(builder.finish().unwrap());
	let inputs: Vec<&[u8]> = blobs.iter().map(Vec::as_slice).collect();
	let mut executor = CpuExecutor::new(program.clone(), Vec::new()).unwrap();
	let checkpoints = executor.run_iteration(&inputs, &[]).unwrap();
	let (ty, _) = program.leaf_type(Leaf::Checkpoint(0)).unwrap();
	let trace = Trace {
		program: &program,
		inputs,
		constants: &[],
		state: Vec::new(),
		checkpoints: &checkpoints,
	};
	let elements = (0..ty.elements()).map(|index| {
		let element = eval_element(&program, &trace, 0, index, &mut u64::MAX.clone()).unwrap();
		assert_eq!(read_element(ty.dtype, &checkpoints[0], index), Some(element), "at {index}");
		element
	});
	(ty.clone(), elements.collect())
}

pub(super) fn refused(op: Op, operands: &[TensorType]) -> ProgramError {
	let mut builder = ProgramBuilder::new();
	let values: Vec<ValueId> = operands
		.iter()
		.map(|ty| builder.input(ty.clone(), Layout::row_major(), false).unwrap())
		.collect();
	builder.op(op, &values).unwrap_err()
}

pub(super) const PLAIN: Window = Window { pad: [0; 4], stride: [1; 2], dilation: [1; 2] };

#[test]
fn convolution_sums_taps_and_pads_with_nothing() {
	let op = Op::Conv2d {
		window: Window { pad: [1, 0, 0, 0], ..PLAIN },
		input_zero_point: 1,
		weight_zero_point: 0,
	};
	// A column of three with a kernel of two taps. The padding is not the zero point: it adds nothing.
	let x = i8s(&[1, 3, 1, 1], &[2, 3, 4]);
	let w = i8s(&[2, 2, 1, 1], &[10, 1, -1, 0]);
	let bias = i32s(&[2], &[0, 100]);
	let (ty, y) = apply(op, &[x, w, bias]);
	assert_eq!(ty, TensorType::new(DType::I32, [1, 3, 1, 2]));
	assert_eq!(y, [1, 100, 12, 99, 23, 98]);
}

#[test]
fn convolution_steps_and_spreads_its_window() {
	let window = Window { pad: [0; 4], stride: [1, 2], dilation: [1, 2] };
	let op = Op::Conv2d { window, input_zero_point: 0, weight_zero_point: -1 };
	let x = i16s(&[1, 1, 5, 2], &[1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
	let w = i8s(&[1, 1, 2, 2], &[0, 0, 1, -1]);
	// Weights less their zero point: 1, 1 and 2, 0; columns 0 and 2, then 2 and 4.
	let (ty, y) = apply(op, &[x, w, i32s(&[1], &[-1])]);
	assert_eq!(ty.shape, [1, 1, 2, 1]);
	assert_eq!(y, [(1 + 2) + 2 * 5 - 1, (5 + 6) + 2 * 9 - 1]);
}

#[test]
fn matrix_product_subtracts_zero_points_and_wraps() {
	let op = Op::MatMul { a_zero_point: 1, b_zero_point: -1 };
	let a = i8s(&[1, 2, 2], &[1, 2, 3, 4]);
	let b = i16s(&[1, 2, 1], &[9, 19]);
	assert_eq!(apply(op, &[a, b]).1, [20, 2 * 10 + 3 * 20]);
	// (-32768 − 32767)² = 65535², twice: 2 × 4294836225 modulo 2^32.
	let op = Op::MatMul { a_zero_point: 32767, b_zero_point: 32767 };
	let a = i16s(&[1, 1, 2], &[-32768, -32768]);
	let b = i16s(&[1, 2, 1], &[-32768, -32768]);
	assert_eq!(apply(op, &[a, b]).1, [(2i64 * 65535 * 65535) as i32]);
}

#[test]
fn pooling_ignores_padding_unless_there_is_nothing_else() {
	let window = Window { pad: [0, 0, 2, 0], stride: [1, 2], dilation: [1, 1] };
	let op = Op::MaxPool2d { kernel: [1, 2], window };
	let (ty, y) = apply(op, &[i8s(&[1, 1, 4, 1], &[-5, -7, 3, -1])]);
	assert_eq!(ty.shape, [1, 1, 3, 1]);
	assert_eq!(y, [-128, -5, 3]);
}

#[test]
fn arg_max_takes_the_first_of_equals() {
	let a = i16s(&[2, 3], &[1, 5, 5, -1, -1, -2]);
	let (ty, y) = apply(Op::ArgMax { axis: 1 }, from_ref(&a));
	assert_eq!((ty.shape, y), (vec![2], vec![1, 0]));
	assert_eq!(apply(Op::ArgMax { axis: 0 }, &[a]).1, [0, 0, 0]);
}

#[test]
fn clamp_limits_both_ways() {
	let op = Op::Clamp { min: -3, max: 4 };
	assert_eq!(apply(op, &[i8s(&[4], &[-128, -3, 4, 127])]).1, [-3, -3, 4, 4]);
}

#[test]
fn binary_operators_broadcast() {
	let a = i32s(&[2, 1], &[10, i32::MAX]);
	let b = i32s(&[1, 3], &[1, -1, 0]);
	let run = |op| apply(Op::Binary(op), &[a.clone(), b.clone()]).1;
	assert_eq!(run(Binary::Add), [11, 9, 10, i32::MIN, i32::MAX - 1, i32::MAX]);
	assert_eq!(run(Binary::Sub), [9, 11, 10, i32::MAX - 1, i32::MIN, i32::MAX]);
	assert_eq!(run(Binary::IntDiv), [10, -10, 0, i32::MAX, -i32::MAX, 0]);
	assert_eq!(run(Binary::Greater), [1, 1, 1, 1, 1, 1]);
	assert_eq!(run(Binary::Maximum), [10, 10, 10, i32::MAX, i32::MAX, i32::MAX]);
	assert_eq!(run(Binary::BitwiseXor), [11, !10, 10, i32::MAX - 1, i32::MIN, i32::MAX]);
}

#[test]
fn logic_is_on_truth_values() {
	let a = bools(&[4], &[0, 0, 1, 1]);
	let b = bools(&[4], &[0, 1, 0, 1]);
	let run = |op| apply(Op::Binary(op), &[a.clone(), b.clone()]).1;
	assert_eq!(run(Binary::LogicalAnd), [0, 0, 0, 1]);
	assert_eq!(run(Binary::LogicalOr), [0, 1, 1, 1]);
	assert_eq!(run(Binary::LogicalXor), [0, 1, 1, 0]);
	assert_eq!(apply(Op::Unary(Unary::LogicalNot), &[a]).1, [1, 1, 0, 0]);
}

#[test]
fn products_of_narrow_types_are_wide() {
	let a = i16s(&[2], &[-32768, 32767]);
	let (ty, y) = apply(Op::Mul { shift: 0 }, &[a.clone(), a]);
	assert_eq!((ty.dtype, y), (DType::I32, vec![1 << 30, 32767 * 32767]));
	let a = i32s(&[2], &[i32::MIN, 3 << 20]);
	assert_eq!(apply(Op::Mul { shift: 31 }, &[a.clone(), a]).1, [i32::MIN, (9 << 9)]);
}

#[test]
fn arithmetic_shifts_round_on_demand() {
	let a = i8s(&[4], &[-128, -5, 5, 127]);
	let b = i8s(&[1], &[1]);
	let shift = |round| Op::ArithmeticRightShift { round };
	assert_eq!(apply(shift(false), &[a.clone(), b.clone()]).1, [-64, -3, 2, 63]);
	assert_eq!(apply(shift(true), &[a, b]).1, [-64, -2, 3, 64]);
}

#[test]
fn select_chooses_element_by_element() {
	let condition = bools(&[2, 1], &[1, 0]);
	let a = i8s(&[1, 2], &[1, 2]);
	let b = i8s(&[2, 2], &[5, 6, 7, 8]);
	assert_eq!(apply(Op::Select, &[condition, a, b]).1, [1, 2, 7, 8]);
}

#[test]
fn reductions_keep_their_axis() {
	let a = i32s(&[2, 2], &[1, 2, i32::MAX, 4]);
	let run = |reduction, axis| apply(Op::Reduce { reduction, axis }, from_ref(&a));
	assert_eq!(run(Reduction::Sum, 0), (TensorType::new(DType::I32, [1, 2]), vec![i32::MIN, 6]));
	assert_eq!(run(Reduction::Sum, 1).1, [3, i32::MIN + 3]);
	assert_eq!(run(Reduction::Product, 1).1, [2, -4]);
	assert_eq!(run(Reduction::Max, 0).1, [i32::MAX, 4]);
	assert_eq!(run(Reduction::Min, 1).1, [1, 4]);
	let b = bools(&[2, 2], &[1, 0, 1, 1]);
	let run = |reduction| apply(Op::Reduce { reduction, axis: 1 }, from_ref(&b)).1;
	assert_eq!(run(Reduction::All), [0, 1]);
	assert_eq!(run(Reduction::Any), [1, 1]);
}

#[test]
fn movements_put_elements_where_they_belong() {
	let a = i8s(&[2, 3], &[1, 2, 3, 4, 5, 6]);
	let b = i8s(&[2, 1], &[7, 8]);
	let (ty, y) = apply(Op::Concat { axis: 1 }, &[a.clone(), b]);
	assert_eq!((ty.shape, y), (vec![2, 4], vec![1, 2, 3, 7, 4, 5, 6, 8]));
	let pad = Op::Pad { before: vec![0, 1], after: vec![1, 0], value: -9 };
	assert_eq!(apply(pad, from_ref(&a)).1, [-9, 1, 2, 3, -9, 4, 5, 6, -9, -9, -9, -9]);
	let reshape = Op::Reshape { shape: vec![3, 2] };
	assert_eq!(apply(reshape, from_ref(&a)).1, [1, 2, 3, 4, 5, 6]);
	let slice = Op::Slice { start: vec![0, 1], size: vec![2, 2] };
	assert_eq!(apply(slice, from_ref(&a)).1, [2, 3, 5, 6]);
	let transpose = Op::Transpose { permutation: vec![1, 0] };
	assert_eq!(apply(transpose, from_ref(&a)).1, [1, 4, 2, 5, 3, 6]);
	let tile = Op::Tile { multiples: vec![1, 2] };
	assert_eq!(apply(tile, from_ref(&a)).1, [1, 2, 3, 1, 2, 3, 4, 5, 6, 4, 5, 6]);
	assert_eq!(apply(Op::Reverse { axis: 1 }, from_ref(&a)).1, [3, 2, 1, 6, 5, 4]);
	assert_eq!(apply(Op::Reverse { axis: 0 }, &[a]).1, [4, 5, 6, 1, 2, 3]);
	let scalar = i8s(&[], &[5]);
	assert_eq!(apply(Op::Transpose { permutation: vec![] }, &[scalar]).1, [5]);
}

#[test]
fn gather_limits_its_index() {
	let values = i16s(&[1, 3, 2], &[1, 2, 3, 4, 5, 6]);
	let indices = i32s(&[1, 4], &[2, -1, i32::MAX, i32::MIN]);
	let (ty, y) = apply(Op::Gather, &[values, indices]);
	assert_eq!((ty.shape, y), (vec![1, 4, 2], vec![5, 6, 1, 2, 5, 6, 1, 2]));
}

#[test]
fn tables_look_up_and_interpolate() {
	let entries: Vec<i32> = (0..256).map(|entry| 127 - entry).collect();
	let a = i8s(&[3], &[-128, 0, 127]);
	assert_eq!(apply(Op::Table, &[a, i8s(&[256], &entries)]).1, [127, -1, -128]);
	let entries: Vec<i32> = (0..513).map(|entry| entry * 2 - 512).collect();
	let a = i16s(&[4], &[-32768, -32767, 0, 32767]);
	let (ty, y) = apply(Op::Table, &[a, i16s(&[513], &entries)]);
	assert_eq!((ty.dtype, y), (DType::I32, vec![-65536, -65534, 0, 65534]));
}

#[test]
fn rescale_rounds_once_and_limits() {
	let rescale = |output, per_channel| Op::Rescale {
		output,
		input_zero_point: 1,
		output_zero_point: -1,
		per_channel,
	};
	// A multiplier of 3 and a shift of 1: three halves.
	let one = [i32s(&[1], &[3]), i8s(&[1], &[1])];
	let a = i32s(&[4], &[1, 2, 3, i32::MIN]);
	let [m, s] = one.clone();
	// i32::MIN − 1 wraps to i32::MAX.
	assert_eq!(apply(rescale(DType::I8, false), &[a, m, s]).1, [-1, 1, 2, 127]);
	let two = [i32s(&[2], &[3, -1]), i8s(&[2], &[1, 0])];
	let [m, s] = two;
	let a = i8s(&[2, 2], &[3, 3, -127, -127]);
	assert_eq!(apply(rescale(DType::I16, true), &[a, m, s]).1, [2, -3, -193, 127]);
}

#[test]
fn casts_wrap_extend_and_test() {
	let a = i32s(&[4], &[0, 128, -129, 65536]);
	let cast = |to, a: &(TensorType, Vec<i32>)| apply(Op::Cast { to }, from_ref(a)).1;
	assert_eq!(cast(DType::I8, &a), [0, -128, 127, 0]);
	assert_eq!(cast(DType::I16, &a), [0, 128, -129, 0]);
	assert_eq!(cast(DType::Bool, &a), [0, 1, 1, 1]);
	assert_eq!(cast(DType::I32, &bools(&[2], &[0, 1])), [0, 1]);
}

#[test]
fn misfits_are_refused_by_name() {
	let ty = |dtype, shape: &[u32]| TensorType::new(dtype, shape);
	let (i8t, i32t) = (ty(DType::I8, &[2, 3]), ty(DType::I32, &[2, 3]));
	let node = 0;
	let add = Op::Binary(Binary::Add);
	assert_eq!(refused(add.clone(), from_ref(&i32t)), ProgramError::OperandCount { node });
	let both = [i8t.clone(), i8t.clone()];
	assert_eq!(refused(add.clone(), &both), ProgramError::OperandType { node });
	let other = ty(DType::I32, &[3, 2]);
	assert_eq!(refused(add, &[i32t.clone(), other]), ProgramError::OperandShape { node });
	let clamp = Op::Clamp { min: 0, max: 128 };
	assert_eq!(refused(clamp, from_ref(&i8t)), ProgramError::Attribute { node });
	let axis = Op::Reduce { reduction: Reduction::Max, axis: 2 };
	assert_eq!(refused(axis, from_ref(&i8t)), ProgramError::Attribute { node });
	let slice = Op::Slice { start: vec![0, 2], size: vec![1, u32::MAX] };
	assert_eq!(refused(slice, from_ref(&i8t)), ProgramError::Attribute { node });
	let twice = Op::Transpose { permutation: vec![1, 1] };
	assert_eq!(refused(twice, from_ref(&i8t)), ProgramError::Attribute { node });
	let pad = Op::Pad { before: vec![u32::MAX, 0], after: vec![1, 0], value: 0 };
	assert_eq!(refused(pad, from_ref(&i8t)), ProgramError::OperandShape { node });
	let tile = Op::Tile { multiples: vec![1 << 30, 1] };
	assert_eq!(refused(tile, from_ref(&i8t)), ProgramError::OperandShape { node });
	let reshape = Op::Reshape { shape: vec![5] };
	assert_eq!(refused(reshape, from_ref(&i8t)), ProgramError::OperandShape { node });
	let shifted = Op::Mul { shift: 1 };
	assert_eq!(refused(shifted, &both), ProgramError::Attribute { node });
	let large = Op::Mul { shift: 64 };
	assert_eq!(refused(large, &[i32t.clone(), i32t]), ProgramError::Attribute { node });
	let concat = Op::Concat { axis: 0 };
	assert_eq!(refused(concat, &[i8t]), ProgramError::OperandCount { node });
	let still = Window { stride: [0, 1], ..PLAIN };
	let x = ty(DType::I8, &[1, 4, 4, 1]);
	let conv = |window| Op::Conv2d { window, input_zero_point: 0, weight_zero_point: 0 };
	let operands = [x, ty(DType::I8, &[1, 5, 1, 1]), ty(DType::I32, &[1])];
	assert_eq!(refused(conv(still), &operands), ProgramError::Attribute { node });
	assert_eq!(refused(conv(PLAIN), &operands), ProgramError::OperandShape { node });
}

#[test]
fn random_programs_contain_every_operator() {
	let mut seen = BTreeSet::new();
	let (mut states, mut several, mut layouts) = (0, 0, 0);
	for seed in 0..300 {
		let random = random_program(seed);
		let parts = random.program.program();
		for node in &parts.nodes {
			// The first byte of an operator's encoding is its index, the next names its variant.
			let encoded = codec::Encode::encode(&node.op);
			let variant = match node.op {
				Op::Binary(_) | Op::Unary(_) | Op::Reduce { .. } => encoded[1],
				_ => 0,
			};
			seen.insert((encoded[0], variant));
		}
		states += (!parts.state.is_empty()) as u32;
		several += (random.iterations > 1) as u32;
		layouts += parts.checkpoints.iter().any(|c| !c.layout.0.is_empty()) as u32;
	}
	// 29 operators, of which three stand for 16, 5 and 6.
	assert_eq!(seen.len(), 26 + 16 + 5 + 6);
	assert!(states > 50 && several > 50 && layouts > 50);
}

#[test]
fn the_book_names_every_operator() {
	// The metadata of a type lists its variants, so none can be left out here.
	fn variants<T: scale_info::TypeInfo>() -> Vec<String> {
		match T::type_info().type_def {
			scale_info::TypeDef::Variant(all) => {
				all.variants.iter().map(|variant| variant.name.to_string()).collect()
			}
			other => panic!("not an enumeration: {other:?}"),
		}
	}
	let book = include_str!("../../../../docs/operators.md");
	let operators = [variants::<Op>(), variants::<Binary>(), variants::<Unary>()].concat();
	assert_eq!(operators.len(), 29 + 16 + 5);
	for name in operators.iter().chain(&variants::<Reduction>()) {
		// Followed by the end of the name or by attributes.
		let named = [format!("`{name}`"), format!("`{name} {{")];
		assert!(named.iter().any(|named| book.contains(named)), "{name} is not described");
	}
}
