// SPDX-License-Identifier: Apache-2.0

//! Times products of bytes on every GPU of the machine beside the CPU: `tensornet-worker bench`.
//!
//! The right operand is a constant and packed beforehand on both sides; the left one is packed inside the
//! measurement. Each result is compared with the CPU's, bit for bit.

use crate::{
	devices::{human, DeviceKind},
	gpu::{GpuDevice, GpuExecutor},
};
use anyhow::{ensure, Context};
use serde::Serialize;
use std::{
	path::Path,
	sync::Arc,
	time::{Duration, Instant},
};
use tensornet_tensor::{
	CheckedProgram, Checkpoint, Constant, ConstantData, DType, Input, Layout, Level, Node, Op,
	PackedMatrix, Program, Side, TensorType, FORMAT,
};

/// Rows, depth and columns of the products: squares, the layers of MiniLM for one sentence and for 32,
/// and few rows.
const SIZES: [[u32; 3]; 14] = [
	[128, 128, 128],
	[256, 256, 256],
	[512, 512, 512],
	[1024, 1024, 1024],
	[2048, 2048, 2048],
	[4096, 4096, 4096],
	[128, 384, 384],
	[128, 384, 1536],
	[128, 1536, 384],
	[4096, 384, 1536],
	[1, 1024, 4096],
	[4, 1024, 4096],
	[8, 1024, 4096],
	[16, 1024, 4096],
];

/// A product that takes the CPU's portable path longer than this is not timed on software Vulkan.
const LONGEST: Duration = Duration::from_secs(2);

/// How long a sample on the CPU takes at least.
const SAMPLE: Duration = Duration::from_millis(50);

/// Samples of each side, in turn, so that all see the same noise of the machine. The least counts.
const SAMPLES: u32 = 5;

/// Times of one product, in seconds.
#[derive(Clone, Debug, Serialize)]
pub struct Timing {
	/// Name of the GPU.
	pub device: String,
	/// Rows, depth and columns.
	pub size: [u32; 3],
	/// On the GPU: packing the left operand, and the product.
	pub gpu: f64,
	/// On the CPU by its portable path, with all threads.
	pub portable: f64,
	/// On the CPU by its fastest path, with all threads.
	pub cpu: f64,
}

/// Prints the times of all sizes: a table for each GPU, or one JSON array. What was found out about
/// kernels is kept in `data`.
pub fn print(data: &Path, json: bool) -> anyhow::Result<()> {
	let mut timings = Vec::new();
	for (info, opened) in GpuDevice::all() {
		let device = match opened {
			Ok(device) => Arc::new(device.with_tuning(data)),
			Err(error) => {
				eprintln!("{} cannot be used: {error}", info.name);
				continue;
			}
		};
		if !json {
			println!("{}", device.name());
			println!(
				"{:>22} {:>10} {:>10} {:>10} {:>15}",
				"ROWS x DEPTH x COLUMNS", "GPU MAC/s", "PORTABLE", "CPU", "GPU / PORTABLE"
			);
		}
		for size in SIZES {
			let Some(timing) = time(&device, size)? else { continue };
			if !json {
				println!("{}", row(&timing));
			}
			timings.push(timing);
		}
	}
	if json {
		println!("{}", serde_json::to_string_pretty(&timings)?);
	}
	Ok(())
}

/// A line of the table. The last column is how many times as long as the portable path the GPU takes.
fn row(timing: &Timing) -> String {
	let [rows, depth, columns] = timing.size;
	let macs = timing.size.map(f64::from).iter().product::<f64>();
	let [gpu, portable, cpu] =
		[timing.gpu, timing.portable, timing.cpu].map(|seconds| human((macs / seconds) as u64));
	let size = format!("{rows} x {depth} x {columns}");
	let ratio = timing.gpu / timing.portable;
	format!("{size:>22} {gpu:>10} {portable:>10} {cpu:>10} {ratio:>15.2}")
}

