// SPDX-License-Identifier: Apache-2.0

//! The GPU path and the CPU path compute the same bits.
//!
//! These tests run on any adapter; without a GPU they need software Vulkan (Debian's
//! `mesa-vulkan-drivers`).

mod common;
#[path = "differential/products.rs"]
mod products;
#[path = "differential/windows.rs"]
mod windows;

use common::{compare, Case, Rng};
use std::sync::{Arc, OnceLock};
use tensornet_tensor::{
	arbitrary::{random_program, RandomProgram},
	run_job, Binary, CheckedProgram, Checkpoint, CpuExecutor, DType, Executor, Input, Layout, Leaf,
	Node, Op, Program, Reduction, State, TensorType, Unary, Window, FORMAT,
};
use tensornet_worker::{
	devices::DeviceKind,
	gpu::{GpuDevice, GpuError, GpuExecutor},
};
use windows::random_window;

const INTEGERS: [DType; 3] = [DType::I8, DType::I16, DType::I32];
const NO_ADAPTER: &str =
	"these tests need a Vulkan adapter: install mesa-vulkan-drivers for a software one";

/// One device for the whole binary: compiled kernels are kept.
fn device() -> &'static Arc<GpuDevice> {
	static DEVICE: OnceLock<Arc<GpuDevice>> = OnceLock::new();
	DEVICE.get_or_init(|| Arc::new(GpuDevice::open(true).expect(NO_ADAPTER)))
}

/// The same adapter without packed products.
fn unpacked() -> Arc<GpuDevice> {
	Arc::new(GpuDevice::open(true).expect(NO_ADAPTER).with_packed_products(false))
}

fn ty(dtype: DType, shape: &[u32]) -> TensorType {
	TensorType::new(dtype, shape)
}

/// `shape` with some axes set to 1, to be broadcast.
fn flattened(shape: &[u32], rng: &mut Rng) -> Vec<u32> {
	shape.iter().map(|e| if rng.range(0, 2) == 0 { 1 } else { *e }).collect()
}

fn shape_up_to(rank: u32, most: u32, rng: &mut Rng) -> Vec<u32> {
	let rank = rng.range(0, rank) as usize;
	rng.shape(rank, most)
}

/// Random programs of several operators, with state and iterations, as one job each.
#[test]
fn random_programs_agree() {
	for seed in 0..500 {
		let RandomProgram { program, constants, inputs, state, iterations } = random_program(seed);
		let program = Arc::new(program);
		let inputs: Vec<&[u8]> = inputs.iter().map(Vec::as_slice).collect();
		let state: Vec<&[u8]> = state.iter().map(Vec::as_slice).collect();
		let run = |executor: &mut dyn Executor| {
			let mut trace = Vec::new();
			let mut sink = |_: u32, checkpoints: &[Vec<u8>]| {
				trace.push(checkpoints.to_vec());
				Ok(())
			};
			let outputs =
				run_job(executor, &program, &inputs, &state, iterations, &mut sink).expect("runs");
			(trace, outputs)
		};
		let mut cpu = CpuExecutor::new(program.clone(), constants.clone()).expect("fits");
		let mut gpu = GpuExecutor::new(device().clone(), program.clone(), constants).expect("fits");
		assert_eq!(run(&mut cpu), run(&mut gpu), "seed {seed}: {:?}", program.program());
	}
}

#[test]
fn binary_operators_agree() {
	use Binary::*;
	let rng = &mut Rng::new(1);
	for op in [
		Add,
		Sub,
		IntDiv,
		Maximum,
		Minimum,
		BitwiseAnd,
		BitwiseOr,
		BitwiseXor,
		LogicalLeftShift,
		LogicalRightShift,
		LogicalAnd,
		LogicalOr,
		LogicalXor,
		Equal,
		Greater,
		GreaterEqual,
	] {
		let dtypes: &[DType] = match op {
			Add | Sub | IntDiv => &[DType::I32],
			LogicalAnd | LogicalOr | LogicalXor => &[DType::Bool],
			_ => &INTEGERS,
		};
		for dtype in dtypes {
			for _ in 0..4 {
				let shape = shape_up_to(6, 5, rng);
				let (a, b) = (flattened(&shape, rng), flattened(&shape, rng));
				let operands = [ty(*dtype, &a), ty(*dtype, &b)];
				Case::of(Op::Binary(op), &operands, rng).check(device());
			}
			let dense = ty(*dtype, &[3, 401]);
			Case::of(Op::Binary(op), &[dense.clone(), dense], rng).check(device());
		}
	}
}

