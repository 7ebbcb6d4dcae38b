// SPDX-License-Identifier: Apache-2.0

//! Times the CPU executor on products of typical sizes, and the lazy evaluator on one element of each.
//!
//! `cargo run -p tensornet-tensor --example measure`

use std::{sync::Arc, time::Instant};
use tensornet_tensor::*;

const RUNS: u32 = 20;

struct Bytes<'a> {
	program: &'a CheckedProgram,
	constants: &'a [Arc<[u8]>],
	input: &'a [u8],
}

impl LeafSource for Bytes<'_> {
	fn read(&self, leaf: Leaf, index: u64) -> Option<i32> {
		let (ty, _) = self.program.leaf_type(leaf)?;
		match leaf {
			Leaf::Input(_) => read_element(ty.dtype, self.input, index),
			Leaf::Constant(number) => {
				read_element(ty.dtype, self.constants.get(number as usize)?, index)
			}
			Leaf::State(_) | Leaf::Checkpoint(_) => None,
		}
	}
}

fn noise(bytes: u64) -> Vec<u8> {
	let mut state = 1u64;
	let mut next = move || {
		state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
		(state >> 56) as u8
	};
	(0..bytes).map(|_| next()).collect()
}

fn measure(name: &str, input: TensorType, weight: (TensorType, Layout), bias: u32, op: Op) {
	let mut builder = ProgramBuilder::new();
	let bytes = noise(input.bytes());
	let x = builder.input(input, Layout::row_major(), false).expect("valid");
	let mut constants: Vec<Arc<[u8]>> = vec![noise(weight.0.bytes()).into()];
	let root = *blake3::hash(&constants[0]).as_bytes();
	let w = builder.constant_blob(weight.0, weight.1, root).expect("valid");
	let mut operands = vec![x, w];
	if bias > 0 {
		let values: Vec<i32> = (0..bias as i32).collect();
		let ty = TensorType::new(DType::I32, [bias]);
		operands.push(builder.constant_values(ty, &values).expect("valid"));
		constants.push(Vec::new().into());
	}
	let y = builder.op(op, &operands).expect("the shapes fit");
	let multiplier = builder.constant_values(TensorType::new(DType::I32, [1]), &[1 << 30]);
	let shift = builder.constant_values(TensorType::new(DType::I8, [1]), &[45]);
	let rescale = Op::Rescale {
		output: DType::I16,
		input_zero_point: 0,
		output_zero_point: 0,
		per_channel: false,
	};
	let scaled = [y, multiplier.expect("valid"), shift.expect("valid")];
	let z = builder.op(rescale, &scaled).expect("the shapes fit");
	constants.extend([Vec::new().into(), Vec::new().into()]);
	builder.output(z, Layout::row_major());
	let program = Arc::new(builder.finish().expect("valid"));
	let analysis = analyse(&program, &Limits::default()).expect("within limits");

	let mut executor = CpuExecutor::new(program.clone(), constants.clone()).expect("constants fit");
	let mut best = f64::MAX;
	for _ in 0..RUNS {
		let start = Instant::now();
		executor.run_iteration(&[&bytes], &[]).expect("runs");
		best = best.min(start.elapsed().as_secs_f64());
	}
	let source = Bytes { program: &program, constants: &constants, input: &bytes };
	let start = Instant::now();
	for index in 0..RUNS as u64 {
		let mut budget = analysis.checkpoints[0].macs;
		eval_element(&program, &source, 0, index, &mut budget).expect("evaluates");
	}
	let element = start.elapsed().as_secs_f64() / RUNS as f64;
	println!(
		"{name}: {:.2} ms, {:.1} GMAC/s; one element: {:.1} µs, {} steps, opens {} bytes",
		best * 1e3,
		program.macs() as f64 / best / 1e9,
		element * 1e6,
		analysis.checkpoints[0].macs,
		analysis.checkpoints[0].open_bytes,
	);
}

fn main() {
	let window = Window { pad: [0; 4], stride: [1; 2], dilation: [1; 2] };
	let conv = Op::Conv2d { window, input_zero_point: 0, weight_zero_point: 0 };
	measure(
		"convolution 512×256, five taps, to 512 channels",
		TensorType::new(DType::I16, [1, 512, 1, 256]),
		(TensorType::new(DType::I8, [512, 5, 1, 256]), Layout::row_major()),
		512,
		conv,
	);
	let product = Op::MatMul { a_zero_point: 0, b_zero_point: 0 };
	measure(
		"matrix product 512×1024×1024",
		TensorType::new(DType::I8, [1, 512, 1024]),
		(TensorType::new(DType::I8, [1, 1024, 1024]), Layout::new(&[0, 2, 1])),
		0,
		product.clone(),
	);
	measure(
		"one row 1024×4096",
		TensorType::new(DType::I8, [1, 1, 1024]),
		(TensorType::new(DType::I8, [1, 1024, 4096]), Layout::new(&[0, 2, 1])),
		0,
		product,
	);
	let window = Window { pad: [1; 4], stride: [1; 2], dilation: [1; 2] };
	let (input_zero_point, weight_zero_point) = (0, 0);
	measure(
		"depthwise 3×3 on 56×56×128",
		TensorType::new(DType::I8, [1, 56, 56, 128]),
		(TensorType::new(DType::I8, [3, 3, 128, 1]), Layout::row_major()),
		128,
		Op::DepthwiseConv2d { window, input_zero_point, weight_zero_point },
	);
	let window = Window3 { pad: [1; 6], stride: [1; 3], dilation: [1; 3] };
	measure(
		"convolution 3×3×3 on 8×28×28×64, to 64 channels",
		TensorType::new(DType::I8, [1, 8, 28, 28, 64]),
		(TensorType::new(DType::I8, [64, 3, 3, 3, 64]), Layout::row_major()),
		64,
		Op::Conv3d { window, input_zero_point, weight_zero_point },
	);
	let (out_pad, stride) = ([-1; 4], [2, 2]);
	measure(
		"transposed convolution 4×4, stride 2, on 28×28×128, to 64 channels",
		TensorType::new(DType::I8, [1, 28, 28, 128]),
		(TensorType::new(DType::I8, [64, 4, 4, 128]), Layout::row_major()),
		64,
		Op::TransposeConv2d { out_pad, stride, input_zero_point, weight_zero_point },
	);
}