/// Times one product on a GPU and on the CPU; none where software Vulkan would take too long.
fn time(device: &Arc<GpuDevice>, size: [u32; 3]) -> anyhow::Result<Option<Timing>> {
	let [rows, depth, columns] = size;
	let a = noise(rows * depth, 1);
	let b = noise(depth * columns, 2);
	let mut sums = vec![0i32; rows as usize * columns as usize];
	let levels = Level::available();
	let portable = levels.first().copied().context("every machine has a portable path")?;
	let pack = |level| {
		let extents = [depth as usize, columns as usize];
		PackedMatrix::pack(level, Side::Columns, extents, [DType::I8; 2], [0; 2], &b)
	};
	let (slow, fast) = (pack(portable), pack(Level::detected()));
	let mut portable = time_cpu(&slow, &a, &mut sums);
	if device.kind() == DeviceKind::Software && portable > LONGEST {
		return Ok(None);
	}

	let bytes = |values: &[i8]| values.iter().map(|value| *value as u8).collect::<Vec<u8>>();
	let program = Arc::new(product(size)?);
	let mut executor = GpuExecutor::new(device.clone(), program, vec![bytes(&b).into()])?;
	let result = executor.run(&[&bytes(&a)], &[])?;
	let expected: Vec<u8> = sums.iter().flat_map(|sum| sum.to_le_bytes()).collect();
	ensure!(result == [expected], "{} computes other bits than the CPU", device.name());
	let (mut gpu, mut cpu) = (Duration::MAX, Duration::MAX);
	for _ in 0..SAMPLES {
		gpu = gpu.min(executor.time_products()?);
		portable = portable.min(time_cpu(&slow, &a, &mut sums));
		cpu = cpu.min(time_cpu(&fast, &a, &mut sums));
	}
	let [gpu, portable, cpu] = [gpu, portable, cpu].map(|time| time.as_secs_f64().max(1e-9));
	Ok(Some(Timing { device: device.name().to_owned(), size, gpu, portable, cpu }))
}

/// Time of a product on the CPU; leaves its result in `sums`.
fn time_cpu(right: &PackedMatrix, left: &[i8], sums: &mut [i32]) -> Duration {
	let mut sample = |count: u32| {
		let start = Instant::now();
		(0..count).for_each(|_| right.multiply(left, sums));
		start.elapsed() / count
	};
	let first = sample(1);
	let count = (SAMPLE.as_nanos() / first.as_nanos().max(1)).clamp(1, 1000) as u32;
	if count == 1 {
		first
	} else {
		sample(count)
	}
}

/// A program that multiplies an input with a constant.
fn product([rows, depth, columns]: [u32; 3]) -> anyhow::Result<CheckedProgram> {
	let of = |shape: [u32; 3]| TensorType::new(DType::I8, shape);
	let layout = Layout::row_major();
	let program = Program {
		format: FORMAT,
		inputs: vec![Input {
			ty: of([1, rows, depth]),
			layout: layout.clone(),
			per_iteration: false,
		}],
		constants: vec![Constant {
			ty: of([1, depth, columns]),
			layout: layout.clone(),
			// Nothing fetches it: the bytes are made here.
			data: ConstantData::Blob([0; 32]),
		}],
		state: Vec::new(),
		nodes: vec![Node {
			op: Op::MatMul { a_zero_point: 0, b_zero_point: 0 },
			operands: vec![0, 1],
		}],
		outputs: vec![2],
		checkpoints: vec![Checkpoint { value: 2, layout }],
		max_iterations: 1,
	};
	CheckedProgram::new(program).context("the measuring program was refused")
}

/// Bytes of a linear congruential generator.
fn noise(count: u32, mut state: u64) -> Vec<i8> {
	let next = || {
		state =
			state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
		(state >> 56) as i8
	};
	std::iter::repeat_with(next).take(count as usize).collect()
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn a_line_says_rates_and_how_many_times_as_long_the_gpu_takes() {
		let timing = Timing {
			device: "device".into(),
			size: [1000, 1000, 1000],
			gpu: 0.5,
			portable: 0.25,
			cpu: 0.1,
		};
		let expected = "1000 x 1000 x 1000      2.0 G      4.0 G     10.0 G            2.00";
		assert_eq!(row(&timing).trim_start(), expected);
	}
}