#[test]
fn unary_operators_agree() {
	let rng = &mut Rng::new(2);
	for (op, dtypes) in [
		(Unary::Abs, &INTEGERS[2..]),
		(Unary::Negate, &INTEGERS[..]),
		(Unary::Clz, &INTEGERS[2..]),
		(Unary::BitwiseNot, &INTEGERS[..]),
		(Unary::LogicalNot, &[DType::Bool][..]),
	] {
		for dtype in dtypes {
			Case::of(Op::Unary(op), &[ty(*dtype, &[7, 31])], rng).check(device());
		}
	}
}

#[test]
fn casts_and_clamps_agree() {
	let rng = &mut Rng::new(3);
	let all = [DType::Bool, DType::I8, DType::I16, DType::I32];
	for from in all {
		for to in all {
			let shape = shape_up_to(6, 5, rng);
			Case::of(Op::Cast { to }, &[ty(from, &shape)], rng).check(device());
		}
	}
	for dtype in INTEGERS {
		for _ in 0..4 {
			let (min, max) = (rng.value(dtype), rng.value(dtype));
			Case::of(Op::Clamp { min, max }, &[ty(dtype, &[5, 13])], rng).check(device());
		}
	}
}

#[test]
fn products_and_shifts_agree_at_every_shift() {
	let rng = &mut Rng::new(4);
	for dtype in INTEGERS {
		let operands = [ty(dtype, &[9, 1, 17]), ty(dtype, &[1, 5, 17])];
		Case::of(Op::Mul { shift: 0 }, &operands, rng).check(device());
		for round in [false, true] {
			let op = Op::ArithmeticRightShift { round };
			Case::of(op, &operands, rng).check(device());
		}
	}
	for shift in 1..=63 {
		let operands = [ty(DType::I32, &[23, 1]), ty(DType::I32, &[1, 29])];
		Case::of(Op::Mul { shift }, &operands, rng).check(device());
	}
}

#[test]
fn selection_agrees() {
	let rng = &mut Rng::new(5);
	for dtype in [DType::Bool, DType::I8, DType::I16, DType::I32] {
		for _ in 0..4 {
			let shape = shape_up_to(6, 5, rng);
			let [c, a, b] = [0; 3].map(|_| flattened(&shape, rng));
			let operands = [ty(DType::Bool, &c), ty(dtype, &a), ty(dtype, &b)];
			Case::of(Op::Select, &operands, rng).check(device());
		}
	}
}

#[test]
fn rescaling_agrees_at_every_shift_and_multiplier() {
	let rng = &mut Rng::new(6);
	for input in INTEGERS {
		for output in INTEGERS {
			for per_channel in [false, true] {
				for _ in 0..3 {
					// 64 channels carry 64 random multipliers and shifts, edges among them.
					let channels = if per_channel { 64 } else { 1 };
					let operands = [
						ty(input, &[11, 64]),
						ty(DType::I32, &[channels]),
						ty(DType::I8, &[channels]),
					];
					let op = Op::Rescale {
						output,
						input_zero_point: rng.value(input),
						output_zero_point: rng.value(output),
						per_channel,
					};
					Case::of(op, &operands, rng).check(device());
				}
			}
		}
	}
	// The one product whose rounding wraps, and its neighbours.
	for (a, b) in [(i32::MIN, i32::MIN), (i32::MIN, i32::MAX), (i32::MAX, i32::MAX), (-1, -1)] {
		let shifts: Vec<u8> = (0..64).collect();
		let operands = [ty(DType::I32, &[1, 64]), ty(DType::I32, &[64]), ty(DType::I8, &[64])];
		let repeated = |v: i32| (0..64).flat_map(|_| v.to_le_bytes()).collect::<Vec<u8>>();
		let op = Op::Rescale {
			output: DType::I32,
			input_zero_point: 0,
			output_zero_point: 0,
			per_channel: true,
		};
		Case::with_data(op, &operands, vec![repeated(a), repeated(b), shifts], rng).check(device());
	}
}

#[test]
fn reductions_agree_short_and_long() {
	let rng = &mut Rng::new(7);
	for (reduction, dtypes) in [
		(Reduction::Sum, &INTEGERS[2..]),
		(Reduction::Product, &INTEGERS[2..]),
		(Reduction::Max, &INTEGERS[..]),
		(Reduction::Min, &INTEGERS[..]),
		(Reduction::All, &[DType::Bool][..]),
		(Reduction::Any, &[DType::Bool][..]),
	] {
		for dtype in dtypes {
			for (shape, axis) in [
				(&[3, 7, 5][..], 0),
				(&[3, 7, 5], 1),
				(&[3, 7, 5], 2),
				(&[2, 1031, 3], 1),
				(&[1], 0),
			] {
				let op = Op::Reduce { reduction, axis };
				Case::of(op, &[ty(*dtype, shape)], rng).check(device());
			}
		}
	}
	// More elements than two passes of chunks hold.
	let op = Op::Reduce { reduction: Reduction::Sum, axis: 0 };
	Case::of(op, &[ty(DType::I32, &[140_001])], rng).check(device());
}

#[test]
fn the_first_of_equal_maxima_is_found() {
	let rng = &mut Rng::new(8);
	for dtype in INTEGERS {
		for (shape, axis) in
			[(&[4, 6, 5][..], 0), (&[4, 6, 5], 1), (&[4, 6, 5], 2), (&[2, 1031, 3], 1), (&[1], 0)]
		{
			Case::of(Op::ArgMax { axis }, &[ty(dtype, shape)], rng).check(device());
		}
	}
	// Equal everywhere: only the order of comparison decides.
	let operands = [ty(DType::I8, &[140_001])];
	let op = Op::ArgMax { axis: 0 };
	Case::with_data(op, &operands, vec![vec![0x80; 140_001]], rng).check(device());
}

#[test]
fn data_movement_agrees() {
	let rng = &mut Rng::new(9);
	for dtype in [DType::Bool, DType::I8, DType::I16, DType::I32] {
		for rank in 1..=6usize {
			let shape = rng.shape(rank, 5);
			let operand = [ty(dtype, &shape)];

			let mut permutation: Vec<u8> = (0..rank as u8).collect();
			permutation.rotate_left(rng.range(0, rank as u32 - 1) as usize);
			permutation.swap(0, rng.range(0, rank as u32 - 1) as usize);
			Case::of(Op::Transpose { permutation }, &operand, rng).check(device());

			let start: Vec<u32> = shape.iter().map(|e| rng.range(0, e - 1)).collect();
			let size = shape.iter().zip(&start).map(|(e, s)| rng.range(1, e - s)).collect();
			Case::of(Op::Slice { start, size }, &operand, rng).check(device());

			let [before, after] = [0; 2].map(|_| shape.iter().map(|_| rng.range(0, 2)).collect());
			let value = rng.value(if dtype == DType::Bool { DType::Bool } else { dtype });
			Case::of(Op::Pad { before, after, value }, &operand, rng).check(device());

			let multiples = shape.iter().map(|_| rng.range(1, 3)).collect();
			Case::of(Op::Tile { multiples }, &operand, rng).check(device());

			let axis = rng.range(0, rank as u32 - 1) as u8;
			Case::of(Op::Reverse { axis }, &operand, rng).check(device());

			let mut longer = shape.clone();
			longer[usize::from(axis)] += 2;
			let operands = [ty(dtype, &shape), ty(dtype, &longer), ty(dtype, &shape)];
			Case::of(Op::Concat { axis }, &operands, rng).check(device());

			Case::of(Op::Identity, &operand, rng).check(device());

			let flat = vec![shape.iter().product()];
			Case::of(Op::Reshape { shape: flat }, &operand, rng).check(device());
		}
		Case::of(Op::Reshape { shape: vec![1, 1] }, &[ty(dtype, &[])], rng).check(device());
	}
}

#[test]
fn gathering_limits_indices() {
	let rng = &mut Rng::new(10);
	for dtype in [DType::Bool, DType::I8, DType::I16, DType::I32] {
		for _ in 0..4 {
			let (n, k, c, w) =
				(rng.range(1, 3), rng.range(1, 40), rng.range(1, 9), rng.range(1, 50));
			let operands = [ty(dtype, &[n, k, c]), ty(DType::I32, &[n, w])];
			Case::of(Op::Gather, &operands, rng).check(device());
		}
	}
}

#[test]
fn scattering_limits_indices_and_keeps_the_last_of_equals() {
	let rng = &mut Rng::new(20);
	for dtype in [DType::Bool, DType::I8, DType::I16, DType::I32] {
		for _ in 0..4 {
			let (n, k, c, w) =
				(rng.range(1, 3), rng.range(1, 40), rng.range(1, 9), rng.range(1, 50));
			let operands = [ty(dtype, &[n, k, c]), ty(DType::I32, &[n, w]), ty(dtype, &[n, w, c])];
			Case::of(Op::Scatter, &operands, rng).check(device());
			// Mostly inside, so that many meet.
			let [values, _, input] = [0, 1, 2].map(|place| rng.bytes(&operands[place]));
			let indices = (0..n * w).flat_map(|_| (rng.range(0, k + 1) as i32 - 1).to_le_bytes());
			let data = vec![values, indices.collect(), input];
			Case::with_data(Op::Scatter, &operands, data, rng).check(device());
		}
	}
}

#[test]
fn tables_agree_on_every_input() {
	let rng = &mut Rng::new(11);
	let bytes: Vec<u8> = (0..=255).collect();
	let operands = [ty(DType::I8, &[256]), ty(DType::I8, &[256])];
	let table = rng.bytes(&operands[1]);
	Case::with_data(Op::Table, &operands, vec![bytes, table], rng).check(device());

	let words: Vec<u8> = (0..=u16::MAX).flat_map(u16::to_le_bytes).collect();
	let operands = [ty(DType::I16, &[65536]), ty(DType::I16, &[513])];
	let table = rng.bytes(&operands[1]);
	Case::with_data(Op::Table, &operands, vec![words, table], rng).check(device());
}

#[test]
fn convolutions_agree() {
	let unpacked = unpacked();
	let rng = &mut Rng::new(13);
	for dtype in [DType::I8, DType::I16] {
		for _ in 0..16 {
			let (n, c, o) = (rng.range(1, 2), rng.range(1, 20), rng.range(1, 80));
			let (kh, kw) = (rng.range(1, 3), rng.range(1, 3));
			let operands = [
				ty(dtype, &[n, rng.range(5, 11), rng.range(5, 11), c]),
				ty(DType::I8, &[o, kh, kw, c]),
				ty(DType::I32, &[if rng.range(0, 1) == 0 { 1 } else { o }]),
			];
			let op = Op::Conv2d {
				window: random_window(rng, true),
				input_zero_point: rng.value(dtype) as i16,
				weight_zero_point: rng.value(DType::I8) as i8,
			};
			let case = Case::of(op, &operands, rng);
			case.check(device());
			case.check(&unpacked);
		}
	}
}

#[test]
fn matrix_products_agree() {
	let unpacked = unpacked();
	let rng = &mut Rng::new(14);
	for a in [DType::I8, DType::I16] {
		for b in [DType::I8, DType::I16] {
			for _ in 0..6 {
				let (n, h, c, w) =
					(rng.range(1, 3), rng.range(1, 90), rng.range(1, 70), rng.range(1, 90));
				let op = Op::MatMul {
					a_zero_point: rng.value(a) as i16,
					b_zero_point: rng.value(b) as i16,
				};
				let case = Case::of(op, &[ty(a, &[n, h, c]), ty(b, &[n, c, w])], rng);
				case.check(device());
				case.check(&unpacked);
			}
		}
	}
}

/// The shape of the largest layer of the file-type model, smaller: a convolution over positions.
#[test]
fn a_convolution_shaped_like_the_main_models_agrees() {
	let rng = &mut Rng::new(15);
	let operands =
		[ty(DType::I16, &[1, 64, 1, 64]), ty(DType::I8, &[32, 5, 1, 64]), ty(DType::I32, &[32])];
	let window = Window { pad: [2, 2, 0, 0], stride: [1, 1], dilation: [1, 1] };
	let op = Op::Conv2d { window, input_zero_point: 0, weight_zero_point: 0 };
	Case::of(op, &operands, rng).check(device());
}

/// A device believed to be very slow gets many small dispatches, also along the summed axis.
#[test]
fn split_dispatches_give_the_same_bits() {
	let slow = unpacked();
	slow.set_rate(1);
	let rng = &mut Rng::new(16);
	let op = Op::MatMul { a_zero_point: 3, b_zero_point: -5 };
	let operands = [ty(DType::I8, &[2, 70, 2500]), ty(DType::I16, &[2, 2500, 90])];
	Case::of(op, &operands, rng).check(&slow);
	let operands =
		[ty(DType::I16, &[1, 9, 9, 300]), ty(DType::I8, &[70, 3, 3, 300]), ty(DType::I32, &[70])];
	let window = Window { pad: [1; 4], stride: [1, 1], dilation: [1, 1] };
	let op = Op::Conv2d { window, input_zero_point: 7, weight_zero_point: 0 };
	Case::of(op, &operands, rng).check(&slow);
	let operands = [ty(DType::I32, &[300, 1001]), ty(DType::I32, &[300, 1])];
	Case::of(Op::Binary(Binary::Add), &operands, rng).check(&slow);
	let permutation = vec![1, 0];
	Case::of(Op::Transpose { permutation }, &[ty(DType::I8, &[1001, 601])], rng).check(&slow);
}

/// Products of bytes made four at a time: every combination of operand types and zero points that
/// is packed as one plane or two, or not at all.
#[test]
fn packed_products_agree() {
	let rng = &mut Rng::new(18);
	for (left, left_zero) in
		[(DType::I8, 0), (DType::I8, -7), (DType::I8, i16::MIN), (DType::I16, 0), (DType::I16, 1)]
	{
		for (right, right_zero) in
			[(DType::I8, 0), (DType::I8, 0), (DType::I8, 0), (DType::I8, 5), (DType::I16, 0)]
		{
			let (n, h, c, w) =
				(rng.range(1, 3), rng.range(16, 90), rng.range(16, 300), rng.range(1, 90));
			let op = Op::MatMul { a_zero_point: left_zero, b_zero_point: right_zero };
			let operands = [ty(left, &[n, h, c]), ty(right, &[n, c, w])];
			Case::of(op, &operands, rng).check(device());
			if right == DType::I8 {
				let (c, o) = (rng.range(16, 40), rng.range(1, 80));
				let operands = [
					ty(left, &[n, rng.range(5, 9), rng.range(5, 9), c]),
					ty(right, &[o, rng.range(1, 3), rng.range(1, 3), c]),
					ty(DType::I32, &[if rng.range(0, 1) == 0 { 1 } else { o }]),
				];
				let op = Op::Conv2d {
					window: random_window(rng, true),
					input_zero_point: left_zero,
					weight_zero_point: right_zero as i8,
				};
				Case::of(op, &operands, rng).check(device());
			}
		}
	}
	// Long enough that the passes over the planes are split as well.
	let slow = Arc::new(GpuDevice::open(true).expect(NO_ADAPTER));
	slow.set_rate(1);
	for left in [DType::I8, DType::I16] {
		let op = Op::MatMul { a_zero_point: 0, b_zero_point: 0 };
		let operands = [ty(left, &[1, 65, 9001]), ty(DType::I8, &[1, 9001, 3])];
		Case::of(op, &operands, rng).check(&slow);
	}
}

/// A running sum: x += state, with the state in another order than the input.
fn running_sum() -> Program {
	let of = |dtype| ty(dtype, &[3, 5]);
	Program {
		format: FORMAT,
		inputs: vec![Input {
			ty: of(DType::I8),
			layout: Layout::new(&[1, 0]),
			per_iteration: true,
		}],
		constants: vec![],
		state: vec![State { ty: of(DType::I32), next: 3 }],
		nodes: vec![
			Node { op: Op::Cast { to: DType::I32 }, operands: vec![0] },
			Node { op: Op::Binary(Binary::Add), operands: vec![1, 2] },
		],
		outputs: vec![3],
		checkpoints: vec![
			Checkpoint { value: 2, layout: Layout::row_major() },
			Checkpoint { value: 3, layout: Layout::new(&[1, 0]) },
		],
		max_iterations: 10,
	}
}

#[test]
fn state_is_carried_in_the_layout_of_its_checkpoint() {
	let program = Arc::new(CheckedProgram::new(running_sum()).expect("a valid program"));
	let rng = &mut Rng::new(17);
	let mut state = rng.bytes(&ty(DType::I32, &[3, 5]));
	for _ in 0..3 {
		let input = rng.bytes(&ty(DType::I8, &[3, 5]));
		let checkpoints = compare(device(), &program, &[], &[&input], &[&state]);
		state = checkpoints[1].clone();
	}
}

#[test]
fn an_executor_is_reused_with_other_data() {
	let program = Arc::new(CheckedProgram::new(running_sum()).expect("a valid program"));
	let mut executor = GpuExecutor::new(device().clone(), program, vec![]).expect("fits");
	let zeros = vec![0; 60];
	let first = executor.run(&[&[1; 15]], &[&zeros]).expect("runs");
	let second = executor.run(&[&[2; 15]], &[&first[1]]).expect("runs");
	let threes: Vec<u8> = (0..15).flat_map(|_| 3i32.to_le_bytes()).collect();
	assert_eq!(second[1], threes);
}

#[test]
fn software_adapters_are_used_only_where_asked_for() {
	assert!(GpuDevice::open(true).is_ok(), "{NO_ADAPTER}");
	match GpuDevice::open(false) {
		Ok(device) => assert_ne!(device.kind(), DeviceKind::Software),
		Err(error) => assert_eq!(error, GpuError::NoAdapter),
	}
}

#[test]
fn executors_move_to_other_threads() {
	let program = Arc::new(CheckedProgram::new(running_sum()).expect("a valid program"));
	let mut executor = GpuExecutor::new(device().clone(), program, vec![]).expect("fits");
	let run = move || executor.run(&[&[5; 15]], &[&[0; 60]]).expect("runs");
	let checkpoints = std::thread::spawn(run).join().expect("no panic");
	assert_eq!(checkpoints[1], (0..15).flat_map(|_| 5i32.to_le_bytes()).collect::<Vec<u8>>());
}

#[test]
fn data_of_a_wrong_length_is_refused() {
	let program = Arc::new(CheckedProgram::new(running_sum()).expect("a valid program"));
	let mut executor = GpuExecutor::new(device().clone(), program.clone(), vec![]).expect("fits");
	let state = vec![0; 60];
	assert_eq!(
		executor.run(&[&[0; 14]], &[&state]),
		Err(GpuError::Size { leaf: Leaf::Input(0), expected: 15, found: 14 })
	);
	assert_eq!(
		executor.run(&[&[0; 15]], &[&state[1..]]),
		Err(GpuError::Size { leaf: Leaf::State(0), expected: 60, found: 59 })
	);
	assert_eq!(
		executor.run(&[], &[&state]),
		Err(GpuError::Count { what: "inputs", expected: 1, found: 0 })
	);
	let superfluous = GpuExecutor::new(device().clone(), program, vec![[].into()]);
	assert_eq!(
		superfluous.err(),
		Some(GpuError::Count { what: "constants", expected: 0, found: 1 })
	);
}

#[test]
fn oversized_tensors_and_programs_are_refused_before_allocation() {
	let mut program = running_sum();
	let huge = vec![1 << 20, 1 << 11];
	program.inputs[0].ty.shape = huge.clone();
	program.state[0].ty.shape = huge;
	let program = Arc::new(CheckedProgram::new(program).expect("a valid program"));
	let refused = GpuExecutor::new(device().clone(), program, vec![]).err();
	assert!(matches!(refused, Some(GpuError::TensorTooLarge { .. })), "{refused:?}");

	let limited = GpuDevice::open(true).expect(NO_ADAPTER).with_memory_limit(100);
	let program = Arc::new(CheckedProgram::new(running_sum()).expect("a valid program"));
	let refused = GpuExecutor::new(Arc::new(limited), program, vec![]).err();
	assert!(matches!(refused, Some(GpuError::OverMemoryLimit { limit: 100, .. })), "{refused:?}");
}

#[test]
fn a_lost_device_is_reported_and_opened_again() {
	let device = Arc::new(GpuDevice::open(true).expect(NO_ADAPTER));
	let program = Arc::new(CheckedProgram::new(running_sum()).expect("a valid program"));
	let mut executor = GpuExecutor::new(device.clone(), program.clone(), vec![]).expect("fits");
	let (input, state) = (vec![1; 15], vec![0; 60]);
	let before = executor.run(&[&input], &[&state]).expect("runs");
	device.lose();
	let lost = executor.run(&[&input], &[&state]);
	assert!(matches!(lost, Err(GpuError::DeviceLost(_))), "{lost:?}");
	let mut again = GpuExecutor::new(device, program, vec![]).expect("opened again");
	assert_eq!(again.run(&[&input], &[&state]), Ok(before));
}
